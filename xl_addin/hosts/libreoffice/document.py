"""A document open in LibreOffice as the buttons see it: what an xlwings Book has of sheets, cells, names and questions.

The document's contents come as plain data; what a button writes is kept as edits, for the extension to make them. A
question that is not answered yet ends the button (`Ask`): the extension asks it, and presses the button again with the
answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's dates have no zone
#: What `range` and `formula` take and give, as xlwings does.
Content = Any


class Ask(BaseException):
    """A question for the person: no error of the button, so nothing that handles errors takes it for one."""

    def __init__(self, question: Mapping[str, str]) -> None:
        self.question = dict(question)
        super().__init__(str(question))


def number_of(moment: dt.date) -> float:
    """Return a date as the number that a cell holds."""
    whole = moment if isinstance(moment, dt.datetime) else dt.datetime.combine(moment, dt.time())
    return (whole.replace(tzinfo=None) - _EPOCH) / dt.timedelta(days=1)


class Area:
    """Cells of a sheet, from the first to the last."""

    def __init__(self, sheet: OpenSheet, first: tuple[int, int], last: tuple[int, int]) -> None:
        self._sheet, self._first, self._last = sheet, first, last

    @property
    def row(self) -> int:
        """Return the first row."""
        return self._first[0]

    @property
    def column(self) -> int:
        """Return the first column."""
        return self._first[1]

    @property
    def last_cell(self) -> Area:
        """Return the last cell."""
        return Area(self._sheet, self._last, self._last)

    def options(self, **_given: object) -> Area:
        """Return the area: its values always are rows."""
        return self

    @property
    def value(self) -> list[list[Content]]:
        """Return what the cells show, in rows; dates are numbers, and so are truths."""
        return self._read(self._sheet.values)

    @value.setter
    def value(self, rows: Content) -> None:
        self._write(rows)

    @property
    def formula(self) -> Content:
        """Return the cells' formulas or constants; of one cell alone, its own."""
        rows = self._read(self._sheet.contents, "")
        return rows[0][0] if self._first == self._last else rows

    @formula.setter
    def formula(self, rows: Content) -> None:
        self._write(rows, formulas=True)

    #: A formula is written the same way whether it spills or not.
    formula2 = formula

    def clear_contents(self) -> None:
        """Empty the cells."""
        (top, left), (bottom, right) = self._first, self._last
        self._write([[None] * (right - left + 1) for _ in range(top, bottom + 1)])

    def _read(self, cells: Mapping[tuple[int, int], Content], empty: Content = None) -> list[list[Content]]:
        (top, left), (bottom, right) = self._first, self._last
        return [[cells.get((row, at), empty) for at in range(left, right + 1)] for row in range(top, bottom + 1)]

    def _write(self, rows: Content, *, formulas: bool = False) -> None:
        rows = rows if isinstance(rows, (list, tuple)) else [[rows]]
        top, left = self._first
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                self._sheet.put(top + y, left + x, value, formulas=formulas)


class OpenSheet:
    """A sheet: its cells from A1, and its tables."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        self.name, self.visible = name, bool(data["visible"])
        self.values: dict[tuple[int, int], Content] = {}
        #: Formulas, and constants as they are typed.
        self.contents: dict[tuple[int, int], Content] = {}
        self.edits: dict[tuple[int, int], dict[str, Content]] = {}
        self.tables: dict[str, Any] = {}
        self.active = False
        for y, (shown, typed) in enumerate(zip(data["values"], data["formulas"], strict=True), 1):
            for x, (value, text) in enumerate(zip(shown, typed, strict=True), 1):
                if value in (None, "") and not text:
                    continue
                self.values[y, x] = None if value == "" else value
                # Text that looks like a formula is typed with an apostrophe.
                computed = isinstance(text, str) and text.startswith("=") and text != value
                self.contents[y, x] = text if computed else _typed(value)

    @property
    def used_range(self) -> Area:
        """Return the cells from A1 to the last that holds something."""
        rows, columns = zip(*(self.values or {(1, 1): None}), strict=True)
        return self.range((1, 1), (max(rows), max(columns)))

    def range(self, first: tuple[int, int], last: tuple[int, int] | None = None) -> Area:
        """Return an area."""
        return Area(self, first, last or first)

    def activate(self) -> None:
        """Show the sheet."""
        self.active = True

    def put(self, row: int, column: int, value: Content, *, formulas: bool = False) -> None:
        """Write a cell: a number, a text (with an apostrophe before it or without), nothing, or a formula."""
        if isinstance(value, dt.date):
            value = number_of(value)
        elif isinstance(value, (bool, Decimal)):
            value = float(value)
        if value in (None, ""):
            edit: dict[str, Content] = {"kind": "nothing"}
            value = typed = None
        elif isinstance(value, str) and value.startswith("=") and formulas:
            edit, typed, value = {"kind": "formula", "content": value}, value, None
        elif isinstance(value, str):
            value = value.removeprefix("'")
            edit, typed = {"kind": "text", "content": value}, _typed(value)
        else:
            edit, typed = {"kind": "number", "content": float(value)}, value
        self.edits[row, column] = edit
        for cells, held in ((self.values, value), (self.contents, typed)):
            cells.pop((row, column), None)
            if held is not None:
                cells[row, column] = held


class OpenSheets(dict[str, OpenSheet]):
    """The sheets by their names; walking through them gives the sheets."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())


class Application:
    """What a button says and asks; `answers` are those to the questions so far.

    Each is [question, answer]: a button begins anew with every answer, and what it asks about may have changed
    meanwhile, as another computer synchronised. A macro gives answers alone, in their order.
    """

    def __init__(self, answers: list[Any]) -> None:
        self.said: list[str] = []
        self.status_bar: object = False
        self._answers = list(answers)

    def alert(self, text: str, _title: str = "", buttons: str = "") -> str:
        """Show a text in the end; with `buttons`, ask whether to go on ("ok" or "cancel"), or "yes", "no", "cancel"."""
        if not buttons:
            self.said.append(text)
            return "ok"
        return str(self.answer({"ask": "choose" if "no" in buttons.split("_") else "confirm", "text": text}))

    def file(self, title: str) -> str:
        """Ask for a file, and return its path, "" for none."""
        answer = str(self.answer({"ask": "file", "text": title}))
        return path_of(answer) if answer.startswith("file:") else answer

    def folder(self, title: str) -> str:
        """Ask for a folder, and return its path, "" for none."""
        answer = str(self.answer({"ask": "folder", "text": title}))
        return path_of(answer) if answer.startswith("file:") else answer

    def answer(self, question: Mapping[str, str]) -> Any:  # noqa: ANN401 - whatever is asked for
        """Return the next answer; raises Ask where there is none yet."""
        for number, given in enumerate(self._answers):
            if not isinstance(given, list):
                return self._answers.pop(number)
            if given[0] == question["text"]:
                return self._answers.pop(number)[1]
        raise Ask(question)


class Document:
    """A document, made from {"url", "sheets", "names", "tables"} as the extension sends it, and the answers so far."""

    def __init__(self, data: Mapping[str, Any], answers: list[Any]) -> None:
        self.fullname = path_of(str(data["url"]))
        self.name = Path(self.fullname).name or str(data.get("title", ""))
        self.sheets = OpenSheets({one["name"]: OpenSheet(one["name"], one) for one in data["sheets"]})
        self.names = [SimpleNamespace(name=name, refers_to=area) for name, area in data["names"].items()]
        self.app = Application(answers)
        self.pdf = ""
        self.stored = False
        for name, (title, top, left, bottom, right) in data["tables"].items():
            if title in self.sheets.keys():  # noqa: SIM118 - walking through the sheets gives no names
                sheet = self.sheets[title]
                sheet.tables[name] = SimpleNamespace(range=sheet.range((top, left), (bottom, right)))

    def to_pdf(self, path: str) -> None:
        """Have the document printed to a file."""
        self.pdf = path

    def save(self) -> bool:
        """Have the document saved after the edits are made: not yet, therefore False."""
        self.stored = True
        return False

    def answer(self) -> dict[str, Any]:
        """Return what is to be done with the document: cells to write, a sheet to show, printing, saving, a message."""
        edits = [
            {"sheet": sheet.name, "row": row, "column": column, **edit}
            for sheet in self.sheets
            for (row, column), edit in sheet.edits.items()
        ]
        active = next((sheet.name for sheet in self.sheets if sheet.active), "")
        return {
            "edits": edits,
            "sheet": active,
            "pdf": self.pdf,
            "store": self.stored,
            "said": "\n".join(self.app.said),
        }


def path_of(url: str) -> str:
    """Return the path that a file's address means, "" for any other address."""
    parts = urlsplit(url)
    return url2pathname(parts.path) if parts.scheme == "file" else ""


def _typed(value: Content) -> Content:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "'") else value
