"""Results written back into a person's own workbook, which keeps its cells, notes, formats, sheets and charts.

openpyxl reads and writes most of a workbook, not all of it. Where a file has a part that would be lost (a picture, a
shape, a slicer, a threaded comment, a macro), nothing is written into it: a fresh workbook is made, and the person is
told.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from engine.data.files import Refused
from engine.phrase import Phrase, phrase
from engine.words import Lang
from templates.cells import Row, Rows, letters, quoted_sheet
from templates.read.tables import Found, find_tables
from templates.read.workbooks import read_grids
from templates.report import BookReport
from templates.spec import TABLES
from templates.spec import table as spec_table
from templates.spec.layout import BLOCK_ROW, CAPTION_ROW, HEADER_ROW
from templates.spec.schema import Table
from templates.write import Book, build
from templates.write.analysis import heat
from templates.write.canvas import Canvas, approximate
from templates.write.pack import packed
from templates.write.tables import write_table

#: Of the notes that are written into a person's workbook; their own have another.
_AUTHOR = "Rebalancer"
#: Without these, a workbook is none of ours.
_NEEDED = ("Trades", "Prices", "Reconcile", "Summary", "Holdings")


def write_back(path: Path, report: BookReport, lang: Lang) -> tuple[bytes | None, Phrase | None]:
    """Return the person's workbook with the report's results in it, or None and why it cannot be done."""
    if path.suffix.lower() != ".xlsx":
        return _not_kept(path, phrase("not-kept.kind"))
    try:
        grids = read_grids(path)
    except Refused as refusal:
        return _not_kept(path, refusal.problem(str(path)).message)
    data = path.read_bytes()
    if lost := what_would_be_lost(data):
        return _not_kept(path, phrase("not-kept.loss", what=phrase(f"loss.{lost}")))
    found, _ = find_tables(grids)
    if missing := [name for name in _NEEDED if name not in found]:
        return _not_kept(path, phrase("not-kept.no-table", tables=missing))
    try:
        workbook = load_workbook(io.BytesIO(data))
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever it stumbles on; the file stays as it is
        return _not_kept(path, phrase("not-kept.unreadable", reason=str(error)))
    own = OwnBook(workbook, found, report, lang)
    blocked = own.write()
    return _not_kept(path, phrase("not-kept.in-the-way", cell=blocked)) if blocked else (own.to_bytes(), None)


def _not_kept(path: Path, reason: str | Phrase) -> tuple[None, Phrase]:
    return None, phrase("not-kept", file=path.name, reason=reason)


class OwnBook:
    """A person's own workbook, where its tables were found, and a fresh one of the same report to write from."""

    def __init__(self, workbook: Workbook, found: Mapping[str, Found], report: BookReport, lang: Lang) -> None:
        self.workbook, self.found, self.report, self.lang = workbook, found, report, lang
        self.fresh: Book = build(report, lang)
        self.canvas = Canvas(workbook, lang, {})
        self.cached: dict[str, dict[str, object]] = {}

    def sheet(self, place: Found) -> Worksheet:
        """Return the sheet that a table stands on."""
        return self.workbook[place.grid.name]

    def write(self) -> str:
        """Write all results; returns the address of a person's cell that is in the way, or ""."""
        fresh = self.fresh.figures.tables
        # What was not fetched this time stays as it is.
        fetched = sorted(name for name in self.report.results if spec_table(name).fetched)
        kept = [table.name for table in TABLES if table.ranges and not table.fetched]
        for name in (*kept, *(table.name for table in TABLES if table.results), *fetched):
            place = self.found.get(name)
            if place is None:
                continue
            if blocked := write_results(self, place, fresh[name]):
                return blocked
            retitle(self, place)
        for name in fetched:
            if name in self.found:
                note_sources(self, self.found[name], fresh[name])
        for name in fetched:
            if spec_table(name).matrix:
                write_matrix(self, spec_table(name), fresh[name])
        add_to_history(self)
        dashboard_head(self)
        for place in self.found.values():
            value_rows(self, place)
        value_cells(self)
        forget_charts(self)
        # The person's own formulas have no value until a spreadsheet computes them: ask for that on opening.
        self.workbook.calculation.fullCalcOnLoad = True
        return ""

    def to_bytes(self) -> bytes:
        """Return the .xlsx file."""
        return packed(self.workbook, self.cached)


#: Parts that openpyxl does not carry over, by the name of what is lost.
_LOST = {
    "pictures": re.compile(r"xl/media/|xl/drawings/media"),
    "slicers": re.compile(r"xl/(slicers|slicerCaches|timelines|timelineCaches)/"),
    "threaded-comments": re.compile(r"xl/(threadedComments|persons)/"),
    "controls": re.compile(r"xl/(ctrlProps|activeX)/"),
    "embedded": re.compile(r"xl/embeddings/"),
    "connections": re.compile(r"xl/(queryTables/|connections\.xml|model/)"),
    "newer-charts": re.compile(r"xl/charts/chartEx|xl/richData/"),
    "macros": re.compile(r"xl/vbaProject\.bin"),
    "attached": re.compile(r"customXml/|xl/diagrams/"),
}
_SHAPES = re.compile(rb"<(?:xdr:)?(?:sp|grpSp|cxnSp)[ >]")
_EXTENSIONS = re.compile(rb"sparklineGroup|x14:conditionalFormatting|x14:slicer")


def what_would_be_lost(data: bytes) -> str:
    """Return the name of the first part of a file that openpyxl does not carry over, or ""."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            for what, pattern in _LOST.items():
                if pattern.match(name):
                    return what
            if name.startswith("xl/drawings/drawing") and _SHAPES.search(archive.read(name)):
                return "shapes"
            if name.startswith("xl/worksheets/sheet") and _EXTENSIONS.search(archive.read(name)):
                return "newer-formats"
    return ""


def write_results(own: OwnBook, place: Found, rows: Rows) -> str:
    """Write the rows of a table of results; returns the address of a person's cell that is in the way, or ""."""
    sheet, spec = own.sheet(place), place.table
    names = [c.name for c in spec.columns if c.role == "result" and c.name in place.columns]
    used = _used(place, names)
    room = max(used, _named(own, place))
    for row_number in range(max(room, place.header) + 1, place.header + len(rows) + 1):
        for name in place.columns:
            cell = sheet.cell(row_number, place.columns[name])
            if cell.value is not None:
                return f"{sheet.title}!{cell.coordinate}"
    for index in range(max(len(rows), room - place.header)):
        row: Row = rows[index] if index < len(rows) else {}
        at = place.header + 1 + index
        for name in names:
            column = spec.index[name]
            style = own.canvas.styles.cell(column, _currency(row, column.unit))
            if column.kind_of is not None:
                style = own.canvas.styles.figure(column, column.kind_of(row), own.report.portfolio.base_currency)
            sheet.cell(at, place.columns[name]).value = None
            own.canvas.put(sheet, at, place.columns[name], approximate(row.get(name)), style)
    if spec.ranges:
        _rename(own, place, max(room, place.header + len(rows), place.header + 1))
    return ""


def _used(place: Found, names: Iterable[str]) -> int:
    """Return the last row that the results of before reach."""
    rows = [
        number
        for number, cells in place.grid.rows.items()
        if number > place.header and all(place.columns[n] in cells for n in place.table.required if n in names)
    ]
    return max(rows, default=place.header)


def _named(own: OwnBook, place: Found) -> int:
    """Return the last row of the table's named ranges."""
    first = place.table.columns[0].name
    defined = own.workbook.defined_names.get(f"{place.table.name}_{first}")
    match = re.search(r"\$([0-9]+)$", defined.attr_text or "") if defined is not None else None
    return int(match[1]) if match else place.header


def _rename(own: OwnBook, place: Found, last: int) -> None:
    for name, column in place.columns.items():
        key = f"{place.table.name}_{name}"
        if key in own.workbook.defined_names:
            letter = letters(column)
            area = f"{quoted_sheet(place.grid.name)}!${letter}${place.header + 1}:${letter}${last}"
            own.workbook.defined_names[key] = DefinedName(key, attr_text=area)


def retitle(own: OwnBook, place: Found) -> None:
    """Bring a title up to date, where it still begins as it was made."""
    mine = own.fresh.placements[place.table.name]
    row = place.header - HEADER_ROW + BLOCK_ROW
    if row < 1:
        return
    cell = own.sheet(place).cell(row, min(place.columns.values()))
    if any(str(cell.value or "").startswith(caption) for caption in place.table.captions):
        cell.value = own.fresh.workbook[mine.title].cell(BLOCK_ROW, mine.left).value


def add_to_history(own: OwnBook) -> None:
    """Add the plan's day to the history, in its row of before or the first free one."""
    place = own.found.get("History")
    if place is None or not own.report.history:
        return
    sheet, row = own.sheet(place), own.report.history[-1]
    date = place.columns["Date"]
    at = place.header + 1
    while sheet.cell(at, date).value is not None and _day(sheet.cell(at, date).value) != row["Date"]:
        at += 1
    base = own.report.portfolio.base_currency
    for name, value in row.items():
        if name in place.columns:
            style = own.canvas.styles.cell(spec_table("History").index[name], base)
            own.canvas.put(sheet, at, place.columns[name], approximate(value), style)


def dashboard_head(own: OwnBook) -> None:
    """Bring the two lines of text under the dashboard's title up to date."""
    mine = own.fresh.workbook.worksheets[1]
    if mine.title in own.workbook.sheetnames:
        sheet = own.workbook[mine.title]
        for address in ("B2", "B4"):
            sheet[address].value = mine[address].value
            sheet[address].data_type = mine[address].data_type


def _currency(row: Row, unit: str) -> str:
    return str(row.get(unit) or "") if unit else ""


def _day(value: Any) -> object:  # noqa: ANN401 - whatever a cell holds
    return value.date() if hasattr(value, "date") else value


#: Of the notes that are written into a person's workbook; their own have another.
def write_matrix(own: OwnBook, table: Table, rows: Rows) -> None:
    """Write a matrix where the one of before stands, right of another table, with its colours."""
    beside = own.found.get(table.matrix)
    if beside is None or beside.header != HEADER_ROW:
        return
    sheet, mine = own.sheet(beside), own.fresh.placements[table.name]
    right = range(max(beside.columns.values()) + 1, sheet.max_column + 1)
    left = next((at for at in right if sheet.cell(HEADER_ROW, at).value == table.columns[0].name), None)
    if left is None:
        return
    place = replace(mine, title=sheet.title, left=left)
    old_right, old_last = left, HEADER_ROW
    while sheet.cell(HEADER_ROW, old_right + 1).value is not None:
        old_right += 1
    while sheet.cell(old_last + 1, left).value is not None:
        old_last += 1
    for cells in sheet.iter_rows(CAPTION_ROW, place.last_row, left, place.right):
        for cell in cells:
            if cell.value is not None and (cell.column > old_right or cell.row > old_last):
                return  # something of the person's is in the way
    for cells in sheet.iter_rows(CAPTION_ROW, old_last, left, old_right):
        for cell in cells:
            cell.value = None
    write_table(own.canvas, sheet, place, rows, "", own.report.notes.get(table.name, ""))
    drawn = any(rule.type == "colorScale" for area in sheet.conditional_formatting for rule in area.rules)
    if rows and not drawn:
        heat(sheet, place)
    if rows:
        _print(sheet, place.left, place.right, place.last_row)


def note_sources(own: OwnBook, place: Found, rows: Rows) -> None:
    """Print what is filled now; a fund's source is a note where it has no column."""
    if "Source" in place.table.index and "Source" not in place.columns:
        _source_notes(own, place, rows)
    if rows:
        columns = place.columns.values()
        _print(own.sheet(place), min(columns), max(columns), place.header + len(rows))


def _source_notes(own: OwnBook, place: Found, rows: Rows) -> None:
    for number, row in enumerate(rows, place.header + 1):
        cell = own.sheet(place).cell(number, place.columns["Ticker"])
        if cell.comment is None or cell.comment.author == _AUTHOR:
            text = str(row.get("Source") or "")
            cell.comment = Comment(text, _AUTHOR) if text else None


def _print(sheet: Worksheet, left: int, right: int, last: int) -> None:
    """Add a table that was empty before to what is printed of its sheet."""
    first = letters(left)
    if sheet.print_area and first not in re.findall(r"\$([A-Z]+)\$1:", sheet.print_area):
        sheet.print_area = f"{sheet.print_area},{first}1:{letters(right)}{last}"


def value_rows(own: OwnBook, place: Found) -> None:
    """Give the formulas of a table's rows their values, wherever the person has moved row and column.

    What the formulas of inputs reckon with and only the engine knows is written too.
    """
    names = [column.name for column in place.table.formulas if column.name in place.columns]
    stated = [c for c in place.table.columns if c.optional and c.role == "result" and c.name in place.columns]
    if not names:
        return
    keys = place.table.identity
    sheet = own.sheet(place)
    rows = own.fresh.figures.tables[place.table.name]
    by_key = {tuple(_text(row.get(key)) for key in keys): row for row in reversed(rows)}
    for index, number in enumerate(range(place.header + 1, sheet.max_row + 1)):
        row: Row | None
        if not keys:
            row = rows[index] if index < len(rows) else None
        else:
            shown = tuple(_plain(sheet, number, place.columns.get(key)) for key in keys)
            row = by_key.get(shown)
            row = {} if row is None and not any(shown) else row
        if row is None:
            continue
        for column in stated:
            at = place.columns[column.name]
            sheet.cell(number, at).value = None
            own.canvas.put(sheet, number, at, row.get(column.name), own.canvas.styles.cell(column))
        for name in names:
            cell = sheet.cell(number, place.columns[name])
            if cell.data_type == "f":
                value = approximate(row.get(name, ""))
                own.cached.setdefault(sheet.title, {})[cell.coordinate] = "" if value is None else value


def value_cells(own: OwnBook) -> None:
    """Give every other formula that stands as it was made the value it has in a fresh workbook."""
    for sheet in own.workbook.worksheets:
        values = own.fresh.cached.get(sheet.title, {})
        if sheet.title not in own.fresh.workbook.sheetnames:
            continue
        mine = own.fresh.workbook[sheet.title]
        known = own.cached.setdefault(sheet.title, {})
        for address, value in values.items():
            if address not in known and sheet[address].value == mine[address].value:
                known[address] = value


def forget_charts(own: OwnBook) -> None:
    """Drop the numbers cached in the charts: they were those of before."""
    for sheet in own.workbook.worksheets:
        for chart in sheet._charts:  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public list
            _forget(chart)


def _plain(sheet: Worksheet, row: int, column: int | None) -> str:
    return "" if column is None else _text(sheet.cell(row, column).value)


def _text(value: object) -> str:
    """Return a value as a key: 250, 250.0 and Decimal("250") are one."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    try:
        return f"{float(value):.10g}"  # type: ignore[arg-type]  # a number, or it raises
    except (TypeError, ValueError):
        return str(value)


def _forget(chart: Any) -> None:  # noqa: ANN401 - openpyxl's charts have no common public type
    for series in chart.series:
        for reference in (getattr(series, "val", None), getattr(series, "cat", None)):
            if reference is None:
                continue
            for kind in ("numRef", "strRef"):
                ref = getattr(reference, kind, None)
                if ref is not None:
                    setattr(ref, "numCache" if kind == "numRef" else "strCache", None)
