"""One table's cells as plain values by column: what a person typed, read as meant where that is certain."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from engine.errors import Problem
from engine.text import fold, plain_number, repaired_date, repaired_number
from templates.reading.find import Found
from templates.reading.grid import Cell, ErrorValue, Uncomputed, from_serial, letters
from templates.schema import Column
from templates.spec import FALSE_WORDS, SUM_WORDS, TRUE_WORDS, WORDS

_NUMBERS = frozenset({"quantity", "price", "money", "rate", "weight", "drift", "number", "integer"})
_SEPARATORS = re.compile(r"[,;/·\n]+")


@dataclass(frozen=True, slots=True)
class RowRead:
    """Hold one row of a table: its number on the sheet, and the value of each filled column."""

    number: int
    values: dict[str, object]


class TableReader:
    """Read the rows of one table, gathering what is wrong with their cells."""

    def __init__(self, found: Found, source: str) -> None:
        self.found = found
        self.source = source
        self.problems: list[Problem] = []
        self._filled = self._merged_cells()

    def where(self, row: int, column: str = "") -> str:
        """Return the words for a cell: file, sheet, row and column."""
        text = f"{self.source} sheet {self.found.grid.name!r} row {row}"
        if column in self.found.columns:
            return f"{text} column {letters(self.found.columns[column])} ({column})"
        return f"{text} ({column})" if column else text

    def rows(self, columns: tuple[Column, ...]) -> Iterator[RowRead]:
        """Yield every row that has something in it, in the order of the sheet."""
        known = {c.name: c for c in columns if c.name in self.found.columns}
        taken = set(self.found.columns.values())
        for number in sorted(self.found.grid.rows):
            if number <= self.found.header:
                continue
            cells = self.found.grid.rows[number]
            if not any(at in cells for at in taken) and number not in self._filled:
                continue
            values: dict[str, object] = {}
            for name, column in known.items():
                value = self._filled.get(number, {}).get(name, cells.get(self.found.columns[name]))
                converted = self._convert(column, value, number)
                if converted is not None:
                    values[name] = converted
            if values and not self._is_sum(values):
                yield RowRead(number, values)

    def _is_sum(self, values: dict[str, object]) -> bool:
        texts = [values["Ticker"]] if "Ticker" in values else list(values.values())
        summed = "Ticker" in self.found.table.index or self.found.table.name == "Cash"
        return summed and any(isinstance(v, str) and fold(v) in SUM_WORDS for v in texts)

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
        if isinstance(value, ErrorValue):
            message = f"the cell shows {value}: write a value, or mend its formula"
            ko = f"셀 값이 {value}입니다: 값을 적거나 수식을 고치세요"
            self._problem(row, column, "cell-error", message, ko)
            return None
        if isinstance(value, Uncomputed):
            message = "the formula has no value yet: open the file in a spreadsheet, let it calculate, save it"
            ko = "아직 계산되지 않은 수식입니다: 스프레드시트에서 열어 계산한 뒤 저장하세요"
            self._problem(row, column, "not-calculated", message, ko)
            return None
        if isinstance(value, str):
            value = value.strip()
            if column.type in _NUMBERS or column.type in ("ticker", "date"):
                value = value.removeprefix("'")  # typed to keep zeros, where a program shows it
            if not value:
                return None
        return _typed(column, value)

    def _problem(self, row: int, column: Column, code: str, message: str, ko: str) -> None:
        self.problems.append(Problem("error", code, self.where(row, column.name), message, ko))


def _typed(column: Column, value: Cell) -> object:
    if column.type in _NUMBERS:
        return _number(value)
    if column.type == "ticker":
        return _text(value).upper() if isinstance(value, str) else _text(value)
    if column.type == "bool":
        return _flag(value)
    if column.type == "choice":
        return WORDS.get(fold(_text(value)), _text(value))
    if column.type == "list":
        return words(_text(value))
    if column.type in ("date", "datetime"):
        return _date(value)
    return value if column.name == "Value" and not isinstance(value, str) else _text(value)


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


def _flag(value: Cell) -> object:
    word = fold(_text(value))
    if word in TRUE_WORDS:
        return True
    return False if word in FALSE_WORDS else value


def _date(value: Cell) -> object:
    if isinstance(value, Decimal):
        try:
            return from_serial(value)
        except ValueError:
            return plain_number(value)
    if isinstance(value, str):
        return repaired_date(value) or value
    return value


def words(text: str) -> list[str]:
    """Return the words of a list that a person wrote in one cell."""
    found = (piece.strip() for piece in _SEPARATORS.split(text))
    return [WORDS.get(fold(piece), piece) for piece in found if piece]
