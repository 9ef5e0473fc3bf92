"""Choose how to solve a trade problem, and return the better of what was found, with the best bound.

Joint caps are left out first: the search is quick and exact, and if its answer keeps the caps, it is the answer to the
whole problem. Otherwise HiGHS solves the whole model, or works around its relaxation where it is large.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.trades.dual import untradable
from engine.trades.problem import Problem, Solution, evaluate
from engine.trades.search import applies, search
from engine.trades.ties import settle_ties

#: Slots up to which HiGHS is asked for a proof.
EXACT_SLOTS = 240
#: A gap, relative to the objective, that counts as closed.
CLOSED = 1e-7


def solve(problem: Problem) -> Solution | None:
    """Return the best trades with a bound that holds for the whole problem, or None where nothing is feasible."""
    if problem.size == 0:
        return _nothing_to_trade(problem)
    plain = replace(problem, groups=(), risk_caps=(), turnover=None)
    found: list[Solution] = []
    bound = -np.inf
    if applies(plain):
        quick = search(plain)
        if quick is not None:
            bound = quick.bound
            if evaluate(problem, quick.units, slack=_slack(problem)).feasible:
                found.append(quick)
    if not found or not _is_closed(problem, found[0]):
        exact = _with_highs(problem)
        if exact is not None:
            found.append(exact)
            bound = max(bound, exact.bound)
    if not found:
        return None
    best = min(found, key=lambda solution: evaluate(problem, solution.units).objective)
    units = settle_ties(problem, best.units)
    objective = evaluate(problem, units).objective
    return Solution(units, min(bound, objective), best.method)


def _with_highs(problem: Problem) -> Solution | None:
    from engine.trades.exact import solve_around_relaxation, solve_exactly

    if problem.size <= EXACT_SLOTS:
        return solve_exactly(problem) or solve_around_relaxation(problem)
    return solve_around_relaxation(problem) or solve_exactly(problem)


def _nothing_to_trade(problem: Problem) -> Solution | None:
    units = np.zeros(0, dtype=np.int64)
    found = evaluate(problem, units, slack=_slack(problem))
    if not found.feasible:
        return None
    return Solution(units, found.objective, "nothing to trade")


def _slack(problem: Problem) -> float:
    return 1e-9 * problem.total


def _is_closed(problem: Problem, solution: Solution) -> bool:
    objective = evaluate(problem, solution.units).objective
    return objective - solution.bound <= CLOSED * max(objective, untradable(problem))
