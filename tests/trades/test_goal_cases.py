"""Goals that people have: overlapping funds, a household's accounts, a 401(k), and odd or impossible wishes."""

from __future__ import annotations

from typing import Any

import pytest

from engine.plan import Plan
from rebalancer.loading import load
from rebalancer.planning import plan as plan_of
from tests.trades.test_cases import AS_OF, orders, planned
from xl_addin.show.text import report

FREE = {"costs": {"*": {"commission": 0, "sell_tax": 0}}}


def made(targets: list[dict[str, Any]], held: list[dict[str, Any]], cash: int = 0, **more: Any) -> Plan:
    """Plan funds at 100 won each, without charges."""
    settings = FREE | more.pop("settings", {})
    rows = [{"price": 100, "currency": "KRW", "asset_type": "etf", **row} for row in held]
    body = {"base_currency": "KRW", "holdings": rows, "targets": targets, **more}
    body |= {} if "accounts" in more else {"cash": {"KRW": cash}}
    return plan_of(load({"portfolio": body, "settings": settings}), {}, as_of=AS_OF)


def goal_of(plan: Plan, name: str) -> dict[str, Any]:
    return next(row for row in plan.to_json()["goals"] if row["goal"] == name)


def test_overlapping_funds_come_to_the_classes_inside_them() -> None:
    assert orders(planned("overlapping-funds")) == {"WORLD": 35, "US": -15}


def test_each_account_buys_the_equivalent_that_it_may_hold() -> None:
    bought = {(trade.account, trade.symbol) for trade in planned("household-equivalents").trades}
    assert bought == {("위탁", "VOO"), ("ISA", "360750"), ("IRP", "273130")}


def test_a_401k_of_four_funds_needs_three_orders() -> None:
    found = orders(planned("four-funds-of-a-401k"))
    assert set(found) == {"TD2040", "SPX", "AGG401"}
    assert float(found["TD2040"]) == pytest.approx(-3055.6, abs=2)
    assert float(found["SPX"]) == pytest.approx(1250, abs=2)


def test_the_json_has_goals_beside_positions() -> None:
    document = planned("overlapping-funds").to_json()
    assert goal_of(planned("overlapping-funds"), "US equity") == {
        "goal": "US equity", "kind": "class", "section": "all", "parent": None, "target": 0.7, "weight": 0.64,
        "drift": -0.06, "band": [0.65, 0.75], "status": "UNDER", "value": 6400, "members": ["WORLD", "US"],
        "exposures": {"WORLD": 0.6, "US": 1},
    }  # fmt: skip
    position = document["positions"][0]
    assert (position["target"], position["drift"], position["band"]) == (None, None, None)
    assert position["goals"] == {"US equity": 0.6, "Developed ex-US": 0.4}
    assert {trade["goal"] for trade in document["trades"]} == {"US equity"}


def test_a_portfolio_of_tickers_has_no_goals_in_its_json() -> None:
    assert "goals" not in made([{"ticker": "A", "weight": 1}], [{"symbol": "A", "quantity": 1}]).to_json()


def test_what_is_unknown_is_shown_and_in_no_goal() -> None:
    held = [{"symbol": "A", "quantity": 10, "exposure": {"equity": 0.6}}]
    document = made([{"class": "equity", "weight": 1}], held).to_json()
    assert document["unknown"] == {"value": 400, "weight": 0.4}


def test_the_less_liked_are_sold_only_with_consolidate() -> None:
    held = [{"symbol": "A", "quantity": 5}, {"symbol": "B", "quantity": 5}]
    assert orders(made([{"any": ["A", "B"], "weight": 1}], held)) == {}
    wanted = [{"any": ["A", "B"], "weight": 1, "consolidate": True}]
    assert orders(made(wanted, held)) == {"B": -5, "A": 5}


def test_a_parent_beyond_its_maximum_makes_its_section_act() -> None:
    held = [{"symbol": "A", "quantity": 34, "class": "US equity"}, {"symbol": "B", "quantity": 66, "class": "bond"}]
    wanted = [
        {"class": "equity", "weight": 0.3, "max": 0.32},
        {"class": "US equity", "share": 1},
        {"class": "bond", "weight": 0.7},
    ]
    plan = made(wanted, held)
    assert plan.sections[0].why.symbols == ("equity",)
    assert orders(plan) == {"A": -4, "B": 4}


def test_a_place_that_is_liked_decides_between_equals() -> None:
    accounts = [
        {"name": "one", "type": "isa", "cash": {"KRW": 500}},
        {"name": "two", "type": "pension", "cash": {"KRW": 500}},
    ]
    held = [{"symbol": "S", "quantity": 0, "class": "equity", "account": "one"},
            {"symbol": "B", "quantity": 0, "class": "bond", "account": "one"}]  # fmt: skip
    wanted = [{"class": "equity", "weight": 0.5}, {"class": "bond", "weight": 0.5}]
    for liked, place in (("pension", "two"), ("one", "one")):
        plan = made(wanted, held, accounts=accounts, prefer={"bond": [liked]})
        assert [trade.account for trade in plan.trades if trade.symbol == "B"] == [place]


def test_the_rule_of_korea_puts_dividends_into_the_isa() -> None:
    accounts = [{"name": "위탁", "cash": {"KRW": 500}}, {"name": "ISA", "type": "isa", "cash": {"KRW": 500}}]
    held = [{"symbol": "T", "quantity": 0, "account": "ISA", "taxed_as_dividend": True},
            {"symbol": "F", "quantity": 0, "account": "ISA", "taxed_as_dividend": False}]  # fmt: skip
    wanted = [{"ticker": "T", "weight": 0.5}, {"ticker": "F", "weight": 0.5}]
    plan = made(wanted, held, accounts=accounts, prefer="KR")
    assert {(trade.account, trade.symbol) for trade in plan.trades} == {("ISA", "T"), ("위탁", "F")}


def test_a_goal_that_no_account_may_hold_is_pointed_out() -> None:
    accounts = [{"name": "ISA", "type": "isa", "cash": {"KRW": 500}}]
    wanted = [{"any": ["VOO", "SPY"], "weight": 1}]
    found = load({"portfolio": {"base_currency": "KRW", "accounts": accounts, "targets": wanted}})
    assert "goal-unbuyable" in {problem.code for problem in found.notes}


def test_an_equivalent_that_nobody_would_buy_needs_no_price() -> None:
    plan = made([{"any": ["A", "VOO"], "weight": 1}], [{"symbol": "A", "quantity": 1}], 900)
    assert orders(plan) == {"A": 9}


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_report_shows_goals_with_their_members_under_them(lang: str) -> None:
    shown = report(planned("overlapping-funds"), lang)
    name = {"en": "US equity", "ko": "미국 주식"}[lang]
    lines = shown.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(name))
    assert [line.split()[0] for line in lines[at + 1 : at + 3]] == ["WORLD", "US"]
    assert "60.0%" in lines[at + 1]


def test_what_goals_leave_open_is_no_target_of_0() -> None:
    cut = planned("household-equivalents").to_json()["allocation"]
    assert {row["group"]: row["target"] for row in cut["currency"]} == {"KRW": None, "USD": None}
    assert {row["group"]: row["target"] for row in cut["asset_class"]} == {"equity": 0.6, "bond": 0.4, "cash": 0}


@pytest.mark.parametrize("place", ["portfolio", "top", "settings"])
def test_preferences_may_stand_where_people_put_them(place: str) -> None:
    document: dict[str, Any] = {"portfolio": {"base_currency": "KRW", "cash": {"KRW": 1}}, "settings": {}}
    {"portfolio": document["portfolio"], "top": document, "settings": document["settings"]}[place]["prefer"] = "KR"
    assert load(document).prefer == {"rule": ("KR",)}
