"""Bands that widen while volatility is high, and do not flap."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from engine.analysis.volatility import (
    NORMAL_BAND,
    WIDE_BAND,
    hysteresis,
    realised_volatility,
    trailing_rank,
    turbulence,
    turbulence_of_vix,
)
from engine.history import HistoryTable, Series
from tests.analysis.real_prices import series, weekdays


def moving(*stretches: tuple[int, float]) -> Series:
    """Return closes whose daily moves have the sizes given, for so many days each."""
    moves = [size * (1 if day % 2 else -1) * (1 + day % 7 / 100) for days, size in stretches for day in range(days)]
    return series("SOXX", weekdays(len(moves) + 1), np.cumprod([100, *(1 + move for move in moves)]).tolist())


def test_realised_volatility_agrees_with_pandas_to_1e12(stocks: HistoryTable) -> None:
    closes = stocks.series["AMD"].closes
    theirs = pd.Series(closes).pct_change().rolling(20).std().dropna().to_numpy() * 252**0.5
    assert np.abs(realised_volatility(closes) - theirs).max() < 1e-12


def test_a_rank_counts_the_values_at_or_below() -> None:
    assert trailing_rank(np.array([3.0, 1.0, 2.0, 2.0]), 4).tolist() == [0.75]


def test_the_switch_is_on_at_the_first_mark_and_off_at_the_second() -> None:
    assert hysteresis(np.array([0.79]), (0.8, 0.6)) == (False, None)
    assert hysteresis(np.array([0.80]), (0.8, 0.6)) == (True, 0)
    assert hysteresis(np.array([0.80, 0.61]), (0.8, 0.6)) == (True, 0)
    assert hysteresis(np.array([0.80, 0.60]), (0.8, 0.6)) == (False, 1)


def test_the_switch_does_not_flap_between_the_marks() -> None:
    wobble = np.array([0.81, 0.79, 0.81, 0.79, 0.61, 0.79])
    assert hysteresis(wobble, (0.8, 0.6)) == (True, 0)


def test_a_rough_month_widens_the_band_to_twenty_percent() -> None:
    found = turbulence(moving((300, 0.01), (20, 0.04)))
    assert found.state == "high"
    assert found.band == WIDE_BAND == Decimal("0.20")


def test_a_calm_market_keeps_fifteen_percent() -> None:
    found = turbulence(moving((300, 0.02), (40, 0.005)))
    assert found.state == "calm"
    assert found.band == NORMAL_BAND == Decimal("0.15")


def test_a_history_of_271_closes_is_too_short_and_says_so() -> None:
    assert turbulence(moving((271, 0.01))).state != "unknown"
    short = turbulence(moving((270, 0.01)))
    assert short.state == "unknown"
    assert short.band == NORMAL_BAND
    assert "272 are needed" in str(short.note)


@pytest.mark.parametrize(("day", "state"), [("2018-02-06", "high"), ("2018-02-13", "high"), ("2017-10-05", "calm")])
def test_the_vix_tells_february_2018_from_october_2017(indices: HistoryTable, day: str, state: str) -> None:
    # Cboe: VIX closed at 37.32 on 2018-02-05, at 24.97 (between the marks) on 2018-02-13, and at 9.19 on 2017-10-05.
    import datetime as dt

    vix = indices.series["VIX"].between(end=dt.date.fromisoformat(day))
    assert turbulence_of_vix(vix).state == state


def test_the_vix_stays_high_between_its_marks() -> None:
    assert turbulence_of_vix(series("VIX", weekdays(3), [24.9, 25.0, 20.1])).state == "high"
    assert turbulence_of_vix(series("VIX", weekdays(3), [24.9, 25.0, 20.0])).state == "calm"
    assert turbulence_of_vix(series("VIX", weekdays(1), [24.9])).state == "calm"


def test_without_vix_closes_nothing_is_known() -> None:
    assert turbulence_of_vix(series("VIX", [], [])).state == "unknown"
