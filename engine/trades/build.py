"""Turn a valued portfolio into the trade problem: slots, bounds, costs, pools, caps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from engine.costs.table import TradeCost, lookup
from engine.money import ZERO, unit
from engine.plan import Position
from engine.portfolio import Instrument, Portfolio
from engine.trades.limits import group_caps, risk_caps, turnover_cap
from engine.trades.problem import Problem
from engine.valuation import Valuation

#: Smallest fraction of a share that is traded where fractions are allowed.
FRACTION = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Slot:
    """Name one thing that may be traded: a symbol in an account (the only account, where none are declared)."""

    symbol: str
    account: str
    step: Decimal
    cost: TradeCost


@dataclass(frozen=True, slots=True)
class Task:
    """Hold a trade problem with what its indices mean, and the weights that it aims at."""

    problem: Problem
    slots: tuple[Slot, ...]
    symbols: tuple[str, ...]
    pools: tuple[tuple[str, str], ...]
    destination: Mapping[str, Decimal]
    cash_destination: Decimal


def step_of(instrument: Instrument, fractional: Sequence[str]) -> Decimal:
    """Return the smallest quantity that may be traded: a lot, or a fraction where the market allows fractions."""
    return FRACTION if instrument.market in fractional else instrument.lot


def build_task(
    portfolio: Portfolio, valuation: Valuation, positions: Sequence[Position], breached: frozenset[str], as_of: dt.date
) -> Task:
    """Return the trade problem of a portfolio, for the mode and limits of its settings.

    `breached` are the symbols outside a band or limit: the only ones traded where settings.trade says so. Where trades
    aim at anything but the plain targets (only breached, or a band's edge or half), every other instrument's
    destination is where it is, and cash gets what is left.
    """
    pools = tuple((name, currency) for name, purse in valuation.cash.items() for currency in purse)
    destination, cash_destination = _destinations(portfolio, positions, breached)
    tradable = [p for p in positions if _is_tradable(portfolio, p, breached)]
    rows = list(_slots(portfolio, valuation, tradable, destination, as_of))
    slots = tuple(row[0] for row in rows)
    symbols = tuple(position.symbol for position in positions)
    index = {symbol: place for place, symbol in enumerate(symbols)}
    place = {pool: number for number, pool in enumerate(pools)}
    accounts = {account.name: number for number, account in enumerate(portfolio.accounts)}
    currency = {position.symbol: position.currency for position in positions}
    fx = {position.symbol: position.fx for position in positions}
    price = {position.symbol: position.price * position.fx for position in positions}
    numbers = np.array([row[1] for row in rows], dtype=np.int64).reshape(-1, 4)
    values = {p.symbol: p.value for p in positions}
    total = valuation.total
    rates = np.array([_rates(slot, bounds[0], price, fx) for slot, bounds in rows]).reshape(-1, 4)
    problem = Problem(
        total=float(total),
        shortfall=np.array([float(destination[s] * total - values[s]) for s in symbols]),
        symbol=np.array([index[slot.symbol] for slot in slots], dtype=np.int64),
        pool=np.array([place[slot.account, currency[slot.symbol]] for slot in slots], dtype=np.int64),
        price=np.array([float(price[slot.symbol] * slot.step) for slot in slots]),
        low=numbers[:, 0],
        high=numbers[:, 1],
        minimum=numbers[:, 2],
        full=numbers[:, 3].astype(np.bool_),
        continuous=np.array([slot.step == FRACTION for slot in slots], dtype=np.bool_),
        buy_rate=rates[:, 0],
        sell_rate=rates[:, 1],
        tax_rate=rates[:, 2],
        fee_minimum=rates[:, 3],
        cash=np.array([float(valuation.cash[name][c] * valuation.fx.rate(c)) for name, c in pools]),
        reserve=np.array([float(reserve(portfolio, name, c)) for name, c in pools]),
        account=np.array([accounts[name] for name, _ in pools], dtype=np.int64),
        cash_target=float(cash_destination * total),
        linked=portfolio.settings.convert_currency,
        spread=float(portfolio.settings.fx_spread),
        turnover=turnover_cap(portfolio, valuation, slots),
        groups=group_caps(portfolio, positions, slots, numbers, index, total),
        risk_caps=risk_caps(portfolio, valuation, slots),
    )
    return Task(problem, slots, symbols, pools, destination, cash_destination)


def reserve(portfolio: Portfolio, account: str, currency: str) -> Decimal:
    """Return the cash that must stay: the account's own buffer or the setting's, in the base currency; else 0."""
    if currency != portfolio.base_currency:
        return ZERO
    own = {a.name: a.cash_buffer for a in portfolio.accounts}[account]
    return portfolio.settings.cash_buffer if own is None else own


def _is_tradable(portfolio: Portfolio, position: Position, breached: frozenset[str]) -> bool:
    if position.status in ("LOCKED", "DISABLED") or position.price <= 0:
        return False
    return portfolio.settings.trade == "all" or position.symbol in breached


def _destinations(
    portfolio: Portfolio, positions: Sequence[Position], breached: frozenset[str]
) -> tuple[dict[str, Decimal], Decimal]:
    settings = portfolio.settings
    if settings.trade == "all" and settings.destination == "target":
        return {p.symbol: p.target for p in positions}, portfolio.cash_target
    found: dict[str, Decimal] = {}
    for p in positions:
        if not _is_tradable(portfolio, p, breached):
            found[p.symbol] = p.weight
        elif settings.destination == "edge":
            found[p.symbol] = min(max(p.weight, p.low), p.high)
        elif settings.destination == "half":
            found[p.symbol] = min(max(p.weight, (p.target + p.low) / 2), (p.target + p.high) / 2)
        else:
            found[p.symbol] = p.target
    return found, max(1 - sum(found.values(), ZERO), ZERO)


def _slots(
    portfolio: Portfolio,
    valuation: Valuation,
    tradable: Sequence[Position],
    destination: Mapping[str, Decimal],
    as_of: dt.date,
) -> Iterator[tuple[Slot, tuple[int, int, int, bool]]]:
    """Yield each slot with (low, high, minimum, full) in steps."""
    settings = portfolio.settings
    targets = {target.symbol: (section.rule, target) for section, target in portfolio.targets()}
    for position in tradable:
        instrument = portfolio.instruments[position.symbol]
        rule, target = targets.get(position.symbol, (portfolio.untargeted_rule, None))
        cost = lookup(instrument, as_of, settings.costs)
        step = step_of(instrument, settings.fractional)
        price = position.price * position.fx * step
        wanted = destination[position.symbol] * valuation.total - position.value
        minimum = _minimum(rule.min_trade, position, step)
        held = _held(portfolio, position, step)
        sellable = {name: (0 if settings.mode == "buy-only" else n) for name, (n, _) in held.items()}
        room = _room(wanted, price, minimum, target.maximum if target else None, position, valuation.total)
        spare = _spare(target.minimum if target else None, position, price, valuation.total)
        for account in portfolio.accounts:
            low = -min(sellable.get(account.name, 0), spare)
            high = 0
            if settings.mode != "sell-only" and account.may_buy(instrument):
                elsewhere = sum(n for name, n in sellable.items() if name != account.name)
                high = (room if room >= minimum else 0) + elsewhere
            if low or high:
                emptied = held.get(account.name, (0, False))[1] and -low == held[account.name][0]
                yield Slot(position.symbol, account.name, step, cost), (low, high, minimum, emptied)


def _held(portfolio: Portfolio, position: Position, step: Decimal) -> dict[str, tuple[int, bool]]:
    """Return, by account, the whole steps held, and whether that is all that is held.

    Without declared accounts the labels are one account: each label's whole steps add up, since each sells its own.
    """
    found = {}
    for name, quantity in position.accounts.items():
        steps = int((quantity / step).to_integral_value(ROUND_FLOOR))
        found[name] = (steps, steps * step == quantity)
    if portfolio.accounts_declared:
        return found
    whole = sum(steps for steps, _ in found.values()), all(exact for _, exact in found.values())
    return {portfolio.accounts[0].name: whole}


def _minimum(least: Decimal, position: Position, step: Decimal) -> int:
    """Return the fewest steps whose amount, as billed in the currency's smallest unit, is worth the minimum trade."""
    billed = (least / position.fx).quantize(unit(position.currency), ROUND_CEILING)
    return max(int((billed / (position.price * step)).to_integral_value(ROUND_CEILING)), 1)


def _room(
    wanted: Decimal, unit: Decimal, minimum: int, maximum: Decimal | None, position: Position, total: Decimal
) -> int:
    """Return the most steps worth buying: to just above the destination, or one minimum; never past the maximum."""
    if wanted <= 0:
        return 0
    most = max(int((wanted / unit).to_integral_value(ROUND_CEILING)), minimum)
    if maximum is not None:
        most = min(most, int(((maximum * total - position.value) / unit).to_integral_value(ROUND_FLOOR)))
    return max(most, 0)


def _spare(minimum: Decimal | None, position: Position, unit: Decimal, total: Decimal) -> int:
    """Return the most steps that may be sold without going below the target's minimum."""
    if minimum is None or minimum <= 0:
        return 10**15
    return max(int(((position.value - minimum * total) / unit).to_integral_value(ROUND_FLOOR)), 0)


def _rates(
    slot: Slot, low: int, price: Mapping[str, Decimal], fx: Mapping[str, Decimal]
) -> tuple[float, float, float, float]:
    """Return buy, sell and tax rates and the ticket minimum, in the base currency.

    A capped fee per share is concave; the chord to the largest sale is never above it, so the bound stays a bound.
    """
    cost = slot.cost
    per_share = cost.per_share_sell_fee
    most = -low * slot.step
    if cost.per_share_cap is not None and most and per_share * most > cost.per_share_cap:
        per_share = cost.per_share_cap / most
    tax = cost.sell_tax_rate + per_share * fx[slot.symbol] / price[slot.symbol]
    rate = float(cost.commission_rate)
    return rate, rate, float(tax), float(cost.commission_minimum * fx[slot.symbol])
