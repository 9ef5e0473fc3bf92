"""Prices for a portfolio: its own, then a price file, then the sources on the network.

The bundled samples (`rebalancer.samples`) are for the demonstration alone: a plan never falls back on them.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, MarketDataError, Problem, Transient, error, warning
from engine.market.catalogue import usual_pair
from engine.phrase import Phrase, phrase, place
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.valuation import priced_symbols

if TYPE_CHECKING:
    from engine.market.catalogue import Listing
    from engine.market.quoting import QuoteBatch
    from templates.cells import Row

Quotes = tuple[Mapping[str, Quote], tuple[Problem, ...]]
#: Statuses of prices that a market gave: made-up ones are not planned on, own ones stand in the inputs.
_OF_A_MARKET = ("fresh", "stale")
_WAS_STALE = phrase("was-stale")
#: The most symbols that a sentence about several names.
NAMED = 6
#: The source of a price file's prices, and how far apart their day and the market's may be for one to judge the other.
PRICE_FILE, SAME_WEEK = "csv", dt.timedelta(days=5)
#: How far an accepted price may be from the one that is doubtful: it goes on moving.
ACCEPTED = Decimal("0.05")


def quotes(
    wanted: Portfolio | Iterable[str],
    *,
    prices: str | Path | None = None,
    offline: bool = False,
    refresh: bool = False,
    interactive: bool = False,
    accept: Mapping[str, Decimal] | None = None,
) -> QuoteBatch:
    """Return a quote, or the error in its place, for every symbol or everything that a portfolio's plan needs.

    A symbol is a code, a catalogue name or a pair such as USDKRW. `prices` is a price file (symbol, price, currency,
    as_of), which beats the sources; `offline` takes what is stored; `refresh` asks even where the store is fresh;
    `interactive` waits only as long as a cell may; `accept` are doubtful prices, by symbol, that a person has
    confirmed. Raises InputError for a price file that cannot be used or an accepted price that is another, nothing for
    market data: what could not be had is in `failed`.
    """
    from engine.market import chain
    from engine.market.quoting import QuoteBatch

    given, problems = quotes_in(Path(prices) if prices is not None else None)
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    if isinstance(wanted, Portfolio):
        found, more = quotes_for(
            wanted, given, offline=offline, refresh=refresh, interactive=interactive, accept=accept
        )
        return QuoteBatch(found, {}, 0, (*problems, *more))
    symbols = [symbol for symbol in dict.fromkeys(wanted) if symbol not in given]
    batch = chain.quotes(symbols, offline=offline, refresh=refresh, deadline=_deadline(interactive=interactive))
    ok, told = _accepted(batch.ok, accept or {})
    settled = {one.where.values["symbol"] for one in told if isinstance(one.where, Phrase)}
    rest = (one for one in batch.problems if not (one.code == "doubtful" and one.where in settled))
    return QuoteBatch({**given, **ok}, batch.failed, batch.requests, (*problems, *rest, *told))


def quoted(symbol: str, *, interactive: bool = False) -> Quote:
    """Return one symbol's quote; raises the MarketDataError that stands in its place."""
    batch = quotes([symbol], interactive=interactive)
    if symbol in batch.failed:
        raise batch.failed[symbol]
    return batch.ok[symbol]


def listed(text: str) -> Listing:
    """Return what a code or catalogue name means, which asks nobody; raises SymbolUnknown."""
    from engine.market import chain

    return chain.default().chain.listing(text)


def name_of(symbol: str) -> str | None:
    """Return an instrument's name in the catalogue, None where it is not there."""
    from engine.market.catalogue import load

    entry = load().get(symbol)
    return entry.instrument.name if entry else None


def watch(texts: Iterable[str]) -> None:
    """Let the next request bring what these codes, names and pairs mean too; unknown ones are left out."""
    from engine.market import chain

    chain.default().chain.watch(texts, dt.datetime.now(dt.UTC))


def _deadline(*, interactive: bool) -> float | None:
    """Return how many seconds to wait for the sources, None for as long as a command may."""
    from engine.market import chain

    return chain.default().settings.interactive_deadline if interactive else None


def quotes_in(prices: Path | None) -> Quotes:
    """Return the quotes of a price file, by symbol, and every problem found in it; none without a file."""
    if prices is None:
        return {}, ()
    from engine.data.files import read_beside
    from engine.data.prices import parse_prices

    try:
        return parse_prices(read_beside(prices), str(prices))
    except InputError as fault:
        return {}, fault.problems


def quotes_for(
    portfolio: Portfolio,
    given: Mapping[str, Quote],
    *,
    offline: bool = False,
    refresh: bool = False,
    interactive: bool = False,
    book: Path | None = None,
    accept: Mapping[str, Decimal] | None = None,
) -> Quotes:
    """Return the given quotes and, for prices and rates that neither they nor the portfolio have, the sources' ones.

    `offline` takes what is stored and asks nobody; `interactive` waits only as long as a cell may. What could not be
    had is a warning here: whether a plan can do without it, the plan says. What `offline` is not stored is taken from
    the workbook `book`, where that has it. `accept` are doubtful prices, by symbol, that a person has confirmed; raises
    InputError for one that is not the price.
    """
    needed = wanted_symbols(portfolio, given)
    if not needed:
        return given, _far_from_market(portfolio, given)
    batch = quotes_of_all(needed, given, offline=offline, refresh=refresh, interactive=interactive, accept=accept)
    return told_of(portfolio, batch, book if offline else None)


def quotes_of_all(
    needed: Iterable[str],
    given: Mapping[str, Quote],
    *,
    offline: bool = False,
    refresh: bool = False,
    interactive: bool = False,
    accept: Mapping[str, Decimal] | None = None,
) -> QuoteBatch:
    """Return the given quotes and the sources' ones for what is needed, in one question; see `quotes_for`."""
    from engine.market.quoting import QuoteBatch

    needed = list(needed)
    if not needed:
        return QuoteBatch(given, {}, 0, ())
    from engine.market import chain

    batch = chain.quotes(needed, offline=offline, refresh=refresh, deadline=_deadline(interactive=interactive))
    ok, confirmed = _accepted(batch.ok, accept or {})
    told = tuple(problem for problem in batch.problems if problem.code != "doubtful")  # which the plan itself says
    return QuoteBatch({**ok, **given}, batch.failed, batch.requests, (*told, *confirmed))


def told_of(portfolio: Portfolio, batch: QuoteBatch, book: Path | None = None) -> Quotes:
    """Return a batch's quotes, and what one portfolio's plan has to say of them.

    What could not be had is a warning; it is taken from the workbook `book`, where one is given that has it.
    """
    needed = frozenset(wanted_symbols(portfolio))
    failed = {symbol: fault for symbol, fault in batch.failed.items() if symbol in needed}
    own: dict[str, Quote] = {}
    notes: tuple[Problem, ...] = ()
    if book and failed:
        found = prices_in_book(book)
        own = {symbol: found[symbol] for symbol in failed if symbol in found}
        notes = _from_book(own, book)
    lost = {symbol: fault for symbol, fault in failed.items() if symbol not in own}
    had = {symbol: batch.ok[symbol] for symbol in needed if symbol in batch.ok}
    told = tuple(problem for problem in batch.problems if _concerns(problem, needed))
    return {**own, **batch.ok}, (*told, *notes, *failures(had, lost), *_far_from_market(portfolio, batch.ok))


def _concerns(problem: Problem, symbols: frozenset[str]) -> bool:
    """Tell whether a problem of a batch is about one of the symbols, or about none in particular."""
    where = problem.where
    about = [where.values.get("symbol")] if isinstance(where, Phrase) else where.split(", ")
    return about == [None] or not symbols.isdisjoint(map(str, about))


def failures(ok: Mapping[str, Quote], failed: Mapping[str, MarketDataError]) -> Iterator[Problem]:
    """Yield a warning for each reason for which prices could not be had; one alone where nothing could be reached."""
    if not ok and len(failed) > 1 and all(isinstance(fault, Transient) for fault in failed.values()):
        yield warning("no-network", place("prices"), number=len(failed), symbols=tuple(failed))
        return
    reasons: dict[object, list[str]] = {}
    for symbol, fault in failed.items():  # what did not answer is one reason, whoever was asked
        reasons.setdefault(Transient if isinstance(fault, Transient) else fault.message, []).append(symbol)
    for symbols in reasons.values():
        reason = failed[symbols[0]].message
        if len(symbols) == 1:
            yield Problem("warning", "price-source", place("price", symbol=symbols[0]), reason)
        else:
            names = (*symbols[:NAMED], *(["…"] if len(symbols) > NAMED else []))
            values = {"number": len(symbols), "names": names, "reason": reason, "symbols": symbols}
            yield warning("price-source.several", place("prices"), **values)


def joined(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return the problems with one error in place of each missing price whose cause is told for several at once.

    Without a network a portfolio of fifty has one sentence, not a hundred.
    """
    told = [one for one in problems if one.code in ("no-network", "price-source") and "symbols" in one.message.values]
    covered = {symbol for one in told for symbol in _names(one.message.values["symbols"])}
    covered |= {symbol[3:] + symbol[:3] for symbol in covered if len(symbol) == 6}
    lost = [
        one
        for one in problems
        if one.code in ("price-missing", "fx-missing")
        and isinstance(one.where, Phrase)
        and {one.where.values.get("symbol"), one.where.values.get("pair")} & covered
    ]
    if not lost:
        return tuple(problems)
    graver = {one: replace(one, severity="error", code="price-missing") for one in told}
    return tuple(graver.get(one, one) for one in problems if one not in lost)


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, tuple) else ()


def _accepted(ok: Mapping[str, Quote], accept: Mapping[str, Decimal]) -> Quotes:
    """Return the quotes without the doubts that a person has settled; raises InputError for another price."""
    found, notes, wrong = dict(ok), [], []
    for text, price in accept.items():
        symbol = next((one for one in (text, text.upper(), _meant(text)) if one in found), None)
        quote = found.get(symbol or "")
        if symbol is None or quote is None or quote.doubt is None:
            continue
        values = {"symbol": symbol, "price": quote.price, "currency": quote.currency, "source": quote.source}
        if abs(price / quote.price - 1) > ACCEPTED:
            wrong.append(error("bad-argument.accept-other", place("command-line"), given=price, **values))
        else:
            found[symbol] = replace(quote, doubt=None)
            notes.append(warning("price-accepted", place("price", symbol=symbol), **values))
    if wrong:
        raise InputError(wrong)
    if notes:
        from engine.market import chain

        chain.default().chain.accept(quote for text, quote in found.items() if quote is not ok[text])
    return found, tuple(notes)


def _meant(text: str) -> str:
    try:
        return listed(text).symbol
    except MarketDataError:
        return text


def _far_from_market(portfolio: Portfolio, quotes: Mapping[str, Quote]) -> tuple[Problem, ...]:
    """Return a warning for each price by hand that is far from the last one that is stored of the market.

    A price file's prices are by hand too, those of another week aside.
    """
    of_file = {symbol: quotes[symbol] for symbol in wanted_symbols(portfolio) if symbol in quotes}
    dated = {symbol: quote for symbol, quote in of_file.items() if quote.source == PRICE_FILE}
    by_hand = {symbol: quote.price for symbol, quote in dated.items()}
    by_hand |= {one.symbol: one.price for one in portfolio.holdings if one.price is not None}
    by_hand |= dict(portfolio.fx)
    if not by_hand:
        return ()
    from engine.market import chain, doubts

    if not chain.default().store.path.exists():
        return ()
    stored = {
        symbol: known
        for symbol, known in chain.default().chain.stored(by_hand).items()
        if not _is_of_another_week(dated.get(symbol), known)
    }
    told = (doubts.manual(symbol, price, stored[symbol]) for symbol, price in by_hand.items() if symbol in stored)
    return tuple(problem for problem in told if problem is not None)


def _is_of_another_week(given: Quote | None, known: Quote) -> bool:
    if given is None or given.as_of is None or known.as_of is None:
        return False
    return abs(given.as_of.date() - known.as_of.date()) > SAME_WEEK


def login_needed() -> Phrase | None:
    """Return how to set up the login that KRX wants; None where there is one."""
    from engine.market.krx import HOW, login

    return None if login(os.environ) else HOW


def wanted_symbols(portfolio: Portfolio, given: Collection[str] = ()) -> list[str]:
    """Return the instruments and currency pairs that a plan asks the sources for, beside those that are given."""
    return [*_prices_needed(portfolio, given), *_rates_needed(portfolio, given)]


def _prices_needed(portfolio: Portfolio, given: Collection[str]) -> Iterator[str]:
    manual = {holding.symbol for holding in portfolio.holdings if holding.price is not None}
    needed = priced_symbols(portfolio)
    return (symbol for symbol in portfolio.symbols if symbol in needed and symbol not in manual and symbol not in given)


def _rates_needed(portfolio: Portfolio, given: Collection[str]) -> Iterator[str]:
    base = portfolio.base_currency
    for currency in portfolio.currencies:
        pairs = {currency + base, base + currency}
        if currency != base and not pairs & {*portfolio.fx, *given}:
            yield usual_pair(currency, base)


def prices_in_book(path: Path) -> dict[str, Quote]:
    """Return the market's prices and rates in a workbook, by symbol and pair; none where it is no workbook of ours."""
    from templates.read.book import read_book

    book = read_book(path)
    if book.portfolio is None:
        return {}
    base = book.portfolio.base_currency
    rates = (_rate(row, base) for row in book.results.get("FxRates", ()))
    return {quote.symbol: quote for row in (*book.results.get("Prices", ()), *rates) for quote in _quotes(row)}


def _from_book(used: Mapping[str, Quote], path: Path) -> tuple[Problem, ...]:
    """Return the warning that prices came from the workbook, with their days."""
    if not used:
        return ()
    days = sorted({quote.as_of.date().isoformat() for quote in used.values() if quote.as_of})
    span = " – ".join(dict.fromkeys((days[0], days[-1]))) if days else "?"
    return (warning("price-from-workbook", path.name, days=span, symbols=tuple(used)),)


def _rate(row: Row, base: str) -> Row:
    """Return a rate as a row of prices, the way markets quote it; the table has it into the base currency."""
    currency, rate = str(row.get("Currency") or ""), row.get("MarketRate")
    pair = usual_pair(currency, base)
    if pair != f"{currency}{base}" and isinstance(rate, Decimal) and rate:
        rate = 1 / rate
    return {**row, "Ticker": pair, "Price": rate, "Currency": pair[3:]}


def _quotes(row: Row) -> Iterator[Quote]:
    price, as_of, status = row.get("Price"), row.get("AsOf"), row.get("Status")
    if not isinstance(price, Decimal) or price <= 0 or status not in _OF_A_MARKET:
        return
    moment = as_of.replace(tzinfo=dt.UTC) if isinstance(as_of, dt.datetime) else None
    reason = _WAS_STALE if status == "stale" else None
    currency, source = str(row.get("Currency") or ""), str(row.get("Source") or "")
    yield Quote(str(row["Ticker"]), price, currency, moment, source, stale_reason=reason)
