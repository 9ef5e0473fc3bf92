"""What the market says: prices and rates, daily closes, fund facts, each with where it came from and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Generic, Literal, TypeVar

from engine.errors import MarketDataError, Problem
from engine.phrase import Phrase

Session = Literal["pre", "regular", "after", "closed", "unknown"]

#: The source of the bundled samples, which are made up: whatever shows such a price must say so loudly.
SAMPLE_SOURCE = "sample"


@dataclass(frozen=True, slots=True)
class Split:
    """So many new shares for an old one, from a day on: quantities of before it no longer hold.

    `named` says that a source names it; else the price alone looks like one.
    """

    day: dt.date
    ratio: Decimal
    named: bool = True


@dataclass(frozen=True, slots=True)
class Quote:
    """A price of one instrument, or a rate of one currency pair.

    `price` is in `currency` per share (for an FX pair such as USDKRW: units of the second per unit of the first, and
    `currency` is the second). `as_of` is when it was traded (aware; None where a person gave no date), `fetched_at`
    when we got it, `delay_seconds` what the source says it lags. `stale_reason` None means fresh, `doubt` None that
    nothing known speaks against the price. `previous` is the close of the session before, `kind` the asset type (""
    where not known), `listed` the first day of trading, where the source says them; `split` one of the last two weeks.
    """

    symbol: str
    price: Decimal
    currency: str
    as_of: dt.datetime | None
    source: str
    session: Session = "unknown"
    delay_seconds: int = 0
    fetched_at: dt.datetime | None = None
    stale_reason: Phrase | None = None
    name: str = ""
    previous: Decimal | None = None
    doubt: Phrase | None = None
    kind: str = ""
    listed: dt.date | None = None
    split: Split | None = None

    def inverted(self, symbol: str) -> Quote:
        """Return a pair's rate the other way round; `symbol` is its pair."""
        previous = None if self.previous is None else 1 / self.previous
        return replace(self, symbol=symbol, price=1 / self.price, currency=symbol[3:], previous=previous)

    @property
    def stale(self) -> bool:
        """Tell whether the quote is too old to act on."""
        return self.stale_reason is not None


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class History:
    """Daily closes of one symbol, oldest first.

    `closes` are per share in `currency`, adjusted for splits only. `total_return` are the closes with dividends put
    back in (only their ratios mean anything); None where the source has none. A day without a price has no row.
    `splits` are the source's own events: new shares for an old one, by the first day that trades so.
    """

    symbol: str
    currency: str
    source: str
    fetched_at: dt.datetime
    dates: tuple[dt.date, ...]
    closes: tuple[Decimal, ...]
    total_return: tuple[float, ...] | None = None
    splits: Mapping[dt.date, Decimal] = field(default_factory=dict)

    def between(self, start: dt.date, end: dt.date) -> History:
        """Return the part from `start` to `end`, both included."""
        return self.only(i for i, day in enumerate(self.dates) if start <= day <= end)

    def only(self, rows: Iterable[int]) -> History:
        """Return the part of the given rows."""
        keep = tuple(rows)
        total = self.total_return
        return replace(
            self,
            dates=tuple(self.dates[i] for i in keep),
            closes=tuple(self.closes[i] for i in keep),
            total_return=None if total is None else tuple(total[i] for i in keep),
        )

    def inverted(self, symbol: str) -> History:
        """Return a pair's history the other way round; `symbol` is its pair."""
        return replace(
            self,
            symbol=symbol,
            currency=symbol[3:],
            closes=tuple(1 / close for close in self.closes),
            total_return=None if self.total_return is None else tuple(1 / close for close in self.total_return),
        )


@dataclass(frozen=True, slots=True)
class FetchedHolding:
    """One holding of a fund; `weight` is a fraction of the fund, None where the source does not say."""

    symbol: str
    name: str
    weight: Decimal | None


@dataclass(frozen=True, slots=True)
class FetchedFacts:
    """What a source says about a fund or share; whatever it does not say is None or empty.

    `fee` (a year), `dividend_yield` and the weights are fractions; `aum` and `market_cap` are in `currency`; `top`
    holds up to the ten largest holdings, `as_of` the date the source gives them for.
    """

    symbol: str
    source: str
    fetched_at: dt.datetime
    name: str = ""
    currency: str = ""
    fee: Decimal | None = None
    aum: Decimal | None = None
    holdings_count: int | None = None
    top: tuple[FetchedHolding, ...] = ()
    sectors: Mapping[str, Decimal] = field(default_factory=dict)
    dividend_yield: Decimal | None = None
    sector: str | None = None
    market_cap: Decimal | None = None
    as_of: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """The answer to one question: every symbol asked for, as it was written, is in `ok` or in `failed`.

    `requests` is how many HTTP requests this question caused; one that joined another's caused none.
    """

    ok: Mapping[str, T]
    failed: Mapping[str, MarketDataError]
    requests: int
    problems: tuple[Problem, ...] = ()
