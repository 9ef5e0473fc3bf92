"""The group Rebalance: propose trades, record them as done, take a button's changes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.errors import InputError, Problem
from engine.money import ZERO
from engine.record import Done, Exchanged, Held, cash_flows, held_after
from templates.reading.find import Found
from templates.report import Row
from xl_addin.commands import restore
from xl_addin.commands.edits import Edit, apply
from xl_addin.commands.progress import Progress
from xl_addin.commands.sheets import Tables, content, found_in, place_of, rows_in, tables_of, written

Book = Any
#: Results that no function computes: written as values everywhere.
WRITTEN = ("Reconcile", "Conversions")
#: Results of functions: written where Excel does not compute them itself.
COMPUTED = ("Trades", "Summary", "Limits", "Calendar", "Problems", "Prices")
_UNPROPOSED = "press Propose trades first, and look at the trades"


def propose(book: Book, progress: Progress, *, formulas: bool) -> str:
    """Compute the trades, the cash reconciliation and the checks."""
    progress.step("reading the workbook")
    tables = tables_of(book)
    progress.step("computing trades")
    count = write_results(book, tables, "propose", everything=not formulas)
    if formulas:
        book.app.api.CalculateFull()
    return "" if count else "Nothing is to be traded."


def write_results(book: Book, tables: Tables, what: str, *, everything: bool) -> int:
    """Write the plan's results, all or none; returns how many trades it has."""
    from xl_addin.bodies.plans import planned
    from xl_addin.output.plan_book import book_report

    made = planned(what, {}, tables)
    report = book_report(made.portfolio, made.plan, made.quotes, made.lang)
    places = found_in(tables)
    edits = [edit for name in WRITTEN for edit in written(place_of(places, name), report.rows(name))]
    if everything:
        for name in COMPUTED:
            if name in places:
                edits += written(places[name], report.rows(name), headers=True)
        rates = {row["Currency"]: row for row in report.rows("FxRates")}
        place = place_of(places, "FxRates")
        for number, row in rows_in(place):
            for name in ("MarketRate", "AsOf", "Source", "Status"):
                if row.get("Currency") in rates:
                    value = content(rates[row["Currency"]].get(name))
                    edits.append(Edit(place.grid.name, number, place.columns[name], ((value,),)))
    apply(book, edits, what)
    return len(made.plan.trades)


def record(book: Book, progress: Progress, *, formulas: bool, today: dt.date | None = None) -> str:  # noqa: ARG001
    """Put the proposed trades into Holdings, Cash, Rules and History, and the cash flow back to 0."""
    progress.step("reading the workbook")
    places = found_in(tables_of(book))
    done = [_done(row) for _, row in rows_in(place_of(places, "Trades"))]
    if not done:
        raise InputError([Problem("error", "no-trades", "Trades", f"there is nothing to record: {_UNPROPOSED}")])
    day = today or dt.datetime.now().astimezone().date()
    progress.step("recording")
    edits = [
        *_holdings(book, places, done),
        *_cash(places, done),
        *_rules(places, done, day),
        *_history(book, places, len(done), day),
    ]
    apply(book, edits, "record")
    return f"{len(done)} trades are recorded. Undo takes them back."


def undo(book: Book, progress: Progress, *, formulas: bool) -> str:  # noqa: ARG001
    """Put the sheets back as they were before the last button that changed them."""
    point = restore.last(book)
    progress.step(f"undoing {point.what}")
    point.put_back(book)
    restore.drop(book)
    return ""


def _done(row: Row) -> Done:
    quantity, amount, cost = row.get("Quantity"), row.get("Amount"), row.get("Cost", ZERO)
    side = row.get("Side")
    numbers = isinstance(quantity, Decimal) and isinstance(amount, Decimal) and isinstance(cost, Decimal)
    if not numbers or side not in ("buy", "sell"):
        problem = Problem("error", "bad-trade", f"Trades {row.get('Ticker')}", f"the row is not whole: {_UNPROPOSED}")
        raise InputError([problem])
    account, currency = str(row.get("Account") or ""), str(row.get("Currency") or "")
    return Done(account, str(row["Ticker"]), side, quantity, currency, amount, cost)  # type: ignore[arg-type]


def _holdings(book: Book, places: Mapping[str, Found], done: list[Done]) -> list[Edit]:
    """Return the edits of quantities and average costs; what is bought for the first time takes a free row."""
    place = place_of(places, "Holdings")
    rows = rows_in(place)
    at = {(str(row.get("Account") or ""), str(row.get("Ticker") or "")): number for number, row in rows}
    before = {
        (str(row.get("Account") or ""), str(row.get("Ticker") or "")): Held(
            _number(row.get("Quantity")) or ZERO, _number(row.get("AverageCost"))
        )
        for _, row in rows
    }
    after = held_after(before, done)
    fresh = [key for key in after if key not in at]
    free = _free_rows(book, place, "Ticker", len(fresh))
    edits = []
    for key, number in zip(fresh, free, strict=True):
        at[key] = number
        edits += _cells(place, number, {"Account": key[0], "Ticker": key[1]})
    for key, held in after.items():
        if held != before.get(key):
            edits += _cells(place, at[key], {"Quantity": held.quantity, "AverageCost": held.average_cost})
    return edits


def _cash(places: Mapping[str, Found], done: list[Done]) -> list[Edit]:
    """Return the edits of cash: what the reconciliation arrives at, if that is what the trades come to."""
    exchanged = [
        Exchanged(str(row.get("Account") or ""), str(row["Sell"]), _number(row.get("Amount")) or ZERO,
                  str(row["Buy"]), _number(row.get("Bought")) or ZERO)
        for _, row in rows_in(place_of(places, "Conversions"))
    ]  # fmt: skip
    flows = cash_flows(done, exchanged)
    lines = [row for _, row in rows_in(place_of(places, "Reconcile")) if row.get("Currency")]
    by_account = any(row.get("Account") for row in lines)
    after: dict[tuple[str, str], Decimal] = {}
    for row in lines:
        account, currency = str(row.get("Account") or ""), str(row["Currency"])
        start, end = _number(row.get("Before")) or ZERO, _number(row.get("PlanAfter")) or ZERO
        flow = sum((n for (a, c), n in flows.items() if c == currency and account in ("", a)), ZERO)
        if abs(start + flow - end) >= Decimal("0.005"):
            message = f"the trades in {currency} do not come to the cash that the plan says: {_UNPROPOSED}"
            raise InputError([Problem("error", "not-reconciled", "Reconcile", message)])
        if bool(account) == by_account:
            after[account, currency] = end
    place = place_of(places, "Cash")
    edits, missing = [], dict(after)
    for number, row in rows_in(place):
        key = (str(row.get("Account") or "") if by_account else "", str(row.get("Currency") or ""))
        # Without accounts of their own, several rows of one currency are one purse: the first takes it all.
        if key in after:
            edits += _cells(place, number, {"Amount": missing.pop(key, ZERO)})
    wanting = [f"{account} {currency}".strip() for (account, currency), amount in missing.items() if amount]
    if wanting:
        message = f"there is no row for {', '.join(wanting)}: add one with amount 0"
        raise InputError([Problem("error", "no-cash-row", "Cash", message)])
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
        for edit in _cells(place, number, {"LastRebalanced": day})
    ]
    settings = place_of(places, "Settings")
    for number, row in rows_in(settings):
        if row.get("Key") == "cash_flow":
            edits += _cells(settings, number, {"Value": 0})
    return edits


def _history(book: Book, places: Mapping[str, Found], count: int, day: dt.date) -> list[Edit]:
    """Return the edits of a new row of the history."""
    place = place_of(places, "History")
    figures = {str(row.get("Key")): row.get("Value") for _, row in rows_in(place_of(places, "Summary"))}
    settings = {str(row.get("Key")): row.get("Value") for _, row in rows_in(place_of(places, "Settings"))}
    (number,) = _free_rows(book, place, "Date", 1)
    row = {
        "Date": day,
        "Value": _number(figures.get("total_value")),
        "Flow": _number(settings.get("cash_flow")),
        "Drift": _number(figures.get("drift")),
        "Note": f"{count} trades recorded",
    }
    return _cells(place, number, {name: value for name, value in row.items() if value is not None})


def _cells(place: Found, number: int, values: Mapping[str, object]) -> list[Edit]:
    return [
        Edit(place.grid.name, number, place.columns[name], ((content(value),),))
        for name, value in values.items()
        if name in place.columns
    ]


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
        raise InputError([Problem("error", "no-room", name, message)])
    return free[:count]


def _number(value: object) -> Decimal | None:
    return value if isinstance(value, Decimal) else None
