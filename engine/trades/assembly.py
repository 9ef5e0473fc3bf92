"""Combine the symbols' totals into whole portfolios, best first, by a bound that no split of them can be below.

A state is what the symbols so far bring: reduced cost, deviation with the least fees, cash used, and charges. Where
there are very many, only those that fewer than a given number of others dominate are kept: so many of the best
portfolios are still found, and the bound says from where on the list is incomplete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.trades.dual import untradable
from engine.trades.problem import Bools, Floats, Ints, Problem
from engine.trades.totals import Totals

#: States tried at a stage, and kept after it, at most.
_TRIED = 600_000
_KEPT = 40_000
#: States below which looking for dominated ones costs more than it saves.
_FEW = 3_000
_STEPS = 40
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Portfolios:
    """List portfolios as totals (k × symbols) with a bound each, in order; complete for bounds below `complete`."""

    totals: Ints
    bound: Floats
    complete: float


@dataclass(frozen=True, slots=True)
class _States:
    """Hold what states bring so far, by row; `pooled` is the reduced cost with all cash in one pool."""

    reduced: Floats
    pooled: Floats
    deviation: Floats
    cash: Floats
    charges: Floats

    def __len__(self) -> int:
        return len(self.reduced)

    def plus(self, other: _States) -> _States:
        """Return every state with every one of the other, in the order of this one."""
        return _States(*(_sums(mine, its) for mine, its in zip(self.all, other.all, strict=True)))

    def at(self, rows: Ints) -> _States:
        """Return the states in the rows given."""
        return _States(*(part[rows] for part in self.all))

    @property
    def all(self) -> tuple[Floats, ...]:
        """Return the columns."""
        return self.reduced, self.pooled, self.deviation, self.cash, self.charges


def _sums(mine: Floats, its: Floats) -> Floats:
    return np.asarray((mine[:, None] + its[None]).reshape(len(mine) * len(its), *mine.shape[1:]), dtype=np.float64)


def assemble(
    problem: Problem, options: Sequence[Totals], bound: float, limit: float, most: Floats, layers: int
) -> Portfolios | None:
    """List the portfolios whose bound is within the limit, or None where they are too many to look through.

    `bound` is the dual bound that reduced costs add to, `most` what the charges may add up to.
    """
    available = float((problem.cash - problem.reserve).sum())
    room = problem.cash_target - float(problem.reserve.sum())
    fixed = untradable(problem)
    if any(not len(option.units) for option in options):
        return Portfolios(np.zeros((0, len(options)), dtype=np.int64), np.zeros(0), limit)
    price, pooled_bound = _pooled(options, available, room)
    tolerance = 1e-9 * problem.total
    parts = [_part(option, price) for option in options]
    order = sorted(range(len(options)), key=lambda place: -float(np.ptp(options[place].cash)))
    later_cash = _later([parts[place].cash.min() for place in order])
    later_charge = _later([parts[place].charges.min(axis=0) for place in order])
    none = np.zeros(1)
    states, cut = _States(none, none, none, none, np.zeros((1, len(most)))), False
    history: list[tuple[Ints, Ints]] = []
    for stage, place in enumerate(order):
        part = parts[place]
        if len(states) * len(part) > _TRIED:
            return None
        tried = states.plus(part)
        kept = np.flatnonzero(
            (tried.reduced <= limit - bound)
            & (tried.pooled <= limit - pooled_bound - fixed)
            & (tried.cash + later_cash[stage] <= available + tolerance)
            & (tried.charges + later_charge[stage] <= most + tolerance).all(axis=1)
        )
        if len(kept) > _FEW:
            strong = kept[_first_layers(tried.at(kept), layers, tolerance)]
            cut |= len(strong) < len(kept)
            kept = strong
        if len(kept) > _KEPT:
            return None
        history.append((kept // len(part), kept % len(part)))
        states = tried.at(kept)
    whole = states.deviation + np.abs(room - (available - states.cash)) + fixed
    value = np.maximum(bound + states.reduced, whole)
    rows = np.flatnonzero(value <= limit)
    # Of portfolios with the same bound, those that use least cash first: where they cannot be split, the others cannot.
    rows = rows[np.lexsort((states.cash[rows], np.rint(value[rows] / tolerance)))]
    complete = float(value[rows[layers - 1]]) if cut and len(rows) >= layers else limit
    return Portfolios(_read(options, order, history, rows), value[rows], complete)


def _part(option: Totals, price: float) -> _States:
    pooled = option.deviation + price * option.cash
    return _States(option.reduced, pooled - pooled.min(), option.deviation, option.cash, option.charges)


def _later(least: list[Floats]) -> Floats:
    """Return, for each stage, the least that the stages after it add."""
    whole = np.cumsum(np.array(least)[::-1], axis=0)[::-1]
    return np.concatenate([whole[1:], np.zeros_like(whole[:1])])


def _pooled(options: Sequence[Totals], available: float, room: float) -> tuple[float, float]:
    """Return the best dual bound of the portfolio with all cash in one pool, and the price of cash that reaches it."""
    deviation, cash = np.concatenate([o.deviation for o in options]), np.concatenate([o.cash for o in options])
    start = np.concatenate([[0], np.cumsum([len(o.units) for o in options])[:-1]])

    def at(price: float) -> float:
        least = float(np.minimum.reduceat(deviation + price * cash, start).sum())
        return least - price * available + (min(room, price * room) if room > 0 else -room)

    low, high = -1.0, 3.0
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if at(left) < at(right):
            low = left
        else:
            high = right
    return (low + high) / 2, at((low + high) / 2)


def _first_layers(states: _States, layers: int, tolerance: float) -> Ints:
    """Return the states that fewer than `layers` others dominate (and perhaps a few more).

    One state dominates another if it uses no more cash and no more of what is scarce, and stays ahead even if the cash
    that it leaves more counts fully against it. Each round keeps what no rival in it dominates; whatever is left after
    the last has been dominated once a round, each time by another.
    """
    kept = np.zeros(len(states), dtype=bool)
    rest = np.arange(len(states))
    for _ in range(layers):
        if not len(rest):
            break
        beaten = _dominated(states.at(rest), tolerance)
        kept[rest[~beaten]] = True
        rest = rest[beaten]
    return np.flatnonzero(kept)


def _dominated(states: _States, tolerance: float) -> Bools:
    ahead = states.deviation - states.cash
    first = states.charges[:, 0]
    order = np.lexsort((first, ahead, states.cash))
    beaten = np.zeros(len(states), dtype=bool)
    for score in (ahead + first, ahead, *(ahead + column for column in states.charges[:, 1:].T)):
        ranked = score[order]
        holder = np.maximum.accumulate(np.where(ranked == np.minimum.accumulate(ranked), np.arange(len(order)), 0))
        me, rival = order[1:], order[holder[:-1]]
        no_worse = (states.charges[rival] <= states.charges[me]).all(axis=1)
        for figure in (states.reduced, states.pooled, ahead, states.cash):
            no_worse &= figure[rival] <= figure[me]
        strictly = (ahead[rival] < ahead[me] - tolerance) | (states.cash[rival] < states.cash[me] - tolerance)
        beaten[me] |= no_worse & (strictly | (rival < me))
    return beaten


def _read(options: Sequence[Totals], order: list[int], history: list[tuple[Ints, Ints]], rows: Ints) -> Ints:
    """Return the totals of the states in the rows given, by symbol."""
    totals = np.zeros((len(rows), len(options)), dtype=np.int64)
    for place, (parents, picks) in zip(reversed(order), reversed(history), strict=True):
        totals[:, place] = options[place].units[picks[rows]].astype(np.int64)
        rows = parents[rows]
    return totals
