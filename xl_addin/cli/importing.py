"""`rebalancer import FILE…`: holdings and cash from brokers' exports into a portfolio, after showing what changes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.brokers import ALL_FORMATS, FIELDS, MAPPED_KINDS, TRANSACTION_FIELDS
from engine.errors import InputError, error
from engine.phrase import phrase, place
from engine.portfolio import ACCOUNT_TYPES
from engine.text import nearest
from engine.words import Lang, say
from xl_addin.cli.frame import BadValue, OneOf, argument, command, option
from xl_addin.cli.options import FILE, currency_option, force_option, lang_option

if TYPE_CHECKING:
    from rebalancer.booking import Booking
    from rebalancer.importing import CashChange, HoldingChange
    from xl_addin.show.terminal import Paint

#: Columns of the table of changes that hold words, and stand left.
_WORDS = 4


def _mapped(text: str) -> tuple[str, str]:
    """Return the header and the field of COLUMN=FIELD; raises BadValue for anything else."""
    header, _, field = text.rpartition("=")
    if not header or field not in (*FIELDS, *TRANSACTION_FIELDS, *MAPPED_KINDS):
        if near := nearest(field, FIELDS):
            raise BadValue(phrase("wanted.mapping-near", value=text, near=near, fields=FIELDS))
        raise BadValue(phrase("wanted.mapping", value=text, fields=FIELDS))
    return header, field


def _account_type(text: str) -> tuple[str, str]:
    """Return the account and the type of NAME=TYPE; raises BadValue for anything else."""
    name, _, kind = text.rpartition("=")
    if not name or kind.casefold() not in ACCOUNT_TYPES:
        raise BadValue(phrase("wanted.account-type", value=text, types=ACCOUNT_TYPES))
    return name, kind.casefold()


@command("import")
@argument("files", type=FILE, metavar="[FILE…]", nargs=-1)
@option("-o", "--output", type=FILE, metavar="OUT")
@option("--format", "form", type=OneOf(ALL_FORMATS), metavar="NAME")
@option("--broker", metavar="NAME", default="")
@option("--into", type=FILE, metavar="BOOK")
@option("--model", metavar="NAME", default="")
@option("--targets", type=FILE, metavar="FILE")
@option("--map", "mapping", type=_mapped, multiple=True, metavar="COLUMN=FIELD")
@option("--account-type", "account_types", type=_account_type, multiple=True, metavar="NAME=TYPE")
@option("--no-prices", is_flag=True)
@option("--ledger", is_flag=True)
@option("--correct", is_flag=True)
@option("--rebuild", is_flag=True)
@currency_option
@force_option
@lang_option
def import_(
    *,
    files: tuple[Path, ...],
    output: Path | None,
    form: str | None,
    broker: str,
    into: Path | None,
    model: str,
    targets: Path | None,
    mapping: tuple[tuple[str, str], ...],
    account_types: tuple[tuple[str, str], ...],
    no_prices: bool,
    ledger: bool,
    correct: bool,
    rebuild: bool,
    currency: str | None,
    force: bool,
    lang: Lang,
) -> None:
    """Show what the exports change, and write the portfolio where a place is named."""
    from rebalancer.importing import import_files, write_imported
    from xl_addin.show.terminal import paint_for, problem_lines

    where = place("command-line")
    if sum(map(bool, (into, model, targets))) > 1:
        raise InputError([error("bad-argument.one-of-targets", where)])
    if output is None and into is None:
        raise InputError([error("bad-argument.import-nowhere", where)])
    if (correct or rebuild) and (not ledger or into is None or (correct and rebuild)):
        raise InputError([error("bad-argument.correct-or-rebuild", where)])
    if ledger and into is not None:
        _import_into_ledger(
            files, into, output, form or "", broker, dict(mapping), lang, correct=correct, rebuild=rebuild
        )
        return
    if ledger:
        assert output is not None  # noqa: S101 - one of both is named
        _begin_ledger(files, output, form or "", dict(mapping), lang, force=force, broker=broker, model=model,
                      targets=targets, currency=currency or "", account_types=dict(account_types))  # fmt: skip
        return
    imported = import_files(
        files, form=form or "", broker=broker, mapping=dict(mapping), into=into, model=model, targets=targets,
        currency=currency or "", prices=not no_prices, account_types=dict(account_types),
    )  # fmt: skip
    sys.stderr.writelines(f"{line}\n" for line in problem_lines(imported.problems, lang, paint_for(sys.stderr)))
    sys.stdout.writelines(
        f"{line}\n" for line in changes(imported.changes, imported.cash_changes, lang, paint_for(sys.stdout))
    )
    if output is None:
        sys.stdout.write(say("said.import-not-written", lang) + "\n")
        return
    if told := write_imported(imported, output, lang, into=into, force=force):
        sys.stderr.write(f"{told}\n")
    sys.stdout.write(say("said.written", lang, path=output) + "\n")
    if not any(section.targets for section in imported.portfolio.sections):
        sys.stdout.write(say("said.import-targets", lang) + "\n")


def _import_into_ledger(
    files: tuple[Path, ...],
    into: Path,
    output: Path | None,
    form: str,
    broker: str,
    mapping: dict[str, str],
    lang: Lang,
    *,
    correct: bool,
    rebuild: bool,
) -> None:
    """Show which transactions are new, and book them where the portfolio is named again as the place."""
    from rebalancer.booking import import_transactions, read_transactions
    from rebalancer.clock import today
    from xl_addin.show.terminal import paint_for, problem_lines

    if output is not None and output.resolve() != into.resolve():
        raise InputError([error("bad-argument.ledger-elsewhere", place("command-line"), into=into)])
    if not files:
        raise InputError([error("bad-argument.ledger-files", place("command-line"))])
    lists, problems = read_transactions(files, form=form, mapping=mapping)
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    sys.stderr.writelines(f"{line}\n" for line in problem_lines(problems, lang, paint_for(sys.stderr)))
    found = import_transactions(
        into, lists, today(), lang, broker=broker, correct=correct, rebuild=rebuild, write=output is not None
    )
    tell_booking(found, lang)
    if output is None:
        if found.failed:
            raise InputError([one for one in found.problems if one.severity == "error"])
        sys.stdout.write(say("said.ledger-not-written", lang, path=into) + "\n")
    elif found.entries:
        sys.stdout.write(say("said.booked", lang, path=into) + "\n")


def _begin_ledger(
    files: tuple[Path, ...],
    output: Path,
    form: str,
    mapping: dict[str, str],
    lang: Lang,
    *,
    force: bool,
    broker: str,
    model: str,
    targets: Path | None,
    currency: str,
    account_types: dict[str, str],
) -> None:
    """Write a new portfolio and its ledger: what transactions come to, from the first on."""
    from rebalancer.booking import Booking, begin_with_ledger, portfolio_of_transactions, read_transactions
    from xl_addin.show.terminal import paint_for, problem_lines

    if not files:
        raise InputError([error("bad-argument.ledger-files", place("command-line"))])
    lists, problems = read_transactions(files, form=form, mapping=mapping)
    imported, entries = portfolio_of_transactions(
        lists, problems, broker=broker, model=model, targets=targets, currency=currency, account_types=account_types
    )
    sys.stderr.writelines(f"{line}\n" for line in problem_lines(imported.problems, lang, paint_for(sys.stderr)))
    told = begin_with_ledger(output, imported, entries, lang, force=force)
    nothing = replace(imported.portfolio, holdings=(), accounts=())
    tell_booking(Booking(nothing, imported.portfolio, entries), lang)
    if told:
        sys.stderr.write(f"{told}\n")
    sys.stdout.write(say("said.written", lang, path=output) + "\n")
    if not any(section.targets for section in imported.portfolio.sections):
        sys.stdout.write(say("said.import-targets", lang) + "\n")


def tell_booking(found: Booking, lang: Lang) -> None:
    """Print what is new in a ledger, how much of it was there, and what that changes in the portfolio."""
    from rebalancer.booking import kinds_of
    from rebalancer.importing import cash_changes, holding_changes
    from xl_addin.show.terminal import paint_for, problem_lines

    told = [one for one in found.problems if one.severity != "error"]
    sys.stderr.writelines(f"{line}\n" for line in problem_lines(told, lang, paint_for(sys.stderr)))
    if found.entries:
        days = [one.date for one in found.entries]
        sys.stdout.write(say("said.entries-new", lang, count=len(days), first=min(days), last=max(days),
                             kinds=kinds_of(found.entries)) + "\n")  # fmt: skip
    if found.known or not found.entries:
        sys.stdout.write(say("said.entries-known", lang, count=found.known) + "\n")
    if found.entries:
        shown = changes(holding_changes(found.before, found.after), cash_changes(found.before, found.after), lang,
                        paint_for(sys.stdout))  # fmt: skip
        sys.stdout.writelines(f"{line}\n" for line in shown)


def changes(holdings: Iterable[HoldingChange], cash: Iterable[CashChange], lang: Lang, paint: Paint) -> Iterable[str]:
    """Yield the table of what changes, and what cash becomes."""
    from xl_addin.show.terminal import TextColumn, TextRow, money, quantity, table_lines

    def cost(number: Decimal | None) -> str:
        # An average has as many digits as the division: the file keeps them, nobody reads more than four.
        return "" if number is None else quantity(round(number, 4))

    titles = ("change", "account", "symbol", "name", "quantity", "quantity-after", "cost-before", "cost-after")
    captions = [say(f"caption.import.{title}", lang) for title in titles]
    columns = [TextColumn(text, "<", 24) if n < _WORDS else TextColumn(text) for n, text in enumerate(captions)]
    rows = [
        TextRow((say(f"change.{one.kind}", lang), one.account, one.symbol, one.name, quantity(one.before),
                 quantity(one.after), cost(one.cost_before), cost(one.cost_after)))
        for one in holdings
    ]  # fmt: skip
    if rows:
        yield from table_lines(columns, rows, paint)
    cash = tuple(cash)
    for change in cash:
        before, after = (money(amount, change.currency) for amount in (change.before, change.after))
        account = f"{change.account} " if change.account else ""
        yield say("said.import-cash", lang, account=account, currency=change.currency, before=before, after=after)
    if not rows and not cash:
        yield say("said.import-nothing", lang)
