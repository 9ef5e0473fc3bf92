"""The tables that the engine writes: prices, the plan, the analyses, what is due, problems."""

from __future__ import annotations

from collections.abc import Mapping

from engine.quote import SAMPLE_SOURCE
from templates.spec.inputs import rate_of
from templates.spec.schema import Column, ColumnType, Table
from templates.spec.vocabulary import meant

#: What kind of figure each key of the Summary table is.
_FIGURES: Mapping[str, ColumnType] = {
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
    "misplaced": "fee",
    "rung": "integer",
    "transaction_tax": "money",
    "overseas_tax": "integer",
    "dividend_tax": "money",
    "problems": "integer",
}


def price_status(source: str, *, stale: bool) -> str:
    """Return the word for a price's state: manual, sample, stale, missing or fresh."""
    if source in ("manual", SAMPLE_SOURCE):
        return source
    if source == "none":
        return "missing"
    return "stale" if stale else "fresh"


def in_base(column: str) -> str:
    """Return the formula of a row's amount in the base currency."""
    return f'=IF({{Ticker}}="","",N({{{column}}})*{rate_of("{Currency}", f"{{{column}}}")})'


def _figure(row: Mapping[str, object]) -> ColumnType:
    key = str(row.get("Key"))
    return "bool" if key.startswith("acts.") else _FIGURES.get(key, "number")


def _figure_words(row: Mapping[str, object]) -> str:
    return "method" if row.get("Key") == "method" else ""


PRICES = Table(
    "Prices",
    "Prices",
    (
        Column("Ticker", "ticker", "result"),
        Column("Name", role="result", width=33),
        Column("Price", "price", "result", 14, unit="Currency"),
        Column("Currency", "text", "result", 9),
        Column("AsOf", "datetime", "result", 17),
        Column("Source", role="result", width=12, words="source"),
        Column("Status", "status", "result", 12, words="price"),
    ),
    required=("Ticker", "Price", "Source"),
    ranges=True,
    spare=20,
)

TRADES = Table(
    "Trades",
    "Trades",
    (
        Column("Account", role="result"),
        Column("Ticker", "ticker", "result"),
        Column("Name", role="result", width=33),
        Column("Side", "choice", "result", 9, sides=True, words="side"),
        Column("Quantity", "quantity", "result"),
        Column("Price", "price", "result", 12, unit="Currency"),
        Column("Currency", "text", "result", 9),
        Column("Amount", "money", "result", 15, unit="Currency"),
        Column("Cost", "money", "result", 12, unit="Currency"),
        Column("Reason", role="result", width=60, reveals=True),
        Column("WeightAfter", "weight", "result", 11),
        Column("SideCode", role="formula", formula="={~side:Side}", hidden=True, shared=False),
        Column("BaseAmount", "money", "formula", formula=in_base("Amount"), hidden=True, shared=False),
        Column("BaseCost", "money", "formula", formula=in_base("Cost"), hidden=True, shared=False),
    ),
    required=("Ticker", "Side", "Quantity", "Amount"),
    ranges=True,
    spare=20,
    always=True,
)

_MINE = '((({Account}="")+({Trades.Account}={Account}))>0)*({Trades.Currency}={Currency})'
_CONVERTS = '((({Account}="")+({Conversions.Account}={Account}))>0)'
RECONCILE = Table(
    "Reconcile",
    "Cash",
    (
        Column("Account", role="result"),
        Column("Currency", "text", "result", 9),
        Column("Before", "money", "result", 14, unit="Currency"),
        Column("Sells", "money", "formula", 14, unit="Currency",
               formula=f'=IF({{Currency}}="","",SUMPRODUCT({_MINE}*({{Trades.SideCode}}="sell"),{{Trades.Amount}}))'),
        Column("Buys", "money", "formula", 14, unit="Currency",
               formula=f'=IF({{Currency}}="","",SUMPRODUCT({_MINE}*({{Trades.SideCode}}="buy"),{{Trades.Amount}}))'),
        Column("Costs", "money", "formula", 12, unit="Currency",
               formula=f'=IF({{Currency}}="","",SUMPRODUCT({_MINE}*({{Trades.Ticker}}<>""),{{Trades.Cost}}))'),
        Column("Exchanged", "money", "formula", 14, unit="Currency",
               formula=f'=IF({{Currency}}="","",SUMPRODUCT({_CONVERTS}*({{Conversions.Buy}}={{Currency}}),'
                       f'{{Conversions.Bought}})-SUMPRODUCT({_CONVERTS}*({{Conversions.Sell}}={{Currency}}),'
                       f'{{Conversions.Amount}}))'),
        Column("After", "money", "formula", 14, unit="Currency",
               formula='=IF({Currency}="","",{Before}+{Sells}-{Buys}-{Costs}+{Exchanged})'),
        Column("PlanAfter", "money", "result", 14, unit="Currency"),
        Column("Check", "status", "formula", 10, words="cash",
               formula='=IF({Currency}="","",IF({PlanAfter}="","",IF(ROUND({After}-{PlanAfter},2)<>0,{@cash.DIFFERS},'
                       'IF({After}<0,{@cash.NEGATIVE},{@cash.OK}))))'),
    ),
    required=("Before", "PlanAfter"),
    ranges=True,
    spare=0,
    amounts=True,
)  # fmt: skip

CONVERSIONS = Table(
    "Conversions",
    "Cash",
    (
        Column("Account", role="result"),
        Column("Sell", "text", "result", 9),
        Column("Buy", "text", "result", 9),
        Column("Amount", "money", "result", 15, unit="Sell"),
        Column("Rate", "rate", "result", 12),
        Column("Cost", "money", "result", 12, unit="Sell"),
        Column("Bought", "money", "result", 15, unit="Buy"),
    ),
    required=("Sell", "Buy", "Bought"),
    ranges=True,
    spare=6,
    amounts=True,
)

SUMMARY = Table(
    "Summary",
    "Analysis",
    (
        Column("Key", role="result", width=20, words="summary"),
        Column("Value", "number", "result", 20, kind_of=_figure, words=_figure_words),
        Column("Meaning", role="result", width=44),
    ),
    required=("Key", "Value", "Meaning"),
    ranges=True,
    spare=0,
    amounts=True,
    open_keys=frozenset({"as_of", "drift", "needs_rebalancing", "next_due", "weighted_ter", "method"}),
)

_VALUE_BESIDE = (
    'IF({Kind}="unknown",SUMPRODUCT(--({Goals.Kind}="rest"),{Goals.Held}),IF({Kind}="cash",CashValue,{Held}))'
)
_TARGET_BESIDE = 'IF({Kind}="cash",CashTarget,IF(OR({Kind}="unknown",{Kind}="none"),0,""))'
_STATUS_BESIDE = 'IF({Kind}="none",IF({Value}>0,{@status.NO_TARGET},""),"")'
_OF_GOAL = 'IF({{Kind}}="goal",IFERROR(INDEX({{Targets.{name}}},MATCH({{Goal}},{{Targets.Ticker}},0)),""),{other})'


def _of_goal(name: str, other: str = '""') -> str:
    """Return the formula of what the Targets sheet says of a goal, something else in other rows."""
    return _OF_GOAL.format(name=name, other=other)


#: What is in each goal: a row per goal, then one per member; what nobody knows; holdings in no goal; cash. Rows in
#: `Front` are on the dashboard too.
GOALS = Table(
    "Goals",
    "Goals",
    (
        Column("Name", role="result", width=40),
        Column("Ticker", "ticker", "result", 12),
        Column("Part", "weight", "result", 10),
        Column("Held", "money", "formula", hidden=True, shared=False,
               formula='=IF({Kind}="","",IF({Ticker}="",0,'
                       'N({Part})*SUMPRODUCT(--({Holdings.Ticker}={Ticker}),{Holdings.Value})))'),
        Column("Value", "money", "formula", 16,
               formula=f'={_of_goal("Value", _VALUE_BESIDE)}'),
        Column("Weight", "weight", "formula", 10,
               formula='=IF({Value}="","",IF(TotalValue>0,{Value}/TotalValue,0))'),
        Column("Target", "weight", "formula", 10, exact=True,
               formula=f'={_of_goal("Target", _TARGET_BESIDE)}'),
        Column("Drift", "drift", "formula", 10, formula='=IF({Target}="","",{Weight}-{Target})'),
        Column("Low", "weight", "formula", 9, formula=f'={_of_goal("Low")}'),
        Column("High", "weight", "formula", 9, formula=f'={_of_goal("High")}'),
        Column("Status", "status", "formula", 12, words="status",
               formula=f'={_of_goal("Status", _STATUS_BESIDE)}'),
        Column("Goal", role="result", hidden=True, shared=False),
        Column("Kind", role="result", hidden=True, shared=False),
        Column("Front", "integer", "result", hidden=True, shared=False),
    ),
    required=("Name", "Kind", "Front"),
    ranges=True,
    optional=True,
    spare=0,
)  # fmt: skip

ALLOCATION = Table(
    "Allocation",
    "Analysis",
    (
        Column("By", role="result", width=14),
        Column("Group", role="result", width=24),
        Column("Value", "money", "result", 16),
        Column("Weight", "weight", "result", 9),
        Column("Target", "weight", "result", 9),
        Column("Drift", "drift", "result", 9),
        Column("Mark", "signal", "result", 11),
    ),
    required=("By", "Group", "Drift"),
    ranges=True,
    spare=0,
)

DRIFT = Table(
    "Drift",
    "Trades",
    (
        Column("Ticker", "ticker", "result"),
        Column("Name", role="result", width=33),
        Column("Section", role="result", width=12, words="section"),
        Column("Value", "money", "result", 16),
        Column("Weight", "weight", "result", 9),
        Column("Target", "weight", "result", 9, exact=True),
        Column("Drift", "drift", "result", 9),
        Column("Low", "weight", "result", 9),
        Column("High", "weight", "result", 9),
        Column("Status", "status", "result", 12, words="status"),
    ),
    required=("Ticker", "Low", "High"),
    ranges=True,
    spare=0,
    live=True,
)


COMPARISON = Table(
    "Comparison",
    "Analysis",
    (
        Column("Ticker", "ticker", "result"),
        Column("Name", role="result", width=33),
        Column("Fee", "number", "result", 8, percent=True),
        Column("AUM", "integer", "result", 18),
        Column("AUMCurrency", role="result", width=8),
        Column("Holdings", "integer", "result", 9),
        Column("Concentration", "weight", "result", 11),
        *(Column(span, "drift", "result", 9) for span in ("1M", "3M", "6M", "1Y", "3Y", "5Y")),
        Column("Volatility", "weight", "result", 10),
        Column("MaxDrawdown", "drift", "result", 10),
        Column("Yield", "weight", "result", 8),
        Column("Source", role="result", width=36),
        Column("Top10", role="result", width=40),
    ),
    required=("Ticker", "Fee", "AUM"),
    ranges=True,
    spare=0,
    fetched=True,
    printed="Source",
    charted=True,
)

REVIEW = Table(
    "Review",
    "Analysis",
    (
        Column("Ticker", "ticker", "result"),
        Column("Quarter", role="result", width=10),
        Column("Return", "drift", "result", 9),
        Column("Benchmark", "drift", "result"),
        Column("Excess", "drift", "result", 9),
        Column("Verdict", "status", "result", 12, words="verdict"),
        Column("Reasons", role="result", width=44),
        Column("Against", "ticker", "result"),
        Column("Currency", role="result", width=9),
    ),
    required=("Quarter", "Excess", "Verdict"),
    ranges=True,
    spare=0,
    fetched=True,
)

LIMITS = Table(
    "Limits",
    "Analysis",
    (
        Column("Rule", role="result", width=26, words="rule"),
        Column("Scope", role="result", width=16, words="scope"),
        Column("Limit", "text", "result", 20, reveals=True),
        Column("Actual", "text", "result", 22, reveals=True),
        Column("Status", "status", "result", 10, words="limit"),
    ),
    required=("Rule", "Limit", "Actual"),
    ranges=True,
    spare=0,
)

ALERTS = Table(
    "Alerts",
    "Analysis",
    (
        Column("First", "ticker", "result"),
        Column("Second", "ticker", "result"),
        Column("Correlation", "number", "result", kind_of=lambda _row: "correlation"),
        Column("Kind", role="result", width=16),
    ),
    required=("First", "Second", "Correlation"),
    ranges=True,
    spare=0,
    fetched=True,
)

CORRELATION = Table(
    "Correlation",
    "Analysis",
    (Column("Ticker", "ticker", "result"),),
    required=(),
    ranges=True,
    spare=0,
    fetched=True,
    matrix="Alerts",
)

CALENDAR = Table(
    "Calendar",
    "Calendar",
    (
        Column("Date", "date", "result", 12),
        Column("Section", role="result", width=14, words="section"),
        Column("Task", role="result", width=70),
        Column("Due", "status", "result", 10, words="due"),
    ),
    required=("Date", "Task"),
    ranges=True,
    spare=0,
)

PROBLEMS = Table(
    "Problems",
    "Checks",
    (
        Column("Severity", "status", "result", 10, words="severity"),
        Column("Where", role="result", width=30, reveals=True),
        Column("Message", role="result", width=90, reveals=True),
        Column("Code", role="result", width=20),
    ),
    required=("Severity", "Message"),
    ranges=True,
    spare=0,
    amounts=True,
)

#: So many instruments have a column of their own in the allocation over time; the rest are one, cash another.
PARTS_SHOWN = 8
#: So many days of the time that is looked back on, at most.
ROOM = 120


def _measured(row: Mapping[str, object]) -> ColumnType:
    return _MEASURES.get(meant("measure", str(row.get("Measure"))), "money")


#: What kind of figure each measure of the Performance table is; the others are money in the base currency.
_MEASURES: Mapping[str, ColumnType] = {
    "from": "date",
    "to": "date",
    "time_weighted": "drift",
    "time_weighted_yearly": "drift",
    "money_weighted": "drift",
    "benchmark": "drift",
    "benchmark_yearly": "drift",
    "turnover": "weight",
    "drift": "weight",
    "days_outside": "integer",
}
PERFORMANCE = Table(
    "Performance",
    "Performance",
    (
        Column("Measure", role="result", width=36),
        Column("Result", "number", "result", 20, kind_of=_measured),
    ),
    required=("Measure", "Result"),
    ranges=True,
    spare=0,
    fetched=True,
    amounts=True,
)

PERIODS = Table(
    "Periods",
    "Performance",
    (
        Column("Period", role="result", width=24),
        Column("TimeWeighted", "drift", "result", 11),
        Column("MoneyWeighted", "drift", "result", 11),
        Column("EndValue", "money", "result", 16),
        Column("NetPaid", "money", "result", 15),
        Column("Dividends", "money", "result", 13),
        Column("Costs", "money", "result", 12),
        Column("Taxes", "money", "result", 12),
        Column("RealisedAverage", "money", "result", 14),
        Column("RealisedFifo", "money", "result", 14),
    ),
    required=("Period", "TimeWeighted", "NetPaid"),
    ranges=True,
    spare=30,
    fetched=True,
    amounts=True,
)

COURSE = Table(
    "Course",
    "Performance",
    (
        Column("On", "date", "result", 12),
        Column("Worth", "money", "result", 16),
        Column("PaidIn", "money", "result", 16),
        Column("OffTarget", "weight", "result", 10),
        *(Column(f"Part{number}", "weight", "result", 13) for number in range(1, PARTS_SHOWN + 1)),
        Column("Others", "weight", "result", 10),
        Column("CashShare", "weight", "result", 10),
    ),
    required=("On", "Worth", "PaidIn"),
    ranges=True,
    spare=ROOM,
    fetched=True,
    amounts=True,
)
