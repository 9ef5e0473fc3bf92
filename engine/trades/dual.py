"""The Lagrangian dual over the cash pools of one account: a bound, and the price of cash that reaches it.

Relaxing "every pool ends at or above its reserve" with multipliers λ leaves one small problem per slot: the trade n
that minimises |shortfall − p·n| + cost(n) + λ·cash used(n). That function is piecewise linear, so its minimum over
whole n lies beside one of a handful of breakpoints, and the whole relaxation costs one pass over an array. Every λ
gives a bound that no plan can be below, minimum trades and ticket fees included.

Conversion at spread s ties the multipliers of an account's currencies together: λ_max ≤ (λ_min + s) / (1 − s).
Along λ_r = λ + τ_r · ((λ + s)/(1 − s) − λ), with τ fixed in [0, 1], the dual is concave in the one number λ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.trades.problem import Floats, Problem

_HIGHEST_PRICE_OF_CASH = 1e7
_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class Choices:
    """Hold candidates (n × k): units, cost in the objective (inf where not allowed), cash used."""

    units: Floats
    objective: Floats
    cash: Floats


@dataclass(frozen=True, slots=True)
class Dual:
    """Hold the best bound found, its multiplier per pool, and each slot's best candidate there."""

    bound: float
    prices: Floats
    best: Floats
    reduced: Floats


def objective_and_cash(problem: Problem, units: Floats) -> Choices:
    """Value candidates (n × k): deviation plus costs, and cash used. One slot per symbol is assumed."""
    cost = problem.cost(units)
    value = units * problem.price[:, None]
    deviation = np.abs(problem.shortfall[problem.symbol][:, None] - value)
    return Choices(units, np.where(problem.allowed(units), deviation + cost, np.inf), value + cost)


def breakpoints(problem: Problem) -> Choices:
    """Return every candidate at which a slot's relaxed problem can have its minimum.

    No trade; each end of the selling range [low, −minimum] and of the buying range [minimum, high]; the whole units
    around the target; and those around the value where the ticket minimum stops binding.
    """
    target = problem.shortfall[problem.symbol] / problem.price
    low, high = problem.low.astype(np.float64), problem.high.astype(np.float64)
    least = problem.minimum.astype(np.float64)
    columns = [np.zeros_like(low), low, -least, least, high]
    marks = [target]
    if (problem.fee_minimum > 0).any():
        for sign, rate in ((1.0, problem.buy_rate), (-1.0, problem.sell_rate)):
            with np.errstate(divide="ignore", invalid="ignore"):
                kink = problem.fee_minimum / (rate * problem.price)
            marks.append(sign * np.where(np.isfinite(kink), kink, 0.0))
    for mark in marks:
        for unit in (np.floor(mark + 1e-12), np.ceil(mark - 1e-12)):
            columns.append(np.clip(unit, least, np.maximum(high, least)))
            columns.append(np.clip(unit, np.minimum(low, -least), -least))
    return objective_and_cash(problem, np.stack(columns, axis=1))


def maximise(problem: Problem, choices: Choices) -> Dual | None:
    """Return the best dual bound, or None where even the cheapest choices leave the cash short of its reserves."""
    available = problem.cash - problem.reserve
    pools = len(available)
    if pools == 1 or problem.spread == 0:
        return _along(problem, choices, np.zeros(pools))
    best = None
    for tau in _directions(pools):
        found = _along(problem, choices, tau)
        if found is not None and (best is None or found.bound > best.bound):
            best = found
    return best


def _directions(pools: int) -> list[Floats]:
    """Return the patterns tried: all alike, and each currency dearer or cheaper than the rest."""
    ones = np.ones(pools)
    found = [0.0 * ones]
    for index in range(pools):
        one = np.zeros(pools)
        one[index] = 1.0
        found += [one, ones - one] if pools > 2 else [one]
    return [*found, *(0.5 * tau for tau in found[1:])]


def beyond(problem: Problem, prices: Floats) -> float:
    """Return min over E ≥ 0 of |K − E| + λ_min·E: what the cash itself adds to the dual (K: target above reserves)."""
    room = problem.cash_target - float(problem.reserve.sum())
    return min(room, float(prices.min()) * room) if room > 0 else -room


def _along(problem: Problem, choices: Choices, tau: Floats) -> Dual | None:
    """Maximise the dual along one direction by intersecting tangents, which ends after finitely many steps."""
    available = problem.cash - problem.reserve
    stretch = problem.spread / (1.0 - problem.spread)
    slope_of = 1.0 + tau * stretch  # dλ_r/dλ
    rows = np.arange(problem.size)
    room = problem.cash_target - float(problem.reserve.sum())

    def at(price: float) -> tuple[float, float, Floats]:
        prices = price + tau * stretch * (1.0 + price)
        relaxed = choices.objective + prices[problem.pool][:, None] * choices.cash
        best = relaxed.argmin(axis=1)
        used = np.bincount(problem.pool, weights=choices.cash[rows, best], minlength=len(available))
        lowest = float(prices.min())
        value = float(relaxed[rows, best].sum() - prices @ available) + beyond(problem, prices)
        slope = float(slope_of @ (used - available))
        if room > 0 and lowest < 1.0:
            slope += room * float(slope_of[prices.argmin()])
        return value, slope, prices

    low, (value_low, slope_low, prices_low) = -1.0, at(-1.0)
    if slope_low <= 0:
        return _dual(problem, choices, prices_low)
    high = 1.0
    value_high, slope_high, prices_high = at(high)
    while slope_high > 0:
        low, value_low, slope_low, prices_low = high, value_high, slope_high, prices_high
        if high > _HIGHEST_PRICE_OF_CASH:
            return None
        high = high * 2 + 1
        value_high, slope_high, prices_high = at(high)
    for _ in range(_ROUNDS):
        if slope_low - slope_high <= 1e-300:
            break
        middle = (value_high - value_low + slope_low * low - slope_high * high) / (slope_low - slope_high)
        ceiling = value_low + slope_low * (middle - low)
        if not low < middle < high:
            break
        value, slope, prices = at(middle)
        if slope > 0:
            low, value_low, slope_low, prices_low = middle, value, slope, prices
        else:
            high, value_high, slope_high, prices_high = middle, value, slope, prices
        if value >= ceiling - 1e-12 * abs(ceiling):
            break
    return _dual(problem, choices, prices_low if value_low >= value_high else prices_high)


def _dual(problem: Problem, choices: Choices, prices: Floats) -> Dual:
    relaxed = choices.objective + prices[problem.pool][:, None] * choices.cash
    best = relaxed.argmin(axis=1)
    least = relaxed[np.arange(problem.size), best]
    fixed = untradable(problem)
    bound = float(least.sum() - prices @ (problem.cash - problem.reserve)) + beyond(problem, prices) + fixed
    return Dual(bound, prices, choices.units[np.arange(problem.size), best], relaxed - least[:, None])


def untradable(problem: Problem) -> float:
    """Return the deviation of the symbols without a slot, which no trade can change."""
    free = np.ones(len(problem.shortfall), dtype=bool)
    free[problem.symbol] = False
    return float(np.abs(problem.shortfall[free]).sum())
