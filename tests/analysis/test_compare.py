"""Funds side by side, in one currency if asked, every figure with its remark."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from engine.analysis.compare import compare
from engine.analysis.facts import Figure, Fund, FundLine, issuer_of
from engine.analysis.returns import max_drawdown, volatility
from engine.history import HistoryTable
from tests.analysis.real_prices import series, table, weekdays

D = Decimal


def lines(count: int, weight: str) -> tuple[FundLine, ...]:
    return tuple(FundLine(f"S{i}", f"S{i}", D(weight)) for i in range(count))


def test_returns_end_on_the_last_common_day() -> None:
    days = weekdays(30)
    history = table(series("A", days, [100.0] * 29 + [200.0]), series("B", days[:-1], [100.0] * 29))
    found = compare(["A", "B"], history, {})
    assert found.as_of == days[-2]
    assert found.funds["A"].returns["1M"].value == 0.0


def test_volatility_and_drawdown_are_over_the_days_that_all_have(factors: HistoryTable) -> None:
    start = dt.date(2020, 6, 1)
    history = table(factors.series["MTUM"], factors.series["QUAL"].between(start))
    row = compare(["MTUM", "QUAL"], history, {}).funds["MTUM"]
    same = factors.series["MTUM"].between(start)
    assert row.volatility.value == volatility(same).value
    assert row.max_drawdown.value == max_drawdown(same).value
    assert "2020-06-01" in str(row.max_drawdown.note)


def test_the_window_is_five_years_at_most(factors: HistoryTable) -> None:
    row = compare(["MTUM", "QUAL"], factors, {}).funds["MTUM"]
    assert row.volatility.value == volatility(factors.series["MTUM"].between(dt.date(2017, 12, 28))).value


def test_one_currency_is_used_where_asked_and_the_conversion_is_said() -> None:
    days = weekdays(30)
    flat = [100.0] * 30
    rate = series("USDKRW", days, np.linspace(1000, 1100, 30).tolist(), "KRW")
    history = table(series("SPY", days, flat), series("360750", days, flat, "KRW"), rates=(rate,))
    found = compare(["SPY", "360750"], history, {}, "KRW")
    assert found.currency == "KRW"
    first = rate.closes[[str(d) for d in rate.days].index("2026-08-28")]
    assert found.funds["SPY"].returns["1M"].value == pytest.approx(1100 / first - 1, abs=1e-12)
    assert found.funds["360750"].returns["1M"].value == 0.0
    assert [(p.where, p.code) for p in found.problems if p.code == "converted"] == [("SPY.returns", "converted")]


def test_without_a_currency_two_currencies_are_told_apart() -> None:
    days = weekdays(30)
    history = table(series("SPY", days, [1.0] * 30), series("360750", days, [1.0] * 30, "KRW"))
    found = compare(["SPY", "360750"], history, {})
    assert found.currency == "local"
    assert "local-currency" in {p.code for p in found.problems}


def test_a_fund_without_history_keeps_its_place_with_its_facts() -> None:
    facts = {"RSP": Fund("RSP", fee=Figure(0.002, "issuer"))}
    found = compare(["SPY", "RSP"], table(series("SPY", weekdays(30), [1.0] * 30)), facts)
    row = found.funds["RSP"]
    assert row.fee.value == 0.002
    assert {figure.value for figure in row.returns.values()} == {None}
    assert [p.where for p in found.problems if p.code == "no-history"] == ["RSP"]


def test_every_known_figure_has_its_source_or_method_among_the_remarks(factors: HistoryTable) -> None:
    facts = {"QUAL": Fund("QUAL", fee=Figure(0.0015, "issuer", dt.date(2022, 12, 1)))}
    found = compare(["MTUM", "QUAL"], factors, facts)
    remarked = {p.where for p in found.problems}
    for symbol, row in found.funds.items():
        assert {f"{symbol}.{path}" for path, figure in row.figures().items() if figure.known} <= remarked
    assert any(p.where == "QUAL.fee" and str(p.message) == "issuer, 2022-12-01" for p in found.problems)
    assert any(p.where == "MTUM.returns.3Y" and "per year" in str(p.message) for p in found.problems)
    assert any(p.where == "MTUM.returns.3M" and "not annualised" in str(p.message) for p in found.problems)


def test_the_share_of_the_top_ten_needs_ten_or_all() -> None:
    ten = Fund("A", holdings=lines(12, "0.05"))
    few = Fund("B", holdings=lines(3, "0.1"), holdings_count=Figure(30))
    all_three = Fund("C", holdings=lines(3, "0.3"), holdings_count=Figure(3))
    found = compare(["A", "B", "C"], HistoryTable({}), {fund.symbol: fund for fund in (ten, few, all_three)})
    assert len(found.funds["A"].top) == 10
    assert found.funds["A"].top_share == D("0.5")
    assert found.funds["B"].top_share is None
    assert found.funds["C"].top_share == D("0.9")


def test_overlaps_are_listed_for_every_pair() -> None:
    facts = {name: Fund(name, holdings=lines(2, "0.5")) for name in "ABC"}
    found = compare(["A", "B", "C"], HistoryTable({}), facts)
    assert [(row.pair, row.weight) for row in found.overlap] == [(("A", "B"), 1), (("A", "C"), 1), (("B", "C"), 1)]


def test_no_history_at_all_has_no_day() -> None:
    assert compare(["A", "B"], HistoryTable({}), {}).as_of is None


def test_a_period_of_ones_own_is_the_return_between_its_closes_and_bounds_the_risk() -> None:
    days = weekdays(60)
    closes = [100.0 + n for n in range(60)]
    history = table(series("SPY", days, closes), series("QQQ", days, closes))
    begin = days[20]
    found = compare(["SPY", "QQQ"], history, {}, begin=begin)
    figure = found.funds["SPY"].over_period
    assert figure is not None
    assert figure.value == pytest.approx(159 / 120 - 1)
    assert found.to_json()["from"] == begin.isoformat()
    assert str(begin) in str(found.funds["SPY"].volatility.note)


@pytest.mark.parametrize(
    ("name", "lang", "issuer"),
    [
        ("TIGER 미국S&P500", "ko", "미래에셋자산운용"),
        ("iShares Semiconductor ETF", "en", "BlackRock"),
        ("TIGERISH Corp", "en", ""),
        ("Apple", "en", ""),
    ],
)
def test_an_issuer_is_known_by_the_brand_that_a_fund_is_named_with(name: str, lang: str, issuer: str) -> None:
    assert issuer_of(name, lang) == issuer
