"""The analyses written into a person's workbook: correlations, sources, and what of them is printed."""

from __future__ import annotations

import re
from dataclasses import replace

from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from templates.layout import CAPTION_ROW, HEADER_ROW
from templates.reading.find import Found
from templates.refill.own_book import OwnBook
from templates.report import Rows
from templates.sheets.analysis import heat
from templates.sheets.tables import write_table

#: Of the notes that are written into a person's workbook; their own have another.
_AUTHOR = "Rebalancer"
ANALYSES = frozenset({"Comparison", "Review", "Alerts", "Correlation"})


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
