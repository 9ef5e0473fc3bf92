"""A workbook of an earlier version becomes one of this version, with all that is the person's."""

from __future__ import annotations

import shutil
from functools import cache
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table

from rebalancer.updating import update
from templates.models.clients import PLAIN
from templates.read.book import read_book
from templates.spec import sheet
from tests.office import Office
from xl_addin.cli import main
from xl_addin.hosts.excel.package import kind_of

pytestmark = pytest.mark.slow

#: As `rebalancer demo` of these versions wrote them; in 0.1.0 the ledger is called History.
EARLIER = Path(__file__).with_name("earlier")
MINE = "내 메모"


@pytest.fixture(params=sorted(path.stem for path in EARLIER.glob("*.xlsx")))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a workbook of an earlier version with a sheet of the person's own."""
    path = tmp_path / "mine.xlsx"
    path.write_bytes(_with_a_sheet(request.param))
    return path


@cache
def _with_a_sheet(earlier: str) -> bytes:
    with TemporaryDirectory() as folder:
        return with_a_sheet(earlier, Path(folder) / "mine.xlsx").read_bytes()


@cache
def _updated(data: bytes) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mine.xlsx"
        path.write_bytes(data)
        return update(path, None, PLAIN).path.read_bytes()


def with_a_sheet(earlier: str, path: Path) -> Path:
    book = load_workbook(EARLIER / f"{earlier}.xlsx")
    ledger = "History" if "History" in book.sheetnames else "Ledger"
    own = book.create_sheet(MINE)
    for row in (["합계", "=TotalValue*2", 3], ["지난번", f"={ledger}!B8", 5], ["rate", "=MyRate", 0.25]):
        own.append(row)
    own["A1"].font = Font(bold=True, color="FFFF00FF")
    own["C3"].number_format = "0.000%"
    own["A1"].comment = Comment("곧 팔 것", "나")
    own.merge_cells("A5:C5")
    book.defined_names["MyRate"] = DefinedName("MyRate", attr_text=f"'{MINE}'!$C$3")
    own.add_table(Table(displayName="Holdings2", ref="E1:F3"))
    own["E1"], own["F1"] = "a", "b"
    chart = BarChart()
    chart.add_data(Reference(own, min_col=3, min_row=1, max_row=2))
    own.add_chart(chart, "H2")
    book["Holdings"]["AD9"] = "note"
    book.save(path)
    return path


@pytest.fixture
def new(old: Path) -> Any:
    return load_workbook(BytesIO(_updated(old.read_bytes())))


def test_the_new_one_stands_beside_it_under_its_version(old: Path) -> None:
    assert update(old, None, PLAIN).path == old.with_name(f"mine-{version('rebalancer')}.xlsx")


def test_the_portfolio_and_the_ledger_are_the_same(old: Path) -> None:
    before, after = read_book(old), read_book(update(old, None, PLAIN).path)
    assert (after.portfolio, after.history) == (before.portfolio, before.history)
    assert after.history


def test_the_prices_are_those_of_the_old_one_and_its_trades_stay_behind(old: Path) -> None:
    before, after = read_book(old), read_book(update(old, None, PLAIN).path)
    prices = [[row[name] for name in ("Ticker", "Price")] for row in before.results["Prices"]]
    assert [[row[name] for name in ("Ticker", "Price")] for row in after.results["Prices"]] == prices
    assert "Trades" not in after.results


def test_the_old_one_keeps_every_byte(old: Path) -> None:
    before = old.read_bytes()
    update(old, None, PLAIN)
    assert old.read_bytes() == before


def test_a_sheet_of_ones_own_keeps_values_looks_and_notes(new: Any) -> None:
    own = new[MINE]
    assert [own["A1"].value, own["C2"].value, own["C3"].number_format] == ["합계", 5, "0.000%"]
    assert (own["A1"].font.b, own["A1"].font.color.rgb, own["A1"].comment.text) == (True, "FFFF00FF", "곧 팔 것")
    assert [str(area) for area in own.merged_cells.ranges] == ["A5:C5"]
    assert len(own._charts) == 1


def test_its_formulas_speak_of_the_sheets_as_they_are_called_now(new: Any) -> None:
    assert new[MINE]["B1"].value == "=TotalValue*2"
    assert new[MINE]["B2"].value == f"='{sheet('History').title('en')}'!B8"


def test_its_tables_and_names_come_along(new: Any) -> None:
    assert list(new[MINE].tables) == ["Holdings2"]
    assert new.defined_names["MyRate"].attr_text == f"'{MINE}'!$C$3"


def test_no_two_tables_have_one_number(new: Any) -> None:
    numbers = [table.id for one in new.worksheets for table in one.tables.values()]
    assert len(set(numbers)) == len(numbers)


def test_what_is_not_carried_is_named(old: Path) -> None:
    updated = update(old, None, PLAIN)
    assert (updated.sheets, updated.to_look_at, updated.cells) == ((MINE,), (MINE,), ("Holdings!AD9",))


def test_it_takes_the_language_that_is_asked_for(old: Path) -> None:
    book = load_workbook(update(old, None, PLAIN, lang="ko").path)
    assert {sheet("Holdings").title("ko"), MINE} <= set(book.sheetnames)
    assert book[MINE]["B2"].value == f"='{sheet('History').title('ko')}'!B8"


def test_a_second_update_says_the_same(old: Path) -> None:
    once = update(old, None, PLAIN).path
    again = update(once, None, PLAIN)
    assert again.sheets == (MINE,)
    assert read_book(again.path).portfolio == read_book(old).portfolio


def test_an_ods_gives_its_portfolio_and_says_which_sheets_stay(office: Office, tmp_path: Path) -> None:
    old = with_a_sheet("0.2.0", tmp_path / "mine.xlsx")
    ods = office.convert([old], "ods", tmp_path / "ods")["mine"]
    updated = update(ods, None, PLAIN)
    assert updated.left == (MINE,)
    assert read_book(updated.path).portfolio == read_book(ods).portfolio


def test_macros_stay_macros(tmp_path: Path) -> None:
    book = tmp_path / "mine.xlsm"
    shutil.copy(Path(__file__).resolve().parents[2] / "rebalancer.xlsm", book)
    updated = update(book, None, kind_of(book))
    assert updated.path.suffix == ".xlsm"
    assert updated.sheets == ()
    assert read_book(updated.path).portfolio == read_book(book).portfolio


def test_it_never_takes_the_place_of_the_old_one(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = old.read_bytes()
    assert main(["update", str(old), "-o", str(old), "--force"]) == 2
    assert "[output-is-input]" in capsys.readouterr().err
    assert old.read_bytes() == before


def test_another_file_is_only_replaced_with_force(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = old.with_name("other.xlsx")
    other.write_bytes(b"mine")
    assert main(["update", str(old), "-o", str(other)]) == 2
    assert other.read_bytes() == b"mine"
    assert main(["update", str(old), "-o", str(other), "--force"]) == 0
    assert MINE in capsys.readouterr().out
    assert read_book(other).portfolio == read_book(old).portfolio
