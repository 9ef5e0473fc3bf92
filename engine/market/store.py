"""What was fetched, kept in one sqlite file: quotes, history, facts, unknown symbols, breakers, the watch list, ETFs.

Rows outlive their freshness: serving a stale price is a SELECT. Money is text, so that it comes back to the last digit;
moments are seconds since 1970, UTC. The file never stops the work: corrupt, it is set aside; locked, it is left alone.
It is in write-ahead mode, so that two processes may use it and a killed one leaves it readable. Whatever is wrong with
it is a problem to show, never a crash.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import Problem, warning
from engine.market.records import FetchedFacts, FetchedHolding, History
from engine.market.symbols import Listing
from engine.quote import Quote
from engine.settings import MarketSettings
from engine.text import fold

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
FILE = "market.sqlite3"
#: Seconds that a locked file is waited for.
PATIENCE = 1.0
_PAUSE = 0.02
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


def folder(settings: MarketSettings) -> Path:
    """Return where market data is kept: the setting's folder, else the platform's cache folder."""
    if settings.cache_dir:
        return Path(settings.cache_dir)
    import platformdirs

    return Path(platformdirs.user_cache_dir("rebalancer", appauthor=False))


@dataclass(frozen=True, slots=True)
class Breaker:
    """Why a source is not asked until a moment; `step` counts the refusals in a row."""

    source: str
    until: dt.datetime
    step: int
    error: str


class Store:
    """Market data on disk. Every method is safe from several threads; none raises for the state of the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._writes = 0
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
                rows = {quote.symbol: (market, quote) for market, quote in self._read(sql, role, parse=_quote_of)}
                known = self._quotes[role] = (state, rows)
            return dict(known[1])

    def put_quotes(self, quotes: Iterable[tuple[str, Quote]], role: str = "price") -> None:
        """Keep quotes with their markets; what makes one stale is judged anew at every look, so it is not kept."""
        self._write(
            "INSERT OR REPLACE INTO quotes VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_quote_row(quote, market, role) for market, quote in quotes],
        )

    # --- history and facts ----------------------------------------------------------------------------------------
    def history(self, symbol: str) -> tuple[dt.date, dt.date, History] | None:
        """Return the stored history of a symbol with the first and last date that was asked for."""
        sql = "SELECT symbol, first, last, fetched_at, body FROM history WHERE symbol = ?"
        return next(iter(self._read(sql, symbol, parse=_history_of)), None)

    def put_history(self, found: History, first: dt.date, last: dt.date) -> None:
        """Keep a history, asked for from `first` to `last`, in place of an earlier one."""
        self._write("INSERT OR REPLACE INTO history VALUES(?, ?, ?, ?, ?)", [_history_row(found, first, last)])

    def facts(self, symbol: str) -> FetchedFacts | None:
        """Return the stored facts of a symbol."""
        sql = "SELECT symbol, fetched_at, body FROM facts WHERE symbol = ?"
        return next(iter(self._read(sql, symbol, parse=_facts_of)), None)

    def put_facts(self, found: FetchedFacts) -> None:
        """Keep the facts of a symbol."""
        self._write("INSERT OR REPLACE INTO facts VALUES(?, ?, ?)", [_facts_row(found)])

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
        rows = self._read("SELECT source, until, step, error FROM breakers", parse=_breaker_of)
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
        counts = {table: self._read(f"SELECT count(*) FROM {table}") for table in TABLES}  # noqa: S608
        return {table: count for table, rows in counts.items() for (count,) in rows}

    def clear(self) -> None:
        """Forget everything, also which sources refused us: they are asked again."""
        for table in TABLES:
            self._write(f"DELETE FROM {table} WHERE 1 = ?", [(1,)])  # noqa: S608
        self._listings = None

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._quotes = {}
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    # --- the file -----------------------------------------------------------------------------------------------------
    def _state(self) -> object:
        """Return what changes with every write, this object's and others': the state that read rows are of."""
        return self._writes, self._read("PRAGMA data_version")

    def _read(self, sql: str, *values: object, parse: Callable[[Any], Any] = tuple) -> list[Any]:
        """Return the parsed rows; a row that cannot be parsed is a corrupt file too."""
        return self._guarded(lambda connection: [parse(row) for row in connection.execute(sql, values)]) or []

    def _write(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany(sql, rows)

        if rows:
            with self._lock:
                self._writes += 1
                self._guarded(write)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do the work; a corrupt file is set aside and the work done on a new one; a locked one is let be."""
        with self._lock:
            for _ in range(2):
                connection = self._open()
                if connection is None:
                    return None
                try:
                    return work(connection)
                except sqlite3.OperationalError as error:
                    self._warn("store-locked.use", kind=_kind(error))
                    return None
                except (sqlite3.DatabaseError, ValueError, LookupError, TypeError, ArithmeticError):
                    self._set_aside()
            return None

    def _open(self) -> sqlite3.Connection | None:
        if self._connection is None:
            for _ in range(2):
                try:
                    self._connection = _connect(self.path)
                    break
                except sqlite3.OperationalError as error:
                    self._warn("store-locked.open", kind=_kind(error))
                    return None
                except sqlite3.DatabaseError:
                    self._set_aside()
                except OSError as error:
                    self._warn("store-folder", reason=error.strerror)
                    return None
        return self._connection

    def _set_aside(self) -> None:
        self.close()
        aside = self.path.with_name(f"{self.path.name}.unreadable-{time.time_ns()}")
        for suffix in ("", "-wal", "-shm"):
            file = self.path.with_name(self.path.name + suffix)
            with contextlib.suppress(OSError):
                file.replace(aside.with_name(aside.name + suffix))
        self._warn("store-unreadable", name=aside.name)

    def _warn(self, key: str, **values: object) -> None:
        problem = warning(key, str(self.path), **values)
        if problem.code not in {known.code for known in self.problems}:
            _LOG.warning("%s: %s", problem.where, problem.message)
            self.problems.append(problem)


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file, trying again while another process is just making it: SQLite does not wait for that itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    last = time.monotonic() + PATIENCE
    while True:
        try:
            return _opened(path)
        except sqlite3.OperationalError:
            if time.monotonic() >= last:
                raise
            time.sleep(_PAUSE)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        version = _version(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if version == 0:
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    """Return the file's schema version, 0 for a new file; raises DatabaseError for another than ours."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, VERSION):
        raise sqlite3.DatabaseError("schema of another version")
    return version


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _kind(error: sqlite3.Error) -> str:
    return str(getattr(error, "sqlite_errorname", "") or type(error).__name__)


def _quote_of(row: tuple[Any, ...]) -> tuple[str, Quote]:
    """Return the market and the quote of a row of `quotes` (without its role)."""
    symbol, market, price, currency, as_of, source, session, delay, at, name = row
    traded, fetched = _moment(as_of), _moment(at)
    return market, Quote(symbol, Decimal(price), currency, traded, source, session, delay, fetched, None, name)


def _history_of(row: tuple[Any, ...]) -> tuple[dt.date, dt.date, History]:
    """Return the first and last date asked for, and the history, of a row of `history`."""
    symbol, first, last, at, text = row
    body = json.loads(text)
    total = body["total_return"]
    found = History(
        symbol,
        body["currency"],
        body["source"],
        _at(at),
        tuple(dt.date.fromisoformat(day) for day in body["dates"]),
        tuple(Decimal(close) for close in body["closes"]),
        None if total is None else tuple(total),
    )
    return dt.date.fromisoformat(first), dt.date.fromisoformat(last), found


def _facts_of(row: tuple[Any, ...]) -> FetchedFacts:
    """Return the facts of a row of `facts`."""
    symbol, at, text = row
    body: dict[str, Any] = json.loads(text)
    for key in ("fee", "aum", "dividend_yield", "market_cap"):
        body[key] = None if body[key] is None else Decimal(body[key])
    body["top"] = tuple(FetchedHolding(s, n, None if w is None else Decimal(w)) for s, n, w in body["top"])
    body["sectors"] = {key: Decimal(weight) for key, weight in body["sectors"].items()}
    body["as_of"] = None if body["as_of"] is None else dt.date.fromisoformat(body["as_of"])
    return FetchedFacts(symbol=symbol, fetched_at=_at(at), **body)


def _quote_row(q: Quote, market: str, role: str) -> tuple[Any, ...]:
    """Return a quote as a row of `quotes`."""
    money, looked = (str(q.price), q.currency), (q.delay_seconds, _stamp(q.fetched_at))
    return (q.symbol, role, market, *money, _stamp(q.as_of), q.source, q.session, *looked, q.name)


def _history_row(found: History, first: dt.date, last: dt.date) -> tuple[Any, ...]:
    """Return a history as a row of `history`."""
    body = {
        "currency": found.currency,
        "source": found.source,
        "dates": [day.isoformat() for day in found.dates],
        "closes": [str(close) for close in found.closes],
        "total_return": found.total_return,
    }
    return (found.symbol, first.isoformat(), last.isoformat(), _stamp(found.fetched_at), json.dumps(body))


def _facts_row(found: FetchedFacts) -> tuple[Any, ...]:
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
    return (found.symbol, _stamp(found.fetched_at), json.dumps(body, ensure_ascii=False))


def _breaker_of(row: tuple[Any, ...]) -> Breaker:
    source, until, step, error = row
    return Breaker(source, _at(until), step, error)


def _stamp(at: dt.datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _at(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else _at(seconds)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
