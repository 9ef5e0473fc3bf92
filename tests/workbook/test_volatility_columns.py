"""The band in force stands in a workbook that follows volatility, and no other workbook has its columns."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from engine.analysis.volatility import State, Turbulence, banded
from engine.data.document import read_portfolio
from engine.money import ZERO
from engine.phrase import phrase
from engine.plan import Plan
from engine.portfolio import Portfolio
from engine.rebalance import rebalance
from templates.merge import write_back
from templates.read.book import read_book
from templates.read.workbooks import read_grids
from templates.report import plan_report
from templates.write import Book, build
from templates.write.checks import checks
from templates.write.pack import packed
from tests.office import Office
from tests.workbook.cases import book_for
from tests.workbook.test_libreoffice import at, same

CASES = Path(__file__).parent.parent / "bands_cases"
DAY = dt.date(2022, 5, 20)


def case(name: str) -> Portfolio:
    portfolio, problems = read_portfolio(CASES / f"{name}.yaml")
    assert portfolio is not None, problems
    return portfolio


def planned(word: State) -> Plan:
    """Plan the rotation while QQQ has a band of its own and SOXX's volatility is as the word says."""
    portfolio = case("rotation")
    (section,) = portfolio.sections
    own = tuple(replace(t, relative_band=t.weight) if t.symbol == "QQQ" else t for t in section.targets)
    portfolio = replace(portfolio, sections=(replace(section, targets=own),))
    state = Turbulence(word, ZERO, "realised", 0.3, 0.9, None, phrase("volatility.no-closes"))
    return rebalance(banded(portfolio, {"SOXX": state, "XLK": state})[0], {}, DAY)


def book(word: State) -> Book:
    return build(plan_report(planned(word), "en"), "en")


@pytest.mark.parametrize("word", ["calm", "high"])
def test_the_sheet_has_the_bands_of_the_plan(word: State) -> None:
    rows = {row["Ticker"]: (row["Low"], row["High"], row["Status"]) for row in book(word).figures.tables["Targets"]}
    assert rows == {p.symbol: (p.low, p.high, p.status) for p in planned(word).positions}


@pytest.mark.parametrize("word", ["calm", "high"])
def test_libreoffice_reckons_the_same_bands(word: State, office: Office, tmp_path: Path) -> None:
    mine = book(word)
    path = tmp_path / "book.xlsx"
    path.write_bytes(packed(mine.workbook, {}))
    made = office.convert([path], "xlsx", tmp_path / "out")
    found = next(grid for grid in read_grids(made["book"]) if grid.name == "Targets")
    cells = mine.cached["Targets"]
    assert [a for a, value in cells.items() if not same(value, at(found, a))] == []


def test_the_bands_read_back_and_the_state_does_not(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(book("high").to_bytes())
    again = read_book(path).portfolio
    assert again is not None
    (section,) = again.sections
    assert section.rule.relative_band_high_volatility is not None
    assert again == banded(planned("high").portfolio, {})[0]


@pytest.mark.slow
def test_ones_own_workbook_is_told_the_state(tmp_path: Path) -> None:
    path = tmp_path / "mine.xlsx"
    path.write_bytes(book("calm").to_bytes())
    data, lost = write_back(path, plan_report(planned("high"), "en"), "en")
    assert (lost, data is None) == (None, False)
    sheet = load_workbook(io.BytesIO(data or b""), data_only=True)["Targets"]
    at = {str(cell.value): cell.column - 1 for cell in reversed(sheet[7]) if cell.value}
    rows = list(sheet.iter_rows(min_row=8, max_row=11, values_only=True))
    found = {row[at["Ticker"]]: (row[at["Volatility"]], row[at["Status"]]) for row in rows}
    assert found == {"QQQ": (None, "OK"), "SOXX": ("high", "OK"), "XLK": ("high", "OK"), "ARKK": (None, "OK")}


def test_other_workbooks_have_none_of_the_columns() -> None:
    sheets = load_workbook(io.BytesIO(book_for("growth", "en", True).to_bytes()))
    headers = {str(cell.value) for name in ("Targets", "Settings") for row in sheets[name].iter_rows() for cell in row}
    assert "RelativeBand" in headers
    assert not headers & {"RelativeBandHigh", "Volatility"}


def test_no_banner_says_that_every_check_passes_over_broken_limits() -> None:
    made = build(plan_report(rebalance(case("leveraged"), {}, DAY), "en"), "en")
    assert {check.key for check in checks(made.figures, "en") if check.outcome == "PROBLEM"} == {"risk"}
    assert str(made.cached["Dashboard"]["B3"]).startswith("✖")
    assert "leveraged-total" in str(made.cached["Dashboard"]["B3"])
