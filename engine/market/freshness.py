"""Whether a price is still the price: against real sessions, and against what the sources were seen trading.

The calendar says when a market should have traded; observed trade dates outvote it in both directions. A day that
the calendar has open, on which nothing was seen trading but too few sources were asked, is half-known: its prices
are stale until a second source or a person says otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.market import calendars
from engine.market.calendars import REGULAR, TradingDay
from engine.phrase import Phrase, phrase
from engine.quote import Quote, Session
from engine.settings import MarketSettings

#: Shares that must be seen without a trade of a day before the calendar is doubted: one or two may be halted.
ENOUGH = 3
#: Sessions in a row that can be outvoted; a longer silence is the sources', not the exchange's.
OUTVOTED_DAYS = 2
#: How long before the close a source may have shown its last trade: a share that trades seldom, on its own.
QUIET = dt.timedelta(hours=1)
#: Age in days beyond which a price is stale where no calendar is known.
ELSEWHERE_DAYS = 4
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one source showed of one symbol: when it last traded, when we looked, and the session it named."""

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


class Pulse:
    """What one market should have traded by now, and what the sources were seen trading there."""

    def __init__(self, market: str, now: dt.datetime, settings: MarketSettings, seen: Sequence[Sighting] = ()) -> None:
        self.market = market
        self.now = now
        self.settings = settings
        self._seen: list[tuple[Sighting, dt.date]] = []
        self._last: dict[str, dt.datetime] = {}
        self._days: dict[int, TradingDay] = {}
        if market not in REGULAR:
            return
        self._seen = [(one, calendars.local_date(market, one.traded)) for one in seen if one.market == market]
        for one in seen:
            self._last[one.vendor] = max(self._last.get(one.vendor, one.traded), one.traded)
        self._newest = max((day for one, day in self._seen if one.traded <= now), default=None)

    def stale_reason(self, quote: Quote) -> Phrase | None:
        """Return why a price is too old to act on, in one sentence with its times; None where it is not."""
        traded, fetched, now = quote.as_of, quote.fetched_at, self.now
        if traded is None or fetched is None:
            return None  # a person gave it, without a date
        ahead = (traded - now).total_seconds()
        if ahead > self.settings.clock_skew:
            return phrase("stale.ahead", span=_span(ahead))
        if self.market == "FX":
            age = _open_seconds(traded, now)
            return phrase("stale.rate", span=_span(age)) if age > self.settings.stale_fx else None
        if self.market not in REGULAR:
            age = (now - traded).total_seconds()
            return phrase("stale.elsewhere", span=_span(age)) if age > ELSEWHERE_DAYS * 86400 else None
        day = self._day(quote.delay_seconds)
        if quote.session in ("pre", "after") and not day.open <= now < day.close:
            running = calendars.in_extended_hours(self.market, now)
            if running and now - fetched > self._patience(quote.delay_seconds):
                return phrase("stale.not-live", span=_span((now - fetched).total_seconds()))
        return self._missed(calendars.local_date(self.market, traded), day) or (
            self._not_live(quote.source, traded, fetched, quote.delay_seconds)
            if day.open <= now < day.close
            else self._not_final(quote.source, traded, fetched, day, quote.delay_seconds)
        )

    def _day(self, delay: int) -> TradingDay:
        """Return the session that a price of this delay must be of."""
        if delay not in self._days:
            day = calendars.last_opened(self.market, self.now)
            if self.now - day.open <= self._patience(delay):  # the first trades of the day may not have reached us yet
                day = calendars.previous(self.market, day.date)
            for _ in range(OUTVOTED_DAYS):
                if self._closed_by_vote(day):
                    day = calendars.previous(self.market, day.date)
            self._days[delay] = day
        return self._days[delay]

    def _patience(self, delay: int) -> dt.timedelta:
        return dt.timedelta(seconds=self.settings.stale_open + delay)

    def _missed(self, traded: dt.date, day: TradingDay) -> Phrase | None:
        """Return which session a price last traded on a date has missed."""
        newest = self._newest or traded
        if traded < newest and newest > day.date and calendars.trading_day(self.market, newest) is None:
            return phrase("stale.others-traded", traded=traded, newest=newest)
        if traded >= day.date:
            return None
        if self._seen and newest < day.date:
            return phrase("stale.half-known", traded=traded, market=self.market, session=day.date)
        return phrase("stale.missed", traded=traded, session=day.date)

    def _not_live(self, source: str, traded: dt.datetime, fetched: dt.datetime, delay: int) -> Phrase | None:
        """Return why a price is not live: a share may trade seldom, but a source without any trade stands still."""
        if self.now - fetched > self._patience(delay):
            return phrase("stale.not-live", span=_span((self.now - fetched).total_seconds()))
        age = self.now - max(self._last.get(source, traded), traded)
        if age > self._patience(delay):
            return phrase("stale.source-still", source=source, span=_span(age.total_seconds()))
        return None

    def _not_final(
        self, source: str, traded: dt.datetime, fetched: dt.datetime, day: TradingDay, delay: int
    ) -> Phrase | None:
        """Return why a price is not the close: looked up before it, or of a source that stopped before it."""
        here = calendars.zone(self.market)
        if fetched < day.close + dt.timedelta(seconds=delay) and traded < day.close:
            return phrase("stale.before-close", fetched=fetched.astimezone(here), close=day.close)
        last = max(self._last.get(source, traded), traded)
        if last < day.close - QUIET:
            return phrase("stale.source-stopped", source=source, last=last.astimezone(here), close=day.close)
        return None

    def _closed_by_vote(self, day: TradingDay) -> bool:
        """Tell whether what was seen since the session should have opened says that it did not.

        Several shares must show no trade of the day, and two sources must agree, or one must call the market closed
        during regular hours: a source that merely stands still looks like a holiday.
        """
        since = day.open + dt.timedelta(seconds=self.settings.stale_open)
        looked = [(one, date) for one, date in self._seen if one.fetched >= since]
        if any(date >= day.date for _, date in looked):
            return False
        said = {one.symbol for one, _ in looked if one.session == "closed" and one.fetched < day.close}
        agreed = len({one.vendor for one, _ in looked}) > 1 and len({one.symbol for one, _ in looked}) >= ENOUGH
        return agreed or len(said) >= ENOUGH


def _fx_open(moment: dt.datetime) -> bool:
    """Currencies trade from Sunday 17:00 to Friday 17:00 in New York."""
    local = moment.astimezone(calendars.zone("US"))
    if local.weekday() == 5:
        return False
    if local.weekday() == 6:
        return local.hour >= 17
    return local.weekday() < 4 or local.hour < 17


def _open_seconds(start: dt.datetime, end: dt.datetime) -> float:
    """Return the seconds between two moments, without the weekends in which currencies do not trade."""
    total = max((end - start).total_seconds(), 0.0)
    friday = start.astimezone(calendars.zone("US")).replace(hour=17, minute=0, second=0, microsecond=0)
    friday -= ((friday.weekday() - 4) % 7) * _DAY
    while friday < end:
        total -= max((min(end, friday + 2 * _DAY) - max(start, friday)).total_seconds(), 0.0)
        friday += 7 * _DAY
    return max(total, 0.0)


def _span(seconds: float) -> Phrase:
    """Return a length of time in the largest unit that is still exact enough."""
    if seconds < 5400:
        return phrase("span.minutes", number=max(round(seconds / 60), 1))
    if seconds < 172800:
        return phrase("span.hours", number=round(seconds / 3600))
    return phrase("span.days", number=round(seconds / 86400))
