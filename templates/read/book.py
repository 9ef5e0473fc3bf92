"""A whole workbook read back: the portfolio it holds, what is wrong with it, and the results that stand in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from engine.data.document import portfolio_from_data
from engine.data.files import Refused
from engine.errors import Problem, error
from engine.portfolio import Portfolio
from engine.words import LANGUAGES, Lang
from templates.cells import NA, Cell, CellError, Grid, Row, Rows, Value
from templates.ledger import NO_LEDGER, SheetLedger, ledger_in
from templates.read.document import DocumentData
from templates.read.tables import Found, TableReader, find_tables, in_codes, unread_tables
from templates.read.workbooks import read_grids
from templates.report import BookReport
from templates.spec import SHEETS, TABLES
from templates.spec import table as spec_table
from templates.spec.layout import BESIDE, BLOCK_ROW, HEADER_ROW
from templates.spec.results import PARTS_SHOWN
from templates.spec.schema import Table

_FIRST_SYLLABLE, _LAST_SYLLABLE = "\uac00", "\ud7a3"
#: Sheets of a workbook with macros that serve them alone.
_SERVING = frozenset({"Functions", "xlwings.conf"})


@dataclass(frozen=True, slots=True)
class ReadBook:
    """What a workbook says: the portfolio (None where it cannot be used), every problem, the written results.

    `notes` are what stands beside the titles of results: of which days and closes they are; `place` is where the
    ledger of the file `source` stands, `shares` are what the parts over time are called.
    """

    portfolio: Portfolio | None
    problems: tuple[Problem, ...]
    results: Mapping[str, Rows]
    history: Rows
    lang: Lang
    notes: Mapping[str, str] = field(default_factory=dict)
    place: Found | None = None
    source: str = ""
    shares: tuple[str, ...] = ()

    @property
    def ledger(self) -> SheetLedger:
        """Return the Ledger sheet, read when it is asked for: it may be long."""
        return ledger_in(self.place, self.source) if self.place else NO_LEDGER

    def report(self) -> BookReport | None:
        """Return the workbook's content as a report, without its ledger, or None without a portfolio."""
        if self.portfolio is None:
            return None
        as_of = next((r["Value"] for r in self.results.get("Summary", ()) if r.get("Key") == "as_of"), None)
        day = as_of.date() if isinstance(as_of, dt.datetime) else as_of
        day = day if isinstance(day, dt.date) else None
        return BookReport(self.portfolio, day, self.results, self.history, notes=self.notes, shares=self.shares)


def read_portfolio_book(path: Path) -> tuple[Portfolio | None, tuple[Problem, ...]]:
    """Return the portfolio of a workbook (.xlsx, .xlsm, .ods, or a folder of .csv files) and its problems.

    The portfolio is None exactly where a problem is an error.
    """
    book = read_book(path)
    return book.portfolio, book.problems


def read_book(path: Path) -> ReadBook:
    """Read a workbook; a file that cannot be or must not be read is a problem, never an exception."""
    try:
        grids = read_grids(path)
    except Refused as refusal:
        return ReadBook(None, (refusal.problem(str(path)),), {}, (), "en")
    found, twice = find_tables(grids)
    lang = language_of(grids, found)
    unused = (*twice, *unread_tables(grids, found))
    source = path.name
    if "Holdings" not in found and "Targets" not in found:
        return ReadBook(None, (error("no-tables.book", source), *unused), {}, (), lang)
    document = DocumentData(found, source)
    document.body.setdefault("name", path.stem)
    portfolio, problems = portfolio_from_data(document.data, source, document.locate)
    problems = (*unused, *document.problems, *problems)
    if any(problem.severity == "error" for problem in problems):
        portfolio = None
    results = _results(found)
    return ReadBook(
        portfolio, problems, results, history_rows(found, source), lang, _notes(found, results), found.get("Ledger"),
        source, _shares(found),
    )  # fmt: skip


def own_sheets(grids: Sequence[Grid]) -> list[str]:
    """Return the titles of a person's own sheets: none of ours by its name, and none that holds a table of ours."""
    ours = _SERVING | {title for spec in SHEETS for title in (spec.key, *spec.titles)}
    return [grid.name for grid in grids if grid.name not in ours and not find_tables([grid])[0]]


def language_of(grids: Sequence[Grid], found: Mapping[str, Found]) -> Lang:
    """Return the language that most sheets are named in, else that of the person's own headers."""
    names = {grid.name for grid in grids}
    named = {lang: sum(spec.title(lang) in names for spec in SHEETS) for lang in LANGUAGES}
    usual = next((lang for lang, count in named.items() if count > len(SHEETS) // 2), None)
    if usual is not None:
        return usual
    heads = (place.grid.rows[place.header].values() for place in found.values() if place.table.inputs)
    korean = any(_FIRST_SYLLABLE <= letter <= _LAST_SYLLABLE for row in heads for text in row for letter in str(text))
    return "ko" if korean else LANGUAGES[0]


def history_rows(found: Mapping[str, Found], source: str) -> Rows:
    """Return the rows of values over time, those that have a day."""
    place = found.get("History")
    if place is None:
        return ()
    reader = TableReader(place, source)
    return tuple(_values(row.values) for row in reader.rows(place.table.columns) if "Date" in row.values)


def _shares(found: Mapping[str, Found]) -> tuple[str, ...]:
    """Return what stands over the columns of the parts over time, as far as they are named."""
    place = found.get("Course")
    if place is None:
        return ()
    above, columns = place.grid.rows.get(place.header - 1, {}), place.columns
    names = [str(above.get(columns.get(f"Part{number}", 0)) or "–") for number in range(1, PARTS_SHOWN + 1)]
    return tuple(name for name in names if name != "–")


def _values(values: Mapping[str, object]) -> Row:
    return {name: value for name, value in values.items() if isinstance(value, str | bool | Decimal | dt.date)}


def _results(found: Mapping[str, Found]) -> dict[str, Rows]:
    """Return the rows that the engine wrote, just as they stand there."""
    results: dict[str, Rows] = {}
    for table in TABLES:
        rows = _matrix(table, found) if table.matrix else _result_rows(table, found)
        if rows:
            results[table.name] = rows
    if "Course" not in results:  # figures that are named, and not known yet
        results.pop("Performance", None)
    return results


def _result_rows(table: Table, found: Mapping[str, Found]) -> Rows:
    place = found.get(table.name)
    if place is None or not (table.ranges or table.results):
        return ()
    names = {column.name for column in table.columns if column.role == "result" or table.results}
    rows = []
    for number in place.numbers():
        cells = place.grid.rows[number]
        row: dict[str, Value] = {}
        for name, at in place.columns.items():
            if name in names and at in cells:
                row[name] = in_codes(table.index[name], _plain(cells[at]), row)  # type: ignore[assignment]  # as it was
        if any(name in row for name in table.required):
            rows.append({**dict.fromkeys(names), **row})
    return tuple(rows)


def _notes(found: Mapping[str, Found], results: Mapping[str, Rows]) -> dict[str, str]:
    """Return what stands beside the titles of tables that hold results."""
    places = {name: (place, min(place.columns.values())) for name, place in found.items() if place.table.ranges}
    for table in TABLES:
        if table.matrix and (start := matrix_start(table, found)):
            places[table.name] = found[table.matrix], start
    notes = {}
    for name, (place, left) in places.items():
        title = str(place.grid.rows.get(place.header - HEADER_ROW + BLOCK_ROW, {}).get(left) or "")
        caption, _, note = title.partition(BESIDE)
        if name in results and note and caption in spec_table(name).captions:
            notes[name] = note
    return notes


def _plain(value: Cell) -> Value:
    return NA if isinstance(value, CellError) else value


def matrix_start(table: Table, found: Mapping[str, Found]) -> int | None:
    """Return the first column of a matrix, which stands right of another table; None without one."""
    place = found.get(table.matrix)
    row = place.grid.rows.get(place.header, {}) if place else {}
    right = max(place.columns.values()) + 1 if place else 0
    return next((at for at in sorted(row) if at > right and str(row[at]) == table.columns[0].name), None)


def _matrix(table: Table, found: Mapping[str, Found]) -> Rows:
    """Return the rows of a matrix, whose header is its symbols."""
    first = matrix_start(table, found)
    if first is None:
        return ()
    place = found[table.matrix]
    row = place.grid.rows.get(place.header, {})
    names = {at: str(text) for at, text in row.items() if at > first}
    return tuple(
        {table.columns[0].name: _plain(cells[first]), **{name: _plain(cells.get(at)) for at, name in names.items()}}
        for number, cells in sorted(place.grid.rows.items())
        if number > place.header and first in cells
    )
