"""What a workbook is to show: a portfolio, and what the engine found out about it, as rows of the spec's tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from engine.errors import Problem
from engine.market.quote import SAMPLE_SOURCE
from engine.money import ZERO, to_unit
from engine.places import place
from engine.plan import Plan, Reason
from engine.portfolio import Portfolio
from engine.summary import cash_weight, reconciliation
from engine.valuation import FxRate
from templates.labels import label
from templates.schema import ColumnType, Lang, Text

Value = str | bool | int | float | Decimal | dt.date | dt.datetime | None
Row = Mapping[str, Value]
Rows = tuple[Row, ...]


class CellError(str):
    """Be a cell's error value, such as #N/A."""

    __slots__ = ()


NA = CellError("#N/A")
#: Decimal places of the weights kept in the history.
_PLACES = 6
#: What kind of figure each key of the Summary table is.
SUMMARY_TYPES: Mapping[str, ColumnType] = {
    "as_of": "date",
    "total_value": "money",
    "cash": "money",
    "drift": "weight",
    "needs_rebalancing": "bool",
    "next_due": "date",
    "weighted_ter": "fee",
    "objective": "fee",
    "bound": "fee",
    "gap": "fee",
    "method": "text",
    "transaction_tax": "money",
    "overseas_tax": "integer",
    "dividend_tax": "money",
    "problems": "integer",
}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Hold what a model portfolio says of itself; fractions a year. These are assumptions, not promises."""

    key: str
    title: Text
    summary: Text
    expected_return: Decimal | None = None
    drawdown: Decimal | None = None
    rules: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Hold everything that a workbook shows.

    `results` holds rows of the tables that the engine writes, by table name (Prices, FxRates, Trades, Reconcile,
    Conversions, Summary, Calendar, Problems, and the analyses); a table without rows has not been computed. `notes`
    holds what stands beside a table's title: which days and sources its rows are of, or why it has none.
    """

    portfolio: Portfolio
    as_of: dt.date | None = None
    results: Mapping[str, Rows] = field(default_factory=dict)
    history: Rows = ()
    model: ModelFacts | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    def rows(self, table: str) -> Rows:
        """Return the rows of a table that the engine writes."""
        return self.results.get(table, ())


def plan_report(
    portfolio: Portfolio,
    plan: Plan,
    say: Callable[[Reason], str],
    lang: Lang,
    *,
    rates: Mapping[str, FxRate] | None = None,
    history: Sequence[Row] = (),
    analyses: Mapping[str, Rows] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Report:
    """Return the report of a finished plan.

    `say` turns a trade's reason into a sentence in the report's language; `rates` are those of
    `engine.valuation.resolve_rates` (without them, the positions' own are shown); `analyses` are the rows of further
    tables (in place of the plan's own), `notes` what stands beside tables' titles. The plan's date is added to the
    history, in place of an earlier row of the same date.
    """
    results: dict[str, Rows] = {
        "Prices": price_rows(plan),
        "FxRates": rate_rows(plan, rates or {}),
        "Trades": trade_rows(plan, say),
        "Reconcile": cash_rows(plan),
        "Conversions": conversion_rows(plan),
        "Summary": summary_rows(plan, portfolio, lang),
        "Calendar": review_rows(plan, lang),
        "Problems": problem_rows(plan.problems, lang),
    }
    kept = [row for row in history if row.get("Date") != plan.as_of]
    rows = (*kept, history_row(plan))
    return Report(portfolio, plan.as_of, results | dict(analyses or {}), rows, notes=dict(notes or {}))


def price_rows(plan: Plan) -> Rows:
    """Return the price of every symbol with its source, time and status."""
    return tuple(
        {
            "Ticker": p.symbol,
            "Name": p.name,
            "Price": p.price if p.price_source != "none" else None,
            "Currency": p.currency,
            "AsOf": p.price_as_of.replace(tzinfo=None, microsecond=0) if p.price_as_of else None,
            "Source": p.price_source,
            "Status": price_status(p.price_source, stale=p.stale),
        }
        for p in plan.positions
    )


def price_status(source: str, *, stale: bool) -> str:
    """Return the word for a price's state: manual, sample, stale, missing or fresh."""
    if source in ("manual", SAMPLE_SOURCE):
        return source
    if source == "none":
        return "missing"
    return "stale" if stale else "fresh"


def rate_rows(plan: Plan, rates: Mapping[str, FxRate]) -> Rows:
    """Return the rate into the base currency of every other currency that the plan uses."""
    found = {
        currency: {
            "Currency": currency,
            "MarketRate": rate.rate,
            "AsOf": rate.as_of.replace(tzinfo=None, microsecond=0) if rate.as_of else None,
            "Source": rate.source,
            "Status": "stale" if rate.stale_reason else price_status(rate.source, stale=False),
        }
        for currency, rate in rates.items()
    }
    for p in plan.positions:
        if p.currency != plan.base_currency and p.fx:
            found.setdefault(p.currency, {"Currency": p.currency, "MarketRate": p.fx, "Status": "fresh"})
    return tuple(found.values())


def trade_rows(plan: Plan, say: Callable[[Reason], str]) -> Rows:
    """Return the trades; `Cost` is commission and tax together."""
    return tuple(
        {
            "Account": t.account,
            "Ticker": t.symbol,
            "Name": t.name,
            "Side": t.side,
            "Quantity": t.quantity,
            "Price": t.price,
            "Currency": t.currency,
            "Amount": t.amount,
            "Cost": t.cost + t.tax,
            "Reason": say(t.reason),
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


def summary_rows(plan: Plan, portfolio: Portfolio, lang: Lang) -> Rows:
    """Return the plan's figures by key."""
    dues = [state.next_due for state in plan.sections if state.next_due]
    figures: dict[str, Value] = {
        "as_of": plan.as_of,
        "total_value": plan.total_value,
        "cash": cash_weight(plan).value,
        "drift": plan.drift,
        "needs_rebalancing": plan.needs_rebalancing,
        "next_due": min(dues) if dues else None,
        "weighted_ter": weighted_ter(plan, portfolio),
        "objective": plan.quality.objective,
        "bound": plan.quality.bound,
        "gap": plan.quality.gap,
        "method": plan.quality.method,
        "transaction_tax": plan.tax.transaction_tax,
        "overseas_tax": plan.tax.overseas_tax,
        "dividend_tax": plan.tax.dividend_tax,
        "problems": len(plan.problems),
    }
    return tuple({"Key": k, "Value": v, "Meaning": label(f"summary.{k}", lang)} for k, v in figures.items())


def weighted_ter(plan: Plan, portfolio: Portfolio) -> Decimal | None:
    """Return Σ weight × fee over the positions whose fee is known, divided by their weight; None where none is."""
    known = [(p.weight, portfolio.instruments[p.symbol].expense_ratio) for p in plan.positions if p.weight]
    priced = [(weight, fee) for weight, fee in known if fee is not None]
    total = sum((weight for weight, _ in priced), ZERO)
    return sum((weight * fee for weight, fee in priced), ZERO) / total if total else None


def review_rows(plan: Plan, lang: Lang) -> Rows:
    """Return when each section is reviewed next."""
    return tuple(
        {
            "Date": state.next_due,
            "Section": state.section,
            "Task": label("task.review", lang),
            "Due": "due" if state.due else "",
        }
        for state in plan.sections
        if state.next_due is not None
    )


def problem_rows(problems: Sequence[Problem], lang: Lang) -> Rows:
    """Return problems as rows of the Problems table, in the workbook's language."""
    return tuple(
        {"Severity": p.severity, "Where": place(p.where, lang), "Message": p.said(lang), "Code": p.code}
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
