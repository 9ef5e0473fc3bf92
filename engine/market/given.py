"""Prices that a person gives: by hand, or in a file. They need no network, and a manual one beats every source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.errors import MarketDataError, NoData, Problem
from engine.market.listing import Listing
from engine.market.provider import Answer, Deadline
from engine.quote import Quote


class Given:
    """Give the quotes it was made with, by symbol; `problems` are told with every answer."""

    network = False

    def __init__(self, name: str, quotes: Mapping[str, Quote], problems: Sequence[Problem] = ()) -> None:
        self.name = name
        self._quotes = quotes
        self._problems = tuple(problems)

    @property
    def vendor(self) -> str:
        """Return whose prices these are."""
        return self.name

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:  # noqa: ARG002
        """Return the given quotes; a listing without one fails with NoData."""
        ok = {one.symbol: self._quotes[one.symbol] for one in listings if one.symbol in self._quotes}
        failed: dict[str, MarketDataError] = {
            one.symbol: NoData(
                f"{self.name} gives no price of {one.symbol}",
                ko=f"{self.name}에 {one.symbol} 시세 없음",
                symbol=one.symbol,
                source=self.name,
            )
            for one in listings
            if one.symbol not in ok
        }
        return Answer(ok, failed, 0, self._problems)


def manual(quotes: Mapping[str, Quote]) -> Given:
    """Return the source of prices typed in by a person."""
    return Given("manual", quotes)


def price_file(path: Path) -> Given:
    """Return the source that a CSV file of prices is; what is wrong with the file is in its problems."""
    from engine.market.prices_csv import parse_prices

    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message, ko = f"cannot be read ({reason}): name another file", f"읽을 수 없습니다({reason}): 다른 파일을 쓰세요"
        return Given("csv", {}, [Problem("error", "file-unreadable", str(path), message, ko)])
    quotes, problems = parse_prices(raw, str(path))
    return Given("csv", quotes, problems)
