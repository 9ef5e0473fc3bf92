"""What is wrong is said on the Checks sheet with its row, and LibreOffice's own calculation says the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from templates.read.workbooks import read_grids
from templates.write import build
from templates.write.checks import checks
from tests.office import Office
from tests.workbook.cases import report_for
from tests.workbook.test_libreoffice import at

pytestmark = pytest.mark.slow

REPORT = report_for("growth", "en", True)


def cell(sheet: str, address: str, value: Any) -> Callable[[Workbook], None]:
    return lambda book: book[sheet].__setitem__(address, value)


#: what a person does in a finished workbook: the row of the check that must notice, its result, a word of its detail
SPOILT = {
    "targets above 100 %": (cell("Targets", "F8", 0.9), 8, "PROBLEM", "%"),
    "a ticker that is a number": (cell("Holdings", "C10", 69500), 9, "PROBLEM", "row 10: 69500"),
    "a quantity that is text": (cell("Holdings", "I9", "many"), 9, "PROBLEM", "row 9: 133690"),
    "a target that is text": (cell("Targets", "F9", "x"), 10, "PROBLEM", "row 9: 133690"),
    "a holding nobody knows": (cell("Holdings", "C10", "NEWONE"), 12, "CHECK", "Holdings row 10"),
    "a holding without a price": (cell("Holdings", "C10", "NEWONE"), 11, "PROBLEM", ""),
    "one holding twice": (cell("Holdings", "C10", "360750"), 13, "CHECK", "row 10"),
    "a changed trade": (cell("Trades", "I8", 5), 15, "PROBLEM", "KRW"),
    "changed holdings": (cell("Holdings", "I8", 999), 16, "PROBLEM", "planned on"),
}


@pytest.fixture(scope="module")
def shown(office: Office, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    folder = tmp_path_factory.mktemp("spoilt")
    sound = folder / "sound.xlsx"
    sound.write_bytes(build(REPORT, "en").to_bytes())
    files = []
    for number, (change, *_) in enumerate(SPOILT.values()):
        book = load_workbook(sound)
        change(book)
        files.append(folder / f"{number}.xlsx")
        book.save(files[-1])
    made = office.convert(files, "xlsx", folder / "out")
    grids = {what: {g.name: g for g in read_grids(made[str(i)])} for i, what in enumerate(SPOILT)}
    return {
        what: {f"{c}{row}": at(found["Checks"], f"{c}{row}") for c in "DE" for row in range(8, 19)}
        | {"banner": at(found["Dashboard"], "B3")}
        for what, found in grids.items()
    }


@pytest.mark.parametrize("what", SPOILT)
def test_a_check_notices(shown: dict[str, dict[str, object]], what: str) -> None:
    _, row, result, detail = SPOILT[what]
    assert shown[what][f"D{row}"] == result
    assert detail in str(shown[what][f"E{row}"] or "")


@pytest.mark.parametrize("what", [what for what, spoilt in SPOILT.items() if spoilt[2] == "PROBLEM"])
def test_the_banner_says_so(shown: dict[str, dict[str, object]], what: str) -> None:
    assert str(shown[what]["banner"]).startswith("✖")


def results(book_checks: object) -> dict[str, str]:
    return {check.key: check.outcome for check in book_checks}  # type: ignore[attr-defined]


def test_a_negative_balance_after_the_plan_is_a_problem() -> None:
    line = {"Account": None, "Currency": "KRW", "Before": Decimal(0), "PlanAfter": Decimal(-5)}
    rows = {**REPORT.results, "Reconcile": (line,), "Trades": ({**REPORT.results["Trades"][0], "Side": "buy"},)}
    found = build(replace(REPORT, results=rows), "en").figures
    assert results(checks(found, "en"))["reconcile"] == "PROBLEM"


def test_a_stale_price_asks_for_a_look() -> None:
    prices = tuple({**row, "Status": "stale"} for row in REPORT.results["Prices"])
    found = build(replace(REPORT, results={**REPORT.results, "Prices": prices}), "en").figures
    assert results(checks(found, "en"))["fresh"] == "CHECK"
