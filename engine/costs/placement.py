"""Named rules of what is held where for its taxes: dated, with their sources, off unless a portfolio chooses one."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from engine.portfolio import Instrument

#: What a rule can be about that is no class: instruments whose gains are taxed as dividends.
DIVIDENDS = "taxed-as-dividend"


@dataclass(frozen=True, slots=True)
class PlacementRule:
    """What a rule puts where first: `what` is an asset class or `DIVIDENDS`, `places` types of accounts in order."""

    name: str
    what: str
    places: tuple[str, ...]
    valid_from: dt.date
    valid_to: dt.date | None
    source: str

    def holds(self, day: dt.date) -> bool:
        """Tell whether the rule is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def covers(self, instrument: Instrument) -> bool:
        """Tell whether the rule is about an instrument for how its gains are taxed."""
        return self.what == DIVIDENDS and instrument.taxed_as_dividend is True


@cache
def placement_rules() -> Mapping[str, tuple[PlacementRule, ...]]:
    """Return the rows of every named rule."""
    text = resources.files(__package__).joinpath("placement.csv").read_text(encoding="utf-8")
    found: dict[str, list[PlacementRule]] = {}
    for row in csv.DictReader(text.splitlines()):
        end = dt.date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
        start = dt.date.fromisoformat(row["valid_from"])
        places = tuple(row["places"].split("|"))
        one = PlacementRule(row["rule"], row["what"], places, start, end, row["source"])
        found.setdefault(one.name, []).append(one)
    return {name: tuple(rules) for name, rules in found.items()}
