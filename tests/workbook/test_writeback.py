"""Writing back into a workbook changes the results in it, and not one byte of what is the person's."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.styles import Font

from rebalancer.books import write_plan_book
from templates.merge import write_back
from templates.read.book import ReadBook, read_book
from templates.report import BookReport
from templates.write import build
from tests.workbook.cases import filled_portfolio, plan_of, report_of
from tests.workbook.changed import reparted

PORTFOLIO = filled_portfolio("growth")
MAIN = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
Parts = dict[str, bytes]


@pytest.fixture(scope="module")
def report() -> BookReport:
    return report_of(plan_of(PORTFOLIO), "en")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a workbook that was never planned."""
    path = tmp_path / "own.xlsx"
    path.write_bytes(build(BookReport(PORTFOLIO), "en").to_bytes())
    return path


def parts_of(data: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sheet_part(parts: Parts, title: str) -> str:
    """Return the part of the first sheet with a title."""
    (sheet,) = re.findall(rb'<sheet [^>]*name="%s"[^>]*>' % title.encode(), parts["xl/workbook.xml"])[:1]
    (relation,) = re.findall(rb'r:id="(\w+)"', sheet)
    (tag,) = [
        t for t in re.findall(rb"<Relationship [^>]*>", parts["xl/_rels/workbook.xml.rels"]) if b'"%s"' % relation in t
    ]
    (target,) = re.findall(rb'Target="/?([^"]+)"', tag)
    return target.decode() if target.startswith(b"xl/") else f"xl/{target.decode()}"


def changed(own: Path, title: str, change: Callable[[bytes], bytes]) -> Path:
    """Change the XML of a sheet."""
    return reparted(own, lambda parts: parts.__setitem__(at := sheet_part(parts, title), change(parts[at])))


def cell(xml: bytes, address: str) -> bytes:
    found = re.search(rb'<c r="%s"[^>]*?(?:/>|>.*?</c>)' % address.encode(), xml, re.DOTALL)
    return found[0] if found else b""


def written(own: Path, report: BookReport) -> ReadBook:
    """Write the report into the workbook, and read that."""
    data, notice = write_back(own, report, "en")
    assert notice is None
    assert data is not None
    own.write_bytes(data)
    return read_book(own)


def test_parts_that_are_not_ours_keep_every_byte(own: Path, report: BookReport) -> None:
    strange = {
        "xl/media/image1.png": b"\x89PNG\r\n\x1a\n",
        "xl/slicers/slicer1.xml": b"<slicers/>",
        "xl/threadedComments/threadedComment1.xml": b"<ThreadedComments/>",
        "xl/connections.xml": b"<connections/>",
        "customXml/item1.xml": b"<mine/>",
        "xl/theme/theme1.xml": parts_of(own.read_bytes())["xl/theme/theme1.xml"] + b"<!-- mine -->",
    }
    reparted(own, lambda parts: parts.update(strange))
    before = parts_of(own.read_bytes())
    written(own, report)
    after = parts_of(own.read_bytes())
    assert after.keys() == before.keys()
    assert strange.items() <= after.items()
    different = {name for name in before if before[name] != after[name]}
    assert {name.rpartition("/")[0] for name in different} <= {"xl", "xl/worksheets", "xl/tables", "xl/charts"}
    assert different.isdisjoint({"xl/_rels/workbook.xml.rels", "[Content_Types].xml"})


def test_of_a_sheet_only_cells_change(own: Path, report: BookReport) -> None:
    extension = b"<extLst><ext uri='{05C60535-1F16-4fd2-B633-F4F36F0B64E0}'><mine>1</mine></ext></extLst></worksheet>"
    changed(own, "Trades", lambda xml: xml.replace(b"</worksheet>", extension))
    before = parts_of(own.read_bytes())
    written(own, report)
    after = parts_of(own.read_bytes())
    part = sheet_part(before, "Trades")
    for piece in (0, 2):  # what stands before the cells, and what after
        old, new = (re.split(rb"<sheetData>|</sheetData>", parts[part])[piece] for parts in (before, after))
        assert re.sub(rb"<dimension [^>]*>", b"", old) == re.sub(rb"<dimension [^>]*>", b"", new)
    assert extension in after[part]


def test_a_second_plan_of_the_same_changes_nothing(own: Path, report: BookReport) -> None:
    written(own, report)
    once = own.read_bytes()
    written(own, report)
    assert parts_of(own.read_bytes()) == parts_of(once)


def test_styles_without_a_name_stay_and_point_to_styles_that_are_there(own: Path, report: BookReport) -> None:
    def add(parts: Parts) -> None:
        many = b"".join(b'<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>' for _ in range(500))
        parts["xl/styles.xml"] = parts["xl/styles.xml"].replace(b"</cellXfs>", many + b"</cellXfs>")

    before = parts_of(reparted(own, add).read_bytes())["xl/styles.xml"]
    written(own, report)
    after = parts_of(own.read_bytes())["xl/styles.xml"]
    assert before[: before.index(b"</cellXfs>")].count(b"<xf ") <= after.count(b"<xf ")
    based = re.search(rb"<cellStyleXfs.*?</cellStyleXfs>", after, re.DOTALL)
    assert based is not None
    pointed = [int(number) for number in re.findall(rb'xfId="([0-9]+)"', after)]
    assert max(pointed) < based[0].count(b"<xf ")


def test_a_row_inserted_without_formulas_gets_them_and_counts(own: Path) -> None:
    at = 8 + len(PORTFOLIO.holdings)
    blank = re.compile(rb'(<c r="(?:D|H|M|N|O|P|Q)%d"[^>]*>)<f>.*?</f><v[^>]*>(?:.*?</v>)?' % at)

    def insert(xml: bytes) -> bytes:
        xml = blank.sub(rb"\1", xml)
        for address, text in ((f"C{at}", b"005930"), (f"I{at}", b"7"), (f"K{at}", b"70000")):
            kind = b't="str" ' if address.startswith("C") else b""
            xml = xml.replace(cell(xml, address), b'<c r="%s" %s><v>%s</v></c>' % (address.encode(), kind, text))
        return xml

    changed(own, "Holdings", insert)
    portfolio = read_book(own).portfolio
    assert portfolio is not None
    book = written(own, report_of(plan_of(portfolio), "en"))
    assert book.portfolio == portfolio
    values, formulas = load_workbook(own, data_only=True)["Holdings"], load_workbook(own)["Holdings"]
    assert formulas.cell(at, 15).value == formulas.cell(at - 1, 15).value
    assert values.cell(at, 15).value == 7 * 70000


def test_rows_below_an_excel_table_become_part_of_it(own: Path) -> None:
    last = int(re.findall(rb'ref="B7:Q([0-9]+)"', b"".join(parts_of(own.read_bytes()).values()))[0])
    new = b'<row r="%d"><c r="C%d" t="str"><v>005930</v></c><c r="I%d"><v>7</v></c><c r="K%d"><v>70000</v></c></row>'
    row = new % ((last + 1,) * 4)

    def append(xml: bytes) -> bytes:
        xml = re.sub(rb'<row r="%d".*?</row>' % (last + 1), b"", xml, flags=re.DOTALL)
        return (
            xml.replace(b'<row r="%d"' % (last + 2), row + b'<row r="%d"' % (last + 2))
            if (b'<row r="%d"' % (last + 2) in xml)
            else xml.replace(b"</sheetData>", row + b"</sheetData>")
        )

    changed(own, "Holdings", append)
    portfolio = read_book(own).portfolio
    assert portfolio is not None
    written(own, report_of(plan_of(portfolio), "en"))
    sheet = load_workbook(own)["Holdings"]
    assert sheet.tables["Holdings"].ref == f"B7:Q{last + 1}"
    assert str(sheet.cell(last + 1, 15).value).startswith("=IF(Holdings[[#This Row],[Ticker]]")
    assert load_workbook(own, data_only=True)["Holdings"].cell(last + 1, 15).value == 490_000


def test_a_quantity_that_is_a_formula_keeps_its_value(own: Path, report: BookReport) -> None:
    held = PORTFOLIO.holdings[0].quantity
    formula = b'<c r="I8" s="0"><f>%d+1</f><v>%d</v></c>' % (held - 1, held)
    changed(own, "Holdings", lambda xml: xml.replace(cell(xml, "I8"), formula))
    assert written(own, report).portfolio == PORTFOLIO
    assert formula in parts_of(own.read_bytes())[sheet_part(parts_of(own.read_bytes()), "Holdings")]


def test_a_cell_at_the_far_corner_stays_there(own: Path, report: BookReport) -> None:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    changed(own, "Holdings", lambda xml: xml.replace(b"</sheetData>", far + b"</sheetData>"))
    assert written(own, report).portfolio == PORTFOLIO
    assert far in parts_of(own.read_bytes())["xl/worksheets/sheet3.xml"]


def test_two_sheets_of_one_name_are_each_written_where_they_stand(own: Path, report: BookReport) -> None:
    reparted(own, lambda p: p.update({"xl/workbook.xml": p["xl/workbook.xml"].replace(b'"Targets"', b'"Holdings"')}))
    before = parts_of(own.read_bytes())
    assert written(own, report).portfolio == PORTFOLIO
    assert parts_of(own.read_bytes())["xl/workbook.xml"].count(b'name="Holdings"') == 2
    weights = [cell(parts["xl/worksheets/sheet5.xml"], "N8") for parts in (before, parts_of(own.read_bytes()))]
    assert b"<f>" in weights[1]
    assert weights[0] != weights[1]


def test_macros_stay_in_a_workbook_with_macros(own: Path, report: BookReport, tmp_path: Path) -> None:
    path = tmp_path / "own.xlsm"
    path.write_bytes(own.read_bytes())
    reparted(path, lambda parts: parts.__setitem__("xl/vbaProject.bin", b"code"))
    assert written(path, report).portfolio == PORTFOLIO
    assert parts_of(path.read_bytes())["xl/vbaProject.bin"] == b"code"


def test_elements_with_a_prefix_are_understood(own: Path, report: BookReport) -> None:
    def prefixed(xml: bytes) -> bytes:
        return re.sub(rb"<(/?)([a-zA-Z])", rb"<\1x:\2", xml).replace(b"xmlns=", b"xmlns:x=")

    changed(own, "Trades", prefixed)
    assert len(written(own, report).results["Trades"]) == len(report.results["Trades"])


def test_rows_and_cells_without_addresses_are_counted(own: Path, report: BookReport) -> None:
    def bare(xml: bytes) -> bytes:
        cells = re.sub(rb'<c r="[A-Z]+8"', b"<c", re.findall(rb'<row r="8".*?</row>', xml, re.DOTALL)[0])
        first = int(re.findall(rb'<c r="([A-Z]+)8"', xml)[0] == b"B")
        filled = cells.replace(b"<c", b"<c/>" * first + b"<c", 1).replace(b' r="8"', b"")
        return re.sub(rb'<row r="8".*?</row>', lambda _row: filled, xml, flags=re.DOTALL)

    changed(own, "Ledger", bare)
    book = written(own, report)
    assert [row["Date"] for row in book.history] == [dt.date(2026, 11, 20)]


@pytest.mark.slow
def test_a_result_keeps_the_persons_format_where_it_shows_the_same_kind(own: Path, report: BookReport) -> None:
    book = load_workbook(own)
    sheet = book["Trades"]
    sheet["F8"].font = Font(bold=True)
    book.save(own)
    written(own, report)
    assert load_workbook(own)["Trades"]["F8"].font.b


def test_dates_count_from_1904_where_the_workbook_does(own: Path, report: BookReport) -> None:
    def mac(parts: Parts) -> None:
        xml = re.sub(rb'\sdate1904="[^"]*"', b"", parts["xl/workbook.xml"])
        parts["xl/workbook.xml"] = xml.replace(b"<workbookPr", b'<workbookPr date1904="1"', 1)

    reparted(own, mac)
    assert [row["Date"] for row in written(own, report).history] == [dt.date(2026, 11, 20)]


def test_a_list_of_formulas_goes_where_one_gave_way_to_a_result(own: Path, report: BookReport) -> None:
    def chained(parts: Parts) -> None:
        parts["xl/calcChain.xml"] = b"<calcChain/>"
        relation = b'<Relationship Id="rId99" Type="%s/calcChain" Target="calcChain.xml"/>' % MAIN.encode()
        rels = "xl/_rels/workbook.xml.rels"
        parts[rels] = parts[rels].replace(b"</Relationships>", relation + b"</Relationships>")
        part = sheet_part(parts, "Trades")
        parts[part] = parts[part].replace(cell(parts[part], "C8"), b'<c r="C8"><f>1+1</f><v>2</v></c>')

    written(own, report)
    written(reparted(own, chained), report)
    after = parts_of(own.read_bytes())
    assert "xl/calcChain.xml" not in after
    assert b"calcChain" not in after["xl/_rels/workbook.xml.rels"]
    assert read_book(own).results["Trades"][0]["Quantity"] != Decimal(0)


def test_a_copy_is_kept_before_the_first_plan_over_the_file_it_came_from(own: Path) -> None:
    before, plan = own.read_bytes(), plan_of(PORTFOLIO)
    assert "own.before.xlsx" in write_plan_book(plan, own, "en", own)
    once = own.read_bytes()
    assert once != before
    assert write_plan_book(plan, own, "en", own) == ""
    assert (own.parent / "own.before.xlsx").read_bytes() == before


def test_nothing_is_kept_where_the_plan_goes_elsewhere(own: Path) -> None:
    assert write_plan_book(plan_of(PORTFOLIO), own.with_name("plan.xlsx"), "en", own) == ""
    assert sorted(path.name for path in own.parent.iterdir()) == ["own.xlsx", "plan.xlsx"]


def test_macros_under_a_name_that_holds_none_are_left_out_and_that_is_said(own: Path) -> None:
    macros = own.rename(own.with_suffix(".xlsm"))
    told = write_plan_book(plan_of(PORTFOLIO), own, "en", macros)
    assert "a name that ends in .xlsm" in told
    assert read_book(own).portfolio == PORTFOLIO


@pytest.mark.slow
def test_the_sheet_of_values_over_time_is_found_under_its_former_name(own: Path, report: BookReport) -> None:
    reparted(own, lambda p: p.update({"xl/workbook.xml": p["xl/workbook.xml"].replace(b"Ledger", b"History")}))
    book = written(own, report)
    assert [row["Date"] for row in book.history] == [dt.date(2026, 11, 20)]
    assert "History" in load_workbook(own).sheetnames
