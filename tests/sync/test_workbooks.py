"""A workbook as the synchronised file: merged into, not replaced; with a YAML file on the other side too."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import rebalancer
from engine.ledger.account import differences
from engine.merging import alike, changes
from engine.portfolio import Account, Group, Portfolio, Section
from engine.settings import CostOverride
from rebalancer.ledgers import read_ledger, record_corrections
from rebalancer.saving import save
from rebalancer.syncing import sync, written
from templates.report import BookReport
from templates.write import build
from tests.workbook.cases import filled_portfolio

pytestmark = pytest.mark.slow


def workbook(path: Path, portfolio: Portfolio, lang: Any = "en") -> Path:
    path.write_bytes(build(BookReport(portfolio), lang).to_bytes())
    return path


def rich() -> Portfolio:
    """Return a portfolio with something in every table."""
    return filled_portfolio("growth")


def all_changed(portfolio: Portfolio) -> Portfolio:
    """Return it with a change in every table."""
    first, *rest = portfolio.sections
    targets = (replace(first.targets[0], maximum=Decimal("0.9"), role="changed"), *first.targets[1:])
    rule = replace(first.rule, schedule="monthly", absolute_band=Decimal("0.03"), min_trade=Decimal(123_000))
    settings = replace(
        portfolio.settings, mode="buy-only", cash_buffer=Decimal(5000), residence="KR", convert_currency=False,
        max_turnover=Decimal("0.25"), fractional=("US",), realised={"overseas": Decimal(700)},
        costs={"KR/stock": CostOverride(Decimal("0.0002"), None, Decimal("0.001"))},
    )  # fmt: skip
    return replace(
        portfolio,
        name="Ours",
        holdings=(replace(portfolio.holdings[0], quantity=Decimal(77), locked=True), *portfolio.holdings[1:]),
        sections=(Section(first.name, targets, rule), *rest),
        groups=(*portfolio.groups, Group("both", (targets[0].symbol, targets[1].symbol), Decimal("0.8"))),
        fx={**portfolio.fx, "USDKRW": Decimal("1400.5")},
        settings=settings,
    )


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_table_of_a_workbook_takes_changes(tmp_path: Path, lang: Any) -> None:
    path = workbook(tmp_path / "my.xlsx", rich(), lang)
    after = all_changed(rebalancer.load(path))
    path.write_bytes(written(path, after, lang))
    assert changes(rebalancer.load(path), after) == ()


def test_accounts_of_a_workbook_take_changes(tmp_path: Path) -> None:
    portfolio = rich()
    accounts = (Account("키움", cash=portfolio.accounts[0].cash), Account("ISA", "isa", {"KRW": Decimal(10)}, ("KR",)))
    held = tuple(replace(one, account="키움") for one in portfolio.holdings)
    portfolio = replace(portfolio, holdings=held, accounts=accounts, accounts_declared=True)
    path = workbook(tmp_path / "my.xlsx", portfolio)
    before = rebalancer.load(path)
    after = replace(
        before,
        accounts=(before.accounts[0], replace(before.accounts[1], banned=("leveraged",), risk_cap=Decimal("0.7"))),
    )
    path.write_bytes(written(path, after, "en"))
    assert changes(rebalancer.load(path), after) == ()


def test_a_persons_own_cells_and_formats_stay(tmp_path: Path) -> None:
    shared = tmp_path / "cloud"
    shared.mkdir()
    here, there = tmp_path / "here" / "my.xlsx", tmp_path / "there" / "my.xlsx"
    here.parent.mkdir()
    there.parent.mkdir()
    workbook(here, rich())
    book = openpyxl.load_workbook(here)
    book["Holdings"]["T40"] = "my own remark"
    book.save(here)
    sync(here, str(shared))
    assert sync(there, str(shared)).taken
    change: Any
    for path, change in ((here, {"cash_buffer": Decimal(1000)}), (there, {"mode": "sell-only"})):
        mine = rebalancer.load(path)
        path.write_bytes(written(path, replace(mine, settings=replace(mine.settings, **change)), "en"))
        sync(path, str(shared))
    done = sync(here, str(shared))
    assert [str(one.told) for one in done.changes] == ["setting mode: full → sell-only"]
    assert alike(rebalancer.load(here), rebalancer.load(there))
    assert openpyxl.load_workbook(here)["Holdings"]["T40"].value == "my own remark"


def test_a_yaml_file_and_a_workbook_are_brought_together(tmp_path: Path) -> None:
    shared = tmp_path / "cloud"
    shared.mkdir()
    book = workbook(tmp_path / "my.xlsx", rich())
    text = tmp_path / "there" / "my.yaml"
    text.parent.mkdir()
    sync(book, str(shared))
    assert sync(text, str(shared)).taken
    assert alike(rebalancer.load(book), rebalancer.load(text))
    mine = rebalancer.load(text)
    save(all_changed(mine), text)
    sync(text, str(shared))
    assert sync(book, str(shared)).taken
    assert alike(rebalancer.load(book), rebalancer.load(text))
    assert not sync(text, str(shared)).taken


def test_entries_on_the_ledger_sheets_of_two_workbooks_come_together(tmp_path: Path) -> None:
    shared = tmp_path / "cloud"
    sides = [tmp_path / name / "my.xlsx" for name in ("here", "there")]
    for folder in (shared, *(side.parent for side in sides)):
        folder.mkdir()
    workbook(sides[0], rich())
    record_corrections(sides[0], dt.date(2026, 11, 1))
    for side in sides:
        sync(side, str(shared))
    for number, side in enumerate(sides):
        mine = rebalancer.load(side)
        held = list(mine.holdings)
        held[number] = replace(held[number], quantity=held[number].quantity + 5)
        side.write_bytes(written(side, replace(mine, holdings=tuple(held)), "en"))
        record_corrections(side, dt.date(2026, 11, 2 + number))
    for side in (*sides, sides[0]):
        sync(side)
    here, there = (read_ledger(side) for side in sides)
    assert {one.id for one in here.entries} == {one.id for one in there.entries}
    for side in sides:
        assert not differences(read_ledger(side).books("KRW"), rebalancer.load(side))
        assert not sync(side).sent
