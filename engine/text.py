"""Numbers, dates and words as people write them: read strictly, with the repair named where one is clear."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Iterable
from decimal import Context, Decimal
from functools import cache

from engine.money import PRECISION
from engine.phrase import phrase

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[,_ ][0-9]{3})+(?:\.[0-9]+)?")
#: Days that can be planned for: for these, and for years around them, it is known when the exchanges trade.
FIRST_DAY, LAST_DAY = dt.date(1990, 1, 1), dt.date(2040, 12, 31)
#: Closes go further back than plans do.
FIRST_CLOSE = dt.date(1900, 1, 1)
DAYS = phrase("days", first=FIRST_DAY, last=LAST_DAY)

#: A person's number has at most this many digits before, and after, the point. Any float of ordinary size fits with
#: all the digits that it is written with, and so does what is left over where two of them should have been equal.
MAX_WHOLE_DIGITS = 18
MAX_FRACTION_DIGITS = 40
_FINEST = Decimal(1).scaleb(-MAX_FRACTION_DIGITS)
_ALL_DIGITS = Context(prec=PRECISION)


def fold(text: str) -> str:
    """Return the form in which two spellings of a name are equal: one width, one case, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def is_one_line(text: str) -> bool:
    """Tell whether a text has no control character, surrogate or line break in it."""
    return text.isprintable() or not any(
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text
    )


def read_number(text: str) -> Decimal | None:
    """Return the plain decimal number that the text is (`12`, `-0.5`, `1e3`), or None; never NaN or infinity."""
    text = text.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def repaired_number(text: str) -> str | None:
    """Return how a number written for people (`1,234`, `₩1,000`, `12.5%`) is written plainly; None where unclear."""
    plain = _amount_marks().sub("", unicodedata.normalize("NFKC", text).strip()).replace("−", "-")
    percent = plain.endswith("%")
    plain = plain.removesuffix("%").strip()
    if _GROUPED.fullmatch(plain):
        plain = re.sub("[,_ ]", "", plain)
    number = read_number(plain)
    if number is None:
        return None
    return plain_number(number / 100 if percent else number)


def fits(number: Decimal) -> bool:
    """Tell whether a number has a size that money and quantities can have, and that is computed with exactly."""
    return number.adjusted() < MAX_WHOLE_DIGITS and number == number.quantize(_FINEST, context=_ALL_DIGITS)


#: What `fits` permits.
SIZE = phrase("size", whole=MAX_WHOLE_DIGITS, fraction=MAX_FRACTION_DIGITS)


def plain_number(number: Decimal) -> str:
    """Return the number without exponent and without trailing zeros: `0.1`, `1500000`."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def percent(fraction: Decimal) -> str:
    """Return a fraction as a percentage: 0.08 is `8 %`."""
    return f"{plain_number(fraction * 100)} %"


#: As dates are written in the United States: no Korean or American writes the day first.
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def repaired_date(text: str) -> str | None:
    """Return a date (`2026/7/1`, `2026. 7. 1.`, with Korean marks too; `7/1/2026`) in ISO form; None without one."""
    match = _loose_date().fullmatch(text.strip())
    american = _MONTH_FIRST.fullmatch(text.strip())
    if match is None and american is None:
        return None
    given = match.groups() if match else (american[3], american[1], american[2]) if american else ()
    try:
        return dt.date(*map(int, given)).isoformat()
    except ValueError:
        return None


@cache
def _marks(kind: str) -> list[str]:
    """Return what people write beside amounts, or after years, months and days (`marks.csv`)."""
    import csv  # what few need does not slow every start
    from importlib import resources

    rows = csv.DictReader(resources.files(__package__).joinpath("marks.csv").read_text(encoding="utf-8").splitlines())
    return [row["mark"] for row in rows if row["kind"] == kind]


@cache
def _amount_marks() -> re.Pattern[str]:
    before, after = ("|".join(map(re.escape, _marks(kind))) for kind in ("before", "after"))
    return re.compile(rf"^(?:{before})\s*|\s*(?:{after})$", re.IGNORECASE)


@cache
def _loose_date() -> re.Pattern[str]:
    year, month, day = ("".join(_marks(kind)) for kind in ("year", "month", "day"))
    return re.compile(rf"([0-9]{{4}})[./{year} -]+([0-9]{{1,2}})[./{month} -]+([0-9]{{1,2}})[.{day}]?")


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known word most like this one, or None where none is near."""
    found = difflib.get_close_matches(word.casefold(), list(known), n=1, cutoff=cutoff)
    return found[0] if found else None
