"""`rebalancer compare SYMBOL SYMBOL…`: funds side by side."""

from __future__ import annotations

import argparse
import datetime as dt
import sys

from engine.analysis.compare import compare
from engine.errors import InputError, MarketDataError, NoData, Problem
from engine.history import HistoryTable
from engine.schedule import add_months
from xl_addin.histories import (
    add_facts_argument,
    add_history_arguments,
    currency_code,
    fx_pairs,
    history_day,
    load_facts,
    load_history,
)
from xl_addin.verbs.common import add_output_arguments, date


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("symbols", nargs="+", metavar="SYMBOL", help="two funds or more: codes or catalogue names")
    parser.add_argument("--currency", type=currency_code, metavar="CUR", help="of the returns (default: each its own)")
    parser.add_argument("--as-of", type=date, metavar="DATE", help="last day (default: today, or the history's last)")
    add_history_arguments(parser)
    add_facts_argument(parser)
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Compare and print; exit status 3 where not one fund has history."""
    symbols, currencies = _resolved(args.symbols)
    as_of = args.as_of or history_day(args) or dt.datetime.now().astimezone().date()
    wanted = (*symbols, *(fx_pairs(currencies.values(), args.currency) if args.currency else ()))
    problems: tuple[Problem, ...] = ()
    try:
        history, problems = load_history(args, wanted, currencies, add_months(as_of, -60), as_of)
    except MarketDataError as error:
        history, problems = HistoryTable({}), error.problems or (Problem("error", "no-history", "history", str(error)),)
    facts, found = load_facts(args, symbols)
    result = compare(symbols, history.until(as_of), facts, args.currency)
    problems = (*problems, *found)
    if args.json:
        from xl_addin.output.analysis_json import compare_document
        from xl_addin.output.json import dump

        sys.stdout.write(dump(compare_document(result, problems)))
    else:
        from xl_addin.output.analysis_text import compare_text
        from xl_addin.output.colour import paint_for

        if result.as_of is None:
            raise NoData("no fund has history", problems=(*problems, *result.problems))
        sys.stdout.write(compare_text(result, problems, args.lang, paint_for(sys.stdout)))
    return 0 if result.as_of else 3


def _resolved(texts: list[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the symbols that codes or catalogue names mean, and the currencies of those that are known."""
    from engine.market.catalogue import load
    from engine.market.symbols import canonical, currency_of_market, shape

    symbols: dict[str, str] = {}
    for text in texts:
        instrument = load().find(text)
        symbol = instrument.symbol if instrument else canonical(text)
        currency = instrument.currency if instrument else currency_of_market(shape(symbol))
        symbols[symbol] = currency or ""
    if len(symbols) < 2:
        text = f"{len(symbols)} fund to compare: name at least two different ones"
        raise InputError([Problem("error", "bad-argument", "command line", text)])
    return tuple(symbols), {symbol: currency for symbol, currency in symbols.items() if currency}
