"""Prices from a CSV file: what is read, and what is refused where."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from engine.data.prices import parse_prices
from engine.errors import Problem
from engine.quote import Quote

HEAD = "symbol,price,currency,as_of\n"


def errors(text: str | bytes) -> list[Problem]:
    return [problem for problem in parse_prices(text, "p.csv")[1] if problem.severity == "error"]


def one(row: str) -> Quote:
    quotes, problems = parse_prices(HEAD + row, "p.csv")
    assert problems == ()
    (quote,) = quotes.values()
    return quote


def test_row_becomes_a_quote_that_says_where_it_is_from() -> None:
    moment = dt.datetime(2026, 11, 20, 15, 30, tzinfo=ZoneInfo("Asia/Seoul"))
    assert one("069500,41250,KRW,2026-11-20") == Quote("069500", Decimal(41250), "KRW", moment, "csv", name="KODEX 200")


@pytest.mark.parametrize("price", ["341.1199951171875", "1402.449951171875", "0.0007186489399928135"])
def test_the_float_of_another_program_is_a_price(price: str) -> None:
    assert one(f"VTI,{price},USD,2026-11-20").price == Decimal(price)


@pytest.mark.parametrize(
    ("row", "moment"),
    [
        ("005930,1,KRW,2026-11-20", "2026-11-20T15:30:00+09:00"),
        ("QQQ,1,USD,2026-11-20", "2026-11-20T16:00:00-05:00"),
        ("QQQ,1,USD,2026-07-20", "2026-07-20T16:00:00-04:00"),
        ("ZZZZ,1,USD,2026-11-20", "2026-11-20T16:00:00-05:00"),
        ("999990,1,KRW,20261120", "2026-11-20T15:30:00+09:00"),
        ("MYFUND,1,KRW,2026-11-20", "2026-11-20T00:00:00+00:00"),
        ("USDKRW,1391.5,KRW,2026-11-20", "2026-11-20T00:00:00+00:00"),
        ("005930,1,KRW,2026-11-20T10:00:00", "2026-11-20T10:00:00+09:00"),
        ("005930,1,KRW,2026-11-20 10:00", "2026-11-20T10:00:00+09:00"),
        ("005930,1,KRW,2026-11-20T01:00:00Z", "2026-11-20T01:00:00+00:00"),
    ],
)
def test_date_is_the_close_of_its_own_market(row: str, moment: str) -> None:
    as_of = one(row).as_of
    assert as_of is not None
    assert as_of.isoformat() == moment


@pytest.mark.parametrize(
    ("row", "symbol", "currency"),
    [
        ("KODEX 200,1,,2026-11-20", "069500", "KRW"),
        ("brk-b,1,,2026-11-20", "BRK.B", "USD"),
        ("ZZZZ,1,,2026-11-20", "ZZZZ", "USD"),
        ("999990,1,,2026-11-20", "999990", "KRW"),
        ("usdkrw,1,,2026-11-20", "USDKRW", "KRW"),
        ("USDKRW,1,krw,2026-11-20", "USDKRW", "KRW"),
        ("7203,1,JPY,2026-11-20", "7203", "JPY"),
        ("MYFUND,1,KRW,2026-11-20", "MYFUND", "KRW"),
    ],
)
def test_currency_may_be_left_out_where_it_is_known(row: str, symbol: str, currency: str) -> None:
    quote = one(row)
    assert (quote.symbol, quote.currency) == (symbol, currency)


def test_order_and_case_of_the_columns_do_not_matter() -> None:
    quotes, problems = parse_prices("As_Of, PRICE ,Symbol\n2026-11-20, 500.25 ,QQQ\n", "p.csv")
    assert problems == ()
    assert quotes["QQQ"].price == Decimal("500.25")


def test_mark_windows_line_ends_blank_rows_and_quotes_do_not_matter() -> None:
    text = b'\xef\xbb\xbfsymbol,price,as_of\r\n"QQQ","500.25","2026-11-20"\r\n,,\r\n\r\n'
    quotes, problems = parse_prices(text, "p.csv")
    assert problems == ()
    assert list(quotes) == ["QQQ"]


def test_same_price_twice_is_one_quote() -> None:
    quotes, problems = parse_prices(HEAD + "QQQ,500,,2026-11-20\nqqq,500.0,USD,2026-11-20\n", "p.csv")
    assert problems == ()
    assert list(quotes) == ["QQQ"]


def test_price_without_a_date_is_pointed_out() -> None:
    quotes, problems = parse_prices(HEAD + "QQQ,500,,\n", "p.csv")
    assert quotes["QQQ"].as_of is None
    assert [(p.severity, p.code, str(p.where)) for p in problems] == [
        ("warning", "no-date", "p.csv row 2, column as_of")
    ]


def test_file_without_dates_is_pointed_out_once() -> None:
    _, problems = parse_prices("symbol,price\nQQQ,500\nSPY,600\n", "p.csv")
    assert [(p.severity, p.code) for p in problems] == [("warning", "no-date")]


@pytest.mark.parametrize(
    ("row", "code", "column", "words"),
    [
        ("QQQ,NaN,,2026-11-20", "not-a-number", "price", "NaN"),
        ("QQQ,,,2026-11-20", "not-a-number", "price", "''"),
        ('QQQ,"1,234",,2026-11-20', "not-a-number", "price", "write 1234"),
        ("005930,₩71000,,2026-11-20", "not-a-number", "price", "write 71000"),
        ("QQQ,0,,2026-11-20", "out-of-range", "price", "0"),
        ("QQQ,-5,,2026-11-20", "out-of-range", "price", "-5"),
        ("QQQ,1e300,,2026-11-20", "out-of-range", "price", "1e300"),
        ("QQQ,500,KRW,2026-11-20", "conflict", "currency", "USD"),
        ("USDKRW,1391,USD,2026-11-20", "conflict", "currency", "KRW"),
        ("QQQ,500,DOLLAR,2026-11-20", "unknown-currency", "currency", "DOLLAR"),
        ("MYFUND,500,,2026-11-20", "missing", "currency", "MYFUND"),
        ("69500,500,,2026-11-20", "lost-zeros", "symbol", "069500"),
        ("005930.KS,500,,2026-11-20", "unknown-ticker", "symbol", "005930"),
        (",500,USD,2026-11-20", "missing", "symbol", "069500"),
        ("QQQ,500,,2026/11/20", "not-a-date", "as_of", "2026-11-20"),
        ("QQQ,500,,yesterday", "not-a-date", "as_of", "yesterday"),
    ],
)
def test_bad_cell_is_an_error_at_its_row_and_column(row: str, code: str, column: str, words: str) -> None:
    quotes, problems = parse_prices(f"{HEAD}SPY,600,USD,2026-11-20\n{row}\n", "p.csv")
    assert list(quotes) == ["SPY"]
    (problem,) = problems
    assert (problem.severity, problem.code, str(problem.where)) == ("error", code, f"p.csv row 3, column {column}")
    assert words in str(problem.message)


def test_two_prices_of_one_symbol_are_an_error_that_names_both() -> None:
    (problem,) = errors(HEAD + "069500,100,,2026-11-20\nKODEX 200,101,,2026-11-20\n")
    assert (problem.code, str(problem.where)) == ("conflict", "p.csv row 3, column price")
    assert all(words in str(problem.message) for words in ("101", "100", "row 2"))


def test_cell_beyond_the_columns_is_an_error() -> None:
    (problem,) = errors("symbol,price\nQQQ,1,234\n")
    assert (problem.code, str(problem.where)) == ("extra-cell", "p.csv row 2")


def test_price_split_at_its_comma_gives_no_quote() -> None:
    quotes, _ = parse_prices("symbol,price\nQQQ,1,234\n", "p.csv")
    assert quotes == {}


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("", "empty-document", "p.csv row 1"),
        ("\n\n", "empty-document", "p.csv row 2"),
        ("symbol;price\nQQQ;1\n", "csv-syntax", "p.csv row 1"),
        ("symbol,price,volume\nQQQ,1,1\n", "unknown-column", "p.csv row 1, column volume"),
        ("symbol,price,price\nQQQ,1,1\n", "duplicate-column", "p.csv row 1, column price"),
        ("symbol\nQQQ\n", "missing", "p.csv row 1, column price"),
        ('symbol,price\n"QQQ,1\n', "csv-syntax", "p.csv row 2"),
        ("가격".encode("cp949"), "encoding", "p.csv row 1"),
        ("symbol,price\n".encode("utf-16"), "encoding", "p.csv row 1"),
        ("s\x00y\x00", "encoding", "p.csv row 1"),
        ("x" * 20_000_001, "too-large", "p.csv row 1"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_file_that_cannot_be_used_is_an_error(text: str | bytes, code: str, where: str) -> None:
    (problem,) = errors(text)
    assert (problem.code, str(problem.where)) == (code, where)


def test_misspelt_column_is_told_the_nearest() -> None:
    found = errors("symbl,price\nQQQ,1\n")
    assert [(p.code, str(p.where)) for p in found] == [
        ("unknown-column", "p.csv row 1, column symbl"),
        ("missing", "p.csv row 1, column symbol"),
    ]
    assert "did you mean symbol?" in str(found[0].message)


def test_every_problem_of_a_file_is_reported_at_once() -> None:
    assert [str(p.where) for p in errors(HEAD + "QQQ,x,XXX,never\nSPY,-1,,2026-11-20\n")] == [
        "p.csv row 2, column price",
        "p.csv row 2, column currency",
        "p.csv row 2, column as_of",
        "p.csv row 3, column price",
    ]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1989-12-31T10:00"])
def test_a_price_of_another_age_is_refused(day: str) -> None:
    (problem,) = errors(HEAD + f"VTI,341,USD,{day}\n")
    assert (problem.code, str(problem.where)) == ("out-of-range", "p.csv row 2, column as_of")
