"""A plan next to the dual's: the few trades that the prices hardly decide are chosen so that the cash comes out.

At the best prices almost every trade is settled; what is left is a remainder of cash that one or two of the undecided
trades use up. They are tried one by one, then two by two, all at once on arrays.
"""

from __future__ import annotations

import numpy as np

from engine.trades.dual import Dual
from engine.trades.problem import Floats, Hinges, Ints, Problem, settle

#: Trades that are tried one by one, and two by two; and how often.
SINGLES, PAIRS, ROUNDS = 2_000, 160, 40


def near(problem: Problem, dual: Dual) -> Ints | None:
    """Return a plan that keeps the cash, or None where none was found nearby."""
    search = _Near(problem, dual)
    if not search.mend():
        return None
    search.improve()
    return search.units()


class _Near:
    """A plan, and what each of the trades that the prices hardly decide would change about it."""

    def __init__(self, problem: Problem, dual: Dual) -> None:
        self._problem, slots, choices = problem, problem.slots, dual.choices
        n, k = dual.reduced.shape
        self._best = dual.reduced.argmin(axis=1)
        rows = np.arange(n)
        flat = dual.reduced.ravel().copy()
        flat[rows * k + self._best] = np.inf
        count = min(SINGLES, int(np.isfinite(flat).sum()))
        near = np.argpartition(flat, count - 1)[:count] if count else np.zeros(0, dtype=np.int64)
        near = near[np.argsort(flat[near], kind="stable")]
        self._slot, place = np.divmod(near, k)
        self._lost = flat[near]

        def at(values: Floats, slack: Floats, sign: float) -> tuple[Floats, Floats]:
            """Return the values of the plan and of the alternatives, without what rounding may save."""
            now = values[rows, self._best] + sign * slack * (choices.units[rows, self._best] != 0)
            other = values[self._slot, place] + sign * slack[self._slot] * (choices.units[self._slot, place] != 0)
            return now, other

        self._cost = at(choices.objective, slots.slack, 1.0)
        self._used = at(choices.used, slots.cash_slack, 1.0)
        self._value = at(choices.value, slots.cash_slack, -1.0)
        self._gain = at(choices.gain, slots.cash_slack, 0.0)
        self._steps = choices.units[rows, self._best].copy(), choices.units[self._slot, place]
        self._pool = slots.pool[self._slot]
        self._total = float(self._cost[0].sum())
        self._cash = problem.cash - np.bincount(slots.pool, weights=self._used[0], minlength=len(problem.cash))
        self._gross = float(problem.cash.sum() - self._value[0].sum())
        self._gained = float(self._gain[0].sum())
        self._current = self._measure(np.zeros((1, len(problem.cash))), *(np.zeros(1) for _ in range(3)))[0]

    def units(self) -> Ints:
        units: Ints = np.rint(self._steps[0]).astype(np.int64)
        return units

    def _measure(self, cash: Floats, cost: Floats, value: Floats, gain: Floats) -> Floats:
        """Return the objective of changes (m × pools of cash used, m each of cost, value, gain); inf: cash lacks."""
        problem = self._problem
        left, paid = settle(problem, self._cash - cash)
        spread = paid.sum(axis=-1)
        after = self._cash.sum() - cash.sum(axis=-1) - spread
        overseas = problem.overseas_rate * np.maximum(self._gained + gain - problem.allowance, 0.0)
        found = self._total + cost + spread + overseas
        found = found + _at(problem.cash_below, after) + _at(problem.cash_above, self._gross - value)
        return np.where((left >= 0).all(axis=-1), found, np.inf)

    def _changes(self, which: Ints | slice = slice(None)) -> tuple[Floats, Floats, Floats, Floats]:
        """Return what alternatives change: cash used by pool, cost, value, gain."""
        slot = self._slot[which]
        used = self._used[1][which] - self._used[0][slot]
        cash = np.zeros((len(slot), len(self._problem.cash)))
        cash[np.arange(len(slot)), self._pool[which]] = used
        cost, value, gain = (both[1][which] - both[0][slot] for both in (self._cost, self._value, self._gain))
        return cash, cost, value, gain

    def _take(self, place: int) -> None:
        """Put an alternative into the plan."""
        slot = int(self._slot[place])
        cash, cost, value, gain = (float(part.sum()) for part in self._changes(np.array([place])))
        self._cash[self._pool[place]] -= cash
        self._total += cost
        self._gross -= value
        self._gained += gain
        for now, other in (self._cost, self._used, self._value, self._gain, self._steps):
            now[slot] = other[place]
        self._current = float(self._measure(np.zeros((1, len(self._cash))), *(np.zeros(1) for _ in range(3)))[0])

    def mend(self) -> bool:
        """Use less cash, at the least loss, until there is enough."""
        for _ in range(ROUNDS):
            if np.isfinite(self._current):
                return True
            left, _ = settle(self._problem, self._cash)
            short = -float(np.minimum(left, 0.0).sum())
            cash, cost, value, gain = self._changes()
            single = self._measure(cash, cost, value, gain)
            if len(single) and np.isfinite(single.min()):
                self._take(int(single.argmin()))
                continue
            freed = -cash.sum(axis=1)
            useful = np.flatnonzero(freed > 0)
            if not len(useful):
                return False
            self._take(int(useful[(self._lost[useful] / np.minimum(freed[useful], short)).argmin()]))
        return bool(np.isfinite(self._current))

    def improve(self) -> None:
        """Change one trade, or two, as long as that is better."""
        for _ in range(ROUNDS):
            changes = self._changes()
            single = self._measure(*changes)
            if len(single) and single.min() < self._current * (1 - 1e-12):
                self._take(int(single.argmin()))
                continue
            if not self._pair(changes):
                return

    def _pair(self, changes: tuple[Floats, Floats, Floats, Floats]) -> bool:
        count = min(PAIRS, len(self._slot))
        first, second = np.triu_indices(count, 1)
        apart = self._slot[first] != self._slot[second]
        first, second = first[apart], second[apart]
        if not len(first):
            return False
        both = self._measure(*(part[first] + part[second] for part in changes))
        place = int(both.argmin())
        if both[place] >= self._current * (1 - 1e-12):
            return False
        self._take(int(first[place]))
        self._take(int(second[place]))
        return True


def _at(hinges: Hinges, levels: Floats) -> Floats:
    found = np.zeros_like(levels)
    for kink, sign, weight in zip(hinges.kink.tolist(), hinges.sign.tolist(), hinges.weight.tolist(), strict=True):
        found += weight * np.maximum(sign * (levels - kink), 0.0)
    return found
