"""The spreadsheet functions as xlwings makes them Excel's: those of the registry, by their names in lower case.

Each takes what a cell passes (a value, or the rows of a range) and last, where it can use more of the workbook,
`tables` or `near`: see `xl_addin.functions.registry` for their form, for when a host passes them, and for the error
tokens that come back.
Importing this module imports xlwings and little else: what a function needs is imported when it is first called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import xlwings

from xl_addin.functions.registry import CATEGORY, function

F = TypeVar("F", bound=Callable[..., Any])
#: What a host passes for a cell or a range: xlwings gives rows of values, None for an empty cell.
Given = Any
Answer = Any


def _excel(body: F) -> F:
    """Declare a body to xlwings: arguments as rows, error cells as text such as "#REF!", help from the registry."""
    spec = function(body.__name__.upper())
    body.__annotations__ = {}  # for readers and mypy: xlwings would take them for converters
    for argument in spec.arguments:
        body = xlwings.arg(argument.python, ndim=2, err_to_str=True, doc=argument.help.en)(body)
    for name in spec.hidden:
        body = xlwings.arg(name, ndim=2, err_to_str=True, doc="What the workbook holds")(body)
    declared: F = xlwings.func(category=CATEGORY)(body)
    return declared


def _answer(name: str, *given: Given) -> Answer:
    from xl_addin.functions.calls import call

    return call(name, given)


@_excel
def rebal_price(ticker: Given, field: Given = None, near: Given = None) -> Answer:
    """Return one instrument's price, or a field of it."""
    return _answer("REBAL_PRICE", ticker, field, near)


@_excel
def rebal_prices(tickers: Given = None, tables: Given = None) -> Answer:
    """Return prices with currency, time, source and status."""
    return _answer("REBAL_PRICES", tickers, tables)


@_excel
def rebal_fx(pair: Given, near: Given = None) -> Answer:
    """Return an exchange rate."""
    return _answer("REBAL_FX", pair, near)


@_excel
def rebal_drift(
    holdings: Given = None, targets: Given = None, cash: Given = None, settings: Given = None, tables: Given = None
) -> Answer:
    """Return every position with its target and band."""
    return _answer("REBAL_DRIFT", holdings, targets, cash, settings, tables)


@_excel
def rebal_trades(
    holdings: Given = None, targets: Given = None, cash: Given = None, settings: Given = None, tables: Given = None
) -> Answer:
    """Return the trades that bring the portfolio to its targets."""
    return _answer("REBAL_TRADES", holdings, targets, cash, settings, tables)


@_excel
def rebal_summary(tables: Given = None) -> Answer:
    """Return the plan in figures."""
    return _answer("REBAL_SUMMARY", tables)


@_excel
def rebal_checks(
    holdings: Given = None, targets: Given = None, cash: Given = None, settings: Given = None, tables: Given = None
) -> Answer:
    """Return every problem with its cell and repair."""
    return _answer("REBAL_CHECKS", holdings, targets, cash, settings, tables)


@_excel
def rebal_weights(method: Given, universe: Given) -> Answer:
    """Return target weights over a universe."""
    return _answer("REBAL_WEIGHTS", method, universe)


@_excel
def rebal_correl(tickers: Given, days: Given = None) -> Answer:
    """Return a correlation matrix."""
    return _answer("REBAL_CORREL", tickers, days)


@_excel
def rebal_correl_alerts(tickers: Given, days: Given = None, threshold: Given = None) -> Answer:
    """Return the pairs that move together, and the hedges."""
    return _answer("REBAL_CORREL_ALERTS", tickers, days, threshold)


@_excel
def rebal_compare(tickers: Given) -> Answer:
    """Return funds side by side."""
    return _answer("REBAL_COMPARE", tickers)


@_excel
def rebal_review(satellite: Given = None, benchmark: Given = None, tables: Given = None) -> Answer:
    """Return the satellites' quarters and verdicts."""
    return _answer("REBAL_REVIEW", satellite, benchmark, tables)


@_excel
def rebal_risk(holdings: Given = None, targets: Given = None, tables: Given = None) -> Answer:
    """Return every limit beside what it is today."""
    return _answer("REBAL_RISK", holdings, targets, tables)


@_excel
def rebal_calendar(from_: Given = None, months: Given = None, tables: Given = None) -> Answer:
    """Return what is due when."""
    return _answer("REBAL_CALENDAR", from_, months, tables)


@_excel
def rebal_history(ticker: Given, from_: Given, to_: Given = None) -> Answer:
    """Return daily closes."""
    return _answer("REBAL_HISTORY", ticker, from_, to_)
