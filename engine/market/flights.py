"""One batch for everybody: threads that ask at the same time share it, and the watch list comes along."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from engine.errors import SymbolUnknown, Transient
from engine.market.lanes import GRACE, Findings, Lanes
from engine.market.listing import Listing
from engine.market.provider import Deadline
from engine.market.shelf import NEVER, Shelf
from engine.market.store import Store
from engine.settings import MarketSettings

#: Seconds between two notes that a symbol is in use.
WATCH_AGE = 3600.0


class WatchList:
    """Remember which symbols are in use; `meaning` tells what a symbol means."""

    def __init__(self, store: Store, settings: MarketSettings, meaning: Callable[[str], Listing]) -> None:
        self._store, self._settings, self._meaning = store, settings, meaning
        self._noted_at: dict[str, dt.datetime] = {}

    def note(self, symbols: Iterable[str], now: dt.datetime) -> None:
        """Put symbols on the watch list; once an hour is often enough for a list that lasts a week."""
        new = [s for s in symbols if abs((now - self._noted_at.get(s, NEVER)).total_seconds()) > WATCH_AGE]
        self._store.watch(new, now)
        self._noted_at.update(dict.fromkeys(new, now))

    def listings(self, now: dt.datetime) -> dict[str, Listing]:
        """Return the listings in use, by symbol."""
        found = {}
        for symbol in self._store.watched(now - dt.timedelta(seconds=self._settings.watch_for)):
            try:
                found[symbol] = self._meaning(symbol)
            except SymbolUnknown:
                continue
        return found

    def forget(self) -> None:
        """Forget when symbols were noted."""
        self._noted_at = {}


@dataclass(slots=True)
class _Flight:
    """Gather the listings of one batch, and hold what became of it.

    `forced` says when (monotonic clock) a symbol was asked for that must be fetched even where the store is fresh.
    """

    now: dt.datetime
    seconds: float
    wanted: dict[str, Listing] = field(default_factory=dict)
    forced: dict[str, float] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    found: Findings = field(default_factory=Findings)


class Flights:
    """Run the batches, one after the other; who asks while one gathers joins it."""

    def __init__(self, lanes: Lanes, shelf: Shelf, watch_list: WatchList, settings: MarketSettings) -> None:
        self._lanes, self._shelf, self._watch_list, self._settings = lanes, shelf, watch_list, settings
        self._lock = threading.Lock()
        self._running = threading.Lock()
        self._gathering: _Flight | None = None
        self._begun: dict[str, float] = {}

    def join(
        self, due: Mapping[str, Listing], now: dt.datetime, limit: Deadline, found: Findings, *, refresh: bool
    ) -> Findings:
        """Join the batch that is gathering, or start one; return what it found for these listings."""
        with self._lock:
            flight = self._gathering
            leads = flight is None
            if flight is None:
                flight = self._gathering = _Flight(now, limit.left)
                threading.Thread(target=self._run, args=(flight,), daemon=True).start()
            flight.wanted.update(due)
            if refresh:
                flight.forced.update(dict.fromkeys(due, time.monotonic()))
            flight.seconds = max(flight.seconds, limit.left)
        finished = flight.done.wait(limit.left + 2 * GRACE)
        told = Findings(flight.found.prices, problems=[*flight.found.problems])
        told.requests = flight.found.requests if leads else 0
        told.errors = {**found.errors, **{key: flight.found.errors[key] for key in due if key in flight.found.errors}}
        if not finished:
            message = f"no answer within {limit.seconds:.3g} s; it goes on: ask again"
            ko = f"{limit.seconds:.3g}초 안에 응답이 없어 계속 받고 있습니다: 다시 해 보세요"
            late = Transient(message, ko=ko, source="market")
            told.fail({key: late for key in due if key not in flight.found.prices})
        return told

    def forget(self) -> None:
        """Forget when symbols were last fetched."""
        self._begun = {}

    def _run(self, flight: _Flight) -> None:
        time.sleep(self._settings.gather)
        try:
            with self._running:
                with self._lock:
                    self._gathering = None  # from here on others gather for the next batch
                started = time.monotonic()
                listings = {**self._watched(flight.now), **self._still_due(flight)}
                if listings:
                    flight.found = self._lanes.fetch(list(listings.values()), flight.now, Deadline(flight.seconds))
                    self._shelf.keep(flight.found, listings, flight.now)
                    self._begun.update(dict.fromkeys(listings, started))
        finally:
            flight.done.set()

    def _still_due(self, flight: _Flight) -> dict[str, Listing]:
        """Return the flight's listings without those that the batch before it brought meanwhile."""
        due = self._shelf.due(flight.wanted.values(), flight.now, refresh=False, errors=Findings())
        for symbol, asked in flight.forced.items():
            if self._begun.get(symbol, 0.0) < asked:
                due[symbol] = flight.wanted[symbol]
        return due

    def _watched(self, now: dt.datetime) -> dict[str, Listing]:
        """Return the watch list's listings that are due too: one miss refreshes them all."""
        return self._shelf.due(self._watch_list.listings(now).values(), now, refresh=False, errors=Findings())
