"""The best plan as a plain mixed-integer model of each rung, solved to a gap of 0 by HiGHS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import highspy
import numpy as np

from oracle.brute import Answer, Best, climb, nothing
from oracle.measure import GAIN_NET_OF_COSTS, measure
from oracle.reading import BROKEN, DIGITS, EDGES, OVERSEAS, SLOPES, WITHHELD, Case, Rung, Slot

#: The total value in the model, so that HiGHS's absolute tolerances are of money that does not matter.
UNIT = 1000.0
#: Objective left to prove, as HiGHS counts it.
NODES = 200_000


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

    def solve(self, limit: float | None = None) -> tuple[str, float, list[float], float]:
        """Return the status, the objective, the values and HiGHS's own bound."""
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
        for presolve in ("choose", "off"):
            solver = highspy.Highs()
            for name, value in {
                "output_flag": False,
                "threads": 1,
                "mip_rel_gap": 0.0,
                "mip_abs_gap": 1e-9,
                "mip_feasibility_tolerance": 1e-9,
                "primal_feasibility_tolerance": 1e-9,
                "presolve": presolve,
            }.items():
                solver.setOptionValue(name, value)
            if limit is not None:
                solver.setOptionValue("time_limit", limit)
            solver.passModel(lp)
            solver.run()
            status = solver.getModelStatus()
            if status == highspy.HighsModelStatus.kOptimal:
                info = solver.getInfo()
                return (
                    "optimal",
                    info.objective_function_value,
                    list(solver.getSolution().col_value),
                    info.mip_dual_bound,
                )
            if status == highspy.HighsModelStatus.kInfeasible and presolve == "off":
                return "infeasible", math.inf, [], math.inf
        raise Unfinished(str(status))


@dataclass
class _Orders:
    """The variables of one slot."""

    buy: int | None = None
    sell: int | None = None


def textbook(case: Case, rung: Rung, *, slack: float = 0.0, limit: float | None = None) -> Best | None:
    """Return the best plan of a rung, charges not rounded, or None where it is proven to have none."""
    model = Model()
    k = UNIT / case.total
    counted = case.taxes == "count"
    orders = [_Orders() for _ in case.slots]
    left: dict[int, float] = {}  # what leaves the cash at once
    flows: list[dict[str, dict[int, float]]] = [{c: {} for c in case.rates} for _ in case.purses]
    turnover: dict[int, float] = {}
    gains: dict[int, float] = {}
    flags: dict[int, float] = {}

    for s, slot in enumerate(case.slots):
        asset = case.assets[slot.asset]
        price = asset.step * k
        minimum = float(asset.fee * asset.fx) * k
        money = flows[slot.account][asset.currency]
        side = []
        if rung.buys[slot.asset] and slot.may_buy:
            n = model.variable(upper=_most(case, rung, slot), whole=asset.whole)
            y = model.variable(case.effort * k, 1.0, whole=True)
            model.row({n: 1.0, y: -model.upper[n]}, high=0.0)
            if rung.min_buy[slot.asset]:
                model.row({n: price, y: -rung.min_buy[slot.asset] * k}, low=0.0)
            fee = model.variable(1.0)
            model.row({fee: 1.0, n: -float(asset.commission) * price}, low=0.0)
            model.row({fee: 1.0, y: -minimum}, low=0.0)
            left[fee] = 1.0
            money |= {n: -price, fee: -1.0}
            turnover[n] = price
            orders[s].buy = n
            flags[y] = 1.0
            side.append(y)
        if rung.sells[slot.asset] and slot.sellable > 0:
            n = model.variable(float(asset.sell_tax) * price, slot.sellable, whole=asset.whole)
            y = model.variable(case.effort * k, 1.0, whole=True)
            model.row({n: 1.0, y: -slot.sellable}, high=0.0)
            if asset.whole:
                model.row({n: 1.0, y: -1.0}, low=0.0)
            if rung.min_sell[slot.asset]:
                every = model.variable(0.0, 1.0, whole=True)
                model.row({n: 1.0, every: -slot.sellable}, low=0.0)
                model.row({n: price, y: -rung.min_sell[slot.asset] * k, every: rung.min_sell[slot.asset] * k}, low=0.0)
            fee = model.variable(1.0)
            model.row({fee: 1.0, n: -float(asset.commission) * price}, low=0.0)
            model.row({fee: 1.0, y: -minimum}, low=0.0)
            left |= {fee: 1.0, n: float(asset.sell_tax) * price}
            money |= {n: price * (1 - float(asset.sell_tax)), fee: -1.0}
            turnover[n] = price
            orders[s].sell = n
            side.append(y)
            if slot.average is not None and asset.taxed and case.taxes != "none":
                gain = {n: price - float(slot.average) * k}
                if GAIN_NET_OF_COSTS:
                    gain = {n: gain[n] - float(asset.sell_tax) * price, fee: -1.0}
                if asset.taxed == "dividend":
                    tax = model.variable(1.0 if counted else 0.0)
                    model.row({tax: 1.0} | {v: -float(WITHHELD) * c for v, c in gain.items()}, low=0.0)
                    left[tax] = 1.0
                    money[tax] = -1.0
                else:
                    gains |= gain
        if len(side) == 2:
            model.row(dict.fromkeys(side, 1.0), high=1.0)

    if gains and counted:
        due = model.variable(1.0)
        model.row(
            {due: 1.0} | {v: -float(OVERSEAS) * c for v, c in gains.items()}, low=-float(OVERSEAS) * case.allowance * k
        )

    for number, purse in enumerate(case.purses):
        currencies = list(case.rates)
        if case.convert:
            for a in currencies:
                for b in currencies:
                    if a != b:
                        v = model.variable(case.spread)
                        flows[number][a][v] = -1.0
                        flows[number][b][v] = 1 - case.spread
                        left[v] = case.spread
        for c in currencies:
            own = float(purse.cash.get(c, 0)) - float(purse.floor[c]) + slack * 10.0 ** -DIGITS[c]
            if flows[number][c] or own < 0:
                model.row(flows[number][c], low=-own * float(case.rates[c]) * k)
        _risk_cap(case, model, orders, number, k)
    total_cash: dict[int, float] = {}
    for purse_flows in flows:
        for terms in purse_flows.values():
            for v, c in terms.items():
                total_cash[v] = total_cash.get(v, 0.0) + c
    values = []
    for i, asset in enumerate(case.assets):
        net: dict[int, float] = {}
        for s, slot in enumerate(case.slots):
            if slot.asset == i:
                net |= {orders[s].buy: 1.0} if orders[s].buy is not None else {}  # type: ignore[dict-item]
                net |= {orders[s].sell: -1.0} if orders[s].sell is not None else {}  # type: ignore[dict-item]
        if net:
            model.row(net, rung.net_low[i], rung.net_high[i])
        values.append({v: c * asset.step * k for v, c in net.items()})
    constant = _measure(case, rung, model, values, total_cash, left, k)
    for limit_ in case.limits:
        joint: dict[int, float] = {}
        for m in limit_.members:
            joint |= values[m]
        now = sum(case.assets[m].value for m in limit_.members)
        room = limit_.sign * (limit_.bound - now) * k
        if limit_.broken:
            over = model.variable(BROKEN)
            model.row({v: limit_.sign * c for v, c in joint.items()} | {over: -1.0}, high=room)
        elif joint:
            model.row({v: limit_.sign * c for v, c in joint.items()}, high=max(room, 0.0))
    if case.turnover is not None and turnover:
        model.row(turnover, high=case.turnover * k)

    status, objective, solution, _ = model.solve(limit)
    if status == "infeasible":
        return None
    found: dict[int, float] = {}
    for s, one in enumerate(orders):
        lots = (solution[one.buy] if one.buy is not None else 0.0) - (
            solution[one.sell] if one.sell is not None else 0.0
        )
        lots = float(round(lots)) if case.assets[case.slots[s].asset].whole else lots
        if abs(lots) > 1e-9:
            found[s] = lots
    outcome = measure(case, rung, found, exact=False, slack=slack + 1)
    return Best(rung.number, (objective + constant) / UNIT, outcome.outside, found, outcome.cash)


def _most(case: Case, rung: Rung, slot: Slot) -> float:
    asset = case.assets[slot.asset]
    held = sum(o.sellable * case.assets[o.asset].step for o in case.slots if o.account == slot.account)
    cash = case.purses[slot.account].cash
    money = held + float(sum(case.rates[c] * max(n, 0) for c, n in cash.items()))
    elsewhere = sum(o.sellable for o in case.slots if o.asset == slot.asset and o.account != slot.account)
    most = max(min(money / asset.step, rung.net_high[slot.asset] + elsewhere), 0.0)
    return float(math.floor(most + 1e-9)) if asset.whole else most


def _risk_cap(case: Case, model: Model, orders: list[_Orders], number: int, k: float) -> None:
    purse = case.purses[number]
    if purse.risk_room is None:
        return
    risk: dict[int, float] = {}
    bought = []
    for s, slot in enumerate(case.slots):
        asset = case.assets[slot.asset]
        if slot.account != number or not asset.risk:
            continue
        buy, sell = orders[s].buy, orders[s].sell
        if buy is not None:
            risk[buy] = asset.step * k
            bought.append(buy)
        if sell is not None:
            risk[sell] = -asset.step * k
    room = (purse.risk_room - purse.risk) * k
    if not bought:
        return
    if room >= 0:
        model.row(risk, high=room)
        return
    buys = model.variable(0.0, 1.0, whole=True)
    for v in bought:
        model.row({v: 1.0, buys: -model.upper[v]}, high=0.0)
    model.row(risk | {buys: -room}, high=0.0)


def _measure(
    case: Case,
    rung: Rung,
    model: Model,
    values: list[dict[int, float]],
    cash: dict[int, float],
    left: dict[int, float],
    k: float,
) -> float:
    """Add the deviations, of instruments and of cash; return what is the same for every plan."""
    constant = 0.0
    for i, asset in enumerate(case.assets):
        for v, c in values[i].items():
            model.cost[v] += rung.stubs[i] * c
        constant += rung.stubs[i] * asset.value * k
        for term in rung.terms[i]:
            parts = _parts(model, term.coefficient, term.scale * k)
            # sum of parts ≥ x − high and ≥ low − x, where x = value + change
            model.row(parts | {v: -c for v, c in values[i].items()}, low=(asset.value - term.high) * k)
            model.row(parts | values[i], low=(term.low - asset.value) * k)
    gap = (case.cash_target - case.cash) * k
    model.row(_parts(model, 1.0, case.cash_scale * k) | cash, low=gap)
    above = dict(cash)
    for v, c in left.items():
        above[v] = above.get(v, 0.0) + c
    model.row(_parts(model, 1.0, case.cash_scale * k, rung.idle_cap) | {v: -c for v, c in above.items()}, low=-gap)
    return constant


def _parts(model: Model, coefficient: float, scale: float, cap: float = math.inf) -> dict[int, float]:
    """Add a variable for each bracket; return the terms of their sum."""
    start, found = 0.0, {}
    for edge, slope in zip(EDGES, SLOPES, strict=True):
        found[model.variable(coefficient * min(slope, cap), (edge - start) * scale)] = 1.0
        start = edge
    return found


def answer(case: Case, *, slack: float = 0.0, limit: float | None = None) -> Answer:
    """Return the plan to take, by the textbook model."""
    return climb(case, lambda c, r: textbook(c, r, slack=slack, limit=limit), nothing)
