"""Solve the trade problem with HiGHS: to optimality where that is quick, around its linear relaxation where it is not.

The relaxation's optimum is the Lagrangian dual over all cash pools and joint caps at once (the model is tight), so it
bounds every plan. Beyond a few hundred slots, those whose relaxed value is already whole and clearly priced are kept
there and only the rest is solved in whole units.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from engine.trades.model import Columns, build
from engine.trades.problem import Floats, Ints, Problem, Solution, evaluate, settle

#: Deterministic limits first; the clock is only a safety net.
NODES = 4_000
SECONDS = 10.0
#: Distance to the bound, relative to the objective, at which HiGHS may stop.
GAP = 1e-7
CORE = 160


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


def solve_around_relaxation(problem: Problem, *, core: int = CORE, seconds: float = SECONDS) -> Solution | None:
    """Return a good plan for a large problem, with the bound of the linear relaxation."""
    columns = build(problem)
    relaxed = _relax(columns)
    if relaxed is None:
        return None
    values, price, bound = relaxed
    integer = np.concatenate(columns.model.integer)
    for size in (core, 4 * core, 16 * core):
        free = _core(integer, values, price, size)
        lower, upper = _fixed(columns, problem, values, free)
        found = _milp(columns, NODES, seconds, lower, upper)
        if found.x is None:
            continue
        units = columns.units(found.x, problem.size)
        if _is_feasible(problem, units):
            return Solution(units, bound, "relaxation")
    return None


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
    columns: Columns, nodes: int, seconds: float, lower: Floats | None = None, upper: Floats | None = None
) -> Any:  # noqa: ANN401 - scipy's result object
    from scipy.optimize import Bounds, LinearConstraint, milp

    model = columns.model
    bounds = Bounds(
        np.concatenate(model.lower) if lower is None else lower, np.concatenate(model.upper) if upper is None else upper
    )
    with _silent():
        return milp(
            np.concatenate(model.cost),
            integrality=np.concatenate(model.integer).astype(np.int64),
            bounds=bounds,
            constraints=LinearConstraint(
                _matrix(columns), np.concatenate(model.row_low), np.concatenate(model.row_high)
            ),
            options={"mip_rel_gap": GAP, "node_limit": nodes, "time_limit": seconds},
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


def _relax(columns: Columns) -> tuple[Floats, Floats, float] | None:
    """Return the relaxed values, the columns' reduced prices, and the bound."""
    from scipy.optimize import linprog
    from scipy.sparse import vstack

    model = columns.model
    matrix = _matrix(columns).tocsr()
    low, high = np.concatenate(model.row_low), np.concatenate(model.row_high)
    equal = low == high
    upper, lower = np.isfinite(high) & ~equal, np.isfinite(low) & ~equal
    solve: Any = linprog  # its stubs know no sparse matrices
    found = solve(
        np.concatenate(model.cost),
        A_ub=vstack([matrix[upper], -matrix[lower]]),
        b_ub=np.concatenate([high[upper], -low[lower]]),
        A_eq=matrix[equal],
        b_eq=high[equal],
        bounds=np.stack([np.concatenate(model.lower), np.concatenate(model.upper)], axis=1),
        method="highs",
    )
    if found.x is None:
        return None
    price = np.abs(found.lower.marginals + found.upper.marginals)
    return found.x, price, (float(found.fun) + model.constant) / columns.money


def _core(integer: np.ndarray[tuple[int], np.dtype[np.bool_]], values: Floats, price: Floats, size: int) -> Ints:
    """Return the integer columns to decide anew: those not whole in the relaxation, then the least clearly priced."""
    whole = np.abs(values - np.rint(values)) < 1e-6
    rank = np.where(integer, np.where(whole, price, -1.0), np.inf)
    order = np.argsort(rank, kind="stable")
    least = int((integer & ~whole).sum())
    return np.asarray(order[: min(max(size, 2 * least), int(integer.sum()))], dtype=np.int64)


def _fixed(columns: Columns, problem: Problem, values: Floats, free: Ints) -> tuple[Floats, Floats]:
    """Return bounds that keep every whole trade but the core's at its relaxed value.

    A slot is free as a whole: where any of its columns is in the core, none of them is kept.
    """
    model = columns.model
    lower, upper = np.concatenate(model.lower).copy(), np.concatenate(model.upper).copy()
    loose = np.zeros(model.columns, dtype=bool)
    loose[free] = True
    for slots, column, unit in (
        (columns.buyers, columns.buy, columns.buy_unit),
        (columns.sellers, columns.sell, columns.sell_unit),
    ):
        amount = np.rint(values[column] / unit)
        partial = (amount > 0) & (amount < np.minimum(problem.minimum[slots], upper[column] / unit))
        whole = np.abs(values[column] / unit - amount) < 1e-6
        keep = ~loose[column] & whole & ~partial & ~problem.continuous[slots]
        lower[column[keep]] = upper[column[keep]] = (amount * unit)[keep]
    return lower, upper
