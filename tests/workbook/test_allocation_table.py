"""The drift by sector, class and currency in a workbook: on the Analysis sheet, and what is furthest off in front."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.words import LANGUAGES, Lang, say
from rebalancer.books import plan_book
from templates.merge import write_back
from templates.read.book import read_book
from templates.report import BookReport
from templates.share import share
from templates.spec import sheet
from templates.write import build
from tests.workbook.cases import filled_portfolio, plan_of

PLAN = plan_of(filled_portfolio("growth"))


def shown(data: bytes, lang: Lang) -> tuple[str, list[Any]]:
    """Return what heads the block of what is furthest off on the dashboard, and its lines."""
    page = load_workbook(io.BytesIO(data), data_only=True)[sheet("Dashboard").title(lang)]
    top = next(row for row in range(1, 60) if page.cell(row, 2).value == say("label.cuts-top", lang))
    return str(page.cell(top, 2).value), [page.cell(row, 2).value for row in range(top + 2, top + 5)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_cut_has_one_mark_and_the_dashboard_shows_it(lang: Lang) -> None:
    report = plan_book(PLAN, lang)
    marked = [row for row in report.rows("Allocation") if row["Mark"]]
    for by in {row["By"] for row in report.rows("Allocation")}:
        off = [abs(float(str(row["Drift"]))) for row in report.rows("Allocation") if row["By"] == by]
        mine = [abs(float(str(row["Drift"]))) for row in marked if row["By"] == by]
        assert mine == ([max(off)] if max(off) >= 0.0005 else [])
    _, lines = shown(build(report, lang).to_bytes(), lang)
    assert [line for line in lines if line] == [f"{row['By']} · {row['Group']}" for row in marked]


def test_a_workbook_that_was_not_planned_says_so() -> None:
    _, lines = shown(build(BookReport(PLAN.portfolio), "en").to_bytes(), "en")
    assert lines[0] == say("label.cuts-unknown", "en")


@pytest.mark.slow
def test_it_is_read_back_and_written_into_a_persons_own_workbook(tmp_path: Path) -> None:
    own = tmp_path / "own.xlsx"
    own.write_bytes(build(BookReport(PLAN.portfolio), "ko").to_bytes())
    report = plan_book(PLAN, "ko")
    data, _ = write_back(own, report, "ko")
    assert data is not None
    own.write_bytes(data)
    book = read_book(own)
    groups = [(row["By"], row["Group"], row["Mark"]) for row in book.results["Allocation"]]
    assert groups == [(row["By"], row["Group"], row["Mark"]) for row in report.rows("Allocation")]
    assert book.notes["Allocation"] == report.notes["Allocation"]


def test_a_copy_of_weights_only_has_it_without_values() -> None:
    place = share(plan_book(PLAN, "en"), "en", weights_only=True).placements["Allocation"]
    assert [column.name for column in place.columns] == ["By", "Group", "Weight", "Target", "Drift", "Mark"]
