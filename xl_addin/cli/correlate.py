"""`rebalancer correlate FILE`: how alike a portfolio's instruments move."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

from engine.analysis.correlation import DEFAULT_DAYS, DEFAULT_THRESHOLD, FEWEST_RETURNS
from engine.errors import NoData
from engine.phrase import phrase
from rebalancer.analysing import correlate, history_day
from rebalancer.loading import load
from xl_addin.cli.common import add_history_arguments, add_output_arguments, currency_code, date, sources_of
from xl_addin.show.arguments import refused


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the portfolio file")
    parser.add_argument(
        "--days", type=_days, default=DEFAULT_DAYS, metavar="N", help=f"daily returns to use (default: {DEFAULT_DAYS})"
    )
    parser.add_argument(
        "--threshold",
        type=_threshold,
        default=DEFAULT_THRESHOLD,
        metavar="X",
        help=f"warn of pairs correlated above this (default: {DEFAULT_THRESHOLD})",
    )
    parser.add_argument(
        "--currency", type=currency_code, metavar="CUR", help="of the returns (default: the portfolio's)"
    )
    parser.add_argument("--as-of", type=date, metavar="DATE", help="last day (default: today, or the history's last)")
    add_history_arguments(parser)
    add_output_arguments(parser)


def _days(text: str) -> int:
    if not text.isdecimal() or not FEWEST_RETURNS <= int(text) <= 10_000:
        ko = f"{text!r}: {FEWEST_RETURNS}부터 10000까지의 일수를 적으세요"
        raise refused(f"{text!r} is not a number of days from {FEWEST_RETURNS} to 10000", ko)
    return int(text)


def _threshold(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 2.0
    if not 0 <= number <= 1:
        ko = f"{text!r}: 0부터 1까지의 상관계수를 적으세요"
        raise refused(f"{text!r} is not a correlation from 0 to 1", ko)
    return number


def run(args: argparse.Namespace) -> int:
    """Correlate and print; exit status 3 where no two instruments can be correlated."""
    portfolio = load(args.file)
    sources = sources_of(args)
    as_of = args.as_of or history_day(sources) or dt.datetime.now().astimezone().date()
    result = correlate(portfolio, sources, as_of, days=args.days, threshold=args.threshold, currency=args.currency)
    if args.json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump(result.to_json()))
    else:
        from xl_addin.show.analysis_text import correlate_text
        from xl_addin.show.colour import paint_for

        if result.effective_bets is None:
            raise NoData(phrase("nothing-correlated"), problems=result.problems)
        sys.stdout.write(correlate_text(result, args.lang, paint_for(sys.stdout)))
    return 0 if result.effective_bets is not None else 3
