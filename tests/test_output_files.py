"""Files are written whole or not at all, and never over a person's own without being asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from rebalancer.files import free_name, output_problems, write_whole


def test_an_existing_file_is_refused_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_text("mine")
    assert [problem.code for problem in output_problems(path, ".xlsx", force=False)] == ["output-exists"]
    assert output_problems(path, ".xlsx", force=True) == ()


def test_every_fault_of_an_output_path_is_listed(tmp_path: Path) -> None:
    problems = output_problems(tmp_path / "none" / "plan.csv", ".xlsx", force=False)
    assert [problem.code for problem in problems] == ["output-suffix", "output-folder"]


def test_free_names_count_up(tmp_path: Path) -> None:
    (tmp_path / "plan.xlsx").touch()
    (tmp_path / "plan-2.xlsx").touch()
    assert free_name(tmp_path, "plan", ".xlsx").name == "plan-3.xlsx"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_text("mine")

    def half(temporary: Path, data: bytes) -> int:
        with temporary.open("wb") as file:
            file.write(data[:2])
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", half)
        with pytest.raises(InputError, match="Permission denied"):
            write_whole(path, b"half")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]
