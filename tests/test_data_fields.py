"""Located rows: values of every kind, each problem at its place, and files that are read one way."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.document import portfolio_from_data
from engine.data.fields import Fields, Report, in_rows, plain, to_number
from engine.data.files import Refused, csv_table, decode, read_bytes, read_text
from engine.errors import InputError
from engine.phrase import place
from engine.words import tell


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_of_numpy_is_the_number_that_it_shows(number: float) -> None:
    assert to_number(np.float64(number)) == Decimal(repr(number))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_narrow_float_of_numpy_is_the_number_that_it_shows(number: float) -> None:
    narrow = np.float32(number)
    assert to_number(narrow) == Decimal(str(narrow))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("QQQ"), "QQQ"),
        (np.datetime64("2026-07-01"), dt.date(2026, 7, 1)),
        (np.datetime64("2026-07-01T09:30", "ns"), dt.datetime(2026, 7, 1, 9, 30)),  # noqa: DTZ001 - numpy has no zones
        (np.array([1, 2]), [1, 2]),
    ],
    ids=str,
)
def test_a_value_of_numpy_is_pythons_own(value: object, read: object) -> None:
    assert plain(value) == read


@pytest.mark.parametrize("value", [np.float64("nan"), np.float64("inf"), np.bool_(True)])
def test_what_is_no_number_of_numpy_is_none(value: object) -> None:
    assert to_number(value) is None


def test_a_portfolio_may_be_made_of_numpys_numbers() -> None:
    held = {"symbol": "QQQ", "quantity": np.int64(3), "price": np.float64(512.3), "locked": np.bool_(False)}
    body = {
        "base_currency": "USD",
        "holdings": [held],
        "cash": {"USD": np.float32(0.1)},
        "targets": [{"ticker": np.str_("QQQ"), "weight": np.float64(0.1) * 3}],
    }
    portfolio, problems = portfolio_from_data({"portfolio": body}, "frame")
    assert portfolio is not None, problems
    assert (portfolio.holdings[0].quantity, portfolio.holdings[0].price) == (Decimal(3), Decimal("512.3"))
    assert portfolio.accounts[0].cash == {"USD": Decimal("0.1")}
    assert portfolio.sections[0].weight == Decimal("0.30000000000000004")


def test_a_row_of_a_table_tells_its_problems_by_row_and_column() -> None:
    report = Report("p.csv", in_rows("p.csv"))
    table = csv_table("Price,symbol\n\n5,QQQ\nx,SPY\n", report, ("symbol", "price"), ("symbol",))
    assert [(number, row.text("symbol"), row.number("price")) for number, row in table.rows] == [
        (3, "QQQ", Decimal(5)),
        (4, "SPY", None),
    ]
    (problem,) = report.problems
    assert (problem.code, str(problem.where)) == ("not-a-number", "p.csv row 4, column price")
    assert tell(problem.where, "ko") == "p.csv 4행 price 열"


def test_a_row_with_more_cells_than_the_header_is_not_read() -> None:
    report = Report("p.csv", in_rows("p.csv"))
    assert not list(csv_table("symbol\nQQQ,1\n", report, ("symbol",), ("symbol",)).rows)
    assert [problem.code for problem in report.problems] == ["extra-cell"]


def test_a_place_of_a_document_names_file_line_and_path_in_both_languages() -> None:
    report = Report(place("sample-portfolio"))
    where = report.where(("portfolio", "holdings", 2), 3)
    assert tell(where, "en") == "sample portfolio line 3: portfolio.holdings[2]"
    assert tell(where, "ko") == "예시 포트폴리오 3행: portfolio.holdings[2]"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-01", dt.date(2026, 7, 1)),
        ("2026-07-01T09:30:00+09:00", dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=9)))),
    ],
)
def test_a_moment_without_a_time_is_a_date(text: str, moment: dt.date) -> None:
    row = Fields({"as_of": text}, (), Report("row"), ("as_of",))
    assert row.moment("as_of") == moment


@pytest.mark.parametrize(
    ("raw", "key", "line"),
    [
        (b"\xff\xfea\x00", "encoding.utf-16", 1),
        ("a\n가격".encode("cp949"), "encoding.cp949", 2),
        (b"a\n\n\x80", "encoding.bytes", 3),
    ],
)
def test_text_that_is_no_utf8_is_refused_with_its_line(raw: bytes, key: str, line: int) -> None:
    with pytest.raises(Refused) as refused:
        decode(raw)
    assert (refused.value.key, refused.value.line) == (key, line)


def test_a_file_that_cannot_be_had_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"123")
    for path, most, code in (("none", 9, "no-such-file"), (".", 10**9, "unreadable-file"), ("large", 2, "too-large")):
        with pytest.raises(Refused) as refused:
            read_bytes(tmp_path / path, most)
        assert refused.value.problem(path).code == code


def test_a_file_beside_the_portfolio_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_bytes(b"Date\n\xff")
    for name, code, where in (("none.csv", "file-unreadable", ""), ("h.csv", "encoding", " line 2")):
        with pytest.raises(InputError) as bad:
            read_text(tmp_path / name)
        (problem,) = bad.value.problems
        assert (problem.code, str(problem.where)) == (code, f"{tmp_path / name}{where}")
