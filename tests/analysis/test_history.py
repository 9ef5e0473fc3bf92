"""Closes by day: what a file may say, what is refused, and how series meet."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.history import parse_history
from engine.errors import NoData
from engine.history import aligned, from_records
from engine.quote import History
from tests.analysis.real_prices import series, table


def problems_of(text: str) -> list[str]:
    found, problems = parse_history(text, "h.csv")
    assert found is None
    return [f"{problem.code} @ {problem.where!s}: {problem.message!s}" for problem in problems]


def test_a_column_per_symbol_becomes_a_series_per_symbol() -> None:
    found, problems = parse_history("Date,QQQ,360750\n2026-01-02,512.3,16200\n2026-01-05,515,16300\n")
    assert not problems
    assert found is not None
    assert found.series["QQQ"].closes.tolist() == [512.3, 515.0]
    assert found.series["360750"].first == dt.date(2026, 1, 2)
    assert found.last == dt.date(2026, 1, 5)


def test_rows_in_any_order_come_out_ascending() -> None:
    found, _ = parse_history("Date,A\n2026-01-05,2\n2026-01-02,1\n")
    assert found is not None
    assert found.series["A"].closes.tolist() == [1.0, 2.0]


def test_an_empty_cell_is_a_day_without_a_close_and_is_not_filled() -> None:
    found, _ = parse_history("Date,A,B\n2026-01-02,1,5\n2026-01-05,,6\n2026-01-06,3,7\n")
    assert found is not None
    assert len(found.series["A"]) == 2
    assert len(found.series["B"]) == 3


def test_a_column_named_as_a_pair_holds_rates() -> None:
    found, _ = parse_history("Date,A,USDKRW\n2026-01-02,1,1400\n")
    assert found is not None
    assert set(found.series) == {"A"}
    assert found.rates["USDKRW"].currency == "KRW"


def test_a_byte_order_mark_and_a_lower_case_heading_are_no_trouble() -> None:
    found, _ = parse_history("\ufeffdate,A\n2026-01-02,1\n")
    assert found is not None


def test_a_symbol_is_read_in_the_spelling_that_the_rest_uses() -> None:
    found, _ = parse_history("Date,brk-b\n2026-01-02,1\n")
    assert found is not None
    assert list(found.series) == ["BRK.B"]


def test_every_bad_cell_is_named_with_row_column_and_value_at_once() -> None:
    text = "Date,A,B\n2026-01-02,x,1\n02/01/2026,1,-5\n2026-01-06,inf,0\n"
    found = problems_of(text)
    assert [one.split(":")[0] for one in found] == [
        "history-close @ h.csv, row 2, column A",
        "history-date @ h.csv, row 3, column Date",
        "history-close @ h.csv, row 3, column B",
        "history-close @ h.csv, row 4, column A",
        "history-close @ h.csv, row 4, column B",
    ]
    assert "'x'" in found[0]
    assert "write 2026-02-01" in found[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be named Date"),
        ("Day,A\n2026-01-02,1\n", "found 'Day'"),
        ("Date\n2026-01-02\n", "no symbols"),
        ("Date,A,A\n2026-01-02,1,2\n", "two columns"),
        ("Date,A,\n2026-01-02,1,2\n", "column 3 has no symbol"),
        ("Date,69500\n2026-01-02,1\n", "write 069500"),
        ("Date,A\n", "no rows"),
        ("Date,A\n2026-01-02,1\n2026-01-02,2\n", "row 2 already"),
        ("Date,A\n2026-01-02,16,200\n", "without commas"),
    ],
)
def test_a_file_that_cannot_be_read_says_how_to_mend_it(text: str, said: str) -> None:
    assert any(said in one for one in problems_of(text))


def test_aligned_keeps_only_the_days_of_all() -> None:
    a = series("A", ["2026-01-02", "2026-01-05", "2026-01-07"], [1, 2, 3])
    b = series("B", ["2026-01-02", "2026-01-06", "2026-01-07"], [4, 5, 6])
    days, closes = aligned([a, b])
    assert [str(day) for day in days] == ["2026-01-02", "2026-01-07"]
    assert closes.tolist() == [[1, 4], [3, 6]]


def test_a_close_is_converted_at_the_rate_of_its_own_day_and_days_without_a_rate_fall_away() -> None:
    dollars = series("QQQ", ["2026-01-02", "2026-01-05", "2026-01-06"], [500, 510, 520])
    rate = series("USDKRW", ["2026-01-02", "2026-01-06"], [1400, 1500], "KRW")
    won = table(dollars, rates=(rate,)).in_currency("QQQ", "KRW")
    assert won.closes.tolist() == [700_000, 780_000]
    assert won.currency == "KRW"


def test_a_pair_the_other_way_round_serves_too() -> None:
    dollars = series("QQQ", ["2026-01-02"], [500])
    rate = series("KRWUSD", ["2026-01-02"], [0.0005], "USD")
    assert table(dollars, rates=(rate,)).in_currency("QQQ", "KRW").closes.tolist() == [1_000_000]


def test_a_missing_rate_is_said_with_the_column_that_would_mend_it() -> None:
    with pytest.raises(NoData, match="add a column USDKRW"):
        table(series("QQQ", ["2026-01-02"], [500])).in_currency("QQQ", "KRW")


def test_a_series_of_unknown_currency_is_not_guessed() -> None:
    with pytest.raises(NoData, match="currency of X is not known"):
        table(series("X", ["2026-01-02"], [1], "")).in_currency("X", "KRW")


def test_until_hides_what_came_later() -> None:
    known = table(series("A", ["2026-01-02", "2026-01-05"], [1, 2]), series("B", ["2026-01-05"], [1]))
    then = known.until(dt.date(2026, 1, 4))
    assert then.series["A"].closes.tolist() == [1]
    assert "B" not in then.series


def test_fetched_total_return_closes_are_preferred_and_called_so() -> None:
    days = (dt.date(2026, 1, 2), dt.date(2026, 1, 5))
    now = dt.datetime(2026, 1, 6, tzinfo=dt.UTC)
    fund = History("SPY", "USD", "yahoo", now, days, (Decimal(500), Decimal(501)), (490.0, 501.0))
    plain = History("QQQ", "USD", "yahoo", now, days, (Decimal(1), Decimal(2)))
    rate = History("USDKRW", "KRW", "yahoo", now, days, (Decimal(1400), Decimal(1401)))
    found = from_records([fund, plain, rate])
    assert found.series["SPY"].kind == "total-return"
    assert found.series["SPY"].closes.tolist() == [490.0, 501.0]
    assert found.series["QQQ"].kind == "price"
    assert list(found.rates) == ["USDKRW"]


def test_the_last_close_is_the_decimal_that_was_written() -> None:
    assert series("A", ["2026-01-02"], [512.3]).last_close == Decimal("512.3")


def test_between_includes_both_ends() -> None:
    one = series("A", ["2026-01-02", "2026-01-05", "2026-01-06"], [1, 2, 3])
    assert one.between(dt.date(2026, 1, 5), dt.date(2026, 1, 6)).closes.tolist() == [2, 3]
    assert np.array_equal(one.between().closes, one.closes)


@given(st.one_of(st.text(), st.text(alphabet='Date,AB\n\r"0123456789-._naif ', max_size=120)))
def test_any_text_gives_a_table_or_problems_and_never_an_exception(text: str) -> None:
    for document in (text, f"Date,A\n{text}", f"Date,A\n2026-01-02,{text}"):
        found, problems = parse_history(document, "h.csv")
        assert (found is None) == bool(problems)


@pytest.mark.parametrize(("cell", "said"), [("1_000", "1_000"), ("\uff11\uff12", "above 0"), ("1,000", "1,000")])
def test_a_close_that_only_a_program_would_read_as_a_number_is_refused(cell: str, said: str) -> None:
    (problem,) = problems_of(f'Date,A\n2026-01-02,"{cell}"\n')
    assert said in problem


def test_a_date_written_in_another_way_is_shown_as_it_should_be() -> None:
    (problem,) = problems_of("Date,A\n2026/7/1,1\n")
    assert "write 2026-07-01" in problem


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_close_of_another_age_is_refused(day: str) -> None:
    table, (problem,) = parse_history(f"Date,SPY\n{day},1\n")
    assert table is None
    assert (problem.code, str(problem.where)) == ("history-date", "history, row 2, column Date")
