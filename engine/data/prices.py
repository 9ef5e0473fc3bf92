"""Prices from a person's CSV file: symbol, price, currency, as_of; pairs such as USDKRW are exchange rates.

Nothing is guessed: a currency comes from the file, the catalogue or the shape of the code, or its lack is a problem.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from engine.data.fields import Fields, Report, Where, in_rows
from engine.data.files import csv_table
from engine.errors import Problem
from engine.market import catalogue
from engine.money import ZERO
from engine.quote import Quote
from engine.text import plain_number

COLUMNS = ("symbol", "price", "currency", "as_of")
#: When a market's regular session ends, by its own clock: a date without a time means this moment.
CLOSES = {
    "KR": (dt.time(15, 30), "Asia/Seoul"),
    "US": (dt.time(16, 0), "America/New_York"),
}


@dataclass(frozen=True, slots=True)
class _Named:
    """What a row's symbol means: its market (None: a pair, or not known), the currency it has to be in, its name."""

    symbol: str
    market: str | None
    currency: str | None = None
    name: str = ""


def parse_prices(text: str | bytes, source: Where) -> tuple[dict[str, Quote], tuple[Problem, ...]]:
    """Return the quote of each symbol (and pair), and every problem with its row and column.

    Rows count from 1, the header included, as a spreadsheet shows them. A row with an error gives no quote.
    """
    report = Report(source, in_rows(source))
    table = csv_table(text, report, COLUMNS, ("symbol", "price"))
    dated = "as_of" in table.columns
    if table.columns and not dated:
        report.warning((1, "as_of"), "no-date.column")
    quotes: dict[str, Quote] = {}
    seen: dict[str, int] = {}
    for number, row in table.rows:
        before = len(report.problems)
        quote = _quote(row, dated=dated)
        if quote is None or any(problem.severity == "error" for problem in report.problems[before:]):
            continue
        other = quotes.get(quote.symbol)
        if other is not None and (other.price, other.currency) != (quote.price, quote.currency):
            here, there = (f"{plain_number(one.price)} {one.currency}" for one in (quote, other))
            row.error("price", "conflict.rows", symbol=quote.symbol, here=here, there=there, row=seen[quote.symbol])
            continue
        quotes[quote.symbol] = quote
        seen[quote.symbol] = number
    return quotes, tuple(report.problems)


def _quote(row: Fields, *, dated: bool) -> Quote | None:
    named = _named(row)
    price = row.number("price", ZERO, above=True)
    if named is None:
        return None
    currency = _currency(row, named)
    as_of = _as_of(row, named.market, dated=dated)
    if price is None or currency is None:
        return None
    return Quote(named.symbol, price, currency, as_of, "csv", name=named.name)


def _named(row: Fields) -> _Named | None:
    text = row.text("symbol")
    if not text:
        row.missing("symbol", "symbol")
        return None
    found = catalogue.load().find(text)
    if found:
        return _Named(found.symbol, found.market, found.currency, found.name)
    pair = catalogue.pair(text.upper())
    if pair:
        return _Named(text.upper(), None, pair[1])
    padded, inner = catalogue.lost_zeros(text), catalogue.undecorated(text)
    symbol = catalogue.canonical(text)
    if padded and row.text("currency").upper() in {"", "KRW"}:
        row.error("symbol", "lost-zeros.price", value=text, code=padded)
        return None
    if inner and catalogue.shape(symbol) is None:
        row.error("symbol", "unknown-ticker.vendor", value=text, code=inner)
        return None
    return _Named(symbol, catalogue.shape(symbol))


def _currency(row: Fields, named: _Named) -> str | None:
    given = row.currency("currency")
    if given is None and row.given("currency"):
        return None
    if given and named.currency and given != named.currency:
        row.error("currency", "conflict.currency", symbol=named.symbol, currency=named.currency, given=given)
        return None
    found = given or named.currency or catalogue.currency_of_market(catalogue.shape(named.symbol))
    if not found:
        row.error("currency", "missing.currency", symbol=named.symbol)
    return found


def _as_of(row: Fields, market: str | None, *, dated: bool) -> dt.datetime | None:
    if dated and not row.given("as_of"):
        row.report.warning(row.at("as_of"), "no-date")
    moment = row.moment("as_of")
    if moment is None:
        return None
    close, zone = CLOSES.get(market or "", (dt.time(0), None))
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime.combine(moment, close)
    return moment if moment.tzinfo else moment.replace(tzinfo=zoneinfo.ZoneInfo(zone) if zone else dt.UTC)
