"""The best plan so far, by objective and then by the rule for ties."""

from __future__ import annotations

import numpy as np

from engine.trades.problem import Ints, Problem, evaluate


class Incumbent:
    """Keep the best plan so far: least objective, then fewest trades, least turnover, earliest symbols."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._tolerance = 1e-10 * problem.total
        self.units: Ints | None = None
        self.objective = float("inf")
        self._ties: tuple[int, float, tuple[int, ...]] = (0, 0.0, ())

    def offer(self, units: Ints) -> None:
        """Take the trades if they are feasible and better."""
        found = evaluate(self._problem, units, slack=1e-9 * self._problem.total)
        if not found.feasible or found.objective > self.objective + self._tolerance:
            return
        ties = (found.trades, round(found.turnover, 4), tuple(np.flatnonzero(units).tolist()))
        if found.objective < self.objective - self._tolerance or ties < self._ties:
            self.units, self._ties = units, ties
            self.objective = min(found.objective, self.objective)
