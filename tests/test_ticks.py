from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.costs.ticks import lot_size, round_to_lot, round_to_tick, tick_size
from engine.errors import InputError
from tests.builders import AS_OF, D, instrument

PRICES = st.decimals(1, 5 * 10**6, places=2)
TYPES = st.sampled_from(["stock", "etf"])


@pytest.mark.parametrize(
    ("price", "step"),
    [
        ("1", "1"),
        ("1999", "1"),
        ("2000", "5"),
        ("4995", "5"),
        ("5000", "10"),
        ("19990", "10"),
        ("20000", "50"),
        ("49950", "50"),
        ("50000", "100"),
        ("199900", "100"),
        ("200000", "500"),
        ("499500", "500"),
        ("500000", "1000"),
        ("1200000", "1000"),
    ],
)
def test_a_share_moves_in_steps_that_grow_with_its_price(price: str, step: str) -> None:
    assert tick_size(D(price), "stock", AS_OF) == D(step)
    assert tick_size(D(price), "reit", AS_OF) == D(step)


@pytest.mark.parametrize(("price", "step"), [("1999", "1"), ("2000", "5"), ("700000", "5")])
def test_an_etf_moves_by_1_won_below_2000_and_by_5_above(price: str, step: str) -> None:
    assert tick_size(D(price), "etf", AS_OF) == D(step)
    assert tick_size(D(price), "etn", AS_OF) == D(step)


@pytest.mark.parametrize(
    ("price", "asset_type", "day"),
    [("100", "stock", "2023-01-24"), ("100", "fund", "2026-01-02"), ("-1", "stock", "2026-01-02")],
)
def test_a_price_step_that_is_not_known_is_an_error_and_no_guess(price: str, asset_type: str, day: str) -> None:
    with pytest.raises(InputError) as caught:
        tick_size(D(price), asset_type, dt.date.fromisoformat(day))
    assert caught.value.problems[0].code == "tick-unknown"


def test_the_table_begins_on_25_january_2023() -> None:
    assert tick_size(D(100), "stock", dt.date(2023, 1, 25)) == 1


def test_a_limit_is_rounded_down_to_buy_and_up_to_sell() -> None:
    assert round_to_tick(D("70049"), "stock", AS_OF, "buy") == 70000
    assert round_to_tick(D("70049"), "stock", AS_OF, "sell") == 70100
    assert round_to_tick(D("70100"), "stock", AS_OF, "sell") == 70100


@given(PRICES, TYPES)
def test_a_rounded_price_is_one_the_exchange_takes_and_no_worse(price: Decimal, asset_type: str) -> None:
    bid, ask = (round_to_tick(price, asset_type, AS_OF, side) for side in ("buy", "sell"))
    assert bid <= price <= ask
    for rounded in (bid, ask):
        assert rounded % tick_size(rounded, asset_type, AS_OF) == 0
        assert abs(rounded - price) < tick_size(price, asset_type, AS_OF)


def test_a_lot_is_one_share_unless_the_instrument_says_otherwise() -> None:
    assert lot_size(instrument("069500")) == 1
    assert round_to_lot(D("17.9"), instrument("069500")) == 17
    assert round_to_lot(D("29"), instrument("069500", lot=D(10))) == 20
    assert round_to_lot(D("0.29"), instrument("QQQ", lot=D("0.1"))) == D("0.2")
