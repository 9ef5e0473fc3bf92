"""One suite that every source of quotes passes: what the chain may rely on, whoever answers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest

from engine.errors import MarketDataError, NoData, Transient
from engine.market.catalogue import Listing
from engine.market.krx import Krx, Login
from engine.market.naver import Naver, NaverCharts
from engine.market.provider import Answer, Deadline, QuoteProvider
from engine.market.second import Cnbc, Ecb, Frankfurter, NaverRates, NaverWorld
from engine.market.yahoo import Yahoo
from engine.quote import Quote
from tests.market.replay_server import Replay
from tests.market.replay_vendors import KRX_ID, KRX_PW, NOW
from tests.market.replayed import forget_yahoo

SAMSUNG = Listing("005930", "KR", "KRW", "삼성전자", "KOSPI")
KODEX = Listing("069500", "KR", "KRW", "KODEX 200", "KOSPI")
NOBODY = Listing("999999", "KR", "KRW")
DOLLAR, EURO = Listing("USDKRW", "FX", "KRW"), Listing("EURKRW", "FX", "KRW")
APPLE, BERKSHIRE = Listing("AAPL", "US", "USD"), Listing("BRK.B", "US", "USD")
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


class SecondSuite(Suite):
    """The promises of a second source, of what it serves."""

    listings: tuple[Listing, Listing] = (DOLLAR, EURO)
    #: the price in the replay
    prices: ClassVar = {"USDKRW": Decimal("1402.5"), "EURKRW": Decimal("1520.25")}
    unknown = Listing("GBPPLN", "FX", "PLN")

    def test_every_listing_is_answered_once_with_a_whole_quote_or_an_error(
        self, provider: QuoteProvider, replay: Replay
    ) -> None:
        answer = self.ask(provider, *self.listings, self.unknown)
        assert answer.requests == len(replay.kinds())
        assert {symbol: quote.price for symbol, quote in answer.ok.items()} == self.prices
        for quote in answer.ok.values():
            assert (quote.source, quote.stale_reason, quote.fetched_at) == (self.source, None, NOW)
            assert quote.as_of is not None
            assert NOW - dt.timedelta(days=2) < quote.as_of <= NOW
            assert quote.currency == ("USD" if self.unknown.market == "US" else "KRW")
            assert quote.session in ("regular", "closed", "unknown")
        (error,) = answer.failed.values()
        assert (type(error), error.symbol, error.source) == (NoData, self.unknown.symbol, self.source)

    def test_a_hanging_source_ends_at_the_deadline(self, provider: QuoteProvider, replay: Replay) -> None:
        replay.fault(self.hangs, "hang")
        answer = self.ask(provider, self.listings[0], seconds=0.5)
        assert [type(error) for error in answer.failed.values()] == [Transient]


class TestNaverRates(SecondSuite):
    source = "naver-rates"
    hangs = "naver-rates.*"

    @pytest.fixture
    def provider(self, replay: Replay, tmp_path: Path) -> QuoteProvider:
        return NaverRates()


class TestEcb(SecondSuite):
    source = "ecb"
    hangs = "ecb.*"
    prices: ClassVar = {"USDKRW": Decimal("1402.490775"), "EURKRW": Decimal("1520.3")}

    @pytest.fixture
    def provider(self, replay: Replay, tmp_path: Path) -> QuoteProvider:
        return Ecb()


class TestFrankfurter(SecondSuite):
    source = "frankfurter"
    hangs = "frankfurter.*"
    prices: ClassVar = {"USDKRW": Decimal("1402.490774907749"), "EURKRW": Decimal("1520.3")}

    @pytest.fixture
    def provider(self, replay: Replay, tmp_path: Path) -> QuoteProvider:
        return Frankfurter()


class TestNaverWorld(SecondSuite):
    source = "naver-world"
    hangs = "naver-world.*"
    listings = (APPLE, BERKSHIRE)
    prices: ClassVar = {"AAPL": Decimal("201.50"), "BRK.B": Decimal("488.10")}
    unknown = Listing("ZZZZ", "US", "USD")

    @pytest.fixture
    def provider(self, replay: Replay, tmp_path: Path) -> QuoteProvider:
        return NaverWorld()


class TestCnbc(TestNaverWorld):
    source = "cnbc"
    hangs = "cnbc.*"

    @pytest.fixture
    def provider(self, replay: Replay, tmp_path: Path) -> QuoteProvider:
        return Cnbc()


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
