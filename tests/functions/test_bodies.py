"""What a call becomes: cells as people leave them, causes kept and logged, one batch, no import before its time."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.data.document import portfolio_from_data
from engine.errors import InputError, Problem, Transient
from engine.market import chain
from engine.market.quoting import QuoteBatch
from engine.phrase import phrase
from engine.words import Lang
from rebalancer import planning
from templates.cells import CellError
from templates.report import setting_rows
from tests.builders import told
from tests.functions.function_calls import CASH, HOLDINGS, PAIRS, TARGETS, beside
from tests.functions.function_calls import SETTINGS as DATED
from tests.functions.function_cells import rows as shown
from xl_addin import functions
from xl_addin.functions import all_functions, cells, function, journal, plan
from xl_addin.functions.cells import NA, NUM, VALUE
from xl_addin.functions.plan import gathered

SETTINGS = [[None if isinstance(value, dict) else value for value in row] for row in DATED]
SHEETS = {"Holdings": HOLDINGS, "Targets": TARGETS, "Settings": SETTINGS}


def counting(work: Callable[..., Any], made: list[int]) -> Callable[..., Any]:
    """Return the same work, which leaves a mark each time that it is done."""

    def counted(*given: Any) -> Any:
        made.append(1)
        return work(*given)

    return counted


@pytest.fixture(autouse=True)
def _fresh(market: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.clear()
    plan.forget()
    monkeypatch.setenv("REBALANCER_LOG_DIR", str(tmp_path))


def log(folder: Path) -> str:
    path = folder / journal.FILE
    return path.read_text(encoding="utf-8") if path.exists() else ""


# --- cells --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("given", [None, cells.MISSING])
def test_argument_left_out_is_none(given: object) -> None:
    assert cells.rows_of(given) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (5.0, (("5",),)),
        ([["a"]], (("a",),)),
        (["a", "b"], (("a", "b"),)),
        ((("a", None), (1.0, "")), (("a", None), ("1", None))),
        ("  ", (("  ",),)),
    ],
)
def test_any_shape_is_rows(given: object, expected: object) -> None:
    found = cells.rows_of(given)
    assert found is not None
    assert tuple(tuple(str(v) if isinstance(v, Decimal) else v for v in row) for row in found) == expected


def test_number_keeps_the_digits_a_person_sees() -> None:
    assert cells.cell_of(0.1) == Decimal("0.1")


def test_not_a_number_is_an_error() -> None:
    assert isinstance(cells.cell_of(float("nan")), CellError)


def test_midnight_of_any_zone_is_that_day() -> None:
    assert cells.cell_of(dt.datetime(2026, 7, 1, tzinfo=dt.UTC)) == dt.date(2026, 7, 1)


def test_sheets_of_one_array_are_those_of_a_mapping() -> None:
    array = [["Holdings", None, "Targets"], ["Ticker", "Quantity", "Ticker"], ["QQQ", 1.0, "VTI"]]
    mapping = {"Holdings": [["Ticker", "Quantity"], ["QQQ", 1.0]], "Targets": [["Ticker"], ["VTI"]]}
    assert cells.sheets(array) == cells.sheets(mapping)


@pytest.mark.parametrize("text", ["2026-07-01", "2026. 7. 1.", "2026년 7월 1일", 46204.0])
def test_day_may_be_written_in_many_ways(text: object) -> None:
    assert cells.day_of("from", text) == dt.date(2026, 7, 1)


def test_two_values_are_no_single_one() -> None:
    with pytest.raises(InputError, match="2 values where one is due"):
        cells.value_of("field", [["a", "b"]])


def test_error_cell_is_named() -> None:
    with pytest.raises(InputError, match=r"row 2, column 1.*#REF!"):
        cells.tickers_of("tickers", [["QQQ"], ["#REF!"]])


# --- errors and their causes --------------------------------------------------------------------------------------
def test_ticker_without_its_zero_is_told_its_repair(tmp_path: Path) -> None:
    assert functions.rebal_price(69500.0) == VALUE
    assert "write 069500" in log(tmp_path)


def test_problem_names_the_row_and_column_of_the_range() -> None:
    table = functions.rebal_checks([["Ticker", "Quantity"], ["QQQ", "many"]], TARGETS, CASH, SETTINGS)
    assert any(row[1] == "REBAL_CHECKS holdings: row 2 column B (Quantity)" and "'many'" in row[2] for row in table)


def test_problem_of_the_workbook_names_sheet_and_cell() -> None:
    sheets = {**SHEETS, "Holdings": [["Ticker", "Quantity"], ["QQQ", "many"]]}
    table = functions.rebal_checks(tables=sheets)
    assert any("sheet 'Holdings' row 2 column B (Quantity)" in row[1] for row in table)


def test_cause_of_another_functions_failure_is_on_the_checks_sheet() -> None:
    functions.rebal_price("QQQ", "colour")
    assert any("'colour' is none of price" in str(row[2]) for row in functions.rebal_checks(tables=SHEETS))


def test_cause_leaves_the_checks_sheet_once_the_call_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = QuoteBatch({}, {"QQQ": Transient(told("down"), symbol="QQQ")}, 0)
    with monkeypatch.context() as patch:
        patch.setattr(chain.default().chain.__class__, "quotes", lambda *_, **__: failed)
        assert functions.rebal_price("QQQ") == NA
    assert "down" in str(journal.recent())
    assert functions.rebal_price("QQQ") == 628.35
    assert journal.recent() == ()


def test_same_failure_again_is_logged_once(tmp_path: Path) -> None:
    for _ in range(3):
        functions.rebal_price("QQQ", "colour")
    assert len(log(tmp_path).splitlines()) == 1


def test_fault_of_the_program_shows_no_traceback_and_logs_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("password hunter2")

    monkeypatch.setattr(chain.default().chain.__class__, "quotes", broken)
    assert functions.rebal_price("QQQ") == VALUE
    assert "RuntimeError" in log(tmp_path)
    assert "test_bodies.py" in log(tmp_path)
    assert "hunter2" not in log(tmp_path) + str(journal.recent())


def test_log_that_cannot_be_written_stops_no_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REBALANCER_LOG_DIR", str(tmp_path / "file" / "log"))
    assert functions.rebal_price("QQQ", "colour") == VALUE


def test_failures_kept_are_few() -> None:
    for number in range(50):
        functions.rebal_price("QQQ", f"field {number}")
    assert len(journal.recent()) == journal.KEPT


@pytest.mark.parametrize("spec", all_functions(), ids=lambda spec: spec.name)
@pytest.mark.parametrize(
    "junk", [None, "", 0.0, -1e300, True, "가나다", [["a", None], [1.0, "#N/A"]], [[None]], dt.date(2026, 1, 1)]
)
def test_nothing_a_cell_can_hold_raises(spec: Any, junk: object) -> None:
    count = len(spec.arguments) + len(spec.hidden)
    answer = spec.answer([junk] * count)
    assert isinstance(answer, list) or answer in (NA, VALUE, NUM)


def test_what_a_check_says_in_its_own_cell_is_not_said_again_on_the_checks_sheet() -> None:
    functions.rebal_compare([["VTI"], ["QQQ"]])
    assert not [row for row in functions.rebal_checks(tables=SHEETS) if row[3] in ("not-known", "overlap")]


@pytest.mark.parametrize("day", [dt.date(1900, 1, 1), dt.date(9999, 12, 31), 2958465.0, "0001-01-01"])
def test_a_day_nobody_can_compute_with_is_a_bad_argument(day: object) -> None:
    assert functions.rebal_calendar(day, 12, SHEETS) == VALUE
    assert "to 2040-12-31" in str(functions.rebal_checks(tables=SHEETS))


def test_functions_over_equal_ranges_share_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr(plan, "planned", counting(planning.planned, made))
    ranges = (HOLDINGS, TARGETS, CASH, PAIRS)
    for name in ("REBAL_TRADES", "REBAL_DRIFT", "REBAL_CHECKS"):
        assert isinstance(function(name).answer([*ranges, None]), list)
    assert len(made) == 1


def test_drift_takes_no_search_for_trades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "planned", lambda *_: pytest.fail("a plan was made"))
    assert isinstance(functions.rebal_drift(HOLDINGS, TARGETS, CASH, PAIRS), list)


def test_a_name_needs_no_price() -> None:
    assert functions.rebal_price("SCHD") == NA
    assert functions.rebal_price("SCHD", "name") == "Schwab U.S. Dividend Equity ETF"


# --- meaning ------------------------------------------------------------------------------------------------------
def test_price_that_cannot_be_had_is_na_in_its_row_alone() -> None:
    table = functions.rebal_prices([["QQQ"], ["ZZZZ"]])
    assert [(row[0], row[2], row[6]) for row in table[1:]] == [("QQQ", 628.35, "fresh"), ("ZZZZ", NA, "missing")]


def test_stale_price_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    quote = replace(chain.quotes(["QQQ"]).ok["QQQ"], stale_reason=phrase("was-stale"))
    monkeypatch.setattr(chain.default().chain.__class__, "quotes", lambda *_, **__: QuoteBatch({"QQQ": quote}, {}, 0))
    assert functions.rebal_price("QQQ", "status") == "stale"


def test_no_plan_is_made_of_stale_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    quote = replace(chain.quotes(["QQQ"]).ok["QQQ"], stale_reason=phrase("was-stale"))
    monkeypatch.setattr(chain.default().chain.__class__, "quotes", lambda *_, **__: QuoteBatch({"QQQ": quote}, {}, 0))
    holdings = [["Ticker", "Quantity"], ["QQQ", 3.0]]
    assert functions.rebal_trades(holdings, [["Ticker", "Target"], ["QQQ", 0.5]], 100.0) == NA


def test_base_currency_that_nobody_gave_is_said() -> None:
    table = functions.rebal_checks([["Ticker", "Quantity"], ["QQQ", 3.0]], [["Ticker", "Target"], ["QQQ", 0.5]], 100.0)
    assert any("totals are in USD" in str(row[2]) for row in table)


def test_equal_calls_share_one_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr(plan, "planned", counting(planning.planned, made))
    arguments = (HOLDINGS, TARGETS, CASH, SETTINGS)
    for called in (functions.rebal_drift, functions.rebal_trades, functions.rebal_checks):
        called(*arguments)
    assert made == [1]


def test_changed_quantity_makes_another_plan() -> None:
    one = functions.rebal_drift([["Ticker", "Quantity"], ["QQQ", 3.0]], [["Ticker", "Target"], ["QQQ", 0.5]], 100.0)
    two = functions.rebal_drift([["Ticker", "Quantity"], ["QQQ", 4.0]], [["Ticker", "Target"], ["QQQ", 0.5]], 100.0)
    assert shown(two)[1][3] == pytest.approx(shown(one)[1][3] * 4 / 3)


@pytest.mark.parametrize(("lang", "start"), [("ko", "비중"), ("en", "Weigh")])
def test_ranges_whose_settings_are_in_a_language_get_reasons_in_it(lang: Lang, start: str) -> None:
    portfolio, _ = portfolio_from_data({"portfolio": {"name": "성장", "base_currency": "KRW"}}, "test")
    assert portfolio is not None
    rows = [[row.get(name) for name in ("Key", "Value", "Choices", "Meaning")] for row in setting_rows(portfolio, lang)]
    settings = beside([["Key", "Value", "Choices", "Meaning"], *rows], PAIRS)
    trades = functions.rebal_trades(HOLDINGS, TARGETS, CASH, settings)
    assert trades[1][9].startswith(start)


def test_korean_workbook_gets_korean_reasons() -> None:
    english = functions.rebal_trades(tables=SHEETS)
    korean = functions.rebal_trades(tables={"보유" if k == "Holdings" else k: v for k, v in SHEETS.items()})
    assert english[1][9].startswith("Weighs")
    assert korean[1][9].startswith("비중")


def test_importing_the_functions_imports_nothing_slow() -> None:
    code = (
        "import sys, xlwings; before = set(sys.modules); import xl_addin.functions;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"xl_addin", "templates", "engine", "decimal", "_decimal", "numbers"}


# --- the Checks sheet ---------------------------------------------------------------------------------------------
def test_many_problems_of_one_cause_are_one_row() -> None:
    alike = [Problem("warning", "no-history", f"X{n}", told("no answer")) for n in range(9)]
    other = Problem("error", "bad-value", "row 3", told("many"))
    rows = gathered([*alike, other, *alike])
    assert [row.code for row in rows] == ["no-history", "bad-value"]
    assert str(rows[0].where) == "X0, X1, X2, X3, X4, X5, +3"
    assert str(rows[0].message) == "9 alike; the first: no answer"


def test_a_few_problems_stay_as_they_are() -> None:
    alike = [Problem("warning", "no-history", f"X{n}", told("no answer")) for n in range(3)]
    assert list(gathered(alike)) == alike


def test_a_bad_argument_names_its_function() -> None:
    functions.rebal_calendar("soon", 12, SHEETS)
    assert "REBAL_CALENDAR from" in [row[1] for row in functions.rebal_checks(tables=SHEETS)]
