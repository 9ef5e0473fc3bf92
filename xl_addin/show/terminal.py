"""What a terminal can show: text of a known width (Korean takes two columns), columns, colour, progress.

Colour is for terminals alone, and what it says is always said in words too; nothing moves in a pipe.
"""

from __future__ import annotations

import locale
import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import IO, Literal, TypeVar

from engine.errors import Problem
from engine.money import MINOR_DIGITS
from engine.words import LANGUAGES, Lang, say

Align = Literal["<", ">"]
T = TypeVar("T")
GAP = "  "
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "loud": "1;30;43"}
_BAR = 30


@dataclass(frozen=True, slots=True)
class Paint:
    """What colours text, or leaves it as it is where not `enabled`."""

    enabled: bool = False

    def __call__(self, text: str, style: str = "") -> str:
        """Return the text in the style: bold, dim, red, green, yellow, cyan, loud; "" is plain."""
        if not self.enabled or not style:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def paint_for(stream: IO[str], environ: Mapping[str, str] = os.environ) -> Paint:
    """Return the paint for a stream: colours on a terminal that can show them, unless NO_COLOR says otherwise."""
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb" or not stream.isatty():
        return Paint()
    # The old Windows console prints escape codes as text; these two variables tell the ones that do not.
    capable = sys.platform != "win32" or "WT_SESSION" in environ or "TERM" in environ
    return Paint(enabled=capable)


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


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of a table: its title, and how wide its text may be before it is cut."""

    title: str
    align: Align = ">"
    limit: int = 40


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row of texts, the style of all of them, and a remark to print below, indented."""

    cells: tuple[str, ...]
    style: str = ""
    remark: str = ""


def table_lines(columns: Sequence[TextColumn], rows: Iterable[TextRow], paint: Paint) -> list[str]:
    """Return the table line by line: title, rule, rows; each as wide as its widest cell needs."""
    rows = [TextRow(_clipped(row.cells, columns), row.style, row.remark) for row in rows]
    titles = tuple(column.title for column in columns)
    widths = [
        max(display_width(text) for text in texts) for texts in zip(titles, *(row.cells for row in rows), strict=True)
    ]
    lines = [paint(_line(titles, columns, widths), "bold"), paint(GAP.join("-" * width for width in widths), "dim")]
    for row in rows:
        lines.append(paint(_line(row.cells, columns, widths), row.style))
        if row.remark:
            lines.append(paint("    " + clean(row.remark), "dim"))
    return lines


def _clipped(cells: tuple[str, ...], columns: Sequence[TextColumn]) -> tuple[str, ...]:
    return tuple(clip(clean(text), column.limit) for text, column in zip(cells, columns, strict=True))


def _line(cells: Sequence[str], columns: Sequence[TextColumn], widths: Sequence[int]) -> str:
    padded = (pad(text, width, column.align) for text, column, width in zip(cells, columns, widths, strict=True))
    return GAP.join(padded).rstrip()


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the items, showing on stderr how many are done where that is a terminal."""
    shown = sys.stderr.isatty() and total > 1
    for done, item in enumerate(items, 1):
        if shown:
            filled = _BAR * done // total
            sys.stderr.write(f"\r{what} [{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total}")
            sys.stderr.flush()
        yield item
    if shown:
        sys.stderr.write("\n")


SIGNS = {"KRW": "₩", "USD": "$"}


def money(amount: Decimal, currency: str) -> str:
    """Return an amount in the currency's smallest unit: ₩1,234,000, $1,234.56, EUR 12.00."""
    return _with_sign(_plain(amount, MINOR_DIGITS.get(currency, 2)), currency)


def price(amount: Decimal, currency: str) -> str:
    """Return a price with at least the currency's digits, and as many more (to six) as it has."""
    digits = max(MINOR_DIGITS.get(currency, 2), min(_digits(amount), 6))
    return _with_sign(_plain(amount, digits), currency)


def quantity(amount: Decimal) -> str:
    """Return a number of shares with only the decimals that it has."""
    return _plain(amount, _digits(amount))


def percent(fraction: Decimal, digits: int = 1) -> str:
    """Return a fraction in per cent: 0.3512 as 35.1%."""
    return _plain(fraction * 100, digits) + "%"


def points(fraction: Decimal) -> str:
    """Return a signed difference of two weights in percentage points, without a unit: +3.2, -0.4, 0.0."""
    text = _plain(fraction * 100, 1)
    return text if text.startswith("-") or text == "0.0" else "+" + text


def band(low: Decimal, high: Decimal, digits: int = 1) -> str:
    """Return a band of weights: 30.0~40.0%."""
    return f"{_plain(low * 100, digits)}~{percent(high, digits)}"


def _digits(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _plain(amount: Decimal, digits: int) -> str:
    with localcontext(rounding=ROUND_HALF_UP):
        text = f"{amount:,.{digits}f}"
    return text.lstrip("-") if not any(figure in text for figure in "123456789") else text


def _with_sign(text: str, currency: str) -> str:
    sign = SIGNS.get(currency, currency + " ")
    return f"-{sign}{text[1:]}" if text.startswith("-") else sign + text


STYLES = {"error": "red", "warning": "yellow", "info": "dim"}


def problem_lines(problems: Iterable[Problem], lang: Lang, paint: Paint, width: int = 116) -> list[str]:
    """Return the problems, the gravest first, wrapped to `width` columns."""
    lines = []
    for problem in sorted(problems, key=lambda problem: list(STYLES).index(problem.severity)):
        where = f"{problem.placed(lang)}: " if problem.where else ""
        text = f"{say(f'severity.{problem.severity}', lang)}: {where}{problem.said(lang)} [{problem.code}]"
        lines += [paint(line, STYLES[problem.severity]) for line in wrap(text, width, indent="  ")]
    return lines


def default_language(environ: Mapping[str, str] = os.environ) -> Lang:
    """Return the language of the locale in LC_ALL, LC_MESSAGES or LANG (the first one set), where there is one of ours.

    Where none is set, as on Windows, the system's own locale counts; what is not ours is told in English.
    """
    set_ones = (environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name))
    name = next(set_ones, None) or locale.getlocale()[0] or ""
    # Windows names Korean in full.
    return next((lang for lang in LANGUAGES if name.lower().startswith(lang)), LANGUAGES[0])
