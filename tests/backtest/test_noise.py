"""What of a difference is noise, beside arch's bootstrap, and on policies that differ by luck alone."""

from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import CircularBlockBootstrap

from engine.backtest.noise import BLOCK, differences, walk_forward
from engine.backtest.policy import Policy
from engine.backtest.run import Run
from engine.history import Floats
from tests.backtest.trial_runs import real_market

DAYS = 2000


def run_of(name: str, returns: Floats) -> Run:
    value = np.concatenate([[1.0], np.cumprod(1 + returns)])
    flows = np.zeros(len(value))
    flows[0] = 1.0
    return Run(Policy(name), real_market(len(value), 2).days, value, flows, np.zeros((len(value), 1)), flows * 0, ())


def test_the_interval_is_that_of_another_bootstrap() -> None:
    random = np.random.default_rng(5)
    base = random.normal(0, 0.01, DAYS)
    runs = {"base": run_of("base", base), "other": run_of("other", base + random.normal(0.0002, 0.004, DAYS))}
    found = differences(runs, "base")
    assert found is not None
    off = np.log(runs["other"].value[1:] / runs["other"].value[:-1]) - np.log(
        runs["base"].value[1:] / runs["base"].value[:-1]
    )
    theirs = CircularBlockBootstrap(BLOCK, off, seed=1).conf_int(np.mean, 4000, method="basic", size=0.95)
    low, high = (float(one) * 252 for one in theirs.ravel())
    width = high - low
    assert found["other"].low == pytest.approx(low, abs=0.08 * width)
    assert found["other"].high == pytest.approx(high, abs=0.08 * width)


def test_of_many_policies_that_differ_by_luck_few_samples_show_one_beyond_noise() -> None:
    random = np.random.default_rng(7)
    wrong = 0
    for _ in range(20):
        base = random.normal(0.0003, 0.01, DAYS)
        runs = {"base": run_of("base", base)}
        for number in range(30):
            runs[f"p{number}"] = run_of(f"p{number}", base + random.normal(0, 0.003, DAYS))
        found = differences(runs, "base")
        assert found is not None
        wrong += any(one.beyond_noise for one in found.values())
    assert wrong <= 4  # at 5 % each, more than four of twenty has a chance of 0.3 %


def test_a_difference_of_a_hundredth_a_day_is_beyond_noise() -> None:
    base = np.random.default_rng(3).normal(0, 0.01, DAYS)
    found = differences({"base": run_of("base", base), "other": run_of("other", base + 0.0005)}, "base")
    assert found is not None
    assert found["other"].beyond_noise


def test_too_few_days_say_nothing() -> None:
    base = np.random.default_rng(3).normal(0, 0.01, 300)
    runs = {"base": run_of("base", base), "other": run_of("other", base + 0.001)}
    assert differences(runs, "base") is None
    assert walk_forward(runs, "base") is None


def test_walking_forward_takes_what_was_best_before_the_year() -> None:
    base = np.zeros(DAYS)
    better = base + 0.001
    years = real_market(DAYS + 1, 2).days[1:].astype("datetime64[Y]")
    better[years == years[-400]] = -0.001  # nobody knew
    walk = walk_forward({"base": run_of("base", base), "better": run_of("better", better)}, "base")
    assert walk is not None
    assert set(walk.choices.values()) == {"better"}
    assert walk.baseline == 0
