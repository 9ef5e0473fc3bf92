"""Calendar quarters that are over, and what a series and its benchmark returned in each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from engine.analysis.returns import total_return
from engine.history import Series
from engine.schedule import add_months, next_weekday


@dataclass(frozen=True, slots=True)
class Quarter:
    """Compare one complete calendar quarter; None where a close is missing. Returns are of the quarter, not yearly."""

    quarter: str
    value: float | None
    benchmark: float | None
    excess: float | None


def complete_quarters(as_of: dt.date, count: int) -> tuple[dt.date, ...]:
    """Return the last calendar days of the latest complete quarters, oldest first.

    A quarter is complete once its last weekday has come.
    """
    first = dt.date(as_of.year, as_of.month - (as_of.month - 1) % 3, 1)
    end = add_months(first, 3) - dt.timedelta(days=1)
    if as_of < _last_weekday(end):
        end = first - dt.timedelta(days=1)
    next_first = end + dt.timedelta(days=1)
    return tuple(add_months(next_first, -3 * back) - dt.timedelta(days=1) for back in range(count - 1, -1, -1))


def _last_weekday(day: dt.date) -> dt.date:
    return day if next_weekday(day) == day else day - dt.timedelta(days=day.weekday() - 4)


def quarter_returns(own: Series, benchmark: Series | None, ends: Sequence[dt.date]) -> tuple[Quarter, ...]:
    """Return the return of each quarter, the benchmark's, and the difference, rounded to 12 digits.

    Both run from the last close of the quarter before to the last close of the quarter, in the series' currency.
    """
    rows = []
    for end in ends:
        start = add_months(end + dt.timedelta(days=1), -3) - dt.timedelta(days=1)
        value = total_return(own, start, end)
        other = total_return(benchmark, start, end) if benchmark is not None else None
        # 0.10 − 0.15 is above −0.05 in binary: rounding puts a lag of exactly five points back onto its limit.
        excess = round(value - other, 12) if value is not None and other is not None else None
        rows.append(Quarter(f"{end.year}Q{(end.month + 2) // 3}", value, other, excess))
    return tuple(rows)
