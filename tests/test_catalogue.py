"""The bundled catalogue: what is in it, and how instruments are found."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from importlib import resources

import pytest

from engine.costs.table import account_rules
from engine.market import catalogue
from engine.market.catalogue import (
    Catalogue,
    CatalogueEntry,
    canonical,
    currency_of_market,
    lost_zeros,
    pair,
    shape,
    undecorated,
)
from engine.money import MINOR_DIGITS
from engine.portfolio import ACCOUNT_TYPES, ASSET_TYPES, MARKETS, TRAITS, Instrument
from engine.text import fold

ENTRIES = tuple(catalogue.load())
SECTORS = {
    "Communication Services",
    "Consumer Discretionary",
    "Consumer Staples",
    "Energy",
    "Financials",
    "Health Care",
    "Industrials",
    "Information Technology",
    "Materials",
    "Real Estate",
    "Utilities",
}
#: Names of the model portfolios, with their codes.
MODELS = {
    "KODEX 미국S&P500TR": "379800",
    "KODEX 200": "069500",
    "TIGER 미국채10년선물": "305080",
    "KODEX 종합채권": "273130",
    "KODEX 종합채권(AA-이상)액티브": "273130",
    "TIGER 금은선물(H)": "139320",
    "TIGER 미국배당다우존스": "458730",
    "TIGER 미국S&P500": "360750",
    "TIGER 미국나스닥100": "133690",
    "TIGER 반도체": "091230",
    "KODEX 2차전지산업": "305720",
    "TIGER Fn반도체TOP10": "396500",
    "TIGER 인도니프티50": "453870",
    "KODEX 인도Nifty50": "453810",
    "KODEX 미국채울트라30년선물(H)": "304660",
    "TIGER 원유선물Enhanced(H)": "130680",
    "TIGER 미국S&P500동일가중": "488500",
}
US_FUNDS = re.findall(
    r"\S+",
    """
    SPY RSP QQQ XLK SOXX ARKK TQQQ SOXL USMV QUAL MTUM SIZE VLUE XLB XLC XLE XLF XLI XLP XLRE XLU
    XLV XLY AGG BND TLT IEF GLD VTI VOO SCHD IVV
    """,
)
STOCKS = re.findall(
    r"\S+",
    """
    AAPL MSFT NVDA AMZN GOOGL GOOG META TSLA AVGO BRK.B JPM V XOM UNH JNJ WMT PG 005930 000660
    373220 207940 005380 000270 035420 035720 068270 005490 051910 006400 105560 012330
    """,
)


@pytest.mark.parametrize(("name", "code"), MODELS.items())
def test_name_of_a_model_portfolio_has_its_code(name: str, code: str) -> None:
    found = catalogue.load().find(name)
    assert found is not None
    assert found.symbol == code


@pytest.mark.parametrize("symbol", US_FUNDS + STOCKS)
def test_instrument_is_in_the_catalogue(symbol: str) -> None:
    entry = catalogue.load().get(symbol)
    assert entry is not None
    assert entry.instrument.market == shape(symbol)
    assert entry.instrument.asset_type == ("stock" if symbol in STOCKS else "etf")


def test_every_row_is_sound() -> None:
    for entry in ENTRIES:
        instrument = entry.instrument
        assert canonical(instrument.symbol) == instrument.symbol
        assert instrument.market in MARKETS, instrument
        assert shape(instrument.symbol) == instrument.market, instrument
        assert currency_of_market(instrument.market) == instrument.currency, instrument
        assert instrument.currency in MINOR_DIGITS, instrument
        assert instrument.asset_type in ASSET_TYPES, instrument
        assert instrument.asset_class in ("equity", "bond", "commodity", "cash", "mixed"), instrument
        assert instrument.name, instrument
        assert instrument.name_en, instrument
        assert instrument.expense_ratio is None or 0 < instrument.expense_ratio < Decimal("0.02"), instrument
        assert instrument.leverage in (1, 2, 3, -1, -2, -3), instrument
        assert entry.sector in SECTORS | {""}, entry
        assert bool(entry.sector) or instrument.asset_type != "stock", entry
        assert entry.source, entry
        assert entry.verified == (entry.checked_on is not None), entry


def test_every_name_of_a_row_finds_it() -> None:
    for entry in ENTRIES:
        instrument = entry.instrument
        for name in (instrument.symbol, instrument.name, instrument.name_en, *entry.aliases):
            assert catalogue.load().find(name) is instrument, name
            assert catalogue.load().find(f" {name.upper()} ") is instrument, name


def test_no_code_stands_twice() -> None:
    text = resources.files("engine.market").joinpath("catalogue.csv").read_text(encoding="utf-8")
    assert len(text.splitlines()) - 1 == len(ENTRIES)


def test_no_name_of_one_instrument_is_the_code_of_another() -> None:
    for entry in ENTRIES:
        for name in (entry.instrument.name, entry.instrument.name_en, *entry.aliases):
            other = catalogue.load().get(canonical(name))
            assert other is None or other is entry


def test_eleven_sector_funds_cover_the_eleven_sectors() -> None:
    funds = [entry for entry in ENTRIES if entry.index.endswith("Select Sector")]
    assert len(funds) == 11
    assert {entry.sector for entry in funds} == SECTORS


@pytest.mark.parametrize("text", ["brk-b", "BRK/B", "Brk.b", "ＢＲＫ．Ｂ", "버크셔해서웨이b", "Berkshire hathaway b"])
def test_case_width_spaces_and_class_marks_do_not_matter(text: str) -> None:
    found = catalogue.load().find(text)
    assert found is not None
    assert found.symbol == "BRK.B"


def test_decomposed_korean_finds_the_same() -> None:
    found = catalogue.load().find(unicodedata.normalize("NFD", "TIGER 반도체"))
    assert found is not None
    assert found.symbol == "091230"


@pytest.mark.parametrize("text", ["", "KODEX", "nothing like it", "TIGER"])
def test_part_of_a_name_finds_nothing(text: str) -> None:
    assert catalogue.load().find(text) is None


def test_nearest_name_is_suggested_first_with_its_code() -> None:
    assert catalogue.load().suggest("TIGER 미국 S&P 50")[0] == "TIGER 미국S&P500 (360750)"


def test_nothing_is_suggested_for_what_is_like_nothing() -> None:
    assert catalogue.load().suggest("가나다라마바사") == ()


def test_traits_of_leveraged_and_inverse_funds() -> None:
    traits = {
        symbol: entry.instrument.traits for symbol in ("TQQQ", "114800") if (entry := catalogue.load().get(symbol))
    }
    assert "leveraged" in traits["TQQQ"]
    assert "inverse" in traits["114800"]
    assert "leveraged" not in traits["114800"]


def test_wrong_codes_lead_to_instruments_of_the_catalogue() -> None:
    for code in ("443160", "453810"):
        wrong = catalogue.load().wrong_code(code)
        assert wrong is not None
        right = catalogue.load().find(wrong.circulates_as)
        assert right is not None
        assert right.symbol == wrong.right_code != code


def test_one_name_for_two_instruments_is_refused() -> None:
    pair_of_rows = (
        CatalogueEntry(Instrument("A", "Same", "US", "USD")),
        CatalogueEntry(Instrument("B", "sa me", "US", "USD")),
    )
    with pytest.raises(ValueError, match="names both A and B"):
        Catalogue(pair_of_rows)


def test_account_rules_cover_every_account_type() -> None:
    rules = account_rules()
    assert tuple(rules) == ACCOUNT_TYPES
    for rule in rules.values():
        assert set(rule.banned) <= set(TRAITS)
        assert set(rule.markets or ()) <= set(MARKETS)
        assert rule.source
    assert rules["irp"].risk_cap == Decimal("0.70")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("69500", "069500"), ("5930", "005930"), ("069500", None), ("QQQ", None), ("", None), ("６９５００", None)],
)
def test_lost_zeros_are_named(text: str, expected: str | None) -> None:
    assert lost_zeros(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("005930.KS", "005930"), ("A005930", "005930"), ("005930", None), ("QQQ", None), ("AAPL", None)],
)
def test_code_inside_a_vendors_form_is_found(text: str, expected: str | None) -> None:
    assert undecorated(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("USDKRW", ("USD", "KRW")), ("KRWKRW", None), ("MYFUND", None), ("USD", None), ("", None)]
)
def test_pair_is_two_known_currencies(text: str, expected: tuple[str, str] | None) -> None:
    assert pair(text) == expected


@pytest.mark.parametrize(
    ("text", "market"),
    [("069500", "KR"), ("0046Y0", "KR"), ("AAPL", "US"), ("BF.B", "US"), ("MYFUND", None), ("12345", None)],
)
def test_shape_of_a_code_names_its_market(text: str, market: str | None) -> None:
    assert shape(text) == market


def test_folding_makes_spellings_equal() -> None:
    assert fold("Ｔiger 미국 S&P500") == fold("TIGER미국s&p500")
