"""KRX through pykrx, in a child process that is ended at the deadline.

With a login: the day's closes, the list of ETFs, what an ETF holds, market values and sectors. Without one nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from engine import errors
from engine.errors import AuthFailed, AuthRequired, MarketDataError, NoData, SchemaChanged, Transient
from engine.market import calendars, decode
from engine.market.catalogue import Listing
from engine.market.provider import Answer, Deadline, all_failed
from engine.phrase import phrase
from engine.quote import FetchedFacts, FetchedHolding, Quote, Session

Run = Callable[[Mapping[str, Any], Deadline], Mapping[str, Any]]
#: Seconds by which KRX's public tables lag.
DELAY = 1200
#: Shortest time that a job is given, in seconds.
SHORTEST = 0.1
#: The keyring's service name; its entries are called KRX_ID and KRX_PW.
SERVICE = "rebalancer"
#: How to configure a login.
HOW = phrase("krx.how")
#: What each kind of failure means.
_SAID = {
    "AuthRequired": phrase("krx.wants-login", how=HOW),
    "AuthFailed": phrase("krx.refused-login"),
    "PasswordChange": phrase("krx.change-password"),
    "Transient": phrase("krx.unreachable"),
    "Blocked": phrase("krx.shut-out"),
    "RateLimited": phrase("krx.fewer-requests"),
    "SchemaChanged": phrase("krx.no-data-page"),
}


@dataclass(frozen=True, slots=True)
class Login:
    """A KRX login; its repr shows nothing of it. It is never shown, stored or logged."""

    user: str = field(repr=False)
    password: str = field(repr=False)


def login(environment: Mapping[str, str]) -> Login | None:
    """Return the login of the environment, else of the operating system's keyring; None where neither has one.

    A keyring that cannot be reached counts as empty.
    """
    user, password = environment.get("KRX_ID", ""), environment.get("KRX_PW", "")
    if not (user and password):
        user, password = from_keyring("KRX_ID"), from_keyring("KRX_PW")
    return Login(user, password) if user and password else None


def from_keyring(name: str) -> str:
    """Return an entry of the operating system's keyring, "" where there is none or no keyring."""
    import keyring
    import keyring.errors

    try:
        return keyring.get_password(SERVICE, name) or ""
    except (keyring.errors.KeyringError, RuntimeError, OSError):
        return ""


@dataclass(frozen=True, slots=True)
class _Reply:
    """A child's result by code, or its error, and the requests it made."""

    result: dict[str, Any]
    error: MarketDataError | None = None
    requests: int = 0


class Krx:
    """KRX, asked through one child process at a time; a second waits. `find_login` is called once, at the first need.

    `run` makes a job of `krx_child` into its reply, in a child process.
    """

    name = vendor = "krx"

    def __init__(self, find_login: Callable[[], Login | None], run: Run | None = None) -> None:
        self._find_login = find_login
        self.run = run or _child
        self._found: tuple[Login | None] | None = None
        self._lock = threading.Lock()

    @property
    def login(self) -> Login | None:
        """Return the configured login."""
        if self._found is None:
            self._found = (self._find_login(),)
        return self._found[0]

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return the last session's closes: one or two tables for all."""
        if not listings:
            return Answer({}, {})
        day = calendars.last_opened("KR", now)
        codes = [listing.symbol for listing in listings]
        reply = self._run("quotes", deadline, codes=codes, date=f"{day.date:%Y%m%d}")
        if reply.error:
            return Answer({}, all_failed(listings, reply.error), reply.requests)
        as_of = min(day.close, max(now - dt.timedelta(seconds=DELAY), day.open)).astimezone(dt.UTC)
        ok: dict[str, Quote] = {}
        for listing in listings:
            price = decode.price(reply.result.get(listing.symbol))
            if price is not None:
                session: Session = "closed" if now >= day.close else "regular"
                ok[listing.symbol] = Quote(
                    listing.symbol, price, "KRW", as_of, "krx", session, DELAY, now, name=listing.name
                )
        return Answer(ok, self._missing(listings, ok), reply.requests)

    def facts(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[FetchedFacts]:
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
        ok: dict[str, FetchedFacts] = {}
        for listing in listings:
            base = FetchedFacts(listing.symbol, "krx", now, listing.name, "KRW", as_of=day)
            cap, sector = caps.get(listing.symbol), sectors.get(listing.symbol)
            if rows := deposits.result.get(listing.symbol):
                ok[listing.symbol] = replace(base, holdings_count=len(rows), top=_top(rows))
            elif cap or sector:
                ok[listing.symbol] = replace(base, market_cap=decode.number(cap), sector=sector)
        return Answer(ok, self._missing(listings, ok), count)

    def etfs(self, *, now: dt.datetime, deadline: Deadline) -> tuple[Listing, ...]:
        """Return every listed ETF; raises the error tree."""
        reply = self._run("etfs", deadline, date=f"{calendars.last_opened('KR', now).date:%Y%m%d}")
        if reply.error:
            raise reply.error
        return tuple(Listing(code, "KR", "KRW", name, "KOSPI") for code, name in reply.result.items())

    def _missing(self, listings: Sequence[Listing], ok: dict[str, Any]) -> dict[str, MarketDataError]:
        return {
            one.symbol: NoData(phrase("krx.nothing", symbol=one.symbol), symbol=one.symbol, source="krx")
            for one in listings
            if one.symbol not in ok
        }

    def _run(self, task: str, deadline: Deadline, **args: str | list[str]) -> _Reply:
        """Return what a child made of a job, or why it made nothing; it is ended at the deadline."""
        if self.login is None:
            return _Reply({}, AuthRequired(_SAID["AuthRequired"], source="krx"))
        if not self._lock.acquire(timeout=deadline.left):
            return _Reply({}, deadline.spent("krx"))
        try:
            secret = {"id": self.login.user, "pw": self.login.password}
            job = {"task": task, "seconds": max(deadline.left, SHORTEST), **args, **secret}
            return _reply(self.run(job, deadline))
        except MarketDataError as error:
            return _Reply({}, error)
        finally:
            self._lock.release()


def _child(job: Mapping[str, Any], deadline: Deadline) -> Mapping[str, Any]:
    """Run one job in a new process; it gets the login on its stdin and can print nowhere that is shown.

    Raises Transient at the deadline, when the process is ended, and where it ended by itself without an answer.
    """
    import subprocess  # which a stored price does without

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
            raise deadline.spent("krx") from None
    try:
        told: Mapping[str, Any] = json.loads(out.decode("utf-8"))
    except ValueError:
        raise Transient(phrase("krx.helper-ended"), source="krx") from None
    return told


def _reply(told: Mapping[str, Any]) -> _Reply:
    """Return what a child told: its result, or its error as one of the tree, named by the kind that it tells."""
    kind, count = str(told.get("error", "")), int(told["requests"])
    if not kind:
        return _Reply(told["result"], None, count)
    error: type[MarketDataError] = AuthFailed if kind == "PasswordChange" else getattr(errors, kind, SchemaChanged)
    return _Reply({}, error(_SAID.get(kind, phrase("krx.failed", kind=kind)), source="krx"), count)


def _top(rows: Sequence[Sequence[Any]]) -> tuple[FetchedHolding, ...]:
    """Return the ten largest; where KRX gives no weights at all, the shares of the amounts."""
    total = sum(row[3] for row in rows)
    weighed = any(row[2] for row in rows)

    def weight(percent: float | None, amount: int) -> Decimal | None:
        if weighed:
            return Decimal(str(percent)) / 100 if percent else None
        return Decimal(amount) / total if total else None

    found = [FetchedHolding(code, name, weight(percent, amount)) for code, name, percent, amount in rows]
    return tuple(sorted(found, key=lambda one: -(one.weight or 0))[:10])
