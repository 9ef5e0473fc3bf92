"""Copies of the portfolio's own file that a cloud's folder put beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import rebalancer
from engine.errors import InputError
from rebalancer.copies import copies_of, is_copy, merge_copy
from rebalancer.ledgers import ledger_file, read_ledger, record_corrections
from rebalancer.syncing import sync
from tests.sync.test_sync import DOCUMENT
from xl_addin.cli import main


@pytest.mark.parametrize(
    "name",
    [
        "my (John's conflicted copy 2026-11-20)",
        "my (conflicted copy 2026-11-20 101112)",
        "my (홍길동의 충돌된 사본 2026-11-20)",
        "my (1)",
        "my(2)",
        "my-DESKTOP-ABC",
        "my-DESKTOP-AB12CD3-2",
        "my-홍길동-PC",
        "my-영희의 노트북",
        "my-Ann's MacBook Pro",
        "my.sync-conflict-20261120-101112-ABCDEFG",
        "my [Conflict]",
    ],
)
def test_a_clouds_copy_is_known_by_its_name(name: str) -> None:
    assert is_copy(name, "my")


@pytest.mark.parametrize("name", ["my", "my-isa", "my.theirs", "my.before", "mine", "my-2026", "my-wife", "my (ISA)"])
def test_another_file_is_no_copy(name: str) -> None:
    assert is_copy(name, "my") is (name == "my-2026")  # digits and capitals: asked about


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_copy_is_merged_by_what_both_come_from_and_kept_under_another_name(mine: Path, tmp_path: Path) -> None:
    shared = tmp_path / "cloud"
    shared.mkdir()
    sync(mine, str(shared))
    copy = Path(shutil.copy(mine, tmp_path / "my (1).yaml"))
    change(mine, "quantity: 250", "quantity: 260")
    change(copy, "quantity: 10,", "quantity: 12,")
    assert copies_of(mine) == (copy,)
    changed, kept = merge_copy(mine, copy)
    assert [str(one.told) for one in changed] == ["holding QQQ: 10 → 12"]
    assert kept.name == "my (1).yaml.merged"
    assert [int(one.quantity) for one in rebalancer.load(mine).holdings] == [260, 12, 20]
    assert copies_of(mine) == ()


@pytest.mark.slow
def test_rows_in_conflict_leave_both_files_as_they_are(mine: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(mine, tmp_path / "my-DESKTOP-ABC.yaml"))
    change(mine, "quantity: 250", "quantity: 260")
    before = mine.read_bytes(), copy.read_bytes()
    with pytest.raises(InputError) as caught:
        merge_copy(mine, copy)
    assert "here 260, there 250" in str(caught.value.problems[0])
    assert (mine.read_bytes(), copy.read_bytes()) == before


@pytest.mark.slow
def test_a_copy_of_the_ledger_comes_with_it(mine: Path, tmp_path: Path) -> None:
    import datetime as dt

    record_corrections(mine, dt.date(2026, 11, 1))
    copy = Path(shutil.copy(mine, tmp_path / "my (1).yaml"))
    shutil.copy(ledger_file(mine), tmp_path / "other.ledger.csv")
    other = Path(shutil.copy(mine, tmp_path / "other.yaml"))
    for path, old, new in ((mine, "quantity: 250", "quantity: 260"), (other, "quantity: 10,", "quantity: 12,")):
        change(path, old, new)
        record_corrections(path, dt.date(2026, 11, 2))
    other.replace(copy)
    (tmp_path / "other.ledger.csv").rename(tmp_path / "my.ledger (1).csv")
    merge_copy(mine, copy)
    assert [int(one.quantity) for one in rebalancer.load(mine).holdings] == [260, 12, 20]
    assert len(read_ledger(mine).entries) == 7
    assert (tmp_path / "my.ledger (1).csv.merged").exists()


@pytest.mark.slow
def test_the_command_asks_first_and_names_the_copy(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(mine, tmp_path / "my (1).yaml")
    shared = tmp_path / "cloud"
    shared.mkdir()
    assert main(["sync", str(mine), str(shared), "--lang", "en"]) == 0
    assert "my (1).yaml looks like a copy" in " ".join(capsys.readouterr().err.split())
    assert main(["sync", str(mine), "--copies", "merge", "--lang", "en"]) == 0
    assert "kept as my (1).yaml.merged" in " ".join(capsys.readouterr().out.split())


def test_a_portfolio_that_shares_nothing_is_no_copy(mine: Path, tmp_path: Path) -> None:
    text = DOCUMENT
    for old, new in (("360750", "069500"), ("QQQ", "VOO"), ("SCHD", "BND")):
        text = text.replace(old, new)
    (tmp_path / "my (1).yaml").write_text(text, encoding="utf-8")
    assert copies_of(mine) == ()
