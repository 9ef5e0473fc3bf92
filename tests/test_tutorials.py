"""The tutorials are true: every command of theirs runs in order, and prints what they show."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from xl_addin.cli import main

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"```(console|text)\n(.*?)```", re.DOTALL)


FIRST = {"my.xlsx", "november.xlsx", "orders.csv", "my.ics"}
HOUSEHOLD = {"orders.csv", "household.xlsx"}


@pytest.mark.parametrize(
    ("page", "lang", "commands", "made"),
    [
        pytest.param("tutorial.md", "en_US.UTF-8", 11, FIRST, marks=pytest.mark.slow),
        ("tutorial.ko.md", "ko_KR.UTF-8", 11, FIRST),
        ("household.md", "en_US.UTF-8", 7, HOUSEHOLD),
        pytest.param("household.ko.md", "ko_KR.UTF-8", 7, HOUSEHOLD, marks=pytest.mark.slow),
    ],
)
def test_every_command_of_the_tutorial_runs_and_prints_what_it_shows(
    page: str,
    lang: str,
    commands: int,
    made: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(DOCS / "practice", tmp_path / "practice")
    monkeypatch.chdir(tmp_path / "practice")
    monkeypatch.setenv("LC_ALL", lang)
    printed, ran = "", 0
    for kind, text in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        if kind == "text":
            missing = [line for line in text.splitlines() if " ".join(line.split()) not in printed]
            assert not missing, printed
            continue
        printed = ""
        for line in text.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "rebalancer"
            assert main(arguments) == 0, (line, capsys.readouterr().err)
            printed += " ".join(capsys.readouterr().out.split())
            ran += 1
    assert ran >= commands
    assert made <= {path.name for path in Path().iterdir()}
