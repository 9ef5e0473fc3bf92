"""Choose how to solve a trade problem, and return the better of what was found, with the best bound.

Joint caps are left out first: the search is quick and exact, and if its answer keeps the caps, it is the answer to the
whole problem. Several accounts have a proof of their own. Otherwise HiGHS solves the whole model, or works around its
relaxation where it is large.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.trades.problem import Problem, Solution, evaluate
from engine.trades.search import MAX_STATES, applies, search
from engine.trades.states import BEAM
from engine.trades.ties import settle_ties

#: Slots up to which HiGHS is asked for a proof.
EXACT_SLOTS = 24
#: A gap, relative to the objective, that counts as closed.
CLOSED = 1e-7
#: A gap that is small enough to leave, where there are more than a few slots.
CLOSE = 1e-4
FEW_SLOTS = 12


def solve(problem: Problem) -> Solution | None:
    """Return the best trades with a bound that holds for the whole problem, or None where nothing is feasible."""
    if problem.size == 0:
        return _nothing_to_trade(problem)
    joint = bool(problem.groups or problem.risk_caps or problem.turnover is not None)
    plain = replace(problem, groups=(), risk_caps=(), turnover=None)
    found: list[Solution] = []
    bound = -np.inf
    if applies(plain):
        quick = search(plain, max_states=BEAM if joint else MAX_STATES)
        if quick is not None:
            bound = quick.bound
            if evaluate(problem, quick.units, slack=_slack(problem)).feasible:
                found.append(quick)
    if not found or not _is_close_enough(problem, found[0]):
        for find in (_over_accounts, _with_highs):
            more, least = find(problem)
            found += more
            bound = max([bound, least, *(solution.bound for solution in more)])
            if any(_is_close_enough(problem, replace(solution, bound=bound)) for solution in found):
                break
    if not found:
        return None
    best = min(found, key=lambda solution: evaluate(problem, solution.units).objective)
    units = settle_ties(problem, best.units)
    objective = evaluate(problem, units).objective
    return Solution(units, min(bound, objective), best.method)


def _over_accounts(problem: Problem) -> tuple[list[Solution], float]:
    """Return what the proof over several accounts finds, where it covers the problem, and its bound."""
    from engine.trades.accounts import applies as covers
    from engine.trades.accounts import prove

    if not covers(problem):
        return [], -np.inf
    proof = prove(problem)
    return [] if proof.units is None else [Solution(proof.units, proof.bound, "accounts")], proof.bound


def _with_highs(problem: Problem) -> tuple[list[Solution], float]:
    """Return what HiGHS finds: the whole model where that is small, its neighbourhood of the dual otherwise."""
    from engine.trades.exact import INFEASIBLE, solve_around_relaxation, solve_exactly

    found: list[Solution] = []
    if problem.size <= EXACT_SLOTS:
        exact = solve_exactly(problem)
        if exact is INFEASIBLE:
            return [], -np.inf
        found += [exact] if exact is not None else []
    if not found or not _is_close_enough(problem, found[0]):
        around = solve_around_relaxation(problem)
        found += [around] if around is not None else []
    if not found and problem.size > EXACT_SLOTS:
        exact = solve_exactly(problem)
        found += [exact] if exact is not None and exact is not INFEASIBLE else []
    return found, -np.inf


def _nothing_to_trade(problem: Problem) -> Solution | None:
    units = np.zeros(0, dtype=np.int64)
    found = evaluate(problem, units, slack=_slack(problem))
    if not found.feasible:
        return None
    return Solution(units, found.objective, "nothing to trade")


def _slack(problem: Problem) -> float:
    return 1e-9 * problem.total


def _is_close_enough(problem: Problem, solution: Solution) -> bool:
    """Tell whether HiGHS need not be asked: the gap is closed, or too small to be worth its time."""
    objective = evaluate(problem, solution.units).objective
    gap = objective - solution.bound
    return gap <= CLOSED * objective or (problem.size > FEW_SLOTS and gap <= CLOSE * objective)
