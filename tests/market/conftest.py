"""The replay of the vendors, and a chain of the real providers routed to it by environment variables alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from replay_server import Replay
from replay_vendors import COOKIE, CRUMB, KRX_ID, KRX_PW, NOW

from engine.market.chain import QuoteBatch
from engine.market.chain import market as market_of
from engine.market.login import Login
from engine.settings import MarketSettings


@pytest.fixture(scope="session")
def replay_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    replay = Replay(tmp_path_factory.mktemp("authority"))
    yield replay
    replay.stop()


@pytest.fixture
def replay(replay_process: Replay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    replay_process.reset()
    for name, value in replay_process.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    for name in ("KRX_ID", "KRX_PW"):
        monkeypatch.delenv(name, raising=False)
    yield replay_process
    replay_process.reset()


def forget_yahoo() -> None:
    """Make yfinance start anew: its cookie, crumb and answers are kept for the whole process."""
    import yfinance.data
    from yfinance import cache

    yfinance.data.SingletonMeta._instances.clear()
    yfinance.data.YfData.cache_get.cache_clear()
    cache._TzCacheManager._tz_cache = None
    cache._CookieCacheManager._Cookie_cache = None
    for database in (cache._TzDBManager, cache._CookieDBManager):
        database.close_db()
        database._db = None


WRONG_PASSWORD = "wrong-pass-sEcReT"


class Replayed:
    """The real market over the replay, as a user meets it, and what a test asks of it."""

    def __init__(self, folder: Path, settings: MarketSettings, login: Login | None) -> None:
        self.folder = folder
        self.market = market_of(replace(settings, cache_dir=str(folder)), lambda: login)
        self.store, self.chain, self.research = self.market.store, self.market.chain, self.market.research

    def yahoo_ready(self) -> None:
        """Import yfinance: a deadline is not to measure that."""
        import yfinance  # noqa: F401

    def ask(self, *symbols: str, now: dt.datetime = NOW, deadline: float = 3.0, **options: Any) -> QuoteBatch:
        batch = self.chain.quotes(symbols, now=now, deadline=deadline, **options)
        SAID.append(repr(batch) + "".join(f"{error!r} {error}" for error in batch.failed.values()))
        return batch


#: What the chain has answered in the running test.
SAID: list[str] = []
#: What must never be seen: passwords, and what lets others in as us.
SECRETS = (CRUMB, COOKIE, KRX_ID, KRX_PW, WRONG_PASSWORD, "session-1-sEcReT")


@pytest.fixture(autouse=True)
def no_secret_is_told(
    request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[None]:
    """After every test: no secret in an answer, an error, a log, what was printed, or a store."""
    caplog.set_level("DEBUG")
    SAID.clear()
    yield
    out, err = capfd.readouterr()
    kept = [file.read_bytes().decode("utf-8", "replace") for file in tmp_path.rglob("market.sqlite3*")]
    for text in (*SAID, caplog.text, out, err, *kept):
        assert not [secret for secret in SECRETS if secret in text]


SETTINGS = MarketSettings(gather=0.005, cross_check_wait=0.5)


@pytest.fixture
def new_market(replay: Replay, tmp_path: Path) -> Iterator[Callable[..., Replayed]]:
    made: list[Replayed] = []

    def new(folder: str = "cache", settings: MarketSettings = SETTINGS, login: Login | None = None) -> Replayed:
        forget_yahoo()
        made.append(Replayed(tmp_path / folder, settings, login))
        return made[-1]

    yield new
    for market in made:
        market.store.close()


@pytest.fixture
def market(new_market: Callable[..., Replayed]) -> Replayed:
    return new_market()
