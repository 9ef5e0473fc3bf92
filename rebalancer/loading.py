"""Portfolio files of every kind, told apart by their suffix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from engine.errors import Problem
from engine.portfolio import Portfolio

Loaded = tuple[Portfolio | None, tuple[Problem, ...]]


def load_portfolio(path: Path) -> Loaded:
    """Read a portfolio file: the portfolio (None where it cannot be used) and every problem found in it."""
    reader = _read_workbook if path.is_dir() else READERS.get(path.suffix.lower())
    if reader is None:
        kinds = f"{', '.join(READERS)}, or is a folder of .csv files"
        message = f"a portfolio file ends in one of {kinds}, not in {path.suffix or 'nothing'!r}: name one that does"
        ko = f"포트폴리오 파일이 아닙니다: {', '.join(READERS)} 파일이나 .csv 파일 폴더를 쓰세요"
        return None, (Problem("error", "file-kind", str(path), message, ko),)
    return reader(path)


def is_workbook(path: Path) -> bool:
    """Tell whether a portfolio file is a workbook, or a folder of its sheets."""
    return path.is_dir() or READERS.get(path.suffix.lower()) is _read_workbook


def _read_document(path: Path) -> Loaded:
    from engine.data import read_portfolio

    return read_portfolio(path)


def _read_workbook(path: Path) -> Loaded:
    from templates.read.book import read_portfolio_book

    return read_portfolio_book(path)


#: suffix: reader
READERS: Mapping[str, Callable[[Path], Loaded]] = {
    ".yaml": _read_document,
    ".yml": _read_document,
    ".xlsx": _read_workbook,
    ".xlsm": _read_workbook,
    ".ods": _read_workbook,
}
