"""The problem that is left when some trades are decided: money spent, values moved, orders counted."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from engine.trades.problem import Bools, Hinges, Ints, Rows, Slots, TradeProblem, charges


def part_of(problem: TradeProblem, units: Ints, open_: Bools) -> TradeProblem:
    """Return the problem of the open slots, the others' trades done; for problems without risk caps and turnover."""
    slots, rows = problem.slots, problem.rows
    done = np.where(open_, 0, units).astype(np.float64)
    charged = charges(problem, done)
    value = done * slots.price
    traded = done != 0
    used = value + charged.cost + charged.withheld
    saved = np.bincount(slots.pool, weights=slots.cash_slack * traded, minlength=len(problem.cash))
    slack = saved.astype(np.float64)
    spent = np.bincount(slots.pool, weights=used, minlength=len(problem.cash))
    # Cash and what left it are measured together above the target: what has left is added back by moving the kinks.
    left = float(used.sum() - value.sum())
    keep = np.flatnonzero(open_)
    place = np.full(problem.size, -1)
    place[keep] = np.arange(len(keep))
    inside = place[rows.slot] >= 0
    moved = Rows(
        value=rows.value + rows.traded(value),
        low=rows.low,
        high=rows.high,
        at=rows.at[inside],
        slot=place[rows.slot[inside]],
        share=rows.share[inside],
        hinges=rows.hinges,
    )
    above = problem.cash_above
    return replace(
        problem,
        slots=Slots(**{field.name: getattr(slots, field.name)[keep] for field in fields(Slots)}),
        rows=moved,
        cash=problem.cash - spent,
        cash_above=Hinges(above.row, above.kink - left, above.sign, above.weight),
        allowance=problem.allowance - float(charged.gain.sum()),
        spent=problem.spent
        + float(charged.cost.sum())
        + problem.tax_weight * float(charged.withheld.sum())
        + problem.order * int(traded.sum())
        + float((slots.dislike * np.maximum(value, 0.0)).sum()),
        granted=slack if problem.granted is None else problem.granted + slack,
        forgiven=problem.forgiven + float((slots.slack * traded).sum()),
    )
