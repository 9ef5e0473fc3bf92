"""The engine's plans beside the oracle's, over random portfolios; and the oracle's two ways beside one another."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import pytest

from tests.oracle import brute, textbook
from tests.oracle.measure import measure
from tests.oracle.portfolios import AS_OF, Document, large, small
from tests.oracle.reading import read
from tests.oracle.versus import Verdict, compare

#: One process plans the sample, once, whatever is asked of it.
pytestmark = pytest.mark.xdist_group("oracle")
#: Portfolios that every run looks at, that the slow tests do, and those of the long run.
SAMPLE, SLOW, SOAK, SOAK_LARGE = 80, 200, 2500, 400
#: Plans to try by brute force, at most.
MOST, MOST_SOAK = 30_000, 1_000_000
FACTS = (
    "understood",
    "objective",
    "bound",
    "oracle",
    "best",
    "rung",
    "impossible",
    "rules",
    "reconciliation",
    "charges",
    "flow",
)
#: Objectives of the model and of brute force differ by no more: HiGHS proves within its tolerances.
SAME = 1e-9


@lru_cache(maxsize=1)
def sample() -> dict[int, Verdict]:
    return dict(_compared(range(SAMPLE), MOST))


def _compared(seeds: Iterable[int], most: int) -> Iterable[tuple[int, Verdict]]:
    for seed in seeds:
        try:
            yield seed, compare(small(seed), most=most)
        except brute.TooLarge:
            continue


@pytest.mark.parametrize("fact", FACTS)
def test_the_engine_s_plan_keeps_to_the_contract_in(fact: str) -> None:
    assert {seed: v.wrong[fact] for seed, v in sample().items() if fact in v.wrong} == {}


def test_most_of_the_sample_is_small_enough_to_try_every_plan() -> None:
    assert len(sample()) > 0.9 * SAMPLE


def two_ways(document: Document, most: int) -> list[str]:
    """Return how brute force and the model differ on a portfolio, charges not rounded."""
    case = read(document, AS_OF)
    try:
        tried = brute.answer(case, exact=False, most=most)
    except brute.TooLarge:
        return []
    solved = textbook.answer(case)
    if tried.best is None or solved.best is None:
        return [] if tried.best is solved.best else [f"{tried.best} beside {solved.best}"]
    found = []
    theirs = {best.rung: best for best in solved.tried}
    for mine in tried.tried:
        again = measure(case, case.rung(mine.rung), mine.orders, exact=False)
        if again.faults or abs(again.objective - mine.objective) > SAME:
            found.append(f"{mine} measures as {again}")
        other = theirs.get(mine.rung)
        if other is not None and abs(other.objective - mine.objective) > SAME:
            found.append(f"{mine} beside {other}")
    if tried.best.rung != solved.best.rung and not (tried.close or solved.close):
        found.append(f"rung {tried.best.rung} beside {solved.best.rung}")
    return found


def _differences(seeds: Iterable[int], most: int) -> dict[int, list[str]]:
    return {seed: found for seed in seeds if (found := two_ways(small(seed), most))}


def test_brute_force_and_the_textbook_model_find_the_same_objective_and_rung() -> None:
    assert _differences(range(SAMPLE), MOST) == {}


@pytest.mark.slow
def test_brute_force_and_the_textbook_model_find_the_same_in_more() -> None:
    assert _differences(range(SAMPLE, SLOW), MOST) == {}


@pytest.mark.slow
def test_the_engine_s_plans_of_more_keep_to_the_contract() -> None:
    assert {seed: v.wrong for seed, v in _compared(range(SAMPLE, SLOW), MOST) if v.wrong} == {}


@pytest.mark.soak
def test_brute_force_and_the_textbook_model_agree_on_thousands() -> None:
    assert _differences(range(SLOW, SOAK), MOST_SOAK) == {}


@pytest.mark.soak
def test_the_engine_keeps_to_the_contract_on_thousands_of_small_portfolios() -> None:
    assert {seed: v.wrong for seed, v in _compared(range(SLOW, SOAK), MOST_SOAK) if v.wrong} == {}


@pytest.mark.soak
def test_the_engine_keeps_to_the_contract_on_hundreds_of_larger_portfolios() -> None:
    wrong, unfinished = {}, 0
    for seed in range(SOAK_LARGE):
        try:
            verdict = compare(large(seed), use_model=True)
        except textbook.Unfinished:
            unfinished += 1
            continue
        if verdict.wrong:
            wrong[seed] = verdict.wrong
    assert wrong == {}
    assert unfinished < 0.05 * SOAK_LARGE
