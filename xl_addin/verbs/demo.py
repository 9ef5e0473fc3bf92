"""`rebalancer demo`: the main job on the bundled sample portfolio and prices, without network or account."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from engine.errors import InputError, Problem
from xl_addin.output.files import free_name
from xl_addin.samples import sample_portfolio, sample_quotes
from xl_addin.verbs.common import add_output_arguments, show, usable


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        default=Path(),
        help="the folder for the workbook demo-plan.xlsx (default: this folder); a file that exists is never replaced",
    )
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Plan the samples, write the workbook, print the plan and where the workbook is."""
    if not args.output.is_dir():
        message, ko = "no such folder: make it, or name another", "폴더가 없습니다: 만들거나 다른 폴더를 쓰세요"
        raise InputError([Problem("error", "output-folder", str(args.output), message, ko)])
    sample, found = sample_portfolio()
    quotes, day, notices = sample_quotes()
    portfolio = usable(sample, (*found, *notices))

    from engine.rebalance import rebalance
    from xl_addin.output.analysis_sheet import sample_findings
    from xl_addin.output.plan_book import write_plan_book

    plan = rebalance(portfolio, quotes, day)
    plan = replace(plan, problems=(*notices, *found, *plan.problems))
    workbook = free_name(args.output, "demo-plan", ".xlsx").resolve()
    write_plan_book(portfolio, plan, quotes, workbook, args.lang, analyse=sample_findings)
    show(plan, args, workbook, workbook=str(workbook))
    return 0
