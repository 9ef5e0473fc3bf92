"""What a workbook is made of: the same bytes every time, cached values, safe text, and looks that print."""

from __future__ import annotations

import io
import os
import re
import runpy
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from openpyxl import load_workbook

from engine.data.document import portfolio_from_data
from engine.words import LANGUAGES, Lang, messages, say
from templates.report import BookReport
from templates.spec import NAMES, SHEETS, TABLES
from templates.write import build
from tests.workbook.cases import CASES, book_for, case_name, report_for

ROOT = Path(__file__).parent.parent.parent
GOLDEN = Path(__file__).parent / "golden"
DATA = {
    "portfolio": {
        "name": "Golden",
        "base_currency": "KRW",
        "holdings": [
            {"symbol": "360750", "quantity": 10, "price": 20000},
            {"symbol": "QQQ", "quantity": "1.5", "price": 500},
        ],
        "cash": {"KRW": 100000},
        "core": [{"ticker": "360750", "weight": "0.6"}],
        "satellite": [{"ticker": "QQQ", "weight": "0.3"}],
    },
    "fx": {"USDKRW": 1400},
}


def golden_parts() -> dict[str, bytes]:
    portfolio, _ = portfolio_from_data(DATA, "golden")
    assert portfolio is not None
    with zipfile.ZipFile(io.BytesIO(build(BookReport(portfolio), "en").to_bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def normal(xml: bytes) -> str:
    """Return XML in one form: attributes sorted, an element a line, whatever wrote it."""
    root = ET.fromstring(re.sub(rb"Version [0-9][0-9A-Za-z.]*", b"Version", xml))
    ET.indent(root)
    return ET.canonicalize(ET.tostring(root)) + "\n"


@pytest.mark.parametrize(
    "part",
    [
        "xl/worksheets/sheet3.xml",
        "xl/tables/table1.xml",
        "xl/charts/chart1.xml",
        "xl/workbook.xml",
        "docProps/core.xml",
    ],
)
def test_a_part_is_as_it_was_when_it_was_last_looked_at(part: str) -> None:
    golden = GOLDEN / (part.replace("/", "-"))
    found = normal(golden_parts()[part])
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(found, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == found


def test_the_same_report_gives_the_same_bytes() -> None:
    first, second = (build(report_for("growth", "ko", True), "ko").to_bytes() for _ in range(2))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist()[2:] == sorted(archive.namelist()[2:])


@pytest.mark.parametrize("case", CASES[::5], ids=[case_name(*case) for case in CASES[::5]])
def test_every_formula_has_its_value_beside_it(case: tuple[str, Lang, bool]) -> None:
    data = book_for(*case).to_bytes()
    formulas = load_workbook(io.BytesIO(data))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if "/worksheets/sheet" in name]
    assert sum(sheet.count("<f>") for sheet in sheets) > 100
    assert not [
        sheet for sheet in sheets if re.search(r"</f><v ?/>|</f><v></v></c>(?<!t=\"str\")", sheet) and "<v/>" in sheet
    ]
    assert formulas.calculation.calcId == 191029
    assert not formulas.calculation.fullCalcOnLoad


def test_text_from_outside_never_becomes_a_formula() -> None:
    names = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")']
    report = report_for("growth", "en", True)
    instruments = {
        symbol: replace(instrument, name=names[i % len(names)])
        for i, (symbol, instrument) in enumerate(report.portfolio.instruments.items())
    }
    holdings = tuple(replace(h, account=names[0]) for h in report.portfolio.holdings)
    hostile = replace(
        report, portfolio=replace(report.portfolio, instruments=instruments, holdings=holdings, name=names[5])
    )
    book = load_workbook(io.BytesIO(build(hostile, "en").to_bytes()))
    cell = book["Holdings"]["B8"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (names[0], "s", True)
    assert book["Settings"]["C8"].data_type == "s"
    outside = [c for ws in book for row in ws.iter_rows() for c in row if c.data_type == "f" and "cmd|" in str(c.value)]
    assert outside == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_sheet_prints_on_a4_landscape_one_page_wide(lang: Lang) -> None:
    for sheet in book_for("growth", lang, True).workbook.worksheets:
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize, sheet.page_setup.fitToWidth) == (
            "landscape",
            9,
            1,
        )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sheets_are_in_order_and_headers_stay_in_view(lang: Lang) -> None:
    book = book_for("growth", lang, True).workbook
    sheets = [spec for spec in SHEETS if not spec.optional]
    assert book.sheetnames == [spec.title(lang) for spec in sheets]
    frozen = dict(zip([spec.key for spec in sheets], (sheet.freeze_panes for sheet in book.worksheets), strict=True))
    assert [frozen[key] for key in ("Holdings", "Targets", "Trades", "Prices", "Checks")] == ["E8"] * 3 + ["D8", "A8"]
    assert {frozen["Cash"], frozen["Settings"]} == {"A5"}
    assert [sheet.sheet_properties.codeName for sheet in book.worksheets] == [spec.key for spec in sheets]


def test_identifiers_are_the_same_in_both_languages() -> None:
    english, korean = (book_for("growth", lang, True).workbook for lang in LANGUAGES)
    for one, other in zip(english.worksheets[2:], korean.worksheets[2:], strict=True):
        assert {c.column: c.value for c in one[7] if c.value} == {c.column: c.value for c in other[7] if c.value}


def test_a_missing_price_reaches_the_total_and_is_named() -> None:
    report = report_for("growth", "en", True)
    prices = tuple(row for row in report.rows("Prices") if row["Ticker"] != "069500")
    book = build(replace(report, results={**report.results, "Prices": prices}), "en")
    assert book.figures.total == "#N/A"
    assert book.cached["Holdings"]["C3"] == "#N/A"
    row = next(row for row in book.figures.tables["Holdings"] if row["Ticker"] == "069500")
    assert row["Check"] == say("label.check.no-price", "en")
    assert "069500" in str(book.cached["Dashboard"]["B3"])
    assert "row 10" in str(book.cached["Dashboard"]["B3"])


def test_every_table_and_name_is_in_the_workbook() -> None:
    book = book_for("growth", "en", True).workbook
    tables = {name for sheet in book.worksheets for name in sheet.tables}
    assert tables == {table.name for table in TABLES if not (table.ranges or table.optional)}
    assert {name.name for name in NAMES} <= set(book.defined_names)


def test_charts_carry_their_numbers() -> None:
    with zipfile.ZipFile(io.BytesIO(book_for("growth", "en", True).to_bytes())) as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if "charts/chart" in name]
    # Those of a performance that is not there yet have none.
    charts = [chart for chart in charts if "Performance" not in chart]
    assert len(charts) == 2
    assert all("numCache" in chart and "strCache" in chart for chart in charts)


def test_weights_at_their_band_are_inside_it() -> None:
    body = {
        "name": "edge", "base_currency": "KRW", "cash": {"KRW": 80},
        "holdings": [{"symbol": "360750", "quantity": 20, "price": 1}],
        "core": [{"ticker": "360750", "weight": "0.15"}],
    }  # fmt: skip
    portfolio, _ = portfolio_from_data({"portfolio": body}, "edge")
    assert portfolio is not None
    row = build(BookReport(portfolio), "en").figures.tables["Targets"][0]
    assert (row["Weight"], row["High"], row["Status"]) == (Decimal("0.2"), Decimal("0.20"), "OK")


def test_the_page_about_the_workbook_is_up_to_date() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "workbook.py"))["page"]()
    assert (ROOT / "docs" / "workbook.md").read_text(encoding="utf-8") == page, "run python docs/workbook.py"


def test_every_text_is_used() -> None:
    made = ("checks.", "side.", "summary.", "concentration.", "status.", "legend.", "start.", "entry.")
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.py"))
    labels = [key.removeprefix("label.") for key in messages("en") if key.startswith("label.")]
    used = (key.removesuffix(".alt") for key in labels if not key.startswith(made))
    assert [key for key in used if key not in sources and key.removeprefix("column.") not in sources] == []


def test_every_sheet_table_column_and_name_has_its_words() -> None:
    columns = {
        f"column.{table.name}.{column.name}" for table in TABLES for column in table.columns if not column.hidden
    }
    wanted = columns | {f"table.{table.name}" for table in TABLES} | {f"sheet.{sheet.key}" for sheet in SHEETS}
    wanted |= {f"label.{name.name}" for name in NAMES} | {f"name.{name.name}" for name in NAMES}
    assert wanted <= set(messages("en"))
    tables = {table.name for table in TABLES}
    spoken = (key.split(".") for key in messages("en") if key.startswith(("column.", "help.")) and key.count(".") == 2)
    named = {f"column.{table}.{column}" for _, table, column in spoken if table in tables}
    assert named == columns | {"column.History.Index"}
