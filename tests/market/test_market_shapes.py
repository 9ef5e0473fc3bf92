"""Whatever a source answers becomes a quote, facts, or an error of the tree: never anything else."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import MarketDataError, SchemaChanged
from engine.market import naver, yahoo
from engine.market.provider import Deadline
from engine.market.records import FetchedFacts
from engine.market.symbols import Listing
from engine.quote import Quote
from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW, Answer, Request
from tests.market.replayed import Replayed

SAMSUNG, APPLE = Listing("005930", "KR", "KRW", "삼성전자", "KOSPI"), Listing("AAPL", "US", "USD")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "-", "71,000", "KRW", "NaN", "1e999"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


#: The first text drawn reads the whole table of characters, and a busy machine takes its time: neither is a fault.
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def row(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, JSON))


def sound(quote: Quote, currency: str) -> bool:
    assert quote.as_of is not None
    return quote.price.is_finite() and quote.price > 0 and quote.currency == currency and quote.as_of.tzinfo is not None


@SLOW
@given(
    row(
        "closePriceRaw",
        "closePrice",
        "localTradedAt",
        "stockExchangeType",
        "stockName",
        "marketSessionType",
        "marketStatus",
        "tradeStopType",
    )
)
def test_any_row_of_naver(answer: dict[str, Any]) -> None:
    with contextlib.suppress(MarketDataError):
        assert sound(naver._quote({"localTradedAt": "2026-11-20T14:00:00+09:00", **answer}, SAMSUNG, NOW), "KRW")
    naver._is_halted(answer)


@SLOW
@given(
    row(
        "regularMarketPrice",
        "regularMarketTime",
        "currency",
        "marketState",
        "exchangeDataDelayedBy",
        "longName",
        "shortName",
    )
)
def test_any_row_of_yahoo(answer: dict[str, Any]) -> None:
    with contextlib.suppress(MarketDataError):
        assert sound(yahoo.quote_of_row({"regularMarketPrice": 1.5, **answer}, APPLE, NOW), "USD")
    yahoo.newest_row([answer, answer])


@SLOW
@given(
    row("totalFee", "marketValueRaw", "etfTop10MajorConstituentAssets", "sectorPortfolioList", "dividend", "itemName")
)
def test_any_facts_of_naver(answer: dict[str, Any]) -> None:
    with contextlib.suppress(MarketDataError):
        assert isinstance(naver._facts(answer, SAMSUNG, NOW), FetchedFacts)


@SLOW
@given(row("quoteType", "summaryDetail", "price", "assetProfile", "fundProfile", "topHoldings"))
def test_any_facts_of_yahoo(answer: dict[str, Any]) -> None:
    with contextlib.suppress(MarketDataError):
        assert isinstance(yahoo.facts_of({"quoteSummary": {"result": [answer]}}, APPLE, NOW), FetchedFacts)


@SLOW
@given(JSON)
def test_any_batch(answer: Any) -> None:
    for read in (naver._rows, lambda document: yahoo.rows_of(document, ["AAPL"])):
        with contextlib.suppress(MarketDataError):
            assert isinstance(read(answer), dict)


def no_helper(_job: object, deadline: Deadline) -> Mapping[str, Any]:
    raise deadline.spent("krx")


@pytest.mark.parametrize("body", [b"null", b"[]", b"7", b'{"quoteResponse": null}', b'{"datas": [null]}', b"\xff\xfe"])
def test_a_batch_of_another_shape_is_no_price_and_no_crash(
    body: bytes, market: Replayed, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.market.krx.run = no_helper
    changed = ("yahoo.quote", "yahoo.chart", "naver.quotes")
    answer = replay.vendors.answer

    def other(request: Request) -> tuple[str, Answer]:
        kind, usual = answer(request)
        return kind, Answer(body) if kind in changed else usual

    monkeypatch.setattr(replay.vendors, "answer", other)
    batch = market.ask("AAPL", "005930")
    assert set(batch.failed) == {"AAPL", "005930"}
    assert isinstance(batch.failed["AAPL"], SchemaChanged)
    assert str(batch.failed["005930"]).startswith(("naver's quotes no longer", "naver answered with a page"))


def test_a_price_keeps_every_digit_that_was_sent() -> None:
    sent = {"regularMarketPrice": 1402.535, "regularMarketTime": 1795150800, "currency": "USD"}
    assert yahoo.quote_of_row(sent, APPLE, NOW).price == Decimal("1402.535")
