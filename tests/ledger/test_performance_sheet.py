"""The Performance sheet of a workbook: empty, of one day, of years; written back into a person's own file."""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.ledger.entries import LedgerEntry
from rebalancer.ledgers import commit, recording
from templates.read.book import read_book
from templates.spec.results import ROOM
from tests.ledger.test_workbook_ledger import book, recorded
from xl_addin.cli import main

__all__ = ["book"]


def years(count: int) -> list[LedgerEntry]:
    """Return a deposit each month, shares for half of it, a dividend each year, and a sale at the end."""
    first, found = dt.date(2026 - count, 10, 1), []
    for month in range(12 * count):
        day = dt.date(first.year + (first.month - 1 + month) // 12, (first.month - 1 + month) % 12 + 1, 2)
        price = Decimal(10_000 + 100 * month)
        found.append(LedgerEntry(f"d{month}", f"d{month}", day, "deposit", currency="KRW", amount=Decimal(1_000_000)))
        found.append(
            LedgerEntry(f"b{month}", f"b{month}", day, "buy", "", "360750", Decimal(50), price, "KRW", 50 * price)
        )
        if month % 12 == 0:
            found.append(
                LedgerEntry(
                    f"i{month}", f"i{month}", day, "dividend", "", "360750", currency="KRW", amount=Decimal(900)
                )
            )
    last = dt.date(2026, 10, 20)
    found.append(
        LedgerEntry("s", "s", last, "sell", "", "360750", Decimal(100), Decimal(30_000), "KRW", Decimal(3_000_000))
    )
    return found


def charted(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        texts = [archive.read(name).decode() for name in archive.namelist() if "charts/chart" in name]
    return [text for text in texts if "Performance" in text]


@pytest.mark.slow
def test_a_plan_fills_the_sheet_with_what_the_command_says(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Course" not in read_book(book).results
    with recording(book):
        raw = book.read_bytes()
        commit(book, raw, raw, years(12))
    capsys.readouterr()
    assert main(["performance", str(book), "--offline", "--json", "--into", str(book)]) == 0
    told = json.loads(capsys.readouterr().out)
    read = read_book(book)
    shown = {row["Measure"]: row["Result"] for row in read.results["Performance"]}
    assert float(shown["Value"]) == pytest.approx(told["value"])  # type: ignore[arg-type]
    assert float(shown["Return, time-weighted"]) == pytest.approx(told["returns"]["time_weighted"])  # type: ignore[arg-type]
    assert float(shown["Realised gains, first in first out"]) == pytest.approx(told["totals"]["realised_fifo"])  # type: ignore[arg-type]
    course = read.results["Course"]
    assert len(course) == ROOM
    assert course[-1]["On"] == dt.date(2026, 10, 20)
    assert float(course[-1]["PaidIn"]) == pytest.approx(told["paid_in"])  # type: ignore[arg-type]
    assert [row["Period"] for row in read.results["Periods"]][:2] == ["All", "2026"]
    # Every chart reaches to the last row, and no further.
    lasts = {int(last) for text in charted(book) for last in re.findall(r"\$8:\$[A-Z]+\$(\d+)", text)}
    assert lasts == {7 + ROOM}


@pytest.mark.slow
def test_one_day_is_shown_and_promises_no_yearly_rate(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(book, capsys)
    out = book.with_name("out.xlsx")
    assert main(["plan", str(book), "--offline", "-o", str(out)]) == 0
    read = read_book(out)
    shown = {row["Measure"]: row["Result"] for row in read.results["Performance"]}
    assert shown["Return a year, time-weighted"] == "–"
    assert len(read.results["Course"]) in (1, 2)
    assert len(charted(out)) == 3


@pytest.mark.slow
def test_the_year_s_gains_on_the_sheet_reach_the_functions(book: Path) -> None:
    from templates.read.workbooks import read_grids
    from xl_addin.functions.studies import performance

    with recording(book):
        raw = book.read_bytes()
        commit(book, raw, raw, years(2))
    tables = {
        grid.name: [
            [grid.rows.get(r, {}).get(c) for c in range(1, 30)] for r in range(1, max(grid.rows, default=0) + 1)
        ]
        for grid in read_grids(book)
    }
    answer = performance.answer((None, None, tables))
    figures: dict[str, Any] = {str(row[0]): row[1] for row in answer[1:]}  # type: ignore[index]
    assert float(figures["realised_gains"]) > 0
    assert float(figures["costs"]) == 0


@pytest.fixture
def two_sections(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(
        """portfolio:
  base_currency: KRW
  holdings: [{symbol: "360750", quantity: 10}, {symbol: "069500", quantity: 5}]
  cash: {KRW: 50000}
  core: [{ticker: "360750", weight: 0.5}]
  satellite: [{ticker: "069500", weight: 0.3}]
""",
        encoding="utf-8",
    )
    (tmp_path / "prices.csv").write_text(
        "symbol,price,currency,as_of\n360750,20000,KRW,2026-11-20\n069500,50000,KRW,2026-11-20\n", encoding="utf-8"
    )
    assert main(["record", str(path), "--snapshot", "--prices", str(tmp_path / "prices.csv"), "--offline"]) == 0
    return path


def test_a_report_of_one_day_shows_points_and_a_column_with_names(
    two_sections: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = two_sections.with_name("report.xlsx")
    assert main(["performance", str(two_sections), "--offline", "--lang", "ko", "-o", str(report)]) == 0
    told = capsys.readouterr().out
    assert "코어" in told
    assert "satellite" not in told
    assert told.count("1년 미만은 표시하지 않음") == 2
    with zipfile.ZipFile(report) as archive:
        charts = {name: archive.read(name).decode() for name in archive.namelist() if "charts/chart" in name}
    cells = {cell for page in load_workbook(report) for row in page.iter_rows(values_only=True) for cell in row}
    assert sum("barChart" in text for text in charts.values()) == 1
    assert sum('symbol val="circle"' in text for text in charts.values()) == 2
    assert all("yyyy-mm-dd" in text for text in charts.values())
    assert {"KODEX 200", "코어", "새틀라이트"} <= cells
    assert "satellite" not in cells


@pytest.mark.slow
def test_charts_of_years_name_years(book: Path) -> None:
    with recording(book):
        raw = book.read_bytes()
        commit(book, raw, raw, years(12))
    assert main(["performance", str(book), "--offline", "--into", str(book)]) == 0
    charts = charted(book)
    assert charts
    assert all(re.search(r'majorUnit val="(12|24|36|48)', text) for text in charts)
    assert all('majorTimeUnit val="months"' in text for text in charts)
