"""Why functions failed: kept for the Checks sheet while it is so, and written to a log file.

The log holds problems as people read them, and of an unexpected error its type and place, never its text, which may
quote what must stay secret. Nothing here ever stops a function from answering.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.errors import Problem, error

FILE = "functions.log"
#: Failures kept for the Checks sheet, and for how many seconds: the cell may since be mended or gone.
KEPT, KEPT_FOR = 20, 900.0
_SIZE, _BACKUPS = 500_000, 2
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong in one call; `at` is of the monotonic clock."""

    problems: tuple[Problem, ...]
    at: float
    shown: bool


_failures: OrderedDict[tuple[str, str], Failure] = OrderedDict()


def folder() -> Path:
    """Return where the log is: the platform's folder for logs, or the one REBALANCER_LOG_DIR names."""
    named = os.environ.get("REBALANCER_LOG_DIR")
    if named:
        return Path(named)
    from platformdirs import user_log_path

    return user_log_path("rebalancer", appauthor=False)


def failed(name: str, call: str, problems: Iterable[Problem], *, shown: bool = True) -> None:
    """Keep a call's problems (for the Checks sheet where `shown`), and log those that it did not have a moment ago."""
    found = tuple(problems)
    with _lock:
        before = _failures.pop((name, call), None)
        _failures[name, call] = Failure(found, time.monotonic(), shown=shown)
        while len(_failures) > KEPT:
            _failures.popitem(last=False)
    if before is None or before.problems != found:
        for problem in found:
            _log(f"{name} {problem}")


def unexpected(name: str, fault: BaseException) -> Problem:
    """Log where an error of the program arose, and return what to tell about it."""
    steps = traceback.extract_tb(fault.__traceback__)
    places = " < ".join(f"{Path(step.filename).name}:{step.lineno} {step.name}" for step in reversed(steps))
    kind = type(fault).__name__
    _log(f"{name} unexpected {kind}: {places}")
    return error("unexpected.logged", name, kind=kind, log=str(folder() / FILE))


def answered(name: str, call: str) -> None:
    """Forget an earlier failure of a call that now succeeds."""
    with _lock:
        _failures.pop((name, call), None)


def empty() -> bool:
    """Tell whether no failure is kept."""
    return not _failures


def recent() -> tuple[Problem, ...]:
    """Return the problems of calls that failed lately and have not succeeded since."""
    oldest = time.monotonic() - KEPT_FOR
    with _lock:
        kept = [failure for failure in _failures.values() if failure.shown and failure.at >= oldest]
    return tuple(dict.fromkeys(problem for failure in reversed(kept) for problem in failure.problems))


def clear() -> None:
    """Forget every failure; the log stays."""
    with _lock:
        _failures.clear()


def _log(line: str) -> None:
    with contextlib.suppress(OSError):
        _logger(folder()).warning("%s", " ".join(line.split()))


@lru_cache(maxsize=4)
def _logger(where: Path) -> logging.Logger:
    where.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        where / FILE, maxBytes=_SIZE, backupCount=_BACKUPS, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # noqa: ARG005 - a full disk stops no cell
    logger = logging.getLogger(f"rebalancer.functions.{where}")
    logger.propagate = False
    logger.addHandler(handler)
    return logger
