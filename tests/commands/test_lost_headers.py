"""Excel for Mac has computed: every function cell is an error, and what it spilled is gone, headers too."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from rebalancer.samples import sample_sources
from templates.spec import TABLES
from templates.spec import table as spec_table
from templates.spec.layout import CAPTION_ROW, HEADER_ROW
from tests.commands_fake_book import FakeBook
from xl_addin.buttons import computing, press
from xl_addin.buttons.book import found_in, tables_of
from xl_addin.hosts.excel.package import sample_workbook

SPILLING = re.compile(r"^=(TRANSPOSE\()?REBAL_")

#: Headers of columns that no function fills.
HIDDEN = {column.name for table in TABLES for column in table.columns if column.hidden}


def collapse(book: FakeBook) -> None:
    """Leave of each spilled result an error in its first cell."""
    for sheet in book.sheets:
        firsts = [at for at, text in sheet.formulas.items() if SPILLING.match(str(text))]
        for row, left in firsts:
            right = left
            while (row, right + 1) in sheet.values and sheet.values[row, right + 1] not in HIDDEN:
                right += 1
            for at in [at for at in sheet.values if at[0] >= row and left <= at[1] <= right]:
                del sheet.values[at]
                if at != (row, left):
                    sheet.formulas.pop(at, None)
            sheet.values[row, left] = "#N/A"


def test_results_stand_where_the_names_of_the_workbook_say(book: FakeBook) -> None:
    before = found_in(book, tables_of(book))
    collapse(book)
    after = found_in(book, tables_of(book))
    assert after.keys() == before.keys() >= {one.name for one in TABLES if not one.optional}
    assert {name: (f.grid.name, f.header, f.columns) for name, f in after.items()} == {
        name: (f.grid.name, f.header, f.columns) for name, f in before.items()
    }


def test_propose_writes_over_the_lost_headers_and_leaves_the_captions(book: FakeBook) -> None:
    before = {sheet.name: dict(sheet.values) for sheet in book.sheets}
    collapse(book)
    press("propose", book, formulas=False)
    assert book.alerts == []
    for name in ("Trades", "Calendar", "Checks"):
        for row in (CAPTION_ROW, HEADER_ROW):
            now = {at: value for at, value in book.sheets[name].values.items() if at[0] == row}
            assert now == {at: value for at, value in before[name].items() if at[0] == row}


def test_analyse_writes_over_the_lost_headers_and_leaves_the_captions(
    book: FakeBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(book.sheets["Analysis"].values)
    collapse(book)
    with sample_sources() as sources:
        monkeypatch.setattr(computing, "SOURCES", sources)
        press("analyse", book, formulas=False)
    assert book.alerts == []
    after = book.sheets["Analysis"].values
    # The plan's figures are no analysis.
    summary = {c.name for c in spec_table("Summary").columns}
    lost = {at for at, value in before.items() if value in summary}
    assert {at for at in before if at not in after} <= {at for at in before if at[1] in {c for _, c in lost}}
    assert {at: v for at, v in after.items() if at[0] == CAPTION_ROW} == {
        at: v for at, v in before.items() if at[0] == CAPTION_ROW
    }


def test_a_copy_of_a_sheet_with_names_of_its_own_is_not_taken_for_it(book: FakeBook) -> None:
    book.names.append(SimpleNamespace(name="'Trades (2)'!Trades_Account", refers_to="='Trades (2)'!$B$30:$B$41"))
    assert found_in(book, tables_of(book))["Trades"].header == HEADER_ROW


def test_a_title_in_quotes_is_understood(book: FakeBook) -> None:
    sheet = book.sheets.pop("Trades")
    sheet.name = "that's mine"
    book.sheets[sheet.name] = sheet
    for name in book.names:
        name.refers_to = name.refers_to.replace("'Trades'!", "'that''s mine'!")
    collapse(book)
    place = found_in(book, tables_of(book))["Trades"]
    assert (place.grid.name, place.header) == ("that's mine", HEADER_ROW)


@pytest.mark.parametrize("refers_to", ["=#REF!", "=Trades!#REF!", "='gone'!$B$8:$B$41"])
def test_headers_tell_where_a_name_does_not(book: FakeBook, refers_to: str) -> None:
    for name in book.names:
        name.refers_to = refers_to
    places = found_in(book, tables_of(book))
    assert places["Trades"].header == HEADER_ROW
    assert computing.with_matrix(places)["Correlation"].columns["Ticker"] > max(places["Alerts"].columns.values())


def test_a_korean_workbook_s_results_are_found_by_its_names(tmp_path: Path) -> None:
    book = FakeBook(sample_workbook("ko"), str(tmp_path / "mine.xlsm"))
    for name in book.names:
        name.refers_to = name.refers_to.replace("'", "")  # as Excel writes a title that needs no quotes
    collapse(book)
    assert found_in(book, tables_of(book))["Trades"].header == HEADER_ROW
