"""Restore points: what stood in the cells before each of the last buttons, in a file of the user's, for Undo."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.errors import InputError, Problem
from templates.cells import letters
from xl_addin.buttons.location import identity

Area = tuple[str, int, int, int, int]
#: A formula of ours spills: only its first cell is put back, the rest follows from it.
_SPILLING = ("=REBAL_", "=TRANSPOSE(REBAL_")
#: So many buttons can be taken back, the last one first.
DEPTH = 10
_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold what stood in one area, and what the button wrote over it: formulas, or constants as Excel writes them.

    `wrote` is None where the button did not come to its end.
    """

    sheet: str
    row: int
    column: int
    cells: list[list[Any]]
    wrote: list[list[Any]] | None = None

    @property
    def area(self) -> Area:
        """Return the area: its sheet, its first cell, its size."""
        return self.sheet, self.row, self.column, len(self.cells), len(self.cells[0])

    def changed_since(self, book: Any) -> list[str]:  # noqa: ANN401 - an xlwings Book
        """Return the cells that a person has changed since; what a function of ours fills is not a person's."""
        now = _contents(book, self.area)
        if self.wrote is None or str(now[0][0]).startswith(_SPILLING):
            return []
        return [
            f"{self.sheet}!{letters(self.column + x)}{self.row + y}"
            for y, row in enumerate(now)
            for x, value in enumerate(row)
            if _plain(value) not in (_plain(self.wrote[y][x]), _plain(self.cells[y][x])) and not _computed(value)
        ]

    def put_back(self, book: Any) -> None:  # noqa: ANN401
        """Put the area back as it was."""
        area, first = _range(book, self.area), self.cells[0][0]
        if isinstance(first, str) and first.startswith(_SPILLING):
            area.clear_contents()
            _range(book, (self.sheet, self.row, self.column, 1, 1)).formula2 = first
        else:
            area.formula = [list(row) for row in self.cells]


@dataclass(frozen=True, slots=True)
class Point:
    """Hold the contents of every area that a button is about to change, or has changed."""

    what: str
    kept: tuple[Kept, ...]

    def after(self, book: Any) -> Point:  # noqa: ANN401
        """Return the point with what stands there now, as what the button wrote."""
        return replace(self, kept=tuple(replace(kept, wrote=_contents(book, kept.area)) for kept in self.kept))

    @property
    def idle(self) -> bool:
        """Tell whether the button changed nothing."""
        return all(kept.wrote == kept.cells for kept in self.kept)

    def check(self, book: Any) -> None:  # noqa: ANN401
        """Raise InputError with the cells that a person has changed since the button wrote them."""
        changed = list(dict.fromkeys(cell for kept in self.kept for cell in kept.changed_since(book)))
        if changed:
            more = len(changed) - _NAMED_AT_MOST
            cells = ", ".join(changed[:_NAMED_AT_MOST]) + (f", … (+{more})" if more > 0 else "")
            message = f"changed by hand since ({cells}): undoing would lose that; put those cells back first"
            ko = f"그 뒤에 직접 바꾼 셀이 있습니다({cells}): 되돌리면 사라지므로 그 셀부터 원래대로 바꾸세요"
            raise InputError([Problem("error", "changed-since", book.name, message, ko)])

    def put_back(self, book: Any) -> None:  # noqa: ANN401
        """Put every area back as it was."""
        for kept in self.kept:
            kept.put_back(book)


def take(book: Any, areas: Iterable[Area], what: str) -> Point:  # noqa: ANN401
    """Return the restore point of some areas."""
    return Point(what, tuple(Kept(*area[:3], _contents(book, area)) for area in areas))


def push(book: Any, point: Point) -> None:  # noqa: ANN401
    """Keep a point as the workbook's last, before its button writes."""
    _save(book, [*points(book), point])


def settle(book: Any, point: Point) -> None:  # noqa: ANN401
    """Add what the button wrote to its point; a button that changed nothing leaves none, the oldest beyond ten goes."""
    done = point.after(book)
    before = points(book)[:-1]
    _save(book, before if done.idle else [*before, done][-DEPTH:])


def last(book: Any) -> Point:  # noqa: ANN401
    """Return the last restore point of a workbook; raises InputError where there is none."""
    kept = points(book)
    if not kept:
        message = "nothing to undo: no button has changed this workbook since"
        ko = "되돌릴 것이 없습니다: 그 뒤로 이 통합 문서를 바꾼 단추가 없습니다"
        raise InputError([Problem("error", "no-restore-point", book.name, message, ko)])
    return kept[-1]


def drop(book: Any) -> None:  # noqa: ANN401
    """Forget the workbook's last restore point."""
    _save(book, points(book)[:-1])


def place(book: Any) -> Path:  # noqa: ANN401
    """Return where a workbook's restore points are kept: in the user's own folder, by what tells it from others."""
    import platformdirs

    folder = os.environ.get("REBALANCER_STATE_DIR") or platformdirs.user_state_dir("rebalancer", appauthor=False)
    return Path(folder) / "restore" / f"{sha256(identity(book).encode()).hexdigest()[:20]}.json"


def points(book: Any) -> list[Point]:  # noqa: ANN401
    """Return the workbook's restore points, the last one last; none where their file cannot be read."""
    try:
        data = json.loads(place(book).read_text(encoding="utf-8"))
        return [Point(point["what"], tuple(Kept(**kept) for kept in point["kept"])) for point in data["points"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _save(book: Any, kept: list[Point]) -> None:  # noqa: ANN401
    """Write the points to the workbook's file, whole or not at all."""
    path = place(book)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    text = json.dumps({"points": [asdict(point) for point in kept]}, ensure_ascii=False, default=str)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _contents(book: Any, area: Area) -> list[list[Any]]:  # noqa: ANN401
    found, (*_, rows, columns) = _range(book, area).formula, area
    return [[found]] if rows == columns == 1 else _rows(found, rows)


def _computed(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and value.startswith("=") and "REBAL_" in value


def _plain(value: Any) -> str:  # noqa: ANN401
    """Return a content so that equal ones are equal, whether Excel gave them as numbers or as text."""
    text = "" if value is None else str(value)
    return text.removesuffix(".0")


def _range(book: Any, area: Area) -> Any:  # noqa: ANN401
    sheet, row, column, rows, columns = area
    return book.sheets[sheet].range((row, column), (row + rows - 1, column + columns - 1))


def _rows(found: Any, rows: int) -> list[list[Any]]:  # noqa: ANN401
    """Return Excel's answer as rows: it gives a flat tuple for one row or one column."""
    listed = list(found)
    if listed and isinstance(listed[0], list | tuple):
        return [list(row) for row in listed]
    return [listed] if rows == 1 else [[value] for value in listed]
