"""`rebalancer compare SYMBOL SYMBOL…`: funds side by side."""

from __future__ import annotations

import argparse
import datetime as dt
import sys

from engine.errors import NoData
from engine.phrase import phrase
from rebalancer.analysing import compare, history_day
from xl_addin.cli.common import (
    add_facts_argument,
    add_history_arguments,
    add_output_arguments,
    currency_code,
    date,
    sources_of,
)


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
    sources = sources_of(args)
    as_of = args.as_of or history_day(sources) or dt.datetime.now().astimezone().date()
    result = compare(args.symbols, sources, as_of, currency=args.currency)
    if args.json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump(result.to_json()))
    else:
        from xl_addin.show.analysis_text import compare_text
        from xl_addin.show.colour import paint_for

        if result.as_of is None:
            raise NoData(phrase("no-fund-history"), problems=result.problems)
        sys.stdout.write(compare_text(result, args.lang, paint_for(sys.stdout)))
    return 0 if result.as_of else 3
