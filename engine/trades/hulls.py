"""The prices of a problem over several accounts: each symbol is decided by itself, over all its accounts at once.

What joins symbols (the cash of every pool, gross cash, overseas gains, rows over several symbols, turnover) gets a
price. A symbol's trades are then a choice among options: a number of steps in each of its slots. Its measure is convex
in their sum, every slot's own cost is convex on each side of no trade, so the least cost over whole steps stands at an
option where all slots but one are at an end of their own (none, least, most, the kink of a ticket fee) and the last one
is too, or brings the sum to a kink of the measure. Those are listed once; prices only weigh them.

The best prices are those of a linear program that mixes options of each symbol (weights adding up to 1) within what
joins them: its columns are added where they are worth something, until none is (column generation). Any prices give a
bound; it is computed from them alone, so that no tolerance of the linear program reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import product
from typing import Any, Protocol

import numpy as np

from engine.trades.problem import Bools, Floats, Hinges, Ints, Slots, TradeProblem, allowed, charges, most_paid

_SCALE = 1e6
#: What a linear program pays for a unit that a rule lacks: more than any plan could save by it.
_LACKING = 1e3
#: Rounds of column generation, options added for a symbol in each, and the distance that ends it, of the bound.
_ROUNDS, _ADDED, NEAR = 60, 3, 1e-7
#: Options that are weighed for a symbol at most, and over all; beyond, the prices are left out.
_MOST_OF_ONE, _MOST = 30_000, 600_000
#: Broken risk caps of which it is told apart whether a plan mends them.
_BROKEN = 3
#: Digits that sums of many numbers may lose, of the total.
NOISE = 1e-12


@dataclass(frozen=True, slots=True)
class Options:
    """What symbols may do, m of them: whose it is, steps by place among its slots, cost, and what it takes.

    `amounts` (m × r): cash used by pool, value traded, overseas gain, turnover, change of every joint row, and for each
    risk cap what is bought of risk assets, and their change with the cap's share of what is paid. `cost` is all else in
    the objective: how far off the symbol ends, charges, the worth of its orders.
    """

    owner: Ints
    units: Floats
    cost: Floats
    amounts: Floats

    def of(self, which: Ints | Bools) -> Options:
        """Return some of them."""
        return Options(*(getattr(self, name.name)[which] for name in fields(self)))


@dataclass(frozen=True, slots=True)
class HullDual:
    """A bound that no plan can be below, with its prices (of a unit of each of the amounts) and the least by owner."""

    bound: float
    prices: Floats
    least: Floats

    def lost(self, options: Options) -> Floats:
        """Return what options lose against the best of their symbol at the prices."""
        return np.asarray(options.cost - options.amounts @ self.prices - self.least[options.owner])


@dataclass(frozen=True, slots=True)
class Case:
    """Options of some plans, with the prices that are best for those, and the risk caps (by place) that they mend."""

    options: Options
    dual: HullDual
    kept: frozenset[int]


class Hulls:
    """The symbols of a problem with all their options, and what joins them. `fits` tells whether they are not too many.

    `slots` (symbols × places) are each symbol's slots, −1 where it has fewer; `price` is that of a step.
    """

    def __init__(self, problem: TradeProblem) -> None:
        self.problem = problem
        symbol = problem.slots.symbol
        names, owner, count = np.unique(symbol, return_inverse=True, return_counts=True)
        self.symbols, self.width = names, int(count.max(initial=0))
        order = np.argsort(owner, kind="stable")
        first = np.cumsum(count) - count
        self.slots = np.full((len(names), self.width), -1)
        self.slots[owner[order], np.arange(len(order)) - first[owner[order]]] = order
        self.price = problem.slots.price[order[first]] if len(names) else np.zeros(0)
        self._own_rows(owner)
        self._marks = [self._ends(slot) for slot in range(problem.size)]
        raw = [self._raw(one) for one in range(len(names))]
        self.fits = max(raw, default=0) <= _MOST_OF_ONE and sum(raw) <= 20 * _MOST
        self.options = self._list_all() if self.fits else self._none()
        self.fits &= len(self.options.owner) <= _MOST

    def _own_rows(self, owner: Ints) -> None:
        """Tell rows that are one symbol's alone from those that join several; keep the hinges of the former by symbol.

        A row is a symbol's own where it is the value of the symbol in all its slots.
        """
        problem, rows = self.problem, self.problem.rows
        count = np.bincount(rows.at, minlength=len(rows.value))
        whose = owner[rows.slot]
        lowest = np.full(len(rows.value), len(self.symbols))
        highest = np.full(len(rows.value), -1)
        np.minimum.at(lowest, rows.at, whose)
        np.maximum.at(highest, rows.at, whose)
        whole = np.ones(len(rows.value), dtype=np.bool_)
        np.logical_and.at(whole, rows.at, rows.share == 1.0)
        sizes = (self.slots >= 0).sum(axis=1)
        single = (count > 0) & (lowest == highest) & whole
        single[single] = count[single] == sizes[lowest[single]]
        self._own = np.where(single, lowest, -1)
        bounded = np.isfinite(rows.low) | np.isfinite(rows.high)
        hinged = np.isin(np.arange(len(rows.value)), rows.hinges.row)
        self.joint = np.flatnonzero((count > 0) & ~single & (bounded | hinged))
        idle = count[rows.hinges.row] == 0
        self.constant = _sum(rows.hinges, idle, rows.value) + problem.spent - problem.forgiven
        keep = np.flatnonzero(self._own[rows.hinges.row] >= 0)
        keep = keep[np.argsort(self._own[rows.hinges.row[keep]], kind="stable")]
        self._hinge_owner = self._own[rows.hinges.row[keep]]
        self._kink = rows.hinges.kink[keep] - rows.value[rows.hinges.row[keep]]
        self._sign, self._weight = rows.hinges.sign[keep], rows.hinges.weight[keep]
        self._first = np.searchsorted(self._hinge_owner, np.arange(len(self.symbols) + 1))
        # Bounds of a symbol's own rows, as changes of its value.
        self._reach = np.tile([-np.inf, np.inf], (len(self.symbols), 1))
        for row in np.flatnonzero(single & bounded).tolist():
            low, high = rows.low[row] - rows.value[row], rows.high[row] - rows.value[row]
            mine = self._reach[self._own[row]]
            mine[:] = max(mine[0], low), min(mine[1], high)

    def _ends(self, slot: int) -> Floats:
        """Return the ends of a slot's own trades, in steps: none, least, most, full, and where a ticket fee ends."""
        slots = self.problem.slots
        low, high = int(slots.low[slot]), int(slots.high[slot])
        found = [0.0]
        least = int(slots.minimum_buy[slot])
        kinks: list[float] = []
        if slots.fee_minimum[slot] > 0:
            sale = slots.gain[slot] - slots.tax_rate[slot] * slots.price[slot]
            rates = (slots.buy_rate[slot] * slots.price[slot], slots.sell_rate[slot] * slots.price[slot])
            for sign, rate in ((1, rates[0]), (-1, rates[1]), (-1, slots.gain[slot]), (-1, sale)):
                if rate > 0 and (kink := float(slots.fee_minimum[slot] / rate)) < max(high, -low):
                    kinks += [sign * np.floor(kink), sign * np.ceil(kink)]
        if 0 < least <= high:
            found += [least, high, *(kink for kink in kinks if least < kink < high)]
        if low < 0:
            least = int(slots.minimum_sell[slot])
            if slots.full[slot] or -low >= least:
                found.append(low)
            if -low >= least:
                found += [-least, *(kink for kink in kinks if low < kink < -least)]
        return np.unique(np.array(found, dtype=np.float64))

    def _raw(self, one: int) -> int:
        """Return how many options of a symbol are weighed."""
        counts = [len(self._marks[slot]) for slot in self.slots[one] if slot >= 0]
        kinks = 2 * int(self._first[one + 1] - self._first[one]) + 5
        return sum(int(np.prod(counts)) // count * (kinks + count) for count in counts)

    def _none(self) -> Options:
        none = np.zeros(0)
        return Options(none.astype(np.int64), np.zeros((0, self.width)), none, np.zeros((0, 1)))

    def _list_all(self) -> Options:
        listed = [self._listed(one) for one in range(len(self.symbols))]
        owner = np.repeat(np.arange(len(listed)), [len(units) for units in listed])
        units = np.concatenate(listed) if listed else np.zeros((0, self.width))
        return self.worth(owner, units, loose=True)

    def _listed(self, one: int) -> Floats:
        """Return a symbol's options (k × width) at the ends."""
        problem = self.problem
        mine = self.slots[one][self.slots[one] >= 0]
        low, high = (float(side[self.symbols[one]]) for side in (problem.net_low, problem.net_high))
        kinks = self._kink[self._first[one] : self._first[one + 1]] / self.price[one]
        least, most = np.clip(self._reach[one] / self.price[one], low, high)
        ends = [0.0, low, high, np.ceil(least - 1e-9), np.floor(most + 1e-9)]
        sums = np.concatenate([np.floor(kinks + 1e-9), np.ceil(kinks - 1e-9), ends])
        sums = np.unique(sums[(sums >= low) & (sums <= high)])
        marks = [self._marks[slot] for slot in mine.tolist()]
        found = []
        for free, own in enumerate(marks):
            others = [mark for place, mark in enumerate(marks) if place != free]
            combined = list(product(*others))
            grid = np.array(combined, dtype=np.float64).reshape(len(combined), len(others))
            last = np.concatenate([sums - grid.sum(axis=1)[:, None], np.tile(own, (len(grid), 1))], axis=1)
            rows = np.repeat(grid, last.shape[1], axis=0)
            found.append(np.insert(rows, free, last.ravel(), axis=1))
        units = np.zeros((sum(len(part) for part in found), self.width))
        units[:, : len(mine)] = np.concatenate(found)
        return np.unique(units[self.allowed(np.full(len(units), one), units)], axis=0)

    def allowed(self, owner: Ints, units: Floats) -> Bools:
        """Tell which options keep the rules of their slots and their symbol."""
        problem = self.problem
        symbol, net = self.symbols[owner], units.sum(axis=1)
        keep = (net >= problem.net_low[symbol]) & (net <= problem.net_high[symbol])
        moved, slack = net * self.price[owner], 1e-9 * problem.total
        keep &= (moved >= self._reach[owner, 0] - slack) & (moved <= self._reach[owner, 1] + slack)
        places = self.slots[owner]
        keep &= ((places >= 0) | (units == 0)).all(axis=1)
        row, place = np.nonzero((units != 0) & keep[:, None])
        inner = allowed(_taken(problem, places[row, place]), units[row, place])
        return np.asarray(keep & (np.bincount(row[~inner], minlength=len(keep)) == 0), dtype=np.bool_)

    def worth(self, owner: Ints, units: Floats, *, loose: bool) -> Options:
        """Value options; `loose` grants every order what rounding to the smallest unit may save it."""
        problem = self.problem
        slots, places = problem.slots, self.slots[owner]
        inner, flat = _taken(problem, places.ravel()), units.ravel()
        charged = charges(inner, flat)
        traded = flat != 0
        value = flat * inner.slots.price
        less = inner.slots.slack * traded if loose else 0.0
        cash = inner.slots.cash_slack * traded if loose else np.zeros(len(flat))
        cost = charged.cost + problem.tax_weight * charged.withheld + problem.order * traded - less
        cost = cost + inner.slots.dislike * np.maximum(value, 0.0)
        used = value + charged.cost + charged.withheld - cash
        pools = len(problem.cash)
        amounts = np.zeros((len(owner), pools + 3 + len(self.joint) + 2 * len(problem.risk_caps)))
        row = np.repeat(np.arange(len(owner)), self.width)
        np.add.at(amounts, (row, inner.slots.pool), used)
        amounts[:, pools] = (value + cash).reshape(units.shape).sum(axis=1)
        amounts[:, pools + 1] = charged.gain.reshape(units.shape).sum(axis=1)
        amounts[:, pools + 2] = np.abs(value).reshape(units.shape).sum(axis=1)
        for place, joint in enumerate(self.joint.tolist()):
            share = np.zeros(len(slots.price))
            mine = problem.rows.at == joint
            np.add.at(share, problem.rows.slot[mine], problem.rows.share[mine])
            amounts[:, pools + 3 + place] = (share[places] * value.reshape(units.shape)).sum(axis=1)
        paid = charged.cost + charged.withheld
        for place, cap in enumerate(problem.risk_caps):
            risky = np.isin(places, cap.slots).ravel()
            inside = (problem.account[inner.slots.pool] == cap.account) & traded
            column = self.risk_column(place)
            amounts[:, column] = (risky * np.maximum(value, 0.0)).reshape(units.shape).sum(axis=1)
            change = risky * value + cap.cap * inside * (paid - cash)
            amounts[:, column + 1] = change.reshape(units.shape).sum(axis=1)
        total = cost.reshape(units.shape).sum(axis=1) + self._off(owner, units.sum(axis=1) * self.price[owner])
        return Options(owner, units, total, amounts)

    def _off(self, owner: Ints, moved: Floats) -> Floats:
        """Return how far off symbols' own rows end."""
        found = np.zeros(len(owner))
        start, count = self._first[owner], np.diff(self._first)[owner]
        for place in range(int(count.max(initial=0))):
            has = np.flatnonzero(count > place)
            at = start[has] + place
            found[has] += self._weight[at] * np.maximum(self._sign[at] * (moved[has] - self._kink[at]), 0.0)
        return found

    def maximise(self, options: Options | None = None, kept: frozenset[int] = frozenset()) -> HullDual | None:
        """Return the best bound and its prices, over all options or some of each symbol; None where there are none.

        `kept` are risk caps (by place) that hold after trading, whatever is bought.
        """
        chosen = self.options if options is None else options
        if not len(chosen.owner) or len(np.unique(chosen.owner)) < len(self.symbols):
            return None
        return Master(self, chosen, kept).solve()

    def cases(self) -> list[Case]:
        """Return the best prices, the least bound first: where a risk cap is broken, of who mends it and who does not.

        Who does not may buy no risk assets there; prices for both would mix the two.
        """
        caps = self.problem.risk_caps
        broken = [place for place, cap in enumerate(caps) if cap.held > cap.cap * cap.account_value][:_BROKEN]
        found = []
        for mended in product((False, True), repeat=len(broken)):
            some = np.ones(len(self.options.owner), dtype=np.bool_)
            for place, is_mended in zip(broken, mended, strict=True):
                if not is_mended:
                    some &= self.options.amounts[:, self.risk_column(place)] <= 0
            options = self.options.of(some) if broken else self.options
            kept = frozenset(place for place, is_mended in zip(broken, mended, strict=True) if is_mended)
            if (dual := self.maximise(options, kept)) is not None:
                found.append(Case(options, dual, kept))
        return sorted(found, key=lambda case: case.dual.bound)

    def risk_column(self, place: int) -> int:
        """Return which amount says what is bought of a risk cap's assets; the next one is their change."""
        return len(self.problem.cash) + 3 + len(self.joint) + 2 * place

    def near(self, nets: Mapping[int, int], window: float) -> Bools:
        """Tell which options trade what `nets` says of their symbol over all accounts, or not much else (in money)."""
        sums = self.options.units.sum(axis=1)
        wanted = np.array([float(nets.get(symbol, 0)) for symbol in self.symbols.tolist()])
        apart = np.abs(sums - wanted[self.options.owner])
        keep = apart * self.price[self.options.owner] <= window + 1e-9 * self.problem.total
        first = np.searchsorted(self.options.owner, np.arange(len(self.symbols)))
        nearest = np.minimum.reduceat(apart, first)
        return np.asarray(keep | (apart == nearest[self.options.owner]))

    def survivors(self, cases: Iterable[Case], most: float) -> tuple[Ints, Ints, Bools]:
        """Return each slot's least and most steps, and whether not trading it may be, in plans of at most `most`.

        A way to trade a slot (or not to) that loses more with the best of everything else is in no such plan.
        """
        slots = self.problem.slots
        low, high = np.zeros(self.problem.size, dtype=np.int64), np.zeros(self.problem.size, dtype=np.int64)
        idle = np.zeros(self.problem.size, dtype=np.bool_)
        for case in cases:
            near = case.options.of(case.dual.lost(case.options) <= most - case.dual.bound)
            for place in range(self.width):
                at, steps = self.slots[near.owner, place], near.units[:, place]
                for found, way in ((low, steps < 0), (high, steps > 0)):
                    mine = np.unique(at[way])
                    found[mine] = (slots.low if found is low else slots.high)[mine]
                idle[at[(steps == 0) & (at >= 0)]] = True
        return low, high, idle


def _taken(problem: TradeProblem, places: Ints) -> TradeProblem:
    """Return the problem of slots listed in any order, as often as they are listed (−1: any)."""
    slots = Slots(**{field.name: getattr(problem.slots, field.name)[places] for field in fields(Slots)})
    return replace(problem, slots=slots)


def _sum(hinges: Hinges, part: Bools, x: Floats) -> float:
    kink, sign, weight = hinges.kink[part], hinges.sign[part], hinges.weight[part]
    return float((weight * np.maximum(sign * (x[hinges.row[part]] - kink), 0.0)).sum())


@dataclass(slots=True)
class _Row:
    """A row of what joins symbols: its bounds, its coefficients of the amounts, and of columns of its own."""

    low: float
    high: float
    amounts: dict[int, float]
    columns: dict[int, float] = field(default_factory=dict)


class Owners(Protocol):
    """Whose options are mixed: the symbols of a problem (or what else is decided by itself), and what joins them."""

    problem: TradeProblem
    symbols: Ints
    joint: Ints
    constant: float

    def risk_column(self, place: int) -> int:
        """Return which amount says what is bought of a risk cap's assets; the next one is their change."""


class Master:
    """The linear program over options: one of each symbol, mixed, within what joins them."""

    def __init__(self, hulls: Owners, options: Options, kept: frozenset[int]) -> None:
        self._hulls, self._options, self._problem, self._kept = hulls, options, hulls.problem, kept
        self._money = _SCALE / hulls.problem.total
        self._first = np.searchsorted(options.owner, np.arange(len(hulls.symbols)))
        #: Columns of its own: (least, most, cost); money of the scale.
        self._columns: list[tuple[float, float, float]] = []
        self._rows: list[_Row] = []
        self._join()
        self._weights = np.zeros((options.amounts.shape[1], len(self._rows)))
        for number, row in enumerate(self._rows):
            for amount, value in row.amounts.items():
                self._weights[amount, number] += value

    def _column(self, least: float, most: float, cost: float) -> int:
        self._columns.append((least, most, cost))
        return len(self._columns) - 1

    def _join(self) -> None:
        """Write what joins symbols: pools and conversions, cash against its target, gains, joint rows, turnover."""
        problem, money = self._problem, self._money
        pools, slots = len(problem.cash), problem.slots
        granted = np.zeros(pools) if problem.granted is None else problem.granted
        cash = (problem.cash + granted) * money
        # No plan holds more than everything there is.
        raised = float(-(slots.low * slots.price).sum() + slots.cash_slack.sum()) * money
        most = float(np.maximum(cash, 0.0).sum()) + raised + float(np.abs(problem.reserve).sum()) * money + 1.0
        kept = [self._column(float(least), most + abs(float(least)), 0.0) for least in problem.reserve * money]
        for pool in range(pools):
            lacking = self._column(0.0, 2 * most + abs(float(cash[pool])), _LACKING)
            self._rows.append(_Row(cash[pool], cash[pool], {pool: 1.0}, {kept[pool]: 1.0, lacking: -1.0}))
        for give in range(pools):
            for take in range(pools):
                if problem.linked and give != take and problem.account[give] == problem.account[take]:
                    column = self._column(0.0, most, problem.spread)
                    self._rows[give].columns[column] = 1.0
                    self._rows[take].columns[column] = -(1.0 - problem.spread)
        before = float(problem.cash.sum() - granted.sum()) * money
        self._beyond(problem.cash_above, before, {pools: 1.0}, {})
        self._beyond(problem.cash_below, 0.0, {}, dict.fromkeys(kept, 1.0))
        if problem.overseas_rate:
            gains = self._options.amounts[:, pools + 1]
            largest = np.maximum.reduceat(gains, self._first).clip(0.0).sum() * money
            floor = -problem.allowance * money
            taxed = self._column(0.0, float(largest) + abs(floor) + 1.0, problem.overseas_rate)
            self._rows.append(_Row(floor, np.inf, {pools + 1: -1.0}, {taxed: 1.0}))
        for place, row in enumerate(self._hulls.joint.tolist()):
            self._joint(row, pools + 3 + place)
        if problem.turnover is not None:
            self._rows.append(_Row(-np.inf, problem.turnover * money, {pools + 2: 1.0}))
        for place, cap in enumerate(problem.risk_caps):
            room = cap.cap * cap.account_value - cap.held
            if place not in self._kept:
                # Who buys risk assets keeps the cap; who buys none has no more of them than before.
                room = max(room, 0.0) + cap.cap * most_paid(problem, cap.account)
            lacking = self._column(0.0, 2 * most + abs(room) * money, _LACKING)
            self._rows.append(_Row(-np.inf, room * money, {self._hulls.risk_column(place) + 1: 1.0}, {lacking: -1.0}))

    def _beyond(self, hinges: Hinges, before: float, amounts: dict[int, float], columns: dict[int, float]) -> None:
        """Add the measure of an amount of cash: `before` less the amounts, or what the columns hold."""
        if not len(hinges.kink):
            return
        sign = float(hinges.sign[0])
        distance = np.sort(sign * hinges.kink) * self._money
        slope = np.cumsum(hinges.weight[np.argsort(sign * hinges.kink)])
        far = 4 * _SCALE + abs(before) + float(np.abs(distance).max())
        pieces = [
            self._column(0.0, float(length), float(weight))
            for length, weight in zip(np.append(np.diff(distance), far), slope, strict=True)
        ]
        own = {**dict.fromkeys(pieces, 1.0), **{column: -sign * value for column, value in columns.items()}}
        rest = {amount: sign * value for amount, value in amounts.items()}
        self._rows.append(_Row(sign * before - float(distance[0]), np.inf, rest, own))

    def _joint(self, row: int, amount: int) -> None:
        """Add the measure and the bounds of a row over several symbols."""
        rows, money = self._problem.rows, self._money
        value = float(rows.value[row])
        far = 4 * _SCALE + abs(value) * money
        for hinge in np.flatnonzero(rows.hinges.row == row).tolist():
            sign, beyond = float(rows.hinges.sign[hinge]), value - float(rows.hinges.kink[hinge])
            column = self._column(0.0, far + abs(beyond) * money, float(rows.hinges.weight[hinge]))
            self._rows.append(_Row(sign * beyond * money, np.inf, {amount: -sign}, {column: 1.0}))
        low, high = (float(rows.low[row]) - value) * money, (float(rows.high[row]) - value) * money
        if np.isfinite([low, high]).any():
            less, more = self._column(0.0, far, _LACKING), self._column(0.0, far, _LACKING)
            self._rows.append(_Row(low, high, {amount: 1.0}, {less: 1.0, more: -1.0}))

    def _started(self) -> Any:  # noqa: ANN401 - highspy has no types
        import highspy

        highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in (("output_flag", False), ("threads", 1), ("random_seed", 0)):
            highs.setOptionValue(name, value)
        symbols = len(self._hulls.symbols)
        lower = np.concatenate([np.ones(symbols), [row.low for row in self._rows]])
        upper = np.concatenate([np.ones(symbols), [row.high for row in self._rows]])
        none = np.zeros(0, dtype=np.int32)
        highs.addRows(len(lower), lower, upper, 0, none, none, np.zeros(0))
        places: list[list[int]] = [[] for _ in self._columns]
        values: list[list[float]] = [[] for _ in self._columns]
        for number, row in enumerate(self._rows):
            for column, coefficient in row.columns.items():
                places[column].append(symbols + number)
                values[column].append(coefficient)
        starts = np.concatenate([[0], np.cumsum([len(mine) for mine in places])])[:-1]
        least, most, cost = (np.array(side) for side in zip(*self._columns, strict=True))
        index = np.array([one for mine in places for one in mine], dtype=np.int32)
        numbers = np.array([one for mine in values for one in mine])
        highs.addCols(len(cost), cost, least, most, len(index), starts.astype(np.int32), index, numbers)
        return highs

    def _add(self, highs: Any, options: Options) -> None:  # noqa: ANN401 - highspy has no types
        """Add options as columns."""
        symbols, count = len(self._hulls.symbols), len(options.owner)
        inner = options.amounts @ self._weights * self._money
        dense = np.concatenate([np.ones((count, 1)), inner], axis=1)
        rows = np.broadcast_to(np.arange(symbols - 1, symbols + len(self._rows)), dense.shape).copy()
        rows[:, 0] = options.owner
        kept = dense != 0
        starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])[:-1].astype(np.int32)
        cost, none = options.cost * self._money, np.zeros(count)
        most = np.full(count, np.inf)
        index, values = rows[kept].astype(np.int32), dense[kept]
        highs.addCols(count, cost, none, most, len(index), starts, index, values)

    def solve(self) -> HullDual | None:
        """Add columns until none is worth anything; return the best bound on the way."""
        options, symbols = self._options, len(self._hulls.symbols)
        count = np.diff(np.append(self._first, len(options.owner)))
        highs = self._started()
        inside = np.zeros(len(options.owner), dtype=np.bool_)
        size = np.abs(options.units).sum(axis=1)
        new = self._first + np.array([int(size[a : a + n].argmin()) for a, n in zip(self._first, count, strict=True)])
        best: HullDual | None = None
        for _ in range(_ROUNDS):
            inside[new] = True
            self._add(highs, options.of(new))
            highs.run()
            dual = np.asarray(highs.getSolution().row_dual, dtype=np.float64)
            if len(dual) != symbols + len(self._rows) or not np.isfinite(dual).all():
                break
            found = self._bound(dual[symbols:])
            if best is None or found.bound > best.bound:
                best = found
            least = float(highs.getInfo().objective_function_value) / self._money + self._hulls.constant
            if least - best.bound <= NEAR * abs(least) + NOISE * self._problem.total + self._problem.rounding:
                break
            lost = np.where(inside, np.inf, found.lost(options))
            gain = found.least[options.owner] * self._money - dual[options.owner]
            order = np.lexsort((lost, options.owner))
            rank = np.arange(len(order)) - self._first[options.owner[order]]
            few = order[(rank < _ADDED) & np.isfinite(lost[order])]
            new = few[lost[few] * self._money + gain[few] < -1e-9]
            if not len(new):
                break
        return best

    def _bound(self, dual: Floats) -> HullDual:
        """Return the bound that prices give, whatever they are."""
        prices = self.prices(dual)
        least = np.minimum.reduceat(self._options.cost - self._options.amounts @ prices, self._first)
        return HullDual(self.bound(dual, least), prices, least)

    def _proper(self, dual: Floats) -> Floats:
        """Return the prices of rows, none on the side of one that is open."""
        low, high = (np.array([getattr(row, side) for row in self._rows]) for side in ("low", "high"))
        return np.where((dual > 0) & np.isinf(low), 0.0, np.where((dual < 0) & np.isinf(high), 0.0, dual))

    def prices(self, dual: Floats) -> Floats:
        """Return the prices of amounts that prices of rows come to."""
        return np.asarray(self._weights @ self._proper(dual))

    def bound(self, dual: Floats, least: Floats) -> float:
        """Return the bound that prices of rows give, with the `least` of each symbol at them."""
        money, dual = self._money, self._proper(dual)
        low, high = (np.array([getattr(row, side) for row in self._rows]) for side in ("low", "high"))
        rows = np.where(dual > 0, dual * np.where(dual > 0, low, 0.0), dual * np.where(dual < 0, high, 0.0))
        reduced = np.array([cost for _, _, cost in self._columns])
        for price, row in zip(dual.tolist(), self._rows, strict=True):
            for column, value in row.columns.items():
                reduced[column] -= price * value
        ends = np.array([(a, b) for a, b, _ in self._columns])
        own = np.minimum(reduced * ends[:, 0], reduced * ends[:, 1])
        bound = float(least.sum()) + (float(rows.sum()) + float(own.sum())) / money + self._hulls.constant
        return bound - NOISE * self._problem.total - self._problem.rounding
