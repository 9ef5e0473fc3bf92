"""The Lagrangian dual over all cash pools and joint caps at once, by column generation.

The master problem mixes, for every symbol, some of its columns so that all pools end at their reserves at least cost.
Its dual prices say which columns are missing; where none is, its optimum is the Lagrangian dual: a bound on every plan,
minimum trades and ticket fees included. In that optimum all but a few symbols (as many as there are joint rows) use a
single column, so it also says where a good plan lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.trades.columns import Columns
from engine.trades.dual import untradable
from engine.trades.problem import Floats, Ints, Problem

_SCALE = 1e6
_ROUNDS = 60
_PENALTY = 50.0
_ENOUGH = 1e-7
_LACKING = 1e-7


@dataclass(frozen=True, slots=True)
class Prices:
    """Hold the multipliers of the joint rows, in money per money, each where it is charged.

    `pool` on cash used beyond the reserves, by pool; `level` on all cash used; `value` on the value traded, by slot (of
    group and risk caps); `turnover` on the value traded either way. `limit` is what the caps and the turnover limit
    are worth at these prices.
    """

    pool: Floats
    level: float
    value: Floats
    turnover: float
    limit: float


@dataclass(frozen=True, slots=True)
class Relaxed:
    """Hold the bound, the units of each slot's leading column, and how firmly each symbol prefers it.

    `met` tells whether the relaxation keeps every joint row. By symbol place: `firm` is the reduced cost of the next
    best column, 0 where it mixes two; `least` the priced cost of the best.
    """

    bound: float
    met: bool
    units: Floats
    symbols: Ints
    firm: Floats
    least: Floats
    prices: Prices


def relax(problem: Problem, columns: Columns) -> Relaxed | None:
    """Return the dual bound with the plan it points at, or None where HiGHS finds no relaxation."""
    from scipy.optimize import linprog

    money = _SCALE / problem.total
    rows, limits, fixed, fixed_cost = _joint_rows(problem, columns, money)
    objective = columns.objective * money
    owner, count = columns.owner, len(columns.symbols)
    chosen = _first_choice(columns, objective)
    solve: Any = linprog
    for _ in range(_ROUNDS):
        found = solve(
            np.concatenate([objective[chosen], fixed_cost]),
            A_ub=np.hstack([rows[:, chosen], fixed]),
            b_ub=limits,
            A_eq=_convexity(owner[chosen], count, fixed.shape[1]),
            b_eq=np.ones(count),
            method="highs",
        )
        if found.x is None:
            return None
        price = objective - found.ineqlin.marginals @ rows
        best = np.minimum.reduceat(price, columns.start)
        bound = float(found.fun + np.minimum(best - found.eqlin.marginals, 0.0).sum())
        if found.fun - bound <= _ENOUGH * max(abs(found.fun), 1.0):
            break
        place = _argmin_by_part(price, columns.start)
        chosen = np.union1d(chosen, place[best < found.eqlin.marginals - 1e-12])
    lacking = found.x[len(chosen) :][: 1 + len(problem.cash)]
    best = np.minimum.reduceat(price, columns.start)
    leading, firm = _leading(columns, chosen, found.x[: len(chosen)], price)
    return Relaxed(
        bound / money + untradable(problem),
        bool(lacking.max(initial=0.0) <= _LACKING),
        _units(problem, columns, leading),
        columns.symbols,
        firm,
        best / money,
        _prices(problem, np.maximum(-found.ineqlin.marginals, 0.0), limits / money),
    )


def _joint_rows(problem: Problem, columns: Columns, money: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the joint rows of the columns, their limits, and the columns that belong to no symbol, with their cost.

    Rows: pools, cash target (both ways), turnover, groups, risk caps. Columns of no symbol: what a cap is exceeded by,
    what each pool lacks, conversions, the distance to the cash target.
    """
    pools = len(problem.cash)
    at = np.maximum(columns.slots, 0)
    used = np.zeros((pools, len(columns.objective)))
    for place in range(columns.slots.shape[1]):
        np.add.at(used, (problem.pool[at[:, place]], np.arange(used.shape[1])), columns.cash[:, place] * money)
    pairs = [
        (give, take)
        for give in range(pools)
        for take in range(pools)
        if give != take and problem.linked and problem.account[give] == problem.account[take]
    ]
    extra = 1 + pools + len(pairs) + 1
    fixed_pools = np.zeros((pools, extra))
    fixed_pools[np.arange(pools), 1 + np.arange(pools)] = -1.0
    for number, (give, take) in enumerate(pairs):
        fixed_pools[give, 1 + pools + number] = 1.0
        fixed_pools[take, 1 + pools + number] = -(1.0 - problem.spread)
    level = (float(problem.cash.sum()) - problem.cash_target) * money
    spent = np.zeros(extra)
    spent[1 + pools : -1] = problem.spread
    distance = np.zeros(extra)
    distance[-1] = -1.0
    blocks = [used, used.sum(axis=0)[None, :], -used.sum(axis=0)[None, :]]
    fixed = [fixed_pools, (spent + distance)[None, :], (distance - spent)[None, :]]
    limits = [(problem.cash - problem.reserve) * money, np.array([level, -level])]
    value = columns.units * problem.price[at] * money
    slack = np.zeros(extra)
    slack[0] = -1.0
    if problem.turnover is not None:
        blocks.append(np.abs(value).sum(axis=1)[None, :])
        fixed.append(slack[None, :])
        limits.append(np.array([problem.turnover * money]))
    owner = columns.symbols[columns.owner]
    for group in problem.groups:
        inside = np.where(np.isin(owner, group.symbols), value.sum(axis=1), 0.0)[None, :]
        for sign, limit in ((1.0, group.high), (-1.0, -group.low)):
            if np.isfinite(limit):
                blocks.append(sign * inside)
                fixed.append(slack[None, :])
                limits.append(np.array([limit * money]))
    for cap in problem.risk_caps:
        risky = np.isin(columns.slots, cap.slots)
        blocks.append(np.where(risky, value, 0.0).sum(axis=1)[None, :])
        fixed.append(slack[None, :])
        limits.append(np.array([cap.room * money]))
    cost = np.concatenate([np.full(1 + pools, _PENALTY), np.full(len(pairs), problem.spread), [1.0]])
    return np.vstack(blocks), np.concatenate(limits), np.vstack(fixed), cost


def _prices(problem: Problem, multipliers: Floats, limits: Floats) -> Prices:
    """Read the multipliers in the order of `_joint_rows`."""
    pools = len(problem.cash)
    value, turnover = np.zeros(problem.size), 0.0
    rest = iter(multipliers[pools + 2 :].tolist())
    if problem.turnover is not None:
        turnover = next(rest)
    for group in problem.groups:
        for sign, limit in ((1.0, group.high), (-1.0, -group.low)):
            if np.isfinite(limit):
                value[np.isin(problem.symbol, group.symbols)] += sign * next(rest)
    for cap in problem.risk_caps:
        value[cap.slots] += next(rest)
    level = float(multipliers[pools] - multipliers[pools + 1])
    return Prices(multipliers[:pools], level, value, turnover, float(multipliers[pools + 2 :] @ limits[pools + 2 :]))


def _first_choice(columns: Columns, objective: Floats) -> Ints:
    """Return the columns to begin with: each symbol's best by itself, and doing nothing."""
    idle = np.flatnonzero((columns.units == 0).all(axis=1))
    return np.union1d(_argmin_by_part(objective, columns.start), idle)


def _argmin_by_part(values: Floats, start: Ints) -> Ints:
    least = np.minimum.reduceat(values, start)
    lengths = np.diff(np.append(start, len(values)))
    hits = np.flatnonzero(values <= np.repeat(least, lengths))
    owners = np.searchsorted(start, hits, side="right") - 1
    _, first = np.unique(owners, return_index=True)
    return np.asarray(hits[first], dtype=np.int64)


def _convexity(owner: Ints, count: int, extra: int) -> Any:  # noqa: ANN401 - scipy.sparse
    from scipy.sparse import csr_array

    shape = (count, len(owner) + extra)
    return csr_array((np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=shape)


def _leading(columns: Columns, chosen: Ints, share: Floats, price: Floats) -> tuple[Ints, Floats]:
    """Return each symbol's leading column, and how firmly it is preferred."""
    owner = columns.owner
    order = np.lexsort((-share, owner[chosen]))
    _, first = np.unique(owner[chosen][order], return_index=True)
    leading = chosen[order][first]
    rest = price.copy()
    rest[leading] = np.inf
    firm = np.minimum.reduceat(rest, columns.start) - price[leading]
    firm[share[order][first] < 1 - 1e-6] = 0.0
    return np.asarray(leading, dtype=np.int64), np.maximum(firm, 0.0)


def _units(problem: Problem, columns: Columns, leading: Ints) -> Floats:
    units = np.zeros(problem.size)
    for place in range(columns.slots.shape[1]):
        slots = columns.slots[leading, place]
        units[slots[slots >= 0]] = columns.units[leading, place][slots >= 0]
    return units
