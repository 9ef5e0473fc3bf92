"""What a solution means to the person: trades with reasons, the cash before and after, the quality, what stays out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from engine.drift import limits_of
from engine.errors import Problem, note
from engine.goals import goals_by_member, main_goal
from engine.money import ZERO
from engine.phrase import phrase, place
from engine.plan import CashState, GoalState, Position, Quality, Reason, Trade, goal_label, spare_of
from engine.portfolio import Portfolio
from engine.trades.build import Task, reserve
from engine.trades.orders import Order, Settlement
from engine.trades.problem import Solution
from engine.trades.rungs import NUMBERS, money_outside
from engine.trades.solve import UnsoundBoundError, faults_raise
from engine.valuation import FxRate, Valuation


def describe_trades(
    portfolio: Portfolio,
    valuation: Valuation,
    states: Sequence[GoalState],
    positions: Sequence[Position],
    settlement: Settlement,
) -> tuple[Trade, ...]:
    """Return the orders as trades, each with its reason and the symbol's weight once all are done."""
    by_symbol = {position.symbol: position for position in positions}
    by_name = {state.name: state for state in states}
    after = {position.symbol: position.quantity for position in positions}
    for order in settlement.orders:
        after[order.symbol] += order.quantity if order.side == "buy" else -order.quantity
    mine = goals_by_member(state.goal for state in states)
    found = []
    for order, (code, state) in zip(
        settlement.orders, reason_codes(portfolio, valuation, states, settlement), strict=True
    ):
        position = by_symbol[order.symbol]
        weight_after = after[order.symbol] * position.price * position.fx / valuation.total
        goal = main_goal(order.symbol, mine[order.symbol])
        named = state.name if goal.kind != "instrument" else ""
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
                reason=Reason(code, state.weight, state.target, state.low, state.high, named),
                weight_after=weight_after,
                withheld=order.withheld,
                goal=by_name[goal.name].name if named else "",
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
    places = {(slot.symbol, slot.account): number for number, slot in enumerate(task.slots)}
    placed = set()
    moved = np.zeros(len(task.slots))
    spare = sum(spare_of(task.goals).values(), ZERO)
    for order in settlement.orders:
        fx = rate(portfolio.instruments[order.symbol].currency)
        sign = 1 if order.side == "buy" else -1
        after[order.symbol] += sign * order.quantity * prices[order.symbol]
        gross += sign * order.amount * fx
        paid += (order.cost + order.tax) * fx
        withheld += order.withheld * fx
        account = order.account if portfolio.accounts_declared else portfolio.accounts[0].name
        placed.add((order.symbol, account))
        place = places[order.symbol, account]
        slot, tax = task.slots[place], task.slots[place].tax
        worth = sign * order.quantity * prices[order.symbol]
        moved[place] += float(worth)
        spare += worth if slot.spare else ZERO
        if order.side == "sell" and tax.overseas:
            cost = (prices[order.symbol] - tax.gain) * order.quantity
            gain += (order.amount - order.cost - order.tax) * fx - cost
    paid += sum((c.cost * rate(c.sell) for c in settlement.conversions), ZERO)
    cash = sum((n * rate(c) for purse in settlement.after.values() for c, n in purse.items() if n), ZERO)
    before = sum((n * rate(c) for purse in settlement.before.values() for c, n in purse.items() if n), ZERO)
    groups = [
        limit.weight({s: v / total for s, v in after.items()}) * total for limit in limits_of(portfolio) if limit.group
    ]
    rows = problem.rows
    values = rows.value + rows.traded(moved)
    exact = [float(state.goal.worth(after)) for state in task.goals] + [float(value) for value in groups]
    values[: len(exact)] = exact
    overseas = problem.overseas_rate * max(0.0, float(gain) - problem.allowance)
    objective = (
        rows.hinges.value(values)
        + problem.cash_below.value(np.array([float(cash)]))
        + problem.cash_above.value(np.array([float(before - gross)]))
        + float(paid)
        + problem.tax_weight * float(withheld)
        + overseas
        + problem.order * len(placed)
        + float((problem.slots.dislike * np.maximum(moved, 0.0)).sum())
    )
    leaves = [state for state in task.goals if state.leaf]
    apart = sum(
        (abs(state.target * total - state.goal.worth(after)) for state in leaves),
        abs(portfolio.cash_target * total - cash),
    )
    outside = money_outside(bound, task.goals, after, cash, total, spare)
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


def left_outside(
    portfolio: Portfolio, states: Sequence[GoalState], after: Mapping[str, Decimal], total: Decimal
) -> Iterator[Problem]:
    """Name the goals that end outside their band, with what keeps them there; `after` is the value of each symbol."""
    mode = portfolio.settings.mode
    for state in states:
        weight = state.goal.worth(after) / total
        if state.status not in ("OVER", "UNDER") or state.low <= weight <= state.high:
            continue
        side, blocked = ("above", "buy-only") if weight > state.high else ("below", "sell-only")
        cause = phrase("still-outside.mode", mode=mode) if mode == blocked else phrase(f"still-outside.{side}-cause")
        values = {"weight": weight, "low": state.low, "high": state.high, "cause": cause}
        yield note(f"still-outside.{side}", place("position", symbol=goal_label(state.name)), **values)


def reason_codes(
    portfolio: Portfolio, valuation: Valuation, states: Sequence[GoalState], settlement: Settlement
) -> tuple[tuple[str, GoalState], ...]:
    """Return why every order: a code of `engine.plan.Reason`, and the goal whose figures tell it."""
    mine: dict[str, list[GoalState]] = {}
    for state in states:
        for symbol in state.goal.members:
            mine.setdefault(symbol, []).append(state)
    sold, bought = ({o.symbol for o in settlement.orders if o.side == side} for side in ("sell", "buy"))
    moved = sold & bought
    told = [_explaining(order, mine[order.symbol]) for order in settlement.orders]
    codes = [
        "relocate" if o.symbol in moved else _towards(state, o, portfolio)
        for o, state in zip(settlement.orders, told, strict=True)
    ]
    explained = [order for order, code in zip(settlement.orders, codes, strict=True) if code]
    causes = None if all(codes) else _causes(portfolio, valuation, settlement, explained)
    return tuple(
        (code or (causes.of(order) if causes is not None else "together"), state)
        for order, code, state in zip(settlement.orders, codes, told, strict=True)
    )


def _explaining(order: Order, mine: Sequence[GoalState]) -> GoalState:
    """Return the goal of a symbol that an order brings nearest to its target, for a unit traded; else its main one."""
    leaves = [state for state in mine if state.leaf] or list(mine)
    sign = 1 if order.side == "sell" else -1
    return max(leaves, key=lambda state: (sign * state.drift * state.goal.members[order.symbol] > 0,
                                          sign * state.drift * state.goal.members[order.symbol]))  # fmt: skip


def _towards(state: GoalState, order: Order, portfolio: Portfolio) -> str | None:
    """Return why an order leads towards its goal's target; None for a sale that leads away from it."""
    if state.status == "NO_TARGET":
        return "untargeted"
    account = order.account if portfolio.accounts_declared else portfolio.accounts[0].name
    if (order.symbol, account) in state.spare:
        return "consolidate"
    if order.side == "buy":
        if state.spare:
            return "replace"
        if state.weight > state.target:
            return "together"
        return "under" if state.status == "UNDER" else "below"
    if state.target == 0 and state.leaf:
        return "zero-target"
    if state.weight <= state.target:
        return None
    maximum = state.goal.target.maximum if state.goal.target is not None else None
    if maximum is not None and state.weight > maximum:
        return "limit"
    return "over" if state.status == "OVER" else "above"


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
        worth = {symbol: sum(held.values(), ZERO) for symbol, held in self.after.items()}
        without = _worth(self.valuation, order.symbol, order.quantity)
        worth[order.symbol] = worth.get(order.symbol, ZERO) + without
        return any(
            limit.weight(worth) > limit.maximum * self.valuation.total
            for limit in limits_of(self.portfolio)
            if limit.group and limit.maximum is not None and order.symbol in limit.members
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
