"""What the cells near a calling one ask for: each knows its own ticker alone, and one batch is to serve them all.

A host passes a sheet from its cell A1: the values of its cells and, right of them, in as many columns, their formulas.
Tickers are read where a formula names them as text, by one cell of the same sheet, or by a column of its own table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from templates.cells import Cell
from xl_addin.functions.cells import Rows, rows_of

#: The first argument of a price function: a text, a column of the same row of a table, or a cell. LibreOffice may write
#: REBAL.PRICE.
_CALL = re.compile(
    r"""REBAL[_.](?:PRICE|FX)\(\s*
        (?:"(?P<text>[^"]*)"
          |\w*\[\[\#This\ Row\],\s*\[(?P<column>[^\]]+)\]\]
          |\w*\[@\[?(?P<short>[^\]]+)\]?\]
          |\$?(?P<letters>[A-Z]{1,3})\$?(?P<row>\d{1,7}))
        \s*[,;)]""",
    re.IGNORECASE | re.VERBOSE,
)


def tickers_near(near: object) -> tuple[str, ...]:
    """Return the tickers and pairs that the price functions of the sheet, or sheets by title, ask for."""
    given = near.values() if isinstance(near, Mapping) else (near,)
    sheets = (rows for one in given if (rows := rows_of(one)) is not None)
    return tuple(dict.fromkeys(text for rows in sheets for text in _asked(rows)))


def _asked(rows: Rows) -> Iterator[str]:
    width = max(map(len, rows), default=0) // 2
    values = [row[:width] for row in rows]
    for number, row in enumerate(rows):
        for formula in row[width:]:
            for call in _CALL.finditer(formula) if isinstance(formula, str) and formula.startswith("=") else ():
                value = _named(values, number, call)
                if isinstance(value, str) and value.strip():
                    yield value.strip()


def _named(values: Sequence[Sequence[Cell]], number: int, call: re.Match[str]) -> Cell:
    """Return what a call's argument holds, None where that cannot be told."""
    if call["text"] is not None:
        return call["text"]
    header = call["column"] or call["short"]
    if header is not None:
        return _beside(values, number, header)
    return _at(values, int(call["row"]) - 1, _column(call["letters"]))


def _beside(values: Sequence[Sequence[Cell]], number: int, header: str) -> Cell:
    """Return the value of the same row in the column that the nearest header above it names."""
    for row in reversed(values[:number]):
        if header in row:
            return _at(values, number, row.index(header))
    return None


def _at(values: Sequence[Sequence[Cell]], row: int, column: int) -> Cell:
    return values[row][column] if row < len(values) and column < len(values[row]) else None


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
