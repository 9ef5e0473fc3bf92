"""The runs beside those of bt, which shares no code with them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.backtest.market import Closes, Tariff
from engine.backtest.policy import policy_of
from engine.backtest.run import Fractions, simulate
from engine.history import Floats
from tests.backtest.trial_runs import fast, portfolio_of, real_market

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it imports
    import bt

DAYS = 1500


def _band(width: float, targets: Floats) -> Any:
    class Band(bt.algos.Algo):  # type: ignore[misc]
        def __call__(self, target: Any) -> bool:
            held = [target.children[name].weight if name in target.children else 0.0 for name in target.universe]
            return not target.children or bool(np.any(np.abs(np.array(held) - targets) > width))

    return Band()


def theirs(market: Closes, when: Any, commission: float = 0.0) -> Floats:
    """Return the values of a portfolio of equal weights by bt."""
    prices = pd.DataFrame(market.closes, index=pd.DatetimeIndex(market.days), columns=list(market.symbols))
    weights = dict.fromkeys(market.symbols, 1 / len(market.symbols))
    algos = [when, bt.algos.SelectAll(), bt.algos.WeighSpecified(**weights), bt.algos.Rebalance()]
    test = bt.Backtest(
        bt.Strategy("s", algos),
        prices,
        initial_capital=1e6,
        integer_positions=False,
        progress_bar=False,
        commissions=lambda quantity, price: abs(quantity) * price * commission,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test.run()
    return np.asarray(test.strategy.values.to_numpy()[1:], dtype=np.float64)


POLICIES: dict[str, Callable[[Floats], Any]] = {
    "never": lambda _: bt.algos.RunOnce(),
    "weekly": lambda _: bt.algos.RunWeekly(),
    "monthly": lambda _: bt.algos.RunMonthly(),
    "quarterly": lambda _: bt.algos.RunQuarterly(),
    "annual": lambda _: bt.algos.RunYearly(),
    "band:0.02": lambda targets: _band(0.02, targets),
    "band:0.05": lambda targets: _band(0.05, targets),
}


@pytest.mark.parametrize("name", POLICIES)
def test_values_are_those_of_bt_on_every_day(name: str) -> None:
    market = real_market(DAYS)
    expected = theirs(market, POLICIES[name](np.full(10, 0.1)))
    assert np.max(np.abs(fast(market, name).value / expected - 1)) < 1e-9


@pytest.mark.parametrize("name", ["monthly", "quarterly", "band:0.05"])
def test_values_after_commissions_are_those_of_bt(name: str) -> None:
    market, targets = real_market(DAYS), np.full(10, 0.1)
    portfolio = portfolio_of(
        dict.fromkeys(market.symbols, 0.1),
        settings={"costs": {"*": {"commission": 0.001, "minimum": 0, "sell_tax": 0}}},
    )
    policy = policy_of(name, portfolio)
    assert policy is not None
    tariff = Tariff(portfolio, market)
    flows = np.zeros(DAYS)
    flows[0] = 1e6
    run = simulate(market, targets, policy, flows, Fractions(market, targets, policy, tariff), tariff)
    expected = theirs(market, POLICIES[name](targets), 0.001)
    assert np.max(np.abs(run.value / expected - 1)) < 1e-4
