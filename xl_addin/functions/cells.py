"""What a cell or a range passes, as plain values, and what a cell can show: the same for every host.

Blanks and errors are told apart on the way in; on the way out an error is a token, which hosts replace by the real one.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from engine.errors import InputError, error
from engine.market.catalogue import lost_zeros, shape
from engine.phrase import Phrase, place
from engine.text import FIRST_DAY, LAST_DAY, plain_number, repaired_date, repaired_number
from templates.cells import Cell, CellError, Grid, from_serial, to_decimal

Rows = tuple[tuple[Cell, ...], ...]
Shown = str | bool | int | float | dt.date | None
Answer = Shown | list[list[Shown]]
NA, VALUE, NUM = "#REBAL!N/A", "#REBAL!VALUE", "#REBAL!NUM"
TOKENS: tuple[str, ...] = (NA, VALUE, NUM)
#: What VBA's CVErr takes for each token, and the real error as cells show it.
CVERR: Mapping[str, int] = {NA: 2042, VALUE: 2015, NUM: 2036}
SHOWN: Mapping[str, str] = {NA: "#N/A", VALUE: "#VALUE!", NUM: "#NUM!"}
#: What Excel passes for an argument that is left out.
MISSING = -2147352572
#: Whole numbers below this are exact in a cell.
_WHOLE = 1e15
_ERRORS = frozenset(("#N/A", "#VALUE!", "#NUM!", "#REF!", "#NAME?", "#DIV/0!", "#NULL!", "#SPILL!", "#CALC!"))


def bad_argument(variant: str, where: str | Phrase, **values: object) -> InputError:
    """Return the error of an argument that cannot be used: the message `bad-argument.<variant>` says the repair."""
    return InputError([error(f"bad-argument.{variant}", where, **values)])


def in_range(argument: str, row: int, column: int) -> Phrase:
    """Return the place of a cell within the range of an argument, counted from 1."""
    return place("argument-cell", argument=argument, row=row, column=column)


def shown(value: object) -> Shown:
    """Return what a cell shows: money as the nearest number it can hold, what is no number as #N/A."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else NA
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None, microsecond=0)
    if value is None or isinstance(value, str | bool | int | dt.date):
        return value
    return str(value)


def matrix(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[list[Shown]]:
    """Return rows under headers that depend on the call."""
    return [list(header), *([shown(value) for value in row] for row in rows)]


def rows_of(given: object) -> Rows | None:
    """Return an argument as rows of cells; None where it is left out. One value is one row of one, a list one row."""
    if given is None or (isinstance(given, int) and given == MISSING):
        return None
    if isinstance(given, str) or not isinstance(given, Sequence):
        return ((cell_of(given),),)
    if not any(isinstance(row, Sequence) and not isinstance(row, str) for row in given):
        given = (given,)
    return tuple(
        tuple(cell_of(value) for value in (row if isinstance(row, Sequence) and not isinstance(row, str) else (row,)))
        for row in given
    )


def cell_of(value: object) -> Cell:
    """Return one cell's value: numbers as Decimal, dates without a zone, errors marked, an empty text as None."""
    if value is None or isinstance(value, bool | Decimal | CellError):
        return value
    if isinstance(value, str):
        if value.strip() in _ERRORS:
            return CellError(value.strip())
        return value or None
    if isinstance(value, int | float):
        try:
            whole = abs(value) < _WHOLE and value == int(value)
            return to_decimal(repr(int(value) if whole else value))
        except ValueError:
            return CellError("#NUM!")  # not a number, or infinite
    if isinstance(value, dt.datetime):
        plain = dt.datetime(*value.timetuple()[:6])  # noqa: DTZ001 - a spreadsheet's dates have no zone
        return plain.date() if plain.time() == dt.time() else plain
    return value if isinstance(value, dt.date) else str(value)


def grid(name: str, rows: Rows) -> Grid:
    """Return rows as a sheet of this name, whose A1 is their first cell."""
    cells = {
        number: kept
        for number, row in enumerate(rows, 1)
        if (kept := {at: value for at, value in enumerate(row, 1) if value is not None})
    }
    return Grid(name, cells)


def sheets(tables: object) -> list[Grid]:
    """Return the sheets that a host passes: a mapping of rows, or VBA's one array with the titles in its first row."""
    if isinstance(tables, Mapping):
        return [grid(str(name), rows_of(rows) or ()) for name, rows in tables.items()]
    rows = rows_of(tables) or ((),)
    starts = [at for at, title in enumerate(rows[0]) if title is not None]
    ends = [*starts[1:], len(rows[0])]
    spans = zip(starts, ends, strict=False)
    return [grid(str(rows[0][start]), tuple(row[start:end] for row in rows[1:])) for start, end in spans]


def value_of(argument: str, given: object) -> Cell:
    """Return the single value of an argument, None where it is left out or blank; raises InputError for a range."""
    found = [value for row in rows_of(given) or () for value in row if value is not None]
    if len(found) > 1:
        raise bad_argument("many", argument, number=len(found))
    if found and isinstance(found[0], CellError):
        raise bad_argument("error-first", argument, value=found[0])
    return found[0].strip() or None if found and isinstance(found[0], str) else next(iter(found), None)


def text_of(argument: str, given: object) -> str:
    """Return a text argument, "" where it is left out."""
    value = value_of(argument, given)
    if value is None:
        return ""
    return plain_number(value) if isinstance(value, Decimal) else str(value)


def number_of(argument: str, given: object, default: Decimal, low: int, high: int, *, whole: bool) -> Decimal:
    """Return a number between two others; text that is clearly a number counts as one."""
    value = value_of(argument, given)
    if value is None:
        return default
    if isinstance(value, str):
        plain = repaired_number(value)
        value = Decimal(plain) if plain is not None else value
    if not isinstance(value, Decimal) or not low <= value <= high or (whole and value != int(value)):
        raise bad_argument("whole" if whole else "number", argument, value=str(value), low=low, high=high)
    return value


def day_of(argument: str, given: object, first: dt.date = FIRST_DAY) -> dt.date | None:
    """Return a date from `first` on, None where it is left out; a day number or a text of digits counts as one.

    Raises InputError for anything else, and for days that nobody can compute with.
    """
    value = value_of(argument, given)
    try:
        if isinstance(value, Decimal):
            value = from_serial(value)
        elif isinstance(value, str):
            value = dt.date.fromisoformat(repaired_date(value) or value)
    except ValueError:
        value = str(value)
    value = value.date() if isinstance(value, dt.datetime) else value
    if isinstance(value, dt.date) and not first <= value <= LAST_DAY:
        raise bad_argument("day-range", argument, value=value, first=first, last=LAST_DAY)
    if value is None or isinstance(value, dt.date):
        return value
    raise bad_argument("date", argument, value=str(value))


def ticker_of(argument: str, given: object) -> str:
    """Return a code or name; raises InputError for none, and for a number that is no code."""
    return _ticker(argument, value_of(argument, given))


def tickers_of(argument: str, given: object) -> tuple[str, ...]:
    """Return every code or name of a range once, blanks left out; raises InputError where there is none."""
    found = tuple(dict.fromkeys(_tickers(argument, rows_of(given) or ())))
    if not found:
        raise bad_argument("no-tickers-here", argument)
    return found


def _tickers(argument: str, rows: Rows) -> Iterator[str]:
    for number, row in enumerate(rows, 1):
        for at, value in enumerate(row, 1):
            if isinstance(value, CellError):
                raise bad_argument("error", in_range(argument, number, at), value=value)
            if value is not None and str(value).strip():
                yield _ticker(in_range(argument, number, at), value)


def _ticker(where: str | Phrase, value: Cell) -> str:
    if value is None:
        raise bad_argument("no-ticker", where)
    if not isinstance(value, Decimal | bool | dt.date):
        return value.strip()
    text = plain_number(value) if isinstance(value, Decimal) else str(value)
    if shape(text) is None or not isinstance(value, Decimal):
        meant = lost_zeros(text)
        if meant:
            raise bad_argument("lost-zeros", where, value=text, meant=meant)
        raise bad_argument("ticker-is-number", where, value=text)
    return text
