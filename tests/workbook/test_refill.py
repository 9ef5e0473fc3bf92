"""A plan written back into a person's own workbook keeps what is theirs; where it cannot, a fresh one says so."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import LineChart, Reference
from openpyxl.comments import Comment
from openpyxl.styles import Font

from templates.merge import write_back
from templates.read.book import read_book
from templates.read.workbooks import read_grids
from templates.report import BookReport
from templates.write import build
from tests.office import Office
from tests.workbook.cases import filled_portfolio, plan_of, report_of
from tests.workbook.test_libreoffice import at, same

PORTFOLIO = filled_portfolio("growth")


@pytest.fixture(scope="module")
def report() -> BookReport:
    return report_of(plan_of(PORTFOLIO), "ko")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a person's workbook: notes, a moved column, formats, a sheet and a chart of their own."""
    book = build(BookReport(PORTFOLIO), "ko").workbook
    holdings = book["보유"]
    holdings["B8"].comment = Comment("곧 팔 것", "나")
    holdings["B8"].font = Font(strike=True)
    holdings["Z3"] = "내 메모"
    mine = book.create_sheet("내 시트", 1)
    for row in ([1, 2], [3, 4]):
        mine.append(row)
    mine["D1"] = "=TotalValue*2"
    chart = LineChart()
    chart.add_data(Reference(mine, min_col=1, max_col=2, min_row=1, max_row=2))
    mine.add_chart(chart, "F1")
    history = book["기록"]
    history["B8"], history["C8"], history["I8"] = dt.date(2026, 10, 30), 9_000_000, "첫 기록"
    path = tmp_path / "own.xlsx"
    book.save(path)
    return path


def result(own: Path, report: BookReport) -> bytes:
    data, notice = write_back(own, report, "ko")
    assert notice is None
    assert data is not None
    return data


def opened(data: bytes) -> Workbook:
    return load_workbook(io.BytesIO(data))


def test_notes_formats_sheets_and_charts_of_ones_own_stay(own: Path, report: BookReport) -> None:
    book = opened(result(own, report))
    holdings = book["보유"]
    comment = holdings["B8"].comment
    assert comment is not None
    assert comment.text == "곧 팔 것"
    assert holdings["B8"].font.strike
    assert holdings["Z3"].value == "내 메모"
    assert book.sheetnames[1] == "내 시트"
    assert book["내 시트"]["D1"].value == "=TotalValue*2"
    own_sheet: Any = book["내 시트"]
    assert len(own_sheet._charts) == 1
    assert book["기록"]["I8"].value == "첫 기록"


def test_the_results_are_in_it(own: Path, report: BookReport, tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    path.write_bytes(result(own, report))
    book = read_book(path)
    assert book.portfolio == PORTFOLIO
    assert len(book.results["Trades"]) == len(report.results["Trades"])
    assert [row["Date"] for row in book.history] == [dt.date(2026, 10, 30), dt.date(2026, 11, 20)]


def test_a_second_plan_of_the_day_replaces_the_first(own: Path, report: BookReport, tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    path.write_bytes(result(own, report))
    path.write_bytes(result(path, report))
    book = read_book(path)
    assert [row["Date"] for row in book.history] == [dt.date(2026, 10, 30), dt.date(2026, 11, 20)]
    assert len(book.results["Trades"]) == len(report.results["Trades"])


def test_libreoffice_computes_what_is_cached_beside_every_formula(
    office: Office, own: Path, report: BookReport, tmp_path: Path
) -> None:
    path = tmp_path / "out.xlsx"
    path.write_bytes(result(own, report))
    shown = {grid.name: grid for grid in read_grids(office.convert([path], "ods", tmp_path)["out"])}
    cached = load_workbook(path, data_only=True)
    compared = 0
    for ws in load_workbook(path).worksheets:
        for row in ws.iter_rows():
            for cell in row:
                if cell.data_type == "f" and ws.title != "내 시트":
                    compared += 1
                    value = cached[ws.title][cell.coordinate].value
                    found = at(shown[ws.title], cell.coordinate)
                    if isinstance(value, dt.datetime):
                        value = value.date()
                    assert same(value, found), (ws.title, cell.coordinate)
    assert compared > 200


def test_ones_own_formulas_are_computed_on_opening(own: Path, report: BookReport) -> None:
    assert opened(result(own, report)).calculation.fullCalcOnLoad


def test_a_cell_of_ones_own_in_the_way_is_not_overwritten(own: Path, report: BookReport) -> None:
    book = load_workbook(own)
    sheet = book["매매"]
    at = sheet.max_row + 1
    sheet.cell(at, 3, "내 계산")
    book.save(own)
    before = own.read_bytes()
    many = replace(report, results={**report.results, "Trades": report.results["Trades"] * 10})
    data, notice = write_back(own, many, "ko")
    assert data is None
    assert own.read_bytes() == before
    assert notice is not None
    assert f"매매!C{at}" in notice.told("ko")


def test_another_kind_of_file_is_not_written_into(tmp_path: Path, report: BookReport) -> None:
    data, notice = write_back(tmp_path / "mine.ods", report, "en")
    assert data is None
    assert "only .xlsx" in str(notice)
