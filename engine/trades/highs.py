"""The whole trade problem as a mixed-integer model, solved by HiGHS: any rule, with a proven bound.

What a row's hinges add up to is convex, so it needs no switches: the row's value is its least value plus segments of
rising slope. Where a row counts whole steps of one price, the segments end at whole steps, which makes the linear
relaxation the convex hull of the measure at whole steps. Money is scaled to a total of 10⁶.

HiGHS is asked for a number of nodes and of simplex iterations, never for an amount of time, with one thread and a fixed
seed: the same model gives the same answer everywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

import numpy as np

from engine.trades.problem import Bools, Floats, Hinges, Ints, TradeProblem, most_paid
from engine.trades.ways import Way

_SCALE = 1e6
#: Distance to the bound, relative to the objective, at which HiGHS may stop.
GAP = 1e-9
#: Slots of a symbol up to which every choice of those that trade is told apart.
_CHOSEN_SLOTS = 4
#: Steps beyond which a row's measure is bent at its kinks instead of at whole steps.
_WHOLE = 1e-9
#: Purchases, and sales, of an aim of several members from which on they are counted as one number.
_COUNTED = 3
#: Slots of an aim up to which it is said which of them trade.
_FEW_MEMBERS = 40
#: Switches up to which each is tried, to leave it out.
_TRIED = 400
#: What a bound is lowered by, of the total: HiGHS keeps its constraints to a millionth of the scale.
TOLERANCE = 2e-10

#: How far above a plan a relaxation has to be to leave it out, of the total: far more than its tolerances.
_SPARE = 1e-8

#: What settles ties, small enough to decide nothing else: of a unit of tax, of an order (times the total), of turnover.
_TIE_TAX, _TIE_ORDER, _TIE_TURNOVER = 1e-7, 3e-10, 1e-10

#: Called now and then with (incumbent, bound), each of the total; returns whether to stop.
Watch = Callable[[float, float], bool]


@dataclass(frozen=True, slots=True)
class Effort:
    """The most that HiGHS may do before it hands back what it has: counts, so that every machine stops alike.

    `nodes` of its tree; `calls` of its callback, which it makes at every step of its search.
    """

    nodes: int = 4_000
    calls: int = 15_000

    def part(self, of: float) -> Effort:
        """Return a part of it, not much less than what a first plan takes."""
        return Effort(min(self.nodes, max(int(self.nodes / of), 100)), min(self.calls, max(int(self.calls / of), 400)))


@dataclass(slots=True)
class Allowance:
    """What all searches of one plan may do together, in simplex iterations of HiGHS: a count, as efforts are.

    Who is past half of it does less and less; what is left of it when it is used up is to be told as a gap.
    """

    most: float = 40_000
    spent: float = 0.0

    @property
    def left(self) -> float:
        """Return what may still be done."""
        return max(self.most - self.spent, 0.0)

    def share(self, of: int) -> Allowance:
        """Return an equal share of what is left, for one of so many searches."""
        return Allowance(self.left / of)

    def fraction(self) -> float:
        """Return the part of its usual effort that a search may still make."""
        return min(1.0, 2 * self.left / self.most) if self.most > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Draw:
    """An amount of money that leaves some pools: how much of it each, as far as it goes the earlier ones."""

    pools: Ints
    amount: float


@dataclass(frozen=True, slots=True)
class HighsAnswer:
    """What HiGHS found: steps by slot or None, a bound (base currency), how it ended.

    With `shared` also `nets`, steps by symbol; with a draw what is `drawn` from each of its pools.
    """

    units: Ints | None
    bound: float
    ended: Literal["optimal", "limit", "infeasible", "failed"]
    nets: dict[int, int] = field(default_factory=dict)
    drawn: Floats | None = None


@dataclass(slots=True)
class _Model:
    """Columns and rows collected in blocks; `triples` are (row, column, value)."""

    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    cost: list[Floats] = field(default_factory=list)
    integer: list[Bools] = field(default_factory=list)
    triples: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    row_low: list[Floats] = field(default_factory=list)
    row_high: list[Floats] = field(default_factory=list)
    columns: int = 0
    rows: int = 0
    constant: float = 0.0

    def block(
        self,
        lower: float | Floats,
        upper: float | Floats,
        cost: float | Floats,
        integer: bool | Bools,  # noqa: FBT001 - one value for all columns, or one each
        n: int,
    ) -> Ints:
        """Add n columns and return their indices."""
        for store, value in ((self.lower, lower), (self.upper, upper), (self.cost, cost)):
            store.append(np.broadcast_to(np.asarray(value, dtype=np.float64), (n,)))
        self.integer.append(np.broadcast_to(np.asarray(integer, dtype=np.bool_), (n,)))
        self.columns += n
        return np.arange(self.columns - n, self.columns)

    def constrain(
        self, low: float | Floats, high: float | Floats, n: int, *terms: tuple[Ints, Ints, Floats | float]
    ) -> None:
        """Add n rows low ≤ Σ terms ≤ high; a term is (row within the n, column, coefficient)."""
        for row, column, value in terms:
            values = np.broadcast_to(np.asarray(value, dtype=np.float64), np.shape(column))
            self.triples.append((np.asarray(row) + self.rows, np.asarray(column), values))
        self.row_low.append(np.broadcast_to(np.asarray(low, dtype=np.float64), (n,)))
        self.row_high.append(np.broadcast_to(np.asarray(high, dtype=np.float64), (n,)))
        self.rows += n


@dataclass(frozen=True, slots=True)
class _Leg:
    """One direction's columns: slots, trade, what a trade column counts in steps, switch, and money of a column.

    `worth` is value, `used` cash, `gain` overseas gain per unit of the trade column; further cash is in `extra`:
    (slot place in the leg, column, cash) for fees and withheld tax that are columns of their own.
    """

    slots: Ints
    trade: Ints
    most: Floats
    unit: Floats
    switch: Ints
    worth: Floats
    used: Floats
    gain: Floats
    extra: tuple[tuple[Ints, Ints, Floats], ...]
    gain_extra: tuple[tuple[Ints, Ints, Floats], ...]


#: Row, column, coefficient.
_Term = tuple[Ints, Ints, Floats | float]


class _Ways:
    """Ways that a row may be moved, one of them: each a switch with segments of rising slope."""

    def __init__(self, model: _Model, terms: tuple[Ints, Floats]) -> None:
        self._model = model
        #: All switches; and what moves the row less what the ways say.
        self.one: list[_Term] = []
        self.moved: list[_Term] = [(np.zeros(len(terms[0]), dtype=np.int64), *terms)]

    def add(self, ends: Floats, worth: Floats, move: float) -> tuple[Ints, list[_Term]]:
        """Add a way between ends with what they are worth; return its switch, and what it comes to before `move`."""
        zero, n = np.zeros(1, dtype=np.int64), len(ends) - 1
        chosen = self._model.block(0.0, 1.0, float(worth[0]), True, 1)
        found: list[_Term] = [(zero, chosen, float(ends[0]))]
        self.one.append((zero, chosen, 1.0))
        if n:
            lengths, rows = np.diff(ends), np.arange(n)
            pieces = self._model.block(0.0, lengths, np.diff(worth) / lengths, False, n)
            found.append((np.zeros(n, dtype=np.int64), pieces, 1.0))
            self._model.constrain(-np.inf, 0.0, n, (rows, pieces, 1.0), (rows, np.repeat(chosen, n), -lengths))
        self.moved.extend((row, column, -move * np.asarray(amount)) for row, column, amount in found)
        return chosen, found


@dataclass(slots=True)
class _Side:
    """The slots of a row that are bought, or sold: what they move it by, in order, and how many of them trade.

    `least` rises, `most` falls. `counted` adds up to nothing; `more` are switches with which more may trade than said.
    """

    least: Floats
    most: Floats
    counted: list[_Term]
    more: list[Ints] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Return the number of slots."""
        return len(self.least)

    def counts(self, chosen: Ints, number: int, most: int) -> None:
        """Say how many trade with a switch: `number` of them, or more."""
        self.counted.append((np.zeros(1, dtype=np.int64), chosen, float(number)))
        if most > number:
            self.more.append(chosen)


class Model:
    """The mixed-integer model of a trade problem.

    With `loose` every order is granted what rounding to the smallest unit may save it, so that the model's optimum
    bounds plans as they are billed. `must` are slots that trade, one way or the other. With `shared` only what a
    symbol trades over all accounts, and in how many of them, is whole; which of them trade is left open: its optimum
    is a bound, its plan a hint (`net`). What a `draw` takes from its first pool costs nothing, from each further one
    its amount once more. `ways` are the only ones that rows are moved in.
    """

    def __init__(
        self,
        problem: TradeProblem,
        *,
        loose: bool = True,
        must: Bools | None = None,
        shared: bool = False,
        draw: Draw | None = None,
        ways: Mapping[int, Sequence[Way]] | None = None,
    ) -> None:
        self._shared = shared
        self._listed = ways or {}
        #: Columns of what a symbol trades over all accounts (`shared`), by symbol.
        self._nets: dict[int, int] = {}
        self._draw, self._drawn = draw, np.zeros(0, dtype=np.int64)
        self._problem, self._money = problem, _SCALE / problem.total
        self._model = _Model()
        #: Simplex iterations that were made.
        self.iterations = 0
        #: Switches that are left off (`leave_out`).
        self._off: list[int] = []
        #: The most that what settles ties adds to the cost of any plan.
        self._ties = 0.0
        slots = problem.slots
        slack = slots.slack * self._money if loose else np.zeros(problem.size)
        cash_slack = slots.cash_slack * self._money if loose else np.zeros(problem.size)
        granted = np.zeros(len(problem.cash)) if problem.granted is None or not loose else problem.granted
        self._model.constant += (problem.spent - (problem.forgiven if loose else 0.0)) * self._money
        low, high = _in_reach(problem)
        sold = (slots.full & (low == slots.low)) | (-low >= slots.minimum_sell)
        most = np.minimum(_affordable(problem), high)
        buyers = np.flatnonzero((most > 0) & (most >= slots.minimum_buy))
        sellers = np.flatnonzero((low < 0) & sold)
        self._buy = self._leg(buyers, most[buyers].astype(np.float64), slack, buying=True)
        self._sell = self._leg(sellers, -low[sellers].astype(np.float64), slack, buying=False)
        self._either()
        if must is not None:
            self._traded(must)
        self._net()
        self._rows()
        self._reaches()
        self._cash(cash_slack, granted)
        self._overseas()
        if problem.turnover is not None:
            zeros = (np.zeros_like(leg.trade) for leg in (self._buy, self._sell))
            terms = [(z, leg.trade, leg.worth) for z, leg in zip(zeros, (self._buy, self._sell), strict=True)]
            self._model.constrain(-np.inf, problem.turnover * self._money, 1, *terms)

    def _leg(self, at: Ints, most: Floats, slack: Floats, *, buying: bool) -> _Leg:
        problem, model, money, slots = self._problem, self._model, self._money, self._problem.slots
        n = len(at)
        price = slots.price[at] * money
        fraction = slots.continuous[at]
        unit = np.where(fraction, price, 1.0)
        worth = price / unit
        rate = (slots.buy_rate if buying else slots.sell_rate)[at]
        tax = np.zeros(n) if buying else slots.tax_rate[at]
        ticket = slots.fee_minimum[at] > 0
        plain = np.where(ticket, 0.0, rate) + tax
        # Gain of a sale, costs off: linear but for a ticket fee, which is a column of its own.
        gain = np.zeros(n) if buying else slots.gain[at] * money / unit
        net_gain = gain - plain * worth
        withheld = np.zeros(n) if buying else slots.withheld[at]
        pays = (withheld > 0) & (gain > 0)
        linear = np.where(pays & ~ticket, withheld * np.maximum(net_gain, 0.0), 0.0)
        dislike = slots.dislike[at] * worth if buying else np.zeros(n)
        ties = _TIE_TURNOVER * worth + (_TIE_TAX if problem.tax_weight == 0 else 0.0) * linear
        self._ties += float((ties * most * unit).sum()) + _TIE_ORDER * _SCALE * n
        cost = plain * worth + problem.tax_weight * linear + dislike + ties
        trade = model.block(0.0, most * unit, cost, ~fraction & (not self._shared), n)
        follows = np.isin(at, problem.rows.slot[np.isin(problem.rows.at, list(self._listed))])
        worth_of_none = problem.order * money - slack[at] + _TIE_ORDER * _SCALE
        switch = model.block(0.0, 1.0, worth_of_none, ~follows & (not self._shared), n)
        rows = np.arange(n)
        model.constrain(-np.inf, 0.0, n, (rows, trade, 1.0), (rows, switch, -most * unit))
        least = np.minimum((slots.minimum_buy if buying else slots.minimum_sell)[at].astype(np.float64), most)
        model.constrain(0.0, np.inf, n, (rows, trade, 1.0), (rows, switch, -least * unit))
        extra: list[tuple[Ints, Ints, Floats]] = []
        gain_extra: list[tuple[Ints, Ints, Floats]] = []
        tickets = np.flatnonzero(ticket)
        fee = np.full(n, -1)
        if len(tickets):
            rows = np.arange(len(tickets))
            fee[tickets] = model.block(0.0, np.inf, 1.0, False, len(rows))
            model.constrain(
                0.0, np.inf, len(rows), (rows, fee[tickets], 1.0), (rows, trade[tickets], -(rate * worth)[tickets])
            )
            smallest = (slots.fee_minimum[at] * money)[tickets]
            model.constrain(0.0, np.inf, len(rows), (rows, fee[tickets], 1.0), (rows, switch[tickets], -smallest))
            extra.append((tickets, fee[tickets], np.ones(len(tickets))))
            gain_extra.append((tickets, fee[tickets], -np.ones(len(tickets))))
        both = np.flatnonzero(pays & ticket)
        if len(both):
            rows = np.arange(len(both))
            tax_column = model.block(0.0, np.inf, problem.tax_weight, False, len(both))
            model.constrain(
                0.0,
                np.inf,
                len(both),
                (rows, tax_column, 1.0),
                (rows, trade[both], -(withheld * net_gain)[both]),
                (rows, fee[both], withheld[both]),
            )
            extra.append((both, tax_column, np.ones(len(both))))
        sign = 1.0 if buying else -1.0
        used = sign * worth + plain * worth + linear
        return _Leg(at, trade, most, unit, switch, worth, used, net_gain, tuple(extra), tuple(gain_extra))

    def _either(self) -> None:
        """Forbid buying and selling in the same slot."""
        _, left, right = np.intersect1d(self._buy.slots, self._sell.slots, return_indices=True)
        rows = np.arange(len(left))
        self._model.constrain(
            -np.inf, 1.0, len(rows), (rows, self._buy.switch[left], 1.0), (rows, self._sell.switch[right], 1.0)
        )

    def _traded(self, must: Bools) -> None:
        """Have slots traded."""
        at = np.flatnonzero(must)
        place = np.full(self._problem.size, -1)
        place[at] = np.arange(len(at))
        terms = [
            (place[leg.slots][place[leg.slots] >= 0], leg.switch[place[leg.slots] >= 0], 1.0)
            for leg in (self._buy, self._sell)
        ]
        self._model.constrain(1.0, np.inf, len(at), *terms)

    def _net(self) -> None:
        """Bound each symbol's steps over all accounts, where its slots alone do not."""
        problem, slots = self._problem, self._problem.slots
        for symbol in np.unique(slots.symbol).tolist():
            mine = np.flatnonzero(slots.symbol == symbol)
            if len(mine) < 2:
                continue
            fraction = bool(slots.continuous[mine[0]])
            scale = float(slots.price[mine[0]] * self._money) if fraction else 1.0
            terms = [
                (np.zeros(int(chosen.sum()), dtype=np.int64), leg.trade[chosen], sign)
                for sign, leg in ((1.0, self._buy), (-1.0, self._sell))
                if (chosen := slots.symbol[leg.slots] == symbol).any()
            ]
            low, high = float(problem.net_low[symbol]) * scale, float(problem.net_high[symbol]) * scale
            self._model.constrain(low, high, 1, *terms)

    def _rows(self) -> None:
        """Add each row's measure as segments of rising slope, and its bounds."""
        problem, rows, slots, money = self._problem, self._problem.rows, self._problem.slots, self._money
        place = {"buy": np.full(problem.size, -1), "sell": np.full(problem.size, -1)}
        place["buy"][self._buy.slots] = np.arange(len(self._buy.slots))
        place["sell"][self._sell.slots] = np.arange(len(self._sell.slots))
        hinges = rows.hinges
        order = np.argsort(hinges.row, kind="stable")
        starts = np.searchsorted(hinges.row[order], np.arange(len(rows.value) + 1))
        members = np.argsort(rows.at, kind="stable")
        firsts = np.searchsorted(rows.at[members], np.arange(len(rows.value) + 1))
        free = np.diff(firsts) > 0
        several = len(np.unique(slots.symbol)) < problem.size
        kept = Hinges(hinges.row, hinges.kink, hinges.sign, np.where(free[hinges.row], 0.0, hinges.weight))
        self._model.constant += kept.value(rows.value) * money
        for row in np.flatnonzero(free).tolist():
            exposed = members[firsts[row] : firsts[row + 1]]
            mine = order[starts[row] : starts[row + 1]]
            part = Hinges(
                np.zeros(len(mine), dtype=np.int64), hinges.kink[mine], hinges.sign[mine], hinges.weight[mine]
            )
            columns, shares, least, most = self._exposure(exposed, place)
            value = float(rows.value[row])
            if not len(columns):
                self._model.constant += part.value(np.array([value])) * money
                continue
            prices = slots.price[rows.slot[exposed]] * rows.share[exposed]
            whole = not slots.continuous[rows.slot[exposed]].any() and bool((prices == prices[0]).all())
            step = float(prices[0]) if whole else 1.0 / money
            if whole:
                symbols = np.unique(slots.symbol[rows.slot[exposed]])
                if len(symbols) == 1:
                    least = max(least, float(problem.net_low[symbols[0]]) * step)
                    most = min(most, float(problem.net_high[symbols[0]]) * step)
            bounds = (float(rows.low[row]) - value) / step, (float(rows.high[row]) - value) / step
            zero = np.zeros(len(columns), dtype=np.int64)
            if np.isfinite(bounds).any():
                self._model.constrain(*bounds, 1, (zero, columns, shares / step))
            terms, reach = (columns, shares / step), (least / step, most / step)
            if row in self._listed:
                self._by_way(self._listed[row], exposed, place)
            elif several and whole and len(symbols) == 1 and (rows.share[exposed] == 1.0).all():
                self._by_count(part, value, step, reach, terms, rows.slot[exposed])
            elif 1 < len(exposed) <= _FEW_MEMBERS and len(np.unique(part.sign)) > 1:
                # An aim of several members: it counts what is short and what is over; a limit counts one of them.
                reach = max(reach[0], bounds[0]), min(reach[1], bounds[1])
                self._by_member(part, value, step, reach, terms, exposed)
            else:
                self._segments(part, value, step, reach, terms, whole=whole)

    def _by_count(
        self, part: Hinges, value: float, step: float, reach: tuple[float, float], terms: tuple[Ints, Floats], at: Ints
    ) -> None:
        """Add a symbol's measure by how many of its slots buy and sell: one switch each, with segments of its own.

        That is the convex hull of the measure and the worth of its orders over all accounts.
        """
        legs: list[tuple[Ints, list[tuple[int, float, float]]]] = []
        for leg, slots in (
            (self._buy, self._problem.slots.minimum_buy),
            (self._sell, self._problem.slots.minimum_sell),
        ):
            mine = np.flatnonzero(np.isin(leg.slots, at))
            most = leg.most[mine]
            least = np.minimum(slots[leg.slots[mine]].astype(np.float64), most)
            ways = zip(leg.slots[mine].tolist(), least.tolist(), most.tolist(), strict=True)
            legs.append((leg.switch[mine], list(ways)))
        (buying, purchases), (selling, sales) = legs
        zero = np.zeros(1, dtype=np.int64)
        one: list[tuple[Ints, Ints, Floats | float]] = []
        moved: list[tuple[Ints, Ints, Floats | float]] = [
            (np.zeros(len(terms[0]), dtype=np.int64), terms[0], -terms[1])
        ]
        counted = [[(np.zeros(len(own), dtype=np.int64), own, -1.0)] for own in (buying, selling)]
        for (bought, sold), spans in _spans(purchases, sales).items():
            for low, high in _joined(
                (float(np.ceil(max(low, reach[0]) - 1e-7)), float(np.floor(min(high, reach[1]) + 1e-7)))
                for low, high in spans
            ):
                ends, worth = self._bent(part, value, step, low, high, whole=True)
                chosen = self._model.block(0.0, 1.0, float(worth[0]), True, 1)
                one.append((zero, chosen, 1.0))
                moved.append((zero, chosen, low))
                for count, number in zip(counted, (bought, sold), strict=True):
                    count.append((zero, chosen, float(number)))
                if len(ends) > 1:
                    lengths = np.diff(ends)
                    n = len(lengths)
                    pieces = self._model.block(0.0, lengths, np.diff(worth) / lengths, False, n)
                    moved.append((np.zeros(n, dtype=np.int64), pieces, 1.0))
                    switch = np.repeat(chosen, n)
                    self._model.constrain(
                        -np.inf, 0.0, n, (np.arange(n), pieces, 1.0), (np.arange(n), switch, -lengths)
                    )
        self._model.constrain(1.0, 1.0, 1, *one)
        for count in counted:
            self._model.constrain(0.0, 0.0, 1, *count)
        self._model.constrain(0.0, 0.0, 1, *moved)
        if self._shared:
            net = self._model.block(reach[0], reach[1], 0.0, True, 1)
            self._nets[int(self._problem.slots.symbol[at[0]])] = int(net[0])
            self._model.constrain(0.0, 0.0, 1, (zero, net, -1.0), (np.zeros(len(terms[0]), dtype=np.int64), *terms))

    def _by_way(self, listed: Sequence[Way], exposed: Ints, place: dict[str, Ints]) -> None:
        """Add the measure of a row by the ways that it is moved in: one switch each, with trades of its own."""
        model, rows, slots, money = self._model, self._problem.rows, self._problem.slots, self._money
        moves = np.zeros(self._problem.size)
        moves[rows.slot[exposed]] = rows.share[exposed] * slots.price[rows.slot[exposed]] * money
        none, zero = np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
        ways = _Ways(model, (none, np.zeros(0)))
        trades: dict[tuple[int, int], list[_Term]] = {}
        switches: dict[tuple[int, int], list[_Term]] = {}
        at = {side: place["buy" if side > 0 else "sell"] for side in (1, -1)}
        for side, slot in product((1, -1), rows.slot[exposed].tolist()):
            if at[side][slot] >= 0:
                trades[side, slot], switches[side, slot] = [], []
        for way in listed:
            pairs = list(zip(way.sides.tolist(), way.slots.tolist(), strict=True))
            here = np.array([pair in trades for pair in pairs], dtype=np.bool_)
            if not (way.others or here.all()):
                continue
            chosen, moved = ways.add(way.ends * money, way.worth * money, 1.0)
            pairs = [pair for pair, known in zip(pairs, here.tolist(), strict=True) if known]
            n, by = len(pairs), np.array([side * moves[slot] for side, slot in pairs])
            on = np.repeat(chosen, n)
            if way.others:
                on = model.block(0.0, 1.0, 0.0, False, n)
                many = [(np.zeros(n, dtype=np.int64), on, 1.0), (zero, chosen, -float(way.others))]
                model.constrain(0.0, np.inf, 1, *many)
                model.constrain(-np.inf, 0.0, n, (np.arange(n), on, 1.0), (np.arange(n), np.repeat(chosen, n), -1.0))
            if n == 1 and not way.others:
                trades[pairs[0]] += [(place_, column, np.asarray(amount) / by[0]) for place_, column, amount in moved]
                switches[pairs[0]].append((zero, chosen, 1.0))
                continue
            steps = model.block(0.0, np.inf, 0.0, False, n)
            back = [(place_, column, -np.asarray(amount)) for place_, column, amount in moved]
            model.constrain(0.0, 0.0, 1, (np.zeros(n, dtype=np.int64), steps, by), *back)
            model.constrain(-np.inf, 0.0, n, (np.arange(n), steps, 1.0), (np.arange(n), on, -way.most[here]))
            model.constrain(0.0, np.inf, n, (np.arange(n), steps, 1.0), (np.arange(n), on, -way.least[here]))
            for pair, step, switch in zip(pairs, steps.tolist(), on.tolist(), strict=True):
                trades[pair].append((zero, np.array([step]), 1.0))
                switches[pair].append((zero, np.array([switch]), 1.0))
        model.constrain(1.0, 1.0, 1, *ways.one)
        for (side, slot), taken in trades.items():
            leg, number = (self._buy, at[1][slot]) if side > 0 else (self._sell, at[-1][slot])
            model.constrain(0.0, 0.0, 1, *taken, (zero, leg.trade[[number]], -1.0 / float(leg.unit[number])))
            model.constrain(0.0, 0.0, 1, *switches[side, slot], (zero, leg.switch[[number]], -1.0))

    def _by_member(
        self,
        part: Hinges,
        value: float,
        step: float,
        reach: tuple[float, float],
        terms: tuple[Ints, Floats],
        exposed: Ints,
    ) -> None:
        """Add the measure of a row of several members by which of them trades, or how many do: one switch each.

        Where one slot trades alone the row moves by whole steps of it, so that its measure is that at whole steps.
        Otherwise it may end anywhere between the least and the most that so many purchases and sales move it by.
        """
        model, rows, slots = self._model, self._problem.rows, self._problem.slots
        moves = np.zeros(self._problem.size)
        moves[rows.slot[exposed]] = rows.share[exposed] * slots.price[rows.slot[exposed]] / step
        ways = _Ways(model, terms)
        buying, selling = (
            self._alone(ways, part, value, step, reach, moves, buying=True),
            self._alone(ways, part, value, step, reach, moves, buying=False),
        )
        last = min(buying.count, _COUNTED), min(selling.count, _COUNTED)
        for bought, sold in product(range(last[0] + 1), range(last[1] + 1)):
            if bought + sold == 1 or bought + sold > len(exposed):
                continue
            # From `_COUNTED` on, so many or more.
            most = (
                buying.count if bought == last[0] else bought,
                selling.count if sold == last[1] else sold,
            )
            low = max(float(buying.least[:bought].sum() - selling.most[: most[1]].sum()), reach[0])
            high = min(float(buying.most[: most[0]].sum() - selling.least[:sold].sum()), reach[1])
            if low > high + _WHOLE * max(abs(low), 1.0):
                continue
            chosen, _ = ways.add(*self._bent(part, value, step, low, max(low, high), whole=False), 1.0)
            buying.counts(chosen, bought, most[0])
            selling.counts(chosen, sold, most[1])
        zero = np.zeros(1, dtype=np.int64)
        for side in (buying, selling):
            if side.more:
                rest = model.block(0.0, float(side.count), 0.0, False, 1)
                side.counted.append((zero, rest, 1.0))
                ends = ((zero, end, -float(side.count)) for end in side.more)
                model.constrain(-np.inf, 0.0, 1, (zero, rest, 1.0), *ends)
            model.constrain(0.0, 0.0, 1, *side.counted)
        model.constrain(1.0, 1.0, 1, *ways.one)
        model.constrain(0.0, 0.0, 1, *ways.moved)

    def _alone(
        self,
        ways: _Ways,
        part: Hinges,
        value: float,
        step: float,
        reach: tuple[float, float],
        moves: Floats,
        *,
        buying: bool,
    ) -> _Side:
        """Add a way for each slot that trades alone, in whole steps; what it trades beside others is apart."""
        leg, least_of = (
            (self._buy, self._problem.slots.minimum_buy) if buying else (self._sell, self._problem.slots.minimum_sell)
        )
        sign, furthest = (1.0, reach[1]) if buying else (-1.0, -reach[0])
        mine = np.flatnonzero(moves[leg.slots] > 0)
        most = leg.most[mine]
        least = np.minimum(least_of[leg.slots[mine]].astype(np.float64), most)
        move = moves[leg.slots[mine]]
        zero = np.zeros(1, dtype=np.int64)
        none = np.zeros(len(mine), dtype=np.int64)
        side = _Side(np.sort(least * move), -np.sort(-most * move), [(none, leg.switch[mine], -1.0)])
        for place, low, high, by in zip(mine.tolist(), least.tolist(), most.tolist(), move.tolist(), strict=True):
            whole = not bool(self._problem.slots.continuous[leg.slots[place]])
            end = min(high, furthest / by * (1 + _WHOLE) + _WHOLE)
            end = float(np.floor(end)) if whole else end
            if end < low:
                continue
            chosen, traded = ways.add(*self._bent(part, value, sign * by * step, low, end, whole=whole), sign * by)
            side.counted.append((zero, chosen, 1.0))
            apart: list[_Term] = [(zero, leg.trade[[place]], 1.0 / float(leg.unit[place]))]
            apart += [(row, column, -np.asarray(amount)) for row, column, amount in traded]
            for bound, limits in ((high, (-np.inf, 0.0)), (low, (0.0, np.inf))):
                switches: list[_Term] = [(zero, leg.switch[[place]], -bound), (zero, chosen, bound)]
                self._model.constrain(*limits, 1, *apart, *switches)
        return side

    def _reaches(self) -> None:
        """Let a row be moved as far as the furthest of the slots that are traded that way: a rule for each distance."""
        problem, rows = self._problem, self._problem.rows
        place = {"buy": np.full(problem.size, -1), "sell": np.full(problem.size, -1)}
        place["buy"][self._buy.slots] = np.arange(len(self._buy.slots))
        place["sell"][self._sell.slots] = np.arange(len(self._sell.slots))
        for reach in problem.reaches:
            columns, shares, _, _ = self._exposure(np.flatnonzero(rows.at == reach.row), place)
            leg, name = (self._buy, "buy") if reach.sign > 0 else (self._sell, "sell")
            places = place[name][reach.slots]
            switches, most = leg.switch[places[places >= 0]], reach.most[places >= 0]
            moved = (np.zeros(len(columns), dtype=np.int64), columns, reach.sign * shares * self._money)
            for distance in np.unique(np.append(most, 0.0)) if len(columns) else ():
                further = switches[most > distance]
                beyond = (most.max(initial=0.0) - distance) * self._money
                zero = np.zeros(len(further), dtype=np.int64)
                self._model.constrain(-np.inf, distance * self._money, 1, moved, (zero, further, -beyond))

    def _exposure(self, exposed: Ints, place: dict[str, Ints]) -> tuple[Ints, Floats, float, float]:
        """Return the columns that move a row, their value, and the least and most that they can move it by."""
        rows, slots = self._problem.rows, self._problem.slots
        columns, shares = [], []
        least = most = 0.0
        for leg, name, sign in ((self._buy, "buy", 1.0), (self._sell, "sell", -1.0)):
            places = place[name][rows.slot[exposed]]
            known = places >= 0
            if not known.any():
                continue
            at = places[known]
            share = rows.share[exposed][known]
            columns.append(leg.trade[at])
            shares.append(sign * share * leg.worth[at] / self._money)
            reach = float((share * slots.price[leg.slots[at]] * leg.most[at]).sum())
            least, most = (least, most + reach) if sign > 0 else (least - reach, most)
        if not columns:
            return np.zeros(0, dtype=np.int64), np.zeros(0), 0.0, 0.0
        return np.concatenate(columns), np.concatenate(shares), least, most

    def _segments(
        self,
        part: Hinges,
        value: float,
        step: float,
        reach: tuple[float, float],
        terms: tuple[Ints, Floats],
        *,
        whole: bool,
    ) -> None:
        """Add Σ terms = least + segments, whose costs are the measure's slopes between its kinks (in steps)."""
        least, most = reach
        if whole:
            least, most = float(np.ceil(least - 1e-7)), float(np.floor(most + 1e-7))
        ends, worth = self._bent(part, value, step, least, most, whole=whole)
        self._model.constant += float(worth[0])
        zero = np.zeros(len(terms[0]), dtype=np.int64)
        if len(ends) == 1:
            self._model.constrain(least, least, 1, (zero, *terms))
            return
        lengths = np.diff(ends)
        pieces = self._model.block(0.0, lengths, np.diff(worth) / lengths, False, len(lengths))
        self._model.constrain(least, least, 1, (zero, *terms), (np.zeros(len(pieces), dtype=np.int64), pieces, -1.0))

    def _bent(
        self, part: Hinges, value: float, step: float, least: float, most: float, *, whole: bool
    ) -> tuple[Floats, Floats]:
        """Return the ends of a measure's straight pieces between two of them, in steps, and what it comes to there."""
        kinks = (part.kink - value) / step
        if whole:
            kinks = np.concatenate([np.floor(kinks + _WHOLE), np.ceil(kinks - _WHOLE)])
        ends = np.unique(np.concatenate([[least, most], kinks[(kinks > least) & (kinks < most)]]))
        apart = part.sign * ((value + ends * step)[:, None] - part.kink)
        return ends, np.asarray((part.weight * np.maximum(apart, 0.0)).sum(axis=1) * self._money)

    def _cash(self, slack: Floats, granted: Floats) -> None:
        """Keep every pool at its reserve, converting within an account; measure all cash against its target."""
        problem, model, money = self._problem, self._model, self._money
        pools = len(problem.cash)
        pairs = [
            (give, take)
            for give in range(pools)
            for take in range(pools)
            if give != take and problem.linked and problem.account[give] == problem.account[take]
        ]
        convert = model.block(0.0, np.inf, problem.spread, False, len(pairs))
        terms: list[tuple[Ints, Ints, Floats | float]] = []
        for leg in (self._buy, self._sell):
            pool = problem.slots.pool[leg.slots]
            terms.append((pool, leg.trade, leg.used))
            terms.append((pool, leg.switch, -slack[leg.slots]))
            terms += [(pool[place], column, value) for place, column, value in leg.extra]
        all_used: list[tuple[Ints, Ints, Floats | float]] = [(np.zeros_like(row), *rest) for row, *rest in terms]  # type: ignore[misc]
        if pairs:
            give, take = (np.array(side) for side in zip(*pairs, strict=True))
            terms += [(give, convert, 1.0), (take, convert, -(1.0 - problem.spread))]
            all_used.append((np.zeros(len(pairs), dtype=np.int64), convert, problem.spread))
        if self._draw is not None:
            n = len(self._draw.pools)
            self._drawn = model.block(0.0, np.inf, np.arange(n, dtype=np.float64), False, n)
            amount = self._draw.amount * money
            model.constrain(amount, amount, 1, (np.zeros(n, dtype=np.int64), self._drawn, 1.0))
            terms.append((self._draw.pools, self._drawn, 1.0))
        model.constrain(-np.inf, (problem.cash + granted - problem.reserve) * money, pools, *terms)
        gross: list[tuple[Ints, Ints, Floats | float]] = [
            (np.zeros_like(leg.trade), leg.trade, sign * leg.worth)
            for sign, leg in ((1.0, self._buy), (-1.0, self._sell))
        ]
        before, grant = float(problem.cash.sum()) * money, float(granted.sum()) * money
        self._beyond(problem.cash_below, all_used, before + grant)
        gross += [(np.zeros_like(leg.switch), leg.switch, slack[leg.slots]) for leg in (self._buy, self._sell)]
        self._beyond(problem.cash_above, gross, before - grant)
        accounts = np.array([problem.account[give] for give, _ in pairs], dtype=np.int64)
        self._risk_caps(convert, accounts, slack)

    def _beyond(self, hinges: Hinges, used: list[tuple[Ints, Ints, Floats | float]], before: float) -> None:
        """Add hinges of `before` − Σ used, all of one sign, as segments of rising slope beyond the innermost kink."""
        if not len(hinges.kink):
            return
        sign = float(hinges.sign[0])
        distance = np.sort(sign * hinges.kink) * self._money
        slope = np.cumsum(hinges.weight[np.argsort(sign * hinges.kink)])
        pieces = self._model.block(0.0, np.append(np.diff(distance), np.inf), slope, False, len(slope))
        zero = np.zeros(len(pieces), dtype=np.int64)
        # pieces ≥ sign·(before − used) − first distance
        self._model.constrain(
            sign * before - distance[0],
            np.inf,
            1,
            (zero, pieces, 1.0),
            *((row, column, sign * np.asarray(value)) for row, column, value in used),
        )

    def _risk_caps(self, convert: Ints, accounts: Ints, slack: Floats) -> None:
        """Keep an account's risk assets within its cap if it buys any of them."""
        problem, model, money = self._problem, self._model, self._money
        for cap in problem.risk_caps:
            buying = model.block(1.0 if cap.holds else 0.0, 1.0, 0.0, True, 1)
            terms: list[tuple[Ints, Ints, Floats | float]] = []
            for sign, leg in ((1.0, self._buy), (-1.0, self._sell)):
                mine = problem.account[problem.slots.pool[leg.slots]] == cap.account
                risky = np.isin(leg.slots, cap.slots)
                zero = np.zeros(int(mine.sum()), dtype=np.int64)
                paid = leg.used - sign * leg.worth
                terms.append((zero, leg.trade[mine], (sign * risky * leg.worth + cap.cap * paid)[mine]))
                terms.append((zero, leg.switch[mine], -cap.cap * slack[leg.slots][mine]))
                for place, column, value in leg.extra:
                    here = mine[place]
                    terms.append((np.zeros(int(here.sum()), dtype=np.int64), column[here], cap.cap * value[here]))
                if sign > 0 and risky.any():
                    rows = np.arange(int(risky.sum()))
                    model.constrain(
                        -np.inf,
                        0.0,
                        len(rows),
                        (rows, leg.switch[risky], 1.0),
                        (rows, np.repeat(buying, len(rows)), -1.0),
                    )
            own = convert[accounts == cap.account]
            terms.append((np.zeros(len(own), dtype=np.int64), own, cap.cap * problem.spread))
            room = (cap.cap * cap.account_value - cap.held) * money
            # Who buys no risk assets may keep all that are held, whatever else is paid.
            beyond = 0.0 if cap.holds else max(-room, 0.0) + cap.cap * most_paid(problem, cap.account) * money
            model.constrain(-np.inf, room + beyond, 1, *terms, (np.zeros(1, dtype=np.int64), buying, beyond))

    def _overseas(self) -> None:
        """Tax the overseas gains less losses above what is left of the allowance."""
        problem, leg = self._problem, self._sell
        mine = problem.slots.overseas[leg.slots] > 0
        if not problem.overseas_rate:
            return
        if not mine.any():
            self._model.constant += problem.overseas_rate * max(-problem.allowance, 0.0) * self._money
            return
        tax = self._model.block(0.0, np.inf, 1.0, False, 1)
        zero = np.zeros(int(mine.sum()), dtype=np.int64)
        terms: list[tuple[Ints, Ints, Floats | float]] = [
            (zero, leg.trade[mine], -problem.overseas_rate * leg.gain[mine])
        ]
        for place, column, value in leg.gain_extra:
            here = mine[place]
            terms.append(
                (np.zeros(int(here.sum()), dtype=np.int64), column[here], -problem.overseas_rate * value[here])
            )
        floor = -problem.overseas_rate * problem.allowance * self._money
        self._model.constrain(floor, np.inf, 1, (np.zeros(1, dtype=np.int64), tax, 1.0), *terms)

    def units(self, solution: Floats) -> Ints:
        """Return a solution's trades in steps by slot; of fractions a little less is bought and a little more sold."""
        slots = self._problem.slots
        found = np.zeros(self._problem.size)
        for sign, leg in ((1.0, self._buy), (-1.0, self._sell)):
            steps = solution[leg.trade] / leg.unit
            fraction = slots.continuous[leg.slots]
            least = slots.minimum_buy if sign > 0 else slots.minimum_sell
            least = np.minimum(least[leg.slots], leg.most)
            cut = np.floor(steps + 1e-3) if sign > 0 else np.minimum(np.ceil(steps - 1e-3), leg.most)
            cut = np.where(steps > least / 2, np.maximum(cut, least), 0.0)
            found[leg.slots] += sign * np.where(fraction, cut, np.rint(steps))
        net = np.bincount(slots.symbol, weights=found, minlength=len(self._problem.net_low))
        low = self._problem.net_low
        for slot in np.flatnonzero(slots.continuous & (net < low)[slots.symbol] & (found < 0)).tolist():
            symbol = slots.symbol[slot]
            less = min(low[symbol] - net[symbol], -found[slot] - 1)
            if less > 0:
                found[slot] += less
                net[symbol] += less
        return found.astype(np.int64)

    def solve(
        self, effort: Effort, *, start: Ints | None = None, gap: float = GAP, watch: Watch | None = None
    ) -> HighsAnswer:
        """Run HiGHS, again without presolve where it fails or finds no plan; a failure is no verdict.

        That there is no plan is believed only where it says so twice, the second time with wider tolerances: a narrow
        one has made it overlook plans.
        """
        answer = self._run(effort, start, gap, watch)
        if answer.ended not in ("failed", "infeasible"):
            return answer
        again = self._run(effort, start, gap, watch, is_second=True)
        if again.ended == "infeasible" and answer.ended == "failed":
            return HighsAnswer(None, -np.inf, "failed")
        return again

    def leave_out(self, most: float) -> None:
        """Leave out the ways to trade that no plan of at most `most` has: those with which the relaxation is above it.

        A plan of `most` itself is kept; a bound of what is left is one of the problem where it is below `most`.
        """
        import highspy

        highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in (("output_flag", False), ("threads", 1), ("random_seed", 0)):
            highs.setOptionValue(name, value)
        model = self._linear(highspy)
        switches = np.flatnonzero(np.concatenate(self._model.integer) & (np.asarray(model.col_upper_) == 1.0))
        if len(switches) > _TRIED:
            return
        model.integrality_ = []
        highs.passModel(model)
        with _silent():
            highs.run()
            above = most * self._money + self._ties + _SPARE * _SCALE
            for column in switches.tolist():
                highs.changeColBounds(column, 1.0, 1.0)
                highs.run()
                status = highs.getModelStatus()
                off = status == highspy.HighsModelStatus.kInfeasible or (
                    status == highspy.HighsModelStatus.kOptimal and highs.getInfo().objective_function_value > above
                )
                highs.changeColBounds(column, 0.0, 0.0 if off else 1.0)
                if off:
                    self._off.append(column)

    def _run(
        self, effort: Effort, start: Ints | None, gap: float, watch: Watch | None, *, is_second: bool = False
    ) -> HighsAnswer:
        import highspy

        highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in (
            ("output_flag", False),
            ("threads", 1),
            ("random_seed", 0),
            ("presolve", "off" if is_second else "on"),
            ("mip_rel_gap", gap),
            ("mip_abs_gap", 1e-7),
            # A switch that is a millionth on would let a millionth of everything be traded in fractions.
            ("mip_feasibility_tolerance", 1e-7 if self._problem.slots.continuous.any() and not is_second else 1e-6),
            ("mip_max_nodes", effort.nodes),
        ):
            highs.setOptionValue(name, value)
        highs.passModel(self._linear(highspy))
        if start is not None:
            self._set_start(highs, start)
        calls, interrupted = 0, False

        def on_interrupt(event: Any) -> None:  # noqa: ANN401 - highspy's event
            nonlocal calls, interrupted
            calls += 1
            data = event.data_out
            try:
                stop = calls > effort.calls
                if watch is not None and not stop:
                    stop = watch(data.mip_primal_bound / _SCALE, data.mip_dual_bound / _SCALE)
            except KeyboardInterrupt:
                stop = interrupted = True
            if stop:
                event.interrupt()

        highs.cbMipInterrupt += on_interrupt
        with _silent():
            highs.run()
        status, kind = highs.getModelStatus(), highspy.HighsModelStatus
        info = highs.getInfo()
        self.iterations += max(int(info.simplex_iteration_count), 0)
        # Without a whole-numbered column HiGHS solves a plain linear program and leaves the other figure alone.
        mixed = any(bool(whole.any()) for whole in self._model.integer)
        least = float(info.mip_dual_bound if mixed else info.objective_function_value)
        bound = (least - self._ties) / self._money
        bound -= TOLERANCE * self._problem.total + self._problem.rounding
        if status == kind.kInfeasible:
            return HighsAnswer(None, np.inf, "infeasible")
        units, nets, drawn = None, {}, None
        if info.primal_solution_status == highspy.kSolutionStatusFeasible:
            solution = np.asarray(highs.getSolution().col_value, dtype=np.float64)
            units = self.units(solution)
            nets = {symbol: int(np.rint(solution[column])) for symbol, column in self._nets.items()}
            drawn = None if self._draw is None else solution[self._drawn] / self._money
        if interrupted and units is None:
            raise KeyboardInterrupt
        if status == kind.kOptimal and units is not None:
            return HighsAnswer(units, bound, "optimal", nets, drawn)
        if status in (kind.kSolutionLimit, kind.kIterationLimit, kind.kInterrupt, kind.kTimeLimit):
            return HighsAnswer(units, bound if np.isfinite(bound) else -np.inf, "limit", nets, drawn)
        return HighsAnswer(None, -np.inf, "failed")

    def _set_start(self, highs: Any, start: Ints) -> None:  # noqa: ANN401 - highspy has no types
        """Give HiGHS the whole-numbered columns of a plan; it finds the others."""
        index: list[int] = []
        value: list[float] = []
        for sign, leg in ((1.0, self._buy), (-1.0, self._sell)):
            steps = np.maximum(sign * start[leg.slots], 0.0)
            index += [*leg.trade.tolist(), *leg.switch.tolist()]
            value += [*(steps * leg.unit).tolist(), *(steps > 0).astype(np.float64).tolist()]
        highs.setSolution(len(index), np.array(index, dtype=np.int32), np.array(value))

    def _linear(self, highspy: Any) -> Any:  # noqa: ANN401 - highspy has no types
        model = self._model
        lp = highspy.HighsLp()
        lp.offset_ = model.constant
        lp.num_col_, lp.num_row_ = model.columns, model.rows
        lp.col_cost_ = np.concatenate(model.cost)
        upper = np.concatenate(model.upper)
        upper[self._off] = 0.0
        lp.col_lower_, lp.col_upper_ = np.concatenate(model.lower), upper
        lp.row_lower_, lp.row_upper_ = np.concatenate(model.row_low), np.concatenate(model.row_high)
        row, column, value = (np.concatenate(part) for part in zip(*model.triples, strict=True))
        # Equal places add up: a cash row and its hinges may name a column twice.
        key = column * model.rows + row
        places, inverse = np.unique(key, return_inverse=True)
        merged = np.bincount(inverse, weights=value)
        columns, rows = np.divmod(places, model.rows)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.searchsorted(columns, np.arange(model.columns + 1)).astype(np.int32)
        lp.a_matrix_.index_ = rows.astype(np.int32)
        lp.a_matrix_.value_ = merged
        integer = np.concatenate(model.integer)
        kinds = highspy.HighsVarType
        lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in integer.tolist()]
        return lp


def _in_reach(problem: TradeProblem) -> tuple[Ints, Ints]:
    """Return the bounds of slots: those of the symbol too where it has only one, for no other makes up for it.

    A row that counts the whole steps of one symbol keeps them by itself.
    """
    slots, rows = problem.slots, problem.rows
    symbol, exposed = slots.symbol, np.bincount(rows.at, minlength=len(problem.rows.value))
    kept = np.isin(np.arange(problem.size), rows.slot[exposed[rows.at] == 1]) & ~slots.continuous
    alone = (np.bincount(symbol, minlength=len(problem.net_low))[symbol] == 1) & ~kept
    low = np.where(alone, np.maximum(slots.low, problem.net_low[symbol]), slots.low)
    high = np.where(alone, np.minimum(slots.high, problem.net_high[symbol]), slots.high)
    return low, high


def _affordable(problem: TradeProblem) -> Ints:
    """Return the most steps of each slot that all the money an account can raise would buy."""
    slots = problem.slots
    raised = np.bincount(slots.pool, weights=-slots.low * slots.price, minlength=len(problem.cash))
    pools = np.maximum(problem.cash, 0.0) + raised
    funds = np.bincount(problem.account, weights=pools)[problem.account] if problem.linked else pools
    most = np.floor(funds[slots.pool] / slots.price * (1 + 1e-9) + 1e-6)
    return np.minimum(slots.high, most.astype(np.int64))


def _spans(
    purchases: list[tuple[int, float, float]], sales: list[tuple[int, float, float]]
) -> dict[tuple[int, int], list[tuple[float, float]]]:
    """Return, by how many slots buy and sell, what they may trade in sum: spans of steps, one for each choice of slots.

    Both are lists of (slot, least, most). Of many slots one span holds all choices of as many.
    """
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    places = {slot for slot, _, _ in (*purchases, *sales)}
    if len(places) > _CHOSEN_SLOTS:
        ends = [
            (sorted(low for _, low, _ in leg), sorted((m for _, _, m in leg), reverse=True))
            for leg in (purchases, sales)
        ]
        (least_bought, most_bought), (least_sold, most_sold) = ends
        for bought in range(len(purchases) + 1):
            for sold in range(min(len(sales), len(places) - bought) + 1):
                low = sum(least_bought[:bought]) - sum(most_sold[:sold])
                found[bought, sold] = [(low, sum(most_bought[:bought]) - sum(least_sold[:sold]))]
        return found
    ways: dict[int, list[tuple[int, int, float, float]]] = {slot: [(0, 0, 0.0, 0.0)] for slot in sorted(places)}
    for slot, least, most in purchases:
        ways[slot].append((1, 0, least, most))
    for slot, least, most in sales:
        ways[slot].append((0, 1, -most, -least))
    for chosen in product(*ways.values()):
        bought, sold, low, high = (sum(part) for part in zip(*chosen, strict=True))
        found.setdefault((int(bought), int(sold)), []).append((low, high))
    return found


def _joined(spans: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield spans of whole numbers that have none in common with one another, nor lie side by side."""
    now: tuple[float, float] | None = None
    for low, high in sorted(span for span in spans if span[0] <= span[1]):
        if now is not None and low <= now[1] + 1:
            now = now[0], max(now[1], high)
            continue
        if now is not None:
            yield now
        now = low, high
    if now is not None:
        yield now


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what HiGHS prints at times, whatever its options, out of standard output, which carries our results."""
    try:
        kept = os.dup(1)
    except OSError:  # no standard output at all, as in a windowed program
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        sys.stdout.flush()
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
