"""Prices, rates, history and fund facts of this process: the real sources, one store, settings from the environment.

    batch = quotes(["AAPL", "005930", "USDKRW"])

What the functions promise is said in `quoting` and `research`.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import MarketDataError
from engine.market import store as stores
from engine.market.catalogue import Listing
from engine.market.krx import Krx, Login, login
from engine.market.naver import Naver, NaverCharts
from engine.market.provider import Deadline, SecondProvider, refusal
from engine.market.quoting import Chain, QuoteBatch
from engine.market.research import Progress, Research, unseen
from engine.market.second import Cnbc, Ecb, Frankfurter, NaverRates, NaverWorld
from engine.market.store import Store
from engine.market.yahoo import Yahoo
from engine.quote import Batch, FetchedFacts, History
from engine.settings import MarketSettings


@dataclass(frozen=True, slots=True)
class Market:
    """The sources, their store, and the two that answer questions."""

    settings: MarketSettings
    store: Store
    naver: Naver
    charts: NaverCharts
    krx: Krx
    yahoo: Yahoo
    second: tuple[SecondProvider, ...]
    chain: Chain
    research: Research


def market(settings: MarketSettings, find_login: Callable[[], Login | None]) -> Market:
    """Return the real sources around one store, in the order in which they are asked."""
    folder = stores.folder(settings)
    store = Store(folder / stores.FILE)
    second = second_sources()
    naver, charts, krx, yahoo = Naver(), NaverCharts(), Krx(find_login), Yahoo(folder / "yfinance")
    chain = Chain(
        store,
        korea=(naver, krx, charts),
        world=yahoo,
        second=second,
        events=yahoo,
        settings=settings,
        etfs=lambda deadline: _etfs(store, naver, krx, deadline),
    )
    research = Research(store, settings, chain.meanings, yahoo, (charts,), yahoo, (naver, krx))
    return Market(settings, store, naver, charts, krx, yahoo, second, chain, research)


def second_sources() -> tuple[SecondProvider, ...]:
    """Return the sources that are asked about what the first ones lack or are doubted in, in this order."""
    return NaverRates(), Ecb(), Frankfurter(), NaverWorld(), Cnbc()


def _etfs(store: Store, naver: Naver, krx: Krx, deadline: Deadline) -> tuple[Listing, ...]:
    """Return the list of Korean ETFs from the first source that gives it; raises the first one's error."""
    now = dt.datetime.now(dt.UTC)
    try:
        if refused := refusal(store, naver.name, now):
            raise refused
        return naver.etfs(deadline=deadline)
    except MarketDataError:
        if krx.login is None or refusal(store, krx.name, now):
            raise
        return krx.etfs(now=now, deadline=deadline)


@lru_cache(maxsize=1)
def default() -> Market:
    """Return this process's market: settings from the environment, the login from there or the keyring."""
    return market(MarketSettings.from_environment(os.environ), lambda: login(os.environ))


def quotes(
    symbols: Iterable[str],
    *,
    now: dt.datetime | None = None,
    deadline: float | None = None,
    refresh: bool = False,
    offline: bool = False,
) -> QuoteBatch:
    """Return a quote or an error for every symbol; see `Chain.quotes`. `deadline` is in seconds."""
    return default().chain.quotes(symbols, now=now, deadline=deadline, refresh=refresh, offline=offline)


def history(
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
    """Return daily closes of every symbol; see `Research.history`. `deadline` and `wait` are in seconds."""
    return default().research.history(
        symbols,
        start,
        end,
        now=now,
        deadline=deadline,
        wait=wait,
        refresh=refresh,
        offline=offline,
        progress=progress,
    )


def fund_facts(
    symbols: Iterable[str],
    *,
    now: dt.datetime | None = None,
    deadline: float | None = None,
    wait: float | None = None,
    refresh: bool = False,
) -> Batch[FetchedFacts]:
    """Return facts of every symbol; see `Research.facts`. `deadline` and `wait` are in seconds."""
    return default().research.facts(symbols, now=now, deadline=deadline, wait=wait, refresh=refresh)
