"""How long backtests take, beside bt in the same run.

    python -m uv run --group test python -m benchmarks.backtest [--quick]

Ten US stocks over 5,040 days. Fractions: a policy at a time and a hundred in one call. Exact: the engine's own plans in
whole shares. Times are of the processor, the median of several runs of ours against one of theirs.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from engine.backtest.market import Closes
from engine.backtest.policy import grid
from engine.backtest.run import Run
from rebalancer.backtesting import Trial
from tests.backtest.test_against_bt import POLICIES, theirs
from tests.backtest.trial_runs import fast, portfolio_of, real_market

_RUNS = 9


def _timed(work: Callable[[], Any], runs: int = 1) -> float:
    """Return the median seconds of processor time."""
    taken = []
    for _ in range(runs):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="fewer days")
    days = 1500 if arguments.parse_args().quick else 5040
    market = real_market(days)
    targets = np.full(10, 0.1)
    print(f"{'policy':<14}{'ours':>10}{'bt':>10}{'ratio':>8}{'apart':>10}   10 assets x {days} days")
    for name in ("monthly", "quarterly", "band:0.05", "annual", "weekly"):
        ours = _timed(lambda name=name: fast(market, name), _RUNS)  # type: ignore[misc]
        begun = time.process_time()
        expected = theirs(market, POLICIES[name](targets))
        other = time.process_time() - begun
        apart = float(np.max(np.abs(fast(market, name).value / expected - 1)))
        print(f"{name:<14}{ours * 1e3:>8.1f}ms{other * 1e3:>8.0f}ms{other / ours:>7.0f}x{apart:>10.0e}")
    _whole_calls(market)


def _whole_calls(market: Closes) -> None:
    """Print what a hundred policies in one call take, and whole shares by the engine's plans."""
    from rebalancer.backtesting import Job, run_policy

    portfolio = portfolio_of(dict.fromkeys(market.symbols, 0.1))
    policies = grid(portfolio)[:100]
    trial = Trial(capital=1e6)

    def every() -> list[Run]:
        return [run_policy(market, Job(portfolio, policy, trial, 1e6, (1.0,))) for policy in policies]

    print(f"{len(policies)} policies with costs: {_timed(every):.2f} s")
    short = market.between(len(market) - 756, len(market))
    for name in ("quarterly", "band:0.05"):
        policy = next(one for one in grid(portfolio) if one.name == name)
        job = Job(portfolio, policy, replace(trial, exact=True), 1e6, (1.0,))
        seconds = _timed(lambda job=job: run_policy(short, job))  # type: ignore[misc]
        deals = len(run_policy(short, job).deals)
        each = seconds / deals * 1e3
        print(f"exact {name}: {seconds:.2f} s for {deals} plans over {len(short)} days ({each:.0f} ms each)")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main()
