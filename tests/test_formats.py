"""Versions of the portfolio file: older ones are told what changed, newer ones refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import rebalancer
from engine import formats
from rebalancer.saving import save

BODY = "portfolio: {base_currency: USD, cash: {USD: 900}, targets: [{ticker: QQQ, weight: 1}]}\n"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return tmp_path / "my.yaml"


def codes(path: Path) -> list[str]:
    return [note.code for note in rebalancer.load(path).notes]


@pytest.mark.parametrize("first", ["", "format: 2\n"])
def test_a_file_of_today_s_format_is_read_without_a_word(mine: Path, first: str) -> None:
    mine.write_text(first + BODY, encoding="utf-8")
    assert codes(mine) == []


def test_an_older_format_is_told_once_what_means_something_else(mine: Path) -> None:
    mine.write_text("format: 1\n" + BODY, encoding="utf-8")
    assert codes(mine) == ["format-older"]
    assert rebalancer.load(mine).settings.trigger == "due"
    mine.write_text("format: 1\n" + BODY + "settings: {trigger: always}\n", encoding="utf-8")
    assert codes(mine) == []


def test_a_newer_format_is_refused_with_a_word(mine: Path) -> None:
    mine.write_text(f"format: {formats.PORTFOLIO + 1}\n" + BODY + "future: 1\n", encoding="utf-8")
    with pytest.raises(rebalancer.InputError) as refused:
        rebalancer.load(mine)
    assert "format-newer" in [problem.code for problem in refused.value.problems]


def test_what_is_written_carries_the_format(mine: Path) -> None:
    portfolio = rebalancer.load({"portfolio": {"base_currency": "USD", "cash": {"USD": 1}}})
    save(portfolio, mine)
    assert mine.read_text(encoding="utf-8").startswith(f"format: {formats.PORTFOLIO}\n")
    mine.write_text("# mine\nformat: 1\n" + BODY, encoding="utf-8")
    save(rebalancer.load(mine), mine)
    assert mine.read_text(encoding="utf-8").startswith(f"# mine\nformat: {formats.PORTFOLIO}\n")
    assert codes(mine) == []
