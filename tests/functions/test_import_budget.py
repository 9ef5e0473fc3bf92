"""What the first cell of a session pays for: the modules that each function brings in, through its hosts' doors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.functions.function_calls import CALLS, WORKBOOK
from xl_addin.functions import function

#: No function over stored prices needs them: spreadsheets' files, frames, the sources' own clients, a solver.
HEAVY = {"openpyxl", "PIL", "pandas", "matplotlib", "scipy", "yfinance", "pykrx", "curl_cffi", "exchange_calendars"}
#: What one price does without, beside these.
_LIGHT = {"numpy", "yaml", "highspy", "rebalancer.analysing", "engine.trades", "engine.data", "templates.read"}
_CALCULATION = {"engine.trades", "engine.rebalance", "engine.backtest", "templates.write"}
#: call of `function_calls`: what it must not bring in, beside what is heavy.
WITHOUT = {
    "price": _LIGHT | _CALCULATION,
    "rate": _LIGHT | _CALCULATION,
    "prices": {"numpy", "yaml", "highspy", "engine.trades"} | _CALCULATION,
    "history": _CALCULATION,
    "weights": _CALCULATION,
    "calendar": _CALCULATION,
    "correlations": _CALCULATION,
    "drift": {"templates.write", "rebalancer.analysing"},
    "trades": {"templates.write", "rebalancer.analysing"},
    "checks": {"templates.write", "rebalancer.analysing"},
}
_IN_CALC = """
import json, sys
from xl_addin.hosts.libreoffice.serve import answer
shown = answer(json.loads(sys.argv[1]))
print(json.dumps([shown, sorted(sys.modules)]))
"""
_IN_EXCEL = """
import json, sys, xlwings
before = set(sys.modules)
from xl_addin import functions
shown = functions.rebal_price("QQQ")
print(json.dumps([shown, sorted(set(sys.modules) - before)]))
"""


def brought(code: str, environment: dict[str, str], *arguments: str) -> tuple[Any, set[str]]:
    """Return what a process of its own answers, and every module (and package) that it brought in."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, env={**own, **environment}, check=True
    )
    shown, modules = json.loads(done.stdout)
    return shown, {name.rsplit(".", depth)[0] for name in modules for depth in range(name.count(".") + 1)}


def plain(written: Any) -> Any:
    """Return an argument of `function_calls` with its dates as texts."""
    if isinstance(written, dict):
        return written.get("date")
    return [plain(one) for one in written] if isinstance(written, list) else written


@pytest.mark.parametrize("call", WITHOUT)
def test_a_function_brings_in_no_more_than_it_needs(call: str, market: dict[str, str]) -> None:
    name, *given = CALLS[call]
    sheets = {title: plain(rows) for title, rows in given.pop()["sheets"].items()} if given[-1] == WORKBOOK else None
    arguments = [plain(one) for one in given] + [None] * (len(function(name).arguments) - len(given))
    shown, modules = brought(_IN_CALC, market, json.dumps({"name": name, "arguments": arguments, "tables": sheets}))
    assert not str(shown).startswith("#")
    assert sorted(modules & (HEAVY | WITHOUT[call])) == []


def test_the_first_price_in_excel_brings_in_nothing_but_ours_and_the_standard_library(market: dict[str, str]) -> None:
    shown, modules = brought(_IN_EXCEL, market)
    assert shown == 628.35
    foreign = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    assert {name for name in foreign if not name.startswith("_")} == {"engine", "rebalancer", "templates", "xl_addin"}
    assert sorted(modules & (_LIGHT | _CALCULATION)) == []
