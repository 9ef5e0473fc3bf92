"""A plan as a finished workbook: into the person's own where that keeps everything of theirs, else a fresh one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from engine.market.quote import Quote
from engine.plan import Plan
from engine.portfolio import Portfolio
from engine.valuation import resolve_rates
from xl_addin.output.files import write_whole
from xl_addin.output.language import Lang
from xl_addin.output.sentences import reason_sentence

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
    from templates.report import plan_report

    rates, _ = resolve_rates(portfolio, quotes)
    report = partial(plan_report, portfolio, plan, partial(reason_sentence, lang=lang), lang, rates=rates)
    data, notice = None, ""
    if source is not None and (source.is_dir() or source.suffix.lower() in _BOOKS):
        from templates.reading import read_book
        from templates.refill import refill

        book = read_book(source)
        lang = book.lang
        made = plan_report(
            portfolio, plan, partial(reason_sentence, lang=lang), lang, rates=rates, history=book.history
        )
        data, notice = refill(source, made, lang)
        if data is None:
            data = build(made, lang).to_bytes()
    if data is None:
        data = build(report(), lang).to_bytes()
    finished: bytes = data
    write_whole(path, lambda temporary: _fill(temporary, finished))
    return notice


def _fill(path: Path, data: bytes) -> None:
    path.write_bytes(data)
