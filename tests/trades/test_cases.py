"""Portfolios that real plans went wrong on, each with what a sensible investor would do."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.data.document import read_portfolio
from engine.plan import Plan
from engine.quote import Quote
from engine.rebalance import rebalance

CASES = Path(__file__).parent / "cases"
AS_OF = dt.date(2026, 11, 20)
MOMENT = dt.datetime(2026, 11, 20, 6, 30, tzinfo=dt.UTC)
PRICES = {"360750": 24_500, "069500": 52_300, "305080": 12_800, "273130": 112_000, "091230": 45_200}
DOLLARS = {"QQQ": "612.30", "SOXX": "300"}


@cache
def planned(name: str, **settings: Any) -> Plan:
    """Plan a case; `settings` replace the document's."""
    portfolio, problems = read_portfolio(CASES / f"{name}.yaml")
    assert portfolio is not None, problems
    portfolio = replace(portfolio, settings=replace(portfolio.settings, **settings))
    quotes = {s: Quote(s, Decimal(p), "KRW", MOMENT, "test") for s, p in PRICES.items()}
    quotes |= {s: Quote(s, Decimal(p), "USD", MOMENT, "test") for s, p in DOLLARS.items()}
    quotes["USDKRW"] = Quote("USDKRW", Decimal("1391.5"), "KRW", MOMENT, "test")
    return rebalance(portfolio, quotes, AS_OF)


def orders(plan: Plan) -> dict[str, Decimal]:
    """Return what is bought (+) and sold (−) of each symbol over all accounts."""
    found: dict[str, Decimal] = {}
    for trade in plan.trades:
        sign = 1 if trade.side == "buy" else -1
        found[trade.symbol] = found.get(trade.symbol, Decimal(0)) + sign * trade.quantity
    return found


def sold(plan: Plan) -> set[str]:
    return {trade.symbol for trade in plan.trades if trade.side == "sell"}


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.yaml")))
def test_every_case_has_a_plan_with_a_bound_that_holds(name: str) -> None:
    quality = planned(name).quality
    assert 0 <= quality.bound <= quality.objective
    assert quality.method != "unproven"


def test_a_deposit_goes_to_what_is_furthest_below_its_target() -> None:
    plan = planned("deposit-to-the-neediest")
    assert orders(plan) == {"CCC": 20}
    assert plan.cash.after == {"USD": Decimal("13.80")}


def test_a_withdrawal_is_sold_from_what_is_furthest_above_its_target() -> None:
    assert orders(planned("withdrawal-from-the-overweight")) == {"BBB": -36}


def test_nothing_is_bought_for_less_than_its_commission() -> None:
    assert orders(planned("ticket-fee-above-the-gain", trigger="always")) == {}


def test_the_edge_of_a_band_is_sold_to_and_the_money_does_not_lie_idle() -> None:
    plan = planned("edges-of-two-funds")
    after = {trade.symbol: trade.weight_after for trade in plan.trades}
    assert Decimal("0.47") < after["305080"] <= Decimal("0.48")
    assert after["360750"] > Decimal("0.51")
    assert sum(plan.cash.after.values()) < plan.total_value / 1000


def test_what_a_breached_fund_brings_buys_the_others() -> None:
    plan = planned("only-breached-trade-and-no-cash-idles")
    assert sold(plan) == {"VTI"}
    assert set(orders(plan)) == {"VTI", "VXUS", "BND"}
    assert plan.quality.misplaced < 0.002


def test_purchases_alone_are_enough_where_they_leave_nothing_outside() -> None:
    plan = planned("purchases-suffice")
    assert plan.quality.rung == 1
    assert sold(plan) == set()
    assert len(plan.trades) == 7


def test_a_minimum_weight_over_two_accounts_is_no_reason_to_leave_a_fund_short() -> None:
    plan = planned("minimum-over-two-accounts")
    assert orders(plan)["360750"] == 1
    assert plan.quality.objective < 0.004


def test_a_minimum_trade_is_met_by_moving_between_accounts() -> None:
    plan = planned("minimum-trade-over-two-accounts")
    assert orders(plan) == {"900000": 33}
    assert plan.quality.objective < 0.001


def test_a_fraction_may_be_bought_beside_a_maximum_that_holds() -> None:
    assert planned("fraction-at-a-maximum").quality.rung == 1
    assert sum(trade.amount for trade in planned("fraction-at-a-maximum").trades) <= Decimal("220.81")


def test_a_group_above_its_maximum_is_brought_below_it_by_fractions() -> None:
    plan = planned("fraction-above-a-group-maximum")
    after = {p.symbol: p.weight for p in plan.positions} | {t.symbol: t.weight_after for t in plan.trades}
    assert after["TAA"] + after["900004"] <= Decimal("0.1924")


def test_a_withdrawal_of_a_few_won_is_raised() -> None:
    assert planned("withdrawal-of-a-few").cash.after["KRW"] >= 0


def test_a_deposit_that_buys_nothing_is_no_impossible_request() -> None:
    plan = planned("deposit-in-another-currency")
    assert plan.trades == ()
    assert plan.cash.after == plan.cash.before


def test_a_lock_on_one_row_lets_the_other_account_sell() -> None:
    plan = planned("one-row-locked")
    assert {(t.account, t.symbol, t.side, t.quantity) for t in plan.trades if t.side == "sell"} == {
        ("위탁", "005930", "sell", Decimal(87))
    }


def test_a_groups_minimum_is_mended_and_paid_for() -> None:
    plan = planned("group-minimum")
    after = {trade.symbol: trade.weight_after for trade in plan.trades}
    assert after["360750"] + after["305080"] >= Decimal("0.5")


def test_a_deposit_is_invested_though_nothing_is_due() -> None:
    plan = planned("deposit-though-nothing-is-due")
    assert plan.quality.rung == 1
    assert sold(plan) == set()
    assert orders(plan) == {"360750": 6, "305080": 6}


def test_withheld_tax_leaves_the_cash_at_the_sale() -> None:
    plan = planned("withheld-tax")
    (sale,) = (trade for trade in plan.trades if trade.side == "sell")
    gain = sale.amount - sale.cost - 12_000 * sale.quantity
    assert sale.withheld == (gain * Decimal("0.154")).quantize(Decimal(1))
    bought = sum(t.amount + t.cost for t in plan.trades if t.side == "buy")
    assert plan.cash.after["KRW"] == sale.amount - sale.cost - sale.withheld - bought


def test_a_tax_makes_a_sale_stop_short_of_the_target() -> None:
    after = {t.symbol: t.weight_after for t in planned("withheld-tax").trades}
    untaxed = {t.symbol: t.weight_after for t in planned("withheld-tax", taxes="show").trades}
    assert after["360750"] > untaxed["360750"] > Decimal("0.39")


def test_the_tax_on_overseas_gains_stops_a_sale_above_the_allowance() -> None:
    counted = orders(planned("overseas-tax-stops-a-sale"))["QQQ"]
    assert counted > orders(planned("overseas-tax-stops-a-sale", taxes="none"))["QQQ"]


def test_only_the_section_that_is_breached_trades() -> None:
    plan = planned("core-breached-alone")
    assert {s.section: s.acts for s in plan.sections} == {"core": True, "satellite": False}
    assert sold(plan) == {"360750"}


def test_only_the_section_that_is_due_trades() -> None:
    plan = planned("satellite-due-alone")
    assert {s.section: s.acts for s in plan.sections} == {"core": False, "satellite": True}
    assert orders(plan) == {"305720": -100_000, "453870": 100_000}


def test_a_retiree_whose_cash_covers_the_month_sells_nothing() -> None:
    plan = planned("retiree")
    assert plan.trades == ()
    assert not plan.needs_rebalancing


def test_a_saver_with_200_000_won_a_month_buys_what_is_short_and_sells_nothing() -> None:
    plan = planned("korean-saver")
    assert orders(plan) == {"360750": 9}
    assert plan.quality.rung == 1


def test_what_is_sold_over_three_accounts_is_sold_where_no_tax_is_due() -> None:
    plan = planned("taxable-isa-irp")
    assert {trade.account for trade in plan.trades if trade.side == "sell"} == {"ISA"}
    assert sum((trade.withheld for trade in plan.trades), Decimal(0)) == 0


def test_forty_equal_stocks_are_not_traded_for_a_percent_of_a_position() -> None:
    plan = planned("forty-equal-stocks")
    assert len(plan.trades) < 36
    assert min(trade.amount for trade in plan.trades) > 50_000


def test_a_deposit_alone_sells_only_where_cash_is_below_its_band() -> None:
    plan = planned("sell-only-with-a-deposit")
    assert orders(plan) == {"TAB": -12}
    assert plan.quality.rung == 3


def test_three_accounts_with_core_and_satellite_are_planned_closely() -> None:
    plan = planned("core-satellite-over-three-accounts")
    assert plan.quality.gap < 0.002
    assert plan.quality.misplaced < 0.006


def test_a_rate_is_told_in_as_many_digits_as_anyone_reads() -> None:
    (note,) = (p for p in planned("rate-given-the-other-way").problems if p.code == "fx-source")
    assert len(str(note.message)) < 80
