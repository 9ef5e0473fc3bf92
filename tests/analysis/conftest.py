"""Real prices for the tests of the analyses."""

from __future__ import annotations

import pytest

from engine.history import HistoryTable
from tests.analysis.real_prices import factor_table, index_table, stock_table


@pytest.fixture
def stocks() -> HistoryTable:
    """Twenty S&P 500 stocks, daily, 1990 to 2022."""
    return stock_table()


@pytest.fixture
def factors() -> HistoryTable:
    """The factor ETFs MTUM, QUAL, SIZE, USMV and VLUE, daily, 2014 to 2022."""
    return factor_table()


@pytest.fixture
def indices() -> HistoryTable:
    """S&P 500 and NASDAQ 1999 to 2018, VIX 2014 to 2019."""
    return index_table()
