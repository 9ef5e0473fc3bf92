"""The ledger on a workbook's sheet: its rows as entries, and entries as its rows.

The columns are those of NAME.ledger.csv. A person may write a row without an id: it is known again by what it says.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from engine.data.fields import Path as Way
from engine.data.fields import Report, Where
from engine.errors import Problem
from engine.ledger.entries import COLUMNS, FORMAT, LedgerEntry, read_entry
from engine.ledger.kinds import KINDS
from engine.market import catalogue
from engine.money import ZERO
from engine.phrase import phrase
from engine.text import plain_number
from templates.cells import Grid, Row, Rows
from templates.read.tables import Found, TableReader, find_tables
from templates.spec import table

#: The column of each field of an entry, and the other way round.
COLUMN_OF: Mapping[str, str] = {column.key: column.name for column in table("Ledger").columns}
_FIELD_OF: Mapping[str, str] = {name: key for key, name in COLUMN_OF.items()}
_IDENTIFYING = tuple(name for name in COLUMNS if name not in ("format", "id", "batch"))


@dataclass(frozen=True, slots=True)
class SheetLedger:
    """The entries of a workbook's Ledger sheet in the order of its rows, and what is wrong with the others.

    `there` is false where the workbook has no such sheet.
    """

    there: bool
    entries: tuple[LedgerEntry, ...] = ()
    problems: tuple[Problem, ...] = ()


NO_LEDGER = SheetLedger(there=False)


def sheet_ledger(grids: Sequence[Grid], source: str) -> SheetLedger:
    """Return the ledger on some sheets; `source` is what their file is called in problems."""
    place = find_tables(grids)[0].get("Ledger")
    return NO_LEDGER if place is None else ledger_in(place, source)


@lru_cache(maxsize=2)
def ledger_of(data: bytes, source: str) -> SheetLedger:
    """Return the ledger in a workbook's file; one that cannot be read has none."""
    from engine.data.files import Refused
    from templates.read.workbooks import grids_of

    try:
        return sheet_ledger(grids_of(data), source)
    except Refused:
        return NO_LEDGER


def ledger_in(place: Found, source: str) -> SheetLedger:
    """Return the ledger that stands at a place; the last one is remembered, for several functions ask in a row."""
    key = (source, place.grid.name, place.header, tuple(sorted(place.columns.items())))
    rows = tuple((number, tuple(cells.items())) for number, cells in place.grid.rows.items())
    if _last.get("key") != (key, rows):
        _last.update(key=(key, rows), ledger=_read(place, source))
    found = _last["ledger"]
    assert isinstance(found, SheetLedger)  # noqa: S101 - what was just put there
    return found


#: The ledger that was read last, and the cells it was read from.
_last: dict[str, object] = {}


def _read(place: Found, source: str) -> SheetLedger:
    reader = TableReader(place, source)

    def locate(way: Way) -> Where:
        if not way:
            return source
        column = COLUMN_OF.get(str(way[1]), "") if len(way) > 1 else ""
        return reader.where(int(way[0]), column if column in place.columns else "")

    report = Report(source, locate)
    found: dict[str, LedgerEntry] = {}
    alike: dict[str, int] = {}
    for row in reader.rows(place.table.columns):
        cells = {_FIELD_OF[name]: _text(value) for name, value in row.values.items()}
        if not set(cells) - {"format", "note"}:
            continue
        if not cells.get("id"):
            said = "|".join(cells.get(name, "") for name in _IDENTIFYING)
            alike[said] = alike.get(said, 0) + 1
            cells["id"] = _print_of(said, alike[said])
            # Written by hand: an instrument may go by its name. Programs write codes.
            named = catalogue.load().find(cells["symbol"]) if cells.get("symbol") else None
            cells |= {"symbol": named.symbol} if named else {}
        entry = read_entry(row.number, cells, report)
        if entry is not None:
            found.setdefault(entry.id, entry)
    problems = (*reader.problems, *(_in_words(one) for one in report.problems))
    return SheetLedger(there=True, entries=tuple(found.values()), problems=problems)


def _in_words(problem: Problem) -> Problem:
    """Return a problem that calls kinds and columns what the sheet calls them."""
    values = problem.message.values
    said: dict[str, object] = {}
    if "kinds" in values:
        said["kinds"] = tuple(phrase(f"entry-kind.{kind}") for kind in KINDS)
    if values.get("kind") in KINDS:
        said["kind"] = phrase(f"entry-kind.{values['kind']}")
    if values.get("column") in COLUMN_OF:
        said["column"] = phrase(f"column.Ledger.{COLUMN_OF[str(values['column'])]}")
    return replace(problem, message=problem.message.having(**said)) if said else problem


def ledger_rows(entries: Iterable[LedgerEntry]) -> Rows:
    """Return entries as rows of the sheet; what is nothing is left empty."""
    return tuple(_row(one) for one in entries)


def _row(entry: LedgerEntry) -> Row:
    row: dict[str, str | Decimal | dt.date | int | None] = {"Format": FORMAT}
    for name in COLUMNS[1:]:
        value = getattr(entry, name)
        row[COLUMN_OF[name]] = None if value in ("", None) or value == ZERO else value
    return row


def monthly(entries: Sequence[LedgerEntry], standing: Iterable[LedgerEntry] = ()) -> tuple[LedgerEntry, ...]:
    """Return entries with one snapshot a month: of each, the first; none of a month that `standing` has one of.

    A sheet stays small so. The snapshots that are left out stand beside the workbook.
    """
    kept = {(one.date.year, one.date.month): "" for one in standing if one.kind == "snapshot"}

    def first(one: LedgerEntry) -> bool:
        return kept.setdefault((one.date.year, one.date.month), one.batch) == one.batch

    return tuple(one for one in entries if one.kind != "snapshot" or first(one))


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date) else str(value).strip()


def _print_of(said: str, number: int) -> str:
    return f"h{hashlib.sha256(f'{said}|{number}'.encode()).hexdigest()[:15]}"
