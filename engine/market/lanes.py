"""Ask the sources for a batch: vendors side by side, one vendor's calls one after the other.

Korean symbols: Naver's batch, then KRX, then what Yahoo said; all others: Yahoo. Yahoo's batch also carries the
Korean symbols: the second opinion on their prices costs no further request.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
from engine.market.quote import Quote
from engine.market.store import Store
from engine.settings import MarketSettings

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
#: Seconds beyond the deadline that a lane may take to put down what it has.
GRACE = 0.3


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
            return Transient(f"no source answered for {symbol} in time: try again", symbol=symbol)
        first = min(
            said.values(), key=lambda error: next(i for i, kind in enumerate(_TELLING) if isinstance(error, kind))
        )
        message = "; ".join(dict.fromkeys(str(error) for error in said.values()))
        return type(first)(message, symbol=symbol, source=first.source, retry_after=first.retry_after)


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
        answers: dict[str, Answer[Quote]] = {}
        world = self._start(lambda: answers.update(world=self.ask(self.world, [*others, *korean], now, deadline)))
        if korean:
            korea = self._start(lambda: self._korea(korean, found, now, deadline))
            korea.join(deadline.left + GRACE)
        only_checks = not others and len(found.prices) == len(korean)
        world.join(min(deadline.left, self.settings.cross_check_wait) if only_checks else deadline.left + GRACE)
        told = answers.get("world")
        if told is None:
            told = Answer({}, {} if only_checks else all_failed(listings, deadline.spent(self.world.name)))
        self._add(found, told)
        for one in listings:
            quote = told.ok.get(one.symbol)
            if quote is None:
                if one.symbol not in found.prices and one.symbol in told.failed:
                    found.fail({one.symbol: told.failed[one.symbol]})
            elif one.market == "KR" and one.symbol in found.prices:
                found.checks[one.symbol] = quote
            else:
                found.prices[one.symbol] = quote
        return found

    def _korea(self, korean: Sequence[Listing], found: Findings, now: dt.datetime, deadline: Deadline) -> None:
        left = list(korean)
        tired: set[str] = set()
        for provider in self.korea:
            if not left or provider.vendor in tired:
                continue
            answer = self.ask(provider, left, now, deadline)
            self._add(found, answer)
            found.prices.update(answer.ok)
            found.fail(dict(answer.failed))
            if any(isinstance(error, (Transient, RateLimited, Blocked)) for error in answer.failed.values()):
                tired.add(provider.vendor)
            # what one source does not know is left to Yahoo's batch, which is under way: a login to KRX costs more
            left = [
                one
                for one in left
                if one.symbol in answer.failed and not isinstance(answer.failed[one.symbol], SymbolUnknown)
            ]

    def ask(
        self, provider: QuoteProvider, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline
    ) -> Answer[Quote]:
        """Ask one source, unless its breaker is open; keep its breaker by what it answers."""
        if not provider.network:
            return provider.quotes(listings, now=now, deadline=deadline)
        refused = breaker.refusal(self.store, provider.name, now)
        if refused is not None:
            return Answer({}, all_failed(listings, refused))
        answer = provider.quotes(listings, now=now, deadline=deadline)
        refusals = [e for e in answer.failed.values() if isinstance(e, (RateLimited, Blocked, AuthFailed))]
        if refusals:
            breaker.record(self.store, provider.name, refusals[0], now)
        elif answer.ok:
            breaker.record(self.store, provider.name, None, now)
        return replace(answer, failed={key: _from(error, provider.name) for key, error in answer.failed.items()})

    def _add(self, found: Findings, answer: Answer[Quote]) -> None:
        found.requests += answer.requests
        found.problems.extend(answer.problems)
        if answer.skew is not None and abs(answer.skew) > self.settings.clock_skew:
            side = "behind" if answer.skew > 0 else "ahead"
            message = f"this computer's clock is {abs(answer.skew) / 60:.0f} min {side} the sources': set it right"
            if not any(problem.code == "clock-skew" for problem in found.problems):
                found.problems.append(Problem("warning", "clock-skew", "clock", message))

    @staticmethod
    def _start(work: object) -> threading.Thread:
        thread = threading.Thread(target=work, daemon=True)  # type: ignore[arg-type]
        thread.start()
        return thread


def _from(error: MarketDataError, source: str) -> MarketDataError:
    error.source = error.source or source
    return error
