"""Several accounts: the plan is proven, and what the proof rests on holds."""

from __future__ import annotations

import numpy as np
import pytest

from engine.trades.accounts import applies, prove
from engine.trades.assembly import assemble
from engine.trades.columns import columns_of
from engine.trades.exact import solve_exactly
from engine.trades.master import relax
from engine.trades.problem import evaluate
from engine.trades.solve import solve
from engine.trades.totals import Splits
from tests.trades.account_problems import over_accounts

CASES = [(symbols, accounts, seed) for symbols, accounts in ((4, 2), (5, 2), (5, 3)) for seed in range(10)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_small_portfolio_over_several_accounts_is_proven(case: tuple[int, int, int]) -> None:
    problem = over_accounts(*case, cash_weight=0.04 if case[2] % 2 else 0.0)
    found = solve(problem)
    assert found is not None
    measured = evaluate(problem, found.units, slack=1e-9 * problem.total)
    assert measured.feasible
    assert 0 <= measured.objective - found.bound <= 1e-6 * measured.objective


def test_the_same_problem_has_the_same_plan() -> None:
    first, second = solve(over_accounts(6, 2, 1)), solve(over_accounts(6, 2, 1))
    assert first is not None
    assert second is not None
    assert first.units.tolist() == second.units.tolist()
    assert first.bound == second.bound


def test_the_proof_is_no_worse_than_highs_on_the_whole_model() -> None:
    problem = over_accounts(6, 3, 4)
    ours, highs = prove(problem), solve_exactly(problem, nodes=200)
    assert ours.units is not None
    assert highs is not None
    assert highs.bound <= evaluate(problem, ours.units).objective
    assert evaluate(problem, ours.units).objective <= evaluate(problem, highs.units).objective + 1e-9 * problem.total


@pytest.mark.parametrize("seed", range(4))
def test_the_best_plan_is_among_the_totals_within_its_objective(seed: int) -> None:
    problem = over_accounts(5, 2, seed)
    best = solve(problem)
    assert best is not None
    objective = evaluate(problem, best.units).objective
    columns = columns_of(problem)
    assert columns is not None
    relaxed = relax(problem, columns)
    assert relaxed is not None
    splits = Splits(problem, relaxed)
    limit = objective + 1e-6 * problem.total
    options = splits.within(limit - relaxed.bound)
    assert options is not None
    listed = assemble(problem, options, relaxed.bound, limit, splits.charges.limit, 1)
    assert listed is not None
    assert listed.complete == limit
    totals = np.bincount(problem.symbol, weights=best.units, minlength=len(problem.shortfall))[relaxed.symbols]
    places = np.flatnonzero((listed.totals == totals).all(axis=1))
    assert len(places) == 1
    assert listed.bound[places[0]] <= limit


def test_one_account_is_left_to_the_search() -> None:
    assert not applies(over_accounts(6, 1, 0))
    assert applies(over_accounts(6, 2, 0))
