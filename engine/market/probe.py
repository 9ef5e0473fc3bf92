"""Try every source for real, one symbol each, and say what works here and how to mend the rest."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import (
    AuthFailed,
    AuthRequired,
    Blocked,
    MarketDataError,
    NoData,
    RateLimited,
    SchemaChanged,
    SymbolUnknown,
    Transient,
)
from engine.market import breaker
from engine.market.chain import Market
from engine.market.listing import Listing
from engine.market.login import HOW
from engine.market.provider import Answer, Deadline

Status = Literal["ok", "note", "wrong"]
_APPLE = Listing("AAPL", "US", "USD", "Apple", "NASDAQ")
_DOLLAR = Listing("USDKRW", "FX", "KRW")
_SAMSUNG = Listing("005930", "KR", "KRW", "삼성전자", "KOSPI")
_KODEX = Listing("069500", "KR", "KRW", "KODEX 200", "KOSPI")
#: What to do about each kind of failure.
_MEND: dict[type[MarketDataError], str] = {
    AuthRequired: HOW,
    AuthFailed: "mend the login, or change the password at data.krx.co.kr, then run this again",
    RateLimited: "wait; meanwhile other sources and stored prices are used",
    Blocked: "wait (KRX: a day), or use another network; meanwhile other sources and stored prices are used",
    Transient: "check the network, and HTTPS_PROXY and CURL_CA_BUNDLE where there is a proxy; try again",
    SchemaChanged: "update this tool: the source has changed, or a login page of the network answers in its place",
    NoData: "try again after the market has opened",
    SymbolUnknown: "update this tool: the source has changed",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """Say how one source did: `note` is something that works without, `mend` what a person can do."""

    source: str
    what: str
    status: Status
    message: str
    mend: str = ""


def probes(market: Market, *, now: dt.datetime, seconds: float) -> Iterator[Probe]:
    """Try each source within `seconds`; an open breaker does not stop it, an answer closes it."""
    start, end = now.date() - dt.timedelta(days=10), now.date()
    yahoo, naver = market.yahoo, market.naver
    tries: tuple[tuple[str, str, Callable[[Deadline], Answer[Any]]], ...] = (
        ("yahoo", "US price (AAPL)", lambda d: yahoo.quotes([_APPLE], now=now, deadline=d)),
        ("yahoo", "exchange rate (USDKRW)", lambda d: yahoo.quotes([_DOLLAR], now=now, deadline=d)),
        ("yahoo", "history (AAPL)", lambda d: yahoo.history([_APPLE], start, end, now=now, deadline=d)),
        ("naver", "Korean price (005930)", lambda d: naver.quotes([_SAMSUNG], now=now, deadline=d)),
        ("naver", "ETF facts (069500)", lambda d: naver.facts([_KODEX], now=now, deadline=d)),
        ("krx", "login and Korean price (005930)", lambda d: _krx(market, now, d)),
    )
    refused: set[str] = set()
    for source, what, ask in tries:
        one = _probe(market, source, what, ask, now, seconds)
        if one.status != "ok":
            refused.add(source)
        elif source not in refused:
            breaker.record(market.store, source, None, now)
        yield one


def _krx(market: Market, now: dt.datetime, deadline: Deadline) -> Answer[Any]:
    if market.krx.login is None:
        error = AuthRequired("no login is configured; prices do not need one", source="krx")
        return Answer({}, {"005930": error})
    return market.krx.quotes([_SAMSUNG], now=now, deadline=deadline)


def _probe(
    market: Market, source: str, what: str, ask: Callable[[Deadline], Answer[Any]], now: dt.datetime, seconds: float
) -> Probe:
    started = time.monotonic()
    answer = ask(Deadline(seconds))
    took = f"{time.monotonic() - started:.1f} s, {answer.requests} requests"
    for error in answer.failed.values():
        breaker.record(market.store, source, error, now)
        status: Status = "note" if isinstance(error, AuthRequired) else "wrong"
        return Probe(source, what, status, str(error), _MEND.get(type(error), ""))
    return Probe(source, what, "ok", f"works ({took})")
