"""Which trades, other than each slot's best at the dual prices, could still be part of a better plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.trades.dual import Choices, Dual
from engine.trades.problem import Floats, Ints, Problem

MAX_ALTERNATIVES = 3_000
#: Trades kept on either side of the best where there are too many to keep all.
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Alternatives:
    """List trades other than each slot's best, by slot: units, reduced cost, cash used beyond the best's, per pool.

    `missed` is the least reduced cost of a trade left out.
    """

    slot: Ints
    units: Floats
    reduced: Floats
    cash: Floats
    missed: float


def alternatives_within(problem: Problem, choices: Choices, dual: Dual, limit: float) -> Alternatives:
    """Collect every allowed whole trade with a reduced cost within the limit.

    Along a selling or buying range the relaxed cost is convex, so these are runs of whole units around the range's best
    breakpoint; their ends are found by bisection. Where there are too many (very cheap units), an even spread of each
    run is taken, and what lies between is left to the bound.
    """
    low, high = problem.low.astype(np.float64), problem.high.astype(np.float64)
    least, none = problem.minimum.astype(np.float64), np.zeros(problem.size)
    slots, starts, ends = [], [], []
    for first, last in ((low, -least), (none, none), (low, low), (least, high)):
        inside = (choices.units >= first[:, None]) & (choices.units <= last[:, None])
        cost = np.where(inside, dual.reduced, np.inf)
        centre = choices.units[np.arange(problem.size), cost.argmin(axis=1)]
        near = np.flatnonzero(cost.min(axis=1) <= limit)
        slots.append(near)
        starts.append(_run_end(problem, dual, near, centre[near], first[near], limit))
        ends.append(_run_end(problem, dual, near, centre[near], last[near], limit))
    slot, start, end = np.concatenate(slots), np.concatenate(starts), np.concatenate(ends)
    counts = (end - start + 1).astype(np.int64)
    missed = limit
    if int(counts.sum()) > MAX_ALTERNATIVES + len(slot):
        missed = 0.0
        counts = np.minimum(counts, max(MAX_ALTERNATIVES // max(len(slot), 1), _FEWEST))
    owner = np.repeat(np.arange(len(slot)), counts)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    stretch = np.where(counts > 1, (end - start) / np.maximum(counts - 1, 1), 0.0)
    units = np.rint(start[owner] + step * stretch[owner])
    if missed == 0.0:
        # The trades next to the best are the likeliest to matter: keep them in any spread.
        around = dual.best[slot][:, None] + np.arange(-_FEWEST, _FEWEST + 1)[None, :]
        units = np.concatenate([units, np.clip(around, start[:, None], end[:, None]).ravel()])
        owner = np.concatenate([owner, np.repeat(np.arange(len(slot)), 2 * _FEWEST + 1)])
    pairs = np.unique(np.stack([slot[owner], units.astype(np.int64)]), axis=1)
    pairs = pairs[:, pairs[1] != dual.best[pairs[0]].astype(np.int64)]
    wanted = pairs[1].astype(np.float64)
    rest, best = _chosen(problem, pairs[0], wanted), _chosen(problem, pairs[0], dual.best[pairs[0]])
    reduced = _reduced(problem, dual, pairs[0], pairs[1])
    return Alternatives(pairs[0], wanted, reduced, rest.cash[:, 0] - best.cash[:, 0], missed)


def _run_end(problem: Problem, dual: Dual, slots: Ints, centre: Floats, end: Floats, limit: float) -> Floats:
    """Return how far from the centre towards an end the reduced cost stays within the limit, by bisection."""
    inside, outside = centre.copy(), end.copy()
    reached = _reduced(problem, dual, slots, end.astype(np.int64)) <= limit
    inside[reached] = end[reached]
    while True:
        open_ = np.abs(outside - inside) > 1
        if not open_.any():
            return inside
        middle = np.trunc((inside + outside) / 2)
        good = _reduced(problem, dual, slots, middle.astype(np.int64)) <= limit
        inside = np.where(open_ & good, middle, inside)
        outside = np.where(open_ & ~good, middle, outside)


def _chosen(problem: Problem, slots: Ints, units: Floats) -> Choices:
    """Value single trades in the slots given."""
    cost = problem.cost(units[:, None], slots)
    value = units[:, None] * problem.price[slots][:, None]
    deviation = np.abs(problem.shortfall[problem.symbol[slots]][:, None] - value)
    allowed = problem.allowed(units[:, None], slots)
    return Choices(units[:, None], np.where(allowed, deviation + cost, np.inf), value + cost)


def _reduced(problem: Problem, dual: Dual, slots: Ints, units: Ints) -> Floats:
    prices = dual.prices[problem.pool[slots]]
    trade = _chosen(problem, slots, units.astype(np.float64))
    best = _chosen(problem, slots, dual.best[slots])
    relaxed = trade.objective[:, 0] + prices * trade.cash[:, 0]
    return np.asarray(np.maximum(relaxed - best.objective[:, 0] - prices * best.cash[:, 0], 0.0), dtype=np.float64)
