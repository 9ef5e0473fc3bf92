"""Accounts and their cash: either declared one by one, or one nameless account with all the cash."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

from engine.costs import account_rules
from engine.data.fields import Fields, choose, currency
from engine.data.report import Path, Report
from engine.money import MINOR_DIGITS, to_unit
from engine.portfolio import ACCOUNT_TYPES, MARKETS, TRAITS, Account
from engine.text import plain_number

#: What arithmetic in floats leaves of an amount beyond its cents: a spreadsheet's sum of 0.1 and 0.2 has more than 0.3.
_RESIDUE = Decimal("1e-6")
ACCOUNT_KEYS = ("name", "type", "cash", "markets", "risk_cap", "banned", "cash_buffer")


def read_accounts(portfolio: Fields) -> tuple[tuple[Account, ...], bool]:
    """Return the accounts, and whether the document declares them."""
    if not portfolio.items("accounts"):
        return (Account("", cash=read_cash(portfolio)),), False
    if portfolio.given("cash"):
        message = "with accounts, each has its own cash: move this into the accounts' cash"
        ko = "계좌가 있으면 현금은 계좌마다 따로 적습니다: 이 현금을 계좌의 cash로 옮기세요"
        portfolio.error("cash", "cash-and-accounts", message, ko)
    accounts: list[Account] = []
    for row in portfolio.rows("accounts", ACCOUNT_KEYS):
        account = _read_account(row)
        if any(other.name == account.name for other in accounts) and account.name:
            message = f"{account.name} is an account already: give each account its own name"
            ko = f"이미 있는 계좌 {account.name}: 계좌마다 다른 이름을 쓰세요"
            row.error("name", "duplicate-account", message, ko)
        accounts.append(account)
    return tuple(accounts), True


def read_cash(row: Fields) -> dict[str, Decimal]:
    """Return the cash by currency, in whole smallest units."""
    cash: dict[str, Decimal] = {}
    if row.given("cash") and not isinstance(row.values["cash"], Mapping):
        message = f"cash is {row.values['cash']}: name the currency, such as {{KRW: 1500000}}"
        ko = f"현금 값 {row.values['cash']}: {{KRW: 1500000}}처럼 통화를 함께 적으세요"
        row.error("cash", "wrong-type", message, ko)
        return cash
    known = tuple(name for name, _, _ in row.mapping("cash"))
    amounts = Fields(row.values.get("cash") or {}, row.at("cash"), row.report, known)
    for name, _, path in row.mapping("cash"):
        code = currency(name, path, row.report)
        amount = amounts.number(name)
        if code is None or amount is None:
            continue
        if code in cash:
            ko = f"{code} 중복: 금액을 하나만 적으세요"
            row.report.error(path, "duplicate-key", f"{code} is here twice: write one amount", ko)
        cash[code] = in_units(amount, code, path, row.report)
        if cash[code] < 0:
            _point_out_negative(cash[code], code, path, row.report)
    return cash


def in_units(amount: Decimal, code: str, path: Path, report: Report) -> Decimal:
    """Return an amount in whole smallest units, rounded down; says so of more than what a float leaves over."""
    nearly = amount.quantize(_RESIDUE)
    whole = to_unit(nearly, code, ROUND_FLOOR)
    if whole != nearly:
        digits = MINOR_DIGITS[code]
        message = f"{plain_number(amount)} {code} has more than {digits} decimals: {plain_number(whole)} is counted"
        ko = f"{plain_number(amount)} {code}: 소수점 아래는 {digits}자리까지이니 {plain_number(whole)}만 셉니다"
        report.warning(path, "below-smallest-unit", message, ko)
    return amount if amount == whole else whole


def _point_out_negative(amount: Decimal, code: str, path: Path, report: Report) -> None:
    message = f"cash is {plain_number(amount)} {code}, below 0: sales or a deposit have to cover it first"
    ko = f"현금이 {plain_number(amount)} {code}, 마이너스입니다: 매도나 입금으로 먼저 채워야 합니다"
    report.warning(path, "negative-cash", message, ko)


def _read_account(row: Fields) -> Account:
    name = row.text("name")
    if not name:
        row.missing(
            "name", "give the account a name for the holdings to refer to", "보유 종목이 가리킬 계좌 이름을 적으세요"
        )
    kind = row.choice("type", ACCOUNT_TYPES) or "taxable"
    rule = account_rules.load()[kind]
    account = Account(
        name=name,
        type=kind,
        cash=read_cash(row),
        markets=_words(row, "markets", MARKETS) if "markets" in row.values else rule.markets,
        risk_cap=row.fraction("risk_cap") if "risk_cap" in row.values else rule.risk_cap,
        banned=(_words(row, "banned", TRAITS) or ()) if "banned" in row.values else rule.banned,
        cash_buffer=row.number("cash_buffer", Decimal(0)),
    )
    _point_out_looser(row, account, rule)
    return account


def _words(row: Fields, key: str, choices: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return a list of words, each once; None (no restriction) where the document says null."""
    if row.values[key] is None:
        return None
    found = (choose(item, path, row.report, choices) for item, path in row.items(key))
    return tuple(dict.fromkeys(word for word in found if word is not None))


def _point_out_looser(row: Fields, account: Account, rule: account_rules.AccountRule) -> None:
    """Warn where the document lets an account do more than its type's rule."""
    looser = []
    if rule.markets is not None and (account.markets is None or set(account.markets) - set(rule.markets)):
        looser.append(f"markets {', '.join(rule.markets)}")
    if rule.risk_cap is not None and (account.risk_cap is None or account.risk_cap > rule.risk_cap):
        looser.append(f"risk_cap {rule.risk_cap}")
    if set(rule.banned) - set(account.banned):
        looser.append(f"banned {', '.join(rule.banned)}")
    if looser:
        message = (
            f"{account.type} accounts have {'; '.join(looser)} ({rule.source}); this document is looser and counts"
        )
        ko = f"{account.type} 계좌의 규칙: {'; '.join(looser)} ({rule.source_ko}). 더 느슨한 이 문서의 값을 따릅니다"
        row.report.warning(row.path, "looser-than-rule", message, ko)
