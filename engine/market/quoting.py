"""Prices and rates from whichever source has them: fresh store, sources in order, stale store.

One missing or aged price makes one batch of every symbol in use; threads that ask at the same time share it. Nothing
waits beyond its deadline, and nothing stored is shown without saying why it is stale.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.errors import MarketDataError, Problem, SymbolUnknown
from engine.market import doubts, freshness
from engine.market.catalogue import Catalogue, load
from engine.market.flights import Flights, WatchList
from engine.market.lanes import Findings, Lanes
from engine.market.listing import Listing
from engine.market.meanings import Meanings
from engine.market.provider import Deadline, QuoteProvider
from engine.market.shelf import Shelf
from engine.market.store import Store
from engine.quote import Quote
from engine.settings import MarketSettings


@dataclass(frozen=True, slots=True)
class QuoteBatch:
    """Hold the answer to one question: every symbol asked for, as it was written, is in `ok` or in `failed`.

    `requests` is how many HTTP requests this question caused; one that joined another's batch caused none.
    """

    ok: Mapping[str, Quote]
    failed: Mapping[str, MarketDataError]
    requests: int
    problems: tuple[Problem, ...] = ()


class Chain:
    """Answer questions for market data; safe from any number of threads."""

    def __init__(
        self,
        store: Store,
        *,
        korea: Sequence[QuoteProvider],
        world: QuoteProvider,
        settings: MarketSettings | None = None,
        catalogue: Catalogue | None = None,
        etfs: Callable[[Deadline], Iterable[Listing]] | None = None,
    ) -> None:
        self.store = store
        self.settings = settings or MarketSettings()
        self.catalogue = catalogue or load()
        self.lanes = Lanes(store, self.settings, tuple(korea), world)
        self._meanings = Meanings(store, self.catalogue, etfs)
        self._shelf = Shelf(store, self.settings)
        self._watch_list = WatchList(store, self.settings, self.listing)
        self._flights = Flights(self.lanes, self._shelf, self._watch_list, self.settings)

    def quotes(
        self,
        symbols: Iterable[str],
        *,
        now: dt.datetime | None = None,
        deadline: float | None = None,
        refresh: bool = False,
        offline: bool = False,
        given: Sequence[QuoteProvider] = (),
    ) -> QuoteBatch:
        """Return a quote or an error for every symbol, within `deadline` seconds (default: the headless setting).

        A symbol is a code, a catalogue name or a pair such as USDKRW. `given` sources (manual prices, a file) beat
        every other. `refresh` asks the sources even where the store is fresh; `offline` asks none. Raises nothing
        for market data: what could not be had is in `failed`.
        """
        now = now or dt.datetime.now(dt.UTC)
        limit = Deadline(self.settings.headless_deadline if deadline is None else deadline)
        asked = list(dict.fromkeys(symbols))
        listings, failed = self._meanings.resolved(asked, now, limit, offline=offline)
        ok = self._given(listings, given, now, limit)
        left = {one.symbol: one for text, one in listings.items() if text not in ok}
        found = Findings()
        if left:
            self._watch_list.note(left, now)
            due = self._shelf.due(left.values(), now, refresh=refresh, errors=found)
            if due and not offline:
                found = self._flights.join(due, now, limit, found, refresh=refresh)
        problems = list(found.problems)
        rows, checks = self._shelf.rows("price"), self._shelf.rows("check")
        pulses = self._pulses(listings, now, rows, checks)
        for text, one in listings.items():
            if text in ok:
                continue
            row = rows.get(one.symbol)
            if row is None:
                failed[text] = found.error(one.symbol) if not offline else _offline(one.symbol)
                continue
            quote = row[1]
            ok[text] = replace(quote, stale_reason=pulses[one.market].stale_reason(quote))
            problems += doubts.about(one, quote, checks.get(one.symbol), self.settings)
        problems += doubts.unrefreshed(found, ok, listings)
        ordered = {text: ok[text] for text in asked if text in ok}
        return QuoteBatch(ordered, failed, found.requests, tuple(dict.fromkeys((*problems, *self.store.problems))))

    def watch(self, texts: Iterable[str], now: dt.datetime) -> None:
        """Put what codes and names mean on the watch list: the next batch brings it too. Unknown ones are left out."""
        meant = []
        for text in texts:
            try:
                meant.append(self.listing(text).symbol)
            except SymbolUnknown:
                continue
        self._watch_list.note(meant, now)

    def clear(self) -> None:
        """Forget everything, in the store and in this process."""
        self.store.clear()
        for part in (self._meanings, self._shelf, self._watch_list, self._flights):
            part.forget()

    def listing(self, text: str) -> Listing:
        """Return what a code or name means; raises SymbolUnknown."""
        return self._meanings.listing(text)

    @staticmethod
    def _given(
        listings: Mapping[str, Listing], given: Sequence[QuoteProvider], now: dt.datetime, deadline: Deadline
    ) -> dict[str, Quote]:
        found: dict[str, Quote] = {}
        for provider in reversed(given):  # the first has the last word
            answer = provider.quotes(list(listings.values()), now=now, deadline=deadline)
            found.update({text: answer.ok[one.symbol] for text, one in listings.items() if one.symbol in answer.ok})
        return found

    def _pulses(
        self, listings: Mapping[str, Listing], now: dt.datetime, *tables: Mapping[str, tuple[str, Quote]]
    ) -> dict[str, freshness.Pulse]:
        """Return each market's pulse: everything that is stored of it tells whether it has traded."""
        quotes: dict[str, list[Quote]] = {one.market: [] for one in listings.values()}
        for table in tables:
            for market, quote in table.values():
                quotes.setdefault(market, []).append(quote)
        return {
            market: freshness.Pulse(market, now, self.settings, freshness.sightings(market, found))
            for market, found in quotes.items()
        }


def _offline(symbol: str) -> MarketDataError:
    from engine.errors import NoData

    message = f"no price of {symbol} is stored, and the sources were not to be asked"
    ko = f"저장된 {symbol} 시세가 없고, 제공처에 묻지 않기로 했습니다"
    return NoData(message, ko=ko, symbol=symbol, source="store")
