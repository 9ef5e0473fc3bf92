"""Every model, in both languages, plain and filled, recalculated by LibreOffice: an independent second spreadsheet.

The files it gets hold no cached values, so that what it shows is its own calculation. Continuous integration has each
model filled, in one language after the other, and two plain ones; a soak run has them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from engine.words import LANGUAGES, Lang
from templates.cells import CellError, Grid, Uncomputed, column_number
from templates.models import KEYS
from templates.read.book import read_book
from templates.read.workbooks import read_grids
from templates.spec import sheet
from templates.spec.vocabulary import meant
from templates.write.pack import packed
from tests.office import Office
from tests.workbook.cases import CASES, book_for, case_name, plan_of, report_for

Case = tuple[str, Lang, bool]
Sheets = dict[str, Grid]

LANG: dict[str, Lang] = {key: LANGUAGES[number % 2] for number, key in enumerate(KEYS)}
OFTEN = {*((key, lang, True) for key, lang in LANG.items()), (KEYS[0], "ko", False), (KEYS[-1], "en", False)}


def each(cases: list[Case]) -> pytest.MarkDecorator:
    """Return the mark of a test of every case."""
    return pytest.mark.parametrize(
        "case",
        [
            pytest.param(case, id=case_name(*case), marks=pytest.mark.slow if case in OFTEN else pytest.mark.soak)
            for case in cases
        ],
    )


@pytest.fixture(scope="module")
def recalculated(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], Path]:
    """Return what gives a workbook as LibreOffice saves it again."""
    folder = tmp_path_factory.mktemp("books")

    @cache
    def saved(case: Case) -> Path:
        path = folder / f"{case_name(*case)}.xlsx"
        path.write_bytes(packed(book_for(*case).workbook, {}))
        return office.convert([path], "xlsx", folder / "out")[path.stem]

    return saved


@pytest.fixture(scope="module")
def values(recalculated: Callable[[Case], Path]) -> Callable[[Case], Sheets]:
    """Return what gives the sheets of a recalculated workbook by their names."""
    return cache(lambda case: {grid.name: grid for grid in read_grids(recalculated(case))})


def at(found: Grid, address: str) -> object:
    """Return what a cell shows."""
    row = int(address.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    value = found.rows.get(row, {}).get(column_number(address))
    return float(value) if isinstance(value, Decimal) else value


def same(mine: object, theirs: object) -> bool:
    if mine in (None, "") and theirs in (None, ""):
        return True
    if isinstance(mine, int | float) and isinstance(theirs, int | float):
        return abs(mine - theirs) <= 1e-9 * max(1, abs(mine))
    return mine == theirs


@each(CASES)
def test_every_formula_comes_to_the_value_cached_beside_it(values: Callable[[Case], Sheets], case: Case) -> None:
    book, found = book_for(*case), values(case)
    formulas = 0
    differing = []
    for title, cells in book.cached.items():
        for address, value in cells.items():
            formulas += 1
            shown = at(found[title], address)
            if not same(value, shown):
                differing.append((title, address, value, shown))
    assert formulas > 100
    assert differing == []


@each(CASES)
def test_no_cell_shows_an_error(values: Callable[[Case], Sheets], case: Case) -> None:
    errors = [
        (grid.name, number, column, value)
        for grid in values(case).values()
        for number, row in grid.rows.items()
        for column, value in row.items()
        if isinstance(value, CellError | Uncomputed)
    ]
    assert errors == []


@each(CASES)
def test_every_check_says_ok(values: Callable[[Case], Sheets], case: Case) -> None:
    found = values(case)[sheet("Checks").title(case[1])]
    results = [at(found, f"D{row}") for row in range(8, 19)]
    # What fills a model need not keep the limits of risk: the last check is about those.
    broken = any(row["Code"] == "limit-breached" for row in report_for(*case).rows("Problems"))
    assert [meant("check", str(result)) for result in results] == ["OK"] * 10 + ["PROBLEM" if broken else "OK"]


@each([case for case in CASES if case[2]])
def test_the_native_total_is_the_engines_to_the_won(values: Callable[[Case], Sheets], case: Case) -> None:
    portfolio = report_for(*case).portfolio
    holdings = values(case)[sheet("Holdings").title(case[1])]
    total = at(holdings, "C3")
    assert isinstance(total, float)
    digits = 0 if portfolio.base_currency == "KRW" else 2
    assert round(total, digits) == round(float(plan_of(portfolio).total_value), digits)


@each(CASES)
def test_saved_by_libreoffice_it_reads_as_the_same_portfolio(recalculated: Callable[[Case], Path], case: Case) -> None:
    book = read_book(recalculated(case))
    assert [str(p) for p in book.problems if p.severity == "error"] == []
    assert book.portfolio == report_for(*case).portfolio
    assert book.lang == case[1]


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_saved_by_libreoffice_it_gives_the_same_plan(recalculated: Callable[[Case], Path], key: str) -> None:
    case: Case = (key, LANG[key], True)
    portfolio = read_book(recalculated(case)).portfolio
    assert portfolio is not None
    theirs, ours = plan_of(portfolio), plan_of(report_for(*case).portfolio)
    assert replace(theirs, quality=ours.quality) == ours
