"""A workbook with goals, open in Excel: its functions answer from ranges with their columns, its buttons write them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from engine.rebalance import rebalance
from engine.words import LANGUAGES, Lang
from rebalancer.books import plan_book
from templates.report import INSIDE
from tests.commands_fake_book import FakeBook
from tests.workbook.test_goals_book import portfolio
from xl_addin.buttons import press
from xl_addin.buttons.book import found_in, tables_of
from xl_addin.functions import function, plan
from xl_addin.hosts.excel.package import report_workbook

DAY = dt.date(2026, 11, 20)


@pytest.fixture(autouse=True)
def calm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REBALANCER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(plan, "quotes_for", lambda *_, **__: ({}, ()))
    monkeypatch.setattr(plan, "today", lambda: DAY)
    plan.forget()


def live(folder: Path, lang: Lang = "en") -> FakeBook:
    """Return the planned workbook of a household, with macros."""
    report = plan_book(rebalance(portfolio("household"), {}, DAY), lang)
    return FakeBook(report_workbook(report, lang), str(folder / "mine.xlsm"))


def answered(book: FakeBook, name: str, *, ranges: bool = False) -> list[list[Any]]:
    """Return what a function answers: from the workbook that calls it, or from ranges of its sheets."""
    tables: Any = tables_of(book)
    one = function(name)
    titles = list(tables)
    sheets = [tables[titles[at]] for at in (2, titles.index("Targets"), 3, titles.index("Settings"))]
    given = [*(sheets if ranges else [None] * 4), tables] if one.arguments else [tables]
    found: Any = one.answer(given)
    assert not isinstance(found, str), found
    return [list(row) for row in found]


@pytest.mark.parametrize("ranges", [False, True])
def test_drift_shows_goals_with_their_members_under_them(tmp_path: Path, *, ranges: bool) -> None:
    head, *rows = answered(live(tmp_path), "REBAL_DRIFT", ranges=ranges)
    found = [dict(zip(head, row, strict=True)) for row in rows]
    named = [row["Name"] for row in found]
    assert named[0] == "S&P 500"
    assert all(name.startswith(INSIDE) for name in named[1:4])
    goal, members = found[0], found[1:4]
    assert goal["Target"] == pytest.approx(0.5)
    assert goal["Weight"] == pytest.approx(sum(row["Weight"] for row in members))
    assert all(row["Status"] in (None, "") for row in members)


@pytest.mark.slow
@pytest.mark.parametrize("ranges", [False, True])
def test_the_other_functions_answer_too(tmp_path: Path, *, ranges: bool) -> None:
    book = live(tmp_path)
    trades = answered(book, "REBAL_TRADES", ranges=ranges)
    assert {row[1] for row in trades[1:]} <= set(portfolio("household").symbols)
    assert len(trades) > 2
    assert "error" not in {row[0] for row in answered(book, "REBAL_CHECKS", ranges=ranges)}
    summary = dict(map(tuple, answered(book, "REBAL_SUMMARY")[1:]))
    assert summary["needs_rebalancing"] is True


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_buttons_write_what_is_in_each_goal(tmp_path: Path, lang: Lang) -> None:
    book = live(tmp_path, lang)
    place = found_in(book, tables_of(book))["Goals"]
    sheet = book.sheets[place.grid.name]
    before = {at: value for at, value in sheet.values.items() if at[0] > place.header}
    column = place.columns["Name"]
    sheet.values[place.header + 1, column] = "?"
    press("propose", book, formulas=True)
    assert book.alerts == []
    after = {at: value for at, value in sheet.values.items() if at[0] > place.header}
    assert {at: v for at, v in after.items() if at[1] == column} == {
        at: v for at, v in before.items() if at[1] == column
    }
