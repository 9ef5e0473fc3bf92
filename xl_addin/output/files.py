"""Files written whole or not at all, and never over a person's own without being asked."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from engine.errors import InputError, Problem


def output_problems(path: Path, suffix: str, *, force: bool) -> tuple[Problem, ...]:
    """Return why a result cannot be written to the path: wrong suffix, no such folder, or a file that is there."""
    found = []
    if path.suffix.lower() != suffix:
        found.append(
            Problem(
                "error",
                "output-suffix",
                str(path),
                f"the result is a workbook: end its name in {suffix}",
                f"결과는 통합 문서입니다: 파일 이름에 {suffix} 확장자를 붙이세요",
            )
        )
    if not path.parent.is_dir():
        message, ko = "no such folder: make it, or name another", "폴더가 없습니다: 만들거나 다른 폴더를 쓰세요"
        found.append(Problem("error", "output-folder", str(path.parent), message, ko))
    if path.is_dir():
        message, ko = "this is a folder: name a file in it", "폴더입니다: 그 안의 파일 이름을 적으세요"
        found.append(Problem("error", "output-is-folder", str(path), message, ko))
    elif path.exists() and not force:
        message = "this file exists: name another, or say --force to replace it"
        ko = "이미 있는 파일입니다: 다른 이름을 쓰거나 --force로 바꾸세요"
        found.append(Problem("error", "output-exists", str(path), message, ko))
    return tuple(found)


def free_name(folder: Path, stem: str, suffix: str) -> Path:
    """Return the first of stem, stem-2, stem-3, … that does not exist in the folder."""
    path, number = folder / f"{stem}{suffix}", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}{suffix}", number + 1
    return path


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file in the same folder, then put it in place in one step.

    Raises InputError where the folder cannot be written to or the file is open elsewhere.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"cannot be written ({reason}): close it where it is open, or name another place"
        ko = f"쓸 수 없습니다({reason}): 열려 있으면 닫거나 다른 곳에 쓰세요"
        raise InputError([Problem("error", "output-not-written", str(path), message, ko)]) from error
    finally:
        temporary.unlink(missing_ok=True)
