"""A plan's trades booked: the portfolio as it is once they are done."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from engine.errors import InputError, error
from engine.money import ZERO
from engine.phrase import place
from engine.plan import Plan, Trade
from engine.portfolio import Holding, Portfolio, Section


def record(portfolio: Portfolio, plan: Plan, *, day: dt.date | None = None) -> Portfolio:
    """Return the portfolio after a plan's trades: quantities, average costs, cash, and when its sections were traded.

    The cash flow that the plan took in is used. `day` is when the trades were done (the plan's day). Raises
    InputError where the portfolio is no longer what the plan was made from, so that nothing is booked twice.
    """
    made_from = plan.portfolio
    if (portfolio.holdings, portfolio.accounts) != (made_from.holdings, made_from.accounts):
        raise InputError([error("holdings-changed", place("portfolio"))])
    holdings = list(portfolio.holdings)
    for trade in plan.trades:
        _book(holdings, trade)
    accounts = tuple(
        replace(one, cash=plan.cash.accounts_after.get(one.name, plan.cash.after)) for one in portfolio.accounts
    )
    traded = {trade.symbol for trade in plan.trades}
    sections = tuple(_dated(section, traded, day or plan.as_of) for section in portfolio.sections)
    settings = replace(portfolio.settings, cash_flow=ZERO)
    return replace(portfolio, holdings=tuple(holdings), accounts=accounts, sections=sections, settings=settings)


def _book(holdings: list[Holding], trade: Trade) -> None:
    """Change the rows of the trade's symbol and account; locked ones only hold what was never for sale."""
    free = [
        number
        for number, row in enumerate(holdings)
        if (row.account, row.symbol) == (trade.account, trade.symbol) and not row.locked
    ]
    if trade.side == "buy":
        if not free:
            holdings.append(Holding(trade.symbol, trade.quantity, trade.account, trade.price))
            return
        row = holdings[free[0]]
        cost = _averaged(row, trade)
        holdings[free[0]] = replace(row, quantity=row.quantity + trade.quantity, average_cost=cost)
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


def _averaged(row: Holding, trade: Trade) -> Decimal | None:
    """Return the average cost per unit after a purchase, commissions left out; None where it was not known."""
    if not row.quantity:
        return trade.price
    if row.average_cost is None:
        return None
    return (row.quantity * row.average_cost + trade.amount) / (row.quantity + trade.quantity)


def _dated(section: Section, traded: set[str], day: dt.date) -> Section:
    if not any(target.symbol in traded for target in section.targets):
        return section
    return replace(section, rule=replace(section.rule, last_rebalanced=day))
