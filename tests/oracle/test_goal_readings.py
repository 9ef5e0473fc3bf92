"""The oracle's reading of goals, on portfolios whose best plan a pencil finds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import brute, textbook
from tests.oracle.goals import exposure_to, tree_of
from tests.oracle.measure import measure
from tests.oracle.portfolios import AS_OF
from tests.oracle.reading import Case, read

FREE = {"*": {"commission": 0, "sell_tax": 0}}
KOREA: dict[str, Any] = {"currency": "KRW", "market": "KR"}
AMERICA: dict[str, Any] = {"currency": "USD", "market": "US"}


def case(holdings: list[dict[str, Any]], targets: list[dict[str, Any]], **more: Any) -> Case:
    """Return a case in won, without charges; `more` goes into the settings but for parts of the portfolio."""
    parts = ("cash", "accounts", "groups", "rules", "classes", "prefer", "core", "satellite")
    folio: dict[str, Any] = {"base_currency": "KRW", "targets": targets}
    folio["holdings"] = [{"asset_type": "etf"} | KOREA | row for row in holdings]
    folio["rules"] = {"all": {"min_trade": 0}}
    folio |= {key: more.pop(key) for key in parts if key in more}
    return read({"portfolio": folio, "fx": {"USDKRW": 1000}, "settings": {"costs": FREE} | more}, AS_OF)


def orders(one: Case) -> dict[tuple[str, str], float]:
    """Return what both halves of the oracle would trade, by account and symbol."""
    tried, solved = brute.answer(one).best, textbook.answer(one).best
    assert tried is not None
    assert solved is not None
    assert solved.objective == pytest.approx(tried.objective, abs=1e-9)
    slots = {s: (one.purses[slot.account].name, one.assets[slot.asset].symbol) for s, slot in enumerate(one.slots)}
    return {slots[s]: lots for s, lots in tried.orders.items()}


def held(symbol: str, price: float, quantity: float = 0, **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, "price": price, "quantity": quantity} | more


def test_two_overlapping_funds_are_bought_for_what_is_inside_them() -> None:
    # 7.5 units of the world fund hold 4.5 of America; with 2.5 of the other: 7 to 3.
    one = case(
        [held("WORLD", 100, exposure={"US equity": 0.6, "Developed ex-US": 0.4}),
         held("US", 100, exposure={"US equity": 1})],
        [{"class": "US equity", "weight": 0.7}, {"class": "Developed ex-US", "weight": 0.3}],
        cash={"KRW": 4000}, trigger="always", effort=0,
    )  # fmt: skip
    assert orders(one) == {("", "WORLD"): 30, ("", "US"): 10}


def test_an_account_buys_the_first_member_that_it_may_hold() -> None:
    one = case(
        [held("VOO", 1, **AMERICA), held("360750", 1000)],
        [{"any": ["VOO", "360750"], "weight": 1}],
        accounts=[{"name": "home", "type": "isa", "markets": ["KR"], "cash": {"KRW": 5000}},
                  {"name": "abroad", "cash": {"USD": 7}}],
    )  # fmt: skip
    assert orders(one) == {("home", "360750"): 5, ("abroad", "VOO"): 7}


def test_a_locked_member_leaves_the_purchase_to_the_next() -> None:
    one = case([held("A", 100, 1, locked=True), held("B", 100)], [{"any": ["A", "B"], "weight": 1}], cash={"KRW": 900})
    assert orders(one) == {("", "B"): 9}


def test_of_a_class_s_members_alike_the_one_held_is_bought() -> None:
    one = case([held("A", 100, 0, **{"class": "Alpha"}), held("B", 100, 1, **{"class": "Alpha"})],
               [{"class": "Alpha", "weight": 1}], cash={"KRW": 900})  # fmt: skip
    assert orders(one) == {("", "B"): 9}


def test_equivalents_below_their_target_are_not_sold() -> None:
    # Selling the two of B and buying A would end nearer the target than any purchase does.
    one = case([held("A", 700), held("B", 300, 2), held("C", 1000, 9)],
               [{"any": ["A", "B"], "weight": 0.07}, {"ticker": "C", "weight": 0.93}],
               cash={"KRW": 400}, trigger="always", effort=0)  # fmt: skip
    assert ("", "B") not in orders(one)


def test_equivalents_above_their_target_are_sold_to_it() -> None:
    one = case([held("A", 100, 5), held("B", 100, 5), held("C", 100, 0)],
               [{"any": ["A", "B"], "weight": 0.5}, {"ticker": "C", "weight": 0.5}])  # fmt: skip
    sold = {symbol: lots for (_, symbol), lots in orders(one).items()}
    assert sold.pop("C") == 5
    assert sum(sold.values()) == -5


def test_consolidation_sells_the_others_of_a_goal_on_its_target() -> None:
    one = case([held("A", 100, 5), held("B", 100, 5)], [{"any": ["A", "B"], "weight": 1, "consolidate": True}])
    assert one.ladder == (1, 2, 3)
    assert orders(one) == {("", "B"): -5, ("", "A"): 5}


def test_without_consolidation_a_goal_on_its_target_is_left() -> None:
    assert case([held("A", 100, 5), held("B", 100, 5)], [{"any": ["A", "B"], "weight": 1}]).ladder == ()


def test_consolidation_needs_an_account_that_may_buy_a_member() -> None:
    one = case(
        [held("VOO", 1, **AMERICA), held("360750", 1000, 5, account="home", locked=True),
         held("379800", 1000, 5, account="home")],
        [{"any": ["VOO", "360750"], "weight": 1, "consolidate": True}],
        accounts=[{"name": "home", "type": "isa", "markets": ["KR"], "cash": {"KRW": 0}}],
    )  # fmt: skip
    assert not any(slot.spare for slot in one.slots)


def test_a_share_is_of_the_nearest_targeted_ancestor() -> None:
    one = case(
        [held("A", 100, 4, **{"class": "Alpha"}), held("B", 100, 2, **{"class": "Beta"})],
        [{"class": "equity", "weight": 0.6}, {"class": "Alpha", "share": 0.75}, {"class": "Beta", "share": 0.25}],
        classes={"equity": ["Alpha", "Beta"]}, cash={"KRW": 400},
    )  # fmt: skip
    assert [goal.weight for goal in one.goals] == pytest.approx([0.6, 0.45, 0.15])
    assert [goal.leaf for goal in one.goals] == [False, True, True]
    assert one.cash_target == pytest.approx(400)


def test_a_parent_beyond_its_band_makes_its_section_act() -> None:
    one = case(
        [held("A", 100, 34, **{"class": "Alpha"}), held("B", 100, 34, **{"class": "Beta"}), held("C", 100, 32)],
        [{"ticker": "C", "weight": 0.4}],
        core=[{"class": "equity", "weight": 0.6}, {"class": "Alpha", "weight": 0.3}, {"class": "Beta", "weight": 0.3}],
        classes={"equity": ["Alpha", "Beta"]}, rules={"core": {"absolute_band": 0.05}, "all": {"absolute_band": 0.2}},
    )  # fmt: skip
    assert one.acting.keys() == {"core"}
    assert one.rung(2).terms[0] == ()


def test_what_is_unknown_counts_in_no_goal() -> None:
    one = case([held("A", 100, 10, exposure={"Alpha": 0.6})], [{"class": "Alpha", "weight": 1}])
    assert one.goals[0].value == pytest.approx(600)
    assert one.total == pytest.approx(1000)


def test_a_symbol_with_a_target_of_its_own_is_a_member_of_no_class() -> None:
    one = case([held("A", 100, 5, **{"class": "Alpha"}), held("B", 100, 5, **{"class": "Alpha"})],
               [{"ticker": "A", "weight": 0.5}, {"class": "Alpha", "weight": 0.5}])  # fmt: skip
    assert [goal.value for goal in one.goals] == pytest.approx([500, 500])


def test_a_purchase_in_the_less_preferred_place_counts_a_thousandth() -> None:
    accounts = [
        {"name": "ISA", "type": "isa", "cash": {"KRW": 500}},
        {"name": "IRP", "type": "irp", "cash": {"KRW": 500}},
    ]
    stocks, bonds = held("STOCK", 100, asset_class="equity"), held("BOND", 100, asset_class="bond")
    one = case([stocks, bonds], [{"ticker": "STOCK", "weight": 0.5}, {"ticker": "BOND", "weight": 0.5}],
               accounts=accounts, prefer={"bond": ["irp", "ISA"], "STOCK": ["isa"]})  # fmt: skip
    assert orders(one) == {("ISA", "STOCK"): 5, ("IRP", "BOND"): 5}
    places = {(one.purses[s.account].name, one.assets[s.asset].symbol): n for n, s in enumerate(one.slots)}
    other = {places["ISA", "BOND"]: 5.0, places["IRP", "STOCK"]: 5.0}
    best = {places["ISA", "STOCK"]: 5.0, places["IRP", "BOND"]: 5.0}
    rung = one.rung(1)
    assert measure(one, rung, other).objective - measure(one, rung, best).objective == pytest.approx(0.001)


def test_joined_goals_on_their_targets_are_left_alone() -> None:
    one = case(
        [held("WORLD", 100, 5, exposure={"Alpha": 0.5, "Beta": 0.5}), held("A", 100, 5, **{"class": "Alpha"})],
        [{"class": "Alpha", "weight": 0.75}, {"class": "Beta", "weight": 0.25}], trigger="always",
    )  # fmt: skip
    assert not any(one.rung(2).sells)
    assert not any(one.rung(2).buys)


def test_a_group_caps_the_look_through_of_a_class() -> None:
    one = case(
        [held("WORLD", 100, 50, exposure={"Alpha": 0.5, "Beta": 0.5}), held("A", 100, 50, **{"class": "Alpha"})],
        [{"class": "Alpha", "weight": 0.75}, {"class": "Beta", "weight": 0.25}],
        groups=[{"name": "cap", "members": ["Alpha"], "max": 0.7}],
    )  # fmt: skip
    (limit,) = one.limits
    assert limit.broken
    assert limit.excess([asset.value for asset in one.assets]) == pytest.approx(500)


@pytest.mark.parametrize(
    "classes",
    [
        {"equity": {"Alpha": ["one", "two"]}, "bond": None},
        {"equity": ["Alpha"], "Alpha": ["one", "two"]},
        [{"equity": [{"Alpha": ["one", {"two": None}]}]}, "bond"],
    ],
)
def test_the_tree_may_be_mappings_lists_or_both(classes: object) -> None:
    assert tree_of(classes) == {"alpha": "equity", "one": "alpha", "two": "alpha"}
    assert exposure_to(
        {"exposure": {"One": 0.2, "Alpha": 0.3, "bond": 0.1}}, "Equity", tree_of(classes)
    ) == pytest.approx(0.5)
