"""A progress bar on a terminal, and nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_WIDTH = 30


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the items, showing on stderr how many are done where that is a terminal."""
    shown = sys.stderr.isatty() and total > 1
    for done, item in enumerate(items, 1):
        if shown:
            filled = _WIDTH * done // total
            sys.stderr.write(f"\r{what} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done}/{total}")
            sys.stderr.flush()
        yield item
    if shown:
        sys.stderr.write("\n")
