"""A broker's table pasted onto a sheet is read as holdings, where its headers are known."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from templates.read.book import read_book

TABLES: dict[str, tuple[list[str], list[Any]]] = {
    "Korean": (["종목번호", "종목명", "잔고수량", "매입평균가", "평가금액"],
               ["A360750", "TIGER 미국S&P500", 30, "21,000", "730,500"]),
    "Schwab": (["Symbol", "Description", "Qty (Quantity)", "Cost/Share", "Market Value"],
               ["VTI", "VANGUARD TOTAL STOCK MKT ETF", "210", "$246.19", "$71,652.00"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_pasted_table_is_what_is_held(name: str, tmp_path: Path) -> None:
    book = Workbook()
    holdings = book.worksheets[0]
    holdings.title = "Holdings"
    for row in TABLES[name]:
        holdings.append(row)
    targets = book.create_sheet("Targets")
    targets.append(["Ticker", "Target"])
    targets.append([TABLES[name][1][0], 1])
    book.save(tmp_path / "mine.xlsx")
    portfolio = read_book(tmp_path / "mine.xlsx").portfolio
    assert portfolio is not None
    (held,) = portfolio.holdings
    assert held.quantity in (Decimal(30), Decimal(210))
    assert held.average_cost in (Decimal(21_000), Decimal("246.19"))
