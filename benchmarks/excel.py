"""What the functions add to xlwings and to the engine, as ratios in one run.

    python -m uv run --group test python -m benchmarks.excel

Import: fresh processes in turn, the quickest of each. A call: through xlwings' own CallUDF (pywin32 stood in for, as in
tests/functions), 50 holdings priced from the store, no plan remembered; it and the engine in turn, the quickest of
each. A fresh price: the median. A batch: the local replay of the vendors (tests/market) and an empty store, cells one
after another of which the first tells what its sheet holds. Exit status 1 where a promise is not kept.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

from engine.market.catalogue import Listing
from engine.market.provider import Deadline, Said
from engine.market.quoting import Lanes
from tests.functions.excel_host import Cells, load
from tests.market.replay_server import Replay
from tests.market.replay_vendors import many

#: What is promised.
IMPORT_RATIO, CALL_RATIO, PRICE_SECONDS = 1.15, 1.25, 0.001
IMPORTS, CALLS, PRICES = 5, 10, 200
Promise = tuple[str, bool]


def import_seconds(module: str) -> float:
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def imports() -> Promise:
    pairs = [(import_seconds("xlwings"), import_seconds("xl_addin.functions")) for _ in range(IMPORTS)]
    bare, ours = (min(times) for times in zip(*pairs, strict=True))
    print(f"  import xlwings {bare * 1000:.0f} ms, xl_addin.functions {ours * 1000:.0f} ms")
    return f"import is {ours / bare:.2f} times xlwings' own (promised {IMPORT_RATIO})", ours / bare <= IMPORT_RATIO


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of a call: others may be busy too."""
    started = time.process_time()
    work()
    return time.process_time() - started


def stored(symbols: list[str]) -> None:
    """Put a fresh price of every symbol into the store."""
    from engine.market import chain
    from engine.quote import Quote

    now = dt.datetime.now(dt.UTC)
    listings = [chain.default().chain.listing(symbol) for symbol in symbols]
    quotes = [
        (
            one.market,
            Quote(one.symbol, Decimal(1000 + 37 * at) / 10, one.currency or "", now, "test", "regular", 0, now),
        )
        for at, one in enumerate(listings)
    ]
    chain.default().store.put_quotes(quotes)


def trades(server: Any, symbols: list[str]) -> Promise:  # noqa: ANN401 - xlwings has no types
    from engine.rebalance import rebalance
    from rebalancer.clock import today
    from rebalancer.quoting import quotes_for
    from xl_addin.functions import plan
    from xl_addin.functions.inputs import read_inputs

    stored([*symbols, "USDKRW"])
    holdings: list[list[Any]] = [
        ["Ticker", "Quantity", "Account"],
        *([symbol, 250.0 + 50 * (at % 7), "main"] for at, symbol in enumerate(symbols)),
    ]
    targets: list[list[Any]] = [["Section", "Ticker", "Target"], *(["core", symbol, 0.019] for symbol in symbols)]
    cash: list[list[Any]] = [["Currency", "Amount"], ["KRW", 3e7], ["USD", 25000.0]]
    settings = [["Key", "Value"], ["base_currency", "KRW"]]
    tables: list[list[list[Any]]] = [holdings, targets, cash, settings]
    names = ("holdings", "targets", "cash", "settings")
    portfolio = read_inputs("REBAL_TRADES", dict(zip(names, tables, strict=True)), None).portfolio
    quotes, _ = quotes_for(portfolio, {}, interactive=True)
    cells = tuple(Cells(table) for table in tables)
    missing = -2147352572
    caller = Cells([[None]])

    def called() -> Any:  # noqa: ANN401
        return server.CallUDF("xl_addin.functions", "rebal_trades", (*cells, missing), None, caller)

    answer = called()
    if len(answer) < 2:
        raise SystemExit(f"no trades: {answer}")
    pairs = []
    for _ in range(CALLS):
        plan.forget()
        pairs.append((seconds(lambda: rebalance(portfolio, quotes, today())), seconds(called)))
    engine, whole = (min(times) for times in zip(*pairs, strict=True))
    print(f"  REBAL_TRADES, 50 holdings: engine {engine * 1000:.1f} ms, CallUDF {whole * 1000:.1f} ms")
    return f"the call is {whole / engine:.2f} times the engine's (promised {CALL_RATIO})", whole / engine <= CALL_RATIO


def prices(symbols: list[str]) -> list[Promise]:
    from xl_addin.functions import rebal_price

    near = [[symbol, None, symbol, f"=REBAL_PRICE(A{row})"] for row, symbol in enumerate(symbols, 1)]
    batches: list[int] = []
    fetch = Lanes.fetch

    def counted(lanes: Lanes, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> Said:
        batches.append(len(listings))
        return fetch(lanes, listings, now, deadline)

    with mock.patch.object(Lanes, "fetch", counted):
        shown = [rebal_price(symbols[0], None, near), *map(rebal_price, symbols[1:])]
    priced = sum(isinstance(price, float) for price in shown)
    print(f"  {len(symbols)} REBAL_PRICE cells: batches of {batches}, {priced} prices")
    fresh = statistics.median(seconds(lambda: rebal_price(symbols[0])) for _ in range(PRICES))
    print(f"  REBAL_PRICE on a fresh store: {fresh * 1000:.2f} ms")
    return [
        (f"{len(symbols)} cells caused {len(batches)} batch", len(batches) == 1 and priced == len(symbols)),
        (f"a fresh price takes at most {PRICE_SECONDS * 1000:g} ms", fresh <= PRICE_SECONDS),
    ]


def main() -> int:
    kept = [imports()]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        replay = Replay(Path(name))
        os.environ.update(replay.env, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")
        os.environ.update(REBALANCER_CACHE_DIR=name, REBALANCER_LOG_DIR=name)
        for setting in ("FRESH_OPEN", "FRESH_EXTENDED", "FRESH_FX", "STALE_OPEN", "STALE_FX"):
            os.environ[f"REBALANCER_{setting}"] = "900000000"
        os.environ.pop("KRX_ID", None)
        us, korean = many()
        symbols = [*us, *korean][:50]
        server = load()
        kept += prices(symbols)
        kept.append(trades(server, symbols))
        replay.stop()
    for promise, true in kept:
        print(f"  {'kept  ' if true else 'BROKEN'}  {promise}")
    return 0 if all(true for _, true in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
