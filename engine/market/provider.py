"""What a source of market data must do: a batch in, quotes and errors per symbol out, never raising for one symbol."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from engine.errors import MarketDataError, Problem, Transient
from engine.market.listing import Listing
from engine.market.records import FundFacts, History
from engine.quote import Quote

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """Hold one provider's answer to a batch: every symbol asked for is in exactly one of `ok` and `failed`.

    `requests` counts HTTP requests; `skew` is how far the source's clock is ahead of ours, in seconds, where it said.
    """

    ok: Mapping[str, T]
    failed: Mapping[str, MarketDataError]
    requests: int = 0
    problems: tuple[Problem, ...] = ()
    skew: float | None = None


@dataclass(slots=True)
class Deadline:
    """Count down to a moment of the monotonic clock."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Return the seconds left, never below 0."""
        return max(self.started + self.seconds - time.monotonic(), 0.0)

    def spent(self, source: str) -> Transient:
        """Return the error of a source that did not answer in time."""
        seconds = f"{self.seconds:.3g}"
        message = f"{source} did not answer within {seconds} s: try again"
        return Transient(message, ko=f"{source} 응답이 {seconds}초 안에 없습니다: 다시 해 보세요", source=source)


class QuoteProvider(Protocol):
    """Give quotes of listings.

    `name` is the source shown with a price, `vendor` whose servers answer (two names of one vendor do not vouch for
    each other), `network` whether it needs any. `quotes` never raises a MarketDataError: it puts one under `failed`.
    """

    name: str
    network: bool

    @property
    def vendor(self) -> str:
        """Return whose servers answer."""

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return a quote or an error for every listing, within the deadline."""


class HistoryProvider(Protocol):
    """Give daily closes of listings, in the manner of `QuoteProvider`."""

    name: str

    @property
    def vendor(self) -> str:
        """Return whose servers answer."""

    def history(
        self, listings: Sequence[Listing], start: dt.date, end: dt.date, *, now: dt.datetime, deadline: Deadline
    ) -> Answer[History]:
        """Return closes from `start` to `end`, both included, or an error, for every listing."""


class FactsProvider(Protocol):
    """Give facts of funds and shares, in the manner of `QuoteProvider`."""

    name: str

    @property
    def vendor(self) -> str:
        """Return whose servers answer."""

    def facts(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[FundFacts]:
        """Return facts or an error for every listing."""


def each(listings: Sequence[Listing], find: Callable[[Listing], T]) -> tuple[dict[str, T], dict[str, MarketDataError]]:
    """Return what is found for one listing after the other, by symbol, and the errors of the rest."""
    ok: dict[str, T] = {}
    failed: dict[str, MarketDataError] = {}
    for listing in listings:
        try:
            ok[listing.symbol] = find(listing)
        except MarketDataError as error:
            failed[listing.symbol] = error
    return ok, failed


def all_failed(listings: Sequence[Listing], error: MarketDataError) -> dict[str, MarketDataError]:
    """Return the one error for every listing, naming each symbol."""
    return {
        listing.symbol: type(error)(
            str(error), ko=error.ko, symbol=listing.symbol, source=error.source, retry_after=error.retry_after
        )
        for listing in listings
    }
