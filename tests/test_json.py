"""The plan's JSON document."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.documents import number
from tests.plans import example, two_accounts
from xl_addin.show.json import dump

KEYS = {
    "": "as_of base_currency total_value needs_rebalancing drift positions sections trades conversions cash quality "
    "tax allocation problems",
    "positions": "symbol name section market asset_type quantity accounts price currency fx price_source price_as_of "
    "stale value weight target drift band status",
    "sections": "section target weight drift due next_due status breaches acts why",
    "trades": "account symbol side quantity price currency amount cost tax reason weight_after",
    "conversions": "sell buy amount rate cost account bought",
    "problems": "severity code where message",
}


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dump(example().to_json()))
    return found


@pytest.mark.parametrize("part", [part for part in KEYS if part])
def test_every_record_has_exactly_the_documented_keys_in_order(document: dict[str, Any], part: str) -> None:
    assert document[part]
    for record in document[part]:
        assert list(record) == KEYS[part].split()


def test_the_document_has_exactly_the_documented_keys_in_order(document: dict[str, Any]) -> None:
    assert list(document) == KEYS[""].split()
    assert list(document["cash"]) == ["before", "after", "target_weight", "accounts"]
    assert list(document["quality"]) == ["objective", "bound", "gap", "method", "seconds", "misplaced", "rung"]


def test_whole_amounts_are_whole_numbers_and_cents_stay_exact(document: dict[str, Any]) -> None:
    assert document["trades"][0]["amount"] == 2_000_000
    assert isinstance(document["trades"][0]["amount"], int)
    assert document["cash"]["before"] == {"KRW": 3_002_500, "USD": 320.5}


def test_a_band_is_low_then_high(document: dict[str, Any]) -> None:
    assert document["positions"][0]["band"] == [0.3, 0.4]


def test_dates_are_iso_and_unknown_ones_null() -> None:
    plan = example()
    undated = replace(plan, positions=(replace(plan.positions[0], price_as_of=None),))
    assert plan.to_json()["positions"][0]["price_as_of"] == "2026-11-20T15:30:00+09:00"
    assert undated.to_json()["positions"][0]["price_as_of"] is None


def test_a_reason_is_an_english_sentence_with_its_figures(document: dict[str, Any]) -> None:
    assert document["trades"][0]["reason"] == "Weighs 45.0%, above its band of 30.0~40.0%; target 35.0%"


def test_the_cash_of_the_document_reconciles_with_its_own_conversions(document: dict[str, Any]) -> None:
    for currency in ("KRW", "USD"):
        left = Decimal(str(document["cash"]["before"][currency]))
        for trade in document["trades"]:
            if trade["currency"] == currency:
                sign = 1 if trade["side"] == "sell" else -1
                left += sign * Decimal(str(trade["amount"])) - Decimal(str(trade["cost"])) - Decimal(str(trade["tax"]))
        for conversion in document["conversions"]:
            left -= Decimal(str(conversion["amount"])) if conversion["sell"] == currency else 0
            left += Decimal(str(conversion["bought"])) if conversion["buy"] == currency else 0
        assert left == Decimal(str(document["cash"]["after"][currency]))


def test_declared_accounts_show_their_cash_before_and_after() -> None:
    accounts = two_accounts().to_json()["cash"]["accounts"]
    assert accounts["해외"] == {"before": {"USD": 2500}, "after": {"USD": 498.6}}


def test_korean_is_written_as_it_is() -> None:
    assert "성장" not in dump(example().to_json())  # the name of a portfolio is no part of the document
    assert "삼성전자" in dump(example().to_json())


@pytest.mark.parametrize("value", [Decimal("NaN"), float("nan"), float("inf"), Decimal("-Infinity")])
def test_what_is_not_a_finite_number_is_null(value: Decimal | float) -> None:
    assert number(value) is None


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_money_to_the_cent_survives_json(amount: Decimal) -> None:
    assert Decimal(str(json.loads(json.dumps(number(amount))))) == amount
