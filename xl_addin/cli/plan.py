"""`rebalancer plan FILE…` and `rebalancer demo`: drift and trades, for a person's portfolio or for the sample."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from engine.errors import InputError, error
from engine.phrase import Phrase, place
from engine.plan import Plan
from engine.settings import Mode, setting_fields
from engine.words import Lang, say
from xl_addin.cli.frame import EXIT_NEEDED, OneOf, argument, command, option, wants_fine_print
from xl_addin.cli.options import (
    FILE,
    accept_option,
    amount,
    as_of_option,
    facts_option,
    force_option,
    history_options,
    may_be_several,
    output_options,
    prices_option,
    stale_option,
)

#: A plan is kept under a name like this.
PLAN_SUFFIX = ".json"

if TYPE_CHECKING:
    from engine.quote import Quote
    from rebalancer.books import Analyse


@command("plan")
@argument("files", type=FILE, metavar="FILE…", nargs=-1, required=True)
@option("-o", "--output", type=FILE, metavar="OUT")
@force_option
@prices_option
@option("--mode", type=OneOf(setting_fields()["mode"]["choices"], "setting.mode"))
@option("--cash-flow", type=amount, metavar="N")
@as_of_option
@history_options
@facts_option
@option("--analyses", is_flag=True)
@stale_option
@accept_option
@option("--brief", is_flag=True)
@option("--check", is_flag=True)
@option("--notify", multiple=True, envvar="REBALANCER_NOTIFY", metavar="URL")
@option("--schedule", is_flag=True)
@option("--model", metavar="NAME", default="")
@option("--targets", type=FILE, metavar="FILE")
@option("--resume", is_flag=True)
@output_options
def plan(
    *,
    files: tuple[Path, ...],
    check: bool,
    notify: tuple[str, ...],
    schedule: bool,
    lang: Lang,
    **given: Any,  # noqa: ANN401 - the other options, as `_plan` declares them
) -> int:
    """Plan, and remind where that is asked for; or say how a computer is made to do that."""
    from xl_addin.cli.reminding import check_notify, schedule_line, telling_failure

    if schedule:
        sys.stdout.write(schedule_line(files, notify, lang))
        return 0
    told = check_notify(notify, check=check)
    with telling_failure(told, files, lang):
        return _plan(files=files, check=check, told=told, lang=lang, **given)


def _plan(
    *,
    files: tuple[Path, ...],
    output: Path | None,
    force: bool,
    prices: Path | None,
    mode: str | None,
    cash_flow: Decimal | None,
    as_of: dt.date | None,
    history: Path | None,
    offline: bool,
    facts: Path | None,
    analyses: bool,
    allow_stale: bool,
    accept: tuple[tuple[str, Decimal], ...],
    brief: bool,
    check: bool,
    told: tuple[str, ...],
    model: str,
    targets: Path | None,
    resume: bool,
    as_json: bool,
    lang: Lang,
) -> int:
    """Plan, print, and write the workbook where one is asked for; see `xl_addin.cli.many` for several portfolios.

    The status is 4 where a check finds trades needed.
    """
    from rebalancer.clock import today
    from rebalancer.files import output_problems
    from rebalancer.ledgers import with_year
    from rebalancer.loading import is_workbook, load_portfolio, usable
    from rebalancer.planning import adjusted, check_plannable, in_force, planned
    from rebalancer.quoting import quotes_for, quotes_in
    from xl_addin.cli.doing import doing

    if may_be_several(files):
        from rebalancer.gathering import one_portfolio
        from rebalancer.many import Terms
        from xl_addin.cli.many import Asked, plan_and_show

        if one_portfolio(files) is None:
            terms = Terms(as_of or today(), cast("Mode | None", mode), cash_flow, allow_stale, history, offline)
            asked = Asked(
                files, prices, dict(accept), model, targets, output, lang,
                force=force, resume=resume, as_json=as_json, check=check, notify=told,
            )  # fmt: skip
            return plan_and_show(asked, terms, {"--facts": facts, "--analyses": analyses})
    (file,) = files
    many = {"--model": model, "--targets": targets, "--resume": resume}
    if unusable := [
        error("bad-argument.many-portfolios", place("command-line"), option=o) for o, v in many.items() if v
    ]:
        raise InputError(unusable)
    loaded, problems = load_portfolio(file)
    given, found = quotes_in(prices)
    problems = (*problems, *found)
    keeps_plan = output is not None and output.suffix.lower() == PLAN_SUFFIX
    if output and not keeps_plan:
        # A workbook with macros keeps them only under a name that says so.
        macros = file.suffix.lower() == output.suffix.lower() == ".xlsm"
        problems += output_problems(output, ".xlsm" if macros else ".xlsx", force=force)
    elif facts or analyses or (history and not (loaded and loaded.volatility_followers)):
        problems += (error("bad-argument.analysis-without-workbook", place("command-line")),)
    portfolio, problems = adjusted(usable(loaded, problems), cast("Mode | None", mode), cash_flow)
    check_plannable(portfolio, problems)
    book = file if is_workbook(file) else None
    with doing("prices", lang):
        quotes, found = quotes_for(portfolio, given, offline=offline, book=book, accept=dict(accept))
    day = as_of or today()
    portfolio, bands = in_force(portfolio, day, history, offline=offline)
    with doing("plan", lang) as watch:
        made = planned(
            with_year(portfolio, file, day), quotes, day, (*problems, *found, *bands),
            allow_stale=allow_stale, watch=watch,
        )  # fmt: skip
        # What the ledger says is no setting of the file's own.
        made = replace(made, portfolio=replace(made.portfolio, settings=portfolio.settings))
    if keeps_plan and output:
        from rebalancer.storing import check_replaceable

        check_replaceable(output, made, force=force)
    since = _since(file, made)
    if keeps_plan and output:
        from rebalancer.files import write_whole

        write_whole(output, document(made).encode())
    elif output:
        from rebalancer.analysing import Sources
        from rebalancer.books import write_plan_book

        analyse = None
        if history or facts or analyses:
            analyse = _analyse(quotes, history, facts, offline=offline or not analyses)
        closes = Sources(history, None, offline or not analyses)
        notice = write_plan_book(made, output, lang, file, analyse, closes)
        if notice:
            sys.stderr.write(f"{notice}\n")
    _show(made, lang, output, as_json=as_json, brief=brief, since=since)
    if not check or not made.needs_rebalancing:
        return 0
    from xl_addin.cli.reminding import tell_need

    tell_need(told, made, file, lang)
    return EXIT_NEEDED


def _analyse(quotes: Mapping[str, Quote], history: Path | None, facts: Path | None, *, offline: bool) -> Analyse:
    """Return what fills the Analysis sheet."""
    from rebalancer.analysing import Sources
    from rebalancer.tabulating import analysis_tables

    sources = Sources(history, facts, offline)
    return lambda made, lang: analysis_tables(made.portfolio, quotes, sources, made.as_of, lang)


@command("demo")
@option("-o", "--output", type=FILE, metavar="DIR", default=".")
@output_options
def demo(*, output: Path, as_json: bool, lang: Lang) -> None:
    """Plan the samples, write the workbook, print the plan and where the workbook is."""
    from rebalancer.books import write_plan_book
    from rebalancer.files import free_name
    from rebalancer.samples import sample_plan, sample_quotes
    from rebalancer.tabulating import sample_tables

    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise InputError([error("output-folder.not-made", str(output), reason=reason)]) from None
    made = sample_plan()
    quotes, _, _ = sample_quotes()
    workbook = free_name(output, "demo-plan", ".xlsx").resolve()
    write_plan_book(
        made, workbook, lang, analyse=lambda made, lang: sample_tables(made.portfolio, quotes, made.as_of, lang)
    )
    _show(made, lang, workbook, as_json=as_json, workbook=str(workbook))


def _since(file: Path, made: Plan) -> tuple[Phrase, ...]:
    """Return what has changed since the plan that was kept of this file, where one was."""
    from rebalancer.since import changes_since, earlier_plan

    before = earlier_plan(file)
    return changes_since(before, made) if before else ()


def document(made: Plan, **more: str) -> str:
    """Return a plan as its JSON document; `more` are further keys."""
    from rebalancer.storing import stamp
    from xl_addin.show.json import dump

    return dump({**stamp(made), **made.to_json(), **more})


def _show(
    made: Plan,
    lang: Lang,
    written: Path | None,
    *,
    as_json: bool,
    brief: bool = False,
    since: tuple[Phrase, ...] = (),
    **more: str,
) -> None:
    """Print the plan and where it was written; `more` are further keys of the JSON document."""
    if as_json:
        sys.stdout.write(document(made, **more))
        return
    from xl_addin.show.terminal import paint_for, wrap
    from xl_addin.show.text import conclusion, report

    told = [one.told(lang) for one in since]
    paint = paint_for(sys.stdout)
    text = report(made, lang, paint, brief=brief, verbose=wants_fine_print(), since=told)
    sys.stdout.write(text)
    if sys.stdout.isatty() and text.count("\n") > shutil.get_terminal_size().lines:
        # The beginning is above the screen by now.
        sys.stdout.writelines(f"\n{paint(line, 'bold')}" for line in wrap(conclusion(made, lang), paint.sentence))
        sys.stdout.write("\n")
    if written:
        kept = written.suffix.lower() == PLAN_SUFFIX
        sys.stdout.write(f"{say('report.kept' if kept else 'report.written', lang, path=written)}\n")
