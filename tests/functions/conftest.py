"""The same calls in every host: what each answers, from one market store and without a network."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.market import chain
from engine.market.store import FILE, Store
from tests.functions.function_calls import CALLS, SHEETS, market_rows
from tests.functions.function_cells import rows
from tests.office import Office
from xl_addin.functions import function as declared

HERE = Path(__file__).parent
Answers = dict[str, Any]
#: Stands in a sheet of LibreOffice and asks for nothing by itself.
UNASKED = '=IF(FALSE();REBAL_PRICE("SCHD");"")'


def fill(folder: Path) -> None:
    """Put prices, rates, closes and facts into a store."""
    store = Store(folder / FILE)
    now = dt.datetime.now(dt.UTC)
    quotes, histories, facts = market_rows(now)
    store.put_quotes(quotes)
    for history in histories:
        store.put_history(history, history.dates[0] - dt.timedelta(days=3000), now.date() + dt.timedelta(days=2))
    for fact in facts:
        store.put_facts(fact)
    store.put_unknown([("ZZZZ", "yahoo")], now)
    store.close()


@pytest.fixture(scope="session")
def market(market_environment: dict[str, str]) -> dict[str, str]:
    """Fill a store, and return the environment that makes a process use it."""
    fill(Path(market_environment["REBALANCER_CACHE_DIR"]))
    return market_environment


@contextmanager
def using(environment: dict[str, str]) -> Iterator[None]:
    """Use that store in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        chain.default.cache_clear()
        yield
    chain.default.cache_clear()


@pytest.fixture(autouse=True)
def filled_market(own_folders: None, market: dict[str, str]) -> Iterator[None]:
    """Let every test here see the filled store, and no test elsewhere."""
    with using(market):
        yield


def value(written: Any) -> Any:
    """Return an argument of `function_calls` as a body gets it from xlwings."""
    if isinstance(written, dict) and "sheets" in written:
        return {title: value(table) for title, table in written["sheets"].items()}
    if isinstance(written, dict):
        return written.get("error") or dt.datetime.fromisoformat(written["date"])
    if isinstance(written, list):
        return [value(one) for one in written]
    return float(written) if isinstance(written, int) and not isinstance(written, bool) else written


@pytest.fixture(scope="session")
def bodies(market: dict[str, str]) -> Answers:
    from xl_addin import functions
    from xl_addin.functions import journal

    journal.clear()  # of what tests before have left there
    answers = {}
    with using(market):
        for name, (function, *given) in CALLS.items():
            answers[name] = rows(getattr(functions, function.lower())(*map(value, given)))
    return answers


@pytest.fixture(scope="session")
def excel(market: dict[str, str]) -> Answers:
    calls = [[function.lower(), *given] for function, *given in CALLS.values()]
    found = run([sys.executable, str(HERE / "excel_host.py")], {"calls": calls}, market)
    return {name: rows(answer) for name, answer in zip(CALLS, found["answers"], strict=True)}


@pytest.fixture(scope="session")
def calc(office: Office, market: dict[str, str], bodies: Answers) -> Answers:
    """Return what LibreOffice's cells show, cut to what the body answers and one row and column more."""
    calls = []
    for name, *given in CALLS.values():
        if declared(name).sheets:  # the workbook is LibreOffice's own to read
            given = given[: len(declared(name).arguments)]
        calls.append([name, *given])
    sizes = [[len(bodies[name]) + 1, len(bodies[name][0]) + 1] for name in CALLS]
    found = office.ask("calls", sheets=SHEETS, calls=calls, sizes=sizes, unasked=UNASKED)
    return {name: rows(answer) for name, answer in zip(CALLS, found, strict=True)}


def run(command: list[str], task: dict[str, Any], environment: dict[str, str]) -> Any:
    """Run a host's program with a task, and return what it answers."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        command,
        input=json.dumps(task).encode(),
        capture_output=True,
        env={**own, **environment},
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
