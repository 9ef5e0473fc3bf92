"""Closes by day: parse a table of them, put several on common dates and into one currency; nothing is filled in.

A file of history has a first column Date (yyyy-mm-dd), then one column of closes per symbol, total-return closes where
they are known. A column named as a currency pair (USDKRW) holds rates. An empty cell is a day without a close.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import NoData, Problem
from engine.market.records import History
from engine.market.symbols import canonical, lost_zeros, pair
from engine.text import LAST_DAY, repaired_date

Days = NDArray[np.datetime64]
Floats = NDArray[np.float64]
#: What the closes contain: total-return has dividends reinvested, price has not, unknown is whatever a person gave.
Kind = Literal["total-return", "price", "unknown"]

DAY = np.timedelta64(1, "D")
#: Closes go further back than plans do.
FIRST_CLOSE = dt.date(1900, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Hold one symbol's closes by day, ascending. `currency` is empty where nobody said it; closes are above 0."""

    symbol: str
    days: Days
    closes: Floats
    currency: str = ""
    source: str = ""
    kind: Kind = "unknown"

    def __len__(self) -> int:
        return len(self.days)

    @property
    def first(self) -> dt.date:
        """Return the first day; raises IndexError on an empty series."""
        return as_date(self.days[0])

    @property
    def last(self) -> dt.date:
        """Return the last day; raises IndexError on an empty series."""
        return as_date(self.days[-1])

    @property
    def last_close(self) -> Decimal:
        """Return the last close as the shortest decimal that reads back as the same number."""
        return Decimal(repr(float(self.closes[-1])))

    def between(self, start: dt.date | None = None, end: dt.date | None = None) -> Series:
        """Return the part from `start` to `end`, both included."""
        low = 0 if start is None else int(np.searchsorted(self.days, np.datetime64(start, "D"), "left"))
        high = len(self) if end is None else int(np.searchsorted(self.days, np.datetime64(end, "D"), "right"))
        return replace(self, days=self.days[low:high], closes=self.closes[low:high])


@dataclass(frozen=True, slots=True, eq=False)
class HistoryTable:
    """Hold several series by symbol, and rates by pair; `source` names the file or provider."""

    series: Mapping[str, Series]
    rates: Mapping[str, Series] = field(default_factory=dict)
    source: str = ""

    @property
    def last(self) -> dt.date | None:
        """Return the latest day of any series; None where there is none."""
        return max((series.last for series in self.series.values() if len(series)), default=None)

    def until(self, end: dt.date) -> HistoryTable:
        """Return the history as it was known at the end of a day; series that begin later fall away."""

        def cut(table: Mapping[str, Series]) -> dict[str, Series]:
            short = {name: series.between(end=end) for name, series in table.items()}
            return {name: series for name, series in short.items() if len(series)}

        return HistoryTable(cut(self.series), cut(self.rates), self.source)

    def with_currencies(self, currencies: Mapping[str, str]) -> HistoryTable:
        """Return the history with the currency of each named symbol filled in where the series does not say it."""
        known = {
            symbol: replace(series, currency=series.currency or currencies.get(symbol, ""))
            for symbol, series in self.series.items()
        }
        return replace(self, series=known)

    def in_currency(self, symbol: str, currency: str) -> Series:
        """Return a symbol's closes in a currency, on the days that have a rate too.

        Raises `NoData` where the symbol, its currency or the rates are not known.
        """
        if symbol not in self.series:
            message = f"no history for {symbol} in {self.source or 'the history'}"
            raise NoData(message, ko=f"{self.source or '과거 시세'}에 {symbol} 없음", symbol=symbol)
        series = self.series[symbol]
        if series.currency == currency:
            return series
        if not series.currency:
            message = f"the currency of {symbol} is not known, so it cannot be put into {currency}"
            ko = f"{symbol}의 통화를 몰라 {currency} 기준으로 환산할 수 없습니다"
            raise NoData(message, ko=ko, symbol=symbol)
        for name, invert in ((series.currency + currency, False), (currency + series.currency, True)):
            if name in self.rates:
                rates = self.rates[name]
                common, ours, theirs = np.intersect1d(series.days, rates.days, assume_unique=True, return_indices=True)
                rate = 1.0 / rates.closes[theirs] if invert else rates.closes[theirs]
                return replace(series, days=common, closes=series.closes[ours] * rate, currency=currency)
        message = f"no rates from {series.currency} to {currency}: add a column {series.currency}{currency}"
        ko = f"{series.currency}→{currency} 환율 없음: {series.currency}{currency} 열을 더하세요"
        raise NoData(message, ko=ko, symbol=symbol)


def from_records(records: Iterable[History]) -> HistoryTable:
    """Return fetched histories as a table: total-return closes where the source has them, else plain ones."""
    series: dict[str, Series] = {}
    rates: dict[str, Series] = {}
    for record in records:
        kind: Kind = "price" if record.total_return is None else "total-return"
        closes = record.closes if record.total_return is None else record.total_return
        table = rates if pair(record.symbol) else series
        days = np.array(record.dates, dtype="datetime64[D]")
        values = np.array([float(close) for close in closes], dtype=np.float64)
        table[record.symbol] = Series(record.symbol, days, values, record.currency, record.source, kind)
    sources = dict.fromkeys(one.source for one in (*series.values(), *rates.values()))
    return HistoryTable(series, rates, ", ".join(sources))


def as_date(day: np.datetime64) -> dt.date:
    """Return a numpy day as a date."""
    return day.astype("datetime64[D]").astype(dt.date)  # type: ignore[no-any-return]


def aligned(series: Iterable[Series]) -> tuple[Days, Floats]:
    """Return the days on which every series has a close, and the closes: one row per day, one column per series."""
    every = list(series)
    if not every:
        return np.empty(0, dtype="datetime64[D]"), np.empty((0, 0))
    days = every[0].days
    for other in every[1:]:
        if not np.array_equal(days, other.days):
            days = np.intersect1d(days, other.days, assume_unique=True)
    columns = [one.closes[np.searchsorted(one.days, days)] for one in every]
    return days, np.column_stack(columns)


def parse_history(text: str, where: str = "history") -> tuple[HistoryTable | None, tuple[Problem, ...]]:
    """Read a table of closes; returns None with every problem where a cell cannot be used.

    `where` names the file in the problems. Days may come in any order; a day or a symbol given twice is an error.
    """
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    except csv.Error as error:
        ko = f"CSV가 아닙니다({error}): CSV UTF-8로 저장하세요"
        return None, (Problem("error", "history-csv", where, f"no CSV: {error}; save it as CSV UTF-8", ko),)
    names, problems = _header(rows[0] if rows else [], where)
    if problems:
        return None, tuple(problems)
    days: dict[dt.date, int] = {}
    columns: list[list[float]] = [[] for _ in names]
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        place = f"{where}, row {number}"
        day, problem = _day(row[0], place, days)
        if problem:
            problems.append(problem)
        if len(row) > len(names) + 1:
            message = f"{len(row) - 1} closes for {len(names)} symbols: write numbers without commas"
            ko = f"종목은 {len(names)}개인데 종가가 {len(row) - 1}개입니다: 숫자를 쉼표 없이 적으세요"
            problems.append(Problem("error", "history-row", place, message, ko))
            continue
        cells = [*row[1:], *[""] * (len(names) + 1 - len(row))]
        for name, cell, column in zip(names, cells, columns, strict=True):
            close, problem = _close(cell, f"{place}, column {name}")
            column.append(close)
            if problem:
                problems.append(problem)
        if day:
            days[day] = number
    if not days and not problems:
        ko = "행이 없습니다: 거래일마다 한 행씩 적으세요"
        problems.append(Problem("error", "history-empty", where, "no rows: give one row per trading day", ko))
    if problems:
        return None, tuple(problems)
    return _build(names, days, columns, where), ()


def _header(row: list[str], where: str) -> tuple[list[str], list[Problem]]:
    names = [canonical(cell) for cell in row]
    place = f"{where}, row 1"
    if not names or names[0].casefold() != "date":
        given, given_ko = (repr(row[0].strip()),) * 2 if names else ("nothing", "빈 값")
        message = f"the first column must be named Date, found {given}; after it one column of closes per symbol"
        ko = f"첫 열 이름은 Date여야 합니다(지금은 {given_ko}): 그 뒤로 종목마다 종가 한 열을 두세요"
        return [], [Problem("error", "history-header", place, message, ko)]
    problems = []
    for index, name in enumerate(names[1:], start=2):
        if not name:
            message = f"column {index} has no symbol: name it or remove it"
            ko = f"{index}열에 종목코드가 없습니다: 적거나 열을 지우세요"
            problems.append(Problem("error", "history-header", place, message, ko))
        elif code := lost_zeros(name):
            message = f"{name} is no code: a spreadsheet dropped its zeros, write {code}"
            ko = f"{name}: 앞의 0이 빠진 코드입니다. {code}처럼 적으세요"
            problems.append(Problem("error", "history-header", place, message, ko))
        elif name in names[1 : index - 1]:
            message = f"{name} has two columns: keep one"
            problems.append(Problem("error", "history-header", place, message, f"{name} 열이 둘입니다: 하나만 두세요"))
    if len(names) == 1:
        message, ko = "no symbols after Date: add a column of closes", "Date 뒤에 종목이 없습니다: 종가 열을 더하세요"
        problems.append(Problem("error", "history-header", place, message, ko))
    return names[1:], problems


def _day(cell: str, place: str, seen: Mapping[dt.date, int]) -> tuple[dt.date | None, Problem | None]:
    where = f"{place}, column Date"
    try:
        day = dt.datetime.strptime(cell.strip(), "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        repaired = repaired_date(cell) or "yyyy-mm-dd"
        ko = f"{cell!r}: 날짜가 아닙니다. {repaired}처럼 적으세요"
        return None, Problem("error", "history-date", where, f"{cell!r} is no date: write {repaired}", ko)
    if not FIRST_CLOSE <= day <= LAST_DAY:
        ko = f"{day}: {FIRST_CLOSE}부터 {LAST_DAY}까지의 날짜로 고치세요"
        message = f"{day} is not a day from {FIRST_CLOSE} to {LAST_DAY}: correct it"
        return None, Problem("error", "history-date", where, message, ko)
    if day in seen:
        ko = f"{day}: {seen[day]}행에 이미 있습니다. 하나만 두세요"
        return None, Problem("error", "history-date", where, f"{day} is in row {seen[day]} already: keep one", ko)
    return day, None


def _close(cell: str, where: str) -> tuple[float, Problem | None]:
    text = cell.strip()
    if not text:
        return math.nan, None
    try:
        # float reads more than people write: 1_000, and digits of other scripts.
        close = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        message = f"{cell!r} is no number: write a close such as 16200 or 512.3, or leave the cell empty"
        ko = f"{cell!r}: 숫자가 아닙니다. 종가를 16200이나 512.3처럼 적거나 비워 두세요"
        return math.nan, Problem("error", "history-close", where, message, ko)
    if not (close > 0 and math.isfinite(close)):
        message = f"{text} is no close: it must be above 0; leave the cell empty for a day without one"
        ko = f"{text}: 종가는 0보다 커야 합니다. 종가가 없는 날은 비워 두세요"
        return math.nan, Problem("error", "history-close", where, message, ko)
    return close, None


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
