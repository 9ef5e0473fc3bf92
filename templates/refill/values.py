"""The values cached in a refilled workbook: of formulas as they were made, never of a person's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from templates.canvas import approximate
from templates.reading.find import Found
from templates.refill.own_book import OwnBook

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
