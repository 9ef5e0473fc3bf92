"""The buttons Import and New version: a broker's file into Holdings and Cash once agreed to; a new workbook beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rebalancer.importing import import_files
from tests.commands_fake_book import FakeBook
from xl_addin.buttons import press
from xl_addin.buttons.book import tables_of
from xl_addin.functions.inputs import read_inputs

KIWOOM = Path(__file__).parents[1] / "import_files" / "kiwoom-utf8.csv"


@pytest.fixture
def export(tmp_path: Path, book: FakeBook) -> FakeBook:
    """Return the sample's workbook, and a broker's file chosen of one of its accounts."""
    account = portfolio(book).holdings[0].account
    path = tmp_path / f"{account or 'broker'}.csv"
    path.write_bytes(KIWOOM.read_bytes())
    book.chosen = str(path)
    return book


def portfolio(book: FakeBook) -> Any:
    return read_inputs("test", {}, tables_of(book)).portfolio


def held(one: Any) -> list[Any]:
    return sorted((row.account, row.symbol, row.quantity, row.average_cost) for row in one.holdings)


def test_what_it_writes_is_what_the_command_line_imports(export: FakeBook) -> None:
    account = portfolio(export).holdings[0].account
    wanted = import_files([Path(export.chosen)], into=portfolio(export), broker=account).portfolio
    press("import", export, formulas=True)
    assert held(portfolio(export)) == held(wanted)
    assert [one.cash for one in portfolio(export).accounts] == [one.cash for one in wanted.accounts]


def test_it_shows_what_changes_before_it_writes(export: FakeBook) -> None:
    before = export.state()
    export.agrees = False
    press("import", export, formulas=True)
    assert "360750" in export.alerts[0]
    assert export.state() == before


def test_of_which_account_it_is_is_asked_where_nothing_says_so(export: FakeBook, tmp_path: Path) -> None:
    other = tmp_path / "export.csv"
    Path(export.chosen).rename(other)
    export.chosen = str(other)
    press("import", export, formulas=True)
    assert portfolio(export).holdings[0].account in export.alerts[0]
    assert "360750" in export.alerts[1]


def test_without_a_file_nothing_happens(book: FakeBook) -> None:
    before = book.state()
    press("import", book, formulas=True)
    assert (book.state(), book.alerts) == (before, [])


def test_the_plan_of_before_goes(export: FakeBook) -> None:
    press("import", export, formulas=False)
    trades = export.sheets["Trades"].range((8, 2), (8, 8)).value
    assert trades == [[None] * 7]


def test_undo_takes_it_back(export: FakeBook) -> None:
    before = held(portfolio(export))
    press("import", export, formulas=True)
    assert held(portfolio(export)) != before
    press("undo", export, formulas=True)
    assert held(portfolio(export)) == before


def test_a_second_import_of_the_same_changes_nothing(export: FakeBook) -> None:
    press("import", export, formulas=True)
    before = export.state()
    press("import", export, formulas=True)
    assert export.state() == before


def test_no_source_is_overruled_by_the_price_of_an_export(export: FakeBook) -> None:
    press("import", export, formulas=True)
    assert {one.symbol: one.price for one in portfolio(export).holdings}["005930"] is None


def test_a_file_that_is_no_export_says_so_and_writes_nothing(export: FakeBook, tmp_path: Path) -> None:
    export.chosen = str(tmp_path / "notes.txt")
    Path(export.chosen).write_text("buy milk")
    before = export.state()
    press("import", export, formulas=True)
    assert export.alerts
    assert export.state() == before


def test_new_version_writes_a_workbook_beside_and_leaves_this_one(book: FakeBook, data: bytes, tmp_path: Path) -> None:
    Path(book.fullname).write_bytes(data)
    before = book.state()
    press("update", book, formulas=True)
    assert len(list(tmp_path.glob("mine-*.xlsm"))) == 1
    assert book.state() == before


def test_new_version_of_a_workbook_that_was_never_saved_says_so(book: FakeBook) -> None:
    press("update", book, formulas=True)
    assert book.alerts
