"""A workbook open in Excel: its tables read like a file's, where each stands, and the edits that write them.

Results are found by the workbook's own names, the rest by their headers: the headers of a result come from the function
that fills it, and where Excel cannot compute the function, they are gone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.errors import InputError, error
from engine.words import Lang
from templates.cells import Grid, Row, Rows, column_number
from templates.read.tables import Found, TableReader, bounded, find_tables
from templates.spec import TABLES
from templates.spec.layout import BESIDE, BLOCK_ROW, HEADER_ROW
from templates.spec.vocabulary import spoken
from templates.write.canvas import approximate
from xl_addin.buttons.edits import Edit, columns_of
from xl_addin.functions.cells import grid, rows_of
from xl_addin.functions.inputs import language_of_titles

#: An xlwings Book.
Book = Any
Tables = dict[str, list[list[Any]]]
#: What a name of a column refers to: a sheet, in quotes where its title needs them, and the column's cells.
_COLUMN = re.compile(r"^=(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^'!]+))!\$(?P<column>[A-Z]+)\$(?P<row>\d+)(?::|$)")

#: Results that no function computes: written as values everywhere.
WRITTEN = ("Reconcile", "Conversions")
#: The drift by sector, class and currency: as these, where the workbook has a table for it.
ALLOCATION = "Allocation"


def tables_of(book: Book) -> Tables:
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


def language_of(book: Book) -> Lang:
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
    blank = max(place.numbers(), default=place.header) - place.header - len(rows)
    lang = language_of_titles((place.grid.name,))
    known = [place.table.index[name] for name in names]
    cells = [[content(spoken(c.vocabulary(row), row.get(c.name), lang)) for c in known] for row in rows]
    cells += [[None] * len(names)] * max(blank, 0)
    if headers:
        cells.insert(0, list(names))
    return columns_of(cells, at, place.grid.name, place.header + (not headers))


def emptied(places: Mapping[str, Found], *, formulas: bool) -> list[Edit]:
    """Return the edits that leave no plan to record; with `formulas` the trades follow by themselves."""
    names = WRITTEN if formulas else ("Trades", *WRITTEN)
    edits = [edit for name in names if name in places for edit in written(places[name], (), headers=name == "Trades")]
    return [*edits, *allocated(places)]


def allocated(places: Mapping[str, Found], rows: Rows = (), note: str = "") -> list[Edit]:
    """Return the edits that write the drift by sector, class and currency, and of which plan it is."""
    place = places.get(ALLOCATION)
    if place is None:
        return []
    caption = place.table.caption(language_of_titles((place.grid.name,)))
    row, left = place.header - HEADER_ROW + BLOCK_ROW, min(place.columns.values())
    title = Edit(place.grid.name, row, left, ((f"{caption}{BESIDE}{note}" if note else caption,),))
    standing = str(place.grid.rows.get(row, {}).get(left) or "")
    return [*written(place, rows), *([title] if standing.startswith(place.table.captions) else [])]


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


def free_rows(book: Book, place: Found, key: str, count: int) -> list[int]:
    """Return the first free rows of an Excel table; raises InputError where there are too few."""
    if not count:
        return []
    name = place.table.name
    last = book.sheets[place.grid.name].tables[name].range.last_cell.row
    column = place.columns[key]
    free = [n for n in range(place.header + 1, last + 1) if column not in place.grid.rows.get(n, {})]
    if len(free) < count:
        raise InputError([error("no-room", name, needed=count, free=len(free))])
    return free[:count]


def found_in(book: Book, tables: Mapping[str, Sequence[Sequence[Any]]]) -> dict[str, Found]:
    """Return where each table stands; raises InputError where one of the person's stands there twice."""
    grids = [grid(name, rows_of(rows) or ()) for name, rows in tables.items()]
    places, problems = find_tables(grids)
    if problems:
        raise InputError(problems)
    return bounded({**places, **_named(book, {one.name: one for one in grids})})


def place_of(places: Mapping[str, Found], name: str) -> Found:
    """Return a table's place; raises InputError where it is not in the workbook."""
    if name not in places:
        raise InputError([error("no-table", name)])
    return places[name]


def _named(book: Book, grids: Mapping[str, Grid]) -> dict[str, Found]:
    """Return the places of the tables of results whose names say where all they need stands."""
    wanted = {f"{one.name}_{c.name}": (one, c.name) for one in TABLES if one.ranges for c in one.columns}
    columns: dict[str, dict[str, int]] = {}
    corners: dict[str, set[tuple[str, int]]] = {}
    for name in book.names:
        # What is named on one sheet only ("Sheet!Name") belongs to a copy that a person made of it.
        table, column = wanted.get(name.name, (None, ""))
        match = _COLUMN.match(name.refers_to) if table else None
        if table and match:
            title = (match["quoted"] or "").replace("''", "'") or match["plain"]
            columns.setdefault(table.name, {})[column] = column_number(match["column"])
            corners.setdefault(table.name, set()).add((title, int(match["row"]) - 1))
    places = {}
    for one in TABLES:
        mine, corner = columns.get(one.name, {}), corners.get(one.name, set())
        if len(corner) == 1 and mine.keys() >= set(one.required):
            ((title, header),) = corner
            if title in grids:
                places[one.name] = Found(one, grids[title], header, mine, len(mine))
    return places
