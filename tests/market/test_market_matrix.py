"""What each fault of each source becomes, by what is asked: the matrix in docs/market-data.md, filled from here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import MarketDataError
from engine.market.catalogue import Listing
from engine.market.naver import Naver, NaverCharts
from engine.market.provider import Answer, Deadline
from engine.market.second import Cnbc, Ecb, Frankfurter, NaverRates, NaverWorld
from engine.market.yahoo import Yahoo
from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW
from tests.market.replayed import forget_yahoo

pytestmark = pytest.mark.slow

APPLE, DOLLAR = Listing("AAPL", "US", "USD"), Listing("USDKRW", "FX", "KRW")
SAMSUNG, KODEX = Listing("005930", "KR", "KRW"), Listing("069500", "KR", "KRW")
PAGE = Path(__file__).parents[2] / "docs" / "market-data.md"
SPAN = (dt.date(2026, 11, 2), dt.date(2026, 11, 19))
#: The fault in words: its kind, and its headers.
FAULTS: dict[str, tuple[int | str, dict[str, str]]] = {
    "HTTP 429": (429, {"Retry-After": "60"}),
    "HTTP 403": (403, {}),
    "HTTP 401": (401, {}),
    "HTTP 404, a page": (404, {}),
    "HTTP 502": (502, {}),
    "a page instead of data": ("html", {}),
    "cut short": ("truncated", {}),
    "connection reset": ("reset", {}),
    "hangs": ("hang", {}),
    "more than 16 MB": ("bomb", {}),
    "redirect to another host": (302, {"Location": "https://example.com/"}),
}
#: The source and what is asked of it: the requests that fail, and how it is asked.
ASKED: dict[str, tuple[str, Callable[[Path, Deadline], Answer[Any]]]] = {
    "yahoo prices": ("yahoo.*", lambda folder, d: Yahoo(folder).quotes([APPLE], now=NOW, deadline=d)),
    "yahoo rates": ("yahoo.*", lambda folder, d: Yahoo(folder).quotes([DOLLAR], now=NOW, deadline=d)),
    "yahoo history": ("yahoo.chart", lambda folder, d: Yahoo(folder).history([APPLE], *SPAN, now=NOW, deadline=d)),
    "yahoo closes": ("yahoo.spark", lambda folder, d: Yahoo(folder).closes([APPLE], *SPAN, now=NOW, deadline=d)),
    "yahoo facts": ("yahoo.summary", lambda folder, d: Yahoo(folder).facts([APPLE], now=NOW, deadline=d)),
    "naver prices": ("naver.quotes", lambda _, d: Naver().quotes([SAMSUNG], now=NOW, deadline=d)),
    "naver history": ("naver.chart", lambda _, d: NaverCharts().history([SAMSUNG], *SPAN, now=NOW, deadline=d)),
    "naver facts": ("naver.facts", lambda _, d: Naver().facts([KODEX], now=NOW, deadline=d)),
    "naver-rates": ("naver-rates.*", lambda _, d: NaverRates().quotes([DOLLAR], now=NOW, deadline=d)),
    "ecb rates": ("ecb.*", lambda _, d: Ecb().quotes([DOLLAR], now=NOW, deadline=d)),
    "frankfurter rates": ("frankfurter.*", lambda _, d: Frankfurter().quotes([DOLLAR], now=NOW, deadline=d)),
    "naver-world prices": ("naver-world.*", lambda _, d: NaverWorld().quotes([APPLE], now=NOW, deadline=d)),
    "cnbc prices": ("cnbc.*", lambda _, d: Cnbc().quotes([APPLE], now=NOW, deadline=d)),
}


def outcome(replay: Replay, folder: Path, asked: str, fault: str) -> str:
    """Return the error's name that a source gives for a fault."""
    where, ask = ASKED[asked]
    kind, headers = FAULTS[fault]
    replay.fault(where, kind, **headers)
    if asked.startswith("yahoo"):
        forget_yahoo()
    answer = ask(folder, Deadline(0.5 if kind == "hang" else 20.0))
    (error,) = answer.failed.values()
    assert isinstance(error, MarketDataError)
    assert answer.requests == len(replay.kinds())
    return type(error).__name__


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("asked", ASKED)
def test_the_matrix_says_what_a_fault_becomes(asked: str, fault: str, replay: Replay, tmp_path: Path) -> None:
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    head = next(cells for cells in lines if cells[:2] == ["fault", "yahoo prices"])
    row = next(cells for cells in lines if cells[0] == fault)
    assert row[head.index(asked)] == outcome(replay, tmp_path, asked, fault)
