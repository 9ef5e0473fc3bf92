"""The replay of the vendors, and a chain of the real providers routed to it by environment variables alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.market.krx import Login, Run
from engine.settings import MarketSettings
from tests.market.replay_server import Replay
from tests.market.replay_vendors import KRX_ID, KRX_PW
from tests.market.replayed import SAID, SECRETS, SETTINGS, Replayed, forget_yahoo


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


#: What one child with a login is asked, and what pykrx itself answers there.
KRX_CHILD = """
import contextlib, io, json, sys
job = {"seconds": 30, "id": sys.argv[1], "pw": sys.argv[2], "date": "20261120"}
span = {"start": "20261116", "end": "20261120"}
codes = {"quotes": ["005930", "069500", "0193W0", "999999"], "deposit": ["069500"]}
with contextlib.redirect_stdout(io.StringIO()) as printed:
    from engine.market.krx_child import TASKS, work
    told = {task: work({**job, **span, "task": task, "codes": codes.get(task, [])}) for task in TASKS}
    from pykrx import stock
    closes = stock.get_market_ohlcv("20261118", "20261120", "005930")["종가"]
    caps = stock.get_market_cap("20261120", market="ALL")
    etfs = stock.get_etf_ticker_list("20261120")
    deposit = stock.get_etf_portfolio_deposit_file("069500", "20261120")
    sectors = stock.get_market_sector_classifications("20261120", "KOSPI")
told["pykrx"] = {
    "closes": [int(close) for close in closes],
    "cap": int(caps.loc["005930", "시가총액"]),
    "name": stock.get_etf_ticker_name(etfs[0]),
    "held": list(deposit.index),
    "sector": sectors.loc["005930", "업종명"],
}
print(json.dumps(told))
"""


@pytest.fixture(scope="session")
def krx_told(replay_process: Replay) -> dict[str, Any]:
    """What the child told of every job, asked once: a child takes seconds to import pykrx. `logins`: what it posted."""
    replay_process.reset()
    environment = {**os.environ, **replay_process.env, "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", KRX_CHILD, KRX_ID, KRX_PW]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "logins": list(replay_process.vendors.logins)}


@pytest.fixture
def helper(krx_told: dict[str, Any]) -> Run:
    """A helper process that is none: it tells what the real one told."""
    return lambda job, _: krx_told[job["task"]]


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


@pytest.fixture
def new_market(replay: Replay, tmp_path: Path) -> Iterator[Callable[..., Replayed]]:
    made: list[Replayed] = []

    def new(
        folder: str = "cache",
        settings: MarketSettings = SETTINGS,
        login: Login | None = None,
        run: Run | None = None,
    ) -> Replayed:
        forget_yahoo()
        made.append(Replayed(tmp_path / folder, settings, login, run))
        return made[-1]

    yield new
    replay.reset()
    for market in made:
        market.settle()
        market.store.close()


@pytest.fixture
def first_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the second sources away: a test is about the first ones alone."""
    monkeypatch.setattr("engine.market.chain.second_sources", tuple)


@pytest.fixture
def market(new_market: Callable[..., Replayed]) -> Replayed:
    return new_market()
