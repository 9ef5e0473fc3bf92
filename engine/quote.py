"""A price that says where it came from and how old it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from engine.phrase import Phrase

Session = Literal["pre", "regular", "after", "closed", "unknown"]

#: The source of the bundled samples, which are made up: whatever shows such a price must say so loudly.
SAMPLE_SOURCE = "sample"


@dataclass(frozen=True, slots=True)
class Quote:
    """A price of one instrument, or a rate of one currency pair.

    `price` is in `currency` per share (for an FX pair such as USDKRW: units of the second per unit of the first, and
    `currency` is the second). `as_of` is when it was traded (aware; None where a person gave no date), `fetched_at`
    when we got it, `delay_seconds` what the source says it lags. `stale_reason` None means fresh, `doubt` None that
    nothing known speaks against the price. `previous` is the close of the session before, where the source says it.
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

    def inverted(self, symbol: str) -> Quote:
        """Return a pair's rate the other way round; `symbol` is its pair."""
        previous = None if self.previous is None else 1 / self.previous
        return replace(self, symbol=symbol, price=1 / self.price, currency=symbol[3:], previous=previous)

    @property
    def stale(self) -> bool:
        """Tell whether the quote is too old to act on."""
        return self.stale_reason is not None
