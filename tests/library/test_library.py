"""The library as a program uses it: its examples, its names, its frames."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import rebalancer

DOCS = Path(__file__).parents[2] / "docs"
WITH_EXAMPLES = ["engine.phrase", "engine.words.korean", "rebalancer.loading"]


def test_every_line_of_the_page_on_the_library_is_true() -> None:
    done = doctest.testfile(
        str(DOCS / "library.md"), module_relative=False, encoding="utf-8", optionflags=doctest.ELLIPSIS
    )
    assert done.attempted > 20
    assert not done.failed


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings_are_true(module: str) -> None:
    done = doctest.testmod(importlib.import_module(module))
    assert done.attempted
    assert not done.failed


@pytest.mark.parametrize("name", rebalancer.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(rebalancer, name).__doc__


def test_importing_the_library_imports_none_of_its_parts() -> None:
    code = "import sys, rebalancer; print([m for m in sys.modules if m.startswith(('engine', 'numpy', 'pandas'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_the_packages() -> None:
    from importlib.metadata import version

    assert rebalancer.__version__ == version("rebalancer")


def test_the_quotes_of_a_portfolio_serve_its_risk_as_they_serve_its_plan() -> None:
    held = [{"symbol": "QQQ", "quantity": 3, "price": 500}]
    portfolio = rebalancer.load({"portfolio": {"holdings": held, "targets": [{"ticker": "QQQ", "weight": 1}]}})
    report = rebalancer.risk(portfolio, rebalancer.quotes(portfolio, offline=True), rebalancer.Sources(offline=True))
    assert report.priced


def test_cash_may_be_a_table_by_currency() -> None:
    pd = pytest.importorskip("pandas")
    held = pd.DataFrame({"symbol": ["QQQ"], "quantity": [3]})
    cash = pd.DataFrame({"currency": ["USD"], "amount": [250.0]})
    portfolio = rebalancer.from_frames(held, {"QQQ": 0.9}, cash=cash)
    assert portfolio.accounts[0].cash == {"USD": 250}
