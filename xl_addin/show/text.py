"""A plan as a terminal report that a person can act on, at most 120 columns wide."""

from __future__ import annotations

from dataclasses import replace

from engine.plan import Plan
from engine.summary import cash_weight, reconciliation
from rebalancer.language import Lang
from xl_addin.show.colour import Paint
from xl_addin.show.numbers import band, money, percent, points, price, quantity
from xl_addin.show.problems import problem_lines
from xl_addin.show.sentences import (
    balance_sentence,
    conclusion,
    conversion_sentence,
    price_notices,
    price_sources,
    quality_sentence,
    tax_sentences,
)
from xl_addin.show.table import Column, Row, table_lines
from xl_addin.show.texts import known, say
from xl_addin.show.width import wrap

WIDTH = 116
STATUS_STYLES = {"OK": "green", "OVER": "red", "UNDER": "yellow", "NO_TARGET": "red"}


def report(plan: Plan, lang: Lang = "en", paint: Paint | None = None) -> str:
    """Return the whole report, ending in a newline; plain text unless `paint` colours it."""
    paint = paint or Paint()
    blocks = [
        _header(plan, lang, paint),
        _block("positions", _positions(plan, lang, paint), lang, paint),
        _block("sections", _sections(plan, lang, paint), lang, paint),
        _block("trades", _trades(plan, lang, paint), lang, paint),
        _block("conversions", _conversions(plan, lang), lang, paint),
        _block("cash", _cash(plan, lang, paint), lang, paint),
        _block("tax", _wrapped(tax_sentences(plan.tax, plan.base_currency, lang)), lang, paint),
        _block("quality", _wrapped([quality_sentence(plan, lang)]), lang, paint),
        _block("problems", problem_lines(plan.problems, lang, paint, WIDTH), lang, paint),
        [paint(line, "bold") for line in _wrapped([conclusion(plan, lang)])],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _header(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    title = f"{say('plan', lang)}: {plan.name}" if plan.name else say("plan", lang)
    total = f"{say('total', lang)} {money(plan.total_value, plan.base_currency)}"
    drift = f"{say('drift_total', lang)} {percent(plan.drift)}"
    facts = f"{say('as_of', lang)} {plan.as_of.isoformat()}   {total}   {drift}"
    loud = [paint(f"!! {line} !!", "loud") for notice in price_notices(plan, lang) for line in wrap(notice, WIDTH - 6)]
    sources = _wrapped([f"{say('prices', lang)}: {price_sources(plan, lang)}"]) if plan.positions else []
    return [*(paint(line, "bold") for line in _wrapped([title])), facts, *sources, *loud]


def _block(title: str, lines: list[str], lang: Lang, paint: Paint) -> list[str]:
    return [paint(say(title, lang), "cyan"), *lines] if lines else []


def _wrapped(sentences: list[str]) -> list[str]:
    return [line for sentence in sentences for line in wrap(sentence, WIDTH)]


def _positions(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    base = plan.base_currency
    columns = [
        Column(say("name", lang), "<", 24),
        Column(say("symbol", lang), "<", 10),
        Column(say("quantity", lang)),
        Column(say("price", lang)),
        Column(say("value", lang)),
        Column(say("weight", lang)),
        Column(say("target", lang)),
        Column(say("drift_points", lang)),
        Column(say("band", lang)),
        Column(say("status", lang), "<", 20),
    ]
    rows = [
        Row(
            (
                position.name or position.symbol,
                position.symbol,
                quantity(position.quantity),
                price(position.price, position.currency),
                money(position.value, base),
                percent(position.weight),
                percent(position.target),
                points(position.drift),
                "" if position.status in ("NO_TARGET", "DISABLED") else band(position.low, position.high),
                say(position.status, lang) + (f" {say('stale', lang)}" if position.stale else ""),
            ),
            STATUS_STYLES.get(position.status, ""),
        )
        for position in plan.positions
    ]
    cash = cash_weight(plan)
    held = (money(cash.value, base), percent(cash.weight), percent(cash.target), points(cash.drift))
    rows.append(Row((say("cash", lang), "", "", "", *held, "", "")))
    return table_lines(columns, rows, paint)


def _sections(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    if not plan.sections:
        return []
    titles = ("section", "target", "weight", "drift_points", "status", "next_due", "breaches")
    columns = [Column(say(title, lang), ">" if 0 < place < 4 else "<") for place, title in enumerate(titles)]
    rows = []
    for section in plan.sections:
        due = section.next_due.isoformat() if section.next_due else say("never", lang)
        cells = (
            known(section.section, lang),
            percent(section.target),
            percent(section.weight),
            points(section.drift),
            say(section.status, lang),
            say("due_now", lang) if section.due else due,
            ", ".join(section.breaches),
        )
        rows.append(Row(cells, STATUS_STYLES.get(section.status, "")))
    return table_lines(columns, rows, paint)


def _trades(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    if not plan.trades:
        return [say("no_trades", lang)]
    columns = [
        Column(say("account", lang), "<", 14),
        Column(say("side", lang), "<"),
        Column(say("symbol", lang), "<", 10),
        Column(say("name", lang), "<", 28),
        Column(say("quantity", lang)),
        Column(say("price", lang)),
        Column(say("amount", lang)),
        Column(say("cost_tax", lang)),
        Column(say("weight_after", lang)),
    ]
    rows = [
        Row(
            (
                trade.account,
                say(trade.side, lang),
                trade.symbol,
                trade.name or trade.symbol,
                quantity(trade.quantity),
                price(trade.price, trade.currency),
                money(trade.amount, trade.currency),
                money(trade.cost + trade.tax, trade.currency),
                percent(trade.weight_after),
            ),
            "red" if trade.side == "sell" else "green",
            trade.reason.phrase.told(lang),
        )
        for trade in plan.trades
    ]
    if not any(trade.account for trade in plan.trades):
        columns, rows = columns[1:], [replace(row, cells=row.cells[1:]) for row in rows]
    return table_lines(columns, rows, paint)


def _conversions(plan: Plan, lang: Lang) -> list[str]:
    return _wrapped([conversion_sentence(conversion, lang) for conversion in plan.conversions])


def _cash(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    lines = reconciliation(plan)
    titles = ("before", "sells", "buys", "costs", "exchanged", "after")
    columns = [Column(say("account", lang), "<", 20), *(Column(say(title, lang)) for title in titles)]
    rows = []
    for line in lines:
        name = say("all_accounts", lang) if line.account is None else line.account
        amounts = (line.before, line.sells, line.buys, line.costs, line.exchanged, line.after)
        style = "" if not line.difference else "red"
        rows.append(Row((f"{name} {line.currency}", *(money(amount, line.currency) for amount in amounts)), style))
    sentences = [balance_sentence(lines, lang), say("target_left", lang, weight=percent(plan.cash.target_weight))]
    return [*table_lines(columns, rows, paint), *_wrapped(sentences)]
