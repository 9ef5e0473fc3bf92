"""A workbook open in Excel, as its tables: read like a file, and written table by table."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.words import Lang
from templates.cells import Row, Rows
from templates.read.tables import Found, TableReader
from templates.write.canvas import approximate
from xl_addin.buttons.edits import Edit, columns_of
from xl_addin.functions.inputs import language_of_titles

#: Results that no function computes: written as values everywhere.
WRITTEN = ("Reconcile", "Conversions")
Tables = dict[str, list[list[Any]]]


def tables_of(book: Any) -> Tables:  # noqa: ANN401 - an xlwings Book
    """Return the rows of every visible sheet from A1, by title; errors are text such as "#N/A", on a Mac None."""
    # xlwings for Mac fails over errors as text in more than one row.
    reading = {"ndim": 2, "err_to_str": True} if sys.platform == "win32" else {"ndim": 2}
    found: Tables = {}
    for sheet in book.sheets:
        if sheet.visible:
            last = sheet.used_range.last_cell
            area = sheet.range((1, 1), (last.row, last.column))
            found[sheet.name] = area.options(**reading).value
    return found


def language_of(book: Any) -> Lang:  # noqa: ANN401 - an xlwings Book
    """Return the language of a workbook, which its sheets' titles tell."""
    return language_of_titles(sheet.name for sheet in book.sheets)


def rows_in(place: Found) -> list[tuple[int, Row]]:
    """Return the filled rows of a table with their sheet rows, as values of the declared kinds."""
    reader = TableReader(place, place.grid.name)
    return [(row.number, row.values) for row in reader.rows(place.table.columns)]  # type: ignore[misc]


def written(place: Found, rows: Rows, *, headers: bool = False) -> list[Edit]:
    """Return the edits that put rows in the place of a table's results; what of the old is longer is emptied.

    With `headers` the row of headers is written too: over a formula that spills from there.
    """
    names = [c.name for c in place.table.columns if c.role == "result" and c.name in place.columns]
    at = [place.columns[name] for name in names]
    used = [n for n, cells in place.grid.rows.items() if n > place.header and any(c in cells for c in at)]
    blank = max(used, default=place.header) - place.header - len(rows)
    cells = [[content(row.get(name)) for name in names] for row in rows]
    cells += [[None] * len(names)] * max(blank, 0)
    if headers:
        cells.insert(0, list(names))
    return columns_of(cells, at, place.grid.name, place.header + (not headers))


def emptied(places: Mapping[str, Found], *, formulas: bool) -> list[Edit]:
    """Return the edits that leave no plan to record; with `formulas` the trades follow by themselves."""
    names = WRITTEN if formulas else ("Trades", *WRITTEN)
    return [edit for name in names if name in places for edit in written(places[name], (), headers=name == "Trades")]


def content(value: object) -> Any:  # noqa: ANN401 - what a cell takes
    """Return a value as a cell takes it; text never becomes a formula, errors are real ones."""
    if isinstance(value, Decimal):
        return approximate(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    return value


def row_edits(place: Found, number: int, values: Mapping[str, object]) -> list[Edit]:
    """Return the edits that put values into some columns of one row; columns that the table lacks are left out."""
    return [
        Edit(place.grid.name, number, place.columns[name], ((content(value),),))
        for name, value in values.items()
        if name in place.columns
    ]


def decimal_of(value: object) -> Decimal | None:
    """Return a number, None for what is none."""
    return value if isinstance(value, Decimal) else None
