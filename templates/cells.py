"""What cells hold and how they are addressed, whatever file or program they are of; nothing here needs a library."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal


class CellError(str):
    """An error that a cell shows, such as #N/A."""

    __slots__ = ()


class Uncomputed(str):
    """A formula whose value the file does not hold."""

    __slots__ = ()


NA = CellError("#N/A")
#: What a cell that was read holds, and what one that is written may hold.
Cell = str | bool | Decimal | dt.date | dt.datetime | None
Value = Cell | int | float
#: A row of a table by the names of its columns.
Row = Mapping[str, Value]
Rows = tuple[Row, ...]
#: Sheets larger than this are no portfolio; reading stops there, and says so.
MAX_ROWS, MAX_COLUMNS = 100_000, 300


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet: row number → column number → value, both from 1, empty cells left out.

    `merged` holds the areas of merged cells within one column, as (column, first row, last row); `part` is where the
    sheet stands in its file, where that is a package of parts.
    """

    name: str
    rows: Mapping[int, Mapping[int, Cell]]
    merged: Sequence[tuple[int, int, int]] = field(default_factory=tuple)
    part: str = ""


def letters(column: int) -> str:
    """Return the letters of a column number: 28 is AB."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def quoted_sheet(title: str) -> str:
    """Return a sheet's title as an address holds it.

    >>> quoted_sheet("Kim's")
    "'Kim''s'"
    """
    return "'" + title.replace("'", "''") + "'"


def column_number(address: str) -> int:
    """Return the column number of an address: AB7 is 28."""
    number = 0
    for character in address:
        if not "A" <= character <= "Z":
            break
        number = number * 26 + ord(character) - 64
    return number


def to_decimal(text: str) -> Decimal:
    """Return a stored number with the digits a person sees, not the binary tail; raises ValueError for none."""
    number = float(text)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return Decimal(repr(number)) if not text.lstrip("-").isdigit() else Decimal(text)


def from_serial(number: Decimal, *, mac: bool = False) -> dt.date | dt.datetime:
    """Return the date that a spreadsheet's day number means; raises ValueError out of range."""
    days = float(number) + (1462 if mac else 0)
    if not 1 <= days < 2_958_466:
        raise ValueError(f"{number} is no date")
    start = dt.datetime(1899, 12, 30 if days >= 60 else 31)  # noqa: DTZ001 - a spreadsheet's dates have no zone
    moment = start + dt.timedelta(seconds=round(days * 86_400))
    return moment.date() if moment.time() == dt.time() else moment
