"""Numbers and dates as people write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.text import fits, nearest, percent, plain_number, read_number, repaired_date, repaired_number


@pytest.mark.parametrize("text", ["0", "12", "-0.5", "+3", ".5", "5.", "1e3", " 7 ", "010"])
def test_plain_number_is_read(text: str) -> None:
    assert read_number(text) == Decimal(text.strip())


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "-inf", "1,000", "0x1F", "1_000", "１２", "1:30", "12원", "1e9999", "--1", "."]
)
def test_anything_else_is_no_number(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1,234", "1234"),
        ("1,234,567.5", "1234567.5"),
        ("₩1,000", "1000"),
        ("￦ 1,000", "1000"),
        ("1,000원", "1000"),
        ("$12.50", "12.5"),
        ("KRW 5000", "5000"),
        ("12.5%", "0.125"),
        ("35 %", "0.35"),
        ("1_000", "1000"),
        ("１２", "12"),
        ("−3", "-3"),
        ("10주", "10"),
    ],
)
def test_number_written_for_people_has_a_repair(text: str, plain: str) -> None:
    assert repaired_number(text) == plain


@pytest.mark.parametrize("text", ["", "nan", "1,23", "12,34,567", "1.234,5", "abc", "50만원", "%", "1,0000"])
def test_unclear_number_has_none(text: str) -> None:
    assert repaired_number(text) is None


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("0", True),
        ("999999999999999999", True),
        ("1e18", False),
        ("999999999999999999." + "9" * 40, True),
        ("341.1199951171875", True),
        ("1.3877787807814457e-17", True),
        ("1e-40", True),
        ("1e-41", False),
        ("1e-999", False),
        ("0e-999", True),
        ("1.10000000000000", True),
    ],
)
def test_size_of_a_number_is_bounded(text: str, *, fit: bool) -> None:
    assert fits(Decimal(text)) is fit


@pytest.mark.parametrize(
    ("number", "text"), [("1500000", "1500000"), ("0.10", "0.1"), ("1E+3", "1000"), ("0.00", "0"), ("-0.50", "-0.5")]
)
def test_number_is_shown_plainly(number: str, text: str) -> None:
    assert plain_number(Decimal(number)) == text


def test_fraction_is_shown_as_percentage() -> None:
    assert percent(Decimal("0.0825")) == "8.25 %"


@pytest.mark.parametrize("text", ["2026/7/1", "2026. 7. 1.", "2026년 7월 1일", "2026-7-1", "2026.07.01", "7/1/2026"])
def test_date_written_for_people_has_a_repair(text: str) -> None:
    assert repaired_date(text) == "2026-07-01"


@pytest.mark.parametrize("text", ["2026-02-30", "13/7/2026", "7월 1일", "", "2026"])
def test_unclear_date_has_none(text: str) -> None:
    assert repaired_date(text) is None


def test_nearest_word_is_near() -> None:
    assert nearest("qantity", ("quantity", "price")) == "quantity"
    assert nearest("zzz", ("quantity", "price")) is None
