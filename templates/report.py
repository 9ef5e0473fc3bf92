"""What a workbook is to show: a portfolio, and what the engine found out about it, as rows of the spec's tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal

from engine.allocation import KINDS, Kind, allocation
from engine.errors import Problem
from engine.market import catalogue
from engine.money import ZERO, to_unit
from engine.phrase import phrase
from engine.plan import Plan, Position, Trade, cash_weight, reconciliation
from engine.portfolio import UNKNOWN_TYPE, Portfolio
from engine.settings import Settings, setting_fields
from engine.text import plain_number
from engine.words import Lang, known, say
from templates.cells import Row, Rows, Value
from templates.spec.results import price_status
from templates.spec.vocabulary import ANY, NONE, choices, spoken

#: Decimal places of the weights kept in the history.
_PLACES = 6
#: Before the name of what is in a goal.
INSIDE = "└ "
#: The least drift that shows as one.
_SEEN = Decimal("0.0005")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model portfolio says of itself; fractions a year, which are assumptions, not promises."""

    key: str
    expected_return: Decimal | None = None
    drawdown: Decimal | None = None

    def title(self, lang: Lang) -> str:
        """Return the model's name in a language."""
        return say(f"model.{self.key}.title", lang)

    def summary(self, lang: Lang) -> str:
        """Return what it holds, in a sentence."""
        return say(f"model.{self.key}.summary", lang)

    def rules(self, lang: Lang) -> tuple[str, ...]:
        """Return its rules, a sentence each."""
        key = f"model.{self.key}.rules"
        return tuple(say(key, lang).splitlines()) if known(key) else ()


@dataclass(frozen=True, slots=True)
class BookReport:
    """Everything that a workbook shows.

    `results` holds rows of the tables that the engine writes, by table name (Prices, FxRates, Trades, Reconcile,
    Conversions, Summary, Problems, and the analyses); a table without rows has not been computed. `notes`
    holds what stands beside a table's title: which days and sources its rows are of, or why it has none. `ledger` are
    the rows of the Ledger sheet, which is the person's; `shares` are the names of the parts over time, in the order of
    their columns of the Course table.
    """

    portfolio: Portfolio
    as_of: dt.date | None = None
    results: Mapping[str, Rows] = field(default_factory=dict)
    history: Rows = ()
    model: ModelFacts | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    ledger: Rows = ()
    shares: Sequence[str] = ()

    def rows(self, table: str) -> Rows:
        """Return the rows of a table that the engine writes."""
        return self.results.get(table, ())


def plan_report(
    plan: Plan,
    lang: Lang,
    *,
    history: Sequence[Row] = (),
    tables: Mapping[str, Rows] | None = None,
    notes: Mapping[str, str] | None = None,
) -> BookReport:
    """Return the report of a finished plan, its words in a language.

    `tables` are the rows of further tables (in place of the plan's own), `notes` what stands beside tables' titles.
    The plan's date is added to the history, in place of an earlier row of the same date.
    """
    results: dict[str, Rows] = {
        "Prices": price_rows(plan, lang),
        "FxRates": rate_rows(plan),
        "Trades": trade_rows(plan, lang),
        "Reconcile": cash_rows(plan),
        "Conversions": conversion_rows(plan),
        "Summary": summary_rows(plan, lang),
        "Allocation": allocation_rows(plan, lang),
        "Problems": problem_rows(plan.problems, lang),
    }
    rows = (*(row for row in history if row.get("Date") != plan.as_of), history_row(plan))
    said = {"Allocation": dated(plan, lang)} | dict(notes or {})
    return BookReport(plan.portfolio, plan.as_of, results | dict(tables or {}), rows, notes=said)


def dated(plan: Plan, lang: Lang) -> str:
    """Return of which day's plan something is."""
    return say("label.of-plan", lang, day=plan.as_of)


def called(plan: Plan, row: Position | Trade, lang: Lang) -> str:
    """Return what a position or a traded instrument is called for a reader of a language."""
    instrument = plan.portfolio.instruments.get(row.symbol)
    if instrument is None or instrument.name != row.name:
        return row.name or row.symbol
    return instrument.called(lang)


def price_rows(plan: Plan, lang: Lang) -> Rows:
    """Return the price of every symbol with its source, time and status."""
    return tuple(
        {
            "Ticker": p.symbol,
            "Name": called(plan, p, lang),
            "Price": p.price if p.price_source != "none" else None,
            "Currency": p.currency,
            "AsOf": p.price_as_of.replace(tzinfo=None, microsecond=0) if p.price_as_of else None,
            "Source": p.price_source,
            "Status": price_status(p.price_source, stale=p.stale),
        }
        for p in plan.positions
    )


def rate_rows(plan: Plan) -> Rows:
    """Return the rate into the base currency of every other currency that the plan uses."""
    return tuple(
        {
            "Currency": currency,
            "MarketRate": rate.rate,
            "AsOf": rate.as_of.replace(tzinfo=None, microsecond=0) if rate.as_of else None,
            "Source": rate.source,
            "Status": "stale" if rate.stale_reason else price_status(rate.source, stale=False),
        }
        for currency, rate in plan.rates.items()
    )


def allocation_rows(plan: Plan, lang: Lang) -> Rows:
    """Return the plan's weights by sector, asset class and currency beside their targets, each cut largest first.

    What is furthest off in each cut is marked: ▲ where there is too much of it, ▼ where too little.
    """
    found = allocation(plan)
    rows: list[Row] = []
    for kind in KINDS:
        cut = found.cut(kind)
        furthest = max(cut, key=lambda one: abs(one.drift or ZERO), default=None)
        for one in cut:
            off = one.drift or ZERO
            row: dict[str, Value] = {
                "By": say(f"caption.allocation.{kind}", lang),
                "Group": group_name(kind, one.group, lang),
                "Value": one.value,
                "Weight": one.weight,
                "Target": one.target,
                "Drift": one.drift,
                "Mark": ("▲" if off > 0 else "▼") if one is furthest and abs(off) >= _SEEN else None,
            }
            rows.append(row)
    return tuple(rows)


def group_name(kind: Kind, group: str, lang: Lang) -> str:
    """Return what a sector or an asset class is called; one of a person's own and a currency as they are written."""
    key = f"{kind}.{group.casefold().replace(' ', '-')}"
    return say(key, lang) if known(key) else group


def trade_rows(plan: Plan, lang: Lang) -> Rows:
    """Return the trades; `Cost` is commission and tax together."""
    return tuple(
        {
            "Account": t.account,
            "Ticker": t.symbol,
            "Name": called(plan, t, lang),
            "Side": t.side,
            "Quantity": t.quantity,
            "Price": t.price,
            "Currency": t.currency,
            "Amount": t.amount,
            "Cost": t.cost + t.tax,
            "Reason": t.reason.phrase.told(lang),
            "WeightAfter": t.weight_after,
        }
        for t in plan.trades
    )


def cash_rows(plan: Plan) -> Rows:
    """Return what the reconciliation starts from and must arrive at, by account and currency."""
    return tuple(
        {"Account": line.account, "Currency": line.currency, "Before": line.before, "PlanAfter": line.after}
        for line in reconciliation(plan)
    )


def conversion_rows(plan: Plan) -> Rows:
    """Return the conversions."""
    return tuple(
        {
            "Account": c.account,
            "Sell": c.sell,
            "Buy": c.buy,
            "Amount": c.amount,
            "Rate": c.rate,
            "Cost": c.cost,
            "Bought": c.bought,
        }
        for c in plan.conversions
    )


def summary_rows(plan: Plan, lang: Lang) -> Rows:
    """Return the plan's figures by key."""
    held = plan.portfolio.instruments
    fee, covered = weighted_fee((p.weight, held[p.symbol].expense_ratio) for p in plan.positions)
    whole = sum((p.weight for p in plan.positions), ZERO)
    dues = [state.next_due for state in plan.sections if state.next_due]
    figures: dict[str, Value] = {
        "as_of": plan.as_of,
        "total_value": plan.total_value,
        "cash": cash_weight(plan).value,
        "drift": plan.drift,
        "needs_rebalancing": plan.needs_rebalancing,
        "next_due": min(dues) if dues else None,
        "weighted_ter": fee,
        "objective": plan.quality.objective,
        "bound": plan.quality.bound,
        "gap": plan.quality.gap,
        "method": plan.quality.method,
        "misplaced": plan.quality.misplaced,
        "rung": plan.quality.rung,
        "transaction_tax": plan.tax.transaction_tax,
        "overseas_tax": plan.tax.overseas_tax,
        "dividend_tax": plan.tax.dividend_tax,
        "problems": len(plan.problems),
    }
    meanings = {key: say(f"label.summary.{key}", lang) for key in figures}
    if fee is not None and covered < whole:
        meanings["weighted_ter"] = say("label.summary.weighted_ter.part", lang, share=covered / whole)
    rows: list[Row] = [{"Key": key, "Value": figure, "Meaning": meanings[key]} for key, figure in figures.items()]
    rows.extend(
        {"Key": f"acts.{state.section}", "Value": state.acts, "Meaning": state.why.phrase.told(lang)}
        for state in plan.sections
    )
    return tuple(rows)


def weighted_fee(parts: Iterable[tuple[Decimal, Decimal | None]]) -> tuple[Decimal | None, Decimal]:
    """Return Σ weight × fee over the parts whose fee is known, divided by their weight, and that weight.

    The parts are weights with fees, fractions a year. The fee is None where none is known.
    """
    known = [(weight, fee) for weight, fee in parts if fee is not None]
    covered = sum((weight for weight, _ in known), ZERO)
    return sum((weight * fee for weight, fee in known), ZERO) / covered if covered else None, covered


def problem_rows(problems: Sequence[Problem], lang: Lang) -> Rows:
    """Return problems as rows of the Problems table, in the workbook's language."""
    return tuple(
        {"Severity": p.severity, "Where": p.placed(lang), "Message": p.said(lang, "workbook"), "Code": p.code}
        for p in problems
    )


def history_row(plan: Plan) -> Row:
    """Return the plan's date as a row of the history."""
    weights = {state.section: state.weight for state in plan.sections}
    invested = sum((p.weight for p in plan.positions), ZERO)
    return {
        "Date": plan.as_of,
        "Value": to_unit(plan.total_value, plan.base_currency),
        "CashWeight": round(1 - invested, _PLACES),
        "CoreWeight": round(weights["core"], _PLACES) if "core" in weights else None,
        "SatelliteWeight": round(weights["satellite"], _PLACES) if "satellite" in weights else None,
        "Drift": round(plan.drift, _PLACES),
    }


def cash_inputs(portfolio: Portfolio) -> Rows:
    """Return cash by account and currency."""
    rows: list[Row] = [
        {"Account": account.name, "Currency": currency, "Amount": amount}
        for account in portfolio.accounts
        for currency, amount in account.cash.items()
    ]
    return tuple(rows)


def account_rows(portfolio: Portfolio) -> Rows:
    """Return the declared accounts, with every restriction spelled out."""
    if not portfolio.accounts_declared:
        return ()
    return tuple(
        {
            "Name": account.name,
            "Type": account.type,
            "Markets": ANY if account.markets is None else ", ".join(account.markets) or NONE,
            "RiskCap": NONE if account.risk_cap is None else account.risk_cap,
            "Banned": ", ".join(account.banned) or NONE,
            "CashBuffer": account.cash_buffer,
        }
        for account in portfolio.accounts
    )


def group_rows(portfolio: Portfolio) -> Rows:
    """Return the limits over several instruments."""
    return tuple(
        {"Name": g.name, "Members": ", ".join(g.members), "Min": g.minimum, "Max": g.maximum} for g in portfolio.groups
    )


def cost_rows(portfolio: Portfolio) -> Rows:
    """Return the overrides of the cost table."""
    return tuple(
        {"Key": key, "Commission": cost.commission, "Minimum": cost.minimum, "SellTax": cost.sell_tax}
        for key, cost in portfolio.settings.costs.items()
    )


def rate_inputs(report: BookReport) -> Rows:
    """Return a row per currency in use, with the rate given by hand and the engine's, then the other manual pairs."""
    portfolio = report.portfolio
    base, manual = portfolio.base_currency, dict(portfolio.fx)
    market = {str(row["Currency"]): row for row in report.rows("FxRates") if row.get("Currency")}
    rows: list[Row] = []
    for currency in dict.fromkeys((*portfolio.currencies[1:], *market)):
        if currency == base:
            continue
        pair = next((p for p in (f"{currency}{base}", f"{base}{currency}") if p in manual), f"{currency}{base}")
        known = market.get(currency, {})
        row: dict[str, Value] = {"Currency": currency, "Pair": pair, "ManualRate": manual.pop(pair, None)}
        row |= {name: known.get(name) for name in ("MarketRate", "AsOf", "Source", "Status")}
        if row["ManualRate"] is not None:
            row |= {"Source": "manual", "Status": "manual", "AsOf": None}
        rows.append(row)
    rows.extend({"Currency": None, "Pair": pair, "ManualRate": rate} for pair, rate in manual.items())
    return tuple(rows)


def setting_rows(portfolio: Portfolio, lang: Lang) -> Rows:
    """Return every setting with its value, its choices or unit, and its meaning."""
    rows: list[Row] = [
        {"Key": "name", "Value": portfolio.name, "Meaning": say("label.setting.name", lang)},
        {"Key": "base_currency", "Value": portfolio.base_currency, "Meaning": say("label.setting.base_currency", lang)},
    ]
    known = setting_fields()
    for declared in fields(Settings):
        if declared.name == "costs":
            continue
        value = getattr(portfolio.settings, declared.name)
        if declared.name == "realised":
            value = value.get("overseas")
        meta = known[declared.name]
        rows.append(
            {
                "Key": declared.name,
                "Value": (", ".join(value) or None) if isinstance(value, tuple) else value,
                "Choices": " / ".join(choices(f"setting.{declared.name}", meta["choices"], lang))
                or (meta["unit"] and phrase(f"unit.{meta['unit']}").told(lang)),
                "Meaning": phrase(f"setting.{declared.name}").told(lang),
            }
        )
    return tuple(rows)


def goaled(portfolio: Portfolio) -> bool:
    """Tell whether any target of a portfolio names more than an instrument."""
    return any(target.kind != "instrument" or target.share is not None for _, target in portfolio.targets())


def exposure_text(portfolio: Portfolio, symbol: str, lang: Lang) -> str | None:
    """Return what a portfolio says of the classes that an instrument is in, as one reads it; None where nothing.

    One that is all of a class is that class: US equity. Else each class has its part: US equity 62%, Emerging 11%.
    """
    exposure = portfolio.exposures.get(symbol)
    if exposure is None:
        return None
    named = {str(spoken("class", name, lang)): part for name, part in exposure.items()}
    alone = next(iter(named), "")
    if list(named.values()) == [1] and not any(letter.isdigit() for letter in alone):
        return alone
    return ", ".join(f"{name} {plain_number(part * 100)}%" for name, part in named.items())


def class_rows(portfolio: Portfolio) -> Rows:
    """Return the person's own classes, each with the wider one that it is in."""
    return tuple({"Class": name, "Within": wider or None} for name, wider in portfolio.classes.items())


def preference_rows(portfolio: Portfolio, lang: Lang) -> Rows:
    """Return where what is bought first: a symbol, goal or class with its places in order; and the rule that holds."""
    return tuple(
        {"What": what, "Places": ", ".join(str(spoken("account_type", one, lang)) for one in places)}
        for what, places in portfolio.prefer.items()
    )


def instrument_rows(portfolio: Portfolio, lang: Lang) -> Rows:
    """Return the instruments that the catalogue does not have, or has otherwise, with all that is known of them.

    The classes of what is held stand beside the holding, of others here.
    """
    known = catalogue.load()
    held = {holding.symbol for holding in portfolio.holdings}
    rows: list[Row] = []
    for symbol, instrument in portfolio.instruments.items():
        entry = known.get(symbol)
        exposure = None if symbol in held else exposure_text(portfolio, symbol, lang)
        if entry is not None and entry.instrument == instrument and exposure is None:
            continue
        rows.append(
            {
                "Ticker": symbol,
                "Name": instrument.name,
                "Market": instrument.market,
                "Currency": instrument.currency,
                "Class": None if instrument.asset_type == UNKNOWN_TYPE else instrument.asset_type,
                "AssetClass": instrument.asset_class,
                "Leverage": instrument.leverage,
                "Futures": instrument.futures,
                "TER": instrument.expense_ratio,
                "Lot": instrument.lot,
                "NameEn": instrument.name_en or None,
                "Exposure": exposure,
            }
        )
    return tuple(rows)


def priced_rows(report: BookReport) -> Rows:
    """Return the prices written by the engine, and a row without a price for every symbol that has none."""
    found = {str(row["Ticker"]): row for row in report.rows("Prices")}
    rows: list[Row] = []
    for symbol in report.portfolio.symbols:
        instrument = report.portfolio.instruments[symbol]
        blank: Row = {
            "Ticker": symbol,
            "Name": instrument.name,
            "Price": None,
            "Currency": instrument.currency,
            "Status": "missing",
        }
        rows.append(found.pop(symbol, blank))
    return (*rows, *found.values())
