"""A copy to share shows what it should, and nothing that leads back to the person, the amounts or the original."""

from __future__ import annotations

import re
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.workbook import Workbook

from engine.words import LANGUAGES, Lang
from templates.read.book import read_book
from templates.report import BookReport
from templates.share import share
from templates.spec import sheet
from templates.write import build
from tests.workbook.cases import plan_of, report_for, report_of
from xl_addin.cli import main

KEY = "cap-against-equal"  # won and dollars, so that conversions and rates are there too


def written(path: Path, lang: Lang = "en", *, weights_only: bool = False) -> Path:
    path.write_bytes(share(report_for(KEY, lang, True), lang, weights_only=weights_only).to_bytes())
    return path


def all_xml(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist() if name.endswith((".xml", ".rels")))


@pytest.fixture(params=[False, True], ids=["amounts", "weights"])
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return written(tmp_path / "copy.xlsx", weights_only=request.param)


def test_it_holds_no_formula(copy: Path) -> None:
    assert "<f>" not in all_xml(copy).replace("<c:f>", "").replace("<f>'", "")
    cells = [cell for ws in load_workbook(copy).worksheets for row in ws.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []


def test_it_holds_no_macro_link_name_comment_table_or_hidden_sheet(copy: Path) -> None:
    with zipfile.ZipFile(copy) as archive:
        names = archive.namelist()
    parts = ("vba", "externalLink", "comment", "tables/", "customXml", "custom.xml", "printerSettings")
    assert [name for name in names if any(part in name for part in parts)] == []
    book = load_workbook(copy)
    assert list(book.defined_names) == []
    assert [ws.sheet_state for ws in book.worksheets] == ["visible"] * len(book.worksheets)
    assert [cell.hyperlink for ws in book.worksheets for row in ws.iter_rows() for cell in row if cell.hyperlink] == []


def test_it_names_no_author_and_no_path(copy: Path) -> None:
    with zipfile.ZipFile(copy) as archive:
        core = archive.read("docProps/core.xml").decode()
    assert "creator>" not in core.replace("<dc:creator />", "").replace("<dc:creator/>", "")
    assert "lastModifiedBy" not in core
    assert not re.search(r"/(home|root|tmp|Users)/|[A-Z]:\\\\", all_xml(copy))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_dashboard_comes_first(tmp_path: Path, lang: Lang) -> None:
    book = load_workbook(written(tmp_path / "copy.xlsx", lang))
    assert book.sheetnames[0] == sheet("Dashboard").title(lang)
    first: Any = book.worksheets[0]
    assert len(first._charts) == 2


def test_its_looks_are_those_of_the_original(tmp_path: Path) -> None:
    original = build(report_for(KEY, "en", True), "en").workbook["Holdings"]
    copy = load_workbook(written(tmp_path / "copy.xlsx"))["Holdings"]
    mine = {original.cell(7, c).value: original.cell(8, c) for c in range(2, 18)}
    theirs = {copy.cell(7, c).value: copy.cell(8, c) for c in range(2, 18) if copy.cell(7, c).value}
    assert len(theirs) > 8
    for name in set(mine) & set(theirs):
        assert theirs[name].number_format == mine[name].number_format
        assert theirs[name].fill.fgColor.rgb == mine[name].fill.fgColor.rgb


def amounts(report: BookReport) -> set[Decimal]:
    """Return every number that tells how much is held, as a whole or in part."""
    plan = plan_of(report.portfolio)
    found = {plan.total_value, *plan.cash.before.values(), *plan.cash.after.values()}
    for holding in report.portfolio.holdings:
        found |= {holding.quantity, holding.average_cost or Decimal(0)}
    for position in plan.positions:
        found |= {position.value, position.price}
    for trade in plan.trades:
        found |= {trade.quantity, trade.amount, trade.cost + trade.tax}
    return {amount for amount in found if amount > 5}


def numbers_of(book: Workbook) -> list[Decimal]:
    cells = [c.value for ws in book.worksheets for row in ws.iter_rows() for c in row]
    return [Decimal(repr(v)) for v in cells if isinstance(v, int | float) and not isinstance(v, bool)]


def test_a_copy_with_amounts_shows_them(tmp_path: Path) -> None:
    shown = set(numbers_of(load_workbook(written(tmp_path / "copy.xlsx"))))
    report = report_for(KEY, "en", True)
    assert {holding.quantity for holding in report.portfolio.holdings} <= shown


def test_weights_only_shows_no_amount_anywhere_not_even_in_a_chart(tmp_path: Path) -> None:
    path = written(tmp_path / "copy.xlsx", weights_only=True)
    report = report_for(KEY, "en", True)
    assert set(numbers_of(load_workbook(path))) & amounts(report) == set()
    with zipfile.ZipFile(path) as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if "/charts/" in name]
    cached = [float(v) for xml in charts for v in re.findall(r"<(?:c:)?v>([-0-9.e]+)</(?:c:)?v>", xml)]
    assert cached
    assert all(abs(value) <= 100 for value in cached)


def test_weights_only_rounds_to_a_tenth_of_a_point(tmp_path: Path) -> None:
    path = written(tmp_path / "copy.xlsx", weights_only=True)
    fine = [n for n in numbers_of(load_workbook(path)) if abs(n) < 1 and n != n.quantize(Decimal("0.001"))]
    fees = {i.expense_ratio for i in report_for(KEY, "en", True).portfolio.instruments.values()}
    derived = [n for n in fine if n not in fees]
    # What is left are figures about fees alone: their weighted mean.
    assert all(n < Decimal("0.01") for n in derived)
    assert len(derived) <= 4


def test_twice_the_portfolio_gives_the_same_weights_only_copy(tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.workbook.cases import filled_portfolio

    small = filled_portfolio("sixty-forty")
    holdings = tuple(replace(h, quantity=2 * h.quantity) for h in small.holdings)
    cash = {currency: 2 * amount for currency, amount in small.accounts[0].cash.items()}
    large = replace(small, holdings=holdings, accounts=(replace(small.accounts[0], cash=cash),))
    copies = []
    for portfolio in (small, large):
        report = report_of(plan_of(portfolio), "en")
        results = dict(report.results) | {"Trades": (), "Summary": ()}
        copies.append(share(replace(report, results=results), "en", weights_only=True).to_bytes())
    assert copies[0] == copies[1]


def test_a_finished_workbook_can_be_shared_and_its_numbers_are_the_same(tmp_path: Path) -> None:
    plan = tmp_path / "plan.xlsx"
    plan.write_bytes(build(report_for(KEY, "ko", True), "ko").to_bytes())
    assert main(["share", str(plan), "-o", str(tmp_path / "copy.xlsx")]) == 0
    direct = load_workbook(written(tmp_path / "direct.xlsx", "ko"))
    copied = load_workbook(tmp_path / "copy.xlsx")
    assert copied.sheetnames == direct.sheetnames
    for ws in direct.worksheets:
        for row in ws.iter_rows():
            for cell in row:
                theirs = copied[ws.title][cell.coordinate].value
                if isinstance(cell.value, float) and isinstance(theirs, int | float):
                    assert theirs == pytest.approx(cell.value, rel=1e-9)
                else:
                    assert theirs == cell.value, (ws.title, cell.coordinate)


@pytest.mark.slow
def test_notes_and_sheets_of_ones_own_do_not_travel(tmp_path: Path) -> None:
    plan = tmp_path / "plan.xlsx"
    plan.write_bytes(build(report_for(KEY, "en", True), "en").to_bytes())
    book = load_workbook(plan)
    book.create_sheet("private")["A1"] = "SECRET-1"
    book["Holdings"]["T40"] = "SECRET-2"
    book.properties.creator = "SECRET-3"
    book.save(plan)
    assert main(["share", str(plan), "-o", str(tmp_path / "copy.xlsx")]) == 0
    assert "SECRET" not in all_xml(tmp_path / "copy.xlsx")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_copy_prints_its_tables_apart_and_marks_no_empty_line(lang: Lang) -> None:
    book = share(report_for("growth", lang, True), lang, weights_only=True).workbook
    assert [sheet.title for sheet in book if not sheet.print_area] == []
    dashboard = book.worksheets[0]
    marked = [cell.row for cell in dashboard["A"] if cell.value == "■"]
    assert marked
    assert [row for row in marked if not dashboard.cell(row, 2).value] == []


def test_a_copy_that_exists_is_not_replaced_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, copy = tmp_path / "plan.xlsx", tmp_path / "copy.xlsx"
    plan.write_bytes(build(report_for(KEY, "en", True), "en").to_bytes())
    copy.write_text("mine")
    assert main(["share", str(plan), "-o", str(copy)]) == 2
    assert copy.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert main(["share", str(plan), "-o", str(copy), "--force"]) == 0
    assert read_book(copy).lang == "en"


@pytest.mark.parametrize("name", ["plan.xlsx", "link.xlsx"])
def test_a_copy_never_replaces_its_original_not_even_with_force(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.xlsx"
    plan.write_bytes(build(report_for(KEY, "en", True), "en").to_bytes())
    (tmp_path / "link.xlsx").symlink_to(plan)
    before = plan.read_bytes()
    assert main(["share", str(plan), "-o", str(tmp_path / name), "--force"]) == 2
    assert "name another" in capsys.readouterr().err
    assert plan.read_bytes() == before


def test_a_pdf_without_libreoffice_is_refused_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tmp_path / "plan.xlsx"
    plan.write_bytes(build(report_for(KEY, "en", True), "en").to_bytes())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["share", str(plan), "-o", str(tmp_path / "copy.xlsx"), "--pdf"]) == 2
    assert "LibreOffice" in capsys.readouterr().err
    assert not (tmp_path / "copy.xlsx").exists()


@pytest.mark.slow
def test_the_pdf_is_one_page_of_a4(tmp_path: Path) -> None:
    import shutil
    import subprocess

    from tests.office import need_office

    need_office()
    plan = tmp_path / "plan.xlsx"
    plan.write_bytes(build(report_for("growth", "ko", True), "ko").to_bytes())
    assert main(["share", str(plan), "-o", str(tmp_path / "copy.xlsx"), "--pdf"]) == 0
    tool = shutil.which("pdfinfo")
    if tool is None:
        pytest.skip("pdfinfo is not installed")
    told = subprocess.run([tool, str(tmp_path / "copy.pdf")], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Pages:\s+1\n", told)
    assert "A4" in told


@pytest.fixture
def own_book(tmp_path: Path) -> Path:
    """Return a planned workbook with a sheet of the person's own, and a hidden one."""
    path = tmp_path / "own.xlsx"
    path.write_bytes(build(report_for(KEY, "en", True), "en").to_bytes())
    book = load_workbook(path)
    mine = book.create_sheet("Mine")
    mine["A1"], mine["A2"] = "for you", "=1+1"
    mine["A1"].font = Font(bold=True)
    mine["A1"].comment = Comment("secret", "me")
    mine["A3"] = "broker"
    mine["A3"].hyperlink = "https://example.com/"
    book.create_sheet("Hidden").sheet_state = "hidden"
    book.save(path)
    return path


def test_own_sheets_stay_unless_asked_for(own_book: Path, tmp_path: Path) -> None:
    assert main(["share", str(own_book), "-o", str(tmp_path / "copy.xlsx")]) == 0
    assert "Mine" not in load_workbook(tmp_path / "copy.xlsx").sheetnames


def test_own_sheets_go_as_values_without_notes_and_links(own_book: Path, tmp_path: Path) -> None:
    assert main(["share", str(own_book), "-o", str(tmp_path / "copy.xlsx"), "--own-sheets"]) == 0
    book = load_workbook(tmp_path / "copy.xlsx")
    assert "Hidden" not in book.sheetnames
    assert (book["Mine"]["A1"].value, book["Mine"]["A1"].font.b) == ("for you", True)
    assert book["Mine"]["A2"].data_type != "f"
    assert book["Mine"]["A1"].comment is None
    assert not any(word in all_xml(tmp_path / "copy.xlsx") for word in ("secret", "example.com"))


def test_own_sheets_do_not_go_with_weights_alone(own_book: Path, tmp_path: Path) -> None:
    assert main(["share", str(own_book), "-o", str(tmp_path / "copy.xlsx"), "--own-sheets", "--weights-only"]) == 2
    assert not (tmp_path / "copy.xlsx").exists()
