"""What a ledger comes to: holdings with their costs, cash, and what was gained by sales."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from engine.errors import Problem, error, warning
from engine.ledger.entries import LedgerEntry
from engine.money import ZERO
from engine.phrase import place
from engine.portfolio import Account, Holding, Portfolio

Key = tuple[str, str]
#: Two quantities or amounts that differ by less are the same: the rounding of a cell.
_SAME = Decimal("0.000001")
_SAME_MONEY = Decimal("0.005")


@dataclass(slots=True)
class Parcel:
    """Shares bought at one time: cost per share in its currency, and base currency per unit of it then."""

    quantity: Decimal
    cost: Decimal | None
    fx: Decimal | None


@dataclass(frozen=True, slots=True)
class Gain:
    """What one sale gained, less its costs, by moving average and by first in, first out.

    `average` and `fifo` are in the currency of the sale, `average_base` and `fifo_base` in the base currency at the
    rates of the days of purchase and sale; None where a cost or rate is not known. `fx` is the rate of the sale.
    """

    date: dt.date
    account: str
    symbol: str
    currency: str
    average: Decimal | None
    fifo: Decimal | None
    average_base: Decimal | None
    fifo_base: Decimal | None
    fx: Decimal | None = None


@dataclass(slots=True)
class Stock:
    """What is held of one symbol in one account: its parcels, and its moving average."""

    parcels: list[Parcel] = field(default_factory=list)
    average: Parcel = field(default_factory=lambda: Parcel(ZERO, ZERO, None))

    @property
    def quantity(self) -> Decimal:
        """Return the number of shares."""
        return self.average.quantity

    def add(self, quantity: Decimal, cost: Decimal | None, fx: Decimal | None) -> None:
        """Buy: the average is weighted by quantity; one unknown cost or rate makes the average's unknown."""
        held = self.average
        if held.quantity <= 0:
            self.average = Parcel(held.quantity + quantity, cost, fx)
        else:
            whole = held.quantity + quantity
            known = held.cost is not None and cost is not None
            mean = (held.quantity * (held.cost or ZERO) + quantity * (cost or ZERO)) / whole if known else None
            rated = known and held.fx is not None and fx is not None and bool(mean)
            paid = held.quantity * (held.cost or ZERO) * (held.fx or ZERO) + quantity * (cost or ZERO) * (fx or ZERO)
            rate = paid / (whole * mean) if rated and mean else (fx if held.fx == fx else None)
            self.average = Parcel(whole, mean, rate)
        self.parcels.append(Parcel(quantity, cost, fx))

    def take(self, quantity: Decimal) -> list[Parcel]:
        """Sell the oldest shares first, and return what they were bought as."""
        self.average = Parcel(self.average.quantity - quantity, self.average.cost, self.average.fx)
        taken = []
        while quantity > 0 and self.parcels:
            first = self.parcels[0]
            part = min(first.quantity, quantity)
            taken.append(Parcel(part, first.cost, first.fx))
            first.quantity -= part
            quantity -= part
            if first.quantity <= 0:
                self.parcels.pop(0)
        return taken

    def split(self, ratio: Decimal) -> None:
        """Make `ratio` new shares of each old one."""
        for parcel in (self.average, *self.parcels):
            parcel.quantity *= ratio
            parcel.cost = None if parcel.cost is None else parcel.cost / ratio


@dataclass(slots=True)
class Books:
    """What is there after some entries: stocks and cash by account, gains in order.

    `stocks` are by account and symbol, `cash` by account and currency.
    """

    base: str
    stocks: dict[Key, Stock] = field(default_factory=dict)
    cash: dict[Key, Decimal] = field(default_factory=dict)
    gains: list[Gain] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def book(self, entry: LedgerEntry) -> None:
        """Book one entry; one that sells more than is held is booked, and told."""
        key = (entry.account, entry.symbol)
        if entry.kind == "snapshot":
            return
        if entry.symbol and entry.kind in ("opening", "buy"):
            cost = entry.price if entry.kind == "opening" else entry.amount / entry.quantity
            self._stock(key).add(entry.quantity, cost, self._fx(entry))
        elif entry.kind == "sell":
            self._sell(entry, key)
        elif entry.kind == "split":
            self._stock(key).split(entry.quantity)
        elif entry.kind == "correction" and entry.symbol:
            stock = self._stock(key)
            if entry.quantity >= 0:
                stock.add(entry.quantity, entry.price, self._fx(entry))
            else:
                stock.take(-entry.quantity)
        if money := cash_of(entry):
            purse = (entry.account, entry.currency)
            self.cash[purse] = self.cash.get(purse, ZERO) + money

    def _stock(self, key: Key) -> Stock:
        return self.stocks.setdefault(key, Stock())

    def _fx(self, entry: LedgerEntry) -> Decimal | None:
        return Decimal(1) if entry.currency == self.base else entry.fx

    def _sell(self, entry: LedgerEntry, key: Key) -> None:
        stock = self._stock(key)
        if entry.quantity > stock.quantity + _SAME:
            where = place("ledger-entry", day=entry.date, symbol=entry.symbol, account=entry.account)
            self.problems.append(warning("ledger-oversold", where, sold=entry.quantity, held=stock.quantity))
        mean = Parcel(entry.quantity, stock.average.cost, stock.average.fx)
        parcels = stock.take(entry.quantity)
        proceeds, fx = entry.amount - entry.cost, self._fx(entry)
        averages, parts = _paid([mean]), _paid(parcels)
        whole = sum((one.quantity for one in parcels), ZERO) == entry.quantity
        fifo = parts if whole else (None, None)
        based = None if fx is None else proceeds * fx
        self.gains.append(
            Gain(
                entry.date, entry.account, entry.symbol, entry.currency, _less(proceeds, averages[0]),
                _less(proceeds, fifo[0]), _less(based, averages[1]), _less(based, fifo[1]), fx,
            )
        )  # fmt: skip


def _paid(parcels: Iterable[Parcel]) -> tuple[Decimal | None, Decimal | None]:
    """Return what parcels cost, in their currency and in the base currency; None where that is not known."""
    own: Decimal | None = ZERO
    base: Decimal | None = ZERO
    for one in parcels:
        cost = None if one.cost is None else one.quantity * one.cost
        own = None if own is None or cost is None else own + cost
        base = None if base is None or cost is None or one.fx is None else base + cost * one.fx
    return own, base


def _less(proceeds: Decimal | None, paid: Decimal | None) -> Decimal | None:
    return None if proceeds is None or paid is None else proceeds - paid


def cash_of(entry: LedgerEntry) -> Decimal:
    """Return by how much an entry changes the cash of its account, in its currency."""
    gone = entry.cost + entry.tax
    if entry.kind == "buy":
        return -entry.amount - gone
    if entry.kind in ("sell", "dividend", "interest", "exchange-in", "deposit"):
        return entry.amount - gone
    if entry.kind in ("withdrawal", "fee", "exchange-out"):
        return -entry.amount - gone
    if entry.kind in ("opening", "correction") and not entry.symbol:
        return entry.amount
    return ZERO


def booked(entries: Iterable[LedgerEntry], base: str) -> Books:
    """Return the books after entries, in the order of their days (of one day: as they were written).

    `entries` are those that stand (`engine.ledger.entries.standing`).
    """
    books = Books(base)
    for entry in sorted(entries, key=lambda one: one.date):
        books.book(entry)
    return books


def differences(books: Books, portfolio: Portfolio) -> tuple[LedgerEntry, ...]:
    """Return what a portfolio holds more (+) or less (−) than the books, as corrections without id, batch and day.

    What is written as a value, and in shares at no price yet, is not known to differ.
    """
    unknown = {(row.account, row.symbol) for row in portfolio.holdings if row.value is not None and not row.quantity}
    held: dict[Key, tuple[Decimal, Decimal | None]] = {}
    for row in portfolio.holdings:
        before, _ = held.get((row.account, row.symbol), (ZERO, None))
        held[row.account, row.symbol] = (before + row.quantity, row.average_cost)
    found = []
    for key in dict.fromkeys((*books.stocks, *held)):
        mine, cost = held.get(key, (ZERO, None))
        off = mine - (books.stocks[key].quantity if key in books.stocks else ZERO)
        if abs(off) > _SAME and key not in unknown:
            instrument = portfolio.instruments.get(key[1])
            currency = instrument.currency if instrument else ""
            found.append(LedgerEntry("", "", dt.date.min, "correction", *key, off, cost if off > 0 else None, currency))
    purses: dict[Key, Decimal] = {}
    for account in portfolio.accounts:
        for currency, amount in account.cash.items():
            name = account.name if portfolio.accounts_declared else ""
            purses[name, currency] = purses.get((name, currency), ZERO) + amount
    mine_by_purse = _purses(books, portfolio)
    for purse in dict.fromkeys((*mine_by_purse, *purses)):
        off = purses.get(purse, ZERO) - mine_by_purse.get(purse, ZERO)
        if abs(off) >= _SAME_MONEY:
            name, currency = purse
            found.append(LedgerEntry("", "", dt.date.min, "correction", name, currency=currency, amount=off))
    return tuple(found)


def rebuilt(portfolio: Portfolio, books: Books, touched: frozenset[Key] | None = None) -> Portfolio:
    """Return a portfolio that holds what books say: quantities, average costs, and cash.

    A row whose quantity is right stays as it is, unless its account and symbol are among the `touched`, or these are
    None: then it has the books' cost too, where they know it. Of several rows of a symbol in an account those that
    are not locked give and take first. What is written as a value, and in shares at no price yet, stays. Instruments
    of what is new have to be among the portfolio's.
    """
    rows: list[Holding] = list(portfolio.holdings)
    nothing = Stock(average=Parcel(ZERO, None, None))
    kept = {key: stock for key, stock in books.stocks.items() if stock.quantity > _SAME}
    for key in dict.fromkeys((*((row.account, row.symbol) for row in rows), *kept)):
        mine = [at for at, row in enumerate(rows) if (row.account, row.symbol) == key]
        if any(rows[at].value is not None and not rows[at].quantity for at in mine):
            continue
        average = kept.get(key, nothing).average
        off = average.quantity - sum((rows[at].quantity for at in mine), ZERO)
        same = abs(off) <= _SAME
        if same and touched is not None and key not in touched:
            continue
        if not mine:
            mine = [len(rows)]
            rows.append(Holding(key[1], ZERO, key[0]))
        _give(rows, sorted(mine, key=lambda at: rows[at].locked), ZERO if same else off)
        foreign = portfolio.instruments[key[1]].currency != portfolio.base_currency
        for at in mine if average.cost is not None else ():
            rate = _plain(average.fx) if foreign else None
            rows[at] = replace(rows[at], average_cost=_plain(average.cost), cost_fx=rate)
    return replace(portfolio, holdings=tuple(rows), accounts=_accounts(portfolio, _purses(books, portfolio)))


def _give(rows: list[Holding], order: Iterable[int], off: Decimal) -> None:
    """Give rows so much more (or take it of them, of none more than it has), those that stand first in the order."""
    for at in order:
        part = max(off, -rows[at].quantity)
        rows[at] = replace(rows[at], quantity=_plain(rows[at].quantity + part) or ZERO, value=None)
        off -= part


def _plain(number: Decimal | None) -> Decimal | None:
    """Return a number without the zeros that computing leaves at its end."""
    return None if number is None else number.normalize() + 0


def _accounts(portfolio: Portfolio, purses: Mapping[Key, Decimal]) -> tuple[Account, ...]:
    """Return the accounts with the cash of purses; an amount that is the same stays as it is written."""
    accounts = []
    for account in portfolio.accounts:
        name = account.name if portfolio.accounts_declared else ""
        cash = {code: amount if (name, code) in purses else ZERO for code, amount in account.cash.items()}
        for (owner, currency), money in purses.items():
            if owner == name and abs(money - cash.get(currency, ZERO)) >= _SAME_MONEY:
                cash[currency] = _plain(money) or ZERO
        accounts.append(replace(account, cash=cash))
    return tuple(accounts)


def _purses(books: Books, portfolio: Portfolio) -> Mapping[Key, Decimal]:
    """Return the books' cash; where the portfolio has one purse for all, accounts are only labels."""
    if portfolio.accounts_declared:
        return books.cash
    whole: dict[Key, Decimal] = {}
    for (_, currency), amount in books.cash.items():
        whole["", currency] = whole.get(("", currency), ZERO) + amount
    return whole


def difference_problems(found: Iterable[LedgerEntry], file: str) -> tuple[Problem, ...]:
    """Return an error for each difference between a portfolio's file and its ledger."""
    problems = []
    for one in found:
        if one.symbol:
            where = place("position", symbol=one.symbol)
            if one.account:
                where = place("position-in", symbol=one.symbol, account=one.account)
            problems.append(error("ledger-differs", where, file=file, more=one.quantity))
        else:
            where = place("cash-of", currency=one.currency)
            if one.account:
                where = place("cash-in", currency=one.currency, account=one.account)
            problems.append(error("ledger-differs.cash", where, file=file, more=one.amount))
    return tuple(problems)
