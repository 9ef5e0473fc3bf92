"""What of the differences between policies is more than noise.

Policies of one portfolio go through the same days, so they are compared by the difference of their daily log returns
from a baseline's. Its sampling error is judged by a circular block bootstrap (Politis and Romano, 1992): blocks of
consecutive days keep what one day tells of the next. Of many policies some differ by luck alone, so a difference counts
only where it is beyond the largest that luck makes of all of them together (the maximum of the studentised
differences; Romano and Wolf, Econometrica 73, 2005). Walk-forward: each year is given to the policy that had done best
in the years before it, as somebody would have had to choose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.analysis.returns import TRADING_DAYS
from engine.backtest.figures import daily_returns
from engine.backtest.run import Run
from engine.history import Floats

#: Days in a block: a quarter of trading, longer than the swings that bands trade on.
BLOCK = 63
RESAMPLES = 2000
CONFIDENCE = 0.95
#: Fewest blocks that say anything about noise, and fewest years that a choice is made from.
FEWEST_BLOCKS = 8
LEARNING_YEARS = 3
_SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more (log return a year) a policy made than the baseline, with an interval.

    `beyond_noise`: whether that is more than noise once all policies that were tried are counted in.
    """

    excess: float
    low: float
    high: float
    beyond_noise: bool


@dataclass(frozen=True, slots=True)
class WalkForward:
    """What choosing the best so far at the start of each year would have brought, from year to year.

    Returns a year: of what was `chosen`, of the `baseline`, and of the `average` policy; `choices` by year.
    """

    chosen: float
    baseline: float
    average: float
    choices: Mapping[int, str]


def differences(runs: Mapping[str, Run], baseline: str) -> dict[str, Difference] | None:
    """Return the difference of each run from the baseline's; None where there are too few days to tell."""
    names = [name for name in runs if name != baseline]
    if not names:
        return None
    base = np.log1p(daily_returns(runs[baseline]))
    days = len(base)
    if days < FEWEST_BLOCKS * BLOCK:
        return None
    off = np.column_stack([np.log1p(daily_returns(runs[name])) - base for name in names])
    mean = off.mean(axis=0)
    means = _resampled(off)
    error = means.std(axis=0, ddof=1)
    safe = np.where(error > 0, error, 1.0)
    largest = np.max(np.abs((means - mean) / safe), axis=1)
    critical = float(np.quantile(largest, CONFIDENCE))
    tail = (1 - CONFIDENCE) / 2
    # The basic interval: what the mean is off by, seen from the sample, is what the sample is off by.
    low, high = 2 * mean - np.quantile(means, 1 - tail, axis=0), 2 * mean - np.quantile(means, tail, axis=0)
    found = {}
    for at, name in enumerate(names):
        beyond = bool(error[at] > 0 and abs(mean[at]) > critical * error[at])
        year = TRADING_DAYS
        found[name] = Difference(float(mean[at]) * year, float(low[at]) * year, float(high[at]) * year, beyond)
    return found


def _resampled(series: Floats, block: int = BLOCK) -> Floats:
    """Return the means of resamples of a series (days × columns) in blocks that go round its end; always the same."""
    days = len(series)
    count = -(-days // block)
    sums = np.concatenate([np.zeros((1, series.shape[1])), np.cumsum(np.concatenate([series, series[:block]]), axis=0)])
    blocks = (sums[block:] - sums[:-block])[:days]
    random = np.random.default_rng(_SEED)
    means = np.empty((RESAMPLES, series.shape[1]))
    for resample in range(RESAMPLES):
        means[resample] = blocks[random.integers(0, days, count)].sum(axis=0)
    return means / (count * block)


def walk_forward(runs: Mapping[str, Run], baseline: str) -> WalkForward | None:
    """Return what choosing each year the policy that was best so far brought; None where there are too few years."""
    names = list(runs)
    first = runs[baseline]
    years = first.days[1:].astype("datetime64[Y]").astype(int) + 1970
    logs = np.column_stack([np.log1p(daily_returns(runs[name])) for name in names])
    every = np.unique(years)
    full = [int(year) for year in every if (years == year).sum() >= TRADING_DAYS * 0.9]
    judged = [year for year in full if year - full[0] >= LEARNING_YEARS]
    if len(names) < 2 or not judged:
        return None
    choices: dict[int, str] = {}
    made = []
    for year in judged:
        best = int(np.argmax(logs[years < year].sum(axis=0)))
        choices[year] = names[best]
        made.append(float(logs[years == year, best].sum()))
    part = np.isin(years, judged)
    total = logs[part].sum(axis=0) / len(judged)
    return WalkForward(
        chosen=float(np.expm1(sum(made) / len(judged))),
        baseline=float(np.expm1(total[names.index(baseline)])),
        average=float(np.expm1(total).mean()),
        choices=choices,
    )
