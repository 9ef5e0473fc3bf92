"""History and fund facts, from the store while they are fresh enough, else from the sources in their order."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Generic, TypeVar

from engine.errors import MarketDataError, Problem, SymbolUnknown, Transient
from engine.market import calendars
from engine.market.lanes import Findings, Named, guarded
from engine.market.listing import Listing
from engine.market.provider import Answer, Deadline, FactsProvider, HistoryProvider
from engine.market.records import FundFacts, History
from engine.market.store import Store
from engine.settings import MarketSettings

T = TypeVar("T")
#: Seconds for which a fetched history serves: a dividend changes all total-return closes before it.
HISTORY_AGE = 12 * 3600.0
#: Sources of facts of Korean funds are joined: one has fee and size, another everything the fund holds.
_JOINED = tuple(f.name for f in fields(FundFacts) if f.name not in ("symbol", "source", "fetched_at", "as_of"))


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """Hold one answer: every symbol asked for, as it was written, is in `ok` or in `failed`."""

    ok: Mapping[str, T]
    failed: Mapping[str, MarketDataError]
    requests: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Research:
    """Answer questions for history and facts; one at a time, so that equal ones find the first's answer stored.

    `korean_history` come after `world_history`, which has dividends too; `korean_facts` before `world_facts`, which
    know no Korean fund.
    """

    store: Store
    settings: MarketSettings
    listing: Callable[[str], Listing]
    world_history: HistoryProvider
    korean_history: Sequence[HistoryProvider]
    world_facts: FactsProvider
    korean_facts: Sequence[FactsProvider]
    lock: threading.Lock

    def history(
        self,
        symbols: Iterable[str],
        start: dt.date,
        end: dt.date,
        *,
        now: dt.datetime,
        deadline: Deadline,
        refresh: bool = False,
    ) -> Batch[History]:
        """Return closes from `start` to `end` (both included) of every symbol; the running day has no close yet."""
        listings, failed = self._listings(symbols)
        end = min(end, now.date() + dt.timedelta(days=1))

        def stored(one: Listing) -> tuple[History, bool] | None:
            kept = self.store.history(one.symbol)
            if kept is None:
                return None
            first, last, found = kept
            age = (now - found.fetched_at).total_seconds()
            fresh = first <= start and last >= end and -self.settings.clock_skew <= age < HISTORY_AGE
            return found.between(start, end), fresh and not refresh

        def ask(source: HistoryProvider, left: Sequence[Listing], found: Findings) -> dict[str, History]:
            return self._ask(
                source, left, found, now, lambda: source.history(left, start, end, now=now, deadline=deadline)
            )

        def fetch(due: Sequence[Listing], found: Findings) -> dict[str, History]:
            got = ask(self.world_history, due, found)
            for source in self.korean_history:
                got |= ask(source, [one for one in due if one.market == "KR" and one.symbol not in got], found)
            for one in due:
                if one.symbol in got:
                    got[one.symbol] = _closed_days(one.market, got[one.symbol], now)
                    self.store.put_history(got[one.symbol], start, end)
            return got

        return self._answer(listings, failed, stored, fetch, deadline)

    def facts(
        self, symbols: Iterable[str], *, now: dt.datetime, deadline: Deadline, refresh: bool = False
    ) -> Batch[FundFacts]:
        """Return fund facts, or a share's sector and market value, of every symbol."""
        listings, failed = self._listings(symbols)

        def stored(one: Listing) -> tuple[FundFacts, bool] | None:
            found = self.store.facts(one.symbol)
            if found is None:
                return None
            age = (now - found.fetched_at).total_seconds()
            return found, not refresh and -self.settings.clock_skew <= age < self.settings.facts_for

        def ask(source: FactsProvider, left: Sequence[Listing], found: Findings) -> dict[str, FundFacts]:
            return self._ask(source, left, found, now, lambda: source.facts(left, now=now, deadline=deadline))

        def fetch(due: Sequence[Listing], found: Findings) -> dict[str, FundFacts]:
            got: dict[str, FundFacts] = {}
            for source in self.korean_facts:
                for symbol, facts in ask(source, [one for one in due if one.market == "KR"], found).items():
                    got[symbol] = _joined(got[symbol], facts) if symbol in got else facts
            got |= ask(self.world_facts, [one for one in due if one.symbol not in got], found)
            for facts in got.values():
                self.store.put_facts(facts)
            return got

        return self._answer(listings, failed, stored, fetch, deadline)

    def _listings(self, symbols: Iterable[str]) -> tuple[dict[str, Listing], dict[str, MarketDataError]]:
        listings: dict[str, Listing] = {}
        failed: dict[str, MarketDataError] = {}
        for text in dict.fromkeys(symbols):
            try:
                listings[text] = self.listing(text)
            except SymbolUnknown as error:
                failed[text] = error
        return listings, failed

    def _ask(
        self,
        source: Named,
        listings: Sequence[Listing],
        found: Findings,
        now: dt.datetime,
        call: Callable[[], Answer[T]],
    ) -> dict[str, T]:
        if not listings:
            return {}
        answer = guarded(self.store, source, listings, now, call)
        found.requests += answer.requests
        found.problems.extend(answer.problems)
        found.fail(dict(answer.failed))
        return dict(answer.ok)

    def _answer(
        self,
        listings: Mapping[str, Listing],
        failed: dict[str, MarketDataError],
        stored: Callable[[Listing], tuple[T, bool] | None],
        fetch: Callable[[Sequence[Listing], Findings], dict[str, T]],
        deadline: Deadline,
    ) -> Batch[T]:
        """Take what is fresh from the store, fetch the rest, and fall back on what is stored with a problem."""
        found = Findings()
        if not self.lock.acquire(timeout=deadline.left):
            late = Transient(f"another question took longer than {deadline.seconds:g} s: ask again", source="market")
            return Batch({}, {**failed, **dict.fromkeys(listings, late)}, 0)
        try:
            kept = {one.symbol: row for one in listings.values() if (row := stored(one)) is not None}
            due = [
                one
                for one in {one.symbol: one for one in listings.values()}.values()
                if not kept.get(one.symbol, (0, False))[1]
            ]
            got = fetch(due, found) if due else {}
        finally:
            self.lock.release()
        ok: dict[str, T] = {}
        problems = list(found.problems)
        for text, one in listings.items():
            if one.symbol in got:
                ok[text] = got[one.symbol]
            elif one.symbol in kept:
                ok[text] = kept[one.symbol][0]
                if not kept[one.symbol][1]:
                    problems.append(
                        Problem("warning", "stored-data", text, f"what was stored is used: {found.error(one.symbol)}")
                    )
            else:
                failed[text] = found.error(one.symbol)
        return Batch(ok, failed, found.requests, (*problems, *self.store.problems))


def _closed_days(market: str, found: History, now: dt.datetime) -> History:
    """Drop the running day: its last price is not a close."""
    if market not in calendars.REGULAR or not found.dates:
        return found
    day = calendars.trading_day(market, found.dates[-1])
    running = day is not None and now < day.close
    return found.between(found.dates[0], found.dates[-1] - dt.timedelta(days=1)) if running else found


def _joined(first: FundFacts, second: FundFacts) -> FundFacts:
    """Fill what the first source leaves open from the second; both are named."""
    missing = {name: getattr(second, name) for name in _JOINED if not getattr(first, name) and getattr(second, name)}
    top = second.top if sum(one.weight is None for one in first.top) else first.top
    return replace(first, **{**missing, "top": top or first.top}, source=f"{first.source}, {second.source}")
