"""A plan as a finished workbook: into the person's own where that keeps everything of theirs, else a fresh one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.plan import Plan
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.valuation import resolve_rates
from rebalancer.files import write_whole
from rebalancer.language import Lang
from xl_addin.show.sentences import reason_sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.report import Report, Row
    from xl_addin.show.analysis_sheet import Findings

    Analyse = Callable[[Portfolio, Mapping[str, Quote], dt.date, Lang], Findings]

_BOOKS = (".xlsx", ".xlsm", ".ods")


def write_plan_book(
    portfolio: Portfolio,
    plan: Plan,
    quotes: Mapping[str, Quote],
    path: Path,
    lang: Lang,
    source: Path | None = None,
    analyse: Analyse | None = None,
) -> str:
    """Write the plan's workbook, whole or not at all, and return what the person has to know about it, or "".

    `source` is the file the portfolio came from. A person's own .xlsx keeps its cells, formats, notes and sheets; where
    it has something that would be lost, the workbook is made afresh, and the answer says so. `analyse` finds what the
    Analysis sheet shows, in the workbook's language. Raises InputError where the place cannot be written to.
    """
    from templates.build import build

    history: tuple[Row, ...] = ()
    own = source is not None and (source.is_dir() or source.suffix.lower() in _BOOKS)
    if own and source is not None:
        from templates.reading import read_book

        book = read_book(source)
        lang, history = book.lang, book.history
    found = analyse(portfolio, quotes, plan.as_of, lang) if analyse else None
    report = book_report(portfolio, plan, quotes, lang, history, found)
    data, notice = None, ""
    if own and source is not None:
        from templates.refill import refill

        data, notice = refill(source, report, lang)
    if data is None:
        data = build(report, lang).to_bytes()
    finished: bytes = data
    write_whole(path, lambda temporary: _fill(temporary, finished))
    return notice


def book_report(
    portfolio: Portfolio,
    plan: Plan,
    quotes: Mapping[str, Quote],
    lang: Lang,
    history: tuple[Row, ...] = (),
    found: Findings | None = None,
) -> Report:
    """Return what the workbook of a plan shows: the plan, the rates, the analyses that need no history, and `found`."""
    from templates.report import plan_report, problem_rows

    rates, _ = resolve_rates(portfolio, quotes, plan.as_of)
    say = partial(reason_sentence, lang=lang)
    analyses = _analyses(portfolio, plan, quotes, lang)
    if found:
        problems = dict.fromkeys((*plan.problems, *found.problems))
        analyses |= {**found.rows, "Problems": problem_rows(tuple(problems), lang)}
    notes = found.notes if found else {}
    return plan_report(portfolio, plan, say, lang, rates=rates, history=history, analyses=analyses, notes=notes)


def _analyses(portfolio: Portfolio, plan: Plan, quotes: Mapping[str, Quote], lang: Lang) -> dict[str, tuple[Row, ...]]:
    """Return what can be analysed without history: the year's tasks, and every limit beside what it is today."""
    from engine.analysis.calendar import calendar
    from engine.analysis.limits import RiskInputs
    from engine.analysis.risk import risk
    from engine.valuation import resolve_fx, resolve_prices, value
    from xl_addin.show.analysis_rows import limit_rows

    prices, _ = resolve_prices(portfolio, quotes, plan.as_of)
    fx, _ = resolve_fx(portfolio, quotes, plan.as_of)
    fees = {symbol: instrument.expense_ratio for symbol, instrument in portfolio.instruments.items()}
    rules = risk(portfolio, value(portfolio, prices, fx), RiskInputs(fees=fees))
    items = calendar(portfolio, plan.as_of)
    return {
        "Limits": limit_rows(rules, lang),  # what needs facts or history: `rebalancer risk`
        "Calendar": tuple(
            {
                "Date": item.date,
                "Section": item.section,
                "Task": item.task_ko if lang == "ko" else item.task,
                "Due": "due" if item.due else "",
            }
            for item in items
        ),
    }


def _fill(path: Path, data: bytes) -> None:
    path.write_bytes(data)
