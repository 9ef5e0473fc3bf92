from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Problem
from engine.market.calendars import FIRST_YEAR, LAST_YEAR, REGULAR, trading_day
from engine.money import FxTable
from engine.phrase import phrase
from engine.portfolio import Account, Portfolio
from engine.quote import Quote
from engine.settings import Settings
from engine.valuation import (
    LONGEST_CLOSURE_DAYS,
    assign_cash_flow,
    resolve_fx,
    resolve_prices,
    resolve_rates,
    value,
    value_problems,
)
from engine.words import tell
from tests.builders import AS_OF, D, holding, instrument, portfolio, quote, section, target, valued

KRW = FxTable("KRW", {"USD": D(1400)})
WAS_STALE = phrase("was-stale")


def codes(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(problem.severity, problem.code) for problem in problems]


def priced(folio: Portfolio, *quotes: Quote) -> tuple[dict[str, Quote], tuple[Problem, ...]]:
    return resolve_prices(folio, {q.symbol: q for q in quotes}, AS_OF)


# --- prices


def test_a_manual_price_beats_every_source() -> None:
    folio = portfolio([holding("069500", 1, price=D(41000))])
    prices, problems = priced(folio, quote("069500", 40000))
    assert (prices["069500"].price, prices["069500"].source, prices["069500"].currency) == (D(41000), "manual", "KRW")
    assert prices["069500"].as_of is None
    assert not problems


def test_a_manual_price_on_a_holding_of_quantity_0_prices_a_new_target() -> None:
    folio = portfolio([holding("069500", 0, price=D(41000))], [section("all", target("069500", 1))])
    prices, problems = priced(folio)
    assert prices["069500"].price == D(41000)
    assert not problems


def test_every_missing_price_is_a_problem_that_says_how_to_give_one() -> None:
    folio = portfolio([holding("069500", 1)], [section("all", target("QQQ", "0.5"))])
    prices, problems = priced(folio)
    assert prices == {}
    assert codes(problems) == [("error", "price-missing")] * 2
    assert [str(problem.where) for problem in problems] == ["price of QQQ", "price of 069500"]
    assert all("--prices" in str(problem.message) and "`price:`" in str(problem.message) for problem in problems)


def test_what_is_neither_held_nor_enabled_needs_no_price() -> None:
    folio = portfolio([holding("069500", 0)], [section("all", target("QQQ", "0.5", enabled=False))])
    assert priced(folio) == ({}, ())


def test_a_quote_in_another_currency_than_the_instruments_is_a_problem() -> None:
    prices, problems = priced(portfolio([holding("QQQ", 1)]), quote("QQQ", 500, "KRW"))
    assert prices == {}
    assert codes(problems) == [("error", "price-currency")]
    assert "trades in USD" in str(problems[0].message)


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_a_quote_that_is_no_price_is_a_problem(price: str) -> None:
    _, problems = priced(portfolio([holding("QQQ", 1)]), quote("QQQ", price))
    assert codes(problems) == [("error", "price-invalid")]


def test_a_manual_price_of_0_makes_a_holding_worthless_but_no_target() -> None:
    worthless = holding("QQQ", 3, price=D(0))
    assert valued(portfolio([worthless], cash={"KRW": 5}, fx={"USDKRW": D(1400)})).total == 5
    _, problems = priced(portfolio([worthless], [section("all", target("QQQ", "0.1"))]))
    assert codes(problems) == [("error", "price-zero")]


def test_two_manual_prices_of_one_symbol_that_disagree_are_a_problem() -> None:
    rows = [holding("QQQ", 1, account="a", price=D(500)), holding("QQQ", 1, account="b", price=D(501))]
    assert codes(priced(portfolio(rows))[1]) == [("error", "price-conflict")]


def test_prices_later_than_the_plans_day_are_pointed_out_once() -> None:
    late = dt.datetime(2027, 1, 5, tzinfo=dt.UTC)
    folio = portfolio([holding("QQQ", 1), holding("SPY", 1)])
    _, problems = priced(folio, quote("QQQ", 1, as_of=late), quote("SPY", 1, as_of=late))
    assert codes(problems) == [("warning", "price-later")]


# --- rates

DOLLARS: dict[str, Any] = {"cash": {"USD": 1}}


def rate(folio: Portfolio, *quotes: Quote, currency: str = "USD") -> tuple[Decimal | None, list[tuple[str, str]]]:
    table, problems = resolve_fx(folio, {q.symbol: q for q in quotes}, AS_OF)
    return table.rates.get(currency), codes(problems)


def test_a_manual_rate_beats_a_quoted_one() -> None:
    folio = portfolio(**DOLLARS, fx={"USDKRW": D("1391.5")})
    assert rate(folio, quote("USDKRW", 1400, "KRW")) == (D("1391.5"), [])


def test_a_manual_rate_given_the_other_way_round_beats_a_quoted_one() -> None:
    folio = portfolio(**DOLLARS, fx={"KRWUSD": D("0.0008")})
    assert rate(folio, quote("USDKRW", 1400, "KRW")) == (D(1250), [])


def test_a_direct_rate_is_used_before_an_inverse_one_of_the_same_kind() -> None:
    assert rate(portfolio(**DOLLARS), quote("KRWUSD", "0.0008", "USD"), quote("USDKRW", 1400, "KRW"))[0] == D(1400)


def test_a_rate_is_crossed_through_one_other_currency() -> None:
    folio = portfolio(cash={"EUR": 1}, fx={"EURUSD": D("1.25")})
    old = quote("USDKRW", 1400, "KRW", stale_reason=WAS_STALE)
    rates, problems = resolve_rates(folio, {"USDKRW": old}, AS_OF)
    assert not problems
    assert rates["EUR"].rate == D(1750)
    assert rates["EUR"].path == ("EURUSD", "USDKRW")
    assert (rates["EUR"].source, rates["EUR"].as_of, rates["EUR"].stale_reason) == (
        "manual × test",
        old.as_of,
        WAS_STALE,
    )


def test_a_crossed_rate_is_as_old_as_its_older_leg() -> None:
    folio = portfolio(cash={"EUR": 1})
    older = quote("EURUSD", "1.25", "USD", as_of=dt.datetime(2026, 11, 18, tzinfo=dt.UTC))
    newer = quote("USDKRW", 1400, "KRW")
    for pair in ([older, newer], [newer, older]):
        assert resolve_rates(folio, {q.symbol: q for q in pair}, AS_OF)[0]["EUR"].as_of == older.as_of
    swapped = [replace(older, as_of=newer.as_of), replace(newer, as_of=older.as_of)]
    assert resolve_rates(folio, {q.symbol: q for q in swapped}, AS_OF)[0]["EUR"].as_of == older.as_of


def test_a_cycle_of_currencies_without_a_way_to_the_base_is_a_problem() -> None:
    folio = portfolio(cash={"EUR": 1, "USD": 1}, fx={"EURUSD": D("1.25"), "USDJPY": D(150), "JPYEUR": D("0.005")})
    _, problems = resolve_fx(folio, {}, AS_OF)
    assert codes(problems) == [("error", "fx-missing")] * 2
    assert "USDKRW" in str(problems[1].message)


def test_a_currency_without_cash_or_a_priced_instrument_needs_no_rate() -> None:
    folio = portfolio(cash={"USD": 0}, sections=[section("all", target("QQQ", "0.1", enabled=False))])
    assert rate(folio) == (None, [])
    assert valued(portfolio(cash={"USD": 0, "KRW": 1})).cash == {"": {"KRW": D(1)}}


@pytest.mark.parametrize("bad", ["0", "-3", "NaN"])
def test_a_rate_that_is_no_rate_is_a_problem(bad: str) -> None:
    assert ("error", "fx-invalid") in rate(portfolio(**DOLLARS), quote("USDKRW", bad, "KRW"))[1]


# --- value


def test_the_total_is_holdings_and_cash_and_cash_flow_in_the_base_currency() -> None:
    folio = portfolio(
        [holding("QQQ", "3.5", price=D("512.30")), holding("069500", 10, price=D(40000))],
        cash={"KRW": 1500000, "USD": "320.50"},
        fx={"USDKRW": D("1391.5")},
        settings=Settings(cash_flow=D(100000)),
    )
    found = valued(folio)
    assert found.values == {"QQQ": D("2495029.07500"), "069500": D(400000)}
    assert found.cash == {"": {"KRW": D(1600000), "USD": D("320.50")}}
    assert found.total == D("2495029.075") + 400000 + 1600000 + D("445975.75")


def test_quantities_are_added_up_by_account_label() -> None:
    rows = [holding("069500", 1, account="a", price=D(1)), holding("069500", 2, account="b", price=D(1))]
    assert valued(portfolio([*rows, holding("069500", 4, account="a")])).quantities == {"069500": {"a": 5, "b": 2}}


def test_every_account_shows_every_currency() -> None:
    accounts = [Account("a", cash={"KRW": D(5)}), Account("b", type="isa")]
    folio = portfolio([holding("QQQ", 1, account="a", price=D(1))], accounts=accounts, fx={"USDKRW": D(1400)})
    assert valued(folio).cash == {"a": {"KRW": 5, "USD": 0}, "b": {"KRW": 0, "USD": 0}}


@pytest.mark.parametrize(("cash", "flow"), [(0, 0), (100, -100), (100, -101), (-1, 0)])
def test_a_total_of_0_or_below_is_a_problem(cash: int, flow: int) -> None:
    folio = portfolio(cash={"KRW": cash}, settings=Settings(cash_flow=D(flow)))
    assert codes(value_problems(valued(folio))) == [("error", "total-value")]


def test_a_total_above_0_is_no_problem() -> None:
    assert value_problems(valued(portfolio(cash={"KRW": 1}))) == ()


def test_negative_cash_counts_against_the_total() -> None:
    assert valued(portfolio([holding("069500", 1, price=D(100))], cash={"KRW": -30})).total == 70


# --- cash flow


def flows(folio: Portfolio) -> dict[str, Decimal]:
    return assign_cash_flow(folio, {symbol: quote(symbol, 100) for symbol in folio.symbols}, KRW)


def accounts(**cash: int) -> list[Account]:
    """Name an account by its type and a number: taxable1, isa1."""
    return [Account(name, type=name[:-1], cash={"KRW": D(amount)}) for name, amount in cash.items()]


def asked(flow: int, **more: Any) -> Settings:
    return Settings(cash_flow=D(flow), **more)


def test_without_accounts_the_cash_flow_is_the_one_purses() -> None:
    assert flows(portfolio(cash={"KRW": 10}, settings=asked(-70))) == {"": -70}
    assert flows(portfolio(cash={"KRW": 10}, settings=asked(70))) == {"": 70}


def test_a_deposit_goes_to_the_first_taxable_account() -> None:
    assert flows(portfolio(accounts=accounts(isa1=0, taxable1=0, taxable2=0), settings=asked(70))) == {"taxable1": 70}


def test_a_deposit_without_a_taxable_account_goes_to_the_first() -> None:
    assert flows(portfolio(accounts=accounts(isa1=0, irp1=0), settings=asked(70))) == {"isa1": 70}


def test_a_withdrawal_empties_taxable_accounts_in_the_order_listed() -> None:
    folio = portfolio(accounts=accounts(isa1=1000, taxable1=30, taxable2=100), settings=asked(-70))
    assert flows(folio) == {"taxable1": -30, "taxable2": -40}


def test_what_no_account_can_raise_falls_to_the_first_taxable_one() -> None:
    folio = portfolio(accounts=accounts(isa1=1000, taxable1=30, taxable2=10), settings=asked(-70))
    assert flows(folio) == {"taxable1": -60, "taxable2": -10}


def test_a_withdrawal_counts_on_99_percent_of_what_an_account_may_sell() -> None:
    rows = [holding("069500", 1, account="taxable1")]
    folio = portfolio(rows, accounts=accounts(taxable1=30, taxable2=500), settings=asked(-200))
    assert flows(folio) == {"taxable1": -129, "taxable2": -71}


def test_a_withdrawal_does_not_count_on_what_is_locked_disabled_or_not_to_be_sold() -> None:
    rows = [holding("069500", 1, account="taxable1", locked=True), holding("102110", 1, account="taxable1")]
    off = [section("all", target("102110", "0.1", enabled=False))]
    listed = accounts(taxable1=30, taxable2=500)
    assert flows(portfolio(rows, off, accounts=listed, settings=asked(-200)))["taxable1"] == -30
    assert flows(portfolio(rows[1:], accounts=listed, settings=asked(-200, mode="buy-only")))["taxable1"] == -30


def test_a_withdrawal_does_not_count_on_another_currency_that_may_not_be_converted() -> None:
    rows = [holding("QQQ", 1, account="taxable1")]
    listed = [Account("taxable1", cash={"KRW": D(30), "USD": D(100)}), Account("taxable2", cash={"KRW": D(10**6)})]
    folio = portfolio(rows, accounts=listed, settings=asked(-(10**6), convert_currency=False))
    assert flows(folio)["taxable1"] == -30
    assert flows(portfolio(rows, accounts=listed, settings=asked(-(10**6))))["taxable1"] == -(30 + 277200)


def test_a_withdrawal_leaves_an_accounts_buffer() -> None:
    listed = [Account("taxable1", cash={"KRW": D(30)}, cash_buffer=D(20)), *accounts(taxable2=500)]
    folio = portfolio(accounts=listed, settings=asked(-100, cash_buffer=D(1)))
    assert flows(folio) == {"taxable1": -10, "taxable2": -90}


def test_an_overdrawn_account_gives_nothing() -> None:
    folio = portfolio(accounts=accounts(taxable1=50, taxable2=-10, taxable3=90), settings=asked(-100))
    assert flows(folio) == {"taxable1": -50, "taxable3": -50}


@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.tuples(st.sampled_from(["taxable", "isa", "irp"]), st.integers(-100, 10**9)), min_size=1, max_size=4),
)
def test_the_parts_of_a_cash_flow_add_up_to_it_and_have_its_sign(flow: int, given_accounts: list[Any]) -> None:
    listed = [Account(str(i), type=kind, cash={"KRW": D(cash)}) for i, (kind, cash) in enumerate(given_accounts)]
    parts = flows(portfolio(accounts=listed, settings=asked(flow)))
    assert sum(parts.values()) == flow
    assert all(part * flow > 0 for part in parts.values())


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(-(10**5), 10**6))
def test_the_total_moves_by_exactly_the_cash_flow(shares: int, cash: int, flow: int) -> None:
    row = holding("QQQ", shares, price=D("12.34"))
    more: dict[str, Any] = {"cash": {"KRW": cash}, "fx": {"USDKRW": D("1391.5")}}
    still = valued(portfolio([row], **more))
    assert valued(portfolio([row], **more, settings=asked(flow))).total == still.total + flow


def test_the_cash_value_is_the_total_less_the_instruments() -> None:
    folio = portfolio([holding("QQQ", 1, price=D(10))], cash={"USD": "2.5", "KRW": -7}, fx={"USDKRW": D(1400)})
    found = valued(folio)
    assert found.cash_value == found.total - found.values["QQQ"] == D(3493)


def test_a_disabled_target_without_a_price_is_worth_0() -> None:
    folio = portfolio(sections=[section("all", target("QQQ", "0.1", enabled=False))], cash={"KRW": 9})
    found = value(folio, {}, FxTable("KRW"))
    assert (found.values, found.total) == ({"QQQ": 0}, 9)


def test_a_fund_that_no_source_knows_is_priced_by_hand() -> None:
    fund = instrument("MYFUND", market="KR", currency="KRW", asset_type="fund")
    assert valued(portfolio([holding("MYFUND", 10, price=D(12000))], instruments=[fund])).total == 120000


# --- too old for the plan's day


def days_before(days: int) -> dt.datetime:
    return dt.datetime.combine(AS_OF - dt.timedelta(days=days), dt.time(15, 30), dt.UTC)


@pytest.mark.parametrize(("days", "stale"), [(0, False), (10, False), (11, True), (2514, True)])
def test_a_price_is_stale_more_than_ten_days_before_the_plans_day(days: int, *, stale: bool) -> None:
    prices, problems = priced(portfolio([holding("069500", 1)]), quote("069500", 40000, as_of=days_before(days)))
    assert prices["069500"].stale is stale
    assert not problems


def test_an_old_price_says_its_day_and_its_age_in_both_languages() -> None:
    prices, _ = priced(portfolio([holding("069500", 1)]), quote("069500", 40000, as_of=days_before(30)))
    reason = prices["069500"].stale_reason
    assert str(reason) == "of 2026-10-21, 30 days before the plan's day, 2026-11-20"
    assert tell(reason, "ko") == "2026-10-21 시세, 계획 기준일 2026-11-20보다 30일 전"


def test_an_old_price_that_is_stale_already_keeps_its_reason() -> None:
    known = quote("069500", 40000, as_of=days_before(30), stale_reason=WAS_STALE)
    assert priced(portfolio([holding("069500", 1)]), known)[0]["069500"].stale_reason == WAS_STALE


def test_nothing_is_said_of_the_age_of_a_price_without_a_date() -> None:
    folio = portfolio([holding("069500", 1), holding("091230", 1, price=D(50000))])
    prices, _ = priced(folio, quote("069500", 40000, as_of=None))
    assert not any(price.stale for price in prices.values())


@pytest.mark.parametrize(("days", "stale"), [(10, False), (11, True)])
def test_a_rate_is_stale_more_than_ten_days_before_the_plans_day(days: int, *, stale: bool) -> None:
    quoted = {"USDKRW": quote("USDKRW", 1400, "KRW", as_of=days_before(days))}
    assert bool(resolve_rates(portfolio(**DOLLARS), quoted, AS_OF)[0]["USD"].stale_reason) is stale


def test_a_crossed_rate_is_stale_with_its_older_leg() -> None:
    quoted = {"USDKRW": quote("USDKRW", 1400, "KRW"), "EURUSD": quote("EURUSD", "1.25", "USD", as_of=days_before(11))}
    rates, _ = resolve_rates(portfolio(cash={"EUR": 1}), quoted, AS_OF)
    assert "2026-11-09" in str(rates["EUR"].stale_reason)


def test_a_manual_rate_has_no_date_to_be_too_old() -> None:
    folio = portfolio(**DOLLARS, fx={"USDKRW": D(1400)})
    rates, _ = resolve_rates(folio, {"USDKRW": quote("USDKRW", 1100, "KRW", as_of=days_before(2514))}, AS_OF)
    assert (rates["USD"].rate, rates["USD"].stale_reason) == (D(1400), None)


@pytest.mark.parametrize("market", sorted(REGULAR))
def test_no_closure_of_an_exchange_is_as_long_as_the_age_that_a_price_may_have(market: str) -> None:
    days = [dt.date(FIRST_YEAR, 1, 1) + dt.timedelta(days=n) for n in range(365 * (LAST_YEAR - FIRST_YEAR + 1))]
    sessions = [day for day in days if trading_day(market, day)]
    assert max(b - a for a, b in pairwise(sessions)).days <= LONGEST_CLOSURE_DAYS
