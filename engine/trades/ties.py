"""Decide between plans that are equally good: fewest trades, then least turnover, then symbol order.

The search settles ties among the plans it enumerates; this makes sure of what is left, and of plans from HiGHS, by
single steps: leaving a trade out, trading one unit less, and handing the trade to an identical symbol listed earlier.
"""

from __future__ import annotations

import numpy as np

from engine.trades.problem import Ints, Problem, evaluate

#: Slots beyond which a plan is left as it is: the steps look at every trade.
MOST_SLOTS = 400
_PASSES = 3


def settle_ties(problem: Problem, units: Ints) -> Ints:
    """Return a plan with an objective no worse, and no single step from a simpler one."""
    if problem.size > MOST_SLOTS:
        return units
    tolerance = 1e-10 * problem.total
    best, current = units.copy(), evaluate(problem, units, slack=1e-9 * problem.total)
    if not current.feasible:
        return units
    for _ in range(_PASSES):
        improved = False
        for slot in np.flatnonzero(best).tolist():
            # A step of a fraction is within the tolerance: it would leave dust of what is sold out.
            less = () if problem.continuous[slot] else (int(best[slot] - np.sign(best[slot])),)
            for amount in (0, *less):
                trial = best.copy()
                trial[slot] = amount
                found = evaluate(problem, trial, slack=1e-9 * problem.total)
                simpler = (found.trades, found.turnover) < (current.trades, current.turnover - tolerance)
                if found.feasible and found.objective <= current.objective + tolerance and simpler:
                    best, current, improved = trial, found, True
                    break
        if not improved:
            break
    return _earlier_first(problem, best)


def _earlier_first(problem: Problem, units: Ints) -> Ints:
    """Give slots that cannot be told apart their trades in order: the larger trade to the earlier symbol."""
    features = np.stack(
        [
            problem.price,
            problem.shortfall[problem.symbol],
            problem.pool.astype(np.float64),
            problem.low.astype(np.float64),
            problem.high.astype(np.float64),
            problem.minimum.astype(np.float64),
            problem.buy_rate,
            problem.sell_rate,
            problem.tax_rate,
            problem.fee_minimum,
        ],
        axis=1,
    )
    alone = np.bincount(problem.symbol, minlength=len(problem.shortfall))[problem.symbol] == 1
    _, kind = np.unique(features, axis=0, return_inverse=True)
    result = units.copy()
    for which in np.unique(kind[alone]).tolist():
        members = np.flatnonzero((kind == which) & alone)
        if len(members) > 1:
            result[members] = units[members][np.argsort(-np.abs(units[members]), kind="stable")]
    same = evaluate(problem, result, slack=1e-9 * problem.total)
    before = evaluate(problem, units)
    return result if same.feasible and same.objective <= before.objective + 1e-10 * problem.total else units
