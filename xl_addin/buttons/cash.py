"""The cash of recorded trades: what the reconciliation arrives at, where it starts from what the workbook has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.cash_flow import assign_cash_flow
from engine.errors import InputError, Problem
from engine.money import ZERO, FxTable
from engine.portfolio import Portfolio
from engine.record import Done, Exchanged, cash_flows
from templates.cells import Row
from templates.read.tables import Found
from templates.spec.schema import Text
from xl_addin.buttons.edits import Edit
from xl_addin.buttons.places import place_of
from xl_addin.buttons.sheets import decimal_of, row_edits, rows_in

#: By account (empty: all of them) and currency.
Purses = dict[tuple[str, str], Decimal]
UNPROPOSED = Text("press Propose trades first, and look at the trades", "먼저 [매매 제안]을 누르고 매매를 확인하세요")
#: Less than half a cent is the rounding of a cell.
_SAME = Decimal("0.005")


def cash_edits(places: Mapping[str, Found], done: list[Done], portfolio: Portfolio) -> list[Edit]:
    """Return the edits of cash: what the reconciliation arrives at.

    Raises InputError where the trades do not come to that, or where it does not start from the portfolio's cash.
    """
    lines = [row for _, row in rows_in(place_of(places, "Reconcile")) if row.get("Currency")]
    before, after = _purses(lines, "Before"), _purses(lines, "PlanAfter")
    _check_sums(places, done, before, after)
    check_start(before, portfolio)
    if any(account for account, _ in after):
        after = {(account, currency): amount for (account, currency), amount in after.items() if account}
    return _cash_rows(place_of(places, "Cash"), after)


def _purses(lines: Iterable[Row], column: str) -> Purses:
    return {(str(row.get("Account") or ""), str(row["Currency"])): decimal_of(row.get(column)) or ZERO for row in lines}


def _check_sums(places: Mapping[str, Found], done: list[Done], before: Purses, after: Purses) -> None:
    """Raise InputError where before ± what is traded and exchanged is not after."""
    exchanged = [
        Exchanged(
            str(row.get("Account") or ""),
            str(row["Sell"]),
            decimal_of(row.get("Amount")) or ZERO,
            str(row["Buy"]),
            decimal_of(row.get("Bought")) or ZERO,
        )
        for _, row in rows_in(place_of(places, "Conversions"))
    ]
    flows = cash_flows(done, exchanged)
    unsettled = {currency for _, currency in flows} - {currency for account, currency in after if not account}
    for (account, currency), start in before.items():
        flow = sum((n for (a, c), n in flows.items() if c == currency and account in ("", a)), ZERO)
        if abs(start + flow - after[account, currency]) >= _SAME:
            unsettled.add(currency)
    if unsettled:
        names = ", ".join(sorted(unsettled))
        message = f"the trades in {names} do not come to the cash that the plan says: {UNPROPOSED.en}"
        ko = f"{names} 매매가 계획의 현금과 맞지 않습니다: {UNPROPOSED.ko}"
        raise InputError([Problem("error", "not-reconciled", "Reconcile", message, ko)])


def check_start(before: Purses, portfolio: Portfolio) -> None:
    """Raise InputError where the cash is not what the trades were proposed with: they may be recorded already.

    A deposit's account is certain. Which accounts a withdrawal comes from depends on the prices of then: each account
    may have given up to the whole of it, and together they must have given just that.
    """
    base, flow = portfolio.base_currency, portfolio.settings.cash_flow
    now: Purses = {("", base): flow}
    for account in portfolio.accounts:
        for currency, amount in account.cash.items():
            for name in {account.name, ""}:
                now[name, currency] = now.get((name, currency), ZERO) + amount
    if flow > 0:
        for name, share in assign_cash_flow(portfolio, {}, FxTable(base)).items():
            if name:
                now[name, base] = now.get((name, base), ZERO) + share
    changed = []
    for key in sorted(now.keys() | before.keys()):
        off = before.get(key, ZERO) - now.get(key, ZERO)
        withdrawn = flow if key[0] and key[1] == base and flow < 0 else ZERO
        if not withdrawn - _SAME < off < _SAME:
            changed.append(" ".join(key).strip())
    if changed:
        names = ", ".join(dict.fromkeys(changed))
        message = f"the cash has changed since the trades were proposed ({names}): press Propose trades again"
        ko = f"매매를 제안한 뒤 현금이 바뀌었습니다({names}): [매매 제안]을 다시 누르세요"
        raise InputError([Problem("error", "cash-changed", "Cash", message, ko)])


def _cash_rows(place: Found, after: Purses) -> list[Edit]:
    by_account = any(account for account, _ in after)
    edits, missing = [], dict(after)
    for number, row in rows_in(place):
        key = (str(row.get("Account") or "") if by_account else "", str(row.get("Currency") or ""))
        # Without accounts of their own, several rows of one currency are one purse: the first takes it all.
        if key in after:
            edits += row_edits(place, number, {"Amount": missing.pop(key, ZERO)})
    wanting = [f"{account} {currency}".strip() for (account, currency), amount in missing.items() if amount]
    if wanting:
        names = ", ".join(wanting)
        message = f"there is no row for {names}: add one with amount 0"
        ko = f"{names} 행이 없습니다: 금액 0으로 추가하세요"
        raise InputError([Problem("error", "no-cash-row", "Cash", message, ko)])
    return edits
