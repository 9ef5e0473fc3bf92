"""One sqlite file that never stops the work: corrupt, it is set aside; locked, it is left alone.

It is in write-ahead mode, so that two processes may use it and a killed one leaves it readable. Whatever is wrong with
it is a problem to show, never a crash.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import Problem
from engine.market import tables

T = TypeVar("T")
#: Seconds that a locked file is waited for.
PATIENCE = 1.0
_PAUSE = 0.02


class Database:
    """Hold the file's connection. Every method is safe from several threads; none raises for the state of the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._writes = 0

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

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
                    message = f"could not be used now ({_kind(error)}); nothing was kept"
                    ko = f"지금 쓸 수 없습니다({_kind(error)}): 아무것도 저장하지 않았습니다"
                    self._warn("store-locked", message, ko)
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
                    message = f"could not be opened ({_kind(error)}); nothing is kept"
                    ko = f"열 수 없습니다({_kind(error)}): 아무것도 저장하지 않습니다"
                    self._warn("store-locked", message, ko)
                    return None
                except sqlite3.DatabaseError:
                    self._set_aside()
                except OSError as error:
                    message = f"cannot be written ({error.strerror}); nothing is kept. Set REBALANCER_CACHE_DIR"
                    ko = f"쓸 수 없어({error.strerror}) 아무것도 저장하지 않습니다: REBALANCER_CACHE_DIR를 정하세요"
                    self._warn("store-folder", message, ko)
                    return None
        return self._connection

    def _set_aside(self) -> None:
        self.close()
        aside = self.path.with_name(f"{self.path.name}.unreadable-{time.time_ns()}")
        for suffix in ("", "-wal", "-shm"):
            file = self.path.with_name(self.path.name + suffix)
            with contextlib.suppress(OSError):
                file.replace(aside.with_name(aside.name + suffix))
        message = f"could not be read and was set aside as {aside.name}; prices are fetched anew"
        ko = f"읽을 수 없어 {aside.name} 이름으로 치워 두었습니다: 시세를 새로 받습니다"
        self._warn("store-unreadable", message, ko)

    def _warn(self, code: str, message: str, ko: str) -> None:
        problem = Problem("warning", code, str(self.path), message, ko)
        if problem.code not in {known.code for known in self.problems}:
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
            connection.executescript(
                f"BEGIN IMMEDIATE; {tables.SCHEMA} PRAGMA user_version = {tables.VERSION}; COMMIT;"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    """Return the file's schema version, 0 for a new file; raises DatabaseError for another than ours."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, tables.VERSION):
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
