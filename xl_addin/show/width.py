"""How wide text is on a terminal, where a Korean syllable takes two columns (Unicode annex 11)."""

from __future__ import annotations

import unicodedata
from typing import Literal

Align = Literal["<", ">"]


def display_width(text: str) -> int:
    """Return the number of terminal columns that the text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def clean(text: str) -> str:
    """Return the text on one line without control characters, which could drive the terminal."""
    return "".join(" " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character for character in text)


def clip(text: str, width: int) -> str:
    """Return the text cut to at most `width` columns, with `..` where something was cut."""
    if display_width(text) <= width:
        return text
    kept, room = "", max(width - 2, 0)
    for character in text:
        room -= _columns(character)
        if room < 0:
            break
        kept += character
    return kept + ".."[:width]


def pad(text: str, width: int, align: Align = "<") -> str:
    """Return the text filled with spaces to `width` columns; longer text stays as it is."""
    spaces = " " * (width - display_width(text))
    return text + spaces if align == "<" else spaces + text


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Return the text broken at spaces into lines of at most `width` columns; all but the first are indented."""
    lines, line = [], ""
    for word in clean(text).split():
        longer = f"{line} {word}" if line.strip() else line + word
        if line.strip() and display_width(longer) > width:
            lines.append(line)
            longer = indent + word
        line = longer
    return [*lines, line]


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Cc", "Mn", "Me"):
        return 0
    # Jungseong and jongseong jamo join the syllable before them.
    if "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
