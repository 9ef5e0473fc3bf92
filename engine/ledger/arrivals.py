"""What comes into a ledger from elsewhere: entries with identities of what they say, so that nothing is booked twice.

An entry is known where the ledger has one that says the same: of n that are equal, as many as it has. What was written
another way about the same thing (a plan's order, booked a day before the broker booked it) is alike: it is left out,
and told.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.data.brokers.transactions import Transaction
from engine.errors import Problem, error, warning
from engine.ledger.account import booked
from engine.ledger.entries import LedgerEntry, standing
from engine.ledger.kinds import EntryKind
from engine.money import ZERO
from engine.phrase import place

#: Brokers book so many days later than a person at most: over a long weekend.
_DAYS = dt.timedelta(days=4)
_ALIKE = ("buy", "sell", "deposit", "withdrawal", "dividend")
#: Identities of what came from elsewhere begin so; those made here begin with another letter.
ARRIVED = "t"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What is new to a ledger, how many it had already, and what was left out and why."""

    new: tuple[LedgerEntry, ...]
    known: int = 0
    problems: tuple[Problem, ...] = ()


def as_entries(transactions: Iterable[Transaction], base: str) -> tuple[LedgerEntry, ...]:
    """Return transactions as entries without identities; shares that come or go without money are corrections.

    A split of which only the shares added are known has these as its amount: see `with_ratios`.
    """
    entries = []
    rates = _rates(transactions := tuple(transactions), base)
    for one in transactions:
        kind: EntryKind = "correction" if one.kind in ("in", "out") else one.kind  # type: ignore[assignment]
        quantity = -one.quantity if one.kind == "out" else one.quantity
        fx = one.fx or rates.get((one.day, one.account, one.currency))
        entries.append(
            LedgerEntry(
                "", "", one.day, kind, one.account, one.symbol, quantity, one.price,
                "" if kind == "split" else one.currency, one.amount or one.added, one.cost, one.tax,
                None if one.currency == base or kind == "split" else fx, "", one.note,
            )
        )  # fmt: skip
    return tuple(entries)


def _rates(transactions: Iterable[Transaction], base: str) -> dict[tuple[dt.date, str, str], Decimal]:
    """Return base currency per unit as the exchanges of a day and account say it."""
    found = {}
    out: Transaction | None = None
    for one in transactions:
        if one.kind == "exchange-out":
            out = one
        elif one.kind == "exchange-in" and out is not None and (out.day, out.account) == (one.day, one.account):
            for mine, other in ((out, one), (one, out)):
                if mine.currency == base and other.currency != base and other.amount:
                    found[one.day, one.account, other.currency] = mine.amount / other.amount
    return found


def with_ratios(
    new: Iterable[LedgerEntry], ledger: Sequence[LedgerEntry], base: str
) -> tuple[tuple[LedgerEntry, ...], tuple[Problem, ...]]:
    """Return new entries whose splits all say new shares for an old one; those that say shares added have no quantity.

    What was held on the day decides, of the ledger's standing entries and of these. A split of what was not held is a
    problem.
    """
    found, problems = list[LedgerEntry](), list[Problem]()
    for one in sorted(new, key=lambda entry: entry.date):
        if one.kind == "split" and not one.quantity:
            books = booked((other for other in (*ledger, *found) if other.date <= one.date), base)
            stock = books.stocks.get((one.account, one.symbol))
            held = stock.quantity if stock else ZERO
            if held <= 0 or held + one.amount <= 0:
                where = place("ledger-entry", day=one.date, symbol=one.symbol, account=one.account)
                problems.append(error("transaction-split", where, symbol=one.symbol))
                continue
            one = replace(one, quantity=(held + one.amount) / held, amount=ZERO)
        found.append(one)
    return tuple(found), tuple(problems)


def _key(one: LedgerEntry) -> tuple[object, ...]:
    """Return what two entries about the same thing share."""
    if one.kind == "split":
        return (one.date, one.kind, one.account, one.symbol)
    amount = ZERO if one.kind == "correction" and one.symbol else one.amount.normalize()
    taxed = one.tax.normalize() if not one.amount and not one.quantity else ZERO
    return (one.date, one.kind, one.account, one.symbol, one.quantity.normalize(), amount, one.currency, taxed)


def arrivals(entries: Iterable[LedgerEntry], ledger: Sequence[LedgerEntry], batch: str) -> Arrivals:
    """Return which entries are new to a ledger, with identities, as one batch.

    `entries` are those of one file: of two equal ones both happened. An opening holds what came before it: what is
    dated before that of its account is left out, and told.
    """
    stand = tuple(standing(ledger))
    had = Counter(map(_key, stand))
    taken = {one.id for one in ledger}
    begun = _openings(stand)
    free = [one for one in stand if not one.id.startswith(ARRIVED) and one.kind in _ALIKE]
    wanted = tuple(entries)
    sure = Counter(map(_key, wanted))
    free = [one for one in free if not sure[_key(one)]]
    seen: Counter[tuple[object, ...]] = Counter()
    new: list[LedgerEntry] = []
    problems: list[Problem] = []
    known = 0
    early = 0
    for one in wanted:
        key = _key(one)
        seen[key] += 1
        if seen[key] <= had[key]:
            known += 1
            continue
        if one.account in begun and one.date < begun[one.account]:
            early += 1
            continue
        like = next((other for other in free if _alike(one, other)), None)
        if like is not None:
            free.remove(like)
            where = place("ledger-entry", day=one.date, symbol=one.symbol or one.currency, account=one.account)
            problems.append(warning("arrival-alike", where, kind=one.kind, day=like.date))
            continue
        identity = _identity(key, seen[key], taken)
        taken.add(identity)
        new.append(replace(one, id=identity, batch=batch))
    if early:
        problems.append(warning("arrival-early", place("ledger"), count=early, day=min(begun.values())))
    return Arrivals(tuple(new), known, tuple(problems))


def _openings(entries: Iterable[LedgerEntry]) -> dict[str, dt.date]:
    found: dict[str, dt.date] = {}
    for one in entries:
        if one.kind == "opening":
            found[one.account] = min(one.date, found.get(one.account, one.date))
    return found


def _alike(one: LedgerEntry, other: LedgerEntry) -> bool:
    same = (one.kind, one.account, one.symbol, one.currency) == (
        other.kind,
        other.account,
        other.symbol,
        other.currency,
    )
    size = one.quantity == other.quantity if one.symbol and one.kind != "dividend" else one.amount == other.amount
    return same and size and abs(one.date - other.date) <= _DAYS


def _identity(key: tuple[object, ...], number: int, taken: set[str]) -> str:
    """Return the same identity for the same thing on every computer; one that was taken back has another one again."""
    text = "|".join(f"{part:f}" if isinstance(part, Decimal) else str(part) for part in key)
    again = 0
    while True:
        made = ARRIVED + hashlib.sha256(f"{text}|{number}|{again}".encode()).hexdigest()[:15]
        if made not in taken:
            return made
        again += 1
