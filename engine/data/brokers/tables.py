"""Tables of holdings in an export's sheets, found by their headers wherever they stand, whatever stands around them."""

from __future__ import annotations

import csv
import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Literal, cast

from engine.data.brokers.records import ExportCash, ExportIncome, ExportLine, IncomeKind, Statement
from engine.data.brokers.sheets import Sheet
from engine.data.fields import Where
from engine.errors import Problem, Severity, error, note, warning
from engine.market import catalogue
from engine.money import MINOR_DIGITS
from engine.phrase import place
from engine.text import fold, repaired_number

#: What a column of an export may be.
FIELDS = (
    "symbol", "name", "quantity", "price", "average_cost", "cost", "value", "currency", "account", "number",
)  # fmt: skip
#: Where no form of `formats.csv` fits: a Korean list, or any list.
KOREAN, GENERIC = "korean", "generic"
#: A sentence that stands above a Schwab account's table.
_ACCOUNT_AS_OF = re.compile(r"Positions for account (?P<account>.+?) as of (?P<day>.+)")
_OPTION = re.compile(r"-?[A-Z.]{1,6} ?\d{6}[CP]\d+(\.\d+)?")
_LOT_DATE = re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}")
_CLASS_OF_SHARES = re.compile(r"([A-Z]{1,5}) ([A-Z])")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_YEAR_FIRST = re.compile(r"(?<!\d)(20\d\d)[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_MONTH_NAMED = re.compile(r"\b([A-Z][a-z]{2})[a-z]*[- ](\d{1,2})(?:,? |-)(20\d\d)\b")
_MONTH_FIRST = re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2})/(20\d\d)(?!\d)")
#: Numbers as decimal commas have them, as decimal points have them, and such as could be either.
_COMMA = re.compile(r"\d{1,3}(\.\d{3})+,\d+|\d+,\d{1,2}|\d+,\d{4,}")
_POINT = re.compile(r"\d{1,3}(,\d{3})+\.\d+|\d*\.\d{1,2}|\d*\.\d{4,}|\d{1,3}(,\d{3}){2,}")
_EITHER = re.compile(r"\d{1,3}[.,]\d{3}")
_SURROUNDING = re.compile(r"^[^\d.]*|[^\d]*$")
#: A cost per unit that comes of a total is kept to this.
_COST_PLACES = Decimal("1e-8")
#: A row of the file that only says what one thing is: its name and its value.
_PAIR = 2


@dataclass(frozen=True, slots=True)
class ExportForm:
    """A form of exports: the headers that tell it, and the currency of its amounts, "" where it has several."""

    name: str
    currency: str
    headers: frozenset[str]


@cache
def known_words(kind: str) -> Mapping[str, str]:
    """Return what each word of a kind means, by its folded spelling."""
    with (resources.files(__package__) / "words.csv").open(encoding="utf-8") as file:
        return {fold(row["word"]): row["meaning"] for row in csv.DictReader(file) if row["kind"] == kind}


@cache
def _forms() -> tuple[ExportForm, ...]:
    with (resources.files(__package__) / "formats.csv").open(encoding="utf-8") as file:
        return tuple(
            ExportForm(row["format"], row["currency"], frozenset(map(fold, row["headers"].split("|"))))
            for row in csv.DictReader(file)
        )


_PLAIN_FORMS = (ExportForm(KOREAN, "KRW", frozenset()), ExportForm(GENERIC, "", frozenset()))
FORMATS = (*dict.fromkeys(form.name for form in _forms()), KOREAN, GENERIC)


def read_tables(sheets: Sequence[Sheet], file: str, *, form: str = "", mapping: Mapping[str, str]) -> Statement:
    """Return what the tables of all sheets say; what is not understood is among its problems."""
    own = {fold(header): meaning for header, meaning in mapping.items()}
    reader = _StatementReader(file, form, own)
    for sheet in sheets:
        reader.read(sheet)
    return reader.statement()


def amount(text: str, *, comma: bool = False) -> Decimal | None:
    """Return the number of a cell such as `+$3.10`, `(1,107.00)` or `USD 341.20`, with or without a unit; else None."""
    inner = text.strip().removeprefix("+").replace("@", "")
    negative = inner.startswith("(") and inner.endswith(")")
    inner = inner.strip("()").strip()
    if inner.startswith(("-", "−")):
        negative, inner = not negative, inner[1:]
    if inner[:3] in MINOR_DIGITS:
        inner = inner[3:].strip()
    elif inner[-3:] in MINOR_DIGITS:
        inner = inner[:-3].strip()
    if comma:
        inner = inner.replace(".", "").replace(",", ".")
    if inner.startswith("$-"):
        negative, inner = not negative, inner.replace("-", "", 1)
    plain = None if inner.endswith("%") else repaired_number(inner)
    if plain is None:
        return None
    return -Decimal(plain) if negative else Decimal(plain)


@dataclass(slots=True)
class _Table:
    """The table that is being read: what its columns are; of a table of transactions those that tell what was paid."""

    columns: Mapping[str, int] = field(default_factory=dict)
    kind: Literal["holdings", "transactions"] = "holdings"
    form: ExportForm = _PLAIN_FORMS[1]

    def cell(self, row: Sequence[str], name: str) -> str:
        at = self.columns.get(name)
        return row[at] if at is not None and at < len(row) else ""


class _StatementReader:
    """The sheets of one export being read, row by row."""

    def __init__(self, file: str, form: str, mapping: Mapping[str, str]) -> None:
        self._file, self._form, self._mapping = file, form, mapping
        self._fields = {**known_words("field"), **mapping}
        self._lines: list[ExportLine] = []
        self._cash: list[ExportCash] = []
        self._income: list[ExportIncome] = []
        self._problems: list[Problem] = []
        self._forms_seen: list[str] = []
        self._headers: list[str] = []
        self._transactions = False
        self._as_of: dt.date | None = None
        self._account = ""
        self._comma = False

    def statement(self) -> Statement:
        """Return what was read; nothing is an error that says what was seen."""
        if not self._lines and not self._cash and not any(p.severity == "error" for p in self._problems):
            key = "nothing-imported" if self._forms_seen else "unknown-form"
            if self._transactions and not self._forms_seen:
                key = "transactions-only"
            values = {"headers": tuple(self._headers) or ("-",), "fields": FIELDS}
            self._problems.append(error(key, self._file, **values))
        form = self._form or (self._forms_seen[0] if self._forms_seen else GENERIC)
        return Statement(
            self._file, form, tuple(self._lines), tuple(self._cash), self._as_of, tuple(self._problems),
            tuple(self._headers), tuple(self._income),
        ).named()  # fmt: skip

    def read(self, sheet: Sheet) -> None:
        """Read one sheet."""
        table: _Table | None = None
        self._account, named_next = "", False
        for number, row in enumerate(sheet, 1):
            filled = [cell for cell in row if cell]
            if not filled:
                continue
            opened = self._opened(row, sheet)
            if opened is not None:
                table = opened
                continue
            if table is not None and table.kind == "transactions":
                self._payment(table, row, number)
                continue
            if named_next:
                self._account, named_next = row[0], False
                continue
            if self._is_aside(row, filled):
                named_next = len(filled) > _PAIR and self._fields.get(fold(row[0])) == "account"
                continue
            if table is None:
                self._headers = self._headers or (filled if len(filled) > 1 else [])
                self._day(filled)
            else:
                self._row(table, row, filled, number)

    def _opened(self, row: Sequence[str], sheet: Sheet) -> _Table | None:
        """Return the table that this row is the header of, or None."""
        if sum(bool(cell) for cell in row) < _PAIR:
            return None
        if any(fold(cell) in known_words("transactions") for cell in row if cell):
            self._transactions = True
            self._headers = self._headers or [cell for cell in row if cell]
            paid = known_words("payment-field")
            named = {paid[fold(cell)]: at for at, cell in reversed([*enumerate(row)]) if fold(cell) in paid}
            return _Table(named, "transactions")
        columns: dict[str, int] = {}
        for at, cell in enumerate(row):
            meaning = self._fields.get(fold(cell)) if cell else None
            if meaning and (meaning not in columns or fold(cell) in self._mapping):
                columns[meaning] = at
        if "quantity" not in columns or not columns.keys() & {"symbol", "name"}:
            return None
        form = self._form_of(row)
        self._forms_seen.append(form.name)
        self._headers = [cell for cell in row if cell]
        self._comma = self._has_decimal_commas(sheet, form)
        return _Table(columns, "holdings", form)

    def _form_of(self, row: Sequence[str]) -> ExportForm:
        here = {fold(cell) for cell in row}
        every = (*_forms(), *_PLAIN_FORMS)
        if self._form and (asked := next((form for form in every if form.name == self._form), None)):
            return asked
        found = next((form for form in _forms() if form.headers <= here), None)
        if found is not None:
            return found
        korean = any("HANGUL" in unicodedata.name(letter, "") for cell in row for letter in cell)
        return _PLAIN_FORMS[0 if korean else 1]

    def _has_decimal_commas(self, sheet: Sheet, form: ExportForm) -> bool:
        """Tell whether 1.234,5 is written here for 1234.5; what could be either is a problem."""
        if form.currency:
            return False
        bare = [_SURROUNDING.sub("", cell) for row in sheet for cell in row if any(map(str.isdigit, cell))]
        comma, point = (any(map(kind.fullmatch, bare)) for kind in (_COMMA, _POINT))
        unclear = [cell for cell in bare if _EITHER.fullmatch(cell) and "," in cell]
        if comma and not point:
            return True
        if (comma and point) or (unclear and not point and not comma):
            self._tell("error", "ambiguous-number", self._file, value=next(iter(unclear or bare)))
        return False

    def _is_aside(self, row: Sequence[str], filled: Sequence[str]) -> bool:
        """Read a row that stands around a table: whose account it is, of which day; tell whether it is one."""
        first = filled[0]
        if match := _ACCOUNT_AS_OF.fullmatch(first):
            self._account = match["account"]
            self._day([match["day"]])
            return True
        if len(filled) == 1:
            self._day(filled)
            return True
        meaning = self._fields.get(fold(first))
        if meaning in ("account", "number") and len(filled) == _PAIR:
            self._account = filled[1]
            return True
        if meaning == "account" and row[0] == first and not any(map(str.isdigit, "".join(filled))):
            return True  # a summary of accounts: the name stands in the next row
        if len(filled) == _PAIR and fold(first) not in known_words("cash"):
            before = self._as_of
            self._day(filled)
            return self._as_of is not before
        return False

    def _day(self, texts: Sequence[str]) -> None:
        for text in texts:
            self._as_of = day_in(text) or self._as_of

    def _row(self, table: _Table, row: Sequence[str], filled: Sequence[str], number: int) -> None:
        symbol, name = table.cell(row, "symbol"), table.cell(row, "name")
        where = place("row", file=self._file, row=number)
        nothing = known_words("nothing")
        symbol, name = ("" if fold(text) in nothing else text for text in (symbol, name))
        first = fold(filled[0])
        if first in known_words("total") or fold(symbol) in known_words("total") or fold(name) in known_words("total"):
            return
        if self._is_cash(symbol, name, filled):
            self._add_cash(table, row, where)
            return
        if _LOT_DATE.fullmatch(symbol):
            return  # a lot of the position above
        if _OPTION.fullmatch(symbol):
            self._tell("warning", "not-imported.option", where, what=symbol)
            return
        code = self._code(table, symbol, name, where)
        if code is None:
            if any(map(str.isdigit, table.cell(row, "quantity") + table.cell(row, "value"))):
                self._tell("warning", "not-imported.no-symbol", where, what=symbol or name or filled[0])
            return
        quantity = self._number(table, row, "quantity", where)
        if quantity is None or quantity == 0:
            return
        if quantity < 0:
            self._tell("error", "short-position", where, symbol=code, quantity=quantity)
            return
        self._lines.append(self._line(table, row, code, name, quantity, where))

    def _payment(self, table: _Table, row: Sequence[str], number: int) -> None:
        """Read a transaction that pays something out; what is bought and sold is in the holdings already."""
        kind = cast("IncomeKind | None", known_words("payment").get(fold(table.cell(row, "type"))))
        found = amount(table.cell(row, "amount"), comma=self._comma)
        if kind is None or not found:
            return
        symbol = table.cell(row, "symbol")
        currency = self._currency(table, row, symbol) or "USD"
        where = place("row", file=self._file, row=number)
        day = day_in(table.cell(row, "day"))
        self._income.append(ExportIncome(kind, found, currency, where, symbol, day, "", table.cell(row, "number")))

    def _line(
        self, table: _Table, row: Sequence[str], code: str, name: str, quantity: Decimal, where: Where
    ) -> ExportLine:
        cost = self._number(table, row, "average_cost", where)
        total = self._number(table, row, "cost", where) if cost is None else None
        if total is not None:
            cost = (total / quantity).quantize(_COST_PLACES).normalize() + 0
        return ExportLine(
            symbol=code,
            quantity=quantity,
            where=where,
            name=name,
            account=table.cell(row, "account") or ("" if table.cell(row, "number") else self._account),
            number=table.cell(row, "number"),
            average_cost=cost,
            price=self._number(table, row, "price", where) or None,
            currency=self._currency(table, row, code),
        )

    def _is_cash(self, symbol: str, name: str, filled: Sequence[str]) -> bool:
        words = known_words("cash")
        return (
            fold(symbol.rstrip("*")) in known_words("money-market")
            or fold(symbol) in words
            or (not symbol and fold(name) in words)
            or (fold(filled[0]) in words)
        )

    def _add_cash(self, table: _Table, row: Sequence[str], where: Where) -> None:
        found = amount(table.cell(row, "value"), comma=self._comma)
        if found is None:
            used = {table.columns.get(name) for name in ("price", "number", "account")}
            numbers = [amount(cell, comma=self._comma) for at, cell in enumerate(row) if at not in used and cell]
            found = next((number for number in numbers if number is not None), None)
        if found is None:
            self._tell("warning", "not-imported.cash", where, what=" ".join(cell for cell in row if cell))
            return
        account = table.cell(row, "account") or ("" if table.cell(row, "number") else self._account)
        currency = table.cell(row, "currency").upper() or table.form.currency
        self._cash.append(ExportCash(found, currency, where, account, table.cell(row, "number")))

    def _code(self, table: _Table, symbol: str, name: str, where: Where) -> str | None:
        """Return the code that a line means, or its name where it has none; None where it has neither."""
        if not symbol:
            has_codes = "symbol" in table.columns
            return name or None if not has_codes or catalogue.load().find(name) else None
        if shares := _CLASS_OF_SHARES.fullmatch(symbol):
            return f"{shares[1]}.{shares[2]}"
        padded = catalogue.lost_zeros(symbol)
        if padded and table.form.currency == "KRW":
            self._tell("info", "zeros-restored", where, value=symbol, code=padded)
            return padded
        plain = catalogue.undecorated(symbol) or catalogue.canonical(symbol)
        known = catalogue.load().find(plain)
        if known is None and " " in plain:
            return None
        return plain

    def _currency(self, table: _Table, row: Sequence[str], code: str) -> str:
        """Return the currency of a line: its column's, that beside a price, the form's; "" where nothing says it."""
        given = table.cell(row, "currency").upper()
        for name in ("price", "average_cost", "value"):
            cell = table.cell(row, name)
            given = given or next((part for part in (cell[:3], cell[-3:]) if part in MINOR_DIGITS), "")
        if given:
            return given
        known = catalogue.load().find(code)
        if known is not None:
            return known.currency
        natural = catalogue.currency_of_market(catalogue.shape(code)) or ""
        if table.form.currency and natural in ("", table.form.currency):
            return table.form.currency
        return natural if not table.form.currency else ""

    def _number(self, table: _Table, row: Sequence[str], name: str, where: Where) -> Decimal | None:
        text = table.cell(row, name)
        if not text or fold(text) in known_words("nothing"):
            return None
        number = amount(text, comma=self._comma)
        if number is None and any(map(str.isdigit, text)):
            self._tell("error", "not-a-number.export", where, value=text, field=name)
        return number

    def _tell(self, severity: Severity, key: str, where: Where, **values: object) -> None:
        tell = {"error": error, "warning": warning, "info": note}[severity]
        self._problems.append(tell(key, where, **values))


def day_in(text: str) -> dt.date | None:
    """Return the last date in a sentence of an export, such as `Date downloaded Nov-20-2026 4:35 p.m ET`."""
    found = list(_days(text))
    return found[-1] if found else None


def _days(text: str) -> Iterator[dt.date]:
    for year, month, day in _YEAR_FIRST.findall(text):
        yield from _date(year, month, day)
    for name, day, year in _MONTH_NAMED.findall(text):
        if name.casefold() in _MONTHS:
            yield from _date(year, _MONTHS.index(name.casefold()) + 1, day)
    for month, day, year in _MONTH_FIRST.findall(text):
        yield from _date(year, month, day)


def _date(year: object, month: object, day: object) -> Iterator[dt.date]:
    try:
        yield dt.date(int(str(year)), int(str(month)), int(str(day)))
    except ValueError:
        return
