"""What a solution means to the person: trades with reasons, the cash before and after, the quality, what stays out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from engine.drift import limits_of
from engine.errors import Problem, note
from engine.money import ZERO
from engine.phrase import phrase, place
from engine.plan import CashState, Position, Quality, Reason, Trade
from engine.portfolio import Portfolio
from engine.trades.build import Task
from engine.trades.orders import Settlement
from engine.trades.problem import Solution
from engine.trades.reasons import reason_codes
from engine.trades.rungs import NUMBERS, money_outside
from engine.trades.solve import UnsoundBoundError, faults_raise
from engine.valuation import FxRate, Valuation


def describe_trades(
    portfolio: Portfolio, valuation: Valuation, positions: Sequence[Position], settlement: Settlement
) -> tuple[Trade, ...]:
    """Return the orders as trades, each with its reason and the symbol's weight once all are done."""
    by_symbol = {position.symbol: position for position in positions}
    after = {position.symbol: position.quantity for position in positions}
    for order in settlement.orders:
        after[order.symbol] += order.quantity if order.side == "buy" else -order.quantity
    codes = reason_codes(portfolio, valuation, positions, settlement)
    found = []
    for order, code in zip(settlement.orders, codes, strict=True):
        position = by_symbol[order.symbol]
        weight_after = after[order.symbol] * position.price * position.fx / valuation.total
        found.append(
            Trade(
                account=order.account,
                symbol=order.symbol,
                name=position.name,
                side=order.side,
                quantity=order.quantity,
                price=position.price,
                currency=position.currency,
                amount=order.amount,
                cost=order.cost,
                tax=order.tax + order.withheld,
                reason=Reason(code, position.weight, position.target, position.low, position.high),
                weight_after=weight_after,
                withheld=order.withheld,
            )
        )
    return tuple(found)


def cash_state(portfolio: Portfolio, settlement: Settlement) -> CashState:
    """Return the books by currency, in all and by declared account."""

    def total(ledger: Mapping[str, Mapping[str, Decimal]]) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for purse in ledger.values():
            for currency, amount in purse.items():
                found[currency] = found.get(currency, ZERO) + amount
        return found

    declared = portfolio.accounts_declared
    return CashState(
        before=total(settlement.before),
        after=total(settlement.after),
        target_weight=portfolio.cash_target,
        accounts_before=settlement.before if declared else {},
        accounts_after=settlement.after if declared else {},
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What a plan leads to, in the base currency: values by symbol, cash, and what is outside bands and limits."""

    objective: float
    after: Mapping[str, Decimal]
    cash: Decimal
    outside: Decimal
    misplaced: Decimal


def measure(
    portfolio: Portfolio,
    valuation: Valuation,
    positions: Sequence[Position],
    task: Task,
    settlement: Settlement,
    *,
    bound: Portfolio,
) -> Result:
    """Measure a plan as it is billed: the objective of its rung as a part of the total, and where everything ends.

    What is outside is so by the limits of `bound`: the portfolio's, and those that make a section act besides.
    """
    problem, rate, total = task.problem, valuation.fx.rate, valuation.total
    prices = {p.symbol: p.price * p.fx for p in positions}
    after = {p.symbol: p.value for p in positions}
    paid = withheld = gain = gross = ZERO
    taxes = {(slot.symbol, slot.account): slot.tax for slot in task.slots}
    placed = set()
    for order in settlement.orders:
        fx = rate(portfolio.instruments[order.symbol].currency)
        sign = 1 if order.side == "buy" else -1
        after[order.symbol] += sign * order.quantity * prices[order.symbol]
        gross += sign * order.amount * fx
        paid += (order.cost + order.tax) * fx
        withheld += order.withheld * fx
        account = order.account if portfolio.accounts_declared else portfolio.accounts[0].name
        placed.add((order.symbol, account))
        tax = taxes[order.symbol, account]
        if order.side == "sell" and tax.overseas:
            cost = (prices[order.symbol] - tax.gain) * order.quantity
            gain += (order.amount - order.cost - order.tax) * fx - cost
    paid += sum((c.cost * rate(c.sell) for c in settlement.conversions), ZERO)
    cash = sum((n * rate(c) for purse in settlement.after.values() for c, n in purse.items() if n), ZERO)
    before = sum((n * rate(c) for purse in settlement.before.values() for c, n in purse.items() if n), ZERO)
    groups = [
        limit.weight({s: v / total for s, v in after.items()}) * total for limit in limits_of(portfolio) if limit.group
    ]
    values = np.array([float(after[s]) for s in task.symbols] + [float(value) for value in groups])
    overseas = problem.overseas_rate * max(0.0, float(gain) - problem.allowance)
    objective = (
        problem.rows.hinges.value(values)
        + problem.cash_below.value(np.array([float(cash)]))
        + problem.cash_above.value(np.array([float(before - gross)]))
        + float(paid)
        + problem.tax_weight * float(withheld)
        + overseas
        + problem.order * len(placed)
    )
    apart = sum((abs(p.target * total - after[p.symbol]) for p in positions), abs(portfolio.cash_target * total - cash))
    outside = money_outside(bound, positions, after, cash, total)
    return Result(objective / float(total), after, cash, outside, apart / (2 * total))


def quality(task: Task, solution: Solution, result: Result, seconds: float) -> Quality:
    """Return how good a plan is; a bound above what was found is a fault: raised in tests, else told as unproven."""
    bound, method = solution.bound / task.problem.total, solution.method
    if task.problem.size == 0:
        bound = result.objective  # there is one plan
    if bound > result.objective:
        if faults_raise():
            raise UnsoundBoundError(f"bound {bound!r} above a plan of {result.objective!r}")
        bound, method = -np.inf, "unproven"
    bound = max(bound, 0.0) if np.isfinite(bound) else 0.0
    gap = (result.objective - bound) / result.objective if result.objective > 0 else 0.0
    return Quality(result.objective, bound, gap, method, seconds, float(result.misplaced), NUMBERS[task.kind])


def rate_notes(rates: Iterable[FxRate]) -> Iterator[Problem]:
    """Say where each conversion rate came from and how old it is."""
    for rate in rates:
        where = place("fx", pair="/".join(rate.path))
        if rate.as_of is None:
            yield note("fx-source.undated", where, rate=rate.rate, source=rate.source)
        else:
            yield note("fx-source", where, rate=rate.rate, source=rate.source, moment=rate.as_of)


def left_outside(portfolio: Portfolio, positions: Sequence[Position], trades: Sequence[Trade]) -> Iterator[Problem]:
    """Name the positions that end outside their band, with what keeps them there."""
    after = {position.symbol: position.weight for position in positions} | {t.symbol: t.weight_after for t in trades}
    mode = portfolio.settings.mode
    for p in positions:
        weight = after[p.symbol]
        if p.status not in ("OVER", "UNDER") or p.low <= weight <= p.high:
            continue
        side, blocked = ("above", "buy-only") if weight > p.high else ("below", "sell-only")
        cause = phrase("still-outside.mode", mode=mode) if mode == blocked else phrase(f"still-outside.{side}-cause")
        values = {"weight": weight, "low": p.low, "high": p.high, "cause": cause}
        yield note(f"still-outside.{side}", place("position", symbol=p.symbol), **values)
