"""`rebalancer review FILE`: the satellites quarter by quarter: keep, look again, or replace."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Mapping
from pathlib import Path

from engine.analysis.facts import FundFacts
from engine.analysis.overlap import overlap
from engine.analysis.reasons import Candidate, ReviewRules, Satellite
from engine.analysis.review import ReviewRow, review
from engine.errors import NoData, Problem
from engine.history import HistoryTable
from engine.portfolio import Portfolio, Target
from xl_addin.histories import (
    add_facts_argument,
    add_history_arguments,
    currency_code,
    fx_pairs,
    history_day,
    load_facts,
    load_history,
)
from xl_addin.loading import load_portfolio
from xl_addin.verbs.common import add_output_arguments, date, usable

DEFAULTS = ReviewRules()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the portfolio file")
    parser.add_argument("--benchmark", metavar="SYMBOL", help="compare every satellite with this (beats the file)")
    parser.add_argument(
        "--lag",
        type=_points,
        default=DEFAULTS.lag,
        metavar="X",
        help=f"a quarter this far behind lags, as a fraction (default: {DEFAULTS.lag})",
    )
    parser.add_argument(
        "--quarters",
        type=_quarters,
        default=DEFAULTS.replace_after,
        metavar="N",
        help=f"consecutive lagging quarters that call for replacing (default: {DEFAULTS.replace_after})",
    )
    parser.add_argument(
        "--currency", type=currency_code, metavar="CUR", help="of the returns (default: the satellite's)"
    )
    parser.add_argument(
        "--as-of", type=date, metavar="DATE", help="judge as of (default: today, or the history's last)"
    )
    add_history_arguments(parser)
    add_facts_argument(parser)
    add_output_arguments(parser)


def _points(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a fraction above 0 and below 1, such as 0.05")
    return number


def _quarters(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 12:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of quarters from 1 to 12")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Review and print; exit status 3 where no satellite has any history."""
    portfolio, problems = load_portfolio(args.file)
    portfolio = usable(portfolio, problems)
    targets, note = reviewed(portfolio)
    problems = (*problems, *note)
    benchmarks = {target.symbol: args.benchmark or target.benchmark for target in targets}
    as_of = args.as_of or history_day(args) or dt.datetime.now().astimezone().date()
    history, found = _history(args, portfolio, benchmarks, as_of)
    facts, facts_found = load_facts(args, portfolio.symbols)
    rows = _rows(args, portfolio, targets, benchmarks, history, facts, as_of)
    problems = (*problems, *found, *facts_found)
    known = any(quarter.value is not None for row in rows for quarter in row.quarters)
    every = {symbol for symbol in benchmarks.values() if symbol}
    shown = args.benchmark or (every.pop() if len(every) == 1 else None)
    if args.json:
        from xl_addin.output.analysis_json import review_document
        from xl_addin.output.json import dump

        sys.stdout.write(dump(review_document(shown, rows, problems, korean=args.lang == "ko")))
    else:
        from xl_addin.output.analysis_text import review_text
        from xl_addin.output.colour import paint_for

        if rows and not known:
            raise NoData(
                "no satellite has history", problems=(*problems, *(one for row in rows for one in row.problems))
            )
        sys.stdout.write(review_text(rows, problems, args.lang, paint_for(sys.stdout)))
    return 0 if known or not rows else 3


def reviewed(portfolio: Portfolio) -> tuple[tuple[Target, ...], tuple[Problem, ...]]:
    """Return the targets to review: the satellite section's, or without one every section's but the core's."""
    names = [section.name for section in portfolio.sections]
    chosen = [name for name in names if name == "satellite"] or [name for name in names if name != "core"]
    targets = tuple(
        target
        for section in portfolio.sections
        if section.name in chosen
        for target in section.targets
        if target.enabled
    )
    if "satellite" in chosen:
        return targets, ()
    text = f"no section named satellite: {', '.join(chosen) or 'nothing'} is reviewed"
    return targets, (Problem("info" if targets else "warning", "no-satellite", "review", text),)


def _history(
    args: argparse.Namespace, portfolio: Portfolio, benchmarks: Mapping[str, str | None], as_of: dt.date
) -> tuple[HistoryTable, tuple[Problem, ...]]:
    from engine.market.catalogue import load

    currencies = {symbol: instrument.currency for symbol, instrument in portfolio.instruments.items()}
    for symbol in filter(None, benchmarks.values()):
        known = load().get(symbol)
        if known and symbol not in currencies:
            currencies[symbol] = known.instrument.currency
    pairs = [pair for base in set(currencies.values()) for pair in fx_pairs(currencies.values(), args.currency or base)]
    wanted = (*portfolio.symbols, *filter(None, benchmarks.values()), *sorted(pairs)[:6])
    start = as_of - dt.timedelta(days=100 * (max(args.quarters, DEFAULTS.shown) + 1))
    history, problems = load_history(args, wanted, currencies, start, as_of)
    return history.until(as_of), problems


def _rows(
    args: argparse.Namespace,
    portfolio: Portfolio,
    targets: tuple[Target, ...],
    benchmarks: Mapping[str, str | None],
    history: HistoryTable,
    facts: Mapping[str, FundFacts],
    as_of: dt.date,
) -> tuple[ReviewRow, ...]:
    rules = ReviewRules(lag=args.lag, replace_after=args.quarters, review_after=max(args.quarters - 1, 1))
    funds = candidates()
    rows = []
    for target in targets:
        others = [symbol for symbol in portfolio.symbols if symbol != target.symbol]
        shared = [overlap(facts[target.symbol], facts[symbol]) for symbol in others]
        row = review(
            Satellite(target.symbol, benchmarks[target.symbol], target.thesis_valid),
            history,
            as_of,
            others=others,
            candidates=funds,
            overlaps=shared,
            rules=rules,
            currency=args.currency or "",
        )
        rows.append(row)
    return tuple(rows)


def candidates() -> tuple[Candidate, ...]:
    """Return the catalogue's funds as candidates for a cheaper alternative: those with an index."""
    from engine.market.catalogue import load

    return tuple(
        Candidate(
            entry.instrument.symbol,
            entry.instrument.name,
            entry.index,
            entry.instrument.currency,
            entry.instrument.expense_ratio,
        )
        for entry in load()
        if entry.index
    )
