"""The real market over the replay of the vendors, as a user meets it, and what a test asks of it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.market.chain import market as market_of
from engine.market.krx import Login, Run
from engine.market.quoting import QuoteBatch
from engine.settings import MarketSettings
from tests.market.replay_vendors import COOKIE, CRUMB, KRX_ID, KRX_PW, NOW

#: Seconds in which everything that answers has answered, on a busy machine too.
PATIENT = 30.0
WRONG_PASSWORD = "wrong-pass-sEcReT"
#: What the chain has answered in the running test.
SAID: list[str] = []
#: What must never be seen: passwords, and what lets others in as us.
SECRETS = (CRUMB, COOKIE, KRX_ID, KRX_PW, WRONG_PASSWORD, "session-1-sEcReT")
#: The second source is waited for as long as it takes: a busy machine is no reason to go without.
SETTINGS = MarketSettings(gather=0.005, cross_check_wait=PATIENT)


def forget_yahoo() -> None:
    """Make yfinance start anew: its cookie, crumb and answers are kept for the whole process."""
    import yfinance.data
    from yfinance import cache

    yfinance.data.SingletonMeta._instances.clear()
    yfinance.data.YfData.cache_get.cache_clear()
    cache._TzCacheManager._tz_cache = None
    cache._CookieCacheManager._Cookie_cache = None
    cache._ISINCacheManager._isin_cache = None
    for database in (cache._TzDBManager, cache._CookieDBManager, cache._ISINDBManager):
        database.close_db()
        database._db = None


class Replayed:
    """The real market over the replay, as a user meets it, and what a test asks of it."""

    def __init__(self, folder: Path, settings: MarketSettings, login: Login | None, run: Run | None) -> None:
        self.folder = folder
        self.market = market_of(replace(settings, cache_dir=str(folder)), lambda: login)
        self.market.krx.run = run or self.market.krx.run
        self.store, self.chain, self.research = self.market.store, self.market.chain, self.market.research

    def yahoo_ready(self) -> None:
        """Import yfinance: a deadline is not to measure that."""
        import yfinance  # noqa: F401

    def settle(self) -> None:
        """Wait until nothing goes on in the background: the next test has the same yfinance."""
        until(lambda: all(event.is_set() for event in self.research.waited))
        until(lambda: self.chain._flights._gathering is None)
        for lock in (self.chain._flights._running, self.market.naver._turns._lock, self.market.yahoo._turns._lock):
            assert lock.acquire(timeout=PATIENT)
            lock.release()

    def ask(self, *symbols: str, now: dt.datetime = NOW, deadline: float = PATIENT, **options: Any) -> QuoteBatch:
        batch = self.chain.quotes(symbols, now=now, deadline=deadline, **options)
        SAID.append(repr(batch) + "".join(f"{error!r} {error}" for error in batch.failed.values()))
        return batch


def until(true: Callable[[], object]) -> None:
    """Wait until something is true; fails where that takes longer than anything here can."""
    last = time.monotonic() + PATIENT
    while not true():
        assert time.monotonic() < last
        time.sleep(0.005)
