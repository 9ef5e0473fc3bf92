"""What may be paid into tax-favoured accounts, and what of it counts for the tax credit (contributions.csv)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

from engine.costs.table import Row, in_force, read_table
from engine.errors import Problem, note
from engine.money import ZERO, FxTable, to_unit
from engine.phrase import place
from engine.portfolio import Portfolio

#: Limits of the year on what may be paid in; the others are on what counts for the tax credit.
LIMITS_ON_PAYMENTS = ("isa-year", "pension-year")


@dataclass(frozen=True, slots=True)
class ContributionLimit:
    """The most that payments into accounts of some types may come to, or that counts for the tax credit.

    `rule` names it (isa-year, isa-total, pension-year, pension-credit, retirement-credit); `accounts` are the account
    types it is of, all of a person's together; `amount` is in `currency`, a calendar year's or a lifetime's (`per`);
    `verified` is whether `source` was read on the day of `checked_on`.
    """

    rule: str
    accounts: tuple[str, ...]
    amount: Decimal
    currency: str
    per: Literal["year", "life"]
    source: str
    checked_on: dt.date
    verified: bool

    def paid(self, payments: Mapping[str, Decimal]) -> Decimal:
        """Return what of payments by account type (in its currency) it is of."""
        return sum((payments.get(kind, ZERO) for kind in self.accounts), ZERO)


def contribution_limits(as_of: dt.date) -> tuple[ContributionLimit, ...]:
    """Return a Korean resident's limits that are in force on a day, in the order of the table."""
    return tuple(_limit(row) for row in read_table("contributions.csv") if in_force(row, as_of))


def limits_passed(payments: Mapping[str, Decimal], as_of: dt.date) -> tuple[ContributionLimit, ...]:
    """Return the limits of the year that payments of one year, in won by account type, go beyond."""
    limits = contribution_limits(as_of)
    return tuple(limit for limit in limits if limit.per == "year" and limit.paid(payments) > limit.amount)


def contribution_notes(
    portfolio: Portfolio, flows: Mapping[str, Decimal], fx: FxTable, as_of: dt.date
) -> Iterator[Problem]:
    """Yield a note for each limit of the year that deposits go beyond, and for what is left of those on payments.

    `flows` is what the plan pays into each account (by name) in the base currency, as
    `engine.valuation.assign_cash_flow` gives it; what was paid in earlier in the year is `portfolio.contributed`. What
    was paid in elsewhere is not known here, so without earlier payments nothing is said below a limit; nothing without
    a rate to won, and nothing to residents of other countries.
    """
    if portfolio.residence != "KR" or not (fx.base == "KRW" or "KRW" in fx.rates):
        return
    won = fx.rate("KRW")
    earlier, payments = portfolio.contributed, dict(portfolio.contributed)
    names: dict[str, str] = {}
    for account in portfolio.accounts:
        paid = flows.get(account.name, ZERO)
        if paid > 0:
            payments[account.type] = payments.get(account.type, ZERO) + to_unit(paid / won, "KRW")
        if paid > 0 or account.type in earlier:
            names.setdefault(account.type, account.name)
    passed = {limit.rule for limit in limits_passed(payments, as_of)}
    for limit in contribution_limits(as_of):
        before = limit.paid(earlier)
        known = {"paid": limit.paid(payments), "limit": limit.amount, "year": as_of.year}
        if limit.rule in passed:
            name = next(names[kind] for kind in limit.accounts if kind in names)
            variant = f"{limit.rule}-so-far" if before else limit.rule
            more = {"before": before} if before else {}
            yield note(f"contribution.{variant}", place("account", account=name), **known, **more)
        elif before and limit.rule in LIMITS_ON_PAYMENTS:
            name = next(names[kind] for kind in limit.accounts if kind in names)
            left = limit.amount - limit.paid(payments)
            yield note(f"contribution.{limit.rule}-left", place("account", account=name), **known, left=left)


def _limit(row: Row) -> ContributionLimit:
    return ContributionLimit(
        rule=row["rule"],
        accounts=tuple(row["accounts"].split("|")),
        amount=Decimal(row["limit"]),
        currency=row["currency"],
        per=cast("Literal['year', 'life']", row["per"]),
        source=row["source"],
        checked_on=dt.date.fromisoformat(row["checked_on"]),
        verified=row["verified"] == "yes",
    )
