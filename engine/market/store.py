"""What was fetched, kept on disk: quotes, history, facts, unknown symbols, breakers, the watch list, lists of ETFs.

Rows outlive their freshness: serving a stale price is a SELECT. What becomes of a file that is corrupt or locked is
said in `engine.market.database`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.market import tables
from engine.market.database import Database
from engine.market.listing import Listing
from engine.market.records import FundFacts, History
from engine.quote import Quote
from engine.settings import MarketSettings
from engine.text import fold

FILE = "market.sqlite3"


def folder(settings: MarketSettings) -> Path:
    """Return where market data is kept: the setting's folder, else the platform's cache folder."""
    if settings.cache_dir:
        return Path(settings.cache_dir)
    import platformdirs

    return Path(platformdirs.user_cache_dir("rebalancer", appauthor=False))


@dataclass(frozen=True, slots=True)
class Breaker:
    """Hold why a source is not asked until a moment; `step` counts the refusals in a row."""

    source: str
    until: dt.datetime
    step: int
    error: str


class Store(Database):
    """Keep market data. Every method is safe from several threads; none raises for the state of the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._quotes: dict[str, tuple[object, dict[str, tuple[str, Quote]]]] = {}
        self._listings: dict[str, Listing] | None = None

    # --- quotes ---------------------------------------------------------------------------------------------------
    def quotes(self, role: str = "price") -> dict[str, tuple[str, Quote]]:
        """Return every stored quote with its market, by symbol; `role` is price or check (the second source's)."""
        sql = (
            "SELECT symbol, market, price, currency, as_of, source, session, delay, fetched_at, name FROM quotes"
            " WHERE role = ?"
        )
        with self._lock:
            state = self._state()
            known = self._quotes.get(role)
            if known is None or known[0] != state:
                rows = {quote.symbol: (market, quote) for market, quote in self._read(sql, role, parse=tables.quote_of)}
                known = self._quotes[role] = (state, rows)
            return dict(known[1])

    def put_quotes(self, quotes: Iterable[tuple[str, Quote]], role: str = "price") -> None:
        """Keep quotes with their markets; what makes one stale is judged anew at every look, so it is not kept."""
        self._write(
            "INSERT OR REPLACE INTO quotes VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [tables.quote_row(quote, market, role) for market, quote in quotes],
        )

    # --- history and facts ----------------------------------------------------------------------------------------
    def history(self, symbol: str) -> tuple[dt.date, dt.date, History] | None:
        """Return the stored history of a symbol with the first and last date that was asked for."""
        sql = "SELECT symbol, first, last, fetched_at, body FROM history WHERE symbol = ?"
        return next(iter(self._read(sql, symbol, parse=tables.history_of)), None)

    def put_history(self, found: History, first: dt.date, last: dt.date) -> None:
        """Keep a history, asked for from `first` to `last`, in place of an earlier one."""
        self._write("INSERT OR REPLACE INTO history VALUES(?, ?, ?, ?, ?)", [tables.history_row(found, first, last)])

    def facts(self, symbol: str) -> FundFacts | None:
        """Return the stored facts of a symbol."""
        sql = "SELECT symbol, fetched_at, body FROM facts WHERE symbol = ?"
        return next(iter(self._read(sql, symbol, parse=tables.facts_of)), None)

    def put_facts(self, found: FundFacts) -> None:
        """Keep the facts of a symbol."""
        self._write("INSERT OR REPLACE INTO facts VALUES(?, ?, ?)", [tables.facts_row(found)])

    # --- symbols --------------------------------------------------------------------------------------------------
    def unknown(self, since: dt.datetime) -> set[tuple[str, str]]:
        """Return the (symbol, source) pairs that were unknown at or after a moment."""
        return set(self._read("SELECT symbol, source FROM unknown WHERE at >= ?", since.timestamp()))

    def put_unknown(self, pairs: Iterable[tuple[str, str]], at: dt.datetime) -> None:
        """Remember symbols that a source does not know."""
        rows = [(symbol, source, at.timestamp()) for symbol, source in pairs]
        self._write("INSERT OR REPLACE INTO unknown VALUES(?, ?, ?)", rows)

    def watched(self, since: dt.datetime) -> list[str]:
        """Return the symbols that were asked for at or after a moment."""
        return [symbol for (symbol,) in self._read("SELECT symbol FROM watch WHERE at >= ?", since.timestamp())]

    def watch(self, symbols: Iterable[str], at: dt.datetime) -> None:
        """Put symbols on the watch list."""
        self._write("INSERT OR REPLACE INTO watch VALUES(?, ?)", [(symbol, at.timestamp()) for symbol in symbols])

    def listed(self, text: str) -> Listing | None:
        """Return a Korean listing from a source's list, by its code or folded name; the list is read once."""
        with self._lock:
            if self._listings is None:
                rows = self._read("SELECT symbol, name, folded, exchange FROM listings")
                found = [
                    (Listing(symbol, "KR", "KRW", name, exchange), folded) for symbol, name, folded, exchange in rows
                ]
                self._listings = {key: one for one, folded in found for key in (folded, one.symbol)}
            return self._listings.get(text) or self._listings.get(fold(text))

    def listings_age(self, now: dt.datetime) -> float | None:
        """Return how many seconds ago the list was fetched, None where there is none."""
        for (at,) in self._read("SELECT max(at) FROM listings"):
            return None if at is None else now.timestamp() - at
        return None

    def put_listings(self, listings: Iterable[Listing], at: dt.datetime) -> None:
        """Keep a source's list."""
        rows = [(one.symbol, one.name, fold(one.name), one.exchange, at.timestamp()) for one in listings]
        self._write("INSERT OR REPLACE INTO listings VALUES(?, ?, ?, ?, ?)", rows)
        self._listings = None

    # --- breakers -------------------------------------------------------------------------------------------------
    def breakers(self) -> dict[str, Breaker]:
        """Return every breaker, open or run out, by source."""
        rows = self._read("SELECT source, until, step, error FROM breakers", parse=_breaker)
        return {breaker.source: breaker for breaker in rows}

    def put_breaker(self, breaker: Breaker) -> None:
        """Keep a breaker."""
        row = (breaker.source, breaker.until.timestamp(), breaker.step, breaker.error)
        self._write("INSERT OR REPLACE INTO breakers VALUES(?, ?, ?, ?)", [row])

    def close_breaker(self, source: str) -> None:
        """Forget a source's breaker: it has answered."""
        self._write("DELETE FROM breakers WHERE source = ?", [(source,)])

    # --- the whole ------------------------------------------------------------------------------------------------
    def counts(self) -> dict[str, int]:
        """Return how many rows each table holds."""
        return {
            table: count
            for table in tables.TABLES
            for (count,) in self._read(f"SELECT count(*) FROM {table}")  # noqa: S608
        }

    def clear(self) -> None:
        """Forget everything, also which sources refused us: they are asked again."""
        for table in tables.TABLES:
            self._write(f"DELETE FROM {table} WHERE 1 = ?", [(1,)])  # noqa: S608
        self._listings = None

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            super().close()
            self._quotes = {}


def _breaker(row: tuple[Any, ...]) -> Breaker:
    source, until, step, error = row
    return Breaker(source, tables.moment(until), step, error)
