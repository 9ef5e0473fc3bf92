"""What the tests of backtests share: markets, portfolios and runs in a few words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import rebalancer
from engine.backtest.market import Closes
from engine.backtest.policy import policy_of
from engine.backtest.result import Backtest
from engine.backtest.run import Fractions, Run, simulate
from engine.portfolio import Portfolio
from rebalancer.analysing import Sources
from rebalancer.backtesting import Trial
from rebalancer.backtesting import backtest as run_backtest
from tests.analysis.real_prices import stock_table

STOCKS = ("AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "HD", "JNJ", "JPM", "KO")
FREE = {"*": {"commission": 0, "minimum": 0, "sell_tax": 0}}


@cache
def real_market(days: int = 5040, assets: int = 10) -> Closes:
    """Return real closes of US stocks."""
    table = stock_table()
    symbols = STOCKS[:assets]
    closes = np.column_stack([table.series[name].closes[-days:] for name in symbols])
    return Closes("USD", symbols, table.series[symbols[0]].days[-days:], closes, ("USD",) * assets)


def portfolio_of(
    weights: Mapping[str, float], base: str = "USD", settings: Mapping[str, Any] | None = None
) -> Portfolio:
    targets = [{"ticker": symbol, "weight": weight} for symbol, weight in weights.items()]
    body = {"base_currency": base, "cash": {base: 1}, "targets": targets}
    return rebalancer.load({"portfolio": body, "settings": dict(settings or {})})


def fast(market: Closes, name: str, capital: float = 1e6, monthly: float = 0.0) -> Run:
    """Return a run in fractions, at no cost, of equal weights."""
    from engine.backtest.run import period_starts

    targets = np.full(len(market.symbols), 1 / len(market.symbols))
    policy = policy_of(name, portfolio_of({"AAPL": 1.0}))
    assert policy is not None
    flows = np.where(period_starts(market.days)[0], monthly, 0.0)
    flows[0] = capital
    return simulate(market, targets, policy, flows, Fractions(market, targets, policy, None))


def written(path: Path, days: Sequence[dt.date], columns: Mapping[str, Sequence[float]]) -> Path:
    """Write closes as a history file."""
    lines = [",".join(("Date", *columns))]
    lines += [
        ",".join((str(day), *map(str, row))) for day, row in zip(days, zip(*columns.values(), strict=True), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def tried(portfolio: Portfolio, history: Path, policies: str, **more: Any) -> Backtest:
    """Return a backtest over the whole of a history file."""
    trial = Trial(**{"start": dt.date(1990, 1, 1), **more})
    return run_backtest(portfolio, policies, Sources(history), trial)
