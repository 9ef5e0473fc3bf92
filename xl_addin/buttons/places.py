"""Where the tables of an open workbook stand: results by the workbook's own names, the rest by their headers.

The headers of a result come from the function that fills it: where Excel cannot compute the function, they are gone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl.utils import column_index_from_string

from engine.errors import InputError, Problem
from templates.cells import Grid
from templates.read.tables import Found, find_tables
from templates.spec import TABLES
from xl_addin.functions.cells import grid, rows_of

#: What a name of a column refers to: a sheet, in quotes where its title needs them, and the column's cells.
_COLUMN = re.compile(r"^=(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^'!]+))!\$(?P<column>[A-Z]+)\$(?P<row>\d+)(?::|$)")


def found_in(book: Any, tables: Mapping[str, Sequence[Sequence[Any]]]) -> dict[str, Found]:  # noqa: ANN401
    """Return where each table stands; raises InputError where one of the person's stands there twice."""
    grids = [grid(name, rows_of(rows) or ()) for name, rows in tables.items()]
    places, problems = find_tables(grids)
    if problems:
        raise InputError(problems)
    return {**places, **_named(book, {one.name: one for one in grids})}


def place_of(places: Mapping[str, Found], name: str) -> Found:
    """Return a table's place; raises InputError where it is not in the workbook."""
    if name not in places:
        message = f"the workbook has no table {name}: start from a fresh rebalancer.xlsm"
        ko = f"{name} 표가 없습니다: 새 rebalancer.xlsm에서 시작하세요"
        raise InputError([Problem("error", "no-table", name, message, ko)])
    return places[name]


def _named(book: Any, grids: Mapping[str, Grid]) -> dict[str, Found]:  # noqa: ANN401
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
            columns.setdefault(table.name, {})[column] = column_index_from_string(match["column"])
            corners.setdefault(table.name, set()).add((title, int(match["row"]) - 1))
    places = {}
    for one in TABLES:
        mine, corner = columns.get(one.name, {}), corners.get(one.name, set())
        if len(corner) == 1 and mine.keys() >= set(one.required):
            ((title, header),) = corner
            if title in grids:
                places[one.name] = Found(one, grids[title], header, mine, len(mine))
    return places
