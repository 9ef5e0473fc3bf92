"""Where each section stands: due, emergency, or not yet and when next.

Core: twice a year or at once past ±5 points; satellite: quarterly or past ±7 points (the defaults; a document may set
others). An emergency is a band that is broken while no review is due.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from engine.plan import SectionState

Standing = Literal["due", "emergency", "not-yet"]


@dataclass(frozen=True, slots=True)
class SectionStanding:
    """Say what a section asks for today. `next_on` is its review's date (None: it has no schedule)."""

    section: str
    standing: Standing
    next_on: dt.date | None
    breaches: tuple[str, ...]
    sleeve_breached: bool


def standings(states: Iterable[SectionState]) -> tuple[SectionStanding, ...]:
    """Return each section's standing: due goes before emergency, for a due section is traded as a whole anyway."""
    found = []
    for state in states:
        sleeve = state.status in ("OVER", "UNDER")
        standing: Standing = "due" if state.due else "emergency" if sleeve or state.breaches else "not-yet"
        found.append(SectionStanding(state.section, standing, state.next_due, state.breaches, sleeve))
    return tuple(found)
