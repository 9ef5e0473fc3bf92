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
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from engine.words import Lang
from templates.read.files import FileRefused
from templates.read.tables import Found, find_tables
from templates.read.workbooks import read_grids
from templates.report import SUMMARY_TYPES, BookReport, Row, Rows
from templates.spec import TABLES, table
from templates.spec.layout import BLOCK_ROW, CAPTION_ROW, HEADER_ROW
from templates.spec.schema import Text
from templates.write import Book, build
from templates.write.analysis import heat
from templates.write.canvas import Canvas, approximate
from templates.write.pack import packed
from templates.write.tables import write_table

ANALYSES = frozenset({"Comparison", "Review", "Alerts", "Correlation"})
_WRITTEN = (*(t.name for t in TABLES if t.ranges and t.name not in ANALYSES), "FxRates")


def write_back(path: Path, report: BookReport, lang: Lang) -> tuple[bytes | None, str]:
    """Return the person's workbook with the report's results in it, or None and why it cannot be done."""
    if path.suffix.lower() != ".xlsx":
        return None, _notice(path, Text("only .xlsx files can be kept", ".xlsx 파일만 유지할 수 있습니다"), lang)
    try:
        grids = read_grids(path)
    except FileRefused as refusal:
        return None, _notice(path, Text(str(refusal), refusal.ko), lang)
    data = path.read_bytes()
    lost = what_would_be_lost(data)
    if lost is not None:
        reason = Text(f"it has {lost.en}, which would be lost", f"{lost.ko}이(가) 사라지게 됩니다")
        return None, _notice(path, reason, lang)
    found, _ = find_tables(grids)
    missing = [name for name in ("Trades", "Prices", "Reconcile", "Summary", "Holdings") if name not in found]
    if missing:
        reason = Text(f"it has no table {', '.join(missing)}", f"{', '.join(missing)} 표가 없습니다")
        return None, _notice(path, reason, lang)
    try:
        workbook = load_workbook(io.BytesIO(data))
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever it stumbles on; the file stays as it is
        reason = Text(f"it cannot be opened for writing ({error})", f"쓰기용으로 열 수 없습니다 ({error})")
        return None, _notice(path, reason, lang)
    return _refilled(OwnBook(workbook, found, report, lang), path)


def _refilled(own: OwnBook, path: Path) -> tuple[bytes | None, str]:
    for name in (*_WRITTEN, *sorted(ANALYSES & own.report.results.keys())):
        place = own.found.get(name)
        if place is None:
            continue
        blocked = write_results(own, place, own.fresh.figures.tables[name])
        if blocked:
            reason = Text(f"{blocked} stands where results belong", f"결과가 들어갈 자리에 {blocked}이(가) 있습니다")
            return None, _notice(path, reason, own.lang)
        retitle(own, place)
    sources(own)
    matrix(own)
    add_to_history(own)
    dashboard_head(own)
    for place in own.found.values():
        value_rows(own, place)
    value_cells(own)
    forget_charts(own)
    # The person's own formulas have no value until a spreadsheet computes them: ask for that on opening.
    own.workbook.calculation.fullCalcOnLoad = True
    return packed(own.workbook, own.cached), ""


def _notice(path: Path, reason: Text, lang: Lang) -> str:
    if lang == "ko":
        return f"{path.name}에 쓰지 않고 새 파일을 만들었습니다: {reason.ko}"
    return f"a new workbook was made instead of keeping {path.name}: {reason.en}"


class OwnBook:
    """Hold the workbook, where its tables were found, and a fresh one of the same report to write from."""

    def __init__(self, workbook: Workbook, found: Mapping[str, Found], report: BookReport, lang: Lang) -> None:
        self.workbook, self.found, self.report, self.lang = workbook, found, report, lang
        self.fresh: Book = build(report, lang)
        self.canvas = Canvas(workbook, lang, {})
        self.cached: dict[str, dict[str, object]] = {}

    def sheet(self, place: Found) -> Worksheet:
        """Return the sheet that a table stands on."""
        return self.workbook[place.grid.name]


#: Parts that openpyxl does not carry over, and what a person calls them.
_LOST = (
    (re.compile(r"xl/media/|xl/drawings/media"), Text("pictures", "그림")),
    (re.compile(r"xl/(slicers|slicerCaches|timelines|timelineCaches)/"), Text("slicers", "슬라이서")),
    (re.compile(r"xl/(threadedComments|persons)/"), Text("threaded comments", "스레드 메모")),
    (re.compile(r"xl/(ctrlProps|activeX)/"), Text("form controls", "양식 컨트롤")),
    (re.compile(r"xl/embeddings/"), Text("embedded objects", "포함된 개체")),
    (re.compile(r"xl/(queryTables/|connections\.xml|model/)"), Text("data connections", "데이터 연결")),
    (re.compile(r"xl/charts/chartEx|xl/richData/"), Text("newer charts or data types", "새 형식의 차트나 데이터")),
    (re.compile(r"xl/vbaProject\.bin"), Text("macros", "매크로")),
    (re.compile(r"customXml/|xl/diagrams/"), Text("attached data or diagrams", "첨부 데이터나 다이어그램")),
)
_SHAPES = re.compile(rb"<(?:xdr:)?(?:sp|grpSp|cxnSp)[ >]")
_EXTENSIONS = re.compile(rb"sparklineGroup|x14:conditionalFormatting|x14:slicer")


def what_would_be_lost(data: bytes) -> Text | None:
    """Return the first part of a file that openpyxl does not carry over, or None."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            for pattern, what in _LOST:
                if pattern.match(name):
                    return what
            if name.startswith("xl/drawings/drawing") and _SHAPES.search(archive.read(name)):
                return Text("shapes", "도형")
            if name.startswith("xl/worksheets/sheet") and _EXTENSIONS.search(archive.read(name)):
                return Text("sparklines or newer formats", "스파크라인이나 새 서식")
    return None


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
            style = own.canvas.styles.cell(spec.index[name], _currency(row, spec.index[name].unit))
            if spec.name == "Summary" and name == "Value":
                kind = SUMMARY_TYPES.get(str(row.get("Key")), "number")
                style = own.canvas.styles.figure(spec.index[name], kind, own.report.portfolio.base_currency)
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
            letter = get_column_letter(column)
            area = f"{quote_sheetname(place.grid.name)}!${letter}${place.header + 1}:${letter}${last}"
            own.workbook.defined_names[key] = DefinedName(key, attr_text=area)


def retitle(own: OwnBook, place: Found) -> None:
    """Bring a title up to date, where it still begins as it was made."""
    mine = own.fresh.placements[place.table.name]
    row = place.header - HEADER_ROW + BLOCK_ROW
    if row < 1:
        return
    cell = own.sheet(place).cell(row, min(place.columns.values()))
    if any(str(cell.value or "").startswith(caption) for caption in place.table.caption):
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
            style = own.canvas.styles.cell(table("History").index[name], base)
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
_AUTHOR = "Rebalancer"


def matrix(own: OwnBook) -> None:
    """Write the correlations where the matrix of before stands, at the right of its sheet, with its colours."""
    rows, alerts = own.fresh.figures.tables["Correlation"], own.found.get("Alerts")
    if alerts is None or alerts.header != HEADER_ROW or "Correlation" not in own.report.results:
        return
    sheet, mine = own.sheet(alerts), own.fresh.placements["Correlation"]
    right = range(max(alerts.columns.values()) + 1, sheet.max_column + 1)
    left = next((at for at in right if sheet.cell(HEADER_ROW, at).value == "Ticker"), None)
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
    write_table(own.canvas, sheet, place, rows, "", own.report.notes.get("Correlation", ""))
    drawn = any(rule.type == "colorScale" for area in sheet.conditional_formatting for rule in area.rules)
    if rows and not drawn:
        heat(sheet, place)
    if rows:
        _print(sheet, place.left, place.right, place.last_row)


def sources(own: OwnBook) -> None:
    """Print what is filled now; a fund's source is a note where it has no column."""
    for name in sorted(ANALYSES - {"Correlation"}):
        place, rows = own.found.get(name), own.fresh.figures.tables[name]
        if place is None or name not in own.report.results:
            continue
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
    first = get_column_letter(left)
    if sheet.print_area and first not in re.findall(r"\$([A-Z]+)\$1:", sheet.print_area):
        sheet.print_area = f"{sheet.print_area},{first}1:{get_column_letter(right)}{last}"


_KEYS: Mapping[str, tuple[str, ...]] = {
    "Holdings": ("Account", "Ticker", "Quantity"),
    "Cash": ("Account", "Currency"),
    "Targets": ("Ticker",),
    "Groups": ("Name",),
    "Rules": ("Section",),
    "Accounts": ("Name",),
    "FxRates": ("Pair",),
}


def value_rows(own: OwnBook, place: Found) -> None:
    """Give the formulas of a table's rows their values, wherever the person has moved row and column."""
    keys = _KEYS.get(place.table.name)
    if keys is None and place.table.name != "Reconcile":
        return
    sheet = own.sheet(place)
    rows = list(own.fresh.figures.tables[place.table.name])
    by_key = {tuple(_text(row.get(key)) for key in keys or ()): row for row in reversed(rows)}
    names = [c.name for c in place.table.columns if c.role == "formula" and c.name in place.columns]
    for index, number in enumerate(range(place.header + 1, sheet.max_row + 1)):
        if keys is None:
            row = rows[index] if index < len(rows) else None
        else:
            shown = tuple(_plain(sheet, number, place.columns.get(key)) for key in keys)
            row = by_key.get(shown)
            row = {} if row is None and not any(shown) else row
        if row is None:
            continue
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
