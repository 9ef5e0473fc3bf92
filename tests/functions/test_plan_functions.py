"""Drift, trades and summary in cells are what `plan --json` says, in every host."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.functions.function_calls import CASH, HOLDINGS, RULES, TARGETS
from tests.functions.function_cells import same
from xl_addin.cli import main
from xl_addin.functions import function

DRIFT = {"Ticker": "symbol", "Name": "name", "Section": "section", "Value": "value", "Weight": "weight",
         "Target": "target", "Drift": "drift", "Status": "status"}  # fmt: skip
TRADES = {"Account": "account", "Ticker": "symbol", "Side": "side", "Quantity": "quantity", "Price": "price",
          "Currency": "currency", "Amount": "amount", "Reason": "reason", "WeightAfter": "weight_after"}  # fmt: skip
pytestmark = pytest.mark.xdist_group("office")
HOSTS = ["bodies", "excel", "calc"]


@pytest.fixture(scope="module")
def plan(market: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the same portfolio's plan from the command line."""
    holdings = [
        {"symbol": symbol, "quantity": quantity, "price": price, "account": account, "locked": bool(locked)}
        for symbol, quantity, price, account, locked in HOLDINGS[1:]
        if symbol
    ]
    sections: dict[str, list[Any]] = {}
    for section, ticker, weight, most, benchmark in TARGETS[1:]:
        more = {"max": most} if most else {}
        target = {"ticker": ticker, "weight": weight, "benchmark": benchmark, **more}
        sections.setdefault(section, []).append(target)
    names = ("schedule", "absolute_band", "relative_band", "min_trade")
    rules = {
        section: {**dict(zip(names, rule, strict=True)), "last_rebalanced": last["date"]}
        for section, *rule, last in RULES[1:]
    }
    document = {
        "portfolio": {"name": "성장", "base_currency": "KRW", "holdings": holdings, "cash": dict(CASH[1:]), **sections,
                      "rules": rules},
        "fx": {"USDKRW": 1402.5},
    }  # fmt: skip
    path = tmp_path_factory.mktemp("plan") / "portfolio.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("sys.stdout.write", printed.append)
        assert main(["plan", str(path), "--json"]) == 0
    return dict(json.loads("".join(printed)))


def column(table: list[list[Any]], name: str) -> list[Any]:
    return [row[table[0].index(name)] for row in table[1:]]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("call", ["drift", "drift of the workbook"])
def test_drift_is_the_plans_positions(
    request: pytest.FixtureRequest, plan: dict[str, Any], host: str, call: str
) -> None:
    table = cut(request.getfixturevalue(host)[call], len(plan["positions"]))
    for name, key in DRIFT.items():
        assert column(table, name) == [same(position[key]) for position in plan["positions"]]
    bands = [[same(low), same(high)] for low, high in (position["band"] for position in plan["positions"])]
    assert [list(pair) for pair in zip(column(table, "Low"), column(table, "High"), strict=True)] == bands


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("call", ["trades", "trades of the workbook", "own headers"])
def test_trades_are_the_plans_trades(
    request: pytest.FixtureRequest, plan: dict[str, Any], host: str, call: str
) -> None:
    table = cut(request.getfixturevalue(host)[call], len(plan["trades"]))
    assert plan["trades"]
    for name, key in TRADES.items():
        assert column(table, name) == [same(trade[key]) for trade in plan["trades"]]
    assert column(table, "Cost") == [same(trade["cost"] + trade["tax"]) for trade in plan["trades"]]


@pytest.mark.parametrize("host", HOSTS)
def test_summary_is_the_plans_figures(request: pytest.FixtureRequest, plan: dict[str, Any], host: str) -> None:
    figures = {row[0]: row[1] for row in request.getfixturevalue(host)["summary"]}
    assert figures["total_value"] == same(plan["total_value"])
    assert figures["drift"] == same(plan["drift"])
    assert figures["needs_rebalancing"] == same(plan["needs_rebalancing"])
    assert figures["objective"] == same(plan["quality"]["objective"])


def test_ranges_of_thirds_are_planned() -> None:
    holdings = [
        ["Ticker", "Quantity", "ManualPrice", "AverageCost", "Currency"],
        *([symbol, 1 / 3, 1000 / 3, 100 / 3, "KRW"] for symbol in ("AAA", "BBB", "CCC")),
    ]
    targets = [["Ticker", "Target"], *([symbol, 1 / 3] for symbol in ("AAA", "BBB", "CCC"))]
    table = function("REBAL_TRADES").answer((holdings, targets, 999.9999999999999, None, None))
    assert isinstance(table, list)
    assert {row[1]: row[4] for row in table[1:]} == {"AAA": 1, "BBB": 1}


def cut(table: list[list[Any]], count: int) -> list[list[Any]]:
    """Return header and rows; a host that shows more cells shows #N/A there."""
    assert all(cell == "#N/A" for row in table[count + 1 :] for cell in row)
    return table[: count + 1]
