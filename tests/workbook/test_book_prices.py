"""A workbook planned before is planned again without a network, on the prices that stand in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from xl_addin.cli import main

DOCUMENT = """portfolio:
  name: x
  base_currency: {base}
  holdings:
    - {{symbol: "069500", quantity: 10}}
    - {{symbol: VTI, quantity: 2}}
  cash: {{KRW: 1000000, USD: 100}}
  targets:
    - {{ticker: "069500", weight: 0.5}}
    - {{ticker: VTI, weight: 0.4}}
"""
PRICES = (
    "symbol,price,currency,as_of\n069500,52480,KRW,2026-11-20\nVTI,341.2,USD,2026-11-20\nUSDKRW,1402.5,KRW,2026-11-20\n"
)


def planned(tmp_path: Path, base: str = "KRW") -> Path:
    """Return a workbook with a plan in it, made from a price file."""
    (tmp_path / "p.yaml").write_text(DOCUMENT.format(base=base), encoding="utf-8")
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")
    book = tmp_path / "book.xlsx"
    made = ["plan", str(tmp_path / "p.yaml"), "--prices", str(tmp_path / "prices.csv"), "--as-of", "2026-11-21"]
    assert main([*made, "-o", str(book), "--offline"]) == 0
    return book


def again(book: Path, capsys: pytest.CaptureFixture[str], day: str = "2026-11-21") -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = main(["plan", str(book), "--offline", "--json", "--as-of", day])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("base", ["KRW", "USD"])
def test_the_plan_is_the_same_on_the_workbooks_own_prices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], base: str
) -> None:
    book = planned(tmp_path, base)
    status, plan = again(book, capsys)
    capsys.readouterr()
    main(["plan", str(tmp_path / "p.yaml"), "--prices", str(tmp_path / "prices.csv"), "--as-of", "2026-11-21", "--json",
          "--offline"])  # fmt: skip
    first = json.loads(capsys.readouterr().out)
    assert status == 0
    kept = ("symbol", "side", "quantity", "price", "amount", "cost")
    trades = [[{name: trade[name] for name in kept} for trade in made["trades"]] for made in (plan, first)]
    assert trades[0] == trades[1]
    (note,) = [one for one in plan["problems"] if one["code"] == "price-from-workbook"]
    assert "2026-11-20" in note["message"]
    assert not [one for one in plan["problems"] if one["code"] == "price-source"]


def test_prices_too_long_ago_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = again(planned(tmp_path), capsys, "2026-12-21")
    assert status == 3


def test_made_up_prices_are_not_planned_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = planned(tmp_path)
    workbook = load_workbook(book)
    for row in workbook["Prices"].iter_rows(min_row=8):
        for cell in row:
            if cell.value == "fresh":
                cell.value = "sample"
    workbook.save(book)
    status, _ = again(book, capsys)
    assert status == 3
