"""What the shape of a code says: a Korean or a US listing, a currency pair, or zeros lost on the way."""

from __future__ import annotations

import re
import unicodedata

from engine.money import MINOR_DIGITS

_KR = re.compile(r"[0-9][0-9A-Z]{5}")  # alphanumeric since the 2024 reform of the codes
_US = re.compile(r"[A-Z]{1,5}(?:[.\-/][A-Z])?")
_CURRENCY_OF = {"KR": "KRW", "US": "USD"}
_MARKET_OF = {"KRW": "KR", "USD": "US"}


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


def pair(text: str) -> tuple[str, str] | None:
    """Return the two currencies of a pair such as USDKRW, or None; raises nothing."""
    first, second = text[:3], text[3:]
    return (first, second) if first in MINOR_DIGITS and second in MINOR_DIGITS and first != second else None


def lost_zeros(text: str) -> str | None:
    """Return the six-digit code that a shorter run of digits was before a spreadsheet dropped its zeros, or None."""
    return text.zfill(6) if text.isascii() and text.isdigit() and len(text) < 6 else None


def undecorated(text: str) -> str | None:
    """Return the Korean code inside a broker's or vendor's form (A005930, 005930.KS), or None."""
    match = re.fullmatch(r"A?([0-9][0-9A-Z]{5})(?:\.K[SQ])?", text.strip().upper())
    return match[1] if match and match[1] != text.strip().upper() else None
