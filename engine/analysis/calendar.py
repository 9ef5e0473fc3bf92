"""The year's tasks: section reviews by their own schedule, and dated rows of tasks.csv, each on a day that trades.

A task falls on the first session of its month, in the markets it concerns; the tax deadline on the last US session
whose sale settles in Korea before the year's last Korean session.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from engine.costs.table import settlement_date
from engine.errors import Problem
from engine.portfolio import Portfolio, Section
from engine.schedule import PERIOD_MONTHS, add_months, markets_of, next_weekday, section_due, session_roll

RETIREMENT = ("isa", "irp", "pension")
#: Won a year of overseas gains that are not taxed; the dated table of tax rules is the authority.
ALLOWANCE = Decimal(2_500_000)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CalendarItem:
    """Hold one task. `due` means its day has come on the day asked for; `code` names it for programs."""

    date: dt.date
    section: str
    code: str
    task: str
    task_ko: str
    due: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A portfolio's tasks by date."""

    items: tuple[CalendarItem, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskRow:
    """Hold one row of tasks.csv."""

    code: str
    section: str
    months: tuple[int, ...]
    on: str
    needs: str
    task: str
    task_ko: str
    source: str
    checked_on: dt.date


@lru_cache(maxsize=1)
def task_rows() -> tuple[TaskRow, ...]:
    """Return the rows of tasks.csv."""
    text = resources.files("engine.analysis").joinpath("tasks.csv").read_text(encoding="utf-8")
    return tuple(
        TaskRow(
            code=row["code"],
            section=row["section"],
            months=tuple(int(month) for month in row["months"].split("|")),
            on=row["on"],
            needs=row["needs"],
            task=row["task"],
            task_ko=row["task_ko"],
            source=row["source"],
            checked_on=dt.date.fromisoformat(row["checked_on"]),
        )
        for row in csv.DictReader(text.splitlines())
    )


def calendar(
    portfolio: Portfolio,
    start: dt.date,
    months: int = 12,
    *,
    allowance: Decimal = ALLOWANCE,
    realised: Decimal | None = None,
) -> tuple[CalendarItem, ...]:
    """Return the tasks from `start` for some months, by date; reviews overdue on `start` come first.

    `allowance` is the year's overseas gains allowance in won, `realised` what this year's sales have gained so far
    (None: not known); it is taken to be for the year of `start`.
    """
    end = add_months(start, months)
    items = [item for section in portfolio.sections for item in _reviews(portfolio, section, start, end)]
    for row in task_rows():
        if _concerns(row, portfolio):
            items.extend(_tasks(row, portfolio, start, end, (allowance, realised)))
    return tuple(sorted(items, key=lambda item: (item.date, item.section, item.code)))


def _reviews(portfolio: Portfolio, section: Section, start: dt.date, end: dt.date) -> Iterator[CalendarItem]:
    """Yield a section's reviews: the one that is overdue, if any, and every one to come."""
    rule = section.rule
    overdue, first = section_due(portfolio, section, start)
    if first is None:
        return
    roll = session_roll(markets_of(portfolio, section))
    code = f"{section.name}-review"
    task, task_ko = _review_texts(section.name)
    source = f"rule of {section.name}: {rule.schedule}" + (
        f", last {rule.last_rebalanced}" if rule.last_rebalanced else ", counted from January"
    )
    if overdue:
        yield CalendarItem(first, section.name, code, task, task_ko, due=True, source=source)
    period = PERIOD_MONTHS[rule.schedule]
    anchor = rule.last_rebalanced or dt.date(start.year, 1, 1)
    count = 1 if rule.last_rebalanced else 0
    while (planned := add_months(anchor, period * count)) < end:
        day = roll(planned)
        if start <= day < end and not (overdue and day == first):
            yield CalendarItem(day, section.name, code, task, task_ko, due=day <= start, source=source)
        count += 1


def _review_texts(section: str) -> tuple[str, str]:
    for row in task_rows():
        if row.code == f"{section}-review":
            return row.task, row.task_ko
    return f"Review {section}: drift and bands", f"{section} 점검: 비중 이탈과 밴드"


def _concerns(row: TaskRow, portfolio: Portfolio) -> bool:
    markets = markets_of(portfolio)
    accounts = {account.type for account in portfolio.accounts}
    scheduled = {section.name for section in portfolio.sections if section.rule.schedule != "none"}
    names = {section.name for section in portfolio.sections}
    return {
        "no-core-schedule": "core" in names - scheduled,
        "no-satellite-schedule": "satellite" in names - scheduled,
        "retirement": not portfolio.accounts_declared or bool(accounts & set(RETIREMENT)),
        "kr": "KR" in markets,
        "overseas": bool(markets - {"KR"}),
    }[row.needs]


def _tasks(
    row: TaskRow,
    portfolio: Portfolio,
    start: dt.date,
    end: dt.date,
    allowance: tuple[Decimal, Decimal | None],
) -> Iterator[CalendarItem]:
    markets = {"kr": frozenset({"KR"}), "overseas": markets_of(portfolio) - {"KR"}}.get(
        row.needs, markets_of(portfolio)
    )
    for year in range(start.year, end.year + 1):
        for month in row.months:
            first = dt.date(year, month, 1)
            if first >= end or add_months(first, 1) <= start:
                continue
            day = last_settling_day(year) if row.on == "us-settles-this-year" else session_roll(markets)(first)
            if start <= day < end:
                known = allowance[1] if year == start.year else None
                en, ko = _allowance_texts(allowance[0], known)
                yield CalendarItem(
                    day,
                    row.section,
                    row.code,
                    row.task.replace("{allowance}", en),
                    row.task_ko.replace("{allowance}", ko),
                    due=day <= start,
                    source=row.source,
                )


def last_settling_day(year: int) -> dt.date:
    """Return the last US session whose sale settles in Korea by the year's last Korean session.

    The settlement of the US (settlement.csv) is a weekday later in Korea.
    """
    from engine.market.calendars import trades_on

    last = dt.date(year, 12, 31)
    while not trades_on("KR", last):
        last -= DAY
    day = last
    while not (trades_on("US", day) and next_weekday(settlement_date("US", day) + DAY) <= last):
        day -= DAY
    return day


def _allowance_texts(allowance: Decimal, realised: Decimal | None) -> tuple[str, str]:
    if realised is None:
        return (
            f"{allowance:,.0f} won; gains so far not given",
            f"{allowance:,.0f}원(실현 손익 미입력)",
        )
    left = max(allowance - max(realised, Decimal(0)), Decimal(0))
    return (
        f"{left:,.0f} of {allowance:,.0f} won still unused",
        f"{allowance:,.0f}원 중 {left:,.0f}원 남음",
    )
