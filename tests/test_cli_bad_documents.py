"""Every malformed document, through the command: a list of problems, status 2, no traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xl_addin.cli import main

DOCUMENTS = sorted((Path(__file__).parent / "bad_documents").glob("*.yaml"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_malformed_document_ends_in_its_problems(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(path), "--offline", "--json"]) == 2
    out, err = capsys.readouterr()
    problems = json.loads(out)["problems"]
    assert any(problem["severity"] == "error" for problem in problems)
    assert all(problem["where"] and problem["message"] and problem["code"] for problem in problems)
    assert "Traceback" not in out + err


def test_a_ten_megabyte_file_is_refused_for_its_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bomb = tmp_path / "bomb.yaml"
    bomb.write_text("portfolio: {name: " + "a" * 10_000_000 + "}")
    assert main(["plan", str(bomb), "--offline", "--json"]) == 2
    assert len(capsys.readouterr().out) < 2000
