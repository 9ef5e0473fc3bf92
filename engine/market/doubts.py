"""What speaks against a price, or against its being the newest: problems that are shown beside it."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import Problem
from engine.market import calendars
from engine.market.lanes import Findings
from engine.market.listing import Listing
from engine.market.quote import Quote
from engine.settings import MarketSettings
from engine.text import fold


def about(one: Listing, quote: Quote, check: tuple[str, Quote] | None, settings: MarketSettings) -> list[Problem]:
    """Return what speaks against a price: another name than ours, or a second source that says otherwise."""
    problems = []
    if one.name and quote.name and not _same_name(one.name, quote.name):
        message = f"{quote.source} calls {one.symbol} {quote.name}, not {one.name}: is the code right?"
        problems.append(Problem("warning", "name-mismatch", one.symbol, message))
    if check is not None and _comparable(quote, check[1]):
        second = check[1]
        apart = abs(quote.price - second.price) / quote.price
        if apart > settings.cross_check:
            message = (
                f"{quote.source} says {quote.price} and {second.source} {second.price} {quote.currency}, "
                f"{apart:.1%} apart: compare with your broker, and give the price by hand if need be"
            )
            problems.append(Problem("warning", "sources-disagree", one.symbol, message))
    return problems


def unrefreshed(found: Findings, ok: Mapping[str, Quote], listings: Mapping[str, Listing]) -> list[Problem]:
    """Return one problem for each reason for which stored prices are shown instead of new ones."""
    reasons: dict[str, list[str]] = {}
    for text in ok:
        symbol = listings[text].symbol
        if symbol in found.errors and symbol not in found.prices:
            reasons.setdefault(str(found.error(symbol)), []).append(text)
    return [
        Problem("warning", "stored-price", ", ".join(texts), f"the stored price is shown: {message}")
        for message, texts in reasons.items()
    ]


def _comparable(first: Quote, second: Quote) -> bool:
    """Tell whether two sources' prices are of the same day at the exchange; older ones differ rightly."""
    if first.source == second.source or first.as_of is None or second.as_of is None or first.price <= 0:
        return False
    return calendars.local_date("KR", first.as_of) == calendars.local_date("KR", second.as_of)


def _same_name(ours: str, theirs: str) -> bool:
    first, second = fold(ours), fold(theirs)
    return first in second or second in first
