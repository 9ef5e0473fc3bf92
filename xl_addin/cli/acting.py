"""`rebalancer record` and `rebalancer orders`: what is done with a stored plan, never with a new one."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, error, warning
from engine.phrase import place
from engine.words import Lang, say
from xl_addin.cli.frame import OneOf, command, option
from xl_addin.cli.options import FILE, date, force_option, lang_option, portfolio_file

if TYPE_CHECKING:
    from rebalancer.storing import StoredPlan

_ORDER_FORMATS = ("list", "ib")
#: The workbooks that trades can be recorded in.
_BOOKS = (".xlsx", ".xlsm")
#: Prices of more days than this (a long weekend) are no prices to order at.
_OLD = 4


def _about(stored: StoredPlan, lang: Lang) -> str:
    """Return which plan is acted on, how old its prices are, and when the next review is."""
    from rebalancer.clock import today

    values = {"id": stored.id, "day": stored.as_of, "count": len(stored.trades)}
    if stored.oldest_price:
        told = say("said.stored-plan", lang, days=stored.days_old(today()), **values)
    else:
        told = say("said.stored-plan-undated", lang, **values)
    again = say("said.next-review", lang, day=stored.next_review) if stored.next_review else ""
    return f"{told} {again}".rstrip()


@command("record")
@portfolio_file
@option("--plan", "plan", type=FILE, metavar="PLAN.json")
@option("--fills", type=FILE, metavar="CSV")
@option("--undo", is_flag=True)
@option("--correct", is_flag=True)
@option("--date", "day", type=date, metavar="DATE")
@lang_option
def record(
    *, file: Path, plan: Path | None, fills: Path | None, undo: bool, correct: bool, day: dt.date | None, lang: Lang
) -> None:
    """Book a stored plan into the portfolio's file and its ledger, or take the last booking back."""
    from rebalancer.clock import today
    from rebalancer.importing import cash_changes, holding_changes
    from rebalancer.ledgers import record_corrections, record_plan, take_back
    from rebalancer.saving import SUFFIXES
    from rebalancer.storing import plan_of, plan_of_fills
    from xl_addin.cli.importing import changes
    from xl_addin.show.terminal import paint_for

    if file.suffix.lower() not in (*SUFFIXES, *_BOOKS):
        raise InputError([error("record-kind", str(file), kinds=(*SUFFIXES, *_BOOKS))])
    day = day or today()
    if undo:
        take_back(file, day)
        sys.stdout.write(say("said.undone", lang, path=file) + "\n")
        return
    if correct and plan is None and fills is None:
        entries = record_corrections(file, day)
        sys.stdout.write(say("said.corrected", lang, count=len(entries), path=file) + "\n")
        return
    stored = plan_of(file, plan) if plan or fills is None else plan_of_fills(file, day)
    done = record_plan(file, stored, fills, day, lang, correct=correct)
    if stored.id:
        sys.stdout.write(_about(stored, lang) + "\n")
    held, cash = holding_changes(done.before, done.after), cash_changes(done.before, done.after)
    for line in changes(held, cash, lang, paint_for(sys.stdout)):
        sys.stdout.write(f"{line}\n")
    told = "said.recorded-plan" if stored.id else "said.recorded-fills"
    sys.stdout.write(say(told, lang, id=stored.id, path=file) + "\n")


@command("orders")
@portfolio_file
@option("--plan", "plan", type=FILE, metavar="PLAN.json")
@option("-o", "--output", type=FILE, required=True, metavar="ORDERS.csv")
@option("--format", "form", type=OneOf(_ORDER_FORMATS), default=_ORDER_FORMATS[0])
@force_option
@lang_option
def orders(*, file: Path, plan: Path | None, output: Path, form: str, force: bool, lang: Lang) -> None:
    """Write a stored plan's orders, and say where."""
    from rebalancer.clock import today
    from rebalancer.files import must_be_free, write_whole
    from rebalancer.loading import load
    from rebalancer.storing import check_unchanged, orders_csv, plan_of
    from xl_addin.show.terminal import paint_for, problem_lines

    must_be_free(output, ".csv", force=force)
    stored = plan_of(file, plan)
    check_unchanged(load(file), stored)
    sys.stdout.write(_about(stored, lang) + "\n")
    if (days := stored.days_old(today())) > _OLD:
        told = [warning("prices-aged", place("prices"), days=days, day=stored.oldest_price or stored.as_of)]
        sys.stderr.writelines(f"{line}\n" for line in problem_lines(told, lang, paint_for(sys.stderr)))
    # With its mark, Excel reads the file as UTF-8; a basket is read by a program that may not know it.
    write_whole(output, orders_csv(stored, form).encode("utf-8-sig" if form == _ORDER_FORMATS[0] else "utf-8"))
    sys.stdout.write(say("said.written", lang, path=output) + "\n")
