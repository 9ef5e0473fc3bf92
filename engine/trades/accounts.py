"""Prove the best plan over several accounts: first what each symbol ends at, then who trades it.

The objective hardly depends on who trades: fees apart, it is settled by the symbols' totals over all accounts. So the
portfolios of totals are listed by a bound, best first, and HiGHS looks for a split of each over the accounts, which is
a small problem. Once the next bound is no better than the best plan found, that plan is optimal. Where a risk cap
counts only if its account buys, both cases are looked at apart: it buys no risk assets, or the cap holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.trades.assembly import assemble
from engine.trades.columns import columns_of
from engine.trades.exact import INFEASIBLE, split
from engine.trades.incumbent import Incumbent
from engine.trades.master import Relaxed, relax
from engine.trades.model import build
from engine.trades.problem import Bools, Ints, Problem, Solution, evaluate
from engine.trades.totals import Splits

#: Slots beyond which the lists of totals are too long to be worth looking at.
MOST_SLOTS = 60
#: Splits looked for in each case, with few nodes each, and how many of these are tried again with many.
_SPLITS, _NODES = 24, 100
_AGAIN, _MORE_NODES = 3, 1_000
#: Risk caps that are looked at apart, at most.
_CAPS = 3
#: How far beyond the dual bound portfolios are listed first, relative to the total; it doubles from round to round.
_FIRST_REACH = 1e-5
#: Distance between a split and its bound, relative to it, that counts as none.
_CLOSED = 1e-8
_ROUNDS = 24
#: Portfolios found in spite of dominance, in turn.
_LAYERS = (1, 4)


@dataclass(frozen=True, slots=True)
class Proof:
    """Hold the best plan found (None: none), in units per slot, and a bound that no plan can be below."""

    units: Ints | None
    bound: float


@dataclass(slots=True)
class _Case:
    """Hold one way in which the risk caps can be met, with its dual bound, and what is known of it so far."""

    problem: Problem
    relaxed: Relaxed
    bound: float


def applies(problem: Problem) -> bool:
    """Tell whether the proof covers the problem: several accounts, not too many slots, whole trades only."""
    several = len(np.unique(problem.account[problem.pool])) > 1
    return several and problem.size <= MOST_SLOTS and not bool(problem.continuous.any())


def prove(problem: Problem) -> Proof:
    """Return the best plan found with a bound that holds for every plan: the optimum, as a rule."""
    incumbent = Incumbent(problem)
    cases: list[_Case] = []
    for way in _cases(problem):
        columns = columns_of(way)
        relaxed = None if columns is None else relax(way, columns)
        if relaxed is None:
            return Proof(None, -np.inf)
        cases.append(_Case(way, relaxed, relaxed.bound))
    for case in sorted(cases, key=lambda case: case.bound):
        _search(case, incumbent)
    return Proof(incumbent.units, min(incumbent.objective, *(case.bound for case in cases)))


def _cases(problem: Problem) -> Iterator[Problem]:
    """Yield the problem with every risk cap either always kept or without purchases that call for it."""
    caps = problem.risk_caps[:_CAPS]
    for choice in itertools.product((False, True), repeat=len(caps)):
        high = problem.high.copy()
        for cap, always in zip(caps, choice, strict=True):
            if not always:
                high[cap.slots] = 0
        kept = tuple(replace(cap, always=True) for cap, always in zip(caps, choice, strict=True) if always)
        yield replace(problem, high=high, risk_caps=(*kept, *problem.risk_caps[_CAPS:]))


def _search(case: _Case, incumbent: Incumbent) -> None:
    """Look at the case's portfolios in order until none can be better, raising its bound as far as that goes."""
    problem, relaxed = case.problem, case.relaxed
    tolerance = 1e-10 * problem.total
    splits, splitter = Splits(problem, relaxed), _Splitter(problem, relaxed.symbols)
    reach = _FIRST_REACH * problem.total
    layers, open_bound = iter(_LAYERS), np.inf
    most_layers = next(layers)
    for _ in range(_ROUNDS):
        limit = min(relaxed.bound + reach, incumbent.objective)
        options = splits.within(limit - relaxed.bound)
        found = None
        if options is not None:
            found = assemble(problem, options, relaxed.bound, limit, splits.charges.limit, most_layers)
        if found is None:
            return
        for totals, bound in zip(found.totals, found.bound.tolist(), strict=True):
            if bound >= incumbent.objective - tolerance:
                break
            if splitter.is_known(totals):
                continue
            if splitter.is_spent:
                case.bound = max(case.bound, min(bound, open_bound))
                return
            open_bound = min(open_bound, max(splitter.split(totals, incumbent), bound))
        reached = min(found.complete, incumbent.objective)
        case.bound = max(case.bound, min(reached, open_bound))
        if reached >= incumbent.objective - tolerance:
            return
        if found.complete < limit:
            most_layers = next(layers, 0)
            if not most_layers:
                return
        else:
            reach *= 2


class _Splitter:
    """Look for splits of totals over the accounts, within a limit of tries, and remember which have none."""

    def __init__(self, problem: Problem, symbols: Ints) -> None:
        self._problem = problem
        self._symbols = symbols
        self._model = build(problem)
        self._seen: set[bytes] = set()
        self._impossible = np.zeros((0, len(symbols)), dtype=np.int64)
        self._free = _free(problem, symbols)
        self._left, self._again = _SPLITS, _AGAIN

    @property
    def is_spent(self) -> bool:
        """Tell whether no more tries are left."""
        return not self._left

    def is_known(self, totals: Ints) -> bool:
        """Tell whether the totals have been looked at, or cannot be split since even cheaper ones cannot.

        What only one account may trade, and no limit joins to others, matters to a split by the cash that it takes.
        """
        if totals.tobytes() in self._seen:
            return True
        same = (self._impossible[:, ~self._free] == totals[~self._free]).all(axis=1)
        cheaper = (self._impossible[:, self._free] <= totals[self._free]).all(axis=1)
        return bool((same & cheaper).any())

    def split(self, totals: Ints, incumbent: Incumbent) -> float:
        """Offer the best split to the incumbent; return a bound on every split of these totals, inf where none is."""
        self._seen.add(totals.tobytes())
        self._left -= 1
        plan = split(self._problem, self._model, self._symbols, totals, _NODES)
        if self._again and not self._is_finished(plan):
            self._again -= 1
            plan = split(self._problem, self._model, self._symbols, totals, _MORE_NODES) or plan
        if plan is None:
            return -np.inf
        if plan is INFEASIBLE:
            self._impossible = np.vstack([self._impossible, totals])
            return np.inf
        incumbent.offer(plan.units)
        return plan.bound

    def _is_finished(self, plan: Solution | None) -> bool:
        if plan is None or plan is INFEASIBLE:
            return plan is INFEASIBLE
        return plan.bound >= evaluate(self._problem, plan.units).objective * (1.0 - _CLOSED)


def _free(problem: Problem, symbols: Ints) -> Bools:
    """Tell which symbols have one slot only, cost nothing per ticket, and are in no joint limit."""
    alone = np.bincount(problem.symbol, minlength=len(problem.shortfall))[symbols] == 1
    if problem.turnover is not None:
        return np.zeros_like(alone)
    slot = np.array([np.flatnonzero(problem.symbol == symbol)[0] for symbol in symbols.tolist()])
    joined = np.isin(symbols, [symbol for group in problem.groups for symbol in group.symbols])
    joined |= np.isin(slot, [member for cap in problem.risk_caps for member in cap.slots])
    return np.asarray(alone & ~joined & (problem.fee_minimum[slot] == 0), dtype=np.bool_)
