"""Measure the trade engine against its peers, in one run: `python -m uv run --group bench python -m benchmarks.trades`.

Each row is one problem size. From cash: 50 million won a 50 instruments into random weights, no fees,
what every peer can do. Rebalance: drifted holdings with a 0.015 % fee, 0.20 % sale tax and a 100,000 won minimum trade,
which no peer but a hand-written mixed-integer model can do. Several accounts: the same holdings and cash spread over
accounts that keep their own cash; four in ten instruments in the first account only, as US ones are for Koreans;
beside it, HiGHS on our whole model. Times are the best of three; `objective` is
Σ|target − value| + |cash target − cash| + costs over the total; `gap` is to the bound proven in the same run, and of
HiGHS to its own.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from engine.trades.problem import Floats, Ints, Problem, evaluate
from engine.trades.solve import solve

SIZES = (10, 50, 200, 500, 2000, 5000)
LONGER = (10_000, 20_000, 40_000)
LP_UP_TO = 50
MILP_UP_TO = 500
MILP_SECONDS = 60.0
#: Symbols and accounts, and how many drawings of each.
OVER_ACCOUNTS = ((4, 2), (6, 2), (6, 3), (8, 3), (10, 3), (12, 3), (16, 3), (50, 3), (100, 4))
DRAWINGS = 4
WHOLE_UP_TO, WHOLE_SECONDS = 60, 10.0
FEE, TAX, MINIMUM = 0.00015, 0.002, 100_000.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold one solver's result; `units` None where it did not end."""

    name: str
    seconds: float
    units: Ints | None
    bound: float | None = None


def prices_and_weights(n: int, seed: int) -> tuple[Floats, Floats]:
    """Draw n prices in won (half of them US, 5–1,000 dollars; half Korean, 1,000–1,000,000 won) and weights."""
    rng = np.random.default_rng(seed)
    dollars = np.exp(rng.uniform(np.log(5), np.log(1000), n)) * 1391.5
    won = np.round(np.exp(rng.uniform(np.log(1000), np.log(1e6), n)))
    return np.where(rng.random(n) < 0.5, dollars, won), rng.dirichlet(np.full(n, 2.0))


def problem_of(n: int, seed: int, *, from_cash: bool) -> Problem:
    """Build the problem of one size: from cash, or a rebalance with fee, tax and minimum trade."""
    price, weight = prices_and_weights(n, seed)
    total = 1e6 * max(n, 50)
    rng = np.random.default_rng(1000 + seed)
    drifted = weight * np.exp(rng.normal(0, 0.25, n))
    held = np.zeros(n) if from_cash else np.floor(drifted / drifted.sum() * total * 0.97 / price)
    shortfall = weight * total - held * price
    minimum = np.ones(n) if from_cash else np.maximum(np.ceil(MINIMUM / price), 1)
    high = np.where(shortfall > 0, np.maximum(np.ceil(shortfall / price), minimum), 0)
    fee, tax = (0.0, 0.0) if from_cash else (FEE, TAX)
    return Problem(
        total=total,
        shortfall=shortfall,
        symbol=np.arange(n),
        pool=np.zeros(n, dtype=np.int64),
        price=price,
        low=-held.astype(np.int64),
        high=high.astype(np.int64),
        minimum=minimum.astype(np.int64),
        full=np.ones(n, dtype=bool),
        continuous=np.zeros(n, dtype=bool),
        buy_rate=np.full(n, fee),
        sell_rate=np.full(n, fee),
        tax_rate=np.full(n, tax),
        fee_minimum=np.zeros(n),
        cash=np.array([total - float((held * price).sum())]),
        reserve=np.zeros(1),
        account=np.zeros(1, dtype=np.int64),
        cash_target=0.0,
    )


def over_accounts(n: int, accounts: int, seed: int) -> Problem:
    """Spread the rebalance of one size over accounts: own cash, and four in ten instruments in the first one only."""
    whole = problem_of(n, seed, from_cash=False)
    rng = np.random.default_rng([n, accounts, seed])
    everywhere = rng.random(n) >= 0.4
    share = rng.dirichlet(np.ones(accounts), n)
    share[~everywhere] = np.eye(accounts)[0]
    held = np.floor(-whole.low[:, None] * share)
    # What rounding leaves is sold before: its value is in the cash that is spread.
    value = held.sum(axis=1) * whole.price
    shortfall = whole.shortfall - whole.low * whole.price - value
    symbol, account = (place.ravel() for place in np.indices(held.shape))
    least = whole.minimum[symbol]
    room = np.where(shortfall > 0, np.maximum(np.ceil(shortfall / whole.price), whole.minimum), 0)[symbol]
    high = room + held.sum(axis=1)[symbol] - held.ravel()
    slots = np.flatnonzero((account == 0) | everywhere[symbol])
    at = symbol[slots]
    return replace(
        whole,
        shortfall=shortfall,
        symbol=at,
        pool=account[slots],
        price=whole.price[at],
        low=-held.ravel()[slots].astype(np.int64),
        high=high[slots].astype(np.int64),
        minimum=least[slots],
        full=whole.full[at],
        continuous=whole.continuous[at],
        buy_rate=whole.buy_rate[at],
        sell_rate=whole.sell_rate[at],
        tax_rate=whole.tax_rate[at],
        fee_minimum=whole.fee_minimum[at],
        cash=(whole.total - float(value.sum())) * rng.dirichlet(np.full(accounts, 3.0)),
        reserve=np.zeros(accounts),
        account=np.arange(accounts),
    )


def timed(name: str, run: Callable[[], tuple[Ints | None, float | None]], times: int = 3) -> Outcome:
    """Run a solver a few times and keep its best time."""
    best = np.inf
    result: tuple[Ints | None, float | None] = (None, None)
    for _ in range(times):
        start = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - start)
    return Outcome(name, best, *result)


def ours(problem: Problem) -> tuple[Ints | None, float | None]:
    """Solve with the engine."""
    found = solve(problem)
    return (None, None) if found is None else (found.units, found.bound)


def peer(problem: Problem, method: str) -> tuple[Ints | None, float | None]:
    """Allocate cash with PyPortfolioOpt's DiscreteAllocation; it knows no holdings, fees, tax or minimum."""
    import pandas as pd
    from pypfopt.discrete_allocation import DiscreteAllocation

    names = [f"A{i:05d}" for i in range(problem.size)]
    weights = dict(zip(names, problem.shortfall / problem.total, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        allocation = DiscreteAllocation(
            weights, pd.Series(problem.price, index=names), total_portfolio_value=problem.total
        )
        bought = allocation.greedy_portfolio()[0] if method == "greedy" else allocation.lp_portfolio()[0]
    return np.array([int(bought.get(name, 0)) for name in names], dtype=np.int64), None


def floor_and_remainder(problem: Problem) -> tuple[Ints | None, float | None]:
    """Buy the whole part of each target, then one more of each in the order of what is left over."""
    wanted = problem.shortfall / problem.price
    units = np.floor(wanted)
    cash = problem.cash[0] - float((units * problem.price).sum())
    for place in np.argsort(-(wanted - units), kind="stable").tolist():
        if problem.price[place] <= cash:
            units[place] += 1
            cash -= problem.price[place]
    return units.astype(np.int64), None


def textbook_milp(problem: Problem) -> tuple[Ints | None, float | None]:
    """Solve the model as a textbook writes it: buys, sells, a switch each, |deviation| in two halves."""
    import scipy.sparse as sp
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, scale = problem.size, 1e6 / problem.total
    price, eye, none = problem.price * scale, sp.identity(n), sp.csr_array((n, n))
    reach = np.maximum(problem.high, 1).astype(np.float64)
    held = -problem.low.astype(np.float64)
    value = sp.diags(price)
    cost_buy, cost_sell = price * problem.buy_rate, price * (problem.sell_rate + problem.tax_rate)
    # buy, sell, deviation up, deviation down, buying?, selling?, cash
    rows = [
        (sp.hstack([value, -value, eye, -eye, none, none, sp.csr_array((n, 1))]), problem.shortfall * scale, None),
        (sp.hstack([eye, none, none, none, -sp.diags(reach), none, sp.csr_array((n, 1))]), None, np.zeros(n)),
        (sp.hstack([none, eye, none, none, none, -sp.diags(held), sp.csr_array((n, 1))]), None, np.zeros(n)),
        (
            sp.hstack([-eye, none, none, none, sp.diags(problem.minimum.astype(float)), none, sp.csr_array((n, 1))]),
            None,
            np.zeros(n),
        ),
        (
            sp.hstack(
                [none, -eye, none, none, none, sp.diags(np.minimum(problem.minimum, held)), sp.csr_array((n, 1))]
            ),
            None,
            np.zeros(n),
        ),
        (sp.hstack([none, none, none, none, eye, eye, sp.csr_array((n, 1))]), None, np.ones(n)),
        (
            sp.csr_array(np.concatenate([price + cost_buy, -price + cost_sell, np.zeros(4 * n), [1.0]])[None, :]),
            problem.cash * scale,
            None,
        ),
    ]
    matrix = sp.vstack([row[0] for row in rows], format="csc")
    low = np.concatenate([np.full(row[0].shape[0], -np.inf) if row[1] is None else row[1] for row in rows])
    high = np.concatenate([row[1] if row[2] is None else row[2] for row in rows])
    zeros, ones, free = np.zeros(n), np.ones(n), np.full(n, np.inf)
    found = milp(
        np.concatenate([cost_buy, cost_sell, ones, ones, zeros, zeros, [1.0]]),
        integrality=np.concatenate([ones, ones, zeros, zeros, ones, ones, [0]]),
        bounds=Bounds(0, np.concatenate([reach, held, free, free, ones, ones, [np.inf]])),
        constraints=LinearConstraint(matrix, low, high),
        options={"time_limit": MILP_SECONDS},
    )
    if found.x is None:
        return None, None
    return np.rint(found.x[:n] - found.x[n : 2 * n]).astype(np.int64), None


def whole_model(problem: Problem) -> tuple[Ints | None, float | None]:
    """Solve our whole model with HiGHS, as long as it takes within a time limit."""
    from engine.trades.exact import solve_exactly

    found = solve_exactly(problem, nodes=10**9, seconds=WHOLE_SECONDS)
    return (None, None) if found is None or not len(found.units) else (found.units, found.bound)


def account_row(n: int, accounts: int) -> str:
    """Format one size over accounts: the median of its drawings, and how many of them are proven."""
    lines: list[str] = []
    first = 0.0
    for name, solver in (("rebalancer", ours), ("HiGHS, whole model", whole_model)):
        outcomes = []
        slots = []
        for seed in range(DRAWINGS):
            problem = over_accounts(n, accounts, seed)
            slots.append(problem.size)
            if solver is ours or problem.size <= WHOLE_UP_TO:
                outcomes.append((problem, timed(name, partial(solver, problem), 1 if solver is whole_model else 3)))
        answered = [(p, o.units, o.bound) for p, o in outcomes if o.units is not None and o.bound is not None]
        if not answered:
            continue
        objective = [evaluate(p, units, slack=1e-6 * p.total).objective for p, units, _ in answered]
        gap = [max(1 - bound / best, 0.0) for (_, _, bound), best in zip(answered, objective, strict=True)]
        mean = float(np.mean([best / p.total for (p, *_), best in zip(answered, objective, strict=True)]))
        milliseconds = float(np.median([o.seconds for _, o in outcomes])) * 1e3
        first = first or milliseconds
        ratio = f" ({milliseconds / first:.1f} × ours)" if lines else ""
        lines.append(
            f"{name}: {milliseconds:.1f} ms{ratio}, mean objective {mean:.8f}, largest gap {max(gap):.4%}, "
            f"proven {sum(g <= 1e-6 for g in gap)} of {len(outcomes)}"
        )
    return f"n = {n}, accounts = {accounts}, slots = {min(slots)}–{max(slots)}\n    " + "\n    ".join(lines)


def row(n: int, problem: Problem, outcomes: list[Outcome]) -> str:
    """Format one size: time, objective and distance to our bound of each solver."""
    bound = outcomes[0].bound
    assert bound is not None
    cells = []
    for outcome in outcomes:
        if outcome.units is None:
            cells.append(f"{outcome.name}: {outcome.seconds * 1e3:.1f} ms, no answer")
            continue
        found = evaluate(problem, outcome.units, slack=1e-6 * problem.total)
        gap = (found.objective - bound) / found.objective
        odd = "" if found.feasible else " (breaks a constraint)"
        ratio = f", {outcome.seconds / outcomes[0].seconds:.1f} × ours" if outcome is not outcomes[0] else ""
        cells.append(
            f"{outcome.name}: {outcome.seconds * 1e3:.1f} ms{ratio}, "
            f"objective {found.objective / problem.total:.8f}, gap {gap:.6%}{odd}"
        )
    return f"n = {n}\n    " + "\n    ".join(cells)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the slow peers and the largest sizes")
    parser.add_argument("--seed", type=int, default=0)
    quick, seed = (options := parser.parse_args()).quick, options.seed
    solve(problem_of(20, 99, from_cash=True))  # imports and first calls are not what is measured
    for from_cash in (True, False):
        print("\nFrom cash" if from_cash else f"\nRebalance: fee {FEE:.3%}, sale tax {TAX:.2%}, minimum {MINIMUM:,.0f}")
        for n in SIZES if quick else (*SIZES, *LONGER):
            problem = problem_of(n, seed, from_cash=from_cash)
            outcomes = [timed("rebalancer", partial(ours, problem))]
            if from_cash:
                outcomes.append(timed("PyPortfolioOpt greedy", partial(peer, problem, "greedy"), 1 if n > 5000 else 3))
                outcomes.append(timed("floor + largest remainder", partial(floor_and_remainder, problem)))
            if from_cash and n <= LP_UP_TO:
                outcomes.append(timed("PyPortfolioOpt lp", partial(peer, problem, "lp"), 1))
            if n <= MILP_UP_TO and not quick:
                outcomes.append(timed("scipy milp, textbook", partial(textbook_milp, problem), 1))
            print(row(n, problem, outcomes), flush=True)
    print(f"\nSeveral accounts: fee {FEE:.3%}, sale tax {TAX:.2%}, minimum {MINIMUM:,.0f}")
    for n, accounts in OVER_ACCOUNTS:
        print(account_row(n, accounts), flush=True)


if __name__ == "__main__":
    main()
