"""The Lagrangian dual over the cash of one account: a bound, its prices, and what each trade loses at them.

Cash after, C, and cash with what left it at once, G, are measured apart. Putting a price λ on cash used and μ on value
traded (and π on overseas gains) leaves one small problem per slot: the trade n that minimises

    how far off its row ends + costs + λ · cash used + μ · value traded + π · overseas gain.

That is piecewise linear and convex on each side of no trade, so its least over whole n lies beside one of a handful of
breakpoints, minimum trades and the worth of an order included. Every (λ, μ, π) gives a bound that no plan can be below.

Conversion at spread s ties the prices of an account's currencies together: λ_max ≤ (λ_min + s) / (1 − s). Along
λ_r = λ + τ_r · ((λ + s) / (1 − s) − λ), with τ fixed in [0, 1], the dual is concave in the one number λ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.trades.problem import Floats, Hinges, Ints, TradeProblem, allowed, charges

_ROUNDS = 100
_HIGHEST_PRICE_OF_CASH = 1e7
#: Digits that sums of this many numbers may lose, of the total.
_NOISE = 1e-12


@dataclass(frozen=True, slots=True)
class Choices:
    """Candidates of each slot (n × k): steps, cost in the objective (inf: not allowed), cash used, value, gain."""

    units: Floats
    objective: Floats
    used: Floats
    value: Floats
    gain: Floats


@dataclass(frozen=True, slots=True)
class Prices:
    """A point of the dual: a price of cash by pool, of value traded, of overseas gains."""

    cash: Floats
    value: float
    gain: float


@dataclass(frozen=True, slots=True)
class Dual:
    """The best bound found, its prices, each slot's best candidate there, and what every candidate loses against it.

    `whole`: whether nothing of the problem was left out, so that the bound is that of the problem itself.
    """

    bound: float
    prices: Prices
    best: Floats
    choices: Choices
    reduced: Floats
    whole: bool


def applies(problem: TradeProblem) -> bool:
    """Tell whether the dual covers the problem: one account, one slot a symbol."""
    symbols = problem.slots.symbol
    return (
        problem.size > 0
        and bool((problem.account == problem.account[0]).all())
        and len(np.unique(symbols)) == len(symbols)
    )


class Relaxation:
    """A problem with a price on what joins its trades; what joins them otherwise is left out."""

    def __init__(self, problem: TradeProblem) -> None:
        self.problem = problem
        rows = problem.rows
        exposed = np.bincount(rows.at, minlength=len(rows.value))
        alone = (exposed[rows.at] == 1) & (rows.share == 1.0)
        hinged = np.isin(np.arange(len(rows.value)), rows.hinges.row)
        joint = exposed > 1
        bounded = np.isfinite(rows.low) | np.isfinite(rows.high)
        self.whole = not bool((joint & hinged).any() or bounded.any()) and (
            problem.turnover is None and not problem.risk_caps and not problem.reaches
        )
        self._slot_of_row = np.full(len(rows.value), -1)
        self._slot_of_row[rows.at[alone]] = rows.slot[alone]
        fixed = np.flatnonzero(exposed == 0)
        part = np.isin(rows.hinges.row, fixed)
        self.constant = _value(rows.hinges, part, rows.value)
        self._kink, self._sign, self._weight = self._by_slot()
        self._before = np.zeros(problem.size)
        mine = np.flatnonzero(self._slot_of_row >= 0)
        # Several rows may be of one slot (a group of one member): they share its value through their kinks.
        self._before[self._slot_of_row[mine]] = rows.value[mine]
        self.choices = self._candidates()

    def _by_slot(self) -> tuple[Floats, Floats, Floats]:
        """Return kinks (as changes of value), signs and weights of each slot's hinges, n × m, padded with weight 0."""
        rows, hinges = self.problem.rows, self.problem.rows.hinges
        slot = self._slot_of_row[hinges.row]
        keep = np.flatnonzero(slot >= 0)
        keep = keep[np.argsort(slot[keep], kind="stable")]
        owner = slot[keep]
        first = np.searchsorted(owner, np.arange(self.problem.size))
        place = np.arange(len(keep)) - first[owner]
        width = int(place.max()) + 1 if len(place) else 0
        found = [np.zeros((self.problem.size, width)) for _ in range(3)]
        found[1] += 1.0
        found[0][owner, place] = hinges.kink[keep] - rows.value[hinges.row[keep]]
        found[1][owner, place] = hinges.sign[keep]
        found[2][owner, place] = hinges.weight[keep]
        return found[0], found[1], found[2]

    def value_at(self, units: Floats, slot: Ints | slice = slice(None)) -> Floats:
        """Return how far off the rows of slots end after trading `units` (slots × k)."""
        moved = units * self.problem.slots.price[slot][:, None]
        found = np.zeros_like(moved)
        for kink, sign, weight in zip(self._kink[slot].T, self._sign[slot].T, self._weight[slot].T, strict=True):
            if weight.any():
                found += weight[:, None] * np.maximum(sign[:, None] * (moved - kink[:, None]), 0.0)
        return found

    def _candidates(self) -> Choices:
        slots = self.problem.slots
        low, high = slots.low.astype(np.float64), slots.high.astype(np.float64)
        least_buy = np.minimum(slots.minimum_buy.astype(np.float64), np.maximum(high, 0.0))
        least_sell = np.minimum(slots.minimum_sell.astype(np.float64), -low)
        columns = [np.zeros_like(low), low, -least_sell, least_buy, high]
        marks = [kink / slots.price for kink, weight in zip(self._kink.T, self._weight.T, strict=True) if weight.any()]
        if (slots.fee_minimum > 0).any():
            with np.errstate(divide="ignore", invalid="ignore"):
                for sign, rate in (
                    (1.0, slots.buy_rate * slots.price),
                    (-1.0, slots.sell_rate * slots.price),
                    (-1.0, slots.gain),
                    (-1.0, slots.gain - slots.tax_rate * slots.price),
                ):
                    kink = slots.fee_minimum / rate
                    marks.append(sign * np.where(np.isfinite(kink), np.maximum(kink, 0.0), 0.0))
        for mark in marks:
            inside = (mark > low - 1) & (mark < high + 1)
            if not inside.any():
                continue
            for unit in (np.floor(mark + 1e-9), np.ceil(mark - 1e-9)):
                buy = np.clip(unit, least_buy, np.maximum(high, least_buy))
                sell = np.clip(unit, np.minimum(low, -least_sell), -least_sell)
                columns.append(np.where(inside, np.where(unit > 0, buy, sell), 0.0))
        return self.at(np.stack(columns, axis=1))

    def at(self, units: Floats) -> Choices:
        """Value candidates (n × k)."""
        problem, slots = self.problem, self.problem.slots
        charged = charges(problem, units)
        value = units * slots.price[:, None]
        traded = units != 0
        objective = (
            self.value_at(units)
            + charged.cost
            + problem.tax_weight * charged.withheld
            + (problem.order - slots.slack[:, None]) * traded
            + slots.dislike[:, None] * np.maximum(value, 0.0)
        )
        used = value + charged.cost + charged.withheld - slots.cash_slack[:, None] * traded
        left = value + slots.cash_slack[:, None] * traded
        return Choices(units, np.where(allowed(problem, units), objective, np.inf), used, left, charged.gain)

    def maximise(self) -> Dual | None:
        """Return the best dual bound, or None where even the cheapest choices leave the cash short of its reserves."""
        problem = self.problem
        best: tuple[float, Prices] | None = None
        weights = np.cumsum(problem.cash_above.weight[np.argsort(problem.cash_above.kink)])
        free = len(problem.cash) == 1 or problem.spread == 0
        exact = free and bool((self.choices.used == self.choices.value).all())
        for value_price in (0.0,) if exact else (0.0, *(-weights[:3]).tolist()):
            for tau in _directions(problem):
                found = self._along_cash(tau, value_price, 0.0, exact=exact)
                if found is not None and (best is None or found[0] > best[0]):
                    best = found
        if best is None:
            return None
        if problem.overseas_rate and (self.choices.gain > 0).any():
            best = self._with_gains(best, exact=exact)
        return self._dual(best[1], exact=exact)

    def _with_gains(self, best: tuple[float, Prices], *, exact: bool) -> tuple[float, Prices]:
        """Try prices on overseas gains, up to their tax rate."""
        for share in (1.0, 0.5, 0.25, 0.75):
            gain_price = share * self.problem.overseas_rate
            for tau in _directions(self.problem):
                found = self._along_cash(tau, best[1].value, gain_price, exact=exact)
                if found is not None and found[0] > best[0]:
                    best = found
        return best

    def _along_cash(
        self, tau: Floats, value_price: float, gain_price: float, *, exact: bool
    ) -> tuple[float, Prices] | None:
        """Maximise along the price of cash, all else fixed, by intersecting tangents: finitely many steps."""
        problem = self.problem
        stretch = problem.spread / (1.0 - problem.spread) if len(problem.cash) > 1 and problem.linked else 0.0

        def at(price: float) -> tuple[float, float]:
            cash = price + tau * stretch * (1.0 + price) if price >= 0 else np.full(len(problem.cash), price)
            prices = Prices(cash, value_price, gain_price)
            value, used = self._value(prices, exact=exact)
            slope_of = 1.0 + tau * stretch if price >= 0 else np.ones(len(problem.cash))
            return value, float(slope_of @ used)

        lowest = -1.0 if exact else 0.0
        highest = _peak(at, lowest)
        if highest is None:
            return None
        price = highest[0]
        cash = price + tau * stretch * (1.0 + price) if price >= 0 else np.full(len(problem.cash), price)
        return highest[1], Prices(cash, value_price, gain_price)

    def priced(self, choices: Choices, prices: Prices) -> Floats:
        """Return what candidates cost at the prices (n × k)."""
        found = choices.objective + prices.cash[self.problem.slots.pool][:, None] * choices.used
        if prices.value:
            found = found + prices.value * choices.value
        if prices.gain:
            found = found + prices.gain * choices.gain
        return found

    def _value(self, prices: Prices, *, exact: bool) -> tuple[float, Floats]:
        """Return the dual's value and, by pool, its slope: cash used and kept less cash there is."""
        problem, choices = self.problem, self.choices
        relaxed = self.priced(self.choices, prices)
        best = relaxed.argmin(axis=1)
        rows = np.arange(problem.size)
        used = np.bincount(problem.slots.pool, weights=choices.used[rows, best], minlength=len(problem.cash))
        level, kept = self._kept(prices, exact=exact)
        value = float(relaxed[rows, best].sum()) + kept - float(prices.cash @ problem.cash)
        value -= prices.value * float(problem.cash.sum()) + prices.gain * problem.allowance
        held = problem.reserve.copy()
        held[int(prices.cash.argmin())] += level - float(problem.reserve.sum())
        return value + self.constant, used + held - problem.cash

    def _kept(self, prices: Prices, *, exact: bool) -> tuple[float, float]:
        """Return the cash level that is best kept at these prices, and what keeping it comes to.

        min over C ≥ reserves of below(C) + λ·C, and over G of above(G) + μ·G: piecewise linear, so at their kinks.
        """
        problem = self.problem
        reserve, price = float(problem.reserve.sum()), float(prices.cash.min())
        fixed = float(prices.cash @ problem.reserve) - price * reserve
        # No plan holds more than everything there is.
        most = max(float(problem.cash.sum()) + float(-(problem.slots.low * problem.slots.price).sum()), reserve)
        below, above = problem.cash_below, problem.cash_above
        levels = np.unique(np.clip(np.concatenate([[reserve, most], below.kink, above.kink]), reserve, most))
        both = _at(below, levels) + price * levels + (_at(above, levels) if exact else 0.0)
        place = int(both.argmin())
        kept = float(both[place]) + fixed
        if not exact:
            ends = np.concatenate([[0.0, most + float(problem.slots.cash_slack.sum())], above.kink])
            kept += float((_at(above, ends) + prices.value * ends).min())
        return float(levels[place]), kept

    def _dual(self, prices: Prices, *, exact: bool) -> Dual:
        relaxed = self.priced(self.choices, prices)
        best = relaxed.argmin(axis=1)
        rows = np.arange(self.problem.size)
        value, _ = self._value(prices, exact=exact)
        bound = value - _NOISE * self.problem.total - self.problem.rounding
        reduced = relaxed - relaxed[rows, best][:, None]
        return Dual(bound, prices, self.choices.units[rows, best], self.choices, reduced, self.whole)


def _value(hinges: Hinges, part: np.ndarray, x: Floats) -> float:
    kink, sign, weight = hinges.kink[part], hinges.sign[part], hinges.weight[part]
    return float((weight * np.maximum(sign * (x[hinges.row[part]] - kink), 0.0)).sum())


def _at(hinges: Hinges, levels: Floats) -> Floats:
    terms = hinges.weight[:, None] * np.maximum(hinges.sign[:, None] * (levels[None, :] - hinges.kink[:, None]), 0.0)
    return np.asarray(terms.sum(axis=0), dtype=np.float64)


def _directions(problem: TradeProblem) -> list[Floats]:
    """Return the patterns tried: all currencies alike, and each dearer or cheaper than the rest."""
    pools = len(problem.cash)
    ones = np.ones(pools)
    found = [0.0 * ones]
    if pools == 1 or not problem.linked or problem.spread == 0:
        return found
    for index in range(pools):
        one = np.zeros(pools)
        one[index] = 1.0
        found += [one, ones - one] if pools > 2 else [one]
    return [*found, *(0.5 * tau for tau in found[1:])]


def _peak(at: Callable[[float], tuple[float, float]], low: float) -> tuple[float, float] | None:
    """Return (x, value) at the peak of a concave, piecewise linear function from `low` up; None where it only rises."""
    value_low, slope_low = at(low)
    if slope_low <= 0:
        return low, value_low
    high = max(low + 0.5, 0.25)
    value_high, slope_high = at(high)
    while slope_high > 0:
        low, value_low, slope_low = high, value_high, slope_high
        if high > _HIGHEST_PRICE_OF_CASH:
            return None
        high = high * 2 + 1
        value_high, slope_high = at(high)
    for _ in range(_ROUNDS):
        if slope_low - slope_high <= 1e-300:
            break
        middle = (value_high - value_low + slope_low * low - slope_high * high) / (slope_low - slope_high)
        if not low < middle < high:
            break
        value, slope = at(middle)
        ceiling = value_low + slope_low * (middle - low)
        if slope > 0:
            low, value_low, slope_low = middle, value, slope
        else:
            high, value_high, slope_high = middle, value, slope
        if value >= ceiling - 1e-13 * abs(ceiling):
            break
    return (low, value_low) if value_low >= value_high else (high, value_high)


@dataclass(frozen=True, slots=True)
class Range:
    """What of each slot's trades may be in a plan better than the best: steps, and whether not trading may."""

    low: Ints
    high: Ints
    minimum_buy: Ints
    minimum_sell: Ints
    idle: np.ndarray

    def decided(self) -> np.ndarray:
        """Tell which slots have one trade left."""
        none = (self.low == 0) & (self.high == 0)
        bought = ~self.idle & (self.low == 0) & (self.high > 0) & (self.minimum_buy >= self.high)
        sold = ~self.idle & (self.high == 0) & (self.low < 0) & (self.minimum_sell >= -self.low)
        return np.asarray(none | bought | sold, dtype=np.bool_)

    def value(self) -> Ints:
        """Return the one trade of the slots that are decided."""
        return self.low + self.high


def survivors(problem: TradeProblem, dual: Dual, gap: float) -> Range:
    """Return what may be in a plan that is no more than `gap` above the bound: the rest loses more than that by itself.

    What a trade loses is convex on each side of no trade and straight between candidates, so that the ends are exact.
    """
    slots, units = problem.slots, dual.choices.units
    low, high = slots.low.copy(), slots.high.copy()
    buy, sell = slots.minimum_buy.copy(), slots.minimum_sell.copy()
    idle = np.zeros(problem.size, dtype=np.bool_)
    close = dual.reduced <= gap
    idle = ((units == 0) & close).any(axis=1)
    for slot in range(problem.size):
        for sign in (1.0, -1.0):
            side = np.flatnonzero((sign * units[slot] > 0) & np.isfinite(dual.reduced[slot]))
            ends = _ends(sign * units[slot][side], dual.reduced[slot][side], gap)
            if sign > 0:
                high[slot] = 0 if ends is None else ends[1]
                buy[slot] = buy[slot] if ends is None else max(ends[0], int(buy[slot]))
            else:
                low[slot] = 0 if ends is None else -ends[1]
                sell[slot] = sell[slot] if ends is None else max(ends[0], int(sell[slot]))
    return Range(low, high, buy, sell, idle)


def _ends(units: Floats, lost: Floats, gap: float) -> tuple[int, int] | None:
    """Return the least and the most steps that lose no more than `gap`, of convex losses; None where none do."""
    order = np.argsort(units)
    units, lost = units[order], lost[order]
    inside = np.flatnonzero(lost <= gap)
    if not len(inside):
        return None
    first, last = int(inside[0]), int(inside[-1])
    low, high = units[first], units[last]
    if first and lost[first - 1] > lost[first]:
        low -= (gap - lost[first]) / (lost[first - 1] - lost[first]) * (low - units[first - 1])
    if last + 1 < len(units) and lost[last + 1] > lost[last]:
        high += (gap - lost[last]) / (lost[last + 1] - lost[last]) * (units[last + 1] - high)
    return int(np.ceil(low - 1e-6)), int(np.floor(high + 1e-6))
