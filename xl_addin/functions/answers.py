"""What a cell can show: numbers, texts, dates and error tokens, in rows under a header."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from xl_addin.functions.registry import NA, function

Shown = str | bool | int | float | dt.date | None
Answer = Shown | list[list[Shown]]


def table(name: str, rows: Iterable[Mapping[str, object]]) -> list[list[Shown]]:
    """Return rows under the function's declared headers; columns that a row does not have are left empty."""
    columns = function(name).columns
    return [list(columns), *([shown(row.get(column)) for column in columns] for row in rows)]


def matrix(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[list[Shown]]:
    """Return rows under headers that depend on the call."""
    return [list(header), *([shown(value) for value in row] for row in rows)]


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
