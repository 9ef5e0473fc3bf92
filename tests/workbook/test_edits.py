"""What people do to a workbook, saved by openpyxl and by LibreOffice: it is read right and stays theirs."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from templates.merge import write_back
from templates.read.book import read_book
from templates.read.workbooks import read_grids
from templates.write import build
from tests.office import Office
from tests.workbook.cases import filled_portfolio, plan_of, report_of
from tests.workbook.test_writeback import parts_of

pytestmark = pytest.mark.slow

PORTFOLIO = filled_portfolio("growth")
HELD = len(PORTFOLIO.holdings)
LAST = 7 + HELD  # the row of the last holding
Edit = Callable[[Any], object]
EDITS: dict[str, tuple[int, Edit]] = {}
PROGRAMS = ("openpyxl", "LibreOffice")
#: Parts in which something of ours stands; everything else keeps every byte.
OURS = ("xl/worksheets/sheet", "xl/tables/", "xl/charts/", "xl/styles.xml", "xl/workbook.xml")


def edit(*, more: int = 0) -> Callable[[Edit], Edit]:
    """Add an edit, after which there are so many holdings more."""

    def add(made: Edit) -> Edit:
        EDITS[made.__name__] = more, made
        return made

    return add


def hold(book: Any, row: int) -> None:
    sheet = book["Holdings"]
    for column, value in ((2, "키움"), (3, "005930"), (9, 7), (11, 70_000)):
        sheet.cell(row, column).value = value


@edit()
def nothing(book: Any) -> None:
    """Leave it as it is."""


@edit(more=1)
def a_holding_in_a_spare_row(book: Any) -> None:
    hold(book, LAST + 1)


@edit(more=1)
def a_row_inserted_between(book: Any) -> None:
    book["Holdings"].insert_rows(10)
    hold(book, 10)


@edit()
def an_empty_row_inserted(book: Any) -> None:
    book["Holdings"].insert_rows(9)


@edit(more=-1)
def a_row_deleted(book: Any) -> None:
    book["Holdings"].delete_rows(LAST)


@edit(more=1)
def a_holding_below_the_table(book: Any) -> None:
    below = int(book["Holdings"].tables["Holdings"].ref.rpartition("Q")[2]) + 1
    hold(book, below)


@edit()
def rows_sorted(book: Any) -> None:
    sheet = book["Holdings"]
    for column in (2, 3, 5, 6, 7, 9, 10, 11, 12):
        values = [sheet.cell(row, column).value for row in range(8, LAST + 1)]
        for row, value in enumerate(reversed(values), 8):
            sheet.cell(row, column).value = value


@edit()
def an_optional_column_emptied(book: Any) -> None:
    for row in range(6, LAST + 1):
        book["Settings"].cell(row, 5).value = None


@edit()
def a_column_of_ones_own(book: Any) -> None:
    for row, text in ((7, "Mine"), (8, "내 메모"), (9, "sell?")):
        book["Holdings"].cell(row, 30).value = text


@edit()
def a_sheet_renamed(book: Any) -> None:
    book["Targets"].title = "What I want"


@edit()
def sheets_sorted(book: Any) -> None:
    book.move_sheet("Prices", -5)


@edit()
def a_sheet_of_ones_own(book: Any) -> None:
    for row in (["a", 1], ["b", 2.5], ["합", "=TotalValue*2"]):
        book.create_sheet("Mine").append(row) if "Mine" not in book.sheetnames else book["Mine"].append(row)


@edit()
def a_chart_of_ones_own(book: Any) -> None:
    a_sheet_of_ones_own(book)
    chart = BarChart()
    chart.add_data(Reference(book["Mine"], min_col=2, min_row=1, max_row=2))
    book["Mine"].add_chart(chart, "E2")


@edit()
def a_hidden_sheet(book: Any) -> None:
    a_sheet_of_ones_own(book)
    book["Mine"].sheet_state = "hidden"


@edit()
def a_comment(book: Any) -> None:
    book["Holdings"]["C8"].comment = Comment("곧 팔 것", "나")


@edit()
def a_filter_with_hidden_rows(book: Any) -> None:
    book["Holdings"].row_dimensions[9].hidden = True


@edit()
def a_formula_of_ones_own(book: Any) -> None:
    book["Holdings"]["AD3"] = "=SUM(I8:I20)"


@edit()
def a_conditional_format(book: Any) -> None:
    rule = CellIsRule(operator="greaterThan", formula=["100"], fill=PatternFill("solid", bgColor="FFCCCC"))  # type: ignore[no-untyped-call]
    book["Holdings"].conditional_formatting.add("I8:I20", rule)


@edit()
def a_drop_down(book: Any) -> None:
    a_sheet_of_ones_own(book)
    choice = DataValidation("list", formula1='"x,y"')
    choice.add("A1:A9")
    book["Mine"].add_data_validation(choice)


@edit()
def a_name_of_ones_own(book: Any) -> None:
    book.defined_names["MyRow"] = DefinedName("MyRow", attr_text="'Holdings'!$A$8:$Q$8")


@edit()
def columns_narrowed_and_hidden(book: Any) -> None:
    book["Holdings"].column_dimensions["J"].hidden = True
    book["Holdings"].column_dimensions["C"].width = 30


@edit()
def merged_cells(book: Any) -> None:
    book["Holdings"]["Y1"] = "My notes"
    book["Holdings"].merge_cells("Y1:AB2")


@edit()
def a_number_typed_as_text(book: Any) -> None:
    sheet = book["Holdings"]
    sheet["I8"] = f"{sheet['I8'].value:,}"


@edit()
def a_note_far_below_the_results(book: Any) -> None:
    book["Trades"]["B90"] = "call the bank"


@edit()
def a_note_far_below_in_a_column_of_tickers(book: Any) -> None:
    book["Trades"]["C90"] = "call the bank"


@edit()
def a_note_far_below_in_a_column_of_amounts(book: Any) -> None:
    book["Trades"]["H95"] = 1_000_000


@edit()
def formats_of_ones_own(book: Any) -> None:
    book["Holdings"]["C8"].font = Font(bold=True, color="FF00FF")
    book["Trades"]["C8"].fill = PatternFill("solid", fgColor="00FF00")


@edit()
def a_link(book: Any) -> None:
    book["Holdings"]["AE3"] = "broker"
    book["Holdings"]["AE3"].hyperlink = "https://example.com/"


@edit()
def tables_made_plain_ranges(book: Any) -> None:
    for sheet in book.worksheets:
        for name in list(sheet.tables):
            del sheet.tables[name]


def check(path: Path, more: int) -> None:
    """Plan a workbook twice, and compare."""
    before = read_book(path)
    assert before.portfolio is not None, [str(problem) for problem in before.problems]
    assert len(before.portfolio.holdings) == HELD + more
    own = {grid.name: grid.rows for grid in read_grids(path) if grid.name == "Mine"}
    parts = parts_of(path.read_bytes())
    report = report_of(plan_of(before.portfolio), "en")
    outcomes = []
    for _ in range(2):
        data, notice = write_back(path, report, "en")
        assert notice is None
        assert data is not None
        path.write_bytes(data)
        outcomes.append(parts_of(data))
        assert read_book(path).portfolio == before.portfolio
    first, second = outcomes
    assert first == second
    assert [name for name in parts if parts[name] != first[name] and not name.startswith(OURS)] == []
    assert {grid.name: grid.rows for grid in read_grids(path) if grid.name == "Mine"} == own
    assert len(read_book(path).results["Trades"]) == len(report.results["Trades"])


def edited(name: str, program: str, office: Office, folder: Path) -> Path:
    """Return the workbook after an edit, as a program saved it."""
    path = folder / "own.xlsx"
    path.write_bytes(build(report_of(plan_of(PORTFOLIO), "en"), "en").to_bytes())
    book = load_workbook(path)
    EDITS[name][1](book)
    book.save(path)
    if program == "LibreOffice":
        (out := folder / "office").mkdir()
        shutil.copy(office.convert([path], "xlsx", out)["own"], path)
    return path


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", random.Random(13).sample(sorted(EDITS), 5))
def test_an_edited_workbook_is_planned_twice(name: str, program: str, office: Office, tmp_path: Path) -> None:
    check(edited(name, program, office, tmp_path), EDITS[name][0])


@pytest.mark.soak
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", EDITS)
def test_every_edited_workbook_is_planned_twice(name: str, program: str, office: Office, tmp_path: Path) -> None:
    check(edited(name, program, office, tmp_path), EDITS[name][0])
