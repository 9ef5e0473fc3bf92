"""Fifty prices and a rate: this project's chain beside the ways that the libraries themselves offer.

    python -m uv run --group test python -m benchmarks.quotes

Everything is asked of the local replay of the vendors (tests/market), with 60 ms before every answer, as over a real
network; all in one process, imports not counted; of the
fresh store the median of 21 looks. Exit status 1 where a promised ratio is not kept.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW, Share, many

if TYPE_CHECKING:
    from engine.market.quoting import Chain

LATENCY = 0.06
#: What is promised: requests at most, seconds at most, and how many times quicker than each other way.
COLD_REQUESTS, WARM_REQUESTS, FRESH_SECONDS = 4, 2, 0.005
#: How many symbols are asked for besides, half of them Korean; and what is promised of them: seconds, and of the fresh
#: store seconds for each thousand.
MANY, MANY_SECONDS, MANY_FRESH = (500, 2000), 20.0, 0.1
TIMES_QUICKER = {"yfinance.download": 10.0, "fast_info loop": 10.0, "pykrx loop": 4.0}


@dataclass(frozen=True)
class Run:
    """How one way did."""

    way: str
    seconds: float
    requests: int
    prices: int


def measured(replay: Replay, way: str, work: Callable[[], int]) -> Run:
    replay.forget()
    started = time.perf_counter()
    prices = work()
    return Run(way, time.perf_counter() - started, len(replay.kinds()), prices)


def ours(replay: Replay, folder: Path) -> list[Run]:
    from engine.market.chain import market
    from engine.settings import MarketSettings

    asked = market(MarketSettings(cache_dir=str(folder)), lambda: None).chain
    us, korean = many()
    symbols = [*us, *korean, "USDKRW"]

    def quotes(moment: dt.datetime, *, refresh: bool = False) -> int:
        return len(asked.quotes(symbols, now=moment, deadline=20, refresh=refresh).ok)

    runs = [
        measured(replay, "ours, cold", lambda: quotes(NOW)),
        measured(replay, "ours, warm refresh", lambda: quotes(NOW, refresh=True)),
    ]
    several = [measured(replay, "ours, fresh store", lambda: quotes(NOW)) for _ in range(21)]
    looks = sorted(several, key=lambda run: run.seconds)
    fresh = looks[len(looks) // 2]
    return [*runs, fresh]


def crowds(replay: Replay, folder: Path) -> list[Run]:
    """Return how this project does with hundreds of symbols."""
    from engine.market.chain import market
    from engine.settings import MarketSettings

    runs = []
    for number in MANY:
        us = [f"Z{''.join(chr(65 + at // 26**place % 26) for place in (2, 1, 0))}" for at in range(number // 2)]
        korean = [f"9{at:04d}0" for at in range(number // 2)]
        replay.vendors.shares |= {name: Share(name, 100.0, name=name) for name in us}
        replay.vendors.shares |= {
            f"{code}.KS": Share(f"{code}.KS", 10000.0, "KRW", zone="Asia/Seoul") for code in korean
        }
        asked = market(MarketSettings(cache_dir=str(folder / str(number))), lambda: None).chain

        def quotes(asked: Chain = asked, symbols: tuple[str, ...] = (*us, *korean, "USDKRW")) -> int:
            return len(asked.quotes(symbols, now=NOW, deadline=MANY_SECONDS).ok)

        runs += [measured(replay, f"ours, {number}, {state}", quotes) for state in ("cold", "fresh store")]
    return runs


def theirs(replay: Replay) -> list[Run]:
    import yfinance

    logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
    us, korean = many()
    names = [*us, *(f"{code}.KS" for code in korean), "KRW=X"]

    def download() -> int:
        frame = yfinance.download(names, period="5d", progress=False, auto_adjust=False)
        return int(frame["Close"].notna().any().sum())

    def fast_info() -> int:
        return sum(yfinance.Ticker(name).fast_info["lastPrice"] is not None for name in names)

    with contextlib.redirect_stdout(io.StringIO()):
        from pykrx import stock

    def pykrx() -> int:
        return sum(len(stock.get_market_ohlcv("20261119", "20261120", code)) > 0 for code in korean)

    return [
        measured(replay, "yfinance.download", download),
        measured(replay, "fast_info loop", fast_info),
        measured(replay, "pykrx loop", pykrx),
    ]


def verdicts(runs: dict[str, Run]) -> list[tuple[str, bool]]:
    cold, warm, fresh = runs["ours, cold"], runs["ours, warm refresh"], runs["ours, fresh store"]
    kept = [
        ("every price is there", {run.prices for run in (cold, warm, fresh)} == {51}),
        (f"cold in at most {COLD_REQUESTS} requests", cold.requests <= COLD_REQUESTS),
        (f"warm in at most {WARM_REQUESTS} requests", warm.requests <= WARM_REQUESTS),
        (
            f"fresh without a request in {FRESH_SECONDS * 1000:g} ms",
            not fresh.requests and fresh.seconds <= FRESH_SECONDS,
        ),
    ]
    for number in MANY:
        first, again = runs[f"ours, {number}, cold"], runs[f"ours, {number}, fresh store"]
        every = {first.prices, again.prices} == {number + 1}
        seconds = MANY_FRESH * number / 1000
        kept.append((f"{number} in {MANY_SECONDS:g} s, each there", every and first.seconds <= MANY_SECONDS))
        kept.append((f"{number} fresh in {seconds:g} s", not again.requests and again.seconds <= seconds))
    for way, times in TIMES_QUICKER.items():
        ratio = runs[way].seconds / cold.seconds
        kept.append((f"cold {ratio:.1f} times quicker than {way} (promised {times:g})", ratio >= times))
    return kept


def main() -> int:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        replay = Replay(folder)
        replay.latency = LATENCY
        os.environ.update(replay.env, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")
        os.environ.pop("KRX_ID", None)
        import curl_cffi  # noqa: F401 - no way pays for imports
        import yfinance

        import engine.market.wire  # noqa: F401

        yfinance.set_tz_cache_location(str(folder / "yfinance"))
        runs = {run.way: run for run in [*ours(replay, folder), *crowds(replay, folder), *theirs(replay)]}
        replay.stop()
    print(f"50 symbols and a rate, {LATENCY * 1000:g} ms before every answer")
    for run in runs.values():
        print(f"  {run.way:<24} {run.seconds * 1000:>9.1f} ms  {run.requests:>4} requests  {run.prices:>3} prices")
    kept = verdicts(runs)
    for promise, true in kept:
        print(f"  {'kept  ' if true else 'BROKEN'}  {promise}")
    return 0 if all(true for _, true in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
