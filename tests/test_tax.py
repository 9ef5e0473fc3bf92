from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.costs.tax import estimate
from engine.money import FxTable
from engine.plan import Reason, Side, TaxEstimate, Trade
from engine.portfolio import Account, Holding
from engine.settings import Settings
from tests.builders import AS_OF, D, holding, instrument, portfolio

FX = FxTable("KRW", {"USD": D(1400)})
WHY = Reason("over", D(0), D(0), D(0), D(0))
FUND = instrument("360750", taxed_as_dividend=True)
DOMESTIC = instrument("069500", taxed_as_dividend=False)


def sale(symbol: str, quantity: int, price: object, account: str = "", side: Side = "sell", **more: Any) -> Trade:
    currency = instrument(symbol).currency
    amount = D(str(price)) * quantity
    given_more = {"cost": D(0), "tax": D(0)} | more
    return Trade(
        account=account,
        symbol=symbol,
        name=symbol,
        side=side,
        quantity=D(quantity),
        price=D(str(price)),
        currency=currency,
        amount=amount,
        reason=WHY,
        weight_after=D(0),
        **given_more,
    )


def bought(symbol: str, quantity: int, cost: object, **more: Any) -> Holding:
    return holding(symbol, quantity, average_cost=None if cost is None else D(str(cost)), **more)


def taxes(holdings: list[Holding], *trades: Trade, fx: FxTable = FX, day: dt.date = AS_OF, **more: Any) -> TaxEstimate:
    folio = portfolio(holdings, instruments=[FUND, DOMESTIC], base_currency=fx.base, **more)
    return estimate(trades, folio, fx, day)


def test_an_overseas_gain_is_price_less_average_cost_less_costs_in_won() -> None:
    found = taxes([bought("QQQ", 10, 300)], sale("QQQ", 10, 500, cost=D("12.50"), tax=D("0.10")))
    assert found.overseas_gain == (2000 - D("12.60")) * 1400 == D(2782360)


def test_22_percent_is_due_on_what_is_above_the_allowance() -> None:
    found = taxes([bought("QQQ", 10, 300)], sale("QQQ", 10, 500))
    assert (found.overseas_gain, found.overseas_allowance, found.overseas_tax) == (2800000, 2500000, 66000)


def test_a_gain_up_to_the_allowance_is_free() -> None:
    found = taxes([bought("QQQ", 10, 0)], sale("QQQ", 1, "1785.70"))
    assert (found.overseas_gain, found.overseas_tax) == (2499980, 0)


def test_overseas_losses_are_set_off_against_gains() -> None:
    rows = [bought("QQQ", 10, 300), bought("SPY", 10, 700)]
    found = taxes(rows, sale("QQQ", 10, 600), sale("SPY", 10, 600))
    assert found.overseas_gain == 2000 * 1400


def test_purchases_bring_no_tax() -> None:
    found = taxes([bought("QQQ", 10, 300)], sale("QQQ", 10, 500, side="buy"))
    assert (found.overseas_gain, found.overseas_tax, found.missing, found.notes) == (0, 0, (), ())


def test_a_missing_average_cost_leaves_the_figure_out_and_names_the_symbol() -> None:
    rows = [bought("QQQ", 10, 300), bought("SPY", 10, None), bought("SPY", 1, 100)]
    found = taxes(rows, sale("QQQ", 1, 500), sale("SPY", 1, 600))
    assert (found.overseas_gain, found.overseas_tax, found.missing) == (None, None, ("SPY",))


def test_the_average_is_over_the_rows_of_the_account_that_sells() -> None:
    rows = [bought("QQQ", 1, 100, account="a"), bought("QQQ", 3, 200, account="a"), bought("QQQ", 5, None, account="b")]
    found = taxes(rows, sale("QQQ", 1, 275, account="a"))
    assert found.overseas_gain == 100 * 1400


def test_what_is_withheld_of_a_foreign_funds_gain_is_its_dividend_tax_and_no_sales_tax() -> None:
    found = taxes([bought("360750", 10, 15000)], sale("360750", 10, 25000, tax=D(15400), withheld=D(15400)))
    assert (found.dividend_income, found.dividend_tax, found.overseas_gain) == (100000, 15400, 0)
    assert found.transaction_tax == 0


def test_losses_are_not_set_off_against_dividend_income() -> None:
    other = instrument("133690", taxed_as_dividend=True)
    folio = portfolio([bought("360750", 10, 15000), bought("133690", 10, 99000)], instruments=[FUND, other])
    found = estimate([sale("360750", 10, 25000), sale("133690", 10, 50000)], folio, FX, AS_OF)
    assert found.dividend_income == 100000


def test_a_fund_of_korean_shares_is_exempt() -> None:
    found = taxes([bought("069500", 10, 15000)], sale("069500", 10, 25000))
    assert (found.dividend_income, found.dividend_tax, found.overseas_gain) == (0, 0, 0)


def test_a_korean_fund_of_unknown_taxation_leaves_the_figure_out_and_is_named() -> None:
    found = taxes([bought("999999", 10, 15000)], sale("999999", 10, 25000))
    assert (found.dividend_income, found.dividend_tax) == (None, None)
    assert any("999999" in str(note) for note in found.notes)


@pytest.mark.parametrize("kind", ["isa", "irp", "pension"])
def test_sales_in_sheltered_accounts_are_left_out(kind: str) -> None:
    rows = [bought("360750", 10, 15000, account="x"), bought("360750", 10, 15000, account="y")]
    accounts = [Account("x", type=kind), Account("y")]
    both = [sale("360750", 10, 25000, account=name) for name in ("x", "y")]
    assert taxes(rows, *both, accounts=accounts).dividend_income == 100000


def test_the_transaction_tax_is_in_the_base_currency_over_all_sales() -> None:
    trades = [sale("005930", 1, 70000, tax=D(140)), sale("QQQ", 1, 500, tax=D("0.01"))]
    rows = [bought("005930", 1, 1), bought("QQQ", 1, 1)]
    assert taxes(rows, *trades).transaction_tax == 154
    dollars = FxTable("USD", {"KRW": 1 / D(1400)})
    assert taxes(rows, *trades, fx=dollars).transaction_tax == D("0.11")


def test_a_portfolio_kept_in_dollars_is_taxed_in_won_and_told_so() -> None:
    settings = Settings(residence="KR")
    rates = FxTable("USD", {"KRW": 1 / D(1250)})
    found = taxes([bought("QQQ", 10, 300)], sale("QQQ", 10, 500), fx=rates, settings=settings)
    assert (found.overseas_gain, found.overseas_tax) == (2500000, 0)
    assert any("Korean resident" in str(note) for note in found.notes)


def test_without_a_rate_to_won_there_is_no_figure_but_a_note() -> None:
    found = taxes([bought("QQQ", 10, 300)], sale("QQQ", 10, 500), fx=FxTable("USD"), settings=Settings(residence="KR"))
    assert (found.overseas_gain, found.overseas_tax, found.missing) == (None, None, ())
    assert any("KRW" in str(note) for note in found.notes)


def test_what_the_estimate_cannot_know_is_said() -> None:
    notes = " ".join(map(str, taxes([bought("QQQ", 10, 300)], sale("QQQ", 10, 500)).notes))
    for word in ("earlier in the year", "day of purchase", "FIFO"):
        assert word in notes


def test_a_day_before_the_rules_begin_has_no_tax_figure() -> None:
    found = taxes([bought("QQQ", 10, 300)], sale("QQQ", 10, 500), day=dt.date(1999, 1, 4))
    assert (found.overseas_gain, found.overseas_tax) == (2800000, None)
    assert any("1999-01-04" in str(note) for note in found.notes)


def test_the_cost_is_converted_at_the_rate_of_the_day_of_purchase_where_it_is_known() -> None:
    found = taxes([bought("QQQ", 10, 300, cost_fx=D(1100))], sale("QQQ", 10, 500))
    assert found.overseas_gain == 10 * (500 * 1400 - 300 * 1100)
    assert not any("day of purchase" in str(note) for note in found.notes)


def test_gains_realised_earlier_use_up_the_allowance_and_losses_add_to_it() -> None:
    def due(realised: int) -> Decimal | None:
        settings = Settings(realised={"overseas": D(realised)})
        return taxes([bought("QQQ", 10, 300)], sale("QQQ", 10, 500), settings=settings).overseas_tax

    assert due(1_000_000) == (2_800_000 - 1_500_000) * D("0.22")
    assert due(9_000_000) == 2_800_000 * D("0.22")
    assert due(-100_000) == (2_800_000 - 2_600_000) * D("0.22")


def test_an_american_is_told_that_taxes_on_gains_are_not_worked_out() -> None:
    found = taxes([bought("QQQ", 10, 300)], sale("QQQ", 10, 500), settings=Settings(residence="US"))
    assert (found.overseas_gain, found.overseas_tax, found.dividend_tax) == (None, None, None)
    assert ["wash sales" in str(note) for note in found.notes] == [True]


def test_where_taxes_are_none_of_the_plans_business_nothing_is_said_of_them() -> None:
    found = taxes([bought("QQQ", 10, 300)], sale("QQQ", 10, 500), settings=Settings(taxes="none"))
    assert (found.overseas_tax, found.notes) == (None, ())


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 99)), max_size=8))
def test_the_tax_is_never_negative_and_never_more_than_its_share_of_the_gains(lots: list[tuple[int, int, int]]) -> None:
    rows = [bought(f"S{n}", quantity, cost) for n, (_, cost, quantity) in enumerate(lots)]
    found = taxes(rows, *(sale(f"S{n}", quantity, price) for n, (price, _, quantity) in enumerate(lots)))
    gain = sum(((price - cost) * quantity * 1400 for price, cost, quantity in lots), 0)
    assert found.overseas_gain == gain
    assert found.overseas_tax == max(Decimal(gain) - 2500000, D(0)) * D("0.22")
