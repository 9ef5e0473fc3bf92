"""What a cell or a range passes, as plain values: whatever host it comes from, blanks and errors told apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from engine.errors import InputError, Problem
from engine.market.symbols import lost_zeros, shape
from engine.text import FIRST_DAY, LAST_DAY, plain_number, repaired_date, repaired_number
from templates.cells import Cell, CellError, Grid, from_serial, to_decimal

Rows = tuple[tuple[Cell, ...], ...]
#: What Excel passes for an argument that is left out.
MISSING = -2147352572
#: Whole numbers below this are exact in a cell.
_WHOLE = 1e15
_ERRORS = frozenset(("#N/A", "#VALUE!", "#NUM!", "#REF!", "#NAME?", "#DIV/0!", "#NULL!", "#SPILL!", "#CALC!"))


def bad_argument(argument: str, message: str, ko: str) -> InputError:
    """Return the error of an argument that cannot be used; the message (`ko`: in Korean) names value and repair."""
    return InputError([Problem("error", "bad-argument", argument, message, ko)])


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
        message = f"{len(found)} values where one is due: name one cell"
        raise bad_argument(argument, message, f"값 하나가 필요한데 {len(found)}개입니다: 셀 하나를 지정하세요")
    if found and isinstance(found[0], CellError):
        message = f"the cell shows {found[0]}: mend that cell first"
        raise bad_argument(argument, message, f"셀 값이 {found[0]}입니다: 그 셀을 먼저 고치세요")
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
        message = f"{value!s:.40} is not a {'whole ' * whole}number from {low} to {high}: write one"
        kind = "정수" if whole else "수"
        raise bad_argument(argument, message, f"값 {value!s:.40}: {low}부터 {high}까지의 {kind}로 적으세요")
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
        message = f"{value} is not a day from {first} to {LAST_DAY}: write one"
        raise bad_argument(argument, message, f"{value}: {first}부터 {LAST_DAY}까지의 날짜로 적으세요")
    if value is None or isinstance(value, dt.date):
        return value
    message = f"{value!s:.40} is not a date: write one, such as 2026-07-01"
    raise bad_argument(argument, message, f"값 {value!s:.40}: 2026-07-01처럼 날짜로 적으세요")


def ticker_of(argument: str, given: object) -> str:
    """Return a code or name; raises InputError for none, and for a number that is no code."""
    return _ticker(argument, value_of(argument, given))


def tickers_of(argument: str, given: object) -> tuple[str, ...]:
    """Return every code or name of a range once, blanks left out; raises InputError where there is none."""
    found = tuple(dict.fromkeys(_tickers(argument, rows_of(given) or ())))
    if not found:
        message = "no ticker stands here: name cells that hold some"
        raise bad_argument(argument, message, "종목코드가 없습니다: 종목코드가 있는 셀을 지정하세요")
    return found


def _tickers(argument: str, rows: Rows) -> Iterator[str]:
    for number, row in enumerate(rows, 1):
        for at, value in enumerate(row, 1):
            if isinstance(value, CellError):
                where, ko = f"{argument}, row {number}, column {at}", f"셀 값이 {value}입니다: 고치세요"
                raise bad_argument(where, f"the cell shows {value}: mend it", ko)
            if value is not None and str(value).strip():
                yield _ticker(f"{argument}, row {number}, column {at}", value)


def _ticker(argument: str, value: Cell) -> str:
    if value is None:
        message = 'no ticker: write a code or name as text, such as "069500"'
        raise bad_argument(argument, message, '종목코드 없음: "069500"처럼 코드나 이름을 텍스트로 적으세요')
    if not isinstance(value, Decimal | bool | dt.date):
        return value.strip()
    text = plain_number(value) if isinstance(value, Decimal) else str(value)
    if shape(text) is None or not isinstance(value, Decimal):
        meant = lost_zeros(text)
        repair = f"format the cell as text and write {meant}" if meant else "write a code or name as text"
        repair_ko = f"셀을 텍스트로 바꾸고 {meant}처럼 적으세요" if meant else "코드나 이름을 텍스트로 적으세요"
        ko = f"{text}: 종목코드가 아니라 숫자입니다. {repair_ko}"
        raise bad_argument(argument, f"{text} is a number, not a ticker: {repair}", ko)
    return text
