"""Entries added to the Ledger sheet of a person's own workbook, below the last row; no row that stands changes."""

from __future__ import annotations

from collections.abc import Sequence

from engine.ledger.entries import LedgerEntry
from templates.ledger import ledger_rows
from templates.merge import OwnBook, reach
from templates.merge.package import Package
from templates.models import load
from templates.read.book import language_of
from templates.read.tables import find_tables
from templates.read.workbooks import grids_of
from templates.report import BookReport


def with_entries(data: bytes, entries: Sequence[LedgerEntry]) -> bytes | None:
    """Return a workbook with entries on its Ledger sheet; None where it has no room or no column for them.

    Cells, columns and rows of the person's own stay, also on that sheet.
    """
    grids = grids_of(data)
    found = find_tables(grids)[0]
    place, rows = found.get("Ledger"), ledger_rows(entries)
    filled = {name for row in rows for name, value in row.items() if value is not None}
    if place is None or not filled <= place.columns.keys():
        return None
    last = max(place.numbers(), default=place.header)
    if last + len(rows) > place.limit:
        return None
    report = BookReport(load("blank").portfolio, ledger=rows)
    lang = language_of(grids, found)
    own = OwnBook(Package(data), {"Ledger": place}, {grid.part: grid for grid in grids}, report, lang)
    mine = own.fresh.placements["Ledger"]
    made = own.fresh.workbook[mine.title]
    for number, row in enumerate(rows):
        for name in row:
            if name in place.columns:
                cell = made.cell(mine.first_row + number, mine.column(name))
                own.copy(place.grid.part, last + 1 + number, place.columns[name], cell)
    reach(own, place, last + len(rows))
    return own.packed()
