"""The Ledger sheet of an open workbook: what a recording adds to it, and what takes one back. Rows are only added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from engine.errors import InputError
from engine.ledger.account import booked, difference_problems, differences
from engine.ledger.entries import LedgerEntry, standing
from engine.portfolio import Portfolio
from engine.record import Done, Exchanged
from rebalancer.ledgers import Ledger, done_entries, new_id, opening, snapshot, undoing
from rebalancer.storing import StoredPlan, StoredTrade
from templates.ledger import ledger_in, ledger_rows, monthly
from templates.read.tables import Found
from templates.spec.vocabulary import spoken
from xl_addin.buttons.book import Book, content, decimal_of, place_of, rows_in
from xl_addin.buttons.edits import Edit, columns_of
from xl_addin.functions.inputs import language_of_titles


def recorded(
    book: Book,
    places: Mapping[str, Found],
    portfolio: Portfolio,
    done: Sequence[tuple[Done, Decimal]],
    exchanged: Sequence[Exchanged],
    before: Mapping[tuple[str, str], Decimal],
    day: dt.date,
) -> list[Edit]:
    """Return the edits that add trades (with their prices) and what came with them to the ledger.

    The first recording begins it with what is held; a month's first also keeps what is held and its prices. `before`
    is the cash that the trades start from, by account and currency. Nothing where the workbook has no such sheet.
    Raises InputError where rows cannot be used, or Holdings and Cash are not what the ledger comes to.
    """
    place = places.get("Ledger")
    if place is None:
        return []
    there = _entries(place, book)
    found: tuple[LedgerEntry, ...] = ()
    if not there:
        found = opening(portfolio, day)
    elif off := differences(booked(standing(there), portfolio.base_currency), portfolio):
        raise InputError(difference_problems(off, str(book.name)))
    rates, prices = _rates(places), _prices(places)
    found += monthly(snapshot(portfolio, prices, rates, day, new_id()), there)
    purses: dict[str, dict[str, Decimal]] = {}
    for (account, currency), amount in before.items():
        purses.setdefault(account, {})[currency] = amount
    trades = [
        StoredTrade(one.account, one.symbol, one.side, one.quantity, price, one.currency, one.amount, one.cost)
        for one, price in done
    ]
    plan = StoredPlan("", "", day, tuple(trades), tuple(exchanged), purses, {}, prices, rates)
    found += done_entries(portfolio, plan, trades, day, new_id())
    return added(book, place, found)


def taken_back(book: Book, place: Found, day: dt.date) -> list[Edit]:
    """Return the edits that add the entry which takes the last recording back; none where there is none."""
    return added(book, place, undoing(Ledger(Path("Ledger"), _entries(place, book)), day))


def added(book: Book, place: Found, entries: Sequence[LedgerEntry]) -> list[Edit]:
    """Return the edits that write entries below the last row; the Excel table reaches them."""
    rows = ledger_rows(entries)
    if not rows:
        return []
    lang = language_of_titles((place.grid.name,))
    first = max(place.numbers(), default=place.header) + 1
    columns = [column for column in place.table.columns if column.name in place.columns]
    at = [place.columns[column.name] for column in columns]
    _reach(book, place, first + len(rows) - 1)
    cells = [[content(spoken(c.vocabulary(row), row[c.name], lang)) for c in columns] for row in rows]
    return columns_of(cells, at, place.grid.name, first)


def _reach(book: Book, place: Found, last: int) -> None:
    """Let the Excel table reach a row, where the host can do that; its rows are read without it too."""
    sheet = book.sheets[place.grid.name]
    try:
        table = sheet.tables[place.table.name]
    except Exception:  # noqa: BLE001 - a person may have thrown the table away; every host says so in its own way
        return
    if not hasattr(table, "resize"):
        return
    area = table.range
    if last > area.last_cell.row:
        table.resize(sheet.range((area.row, area.column), (last, area.last_cell.column)))


def _entries(place: Found, book: Book) -> tuple[LedgerEntry, ...]:
    found = ledger_in(place, str(book.name))
    if any(problem.severity == "error" for problem in found.problems):
        raise InputError(found.problems)
    return found.entries


def _prices(places: Mapping[str, Found]) -> dict[str, tuple[Decimal, str]]:
    rows = [row for _, row in rows_in(place_of(places, "Prices"))]
    known = {str(row["Ticker"]): (decimal_of(row.get("Price")), str(row.get("Currency") or "")) for row in rows}
    return {symbol: (price, currency) for symbol, (price, currency) in known.items() if price and currency}


def _rates(places: Mapping[str, Found]) -> dict[str, Decimal]:
    """Return base currency per unit of each other currency: that used, as the sheet computed it."""
    found = {}
    for _, row in rows_in(place_of(places, "FxRates")):
        rate = decimal_of(row.get("Rate")) or decimal_of(row.get("MarketRate"))
        if row.get("Currency") and rate:
            found[str(row["Currency"])] = rate
    return found
