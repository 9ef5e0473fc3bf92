"""A workbook that a person has changed reads as meant, or says in which cell it does not."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from engine.portfolio import Portfolio
from templates.models import load
from templates.read.book import ReadBook, read_book
from templates.report import BookReport
from templates.write import build
from tests.office import Office
from tests.workbook.changed import CASH, HOLDINGS, SETTINGS, TARGETS, plain, write


@pytest.fixture
def expected(tmp_path: Path) -> Portfolio:
    return good(read_book(plain(tmp_path / "mine.xlsx")))


def good(book: ReadBook) -> Portfolio:
    assert [str(problem) for problem in book.problems if problem.severity == "error"] == []
    assert book.portfolio is not None
    return book.portfolio


def only_error(book: ReadBook) -> tuple[str, str, str]:
    errors = [problem for problem in book.problems if problem.severity == "error"]
    assert len(errors) == 1, [str(error) for error in errors]
    assert book.portfolio is None
    return errors[0].code, str(errors[0].where), str(errors[0].message)


def reread(tmp_path: Path, change: object) -> ReadBook:
    return read_book(plain(tmp_path / "mine.xlsx", change))  # type: ignore[arg-type]


def test_the_hand_made_workbook_reads(expected: Portfolio) -> None:
    assert [h.quantity for h in expected.holdings] == [250, Decimal("3.5"), 40]
    assert expected.accounts[0].cash == {"KRW": 1500000, "USD": Decimal("320.5")}
    assert [s.weight for s in expected.sections] == [Decimal("0.7"), Decimal("0.2")]


def test_columns_may_be_moved(tmp_path: Path, expected: Portfolio) -> None:
    rows = [[row[4], row[1], row[3], row[0], row[2]] for row in HOLDINGS]
    assert good(read_book(write(tmp_path / "mine.xlsx", {"Holdings": rows, "T": TARGETS, "C": CASH}))) == expected


def test_a_column_without_header_does_not_cut_the_table(tmp_path: Path, expected: Portfolio) -> None:
    rows = [[*row[:3], None, *row[3:]] for row in HOLDINGS]
    assert good(read_book(write(tmp_path / "mine.xlsx", {"Holdings": rows, "T": TARGETS, "C": CASH}))) == expected


def test_a_column_of_ones_own_is_left_alone(tmp_path: Path, expected: Portfolio) -> None:
    rows = [[*row[:2], note, *row[2:]] for row, note in zip(HOLDINGS, ["memo", "a", "b", "c"], strict=True)]
    assert good(read_book(write(tmp_path / "mine.xlsx", {"Holdings": rows, "T": TARGETS, "C": CASH}))) == expected


def test_rows_may_be_sorted(tmp_path: Path, expected: Portfolio) -> None:
    book = read_book(write(tmp_path / "mine.xlsx", {"H": [HOLDINGS[0], *HOLDINGS[:0:-1]], "T": TARGETS, "C": CASH}))
    assert good(book).holdings == expected.holdings[::-1]


def test_filtered_rows_count(tmp_path: Path, expected: Portfolio) -> None:
    def hide(book: Workbook) -> None:
        book["Holdings"].auto_filter.ref = "A1:E4"
        book["Holdings"].row_dimensions[3].hidden = True

    assert good(reread(tmp_path, hide)) == expected


def test_empty_rows_between_are_skipped(tmp_path: Path, expected: Portfolio) -> None:
    assert good(reread(tmp_path, lambda book: book["Holdings"].insert_rows(3, 4))) == expected


def test_rows_above_the_headers_are_skipped(tmp_path: Path, expected: Portfolio) -> None:
    def title(book: Workbook) -> None:
        book["Holdings"].insert_rows(1, 3)
        book["Holdings"]["A1"] = "내 포트폴리오"

    assert good(reread(tmp_path, title)) == expected


@pytest.mark.parametrize(
    ("cell", "text", "quantity"),
    [("C2", "1,234", "1234"), ("C2", " 250 ", "250"), ("C2", "250주", "250"), ("C2", "２５０", "250")],
)
def test_a_number_written_as_text_is_read(tmp_path: Path, cell: str, text: str, quantity: str) -> None:
    book = reread(tmp_path, lambda book: book["Holdings"].__setitem__(cell, text))
    assert good(book).holdings[0].quantity == Decimal(quantity)


@pytest.mark.parametrize("text", ["₩1,000", "1,000원", "KRW 1,000"])
def test_an_amount_written_as_text_is_read(tmp_path: Path, text: str) -> None:
    book = reread(tmp_path, lambda book: book["Cash"].__setitem__("C2", text))
    assert good(book).accounts[0].cash["KRW"] == 1000


def test_a_percentage_written_as_text_is_read(tmp_path: Path) -> None:
    book = reread(tmp_path, lambda book: book["Targets"].__setitem__("C2", "12.5%"))
    assert good(book).sections[0].targets[0].weight == Decimal("0.125")


def test_a_percentage_without_its_sign_is_refused_with_the_repair(tmp_path: Path) -> None:
    code, where, message = only_error(reread(tmp_path, lambda book: book["Targets"].__setitem__("C2", 35)))
    assert code == "out-of-range"
    assert where == "mine.xlsx sheet 'Targets' row 2 column C (Target)"
    assert "0.35" in message


def test_korean_headers_are_understood(tmp_path: Path, expected: Portfolio) -> None:
    korean: dict[str, Any] = {
        "H": [["계좌", "종목코드", "수량", "평균단가", "직접 입력가"], *HOLDINGS[1:]],
        "T": [["구분", "종목코드", "목표 비중", "최소", "최대", "사용"], *TARGETS[1:]],
        "C": [["계좌", "통화", "금액"], *CASH[1:]],
    }
    assert good(read_book(write(tmp_path / "mine.xlsx", korean))) == expected


def test_korean_words_are_understood(tmp_path: Path, expected: Portfolio) -> None:
    words = {"core": "핵심", "satellite": "위성"}
    rows = [[words.get(str(row[0]), row[0]), *row[1:5], "예" if row[5] is True else row[5]] for row in TARGETS]
    cash = [CASH[0], [None, "원", 1500000], [None, "달러", 320.5]]
    sheets: dict[str, Any] = {"H": HOLDINGS, "T": rows, "C": cash}
    assert good(read_book(write(tmp_path / "mine.xlsx", sheets))) == expected


@pytest.mark.parametrize(
    "written", [dt.date(2026, 7, 1), "2026-07-01", "2026. 7. 1.", "2026/7/1", "2026년 7월 1일", 46204]
)
def test_a_date_is_read_however_it_is_written(tmp_path: Path, written: object) -> None:
    rules = [["Section", "Schedule", "LastRebalanced"], ["core", "semi-annual", written]]
    sheets: dict[str, Any] = {"H": HOLDINGS, "T": TARGETS, "C": CASH, "Rules": rules}
    book = good(read_book(write(tmp_path / "mine.xlsx", sheets)))
    assert book.sections[0].rule.last_rebalanced == dt.date(2026, 7, 1)


@pytest.mark.parametrize("lost", [69500, "69500"])
def test_a_ticker_that_lost_its_zeros_is_refused_with_the_repair(tmp_path: Path, lost: object) -> None:
    book = reread(tmp_path, lambda book: book["Holdings"].__setitem__("B4", lost))
    code, where, message = only_error(book)
    assert code == "lost-zeros"
    assert where == "mine.xlsx sheet 'Holdings' row 4 column B (Ticker)"
    assert "'069500'" in message


def test_merged_cells_hold_for_every_row_they_cover(tmp_path: Path, expected: Portfolio) -> None:
    def merge(book: Workbook) -> None:
        book["Holdings"]["A3"] = None
        book["Holdings"].merge_cells("A2:A3")

    assert good(reread(tmp_path, merge)) == expected


def test_extra_sheets_and_notes_are_left_alone(tmp_path: Path, expected: Portfolio) -> None:
    def more(book: Workbook) -> None:
        sheet = book.create_sheet("메모", 0)
        sheet.append(["Ticker", "생각"])
        sheet.append(["005930", "언젠가"])
        book["Holdings"]["H2"] = "여기 메모"

    assert good(reread(tmp_path, more)) == expected


def test_a_row_of_sums_is_no_holding(tmp_path: Path, expected: Portfolio) -> None:
    def add_sum(book: Workbook) -> None:
        book["Holdings"].append(["합계", None, 293.5])
        book["Targets"].append(["Total", None, 0.9])

    assert good(reread(tmp_path, add_sum)) == expected


def test_a_note_below_the_table_is_pointed_out_not_read(tmp_path: Path, expected: Portfolio) -> None:
    book = reread(tmp_path, lambda book: book["Holdings"].cell(7, 1, "키움은 곧 닫음"))
    assert good(book) == expected
    assert [str(p.where) for p in book.problems if p.code == "row-ignored"] == ["mine.xlsx sheet 'Holdings' row 7"]


def test_an_error_in_an_input_cell_is_a_problem_with_its_cell(tmp_path: Path) -> None:
    book = reread(tmp_path, lambda book: book["Holdings"].__setitem__("D3", "#REF!"))
    code, where, _ = only_error(book)
    assert (code, where) == ("cell-error", "mine.xlsx sheet 'Holdings' row 3 column D (AverageCost)")


def test_a_formula_without_a_value_is_a_problem_with_its_cell(tmp_path: Path) -> None:
    book = reread(tmp_path, lambda book: book["Holdings"].__setitem__("D3", "=200*2"))
    code, where, _ = only_error(book)
    assert (code, where) == ("not-calculated", "mine.xlsx sheet 'Holdings' row 3 column D (AverageCost)")


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    def spoil(book: Workbook) -> None:
        book["Holdings"]["C2"] = "many"
        book["Holdings"]["B3"] = "QQQQQ Q"
        book["Targets"]["C2"] = 40
        book["Targets"]["A3"] = "kern"
        book["Cash"]["B2"] = "Won"

    book = reread(tmp_path, spoil)
    places = {str(problem.where) for problem in book.problems if problem.severity == "error"}
    assert len(places) >= 5


def test_two_tables_of_the_same_headers_are_refused(tmp_path: Path) -> None:
    sheets: dict[str, Any] = {"A": HOLDINGS, "B": HOLDINGS, "T": TARGETS, "C": CASH}
    assert only_error(read_book(write(tmp_path / "mine.xlsx", sheets)))[0] == "two-tables"


def test_a_copy_of_a_sheet_does_not_hide_the_sheet(tmp_path: Path, expected: Portfolio) -> None:
    def copy(book: Workbook) -> None:
        book.copy_worksheet(book["Holdings"]).title = "Holdings (2)"

    assert good(reread(tmp_path, copy)) == expected


def test_an_unknown_account_of_cash_is_a_problem_with_its_cell(tmp_path: Path) -> None:
    accounts = [["Name", "Type"], ["키움", "taxable"], ["미래", "isa"]]
    cash = [["Account", "Currency", "Amount"], ["삼성", "KRW", 1]]
    sheets: dict[str, Any] = {"H": HOLDINGS, "T": TARGETS, "C": cash, "Accounts": accounts}
    code, where, _ = only_error(read_book(write(tmp_path / "mine.xlsx", sheets)))
    assert (code, where) == ("unknown-account", "mine.xlsx sheet 'C' row 2 column A (Account)")


def made(tmp_path: Path, name: str = "made.xlsx") -> tuple[Path, Portfolio]:
    model = load("growth")
    path = tmp_path / name
    path.write_bytes(build(BookReport(model.ready(), model=model.facts), "ko").to_bytes())
    return path, model.ready()


def test_a_table_that_was_stretched_reads_all_its_rows(tmp_path: Path) -> None:
    path, portfolio = made(tmp_path)
    book = load_workbook(path)
    sheet = book["보유"]
    sheet.tables["Holdings"].ref = "B7:Q60"
    for row in range(30, 33):
        sheet.cell(row, 3, "SPY" if row == 30 else None)
        sheet.cell(row, 9, 5 if row == 30 else None)
    book.save(path)
    read = good(read_book(path))
    assert [h.symbol for h in read.holdings] == [h.symbol for h in portfolio.holdings] + ["SPY"]


def test_a_table_that_was_deleted_still_reads_by_its_headers(tmp_path: Path) -> None:
    path, portfolio = made(tmp_path)
    book = load_workbook(path)
    for sheet in book.worksheets:
        for name in list(sheet.tables):
            del sheet.tables[name]
    for name in list(book.defined_names):
        del book.defined_names[name]
    book.save(path)
    assert good(read_book(path)) == portfolio


def test_sheets_may_be_renamed_moved_and_thrown_away(tmp_path: Path) -> None:
    path, portfolio = made(tmp_path)
    book = load_workbook(path)
    for title in ("시작", "대시보드", "분석", "일정", "기록", "점검"):
        del book[title]
    book["보유"].title = "내가 가진 것"
    book.move_sheet("설정", -4)
    book.save(path)
    assert good(read_book(path)) == portfolio


@pytest.mark.slow
def test_an_ods_reads_as_the_xlsx_it_came_from(office: Office, tmp_path: Path, expected: Portfolio) -> None:
    path, portfolio = made(tmp_path)
    files = [path, plain(tmp_path / "mine.xlsx")]
    found = office.convert(files, "ods", tmp_path)
    assert good(read_book(found["made"])) == portfolio
    assert good(read_book(found["mine"])) == expected


def test_a_folder_of_csv_files_reads(tmp_path: Path, expected: Portfolio) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, rows in (("holdings", HOLDINGS), ("targets", TARGETS), ("cash", CASH), ("settings", SETTINGS)):
        lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
        (folder / f"{name}.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    assert good(read_book(folder)) == expected


def test_a_korean_csv_with_semicolons_reads(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "보유.csv").write_bytes('계좌;종목코드;수량\n키움;"360750";"1,250"\n'.encode("cp949"))
    (folder / "설정.csv").write_text("Key;Value\nbase_currency;krw\n", encoding="utf-8")
    (folder / "목표.csv").write_bytes("종목코드;목표\n360750;60%\n".encode("cp949"))
    portfolio = good(read_book(folder))
    assert portfolio.holdings[0].quantity == 1250
    assert portfolio.sections[0].weight == Decimal("0.6")
