"""Measure the trade engine against its peers, in one run: `python -m uv run --group bench python -m benchmarks.trades`.

Each row is one problem size. From cash: a million won an instrument (at least 50 million) into random weights, no fees,
what every peer can do. Rebalance: drifted holdings with a 0.015 % fee, 0.20 % sale tax and a 100,000 won minimum trade,
which no peer but a hand-written mixed-integer model can do. Several accounts: the same holdings and cash spread over
accounts that keep their own cash; four in ten instruments in the first account only, as US ones are for Koreans. Goals
of equivalents: several members of different prices share a goal, and each account may buy one of them.

Every plan is valued by the measure of docs/trades.md (`objective`, over the total) and by plain Σ|x − T|, cash
included (`apart`, over the total). Times are processor time, the best of three. `gap` is to the bound proven in the
same run. The textbook model is what a textbook would write, given to HiGHS for 30 seconds.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np

from engine.trades.problem import (
    BRACKETS,
    Floats,
    Ints,
    Rows,
    Slots,
    TradeProblem,
    cash_hinges,
    evaluate,
    hinges,
    off_target,
)
from engine.trades.solve import solve
from tests.trades.goal_problems import equivalents

SIZES = (10, 50, 200, 500, 2000, 5000)
LP_UP_TO = 50
TEXTBOOK_UP_TO = 500
TEXTBOOK_SECONDS = 30.0
#: Goals of equivalents: members in each account, goals, accounts, and millions of won a member.
OF_EQUIVALENTS = ((200, 30, 1, 1), (7, 8, 3, 1), (20, 8, 3, 10), (20, 8, 3, 1))
#: Symbols and accounts, and how many drawings of each.
OVER_ACCOUNTS = ((4, 2), (8, 3), (12, 3), (30, 3))
DRAWINGS = 3
FEE, TAX, MINIMUM, EFFORT = 0.00015, 0.002, 100_000.0, 0.00005


@dataclass(frozen=True, slots=True)
class Outcome:
    """One solver's result; `units` None where it did not end."""

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


def problem_of(n: int, seed: int, *, from_cash: bool) -> TradeProblem:
    """Build the problem of one size: from cash, or a rebalance with fee, tax and minimum trade."""
    price, weight = prices_and_weights(n, seed)
    total = 1e6 * max(n, 50)
    rng = np.random.default_rng(1000 + seed)
    drifted = weight * np.exp(rng.normal(0, 0.25, n))
    held = np.zeros(n) if from_cash else np.floor(drifted / drifted.sum() * total * 0.97 / price)
    fee, tax = (0.0, 0.0) if from_cash else (FEE, TAX)
    least = np.ones(n) if from_cash else np.maximum(np.ceil(MINIMUM / price), 1)
    return assembled(total, price, weight, held[:, None], least, fee, tax, np.array([total - float(held @ price)]))


def assembled(
    total: float,
    price: Floats,
    weight: Floats,
    held: Floats,
    least: Floats,
    fee: float,
    tax: float,
    cash: Floats,
    allowed: Floats | None = None,
) -> TradeProblem:
    """Build a problem of holdings (symbols × accounts): towards their targets, past them by one share at most."""
    symbols, accounts = held.shape
    value, target = held.sum(axis=1) * price, weight * total
    way = target - value
    up = np.where(way > 0, np.minimum(np.maximum(np.ceil(way / price), least), np.floor(2 * way / price)), 0)
    down = np.where(way < 0, np.minimum(np.maximum(np.ceil(-way / price), least), np.floor(-2 * way / price)), 0)
    symbol, account = (place.ravel() for place in np.indices(held.shape))
    places = np.flatnonzero((np.ones_like(held) if allowed is None else allowed).ravel())
    symbol, account = symbol[places], account[places]
    own = held.ravel()[places]
    alone = accounts == 1
    low = -np.minimum(own, down[symbol]) if alone else -own
    high = up[symbol] if alone else up[symbol] + held.sum(axis=1)[symbol] - own
    high = np.where(high >= least[symbol], high, 0)
    n = len(places)
    zeros = np.zeros(n)
    measure = hinges(
        (row, hinge)
        for row in range(symbols)
        for hinge in off_target(Decimal(repr(float(target[row]))), Decimal(repr(total)))
    )
    below, above = cash_hinges(Decimal(0), Decimal(repr(total)), selling_only=False)
    return TradeProblem(
        total=total,
        slots=Slots(
            symbol=symbol,
            pool=account,
            price=price[symbol],
            low=low.astype(np.int64),
            high=high.astype(np.int64),
            minimum_buy=least[symbol].astype(np.int64),
            minimum_sell=least[symbol].astype(np.int64),
            full=-low == own,
            continuous=np.zeros(n, dtype=bool),
            buy_rate=np.full(n, fee),
            sell_rate=np.full(n, fee),
            tax_rate=np.full(n, tax),
            fee_minimum=zeros,
            gain=zeros,
            withheld=zeros,
            overseas=zeros,
            dislike=zeros,
            slack=zeros,
            cash_slack=zeros,
        ),
        rows=Rows(
            value, np.full(symbols, -np.inf), np.full(symbols, np.inf), symbol, np.arange(n), np.ones(n), measure
        ),
        net_low=-down.astype(np.int64),
        net_high=up.astype(np.int64),
        cash=cash,
        reserve=np.zeros(accounts),
        account=np.arange(accounts),
        cash_below=below,
        cash_above=above,
        order=EFFORT * total,
    )


def over_accounts(n: int, accounts: int, seed: int) -> TradeProblem:
    """Spread the rebalance of one size over accounts: own cash, and four in ten instruments in the first one only."""
    price, weight = prices_and_weights(n, seed)
    total = 1e6 * max(n, 50)
    rng = np.random.default_rng([n, accounts, seed])
    drifted = weight * np.exp(rng.normal(0, 0.25, n))
    everywhere = rng.random(n) >= 0.4
    share = rng.dirichlet(np.ones(accounts), n)
    share[~everywhere] = np.eye(accounts)[0]
    held = np.floor((drifted / drifted.sum() * total * 0.97 / price)[:, None] * share)
    cash = (total - float((held.sum(axis=1) * price).sum())) * rng.dirichlet(np.full(accounts, 3.0))
    where = np.ones_like(held)
    where[~everywhere, 1:] = 0
    least = np.maximum(np.ceil(MINIMUM / price), 1)
    return assembled(total, price, weight, held, least, FEE, TAX, cash, where)


def timed(name: str, run: Callable[[], tuple[Ints | None, float | None]], times: int = 3) -> Outcome:
    """Run a solver a few times and keep its best time."""
    best = np.inf
    result: tuple[Ints | None, float | None] = (None, None)
    for _ in range(times):
        start = time.process_time()
        result = run()
        best = min(best, time.process_time() - start)
    return Outcome(name, best, *result)


def ours(problem: TradeProblem) -> tuple[Ints | None, float | None]:
    """Solve with the engine."""
    found = solve(problem).solution
    return (None, None) if found is None else (found.units, found.bound)


def peer(problem: TradeProblem, method: str) -> tuple[Ints | None, float | None]:
    """Allocate cash with PyPortfolioOpt's DiscreteAllocation; it knows no holdings, fees, tax or minimum."""
    import pandas as pd
    from pypfopt.discrete_allocation import DiscreteAllocation

    names = [f"A{i:05d}" for i in range(problem.size)]
    weights = dict(zip(names, targets(problem) / problem.total, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        allocation = DiscreteAllocation(
            weights, pd.Series(problem.slots.price, index=names), total_portfolio_value=problem.total
        )
        bought = allocation.greedy_portfolio()[0] if method == "greedy" else allocation.lp_portfolio()[0]
    return np.array([int(bought.get(name, 0)) for name in names], dtype=np.int64), None


def targets(problem: TradeProblem) -> Floats:
    """Return each symbol's target: where its measure is least."""
    innermost = problem.rows.hinges
    first = innermost.weight == BRACKETS[0][1]
    found = np.zeros(len(problem.rows.value))
    found[innermost.row[first]] = innermost.kink[first]
    return found


def floor_and_remainder(problem: TradeProblem) -> tuple[Ints | None, float | None]:
    """Buy the whole part of each target, then one more of each in the order of what is left over."""
    price = problem.slots.price
    wanted = targets(problem) / price
    units = np.floor(wanted)
    cash = problem.cash[0] - float((units * price).sum())
    for place in np.argsort(-(wanted - units), kind="stable").tolist():
        if price[place] <= cash:
            units[place] += 1
            cash -= price[place]
    return units.astype(np.int64), None


def textbook(problem: TradeProblem) -> tuple[Ints | None, float | None]:
    """Solve the model as a textbook writes it: buys, sells, a switch each, a column for every bracket on each side."""
    import highspy

    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    ends = time.process_time() + TEXTBOOK_SECONDS
    highs.cbMipInterrupt += lambda event: event.interrupt() if time.process_time() > ends else None
    slots, scale, inf = problem.slots, 1e6 / problem.total, highspy.kHighsInf
    price, goal = slots.price * scale, targets(problem) * scale
    buy = [highs.addVariable(0, float(h), 0, highspy.HighsVarType.kInteger) for h in slots.high]
    sell = [highs.addVariable(0, float(-low), 0, highspy.HighsVarType.kInteger) for low in slots.low]
    order = problem.order * scale
    buying, selling = ([highs.addVariable(0, 1, order, highspy.HighsVarType.kInteger) for _ in price] for _ in range(2))
    starts = [start for start, _ in BRACKETS] + [np.inf]
    for s in range(problem.size):
        least = float(slots.minimum_buy[s]), float(min(slots.minimum_sell[s], -slots.low[s]))
        highs.addConstr(buy[s] <= float(slots.high[s]) * buying[s])
        highs.addConstr(buy[s] >= least[0] * buying[s])
        highs.addConstr(sell[s] <= float(-slots.low[s]) * selling[s])
        highs.addConstr(sell[s] >= least[1] * selling[s])
        highs.addConstr(buying[s] + selling[s] <= 1)
    for symbol, before in enumerate(problem.rows.value.tolist()):
        mine = np.flatnonzero(slots.symbol == symbol).tolist()
        width = max(goal[symbol], 1e4)
        over, under = (
            [
                highs.addVariable(0, min((end - start) * width, inf), weight)
                for (start, weight), end in zip(BRACKETS, starts[1:], strict=True)
            ]
            for _ in range(2)
        )
        moved = highs.qsum(float(price[s]) * (buy[s] - sell[s]) for s in mine)
        highs.addConstr(moved + before * scale - highs.qsum(over) + highs.qsum(under) == float(goal[symbol]))
        net = highs.qsum(buy[s] - sell[s] for s in mine)
        highs.addConstr(net <= float(problem.net_high[symbol]))
        highs.addConstr(net >= float(problem.net_low[symbol]))
    idle = [
        highs.addVariable(0, min((end - start) * 1e4, inf), min(weight, 0.15))
        for (start, weight), end in zip(BRACKETS, starts[1:], strict=True)
    ]
    worth = highs.qsum(float(price[s]) * (buy[s] - sell[s]) for s in range(problem.size))
    highs.addConstr(highs.qsum(idle) + worth >= float(problem.cash.sum()) * scale)
    costs = []
    for pool, cash in enumerate(problem.cash.tolist()):
        mine = np.flatnonzero(slots.pool == pool).tolist()
        fees = highs.qsum(
            float(price[s] * slots.buy_rate[s]) * buy[s]
            + float(price[s] * (slots.sell_rate[s] + slots.tax_rate[s])) * sell[s]
            for s in mine
        )
        used = highs.qsum(float(price[s]) * (buy[s] - sell[s]) for s in mine)
        highs.addConstr(used + fees <= cash * scale)
        costs.append(fees)
    paid = highs.addVariable(0, inf, 1.0)
    highs.addConstr(paid >= highs.qsum(costs))
    highs.minimize()
    if highs.getInfo().primal_solution_status != highspy.kSolutionStatusFeasible:
        return None, None
    solution = np.array(highs.getSolution().col_value)
    n = problem.size
    return np.rint(solution[:n] - solution[n : 2 * n]).astype(np.int64), None


def apart(problem: TradeProblem, units: Ints) -> float:
    """Return Σ|x − T| over the total, cash and its target of 0 included."""
    value = units * problem.slots.price
    after = problem.rows.value + problem.rows.traded(value)
    left = float(problem.cash.sum() - value.sum())
    return float((np.abs(after - targets(problem)).sum() + abs(left)) / problem.total)


def row(label: str, problem: TradeProblem, outcomes: list[Outcome]) -> str:
    """Format one size: time, both measures and distance to our bound of each solver."""
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
            f"{outcome.name}: {outcome.seconds * 1e3:.1f} ms{ratio}, objective {found.objective / problem.total:.8f}, "
            f"gap {gap:.6%}, apart {apart(problem, outcome.units):.6f}{odd}"
        )
    return label + "\n    " + "\n    ".join(cells)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the slow peers")
    parser.add_argument("--seed", type=int, default=0)
    quick, seed = (options := parser.parse_args()).quick, options.seed
    solve(problem_of(20, 99, from_cash=True))  # imports and first calls are not what is measured
    for from_cash in (True, False):
        print("\nFrom cash" if from_cash else f"\nRebalance: fee {FEE:.3%}, sale tax {TAX:.2%}, minimum {MINIMUM:,.0f}")
        for n in SIZES:
            problem = problem_of(n, seed, from_cash=from_cash)
            outcomes = [timed("rebalancer", partial(ours, problem))]
            if from_cash:
                outcomes.append(timed("PyPortfolioOpt greedy", partial(peer, problem, "greedy")))
                outcomes.append(timed("floor + largest remainder", partial(floor_and_remainder, problem)))
            if from_cash and n <= LP_UP_TO:
                outcomes.append(timed("PyPortfolioOpt lp", partial(peer, problem, "lp"), 1))
            if n <= TEXTBOOK_UP_TO and not quick:
                outcomes.append(timed("textbook, HiGHS", partial(textbook, problem), 1))
            print(row(f"n = {n}", problem, outcomes), flush=True)
    print(f"\nSeveral accounts: fee {FEE:.3%}, sale tax {TAX:.2%}, minimum {MINIMUM:,.0f}")
    for n, accounts in OVER_ACCOUNTS:
        for drawing in range(DRAWINGS):
            problem = over_accounts(n, accounts, drawing)
            outcomes = [timed("rebalancer", partial(ours, problem), 1)]
            if not quick:
                outcomes.append(timed("textbook, HiGHS", partial(textbook, problem), 1))
            print(row(f"n = {n}, accounts = {accounts}, slots = {problem.size}", problem, outcomes), flush=True)
    print(f"\nGoals of equivalents: fee {FEE:.3%}, sale tax {TAX:.2%}, minimum {MINIMUM:,.0f}")
    for members, goals, accounts, each in OF_EQUIVALENTS:
        for drawing in range(DRAWINGS):
            problem = equivalents(members, goals, accounts, drawing, each=each * 1e6)
            label = f"members = {members}, goals = {goals}, accounts = {accounts}, {each} million won a member"
            print(row(label, problem, [timed("rebalancer", partial(ours, problem), 1)]), flush=True)


if __name__ == "__main__":
    main()
