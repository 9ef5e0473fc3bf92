"""What a person has: accounts with their cash, and holdings, one record per row, so that lots bought apart stay apart.

Accounts are either declared one by one, or there is one nameless account with all the cash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal

from engine.costs.table import AccountRule, account_rules
from engine.data.classes import CLASSING
from engine.data.fields import Fields, Path, Report, choose, currency
from engine.data.instruments import DESCRIPTION, Instruments
from engine.money import MINOR_DIGITS, ZERO, to_unit
from engine.phrase import Phrase, phrase
from engine.portfolio import ACCOUNT_TYPES, MARKETS, TRAITS, Account, Holding
from engine.text import nearest, plain_number

#: What arithmetic in floats leaves of an amount beyond its cents: a spreadsheet's sum of 0.1 and 0.2 has more than 0.3.
_RESIDUE = Decimal("1e-6")
ACCOUNT_KEYS = ("name", "type", "cash", "markets", "risk_cap", "banned", "cash_buffer")
HOLDING_KEYS = (
    "symbol", "code", "quantity", "value", "average_cost", "cost_fx", "account", "price", "locked", *DESCRIPTION,
    *CLASSING,
)  # fmt: skip


def read_accounts(portfolio: Fields) -> tuple[tuple[Account, ...], bool]:
    """Return the accounts, and whether the document declares them."""
    if not portfolio.items("accounts"):
        return (Account("", cash=_cash(portfolio)),), False
    if portfolio.given("cash"):
        portfolio.error("cash", "cash-and-accounts")
    accounts: list[Account] = []
    for row in portfolio.rows("accounts", ACCOUNT_KEYS):
        account = _account(row)
        if any(other.name == account.name for other in accounts) and account.name:
            row.error("name", "duplicate-account", account=account.name)
        accounts.append(account)
    return tuple(accounts), True


def _cash(row: Fields) -> dict[str, Decimal]:
    """Return the cash by currency, in whole smallest units."""
    cash: dict[str, Decimal] = {}
    if row.given("cash") and not isinstance(row.values["cash"], Mapping):
        row.error("cash", "wrong-type.cash", value=str(row.values["cash"]))
        return cash
    known = tuple(name for name, _, _ in row.mapping("cash"))
    amounts = Fields(row.values.get("cash") or {}, row.at("cash"), row.report, known)
    for name, _, path in row.mapping("cash"):
        code = currency(name, path, row.report)
        amount = amounts.number(name)
        if code is None or amount is None:
            continue
        if code in cash:
            row.report.error(path, "duplicate-key.amount", name=code)
        cash[code] = in_units(amount, code, path, row.report)
        if cash[code] < 0:
            row.report.warning(path, "negative-cash", amount=plain_number(cash[code]), currency=code)
    return cash


def in_units(amount: Decimal, code: str, path: Path, report: Report) -> Decimal:
    """Return an amount in whole smallest units, rounded down; says so of more than what a float leaves over."""
    nearly = amount.quantize(_RESIDUE)
    whole = to_unit(nearly, code, ROUND_FLOOR)
    if whole != nearly:
        given, counted = plain_number(amount), plain_number(whole)
        values = {"amount": given, "currency": code, "digits": MINOR_DIGITS[code], "counted": counted}
        report.warning(path, "below-smallest-unit", **values)
    return amount if amount == whole else whole


def _account(row: Fields) -> Account:
    name = row.text("name")
    if not name:
        row.missing("name", "account-name")
    kind = row.choice("type", ACCOUNT_TYPES) or "taxable"
    rule = account_rules()[kind]
    account = Account(
        name=name,
        type=kind,
        cash=_cash(row),
        markets=_words(row, "markets", MARKETS) if "markets" in row.values else rule.markets,
        risk_cap=row.fraction("risk_cap") if "risk_cap" in row.values else rule.risk_cap,
        banned=(_words(row, "banned", TRAITS) or ()) if "banned" in row.values else rule.banned,
        cash_buffer=row.number("cash_buffer", ZERO),
    )
    _point_out_looser(row, account, rule)
    return account


def _words(row: Fields, key: str, choices: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return a list of words, each once; None (no restriction) where the document says null."""
    if row.values[key] is None:
        return None
    found = (choose(item, path, row.report, choices) for item, path in row.items(key))
    return tuple(dict.fromkeys(word for word in found if word is not None))


def _point_out_looser(row: Fields, account: Account, rule: AccountRule) -> None:
    """Warn where the document lets an account do more than its type's rule."""
    looser = []
    if rule.markets is not None and (account.markets is None or set(account.markets) - set(rule.markets)):
        looser.append(f"markets {', '.join(rule.markets)}")
    if rule.risk_cap is not None and (account.risk_cap is None or account.risk_cap > rule.risk_cap):
        looser.append(f"risk_cap {rule.risk_cap}")
    if set(rule.banned) - set(account.banned):
        looser.append(f"banned {', '.join(rule.banned)}")
    if looser:
        source = phrase(f"account-rule.{account.type}")
        row.report.warning(row.path, "looser-than-rule", type=account.type, rules="; ".join(looser), source=source)


def read_holdings(
    portfolio: Fields, instruments: Instruments, accounts: Sequence[Account], *, declared: bool
) -> tuple[Holding, ...]:
    """Return every holding; `declared` says whether a holding has to name one of the accounts."""
    reader = _Reader(instruments, [account.name for account in accounts] if declared else None, portfolio.report)
    found = (reader.read(row) for row in portfolio.rows("holdings", HOLDING_KEYS))
    return tuple(holding for holding in found if holding is not None)


class _Reader:
    """The rows of holdings read so far: prices and places by symbol."""

    def __init__(self, instruments: Instruments, accounts: list[str] | None, report: Report) -> None:
        self._instruments = instruments
        self._accounts = accounts
        self._report = report
        self._prices: dict[str, tuple[Decimal, Path]] = {}
        self._seen: dict[tuple[str, str], Path] = {}

    def read(self, row: Fields) -> Holding | None:
        symbol = self._instruments.declare(row, "symbol")
        quantity = row.number("quantity", ZERO)
        value = row.number("value", ZERO)
        if row.given("quantity") and row.given("value"):
            row.error("value", "quantity-and-value")
        elif not row.given("quantity") and not row.given("value"):
            row.missing("quantity", "quantity")
        holding = Holding(
            symbol=symbol or "",
            quantity=ZERO if quantity is None else quantity,
            account=self._account(row),
            average_cost=row.number("average_cost", ZERO),
            price=row.number("price", ZERO, above=True),
            cost_fx=row.number("cost_fx", ZERO, above=True),
            locked=row.flag("locked") or False,
            value=value,
        )
        if symbol is None:
            return None
        self._check_price(holding, row)
        first = self._seen.setdefault((symbol, holding.account), row.path)
        if first != row.path:
            self._report.note(row.path, "repeated-holding", symbol=symbol, place=self._report.where(first))
        return holding

    def _account(self, row: Fields) -> str:
        name = row.text("account")
        if self._accounts is None:
            return name
        if not name and len(self._accounts) == 1:
            return self._accounts[0]
        if not name:
            row.missing("account", "one-of", choices=self._accounts)
        elif name not in self._accounts:
            near = nearest(name, self._accounts)
            repair: Phrase = (
                phrase("repair.near", word=near) if near else phrase("repair.accounts", known=self._accounts)
            )
            row.error("account", "unknown-account", account=name, repair=repair)
        return name

    def _check_price(self, holding: Holding, row: Fields) -> None:
        if holding.price is None:
            return
        price, path = self._prices.setdefault(holding.symbol, (holding.price, row.path))
        if price != holding.price:
            here, before = plain_number(holding.price), plain_number(price)
            place = self._report.where(path)
            row.error("price", "conflict.price", symbol=holding.symbol, here=here, before=before, place=place)
