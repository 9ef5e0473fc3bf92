"""From whole units to exact money: orders, conversions, and a ledger that reconciles to the won and the cent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from engine.costs.table import charge
from engine.money import FxTable, to_unit, unit
from engine.plan import Conversion, Position, Side
from engine.portfolio import Portfolio
from engine.trades.build import Slot, Task, reserve
from engine.trades.problem import Ints
from engine.valuation import Valuation

Ledger = dict[str, dict[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Order:
    """Hold one order in exact money; `account` is a label where no accounts are declared."""

    account: str
    symbol: str
    side: Side
    quantity: Decimal
    amount: Decimal
    cost: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Settlement:
    """Hold orders with what they do to the cash. `lacking` is, by pool, what is missing from its reserve."""

    orders: tuple[Order, ...]
    conversions: tuple[Conversion, ...]
    before: Ledger
    after: Ledger
    lacking: Mapping[tuple[str, str], Decimal]


def settle_orders(
    portfolio: Portfolio, valuation: Valuation, positions: Sequence[Position], task: Task, units: Ints
) -> Settlement:
    """Write the orders of a solution, convert where currencies pay for each other, and keep the books."""
    by_symbol = {position.symbol: position for position in positions}
    before: Ledger = {name: dict(purse) for name, purse in valuation.cash.items()}
    after: Ledger = {name: dict(purse) for name, purse in before.items()}
    sales: list[Order] = []
    purchases: list[Order] = []
    for slot, n in zip(task.slots, units.tolist(), strict=True):
        position = by_symbol[slot.symbol]
        for account, steps in split(portfolio, position, slot, n):
            order = _order(position, slot, account, steps)
            sign = -1 if order.side == "buy" else 1
            after[slot.account][position.currency] += sign * order.amount - order.cost - order.tax
            (purchases if order.side == "buy" else sales).append(order)
    conversions = _convert(portfolio, valuation.fx, after) if portfolio.settings.convert_currency else ()
    lacking = {
        (name, currency): short
        for name, purse in after.items()
        for currency, amount in purse.items()
        if (short := reserve(portfolio, name, currency) - amount) > 0
    }
    return Settlement((*sales, *purchases), conversions, before, after, lacking)


def split(portfolio: Portfolio, position: Position, slot: Slot, steps: int) -> Iterator[tuple[str, int]]:
    """Say which account or label a slot's trade goes to.

    With declared accounts, the slot's own. Otherwise a purchase goes where most of the symbol is, and a sale comes
    from as few labels as possible: the smallest that holds enough, else all of the largest and so on.
    """
    if not steps:
        return
    if portfolio.accounts_declared or not position.accounts:
        yield slot.account, steps
        return
    held = sorted(position.accounts.items(), key=lambda row: -row[1])
    if steps > 0:
        yield held[0][0], steps
        return
    wanted = -steps
    whole = {name: int((quantity / slot.step).to_integral_value(ROUND_FLOOR)) for name, quantity in held}
    enough = [name for name, _ in held if whole[name] >= wanted]
    if enough:
        yield enough[-1], steps
        return
    for name, _ in held:
        taken = min(whole[name], wanted)
        if taken:
            yield name, -taken
        wanted -= taken


def undersized(portfolio: Portfolio, positions: Sequence[Position], task: Task, units: Ints) -> list[tuple[int, int]]:
    """Return (slot, steps it may sell at most) for sales whose split over labels breaks the minimum trade."""
    if portfolio.accounts_declared:
        return []
    by_symbol = {position.symbol: position for position in positions}
    found = []
    for number, (slot, n) in enumerate(zip(task.slots, units.tolist(), strict=True)):
        position = by_symbol[slot.symbol]
        parts = list(split(portfolio, position, slot, n)) if n < 0 else []
        if len(parts) < 2:
            continue
        least = int(task.problem.minimum[number])
        small = [name for name, steps in parts if -steps < least and (-steps * slot.step != position.accounts[name])]
        if small:
            found.append((number, max(-steps for _, steps in parts)))
    return found


def _order(position: Position, slot: Slot, account: str, steps: int) -> Order:
    side: Side = "buy" if steps > 0 else "sell"
    quantity = abs(steps) * slot.step
    amount = to_unit(position.price * quantity, position.currency)
    cost, tax = charge(slot.cost, side, quantity, amount, position.currency)
    return Order(account, position.symbol, side, quantity, amount, cost, tax)


def _convert(portfolio: Portfolio, fx: FxTable, after: Ledger) -> tuple[Conversion, ...]:
    """Bring every pool of an account to its reserve from the account's other currencies, largest surplus first."""
    found: list[Conversion] = []
    spread = portfolio.settings.fx_spread
    for name, purse in after.items():
        for currency in list(purse):
            short = reserve(portfolio, name, currency) - purse[currency]
            givers = sorted(
                (c for c in purse if c != currency),
                key=lambda c: (-(purse[c] - reserve(portfolio, name, c)) * fx.rate(c), c),
            )
            for giver in givers:
                spare = purse[giver] - reserve(portfolio, name, giver)
                if short <= 0 or spare <= 0:
                    break
                conversion = _conversion(name, giver, currency, short, spare, fx, spread)
                if conversion.bought <= 0:
                    continue
                purse[giver] -= conversion.amount
                purse[currency] += conversion.bought
                short -= conversion.bought
                found.append(conversion)
    return tuple(found)


def _conversion(
    account: str, giver: str, taker: str, short: Decimal, spare: Decimal, fx: FxTable, spread: Decimal
) -> Conversion:
    """Convert just enough of `giver` to cover what is short in `taker`, or all that can be spared."""
    rate = fx.rate(giver) / fx.rate(taker)
    amount = min(
        (short / rate / (1 - spread)).quantize(unit(giver), ROUND_CEILING), spare.quantize(unit(giver), ROUND_FLOOR)
    )
    while True:
        cost = to_unit(amount * spread, giver)
        bought = ((amount - cost) * rate).quantize(unit(taker), ROUND_FLOOR)
        if bought >= short or amount + unit(giver) > spare:
            return Conversion(account, giver, taker, amount, rate, cost, bought)
        amount += unit(giver)
