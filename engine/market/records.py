"""History and fund facts: plain frozen records that say where they came from and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class History:
    """Hold daily closes of one symbol, oldest first.

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
class Constituent:
    """Name one holding of a fund; `weight` is a fraction of the fund, None where the source does not say."""

    symbol: str
    name: str
    weight: Decimal | None


@dataclass(frozen=True, slots=True)
class FundFacts:
    """Hold what a source says about a fund or share; whatever it does not say is None or empty.

    `fee` (a year), `dividend_yield` and the weights are fractions; `aum` and `market_cap` are in `currency`; `top`
    holds up to the ten largest constituents, `as_of` the date the source gives them for.
    """

    symbol: str
    source: str
    fetched_at: dt.datetime
    name: str = ""
    currency: str = ""
    fee: Decimal | None = None
    aum: Decimal | None = None
    holdings_count: int | None = None
    top: tuple[Constituent, ...] = ()
    sectors: Mapping[str, Decimal] = field(default_factory=dict)
    dividend_yield: Decimal | None = None
    sector: str | None = None
    market_cap: Decimal | None = None
    as_of: dt.date | None = None
