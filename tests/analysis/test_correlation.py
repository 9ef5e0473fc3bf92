"""Correlations: hand-computed, against numpy, pandas, scipy and skfolio, and what has none."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.correlation import correlate, correlation_matrix, effective_bets
from engine.analysis.returns import simple_returns
from engine.history import HistoryTable, Series, aligned
from tests.analysis.real_prices import series, table, weekdays


def walk(symbol: str, returns: list[float], currency: str = "USD") -> Series:
    closes = np.cumprod([100.0, *(1 + r for r in returns)])
    return series(symbol, weekdays(len(closes)), closes.tolist(), currency)


RISES = [0.01, -0.02, 0.015, 0.003, -0.007] * 8
RANDOM = np.random.default_rng(7).normal(0, 0.01, (40, 3)).T.tolist()


def test_a_published_example_comes_out() -> None:
    # Anscombe (1973), "Graphs in Statistical Analysis", The American Statistician 27, first data set: r = 0.816; to all
    # digits 0.81642051634484.
    x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    assert correlation_matrix(np.array([x, y], dtype=float).T)[0, 1] == pytest.approx(0.81642051634484, abs=1e-12)


def test_the_matrix_agrees_with_numpy_pandas_and_scipy_to_1e12(stocks: HistoryTable) -> None:
    from scipy import stats

    returns = simple_returns(aligned(stocks.series.values())[1])
    ours = correlation_matrix(returns)
    assert np.abs(ours - np.corrcoef(returns, rowvar=False)).max() < 1e-12
    assert np.abs(ours - pd.DataFrame(returns).corr().to_numpy()).max() < 1e-12
    assert ours[0, 1] == pytest.approx(stats.pearsonr(returns[:, 0], returns[:, 1]).statistic, abs=1e-12)


def test_the_matrix_agrees_with_skfolio_to_1e12(factors: HistoryTable) -> None:
    from skfolio.moments import EmpiricalCovariance

    returns = simple_returns(aligned(factors.series.values())[1])
    covariance = EmpiricalCovariance().fit(returns).covariance_
    spread = np.sqrt(np.diag(covariance))
    assert np.abs(correlation_matrix(returns) - covariance / np.outer(spread, spread)).max() < 1e-12


MOVES = st.lists(st.tuples(*[st.integers(-200, 200).map(lambda n: n / 1000)] * 3), min_size=4, max_size=9)


@given(MOVES)
def test_any_matrix_is_symmetric_between_minus_one_and_one_with_a_diagonal_of_ones(
    moves: list[tuple[float, ...]],
) -> None:
    matrix = correlation_matrix(np.array(moves))
    known = ~np.isnan(np.diag(matrix))
    kept = matrix[np.ix_(known, known)]
    assert np.array_equal(kept, kept.T)
    assert (np.abs(kept) <= 1).all()
    assert (np.diag(kept) == 1).all()


def test_the_last_days_only_are_used() -> None:
    history = table(walk("A", [0.5, *RANDOM[0]]), walk("B", [0.5, *RANDOM[1]]))
    found = correlate(history, ["A", "B"], "USD", days=40)
    assert found.days == 40
    assert found.matrix[0][1] == pytest.approx(np.corrcoef(RANDOM[0], RANDOM[1])[0, 1], abs=1e-9)


def test_a_shorter_window_than_asked_for_is_said_with_the_series_that_limits_it() -> None:
    long, short = walk("A", RISES * 2), walk("B", RISES)
    found = correlate(table(long, short), ["A", "B"], "USD", days=60)
    assert found.days == 40
    (problem,) = found.problems
    assert problem.code == "short-window"
    assert "B has 41 closes" in str(problem.message)


def test_a_pair_exactly_at_the_threshold_is_no_alert() -> None:
    history = table(walk("A", RANDOM[0]), walk("B", (np.array(RANDOM[0]) + np.array(RANDOM[1])).tolist()))
    exact = correlate(history, ["A", "B"], "USD").matrix[0][1]
    assert exact is not None
    assert correlate(history, ["A", "B"], "USD", threshold=exact).alerts == ()
    assert len(correlate(history, ["A", "B"], "USD", threshold=math.nextafter(exact, 0)).alerts) == 1


def test_a_negative_correlation_is_a_hedge_and_never_an_alert() -> None:
    history = table(walk("A", RISES), walk("B", [-r for r in RISES]))
    found = correlate(history, ["A", "B"], "USD", threshold=0.5)
    assert found.alerts == ()
    assert found.hedges[0].pair == ("A", "B")
    assert found.hedges[0].correlation == pytest.approx(-1)


def test_a_weak_negative_correlation_is_a_hedge_too_and_the_strongest_comes_first() -> None:
    weak = (np.array(RANDOM[1]) - 0.3 * np.array(RANDOM[0])).tolist()
    history = table(walk("A", RANDOM[0]), walk("WEAK", weak), walk("STRONG", [-r for r in RANDOM[0]]))
    found = correlate(history, ["A", "WEAK", "STRONG"], "USD", days=40)
    hedges = {hedge.pair: hedge.correlation for hedge in found.hedges}
    assert next(iter(hedges)) == ("A", "STRONG")
    assert -0.5 < hedges["A", "WEAK"] < 0


def test_a_constant_series_has_no_correlation_and_is_named() -> None:
    history = table(walk("A", RISES), walk("B", RANDOM[0]), walk("FLAT", [0.0] * 40))
    found = correlate(history, ["A", "FLAT", "B"], "USD", days=40)
    assert found.matrix[1] == (None, None, None)
    assert found.matrix[0][1] is None
    assert found.matrix[0][2] is not None
    assert [(p.code, str(p.where)) for p in found.problems] == [("constant-series", "FLAT")]


def test_a_series_that_grows_by_the_same_every_day_is_constant_too() -> None:
    found = correlate(table(walk("A", RISES), walk("STEADY", [0.0001] * 40)), ["A", "STEADY"], "USD", days=40)
    assert found.matrix[1] == (None, None)


def test_a_series_of_fewer_than_thirty_returns_is_left_out_beside_longer_ones_and_named() -> None:
    enough = correlate(table(walk("A", RISES[:30]), walk("B", RANDOM[0])), ["A", "B"], "USD", days=30)
    assert enough.effective_bets is not None
    short = correlate(table(walk("A", RISES[:29]), walk("B", RANDOM[0])), ["A", "B"], "USD", days=30)
    assert short.effective_bets is None
    assert [(p.code, str(p.where)) for p in short.problems] == [("short-history", "A"), ("short-history", "correlate")]


def test_where_all_are_short_the_correlation_is_told_with_what_chance_alone_would_give() -> None:
    found = correlate(
        table(walk("A", [0.01, 0.02, 0.03, 0.05]), walk("B", [0.02, 0.01, 0.04, 0.03])), ["A", "B"], "USD", 4
    )
    # By hand: Σxy = 3.5e-4, Σx² = 8.75e-4, Σy² = 5e-4 about their means 0.0275 and 0.025.
    assert found.matrix[0][1] == pytest.approx(3.5e-4 / (8.75e-4 * 5e-4) ** 0.5, abs=1e-9)
    assert [p.code for p in found.problems] == ["few-returns"]
    assert "±1.00" in str(found.problems[0].message)


def test_two_returns_always_lie_on_a_line_and_are_no_correlation() -> None:
    found = correlate(table(walk("A", RISES[:2]), walk("B", RANDOM[0][:2])), ["A", "B"], "USD", days=2)
    assert found.effective_bets is None


def test_a_short_series_does_not_shorten_the_others() -> None:
    history = table(walk("A", RISES), walk("B", RANDOM[0]), walk("NEW", [0.01] * 5))
    found = correlate(history, ["A", "B", "NEW"], "USD", days=40)
    assert found.days == 40
    assert found.matrix[2] == (None, None, None)


def test_a_symbol_without_history_is_named_and_stays_in_the_matrix() -> None:
    found = correlate(table(walk("A", RISES), walk("B", RANDOM[0])), ["A", "GONE", "B"], "USD", days=40)
    assert found.symbols == ("A", "GONE", "B")
    assert found.matrix[1] == (None, None, None)
    assert [(p.code, str(p.where)) for p in found.problems] == [("no-history", "GONE")]


def test_returns_are_put_into_one_currency() -> None:
    won, dollars = walk("069500", RANDOM[0], "KRW"), walk("SPY", RANDOM[1], "USD")
    rate = walk("USDKRW", RANDOM[2], "KRW")
    found = correlate(table(won, dollars, rates=(rate,)), ["069500", "SPY"], "KRW", days=40)
    converted = (1 + np.array(RANDOM[1])) * (1 + np.array(RANDOM[2])) - 1
    assert found.currency == "KRW"
    assert found.matrix[0][1] == pytest.approx(np.corrcoef(RANDOM[0], converted)[0, 1], abs=1e-12)


def test_without_rates_returns_stay_local_and_say_so() -> None:
    found = correlate(
        table(walk("069500", RISES, "KRW"), walk("SPY", RANDOM[0], "USD")), ["069500", "SPY"], "KRW", days=40
    )
    assert found.currency == "local"
    assert [p.code for p in found.problems] == ["local-currency"]


def test_series_of_one_other_currency_are_told_in_it() -> None:
    found = correlate(table(walk("A", RISES), walk("B", RANDOM[0])), ["A", "B"], "KRW", days=40)
    assert found.currency == "USD"


@pytest.mark.parametrize("n", [1, 2, 5])
def test_unrelated_series_are_as_many_bets_as_there_are(n: int) -> None:
    # Roy & Vetterli (2007), property 1: the effective rank of the identity is its size.
    assert effective_bets(np.eye(n)) == pytest.approx(n, abs=1e-12)


def test_series_in_lockstep_are_one_bet() -> None:
    assert effective_bets(np.ones((4, 4))) == pytest.approx(1, abs=1e-12)


def test_two_series_with_correlation_one_half_are_1_7548_bets() -> None:
    # Eigenvalues 1.5 and 0.5, shares 3/4 and 1/4: exp(−¾ ln ¾ − ¼ ln ¼) = 4 / 3^(3/4) = 1.7547653506033232.
    assert effective_bets(np.array([[1, 0.5], [0.5, 1]])) == pytest.approx(4 / 3**0.75, abs=1e-12)
