"""Try every source for real, one symbol each, and say what works here and how to mend the rest."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
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
from engine.market.catalogue import Listing
from engine.market.chain import Market
from engine.market.doubts import UNVERIFIED
from engine.market.krx import HOW
from engine.market.provider import Answer, Deadline, SecondProvider, record
from engine.phrase import Phrase, phrase

Status = Literal["ok", "note", "wrong"]
_APPLE = Listing("AAPL", "US", "USD", "Apple", "NASDAQ")
_DOLLAR = Listing("USDKRW", "FX", "KRW")
_SAMSUNG = Listing("005930", "KR", "KRW", "", "KOSPI")
_KODEX = Listing("069500", "KR", "KRW", "KODEX 200", "KOSPI")
#: What to do about each kind of failure.
_MEND: dict[type[MarketDataError], Phrase] = {
    AuthRequired: HOW,
    AuthFailed: phrase("mend.login"),
    RateLimited: phrase("mend.rate-limited"),
    Blocked: phrase("mend.blocked"),
    Transient: phrase("mend.network"),
    SchemaChanged: phrase("mend.changed-or-captive"),
    NoData: phrase("mend.market-closed"),
    SymbolUnknown: phrase("mend.changed"),
}


@dataclass(frozen=True, slots=True)
class Probe:
    """How one source did when it was tried; a `note` is something that works without, `mend` what a person can do."""

    source: str
    what: Phrase
    status: Status
    message: str | Phrase
    mend: Phrase | None = None


def probes(market: Market, *, now: dt.datetime, seconds: float) -> Iterator[Probe]:
    """Try each source within `seconds`; an open breaker does not stop it, an answer closes it."""
    start, end = now.date() - dt.timedelta(days=10), now.date()
    yahoo, naver, charts = market.yahoo, market.naver, market.charts
    tries: tuple[tuple[str, str, Callable[[Deadline], Answer[Any]]], ...] = (
        ("yahoo", "us-price", lambda d: yahoo.quotes([_APPLE], now=now, deadline=d)),
        ("yahoo", "rate", lambda d: yahoo.quotes([_DOLLAR], now=now, deadline=d)),
        ("yahoo", "history", lambda d: yahoo.history([_APPLE], start, end, now=now, deadline=d)),
        ("yahoo", "closes", lambda d: yahoo.closes([_APPLE], start, end, now=now, deadline=d)),
        ("naver", "korean-price", lambda d: naver.quotes([_SAMSUNG], now=now, deadline=d)),
        ("naver", "etf-facts", lambda d: naver.facts([_KODEX], now=now, deadline=d)),
        (
            "naver-charts",
            "korean-history",
            lambda d: charts.history([_SAMSUNG], start, end, now=now, deadline=d),
        ),
        ("krx", "login", lambda d: _krx(market, now, d)),
        *(
            (one.name, "rate" if "FX" in one.markets else "us-price", partial(_second, one, now))
            for one in market.second
        ),
    )
    refused: set[str] = set()
    for source, what, ask in tries:
        one = _probe(market, source, phrase(f"probe.{what}"), ask, now, seconds)
        if one.status != "ok":
            refused.add(source)
        elif source not in refused:
            record(market.store, source, None, now)
        yield one


def _second(source: SecondProvider, now: dt.datetime, deadline: Deadline) -> Answer[Any]:
    return source.quotes([_DOLLAR if "FX" in source.markets else _APPLE], now=now, deadline=deadline)


def _krx(market: Market, now: dt.datetime, deadline: Deadline) -> Answer[Any]:
    if market.krx.login is None:
        return Answer({}, {"005930": AuthRequired(phrase("probe.no-login"), source="krx")})
    return market.krx.quotes([_SAMSUNG], now=now, deadline=deadline)


def _probe(
    market: Market, source: str, what: Phrase, ask: Callable[[Deadline], Answer[Any]], now: dt.datetime, limit: float
) -> Probe:
    started = time.monotonic()
    answer = ask(Deadline(limit))
    seconds = time.monotonic() - started
    for error in answer.failed.values():
        record(market.store, source, error, now)
        status: Status = "note" if isinstance(error, AuthRequired) or source in UNVERIFIED else "wrong"
        mend = _MEND.get(type(error))
        if isinstance(error, AuthFailed) and source != "krx":
            mend = phrase("mend.changed")  # there is no login of ours to mend
        return Probe(source, what, status, error.message, mend)
    if source in UNVERIFIED:
        return Probe(source, what, "ok", phrase("probe.works-unverified", seconds=seconds, requests=answer.requests))
    return Probe(source, what, "ok", phrase("probe.works", seconds=seconds, requests=answer.requests))
