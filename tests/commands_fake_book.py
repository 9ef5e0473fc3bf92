"""An xlwings Book without Excel: the cells of a workbook file, and a record of what is written."""

from __future__ import annotations

import datetime as dt
import io
import sys
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.utils import range_boundaries
from openpyxl.utils.datetime import to_excel

ERRORS = ("#N/A", "#VALUE!", "#NUM!", "#REF!", "#NAME?", "#DIV/0!", "#NULL!", "#SPILL!", "#CALC!")
Cells = dict[tuple[int, int], Any]


def as_formula(value: Any) -> Any:
    """Return a constant as Excel's Formula gives it: a date is its number."""
    return to_excel(value) if isinstance(value, dt.date) else value  # type: ignore[no-untyped-call]


@cache
def _loaded(data: bytes) -> tuple[Workbook, Workbook]:
    return load_workbook(io.BytesIO(data), data_only=True), load_workbook(io.BytesIO(data))


class FakeRange:
    """An area; `raw` is true where errors are read as they are, not as text."""

    def __init__(self, sheet: FakeSheet, first: tuple[int, int], last: tuple[int, int], *, raw: bool = True) -> None:
        self.sheet, self.first, self.last, self.raw = sheet, first, last, raw

    @property
    def row(self) -> int:
        return self.first[0]

    @property
    def column(self) -> int:
        return self.first[1]

    @property
    def last_cell(self) -> FakeRange:
        return FakeRange(self.sheet, self.last, self.last)

    def options(self, **given: object) -> FakeRange:
        as_text = given.pop("err_to_str", False)
        assert given == {"ndim": 2}
        if as_text and sys.platform != "win32":
            raise TypeError("'NoneType' object is not iterable")  # as xlwings does
        return FakeRange(self.sheet, self.first, self.last, raw=not as_text)

    def _read(self, cells: Cells) -> list[list[Any]]:
        (top, left), (bottom, right) = self.first, self.last
        return [[cells.get((row, column)) for column in range(left, right + 1)] for row in range(top, bottom + 1)]

    def _write(self, rows: Any) -> None:
        (top, left), (bottom, right) = self.first, self.last
        rows = rows if isinstance(rows, list) else [[rows]]
        assert len(rows) == bottom - top + 1
        assert all(len(row) == right - left + 1 for row in rows)
        self.sheet.book.before_write()
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                self.sheet.put(top + y, left + x, value)

    @property
    def value(self) -> list[list[Any]]:
        rows = self._read(self.sheet.values)
        return [[None if value in ERRORS else value for value in row] for row in rows] if self.raw else rows

    @value.setter
    def value(self, rows: Any) -> None:
        self._write(rows)

    @property
    def formula(self) -> Any:
        rows = [["" if value is None else value for value in row] for row in self._read(self.sheet.formulas)]
        return rows[0][0] if self.first == self.last else tuple(tuple(row) for row in rows)

    @formula.setter
    def formula(self, rows: Any) -> None:
        self._write(rows)

    @property
    def formula2(self) -> Any:
        return self.formula

    @formula2.setter
    def formula2(self, text: str) -> None:
        self._write(text)

    def clear_contents(self) -> None:
        rows, columns = self.last[0] - self.first[0] + 1, self.last[1] - self.first[1] + 1
        self._write([[None] * columns for _ in range(rows)])


class FakeSheet:
    def __init__(self, book: FakeBook, name: str, *, visible: bool) -> None:
        self.book, self.name, self.visible = book, name, visible
        self.values: Cells = {}
        self.formulas: Cells = {}
        self.tables: dict[str, Any] = {}

    def put(self, row: int, column: int, value: Any) -> None:
        value = None if value == "" else value
        shown = value[1:] if isinstance(value, str) and value[:1] == "'" else value
        for cells, held in ((self.values, shown), (self.formulas, as_formula(value))):
            cells.pop((row, column), None)
            if held is not None:
                cells[row, column] = held
        self.book.written.append((self.name, row, column, shown))

    @property
    def used_range(self) -> FakeRange:
        return self.range((1, 1), (max(r for r, _ in self.values), max(c for _, c in self.values)))

    def range(self, first: tuple[int, int], last: tuple[int, int] | None = None) -> FakeRange:
        return FakeRange(self, first, last or first)

    def activate(self) -> None:
        self.book.active = self.name


class FakeSheets(dict[str, FakeSheet]):
    def __iter__(self) -> Any:
        return iter(self.values())


class FakeBook:
    def __init__(self, data: bytes, fullname: str) -> None:
        self._fullname, self.name = fullname, fullname.rpartition("/")[2]
        self.lost: Exception | None = None
        self.sheets = FakeSheets()
        self.written: list[tuple[str, int, int, Any]] = []
        self.alerts: list[str] = []
        self.calculated = 0
        self.active = ""
        self.pdfs: list[str] = []
        self.chosen, self.folder, self.agrees = "", "", True
        self.answers: list[str] = []
        self._data = data
        self.before_write: Callable[[], None] = lambda: None
        self.app = SimpleNamespace(
            status_bar=False,
            alert=self._alert,
            file=lambda _title: self.chosen,
            folder=lambda _title: self.folder,
            api=SimpleNamespace(CalculateFull=self._calculate),
        )
        shown, formulas = _loaded(data)
        self.names = [
            SimpleNamespace(name=name, refers_to=f"={defined.attr_text}")
            for name, defined in formulas.defined_names.items()
        ]
        for sheet in shown.worksheets:
            mine = FakeSheet(self, sheet.title, visible=sheet.sheet_state == "visible")
            self.sheets[sheet.title] = mine
            rows: Any = sheet.iter_rows()
            for row in rows:
                for cell in row:
                    if cell.value not in (None, ""):
                        mine.values[cell.row, cell.column] = cell.value
                    text = formulas[sheet.title][cell.coordinate].value
                    text = getattr(text, "text", text)
                    if text not in (None, ""):
                        mine.formulas[cell.row, cell.column] = as_formula(text)
            tables: Any = formulas[sheet.title].tables
            for name, ref in tables.items():
                left, top, right, bottom = (int(edge or 0) for edge in range_boundaries(ref))
                mine.tables[name] = SimpleNamespace(range=mine.range((top, left), (bottom, right)))

    @property
    def fullname(self) -> str:
        """Return the path; raises `lost`, if given, as xlwings does where it cannot tell."""
        if self.lost:
            raise self.lost
        return self._fullname

    def _alert(self, text: str, _title: str, buttons: str = "") -> str:
        self.alerts.append(text)
        if buttons == "yes_no_cancel":
            return self.answers.pop(0)
        return "ok" if self.agrees or not buttons else "cancel"

    def _calculate(self) -> None:
        self.calculated += 1

    def save(self) -> None:
        """Write what is in the cells to the file."""
        book = load_workbook(io.BytesIO(self._data), keep_vba=True)
        for sheet in self.sheets:
            for row, column in {(row, column) for name, row, column, _ in self.written if name == sheet.name}:
                book[sheet.name].cell(row, column).value = sheet.formulas.get((row, column))
        book.save(self._fullname)

    def to_pdf(self, path: str) -> None:
        self.pdfs.append(path)

    def state(self) -> dict[str, Cells]:
        """Return what stands where, but for the ledger, which is only ever added to."""
        return {sheet.name: dict(sheet.formulas) for sheet in self.sheets if sheet.name != "Ledger"}
