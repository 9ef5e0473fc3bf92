"""The bundled table of instruments: codes, names in Korean and English, ISIN, market, currency, type, fee, leverage.

Rows are data (`catalogue.csv`): `source` says what code and name were checked against, `verified` whether they were,
`checked_on` when; `fee_as_of` is the year of the fee. A cell that nobody is sure of is empty. `exposures.csv` says
which asset classes a fund holds, `wrong_codes.csv` lists codes that circulate under another fund's name.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from engine.money import MINOR_DIGITS
from engine.portfolio import Instrument
from engine.text import fold

_YES_NO = {"yes": True, "no": False}  # an empty cell is None: not known


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One row of the catalogue: the instrument, and what analyses want to know besides.

    `sector` is a GICS sector (of a stock, or of a fund of one sector), `index` the index followed, `total_return`
    whether the fund keeps its dividends, `hedged` whether it is hedged into its own currency (None: not known),
    `fee_as_of` the year of which its expense ratio is, "" where not known.
    """

    instrument: Instrument
    aliases: tuple[str, ...] = ()
    isin: str = ""
    exchange: str = ""
    index: str = ""
    total_return: bool | None = None
    hedged: bool | None = None
    fee_as_of: str = ""
    sector: str = ""
    source: str = ""
    verified: bool = False
    checked_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class WrongCode:
    """A code that circulates for a fund it does not belong to; `actual_name` is "" where not known."""

    code: str
    circulates_as: str
    right_code: str
    actual_name: str
    source: str
    checked_on: dt.date


@dataclass(frozen=True, slots=True)
class ClassShare:
    """A share of a fund that is in one asset class of `asset_classes.csv` (`US equity`); `as_of` where it moves."""

    symbol: str
    asset_class: str
    share: Decimal
    as_of: dt.date | None
    source: str


@dataclass(frozen=True, slots=True)
class AssetClass:
    """One class of `asset_classes.csv`: its name, the wider class it is in ("" for the widest), and other names.

    `path` is how it was written before classes had names (`equity/us`), still understood.
    """

    name: str
    within: str
    path: str
    korean: str
    aliases: tuple[str, ...] = ()

    def called(self, lang: str) -> str:
        """Return the name in a language."""
        return self.korean if lang == "ko" else self.name


class Catalogue:
    """The instruments that are known, by code, ISIN, Korean or English name, or alias.

    Case, spaces and character width do not matter.
    """

    def __init__(self, entries: tuple[CatalogueEntry, ...], wrong_codes: tuple[WrongCode, ...] = ()) -> None:
        self._entries = {entry.instrument.symbol: entry for entry in entries}
        self._wrong = {row.code: row for row in wrong_codes}
        self._symbols: dict[str, str] = {}
        for entry in entries:
            for name in (entry.instrument.name, entry.instrument.name_en, *entry.aliases, entry.isin):
                if name:
                    self._add(name, entry.instrument.symbol)

    def _add(self, name: str, symbol: str) -> None:
        if self._symbols.setdefault(fold(name), symbol) != symbol:
            raise ValueError(f"catalogue: {name} names both {self._symbols[fold(name)]} and {symbol}")

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, symbol: str) -> CatalogueEntry | None:
        """Return the entry of exactly this code, or None."""
        return self._entries.get(symbol)

    def entry(self, text: str) -> CatalogueEntry | None:
        """Return the entry whose code, ISIN, name or alias the text is, or None."""
        found = self._entries.get(text) or self._entries.get(canonical(text))
        if found is None and (symbol := self._symbols.get(fold(text))):
            found = self._entries[symbol]
        return found

    def find(self, text: str) -> Instrument | None:
        """Return the instrument whose code, ISIN, name or alias the text is, or None."""
        found = self.entry(text)
        return found.instrument if found else None

    def suggest(self, text: str, count: int = 3) -> tuple[str, ...]:
        """Return the entries named most like the text, nearest first, each as `name (code)`."""
        keys = {**{fold(symbol): symbol for symbol in self._entries}, **self._symbols}
        near = difflib.get_close_matches(fold(text), keys, n=4 * count, cutoff=0.55)
        symbols = list(dict.fromkeys(keys[key] for key in near))[:count]
        return tuple(f"{self._entries[symbol].instrument.name} ({symbol})" for symbol in symbols)

    def wrong_code(self, code: str) -> WrongCode | None:
        """Return what is known of a code that circulates under the wrong name, or None."""
        return self._wrong.get(code)


@lru_cache(maxsize=1)
def load() -> Catalogue:
    """Return the bundled catalogue, read once."""
    return Catalogue(
        tuple(_entry(row) for row in _rows("catalogue.csv")),
        tuple(_wrong_code(row) for row in _rows("wrong_codes.csv")),
    )


@lru_cache(maxsize=1)
def exposures() -> Mapping[str, tuple[ClassShare, ...]]:
    """Return which asset classes a fund holds, by its code; the shares of a fund sum to 1.

    Only funds of which it is common knowledge: another's exposure is not known. One of which only `equity` is said says
    no more than that.
    """
    found: dict[str, list[ClassShare]] = {}
    for row in _rows("exposures.csv"):
        as_of = dt.date.fromisoformat(row["as_of"]) if row["as_of"] else None
        one = ClassShare(row["symbol"], row["class"], Decimal(row["share"]), as_of, row["source"])
        found.setdefault(one.symbol, []).append(one)
    return {symbol: tuple(shares) for symbol, shares in found.items()}


@lru_cache(maxsize=1)
def asset_classes() -> Mapping[str, AssetClass]:
    """Return the tree of asset classes by name."""
    found = (
        AssetClass(row["class"], row["within"], row["path"], row["korean"], tuple(_listed(row["aliases"])))
        for row in _rows("asset_classes.csv")
    )
    return {one.name: one for one in found}


@lru_cache(maxsize=1)
def class_names() -> Mapping[str, str]:
    """Return the class that each form of a name, path or alias means."""
    return {
        class_form(word): one.name
        for one in asset_classes().values()
        for word in (one.name, one.path, one.korean, *one.aliases)
    }


def class_form(text: str) -> str:
    """Return the form in which two spellings of a class are equal: `us_equity` is `US equity`."""
    return fold(text).replace("_", "").replace("-", "")


def class_named(text: str) -> str | None:
    """Return the name of the class that a text means: its name in either language, its path, an alias; else None."""
    return class_names().get(class_form(text))


def _listed(text: str) -> list[str]:
    return [word for word in text.split("|") if word]


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("engine.market").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _entry(row: dict[str, str]) -> CatalogueEntry:
    instrument = Instrument(
        symbol=row["symbol"],
        name=row["name"],
        market=row["market"],
        currency=row["currency"],
        asset_type=row["asset_type"],
        name_en=row["name_en"],
        expense_ratio=Decimal(row["expense_ratio"]) if row["expense_ratio"] else None,
        leverage=Decimal(row["leverage"] or "1"),
        asset_class=row["asset_class"] or None,
        futures=row["futures"] == "yes",
        taxed_as_dividend=_YES_NO.get(row["taxed_as_dividend"]),
    )
    return CatalogueEntry(
        instrument=instrument,
        aliases=tuple(alias for alias in row["aliases"].split("|") if alias),
        isin=row["isin"],
        exchange=row["exchange"],
        index=row["index"],
        total_return=_YES_NO.get(row["total_return"]),
        hedged=_YES_NO.get(row["hedged"]),
        fee_as_of=row["fee_as_of"],
        sector=row["sector"],
        source=row["source"],
        verified=row["verified"] == "yes",
        checked_on=dt.date.fromisoformat(row["checked_on"]) if row["checked_on"] else None,
    )


def _wrong_code(row: dict[str, str]) -> WrongCode:
    return WrongCode(
        code=row["code"],
        circulates_as=row["circulates_as"],
        right_code=row["right_code"],
        actual_name=row["actual_name"],
        source=row["source"],
        checked_on=dt.date.fromisoformat(row["checked_on"]),
    )


@lru_cache(maxsize=1)
def _fund_names() -> tuple[Mapping[str, str], ...]:
    return tuple(row | {"word": row["word"].upper()} for row in _rows("fund_names.csv"))


def type_in_name(name: str, market: str) -> str | None:
    """Return the asset type that a name says: by its fund's brand (first word), or a word such as ETF; else None.

    A Korean brand counts in Korea alone: elsewhere TIGER or ACE begin the names of companies.
    """
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", name).upper())
    for row in _fund_names():
        among = words if row["where"] == "word" else words[:1] if len(words) > 1 else []
        if row["word"] in among and row["market"] in ("", market):
            return row["asset_type"]
    return None


_KR = re.compile(r"[0-9][0-9A-Z]{5}")  # alphanumeric since the 2024 reform of the codes
#: A class of shares has a letter of its own; F, L, T and V after a point are Frankfurt, London, Tokyo and Toronto.
_US = re.compile(r"[A-Z]{1,5}(?:\.[A-EG-KM-SUW-Z]|[\-/][A-Z])?")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_KR_ISIN = re.compile(r"KR[A-Z0-9]([0-9][0-9A-Z]{5})[0-9A-Z]{2}[0-9]")
#: The sixth sign of a preferred share's ISIN, and of its code: KR7005931001 is 005935.
_PREFERRED = {"1": "5", "2": "7", "3": "9"}
_CURRENCY_OF = {"KR": "KRW", "US": "USD"}
_MARKET_OF = {"KRW": "KR", "USD": "US"}
#: Currencies in the order in which a pair names them: rates the other way round have too few digits to be money.
_FIRST = (
    "EUR", "GBP", "AUD", "NZD", "USD", "CAD", "CHF", "SGD", "BRL", "ILS", "PLN", "MYR", "DKK", "CNY", "HKD", "SEK",
    "NOK", "ZAR", "MXN", "CZK", "TWD", "THB", "TRY", "PHP", "INR", "JPY", "HUF", "KRW", "IDR", "VND",
)  # fmt: skip
#: The Korean exchanges' suffixes at Yahoo; an exchange that is not known is asked under both.
_SUFFIXES = {"KOSPI": (".KS",), "KOSDAQ": (".KQ",)}


#: Prices in hundredths, by the name that sources give the unit: its currency and what one unit of it is.
_MINOR = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ZAC": "ZAR", "ILA": "ILS", "USX": "USD", "EUX": "EUR"}


@dataclass(frozen=True, slots=True)
class Listing:
    """One thing that has a price, as the sources are asked for it.

    `market` is KR, US, FX or OTHER; `currency` the one its price must come in, None where only the source can say;
    `exchange` is empty where not known. `optional` says that a source need not make a request for it alone: its price
    is wanted as a second opinion.
    """

    symbol: str
    market: str
    currency: str | None = None
    name: str = ""
    exchange: str = ""
    optional: bool = False

    @property
    def yahoo(self) -> tuple[str, ...]:
        """Return the names under which Yahoo may know it, likeliest first."""
        if self.market == "KR":
            return tuple(self.symbol + suffix for suffix in _SUFFIXES.get(self.exchange, (".KS", ".KQ")))
        if self.market == "FX":
            return (f"{self.symbol.removeprefix('USD')}=X",)
        if self.market == "US":
            return (self.symbol.replace(".", "-"),)
        return (self.symbol,)


def canonical(text: str) -> str:
    """Return a code as we write it: one width, no surrounding space; listed codes in capitals, BRK-B as BRK.B.

    A code of no known shape (a fund of one's own) keeps its spelling.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    upper = text.upper()
    if _KR.fullmatch(upper):
        return upper
    return re.sub(r"[-/]", ".", upper) if _US.fullmatch(upper) else text


def shape(symbol: str) -> str | None:
    """Return the market (KR or US) whose codes look like this one, or None."""
    if _KR.fullmatch(symbol):
        return "KR"
    return "US" if _US.fullmatch(symbol) else None


def currency_of_market(market: str | None) -> str | None:
    """Return the currency that a market trades in, where it has one."""
    return _CURRENCY_OF.get(market or "")


def market_of_currency(currency: str) -> str:
    """Return the market that an instrument in this currency is taken to be of, where nothing else is said."""
    return _MARKET_OF.get(currency, "OTHER")


def major(unit: str) -> tuple[str, Decimal]:
    """Return the currency of a price's unit, and how much of it one unit is: GBp is 0.01 GBP, GBP 1 GBP."""
    return (_MINOR[unit], Decimal("0.01")) if unit in _MINOR else (unit, Decimal(1))


def pair(text: str) -> tuple[str, str] | None:
    """Return the two currencies of a pair such as USDKRW, or None; raises nothing."""
    first, second = text[:3], text[3:]
    return (first, second) if first in MINOR_DIGITS and second in MINOR_DIGITS and first != second else None


def lost_zeros(text: str) -> str | None:
    """Return the six-digit code that a shorter run of digits was before a spreadsheet dropped its zeros, or None."""
    return text.zfill(6) if text.isascii() and text.isdigit() and len(text) < 6 else None


def undecorated(text: str) -> str | None:
    """Return the Korean code inside a broker's or vendor's form (A005930, Q530031, 005930.KS) or an ISIN, or None."""
    plain = text.strip().upper()
    if (isin := _KR_ISIN.fullmatch(plain)) and is_isin(plain):
        return isin[1][:5] + _PREFERRED.get(isin[1][5], isin[1][5])
    match = re.fullmatch(r"[AQ]?([0-9][0-9A-Z]{5})(?:\.K[SQ])?", plain)
    return match[1] if match and match[1] != text.strip().upper() else None


def is_isin(text: str) -> bool:
    """Tell whether a text is an ISIN: its last digit is that of the others (ISO 6166: Luhn, letters as two digits)."""
    if not _ISIN.fullmatch(text):
        return False
    digits = "".join(str(int(sign, 36)) for sign in text)
    total = sum(sum(divmod(int(digit) * (1 + at % 2), 10)) for at, digit in enumerate(reversed(digits)))
    return total % 10 == 0


def usual_pair(one: str, other: str) -> str:
    """Return the pair of two currencies as the markets quote it: USDKRW, never KRWUSD."""
    return "".join(sorted((one, other), key=lambda currency: (*_FIRST, currency).index(currency)))
