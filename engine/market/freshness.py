"""Whether a price is still the price: against real sessions, and against what the sources were seen trading.

The calendar says when a market should have traded; observed trade dates outvote it in both directions. A day that
the calendar has open, on which nothing was seen trading but too few sources were asked, is half-known: its prices
are stale until a second source or a person says otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from engine.market import calendars
from engine.market.calendars import REGULAR, TradingDay
from engine.market.quote import Quote, Session
from engine.settings import MarketSettings

#: Shares that must be seen without a trade of a day before the calendar is doubted: one or two may be halted.
ENOUGH = 3
#: Sessions in a row that can be outvoted; a longer silence is the sources', not the exchange's.
OUTVOTED_DAYS = 2
#: How long before the close a source may have shown its last trade: a share that trades seldom, on its own.
QUIET = dt.timedelta(hours=1)
#: Age in days beyond which a price is stale where no calendar is known.
ELSEWHERE_DAYS = 4
_NEW_YORK = ZoneInfo("America/New_York")
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sighting:
    """Hold what one source showed of one symbol: when it last traded, when we looked, and the session it named."""

    market: str
    symbol: str
    vendor: str
    traded: dt.datetime
    fetched: dt.datetime
    session: Session


def sightings(market: str, quotes: Iterable[Quote]) -> list[Sighting]:
    """Return what quotes of one market show."""
    return [
        Sighting(market, quote.symbol, quote.source, quote.as_of, quote.fetched_at, quote.session)
        for quote in quotes
        if quote.as_of is not None and quote.fetched_at is not None
    ]


def current(quote: Quote, market: str, now: dt.datetime, settings: MarketSettings) -> bool:
    """Tell whether asking again can bring nothing new worth a request."""
    if quote.fetched_at is None:
        return True
    age = (now - quote.fetched_at).total_seconds()
    if age < -settings.clock_skew:
        return False
    if market == "FX":
        return age < settings.fresh_fx or (not _fx_open(now) and _open_seconds(quote.fetched_at, now) == 0)
    if market not in REGULAR:
        return age < settings.fresh_extended
    day = calendars.last_opened(market, now)
    if now < day.close:
        return age < settings.fresh_open
    return age < settings.fresh_extended or quote.fetched_at >= _settled(market, day, quote.delay_seconds)


def _settled(market: str, day: TradingDay, delay: int) -> dt.datetime:
    """Return when a session's price can no longer change: Korea's after-market moves it, the US one's is not used."""
    end = day.close
    if market == "KR":
        end = dt.datetime.combine(day.date, REGULAR["KR"].last, calendars.zone("KR"))
    return end + dt.timedelta(seconds=delay)


def stale_reason(
    quote: Quote, market: str, now: dt.datetime, settings: MarketSettings, seen: Sequence[Sighting] = ()
) -> str | None:
    """Return why a price is too old to act on, in one sentence with its times; None where it is not."""
    if quote.as_of is None or quote.fetched_at is None:
        return None
    ahead = (quote.as_of - now).total_seconds()
    if ahead > settings.clock_skew:
        return f"its time is {_span(ahead)} ahead of this computer's clock: check the clock"
    if market == "FX":
        age = _open_seconds(quote.as_of, now)
        return f"the rate is {_span(age)} old, weekends aside" if age > settings.stale_fx else None
    if market not in REGULAR:
        age = (now - quote.as_of).total_seconds()
        return f"last traded {_span(age)} ago, on a market without a calendar" if age > ELSEWHERE_DAYS * 86400 else None
    return _stale_on_calendar(quote, market, now, settings, [one for one in seen if one.market == market])


def _stale_on_calendar(
    quote: Quote, market: str, now: dt.datetime, settings: MarketSettings, seen: Sequence[Sighting]
) -> str | None:
    assert quote.as_of is not None  # noqa: S101 - stale_reason has looked
    assert quote.fetched_at is not None  # noqa: S101 - stale_reason has looked
    patience = dt.timedelta(seconds=settings.stale_open + quote.delay_seconds)
    day = calendars.last_opened(market, now)
    if now - day.open <= patience:  # the first trades of the day may not have reached us yet
        day = calendars.previous(market, day.date)
    for _ in range(OUTVOTED_DAYS):
        if _closed_by_vote(market, day, seen, settings):
            day = calendars.previous(market, day.date)
    traded = calendars.local_date(market, quote.as_of)
    newest = max((calendars.local_date(market, one.traded) for one in seen if one.traded <= now), default=traded)
    if traded < newest and newest > day.date and calendars.trading_day(market, newest) is None:
        return f"last traded {traded}, but others traded on {newest}, which the calendar has closed"
    if traded < day.date:
        if seen and newest < day.date:
            return f"last traded {traded}; half-known: the calendar has {market} open on {day.date}, no trade was seen"
        return f"last traded {traded}, before the session of {day.date}"
    if day.open <= now < day.close:
        return _stale_while_open(quote, now, patience, seen)
    if quote.fetched_at < day.close + dt.timedelta(seconds=quote.delay_seconds) and quote.as_of < day.close:
        return f"fetched {_clock(market, quote.fetched_at)}, before the close of {_clock(market, day.close)}"
    last = _newest(quote, seen)
    if last < day.close - QUIET:
        return (
            f"{quote.source} has shown no trade after {_clock(market, last)}; the close was {_clock(market, day.close)}"
        )
    return None


def _newest(quote: Quote, seen: Sequence[Sighting]) -> dt.datetime:
    """Return when the quote's source was last seen trading anything of its market."""
    traded = [one.traded for one in seen if one.vendor == quote.source]
    assert quote.as_of is not None  # noqa: S101 - stale_reason has looked
    return max([*traded, quote.as_of])


def _stale_while_open(quote: Quote, now: dt.datetime, patience: dt.timedelta, seen: Sequence[Sighting]) -> str | None:
    """Return why a price is not live: a share may trade seldom, but a source without any trade stands still."""
    assert quote.as_of is not None  # noqa: S101 - stale_reason has looked
    assert quote.fetched_at is not None  # noqa: S101 - stale_reason has looked
    if now - quote.fetched_at > patience:
        return f"fetched {_span((now - quote.fetched_at).total_seconds())} ago, and the market is open"
    age = now - _newest(quote, seen)
    if age > patience:
        return f"{quote.source} has shown no trade for {_span(age.total_seconds())}, and the market is open"
    return None


def _closed_by_vote(market: str, day: TradingDay, seen: Sequence[Sighting], settings: MarketSettings) -> bool:
    """Tell whether what was seen since the session should have opened says that it did not.

    Several shares must show no trade of the day, and two sources must agree, or one must call the market closed during
    regular hours: a source that merely stands still looks like a holiday.
    """
    since = day.open + dt.timedelta(seconds=settings.stale_open)
    looked = [one for one in seen if one.fetched >= since]
    if any(calendars.local_date(market, one.traded) >= day.date for one in looked):
        return False
    said = {one.symbol for one in looked if one.session == "closed" and one.fetched < day.close}
    agreed = len({one.vendor for one in looked}) > 1 and len({one.symbol for one in looked}) >= ENOUGH
    return agreed or len(said) >= ENOUGH


def _fx_open(moment: dt.datetime) -> bool:
    """Currencies trade from Sunday 17:00 to Friday 17:00 in New York."""
    local = moment.astimezone(_NEW_YORK)
    if local.weekday() == 5:
        return False
    if local.weekday() == 6:
        return local.hour >= 17
    return local.weekday() < 4 or local.hour < 17


def _open_seconds(start: dt.datetime, end: dt.datetime) -> float:
    """Return the seconds between two moments, without the weekends in which currencies do not trade."""
    total = max((end - start).total_seconds(), 0.0)
    friday = start.astimezone(_NEW_YORK).replace(hour=17, minute=0, second=0, microsecond=0)
    friday -= ((friday.weekday() - 4) % 7) * _DAY
    while friday < end:
        total -= max((min(end, friday + 2 * _DAY) - max(start, friday)).total_seconds(), 0.0)
        friday += 7 * _DAY
    return max(total, 0.0)


def _span(seconds: float) -> str:
    if seconds < 5400:
        return f"{max(round(seconds / 60), 1)} min"
    return f"{round(seconds / 3600)} h" if seconds < 172800 else f"{round(seconds / 86400)} days"


def _clock(market: str, moment: dt.datetime) -> str:
    return f"{moment.astimezone(calendars.zone(market)):%m-%d %H:%M}"
