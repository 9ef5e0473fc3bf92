"""When a section is next due for its review: on days on which its markets trade."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Mapping

from engine.goals import members_of
from engine.portfolio import Portfolio, Rule, Section
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


def session_roll(markets: frozenset[str]) -> Roll:
    """Return the roll onto the next day on which every one of the markets trades."""
    # Needed by few plans, and by nothing that only adds months.
    from engine.market.calendars import trades_on

    def roll(day: dt.date) -> dt.date:
        day = next_weekday(day)
        while not all(trades_on(market, day) for market in markets):
            day = next_weekday(day + dt.timedelta(days=1))
        return day

    return roll


def markets_of(portfolio: Portfolio, section: Section | None = None) -> frozenset[str]:
    """Return the markets of a section's targets, or of everything held or wanted."""
    symbols = portfolio.symbols if section is None else members_of(portfolio, section)
    return frozenset(portfolio.instruments[symbol].market for symbol in symbols)


def section_due(portfolio: Portfolio, section: Section, as_of: dt.date) -> tuple[bool, dt.date | None]:
    """Return `next_due` of a section: on the next day on which all the markets of its targets trade."""
    if not section.rule.reviewed:
        return False, None
    return next_due(section.rule, as_of, session_roll(markets_of(portfolio, section)))


def next_due(rule: Rule, as_of: dt.date, roll: Roll) -> tuple[bool, dt.date | None]:
    """Tell whether a section is due on `as_of`, and its due date: past or today when due, else to come.

    With `last_rebalanced` it is due a period after that, or where the rule fixes its months, in the first such month
    that began after it, whatever was done in between. Without, it is never due (nothing says how long ago the last
    review was), and the date shown is the first review of the calendar year's rhythm still to come: every Monday;
    month; January, April, July, October; January, July; January. `roll` moves a date onto a day that counts (a weekday,
    or a session of an exchange). A rule without a schedule has no date.
    """
    if not rule.reviewed:
        return False, None
    if rule.months:
        return _fixed(rule, as_of, roll)
    if rule.schedule == "weekly":
        if rule.last_rebalanced is None:
            return False, roll(as_of + dt.timedelta(days=-as_of.weekday() % 7))
        due_on = roll(rule.last_rebalanced + dt.timedelta(days=7))
        return as_of >= due_on, due_on
    months = PERIOD_MONTHS[rule.schedule]
    if rule.last_rebalanced is not None:
        due_on = roll(add_months(rule.last_rebalanced, months))
        return as_of >= due_on, due_on
    start = dt.date(as_of.year, as_of.month - (as_of.month - 1) % months, 1)
    if roll(start) < as_of:
        start = add_months(start, months)
    return False, roll(start)


def _fixed(rule: Rule, as_of: dt.date, roll: Roll) -> tuple[bool, dt.date | None]:
    """Return `next_due` of a rule with fixed months: the first that nothing was recorded in or after, else to come."""
    last = rule.last_rebalanced
    year = (last or as_of).year
    starts = (dt.date(year + ahead, month, 1) for ahead in range(3) for month in sorted(rule.months))
    if last is None:
        return False, next(due for start in starts if (due := roll(start)) >= as_of)
    due_on = roll(next(start for start in starts if start > last))
    return as_of >= due_on, due_on
