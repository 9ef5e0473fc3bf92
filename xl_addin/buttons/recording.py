"""The button Record as done: the proposed trades go into Holdings, Cash, Rules, History and the Ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.errors import InputError, error
from engine.money import ZERO
from engine.phrase import phrase
from engine.portfolio import Portfolio
from engine.record import Done, Exchanged, Held, held_after
from engine.words import say
from rebalancer.clock import today
from rebalancer.recording import Purses, settled_cash
from templates.cells import Row
from templates.read.tables import Found
from xl_addin.buttons import Lines, Progress
from xl_addin.buttons.book import (
    Book,
    decimal_of,
    emptied,
    found_in,
    free_rows,
    language_of,
    place_of,
    row_edits,
    rows_in,
    tables_of,
)
from xl_addin.buttons.edits import Edit, apply
from xl_addin.buttons.ledger import recorded
from xl_addin.functions.inputs import read_inputs


def record(book: Book, progress: Progress, *, formulas: bool, day: dt.date | None = None) -> Lines:
    """Put the proposed trades into Holdings, Cash, Rules, History and the Ledger, and the cash flow back to 0."""
    progress.step("reading")
    tables = tables_of(book)
    places = found_in(book, tables)
    proposed = [row for _, row in rows_in(place_of(places, "Trades"))]
    done = [_done(row) for row in proposed]
    if not done:
        raise InputError([error("no-trades", "Trades")])
    portfolio = read_inputs("record", {}, tables).portfolio
    day = day or today()
    progress.step("recording")
    edits = [
        *_holdings(book, places, done),
        *_cash(places, done, portfolio),
        *_rules(places, done, day),
        *_history(book, places, len(done), day),
        *recorded(
            book, places, portfolio, _priced(proposed, done), _exchanged(places), _purses(_lines(places), "Before"), day
        ),
        *emptied(places, formulas=formulas),
    ]
    apply(book, edits, "record")
    return [phrase("button.recorded", number=len(done))]


def _text(row: Row, column: str) -> str:
    return str(row.get(column) or "")


def _done(row: Row) -> Done:
    quantity, amount, cost = row.get("Quantity"), row.get("Amount"), row.get("Cost", ZERO)
    side = row.get("Side")
    numbers = isinstance(quantity, Decimal) and isinstance(amount, Decimal) and isinstance(cost, Decimal)
    if not numbers or side not in ("buy", "sell"):
        raise InputError([error("bad-trade", f"Trades {row.get('Ticker')}")])
    return Done(_text(row, "Account"), str(row["Ticker"]), side, quantity, _text(row, "Currency"), amount, cost)  # type: ignore[arg-type]


def _holdings(book: Book, places: Mapping[str, Found], done: list[Done]) -> list[Edit]:
    """Return the edits of quantities and average costs; what is bought for the first time takes a free row."""
    place = place_of(places, "Holdings")
    rows = rows_in(place)
    at = {(_text(row, "Account"), _text(row, "Ticker")): number for number, row in rows}
    before = {
        (_text(row, "Account"), _text(row, "Ticker")): Held(
            decimal_of(row.get("Quantity")) or ZERO, decimal_of(row.get("AverageCost"))
        )
        for _, row in rows
    }
    after = held_after(before, done)
    fresh = [key for key in after if key not in at]
    free = free_rows(book, place, "Ticker", len(fresh))
    edits = []
    for key, number in zip(fresh, free, strict=True):
        at[key] = number
        edits += row_edits(place, number, {"Account": key[0], "Ticker": key[1]})
    for key, held in after.items():
        if held != before.get(key):
            edits += row_edits(place, at[key], {"Quantity": held.quantity, "AverageCost": held.average_cost})
    return edits


def _cash(places: Mapping[str, Found], done: list[Done], portfolio: Portfolio) -> list[Edit]:
    """Return the edits of cash: what the reconciliation arrives at."""
    lines = _lines(places)
    after = settled_cash(portfolio, done, _exchanged(places), _purses(lines, "Before"), _purses(lines, "PlanAfter"))
    place, by_account = place_of(places, "Cash"), any(account for account, _ in after)
    edits, missing = [], dict(after)
    for number, row in rows_in(place):
        key = (_text(row, "Account") if by_account else "", _text(row, "Currency"))
        # Without accounts of their own, several rows of one currency are one purse: the first takes it all.
        if key in after:
            edits += row_edits(place, number, {"Amount": missing.pop(key, ZERO)})
    wanting = [f"{account} {currency}".strip() for (account, currency), amount in missing.items() if amount]
    if wanting:
        raise InputError([error("no-cash-row", "Cash", names=wanting)])
    return edits


def _lines(places: Mapping[str, Found]) -> list[Row]:
    return [row for _, row in rows_in(place_of(places, "Reconcile")) if row.get("Currency")]


def _exchanged(places: Mapping[str, Found]) -> list[Exchanged]:
    return [
        Exchanged(
            _text(row, "Account"),
            str(row["Sell"]),
            decimal_of(row.get("Amount")) or ZERO,
            str(row["Buy"]),
            decimal_of(row.get("Bought")) or ZERO,
        )
        for _, row in rows_in(place_of(places, "Conversions"))
    ]


def _priced(rows: Iterable[Row], done: Iterable[Done]) -> list[tuple[Done, Decimal]]:
    """Return the trades with the price that each was proposed at, else what its amount comes to a share."""
    return [
        (one, decimal_of(row.get("Price")) or one.amount / one.quantity) for row, one in zip(rows, done, strict=True)
    ]


def _purses(lines: Iterable[Row], column: str) -> Purses:
    return {(_text(row, "Account"), str(row["Currency"])): decimal_of(row.get(column)) or ZERO for row in lines}


def _rules(places: Mapping[str, Found], done: list[Done], day: dt.date) -> list[Edit]:
    """Return the edits of the day on which each traded section was rebalanced, and of the cash flow, now used."""
    traded = {order.symbol for order in done}
    sections = {row.get("Section") for _, row in rows_in(place_of(places, "Targets")) if row.get("Ticker") in traded}
    place = place_of(places, "Rules")
    edits = [
        edit
        for number, row in rows_in(place)
        if row.get("Section") in sections
        for edit in row_edits(place, number, {"LastRebalanced": day})
    ]
    settings = place_of(places, "Settings")
    for number, row in rows_in(settings):
        if row.get("Key") == "cash_flow":
            edits += row_edits(settings, number, {"Value": 0})
    return edits


def _history(book: Book, places: Mapping[str, Found], count: int, day: dt.date) -> list[Edit]:
    """Return the edits of a new row of the history."""
    place = place_of(places, "History")
    figures = {str(row.get("Key")): row.get("Value") for _, row in rows_in(place_of(places, "Summary"))}
    settings = {str(row.get("Key")): row.get("Value") for _, row in rows_in(place_of(places, "Settings"))}
    (number,) = free_rows(book, place, "Date", 1)
    row = {
        "Date": day,
        "Value": decimal_of(figures.get("total_value")),
        "Flow": decimal_of(settings.get("cash_flow")),
        "Drift": decimal_of(figures.get("drift")),
        "Note": say("button.history-note", language_of(book), number=count),
    }
    return row_edits(place, number, {name: value for name, value in row.items() if value is not None})
