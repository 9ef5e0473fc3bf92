"""Limits that join several trades: group caps, an instrument's own maximum over accounts, retirement risk caps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from engine.money import ZERO, unit
from engine.plan import Position
from engine.portfolio import Portfolio
from engine.trades.problem import GroupCap, Ints, RiskCap
from engine.valuation import Valuation

if TYPE_CHECKING:
    from engine.trades.build import Slot


#: Solvers keep constraints to about 2e-9 of the total: limits are given to them this much tighter.
_MARGIN = 1 - Decimal("5e-9")


def group_caps(
    portfolio: Portfolio,
    positions: Sequence[Position],
    slots: Sequence[Slot],
    numbers: Ints,
    index: Mapping[str, int],
    total: Decimal,
) -> tuple[GroupCap, ...]:
    """Return the joint bounds of groups and of single instruments, as bounds on what is traded into them.

    A limit that today's weights break is met where trades can meet it; where they cannot (nothing may be sold, or the
    turnover is capped), trades may at least not make it worse.
    """
    values = {p.symbol: p.value for p in positions}
    prices = {p.symbol: p.price * p.fx for p in positions}
    sellable = dict.fromkeys(values, ZERO)
    for slot, row in zip(slots, numbers.tolist(), strict=True):
        sellable[slot.symbol] += -row[0] * slot.step * prices[slot.symbol]
    free = portfolio.settings.max_turnover is None
    return tuple(
        _cap(name, members, least, most, values, sellable if free else {}, index, total)
        for name, members, least, most in _limits(portfolio)
        if any(member in values for member in members)
    )


def _limits(portfolio: Portfolio) -> Iterator[tuple[str, tuple[str, ...], Decimal | None, Decimal | None]]:
    for group in portfolio.groups:
        yield f"group {group.name}", group.members, group.minimum, group.maximum
    for _, target in portfolio.targets():
        if target.maximum is not None or target.minimum is not None:
            yield f"limit of {target.symbol}", (target.symbol,), target.minimum, target.maximum


def _cap(
    name: str,
    members: tuple[str, ...],
    least: Decimal | None,
    most: Decimal | None,
    values: Mapping[str, Decimal],
    sellable: Mapping[str, Decimal],
    index: Mapping[str, int],
    total: Decimal,
) -> GroupCap:
    present = [member for member in members if member in values]
    value = sum((values[member] for member in present), ZERO)
    low, high = -np.inf, np.inf
    if most is not None:
        sold = sum((sellable.get(member, ZERO) for member in present), ZERO)
        high = float(max(most * total * _MARGIN - value, -sold))
    if least is not None and least > 0:
        low = float(min(least * total - value, ZERO))
    return GroupCap(name, np.array([index[member] for member in present], dtype=np.int64), low, high)


def turnover_cap(portfolio: Portfolio, valuation: Valuation, slots: Sequence[Slot]) -> float | None:
    """Return the most that may be traded, so that the amounts as billed keep the setting; None without one."""
    most = portfolio.settings.max_turnover
    if most is None:
        return None
    uneven = [
        slot
        for slot in slots
        if (valuation.prices[slot.symbol].price * slot.step) % unit(portfolio.instruments[slot.symbol].currency)
    ]
    return float(max(most * valuation.total * _MARGIN - _rounding(portfolio, valuation, uneven), ZERO))


def _rounding(portfolio: Portfolio, valuation: Valuation, slots: Sequence[Slot]) -> Decimal:
    """Return what billing in the smallest unit may add to one amount of each slot, in the base currency."""
    currencies = (portfolio.instruments[slot.symbol].currency for slot in slots)
    return sum((unit(currency) * valuation.fx.rate(currency) / 2 for currency in currencies), ZERO)


def risk_caps(portfolio: Portfolio, valuation: Valuation, slots: Sequence[Slot]) -> tuple[RiskCap, ...]:
    """Return the risk cap of every account that has one. Risk assets are all but bonds and cash."""
    found = []
    for place, account in enumerate(portfolio.accounts):
        if account.risk_cap is None:
            continue
        risky = [
            number
            for number, slot in enumerate(slots)
            if slot.account == account.name and portfolio.instruments[slot.symbol].is_risk_asset
        ]
        held, worth = (
            ZERO,
            sum((valuation.fx.rate(c) * amount for c, amount in valuation.cash[account.name].items()), ZERO),
        )
        for symbol, quantities in valuation.quantities.items():
            shares = quantities.get(account.name, ZERO)
            if shares:
                quote = valuation.prices[symbol]
                value = shares * quote.price * valuation.fx.rate(quote.currency)
                worth += value
                held += value if portfolio.instruments[symbol].is_risk_asset else ZERO
        mine = [slot for slot in slots if slot.account == account.name]
        # Its total counts costs and amounts as they are billed, and converting rounds once more.
        spare = (1 - _MARGIN) * valuation.total + account.risk_cap * 3 * _rounding(portfolio, valuation, mine)
        if risky:
            found.append(
                RiskCap(
                    place, np.array(risky, dtype=np.int64), float(account.risk_cap), float(held + spare), float(worth)
                )
            )
    return tuple(found)
