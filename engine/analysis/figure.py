"""A number that says what it is: its unit, where it came from, how old it is, and what was done to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from engine.errors import Problem


@dataclass(frozen=True, slots=True)
class Figure:
    """Hold one statistic. `value` None means not known; `note` then says why, else what was done to the number.

    `note_ko` is the note in Korean. `source` names the file or provider, `as_of` the day the figure is true for.
    """

    value: float | None
    source: str = ""
    as_of: dt.date | None = None
    note: str = ""
    note_ko: str = ""

    @property
    def known(self) -> bool:
        """Tell whether there is a number."""
        return self.value is not None

    def remark(self, where: str) -> Problem | None:
        """Return the note as a remark on the figure at `where`: a warning where the number is missing, else info."""
        if self.value is None:
            return Problem("warning", "not-known", where, self.note or "not known", self.note_ko or "알 수 없음")
        text, ko = self.told
        return Problem("info", "figure", where, text, ko) if text else None

    @property
    def told(self) -> tuple[str, str]:
        """Return note, source and day in English and Korean."""
        dated = f", {self.as_of}" if self.as_of else ""
        origin = f"{self.source}{dated}" if self.source else ""
        source = "종목 목록" if self.source == "catalogue" else self.source
        origin_ko = f"출처 {source}{dated}" if self.source else ""
        return (
            "; ".join(part for part in (self.note, origin) if part),
            "; ".join(part for part in (self.note_ko, origin_ko) if part),
        )


UNKNOWN = Figure(None, note="not known", note_ko="알 수 없음")
