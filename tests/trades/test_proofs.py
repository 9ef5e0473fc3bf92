"""The solver beside every plan there is, and its bounds beside one another, on problems small enough for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from engine import drift
from engine.data.document import portfolio_from_data
from engine.trades.build import Builder, Task
from engine.trades.dual import Relaxation, applies, survivors
from engine.trades.highs import Effort, HighsAnswer, Model
from engine.trades.hulls import Hulls
from engine.trades.near import near, part_of
from engine.trades.problem import Evaluation, Ints, TradeProblem, allowed, evaluate
from engine.trades.rungs import Kind, breached, causes, parts
from engine.trades.solve import earlier_first, solve
from engine.valuation import fx_table, resolve_prices, resolve_rates, value
from tests.oracle.portfolios import AS_OF, huge, small
from tests.oracle.versus import engine_plan

pytestmark = pytest.mark.slow

SEEDS = range(5000, 5026)
MOST = 20_000
RUNGS: tuple[Kind, ...] = ("buy", "raise", "act", "counterparts")


def tasks(seeds: range) -> Iterator[tuple[int, Task]]:
    """Yield the problem of every rung of random portfolios, as far as there is anything to trade."""
    for seed in seeds:
        portfolio, problems = portfolio_from_data(small(seed), "random")
        assert portfolio is not None, problems
        prices, _ = resolve_prices(portfolio, {}, AS_OF)
        rates, _ = resolve_rates(portfolio, {}, AS_OF)
        valuation = value(portfolio, prices, fx_table(portfolio, rates))
        if valuation.total <= 0:
            continue
        goals = drift.goal_states(portfolio, valuation)
        positions = drift.positions(portfolio, valuation, goals)
        sections = drift.section_states(portfolio, valuation, goals, AS_OF)
        found = causes(portfolio, valuation, sections, untargeted=True)
        builder = Builder(portfolio, valuation, goals, positions, AS_OF)
        outside = breached(portfolio, goals, valuation.weights)
        for kind in RUNGS:
            task = builder.build(kind, parts(portfolio, goals, found, outside, kind))
            if task.problem.size and not task.problem.slots.continuous.any():
                yield seed, task


def every_plan(problem: TradeProblem, most: int = MOST) -> Iterator[Ints]:
    """Yield every set of trades that keeps the slots' own rules; nothing where there are more than `most`."""
    ranges = [range(low, high + 1) for low, high in zip(problem.slots.low, problem.slots.high, strict=True)]
    if np.prod([float(len(one)) for one in ranges]) > most:
        return
    for chosen in itertools.product(*ranges):
        units = np.array(chosen, dtype=np.int64)
        if allowed(problem, units.astype(np.float64)).all():
            yield units


def tried(problem: TradeProblem, most: int = MOST) -> tuple[Evaluation | None, int]:
    """Return the best of every plan, and how many were tried."""
    best, count = None, 0
    for units in every_plan(problem, most):
        count += 1
        found = evaluate(problem, units)
        if found.feasible and (best is None or found.objective < best.objective):
            best = found
    return best, count


@pytest.fixture(scope="module")
def compared() -> list[tuple[int, Task, Evaluation | None]]:
    """Return the problems that are small enough, each with the best of all its plans."""
    found = []
    for seed, task in tasks(SEEDS):
        best, count = tried(task.problem)
        if count:
            found.append((seed, task, best))
    return found


Compared = list[tuple[int, Task, "Evaluation | None"]]


def test_there_is_plenty_to_compare(compared: Compared) -> None:
    assert len(compared) > len(SEEDS)


def test_no_plan_is_below_the_bound(compared: Compared) -> None:
    for seed, task, best in compared:
        solution = solve(task.problem).solution
        if best is not None:
            assert solution is not None, (seed, task.kind)
            assert solution.bound <= best.objective, (seed, task.kind)


def test_a_proven_plan_is_the_best_there_is(compared: Compared) -> None:
    for seed, task, best in compared:
        solution = solve(task.problem).solution
        if best is not None and solution is not None and solution.method == "proven":
            objective = evaluate(task.problem, solution.units).objective
            assert objective == pytest.approx(best.objective, abs=2e-8 * task.problem.total), (seed, task.kind)


def test_impossible_is_said_only_of_what_no_plan_does(compared: Compared) -> None:
    for seed, task, best in compared:
        found = solve(task.problem)
        assert (found.solution is None) == (best is None), (seed, task.kind)
        assert found.impossible == (best is None), (seed, task.kind)


def test_the_dual_is_below_every_plan_and_what_it_rules_out_is_in_no_better_one(compared: Compared) -> None:
    looked_at = 0
    for seed, task, best in compared:
        problem = task.problem
        dual = Relaxation(problem).maximise() if applies(problem) else None
        if dual is None or best is None:
            continue
        looked_at += 1
        assert dual.bound <= best.objective, (seed, task.kind)
        left = survivors(problem, dual, best.objective - dual.bound + 1e-9 * problem.total)
        slots = replace(
            problem.slots,
            low=left.low,
            high=left.high,
            minimum_buy=left.minimum_buy,
            minimum_sell=left.minimum_sell,
            full=problem.slots.full & (left.low == problem.slots.low),
        )
        again, _ = tried(replace(problem, slots=slots))
        assert again is not None, (seed, task.kind)
        assert again.objective == pytest.approx(best.objective), (seed, task.kind)
    assert looked_at > 50


def test_a_plan_next_to_the_duals_keeps_the_cash(compared: Compared) -> None:
    for seed, task, _ in compared:
        if not applies(task.problem):
            continue
        relaxation = Relaxation(task.problem)
        dual = relaxation.maximise()
        units = near(relaxation, dual) if dual is not None and dual.whole else None
        if units is not None:
            assert evaluate(task.problem, units, 1e-6 * task.problem.total).feasible, (seed, task.kind)


def test_deciding_some_trades_leaves_the_value_of_every_plan(compared: Compared) -> None:
    for seed, task, _ in compared:
        problem = task.problem
        if problem.turnover is not None or problem.risk_caps:
            continue
        open_ = np.arange(problem.size) % 2 == 0
        for units in itertools.islice(every_plan(problem), 0, None, 97):
            inner = part_of(problem, units, open_)
            whole = evaluate(problem, units)
            assert evaluate(inner, units[open_]).objective == pytest.approx(whole.objective), (seed, task.kind)


def test_a_model_that_may_do_little_hands_back_a_bound_that_holds(compared: Compared) -> None:
    for seed, task, best in compared:
        answer = Model(task.problem).solve(Effort(nodes=1, calls=1))
        if best is not None:
            assert answer.bound <= best.objective, (seed, task.kind)


def test_prices_over_accounts_hold_where_a_risk_cap_is_broken() -> None:
    looked_at = 0
    for seed, task in tasks(range(5000, 5120)):
        problem = task.problem
        if not any(cap.held > cap.cap * cap.account_value for cap in problem.risk_caps):
            continue
        best, _ = tried(problem, most=1_000)
        if best is None:
            continue
        looked_at += 1
        hulls = Hulls(problem)
        cases = hulls.cases()
        assert cases[0].dual.bound <= best.objective, (seed, task.kind)
        low, high, _ = hulls.survivors(cases, best.objective + 1e-9 * problem.total)
        slots = replace(problem.slots, low=low, high=high, full=problem.slots.full & (low == problem.slots.low))
        again, _ = tried(replace(problem, slots=slots))
        assert again is not None, (seed, task.kind)
        assert again.objective == pytest.approx(best.objective), (seed, task.kind)
    assert looked_at > 20


@pytest.mark.parametrize(
    ("then", "ended"), [("optimal", "optimal"), ("failed", "failed"), ("infeasible", "infeasible")]
)
def test_that_there_is_no_plan_is_believed_where_it_is_said_twice(
    monkeypatch: pytest.MonkeyPatch, then: str, ended: str
) -> None:
    (_, task), *_ = tasks(range(5000, 5002))
    real = Model._run

    def run(self: Model, *given: Any, is_second: bool = False) -> HighsAnswer:
        claim = then if is_second else "infeasible"
        return real(self, *given) if claim == "optimal" else HighsAnswer(None, -np.inf, cast("Any", claim))

    monkeypatch.setattr(Model, "_run", run)
    assert Model(task.problem).solve(Effort()).ended == ended


def test_a_portfolio_of_which_the_solver_says_that_it_has_no_plan_has_its_proven_one() -> None:
    plan = engine_plan(huge(209))
    assert plan is not None
    assert plan.quality.method == "proven"


def test_who_mends_a_broken_risk_cap_is_told_apart_from_who_does_not() -> None:
    plan = engine_plan(huge(36))
    assert plan is not None
    assert plan.quality.gap < 0.005


def test_a_watch_that_says_so_stops_the_search_with_the_best_plan_so_far() -> None:
    (_, task), *_ = (one for one in tasks(range(5000, 5400)) if one[1].problem.size > 4)
    asked: list[tuple[float, float]] = []

    def stop(best: float, bound: float) -> bool:
        asked.append((best, bound))
        return True

    problem = replace(task.problem, turnover=task.problem.total)
    found = solve(problem, stop)
    assert found.solution is not None
    assert evaluate(problem, found.solution.units, 1e-6 * problem.total).feasible
    assert found.solution.bound <= evaluate(problem, found.solution.units).objective


def test_ctrl_c_ends_the_search_with_the_best_plan_so_far() -> None:
    (_, task), *_ = (one for one in tasks(range(5000, 5400)) if one[1].problem.size > 4)

    def interrupted(best: float, bound: float) -> bool:
        raise KeyboardInterrupt

    found = solve(replace(task.problem, turnover=task.problem.total), interrupted)
    assert found.solution is not None


def test_of_equal_instruments_the_earlier_trades_more() -> None:
    for _, task in tasks(range(5000, 5008)):
        problem = task.problem
        if applies(problem):
            twice = np.zeros(problem.size, dtype=np.int64)
            assert (earlier_first(problem, twice) == twice).all()
