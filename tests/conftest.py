"""Keep every test from the person's own stores and from the network."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = ["tests.office"]

settings.register_profile("few", max_examples=40, derandomize=True, deadline=None)
settings.register_profile("many", max_examples=2000, deadline=None)
#: The same few cases in every run; `--hypothesis-profile=many` draws many anew.
settings.load_profile("few")

#: What takes seconds to make is made once in a run: the tests that use it go to one worker.
ONCE = {
    "office": "office",
    "bodies": "office",
    "excel": "office",
    "krx_told": "krx",
    "data": "macros",
    "xlsm": "macros",
}

TESTS = itertools.count()

#: Nobody listens here: what would leave this machine fails at once, unless a test routes it to a replay.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test its own price store, restore points and market, and no way out."""
    # Counted here: pytest's own temporary folders read the names of all that came before.
    own = tmp_path_factory.getbasetemp() / "own" / str(next(TESTS))
    for name in ("CACHE", "STATE"):
        (own / name).mkdir(parents=True)
        monkeypatch.setenv(f"REBALANCER_{name}_DIR", str(own / name))
    # As in a pipe, whatever terminal the tests run in.
    monkeypatch.setenv("COLUMNS", "120")
    # A bound above a plan is a fault that tests are to see.
    monkeypatch.setenv("REBALANCER_FAULTS", "raise")
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    _forget()
    yield
    _forget()


def _forget() -> None:
    """Forget the market, and what functions said of failures: modules that are not there yet need no import."""
    if chain := sys.modules.get("engine.market.chain"):
        chain.default.cache_clear()
    if journal := sys.modules.get("xl_addin.functions.journal"):
        journal.clear()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """Leave new threads without a trace function where coverage is measured.

    Before Python 3.12 two threads that begin at the same moment may not both install one: the second dies at once, and
    whoever waits for it waits for ever ("Cannot install a trace function while another … is being installed").
    """
    if threading.gettrace():
        threading.settrace(None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test of what is made once to one worker, where there are several, and long runs all the time."""
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.timeout(0))
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            used = getattr(item, "fixturenames", ())
            group = next((group for name, group in ONCE.items() if name in used), None)
            if group:
                item.add_marker(pytest.mark.xdist_group(group))
