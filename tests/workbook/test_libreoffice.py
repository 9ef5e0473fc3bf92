"""Every model, in both languages, plain and filled, recalculated by LibreOffice: an independent second spreadsheet.

The files it gets hold no cached values, so that what it shows is its own calculation.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.words import Lang
from templates.cells import CellError, Grid, Uncomputed, column_number
from templates.read.book import read_book
from templates.read.workbooks import read_grids
from templates.spec import sheet
from templates.spec.vocabulary import meant
from templates.write.pack import packed
from tests.office import Office
from tests.workbook.cases import CASES, book_for, case_name, plan_of, report_for

pytestmark = pytest.mark.slow

Shown = dict[str, Grid]
IDS = [case_name(*case) for case in CASES]


@pytest.fixture(scope="module")
def recalculated(office: Office, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return every workbook as LibreOffice saves it again, by name."""
    folder = tmp_path_factory.mktemp("books")
    files = []
    for case in CASES:
        path = folder / f"{case_name(*case)}.xlsx"
        path.write_bytes(packed(book_for(*case).workbook, {}))
        files.append(path)
    return office.convert(files, "xlsx", folder / "out")


@pytest.fixture(scope="module")
def values(recalculated: dict[str, Path]) -> dict[str, Shown]:
    return {name: {grid.name: grid for grid in read_grids(path)} for name, path in recalculated.items()}


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


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_every_formula_comes_to_the_value_cached_beside_it(
    values: dict[str, Shown], case: tuple[str, Lang, bool]
) -> None:
    book, found = book_for(*case), values[case_name(*case)]
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


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_no_cell_shows_an_error(values: dict[str, Shown], case: tuple[str, Lang, bool]) -> None:
    errors = [
        (grid.name, number, column, value)
        for grid in values[case_name(*case)].values()
        for number, row in grid.rows.items()
        for column, value in row.items()
        if isinstance(value, CellError | Uncomputed)
    ]
    assert errors == []


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_every_check_says_ok(values: dict[str, Shown], case: tuple[str, Lang, bool]) -> None:
    found = values[case_name(*case)][sheet("Checks").title(case[1])]
    results = [at(found, f"D{row}") for row in range(8, 19)]
    # What fills a model need not keep the limits of risk: the last check is about those.
    broken = any(row["Code"] == "limit-breached" for row in report_for(*case).rows("Problems"))
    assert [meant("check", str(result)) for result in results] == ["OK"] * 10 + ["PROBLEM" if broken else "OK"]


@pytest.mark.parametrize("case", [case for case in CASES if case[2]], ids=[name for name in IDS if "filled" in name])
def test_the_native_total_is_the_engines_to_the_won(values: dict[str, Shown], case: tuple[str, Lang, bool]) -> None:
    portfolio = report_for(*case).portfolio
    holdings = values[case_name(*case)][sheet("Holdings").title(case[1])]
    total = at(holdings, "C3")
    assert isinstance(total, float)
    digits = 0 if portfolio.base_currency == "KRW" else 2
    assert round(total, digits) == round(float(plan_of(portfolio).total_value), digits)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_saved_by_libreoffice_it_reads_as_the_same_portfolio(
    recalculated: dict[str, Path], case: tuple[str, Lang, bool]
) -> None:
    book = read_book(recalculated[case_name(*case)])
    assert [str(p) for p in book.problems if p.severity == "error"] == []
    assert book.portfolio == report_for(*case).portfolio
    assert book.lang == case[1]


@pytest.mark.parametrize("key", sorted({key for key, _, _ in CASES}))
def test_saved_by_libreoffice_it_gives_the_same_plan(recalculated: dict[str, Path], key: str) -> None:
    case: tuple[str, Lang, bool] = (key, "ko", True)
    portfolio = read_book(recalculated[case_name(*case)]).portfolio
    assert portfolio is not None
    theirs, ours = plan_of(portfolio), plan_of(report_for(*case).portfolio)
    assert replace(theirs, quality=ours.quality) == ours
