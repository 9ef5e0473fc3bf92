"""The 11 GICS sectors: names that mean them, companies that changed sector on a day, and share classes of one company.

All three are dated tables (sectors.csv, reclassified.csv, share_classes.csv), each row with its source.
"""

from __future__ import annotations

import csv
import datetime as dt
from functools import lru_cache
from importlib import resources

from engine.text import fold

#: In the order of their codes, 10 to 60.
SECTORS = (
    "Energy",
    "Materials",
    "Industrials",
    "Consumer Discretionary",
    "Consumer Staples",
    "Health Care",
    "Financials",
    "Information Technology",
    "Communication Services",
    "Utilities",
    "Real Estate",
)


@lru_cache(maxsize=3)
def _rows(name: str) -> tuple[dict[str, str], ...]:
    text = resources.files("engine.weights").joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    return {_key(row["label"]): row["sector"] for row in _rows("sectors.csv")}


def _key(label: str) -> str:
    return fold(label).replace("_", "").replace("-", "")


def gics_sector(label: str) -> str | None:
    """Return the GICS sector that a label (GICS, Yahoo's, a Korean name, a code) means; None where it means none."""
    return _labels().get(_key(label))


def reclassified(symbol: str, sector: str, as_of: dt.date) -> tuple[str, dt.date, str] | None:
    """Return (new sector, last day of the old one, source) where a company has left the sector given; else None."""
    for row in _rows("reclassified.csv"):
        old = row["from_sector"]
        left = dt.date.fromisoformat(row["last_day_before"])
        if row["symbol"] in ("*", symbol) and _key(old) == _key(sector) and as_of > left:
            return row["to_sector"], left, row["source"]
    return None


def company_of(symbol: str) -> str:
    """Return the company whose share class a symbol is, as far as the table knows; else the symbol itself."""
    return next((row["company"] for row in _rows("share_classes.csv") if row["symbol"] == symbol), symbol)
