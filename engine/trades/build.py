"""Turn a valued portfolio and a rung into the trade problem: slots, rows, costs, pools, limits.

What has to hold exactly (how far each symbol may go, its own limits, minimum trades) is decided here in exact numbers
and handed on as whole steps; only what joins several symbols reaches the solvers as money.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from engine.costs.table import TradeCost, lookup
from engine.costs.tax import GainTax, gain_tax
from engine.drift import WeightLimit, limits_of
from engine.money import ZERO, unit
from engine.plan import Position
from engine.portfolio import FRACTION, Account, Holding, Portfolio, step_of
from engine.trades.problem import (
    OUTSIDE,
    Hinge,
    Ints,
    RiskCap,
    Rows,
    Slots,
    TradeProblem,
    cash_hinges,
    hinges,
    off_edges,
    off_target,
)
from engine.trades.rungs import Kind, Part
from engine.valuation import Valuation

#: More steps than any portfolio trades.
_MANY = 10**15
#: Steps beyond which they are solved as fractions: one of them is nothing beside all of them.
_COUNTED = 10**7


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that may be traded: a symbol in an account (the only account, where none are declared)."""

    symbol: str
    account: str
    step: Decimal
    cost: TradeCost
    tax: GainTax


@dataclass(frozen=True, slots=True)
class Task:
    """A trade problem with what its indices mean, for one rung."""

    kind: Kind
    problem: TradeProblem
    slots: tuple[Slot, ...]
    symbols: tuple[str, ...]
    pools: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HeldSteps:
    """What an account holds of a symbol, in steps: what may be sold, and whether that is all there is of it."""

    free: int
    all: bool
    locked: bool


def reserve(portfolio: Portfolio, account: str, currency: str) -> Decimal:
    """Return the cash that must stay: the account's own buffer or the setting's, in the base currency; else 0."""
    if currency != portfolio.base_currency:
        return ZERO
    own = {a.name: a.cash_buffer for a in portfolio.accounts}[account]
    return portfolio.settings.cash_buffer if own is None else own


def rows_of(portfolio: Portfolio) -> dict[str, list[Holding]]:
    """Return the rows of holdings by symbol."""
    found: dict[str, list[Holding]] = {}
    for holding in portfolio.holdings:
        found.setdefault(holding.symbol, []).append(holding)
    return found


def free_quantities(rows: Iterable[Holding]) -> dict[str, Decimal]:
    """Return what may be sold of a symbol by account or label: its rows that are not locked."""
    free: dict[str, Decimal] = {}
    for holding in rows:
        if not holding.locked:
            free[holding.account] = free.get(holding.account, ZERO) + holding.quantity
    return free


def held_steps(portfolio: Portfolio, symbol: str, rows: Sequence[Holding]) -> dict[str, HeldSteps]:
    """Return, by account, the whole steps that may be sold of a symbol: those of its rows that are not locked.

    Without declared accounts the labels are one account: each label's whole steps add up, since each sells its own.
    """
    step = step_of(portfolio.instruments[symbol], portfolio.settings.fractional)
    free = free_quantities(rows)
    kept = {row.account for row in rows if row.locked}
    found = {}
    for label in dict.fromkeys((*free, *kept)):
        quantity = free.get(label, ZERO)
        steps = int((quantity / step).to_integral_value(ROUND_FLOOR))
        found[label] = HeldSteps(steps, all=steps * step == quantity and label not in kept, locked=label in kept)
    if portfolio.accounts_declared or not found:
        return found
    whole = tuple(found.values())
    # A purchase goes to a label without a lock, where there is one.
    one = HeldSteps(sum(h.free for h in whole), all=all(h.all for h in whole), locked=all(h.locked for h in whole))
    return {portfolio.accounts[0].name: one}


def can_sell(portfolio: Portfolio, position: Position, least: Decimal) -> bool:
    """Tell whether any account may sell a share (or step) of a holding, its minimum trade kept."""
    if portfolio.settings.mode == "buy-only" or position.price <= 0 or position.status in ("LOCKED", "DISABLED"):
        return False
    step = step_of(portfolio.instruments[position.symbol], portfolio.settings.fractional)
    minimum = minimum_steps(least, position, step)
    rows = [holding for holding in portfolio.holdings if holding.symbol == position.symbol]
    held = held_steps(portfolio, position.symbol, rows).values()
    return any(one.free >= (1 if one.all else minimum) for one in held if one.free)


def minimum_steps(least: Decimal, position: Position, step: Decimal) -> int:
    """Return the fewest steps whose amount, as billed in the currency's smallest unit, is worth the minimum trade."""
    billed = (least / position.fx).quantize(unit(position.currency), ROUND_CEILING)
    return max(int((billed / (position.price * step)).to_integral_value(ROUND_CEILING)), 1)


class Builder:
    """A portfolio's trade problems, rung by rung; what does not depend on the rung is worked out once."""

    def __init__(
        self, portfolio: Portfolio, valuation: Valuation, positions: Sequence[Position], as_of: dt.date
    ) -> None:
        self._portfolio, self._valuation, self._positions, self._as_of = portfolio, valuation, positions, as_of
        self._total = valuation.total
        self._weights = {p.symbol: p.weight for p in positions}
        self._limits = tuple(limits_of(portfolio))
        self._rules = {t.symbol: section.rule for section, t in portfolio.targets()}
        disabled = {target.symbol for _, target in portfolio.targets() if not target.enabled}
        tradable = [p for p in positions if p.symbol not in disabled and p.price > 0]
        self._tradable = tradable
        self._steps = {
            p.symbol: step_of(portfolio.instruments[p.symbol], portfolio.settings.fractional) for p in tradable
        }
        self._taxes: dict[tuple[str, str], GainTax] = {}
        self._of = rows_of(portfolio)
        self._held = {p.symbol: held_steps(portfolio, p.symbol, self._of.get(p.symbol, [])) for p in tradable}
        self._costs = {
            p.symbol: lookup(portfolio.instruments[p.symbol], as_of, portfolio.settings.costs, portfolio.residence)
            for p in tradable
        }
        self._pools = tuple((name, currency) for name, purse in valuation.cash.items() for currency in purse)

    def build(self, kind: Kind, parts: Mapping[str, Part]) -> Task:
        """Return the trade problem of a rung."""
        portfolio, valuation, positions = self._portfolio, self._valuation, self._positions
        settings, total, fx = portfolio.settings, self._total, valuation.fx
        symbols = tuple(position.symbol for position in positions)
        index = {symbol: place for place, symbol in enumerate(symbols)}
        edges = self._edges(kind)
        most = self._most_beyond(edges)
        slots: list[Slot] = []
        numbers: list[tuple[int, int, int, int, bool]] = []
        nets = np.zeros((len(symbols), 2), dtype=np.int64)
        for position in self._tradable:
            net = self._net(position, kind, parts[position.symbol], edges.get(position.symbol), most)
            mine = list(self._slots(position, kind, parts[position.symbol], net))
            slots += [slot for slot, _ in mine]
            numbers += [row for _, row in mine]
            reach = sum(row[0] for _, row in mine), sum(row[1] for _, row in mine)
            nets[index[position.symbol]] = max(net[0], reach[0]), min(net[1], reach[1])
        place = {pool: number for number, pool in enumerate(self._pools)}
        by_symbol = {position.symbol: position for position in positions}
        arrays = np.array([row[:4] for row in numbers], dtype=np.int64).reshape(-1, 4)
        rates = np.array(
            [self._slot_rates(slot, row, by_symbol[slot.symbol]) for slot, row in zip(slots, numbers, strict=True)],
            dtype=np.float64,
        ).reshape(-1, 10)
        at = np.array([index[slot.symbol] for slot in slots], dtype=np.int64)
        below, above = cash_hinges(portfolio.cash_target * total, total, selling_only=settings.mode == "sell-only")
        rule = next((slot.tax for slot in slots if slot.tax.overseas), None)
        counted = settings.taxes == "count"
        accounts = {account.name: number for number, account in enumerate(portfolio.accounts)}
        problem = TradeProblem(
            total=float(total),
            slots=Slots(
                symbol=at,
                pool=np.array([place[s.account, by_symbol[s.symbol].currency] for s in slots], dtype=np.int64),
                price=rates[:, 0],
                low=arrays[:, 0],
                high=arrays[:, 1],
                minimum_buy=arrays[:, 2],
                minimum_sell=arrays[:, 3],
                full=np.array([row[4] for row in numbers], dtype=np.bool_),
                continuous=np.array(
                    [
                        slot.step == FRACTION or max(row[1], -row[0]) > _COUNTED
                        for slot, row in zip(slots, numbers, strict=True)
                    ],
                    dtype=np.bool_,
                ),
                buy_rate=rates[:, 1],
                sell_rate=rates[:, 1],
                tax_rate=rates[:, 2],
                fee_minimum=rates[:, 3],
                gain=rates[:, 4],
                withheld=rates[:, 5],
                overseas=rates[:, 6],
                dislike=rates[:, 7],
                slack=rates[:, 8],
                cash_slack=rates[:, 9],
            ),
            rows=self._rows(parts, edges, at, index),
            net_low=nets[:, 0],
            net_high=nets[:, 1],
            cash=np.array([float(valuation.cash[name][c] * fx.rate(c)) for name, c in self._pools]),
            reserve=np.array([float(reserve(portfolio, name, c)) for name, c in self._pools]),
            account=np.array([accounts[name] for name, _ in self._pools], dtype=np.int64),
            cash_below=below,
            cash_above=above,
            order=float(settings.effort * total),
            linked=settings.convert_currency,
            spread=float(settings.fx_spread),
            tax_weight=float(counted),
            overseas_rate=float(rule.overseas_rate) if rule and counted else 0.0,
            allowance=float(rule.allowance) if rule else 0.0,
            turnover=self._turnover(slots),
            risk_caps=self._risk_caps(slots),
            rounding=self._conversion_rounding(slots),
        )
        return Task(kind, problem, tuple(slots), symbols, self._pools)

    def _edges(self, kind: Kind) -> dict[str, tuple[Decimal, Decimal]]:
        """Return the weights between which a symbol is let be, where the destination is an edge; else nothing."""
        destination = self._portfolio.settings.destination
        if destination == "target" or kind not in ("act", "counterparts"):
            return {}
        if destination == "edge":
            return {p.symbol: (p.low, p.high) for p in self._positions}
        return {p.symbol: ((p.target + p.low) / 2, (p.target + p.high) / 2) for p in self._positions}

    def _most_beyond(self, edges: Mapping[str, tuple[Decimal, Decimal]]) -> bool:
        """Tell whether what is over its edge is worth at least what is under brings short: the sign of E.

        E = what the breached have beyond their edges (short of them: negative) + holdings without a target + cash − K.
        """
        excess = self._valuation.cash_value - self._portfolio.cash_target * self._total
        for p in self._positions:
            if p.status == "NO_TARGET":
                excess += p.value
            elif p.status == "OVER" and p.symbol in edges:
                excess += p.value - edges[p.symbol][1] * self._total
            elif p.status == "UNDER" and p.symbol in edges:
                excess -= edges[p.symbol][0] * self._total - p.value
        return excess >= 0

    def _net(
        self,
        p: Position,
        kind: Kind,
        part: Part,
        edges: tuple[Decimal, Decimal] | None,
        most: bool,  # noqa: FBT001
    ) -> tuple[int, int]:
        """Return how many steps a symbol may go down and up, over all accounts.

        Towards its target, past it by no more than the step that crosses it (or a minimum trade, where that is more
        than the way), and never further off than it was; further only to mend a limit or to raise money. With edges,
        what there is more of goes no further than its edge. Limits that hold are kept.
        """
        step = p.price * p.fx * self._steps[p.symbol]
        way = p.target * self._total - p.value
        least = self._least(p, kind)
        low = high = 0
        if way > 0:
            high = min(_crossing(way, step, least[0]), _floor(2 * way / step))
        elif way < 0:
            low = -min(_crossing(-way, step, least[1]), _floor(-2 * way / step))
        if edges is not None and p.target > 0:
            if most and p.status == "OVER":
                low = max(low, -_ceiling((p.value - edges[1] * self._total) / step))
            elif not most and p.status == "UNDER":
                high = min(high, _ceiling((edges[0] * self._total - p.value) / step))
        if kind == "raise":
            low = -_MANY
        for limit in self._limits:
            low, high = self._mending(limit, p, step, (low, high), least)
        for limit in self._limits:
            if p.symbol in limit.members and not limit.group:
                low, high = self._within(limit, p, step, low, high)
        return (low if part.sell else 0), (high if part.buy and p.target > 0 else 0)

    def _mending(
        self, limit: WeightLimit, p: Position, step: Decimal, net: tuple[int, int], least: tuple[int, int]
    ) -> tuple[int, int]:
        """Widen a range as far as mending a broken limit takes (or a minimum trade, where that is more).

        What is in a broken maximum may be sold that far, what is in a broken minimum bought; and sales of anything else
        may pay for that.
        """
        member, (low, high) = p.symbol in limit.members, net
        off = _ceiling(limit.outside(self._weights) * self._total / step)
        if (limit.above(self._weights) and member) or (limit.below(self._weights) and not member):
            low = min(low, -max(off, least[1]))
        elif limit.below(self._weights):
            high = max(high, off, least[0])
        return low, high

    def _within(self, limit: WeightLimit, p: Position, step: Decimal, low: int, high: int) -> tuple[int, int]:
        """Keep an instrument's own limit that holds."""
        if limit.maximum is not None and not limit.above(self._weights):
            high = min(high, max(_floor((limit.maximum * self._total - p.value) / step), 0))
        if limit.minimum is not None and not limit.below(self._weights):
            low = max(low, -max(_floor((p.value - limit.minimum * self._total) / step), 0))
        return low, high

    def _least(self, p: Position, kind: Kind) -> tuple[int, int]:
        """Return the minimum trade in steps, of a purchase and of a sale."""
        rule = self._rules.get(p.symbol, self._portfolio.untargeted_rule)
        least = minimum_steps(rule.min_trade, p, self._steps[p.symbol])
        return (1 if kind == "buy" and not rule.min_trade_given else least), least

    def _slots(
        self, p: Position, kind: Kind, part: Part, net: tuple[int, int]
    ) -> Iterator[tuple[Slot, tuple[int, int, int, int, bool]]]:
        """Yield each slot of a symbol with (low, high, minimum purchase, minimum sale, full) in steps.

        What may be both bought and sold may move between accounts, whatever way it goes over all of them.
        """
        portfolio, instrument = self._portfolio, self._portfolio.instruments[p.symbol]
        least_buy, least_sell = self._least(p, kind)
        held = self._held[p.symbol]
        none = HeldSteps(0, all=False, locked=False)
        free = {account.name: held.get(account.name, none).free if part.sell else 0 for account in portfolio.accounts}
        alone = len(free) == 1
        for account in portfolio.accounts:
            mine = held.get(account.name, none)
            low = -free[account.name]
            if alone:
                low = max(low, net[0])
            high = 0
            if part.buy and account.may_buy(instrument) and not mine.locked:
                high = net[1] + (sum(free.values()) - free[account.name])
            emptied = mine.all and low < 0 and -low == mine.free
            if high < least_buy:
                high = 0
            if low and not emptied and -low < least_sell:
                low = 0
            if low or high:
                tax = self._tax(account, p)
                yield (
                    Slot(p.symbol, account.name, self._steps[p.symbol], self._costs[p.symbol], tax),
                    (low, high, least_buy, least_sell, emptied),
                )

    def _tax(self, account: Account, p: Position) -> GainTax:
        """Return how gains of a symbol in an account are taxed, worked out once."""
        key = p.symbol, account.name
        if key not in self._taxes:
            rows = self._of.get(p.symbol, [])
            self._taxes[key] = gain_tax(self._portfolio, self._valuation.fx, account, p, rows, self._as_of)
        return self._taxes[key]

    def _slot_rates(self, slot: Slot, row: tuple[int, int, int, int, bool], p: Position) -> tuple[float, ...]:
        """Return price, commission, sale tax, ticket minimum, gain, withheld, overseas, dislike and both slacks.

        A capped fee per share is concave; the chord to the largest sale is never above it, so the bound stays a bound.
        """
        cost, price = slot.cost, p.price * p.fx * slot.step
        per_share = cost.per_share_sell_fee
        largest = -row[0] * slot.step
        if cost.per_share_cap is not None and largest and per_share * largest > cost.per_share_cap:
            per_share = cost.per_share_cap / largest
        tax = cost.sell_tax_rate + per_share * p.fx / (p.price * p.fx)
        smallest = unit(p.currency)
        # Rounding saves no more than half a unit of a charge, nor than the charge itself.
        most = max(row[1], -row[0]) * slot.step * p.price
        charged = [max(cost.commission_rate * most, cost.commission_minimum)]
        if largest:
            gain = max(slot.tax.gain, ZERO) / p.fx * largest
            charged += [cost.sell_tax_rate * most, cost.per_share_sell_fee * largest, slot.tax.withheld * gain]
        rounding = sum((min(smallest / 2, charge) for charge in charged), ZERO) * p.fx
        uneven = smallest / 2 * p.fx if (p.price * slot.step) % smallest > 0 else ZERO
        return (
            float(price),
            float(cost.commission_rate),
            float(tax),
            float(cost.commission_minimum * p.fx),
            float(slot.tax.gain * slot.step),
            float(slot.tax.withheld),
            float(slot.tax.overseas),
            0.0,
            float(rounding),
            float(rounding + uneven),
        )

    def _rows(
        self,
        parts: Mapping[str, Part],
        edges: Mapping[str, tuple[Decimal, Decimal]],
        at: Ints,
        index: Mapping[str, int],
    ) -> Rows:
        """Return the rows: every symbol as a goal of one member, then every group with a limit."""
        positions, total = self._positions, self._total
        terms: list[tuple[int, Hinge]] = []
        for row, p in enumerate(positions):
            weight, target = parts[p.symbol].weight, p.target * total
            if p.symbol in edges:
                low, high = (edge * total for edge in edges[p.symbol])
                terms += [(row, hinge) for hinge in off_edges(target, low, high, total, weight)]
            else:
                terms += [(row, hinge) for hinge in off_target(target, total, weight)]
        values = [float(p.value) for p in positions]
        exposed = [(row, slot) for slot, row in enumerate(at.tolist())]
        lows, highs = [-np.inf] * len(positions), [np.inf] * len(positions)
        for limit in self._limits:
            row = index[limit.name] if not limit.group else len(values)
            if limit.group:
                members = {index[m] for m in limit.members if m in index}
                values.append(float(limit.weight(self._weights) * total))
                exposed += [(row, slot) for slot, symbol in enumerate(at.tolist()) if symbol in members]
                lows.append(-np.inf)
                highs.append(np.inf)
            if limit.above(self._weights):
                terms.append((row, (float((limit.maximum or ZERO) * total), 1.0, OUTSIDE)))
            elif limit.group and limit.maximum is not None:
                highs[row] = max(float(limit.maximum * total), values[row])
            if limit.below(self._weights):
                terms.append((row, (float((limit.minimum or ZERO) * total), -1.0, OUTSIDE)))
            elif limit.group and limit.minimum is not None:
                lows[row] = min(float(limit.minimum * total), values[row])
        places = np.array(exposed, dtype=np.int64).reshape(-1, 2)
        return Rows(
            value=np.array(values),
            low=np.array(lows),
            high=np.array(highs),
            at=places[:, 0],
            slot=places[:, 1],
            share=np.ones(len(places)),
            hinges=hinges(terms),
        )

    def _turnover(self, slots: Sequence[Slot]) -> float | None:
        """Return the most that may be traded and keep the setting as it is billed; None without one."""
        most = self._portfolio.settings.max_turnover
        if most is None:
            return None
        return float(most * self._total + self._rounding(slots))

    def _rounding(self, slots: Sequence[Slot]) -> Decimal:
        """Return what billing in the smallest unit may take off the amounts of slots, in the base currency."""
        instruments, prices, fx = self._portfolio.instruments, self._valuation.prices, self._valuation.fx
        found = ZERO
        for slot in slots:
            currency = instruments[slot.symbol].currency
            if (prices[slot.symbol].price * slot.step) % unit(currency):
                found += unit(currency) * fx.rate(currency) / 2
        return found

    def _conversion_rounding(self, slots: Sequence[Slot]) -> float:
        """Return what billing conversions in the smallest unit may save over all accounts, in the base currency."""
        if not self._portfolio.settings.convert_currency:
            return 0.0
        instruments, fx = self._portfolio.instruments, self._valuation.fx
        used = {(slot.account, instruments[slot.symbol].currency) for slot in slots}
        used |= {(name, c) for name, purse in self._valuation.cash.items() for c, amount in purse.items() if amount}
        several = {name for name, c in used if c != fx.base}
        givers = (c for name, c in self._pools if name in several and ((name, c) in used or c == fx.base))
        saved = sum((unit(c) * fx.rate(c) / 2 for c in givers), ZERO)
        # What a conversion saves is no cost, and stays in the cash, where a unit counts 2 at most.
        return float(saved * (3 if self._portfolio.cash_target else 1))

    def _risk_caps(self, slots: Sequence[Slot]) -> tuple[RiskCap, ...]:
        """Return the risk cap of every account that has one. Risk assets are all but bonds and cash."""
        return tuple(
            cap
            for place, account in enumerate(self._portfolio.accounts)
            if (cap := self._risk_cap(place, account, slots))
        )

    def _risk_cap(self, place: int, account: Account, slots: Sequence[Slot]) -> RiskCap | None:
        portfolio, valuation = self._portfolio, self._valuation
        if account.risk_cap is None:
            return None
        risky = [
            number
            for number, slot in enumerate(slots)
            if slot.account == account.name and portfolio.instruments[slot.symbol].is_risk_asset
        ]
        if not risky:
            return None
        held = ZERO
        worth = sum((valuation.fx.rate(c) * amount for c, amount in valuation.cash[account.name].items()), ZERO)
        for symbol, quantities in valuation.quantities.items():
            shares = quantities.get(account.name, ZERO)
            if shares:
                quote = valuation.prices[symbol]
                value = shares * quote.price * valuation.fx.rate(quote.currency)
                worth += value
                held += value if portfolio.instruments[symbol].is_risk_asset else ZERO
        # Costs and amounts as they are billed, and conversions, may come to a few smallest units less.
        smallest = sum((unit(c) * valuation.fx.rate(c) for name, c in self._pools if name == account.name), ZERO)
        spare = account.risk_cap * smallest * (2 * len(risky) + 2)
        return RiskCap(
            place, np.array(risky, dtype=np.int64), float(account.risk_cap), float(held - spare), float(worth)
        )


def _floor(steps: Decimal) -> int:
    return int(steps.to_integral_value(ROUND_FLOOR))


def _ceiling(steps: Decimal) -> int:
    return int(steps.to_integral_value(ROUND_CEILING))


def _crossing(way: Decimal, step: Decimal, least: int) -> int:
    """Return the steps to the target, the one that crosses it included; a minimum trade where that is more."""
    return max(_ceiling(way / step), least if least * step > way else 0)
