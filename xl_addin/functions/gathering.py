"""Problems of one cause as one row: without a network every instrument would have its own."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import Problem

#: Causes that concern many instruments at once, from how many on they are one row, and how many of them are named.
ALIKE = frozenset(("price-source", "price-missing", "no-history", "no-facts", "stored-data", "stale"))
MANY, NAMED = 4, 6


def gathered(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return the problems, each once, those of a common cause joined in the place of the first."""
    rows = dict.fromkeys(problems)
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in rows:
        if problem.code in ALIKE:
            alike.setdefault((problem.severity, problem.code), []).append(problem)
    joined = {key: _joined(found) for key, found in alike.items() if len({one.where for one in found}) >= MANY}
    told: dict[Problem, None] = {}
    for problem in rows:
        told.setdefault(joined.get((problem.severity, problem.code), problem))
    return tuple(told)


def _joined(problems: Sequence[Problem]) -> Problem:
    first = problems[0]
    places = list(dict.fromkeys(problem.where for problem in problems))
    more = len(places) - NAMED
    where = ", ".join(str(one) for one in places[:NAMED]) + (f", +{more}" if more > 0 else "")
    count = len(places)
    return Problem(
        first.severity,
        first.code,
        where,
        f"{count} alike; the first: {first.message}",
        f"같은 문제 {count}건; 첫 번째: {first.said('ko')}",
    )
