"""The declared functions hold together, and Excel is offered just these."""

from __future__ import annotations

import inspect
import re

import pytest

from engine.words import LANGUAGES
from templates.spec import SHEETS
from xl_addin import functions
from xl_addin.functions import all_functions
from xl_addin.functions.declaring import MAX_HELP, Function

FUNCTIONS = all_functions()
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
        "REBAL_BACKTEST(policies, [from], [to])",
        "REBAL_PERFORMANCE([from], [to])",
    }


@pytest.mark.parametrize("spec", FUNCTIONS, ids=NAMES)
def test_help_fits_what_excel_shows(spec: Function) -> None:
    texts = [help_of(lang) for lang in LANGUAGES for help_of in (spec.help, *(one.help for one in spec.arguments))]
    assert all(0 < len(text) <= MAX_HELP for text in texts)


@pytest.mark.parametrize("spec", FUNCTIONS, ids=NAMES)
def test_names_are_names_in_vba(spec: Function) -> None:
    names = [spec.name, *(argument.python for argument in spec.arguments)]
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z_]*", name) for name in names)
    assert not {name.lower() for name in names} & {"to", "from", "end", "date", "next", "type"}


@pytest.mark.parametrize("spec", FUNCTIONS, ids=NAMES)
def test_excel_passes_what_the_body_takes(spec: Function) -> None:
    offered = inspect.signature(getattr(functions, spec.python)).parameters
    taken = list(inspect.signature(spec.body).parameters)
    assert len(offered) == len(taken)
    assert [name for name in taken if name in ("tables", "near")] == list(spec.hidden)
    assert [name for name in offered if name in ("tables", "near")] == list(spec.hidden)


@pytest.mark.parametrize("spec", FUNCTIONS, ids=NAMES)
def test_only_what_may_be_left_out_has_a_default(spec: Function) -> None:
    parameters = inspect.signature(getattr(functions, spec.python)).parameters
    optional = [name for name, one in parameters.items() if one.default is None]
    assert optional == [argument.python for argument in spec.arguments if argument.optional] + list(spec.hidden)


@pytest.mark.parametrize("spec", FUNCTIONS, ids=NAMES)
def test_sheets_read_are_sheets_of_the_workbook(spec: Function) -> None:
    assert set(spec.sheets) <= {sheet.key for sheet in SHEETS}


def test_no_other_function_is_offered() -> None:
    assert dir(functions) == sorted(spec.python for spec in FUNCTIONS)
    with pytest.raises(AttributeError):
        _ = functions.rebal_nothing


def test_an_argument_may_be_named() -> None:
    assert functions.rebal_price(ticker="QQQ", field="currency") == "USD"
