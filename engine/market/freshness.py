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
from engine.quote import Quote, Session
from engine.settings import MarketSettings
from engine.text import Bilingual

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


class Pulse:
    """Hold what one market should have traded by now, and what the sources were seen trading there."""

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

    def stale_reason(self, quote: Quote) -> Bilingual | None:
        """Return why a price is too old to act on, in one sentence with its times; None where it is not."""
        traded, fetched, now = quote.as_of, quote.fetched_at, self.now
        if traded is None or fetched is None:
            return None  # a person gave it, without a date
        ahead = (traded - now).total_seconds()
        if ahead > self.settings.clock_skew:
            span, ko = _span(ahead)
            return Bilingual(
                f"its time is {span} ahead of this computer's clock: check the clock",
                f"시세 시각이 이 컴퓨터 시계보다 {ko} 앞섭니다. 시계를 확인하세요",
            )
        if self.market == "FX":
            age = _open_seconds(traded, now)
            span, ko = _span(age)
            old = age > self.settings.stale_fx
            return Bilingual(f"the rate is {span} old, weekends aside", f"주말을 빼고 {ko} 지난 환율") if old else None
        if self.market not in REGULAR:
            age = (now - traded).total_seconds()
            old = age > ELSEWHERE_DAYS * 86400
            span, ko = _span(age)
            text = Bilingual(
                f"last traded {span} ago, on a market without a calendar", f"{ko} 전 거래, 개장일을 모르는 시장"
            )
            return text if old else None
        day = self._day(quote.delay_seconds)
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

    def _missed(self, traded: dt.date, day: TradingDay) -> Bilingual | None:
        """Return which session a price last traded on a date has missed."""
        newest = self._newest or traded
        if traded < newest and newest > day.date and calendars.trading_day(self.market, newest) is None:
            return Bilingual(
                f"last traded {traded}, but others traded on {newest}, which the calendar has closed",
                f"마지막 거래 {traded}. 휴장일로 아는 {newest}에 다른 종목이 거래되었습니다",
            )
        if traded >= day.date:
            return None
        if self._seen and newest < day.date:
            claim = f"the calendar has {self.market} open on {day.date}"
            return Bilingual(
                f"last traded {traded}; half-known: {claim}, no trade was seen",
                f"마지막 거래 {traded}. {self.market} 개장일인 {day.date}에 거래가 보이지 않아 확실하지 않습니다",
            )
        return Bilingual(
            f"last traded {traded}, before the session of {day.date}", f"마지막 거래 {traded}, {day.date} 장 이전"
        )

    def _not_live(self, source: str, traded: dt.datetime, fetched: dt.datetime, delay: int) -> Bilingual | None:
        """Return why a price is not live: a share may trade seldom, but a source without any trade stands still."""
        if self.now - fetched > self._patience(delay):
            span, ko = _span((self.now - fetched).total_seconds())
            return Bilingual(f"fetched {span} ago, and the market is open", f"장중인데 {ko} 전에 받은 시세")
        age = self.now - max(self._last.get(source, traded), traded)
        if age > self._patience(delay):
            span, ko = _span(age.total_seconds())
            return Bilingual(
                f"{source} has shown no trade for {span}, and the market is open",
                f"장중인데 {source} 체결이 {ko} 동안 없습니다",
            )
        return None

    def _not_final(
        self, source: str, traded: dt.datetime, fetched: dt.datetime, day: TradingDay, delay: int
    ) -> Bilingual | None:
        """Return why a price is not the close: looked up before it, or of a source that stopped before it."""
        close = _clock(self.market, day.close)
        if fetched < day.close + dt.timedelta(seconds=delay) and traded < day.close:
            looked = _clock(self.market, fetched)
            return Bilingual(f"fetched {looked}, before the close of {close}", f"{looked}에 받음, 장 마감 {close} 이전")
        last = max(self._last.get(source, traded), traded)
        if last < day.close - QUIET:
            seen = _clock(self.market, last)
            return Bilingual(
                f"{source} has shown no trade after {seen}; the close was {close}",
                f"{source} 체결이 {seen} 뒤로 없습니다. 장 마감 {close}",
            )
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


def _span(seconds: float) -> tuple[str, str]:
    """Return a length of time in English and Korean."""
    if seconds < 5400:
        number, english, korean = max(round(seconds / 60), 1), "min", "분"
    elif seconds < 172800:
        number, english, korean = round(seconds / 3600), "h", "시간"
    else:
        number, english, korean = round(seconds / 86400), "days", "일"
    return f"{number} {english}", f"{number}{korean}"


def _clock(market: str, moment: dt.datetime) -> str:
    return f"{moment.astimezone(calendars.zone(market)):%m-%d %H:%M}"
