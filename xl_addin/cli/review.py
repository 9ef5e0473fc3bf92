"""`rebalancer review FILE`: the satellites quarter by quarter: keep, look again, or replace."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

from engine.analysis.review import ReviewRules
from engine.errors import NoData
from engine.phrase import phrase
from rebalancer.analysing import history_day, review
from rebalancer.loading import load
from xl_addin.cli.common import (
    add_facts_argument,
    add_history_arguments,
    add_output_arguments,
    currency_code,
    date,
    sources_of,
)
from xl_addin.show.arguments import refused

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
        ko = f"{text!r}: 0보다 크고 1보다 작은 비율을 0.05처럼 적으세요"
        raise refused(f"{text!r} is not a fraction above 0 and below 1, such as 0.05", ko)
    return number


def _quarters(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 12:
        ko = f"{text!r}: 1부터 12까지의 분기 수를 적으세요"
        raise refused(f"{text!r} is not a number of quarters from 1 to 12", ko)
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Review and print; exit status 3 where no satellite has any history."""
    portfolio = load(args.file)
    sources = sources_of(args)
    as_of = args.as_of or history_day(sources) or dt.datetime.now().astimezone().date()
    rules = ReviewRules(lag=args.lag, replace_after=args.quarters, review_after=max(args.quarters - 1, 1))
    result = review(portfolio, sources, as_of, benchmark=args.benchmark, rules=rules, currency=args.currency or "")
    if args.json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump(result.to_json(args.lang)))
    else:
        from xl_addin.show.analysis_text import review_text
        from xl_addin.show.colour import paint_for

        if result.rows and not result.known:
            raise NoData(phrase("no-satellite-history"), problems=result.problems)
        sys.stdout.write(review_text(result, args.lang, paint_for(sys.stdout)))
    return 0 if result.known or not result.rows else 3
