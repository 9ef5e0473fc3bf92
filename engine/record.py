"""What is held after trades have been done: quantities, average costs and cash, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.errors import InputError, error
from engine.money import ZERO
from engine.plan import Side


@dataclass(frozen=True, slots=True)
class Held:
    """A quantity held and its average cost per unit, None where that is not known."""

    quantity: Decimal = ZERO
    average_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """One order that was done; `amount` and `cost` (commission and tax) are in `currency`."""

    account: str
    symbol: str
    side: Side
    quantity: Decimal
    currency: str
    amount: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One exchange of currency: `amount` of `sell` left the account, `bought` of `buy` arrived."""

    account: str
    sell: str
    amount: Decimal
    buy: str
    bought: Decimal


def held_after(before: Mapping[tuple[str, str], Held], done: Iterable[Done]) -> dict[tuple[str, str], Held]:
    """Return what is held by account and symbol after the orders.

    A purchase averages the cost by quantity, commissions left out; a sale leaves the average as it is. Raises
    InputError with every order that sells more than is held.
    """
    after = dict(before)
    problems = []
    for order in done:
        key = (order.account, order.symbol)
        held = after.get(key, Held())
        if order.side == "buy":
            after[key] = _bought(held, order)
        elif order.quantity > held.quantity:
            where = f"{order.symbol} {order.account}".strip()
            problems.append(error("not-held", where, sold=order.quantity, held=held.quantity))
        else:
            after[key] = replace(held, quantity=held.quantity - order.quantity)
    if problems:
        raise InputError(problems)
    return after


def _bought(held: Held, order: Done) -> Held:
    quantity = held.quantity + order.quantity
    if held.quantity == 0:
        return Held(quantity, order.amount / order.quantity)
    if held.average_cost is None:
        return Held(quantity)
    return Held(quantity, (held.quantity * held.average_cost + order.amount) / quantity)


def cash_flows(done: Iterable[Done], exchanged: Iterable[Exchanged]) -> dict[tuple[str, str], Decimal]:
    """Return what came in (+) or went out (−), by account and currency."""
    flows: dict[tuple[str, str], Decimal] = {}

    def add(account: str, currency: str, amount: Decimal) -> None:
        flows[account, currency] = flows.get((account, currency), ZERO) + amount

    for order in done:
        add(order.account, order.currency, (order.amount if order.side == "sell" else -order.amount) - order.cost)
    for exchange in exchanged:
        add(exchange.account, exchange.sell, -exchange.amount)
        add(exchange.account, exchange.buy, exchange.bought)
    return flows
