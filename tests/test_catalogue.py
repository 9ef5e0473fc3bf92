"""The bundled catalogue: what is in it, and how instruments are found."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from importlib import resources

import pytest

from engine.costs.table import account_rules
from engine.goals import ClassTree
from engine.market import catalogue
from engine.market.catalogue import (
    Catalogue,
    CatalogueEntry,
    canonical,
    currency_of_market,
    lost_zeros,
    pair,
    shape,
    type_in_name,
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
        for name in (
            instrument.symbol,
            instrument.name,
            instrument.name_en,
            *entry.aliases,
            entry.isin or instrument.symbol,
        ):
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
    funds = [entry for entry in ENTRIES if entry.index.endswith("Select Sector") and entry.instrument.leverage == 1]
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


def test_the_commonest_funds_are_there() -> None:
    funds = [entry.instrument for entry in ENTRIES if entry.instrument.asset_type == "etf"]
    assert sum(one.market == "US" for one in funds) >= 300
    assert sum(one.market == "KR" for one in funds) >= 150
    asked = """
        VXUS VT BNDX VEA VWO SCHB AVUV SMH SGOV BIL AOR QQQM JEPI SPYM 488770 379780 411060 402970 0072R0
    """
    assert [symbol for symbol in asked.split() if catalogue.load().get(symbol) is None] == []


def _check_digit(isin: str) -> int:
    """Luhn over the letters as two digits each (ISO 6166), written apart from the product's own."""
    digits = [int(digit) for sign in isin[:-1] for digit in str(int(sign, 36))][::-1]
    return -sum(digit * 2 // 10 + digit * 2 % 10 if at % 2 == 0 else digit for at, digit in enumerate(digits)) % 10


def _cusip_digit(cusip: str) -> int:
    values = [int(sign, 36) * (1 + at % 2) for at, sign in enumerate(cusip[:8])]
    return -sum(value // 10 + value % 10 for value in values) % 10


def test_every_isin_has_its_check_digit_and_is_the_code_s() -> None:
    isins = [entry.isin for entry in ENTRIES if entry.isin]
    assert len(isins) == len(set(isins))
    for entry in ENTRIES:
        isin, one = entry.isin, entry.instrument
        if one.market == "KR":
            assert isin[:-1] == f"KR7{one.symbol}00", one
        if isin:
            assert isin[-1] == str(_check_digit(isin)), one
        if isin and one.market == "US":
            assert isin[:2] == "US", one
            assert isin[10] == str(_cusip_digit(isin[2:11])), one


@pytest.mark.parametrize(
    ("isin", "symbol"),
    [
        ("US78462F1030", "SPY"),
        ("us9219097683", "VXUS"),
        ("US0846707026", "BRK.B"),
        ("KR7069500007", "069500"),
        ("KR70072R0006", "0072R0"),
    ],
)
def test_isin_finds_its_instrument(isin: str, symbol: str) -> None:
    found = catalogue.load().find(isin)
    assert found is not None
    assert found.symbol == symbol


@pytest.mark.parametrize(
    ("isin", "code"), [("KR7005931001", "005935"), ("KR7005382007", "005387"), ("KR7005383005", "005389")]
)
def test_isin_of_a_preferred_share_is_its_code(isin: str, code: str) -> None:
    assert undecorated(isin) == code


def test_hedged_funds_say_so_in_their_name() -> None:
    for entry in ENTRIES:
        if entry.instrument.market == "KR" and entry.hedged is not None:
            assert entry.hedged == ("H)" in entry.instrument.name), entry


def test_a_fee_of_the_new_rows_has_its_year() -> None:
    assert {entry.fee_as_of for entry in ENTRIES} == {"", "2025"}
    assert all(entry.instrument.expense_ratio for entry in ENTRIES if entry.fee_as_of)


def test_exposures_are_of_known_funds_and_classes_and_sum_to_one() -> None:
    tree = catalogue.asset_classes()
    assert all(one.within in tree for one in tree.values() if one.within)
    for symbol, shares in catalogue.exposures().items():
        entry = catalogue.load().get(symbol)
        assert entry is not None
        assert entry.instrument.leverage == 1, symbol
        assert sum(one.share for one in shares) == 1, symbol
        assert all(one.asset_class in tree and one.source for one in shares), symbol
        assert len({one.asset_class for one in shares}) == len(shares), symbol


def test_exposure_agrees_with_the_class_of_the_instrument() -> None:
    tree = ClassTree()
    widest = {"equity": {"equity", "real estate"}, "bond": {"bond", "cash"}, "cash": {"cash"}}
    widest |= {"commodity": {"commodity", "gold", "crypto", "currency"}, "mixed": {"equity", "bond"}}
    for symbol, shares in catalogue.exposures().items():
        entry = catalogue.load().get(symbol)
        assert entry is not None
        assert {tree.line(one.asset_class)[-1] for one in shares} <= widest[entry.instrument.asset_class or ""], symbol


@pytest.mark.parametrize(
    ("name", "market", "asset_type"),
    [
        ("TIGER 새이름액티브", "KR", "etf"),
        ("kodex 미국 무엇", "KR", "etf"),
        ("삼성 레버리지 WTI원유 선물 ETN", "KR", "etn"),
        ("Vanguard FTSE All-World UCITS ETF", "OTHER", "etf"),
        ("삼성전자", "KR", None),
        ("ACE", "KR", None),
        ("Ace Global Business Acquisition", "US", None),
        ("", "KR", None),
    ],
)
def test_a_name_may_say_that_it_is_a_fund(name: str, market: str, asset_type: str | None) -> None:
    assert type_in_name(name, market) == asset_type
