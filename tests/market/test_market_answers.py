"""What an answer is to programs: the JSON document, a DataFrame, a log; and what it says in both languages."""

from __future__ import annotations

import datetime as dt
import logging
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from engine.errors import NoData, warning
from engine.market.quoting import QuoteBatch
from engine.market.store import FILE, Store
from engine.phrase import phrase
from engine.quote import Quote
from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW
from tests.market.replayed import Replayed

OLD = phrase("stale.rate", span=phrase("span.hours", number=26))
RATE = Quote("USDKRW", Decimal("1402.5"), "KRW", NOW, "yahoo", "closed", 60, NOW, OLD)
GIVEN = Quote("AAPL", Decimal(200), "USD", None, "manual", name="Apple")
BATCH = QuoteBatch(
    {"USD/KRW": RATE, "AAPL": GIVEN},
    {"MSFT": NoData(phrase("yahoo.nothing", symbol="MSFT"), symbol="MSFT", source="yahoo")},
    3,
    (warning("trading-halted", "AAPL", name="Apple"),),
)


def test_a_batch_of_quotes_is_the_documented_object() -> None:
    document = BATCH.to_json()
    assert list(document) == ["quotes", "failed", "requests", "problems"]
    assert document["quotes"][0] == {
        "symbol": "USDKRW",
        "name": "",
        "price": 1402.5,
        "currency": "KRW",
        "as_of": "2026-11-20T05:00:00+00:00",
        "session": "closed",
        "source": "yahoo",
        "delay_seconds": 60,
        "fetched_at": "2026-11-20T05:00:00+00:00",
        "stale": True,
        "stale_reason": "the rate is 26 h old, weekends aside",
    }
    assert document["failed"] == [{"symbol": "MSFT", "error": "NoData", "message": "yahoo: nothing came for MSFT"}]
    assert [problem["code"] for problem in document["problems"]] == ["trading-halted"]


def test_a_batch_of_quotes_is_a_frame() -> None:
    frame = BATCH.to_frame()
    assert list(frame.index) == ["USDKRW", "AAPL"]
    assert list(frame.columns) == list(BATCH.to_json()["quotes"][0])[1:]
    assert frame.dtypes[["price", "delay_seconds", "stale"]].astype(str).tolist() == ["float64", "int64", "bool"]
    assert frame["as_of"].tolist() == [pd.Timestamp(NOW), pd.NaT]
    assert frame.loc["USDKRW", "price"] == 1402.5


def test_a_batch_of_nothing_is_an_empty_frame() -> None:
    frame = QuoteBatch({}, {}, 0).to_frame()
    assert (len(frame), list(frame.columns)) == (0, list(BATCH.to_frame().columns))


def test_why_a_price_is_stale_is_said_in_the_readers_language() -> None:
    assert (OLD.told("en"), OLD.told("ko")) == ("the rate is 26 h old, weekends aside", "주말을 빼고 26시간 지난 환율")


def test_what_several_sources_said_is_told_in_the_readers_language(market: Replayed, replay: Replay) -> None:
    replay.fault("yahoo.*", 429)
    replay.fault("naver.*", 403)
    error = market.ask("005930").failed["005930"]
    assert "naver has shut this address out (HTTP 403); yahoo asks for fewer requests (HTTP 429)" in str(error)
    assert "naver에서 이 주소를 막았습니다 (HTTP 403); yahoo 요청이 너무 많습니다 (HTTP 429)" in error.said("ko")


@pytest.mark.usefixtures("first_alone")
def test_a_source_that_refuses_is_logged(market: Replayed, replay: Replay, caplog: pytest.LogCaptureFixture) -> None:
    replay.fault("yahoo.quote", 429)
    market.ask("AAPL")
    later = market.store.breakers()["yahoo"].until + dt.timedelta(seconds=1)
    replay.faults.clear()
    market.ask("AAPL", now=later)
    said = [(one.levelname, one.getMessage()) for one in caplog.records if one.name == "engine.market.provider"]
    assert said == [
        ("WARNING", "yahoo refused (RateLimited): left alone for 900 s"),
        ("INFO", "yahoo failed for 1 of 1 (RateLimited)"),
        ("INFO", "yahoo answers again"),
    ]


def test_a_store_that_is_set_aside_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text("this is no database", encoding="utf-8")
    store = Store(tmp_path / FILE)
    assert not store.quotes()
    store.close()
    (said,) = [one for one in caplog.records if one.name == "engine.market.store"]
    assert said.levelno == logging.WARNING
    assert "could not be read and was set aside" in said.getMessage()
