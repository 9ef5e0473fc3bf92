"""What kind of account an export's name for it says it is (account_types.csv), where that is certain."""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=1)
def _words() -> tuple[tuple[re.Pattern[str], str], ...]:
    with (resources.files(__package__) / "account_types.csv").open(encoding="utf-8") as file:
        # Not inside another word of Latin letters: an ISA is no Visa.
        return tuple(
            (re.compile(rf"(?<![a-z]){re.escape(row['word'])}(?![a-z])"), row["type"]) for row in csv.DictReader(file)
        )


def account_type(name: str) -> str:
    """Return the type of account that a name says: the first of the table's words in it; "" where it says none."""
    text = name.casefold()
    return next((kind for word, kind in _words() if word.search(text)), "")
