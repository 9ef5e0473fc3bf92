"""Money that stays in cash, and what is said to keep it there."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from engine.data.document import portfolio_from_data
from engine.errors import Problem
from engine.plan import Plan
from rebalancer.planning import planned

DAY = dt.date(2026, 11, 20)


def plan_of(settings: dict[str, Any] | None = None, **body: Any) -> Plan:
    document = {"portfolio": {"base_currency": "KRW", **body}, "settings": settings or {}}
    portfolio, problems = portfolio_from_data(document, "portfolio")
    assert portfolio, problems
    return planned(portfolio, {}, DAY)


def idle(plan: Plan) -> list[Problem]:
    return [one for one in plan.problems if one.code == "cash-idle"]


def causes(plan: Plan) -> list[str]:
    return [one.message.values["cause"].key for one in idle(plan)]  # type: ignore[attr-defined]


SAVING = {
    "holdings": [
        {"symbol": "360750", "quantity": 120, "price": 24500},
        {"symbol": "069500", "quantity": 40, "price": 52300},
        {"symbol": "305080", "quantity": 100, "price": 12800},
    ],
    "cash": {"KRW": 31500},
    "targets": [
        {"ticker": "360750", "weight": 0.5},
        {"ticker": "069500", "weight": 0.3},
        {"ticker": "305080", "weight": 0.2},
    ],
}


def test_a_rest_smaller_than_a_share_is_told_as_that() -> None:
    (problem,) = idle(plan_of({"cash_flow": 200000}, **SAVING))
    values = problem.message.values["cause"].values  # type: ignore[attr-defined]
    assert (problem.message.values["amount"], values["symbol"], values["price"]) == (10967, "305080", 12800)
    assert problem.severity == "info"


def test_a_minimum_trade_that_was_given_is_named_with_its_amount() -> None:
    plan = plan_of({"cash_flow": 200000}, **SAVING, rules={"all": {"min_trade": 500000}})
    assert not plan.trades
    assert causes(plan) == ["cash-idle.minimum"]
    assert "500,000 KRW" in str(idle(plan)[0].message)


def test_a_default_minimum_keeps_no_deposit_idle() -> None:
    sections = {"core": SAVING["targets"], "holdings": SAVING["holdings"], "cash": SAVING["cash"]}
    plan = plan_of({"cash_flow": 190000}, **sections)
    assert sum(trade.amount for trade in plan.trades) > 190000
    assert "cash-idle.minimum" not in causes(plan)


def test_an_accounts_rules_are_named_where_they_let_it_buy_nothing() -> None:
    accounts = [{"name": "ISA", "type": "isa", "cash": {"KRW": 1000000}, "markets": ["KR"]},
                {"name": "US", "type": "taxable", "cash": {"KRW": 0}}]  # fmt: skip
    held = [{"symbol": "360750", "quantity": 100, "price": 20000, "account": "ISA"},
            {"symbol": "QQQ", "quantity": 1, "price": 500, "account": "US"}]  # fmt: skip
    targets = [{"ticker": "360750", "weight": 0.3}, {"ticker": "QQQ", "weight": 0.7}]
    document = {"holdings": held, "accounts": accounts, "targets": targets}
    portfolio, problems = portfolio_from_data(
        {"portfolio": {"base_currency": "KRW", **document}, "fx": {"USDKRW": 1400}, "settings": {"mode": "buy-only"}},
        "p",
    )
    assert portfolio, problems
    plan = planned(portfolio, {}, DAY)
    assert causes(plan) == ["cash-idle.account"]
    assert str(idle(plan)[0].where) == "account ISA"


@pytest.mark.parametrize("settings", [{}, {"cash_flow": -50000}])
def test_nothing_is_said_where_no_money_was_to_be_invested(settings: dict[str, Any]) -> None:
    calm = {**SAVING, "targets": [{"ticker": "360750", "weight": 0.46}, {"ticker": "069500", "weight": 0.33},
                                  {"ticker": "305080", "weight": 0.2}]}  # fmt: skip
    assert idle(plan_of(settings, **calm)) == []


def test_a_mode_that_only_sells_is_the_cause() -> None:
    assert causes(plan_of({"cash_flow": 200000, "mode": "sell-only"}, **SAVING)) == ["cash-idle.mode"]


def test_a_maximum_that_one_more_share_would_break_is_named() -> None:
    targets = [{"ticker": "360750", "weight": 0.8}, {"ticker": "305080", "weight": 0.2}]
    groups = [{"name": "shares", "members": ["360750"], "max": 0.5}]
    holdings = [
        {"symbol": "360750", "quantity": 0, "price": 10000},
        {"symbol": "305080", "quantity": 0, "price": 10000},
    ]
    plan = plan_of(cash={"KRW": 1000000}, holdings=holdings, targets=targets, groups=groups)
    assert causes(plan) == ["cash-idle.limit"]
    assert "maximum of shares" in idle(plan)[0].said("en")
