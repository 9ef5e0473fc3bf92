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
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.documents import Document, number, problem_list
from engine.errors import (
    AuthFailed,
    Blocked,
    NoData,
    RateLimited,
    SchemaChanged,
    SymbolUnknown,
    Transient,
    warning,
)
from engine.market import doubts, freshness
from engine.market.catalogue import Catalogue, Listing, load
from engine.market.meanings import Meanings, inverse_pair
from engine.market.provider import (
    Answer,
    Deadline,
    HistoryProvider,
    QuoteProvider,
    Said,
    SecondProvider,
    all_failed,
    guarded,
    refusal,
)
from engine.market.store import Store
from engine.phrase import phrase, place
from engine.quote import Batch, History, Quote
from engine.settings import MarketSettings

if TYPE_CHECKING:
    import pandas as pd

#: Before every moment.
NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
#: Seconds between two notes that a symbol is in use.
WATCH_AGE = 3600.0
#: Errors of a batch after which a request for one symbol may still do.
_WITHOUT_BATCH = (NoData, SchemaChanged, AuthFailed)
#: Seconds beyond the deadline that a lane may take to put down what it has.
GRACE = 0.3
#: Share of the deadline that the first Korean source may take, so that time is left for the next; that Yahoo may, and
#: of what is then left, each of the second sources.
FIRST_SHARE, WORLD_SHARE, SECOND_SHARE = 0.6, 0.7, 0.5


@dataclass(frozen=True, slots=True)
class QuoteBatch(Batch[Quote]):
    """The quotes of one question, and the errors of what could not be had."""

    def to_json(self) -> Document:
        """Return the document of `quotes --json`: quotes, failed, requests, problems."""
        failed = [
            {"symbol": text, "error": type(error).__name__, "message": str(error)}
            for text, error in self.failed.items()
        ]
        return {
            "quotes": [quote_document(quote) for quote in self.ok.values()],
            "failed": failed,
            "requests": self.requests,
            "problems": problem_list(self.problems),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row per quote, indexed by symbol: the columns are the fields of `to_json`'s quotes.

        `price` is float64; `as_of` and `fetched_at` are UTC, NaT where not known.
        """
        import pandas as pd

        frame = pd.DataFrame([quote_document(quote) for quote in self.ok.values()], columns=list(_COLUMNS))
        kinds = {"price": "float64", "delay_seconds": "int64", "stale": "bool"}
        for moment in ("as_of", "fetched_at"):
            frame[moment] = pd.to_datetime(frame[moment], utc=True, format="ISO8601")
        return frame.astype(kinds).set_index("symbol")


def quote_document(quote: Quote) -> Document:
    """Return a quote as a JSON object; its reason for being stale is told in English."""
    return {
        "symbol": quote.symbol,
        "name": quote.name,
        "price": number(quote.price),
        "currency": quote.currency,
        "as_of": _iso(quote.as_of),
        "session": quote.session,
        "source": quote.source,
        "delay_seconds": quote.delay_seconds,
        "fetched_at": _iso(quote.fetched_at),
        "stale": quote.stale,
        "stale_reason": None if quote.stale_reason is None else str(quote.stale_reason),
    }


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


_COLUMNS = tuple(quote_document(Quote("", Decimal(0), "", None, "")))


class Chain:
    """Prices and rates: what is stored, judged, and what is not worth showing fetched; safe from any number of threads.

    `korea` are the sources of Korean symbols, asked before `world`, which is the source of all others; `second` are
    asked about what these lack or are doubted in, `events` about splits, where a price looks like one.
    """

    def __init__(
        self,
        store: Store,
        *,
        korea: Sequence[QuoteProvider],
        world: QuoteProvider,
        second: Sequence[SecondProvider] = (),
        events: HistoryProvider | None = None,
        settings: MarketSettings | None = None,
        catalogue: Catalogue | None = None,
        etfs: Callable[[Deadline], Iterable[Listing]] | None = None,
    ) -> None:
        self.store = store
        self.settings = settings or MarketSettings()
        self.catalogue = catalogue or load()
        self.lanes = Lanes(store, self.settings, tuple(korea), world, tuple(second), events)
        self.meanings = Meanings(store, self.catalogue, etfs)
        self._flights = Flights(self)
        self._noted_at: dict[str, dt.datetime] = {}
        self._looked_at: dict[str, dt.datetime] = {}

    def quotes(
        self,
        symbols: Iterable[str],
        *,
        now: dt.datetime | None = None,
        deadline: float | None = None,
        refresh: bool = False,
        offline: bool = False,
    ) -> QuoteBatch:
        """Return a quote or an error for every symbol, within `deadline` seconds (default: the headless setting).

        A symbol is a code, a catalogue name or a pair such as USDKRW. `refresh` asks the sources even where the store
        is fresh; `offline` asks none. Raises nothing for market data: what could not be had is in `failed`.
        """
        now = now or dt.datetime.now(dt.UTC)
        limit = Deadline(self.settings.headless_deadline if deadline is None else deadline)
        if offline:
            listings, failed = self.meanings.several(symbols)
        else:
            listings, failed = self.meanings.extended(symbols, now, limit)
        found = Said()
        wanted = {one.symbol: one for one in listings.values()}
        if wanted:
            self._watch(wanted, now)
            due = self.due(wanted.values(), now, refresh=refresh, errors=found)
            if due and not offline:
                found = self._flights.join(due, now, limit, found, refresh=refresh)
        ok: dict[str, Quote] = {}
        problems = list(found.problems)
        rows, checks = self.store.quotes(), self.store.quotes("check")
        pulses, splits = self._pulses(listings, now, rows, checks), self.store.splits()
        for text, one in listings.items():
            row = rows.get(one.symbol)
            if row is None:
                failed[text] = found.error(one.symbol) if not offline else _not_stored(one.symbol)
                continue
            quote = row[1]
            ok[text] = replace(quote, stale_reason=pulses[one.market].stale_reason(quote))
            if split := doubts.recent(splits.get(one.symbol, {}), quote):
                quote = ok[text] = replace(ok[text], split=split)
            if inverse := inverse_pair(text):
                ok[text] = ok[text].inverted(inverse)
            problems += doubts.about(one, quote, checks.get(one.symbol), self.settings)
        problems += doubts.unrefreshed(found, ok, listings)
        return QuoteBatch(ok, failed, found.requests, tuple(dict.fromkeys((*problems, *self.store.problems))))

    def stored(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Return the last price of each symbol that is stored and that nothing spoke against; asks nobody."""
        known = self.believed()
        return {symbol: known[symbol] for symbol in symbols if symbol in known}

    def accept(self, quotes: Iterable[Quote]) -> None:
        """Believe prices that a person has confirmed: they are the measure of later ones."""
        rows = self.store.quotes()
        known = [rows[quote.symbol] for quote in quotes if quote.symbol in rows]
        self.store.put_quotes((market, replace(quote, doubt=None)) for market, quote in known)

    def watch(self, texts: Iterable[str], now: dt.datetime) -> None:
        """Put what codes and names mean on the watch list: the next batch brings it too. Unknown ones are left out."""
        listings, _ = self.meanings.several(texts)
        self._watch([one.symbol for one in listings.values()], now)

    def _watch(self, symbols: Iterable[str], now: dt.datetime) -> None:
        """Put symbols on the watch list; once an hour is often enough for a list that lasts a week."""
        new = [s for s in symbols if abs((now - self._noted_at.get(s, NEVER)).total_seconds()) > WATCH_AGE]
        self.store.watch(new, now)
        self._noted_at.update(dict.fromkeys(new, now))

    def clear(self) -> None:
        """Forget everything, in the store and in this process."""
        self.store.clear()
        self._noted_at, self._looked_at = {}, {}
        self.meanings.forget()
        self._flights.forget()

    def listing(self, text: str) -> Listing:
        """Return what a code or name means; raises SymbolUnknown."""
        return self.meanings.listing(text)

    def due(
        self, listings: Collection[Listing], now: dt.datetime, *, refresh: bool, errors: Said
    ) -> dict[str, Listing]:
        """Return the listings worth a request; those that every source was found not to know go to `errors`."""
        rows = self.store.quotes()
        unknown: set[tuple[str, str]] = set()
        if not refresh and any(one.symbol not in rows for one in listings):
            unknown = self.store.unknown(now - dt.timedelta(seconds=self.settings.unknown_for))
        due = {}
        for one in listings:
            row = rows.get(one.symbol)
            if row is not None and not refresh and self._is_current(row[1], one.market, now):
                continue
            if row is None and _unknown_to_all(one, unknown):
                said = phrase("store.unknown", symbol=one.symbol)
                errors.fail({one.symbol: SymbolUnknown(said, symbol=one.symbol, source="store")})
                continue
            due[one.symbol] = one
        return due

    def _is_current(self, quote: Quote, market: str, now: dt.datetime) -> bool:
        """Tell whether asking is worth nothing: also a moment after an answer older than what is stored."""
        age = (now - self._looked_at.get(quote.symbol, NEVER)).total_seconds()
        return 0 <= age < self.settings.fresh_open or freshness.current(quote, market, now, self.settings)

    def believed(self) -> dict[str, Quote]:
        """Return the last price of every symbol that nothing spoke against."""
        rows, before = self.store.quotes(), self.store.quotes("believed")
        kept = {symbol: before.get(symbol) if row[1].doubt else row for symbol, row in rows.items()}
        return {symbol: row[1] for symbol, row in kept.items() if row is not None}

    def keep(self, found: Said, listings: Mapping[str, Listing], now: dt.datetime) -> None:
        """Put down what a batch found: prices, second opinions, and who does not know a symbol."""
        self._looked_at |= dict.fromkeys(found.prices, now)
        believed = self.believed()
        doubted = {one: believed[one] for one, quote in found.prices.items() if quote.doubt and one in believed}
        for role, quotes in (("believed", doubted), ("price", found.prices), ("check", found.checks)):
            self.store.put_quotes([(listings[symbol].market, quote) for symbol, quote in quotes.items()], role)
        pairs = [
            (symbol, source)
            for symbol, said in found.errors.items()
            for source, error in said.items()
            if isinstance(error, SymbolUnknown) and symbol not in found.prices
        ]
        self.store.put_unknown(pairs, now)

    def watched(self, now: dt.datetime) -> dict[str, Listing]:
        """Return the watch list's listings that are worth a request too: one miss refreshes them all."""
        symbols = self.store.watched(now - dt.timedelta(seconds=self.settings.watch_for))
        listings, _ = self.meanings.several(symbols)
        return self.due(listings.values(), now, refresh=False, errors=Said())

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


def _not_stored(symbol: str) -> NoData:
    return NoData(phrase("store.nothing", symbol=symbol), symbol=symbol, source="store")


def _unknown_to_all(one: Listing, unknown: set[tuple[str, str]]) -> bool:
    sources = ("naver", "yahoo") if one.market == "KR" else ("yahoo",)
    return all((one.symbol, source) in unknown for source in sources)


@dataclass(slots=True)
class _Flight:
    """The listings of one batch, and what became of it.

    `forced` says when (monotonic clock) a symbol was asked for that must be fetched even where the store is fresh.
    """

    now: dt.datetime
    seconds: float
    wanted: dict[str, Listing] = field(default_factory=dict)
    forced: dict[str, float] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    found: Said = field(default_factory=Said)


class Flights:
    """The batches, one after the other; who asks while one gathers joins it, and the watch list comes along."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._lock = threading.Lock()
        self._running = threading.Lock()
        self._gathering: _Flight | None = None
        self.forget()

    def forget(self) -> None:
        """Forget when symbols were last fetched."""
        self._begun: dict[str, float] = {}

    def join(
        self, due: Mapping[str, Listing], now: dt.datetime, limit: Deadline, found: Said, *, refresh: bool
    ) -> Said:
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
        told = Said(flight.found.prices, problems=[*flight.found.problems])
        told.requests = flight.found.requests if leads else 0
        told.errors = {**found.errors, **{key: flight.found.errors[key] for key in due if key in flight.found.errors}}
        if not finished:
            late = Transient(phrase("market.goes-on", seconds=limit.seconds), source="market")
            told.fail({key: late for key in due if key not in flight.found.prices})
        return told

    def _run(self, flight: _Flight) -> None:
        time.sleep(self._chain.settings.gather)
        try:
            with self._running:
                with self._lock:
                    self._gathering = None  # from here on others gather for the next batch
                started = time.monotonic()
                listings = {**self._chain.watched(flight.now), **self._still_due(flight)}
                if listings:
                    limit = Deadline(flight.seconds)
                    flight.found = self._chain.lanes.fetch(list(listings.values()), flight.now, limit)
                    self._chain.lanes.doubt(flight.found, listings, self._chain.believed(), flight.now, limit)
                    self._chain.keep(flight.found, listings, flight.now)
                    self._begun.update(dict.fromkeys(listings, started))
        finally:
            flight.done.set()

    def _still_due(self, flight: _Flight) -> dict[str, Listing]:
        """Return the flight's listings without those that the batch before it brought meanwhile."""
        due = self._chain.due(flight.wanted.values(), flight.now, refresh=False, errors=Said())
        for symbol, asked in flight.forced.items():
            if self._begun.get(symbol, 0.0) < asked:
                due[symbol] = flight.wanted[symbol]
        return due


@dataclass(frozen=True, slots=True)
class Lanes:
    """The sources in their order: vendors are asked side by side, one vendor's calls one after the other.

    Korean symbols: Naver's batch, then Yahoo's, then KRX; all others: Yahoo. Yahoo's batch carries the Korean symbols
    in any case: the second opinion on their prices costs no further request. KRX comes last for prices: its tables
    have no time of trade, and asking costs a process and a login.
    """

    store: Store
    settings: MarketSettings
    korea: Sequence[QuoteProvider]
    world: QuoteProvider
    second: Sequence[SecondProvider] = ()
    events: HistoryProvider | None = None

    def fetch(self, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> Said:
        """Return what the sources say about the listings, within the deadline; never raises a MarketDataError."""
        korean = [one for one in listings if one.market == "KR"]
        others = [one for one in listings if one.market != "KR"]
        found = Said()
        answers: list[Answer[Quote]] = []
        batch = [*others, *(replace(one, optional=True) for one in korean)]
        # Where it hangs, the second sources are to have time too.
        share = Deadline(deadline.left * WORLD_SHARE) if self.second else deadline
        world = threading.Thread(target=lambda: answers.append(self._ask(self.world, batch, now, share)), daemon=True)
        world.start()
        left = self._first_of_korea(korean, found, now, deadline)

        def waiting() -> bool:
            return bool(others) or any(one.symbol not in found.prices for one in korean)

        if waiting():
            world.join(deadline.left / 2 if left else share.left + GRACE)
        else:
            world.join(min(deadline.left, self.settings.cross_check_wait))
        told = answers[0] if answers else None
        self._rest_of_korea([one for one in left if told is None or one.symbol not in told.ok], found, now, deadline)
        if told is None and waiting():
            world.join(share.left + GRACE)
            told = answers[0] if answers else Answer({}, all_failed(listings, share.spent(self.world.name)))
        if told is not None:
            self._take_world(told, listings, found)
            self._last_of_korea(korean, found, now, deadline)
        return found

    def doubt(
        self,
        found: Said,
        listings: Mapping[str, Listing],
        believed: Mapping[str, Quote],
        now: dt.datetime,
        deadline: Deadline,
    ) -> None:
        """Hold every price against what is known, and ask the second sources about the doubtful and the missing."""
        events: dict[str, Mapping[dt.date, Decimal]] = {}

        def judge(symbol: str) -> None:
            quote, check, before = found.prices[symbol], found.checks.get(symbol), believed.get(symbol)
            found.prices[symbol] = doubts.judged(
                listings[symbol], quote, before, check, self.settings, events.get(symbol)
            )

        for symbol in found.prices:
            judge(symbol)
        for provider in self.second:
            left = [
                one
                for symbol, one in listings.items()
                if one.market in provider.markets
                and ((symbol in found.prices and found.prices[symbol].doubt) or self._is_missing(found, symbol))
            ]
            if not left or deadline.left == 0 or refusal(self.store, provider.vendor, now):
                continue
            answer = self._ask(provider, left, now, Deadline(max(deadline.left * SECOND_SHARE, 0.0)))
            self._add(found, answer)
            found.fail({symbol: error for symbol, error in answer.failed.items() if symbol not in found.prices})
            for symbol, quote in answer.ok.items():
                if symbol in found.prices:
                    found.checks[symbol] = quote
                else:
                    found.prices[symbol] = quote
                judge(symbol)
        like_splits = [
            one
            for symbol, one in listings.items()
            if symbol in found.prices
            and found.prices[symbol].doubt
            and doubts.likely_split(one, found.prices[symbol], believed.get(symbol))
        ]
        if self.events is not None and like_splits and deadline.left > 0:
            for symbol, splits in self._splits(self.events, like_splits, found, now, deadline).items():
                events[symbol] = splits
                judge(symbol)

    def _splits(
        self, source: HistoryProvider, listings: Sequence[Listing], found: Said, now: dt.datetime, deadline: Deadline
    ) -> dict[str, Mapping[dt.date, Decimal]]:
        """Return the splits of lately that a source names, by symbol."""
        first, last = now.date() - doubts.SPLIT_TOLD, now.date() + dt.timedelta(days=1)

        def ask() -> Answer[History]:
            return source.history(listings, first, last, now=now, deadline=deadline)

        answer = guarded(self.store, source, "history", listings, now, ask)
        found.requests += answer.requests
        return {symbol: history.splits for symbol, history in answer.ok.items()}

    def _is_missing(self, found: Said, symbol: str) -> bool:
        """Tell whether a symbol has no price for a reason that another source may not have."""
        said = found.errors.get(symbol, {}).values()
        return symbol not in found.prices and not any(isinstance(error, SymbolUnknown) for error in said)

    def _take_world(self, told: Answer[Quote], listings: Sequence[Listing], found: Said) -> None:
        """Take Yahoo's quotes: as prices where there is none yet, else as the second opinion."""
        self._add(found, told)
        for one in listings:
            quote = told.ok.get(one.symbol)
            if quote is None:
                if one.symbol not in found.prices and one.symbol in told.failed:
                    found.fail({one.symbol: told.failed[one.symbol]})
            elif one.symbol in found.prices:
                found.checks[one.symbol] = quote
            else:
                found.prices[one.symbol] = quote

    def _first_of_korea(
        self, korean: Sequence[Listing], found: Said, now: dt.datetime, deadline: Deadline
    ) -> list[Listing]:
        """Ask the first Korean source; return what it failed on, without what it does not know."""
        if not korean:
            return []
        share = Deadline(deadline.left * FIRST_SHARE)
        answer = self._ask_korea(self.korea[0], korean, found, now, share)
        return [
            one
            for one in korean
            if one.symbol in answer.failed and not isinstance(answer.failed[one.symbol], SymbolUnknown)
        ]

    def _rest_of_korea(self, left: Sequence[Listing], found: Said, now: dt.datetime, deadline: Deadline) -> None:
        """Ask the further Korean sources for what is left, but none of a vendor that has just failed."""
        tired = {self.korea[0].vendor} if any(_is_tired(found, one.symbol) for one in left) else set()
        for provider in self.korea[1:]:
            left = [one for one in left if one.symbol not in found.prices]
            if left and deadline.left > 0 and provider.vendor not in tired:
                self._ask_korea(provider, left, found, now, deadline)

    def _last_of_korea(self, korean: Sequence[Listing], found: Said, now: dt.datetime, deadline: Deadline) -> None:
        """Ask Yahoo once more, for Korean symbols that nobody has and that its batch came without."""
        left = [one for one in korean if one.symbol not in found.prices]
        left = [
            one for one in left if isinstance(found.errors.get(one.symbol, {}).get(self.world.name), _WITHOUT_BATCH)
        ]
        if left and deadline.left > 0:
            self._ask_korea(self.world, left, found, now, deadline)

    def _ask_korea(
        self,
        provider: QuoteProvider,
        listings: Sequence[Listing],
        found: Said,
        now: dt.datetime,
        deadline: Deadline,
    ) -> Answer[Quote]:
        answer = self._ask(provider, listings, now, deadline)
        self._add(found, answer)
        found.prices.update(answer.ok)
        found.fail(answer.failed)
        return answer

    def _ask(
        self, provider: QuoteProvider, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline
    ) -> Answer[Quote]:
        return guarded(
            self.store, provider, "quotes", listings, now, lambda: provider.quotes(listings, now=now, deadline=deadline)
        )

    def _add(self, found: Said, answer: Answer[Quote]) -> None:
        found.requests += answer.requests
        found.problems.extend(answer.problems)
        if answer.skew is not None and abs(answer.skew) > self.settings.clock_skew:
            key = "clock-skew.behind" if answer.skew > 0 else "clock-skew.ahead"
            if not any(problem.code == "clock-skew" for problem in found.problems):
                found.problems.append(warning(key, place("clock"), minutes=abs(answer.skew) / 60))


def _is_tired(found: Said, symbol: str) -> bool:
    return any(isinstance(e, (Transient, RateLimited, Blocked)) for e in found.errors.get(symbol, {}).values())
