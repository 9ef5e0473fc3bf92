"""Real prices, read as data out of the packages that ship them; the packages themselves are not imported."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import importlib.util
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.history import HistoryTable, Series


def shipped(package: str, path: str) -> list[dict[str, str]]:
    """Return the rows of a csv.gz file inside an installed package."""
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.submodule_search_locations
    with gzip.open(Path(spec.submodule_search_locations[0]) / path, "rt") as file:
        return list(csv.DictReader(file))


def series(symbol: str, days: list[str] | list[dt.date], closes: list[float], currency: str = "USD") -> Series:
    return Series(symbol, np.array(days, dtype="datetime64[D]"), np.array(closes, dtype=np.float64), currency, "test")


def table(*every: Series, rates: tuple[Series, ...] = ()) -> HistoryTable:
    return HistoryTable({one.symbol: one for one in every}, {one.symbol: one for one in rates}, "test")


def weekdays(count: int, end: dt.date = dt.date(2026, 9, 30)) -> list[dt.date]:
    """Return the last `count` weekdays up to a day."""
    days: list[dt.date] = []
    day = end
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day -= dt.timedelta(days=1)
    return days[::-1]


def _columns(rows: list[dict[str, str]], names: list[str]) -> HistoryTable:
    days = [row["Date"] for row in rows]
    return table(*(series(name, days, [float(row[name]) for row in rows]) for name in names))


def _american(text: str) -> dt.date:
    month, day, year = map(int, text.split("/"))
    return dt.date(year, month, day)


@lru_cache(maxsize=1)
def stock_table() -> HistoryTable:
    rows = shipped("skfolio", "datasets/data/sp500_dataset.csv.gz")
    return _columns(rows, [name for name in rows[0] if name != "Date"])


@lru_cache(maxsize=1)
def factor_table() -> HistoryTable:
    rows = shipped("skfolio", "datasets/data/factors_dataset.csv.gz")
    return _columns(rows, [name for name in rows[0] if name != "Date"])


@lru_cache(maxsize=1)
def index_table() -> HistoryTable:
    found = []
    for name, path, column in (
        ("SP500", "data/sp500/sp500.csv.gz", "Adj Close"),
        ("NASDAQ", "data/nasdaq/nasdaq.csv.gz", "Adj Close"),
        ("VIX", "data/vix/vix.csv.gz", "vix"),
    ):
        rows = [row for row in shipped("arch", path) if row[column].strip() not in ("", ".")]
        days = [_american(row["Date"]) for row in rows]
        found.append(series(name, days, [float(row[column]) for row in rows]))
    return table(*found)
