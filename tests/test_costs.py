from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from importlib import resources
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.costs.table import Row, TradeCost, charge, cost_problems, lookup, read_table, settlement_date
from engine.money import MINOR_DIGITS, unit
from engine.portfolio import ASSET_TYPES, MARKETS
from engine.settings import CostOverride
from tests.builders import AS_OF, D, instrument
from tests.work import calls_of

STOCK = instrument("005930", asset_type="stock")
KR_ETF = instrument("069500")
US_ETF = instrument("QQQ")
TABLES = {
    "rates.csv": ("market", "board", "asset_type", "side", "kind", "residence"),
    "contributions.csv": ("rule",),
    "settlement.csv": ("market",),
    "tax_rules.csv": ("rule",),
}


def sell_tax(day: dt.date) -> Decimal:
    return lookup(STOCK, day, {}).sell_tax_rate


# --- the tables themselves


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_a_table_names_its_source_and_the_day_it_was_checked(name: str) -> None:
    for row in read_table(name):
        assert row["source"].strip()
        assert dt.date.fromisoformat(row["checked_on"])
        assert row["verified"] in ("yes", "no")


@pytest.mark.parametrize("name", TABLES)
def test_no_two_rows_of_a_table_hold_for_the_same_thing_on_the_same_day(name: str) -> None:
    def key(row: Row) -> tuple[str, ...]:
        return tuple(row[column] for column in TABLES[name])

    for one, other in combinations(read_table(name), 2):
        if key(one) == key(other):
            first, second = sorted((one, other), key=lambda row: row["valid_from"])
            assert first["valid_to"], key(one)
            assert first["valid_from"] <= first["valid_to"] < second["valid_from"], key(one)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_a_table_has_as_many_cells_as_the_header(name: str) -> None:
    text = resources.files("engine.costs").joinpath(name).read_text(encoding="utf-8")
    header, *rows = csv.reader(text.splitlines())
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize("name", TABLES)
def test_dates_are_written_in_full_so_that_they_sort(name: str) -> None:
    for row in read_table(name):
        for cell in (row["valid_from"], row["valid_to"] or "2000-01-01"):
            assert dt.date.fromisoformat(cell).isoformat() == cell


def test_the_rates_use_known_markets_types_kinds_currencies_and_sane_numbers() -> None:
    for row in read_table("rates.csv"):
        assert row["market"] in ("*", *MARKETS)
        assert row["asset_type"] in ("*", *ASSET_TYPES)
        assert (row["kind"], row["side"]) in {("commission", "both"), ("sell_tax", "sell"), ("per_share_fee", "sell")}
        assert row["dated_by"] in ("trade", "settlement")
        assert row["currency"] in ("", *MINOR_DIGITS)
        assert 0 <= D(row["rate"]) < D("0.01")
        assert all(D(row[column] or 0) >= 0 for column in ("minimum", "cap"))


# --- what the rows say


@pytest.mark.parametrize(
    ("traded", "rate"), [("2024-06-03", "0.0018"), ("2025-06-02", "0.0015"), ("2026-06-01", "0.0020")]
)
def test_a_sale_of_korean_shares_is_taxed_by_the_rate_of_its_year(traded: str, rate: str) -> None:
    assert sell_tax(dt.date.fromisoformat(traded)) == D(rate)


def test_the_sale_tax_follows_the_settlement_date_not_the_trade_date() -> None:
    assert settlement_date("KR", dt.date(2025, 12, 29)) == dt.date(2025, 12, 31)
    assert sell_tax(dt.date(2025, 12, 29)) == D("0.0015")
    assert settlement_date("KR", dt.date(2025, 12, 30)) == dt.date(2026, 1, 1)
    assert sell_tax(dt.date(2025, 12, 30)) == D("0.0020")


@pytest.mark.parametrize(
    ("market", "traded", "settled"),
    [
        ("KR", "2026-11-19", "2026-11-23"),  # a Thursday: the weekend does not count
        ("US", "2026-11-20", "2026-11-23"),
        ("US", "2024-05-24", "2024-05-28"),  # the last T+2 day
        ("US", "2024-05-28", "2024-05-29"),
        ("OTHER", "2026-11-20", "2026-11-20"),
    ],
)
def test_a_trade_settles_so_many_weekdays_later(market: str, traded: str, settled: str) -> None:
    assert settlement_date(market, dt.date.fromisoformat(traded)) == dt.date.fromisoformat(settled)


def test_korean_etfs_are_exempt_from_the_sale_tax() -> None:
    assert lookup(KR_ETF, AS_OF, {}).sell_tax_rate == 0


def test_konex_is_on_record_but_never_applied_to_a_share_whose_board_is_unknown() -> None:
    assert [row["rate"] for row in read_table("rates.csv") if row["board"] == "KONEX"] == ["0.0010"]
    assert sell_tax(AS_OF) == D("0.0020")


def test_american_trades_pay_the_list_commission_and_the_fee_per_share_sold() -> None:
    cost = lookup(US_ETF, dt.date(2026, 6, 1), {})
    assert cost == TradeCost(D("0.0025"), D(0), D("0.0000206"), D("0.000195"), D("9.79"))


def test_an_american_pays_no_commission_on_american_trades() -> None:
    assert lookup(US_ETF, AS_OF, {}, "US").commission_rate == 0
    assert lookup(US_ETF, AS_OF, {}, "KR").commission_rate == D("0.0025")


def test_without_a_residence_no_usual_commission_is_assumed_and_it_is_said() -> None:
    assert lookup(US_ETF, AS_OF, {}, "none").commission_rate == 0
    assert [str(one.message) for one in cost_problems([US_ETF], AS_OF, {}, "none")] == [
        "no commission is known on 2026-11-20, so 0 is used: give `US/etf: {commission: …}`"
    ]


def test_the_fee_per_share_is_waived_in_the_last_quarter_of_2026() -> None:
    assert [lookup(US_ETF, day, {}).per_share_sell_fee for day in (dt.date(2026, 9, 30), dt.date(2026, 10, 1))] == [
        D("0.000195"),
        D(0),
    ]
    assert lookup(US_ETF, dt.date(2027, 1, 1), {}).per_share_cap == D("11.61")


def test_the_sec_fee_came_back_on_4_april_2026() -> None:
    assert lookup(US_ETF, dt.date(2026, 4, 3), {}).sell_tax_rate == 0
    assert lookup(US_ETF, dt.date(2026, 4, 4), {}).sell_tax_rate == D("0.0000206")


def test_the_sec_fee_ended_on_14_may_2025() -> None:
    assert lookup(US_ETF, dt.date(2025, 5, 13), {}).sell_tax_rate == D("0.0000278")
    assert lookup(US_ETF, dt.date(2025, 5, 14), {}).sell_tax_rate == 0


def test_a_fund_pays_neither_the_markets_commission_nor_its_fees() -> None:
    for market in ("KR", "US"):
        cost = lookup(instrument("MYFUND", market=market, asset_type="fund"), AS_OF, {})
        assert (cost.commission_rate, cost.sell_tax_rate, cost.per_share_sell_fee) == (0, 0, 0)


# --- overrides


def test_the_most_specific_override_wins_field_by_field() -> None:
    overrides = {
        "KR/stock": CostOverride(sell_tax=D("0.004")),
        "*": CostOverride(commission=D("0.1"), minimum=D(1), sell_tax=D("0.001")),
        "stock": CostOverride(commission=D("0.3"), sell_tax=D("0.003")),
        "KR": CostOverride(commission=D("0.2"), minimum=D(2), sell_tax=D("0.002")),
        "KR/etf": CostOverride(commission=D("0.9")),
    }
    cost = lookup(STOCK, AS_OF, overrides)
    assert (cost.commission_rate, cost.commission_minimum, cost.sell_tax_rate) == (D("0.3"), D(2), D("0.004"))
    assert lookup(US_ETF, AS_OF, overrides).commission_rate == D("0.1")
    assert lookup(KR_ETF, AS_OF, overrides).commission_rate == D("0.9")


def test_an_override_of_one_field_leaves_the_tables_others() -> None:
    cost = lookup(STOCK, AS_OF, {"*": CostOverride(commission=D(0))})
    assert (cost.commission_rate, cost.sell_tax_rate) == (0, D("0.0020"))


def test_an_override_of_the_sale_tax_takes_the_place_of_fees_per_share() -> None:
    cost = lookup(US_ETF, AS_OF, {"US": CostOverride(sell_tax=D(0))})
    assert (cost.sell_tax_rate, cost.per_share_sell_fee, cost.per_share_cap) == (0, 0, None)
    day = dt.date(2026, 6, 1)
    assert lookup(US_ETF, day, {"US": CostOverride(commission=D(0))}).per_share_sell_fee == D("0.000195")


# --- the charge


@pytest.mark.parametrize(
    ("amount", "commission", "tax"),
    [("1000000", "150", "2000"), ("3333", "0", "7"), ("3334", "1", "7"), ("0", "0", "0")],
)
def test_a_sale_is_charged_commission_and_tax_each_rounded_half_up(amount: str, commission: str, tax: str) -> None:
    cost = lookup(STOCK, AS_OF, {})
    assert charge(cost, "sell", D(10), D(amount), "KRW") == (D(commission), D(tax))


def test_a_purchase_pays_no_tax_and_no_fee_per_share() -> None:
    assert charge(lookup(STOCK, AS_OF, {}), "buy", D(10), D(1000000), "KRW") == (150, 0)
    assert charge(lookup(US_ETF, AS_OF, {}), "buy", D(100000), D(1000000), "USD") == (2500, 0)


def test_the_fee_per_share_is_added_to_the_commission_and_capped_per_trade() -> None:
    cost = lookup(US_ETF, dt.date(2024, 1, 2), {})
    assert charge(cost, "sell", D(1000), D("500.00"), "USD") == (D("1.25") + D("0.17"), 0)
    assert charge(cost, "sell", D(50000), D(1000000), "USD") == (D("2508.30"), 0)
    assert charge(cost, "sell", D(60000), D(1000000), "USD") == (D("2508.30"), 0)


def test_a_minimum_commission_is_charged_on_small_trades_only() -> None:
    cost = TradeCost(D("0.001"), D(5))
    assert charge(cost, "buy", D(1), D(100), "USD") == (5, 0)
    assert charge(cost, "buy", D(1), D(9000), "USD") == (9, 0)


@given(st.decimals(0, 10**12, places=4), st.decimals(0, 10**9, places=6), st.sampled_from([STOCK, KR_ETF, US_ETF]))
def test_charges_are_whole_smallest_units_and_never_negative(amount: Decimal, quantity: Decimal, what: object) -> None:
    assert isinstance(what, type(STOCK))
    for side in ("buy", "sell"):
        for part in charge(lookup(what, AS_OF, {}), side, quantity, amount, what.currency):
            assert part >= 0
            assert part % unit(what.currency) == 0


# --- what is not known


def problems(*what: object, day: dt.date = AS_OF, **overrides: CostOverride) -> list[tuple[str, str, str]]:
    found = cost_problems([i for i in what if isinstance(i, type(STOCK))], day, overrides)
    return [(problem.severity, problem.code, str(problem.where)) for problem in found]


def test_a_market_without_rates_is_reported_and_charged_nothing() -> None:
    abroad = instrument("BMW", market="OTHER", currency="EUR", asset_type="stock")
    assert lookup(abroad, AS_OF, {}) == TradeCost()
    assert problems(abroad) == [("warning", "cost-missing", "costs OTHER/stock")] * 2
    assert problems(abroad, OTHER=CostOverride(commission=D(0), sell_tax=D(0))) == []


def test_a_day_before_the_table_begins_is_reported() -> None:
    assert ("warning", "cost-missing", "costs KR/stock") in problems(STOCK, day=dt.date(2019, 1, 2))


def test_unverified_rates_in_use_are_reported_once_however_many_instruments_use_them() -> None:
    assert problems(KR_ETF, STOCK, instrument("102110")) == [("info", "cost-unverified", "costs KR")]


def test_an_override_silences_what_it_replaces() -> None:
    assert problems(KR_ETF, STOCK, KR=CostOverride(commission=D(0))) == []
    assert problems(US_ETF, US=CostOverride(sell_tax=D(0))) == []


def test_twice_as_many_instruments_are_twice_the_work() -> None:
    overrides = {"*": CostOverride(commission=D("0.0001")), "KR/stock": CostOverride(sell_tax=D("0.002"))}
    many = [instrument(f"{n:06d}", asset_type="stock") for n in range(400)]

    def work(count: int) -> int:
        return calls_of(lambda: [lookup(one, AS_OF, overrides) for one in many[:count]])

    assert work(400) < 2.2 * work(200)
