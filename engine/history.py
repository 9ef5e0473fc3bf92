"""Closes by day: several on common dates and in one currency; nothing is filled in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import NoData
from engine.market.catalogue import pair
from engine.phrase import phrase
from engine.quote import History

Days = NDArray[np.datetime64]
Floats = NDArray[np.float64]
#: What the closes contain: total-return has dividends reinvested, price has not, unknown is whatever a person gave.
Kind = Literal["total-return", "price", "unknown"]

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One symbol's closes by day, ascending. `currency` is empty where nobody said it; closes are above 0."""

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
    """Several series by symbol, and rates by pair; `source` names the file or provider."""

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
            source = self.source or phrase("closes.the-history")
            raise NoData(phrase("closes.missing", symbol=symbol, source=source), symbol=symbol)
        series = self.series[symbol]
        if series.currency == currency:
            return series
        if not series.currency:
            raise NoData(phrase("closes.no-currency", symbol=symbol, currency=currency), symbol=symbol)
        for name, invert in ((series.currency + currency, False), (currency + series.currency, True)):
            if name in self.rates:
                rates = self.rates[name]
                common, ours, theirs = np.intersect1d(series.days, rates.days, assume_unique=True, return_indices=True)
                rate = 1.0 / rates.closes[theirs] if invert else rates.closes[theirs]
                return replace(series, days=common, closes=series.closes[ours] * rate, currency=currency)
        raise NoData(phrase("closes.no-rates", given=series.currency, currency=currency), symbol=symbol)


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
