"""`rebalancer demo`: the main job on the bundled sample portfolio and prices, without network or account."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.errors import InputError, Problem
from rebalancer.files import free_name
from rebalancer.samples import sample_plan, sample_quotes
from xl_addin.cli.common import add_output_arguments, show


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


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message, ko = f"no folder can be made here ({reason}): name another", f"폴더를 만들 수 없습니다({reason})"
        raise InputError(
            [Problem("error", "output-folder", str(folder), message, f"{ko}: 다른 폴더를 쓰세요")]
        ) from None


def run(args: argparse.Namespace) -> int:
    """Plan the samples, write the workbook, print the plan and where the workbook is."""
    _make(args.output)
    from rebalancer.books import write_plan_book
    from rebalancer.tabulating import sample_tables

    plan = sample_plan()
    quotes, _, _ = sample_quotes()
    workbook = free_name(args.output, "demo-plan", ".xlsx").resolve()
    write_plan_book(
        plan,
        workbook,
        args.lang,
        analyse=lambda made, lang: sample_tables(made.portfolio, quotes, made.as_of, lang),
    )
    show(plan, args, workbook, workbook=str(workbook))
    return 0
