"""Solve the trade problem with HiGHS: to optimality where that is quick, around its linear relaxation where it is not.

Beyond a few slots the Lagrangian dual over all cash pools and joint caps gives the bound and points at a plan; HiGHS
then solves the much smaller problem of its neighbourhood.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from engine.trades.columns import columns_of
from engine.trades.master import Relaxed, relax
from engine.trades.model import Columns, build
from engine.trades.problem import Floats, Ints, Problem, Solution, evaluate, settle

#: Deterministic limits first; the clock is only a safety net.
NODES = 3_000
SECONDS = 60.0
#: Distance to the bound, relative to the objective, at which HiGHS may stop.
GAP = 1e-7
#: Symbols decided anew around the relaxation, units the others may move by, and the limits of that smaller problem.
CORE = 12
REACH = 8
NEAR_NODES = 400
NEAR_GAP = 1e-5
SPLIT_GAP = 1e-9

_INFEASIBLE = 2
_TRIES = 3
#: What `solve_exactly` returns where it is proven that no plan exists.
INFEASIBLE = Solution(np.zeros(0, dtype=np.int64), np.inf, "infeasible")


def solve_exactly(problem: Problem, *, nodes: int = NODES, seconds: float = SECONDS) -> Solution | None:
    """Return the optimum (or the best within the limits) with its bound; None where nothing feasible was found."""
    tighter, bound = problem, -np.inf
    for _ in range(_TRIES):
        columns = build(tighter)
        found = _milp(columns, nodes, seconds)
        if found.x is None:
            return INFEASIBLE if found.status == _INFEASIBLE and tighter is problem else None
        solution = _solution(columns, found, problem.size)
        bound = max(bound, solution.bound) if tighter is problem else bound
        if _is_feasible(problem, solution.units):
            return Solution(solution.units, bound, "highs")
        tighter = _tightened(problem, tighter, solution.units)
    return None


def solve_around_relaxation(problem: Problem) -> Solution | None:
    """Return a good plan for a larger problem, and the bound of the Lagrangian dual over all pools and caps.

    Around the plan that the dual points at, each trade may move by a few units; only symbols that hardly prefer it, and
    enough of them for the cash to come out, are decided wholly anew. That leaves HiGHS a small and tight problem.
    """
    listed = columns_of(problem)
    relaxed = None if listed is None else relax(problem, listed)
    if relaxed is None or not relaxed.met:
        return None
    columns = build(problem)
    for free, reach in ((CORE, REACH), (2 * CORE, 2 * REACH), (8 * CORE, 8 * REACH)):
        lower, upper = _neighbourhood(columns, problem, relaxed, free, reach)
        found = _milp(columns, NEAR_NODES, SECONDS, lower, upper, NEAR_GAP)
        if found.x is None:
            continue
        units = columns.units(found.x, problem.size)
        if _is_feasible(problem, units):
            return Solution(units, relaxed.bound, "relaxation")
    return None


def split(problem: Problem, columns: Columns, symbols: Ints, totals: Ints, nodes: int) -> Solution | None:
    """Return the best split of the symbols' totals over the accounts, or None where the limit came first.

    `INFEASIBLE` where no split keeps the constraints. `columns` is the problem's model.
    """
    found = _milp(columns, nodes, SECONDS, *columns.bounds_at(symbols, totals), gap=SPLIT_GAP)
    if found.x is None:
        return INFEASIBLE if found.status == _INFEASIBLE else None
    solution = _solution(columns, found, problem.size)
    return solution if _is_feasible(problem, solution.units) else None


def _neighbourhood(
    columns: Columns, problem: Problem, relaxed: Relaxed, free: int, reach: int
) -> tuple[Floats, Floats]:
    """Return column bounds around a plan: the `free` least firm symbols as they were, others within a few units."""
    lower, upper = columns.bounds()
    loose = relaxed.symbols[np.argsort(relaxed.firm, kind="stable")[:free]]
    for sign, slots, column, unit in (
        (1.0, columns.buyers, columns.buy, columns.buy_unit),
        (-1.0, columns.sellers, columns.sell, columns.sell_unit),
    ):
        centre = np.maximum(sign * relaxed.units[slots], 0.0)
        least = np.minimum(problem.minimum[slots], upper[column] / unit)
        wide = np.where(problem.continuous[slots], np.inf, reach)
        low = np.where(centre > 0, np.maximum(centre - wide, least), 0.0)
        high = np.where(centre > 0, np.maximum(centre + wide, low), 0.0)
        kept = ~np.isin(problem.symbol[slots], loose)
        lower[column[kept]] = np.minimum(low * unit, upper[column])[kept]
        upper[column[kept]] = np.minimum(high * unit, upper[column])[kept]
    return lower, upper


def _is_feasible(problem: Problem, units: Ints) -> bool:
    # HiGHS keeps constraints to 1e-6 of its scale: accept what is feasible to that, exact money decides later.
    return evaluate(problem, units, slack=2e-9 * problem.total).feasible


def _tightened(problem: Problem, tighter: Problem, units: Ints) -> Problem:
    """Raise the reserves by what the trades miss them by: very many, very cheap units strain HiGHS' tolerances."""
    moved = units.astype(np.float64)
    used = np.bincount(problem.pool, weights=moved * problem.price + problem.cost(moved), minlength=len(problem.cash))
    left, _ = settle(problem, problem.cash - used)
    short = np.maximum(-left, 1e-9 * problem.total)[problem.account]
    return replace(tighter, reserve=tighter.reserve + 1.5 * short)


def _milp(
    columns: Columns,
    nodes: int,
    seconds: float,
    lower: Floats | None = None,
    upper: Floats | None = None,
    gap: float = GAP,
) -> Any:  # noqa: ANN401 - scipy's result object
    from scipy.optimize import Bounds, LinearConstraint, milp

    model = columns.model
    least, most = columns.bounds()
    bounds = Bounds(least if lower is None else lower, most if upper is None else upper)
    with _silent():
        return milp(
            np.concatenate(model.cost),
            integrality=np.concatenate(model.integer).astype(np.int64),
            bounds=bounds,
            constraints=LinearConstraint(
                _matrix(columns), np.concatenate(model.row_low), np.concatenate(model.row_high)
            ),
            options={"mip_rel_gap": gap, "node_limit": nodes, "time_limit": seconds},
        )


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


def _matrix(columns: Columns) -> Any:  # noqa: ANN401 - scipy.sparse
    from scipy.sparse import csc_array

    model = columns.model
    row, column, value = (np.concatenate(part) for part in zip(*model.triples, strict=True))
    return csc_array((value, (row, column)), shape=(model.rows, model.columns))


def _solution(columns: Columns, found: Any, size: int) -> Solution:  # noqa: ANN401
    dual = found.mip_dual_bound if found.mip_dual_bound is not None else found.fun
    bound = (float(dual) + columns.model.constant) / columns.money
    return Solution(columns.units(found.x, size), bound, "highs")
