"""What a person holds and wants written into their own workbook: its tables of inputs, row by row, and nothing else.

A row that is known again keeps its place, its formats and its cells of the person's own; a new one stands in the first
free row, with the table's formulas; of one that is gone the inputs are emptied. Results stay as they were.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from engine.data.files import Refused
from engine.phrase import Phrase, phrase
from engine.words import Lang
from templates.cells import letters
from templates.merge import KINDS, OwnBook, as_members, fill_formulas, not_kept, reach, same_text
from templates.merge.package import Package
from templates.read.tables import Found, find_tables, in_codes
from templates.read.workbooks import read_grids
from templates.report import BookReport
from templates.spec import table as spec_table

#: The tables that are written, and by which columns a row is known again.
TABLES = {
    "Holdings": ("Ticker", "Account"),
    "Cash": ("Currency", "Account"),
    "Targets": ("Ticker", "Goal", "Members", "Class"),
}
#: In others, every row has the first of them.
_UNNAMED = ("Targets",)

#: All tables of a person's own; of the settings, whose rows are given, the values.
EVERY_TABLE = {
    **TABLES,
    "Rules": ("Section",),
    "Groups": ("Name",),
    "Accounts": ("Name",),
    "Costs": ("Key",),
    "Instruments": ("Ticker",),
    "Classes": ("Class",),
    "Preferences": ("What",),
    "FxRates": ("Pair",),
}
EVERY_COLUMN: Mapping[str, tuple[str, str, tuple[str, ...]]] = {"Settings": ("Key", "Value", ())}

#: What trades that were done change besides holdings and cash: column and key of a table, and the rows (() is all).
RECORDED = {"Rules": ("Section", "LastRebalanced", ()), "Settings": ("Key", "Value", ("cash_flow",))}


def write_inputs(
    path: Path,
    report: BookReport,
    lang: Lang,
    columns: Mapping[str, tuple[str, str, tuple[str, ...]]] | None = None,
    tables: Mapping[str, tuple[str, ...]] = TABLES,
) -> tuple[bytes | None, Phrase | None]:
    """Return the person's workbook with the portfolio of a report in its inputs, or None and why it cannot be done.

    `tables` are those to write, as far as the workbook has them, and `columns` further ones, such as `RECORDED`.
    """
    if path.suffix.lower() not in KINDS:
        return not_kept(path, phrase("not-kept.kind"))
    try:
        grids = read_grids(path)
    except Refused as refusal:
        return not_kept(path, refusal.problem(str(path)).message)
    found, _ = find_tables(grids)
    if missing := [name for name in TABLES if name not in found]:
        return not_kept(path, phrase("not-kept.no-table", tables=missing))
    report = replace(report, ledger=())
    own = OwnBook(Package(path.read_bytes()), found, {grid.part: grid for grid in grids}, report, lang)
    if missing := [column for name in tables for column in _wanting(own, name)]:
        return not_kept(path, phrase("not-kept.no-table", tables=missing))
    for name in tables:
        if name in found and (blocked := _write_table(own, found[name], tables[name])):
            return not_kept(path, phrase("not-kept.in-the-way", cell=blocked))
    for name, (key, column, only) in (columns or {}).items():
        if name in found:
            _write_column(own, found[name], key, column, only)
    return own.to_bytes(), None


def _wanting(own: OwnBook, name: str) -> list[str]:
    """Return what the report fills in and not every workbook has: columns, or a table, that this one lacks."""
    rows = own.rows_of(name)
    if name not in own.found:
        return [name] if spec_table(name).optional and rows else []
    place = own.found[name]
    optional = [column.name for column in place.table.inputs if column.optional and column.name not in place.columns]
    return [f"{name}.{one}" for one in optional if any(row.get(one) is not None for row in rows)]


def _write_table(own: OwnBook, place: Found, keys: tuple[str, ...]) -> str:
    """Write a table's inputs; rows that are alike (lots of one holding) are known again in their order.

    Returns the address of what is in the way of new rows, or "".
    """
    name, part = place.table.name, place.grid.part
    made = own.fresh.placements.get(name)
    sheet = own.sheet(part)
    shown = made.columns if made else place.table.inputs
    inputs = [c.name for c in shown if c.role == "input" and c.name in place.columns]
    standing: dict[tuple[str, ...], list[int]] = {}
    for number, cells in sorted(place.grid.rows.items()):
        codes = (in_codes(place.table.index[key], cells.get(place.columns.get(key, 0)), {}) for key in keys)
        key = tuple(known_again(*one) for one in zip(keys, codes, strict=True))
        if number > place.header and (key[0] or (name in _UNNAMED and any(key))):
            standing.setdefault(key, []).append(number)
    last = max((number for numbers in standing.values() for number in numbers), default=place.header)
    new: list[int] = []
    for index, row in enumerate(own.rows_of(name)):
        numbers = standing.get(tuple(known_again(key, row.get(key)) for key in keys))
        if not numbers:
            new.append(index)
            continue
        _write_row(own, place, inputs, numbers.pop(0), index)
    gone = sorted(number for numbers in standing.values() for number in numbers)
    for number in gone:
        for column in inputs:
            if sheet.cell(number, place.columns[column]) is not None:
                sheet.put(number, place.columns[column], None)
    if last + len(new) > place.limit:
        return f"{place.grid.name}!{letters(min(place.columns.values()))}{place.limit + 1}"
    if made is None:
        return ""
    fresh = own.fresh.workbook[made.title]
    for index in new:
        last += 1
        for column in inputs:
            own.copy(part, last, place.columns[column], fresh.cell(made.first_row + index, made.column(column)))
        reach(own, place, last)
        fill_formulas(own, place, (last,))
    return ""


def _write_column(own: OwnBook, place: Found, key: str, column: str, only: tuple[str, ...]) -> None:
    """Write one column of the rows that stand already."""
    rows = {same_text(row.get(key)): number for number, row in enumerate(own.rows_of(place.table.name))}
    if column not in place.columns:
        return
    for number, cells in place.grid.rows.items():
        known = same_text(in_codes(place.table.index[key], cells.get(place.columns[key]), {}))
        index = rows.get(known)
        if number > place.header and index is not None and (not only or known in only):
            _write_row(own, place, [column], number, index)


def _write_row(own: OwnBook, place: Found, inputs: list[str], number: int, index: int) -> None:
    """Write what differs in a row that stands already; a cell with a formula of the person's stays where it agrees."""
    row, cells = own.rows_of(place.table.name)[index], place.grid.rows.get(number, {})
    made = own.fresh.placements[place.table.name]
    fresh = own.fresh.workbook[made.title]
    for column in inputs:
        at = place.columns[column]
        standing = in_codes(place.table.index[column], cells.get(at), row)
        said = {known_again(column, standing), known_again(column, row.get(column))}
        if len(said) == 1 or (column == "Enabled" and said == {"", "true"}):
            continue
        own.copy(place.grid.part, number, at, fresh.cell(made.first_row + index, made.column(column)))


def known_again(column: str, value: object) -> str:
    """Return a cell as it is compared: codes without a broker's letter and zeros, words in small letters."""
    text = same_text(value)
    if column in ("Ticker", "Benchmark"):
        from engine.market import catalogue

        entry = catalogue.load().entry(text) or catalogue.load().entry(catalogue.undecorated(text) or "")
        zeros = catalogue.lost_zeros(text)
        return entry.instrument.symbol if entry else zeros if zeros and re.fullmatch(r"\d+", text) else text
    if column == "Members":
        text = as_members(text)
    return text.casefold()
