"""The two halves of the oracle beside one another over random portfolios of goals, and the engine beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import pytest

from tests.oracle import brute, textbook
from tests.oracle.goal_portfolios import equivalents, exposures, of_one_member
from tests.oracle.portfolios import Document, large, small
from tests.oracle.test_oracle import two_ways
from tests.oracle.versus import compare, engine_plan

#: Portfolios of each kind: of the two halves' sample, of the engine's, of the long runs.
SAMPLE, ENGINE, SOAK, SOAK_LARGE = 8, 25, 1000, 100
REWRITTEN, SOAK_REWRITTEN = 10, 500
#: Plans to try by brute force, at most.
MOST, MOST_SOAK = 10_000, 1_000_000
KINDS = pytest.mark.parametrize("kind", [equivalents, exposures])


class Kind(Protocol):
    """A generator of documents."""

    def __call__(self, seed: int, *, few: bool = True) -> Document:
        """Return the portfolio of a seed."""


def _differences(kind: Kind, seeds: Iterable[int], most: int) -> dict[int, list[str]]:
    return {seed: found for seed in seeds if (found := two_ways(kind(seed), most))}


@KINDS
def test_brute_force_and_the_model_find_the_same_objective_and_rung_with(kind: Kind) -> None:
    assert _differences(kind, range(SAMPLE), MOST) == {}


@pytest.mark.soak
@KINDS
def test_brute_force_and_the_model_agree_on_hundreds_with(kind: Kind) -> None:
    assert _differences(kind, range(SAMPLE, SOAK), MOST_SOAK) == {}


def _wrong(kind: Kind, seeds: Iterable[int], most: int) -> dict[int, dict[str, list[str]]]:
    """Return what is wrong with the engine's plans of portfolios that are small enough to try every plan."""
    found = {}
    for seed in seeds:
        try:
            found[seed] = compare(kind(seed), most=most).wrong
        except brute.TooLarge:
            continue
    return {seed: wrong for seed, wrong in found.items() if wrong}


@pytest.mark.slow
@KINDS
def test_the_engine_keeps_to_the_contract_with(kind: Kind) -> None:
    assert _wrong(kind, range(ENGINE), MOST) == {}


@pytest.mark.soak
@KINDS
def test_the_engine_keeps_to_the_contract_on_a_thousand_with(kind: Kind) -> None:
    assert _wrong(kind, range(ENGINE, SOAK), MOST_SOAK) == {}


@pytest.mark.soak
@KINDS
def test_the_engine_keeps_to_the_contract_on_larger_portfolios_with(kind: Kind) -> None:
    wrong, unfinished = {}, 0
    for seed in range(SOAK_LARGE):
        try:
            verdict = compare(kind(seed, few=False), use_model=True)
        except textbook.Unfinished:
            unfinished += 1
            continue
        if verdict.wrong:
            wrong[seed] = verdict.wrong
    assert wrong == {}
    assert unfinished < 0.05 * SOAK_LARGE


def _plans(document: Document) -> list[object]:
    plan = engine_plan(document)
    if plan is None:
        return []
    trades = [(t.account, t.symbol, t.side, t.quantity, t.cost, t.tax) for t in plan.trades]
    return [trades, plan.quality.objective, plan.quality.bound, plan.quality.rung]


def _rewritten(seeds: Iterable[int], make: Callable[[int], Document]) -> list[tuple[int, str]]:
    """Return the portfolios that are planned otherwise when their targets are goals of one member."""
    documents = ((seed, make(seed), kind) for seed in seeds for kind in ("any", "class"))
    return [(seed, kind) for seed, one, kind in documents if _plans(one) != _plans(of_one_member(one, kind))]


@pytest.mark.slow
def test_a_goal_of_one_member_is_planned_as_the_instrument() -> None:
    assert _rewritten(range(REWRITTEN), small) == []


@pytest.mark.soak
def test_goals_of_one_member_are_planned_as_the_instruments_on_hundreds() -> None:
    assert _rewritten(range(REWRITTEN, SOAK_REWRITTEN), small) == []
    assert _rewritten(range(SOAK_REWRITTEN // 10), large) == []
