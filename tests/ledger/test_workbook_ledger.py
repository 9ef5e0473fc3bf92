"""The ledger on a workbook's own sheet: recordings, undo, rows of the person's own, what stands beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

import rebalancer
from engine.ledger.account import differences
from engine.ledger.entries import LedgerEntry
from rebalancer.ledgers import commit, ledger_file, on_sheet, read_ledger, recording
from templates.cells import Grid
from templates.ledger import ledger_of, ledger_rows, monthly, sheet_ledger
from templates.spec.vocabulary import meant
from tests.ledger.test_recording import DOCUMENT
from xl_addin.cli import main

DAY = dt.date(2026, 3, 2)


@pytest.fixture
def book(tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Path:
    source, path = tmp_path / "mine.yaml", tmp_path / "my.xlsx"
    source.write_text(DOCUMENT, encoding="utf-8")
    lang = getattr(request, "param", "en")
    assert main(["plan", str(source), "--offline", "-o", str(path), "--lang", lang]) == 0
    capsys.readouterr()
    return path


def recorded(path: Path, capsys: pytest.CaptureFixture[str], flow: int = 1_000_000) -> None:
    capsys.readouterr()
    assert main(["plan", str(path), "--offline", "--json", "--cash-flow", str(flow)]) == 0
    path.with_name("my.plan.json").write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["record", str(path)]) == 0


def on_the_sheet(path: Path) -> tuple[LedgerEntry, ...]:
    found = ledger_of(path.read_bytes(), path.name)
    assert found.there
    assert not found.problems
    return found.entries


def agrees(path: Path) -> bool:
    return differences(read_ledger(path).books("KRW"), rebalancer.load(path)) == ()


def entry(identity: str, **more: object) -> LedgerEntry:
    return LedgerEntry(identity, identity, DAY, **{"kind": "deposit", "currency": "KRW", "amount": Decimal(5)} | more)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("book", ["en", "ko"], indirect=True)
def test_a_recording_stands_on_the_sheet(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(book, capsys)
    kinds = [one.kind for one in on_the_sheet(book)]
    assert {"opening", "snapshot", "deposit", "buy", "sell"} <= set(kinds)
    assert agrees(book)


@pytest.mark.slow
def test_undo_is_a_new_row_below_those_that_stay(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(book, capsys)
    before = on_the_sheet(book)
    assert main(["record", str(book), "--undo"]) == 0
    after = on_the_sheet(book)
    assert after[: len(before)] == before
    assert [one.kind for one in after[len(before) :]] == ["undo"]
    assert agrees(book)


@pytest.mark.slow
def test_a_sheet_keeps_one_snapshot_a_month_and_the_rest_stand_beside_it(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(book, capsys)
    recorded(book, capsys, 500_000)
    kept = {one.batch for one in on_the_sheet(book) if one.kind == "snapshot"}
    assert len(kept) == 1
    lines = ledger_file(book).read_text(encoding="utf-8").splitlines()[1:]
    assert {line.split(",")[4] for line in lines} == {"snapshot"}
    assert agrees(book)


@pytest.mark.slow
def test_a_row_written_by_hand_needs_no_id(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(book, capsys)
    own = load_workbook(book)
    sheet = own["Ledger"]
    row = next(n for n in range(8, 90) if sheet.cell(n, 2).value is None)
    for column, value in zip("BCDEHI", (dt.date(2026, 12, 1), "Dividend", None, "QQQ", "USD", 12.5), strict=True):
        sheet[f"{column}{row}"] = value
    sheet["T3"] = "my own words"
    own.save(book)
    (paid,) = [one for one in read_ledger(book).entries if one.kind == "dividend"]
    assert (paid.symbol, paid.amount, paid.date) == ("QQQ", Decimal("12.5"), dt.date(2026, 12, 1))
    assert paid.id == next(one for one in read_ledger(book).entries if one.kind == "dividend").id
    assert main(["record", str(book), "--correct"]) == 0
    assert agrees(book)
    assert load_workbook(book)["Ledger"]["T3"].value == "my own words"


@pytest.mark.slow
def test_a_row_that_cannot_be_used_is_told_with_its_cell(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = load_workbook(book)
    own["Ledger"]["B8"], own["Ledger"]["C8"], own["Ledger"]["I8"] = dt.date(2026, 1, 5), "gift", 5
    own.save(book)
    assert main(["performance", str(book), "--offline", "--lang", "en"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "'Ledger' row 8" in told
    assert "gift" in told


@pytest.mark.slow
def test_quantities_changed_by_hand_are_asked_about(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(book, capsys)
    own = load_workbook(book)
    own["Holdings"]["I8"].value += 7
    own.save(book)
    before = book.read_bytes()
    assert main(["plan", str(book), "--offline", "-o", str(book.with_name("my.plan.json")), "--force"]) == 0
    assert main(["record", str(book), "--lang", "en"]) == 2
    assert "--correct" in capsys.readouterr().err
    assert book.read_bytes() == before
    assert main(["record", str(book), "--correct"]) == 0
    assert [one.quantity for one in on_the_sheet(book) if one.kind == "correction"] == [7]
    assert agrees(book)


def test_entries_are_the_same_on_the_sheet_to_the_last_digit(book: Path) -> None:
    exact = entry("exact", amount=Decimal("123456789.123456789"), fx=Decimal("1391.123456789012"), note="=1+1")
    with recording(book):
        raw = book.read_bytes()
        commit(book, raw, raw, [exact])
    assert on_the_sheet(book) == (exact,)


@pytest.mark.slow
def test_a_workbook_without_the_sheet_has_its_ledger_beside_it(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = load_workbook(book)
    del own["Ledger"]
    own.save(book)
    recorded(book, capsys)
    assert not ledger_of(book.read_bytes(), book.name).there
    assert agrees(book)
    assert ledger_file(book).exists()


def test_of_a_month_only_the_first_snapshot_is_kept() -> None:
    shots = [
        replace(entry(f"s{n}", kind="snapshot"), batch=f"b{n // 2}", date=DAY + dt.timedelta(days=10 * n))
        for n in range(8)
    ]
    assert {one.batch for one in monthly(shots) if one.date.month == DAY.month} == {"b0"}
    assert monthly(shots[2:], shots[:1]) == monthly([one for one in shots[2:] if one.date.month != DAY.month])


@pytest.mark.slow
def test_no_row_of_before_is_lost_whatever_is_written(book: Path) -> None:
    first = book.read_bytes()
    with recording(book):
        commit(book, first, first, [entry("one")])
    second = book.read_bytes()
    made, beside = on_sheet(book, second, first, [entry("two")])
    assert [one.id for one in ledger_of(made, book.name).entries] == ["one", "two"]
    assert beside == ()


def test_empty_cells_stand_for_nothing() -> None:
    (row,) = ledger_rows([entry("a")])
    assert {name for name, value in row.items() if value is None} == {
        "Account", "Ticker", "Quantity", "Price", "Cost", "Tax", "FX", "Undoes", "Note",
    }  # fmt: skip


def test_what_people_call_the_kinds_is_understood_on_the_sheet() -> None:
    words = {
        "배당금": "dividend",
        "매수": "buy",
        "구매": "buy",
        "액면분할": "split",
        "입금": "deposit",
        "Cash Dividend": "dividend",
    }
    assert {word: meant("entry", word) for word in words} == words
    assert meant("entry", "무엇") == "무엇"


def test_what_is_wrong_in_a_row_is_told_in_the_words_of_the_sheet() -> None:
    cells = {6: {1: "날짜", 2: "구분", 3: "통화", 4: "금액", 5: "번호", 6: "묶음 번호"}}
    cells[8] = {1: "2026-11-22", 2: "출금", 3: "KRW", 4: "-5"}
    cells[9] = {1: "2026-11-22", 2: "무엇", 3: "KRW", 4: "5"}
    found = sheet_ledger([Grid("거래내역", cells)], "my.xlsx")
    told = [one.message.told("ko") for one in found.problems]
    assert told[0] == "출금: 금액은 0보다 커야 합니다(-5)"
    assert "매수, 매도, 입금" in told[1]


def test_an_instrument_may_go_by_its_name_in_a_row_written_by_hand() -> None:
    cells = {6: {1: "날짜", 2: "구분", 3: "종목코드", 4: "수량", 5: "통화", 6: "금액", 7: "번호", 8: "묶음 번호"}}
    for row, name in enumerate(("KODEX 200", "069500", "qqq", "MYFUND"), 8):
        cells[row] = {1: "2026-11-22", 2: "매수", 3: name, 4: "1", 5: "KRW", 6: "50000"}
    found = sheet_ledger([Grid("거래내역", cells)], "my.xlsx")
    assert found.problems == ()
    assert [one.symbol for one in found.entries] == ["069500", "069500", "QQQ", "MYFUND"]
