"""The results of the analyses as a program takes them: DataFrames with proper types, in either language."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from engine.errors import InputError
from engine.words import known, say
from rebalancer.analysing import Sources, calendar, compare, correlate, history_day, review, risk, weights
from rebalancer.samples import sample_portfolio, sample_quotes, sample_sources
from rebalancer.tabulating import calendar_rows

DAY = dt.date(2026, 11, 20)


def test_a_matrix_of_correlations_is_a_square_of_floats() -> None:
    with sample_sources() as sources:
        frame = correlate(sample_portfolio(), sources, DAY).to_frame()
    assert list(frame.index) == list(frame.columns)
    assert set(frame.dtypes) == {np.dtype("float64")}
    assert np.array_equal(frame.to_numpy(), frame.to_numpy().T, equal_nan=True)


def test_symbols_with_their_currencies_are_correlated_without_a_portfolio() -> None:
    with sample_sources() as sources:
        result = correlate({"QQQ": "USD", "VTI": "USD"}, sources, DAY, days=60)
    assert (result.symbols, result.currency, result.days) == (("QQQ", "VTI"), "USD", 60)


def test_a_review_has_a_row_for_every_satellite_and_quarter() -> None:
    with sample_sources() as sources:
        result = review(sample_portfolio(), sources, DAY)
    frame = result.to_frame()
    assert len(frame) == sum(len(row.quarters) for row in result.rows)
    assert {frame[name].dtype for name in ("return", "benchmark", "excess")} == {np.dtype("float64")}


def test_the_reasons_of_a_review_are_in_the_language_asked_for() -> None:
    with sample_sources() as sources:
        result = review(sample_portfolio(), sources, DAY)
    english, korean = (
        [reason for row in result.to_json(lang)["rows"] for reason in row["reasons"]] for lang in ("en", "ko")
    )
    assert len(english) == len(korean) > 0
    assert not set(english) & set(korean)


def test_funds_compared_are_a_row_each_with_a_column_per_figure() -> None:
    with sample_sources() as sources:
        frame = compare(["QQQ", "VTI"], sources, DAY).to_frame()
    assert list(frame.index) == ["QQQ", "VTI"]
    assert frame.loc["QQQ", "returns.1Y"] == pytest.approx(frame["returns.1Y"].iloc[0])
    assert set(frame.dtypes) == {np.dtype("float64")}


def test_limits_are_a_row_each_and_an_unknown_number_is_nan() -> None:
    portfolio = sample_portfolio()
    quotes, _, _ = sample_quotes()
    report = risk(portfolio, quotes, Sources(offline=True), DAY)
    frame = report.to_frame()
    assert list(frame["rule"]) == [row.rule for row in report.rules]
    assert frame["actual"].isna().tolist() == [row.actual is None for row in report.rules]


def test_every_rule_has_a_name() -> None:
    quotes, _, _ = sample_quotes()
    report = risk(sample_portfolio(), quotes, Sources(offline=True), DAY)
    assert all(known(row.name.key) for row in report.rules)


def test_tasks_are_a_row_each_with_their_day() -> None:
    frame = calendar(sample_portfolio(), DAY).to_frame("ko")
    assert pd.api.types.is_datetime64_any_dtype(frame["date"])
    assert frame["due"].dtype == np.dtype("bool")
    assert say("task.isa-irp", "ko") in set(frame["task"])


def test_the_rows_of_a_sheet_are_the_tasks() -> None:
    result = calendar(sample_portfolio(), DAY)
    assert [(row["Date"], row["Section"], row["Task"]) for row in calendar_rows(result, "en")] == [
        (dt.date.fromisoformat(item["date"]), item["section"], item["task"]) for item in result.to_json()["items"]
    ]


def test_weights_of_a_list_of_entries_are_a_frame_by_symbol() -> None:
    frame = weights("equal", [{"symbol": "AAPL", "sector": "Technology"}, "XOM"], DAY).to_frame()
    assert frame["weight"].tolist() == [0.5, 0.5]
    assert list(frame.index) == ["AAPL", "XOM"]


def test_weights_of_a_portfolio_begin_with_what_was_found_in_it() -> None:
    portfolio = sample_portfolio()
    assert portfolio.notes
    assert weights("equal", portfolio, DAY).problems[: len(portfolio.notes)] == portfolio.notes


def test_a_list_of_entries_that_cannot_be_used_is_an_error_at_its_item() -> None:
    with pytest.raises(InputError) as raised:
        weights("cap", [{"symbol": "A", "market_cap": -1}], DAY)
    assert [str(problem.where) for problem in raised.value.problems] == ["universe[0].market_cap"]


def test_the_day_of_a_history_is_its_last() -> None:
    with sample_sources() as sources:
        assert history_day(sources) == DAY
    assert history_day(Sources()) is None
