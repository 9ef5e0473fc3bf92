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
from engine.portfolio import Contributed, Portfolio

#: Limits on what may be paid in; the others are on what counts for the tax credit.
LIMITS_ON_PAYMENTS = ("isa-year", "isa-total", "pension-year")


@dataclass(frozen=True, slots=True)
class ContributionLimit:
    """The most that payments into accounts of some types may come to, or that counts for the tax credit.

    `rule` names it (isa-year, isa-total, pension-year, pension-credit, retirement-credit); `accounts` are the account
    types it is of, all of a person's together; `amount` is in `currency`, a calendar year's or a lifetime's (`per`);
    what a year leaves unused of one that `carries` may be paid in later, up to the lifetime's of the same accounts.
    `verified` is whether `source` was read on the day of `checked_on`.
    """

    rule: str
    accounts: tuple[str, ...]
    amount: Decimal
    currency: str
    per: Literal["year", "life"]
    carries: bool
    source: str
    checked_on: dt.date
    verified: bool

    def paid(self, payments: Mapping[str, Decimal]) -> Decimal:
        """Return what of payments by account type (in its currency) it is of."""
        return sum((payments.get(kind, ZERO) for kind in self.accounts), ZERO)


def contribution_limits(as_of: dt.date) -> tuple[ContributionLimit, ...]:
    """Return a Korean resident's limits that are in force on a day, in the order of the table."""
    return tuple(_limit(row) for row in read_table("contributions.csv") if in_force(row, as_of))


@dataclass(frozen=True, slots=True)
class Room:
    """What a limit on payments lets in (`amount`) and what of it was paid in by the ledger (`paid`), in won.

    `carried`: what earlier years left unused since `opened`, the first year of these accounts, is in the amount.
    `since` is the day from which payments are known where there may have been others, None where these are all.
    """

    limit: ContributionLimit
    amount: Decimal
    paid: Decimal
    opened: int
    carried: bool = False
    since: dt.date | None = None

    @property
    def left(self) -> Decimal:
        """Return what may still be paid in, below 0 what was too much."""
        return self.amount - self.paid


def rooms(contributed: Mapping[str, Contributed], as_of: dt.date) -> Iterator[Room]:
    """Yield the room that each limit on payments leaves, of the types of account of which a ledger knows something.

    What a ledger began with, and what it was corrected by, may have been paid in too: where there is such a thing in
    the time that a limit is of, the sum is the least that was paid in.
    """
    limits = contribution_limits(as_of)
    for limit in limits:
        mine = [contributed[kind] for kind in limit.accounts if kind in contributed]
        if limit.rule not in LIMITS_ON_PAYMENTS or not mine:
            continue
        year, before = sum((one.year for one in mine), ZERO), sum((one.before for one in mine), ZERO)
        since, unsure = min(one.since for one in mine), max((one.unsure for one in mine if one.unsure), default=None)
        if limit.per == "life":
            yield Room(limit, limit.amount, year + before, since.year, since=since if unsure else None)
            continue
        amount = limit.amount
        carried = limit.carries and unsure is None and since.year < as_of.year
        if carried:
            total = next((one.amount for one in limits if one.per == "life" and one.accounts == limit.accounts), None)
            grown = amount * (as_of.year - since.year + 1)
            amount = max((grown if total is None else min(grown, total)) - before, ZERO)
        known = since if unsure and unsure.year == as_of.year else None
        yield Room(limit, amount, year, since.year, carried, known)


def contribution_notes(
    portfolio: Portfolio, flows: Mapping[str, Decimal], fx: FxTable, as_of: dt.date
) -> Iterator[Problem]:
    """Yield a note for each limit that deposits go beyond, and for what is left of those of the year on payments.

    `flows` is what the plan pays into each account (by name) in the base currency, as
    `engine.valuation.assign_cash_flow` gives it; what was paid in earlier is `portfolio.so_far`. What was paid in
    elsewhere is not known here, so without earlier payments nothing is said below a limit; nothing without a rate to
    won, and nothing to residents of other countries.
    """
    if portfolio.residence != "KR" or not (fx.base == "KRW" or "KRW" in fx.rates):
        return
    won = fx.rate("KRW")
    earlier = portfolio.so_far.contributed
    before = {kind: one.year for kind, one in earlier.items() if one.year}
    paying: dict[str, Decimal] = {}
    names: dict[str, str] = {}
    for account in portfolio.accounts:
        paid = flows.get(account.name, ZERO)
        if paid > 0:
            paying[account.type] = paying.get(account.type, ZERO) + to_unit(paid / won, "KRW")
        if paid > 0 or account.type in before:
            names.setdefault(account.type, account.name)
    known = {room.limit.rule: room for room in rooms(earlier, as_of)}
    for limit in contribution_limits(as_of):
        name = next((names[kind] for kind in limit.accounts if kind in names), None)
        if name is None:
            continue
        room = known.get(limit.rule, Room(limit, limit.amount, ZERO, as_of.year))
        told = _note(limit, room, limit.paid(before), limit.paid(paying), as_of.year)
        if told is not None:
            yield note(f"contribution.{told[0]}", place("account", account=name), **told[1])


def _note(
    limit: ContributionLimit, room: Room, before: Decimal, paying: Decimal, year: int
) -> tuple[str, dict[str, object]] | None:
    """Return what is to be said of a limit, None for nothing: its key, and the numbers in it.

    `before` is what was paid in earlier this year, `paying` what the plan pays in.
    """
    on_payments, paid = limit.rule in LIMITS_ON_PAYMENTS, before + paying
    if limit.per == "life":
        whole = room.paid + paying
        return (limit.rule, {"paid": whole, "limit": limit.amount}) if whole > limit.amount else None
    amount = room.amount
    numbers: dict[str, object] = {"paid": paid, "limit": limit.amount, "year": year}
    if room.carried:
        numbers |= {"room": amount, "opened": room.opened, "before": before}
        if paid > amount:
            return f"{limit.rule}-carried", numbers
        return (f"{limit.rule}-carried-left", {**numbers, "left": amount - paid}) if before else None
    if paid > amount:
        return (f"{limit.rule}-so-far", {**numbers, "before": before}) if before else (limit.rule, numbers)
    if before and on_payments:
        return f"{limit.rule}-left", {**numbers, "left": amount - paid}
    return None


def _limit(row: Row) -> ContributionLimit:
    return ContributionLimit(
        rule=row["rule"],
        accounts=tuple(row["accounts"].split("|")),
        amount=Decimal(row["limit"]),
        currency=row["currency"],
        per=cast("Literal['year', 'life']", row["per"]),
        carries=row["carries"] == "yes",
        source=row["source"],
        checked_on=dt.date.fromisoformat(row["checked_on"]),
        verified=row["verified"] == "yes",
    )
