"""A plan's trades booked: the portfolio as it is once they are done, and whether its cash comes out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.errors import InputError, error
from engine.goals import members_of
from engine.money import ZERO, FxTable
from engine.phrase import place
from engine.plan import Plan, Trade
from engine.portfolio import Holding, Portfolio, Section
from engine.record import Done, Exchanged, cash_flows
from engine.valuation import assign_cash_flow

if TYPE_CHECKING:
    from rebalancer.storing import StoredTrade

#: Cash by account (empty: all of them) and currency.
Purses = dict[tuple[str, str], Decimal]
#: Less than half a cent is the rounding of a cell.
_SAME = Decimal("0.005")


def record(portfolio: Portfolio, plan: Plan, *, day: dt.date | None = None) -> Portfolio:
    """Return the portfolio after a plan's trades: quantities, average costs, cash, and when its sections were traded.

    The cash flow that the plan took in is used. `day` is when the trades were done (the plan's day). Raises
    InputError where the portfolio is no longer what the plan was made from, so that nothing is booked twice.
    """
    made_from = plan.portfolio
    if (written(portfolio), portfolio.accounts) != (written(made_from), made_from.accounts):
        raise InputError([error("holdings-changed", place("portfolio"))])
    # What was written as a value is a quantity since the plan priced it.
    holdings = [replace(holding, value=None) for holding in made_from.holdings]
    rates = {currency: one.rate for currency, one in plan.rates.items() if currency != portfolio.base_currency}
    for trade in plan.trades:
        book(holdings, trade, rates.get(trade.currency))
    accounts = tuple(
        replace(one, cash=plan.cash.accounts_after.get(one.name, plan.cash.after)) for one in portfolio.accounts
    )
    traded = {trade.symbol for trade in plan.trades}
    sections = tuple(dated(portfolio, section, traded, day or plan.as_of) for section in portfolio.sections)
    # A document has one rule for the section "all" and for holdings without a target.
    others = next((section.rule for section in sections if section.name == "all"), portfolio.untargeted_rule)
    return replace(
        portfolio,
        holdings=tuple(holdings),
        accounts=accounts,
        sections=sections,
        settings=replace(portfolio.settings, cash_flow=ZERO),
        untargeted_rule=others,
    )


def written(portfolio: Portfolio) -> list[Holding]:
    """Return the holdings as they were written: one of a value has no quantity of its own."""
    return [one if one.value is None else replace(one, quantity=ZERO) for one in portfolio.holdings]


def book(holdings: list[Holding], trade: Trade | StoredTrade, rate: Decimal | None = None) -> None:
    """Change the rows of the trade's symbol and account; locked ones only hold what was never for sale.

    `rate` is base currency per unit of the trade's currency, None where that is the base currency or the rate is not
    known: a new row has it; where a row says the rate of its purchase, that becomes the rate of both purchases,
    weighted by what each cost.
    """
    free = [
        number
        for number, row in enumerate(holdings)
        if (row.account, row.symbol) == (trade.account, trade.symbol) and not row.locked
    ]
    if trade.side == "buy":
        if not free:
            holdings.append(Holding(trade.symbol, trade.quantity, trade.account, trade.price, cost_fx=rate))
            return
        row = holdings[free[0]]
        cost, paid_at = _averaged(row, trade), _averaged_rate(row, trade, rate)
        holdings[free[0]] = replace(row, quantity=row.quantity + trade.quantity, average_cost=cost, cost_fx=paid_at)
        return
    left = trade.quantity
    for number in free:
        sold = min(holdings[number].quantity, left)
        holdings[number] = replace(holdings[number], quantity=holdings[number].quantity - sold)
        left -= sold
    if left:
        raise InputError(
            [error("not-held.more", place("trade", symbol=trade.symbol, account=trade.account), more=left)]
        )


def _averaged(row: Holding, trade: Trade | StoredTrade) -> Decimal | None:
    """Return the average cost per unit after a purchase, commissions left out; None where it was not known."""
    if not row.quantity:
        return trade.price
    if row.average_cost is None:
        return None
    return (row.quantity * row.average_cost + trade.amount) / (row.quantity + trade.quantity)


def _averaged_rate(row: Holding, trade: Trade | StoredTrade, rate: Decimal | None) -> Decimal | None:
    """Return base currency per unit of what a row cost after a purchase; None where either is not known."""
    if not row.quantity:
        return rate
    if row.cost_fx is None or rate is None or row.average_cost is None:
        return None
    paid = row.quantity * row.average_cost
    return (paid * row.cost_fx + trade.amount * rate) / (paid + trade.amount)


def dated(portfolio: Portfolio, section: Section, traded: set[str], day: dt.date) -> Section:
    """Return a section as last rebalanced on the day, where something of it was traded."""
    if not traded.intersection(members_of(portfolio, section)):
        return section
    return replace(section, rule=replace(section.rule, last_rebalanced=day))


def settled_cash(
    portfolio: Portfolio,
    done: Sequence[Done],
    exchanged: Iterable[Exchanged],
    before: Mapping[tuple[str, str], Decimal],
    after: Mapping[tuple[str, str], Decimal],
) -> Purses:
    """Return the cash that a reconciliation arrives at, by account where it has any.

    Raises InputError where it does not start from the portfolio's cash (the trades may be booked already), or where
    what is traded and exchanged does not come to it.
    """
    _check_sums(done, exchanged, before, after)
    check_start(portfolio, before)
    if any(account for account, _ in after):
        return {(account, currency): amount for (account, currency), amount in after.items() if account}
    return dict(after)


def _check_sums(
    done: Sequence[Done],
    exchanged: Iterable[Exchanged],
    before: Mapping[tuple[str, str], Decimal],
    after: Mapping[tuple[str, str], Decimal],
) -> None:
    """Raise InputError where before ± what is traded and exchanged is not after."""
    flows = cash_flows(done, exchanged)
    unsettled = {currency for _, currency in flows} - {currency for account, currency in after if not account}
    for (account, currency), start in before.items():
        flow = sum((n for (a, c), n in flows.items() if c == currency and account in ("", a)), ZERO)
        if abs(start + flow - after[account, currency]) >= _SAME:
            unsettled.add(currency)
    if unsettled:
        raise InputError([error("not-reconciled", "Reconcile", currencies=sorted(unsettled))])


def check_start(portfolio: Portfolio, before: Mapping[tuple[str, str], Decimal]) -> None:
    """Raise InputError where the cash is not what the trades were proposed with: they may be booked already.

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
        raise InputError([error("cash-changed", "Cash", names=dict.fromkeys(changed))])
