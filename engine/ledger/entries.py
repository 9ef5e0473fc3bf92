"""The entries of a ledger, and the CSV they are kept in.

A ledger is only ever added to. Entries that belong together (the orders of one plan) share a `batch`; taking one back
is a new entry that names it. Columns, one row an entry:

    format      1, the version of these columns
    id          the entry's own, never used again
    batch       what it was written with
    date        the day it happened
    kind        opening, buy, sell, deposit, withdrawal, dividend, interest, fee, exchange-out, exchange-in, split,
                correction, snapshot, undo
    account     its name; empty where a portfolio has no accounts
    symbol      the instrument; empty for money alone
    quantity    shares bought, sold, held (opening, snapshot); new shares for an old one (split); difference
                (correction)
    price       per share, in `currency`; for an opening the average cost, where it is known
    currency    of price, amount, cost and tax
    amount      money: quantity times price; what came, left or was exchanged; held (opening, snapshot), difference
                (correction)
    cost        commissions and sales taxes, tax what was withheld of a gain or a dividend
    fx          base currency per unit of `currency` on the day, where it is known
    undoes      the batch that is taken back
    note        whatever one wants to remember
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from operator import itemgetter
from typing import cast

from engine import formats
from engine.data.fields import Report, Where, in_rows
from engine.errors import Problem
from engine.ledger.kinds import KINDS, EntryKind
from engine.money import MINOR_DIGITS, ZERO

FORMAT = formats.LEDGER
#: Digits of a Korean code; spreadsheets save 005930 as 5930.
KRX_DIGITS = 6
#: Kinds whose money is new to the portfolio, or leaves it.
EXTERNAL = ("opening", "deposit", "withdrawal", "correction")


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One thing that happened; what the columns mean stands in this module's docstring."""

    id: str
    batch: str
    date: dt.date
    kind: EntryKind
    account: str = ""
    symbol: str = ""
    quantity: Decimal = ZERO
    price: Decimal | None = None
    currency: str = ""
    amount: Decimal = ZERO
    cost: Decimal = ZERO
    tax: Decimal = ZERO
    fx: Decimal | None = None
    undoes: str = ""
    note: str = ""


COLUMNS = ("format", *(one.name for one in fields(LedgerEntry)))
_NUMBERS = ("quantity", "price", "amount", "cost", "tax", "fx")
_TEXTS = ("id", "batch", "account", "symbol", "undoes", "note")
_KNOWN, _VERSION, _TOO_MUCH = frozenset(KINDS), str(FORMAT), Decimal(10) ** 18
#: Kinds that need a symbol, kinds that are money alone, and kinds that may be either.
_OF_SHARES = ("buy", "sell", "split")
_OF_MONEY = ("deposit", "withdrawal", "interest", "fee", "exchange-out", "exchange-in")
#: Kinds that may be negative: a dividend or a fee that was taken back, interest that was charged.
_EITHER_WAY = ("dividend", "interest", "fee")


def dump_entries(entries: Iterable[LedgerEntry], *, header: bool, columns: Sequence[str] = COLUMNS) -> str:
    """Return entries as the lines of a ledger's CSV, below its header where that is asked for.

    `columns` are those of the file they are added to, in its order; one that is not ours stays empty.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(columns)
    for entry in entries:
        cells = {"format": str(FORMAT), **{name: _text(getattr(entry, name)) for name in COLUMNS[1:]}}
        writer.writerow([cells.get(name, "") for name in columns])
    return out.getvalue()


def columns_of(text: str) -> tuple[str, ...]:
    """Return the columns that a ledger's header names."""
    return tuple(name.strip().lower() for name in next(csv.reader(io.StringIO(text)), ()))


def _text(value: object) -> str:
    if value is None or value == ZERO:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize() + 0:f}"
    return " ".join(str(value).split())


def parse_entries(
    text: str, where: Where = "ledger", *, own: bool = True
) -> tuple[tuple[LedgerEntry, ...], tuple[Problem, ...]]:
    """Return the entries of a ledger's CSV in the order they were written, and a problem for each that cannot be used.

    A last line without its end was never finished: it is left out, with a warning. An entry that stands twice (two
    copies of a ledger put together) counts once. With `own` false the entries have no identities yet: each gets the
    number of its row.
    """
    report = Report(where, in_rows(where, "listed-row"))
    whole, newline, rest = text.rpartition("\n")
    if rest.strip():
        report.warning((whole.count("\n") + 2,), "ledger-torn")
    rows = csv.reader(io.StringIO(whole + newline))
    header = next(rows, None)
    if header is None:
        return (), tuple(report.problems)
    names = [name.strip().lower() for name in header]
    missing = [name for name in ("id", "date", "kind") if name not in names and (own or name != "id")]
    if missing:
        report.error((1,), "ledger-header", missing=missing, columns=COLUMNS)
        return (), tuple(report.problems)
    found: dict[str, LedgerEntry] = {}
    snapshot = _snapshots(names)
    for number, row in enumerate(rows, 2):
        if plain := snapshot(row):
            found.setdefault(plain.id, plain)
            continue
        if not any(row):
            continue
        given = dict(zip(names, row, strict=False))
        entry = read_entry(number, given if own else {**given, "id": given.get("id") or f"row{number}"}, report)
        if entry is not None:
            found.setdefault(entry.id, entry)
    return tuple(found.values()), tuple(report.problems)


class _Numbers(dict[str, Decimal]):
    """The numbers of a file by their text, each read once; none is 0. Raises InvalidOperation for what is none."""

    def __missing__(self, text: str) -> Decimal:
        value = Decimal(text or 0)
        if not value.is_finite() or abs(value) >= _TOO_MUCH:
            raise InvalidOperation
        self[text] = value
        return value


def _snapshots(names: Sequence[str]) -> Callable[[list[str]], LedgerEntry | None]:
    """Return what reads the row of a snapshot, of which there may be hundreds of thousands; None for any other row.

    It reads only rows with which nothing is wrong: all others are for `read_entry`, which says what is.
    """
    width = len(names)
    at = {name: names.index(name) if name in names else width for name in COLUMNS}
    pick = itemgetter(*(at[name] for name in COLUMNS))
    numbers = _Numbers()

    def snapshot(row: list[str]) -> LedgerEntry | None:
        if len(row) != width:
            return None
        (version, identity, batch, date, kind, account, symbol, quantity, price, currency, amount, cost, tax, fx,
         undoes, note) = pick((*row, ""))  # fmt: skip
        day = _day(date)
        short = symbol.isdecimal() and len(symbol) < KRX_DIGITS
        if kind != "snapshot" or not identity or day is None or version != _VERSION or short or cost or tax or undoes:
            return None
        if currency not in MINOR_DIGITS or identity.strip() != identity:
            return None
        try:
            return LedgerEntry(
                identity, batch.strip() or identity, day, "snapshot", account.strip(), symbol.strip(),
                numbers[quantity], numbers[price] if price else None, currency, numbers[amount], ZERO, ZERO,
                numbers[fx] if fx else None, "", note.strip(),
            )  # fmt: skip
        except InvalidOperation:
            return None

    return snapshot


def read_entry(number: int, row: Mapping[str, str], report: Report) -> LedgerEntry | None:
    """Return a row as an entry, None where it cannot be used."""
    before = len(report.problems)
    cells = {name: text.strip() for name, text in row.items()}
    version, kind, currency = cells.get("format", ""), cells.get("kind", ""), cells.get("currency", "").upper()
    if version and version != _VERSION:
        newer = version.isdecimal() and int(version) > FORMAT
        report.error((number, "format"), "format-newer" if newer else "ledger-format", version=version, known=FORMAT)
        return None
    if kind not in _KNOWN:
        report.error((number, "kind"), "ledger-kind", value=kind, kinds=KINDS)
    if not cells.get("id"):
        report.error((number, "id"), "ledger-id")
    day = _day(cells.get("date", ""))
    if day is None:
        report.error((number, "date"), "ledger-date", value=cells.get("date", ""))
    given: dict[str, Decimal | None] = {}
    for name in _NUMBERS:
        if text := cells.get(name):
            given[name] = _number(number, name, text, report)
    if currency and currency not in MINOR_DIGITS:
        report.error((number, "currency"), "ledger-currency", value=currency, known=tuple(MINOR_DIGITS))
    if len(report.problems) == before and kind != "snapshot":
        _check_kind(number, kind, cells, given, report)
    if len(report.problems) > before or day is None:
        return None
    texts = {name: cells[name] for name in _TEXTS if cells.get(name)}
    texts.setdefault("batch", cells["id"])
    if currency == "KRW" and (code := texts.get("symbol", "")).isdecimal() and len(code) < KRX_DIGITS:
        texts["symbol"] = code.zfill(KRX_DIGITS)
    return LedgerEntry(date=day, kind=cast("EntryKind", kind), currency=currency, **texts, **given)  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _number(number: int, name: str, text: str, report: Report) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value) >= _TOO_MUCH:
        report.error((number, name), "ledger-number", value=text)
        return None
    return value


def _check_kind(
    number: int, kind: str, cells: dict[str, str], numbers: dict[str, Decimal | None], report: Report
) -> None:
    """Report what an entry of its kind lacks, or cannot have."""
    symbol, quantity, amount = cells.get("symbol", ""), numbers.get("quantity") or ZERO, numbers.get("amount") or ZERO
    if kind in _OF_SHARES and not symbol:
        report.error((number, "symbol"), "ledger-lacks", kind=kind, column="symbol")
    if kind in _OF_SHARES and quantity <= 0:
        report.error((number, "quantity"), "ledger-positive", kind=kind, column="quantity", value=quantity)
    if kind in (*_OF_MONEY, "buy", "sell", "dividend"):
        if (amount < 0 and kind not in _EITHER_WAY) or (kind in _OF_MONEY and not amount):
            report.error((number, "amount"), "ledger-positive", kind=kind, column="amount", value=amount)
        if not cells.get("currency"):
            report.error((number, "currency"), "ledger-lacks", kind=kind, column="currency")
    if kind == "undo" and not cells.get("undoes"):
        report.error((number, "undoes"), "ledger-lacks", kind=kind, column="undoes")
    if kind == "opening" and (quantity < 0 or (symbol and amount < 0)):
        report.error((number, "quantity"), "ledger-positive", kind=kind, column="quantity", value=quantity)


def standing(entries: Sequence[LedgerEntry]) -> Iterator[LedgerEntry]:
    """Yield the entries that were not taken back, without the undoing ones; an undo may be taken back itself."""
    undoing: dict[str, list[str]] = {}
    for entry in entries:
        if entry.kind == "undo":
            undoing.setdefault(entry.undoes, []).append(entry.batch)

    def undone(batch: str, seen: frozenset[str] = frozenset()) -> bool:
        # Whatever order the rows stand in: a person may sort the sheet, newest first.
        seen |= {batch}
        return any(not undone(other, seen) for other in undoing.get(batch, ()) if other not in seen)

    gone = {batch for batch in undoing if undone(batch)}
    for entry in entries:
        if entry.kind != "undo" and entry.batch not in gone:
            yield entry
