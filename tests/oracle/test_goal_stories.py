"""Investors whose orders can be worked out on paper: two overlapping funds, a household of three accounts, a 401(k)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import textbook
from tests.oracle.portfolios import AS_OF, Document
from tests.oracle.reading import read
from tests.oracle.versus import compare, engine_plan

FREE = {"*": {"commission": 0, "sell_tax": 0}}


def fund(symbol: str, price: float, quantity: float = 0, **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, "price": price, "quantity": quantity, "asset_type": "etf"} | more


#: 88 to 12 seen through. w of the world fund and 100 − w of the other hold 0.4 w of what is not American: w = 75.
OVERLAP: Document = {
    "portfolio": {
        "base_currency": "USD",
        "holdings": [
            fund("TOTAL", 100, 70, currency="USD", exposure={"US equity": 1}),
            fund("WORLD", 100, 30, currency="USD", exposure={"US equity": 0.6, "Developed ex-US": 0.4}),
        ],
        "cash": {"USD": 0},
        "targets": [{"class": "US equity", "weight": 0.7}, {"class": "Developed ex-US", "weight": 0.3}],
    },
    "settings": {"costs": FREE, "residence": "none"},
}
#: 30 of 60 million won in shares, 10 of 40 in bonds. The overseas account can only buy VOO, with its 10 million. Of the
#: 20 still wanted the pension may take 11 (21 of its 30 million); all its money in bonds, the rest in the ISA, is three
#: orders.
HOUSEHOLD: Document = {
    "portfolio": {
        "base_currency": "KRW",
        "holdings": [
            fund("VOO", 500, 40, currency="USD", account="overseas", asset_class="equity"),
            fund("360750", 20_000, currency="KRW", account="ISA", asset_class="equity"),
            fund("379800", 20_000, 500, currency="KRW", account="IRP", asset_class="equity"),
            fund("273130", 10_000, 1000, currency="KRW", account="ISA", asset_class="bond"),
        ],
        "accounts": [
            {"name": "overseas", "type": "taxable", "markets": ["US"], "cash": {"USD": 10_000}},
            {"name": "ISA", "type": "isa", "markets": ["KR"], "cash": {"KRW": 30_000_000}},
            {"name": "IRP", "type": "irp", "markets": ["KR"], "risk_cap": 0.7, "cash": {"KRW": 20_000_000}},
        ],
        "targets": [
            {"name": "S&P 500", "any": ["360750", "379800", "VOO"], "weight": 0.6},
            {"ticker": "273130", "weight": 0.4},
        ],
    },
    "fx": {"USDKRW": 1000},
    "settings": {"costs": FREE, "residence": "none"},
}
#: The target-date fund brings 25, 15 and 10 of what is wanted; its new money goes into the three plain funds.
RETIREMENT: Document = {
    "portfolio": {
        "base_currency": "USD",
        "holdings": [
            fund("T2040", 100, 50, currency="USD", exposure={"US equity": 0.5, "Developed ex-US": 0.3, "US bond": 0.2}),
            fund("US", 100, currency="USD", asset_class="US equity"),
            fund("INTL", 100, currency="USD", asset_class="Developed ex-US"),
            fund("BOND", 100, currency="USD", asset_class="US bond"),
        ],
        "accounts": [{"name": "401(k)", "type": "401k", "cash": {"USD": 5000}}],
        "targets": [
            {"class": "US equity", "weight": 0.45},
            {"class": "Developed ex-US", "weight": 0.25},
            {"class": "US bond", "weight": 0.3},
        ],
    },
    "settings": {"costs": FREE, "residence": "none"},
}
STORIES: list[tuple[Document, dict[tuple[str, str], float]]] = [
    (OVERLAP, {("", "TOTAL"): -45, ("", "WORLD"): 45}),
    (HOUSEHOLD, {("overseas", "VOO"): 20, ("ISA", "360750"): 1000, ("ISA", "273130"): 1000, ("IRP", "273130"): 2000}),
    (RETIREMENT, {("401(k)", "US"): 20, ("401(k)", "INTL"): 10, ("401(k)", "BOND"): 20}),
]


@pytest.mark.parametrize(("document", "orders"), STORIES, ids=["overlap", "household", "retirement"])
def test_the_oracle_finds_the_orders_of(document: Document, orders: dict[tuple[str, str], float]) -> None:
    case = read(document, AS_OF)
    found = textbook.answer(case).best
    assert found is not None
    slots = [(case.purses[slot.account].name, case.assets[slot.asset].symbol) for slot in case.slots]
    assert {slots[s]: lots for s, lots in found.orders.items()} == orders


@pytest.mark.parametrize(("document", "orders"), STORIES, ids=["overlap", "household", "retirement"])
def test_the_engine_finds_the_orders_of(document: Document, orders: dict[tuple[str, str], float]) -> None:
    plan = engine_plan(document)
    assert plan is not None
    sides = {"buy": 1, "sell": -1}
    assert {(t.account, t.symbol): sides[t.side] * float(t.quantity) for t in plan.trades} == orders


def test_a_member_with_a_locked_row_in_the_account_leaves_the_purchase_to_the_next() -> None:
    row: dict[str, Any] = {"currency": "KRW", "market": "KR"}
    document: Document = {
        "portfolio": {
            "base_currency": "KRW",
            "cash": {"KRW": 1_000_000},
            "holdings": [
                fund("900001", 10_000, 10, **row),
                {"symbol": "900001", "quantity": 10, "locked": True},
                fund("900002", 10_000, **row),
            ],
            "targets": [{"any": ["900001", "900002"], "weight": 1}],
        },
        "settings": {"costs": FREE, "trigger": "always"},
    }
    plan = engine_plan(document)
    assert plan is not None
    assert [(t.symbol, t.side, t.quantity) for t in plan.trades] == [("900002", "buy", 100)]


def test_a_member_that_may_not_be_sold_and_is_held_in_one_account_only_stays() -> None:
    # With the money of one TBA the cash would buy 900002 to the last won.
    document: Document = {
        "portfolio": {
            "base_currency": "KRW",
            "accounts": [
                {"name": "taxable", "type": "taxable", "cash": {"KRW": 127_000}, "markets": ["KR"]},
                {"name": "isa", "type": "isa", "cash": {"KRW": 0}, "markets": ["KR"]},
            ],
            "holdings": [
                fund("TBA", 100, 3, currency="USD", market="US", account="taxable"),
                fund("900002", 133_000, 3, currency="KRW", market="KR", account="isa"),
                fund("900003", 162_000, 4, currency="KRW", market="KR", account="isa"),
            ],
            "targets": [{"any": ["TBA", "900002"], "weight": 0.867}, {"ticker": "900003", "weight": 0.133}],
            "rules": {"all": {"absolute_band": 0.02, "relative_band": None, "min_trade": 0}},
        },
        "fx": {"USDKRW": 1400},
        "settings": {"costs": FREE, "residence": "none"},
    }
    plan = engine_plan(document)
    assert plan is not None
    assert {(t.symbol, t.side) for t in plan.trades} == {("900002", "buy"), ("900003", "sell")}
    assert compare(document).wrong == {}


def test_a_member_is_bought_to_mend_a_minimum_though_another_is_sold_to_mend_a_maximum() -> None:
    # What is sold of TBB makes room for more of 900000 than the goal itself may rise by.
    document: Document = {
        "portfolio": {
            "base_currency": "KRW",
            "cash": {"KRW": 0, "USD": 43.12},
            "holdings": [
                fund("900000", 874_856, currency="KRW", market="KR"),
                fund("TBB", 591.41, 6, currency="USD", market="US"),
                fund("900002", 2_637_780, 2, currency="KRW", market="KR"),
                fund("TBD", 1566.04, 1, currency="USD", market="US"),
                fund("TBF", 769.13, 1, currency="USD", market="US"),
            ],
            "targets": [
                {"any": ["900000", "TBB"], "name": "bonds", "weight": 0.271, "max": 0.342},
                {"any": ["TBD", "900002"], "weight": 0.167},
                {"ticker": "TBF", "weight": 0.311},
            ],
            "rules": {"all": {"absolute_band": 0.02, "relative_band": None, "min_trade": 0}},
            "groups": [{"name": "pair", "members": ["TBF", "bonds"], "min": 0.482}],
        },
        "fx": {"USDKRW": 1391.5},
        "settings": {"costs": FREE, "residence": "none"},
    }
    assert compare(document).wrong == {}


def test_with_a_surplus_of_exactly_nothing_what_is_over_goes_no_further_than_its_edge() -> None:
    # Two are over and two under, bands are alike: their edges cancel, and E is 0 but for the digits of won in dollars.
    american: dict[str, Any] = {"currency": "USD", "market": "US"}
    korean: dict[str, Any] = {"currency": "KRW", "market": "KR"}
    document: Document = {
        "portfolio": {
            "base_currency": "USD",
            "cash": {"USD": 1897.24, "KRW": 60_000},
            "holdings": [
                fund("TBA", 0.1, 17_025, **american),
                fund("TBB", 0.1, 17_141, **american),
                fund("TBC", 107.59, 14, **american),
                fund("900003", 33_905, 40, **korean),
                fund("TBF", 0.15, 7917, **american),
                fund("TBX", 0.09, 21_242, **american),
                fund("900006", 159, 9327, **korean),
            ],
            "targets": [
                {"any": ["TBA", "TBB"], "weight": 0.149},
                {"any": ["TBC", "900003"], "weight": 0.169},
                {"any": ["TBF", "TBX"], "weight": 0.492},
                {"ticker": "900006", "weight": 0.187},
            ],
            "rules": {"all": {"absolute_band": 0.02, "relative_band": None, "min_trade": 0}},
        },
        "fx": {"USDKRW": 1391.5},
        "settings": {"costs": FREE, "residence": "none", "destination": "half"},
    }
    assert compare(document, use_model=True).wrong == {}
