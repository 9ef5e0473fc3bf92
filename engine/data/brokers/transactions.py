"""Brokers' lists of transactions: what happened, one thing a row, as entries that a ledger can take.

Tables are found by their headers (`transaction_forms.csv`), columns and kinds by their words (`transaction_words.csv`).
What stands in a file in two rows (dividends and the tax withheld of them, shares that leave and come in a split) is one
transaction. Everything that cannot be used is told with its row, column and value; nothing is passed over silently but
the broker's own doubles: cash legs of trades, sweeps into the fund in which the cash is kept.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Literal, get_args

from engine.data.brokers.sheets import Sheet
from engine.data.brokers.tables import amount, day_in, known_words
from engine.data.fields import Where, in_rows
from engine.errors import Problem, error, warning
from engine.market import catalogue
from engine.money import MINOR_DIGITS, ZERO
from engine.text import fold

TransactionKind = Literal[
    "buy", "sell", "dividend", "interest", "fee", "tax", "deposit", "withdrawal", "in", "out", "split",
    "exchange-out", "exchange-in",
]  # fmt: skip
#: What `--map WORD=KIND` may say that a word of the file means; `skip` leaves its rows out.
MAPPED_KINDS = (*get_args(TransactionKind), "transfer", "skip")
#: What a column of a list of transactions may be.
TRANSACTION_FIELDS = (
    "day", "type", "symbol", "isin", "name", "quantity", "price", "net", "gross", "fee", "tax", "currency", "fx",
    "account", "number", "note",
)  # fmt: skip
_OPTION = re.compile(r"-?[A-Z.]{1,6} ?\d{6}[CP]\d+(\.\d+)?")
_CLASS_OF_SHARES = re.compile(r"([A-Z]{1,5})[ /]([A-Z])")
_ACCOUNT = re.compile(r"Transactions\s+for account (?P<account>.+?) as of .+")
_COMPACT = re.compile(r"(?<!\d)(20\d\d)(\d\d)(\d\d)(?!\d)")
_SHORT_YEAR = re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2})/(\d\d)(?!\d)")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})\.(\d{1,2})\.(20\d\d)(?!\d)")
#: Amounts may differ by so much of one another, or so much money: prices are shown rounded.
_LOOSE, _ROUNDING = Decimal("0.01"), Decimal("0.02")
#: A cost in another currency is kept to this.
_PLACES = Decimal("1e-8")
#: Fewer cells are no transaction: a title, a footer.
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Transaction:
    """One thing that happened in an account, in the terms of a ledger's entry.

    `amount` is money without `cost` and `tax`; a dividend or interest may be negative (taken back, charged). `in` and
    `out` are shares that come and go without money. A split's `quantity` is new shares for an old one; where the file
    only says how many shares were added, they are `added`.
    """

    day: dt.date
    kind: TransactionKind
    where: Where
    symbol: str = ""
    name: str = ""
    account: str = ""
    number: str = ""
    quantity: Decimal = ZERO
    price: Decimal | None = None
    currency: str = ""
    amount: Decimal = ZERO
    cost: Decimal = ZERO
    tax: Decimal = ZERO
    fx: Decimal | None = None
    added: Decimal = ZERO
    note: str = ""


@dataclass(frozen=True, slots=True)
class TransactionList:
    """What an export of transactions says, in its order, and what in it was not understood."""

    file: str
    form: str
    transactions: tuple[Transaction, ...] = ()
    problems: tuple[Problem, ...] = ()
    headers: tuple[str, ...] = ()

    def settled(self) -> TransactionList:
        """Return the list with one name per account, taxes on what they were withheld of, and halves of splits whole.

        A list that begins with the newest is turned round, so that of one day what came first stands first. One that
        has neither transactions nor errors gets an error that says what was seen.
        """
        # Portfolio Performance's cash accounts go with the securities account that they paid for.
        pairs = {one.number: one.account for one in self.transactions if one.account}
        named = [
            replace(one, account=one.account or pairs.get(one.number, one.number), number="")
            for one in self.transactions
        ]
        if named and named[0].day > named[-1].day:
            named.reverse()
        problems = list(self.problems)
        found = tuple(_with_taxes(_whole_splits(named, problems)))
        if not found and not any(one.severity == "error" for one in problems):
            values = {"headers": self.headers or ("-",), "fields": TRANSACTION_FIELDS}
            problems.append(error("no-transactions", self.file, **values))
        return replace(self, transactions=found, problems=tuple(problems))


def _whole_splits(found: Sequence[Transaction], problems: list[Problem]) -> list[Transaction]:
    """Return transactions with shares that leave and come in a split (`out` and `in` of negative `added`) as one."""
    whole: list[Transaction] = []
    halves: dict[tuple[dt.date, str, str], list[Transaction]] = {}
    for one in found:
        if one.kind == "split" and not one.quantity and one.note in ("in", "out"):
            halves.setdefault((one.day, one.account, one.symbol), []).append(one)
        else:
            whole.append(one)
    for pair in halves.values():
        gone, come = (sum((one.added for one in pair if one.note == way), ZERO) for way in ("out", "in"))
        if gone and come:
            whole.append(replace(pair[0], quantity=come / gone, added=ZERO, note=""))
        else:
            problems.append(error("transaction-split", pair[0].where, symbol=pair[0].symbol))
    return whole


def _with_taxes(found: Sequence[Transaction]) -> list[Transaction]:
    """Return transactions with each tax on the dividend or interest of its day, else on a dividend of nothing."""
    kept = [one for one in found if one.kind != "tax"]
    for tax in (one for one in found if one.kind == "tax"):
        at = next(
            (n for n, one in enumerate(kept)
             if one.kind in ("dividend", "interest") and (one.day, one.account, one.symbol, one.currency)
             == (tax.day, tax.account, tax.symbol, tax.currency)),
            None,
        )  # fmt: skip
        if at is None:
            kept.append(replace(tax, kind="dividend"))
        else:
            kept[at] = replace(kept[at], tax=kept[at].tax + tax.tax)
    return kept


@dataclass(frozen=True, slots=True)
class TransactionForm:
    """A form of lists: its headers, in how many lines one transaction stands, and how its amounts are written."""

    name: str
    currency: str
    lines: int
    signed: bool
    comma: bool
    headers: frozenset[str]

    @property
    def korean(self) -> bool:
        """Tell whether the kinds of transactions are Korean words, which are made of others."""
        return self.name in ("kiwoom", "mirae", "korean", "generic")


def _read(name: str) -> list[dict[str, str]]:
    with (resources.files(__package__) / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def transaction_forms() -> tuple[TransactionForm, ...]:
    """Return the forms of lists of transactions, the more particular ones first."""
    return tuple(
        TransactionForm(
            row["form"], row["currency"], int(row["lines"]), row["signed"] == "yes", row["comma"] == "yes",
            frozenset(fold(one) for one in row["headers"].split("|") if one),
        )
        for row in _read("transaction_forms.csv")
    )  # fmt: skip


@cache
def _words(form: str, kind: str) -> Mapping[str, str]:
    """Return what words mean in a form: its own before those of all."""
    rows = [row for row in _read("transaction_words.csv") if row["kind"] == kind]
    common = {fold(row["word"]): row["meaning"] for row in rows if row["form"] == ""}
    return common | {fold(row["word"]): row["meaning"] for row in rows if row["form"] == form}


def kinds_by_word() -> Mapping[str, str]:
    """Return the kinds that words mean in any list of transactions and in Korean ones, the words folded."""
    return _words("korean", "type")


def transaction_form_names() -> tuple[str, ...]:
    """Return the names of the forms of tables."""
    return tuple(dict.fromkeys(one.name for one in transaction_forms()))


def read_transaction_tables(
    sheets: Sequence[Sheet], file: str, *, form: str = "", mapping: Mapping[str, str]
) -> TransactionList:
    """Return the transactions in the tables of all sheets; `mapping` says what a header or a kind's word means."""
    reader = _ListReader(file, form, {fold(word): meaning for word, meaning in mapping.items()})
    for sheet in sheets:
        reader.read(sheet)
    seen = reader.forms[0] if reader.forms else form or "generic"
    return TransactionList(file, seen, tuple(reader.found), tuple(reader.problems), tuple(reader.headers)).settled()


@dataclass(slots=True)
class _ListedRow:
    """One transaction's cells, by what they are; numbers are read as they are asked for."""

    number: int
    cells: Mapping[str, tuple[str, str]]
    reader: _ListReader
    form: TransactionForm
    failed: bool = False

    def text(self, name: str) -> str:
        found = self.cells.get(name, ("", ""))[1]
        return "" if fold(found) in known_words("nothing") else found

    def value(self, name: str) -> Decimal | None:
        header, text = self.cells.get(name, ("", ""))
        if not text or fold(text) in known_words("nothing"):
            return None
        found = amount(text, comma=self.form.comma)
        if found is None and any(map(str.isdigit, text)):
            self.fail("not-a-number.export", header, value=text, field=name)
        return found

    def size(self, name: str) -> Decimal:
        return abs(self.value(name) or ZERO)

    def where(self, header: str = "") -> Where:
        return self.reader.locate((self.number, header) if header else (self.number,))

    def header(self, name: str) -> str:
        return self.cells.get(name, ("", ""))[0] or name

    def fail(self, key: str, header: str = "", **values: object) -> None:
        self.failed = True
        self.reader.problems.append(error(key, self.where(header), **values))


@dataclass(slots=True)
class _ListReader:
    """The sheets of one list being read."""

    file: str
    form: str
    mapping: Mapping[str, str]
    found: list[Transaction] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    account: str = ""

    def locate(self, path: tuple[str | int, ...]) -> Where:
        return in_rows(self.file)(path)

    def read(self, sheet: Sheet) -> None:
        """Read one sheet: what stands below each header, to the next one."""
        at, table = 0, None
        while at < len(sheet):
            opened = self._opened(sheet, at)
            if opened is not None:
                table = opened
                at += table[0].lines
                continue
            filled = [cell for cell in sheet[at] if cell]
            if match := _ACCOUNT.fullmatch(filled[0]) if filled else None:
                self.account = match["account"]
            if not self.headers and len(filled) > 1:
                self.headers = filled
            if table is None or len(filled) < _FEWEST or fold(filled[0]) in known_words("total"):
                at += 1
                continue
            form, columns = table
            lines = [*sheet[at : at + form.lines], *[[]] * form.lines][: form.lines]
            self._row(_ListedRow(at + 1, _cells(columns, lines), self, form))
            at += form.lines

    def _opened(self, sheet: Sheet, at: int) -> tuple[TransactionForm, list[dict[int, tuple[str, str]]]] | None:
        """Return the form and the columns of the table whose header begins in this row, or None."""
        for form in transaction_forms():
            rows = sheet[at : at + form.lines]
            here = {fold(cell) for row in rows for cell in row if cell}
            if self.form and form.name != self.form:
                continue
            columns = [self._columns(form, row) for row in rows]
            named = {name for row in columns for name, _ in row.values()}
            if form.headers <= here if form.headers else False:
                pass
            elif form.name != "generic" or not {"day", "type"} <= named or not named & {"quantity", "net", "gross"}:
                continue
            if "day" in named:
                self.forms.append(form.name)
                self.headers = [cell for row in rows for cell in row if cell]
                return form, columns
        return None

    def _columns(self, form: TransactionForm, row: Sequence[str]) -> dict[int, tuple[str, str]]:
        """Return by position what a header's columns are, each meaning once, and their captions."""
        found: dict[int, tuple[str, str]] = {}
        for at, cell in enumerate(row):
            meaning = self.mapping.get(fold(cell)) or _words(form.name, "field").get(fold(cell)) if cell else None
            if meaning and (meaning in TRANSACTION_FIELDS or cell):
                taken = {name for name, _ in found.values()}
                if meaning == "type" and "type" in taken and form.name == "kiwoom":
                    meaning = "kind"
                if meaning not in taken:
                    found[at] = (meaning, cell)
        return found

    def _row(self, row: _ListedRow) -> None:
        if row.text("status") and fold(row.text("status")) != "filled":
            return
        day = _day(row.text("day"))
        if day is None:
            row.fail("transaction-date", row.header("day"), value=row.text("day"))
        word = row.text("type") or row.text("kind")
        kind = self._kind(row.form, word)
        if kind in ("", "unknown"):
            row.fail("transaction-kind", row.header("type"), value=word, kinds=MAPPED_KINDS)
        if kind == "skip" or day is None or row.failed:
            return
        found = _Maker(row, day, kind, self.account).made()
        if not row.failed:
            self.found += found

    def _kind(self, form: TransactionForm, word: str) -> str:
        """Return what a word means: one that is known, begins with a known one, or (Korean) is made of one."""
        text, known = fold(word), _words("korean" if form.korean else form.name, "type")
        own = {key: meaning for key, meaning in self.mapping.items() if meaning in MAPPED_KINDS}
        for words in (own, known):
            if text in words:
                return words[text]
            begun = [key for key in words if text.startswith(key)]
            if form.korean:
                begun += [key for key in words if key in text and not key.isascii()]
            elif form.name != "fidelity" and words is known:
                begun = []
            if begun:
                return words[max(begun, key=len)]
        return ""


def _cells(
    columns: Sequence[Mapping[int, tuple[str, str]]], lines: Sequence[Sequence[str]]
) -> dict[str, tuple[str, str]]:
    """Return the cells of one transaction's lines by what they are."""
    found: dict[str, tuple[str, str]] = {}
    for names, cells in zip(columns, lines, strict=True):
        for at, (name, header) in names.items():
            if at < len(cells):
                found.setdefault(name, (header, cells[at]))
    return found


def _day(text: str) -> dt.date | None:
    """Return the day of a cell; of `04/17/2023 as of 04/15/2023` the day it was of."""
    found = day_in(text)
    if found is not None:
        return found
    for pattern, order in ((_COMPACT, (1, 2, 3)), (_SHORT_YEAR, (3, 1, 2)), (_DAY_FIRST, (3, 2, 1))):
        if match := pattern.search(text):
            year, month, day = (int(match[n]) for n in order)
            try:
                return dt.date(year if year > 99 else 2000 + year, month, day)
            except ValueError:
                return None
    return None


@dataclass(slots=True)
class _Maker:
    """One row becoming transactions."""

    row: _ListedRow
    day: dt.date
    kind: str
    account: str

    def made(self) -> list[Transaction]:
        """Return what the row says happened: nothing for what moves no money and no shares."""
        row = self.row
        symbol, name = self._symbol()
        if row.failed or _OPTION.fullmatch(symbol):
            if _OPTION.fullmatch(symbol):
                row.reader.problems.append(warning("not-imported.option", row.where(), what=symbol))
            return []
        sweep = fold(symbol.rstrip("*")) in known_words("money-market")
        if sweep and self.kind in ("buy", "sell", "transfer", "in", "out"):
            return []
        currency = self._currency(symbol)
        account = row.text("account") or ("" if row.text("number") else self.account)
        base = Transaction(
            self.day, "buy", row.where(), symbol, name, account, row.text("number"), currency=currency,
            note=row.text("note"),
        )  # fmt: skip
        if sweep:  # what the fund in which the cash is kept pays is interest
            base = replace(base, symbol="", name="")
            self.kind = "interest" if self.kind == "dividend" else self.kind
        return [one for one in self._of(base) if one.amount or one.quantity or one.tax or one.added]

    def _of(self, base: Transaction) -> list[Transaction]:
        foreign = self._foreign(base.currency)
        net, gross = (self.row.value(f"{foreign}{name}") for name in ("net", "gross"))
        if foreign and net is None and gross is None:
            foreign, net, gross = "", self.row.value("net"), self.row.value("gross")
        quantity = self.row.size("quantity")
        kind = self._directed(base, quantity, net)
        if kind in ("buy", "sell"):
            return self._traded(kind, base, quantity, net, gross, foreign)
        if kind in ("in", "out", "split", "split-in", "split-out"):
            return self._of_shares(kind, base, quantity, gross or net)
        if kind.startswith("exchange-"):
            return self._exchange(base)
        paid = net if net is not None else gross
        if paid is None:
            self.row.fail("transaction-lacks", self.row.header("net"), kind=kind, field="net")
            return []
        base = replace(base, symbol=base.symbol if kind in ("dividend", "tax") else "", name="")
        if kind in ("dividend", "interest", "charge"):
            return self._income(kind, base, paid, gross)
        return self._of_money(kind, base, paid)

    def _directed(self, base: Transaction, quantity: Decimal, net: Decimal | None) -> str:
        """Return the kind of the row; of what goes either way, as its sign or the word says: shares, else money."""
        if self.kind == "transfer":
            if base.symbol and quantity:
                return "in" if (self.row.value("quantity") or ZERO) > 0 else "out"
            return "deposit" if (net or ZERO) > 0 else "withdrawal"
        if self.kind in ("moved-in", "moved-out"):
            way = self.kind.removeprefix("moved-")
            return way if base.symbol and quantity else {"in": "deposit", "out": "withdrawal"}[way]
        return self.kind

    def _income(self, kind: str, base: Transaction, paid: Decimal, gross: Decimal | None) -> list[Transaction]:
        """Return what was paid out before tax: `paid` is what came, `gross` what was paid where the row says it."""
        signed = self.row.form.signed
        tax = self.row.size("tax") + self.row.size("foreign-tax")
        if kind == "charge":
            return [replace(base, kind="interest", amount=tax - abs(paid), tax=tax)]
        received = paid if signed else abs(paid)
        if gross is not None and self._same_currency(base) and received > 0:
            tax = max(tax, (gross if signed else abs(gross)) - received)
        made = replace(base, kind="interest" if kind == "interest" else "dividend", amount=received + tax, tax=tax)
        return self._paid_abroad(made, received)

    def _of_money(self, kind: str, base: Transaction, paid: Decimal) -> list[Transaction]:
        """Return a tax, a fee, or money from or to outside; a sign against the word's way turns it round."""
        signed = self.row.form.signed
        taken = -paid if signed else -abs(paid) if kind.endswith("-refund") else abs(paid)
        if kind in ("tax", "tax-refund"):
            return [replace(base, kind="tax", tax=taken)]
        if kind in ("fee", "fee-refund"):
            return [replace(base, kind="fee", amount=taken)]
        if signed and (paid < 0) == (kind == "deposit"):
            kind = "withdrawal" if kind == "deposit" else "deposit"
        return [replace(base, kind="deposit" if kind == "deposit" else "withdrawal", amount=abs(paid))]

    def _lacking(self, kind: str, base: Transaction, quantity: Decimal) -> bool:
        """Tell whether a row lacks the instrument or the quantity that it needs, and report that."""
        for name, there in (("symbol", base.symbol), ("quantity", quantity)):
            if not there and not self.row.failed:
                self.row.fail("transaction-lacks", self.row.header(name), kind=kind, field=name)
        return self.row.failed

    def _of_shares(self, kind: str, base: Transaction, quantity: Decimal, worth: Decimal | None) -> list[Transaction]:
        """Return shares that come or go without money, or by a split."""
        if self._lacking(kind, base, quantity):
            return []
        if kind.startswith("split"):
            way = kind.removeprefix("split").lstrip("-")
            added = quantity if way else self.row.value("quantity") or ZERO
            return [replace(base, kind="split", added=added, note=way)]
        price = abs(self.row.value("price") or ZERO) or (abs(worth) / quantity if worth else None)
        return [replace(base, kind="in" if kind == "in" else "out", quantity=quantity, price=price)]

    def _traded(
        self, kind: str, base: Transaction, quantity: Decimal, net: Decimal | None, gross: Decimal | None, foreign: str
    ) -> list[Transaction]:
        """Return a purchase or a sale: `net` is what its cash moved by, `gross` what it was without costs."""
        row, buys = self.row, kind == "buy"
        if self._lacking(kind, base, quantity):
            return []
        price = abs(row.value("price") or ZERO) or None
        tax = ZERO if foreign else row.size("tax")
        # Mirae has one column of commissions, whatever the currency.
        apart = foreign and row.form.name != "mirae"
        cost = row.size("foreign-fee") if apart else row.size("fee") + row.size("fee2")
        if gross is not None and self._same_currency(base):
            whole = abs(gross)
            if net is not None:
                between = abs(net) - whole if buys else whole - abs(net)
                cost = max(between - tax, ZERO if apart else cost)
        elif net is not None:
            whole = abs(net) - cost - tax if buys else abs(net) + cost + tax
            worth = quantity * (price or ZERO)
            # A list of one's own does not say whether its amount is with or without costs: quantity times price does.
            if row.form.name == "generic" and worth and abs(worth - abs(net)) < abs(worth - whole):
                whole = abs(net)
        elif price is not None:
            whole = quantity * price
        else:
            row.fail("transaction-lacks", row.header("net"), kind=kind, field="net")
            return []
        made = replace(base, kind="buy" if buys else "sell", quantity=quantity, price=price or whole / quantity,
                       amount=whole, cost=cost, tax=tax)  # fmt: skip
        if not self._same_currency(base):
            return self._paid_abroad(made, abs(net or ZERO))
        if price is not None and abs(quantity * price - whole) > max(_LOOSE * whole, _ROUNDING):
            row.fail("transaction-sum", row.header("price"), quantity=quantity, price=price, amount=whole)
        return [made]

    def _foreign(self, currency: str) -> str:
        """Return the beginning of the names of the columns in which amounts of this currency stand."""
        has = "foreign-gross" in self.row.cells
        return "foreign-" if has and currency != "KRW" else ""

    def _same_currency(self, base: Transaction) -> bool:
        other = self.row.text("gross-currency").upper()
        return not other or other == base.currency

    def _paid_abroad(self, made: Transaction, moved: Decimal) -> list[Transaction]:
        """Return a transaction of an instrument in another currency than the account's with the exchange that paid it.

        `moved` is what the account's cash changed by. Commission and tax, in the account's currency, are exchanged at
        the same rate.
        """
        row, abroad, gross = self.row, self.row.text("gross-currency").upper(), self.row.size("gross")
        if self._same_currency(made):
            return [made]
        buys = made.kind == "buy"
        worth = abs(moved) - made.cost - made.tax if buys else abs(moved) + made.cost + made.tax
        if made.kind in ("dividend", "interest"):
            worth = made.amount
        if abroad not in MINOR_DIGITS or not gross or worth <= 0:
            row.fail("transaction-lacks", row.header("gross"), kind=made.kind, field="gross")
            return []
        rate = worth / gross
        cost, tax = ((one / rate).quantize(_PLACES) for one in (made.cost, made.tax))
        price = gross / made.quantity if made.quantity else None
        own = replace(made, currency=abroad, amount=gross, cost=cost, tax=tax, price=price, fx=None)
        money = replace(made, symbol="", name="", quantity=ZERO, price=None, cost=ZERO, tax=ZERO)
        here, there = abs(moved), gross + cost + tax if buys else gross - cost - tax
        if buys:
            return [
                replace(money, kind="exchange-out", amount=here),
                replace(money, kind="exchange-in", currency=abroad, amount=there),
                own,
            ]
        return [
            own,
            replace(money, kind="exchange-out", currency=abroad, amount=there),
            replace(money, kind="exchange-in", amount=here),
        ]

    def _exchange(self, base: Transaction) -> list[Transaction]:
        """Return an exchange of won and another currency, in one row of a Korean broker."""
        row = self.row
        won, foreign = row.size("net") or row.size("gross"), row.size("foreign-net") or row.size("foreign-gross")
        currency = row.text("currency").upper()
        if not won or not foreign or currency in ("", "KRW"):
            row.fail("transaction-lacks", row.header("currency"), kind="exchange-in", field="net")
            return []
        money = replace(base, symbol="", name="", note="")
        buys = self.kind == "exchange-buy"
        sides = (("KRW", won), (currency, foreign)) if buys else ((currency, foreign), ("KRW", won))
        (sold, gone), (bought, come) = sides
        return [
            replace(money, kind="exchange-out", currency=sold, amount=gone),
            replace(money, kind="exchange-in", currency=bought, amount=come),
        ]

    def _symbol(self) -> tuple[str, str]:
        """Return the code of the row's instrument (else its name) and its name; "" for money alone."""
        row = self.row
        given, name = row.text("symbol"), row.text("name")
        if given and (padded := catalogue.lost_zeros(given)) and row.form.korean:
            return padded, name
        if given:
            plain = catalogue.undecorated(given) or catalogue.canonical(given)
            shares = _CLASS_OF_SHARES.fullmatch(plain)
            return f"{shares[1]}.{shares[2]}" if shares else plain, name
        known = catalogue.load().find(row.text("isin")) if row.text("isin") else None
        if known is None and name and (row.form.name in ("mirae", "korean", "portfolio-performance", "generic")):
            known = catalogue.load().find(name)
        if known is not None:
            return known.symbol, known.name
        in_shares = self.kind in ("buy", "sell", "in", "out", "split", "split-in", "split-out")
        named = row.form.korean or row.form.name == "portfolio-performance"
        return (name if named and (in_shares or self.kind in ("dividend", "tax")) else ""), name

    def _currency(self, symbol: str) -> str:
        row = self.row
        given = row.text("currency").upper()
        if given in MINOR_DIGITS:
            return given
        known = catalogue.load().find(symbol) if symbol else None
        natural = known.currency if known else catalogue.currency_of_market(catalogue.shape(symbol)) if symbol else ""
        if row.form.name == "mirae" and row.size("foreign-gross"):
            return natural if natural not in (None, "", "KRW") else "USD"
        found = row.form.currency or natural or ("KRW" if row.form.korean and row.form.name != "generic" else "")
        if not found:
            row.fail("transaction-lacks", row.header("currency"), kind=self.kind, field="currency")
        return found
