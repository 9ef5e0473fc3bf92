"""The buttons Record as done and Undo add to the Ledger sheet; no row of it changes."""

from __future__ import annotations

import pytest

from engine.ledger.account import booked, differences
from engine.ledger.entries import LedgerEntry, standing
from tests.commands.test_buttons import rows
from tests.commands_fake_book import FakeBook
from xl_addin.buttons import press
from xl_addin.buttons.book import found_in, tables_of
from xl_addin.functions.cells import sheets
from xl_addin.functions.inputs import entries_of, read_inputs


def entries(book: FakeBook) -> tuple[LedgerEntry, ...]:
    return entries_of(sheets(tables_of(book)), "test")


def agrees(book: FakeBook) -> bool:
    portfolio = read_inputs("test", {}, tables_of(book)).portfolio
    return differences(booked(standing(entries(book)), portfolio.base_currency), portfolio) == ()


def test_a_recording_and_its_undo_are_rows_of_the_ledger(book: FakeBook) -> None:
    trades = len(rows(book, "Trades"))
    press("record", book, formulas=True)
    first = entries(book)
    assert sum(one.kind in ("buy", "sell") for one in first) == trades
    assert {"opening", "snapshot"} <= {one.kind for one in first}
    assert agrees(book)
    press("undo", book, formulas=True)
    assert entries(book)[: len(first)] == first
    assert [one.kind for one in entries(book)[len(first) :]] == ["undo"]
    assert agrees(book)


@pytest.mark.slow
def test_a_quantity_changed_by_hand_is_asked_about(book: FakeBook) -> None:
    press("record", book, formulas=True)
    press("undo", book, formulas=True)
    place = found_in(book, tables_of(book))["Holdings"]
    values = book.sheets["Holdings"]
    row, column = place.header + 1, place.columns["Quantity"]
    values.put(row, column, values.values[row, column] + 7)
    press("propose", book, formulas=False)
    before = entries(book)
    press("record", book, formulas=True)
    assert "off the ledger" in book.alerts[-1]
    assert entries(book) == before
