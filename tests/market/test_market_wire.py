"""What comes over the wire besides answers: redirects, endless bodies, dates to wait for, sources that hang."""

from __future__ import annotations

import datetime as dt
import email.utils
import time

import pytest

from engine.errors import RateLimited, SchemaChanged, Transient
from engine.market.catalogue import Listing
from engine.market.naver import Naver
from engine.market.provider import Deadline
from engine.market.wire import LONGEST_WAIT, seconds_until
from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW
from tests.market.replayed import Replayed

SAMSUNG = Listing("005930", "KR", "KRW", "삼성전자", "KOSPI")


@pytest.mark.parametrize(
    "target", ["https://example.com/", "http://finance.naver.com/", "https://naver.com.example.com/"]
)
def test_a_redirect_to_another_host_is_not_followed(target: str, replay: Replay) -> None:
    replay.fault("naver.quotes", 302, Location=target)
    answer = Naver().quotes([SAMSUNG], now=NOW, deadline=Deadline(10))
    assert str(answer.failed["005930"]) == "naver sent us to another host: not followed"
    assert answer.requests == len(replay.kinds()) == 1


def test_a_redirect_in_circles_ends(replay: Replay) -> None:
    replay.fault("naver.quotes", 302, Location="/api/realtime/domestic/stock/005930")
    answer = Naver().quotes([SAMSUNG], now=NOW, deadline=Deadline(10))
    assert isinstance(answer.failed["005930"], SchemaChanged)
    assert answer.requests == len(replay.kinds()) == 4


def test_a_body_without_end_is_not_read(replay: Replay) -> None:
    replay.fault("naver.quotes", "bomb")
    answer = Naver().quotes([SAMSUNG], now=NOW, deadline=Deadline(10))
    assert str(answer.failed["005930"]) == "naver answered with more than 16 MB: not read"


@pytest.mark.parametrize("text", ["1" + "0" * 20, "9" * 5000])
def test_any_size_of_retry_after_is_survived(text: str, market: Replayed, replay: Replay) -> None:
    replay.fault("naver.*", 429, **{"Retry-After": text})
    market.ask("005930")
    assert (market.store.breakers()["naver"].until - NOW).total_seconds() == LONGEST_WAIT


@pytest.mark.parametrize(
    ("text", "seconds"), [(None, None), ("", None), ("soon", None), ("-5", None), ("\u00b2", None), ("120", 120.0)]
)
def test_what_retry_after_means(text: str | None, seconds: float | None) -> None:
    assert seconds_until(text) == seconds


def test_a_date_to_come_back_at_is_waited_for(market: Replayed, replay: Replay) -> None:
    when = dt.datetime.now(dt.UTC) + dt.timedelta(hours=5)
    replay.fault("yahoo.quote", 429, **{"Retry-After": email.utils.format_datetime(when, usegmt=True)})
    assert isinstance(market.ask("^GSPC").failed["^GSPC"], RateLimited)
    waited = (market.store.breakers()["yahoo"].until - NOW).total_seconds()
    assert 5 * 3600 - 60 < waited <= 5 * 3600


@pytest.mark.slow
def test_a_source_that_hangs_is_left_alone_for_a_minute(market: Replayed, replay: Replay) -> None:
    market.yahoo_ready()
    for source in ("yahoo.*", "naver-world.*", "cnbc.*"):
        replay.fault(source, "hang")
    assert isinstance(market.ask("AAPL", deadline=2.5).failed["AAPL"], Transient)
    assert (market.store.breakers()["yahoo"].until - NOW).total_seconds() == 60
    replay.forget()
    started = time.monotonic()
    market.ask("AAPL", now=NOW + dt.timedelta(seconds=30), deadline=2.5)
    assert "yahoo.quote" not in replay.kinds()
    assert time.monotonic() - started < 2.8


def test_a_401_of_one_call_does_not_shut_the_vendor(market: Replayed, replay: Replay) -> None:
    replay.fault("yahoo.summary", 401)
    facts = market.research.facts(["AAPL"], now=NOW, deadline=10)
    assert "cookie and crumb" in str(facts.failed["AAPL"])
    assert set(market.store.breakers()) == {"yahoo facts"}
    assert market.ask("AAPL").ok["AAPL"].source == "yahoo"
