"""The same portfolio on several computers, over real folders and a real S3 server on this one."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

import rebalancer
from engine.errors import InputError
from engine.ledger.account import differences
from engine.merging import alike
from rebalancer import syncing
from rebalancer.ledgers import read_ledger
from rebalancer.shelf import FORMAT, Shelf, SyncFailed, Version
from rebalancer.syncing import sync
from xl_addin.cli import main

DOCUMENT = """portfolio:
  name: Mine
  base_currency: KRW
  holdings:   # what I have
    - {symbol: "360750", quantity: 250, price: 24350}
    - {symbol: QQQ, quantity: 10, price: 628.35}
    - {symbol: SCHD, quantity: 20, price: 27}
  cash: {KRW: 1500000, USD: 320.50}
  targets:
    - {ticker: "360750", weight: 0.5}
    - {ticker: QQQ, weight: 0.3}
    - {ticker: SCHD, weight: 0.1}
"""


class Side:
    """One computer: a folder with the portfolio's file."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        self.path, self.url = folder / "my.yaml", url

    def sync(self, **more: Any) -> syncing.Synced:
        return sync(self.path, self.url, **more)

    def change(self, old: str, new: str) -> None:
        text = self.path.read_text(encoding="utf-8")
        assert old in text
        self.path.write_text(text.replace(old, new), encoding="utf-8")

    @property
    def portfolio(self) -> rebalancer.Portfolio:
        return rebalancer.load(self.path)

    def quantity(self, symbol: str) -> Decimal:
        return next(one.quantity for one in self.portfolio.holdings if one.symbol == symbol)


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Side, Side]:
    shared = tmp_path / "cloud"
    shared.mkdir()
    here, there = Side(tmp_path / "here", str(shared)), Side(tmp_path / "there", str(shared))
    here.path.write_text(DOCUMENT, encoding="utf-8")
    assert here.sync().sent
    assert there.sync().taken
    return here, there


def test_a_computer_without_the_file_gets_it(sides: tuple[Side, Side]) -> None:
    here, there = sides
    assert there.path.read_bytes() == here.path.read_bytes()
    assert not there.sync().sent


def test_changes_of_different_rows_come_together_and_comments_stay(sides: tuple[Side, Side]) -> None:
    here, there = sides
    here.change("quantity: 250", "quantity: 260")
    there.change("quantity: 10,", "quantity: 12,")
    here.sync()
    there.sync()
    here.sync()
    for side in sides:
        assert (side.quantity("360750"), side.quantity("QQQ")) == (260, 12)
        assert "# what I have" in side.path.read_text(encoding="utf-8")
    assert alike(here.portfolio, there.portfolio)


def test_rows_that_both_changed_are_shown_with_both_values_and_nothing_is_written(sides: tuple[Side, Side]) -> None:
    here, there = sides
    here.change("quantity: 10,", "quantity: 11,")
    there.change("quantity: 10,", "quantity: 12,")
    here.sync()
    before = there.path.read_bytes()
    with pytest.raises(InputError) as caught:
        there.sync()
    told = str(caught.value.problems[0])
    assert "12" in told
    assert "11" in told
    assert "QQQ" in told
    assert there.path.read_bytes() == before
    assert syncing.conflict_file(there.path).exists()
    there.sync(take="theirs")
    assert there.quantity("QQQ") == 11


def test_what_one_side_took_away_goes(sides: tuple[Side, Side]) -> None:
    here, there = sides
    here.change("    - {symbol: SCHD, quantity: 20, price: 27}\n", "")
    here.sync()
    there.sync()
    assert [one.symbol for one in there.portfolio.holdings] == ["360750", "QQQ"]


def test_a_conflicted_copy_of_a_cloud_folder_is_merged(sides: tuple[Side, Side]) -> None:
    here, there = sides
    folder = Path(here.url) / "my.sync"
    # Both offline: each made version 2 in its own copy of the folder; the cloud kept one under another name.
    here.change("quantity: 250", "quantity: 260")
    here.sync()
    mine = (folder / "00000002.json").read_bytes()
    (folder / "00000002.json").unlink()
    there.change("quantity: 10,", "quantity: 12,")
    there.sync()
    (folder / "00000002-PC (conflicted copy).json").write_bytes(mine)
    there.sync()
    here.sync()
    for side in sides:
        assert (side.quantity("360750"), side.quantity("QQQ")) == (260, 12)


def test_ledgers_come_together_by_entries(sides: tuple[Side, Side], capsys: pytest.CaptureFixture[str]) -> None:
    here, there = sides
    assert main(["record", str(here.path), "--correct"]) == 0
    here.sync()
    there.sync()
    assert read_ledger(there.path).entries == read_ledger(here.path).entries != ()


def test_what_both_sides_recorded_is_added_up(sides: tuple[Side, Side]) -> None:
    here, there = sides
    assert main(["record", str(here.path), "--correct"]) == 0
    here.sync()
    there.sync()
    for side, flow in ((here, 3_000_000), (there, 5_000_000)):
        plan = side.path.with_name("my.plan.json")
        given = ["plan", str(side.path), "--offline", "--allow-stale", "--cash-flow", str(flow), "-o", str(plan)]
        side.change("portfolio:", "fx: {USDKRW: 1400}\nsettings: {trigger: always}\nportfolio:")
        assert main(given) == 0
        assert main(["record", str(side.path)]) == 0
    had = {
        one.symbol: one.quantity
        for one in rebalancer.load({"portfolio": yaml.safe_load(DOCUMENT)["portfolio"]}).holdings
    }
    both = {symbol: here.quantity(symbol) + there.quantity(symbol) - quantity for symbol, quantity in had.items()}
    here.sync()
    there.sync()
    here.sync()
    assert {symbol: there.quantity(symbol) for symbol in had} == both
    assert alike(here.portfolio, there.portfolio)
    assert not differences(read_ledger(there.path).books("KRW"), there.portfolio)


def test_targets_that_are_above_one_together_are_shown(sides: tuple[Side, Side]) -> None:
    here, there = sides
    here.change("QQQ, weight: 0.3", "QQQ, weight: 0.4")
    there.change("SCHD, weight: 0.1", "SCHD, weight: 0.2")
    here.sync()
    with pytest.raises(InputError) as caught:
        there.sync()
    assert [one.code for one in caught.value.problems] == ["sync-conflict", "sync-conflict", "sync-conflict-kept"]
    there.sync(take="theirs")
    assert alike(here.portfolio, there.portfolio)


def test_what_cannot_be_brought_together_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", str(tmp_path), str(tmp_path), "--lang", "en"]) == 2
    assert ".xlsx" in capsys.readouterr().err


@pytest.mark.slow
def test_the_first_to_send_with_a_passphrase_makes_the_key(tmp_path: Path) -> None:
    shelf = Shelf(str(tmp_path), "my", "correct horse")
    assert shelf.create(Version(1, "x", (), ".yaml", b"mine", ""))
    assert (tmp_path / "my.sync" / "key.age").read_bytes().startswith(b"age-encryption.org/v1\n-> scrypt ")
    assert [one.data for one in Shelf(str(tmp_path), "my", "correct horse").versions()] == [b"mine"]


def test_what_leaves_is_encrypted_where_there_is_a_passphrase(tmp_path: Path, key: bytes) -> None:
    shared = tmp_path / "cloud"
    (shared / "my.sync").mkdir(parents=True)
    (shared / "my.sync" / "key.age").write_bytes(key)
    here = Side(tmp_path / "here", str(shared))
    here.path.write_text(DOCUMENT, encoding="utf-8")
    here.sync(passphrase="correct horse")
    for path in shared.rglob("*.json"):
        assert b"360750" not in path.read_bytes()
        assert path.read_bytes().startswith(b"age-encryption.org")
    with pytest.raises(SyncFailed):
        Shelf(str(shared), "my").versions()
    assert len(Shelf(str(shared), "my", "correct horse").versions()) == 1


def test_a_half_copied_version_is_let_be(sides: tuple[Side, Side]) -> None:
    here, _ = sides
    folder = Path(here.url) / "my.sync"
    whole = (folder / "00000001.json").read_bytes()
    (folder / "00000002.json").write_bytes(whole[:100])
    assert not here.sync().taken


def test_a_place_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    assert main(["sync", str(path), str(tmp_path / "nowhere"), "--lang", "en"]) == 2
    assert "no such folder" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_two_sides_over_s3(tmp_path: Path, bucket: str) -> None:
    here, there = Side(tmp_path / "here", bucket), Side(tmp_path / "there", bucket)
    here.path.write_text(DOCUMENT, encoding="utf-8")
    here.sync()
    there.sync()
    here.change("quantity: 250", "quantity: 260")
    there.change("quantity: 10,", "quantity: 12,")
    here.sync()
    there.sync()
    here.sync()
    assert alike(here.portfolio, there.portfolio)
    assert (here.quantity("360750"), here.quantity("QQQ")) == (260, 12)
    versions = Shelf(bucket, "my").versions()
    assert [one.number for one in versions] == [1, 2, 3]
    assert not Shelf(bucket, "my").create(Version(2, "x", (), ".yaml", b"", ""))
    assert json.loads(versions[0].document())["format"] == FORMAT


def test_a_version_that_the_cloud_puts_there_anew_takes_nothing_back(sides: tuple[Side, Side]) -> None:
    here, there = sides
    here.change("quantity: 10,", "quantity: 12,")
    here.sync()
    there.sync()
    there.change("quantity: 12,", "quantity: 10,")
    there.sync()
    older = Path(here.url) / "my.sync" / "00000002.json"
    whole = older.read_bytes()
    older.unlink()
    older.write_bytes(whole)
    os.utime(older, (2_000_000_000, 2_000_000_000))
    assert not there.sync().sent
    here.sync()
    assert here.quantity("QQQ") == there.quantity("QQQ") == 10
