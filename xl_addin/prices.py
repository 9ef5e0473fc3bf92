"""Where a plan's prices come from: a price file, where one is named; prices in the portfolio file beat it.

The bundled samples (`xl_addin.samples`) are for the demonstration alone: a plan never falls back on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.errors import Problem
from engine.market.quote import Quote

Quotes = tuple[Mapping[str, Quote], tuple[Problem, ...]]


def quotes_for(prices: Path | None) -> Quotes:
    """Return the quotes of the price file, by symbol, and every problem found in it; none without a file."""
    if prices is None:
        return {}, ()
    from engine.market.prices_csv import parse_prices

    try:
        raw = prices.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return {}, (Problem("error", "file-unreadable", str(prices), f"cannot be read ({reason}): name another file"),)
    return parse_prices(raw, str(prices))
