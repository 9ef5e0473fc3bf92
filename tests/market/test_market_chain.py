"""Prices of US and Korean instruments and rates, from the real clients against the replay."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.errors import SymbolUnknown
from engine.market.catalogue import is_isin, load
from engine.market.meanings import resolve
from tests.market.replay_server import Replay
from tests.market.replayed import Replayed


def test_prices_of_both_markets_and_a_rate_come_in_four_requests(market: Replayed, replay: Replay) -> None:
    batch = market.ask("AAPL", "BRK.B", "005930", "TIGER 미국S&P500", "0193W0", "247540", "USDKRW")
    assert not batch.failed
    assert not batch.problems
    assert {text: (q.symbol, q.price, q.currency, q.source) for text, q in batch.ok.items()} == {
        "AAPL": ("AAPL", Decimal("201.5"), "USD", "yahoo"),
        "BRK.B": ("BRK.B", Decimal("488.1"), "USD", "yahoo"),
        "005930": ("005930", Decimal(71000), "KRW", "naver"),
        "TIGER 미국S&P500": ("360750", Decimal(21035), "KRW", "naver"),
        "0193W0": ("0193W0", Decimal(9875), "KRW", "naver"),
        "247540": ("247540", Decimal(152000), "KRW", "naver"),
        "USDKRW": ("USDKRW", Decimal("1402.5"), "KRW", "yahoo"),
    }
    assert not any(quote.stale for quote in batch.ok.values())
    assert batch.requests == 4
    assert sorted(replay.kinds()) == ["naver.quotes", "yahoo.cookie", "yahoo.crumb", "yahoo.quote"]


def test_an_isin_that_nobody_knows_is_called_one() -> None:
    with pytest.raises(SymbolUnknown, match="an ISIN that the catalogue does not have"):
        resolve("US00000AAAA8", load())
    assert resolve("US0378331005", load()).symbol == "AAPL"
    assert not is_isin("US0378331006"), "its last digit is wrong"
