"""The two halves of the oracle beside one another over random portfolios of goals, and the engine beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from tests.oracle.goal_portfolios import equivalents, exposures
from tests.oracle.portfolios import Document
from tests.oracle.test_oracle import two_ways

#: Portfolios of the sample of each kind, and of the long run.
SAMPLE, SOAK = 8, 1000
#: Plans to try by brute force, at most.
MOST, MOST_SOAK = 10_000, 1_000_000
KINDS = pytest.mark.parametrize("kind", [equivalents, exposures])
Kind = Callable[[int], Document]


def _differences(kind: Kind, seeds: Iterable[int], most: int) -> dict[int, list[str]]:
    return {seed: found for seed in seeds if (found := two_ways(kind(seed), most))}


@KINDS
def test_brute_force_and_the_model_find_the_same_objective_and_rung_with(kind: Kind) -> None:
    assert _differences(kind, range(SAMPLE), MOST) == {}


@pytest.mark.soak
@KINDS
def test_brute_force_and_the_model_agree_on_hundreds_with(kind: Kind) -> None:
    assert _differences(kind, range(SAMPLE, SOAK), MOST_SOAK) == {}
