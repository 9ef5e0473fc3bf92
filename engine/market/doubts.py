"""What speaks against a price, or against its being the newest: problems that are shown beside it."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import Problem, warning
from engine.market import calendars
from engine.market.provider import Said
from engine.market.symbols import Listing
from engine.quote import Quote
from engine.settings import MarketSettings
from engine.text import fold


def about(one: Listing, quote: Quote, check: tuple[str, Quote] | None, settings: MarketSettings) -> list[Problem]:
    """Return what speaks against a price: another name than ours, or a second source that says otherwise."""
    problems = []
    if one.name and quote.name and not _same_name(one.name, quote.name):
        names = {"source": quote.source, "symbol": one.symbol, "theirs": quote.name, "ours": one.name}
        problems.append(warning("name-mismatch", one.symbol, **names))
    if check is not None and _comparable(quote, check[1]):
        second = check[1]
        apart = abs(quote.price - second.price) / quote.price
        if apart > settings.cross_check:
            problems.append(
                warning(
                    "sources-disagree",
                    one.symbol,
                    first=quote.source,
                    price=quote.price,
                    second=second.source,
                    other=second.price,
                    currency=quote.currency,
                    apart=apart,
                )
            )
    return problems


def unrefreshed(found: Said, ok: Mapping[str, Quote], listings: Mapping[str, Listing]) -> list[Problem]:
    """Return one problem for each reason for which stored prices are shown instead of new ones."""
    reasons: dict[object, list[str]] = {}
    for text in ok:
        symbol = listings[text].symbol
        if symbol in found.errors and symbol not in found.prices:
            reasons.setdefault(found.error(symbol).message, []).append(text)
    return [warning("stored-price", ", ".join(texts), error=error) for error, texts in reasons.items()]


def _comparable(first: Quote, second: Quote) -> bool:
    """Tell whether two sources' prices are of the same day at the exchange; older ones differ rightly."""
    if first.source == second.source or first.as_of is None or second.as_of is None or first.price <= 0:
        return False
    return calendars.local_date("KR", first.as_of) == calendars.local_date("KR", second.as_of)


def _same_name(ours: str, theirs: str) -> bool:
    first, second = fold(ours), fold(theirs)
    return first in second or second in first
