"""The engine against brute force, and its bound against an independent one."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from engine.trades.accounts import prove
from engine.trades.columns import columns_of
from engine.trades.dual import breakpoints, maximise
from engine.trades.exact import INFEASIBLE, solve_exactly
from engine.trades.master import relax
from engine.trades.problem import GroupCap, Problem, RiskCap, evaluate
from engine.trades.search import applies, search
from engine.trades.solve import solve

quickly = tries(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def small_problems(draw: st.DrawFn, *, plain: bool = False, most_slots: int = 4) -> Problem:
    """Draw a problem with few enough whole trades to try them all: 1–4 slots, 1–2 pools an account, 1–2 accounts."""
    accounts = 1 if plain else draw(st.integers(1, 2))
    currencies = draw(st.integers(1, 2))
    pools = accounts * currencies
    slots = draw(st.integers(1, most_slots))
    symbols = slots if plain else draw(st.integers(1, slots))
    price = np.array(draw(st.lists(st.integers(5, 400), min_size=symbols, max_size=symbols)), dtype=np.float64)
    symbol = np.arange(slots) % symbols
    ints = lambda low, high: np.array(draw(st.lists(st.integers(low, high), min_size=slots, max_size=slots)))  # noqa: E731
    low, high = -ints(0, 5), ints(0, 6)
    account = np.repeat(np.arange(accounts), currencies)
    pool = ints(0, pools - 1)
    cash = np.array(draw(st.lists(st.integers(-300, 900), min_size=pools, max_size=pools)), dtype=np.float64)
    total = float(draw(st.integers(1000, 4000)))
    fee = draw(st.sampled_from([0.0, 0.01]))
    return Problem(
        total=total,
        shortfall=np.array(
            draw(st.lists(st.integers(-1200, 1200), min_size=symbols, max_size=symbols)), dtype=np.float64
        ),
        symbol=symbol,
        pool=pool,
        price=price[symbol],
        low=low,
        high=high,
        minimum=ints(1, 3),
        full=np.array(draw(st.lists(st.booleans(), min_size=slots, max_size=slots))),
        continuous=np.zeros(slots, dtype=bool),
        buy_rate=np.full(slots, fee),
        sell_rate=np.full(slots, fee),
        tax_rate=np.full(slots, draw(st.sampled_from([0.0, 0.02]))),
        fee_minimum=np.full(slots, draw(st.sampled_from([0.0, 0.0, 3.0]))),
        cash=cash,
        reserve=np.full(pools, draw(st.sampled_from([0.0, 0.0, 50.0]))),
        account=account,
        cash_target=float(draw(st.integers(0, 800))),
        linked=draw(st.booleans()) or (plain and pools > 1),
        spread=draw(st.sampled_from([0.0, 0.01, 0.1])),
        turnover=None if plain else draw(st.sampled_from([None, None, 500.0])),
        groups=()
        if plain
        else tuple(
            draw(
                st.lists(
                    st.builds(GroupCap, st.just("g"), st.just(np.array([0])), st.just(-400.0), st.just(300.0)),
                    max_size=1,
                )
            )
        ),
        risk_caps=()
        if plain
        else tuple(
            draw(st.lists(st.just(RiskCap(0, np.flatnonzero(account[pool] == 0)[:1], 0.5, 200.0, 900.0)), max_size=1))
        ),
    )


def best_by_trying_all(problem: Problem) -> float:
    """Return the least objective over every combination of whole trades; inf where none is feasible."""
    ranges = [range(low, high + 1) for low, high in zip(problem.low.tolist(), problem.high.tolist(), strict=True)]
    best = np.inf
    for units in itertools.product(*ranges):
        found = evaluate(problem, np.array(units, dtype=np.int64))
        if found.feasible:
            best = min(best, found.objective)
    return best


@given(small_problems())
@tries(quickly, max_examples=60)
def test_the_plan_is_the_best_of_all_plans(problem: Problem) -> None:
    assume(np.prod(problem.high - problem.low + 1) <= 4000)
    best = best_by_trying_all(problem)
    found = solve(problem)
    if np.isinf(best):
        assert found is None
    else:
        assert found is not None
        assert evaluate(problem, found.units).feasible
        assert evaluate(problem, found.units).objective <= best + 1e-6 * problem.total
        assert found.bound <= best + 1e-6 * problem.total


@given(small_problems(plain=True))
@tries(quickly, max_examples=150)
def test_the_search_alone_is_exact_and_its_bound_is_true(problem: Problem) -> None:
    assume(np.prod(problem.high - problem.low + 1) <= 4000)
    assert applies(problem)
    best = best_by_trying_all(problem)
    found = search(problem)
    dual = maximise(problem, breakpoints(problem))
    if np.isinf(best):
        assert found is None
        return
    assert dual is not None
    assert dual.bound <= best + 1e-9 * problem.total
    assert found is not None
    objective = evaluate(problem, found.units).objective
    assert abs(objective - best) <= 1e-7 * problem.total
    assert best - 1e-7 * problem.total <= found.bound <= best + 1e-7 * problem.total


@given(small_problems())
@tries(quickly, max_examples=80)
def test_the_dual_over_all_accounts_and_caps_is_a_true_bound(problem: Problem) -> None:
    assume(np.prod(problem.high - problem.low + 1) <= 4000)
    best = best_by_trying_all(problem)
    columns = columns_of(problem)
    assert columns is not None
    relaxed = relax(problem, columns)
    if relaxed is not None:
        assert relaxed.bound <= best + 1e-6 * problem.total


@given(small_problems())
@tries(quickly, max_examples=40)
def test_the_proof_over_accounts_is_exact(problem: Problem) -> None:
    assume(np.prod(problem.high - problem.low + 1) <= 4000)
    best = best_by_trying_all(problem)
    proof = prove(problem)
    assert proof.bound <= best + 1e-6 * problem.total
    if proof.units is not None:
        found = evaluate(problem, proof.units)
        assert found.feasible
        assert found.objective >= best - 1e-6 * problem.total
        assert proof.bound <= found.objective


@st.composite
def many_slots(draw: st.DrawFn) -> Problem:
    """Draw a problem of a realistic size in one account: 5–40 instruments, won and dollars, minimums, fees."""
    n = draw(st.integers(5, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    foreign = rng.random(n) < 0.5
    price = np.round(np.exp(rng.uniform(np.log(5e3), np.log(8e5), n)))
    total = float(rng.integers(2, 80)) * 1e6
    weight = rng.dirichlet(np.ones(n)) * draw(st.sampled_from([0.9, 1.0]))
    held = np.floor(weight * np.exp(rng.normal(0, 0.3, n)) * total * draw(st.sampled_from([0.0, 0.9])) / price)
    shortfall = weight * total - held * price
    minimum = np.maximum(np.ceil(draw(st.sampled_from([0, 100_000])) / price), 1).astype(np.int64)
    high = np.where(shortfall > 0, np.maximum(np.ceil(shortfall / price), minimum), 0).astype(np.int64)
    fee = draw(st.sampled_from([0.0, 0.00015, 0.0025]))
    return Problem(
        total=total,
        shortfall=shortfall,
        symbol=np.arange(n),
        pool=foreign.astype(np.int64),
        price=price,
        low=-held.astype(np.int64),
        high=high,
        minimum=minimum,
        full=np.ones(n, dtype=bool),
        continuous=np.zeros(n, dtype=bool),
        buy_rate=np.full(n, fee),
        sell_rate=np.full(n, fee),
        tax_rate=np.where(foreign, 0.0, 0.002),
        fee_minimum=np.full(n, draw(st.sampled_from([0.0, 1000.0]))),
        cash=np.array([total - (held * price).sum(), 0.0]),
        reserve=np.zeros(2),
        account=np.zeros(2, dtype=np.int64),
        cash_target=total * (1 - float(weight.sum())),
        spread=draw(st.sampled_from([0.0, 0.001])),
    )


@given(many_slots())
@tries(quickly, max_examples=25)
def test_two_independent_formulations_agree(problem: Problem) -> None:
    ours, highs = search(problem), solve_exactly(problem)
    assert ours is not None
    assert highs is not None
    assert highs is not INFEASIBLE
    tolerance = 1e-6 * problem.total
    assert evaluate(problem, ours.units).objective <= evaluate(problem, highs.units).objective + tolerance
    assert ours.bound <= evaluate(problem, highs.units).objective + tolerance
    assert highs.bound <= evaluate(problem, ours.units).objective + tolerance


def test_equal_plans_are_decided_by_fewest_trades_then_symbol_order() -> None:
    """Two instruments alike in all but name, money for one of them: the first is bought, once."""
    two = np.array([1, 1])
    problem = Problem(
        total=1000.0,
        shortfall=np.array([500.0, 500.0]),
        symbol=np.arange(2),
        pool=np.zeros(2, dtype=np.int64),
        price=np.array([100.0, 100.0]),
        low=np.zeros(2, dtype=np.int64),
        high=5 * two,
        minimum=two,
        full=np.zeros(2, dtype=bool),
        continuous=np.zeros(2, dtype=bool),
        buy_rate=np.zeros(2),
        sell_rate=np.zeros(2),
        tax_rate=np.zeros(2),
        fee_minimum=np.zeros(2),
        cash=np.array([300.0]),
        reserve=np.zeros(1),
        account=np.zeros(1, dtype=np.int64),
        cash_target=0.0,
    )
    found = solve(problem)
    assert found is not None
    assert found.units.tolist() == [3, 0]
