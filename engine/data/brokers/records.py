"""What one export says: lines of holdings, cash, the day it is of, and what in it was not understood."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.errors import Problem
from engine.phrase import Phrase


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
class Statement:
    """An export as it was read; `headers` are those that were seen, for whoever has to map them."""

    file: str
    form: str
    lines: tuple[ExportLine, ...] = ()
    cash: tuple[ExportCash, ...] = ()
    as_of: dt.date | None = None
    problems: tuple[Problem, ...] = ()
    headers: tuple[str, ...] = ()

    def named(self) -> Statement:
        """Return the statement with one name per account: its own, with the number's end where two share it."""
        numbers: dict[str, set[str]] = {}
        everything: tuple[ExportLine | ExportCash, ...] = (*self.lines, *self.cash)
        for one in everything:
            numbers.setdefault(one.account, set()).add(one.number)

        def name(one: ExportLine | ExportCash) -> str:
            if not one.account:
                return one.number
            return one.account if len(numbers[one.account]) == 1 else f"{one.account} {one.number[-4:]}".strip()

        lines = tuple(replace(one, account=name(one)) for one in self.lines)
        return replace(self, lines=lines, cash=tuple(replace(one, account=name(one)) for one in self.cash))
