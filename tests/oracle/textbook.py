"""The best plan as a plain mixed-integer model of each rung, solved to a gap of 0 by HiGHS."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import highspy
import numpy as np

from tests.oracle.brute import Answer, Best, climb, furthest, nothing
from tests.oracle.measure import GAIN_NET_OF_COSTS, measure
from tests.oracle.reading import BROKEN, DIGITS, EDGES, EPS, OVERSEAS, PREFERENCE, SLOPES, WITHHELD, Case, Rung, Slot

#: The total value in the model, so that HiGHS's absolute tolerances are of money that does not matter.
UNIT = 1000.0


#: What an order, and a unit of tax, count more, so that of equally good plans the one with less tax and fewer orders
#: is found; in the model's money, far below what is compared.
TIE_ORDER, TIE_TAX = 1e-6, 1e-6
#: The model's objective is the measure's, but for ties and HiGHS's tolerances, as a fraction of V.
MISMATCH = 1e-6


#: Branches after which HiGHS gives up, the same on every machine.
NODES = 20_000


class Unfinished(Exception):
    """A model that HiGHS neither solved nor proved infeasible."""


@dataclass
class Model:
    """Variables and rows, added one by one."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)

    def variable(self, cost: float = 0.0, upper: float = math.inf, *, lower: float = 0.0, whole: bool = False) -> int:
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.cost) - 1

    def row(self, terms: Mapping[int, float], low: float = -math.inf, high: float = math.inf) -> None:
        self.rows.append((dict(terms), low, high))

    def solve(self) -> tuple[str, float, list[float]]:
        """Return the status, the objective and the values; raises Unfinished.

        Solved twice, with presolve and without, and the better answer taken: with these tolerances HiGHS' presolve was
        seen to call a plan optimal that was not (large portfolio 352).
        """
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.cost), len(self.rows)
        lp.col_cost_ = np.array(self.cost)
        lp.col_lower_ = np.array(self.lower)
        lp.col_upper_ = np.array(self.upper)
        lp.row_lower_ = np.array([low for _, low, _ in self.rows])
        lp.row_upper_ = np.array([high for _, _, high in self.rows])
        starts = np.cumsum([0, *(len(terms) for terms, _, _ in self.rows)])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = starts
        lp.a_matrix_.index_ = np.array([i for terms, _, _ in self.rows for i in terms], dtype=np.int32)
        lp.a_matrix_.value_ = np.array([v for terms, _, _ in self.rows for v in terms.values()])
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[whole] for whole in self.whole]
        found: tuple[str, float, list[float]] | None = None
        for presolve in ("choose", "off"):
            solver = highspy.Highs()  # type: ignore[no-untyped-call]
            for name, value in {
                "output_flag": False,
                "threads": 1,
                "mip_max_nodes": NODES,
                "mip_rel_gap": 0.0,
                "mip_abs_gap": 1e-9,
                "mip_feasibility_tolerance": 1e-9,
                "primal_feasibility_tolerance": 1e-9,
                "presolve": presolve,
            }.items():
                solver.setOptionValue(name, value)
            solver.passModel(lp)
            solver.run()
            status = solver.getModelStatus()
            if status == highspy.HighsModelStatus.kOptimal:
                objective = solver.getInfo().objective_function_value
                if found is None or objective < found[1]:
                    found = "optimal", objective, list(solver.getSolution().col_value)
            elif status == highspy.HighsModelStatus.kInfeasible and presolve == "off" and found is None:
                return "infeasible", math.inf, []
        if found is None:
            raise Unfinished(str(status))
        return found


class _Book:
    """The model of one rung, in money scaled so that the total value is `UNIT`."""

    def __init__(self, case: Case, rung: Rung, slack: float) -> None:
        self.case, self.rung = case, rung
        self.model = Model()
        self.k = UNIT / case.total
        self.buy: dict[int, int] = {}
        self.sell: dict[int, int] = {}
        self.left: list[dict[int, float]] = [{} for _ in case.purses]  # what leaves each account's cash at once
        self.flows: list[dict[str, dict[int, float]]] = [{c: {} for c in case.rates} for _ in case.purses]
        self.turnover: dict[int, float] = {}
        self.gains: dict[int, float] = {}
        self.bought: dict[int, int] = {}  # whether a slot buys
        self.sold: dict[int, int] = {}  # whether a slot sells
        for s, slot in enumerate(case.slots):
            sides = [*self._purchase(s, slot), *self._sale(s, slot)]
            if len(sides) == 2:
                self.model.row(dict.fromkeys(sides, 1.0), high=1.0)
        self._overseas_tax()
        for number in range(len(case.purses)):
            self._cash(number, slack)
            self._risk_cap(number)
        self.values = [self._value(i) for i in range(len(case.assets))]
        self._reaches()
        self.constant = self._deviations() + self._idle_cash()
        self._limits()

    def _fee(self, n: int, y: int, s: int) -> int:
        """Add the commission of an order: at least its rate and at least its minimum."""
        asset = self.case.assets[self.case.slots[s].asset]
        fee = self.model.variable(1.0)
        self.model.row({fee: 1.0, n: -float(asset.commission) * asset.step * self.k}, low=0.0)
        self.model.row({fee: 1.0, y: -float(asset.fee * asset.fx) * self.k}, low=0.0)
        self.left[self.case.slots[s].account][fee] = 1.0
        self.turnover[n] = asset.step * self.k
        return fee

    def _purchase(self, s: int, slot: Slot) -> list[int]:
        """Add the purchase of a slot, where there may be one; return whether it is made, as a variable."""
        if not self.rung.buys[s]:
            return []
        case, model, asset = self.case, self.model, self.case.assets[slot.asset]
        price = asset.step * self.k
        n = model.variable(PREFERENCE * slot.rank * price, _most(case, self.rung, s), whole=asset.whole)
        y = model.variable(case.effort * self.k + TIE_ORDER, 1.0, whole=True)
        model.row({n: 1.0, y: -model.upper[n]}, high=0.0)
        model.row({n: price, y: -self.rung.min_buy[slot.asset] * self.k}, low=0.0)
        if asset.whole:
            model.row({n: 1.0, y: -1.0}, low=0.0)
        self.flows[slot.account][asset.currency] |= {n: -price, self._fee(n, y, s): -1.0}
        self.buy[s], self.bought[s] = n, y
        return [y]

    def _sale(self, s: int, slot: Slot) -> list[int]:
        """Add the sale of a slot, where there may be one; return whether it is made, as a variable."""
        if not self.rung.sells[s] or slot.sellable <= 0:
            return []
        case, model, asset = self.case, self.model, self.case.assets[slot.asset]
        price, smallest = asset.step * self.k, self.rung.min_sell[slot.asset] * self.k
        duty = float(asset.sell_tax) * price
        n = model.variable(duty * (1 + TIE_TAX), slot.sellable, whole=asset.whole)
        y = model.variable(case.effort * self.k + TIE_ORDER, 1.0, whole=True)
        model.row({n: 1.0, y: -slot.sellable}, high=0.0)
        if asset.whole:
            model.row({n: 1.0, y: -1.0}, low=0.0)
        if smallest:
            every = model.variable(0.0, 1.0, whole=True)
            model.row({n: 1.0, every: -slot.sellable}, low=0.0)
            model.row({n: price, y: -smallest, every: smallest}, low=0.0)
        fee = self._fee(n, y, s)
        money = self.flows[slot.account][asset.currency]
        money |= {n: price - duty, fee: -1.0}
        self.left[slot.account][n] = duty
        self.sell[s], self.sold[s] = n, y
        if slot.average is None or not asset.taxed or case.taxes == "none":
            return [y]
        gain = {n: price - float(slot.average) * self.k}
        if GAIN_NET_OF_COSTS:
            gain = {n: gain[n] - duty, fee: -1.0}
        if asset.taxed == "overseas":
            self.gains |= gain
            return [y]
        tax = model.variable((1.0 if case.taxes == "count" else 0.0) + TIE_TAX)
        model.row({tax: 1.0} | {v: -float(WITHHELD) * c for v, c in gain.items()}, low=0.0)
        self.left[slot.account][tax] = 1.0
        money[tax] = -1.0
        return [y]

    def _overseas_tax(self) -> None:
        if not self.gains or self.case.taxes != "count":
            return
        rate = float(OVERSEAS)
        due = self.model.variable(1.0)
        taxed = {v: -rate * c for v, c in self.gains.items()}
        self.model.row({due: 1.0} | taxed, low=-rate * self.case.allowance * self.k)

    def _cash(self, number: int, slack: float) -> None:
        """Add an account's conversions, and keep each of its currencies at its floor."""
        case, flows, purse = self.case, self.flows[number], self.case.purses[number]
        for a, b in itertools.permutations(case.rates if case.convert else (), 2):
            v = self.model.variable(case.spread)
            flows[a][v] = -1.0
            flows[b][v] = 1 - case.spread
            self.left[number][v] = case.spread
        for c, rate in case.rates.items():
            own = float(purse.cash.get(c, 0)) - float(purse.floor[c]) + slack * 10.0 ** -DIGITS[c]
            self.model.row(flows[c], low=-own * float(rate) * self.k)

    def _risk_cap(self, number: int) -> None:
        purse = self.case.purses[number]
        mine = [s for s, slot in enumerate(self.case.slots) if slot.account == number]
        mine = [s for s in mine if self.case.assets[self.case.slots[s].asset].risk]
        bought = [self.buy[s] for s in mine if s in self.buy]
        if purse.risk_cap is None or not bought:
            return
        steps = {s: self.case.assets[self.case.slots[s].asset].step * self.k for s in mine}
        risk = {self.buy[s]: steps[s] for s in mine if s in self.buy}
        risk |= {self.sell[s]: -steps[s] for s in mine if s in self.sell}
        for v, c in self.left[number].items():
            risk[v] = risk.get(v, 0.0) + purse.risk_cap * c
        room = (purse.risk_cap * purse.value - purse.risk) * self.k
        # The cap is for plans that buy risk assets: `anything` is more than any plan's risk assets are above it.
        buys, anything = self.model.variable(0.0, 1.0, whole=True), 2 * UNIT
        for v in bought:
            self.model.row({v: 1.0, buys: -self.model.upper[v]}, high=0.0)
        self.model.row(risk | {buys: anything - room}, high=anything)

    def _value(self, i: int) -> dict[int, float]:
        """Return the terms of what orders change an instrument's value by."""
        mine = [s for s, slot in enumerate(self.case.slots) if slot.asset == i]
        step = self.case.assets[i].step * self.k
        net = {self.buy[s]: step for s in mine if s in self.buy}
        return net | {self.sell[s]: -step for s in mine if s in self.sell}

    def _reaches(self) -> None:
        """Keep the orders of each goal's members within the rule on orders."""
        for g, reach in enumerate(self.rung.reaches):
            if reach is None:
                continue
            shares = self.case.goals[g].exposures
            mine = [s for s, slot in enumerate(self.case.slots) if slot.asset in shares and not slot.spare]
            moved: dict[int, float] = {}
            nets: dict[int, dict[int, float]] = {}
            for s in mine:
                step = shares[self.case.slots[s].asset] * self.case.assets[self.case.slots[s].asset].step * self.k
                moved |= {self.buy[s]: step} if s in self.buy else {}
                moved |= {self.sell[s]: -step} if s in self.sell else {}
                net = nets.setdefault(self.case.slots[s].asset, {})
                net |= {self.buy[s]: 1.0} if s in self.buy else {}
                net |= {self.sell[s]: -1.0} if s in self.sell else {}
            for m, net in nets.items():
                low, high = (-math.inf if reach.down[m] else 0.0), (math.inf if reach.up[m] else 0.0)
                if net and (low == 0 or high == 0):
                    self.model.row(net, low, high)
            if moved:
                self._reach(moved, {s: self.bought[s] for s in mine if s in self.bought}, reach.up)
                self._reach(
                    {v: -c for v, c in moved.items()}, {s: self.sold[s] for s in mine if s in self.sold}, reach.down
                )

    def _reach(self, moved: Mapping[int, float], orders: Mapping[int, int], most: Mapping[int, float]) -> None:
        """Keep what moves to the most that the orders made allow, by asset: one of them may be named."""
        caps = {s: most[self.case.slots[s].asset] for s in orders}
        if math.inf in caps.values():
            assert min(caps.values()) == math.inf
            return
        if len(set(caps.values())) <= 1:
            self.model.row(moved, high=next(iter(caps.values()), 0.0) * self.k)
            return
        named = {}
        for s, order in orders.items():
            z = self.model.variable(0.0, 1.0, whole=True)
            self.model.row({z: 1.0, order: -1.0}, high=0.0)
            named[z] = caps[s] * self.k
        self.model.row(dict.fromkeys(named, 1.0), high=1.0)
        self.model.row({**moved, **{z: -cap for z, cap in named.items()}}, high=0.0)

    def _goal(self, g: int) -> dict[int, float]:
        """Return the terms of what orders change a goal's value by."""
        found: dict[int, float] = {}
        for m, share in self.case.goals[g].exposures.items():
            found |= {v: share * c for v, c in self.values[m].items()}
        return found

    def _deviations(self) -> float:
        """Add what deviations count; return what they count whatever the plan."""
        constant = 0.0
        for s, slot in enumerate(self.case.slots):
            if slot.spare:
                constant += self.rung.spare * slot.spare * self.k
                step = self.case.assets[slot.asset].step * self.k
                for v, sign in ((self.buy.get(s), 1.0), (self.sell.get(s), -1.0)):
                    if v is not None:
                        self.model.cost[v] += self.rung.spare * sign * step
        for g, goal in enumerate(self.case.goals):
            changes = self._goal(g)
            for v, c in changes.items():
                self.model.cost[v] += self.rung.stubs[g] * c
            constant += self.rung.stubs[g] * goal.value * self.k
            for term in self.rung.terms[g]:
                parts = self._parts(term.coefficient, term.scale)
                away = {v: -c for v, c in changes.items()}
                self.model.row(parts | away, low=(goal.value - term.high) * self.k)
                self.model.row(parts | changes, low=(term.low - goal.value) * self.k)
        return constant

    def _idle_cash(self) -> float:
        cash: dict[int, float] = {}
        for terms in (terms for purse in self.flows for terms in purse.values()):
            for v, c in terms.items():
                cash[v] = cash.get(v, 0.0) + c
        gap = (self.case.cash_target - self.case.cash) * self.k
        scale = self.case.cash_scale
        self.model.row(self._parts(1.0, scale) | cash, low=gap)
        left = {v: c for purse in self.left for v, c in purse.items()}
        above = {v: cash.get(v, 0.0) + left.get(v, 0.0) for v in {**cash, **left}}
        parts = self._parts(1.0, scale, self.rung.idle_cap)
        self.model.row(parts | {v: -c for v, c in above.items()}, low=-gap)
        return 0.0

    def _parts(self, coefficient: float, scale: float, cap: float = math.inf) -> dict[int, float]:
        """Add a variable for each bracket; return the terms of their sum."""
        start, found = 0.0, {}
        for edge, slope in zip(EDGES, SLOPES, strict=True):
            width = (edge - start) * scale * self.k
            found[self.model.variable(coefficient * min(slope, cap), width)] = 1.0
            start = edge
        return found

    def _limits(self) -> None:
        for limit in self.case.limits:
            joint: dict[int, float] = {}
            for m, share in limit.exposures.items():
                joint |= {v: limit.sign * share * c for v, c in self.values[m].items()}
            room = -limit.excess([asset.value for asset in self.case.assets]) * self.k
            if limit.broken:
                self.model.row(joint | {self.model.variable(BROKEN): -1.0}, high=room)
            elif joint:
                self.model.row(joint, high=max(room, 0.0))
        if self.case.turnover is not None and self.turnover:
            self.model.row(self.turnover, high=self.case.turnover * self.k)


def textbook(case: Case, rung: Rung, *, slack: float = 0.0) -> Best | None:
    """Return the best plan of a rung, charges not rounded, or None where it is proven to have none."""
    book = _Book(case, rung, slack)
    status, objective, solution = book.model.solve()
    if status == "infeasible":
        return None
    found: dict[int, float] = {}
    for s, slot in enumerate(case.slots):
        lots = sum(solution[side[s]] * sign for side, sign in ((book.buy, 1), (book.sell, -1)) if s in side)
        lots = float(round(lots)) if case.assets[slot.asset].whole else lots
        if abs(lots) > EPS:
            found[s] = lots
    outcome = measure(case, rung, found, exact=False, slack=slack)
    assert abs(outcome.objective - (objective + book.constant) / UNIT) < MISMATCH, (outcome, objective, book.constant)
    return Best(rung.number, outcome.objective, outcome.outside, found, outcome.cash)


def _most(case: Case, rung: Rung, s: int) -> float:
    """Return the most lots that a slot can buy, were every charge nil."""
    asset = case.assets[case.slots[s].asset]
    most = max(min(case.spendable(case.slots[s].account) / asset.step, furthest(case, rung, s)[1]), 0.0)
    return float(math.floor(most + EPS)) if asset.whole else most


def answer(case: Case, *, slack: float = 0.0) -> Answer:
    """Return the plan to take, by the textbook model."""
    return climb(case, lambda c, r: textbook(c, r, slack=slack), nothing)
