"""The trade problem as arrays: what may be traded, at what cost, from which cash, and how far off it leaves what.

Choose whole trades n (steps bought minus steps sold, by slot: a symbol in an account) with the least

    Σ over hinges  weight · max(0, sign · (value of its row after − kink))      how far off what is wanted
  + the same of the cash: below its target of what is left, above it of what is left and what left it at once
  + commissions, taxes, currency spread, the worth of an order times the orders

A row is anything that is valued or bounded: a goal (today a symbol over all its accounts), a group with a limit. It is
a line of exposures over slots. Hinges with positive weights make every measure convex and piecewise linear.

Subject to: every pool of cash (a currency in an account) ends at or above its reserve, pools of one account converting
into each other where `linked`; a trade is 0, at least its minimum, or a full sale; the bounds of slots, symbols and
rows, turnover and risk caps hold.

All money is in the base currency as float64. `engine.trades.orders` turns an answer into exact money and checks it
again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def _none() -> Floats:
    return np.zeros(0)


def _no_place() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Hinges:
    """Terms weight · max(0, sign · (x − kink)) of the values x that `row` names: a convex, piecewise linear measure."""

    row: Ints = field(default_factory=_no_place)
    kink: Floats = field(default_factory=_none)
    sign: Floats = field(default_factory=_none)
    weight: Floats = field(default_factory=_none)

    def value(self, x: Floats) -> float:
        """Return the sum of the terms at values `x`, one a row."""
        return float((self.weight * np.maximum(self.sign * (x[self.row] - self.kink), 0.0)).sum())


@dataclass(frozen=True, slots=True)
class Rows:
    """What is valued or bounded: the value before trading, bounds on the value after, exposures, hinges.

    Row `at[k]` changes by `share[k]` of what is traded in slot `slot[k]`.
    """

    value: Floats
    low: Floats
    high: Floats
    at: Ints
    slot: Ints
    share: Floats
    hinges: Hinges

    def traded(self, value: Floats) -> Floats:
        """Return what trades worth `value`, one a slot, change each row by."""
        moved = np.bincount(self.at, weights=self.share * value[self.slot], minlength=len(self.value))
        return np.asarray(moved, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class RiskCap:
    """A bound on an account's risk assets when it buys any: value after ≤ cap × (account value − costs).

    `slots` are the account's slots of risk assets; `held` is their value before, tradable or not. `holds`: it is known
    that plans keep it, whatever they buy.
    """

    account: int
    slots: Ints
    cap: float
    held: float
    account_value: float
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a row may be moved one way, by what is traded that way: the furthest of the slots that are.

    `sign` is 1 for purchases; `slots` with what each lets the row be moved by at most (`most`). Where none of them is
    traded that way the row may not be moved that way either.
    """

    row: int
    sign: float
    slots: Ints
    most: Floats


@dataclass(frozen=True, slots=True)
class Slots:
    """What may be traded, n slots: a symbol in an account.

    `price` of one step; `low` ≤ 0 ≤ `high` in steps; `minimum` steps of a purchase and of a partial sale; `full`:
    whether selling −low empties the slot; `buy_rate`, `sell_rate`: commissions, `tax_rate`: sales tax, of the value;
    `fee_minimum` per trade; `gain` per step sold over the average cost, before costs; `withheld`: the part of each
    sale's gain (costs off) that is withheld; `overseas`: 1 where gains count in the year's overseas gains; `dislike`:
    cost of a unit of money bought here in place of a better liked account; `continuous`: steps so small that they are
    solved as fractions; `slack`, `cash_slack`: what rounding to the smallest unit may save an order, of costs and of
    cash.
    """

    symbol: Ints
    pool: Ints
    price: Floats
    low: Ints
    high: Ints
    minimum_buy: Ints
    minimum_sell: Ints
    full: Bools
    continuous: Bools
    buy_rate: Floats
    sell_rate: Floats
    tax_rate: Floats
    fee_minimum: Floats
    gain: Floats
    withheld: Floats
    overseas: Floats
    dislike: Floats
    slack: Floats
    cash_slack: Floats


@dataclass(frozen=True, slots=True)
class TradeProblem:
    """A trade problem: slots, rows, cash, and the limits that join trades.

    `net_low` and `net_high` bound each symbol's steps over all accounts; `reaches` are for rows of several members,
    whose steps differ. Pools (a currency in an account): `cash`, `reserve`, `account`. `cash_below` are hinges of the
    cash after, `cash_above` of cash after and what left it at once; both name row 0. `order` is the worth of not
    placing an order. `tax_weight` is 1 where withheld tax is counted, else 0; `overseas_rate` of gains above
    `allowance`. `rounding` is what billing conversions in the smallest unit may save. Of trades that are decided
    already (`engine.trades.near`): `spent` is what they cost in the objective, `forgiven` and `granted` (by pool) what
    rounding may have saved them, of costs and of cash.
    """

    total: float
    slots: Slots
    rows: Rows
    net_low: Ints
    net_high: Ints
    cash: Floats
    reserve: Floats
    account: Ints
    cash_below: Hinges
    cash_above: Hinges
    order: float = 0.0
    linked: bool = True
    spread: float = 0.0
    tax_weight: float = 1.0
    overseas_rate: float = 0.0
    allowance: float = 0.0
    turnover: float | None = None
    risk_caps: tuple[RiskCap, ...] = ()
    reaches: tuple[Reach, ...] = ()
    rounding: float = 0.0
    spent: float = 0.0
    forgiven: float = 0.0
    granted: Floats | None = None

    @property
    def size(self) -> int:
        """Return the number of slots."""
        return len(self.slots.price)


@dataclass(frozen=True, slots=True)
class Charges:
    """What trades are charged, by slot (or slots × k): commission and sales tax, withheld tax, overseas gain."""

    cost: Floats
    withheld: Floats
    gain: Floats


def charges(problem: TradeProblem, units: Floats) -> Charges:
    """Return what trading `units` (slots, or slots × k) is charged."""
    slots = problem.slots
    shape = (-1,) + (1,) * (units.ndim - 1)

    def of(values: Floats) -> Floats:
        return np.asarray(values.reshape(shape), dtype=np.float64)

    value = np.abs(units) * of(slots.price)
    buying, selling = units > 0, units < 0
    rate = np.where(buying, of(slots.buy_rate), of(slots.sell_rate))
    cost = np.maximum(rate * value, np.where(units != 0, of(slots.fee_minimum), 0.0))
    cost = cost + np.where(selling, of(slots.tax_rate) * value, 0.0)
    gain = np.where(selling, -units * of(slots.gain) - cost, 0.0)
    withheld = of(slots.withheld) * np.maximum(gain, 0.0)
    return Charges(cost, withheld, gain * of(slots.overseas))


def most_paid(problem: TradeProblem, account: int) -> float:
    """Return the most that commissions, taxes and conversions of an account can be in sum."""
    slots = problem.slots
    mine = problem.account[slots.pool] == account
    sold, bought = (charges(problem, side.astype(np.float64)) for side in (slots.low, slots.high))
    cash = problem.cash[problem.account == account].clip(0.0)
    raised = float(cash.sum() - (slots.low * slots.price)[mine].sum())
    fees = raised * float(slots.buy_rate[mine].max(initial=0.0)) + float(slots.fee_minimum[mine].sum())
    paid = float((sold.cost + sold.withheld)[mine].sum()) + min(fees, float(bought.cost[mine].sum()))
    return paid + problem.spread / (1.0 - problem.spread) * raised


def allowed(problem: TradeProblem, units: Floats) -> Bools:
    """Tell which trades (slots, or slots × k) respect their slot's own rules: bounds, minimum, or a full sale."""
    slots = problem.slots
    shape = (-1,) + (1,) * (units.ndim - 1)
    low, high = slots.low.reshape(shape), slots.high.reshape(shape)
    bought = (units >= slots.minimum_buy.reshape(shape)) & (units <= high)
    enough = -units >= slots.minimum_sell.reshape(shape)
    sold = (units < 0) & (units >= low) & (enough | (slots.full.reshape(shape) & (units == low)))
    return np.asarray((units == 0) | (bought & (units > 0)) | sold, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one set of trades comes to: objective (base currency), whether it keeps every rule, and its ties."""

    objective: float
    feasible: bool
    tax: float
    orders: int
    turnover: float

    def is_before(self, other: Evaluation, hair: float) -> bool:
        """Tell whether it is better: objective, less tax, fewer orders, less turnover; a `hair` decides nothing."""
        if abs(self.objective - other.objective) > hair:
            return self.objective < other.objective
        if abs(self.tax - other.tax) > hair:
            return self.tax < other.tax
        return (self.orders, self.turnover) < (other.orders, other.turnover)


@dataclass(frozen=True, slots=True)
class Solution:
    """Trades in steps per slot, with a bound that no feasible set of trades can be below (base currency)."""

    units: Ints
    bound: float
    method: str


def settle(problem: TradeProblem, cash: Floats) -> tuple[Floats, Floats]:
    """Convert within accounts so that every pool reaches its reserve, at least cost.

    `cash` is (…, pools) before conversion. Returns the cash above all reserves per account, (…, accounts), which is
    negative where the account cannot reach its reserves, and the spread paid, (…, accounts).
    Each account's deficits are filled from its surpluses; converting y costs spread × y.
    """
    accounts = int(problem.account.max()) + 1 if len(problem.account) else 0
    above = cash - problem.reserve
    left = np.zeros((*cash.shape[:-1], accounts))
    paid = np.zeros_like(left)
    for index in range(accounts):
        mine = above[..., problem.account == index]
        deficit = -np.minimum(mine, 0.0).sum(-1)
        if problem.linked:
            moved = deficit / (1.0 - problem.spread)
            paid[..., index] = problem.spread * moved
            left[..., index] = mine.sum(-1) - paid[..., index]
        else:
            left[..., index] = np.where(deficit > 0, -deficit, mine.sum(-1))
    return left, paid


def evaluate(problem: TradeProblem, units: Ints, slack: float = 1e-6) -> Evaluation:
    """Value a set of trades against the whole problem; `slack` is the money tolerance of the constraints."""
    slots, rows = problem.slots, problem.rows
    moved = units.astype(np.float64)
    value = moved * slots.price
    charged = charges(problem, moved)
    after = rows.value + rows.traded(value)
    used = np.bincount(slots.pool, weights=value + charged.cost + charged.withheld, minlength=len(problem.cash))
    left, paid = settle(problem, problem.cash - used)
    cash_after = float((problem.cash - used).sum() - paid.sum())
    gross = float(problem.cash.sum() - value.sum())
    overseas = problem.overseas_rate * max(0.0, float(charged.gain.sum()) - problem.allowance)
    orders, turnover = int((units != 0).sum()), float(np.abs(value).sum())
    tax = float(charged.withheld.sum()) + overseas
    objective = (
        rows.hinges.value(after)
        + problem.cash_below.value(np.array([cash_after]))
        + problem.cash_above.value(np.array([gross]))
        + float(charged.cost.sum() + paid.sum())
        + problem.tax_weight * float(charged.withheld.sum())
        + overseas
        + problem.order * orders
        + problem.spent
        + float((slots.dislike * np.maximum(value, 0.0)).sum())
    )
    net = np.bincount(slots.symbol, weights=moved, minlength=len(problem.net_low))
    feasible = bool((left >= -slack).all()) and bool(allowed(problem, moved).all())
    feasible &= bool((net >= problem.net_low).all() and (net <= problem.net_high).all())
    feasible &= bool((after >= rows.low - slack).all() and (after <= rows.high + slack).all())
    feasible &= all(_is_reached(rows, reach, moved, value, slack) for reach in problem.reaches)
    if problem.turnover is not None:
        feasible &= turnover <= problem.turnover + slack
    feasible &= all(
        _risk_kept(problem, cap, moved, charged, float(paid[cap.account]), slack) for cap in problem.risk_caps
    )
    return Evaluation(objective, feasible, tax, orders, turnover)


def _is_reached(rows: Rows, reach: Reach, units: Floats, value: Floats, slack: float) -> bool:
    """Tell whether a row is moved no further than what is traded that way lets it."""
    mine = rows.at == reach.row
    by = reach.sign * float((rows.share[mine] * value[rows.slot[mine]]).sum())
    return by <= float(reach.most[reach.sign * units[reach.slots] > 0].max(initial=0.0)) + slack


def _risk_kept(
    problem: TradeProblem, cap: RiskCap, units: Floats, charged: Charges, spread: float, slack: float
) -> bool:
    """Tell whether an account that buys risk assets ends within its cap; without a purchase the cap need not hold."""
    risky = units[cap.slots]
    if not (risky > 0).any():
        return True
    inside = problem.account[problem.slots.pool] == cap.account
    after = cap.held + float((risky * problem.slots.price[cap.slots]).sum())
    paid = float((charged.cost + charged.withheld)[inside].sum()) + spread
    return after <= cap.cap * (cap.account_value - paid) + slack


#: (r from which it counts, weight of a unit of money), lowest first.
BRACKETS: tuple[tuple[float, float], ...] = (
    (0.0, 0.02),
    (0.01, 0.06),
    (0.05, 0.15),
    (0.10, 0.35),
    (0.25, 0.75),
    (0.50, 1.5),
    (1.0, 2.0),
)
#: Weight of what has no target: no stub of it is left.
UNWANTED = 2.0
#: The most that a unit of cash above its target counts: money that can only go where it is not wanted waits.
IDLE = 0.15
#: Weight of a unit of money outside a limit that is broken before trading.
OUTSIDE = 10.0
#: Weight of what only serves as the other side of a trade, and of the way from the edge of a band to the target.
COUNTERPART = 0.05
#: Smallest scale of a deviation, of the total.
SMALLEST = Decimal("0.01")

#: What a unit of money bought in a less preferred place counts, for each place before it.
DISLIKE = 0.001

#: kink, sign, weight.
Hinge = tuple[float, float, float]


def scale(target: Decimal, total: Decimal) -> float:
    """Return s, what a deviation from a target (money) is relative to."""
    return float(max(target, SMALLEST * total))


def beyond(edge: float, s: float, sign: float, weight: float = 1.0, most: float = np.inf) -> Iterator[Hinge]:
    """Yield the brackets of what is beyond an edge on one side; no bracket counts more than `most`."""
    before = 0.0
    for start, rate in BRACKETS:
        rate = min(rate, most)
        if rate > before:
            yield edge + sign * start * s, sign, weight * (rate - before)
        before = rate


def off_target(target: Decimal, total: Decimal, weight: float = 1.0) -> Iterator[Hinge]:
    """Yield the brackets on both sides of a target (money); of target 0, twice the value."""
    if target <= 0:
        yield 0.0, 1.0, UNWANTED * weight
        return
    s = scale(target, total)
    yield from beyond(float(target), s, 1.0, weight)
    yield from beyond(float(target), s, -1.0, weight)


def off_edges(target: Decimal, low: Decimal, high: Decimal, total: Decimal, weight: float = 1.0) -> Iterator[Hinge]:
    """Yield the brackets beyond two edges (money), relative to the target, and a twentieth of those of the target."""
    if target > 0:
        s = scale(target, total)
        yield from beyond(float(high), s, 1.0, weight)
        yield from beyond(float(low), s, -1.0, weight)
        weight = weight * COUNTERPART
    yield from off_target(target, total, weight)


def hinges(terms: Iterable[tuple[int, Hinge]]) -> Hinges:
    """Return hinges as arrays, each with the row it is of."""
    listed = [(row, *hinge) for row, hinge in terms if hinge[2] > 0]
    columns = np.array(listed, dtype=np.float64).reshape(-1, 4)
    return Hinges(columns[:, 0].astype(np.int64), columns[:, 1], columns[:, 2], columns[:, 3])


def cash_hinges(target: Decimal, total: Decimal, *, selling_only: bool) -> tuple[Hinges, Hinges]:
    """Return what cash below its target counts, and what cash above it does (with what left it at once)."""
    s = scale(target, total)
    below = hinges((0, hinge) for hinge in beyond(float(target), s, -1.0))
    above = hinges((0, hinge) for hinge in beyond(float(target), s, 1.0, most=np.inf if selling_only else IDLE))
    return below, above
