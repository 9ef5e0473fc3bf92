"""`rebalancer plan FILE`: drift and trades for a portfolio file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import Problem
from engine.settings import setting_fields
from engine.words import say
from rebalancer.files import output_problems
from rebalancer.loading import is_workbook, load_portfolio, usable
from rebalancer.planning import adjusted, planned, today
from rebalancer.quoting import quotes_for, quotes_in
from xl_addin.cli.common import add_output_arguments, amount, date, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.quote import Quote
    from rebalancer.books import Analyse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    settings = setting_fields()
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="the portfolio: .yaml, .xlsx, .xlsm, .ods, or a folder of .csv files"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.xlsx", help="also write the plan as a workbook")
    parser.add_argument("--force", action="store_true", help="let -o replace a file that exists")
    parser.add_argument("--prices", type=Path, metavar="CSV", help="prices: symbol, price, currency, as_of")
    parser.add_argument(
        "--offline", action="store_true", help="take prices that are stored, ask no source on the network"
    )
    parser.add_argument(
        "--mode", choices=settings["mode"]["choices"], help=f"{say('setting.mode', 'en')} (beats the file)"
    )
    parser.add_argument(
        "--cash-flow", type=amount, metavar="N", help=f"{say('setting.cash_flow', 'en')} (beats the file)"
    )
    parser.add_argument(
        "--as-of", type=date, metavar="DATE", help="the day to plan for, as 2026-11-20 (default: today)"
    )
    parser.add_argument(
        "--history",
        type=Path,
        metavar="CSV",
        help="closes for the workbook's Analysis sheet: a column Date, then one per symbol (and USDKRW for rates)",
    )
    parser.add_argument("--facts", type=Path, metavar="YAML", help="fund facts for it: fee, aum, holdings, yield")
    parser.add_argument(
        "--analyses", action="store_true", help="fill the Analysis sheet from the sources' history (takes a while)"
    )
    parser.add_argument("--allow-stale", action="store_true", help="plan even on prices too old to act on")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Plan, print, and write the workbook where one is asked for."""
    portfolio, problems = load_portfolio(args.file)
    quotes, found = quotes_in(args.prices)
    problems = (*problems, *found)
    if args.output:
        problems += output_problems(args.output, ".xlsx", force=args.force)
    elif args.history or args.facts or args.analyses:
        message = "--history, --facts and --analyses fill the workbook's Analysis sheet: name the workbook with -o"
        ko = "--history, --facts, --analyses는 통합 문서의 분석 시트를 채웁니다: -o로 통합 문서 이름을 적으세요"
        problems += (Problem("error", "bad-argument", "command line", message, ko),)
    portfolio = usable(portfolio, problems)
    portfolio, problems = adjusted(portfolio, args.mode, args.cash_flow)
    book = args.file if is_workbook(args.file) else None
    quotes, found = quotes_for(portfolio, quotes, offline=args.offline, book=book)
    as_of = args.as_of or today()
    plan = planned(portfolio, quotes, as_of, (*problems, *found), allow_stale=args.allow_stale)
    if args.output:
        from rebalancer.books import write_plan_book

        notice = write_plan_book(plan, args.output, args.lang, args.file, _analyse(args, quotes))
        if notice:
            sys.stderr.write(notice + "\n")
    show(plan, args, args.output)
    return 0


def _analyse(args: argparse.Namespace, quotes: Mapping[str, Quote]) -> Analyse | None:
    """Return what fills the Analysis sheet, None where nobody asked for it."""
    if not (args.history or args.facts or args.analyses):
        return None
    from rebalancer.histories import Sources
    from xl_addin.show.analysis_sheet import findings

    offline = args.offline or not args.analyses
    sources = Sources(args.history, args.facts, offline)
    return lambda plan, lang: findings(plan.portfolio, quotes, sources, plan.as_of, lang)
