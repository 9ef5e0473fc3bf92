"""Whatever a source answers becomes a quote, facts, or an error of the tree: never anything else."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import MarketDataError, SchemaChanged
from engine.market import naver, yahoo
from engine.market.catalogue import Listing
from engine.market.provider import Deadline
from engine.quote import FetchedFacts, Quote
from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW, Answer, Request, many
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
        assert sound(naver._quote([{"localTradedAt": "2026-11-20T14:00:00+09:00", **answer}], SAMSUNG, NOW), "KRW")
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
    with contextlib.suppress(MarketDataError):
        yahoo.only_row([answer, answer], APPLE)


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
    with contextlib.suppress(MarketDataError):
        assert isinstance(naver._rows(answer, ["005930"]), dict)
    with contextlib.suppress(MarketDataError):
        assert isinstance(yahoo.rows_of(answer, ["AAPL"]), dict)
    with contextlib.suppress(MarketDataError):
        assert isinstance(yahoo.chart_of(answer, APPLE), yahoo.Chart)
    with contextlib.suppress(MarketDataError):
        assert isinstance(yahoo.sparks_of(answer, {"AAPL": APPLE}), dict)


#: What a field can hold that no calculation may meet: out of bounds, half a character, another type, nothing.
ODD_VALUES: tuple[Any, ...] = (
    *(None, "", "-", "\ud800", "NaN", "1e999", 1e25, -1, 0, 10**400, float("nan"), float("inf"), True, [], {}, [[]]),
    *("JPY", "GBp", {"code": "JPY"}, {"zoneId": "Asia/Tokyo"}, {"nationType": "JPN"}),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-20", "\u0000", "x" * 5000, {"raw": {}}),
)
ODD = st.sampled_from(ODD_VALUES)
#: Each batch: where its rows stand, and their fields that are harmed.
BATCHES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "naver.quotes": (
        ("datas",),
        ("itemCode", "stockName", "closePriceRaw", "localTradedAt", "stockExchangeType", "tradeStopType"),
    ),
    "yahoo.quote": (
        ("quoteResponse", "result"),
        ("symbol", "currency", "regularMarketPrice", "regularMarketTime", "exchangeDataDelayedBy", "longName"),
    ),
    "yahoo.spark": (("spark", "result"), ("symbol", "response")),
    "naver-world.quotes": (
        ("datas",),
        ("symbolCode", "closePrice", "localTradedAt", "currencyType", "stockExchangeType", "marketStatus"),
    ),
    "cnbc.quotes": (
        ("FormattedQuoteResult", "FormattedQuote"),
        ("symbol", "code", "last", "last_time", "previous_day_closing", "shortName"),
    ),
}
#: Rows that one example decodes at the least; the whole set is at least 10,000 of them.
AT_ONCE = 50
HARM = st.dictionaries(st.integers(0, AT_ONCE - 1), st.tuples(st.integers(-1, 5), ODD), max_size=20)


def harmed(body: bytes, kind: str, harm: dict[int, Any]) -> bytes:
    """Return a batch's body with one field, or the whole row, of some of its rows replaced."""
    path, fields = BATCHES[kind]
    document = json.loads(body)
    found: Any = document
    for key in path:
        found = found[key]
    rows = found if isinstance(found, list) else [found]
    for number, (which, value) in harm.items() if rows else ():
        at = number % len(rows)
        key = fields[which % len(fields)] if which >= 0 else ""
        rows[at] = {**rows[at], key: value} if key and isinstance(rows[at], dict) else value
    if isinstance(found, dict):
        document[path[0]][path[1]] = rows[0]
    return json.dumps(document).encode()


def odd_rows(harm: dict[int, Any], new_market: Callable[..., Replayed], replay: Replay, *, korea_alone: bool) -> None:
    """Ask for fifty symbols, the rows of every source's batches harmed, and see what that cost."""
    replay.reset()
    us, korean = many()
    wanted = korean if korea_alone else [*us, *korean]
    market = new_market(f"cache-{uuid.uuid4()}")
    market.market.krx.run = no_helper
    replay.vendors.twisted = {kind: partial(harmed, kind=kind, harm=harm) for kind in BATCHES}
    batch = market.ask(*wanted)
    touched = len({number % 25 for number in harm})
    assert len(batch.ok) >= len(wanted) - 2 * touched
    assert all(isinstance(error, MarketDataError) for error in batch.failed.values())
    assert len(replay.kinds()) <= 6 + 5 * max(touched, 1), "an odd row must not cost the batch a request for each"
    assert set(market.store.quotes()) == {quote.symbol for quote in batch.ok.values()}
    assert not market.store.problems
    market.settle()
    market.store.close()


ODD_ROWS = settings(
    deadline=None,
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.mark.slow
@ODD_ROWS
@given(harm=HARM, korea_alone=st.booleans())
def test_odd_rows_cost_their_own_symbols_alone(
    harm: dict[int, Any], new_market: Callable[..., Replayed], replay: Replay, *, korea_alone: bool
) -> None:
    odd_rows(harm, new_market, replay, korea_alone=korea_alone)


@pytest.mark.soak
@settings(ODD_ROWS, max_examples=300)
@given(harm=HARM, korea_alone=st.booleans())
def test_ten_thousand_odd_rows_cost_their_own_symbols_alone(
    harm: dict[int, Any], new_market: Callable[..., Replayed], replay: Replay, *, korea_alone: bool
) -> None:
    odd_rows(harm, new_market, replay, korea_alone=korea_alone)


def no_helper(_job: object, deadline: Deadline) -> Mapping[str, Any]:
    raise deadline.spent("krx")


@pytest.mark.usefixtures("first_alone")
@pytest.mark.parametrize("body", [b"null", b"[]", b"7", b'{"quoteResponse": null}', b'{"datas": [null]}', b"\xff\xfe"])
def test_a_batch_of_another_shape_is_no_price_and_no_crash(
    body: bytes, market: Replayed, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.market.krx.run = no_helper
    changed = ("yahoo.quote", "yahoo.chart", "naver.quotes", "naver.chart")
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
