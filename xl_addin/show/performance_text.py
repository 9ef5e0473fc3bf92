"""A portfolio over time as a terminal report: the answer first, then years, accounts and sections."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from decimal import Decimal

from engine.history import as_date
from engine.ledger.performance import YEAR, OverTime, Performance, Returns
from engine.words import Lang, say
from templates.spec.vocabulary import spoken
from xl_addin.show.terminal import Paint, TextColumn, TextRow, money, problem_lines, table_lines, wrap

NONE = "–"


def _say(key: str, lang: Lang, **values: object) -> str:
    return say(f"performance.{key}", lang, **values)


def performance_text(result: Performance, name: str, lang: Lang, paint: Paint) -> str:
    """Return what the portfolio is worth, what was paid in, what it returned and what that cost."""
    width = shutil.get_terminal_size((80, 24)).columns
    whole, totals, currency = result.whole, result.totals, result.currency
    returns = whole.returns()
    paid = Decimal(repr(float((whole.came - whole.taken).sum())))
    value = Decimal(repr(float(whole.value[-1])))
    short = (as_date(whole.days[-1]) - as_date(whole.days[0])).days < YEAR
    below = _say("under-a-year", lang) if short else NONE
    head = _say("head", lang, name=name, first=as_date(whole.days[0]), last=as_date(whole.days[-1]))
    lines = [
        (_say("value", lang), money(value, currency)),
        (_say("paid", lang), money(paid, currency)),
        (_say("gain", lang), money(value - paid, currency)),
        (_say("time-weighted", lang), _rate(returns.time_weighted)),
        (_say("yearly", lang), _rate(returns.yearly) if returns.yearly is not None else below),
        (_say("money-weighted", lang), _rate(returns.money_weighted) if returns.money_weighted is not None else below),
        (_say("benchmark", lang), _rate(result.benchmark.time_weighted if result.benchmark else None)),
        (_say("dividends", lang), money(totals.dividends + totals.interest, currency)),
        (_say("costs", lang), money(totals.costs, currency)),
        (_say("taxes", lang), money(totals.taxes, currency)),
        (_say("realised-average", lang), _sum(totals.realised_average, currency)),
        (_say("realised-fifo", lang), _sum(totals.realised_fifo, currency)),
        (_say("turnover", lang), f"{result.turnover:.2%}"),
        (_say("drift", lang), f"{result.drift[-1]:.2%} ({_say('widest', lang, drift=float(result.drift.max()))})"),
        (_say("outside", lang), f"{result.outside:,} / {len(whole.days):,}"),
    ]
    columns = [TextColumn("", "<", 44), TextColumn("", ">", 30)]
    top = table_lines(columns, [TextRow(line) for line in lines], paint)[2:]
    blocks = [[paint(head, "bold")], top]
    if len(result.by_year) > 1:
        rows = [
            (str(year), *_figures(one), _sum(sums.realised_average, currency))
            for year, (one, sums) in result.by_year.items()
        ]
        heads = ("year", "time-weighted-short", "money-weighted-short", "realised-short")
        blocks.append(_table(heads, rows, lang, paint))
    for kind, parts in (("account", result.accounts), ("section", result.sections)):
        if parts:
            names = [str(spoken("section", one.name, lang)) if kind == "section" else one.name for one in parts]
            rows = [
                (name or _say("none", lang), _worth(one, currency), *_figures(one.returns()))
                for name, one in zip(names, parts, strict=True)
            ]
            blocks.append(
                _table((kind, "value-short", "time-weighted-short", "money-weighted-short"), rows, lang, paint)
            )
    blocks.append(wrap(_say("legend", lang), width))
    if told := problem_lines(result.problems, lang, paint, width):
        blocks.append(told)
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _table(heads: Sequence[str], rows: Sequence[tuple[str, ...]], lang: Lang, paint: Paint) -> list[str]:
    columns = [TextColumn(_say(head, lang), "<" if at == 0 else ">", 24) for at, head in enumerate(heads)]
    return table_lines(columns, [TextRow(row) for row in rows], paint)


def _figures(returns: Returns) -> tuple[str, str]:
    return _rate(returns.time_weighted), _rate(returns.money_weighted)


def _worth(part: OverTime, currency: str) -> str:
    return money(Decimal(repr(float(part.value[-1]))), currency)


def _rate(value: float | None) -> str:
    # What rounds to nothing has no minus.
    return NONE if value is None else f"{round(value, 4) + 0.0:+.2%}"


def _sum(value: Decimal | None, currency: str) -> str:
    return NONE if value is None else money(value, currency)
