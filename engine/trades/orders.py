"""From whole units to exact money: orders, conversions, and a ledger that reconciles to the won and the cent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from engine.costs.table import charge
from engine.drift import limits_of
from engine.money import ZERO, FxTable, to_unit, unit
from engine.plan import Conversion, Position, Side
from engine.portfolio import Account, Portfolio
from engine.trades.build import Slot, Task, free_quantities, reserve
from engine.trades.problem import Ints
from engine.valuation import Valuation

Ledger = dict[str, dict[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Order:
    """One order in exact money; `account` is a label where no accounts are declared.

    `tax` is the sales tax, `withheld` what is taken of the gain.
    """

    account: str
    symbol: str
    side: Side
    quantity: Decimal
    amount: Decimal
    cost: Decimal
    tax: Decimal
    withheld: Decimal = ZERO


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
            after[slot.account][position.currency] += sign * order.amount - order.cost - order.tax - order.withheld
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

    With declared accounts, the slot's own. Otherwise a purchase goes where most of the symbol is and no lock, and a
    sale comes from as few labels as possible: the smallest that holds enough, else all of the largest and so on.
    """
    if not steps:
        return
    if portfolio.accounts_declared or not position.accounts:
        yield slot.account, steps
        return
    held = sorted(position.accounts.items(), key=lambda row: -row[1])
    locked = {h.account for h in portfolio.holdings if h.symbol == position.symbol and h.locked}
    if steps > 0:
        yield next((name for name, _ in held if name not in locked), slot.account), steps
        return
    wanted = -steps
    whole = dict.fromkeys(dict(held), 0)
    for name, quantity in free_quantities(h for h in portfolio.holdings if h.symbol == position.symbol).items():
        if name in whole:
            whole[name] = int((quantity / slot.step).to_integral_value(ROUND_FLOOR))
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
        least = int(task.problem.slots.minimum_sell[number])
        small = [name for name, steps in parts if -steps < least and (-steps * slot.step != position.accounts[name])]
        if small:
            found.append((number, max(-steps for _, steps in parts)))
    return found


@dataclass(frozen=True, slots=True)
class Excess:
    """By how much orders as they are billed break limits that held, in the base currency; 0 where they keep them.

    `caps` by account's number.
    """

    turnover: Decimal
    groups: Decimal
    caps: Mapping[int, Decimal]

    @property
    def any(self) -> bool:
        """Tell whether any limit is broken."""
        return bool(self.turnover or self.groups or any(self.caps.values()))


def excess_of(
    portfolio: Portfolio, valuation: Valuation, positions: Sequence[Position], settlement: Settlement
) -> Excess:
    """Return by how much orders break a limit that held, the turnover, or an account's risk cap."""
    total, rate = valuation.total, valuation.fx.rate
    before = {p.symbol: p.value for p in positions}
    after = dict(before)
    worth = {p.symbol: p.price * p.fx for p in positions}
    turnover = ZERO
    for order in settlement.orders:
        after[order.symbol] += (order.quantity if order.side == "buy" else -order.quantity) * worth[order.symbol]
        turnover += order.amount * rate(portfolio.instruments[order.symbol].currency)
    most = portfolio.settings.max_turnover
    was, now = ({symbol: value / total for symbol, value in values.items()} for values in (before, after))
    beyond = ZERO
    for limit in limits_of(portfolio):
        if (limit.above(now) and not limit.above(was)) or (limit.below(now) and not limit.below(was)):
            beyond = max(beyond, limit.outside(now) * total)
    return Excess(
        turnover=ZERO if most is None else max(turnover - most * total, ZERO),
        groups=beyond,
        caps={
            number: _over_cap(portfolio, valuation, account, settlement)
            for number, account in enumerate(portfolio.accounts)
            if account.risk_cap is not None
        },
    )


def _over_cap(portfolio: Portfolio, valuation: Valuation, account: Account, settlement: Settlement) -> Decimal:
    """Return by how much an account that buys risk assets ends above its cap."""
    mine = [order for order in settlement.orders if order.account == account.name]
    risky = {symbol for symbol, instrument in portfolio.instruments.items() if instrument.is_risk_asset}
    if account.risk_cap is None or not any(order.side == "buy" and order.symbol in risky for order in mine):
        return ZERO
    held = {symbol: quantities.get(account.name, ZERO) for symbol, quantities in valuation.quantities.items()}
    for order in mine:
        held[order.symbol] += order.quantity if order.side == "buy" else -order.quantity
    values = {
        symbol: quantity * valuation.prices[symbol].price * valuation.fx.rate(valuation.prices[symbol].currency)
        for symbol, quantity in held.items()
        if quantity
    }
    cash = sum((n * valuation.fx.rate(c) for c, n in settlement.after[account.name].items() if n), ZERO)
    total = sum(values.values(), cash)
    at_risk = sum((value for symbol, value in values.items() if symbol in risky), ZERO)
    return max(at_risk - account.risk_cap * total, ZERO)


def _order(position: Position, slot: Slot, account: str, steps: int) -> Order:
    side: Side = "buy" if steps > 0 else "sell"
    quantity = abs(steps) * slot.step
    amount = to_unit(position.price * quantity, position.currency)
    cost, tax = charge(slot.cost, side, quantity, amount, position.currency)
    withheld = ZERO
    if side == "sell" and slot.tax.withheld:
        # Gains are those of exact amounts in the base currency; what is taken of them is in the order's currency.
        paid = (position.price * position.fx - slot.tax.gain) * quantity / position.fx
        withheld = to_unit(slot.tax.withheld * max(amount - cost - tax - paid, ZERO), position.currency)
    return Order(account, position.symbol, side, quantity, amount, cost, tax, withheld)


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
