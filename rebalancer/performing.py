"""What a portfolio was worth and returned, from its ledger and the closes that can be had."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, MarketDataError, NoData, Problem, error, note
from engine.goals import goals_of
from engine.history import HistoryTable, from_records
from engine.ledger.entries import LedgerEntry
from engine.ledger.performance import Aim, Performance, aged
from engine.ledger.performance import performance as over_time
from engine.phrase import phrase, place
from engine.portfolio import Portfolio
from rebalancer.analysing import LIVE, MARGIN, Sources, currencies_of, fx_pairs
from rebalancer.clock import today
from rebalancer.ledgers import Ledger, read_ledger, shared_with, snapshot
from rebalancer.loading import load

if TYPE_CHECKING:
    from engine.plan import Plan
    from engine.words import Lang
    from rebalancer.tabulating import AnalysisTables


def performance(
    source: str | Path,
    sources: Sources = LIVE,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> Performance:
    """Return value, flows, returns, costs and gains of a portfolio's file over time, from the ledger beside it.

    Closes are those of `sources` (without dividends, which are entries); days without one count the last price known.
    Raises InputError where the ledger cannot be used or does not agree with the file, NoData where nothing is in it.
    """
    path = Path(source)
    portfolio, ledger = load(path), read_ledger(path)
    if not ledger.entries:
        raise NoData(
            error("ledger-empty", str(ledger.path)).message, problems=[error("ledger-empty", str(ledger.path))]
        )
    if start and end and start > end:
        raise InputError([error("bad-period", place("command-line"), first=start, last=end)])
    return of_ledger(portfolio, ledger, sources, start, end, today(), path)


def of_ledger(
    portfolio: Portfolio,
    ledger: Ledger,
    sources: Sources,
    start: dt.date | None,
    end: dt.date | None,
    day: dt.date,
    source: Path | None = None,
) -> Performance:
    """Return what a ledger came to; differences from the portfolio's file (`source`) are told, not mended."""
    from engine.ledger.account import difference_problems, differences

    entries = ledger.standing
    closes, problems = _closes(portfolio, ledger, sources, end or day)
    by_hand, told = _rates_by_hand(portfolio, entries, closes)
    problems = (*problems, *told)
    found = over_time((*entries, *by_hand), portfolio.base_currency, aims_of(portfolio), closes, start, end)
    if found is None:
        raise NoData(
            error("ledger-nothing", str(ledger.path)).message, problems=[error("ledger-nothing", str(ledger.path))]
        )
    off = difference_problems(differences(ledger.books(portfolio.base_currency), portfolio), ledger.path.name)
    told = tuple(replace(one, severity="warning") for one in off)
    if off and source is not None:
        told += shared_with(source)
    old = aged(found, end or day)
    return replace(found, problems=(*portfolio.notes, *ledger.problems, *told, *problems, *found.problems, *old))


def _rates_by_hand(
    portfolio: Portfolio, entries: Sequence[LedgerEntry], closes: HistoryTable
) -> tuple[tuple[LedgerEntry, ...], tuple[Problem, ...]]:
    """Return the file's own rates of currencies for which no day's is known, as of the last day, and what is told."""
    base = portfolio.base_currency
    known = {one.currency + base for one in entries if one.fx} | set(closes.rates)
    used = dict.fromkeys(one.currency + base for one in entries if one.currency)
    rates = {pair: portfolio.fx[pair] for pair in used if pair in portfolio.fx and pair not in known}
    last = max((one.date for one in entries), default=dt.date.min)
    made = tuple(
        LedgerEntry(pair, pair, last, "snapshot", currency=pair.removesuffix(base), fx=rate)
        for pair, rate in rates.items()
    )
    return made, tuple(note("ledger-rate-by-hand", place("fx", pair=pair), rate=rate) for pair, rate in rates.items())


def aims_of(portfolio: Portfolio) -> dict[str, Aim]:
    """Return what is wanted of each goal, with the nearer of its two bands; wider classes are no aims beside others."""
    rules = {section.name: section.rule for section in portfolio.sections}
    aims = {}
    for goal in goals_of(portfolio):
        target = goal.target
        if target is None or goal.section is None or not target.enabled or not goal.leaf:
            continue
        rule = rules[goal.section].of(target)
        weight = float(target.weight)
        widths = [float(rule.absolute_band)] if rule.absolute_band is not None else []
        widths += [float(rule.relative_band) * weight] if rule.relative_band is not None else []
        parts = {} if goal.kind == "instrument" else {symbol: float(part) for symbol, part in goal.members.items()}
        aims[target.symbol] = Aim(goal.section, weight, min(widths, default=float("inf")), parts)
    return aims


def _closes(
    portfolio: Portfolio, ledger: Ledger, sources: Sources, end: dt.date
) -> tuple[HistoryTable, tuple[Problem, ...]]:
    """Return closes without dividends of all that was ever held or is wanted, as far as they can be had."""
    currencies = {**{one.symbol: one.currency for one in ledger.entries if one.symbol}, **currencies_of(portfolio)}
    symbols = dict.fromkeys((*(one.symbol for one in ledger.entries if one.symbol), *portfolio.symbols))
    if sources.history:
        from rebalancer.analysing import load_history

        first = min(one.date for one in ledger.entries)
        return load_history(sources, symbols, currencies, first, end)
    used = {one.currency for one in ledger.entries if one.currency} | set(currencies.values())
    wanted = (*symbols, *fx_pairs(sorted(used), portfolio.base_currency))
    from engine.market import chain

    first = min(one.date for one in ledger.entries) - MARGIN
    try:
        batch = chain.history(wanted, first, end, wait=sources.wait, offline=sources.offline)
    except MarketDataError as fault:
        return HistoryTable({}), tuple(replace(one, severity="warning") for one in fault.problems)
    records = [replace(one, symbol=symbol, total_return=None) for symbol, one in batch.ok.items()]
    lacking = tuple(symbol for symbol in wanted if symbol not in batch.ok)
    told = (note("ledger-no-closes", place("history"), symbols=lacking),) if lacking else ()
    return from_records(records).with_currencies(currencies), told


def performance_of(
    portfolio: Portfolio, ledger: Ledger, sources: Sources, day: dt.date, plan: Plan | None = None
) -> Performance | None:
    """Return what a ledger came to by a day, at the prices of a plan where there is one; None where it has nothing."""
    if not ledger.entries:
        return None
    if plan is not None:
        # Its prices are known of its day; nothing of it is written down.
        prices = {one.symbol: (one.price, one.currency) for one in plan.positions if one.price_source != "none"}
        rates = {currency: one.rate for currency, one in plan.rates.items()}
        now = snapshot(portfolio, prices, rates, plan.as_of, "plan")
        ledger = replace(ledger, entries=(*ledger.entries, *now))
    try:
        return of_ledger(portfolio, ledger, sources, None, None, day)
    except NoData:
        return None


def add_performance(found: AnalysisTables, result: Performance, portfolio: Portfolio, lang: Lang) -> None:
    """Add the rows of the Performance sheet to the tables of a workbook, with what is wrong."""
    from templates.performance import performance_tables

    made = performance_tables(result, lang, _names(portfolio, lang))
    for name, rows in made.rows.items():
        found.add(name, rows, made.note)
    found.shares = made.shares
    found.problems += [one for one in result.problems if one.severity != "info" and one not in portfolio.notes]


def _names(portfolio: Portfolio, lang: Lang) -> dict[str, str]:
    return {symbol: one.called(lang) for symbol, one in portfolio.instruments.items()}


def write_into(result: Performance, portfolio: Portfolio, book: Path, output: Path, lang: Lang) -> str:
    """Write a performance on the Performance sheet of a person's workbook, all else of which stays as it is.

    Returns what the person has to know in `lang`, or ""; the sheet is in the workbook's own language. Raises
    InputError where the workbook cannot take it.
    """
    from rebalancer.files import keep_copy, write_whole
    from rebalancer.tabulating import AnalysisTables
    from templates.merge.performance import with_performance
    from templates.read.book import read_book

    read = read_book(book)
    report = read.report()
    if report is None:
        raise InputError(read.problems)
    found = AnalysisTables()
    add_performance(found, result, portfolio, read.lang)
    report = replace(report, results={**report.results, **found.rows}, shares=found.shares, ledger=())
    report = replace(report, notes={**report.notes, **found.notes})
    data, notice = with_performance(book, report, read.lang)
    if data is None:
        raise InputError([error("record-not-written", str(book), reason=notice)])
    kept = keep_copy(output) if output.exists() and output.samefile(book) else None
    write_whole(output, data)
    return phrase("copy-kept", file=kept.name).told(lang) if kept else ""


def write_performance(
    result: Performance, path: str | Path, *, of: Portfolio, name: str, lang: Lang = "en", force: bool = False
) -> None:
    """Write a performance as a report workbook (.xlsx), whole or not at all; raises InputError where it cannot be.

    `name` stands on it; instruments are called what they are in the portfolio that it is `of`.
    """
    from rebalancer.files import must_be_free, write_whole
    from templates.performance import performance_book

    path = Path(path)
    must_be_free(path, ".xlsx", force=force)
    write_whole(path, performance_book(result, name, lang, _names(of, lang)))
