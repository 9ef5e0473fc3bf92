"""Restore points: what stood in the cells before a button changed them, in a file of the user's, for Undo."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.errors import InputError, Problem

Area = tuple[str, int, int, int, int]
#: A formula of ours spills: only its first cell is put back, the rest follows from it.
_SPILLING = ("=REBAL_", "=TRANSPOSE(REBAL_")


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold the contents of one area: formulas, or constants as Excel writes them."""

    sheet: str
    row: int
    column: int
    cells: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Point:
    """Hold the contents of every area that a button is about to change."""

    what: str
    kept: tuple[Kept, ...]

    def save(self, book: Any) -> None:  # noqa: ANN401 - an xlwings Book
        """Write the point to the workbook's file, whole or not at all."""
        path = place(book)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(asdict(self), ensure_ascii=False, default=str), encoding="utf-8")
        temporary.replace(path)

    def put_back(self, book: Any) -> None:  # noqa: ANN401
        """Put every area back as it was."""
        for kept in self.kept:
            area = _range(book, (kept.sheet, kept.row, kept.column, len(kept.cells), len(kept.cells[0])))
            first = kept.cells[0][0]
            if isinstance(first, str) and first.startswith(_SPILLING):
                area.clear_contents()
                _range(book, (kept.sheet, kept.row, kept.column, 1, 1)).formula2 = first
            else:
                area.formula = [list(row) for row in kept.cells]


def take(book: Any, areas: Iterable[Area], what: str) -> Point:  # noqa: ANN401
    """Return the restore point of some areas."""
    kept = []
    for area in areas:
        sheet, row, column, rows, columns = area
        found = _range(book, area).formula
        cells = [[found]] if rows == columns == 1 else _rows(found, rows)
        kept.append(Kept(sheet, row, column, cells))
    return Point(what, tuple(kept))


def last(book: Any) -> Point:  # noqa: ANN401
    """Return the last restore point of a workbook; raises InputError where there is none."""
    path = place(book)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Point(data["what"], tuple(Kept(**kept) for kept in data["kept"]))
    except (OSError, ValueError, KeyError, TypeError):
        message = "nothing to undo: no button has changed this workbook since"
        ko = "되돌릴 것이 없습니다: 그 뒤로 이 통합 문서를 바꾼 단추가 없습니다"
        raise InputError([Problem("error", "no-restore-point", book.name, message, ko)]) from None


def drop(book: Any) -> None:  # noqa: ANN401
    """Forget the workbook's restore point."""
    place(book).unlink(missing_ok=True)


def place(book: Any) -> Path:  # noqa: ANN401
    """Return where a workbook's restore point is kept: in the user's own folder, by the workbook's full name."""
    import platformdirs

    folder = os.environ.get("REBALANCER_STATE_DIR") or platformdirs.user_state_dir("rebalancer", appauthor=False)
    return Path(folder) / "restore" / f"{sha256(str(book.fullname).encode()).hexdigest()[:20]}.json"


def _range(book: Any, area: Area) -> Any:  # noqa: ANN401
    sheet, row, column, rows, columns = area
    return book.sheets[sheet].range((row, column), (row + rows - 1, column + columns - 1))


def _rows(found: Any, rows: int) -> list[list[Any]]:  # noqa: ANN401
    """Return Excel's answer as rows: it gives a flat tuple for one row or one column."""
    listed = list(found)
    if listed and isinstance(listed[0], list | tuple):
        return [list(row) for row in listed]
    return [listed] if rows == 1 else [[value] for value in listed]
