"""Say why no plan exists: which constraint stops it, and by how much."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

import numpy as np

from engine.drift import limits_of
from engine.errors import Problem as Fault
from engine.money import to_unit
from engine.portfolio import Portfolio
from engine.trades.build import Task
from engine.trades.problem import Floats, Problem, allowed, charges
from engine.trades.solve import solve

#: Caps that are tried one by one for the one in the way.
_MOST_CAPS = 4


def explain(portfolio: Portfolio, task: Task) -> tuple[Fault, ...]:
    """Return one problem per account whose cash cannot reach its reserve, else the joint constraint in the way."""
    problem = task.problem
    above = problem.cash + _most_raised(problem) - problem.reserve
    short = [(account, _lacking(problem, above[problem.account == n])) for n, account in enumerate(portfolio.accounts)]
    faults = [_short_of_cash(portfolio, account.name, amount) for account, amount in short if amount > 1e-6]
    return tuple(faults) or (_joint(portfolio, task),)


def _lacking(problem: Problem, above: Floats) -> float:
    """Return what an account lacks after its own surpluses have been converted, where they may be."""
    deficit, surplus = float(-np.minimum(above, 0.0).sum()), float(np.maximum(above, 0.0).sum())
    return deficit - ((1.0 - problem.spread) * surplus if problem.linked else 0.0)


def _most_raised(problem: Problem) -> Floats:
    """Return, by pool, what selling everything that may be sold brings after costs."""
    low = problem.slots.low.astype(np.float64)
    units = np.where(allowed(problem, low), low, 0.0)
    charged = charges(problem, units)
    proceeds = np.maximum(-units * problem.slots.price - charged.cost - charged.withheld, 0.0)
    return np.asarray(np.bincount(problem.slots.pool, weights=proceeds, minlength=len(problem.cash)), dtype=np.float64)


def _short_of_cash(portfolio: Portfolio, account: str, amount: float) -> Fault:
    currency = portfolio.base_currency
    lacking = to_unit(Decimal(repr(amount)), currency, ROUND_CEILING)
    settings = portfolio.settings
    causes: list[tuple[str, str]] = []
    if settings.mode == "buy-only":
        causes.append(("mode buy-only sells nothing", "buy-only 방식은 팔지 않음"))
    if any(holding.locked for holding in portfolio.holdings):
        causes.append(("locked holdings are not sold", "고정한 종목은 팔지 않음"))
    if settings.trade == "breached":
        causes.append(("only instruments outside their band are traded", "밴드를 벗어난 종목만 매매"))
    if not settings.convert_currency:
        causes.append(("currencies are not converted into each other", "환전하지 않음"))
    if any(target.minimum for _, target in portfolio.targets()):
        causes.append(("minimum weights are kept", "최소 비중을 지킴"))
    where = f"account {account}" if portfolio.accounts_declared else "cash"
    wanted, wanted_ko = _wanted(portfolio)
    because, because_ko = (f" ({'; '.join(told)})" for told in zip(*causes, strict=True)) if causes else ("", "")
    return Fault(
        "error",
        "impossible",
        where,
        f"{wanted} cannot be met: {lacking:,} {currency} are lacking even after selling all that may be sold{because}. "
        f"Lower the withdrawal or the buffer by that much, or lift one of these constraints",
        f"{wanted_ko}: 팔 수 있는 것을 모두 팔아도 {lacking:,} {currency} 모자랍니다{because_ko}. "
        f"출금이나 최소 현금을 그만큼 줄이거나 제한을 푸세요",
    )


def _wanted(portfolio: Portfolio) -> tuple[str, str]:
    """Return what cash is needed for, in English and Korean."""
    settings = portfolio.settings
    parts: list[tuple[str, str]] = []
    if settings.cash_flow < 0:
        amount = f"{-settings.cash_flow:,} {portfolio.base_currency}"
        parts.append((f"a withdrawal of {amount}", f"출금 {amount}"))
    if settings.cash_buffer > 0 or any(account.cash_buffer for account in portfolio.accounts):
        parts.append(("the cash buffer", "최소 현금"))
    if any(amount < 0 for account in portfolio.accounts for amount in account.cash.values()):
        parts.append(("a negative cash balance", "마이너스 현금"))
    parts = parts or [("the cash reserve of 0", "현금 0 이상 유지")]
    return " with ".join(part for part, _ in parts), " + ".join(part for _, part in parts)


def _joint(portfolio: Portfolio, task: Task) -> Fault:
    """Find the joint constraint without which a plan exists."""
    problem = task.problem
    if problem.turnover is not None:
        free = solve(replace(problem, turnover=None)).solution
        if free is not None:
            needed = float((np.abs(free.units) * problem.slots.price).sum()) / problem.total
            message = (
                f"max_turnover {portfolio.settings.max_turnover} is too low: trades of {needed:.4f} of the total would "
                f"do. Raise it to that, or lower the withdrawal or buffer"
            )
            ko = (
                f"max_turnover {portfolio.settings.max_turnover}: 너무 작습니다. 총액의 {needed:.4f}만큼 매매하면 되니 "
                f"그만큼 올리거나 출금·최소 현금을 줄이세요"
            )
            return Fault("error", "impossible", "settings.max_turnover", message, ko)
    rows = problem.rows
    bounded = np.flatnonzero(np.isfinite(rows.low) | np.isfinite(rows.high)).tolist()
    names = [limit.name for limit in limits_of(portfolio) if limit.group]
    for row in bounded[:_MOST_CAPS]:
        low, high = rows.low.copy(), rows.high.copy()
        low[row], high[row] = -np.inf, np.inf
        if solve(replace(problem, rows=replace(rows, low=low, high=high))).solution is not None:
            message = "this limit stops the cash from being raised: widen it, or lower the withdrawal or buffer"
            ko = "이 한도 때문에 현금을 마련할 수 없습니다: 한도를 넓히거나 출금·최소 현금을 줄이세요"
            return Fault("error", "impossible", f"group {names[row - len(task.symbols)]}", message, ko)
    message = (
        "the cash needed cannot be raised with whole shares above the minimum trade: lower min_trade, or the "
        "withdrawal or buffer"
    )
    ko = (
        "최소 거래 금액과 정수 주 단위로는 필요한 현금을 마련할 수 없습니다: min_trade를 낮추거나 "
        "출금·최소 현금을 줄이세요"
    )
    return Fault("error", "impossible", "rules.min_trade", message, ko)
