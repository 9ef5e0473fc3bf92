"""What each symbol may end at, over all its accounts, in a plan whose bound is within reach.

Accounts interact only through each symbol's total and through their own cash. For a total N of a symbol, the split over
the accounts costs least where all but one trade lie at breakpoints of their own account, so one pass over a short list
gives, for every total, the least fees, the least cost at the dual prices, and the least use of what is scarce.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from engine.trades.columns import edges_of
from engine.trades.master import Prices, Relaxed
from engine.trades.problem import Floats, Ints, Problem

#: Totals times splits to be valued for one symbol: beyond it (very cheap units), there are too many.
MOST = 1_000_000
_CLOSE = 1e-9
#: Rows charged, at most.
_ROWS = 8


@dataclass(frozen=True, slots=True)
class Totals:
    """List one symbol's totals in units, each with bounds on what it brings, over every split of it.

    `reduced` beyond the symbol's best at the dual prices; `deviation` with the least fees; `cash` used, with those
    fees; `charges` (totals × rows) for what accounts share, see `Charges`.
    """

    symbol: int
    units: Floats
    reduced: Floats
    deviation: Floats
    cash: Floats
    charges: Floats


@dataclass(frozen=True, slots=True)
class Charges:
    """Hold rows of rates that every plan keeps in all: `pool` on cash used, `value` and `turnover` on value traded.

    The first row is charged at the dual prices. The others join accounts: what they use together is at most what they
    have together; of an account with a risk cap that always holds, either its cash counts or the room under its cap.
    """

    pool: Floats
    value: Floats
    turnover: Floats
    limit: Floats


@dataclass(frozen=True, slots=True)
class _Legs:
    """Value trades of one slot (any shape): fees, priced cost, value, and the smallest whole purchase in them.

    `purchase` is inf where nothing is bought, and −1 where what is bought could be one unit less.
    """

    fees: Floats
    priced: Floats
    value: Floats
    purchase: Floats


class Splits:
    """Value every total of every symbol at given dual prices."""

    def __init__(self, problem: Problem, relaxed: Relaxed) -> None:
        self._problem = problem
        self._prices = relaxed.prices
        self._groups = [np.flatnonzero(problem.symbol == symbol) for symbol in relaxed.symbols.tolist()]
        self._least = relaxed.least
        self._symbols = relaxed.symbols
        self.charges = charges_of(problem, relaxed.prices)

    def within(self, reach: float) -> list[Totals] | None:
        """Return the totals of every symbol with a reduced cost within reach, or None where they are too many."""
        found = []
        for place in range(len(self._symbols)):
            totals = self._of(place, reach)
            if totals is None:
                return None
            found.append(totals)
        return found

    def _of(self, place: int, reach: float) -> Totals | None:
        problem, slots = self._problem, self._groups[place].tolist()
        symbol, price = int(self._symbols[place]), float(problem.price[slots[0]])
        shortfall = float(problem.shortfall[symbol])
        edges = [edges_of(problem, slot) for slot in slots]
        at_edges = [self._legs(slot, points) for slot, points in zip(slots, edges, strict=True)]
        first, last = self._window(place, edges, at_edges, reach)
        ways = max(int(np.prod([len(points) for points in edges])), 1)
        if (last - first + 1) * ways > MOST:
            return None
        units = np.arange(first, last + 1, dtype=np.float64)
        fees, priced, charges = self._best_splits(slots, edges, at_edges, units, shortfall / price)
        deviation = np.abs(shortfall - price * units)
        reduced = deviation + priced - self._least[place]
        near = np.flatnonzero(reduced <= reach)
        cash = (price * units + fees)[near]
        return Totals(
            symbol, units[near], np.maximum(reduced[near], 0.0), (deviation + fees)[near], cash, charges[near]
        )

    def _best_splits(
        self, slots: list[int], edges: list[Floats], at_edges: list[_Legs], units: Floats, target: float
    ) -> tuple[Floats, Floats, Floats]:
        """Return the least fees, priced cost and charges (totals × rows) over the splits of each total."""
        fees, priced = np.full(len(units), np.inf), np.full(len(units), np.inf)
        charges = np.full((len(units), len(self.charges.limit)), np.inf)
        over = np.zeros(len(units), dtype=bool) if self._held_up(slots[0]) else units - 1 >= target - _CLOSE
        for place, slot in enumerate(slots):
            others = [other for other in range(len(slots)) if other != place]
            ways = list(itertools.product(*(range(len(edges[other])) for other in others)))
            numbers = np.array(ways, dtype=np.int64).reshape(len(ways), len(others)).T
            rest = [_at(at_edges[other], number) for other, number in zip(others, numbers, strict=True)]
            taken = sum(
                (edges[other][number] for other, number in zip(others, numbers, strict=True)), np.zeros(len(ways))
            )
            own = self._legs(slot, units[:, None] - taken[None, :])
            purchase = np.minimum.reduce(
                [own.purchase, *(np.broadcast_to(leg.purchase, own.fees.shape) for leg in rest)]
            )
            needless = over[:, None] & (units[:, None] - purchase >= target - _CLOSE)
            fee = np.where(needless, np.inf, own.fees + sum(leg.fees for leg in rest))
            possible = np.isfinite(fee)
            fees = np.minimum(fees, fee.min(axis=1))
            priced = np.minimum(
                priced, np.where(possible, own.priced + sum(leg.priced for leg in rest), np.inf).min(axis=1)
            )
            for row in range(charges.shape[1]):
                charge = self._charge(row, slot, own)
                for other, leg in zip(others, rest, strict=True):
                    charge = charge + self._charge(row, slots[other], leg)
                charges[:, row] = np.minimum(charges[:, row], np.where(possible, charge, np.inf).min(axis=1))
        return fees, priced, charges

    def _held_up(self, slot: int) -> bool:
        """Tell whether a joint minimum may call for more of the symbol than its target."""
        symbol = self._problem.symbol[slot]
        return any(np.isfinite(group.low) and symbol in group.symbols for group in self._problem.groups)

    def _legs(self, slot: int, units: Floats) -> _Legs:
        problem, prices = self._problem, self._prices
        flat, own = units.reshape(-1, 1), np.full(units.size, slot)
        allowed = problem.allowed(flat, own).reshape(units.shape)
        fees = problem.cost(flat, own).reshape(units.shape)
        value, pool = units * problem.price[slot], problem.pool[slot]
        joint = prices.value[slot] * value + prices.turnover * np.abs(value)
        priced = fees + (prices.pool[pool] + prices.level) * (value + fees) + joint
        smallest = np.where(units <= problem.minimum[slot], units, -1.0)
        purchase = np.where(allowed & (units > 0), smallest, np.inf)
        return _Legs(np.where(allowed, fees, np.inf), np.where(allowed, priced, np.inf), value, purchase)

    def _charge(self, row: int, slot: int, legs: _Legs) -> Floats:
        rates = self.charges
        pool = rates.pool[row, self._problem.pool[slot]]
        joint = rates.value[row, slot] * legs.value + rates.turnover[row] * np.abs(legs.value)
        return np.asarray(pool * (legs.value + np.where(np.isfinite(legs.fees), legs.fees, 0.0)) + joint)

    def _window(self, place: int, edges: list[Floats], at_edges: list[_Legs], reach: float) -> tuple[int, int]:
        """Return the least and the most units that can have a reduced cost within reach.

        For any θ, priced cost ≥ θ·value + the sum over the accounts of the least of what is left, so the deviation
        bounds the total on either side.
        """
        problem, slots = self._problem, self._groups[place]
        price = float(problem.price[slots[0]])
        shortfall = float(problem.shortfall[self._symbols[place]])
        target = shortfall / price
        first, last = float(problem.low[slots].sum()), float(problem.high[slots].sum())
        if not self._held_up(int(slots[0])):
            last = min(last, max(0.0, np.floor(target + float(problem.minimum[slots].max()) + 1.0)))
        most = float(self._least[place]) + reach
        for slope in self._slopes(slots).tolist():
            rest = sum(
                float((legs.priced - slope * price * points).min())
                for points, legs in zip(edges, at_edges, strict=True)
            )
            if slope > -1.0 + _CLOSE:
                last = min(last, max((most + shortfall - rest) / (price * (1.0 + slope)), target) + 1.0)
            if slope < 1.0 - _CLOSE:
                first = max(first, min((shortfall + rest - most) / (price * (1.0 - slope)), target) - 1.0)
        return int(np.floor(first)), int(np.ceil(last))

    def _slopes(self, slots: Ints) -> Floats:
        problem, prices = self._problem, self._prices
        cash = prices.pool[problem.pool[slots]] + prices.level
        buying = problem.buy_rate[slots]
        selling = problem.sell_rate[slots] + problem.tax_rate[slots]
        bought = buying + cash * (1.0 + buying) + prices.value[slots] + prices.turnover
        sold = -selling + cash * (1.0 - selling) + prices.value[slots] - prices.turnover
        return np.unique(np.concatenate([bought, sold, [0.0]]))


def _at(legs: _Legs, number: Ints) -> _Legs:
    return _Legs(legs.fees[number], legs.priced[number], legs.value[number], legs.purchase[number])


def charges_of(problem: Problem, prices: Prices) -> Charges:
    """Return the rows to charge: at the dual prices, and one for each way of joining some of the accounts.

    Where an account's currencies convert into each other, one may count for less than another by the spread at most:
    then conversion does not add to what they count for together.
    """
    accounts = np.unique(problem.account).tolist()
    scarce, worth = prices.pool.copy(), np.ones_like(prices.pool)
    if problem.linked:
        for account in accounts:
            inside = problem.account == account
            highest = float(prices.pool[inside].max())
            scarce[inside] = np.maximum(prices.pool[inside], (1.0 - problem.spread) * highest)
            worth[inside] = scarce[inside] / highest if highest > _CLOSE else 1.0
    available = problem.cash - problem.reserve
    pool, value, turnover = [scarce], [prices.value], [prices.turnover]
    limit = [float(scarce @ available) + prices.limit]
    caps = {cap.account: cap for cap in problem.risk_caps if cap.always}
    for ways in itertools.product(*(("none", "cash", "cap") if a in caps else ("none", "cash") for a in accounts)):
        if len(pool) > _ROWS:
            break
        cash = np.isin(problem.account, [a for a, way in zip(accounts, ways, strict=True) if way == "cash"])
        capped = [caps[a] for a, way in zip(accounts, ways, strict=True) if way == "cap"]
        if "none" not in ways or not (cash.any() or capped):
            continue
        pool.append(cash * worth)
        value.append(
            np.isin(np.arange(problem.size), [slot for cap in capped for slot in cap.slots]).astype(np.float64)
        )
        turnover.append(0.0)
        limit.append(float(pool[-1] @ available) + sum(cap.room for cap in capped))
    return Charges(np.array(pool), np.array(value), np.array(turnover), np.array(limit))
