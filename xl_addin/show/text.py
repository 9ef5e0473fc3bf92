"""A plan as a terminal report that a person can act on, at most 120 columns wide: tables and sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from engine.money import ZERO
from engine.plan import CashLine, Conversion, Plan, TaxEstimate, cash_weight, reconciliation, traded
from engine.quote import SAMPLE_SOURCE
from engine.words import Lang, say
from xl_addin.show.allocation_text import allocation_lines, section_name
from xl_addin.show.terminal import (
    Paint,
    TextColumn,
    TextRow,
    band,
    money,
    percent,
    points,
    price,
    problem_lines,
    quantity,
    table_lines,
    wrap,
)

WIDTH = 116
STATUS_STYLES = {"OK": "green", "OVER": "red", "UNDER": "yellow", "NO_TARGET": "red"}


def report(plan: Plan, lang: Lang = "en", paint: Paint | None = None) -> str:
    """Return the whole report, ending in a newline; plain text unless `paint` colours it."""
    paint = paint or Paint()
    blocks = [
        _header(plan, lang, paint),
        _block("caption.positions", _positions(plan, lang, paint), lang, paint),
        _block("caption.allocation", allocation_lines(plan, lang, paint), lang, paint),
        _block("caption.sections", _sections(plan, lang, paint), lang, paint),
        _block("caption.trades", _trades(plan, lang, paint), lang, paint),
        _block("caption.conversions", _conversions(plan, lang), lang, paint),
        _block("caption.cash", _cash(plan, lang, paint), lang, paint),
        _block("caption.tax", _wrapped(tax_sentences(plan.tax, plan.base_currency, lang)), lang, paint),
        _block("caption.quality", _wrapped(quality_sentences(plan, lang)), lang, paint),
        _block("caption.problems", problem_lines(plan.problems, lang, paint, WIDTH), lang, paint),
        [paint(line, "bold") for line in _wrapped([conclusion(plan, lang)])],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _header(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    title = f"{say('caption.plan', lang)}: {plan.name}" if plan.name else say("caption.plan", lang)
    total = f"{say('caption.total', lang)} {money(plan.total_value, plan.base_currency)}"
    drift = f"{say('caption.drift-total', lang)} {percent(plan.drift)}"
    facts = f"{say('caption.as-of', lang)} {plan.as_of.isoformat()}   {total}   {drift}"
    loud = [paint(f"!! {line} !!", "loud") for notice in price_notices(plan, lang) for line in wrap(notice, WIDTH - 6)]
    sources = _wrapped([f"{say('caption.prices', lang)}: {price_sources(plan, lang)}"]) if plan.positions else []
    hopes = ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in plan.portfolio.expected.items())
    expected = _wrapped([say("said.expected", lang, expected=hopes)]) if hopes else []
    return [*(paint(line, "bold") for line in _wrapped([title])), facts, *expected, *sources, *loud]


def _block(title: str, lines: list[str], lang: Lang, paint: Paint) -> list[str]:
    return [paint(say(title, lang), "cyan"), *lines] if lines else []


def _wrapped(sentences: list[str]) -> list[str]:
    return [line for sentence in sentences for line in wrap(sentence, WIDTH)]


def _positions(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    base = plan.base_currency
    columns = [
        TextColumn(say("caption.name", lang), "<", 24),
        TextColumn(say("caption.symbol", lang), "<", 10),
        TextColumn(say("caption.quantity", lang)),
        TextColumn(say("caption.price", lang)),
        TextColumn(say("caption.value", lang)),
        TextColumn(say("caption.weight", lang)),
        TextColumn(say("caption.target", lang)),
        TextColumn(say("caption.drift-points", lang)),
        TextColumn(say("caption.band", lang)),
        TextColumn(say("caption.status", lang), "<", 20),
    ]
    rows = [
        TextRow(
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
                say(f"status.{position.status}", lang) + (f" {say('quote.stale', lang)}" if position.stale else ""),
            ),
            STATUS_STYLES.get(position.status, ""),
        )
        for position in plan.positions
    ]
    cash = cash_weight(plan)
    held = (money(cash.value, base), percent(cash.weight), percent(cash.target), points(cash.drift))
    rows.append(TextRow((say("caption.cash", lang), "", "", "", *held, "", "")))
    return table_lines(columns, rows, paint)


def _sections(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    if not plan.sections:
        return []
    titles = ("section", "target", "weight", "drift-points", "status", "next-due", "breaches")
    columns = [
        TextColumn(say(f"caption.{title}", lang), ">" if 0 < place < 4 else "<") for place, title in enumerate(titles)
    ]
    rows = []
    for section in plan.sections:
        due = section.next_due.isoformat() if section.next_due else say("report.never", lang)
        cells = (
            section_name(section.section, lang),
            percent(section.target),
            percent(section.weight),
            points(section.drift),
            say(f"status.{section.status}", lang),
            say("report.due-now", lang) if section.due else due,
            ", ".join(section.breaches),
        )
        why = section.why.phrase.told(lang)
        remark = say("report.acts" if section.acts else "report.waits", lang, why=why)
        rows.append(TextRow(cells, STATUS_STYLES.get(section.status, ""), remark))
    return table_lines(columns, rows, paint)


def _trades(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    if not plan.trades:
        return [say("report.no-trades", lang)]
    columns = [
        TextColumn(say("caption.account", lang), "<", 14),
        TextColumn(say("caption.side", lang), "<"),
        TextColumn(say("caption.symbol", lang), "<", 10),
        TextColumn(say("caption.name", lang), "<", 28),
        TextColumn(say("caption.quantity", lang)),
        TextColumn(say("caption.price", lang)),
        TextColumn(say("caption.amount", lang)),
        TextColumn(say("caption.cost-tax", lang)),
        TextColumn(say("caption.weight-after", lang)),
    ]
    rows = [
        TextRow(
            (
                trade.account,
                say(f"side.{trade.side}", lang),
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
    columns = [
        TextColumn(say("caption.account", lang), "<", 20),
        *(TextColumn(say(f"caption.{title}", lang)) for title in titles),
    ]
    rows = []
    for line in lines:
        name = say("caption.all-accounts", lang) if line.account is None else line.account
        amounts = (line.before, line.sells, line.buys, line.costs, line.exchanged, line.after)
        style = "" if not line.difference else "red"
        rows.append(TextRow((f"{name} {line.currency}", *(money(amount, line.currency) for amount in amounts)), style))
    sentences = [
        balance_sentence(lines, lang),
        say("report.target-left", lang, weight=percent(plan.cash.target_weight)),
    ]
    return [*table_lines(columns, rows, paint), *_wrapped(sentences)]


def price_notices(plan: Plan, lang: Lang) -> list[str]:
    """Return what must be said loudly about the plan's prices: samples, every stale one, and stale rates."""
    notices = []
    samples = [position for position in plan.positions if position.price_source == SAMPLE_SOURCE]
    if samples:
        dates = sorted({p.price_as_of.date().isoformat() for p in samples if p.price_as_of})
        notices.append(say("report.sample-prices", lang, date=", ".join(dates) or say("report.no-date", lang)))
    stale = [position for position in plan.positions if position.stale]
    if stale:
        listed = ", ".join(f"{p.symbol} ({p.price_as_of.date() if p.price_as_of else '?'})" for p in stale)
        notices.append(say("report.stale-prices", lang, list=listed))
    old = [rate for rate in plan.rates.values() if rate.stale_reason]
    if old:
        listed = ", ".join(f"{'/'.join(r.path)} ({r.as_of.date() if r.as_of else '?'})" for r in old)
        notices.append(say("report.stale-rates", lang, list=listed))
    return notices


def price_sources(plan: Plan, lang: Lang) -> str:
    """Return where the prices come from, of which days each source's are, and the rates used."""
    parts = []
    for source in dict.fromkeys(position.price_source for position in plan.positions):
        found = [position.price_as_of for position in plan.positions if position.price_source == source]
        dates = sorted({moment.date().isoformat() for moment in found if moment})
        ages = ["~".join(dict.fromkeys([dates[0], dates[-1]]))] if dates else []
        if None in found:
            ages.append(say("report.no-date", lang))
        parts.append(say("report.source-line", lang, source=source, count=len(found), age=", ".join(ages)))
    rates = {p.currency: p.fx for p in plan.positions if p.currency != plan.base_currency}
    parts += [f"1 {currency} = {price(rate, plan.base_currency)}" for currency, rate in rates.items()]
    return "; ".join(parts)


def quality_sentences(plan: Plan, lang: Lang) -> list[str]:
    """Return in words what the plan leaves misplaced, what it costs, who had to trade, and how sure it is."""
    quality, base = plan.quality, plan.base_currency
    misplaced = money(Decimal(quality.misplaced) * plan.total_value, base)
    lines = [say("report.misplaced", lang, amount=misplaced, share=_share(quality.misplaced, 3))]
    if plan.trades:
        raised = quality.rung == 1 and any(trade.side == "sell" for trade in plan.trades)
        lines.append(say("report.rung-raise" if raised else f"report.rung-{quality.rung}", lang))
    if not math.isfinite(quality.bound):
        lines.append(say("report.unproven", lang))
    else:
        better = Decimal(max(quality.objective - quality.bound, 0.0)) * plan.total_value
        amount = money(better, base)
        proven = amount == money(ZERO, base)
        lines.append(say("report.proven-best" if proven else "report.proven-gap", lang, amount=amount))
    return [" ".join(lines)]


def conversion_sentence(conversion: Conversion, lang: Lang) -> str:
    """Return one conversion in words; the rate is quoted the way round that is above 1, as banks do."""
    dear, cheap, rate = conversion.sell, conversion.buy, conversion.rate
    if rate < 1:
        dear, cheap, rate = cheap, dear, 1 / rate
    return say(
        "report.converts",
        lang,
        account=f"{conversion.account}: " if conversion.account else "",
        amount=money(conversion.amount, conversion.sell),
        bought=money(conversion.bought, conversion.buy),
        rate=f"{rate:,.4f}".rstrip("0").rstrip("."),
        cheap=cheap,
        dear=dear,
        cost=money(conversion.cost, conversion.sell),
    )


def balance_sentence(lines: Iterable[CashLine], lang: Lang) -> str:
    """Return that the cash reconciles, or where it does not."""
    wrong = [
        f"{line.account or say('caption.all-accounts', lang)} {line.currency}" for line in lines if line.difference
    ]
    return say("report.unbalanced", lang, list=", ".join(wrong)) if wrong else say("report.balanced", lang)


def tax_sentences(tax: TaxEstimate, base: str, lang: Lang) -> list[str]:
    """Return the tax estimate in sentences; what is not known is said, never left out."""
    lines = [say("report.transaction-tax", lang, amount=money(tax.transaction_tax, base))]
    if tax.overseas_gain is not None and tax.overseas_tax is not None and tax.overseas_gain:
        figures = (tax.overseas_gain, tax.overseas_allowance, tax.overseas_tax)
        gain, allowance, due = (money(figure, "KRW") for figure in figures)
        lines.append(say("report.overseas-tax", lang, gain=gain, allowance=allowance, tax=due))
    if tax.dividend_income is not None and tax.dividend_tax is not None and tax.dividend_income:
        income, due = money(tax.dividend_income, "KRW"), money(tax.dividend_tax, "KRW")
        lines.append(say("report.dividend-tax", lang, income=income, tax=due))
    if tax.missing:
        lines.append(say("report.tax-missing", lang, list=", ".join(tax.missing)))
    return [*lines, *(f"{say('severity.info', lang)}: {note.told(lang)}" for note in tax.notes)]


def conclusion(plan: Plan, lang: Lang) -> str:
    """Return what to do, in one sentence."""
    if not plan.trades:
        return say("report.stuck" if plan.needs_rebalancing else "report.nothing", lang)
    sums = traded(plan)
    what = []
    for side in ("sell", "buy"):
        rows = [row for row in sums if row.side == side]
        if rows:
            count = sum(row.count for row in rows)
            amounts = " + ".join(money(row.amount, row.currency) for row in rows)
            what.append(say(f"report.do-{side}", lang, amounts=amounts, count=count))
    charged = {
        currency: sum((row.costs for row in sums if row.currency == currency), ZERO)
        for currency in dict.fromkeys(row.currency for row in sums)
    }
    costs = " + ".join(money(amount, currency) for currency, amount in charged.items() if amount)
    cash = " + ".join(money(amount, currency) for currency, amount in plan.cash.after.items() if amount)
    why = say("report.why-needed" if plan.needs_rebalancing else "report.why-closer", lang)
    none = say("report.zero", lang)
    return say("report.do-trades", lang, why=why, what=", ".join(what), costs=costs or none, cash=cash or none)


def _share(share: float, figures: int) -> str:
    """Return a small share in per cent with so many figures that count: 0.02%, 12%, 0.00031%."""
    value = share * 100
    if 0 < value < 1e-4:
        return "0.0001%"
    return f"{value:.{figures}g}%" if value < 100 else f"{value:.0f}%"
