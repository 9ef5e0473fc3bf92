"""Build the trade problem as a tight mixed-integer model: every kind of constraint, for HiGHS.

A symbol's deviation is convex and piecewise linear with its kink between two whole units, so it is modelled as units
below the floor (d), one bit for the ceiling (e ≤ 1) and units above (u); the linear relaxation is then the convex hull
of the deviation at whole units, which is what makes its bound the Lagrangian one. Money is scaled to a total of 10⁶.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.trades.problem import Bools, Floats, Ints, Problem, RiskCap

_SCALE = 1e6


@dataclass(slots=True)
class Model:
    """Collect columns and rows in blocks; `matrix` parts are (row, column, value) triples."""

    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    cost: list[Floats] = field(default_factory=list)
    integer: list[Bools] = field(default_factory=list)
    triples: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    row_low: list[Floats] = field(default_factory=list)
    row_high: list[Floats] = field(default_factory=list)
    columns: int = 0
    rows: int = 0
    constant: float = 0.0

    def block(
        self,
        lower: float | Floats,
        upper: float | Floats,
        cost: float | Floats,
        integer: bool | Bools,  # noqa: FBT001 - one value for all columns, or one each
        n: int,
    ) -> Ints:
        """Add n columns and return their indices."""
        for store, value in ((self.lower, lower), (self.upper, upper), (self.cost, cost)):
            store.append(np.broadcast_to(np.asarray(value, dtype=np.float64), (n,)))
        self.integer.append(np.broadcast_to(np.asarray(integer, dtype=np.bool_), (n,)))
        self.columns += n
        return np.arange(self.columns - n, self.columns)

    def constrain(
        self, low: float | Floats, high: float | Floats, n: int, *terms: tuple[Ints, Ints, Floats | float]
    ) -> None:
        """Add n rows low ≤ Σ terms ≤ high; a term is (row within the n, column, coefficient)."""
        for row, column, value in terms:
            values = np.broadcast_to(np.asarray(value, dtype=np.float64), column.shape)
            self.triples.append((np.asarray(row) + self.rows, column, values))
        self.row_low.append(np.broadcast_to(np.asarray(low, dtype=np.float64), (n,)))
        self.row_high.append(np.broadcast_to(np.asarray(high, dtype=np.float64), (n,)))
        self.rows += n


@dataclass(frozen=True, slots=True)
class Deviation:
    """Name the columns of |shortfall − traded| by symbol (−1: none): below `whole` units, the ceiling, above."""

    below: Ints
    ceiling: Ints
    above: Ints
    whole: Floats


@dataclass(frozen=True, slots=True)
class Columns:
    """Say which columns are which: buys and sells of the slots listed, and what a unit of each column is."""

    model: Model
    deviation: Deviation
    buyers: Ints
    sellers: Ints
    buy: Ints
    sell: Ints
    buy_unit: Floats
    sell_unit: Floats
    money: float

    def units(self, solution: Floats, size: int) -> Ints:
        """Return the trades in units per slot."""
        found = np.zeros(size)
        found[self.buyers] += solution[self.buy] / self.buy_unit
        found[self.sellers] -= solution[self.sell] / self.sell_unit
        return np.rint(found).astype(np.int64)

    def bounds(self) -> tuple[Floats, Floats]:
        """Return a copy of the columns' lower and upper bounds."""
        return np.concatenate(self.model.lower), np.concatenate(self.model.upper)

    def bounds_at(self, symbols: Ints, totals: Ints) -> tuple[Floats, Floats]:
        """Return column bounds that hold the symbols' trades, over all accounts, to the totals given."""
        lower, upper = self.bounds()
        apart = totals - self.deviation.whole[symbols]
        for column, amount in (
            (self.deviation.below, np.maximum(-apart, 0)),
            (self.deviation.ceiling, np.minimum(np.maximum(apart, 0), 1)),
            (self.deviation.above, np.maximum(apart - 1, 0)),
        ):
            lower[column[symbols]] = upper[column[symbols]] = amount
        return lower, upper


def build(problem: Problem) -> Columns:
    """Return the model of a problem. Nothing is left out: its optimum is the problem's optimum."""
    model, money = Model(), _SCALE / problem.total
    price = problem.price * money
    sold_out = problem.full | (-problem.low >= problem.minimum)
    buyers = np.flatnonzero((problem.high > 0) & (problem.high >= problem.minimum))
    sellers = np.flatnonzero((problem.low < 0) & sold_out)
    legs = []
    for slots, most, rate, tax in (
        (buyers, problem.high, problem.buy_rate, np.zeros(problem.size)),
        (sellers, -problem.low, problem.sell_rate, problem.tax_rate),
    ):
        legs.append(_leg(model, problem, slots, most[slots].astype(np.float64), price, rate[slots], tax[slots], money))
    (buy, buy_unit, buy_switch, buy_fee), (sell, sell_unit, sell_switch, sell_fee) = legs
    _either(model, buyers, sellers, buy_switch, sell_switch)
    worth = (price[buyers] / buy_unit, price[sellers] / sell_unit)
    deviation = _deviation(model, problem, price, (buyers, buy, buy_unit), (sellers, sell, sell_unit))
    sides = (buyers, buy, worth[0], buy_fee), (sellers, sell, worth[1], sell_fee)
    conversions = _cash(model, problem, *sides, money)
    for group in problem.groups:
        chosen = [np.isin(problem.symbol[slots], group.symbols) for slots in (buyers, sellers)]
        zero = [np.zeros(int(mask.sum()), dtype=np.int64) for mask in chosen]
        model.constrain(
            max(group.low * money, -np.inf),
            group.high * money,
            1,
            (zero[0], buy[chosen[0]], worth[0][chosen[0]]),
            (zero[1], sell[chosen[1]], -worth[1][chosen[1]]),
        )
    if problem.turnover is not None:
        model.constrain(
            -np.inf,
            problem.turnover * money,
            1,
            (np.zeros_like(buy), buy, worth[0]),
            (np.zeros_like(sell), sell, worth[1]),
        )
    for cap in problem.risk_caps:
        _risk(model, problem, cap, *sides, conversions, money)
    return Columns(model, deviation, buyers, sellers, buy, sell, buy_unit, sell_unit, money)


Fee = tuple[Floats, Ints]
Leg = tuple[Ints, Ints, Floats, Fee]


def _leg(
    model: Model, problem: Problem, slots: Ints, most: Floats, price: Floats, rate: Floats, tax: Floats, money: float
) -> tuple[Ints, Floats, Ints, Fee]:
    """Add one direction's trades; returns columns, units of a column, on/off switches (−1: none), and its fees.

    A fee is (rate of the value, column of the ticket fee or −1): the ticket fee is a column of its own where it has a
    minimum, because it is the larger of two things.
    """
    n = len(slots)
    fraction = problem.continuous[slots]
    unit = np.where(fraction, price[slots], 1.0)
    ticket = problem.fee_minimum[slots] > 0
    plain = np.where(ticket, 0.0, rate) + tax
    trade = model.block(0.0, most * unit, plain * price[slots] / unit, ~fraction, n)
    least = np.minimum(problem.minimum[slots].astype(np.float64), most)
    switched = (problem.minimum[slots] > 1) | ticket
    switch = np.full(n, -1)
    rows = np.arange(int(switched.sum()))
    switch[switched] = model.block(0.0, 1.0, 0.0, True, len(rows))
    reach = (most * unit)[switched]
    model.constrain(-np.inf, 0.0, len(rows), (rows, trade[switched], 1.0), (rows, switch[switched], -reach))
    floor = (least * unit)[switched]
    model.constrain(0.0, np.inf, len(rows), (rows, trade[switched], 1.0), (rows, switch[switched], -floor))
    fee = np.full(n, -1)
    rows = np.arange(int(ticket.sum()))
    fee[ticket] = model.block(0.0, np.inf, 1.0, False, len(rows))
    value = (rate * price[slots] / unit)[ticket]
    model.constrain(0.0, np.inf, len(rows), (rows, fee[ticket], 1.0), (rows, trade[ticket], -value))
    smallest = (problem.fee_minimum[slots] * money)[ticket]
    model.constrain(0.0, np.inf, len(rows), (rows, fee[ticket], 1.0), (rows, switch[ticket], -smallest))
    return trade, unit, switch, (plain, fee)


def _either(model: Model, buyers: Ints, sellers: Ints, buy_switch: Ints, sell_switch: Ints) -> None:
    """Forbid buying and selling in the same slot, where both are switched."""
    _, left, right = np.intersect1d(buyers, sellers, return_indices=True)
    both = (buy_switch[left] >= 0) & (sell_switch[right] >= 0)
    rows = np.arange(int(both.sum()))
    model.constrain(-np.inf, 1.0, len(rows), (rows, buy_switch[left][both], 1.0), (rows, sell_switch[right][both], 1.0))


def _deviation(
    model: Model,
    problem: Problem,
    price: Floats,
    buys: tuple[Ints, Ints, Floats],
    sells: tuple[Ints, Ints, Floats],
) -> Deviation:
    """Add |shortfall − traded| of every symbol, as convex pieces at whole units (or plainly, for fractions)."""
    symbols = len(problem.shortfall)
    shortfall = problem.shortfall * (_SCALE / problem.total)
    unit_price = np.zeros(symbols)
    unit_price[problem.symbol] = price
    fraction = np.zeros(symbols, dtype=bool)
    fraction[problem.symbol] = problem.continuous
    free = np.flatnonzero(unit_price > 0)
    model.constant += float(np.abs(shortfall[unit_price == 0]).sum())
    step = np.where(fraction, 1.0, unit_price)[free]
    whole = np.where(fraction, shortfall, np.floor(shortfall / np.where(unit_price > 0, unit_price, 1.0) + 1e-12))[free]
    rest = shortfall[free] - whole * step
    model.constant += float(rest.sum())
    n = len(free)
    below = model.block(0.0, np.inf, step, False, n)
    ceiling = model.block(0.0, np.where(fraction[free], 0.0, 1.0), step - 2 * rest, False, n)
    above = model.block(0.0, np.inf, step, False, n)
    place = np.full(symbols, -1)
    place[free] = np.arange(n)
    terms: list[tuple[Ints, Ints, Floats | float]] = []
    for sign, (slots, column, unit) in ((1.0, buys), (-1.0, sells)):
        # Fractions are already in money, as is their symbol's row; whole units are counted.
        scale = np.where(problem.continuous[slots], price[slots] / unit, 1.0)
        terms.append((place[problem.symbol[slots]], column, sign * scale))
    rows = np.arange(n)
    model.constrain(whole, whole, n, *terms, (rows, below, 1.0), (rows, ceiling, -1.0), (rows, above, -1.0))
    units = np.zeros(symbols)
    units[free] = whole
    by_symbol = [np.where(place >= 0, column[place], -1) for column in (below, ceiling, above)]
    return Deviation(by_symbol[0], by_symbol[1], by_symbol[2], units)


def _cash(model: Model, problem: Problem, buys: Leg, sells: Leg, money: float) -> tuple[Ints, Ints]:
    """Keep every pool at its reserve, converting within an account; value the distance of all cash from its target.

    Returns the columns of the conversions and the account of each.
    """
    pools = len(problem.cash)
    pairs = [
        (give, take)
        for give in range(pools)
        for take in range(pools)
        if give != take and problem.linked and problem.account[give] == problem.account[take]
    ]
    convert = model.block(0.0, np.inf, problem.spread, False, len(pairs))
    terms: list[tuple[Ints, Ints, Floats | float]] = []
    for sign, (slots, column, worth, (rate, fee)) in ((1.0, buys), (-1.0, sells)):
        pool = problem.pool[slots]
        terms.append((pool, column, worth * (sign + rate)))
        ticket = fee >= 0
        terms.append((pool[ticket], fee[ticket], 1.0))
    all_used = [(np.zeros_like(row), column, value) for row, column, value in terms]
    if pairs:
        give, take = (np.array(side) for side in zip(*pairs, strict=True))
        terms += [(give, convert, 1.0), (take, convert, -(1.0 - problem.spread))]
        all_used.append((np.zeros(len(pairs), dtype=np.int64), convert, problem.spread))
    model.constrain(-np.inf, (problem.cash - problem.reserve) * money, pools, *terms)
    apart = model.block(0.0, np.inf, 1.0, False, 2)
    level = (float(problem.cash.sum()) - problem.cash_target) * money
    model.constrain(level, level, 1, *all_used, (np.zeros(2, dtype=np.int64), apart, np.array([1.0, -1.0])))
    return convert, np.array([problem.account[give] for give, _ in pairs], dtype=np.int64)


def _risk(
    model: Model, problem: Problem, cap: RiskCap, buys: Leg, sells: Leg, conversions: tuple[Ints, Ints], money: float
) -> None:
    """Keep an account's risk assets within its cap if it buys any of them."""
    buying = model.block(1.0 if cap.always else 0.0, 1.0, 0.0, True, 1)
    terms: list[tuple[Ints, Ints, Floats | float]] = []
    inside = problem.account[problem.pool] == cap.account
    for sign, (slots, column, worth, (rate, fee)) in ((1.0, buys), (-1.0, sells)):
        mine = inside[slots]
        risky = np.isin(slots, cap.slots)
        zero = np.zeros(int(mine.sum()), dtype=np.int64)
        terms.append((zero, column[mine], (worth * (sign * risky + cap.cap * rate))[mine]))
        ticket = mine & (fee >= 0)
        terms.append((np.zeros(int(ticket.sum()), dtype=np.int64), fee[ticket], cap.cap))
        if sign > 0:
            rows = np.arange(int(risky.sum()))
            most = np.concatenate(model.upper)[column[risky]]
            model.constrain(
                -np.inf, 0.0, len(rows), (rows, column[risky], 1.0), (rows, np.repeat(buying, len(rows)), -most)
            )
    own = conversions[0][conversions[1] == cap.account]
    terms.append((np.zeros(len(own), dtype=np.int64), own, cap.cap * problem.spread))
    room = (cap.cap * cap.account_value - cap.held) * money
    beyond = (cap.held + abs(cap.account_value)) * 2 * money
    model.constrain(-np.inf, room + beyond, 1, *terms, (np.zeros(1, dtype=np.int64), buying, beyond))
