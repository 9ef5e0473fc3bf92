"""What a column, a table, a sheet and a named cell are: the vocabulary that `templates.spec` is written in.

What they are called is in the catalogues of `engine.words`: `column.<Table>.<Column>`, `help.<Table>.<Column>` (where
there is one), `table.<Table>`, `note.<Table>`, `sheet.<Sheet>`, `purpose.<Sheet>`, `name.<Name>`, `label.<Name>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.words import LANGUAGES, Lang, known, say

ColumnType = Literal[
    "text", "ticker", "choice", "list", "bool", "integer", "number", "quantity", "price", "money", "rate", "weight",
    "fee", "drift", "correlation", "date", "datetime", "signal", "status",
]  # fmt: skip
#: input: a person writes it; formula: the sheet computes it; result: the engine writes it.
Role = Literal["input", "formula", "result"]
#: Column types that reveal how much is held; a weights-only copy leaves them out.
REVEALING: frozenset[ColumnType] = frozenset({"quantity", "price", "money", "rate"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its identifier (the same in every language), the kind of its values, and who writes them.

    `key` is the field of a document record that an input column holds. In `formula`, `{Column}` is this row's cell,
    `{Table.Column}` a whole column, `{!label}` a text of the catalogue's `label.…`; other names are the workbook's
    own. `unit` names the column of the same row that holds a money column's currency; empty means the base currency.
    `link` marks a formula that only fetches from another sheet. `owner` is the table it stands in; without one, a
    column is called by its identifier.

    What is special about it: `check` tells what is wrong with its row; `sides` are buys and sells, coloured; `percent`
    shows a number as a fee; `kind_of` gives the kind of each row's figure where they differ; `bounded` is false where
    words stand for a number too; an `optional` column stands only in workbooks that use one, and there `wider` is the
    formula of those that reckon with them, `goaled` that of workbooks with goals; `plain` keeps numbers and dates as
    they are among texts. For copies: `reveals` overrules what the type tells about amounts; `shared` is false for what
    serves its owner only; `exact` weights are not rounded; `indexed` amounts are replaced by an index. `words` is the
    kind of word that stands in its cells for a code, in the workbook's language; a `hidden` column is there for
    formulas only, a `wrapped` one holds sentences.
    """

    name: str
    type: ColumnType = "text"
    role: Role = "input"
    width: int = 11
    key: str = ""
    choices: tuple[str, ...] = ()
    formula: str = ""
    unit: str = ""
    link: bool = False
    check: bool = False
    sides: bool = False
    percent: bool = False
    kind_of: Callable[[Mapping[str, object]], ColumnType] | None = None
    bounded: bool = True
    plain: bool = False
    reveals: bool | None = None
    shared: bool = True
    exact: bool = False
    indexed: bool = False
    optional: bool = False
    wider: str = ""
    goaled: str = ""
    owner: str = ""
    words: str | Callable[[Mapping[str, object]], str] = ""
    hidden: bool = False
    wrapped: bool = False

    def vocabulary(self, row: Mapping[str, object]) -> str:
        """Return the kind of word (`templates.spec.vocabulary`) that a row's cell holds, "" for none."""
        return self.words if isinstance(self.words, str) else self.words(row)

    @property
    def private(self) -> bool:
        """Tell whether the column reveals how much is held."""
        return self.type in REVEALING if self.reveals is None else self.reveals

    def caption(self, lang: Lang) -> str:
        """Return what stands above the column in a language."""
        return say(f"column.{self.owner}.{self.name}", lang) if self.owner and not self.hidden else self.name

    def help(self, lang: Lang) -> str:
        """Return the hint for whoever fills it in, "" where it needs none."""
        return _if_known(f"help.{self.owner}.{self.name}", lang)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table: what a person fills in is an Excel table, what the engine writes a range with named columns.

    `spare` empty rows follow the data, ready to be filled in. `required` columns tell the reader that a row of headers
    is this table's. `ranges` is true where the columns are named ranges, because functions may spill into them. A
    `live` table stands only in workbooks with functions, an `optional` one where it has rows, a `fetched` one has rows
    only where closes and facts were to be had.

    What is special about it: `identity` are the columns by which a row is known again (rows of formulas without are
    known by their order); `results` tells that rows of inputs hold results too, `matrix` that it has a column for each
    of its rows besides, right of the table named; people write rows of `sums` under it; it is `printed` up to a column,
    and with a chart under it (`charted`). For copies: `always` shown, even empty; `amounts` tells that it says little
    but amounts, so that a weights-only copy computes with the rows of its `open_keys` at most and shows none.
    """

    name: str
    sheet: str
    columns: tuple[Column, ...]
    required: tuple[str, ...]
    ranges: bool = False
    spare: int = 3
    live: bool = False
    optional: bool = False
    fetched: bool = False
    identity: tuple[str, ...] = ()
    results: bool = False
    matrix: str = ""
    sums: bool = False
    printed: str = ""
    charted: bool = False
    always: bool = False
    amounts: bool = False
    open_keys: frozenset[str] = frozenset()
    index: Mapping[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        columns = tuple(replace(column, owner=self.name) for column in self.columns)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "index", {column.name: column for column in columns})

    @property
    def inputs(self) -> tuple[Column, ...]:
        """Return the columns that a person writes."""
        return tuple(column for column in self.columns if column.role == "input")

    @property
    def formulas(self) -> tuple[Column, ...]:
        """Return the columns that the sheet computes."""
        return tuple(column for column in self.columns if column.role == "formula")

    def caption(self, lang: Lang) -> str:
        """Return the table's title in a language."""
        return say(f"table.{self.name}", lang)

    @property
    def captions(self) -> tuple[str, ...]:
        """Return the table's title in every language."""
        return tuple(self.caption(lang) for lang in LANGUAGES)

    def note(self, lang: Lang) -> str:
        """Return what stands beside the title for whoever fills it in, or ""."""
        return _if_known(f"note.{self.name}", lang)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its identifier (also its code name) and its tab's colour; `stacked` tables stand one below the other.

    `block` columns, `tall` rows of which are printed, are its own before its tables begin, `width` those under its
    title where it has no tables; its named cells begin in the column `totals`. A copy to share has the sheets that are
    `shared`, a weights-only copy those shared in "weights". One printed `whole` is so where it holds nothing yet, too;
    an `optional` one is there where a table stands on it.
    """

    key: str
    tab: str
    block: int = 0
    tall: int = 11
    width: int = 0
    totals: int = 2
    stacked: bool = False
    whole: bool = False
    shared: Literal["", "values", "weights"] = ""
    optional: bool = False

    def title(self, lang: Lang) -> str:
        """Return the sheet's name in a language."""
        return say(f"sheet.{self.key}", lang)

    @property
    def titles(self) -> tuple[str, ...]:
        """Return the sheet's name in every language."""
        return tuple(self.title(lang) for lang in LANGUAGES)

    def purpose(self, lang: Lang) -> str:
        """Return what the sheet is for."""
        return say(f"purpose.{self.key}", lang)


@dataclass(frozen=True, slots=True)
class Name:
    """A named cell that formulas use, above the tables of a sheet: its formula, as in a column, and kind of value.

    A `private` one says nothing in a weights-only copy.
    """

    name: str
    sheet: str
    formula: str
    kind: Literal["money", "weight", "text", "count"]
    private: bool = False

    def caption(self, lang: Lang) -> str:
        """Return what stands before the cell."""
        return say(f"label.{self.name}", lang)

    def meaning(self, lang: Lang) -> str:
        """Return what it is, in a few words."""
        return say(f"name.{self.name}", lang)


def _if_known(key: str, lang: Lang) -> str:
    return say(key, lang) if known(key) else ""
