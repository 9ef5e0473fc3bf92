"""Solve the trade problem of one account to proven optimality around its Lagrangian bound, in numpy.

With U the best plan found and L the dual bound, a trade whose reduced cost exceeds U − L is in no better plan. For
portfolios of any size only a few dozen trades survive (the gap shrinks as the number of instruments grows), and these
are enumerated as states (reduced cost, cash above the reserve per pool), pruned by the same inequality. What is not
enumerated is remembered by the least objective it could have had, so the bound stays true when a limit cuts it short.
"""

from __future__ import annotations

import numpy as np

from engine.trades.alternatives import alternatives_within
from engine.trades.dual import Dual, breakpoints, maximise
from engine.trades.incumbent import Incumbent
from engine.trades.problem import Problem, Solution
from engine.trades.states import BEAM, enumerate_states

MAX_STATES = 30_000
_ROUNDS = 40
#: Gap at which a large problem is done: a ten-thousandth of a percent of what is left of the deviation.
_ENOUGH = 1e-6
_LARGE = 400
_FIRST_ALTERNATIVES = 24


def applies(problem: Problem) -> bool:
    """Tell whether this search covers the problem: one account, one slot a symbol, no joint caps, no fractions."""
    return (
        problem.size > 0
        and len(np.unique(problem.symbol)) == problem.size
        and int(problem.account.max()) == 0
        and (problem.linked or len(problem.cash) == 1)
        and not problem.groups
        and not problem.risk_caps
        and problem.turnover is None
        and not bool(problem.continuous.any())
    )


def search(problem: Problem, *, max_states: int = MAX_STATES) -> Solution | None:
    """Return the best trades found with a proven bound; None where no feasible trades were found."""
    choices = breakpoints(problem)
    dual = maximise(problem, choices)
    if dual is None:
        return None
    incumbent = Incumbent(problem)
    incumbent.offer(dual.best.astype(np.int64))
    incumbent.offer(np.zeros(problem.size, dtype=np.int64))
    reach = _first_reach(dual)
    bound = dual.bound
    tolerance = 1e-10 * problem.total
    enough = _ENOUGH if problem.size >= _LARGE else 0.0
    states = min(BEAM, max_states)
    for _ in range(_ROUNDS):
        gap = min(incumbent.objective - dual.bound, 4 * problem.total)
        limit = min(reach, gap)
        alternatives = alternatives_within(problem, choices, dual, limit + tolerance)
        cut = enumerate_states(problem, dual, choices, alternatives, incumbent, states, tolerance)
        bound = max(bound, min(cut, dual.bound + alternatives.missed, incumbent.objective))
        if bound >= incumbent.objective - max(tolerance, enough * incumbent.objective):
            break
        if limit >= gap:
            if states == max_states or not np.isfinite(cut):
                break
            states = max_states
        reach *= 3
    if incumbent.units is None:
        return None
    return Solution(incumbent.units, min(bound, incumbent.objective), "lagrangian")


def _first_reach(dual: Dual) -> float:
    """Return the reduced cost within which a first couple of dozen alternatives lie."""
    positive = dual.reduced[(dual.reduced > 0) & np.isfinite(dual.reduced)]
    if not len(positive):
        return 1.0
    place = min(_FIRST_ALTERNATIVES, len(dual.best), len(positive) - 1)
    return max(float(np.partition(positive, place)[place]), 1e-9)
