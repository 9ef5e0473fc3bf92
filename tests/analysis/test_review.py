"""The satellite review: quarters, lags at their limit, every reason, and the strongest verdict."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest

from engine.analysis.compare import Overlap
from engine.analysis.review import (
    Candidate,
    ReviewRow,
    ReviewRules,
    Satellite,
    Verdict,
    complete_quarters,
    quarter_returns,
    review,
)
from engine.history import HistoryTable, Series
from tests.analysis.real_prices import series, table

D = Decimal

AS_OF = dt.date(2026, 9, 30)
ENDS = ["2025-09-30", "2025-12-31", "2026-03-31", "2026-06-30", "2026-09-30"]


def by_quarter(symbol: str, returns: list[float], currency: str = "USD") -> Series:
    """Return a series with one close at each quarter's end."""
    closes = [100.0]
    for value in returns:
        closes.append(closes[-1] * (1 + value))
    return series(symbol, ENDS[-len(closes) :], closes, currency)


def reviewed(own: list[float], benchmark: list[float] | None = None, **more: object) -> ReviewRow:
    known = [by_quarter("SOXX", own)]
    if benchmark is not None:
        known.append(by_quarter("QQQ", benchmark))
    satellite = Satellite("SOXX", "QQQ" if benchmark is not None else None, more.pop("thesis", True))  # type: ignore[arg-type]
    return review(satellite, table(*known), AS_OF, **more)  # type: ignore[arg-type]


def codes(row: ReviewRow) -> list[str]:
    return [reason.code for reason in row.reasons]


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2026-09-30", "2026-09-30"),
        ("2026-09-29", "2026-06-30"),
        ("2026-11-20", "2026-09-30"),
        ("2023-12-29", "2023-12-31"),  # the 31st is a Sunday: Friday the 29th ends the quarter
        ("2023-12-28", "2023-09-30"),
        ("2026-01-01", "2025-12-31"),
    ],
)
def test_a_quarter_is_complete_once_its_last_weekday_has_come(day: str, last: str) -> None:
    assert complete_quarters(dt.date.fromisoformat(day), 1) == (dt.date.fromisoformat(last),)


def test_quarters_come_oldest_first() -> None:
    assert [str(end) for end in complete_quarters(AS_OF, 3)] == ["2026-03-31", "2026-06-30", "2026-09-30"]


def test_a_quarters_return_runs_from_the_last_close_of_the_one_before() -> None:
    own = series("A", ["2026-06-29", "2026-06-30", "2026-07-01", "2026-09-30"], [50, 100, 200, 110])
    (quarter,) = quarter_returns(own, None, [dt.date(2026, 9, 30)])
    assert quarter.quarter == "2026Q3"
    assert quarter.value == pytest.approx(0.10)
    assert quarter.excess is None


def test_quarterly_returns_agree_with_pandas_to_1e12(factors: HistoryTable) -> None:
    own, benchmark = factors.series["MTUM"], factors.series["QUAL"]
    frame = pd.DataFrame({"own": own.closes, "benchmark": benchmark.closes}, index=pd.DatetimeIndex(own.days))
    theirs = frame.resample("QE").last().pct_change()
    for quarter in quarter_returns(own, benchmark, complete_quarters(dt.date(2022, 9, 30), 8)):
        row = theirs.loc[pd.Period(quarter.quarter, freq="Q").end_time.normalize()]
        assert quarter.value == pytest.approx(row["own"], abs=1e-12)
        assert quarter.excess == pytest.approx(row["own"] - row["benchmark"], abs=1e-12)


def test_three_quarters_five_points_behind_call_for_replacing() -> None:
    row = reviewed([0.0, 0.0, 0.0, 0.0], [0.0, 0.05, 0.05, 0.05])
    assert row.verdict is Verdict.REPLACE
    assert codes(row) == ["lagging"]


def test_a_lag_of_exactly_five_points_counts_although_floats_fall_short_of_it() -> None:
    assert 0.10 - 0.15 > -0.05
    row = reviewed([0.10, 0.10, 0.10, 0.10], [0.15, 0.15, 0.15, 0.15])
    assert row.verdict is Verdict.REPLACE


def test_a_lag_of_four_point_nine_points_does_not_count() -> None:
    assert reviewed([0.0] * 4, [0.049] * 4).verdict is Verdict.HOLD


def test_two_lagging_quarters_call_for_a_second_look() -> None:
    assert reviewed([0.0] * 4, [0.0, 0.0, 0.05, 0.05]).verdict is Verdict.REVIEW


def test_one_lagging_quarter_is_listed_and_holds() -> None:
    row = reviewed([0.0] * 4, [0.0, 0.0, 0.0, 0.05])
    assert row.verdict is Verdict.HOLD
    assert codes(row) == ["lagging"]


def test_a_good_quarter_in_between_breaks_the_streak() -> None:
    assert reviewed([0.0] * 4, [0.05, 0.05, 0.0, 0.05]).verdict is Verdict.HOLD


def test_three_lagging_quarters_that_are_over_hold() -> None:
    assert reviewed([0.0] * 4, [0.05, 0.05, 0.05, 0.0]).verdict is Verdict.HOLD


def test_the_lag_and_the_number_of_quarters_are_settings() -> None:
    rules = ReviewRules(lag=0.02, replace_after=2, review_after=1)
    assert reviewed([0.0] * 4, [0.0, 0.0, 0.02, 0.02], rules=rules).verdict is Verdict.REPLACE


def test_a_thesis_that_no_longer_holds_calls_for_replacing() -> None:
    row = reviewed([0.1] * 4, [0.0] * 4, thesis=False)
    assert row.verdict is Verdict.REPLACE
    assert codes(row) == ["thesis"]


def test_a_thesis_nobody_stated_is_pointed_out_and_holds() -> None:
    row = reviewed([0.1] * 4, [0.0] * 4, thesis=None)
    assert row.verdict is Verdict.HOLD
    assert codes(row) == ["thesis-unknown"]


def test_too_little_history_says_how_much_there_is() -> None:
    row = reviewed([0.0, 0.0], [0.05, 0.05])
    assert row.verdict is Verdict.REVIEW
    assert "2 of the last 3 quarters" in next(str(r.text) for r in row.reasons if r.code == "short-history")


def test_without_a_benchmark_nothing_is_compared_and_this_is_said() -> None:
    row = reviewed([0.0] * 4)
    assert row.verdict is Verdict.HOLD
    assert codes(row) == ["no-benchmark"]
    assert row.quarters[-1].value == pytest.approx(0.0)


def test_a_satellite_without_history_has_no_quarters_and_a_problem() -> None:
    row = review(Satellite("GONE", "QQQ", True), table(by_quarter("QQQ", [0.0] * 4)), AS_OF)
    assert row.quarters == ()
    assert ("no-history", "GONE") in {(p.code, p.where) for p in row.problems}
    assert "short-history" in codes(row)


CANDIDATES = (
    Candidate("SOXX", "iShares Semiconductor", "Semis", "USD", D("0.0035")),
    Candidate("CHEAP", "Cheap Semis", "Semis", "USD", D("0.0019")),
    Candidate("CHEAPER", "Cheaper Semis", "Semis", "USD", D("0.0010")),
    Candidate("KRSEMI", "Korean Semis", "Semis", "KRW", D("0.0001")),
    Candidate("OTHER", "Other", "Banks", "USD", D("0.0001")),
    Candidate("UNKNOWN", "Unknown fee", "Semis", "USD", None),
)


def test_the_cheapest_fund_of_the_same_index_and_currency_is_named() -> None:
    row = reviewed([0.0] * 4, [0.0] * 4, candidates=CANDIDATES)
    assert row.verdict is Verdict.REVIEW
    (reason,) = row.reasons
    assert "Cheaper Semis (CHEAPER)" in str(reason.text)


def test_a_fund_of_the_same_fee_is_not_cheaper() -> None:
    same = (CANDIDATES[0], Candidate("TWIN", "Twin", "Semis", "USD", D("0.0035")))
    assert reviewed([0.0] * 4, [0.0] * 4, candidates=same).reasons == ()


def test_holding_the_same_as_another_calls_for_a_second_look() -> None:
    above = Overlap(("QQQ", "SOXX"), D("0.51"), complete=False)
    row = reviewed([0.0] * 4, [0.0] * 4, overlaps=[above])
    assert row.verdict is Verdict.REVIEW
    assert "at least 51% the same as QQQ" in str(row.reasons[0].text)
    at = Overlap(("QQQ", "SOXX"), D("0.5"), complete=True)
    assert reviewed([0.0] * 4, [0.0] * 4, overlaps=[at]).verdict is Verdict.HOLD


def test_moving_with_another_holding_calls_for_a_second_look(factors: HistoryTable) -> None:
    satellite = Satellite("SIZE", None, True)
    day = dt.date(2022, 12, 28)
    row = review(satellite, factors, day, others=["QUAL", "VLUE"])
    assert row.verdict is Verdict.REVIEW
    assert all(reason.verdict <= Verdict.REVIEW for reason in row.reasons)
    assert {str(reason.text).split(":")[0] for reason in row.reasons if reason.code == "correlated"} == {
        "moves with QUAL",
        "moves with VLUE",
    }


def test_every_reason_is_listed_and_the_strongest_comes_first_and_stands() -> None:
    row = reviewed([0.0] * 4, [0.05] * 4, thesis=False, candidates=CANDIDATES)
    assert row.verdict is Verdict.REPLACE
    assert codes(row) == ["lagging", "thesis", "cheaper"]


def test_the_benchmark_is_converted_into_the_satellites_currency() -> None:
    own, benchmark = by_quarter("091230", [0.0, 0.1], "KRW"), by_quarter("SPY", [0.0, 0.0], "USD")
    rate = by_quarter("USDKRW", [0.0, 0.1], "KRW")
    row = review(Satellite("091230", "SPY", True), table(own, benchmark, rates=(rate,)), AS_OF)
    assert row.currency == "KRW"
    assert row.quarters[-1].excess == pytest.approx(0.0, abs=1e-12)


def test_without_a_rate_the_excess_is_not_known_and_the_missing_column_is_named() -> None:
    own, benchmark = by_quarter("091230", [0.0] * 4, "KRW"), by_quarter("SPY", [0.0] * 4, "USD")
    row = review(Satellite("091230", "SPY", True), table(own, benchmark), AS_OF)
    assert row.quarters[-1].excess is None
    assert "USDKRW" in str(row.problems[0].message)


def test_beside_a_satellite_without_history_its_benchmark_is_no_problem() -> None:
    row = review(Satellite("SOXX", "QQQ", thesis_valid=True), table(by_quarter("QQQ", [0.1])), AS_OF)
    assert [(problem.where, str(problem.message)) for problem in row.problems] == [
        ("SOXX", "no history for SOXX in test")
    ]


def test_a_benchmark_without_history_is_told_beside_a_satellite_without() -> None:
    row = review(Satellite("SOXX", "QQQ", thesis_valid=True), table(by_quarter("SPY", [0.1])), AS_OF)
    assert [problem.where for problem in row.problems] == ["SOXX", "QQQ"]
