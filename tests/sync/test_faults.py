"""Two and three sides that change, record and synchronise in any order, while lines and processes end anywhere.

In the end all are alike: what each changed is there once, every entry of the ledgers too, and a version is whole or
none.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import gzip
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import obstore
import pytest

import rebalancer
from engine.ledger.account import differences
from engine.merging import alike
from rebalancer import files, ledgers, shelf, syncing
from rebalancer.ledgers import read_ledger, record_corrections, recording
from rebalancer.shelf import SyncFailed
from rebalancer.syncing import sync
from tests.sync.conftest import Proxy
from tests.sync.test_sync import DOCUMENT, Side

SYMBOLS = ("360750", "QQQ", "SCHD")
SETTINGS = ("effort", "cash_buffer", "fx_spread")
#: Long enough that none of them stands in random bytes, or in the letters of a key, by chance.
WORDS = (b"360750", b"symbol: QQQ", b"symbol: SCHD", b"1500000", b"320.5", b"628.35", b"quantity", b"name: Mine")


class Cut(BaseException):
    """The process ends here."""


@contextlib.contextmanager
def cut_at(step: int | None) -> Iterator[None]:
    """End the process before or after the n-th thing that is asked of the place, or written here."""
    if step is None:
        yield
        return
    left = [step]

    def cutting(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Cut
            done = real(*args, **more)
            left[0] -= 1
            if left[0] == 0:
                raise Cut
            return done

        return call

    names = [(obstore, "put"), (obstore, "get"), (obstore, "list"), (syncing, "write_whole"), (ledgers, "write_whole"),
             (ledgers, "_append"), (files, "write_whole")]  # fmt: skip
    with contextlib.ExitStack() as stack:
        for module, name in names:
            stack.enter_context(patch.object(module, name, cutting(getattr(module, name))))
        with contextlib.suppress(Cut):
            yield


class Story:
    """Some sides over one URL; each changes rows of its own, so that nothing is in conflict."""

    def __init__(self, folder: Path, url: str, chance: random.Random, count: int, passphrase: str = "") -> None:
        folder.mkdir(parents=True)
        self.chance, self.passphrase = chance, passphrase
        self.sides = [Side(folder / f"side{n}", url) for n in range(count)]
        self.sides[0].path.write_text(DOCUMENT, encoding="utf-8")
        record_corrections(self.sides[0].path, self.day())
        for side in self.sides:
            self.bring(side)
        self.totals = {symbol: self.sides[0].quantity(symbol) for symbol in SYMBOLS}
        self.recorded: set[str] = set()
        self.settings: dict[str, Decimal] = {}

    def day(self) -> dt.date:
        """Return a day as the clock of a computer has it that is wrong."""
        return dt.date(2026, 11, 20) + dt.timedelta(self.chance.randint(-400, 400))

    def bring(self, side: Side) -> syncing.Synced:
        return sync(side.path, side.url, passphrase=self.passphrase)

    def step(self) -> None:
        number = self.chance.randrange(len(self.sides))
        side, symbol = self.sides[number], SYMBOLS[number]
        kind = self.chance.choice(("trade", "price", "setting", "sync", "sync", "sync"))
        if kind == "sync":
            with cut_at(self.chance.choice((None, self.chance.randint(1, 24)))), contextlib.suppress(SyncFailed):
                self.bring(side)
            return
        # A recording that was cut is finished by the next command. Who edits the file by hand before that is asked
        # about the difference (`record`), which is another story.
        with recording(side.path):
            portfolio = side.portfolio
        if kind == "setting":
            value = Decimal(self.chance.randint(1, 99)) / 10000
            self.settings[SETTINGS[number]] = value
            change: dict[str, Any] = {SETTINGS[number]: value}
            rebalancer.save(replace(portfolio, settings=replace(portfolio.settings, **change)), side.path)
        elif kind == "price":
            self._hold(side, portfolio, symbol, price=Decimal(self.chance.randint(10, 99)))
        else:
            more = self.chance.randint(1, 5)
            self._hold(side, portfolio, symbol, quantity=side.quantity(symbol) + more)
            self.recorded |= {one.id for one in record_corrections(side.path, self.day())}
            self.totals[symbol] += more
        os.utime(side.path, (self.chance.randint(1, 2**31), self.chance.randint(1, 2**31)))

    @staticmethod
    def _hold(side: Side, portfolio: rebalancer.Portfolio, symbol: str, **more: Decimal) -> None:
        held = tuple(replace(one, **more) if one.symbol == symbol else one for one in portfolio.holdings)  # type: ignore[arg-type]
        rebalancer.save(replace(portfolio, holdings=held), side.path)

    def end(self) -> None:
        for _ in range(2):
            for side in self.sides:
                self.bring(side)
        first = self.sides[0]
        entries = read_ledger(first.path).entries
        for side in self.sides:
            assert {symbol: side.quantity(symbol) for symbol in SYMBOLS} == self.totals
            assert alike(side.portfolio, first.portfolio)
            lines = side.path.with_name("my.ledger.csv").read_text(encoding="utf-8").splitlines()
            assert len(lines) == len(set(lines)) == len(entries) + 1
            assert {one.id for one in read_ledger(side.path).entries} == {one.id for one in entries}
            assert not differences(read_ledger(side.path).books("KRW"), side.portfolio)
            done = self.bring(side)
            assert not done.sent
            assert not done.taken
        assert self.recorded <= {one.id for one in entries}
        for name, value in self.settings.items():
            assert getattr(first.portfolio.settings, name) == value


def hidden(stored: bytes) -> bool:
    """Tell whether what is stored or sent says nothing, however it is packed."""
    forms = [stored]
    with contextlib.suppress(ValueError, OSError):
        forms.append(base64.b64decode(stored))
    with contextlib.suppress(ValueError, OSError, EOFError):
        forms.append(gzip.decompress(stored))
    return not any(word in form for form in forms for word in WORDS)


def in_a_folder(folder: Path, seed: int, key: bytes | None, steps: int = 10) -> None:
    chance = random.Random(seed)
    shared = folder / "cloud"
    (shared / "my.sync").mkdir(parents=True)
    if key:
        (shared / "my.sync" / "key.age").write_bytes(key)
    story = Story(folder / "x", str(shared), chance, 2 + seed % 2, "correct horse" if key else "")
    for _ in range(steps):
        story.step()
        if chance.random() < 0.15:  # a person prunes
            for path in sorted((shared / "my.sync").glob("*.json"))[:-3]:
                path.unlink()
        if chance.random() < 0.1:  # what this side remembers is lost, or its computer is a new one
            side = chance.choice(story.sides)
            story.bring(side)
            side.path.with_name(".my.sync.json").unlink()
            story.bring(side)
    story.end()
    for path in (shared / "my.sync").iterdir():
        if key:
            assert path.read_bytes().startswith(b"age-encryption.org")
            assert hidden(path.read_bytes())


def over_a_store(folder: Path, proxy: Proxy, seed: int, key: bytes | None, scheme: str = "s3", steps: int = 8) -> None:
    chance = random.Random(seed)
    url = f"{scheme}://mine/p{seed}"
    if key:
        obstore.put(shelf._store_of(url), "my.sync/key.age", key)
    proxy.seen.clear()
    story = Story(folder, url, chance, 2 + seed % 2, "correct horse" if key else "")
    proxy.chance = chance
    for _ in range(steps):
        story.step()
    proxy.chance = None
    story.end()
    assert any(proxy.seen)
    if key:
        sent = [body for body in proxy.seen if body]
        assert all(body.startswith(b"age-encryption.org") for body in sent)
        assert all(map(hidden, sent))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    from datetime import timedelta

    quick = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=2), "base": 2}
    real = shelf._waits
    monkeypatch.setattr(
        shelf, "_waits", lambda: {**real(), "retry_config": {**real()["retry_config"], "backoff": quick}}
    )


@pytest.mark.parametrize("seed", range(1))
def test_random_interleavings_in_a_folder_converge(tmp_path: Path, seed: int) -> None:
    in_a_folder(tmp_path, seed, None)


@pytest.mark.slow
def test_random_interleavings_over_s3_converge(tmp_path: Path, proxy: Proxy, impatient: None, key: bytes) -> None:
    for seed in range(2):
        over_a_store(tmp_path / str(seed), proxy, seed, key if seed % 2 else None)


@pytest.mark.slow
def test_random_interleavings_as_google_is_spoken_to_converge(
    tmp_path: Path, google: Proxy, impatient: None, key: bytes
) -> None:
    for seed in range(2):
        over_a_store(tmp_path / str(seed), google, seed, key if seed % 2 else None, "gs")


@pytest.mark.soak
def test_a_hundred_random_interleavings_as_google_is_spoken_to_converge(
    tmp_path: Path, google: Proxy, impatient: None, key: bytes
) -> None:
    for seed in range(100):
        over_a_store(tmp_path / str(seed), google, seed, locked(seed, key), "gs")


@pytest.mark.soak
def test_random_interleavings_over_azure_converge(tmp_path: Path, azure: Proxy, impatient: None, key: bytes) -> None:
    for seed in range(20):
        over_a_store(tmp_path / str(seed), azure, seed, locked(seed, key), "az")


@pytest.mark.slow
def test_every_cut_of_one_synchronisation_is_harmless(tmp_path: Path) -> None:
    for step in range(1, 40, 4):
        shared = tmp_path / f"cloud{step}"
        shared.mkdir()
        story = Story(tmp_path / str(step), str(shared), random.Random(step), 2)
        for side, symbol in zip(story.sides, SYMBOLS, strict=False):
            story._hold(side, side.portfolio, symbol, quantity=side.quantity(symbol) + 5)
            story.recorded |= {one.id for one in record_corrections(side.path, story.day())}
            story.totals[symbol] += 5
        story.bring(story.sides[0])
        with cut_at(step):
            story.bring(story.sides[1])
        story.end()


def locked(seed: int, key: bytes) -> bytes | None:
    """Return the key for a quarter of the stories, of two sides and of three."""
    return key if seed % 8 in (0, 3) else None


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_random_interleavings_in_folders_converge(tmp_path: Path, key: bytes, hundred: int) -> None:
    for seed in range(hundred * 100, hundred * 100 + 100):
        in_a_folder(tmp_path / str(seed), seed, locked(seed, key))


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_random_interleavings_over_s3_converge(
    tmp_path: Path, proxy: Proxy, impatient: None, key: bytes, hundred: int
) -> None:
    for seed in range(hundred * 100, hundred * 100 + 100):
        over_a_store(tmp_path / str(seed), proxy, seed, locked(seed, key))
