"""A sheet one can work in: tables below each other, frozen names, drop-downs, and pages that print."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from openpyxl import load_workbook

from engine.text import repaired_date
from engine.words import LANGUAGES, Lang
from rebalancer.samples import sample_portfolio
from templates.cells import Row
from templates.merge import write_back
from templates.read.book import read_book
from templates.read.tables import find_tables
from templates.read.workbooks import read_grids
from templates.spec import SHEETS, TABLES
from templates.spec.layout import Placement
from templates.write import build
from tests.workbook.cases import book_for, plan_of, report_for, report_of

OLD = Path(__file__).parent / "old" / "demo-0.2.0-ko.xlsx"


def excel_tables(sheet: str) -> list[Placement]:
    places = book_for("growth", "en", True).placements.values()
    return [place for place in places if place.table.sheet == sheet and not place.table.ranges]


@pytest.mark.parametrize("sheet", [spec.key for spec in SHEETS])
def test_filtering_one_table_hides_no_row_of_another(sheet: str) -> None:
    for above, below in pairwise(excel_tables(sheet)):
        assert below.title_row > above.last_row + 1


def test_ticker_and_name_stay_in_view() -> None:
    book = book_for("growth", "en", True)
    for name in ("Holdings", "Targets", "Trades", "Prices"):
        frozen = book.workbook[name].freeze_panes
        assert frozen is not None
        cell = book.workbook[name][frozen]
        assert cell.column == book.placements[name].column("Name") + 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_sheet_leads_back_to_the_dashboard(lang: Lang) -> None:
    book = book_for("growth", lang, True).workbook
    dashboard = book.worksheets[1].title
    for sheet in book.worksheets[2:]:
        link = sheet["B4"].hyperlink
        assert link is not None
        assert link.location == f"'{dashboard}'!A1"


def test_every_choice_has_a_drop_down() -> None:
    book = book_for("growth", "en", True)
    for table in TABLES:
        place = book.placements.get(table.name)
        for column in table.inputs if place else ():
            if column.type in ("choice", "bool") and place and column in place.columns:
                cell = book.workbook[place.title].cell(place.first_row, place.column(column.name)).coordinate
                validations = book.workbook[place.title].data_validations.dataValidation
                assert any(cell in one.sqref and one.type == "list" for one in validations), (table.name, column.name)


def test_every_setting_with_choices_has_a_drop_down() -> None:
    book = book_for("growth", "ko", True)
    place = book.placements["Settings"]
    sheet = book.workbook[place.title]
    lists = {str(one.sqref): one.formula1 for one in sheet.data_validations.dataValidation if one.type == "list"}
    rows = {row["Key"]: place.first_row + i for i, row in enumerate(book.figures.tables["Settings"])}
    assert lists[f"C{rows['mode']}"] == '"매수·매도,매수만,매도만"'
    assert {f"C{rows[key]}" for key in ("trigger", "trade", "destination", "taxes", "residence")} <= lists.keys()
    assert "KRW" in lists[f"C{rows['base_currency']}"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_printed_area_has_an_empty_head(lang: Lang) -> None:
    for sheet in book_for("growth", lang, True).workbook.worksheets[2:]:
        for area in str(sheet.print_area).split(","):
            first = area.split("!")[-1].replace("$", "").partition(":")[0]
            column = sheet[first].column
            assert sheet.cell(1, column).value or sheet.cell(1, column + 1).value, (sheet.title, area)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_banner_reaches_to_the_margin_of_every_sheet(lang: Lang) -> None:
    for sheet in book_for("growth", lang, True).workbook.worksheets:
        assert sheet["A1"].fill.fgColor.rgb == sheet["B1"].fill.fgColor.rgb, sheet.title


def test_tables_below_each_other_are_read_apart(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(book_for("growth", "ko", True).to_bytes())
    found, problems = find_tables(read_grids(path))
    assert not problems
    assert found["Cash"].limit < found["FxRates"].header < found["Conversions"].header < found["Reconcile"].header


@pytest.mark.parametrize(("typed", "read"), [("25 %", "0.25"), ("12.5%", "0.125"), ("0.25", "0.25")])
def test_percent_is_read_as_people_type_it(tmp_path: Path, typed: str, read: str) -> None:
    book = load_workbook(io.BytesIO(book_for("growth", "en", True).to_bytes()))
    book["Targets"]["F8"] = typed
    book.save(tmp_path / "typed.xlsx")
    grids = {grid.name: grid for grid in read_grids(tmp_path / "typed.xlsx")}
    portfolio = read_book(tmp_path / "typed.xlsx").portfolio
    assert grids["Targets"].rows[8][6] == typed
    assert portfolio is not None
    assert portfolio.sections[0].targets[0].weight == Decimal(read)


def test_shares_are_read_as_people_type_them(tmp_path: Path) -> None:
    book = load_workbook(io.BytesIO(book_for("growth", "en", True).to_bytes()))
    book["Holdings"]["I8"] = "1,194주"
    book.save(tmp_path / "typed.xlsx")
    portfolio = read_book(tmp_path / "typed.xlsx").portfolio
    assert portfolio is not None
    assert portfolio.holdings[0].quantity == 1194


@pytest.mark.parametrize("typed", ["7/1/2026", "2026-7-1", "2026년 7월 1일", "2026. 7. 1."])
def test_days_are_read_as_people_type_them(typed: str) -> None:
    assert repaired_date(typed) == "2026-07-01"


def test_a_workbook_of_the_version_before_is_read_and_written_back(tmp_path: Path) -> None:
    before = read_book(OLD)
    sample = sample_portfolio()
    assert before.portfolio is not None
    assert before.portfolio.holdings == sample.holdings
    assert {row["Side"] for row in before.results["Trades"]} == {"buy", "sell"}
    portfolio = replace(before.portfolio, fx={"USDKRW": Decimal(1400)})
    data, notice = write_back(OLD, report_of(plan_of(portfolio), "ko"), "ko")
    assert notice is None
    assert data is not None
    path = tmp_path / "again.xlsx"
    path.write_bytes(data)
    after = read_book(path)
    assert after.portfolio == before.portfolio
    # Nobody is shown the plan before.
    dashboard = next(grid for grid in read_grids(path) if grid.name == "대시보드")
    assert dashboard.rows.get(7, {}).get(2) is None
    assert [problem.code for problem in after.problems] == [problem.code for problem in before.problems]


def test_a_stacked_table_that_has_no_room_is_not_written_over_the_next(tmp_path: Path) -> None:
    report = report_for("growth", "en", True)
    path = tmp_path / "own.xlsx"
    path.write_bytes(build(report, "en").to_bytes())
    one = Decimal(1)
    row: Row = {"Account": None, "Sell": "KRW", "Buy": "USD", "Amount": one, "Rate": one, "Bought": one, "Cost": one}
    many = replace(report, results={**report.results, "Conversions": (row,) * 30})
    data, notice = write_back(path, many, "en")
    assert data is None
    assert notice is not None
    assert "Cash!B" in notice.told("en")
