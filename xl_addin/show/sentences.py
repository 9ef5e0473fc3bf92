"""A plan in sentences: where its prices come from, why each trade, how good it is, what to do."""

from __future__ import annotations

from collections.abc import Iterable

from engine.market.quote import SAMPLE_SOURCE
from engine.money import ZERO
from engine.plan import Conversion, Plan, TaxEstimate
from engine.summary import CashLine, traded
from rebalancer.language import Lang
from xl_addin.show.numbers import money, price
from xl_addin.show.texts import say


def price_notices(plan: Plan, lang: Lang) -> list[str]:
    """Return what must be said loudly about the plan's prices: samples, and every stale one."""
    notices = []
    samples = [position for position in plan.positions if position.price_source == SAMPLE_SOURCE]
    if samples:
        dates = sorted({p.price_as_of.date().isoformat() for p in samples if p.price_as_of})
        notices.append(say("sample_prices", lang, date=", ".join(dates) or say("no_date", lang)))
    stale = [position for position in plan.positions if position.stale]
    if stale:
        listed = ", ".join(f"{p.symbol} ({p.price_as_of.date() if p.price_as_of else '?'})" for p in stale)
        notices.append(say("stale_prices", lang, list=listed))
    return notices


def price_sources(plan: Plan, lang: Lang) -> str:
    """Return where the prices come from, of which days each source's are, and the rates used."""
    parts = []
    for source in dict.fromkeys(position.price_source for position in plan.positions):
        found = [position.price_as_of for position in plan.positions if position.price_source == source]
        dates = sorted({moment.date().isoformat() for moment in found if moment})
        ages = ["~".join(dict.fromkeys([dates[0], dates[-1]]))] if dates else []
        if None in found:
            ages.append(say("no_date", lang))
        parts.append(say("source_line", lang, source=source, count=len(found), age=", ".join(ages)))
    rates = {p.currency: p.fx for p in plan.positions if p.currency != plan.base_currency}
    parts += [f"1 {currency} = {price(rate, plan.base_currency)}" for currency, rate in rates.items()]
    return "; ".join(parts)


def quality_sentence(plan: Plan, lang: Lang) -> str:
    """Return how close to the provably best plan this one is, in words."""
    quality = plan.quality
    name = "proven_best" if quality.gap <= 0 else "proven_gap"
    objective, bound = _share(quality.objective, 4), _share(quality.bound, 4)
    sentence = say(name, lang, gap=_share(quality.gap, 2), objective=objective, bound=bound)
    return f"{sentence} {say('found_by', lang, method=quality.method, seconds=f'{quality.seconds:.3g}')}"


def conversion_sentence(conversion: Conversion, lang: Lang) -> str:
    """Return one conversion in words; the rate is quoted the way round that is above 1, as banks do."""
    dear, cheap, rate = conversion.sell, conversion.buy, conversion.rate
    if rate < 1:
        dear, cheap, rate = cheap, dear, 1 / rate
    return say(
        "converts",
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
    wrong = [f"{line.account or say('all_accounts', lang)} {line.currency}" for line in lines if line.difference]
    return say("unbalanced", lang, list=", ".join(wrong)) if wrong else say("balanced", lang)


def tax_sentences(tax: TaxEstimate, base: str, lang: Lang) -> list[str]:
    """Return the tax estimate in sentences; what is not known is said, never left out."""
    lines = [say("transaction_tax", lang, amount=money(tax.transaction_tax, base))]
    if tax.overseas_gain is not None and tax.overseas_tax is not None and tax.overseas_gain:
        figures = (tax.overseas_gain, tax.overseas_allowance, tax.overseas_tax)
        gain, allowance, due = (money(figure, "KRW") for figure in figures)
        lines.append(say("overseas_tax", lang, gain=gain, allowance=allowance, tax=due))
    if tax.dividend_income is not None and tax.dividend_tax is not None and tax.dividend_income:
        income, due = money(tax.dividend_income, base), money(tax.dividend_tax, base)
        lines.append(say("dividend_tax", lang, income=income, tax=due))
    if tax.missing:
        lines.append(say("tax_missing", lang, list=", ".join(tax.missing)))
    return [*lines, *(f"{say('info', lang)}: {text.told(lang)}" for text in tax.notes)]


def conclusion(plan: Plan, lang: Lang) -> str:
    """Return what to do, in one sentence."""
    if not plan.trades:
        return say("stuck" if plan.needs_rebalancing else "nothing", lang)
    sums = traded(plan)
    what = []
    for side in ("sell", "buy"):
        rows = [row for row in sums if row.side == side]
        if rows:
            count = sum(row.count for row in rows)
            amounts = " + ".join(money(row.amount, row.currency) for row in rows)
            what.append(say(f"do_{side}" if count == 1 else f"do_{side}s", lang, amounts=amounts, count=count))
    charged = {
        currency: sum((row.costs for row in sums if row.currency == currency), ZERO)
        for currency in dict.fromkeys(row.currency for row in sums)
    }
    costs = " + ".join(money(amount, currency) for currency, amount in charged.items() if amount)
    cash = " + ".join(money(amount, currency) for currency, amount in plan.cash.after.items() if amount)
    why = say("why_needed" if plan.needs_rebalancing else "why_closer", lang)
    none = say("zero", lang)
    return say("do_trades", lang, why=why, what=", ".join(what), costs=costs or none, cash=cash or none)


def _share(share: float, figures: int) -> str:
    """Return a small share in per cent with so many figures that count: 0.02%, 12%, 0.00031%."""
    value = share * 100
    if 0 < value < 1e-4:
        return "0.0001%"
    return f"{value:.{figures}g}%" if value < 100 else f"{value:.0f}%"
