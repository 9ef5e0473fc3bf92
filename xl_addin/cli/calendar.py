"""`rebalancer calendar FILE`: what is to be done when, on days that trade."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

from rebalancer.analysing import calendar
from rebalancer.files import output_problems, write_whole
from rebalancer.loading import load_portfolio, usable
from xl_addin.cli.common import add_output_arguments, amount, date
from xl_addin.show.arguments import refused


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the portfolio file")
    parser.add_argument("--from", dest="start", type=date, metavar="DATE", help="first day (default: today)")
    parser.add_argument("--months", type=_months, default=12, metavar="N", help="how many months (default: 12)")
    parser.add_argument(
        "--realised", type=amount, metavar="N", help="won gained so far this year by sales of overseas stocks"
    )
    parser.add_argument("--ics", type=_ics, metavar="OUT.ics", help="also write an iCalendar file")
    parser.add_argument("--force", action="store_true", help="let --ics replace a file that exists")
    # Tasks need neither prices nor history; the two are accepted so that every analysis takes the same arguments.
    parser.add_argument("--history", type=Path, metavar="CSV", help="not needed here")
    parser.add_argument("--offline", action="store_true", help="ask no source on the network (none is asked anyway)")
    add_output_arguments(parser)


def _months(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 60:
        ko = f"{text!r}: 1부터 60까지의 개월 수를 적으세요"
        raise refused(f"{text!r} is not a number of months from 1 to 60", ko)
    return int(text)


def _ics(text: str) -> Path:
    if not text.lower().endswith(".ics"):
        ko = f"{text!r}: 일정 파일 이름은 .ics로 끝나야 합니다"
        raise refused(f"{text!r} is a calendar file: end its name in .ics", ko)
    return Path(text)


def run(args: argparse.Namespace) -> int:
    """List the tasks, and write the calendar file where one is asked for."""
    portfolio, problems = load_portfolio(args.file)
    refused = output_problems(args.ics, ".ics", force=args.force) if args.ics else ()
    portfolio = usable(portfolio, (*problems, *refused))
    now = dt.datetime.now().astimezone()
    start = args.start or now.date()
    result = calendar(portfolio, start, args.months, realised=args.realised)
    if args.ics:
        text = result.to_ics(now, args.lang)

        write_whole(args.ics, text.encode())
        sys.stderr.write(f"{args.ics}\n")
    if args.json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump(result.to_json(args.lang)))
    else:
        from xl_addin.show.analysis_text import calendar_text
        from xl_addin.show.colour import paint_for

        sys.stdout.write(calendar_text(result, args.lang, paint_for(sys.stdout)))
    return 0
