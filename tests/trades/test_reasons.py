"""What a trade is said to be for is what it is for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.drift import goal_states
from engine.plan import Plan
from engine.portfolio import Account, Group, Portfolio, Rule
from engine.rebalance import rebalance
from engine.settings import CostOverride, Settings
from engine.trades.orders import Order, Settlement
from engine.trades.outcome import reason_codes
from tests.builders import AS_OF, D, holding, instrument, portfolio, section, target, valued

FREE = {"*": CostOverride(commission=D(0), sell_tax=D(0))}
WIDE = Rule(absolute_band=D("0.05"))


def folio(held: dict[str, int], wanted: dict[str, str], cash: object = 0, **more: Any) -> Portfolio:
    """Price everything at 10,000 won, without costs: 100 shares are 1 million."""
    names = held.keys() | wanted.keys()
    rows = [holding(name, held.get(name, 0), price=D(10_000)) for name in sorted(names)]
    aims = [section("all", *(target(name, weight) for name, weight in wanted.items()), rule=WIDE)]
    given: dict[str, Any] = {"cash": {"KRW": cash}, "settings": Settings(costs=FREE)} | more
    known = [instrument(name, asset_class="equity") for name in names]
    return portfolio(rows, aims, instruments=known, **given)


def planned(one: Portfolio) -> dict[str, str]:
    plan: Plan = rebalance(one, {}, AS_OF)
    return {trade.symbol: trade.reason.code for trade in plan.trades}


def order(side: Any, symbol: str, quantity: int, account: str = "") -> Order:
    return Order(account, symbol, side, D(quantity), D(quantity * 10_000), D(0), D(0))


def codes(one: Portfolio, *orders: Order) -> list[str]:
    """Return the reasons of orders chosen by hand."""
    value = valued(one)
    before = {name: dict(purse) for name, purse in value.cash.items()}
    after = {name: dict(purse) for name, purse in before.items()}
    for row in orders:
        name = row.account if one.accounts_declared else ""
        after[name][one.instruments[row.symbol].currency] += row.amount if row.side == "sell" else -row.amount
    settlement = Settlement(orders, (), before, after, {})
    return [code for code, _ in reason_codes(one, value, goal_states(one, value), settlement)]


def test_what_is_at_its_target_is_not_sold_for_the_fee_of_a_purchase() -> None:
    # 2 million of cash buy 40 shares at 50,000, but not their fee: 39 are bought, and nothing is sold.
    rows = [holding("360750", 100, price=D(20_000), account="a"), holding("069500", 0, price=D(50_000), account="b")]
    aims = [section("all", target("360750", "0.5"), target("069500", "0.5"))]
    fee = Settings(costs={"*": CostOverride(commission=D("0.00015"))})
    assert planned(portfolio(rows, aims, {"KRW": 2_000_000}, settings=fee)) == {
        "069500": "under",
    }


def test_a_sale_for_the_buffer_raises_cash() -> None:
    buffer = Settings(costs=FREE, cash_buffer=D(200_000))
    assert planned(folio({"069500": 100}, {"069500": "1"}, settings=buffer)) == {"069500": "raise-cash"}


def test_a_sale_for_a_groups_cap_says_so_of_what_is_below_its_target() -> None:
    caps = (Group("two", ("A", "B"), maximum=D("0.1")),)
    known = [instrument(name, market="KR", currency="KRW", asset_class="equity") for name in ("A", "B", "069500")]
    rows = [holding(name, n, price=D(10_000)) for name, n in (("A", 60), ("B", 60), ("069500", 880))]
    aims = [section("all", target("A", "0.07"), target("B", "0.07"), target("069500", "0.8"), rule=WIDE)]
    one = portfolio(rows, aims, instruments=known, groups=caps, settings=Settings(costs=FREE))
    found = planned(one)
    assert {found[name] for name in found.keys() & {"A", "B"}} == {"limit"}


def test_what_the_other_sales_bring_is_not_lacking_any_more() -> None:
    # 500,000 are lacking. The sale of what is above its target brings 400,000, or 600,000.
    one = folio({"069500": 300, "091230": 100, "305720": 0}, {"069500": "0.25", "091230": "0.3", "305720": "0.2"})
    one = replace(one, settings=replace(one.settings, cash_buffer=D(500_000)))
    little = codes(one, order("sell", "069500", 40), order("sell", "091230", 20), order("buy", "305720", 10))
    enough = codes(one, order("sell", "069500", 60), order("sell", "091230", 20), order("buy", "305720", 30))
    assert little == ["over", "raise-cash", "under"]
    assert enough == ["over", "pay-purchase", "under"]


@pytest.mark.parametrize(("convert", "reason"), [(True, "raise-cash"), (False, "pay-purchase")])
def test_won_raise_dollars_only_where_they_may_be_converted(*, convert: bool, reason: str) -> None:
    # 100 dollars are owed, 70,000 won at hand: half of it.
    one = folio({"069500": 100}, {"069500": "1.1", "091230": "0.1"}, 70_000, fx={"USDKRW": D(1_400)})
    owed = (replace(one.accounts[0], cash={"KRW": D(70_000), "USD": D(-100)}),)
    one = replace(one, accounts=owed, settings=replace(one.settings, convert_currency=convert))
    assert codes(one, order("sell", "069500", 10), order("buy", "091230", 1)) == [reason, "under"]


def test_a_sale_with_nothing_to_pay_for_brings_cash_nearer_to_its_target() -> None:
    one = folio({"069500": 100}, {"069500": "1"})
    assert codes(one, order("sell", "069500", 1)) == ["cash-target"]


def test_another_accounts_purchase_is_not_paid_for() -> None:
    accounts = (Account("a", cash={"KRW": D(0)}), Account("b", cash={"KRW": D(500_000)}))
    rows = [holding("069500", 100, account="a", price=D(10_000)), holding("091230", 0, account="b", price=D(10_000))]
    aims = [section("all", target("069500", "0.7"), target("091230", "0.3"), rule=WIDE)]
    one = portfolio(rows, aims, accounts=accounts)
    assert codes(one, order("sell", "069500", 1, "a"), order("buy", "091230", 10, "b")) == ["cash-target", "under"]


@pytest.mark.parametrize(("held", "reason"), [(300, "limit"), (200, "pay-purchase")])
def test_a_sale_that_keeps_an_accounts_risk_cap_says_so(held: int, reason: str) -> None:
    # Of 10 million 7 are risk assets, as much as may be: 10 shares more of the one take 10 less of the other.
    accounts = (Account("irp", "irp", cash={"KRW": D(3_000_000)}, risk_cap=D("0.7")),)
    quantities = {"069500": 400, "091230": held, "305720": 0}
    rows = [holding(name, n, account="irp", price=D(10_000)) for name, n in quantities.items()]
    aims = [section("all", *(target(name, "0.5") for name in quantities), rule=WIDE)]
    known = [instrument(name, asset_class="equity") for name in quantities]
    one = portfolio(rows, aims, accounts=accounts, instruments=known)
    assert codes(one, order("sell", "091230", 10, "irp"), order("buy", "305720", 10, "irp")) == [reason, "under"]


def test_a_move_between_accounts_is_one_on_both_sides() -> None:
    accounts = (Account("a", cash={"KRW": D(0)}), Account("b", cash={"KRW": D(500_000)}))
    rows = [holding("069500", 100, account="a", price=D(10_000))]
    one = portfolio(rows, [section("all", target("069500", "0.6"), rule=WIDE)], accounts=accounts)
    assert codes(one, order("sell", "069500", 20, "a"), order("buy", "069500", 10, "b")) == ["relocate"] * 2


def test_a_sale_of_what_is_above_its_target_needs_no_other_cause() -> None:
    one = folio({"069500": 100, "091230": 100}, {"069500": "0.48", "091230": "0.3"})
    assert codes(one, order("sell", "069500", 1), order("sell", "091230", 1)) == ["above", "over"]
