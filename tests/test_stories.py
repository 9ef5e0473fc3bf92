"""Stories of people, acted out: what they type, and what they must not meet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rebalancer.loading import load
from xl_addin.cli import main

PRACTICE = Path(__file__).parent.parent / "docs" / "practice"
HANGUL = re.compile(r"[\uac00-\ud7a3]")


def test_an_american_gets_from_a_schwab_file_to_a_plan_in_two_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    mine = str(tmp_path / "mine.yaml")
    assert main(["import", str(PRACTICE / "schwab.csv"), "-o", mine, "--model", "three-fund"]) == 0
    # The export has a price of everything: no network is asked.
    assert main(["plan", mine, "--offline", "--as-of", "2026-11-20", "--verbose"]) == 0
    said = "".join(capsys.readouterr()) + Path(mine).read_text(encoding="utf-8")
    assert "Rebalance: sell $" in said
    for korean in ("₩", "KRW", "Korea", "0.0025", "0.25%", "15.4", "22%", "won"):
        assert korean not in said, korean
    assert not HANGUL.search(said)
    assert load(mine).residence == "US"


def test_her_retirement_accounts_are_what_their_names_say(tmp_path: Path) -> None:
    stacked = Path(__file__).parent / "import_files" / "schwab-stacked.csv"
    assert main(["import", str(stacked), "-o", str(tmp_path / "m.yaml"), "--model", "three-fund"]) == 0
    assert {one.type for one in load(tmp_path / "m.yaml").accounts} == {"taxable", "roth"}


def test_a_workbook_of_hers_takes_next_months_export_and_keeps_her_sheets(tmp_path: Path) -> None:
    book, after = str(tmp_path / "mine.xlsx"), str(tmp_path / "next.xlsx")
    assert main(["import", str(PRACTICE / "schwab.csv"), "-o", book, "--model", "three-fund"]) == 0
    later = (
        (PRACTICE / "schwab.csv").read_text(encoding="utf-8").replace('"60"', '"61"').replace("$2,500.00", "$2,158.80")
    )
    (tmp_path / "later.csv").write_text(later, encoding="utf-8")
    assert main(["import", str(tmp_path / "later.csv"), "--into", book, "-o", after]) == 0
    read = load(after)
    assert {one.symbol: int(one.quantity) for one in read.holdings}["VTI"] == 61
    assert float(read.accounts[0].cash["USD"]) == 2158.80
    assert read.sections == load(book).sections
