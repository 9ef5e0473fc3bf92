"""What was fetched, kept on disk: quotes, history, facts, unknown symbols, breakers, the watch list, lists of ETFs.

One sqlite file in write-ahead mode, so that two processes may use it and a killed one leaves it readable. Rows
outlive their freshness: serving a stale price is a SELECT. A file that is corrupt is set aside, one that stays
locked is left alone; either way there is a problem to show, never a crash.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import Problem
from engine.market.listing import Listing
from engine.market.quote import Quote
from engine.market.records import Constituent, FundFacts, History
from engine.settings import MarketSettings

T = TypeVar("T")
FILE = "market.sqlite3"
#: Seconds that a locked file is waited for.
PATIENCE = 1.0
#: Schema version; a file of another is set aside: everything in it can be fetched again.
VERSION = 1
_SCHEMA = """
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
    """Hold why a source is not asked until a moment; `step` counts the refusals in a row."""

    source: str
    until: dt.datetime
    step: int
    error: str


class Store:
    """Keep market data. Every method is safe from several threads; none raises for the state of the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    # --- quotes ---------------------------------------------------------------------------------------------------
    def quotes(self, role: str = "price") -> dict[str, tuple[str, Quote]]:
        """Return every stored quote with its market, by symbol; `role` is price or check (the second source's)."""
        sql = (
            "SELECT symbol, market, price, currency, as_of, source, session, delay, fetched_at, name FROM quotes"
            " WHERE role = ?"
        )
        return {quote.symbol: (market, quote) for market, quote in self._read(sql, role, parse=_quote)}

    def put_quotes(self, quotes: Iterable[tuple[str, Quote]], role: str = "price") -> None:
        """Keep quotes with their markets; what makes one stale is judged anew at every look, so it is not kept."""
        self._write(
            "INSERT OR REPLACE INTO quotes VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_row(quote, market, role) for market, quote in quotes],
        )

    # --- history and facts ----------------------------------------------------------------------------------------
    def history(self, symbol: str) -> tuple[dt.date, dt.date, History] | None:
        """Return the stored history of a symbol with the first and last date that was asked for."""
        sql = "SELECT symbol, first, last, fetched_at, body FROM history WHERE symbol = ?"
        return next(iter(self._read(sql, symbol, parse=_history)), None)

    def put_history(self, found: History, first: dt.date, last: dt.date) -> None:
        """Keep a history, asked for from `first` to `last`, in place of an earlier one."""
        body = {
            "currency": found.currency,
            "source": found.source,
            "dates": [day.isoformat() for day in found.dates],
            "closes": [str(close) for close in found.closes],
            "total_return": found.total_return,
        }
        row = (found.symbol, first.isoformat(), last.isoformat(), _stamp(found.fetched_at), json.dumps(body))
        self._write("INSERT OR REPLACE INTO history VALUES(?, ?, ?, ?, ?)", [row])

    def facts(self, symbol: str) -> FundFacts | None:
        """Return the stored facts of a symbol."""
        sql = "SELECT symbol, fetched_at, body FROM facts WHERE symbol = ?"
        return next(iter(self._read(sql, symbol, parse=_facts)), None)

    def put_facts(self, found: FundFacts) -> None:
        """Keep the facts of a symbol."""
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
        row = (found.symbol, _stamp(found.fetched_at), json.dumps(body, ensure_ascii=False))
        self._write("INSERT OR REPLACE INTO facts VALUES(?, ?, ?)", [row])

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
        """Return a Korean listing from a source's list, by its code or folded name."""
        sql = "SELECT symbol, name, exchange FROM listings WHERE symbol = ? OR folded = ?"
        for symbol, name, exchange in self._read(sql, text, _fold(text)):
            return Listing(symbol, "KR", "KRW", name, exchange)
        return None

    def listings_age(self, now: dt.datetime) -> float | None:
        """Return how many seconds ago the list was fetched, None where there is none."""
        for (at,) in self._read("SELECT max(at) FROM listings"):
            return None if at is None else now.timestamp() - at
        return None

    def put_listings(self, listings: Iterable[Listing], at: dt.datetime) -> None:
        """Keep a source's list."""
        rows = [(one.symbol, one.name, _fold(one.name), one.exchange, at.timestamp()) for one in listings]
        self._write("INSERT OR REPLACE INTO listings VALUES(?, ?, ?, ?, ?)", rows)

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
            for table in TABLES
            for (count,) in self._read(f"SELECT count(*) FROM {table}")  # noqa: S608
        }

    def clear(self) -> None:
        """Forget everything, also which sources refused us: they are asked again."""
        for table in TABLES:
            self._write(f"DELETE FROM {table} WHERE 1 = ?", [(1,)])  # noqa: S608

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    # --- sqlite ---------------------------------------------------------------------------------------------------
    def _read(self, sql: str, *values: object, parse: Callable[[Any], Any] = tuple) -> list[Any]:
        """Return the parsed rows; a row that cannot be parsed is a corrupt file too."""
        return self._guarded(lambda connection: [parse(row) for row in connection.execute(sql, values)]) or []

    def _write(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany(sql, rows)

        if rows:
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
                    self._warn("store-locked", f"could not be used now ({_kind(error)}); nothing was kept")
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
                    self._warn("store-locked", f"could not be opened ({_kind(error)}); nothing is kept")
                    return None
                except sqlite3.DatabaseError:
                    self._set_aside()
                except OSError as error:
                    self._warn(
                        "store-folder",
                        f"cannot be written ({error.strerror}); nothing is kept. Set REBALANCER_CACHE_DIR",
                    )
                    return None
        return self._connection

    def _set_aside(self) -> None:
        self.close()
        aside = self.path.with_name(f"{self.path.name}.unreadable-{time.time_ns()}")
        for suffix in ("", "-wal", "-shm"):
            file = self.path.with_name(self.path.name + suffix)
            with contextlib.suppress(OSError):
                file.replace(aside.with_name(aside.name + suffix))
        self._warn("store-unreadable", f"could not be read and was set aside as {aside.name}; prices are fetched anew")

    def _warn(self, code: str, message: str) -> None:
        problem = Problem("warning", code, str(self.path), message)
        if problem.code not in {known.code for known in self.problems}:
            self.problems.append(problem)


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        version = _version(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if version == 0:
            connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
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


def _quote(row: tuple[Any, ...]) -> tuple[str, Quote]:
    symbol, market, price, currency, as_of, source, session, delay, at, name = row
    traded, fetched = _moment(as_of), _moment(at)
    return market, Quote(symbol, Decimal(price), currency, traded, source, session, delay, fetched, None, name)


def _history(row: tuple[Any, ...]) -> tuple[dt.date, dt.date, History]:
    symbol, first, last, at, text = row
    body = json.loads(text)
    total = body["total_return"]
    found = History(
        symbol,
        body["currency"],
        body["source"],
        _known(at),
        tuple(dt.date.fromisoformat(day) for day in body["dates"]),
        tuple(Decimal(close) for close in body["closes"]),
        None if total is None else tuple(total),
    )
    return dt.date.fromisoformat(first), dt.date.fromisoformat(last), found


def _facts(row: tuple[Any, ...]) -> FundFacts:
    symbol, at, text = row
    body: dict[str, Any] = json.loads(text)
    for key in ("fee", "aum", "dividend_yield", "market_cap"):
        body[key] = None if body[key] is None else Decimal(body[key])
    body["top"] = tuple(Constituent(s, n, None if w is None else Decimal(w)) for s, n, w in body["top"])
    body["sectors"] = {key: Decimal(weight) for key, weight in body["sectors"].items()}
    body["as_of"] = None if body["as_of"] is None else dt.date.fromisoformat(body["as_of"])
    return FundFacts(symbol=symbol, fetched_at=_known(at), **body)


def _breaker(row: tuple[Any, ...]) -> Breaker:
    source, until, step, error = row
    return Breaker(source, _known(until), step, error)


def _row(q: Quote, market: str, role: str) -> tuple[Any, ...]:
    money = (str(q.price), q.currency)
    return (
        q.symbol,
        role,
        market,
        *money,
        _stamp(q.as_of),
        q.source,
        q.session,
        q.delay_seconds,
        _stamp(q.fetched_at),
        q.name,
    )


def _fold(text: str) -> str:
    from engine.text import fold

    return fold(text)


def _stamp(moment: dt.datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _known(stamp: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(stamp, dt.UTC)


def _moment(stamp: float | None) -> dt.datetime | None:
    return None if stamp is None else _known(stamp)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
