"""The list of functions holds together, and the bodies match it."""

from __future__ import annotations

import inspect
import re

import pytest

from templates.spec import SHEETS
from xl_addin import functions
from xl_addin.functions import excel, registry
from xl_addin.functions.registry import FUNCTIONS, Function

NAMES = [function.name for function in FUNCTIONS]


def test_every_function_of_the_contract_is_declared() -> None:
    signatures = {function.signature for function in FUNCTIONS}
    assert signatures >= {
        "REBAL_PRICE(ticker, [field])",
        "REBAL_PRICES([tickers])",
        "REBAL_FX(pair)",
        "REBAL_DRIFT([holdings], [targets], [cash], [settings])",
        "REBAL_TRADES([holdings], [targets], [cash], [settings])",
        "REBAL_SUMMARY()",
        "REBAL_WEIGHTS(method, universe)",
        "REBAL_CORREL(tickers, [days])",
        "REBAL_CORREL_ALERTS(tickers, [days], [threshold])",
        "REBAL_COMPARE(tickers)",
        "REBAL_REVIEW([satellite], [benchmark])",
        "REBAL_RISK([holdings], [targets])",
        "REBAL_CALENDAR([from], [months])",
        "REBAL_HISTORY(ticker, from, [to])",
    }


@pytest.mark.parametrize("spec", FUNCTIONS, ids=NAMES)
def test_help_fits_what_excel_shows(spec: Function) -> None:
    texts = [spec.help, *(argument.help for argument in spec.arguments)]
    assert all(0 < len(text) <= registry.MAX_HELP for pair in texts for text in pair)


@pytest.mark.parametrize("spec", FUNCTIONS, ids=NAMES)
def test_names_are_names_in_vba(spec: Function) -> None:
    names = [spec.name, *(argument.python for argument in spec.arguments)]
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z_]*", name) for name in names)
    assert not {name.lower() for name in names} & {"to", "from", "end", "date", "next", "type"}


@pytest.mark.parametrize("spec", FUNCTIONS, ids=NAMES)
def test_body_takes_what_is_declared(spec: Function) -> None:
    parameters = inspect.signature(getattr(functions, spec.python)).parameters
    hidden = list(spec.hidden)
    assert list(parameters) == [argument.python for argument in spec.arguments] + hidden
    optional = [name for name, one in parameters.items() if one.default is None]
    assert optional == [argument.python for argument in spec.arguments if argument.optional] + hidden


@pytest.mark.parametrize("spec", FUNCTIONS, ids=NAMES)
def test_sheets_read_are_sheets_of_the_workbook(spec: Function) -> None:
    assert set(spec.sheets) <= {sheet.key for sheet in SHEETS}


def test_no_other_function_is_offered() -> None:
    offered = {name for name in vars(excel) if name.startswith("rebal_")}
    assert offered == {spec.python for spec in FUNCTIONS}


def test_workbook_is_read_only_without_ranges() -> None:
    trades, calendar = registry.function("REBAL_TRADES"), registry.function("REBAL_CALENDAR")
    assert trades.reads_workbook({})
    assert not trades.reads_workbook({"cash": True})
    assert calendar.reads_workbook({"from": True, "months": True})
    assert not registry.function("REBAL_PRICE").reads_workbook({})
