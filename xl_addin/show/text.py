"""A plan as a terminal report that a person can act on: the verdict, the orders, then all that they rest on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from engine.goals import by_class, class_label, uses_goals
from engine.money import ZERO
from engine.plan import (
    CashLine,
    Conversion,
    GoalState,
    Plan,
    Position,
    TaxEstimate,
    cash_weight,
    reconciliation,
    traded,
)
from engine.quote import SAMPLE_SOURCE
from engine.words import Lang, known, say
from templates.report import called
from xl_addin.show.allocation_text import allocation_lines, section_name
from xl_addin.show.terminal import (
    Paint,
    TextColumn,
    TextRow,
    band,
    display_width,
    money,
    pad,
    percent,
    points,
    price,
    problem_lines,
    quantity,
    table_lines,
    wrap,
)

STATUS_STYLES = {"OK": "green", "OVER": "red", "UNDER": "yellow", "NO_TARGET": "red"}
#: Korean brokers show what is bought in red and what is sold in blue.
_SIDE_STYLES = {"ko": {"buy": "red", "sell": "blue"}}
_USUAL_SIDE_STYLES = {"buy": "green", "sell": "red"}
#: What a report says already in its own place: it is no problem of its own.
_SAID_ELSEWHERE = frozenset(("sample-prices", "fx-source", "cash-target", "cash-idle"))
#: What is true of every plan and no reason to do anything: said on request.
_FINE_PRINT = frozenset(("cost-unverified",))


def report(
    plan: Plan,
    lang: Lang = "en",
    paint: Paint | None = None,
    *,
    brief: bool = False,
    verbose: bool = False,
    since: Sequence[str] = (),
) -> str:
    """Return the report, ending in a newline; plain text unless `paint` colours it.

    It begins with the verdict and the orders; where it is `brief`, nothing else follows. `verbose` adds the fine print.
    `since` are sentences about what has changed since an earlier plan.
    """
    paint = paint or Paint()
    told = [one for one in plan.problems if verbose or one.code not in _SAID_ELSEWHERE | _FINE_PRINT]
    warnings = sum(one.severity == "warning" for one in told)
    blocks = [
        [*_verdict(plan, lang, paint, since), *_loud(plan, lang, paint)],
        _block("caption.trades", _trades(plan, lang, paint), lang, paint),
        _block("caption.conversions", _conversions(plan, lang, paint), lang, paint),
    ]
    if brief:
        told_of = _wrapped([say("report.warnings", lang, count=warnings)], paint) if warnings else []
        more = [paint(line, "yellow") for line in told_of]
        blocks = [*blocks, more]
    else:
        blocks += [
            _block("caption.positions", _positions(plan, lang, paint), lang, paint),
            _block("caption.inside", _classes(plan, lang, paint), lang, paint),
            _block("caption.allocation", allocation_lines(plan, lang, paint), lang, paint),
            _block("caption.sections", _sections(plan, lang, paint), lang, paint),
            _block("caption.reasons", _reasons(plan, lang, paint), lang, paint),
            _block("caption.cash", _cash(plan, lang, paint), lang, paint),
            _block("caption.tax", _wrapped(tax_sentences(plan.tax, plan.base_currency, lang), paint), lang, paint),
            _block("caption.quality", _wrapped(quality_sentences(plan, lang), paint), lang, paint),
            _block("caption.problems", problem_lines(told, lang, paint), lang, paint),
            [paint(line, "dim") for line in _wrapped(fine_print(plan, lang, verbose=verbose), paint)],
        ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _verdict(plan: Plan, lang: Lang, paint: Paint, since: Sequence[str]) -> list[str]:
    """Return what to do in bold, and below it why, what it leaves, how sure it is, of which prices, and when again."""
    facts = {
        "plan": plan_sentence(plan, lang),
        "why": why_sentence(plan, lang),
        "leaves": leaves_sentence(plan, lang),
        "idle": idle_sentence(plan, lang),
        "sure": proof_sentence(plan, lang) if plan.trades or _is_stopped(plan) else "",
        "since": "; ".join(since),
        "next": next_sentence(plan, lang),
        "prices": price_sources(plan, lang) if plan.positions else "",
        "expected": ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in plan.portfolio.expected.items()),
    }
    captions = {name: say(f"verdict.{name}", lang) for name, text in facts.items() if text}
    room = max(map(display_width, captions.values()))
    lines = [paint(line, "bold") for line in _wrapped([conclusion(plan, lang)], paint)]
    for name, caption in captions.items():
        first, *rest = wrap(facts[name], paint.sentence - room - 4)
        lines.append(f"  {paint(pad(caption, room), 'cyan')}  {first}")
        lines += [" " * (room + 4) + line for line in rest]
    return lines


def _loud(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    width = paint.sentence - 6
    return [paint(f"!! {line} !!", "loud") for notice in price_notices(plan, lang) for line in wrap(notice, width)]


def notice(plan: Plan, lang: Lang) -> str:
    """Return what a reminder says: the conclusion, why, and an order a line; plain sentences, for any screen."""
    lines = [
        conclusion(plan, lang),
        plan_sentence(plan, lang),
        why_sentence(plan, lang),
        *price_notices(plan, lang),
        "",
    ]
    for trade in plan.trades:
        account = f"{trade.account}: " if trade.account else ""
        amounts = f"{quantity(trade.quantity)} × {price(trade.price, trade.currency)}"
        lines.append(
            f"{account}{say(f'side.{trade.side}', lang)} {called(plan, trade, lang)} ({trade.symbol}) {amounts}"
        )
    return "\n".join(lines).strip()


def plan_sentence(plan: Plan, lang: Lang) -> str:
    """Return which portfolio the plan is of, of which day, its value and its drift."""
    values = {"day": plan.as_of, "value": money(plan.total_value, plan.base_currency), "drift": percent(plan.drift)}
    return f"{plan.name}{', ' if plan.name else ''}{say('report.about', lang, **values)}"


def why_sentence(plan: Plan, lang: Lang) -> str:
    """Return why there is something to do: what makes sections act, holdings without a target, money that came or goes.

    Empty where nothing calls for trades.
    """
    flow = plan.portfolio.settings.cash_flow
    told = [
        f"{section_name(state.section, lang)}: {state.why.phrase.told(lang)}"
        if len(plan.sections) > 1
        else state.why.phrase.told(lang)
        for state in plan.sections
        if state.acts
    ]
    untargeted = [t.symbol for t in plan.trades if t.reason.code == "untargeted"]
    if untargeted:
        told.append(say("report.untargeted", lang, symbols=tuple(dict.fromkeys(untargeted))))
    replaced = [t.symbol for t in plan.trades if t.reason.code == "consolidate"]
    if replaced:
        told.append(say("report.replaced", lang, symbols=tuple(dict.fromkeys(replaced))))
    if flow:
        amount = money(abs(flow), plan.base_currency)
        told.append(say("report.deposit" if flow > 0 else "report.withdrawal", lang, amount=amount))
    if not told and plan.trades:
        told.append(say("report.cash-acts", lang))
    return "; ".join(told)


def leaves_sentence(plan: Plan, lang: Lang) -> str:
    """Return what is still not where the targets want it after the plan; empty where nothing is."""
    if not plan.quality.misplaced:
        return ""
    misplaced = money(Decimal(plan.quality.misplaced) * plan.total_value, plan.base_currency)
    share = _share(plan.quality.misplaced, 2)
    return say("report.misplaced" if plan.trades else "report.misplaced-now", lang, amount=misplaced, share=share)


def idle_sentence(plan: Plan, lang: Lang) -> str:
    """Return what money stays in cash against the targets, and why: by account where there are several."""
    found = [one for one in plan.problems if one.code == "cash-idle"]
    several = len(plan.portfolio.accounts) > 1
    return "; ".join(f"{one.placed(lang)}: {one.said(lang)}" if several else one.said(lang) for one in found)


def next_sentence(plan: Plan, lang: Lang) -> str:
    """Return when to plan again: at the next review of a section; sooner where prices move far."""
    dues: dict[object, list[str]] = {}
    for state in plan.sections:
        if state.next_due and not state.due:
            dues.setdefault(state.next_due, []).append(section_name(state.section, lang))
    if not dues:
        return "" if any(state.due for state in plan.sections) else say("report.no-review", lang)
    first = min(dues, key=str)
    return say("report.next-review", lang, day=first, sections=tuple(dues[first]))


def fine_print(plan: Plan, lang: Lang, *, verbose: bool) -> list[str]:
    """Return on what assumptions costs and taxes are counted, or that there are some and how to read them."""
    notes = [note.told(lang) for note in plan.tax.notes]
    if verbose:
        return [f"{say('severity.info', lang)}: {note}" for note in notes]
    left = len(notes) + len({one.said(lang) for one in plan.problems if one.code in _FINE_PRINT})
    return [say("report.fine-print", lang, count=left)] if left else []


def _block(title: str, lines: list[str], lang: Lang, paint: Paint) -> list[str]:
    return [paint(say(title, lang), "cyan"), *lines] if lines else []


def _wrapped(sentences: Iterable[str], paint: Paint) -> list[str]:
    return [line for sentence in sentences for line in wrap(sentence, paint.sentence)]


def _positions(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    base = plan.base_currency
    columns = [
        TextColumn(say("caption.name", lang), "<", 60, least=14),
        TextColumn(say("caption.symbol", lang), "<", 10),
        TextColumn(say("caption.quantity", lang), optional=4),
        TextColumn(say("caption.price", lang), optional=5),
        TextColumn(say("caption.value", lang), optional=1),
        TextColumn(say("caption.weight", lang)),
        TextColumn(say("caption.target", lang), optional=2),
        TextColumn(say("caption.drift-points", lang)),
        TextColumn(say("caption.band", lang), optional=3),
        TextColumn(say("caption.status", lang), "<", 20),
    ]
    rows = [row for state in _shown_goals(plan) for row in _goal_rows(plan, state, lang)]
    if not rows:
        rows = [_position_row(plan, position, lang) for position in plan.positions]
    cash = cash_weight(plan)
    held = (money(cash.value, base), percent(cash.weight), percent(cash.target), points(cash.drift))
    if uses_goals(plan.portfolio) and plan.unknown:
        weight = plan.unknown / plan.total_value if plan.total_value else ZERO
        rows.append(
            TextRow(
                (say("report.in-no-goal", lang), "", "", "", money(plan.unknown, base), percent(weight), "", "", "", "")
            )
        )
    rows.append(TextRow((say("caption.cash", lang), "", "", "", *held, "", "")))
    return table_lines(columns, rows, paint)


def _shown_goals(plan: Plan) -> Sequence[GoalState]:
    return plan.goals if uses_goals(plan.portfolio) else ()


def _priced(position: Position) -> str:
    """Return the price of a position; empty where nothing of it is held or wanted, so that nobody asked for one."""
    return "" if position.price_source == "none" else price(position.price, position.currency)


def _position_row(plan: Plan, position: Position, lang: Lang) -> TextRow:
    return TextRow(
        (
            called(plan, position, lang),
            position.symbol,
            quantity(position.quantity),
            _priced(position),
            money(position.value, plan.base_currency),
            percent(position.weight),
            percent(position.target),
            points(position.drift),
            "" if position.status in ("NO_TARGET", "DISABLED") else band(position.low, position.high),
            say(f"status.{position.status}", lang) + (f" {say('quote.stale', lang)}" if position.stale else ""),
        ),
        STATUS_STYLES.get(position.status, ""),
    )


def _goal_rows(plan: Plan, state: GoalState, lang: Lang) -> Iterator[TextRow]:
    """Yield a goal's row, and below it what of each member is in it."""
    by_symbol = {position.symbol: position for position in plan.positions}
    if state.goal.kind == "instrument":
        yield _position_row(plan, by_symbol[state.name], lang)
        return
    status = say(f"status.{state.status}", lang)
    yield TextRow(
        (
            class_label(state.name, lang),
            "",
            "",
            "",
            money(state.value, plan.base_currency),
            percent(state.weight),
            percent(state.target),
            points(state.drift),
            "" if state.status == "DISABLED" else band(state.low, state.high),
            status if state.leaf else f"{status} {say('report.wider', lang)}",
        ),
        STATUS_STYLES.get(state.status, ""),
    )
    for symbol, part in state.goal.members.items() if state.leaf else ():
        position = by_symbol[symbol]
        locked = say("status.LOCKED", lang) if position.status == "LOCKED" else ""
        said = [locked, "" if part == 1 else say("report.part", lang, part=percent(part))]
        yield TextRow(
            (
                f"  {called(plan, position, lang)}",
                symbol,
                quantity(position.quantity),
                _priced(position),
                money(part * position.value, plan.base_currency),
                percent(part * position.weight),
                "",
                "",
                "",
                " ".join([*filter(None, said), say("quote.stale", lang) if position.stale else ""]).strip(),
            )
        )


def _classes(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    """Return what is inside everything held, by class, where the portfolio wants any goal but instruments."""
    if not uses_goals(plan.portfolio) or plan.total_value <= 0:
        return []
    titles = ("class", "value", "weight")
    columns = [TextColumn(say(f"caption.{title}", lang), "<" if title == "class" else ">") for title in titles]
    values = {position.symbol: position.value for position in plan.positions}
    cash = cash_weight(plan)
    rows = [
        TextRow(
            (
                "  " * one.depth + (class_label(one.name, lang) if one.name else say("report.class-unknown", lang)),
                money(one.value, plan.base_currency),
                percent(one.value / plan.total_value),
            )
        )
        for one in by_class(plan.portfolio, values)
    ]
    rows.append(TextRow((say("caption.cash", lang), money(cash.value, plan.base_currency), percent(cash.weight))))
    return table_lines(columns, rows, paint)


def _sections(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    if not plan.sections:
        return []
    titles = ("section", "target", "weight", "drift-points", "status", "next-due")
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
        )
        why = section.why.phrase.told(lang)
        remark = say("report.acts" if section.acts else "report.waits", lang, why=why)
        rows.append(TextRow(cells, STATUS_STYLES.get(section.status, ""), remark))
    return table_lines(columns, rows, paint)


def _trades(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    if not plan.trades:
        return [say("report.no-trades", lang)]
    columns = [
        TextColumn(say("caption.account", lang), "<", 14, least=8),
        TextColumn(say("caption.side", lang), "<"),
        TextColumn(say("caption.symbol", lang), "<", 10),
        TextColumn(say("caption.name", lang), "<", 60, least=14),
        TextColumn(say("caption.quantity", lang)),
        TextColumn(say("caption.price", lang)),
        TextColumn(say("caption.amount", lang)),
        TextColumn(say("caption.cost-tax", lang), optional=1),
        TextColumn(say("caption.weight-after", lang), optional=2),
    ]
    styles = _SIDE_STYLES.get(lang, _USUAL_SIDE_STYLES)
    rows = [
        TextRow(
            (
                trade.account,
                say(f"side.{trade.side}", lang),
                trade.symbol,
                called(plan, trade, lang),
                quantity(trade.quantity),
                price(trade.price, trade.currency),
                money(trade.amount, trade.currency),
                money(trade.cost + trade.tax, trade.currency),
                percent(trade.weight_after),
            ),
            styles[trade.side],
        )
        for trade in plan.trades
    ]
    if not any(trade.account for trade in plan.trades):
        columns, rows = columns[1:], [replace(row, cells=row.cells[1:]) for row in rows]
    return table_lines(columns, rows, paint)


def _reasons(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    """Return why each order is proposed."""
    columns = [TextColumn(say(f"caption.{title}", lang), "<") for title in ("side", "symbol")]
    columns.append(TextColumn(say("caption.reason", lang), "<", paint.sentence, least=30))
    rows = [
        TextRow((say(f"side.{trade.side}", lang), trade.symbol, trade.reason.phrase.told(lang)))
        for trade in plan.trades
    ]
    return table_lines(columns, rows, paint) if rows else []


def _conversions(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    return _wrapped([conversion_sentence(conversion, lang) for conversion in plan.conversions], paint)


def _cash(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    lines = reconciliation(plan)
    titles = [say(f"caption.{title}", lang) for title in ("before", "sells", "buys", "costs", "exchanged", "after")]
    columns = [TextColumn(say("caption.account", lang), "<", 20), *map(TextColumn, titles)]
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
    table = table_lines(columns, rows, paint)
    if max(map(display_width, table)) > paint.width:
        # Figures that belong together stay together where there is no room for their table.
        table = []
        for row in rows:
            figures = (f"{title} {figure}" for title, figure in zip(titles, row.cells[1:], strict=True))
            table += [
                paint(text, row.style) for text in wrap(f"{row.cells[0]}: {', '.join(figures)}", paint.width, "  ")
            ]
    return [*table, *_wrapped(sentences, paint)]


def price_notices(plan: Plan, lang: Lang) -> list[str]:
    """Return what must be said loudly about the plan's prices: samples, every stale one, and stale rates."""
    notices = []
    samples = [position for position in plan.positions if position.price_source == SAMPLE_SOURCE]
    if samples:
        dates = sorted({p.price_as_of.date().isoformat() for p in samples if p.price_as_of})
        notices.append(say("report.sample-prices", lang, date=", ".join(dates) or say("report.no-date", lang)))
    old = [rate for rate in plan.rates.values() if rate.stale_reason]
    resting = {rate.currency for rate in old}  # the value of these is stale with the rate, their price may be fresh
    fresh = {symbol for symbol, quote in plan.valuation.prices.items() if not quote.stale}
    stale = [p for p in plan.positions if p.stale and not (p.currency in resting and p.symbol in fresh)]
    if stale:
        listed = ", ".join(f"{p.symbol} ({p.price_as_of.date() if p.price_as_of else '?'})" for p in stale)
        notices.append(say("report.stale-prices", lang, list=listed))
    if old:
        listed = ", ".join(f"{'/'.join(r.path)} ({r.as_of.date() if r.as_of else '?'})" for r in old)
        touched = [p.symbol for p in plan.positions if p.currency in resting]
        key = "report.stale-rates" if touched else "report.stale-rates.cash"
        notices.append(say(key, lang, list=listed, symbols=", ".join(touched)))
    return notices


def price_sources(plan: Plan, lang: Lang) -> str:
    """Return where the prices come from, of which days each source's are, and the rates used."""
    parts = []
    for source in dict.fromkeys(position.price_source for position in plan.positions):
        if source == "none":
            continue
        found = [position.price_as_of for position in plan.positions if position.price_source == source]
        dates = sorted({moment.date().isoformat() for moment in found if moment})
        ages = ["~".join(dict.fromkeys([dates[0], dates[-1]]))] if dates else []
        if None in found:
            ages.append(say("report.no-date", lang))
        parts.append(
            say("report.source-line", lang, source=_source_name(source, lang), count=len(found), age=", ".join(ages))
        )
    rates = {p.currency: p.fx for p in plan.positions if p.currency != plan.base_currency}
    parts += [f"1 {currency} = {price(rate, plan.base_currency)}" for currency, rate in rates.items()]
    return "; ".join(parts)


def _source_name(source: str, lang: Lang) -> str:
    """Return what a source of prices is called where it is no vendor: samples, one's own, a broker's file."""
    key = f"source.{source}"
    return say(key, lang) if known(key) else source


def quality_sentences(plan: Plan, lang: Lang) -> list[str]:
    """Return in words who had to trade, and how the proof is meant."""
    if not plan.trades:
        return []
    raised = plan.quality.rung == 1 and any(trade.side == "sell" for trade in plan.trades)
    lines = [say("report.rung-raise" if raised else f"report.rung-{plan.quality.rung}", lang)]
    if math.isfinite(plan.quality.bound):
        lines.append(say("report.weighed", lang))
    return [" ".join(lines)]


def proof_sentence(plan: Plan, lang: Lang) -> str:
    """Return how sure it is that no better plan exists, and whether it was still being searched for."""
    sentences = [_proof(plan, lang)]
    if _is_stopped(plan):
        sentences.append(say("report.stopped", lang))
    return " ".join(sentences)


def _is_stopped(plan: Plan) -> bool:
    return any(one.code == "search-stopped" for one in plan.problems)


def _proof(plan: Plan, lang: Lang) -> str:
    quality, base = plan.quality, plan.base_currency
    if not math.isfinite(quality.bound):
        return say("report.unproven", lang)
    better = Decimal(max(quality.objective - quality.bound, 0.0)) * plan.total_value
    amount = money(better, base)
    proven = amount == money(ZERO, base)
    return say("report.proven-best" if proven else "report.proven-gap", lang, amount=amount)


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
    return lines


def conclusion(plan: Plan, lang: Lang) -> str:
    """Return what to do, in one sentence."""
    if not plan.trades:
        return say("report.stuck" if any(state.acts for state in plan.sections) else "report.nothing", lang)
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
    none = money(ZERO, plan.base_currency)
    return say("report.do-trades", lang, why=why, what=", ".join(what), costs=costs or none, cash=cash or none)


def _share(share: float, figures: int) -> str:
    """Return a small share in per cent with so many figures that count: 0.02%, 12%, 0.00031%."""
    value = share * 100
    if 0 < value < 1e-4:
        return "0.0001%"
    return f"{value:.{figures}g}%" if value < 100 else f"{value:.0f}%"
