"""The trade problem as arrays: what may be traded, at what cost, from which cash, towards what.

Minimise, over whole trades n (units bought minus sold in each slot),

    Σ over symbols |shortfall − value of its trades|  +  |cash target − cash after|  +  commissions, taxes, FX spread

subject to: every cash pool ends at or above its reserve (pools of one account may convert into each other where
`linked`); a trade is 0, at least the minimum, or a full sale; bounds, group caps, turnover and risk caps hold.

All money is in the base currency as float64: the search needs speed, not cents. `engine.trades.orders` turns the
answer into exact money and checks it again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class GroupCap:
    """Bound the value traded into a group: low ≤ Σ value of the members' trades ≤ high."""

    name: str
    symbols: Ints
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RiskCap:
    """Bound an account's risk assets when it buys any: value after ≤ cap × (account value − costs).

    `slots` are the account's slots of risk assets; `held` is their value before, tradable or not. With `always` the
    bound holds whether or not it buys.
    """

    account: int
    slots: Ints
    cap: float
    held: float
    account_value: float
    always: bool = False

    @property
    def room(self) -> float:
        """Return the value that may still be added to the risk assets, costs aside; no plan adds more.

        One that buys nothing risky adds nothing, so where only buying counts, the room is never below 0.
        """
        room = self.cap * self.account_value - self.held
        return room if self.always else max(room, 0.0)


@dataclass(frozen=True, slots=True)
class Problem:
    """Hold the trade problem.

    Slots (one symbol in one account, n of them): `symbol`, `pool` (indices); `price` per unit traded; `low` ≤ 0 ≤
    `high` in units; `minimum` units of a partial trade; `full` whether selling −low empties the slot;
    `buy_rate`, `sell_rate` commissions and `tax_rate` on sales, of the value; `fee_minimum` per trade;
    `continuous` where fractions may be traded (units are then share fractions, still counted in whole units).

    Symbols: `shortfall` = destination − value now; symbols without a slot count with their whole shortfall.
    Pools (one currency in one account): `cash`, `reserve`, `account`. `spread` is the cost of conversion within an
    account where `linked`.
    """

    total: float
    shortfall: Floats
    symbol: Ints
    pool: Ints
    price: Floats
    low: Ints
    high: Ints
    minimum: Ints
    full: Bools
    continuous: Bools
    buy_rate: Floats
    sell_rate: Floats
    tax_rate: Floats
    fee_minimum: Floats
    cash: Floats
    reserve: Floats
    account: Ints
    cash_target: float
    linked: bool = True
    spread: float = 0.0
    turnover: float | None = None
    groups: tuple[GroupCap, ...] = ()
    risk_caps: tuple[RiskCap, ...] = ()

    @property
    def size(self) -> int:
        """Return the number of slots."""
        return len(self.price)

    def cost(self, units: Floats, slot: Ints | slice = slice(None)) -> Floats:
        """Return commission and tax of trading `units` (same shape as the slots, or slots × k) in the slots given."""
        shape = (-1,) + (1,) * (units.ndim - 1)
        value = np.abs(units) * self.price[slot].reshape(shape)
        buying = units > 0
        rate = np.where(buying, self.buy_rate[slot].reshape(shape), self.sell_rate[slot].reshape(shape))
        fee = np.maximum(rate * value, np.where(units != 0, self.fee_minimum[slot].reshape(shape), 0.0))
        return np.asarray(fee + np.where(buying, 0.0, self.tax_rate[slot].reshape(shape) * value), dtype=np.float64)

    def allowed(self, units: Floats, slot: Ints | slice = slice(None)) -> Bools:
        """Tell which trades respect the slot's own rules: bounds, minimum, or a full sale."""
        shape = (-1,) + (1,) * (units.ndim - 1)
        low, high = self.low[slot].reshape(shape), self.high[slot].reshape(shape)
        enough = np.abs(units) >= self.minimum[slot].reshape(shape)
        sold_out = self.full[slot].reshape(shape) & (units == low)
        inside = (units >= low) & (units <= high)
        return np.asarray((units == 0) | (inside & (enough | sold_out)), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Value one set of trades: the objective (base currency), whether it keeps every constraint, and its ties."""

    objective: float
    feasible: bool
    trades: int
    turnover: float


@dataclass(frozen=True, slots=True)
class Solution:
    """Hold trades in units per slot, with a bound that no feasible set of trades can be below (base currency)."""

    units: Ints
    bound: float
    method: str


def settle(problem: Problem, cash: Floats) -> tuple[Floats, Floats]:
    """Convert within accounts so that every pool reaches its reserve, at least cost.

    `cash` is (..., pools) before conversion. Returns the cash above all reserves per account, (..., accounts), which is
    negative where the account cannot reach its reserves, and the spread paid, (..., accounts).
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


def evaluate(problem: Problem, units: Ints, slack: float = 1e-6) -> Evaluation:
    """Value a set of trades against the whole problem; `slack` is the money tolerance of the constraints."""
    moved = units.astype(np.float64)
    value = moved * problem.price
    cost = problem.cost(moved)
    per_symbol = np.bincount(problem.symbol, weights=value, minlength=len(problem.shortfall))
    used = np.bincount(problem.pool, weights=value + cost, minlength=len(problem.cash))
    left, paid = settle(problem, problem.cash - used)
    cash_after = float((problem.cash - used).sum() - paid.sum())
    deviation = float(np.abs(problem.shortfall - per_symbol).sum()) + abs(problem.cash_target - cash_after)
    turnover = float(np.abs(value).sum())
    feasible = bool((left >= -slack).all()) and bool(problem.allowed(moved).all())
    if problem.turnover is not None:
        feasible &= turnover <= problem.turnover + slack
    for group in problem.groups:
        traded = float(per_symbol[group.symbols].sum())
        feasible &= group.low - slack <= traded <= group.high + slack
    feasible &= all(risk_kept(problem, cap, moved, cost, float(paid[cap.account]), slack) for cap in problem.risk_caps)
    return Evaluation(deviation + float(cost.sum() + paid.sum()), feasible, int((units != 0).sum()), turnover)


def risk_kept(problem: Problem, cap: RiskCap, units: Floats, cost: Floats, spread: float, slack: float) -> bool:
    """Tell whether an account that buys risk assets ends within its cap; without a buy the cap need not hold."""
    risky = units[cap.slots]
    if not cap.always and not (risky > 0).any():
        return True
    inside = problem.account[problem.pool] == cap.account
    after = cap.held + float((risky * problem.price[cap.slots]).sum())
    return after <= cap.cap * (cap.account_value - float(cost[inside].sum()) - spread) + slack
