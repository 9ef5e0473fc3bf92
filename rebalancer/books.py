"""A plan as a finished workbook: into the person's own where that keeps everything of theirs, else a fresh one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.phrase import Phrase, phrase
from engine.plan import Plan
from engine.words import Lang
from rebalancer.files import keep_copy, must_be_free, write_whole

if TYPE_CHECKING:
    from rebalancer.analysing import Sources
    from rebalancer.tabulating import AnalysisTables
    from templates.cells import Row, Rows
    from templates.report import BookReport

#: Finds what the Analysis sheet of a plan's workbook shows, in its language.
Analyse = Callable[[Plan, Lang], "AnalysisTables"]
_BOOKS = (".xlsx", ".xlsm", ".ods")


def write(plan: Plan, path: str | Path, *, lang: Lang = "en", force: bool = False) -> None:
    """Write a plan as a workbook (.xlsx), whole or not at all.

    Raises InputError where the name is no workbook's, the place cannot be written to, or a file is there and may not
    be replaced (`force`).
    """
    path = Path(path)
    must_be_free(path, ".xlsx", force=force)
    write_plan_book(plan, path, lang)


def write_plan_book(
    plan: Plan,
    path: Path,
    lang: Lang,
    source: Path | None = None,
    analyse: Analyse | None = None,
    closes: Sources | None = None,
) -> str:
    """Write the plan's workbook, whole or not at all, and return what the person has to know about it, or "".

    `source` is the file the portfolio came from. A person's own .xlsx or .xlsm keeps all that is theirs; where it
    is none of ours, or of another kind than `path`, the workbook is made afresh, and the answer says so. Before the
    first plan is written over the file it came from, a copy of it is kept beside it. `analyse` finds what the Analysis
    sheet shows, in the workbook's language; the Performance sheet shows what the file's ledger came to, at `closes`
    (those that were fetched before). Raises InputError where the place cannot be written to.
    """
    from templates.ledger import ledger_rows
    from templates.write import build

    history: tuple[Row, ...] = ()
    own = source is not None and (source.is_dir() or source.suffix.lower() in _BOOKS)
    if own and source is not None:
        from templates.read.book import read_book

        book = read_book(source)
        lang, history = book.lang, book.history
    found = analyse(plan, lang) if analyse else None
    if source is not None and not source.is_dir():
        found = _over_time(plan, source, closes, lang, found)
    report = plan_book(_of_the_year(plan, source) if source is not None else plan, lang, history, found)
    data: bytes | None = None
    notice: Phrase | None = None
    if own and source is not None:
        from templates.merge import write_back

        if path.suffix.lower() == ".xlsx" and source.suffix.lower() == ".xlsm":
            notice = phrase("not-kept", file=source.name, reason=phrase("not-kept.macros"))
        else:
            data, notice = write_back(source, report, lang)
    told = [notice] if notice else []
    if source is not None and path.exists() and path.samefile(source):
        kept = keep_copy(path)
        told += [phrase("copy-kept", file=kept.name)] if kept else []
    if data is None:
        rows = ledger_rows(book.ledger.entries) if own else ()
        data = build(replace(report, ledger=rows), lang).to_bytes()
    write_whole(path, data)
    return "\n".join(sentence.told(lang) for sentence in told)


def _over_time(
    plan: Plan,
    source: Path,
    closes: Sources | None,
    lang: Lang,
    found: AnalysisTables | None,
) -> AnalysisTables | None:
    """Add what the ledger of the plan's file came to, where it has one."""
    from rebalancer.ledgers import read_ledger

    ledger = read_ledger(source)
    if not ledger.entries:
        return found
    from rebalancer.analysing import Sources
    from rebalancer.performing import add_performance, performance_of
    from rebalancer.tabulating import AnalysisTables

    result = performance_of(plan.portfolio, ledger, closes or Sources(offline=True), plan.as_of, plan)
    if result is not None:
        found = found or AnalysisTables()
        add_performance(found, result, plan.portfolio, lang)
    return found


def _of_the_year(plan: Plan, source: Path) -> Plan:
    """Return a plan that knows what the year came to by the ledger of its file; its settings stay the file's."""
    from rebalancer.ledgers import with_year

    if plan.portfolio.so_far.realised is not None or source.is_dir():
        return plan
    so_far = with_year(plan.portfolio, source, plan.as_of).so_far
    return replace(plan, portfolio=replace(plan.portfolio, so_far=so_far))


def plan_book(
    plan: Plan,
    lang: Lang,
    history: tuple[Row, ...] = (),
    found: AnalysisTables | None = None,
) -> BookReport:
    """Return what the workbook of a plan shows: the plan, the rates, the analyses that need no history, and `found`."""
    from templates.report import plan_report, problem_rows

    analyses = _analyses(plan, lang)
    if found:
        problems = dict.fromkeys((*plan.problems, *found.problems))
        analyses |= {**found.rows, "Problems": problem_rows(tuple(problems), lang)}
    notes = found.notes if found else {}
    report = plan_report(plan, lang, history=history, tables=analyses, notes=notes)
    return replace(report, shares=found.shares) if found else report


def _analyses(plan: Plan, lang: Lang) -> dict[str, Rows]:
    """Return what can be analysed without history: the year's tasks, and every limit beside what it is today."""
    from engine.analysis.calendar import Calendar, calendar
    from engine.analysis.risk import RiskInputs, risk
    from engine.costs.tax import in_won
    from rebalancer.tabulating import calendar_rows, limit_rows

    portfolio = plan.portfolio
    gained = portfolio.settings.realised.get("overseas", portfolio.so_far.realised)
    realised = None if gained is None else in_won(gained, plan.valuation.fx)
    tasks = calendar(portfolio, plan.as_of, realised=realised)
    return {
        # What needs facts or history: `rebalancer risk`.
        "Limits": limit_rows(risk(portfolio, plan.valuation, RiskInputs(as_of=plan.as_of)), lang),
        "Calendar": calendar_rows(Calendar(tasks, portfolio.notes), lang),
    }
