"""The sums of a plan that every host shows: the cash line, the cash reconciliation, what is traded in each currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.money import ZERO
from engine.plan import Conversion, Plan, Side, Trade


@dataclass(frozen=True, slots=True)
class CashWeight:
    """Cash before trading, in all currencies together, beside the weight that the targets leave over.

    `value` is in the base currency; `drift` is signed.
    """

    value: Decimal
    weight: Decimal
    target: Decimal
    drift: Decimal


@dataclass(frozen=True, slots=True)
class CashLine:
    """The cash of one currency, reconciled: before + sells − buys − costs + exchanged = after.

    `account` is None for the line over all accounts. `costs` are commissions and taxes on both sides, `exchanged` is
    what conversions bring (+) or take (−). Everything is in `currency`.
    """

    account: str | None
    currency: str
    before: Decimal
    sells: Decimal
    buys: Decimal
    costs: Decimal
    exchanged: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        """Return what is unaccounted for: 0 in every sound plan."""
        return self.before + self.sells - self.buys - self.costs + self.exchanged - self.after


@dataclass(frozen=True, slots=True)
class Traded:
    """The sum of the trades of one side in one currency; `costs` are commissions and taxes."""

    side: Side
    currency: str
    count: int
    amount: Decimal
    costs: Decimal


def cash_weight(plan: Plan) -> CashWeight:
    """Return the value and weight of all cash before trading: what the positions leave of the total."""
    value = plan.total_value - sum((position.value for position in plan.positions), ZERO)
    weight = value / plan.total_value if plan.total_value else ZERO
    target = plan.cash.target_weight
    return CashWeight(value, weight, target, weight - target)


def reconciliation(plan: Plan) -> tuple[CashLine, ...]:
    """Return a line per declared account and currency, then a line per currency over all accounts."""
    cash = plan.cash
    accounts = dict.fromkeys([*cash.accounts_before, *cash.accounts_after])
    lines: list[CashLine] = []
    for account in accounts:
        trades = [trade for trade in plan.trades if trade.account == account]
        conversions = [conversion for conversion in plan.conversions if conversion.account == account]
        before, after = cash.accounts_before.get(account, {}), cash.accounts_after.get(account, {})
        lines.extend(_lines(account, before, after, trades, conversions))
    lines.extend(_lines(None, cash.before, cash.after, plan.trades, plan.conversions))
    return tuple(lines)


def traded(plan: Plan) -> tuple[Traded, ...]:
    """Return count, amount and costs of the trades by side and currency: sells first, the base currency first."""
    found: dict[tuple[Side, str], list[Trade]] = defaultdict(list)
    for trade in plan.trades:
        found[trade.side, trade.currency].append(trade)

    def order(key: tuple[Side, str]) -> tuple[bool, bool, str]:
        side, currency = key
        return side != "sell", currency != plan.base_currency, currency

    return tuple(
        Traded(
            side,
            currency,
            len(found[side, currency]),
            sum((trade.amount for trade in found[side, currency]), ZERO),
            sum((trade.cost + trade.tax for trade in found[side, currency]), ZERO),
        )
        for side, currency in sorted(found, key=order)
    )


def _lines(
    account: str | None,
    before: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
    trades: Iterable[Trade],
    conversions: Iterable[Conversion],
) -> list[CashLine]:
    sells, buys, costs, exchanged = (defaultdict[str, Decimal](Decimal) for _ in range(4))
    for trade in trades:
        (sells if trade.side == "sell" else buys)[trade.currency] += trade.amount
        costs[trade.currency] += trade.cost + trade.tax
    for conversion in conversions:
        exchanged[conversion.sell] -= conversion.amount
        exchanged[conversion.buy] += conversion.bought
    currencies = dict.fromkeys([*before, *after, *sells, *buys, *exchanged])
    return [
        CashLine(
            account,
            currency,
            before.get(currency, ZERO),
            sells[currency],
            buys[currency],
            costs[currency],
            exchanged[currency],
            after.get(currency, ZERO),
        )
        for currency in currencies
    ]
