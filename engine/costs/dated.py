"""Tables whose rows hold from one day to another, each with its source and the day it was checked."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from functools import cache
from importlib import resources

Row = Mapping[str, str]


@cache
def read_table(name: str) -> tuple[Row, ...]:
    """Return the rows of a table of this package, such as rates.csv, as text by column."""
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def in_force(row: Row, day: dt.date) -> bool:
    """Tell whether a row holds on a day; both its ends count, and no `valid_to` means until further notice."""
    return row["valid_from"] <= day.isoformat() <= (row["valid_to"] or "9999-12-31")
