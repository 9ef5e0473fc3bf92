"""Every way a symbol's relaxed problem can have its minimum, over all the accounts that may trade it at once.

At given prices of cash, a symbol's cost is |shortfall − p·Σn| plus one piecewise linear function per account. If two
accounts' trades were both inside a linear piece, shifting a unit from one to the other would not make it worse one way
or the other, until one of them reaches a breakpoint. So in some optimum all but one trade lie at breakpoints of their
own account, and the last beside the symbol's target: a short list per symbol, made once, priced as often as needed.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from engine.trades.problem import Floats, Ints, Problem

#: Lists longer than this in all are not made: the plain relaxation has to do.
MOST = 3_000_000


@dataclass(frozen=True, slots=True)
class Columns:
    """Hold the list, ordered by symbol: `start` of each symbol's part, slot and units of each entry (−1: unused).

    `objective` is deviation plus costs; `cash` what each entry's trade uses, as units and slots are shaped (k × width).
    """

    symbols: Ints
    start: Ints
    slots: Ints
    units: Floats
    objective: Floats
    cash: Floats

    @property
    def owner(self) -> Ints:
        """Return, for every column, the place of its symbol."""
        lengths = np.diff(np.append(self.start, len(self.objective)))
        return np.repeat(np.arange(len(self.start)), lengths)


def columns_of(problem: Problem) -> Columns | None:
    """List the columns of every tradable symbol, or None where they would be too many."""
    order = np.argsort(problem.symbol, kind="stable")
    symbols, first = np.unique(problem.symbol[order], return_index=True)
    groups = np.split(order, first[1:])
    width = max(len(group) for group in groups)
    parts, total = [], 0
    for group in groups:
        part = _combinations(problem, group)
        total += len(part)
        if total > MOST:
            return None
        parts.append(part)
    start = np.concatenate([[0], np.cumsum([len(part) for part in parts])[:-1]])
    units = np.zeros((total, width))
    slots = np.full((total, width), -1)
    for begin, group, part in zip(start.tolist(), groups, parts, strict=True):
        units[begin : begin + len(part), : len(group)] = part
        slots[begin : begin + len(part), : len(group)] = group
    at = np.maximum(slots, 0)
    cost = problem.cost(units.reshape(-1), at.reshape(-1)).reshape(units.shape)
    value = units * problem.price[at]
    deviation = np.abs(problem.shortfall[np.repeat(symbols, [len(part) for part in parts])] - value.sum(axis=1))
    return Columns(symbols, start.astype(np.int64), slots, units, deviation + cost.sum(axis=1), value + cost)


def _combinations(problem: Problem, group: Ints) -> Floats:
    """Return the units to consider for one symbol (k × its slots)."""
    edges = [edges_of(problem, slot) for slot in group.tolist()]
    target = problem.shortfall[problem.symbol[group[0]]] / problem.price[group[0]]
    found = []
    for place, slot in enumerate(group.tolist()):
        others = edges[:place] + edges[place + 1 :]
        combined = list(itertools.product(*others))
        rest = np.array(combined, dtype=np.float64).reshape(len(combined), len(others))
        wanted = target - rest.sum(axis=1)
        own = [np.full(len(rest), edge) for edge in edges[place]]
        for unit in (np.floor(wanted + 1e-12), np.ceil(wanted - 1e-12)):
            own.append(np.clip(unit, problem.minimum[slot], max(problem.high[slot], problem.minimum[slot])))
            own.append(np.clip(unit, min(problem.low[slot], -problem.minimum[slot]), -problem.minimum[slot]))
        for units in own:
            fits = problem.allowed(units[:, None], np.full(len(units), slot))[:, 0]
            found.append(np.insert(rest[fits], place, units[fits], axis=1))
    return np.unique(np.concatenate(found), axis=0)


def edges_of(problem: Problem, slot: int) -> Floats:
    """Return the whole trades of a slot between which its costs are linear."""
    low, high, least = float(problem.low[slot]), float(problem.high[slot]), float(problem.minimum[slot])
    points = [0.0, low, -least, least, high]
    if problem.fee_minimum[slot] > 0:
        for sign, rate in ((1.0, problem.buy_rate[slot]), (-1.0, problem.sell_rate[slot])):
            kink = problem.fee_minimum[slot] / (rate * problem.price[slot]) if rate > 0 else 0.0
            points += [sign * np.floor(kink), sign * np.ceil(kink)]
    values = np.unique(np.array(points))
    fits = problem.allowed(values[:, None], np.full(len(values), slot))[:, 0]
    return np.asarray(values[fits], dtype=np.float64)
