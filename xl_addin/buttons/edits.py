"""Changes of cells: worked out first, then made all or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import Problem, RebalancerError
from xl_addin.buttons import restore
from xl_addin.functions import journal

#: What a cell takes: a text that begins with = is a formula.
Content = str | bool | int | float | Any
Block = tuple[tuple[Content, ...], ...]


class HalfWritten(RebalancerError):
    """Report that a button failed and that what stood there before could not be put back either."""

    def __init__(self, what: str, name: str) -> None:
        message = f"{what} failed, and the sheets could not be put back: they may be half written; press Undo"
        ko = (
            f"{what} 실행에 실패했고 시트를 원래대로 돌려놓지도 못했습니다: 일부만 바뀌었을 수 있으니 "
            "[되돌리기]를 누르세요"
        )
        self.problems = (Problem("error", "half-written", name, message, ko),)
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Edit:
    """Put a block of contents on a sheet, from a cell on (1-based row and column)."""

    sheet: str
    row: int
    column: int
    cells: Block

    @property
    def size(self) -> tuple[int, int]:
        """Return the number of rows and of columns."""
        return len(self.cells), len(self.cells[0])


def apply(book: Any, edits: Iterable[Edit], what: str) -> None:  # noqa: ANN401 - an xlwings Book
    """Make the changes after saving a restore point; where one fails, all are taken back and the failure is raised.

    Where nothing is changed, no restore point is left. Raises HalfWritten where taking back fails too: the restore
    point then stays, for Undo.
    """
    wanted = [edit for edit in edits if edit.cells and edit.cells[0]]
    if not wanted:
        return
    point = restore.take(book, [(edit.sheet, edit.row, edit.column, *edit.size) for edit in wanted], what)
    restore.push(book, point)
    try:
        for edit in wanted:
            _write(book, edit)
        restore.settle(book, point)
    except BaseException as failure:
        try:
            point.put_back(book)
        except Exception as again:  # noqa: BLE001 - whatever it is, the person must know how the sheets stand
            journal.unexpected(what, failure)
            journal.unexpected(what, again)
            raise HalfWritten(what, book.name) from failure
        restore.drop(book)
        raise


def _write(book: Any, edit: Edit) -> None:  # noqa: ANN401
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
