"""What is to be said to a person, before it is said: the key of a message and the values it speaks of.

The calculation makes phrases and never words them; whoever shows one chooses the reader's language (`engine.words`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Literal, Self

#: Who is spoken to: someone in a workbook is told of sheets and columns, never of a command's options or a file's keys.
Audience = Literal["", "workbook"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """The key of a message, with the values that fill its placeholders.

    Values are numbers, dates, names as they stand, other phrases, or tuples of these (told one after the other).
    A phrase is hashable where its values are, and two of equal key and values are equal.

    >>> phrase("output-suffix", suffix=".xlsx").values["suffix"]
    '.xlsx'
    """

    key: str
    items: tuple[tuple[str, object], ...] = field(default=())

    @property
    def values(self) -> Mapping[str, object]:
        """Return the values by the name of their placeholder."""
        return dict(self.items)

    def having(self, **values: object) -> Self:
        """Return the phrase with these values added or replaced."""
        return replace(self, items=_items({**self.values, **values}))

    def told(self, lang: str, audience: Audience = "") -> str:
        """Return the sentence in a language. For whoever shows it: nothing that computes asks for words."""
        # Loaded by name: the catalogues are made of phrases, and no phrase needs them before it is shown.
        said: str = import_module("engine.words").tell(self, lang, audience)
        return said

    def __str__(self) -> str:
        # For logs, tracebacks and programs.
        return self.told("en")


def phrase(key: str, **values: object) -> Phrase:
    """Return what the message `key` says of these values; a list or set of values becomes a tuple."""
    return Phrase(key, _items(values))


def place(kind: str, **values: object) -> Phrase:
    """Return where something is, as a phrase: `place("cell", sheet="Holdings", row=3)`; its message is `place.cell`."""
    return phrase(f"place.{kind}", **values)


def _items(values: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    return tuple((name, _frozen(value)) for name, value in values.items())


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes, tuple)) else value
