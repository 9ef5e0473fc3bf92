"""Why each order is proposed: the strongest reason that is true of it stands.

Most orders lead towards a target and need no other cause. A sale of what is at or below its target does: cash that is
lacking beyond what the other sales bring, a cap that would be broken without it, or a purchase that it pays for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.money import ZERO
from engine.plan import Position
from engine.portfolio import Portfolio
from engine.trades.build import reserve
from engine.trades.orders import Order, Settlement
from engine.valuation import Valuation


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
