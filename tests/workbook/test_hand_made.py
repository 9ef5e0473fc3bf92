"""A workbook that a person has made on their own gets the plan on sheets of its own, and keeps every byte of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Font, PatternFill

from templates.merge import write_back
from templates.merge.results import SHEETS
from templates.read.book import ReadBook, read_book
from templates.spec import sheet
from tests.workbook.cases import plan_of, report_of
from tests.workbook.test_writeback import parts_of

OWN = ["내 주식", "Trades", "Notes"]


def made(path: Path, *, chart: bool = True) -> Path:
    """Write a person's workbook: what they hold and want on one sheet, another that is called as one of ours."""
    book = Workbook()
    mine = book.worksheets[0]
    mine.title = OWN[0]
    for row in (["종목코드", "수량", "평균단가"], ["069500", 40, 30_000], ["360750", 10, 15_000]):
        mine.append(row)
    mine["A1"].font, mine["B2"].fill = Font(bold=True, name="궁서"), PatternFill("solid", fgColor="00FF00")
    for row in (["종목코드", "목표 비중"], ["069500", 0.6], ["360750", 0.4]):
        mine.append([None] * 5 + row)
    mine["J2"] = "=SUM(B2:B3)"
    book.create_sheet(OWN[1]).append(["my own list of trades"])
    notes = book.create_sheet(OWN[2])
    notes["A1"] = 3
    if chart:
        bars = BarChart()
        bars.add_data(Reference(notes, min_col=1, min_row=1, max_row=1))
        notes.add_chart(bars, "C3")
    book.save(path)
    return path


def planned(path: Path) -> ReadBook:
    """Plan a workbook, in its place."""
    before = read_book(path)
    assert before.portfolio is not None, [str(problem) for problem in before.problems]
    report = report_of(plan_of(before.portfolio), before.lang)
    data, notice = write_back(path, report, before.lang)
    assert notice is not None
    assert notice.key == "results-added"
    assert data is not None
    path.write_bytes(data)
    return read_book(path)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return made(tmp_path / "own.xlsx")


def test_its_parts_keep_every_byte(own: Path) -> None:
    before = parts_of(own.read_bytes())
    planned(own)
    after = parts_of(own.read_bytes())
    grown = {"xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"}
    assert {name for name in before if after.get(name) != before[name]} <= grown


def test_its_sheets_come_first_and_the_plans_after_them(own: Path) -> None:
    planned(own)
    names, titles = load_workbook(own).sheetnames, [sheet(key).title("ko") for key in SHEETS]
    assert names[:3] == OWN
    assert names[3:] == [title for title in titles if title in names]
    assert {sheet(key).title("ko") for key in ("Dashboard", "Trades", "Calendar")} <= set(names)


def test_a_sheet_of_the_person_with_a_title_of_ours_stays(tmp_path: Path) -> None:
    own = made(tmp_path / "own.xlsx")
    book = load_workbook(own)
    book["Trades"].title = sheet("Trades").title("ko")
    book.save(own)
    planned(own)
    assert load_workbook(own)[sheet("Trades").title("ko")]["A1"].value == "my own list of trades"
    assert f"{sheet('Trades').title('ko')} (2)" in load_workbook(own).sheetnames


def test_it_is_read_as_before(own: Path) -> None:
    before = read_book(own).portfolio
    assert planned(own).portfolio == before


def test_the_trades_are_those_of_the_plan(own: Path) -> None:
    portfolio = read_book(own).portfolio
    assert portfolio is not None
    assert len(planned(own).results["Trades"]) == len(plan_of(portfolio).trades)


def test_the_next_plan_takes_the_place_of_the_last(own: Path) -> None:
    planned(own)
    once, names = parts_of(own.read_bytes()), load_workbook(own).sheetnames
    planned(own)
    assert load_workbook(own).sheetnames == names
    shown = {name: data for name, data in once.items() if name.startswith("xl/worksheets/sheet")}
    assert {name: data for name, data in parts_of(own.read_bytes()).items() if name in shown} == shown


def test_no_formula_is_added(own: Path) -> None:
    planned(own)
    book: Any = load_workbook(own)
    added = [one for one in book.worksheets if one.title not in OWN]
    assert [c.coordinate for one in added for row in one.iter_rows() for c in row if c.data_type == "f"] == []


def test_the_dashboard_is_no_copy_to_share(own: Path) -> None:
    planned(own)
    texts = [str(cell.value) for row in load_workbook(own)[sheet("Dashboard").title("ko")].iter_rows() for cell in row]
    assert not any("사본" in text for text in texts)
