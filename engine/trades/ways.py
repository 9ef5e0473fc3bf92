"""The ways of goals of several members: which of their slots trade, each bought or sold, and how far that moves them.

What joins goals (the cash of every pool, gross cash, overseas gains, turnover) gets a price, as in
`engine.trades.hulls`; what joins them otherwise is left out, which leaves every bound true. A goal with all that is
traded for it is then decided by itself, way by way: the steps of a way's slots cost what they cost, the cheapest first,
and the measure is convex in their sum. Sums that whole steps can come to lie apart where shares are dear, so that the
measure is that of the nearest such sums beside each of its kinks, straight between them: never above a plan's.

From the best prices follow a bound, and what every way loses at them: ways that lose more than the distance to a plan
are in no better one. What is left is a short list, for HiGHS to choose from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from engine.trades.hulls import NEAR, NOISE, HullDual, Master, Options
from engine.trades.problem import Bools, Floats, Ints, TradeProblem

#: Ways of a goal that are told apart; of more, those of few orders, and all others as one.
_MOST_WAYS = 2_500
#: Sums of whole steps that are weighed to find those beside a kink; of more, any sum is taken to be one.
_MOST_SUMS = 4_000
#: Rounds in search of the best prices, and ways that are added for a goal in each.
_ROUNDS, _ADDED = 60, 3


@dataclass(frozen=True, slots=True)
class Way:
    """Slots that trade, bought (1) or sold (−1), with their least and most steps.

    They move the goal's row to between the first and the last of `ends` (as changes in money), where its measure comes
    to `worth`, straight between them. `others`: at least so many of the slots trade, whichever; 0: all of them.
    """

    slots: Ints
    sides: Ints
    least: Floats
    most: Floats
    ends: Floats
    worth: Floats
    others: int = 0


@dataclass(frozen=True, slots=True)
class _Legs:
    """What may be traded one way, l of them: a slot bought or sold, from `least` to `most` steps.

    `move`: of the row, in money for a step, its direction included. A leg starts where it moves the row least (`start`,
    l × quantities) and goes on in pieces that raise it, each dearer than the one before: `piece` is whose, `length` in
    money of the row, `per` (pieces × quantities) for a unit of it. Quantities are the cost in the objective, then the
    amounts of `engine.trades.hulls.Options`.
    """

    slot: Ints
    side: Ints
    least: Floats
    most: Floats
    move: Floats
    start: Floats
    piece: Ints
    length: Floats
    per: Floats


@dataclass(frozen=True, slots=True)
class _Goal:
    """Slots that are decided together: their legs, and the measure of the row they move, by what it is moved.

    `taken` (ways × legs) tells which legs a way trades, `low` and `high` how far it may move the row. Where
    `others` is not 0 there is one way more: at least so many of all legs trade.
    """

    row: int
    legs: Ints
    kink: Floats
    sign: Floats
    weight: Floats
    taken: Bools
    low: Floats
    high: Floats
    others: int

    def measure(self, moved: Floats) -> Floats:
        """Return how far off the row ends."""
        terms = self.weight * np.maximum(self.sign * (moved[..., None] - self.kink), 0.0)
        return np.asarray(terms.sum(axis=-1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Least:
    """The least that a way comes to at some prices, by how far it moves the row, and the option that does."""

    value: float
    moved: Floats
    values: Floats
    cost: float
    amounts: Floats


class Ways:
    """The goals of a problem, with all the ways to trade for them. `fits`: whether each slot is for one aim at most."""

    def __init__(self, problem: TradeProblem) -> None:
        self.problem = problem
        self.joint = np.zeros(0, dtype=np.int64)
        self._known: dict[tuple[int, int], tuple[Floats, Floats] | None] = {}
        groups = list(_groups(problem))
        self.fits = problem.size > 0 and all(len(aims) <= 1 for _, aims in groups)
        self._goals: list[_Goal] = []
        self.symbols = np.arange(len(groups))
        if not self.fits:
            return
        row = np.full(problem.size, -1)
        for slots, aims in groups:
            row[slots] = aims[0] if aims else -1
        self.constant, self._linear = _straight(problem, row)
        rows = problem.rows
        self._share = np.where(row < 0, 1.0, 0.0)
        own = rows.at == row[rows.slot]
        self._share[rows.slot[own]] = rows.share[own]
        self.fits = bool((self._share > 0).all())
        if self.fits:
            self._legs = self._all_legs()
            self._goals = [self._goal(slots, aims[0] if aims else -1) for slots, aims in groups]

    def risk_column(self, place: int) -> int:
        """Return which amount says what is bought of a risk cap's assets: they are left out."""
        return len(self.problem.cash) + 3 + 2 * place

    def _all_legs(self) -> _Legs:
        problem, slots = self.problem, self.problem.slots
        found: list[tuple[int, int, float, float]] = []
        lows, highs = _reached(problem)
        for own in range(problem.size):
            low, high = int(lows[own]), int(highs[own])
            if 0 < high >= slots.minimum_buy[own]:
                found.append((own, 1, float(slots.minimum_buy[own]), float(high)))
            full = slots.full[own] and low == slots.low[own]
            if low < 0 and (full or -low >= slots.minimum_sell[own]):
                found.append((own, -1, float(min(slots.minimum_sell[own], -low)), float(-low)))
        places = np.array([leg[:2] for leg in found], dtype=np.int64).reshape(-1, 2)
        sizes = np.array([leg[2:] for leg in found], dtype=np.float64).reshape(-1, 2)
        slot, side = places[:, 0], places[:, 1]
        move = side * self._share[slot] * slots.price[slot]
        starts: list[Floats] = []
        piece: list[int] = []
        length: list[float] = []
        per: list[Floats] = []
        for leg, (own, way, first, last) in enumerate(found):
            steps = self._bends(own, way, first, last)[::way]
            taking = self._taking(own, way, steps)
            starts.append(taking[0])
            for one in range(len(steps) - 1):
                piece.append(leg)
                length.append(float(move[leg] * (steps[one + 1] - steps[one])))
                per.append((taking[one + 1] - taking[one]) / length[-1])
        width = 1 + self._width
        start, pieces = np.array(starts).reshape(-1, width), np.array(per).reshape(-1, width)
        which = np.array(piece, dtype=np.int64)
        least, most = sizes.T
        return _Legs(slot, side, least, most, move, start, which, np.array(length), pieces)

    @property
    def _width(self) -> int:
        """Return the number of amounts."""
        return len(self.problem.cash) + 3 + 2 * len(self.problem.risk_caps)

    def _bends(self, slot: int, side: int, least: float, most: float) -> Floats:
        """Return the steps between which what a leg takes is straight: a ticket fee ends where the rate is more."""
        slots = self.problem.slots
        rate = float((slots.buy_rate if side > 0 else slots.sell_rate)[slot] * slots.price[slot])
        ends = float(slots.fee_minimum[slot]) / rate if rate > 0 else np.inf
        return np.unique(np.array([least, ends, most] if least < ends < most else [least, most]))

    def _taking(self, slot: int, side: int, steps: Floats) -> Floats:
        """Return the quantities of trading so many steps (k × quantities), never above what they are.

        A gain that a ticket fee lessens is taken to be straight from the least to the most steps.
        """
        problem, slots = self.problem, self.problem.slots
        pools = len(problem.cash)
        value = steps * slots.price[slot]
        cost = np.maximum((slots.buy_rate if side > 0 else slots.sell_rate)[slot] * value, slots.fee_minimum[slot])
        gain = np.zeros(len(steps))
        if side < 0:
            cost = cost + slots.tax_rate[slot] * value
            ends = np.array([steps.min(), steps.max()])
            at = np.array([int(steps.argmin()), int(steps.argmax())])
            gain = np.interp(steps, ends, (steps * slots.gain[slot] - cost)[at])
        withheld = slots.withheld[slot] * gain * (gain.max(initial=0.0) > 0)
        found = np.zeros((len(steps), 1 + self._width))
        found[:, 0] = cost + problem.tax_weight * withheld + problem.order - slots.slack[slot]
        found[:, 0] += side * (self._linear[slot] * steps + max(side, 0) * slots.dislike[slot] * value)
        found[:, 1 + slots.pool[slot]] = side * value + cost + withheld - slots.cash_slack[slot]
        found[:, 1 + pools] = side * value + slots.cash_slack[slot]
        found[:, 2 + pools] = gain * slots.overseas[slot]
        found[:, 3 + pools] = value
        return found

    def _goal(self, slots: Ints, row: int) -> _Goal:
        problem, rows = self.problem, self.problem.rows
        legs = np.flatnonzero(np.isin(self._legs.slot, slots))
        own = np.zeros(problem.size)
        own[slots] = self._share[slots]
        low, high, alike = -np.inf, np.inf, []
        for other in np.unique(rows.at[np.isin(rows.slot, slots)]).tolist() if row >= 0 else ():
            exposed = np.zeros(problem.size)
            exposed[rows.slot[rows.at == other]] = rows.share[rows.at == other]
            if np.array_equal(exposed, own):
                alike.append(other)
                low, high = (
                    max(low, rows.low[other] - rows.value[other]),
                    min(high, rows.high[other] - rows.value[other]),
                )
        taken, others = self._taken(legs)
        lows, highs = np.full(len(taken), low), np.full(len(taken), high)
        for reach in problem.reaches:
            if reach.row in alike:
                most = np.zeros(problem.size)
                most[reach.slots] = reach.most
                far = np.where(self._legs.side[legs] == reach.sign, most[self._legs.slot[legs]], 0.0)
                furthest = (taken * far).max(axis=1, initial=0.0)
                if reach.sign > 0:
                    highs = np.minimum(highs, furthest)
                else:
                    lows = np.maximum(lows, -furthest)
        mine = np.flatnonzero(rows.hinges.row == row)
        kink = rows.hinges.kink[mine] - (rows.value[row] if row >= 0 else 0.0)
        return _Goal(row, legs, kink, rows.hinges.sign[mine], rows.hinges.weight[mine], taken, lows, highs, others)

    def _taken(self, legs: Ints) -> tuple[Bools, int]:
        """Return which legs each way trades, and how many trade at least in all others; 0 where there are none."""
        problem, slot, side = self.problem, self._legs.slot[legs], self._legs.side[legs]
        count, most = len(legs), len(np.unique(slot))
        sizes, total = 0, 1
        while sizes < most and (sizes < 1 or total + comb(count, sizes + 1) <= _MOST_WAYS):
            sizes += 1
            total += comb(count, sizes)
        found = [np.zeros((1, count), dtype=np.bool_)]
        for size in range(1, sizes + 1):
            chosen = np.array(list(combinations(range(count), size)), dtype=np.int64)
            some = np.zeros((len(chosen), count), dtype=np.bool_)
            some[np.arange(len(chosen))[:, None], chosen] = True
            found.append(some)
        taken = np.concatenate(found)
        keep = np.ones(len(taken), dtype=np.bool_)
        for one in np.unique(slot).tolist():
            keep &= taken[:, slot == one].sum(axis=1) < 2
        symbol = problem.slots.symbol[slot]
        least = np.where(side > 0, self._legs.least[legs], -self._legs.most[legs])
        largest = np.where(side > 0, self._legs.most[legs], -self._legs.least[legs])
        for one in np.unique(symbol).tolist():
            own = symbol == one
            keep &= taken[:, own] @ least[own] <= problem.net_high[one]
            keep &= taken[:, own] @ largest[own] >= problem.net_low[one]
        return taken[keep], 0 if sizes == most else sizes + 1

    # --- at some prices

    def _values(self, goal: _Goal, paid: Floats) -> Floats:
        """Return the least that each way comes to where a unit of a quantity is `paid`, as if steps were fractions."""
        legs = self._legs
        which = np.flatnonzero(np.isin(legs.piece, goal.legs))
        owner = np.searchsorted(goal.legs, legs.piece[which])
        start = goal.taken @ (legs.start[goal.legs] @ paid)
        moved = goal.taken @ self._lowest(goal)
        pieces = np.where(goal.taken[:, owner], legs.length[which], 0.0)
        return self._cheapest(goal, start, moved, (legs.per[which] @ paid, pieces), goal.low, goal.high)

    def _lowest(self, goal: _Goal) -> Floats:
        """Return what each leg moves the row by where that is least."""
        legs, mine = self._legs, goal.legs
        return np.asarray(legs.move[mine] * np.where(legs.side[mine] > 0, legs.least[mine], legs.most[mine]))

    def _cheapest(
        self, goal: _Goal, start: Floats, moved: Floats, pieces: tuple[Floats, Floats], low: Floats, high: Floats
    ) -> Floats:
        """Return the least of ways, measure included: from `start` and `moved` on, the cheapest pieces are taken first.

        `pieces` are what a unit costs, and lengths by way.
        """
        order = np.argsort(pieces[0], kind="stable")
        unit, long = pieces[0][order], pieces[1][:, order]
        after = np.cumsum(long, axis=1) + moved[:, None]
        ends = np.concatenate([moved[:, None], after], axis=1)
        least, most = np.maximum(moved, low), np.minimum(ends[:, -1], high)
        kinks = np.broadcast_to(goal.kink, (len(moved), len(goal.kink)))
        sums = np.concatenate([ends, kinks, least[:, None], most[:, None]], axis=1)
        sums = np.clip(sums, least[:, None], np.maximum(least, most)[:, None])
        value = goal.measure(sums) + start[:, None]
        for place, cost in enumerate(unit.tolist()):
            value += cost * np.clip(sums - ends[:, [place]], 0.0, long[:, [place]])
        return np.where(least <= most + self._hair, value.min(axis=1), np.inf)

    def _of_others(self, goal: _Goal, paid: Floats) -> float:
        """Return a value that ways of many orders are not below: what they trade beyond its fixed cost at any steps."""
        legs, mine = self._legs, goal.legs
        fixed, unit = np.zeros(len(mine)), np.zeros(len(mine))
        for place, leg in enumerate(mine.tolist()):
            steps = self._bends(int(legs.slot[leg]), int(legs.side[leg]), float(legs.least[leg]), float(legs.most[leg]))
            cost = self._taking(int(legs.slot[leg]), int(legs.side[leg]), steps) @ paid
            if len(steps) > 1:
                unit[place] = (cost[-1] - cost[0]) / (steps[-1] - steps[0])
            fixed[place] = (cost - unit[place] * steps).min()
        far = legs.move[mine] * legs.most[mine]
        sold = legs.side[mine] < 0
        start = goal.others * max(float(fixed.min()), 0.0) + float(fixed.clip(max=0.0).sum())
        start += float((unit * legs.most[mine])[sold].sum())
        found = self._cheapest(
            goal,
            np.array([start]),
            np.array([float(far[sold].sum())]),
            (unit / legs.move[mine], np.abs(far)[None, :]),
            np.array([float(goal.low.min())]),
            np.array([float(goal.high.max())]),
        )
        return float(found[0])

    def _sums(self, number: int, way: int) -> tuple[Floats, Floats] | None:
        """Return the ends of a way's measure, and what it comes to there; None where its steps come to no sum."""
        key = number, way
        if key not in self._known:
            self._known[key] = self._summed(self._goals[number], way)
        return self._known[key]

    def _summed(self, goal: _Goal, way: int) -> tuple[Floats, Floats] | None:
        problem, legs = self.problem, self._legs
        mine = goal.legs[goal.taken[way]]
        slot = legs.slot[mine]
        symbol = problem.slots.symbol[slot]
        each = np.unique(symbol)
        least = np.where(legs.side[mine] > 0, legs.least[mine], -legs.most[mine])
        most = np.where(legs.side[mine] > 0, legs.most[mine], -legs.least[mine])
        low, high = (np.array([side[symbol == one].sum() for one in each]) for side in (least, most))
        low, high = np.maximum(low, problem.net_low[each]), np.minimum(high, problem.net_high[each])
        move = np.array([np.abs(legs.move[mine][symbol == one][0]) for one in each])
        first = max(float(low @ move), float(goal.low[way])) if len(each) else 0.0
        last = min(float(high @ move), float(goal.high[way])) if len(each) else 0.0
        if (low > high).any() or first > last + self._hair:
            return None
        last = max(first, last)
        kinks = np.unique(np.concatenate([[first, last], goal.kink[(goal.kink > first) & (goal.kink < last)]]))
        ends = kinks
        if len(each) and not problem.slots.continuous[slot].any():
            ends = _beside(kinks, move, low, high, self._hair)
            ends = ends[(ends >= goal.low[way] - self._hair) & (ends <= goal.high[way] + self._hair)]
        return (ends, goal.measure(ends)) if len(ends) else None

    @property
    def _hair(self) -> float:
        return 1e-9 * self.problem.total

    def _least(self, number: int, way: int, paid: Floats) -> _Least | None:
        """Return the least that a way comes to, its measure that at sums of whole steps."""
        goal, legs = self._goals[number], self._legs
        ends = self._sums(number, way)
        if ends is None:
            return None
        mine = goal.legs[goal.taken[way]]
        which = np.flatnonzero(np.isin(legs.piece, mine))
        unit = legs.per[which] @ paid
        which = which[np.argsort(unit, kind="stable")]
        unit = np.sort(unit, kind="stable")
        moved = float(self._lowest(goal)[goal.taken[way]].sum())
        corner = moved + np.concatenate([[0.0], np.cumsum(legs.length[which])])
        spent = np.concatenate([[0.0], np.cumsum(legs.length[which] * unit)])
        start = legs.start[mine].sum(axis=0)
        points = np.unique(np.concatenate([ends[0], corner[(corner > ends[0][0]) & (corner < ends[0][-1])]]))
        points = points[(points >= corner[0] - self._hair) & (points <= corner[-1] + self._hair)]
        if not len(points):
            return None
        worth = np.interp(points, *ends)
        values = float(start @ paid) + np.interp(points, corner, spent) + worth
        best = int(values.argmin())
        done = np.clip(points[best] - corner[:-1], 0.0, legs.length[which])
        taking = start + done @ legs.per[which]
        return _Least(float(values[best]), points, values, float(taking[0] + worth[best]), taking[1:])

    def least(self, prices: Floats, number: int, beyond: float = 0.0) -> tuple[dict[int, _Least], float]:
        """Return ways of a goal by number, with all that lose no more than `beyond` at prices, and the least of all."""
        goal, paid = self._goals[number], np.concatenate([[1.0], -prices])
        rough = self._values(goal, paid)
        found: dict[int, _Least] = {}
        best = self._of_others(goal, paid) if goal.others else np.inf
        for way in np.argsort(rough, kind="stable").tolist():
            if not np.isfinite(rough[way]) or (found and rough[way] > best + beyond):
                break
            one = self._least(number, way, paid)
            if one is not None:
                found[way] = one
                best = min(best, one.value)
        return found, best

    def maximise(self) -> HullDual | None:
        """Return the best bound and its prices."""
        return _WaysMaster(self).solve() if self.fits and self._goals else None

    def within(self, dual: HullDual, gap: float) -> dict[int, list[Way]]:
        """Return, by row, the ways that lose no more than `gap` at the prices, as far as they lose no more."""
        legs, found = self._legs, {}
        for number, goal in enumerate(self._goals):
            if goal.row < 0:
                continue
            most = float(dual.least[number]) + gap
            ways = []
            kept, _ = self.least(dual.prices, number, gap)
            for way, one in kept.items():
                if one.value > most:
                    continue
                mine = goal.legs[goal.taken[way]]
                if (ends := self._sums(number, way)) is None:
                    continue
                low, high = _span(one.moved, one.values, most)
                inner = np.unique(np.concatenate([[low, high], ends[0][(ends[0] > low) & (ends[0] < high)]]))
                ways.append(self._way(mine, inner, np.interp(inner, *ends), 0))
            if goal.others and self._of_others(goal, np.concatenate([[1.0], -dual.prices])) <= most:
                far = np.array([float((legs.move * legs.most)[goal.legs][side].sum()) for side in self._sides(goal)])
                low, high = max(far[0], float(goal.low.min())), min(far[1], float(goal.high.max()))
                inner = np.unique(np.concatenate([[low, high], goal.kink[(goal.kink > low) & (goal.kink < high)]]))
                ways.append(self._way(goal.legs, inner, goal.measure(inner), goal.others))
            found[goal.row] = ways
        return found

    def _sides(self, goal: _Goal) -> tuple[Bools, Bools]:
        return self._legs.side[goal.legs] < 0, self._legs.side[goal.legs] > 0

    def _way(self, mine: Ints, ends: Floats, worth: Floats, others: int) -> Way:
        legs = self._legs
        return Way(legs.slot[mine], legs.side[mine], legs.least[mine], legs.most[mine], ends, worth, others)

    def none(self) -> Options:
        """Return options that bound what any may gain."""
        gains = np.zeros((len(self._goals), self._width))
        legs, pools = self._legs, len(self.problem.cash)
        most = np.maximum(legs.start[:, 2 + pools], 0.0)
        np.maximum.at(most, legs.piece, legs.start[legs.piece, 2 + pools] + (legs.per[:, 2 + pools] * legs.length))
        for number, goal in enumerate(self._goals):
            gains[number, pools + 1] = most[goal.legs].clip(0.0).sum()
        return Options(np.arange(len(gains)), np.zeros((len(gains), 1)), np.zeros(len(gains)), gains)


class _WaysMaster(Master):
    """The linear program over the ways of goals: one of each, mixed, within what joins them."""

    def __init__(self, ways: Ways) -> None:
        super().__init__(ways, ways.none(), frozenset())
        self._ways = ways

    def solve(self) -> HullDual | None:
        """Add ways until none is worth anything; return the best bound on the way."""
        goals = len(self._ways.symbols)
        highs, best = self._started(), None
        prices = np.zeros(self._weights.shape[0])
        dual = np.zeros(goals + self._weights.shape[1])
        worth = np.full(goals, np.inf)
        for turn in range(_ROUNDS):
            if turn:
                highs.run()
                dual = np.asarray(highs.getSolution().row_dual, dtype=np.float64)
                if len(dual) != goals + self._weights.shape[1] or not np.isfinite(dual).all():
                    break
                worth = dual[:goals] / self._money
                prices = self.prices(self._signed(dual[goals:]))
            least, new = np.zeros(goals), []
            for goal in range(goals):
                found, least[goal] = self._ways.least(prices, goal)
                close = sorted(found.values(), key=lambda one: one.value)[:_ADDED]
                new += [(goal, one) for one in close if (one.value - worth[goal]) * self._money < -1e-9]
            if turn:
                bound = self.bound(self._signed(dual[goals:]), least)
                if best is None or bound > best.bound:
                    best = HullDual(bound, prices, least)
                value = float(highs.getInfo().objective_function_value) / self._money + self._ways.constant
                if not new or value - best.bound <= NEAR * abs(value) + NOISE * self._problem.total:
                    break
            elif any(goal not in {owner for owner, _ in new} for goal in range(goals)):
                return None
            added = Options(
                np.array([goal for goal, _ in new]),
                np.zeros((len(new), 1)),
                np.array([one.cost for _, one in new]),
                np.array([one.amounts for _, one in new]),
            )
            self._add(highs, added)
        return best

    def _signed(self, dual: Floats) -> Floats:
        """Return prices of cash that are none below 0: costs are taken to be less than they may be."""
        pools = len(self._problem.cash)
        return np.concatenate([np.minimum(dual[:pools], 0.0), dual[pools:]])


def _groups(problem: TradeProblem) -> Iterator[tuple[Ints, list[int]]]:
    """Yield slots that are decided together, for they share a symbol or an aim, with their aims.

    An aim is a row that counts what is short and what is over.
    """
    rows, hinges = problem.rows, problem.rows.hinges
    aims = np.intersect1d(hinges.row[hinges.sign > 0], hinges.row[hinges.sign < 0])
    group = np.arange(problem.size)
    joined = [np.flatnonzero(problem.slots.symbol == one) for one in np.unique(problem.slots.symbol)]
    joined += [rows.slot[rows.at == aim] for aim in aims]
    for mine in joined:
        if len(mine):
            group[np.isin(group, group[mine])] = group[mine].min()
    for one in np.unique(group):
        mine = np.flatnonzero(group == one)
        yield mine, [int(aim) for aim in aims if np.isin(rows.slot[rows.at == aim], mine).any()]


def _reached(problem: TradeProblem) -> tuple[Ints, Ints]:
    """Return how far slots may go, given what their symbol may over all accounts and the others of it make up for."""
    slots = problem.slots
    count = len(problem.net_low)
    low, high = (np.bincount(slots.symbol, weights=side, minlength=count) for side in (slots.low, slots.high))
    down = problem.net_low[slots.symbol] - (high[slots.symbol] - slots.high)
    up = problem.net_high[slots.symbol] - (low[slots.symbol] - slots.low)
    found = np.clip(down, slots.low, 0), np.clip(up, 0, slots.high)
    return found[0].astype(np.int64), found[1].astype(np.int64)


def _straight(problem: TradeProblem, own: Ints) -> tuple[float, Floats]:
    """Return what rows come to that are bent nowhere: before trading, and by step of each slot; others count nothing.

    `own` is the row of each slot that is left out, for it is measured.
    """
    rows, slots, hinges = problem.rows, problem.slots, problem.rows.hinges
    constant, slope = problem.spent - problem.forgiven, np.zeros(problem.size)
    for row in np.unique(hinges.row).tolist():
        exposed = np.flatnonzero(rows.at == row)
        if row in own and len(exposed):
            continue
        at, share = rows.slot[exposed], rows.share[exposed]
        value = share * slots.price[at]
        ends = (
            rows.value[row] + float((value * slots.low[at]).sum()),
            rows.value[row] + float((value * slots.high[at]).sum()),
        )
        for hinge in np.flatnonzero(hinges.row == row).tolist():
            sign, kink, weight = (float(part[hinge]) for part in (hinges.sign, hinges.kink, hinges.weight))
            if min(sign * (end - kink) for end in ends) >= -1e-9 * problem.total:
                constant += weight * sign * (float(rows.value[row]) - kink)
                slope[at] += weight * sign * value
    return constant, slope


def _beside(kinks: Floats, move: Floats, low: Floats, high: Floats, hair: float) -> Floats:
    """Return the sums of whole steps (each in its range, times its move) next to kinks; the kinks if there are many."""
    order = np.argsort(high - low, kind="stable")
    move, low, high = move[order], np.ceil(low[order]), np.floor(high[order])
    if np.prod((high - low + 1.0)[:-1]) > _MOST_SUMS:
        return kinks
    sums = np.zeros(1)
    for by, first, last in zip(move[:-1], low[:-1], high[:-1], strict=True):
        sums = (sums[:, None] + by * np.arange(first, last + 1)[None, :]).ravel()
    steps = (kinks[None, :] - sums[:, None]) / move[-1]
    found = [np.clip(cut, low[-1], high[-1]) for cut in (np.floor(steps + 1e-9), np.ceil(steps - 1e-9))]
    near = np.concatenate([sums[:, None] + move[-1] * part for part in found])
    below = np.where(near <= kinks + hair, near, -np.inf).max(axis=0)
    above = np.where(near >= kinks - hair, near, np.inf).min(axis=0)
    both = np.concatenate([below, above])
    return np.unique(both[np.isfinite(both)])


def _span(points: Floats, values: Floats, most: float) -> tuple[float, float]:
    """Return between which points a convex function, straight between some of them, is no more than `most`."""
    inside = np.flatnonzero(values <= most)
    first, last = int(inside[0]), int(inside[-1])
    low, high = float(points[first]), float(points[last])
    if first:
        low -= (most - values[first]) / (values[first - 1] - values[first]) * (low - points[first - 1])
    if last + 1 < len(points):
        high += (most - values[last]) / (values[last + 1] - values[last]) * (points[last + 1] - high)
    return float(low), float(high)
