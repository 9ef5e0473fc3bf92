"""A plan next to the dual's: the few trades that the prices hardly decide are chosen so that the cash comes out.

At the best prices almost every trade is settled; what is left is a remainder of cash that one or two of the undecided
trades use up. They are tried one by one, then two by two, all at once on arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from engine.trades.dual import Choices, Dual, Relaxation
from engine.trades.problem import Bools, Floats, Hinges, Ints, Rows, Slots, TradeProblem, charges, settle

#: Trades that are tried one by one, and two by two; and how often.
SINGLES, PAIRS, ROUNDS = 2_000, 160, 40
#: Steps beside a trade that are tried; instruments of which more are, and how many.
AROUND = (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0)
UNDECIDED, FINE = 6, 129


def near(relaxation: Relaxation, dual: Dual) -> Ints | None:
    """Return a plan that keeps the cash, or None where none was found nearby."""
    search = _Near(relaxation, dual)
    if not search.mend():
        return None
    search.improve()
    return search.units()


@dataclass(frozen=True, slots=True)
class _Others:
    """Alternatives to the dual's trades, m of them: slot, steps, cost in the objective, cash, value, gain, loss."""

    slot: Ints
    steps: Floats
    cost: Floats
    used: Floats
    value: Floats
    gain: Floats
    lost: Floats


def _alternatives(relaxation: Relaxation, dual: Dual) -> _Others:
    """Return the trades that lose least against the dual: candidates, steps around, what is all but tied."""
    problem = relaxation.problem
    best = relaxation.priced(dual.choices, dual.prices).min(axis=1)
    around = relaxation.at(dual.best[:, None] + np.array(AROUND))
    slots = np.arange(problem.size)
    parts = [_flat(problem, dual.choices, dual.reduced, slots)]
    parts.append(_flat(problem, around, relaxation.priced(around, dual.prices) - best[:, None], slots))
    other = np.where(dual.choices.units == dual.best[:, None], np.inf, dual.reduced)
    tied = np.argsort(other.min(axis=1), kind="stable")[:UNDECIDED]
    tied = tied[np.isfinite(other[tied].min(axis=1))]
    if len(tied):
        chosen = np.zeros(problem.size, dtype=np.bool_)
        chosen[tied] = True
        inner = Relaxation(part_of(problem, np.rint(dual.best).astype(np.int64), chosen))
        tied = np.flatnonzero(chosen)
        ends = dual.best[tied], dual.choices.units[tied, other[tied].argmin(axis=1)]
        fine = inner.at(np.rint(np.linspace(*ends, FINE, axis=1)))
        parts.append(_flat(problem, fine, inner.priced(fine, dual.prices) - best[tied][:, None], tied))
    place, steps, *rest, lost = (np.concatenate(column) for column in zip(*parts, strict=True))
    slot = place.astype(np.int64)
    keep = np.flatnonzero(np.isfinite(lost) & (steps != dual.best[slot]))
    keep = keep[np.lexsort((lost[keep], steps[keep], slot[keep]))]
    again = np.zeros(len(keep), dtype=np.bool_)
    again[1:] = (slot[keep][1:] == slot[keep][:-1]) & (steps[keep][1:] == steps[keep][:-1])
    keep = keep[~again]
    keep = keep[np.argsort(lost[keep], kind="stable")][:SINGLES]
    cost, used, value, gain = (column[keep] for column in rest)
    return _Others(slot[keep], steps[keep], cost, used, value, gain, np.maximum(lost[keep], 0.0))


def _flat(problem: TradeProblem, choices: Choices, lost: Floats, slots: Ints) -> tuple[Floats, ...]:
    """Return candidates one after the other, as of `_Others`, without what rounding may save."""
    traded = choices.units != 0
    cost_slack = problem.slots.slack[slots][:, None] * traded
    cash_slack = problem.slots.cash_slack[slots][:, None] * traded
    places = np.broadcast_to(slots[:, None].astype(np.float64), choices.units.shape)
    columns = (
        places,
        choices.units,
        choices.objective + cost_slack,
        choices.used + cash_slack,
        choices.value - cash_slack,
        choices.gain,
        lost,
    )
    return tuple(np.ravel(column) for column in columns)


#: What a change does: cash used by pool, cost, value, gain.
_Change = tuple[Floats, Floats, Floats, Floats]


class _Near:
    """A plan, and what each of the alternatives would change about it."""

    def __init__(self, relaxation: Relaxation, dual: Dual) -> None:
        problem = self._problem = relaxation.problem
        others, slots = _alternatives(relaxation, dual), problem.slots
        self._others = others
        rows, best = np.arange(problem.size), dual.reduced.argmin(axis=1)
        choices, traded = dual.choices, dual.best != 0
        self._steps = choices.units[rows, best].copy()
        self._cost = choices.objective[rows, best] + slots.slack * traded
        self._used = choices.used[rows, best] + slots.cash_slack * traded
        self._value = choices.value[rows, best] - slots.cash_slack * traded
        self._gain = choices.gain[rows, best].copy()
        self._pool = slots.pool[others.slot]
        self._total = float(self._cost.sum()) + relaxation.constant
        self._cash = problem.cash - np.bincount(slots.pool, weights=self._used, minlength=len(problem.cash))
        self._gross = float(problem.cash.sum() - self._value.sum())
        self._gained = float(self._gain.sum())
        self._set_current()

    @property
    def objective(self) -> float:
        """Return what the plan comes to; inf where the cash is lacking."""
        return self._current

    def units(self) -> Ints:
        """Return the plan's trades in steps."""
        units: Ints = np.rint(self._steps).astype(np.int64)
        return units

    def _set_current(self) -> None:
        none = np.zeros(1)
        self._current = float(self._measure((np.zeros((1, len(self._cash))), none, none, none))[0])

    def _measure(self, change: _Change) -> Floats:
        """Return the objective of changes (m of them); inf: cash lacks."""
        problem, (cash, cost, value, gain) = self._problem, change
        left, paid = settle(problem, self._cash - cash)
        spread = paid.sum(axis=-1)
        after = self._cash.sum() - cash.sum(axis=-1) - spread
        overseas = problem.overseas_rate * np.maximum(self._gained + gain - problem.allowance, 0.0)
        found = self._total + cost + spread + overseas
        found = found + _at(problem.cash_below, after) + _at(problem.cash_above, self._gross - value)
        return np.where((left >= 0).all(axis=-1), found, np.inf)

    def _changes(self, which: Ints | slice = slice(None)) -> _Change:
        """Return what alternatives change."""
        others = self._others
        slot = others.slot[which]
        cash = np.zeros((len(slot), len(self._cash)))
        cash[np.arange(len(slot)), self._pool[which]] = others.used[which] - self._used[slot]
        return (
            cash,
            others.cost[which] - self._cost[slot],
            others.value[which] - self._value[slot],
            others.gain[which] - self._gain[slot],
        )

    def _take(self, place: int) -> None:
        """Put an alternative into the plan."""
        others = self._others
        slot = int(others.slot[place])
        cash, cost, value, gain = (float(part.sum()) for part in self._changes(np.array([place])))
        self._cash[self._pool[place]] -= cash
        self._total += cost
        self._gross -= value
        self._gained += gain
        self._steps[slot], self._cost[slot] = others.steps[place], others.cost[place]
        self._used[slot], self._value[slot] = others.used[place], others.value[place]
        self._gain[slot] = others.gain[place]
        self._set_current()

    def mend(self) -> bool:
        """Use less cash, at the least loss, until there is enough."""
        for _ in range(ROUNDS):
            if np.isfinite(self._current):
                return True
            change = self._changes()
            single = self._measure(change)
            if len(single) and np.isfinite(single.min()):
                self._take(int(single.argmin()))
                continue
            left, _ = settle(self._problem, self._cash)
            short, freed = -float(np.minimum(left, 0.0).sum()), -change[0].sum(axis=1)
            useful = np.flatnonzero(freed > 0)
            if not len(useful):
                return False
            self._take(int(useful[(self._others.lost[useful] / np.minimum(freed[useful], short)).argmin()]))
        return bool(np.isfinite(self._current))

    def improve(self) -> None:
        """Change one trade, or two, as long as that is better."""
        for _ in range(ROUNDS):
            change = self._changes()
            single = self._measure(change)
            if len(single) and single.min() < self._current * (1 - 1e-12):
                self._take(int(single.argmin()))
            elif not self._pair(change):
                return

    def _pair(self, change: _Change) -> bool:
        first, second = np.triu_indices(min(PAIRS, len(self._others.slot)), 1)
        apart = self._others.slot[first] != self._others.slot[second]
        first, second = first[apart], second[apart]
        if not len(first):
            return False
        cash, cost, value, gain = (part[first] + part[second] for part in change)
        both = self._measure((cash, cost, value, gain))
        place = int(both.argmin())
        if both[place] >= self._current * (1 - 1e-12):
            return False
        self._take(int(first[place]))
        self._take(int(second[place]))
        return True


def _at(hinges: Hinges, levels: Floats) -> Floats:
    found = np.zeros_like(levels)
    for kink, sign, weight in zip(hinges.kink.tolist(), hinges.sign.tolist(), hinges.weight.tolist(), strict=True):
        found += weight * np.maximum(sign * (levels - kink), 0.0)
    return found


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
