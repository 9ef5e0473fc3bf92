"""What a terminal can show: text of a known width (Korean takes two columns), columns, colour, progress.

Colour is for terminals alone, and what it says is always said in words too; nothing moves in a pipe. rich knows how
wide a character is and what a terminal can do; it is imported where that is asked, so that a pipe does not pay for it.
"""

from __future__ import annotations

import locale
import os
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from signal import SIGINT, getsignal, signal
from threading import Timer, current_thread, main_thread
from typing import IO, TYPE_CHECKING, Literal, TypeVar

from engine.errors import Problem
from engine.money import MINOR_DIGITS
from engine.phrase import Phrase
from engine.words import LANGUAGES, Lang, say, tell

if TYPE_CHECKING:
    from rich.status import Status

Align = Literal["<", ">"]
T = TypeVar("T")
GAP = "  "
#: Columns where nothing says how many there are, as in a pipe; the fewest that a table is made for; and the most that a
#: sentence is read over.
UNKNOWN_WIDTH, LEAST_WIDTH, SENTENCE_WIDTH = 120, 40, 116
#: Seconds of waiting before it is said what for.
_PATIENCE = 0.8
#: What is left of a text that stands left where nothing else can be left out.
_SHORTEST = 6
_CODES = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "94", "cyan": "36", "loud": "1;30;43",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paint:
    """What a stream shows: text in colour or, where not `enabled`, as it is; over `width` columns."""

    enabled: bool = False
    width: int = UNKNOWN_WIDTH

    def __call__(self, text: str, style: str = "") -> str:
        """Return the text in the style: bold, dim, red, green, yellow, blue, cyan, loud; "" is plain."""
        if not self.enabled or not style:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"

    @property
    def sentence(self) -> int:
        """Return how wide a sentence may be."""
        return min(self.width, SENTENCE_WIDTH)


def paint_for(stream: IO[str], environ: Mapping[str, str] = os.environ) -> Paint:
    """Return the paint for a stream: colours on a terminal that can show them, unless NO_COLOR says otherwise."""
    width = max(_width(environ), LEAST_WIDTH)
    if environ.get("NO_COLOR") or environ.get("TERM") in ("dumb", "unknown") or not stream.isatty():
        return Paint(width=width)
    return Paint(not (sys.platform == "win32" and _prints_codes(stream)), width)


def _prints_codes(stream: IO[str]) -> bool:
    """Tell whether a terminal shows escape codes as text, as old Windows consoles do."""
    from rich.console import Console

    return Console(file=stream).legacy_windows


def _width(environ: Mapping[str, str]) -> int:
    """Return how many columns there are: as COLUMNS says, or those of the terminal that any of our streams is."""
    given = environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    for number in (1, 2, 0):
        try:
            return os.get_terminal_size(number).columns or UNKNOWN_WIDTH
        except OSError:
            continue
    return UNKNOWN_WIDTH


def display_width(text: str) -> int:
    """Return the number of terminal columns that the text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def clean(text: str) -> str:
    """Return the text on one line without control characters, which could drive the terminal."""
    return "".join(" " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character for character in text)


def clip(text: str, width: int) -> str:
    """Return the text cut to at most `width` columns, with `..` where something was cut."""
    if display_width(text) <= width:
        return text
    kept, room = "", max(width - 2, 0)
    for character in text:
        room -= display_width(character)
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


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of a table: its title, and how wide its text may be before it is cut.

    Where the terminal is narrow, text that stands left is cut further, to `least` columns; then columns are left out,
    the one with the highest `optional` first; 0 stays. What stands right, numbers, is never cut.
    """

    title: str
    align: Align = ">"
    limit: int = 40
    least: int = 12
    optional: int = 0


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row of texts, the style of all of them, and a remark to print below, indented."""

    cells: tuple[str, ...]
    style: str = ""
    remark: str = ""


def table_lines(columns: Sequence[TextColumn], rows: Iterable[TextRow], paint: Paint) -> list[str]:
    """Return the table line by line: title, rule, rows; as wide as it needs, and no wider than there is room for."""
    columns, rows, gap = _fitted(list(columns), list(rows), paint.width)
    titles = tuple(column.title for column in columns)
    widths = _widths(columns, rows)
    lines = [
        paint(_line(titles, columns, widths, gap), "bold"),
        paint(gap.join("-" * width for width in widths), "dim"),
    ]
    for row in rows:
        lines.append(paint(_line(row.cells, columns, widths, gap), row.style))
        if row.remark:
            lines += [paint(line, "dim") for line in wrap_indented(row.remark, paint.sentence, GAP * 2)]
    return lines


def split_tables(columns: Sequence[TextColumn], rows: Sequence[TextRow], paint: Paint) -> list[list[str]]:
    """Return a table as several where it is too wide: each has the first column and as many others as there is room."""
    head, others = columns[0], list(range(1, len(columns)))
    widths = _widths(columns, [_clipped(row, [column.limit for column in columns]) for row in rows])
    tables: list[list[str]] = []
    while others:
        taken, room = [others.pop(0)], paint.width - widths[0] - len(GAP)
        room -= widths[taken[0]]
        while others and room >= widths[others[0]] + len(GAP):
            room -= widths[others[0]] + len(GAP)
            taken.append(others.pop(0))
        shown = [replace(row, cells=(row.cells[0], *(row.cells[n] for n in taken))) for row in rows]
        tables.append(table_lines([head, *(columns[n] for n in taken)], shown, paint))
    return tables


def wrap_indented(text: str, width: int, indent: str) -> list[str]:
    """Return the text broken like `wrap` does, every line indented."""
    return [indent + line for line in wrap(text, width - len(indent))]


def _fitted(columns: list[TextColumn], rows: list[TextRow], width: int) -> tuple[list[TextColumn], list[TextRow], str]:
    """Return what of a table there is room for, its texts as short as that takes, and what stands between columns."""
    rows = [_clipped(row, [column.limit for column in columns]) for row in rows]
    gap = GAP
    while True:
        widths = _widths(columns, rows)
        over = sum(widths) + len(gap) * (len(widths) - 1) - width
        dropped = max(range(len(columns)), key=lambda n: columns[n].optional)
        for floor in (None, _SHORTEST):
            spare = [_spare(column, taken, floor) for column, taken in zip(columns, widths, strict=True)]
            if over <= sum(spare) or (floor and len(gap) == 1 and not columns[dropped].optional):
                return columns, [_clipped(row, _shortened(widths, spare, over)) for row in rows], gap
            if columns[dropped].optional:
                break
        if columns[dropped].optional:
            del columns[dropped]
            rows = [replace(row, cells=row.cells[:dropped] + row.cells[dropped + 1 :]) for row in rows]
        else:
            gap = " "


def _spare(column: TextColumn, taken: int, floor: int | None) -> int:
    """Return how much narrower a column may be than it is."""
    least = max(column.least if floor is None else floor, display_width(column.title))
    return max(taken - least, 0) if column.align == "<" else 0


def _shortened(widths: Sequence[int], spare: Sequence[int], over: int) -> list[int]:
    """Return the widths less what is over, taken from the widest that has columns to spare, one after the other."""
    left, free = list(widths), list(spare)
    for _ in range(min(max(over, 0), sum(free))):
        at = max((n for n in range(len(left)) if free[n]), key=lambda n: left[n])
        left[at] -= 1
        free[at] -= 1
    return left


def _widths(columns: Sequence[TextColumn], rows: Sequence[TextRow]) -> list[int]:
    titles = tuple(column.title for column in columns)
    return [max(map(display_width, texts)) for texts in zip(titles, *(row.cells for row in rows), strict=True)]


def _clipped(row: TextRow, widths: Sequence[int]) -> TextRow:
    return replace(row, cells=tuple(clip(clean(text), width) for text, width in zip(row.cells, widths, strict=True)))


def _line(cells: Sequence[str], columns: Sequence[TextColumn], widths: Sequence[int], gap: str) -> str:
    padded = (pad(text, width, column.align) for text, column, width in zip(cells, columns, widths, strict=True))
    return gap.join(padded).rstrip()


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the items, showing on stderr how many are done and how long the rest takes where that is a terminal."""
    if total < 2 or not sys.stderr.isatty():
        yield from items
        return
    from rich import progress as bars
    from rich.console import Console

    shown = (
        bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn(), bars.TimeRemainingColumn()
    )  # fmt: skip
    with bars.Progress(*shown, console=Console(stderr=True)) as bar:
        yield from bar.track(items, total=total, description=what)


#: Called with what is done, how much of it, and of how much where that is known.
Shown = Callable[[str, int, int | None], None]


@contextmanager
def bar(least: int) -> Iterator[Shown]:
    """Give what shows how far the steps of a job are, on stderr where that is a terminal and there is enough to do."""
    if least < 2 or not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    from rich import progress as bars
    from rich.console import Console

    shown = (
        bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn(), bars.TimeRemainingColumn()
    )  # fmt: skip
    tasks: dict[str, bars.TaskID] = {}
    with bars.Progress(*shown, console=Console(stderr=True)) as progress:

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what)
            progress.update(tasks[what], completed=done, total=total)

        yield show


@contextmanager
def waiting(what: str) -> Iterator[Callable[[str], None]]:
    """Show on stderr what is being waited for, where that is a terminal and takes long; it goes when that is over.

    Gives what says how far it is.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    said = [what]
    shown: list[Status] = []

    def show() -> None:
        from rich.console import Console

        shown.append(Console(stderr=True).status(said[-1]))
        shown[0].start()

    def tell_on(text: str) -> None:
        said.append(text)
        for status in shown:
            status.update(text)

    timer = Timer(_PATIENCE, show)
    timer.daemon = True
    timer.start()
    try:
        yield tell_on
    finally:
        timer.cancel()
        timer.join()
        for status in shown:
            status.stop()


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C ask for the best so far, which what is given tells, instead of ending the program; twice ends it."""
    before = getsignal(SIGINT)
    if current_thread() is not main_thread() or not callable(before):
        # Only that thread is told of signals; and who started us may want Ctrl-C to be passed over.
        yield lambda: False
        return
    pressed = False

    def ask(_number: int, _frame: object) -> None:
        nonlocal pressed
        pressed = True
        signal(SIGINT, before)

    signal(SIGINT, ask)
    try:
        yield lambda: pressed
    finally:
        signal(SIGINT, before)


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


def problem_lines(
    problems: Iterable[Problem], lang: Lang, paint: Paint, width: int = SENTENCE_WIDTH, *, notes: bool = True
) -> list[str]:
    """Return the problems, the gravest first, one line for what is said of several places, wrapped to `width` columns.

    Without `notes`, how many there are is all that is said of them.
    """
    same: dict[object, list[Problem]] = {}
    for one in sorted(problems, key=lambda problem: list(STYLES).index(problem.severity)):
        kind = _less_symbol(one.where) if isinstance(one.where, Phrase) else ""
        same.setdefault((one.severity, one.code, _less_symbol(one.message), kind), []).append(one)
    lines, left = [], 0
    for found in same.values():
        one = found[0]
        if one.severity == "info" and not notes:
            left += 1
            continue
        where = ", ".join(dict.fromkeys(filter(None, _for_all(found, [problem.where for problem in found], lang))))
        (said,) = _for_all(found, [one.message], lang)
        text = f"{say(f'severity.{one.severity}', lang)}: {where}{': ' if where else ''}{said} [{one.code}]"
        text = as_called_here(text)
        lines += [paint(line, STYLES[one.severity]) for line in wrap(text, min(width, paint.width), indent="  ")]
    if left:
        lines.append(paint(say("said.notes-left", lang, count=left), "dim"))
    return lines


def _less_symbol(thing: Phrase) -> tuple[object, ...]:
    """Return what a phrase says of any symbol."""
    return (thing.key, *(item for item in thing.items if item[0] != "symbol"))


def _for_all(found: Sequence[Problem], things: Sequence[str | Phrase], lang: Lang) -> list[str]:
    """Return what one of several problems says, of the symbols of all; places that name none stay as they are."""
    first = things[0]
    if len(found) == 1 or not isinstance(first, Phrase) or "symbol" not in first.values:
        return [tell(thing, lang) for thing in things]
    every = (problem.where if first is found[0].where else problem.message for problem in found)
    symbols = dict.fromkeys(one.values["symbol"] for one in every if isinstance(one, Phrase))
    return [first.having(symbol=tuple(symbols)).told(lang)]


def invocation() -> str:
    """Return how the program is called here: `rebalancer` where a shell finds it, else through uv in the clone."""
    # uv puts its environment's programs on the path of what it runs; the person's shell does not find them there.
    own = Path(sys.prefix).resolve()
    folders = [
        folder
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if folder and ("VIRTUAL_ENV" not in os.environ or own not in Path(folder).resolve().parents)
    ]
    return "rebalancer" if shutil.which("rebalancer", path=os.pathsep.join(folders)) else "python -m uv run rebalancer"


def as_called_here(text: str) -> str:
    """Return a message whose commands work as they stand, however the program was installed."""
    before = invocation().removesuffix("rebalancer")
    for program in ("rebalancer", "keyring") if before else ():
        text = text.replace(f"`{program} ", f"`{before}{program} ")
    return text


def default_language(environ: Mapping[str, str] = os.environ) -> Lang:
    """Return the language of the locale in LC_ALL, LC_MESSAGES or LANG (the first one set), where there is one of ours.

    Where none is set, as on Windows, the system's own locale counts; what is not ours is told in English.
    """
    set_ones = (environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name))
    name = next(set_ones, None) or locale.getlocale()[0] or ""
    # Windows names Korean in full.
    return next((lang for lang in LANGUAGES if name.lower().startswith(lang)), LANGUAGES[0])
