"""When the Korean and the US exchange trade: tables for the near years, exchange_calendars beyond them.

`calendar_days.csv` holds the weekdays that differ from a plain week, written by `python -m engine.market.calendars`
from exchange_calendars and `calendar_overrides.csv`: building those calendars takes seconds, which a formula has not.
`calendar_overrides.csv` holds, with source and date, the days on which exchange_calendars is wrong.
"""

from __future__ import annotations

import csv
import datetime as dt
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

#: The years that `calendar_days.csv` covers, both included.
FIRST_YEAR, LAST_YEAR = 2024, 2030
#: (month, day) on which neither exchange ever trades: New Year's Day and Christmas Day.
NEVER = frozenset({(1, 1), (12, 25)})
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """An exchange's calendar name, time zone, and regular and extended hours in local time."""

    exchange: str
    zone: str
    open: dt.time
    close: dt.time
    first: dt.time
    last: dt.time


#: Extended hours: the US ones are the consolidated tape's; the Korean ones since the after-market of 2026-09-14.
REGULAR: Mapping[str, Hours] = {
    "KR": Hours("XKRX", "Asia/Seoul", dt.time(9), dt.time(15, 30), dt.time(8), dt.time(20)),
    "US": Hours("XNYS", "America/New_York", dt.time(9, 30), dt.time(16), dt.time(4), dt.time(20)),
}


@dataclass(frozen=True, slots=True)
class TradingDay:
    """One session: its date at the exchange, and its regular hours (aware)."""

    date: dt.date
    open: dt.datetime
    close: dt.datetime


def zone(market: str) -> ZoneInfo:
    """Return the time zone of KR or US; raises KeyError for another market."""
    from zoneinfo import ZoneInfo

    return ZoneInfo(REGULAR[market].zone)


def local_date(market: str, moment: dt.datetime) -> dt.date:
    """Return the date at the exchange."""
    return moment.astimezone(zone(market)).date()


@lru_cache(maxsize=1024)
def trading_day(market: str, date: dt.date) -> TradingDay | None:
    """Return the session of a date, or None where the exchange is closed."""
    hours = REGULAR[market]
    special = _days(market, date.year)
    if date not in special and date.weekday() > 4:
        return None
    times = special.get(date, (hours.open, hours.close))
    if times is None:
        return None
    opening, closing = (dt.datetime.combine(date, time, zone(market)) for time in times)
    return TradingDay(date, opening, closing)


def trades_on(market: str, date: dt.date) -> bool:
    """Tell whether a market trades on a date, as far as can be said at once.

    In the years of `calendar_days.csv` that is what the table says; beyond them, holidays are not announced, and every
    weekday but those of `NEVER` counts. A market without a calendar trades on weekdays.
    """
    if market not in REGULAR:
        return date.weekday() < 5
    if FIRST_YEAR <= date.year <= LAST_YEAR:
        special = _days(market, date.year)
        return special[date] is not None if date in special else date.weekday() < 5
    return date.weekday() < 5 and (date.month, date.day) not in NEVER


@lru_cache(maxsize=16)
def last_opened(market: str, now: dt.datetime) -> TradingDay:
    """Return the session that opened last, at or before `now`."""
    date = local_date(market, now)
    while True:
        day = trading_day(market, date)
        if day is not None and day.open <= now:
            return day
        date -= _DAY


def previous(market: str, date: dt.date) -> TradingDay:
    """Return the last session before a date."""
    while True:
        date -= _DAY
        day = trading_day(market, date)
        if day is not None:
            return day


def in_extended_hours(market: str, now: dt.datetime) -> bool:
    """Tell whether trading before or after regular hours can move the price now."""
    hours = REGULAR[market]
    local = now.astimezone(zone(market))
    return trading_day(market, local.date()) is not None and hours.first <= local.time() < hours.last


Times = tuple[dt.time, dt.time] | None


@lru_cache(maxsize=64)
def _days(market: str, year: int) -> Mapping[dt.date, Times]:
    """Return a year's dates that differ from a plain week: their hours, or None for closed."""
    if FIRST_YEAR <= year <= LAST_YEAR:
        return {day: times for day, times in _table("calendar_days.csv", market).items() if day.year == year}
    return built(market, year)


def built(market: str, year: int) -> Mapping[dt.date, Times]:
    """Return the same from exchange_calendars and the overrides; takes seconds for the first year asked."""
    hours = REGULAR[market]
    near = FIRST_YEAR <= year <= LAST_YEAR
    opened = _exchange(market, FIRST_YEAR, LAST_YEAR) if near else _exchange(market, year, year)
    found: dict[dt.date, Times] = {}
    day = dt.date(year, 1, 1)
    while day.year == year:
        times = opened.get(day)
        plain = (hours.open, hours.close) if day.weekday() < 5 else None
        if times != plain:
            found[day] = times
        day += _DAY
    overrides = _table("calendar_overrides.csv", market)
    found.update({day: times for day, times in overrides.items() if day.year == year})
    return found


@lru_cache(maxsize=8)
def _exchange(market: str, first: int, last: int) -> Mapping[dt.date, tuple[dt.time, dt.time]]:
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(REGULAR[market].exchange, start=f"{first}-01-01", end=f"{last}-12-31")
    local = zone(market)
    rows = zip(calendar.schedule.index, calendar.schedule["open"], calendar.schedule["close"], strict=True)
    return {
        day.date(): (opening.tz_convert(local).time(), closing.tz_convert(local).time())
        for day, opening, closing in rows
    }


@lru_cache(maxsize=8)
def _table(name: str, market: str) -> Mapping[dt.date, Times]:
    text = resources.files("engine.market").joinpath(name).read_text(encoding="utf-8")
    return {
        dt.date.fromisoformat(row["date"]): (
            (dt.time.fromisoformat(row["open"]), dt.time.fromisoformat(row["close"])) if row["open"] else None
        )
        for row in csv.DictReader(text.splitlines())
        if row["market"] == market
    }


def rows() -> Iterable[tuple[str, str, str, str]]:
    """Yield the rows of `calendar_days.csv` as they should be: market, date, open, close (empty: closed)."""
    for market in REGULAR:
        for year in range(FIRST_YEAR, LAST_YEAR + 1):
            for day, times in sorted(built(market, year).items()):
                opening, closing = (time.isoformat("minutes") for time in times) if times else ("", "")
                yield market, day.isoformat(), opening, closing


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("market", "date", "open", "close"))
    writer.writerows(rows())
