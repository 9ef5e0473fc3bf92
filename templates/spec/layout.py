"""Where each table stands, and the formulas that speak of it.

What the engine writes stands side by side, all headers on one row, so that each table can grow downwards; what a
person fills in and filters has a sheet of its own, or stands one below the other with room between. In the spec's
formulas `{Column}` is a cell of this row, `{Table.Column}` a whole column, `{!label}` a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.market import catalogue
from engine.words import Lang, say
from templates.cells import letters, quoted_sheet
from templates.spec import TABLES, sheet
from templates.spec.schema import Column, Table
from templates.spec.vocabulary import KINDS, every_word, spoken

#: Rows of every table sheet: title, purpose, totals, links, table titles, captions, identifiers, data.
TITLE_ROW, PURPOSE_ROW, TOTALS_ROW, LINKS_ROW, BLOCK_ROW, CAPTION_ROW, HEADER_ROW = 1, 2, 3, 4, 5, 6, 7
#: From the last row of a table to the headers of the next one below it.
_APART = 5
FIRST_ROW = HEADER_ROW + 1
#: Between a table's title and the note beside it.
BESIDE = "  —  "
FIRST_COLUMN = 2


@dataclass(frozen=True, slots=True)
class Placement:
    """A table's place: on which sheet (by title), from which column, over how many rows."""

    table: Table
    title: str
    columns: tuple[Column, ...]
    left: int
    rows: int
    header: int = HEADER_ROW

    @property
    def first_row(self) -> int:
        """Return the first row below the table's headers."""
        return self.header + 1

    @property
    def title_row(self) -> int:
        """Return the row of the table's title."""
        return self.header - HEADER_ROW + BLOCK_ROW

    @property
    def last_row(self) -> int:
        """Return the last row of the table's area."""
        return self.header + self.rows

    @property
    def right(self) -> int:
        """Return the last column of the table's area."""
        return self.left + len(self.columns) - 1

    def column(self, name: str) -> int:
        """Return the sheet column of a table column; raises KeyError where it is not shown."""
        for offset, column in enumerate(self.columns):
            if column.name == name:
                return self.left + offset
        raise KeyError(name)

    def letter(self, name: str) -> str:
        """Return the letter of a table column."""
        return letters(self.column(name))

    def area(self, name: str) -> str:
        """Return the absolute address of a column's cells, sheet included."""
        letter = self.letter(name)
        return f"{quoted_sheet(self.title)}!${letter}${self.first_row}:${letter}${self.last_row}"

    @property
    def ref(self) -> str:
        """Return the address of the table with its headers, without the sheet."""
        first, last = letters(self.left), letters(self.right)
        return f"{first}{self.header}:{last}{self.last_row}"


#: What a workbook has whose bands follow volatility.
VOLATILITY_COLUMNS = frozenset({"RelativeBand", "RelativeBandHigh", "Volatility"})
#: What a workbook has whose targets are goals: what they name, which is within which, and what counts in sums.
GOAL_COLUMNS = frozenset(
    {"Goal", "Members", "Class", "Share", "Consolidate", "Within", "Wanted", "Key", "Leaf", "Counted", "CountedWeight"}
)
#: A workbook with goals knows its targets by key, and reckons with the weights that shares come to.
_GOALED = {"Targets.Ticker": "Targets.Key", "Targets.Target": "Targets.Wanted"}
#: What is added up there: narrowest goals only, lest wider classes count twice.
_ADDED = {"Targets.Target": "Targets.Counted", "Targets.Weight": "Targets.CountedWeight"}


def arrange(
    counts: Mapping[str, int],
    lang: Lang,
    extra: Mapping[str, tuple[Column, ...]],
    keep: Callable[[Table, Column], bool],
    *,
    spare: bool = True,
    optional: frozenset[str] = frozenset(),
) -> dict[str, Placement]:
    """Place every table, each with room for its rows and its spare ones; `extra` columns follow the declared ones.

    `keep` tells which columns are shown, `optional` names those shown that not every workbook needs; a table without
    columns is left out, and a live one without rows.
    """
    placed: dict[str, Placement] = {}
    left: dict[str, int] = {}
    below: dict[str, int] = {}
    for table in TABLES:
        if (table.live or table.optional) and not counts.get(table.name):
            continue
        declared = tuple(
            replace(c, formula=_formula_of(c, optional)) for c in table.columns if not c.optional or c.name in optional
        )
        columns = tuple(c for c in (*declared, *extra.get(table.name, ())) if keep(table, c))
        if not columns:
            continue
        stands = sheet(table.sheet)
        header = below[table.sheet] + _APART if stands.stacked and table.sheet in below else HEADER_ROW
        # What a sheet begins with, and an empty column, come before its tables.
        start = FIRST_COLUMN + stands.block + bool(stands.block)
        start = start if stands.stacked else left.get(table.sheet, start)
        rows = max(counts.get(table.name, 0) + (table.spare if spare else 0), 1)
        placed[table.name] = Placement(table, stands.title(lang), columns, start, rows, header)
        left[table.sheet] = start + len(columns) + 1
        below[table.sheet] = header + rows
    return placed


def _formula_of(column: Column, optional: frozenset[str]) -> str:
    """Return the formula of a column in a workbook that has these optional columns."""
    wider = column.wider if optional >= VOLATILITY_COLUMNS else ""
    return (column.goaled if optional >= GOAL_COLUMNS else "") or wider or column.formula


_PLACE = re.compile(r"\{([!@~*#=+]?)([^{}]+)\}")


def quoted(text: str) -> str:
    """Return text as a formula holds it, its own quotation marks doubled."""
    return '"' + text.replace('"', '""') + '"'


def column_ref(placement: Placement, name: str) -> str:
    """Return a whole column in a formula: of an Excel table, or the name of the range."""
    if placement.table.ranges:
        return f"{placement.table.name}_{name}"
    return f"{placement.table.name}[{name}]"


def render(template: str, placements: Mapping[str, Placement], lang: Lang, own: Placement | None = None) -> str:
    """Return a formula; this row's cells are structured references, or `{row}` addresses in a range.

    For words in place of codes there are `{@kind.code}`, the word in the workbook's language; `{~kind:Column}`, the
    code of a cell, in whichever language its word is; `{*kind.code}`, the words of every language as an array; and
    `{#kind.code@Table.Column}`, the row of a column in which any of them stands. Where targets are goals, their
    tickers and weights are the goals' keys and weights, but in `{=Column}`; `{+Table.Column}` is what is added up.
    """
    goals = "Targets" in placements and any(column.name == "Key" for column in placements["Targets"].columns)

    def reference(name: str, sign: str = "") -> str:
        whole = name if "." in name or own is None else f"{own.table.name}.{name}"
        if goals and sign != "=":
            name = (_ADDED if sign else _GOALED).get(whole, name) if "." in name else _own_key(whole)
        return _reference(name, placements, own)

    def filled(match: re.Match[str]) -> str:
        sign, name = match.group(1), match.group(2)
        if sign == "!":
            return quoted(say(f"label.{name}", lang))
        if sign == "~":
            kind, _, column = name.partition(":")
            return _code_of(kind, reference(column))
        if sign in ("", "=", "+"):
            return reference(name, sign)
        word, _, column = name.partition("@")
        kind, _, code = word.rpartition(".")
        if sign == "@":
            return quoted(str(spoken(kind, code, lang)))
        listed = [quoted(one) for one in every_word(kind, code)]
        return f"{{{','.join(listed)}}}" if sign == "*" else _first_of(listed, reference(column))

    return _PLACE.sub(filled, template)


def _own_key(name: str) -> str:
    """Return the column of a target's own row that stands for another where targets are goals."""
    return _GOALED.get(name, name).rpartition(".")[2]


def _reference(name: str, placements: Mapping[str, Placement], own: Placement | None) -> str:
    table, _, column = name.rpartition(".")
    if table:
        return column_ref(placements[table], column)
    if own is None:
        raise KeyError(name)
    if own.table.ranges:
        return f"${own.letter(column)}{{row}}"
    own.column(column)
    return f"{own.table.name}[[#This Row],[{column}]]"


def _code_of(kind: str, cell: str) -> str:
    """Return the formula of the code that a cell's word means; what is no word of the kind stays."""
    text = f'{cell}&""'
    if kind == "class":
        # Every name, path and alias, however it is spaced: two arrays are shorter than a test for each.
        forms, names = (",".join(map(quoted, half)) for half in zip(*catalogue.class_names().items(), strict=True))
        form = f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({cell}," ",""),"_",""),"-","")'
        return f"IFERROR(INDEX({{{names}}},MATCH({form},{{{forms}}},0)),{text})"
    for code in reversed(KINDS[kind]):
        tests = ",".join(f"{cell}={quoted(word)}" for word in every_word(kind, code))
        text = f"IF(OR({tests}),{quoted(code)},{text})"
    return text


def _first_of(words: Sequence[str], column: str) -> str:
    text = f"MATCH({words[-1]},{column},0)"
    for word in reversed(words[:-1]):
        text = f"IFERROR(MATCH({word},{column},0),{text})"
    return text


def by_row(template: str, placements: Mapping[str, Placement], lang: Lang, own: Placement) -> Callable[[int], str]:
    """Return a function that gives the formula of each row."""
    text = render(template, placements, lang, own)
    if not own.table.ranges:
        return lambda _row: text
    parts = text.split("{row}")
    return lambda row: str(row).join(parts)
