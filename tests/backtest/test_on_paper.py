"""Runs with costs and taxes, computed on paper."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from engine.analysis.returns import money_weighted
from tests.backtest.trial_runs import FREE, portfolio_of, tried, written


def test_commissions_and_the_tax_withheld_of_a_korean_fund(tmp_path: Path) -> None:
    # 10,000,000 won in two funds, 0.015 % commission: each gets 10,000,000 / 1.00015 / 2 = 4,999,250.1125. The first
    # doubles: 14,997,750.3375 in all, 4,999,250.1125 too much in the first and its costs. To make both equal, s is
    # sold and b bought with s + b = 4,999,250.1125 (what the two are apart), s - b = 0.00015 (s + b) + 0.154 · s / 2
    # (half of what is sold is gain): s = 5,000,000 / 1.923 = 2,600,104.00.
    days = [dt.date(2026, 1, 29), dt.date(2026, 1, 30), dt.date(2026, 2, 2)]
    history = written(tmp_path / "h.csv", days, {"360750": [10000, 20000, 20000], "069500": [10000, 10000, 10000]})
    portfolio = portfolio_of({"360750": 0.5, "069500": 0.5}, "KRW")
    result = tried(portfolio, history, "monthly", capital=10_000_000)
    deal = result.rows[0].run.deals[1]
    sold = 5_000_000 / 1.923
    assert deal.sold == pytest.approx(sold)
    assert deal.tax == pytest.approx(sold * 0.077)
    assert deal.cost == pytest.approx(749.8875, abs=1e-3)
    assert result.rows[0].figures.final_value == pytest.approx(14_997_750.34 - sold * 0.077 - 749.89, abs=0.01)


def _rising(tmp_path: Path) -> Path:
    days = [dt.date(2026, 1, 2), dt.date(2026, 2, 2), dt.date(2026, 3, 2), dt.date(2027, 1, 4), dt.date(2027, 5, 3)]
    double = [100, 200, 200, 200, 200]
    return written(tmp_path / "h.csv", days, {"QQQ": double, "SPY": [100] * 5, "USDKRW": [1000] * 5})


def test_the_tax_on_overseas_gains_is_paid_in_the_may_after(tmp_path: Path) -> None:
    # 200,000,000 won, half of it doubles; 50,000,000 of it is sold, 25,000,000 of that is gain. Above the allowance of
    # 2,500,000 it is taxed at 22 %: 4,950,000, paid on the first day of trading in May.
    portfolio = portfolio_of({"QQQ": 0.5, "SPY": 0.5}, "KRW", settings={"costs": FREE, "fx_spread": 0})
    result = tried(portfolio, _rising(tmp_path), "monthly", capital=200_000_000)
    run = result.rows[0].run
    assert [(deal.reason, round(deal.tax)) for deal in run.deals][-1] == ("schedule", 4_950_000)
    assert result.rows[0].figures.final_value == pytest.approx(295_050_000)


def test_whole_shares_pay_the_same_tax(tmp_path: Path) -> None:
    # In whole shares the same, but that what is never sold in between depends on the plan: the tax is of its gains.
    portfolio = portfolio_of({"QQQ": 0.5, "SPY": 0.5}, "KRW", settings={"costs": FREE, "fx_spread": 0, "taxes": "show"})
    result = tried(portfolio, _rising(tmp_path), "monthly", capital=200_000_000, exact=True)
    deal = result.rows[0].run.deals[1]
    gain = deal.sold / 2
    assert deal.sold == pytest.approx(50_000_000, rel=0.02)
    assert result.rows[0].figures.taxes == pytest.approx((gain - 2_500_000) * 0.22, rel=1e-6)


def test_whole_shares_are_taxed_on_what_the_won_lost(tmp_path: Path) -> None:
    # In dollars nothing happens; the dollar doubles: half of what is sold is gain in won.
    days = [dt.date(2026, 1, 2), dt.date(2026, 2, 2), dt.date(2026, 3, 2), dt.date(2027, 1, 4), dt.date(2027, 5, 3)]
    closes = {"QQQ": [100] * 5, "069500": [10_000] * 5, "USDKRW": [1000, 2000, 2000, 2000, 2000]}
    history = written(tmp_path / "h.csv", days, closes)
    portfolio = portfolio_of(
        {"QQQ": 0.5, "069500": 0.5}, "KRW", settings={"costs": FREE, "fx_spread": 0, "taxes": "show"}
    )
    result = tried(portfolio, history, "monthly", capital=200_000_000, exact=True)
    sold = result.rows[0].run.deals[1].sold
    assert sold == pytest.approx(50_000_000, rel=0.02)
    assert result.rows[0].figures.taxes == pytest.approx((sold / 2 - 2_500_000) * 0.22, rel=1e-6)


@pytest.mark.parametrize("exact", [False, True])
def test_the_allowance_of_a_korean_who_counts_in_dollars_is_in_won(tmp_path: Path, *, exact: bool) -> None:
    # 25,000 dollars of gain at 1,000 won, less 2,500 dollars of allowance, at 22 %.
    days = [dt.date(2026, 1, 2), dt.date(2026, 2, 2), dt.date(2026, 3, 2), dt.date(2027, 1, 4), dt.date(2027, 5, 3)]
    double = [100, 200, 200, 200, 200]
    history = written(tmp_path / "h.csv", days, {"QQQ": double, "SPY": [100] * 5, "USDKRW": [1000] * 5})
    settings = {"costs": FREE, "fx_spread": 0, "residence": "KR", "taxes": "show"}
    result = tried(
        portfolio_of({"QQQ": 0.5, "SPY": 0.5}, settings=settings), history, "monthly", capital=200_000, exact=exact
    )
    gain = result.rows[0].run.deals[1].sold / 2
    assert result.rows[0].figures.taxes == pytest.approx((gain - 2_500) * 0.22, rel=1e-4)


def test_whole_shares_leave_what_buys_no_share(tmp_path: Path) -> None:
    # 1,000 dollars buy 3 shares at 300 and 0.90 of commission: 99.10 left. With 250 more 1 share at 310: 38.79 left.
    days = [dt.date(2026, 1, 29), dt.date(2026, 1, 30), dt.date(2026, 2, 2)]
    history = written(tmp_path / "h.csv", days, {"QQQ": [300, 305, 310]})
    costs = {"*": {"commission": 0.001, "minimum": 0, "sell_tax": 0}}
    portfolio = portfolio_of({"QQQ": 1.0}, settings={"costs": costs})
    result = tried(portfolio, history, "cash-flow", capital=1000, monthly=250, exact=True)
    assert result.rows[0].figures.final_value == pytest.approx(4 * 310 + 38.79)
    assert result.rows[0].figures.costs == pytest.approx(0.90 + 0.31)


def test_the_money_weighted_return_of_two_payments() -> None:
    # 100 for two years and 100 for one at 10 %: 121 + 110 = 231; years of 365.5 days, as 2024 has 366.
    days = np.array([dt.date(2024, 1, 1), dt.date(2025, 1, 1), dt.date(2026, 1, 1)], dtype="datetime64[D]")
    assert money_weighted(days, np.array([100.0, 100.0, 0.0]), 231.0, 365.25) == pytest.approx(0.1, abs=2e-4)
