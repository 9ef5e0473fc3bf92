"""KRX through pykrx, in a child process that is ended at the deadline.

With a login: the day's closes, the list of ETFs, what an ETF holds, market values and sectors. Without one only
adjusted daily closes, which pykrx has from Naver: then this source speaks for Naver, and no login is sent there.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from engine import errors
from engine.errors import AuthFailed, AuthRequired, MarketDataError, NoData, SchemaChanged, Transient
from engine.market import calendars
from engine.market.listing import Listing
from engine.market.login import HOW, Login
from engine.market.provider import Answer, Deadline, all_failed
from engine.market.records import Constituent, FundFacts, History
from engine.quote import Quote, Session

#: Seconds by which KRX's public tables lag.
DELAY = 1200
#: Days of closes that are asked for where the day's table cannot be: enough to span the longest holidays.
SPAN = dt.timedelta(days=12)
#: Codes asked for one by one, without a login, at most.
BY_CODE = 10
#: What each kind of failure means, in English and Korean.
_MESSAGES = {
    "AuthRequired": (f"krx wants a login: {HOW}", f"krx 로그인이 필요합니다: {HOW.ko}"),
    "AuthFailed": (
        "krx refused the login: mend KRX_ID and KRX_PW, then run `rebalancer doctor --live`",
        "krx 로그인이 거절되었습니다: KRX_ID와 KRX_PW를 고치고 `rebalancer doctor --live`를 실행하세요",
    ),
    "PasswordChange": (
        "krx wants the password changed: do so at data.krx.co.kr, then run `rebalancer doctor --live`",
        "krx 비밀번호를 바꿔야 합니다: data.krx.co.kr에서 바꾸고 `rebalancer doctor --live`를 실행하세요",
    ),
    "Transient": ("krx failed or could not be reached", "krx 오류이거나 접속할 수 없습니다"),
    "Blocked": (
        "krx has shut this address out, for a day as a rule",
        "krx에서 이 주소를 막았습니다. 보통 하루 뒤에 풀립니다",
    ),
    "RateLimited": ("krx asks for fewer requests", "krx 요청이 너무 많습니다"),
    "SchemaChanged": (
        "krx answered with something that is not its data: maintenance, or a changed page",
        "krx 응답이 데이터가 아닙니다: 점검 중이거나 페이지가 바뀌었습니다",
    ),
}


@dataclass(frozen=True, slots=True)
class _Reply:
    """Hold a child's result by code, or its error, and the requests it made."""

    result: dict[str, Any]
    error: MarketDataError | None = None
    requests: int = 0


class Krx:
    """Ask KRX. One child at a time; a second waits. `find_login` is called once, at the first need."""

    name = "krx"
    network = True

    def __init__(self, find_login: Callable[[], Login | None]) -> None:
        self._find_login = find_login
        self._found: tuple[Login | None] | None = None
        self._lock = threading.Lock()

    @property
    def vendor(self) -> str:
        """Return whose servers answer: without a login, Naver's."""
        return "krx" if self.login else "naver"

    @property
    def login(self) -> Login | None:
        """Return the configured login."""
        if self._found is None:
            self._found = (self._find_login(),)
        return self._found[0]

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return the last session's closes: with a login one or two tables for all, else a few codes one by one."""
        if not listings:
            return Answer({}, {})
        if self.login is None:
            return self._last_closes(listings, now, deadline)
        day = calendars.last_opened("KR", now)
        codes = [listing.symbol for listing in listings]
        reply = self._run("quotes", deadline, codes=codes, date=f"{day.date:%Y%m%d}")
        if reply.error:
            return Answer({}, all_failed(listings, reply.error), reply.requests)
        as_of = min(day.close, max(now - dt.timedelta(seconds=DELAY), day.open)).astimezone(dt.UTC)
        ok: dict[str, Quote] = {}
        for listing in listings:
            if listing.symbol in reply.result:
                price = Decimal(reply.result[listing.symbol])
                session: Session = "closed" if now >= day.close else "regular"
                ok[listing.symbol] = Quote(
                    listing.symbol, price, "KRW", as_of, "krx", session, DELAY, now, name=listing.name
                )
        return Answer(ok, self._missing(listings, ok), reply.requests)

    def _last_closes(self, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        today = calendars.local_date("KR", now)
        few, many = listings[:BY_CODE], listings[BY_CODE:]
        answer = self.history(few, today - SPAN, today, now=now, deadline=deadline)
        ok: dict[str, Quote] = {}
        for symbol, found in answer.ok.items():
            date = found.dates[-1]
            day = calendars.trading_day("KR", date)
            traded = min(day.close if day else now, now).astimezone(dt.UTC)
            ok[symbol] = Quote(symbol, found.closes[-1], "KRW", traded, "krx", "unknown", DELAY, now)
        message = f"without a login krx is asked for {BY_CODE} codes at most: {HOW}"
        ko = f"로그인 없이는 krx에 {BY_CODE}종목까지만 묻습니다: {HOW.ko}"
        error = AuthRequired(message, ko=ko, source="krx")
        return Answer(ok, {**answer.failed, **all_failed(many, error)}, answer.requests)

    def history(
        self, listings: Sequence[Listing], start: dt.date, end: dt.date, *, now: dt.datetime, deadline: Deadline
    ) -> Answer[History]:
        """Return closes adjusted for splits, without dividends; from Naver, so without the login."""
        if not listings:
            return Answer({}, {})
        codes = [listing.symbol for listing in listings]
        span = {"start": f"{start:%Y%m%d}", "end": f"{end:%Y%m%d}"}
        reply = self._run("history", deadline, anonymous=True, codes=codes, **span)
        if reply.error:
            return Answer({}, all_failed(listings, reply.error), reply.requests)
        ok: dict[str, History] = {}
        for listing in listings:
            rows = reply.result.get(listing.symbol) or []
            if rows:
                dates = tuple(dt.date.fromisoformat(day) for day, _ in rows)
                closes = tuple(Decimal(close) for _, close in rows)
                ok[listing.symbol] = History(listing.symbol, "KRW", "krx", now, dates, closes)
        return Answer(ok, self._missing(listings, ok), reply.requests)

    def facts(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[FundFacts]:
        """Return what ETFs hold, and shares' market value and sector."""
        if not listings:
            return Answer({}, {})
        day = calendars.last_opened("KR", now).date
        date = f"{day:%Y%m%d}"
        codes = [listing.symbol for listing in listings]
        deposits = self._run("deposit", deadline, codes=codes, date=date)
        replies = [deposits]
        if not deposits.error and not all(deposits.result.get(code) for code in codes):
            replies += [self._run("caps", deadline, date=date), self._run("sectors", deadline, date=date)]
        count = sum(reply.requests for reply in replies)
        error = next((reply.error for reply in replies if reply.error), None)
        if error:
            return Answer({}, all_failed(listings, error), count)
        caps, sectors = (reply.result for reply in replies[1:]) if len(replies) > 1 else ({}, {})
        ok: dict[str, FundFacts] = {}
        for listing in listings:
            base = FundFacts(listing.symbol, "krx", now, listing.name, "KRW", as_of=day)
            cap, sector = caps.get(listing.symbol), sectors.get(listing.symbol)
            if rows := deposits.result.get(listing.symbol):
                ok[listing.symbol] = replace(base, holdings_count=len(rows), top=_top(rows))
            elif cap or sector:
                ok[listing.symbol] = replace(base, market_cap=Decimal(cap) if cap else None, sector=sector)
        return Answer(ok, self._missing(listings, ok), count)

    def etfs(self, *, now: dt.datetime, deadline: Deadline) -> tuple[Listing, ...]:
        """Return every listed ETF; raises the error tree."""
        reply = self._run("etfs", deadline, date=f"{calendars.last_opened('KR', now).date:%Y%m%d}")
        if reply.error:
            raise reply.error
        return tuple(Listing(code, "KR", "KRW", name, "KOSPI") for code, name in reply.result.items())

    def _missing(self, listings: Sequence[Listing], ok: dict[str, Any]) -> dict[str, MarketDataError]:
        return {
            one.symbol: NoData(
                f"krx has nothing for {one.symbol}", ko=f"krx에 {one.symbol} 자료 없음", symbol=one.symbol, source="krx"
            )
            for one in listings
            if one.symbol not in ok
        }

    def _run(self, task: str, deadline: Deadline, *, anonymous: bool = False, **args: str | list[str]) -> _Reply:
        """Return what a child made of a job, or why it made nothing; it is ended at the deadline."""
        if not anonymous and self.login is None:
            message, ko = _MESSAGES["AuthRequired"]
            return _Reply({}, AuthRequired(message, ko=ko, source="krx"))
        if not self._lock.acquire(timeout=deadline.left):
            return _Reply({}, deadline.spent("krx"))
        try:
            secret = {} if anonymous or self.login is None else {"id": self.login.user, "pw": self.login.password}
            return _child({"task": task, "seconds": max(deadline.left, 0.1), **args, **secret}, deadline)
        finally:
            self._lock.release()


def _child(job: dict[str, Any], deadline: Deadline) -> _Reply:
    """Run one job in a new process; it gets the login on its stdin and can print nowhere that is shown."""
    environment = {key: value for key, value in os.environ.items() if key not in ("KRX_ID", "KRX_PW")}
    environment.update(PYTHONUTF8="1", MPLBACKEND="Agg")
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.market.krx_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        creationflags=hidden,
    )
    with process:
        try:
            out, _ = process.communicate(json.dumps(job).encode("utf-8"), timeout=deadline.left)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return _Reply({}, deadline.spent("krx"))
    try:
        told = json.loads(out.decode("utf-8"))
        count, kind = int(told["requests"]), str(told.get("error", ""))
    except (ValueError, LookupError):
        message, ko = "krx: the helper process ended without an answer", "krx: 도우미 프로세스가 응답 없이 끝났습니다"
        return _Reply({}, Transient(message, ko=ko, source="krx"))
    if kind:
        error: type[MarketDataError] = AuthFailed if kind == "PasswordChange" else getattr(errors, kind, SchemaChanged)
        message, ko = _MESSAGES.get(kind, (f"krx failed ({kind})", f"krx 오류 ({kind})"))
        return _Reply({}, error(message, ko=ko, source="krx"), count)
    return _Reply(told["result"], None, count)


def _top(rows: Sequence[Sequence[Any]]) -> tuple[Constituent, ...]:
    """Return the ten largest; where KRX gives no weights at all, the shares of the amounts."""
    total = sum(row[3] for row in rows)
    weighed = any(row[2] for row in rows)

    def weight(percent: float | None, amount: int) -> Decimal | None:
        if weighed:
            return Decimal(str(percent)) / 100 if percent else None
        return Decimal(amount) / total if total else None

    found = [Constituent(code, name, weight(percent, amount)) for code, name, percent, amount in rows]
    return tuple(sorted(found, key=lambda one: -(one.weight or 0))[:10])
