"""Plans as they are billed: what is sold out is sold whole, and caps hold for the amounts on the bill."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from engine.data.document import parse_portfolio
from engine.plan import Plan
from engine.rebalance import rebalance

SOLD_OUT = """
portfolio:
  base_currency: KRW
  holdings:
    - {symbol: USX0, quantity: 2, price: 635.56, currency: USD, asset_type: stock}
    - {symbol: USX1, quantity: 2019, price: 5.62, currency: USD, asset_type: fund}
  satellite:
    - {ticker: USX0, weight: 1.0}
    - {ticker: USX1, weight: 0.0, max: 0.03}
  cash: {KRW: 10660314, USD: 1079.77}
fx: {USDKRW: 1391.5}
settings: {fractional: [US, KR]}
"""
TURNOVER = """
portfolio:
  base_currency: KRW
  holdings:
    - {symbol: USX0, quantity: 0, price: 8.41, currency: USD, asset_type: fund}
    - {symbol: USX3, quantity: 31, price: 166.29, currency: USD, asset_type: etf}
  targets:
    - {ticker: USX0, weight: 0.8}
    - {ticker: USX3, weight: 0.0}
  cash: {KRW: 1503554, USD: 8190.52}
fx: {USDKRW: 1000}
settings: {fractional: [US], max_turnover: %s}
"""


def planned(text: str) -> Plan:
    portfolio, problems = parse_portfolio(text, "test")
    assert portfolio is not None, problems
    return rebalance(portfolio, {}, dt.date(2026, 11, 20))


def test_a_fraction_that_is_sold_out_leaves_no_dust() -> None:
    sold = {trade.symbol: trade.quantity for trade in planned(SOLD_OUT).trades if trade.side == "sell"}
    assert sold == {"USX1": 2019}


@pytest.mark.parametrize("most", ["0.2", "0.25", "0.3333", "0.37"])
def test_turnover_holds_for_the_amounts_on_the_bill(most: str) -> None:
    plan = planned(TURNOVER % most)
    billed = sum((trade.amount * 1000 for trade in plan.trades), Decimal(0))
    assert Decimal("0.99") < billed / (Decimal(most) * plan.total_value) <= 1
