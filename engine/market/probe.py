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
from engine.text import Bilingual

Status = Literal["ok", "note", "wrong"]
_APPLE = Listing("AAPL", "US", "USD", "Apple", "NASDAQ")
_DOLLAR = Listing("USDKRW", "FX", "KRW")
_SAMSUNG = Listing("005930", "KR", "KRW", "삼성전자", "KOSPI")
_KODEX = Listing("069500", "KR", "KRW", "KODEX 200", "KOSPI")
#: What to do about each kind of failure.
_MEND: dict[type[MarketDataError], Bilingual] = {
    AuthRequired: HOW,
    AuthFailed: Bilingual(
        "mend the login, or change the password at data.krx.co.kr, then run this again",
        "로그인을 고치거나 data.krx.co.kr에서 비밀번호를 바꾼 뒤 다시 실행하세요",
    ),
    RateLimited: Bilingual(
        "wait; meanwhile other sources and stored prices are used",
        "기다리세요. 그동안 다른 제공처와 저장된 시세를 씁니다",
    ),
    Blocked: Bilingual(
        "wait (KRX: a day), or use another network; meanwhile other sources and stored prices are used",
        "기다리거나(KRX는 하루) 다른 네트워크를 쓰세요. 그동안 다른 제공처와 저장된 시세를 씁니다",
    ),
    Transient: Bilingual(
        "check the network, and HTTPS_PROXY and CURL_CA_BUNDLE where there is a proxy; try again",
        "네트워크를, 프록시가 있으면 HTTPS_PROXY와 CURL_CA_BUNDLE도 확인하고 다시 해 보세요",
    ),
    SchemaChanged: Bilingual(
        "update this tool: the source has changed, or a login page of the network answers in its place",
        "이 도구를 업데이트하세요: 제공처가 바뀌었거나 네트워크의 로그인 페이지가 대신 응답합니다",
    ),
    NoData: Bilingual("try again after the market has opened", "장이 열린 뒤 다시 해 보세요"),
    SymbolUnknown: Bilingual(
        "update this tool: the source has changed", "이 도구를 업데이트하세요: 제공처가 바뀌었습니다"
    ),
}


@dataclass(frozen=True, slots=True)
class Probe:
    """Say how one source did: `note` is something that works without, `mend` what a person can do.

    `what`, `message` and `mend` are `engine.text.Bilingual` where they are words.
    """

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
        (
            "yahoo",
            Bilingual("US price (AAPL)", "미국 시세 (AAPL)"),
            lambda d: yahoo.quotes([_APPLE], now=now, deadline=d),
        ),
        (
            "yahoo",
            Bilingual("exchange rate (USDKRW)", "환율 (USDKRW)"),
            lambda d: yahoo.quotes([_DOLLAR], now=now, deadline=d),
        ),
        (
            "yahoo",
            Bilingual("history (AAPL)", "과거 시세 (AAPL)"),
            lambda d: yahoo.history([_APPLE], start, end, now=now, deadline=d),
        ),
        (
            "naver",
            Bilingual("Korean price (005930)", "한국 시세 (005930)"),
            lambda d: naver.quotes([_SAMSUNG], now=now, deadline=d),
        ),
        (
            "naver",
            Bilingual("ETF facts (069500)", "ETF 정보 (069500)"),
            lambda d: naver.facts([_KODEX], now=now, deadline=d),
        ),
        (
            "krx",
            Bilingual("login and Korean price (005930)", "로그인과 한국 시세 (005930)"),
            lambda d: _krx(market, now, d),
        ),
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
        message, ko = (
            "no login is configured; prices do not need one",
            "로그인을 설정하지 않았습니다. 시세에는 필요 없습니다",
        )
        error = AuthRequired(message, ko=ko, source="krx")
        return Answer({}, {"005930": error})
    return market.krx.quotes([_SAMSUNG], now=now, deadline=deadline)


def _probe(
    market: Market, source: str, what: str, ask: Callable[[Deadline], Answer[Any]], now: dt.datetime, limit: float
) -> Probe:
    started = time.monotonic()
    answer = ask(Deadline(limit))
    seconds = f"{time.monotonic() - started:.1f}"
    for error in answer.failed.values():
        breaker.record(market.store, source, error, now)
        status: Status = "note" if isinstance(error, AuthRequired) else "wrong"
        return Probe(source, what, status, Bilingual(str(error), error.ko), _MEND.get(type(error), ""))
    message = f"works ({seconds} s, {answer.requests} requests)"
    return Probe(source, what, "ok", Bilingual(message, f"정상 ({seconds}초, 요청 {answer.requests}번)"))
