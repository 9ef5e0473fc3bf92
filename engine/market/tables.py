"""The store's tables, and how records become rows and rows records; a row that cannot be read raises.

Money is text, so that it comes back to the last digit; moments are seconds since 1970, UTC.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from engine.market.records import Constituent, FundFacts, History
from engine.quote import Quote

#: Schema version; a file of another is set aside: everything in it can be fetched again.
VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS quotes(
    symbol TEXT, role TEXT, market TEXT, price TEXT, currency TEXT, as_of REAL, source TEXT, session TEXT,
    delay INTEGER, fetched_at REAL, name TEXT, PRIMARY KEY(symbol, role)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history(
    symbol TEXT PRIMARY KEY, first TEXT, last TEXT, fetched_at REAL, body TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts(symbol TEXT PRIMARY KEY, fetched_at REAL, body TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unknown(symbol TEXT, source TEXT, at REAL, PRIMARY KEY(symbol, source)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS breakers(source TEXT PRIMARY KEY, until REAL, step INTEGER, error TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watch(symbol TEXT PRIMARY KEY, at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listings(
    symbol TEXT PRIMARY KEY, name TEXT, folded TEXT, exchange TEXT, at REAL) WITHOUT ROWID;
"""
TABLES = ("quotes", "history", "facts", "unknown", "breakers", "watch", "listings")


def quote_of(row: tuple[Any, ...]) -> tuple[str, Quote]:
    """Return the market and the quote of a row of `quotes` (without its role)."""
    symbol, market, price, currency, as_of, source, session, delay, at, name = row
    traded, fetched = _moment(as_of), _moment(at)
    return market, Quote(symbol, Decimal(price), currency, traded, source, session, delay, fetched, None, name)


def history_of(row: tuple[Any, ...]) -> tuple[dt.date, dt.date, History]:
    """Return the first and last date asked for, and the history, of a row of `history`."""
    symbol, first, last, at, text = row
    body = json.loads(text)
    total = body["total_return"]
    found = History(
        symbol,
        body["currency"],
        body["source"],
        moment(at),
        tuple(dt.date.fromisoformat(day) for day in body["dates"]),
        tuple(Decimal(close) for close in body["closes"]),
        None if total is None else tuple(total),
    )
    return dt.date.fromisoformat(first), dt.date.fromisoformat(last), found


def facts_of(row: tuple[Any, ...]) -> FundFacts:
    """Return the facts of a row of `facts`."""
    symbol, at, text = row
    body: dict[str, Any] = json.loads(text)
    for key in ("fee", "aum", "dividend_yield", "market_cap"):
        body[key] = None if body[key] is None else Decimal(body[key])
    body["top"] = tuple(Constituent(s, n, None if w is None else Decimal(w)) for s, n, w in body["top"])
    body["sectors"] = {key: Decimal(weight) for key, weight in body["sectors"].items()}
    body["as_of"] = None if body["as_of"] is None else dt.date.fromisoformat(body["as_of"])
    return FundFacts(symbol=symbol, fetched_at=moment(at), **body)


def quote_row(q: Quote, market: str, role: str) -> tuple[Any, ...]:
    """Return a quote as a row of `quotes`."""
    money = (str(q.price), q.currency)
    return (
        q.symbol,
        role,
        market,
        *money,
        stamp(q.as_of),
        q.source,
        q.session,
        q.delay_seconds,
        stamp(q.fetched_at),
        q.name,
    )


def history_row(found: History, first: dt.date, last: dt.date) -> tuple[Any, ...]:
    """Return a history as a row of `history`."""
    body = {
        "currency": found.currency,
        "source": found.source,
        "dates": [day.isoformat() for day in found.dates],
        "closes": [str(close) for close in found.closes],
        "total_return": found.total_return,
    }
    return (found.symbol, first.isoformat(), last.isoformat(), stamp(found.fetched_at), json.dumps(body))


def facts_row(found: FundFacts) -> tuple[Any, ...]:
    """Return facts as a row of `facts`."""
    body = {
        "source": found.source,
        "name": found.name,
        "currency": found.currency,
        "fee": _text(found.fee),
        "aum": _text(found.aum),
        "holdings_count": found.holdings_count,
        "top": [(one.symbol, one.name, _text(one.weight)) for one in found.top],
        "sectors": {key: str(weight) for key, weight in found.sectors.items()},
        "dividend_yield": _text(found.dividend_yield),
        "sector": found.sector,
        "market_cap": _text(found.market_cap),
        "as_of": _text(found.as_of),
    }
    return (found.symbol, stamp(found.fetched_at), json.dumps(body, ensure_ascii=False))


def stamp(at: dt.datetime | None) -> float | None:
    """Return a moment as seconds since 1970, as the tables keep it."""
    return None if at is None else at.timestamp()


def moment(seconds: float) -> dt.datetime:
    """Return the moment that the tables keep as seconds since 1970."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else moment(seconds)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
