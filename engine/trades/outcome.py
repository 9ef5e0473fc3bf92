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
from engine.trades.build import Task, reserve
from engine.trades.orders import Order, Settlement
from engine.trades.problem import Solution
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


def reason_codes(
    portfolio: Portfolio, valuation: Valuation, positions: Sequence[Position], settlement: Settlement
) -> tuple[str, ...]:
    """Return the code of why, of every order: those of `engine.plan.Reason`."""
    by_symbol = {position.symbol: position for position in positions}
    limits = {target.symbol: target.maximum for _, target in portfolio.targets()}
    sold, bought = ({o.symbol for o in settlement.orders if o.side == side} for side in ("sell", "buy"))
    moved = sold & bought
    codes = [
        "relocate" if o.symbol in moved else _towards(by_symbol[o.symbol], o, limits.get(o.symbol))
        for o in settlement.orders
    ]
    if all(codes):
        return tuple(filter(None, codes))
    explained = [order for order, code in zip(settlement.orders, codes, strict=True) if code]
    causes = _causes(portfolio, valuation, settlement, explained)
    return tuple(code or causes.of(order) for order, code in zip(settlement.orders, codes, strict=True))


def _towards(position: Position, order: Order, maximum: Decimal | None) -> str | None:
    """Return why an order leads towards its target; None for a sale that leads away from it."""
    if position.status == "NO_TARGET":
        return "untargeted"
    if order.side == "buy":
        return "under" if position.status == "UNDER" else "below"
    if position.target == 0:
        return "zero-target"
    if position.weight <= position.target:
        return None
    if maximum is not None and position.weight > maximum:
        return "limit"
    return "over" if position.status == "OVER" else "above"


@dataclass(frozen=True, slots=True)
class _Causes:
    """Find the cause of a sale that leads away from its target.

    `brought` is what the other sales bring to an account, by currency; `after` what is held after all trades, by
    symbol and account (or label); `buys` what each account buys. Values are in the base currency.
    """

    portfolio: Portfolio
    valuation: Valuation
    settlement: Settlement
    brought: Mapping[tuple[str, str], Decimal]
    after: Mapping[str, Mapping[str, Decimal]]
    buys: Mapping[str, frozenset[str]]

    def of(self, order: Order) -> str:
        """Return raise-cash, limit, pay-purchase or, where nothing else can be, cash-target."""
        account = _account(self.portfolio, order)
        if self._lacking(account, self.portfolio.instruments[order.symbol].currency) > 0:
            return "raise-cash"
        if self._keeps_group(order) or self._keeps_risk_cap(account, order):
            return "limit"
        return "pay-purchase" if self.buys.get(account) else "cash-target"

    def _lacking(self, account: str, currency: str) -> Decimal:
        """Return what cash that a sale can reach lacks after the other sales, before purchases; below 0: has left."""
        settings, fx = self.portfolio.settings, self.valuation.fx
        spare = {
            c: (amount - reserve(self.portfolio, account, c)) * fx.rate(c) + self.brought.get((account, c), ZERO)
            for c, amount in self.settlement.before[account].items()
        }
        if not settings.convert_currency:
            return -spare[currency]
        short, left = (sum((sign * n for n in spare.values() if sign * n > 0), ZERO) for sign in (-1, 1))
        return short - (1 - settings.fx_spread) * left

    def _keeps_group(self, order: Order) -> bool:
        """Tell whether a group would be above its maximum without this sale."""
        without = _worth(self.valuation, order.symbol, order.quantity)
        return any(
            sum((sum(self.after.get(member, {}).values(), ZERO) for member in group.members), without)
            > group.maximum * self.valuation.total
            for group in self.portfolio.groups
            if group.maximum is not None and order.symbol in group.members
        )

    def _keeps_risk_cap(self, account: str, order: Order) -> bool:
        """Tell whether the account, which buys risk assets, would be above its cap without this sale."""
        cap = next(one.risk_cap for one in self.portfolio.accounts if one.name == account)
        risky = {symbol for symbol in self.after if self.portfolio.instruments[symbol].is_risk_asset}
        if cap is None or order.symbol not in risky or not risky & self.buys.get(account, frozenset()):
            return False
        held = {symbol: values.get(account, ZERO) for symbol, values in self.after.items()}
        cash = self.settlement.after[account].items()
        total = sum(held.values(), ZERO) + sum((n * self.valuation.fx.rate(c) for c, n in cash), ZERO)
        without = _worth(self.valuation, order.symbol, order.quantity)
        return sum((held[symbol] for symbol in risky), without) > cap * total


def _causes(portfolio: Portfolio, valuation: Valuation, settlement: Settlement, explained: Sequence[Order]) -> _Causes:
    """Add up what the causes are judged by; `explained` are the orders that have a reason already."""
    brought: dict[tuple[str, str], Decimal] = {}
    for order in explained:
        if order.side == "sell":
            currency = portfolio.instruments[order.symbol].currency
            place = _account(portfolio, order), currency
            money = (order.amount - order.cost - order.tax - order.withheld) * valuation.fx.rate(currency)
            brought[place] = brought.get(place, ZERO) + money
    quantities = {symbol: dict(held) for symbol, held in valuation.quantities.items()}
    buys: dict[str, set[str]] = {}
    for order in settlement.orders:
        held, sign = quantities[order.symbol], 1 if order.side == "buy" else -1
        held[order.account] = held.get(order.account, ZERO) + sign * order.quantity
        if order.side == "buy":
            buys.setdefault(_account(portfolio, order), set()).add(order.symbol)
    after = {
        symbol: {name: _worth(valuation, symbol, quantity) for name, quantity in held.items() if quantity}
        for symbol, held in quantities.items()
    }
    frozen = {account: frozenset(symbols) for account, symbols in buys.items()}
    return _Causes(portfolio, valuation, settlement, brought, after, frozen)


def _account(portfolio: Portfolio, order: Order) -> str:
    """Return whose cash an order moves: where no accounts are declared, its account is a label."""
    return order.account if portfolio.accounts_declared else portfolio.accounts[0].name


def _worth(valuation: Valuation, symbol: str, quantity: Decimal) -> Decimal:
    quote = valuation.prices[symbol]
    return quantity * quote.price * valuation.fx.rate(quote.currency)
