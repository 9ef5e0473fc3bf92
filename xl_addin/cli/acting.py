"""`rebalancer record` and `rebalancer orders`: what is done with a stored plan, never with a new one."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast

from engine.errors import InputError, error, warning
from engine.money import MINOR_DIGITS, ZERO
from engine.phrase import phrase, place
from engine.words import Lang, say
from xl_addin.cli.frame import BadValue, OneOf, command, option
from xl_addin.cli.options import FILE, amount, date, force_option, lang_option, portfolio_file, prices_option

if TYPE_CHECKING:
    from engine.ledger.kinds import EntryKind
    from engine.portfolio import Portfolio
    from rebalancer.booking import Event
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


def _money(text: str) -> tuple[str, Decimal]:
    """Return the currency ("": the base currency) and the amount of 500000 or USD=500; raises BadValue for others."""
    code, _, number = text.rpartition("=")
    if (code and code.upper() not in MINOR_DIGITS) or amount(number) <= 0:
        raise BadValue(phrase("wanted.money", value=text))
    return code.upper(), amount(number)


def _of_symbol(text: str) -> tuple[str, Decimal]:
    """Return the symbol and the number of QQQ=12.30; raises BadValue for anything else."""
    symbol, _, number = text.rpartition("=")
    if not symbol.strip() or amount(number) <= 0:
        raise BadValue(phrase("wanted.of-symbol", value=text))
    return symbol.strip(), amount(number)


@command("record")
@portfolio_file
@option("--plan", "plan", type=FILE, metavar="PLAN.json")
@option("--fills", type=FILE, metavar="CSV")
@option("--deposit", "deposits", type=_money, multiple=True, metavar="[CUR=]AMOUNT")
@option("--withdrawal", "withdrawals", type=_money, multiple=True, metavar="[CUR=]AMOUNT")
@option("--dividend", "dividends", type=_of_symbol, multiple=True, metavar="SYMBOL=AMOUNT")
@option("--interest", "interests", type=_money, multiple=True, metavar="[CUR=]AMOUNT")
@option("--fee", "fees", type=_money, multiple=True, metavar="[CUR=]AMOUNT")
@option("--split", "splits", type=_of_symbol, multiple=True, metavar="SYMBOL=RATIO")
@option("--tax", type=amount, metavar="AMOUNT")
@option("--account", metavar="NAME", default="")
@option("--entries", type=FILE, metavar="CSV")
@option("--snapshot", is_flag=True)
@prices_option
@option("--offline", is_flag=True)
@option("--undo", is_flag=True)
@option("--correct", is_flag=True)
@option("--rebuild", is_flag=True)
@option("--date", "day", type=date, metavar="DATE")
@lang_option
def record(
    *,
    file: Path,
    plan: Path | None,
    fills: Path | None,
    deposits: tuple[tuple[str, Decimal], ...],
    withdrawals: tuple[tuple[str, Decimal], ...],
    dividends: tuple[tuple[str, Decimal], ...],
    interests: tuple[tuple[str, Decimal], ...],
    fees: tuple[tuple[str, Decimal], ...],
    splits: tuple[tuple[str, Decimal], ...],
    tax: Decimal | None,
    account: str,
    entries: Path | None,
    snapshot: bool,
    prices: Path | None,
    offline: bool,
    undo: bool,
    correct: bool,
    rebuild: bool,
    day: dt.date | None,
    lang: Lang,
) -> None:
    """Book what happened into the portfolio's file and its ledger, or take the last booking back."""
    from rebalancer.booking import Event
    from rebalancer.clock import today
    from rebalancer.ledgers import lacks_sheet, ledger_file
    from rebalancer.saving import SUFFIXES

    if file.suffix.lower() not in (*SUFFIXES, *_BOOKS):
        raise InputError([error("record-kind", str(file), kinds=(*SUFFIXES, *_BOOKS))])
    day = day or today()
    said = {
        "deposit": deposits, "withdrawal": withdrawals, "dividend": dividends, "interest": interests, "fee": fees,
        "split": splits,
    }  # fmt: skip
    events = [Event(cast("EntryKind", kind), name, size) for kind, given in said.items() for name, size in given]
    ways = {"--undo": undo, "--rebuild": rebuild, "--snapshot": snapshot, "--entries": bool(entries),
            "--plan": bool(plan or fills), "--deposit": bool(events)}  # fmt: skip
    if sum(ways.values()) > 1 or (correct and sum(ways.values()) - ways["--plan"]):
        used = (*(name for name, given in ways.items() if given), *(["--correct"] if correct else []))
        raise InputError([error("bad-argument.one-way", place("command-line"), options=used)])
    if events or entries:
        _book(file, events, entries, day, lang, account=account, tax=tax or ZERO)
    elif snapshot:
        _snapshot(file, prices, day, lang, offline=offline)
    elif rebuild or undo or (correct and plan is None and fills is None):
        _put_right(file, day, lang, rebuild=rebuild, undo=undo)
    else:
        _record_plan(file, plan, fills, day, lang, correct=correct)
    if lacks_sheet(file):
        sys.stdout.write(say("said.ledger-beside", lang, path=ledger_file(file)) + "\n")


def _put_right(file: Path, day: dt.date, lang: Lang, *, rebuild: bool, undo: bool) -> None:
    """Make the file what its ledger comes to, take the last booking back, or book what was changed by hand."""
    from rebalancer.booking import rebuild_file
    from rebalancer.ledgers import record_corrections, shared_with, take_back
    from xl_addin.show.terminal import paint_for, problem_lines

    if rebuild:
        found = rebuild_file(file, lang)
        _tell_changes(found.before, found.after, lang)
        sys.stdout.write(say("said.rebuilt", lang, path=file) + "\n")
    elif undo:
        take_back(file, day)
        sys.stdout.write(say("said.undone", lang, path=file) + "\n")
    else:
        added = record_corrections(file, day)
        told = problem_lines(shared_with(file) if added else (), lang, paint_for(sys.stderr))
        sys.stderr.writelines(f"{line}\n" for line in told)
        sys.stdout.write(say("said.corrected", lang, count=len(added), path=file) + "\n")


def _record_plan(file: Path, plan: Path | None, fills: Path | None, day: dt.date, lang: Lang, *, correct: bool) -> None:
    """Book a stored plan, or the fills in its place, and say what has changed."""
    from rebalancer.ledgers import record_plan
    from rebalancer.storing import plan_of, plan_of_fills

    stored = plan_of(file, plan) if plan or fills is None else plan_of_fills(file, day)
    done = record_plan(file, stored, fills, day, lang, correct=correct)
    if stored.id:
        sys.stdout.write(_about(stored, lang) + "\n")
    _tell_changes(done.before, done.after, lang)
    told = "said.recorded-plan" if stored.id else "said.recorded-fills"
    sys.stdout.write(say(told, lang, id=stored.id, path=file) + "\n")


def _tell_changes(before: Portfolio, after: Portfolio, lang: Lang) -> None:
    """Print what of holdings and cash has changed."""
    from rebalancer.importing import cash_changes, holding_changes
    from xl_addin.cli.importing import changes
    from xl_addin.show.terminal import paint_for

    shown = changes(holding_changes(before, after), cash_changes(before, after), lang, paint_for(sys.stdout))
    sys.stdout.writelines(f"{line}\n" for line in shown)


def _book(
    file: Path, events: Sequence[Event], entries: Path | None, day: dt.date, lang: Lang, *, account: str, tax: Decimal
) -> None:
    """Book events, or a list of entries, and say what has changed."""
    from rebalancer.booking import entries_of_events, not_yet, read_entry_list, record_entries
    from rebalancer.clock import today
    from rebalancer.loading import load
    from xl_addin.cli.importing import tell_booking

    if entries:
        found = record_entries(file, read_entry_list(entries, load(file)), day, lang, once=True)
    else:
        made = entries_of_events(load(file), events, day, account=account, tax=tax)
        found = record_entries(file, made, day, lang)
    tell_booking(replace(found, problems=(*found.problems, *not_yet(found.entries, today()))), lang)
    if found.entries:
        sys.stdout.write(say("said.booked", lang, path=file) + "\n")


def _snapshot(file: Path, prices: Path | None, day: dt.date, lang: Lang, *, offline: bool) -> None:
    """Add a snapshot to the ledger, and say so."""
    from rebalancer.ledgers import record_snapshot
    from rebalancer.loading import is_workbook, load
    from rebalancer.quoting import quotes_for, quotes_in
    from xl_addin.show.terminal import paint_for, problem_lines, waiting

    portfolio, (given, problems) = load(file), quotes_in(prices)
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    with waiting(say("doing.prices", lang)):
        quotes, found = quotes_for(portfolio, given, offline=offline, book=file if is_workbook(file) else None)
    sys.stderr.writelines(f"{line}\n" for line in problem_lines((*problems, *found), lang, paint_for(sys.stderr)))
    entries = record_snapshot(file, quotes, day)
    sys.stdout.write(say("said.snapshot", lang, day=day, count=len(entries), path=file) + "\n")


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
