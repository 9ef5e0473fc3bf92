"""The best plan by trying every one: whole shares, a few slots."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.oracle.measure import SLACK, Orders, bill, measure
from tests.oracle.reading import (
    BROKEN,
    DIGITS,
    EDGES,
    OVERSEAS,
    PREFERENCE,
    SLOPES,
    WORTH_CLIMBING,
    Case,
    Reach,
    Rung,
)

Floats = NDArray[np.float64]
#: Objectives closer than this are ties.
TIE = 1e-12


class TooLarge(Exception):
    """A case with more plans than were asked for."""


@dataclass(frozen=True)
class Best:
    """The best plan of a rung."""

    rung: int
    objective: float
    outside: float
    orders: dict[int, float]
    cash: float = math.nan


@dataclass(frozen=True)
class Answer:
    """The plan to take (None: impossible; rung 0: nothing to do) and every rung that was tried."""

    best: Best | None
    tried: tuple[Best, ...]
    close: bool  # whether another rung would be taken if its plan left a hair more or less outside


def climb(case: Case, solve: Callable[[Case, Rung], Best | None], nothing: Callable[[Case], Best]) -> Answer:
    """Climb the rungs as the contract says, with a solver for each."""
    if not case.ladder:
        return Answer(nothing(case), (), close=False)
    taken: Best | None = None
    tried: list[Best] = []
    close = False
    hair = 1e-7
    for which in case.ladder:
        if taken is not None:
            close |= 0 < taken.outside < hair
            if taken.outside <= hair:
                break
        found = solve(case, case.rung(which))
        if found is None:
            continue
        tried.append(found)
        if taken is None:
            taken = found
            continue
        less = taken.outside - found.outside - WORTH_CLIMBING
        close |= abs(less) < hair
        if less >= -1e-12:
            taken = found
    if taken is None and case.trigger == "always":
        taken = solve(case, case.rung(1))
        tried += [taken] if taken else []
    return Answer(taken, tuple(tried), close)


@dataclass(frozen=True)
class _Account:
    """Every set of orders of one account that keeps the account's own rules."""

    slots: tuple[int, ...]
    lots: NDArray[np.float64]  # sets × slots
    cash: Floats  # change of the cash, in the base currency
    left: Floats  # what leaves at once
    counted: Floats  # costs that count, but for the overseas tax
    gain: Floats
    orders: Floats
    turnover: Floats
    tax: Floats


def brute(case: Case, rung: Rung, *, exact: bool = True, slack: float = 0.0, most: int = 2_000_000) -> Best | None:
    """Return the best plan of a rung, or None where it has none; raises TooLarge."""
    accounts = [_account(case, rung, number, slack, most, exact=exact) for number in range(len(case.purses))]
    if math.prod(len(a.cash) for a in accounts) > most:
        raise TooLarge
    if any(not len(a.cash) for a in accounts):
        return None
    merged = accounts[0]
    for other in accounts[1:]:
        merged = _cross(merged, other)
    return _pick(case, rung, merged)


def plans(case: Case, rung: Rung) -> int:
    """Return how many plans there are to try, at most."""
    return math.prod(len(_options(case, rung, s)) for s in range(len(case.slots)))


def _options(case: Case, rung: Rung, s: int) -> list[float]:
    slot = case.slots[s]
    i = slot.asset
    asset = case.assets[i]
    down, up = furthest(case, rung, s)
    sellable = min(slot.sellable if rung.sells[s] else 0.0, down)
    found = [
        -float(n)
        for n in range(1, math.floor(sellable + 1e-9) + 1)
        if n * asset.step >= rung.min_sell[i] - SLACK * case.total or n == slot.sellable
    ]
    most = 0
    if rung.buys[s]:
        most = math.floor(min(case.spendable(slot.account) / asset.step, up) + 1e-6)
    found += [float(n) for n in range(1, most + 1) if n * asset.step >= rung.min_buy[i] - SLACK * case.total]
    return [0.0, *found]


def furthest(case: Case, rung: Rung, s: int) -> tuple[float, float]:
    """Return the most lots that a slot may sell and buy, whatever the other members of its goal do."""
    slot = case.slots[s]
    step = case.assets[slot.asset].step
    down = up = math.inf
    for g, reach in enumerate(rung.reaches):
        shares = case.goals[g].exposures
        if reach is None or slot.asset not in shares or slot.spare:
            continue
        others = [(n, o) for n, o in enumerate(case.slots) if n != s and o.asset in shares and not o.spare]
        money = [shares[o.asset] * o.sellable * case.assets[o.asset].step for n, o in others if rung.sells[n]]
        bought = any(rung.buys[n] for n, _ in others)
        up = min(up, (max(reach.up.values()) + sum(money)) / (shares[slot.asset] * step))
        down = min(down, math.inf if bought else max(reach.down.values()) / (shares[slot.asset] * step))
    return down, up


def _account(case: Case, rung: Rung, number: int, slack: float, most: int, *, exact: bool) -> _Account:
    slots = tuple(s for s, slot in enumerate(case.slots) if slot.account == number)
    options = [_options(case, rung, s) for s in slots]
    size = math.prod(len(o) for o in options)
    if size > most:
        raise TooLarge
    grid = np.indices([len(o) for o in options]).reshape(len(options), -1) if slots else np.zeros((0, 1), int)
    purse = case.purses[number]
    zero = np.zeros(size)
    change = {c: zero.copy() for c in case.rates}
    left, counted, gain, orders, turnover, tax, risk = (zero.copy() for _ in range(7))
    risk_bought = np.zeros(size, bool)
    lots = np.zeros((size, len(slots)))
    for column, s in enumerate(slots):
        slot = case.slots[s]
        asset = case.assets[slot.asset]
        bills = [bill(case, slot, n, exact=exact) for n in options[column]]
        pick = grid[column]

        def table(values: list[float], pick: NDArray[np.int64] = pick) -> Floats:
            return np.array(values)[pick]

        lots[:, column] = table(options[column])
        change[asset.currency] += table([b.change for b in bills])
        left += table([b.leaves for b in bills])
        counted += table(
            [PREFERENCE * slot.rank * b.amount * (n > 0) for n, b in zip(options[column], bills, strict=True)]
        )
        counted += table([b.leaves - (b.withheld if case.taxes != "count" else 0.0) for b in bills])
        tax += table([b.sale_tax + b.withheld for b in bills])
        gain += table([b.gain for b in bills])
        orders += lots[:, column] != 0
        turnover += table([b.amount for b in bills])
        if asset.risk:
            risk += lots[:, column] * asset.step
            risk_bought |= lots[:, column] > 0
    base_change = sum((change[c] * float(case.rates[c]) for c in change), zero.copy())
    keep, spread = _convert(case, number, change, slack)
    if purse.risk_cap is not None:
        most_risk = purse.risk_cap * (purse.value - left - spread)
        keep &= ~risk_bought | (purse.risk + risk <= most_risk + SLACK * case.total)
    return _Account(
        slots,
        lots[keep],
        (base_change - spread)[keep],
        (left + spread)[keep],
        (counted + spread)[keep],
        gain[keep],
        orders[keep],
        turnover[keep],
        tax[keep],
    )


def _convert(case: Case, number: int, change: dict[str, Floats], slack: float) -> tuple[NDArray[np.bool_], Floats]:
    """Return which sets of orders an account can pay, and what their conversions cost."""
    purse = case.purses[number]
    size = len(next(iter(change.values())))
    short, spare = np.zeros(size), np.zeros(size)
    for currency, rate in case.rates.items():
        forgiven = slack * 10.0 ** -DIGITS[currency]
        own = float(purse.cash.get(currency, 0)) - float(purse.floor[currency]) + forgiven
        left = (own + change[currency]) * float(rate)
        short += np.maximum(-left, 0)
        spare += np.maximum(left, 0)
    tiny = 1e-12 * case.total
    if not case.convert:
        return short <= tiny, np.zeros(size)
    money = np.where(short <= tiny, 0.0, short / (1 - case.spread))
    return money <= spare + tiny, case.spread * money


def _cross(one: _Account, two: _Account) -> _Account:
    n, m = len(one.cash), len(two.cash)

    def add(a: Floats, b: Floats) -> Floats:
        return (a[:, None] + b[None, :]).ravel()

    lots = np.hstack([np.repeat(one.lots, m, axis=0), np.tile(two.lots, (n, 1))])
    sums = (
        add(getattr(one, k), getattr(two, k)) for k in ("cash", "left", "counted", "gain", "orders", "turnover", "tax")
    )
    return _Account((*one.slots, *two.slots), lots, *sums)


def _distance(values: Floats, scale: float, cap: float = math.inf) -> Floats:
    """Return D of distances: the integral of a step function, as a sum of hinges."""
    total = SLOPES[0] * values
    for k in range(1, len(SLOPES)):
        rise = min(SLOPES[k], cap) - min(SLOPES[k - 1], cap)
        if rise > 0:
            total = total + rise * np.maximum(values - EDGES[k - 1] * scale, 0)
    return total


def _pick(case: Case, rung: Rung, every: _Account) -> Best | None:
    keep = np.ones(len(every.cash), bool)
    values = []
    for i, asset in enumerate(case.assets):
        columns = [c for c, s in enumerate(every.slots) if case.slots[s].asset == i]
        values.append(asset.value + every.lots[:, columns].sum(axis=1) * asset.step)
    for g, reach in enumerate(rung.reaches):
        if reach is not None:
            keep &= _within(case, g, reach, every)
    spare = np.zeros(len(every.cash))
    for c, s in enumerate(every.slots):
        if case.slots[s].spare:
            spare += case.slots[s].spare + every.lots[:, c] * case.assets[case.slots[s].asset].step
    broken = np.zeros(len(every.cash))
    for limit in case.limits:
        excess = limit.sign * (sum(share * values[m] for m, share in limit.exposures.items()) - limit.bound)
        if limit.broken:
            broken += np.maximum(excess, 0)
        else:
            keep &= excess <= SLACK * case.total
    if case.turnover is not None:
        keep &= every.turnover <= case.turnover + SLACK * case.total
    if not keep.any():
        return None
    cash = case.cash + every.cash
    objective = every.counted + BROKEN * broken + case.effort * every.orders
    objective += rung.spare * spare + _deviations(case, rung, values, len(every.cash))
    objective = objective + _distance(np.maximum(case.cash_target - cash, 0), case.cash_scale)
    objective += _distance(np.maximum(cash + every.left - case.cash_target, 0), case.cash_scale, rung.idle_cap)
    due = float(OVERSEAS) * np.maximum(every.gain - case.allowance, 0)
    if case.taxes == "count":
        objective += due
    objective = np.where(keep, objective / case.total, np.inf)
    least = objective.min()
    ties = np.flatnonzero(objective <= least + TIE)
    order = np.lexsort((every.turnover[ties], every.orders[ties], np.round((every.tax + due)[ties] / case.total, 11)))
    at = int(ties[order[0]])
    outside = case.outside([float(v[at]) for v in values], float(spare[at]), float(cash[at]))
    orders = {s: float(n) for s, n in zip(every.slots, every.lots[at], strict=True) if n}
    return Best(rung.number, float(objective[at]), outside, orders, float(cash[at]))


def _deviations(case: Case, rung: Rung, values: list[Floats], size: int) -> Floats:
    """Return what the goals' deviations count."""
    found = np.zeros(size)
    for g, terms in enumerate(rung.terms):
        held = sum((share * values[m] for m, share in case.goals[g].exposures.items()), np.zeros(size))
        found += rung.stubs[g] * held
        for term in terms:
            away = np.maximum(np.maximum(held - term.high, term.low - held), 0)
            found += term.coefficient * _distance(away, term.scale)
    return found


def _within(case: Case, g: int, reach: Reach, every: _Account) -> NDArray[np.bool_]:
    """Return which plans keep a goal's rule on orders."""
    size = len(every.cash)
    moved, low, high = np.zeros(size), np.zeros(size), np.zeros(size)
    net: dict[int, Floats] = {}
    for c, s in enumerate(every.slots):
        slot, shares = case.slots[s], case.goals[g].exposures
        if slot.asset not in shares or slot.spare:
            continue
        lots = every.lots[:, c]
        moved += shares[slot.asset] * case.assets[slot.asset].step * lots
        net[slot.asset] = net.get(slot.asset, np.zeros(size)) + lots
        low = np.where(lots < 0, np.maximum(low, reach.down[slot.asset]), low)
        high = np.where(lots > 0, np.maximum(high, reach.up[slot.asset]), high)
    tiny = 1e-12 * case.total
    keep = (moved >= -low - tiny) & (moved <= high + tiny)
    for m, lots in net.items():
        keep &= (lots > -1e-9) | (reach.down[m] > 0)
        keep &= (lots < 1e-9) | (reach.up[m] > 0)
    return keep


def nothing(case: Case) -> Best:
    """Return what doing nothing comes to, by the measure of rung 1."""
    none: Orders = {}
    outcome = measure(case, case.rung(1), none)
    return Best(0, outcome.objective, outcome.outside, {}, outcome.cash)


def answer(case: Case, *, exact: bool = True, slack: float = 0.0, most: int = 2_000_000) -> Answer:
    """Return the plan to take, by brute force."""
    return climb(case, lambda c, r: brute(c, r, exact=exact, slack=slack, most=most), nothing)
