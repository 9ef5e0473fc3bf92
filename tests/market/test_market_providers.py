"""One suite that every source of quotes passes: what the chain may rely on, whoever answers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import MarketDataError, Transient
from engine.market.catalogue import Listing
from engine.market.krx import Krx, Login
from engine.market.naver import Naver, NaverCharts
from engine.market.provider import Answer, Deadline, QuoteProvider
from engine.market.yahoo import Yahoo
from engine.quote import Quote
from tests.market.replay_server import Replay
from tests.market.replay_vendors import KRX_ID, KRX_PW, NOW
from tests.market.replayed import forget_yahoo

SAMSUNG = Listing("005930", "KR", "KRW", "삼성전자", "KOSPI")
KODEX = Listing("069500", "KR", "KRW", "KODEX 200", "KOSPI")
NOBODY = Listing("999999", "KR", "KRW")
#: Generous: a child process on a busy machine takes seconds to import pykrx.
SECONDS = 30.0


class Suite:
    """The promises of `QuoteProvider`; a subclass makes one, with `self.source` its name."""

    source = ""
    #: The kind of request that is made to hang.
    hangs = ""

    @pytest.fixture
    def provider(self, replay: Replay, tmp_path: Path) -> QuoteProvider:
        raise NotImplementedError

    def ask(self, provider: QuoteProvider, *listings: Listing, seconds: float = SECONDS) -> Answer[Quote]:
        return provider.quotes(listings, now=NOW, deadline=Deadline(seconds))

    def test_every_listing_is_answered_once_with_a_whole_quote_or_an_error(
        self, provider: QuoteProvider, replay: Replay
    ) -> None:
        answer = self.ask(provider, SAMSUNG, NOBODY, KODEX)
        assert not any(seen.cookie and "naver" in seen.host for seen in replay.log), "KRX's cookie is KRX's alone"
        assert replay.kinds().count("krx.data") <= 2, "one table of shares, one of ETFs"
        assert set(answer.ok) == {"005930", "069500"}
        assert set(answer.failed) == {"999999"}
        assert answer.requests == len(replay.kinds())
        for symbol, price in {"005930": 71000, "069500": 42965}.items():
            quote = answer.ok[symbol]
            assert (quote.symbol, quote.price, quote.currency, quote.source) == (
                symbol,
                Decimal(price),
                "KRW",
                self.source,
            )
            assert isinstance(quote.price, Decimal)
            assert quote.stale_reason is None
            assert quote.as_of is not None
            assert quote.as_of.tzinfo is not None
            assert NOW - dt.timedelta(days=1) < quote.as_of <= NOW
            assert quote.fetched_at == NOW
        error = answer.failed["999999"]
        assert isinstance(error, MarketDataError)
        assert (error.symbol, error.source) == ("999999", self.source)

    def test_an_empty_batch_is_an_empty_answer(self, provider: QuoteProvider, replay: Replay) -> None:
        answer = self.ask(provider)
        assert (dict(answer.ok), dict(answer.failed)) == ({}, {})

    def test_a_hanging_source_ends_at_the_deadline(self, provider: QuoteProvider, replay: Replay) -> None:
        replay.fault(self.hangs, "hang")
        answer = self.ask(provider, SAMSUNG, seconds=0.5)
        assert replay.waited_out == 0
        assert isinstance(answer.failed["005930"], Transient)
        assert answer.failed["005930"].symbol == "005930"


class TestYahoo(Suite):
    source = "yahoo"
    hangs = "yahoo.*"

    @pytest.fixture
    def provider(self, replay: Replay, tmp_path: Path) -> QuoteProvider:
        import yfinance  # noqa: F401 - a deadline is not to measure the import

        forget_yahoo()
        return Yahoo(tmp_path)


class TestNaver(Suite):
    source = "naver"
    hangs = "naver.*"

    @pytest.fixture
    def provider(self, replay: Replay, tmp_path: Path) -> QuoteProvider:
        return Naver()


class TestKrx(Suite):
    source = "krx"
    hangs = "krx.*"

    @pytest.fixture
    def provider(self, replay: Replay, tmp_path: Path) -> QuoteProvider:
        return Krx(lambda: Login(KRX_ID, KRX_PW))


class TestNaverCharts(Suite):
    source = "naver-charts"
    hangs = "naver.*"

    @pytest.fixture
    def provider(self, replay: Replay, tmp_path: Path) -> QuoteProvider:
        return NaverCharts()
