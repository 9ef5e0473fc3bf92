"""What one export says: lines of holdings, cash, the day it is of, and what in it was not understood."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from engine.errors import Problem
from engine.phrase import Phrase

IncomeKind = Literal["dividend", "interest", "tax", "reinvested"]


@dataclass(frozen=True, slots=True)
class ExportLine:
    """One line of an export: a quantity of one instrument in one account.

    `symbol` is the code, or the name where the export has no codes; `currency` is "" where the export does not say it.
    `number` is the account's, where `account` is its name.
    """

    symbol: str
    quantity: Decimal
    where: str | Phrase
    name: str = ""
    account: str = ""
    number: str = ""
    average_cost: Decimal | None = None
    price: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ExportCash:
    """Cash of one currency in one account."""

    amount: Decimal
    currency: str
    where: str | Phrase
    account: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class ExportIncome:
    """What an account was paid, or paid at once for shares in its place, in the days that an export is of.

    `kind` is dividend, interest, tax (withheld, negative) or reinvested (negative: it went into shares, which the
    holdings have). `amount` is what it did to the cash of `currency`.
    """

    kind: IncomeKind
    amount: Decimal
    currency: str
    where: str | Phrase
    symbol: str = ""
    day: dt.date | None = None
    account: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """An export as it was read; `headers` are those that were seen, for whoever has to map them."""

    file: str
    form: str
    lines: tuple[ExportLine, ...] = ()
    cash: tuple[ExportCash, ...] = ()
    as_of: dt.date | None = None
    problems: tuple[Problem, ...] = ()
    headers: tuple[str, ...] = ()
    income: tuple[ExportIncome, ...] = ()

    def named(self) -> Statement:
        """Return the statement with one name per account: its own, with the number's end where two share it."""
        numbers: dict[str, set[str]] = {}
        everything: tuple[ExportLine | ExportCash | ExportIncome, ...] = (*self.lines, *self.cash, *self.income)
        for one in everything:
            numbers.setdefault(one.account, set()).add(one.number)

        def name(one: ExportLine | ExportCash | ExportIncome) -> str:
            if not one.account:
                return one.number
            return one.account if len(numbers[one.account]) == 1 else f"{one.account} {one.number[-4:]}".strip()

        lines = tuple(replace(one, account=name(one)) for one in self.lines)
        cash = tuple(replace(one, account=name(one)) for one in self.cash)
        return replace(
            self, lines=lines, cash=cash, income=tuple(replace(one, account=name(one)) for one in self.income)
        )
