"""Returns, volatility and drawdown: hand-computed, at their boundaries, and against pandas and skfolio."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.analysis.returns import (
    annualised,
    close_on,
    max_drawdown,
    period_returns,
    simple_returns,
    total_return,
    volatility,
)
from engine.history import HistoryTable
from tests.analysis.real_prices import series, weekdays


def test_a_simple_return_is_close_over_previous_close_less_one() -> None:
    assert simple_returns(np.array([100.0, 110.0, 99.0])).tolist() == pytest.approx([0.10, -0.10], abs=1e-15)


def test_a_cumulative_return_is_annualised_as_the_sec_does() -> None:
    # SEC Form N-1A, Item 26(b)(1): P(1 + T)^n = ERV. 1,000 growing to 1,331 in 3 years is T = 10 % a year.
    assert annualised(0.331, 3) == pytest.approx(0.10, abs=1e-15)


def test_five_years_at_a_total_of_61_051_percent_are_ten_percent_a_year() -> None:
    assert annualised(0.61051, 5) == pytest.approx(0.10, abs=1e-15)


def test_periods_below_a_year_are_not_annualised_and_say_so() -> None:
    # GIPS standards: returns for periods of less than one year must not be annualised.
    one = series("A", ["2025-09-30", "2026-03-30", "2026-06-30", "2026-08-28", "2026-09-30"], [80, 90, 95, 99, 100])
    found = period_returns(one, dt.date(2026, 9, 30))
    assert found["1M"].value == pytest.approx(100 / 99 - 1, abs=1e-15)
    assert found["3M"].value == pytest.approx(100 / 95 - 1, abs=1e-15)
    assert found["6M"].value == pytest.approx(100 / 90 - 1, abs=1e-15)
    assert all("not annualised" in str(found[period].note) for period in ("1M", "3M", "6M"))
    assert found["1Y"].value == pytest.approx(0.25, abs=1e-15)
    assert "per year" in str(found["1Y"].note)


def test_three_and_five_years_are_per_year() -> None:
    one = series("A", ["2021-09-30", "2023-09-29", "2026-09-30"], [100 / 1.61051, 100 / 1.331, 100])
    found = period_returns(one, dt.date(2026, 9, 30))
    assert found["3Y"].value == pytest.approx(0.10, abs=1e-12)
    assert found["5Y"].value == pytest.approx(0.10, abs=1e-12)


def test_a_period_longer_than_the_history_is_not_known_and_says_where_it_begins() -> None:
    one = series("A", ["2026-03-02", "2026-09-30"], [1, 2])
    figure = period_returns(one, dt.date(2026, 9, 30))["1Y"]
    assert figure.value is None
    assert "begins 2026-03-02" in str(figure.note)


def test_the_base_close_may_be_ten_days_old_but_not_eleven() -> None:
    one = series("A", ["2026-01-05"], [1])
    assert close_on(one, dt.date(2026, 1, 15)) == (dt.date(2026, 1, 5), 1.0)
    assert close_on(one, dt.date(2026, 1, 16)) is None


def test_a_day_before_the_first_close_has_none() -> None:
    assert close_on(series("A", ["2026-01-05"], [1]), dt.date(2026, 1, 4)) is None
    assert total_return(series("A", ["2026-01-05"], [1]), dt.date(2025, 1, 4), dt.date(2026, 1, 5)) is None


def test_the_last_day_of_a_short_month_stands_for_the_31st() -> None:
    one = series("A", ["2026-02-27", "2026-02-28", "2026-03-31"], [1, 4, 8])
    assert period_returns(one, dt.date(2026, 3, 31))["1M"].value == 1.0


def test_a_series_of_unknown_contents_is_not_called_total_return() -> None:
    one = series("A", ["2026-08-28", "2026-09-30"], [1, 2])
    note = str(period_returns(one, dt.date(2026, 9, 30))["1M"].note)
    assert "as given" in note
    assert "in USD" in note


def test_twenty_one_returns_of_plus_and_minus_one_percent_have_the_volatility_of_the_formula() -> None:
    # Sample variance of 21 values, 11 of +1 % and 10 of −1 %: (1 − (1/21)²) · 21/20 · 1e-4.
    closes = np.cumprod([100, *[1.01 if i % 2 == 0 else 0.99 for i in range(21)]])
    figure = volatility(series("A", weekdays(22), closes.tolist()))
    assert figure.value == pytest.approx((1e-4 * (1 - 1 / 441) * 21 / 20 * 252) ** 0.5, abs=1e-12)
    assert "√252" in str(figure.note)


def test_volatility_is_not_stated_from_19_returns() -> None:
    assert volatility(series("A", weekdays(20), list(range(1, 21)))).value is None
    assert volatility(series("A", weekdays(21), list(range(1, 22)))).value is not None


def test_the_drawdown_is_from_the_highest_close_before() -> None:
    figure = max_drawdown(series("A", weekdays(5), [100, 120, 90, 130, 117]))
    assert figure.value == pytest.approx(-0.25, abs=1e-15)


def test_a_series_that_only_rises_has_no_drawdown() -> None:
    assert max_drawdown(series("A", weekdays(3), [1, 2, 3])).value == 0.0


def test_one_close_has_no_drawdown_to_state() -> None:
    assert max_drawdown(series("A", weekdays(1), [1])).value is None


@pytest.mark.parametrize("name", ["SP500", "NASDAQ"])
def test_the_financial_crisis_is_as_deep_as_published(indices: HistoryTable, name: str) -> None:
    # S&P 500: closing high 1,565.15 on 2007-10-09, closing low 676.53 on 2009-03-09, −56.8 % (S&P Dow Jones Indices,
    # "Bear markets"). NASDAQ Composite: 5,048.62 on 2000-03-10, 1,114.11 on 2002-10-09, −77.9 % (Nasdaq).
    published = {"SP500": (676.53 / 1565.15 - 1, "2009-03-09"), "NASDAQ": (1114.11 / 5048.62 - 1, "2002-10-09")}
    figure = max_drawdown(indices.series[name])
    assert figure.value == pytest.approx(published[name][0], abs=1e-5)
    assert published[name][1] in str(figure.note)


def test_the_year_2008_of_the_index_is_as_published(indices: HistoryTable) -> None:
    # S&P 500 price return of 2008: −38.49 % (S&P Dow Jones Indices), 1,468.36 to 903.25.
    found = total_return(indices.series["SP500"], dt.date(2007, 12, 31), dt.date(2008, 12, 31))
    assert found == pytest.approx(-0.3849, abs=5e-5)


def test_returns_agree_with_pandas_to_1e12(stocks: HistoryTable) -> None:
    for one in stocks.series.values():
        theirs = pd.Series(one.closes).pct_change().dropna().to_numpy()
        assert np.abs(simple_returns(one.closes) - theirs).max() < 1e-12


def test_volatility_agrees_with_pandas_to_1e12(stocks: HistoryTable) -> None:
    for one in stocks.series.values():
        theirs = pd.Series(one.closes).pct_change().std() * 252**0.5
        assert volatility(one).value == pytest.approx(theirs, abs=1e-12)


def test_period_returns_agree_with_pandas_to_1e12(factors: HistoryTable) -> None:
    end = dt.date(2022, 12, 28)
    for one in factors.series.values():
        frame = pd.Series(one.closes, index=pd.DatetimeIndex(one.days))
        for months, period in ((1, "1M"), (3, "3M"), (6, "6M"), (12, "1Y"), (36, "3Y"), (60, "5Y")):
            base: Any = frame.asof(pd.Timestamp(end) - pd.DateOffset(months=months))
            theirs = (float(frame.iloc[-1]) / base) ** (1 / max(months / 12, 1)) - 1
            assert period_returns(one, end)[period].value == pytest.approx(theirs, abs=1e-12)


def test_volatility_and_drawdown_agree_with_skfolio_to_1e12(factors: HistoryTable) -> None:
    from skfolio.measures import get_drawdowns, standard_deviation

    for one in factors.series.values():
        returns = simple_returns(one.closes)
        assert volatility(one).value == pytest.approx(standard_deviation(returns) * 252**0.5, abs=1e-12)
        # skfolio measures from the first return on, not from the first close: it is given a flat first day.
        theirs = get_drawdowns(np.concatenate([[0.0], returns]), compounded=True).min()
        assert max_drawdown(one).value == pytest.approx(theirs, abs=1e-12)
