"""Say why no plan exists: which constraint stops it, and by how much."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

import numpy as np

from engine.errors import Problem as Fault
from engine.money import to_unit
from engine.portfolio import Portfolio
from engine.trades.build import Task
from engine.trades.problem import Floats, Problem
from engine.trades.solve import solve

#: Caps that are tried one by one for the one in the way.
_MOST_CAPS = 4


def explain(portfolio: Portfolio, task: Task) -> tuple[Fault, ...]:
    """Return one problem per account whose cash cannot reach its reserve, else the joint constraint in the way."""
    problem = task.problem
    above = problem.cash + _most_raised(problem) - problem.reserve
    short = [(account, _lacking(problem, above[problem.account == n])) for n, account in enumerate(portfolio.accounts)]
    faults = [_short_of_cash(portfolio, account.name, amount) for account, amount in short if amount > 1e-6]
    return tuple(faults) or (_joint(portfolio, problem),)


def _lacking(problem: Problem, above: Floats) -> float:
    """Return what an account lacks after its own surpluses have been converted, where they may be."""
    deficit, surplus = float(-np.minimum(above, 0.0).sum()), float(np.maximum(above, 0.0).sum())
    return deficit - ((1.0 - problem.spread) * surplus if problem.linked else 0.0)


def _most_raised(problem: Problem) -> Floats:
    """Return, by pool, what selling everything that may be sold brings after costs."""
    units = np.where(problem.allowed(problem.low.astype(np.float64)), problem.low, 0).astype(np.float64)
    proceeds = np.maximum(-units * problem.price - problem.cost(units), 0.0)
    return np.asarray(np.bincount(problem.pool, weights=proceeds, minlength=len(problem.cash)), dtype=np.float64)


def _short_of_cash(portfolio: Portfolio, account: str, amount: float) -> Fault:
    currency = portfolio.base_currency
    lacking = to_unit(Decimal(repr(amount)), currency, ROUND_CEILING)
    settings = portfolio.settings
    causes = []
    if settings.mode == "buy-only":
        causes.append("mode buy-only sells nothing")
    if any(holding.locked for holding in portfolio.holdings):
        causes.append("locked holdings are not sold")
    if settings.trade == "breached":
        causes.append("only instruments outside their band are traded")
    if not settings.convert_currency:
        causes.append("currencies are not converted into each other")
    if any(target.minimum for _, target in portfolio.targets()):
        causes.append("minimum weights are kept")
    where = f"account {account}" if portfolio.accounts_declared else "cash"
    wanted = _wanted(portfolio)
    because = f" ({'; '.join(causes)})" if causes else ""
    return Fault(
        "error",
        "impossible",
        where,
        f"{wanted} cannot be met: {lacking:,} {currency} are lacking even after selling all that may be sold{because}. "
        f"Lower the withdrawal or the buffer by that much, or lift one of these constraints",
    )


def _wanted(portfolio: Portfolio) -> str:
    settings = portfolio.settings
    parts = []
    if settings.cash_flow < 0:
        parts.append(f"a withdrawal of {-settings.cash_flow:,} {portfolio.base_currency}")
    if settings.cash_buffer > 0 or any(account.cash_buffer for account in portfolio.accounts):
        parts.append("the cash buffer")
    if any(amount < 0 for account in portfolio.accounts for amount in account.cash.values()):
        parts.append("a negative cash balance")
    return " with ".join(parts) or "the cash reserve of 0"


def _joint(portfolio: Portfolio, problem: Problem) -> Fault:
    """Find the joint constraint without which a plan exists."""
    if problem.turnover is not None:
        free = solve(replace(problem, turnover=None))
        if free is not None:
            needed = float((np.abs(free.units) * problem.price).sum()) / problem.total
            message = (
                f"max_turnover {portfolio.settings.max_turnover} is too low: trades of {needed:.4f} of the total would "
                f"do. Raise it to that, or lower the withdrawal or buffer"
            )
            return Fault("error", "impossible", "settings.max_turnover", message)
    binding = [cap for cap in problem.groups if cap.high < problem.total or cap.low > -problem.total]
    for cap in binding[:_MOST_CAPS]:
        others = tuple(group for group in problem.groups if group is not cap)
        if solve(replace(problem, groups=others)) is not None:
            message = "this limit stops the cash from being raised: widen it, or lower the withdrawal or buffer"
            return Fault("error", "impossible", cap.name, message)
    message = (
        "the cash needed cannot be raised with whole shares above the minimum trade: lower min_trade, or the "
        "withdrawal or buffer"
    )
    return Fault("error", "impossible", "rules.min_trade", message)
