"""What speaks against a price, or against its being the newest: problems that are shown beside it."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import Problem
from engine.market import calendars
from engine.market.lanes import Findings
from engine.market.listing import Listing
from engine.quote import Quote
from engine.settings import MarketSettings
from engine.text import fold


def about(one: Listing, quote: Quote, check: tuple[str, Quote] | None, settings: MarketSettings) -> list[Problem]:
    """Return what speaks against a price: another name than ours, or a second source that says otherwise."""
    problems = []
    if one.name and quote.name and not _same_name(one.name, quote.name):
        message = f"{quote.source} calls {one.symbol} {quote.name}, not {one.name}: is the code right?"
        ko = f"{quote.source}에서 {one.symbol} 이름은 {one.name} 아닌 {quote.name}입니다: 코드가 맞는지 확인하세요"
        problems.append(Problem("warning", "name-mismatch", one.symbol, message, ko))
    if check is not None and _comparable(quote, check[1]):
        second = check[1]
        apart = abs(quote.price - second.price) / quote.price
        if apart > settings.cross_check:
            message = (
                f"{quote.source} says {quote.price} and {second.source} {second.price} {quote.currency}, "
                f"{apart:.1%} apart: compare with your broker, and give the price by hand if need be"
            )
            ko = (
                f"{quote.source} {quote.price}, {second.source} {second.price} {quote.currency}: "
                f"{apart:.1%} 차이입니다. 증권사 가격과 비교하고, 필요하면 직접 적으세요"
            )
            problems.append(Problem("warning", "sources-disagree", one.symbol, message, ko))
    return problems


def unrefreshed(found: Findings, ok: Mapping[str, Quote], listings: Mapping[str, Listing]) -> list[Problem]:
    """Return one problem for each reason for which stored prices are shown instead of new ones."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for text in ok:
        symbol = listings[text].symbol
        if symbol in found.errors and symbol not in found.prices:
            error = found.error(symbol)
            reasons.setdefault((str(error), error.ko), []).append(text)
    return [
        Problem(
            "warning",
            "stored-price",
            ", ".join(texts),
            f"the stored price is shown: {message}",
            f"저장된 시세를 보입니다: {ko}",
        )
        for (message, ko), texts in reasons.items()
    ]


def _comparable(first: Quote, second: Quote) -> bool:
    """Tell whether two sources' prices are of the same day at the exchange; older ones differ rightly."""
    if first.source == second.source or first.as_of is None or second.as_of is None or first.price <= 0:
        return False
    return calendars.local_date("KR", first.as_of) == calendars.local_date("KR", second.as_of)


def _same_name(ours: str, theirs: str) -> bool:
    first, second = fold(ours), fold(theirs)
    return first in second or second in first
