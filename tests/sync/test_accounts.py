"""Accounts that a side of two gave another name: nothing in them is lost or there twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

import rebalancer
from engine.merging import Conflict, merged
from engine.portfolio import Portfolio


def portfolio(*accounts: str, quantity: int = 5) -> Portfolio:
    """Return one whose first account holds a fund and cash; the others are empty."""
    mine = rebalancer.load({"portfolio": {
        "base_currency": "KRW",
        "accounts": [{"name": name, "type": "taxable", "cash": {"KRW": 100}} for name in accounts],
        "holdings": [{"symbol": "QQQ", "quantity": quantity, "account": accounts[0]}],
        "targets": [{"ticker": "QQQ", "weight": 0.9}],
    }})  # fmt: skip
    assert isinstance(mine, Portfolio)
    return mine


def held(found: Portfolio) -> list[tuple[str, Decimal]]:
    return [(one.account, one.quantity) for one in found.holdings]


def test_a_change_on_one_side_goes_into_the_account_as_the_other_calls_it() -> None:
    base, renamed, changed = portfolio("A"), portfolio("B"), portfolio("A", quantity=7)
    for mine, theirs in ((renamed, changed), (changed, renamed)):
        found, conflicts = merged(base, mine, theirs)
        assert conflicts == ()
        assert held(found) == [("B", Decimal(7))]
        assert [one.name for one in found.accounts] == ["B"]
        assert dict(found.accounts[0].cash) == {"KRW": Decimal(100)}


@pytest.mark.parametrize(("side", "name"), [("mine", "B"), ("theirs", "C")])
def test_two_new_names_of_one_account_are_a_conflict(side: str, name: str) -> None:
    base, mine, theirs = portfolio("A"), portfolio("B"), portfolio("C", quantity=7)
    _, conflicts = merged(base, mine, theirs)
    assert conflicts == (Conflict(("name", "A"), "B", "C"),)
    for chosen in ({"prefer": side}, {"choices": {("name", "A"): side}}):
        found, conflicts = merged(base, mine, theirs, **chosen)
        assert conflicts == ()
        assert held(found) == [(name, Decimal(7))]


def test_where_a_row_is_kept_its_account_is_too() -> None:
    base = portfolio("A", "B")
    gone = replace(base, accounts=base.accounts[1:], holdings=())
    changed = portfolio("A", "B", quantity=7)
    found, conflicts = merged(base, gone, changed, prefer="theirs")
    assert conflicts == ()
    assert held(found) == [("A", Decimal(7))]
    assert {one.name for one in found.accounts} == {"A", "B"}


def test_accounts_that_one_side_begins_to_name_are_those_of_the_other() -> None:
    base = rebalancer.load({"portfolio": {
        "base_currency": "KRW", "cash": {"KRW": 100}, "targets": [{"ticker": "QQQ", "weight": 0.9}],
        "holdings": [{"symbol": "QQQ", "quantity": 5}],
    }})  # fmt: skip
    found, conflicts = merged(
        base, replace(base, holdings=(replace(base.holdings[0], quantity=Decimal(7)),)), portfolio("A")
    )
    assert conflicts == ()
    assert held(found) == [("A", Decimal(7))]
    assert [one.name for one in found.accounts] == ["A"]
