"""The group Rebalance: propose trades, record them as done, take a button's changes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.errors import InputError, Problem
from engine.money import ZERO
from engine.record import Done, Exchanged, Held, cash_flows, held_after
from templates.reading.find import Found
from templates.report import Row
from templates.schema import Text
from xl_addin.commands import restore
from xl_addin.commands.analysing import unlabelled
from xl_addin.commands.edits import Edit, apply
from xl_addin.commands.progress import READING, Progress
from xl_addin.commands.sheets import (
    Tables,
    content,
    found_in,
    language_of,
    place_of,
    rows_in,
    tables_of,
    written,
)

Book = Any
#: Results that no function computes: written as values everywhere.
WRITTEN = ("Reconcile", "Conversions")
#: Results of functions: written where Excel does not compute them itself.
COMPUTED = ("Trades", "Drift", "Summary", "Limits", "Calendar", "Problems", "Prices")
_UNPROPOSED = Text("press Propose trades first, and look at the trades", "먼저 [매매 제안]을 누르고 매매를 확인하세요")


def propose(book: Book, progress: Progress, *, formulas: bool) -> Text | None:
    """Compute the trades, the cash reconciliation and the checks."""
    progress.step(READING)
    tables = tables_of(book)
    progress.step(Text("computing trades", "매매 계산 중"))
    count = write_results(book, tables, "propose", everything=not formulas)
    if formulas:
        book.app.api.CalculateFull()
    return None if count else Text("Nothing is to be traded.", "매매할 것이 없습니다.")


def write_results(book: Book, tables: Tables, what: str, *, everything: bool) -> int:
    """Write the plan's results, all or none; returns how many trades it has."""
    from xl_addin.bodies.plans import drift_rows, planned
    from xl_addin.output.plan_book import book_report

    made = planned(what, {}, tables)
    report = book_report(made.portfolio, made.plan, made.quotes, made.lang)
    report = replace(report, results={**report.results, "Drift": drift_rows(made.plan)})
    places = found_in(tables)
    edits = [edit for name in WRITTEN for edit in written(place_of(places, name), report.rows(name))]
    if not everything:
        edits += unlabelled(places, made.lang)
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


def record(book: Book, progress: Progress, *, formulas: bool, today: dt.date | None = None) -> Text:  # noqa: ARG001
    """Put the proposed trades into Holdings, Cash, Rules and History, and the cash flow back to 0."""
    progress.step(READING)
    places = found_in(tables_of(book))
    done = [_done(row) for _, row in rows_in(place_of(places, "Trades"))]
    if not done:
        text = f"there is nothing to record: {_UNPROPOSED.en}"
        raise InputError([Problem("error", "no-trades", "Trades", text, f"기록할 매매가 없습니다: {_UNPROPOSED.ko}")])
    day = today or dt.datetime.now().astimezone().date()
    progress.step(Text("recording", "기록 중"))
    edits = [
        *_holdings(book, places, done),
        *_cash(places, done),
        *_rules(places, done, day),
        *_history(book, places, len(done), day),
    ]
    apply(book, edits, "record")
    return Text(
        f"{len(done)} trades are recorded. Undo takes them back.",
        f"매매 {len(done)}건을 기록했습니다. 되돌리기로 취소합니다.",
    )


def undo(book: Book, progress: Progress, *, formulas: bool) -> Text | None:  # noqa: ARG001
    """Put the sheets back as they were before the last button that changed them."""
    point = restore.last(book)
    progress.step(Text(f"undoing {point.what}", f"되돌리는 중: {point.what}"))
    point.put_back(book)
    restore.drop(book)
    return None


def _done(row: Row) -> Done:
    quantity, amount, cost = row.get("Quantity"), row.get("Amount"), row.get("Cost", ZERO)
    side = row.get("Side")
    numbers = isinstance(quantity, Decimal) and isinstance(amount, Decimal) and isinstance(cost, Decimal)
    if not numbers or side not in ("buy", "sell"):
        text, ko = f"the row is not whole: {_UNPROPOSED.en}", f"행이 온전하지 않습니다: {_UNPROPOSED.ko}"
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
            message = f"the trades in {currency} do not come to the cash that the plan says: {_UNPROPOSED.en}"
            ko = f"{currency} 매매가 계획의 현금과 맞지 않습니다: {_UNPROPOSED.ko}"
            raise InputError([Problem("error", "not-reconciled", "Reconcile", message, ko)])
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
        ko = f"{', '.join(wanting)} 행이 없습니다: 금액 0으로 추가하세요"
        raise InputError([Problem("error", "no-cash-row", "Cash", message, ko)])
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
        "Note": Text(f"{count} trades recorded", f"매매 {count}건 기록").of(language_of(book)),
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
        ko = f"빈 행 {count}개가 필요한데 {len(free)}개뿐입니다: 표의 모서리를 아래로 끌어 늘리세요"
        raise InputError([Problem("error", "no-room", name, message, ko)])
    return free[:count]


def _number(value: object) -> Decimal | None:
    return value if isinstance(value, Decimal) else None
