"""The tables of a workbook, found by their headers wherever they have been moved, and their cells as plain values."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from importlib import resources

from engine.errors import Problem, error, warning
from engine.phrase import Phrase, phrase, place
from engine.text import fold, plain_number, repaired_date, repaired_number
from engine.words import LANGUAGES
from templates.cells import MAX_ROWS, Cell, CellError, Grid, Uncomputed, from_serial, letters
from templates.spec import SHEETS, TABLES, sheet, tables_of
from templates.spec import table as spec_table
from templates.spec.layout import FIRST_COLUMN, TITLE_ROW
from templates.spec.schema import Column, Table
from templates.spec.vocabulary import meant

#: Header cells to the left and right of an empty header belong to one table at most this far apart.
_FURTHEST = 40
CSV = ".csv"
#: What of a broker's table says what is held.
_PASTED = frozenset({"symbol", "quantity", "average_cost"})


@dataclass(frozen=True, slots=True)
class Found:
    """A table that was found: its sheet, the row of its headers, and the sheet column of each of its columns.

    `limit` is the last row that it may reach, where another table stands below it; the grid ends there.
    """

    table: Table
    grid: Grid
    header: int
    columns: Mapping[str, int]
    exact: int
    limit: int = MAX_ROWS

    def numbers(self) -> Iterator[int]:
        """Yield the sheet rows under the headers in which something of the table stands.

        Results end where they end: what stands apart below them is one only if it is whole.
        """
        own, needed = set(self.columns.values()), [self.columns[name] for name in self.table.required]
        ended = self.header + 1
        for number in sorted(self.grid.rows):
            cells = self.grid.rows[number]
            if number <= self.header or own.isdisjoint(cells):
                continue
            if not self.table.ranges or number <= ended or all(column in cells for column in needed):
                ended = number + 1
                yield number

    @property
    def at_home(self) -> bool:
        """Tell whether it stands on the sheet that is declared for it."""
        stands = sheet(self.table.sheet)
        return self.grid.name in (*stands.titles, stands.key) or _is_file_of(self.table, self.grid)


def _is_file_of(table: Table, grid: Grid) -> bool:
    """Tell whether a grid is the .csv file that is named after a table, in any language."""
    stem = fold(grid.name).removesuffix(CSV)
    return stem in {fold(name) for name in (table.name, *(table.caption(lang) for lang in LANGUAGES))}


def unread_tables(grids: Sequence[Grid], found: Mapping[str, Found]) -> list[Problem]:
    """Return what was not read and should not be passed over in silence: files of a folder, sheets like tables.

    A .csv file that holds no known table is an error, unless it is named as a sheet that only shows results. A sheet
    with a row of headers such as Ticker is one where holdings or targets were found nowhere, else a warning: it may be
    a list of the person's own.
    """
    read = {place.grid.name for place in found.values()} | {
        grid.name for grid in grids if any(True for _ in _in_grid(grid))
    }
    complete = {"Holdings", "Targets"} <= found.keys()
    problems = []
    for grid in grids:
        headers_seen = tuple(_first_headers(grid))
        if grid.name in read or not headers_seen:
            continue
        file = grid.name.casefold().endswith(CSV)
        if file and not _shows_results(grid):
            problems.append(error("not-read.file", grid.name, headers=headers_seen, **_wanted(grid)))
        elif not file and _looks_like_table(headers_seen):
            tell = warning if complete else error
            problems.append(tell("not-read.sheet", place("sheet-name", sheet=grid.name), headers=headers_seen))
    return problems


def _wanted(grid: Grid) -> dict[str, object]:
    """Return what headers a file needs: of the table it is named after, else of holdings and of targets."""
    named = next((table for table in TABLES if table.required and _is_file_of(table, grid)), None)
    wanted = [named] if named else [table for table in TABLES if table.always]
    return {"wanted": tuple(phrase("wanted-headers", table=one.name, headers=one.required) for one in wanted)}


def _first_headers(grid: Grid) -> Iterator[str]:
    """Yield the texts of the first row with two of them, and something below."""
    for number in sorted(grid.rows):
        texts = [value for _, value in sorted(grid.rows[number].items()) if isinstance(value, str)]
        if len(texts) >= 2 and number != max(grid.rows):
            yield from texts
            return


def _looks_like_table(seen: Sequence[str]) -> bool:
    """Tell whether headers name an instrument and something else that a table of holdings or targets has."""
    known = {**headers(spec_table("Holdings")), **headers(spec_table("Targets"))}
    meanings = {known[_key(text)] for text in seen if _key(text) in known}
    return "Ticker" in meanings and len(meanings) > 1


def _shows_results(grid: Grid) -> bool:
    """Tell whether a .csv file is named as a sheet on which a person fills in nothing."""
    stem = fold(grid.name).removesuffix(CSV).rpartition("-")[2]
    return any(
        stem in {fold(name) for name in (*one.titles, one.key)}
        for one in SHEETS
        if not any(table.inputs for table in tables_of(one.key))
    )


def find_tables(grids: Sequence[Grid]) -> tuple[dict[str, Found], list[Problem]]:
    """Return the place of each table, and a note for each that stands there more than once."""
    candidates: dict[str, list[Found]] = {}
    for grid in grids:
        results = _is_results(grid)
        for found in _in_grid(grid):
            if not (results and found.table.inputs):
                candidates.setdefault(found.table.name, []).append(found)
    problems: list[Problem] = []
    chosen: dict[str, Found] = {}
    for name, several in candidates.items():
        ranked = sorted(several, key=lambda f: (f.at_home, f.exact, len(f.columns)), reverse=True)
        chosen[name] = ranked[0]
        # Captions alone (a chart's numbers, a person's own list) are no second table.
        rivals = [f for f in ranked[1:] if f.exact == ranked[0].exact and f.at_home == ranked[0].at_home]
        if rivals and ranked[0].table.inputs:
            problems.append(_twice(ranked[0], rivals[0]))
    everywhere = [found for several in candidates.values() for found in several]
    return bounded(chosen, everywhere), problems


def bounded(places: Mapping[str, Found], everywhere: Sequence[Found] = ()) -> dict[str, Found]:
    """Return the tables, each ending where another one (`everywhere`, by default these) begins below it."""
    others = everywhere or tuple(places.values())
    return {name: _bounded(found, others) for name, found in places.items()}


def _bounded(found: Found, everywhere: Sequence[Found]) -> Found:
    """Return a table that ends where another one begins below it."""
    own = set(found.columns.values())
    below = [
        _top(other)
        for other in everywhere
        if (other.grid.part, other.grid.name) == (found.grid.part, found.grid.name)
        and other.header > found.header
        and own & set(other.columns.values())
    ]
    if not below:
        return found
    limit = min(below) - 1
    grid, merged = found.grid, tuple(area for area in found.grid.merged if area[1] <= limit)
    rows = {number: cells for number, cells in grid.rows.items() if number <= limit}
    return replace(found, grid=replace(grid, rows=rows, merged=merged), limit=limit)


def _top(found: Found) -> int:
    """Return the first row that belongs to a table: its headers, or the captions and the title above them."""
    row, left, right = found.header, min(found.columns.values()), max(found.columns.values())
    captions = {caption for column in found.table.columns for lang in LANGUAGES if (caption := column.caption(lang))}
    for _ in range(2):
        above = found.grid.rows.get(row - 1, {})
        texts = [str(value) for at, value in above.items() if left <= at <= right]
        if not texts or not all(text in captions or text.startswith(found.table.captions) for text in texts):
            break
        row -= 1
    return row


def _is_results(grid: Grid) -> bool:
    """Tell whether a sheet is one of ours, by its name and head, on which nobody fills in anything."""
    head = str(grid.rows.get(TITLE_ROW, {}).get(FIRST_COLUMN) or "")
    return any(head.startswith(title) and grid.name.startswith(title) for title in _results_titles())


@cache
def _results_titles() -> tuple[str, ...]:
    sheets = (one for one in SHEETS if not any(table.inputs for table in tables_of(one.key)))
    return tuple(title for one in sheets for title in one.titles)


def _twice(first: Found, second: Found) -> Problem:
    where = place("sheet", sheet=first.grid.name, row=first.header)
    return error("two-tables", where, table=first.table.name, sheet=second.grid.name, row=second.header)


def _in_grid(grid: Grid) -> Iterator[Found]:
    previous: dict[str, Found] = {}
    for number in sorted(grid.rows):
        row = {column: text for column, text in grid.rows[number].items() if isinstance(text, str)}
        # Nearly every row is data: only one that has two known headers can be a row of headers.
        if sum(_key(text) in _every_header() for text in row.values()) < 2:
            continue
        here = {found.table.name: found for found in _in_row(grid, number, row)}
        for name, before in previous.items():
            # A row of captions right above the identifiers of the same table is only its caption.
            if name in here and set(before.columns.values()) & set(here[name].columns.values()):
                continue
            yield before
        previous = here
    yield from previous.values()


def _in_row(grid: Grid, number: int, row: Mapping[int, str]) -> Iterator[Found]:
    last: Found | None = None
    for run in _runs(row):
        found = _best(grid, number, run)
        if found is None:
            # An empty header splits a table in two: what follows is still its own, if it is not there yet.
            if last is not None:
                last = _extended(last, run)
            continue
        if last is not None:
            yield last
        last = found
    if last is not None:
        yield last


def _runs(row: Mapping[int, str]) -> Iterator[dict[int, str]]:
    run: dict[int, str] = {}
    for column in sorted(row):
        if run and column - 1 not in run:
            yield run
            run = {}
        run[column] = row[column]
    if run:
        yield run


def _best(grid: Grid, number: int, run: Mapping[int, str]) -> Found | None:
    best: Found | None = None
    for table in TABLES:
        columns, exact = _matched(table, run)
        if _is_file_of(table, grid):
            columns = _as_in_document(table, run, columns)
        if not table.required or any(name not in columns for name in table.required):
            continue
        found = Found(table, grid, number, columns, exact)
        if best is None or (len(columns), exact) > (len(best.columns), best.exact):
            best = found
    return best


def _matched(table: Table, run: Mapping[int, str]) -> tuple[dict[str, int], int]:
    names = headers(table)
    columns: dict[str, int] = {}
    exact = 0
    for at, text in run.items():
        name = names.get(_key(text))
        if name is not None and name not in columns:
            columns[name] = at
            exact += text.strip() == name
    return columns, exact


def _as_in_document(table: Table, run: Mapping[int, str], columns: Mapping[str, int]) -> dict[str, int]:
    """Return the columns with the portfolio file's names for what a person writes: `weight` is Target, `price` Manual.

    Only where nothing else in the row is that column: in a sheet saved as .csv, Weight is what the sheet computed.
    """
    found = dict(columns)
    names = {at: name for name, at in columns.items()}
    for column in table.inputs:
        at = next((at for at, text in run.items() if column.key and _key(text) == _key(column.key)), None)
        if column.optional and at is not None and run[at].strip() == names.get(at):
            continue  # Name is what the sheet computed, name a goal's
        if at is not None and column.name not in found:
            found.pop(names.get(at, ""), None)
            found[column.name] = at
    return found


def _extended(found: Found, run: Mapping[int, str]) -> Found:
    if min(run) - max(found.columns.values()) > _FURTHEST:
        return found
    more, exact = _matched(found.table, run)
    new = {name: at for name, at in more.items() if name not in found.columns}
    return Found(found.table, found.grid, found.header, {**found.columns, **new}, found.exact + exact)


def _key(text: Cell) -> str:
    return fold(str(text)).replace("_", "").replace("*", "")


@cache
def _every_header() -> frozenset[str]:
    return frozenset(word for table in TABLES for word in headers(table))


@cache
def headers(table: Table) -> Mapping[str, str]:
    """Return the column that each known header means: identifiers, captions, document keys, and other words."""
    names: dict[str, str] = {}

    def learn(column: Column, words: Sequence[str]) -> None:
        for word in words:
            if word:
                names.setdefault(_key(word), column.name)

    for column in table.columns:
        learn(column, (column.name,))
    for column in table.columns:
        others = (word for meaning, word in _accepted("header") if meaning == f"{table.name}.{column.name}")
        learn(column, (*(column.caption(lang) for lang in LANGUAGES), column.key, *others))
    if table.name == "Holdings":  # a broker's own table may be pasted there
        from engine.data.brokers.tables import known_words

        fields = {column.key: column for column in table.columns if column.key in _PASTED}
        for word, field in known_words("field").items():
            if field in fields:
                learn(fields[field], (word,))
    return names


_NUMBERS = frozenset({"quantity", "price", "money", "rate", "weight", "drift", "number", "integer"})
_SEPARATORS = re.compile(r"[,;/·\n]+")


@dataclass(frozen=True, slots=True)
class RowRead:
    """One row of a table: its number on the sheet, and the value of each filled column."""

    number: int
    values: dict[str, object]


class TableReader:
    """The rows of one table as they are read, and what is wrong with their cells."""

    def __init__(self, found: Found, source: str) -> None:
        self.found = found
        self.source = source
        self.problems: list[Problem] = []
        self._filled = self._merged_cells()

    def where(self, row: int, column: str = "") -> Phrase:
        """Return the place of a row or cell: file, sheet, row and column."""
        here = {"file": self.source, "sheet": self.found.grid.name, "row": row}
        if column in self.found.columns:
            return place("sheet-cell", **here, letters=letters(self.found.columns[column]), column=column)
        return place("sheet-field", **here, column=column) if column else place("sheet-row", **here)

    def rows(self, columns: tuple[Column, ...]) -> Iterator[RowRead]:
        """Yield every row that has something in it, in the order of the sheet."""
        known = {c.name: c for c in columns if c.name in self.found.columns and not c.hidden}
        for number in sorted({*self.found.numbers(), *self._filled}):
            cells = self.found.grid.rows.get(number, {})
            values: dict[str, object] = {}
            for name, column in known.items():
                value = self._filled.get(number, {}).get(name, cells.get(self.found.columns[name]))
                converted = self._convert(column, value, number)
                if converted is not None:
                    values[name] = in_codes(column, converted, values)
            if values and not self._is_sum(values):
                yield RowRead(number, values)

    def _is_sum(self, values: dict[str, object]) -> bool:
        """Tell whether this is the row of sums that people write under their tables."""
        texts = [values["Ticker"]] if "Ticker" in values else list(values.values())
        return self.found.table.sums and any(isinstance(v, str) and fold(v) in _meanings("sum") for v in texts)

    def _merged_cells(self) -> dict[int, dict[str, Cell]]:
        """Return what merged cells say for the rows below their first: the same as for the first."""
        filled: dict[int, dict[str, Cell]] = {}
        names = {at: name for name, at in self.found.columns.items()}
        for at, first, last in self.found.grid.merged:
            value = self.found.grid.rows.get(first, {}).get(at)
            if at in names and first > self.found.header and value is not None:
                for number in range(first + 1, last + 1):
                    filled.setdefault(number, {})[names[at]] = value
        return filled

    def _convert(self, column: Column, value: Cell, row: int) -> object:
        if value is None:
            return None
        if isinstance(value, CellError):
            self.problems.append(error("cell-error.input", self.where(row, column.name), value=str(value)))
            return None
        if isinstance(value, Uncomputed):
            self.problems.append(error("not-calculated", self.where(row, column.name)))
            return None
        if isinstance(value, str):
            value = value.strip()
            if column.type in _NUMBERS or column.type in ("ticker", "date"):
                value = value.removeprefix("'")  # typed to keep zeros, where a program shows it
            if not value:
                return None
        return _typed(column, value)


def in_codes(column: Column, value: object, row: Mapping[str, object]) -> object:
    """Return a cell's value with codes in place of words of any language; `row` is what is known of its row."""
    kind = column.vocabulary(row) if column.words else ""
    if not kind:
        return value
    if isinstance(value, list):
        return [meant(kind, text) for text in value]
    return meant(kind, value) if isinstance(value, str) else value


def _typed(column: Column, value: Cell) -> object:
    if column.type in _NUMBERS:
        return _number(value)
    if column.type == "ticker":
        return _text(value).upper() if isinstance(value, str) else _text(value)
    if column.type == "bool":
        return flag(value)
    if column.type == "choice":
        return _chosen(column, _text(value))
    if column.type == "list":
        return [_chosen(column, piece) for piece in pieces(_text(value))]
    if column.type in ("date", "datetime"):
        return _date(value)
    return value if column.plain and not isinstance(value, str) else _text(value)


def _number(value: Cell) -> object:
    """Return a number; text that is clearly one ("1,234", "₩1,000", "12.5%") is read as that."""
    if not isinstance(value, str):
        return value
    plain = repaired_number(value)
    return Decimal(plain) if plain is not None else value


def _text(value: Cell) -> str:
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)


def flag(value: Cell) -> object:
    """Return the truth value that a cell means; what means none stays."""
    meaning = _meanings("flag").get(fold(_text(value)))
    return value if meaning is None else meaning == "true"


def _date(value: Cell) -> object:
    if isinstance(value, Decimal):
        try:
            return from_serial(value)
        except ValueError:
            return plain_number(value)
    if isinstance(value, str):
        return repaired_date(value) or value
    return value


def pieces(text: str) -> list[str]:
    """Return the pieces of a list that a person wrote in one cell."""
    found = (piece.strip() for piece in _SEPARATORS.split(text))
    return [piece for piece in found if piece]


def words(text: str) -> list[str]:
    """Return the codes of the choices in a list that a person wrote in one cell."""
    return [_choice(piece) for piece in pieces(text)]


def _chosen(column: Column, text: str) -> str:
    """Return the code of a choice: what the column's own words mean comes first."""
    own = meant(column.vocabulary({}), text) if column.words else text
    return own if own != text else _choice(text)


def _choice(text: str) -> str:
    """Return the choice that a person's word means; a word that is not known stays."""
    return _meanings("choice").get(fold(text), text)


@cache
def _meanings(kind: str) -> Mapping[str, str]:
    """Return what each word of a kind means: a choice, a truth value, or nothing (a row of sums)."""
    return {word: meaning for meaning, word in _accepted(kind)}


@cache
def _accepted(kind: str) -> Sequence[tuple[str, str]]:
    """Return the words of a kind that are understood beside our own, in any language, each with what it means."""
    with (resources.files(__package__) / "accepted.csv").open(encoding="utf-8") as file:
        return [(row["meaning"], row["word"]) for row in csv.DictReader(file) if row["kind"] == kind]
