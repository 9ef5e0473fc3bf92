"""The year's tasks: section reviews by their own schedule, and dated rows of tasks.csv, each on a day that trades.

A task falls on the first session of its month, in the markets it concerns; the tax deadline on the last US session
whose sale settles in Korea before the year's last Korean session.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from engine.costs.contributions import ContributionLimit, Room, contribution_limits, rooms
from engine.costs.table import settlement_date
from engine.costs.tax import tax_rule
from engine.documents import Document, problem_list
from engine.errors import Problem
from engine.phrase import Phrase, phrase
from engine.portfolio import Contributed, Portfolio, Rule, Section
from engine.schedule import PERIOD_MONTHS, add_months, markets_of, next_weekday, section_due, session_roll

if TYPE_CHECKING:
    import pandas as pd

RETIREMENT = ("isa", "irp", "pension")
#: Sections that have a name in every language; others are as they are written.
NAMED = ("core", "satellite", "all", "tax", "dividends", "strategy")
#: The limits that a task on payments names.
PAYMENTS = {
    "isa-contribution": ("isa-year", "isa-total"),
    "pension-contribution": ("pension-credit", "retirement-credit", "pension-year"),
}
#: Won a year of overseas gains that are not taxed; the dated table of tax rules is the authority.
ALLOWANCE = Decimal(2_500_000)
DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
#: Longest line of an iCalendar file.
MAX_BYTES = 75


@dataclass(frozen=True, slots=True)
class CalendarItem:
    """A task. `due` means its day has come on the day asked for; `code` names it for programs."""

    date: dt.date
    section: str
    code: str
    task: Phrase
    due: bool
    source: Phrase | str = ""

    @property
    def title(self) -> Phrase:
        """Return section and task in one line."""
        section = phrase(f"study.section-{self.section}") if self.section in NAMED else self.section
        return phrase("task-title", section=section, task=self.task)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A portfolio's tasks by date."""

    items: tuple[CalendarItem, ...]
    problems: tuple[Problem, ...] = ()

    def to_json(self, lang: str = "en") -> Document:
        """Return the tasks as a JSON document, in one language."""
        return {
            "items": [
                {
                    "date": item.date.isoformat(),
                    "section": item.section,
                    "task": item.task.told(lang),
                    "due": item.due,
                }
                for item in self.items
            ],
            "problems": problem_list(self.problems),
        }

    def to_frame(self, lang: str = "en") -> pd.DataFrame:
        """Return a row per task: date (datetime64), section, task, due."""
        import pandas as pd

        frame = pd.DataFrame(self.to_json(lang)["items"], columns=["date", "section", "task", "due"])
        return frame.astype({"date": "datetime64[s]", "due": "bool"})

    def to_ics(self, stamp: dt.datetime, lang: str = "en") -> str:
        """Return the tasks as an iCalendar file, in one language; `stamp` (aware) is when it was made.

        Every calendar program reads it (RFC 5545): all-day events, lines up to 75 bytes. A task's identity is its date,
        section and code, so that importing a later calendar updates rather than doubles.
        """
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Rebalancer//Rebalancer//EN", "CALSCALE:GREGORIAN"]
        for item in self.items:
            lines.extend(_event(item, stamp, lang))
        lines.append("END:VCALENDAR")
        return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A row of tasks.csv; what there is to do is the message `task.` with its code."""

    code: str
    section: str
    months: tuple[int, ...]
    on: str
    needs: str
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
    allowance: Decimal | None = None,
    realised: Decimal | None = None,
) -> tuple[CalendarItem, ...]:
    """Return the tasks from `start` for some months, by date; reviews overdue on `start` come first.

    `allowance` is the year's overseas gains allowance in won (None: that of the law of `start`), `realised` what this
    year's sales have gained so far (None: not known); it is taken to be for the year of `start`, as is what the
    portfolio knows to be paid in.
    """
    rule = tax_rule("overseas_gains", start)
    allowance = allowance if allowance is not None else rule.allowance if rule else ALLOWANCE
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
    known = any(row.code == code for row in task_rows())
    task = phrase(f"task.{code}") if known else phrase("task.review", section=section.name)
    if overdue:
        yield CalendarItem(first, section.name, code, task, due=True, source=_basis(section))
    for planned in _planned(rule, first, start, end):
        day = roll(planned)
        if start <= day < end and not (overdue and day == first):
            yield CalendarItem(day, section.name, code, task, due=day <= start, source=_basis(section))


def _basis(section: Section) -> Phrase:
    """Return by which rule a section is reviewed."""
    rule = section.rule
    if rule.months:
        return phrase("task-source.months", section=section.name, months=sorted(rule.months))
    schedule = phrase(f"schedule.{rule.schedule}")
    if rule.last_rebalanced:
        return phrase("task-source.last", section=section.name, schedule=schedule, day=rule.last_rebalanced)
    return phrase("task-source.from-january", section=section.name, schedule=schedule)


def _planned(rule: Rule, first: dt.date, start: dt.date, end: dt.date) -> Iterator[dt.date]:
    """Yield the days that a rule names up to `end`, as they are before they move to one that trades."""
    if rule.months:
        for year in range(start.year, end.year + 1):
            yield from (day for month in sorted(rule.months) if (day := dt.date(year, month, 1)) < end)
        return
    if rule.schedule == "weekly":
        day = rule.last_rebalanced + WEEK if rule.last_rebalanced else first
        while day < end:
            yield day
            day += WEEK
        return
    period = PERIOD_MONTHS[rule.schedule]
    anchor = rule.last_rebalanced or dt.date(start.year, 1, 1)
    count = 1 if rule.last_rebalanced else 0
    while (planned := add_months(anchor, period * count)) < end:
        yield planned
        count += 1


def _concerns(row: TaskRow, portfolio: Portfolio) -> bool:
    markets, korean = markets_of(portfolio), portfolio.residence == "KR"
    accounts = {account.type for account in portfolio.accounts}
    rules = {section.name: section.rule for section in portfolio.sections}

    def has(*types: str) -> bool:
        return korean and (not portfolio.accounts_declared or bool(accounts & set(types)))

    return {
        "any": True,
        "no-monthly-schedule": not any(rule.schedule in ("weekly", "monthly") for rule in rules.values()),
        "no-core-schedule": "core" in rules and not rules["core"].reviewed,
        "no-satellite-schedule": "satellite" in rules and not rules["satellite"].reviewed,
        "retirement": has(*RETIREMENT),
        "isa": has("isa"),
        "pension": has("irp", "pension"),
        "kr": "KR" in markets,
        "overseas": korean and bool(markets - {"KR"}) and "taxable" in accounts,
        "us-taxable": portfolio.residence == "US" and "taxable" in accounts,
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
                paid = portfolio.so_far.contributed
                if year > start.year:
                    paid = {kind: one.in_later_years for kind, one in paid.items()}
                task = _task(row.code, day, allowance_told(allowance[0], known), paid)
                if task is None:
                    continue
                yield CalendarItem(day, row.section, row.code, task, due=day <= start, source=row.source)


def _task(code: str, day: dt.date, allowance: Phrase, paid: Mapping[str, Contributed]) -> Phrase | None:
    """Return what there is to do, with the allowance and the limits of the day's year that it names.

    `paid` is what was paid in so far in that year and before it, by account type, as far as it is known. None where
    the limits of that year are not known.
    """
    if code not in PAYMENTS:
        return phrase(f"task.{code}", allowance=allowance)
    limits = {limit.rule: limit for limit in contribution_limits(day)}
    if not limits.keys() >= set(PAYMENTS[code]):
        return None
    known = {room.limit.rule: room for room in rooms(paid, day)}
    year = {kind: one.year for kind, one in paid.items()}
    told = {
        rule.replace("-", "_"): _told(limits[rule], known.get(rule), limits[rule].paid(year)) for rule in PAYMENTS[code]
    }
    return phrase(f"task.{code}", **told)


def _told(limit: ContributionLimit, room: Room | None, year: Decimal) -> Phrase:
    """Return a limit in words, with what of it is used where that is known; `year` is what was paid in this year."""
    told = phrase("limit" if limit.verified else "limit.unverified", amount=limit.amount)
    amount, used = (limit.amount, year) if room is None else (room.amount, room.paid)
    if room is not None and room.since:
        return phrase("limit.at-least", limit=told, paid=used, day=room.since)
    if room is not None and room.carried:
        told = phrase("limit.carried", amount=amount, limit=told)
    elif not used:
        return told
    if used > amount:
        return phrase("limit.over", limit=told, paid=used, over=used - amount)
    return phrase("limit.used", limit=told, paid=used, left=amount - used)


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


def allowance_told(allowance: Decimal, realised: Decimal | None) -> Phrase:
    """Return in words what is left of a year's allowance, in won, after gains (losses: below 0) realised so far."""
    if realised is None:
        return phrase("allowance.whole", allowance=allowance)
    if realised > allowance:
        return phrase("allowance.over", over=realised - allowance, allowance=allowance)
    if realised < 0:
        return phrase("allowance.loss", left=allowance - realised, allowance=allowance, loss=-realised)
    return phrase("allowance.left", left=allowance - realised, allowance=allowance)


def _event(item: CalendarItem, stamp: dt.datetime, lang: str) -> Iterator[str]:
    identity = hashlib.sha256(f"{item.date}|{item.section}|{item.code}".encode()).hexdigest()[:24]
    yield "BEGIN:VEVENT"
    yield f"UID:{identity}@rebalancer"
    yield f"DTSTAMP:{stamp.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{item.date:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{item.date + dt.timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_text(item.title.told(lang))}"
    if item.source:
        source = item.source if isinstance(item.source, str) else item.source.told(lang)
        yield f"DESCRIPTION:{_text(source)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _text(value: str) -> str:
    """Escape a text value (RFC 5545, 3.3.11)."""
    for raw, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        value = value.replace(raw, escaped)
    return value


def _folded(line: str) -> Iterator[str]:
    """Split a line into parts of at most 75 bytes; each further part begins with a space (RFC 5545, 3.1)."""
    part = ""
    for character in line:
        if len((part + character).encode()) > MAX_BYTES:
            yield part
            part = " "
        part += character
    yield part
