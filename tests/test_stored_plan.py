"""A plan kept as JSON and acted on later: orders for a broker, trades booked and taken back."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.portfolio import Holding
from rebalancer import recording
from rebalancer.loading import load
from rebalancer.storing import StoredTrade
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


def test_a_purchase_weighs_the_rate_of_what_was_paid() -> None:
    # 10 at 100 dollars of 1,000 won and 30 at 100 dollars of 1,400 won: 4,000 dollars for 5,200,000 won.
    rows = [Holding("QQQ", Decimal(10), "", Decimal(100), cost_fx=Decimal(1000))]
    bought = StoredTrade("", "QQQ", "buy", Decimal(30), Decimal(100), "USD", Decimal(3000), Decimal(3))
    recording.book(rows, bought, Decimal(1400))
    assert (rows[0].average_cost, rows[0].cost_fx) == (100, 1300)


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


def test_fills_need_no_plan(mine: Path) -> None:
    fills = mine.with_name("fills.csv")
    fills.write_text("symbol,side,quantity,price,fee\nQQQ,sell,2,499.5,1.25\n", encoding="utf-8")
    assert run("record", mine, "--fills", fills) == 0
    after = load(mine)
    assert (after.holdings[0].quantity, after.accounts[0].cash["USD"]) == (28, 2500 + 999 - Decimal("1.25"))
    assert run("record", mine, "--undo") == 0
    assert mine.read_text(encoding="utf-8") == MINE


def test_a_fill_names_one_of_the_accounts_declared(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """\
portfolio:
  base_currency: USD
  holdings: [{symbol: QQQ, quantity: 3, price: 500, account: A}]
  accounts: [{name: A, cash: {USD: 900}}, {name: B, cash: {USD: 900}}]
  targets: [{ticker: QQQ, weight: 1}]
"""
    mine.write_text(text, encoding="utf-8")
    fills = mine.with_name("fills.csv")
    fills.write_text("symbol,side,quantity,price,account\nQQQ,buy,1,500,C\n", encoding="utf-8")
    assert run("record", mine, "--fills", fills) == 2
    assert "A, B" in capsys.readouterr().err
    fills.write_text("symbol,side,quantity,price\nQQQ,buy,1,500\n", encoding="utf-8")
    assert run("record", mine, "--fills", fills) == 0
    assert [one.cash["USD"] for one in load(mine).accounts] == [400, 900]


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


def keep(mine: Path, *more: object) -> int:
    return run("plan", mine, "--offline", "--as-of", "2026-11-20", "-o", mine.with_name("mine.plan.json"), *more)


def test_a_plan_that_is_kept_beside_its_portfolio_is_the_one_that_is_acted_on(mine: Path, tmp_path: Path) -> None:
    assert keep(mine) == 0
    assert run("orders", mine, "-o", tmp_path / "orders.csv") == 0
    assert run("record", mine) == 0
    assert [one.quantity for one in load(mine).holdings] != [30, 100]


def test_without_a_plan_that_was_kept_the_command_that_keeps_one_is_named(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("record", mine) == 2
    assert "rebalancer plan mine.yaml -o mine.plan.json" in " ".join(capsys.readouterr().err.split())


def test_a_kept_plan_is_the_document_of_the_plan(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert keep(mine, "--json") == 0
    kept = json.loads(mine.with_name("mine.plan.json").read_text(encoding="utf-8"))
    printed = json.loads(capsys.readouterr().out)
    assert kept == printed


def test_a_plan_with_orders_to_do_gives_way_to_another_by_force_only(mine: Path) -> None:
    assert keep(mine) == 0
    assert keep(mine) == 0
    assert keep(mine, "--cash-flow", "5000") == 2
    assert keep(mine, "--cash-flow", "5000", "--force") == 0


def test_a_plan_that_was_recorded_gives_way_to_the_next(mine: Path) -> None:
    assert keep(mine) == 0
    assert run("record", mine) == 0
    assert keep(mine, "--cash-flow", "5000") == 0


def test_another_file_in_the_plans_place_stays(mine: Path) -> None:
    mine.with_name("mine.plan.json").write_text("{}", encoding="utf-8")
    assert keep(mine) == 2
    assert mine.with_name("mine.plan.json").read_text(encoding="utf-8") == "{}"


def test_acting_on_a_plan_says_how_old_its_prices_are_and_when_to_plan_again(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine.write_text(MINE.replace(", price: 500", "").replace(", price: 27.5", ""), encoding="utf-8")
    prices = tmp_path / "prices.csv"
    prices.write_text(
        "symbol,price,currency,as_of\nQQQ,500,USD,2026-11-20\nSCHD,27.5,USD,2026-11-20\n", encoding="utf-8"
    )
    keep(mine, "--prices", prices)
    capsys.readouterr()
    monkeypatch.setattr("rebalancer.clock.today", lambda: dt.date(2026, 11, 29))
    assert run("orders", mine, "-o", tmp_path / "orders.csv") == 0
    out, err = capsys.readouterr()
    assert "of 2026-11-20, 2 orders; its prices are 9 days old." in out
    assert "plan again before you order" in err


def test_a_plan_says_what_has_changed_since_the_one_that_was_kept(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(mine)
    capsys.readouterr()
    assert run("plan", mine, "--offline", "--as-of", "2026-11-27", "--brief") == 0
    assert "since 2026-11-20; drift 26.4% on 2026-11-20, now 26.4%; the same orders" in flat(capsys)
    assert run("plan", mine, "--offline", "--as-of", "2026-11-27", "--cash-flow", "5000", "--mode", "buy-only") == 0
    assert "no longer ordered: QQQ; another size: SCHD" in flat(capsys)
    mine.write_text(MINE.replace("quantity: 30", "quantity: 20"), encoding="utf-8")
    assert run("plan", mine, "--offline", "--as-of", "2026-11-27") == 0
    assert "holdings or cash have changed since" in flat(capsys)


def flat(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_a_monthly_saving_is_one_number_and_the_next_month_starts_where_it_ended(mine: Path) -> None:
    for _ in range(2):
        assert keep(mine, "--cash-flow", "2000") == 0
        assert run("record", mine) == 0
    held = load(mine)
    prices = {"QQQ": Decimal(500), "SCHD": Decimal("27.5")}
    worth = sum((one.quantity * prices[one.symbol] for one in held.holdings), held.accounts[0].cash["USD"])
    paid = 30 * 500 + 100 * Decimal("27.5") + 2500 + 4000 - worth
    assert 0 <= paid < 1  # fees on sales
    assert held.settings.cash_flow == 0


def book(mine: Path) -> Path:
    path = mine.with_name("mine.xlsx")
    assert run("plan", mine, "--offline", "--as-of", "2026-11-20", "--cash-flow", "1000", "-o", path) == 0
    return path


@pytest.mark.slow
def test_trades_are_recorded_in_a_workbook_and_taken_back(mine: Path) -> None:
    path = book(mine)
    before = load(path)
    kept = mine.with_name("mine.plan.json")
    assert run("plan", path, "--offline", "--as-of", "2026-11-20", "-o", kept) == 0
    document = json.loads(kept.read_text(encoding="utf-8"), parse_float=Decimal)
    assert run("record", path) == 0
    after = load(path)
    assert {one.symbol: one.quantity for one in after.holdings} == expected_holdings(document)
    assert {c: n for c, n in after.accounts[0].cash.items() if n} == {
        c: n for c, n in document["cash"]["after"].items() if n
    }
    assert after.settings.cash_flow == 0
    assert run("record", path) == 2
    assert run("record", path, "--undo") == 0
    assert load(path) == before


def expected_holdings(document: dict[str, Any]) -> dict[str, Decimal]:
    held = {one["symbol"]: Decimal(one["quantity"]) for one in document["positions"]}
    for trade in document["trades"]:
        held[trade["symbol"]] += trade["quantity"] * (1 if trade["side"] == "buy" else -1)
    return held


def test_a_plan_of_a_workbook_is_compared_with_the_one_that_stands_in_it(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = book(mine)
    capsys.readouterr()
    assert run("plan", path, "--offline", "--as-of", "2026-11-27", "--brief") == 0
    assert "since 2026-11-20; drift" in flat(capsys)
