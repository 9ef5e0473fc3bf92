"""Goals in a workbook: what targets name, classes and preferences, read back and written in either language."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from engine.data.document import portfolio_from_data
from engine.portfolio import Portfolio
from engine.rebalance import rebalance
from engine.words import LANGUAGES, Lang
from rebalancer.books import plan_book
from templates.merge import write_back
from templates.merge.inputs import write_inputs
from templates.read.book import read_book
from templates.read.workbooks import read_grids
from templates.report import BookReport
from templates.share import share
from templates.spec import sheet
from templates.write import build
from templates.write.pack import packed
from tests.office import Office
from tests.workbook.cases import filled_portfolio
from tests.workbook.test_libreoffice import at, same

DAY = dt.date(2026, 11, 20)
HOUSEHOLD = {
    "portfolio": {
        "name": "Household",
        "base_currency": "KRW",
        "accounts": [
            {"name": "키움", "type": "taxable", "cash": {"KRW": 5000000, "USD": 2000}},
            {"name": "ISA", "type": "isa", "cash": {"KRW": 3000000}, "markets": ["KR"]},
            {"name": "IRP", "type": "irp", "cash": {"KRW": 2000000}, "markets": ["KR"]},
        ],
        "holdings": [
            {"symbol": "VOO", "quantity": 20, "price": 620, "account": "키움"},
            {"symbol": "360750", "quantity": 800, "price": 24000, "account": "ISA"},
            {"symbol": "379800", "quantity": 0, "price": 22000, "account": "IRP"},
            {"symbol": "VXUS", "quantity": 60, "price": 75, "account": "키움"},
            {"symbol": "273130", "quantity": 60, "price": 118000, "account": "IRP"},
            {"symbol": "005930", "quantity": 12, "price": 97000, "account": "키움"},
        ],
        "targets": [
            {"any": ["360750", "379800", "VOO"], "name": "S&P 500", "weight": "0.5", "consolidate": True},
            {"ticker": "VXUS", "weight": "0.2"},
            {"class": "bond", "weight": "0.28"},
        ],
        "prefer": {"rule": "KR", "bond": ["irp", "ISA"], "S&P 500": ["ISA"]},
    },
    "fx": {"USDKRW": 1470},
}
OVERLAP = {
    "portfolio": {
        "name": "Overlap",
        "base_currency": "USD",
        "cash": {"USD": 4000},
        "holdings": [
            {"symbol": "VT", "quantity": 300, "price": 140},
            {"symbol": "VTI", "quantity": 40, "price": 330},
            {
                "symbol": "MIX", "quantity": 100, "price": 50, "currency": "USD", "name": "Balanced fund",
                "exposure": {"US equity": "0.4", "Developed 2050": "0.125", "bond": "0.3"},
            },
            {"symbol": "BND", "quantity": 200, "price": 74},
            {"symbol": "QUAL", "quantity": 0, "price": 180, "class": "US large"},
            {"symbol": "GLD", "quantity": 5, "price": 380},
        ],
        "classes": {"US equity": ["US large"], "Lifetime 7": None},
        "targets": [
            {"class": "equity", "weight": "0.7", "max": "0.8"},
            {"class": "US equity", "share": "0.6", "name": "America"},
            {"class": "Developed ex-US", "share": "0.28"},
            {"class": "Emerging", "share": "0.12"},
            {"any": ["BND", "AGG"], "weight": "0.25"},
        ],
    }
}  # fmt: skip
CASES = [(name, lang) for name in ("household", "overlap") for lang in LANGUAGES]


def portfolio(name: str) -> Portfolio:
    found, problems = portfolio_from_data({"household": HOUSEHOLD, "overlap": OVERLAP}[name], name)
    assert found is not None, problems
    return found


def written(folder: Path, name: str, lang: Lang = "en") -> Path:
    path = folder / f"{name}-{lang}.xlsx"
    path.write_bytes(build(BookReport(portfolio(name)), lang).to_bytes())
    return path


def row_of(path: Path, title: str, text: str) -> tuple[int, int]:
    """Return row and column of the cell that holds a text."""
    page = load_workbook(path)[title]
    return next((c.row, c.column) for row in page.iter_rows() for c in row if c.value == text)


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_a_portfolio_of_goals_is_the_same_from_its_workbook(tmp_path: Path, name: str, lang: Lang) -> None:
    book = read_book(written(tmp_path, name, lang))
    assert book.portfolio == portfolio(name)


@pytest.mark.slow
def test_korean_cells_hold_korean_classes_and_places(tmp_path: Path) -> None:
    path = written(tmp_path, "household", "ko")
    row_of(path, "목표", "채권")
    row_of(path, "설정", "채권")
    row_of(path, "설정", "규칙")
    row_of(written(tmp_path, "overlap", "ko"), "보유", "미국 주식 40%, Developed 2050 12.5%, 채권 30%")


@pytest.mark.slow
def test_nothing_of_it_stands_in_a_workbook_without_goals() -> None:
    book = build(BookReport(filled_portfolio("growth")), "en")
    assert "Goals" not in book.workbook.sheetnames
    assert {"Goals", "Classes", "Preferences"}.isdisjoint(book.placements)
    assert {"Goal", "Members", "Key", "Exposure"}.isdisjoint(c.name for c in book.placements["Targets"].columns)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sheet_key", "column", "text", "wrong", "said"),
    [
        ("Holdings", "Exposure", "US equity 40%, Developed 2050 12.5%, bond 30%", "US equity 70%, bond 60%", "130"),
        ("Holdings", "Exposure", "US equity 40%, Developed 2050 12.5%, bond 30%", "forty, bond 60%", "exposure"),
        ("Targets", "Members", "BND | AGG", "BND | BNDD9", "BNDD9"),
    ],
)
def test_what_cannot_be_read_is_a_problem_of_its_cell(
    tmp_path: Path, sheet_key: str, column: str, text: str, wrong: str, said: str
) -> None:
    path = written(tmp_path, "overlap")
    row, _ = row_of(path, sheet_key, text)
    book = load_workbook(path)
    page = book[sheet_key]
    at_column = next(c.column for c in page[7] if c.value == column)
    page.cell(row, at_column).value = wrong
    book.save(path)
    found = read_book(path)
    assert found.portfolio is None
    error = next(p for p in found.problems if p.severity == "error")
    place = error.placed("en")
    assert f"row {row}" in place
    assert sheet_key in place
    assert said in f"{error.said('en')}{place}".lower() or said in error.said("en")


@pytest.mark.slow
def test_a_hand_made_table_needs_only_the_headers(tmp_path: Path) -> None:
    (tmp_path / "holdings.csv").write_text("symbol,quantity,price,exposure\nVT,10,100,\nZZZZ,1,50,US equity 50%\n")
    (tmp_path / "targets.csv").write_text(
        "ticker,any,class,name,weight\n,,US equity,,0.5\n,BND | AGG,,Bonds,0.3\nVEA,,,,0.1\n", encoding="utf-8"
    )
    (tmp_path / "settings.csv").write_text("Key,Value\nbase_currency,USD\n")
    book = read_book(tmp_path)
    told = [p.said("en") for p in book.problems if p.severity == "error"]
    assert book.portfolio is not None or all("ZZZZ" in text for text in told), told


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_was_bought_is_written_beside_the_goals(tmp_path: Path, lang: Lang) -> None:
    path = written(tmp_path, "household", lang)
    before = portfolio("household")
    holdings = tuple(replace(h, quantity=h.quantity + 1) for h in before.holdings)
    data, _ = write_inputs(path, BookReport(replace(before, holdings=holdings)), lang)
    assert data is not None
    path.write_bytes(data)
    assert read_book(path).portfolio == replace(before, holdings=holdings)


@pytest.mark.slow
def test_a_copy_of_weights_shows_goals_without_amounts() -> None:
    book = share(BookReport(portfolio("household")), "en", weights_only=True)
    shown = [column.name for column in book.placements["Goals"].columns]
    assert shown == ["Name", "Ticker", "Part", "Weight", "Target", "Drift", "Low", "High", "Status"]
    page = book.workbook[sheet("Dashboard").title("en")]
    values = {cell.value for row in page.iter_rows() for cell in row}
    assert {"S&P 500", "└ TIGER US S&P500"} & values
    assert not [v for v in values if isinstance(v, float) and v > 5]


@pytest.mark.slow
def test_wider_classes_count_once(tmp_path: Path) -> None:
    book = build(BookReport(portfolio("overlap")), "en")
    assert book.figures.target_sum == Decimal("0.95")
    leaves = [row for row in book.figures.tables["Targets"] if row["Leaf"]]
    assert sum(Decimal(str(row["Wanted"])) for row in leaves) == Decimal("0.95")
    kinds = ("goal", "unknown", "none", "cash")
    rows = [r for r in book.figures.tables["Goals"] if r["Kind"] in kinds and r["Goal"] != "equity"]
    assert float(sum(Decimal(str(row["Weight"])) for row in rows)) == pytest.approx(1, abs=1e-12)


@pytest.mark.slow
def test_every_formula_comes_to_the_value_cached_beside_it(office: Office, tmp_path: Path) -> None:
    books = {f"{name}-{lang}": build(BookReport(portfolio(name)), lang) for name, lang in CASES}
    files = []
    for name, book in books.items():
        files.append(tmp_path / f"{name}.xlsx")
        files[-1].write_bytes(packed(book.workbook, {}))
    for name, path in office.convert(files, "xlsx", tmp_path / "out").items():
        theirs = {grid.name: grid for grid in read_grids(path)}
        for title, cells in books[name].cached.items():
            wrong = {a: (v, at(theirs[title], a)) for a, v in cells.items() if not same(v, at(theirs[title], a))}
            assert {a: pair for a, pair in wrong.items() if not hasattr(pair[0], "year")} == {}


@pytest.mark.slow
def test_a_goal_is_found_however_its_class_and_members_are_typed(office: Office, tmp_path: Path) -> None:
    path = written(tmp_path, "overlap")
    book = load_workbook(path)
    page = book["Targets"]
    typed = {"Emerging": "Emerging_Markets", "Developed ex-US": "EQUITY/developed ex us", "BND | AGG": "BND, AGG"}
    for old, new in typed.items():
        row, column = row_of(path, "Targets", old)
        page.cell(row, column).value = new
    book.save(path)
    recalculated = office.convert([path], "xlsx", tmp_path / "out")[path.stem]
    found = {grid.name: grid for grid in read_grids(recalculated)}["Targets"]
    letter = next(c.column_letter for c in page[7] if c.value == "Key")
    keys = {at(found, f"{letter}{row}") for row in range(8, 13)}
    assert keys == {"equity", "America", "Developed ex-US", "Emerging", "BND | AGG"}


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_plan_goes_into_ones_own_workbook_again_and_again(tmp_path: Path, lang: Lang) -> None:
    path = written(tmp_path, "household", lang)
    found = portfolio("household")
    for more in (0, 5):
        holdings = tuple(replace(h, quantity=h.quantity + more) for h in found.holdings)
        plan = rebalance(replace(found, holdings=holdings), {}, DAY)
        report = plan_book(plan, lang)
        data, _ = write_inputs(path, BookReport(plan.portfolio), lang)
        path.write_bytes(data or b"")
        data, notice = write_back(path, report, lang)
        assert notice is None
        assert data is not None
        path.write_bytes(data)
        shown = build(report, lang).cached[sheet("Goals").title(lang)]
        page = load_workbook(path, data_only=True)[sheet("Goals").title(lang)]
        assert {at: page[at].value or "" for at in shown} == pytest.approx({at: v or "" for at, v in shown.items()})


@pytest.mark.slow
def test_a_workbook_without_goals_is_made_anew_for_them(tmp_path: Path) -> None:
    path = written(tmp_path, "household")
    plain = tmp_path / "plain.xlsx"
    plain.write_bytes(build(BookReport(filled_portfolio("growth")), "en").to_bytes())
    report = plan_book(rebalance(portfolio("household"), {}, DAY), "en")
    data, notice = write_back(plain, report, "en")
    assert data is None
    assert notice is not None
    assert write_back(path, report, "en")[0] is not None
