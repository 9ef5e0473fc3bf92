"""Enumerate the combinations of surviving trades as states, pruned by bound and by dominance.

A state is the reduced cost so far and the cash above the reserve of each pool. What is not enumerated is remembered by
the least objective it could still have had, so that a bound stays true when a limit cuts the enumeration short.
"""

from __future__ import annotations

import numpy as np

from engine.trades.alternatives import Alternatives
from engine.trades.dual import Choices, Dual, beyond, objective_and_cash
from engine.trades.incumbent import Incumbent
from engine.trades.problem import Floats, Ints, Problem, settle

#: States kept at a stage once the whole enumeration has cost much.
BEAM = 2_000
#: New states tried at a stage, for each that may be kept, and in all before the beam narrows.
_EXPANSION = 10
_WORK = 4_000_000
#: States below which looking for dominated ones costs more than it saves.
_FEW_STATES = 256
#: Alternatives of one slot beyond which only those that fit the state's cash are tried.
_MANY = 12


def enumerate_states(
    problem: Problem,
    dual: Dual,
    choices: Choices,
    alternatives: Alternatives,
    incumbent: Incumbent,
    max_states: int,
    tolerance: float,
) -> float:
    """Enumerate the alternatives' combinations; offer the best to the incumbent.

    Returns the least objective that a state cut away by `max_states` could still have reached (inf if none was).
    """
    best = objective_and_cash(problem, dual.best[:, None])
    pools = len(problem.cash)
    used = np.bincount(problem.pool, weights=best.cash[:, 0], minlength=pools)
    above = (problem.cash - problem.reserve - used)[None, :]
    reduced = np.zeros(1)
    order, spans = _stages(alternatives)
    after_low, after_high = _remaining(problem, alternatives, order, spans)
    history: list[tuple[Ints, Ints, Ints]] = []
    cut = float("inf")
    floor, work = np.full(1, dual.bound), 0
    for stage, slot in enumerate(order):
        rows = spans[slot]
        last = stage == len(order) - 1
        most = max_states if work < _WORK else min(BEAM, max_states)
        strong, lost = _strongest(floor, np.arange(len(reduced)), max(_EXPANSION * most // (len(rows) + 1), 1))
        cut = min(cut, lost)
        if last and len(rows) > _MANY:
            parents, picks = _fitting(problem, choices, alternatives, slot, rows, above[strong])
            parents = strong[parents]
        else:
            parents = np.repeat(strong, len(rows) + 1)
            picks = np.tile(np.arange(len(rows) + 1), len(strong))
        work += len(parents)
        freed = np.concatenate([[0.0], -alternatives.cash[rows]])
        dearer = np.concatenate([[0.0], alternatives.reduced[rows]])
        reduced_next, above_next = reduced[parents] + dearer[picks], above[parents]
        above_next[:, problem.pool[slot]] += freed[picks]
        rest = _least_cash_term(problem, dual, above_next, after_low[stage], after_high[stage])
        floor = dual.bound + reduced_next + rest
        kept = np.flatnonzero((floor <= incumbent.objective + tolerance) & np.isfinite(floor))
        kept = kept[_undominated(problem, dual, reduced_next[kept], above_next[kept], tolerance)]
        kept, lost = _strongest(floor, kept, most)
        cut = min(cut, lost)
        history.append((parents[kept], picks[kept], rows))
        reduced, above, floor = reduced_next[kept], above_next[kept], floor[kept]
        _offer_best(problem, dual, alternatives, incumbent, reduced, above, history, tolerance, last=last)
    return cut


def _strongest(floor: Floats, states: Ints, most: int) -> tuple[Ints, float]:
    """Return the states of least floor, in order, and the least floor of those left out (inf if none are)."""
    if len(states) <= most:
        return states, float("inf")
    ranked = states[np.argpartition(floor[states], most)]
    return np.sort(ranked[:most]), float(floor[ranked[most:]].min())


def _fitting(
    problem: Problem, choices: Choices, alternatives: Alternatives, slot: int, rows: Ints, above: Floats
) -> tuple[Ints, Ints]:
    """Return, for the last slot, only the picks that can be best for each state (parents, picks; pick 0 is the best).

    Along a slot's selling or buying range, reduced cost plus cash term is convex, so its minimum lies at a breakpoint
    of either: at one of the slot's own, or beside the cash at which its pool, or all cash, changes slope.
    """
    freed = -alternatives.cash[rows]
    order = np.argsort(freed, kind="stable")
    own = np.flatnonzero(np.isin(alternatives.units[rows], choices.units[slot]))
    edges = np.flatnonzero(np.diff(alternatives.units[rows][order]) != -1)
    fixed = np.unique(np.concatenate([own, order[edges], order[np.minimum(edges + 1, len(order) - 1)], order[[0, -1]]]))
    mine = above[:, problem.pool[slot]]
    worth_without = above.copy()
    worth_without[:, problem.pool[slot]] = 0.0
    rest = _worth(problem, worth_without)
    room = problem.cash_target - float(problem.reserve.sum())
    marks = [-mine]
    for level in (0.0, max(room, 0.0)):
        wanted = level - rest
        marks.append(np.where(wanted >= 0, wanted, wanted * (1.0 - problem.spread)) - mine)
    near = [np.searchsorted(freed[order], mark) for mark in marks]
    columns = [order[np.clip(place + shift, 0, len(order) - 1)] + 1 for place in near for shift in (-2, -1, 0, 1)]
    picks = np.concatenate([np.stack(columns, axis=1), np.tile(np.append(fixed + 1, 0), (len(above), 1))], axis=1)
    width = len(rows) + 1
    keys = np.unique((np.arange(len(above))[:, None] * width + picks).ravel())
    return keys // width, keys % width


def _undominated(problem: Problem, dual: Dual, reduced: Floats, above: Floats, tolerance: float) -> Ints:
    """Return the states that no other state makes useless.

    With v = cash of A − cash of B and E(v) its value after conversion (concave, superadditive), every way to complete B
    completes A too where E(v) ≥ 0, and then costs at most reduced A − reduced B + λ·v − E(−v) + Σv − E(v) more. Ties
    stay, for the tie rule to decide.
    """
    if len(reduced) < _FEW_STATES:
        return np.arange(len(reduced))
    total = above.sum(1)
    order = np.lexsort((reduced, -total))
    score = (reduced + above @ dual.prices + total)[order]
    least = np.minimum.accumulate(score)
    holder = np.maximum.accumulate(np.where(score == least, np.arange(len(order)), 0))
    rival = order[np.concatenate([[0], holder[:-1]])]
    apart = above[rival] - above[order]
    gained, lost = _worth(problem, apart), -_worth(problem, -apart)
    worse = reduced[rival] - reduced[order] + apart @ dual.prices + lost + apart.sum(1) - gained
    return np.asarray(np.sort(order[(gained < 0) | (worse > -tolerance)]), dtype=np.int64)


def _worth(problem: Problem, cash: Floats) -> Floats:
    """Return what a vector of cash, of either sign, comes to once converted into one pool."""
    return np.asarray(settle(problem, cash + problem.reserve)[0][:, 0], dtype=np.float64)


def _stages(alternatives: Alternatives) -> tuple[list[int], dict[int, Ints]]:
    """Return the slots that have alternatives, those that move the most cash first, and their rows.

    A slot with very many alternatives (cheap units) goes last, where few of them can matter.
    """
    spans: dict[int, Ints] = {}
    weight: dict[int, float] = {}
    order = np.argsort(alternatives.slot, kind="stable")
    starts = np.flatnonzero(np.diff(alternatives.slot[order], prepend=-1))
    for rows in np.split(order, starts[1:]) if len(order) else []:
        slot = int(alternatives.slot[rows[0]])
        spans[slot] = rows.astype(np.int64)
        weight[slot] = float(np.abs(alternatives.cash[rows]).max())
    by_weight = sorted(spans, key=lambda slot: (-weight[slot], slot))
    finest = max(by_weight, key=lambda slot: len(spans[slot]), default=None)
    if finest is not None and len(spans[finest]) > _MANY:
        by_weight.remove(finest)
        by_weight.append(finest)
    return by_weight, spans


def _remaining(
    problem: Problem, alternatives: Alternatives, order: list[int], spans: dict[int, Ints]
) -> tuple[Floats, Floats]:
    """Return, after each stage, by how much the later ones can still lower and raise each pool (stages × pools)."""
    low = np.zeros((len(order) + 1, len(problem.cash)))
    high = np.zeros_like(low)
    for stage in range(len(order) - 1, -1, -1):
        slot = order[stage]
        freed = -alternatives.cash[spans[slot]]
        low[stage], high[stage] = low[stage + 1], high[stage + 1]
        low[stage, problem.pool[slot]] += min(float(freed.min()), 0.0)
        high[stage, problem.pool[slot]] += max(float(freed.max()), 0.0)
    return low[1:], high[1:]


def _cash_term(problem: Problem, dual: Dual, above: Floats) -> Floats:
    """Return what the final cash adds to dual bound + reduced costs; inf where the reserves are not met."""
    left, paid = settle(problem, above + problem.reserve)
    room = problem.cash_target - float(problem.reserve.sum())
    term = np.abs(room - left[:, 0]) + paid[:, 0] + above @ dual.prices - beyond(problem, dual.prices)
    return np.asarray(np.where(left[:, 0] >= -1e-9 * problem.total, term, np.inf), dtype=np.float64)


def _least_cash_term(problem: Problem, dual: Dual, above: Floats, low: Floats, high: Floats) -> Floats:
    """Return a value that `_cash_term` cannot be below once the later stages have moved the cash within a range."""
    least_left = settle(problem, above + low + problem.reserve)[0][:, 0]
    most_left = settle(problem, above + high + problem.reserve)[0][:, 0]
    room = problem.cash_target - float(problem.reserve.sum())
    price = float(dual.prices.min())
    dearest = room if price < 1.0 and room > 0 else 0.0
    nearest = np.clip(dearest, np.maximum(least_left, 0.0), np.maximum(most_left, 0.0))
    term = np.abs(room - nearest) + price * nearest - beyond(problem, dual.prices)
    return np.asarray(np.where(most_left >= -1e-9 * problem.total, np.maximum(term, 0.0), np.inf), dtype=np.float64)


def _offer_best(
    problem: Problem,
    dual: Dual,
    alternatives: Alternatives,
    incumbent: Incumbent,
    reduced: Floats,
    above: Floats,
    history: list[tuple[Ints, Ints, Ints]],
    tolerance: float,
    *,
    last: bool,
) -> None:
    """Offer the best state, and at the last stage every state tied with it, so that ties are decided by rule."""
    if not len(reduced):
        return
    objective = dual.bound + reduced + _cash_term(problem, dual, above)
    least = float(objective.min())
    if not last and least >= incumbent.objective - tolerance:
        return
    tied = np.flatnonzero(objective <= least + tolerance)[: 200 if last else 1]
    for state in tied.tolist():
        units = dual.best.astype(np.int64)
        for parents, picks, rows in reversed(history):
            pick = int(picks[state])
            if pick:
                units[alternatives.slot[rows[pick - 1]]] = int(alternatives.units[rows[pick - 1]])
            state = int(parents[state])
        incumbent.offer(units)
