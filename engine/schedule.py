"""When a section is next due for its review."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Mapping

from engine.portfolio import Rule
from engine.settings import Schedule

#: Turns a date into the first day on or after it that counts.
Roll = Callable[[dt.date], dt.date]

#: Months between two reviews; they divide 12, so that reviews without a known last one start in January.
PERIOD_MONTHS: Mapping[Schedule, int] = {"monthly": 1, "quarterly": 3, "semi-annual": 6, "annual": 12}


def next_weekday(day: dt.date) -> dt.date:
    """Return the day itself, or the Monday after it on a weekend."""
    return day + dt.timedelta(days=7 - day.weekday() if day.weekday() >= 5 else 0)


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day some months later, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def next_due(rule: Rule, as_of: dt.date, roll: Roll = next_weekday) -> tuple[bool, dt.date | None]:
    """Tell whether a section is due on `as_of`, and its due date: past or today when due, else to come.

    With `last_rebalanced` it is due a period after that. Without, it is never due (nothing says how long ago the last
    review was), and the date shown is the first review of the calendar year's rhythm still to come: every month;
    January, April, July, October; January, July; January. `roll` moves a date onto a day that counts (a weekday, or a
    session of an exchange). A rule without a schedule has no date.
    """
    if rule.schedule == "none":
        return False, None
    months = PERIOD_MONTHS[rule.schedule]
    if rule.last_rebalanced is not None:
        due_on = roll(add_months(rule.last_rebalanced, months))
        return as_of >= due_on, due_on
    start = dt.date(as_of.year, as_of.month - (as_of.month - 1) % months, 1)
    if roll(start) < as_of:
        start = add_months(start, months)
    return False, roll(start)
