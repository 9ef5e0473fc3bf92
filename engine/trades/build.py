"""Turn a valued portfolio and a rung into the trade problem: slots, rows, costs, pools, limits.

What has to hold exactly (how far each symbol may go, its own limits, minimum trades) is decided here in exact numbers
and handed on as whole steps; only what joins several symbols reaches the solvers as money.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from engine.costs.placement import ranks
from engine.costs.table import TradeCost, lookup
from engine.costs.tax import GainTax, gain_tax
from engine.drift import WeightLimit, limits_of
from engine.goals import buyable, joined, main_goal, simple
from engine.money import ZERO, unit
from engine.plan import GoalState, Position, spare_of
from engine.portfolio import FRACTION, Account, Holding, Portfolio, step_of
from engine.trades.problem import (
    DISLIKE,
    OUTSIDE,
    UNWANTED,
    Hinge,
    Reach,
    RiskCap,
    Rows,
    Slots,
    TradeProblem,
    cash_hinges,
    hinges,
    off_edges,
    off_target,
)
from engine.trades.rungs import Kind, Part, Parts
from engine.valuation import Valuation

#: More steps than any portfolio trades.
_MANY = 10**15
ONE = Decimal(1)
#: Money, of the total, that two values have to be apart to be different ones.
_HAIR = Decimal("1e-9")
#: Steps beyond which they are solved as fractions: one of them is nothing beside all of them.
_COUNTED = 10**7


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that may be traded: a symbol in an account (the only account, where none are declared).

    `spare`: it is to be consolidated, and sold whatever way its goal goes.
    """

    symbol: str
    account: str
    step: Decimal
    cost: TradeCost
    tax: GainTax
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A trade problem with what its indices mean, for one rung.

    Rows are first the goals, in order, then the groups with a limit, then what is to be consolidated by slot, and the
    ways of goals of several members. `kept` are the rows (with the name of goal or group) that a limit bounds.
    """

    kind: Kind
    problem: TradeProblem
    slots: tuple[Slot, ...]
    goals: tuple[GoalState, ...]
    pools: tuple[tuple[str, str], ...]
    kept: Mapping[int, str]


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


def unwanted_goes(portfolio: Portfolio, states: Sequence[GoalState], positions: Sequence[Position]) -> bool:
    """Tell whether a share can be sold of what has no target, or of what is to be consolidated."""
    least = portfolio.untargeted_rule.min_trade
    if any(can_sell(portfolio, p, least) for p in positions if p.status == "NO_TARGET"):
        return True
    by_symbol = {p.symbol: p for p in positions}
    for (symbol, _), worth in spare_of(states).items() if portfolio.settings.mode != "buy-only" else ():
        p, step = by_symbol[symbol], step_of(portfolio.instruments[symbol], portfolio.settings.fractional)
        if p.status not in ("LOCKED", "DISABLED") and worth >= p.price * p.fx * step > 0:
            return True
    return False


def minimum_steps(least: Decimal, position: Position, step: Decimal) -> int:
    """Return the fewest steps whose amount, as billed in the currency's smallest unit, is worth the minimum trade."""
    billed = (least / position.fx).quantize(unit(position.currency), ROUND_CEILING)
    return max(int((billed / (position.price * step)).to_integral_value(ROUND_CEILING)), 1)


class Builder:
    """A portfolio's trade problems, rung by rung; what does not depend on the rung is worked out once."""

    def __init__(
        self,
        portfolio: Portfolio,
        valuation: Valuation,
        states: Sequence[GoalState],
        positions: Sequence[Position],
        as_of: dt.date,
    ) -> None:
        self._portfolio, self._valuation, self._positions, self._as_of = portfolio, valuation, positions, as_of
        self._states = tuple(states)
        self._total = valuation.total
        self._weights = {p.symbol: p.weight for p in positions}
        self._limits = tuple(limits_of(portfolio))
        self._mine: dict[str, list[GoalState]] = {}
        for state in states:
            for symbol in state.goal.members:
                self._mine.setdefault(symbol, []).append(state)
        rules = {section.name: section.rule for section in portfolio.sections}
        main = {symbol: main_goal(symbol, [one.goal for one in mine]) for symbol, mine in self._mine.items()}
        self._rules = {s: rules[goal.section] for s, goal in main.items() if goal.section is not None}
        disabled = {
            symbol
            for symbol, mine in self._mine.items()
            if any(one.goal.target is not None and not one.goal.target.enabled for one in mine)
        }
        tradable = [p for p in positions if p.symbol not in disabled and p.price > 0]
        self._tradable = tradable
        #: What is not one whole instrument: its members move together.
        self._joint = tuple(s for s in states if s.leaf and (list(s.goal.members.values()) != [1] or s.spare))
        simple_ones = simple(one.goal for one in states)
        self._single = {
            next(iter(s.goal.members)): s for s in states
            if s.leaf and s.name in simple_ones and list(s.goal.members.values()) == [1] and not s.spare
        }  # fmt: skip
        self._simple = tuple(s for s in self._joint if s.name in simple_ones)
        self._still = self._at_rest(simple_ones)
        self._may = buyable(portfolio, [s.goal for s in states])
        self._spare = frozenset(place for state in states for place in state.spare)
        self._ranks = ranks(portfolio, [s.goal for s in states], as_of)
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

    def _at_rest(self, simple_ones: frozenset[str]) -> frozenset[str]:
        """Return the symbols of joined goals that are all on their targets, where no limit is broken."""
        if all(state.name in simple_ones or not state.leaf for state in self._states) or any(
            limit.outside(self._weights) > 0 for limit in self._limits
        ):
            return frozenset()
        by_name = {state.name: state for state in self._states}
        still: set[str] = set()
        for group in joined(state.goal for state in self._states):
            mine = [by_name[goal.name] for goal in group]
            off = (abs(one.value - one.target * self._total) for one in mine)
            if any(goal.name not in simple_ones for goal in group) and all(way <= _HAIR * self._total for way in off):
                still.update(symbol for goal in group for symbol in goal.members)
        return frozenset(still)

    def build(self, kind: Kind, parts: Parts) -> Task:
        """Return the trade problem of a rung."""
        portfolio, valuation, positions = self._portfolio, self._valuation, self._positions
        settings, total, fx = portfolio.settings, self._total, valuation.fx
        # Net bounds: those of every symbol, then of each that is to be consolidated in an account.
        index: dict[tuple[str, str | None], int] = {(p.symbol, None): place for place, p in enumerate(positions)}
        index |= {place: len(positions) + number for number, place in enumerate(sorted(self._spare))}
        edges = self._edges(kind)
        most = self._most_beyond(edges)
        ways = {state.name: self._way(state, kind, edges.get(state.name), most) for state in self._simple}
        slots: list[Slot] = []
        numbers: list[tuple[int, int, int, int, bool]] = []
        nets = np.zeros((len(index), 2), dtype=np.int64)
        for position in self._tradable:
            may = self._rights(position.symbol, parts, kind)
            net = self._net(position, kind, may, edges, ways, most=most)
            mine = list(self._slots(position, kind, may, parts.spare, net))
            slots += [slot for slot, _ in mine]
            numbers += [row for _, row in mine]
            reach = [row for slot, row in mine if not slot.spare]
            low, high = sum(row[0] for row in reach), sum(row[1] for row in reach)
            nets[index[position.symbol, None]] = max(net[0], low), min(net[1], high)
            for slot, row in mine:
                if slot.spare:
                    nets[index[slot.symbol, slot.account]] = row[0], 0
        place = {pool: number for number, pool in enumerate(self._pools)}
        by_symbol = {position.symbol: position for position in positions}
        arrays = np.array([row[:4] for row in numbers], dtype=np.int64).reshape(-1, 4)
        rates = np.array(
            [self._slot_rates(slot, row, by_symbol[slot.symbol]) for slot, row in zip(slots, numbers, strict=True)],
            dtype=np.float64,
        ).reshape(-1, 10)
        at = np.array([index[slot.symbol, slot.account if slot.spare else None] for slot in slots], dtype=np.int64)
        below, above = cash_hinges(portfolio.cash_target * total, total, selling_only=settings.mode == "sell-only")
        rule = next((slot.tax for slot in slots if slot.tax.overseas), None)
        counted = settings.taxes == "count"
        accounts = {account.name: number for number, account in enumerate(portfolio.accounts)}
        rows, kept, reaches = self._rows(parts, edges, ways, slots)
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
            rows=rows,
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
            reaches=reaches,
            rounding=self._conversion_rounding(slots),
        )
        return Task(kind, problem, tuple(slots), self._states, self._pools, kept)

    def _edges(self, kind: Kind) -> dict[str, tuple[Decimal, Decimal]]:
        """Return the weights between which a goal is let be, where the destination is an edge; else nothing."""
        destination = self._portfolio.settings.destination
        if destination == "target" or kind not in ("act", "counterparts"):
            return {}
        leaves = [state for state in self._states if state.leaf]
        if destination == "edge":
            return {s.name: (s.low, s.high) for s in leaves}
        return {s.name: ((s.target + s.low) / 2, (s.target + s.high) / 2) for s in leaves}

    def _most_beyond(self, edges: Mapping[str, tuple[Decimal, Decimal]]) -> bool:
        """Tell whether what is over its edge is worth at least what is under brings short: the sign of E.

        E = what the breached have beyond their edges (short of them: negative) + holdings without a target, and what is
        to be consolidated, + cash − K.
        """
        excess = self._valuation.cash_value - self._portfolio.cash_target * self._total
        excess += sum(spare_of(self._states).values(), ZERO)
        for s in self._states:
            if s.status == "NO_TARGET":
                excess += s.value
            elif s.status in ("OVER", "UNDER") and s.name in edges:
                low, high = (edge * self._total for edge in edges[s.name])
                excess += max(s.settled - high, ZERO) - max(low - s.settled, ZERO)
        # Where the edges of what is over and under cancel, E is 0 but for the last digits of divided rates and weights.
        return excess >= -_HAIR * self._total

    def _rights(self, symbol: str, parts: Parts, kind: Kind) -> tuple[bool, bool]:
        """Tell whether a rung lets a symbol be bought, and sold."""
        if symbol in self._still and kind != "raise":
            return False, False
        return parts.of(self._mine[symbol])

    def _net(
        self,
        p: Position,
        kind: Kind,
        may: tuple[bool, bool],
        edges: Mapping[str, tuple[Decimal, Decimal]],
        ways: Mapping[str, _Way],
        *,
        most: bool,
    ) -> tuple[int, int]:
        """Return how many steps a symbol may go down and up, over all accounts.

        Towards its target, past it by no more than the step that crosses it (or a minimum trade, where that is more
        than the way), and never further off than it was; further only to mend a limit or to raise money. With edges,
        what there is more of goes no further than its edge. Limits that hold are kept. A member of a goal of several
        goes as far as the goal may; one of goals that are joined goes wherever the measure likes it.
        """
        step = p.price * p.fx * self._steps[p.symbol]
        if p.symbol not in self._single:
            return self._net_of_member(p, may, step, ways)
        goal = self._single[p.symbol]
        way = goal.target * self._total - goal.value
        least = self._least(p, kind)
        low = high = 0
        if way > 0:
            high = min(_crossing(way, step, least[0]), _floor(2 * way / step))
        elif way < 0:
            low = -min(_crossing(-way, step, least[1]), _floor(-2 * way / step))
        if goal.name in edges and goal.target > 0:
            edge = edges[goal.name]
            if most and goal.status == "OVER":
                low = max(low, -_ceiling((goal.value - edge[1] * self._total) / step))
            elif not most and goal.status == "UNDER":
                high = min(high, _ceiling((edge[0] * self._total - goal.value) / step))
        if kind == "raise":
            low = -_MANY
        for limit in self._limits:
            low, high = self._mending(limit, p, step, (low, high), least)
        for limit in self._limits:
            if goal.name in limit.of and not limit.group:
                low, high = self._within(limit, p, step, low, high)
        return (low if may[1] else 0), (high if may[0] and goal.target > 0 else 0)

    def _net_of_member(
        self, p: Position, may: tuple[bool, bool], step: Decimal, ways: Mapping[str, _Way]
    ) -> tuple[int, int]:
        """Return how many steps a member of a goal of several may go down and up, over all accounts."""
        way = next((ways[state.name] for state in self._mine[p.symbol] if state.name in ways), None)
        # All the money there is buys no more.
        low, high = -_MANY, _ceiling(self._total / step) if step else 0
        if way is not None:
            part = next(state for state in self._mine[p.symbol] if state.name in ways).goal.members[p.symbol]
            furthest = max(way.up.values(), default=ZERO)
            # Where a limit is to be mended others may be sold beside, and make room for more.
            if way.down is not None and not any(way.down.values()):
                high = min(high, _ceiling(furthest / (part * step)))
            high = high if way.up[p.symbol] > 0 else 0
            low = low if way.down is None or way.down[p.symbol] > 0 else 0
        return (low if may[1] else 0), (high if may[0] else 0)

    def _way(
        self,
        state: GoalState,
        kind: Kind,
        edges: tuple[Decimal, Decimal] | None,
        most: bool,  # noqa: FBT001
    ) -> _Way:
        """Return how far a goal of several members may be moved by each, as `_net` does of one, by its own trades."""
        total, goal = self._total, state.goal
        gap = state.target * total - state.settled
        gap = gap if abs(gap) > _HAIR * total else ZERO
        tradable = {p.symbol: p for p in self._tradable}
        down, up = dict.fromkeys(goal.members, ZERO), dict.fromkeys(goal.members, ZERO)
        for symbol, part in goal.members.items():
            if symbol not in tradable:
                continue
            p = tradable[symbol]
            step = part * p.price * p.fx * self._steps[symbol]
            rule = self._rules.get(symbol, self._portfolio.untargeted_rule)
            smallest = part * rule.min_trade
            least = (ZERO if kind == "buy" and not rule.min_trade_given else smallest), smallest
            side, towards = (up, gap) if gap > 0 else (down, -gap)
            if gap:
                side[symbol] = min(self._past(towards, step, least[gap < 0]), 2 * towards)
            if edges is not None and state.target > 0 and state.status in ("OVER", "UNDER"):
                over = state.settled - edges[1] * total
                short = edges[0] * total - state.settled
                if most and over > 0:
                    down[symbol] = min(down[symbol], self._past(over, step, ZERO))
                elif not most and short > 0 and over <= 0:
                    up[symbol] = min(up[symbol], self._past(short, step, ZERO))
            for limit in self._limits:
                off, share = limit.outside(self._weights) * total, limit.members.get(symbol, ZERO)
                if limit.above(self._weights) and share:
                    down[symbol] = max(down[symbol], self._past(off * part / share, step, least[1]))
                elif limit.below(self._weights) and not share:
                    down[symbol] = max(down[symbol], self._past(off * part, step, least[1]))
                elif limit.below(self._weights):
                    up[symbol] = max(up[symbol], self._past(off * part / share, step, least[0]))
        return _Way(None if kind == "raise" else down, up)

    def _past(self, way: Decimal, step: Decimal, least: Decimal) -> Decimal:
        """Return the furthest that a member moves its goal: the step that crosses included, or a minimum trade."""
        return max(way, least) + step - _HAIR * self._total

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
        self, p: Position, kind: Kind, may: tuple[bool, bool], spare: Part, net: tuple[int, int]
    ) -> Iterator[tuple[Slot, tuple[int, int, int, int, bool]]]:
        """Yield each slot of a symbol with (low, high, minimum purchase, minimum sale, full) in steps.

        What may be both bought and sold may move between accounts, whatever way it goes over all of them.
        """
        portfolio = self._portfolio
        least_buy, least_sell = self._least(p, kind)
        held = self._held[p.symbol]
        none = HeldSteps(0, all=False, locked=False)
        away = {account.name for account in portfolio.accounts if (p.symbol, account.name) in self._spare}
        free = {
            account.name: held.get(account.name, none).free
            if (may[1] and account.name not in away) or (account.name in away and (spare.sell or may[1]))
            else 0
            for account in portfolio.accounts
        }
        alone = len(free) == 1
        movable = sum(free.values())
        for account in portfolio.accounts:
            mine = held.get(account.name, none)
            low = -free[account.name]
            if alone and not away:
                low = max(low, net[0])
            high = 0
            if may[0] and p.symbol in self._may[account.name] and not mine.locked:
                high = net[1] + (movable - free[account.name])
            emptied = mine.all and low < 0 and -low == mine.free
            if high < least_buy:
                high = 0
            if low and not emptied and -low < least_sell:
                low = 0
            if low or high:
                tax = self._tax(account, p)
                step, cost = self._steps[p.symbol], self._costs[p.symbol]
                yield (
                    Slot(p.symbol, account.name, step, cost, tax, spare=account.name in away),
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
            self._ranks.get((slot.symbol, slot.account), 0) * DISLIKE,
            float(rounding),
            float(rounding + uneven),
        )

    def _rows(
        self,
        parts: Parts,
        edges: Mapping[str, tuple[Decimal, Decimal]],
        ways: Mapping[str, _Way],
        slots: Sequence[Slot],
    ) -> tuple[Rows, dict[int, str], tuple[Reach, ...]]:
        """Return the rows as `Task` has them, those that a limit bounds, and how far goals of several members go."""
        states, total = self._states, self._total
        of: dict[str, list[int]] = {}
        for number, slot in enumerate(slots):
            of.setdefault(slot.symbol, []).append(number)
        found = _RowList()
        for state in states:
            weight, target = parts.goals[state.name].weight, state.target * total
            row = found.add(float(state.value), self._exposed(state.goal.members, of))
            if not state.leaf:
                continue
            if state.name in edges:
                low, high = (edge * total for edge in edges[state.name])
                found.terms += [(row, hinge) for hinge in off_edges(target, low, high, total, weight)]
            else:
                found.terms += [(row, hinge) for hinge in off_target(target, total, weight)]
        kept = self._limited(found, of)
        for (symbol, account), worth in spare_of(states).items():
            mine = [(n, ONE) for n in of.get(symbol, ()) if slots[n].spare and slots[n].account == account]
            row = found.add(float(worth), mine)
            found.terms.append((row, (0.0, 1.0, UNWANTED * parts.spare.weight)))
        reaches: list[Reach] = []
        for state in self._simple:
            reaches += self._reaches(state, ways[state.name], found, of, slots)
        return found.rows(), kept, tuple(reaches)

    def _limited(self, found: _RowList, of: Mapping[str, list[int]]) -> dict[int, str]:
        """Add the rows of groups, and what is outside limits that are broken; return the rows that a limit bounds."""
        index = {state.name: row for row, state in enumerate(self._states)}
        alone = {state.name for state in self._single.values()}
        kept: dict[int, str] = {}
        total = self._total
        for limit in self._limits:
            if limit.group:
                row = found.add(float(limit.weight(self._weights) * total), self._exposed(limit.members, of))
            else:
                row = index[limit.name]
            bounded = limit.group or limit.name not in alone
            if limit.above(self._weights):
                found.terms.append((row, (float((limit.maximum or ZERO) * total), 1.0, OUTSIDE)))
            elif bounded and limit.maximum is not None:
                found.high[row] = max(float(limit.maximum * total), found.value[row])
                kept[row] = limit.name
            if limit.below(self._weights):
                found.terms.append((row, (float((limit.minimum or ZERO) * total), -1.0, OUTSIDE)))
            elif bounded and limit.minimum is not None:
                found.low[row] = min(float(limit.minimum * total), found.value[row])
                kept[row] = limit.name
        return kept

    def _exposed(self, members: Mapping[str, Decimal], of: Mapping[str, list[int]]) -> list[tuple[int, Decimal]]:
        """Return the slots of symbols, each with its part, in order."""
        return sorted((slot, part) for symbol, part in members.items() for slot in of.get(symbol, ()))

    def _reaches(
        self,
        state: GoalState,
        way: _Way,
        found: _RowList,
        of: Mapping[str, list[int]],
        slots: Sequence[Slot],
    ) -> Iterator[Reach]:
        """Add the row of a goal's way, of all that is not to be consolidated, and yield how far it goes."""
        mine = [(n, part) for n, part in self._exposed(state.goal.members, of) if not slots[n].spare]
        if not mine:
            return
        row = found.add(0.0, mine)
        at = np.array([n for n, _ in mine], dtype=np.int64)
        for sign, side in ((1.0, way.up), (-1.0, way.down)):
            if side is None:
                continue
            most = np.array([float(side[slots[n].symbol]) for n in at.tolist()])
            if sign > 0:
                found.high[row] = float(most.max())
            else:
                found.low[row] = -float(most.max())
            if len(np.unique(most)) > 1 or most.max() > 0:
                yield Reach(row, sign, at, most)

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


@dataclass(frozen=True, slots=True)
class _Way:
    """How far a goal may be moved down and up by what is traded of each member, in money; down None: any way."""

    down: Mapping[str, Decimal] | None
    up: Mapping[str, Decimal]


@dataclass(slots=True)
class _RowList:
    """Rows being added: value, bounds, slots with their parts, hinges."""

    value: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    exposed: list[tuple[int, int, Decimal]] = field(default_factory=list)
    terms: list[tuple[int, Hinge]] = field(default_factory=list)

    def add(self, value: float, slots: Iterable[tuple[int, Decimal]]) -> int:
        """Add a row without bounds and return its number."""
        row = len(self.value)
        self.value.append(value)
        self.low.append(-np.inf)
        self.high.append(np.inf)
        self.exposed += [(row, slot, part) for slot, part in slots]
        return row

    def rows(self) -> Rows:
        """Return the rows as arrays."""
        places = np.array([(row, slot) for row, slot, _ in self.exposed], dtype=np.int64).reshape(-1, 2)
        return Rows(
            value=np.array(self.value),
            low=np.array(self.low),
            high=np.array(self.high),
            at=places[:, 0],
            slot=places[:, 1],
            share=np.array([float(part) for _, _, part in self.exposed]),
            hinges=hinges(self.terms),
        )


def _floor(steps: Decimal) -> int:
    return int(steps.to_integral_value(ROUND_FLOOR))


def _ceiling(steps: Decimal) -> int:
    return int(steps.to_integral_value(ROUND_CEILING))


def _crossing(way: Decimal, step: Decimal, least: int) -> int:
    """Return the steps to the target, the one that crosses it included; a minimum trade where that is more."""
    return max(_ceiling(way / step), least if least * step > way else 0)
