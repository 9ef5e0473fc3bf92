"""`rebalancer record` and `rebalancer orders`: what is done with a stored plan, never with a new one."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import InputError, error
from engine.phrase import place
from engine.words import Lang, say
from xl_addin.cli.frame import OneOf, command, option
from xl_addin.cli.options import FILE, force_option, lang_option, portfolio_file

_ORDER_FORMATS = ("list", "ib")


@command("record")
@portfolio_file
@option("--plan", "plan", type=FILE, metavar="PLAN.json")
@option("--fills", type=FILE, metavar="CSV")
@option("--undo", is_flag=True)
@lang_option
def record(*, file: Path, plan: Path | None, fills: Path | None, undo: bool, lang: Lang) -> None:
    """Book a stored plan into the portfolio's file, or take the last booking back."""
    from rebalancer.files import write_whole
    from rebalancer.importing import cash_changes, holding_changes
    from rebalancer.loading import load
    from rebalancer.saving import SUFFIXES, yaml_text
    from rebalancer.storing import keep_for_undo, read_fills, read_plan, record_stored, undo_file, undone
    from xl_addin.cli.importing import changes
    from xl_addin.show.terminal import paint_for

    if file.suffix.lower() not in SUFFIXES:
        raise InputError([error("record-yaml-only", str(file))])
    if undo:
        write_whole(file, undone(file))
        undo_file(file).unlink()
        sys.stdout.write(say("said.undone", lang, path=file) + "\n")
        return
    if plan is None:
        raise InputError([error("bad-argument.no-plan", place("command-line"))])
    before, stored = load(file), read_plan(plan)
    after = record_stored(before, stored, None if fills is None else read_fills(fills, stored))
    text = yaml_text(after, file)
    for line in changes(holding_changes(before, after), cash_changes(before, after), lang, paint_for(sys.stdout)):
        sys.stdout.write(f"{line}\n")
    write_whole(undo_file(file), keep_for_undo(file, text))
    write_whole(file, text.encode())
    sys.stdout.write(say("said.recorded-plan", lang, id=stored.id, path=file) + "\n")


@command("orders")
@portfolio_file
@option("--plan", "plan", type=FILE, metavar="PLAN.json")
@option("-o", "--output", type=FILE, required=True, metavar="ORDERS.csv")
@option("--format", "form", type=OneOf(_ORDER_FORMATS), default=_ORDER_FORMATS[0])
@force_option
@lang_option
def orders(*, file: Path, plan: Path | None, output: Path, form: str, force: bool, lang: Lang) -> None:
    """Write a stored plan's orders, and say where."""
    from rebalancer.files import must_be_free, write_whole
    from rebalancer.loading import load
    from rebalancer.storing import check_unchanged, orders_csv, read_plan

    if plan is None:
        raise InputError([error("bad-argument.no-plan", place("command-line"))])
    must_be_free(output, ".csv", force=force)
    stored = read_plan(plan)
    check_unchanged(load(file), stored)
    # With its mark, Excel reads the file as UTF-8; a basket is read by a program that may not know it.
    write_whole(output, orders_csv(stored, form).encode("utf-8-sig" if form == _ORDER_FORMATS[0] else "utf-8"))
    sys.stdout.write(say("said.written", lang, path=output) + "\n")
