"""Recordings into a file and its ledger: both or neither, whatever happens in between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rebalancer
from engine.errors import InputError, error
from engine.ledger.account import differences
from rebalancer.files import write_whole
from rebalancer.ledgers import commit, finish, ledger_file, pending_file, read_ledger, recording
from xl_addin.cli import main

DOCUMENT = """portfolio:
  name: Mine
  base_currency: KRW
  holdings:
    - {symbol: "360750", quantity: 250, average_cost: 16200, price: 24350}
    - {symbol: QQQ, quantity: 10, average_cost: 400, price: 628.35}
  cash: {KRW: 1500000, USD: 320.50}
  targets:
    - {ticker: "360750", weight: 0.5}
    - {ticker: QQQ, weight: 0.4}
fx: {USDKRW: 1391.5}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


def planned(path: Path, capsys: pytest.CaptureFixture[str], flow: int = 1_000_000) -> Path:
    capsys.readouterr()
    assert main(["plan", str(path), "--offline", "--json", "--cash-flow", str(flow)]) == 0
    plan = path.with_name("my.plan.json")
    plan.write_text(capsys.readouterr().out, encoding="utf-8")
    return plan


def agrees(path: Path) -> bool:
    return differences(read_ledger(path).books("KRW"), rebalancer.load(path)) == ()


def test_a_recording_begins_the_ledger_and_agrees_with_the_file(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(mine, capsys)
    assert main(["record", str(mine)]) == 0
    kinds = [entry.kind for entry in read_ledger(mine).entries]
    assert {"opening", "snapshot", "deposit", "buy"} <= set(kinds)
    assert agrees(mine)


def test_the_first_lines_of_a_ledger_never_change(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(mine, capsys)
    assert main(["record", str(mine)]) == 0
    first = ledger_file(mine).read_bytes()
    planned(mine, capsys, 500_000)
    assert main(["record", str(mine)]) == 0
    assert main(["record", str(mine), "--undo"]) == 0
    assert ledger_file(mine).read_bytes().startswith(first)
    assert agrees(mine)


def test_what_was_changed_by_hand_is_asked_about(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(mine, capsys)
    assert main(["record", str(mine)]) == 0
    text = mine.read_text(encoding="utf-8")
    mine.write_text(text.replace("symbol: QQQ, quantity: ", "symbol: QQQ, quantity: 1"), encoding="utf-8")
    before = mine.read_bytes()
    planned(mine, capsys)
    assert main(["record", str(mine), "--lang", "en"]) == 2
    assert "record --correct" in capsys.readouterr().err
    assert mine.read_bytes() == before
    assert main(["record", str(mine), "--correct"]) == 0
    assert agrees(mine)
    assert main(["record", str(mine)]) == 0
    assert agrees(mine)


def test_the_year_s_gains_are_known_to_the_next_plan(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = mine.read_text(encoding="utf-8").replace("average_cost: 400", "average_cost: 400, cost_fx: 1300")
    mine.write_text(text, encoding="utf-8")
    planned(mine, capsys)
    assert main(["record", str(mine), "--date", "2026-11-21"]) == 0
    (gain,) = read_ledger(mine).books("KRW").gains
    assert gain.average_base is not None
    assert gain.average_base > 0
    from rebalancer.ledgers import with_year

    known = with_year(rebalancer.load(mine), mine, gain.date).settings.realised["overseas"]
    assert known == gain.average_base


def test_performance_of_what_was_recorded(mine: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["performance", str(mine), "--offline"]) == 3
    planned(mine, capsys)
    assert main(["record", str(mine)]) == 0
    capsys.readouterr()
    assert main(["performance", str(mine), "--offline", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    plan = json.loads((tmp_path / "my.plan.json").read_text(encoding="utf-8"))
    costs = sum(
        Decimal(str(one["cost"])) * Decimal(str(1 if one["currency"] == "KRW" else 1391.5)) for one in plan["trades"]
    )
    assert told["totals"]["costs"] == pytest.approx(float(costs))
    assert told["paid_in"] == pytest.approx(plan["total_value"])
    for lang in ("en", "ko"):
        assert main(["performance", str(mine), "--offline", "--lang", lang, "-o", str(tmp_path / f"{lang}.xlsx")]) == 0


class Killed(BaseException):
    """The process ends here."""


def _killing(monkeypatch: pytest.MonkeyPatch, after: int) -> Callable[[], int]:
    """Let the process die at the n-th thing it does to a file; return how many it has done."""
    done = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **more: Any) -> Any:
            nonlocal done
            done += 1
            if done == after:
                raise Killed
            return real(*args, **more)

        return act

    for name in ("write_bytes", "replace", "unlink", "open", "rename"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))
    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    return lambda: done


@pytest.mark.slow
def test_a_process_killed_at_any_step_leaves_all_or_nothing(
    mine: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    planned(mine, capsys)
    before = mine.read_bytes()
    reached = 0
    for step in range(1, 60):
        for path in tmp_path.iterdir():
            if path.name not in ("my.yaml", "my.plan.json"):
                path.unlink()
        mine.write_bytes(before)
        with pytest.MonkeyPatch.context() as patch:
            count = _killing(patch, step)
            try:
                ended = main(["record", str(mine)])
            except Killed:
                ended = None
            reached = count()
        with recording(mine):
            finish(mine)
        if ended == 0:
            break
        recorded = mine.read_bytes() != before
        assert recorded == bool(read_ledger(mine).entries)
        assert not recorded or agrees(mine)
        assert not pending_file(mine).exists()
    assert reached > 5
    assert agrees(mine)


@pytest.mark.slow
def test_of_two_processes_at_once_one_records(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(mine, capsys)
    command = [sys.executable, "-c", "import sys; from xl_addin.cli import main; sys.exit(main(sys.argv[1:]))"]
    both = [
        subprocess.Popen([*command, "record", str(mine)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert sorted(one.wait() for one in both) == [0, 2]
    assert agrees(mine)
    assert sum(entry.kind == "deposit" for entry in read_ledger(mine).entries) == 1


def test_a_file_that_changed_meanwhile_is_not_written_over(mine: Path) -> None:
    raw = mine.read_bytes()
    mine.write_bytes(raw + b"# mine\n")
    with recording(mine), pytest.raises(rebalancer.InputError):
        commit(mine, raw, b"nothing", ())
    assert mine.read_bytes().endswith(b"# mine\n")


def _steps(path: Path, steps: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]) -> None:
    """Record, take back, change by hand and correct in any order; the ledger and the file agree after each booking."""
    for step, size in steps:
        if step == "record":
            planned(path, capsys, 200_000 + size * 10_000)
            main(["record", str(path), "--correct"]) if not agrees_or_new(path) else main(["record", str(path)])
        elif step == "undo":
            main(["record", str(path), "--undo"])
        elif step == "edit":
            portfolio = rebalancer.load(path)
            held = portfolio.holdings[0]
            text = path.read_text(encoding="utf-8").replace(
                f"quantity: {held.quantity}", f"quantity: {held.quantity + size}", 1
            )
            path.write_text(text, encoding="utf-8")
            continue
        else:
            main(["record", str(path), "--correct", "--plan", "/nowhere"])
            plan = path.with_name("my.plan.json")
            plan.unlink(missing_ok=True)
            assert main(["record", str(path), "--correct"]) == 0
        assert agrees_or_new(path) or step == "undo"


def agrees_or_new(path: Path) -> bool:
    return not read_ledger(path).entries or agrees(path)


moves = st.lists(st.tuples(st.sampled_from(["record", "undo", "edit", "correct"]), st.integers(1, 40)), max_size=5)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves)
def test_ledger_and_file_agree_after_any_sequence(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], steps: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("steps") / "my.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    _steps(path, steps, capsys)


@pytest.mark.soak
@settings(max_examples=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves)
def test_ledger_and_file_agree_after_thousands_of_sequences(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], steps: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("steps") / "my.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    _steps(path, steps, capsys)


def test_a_last_line_that_a_person_did_not_end_stays(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", str(mine), "--correct"]) == 0
    ledger = ledger_file(mine)
    by_hand = b"1,hand,,2026-01-02,snapshot,,QQQ,1,600,USD"
    ledger.write_bytes(ledger.read_bytes() + by_hand)
    assert any(one.id == "hand" for one in read_ledger(mine).entries)
    mine.write_text(mine.read_text(encoding="utf-8").replace("quantity: ", "quantity: 1"), encoding="utf-8")
    assert main(["record", str(mine), "--correct"]) == 0
    assert by_hand + b"\n" in ledger.read_bytes()
    assert [one.kind for one in read_ledger(mine).entries][-1] == "correction"


@pytest.mark.parametrize("begun", [False, True])
def test_a_recording_that_a_full_disk_ends_is_not_done_later(
    mine: Path, monkeypatch: pytest.MonkeyPatch, *, begun: bool
) -> None:
    if begun:
        assert main(["record", str(mine), "--deposit", "5"]) == 0
    before, listed = mine.read_bytes(), ledger_file(mine).read_bytes() if begun else None
    real = write_whole

    def full(path: Path, data: bytes) -> None:
        if path == mine:
            raise InputError([error("output-not-written", str(path), reason="No space left on device")])
        real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr("rebalancer.ledgers.write_whole", full)
        assert main(["record", str(mine), "--deposit", "7"]) == 2
    assert mine.read_bytes() == before
    assert (ledger_file(mine).read_bytes() if ledger_file(mine).exists() else None) == listed
    assert main(["record", str(mine), "--deposit", "7"]) == 0
    assert [one.amount for one in read_ledger(mine).entries if one.kind == "deposit"] == [5, 7][not begun :]


def test_without_a_day_s_rate_the_file_s_own_counts(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger_file(mine).write_text("id,date,kind,currency,amount\na,2026-01-02,deposit,USD,10\n", encoding="utf-8")
    assert main(["performance", str(mine), "--offline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == 13915


def test_two_portfolios_of_one_name_are_told_that_they_share_a_ledger(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = mine.with_suffix(".yml")
    other.write_text(DOCUMENT.replace("quantity: 250", "quantity: 251"), encoding="utf-8")
    mine.with_name("my.prices.csv").touch()
    assert main(["record", str(mine), "--correct"]) == 0
    capsys.readouterr()
    assert main(["record", str(other), "--deposit", "5"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "my.yml and my.yaml have one name, and so one ledger" in told
    assert main(["performance", str(mine), "--offline"]) == 0
    assert "have one name" not in capsys.readouterr().out  # it is this one's


def test_a_price_of_before_a_split_is_told(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", str(mine), "--correct"]) == 0
    capsys.readouterr()
    assert main(["record", str(mine), "--split", "QQQ=2"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "the price written for it, 628.35" in told
    assert "would be 314.18" in told
    assert "360750" not in told
