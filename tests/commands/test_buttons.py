"""The ribbon's buttons on a workbook without Excel: what they write, and that a failure leaves it as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.errors import Problem
from rebalancer.analysing import Sources
from rebalancer.samples import sample_sources
from templates.spec.layout import BLOCK_ROW, HEADER_ROW
from tests.builders import told
from tests.commands_fake_book import FakeBook
from xl_addin.buttons import COMMANDS, Progress, computing, press, recording
from xl_addin.buttons.book import found_in, tables_of
from xl_addin.buttons.edits import Edit, apply
from xl_addin.hosts.excel.package import sample_workbook
from xl_addin.hosts.excel.ribbon import buttons

DAY = dt.date(2026, 11, 21)


def rows(book: FakeBook, sheet: str, header: int = 7) -> list[dict[str, Any]]:
    """Return the rows of the first table of a sheet."""
    values = book.sheets[sheet].values
    names = {}
    column = 2
    while (header, column) in values:
        names[column] = values[header, column]
        column += 1
    last = max(row for row, _ in values)
    found = [{name: values.get((row, at)) for at, name in names.items()} for row in range(header + 1, last + 1)]
    return [row for row in found if any(value is not None for value in row.values())]


def allocation_columns(book: FakeBook) -> set[int]:
    """Return the columns of the Analysis sheet that hold the drift by sector, class and currency."""
    return set(found_in(book, tables_of(book))["Allocation"].columns.values())


@pytest.mark.slow
def test_no_sample_allocation_stands_where_functions_compute_and_buttons_write_it(book: FakeBook) -> None:
    column = min(allocation_columns(book))
    before = [at for at in book.sheets["Analysis"].values if at[1] == column and at[0] > HEADER_ROW]
    press("propose", book, formulas=True)
    after = [at for at in book.sheets["Analysis"].values if at[1] == column and at[0] > HEADER_ROW]
    assert (len(before), len(after)) == (0, 9)
    assert "20" in book.sheets["Analysis"].values[BLOCK_ROW, column]
    press("refresh", book, formulas=True)
    assert not [at for at in book.sheets["Analysis"].values if at[1] == column and at[0] > HEADER_ROW]


def test_every_button_of_the_ribbon_has_a_command_and_every_command_a_button() -> None:
    assert {button.command for button in buttons()} == set(COMMANDS)


MODES = [("full", "full"), ("buy_only", "buy-only"), ("sell_only", "sell-only")]


@pytest.mark.parametrize(("button", "mode"), MODES)
def test_a_mode_is_written_into_the_settings_alone_of_what_the_person_fills(
    book: FakeBook, button: str, mode: str
) -> None:
    press(f"mode_{button}", book, formulas=True)
    assert [value for sheet, *_, value in book.written if sheet not in ("Trades", "Cash", "Analysis")] == [mode]
    assert {row["Key"]: row["Value"] for row in rows(book, "Settings")}["mode"] == mode
    assert book.calculated == 1


@pytest.mark.parametrize(("button", "sides"), [("buy_only", {"buy"}), ("sell_only", {"sell"})])
def test_after_a_mode_the_trades_are_those_of_the_mode(book: FakeBook, button: str, sides: set[str]) -> None:
    press("propose", book, formulas=False)
    press(f"mode_{button}", book, formulas=False)
    assert {row["Side"] for row in rows(book, "Trades") if row["Ticker"]} <= sides


def test_after_a_mode_the_reconciliation_is_that_of_the_mode_where_excel_computes(book: FakeBook) -> None:
    other = dict(book.sheets["Cash"].values)
    press("mode_sell_only", book, formulas=True)
    wanted = dict(book.sheets["Cash"].values)
    press("propose", book, formulas=True)
    assert book.sheets["Cash"].values == wanted
    assert any(wanted.get(at) != value for at, value in other.items())


def test_a_mode_and_its_plan_are_undone_together(book: FakeBook) -> None:
    press("propose", book, formulas=False)
    before = book.state()
    press("mode_sell_only", book, formulas=False)
    press("undo", book, formulas=False)
    assert book.state() == before


@pytest.mark.parametrize("formulas", [True, False])
def test_the_plan_of_another_mode_goes_where_there_can_be_no_new_one(book: FakeBook, *, formulas: bool) -> None:
    book.sheets["Targets"].values[8, 6] = 7.5
    press("mode_sell_only", book, formulas=formulas)
    assert "Target" in book.alerts[-1]
    assert {row["Key"]: row["Value"] for row in rows(book, "Settings")}["mode"] == "sell-only"
    held = book.written.copy()
    press("record", book, formulas=formulas)
    assert book.written == held


def test_propose_lets_excel_compute_what_functions_fill(book: FakeBook) -> None:
    before, cuts = book.state(), allocation_columns(book)
    press("propose", book, formulas=True)
    assert book.alerts == []
    assert book.calculated == 1
    changed = {(s, *at) for s, cells in book.state().items() for at in cells if cells[at] != before[s].get(at)}
    assert changed <= {(name, row, column) for name, row, column, _ in book.written}
    assert {name for name, *_ in book.written} == {"Cash", "Analysis"}
    others = {row for name, row, column, _ in book.written if name == "Analysis" and column not in cuts}
    assert others == {BLOCK_ROW}
    assert not any(str(before[name].get((row, column))).startswith("=") for name, row, column, _ in book.written)


def test_propose_writes_values_where_excel_cannot_compute_our_functions(book: FakeBook) -> None:
    shown = rows(book, "Trades")
    for row, column in [at for at in book.sheets["Trades"].values if at[0] > 7 and at[1] <= 12]:
        del book.sheets["Trades"].values[row, column]
    press("propose", book, formulas=False)
    assert book.alerts == []
    assert book.calculated == 0
    for now, then in zip(rows(book, "Trades"), shown, strict=True):
        assert now.pop("WeightAfter") == pytest.approx(then.pop("WeightAfter"))
        assert now == then
    assert book.sheets["Trades"].formulas[7, 2] == "Account"
    assert {"Trades", "Prices", "Calendar", "Checks", "Analysis"} <= {name for name, *_ in book.written}


def test_record_brings_holdings_and_cash_to_what_the_plan_says(book: FakeBook) -> None:
    trades = rows(book, "Trades")
    sheet = book.sheets["Cash"].values
    top, at = next(place for place, value in sheet.items() if value == "PlanAfter")
    plan = {sheet[r, at - 7]: sheet[r, at] for r in (top + 1, top + 2)}
    before = {(row["Account"], row["Ticker"]): row["Quantity"] for row in rows(book, "Holdings") if row["Ticker"]}
    recording.record(book, Progress(book), formulas=True, day=DAY)
    after = {(row["Account"], row["Ticker"]): row["Quantity"] for row in rows(book, "Holdings") if row["Ticker"]}
    for trade in trades:
        key = trade["Account"], trade["Ticker"]
        sign = 1 if trade["Side"] == "buy" else -1
        assert float(after[key]) == float(before.get(key, 0)) + sign * trade["Quantity"]
    place = book.sheets["Cash"].tables["Cash"].range
    values = book.sheets["Cash"].values
    cash = {
        values.get((r, place.column + 1)): values.get((r, place.column + 2), 0.0)
        for r in range(place.row + 1, place.last_cell.row + 1)
    }
    assert {currency: float(cash[currency]) for currency in plan} == {k: float(v) for k, v in plan.items()}


def test_record_dates_the_traded_sections_and_adds_a_row_to_the_history(book: FakeBook) -> None:
    count = len(rows(book, "Trades"))
    history = len(rows(book, "Values"))
    recording.record(book, Progress(book), formulas=True, day=DAY)
    last = rows(book, "Values")[history]
    assert last["Date"] == DAY
    assert last["Note"] == f"{count} trades recorded"
    place = book.sheets["Settings"].tables["Rules"].range
    values = book.sheets["Settings"].values
    names = [values.get((place.row, at)) for at in range(place.column, place.last_cell.column + 1)]
    dates = [values.get((place.row + n, place.column + names.index("LastRebalanced"))) for n in (1, 2)]
    assert dates == [DAY, DAY]


def test_what_was_bought_for_the_first_time_takes_a_free_row_at_its_price(book: FakeBook) -> None:
    sheet = book.sheets["Trades"].values
    row = next(r for r in range(8, 40) if sheet[r, 5] == "buy")
    sheet[row, 3] = "FIRST"
    quantity, amount = sheet[row, 6], sheet[row, 9]
    recording.record(book, Progress(book), formulas=True, day=DAY)
    (bought,) = [held for held in rows(book, "Holdings") if held["Ticker"] == "FIRST"]
    assert bought["Quantity"] == quantity
    assert float(bought["AverageCost"]) == pytest.approx(amount / quantity)


def test_undo_takes_a_recording_back_to_the_last_cell(book: FakeBook) -> None:
    before = book.state()
    press("record", book, formulas=True)
    assert book.state() != before
    press("undo", book, formulas=True)
    assert book.state() == before
    press("undo", book, formulas=True)
    assert "nothing to undo" in book.alerts[-1]


def test_undo_brings_a_spilling_formula_back_by_its_first_cell(book: FakeBook) -> None:
    formula = book.sheets["Trades"].formulas[7, 2]
    press("propose", book, formulas=False)
    press("undo", book, formulas=False)
    assert book.sheets["Trades"].formulas[7, 2] == formula
    assert (7, 3) not in book.sheets["Trades"].formulas  # Excel fills it from the formula


@pytest.mark.parametrize("command", ["record", "propose", "mode_sell_only"])
@pytest.mark.parametrize("fatal", [1, 2, 3])
def test_an_error_in_the_middle_leaves_the_workbook_as_it_was(book: FakeBook, command: str, fatal: int) -> None:
    writes = 0

    def crash() -> None:
        nonlocal writes
        writes += 1
        if writes == fatal:
            raise OSError("Excel has gone")

    before = book.state()
    book.before_write = crash
    press(command, book, formulas=True)
    assert book.state() == before
    assert "unexpected error" in book.alerts[-1]
    assert book.app.status_bar is False


def test_nothing_is_written_where_the_restore_point_cannot_be_saved(
    book: FakeBook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("REBALANCER_STATE_DIR", str(tmp_path / "file"))
    before = book.state()
    with pytest.raises(OSError, match="file"):
        apply(book, [Edit("Settings", 8, 3, (("x",),))], "test")
    assert book.state() == before


def test_escape_stops_before_anything_is_written(book: FakeBook, monkeypatch: pytest.MonkeyPatch) -> None:
    pressed = iter([False, False, True])
    monkeypatch.setattr("xl_addin.buttons.escape_pressed", lambda: next(pressed))
    press("propose", book, formulas=True)
    assert book.written == []
    assert book.alerts == []


def test_a_trade_that_sells_more_than_is_held_is_refused_whole(book: FakeBook) -> None:
    sheet = book.sheets["Trades"].values
    row = next(r for r in range(8, 40) if sheet[r, 5] == "sell")
    sheet[row, 6] = 10**6
    press("record", book, formulas=True)
    assert book.written == []
    assert "are held" in book.alerts[-1]


def test_trades_that_do_not_come_to_the_cash_of_the_plan_are_refused(book: FakeBook) -> None:
    sheet = book.sheets["Trades"].values
    row = next(r for r in range(8, 40) if sheet[r, 5] == "buy")
    sheet[row, 9] += 1
    press("record", book, formulas=True)
    assert book.written == []
    assert "Propose trades first" in book.alerts[-1]


def test_bad_input_is_told_with_its_place(book: FakeBook) -> None:
    book.sheets["Targets"].values[8, 6] = 7.5
    press("propose", book, formulas=True)
    assert book.written == []
    assert "Target" in book.alerts[-1]


def test_sources_shows_the_sheet_of_prices(book: FakeBook) -> None:
    press("sources", book, formulas=True)
    assert book.active == "Prices"


def test_refresh_fetches_everything_in_one_batch_and_computes(book: FakeBook, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.market import chain
    from engine.market.quoting import QuoteBatch

    asked: list[tuple[list[str], bool]] = []

    def quotes(symbols: Any, *, refresh: bool, **_: Any) -> QuoteBatch:
        asked.append((list(symbols), refresh))
        return QuoteBatch({}, {}, 0)

    monkeypatch.setattr(chain, "quotes", quotes)
    press("refresh", book, formulas=True)
    assert book.alerts == []
    assert len(asked) == 1
    assert asked[0][1]
    assert {"VTI", "069500", "USDKRW"} <= set(asked[0][0])
    assert book.calculated == 1


def titles(book: FakeBook) -> list[str]:
    return [str(value) for (row, _), value in book.sheets["Analysis"].values.items() if row == BLOCK_ROW]


@pytest.fixture
def sample_closes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with sample_sources() as sources:
        monkeypatch.setattr(computing, "SOURCES", sources)
        yield


def test_analyse_fetches_and_lets_excel_compute(book: FakeBook, sample_closes: None) -> None:
    assert any("SAMPLE" in title for title in titles(book))
    press("analyse", book, formulas=True)
    assert book.alerts == []
    assert book.calculated == 1
    assert {row for _, row, *_ in book.written} == {BLOCK_ROW}
    assert not any("SAMPLE" in title for title in titles(book))


def test_analyse_writes_values_where_excel_cannot_compute_our_functions(book: FakeBook, sample_closes: None) -> None:
    before = dict(book.sheets["Analysis"].values)
    press("analyse", book, formulas=False)
    assert book.alerts == []
    after = book.sheets["Analysis"].values
    formulas = [str(value) for value in book.sheets["Analysis"].formulas.values() if "REBAL_" in str(value)]
    assert formulas == ["REBAL_SUMMARY()"] or [one.lstrip("=") for one in formulas] == ["REBAL_SUMMARY()"]
    for (row, column), value in after.items():
        if row > BLOCK_ROW and value != "Ticker":  # where the function says Metric
            assert value == (pytest.approx(before[row, column]) if isinstance(value, float) else before[row, column])
    assert after.keys() == before.keys()


def test_undo_brings_the_formulas_of_the_analyses_back(book: FakeBook, sample_closes: None) -> None:
    before = {at: text for at, text in book.sheets["Analysis"].formulas.items() if str(text).startswith("=")}
    press("analyse", book, formulas=False)
    press("undo", book, formulas=False)
    after = {at: text for at, text in book.sheets["Analysis"].formulas.items() if str(text).startswith("=")}
    assert after == before


def test_analyse_says_what_could_not_be_had(book: FakeBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "SOURCES", Sources(offline=True))
    before = {at: value for at, value in book.sheets["Analysis"].values.items() if at[0] == BLOCK_ROW}
    press("analyse", book, formulas=False)
    assert "no history" in book.alerts[-1]
    after = {at: value for at, value in book.sheets["Analysis"].values.items() if at[0] == BLOCK_ROW}
    changed = [str(before[at]) for at in before if before[at] != after[at]]
    assert all(title.startswith("Funds compared") for title in changed), "what keeps made-up numbers keeps its label"
    assert sum("SAMPLE" in str(title) for title in after.values()) >= 3


def test_only_the_first_of_many_lacks_are_told(book: FakeBook, monkeypatch: pytest.MonkeyPatch) -> None:
    many = tuple(Problem("warning", "no-history", f"X{n}", told("no answer")) for n in range(40))
    monkeypatch.setattr("xl_addin.show.analysis_cells.analysed", lambda *_: ({}, many))
    press("analyse", book, formulas=False)
    assert len(book.alerts[-1].splitlines()) == 13
    assert "28 more" in book.alerts[-1]


def test_a_korean_workbook_is_answered_in_korean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REBALANCER_STATE_DIR", str(tmp_path / "state"))
    book = FakeBook(sample_workbook("ko"), str(tmp_path / "mine.xlsm"))
    press("undo", book, formulas=True)
    assert "되돌릴 것이 없습니다" in book.alerts[-1]


def test_a_copy_to_share_is_a_workbook_beside_ours(book: FakeBook, tmp_path: Path) -> None:
    press("share", book, formulas=True)
    copy = tmp_path / "mine-share.xlsx"
    assert str(copy) in book.alerts[-1]
    cells = [cell for sheet in load_workbook(copy) for row in sheet.iter_rows() for cell in row]
    assert any(cell.value == "360750" for cell in cells)
    assert not any(cell.data_type == "f" for cell in cells)


def test_a_pdf_is_written_beside_the_workbook(book: FakeBook, tmp_path: Path) -> None:
    press("pdf", book, formulas=True)
    assert book.pdfs == [str(tmp_path / "mine.pdf")]


def test_help_says_what_is_wrong_first(book: FakeBook, monkeypatch: pytest.MonkeyPatch) -> None:
    from xl_addin import checkup

    checks = [
        checkup.HealthCheck("a", "ok", "fine"),
        checkup.HealthCheck("b", "note", "so so", "do"),
        checkup.HealthCheck("c", "wrong", "bad"),
    ]
    monkeypatch.setattr(checkup, "local_checks", lambda: iter(checks))
    press("help", book, formulas=True)
    assert [line[0] for line in book.alerts[-1].splitlines()] == ["c", "b"]


def test_average_cost_is_weighted_by_quantity() -> None:
    from engine.record import Done, Held, held_after

    done = Done("", "A", "buy", Decimal(3), "KRW", Decimal(360), Decimal(1))
    after = held_after({("", "A"): Held(Decimal(1), Decimal(100))}, [done])
    assert after == {("", "A"): Held(Decimal(4), Decimal(115))}


def test_an_unknown_average_cost_stays_unknown() -> None:
    from engine.record import Done, Held, held_after

    done = Done("", "A", "buy", Decimal(3), "KRW", Decimal(360), Decimal(1))
    assert held_after({("", "A"): Held(Decimal(1))}, [done]) == {("", "A"): Held(Decimal(4))}


def test_every_sale_of_too_much_is_told() -> None:
    from engine.errors import InputError
    from engine.record import Done, held_after

    sales = [Done("", name, "sell", Decimal(1), "KRW", Decimal(1), Decimal(0)) for name in "AB"]
    with pytest.raises(InputError) as raised:
        held_after({}, sales)
    assert [(p.code, p.where) for p in raised.value.problems] == [("not-held", "A"), ("not-held", "B")]
    assert all(isinstance(p, Problem) for p in raised.value.problems)
