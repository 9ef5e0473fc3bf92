"""The dashboard shows the plan as it is, however much it holds and whenever that was added."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.data.document import portfolio_from_data
from engine.portfolio import Portfolio
from engine.rebalance import rebalance
from engine.words import LANGUAGES, Lang, say
from rebalancer.books import plan_book
from templates.merge import write_back
from templates.models import load
from templates.report import BookReport
from templates.share import share
from templates.spec import sheet
from templates.write import Book, build
from tests.workbook.cases import DAY, report_for

SEVENTY_THIRTY = (("AAA", 70), ("BBB", 30))


def holding(count: int, targets: bool = True) -> Portfolio:  # noqa: FBT001, FBT002 - one of two cases
    """Return a portfolio of some instruments at prices of its own, with a target each or none."""
    held = [
        {"symbol": f"FUND{i:03d}", "quantity": 10 + i, "price": 1000 * (i % 7 + 1), "currency": "KRW", "account": "A"}
        for i in range(count)
    ]
    body: dict[str, object] = {"name": "many", "base_currency": "KRW", "cash": {"KRW": 90_000}, "holdings": held}
    if targets:
        body["targets"] = [{"ticker": row["symbol"], "weight": round(0.9 / count, 4)} for row in held]
    portfolio, problems = portfolio_from_data({"portfolio": body}, "many")
    assert portfolio is not None, problems
    return portfolio


def planned(portfolio: Portfolio, lang: Lang = "en") -> BookReport:
    return plan_book(rebalance(portfolio, {}, DAY), lang)


def shown(book: Book, lang: Lang = "en") -> dict[str, object]:
    """Return what the dashboard's cells show."""
    title = sheet("Dashboard").title(lang)
    cells = {cell.coordinate: cell.value for row in book.workbook[title].iter_rows() for cell in row}
    return cells | dict(book.cached.get(title, {}))


def column(cells: dict[str, object], letter: str) -> list[object]:
    return [cells[f"{letter}{row}"] for row in range(13, 42) if cells.get(f"{letter}{row}") not in (None, "")]


def test_every_trade_stands_there_with_its_account() -> None:
    report = planned(holding(14))
    cells = shown(build(report, "en"))
    names = [trade["Name"] for trade in report.rows("Trades")]
    assert column(cells, "L")[: len(names)] == names
    assert column(cells, "K")[: len(names)] == ["A"] * len(names)


def test_what_there_is_no_room_for_is_counted_with_what_it_comes_to() -> None:
    report = planned(holding(60))
    cells = shown(build(report, "en"))
    more = len(report.rows("Trades")) - 24
    assert str(cells["L37"]).startswith(f"and {more} more · ")
    assert cells["B37"] == "and 37 more"
    weights = [value for row in range(13, 38) if isinstance(value := cells[f"E{row}"], int | float)]
    assert sum(weights) == pytest.approx(1)


def test_holdings_without_a_target_are_named() -> None:
    cells = shown(build(planned(holding(3, targets=False)), "en"))
    assert [cells[f"B{row}"] for row in range(13, 17)] == ["FUND000", "FUND001", "FUND002", "Cash"]
    assert [cells[f"I{row}"] for row in range(13, 16)] == ["NO_TARGET"] * 3


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_empty_workbook_says_what_to_fill_in(lang: Lang) -> None:
    cells = shown(build(BookReport(load("blank").ready()), lang), lang)
    assert cells["B3"] == say("label.head.empty", lang)


def test_it_says_first_what_to_do_and_what_that_costs() -> None:
    plan = rebalance(holding(14), {}, DAY)
    sold = sum((trade.amount for trade in plan.trades if trade.side == "sell"), Decimal(0))
    costs = sum((trade.cost + trade.tax for trade in plan.trades), Decimal(0))
    said = str(shown(build(plan_book(plan, "en"), "en"))["B3"])
    assert said.startswith("● To do: sell ")
    assert f"(₩{sold:,.0f})" in said
    assert said.endswith(f"costs and taxes ₩{costs:,.0f}")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_broken_band_that_no_trade_mends_is_not_called_in_order(lang: Lang) -> None:
    held = [{"symbol": s, "quantity": n, "price": 100, "currency": "USD", "locked": n > 50} for s, n in SEVENTY_THIRTY]
    targets = [{"ticker": symbol, "weight": 0.5} for symbol, _ in SEVENTY_THIRTY]
    body = {"base_currency": "USD", "holdings": held, "targets": targets}
    portfolio, problems = portfolio_from_data({"portfolio": body}, "locked")
    assert portfolio is not None, problems
    assert shown(build(planned(portfolio, lang), lang), lang)["B3"] == say("label.head.stuck", lang)


def test_broken_limits_are_named() -> None:
    report = planned(holding(14))
    limits = [row for row in report.rows("Limits") if row["Status"] == "BREACH"]
    rows = ({"Rule": "maximum", "Scope": "FUND001", "Limit": "5.00 %", "Actual": "9.00 %", "Status": "BREACH"},)
    broken = BookReport(report.portfolio, report.as_of, {**report.results, "Limits": rows}, report.history)
    assert "FUND001" in column(shown(build(broken, "en")), "K")
    assert limits == []


def test_the_money_to_add_is_one_cell_of_the_settings() -> None:
    book = build(report_for("growth", "en", True), "en").workbook
    assert book["Dashboard"]["O8"].value == "=CashFlow"


def test_charts_say_what_they_show_to_those_who_cannot_see_them() -> None:
    archive = load_workbook(io.BytesIO(build(report_for("growth", "en", True), "en").to_bytes()))
    charts: Any = archive["Dashboard"]
    assert len(charts._charts) == 2


def test_a_plan_written_back_into_an_empty_workbook_shows_its_holdings(tmp_path: Path) -> None:
    portfolio = holding(9)
    path = tmp_path / "own.xlsx"
    path.write_bytes(build(BookReport(portfolio), "en").to_bytes())
    data, notice = write_back(path, planned(portfolio), "en")
    assert notice is None
    assert data is not None
    cells: Any = load_workbook(io.BytesIO(data), data_only=True)["Dashboard"]
    assert [cells[f"B{row}"].value for row in range(13, 22)] == [f"FUND00{i}" for i in range(9)]


def test_a_page_for_others_has_every_trade_or_says_how_many_more() -> None:
    for count in (14, 60):
        report = planned(holding(count))
        cells = shown(share(report, "en"), "en")
        names = [value for value in column(cells, "L") if str(value).startswith("FUND")]
        trades = len(report.rows("Trades"))
        assert len(names) == min(trades, 24)
        assert (f"and {trades - 24} more" in str(cells.get("L37"))) == (trades > 24)
