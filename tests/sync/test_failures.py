"""What a person sees where it does not work: one line that says what to do, the right status, and nothing half done."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import GenericError

import rebalancer
from engine.errors import InputError
from engine.ledger.account import differences
from rebalancer import shelf, syncing
from rebalancer.ledgers import read_ledger, record_corrections
from rebalancer.shelf import Shelf, SyncFailed
from rebalancer.syncing import sync
from tests.sync.conftest import Proxy
from tests.sync.test_sync import DOCUMENT, Side
from xl_addin.cli import main


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    folder = tmp_path / "cloud"
    folder.mkdir()
    return folder


def in_step(tmp_path: Path, cloud: Path) -> tuple[Side, Side]:
    """Return two sides that have the same."""
    here, there = Side(tmp_path / "a", str(cloud)), Side(tmp_path / "b", str(cloud))
    here.path.write_text(DOCUMENT, encoding="utf-8")
    here.sync()
    there.sync()
    return here, there


def said(capsys: pytest.CaptureFixture[str], status: int, path: Path, url: str, *more: str, lang: str = "en") -> str:
    """Return what the command says; it has to end with this status, and to leave the file as it was."""
    before = path.read_bytes() if path.exists() else b""
    assert main(["sync", str(path), *filter(None, [url]), "--lang", lang, *more]) == status
    assert (path.read_bytes() if path.exists() else b"") == before
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert len(err.strip().splitlines()) <= 4
    return " ".join(err.split())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "name the place the first time"),
        ("s4://bucket/x", "begins with s3://"),
        ("https://example.org/x", "a folder, or an address that begins with"),
        ("s3://", "an address that begins with"),
        ("s3://key:secret@bucket/x", "leave them out of the address"),
        ("az://box/x?sig=secret", "leave them out of the address"),
    ],
)
def test_a_wrong_address_is_bad_input(mine: Path, capsys: pytest.CaptureFixture[str], url: str, words: str) -> None:
    told = said(capsys, 2, mine, url)
    assert words in told
    assert "secret" not in told


def test_a_misspelled_folder_is_named_as_it_may_be_meant(
    mine: Path, cloud: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "did you mean" in said(capsys, 2, mine, str(cloud.with_name("clowd")))
    assert "뜻하셨나요" in said(capsys, 2, mine, str(cloud.with_name("clowd")), lang="ko")


def test_neither_side_is_there(tmp_path: Path, cloud: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "neither this file nor a version" in said(capsys, 2, tmp_path / "other.yaml", str(cloud))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_ANSWER", 1)
    monkeypatch.setattr(shelf, "_CONNECT", 1)
    monkeypatch.setattr(shelf, "_AGAIN", 1)
    monkeypatch.setattr(shelf, "_RETRIES", 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "words"),
    [("before", "does not answer"), ("hang", "does not answer"), ("500", "fault of its own"), ("403", "clock")],
)
def test_a_server_that_fails_is_told_and_nothing_is_lost(
    mine: Path, proxy: Proxy, bucket: str, impatient: None, capsys: pytest.CaptureFixture[str], fault: str, words: str
) -> None:
    proxy.faults = [fault] * 30
    assert words in said(capsys, 1, mine, bucket)
    proxy.faults.clear()
    assert main(["sync", str(mine), bucket]) == 0


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_told(
    mine: Path, proxy: Proxy, impatient: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no such place" in said(capsys, 1, mine, "s3://elsewhere/x")


@pytest.mark.slow
def test_a_name_that_no_computer_has_is_told(
    mine: Path, proxy: Proxy, impatient: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT", "http://nowhere.invalid")
    assert "does not answer" in said(capsys, 1, mine, "s3://mine/x")


@pytest.mark.slow
def test_a_missing_login_is_told(
    mine: Path, impatient: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: Any, **__: Any) -> Any:
        raise GenericError("Generic S3 error: Error performing PUT http://169.254.169.254/latest/api/token in 1.4ms")

    monkeypatch.setattr(obstore, "list", nobody)
    assert "AWS_ACCESS_KEY_ID" in said(capsys, 1, mine, "s3://mine/x")


def test_a_wrong_or_a_missing_passphrase_is_told(
    mine: Path, cloud: Path, key: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (cloud / "my.sync").mkdir()
    (cloud / "my.sync" / "key.age").write_bytes(key)
    sync(mine, str(cloud), passphrase="correct horse")
    other = mine.with_name("there") / "my.yaml"
    other.parent.mkdir()
    assert "REBALANCER_SYNC_PASSPHRASE" in said(capsys, 1, other, str(cloud))
    monkeypatch.setenv("REBALANCER_SYNC_PASSPHRASE", "wrong")
    assert "[sync-wrong-passphrase]" in said(capsys, 1, other, str(cloud))
    assert not other.exists()
    (cloud / "my.sync" / "key.age").unlink()
    assert "key.age" in said(capsys, 1, other, str(cloud))


@contextlib.contextmanager
def full(most: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes, as where a disk is full."""
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.slow
@pytest.mark.parametrize("most", [0, 400, 900, 1500])
def test_a_full_disk_leaves_nothing_half(tmp_path: Path, cloud: Path, most: int) -> None:
    here, there = Side(tmp_path / "a", str(cloud)), Side(tmp_path / "b", str(cloud))
    begun(here, 1)
    here.sync()
    there.sync()
    here.change("quantity: 10,", "quantity: 12,")
    here.sync()
    before, ledger = there.path.read_bytes(), read_ledger(there.path).entries
    there.change("price: 27}", "price: 28}")
    changed = there.path.read_bytes()
    with full(most), contextlib.suppress(InputError, SyncFailed):
        there.sync()
    assert there.path.read_bytes() in (before, changed) or there.quantity("QQQ") == 12
    assert read_ledger(there.path).entries == ledger
    assert len(Shelf(str(cloud), "my").versions()) == len(list((cloud / "my.sync").glob("*.json")))
    there.sync()
    here.sync()
    for side in (here, there):
        assert side.quantity("QQQ") == 12
        assert "price: 28" in side.path.read_text(encoding="utf-8")


def test_a_file_system_without_second_names_serves_too(
    mine: Path, cloud: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise GenericError("Generic LocalFileSystem error: Unable to rename file: Not permitted (os error 1)")

    monkeypatch.setattr(obstore, "put", refused)
    assert sync(mine, str(cloud)).sent
    assert not Shelf(str(cloud), "my").create(shelf.Version(1, "x", (), ".yaml", b"", ""))
    assert not sync(mine, str(cloud)).sent


def test_half_a_version_keeps_nobody_from_going_on(mine: Path, cloud: Path) -> None:
    sync(mine, str(cloud))
    whole = (cloud / "my.sync" / "00000001.json").read_bytes()
    (cloud / "my.sync" / "00000002.json").write_bytes(whole[:200])
    told = sync(mine, str(cloud))
    assert (told.number, [one.code for one in told.problems]) == (1, ["sync-half"])
    mine.write_text(DOCUMENT.replace("quantity: 250", "quantity: 251"), encoding="utf-8")
    assert sync(mine, str(cloud)).number == 3


def begun(side: Side, day: int, change: str = "") -> None:
    """Begin a ledger on a side of its own, and record a change after it."""
    side.path.write_text(DOCUMENT, encoding="utf-8")
    record_corrections(side.path, dt.date(2026, 11, day))
    if change:
        side.change(change, change.replace("10,", "12,").replace("250", "255"))
        record_corrections(side.path, dt.date(2026, 11, day + 1))


@pytest.mark.slow
def test_two_ledgers_that_began_alike_come_together(tmp_path: Path, cloud: Path) -> None:
    here, there = Side(tmp_path / "a", str(cloud)), Side(tmp_path / "b", str(cloud))
    begun(here, 1, "quantity: 250")
    begun(there, 3, "quantity: 10,")
    here.sync()
    there.sync()
    here.sync()
    for side in (here, there):
        assert (side.quantity("360750"), side.quantity("QQQ")) == (255, 12)
        assert not differences(read_ledger(side.path).books("KRW"), side.portfolio)
        assert not side.sync().sent
    assert {one.id for one in read_ledger(here.path).entries} == {one.id for one in read_ledger(there.path).entries}


@pytest.mark.slow
def test_two_ledgers_that_began_otherwise_are_asked_about(tmp_path: Path, cloud: Path) -> None:
    here, there = Side(tmp_path / "a", str(cloud)), Side(tmp_path / "b", str(cloud))
    begun(here, 1)
    there.path.write_text(DOCUMENT.replace("quantity: 250", "quantity: 200"), encoding="utf-8")
    record_corrections(there.path, dt.date(2026, 11, 3))
    here.sync()
    with pytest.raises(InputError) as caught:
        there.sync()
    assert "360750" in str(caught.value)
    there.sync(take="theirs")
    assert there.quantity("360750") == 250
    assert not differences(read_ledger(there.path).books("KRW"), there.portfolio)


@pytest.mark.slow
def test_the_same_trades_recorded_on_both_are_pointed_out(tmp_path: Path, cloud: Path) -> None:
    from dataclasses import replace

    from engine.ledger.entries import LedgerEntry
    from rebalancer.ledgers import commit, new_id

    here, there = Side(tmp_path / "a", str(cloud)), Side(tmp_path / "b", str(cloud))
    begun(here, 1)
    here.sync()
    there.sync()
    for side in (here, there):
        batch, raw = new_id(), side.path.read_bytes()
        side.change("quantity: 10,", "quantity: 12,")
        after = side.path.read_bytes()
        side.path.write_bytes(raw)
        bought = LedgerEntry(new_id(), batch, dt.date(2026, 11, 5), "buy", "", "QQQ", rebalancer.load(
            side.path).holdings[0].quantity * 0 + 2, currency="USD")  # fmt: skip
        commit(side.path, raw, after, [replace(bought, amount=bought.quantity * 0)])
    here.sync()
    assert [one.code for one in there.sync().problems] == ["sync-recorded-twice"]
    assert there.quantity("QQQ") == 14


@pytest.mark.slow
def test_two_at_once_both_get_through(tmp_path: Path, cloud: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    here, there = in_step(tmp_path, cloud)
    for number in range(5):
        here.change(f"quantity: {250 + number}", f"quantity: {251 + number}")
        there.change(f"quantity: {10 + number},", f"quantity: {11 + number},")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Side.sync, (here, there)))
        here.sync()
        there.sync()
        assert (here.quantity("360750"), here.quantity("QQQ")) == (251 + number, 11 + number)
    assert there.quantity("360750") == 255


def test_a_place_that_is_encrypted_takes_nothing_in_the_open(mine: Path, cloud: Path, key: bytes) -> None:
    (cloud / "my.sync").mkdir()
    (cloud / "my.sync" / "key.age").write_bytes(key)
    sync(mine, str(cloud), passphrase="correct horse")
    mine.write_text(DOCUMENT.replace("quantity: 250", "quantity: 251"), encoding="utf-8")
    with pytest.raises(SyncFailed, match="REBALANCER_SYNC_PASSPHRASE"):
        sync(mine, str(cloud))
    assert len(list((cloud / "my.sync").glob("*.json"))) == 1


def test_a_folder_is_found_again_from_anywhere(mine: Path, cloud: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cloud)
    sync(mine, ".")
    monkeypatch.chdir("/")
    assert not sync(mine).sent
    state = syncing.state_file(mine)
    state.write_text(state.read_text().replace(str(cloud), "cloud"))  # as earlier versions kept it
    assert not sync(mine).sent
    assert syncing.remembered_url(mine) == str(cloud)


@pytest.mark.parametrize("beside", ["~$my.yaml", ".~lock.my.yaml#"])
def test_what_is_open_elsewhere_is_not_replaced(tmp_path: Path, cloud: Path, beside: str) -> None:
    here, there = in_step(tmp_path, cloud)
    here.change("quantity: 250", "quantity: 251")
    here.sync()
    there.path.with_name(beside).touch()
    before = there.path.read_bytes()
    with pytest.raises(InputError, match="close it and sync again"):
        there.sync()
    assert there.path.read_bytes() == before
    there.path.with_name(beside).unlink()
    assert there.sync().taken


def test_a_file_stays_readable_by_those_who_could_read_it(tmp_path: Path, cloud: Path) -> None:
    here, there = in_step(tmp_path, cloud)
    there.path.chmod(0o600)
    there.path.rename(tmp_path / "mine.yaml")
    there.path.symlink_to(tmp_path / "mine.yaml")
    here.change("quantity: 250", "quantity: 251")
    here.sync()
    there.sync()
    assert there.path.is_symlink()
    assert (tmp_path / "mine.yaml").stat().st_mode & 0o777 == 0o600
    assert there.quantity("360750") == 251


def test_what_one_computer_decided_of_two_ledgers_the_other_is_not_asked(tmp_path: Path, cloud: Path) -> None:
    here, there = Side(tmp_path / "a", str(cloud)), Side(tmp_path / "b", str(cloud))
    begun(here, 1)
    there.path.write_text(DOCUMENT.replace("quantity: 250", "quantity: 200"), encoding="utf-8")
    record_corrections(there.path, dt.date(2026, 11, 3))
    here.sync()
    there.sync(take="mine")
    here.sync()
    for side in (here, there):
        assert side.quantity("360750") == 200
        assert not differences(read_ledger(side.path).books("KRW"), side.portfolio)
        assert not side.sync().sent


def test_a_file_that_may_not_be_written_is_left_alone(
    tmp_path: Path, cloud: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = in_step(tmp_path, cloud)
    here.change("quantity: 250", "quantity: 251")
    here.sync()
    before, access = there.path.read_bytes(), os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != there.path and access(path, mode))
    with pytest.raises(InputError, match="check that you may write there"):
        there.sync()
    assert there.path.read_bytes() == before
    monkeypatch.undo()
    assert there.sync().taken
