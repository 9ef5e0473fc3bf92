"""The average correlation against its own history."""

from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.correlation import MIN_WINDOWS, STEP, WINDOW, average_correlation, correlation_matrix, lockstep
from engine.analysis.returns import simple_returns
from engine.history import HistoryTable, Series, aligned
from tests.analysis.real_prices import series, weekdays


def market(days: int, together: int) -> list[Series]:
    """Return three series that move on their own, and as one over the last days."""
    random = np.random.default_rng(3)
    own, shared = random.normal(0, 0.01, (3, days)), random.normal(0, 0.02, days)
    own[:, days - together :] += shared[days - together :]
    return [
        series(name, weekdays(days + 1), np.cumprod([100, *(1 + row)]).tolist())
        for name, row in zip("ABC", own, strict=True)
    ]


def test_the_average_is_that_of_the_matrix_without_its_diagonal(stocks: HistoryTable) -> None:
    returns = simple_returns(aligned(stocks.series.values())[1][-61:])
    matrix = correlation_matrix(returns)
    theirs = matrix[np.triu_indices(len(matrix), 1)].mean()
    assert average_correlation(returns) == pytest.approx(theirs, abs=1e-12)


def test_constant_columns_do_not_count() -> None:
    returns = np.column_stack([[0.01, -0.01, 0.02], [0.02, -0.02, 0.04], [0.0, 0.0, 0.0]])
    assert average_correlation(returns) == pytest.approx(1)
    assert np.isnan(average_correlation(returns[:, [0, 2]]))


def test_series_that_begin_to_move_as_one_raise_the_alert() -> None:
    found = lockstep(market(600, WINDOW))
    assert found.alert
    assert found.rank == 1.0
    assert found.remark().severity == "warning"


def test_series_that_go_on_as_before_raise_none() -> None:
    found = lockstep(market(600, 0))
    assert not found.alert
    assert found.remark().severity == "info"


def test_too_short_a_history_says_so() -> None:
    needed = 2 * WINDOW + (MIN_WINDOWS - 1) * STEP
    assert lockstep(market(needed, 0)).now is not None
    short = lockstep(market(needed - 1, 0))
    assert short.now is None
    assert short.windows == MIN_WINDOWS - 1
    assert short.remark().code == "lockstep-unknown"


def test_the_spring_of_2020_was_a_lockstep(stocks: HistoryTable) -> None:
    # The average correlation of US stocks peaked in March 2020 (Cboe Implied Correlation Index, daily records).
    import datetime as dt

    then = [one.between(dt.date(2016, 1, 4), dt.date(2020, 4, 15)) for one in stocks.series.values()]
    assert lockstep(then).alert
