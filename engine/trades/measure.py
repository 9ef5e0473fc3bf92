"""How far off a plan leaves things: the brackets, as hinges, of each row and of the cash.

A deviation is weighed by how far off it is relative to its target, in brackets, as taxes are: of the part of r up to 1
% each unit of money counts 0.02, of the part from there to 5 % it counts 0.06, and so on, where r = |x − T| / s and s
is the target or, where that is more, 1 % of the total. The marginal weight is about 2r, so the whole is about Σ (x −
T)² / T, whose least over purchases is the published cash-flow rule: the lowest relative to its target first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import numpy as np

from engine.trades.problem import Hinges

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
