"""A plan's weights by sector, asset class and currency: each cut is the whole, and cash is in it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from engine.allocation import BROAD, KINDS, OTHER, allocation
from engine.plan import Plan
from engine.words import LANGUAGES
from rebalancer.samples import sample_plan
from templates.report import allocation_rows
from xl_addin.show.text import report

D = Decimal


@pytest.fixture(scope="module")
def plan() -> Plan:
    return sample_plan()


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_adds_up_to_the_whole(plan: Plan, kind: str) -> None:
    cut = allocation(plan).cut(kind)  # type: ignore[arg-type]
    assert abs(sum((one.weight for one in cut), D(0)) - 1) < D("1e-20")
    assert sum((one.target or D(0) for one in cut), D(0)) == 1
    assert abs(sum((one.value for one in cut), D(0)) - plan.total_value) < D("1e-12")


def test_a_sector_is_the_weight_of_its_companies(plan: Plan) -> None:
    sectors = {one.group: one for one in allocation(plan).sector}
    own = {"SOXX", "091230", "005930", "NVDA", "MSFT"}
    expected = sum(one.weight for one in plan.positions if one.symbol in own)
    assert sectors["Information Technology"].weight == expected
    assert sectors["Information Technology"].target == D("0.19")


def test_bonds_and_cash_are_no_sector_and_broad_funds_none_of_theirs(plan: Plan) -> None:
    sectors = {one.group: one.target for one in allocation(plan).sector}
    assert sectors[OTHER] == D("0.10") + D("0.05") + D("0.04")
    assert sectors[BROAD] == D("0.62")


def test_cash_is_in_its_own_currency(plan: Plan) -> None:
    held = {one.group: one.value for one in allocation(plan).currency}
    stocks = sum(one.value for one in plan.positions if one.currency == "USD")
    assert held["USD"] - stocks == plan.cash.before["USD"] * plan.rates["USD"].rate


def test_the_document_says_it_in_numbers(plan: Plan) -> None:
    document = json.loads(json.dumps(plan.to_json()))["allocation"]
    assert list(document) == list(KINDS)
    first = document["asset_class"][0]
    assert first["drift"] == pytest.approx(first["weight"] - first["target"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_report_and_the_rows_name_every_group_in_the_language(plan: Plan, lang: str) -> None:
    text, rows = report(plan, lang), allocation_rows(plan, lang)
    assert all(str(row["Group"]) in text for row in rows)
    assert ("정보기술" in text) == (lang == "ko")
