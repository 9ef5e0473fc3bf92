"""A plan as a finished workbook: into the person's own where that keeps everything of theirs, else a fresh one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.market.quote import Quote
from engine.plan import Plan
from engine.portfolio import Portfolio
from engine.valuation import resolve_rates
from xl_addin.output.files import write_whole
from xl_addin.output.language import Lang
from xl_addin.output.sentences import reason_sentence

if TYPE_CHECKING:
    from templates.report import Report, Row

_BOOKS = (".xlsx", ".xlsm", ".ods")


def write_plan_book(
    portfolio: Portfolio,
    plan: Plan,
    quotes: Mapping[str, Quote],
    path: Path,
    lang: Lang,
    source: Path | None = None,
) -> str:
    """Write the plan's workbook, whole or not at all, and return what the person has to know about it, or "".

    `source` is the file the portfolio came from. A person's own .xlsx keeps its cells, formats, notes and sheets; where
    it has something that would be lost, the workbook is made afresh, and the answer says so. Raises InputError where
    the place cannot be written to.
    """
    from templates.build import build

    history: tuple[Row, ...] = ()
    own = source is not None and (source.is_dir() or source.suffix.lower() in _BOOKS)
    if own and source is not None:
        from templates.reading import read_book

        book = read_book(source)
        lang, history = book.lang, book.history
    report = book_report(portfolio, plan, quotes, lang, history)
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
    portfolio: Portfolio, plan: Plan, quotes: Mapping[str, Quote], lang: Lang, history: tuple[Row, ...] = ()
) -> Report:
    """Return what the workbook of a plan shows: the plan, the rates, and the analyses that need no history."""
    from templates.report import plan_report

    rates, _ = resolve_rates(portfolio, quotes)
    say = partial(reason_sentence, lang=lang)
    analyses = _analyses(portfolio, plan, quotes, lang)
    return plan_report(portfolio, plan, say, lang, rates=rates, history=history, analyses=analyses)


def _analyses(portfolio: Portfolio, plan: Plan, quotes: Mapping[str, Quote], lang: Lang) -> dict[str, tuple[Row, ...]]:
    """Return what can be analysed without history: the year's tasks, and every limit beside what it is today."""
    from engine.analysis.calendar import calendar
    from engine.analysis.limits import RiskInputs
    from engine.analysis.risk import risk
    from engine.valuation import resolve_fx, resolve_prices, value

    prices, _ = resolve_prices(portfolio, quotes, plan.as_of)
    fx, _ = resolve_fx(portfolio, quotes)
    fees = {symbol: instrument.expense_ratio for symbol, instrument in portfolio.instruments.items()}
    rules = risk(portfolio, value(portfolio, prices, fx), RiskInputs(fees=fees))
    items = calendar(portfolio, plan.as_of)
    return {
        "Limits": tuple(
            {"Rule": r.rule, "Scope": r.scope, "Limit": r.shown[0], "Actual": r.shown[1], "Status": r.status}
            for r in rules
            if r.status != "UNKNOWN" or r.actual is not None  # what needs facts or history: `rebalancer risk`
        ),
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
