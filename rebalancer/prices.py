"""Where a plan's prices come from: the portfolio file, then a price file, then the sources on the network.

The bundled samples (`rebalancer.samples`) are for the demonstration alone: a plan never falls back on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.errors import Problem
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.valuation import priced_symbols

Quotes = tuple[Mapping[str, Quote], tuple[Problem, ...]]


def quotes_for(prices: Path | None) -> Quotes:
    """Return the quotes of the price file, by symbol, and every problem found in it; none without a file."""
    if prices is None:
        return {}, ()
    from engine.market.prices_csv import parse_prices

    try:
        raw = prices.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message, ko = f"cannot be read ({reason}): name another file", f"읽을 수 없습니다({reason}): 다른 파일을 쓰세요"
        return {}, (Problem("error", "file-unreadable", str(prices), message, ko),)
    return parse_prices(raw, str(prices))


def live_quotes_for(
    portfolio: Portfolio,
    given: Mapping[str, Quote],
    *,
    offline: bool = False,
    interactive: bool = False,
    book: Path | None = None,
) -> Quotes:
    """Return the given quotes and, for prices and rates that neither they nor the portfolio have, the sources' ones.

    `offline` takes what is stored and asks nobody; `interactive` waits only as long as a cell may. What could not be
    had is a warning here: whether a plan can do without it, the plan says. What `offline` is not stored is taken from
    the workbook `book`, where that has it.
    """
    needed = wanted_symbols(portfolio, given)
    if not needed:
        return given, ()
    from engine.market import chain

    deadline = chain.default().settings.interactive_deadline if interactive else None
    batch = chain.quotes(needed, offline=offline, deadline=deadline)
    own: dict[str, Quote] = {}
    notes: tuple[Problem, ...] = ()
    if offline and book and batch.failed:
        from rebalancer.book_prices import prices_in, said

        found = prices_in(book)
        own = {symbol: found[symbol] for symbol in batch.failed if symbol in found}
        notes = said(own, book)
    failed = tuple(
        Problem("warning", "price-source", f"price of {symbol}", str(error), error.ko)
        for symbol, error in batch.failed.items()
        if symbol not in own
    )
    return {**own, **batch.ok, **given}, (*batch.problems, *notes, *failed)


def wanted_symbols(portfolio: Portfolio, given: Mapping[str, Quote] | None = None) -> list[str]:
    """Return the instruments and currency pairs that a plan asks the sources for, beside the given quotes."""
    given = given or {}
    return [*_prices_needed(portfolio, given), *_rates_needed(portfolio, given)]


def _prices_needed(portfolio: Portfolio, given: Mapping[str, Quote]) -> Iterator[str]:
    manual = {holding.symbol for holding in portfolio.holdings if holding.price is not None}
    needed = priced_symbols(portfolio)
    return (symbol for symbol in portfolio.symbols if symbol in needed and symbol not in manual and symbol not in given)


def _rates_needed(portfolio: Portfolio, given: Mapping[str, Quote]) -> Iterator[str]:
    from engine.market.symbols import usual_pair

    base = portfolio.base_currency
    for currency in portfolio.currencies:
        pairs = {currency + base, base + currency}
        if currency != base and not pairs & (portfolio.fx.keys() | given.keys()):
            yield usual_pair(currency, base)
