"""`rebalancer weights METHOD FILE`: target weights over a universe or a portfolio's instruments."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from decimal import Decimal
from pathlib import Path

from engine.weights.methods import METHODS
from rebalancer.analysing import weights
from xl_addin.cli.common import add_output_arguments, date
from xl_addin.show.arguments import refused


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("method", choices=METHODS, metavar="METHOD", help=", ".join(METHODS))
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a universe (.csv or .yaml: symbol, sector, market_cap, company, weight), or a portfolio file",
    )
    parser.add_argument("--max", type=_fraction, metavar="W", help="largest weight of one instrument, such as 0.1")
    parser.add_argument("--sector-max", type=_fraction, metavar="W", help="largest weight of one sector")
    parser.add_argument(
        "--as-of", type=date, metavar="DATE", help="the day whose sectors and rates hold (default: today)"
    )
    parser.add_argument("--fetch", action="store_true", help="look up sectors and market values that are missing")
    add_output_arguments(parser)


def _fraction(text: str) -> Decimal:
    from engine.text import read_number

    number = read_number(text)
    if number is None or not 0 < number <= 1:
        ko = f"{text!r}: 0보다 크고 1 이하인 비중을 0.1처럼 적으세요"
        raise refused(f"{text!r} is not a weight above 0 and up to 1, such as 0.1", ko)
    return number


def run(args: argparse.Namespace) -> int:
    """Weigh the universe and print."""
    as_of = args.as_of or dt.datetime.now().astimezone().date()
    result = weights(args.method, args.file, as_of, maximum=args.max, sector_maximum=args.sector_max, fetch=args.fetch)
    if args.json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump(result.to_json()))
    else:
        from xl_addin.show.analysis_text import weights_text
        from xl_addin.show.colour import paint_for

        sys.stdout.write(weights_text(result, args.lang, paint_for(sys.stdout)))
    return 0
