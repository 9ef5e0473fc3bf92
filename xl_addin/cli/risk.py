"""`rebalancer risk FILE`: every limit beside what it is today."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

from rebalancer.analysing import history_day, risk
from rebalancer.loading import load_portfolio, usable
from rebalancer.quoting import quotes_in
from xl_addin.cli.common import (
    add_facts_argument,
    add_history_arguments,
    add_output_arguments,
    date,
    sources_of,
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the portfolio file")
    parser.add_argument("--prices", type=Path, metavar="CSV", help="prices: symbol, price, currency, as_of")
    parser.add_argument(
        "--as-of", type=date, metavar="DATE", help="the day to judge (default: today, or the history's last)"
    )
    add_history_arguments(parser)
    add_facts_argument(parser)
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Check and print; exit status 3 where a price or rate is missing."""
    portfolio, problems = load_portfolio(args.file)
    quotes, found = quotes_in(args.prices)
    problems = (*problems, *found)
    portfolio = usable(portfolio, problems)
    sources = sources_of(args)
    as_of = args.as_of or history_day(sources) or dt.datetime.now().astimezone().date()
    report = risk(portfolio, quotes, sources, as_of)
    if args.json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump(report.to_json()))
    else:
        from xl_addin.show.analysis_text import risk_text
        from xl_addin.show.colour import paint_for

        sys.stdout.write(risk_text(report, args.lang, paint_for(sys.stdout)))
    return 0 if report.priced else 3
