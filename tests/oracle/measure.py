"""What given orders cost, how they count on a rung, and which of its rules they break."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tests.oracle.reading import (
    BROKEN,
    DIGITS,
    EPS,
    OVERSEAS,
    PREFERENCE,
    WITHHELD,
    Case,
    Rung,
    Slot,
    brackets,
    conversion,
    to_unit,
    worth,
)

#: Orders by slot index: lots bought (above 0) or sold (below 0).
Orders = Mapping[int, float]
#: Whether commissions, fees and taxes of the sale lower its gain.
GAIN_NET_OF_COSTS = True
#: Money within which a rule still holds, as a share of the total value.
SLACK = 2e-9
#: Lots within which the rule on orders still holds (fractions).
NET_SLACK = 1e-5


@dataclass(frozen=True)
class Bill:
    """What one order comes to: `change` of the cash in its currency, all else in the base currency."""

    change: float
    amount: float
    commission: float
    sale_tax: float
    withheld: float
    gain: float  # overseas, for the year's tax

    @property
    def leaves(self) -> float:
        return self.commission + self.sale_tax + self.withheld


def bill(case: Case, slot: Slot, lots: float, *, exact: bool) -> Bill:
    """Return what buying (above 0) or selling lots comes to; `exact` rounds each charge to the smallest unit."""
    asset = case.assets[slot.asset]
    size = Decimal(repr(abs(lots)))
    if not lots:
        return Bill(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    def paid(amount: Decimal) -> Decimal:
        return to_unit(amount, asset.currency) if exact else amount

    amount = paid(size * asset.price)
    commission = paid(max(asset.fee, asset.commission * amount))
    if lots > 0:
        return Bill(-float(amount + commission), float(amount * asset.fx), float(commission * asset.fx), 0.0, 0.0, 0.0)
    tax = paid(asset.sell_tax * amount)
    gain = Decimal(0)
    if slot.average is not None and asset.taxed and case.taxes != "none":
        gain = amount * asset.fx - slot.average * size
        if GAIN_NET_OF_COSTS:
            gain -= (commission + tax) * asset.fx
    withheld = paid(WITHHELD * max(gain, Decimal(0)) / asset.fx) if asset.taxed == "dividend" else Decimal(0)
    return Bill(
        float(amount - commission - tax - withheld),
        float(amount * asset.fx),
        float(commission * asset.fx),
        float(tax * asset.fx),
        float(withheld * asset.fx),
        float(gain) if asset.taxed == "overseas" else 0.0,
    )


@dataclass(frozen=True)
class Outcome:
    """How orders count on a rung: the objective, what stays outside, and the rules they break."""

    objective: float
    outside: float
    cash: float
    values: tuple[float, ...]
    orders: int
    tax: float
    turnover: float
    faults: tuple[str, ...]


def measure(case: Case, rung: Rung, orders: Orders, *, exact: bool = True, slack: float = 0.0) -> Outcome:
    """Return the outcome of orders, with the conversions they need and no others.

    `slack` is what each currency of each account may lack, in its smallest units.
    """
    bills = {s: bill(case, case.slots[s], lots, exact=exact) for s, lots in orders.items() if lots}
    values = [asset.value for asset in case.assets]
    for s, lots in orders.items():
        values[case.slots[s].asset] += lots * case.assets[case.slots[s].asset].step
    spreads, faults = _conversions(case, bills, slack)
    spread = math.fsum(spreads)
    faults += [fault for s, lots in orders.items() for fault in _order_faults(case, rung, s, lots)]
    faults += [*_risk_faults(case, orders, bills, spreads), *_net_faults(case, rung, orders)]
    excess = [limit.excess(values) for limit in case.limits]
    broken = math.fsum(max(e, 0.0) for e, limit in zip(excess, case.limits, strict=True) if limit.broken)
    for e, limit in zip(excess, case.limits, strict=True):
        if not limit.broken and e > SLACK * case.total:
            faults.append(f"limit of {[case.assets[m].symbol for m in limit.exposures]}")
    turnover = math.fsum(one.amount for one in bills.values())
    if case.turnover is not None and turnover > case.turnover + SLACK * case.total:
        faults.append("turnover")

    left = math.fsum(one.leaves for one in bills.values()) + spread
    cash = (
        case.cash + math.fsum(b.change * float(case.assets[case.slots[s].asset].fx) for s, b in bills.items()) - spread
    )
    withheld = math.fsum(one.withheld for one in bills.values())
    due = float(OVERSEAS) * max(math.fsum(one.gain for one in bills.values()) - case.allowance, 0.0)
    counted = left - (0.0 if case.taxes == "count" else withheld) + (due if case.taxes == "count" else 0.0)
    held = [worth(goal, values) for goal in case.goals]
    deviation = math.fsum(
        term.coefficient * brackets(max(held[g] - term.high, term.low - held[g], 0.0), term.scale)
        for g, terms in enumerate(rung.terms)
        for term in terms
    ) + math.fsum(stub * value for stub, value in zip(rung.stubs, held, strict=True))
    spare = left_over(case, orders)
    placed = math.fsum(case.slots[s].rank * b.amount for s, b in bills.items() if orders[s] > 0)
    counted += rung.spare * spare + PREFERENCE * placed
    idle = brackets(max(case.cash_target - cash, 0.0), case.cash_scale)
    idle += brackets(max(cash + left - case.cash_target, 0.0), case.cash_scale, rung.idle_cap)
    objective = (deviation + idle + BROKEN * broken + counted + case.effort * len(bills)) / case.total
    sale_tax = math.fsum(one.sale_tax for one in bills.values())
    tax = sale_tax + (withheld + due if case.taxes != "none" else 0.0)
    outside = case.outside(values, spare, cash)
    return Outcome(objective, outside, cash, tuple(values), len(bills), tax, turnover, tuple(faults))


def left_over(case: Case, orders: Orders) -> float:
    """Return the money that orders leave of what is to be consolidated."""
    slots = ((s, slot) for s, slot in enumerate(case.slots) if slot.spare)
    return math.fsum(slot.spare + orders.get(s, 0.0) * case.assets[slot.asset].step for s, slot in slots)


def _conversions(case: Case, bills: Mapping[int, Bill], slack: float) -> tuple[list[float], list[str]]:
    """Return what the conversions of each account cost, and the accounts that cannot pay."""
    spreads, faults = [], []
    for number, purse in enumerate(case.purses):
        change: dict[str, float] = {}
        for s, one in bills.items():
            if case.slots[s].account == number:
                currency = case.assets[case.slots[s].asset].currency
                change[currency] = change.get(currency, 0.0) + one.change
        money = conversion(case, purse, change, slack)
        if money is None:
            faults.append(f"cash of {purse.name!r}")
        spreads.append(case.spread * (money or 0.0))
    return spreads, faults


def _risk_faults(case: Case, orders: Orders, bills: Mapping[int, Bill], spreads: list[float]) -> list[str]:
    faults = []
    for number, purse in enumerate(case.purses):
        here = [
            (lots, case.assets[case.slots[s].asset])
            for s, lots in orders.items()
            if case.slots[s].account == number and case.assets[case.slots[s].asset].risk
        ]
        risk = purse.risk + sum(lots * asset.step for lots, asset in here)
        bought = any(lots > 0 for lots, _ in here)
        left = spreads[number] + sum(one.leaves for s, one in bills.items() if case.slots[s].account == number)
        most = math.inf if purse.risk_cap is None else purse.risk_cap * (purse.value - left)
        if bought and risk > most + SLACK * case.total:
            faults.append(f"risk cap of {purse.name}")
    return faults


def _net_faults(case: Case, rung: Rung, orders: Orders) -> list[str]:
    faults = []
    for g, reach in enumerate(rung.reaches):
        if reach is None:
            continue
        goal, moved = case.goals[g], case.moved(g, orders)
        mine = [(s, lots) for s, lots in orders.items() if case.slots[s].asset in goal.exposures and lots]
        mine = [(case.slots[s].asset, lots) for s, lots in mine if not case.slots[s].spare]
        low = max((reach.down[m] for m, lots in mine if lots < 0), default=0.0)
        high = max((reach.up[m] for m, lots in mine if lots > 0), default=0.0)
        net: dict[int, float] = {}
        for m, lots in mine:
            net[m] = net.get(m, 0.0) + lots
        for m, lots in net.items():
            if (lots < -EPS and not reach.down[m]) or (lots > EPS and not reach.up[m]):
                faults.append(f"{case.assets[m].symbol} of {goal.name} by {lots:g} lots, against its direction")
        # An amount below a minimum by less than its smallest unit asks for a little more of a share.
        parts = [case.assets[m] for m, _ in mine if not case.assets[m].whole]
        slack = 1e-10 * case.total
        slack += max((NET_SLACK * a.step + 2 * 10.0 ** -DIGITS[a.currency] * float(a.fx) for a in parts), default=0.0)
        if not -low - slack <= moved <= high + slack:
            faults.append(f"{goal.name} by {moved:g}, may {-low:g} to {high:g}")
    return faults


def _order_faults(case: Case, rung: Rung, s: int, lots: float) -> list[str]:
    slot = case.slots[s]
    asset, i = case.assets[slot.asset], slot.asset
    name = f"{asset.symbol} in {case.purses[slot.account].name!r}"
    amount = abs(lots) * asset.step
    found = []
    if asset.whole and abs(lots - round(lots)) > EPS:
        found.append(f"part of a lot: {name}")
    if lots < 0:
        if not rung.sells[s]:
            found.append(f"sale not allowed: {name}")
        if -lots > slot.sellable + EPS:
            found.append(f"sale of more than is held: {name}")
        if amount < rung.min_sell[i] - SLACK * case.total and -lots < slot.sellable - EPS:
            found.append(f"sale below the minimum: {name}")
    elif lots > 0:
        if not rung.buys[s]:
            found.append(f"purchase not allowed: {name}")
        if amount < rung.min_buy[i] - SLACK * case.total:
            found.append(f"purchase below the minimum: {name}")
    return found
