"""What policies are called, and when they trade."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backtest.policy import NAMES, grid, parse_policies
from engine.backtest.run import levelled
from tests.backtest.trial_runs import fast, portfolio_of, real_market

PORTFOLIO = portfolio_of({"AAPL": 0.6, "KO": 0.4})


@pytest.mark.parametrize("name", [*NAMES, "band:0.05@quarterly", "4/20", "half-band@monthly", "Monthly "])
def test_every_name_of_the_help_is_a_policy(name: str) -> None:
    assert parse_policies(name, PORTFOLIO)[1] == ()


@pytest.mark.parametrize(
    "name", ["band:0", "band:1.5", "band:", "5/", "monthly@weekly", "daily", "relative:x", "5/25@now"]
)
def test_every_name_that_is_none_is_told_at_once(name: str) -> None:
    found, problems = parse_policies(["never", name, "nonsense"], PORTFOLIO)
    assert [policy.name for policy in found] == ["never"]
    assert [problem.code for problem in problems] == ["unknown-policy", "unknown-policy"]


def test_the_grid_has_each_policy_once() -> None:
    names = [policy.name for policy in grid(PORTFOLIO)]
    assert len(names) == len(set(names)) > 100


def test_a_schedule_trades_on_the_first_day_of_trading_of_its_months() -> None:
    market = real_market(600, 3)
    days = [market.date(deal.row) for deal in fast(market, "quarterly").deals[1:]]
    assert {day.month for day in days} == {1, 4, 7, 10}
    assert all(day.day <= 4 for day in days)


def test_a_band_that_is_looked_at_quarterly_trades_on_no_other_day() -> None:
    market = real_market(1500, 3)
    deals = fast(market, "band:0.02@quarterly").deals[1:]
    assert deals
    assert {market.date(deal.row).month for deal in deals} <= {1, 4, 7, 10}


def test_after_a_band_was_left_every_weight_is_at_its_target() -> None:
    market = real_market(1500, 4)
    run = fast(market, "band:0.03")
    row = run.deals[1].row
    assert run.drift[row] > 0.015
    assert run.weights[row + 1] == pytest.approx([0.25] * 4 + [0], abs=0.02)
    assert np.max(run.drift) < 0.2


def test_half_a_band_goes_half_way_back() -> None:
    market = real_market(1500, 2)
    run = fast(market, "half-band")
    row = run.deals[1].row
    before = run.weights[row][0] - 0.5
    assert abs(before) > 0.05
    units = run.weights[row + 1][0] / market.worth[row + 1][0]
    other = run.weights[row + 1][1] / market.worth[row + 1][1]
    after = units * market.worth[row][0] / (units * market.worth[row][0] + other * market.worth[row][1]) - 0.5
    assert after == pytest.approx(np.sign(before) * 0.025, abs=1e-9)


def test_money_alone_sells_nothing() -> None:
    run = fast(real_market(800, 4), "cash-flow", monthly=5000)
    assert max(deal.sold for deal in run.deals) < 1e-6
    assert sum(deal.bought for deal in run.deals) == pytest.approx(float(run.flows.sum()))


weights = st.lists(st.floats(0.01, 1), min_size=2, max_size=6)


@given(weights, st.lists(st.floats(0, 10), min_size=6, max_size=6), st.floats(0.01, 20))
def test_purchases_come_to_the_money_and_lift_the_lowest_to_one_level(
    shares: list[float], held: list[float], money: float
) -> None:
    targets = np.array(shares) / sum(shares)
    before = np.array(held[: len(shares)])
    after = levelled(before, targets, float(before.sum()) + money, buy=True)
    assert after.sum() == pytest.approx(before.sum() + money)
    assert np.all(after >= before - 1e-9)
    level = (after / targets)[after > before + 1e-9]
    assert level == pytest.approx(np.full(len(level), level.min()), rel=1e-6)
    assert np.all(after / targets >= level.min() - 1e-6)


@given(weights, st.lists(st.floats(0.1, 10), min_size=6, max_size=6), st.floats(0.01, 0.99))
def test_sales_come_to_the_money_and_lower_the_highest_to_one_level(
    shares: list[float], held: list[float], part: float
) -> None:
    targets = np.array(shares) / sum(shares)
    before = np.array(held[: len(shares)])
    after = levelled(before, targets, float(before.sum()) * part, buy=False)
    assert after.sum() == pytest.approx(before.sum() * part)
    assert np.all((after <= before + 1e-9) & (after >= 0))
    level = (after / targets)[after < before - 1e-9]
    assert level == pytest.approx(np.full(len(level), level.max()), rel=1e-6)
