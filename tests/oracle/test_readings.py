"""The oracle itself, on portfolios whose best plan a pencil finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.oracle import brute, textbook
from tests.oracle.brute import Answer
from tests.oracle.measure import measure
from tests.oracle.portfolios import AS_OF
from tests.oracle.reading import Case, brackets, read

FREE = {"*": {"commission": 0, "sell_tax": 0}}


def case(holdings: list[dict[str, Any]], targets: list[dict[str, Any]], **more: Any) -> Case:
    """Return a case in dollars, without charges; `more` goes into the settings but for cash, accounts and groups."""
    folio: dict[str, Any] = {"base_currency": "USD", "targets": targets}
    folio["holdings"] = [{"currency": "USD", "market": "US", "asset_type": "etf"} | row for row in holdings]
    folio |= {key: more.pop(key) for key in ("cash", "accounts", "groups", "rules") if key in more}
    return read({"portfolio": folio, "settings": {"costs": FREE} | more}, AS_OF)


def taken(one: Case) -> Answer:
    """Return what brute force takes; the model takes the same."""
    tried, solved = brute.answer(one), textbook.answer(one)
    assert tried.best is not None
    assert solved.best is not None
    assert solved.best.objective == pytest.approx(tried.best.objective, abs=1e-9)
    return tried


def named(one: Case, found: Answer) -> dict[str, float]:
    assert found.best is not None
    return {one.assets[one.slots[s].asset].symbol: lots for s, lots in found.best.orders.items()}


def test_a_deviation_of_thirty_percent_is_weighed_bracket_by_bracket() -> None:
    assert brackets(30.0, 100.0) == pytest.approx(1 * 0.02 + 4 * 0.06 + 5 * 0.15 + 15 * 0.35 + 5 * 0.75)


def test_idle_cash_counts_at_most_fifteen_hundredths() -> None:
    assert brackets(30.0, 100.0, 0.15) == pytest.approx(1 * 0.02 + 4 * 0.06 + 25 * 0.15)


def test_doing_nothing_at_sixty_to_forty_counts_what_the_brackets_say() -> None:
    one = case([{"symbol": "AAA", "quantity": 6, "price": 10}, {"symbol": "BBB", "quantity": 4, "price": 10}],
               [{"ticker": "AAA", "weight": 0.5}, {"ticker": "BBB", "weight": 0.5}])  # fmt: skip
    assert measure(one, one.rung(1), {}).objective == pytest.approx(
        0.01 * 0.02 + 0.04 * 0.06 + 0.05 * 0.15 + 0.1 * 0.35
    )


def test_a_deposit_goes_to_the_instrument_furthest_below_its_target() -> None:
    one = case(
        [
            {"symbol": "AAA", "quantity": 100, "price": 400},
            {"symbol": "BBB", "quantity": 194, "price": 75},
            {"symbol": "CCC", "quantity": 40, "price": 74.31},
        ],
        [{"ticker": "AAA", "weight": 0.5}, {"ticker": "BBB", "weight": 0.28}, {"ticker": "CCC", "weight": 0.22}],
        cash_flow=1500,
        mode="buy-only",
    )
    found = taken(one)
    assert named(one, found) == {"CCC": 20}
    assert found.best is not None
    assert found.best.cash == pytest.approx(13.80)


def test_nothing_is_bought_for_three_dollars_at_a_fee_of_five() -> None:
    one = case(
        [{"symbol": "AAA", "quantity": 50, "price": 100}, {"symbol": "BBB", "quantity": 1665, "price": 3}],
        [{"ticker": "AAA", "weight": 0.5}, {"ticker": "BBB", "weight": 0.5}],
        cash={"USD": 8.5},
        costs={"*": {"commission": 0, "minimum": 5, "sell_tax": 0}},
    )
    assert one.ladder == ()
    always = replace(one, trigger="always")
    assert named(always, taken(always)) == {}


def test_a_lock_holds_its_own_row_and_the_other_account_sells() -> None:
    one = case(
        [
            {"symbol": "AAA", "price": 984, "quantity": 100, "account": "locked", "locked": True},
            {"symbol": "AAA", "quantity": 100, "account": "free"},
            {"symbol": "BBB", "price": 245, "quantity": 100, "account": "free"},
        ],
        [{"ticker": "AAA", "weight": 0.5}, {"ticker": "BBB", "weight": 0.5}],
        accounts=[{"name": "locked", "cash": {"USD": 0}}, {"name": "free", "cash": {"USD": 1000}}],
    )
    found = taken(one)
    assert found.best is not None
    assert all(one.purses[one.slots[s].account].name == "free" for s in found.best.orders)
    assert -90 < named(one, found)["AAA"] < -80


def test_a_group_s_broken_minimum_is_mended() -> None:
    holdings = [("AAA", 245, 10), ("BBB", 128, 10), ("CCC", 523, 100)]
    one = case(
        [{"symbol": s, "price": p, "quantity": q} for s, p, q in holdings],
        [{"ticker": s, "weight": w} for s, w in (("AAA", 0.2), ("BBB", 0.2), ("CCC", 0.6))],
        cash={"USD": 5000},
        groups=[{"name": "pair", "members": ["AAA", "BBB"], "min": 0.5}],
    )
    found = textbook.answer(one).best
    assert found is not None
    values = measure(one, one.rung(found.rung), found.orders).values
    assert (values[0] + values[1]) / one.total >= 0.5 - 1e-9


def test_a_withdrawal_that_cash_covers_sells_nothing() -> None:
    one = case([{"symbol": "AAA", "quantity": 9, "price": 100}], [{"ticker": "AAA", "weight": 0.9}],
               cash={"USD": 200}, cash_flow=-100)  # fmt: skip
    assert named(one, taken(one)) == {}


def test_a_withdrawal_beyond_the_cash_sells_no_more_than_it_needs() -> None:
    one = case([{"symbol": "AAA", "quantity": 10, "price": 100}], [{"ticker": "AAA", "weight": 1}], cash_flow=-150)
    assert one.short
    assert named(one, taken(one)) == {"AAA": -2}


def test_what_is_not_held_cannot_be_withdrawn() -> None:
    one = case([{"symbol": "AAA", "quantity": 10, "price": 100, "locked": True}], [{"ticker": "AAA", "weight": 1}],
               cash_flow=-150)  # fmt: skip
    assert brute.answer(one).best is None
    assert textbook.answer(one).best is None


def test_a_section_within_its_bands_does_not_act() -> None:
    one = case([{"symbol": "AAA", "quantity": 48, "price": 10}, {"symbol": "BBB", "quantity": 52, "price": 10}],
               [{"ticker": "AAA", "weight": 0.5}, {"ticker": "BBB", "weight": 0.5}])  # fmt: skip
    assert one.ladder == ()


def test_a_holding_without_a_target_is_sold_and_its_money_bought_with() -> None:
    one = case([{"symbol": "AAA", "quantity": 90, "price": 10}, {"symbol": "OLD", "quantity": 10, "price": 10}],
               [{"ticker": "AAA", "weight": 1}])  # fmt: skip
    assert named(one, taken(one)) == {"OLD": -10, "AAA": 10}


def test_an_edge_is_reached_and_not_the_target() -> None:
    one = case([{"symbol": "AAA", "quantity": 60, "price": 10}, {"symbol": "BBB", "quantity": 40, "price": 10}],
               [{"ticker": "AAA", "weight": 0.5}, {"ticker": "BBB", "weight": 0.5}],
               destination="edge")  # fmt: skip
    assert named(one, taken(one)) == {"AAA": -5, "BBB": 5}
