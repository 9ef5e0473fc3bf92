"""What several commands' arguments are, and how a value is read as a person types it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from engine.phrase import phrase
from engine.text import FIRST_DAY, LAST_DAY, MAX_FRACTION_DIGITS, MAX_WHOLE_DIGITS, fits, read_number
from engine.words import LANGUAGES
from xl_addin.cli.frame import BadValue, OneOf, argument, option, reader_language

FILE = click.Path(path_type=Path)
_AMOUNT = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")


def amount(text: str) -> Decimal:
    """Return an amount of money such as 500000, -1,000,000 or 12.50; raises BadValue for anything else."""
    if not _AMOUNT.fullmatch(text):
        raise BadValue(phrase("wanted.amount", value=text))
    number = Decimal(text.replace(",", ""))
    if not fits(number):
        raise BadValue(phrase("wanted.amount-size", value=text, whole=MAX_WHOLE_DIGITS, fraction=MAX_FRACTION_DIGITS))
    return number


def accepted(text: str) -> tuple[str, Decimal]:
    """Return the symbol and the price of a doubtful price that is accepted; raises BadValue for anything else."""
    symbol, _, price = text.rpartition("=")
    if not symbol.strip() or not _AMOUNT.fullmatch(price) or Decimal(price.replace(",", "")) <= 0:
        raise BadValue(phrase("wanted.accepted", value=text))
    return symbol.strip(), Decimal(price.replace(",", ""))


def date(text: str) -> dt.date:
    """Return a date such as 2026-11-20 that can be planned for; raises BadValue for anything else."""
    try:
        day = dt.datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        raise BadValue(phrase("wanted.date", value=text)) from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadValue(phrase("wanted.day", value=text, first=FIRST_DAY, last=LAST_DAY))
    return day


def currency(text: str) -> str:
    """Return the code of a currency such as KRW, in any case; raises BadValue for one that is not known."""
    from engine.money import MINOR_DIGITS

    code = text.upper()
    if code not in MINOR_DIGITS:
        raise BadValue(phrase("wanted.choice", value=text, choices=tuple(MINOR_DIGITS)))
    return code


def whole(what: str, lowest: int, highest: int) -> Callable[[str], int]:
    """Return what reads a whole number within limits; `what` it counts is in the message `wanted.<what>`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise BadValue(phrase(f"wanted.{what}", value=text, lowest=lowest, highest=highest))
        return int(text)

    return read


def share(what: str, *, above_zero: bool = True, below_one: bool = False) -> Callable[[str], Decimal]:
    """Return what reads a number from 0 to 1; `what` it is, is in the message `wanted.<what>`."""

    def read(text: str) -> Decimal:
        number = read_number(text)
        if number is None or not 0 <= number <= 1 or (above_zero and not number) or (below_one and number == 1):
            raise BadValue(phrase(f"wanted.{what}", value=text))
        return number

    return read


def may_be_several(files: Sequence[Path]) -> bool:
    """Tell whether it takes a look to know that one portfolio alone is meant."""
    return len(files) != 1 or files[0].is_dir() or files[0].suffix.lower() in (".csv", ".parquet")


def all_of(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the decorator that declares several options, in this order."""

    def declare(function: Any) -> Any:  # noqa: ANN401 - a command's function, as click's own decorators take it
        for one in reversed(options):
            function = one(function)
        return function

    return declare


portfolio_file = argument("file", type=FILE, metavar="FILE")
lang_option = option("--lang", type=OneOf(LANGUAGES), default=reader_language)
#: --json and --lang.
output_options = all_of(option("--json", "as_json", is_flag=True), lang_option)
force_option = option("--force", is_flag=True)
prices_option = option("--prices", type=FILE, metavar="CSV")
#: --history and --offline.
history_options = all_of(option("--history", type=FILE, metavar="CSV"), option("--offline", is_flag=True))
facts_option = option("--facts", type=FILE, metavar="YAML")
as_of_option = option("--as-of", type=date, metavar="DATE")
stale_option = option("--allow-stale", is_flag=True)
#: --accept, which may be given several times.
accept_option = option("--accept", type=accepted, multiple=True, metavar="SYMBOL=PRICE")
currency_option = option("--currency", type=currency, metavar="CUR")
