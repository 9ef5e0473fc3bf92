"""Keep every test from the person's own stores and from the network."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.office"]

#: Nobody listens here: what would leave this machine fails at once, unless a test routes it to a replay.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test its own price store, restore points and market, and no way out."""
    monkeypatch.setenv("REBALANCER_CACHE_DIR", str(tmp_path_factory.mktemp("prices")))
    monkeypatch.setenv("REBALANCER_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    _forget_market()
    yield
    _forget_market()


def _forget_market() -> None:
    chain = sys.modules.get("engine.market.chain")
    if chain is not None:
        chain.default.cache_clear()
