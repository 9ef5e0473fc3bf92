"""What the codes and names that people write mean: from the catalogue, else from a source's list of ETFs."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from engine.errors import MarketDataError, SymbolUnknown
from engine.market.catalogue import (
    Catalogue,
    Listing,
    canonical,
    currency_of_market,
    is_isin,
    lost_zeros,
    pair,
    shape,
    undecorated,
    usual_pair,
)
from engine.market.provider import Deadline
from engine.market.store import Store
from engine.phrase import phrase

_LOG = logging.getLogger(__name__)
#: Seconds between two fetches of the list of ETFs.
LIST_AGE = 86400.0
_PAIR = re.compile(r"([A-Z]{3})[/ ]?([A-Z]{3})(?:=X)?")
_YAHOO_RATE = re.compile(r"([A-Z]{3})=X")
_ELSEWHERE = re.compile(r"\^[A-Z0-9]{2,10}|[A-Z0-9][A-Z0-9\-]{0,11}\.[A-Z]{1,3}")


class Meanings:
    """The meanings of codes and names, each looked up once; `etfs` fetches a source's list, where there is one."""

    def __init__(
        self, store: Store, catalogue: Catalogue, etfs: Callable[[Deadline], Iterable[Listing]] | None
    ) -> None:
        self._store, self._catalogue, self._etfs = store, catalogue, etfs
        self._known: dict[str, Listing] = {}

    def listing(self, text: str) -> Listing:
        """Return what a code or name means; raises SymbolUnknown."""
        if text not in self._known:
            self._known[text] = resolve(text, self._catalogue, self._store.listed)
        return self._known[text]

    def several(self, texts: Iterable[str]) -> tuple[dict[str, Listing], dict[str, MarketDataError]]:
        """Return what each code or name means, and an error for each that means nothing."""
        listings: dict[str, Listing] = {}
        failed: dict[str, MarketDataError] = {}
        for text in dict.fromkeys(texts):
            try:
                listings[text] = self.listing(text)
            except SymbolUnknown as error:
                failed[text] = error
        return listings, failed

    def extended(
        self, texts: Iterable[str], now: dt.datetime, deadline: Deadline
    ) -> tuple[dict[str, Listing], dict[str, MarketDataError]]:
        """Return the same, and fetch the list of Korean ETFs, once a day, where a name is not in the catalogue."""
        texts = list(texts)
        listings, failed = self.several(texts)
        return self.several(texts) if failed and self._extend(now, deadline) else (listings, failed)

    def forget(self) -> None:
        """Forget every meaning: it is looked up again."""
        self._known = {}

    def _extend(self, now: dt.datetime, deadline: Deadline) -> bool:
        age = self._store.listings_age(now)
        if self._etfs is None or (age is not None and 0 <= age < LIST_AGE):
            return False
        try:
            self._store.put_listings(self._etfs(Deadline(deadline.left / 2)), now)
        except MarketDataError as error:
            _LOG.info("no list of ETFs: %s", error)
            return False  # the name stays unknown, and the error already names the nearest ones
        self.forget()
        return True


def resolve(text: str, catalogue: Catalogue, listed: Callable[[str], Listing | None] = lambda _: None) -> Listing:
    """Return the listing that a code, pair or catalogue name means; raises SymbolUnknown, with the nearest names.

    `listed` finds what the sources' own lists know, by code or name, where the catalogue does not.
    """
    entry = catalogue.entry(text) or catalogue.entry(undecorated(text) or "")
    if entry is not None:
        one = entry.instrument
        return Listing(one.symbol, one.market, one.currency, one.name, entry.exchange)
    code = canonical(undecorated(text) or text)
    known = listed(code)
    if known is not None:
        return known
    if currencies := _pair(code.upper()):
        usual = usual_pair(*currencies)
        return Listing(usual, "FX", usual[3:])
    market = shape(code)
    if market is not None:
        return _suffixed(Listing(code, market, currency_of_market(market)), text)
    if _ELSEWHERE.fullmatch(code.upper()):
        return Listing(code.upper(), "OTHER")
    if restored := lost_zeros(text):
        hint = phrase("hint.lost-zeros", code=restored)
    elif is_isin(text.strip().upper()):
        hint = phrase("hint.isin")
    else:
        near = catalogue.suggest(text)
        hint = phrase("hint.nearest", near=near) if near else phrase("hint.nothing-near")
    raise SymbolUnknown(phrase("source.no-meaning", text=text, hint=hint), symbol=text)


def inverse_pair(text: str) -> str | None:
    """Return the pair that a text names where the markets quote it the other way round (KRWUSD), else None."""
    found = _pair(canonical(text).upper())
    return found[0] + found[1] if found and usual_pair(*found) != found[0] + found[1] else None


def _pair(code: str) -> tuple[str, str] | None:
    if match := _YAHOO_RATE.fullmatch(code):
        return pair("USD" + match[1])
    match = _PAIR.fullmatch(code)
    return pair(match[1] + match[2]) if match else None


def _suffixed(listing: Listing, text: str) -> Listing:
    """Keep what a person's .KS or .KQ says about the exchange."""
    exchange = {".KS": "KOSPI", ".KQ": "KOSDAQ"}.get(text.strip().upper()[-3:], "")
    return replace(listing, exchange=exchange) if listing.market == "KR" else listing
