"""What the shape of a code says: a Korean or a US listing, a currency pair, or zeros lost on the way."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from engine.money import MINOR_DIGITS

_KR = re.compile(r"[0-9][0-9A-Z]{5}")  # alphanumeric since the 2024 reform of the codes
#: A class of shares has a letter of its own; F, L, T and V after a point are Frankfurt, London, Tokyo and Toronto.
_US = re.compile(r"[A-Z]{1,5}(?:\.[A-EG-KM-SUW-Z]|[\-/][A-Z])?")
_KR_ISIN = re.compile(r"KR[A-Z0-9]([0-9][0-9A-Z]{5})[0-9A-Z]{2}[0-9]")
_CURRENCY_OF = {"KR": "KRW", "US": "USD"}
_MARKET_OF = {"KRW": "KR", "USD": "US"}
#: Currencies in the order in which a pair names them: rates the other way round have too few digits to be money.
_FIRST = ("EUR", "GBP", "AUD", "USD", "CAD", "CHF", "SGD", "CNY", "HKD", "TWD", "JPY", "KRW", "VND")
#: The Korean exchanges' suffixes at Yahoo; an exchange that is not known is asked under both.
_SUFFIXES = {"KOSPI": (".KS",), "KOSDAQ": (".KQ",)}


#: Prices in hundredths, by the name that sources give the unit: its currency and what one unit of it is.
_MINOR = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ILA": "ILS"}


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
    if (isin := _KR_ISIN.fullmatch(plain)) and _is_isin(plain):
        return isin[1]
    match = re.fullmatch(r"[AQ]?([0-9][0-9A-Z]{5})(?:\.K[SQ])?", plain)
    return match[1] if match and match[1] != text.strip().upper() else None


def _is_isin(text: str) -> bool:
    """Tell whether the last digit of an ISIN is that of the others (ISO 6166: Luhn over letters as two digits)."""
    digits = "".join(str(int(sign, 36)) for sign in text)
    total = sum(sum(divmod(int(digit) * (1 + at % 2), 10)) for at, digit in enumerate(reversed(digits)))
    return total % 10 == 0


def usual_pair(one: str, other: str) -> str:
    """Return the pair of two currencies as the markets quote it: USDKRW, never KRWUSD."""
    return "".join(sorted((one, other), key=lambda currency: (*_FIRST, currency).index(currency)))
