"""A backtest as a terminal report: a row per policy, what is noise, how it was done."""

from __future__ import annotations

import shutil

from engine.backtest.result import Backtest, Row
from engine.words import Lang, say
from rebalancer.backtesting import verdict
from xl_addin.show.terminal import Paint, TextColumn, TextRow, problem_lines, table_lines, wrap

NONE = "–"
#: A terminal of this width shows what does not fit into 80 columns too.
_WIDE = 110


def _say(key: str, lang: Lang, **values: object) -> str:
    return say(f"backtest.{key}", lang, **values)


def backtest_text(result: Backtest, lang: Lang, paint: Paint) -> str:
    """Return a row per policy in the order asked for, what of their differences is noise, and how it was done."""
    width = shutil.get_terminal_size((80, 24)).columns
    wide = width >= _WIDE
    heads = ["return", "volatility", "fall", "error", "turnover", "orders", "paid", "final"]
    if wide:
        heads[6:7] = ["costs", "taxes", "money-weighted"]
    columns = [TextColumn(_say("column-policy", lang), "<", 18 if not wide else 30)]
    columns += [TextColumn(_say(f"column-{name}", lang)) for name in heads]
    rows = [
        TextRow((row.name, *(_cell(row, name) for name in heads)), "bold" if _is_base(result, row) else "")
        for row in result.rows
    ]
    title = paint(_say("title", lang, name=result.name or _say("portfolio", lang)), "bold")
    about = _say(
        f"about-{result.method}", lang, first=result.start, last=result.end, days=result.days,
        money=f"{result.rows[0].run.flows[0]:,.0f} {result.currency}",
    )  # fmt: skip
    blocks = [[title, *wrap(about, width)], table_lines(columns, rows, paint), wrap(verdict(result).told(lang), width)]
    if result.walk:
        walk = result.walk
        text = _say(
            "walk", lang, chosen=walk.chosen, baseline=walk.baseline, average=walk.average, name=result.baseline,
            first=min(walk.choices), last=max(walk.choices),
        )  # fmt: skip
        blocks.append(wrap(text, width))
    blocks.append(wrap(_say("legend", lang), width))
    if lines := problem_lines(result.problems, lang, paint, width):
        blocks.append([paint(_say("problems", lang), "cyan"), *lines])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _is_base(result: Backtest, row: Row) -> bool:
    return row.difference is None and row.policy == result.baseline


def _cell(row: Row, name: str) -> str:
    figures = row.figures
    shares = {
        "return": figures.cagr, "volatility": figures.volatility, "fall": figures.max_drawdown,
        "error": figures.tracking_error, "turnover": figures.turnover, "money-weighted": figures.money_weighted,
    }  # fmt: skip
    if name in shares:
        value = shares[name]
        return NONE if value is None else f"{value:.2%}"
    if name == "orders":
        return f"{figures.orders:,}"
    money = {
        "costs": figures.costs, "taxes": figures.taxes + figures.tax_due, "final": figures.final_value,
        "paid": figures.costs + figures.taxes + figures.tax_due,
    }  # fmt: skip
    return f"{money[name]:,.0f}"
