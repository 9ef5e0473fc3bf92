"""Whether a price is still the price: open market, closed, holiday, half-known day, weekend, clocks."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from engine.market import calendars
from engine.market.freshness import Pulse, Sighting, current, sightings
from engine.quote import Quote, Session
from engine.settings import MarketSettings

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
SETTINGS = MarketSettings()


def seoul(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-{text}").replace(tzinfo=SEOUL)


def new_york(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-{text}").replace(tzinfo=NEW_YORK)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-{text}").replace(tzinfo=dt.UTC)


def quote(traded: dt.datetime, fetched: dt.datetime, source: str = "naver", delay: int = 0) -> Quote:
    return Quote("X", Decimal(100), "KRW", traded, source, "regular", delay, fetched)


def reason(
    traded: dt.datetime, fetched: dt.datetime, now: dt.datetime, market: str = "KR", delay: int = 0, *seen: Sighting
) -> str | None:
    one = quote(traded, fetched, delay=delay)
    own = Sighting(market, "X", one.source, traded, fetched, "regular")
    said = Pulse(market, now, SETTINGS, [own, *seen]).stale_reason(one)
    return None if said is None else str(said)


def sight(symbol: str, vendor: str, traded: dt.datetime, fetched: dt.datetime, session: Session = "closed") -> Sighting:
    return Sighting("KR", symbol, vendor, traded, fetched, session)


FRESH = [
    ("traded a minute ago, market open", "11-20 13:59", "11-20 14:00", "11-20 14:00"),
    ("fetched 19 minutes ago, market open", "11-20 13:40", "11-20 13:41", "11-20 14:00"),
    ("the day before's close, ten minutes after the opening", "11-19 16:30", "11-20 09:10", "11-20 09:10"),
    ("the close, in the evening", "11-20 15:30", "11-20 16:00", "11-20 23:00"),
    ("the after-market's last trade", "11-20 18:00", "11-20 18:01", "11-20 19:00"),
    ("Friday's close, on Sunday", "11-20 15:30", "11-21 10:00", "11-22 18:00"),
    ("Friday's close, on Monday before the opening", "11-20 15:30", "11-21 10:00", "11-23 08:59"),
    ("the close before a holiday of the overrides", "07-16 15:30", "07-17 12:00", "07-17 12:00"),
    ("the examination day's close at 16:30", "11-19 16:30", "11-19 16:31", "11-19 17:00"),
]


@pytest.mark.parametrize(("traded", "fetched", "now"), [row[1:] for row in FRESH], ids=[row[0] for row in FRESH])
def test_fresh(traded: str, fetched: str, now: str) -> None:
    assert reason(seoul(traded), seoul(fetched), seoul(now)) is None


STALE = [
    ("11-20 13:30", "11-20 13:31", "11-20 14:00", "fetched 29 min ago, and the market is open"),
    ("11-20 11:00", "11-20 14:00", "11-20 14:00", "naver has shown no trade for 3 h, and the market is open"),
    (
        "11-19 16:30",
        "11-20 14:00",
        "11-20 14:00",
        "last traded 2026-11-19; half-known: the calendar has KR open on 2026-11-20, no trade was seen",
    ),
    ("11-20 12:00", "11-20 12:01", "11-20 18:00", "fetched 11-20 12:01, before the close of 11-20 15:30"),
    (
        "11-20 12:00",
        "11-20 18:00",
        "11-20 18:00",
        "naver has shown no trade after 11-20 12:00; the close was 11-20 15:30",
    ),
    ("11-20 15:30", "11-20 15:31", "11-20 12:00", "its time is 4 h ahead of this computer's clock: check the clock"),
    ("11-19 15:30", "11-19 15:31", "11-19 17:00", "fetched 11-19 15:31, before the close of 11-19 16:30"),
]


@pytest.mark.parametrize(("traded", "fetched", "now", "said"), STALE)
def test_stale(traded: str, fetched: str, now: str, said: str) -> None:
    assert reason(seoul(traded), seoul(fetched), seoul(now)) == said


@pytest.mark.parametrize(
    ("session", "fetched", "now", "said"),
    [
        ("after", "11-20 18:01", "11-20 18:19", None),
        ("after", "11-20 18:01", "11-20 19:00", "fetched 59 min ago, and the market is open"),
        ("after", "11-20 19:59", "11-20 20:30", None),
        ("pre", "11-20 08:05", "11-20 08:45", "fetched 40 min ago, and the market is open"),
    ],
)
def test_a_price_before_or_after_hours_ages_while_those_hours_last(
    session: Session, fetched: str, now: str, said: str | None
) -> None:
    one = Quote("X", Decimal(100), "KRW", seoul(fetched), "naver", session, 0, seoul(fetched))
    told = Pulse("KR", seoul(now), SETTINGS, sightings("KR", [one])).stale_reason(one)
    assert (None if told is None else str(told)) == said


def test_a_delayed_source_is_given_its_delay() -> None:
    assert reason(seoul("11-20 13:35"), seoul("11-20 13:55"), seoul("11-20 14:00"), "KR", 1200) is None
    assert reason(seoul("11-20 15:29"), seoul("11-20 15:49"), seoul("11-20 18:00"), "KR", 1200) is not None
    assert reason(seoul("11-20 15:29"), seoul("11-20 15:51"), seoul("11-20 18:00"), "KR", 1200) is None


def test_the_us_close_lasts_over_thanksgiving_and_the_half_day_closes_at_one() -> None:
    close = new_york("11-25 16:00")
    assert reason(close, new_york("11-25 17:00"), new_york("11-26 12:00"), "US") is None
    assert reason(close, new_york("11-25 17:00"), new_york("11-27 12:00"), "US") is not None
    half = new_york("11-27 13:00")
    assert reason(half, new_york("11-27 13:05"), new_york("11-27 15:00"), "US") is None


MOURNING = seoul("11-20 14:00")  # a day that the calendar has open, in this tale by mistake
DAY_BEFORE = seoul("11-19 16:30")


def test_two_sources_without_a_trade_of_the_day_outvote_the_calendar() -> None:
    others = [sight(symbol, "yahoo", DAY_BEFORE, MOURNING, "regular") for symbol in "XYZ"]
    assert reason(DAY_BEFORE, MOURNING, MOURNING, "KR", 0, *others) is None


def test_a_halted_share_is_no_holiday_though_two_sources_agree_on_it() -> None:
    said = reason(DAY_BEFORE, MOURNING, MOURNING, "KR", 0, sight("X", "yahoo", DAY_BEFORE, MOURNING))
    assert said is not None
    assert "half-known" in said


def test_sources_silent_for_days_do_not_make_a_holiday_of_them() -> None:
    old = seoul("11-10 15:30")
    others = [sight(symbol, "yahoo", old, MOURNING) for symbol in "XYZ"]
    assert reason(old, MOURNING, MOURNING, "KR", 0, *others) is not None


def test_one_source_outvotes_the_calendar_only_by_calling_the_market_closed_for_several_shares() -> None:
    closed = [sight(symbol, "naver", DAY_BEFORE, MOURNING) for symbol in "ABC"]
    assert reason(DAY_BEFORE, MOURNING, MOURNING, "KR", 0, *closed) is None
    standing_still = [sight(symbol, "naver", DAY_BEFORE, MOURNING, "regular") for symbol in "ABC"]
    said = reason(DAY_BEFORE, MOURNING, MOURNING, "KR", 0, *standing_still)
    assert said is not None
    assert "half-known" in said


def test_one_trade_of_the_day_proves_the_market_open() -> None:
    other = sight("Y", "yahoo", seoul("11-20 13:50"), MOURNING)
    said = reason(DAY_BEFORE, MOURNING, MOURNING, "KR", 0, other, sight("Z", "yahoo", DAY_BEFORE, MOURNING))
    assert said == "last traded 2026-11-19, before the session of 2026-11-20"


def test_a_trade_on_a_day_the_calendar_has_closed_makes_older_prices_stale() -> None:
    holiday = seoul("07-17 14:00")
    other = sight("Y", "yahoo", seoul("07-17 13:50"), holiday)
    said = reason(seoul("07-16 15:30"), holiday, holiday, "KR", 0, other)
    assert said == "last traded 2026-07-16, but others traded on 2026-07-17, which the calendar has closed"


@pytest.mark.parametrize(
    ("traded", "now", "said"),
    [
        ("11-20 04:00", "11-20 05:00", None),
        ("11-20 22:00", "11-22 21:00", None),
        ("11-20 21:00", "11-23 21:00", None),
        ("11-18 20:00", "11-20 05:00", "the rate is 33 h old, weekends aside"),
        ("11-20 20:00", "11-23 22:30", "the rate is 26 h old, weekends aside"),
    ],
)
def test_a_rate_ages_while_currencies_trade(traded: str, now: str, said: str | None) -> None:
    rate = Quote("USDKRW", Decimal(1400), "KRW", utc(traded), "yahoo", fetched_at=utc(now))
    reason = Pulse("FX", utc(now), SETTINGS).stale_reason(rate)
    assert (None if reason is None else str(reason)) == said


def test_a_price_elsewhere_is_stale_after_four_days() -> None:
    index = Quote("^GSPC", Decimal(6000), "USD", utc("11-16 21:00"), "yahoo", fetched_at=utc("11-20 05:00"))
    assert Pulse("OTHER", utc("11-20 05:00"), SETTINGS).stale_reason(index) is None
    assert Pulse("OTHER", utc("11-21 05:00"), SETTINGS).stale_reason(index) is not None


def test_a_price_that_a_person_gave_without_a_date_is_not_judged() -> None:
    assert Pulse("KR", utc("11-20 05:00"), SETTINGS).stale_reason(Quote("X", Decimal(1), "KRW", None, "manual")) is None


@pytest.mark.parametrize(
    ("market", "fetched", "now", "expected"),
    [
        ("KR", "11-20 05:00", "11-20 05:00:59", True),
        ("KR", "11-20 05:00", "11-20 05:01:00", False),
        ("KR", "11-20 06:31", "11-20 06:40", True),  # after the close, while the after-market may move it
        ("KR", "11-20 06:31", "11-20 06:42", False),
        ("KR", "11-20 11:01", "11-22 23:59", True),  # settled on Friday evening, until Monday's opening
        ("KR", "11-20 11:01", "11-23 00:00", False),
        ("US", "11-20 21:01", "11-23 14:29", True),
        ("US", "11-20 20:59", "11-20 21:30", False),
        ("FX", "11-20 05:00", "11-20 05:09", True),
        ("FX", "11-20 05:00", "11-20 05:11", False),
        ("FX", "11-20 22:30", "11-22 21:00", True),
        ("KR", "11-20 06:00", "11-20 05:00", False),  # the clock was set back
    ],
)
def test_a_stored_price_is_fetched_again_when_it_can_have_changed(
    market: str, fetched: str, now: str, *, expected: bool
) -> None:
    assert current(quote(utc(fetched), utc(fetched)), market, utc(now), SETTINGS) is expected


@pytest.mark.slow
def test_the_bundled_days_are_those_of_exchange_calendars_and_the_overrides() -> None:
    text = resources.files("engine.market").joinpath("calendar_days.csv").read_text(encoding="utf-8")
    assert [tuple(row) for row in csv.reader(text.splitlines())][1:] == list(calendars.rows())


@pytest.mark.parametrize("date", ["2026-06-03", "2026-07-17", "2026-12-25", "2026-11-21"])
def test_korea_is_closed(date: str) -> None:
    assert calendars.trading_day("KR", dt.date.fromisoformat(date)) is None


def test_the_examination_day_opens_at_ten() -> None:
    day = calendars.trading_day("KR", dt.date(2026, 11, 19))
    assert day is not None
    assert (day.open, day.close) == (seoul("11-19 10:00"), seoul("11-19 16:30"))


def test_years_beyond_the_table_come_from_exchange_calendars() -> None:
    assert calendars.trading_day("US", dt.date(2023, 7, 4)) is None
    assert calendars.trading_day("US", dt.date(2023, 7, 5)) is not None


def test_every_override_says_why_whence_and_when() -> None:
    text = resources.files("engine.market").joinpath("calendar_overrides.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) >= 3
    assert all(row["why"] and row["source"] and dt.date.fromisoformat(row["checked_on"]) for row in rows)
