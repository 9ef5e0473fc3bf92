"""What several commands share: arguments, what they may be, and how a plan is shown."""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from decimal import Decimal
from pathlib import Path

from engine.plan import Plan
from engine.text import DAYS, DAYS_KO, FIRST_DAY, LAST_DAY, SIZE, SIZE_KO, fits
from rebalancer.language import LANGUAGES, default_language
from xl_addin.show.arguments import refused

_AMOUNT = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --json and --lang."""
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the report")
    parser.add_argument(
        "--lang",
        choices=LANGUAGES,
        default=default_language(),
        help="language of report and workbook (default: Korean where the locale is Korean, else English)",
    )


def amount(text: str) -> Decimal:
    """Parse an amount of money such as 500000, -1,000,000 or 12.50."""
    if not _AMOUNT.fullmatch(text):
        example = "500000, -500000"
        raise refused(
            f"{text!r} is not an amount such as {example} or 12.50", f"{text!r}: {example}, 12.50처럼 금액을 적으세요"
        )
    number = Decimal(text.replace(",", ""))
    if not fits(number):
        raise refused(f"{text!r} is not an amount of {SIZE}", f"{text!r}: 금액은 {SIZE_KO} 쓸 수 있습니다")
    return number


def date(text: str) -> dt.date:
    """Parse a date such as 2026-11-20."""
    try:
        day = dt.datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        ko = f"{text!r}: 2026-11-20처럼 날짜를 적으세요"
        raise refused(f"{text!r} is not a date such as 2026-11-20", ko) from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise refused(f"{text!r} is not {DAYS}", f"{text!r}: {DAYS_KO}로 적으세요")
    return day


def show(plan: Plan, args: argparse.Namespace, written: Path | None, **more: str) -> None:
    """Print the plan as the arguments ask and where its workbook is; `more` are further keys of the JSON document."""
    if args.json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump({**plan.to_json(), **more}))
        return
    from xl_addin.show.colour import paint_for
    from xl_addin.show.text import report
    from xl_addin.show.texts import say

    sys.stdout.write(report(plan, args.lang, paint_for(sys.stdout)))
    if written:
        sys.stdout.write(say("written", args.lang, path=written) + "\n")
