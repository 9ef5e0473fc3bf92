"""Prices and rates from whichever source has them: fresh store, sources in order, stale store.

One missing or aged price makes one batch of every symbol in use; threads that ask at the same time share it. Nothing
waits beyond its deadline, and nothing stored is shown without saying why it is stale.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.errors import MarketDataError, Problem, SymbolUnknown, Transient
from engine.market import doubts, freshness
from engine.market.catalogue import Catalogue, load
from engine.market.lanes import GRACE, Findings, Lanes
from engine.market.listing import Listing, resolve
from engine.market.provider import Deadline, QuoteProvider
from engine.market.quote import Quote
from engine.market.store import Store
from engine.settings import MarketSettings

#: Seconds between two fetches of the list of ETFs.
LIST_AGE = 86400.0
#: Seconds between two notes that a symbol is in use.
WATCH_AGE = 3600.0
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class QuoteBatch:
    """Hold the answer to one question: every symbol asked for, as it was written, is in `ok` or in `failed`.

    `requests` is how many HTTP requests this question caused; one that joined another's batch caused none.
    """

    ok: Mapping[str, Quote]
    failed: Mapping[str, MarketDataError]
    requests: int
    problems: tuple[Problem, ...] = ()


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
        self._etfs = etfs
        self._lock = threading.Lock()
        self._running = threading.Lock()
        self._gathering: _Flight | None = None
        self._meanings: dict[str, Listing] = {}
        self._watched_at: dict[str, dt.datetime] = {}
        self._begun: dict[str, float] = {}
        self._memory: dict[str, dict[str, tuple[str, Quote]]] = {"price": {}, "check": {}}

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
        listings, failed = self._resolve(asked, now, limit, offline=offline)
        ok = self._given(listings, given, now, limit)
        left = {one.symbol: one for text, one in listings.items() if text not in ok}
        found = Findings()
        if left:
            self._watch(left, now)
            due = self._due(left.values(), now, refresh=refresh, errors=found)
            if due and not offline:
                found = self._fly(due, now, limit, found, refresh=refresh)
        problems = list(found.problems)
        rows, checks = self._rows("price"), self._rows("check")
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
        self._watch(meant, now)

    def _watch(self, symbols: Iterable[str], now: dt.datetime) -> None:
        """Put symbols on the watch list; once an hour is often enough for a list that lasts a week."""
        new = [s for s in symbols if abs((now - self._watched_at.get(s, _NEVER)).total_seconds()) > WATCH_AGE]
        self.store.watch(new, now)
        self._watched_at.update(dict.fromkeys(new, now))

    def clear(self) -> None:
        """Forget everything, in the store and in this process."""
        self.store.clear()
        self._memory = {"price": {}, "check": {}}
        self._begun, self._watched_at, self._meanings = {}, {}, {}

    # --- what is asked --------------------------------------------------------------------------------------------
    def _resolve(
        self, symbols: Sequence[str], now: dt.datetime, deadline: Deadline, *, offline: bool
    ) -> tuple[dict[str, Listing], dict[str, MarketDataError]]:
        listings: dict[str, Listing] = {}
        failed: dict[str, MarketDataError] = {}
        for text in symbols:
            try:
                listings[text] = self.listing(text)
            except SymbolUnknown as error:
                failed[text] = error
        if failed and not offline and self._extend(now, deadline):
            for text in list(failed):
                try:
                    listings[text] = self.listing(text)
                    del failed[text]
                except SymbolUnknown:
                    continue
        return listings, failed

    def listing(self, text: str) -> Listing:
        """Return what a code or name means; raises SymbolUnknown."""
        if text not in self._meanings:
            self._meanings[text] = resolve(text, self.catalogue, self.store.listed)
        return self._meanings[text]

    def _extend(self, now: dt.datetime, deadline: Deadline) -> bool:
        """Fetch the list of Korean ETFs, once a day, when a name is not in the catalogue; tell whether it was."""
        age = self.store.listings_age(now)
        if self._etfs is None or (age is not None and 0 <= age < LIST_AGE):
            return False
        try:
            self.store.put_listings(self._etfs(Deadline(deadline.left / 2)), now)
            self._meanings = {}
        except MarketDataError:
            return False  # the name stays unknown, and the error already names the nearest ones
        return True

    @staticmethod
    def _given(
        listings: Mapping[str, Listing], given: Sequence[QuoteProvider], now: dt.datetime, deadline: Deadline
    ) -> dict[str, Quote]:
        found: dict[str, Quote] = {}
        for provider in reversed(given):  # the first has the last word
            answer = provider.quotes(list(listings.values()), now=now, deadline=deadline)
            found.update({text: answer.ok[one.symbol] for text, one in listings.items() if one.symbol in answer.ok})
        return found

    def _due(
        self, listings: Collection[Listing], now: dt.datetime, *, refresh: bool, errors: Findings
    ) -> dict[str, Listing]:
        """Return the listings worth a request; those that every source was found not to know go to `errors`."""
        rows = self._rows("price")
        unknown: set[tuple[str, str]] = set()
        if not refresh and any(one.symbol not in rows for one in listings):
            unknown = self.store.unknown(now - dt.timedelta(seconds=self.settings.unknown_for))
        due = {}
        for one in listings:
            row = rows.get(one.symbol)
            if row is not None and not refresh and freshness.current(row[1], one.market, now, self.settings):
                continue
            if row is None and self._unknown_to_all(one, unknown):
                message = f"no source knows {one.symbol}: check the code; --refresh asks again before a day is over"
                ko = f"{one.symbol}: 어느 제공처에도 없습니다. 코드를 확인하세요(바로 다시 물으려면 --refresh)"
                errors.fail({one.symbol: SymbolUnknown(message, ko=ko, symbol=one.symbol, source="store")})
                continue
            due[one.symbol] = one
        return due

    def _unknown_to_all(self, one: Listing, unknown: set[tuple[str, str]]) -> bool:
        sources = ("naver", "yahoo") if one.market == "KR" else ("yahoo",)
        return all((one.symbol, source) in unknown for source in sources)

    # --- one batch for everybody ----------------------------------------------------------------------------------
    def _fly(
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
            message = f"no answer within {limit.seconds:g} s; it goes on: ask again"
            ko = f"{limit.seconds:g}초 안에 응답이 없어 계속 받고 있습니다: 다시 해 보세요"
            late = Transient(message, ko=ko, source="market")
            told.fail({key: late for key in due if key not in flight.found.prices})
        return told

    def _run(self, flight: _Flight) -> None:
        time.sleep(self.settings.gather)
        try:
            with self._running:
                with self._lock:
                    self._gathering = None  # from here on others gather for the next batch
                started = time.monotonic()
                listings = {**self._watched(flight.now), **self._still_due(flight)}
                if listings:
                    flight.found = self.lanes.fetch(list(listings.values()), flight.now, Deadline(flight.seconds))
                    self._keep(flight.found, listings, flight.now)
                    self._begun.update(dict.fromkeys(listings, started))
        finally:
            flight.done.set()

    def _still_due(self, flight: _Flight) -> dict[str, Listing]:
        """Return the flight's listings without those that the batch before it brought meanwhile."""
        due = self._due(flight.wanted.values(), flight.now, refresh=False, errors=Findings())
        for symbol, asked in flight.forced.items():
            if self._begun.get(symbol, 0.0) < asked:
                due[symbol] = flight.wanted[symbol]
        return due

    def _watched(self, now: dt.datetime) -> dict[str, Listing]:
        """Return the watch list's listings that are due too: one miss refreshes them all."""
        found = {}
        for symbol in self.store.watched(now - dt.timedelta(seconds=self.settings.watch_for)):
            try:
                found[symbol] = self.listing(symbol)
            except SymbolUnknown:
                continue
        return self._due(found.values(), now, refresh=False, errors=Findings())

    def _keep(self, found: Findings, listings: Mapping[str, Listing], now: dt.datetime) -> None:
        for role, quotes in (("price", found.prices), ("check", found.checks)):
            rows = [(listings[symbol].market, quote) for symbol, quote in quotes.items()]
            self.store.put_quotes(rows, role)
            self._memory[role].update({quote.symbol: (market, quote) for market, quote in rows})
        pairs = [
            (symbol, source)
            for symbol, said in found.errors.items()
            for source, error in said.items()
            if isinstance(error, SymbolUnknown) and symbol not in found.prices
        ]
        self.store.put_unknown(pairs, now)

    # --- what is told ---------------------------------------------------------------------------------------------
    def _rows(self, role: str) -> dict[str, tuple[str, Quote]]:
        """Return the newest of what is stored and what this process fetched: a store may refuse to be written."""
        rows = self.store.quotes(role)
        for symbol, row in list(self._memory[role].items()):
            known = rows.get(symbol)
            if known is None or _fetched(known[1]) < _fetched(row[1]):
                rows[symbol] = row
        return rows

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


def _fetched(quote: Quote) -> dt.datetime:
    return quote.fetched_at or _NEVER


def _offline(symbol: str) -> MarketDataError:
    from engine.errors import NoData

    message = f"no price of {symbol} is stored, and the sources were not to be asked"
    ko = f"저장된 {symbol} 시세가 없고, 제공처에 묻지 않기로 했습니다"
    return NoData(message, ko=ko, symbol=symbol, source="store")
