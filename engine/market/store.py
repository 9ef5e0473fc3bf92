"""What was fetched, kept in one sqlite file: quotes, history, facts, unknown symbols, the watch list, ETFs.

Rows outlive their freshness: serving a stale price is a SELECT. Money is text, so that it comes back to the last digit;
moments are seconds since 1970, UTC. It is in write-ahead mode, so that two processes may use it and a killed one leaves
it readable. The file never stops the work and never takes a price away: where it cannot be written (read-only, a full
disk, a file in the way, locked, of a later version) what it holds is copied into memory and kept there, which is told
once; only what sqlite itself calls no database is set aside. A row that cannot be written or read is left out alone.
Which sources refused us stands beside it, in a small file each: that is not forgotten with the prices.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import Problem, warning
from engine.market.catalogue import Listing
from engine.phrase import Phrase
from engine.quote import FetchedFacts, FetchedHolding, History, Quote, Split
from engine.settings import MarketSettings
from engine.text import fold

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
FILE = "market.sqlite3"
#: Seconds that a locked file is waited for.
PATIENCE = 1.0
_PAUSE = 0.02
#: Seconds after which a file that could not be used is tried again, and the most writes that wait for it.
AGAIN, WAITING = 60.0, 500
#: Schema version: an earlier one is brought up to it, a later one is left alone.
VERSION = 3
#: Seconds for which a file that was set aside is kept.
MONTH = 30 * 86400.0
#: How the files begin that say which source is left alone.
_ALONE = "left-alone-"
#: What brings a file of a version to the next: since the second the breakers have files of their own.
_UPGRADES = {
    1: "ALTER TABLE quotes ADD COLUMN previous TEXT; ALTER TABLE quotes ADD COLUMN doubt TEXT;"
    "DROP TABLE IF EXISTS breakers;",
    2: "ALTER TABLE quotes ADD COLUMN kind TEXT; ALTER TABLE quotes ADD COLUMN split TEXT;",
}
SCHEMA = """
CREATE TABLE IF NOT EXISTS quotes(
    symbol TEXT, role TEXT, market TEXT, price TEXT, currency TEXT, as_of REAL, source TEXT, session TEXT,
    delay INTEGER, fetched_at REAL, name TEXT, previous TEXT, doubt TEXT, kind TEXT, split TEXT,
    PRIMARY KEY(symbol, role)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history(
    symbol TEXT PRIMARY KEY, first TEXT, last TEXT, fetched_at REAL, body TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts(symbol TEXT PRIMARY KEY, fetched_at REAL, body TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unknown(symbol TEXT, source TEXT, at REAL, PRIMARY KEY(symbol, source)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watch(symbol TEXT PRIMARY KEY, at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listings(
    symbol TEXT PRIMARY KEY, name TEXT, folded TEXT, exchange TEXT, at REAL) WITHOUT ROWID;
"""
TABLES = ("quotes", "history", "facts", "unknown", "watch", "listings")
#: The newer price stays: one traded before it is an older answer, unless the stored one is ahead of its own fetching.
_PUT_QUOTE = """
INSERT INTO quotes VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(symbol, role) DO UPDATE SET
    market = excluded.market, price = excluded.price, currency = excluded.currency, as_of = excluded.as_of,
    source = excluded.source, session = excluded.session, delay = excluded.delay, fetched_at = excluded.fetched_at,
    name = excluded.name, previous = excluded.previous, doubt = excluded.doubt, kind = excluded.kind,
    split = excluded.split
WHERE coalesce(excluded.as_of, 0) >= coalesce(quotes.as_of, 0) OR quotes.as_of > excluded.fetched_at
    OR quotes.doubt IS NOT NULL
"""


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
        self._retry_at: float | None = None
        self._waiting: list[Callable[[sqlite3.Connection], None]] = []
        self._breakers: dict[str, Breaker] = {}
        self._quotes: dict[str, tuple[object, dict[str, tuple[str, Quote]]]] = {}
        self._splits: tuple[object, dict[str, Mapping[dt.date, Decimal]]] | None = None
        self._listings: dict[str, Listing] | None = None

    # --- quotes ---------------------------------------------------------------------------------------------------
    def quotes(self, role: str = "price") -> dict[str, tuple[str, Quote]]:
        """Return every stored quote with its market, by symbol; `role` is price or check (the second source's)."""
        sql = (
            "SELECT symbol, market, price, currency, as_of, source, session, delay, fetched_at, name, previous, doubt,"
            " kind, split FROM quotes WHERE role = ?"
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
        self._write(_PUT_QUOTE, [_quote_row(quote, market, role) for market, quote in quotes])

    # --- history and facts ----------------------------------------------------------------------------------------
    def history(self, symbol: str) -> tuple[dt.date, dt.date, History] | None:
        """Return the stored history of a symbol with the first and last date that was asked for."""
        sql = "SELECT symbol, first, last, fetched_at, body FROM history WHERE symbol = ?"
        return next(iter(self._read(sql, symbol, parse=_history_of)), None)

    def put_history(self, found: History, first: dt.date, last: dt.date) -> None:
        """Keep a history, asked for from `first` to `last`, in place of an earlier one."""
        self._write("INSERT OR REPLACE INTO history VALUES(?, ?, ?, ?, ?)", [_history_row(found, first, last)])

    def splits(self) -> dict[str, Mapping[dt.date, Decimal]]:
        """Return the splits in the stored histories by symbol, each by the first day that trades so."""
        sql = "SELECT symbol, json_extract(body, '$.splits') FROM history WHERE instr(body, '\"splits\": {\"') > 0"
        with self._lock:
            state = self._state()
            if self._splits is None or self._splits[0] != state:
                rows = self._read(sql, parse=lambda row: (row[0], _splits_of(json.loads(row[1]))))
                self._splits = state, dict(rows)
            return self._splits[1]

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
        with self._lock:
            found = {}
            with contextlib.suppress(OSError):
                files = sorted(self.path.parent.glob(f"{_ALONE}*.json"))
                found = {one.source: one for file in files if (one := _breaker_in(file)) is not None}
            return {**found, **self._breakers}

    def put_breaker(self, breaker: Breaker) -> None:
        """Keep a breaker; where it cannot be written, for as long as this process lives."""
        body = {**asdict(breaker), "until": breaker.until.timestamp()}
        with self._lock:
            try:
                _write_private(self._breaker_file(breaker.source), json.dumps(body))
                self._breakers.pop(breaker.source, None)
            except OSError:
                self._breakers[breaker.source] = breaker

    def close_breaker(self, source: str) -> None:
        """Forget a source's breaker: it has answered."""
        with self._lock:
            self._breakers.pop(source, None)
            try:
                self._breaker_file(source).unlink(missing_ok=True)
            except OSError:
                self._breakers[source] = Breaker(source, _at(0), 0, "")

    def _breaker_file(self, source: str) -> Path:
        return self.path.with_name(f"{_ALONE}{source.replace(' ', '-')}.json")

    # --- the whole ------------------------------------------------------------------------------------------------
    def counts(self) -> dict[str, int]:
        """Return how many rows each table holds."""
        counts = {table: self._read(f"SELECT count(*) FROM {table}") for table in TABLES}  # noqa: S608
        return {table: count for table, rows in counts.items() for (count,) in rows}

    def clear(self) -> None:
        """Forget everything but which sources refused us: asking those again would make them refuse longer."""
        for table in TABLES:
            self._write(f"DELETE FROM {table} WHERE 1 = ?", [(1,)])  # noqa: S608
        self._listings = None

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._quotes, self._retry_at = {}, None
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    # --- the file -----------------------------------------------------------------------------------------------------
    def _state(self) -> object:
        """Return what changes with every write, this object's and others': the state that read rows are of."""
        return self._writes, self._read("PRAGMA data_version")

    def _read(self, sql: str, *values: object, parse: Callable[[Any], Any] = tuple) -> list[Any]:
        """Return the parsed rows; one that cannot be parsed is left out, and written anew when it is fetched."""

        def read(connection: sqlite3.Connection) -> list[Any]:
            found = []
            for row in connection.execute(sql, values):
                with contextlib.suppress(ValueError, LookupError, TypeError, ArithmeticError, AttributeError, OSError):
                    found.append(parse(row))
            return found

        return self._guarded(read) or []

    def _write(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                for row in rows:
                    with contextlib.suppress(
                        ValueError, OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError
                    ):
                        connection.execute(sql, row)

        if rows:
            with self._lock:
                self._writes += 1
                self._guarded(write)
                if self._retry_at is not None:
                    self._waiting = [*self._waiting[-WAITING:], write]

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do the work on the file; where that cannot be, on a copy of it in memory."""
        with self._lock:
            for _ in range(4):
                try:
                    return work(self._open())
                except sqlite3.Error as error:
                    if _is_unreadable(error) and self._retry_at is None:
                        self._set_aside()
                    else:
                        self._to_memory("store-locked.use" if _is_locked(error) else "store-unwritable", error)
            return None

    def _open(self) -> sqlite3.Connection:
        """Return the file's connection, or that of its copy in memory until it is worth trying again."""
        if self._connection is not None and (self._retry_at is None or time.monotonic() < self._retry_at):
            return self._connection
        trying = self._retry_at is not None
        try:
            opened = _connect(self.path, 0.0 if trying else PATIENCE)
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and _is_unreadable(error) and not trying:
                self._set_aside()
                return self._open()
            key = "store-locked.open" if isinstance(error, sqlite3.Error) and _is_locked(error) else "store-unwritable"
            return self._to_memory("store-newer" if isinstance(error, _LaterError) else key, error)
        if self._connection is not None:
            self._connection.close()
        self._connection, self._retry_at, waiting, self._waiting = opened, None, self._waiting, []
        for write in waiting:
            self._guarded(write)
        self._tidy()
        return self._connection or opened

    def _to_memory(self, key: str, error: Exception) -> sqlite3.Connection:
        """Go on in memory, with what the file holds as far as it can be read; say so once."""
        again = self._retry_at is not None and self._connection is not None
        self._retry_at = time.monotonic() + AGAIN
        if again and self._connection is not None:
            return self._connection
        if isinstance(error, OSError) and not isinstance(error, sqlite3.Error):
            self._warn("store-folder", reason=error.strerror or type(error).__name__)
        else:
            self._warn(key, kind=_kind(error), ours=VERSION, theirs=getattr(error, "version", ""))
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = _copied(self.path, readable=key != "store-newer")
        self._quotes, self._listings = {}, None
        return self._connection

    def _set_aside(self) -> None:
        self.close()
        aside = self.path.with_name(f"{self.path.name}.unreadable-{time.time_ns()}")
        for suffix in ("", "-wal", "-shm"):
            file = self.path.with_name(self.path.name + suffix)
            with contextlib.suppress(OSError):
                file.replace(aside.with_name(aside.name + suffix))
        if self.path.exists():  # it cannot be moved either
            self._to_memory("store-unwritable", sqlite3.OperationalError())
        else:
            self._warn("store-unreadable", name=aside.name)

    def _tidy(self) -> None:
        """Remove what was set aside earlier, but for the last one, and that too after a month."""
        with contextlib.suppress(OSError):
            aside = sorted(self.path.parent.glob(f"{self.path.name}.unreadable-*"))
            last = max((name.name.removesuffix("-wal").removesuffix("-shm") for name in aside), default="")
            for file in aside:
                if not file.name.startswith(last) or time.time() - file.stat().st_mtime > MONTH:
                    file.unlink()

    def _warn(self, key: str, **values: object) -> None:
        problem = warning(key, str(self.path), **values)
        if problem.code not in {known.code for known in self.problems}:
            _LOG.warning("%s: %s", problem.where, problem.message)
            self.problems.append(problem)


class _LaterError(sqlite3.OperationalError):
    """A file that a later version of this project wrote."""

    def __init__(self, version: int) -> None:
        super().__init__("schema of a later version")
        self.version = version


def _connect(path: Path, patience: float) -> sqlite3.Connection:
    """Open the file, trying again while another process is just making it: SQLite does not wait for that itself."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # nobody else's business what somebody holds
        path.chmod(0o600)
    last = time.monotonic() + patience
    while True:
        try:
            return _opened(path, patience)
        except sqlite3.OperationalError as error:
            if not _is_locked(error) or time.monotonic() >= last:
                raise
            time.sleep(_PAUSE)


def _opened(path: Path, patience: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > VERSION:
            raise _LaterError(version)  # noqa: TRY301 - closed below like any other
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if version < VERSION:
            _upgrade(connection)
        connection.execute("BEGIN IMMEDIATE")  # a file that cannot be written says so here, not at the first price
        connection.execute("ROLLBACK")
    except BaseException:
        connection.close()
        raise
    return connection


def _upgrade(connection: sqlite3.Connection) -> None:
    """Bring a file to our version, unless another process has just done so."""
    with _transaction(connection):
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        steps = [_UPGRADES[step] for step in range(version or VERSION, VERSION)]
        for statement in ";".join((SCHEMA, *steps)).split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _copied(path: Path, *, readable: bool) -> sqlite3.Connection:
    """Return a store in memory with what a file holds, where it can be read at all."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    if readable:
        for how in ("mode=ro", "mode=ro&immutable=1"):
            with contextlib.suppress(sqlite3.Error, ValueError):
                file = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=_PAUSE)
                with contextlib.closing(file):
                    if int(file.execute("PRAGMA user_version").fetchone()[0]) == VERSION:
                        file.backup(memory)
                break
    memory.executescript(SCHEMA)
    return memory


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _is_unreadable(error: sqlite3.Error) -> bool:
    """Tell whether sqlite itself calls the file malformed, or no database."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _is_locked(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _write_private(path: Path, text: str) -> None:
    """Write a small file whole, for its owner's eyes; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.touch(0o600)
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _breaker_in(file: Path) -> Breaker | None:
    """Return the breaker of a file; None where it cannot be read as one."""
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        return Breaker(str(body["source"]), _at(float(body["until"])), int(body["step"]), str(body["error"]))
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return None


def _kind(error: Exception) -> str:
    return str(getattr(error, "sqlite_errorname", "") or type(error).__name__)


def _quote_of(row: tuple[Any, ...]) -> tuple[str, Quote]:
    """Return the market and the quote of a row of `quotes` (without its role)."""
    symbol, market, price, currency, as_of, source, session, delay, at, name, previous, doubt, kind, split = row
    looked = (source, session, int(delay), _moment(at), None, name)
    before = None if previous is None else Decimal(previous)
    said = None if doubt is None else _thawed(doubt)
    changed = None if split is None else _split_of(split)
    quote = Quote(symbol, Decimal(price), currency, _moment(as_of), *looked, before, said, kind or "", None, changed)
    if not (quote.price.is_finite() and quote.price > 0 and symbol and currency):
        raise ValueError(symbol)
    return market, quote


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
        _splits_of(body.get("splits", {})),
    )
    return dt.date.fromisoformat(first), dt.date.fromisoformat(last), found


def _split_of(text: str) -> Split:
    day, ratio, named = text.split(" ")
    return Split(dt.date.fromisoformat(day), Decimal(ratio), named == "1")


def _splits_of(body: Mapping[str, str]) -> dict[dt.date, Decimal]:
    return {dt.date.fromisoformat(day): Decimal(ratio) for day, ratio in body.items()}


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
    doubt = None if q.doubt is None else _frozen(q.doubt)
    split = None if q.split is None else f"{q.split.day} {q.split.ratio} {int(q.split.named)}"
    first = (q.symbol, role, market, *money, _stamp(q.as_of), q.source, q.session)
    return (*first, *looked, q.name, _text(q.previous), doubt, q.kind, split)


def _history_row(found: History, first: dt.date, last: dt.date) -> tuple[Any, ...]:
    """Return a history as a row of `history`."""
    body = {
        "currency": found.currency,
        "source": found.source,
        "dates": [day.isoformat() for day in found.dates],
        "closes": [str(close) for close in found.closes],
        "total_return": found.total_return,
        "splits": {day.isoformat(): str(ratio) for day, ratio in found.splits.items()},
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


def _frozen(said: Phrase) -> str:
    """Return a phrase as text, with its numbers, moments and further phrases."""

    def packed(value: object) -> object:
        if isinstance(value, Phrase):
            return {"phrase": [value.key, [[name, packed(one)] for name, one in value.items]]}
        if isinstance(value, Decimal):
            return {"number": str(value)}
        return {"day": value.isoformat()} if isinstance(value, dt.date) else value

    return json.dumps(packed(said), ensure_ascii=False)


def _thawed(text: str) -> Phrase:
    """Return the phrase of a text; raises what reading another text raises."""

    def unpacked(value: Any) -> Any:  # noqa: ANN401 - a JSON value
        if not isinstance(value, dict):
            return value
        ((kind, inner),) = value.items()
        if kind == "phrase":
            return Phrase(str(inner[0]), tuple((name, unpacked(one)) for name, one in inner[1]))
        return Decimal(inner) if kind == "number" else dt.date.fromisoformat(inner)

    found = unpacked(json.loads(text))
    if not isinstance(found, Phrase):
        raise TypeError(text)
    str(found)  # what another version said, and nobody here can say, is no row of ours
    return found


def _stamp(at: dt.datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _at(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else _at(seconds)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
