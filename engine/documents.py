"""What results become as JSON documents: plain dicts, lists, numbers and strings; numbers are never NaN."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from engine.errors import Problem

Document = dict[str, Any]


def number(value: Decimal | float | None) -> int | float | None:
    """Return a JSON number: whole ones as int, others as the nearest float; None for what is not a finite number."""
    if value is None or isinstance(value, int):
        return value
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) else float(value)


def problem_list(problems: Iterable[Problem]) -> list[Document]:
    """Return problems as JSON objects."""
    return [
        {
            "severity": problem.severity,
            "code": problem.code,
            "where": str(problem.where),
            "message": str(problem.message),
        }
        for problem in problems
    ]
