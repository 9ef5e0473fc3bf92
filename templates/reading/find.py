"""Where the tables of a workbook are: by their headers, wherever a person has moved them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from engine.errors import Problem
from engine.text import fold
from templates.reading.grid import Cell, Grid
from templates.schema import LANGUAGES, Column, Table
from templates.spec import TABLES, sheet

#: Header cells to the left and right of an empty header belong to one table at most this far apart.
_FURTHEST = 40


@dataclass(frozen=True, slots=True)
class Found:
    """Hold a table that was found: its sheet, the row of its headers, and the sheet column of each of its columns."""

    table: Table
    grid: Grid
    header: int
    columns: Mapping[str, int]
    exact: int

    @property
    def at_home(self) -> bool:
        """Tell whether it stands on the sheet that is declared for it."""
        titles = {sheet(self.table.sheet).title.of(lang) for lang in LANGUAGES} | {self.table.sheet}
        return self.grid.name in titles or fold(self.grid.name).removesuffix(".csv") == fold(self.table.name)


def find_tables(grids: Sequence[Grid]) -> tuple[dict[str, Found], list[Problem]]:
    """Return the place of each table, and a note for each that stands there more than once."""
    candidates: dict[str, list[Found]] = {}
    for grid in grids:
        for found in _in_grid(grid):
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
    return chosen, problems


def _twice(first: Found, second: Found) -> Problem:
    message = (
        f"two tables have the headers of {first.table.name}: here and on sheet {second.grid.name!r}, "
        f"row {second.header}: rename or delete one"
    )
    ko = (
        f"{first.table.name} 표의 머리글이 두 곳에 있습니다: 여기와 {second.grid.name!r} 시트 {second.header}행. "
        "하나를 지우거나 이름을 바꾸세요"
    )
    return Problem("error", "two-tables", f"sheet {first.grid.name!r} row {first.header}", message, ko)


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
        learn(column, (column.caption.en, column.caption.ko, column.key, *column.aliases))
    return names
