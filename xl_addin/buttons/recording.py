"""The button Record as done: the proposed trades go into Holdings, Cash, Rules and History."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.errors import InputError, Problem
from engine.money import ZERO
from engine.record import Done, Held, held_after
from templates.cells import Row
from templates.read.tables import Found
from templates.spec.schema import Text
from xl_addin.buttons.cash import UNPROPOSED, cash_edits
from xl_addin.buttons.edits import Edit, apply
from xl_addin.buttons.places import found_in, place_of
from xl_addin.buttons.progress import READING, Progress
from xl_addin.buttons.sheets import decimal_of, emptied, language_of, row_edits, rows_in, tables_of
from xl_addin.functions.inputs import read_inputs

Book = Any


def record(book: Book, progress: Progress, *, formulas: bool, today: dt.date | None = None) -> Text:
    """Put the proposed trades into Holdings, Cash, Rules and History, and the cash flow back to 0."""
    progress.step(READING)
    tables = tables_of(book)
    places = found_in(book, tables)
    done = [_done(row) for _, row in rows_in(place_of(places, "Trades"))]
    if not done:
        text = f"there is nothing to record: {UNPROPOSED.en}"
        raise InputError([Problem("error", "no-trades", "Trades", text, f"기록할 매매가 없습니다: {UNPROPOSED.ko}")])
    portfolio = read_inputs("record", {}, tables).portfolio
    day = today or dt.datetime.now().astimezone().date()
    progress.step(Text("recording", "기록 중"))
    edits = [
        *_holdings(book, places, done),
        *cash_edits(places, done, portfolio),
        *_rules(places, done, day),
        *_history(book, places, len(done), day),
        *emptied(places, formulas=formulas),
    ]
    apply(book, edits, "record")
    return Text(
        f"{len(done)} trades are recorded. Undo takes them back.",
        f"매매 {len(done)}건을 기록했습니다. 되돌리기로 취소합니다.",
    )


def _done(row: Row) -> Done:
    quantity, amount, cost = row.get("Quantity"), row.get("Amount"), row.get("Cost", ZERO)
    side = row.get("Side")
    numbers = isinstance(quantity, Decimal) and isinstance(amount, Decimal) and isinstance(cost, Decimal)
    if not numbers or side not in ("buy", "sell"):
        text, ko = f"the row is not whole: {UNPROPOSED.en}", f"행이 온전하지 않습니다: {UNPROPOSED.ko}"
        raise InputError([Problem("error", "bad-trade", f"Trades {row.get('Ticker')}", text, ko)])
    account, currency = str(row.get("Account") or ""), str(row.get("Currency") or "")
    return Done(account, str(row["Ticker"]), side, quantity, currency, amount, cost)  # type: ignore[arg-type]


def _holdings(book: Book, places: Mapping[str, Found], done: list[Done]) -> list[Edit]:
    """Return the edits of quantities and average costs; what is bought for the first time takes a free row."""
    place = place_of(places, "Holdings")
    rows = rows_in(place)
    at = {(str(row.get("Account") or ""), str(row.get("Ticker") or "")): number for number, row in rows}
    before = {
        (str(row.get("Account") or ""), str(row.get("Ticker") or "")): Held(
            decimal_of(row.get("Quantity")) or ZERO, decimal_of(row.get("AverageCost"))
        )
        for _, row in rows
    }
    after = held_after(before, done)
    fresh = [key for key in after if key not in at]
    free = _free_rows(book, place, "Ticker", len(fresh))
    edits = []
    for key, number in zip(fresh, free, strict=True):
        at[key] = number
        edits += row_edits(place, number, {"Account": key[0], "Ticker": key[1]})
    for key, held in after.items():
        if held != before.get(key):
            edits += row_edits(place, at[key], {"Quantity": held.quantity, "AverageCost": held.average_cost})
    return edits


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
    (number,) = _free_rows(book, place, "Date", 1)
    row = {
        "Date": day,
        "Value": decimal_of(figures.get("total_value")),
        "Flow": decimal_of(settings.get("cash_flow")),
        "Drift": decimal_of(figures.get("drift")),
        "Note": Text(f"{count} trades recorded", f"매매 {count}건 기록").of(language_of(book)),
    }
    return row_edits(place, number, {name: value for name, value in row.items() if value is not None})


def _free_rows(book: Book, place: Found, key: str, count: int) -> list[int]:
    """Return the first free rows of an Excel table; raises InputError where there are too few."""
    if not count:
        return []
    name = place.table.name
    last = book.sheets[place.grid.name].tables[name].range.last_cell.row
    column = place.columns[key]
    free = [n for n in range(place.header + 1, last + 1) if column not in place.grid.rows.get(n, {})]
    if len(free) < count:
        message = f"{count} free rows are needed, {len(free)} are there: drag the corner of the table down"
        ko = f"빈 행 {count}개가 필요한데 {len(free)}개뿐입니다: 표의 모서리를 아래로 끌어 늘리세요"
        raise InputError([Problem("error", "no-room", name, message, ko)])
    return free[:count]
