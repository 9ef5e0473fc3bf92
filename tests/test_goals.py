"""Goals as documents say them: what a target names, what is in it, and the tree of classes."""

from __future__ import annotations

from decimal import Decimal as D  # noqa: N817 - weights are read, not their types
from typing import Any

import pandas as pd
import pytest

from engine.data.document import parse_portfolio
from engine.data.write import dump_portfolio
from engine.errors import InputError
from engine.goals import Goal, exposures_of, goals_of, tree_of
from engine.portfolio import Portfolio
from rebalancer.loading import from_frames, load


def portfolio(*targets: dict[str, Any], held: tuple[dict[str, Any], ...] = (), **more: Any) -> Portfolio:
    """Return a portfolio of funds in won."""
    rows = [{"quantity": 0, "currency": "KRW", "price": 100, "asset_type": "fund", **row} for row in held]
    body = {"base_currency": "KRW", "cash": {"KRW": 1000}, "holdings": rows, "targets": list(targets), **more}
    return load({"portfolio": body})


def by_name(found: Portfolio) -> dict[str, Goal]:
    return {goal.name: goal for goal in goals_of(found)}


WORLD = {"symbol": "WORLD", "exposure": {"US equity": 0.6, "Developed ex-US": 0.3}}
HOME = {"symbol": "HOME", "class": "Korean equity"}


def test_equivalents_without_a_name_are_called_by_their_members() -> None:
    found = by_name(portfolio({"any": ["360750", "379800"], "weight": 1}))
    assert list(found["360750 | 379800"].members) == ["360750", "379800"]


def test_a_class_holds_what_is_in_narrower_ones() -> None:
    found = by_name(portfolio({"class": "equity", "weight": 1}, held=(WORLD, HOME)))
    assert found["equity"].members == {"WORLD": D("0.9"), "HOME": D(1)}


def test_a_symbol_with_a_target_of_its_own_is_in_no_class() -> None:
    found = by_name(
        portfolio({"class": "equity", "weight": 0.5}, {"ticker": "HOME", "weight": 0.5}, held=(WORLD, HOME))
    )
    assert list(found["equity"].members) == ["WORLD"]


def test_a_share_is_of_the_nearest_wider_class_with_a_target() -> None:
    found = portfolio(
        {"class": "equity", "weight": 0.8},
        {"class": "US equity", "share": 0.75},
        {"class": "Developed ex-US", "share": 0.25},
        held=(WORLD,),
    )
    assert [(goal.name, goal.weight, goal.leaf, goal.parent) for goal in goals_of(found)] == [
        ("equity", D("0.8"), False, None),
        ("US equity", D("0.6"), True, "equity"),
        ("Developed ex-US", D("0.2"), True, "equity"),
    ]
    assert found.cash_target == D("0.2")


@pytest.mark.parametrize("word", ["US equity", "us EQUITY", "equity/us", "미국 주식", "미국주식", "us_equity"])
def test_a_class_is_known_by_its_names(word: str) -> None:
    assert portfolio({"class": word, "weight": 1}, held=(WORLD,)).sections[0].targets[0].symbol == "US equity"


@pytest.mark.parametrize(
    "tree",
    [
        {"world": {"US large": ["US large value"]}, "US large": None},
        {"world": ["US large", {"US large": "US large value"}]},
        {"world": "US large", "US large": "US large value"},
    ],
)
def test_the_tree_is_written_as_mappings_lists_or_both(tree: Any) -> None:
    assert tree_of(portfolio(classes=tree)).line("US large value") == ("US large value", "US large", "world")


def test_the_document_s_tree_goes_before_the_catalogue_s() -> None:
    assert tree_of(portfolio(classes={"mine": ["US equity"]})).line("US equity") == ("US equity", "mine")


def test_an_exposure_may_stand_in_one_cell() -> None:
    held = {"symbol": "WORLD", "exposure": "US equity 62%, Emerging: 0.11"}
    assert portfolio(held=(held,)).exposures["WORLD"] == {"US equity": D("0.62"), "Emerging": D("0.11")}


def test_a_wide_class_of_a_document_does_not_hide_what_the_catalogue_knows() -> None:
    found = load({"portfolio": {"holdings": [{"symbol": "VT", "quantity": 1, "class": "equity"}]}})
    assert exposures_of(found)["VT"]["US equity"] == D("0.62")


def test_what_nobody_knows_is_in_no_class() -> None:
    assert exposures_of(portfolio(held=({"symbol": "MINE"},)))["MINE"] == {}


def test_a_goal_written_reads_as_the_same() -> None:
    found = portfolio(
        {"any": ["360750", "379800"], "name": "S&P", "weight": 0.2, "consolidate": True},
        {"class": "equity", "weight": 0.5, "max": 0.6},
        {"class": "US equity", "share": 0.6},
        {"class": "small", "share": 0.4},
        held=(WORLD, HOME, {"symbol": "TINY", "class": "small"}),
        classes={"equity": ["small"]},
        prefer={"equity": ["isa"], "rule": "KR"},
    )
    again, _ = parse_portfolio(dump_portfolio(found), "again")
    assert again == found


def test_frames_have_goals() -> None:
    targets = pd.DataFrame({"any": ["360750 | 379800", None], "class": [None, "equity"], "weight": [0.5, 0.5]})
    held = pd.DataFrame({"symbol": ["WORLD"], "quantity": [1], "price": [100], "currency": ["KRW"], "class": "equity"})
    found = from_frames(held, targets, base_currency="KRW", cash=100)
    assert [goal.kind for goal in goals_of(found)] == ["any", "class"]


def test_a_fund_may_be_called_like_the_class_that_it_is_in() -> None:
    found = by_name(portfolio({"class": "cash", "weight": 1}, held=({"symbol": "CASH", "class": "cash"},)))
    assert list(found["cash"].members) == ["CASH"]


def test_a_class_called_like_an_instrument_outside_it_needs_a_name_of_its_own() -> None:
    stock = {"symbol": "GOLD", "class": "Korean equity"}
    bars = {"symbol": "BARS", "class": "gold"}
    with pytest.raises(InputError, match="give the goal another name"):
        portfolio({"class": "gold", "weight": 0.5}, held=(stock, bars))
