"""What a person's text means to the sources: which listing or currency pair, in which currency, under which names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.errors import SymbolUnknown
from engine.market import symbols
from engine.market.catalogue import Catalogue

#: Currencies in the order in which a pair names them: rates the other way round have too few digits to be money.
_FIRST = ("EUR", "GBP", "AUD", "USD", "CAD", "CHF", "SGD", "CNY", "HKD", "TWD", "JPY", "KRW", "VND")
#: The Korean exchanges' suffixes at Yahoo; an exchange that is not known is asked under both.
_SUFFIXES = {"KOSPI": (".KS",), "KOSDAQ": (".KQ",)}
_PAIR = re.compile(r"([A-Z]{3})[/ ]?([A-Z]{3})(?:=X)?")
_YAHOO_RATE = re.compile(r"([A-Z]{3})=X")
_ELSEWHERE = re.compile(r"\^[A-Z0-9]{2,10}|[A-Z0-9]{1,8}\.[A-Z]{1,3}")


@dataclass(frozen=True, slots=True)
class Listing:
    """Name one thing that has a price.

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


def resolve(text: str, catalogue: Catalogue, listed: Callable[[str], Listing | None] = lambda _: None) -> Listing:
    """Return the listing that a code, pair or catalogue name means; raises SymbolUnknown, with the nearest names.

    `listed` finds what the sources' own lists know, by code or name, where the catalogue does not.
    """
    entry = catalogue.entry(text) or catalogue.entry(symbols.undecorated(text) or "")
    if entry is not None:
        one = entry.instrument
        return Listing(one.symbol, one.market, one.currency, one.name, entry.exchange)
    code = symbols.canonical(symbols.undecorated(text) or text)
    known = listed(code)
    if known is not None:
        return known
    if currencies := _pair(code.upper()):
        return Listing(currencies[0] + currencies[1], "FX", currencies[1])
    market = symbols.shape(code)
    if market is not None:
        return _suffixed(Listing(code, market, symbols.currency_of_market(market)), text)
    if _ELSEWHERE.fullmatch(code.upper()):
        return Listing(code.upper(), "OTHER")
    near = ", ".join(catalogue.suggest(text))
    restored = symbols.lost_zeros(text)
    hint = f"did you mean {restored}? A spreadsheet drops leading zeros" if restored else f"nearest: {near or 'none'}"
    if restored:
        hint_ko = f"혹시 {restored}인가요? 스프레드시트는 앞의 0을 지웁니다"
    else:
        hint_ko = f"비슷한 이름: {near or '없음'}"
    message = f"{text!r} is neither a code nor a name in the catalogue ({hint})"
    raise SymbolUnknown(message, ko=f"종목코드도 종목 목록의 이름도 아닌 {text!r} ({hint_ko})", symbol=text)


def usual_pair(one: str, other: str) -> str:
    """Return the pair of two currencies as the markets quote it: USDKRW, never KRWUSD."""
    return "".join(sorted((one, other), key=lambda currency: (*_FIRST, currency).index(currency)))


def _pair(code: str) -> tuple[str, str] | None:
    if match := _YAHOO_RATE.fullmatch(code):
        return symbols.pair("USD" + match[1])
    match = _PAIR.fullmatch(code)
    return symbols.pair(match[1] + match[2]) if match else None


def _suffixed(listing: Listing, text: str) -> Listing:
    """Keep what a person's .KS or .KQ says about the exchange."""
    exchange = {".KS": "KOSPI", ".KQ": "KOSDAQ"}.get(text.strip().upper()[-3:], "")
    return replace(listing, exchange=exchange) if listing.market == "KR" else listing
