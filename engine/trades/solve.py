"""One anytime solver: plans that are surely possible first, then better ones, with a bound that no plan can be below.

Doing nothing and a plain greedy plan are tried before anything else, so that a plan that exists is never called
impossible; only a proof says that. HiGHS then improves on the best of them and hands back its bound, also where it was
stopped.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from engine.trades.greedy import greedy
from engine.trades.highs import Effort, Model, Watch
from engine.trades.problem import Evaluation, Ints, Problem, Solution, evaluate

#: Money tolerance of the constraints, of the total: exact money decides later.
SLACK = 2e-9


@dataclass(frozen=True, slots=True)
class Found:
    """What the solver found: a solution or None, and whether it is proven that there is none."""

    solution: Solution | None
    impossible: bool = False


class UnsoundBoundError(AssertionError):
    """A bound above a plan that was found: a fault of this program, never of the person's input."""


def faults_raise() -> bool:
    """Tell whether a fault of a proof is to be raised (in tests) instead of reported as "unproven"."""
    return os.environ.get("REBALANCER_FAULTS") == "raise"


def solve(problem: Problem, watch: Watch | None = None, effort: Effort | None = None) -> Found:
    """Return the best trades found with a bound that holds for the whole problem."""
    slack = SLACK * problem.total
    nothing = np.zeros(problem.size, dtype=np.int64)
    best: tuple[Evaluation, Ints] | None = None
    for units in (nothing, greedy(problem)):
        best = _better(problem, best, units, slack)
    if problem.size == 0:
        if best is None:
            return Found(None, impossible=True)
        return Found(Solution(nothing, best[0].objective - problem.rounding, "nothing to trade"))
    answer = Model(problem).solve(effort or Effort(), start=None if best is None else best[1], watch=watch)
    if answer.units is not None:
        best = _better(problem, best, answer.units, slack)
    if best is None:
        return Found(None, impossible=answer.ended == "infeasible")
    if answer.ended == "infeasible" and faults_raise():
        raise UnsoundBoundError("a model called impossible has a plan")
    method = {"optimal": "proven", "limit": "bounded"}.get(answer.ended, "unproven")
    bound = answer.bound if method != "unproven" else -np.inf
    return Found(Solution(earlier_first(problem, best[1]), bound, method))


def _better(
    problem: Problem, best: tuple[Evaluation, Ints] | None, units: Ints, slack: float
) -> tuple[Evaluation, Ints] | None:
    found = evaluate(problem, units, slack)
    if found.feasible and (best is None or found.rank < best[0].rank):
        return found, units
    return best


def earlier_first(problem: Problem, units: Ints) -> Ints:
    """Give slots that cannot be told apart their trades in order: the larger trade to the earlier symbol."""
    slots, rows = problem.slots, problem.rows
    if not len(rows.at) or len(np.unique(rows.at)) == 0:
        return units
    alone = (np.bincount(slots.symbol, minlength=len(problem.net_low))[slots.symbol] == 1) & (
        np.bincount(rows.slot, minlength=problem.size) == 1
    )
    row_of = np.zeros(problem.size, dtype=np.int64)
    row_of[rows.slot] = rows.at
    numbers = [getattr(slots, name) for name in slots.__dataclass_fields__ if name != "symbol"]
    numbers += [problem.net_low[slots.symbol], problem.net_high[slots.symbol], rows.value[row_of]]
    shape = {
        row: tuple(
            sorted(
                zip(
                    *(
                        part[rows.hinges.row == row].tolist()
                        for part in (rows.hinges.kink, rows.hinges.sign, rows.hinges.weight)
                    ),
                    strict=True,
                )
            )
        )
        for row in np.unique(row_of[alone]).tolist()
    }
    kinds: dict[tuple[object, ...], list[int]] = {}
    for slot in np.flatnonzero(alone).tolist():
        key = (*(float(number[slot]) for number in numbers), shape[int(row_of[slot])])
        kinds.setdefault(key, []).append(slot)
    result = units.copy()
    for members in kinds.values():
        if len(members) > 1:
            at = np.array(members)
            result[at] = units[at][np.argsort(-np.abs(units[at]), kind="stable")]
    return result
