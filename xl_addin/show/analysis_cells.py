"""The analyses over a workbook's targets, as the functions in its cells answer them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from engine.errors import InputError, MarketDataError, Problem
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.words import Lang
from rebalancer.analysing import Sources, compare, correlate, review, risk
from rebalancer.tabulating import (
    RowWords,
    alert_rows,
    comparison_rows,
    correlation_rows,
    limit_cells,
    review_rows,
)
from templates.cells import NA, Rows


def analysed(
    portfolio: Portfolio, quotes: Mapping[str, Quote], sources: Sources, as_of: dt.date, lang: Lang
) -> tuple[dict[str, Rows], tuple[Problem, ...]]:
    """Return the rows of each table of analyses, and why one has none; errors stand in cells as errors."""
    words = RowWords(lang, NA, NA)
    wanted = replace(portfolio, holdings=())
    names = {symbol: instrument.name for symbol, instrument in wanted.instruments.items()}

    def compared() -> Iterator[tuple[str, Rows]]:
        yield "Comparison", comparison_rows(compare(wanted.symbols, sources, as_of), names, words)

    def reviewed() -> Iterator[tuple[str, Rows]]:
        yield "Review", review_rows(review(wanted, sources, as_of), words)

    def correlated() -> Iterator[tuple[str, Rows]]:
        result = correlate(wanted, sources, as_of)
        yield "Alerts", alert_rows(result, words)
        yield "Correlation", correlation_rows(result, words)

    def limited() -> Iterator[tuple[str, Rows]]:
        yield "Limits", limit_cells(risk(portfolio, quotes, sources, as_of).rules)

    steps: tuple[Callable[[], Iterator[tuple[str, Rows]]], ...] = (compared, reviewed, correlated, limited)
    found: dict[str, Rows] = {}
    problems: list[Problem] = []
    for step in steps:
        try:
            found.update(step())
        except InputError as error:
            problems.extend(error.problems)
        except MarketDataError as error:
            problems.extend(error.listed())
    return found, tuple(dict.fromkeys(problems))
