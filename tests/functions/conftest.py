"""The same calls in every host: what each answers, from one market store and without a network."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from function_calls import CALLS, SHEETS, market_rows
from function_cells import rows

from engine.market import chain
from engine.market.store import FILE, Store
from xl_addin.functions import function as declared
from xl_addin.hosts.libreoffice import build_ods, install

HERE = Path(__file__).parent
_AGES = ("FRESH_OPEN", "FRESH_EXTENDED", "FRESH_FX", "STALE_OPEN", "STALE_FX", "FACTS_FOR", "UNKNOWN_FOR")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
#: Nothing that is stored ages, and nobody answers on the network.
ENVIRONMENT = {
    **dict.fromkeys((f"REBALANCER_{name}" for name in _AGES), "900000000"),
    **dict.fromkeys(_PROXIES, "http://127.0.0.1:9"),
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    "LC_ALL": "C.UTF-8",
}
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
def market(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Fill a store, and return the environment that makes a process use it."""
    folder = tmp_path_factory.mktemp("market")
    fill(folder)
    return {**ENVIRONMENT, "REBALANCER_CACHE_DIR": str(folder), "REBALANCER_LOG_DIR": str(folder / "log")}


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
def calc(market: dict[str, str], bodies: Answers) -> Iterator[Answers]:
    """Return what LibreOffice's cells show, cut to what the body answers and one row and column more."""
    need_calc()
    profile = Path(tempfile.mkdtemp(prefix="rebalancer-calc-"))
    try:
        yield _calc(profile, market, bodies)
    finally:
        shutil.rmtree(profile, ignore_errors=True)


def _calc(profile: Path, market: dict[str, str], bodies: Answers) -> Answers:
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:  # LibreOffice takes no extension from root
        profile.chmod(0o755)
        os.chown(profile, 65534, 65534)
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        prefix = (*nobody, "env", f"HOME={profile}")
    install(profile=profile, prefix=prefix)
    calls = []
    for function, *given in CALLS.values():
        if declared(function).sheets:  # the workbook is LibreOffice's own to read
            given = given[: len(declared(function).arguments)]
        calls.append([function, *given])
    sizes = [[len(bodies[name]) + 1, len(bodies[name][0]) + 1] for name in CALLS]
    task = {"profile": str(profile), "sheets": SHEETS, "calls": calls, "sizes": sizes}
    task["book"] = str(profile / "book.ods")
    task["unasked"] = UNASKED
    Path(task["book"]).write_bytes(unplanned_book())
    found = run(["/usr/bin/python3", str(HERE / "calc_host.py")], task, market)
    answers = {name: rows(answer) for name, answer in zip(CALLS, found["answers"], strict=True)}
    return answers | {"book": {title: rows(cells) for title, cells in found["book"].items()}}


def unplanned_book() -> bytes:
    """Return a workbook of the calls' portfolio whose trades are not computed yet."""
    from xl_addin.functions.plan import plan_of

    plan, _ = plan_of("test", {}, value({"sheets": SHEETS}))
    return build_ods(replace(plan, trades=(), problems=()))


def need_calc() -> None:
    """Skip where LibreOffice or its Python is not installed, but never in continuous integration."""
    works = shutil.which("soffice") and shutil.which("unopkg") and Path("/usr/bin/python3").exists()
    if works:
        works = (
            subprocess.run(["/usr/bin/python3", "-c", "import uno"], capture_output=True, check=False).returncode == 0
        )
    if not works:
        if os.environ.get("CI"):
            pytest.fail("LibreOffice with python3-uno is needed in continuous integration")
        pytest.skip("LibreOffice with python3-uno is not installed")


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
