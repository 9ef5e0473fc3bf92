"""Goals of several members and members of several goals: every plan there is beside the solver and its bounds."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from engine.trades.dual import Relaxation, applies
from engine.trades.highs import Effort, Model
from engine.trades.hulls import Hulls
from engine.trades.problem import Floats, Reach, TradeProblem, evaluate
from engine.trades.solve import solve
from engine.trades.ways import Ways
from tests.trades.goal_problems import assembled, equivalents, split
from tests.trades.test_proofs import tried


def small(seed: int, *, joined: bool) -> TradeProblem:
    """Draw a problem of two to five slots in one to three goals: few steps each, dear ones, every kind of cost."""
    rng = np.random.default_rng([seed, int(joined)])
    accounts, members, goals = int(rng.integers(1, 4)), int(rng.integers(2, 4)), int(rng.integers(1, 3))
    goals += joined
    total = 10_000.0
    price: Floats = np.exp(rng.uniform(np.log(150), np.log(3_000), members)).round(2)
    shares = np.eye(goals)[rng.integers(0, goals, members)]
    if joined:
        for one in range(members):
            if rng.random() < 0.7:
                shares[one] = np.round(rng.dirichlet(np.full(goals, 1.5)) * rng.choice([0.8, 1.0]), 2)
    symbol, account = (place.ravel() for place in np.indices((members, accounts)))
    keep = np.sort(rng.permutation(len(symbol))[: int(rng.integers(2, 5))])
    symbol, account = symbol[keep], account[keep]
    held = np.floor(rng.uniform(0, 0.5, len(keep)) * total / price[symbol]).clip(0, 3)
    cash = np.maximum(total - float((held * price[symbol]).sum()), 500.0) * rng.dirichlet(np.full(accounts, 1.0))
    weight = rng.dirichlet(np.full(goals, 2.0)) * rng.choice([0.9, 1.0])
    towards = (rng.random(goals) < 0.5) & (not joined)
    problem = assembled(
        total=total,
        price=price,
        symbol=symbol,
        account=account,
        held=held,
        high=np.minimum(np.floor(total / price[symbol]), rng.integers(0, 4, len(keep))),
        least=rng.integers(1, 3, len(keep)).astype(float),
        gain=price[symbol] * rng.normal(0.1, 0.3, len(keep)),
        shares=shares,
        weight=weight,
        cash=cash,
        towards=towards,
        fee_minimum=float(rng.choice([0.0, 2.0])),
        order=float(rng.choice([0.0, 0.00005, 0.002])),
        targeted=1.0 - float(weight.sum()),
    )
    reaches = tuple(
        Reach(goal, sign, mine, rng.uniform(0, 4_000, len(mine)).round())
        for goal in range(goals)
        for sign in (1.0, -1.0)
        if rng.random() < 0.3 and len(mine := problem.rows.slot[problem.rows.at == goal])
    )
    reserve = np.where(rng.random(accounts) < 0.15, cash + 400.0, 0.0)
    turnover = float(rng.choice([2_000.0, 6_000.0])) if rng.random() < 0.2 else None
    return replace(problem, reaches=reaches, reserve=reserve, turnover=turnover)


def check(problem: TradeProblem, seed: int) -> bool:
    """Compare a solution and every bound with all plans there are; tell whether there were not too many."""
    best, count = tried(problem)
    if not count:
        return False
    found = solve(problem)
    assert (found.solution is None) == (best is None), seed
    if best is None or found.solution is None:
        assert found.impossible, seed
        return True
    slack = 1e-6 * problem.total
    solution, hair = found.solution, 1e-9 * problem.total
    own = evaluate(problem, solution.units, slack)
    assert own.feasible, seed
    assert solution.bound <= best.objective + hair, seed
    if solution.method == "proven":
        assert own.objective == pytest.approx(best.objective, abs=2e-8 * problem.total), seed
    bounds = [Model(problem).solve(Effort(nodes=1, calls=1)).bound]
    if applies(problem) and (dual := Relaxation(problem).maximise()) is not None:
        bounds.append(dual.bound)
    hulls = Hulls(problem)
    if hulls.fits and (over := hulls.maximise()) is not None:
        bounds.append(over.bound)
    if (aims := Ways(problem).maximise()) is not None:
        bounds.append(aims.bound)
    assert max(bounds) <= best.objective + hair, (seed, bounds, best.objective)
    return True


@pytest.mark.parametrize("joined", [False, True], ids=["equivalents", "split"])
def test_of_small_problems_no_plan_is_below_the_bound_and_the_best_is_found(joined: bool) -> None:  # noqa: FBT001
    assert sum(check(small(seed, joined=joined), seed) for seed in range(6)) > 3


@pytest.mark.slow
@pytest.mark.parametrize("joined", [False, True], ids=["equivalents", "split"])
def test_of_many_small_problems_no_plan_is_below_the_bound(joined: bool) -> None:  # noqa: FBT001
    assert sum(check(small(seed, joined=joined), seed) for seed in range(100, 130)) > 20


@pytest.mark.soak
@pytest.mark.parametrize("joined", [False, True], ids=["equivalents", "split"])
def test_of_thousands_of_small_problems_no_plan_is_below_the_bound(joined: bool) -> None:  # noqa: FBT001
    assert sum(check(small(seed, joined=joined), seed) for seed in range(1_000, 4_000)) > 2_000


@pytest.mark.slow
def test_two_hundred_members_of_thirty_goals_are_decided_to_a_thousandth() -> None:
    problem = equivalents(200, 30, 1, 0)
    solution = solve(problem).solution
    assert solution is not None
    objective = evaluate(problem, solution.units, 1e-6 * problem.total).objective
    assert objective - solution.bound <= 1e-3 * objective


@pytest.mark.slow
def test_goals_over_three_accounts_are_decided_to_a_thousandth() -> None:
    problem = equivalents(20, 8, 3, 0, each=1e7, shared=True)
    solution = solve(problem).solution
    assert solution is not None
    objective = evaluate(problem, solution.units, 1e-6 * problem.total).objective
    assert objective - solution.bound <= 1e-3 * objective


@pytest.mark.slow
def test_members_of_several_goals_get_a_plan_whose_bound_holds() -> None:
    problem = split(8, 4, 2, 0)
    solution = solve(problem).solution
    assert solution is not None
    slack = 1e-6 * problem.total
    objective = evaluate(problem, solution.units, slack).objective
    assert 0 < solution.bound <= objective
    for step in itertools.chain(np.eye(problem.size, dtype=np.int64), -np.eye(problem.size, dtype=np.int64)):
        other = evaluate(problem, solution.units + step)
        assert not other.feasible or other.objective >= solution.bound


def test_what_no_better_plan_does_is_left_out_and_the_best_is_kept() -> None:
    looked_at = 0
    for seed in range(20):
        problem = small(seed, joined=seed % 2 == 1)
        best, count = tried(problem)
        if best is None or not count or not best.feasible:
            continue
        looked_at += 1
        model = Model(problem)
        model.leave_out(best.objective)
        answer = model.solve(Effort())
        assert answer.ended == "optimal", seed
        assert answer.bound <= best.objective, seed
        assert answer.bound == pytest.approx(best.objective, abs=1e-7 * problem.total), seed
    assert looked_at > 10
