"""Tasks as an iCalendar file, which every calendar program reads (RFC 5545): all-day events, lines up to 75 bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator

from engine.analysis.calendar import CalendarItem

MAX_BYTES = 75


def to_ics(items: Iterable[CalendarItem], stamp: dt.datetime, *, korean: bool = False) -> str:
    """Return the tasks as a calendar; `stamp` (aware) is when it was made.

    A task's identity is its date, section and code, so that importing a later calendar updates rather than doubles.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Rebalancer//Rebalancer//EN", "CALSCALE:GREGORIAN"]
    for item in items:
        lines.extend(_event(item, stamp, item.task_ko if korean else item.task))
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(item: CalendarItem, stamp: dt.datetime, task: str) -> Iterator[str]:
    identity = hashlib.sha256(f"{item.date}|{item.section}|{item.code}".encode()).hexdigest()[:24]
    yield "BEGIN:VEVENT"
    yield f"UID:{identity}@rebalancer"
    yield f"DTSTAMP:{stamp.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{item.date:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{item.date + dt.timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_text(f'[{item.section}] {task}')}"
    if item.source:
        yield f"DESCRIPTION:{_text(item.source)}"
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
