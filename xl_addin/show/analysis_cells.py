"""The analyses over a workbook's targets, as the functions in its cells answer them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from engine.errors import InputError, MarketDataError, Problem
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.words import Lang
from rebalancer.analyses import compare_funds, correlate_portfolio, review_portfolio
from rebalancer.histories import Sources
from rebalancer.risks import risk_portfolio
from templates.cells import CellError, Rows, Value
from xl_addin.functions.registry import SHOWN
from xl_addin.show.analysis_rows import (
    IN_CELLS,
    alert_rows,
    comparison_rows,
    correlation_rows,
    limit_cells,
    review_rows,
)
from xl_addin.show.problems import problems_of


def analysed(
    portfolio: Portfolio, quotes: Mapping[str, Quote], sources: Sources, as_of: dt.date, lang: Lang
) -> tuple[dict[str, Rows], tuple[Problem, ...]]:
    """Return the rows of each table of analyses, and why one has none; errors stand in cells as errors."""
    words = IN_CELLS[lang]
    wanted = replace(portfolio, holdings=())
    names = {symbol: instrument.name for symbol, instrument in wanted.instruments.items()}

    def compared() -> Iterator[tuple[str, Rows]]:
        yield "Comparison", comparison_rows(compare_funds(wanted.symbols, sources, as_of), names, words)

    def reviewed() -> Iterator[tuple[str, Rows]]:
        yield "Review", review_rows(review_portfolio(wanted, sources, as_of).rows, words)

    def correlated() -> Iterator[tuple[str, Rows]]:
        result = correlate_portfolio(wanted, sources, as_of)
        yield "Alerts", alert_rows(result, words)
        yield "Correlation", correlation_rows(result, words)

    def limited() -> Iterator[tuple[str, Rows]]:
        yield "Limits", limit_cells(risk_portfolio(portfolio, quotes, sources, as_of).rules)

    steps: tuple[Callable[[], Iterator[tuple[str, Rows]]], ...] = (compared, reviewed, correlated, limited)
    found: dict[str, Rows] = {}
    problems: list[Problem] = []
    for step in steps:
        try:
            found.update((table, _with_errors(rows)) for table, rows in step())
        except InputError as error:
            problems.extend(error.problems)
        except MarketDataError as error:
            problems.extend(problems_of(error))
    return found, tuple(dict.fromkeys(problems))


def _with_errors(rows: Rows) -> Rows:
    return tuple({name: _shown(value) for name, value in row.items()} for row in rows)


def _shown(value: Value) -> Value:
    return CellError(SHOWN[value]) if isinstance(value, str) and value in SHOWN else value
