"""The sources of market data: what one must do, and how it is asked with care.

A source takes a batch and gives values and errors per symbol; it never raises for one symbol. One that has refused us
is left alone, also after a restart: every further request makes it refuse longer.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from typing import Generic, Protocol, TypeVar

from engine import errors
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
from engine.market.catalogue import Listing
from engine.market.store import Breaker, Store
from engine.phrase import phrase
from engine.quote import FetchedFacts, History, Quote

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
#: The source of closes that came without dividends: the next look asks for the whole.
ROUGH = "yahoo-spark"
MINUTE = 60.0
HOUR = 60 * MINUTE
#: Seconds that a source is left alone after a first, second, … refusal in a row.
WAITS: dict[type[MarketDataError], tuple[float, ...]] = {
    RateLimited: (15 * MINUTE, 30 * MINUTE, HOUR),
    Blocked: (HOUR,),
    AuthFailed: (15 * MINUTE,),
}
#: KRX shuts an address out for a day, and locks an account after a few wrong passwords.
KRX_WAITS: dict[type[MarketDataError], tuple[float, ...]] = {
    **WAITS,
    Blocked: (24 * HOUR,),
    RateLimited: (24 * HOUR,),
    AuthFailed: (24 * HOUR,),
}
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


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One source's answer to a batch: every symbol asked for is in exactly one of `ok` and `failed`.

    `requests` counts HTTP requests; `skew` is how far the source's clock is ahead of ours, in seconds, where it said.
    """

    ok: Mapping[str, T]
    failed: Mapping[str, MarketDataError]
    requests: int = 0
    problems: tuple[Problem, ...] = ()
    skew: float | None = None


@dataclass(slots=True)
class Deadline:
    """A moment of the monotonic clock that nobody waits beyond, `seconds` after it was `started`."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Return the seconds left, never below 0."""
        return max(self.started + self.seconds - time.monotonic(), 0.0)

    def spent(self, source: str) -> Transient:
        """Return the error of a source that did not answer in time."""
        return Transient(phrase("source.late", source=source, seconds=self.seconds), source=source)


class DataSource(Protocol):
    """A source by its name as it is shown with a price.

    `vendor` is whose servers answer: two names of one vendor do not vouch for each other.
    """

    name: str

    @property
    def vendor(self) -> str:
        """Return whose servers answer."""


class QuoteProvider(DataSource, Protocol):
    """A source of quotes; `quotes` never raises a MarketDataError: it puts one under `failed`."""

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return a quote or an error for every listing, within the deadline."""


class SecondProvider(QuoteProvider, Protocol):
    """A source of quotes of some `markets`, asked about what the first sources lack, or are doubted in."""

    markets: frozenset[str]


Came = Callable[[History], None]


def unheard(_found: History) -> None:
    """Do nothing with a history that came."""


class HistoryProvider(DataSource, Protocol):
    """A source of daily closes, in the manner of `QuoteProvider`."""

    def history(
        self,
        listings: Sequence[Listing],
        start: dt.date,
        end: dt.date,
        *,
        now: dt.datetime,
        deadline: Deadline,
        came: Came = unheard,
    ) -> Answer[History]:
        """Return closes from `start` to `end`, both included, or an error, for every listing.

        Each is told to `came` as soon as it is there, from any thread: who is cut off half-way has what came.
        """


class ManyClosesProvider(HistoryProvider, Protocol):
    """A source that also has the closes of many in few requests: without dividends, named `ROUGH`."""

    def closes(
        self,
        listings: Sequence[Listing],
        start: dt.date,
        end: dt.date,
        *,
        now: dt.datetime,
        deadline: Deadline,
        came: Came = unheard,
    ) -> Answer[History]:
        """Return closes alone, in the manner of `history`."""


class FactsProvider(DataSource, Protocol):
    """A source of facts of funds and shares, in the manner of `QuoteProvider`."""

    def facts(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[FetchedFacts]:
        """Return facts or an error for every listing."""


def each(
    listings: Sequence[Listing], find: Callable[[Listing], T], source: str, *, threads: int = 1
) -> tuple[dict[str, T], dict[str, MarketDataError]]:
    """Return what is found for each listing, by symbol, and the errors of the rest, each its own.

    A few are asked for at once where there are `threads`; a refusal is the answer of all that had not been asked for.
    """
    refused: list[MarketDataError] = []

    def one(listing: Listing) -> T | MarketDataError:
        if refused:
            return all_failed([listing], refused[0])[listing.symbol]
        try:
            return find(listing)
        except MarketDataError as error:
            if isinstance(error, (RateLimited, Blocked)):
                refused.append(error)
            error.symbol = error.symbol or listing.symbol
            return error
        except Exception as error:  # noqa: BLE001 - no shape of one row may cost another's
            return unexpected(source, error)

    if threads > 1 and len(listings) > 1:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(threads, len(listings))) as pool:
            answers = list(pool.map(one, listings))
    else:
        answers = [one(listing) for listing in listings]
    said = dict(zip((listing.symbol for listing in listings), answers, strict=True))
    failed = {symbol: answer for symbol, answer in said.items() if isinstance(answer, MarketDataError)}
    return {symbol: answer for symbol, answer in said.items() if not isinstance(answer, MarketDataError)}, failed


def all_failed(listings: Sequence[Listing], error: MarketDataError) -> dict[str, MarketDataError]:
    """Return the one error for every listing, naming each symbol."""
    return {
        one.symbol: type(error)(error.message, symbol=one.symbol, source=error.source, retry_after=error.retry_after)
        for one in listings
    }


class Connection(Protocol):
    """What a vendor is asked through, as far as its turns need to know."""

    skew: float | None

    @property
    def count(self) -> int:
        """Return how many requests the batch has made."""

    def begin(self, deadline: Deadline) -> None:
        """Start a batch: forget the last one's count."""


S = TypeVar("S", bound=Connection)


class Turns(Generic[S]):
    """A vendor's one session, made by `start` at the first need; one batch at a time, a second waits."""

    def __init__(self, name: str, start: Callable[[], S]) -> None:
        self._name, self._start = name, start
        self._lock = threading.Lock()
        self._session: S | None = None

    @contextmanager
    def session(self, deadline: Deadline) -> Iterator[S]:
        """Give the session for one batch; raises Transient where its turn does not come within the deadline."""
        if deadline.left == 0 or not self._lock.acquire(timeout=deadline.left):
            raise deadline.spent(self._name)
        try:
            self._session = self._session or self._start()
            self._session.begin(deadline)
            yield self._session
        finally:
            self._lock.release()

    def answer(
        self,
        listings: Sequence[Listing],
        deadline: Deadline,
        ask: Callable[[S], tuple[Mapping[str, T], Mapping[str, MarketDataError]]],
    ) -> Answer[T]:
        """Return what is found and what failed over the session, with its requests; an error is every listing's."""
        count = 0
        try:
            with self.session(deadline) as session:
                try:
                    return Answer(*ask(session), session.count, skew=session.skew)
                finally:
                    count = session.count
        except MarketDataError as error:
            return Answer({}, all_failed(listings, error), count)


def refusal(store: Store, source: str, now: dt.datetime) -> MarketDataError | None:
    """Return the error with which a source is not asked now, None where it may be asked."""
    breaker = store.breakers().get(source)
    if breaker is None or breaker.until <= now:
        return None
    kind: type[MarketDataError] = getattr(errors, breaker.error, RateLimited)
    left = (breaker.until - now).total_seconds()
    key = "source.left-alone-login" if kind is AuthFailed and source == "krx" else "source.left-alone"
    said = phrase(key, source=source, error=breaker.error, minutes=max(round(left / 60), 1))
    return kind(said, source=source, retry_after=left)


def record(store: Store, source: str, error: MarketDataError | None, now: dt.datetime) -> None:
    """Open a source's breaker on a refusal, close it on an answer (`error` None); other errors leave it as it is.

    A source that hangs says by `retry_after` how long it is left alone: nobody is to wait for it at every look.
    """
    before = store.breakers().get(source)
    if error is None:
        if before is not None:
            _LOG.info("%s answers again", source)
            store.close_breaker(source)
        return
    waits = (KRX_WAITS if source == "krx" else WAITS).get(type(error), (0.0,) if error.retry_after else None)
    if waits is None:
        return
    step = min(before.step + 1 if before else 0, len(waits) - 1)
    seconds = max(waits[step], error.retry_after or 0.0)
    _LOG.warning("%s refused (%s): left alone for %.0f s", source, type(error).__name__, seconds)
    store.put_breaker(Breaker(source, now + dt.timedelta(seconds=seconds), step, type(error).__name__))


def guarded(
    store: Store,
    source: DataSource,
    call: str,
    listings: Sequence[Listing],
    now: dt.datetime,
    ask: Callable[[], Answer[T]],
) -> Answer[T]:
    """Ask one source, unless its breaker is open; keep its breaker by what it answers.

    A 401 shuts only the `call` (quotes, history, facts) that it came from: the vendor's others need no cookie, or
    have their own. KRX has one login for all.
    """
    name = source.name if source.name == "krx" else f"{source.name} {call}"
    refused = refusal(store, source.name, now) or refusal(store, name, now)
    if refused is not None:
        return Answer({}, all_failed(listings, refused))
    try:
        answer = ask()
    except Exception as error:  # noqa: BLE001 - no shape of an answer may end the process, or leave a symbol unanswered
        answer = Answer({}, all_failed(listings, unexpected(source.name, error)))
    refusals = [e for e in answer.failed.values() if isinstance(e, (RateLimited, Blocked, AuthFailed))]
    hanging = [e for e in answer.failed.values() if isinstance(e, Transient) and e.retry_after]
    if refusals and not (answer.ok and isinstance(refusals[0], AuthFailed)):
        record(store, name if isinstance(refusals[0], AuthFailed) else source.name, refusals[0], now)
    elif answer.ok:
        record(store, source.name, None, now)
        record(store, name, None, now)
    elif hanging:
        record(store, source.name, hanging[0], now)
    for failure in answer.failed.values():
        failure.source = failure.source or source.name
    for kind in dict.fromkeys(type(failure) for failure in answer.failed.values()):
        which = [symbol for symbol, failure in answer.failed.items() if type(failure) is kind]
        _LOG.info("%s failed for %d of %d (%s)", source.name, len(which), len(listings), kind.__name__)
    return answer


def unexpected(source: str, error: Exception) -> SchemaChanged:
    """Return the error for a foreign exception: it names the class, never the message, in which a secret can be."""
    return SchemaChanged(phrase("source.unexpected", source=source, kind=type(error).__name__), source=source)


@dataclass(slots=True)
class Said:
    """What the sources said of one batch: prices, second opinions, errors by symbol and source."""

    prices: dict[str, Quote] = field(default_factory=dict)
    checks: dict[str, Quote] = field(default_factory=dict)
    errors: dict[str, dict[str, MarketDataError]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    requests: int = 0

    def fail(self, failed: Mapping[str, MarketDataError]) -> None:
        """Note errors by symbol and source."""
        for symbol, error in failed.items():
            self.errors.setdefault(symbol, {})[error.source or "market"] = error

    def error(self, symbol: str) -> MarketDataError:
        """Return the one error to tell about a symbol that no source had, with what each said.

        A source that only wants a login is not named beside others: most people have none there.
        """
        said = self.errors.get(symbol, {})
        if not said:
            return Transient(phrase("source.none-in-time", symbol=symbol), symbol=symbol)
        first = min(
            said.values(), key=lambda error: next(i for i, kind in enumerate(_TELLING) if isinstance(error, kind))
        )
        told = [error.message for error in said.values() if not isinstance(error, AuthRequired)] or [first.message]
        messages = dict.fromkeys(told)
        joined = reduce(lambda one, other: phrase("source.both", one=one, other=other), messages)
        return type(first)(joined, symbol=symbol, source=first.source, retry_after=first.retry_after)
