"""History and fund facts as the sources give them, and the answer to a question: frozen, with where from and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, TypeVar

from engine.errors import MarketDataError, Problem

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class History:
    """Daily closes of one symbol, oldest first.

    `closes` are per share in `currency`, adjusted for splits only. `total_return` are the closes with dividends put
    back in (only their ratios mean anything); None where the source has none. A day without a price has no row.
    """

    symbol: str
    currency: str
    source: str
    fetched_at: dt.datetime
    dates: tuple[dt.date, ...]
    closes: tuple[Decimal, ...]
    total_return: tuple[float, ...] | None = None

    def between(self, start: dt.date, end: dt.date) -> History:
        """Return the part from `start` to `end`, both included."""
        keep = [i for i, day in enumerate(self.dates) if start <= day <= end]
        return History(
            self.symbol,
            self.currency,
            self.source,
            self.fetched_at,
            tuple(self.dates[i] for i in keep),
            tuple(self.closes[i] for i in keep),
            None if self.total_return is None else tuple(self.total_return[i] for i in keep),
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
