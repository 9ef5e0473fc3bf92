"""What has changed since the last plan that was kept: beside the portfolio's file, or in the workbook itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from engine.errors import InputError
from engine.money import ZERO, to_unit
from engine.phrase import Phrase, phrase
from engine.plan import Plan
from rebalancer.storing import fingerprint, plan_file, read_plan

#: Orders by account, symbol and side: how many shares.
Orders = Mapping[tuple[str, str, str], Decimal]


@dataclass(frozen=True, slots=True)
class EarlierPlan:
    """What is remembered of a plan; `made_from` is the print of its holdings, "" where it is not known."""

    as_of: dt.date
    base_currency: str
    total_value: Decimal
    drift: Decimal
    orders: Orders
    made_from: str = ""


def earlier_plan(source: Path) -> EarlierPlan | None:
    """Return the plan kept beside a portfolio's file, else the one in it where it is a workbook; None without any.

    A file that is no stored plan is none: nothing is stopped by it.
    """
    kept = plan_file(source)
    if kept.is_file():
        try:
            stored = read_plan(kept)
        except InputError:
            return None
        orders: Orders = {(one.account, one.symbol, one.side): one.quantity for one in stored.trades}
        return EarlierPlan(
            stored.as_of, stored.base_currency, stored.total_value, stored.drift, orders, stored.made_from
        )
    from rebalancer.loading import is_workbook

    return _in_workbook(source) if is_workbook(source) else None


def _in_workbook(source: Path) -> EarlierPlan | None:
    from templates.read.book import read_book

    book = read_book(source).report()
    if book is None or book.as_of is None:
        return None
    figures = {str(row.get("Key")): row.get("Value") for row in book.rows("Summary")}
    value, drift = figures.get("total_value"), figures.get("drift")
    if not isinstance(value, Decimal) or not isinstance(drift, Decimal):
        return None
    orders = {}
    for row in book.rows("Trades"):
        quantity = row.get("Quantity")
        if isinstance(quantity, Decimal):
            orders[str(row.get("Account") or ""), str(row.get("Ticker")), str(row.get("Side"))] = quantity
    return EarlierPlan(book.as_of, book.portfolio.base_currency, value, drift, orders)


def changes_since(before: EarlierPlan, made: Plan) -> tuple[Phrase, ...]:
    """Return what differs from an earlier plan: value, drift, and orders that are new, gone or of another size.

    Where holdings have changed since, its orders may have been done: they are not compared.
    """
    told = list(_figures(before, made))
    if before.made_from and before.made_from != fingerprint(made.portfolio):
        return (*told, phrase("since.holdings"))
    now = {(one.account, one.symbol, one.side): one.quantity for one in made.trades}
    new = [symbol for account, symbol, side in now if (account, symbol, side) not in before.orders]
    gone = [symbol for account, symbol, side in before.orders if (account, symbol, side) not in now]
    other = [key[1] for key, quantity in now.items() if key in before.orders and before.orders[key] != quantity]
    for key, symbols in (("new", new), ("gone", gone), ("other", other)):
        if symbols:
            told.append(phrase(f"since.{key}", symbols=symbols))
    if not (new or gone or other):
        told.append(phrase("since.same-orders" if now else "since.no-orders"))
    return tuple(told)


def _figures(before: EarlierPlan, made: Plan) -> Iterator[Phrase]:
    base = made.base_currency
    day = {"day": before.as_of}
    if before.base_currency == base and before.total_value > ZERO:
        change = to_unit(made.total_value - before.total_value, base)
        share = made.total_value / before.total_value - 1
        yield phrase("since.value", change=change, currency=base, share=share, **day)
    yield phrase("since.drift", before=before.drift, after=made.drift, **day)
