"""Which account a deposit goes to, which accounts a withdrawal comes from, and how much it can come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_DOWN, Decimal

from engine.errors import Problem, error
from engine.money import ZERO, FxTable, to_unit, unit
from engine.portfolio import Account, Holding, Portfolio
from engine.quote import Quote

#: Share of what a sale or a conversion should bring that a withdrawal may count on; the rest is for its costs.
HEADROOM = Decimal("0.99")


def assign_cash_flow(portfolio: Portfolio, prices: Mapping[str, Quote], fx: FxTable) -> dict[str, Decimal]:
    """Split the cash flow over the accounts, in the base currency; what it splits into adds up to it exactly.

    A deposit goes to the first taxable account. A withdrawal is taken from the taxable accounts in the order they are
    listed, each giving at most what it can raise: its cash and what it may sell, less its buffer, with 1 % of all but
    base-currency cash kept for costs. What is left over falls to the first taxable account, where the plan then says
    what is lacking. Without a taxable account all of it is the first account's: an ISA or a pension is not drawn on
    (or paid into) while there is another way. Without declared accounts there is one purse, and it is that one's.
    """
    flow, accounts = portfolio.settings.cash_flow, _paying(portfolio)
    if not flow or not accounts:
        return {}
    if flow > 0:
        return {accounts[0].name: flow}
    shares = dict.fromkeys((account.name for account in accounts), ZERO)
    left = -flow
    for account in accounts:
        given = min(left, _most(portfolio, account, prices, fx))
        shares[account.name] -= given
        left -= given
    shares[accounts[0].name] -= left
    return {name: share for name, share in shares.items() if share}


def withdrawal_problem(
    portfolio: Portfolio, prices: Mapping[str, Quote], fx: FxTable, total: Decimal
) -> Problem | None:
    """Say so where a withdrawal leaves nothing of a portfolio that is worth something, and how much it can come to.

    `total` is the value in the base currency once the money is out. What can be withdrawn is what `assign_cash_flow`
    counts on: 1 % of sales and conversions is kept for their costs.
    """
    flow = portfolio.settings.cash_flow
    if total > 0 or total - flow <= 0:
        return None
    worth = to_unit(total - flow, fx.base, ROUND_DOWN)
    most = min(sum((_most(portfolio, a, prices, fx) for a in _paying(portfolio)), ZERO), worth - unit(fx.base))
    values = {"flow": -flow, "worth": worth, "most": most, "currency": fx.base}
    return error("impossible.nothing-left", "settings.cash_flow", **values)


def _paying(portfolio: Portfolio) -> list[Account]:
    return [account for account in portfolio.accounts if account.type == "taxable"] or [*portfolio.accounts[:1]]


def _most(portfolio: Portfolio, account: Account, prices: Mapping[str, Quote], fx: FxTable) -> Decimal:
    return max(to_unit(_raisable(portfolio, account, prices, fx), fx.base, ROUND_DOWN), ZERO)


def _raisable(portfolio: Portfolio, account: Account, prices: Mapping[str, Quote], fx: FxTable) -> Decimal:
    buffer = portfolio.settings.cash_buffer if account.cash_buffer is None else account.cash_buffer
    total = account.cash.get(fx.base, ZERO) - buffer
    if portfolio.settings.convert_currency:
        foreign = (fx.rate(c) * amount for c, amount in account.cash.items() if c != fx.base and amount)
        total += HEADROOM * sum(foreign, ZERO)
    return total + HEADROOM * sum(_sellable(portfolio, account, prices, fx), ZERO)


def _sellable(portfolio: Portfolio, account: Account, prices: Mapping[str, Quote], fx: FxTable) -> Iterator[Decimal]:
    settings = portfolio.settings
    if settings.mode == "buy-only":
        return
    kept = {target.symbol for _, target in portfolio.targets() if not target.enabled}
    for holding in portfolio.holdings:
        currency = portfolio.instruments[holding.symbol].currency
        reachable = settings.convert_currency or currency == fx.base
        free = not holding.locked and holding.symbol not in kept
        if holding.quantity and free and reachable and _is_in(portfolio, holding, account):
            yield holding.quantity * prices[holding.symbol].price * fx.rate(currency)


def _is_in(portfolio: Portfolio, holding: Holding, account: Account) -> bool:
    return not portfolio.accounts_declared or holding.account == account.name
