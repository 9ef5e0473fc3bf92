"""Ask the sources for a batch: vendors side by side, one vendor's calls one after the other.

Korean symbols: Naver's batch, then Yahoo's, then KRX; all others: Yahoo. Yahoo's batch carries the Korean symbols in
any case: the second opinion on their prices costs no further request. KRX comes last for prices: its tables have no
time of trade, and asking costs a process and a login.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from engine.errors import (
    AuthFailed,
    AuthRequired,
    Blocked,
    MarketDataError,
    NoData,
    Problem,
    RateLimited,
    SchemaChanged,
    SymbolUnknown,
    Transient,
)
from engine.market import breaker
from engine.market.listing import Listing
from engine.market.provider import Answer, Deadline, QuoteProvider, all_failed
from engine.market.store import Store
from engine.quote import Quote
from engine.settings import MarketSettings

T = TypeVar("T")
#: Which of several sources' errors a person is told first: what they can mend, then what passes, then what is so.
_TELLING = (
    Blocked,
    RateLimited,
    AuthFailed,
    Transient,
    SchemaChanged,
    NoData,
    SymbolUnknown,
    AuthRequired,
    MarketDataError,
)
#: Errors of a batch after which a request for one symbol may still do.
_WITHOUT_BATCH = (NoData, SchemaChanged, AuthFailed)
#: Seconds beyond the deadline that a lane may take to put down what it has.
GRACE = 0.3
#: Share of the deadline that the first Korean source may take, so that time is left for the next.
FIRST_SHARE = 0.6


@dataclass(slots=True)
class Findings:
    """Gather what the sources said: prices, second opinions, errors by symbol and source."""

    prices: dict[str, Quote] = field(default_factory=dict)
    checks: dict[str, Quote] = field(default_factory=dict)
    errors: dict[str, dict[str, MarketDataError]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    requests: int = 0

    def fail(self, failed: dict[str, MarketDataError]) -> None:
        """Note errors by symbol and source."""
        for symbol, error in failed.items():
            self.errors.setdefault(symbol, {})[error.source or "market"] = error

    def error(self, symbol: str) -> MarketDataError:
        """Return the one error to tell about a symbol that no source had, with what each said."""
        said = self.errors.get(symbol, {})
        if not said:
            message = f"no source answered for {symbol} in time: try again"
            return Transient(message, ko=f"{symbol}: 제때 응답한 제공처가 없습니다. 다시 해 보세요", symbol=symbol)
        first = min(
            said.values(), key=lambda error: next(i for i, kind in enumerate(_TELLING) if isinstance(error, kind))
        )
        message = "; ".join(dict.fromkeys(str(error) for error in said.values()))
        ko = "; ".join(dict.fromkeys(error.ko for error in said.values()))
        return type(first)(message, ko=ko, symbol=symbol, source=first.source, retry_after=first.retry_after)


@dataclass(frozen=True, slots=True)
class Lanes:
    """Hold the sources in their order; `korea` come before `world` for Korean symbols."""

    store: Store
    settings: MarketSettings
    korea: Sequence[QuoteProvider]
    world: QuoteProvider

    def fetch(self, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> Findings:
        """Return what the sources say about the listings, within the deadline; never raises a MarketDataError."""
        korean = [one for one in listings if one.market == "KR"]
        others = [one for one in listings if one.market != "KR"]
        found = Findings()
        answers: list[Answer[Quote]] = []
        batch = [*others, *(replace(one, optional=True) for one in korean)]
        world = threading.Thread(target=lambda: answers.append(self.ask(self.world, batch, now, deadline)), daemon=True)
        world.start()
        left = self._first_of_korea(korean, found, now, deadline)

        def waiting() -> bool:
            return bool(others) or any(one.symbol not in found.prices for one in korean)

        if waiting():
            world.join(deadline.left / 2 if left else deadline.left + GRACE)
        else:
            world.join(min(deadline.left, self.settings.cross_check_wait))
        told = answers[0] if answers else None
        self._rest_of_korea([one for one in left if told is None or one.symbol not in told.ok], found, now, deadline)
        if told is None and waiting():
            world.join(deadline.left + GRACE)
            told = answers[0] if answers else Answer({}, all_failed(listings, deadline.spent(self.world.name)))
        if told is not None:
            self._take_world(told, listings, found)
            self._last_of_korea(korean, found, now, deadline)
        return found

    def _take_world(self, told: Answer[Quote], listings: Sequence[Listing], found: Findings) -> None:
        """Take Yahoo's quotes: as prices where there is none yet, else as the second opinion."""
        self._add(found, told)
        for one in listings:
            quote = told.ok.get(one.symbol)
            if quote is None:
                if one.symbol not in found.prices and one.symbol in told.failed:
                    found.fail({one.symbol: told.failed[one.symbol]})
            elif one.symbol in found.prices:
                found.checks[one.symbol] = quote
            else:
                found.prices[one.symbol] = quote

    def _first_of_korea(
        self, korean: Sequence[Listing], found: Findings, now: dt.datetime, deadline: Deadline
    ) -> list[Listing]:
        """Ask the first Korean source; return what it failed on, without what it does not know."""
        if not korean:
            return []
        share = Deadline(deadline.left * FIRST_SHARE)
        answer = self._ask_korea(self.korea[0], korean, found, now, share)
        return [
            one
            for one in korean
            if one.symbol in answer.failed and not isinstance(answer.failed[one.symbol], SymbolUnknown)
        ]

    def _rest_of_korea(self, left: Sequence[Listing], found: Findings, now: dt.datetime, deadline: Deadline) -> None:
        """Ask the further Korean sources for what is left, but none of a vendor that has just failed."""
        tired = {self.korea[0].vendor} if any(_is_tired(found, one.symbol) for one in left) else set()
        for provider in self.korea[1:]:
            left = [one for one in left if one.symbol not in found.prices]
            if left and deadline.left > 0 and provider.vendor not in tired:
                self._ask_korea(provider, left, found, now, deadline)

    def _last_of_korea(self, korean: Sequence[Listing], found: Findings, now: dt.datetime, deadline: Deadline) -> None:
        """Ask Yahoo once more, for Korean symbols that nobody has and that its batch came without."""
        left = [one for one in korean if one.symbol not in found.prices]
        left = [
            one for one in left if isinstance(found.errors.get(one.symbol, {}).get(self.world.name), _WITHOUT_BATCH)
        ]
        if left and deadline.left > 0:
            self._ask_korea(self.world, left, found, now, deadline)

    def _ask_korea(
        self,
        provider: QuoteProvider,
        listings: Sequence[Listing],
        found: Findings,
        now: dt.datetime,
        deadline: Deadline,
    ) -> Answer[Quote]:
        answer = self.ask(provider, listings, now, deadline)
        self._add(found, answer)
        found.prices.update(answer.ok)
        found.fail(dict(answer.failed))
        return answer

    def ask(
        self, provider: QuoteProvider, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline
    ) -> Answer[Quote]:
        """Ask one source, unless its breaker is open; keep its breaker by what it answers."""
        return guarded(
            self.store, provider, listings, now, lambda: provider.quotes(listings, now=now, deadline=deadline)
        )

    def _add(self, found: Findings, answer: Answer[Quote]) -> None:
        found.requests += answer.requests
        found.problems.extend(answer.problems)
        if answer.skew is not None and abs(answer.skew) > self.settings.clock_skew:
            side, side_ko = ("behind", "늦습니다") if answer.skew > 0 else ("ahead", "빠릅니다")
            minutes = f"{abs(answer.skew) / 60:.0f}"
            message = f"this computer's clock is {minutes} min {side} the sources': set it right"
            ko = f"이 컴퓨터 시계가 시세 제공처보다 {minutes}분 {side_ko}: 시계를 맞추세요"
            if not any(problem.code == "clock-skew" for problem in found.problems):
                found.problems.append(Problem("warning", "clock-skew", "clock", message, ko))


def _is_tired(found: Findings, symbol: str) -> bool:
    return any(isinstance(e, (Transient, RateLimited, Blocked)) for e in found.errors.get(symbol, {}).values())


class Named(Protocol):
    """Have a name."""

    name: str


def guarded(
    store: Store, provider: Named, listings: Sequence[Listing], now: dt.datetime, ask: Callable[[], Answer[T]]
) -> Answer[T]:
    """Ask one source, unless its breaker is open; keep its breaker by what it answers."""
    refused = breaker.refusal(store, provider.name, now)
    if refused is not None:
        return Answer({}, all_failed(listings, refused))
    try:
        answer = ask()
    except Exception as error:  # noqa: BLE001 - no shape of an answer may end the process, or leave a symbol unanswered
        message = f"{provider.name} gave an answer of an unexpected shape ({type(error).__name__})"
        ko = f"{provider.name} 응답 형식이 예상과 다릅니다 ({type(error).__name__})"
        answer = Answer({}, all_failed(listings, SchemaChanged(message, ko=ko, source=provider.name)))
    refusals = [e for e in answer.failed.values() if isinstance(e, (RateLimited, Blocked, AuthFailed))]
    if refusals:
        breaker.record(store, provider.name, refusals[0], now)
    elif answer.ok:
        breaker.record(store, provider.name, None, now)
    return replace(answer, failed={key: _from(error, provider.name) for key, error in answer.failed.items()})


def _from(error: MarketDataError, source: str) -> MarketDataError:
    error.source = error.source or source
    return error
