"""`rebalancer plan FILE`: drift and trades for a portfolio file."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.accounts import in_units
from engine.data.report import Report
from engine.errors import MarketDataError, Problem
from engine.settings import setting_fields
from rebalancer.files import output_problems
from rebalancer.loading import is_workbook, load_portfolio
from rebalancer.prices import live_quotes_for, quotes_for
from xl_addin.cli.common import add_output_arguments, amount, date, show, usable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.market.quote import Quote
    from engine.portfolio import Portfolio
    from rebalancer.language import Lang
    from xl_addin.show.analysis_sheet import Findings
    from xl_addin.show.plan_book import Analyse


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
        "--mode", choices=settings["mode"]["choices"], help=f"{settings['mode']['en']} (beats the file)"
    )
    parser.add_argument("--cash-flow", type=amount, metavar="N", help=f"{settings['cash_flow']['en']} (beats the file)")
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
    quotes, found = quotes_for(args.prices)
    problems = (*problems, *found)
    if args.output:
        problems += output_problems(args.output, ".xlsx", force=args.force)
    elif args.history or args.facts or args.analyses:
        message = "--history, --facts and --analyses fill the workbook's Analysis sheet: name the workbook with -o"
        ko = "--history, --facts, --analyses는 통합 문서의 분석 시트를 채웁니다: -o로 통합 문서 이름을 적으세요"
        problems += (Problem("error", "bad-argument", "command line", message, ko),)
    portfolio = usable(portfolio, problems)
    if args.mode:
        portfolio = replace(portfolio, settings=replace(portfolio.settings, mode=args.mode))
    if args.cash_flow is not None:
        told = Report("command line")
        flow = in_units(args.cash_flow, portfolio.base_currency, (), told)
        problems = (*problems, *told.problems)
        portfolio = replace(portfolio, settings=replace(portfolio.settings, cash_flow=flow))

    book = args.file if is_workbook(args.file) else None
    quotes, found = live_quotes_for(portfolio, quotes, offline=args.offline, book=book)
    problems = (*problems, *found)

    from engine.rebalance import rebalance

    as_of = args.as_of or dt.datetime.now().astimezone().date()
    try:
        plan = rebalance(portfolio, quotes, as_of, allow_stale=args.allow_stale)
    except MarketDataError as error:
        error.problems = (*problems, *error.problems)
        raise
    plan = replace(plan, problems=(*problems, *plan.problems))
    if args.output:
        from xl_addin.show.plan_book import write_plan_book

        notice = write_plan_book(portfolio, plan, quotes, args.output, args.lang, args.file, _analyse(args))
        if notice:
            sys.stderr.write(notice + "\n")
    show(plan, args, args.output)
    return 0


def _analyse(args: argparse.Namespace) -> Analyse | None:
    """Return what fills the Analysis sheet, None where nobody asked for it."""
    if not (args.history or args.facts or args.analyses):
        return None
    from rebalancer.analysing import Sources
    from xl_addin.show.analysis_sheet import findings

    offline = args.offline or not args.analyses
    sources = Sources(args.history, args.facts, offline)

    def analyse(portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, lang: Lang) -> Findings:
        return findings(portfolio, quotes, sources, as_of, lang)

    return analyse
