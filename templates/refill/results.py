"""The plan's results written where a person's workbook has their tables, never over a cell of the person's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName

from templates.canvas import approximate
from templates.layout import BLOCK_ROW, HEADER_ROW
from templates.reading.find import Found
from templates.refill.own_book import OwnBook
from templates.report import SUMMARY_TYPES, Row, Rows
from templates.spec import table


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
