"""History and fund facts, from the store while they are fresh enough, else from the sources in their order."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Generic, TypeVar

from engine.errors import MarketDataError, NoData, Transient, warning
from engine.market import calendars, mending
from engine.market.catalogue import Listing
from engine.market.meanings import Meanings, inverse_pair
from engine.market.provider import (
    ROUGH,
    Answer,
    DataSource,
    Deadline,
    FactsProvider,
    HistoryProvider,
    ManyClosesProvider,
    Said,
    guarded,
)
from engine.market.store import Store
from engine.phrase import Phrase, phrase
from engine.quote import Batch, FetchedFacts, History
from engine.settings import MarketSettings

T = TypeVar("T")
Progress = Callable[[int, int], None]
#: Histories above which closes alone are asked for first, the share of the deadline that these may take, and how many
#: of those that stayed so are named.
FEW, CLOSES_SHARE, NAMED = 20, 0.5, 8
#: Facts that are asked for, and stored, at a time.
PART = 10
#: Seconds for which a fetched history serves: a dividend changes all total-return closes before it.
HISTORY_AGE = 12 * 3600.0
#: A history with dividends that ends so long ago is still better than closes alone.
WEEK = dt.timedelta(days=7)
#: Seconds to wait where somebody has just waited in vain.
_AGAIN = 0.1
#: Sources of facts of Korean funds are joined: one has fee and size, another everything the fund holds.
_JOINED = tuple(f.name for f in fields(FetchedFacts) if f.name not in ("symbol", "source", "fetched_at", "as_of"))


def unseen(_done: int, _of: int) -> None:
    """Show nobody how far a fetch is."""


@dataclass(frozen=True, slots=True)
class Research:
    """Questions for history and facts, answered one at a time: equal ones find the first's answer stored.

    `korean_history` come after `world_history`, which has dividends too; `korean_facts` before `world_facts`, which
    know no Korean fund. `failures` are what could not be had lately, which is not asked for at every recalculation;
    `waited` are the questions that somebody has waited for in vain, and that still go on.
    """

    store: Store
    settings: MarketSettings
    meanings: Meanings
    world_history: ManyClosesProvider
    korean_history: Sequence[HistoryProvider]
    world_facts: FactsProvider
    korean_facts: Sequence[FactsProvider]
    lock: threading.Lock = field(default_factory=threading.Lock)
    failures: dict[tuple[str, str], tuple[dt.datetime, MarketDataError]] = field(default_factory=dict)
    waited: list[threading.Event] = field(default_factory=list)

    def history(
        self,
        symbols: Iterable[str],
        start: dt.date,
        end: dt.date,
        *,
        now: dt.datetime | None = None,
        deadline: float | None = None,
        wait: float | None = None,
        refresh: bool = False,
        offline: bool = False,
        progress: Progress = unseen,
    ) -> Batch[History]:
        """Return closes from `start` to `end` (both included) of every symbol; the running day has no close yet.

        Many come as closes alone first, in few requests, then one by one with dividends. Each is stored as it comes
        and told to `progress` (how many of how many): whoever is cut off goes on from there at the next look. Whoever
        cannot wait until the `deadline` (in seconds; default: the headless setting) says how many seconds they `wait`:
        what was not there by then is fetched on. `offline` takes what is stored, however old, and asks nobody.
        """
        now, limit = self._begun(now, deadline)
        listings, failed = self.meanings.several(symbols)
        end = min(end, now.date() + dt.timedelta(days=1))

        def stored(one: Listing) -> tuple[History, bool] | None:
            kept = self.store.history(one.symbol)
            if kept is None:
                return None
            first, last, found = kept
            if offline and not found.between(start, end).dates:
                return None
            young = first <= start and last >= end and self._is_young(found, now)
            return found.between(start, end), offline or (young and found.source != ROUGH and not refresh)

        def fetch(due: Sequence[Listing], found: Said) -> dict[str, History]:
            if not offline:
                return self._histories(due, found, _Span(start, end, now, limit, progress, refresh))
            found.fail({one.symbol: _not_stored(one.symbol) for one in due})
            return {}

        kind = f"history from {start}" if not offline else "stored history"
        question = _Question(kind, listings, now, stored, fetch, refresh=refresh)
        batch = self._answer(question, failed, limit, wait)
        ok, problems = {}, list(batch.problems)
        for text, found in batch.ok.items():
            sound, told = mending.mended(found, listings[text].market, end)
            problems += told
            inverse = inverse_pair(text)
            ok[text] = sound.inverted(inverse) if inverse else sound
        rough = tuple(text for text, found in ok.items() if found.source == ROUGH)
        if rough:
            problems.append(warning("history-closes", ", ".join(rough[:NAMED]), number=len(rough)))
        return replace(batch, ok=ok, problems=tuple(dict.fromkeys(problems)))

    def _histories(self, due: Sequence[Listing], found: Said, span: _Span) -> dict[str, History]:
        """Ask for closes alone where there are many, then for each with dividends, and store each as it comes."""
        markets = {one.symbol: one.market for one in due}
        got: dict[str, History] = {}
        whole: set[str] = set()
        start, end, now = span.start, span.end, span.now

        def came(one: History) -> None:
            one = _closed_days(markets[one.symbol], one.between(start, end), now)
            if not one.dates:
                return
            got[one.symbol] = one
            self.store.put_history(one, start, end)
            if one.source != ROUGH and one.symbol not in whole:
                whole.add(one.symbol)
                span.progress(len(whole), len(due))

        def ask(
            source: DataSource, call: Callable[..., Answer[History]], left: Sequence[Listing], limit: Deadline
        ) -> None:
            kind = call.__name__
            self._ask(
                source, kind, left, found, now, lambda: call(left, start, end, now=now, deadline=limit, came=came)
            )

        world = self.world_history
        if len(due) > FEW:
            bare = [one for one in due if not self._has_closes(one, span)]
            ask(world, world.closes, bare, Deadline(span.deadline.left * CLOSES_SHARE))
        said = {symbol: errors.get(world.name) for symbol, errors in found.errors.items()}
        worth = [one for one in due if (error := said.get(one.symbol)) is None or not error.retry_after]
        ask(world, world.history, sorted(worth, key=lambda one: one.symbol not in got), span.deadline)
        for source in self.korean_history:
            left = [one for one in due if one.market == "KR" and one.symbol not in got]
            ask(source, source.history, left, span.deadline)
        for one in due:
            if one.symbol not in got and one.symbol not in found.errors:
                found.fail({one.symbol: NoData(phrase("source.no-closes-then", symbol=one.symbol), symbol=one.symbol)})
        return got

    def _has_closes(self, one: Listing, span: _Span) -> bool:
        """Tell whether closes alone would add nothing to what is stored: they are, or nearly, and with dividends."""
        kept = self.store.history(one.symbol)
        if kept is None or kept[0] > span.start:
            return False
        if kept[2].source == ROUGH:
            return kept[1] >= span.end and not span.refresh and self._is_young(kept[2], span.now)
        return span.end - kept[1] <= WEEK

    def _is_young(self, found: History, now: dt.datetime) -> bool:
        return -self.settings.clock_skew <= (now - found.fetched_at).total_seconds() < HISTORY_AGE

    def facts(
        self,
        symbols: Iterable[str],
        *,
        now: dt.datetime | None = None,
        deadline: float | None = None,
        wait: float | None = None,
        refresh: bool = False,
    ) -> Batch[FetchedFacts]:
        """Return fund facts, or a share's sector and market value, of every symbol; stored as they come.

        `wait` as for history.
        """
        now, limit = self._begun(now, deadline)
        listings, failed = self.meanings.several(symbols)

        def stored(one: Listing) -> tuple[FetchedFacts, bool] | None:
            found = self.store.facts(one.symbol)
            if found is None:
                return None
            age = (now - found.fetched_at).total_seconds()
            return found, not refresh and -self.settings.clock_skew <= age < self.settings.facts_for

        def fetch(due: Sequence[Listing], found: Said) -> dict[str, FetchedFacts]:
            got: dict[str, FetchedFacts] = {}

            def ask(source: FactsProvider, left: Sequence[Listing]) -> None:
                for at in range(0, len(left), PART):
                    part = left[at : at + PART]
                    call = partial(source.facts, part, now=now, deadline=limit)
                    for symbol, facts in self._ask(source, "facts", part, found, now, call).items():
                        got[symbol] = _joined(got[symbol], facts) if symbol in got else facts
                        self.store.put_facts(got[symbol])

            for source in self.korean_facts:
                ask(source, [one for one in due if one.market == "KR"])
            ask(self.world_facts, [one for one in due if one.symbol not in got])
            return got

        question = _Question("facts", listings, now, stored, fetch, refresh=refresh)
        return self._answer(question, failed, limit, wait)

    def _begun(self, now: dt.datetime | None, deadline: float | None) -> tuple[dt.datetime, Deadline]:
        seconds = self.settings.headless_deadline if deadline is None else deadline
        return now or dt.datetime.now(dt.UTC), Deadline(seconds)

    def _ask(
        self,
        source: DataSource,
        kind: str,
        listings: Sequence[Listing],
        found: Said,
        now: dt.datetime,
        call: Callable[[], Answer[T]],
    ) -> dict[str, T]:
        if not listings:
            return {}
        answer = guarded(self.store, source, kind, listings, now, call)
        found.requests += answer.requests
        found.problems.extend(answer.problems)
        found.fail(answer.failed)
        return dict(answer.ok)

    def _answer(
        self, question: _Question[T], failed: dict[str, MarketDataError], deadline: Deadline, wait: float | None
    ) -> Batch[T]:
        """Take what is fresh from the store, fetch the rest, and fall back on what is stored with a problem."""
        looked = self._within(wait, lambda: self._look(question, deadline))
        if looked is None:
            seconds = deadline.seconds if wait is None else wait
            late = Transient(phrase("market.goes-on", seconds=seconds), source="market")
            looked = _Looked(question.kept(), {}, Said())
            looked.found.fail({one.symbol: late for one in question.listings.values()})
        ok: dict[str, T] = {}
        reasons: dict[Phrase, list[str]] = {}
        for text, one in question.listings.items():
            if one.symbol in looked.got:
                ok[text] = looked.got[one.symbol]
            elif one.symbol in looked.kept:
                ok[text], fresh = looked.kept[one.symbol]
                if not fresh:
                    reasons.setdefault(looked.found.error(one.symbol).message, []).append(text)
            else:
                failed[text] = looked.found.error(one.symbol)
        old = (warning("stored-data", ", ".join(texts), error=error) for error, texts in reasons.items())
        return Batch(ok, failed, looked.found.requests, (*looked.found.problems, *old, *self.store.problems))

    def _look(self, question: _Question[T], deadline: Deadline) -> _Looked[T] | None:
        """Return what is stored and what was fetched; None where another question takes longer than the deadline."""
        if not self.lock.acquire(timeout=deadline.left):
            return None
        try:
            kept, found = question.kept(), Said()
            listings = {one.symbol: one for one in question.listings.values()}
            due = [one for symbol, one in listings.items() if not kept.get(symbol, (0, False))[1]]
            asked = [one for one in due if question.refresh or not self._failed_lately(question, one, found)]
            got = question.fetch(asked, found) if asked else {}
            for one in asked:
                if one.symbol in found.errors:
                    self.failures[question.kind, one.symbol] = question.now, found.error(one.symbol)
            return _Looked(kept, got, found)
        finally:
            self.lock.release()

    def _within(self, seconds: float | None, work: Callable[[], T]) -> T | None:
        """Return what work returns; None where it takes longer, while it goes on. Raises what it raises in time.

        Where somebody waited in vain a moment ago and that still goes on, nobody waits as long again: the cells of one
        recalculation wait once, not each in turn.
        """
        if seconds is None:
            return work()
        self.waited[:] = [event for event in self.waited if not event.is_set()]
        future: Future[T] = Future()
        done = threading.Event()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                future.set_exception(error)
            finally:
                done.set()

        threading.Thread(target=run, daemon=True).start()
        try:
            return future.result(timeout=min(seconds, _AGAIN) if self.waited else seconds)
        except TimeoutError:
            self.waited.append(done)
            return None

    def _failed_lately(self, question: _Question[T], one: Listing, found: Said) -> bool:
        """Tell whether a symbol could not be had a moment ago; why goes to `found`."""
        at, error = self.failures.get((question.kind, one.symbol), (None, None))
        if at is None or error is None or not 0 <= (question.now - at).total_seconds() < self.settings.retry_for:
            return False
        found.fail({one.symbol: error})
        return True


@dataclass(frozen=True, slots=True)
class _Span:
    """The days of which closes are asked, and how."""

    start: dt.date
    end: dt.date
    now: dt.datetime
    deadline: Deadline
    progress: Progress
    refresh: bool


@dataclass(frozen=True, slots=True)
class _Question(Generic[T]):
    """What is asked of the store and of the sources, by the texts as they were written; `kind` tells it apart."""

    kind: str
    listings: Mapping[str, Listing]
    now: dt.datetime
    stored: Callable[[Listing], tuple[T, bool] | None]
    fetch: Callable[[Sequence[Listing], Said], dict[str, T]]
    refresh: bool

    def kept(self) -> dict[str, tuple[T, bool]]:
        """Return what is stored, and whether it is fresh, by symbol."""
        return {one.symbol: row for one in self.listings.values() if (row := self.stored(one)) is not None}


@dataclass(frozen=True, slots=True)
class _Looked(Generic[T]):
    """What was stored, what was fetched, and what the sources said."""

    kept: Mapping[str, tuple[T, bool]]
    got: Mapping[str, T]
    found: Said


def _not_stored(symbol: str) -> NoData:
    return NoData(phrase("store.no-closes", symbol=symbol), symbol=symbol, source="store")


def _closed_days(market: str, found: History, now: dt.datetime) -> History:
    """Drop the running day: its last price is not a close."""
    if market not in calendars.REGULAR or not found.dates:
        return found
    day = calendars.trading_day(market, found.dates[-1])
    running = day is not None and now < day.close
    return found.between(found.dates[0], found.dates[-1] - dt.timedelta(days=1)) if running else found


def _joined(first: FetchedFacts, second: FetchedFacts) -> FetchedFacts:
    """Fill what the first source leaves open from the second; both are named."""
    missing = {name: getattr(second, name) for name in _JOINED if not getattr(first, name) and getattr(second, name)}
    top = second.top if sum(one.weight is None for one in first.top) else first.top
    return replace(first, **{**missing, "top": top or first.top}, source=f"{first.source}, {second.source}")
