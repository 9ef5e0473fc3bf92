"""Changes of cells: worked out first, then made all or none, and taken back by Undo.

What stood in the cells before each of the last buttons is a restore point, kept in a file of the user's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.errors import InputError, RebalancerError, error
from rebalancer.files import state_folder, write_whole
from templates.cells import letters
from xl_addin.functions import journal

#: An xlwings Book.
Book = Any
#: What a cell takes: a text that begins with = is a formula.
Content = str | bool | int | float | Any
Block = tuple[tuple[Content, ...], ...]
Area = tuple[str, int, int, int, int]
#: A formula of ours spills: only its first cell is put back, the rest follows from it.
_SPILLING = ("=REBAL_", "=TRANSPOSE(REBAL_")
#: So many buttons can be taken back, the last one first.
DEPTH = 10
_NAMED_AT_MOST = 5


class HalfWritten(RebalancerError):
    """A failure of a button after which what stood there before could not be put back either."""

    def __init__(self, what: str, name: str) -> None:
        self.problems = (error("half-written", name, what=what),)
        super().__init__(str(self.problems[0].message))


@dataclass(frozen=True, slots=True)
class Edit:
    """A block of contents for a sheet, from a cell on (1-based row and column)."""

    sheet: str
    row: int
    column: int
    cells: Block

    @property
    def size(self) -> tuple[int, int]:
        """Return the number of rows and of columns."""
        return len(self.cells), len(self.cells[0])


def apply(book: Book, edits: Iterable[Edit], what: str) -> None:
    """Make the changes after saving a restore point; where one fails, all are taken back and the failure is raised.

    Where nothing is changed, no restore point is left. Raises HalfWritten where taking back fails too: the restore
    point then stays, for Undo.
    """
    wanted = [edit for edit in edits if edit.cells and edit.cells[0]]
    if not wanted:
        return
    point = take(book, [(edit.sheet, edit.row, edit.column, *edit.size) for edit in wanted], what)
    push(book, point)
    try:
        for edit in wanted:
            _write(book, edit)
        settle(book, point)
    except BaseException as failure:
        try:
            point.put_back(book)
        except Exception as again:  # noqa: BLE001 - whatever it is, the person must know how the sheets stand
            journal.unexpected(what, failure)
            journal.unexpected(what, again)
            raise HalfWritten(what, book.name) from failure
        drop(book)
        raise


def write(book: Book, edits: Sequence[Edit], then: Callable[[Book], None]) -> None:
    """Make changes that no restore point takes back, then do the rest; where that fails, they are emptied again."""
    for edit in edits:
        _write(book, edit)
    try:
        then(book)
    except BaseException:
        for edit in edits:
            _write(book, replace(edit, cells=tuple((None,) * len(row) for row in edit.cells)))
        raise


def _write(book: Book, edit: Edit) -> None:
    rows, columns = edit.size
    area = book.sheets[edit.sheet].range((edit.row, edit.column), (edit.row + rows - 1, edit.column + columns - 1))
    area.value = [list(row) for row in edit.cells]


def columns_of(rows: Sequence[Sequence[Content]], at: Sequence[int], sheet: str, first: int) -> list[Edit]:
    """Return the edits that write rows into sheet columns, one edit per run of neighbouring columns."""
    runs: list[list[int]] = []
    for index, column in enumerate(at):
        if runs and column == at[runs[-1][-1]] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    if not rows:
        return []
    return [Edit(sheet, first, at[run[0]], tuple(tuple(row[i] for i in run) for row in rows)) for run in runs]


@dataclass(frozen=True, slots=True)
class Kept:
    """What stood in one area, and what the button wrote over it: formulas, or constants as Excel writes them.

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

    def changed_since(self, book: Book) -> list[str]:
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

    def put_back(self, book: Book) -> None:
        """Put the area back as it was."""
        area, first = _range(book, self.area), self.cells[0][0]
        if isinstance(first, str) and first.startswith(_SPILLING):
            area.clear_contents()
            _range(book, (self.sheet, self.row, self.column, 1, 1)).formula2 = first
        else:
            area.formula = [list(row) for row in self.cells]


@dataclass(frozen=True, slots=True)
class Point:
    """The contents of every area that a button is about to change, or has changed."""

    what: str
    kept: tuple[Kept, ...]

    def after(self, book: Book) -> Point:
        """Return the point with what stands there now, as what the button wrote."""
        return replace(self, kept=tuple(replace(kept, wrote=_contents(book, kept.area)) for kept in self.kept))

    @property
    def idle(self) -> bool:
        """Tell whether the button changed nothing."""
        return all(kept.wrote == kept.cells for kept in self.kept)

    def check(self, book: Book) -> None:
        """Raise InputError with the cells that a person has changed since the button wrote them."""
        changed = list(dict.fromkeys(cell for kept in self.kept for cell in kept.changed_since(book)))
        if changed:
            more = len(changed) - _NAMED_AT_MOST
            told = "changed-since.more" if more > 0 else "changed-since"
            raise InputError([error(told, book.name, cells=changed[:_NAMED_AT_MOST], more=more)])

    def put_back(self, book: Book) -> None:
        """Put every area back as it was."""
        for kept in self.kept:
            kept.put_back(book)


def take(book: Book, areas: Iterable[Area], what: str) -> Point:
    """Return the restore point of some areas."""
    return Point(what, tuple(Kept(*area[:3], _contents(book, area)) for area in areas))


def push(book: Book, point: Point) -> None:
    """Keep a point as the workbook's last, before its button writes."""
    _save(book, [*points(book), point])


def settle(book: Book, point: Point) -> None:
    """Add what the button wrote to its point; a button that changed nothing leaves none, the oldest beyond ten goes."""
    done = point.after(book)
    before = points(book)[:-1]
    _save(book, before if done.idle else [*before, done][-DEPTH:])


def last(book: Book) -> Point:
    """Return the last restore point of a workbook; raises InputError where there is none."""
    kept = points(book)
    if not kept:
        raise InputError([error("no-restore-point", book.name)])
    return kept[-1]


def drop(book: Book) -> None:
    """Forget the workbook's last restore point."""
    _save(book, points(book)[:-1])


def place(book: Book) -> Path:
    """Return where a workbook's restore points are kept: in the user's own folder, by what tells it from others."""
    return state_folder() / "restore" / f"{sha256(identity(book).encode()).hexdigest()[:20]}.json"


def points(book: Book) -> list[Point]:
    """Return the workbook's restore points, the last one last; none where their file cannot be read."""
    try:
        data = json.loads(place(book).read_text(encoding="utf-8"))
        return [Point(point["what"], tuple(Kept(**kept) for kept in point["kept"])) for point in data["points"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _save(book: Book, kept: list[Point]) -> None:
    """Write the points to the workbook's file, whole or not at all."""
    path = place(book)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"points": [asdict(point) for point in kept]}, ensure_ascii=False, default=str)
    write_whole(path, text.encode())


def _contents(book: Book, area: Area) -> list[list[Any]]:
    found, (*_, rows, columns) = _range(book, area).formula, area
    return [[found]] if rows == columns == 1 else _rows(found, rows)


def _computed(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and value.startswith("=") and "REBAL_" in value


def _plain(value: Any) -> str:  # noqa: ANN401
    """Return a content so that equal ones are equal, whether Excel gave them as numbers or as text."""
    text = "" if value is None else str(value)
    return text.removesuffix(".0")


def _range(book: Book, area: Area) -> Any:  # noqa: ANN401
    sheet, row, column, rows, columns = area
    return book.sheets[sheet].range((row, column), (row + rows - 1, column + columns - 1))


def _rows(found: Any, rows: int) -> list[list[Any]]:  # noqa: ANN401
    """Return Excel's answer as rows: it gives a flat tuple for one row or one column."""
    listed = list(found)
    if listed and isinstance(listed[0], list | tuple):
        return [list(row) for row in listed]
    return [listed] if rows == 1 else [[value] for value in listed]


def identity(book: Book) -> str:
    """Return what tells a workbook from others: its full name, or its name where no path is found."""
    return full_name(book) or str(book.name)


def full_name(book: Book) -> str | None:
    """Return a workbook's path; None where it is on OneDrive or SharePoint and not found on this computer."""
    from xlwings import XlwingsError

    try:
        return str(book.fullname)
    except (XlwingsError, UnboundLocalError):  # without any folder configured, xlwings fails over SharePoint
        return None
