"""A plain plan, at once: raise the cash that is lacking, then buy what is furthest below its target.

It keeps every rule or is not used; what it is for is to start from, and to have a plan where a proof takes too long.
"""

from __future__ import annotations

import numpy as np

from engine.trades.problem import Floats, Ints, TradeProblem, charges, evaluate, settle


def greedy(problem: TradeProblem) -> Ints:
    """Return trades that may keep every constraint: the caller checks."""
    units = np.zeros(problem.size, dtype=np.int64)
    if not problem.size:
        return units
    units = _raise_cash(problem, units)
    return _spend(problem, units)


def _worth(problem: TradeProblem) -> Floats:
    """Return how much better off each slot's row is per unit of money bought, before trading."""
    rows, slots = problem.rows, problem.slots
    hinges = rows.hinges
    slope = np.zeros(len(rows.value))
    beyond = hinges.sign * (rows.value[hinges.row] - hinges.kink)
    np.add.at(slope, hinges.row, np.where(beyond > 0, hinges.weight * hinges.sign, 0.0))
    found = np.zeros(problem.size)
    np.add.at(found, rows.slot, -slope[rows.at] * rows.share)
    return found - slots.buy_rate


def _short(problem: TradeProblem, units: Ints) -> Floats:
    """Return what each account lacks to its reserves after trades (0 where nothing)."""
    moved = units.astype(np.float64)
    charged = charges(problem, moved)
    used = moved * problem.slots.price + charged.cost + charged.withheld
    cash = problem.cash - np.bincount(problem.slots.pool, weights=used, minlength=len(problem.cash))
    left, _ = settle(problem, cash)
    return np.asarray(np.maximum(-left, 0.0), dtype=np.float64)


def _raise_cash(problem: TradeProblem, units: Ints) -> Ints:
    """Sell, most overweight first, until every account reaches its reserves or nothing is left to sell."""
    slots = problem.slots
    order = np.argsort(_worth(problem), kind="stable")
    account = problem.account[slots.pool]
    units = units.copy()
    for slot in order.tolist():
        lacking = float(_short(problem, units)[account[slot]])
        if lacking <= 0:
            continue
        low = max(int(slots.low[slot]), int(problem.net_low[slots.symbol[slot]]))
        if low >= 0:
            continue
        rate = float(slots.sell_rate[slot] + slots.tax_rate[slot] + 0.3 * (slots.withheld[slot] > 0))
        wanted = (lacking + float(slots.fee_minimum[slot])) / (float(slots.price[slot]) * max(1 - rate, 0.1)) + 1
        steps = min(max(int(np.ceil(wanted)), int(slots.minimum_sell[slot])), -low)
        if steps < slots.minimum_sell[slot] and not (slots.full[slot] and -steps == slots.low[slot]):
            continue
        units[slot] = -steps
    return units


def _spend(problem: TradeProblem, units: Ints) -> Ints:
    """Buy, most underweight first, as far as each account's cash reaches and the measure improves."""
    slots = problem.slots
    worth = _worth(problem)
    account = problem.account[slots.pool]
    best = evaluate(problem, units)
    if not best.feasible:
        return units
    for slot in np.argsort(-worth, kind="stable")[:200].tolist():
        if worth[slot] <= 0 or units[slot] or slots.high[slot] <= 0:
            continue
        pools = problem.cash[problem.account == account[slot]] if problem.linked else problem.cash[[slots.pool[slot]]]
        spent = float((units * slots.price)[account == account[slot]].sum())
        free = max(float(pools.sum()) - spent, 0.0) * (1 - float(slots.buy_rate[slot]) - problem.spread)
        most = min(int(free / slots.price[slot]), int(slots.high[slot]), int(problem.net_high[slots.symbol[slot]]))
        for steps in (most, most - 1, most // 2):
            if steps < slots.minimum_buy[slot] or steps <= 0:
                continue
            trial = units.copy()
            trial[slot] = steps
            found = evaluate(problem, trial)
            if found.feasible and found.objective < best.objective:
                units, best = trial, found
                break
    return units
