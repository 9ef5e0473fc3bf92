"""A plan kept as JSON and acted on later: orders for a broker, trades booked and taken back."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from rebalancer.loading import load
from xl_addin.cli import main

MINE = """\
# mine
portfolio:
  base_currency: USD
  holdings:
    - {symbol: QQQ, quantity: 30, price: 500, average_cost: 400}   # the old ones
    - {symbol: SCHD, quantity: 100, price: 27.5, average_cost: 25}
  cash: {USD: 2500}
  targets:
    - {ticker: QQQ, weight: 0.6}
    - {ticker: SCHD, weight: 0.4}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(MINE, encoding="utf-8")
    return path


@pytest.fixture
def stored(mine: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["plan", str(mine), "--offline", "--json"]) == 0
    path = mine.with_name("plan.json")
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    return path


def run(*arguments: object) -> int:
    return main([str(one) for one in (*arguments, "--lang", "en")])


def test_a_plan_says_which_it_is_and_what_it_was_made_from(mine: Path, stored: Path) -> None:
    document = json.loads(stored.read_text(encoding="utf-8"))
    assert len(document["id"]) == len(document["made_from"]) == 16


def test_the_same_plan_has_the_same_id(mine: Path, stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(mine), "--offline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == json.loads(stored.read_text(encoding="utf-8"))["id"]


def test_a_recorded_plan_is_the_plan_s_outcome(mine: Path, stored: Path) -> None:
    document = json.loads(stored.read_text(encoding="utf-8"), parse_float=Decimal)
    before = {one.symbol: one.quantity for one in load(mine).holdings}
    assert run("record", mine, "--plan", stored) == 0
    after = load(mine)
    for trade in document["trades"]:
        before[trade["symbol"]] += trade["quantity"] * (1 if trade["side"] == "buy" else -1)
    assert {one.symbol: one.quantity for one in after.holdings} == before
    assert after.accounts[0].cash == document["cash"]["after"]


def test_a_recorded_file_keeps_its_comments(mine: Path, stored: Path) -> None:
    run("record", mine, "--plan", stored)
    text = mine.read_text(encoding="utf-8")
    assert text.startswith("# mine\n")
    assert "# the old ones" in text


def test_a_plan_is_not_recorded_twice(mine: Path, stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("record", mine, "--plan", stored) == 0
    assert run("record", mine, "--plan", stored) == 2
    assert "holdings or cash are no longer those" in " ".join(capsys.readouterr().err.split())


def test_a_recording_is_taken_back_to_the_byte(mine: Path, stored: Path) -> None:
    run("record", mine, "--plan", stored)
    assert mine.read_text(encoding="utf-8") != MINE
    assert run("record", mine, "--undo") == 0
    assert mine.read_text(encoding="utf-8") == MINE
    assert run("record", mine, "--undo") == 2


def test_a_recording_that_was_worked_on_is_not_taken_back(mine: Path, stored: Path) -> None:
    run("record", mine, "--plan", stored)
    mine.write_text(mine.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    assert run("record", mine, "--undo") == 2


def test_fills_are_booked_in_place_of_the_orders(mine: Path, stored: Path) -> None:
    fills = mine.with_name("fills.csv")
    fills.write_text("symbol,side,quantity,price,fee\nQQQ,sell,2,499.5,1.25\nSCHD,buy,50,27.6,1\n", encoding="utf-8")
    assert run("record", mine, "--plan", stored, "--fills", fills) == 0
    after = load(mine)
    assert [one.quantity for one in after.holdings] == [28, 150]
    assert after.holdings[1].average_cost == Decimal(3880) / 150
    assert after.accounts[0].cash["USD"] == 2500 + 999 - Decimal("1.25") - 1380 - 1


@pytest.mark.parametrize("row", ["VTI,sell,1,1,0", "QQQ,sold,1,1,0", "QQQ,sell,-1,1,0", "QQQ,sell,1000,1,0"])
def test_fills_that_cannot_have_happened_are_refused(mine: Path, stored: Path, row: str) -> None:
    fills = mine.with_name("fills.csv")
    fills.write_text(f"symbol,side,quantity,price,fee\n{row}\n", encoding="utf-8")
    assert run("record", mine, "--plan", stored, "--fills", fills) == 2
    assert mine.read_text(encoding="utf-8") == MINE


def test_orders_are_listed_sells_first(mine: Path, stored: Path, tmp_path: Path) -> None:
    assert run("orders", mine, "--plan", stored, "-o", tmp_path / "orders.csv") == 0
    header, *rows = (tmp_path / "orders.csv").read_text(encoding="utf-8-sig").splitlines()
    assert header == "done,account,side,symbol,quantity,limit_price,currency,amount"
    assert [row.split(",")[2] for row in rows] == ["sell", "buy"]


def test_a_basket_has_the_columns_that_are_documented(mine: Path, stored: Path, tmp_path: Path) -> None:
    assert run("orders", mine, "--plan", stored, "-o", tmp_path / "basket.csv", "--format", "ib") == 0
    header, sell, _ = (tmp_path / "basket.csv").read_text(encoding="utf-8").splitlines()
    assert header == "Action,Quantity,Symbol,SecType,Exchange,Currency,TimeInForce,OrderType,LmtPrice,Account"
    assert sell.startswith("SELL,")
    assert sell.endswith(",QQQ,STK,SMART,USD,DAY,LMT,500.00,")


def test_orders_of_a_plan_that_is_overtaken_are_refused(mine: Path, stored: Path, tmp_path: Path) -> None:
    mine.write_text(MINE.replace("quantity: 100", "quantity: 90"), encoding="utf-8")
    assert run("orders", mine, "--plan", stored, "-o", tmp_path / "orders.csv") == 2
    assert not (tmp_path / "orders.csv").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": 1}', "no json"])
def test_what_is_no_stored_plan_is_refused(mine: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    assert run("record", mine, "--plan", tmp_path / "plan.json") == 2
