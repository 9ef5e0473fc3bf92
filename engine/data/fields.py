"""Reading the keys of one mapping, each by its type; what does not fit becomes a problem with its repair.

Values are what YAML text or a cell holds: text, numbers, booleans, dates or None. A number may be text that is a plain
number; anything that would have to be guessed at ("1,234") is an error that offers the repair.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.data.report import Path, Report
from engine.money import MINOR_DIGITS, ZERO
from engine.text import (
    DAYS,
    DAYS_KO,
    FIRST_DAY,
    LAST_DAY,
    SIZE,
    SIZE_KO,
    fits,
    is_one_line,
    nearest,
    plain_number,
    read_number,
    repaired_date,
    repaired_number,
)

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


def shown(value: object, nothing: str = "nothing") -> str:
    """Return a value as a message quotes it: at most 60 characters, without line breaks."""
    text = nothing if value is None else " ".join(str(value).split())
    return repr(text if len(text) <= 60 else text[:57] + "…") if isinstance(value, str) else text[:60]


def to_number(value: object) -> Decimal | None:
    """Return the number that a plain value is, or None where it is none (a boolean, NaN, text with more in it)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        value = Decimal(repr(value))  # the digits a person sees, not the binary tail
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return read_number(value) if isinstance(value, str) else None


def to_text(value: object) -> str:
    """Return the text of a plain value, in one Unicode form, without surrounding space."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFC", str(value)).strip()


class Fields:
    """Read one mapping's keys; every method reports what is wrong and then returns as if the key were not there."""

    __slots__ = ("path", "report", "values")

    def __init__(self, data: object, path: Path, report: Report, known: Iterable[str]) -> None:
        self.path = path
        self.report = report
        self.values: Mapping[str, object] = {}
        if not isinstance(data, Mapping):
            what = "a list" if isinstance(data, list | tuple) else shown(data)
            what_ko = "목록" if isinstance(data, list | tuple) else shown(data, "빈 값")
            keys = ", ".join(known)
            message = f"{what} stands where keys and values belong: {keys}"
            report.error(path, "wrong-type", message, f"키와 값이 올 자리에 있는 것: {what_ko}. 쓸 수 있는 키: {keys}")
            return
        self.values = data
        for key in data:
            if key not in known:
                self._unknown(key, tuple(known))

    def _unknown(self, key: object, known: tuple[str, ...]) -> None:
        near = next((word for word in _SYNONYMS.get(str(key), ()) if word in known), None) or nearest(str(key), known)
        repair = f"did you mean {near}?" if near else f"known here: {', '.join(known)}"
        message = f"{shown(str(key))} is not a key of this place; {repair}"
        repair_ko = f"혹시 {near}인가요?" if near else f"쓸 수 있는 키: {', '.join(known)}"
        ko = f"여기에 쓸 수 없는 키 {shown(str(key))}: {repair_ko}"
        self.report.error(self.at(str(key)), "unknown-key", message, ko)

    def at(self, key: str) -> Path:
        """Return the path of a key."""
        return (*self.path, key)

    def given(self, key: str) -> bool:
        """Tell whether a key is there with a value."""
        return self.values.get(key) is not None

    def error(self, key: str, code: str, message: str, ko: str) -> None:
        """Report an error at a key."""
        self.report.error(self.at(key), code, message, ko)

    def missing(self, key: str, repair: str, ko: str) -> None:
        """Report a key that has to be there; `repair` and `ko` say what to write, in English and Korean."""
        self.report.error(self.at(key), "missing", f"{key} is missing: {repair}", f"{key} 없음: {ko}")

    def text(self, key: str, default: str = "") -> str:
        """Return a text on one line."""
        value = self.values.get(key)
        if value is None:
            return default
        if isinstance(value, Mapping | list | tuple):
            ko = f"{key} 값이 목록이나 묶음입니다: 글 하나로 적으세요"
            self.error(key, "wrong-type", f"{key} is a list or mapping: write one text", ko)
            return default
        text = to_text(value)
        if not is_one_line(text):
            message = f"{key} is {text!r}, which has control characters: remove them"
            self.error(key, "control-character", message, f"{key} 값 {text!r}: 제어 문자를 지우세요")
            return default
        return text

    def number(self, key: str, low: Decimal | None = None, *, above: bool = False) -> Decimal | None:
        """Return a number, from `low` up (greater than it if `above`)."""
        value = self.values.get(key)
        if value is None:
            return None
        number = to_number(value)
        if number is None:
            repair, ko = _repair(value)
            message = f"{key} is {shown(value)}, not a plain number: {repair}"
            self.error(key, "not-a-number", message, f"{key} 값 {shown(value)}: 숫자가 아닙니다. {ko}")
        elif not fits(number):
            message = f"{key} is {shown(value)}: {SIZE} are possible"
            ko = f"{key} 값 {shown(value)}: {SIZE_KO} 쓸 수 있습니다"
            self.error(key, "out-of-range", message, ko)
        elif low is not None and (number < low or (above and number == low)):
            permitted = f"more than {low}" if above else f"{low} or more"
            ko = f"{key} 값 {plain_number(number)}: {low}{'보다 큰' if above else ' 이상의'} 수를 적으세요"
            self.error(key, "out-of-range", f"{key} is {plain_number(number)}: write {permitted}", ko)
        else:
            return number
        return None

    def fraction(self, key: str, high: Decimal = ONE) -> Decimal | None:
        """Return a fraction of a whole, from 0 to `high`; a number that looks like a percentage is not converted."""
        number = self.number(key, ZERO)
        if number is None or number <= high:
            return number
        plain, share = plain_number(number), plain_number(number / 100)
        repair = f"; if {plain} % is meant, write {share}" if number <= 100 else ""
        repair_ko = f". {plain} %라면 {share}처럼 적으세요" if number <= 100 else f": {high} 이하로 적으세요"
        message = f"{key} is {plain}, above {high}{repair}"
        self.error(key, "out-of-range", message, f"{key} 값 {plain}, 최대 {high} 초과{repair_ko}")
        return None

    def flag(self, key: str) -> bool | None:
        """Return true or false."""
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return value
        word = to_text(value).casefold()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        ko = f"{key} 값 {shown(value)}: true 또는 false로 적으세요"
        self.error(key, "not-a-flag", f"{key} is {shown(value)}: write true or false", ko)
        return None

    def date(self, key: str) -> dt.date | None:
        """Return a calendar date, of the years that can be planned for."""
        value = self.values.get(key)
        if value is None:
            return None
        try:
            day = value if isinstance(value, dt.date) else dt.date.fromisoformat(to_text(value))
        except ValueError:
            repaired = repaired_date(to_text(value))
            ko = f"{repaired}처럼 적으세요" if repaired else "2026-07-01처럼 날짜로 적으세요"
            message = f"{key} is {shown(value)}: write {repaired or 'a date such as 2026-07-01'}"
            self.error(key, "not-a-date", message, f"{key} 값 {shown(value)}: {ko}")
            return None
        day = day.date() if isinstance(day, dt.datetime) else day
        if FIRST_DAY <= day <= LAST_DAY:
            return day
        self.error(key, "out-of-range", f"{key} is {day}: write {DAYS}", f"{key} 값 {day}: {DAYS_KO}로 적으세요")
        return None

    def choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        """Return one of a few words."""
        if key not in self.values or (self.values[key] is None and "none" not in choices):
            return None
        return choose(self.values[key], self.at(key), self.report, choices)

    def currency(self, key: str) -> str | None:
        """Return a currency's code."""
        return currency(self.values[key], self.at(key), self.report) if self.given(key) else None

    def items(self, key: str) -> list[tuple[object, Path]]:
        """Return the items of a list, each with its path."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            kind, kind_ko = _kind(value)
            message = f"{key} is {kind}: write a list, one item per line after a dash"
            ko = f"{key} 값 {kind_ko}: 목록으로, 한 줄에 하나씩 - 뒤에 적으세요"
            self.error(key, "wrong-type", message, ko)
            return []
        return [(item, (*self.path, key, index)) for index, item in enumerate(value)]

    def rows(self, key: str, known: tuple[str, ...]) -> list[Fields]:
        """Return the items of a list that are mappings of known keys; reports those that are not."""
        rows = [(item, Fields(item, path, self.report, known)) for item, path in self.items(key)]
        return [row for item, row in rows if isinstance(item, Mapping)]

    def mapping(self, key: str) -> list[tuple[str, object, Path]]:
        """Return the keys and values of a mapping, each with its path."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, Mapping):
            kind, kind_ko = _kind(value)
            message = f"{key} is {kind}: write keys and values"
            self.error(key, "wrong-type", message, f"{key} 값 {kind_ko}: 키와 값으로 적으세요")
            return []
        return [(str(name), item, (*self.path, key, str(name))) for name, item in value.items()]


def choose(value: object, path: Path, report: Report, choices: tuple[str, ...]) -> str | None:
    """Return the one of a few words that the value is, whatever its case; None is the word none."""
    words = {word.casefold(): word for word in choices}
    word = "none" if value is None else to_text(value).casefold()
    if word in words:
        return words[word]
    near = nearest(word, words)
    repair = f"did you mean {words[near]}? " if near else ""
    message = f"{shown(value)} is not possible here: {repair}write {', '.join(choices)}"
    guess = f"혹시 {words[near]}인가요? " if near else ""
    report.error(
        path, "unknown-choice", message, f"쓸 수 없는 값 {shown(value)}: {guess}가능한 값은 {', '.join(choices)}입니다"
    )
    return None


def currency(value: object, path: Path, report: Report) -> str | None:
    """Return the code of a known currency, in capitals."""
    code = to_text(value).upper()
    if code in MINOR_DIGITS:
        return code
    known = ", ".join(MINOR_DIGITS)
    message = f"{shown(value)} is not a known currency: {known}"
    report.error(path, "unknown-currency", message, f"모르는 통화 {shown(value)}: {known} 중에서 적으세요")
    return None


def _kind(value: object) -> tuple[str, str]:
    """Return what a value is, in English and Korean."""
    if isinstance(value, Mapping):
        return "a mapping", "키·값 묶음"
    return ("a list", "목록") if isinstance(value, list | tuple) else (shown(value), shown(value))


def _repair(value: object) -> tuple[str, str]:
    """Return how to write a number, in English and Korean."""
    plain = repaired_number(value) if isinstance(value, str) else None
    if plain:
        return f"write {plain}", f"{plain}처럼 적으세요"
    return "write digits, with a point for the fraction", "숫자만, 소수는 점을 찍어 적으세요"
