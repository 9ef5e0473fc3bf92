"""Closes from a person's CSV file.

It has a first column Date (yyyy-mm-dd), then one column of closes per symbol, total-return closes where they are known.
A column named as a currency pair (USDKRW) holds rates. An empty cell is a day without a close.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

import numpy as np

from engine.data.fields import Report, Where, in_rows
from engine.data.files import csv_rows
from engine.errors import Problem
from engine.history import HistoryTable, Series
from engine.market.catalogue import canonical, lost_zeros, pair
from engine.phrase import phrase
from engine.text import FIRST_CLOSE, LAST_DAY, repaired_date


def parse_history(text: str | bytes, where: Where = "history") -> tuple[HistoryTable | None, tuple[Problem, ...]]:
    """Return a table of closes; None with every problem where a cell cannot be used.

    `where` names the file in the problems. Days may come in any order; a day or a symbol given twice is an error.
    """
    report = Report(where, in_rows(where, "listed-row"))
    rows = csv_rows(text, report)
    number, header = next(rows, (1, []))
    names = [] if report.failed else _header(header, report)
    days: dict[dt.date, int] = {}
    columns: list[list[float]] = [[] for _ in names]
    for number, row in rows if names else ():
        if not any(row):
            continue
        day = _day(row[0], number, days, report)
        if len(row) > len(names) + 1:
            report.error((number,), "history-row", closes=len(row) - 1, symbols=len(names))
            continue
        cells = [*row[1:], *[""] * (len(names) + 1 - len(row))]
        for name, cell, column in zip(names, cells, columns, strict=True):
            column.append(_close(cell, number, name, report))
        if day:
            days[day] = number
    if not days and not report.failed:
        report.error((), "history-empty")
    if report.failed:
        return None, tuple(report.problems)
    return _build(names, days, columns, str(where)), ()


def _header(row: list[str], report: Report) -> list[str]:
    """Return the symbols that the columns after Date are of."""
    names = [canonical(cell) for cell in row]
    if not names or names[0].casefold() != "date":
        found = repr(row[0]) if names else phrase("shown.nothing")
        report.error((1,), "history-header.date", found=found)
        return []
    for index, name in enumerate(names[1:], start=2):
        if not name:
            report.error((1,), "history-header.unnamed", column=index)
        elif code := lost_zeros(name):
            report.error((1,), "history-header.zeros", name=name, code=code)
        elif name in names[1 : index - 1]:
            report.error((1,), "history-header.twice", name=name)
    if len(names) == 1:
        report.error((1,), "history-header")
    return [] if report.failed else names[1:]


def _day(cell: str, row: int, seen: Mapping[dt.date, int], report: Report) -> dt.date | None:
    path = (row, "Date")
    try:
        day = dt.datetime.strptime(cell, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        report.error(path, "history-date", value=cell, repair=repaired_date(cell) or "yyyy-mm-dd")
        return None
    if not FIRST_CLOSE <= day <= LAST_DAY:
        report.error(path, "history-date.range", day=day, first=FIRST_CLOSE, last=LAST_DAY)
        return None
    if day in seen:
        report.error(path, "history-date.twice", day=day, row=seen[day])
        return None
    return day


def _close(text: str, row: int, name: str, report: Report) -> float:
    """Return a close, NaN where there is none."""
    if not text:
        return math.nan
    try:
        # float reads more than people write: 1_000, and digits of other scripts.
        close = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        report.error((row, name), "history-close.number", value=text)
        return math.nan
    if not (close > 0 and math.isfinite(close)):
        report.error((row, name), "history-close", value=text)
        return math.nan
    return close


def _build(names: list[str], days: Mapping[dt.date, int], columns: list[list[float]], where: str) -> HistoryTable:
    every = np.array(list(days), dtype="datetime64[D]")
    order = np.argsort(every)
    every = every[order]
    series: dict[str, Series] = {}
    rates: dict[str, Series] = {}
    for name, column in zip(names, columns, strict=True):
        closes = np.array(column, dtype=np.float64)[order]
        there = np.isfinite(closes)
        currencies = pair(name)
        table = rates if currencies else series
        currency = currencies[1] if currencies else ""
        if there.any():
            table[name] = Series(name, every[there], closes[there], currency, where)
    return HistoryTable(series, rates, where)
