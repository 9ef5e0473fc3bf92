"""What a column, a table, a sheet and a named cell are: the vocabulary that `templates.spec` is written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from engine.words import Lang

ColumnType = Literal[
    "text", "ticker", "choice", "list", "bool", "integer", "number", "quantity", "price", "money", "rate", "weight",
    "fee", "drift", "correlation", "date", "datetime", "signal", "status",
]  # fmt: skip
#: input: a person writes it; formula: the sheet computes it; result: the engine writes it.
Role = Literal["input", "formula", "result"]
#: Column types that reveal how much is held; a weights-only copy leaves them out.
REVEALING: frozenset[ColumnType] = frozenset({"quantity", "price", "money", "rate"})


class Text(NamedTuple):
    """Hold one piece of text in both languages."""

    en: str
    ko: str

    def of(self, lang: Lang) -> str:
        """Return the text in one language."""
        return self.ko if lang == "ko" else self.en


@dataclass(frozen=True, slots=True)
class Column:
    """Declare a column: its identifier (the same in every language), caption, kind of value, and who writes it.

    `key` is the field of a document record that an input column holds. In `formula`, `{Column}` is this row's cell,
    `{Table.Column}` a whole column, `{!label}` a text of `templates.labels`; other names are the workbook's own.
    `aliases` are other headers that the reader understands, beside the identifier and both captions. `unit` names the
    column of the same row that holds a money column's currency; empty means the base currency. `link` marks a formula
    that only fetches from another sheet.
    """

    name: str
    caption: Text
    type: ColumnType = "text"
    role: Role = "input"
    width: int = 11
    key: str = ""
    choices: tuple[str, ...] = ()
    formula: str = ""
    aliases: tuple[str, ...] = ()
    help: Text = Text("", "")
    reveals: bool | None = None
    unit: str = ""
    link: bool = False

    @property
    def private(self) -> bool:
        """Tell whether the column reveals how much is held."""
        return self.type in REVEALING if self.reveals is None else self.reveals


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Declare a table. An input table is an Excel table; what the engine writes is a range with named columns.

    `spare` empty rows follow the data, ready to be filled in. `required` columns tell the reader that a row of headers
    is this table's. `ranges` is true where the columns are named ranges, because functions may spill into them. A
    `live` table stands only in workbooks with functions.
    """

    name: str
    sheet: str
    caption: Text
    columns: tuple[Column, ...]
    required: tuple[str, ...]
    ranges: bool = False
    spare: int = 3
    note: Text = Text("", "")
    live: bool = False
    index: Mapping[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {column.name: column for column in self.columns})

    @property
    def inputs(self) -> tuple[Column, ...]:
        """Return the columns that a person writes."""
        return tuple(column for column in self.columns if column.role == "input")


@dataclass(frozen=True, slots=True)
class Sheet:
    """Declare a sheet: its identifier (also its code name), its title in each language, its purpose, its tab colour."""

    key: str
    title: Text
    purpose: Text
    tab: str


@dataclass(frozen=True, slots=True)
class Name:
    """Declare a named cell that formulas use; `sheet` holds it."""

    name: str
    sheet: str
    meaning: Text
