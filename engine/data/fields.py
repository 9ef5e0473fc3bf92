"""Located rows, read the one way there is: each key of a mapping by its type, what does not fit a problem at its place.

A row of a CSV file, a mapping of a YAML document and a record of a program are read alike:

    report = Report("prices.csv", in_rows("prices.csv"))        # a path is (row, column)
    row = Fields({"symbol": "QQQ", "price": "1,234"}, (3,), report, known=("symbol", "price"))
    row.text("symbol"), row.number("price", ZERO, above=True)   # "QQQ", None
    report.problems                                             # "prices.csv row 3, column price": write 1234

Values are what YAML text, a cell or a DataFrame holds: text, numbers (numpy's too), booleans, dates or None. A number
may be text that is a plain number; anything that would have to be guessed at ("1,234") is an error that offers the
repair. Every method reports what is wrong and then returns as if the key were not there.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from engine.errors import Problem, error, note, warning
from engine.money import MINOR_DIGITS, ZERO
from engine.phrase import Phrase, phrase, place
from engine.text import (
    DAYS,
    FIRST_DAY,
    LAST_DAY,
    SIZE,
    fits,
    is_one_line,
    nearest,
    plain_number,
    read_number,
    repaired_date,
    repaired_number,
)

#: The keys and item numbers (from 0) that lead to a place in a document.
Path = tuple[str | int, ...]
#: Where something is: a name or path as it stands, or a phrase of a place.
Where = str | Phrase
#: Tells where a path is: file and line, or sheet, row and column.
Locate = Callable[[Path], Where]

ONE = Decimal(1)
_TRUE = frozenset(("true", "yes", "on", "y"))
_FALSE = frozenset(("false", "no", "off", "n"))
#: Keys that people write for ours, where the spelling is not near.
_SYNONYMS = {
    "ticker": ("symbol",),
    "symbol": ("ticker",),
    "code": ("symbol", "ticker"),
    "qty": ("quantity",),
    "shares": ("quantity",),
    "amount": ("quantity",),
    "avg_cost": ("average_cost",),
    "cost_basis": ("average_cost",),
    "target": ("weight",),
    "minimum": ("min",),
    "maximum": ("max",),
    "limit": ("max",),
    "band": ("absolute_band",),
    "type": ("asset_type",),
    "positions": ("holdings",),
    "currency": ("base_currency",),
}
#: Kinds of values that are Python's own: nearly all there are.
_PLAIN = frozenset((str, int, float, bool, Decimal, type(None), list, dict))
#: What a message quotes of a value is at most so long.
_SHOWN = 60


def dotted(path: Path) -> str:
    """Return a path in writing: ("portfolio", "holdings", 2) is `portfolio.holdings[2]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def in_rows(file: Where, kind: str = "row") -> Locate:
    """Return what tells where the path (row,) or (row, column) of a table in a file is.

    `kind` is "row" (`p.csv row 3, column price`) or "listed-row" (`h.csv, row 3, column Date`); of "" it is the file.
    """

    def locate(path: Path) -> Where:
        if not path:
            return file
        if len(path) == 1:
            return place(kind, file=file, row=path[0])
        return place(f"{kind}-column", file=file, row=path[0], column=path[1])

    return locate


class Report:
    """The problems found in one document, each at a path of it; `locate` says where a path is."""

    def __init__(self, source: Where, locate: Locate | None = None) -> None:
        self.source = source
        self.locate = locate
        self.problems: list[Problem] = []

    def where(self, path: Path, line: int | None = None) -> Where:
        """Return where a path is: what `locate` says, or source, line where known, and dotted path."""
        if self.locate is not None and line is None:
            return self.locate(path)
        start = self.source if line is None else place("line", file=self.source, row=line)
        if not path:
            return start
        return f"{start}: {dotted(path)}" if isinstance(start, str) else place("path", file=start, path=dotted(path))

    def error(self, path: Path, key: str, **values: object) -> None:
        """Add a problem that keeps the document from being used; `key` and `values` as in `engine.errors.error`."""
        self.problems.append(error(key, self.where(path), **values))

    def warning(self, path: Path, key: str, **values: object) -> None:
        """Add a problem that a person should look at before acting."""
        self.problems.append(warning(key, self.where(path), **values))

    def note(self, path: Path, key: str, **values: object) -> None:
        """Add something that a person should know."""
        self.problems.append(note(key, self.where(path), **values))

    @property
    def failed(self) -> bool:
        """Tell whether any problem is an error."""
        return any(problem.severity == "error" for problem in self.problems)


def plain(value: Any) -> Any:  # noqa: ANN401 - a value of any kind
    """Return a number, flag, date or text of numpy as Python's own: a number by the digits that it shows."""
    if type(value).__module__ != "numpy":
        return value
    if value.ndim:
        return value.tolist()
    item = value.item()
    if value.dtype.kind == "M" and isinstance(item, int):
        item = value.astype("datetime64[us]").item()  # of nanoseconds Python has no moment
    return float(str(value)) if isinstance(item, float) else item


def shown(value: object) -> str | Phrase:
    """Return a value as a message quotes it: at most 60 characters, without line breaks."""
    if value is None:
        return phrase("shown.nothing")
    text = " ".join(str(value).split())
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "…") if isinstance(value, str) else text[:_SHOWN]


def to_number(value: object) -> Decimal | None:
    """Return the number that a plain value is, or None where it is none (a boolean, NaN, text with more in it)."""
    if isinstance(value, str):
        return read_number(value)
    value = plain(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        value = Decimal(repr(value))  # the digits a person sees, not the binary tail
    return value if isinstance(value, Decimal) and value.is_finite() else None


def to_text(value: object) -> str:
    """Return the text of a plain value, in one Unicode form, without surrounding space."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFC", str(value)).strip()


class Fields:
    """One mapping of known keys at a path of a document, each key read by its type."""

    __slots__ = ("path", "report", "values")

    def __init__(self, data: object, path: Path, report: Report, known: Iterable[str]) -> None:
        self.path = path
        self.report = report
        self.values: Mapping[str, object] = {}
        known = tuple(known)
        if not isinstance(data, Mapping):
            what = phrase("shown.list") if isinstance(data, list | tuple) else shown(data)
            report.error(path, "wrong-type.keys", value=what, known=known)
            return
        ours = _PLAIN.issuperset(map(type, data.values()))
        self.values = data if ours else {key: plain(value) for key, value in data.items()}
        for key in data:
            if key not in known:
                self._unknown(str(key), known)

    def _unknown(self, key: str, known: tuple[str, ...]) -> None:
        near = next((word for word in _SYNONYMS.get(key, ()) if word in known), None) or nearest(key, known)
        repair = phrase("repair.near", word=near) if near else phrase("repair.known", known=known)
        self.error(key, "unknown-key", value=shown(key), repair=repair)

    def at(self, field: str) -> Path:
        """Return the path of a key."""
        return (*self.path, field)

    def given(self, field: str) -> bool:
        """Tell whether a key is there with a value."""
        return self.values.get(field) is not None

    def error(self, field: str, key: str, **values: object) -> None:
        """Report an error at a key; its message may name the key as `field`."""
        self.report.error(self.at(field), key, **({"field": field} | values))

    def missing(self, field: str, repair: str, **values: object) -> None:
        """Report a key that has to be there; `repair` is the key of the phrase that says what to write."""
        self.error(field, "missing", repair=phrase(f"repair.{repair}", **values))

    def text(self, field: str, default: str = "") -> str:
        """Return a text on one line."""
        value = self.values.get(field)
        if value is None:
            return default
        if isinstance(value, Mapping | list | tuple):
            self.error(field, "wrong-type.text")
            return default
        text = to_text(value)
        if not is_one_line(text):
            self.error(field, "control-character", value=repr(text))
            return default
        return text

    def number(self, field: str, low: Decimal | None = None, *, above: bool = False) -> Decimal | None:
        """Return a number, from `low` up (greater than it if `above`)."""
        value = self.values.get(field)
        if value is None:
            return None
        number = to_number(value)
        if number is None:
            repaired = repaired_number(value) if isinstance(value, str) else None
            repair = phrase("repair.write", value=repaired) if repaired else phrase("repair.digits")
            self.error(field, "not-a-number", value=shown(value), repair=repair)
        elif not fits(number):
            self.error(field, "out-of-range.size", value=shown(value), size=SIZE)
        elif low is not None and (number < low or (above and number == low)):
            self.error(field, f"out-of-range.{'above' if above else 'low'}", value=plain_number(number), low=low)
        else:
            return number
        return None

    def fraction(self, field: str, high: Decimal = ONE) -> Decimal | None:
        """Return a fraction of a whole, from 0 to `high`: 0.25, or 25% where the sign is written.

        A number that only looks like a percentage is not converted.
        """
        value = self.values.get(field)
        percentage = read_number(value.strip()[:-1].strip()) if isinstance(value, str) and "%" in value[-2:] else None
        number = self.number(field, ZERO) if percentage is None else percentage / 100
        if number is not None and number < 0:
            self.error(field, "out-of-range.low", value=plain_number(number), low=ZERO)
            return None
        if number is None or number <= high:
            return number
        variant = "percentage" if number <= 100 else "high"
        share = plain_number(number / 100)
        self.error(field, f"out-of-range.{variant}", value=plain_number(number), high=high, share=share)
        return None

    def flag(self, field: str) -> bool | None:
        """Return true or false."""
        value = self.values.get(field)
        if value is None or isinstance(value, bool):
            return value
        word = to_text(value).casefold()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        self.error(field, "not-a-flag", value=shown(value))
        return None

    def date(self, field: str) -> dt.date | None:
        """Return a calendar date, of the years that can be planned for."""
        day = self._day(field, dt.date.fromisoformat)
        return day.date() if isinstance(day, dt.datetime) else day

    def moment(self, field: str) -> dt.datetime | dt.date | None:
        """Return a moment, or a date where no time is written."""
        return self._day(field, lambda text: (dt.date if len(text) <= 10 else dt.datetime).fromisoformat(text))

    def _day(self, field: str, parse: Callable[[str], dt.date]) -> dt.date | None:
        value = self.values.get(field)
        if value is None:
            return None
        try:
            day = value if isinstance(value, dt.date) else parse(to_text(value))
        except ValueError:
            repaired = repaired_date(to_text(value))
            repair = phrase("repair.write", value=repaired) if repaired else phrase("repair.date")
            self.error(field, "not-a-date", value=shown(value), repair=repair)
            return None
        bare = day.date() if isinstance(day, dt.datetime) else day
        if FIRST_DAY <= bare <= LAST_DAY:
            return day
        self.error(field, "out-of-range.date", value=bare, days=DAYS)
        return None

    def choice(self, field: str, choices: tuple[str, ...]) -> str | None:
        """Return one of a few words."""
        if field not in self.values or (self.values[field] is None and "none" not in choices):
            return None
        return choose(self.values[field], self.at(field), self.report, choices)

    def currency(self, field: str) -> str | None:
        """Return a currency's code."""
        return currency(self.values[field], self.at(field), self.report) if self.given(field) else None

    def items(self, field: str) -> list[tuple[object, Path]]:
        """Return the items of a list, each with its path."""
        value = self.values.get(field)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            what = phrase("shown.mapping") if isinstance(value, Mapping) else shown(value)
            self.error(field, "wrong-type.list", value=what)
            return []
        return [(plain(item), (*self.path, field, index)) for index, item in enumerate(value)]

    def rows(self, field: str, known: tuple[str, ...]) -> list[Fields]:
        """Return the items of a list that are mappings of known keys; reports those that are not."""
        rows = [(item, Fields(item, path, self.report, known)) for item, path in self.items(field)]
        return [row for item, row in rows if isinstance(item, Mapping)]

    def mapping(self, field: str) -> list[tuple[str, object, Path]]:
        """Return the keys and values of a mapping, each with its path."""
        value = self.values.get(field)
        if value is None:
            return []
        if not isinstance(value, Mapping):
            what = phrase("shown.list") if isinstance(value, list | tuple) else shown(value)
            self.error(field, "wrong-type.mapping", value=what)
            return []
        return [(str(name), plain(item), (*self.path, field, str(name))) for name, item in value.items()]


def choose(value: object, path: Path, report: Report, choices: tuple[str, ...]) -> str | None:
    """Return the one of a few words that the value is, whatever its case; None is the word none."""
    words = {word.casefold(): word for word in choices}
    word = "none" if value is None else to_text(value).casefold()
    if word in words:
        return words[word]
    near = nearest(word, words)
    if near:
        report.error(path, "unknown-choice.near", value=shown(value), near=words[near], choices=choices)
    else:
        report.error(path, "unknown-choice", value=shown(value), choices=choices)
    return None


def currency(value: object, path: Path, report: Report) -> str | None:
    """Return the code of a known currency, in capitals."""
    code = to_text(value).upper()
    if code in MINOR_DIGITS:
        return code
    report.error(path, "unknown-currency", value=shown(value), known=MINOR_DIGITS)
    return None
