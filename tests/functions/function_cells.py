"""Cells of every host in one form, so that they can be compared."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from xl_addin.functions.cells import SHOWN

EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's dates have no zone
#: LibreOffice's numbers of errors.
ERRORS = {32767: "#N/A", 519: "#VALUE!", 503: "#NUM!", 504: "#VALUE!"}


def same(value: Any) -> Any:
    """Return a cell in the form that every host can be compared in."""
    if isinstance(value, dict) and "error" in value:
        return ERRORS.get(value["error"], value["error"])
    if isinstance(value, dt.date):
        moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
        value = (moment - EPOCH) / dt.timedelta(days=1)
    if isinstance(value, bool | int | Decimal):
        return float(value)
    if isinstance(value, float):
        return float(f"{value:.10g}")
    return SHOWN.get(value, value) if isinstance(value, str) else "" if value is None else value


def rows(answer: Any) -> list[list[Any]]:
    """Return an answer as rows of comparable cells."""
    table = answer if isinstance(answer, list) else [[answer]]
    table = table if isinstance(table[0], list) else [table]  # VBA spills a list as one row
    return [[same(value) for value in row] for row in table]
