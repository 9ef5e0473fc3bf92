"""Whatever a source sends, read value by value: a number, a price, a moment, a text, or None; rows by their key.

Nothing here raises for what was sent. Bounds are those of real prices and of the years that this project can meet, so
that no later calculation overflows; a row is read on its own, so that an odd one costs its own symbol alone.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

#: Prices and rates outside are misread ones: one dong is 0.00004 dollars, Berkshire's share 750,000.
LOWEST, HIGHEST = Decimal("1e-8"), Decimal("1e10")
#: Sizes (market values, assets) beyond this are nobody's.
LARGEST = Decimal("1e18")
#: Years of which something can have been traded.
YEARS = (1900, 2100)
#: Longest text that is kept, and longest delay that is believed, in seconds.
LONGEST, SLOWEST = 200, 86400
#: Digits kept of a JSON number: charts carry binary noise behind.
DIGITS = 15
_NUMBER = re.compile(r"[+-]?[0-9]{1,24}(\.[0-9]{1,24})?")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def number(value: Any) -> Decimal | None:  # noqa: ANN401 - a JSON value
    """Return a JSON number, a text of digits with or without commas, or Yahoo's {"raw": number}; else None."""
    if isinstance(value, Mapping):
        value = value.get("raw")
    if isinstance(value, str):
        plain = value.strip().replace(",", "")
        found = Decimal(plain) if _NUMBER.fullmatch(plain) else None
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    elif isinstance(value, int):
        found = Decimal(value) if abs(value) <= LARGEST else None
    else:
        found = Decimal(repr(float(value))) if math.isfinite(value) else None
    return found if found is not None and abs(found) <= LARGEST else None


def price(value: Any) -> Decimal | None:  # noqa: ANN401 - a JSON value
    """Return a price or rate within what any can be, else None."""
    found = number(value)
    return found if found is not None and LOWEST <= found <= HIGHEST else None


def share(percent: Any) -> Decimal | None:  # noqa: ANN401 - a JSON value
    """Return a percentage (0.15, "16.53%") as a fraction; a dash is None."""
    found = number(percent.rstrip("% ") if isinstance(percent, str) else percent)
    return None if found is None else found / 100


def text(value: Any, default: str = "") -> str:  # noqa: ANN401 - a JSON value
    """Return a text that every file and terminal can hold: no control, no lone surrogate, not endless."""
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        return default
    if isinstance(value, int) and abs(value) > LARGEST:
        return default
    return _UNSEEN.sub(" ", str(value)).strip()[:LONGEST] or default


def moment(value: Any) -> dt.datetime | None:  # noqa: ANN401 - a JSON value
    """Return seconds since 1970, or an ISO text with its zone, as a moment in UTC; else None."""
    try:
        if isinstance(value, str):
            found = dt.datetime.fromisoformat(value.strip())
        else:
            seconds = number(value)
            if seconds is None:
                return None
            found = dt.datetime.fromtimestamp(float(seconds), dt.UTC)
        if found.tzinfo is None or not YEARS[0] < found.year < YEARS[1]:
            return None
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def date(value: Any, form: str = "%Y-%m-%d") -> dt.date | None:  # noqa: ANN401 - a JSON value
    """Return a date written in a form; else None."""
    try:
        found = dt.datetime.strptime(value, form).date() if isinstance(value, str) else None  # noqa: DTZ007 - a date
    except ValueError:
        return None
    return found if found is not None and YEARS[0] < found.year < YEARS[1] else None


def delay(minutes: Any) -> int:  # noqa: ANN401 - a JSON value
    """Return a delay in minutes as whole seconds, 0 where it is none that can be."""
    found = number(minutes)
    return int(found * 60) if found is not None and 0 <= found * 60 <= SLOWEST else 0


def part(document: Any, *keys: str) -> Mapping[str, Any]:  # noqa: ANN401 - a JSON value
    """Return the object at a path of keys; an empty one where there is none."""
    for key in keys:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - a JSON value
    """Return the objects of a list, without whatever else stands in it."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def keyed(rows: Iterable[Mapping[str, Any]], key: str, wanted: Iterable[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the differing rows of every wanted key; a row under no key, or one that nobody asked for, is left out."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    names = set(wanted)
    for row in rows:
        name = text(row.get(key))
        if name in names and row not in found.setdefault(name, []):
            found[name].append(row)
    return found
