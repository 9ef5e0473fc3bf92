"""A policy's run over past closes: event by event, in fractions of shares, or by whoever trades in whole ones.

Between two events nothing is traded, so the value of what is held is one product of closes and units; only the days on
which a schedule, a band, money or a tax calls for something are visited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.backtest.market import Closes, DayCharges, Tariff
from engine.backtest.policy import Policy, Watch
from engine.history import Days, Floats

#: Days looked through at a time for a band that is left: first and most.
_BLOCK, _LARGEST = 64, 2048
#: Rounds that settle what costs take from the money they are charged on: each leaves a hundredth of the last.
_ROUNDS = 8
#: A trade of less than this share of the value is rounding, and no order.
_DUST = 1e-9
#: What a band is left by: not by rounding.
_HAIR = 1e-12
#: What is left is taken as well where it is less than this share of what is asked for.
_REMNANT = 0.01
#: The month in which a Korean resident pays the tax of last year's overseas gains.
_TAX_MONTH = 5

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Deal:
    """What was done on one day: `bought` and `sold` money, orders, costs and taxes, in the base currency.

    `reason`: start, schedule, band, money (came or was taken), tax (of last year's gains was paid).
    """

    row: int
    reason: str
    bought: float
    sold: float
    orders: int
    cost: float
    tax: float


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a policy did: one row per day of the market.

    `value` is after the day's trades; `flows` is the money that came (+) or was taken (−) that day, in the base
    currency; `weights` (cash last) and `drift` are before them. `tax_due` is what is owed after the last day. `used_up`
    is the row of the day on which what was taken left nothing; None where there is money to the end.
    """

    policy: Policy
    days: Days
    value: Floats
    flows: Floats
    weights: Floats
    drift: Floats
    deals: tuple[Deal, ...]
    tax_due: float = 0.0
    used_up: int | None = None


class Trader(Protocol):
    """Whoever holds what a run holds and trades it: in fractions here, or with the engine in whole shares.

    `units` are by symbol, `cash` in the base currency; `trade` changes them and says what was done. `acting` are the
    symbols that go to their targets; None where only money is put to use. `tax_due` is what is owed for a year that
    has ended, `close_year` ends one.
    """

    units: Floats
    cash: float
    tax_due: float

    def trade(self, row: int, reason: str, acting: Mask | None) -> Deal:
        """Trade on a day's closes, and say what was done."""
        ...

    def close_year(self, row: int) -> None:
        """Owe the tax of a year that has ended."""
        ...

    def pay_tax(self) -> float:
        """Take what is owed from the cash, and return it."""
        ...


class Fractions:
    """A trader in fractions of shares: straight to the targets, costs and taxes taken from the money."""

    def __init__(self, market: Closes, targets: Floats, policy: Policy, tariff: Tariff | None) -> None:
        self.units: Floats = np.zeros(len(targets))
        self.cash = 0.0
        self.tax_due = 0.0
        self._left = 0.0
        self._worth, self._targets, self._policy, self._tariff = market.worth, targets, policy, tariff
        self._basis: Floats = np.zeros(len(targets))
        self._gains = 0.0
        foreign = [currency for currency in dict.fromkeys(market.currencies) if currency != market.base]
        self._foreign = np.array([[one == currency for one in market.currencies] for currency in foreign], dtype=float)
        widths = [bands_of(watch, market.symbols, targets) for watch in policy.watches]
        self._widths = np.min(widths, axis=0) if widths else np.full(len(targets), np.inf)

    def trade(self, row: int, reason: str, acting: Mask | None) -> Deal:
        """Trade on a day's closes; what came in is in the cash already."""
        prices = self._worth[row]
        held = prices * self.units
        total = float(prices.dot(self.units)) + self.cash
        if acting is None:
            wanted, fixed = self._with_money(held, total), None
        else:
            wanted, fixed = self._to_targets(held, total, acting), total
        cost = tax = 0.0
        if self._tariff is not None:
            charges = self._tariff.charges(row)
            if not charges.free:
                wanted, cost, tax = self._settled(wanted, held, charges, prices, fixed)
            self._count(wanted - held, held, charges)
        moved = wanted - held
        size = np.abs(moved)
        net, gross = float(moved.sum()), float(size.sum())
        self.cash += -net - cost - tax
        self.units = wanted / prices
        self._left = self.cash
        orders = int(np.count_nonzero(size > _DUST * total))
        return Deal(row, reason, 0.5 * (gross + net), 0.5 * (gross - net), orders, cost, tax)

    def close_year(self, row: int) -> None:
        """Owe the tax of the year's overseas gains above the allowance."""
        charges = self._tariff.charges(row) if self._tariff else None
        if charges is not None and charges.overseas:
            self.tax_due += max(self._gains - charges.allowance, 0.0) * charges.overseas
        self._gains = 0.0

    def pay_tax(self) -> float:
        """Take what is owed from the cash, and return it."""
        paid, self.tax_due = self.tax_due, 0.0
        self.cash -= paid
        return paid

    def _to_targets(self, held: Floats, total: float, acting: Mask) -> Floats:
        """Return what those that act go to; the others give or take what is left, in proportion."""
        aims = self._targets * total
        if self._policy.destination == "half":
            off = held - aims
            edge = 0.5 * self._widths * total
            outside = np.abs(off) > self._widths * total * (1 + _HAIR)
            if not outside.any():
                return aims if not held.any() else held
            aims = np.where(outside, aims + np.sign(off) * edge, held)
            acting = outside
        if acting.all():
            return aims
        rest = float(self._targets.sum()) * total - float(aims[acting].sum())
        others = float(held[~acting].sum())
        scale = rest / others if others > 0 else 0.0
        return np.where(acting, aims, held * max(scale, 0.0))

    def _with_money(self, held: Floats, total: float) -> Floats:
        """Return what is held after money came or was taken: spread over the targets, or where it is needed most.

        Cash is one of the targets, and takes its part.
        """
        money, invested = self.cash - self._left, float(self._targets.sum())
        if abs(money) <= _DUST * total:
            return held
        if self._policy.money == "needed":
            aims = np.append(self._targets, max(1.0 - invested, 0.0))
            return levelled(np.append(held, self._left), aims, total, buy=money > 0)[:-1]
        if money > 0:
            return held + self._targets * money
        worth = float(held.sum()) + self._left
        return held * max(1 + money / worth, 0.0) if worth > 0 else held

    def _settled(
        self, wanted: Floats, held: Floats, charges: DayCharges, prices: Floats, total: float | None
    ) -> tuple[Floats, float, float]:
        """Return what is held once costs are paid, the costs and the taxes withheld.

        Where all goes to the targets these shrink with the value; else what is bought shrinks by what it costs.
        """
        shape = wanted
        cost = tax = 0.0
        for _ in range(_ROUNDS):
            cost, tax = self._bill(shape - held, held, charges, prices)
            taken = cost + tax
            if total is not None:
                shape = wanted * ((total - taken) / total) if total > 0 else wanted
                continue
            moved = wanted - held
            bought = float(moved[moved > 0].sum())
            if bought > 0:
                shape = held + np.where(moved > 0, moved * max(1 - taken / bought, 0.0), moved)
            else:
                sold = -float(moved.sum())
                shape = held + moved * ((sold + taken) / sold) if sold > 0 else held
                shape = np.maximum(shape, 0.0)
        return shape, cost, tax

    def _bill(self, moved: Floats, held: Floats, charges: DayCharges, prices: Floats) -> tuple[float, float]:
        size = np.abs(moved)
        sales = np.maximum(-moved, 0.0)
        traded = size > 0
        commission = np.where(traded, np.maximum(charges.commission * size, charges.minimum), 0.0)
        cost = float(commission.sum()) + float((charges.per_share * sales / prices).sum())
        if charges.spread and len(self._foreign):
            cost += charges.spread * float(np.abs(self._foreign @ moved).sum())
        share = np.divide(sales, held, out=np.zeros_like(held), where=held > 0)
        gains = np.maximum(share * (held - self._basis), 0.0)
        tax = float((charges.sell_tax * sales).sum()) + float((charges.withheld * gains).sum())
        return cost, tax

    def _count(self, moved: Floats, held: Floats, charges: DayCharges) -> None:
        """Keep the cost of what is held, and the year's overseas gains."""
        if self._tariff is None or not self._tariff.taxed:
            return
        sales = np.maximum(-moved, 0.0)
        share = np.divide(sales, held, out=np.zeros_like(held), where=held > 0)
        gains = share * (held - self._basis) - sales * (charges.commission + charges.sell_tax)
        self._gains += float(gains[self._tariff.overseas].sum())
        self._basis = self._basis * (1 - share) + np.maximum(moved, 0.0)


def levelled(held: Floats, targets: Floats, total: float, *, buy: bool) -> Floats:
    """Return purchases (or sales) alone that come to a total with the least Σ(x − T)²/T: lowest relative value first.

    All that is touched ends at one multiple of its target, as water finds its level.
    """
    live = targets > 0
    ratio = np.where(live, held / np.where(live, targets, 1.0), np.inf)
    order = np.argsort(ratio if buy else np.where(live, -ratio, -np.inf), kind="stable")
    if not buy:
        stubs = float(held[~live].sum())
        fixed = float(held[live].sum())
        if total <= fixed:  # what is not wanted goes first
            out = np.where(live, held, 0.0)
        else:
            return np.where(live, held, held * ((total - fixed) / stubs if stubs > 0 else 0.0))
        held, order = out, order[live[order]]
    else:
        order = order[live[order]]
    # The level at which the first k of the order come to the total, the others staying where they are.
    sizes, shares = np.cumsum(held[order]), np.cumsum(targets[order])
    rest = float(held.sum()) - sizes
    levels = (total - rest) / shares
    ahead = np.append(ratio[order][1:], np.inf if buy else -np.inf)
    fits = levels <= ahead if buy else levels >= ahead
    level = float(levels[int(np.argmax(fits))])
    aims = np.maximum(level, 0.0) * targets
    return np.where(live, np.maximum(held, aims) if buy else np.minimum(held, aims), held)


def bands_of(watch: Watch, symbols: Sequence[str], targets: Floats) -> Floats:
    """Return how far each weight may be from its target, infinity where the watch does not look at it."""
    widths = np.full(len(targets), np.inf)
    if watch.absolute is not None:
        widths = np.minimum(widths, watch.absolute)
    relative = np.array([watch.relatives.get(symbol, watch.relative or np.inf) for symbol in symbols])
    widths = np.minimum(widths, np.where(targets > 0, relative * targets, np.inf))
    if watch.symbols is not None:
        widths = np.where(members(watch, symbols), widths, np.inf)
    return widths


def members(watch: Watch, symbols: Sequence[str]) -> Mask:
    """Return which symbols a watch is about."""
    if watch.symbols is None:
        return np.ones(len(symbols), dtype=bool)
    return np.array([symbol in watch.symbols for symbol in symbols], dtype=bool)


def period_starts(days: Days) -> tuple[Mask, Mask, NDArray[np.int64]]:
    """Return which days are the first of trading of their month and of their week, and each day's month (1 to 12)."""
    months = days.astype("datetime64[M]").astype(np.int64)
    weeks = (days.astype(np.int64) + 3) // 7  # weeks begin on Mondays; 1 January 1970 was a Thursday
    first_of_month, first_of_week = np.zeros(len(days), dtype=bool), np.zeros(len(days), dtype=bool)
    first_of_month[1:] = months[1:] != months[:-1]
    first_of_week[1:] = weeks[1:] != weeks[:-1]
    return first_of_month, first_of_week, months % 12 + 1


def simulate(
    market: Closes, targets: Floats, policy: Policy, flows: Floats, trader: Trader, tariff: Tariff | None = None
) -> Run:
    """Return what a policy did with money that came and went on each day of a market.

    `targets` are weights by symbol, of the whole; `flows` (one per day, the first the money to begin with) are in the
    base currency. The first day buys the targets. Where more is to be taken than there is, what there is is taken, and
    that is the end. Dividends paid out wait in the cash until something is traded, which the first day of each month
    does where there are any.
    """
    flows, used_up = flows.copy(), None
    course = _Course(market, targets, policy, flows, tariff)
    trader.cash = float(flows[0])
    deals = [trader.trade(0, "start", np.ones(len(targets), dtype=bool))]
    at, cash, units = [0], [trader.cash], [trader.units]
    row = asleep = 0
    while row < len(market) - 1:
        since = row
        row, acting, reason = course.after(row, asleep, trader)
        if row >= len(market):
            break
        trader.cash += course.earned(since, row, trader.units)
        there = float(market.worth[row] @ trader.units) + trader.cash
        if there + float(flows[row]) < -_REMNANT * float(flows[row]):
            orders = int(np.count_nonzero(trader.units))
            deals.append(Deal(row, "money", 0.0, there - trader.cash, orders, 0.0, 0.0))
            flows[row], flows[row + 1 :], used_up = -max(there, 0.0), 0.0, row
            trader.cash, trader.units = 0.0, np.zeros(len(targets))
            at, cash, units = [*at, row], [*cash, 0.0], [*units, trader.units]
            break
        trader.cash += float(flows[row])
        paid = 0.0
        if course.turns[row]:
            trader.close_year(row - 1)
        if course.tax_days[row]:
            paid = trader.pay_tax()
            reason = reason or ("tax" if paid else "")
        if reason:
            deal = trader.trade(row, reason, acting)
            deals.append(replace(deal, tax=deal.tax + paid))
            # What cannot be brought back today cannot tomorrow: it is looked at again next month.
            asleep = course.next_month(row) if reason == "band" and not deal.orders else row
        at.append(row)
        cash.append(trader.cash)
        units.append(trader.units)
    if course.taxed:
        trader.close_year((len(market) if used_up is None else used_up) - 1)
    run = _run(policy, market, course.income, targets, flows, at, cash, units, deals, trader.tax_due)
    return replace(run, used_up=used_up)


class _Course:
    """The days of a run that call for something, and the bands that may be left between them."""

    def __init__(self, market: Closes, targets: Floats, policy: Policy, flows: Floats, tariff: Tariff | None) -> None:
        self._worth, self._targets, self._rows = market.worth, targets, len(market)
        self._opens, self._weeks, self._months = period_starts(market.days)
        self._whose = [members(one, market.symbols) for one in policy.watches]
        #: Days on which what a watch is about trades whatever its weights.
        self._fixed = [
            self._days(one.due, weekly=one.due_weekly) if one.banded else self._days(one.months, weekly=one.weekly)
            for one in policy.watches
        ]
        #: Where there is a band: its number, its widths, and the days on which it is looked at (None: all).
        self._bands = [
            (
                number,
                bands_of(one, market.symbols, targets) + _HAIR,
                self._days(one.months, weekly=one.weekly) if one.months or one.weekly else None,
            )
            for number, one in enumerate(policy.watches)
            if one.banded
        ]
        #: What one share was paid until each day, after tax; None where closes hold the dividends.
        self.income: Floats | None = None
        self._money = flows != 0
        self._money[0] = False
        if market.dividends is not None:
            left = 1 - tariff.charges(0).dividend if tariff else 1.0
            self.income = np.cumsum(market.dividends * left, axis=0)
            self._money |= self._opens
        self.taxed = tariff is not None and tariff.taxed
        self.turns = self._opens & (self._months == 1) & self.taxed
        self.tax_days = self._opens & (self._months == _TAX_MONTH) & self.taxed
        visits = self._money | self.tax_days | self.turns
        for days in self._fixed:
            visits = visits | days
        self._stops = np.append(np.flatnonzero(visits), self._rows)

    def _days(self, months: frozenset[int], *, weekly: bool) -> Mask:
        return self._weeks if weekly else self._opens & np.isin(self._months, list(months))

    def next_month(self, row: int) -> int:
        """Return the first day of trading of the next month; one after the last day where there is none."""
        later = np.flatnonzero(self._opens[row + 1 :])
        return row + 1 + int(later[0]) if len(later) else self._rows

    def earned(self, since: int, row: int, units: Floats) -> float:
        """Return the dividends that units were paid after one day up to another."""
        return 0.0 if self.income is None else float((self.income[row] - self.income[since]) @ units)

    def after(self, row: int, asleep: int, trader: Trader) -> tuple[int, Mask | None, str]:
        """Return the next day to visit, who goes to the targets then, and why; bands rest until `asleep`."""
        stop = int(self._stops[np.searchsorted(self._stops, row, "right")])
        found, acting = self._leaves(row, max(row, asleep) + 1, min(stop, self._rows - 1), trader)
        row = stop if found is None else found
        if row >= self._rows:
            return row, None, ""
        reason = "money" if self._money[row] else ""
        if acting is not None:
            reason = "band"
        for whose, days in zip(self._whose, self._fixed, strict=True):
            if days[row]:
                acting, reason = whose if acting is None else acting | whose, "schedule"
        return row, acting, reason

    def _leaves(self, row: int, first: int, stop: int, trader: Trader) -> tuple[int | None, Mask | None]:
        """Return the first day up to `stop` on which a weight is outside a band that is looked at, and who acts."""
        block = _BLOCK
        while self._bands and first <= stop:
            last = min(first + block, stop + 1)
            off = self._off(row, first, last, trader)
            earliest = last
            acting: Mask | None = None
            for number, widths, days in self._bands:
                outside: Mask = np.any(off > widths, axis=1)
                if days is not None:
                    outside &= days[first:last]
                at = int(outside.argmax())
                if outside[at] and first + at <= earliest:
                    whose = self._whose[number]
                    acting = whose if acting is None or first + at < earliest else acting | whose
                    earliest = first + at
            if acting is not None:
                return earliest, acting
            first, block = last, min(block * 2, _LARGEST)
        return None, None

    def _off(self, row: int, first: int, last: int, trader: Trader) -> Floats:
        """Return how far each weight is from its target on some days, untouched since `row`."""
        worth = self._worth[first:last]
        total = worth.dot(trader.units) + trader.cash
        if self.income is not None:
            total = total + (self.income[first:last] - self.income[row]) @ trader.units
        off = worth * trader.units
        off /= total[:, None]
        off -= self._targets
        return np.abs(off, out=off)


def _run(
    policy: Policy,
    market: Closes,
    income: Floats | None,
    targets: Floats,
    flows: Floats,
    at: Sequence[int],
    cash: Sequence[float],
    units: Sequence[Floats],
    deals: Sequence[Deal],
    tax_due: float,
) -> Run:
    """Return the run as arrays: what was held between the events, valued on every day."""
    worth = market.worth
    events, every = np.array(at), np.array(units)
    money = np.array(cash)
    days = np.arange(len(market))
    after = np.searchsorted(events, days, "right") - 1
    before = np.maximum(np.searchsorted(events, days, "left") - 1, 0)
    idle, earlier = money[after], money[before]
    if income is not None:
        gathered = np.einsum("ij,ij->i", income - income[events[after]], every[after])
        idle = idle + gathered
        earlier = earlier + np.einsum("ij,ij->i", income - income[events[before]], every[before])
    value = np.einsum("ij,ij->i", worth, every[after]) + idle
    weights = np.empty((len(market), len(targets) + 1))
    np.multiply(worth, every[before], out=weights[:, :-1])
    weights[:, -1] = earlier
    total = weights.sum(axis=1)
    weights /= np.where(total > 0, total, 1.0)[:, None]
    aims = np.append(targets, max(1.0 - float(targets.sum()), 0.0))
    drift = 0.5 * np.abs(weights - aims).sum(axis=1)
    drift[0] = 0.0
    drift[total <= 0] = 0.0
    return Run(policy, market.days, value, flows, weights, drift, tuple(deals), tax_due)
