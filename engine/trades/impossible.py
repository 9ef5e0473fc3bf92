"""Say why no plan exists: which constraint stops it, and by how much."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

import numpy as np

from engine.errors import Problem, error
from engine.money import to_unit
from engine.phrase import Phrase, phrase, place
from engine.portfolio import Portfolio
from engine.trades.build import Task
from engine.trades.highs import Allowance
from engine.trades.problem import Floats, TradeProblem, allowed, charges
from engine.trades.solve import solve

#: How exactly a turnover that would do is looked for, in shares of the total.
_TURNOVER_STEP = 0.001
#: Caps that are tried one by one for the one in the way.
_MOST_CAPS = 4


def explain(portfolio: Portfolio, task: Task) -> tuple[Problem, ...]:
    """Return one problem per account whose cash cannot reach its reserve, else the joint constraint in the way."""
    problem = task.problem
    above = problem.cash + _most_raised(problem) - problem.reserve
    short = [(account, _lacking(problem, above[problem.account == n])) for n, account in enumerate(portfolio.accounts)]
    faults = [_short_of_cash(portfolio, account.name, amount) for account, amount in short if amount > 1e-6]
    return tuple(faults) or (_joint(portfolio, task),)


def _lacking(problem: TradeProblem, above: Floats) -> float:
    """Return what an account lacks after its own surpluses have been converted, where they may be."""
    deficit, surplus = float(-np.minimum(above, 0.0).sum()), float(np.maximum(above, 0.0).sum())
    return deficit - ((1.0 - problem.spread) * surplus if problem.linked else 0.0)


def _most_raised(problem: TradeProblem) -> Floats:
    """Return, by pool, what selling everything that may be sold brings after costs."""
    low = problem.slots.low.astype(np.float64)
    units = np.where(allowed(problem, low), low, 0.0)
    charged = charges(problem, units)
    proceeds = np.maximum(-units * problem.slots.price - charged.cost - charged.withheld, 0.0)
    return np.asarray(np.bincount(problem.slots.pool, weights=proceeds, minlength=len(problem.cash)), dtype=np.float64)


def _short_of_cash(portfolio: Portfolio, account: str, amount: float) -> Problem:
    currency = portfolio.base_currency
    lacking = to_unit(Decimal(repr(amount)), currency, ROUND_CEILING)
    settings = portfolio.settings
    causes = {
        "buy-only": settings.mode == "buy-only",
        "locked": any(holding.locked for holding in portfolio.holdings),
        "unconverted": not settings.convert_currency,
        "minimum": any(target.minimum for _, target in portfolio.targets()),
    }
    told = tuple(phrase(f"impossible.{name}") for name, holds in causes.items() if holds)
    where = place("account", account=account) if portfolio.accounts_declared else place("cash")
    values = {"wanted": _wanted(portfolio), "lacking": lacking, "currency": currency, "causes": told}
    return error("impossible.lacking-because" if told else "impossible.lacking", where, **values)


def _wanted(portfolio: Portfolio) -> tuple[Phrase, ...]:
    """Return what cash is needed for."""
    settings = portfolio.settings
    found = []
    if settings.cash_flow < 0:
        found.append(phrase("impossible.flow", flow=-settings.cash_flow, currency=portfolio.base_currency))
    if settings.cash_buffer > 0 or any(account.cash_buffer for account in portfolio.accounts):
        found.append(phrase("impossible.buffer"))
    if any(amount < 0 for account in portfolio.accounts for amount in account.cash.values()):
        found.append(phrase("impossible.negative"))
    return tuple(found) or (phrase("impossible.reserve"),)


def _joint(portfolio: Portfolio, task: Task) -> Problem:
    """Find the joint constraint without which a plan exists."""
    problem = task.problem
    if problem.turnover is not None:
        moved = _least_moved(problem, problem.turnover)
        if moved is not None:
            # Rounded up: at what is said a plan exists.
            needed = math.ceil(moved / problem.total * 10_000) / 10_000
            values = {"limit": portfolio.settings.max_turnover, "needed": needed}
            return error("impossible.turnover", "settings.max_turnover", **values)
    rows = problem.rows
    bounded = np.flatnonzero(np.isfinite(rows.low) | np.isfinite(rows.high)).tolist()
    for row in [row for row in bounded if row in task.kept][:_MOST_CAPS]:
        low, high = rows.low.copy(), rows.high.copy()
        low[row], high[row] = -np.inf, np.inf
        if solve(replace(problem, rows=replace(rows, low=low, high=high))).solution is not None:
            return error("impossible.limit", place("group", group=task.kept[row]))
    return error("impossible.whole-shares", "rules.min_trade")


def _least_moved(problem: TradeProblem, limit: float) -> float | None:
    """Return about the least money that trades must move, more than a limit; None where no plan is found at all."""
    allowance = Allowance()
    low, high = limit, math.inf
    while high - low > _TURNOVER_STEP * problem.total:
        most = (low + high) / 2 if math.isfinite(high) else None
        found = solve(replace(problem, turnover=most), allowance=allowance).solution
        if found is not None:
            high = float((np.abs(found.units) * problem.slots.price).sum())
        elif most is None:
            return None
        else:
            low = most
    return high
