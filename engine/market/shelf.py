"""What is known of prices: what is stored and what this process fetched, and which of them are worth a request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from engine.errors import SymbolUnknown
from engine.market import freshness
from engine.market.lanes import Findings
from engine.market.listing import Listing
from engine.market.store import Store
from engine.quote import Quote
from engine.settings import MarketSettings

#: Before every moment.
NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


class Shelf:
    """Hold the store, and beside it what this process fetched: a store may refuse to be written."""

    def __init__(self, store: Store, settings: MarketSettings) -> None:
        self._store, self._settings = store, settings
        self._memory: dict[str, dict[str, tuple[str, Quote]]] = {"price": {}, "check": {}}

    def rows(self, role: str) -> dict[str, tuple[str, Quote]]:
        """Return the newest quote of every symbol with its market; `role` is price or check (the second source's)."""
        rows = self._store.quotes(role)
        for symbol, row in list(self._memory[role].items()):
            known = rows.get(symbol)
            if known is None or _fetched(known[1]) < _fetched(row[1]):
                rows[symbol] = row
        return rows

    def due(
        self, listings: Collection[Listing], now: dt.datetime, *, refresh: bool, errors: Findings
    ) -> dict[str, Listing]:
        """Return the listings worth a request; those that every source was found not to know go to `errors`."""
        rows = self.rows("price")
        unknown: set[tuple[str, str]] = set()
        if not refresh and any(one.symbol not in rows for one in listings):
            unknown = self._store.unknown(now - dt.timedelta(seconds=self._settings.unknown_for))
        due = {}
        for one in listings:
            row = rows.get(one.symbol)
            if row is not None and not refresh and freshness.current(row[1], one.market, now, self._settings):
                continue
            if row is None and _unknown_to_all(one, unknown):
                message = f"no source knows {one.symbol}: check the code; --refresh asks again before a day is over"
                ko = f"{one.symbol}: 어느 제공처에도 없습니다. 코드를 확인하세요(바로 다시 물으려면 --refresh)"
                errors.fail({one.symbol: SymbolUnknown(message, ko=ko, symbol=one.symbol, source="store")})
                continue
            due[one.symbol] = one
        return due

    def keep(self, found: Findings, listings: Mapping[str, Listing], now: dt.datetime) -> None:
        """Put down what a batch found: prices, second opinions, and who does not know a symbol."""
        for role, quotes in (("price", found.prices), ("check", found.checks)):
            rows = [(listings[symbol].market, quote) for symbol, quote in quotes.items()]
            self._store.put_quotes(rows, role)
            self._memory[role].update({quote.symbol: (market, quote) for market, quote in rows})
        pairs = [
            (symbol, source)
            for symbol, said in found.errors.items()
            for source, error in said.items()
            if isinstance(error, SymbolUnknown) and symbol not in found.prices
        ]
        self._store.put_unknown(pairs, now)

    def forget(self) -> None:
        """Forget what this process fetched."""
        self._memory = {"price": {}, "check": {}}


def _unknown_to_all(one: Listing, unknown: set[tuple[str, str]]) -> bool:
    sources = ("naver", "yahoo") if one.market == "KR" else ("yahoo",)
    return all((one.symbol, source) in unknown for source in sources)


def _fetched(quote: Quote) -> dt.datetime:
    return quote.fetched_at or NEVER
