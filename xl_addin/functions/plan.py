"""Drift, trades, summary and checks: one plan for equal inputs, whichever function asks first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import InputError, MarketDataError, Problem
from engine.goals import uses_goals
from engine.phrase import phrase, place
from engine.plan import GoalState, Plan, Position
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.valuation import typed
from engine.words import Lang
from rebalancer.clock import today
from rebalancer.planning import assessed, in_force, planned
from rebalancer.quoting import quotes_for
from templates.cells import Row, Rows
from templates.report import INSIDE, problem_rows, summary_rows, trade_rows
from xl_addin.functions import journal
from xl_addin.functions.cells import Answer, grid, rows_of, sheets
from xl_addin.functions.declaring import PORTFOLIO_SHEETS, WITH_LEDGER, Argument, declared
from xl_addin.functions.inputs import Inputs, entries_of, language, read_inputs

if TYPE_CHECKING:
    from engine.ledger.entries import LedgerEntry

HOLDINGS = Argument("holdings", "table", "Holdings[#All]")
TARGETS = Argument("targets", "table", "Targets[#All]")
_CASH = Argument("cash", "table", "Cash[#All]")
_SETTINGS = Argument("settings", "table", "Settings!A1:Z60")
_RANGES = "Holdings[#All],Targets[#All],Cash[#All],Settings!A1:Z60"
#: Equal questions of one recalculation share a plan.
_plans: deque[tuple[Mapping[str, Quote], Plan]] = deque(maxlen=4)
#: Causes that concern many instruments at once, from how many on they are one row, and how many of them are named.
ALIKE = frozenset(("price-source", "price-missing", "no-history", "no-facts", "stored-data", "stale"))
MANY, NAMED = 4, 6


@declared(
    "REBAL_DRIFT",
    HOLDINGS,
    TARGETS,
    _CASH,
    _SETTINGS,
    columns=("Ticker", "Name", "Section", "Value", "Weight", "Target", "Drift", "Low", "High", "Status"),
    sheets=PORTFOLIO_SHEETS,
    example=f"=REBAL_DRIFT({_RANGES})",
    checked=True,
)
def drift(holdings: object, targets: object, cash: object, settings: object, tables: object) -> Answer:
    """Return every position with its target and band, which takes no search for trades."""
    portfolio = read_inputs(drift.name, _ranges(holdings, targets, cash, settings), tables).portfolio
    portfolio, _ = in_force(portfolio, today(), interactive=True)
    quotes, problems = quotes_for(portfolio, {}, interactive=True)
    return drift.table(drift_rows(portfolio, *assessed(portfolio, quotes, today(), problems)))


@declared(
    "REBAL_TRADES",
    HOLDINGS,
    TARGETS,
    _CASH,
    _SETTINGS,
    columns=(
        "Account", "Ticker", "Name", "Side", "Quantity", "Price", "Currency", "Amount", "Cost", "Reason", "WeightAfter",
    ),
    sheets=WITH_LEDGER,
    example=f"=REBAL_TRADES({_RANGES})",
    checked=True,
)  # fmt: skip
def trades(holdings: object, targets: object, cash: object, settings: object, tables: object) -> Answer:
    """Return the trades."""
    plan, lang = plan_of(trades.name, _ranges(holdings, targets, cash, settings), tables)
    return trades.table(trade_rows(plan, lang))


@declared(
    "REBAL_SUMMARY",
    columns=("Key", "Value"),
    sheets=WITH_LEDGER,
    example="=REBAL_SUMMARY()",
    checked=True,
)
def summary(tables: object) -> Answer:
    """Return the plan in figures."""
    plan, lang = plan_of(summary.name, {}, tables)
    return summary.table(summary_rows(plan, lang))


@declared(
    "REBAL_CHECKS",
    HOLDINGS,
    TARGETS,
    _CASH,
    _SETTINGS,
    columns=("Severity", "Where", "Message", "Code"),
    sheets=WITH_LEDGER,
    example="=REBAL_CHECKS()",
    checked=True,
)
def checks(holdings: object, targets: object, cash: object, settings: object, tables: object) -> Answer:
    """Return the problems of the plan, or why there is none, then why other functions failed lately."""
    try:
        found = plan_of(checks.name, _ranges(holdings, targets, cash, settings), tables)[0].problems
    except InputError as error:
        found = error.problems
    except MarketDataError as error:
        found = error.listed()
    told = [grid("settings", rows)] if (rows := rows_of(settings)) is not None else []
    problems = gathered((*found, *journal.recent()))
    return checks.table(problem_rows(problems, language([*told, *sheets(tables)])))


def plan_of(name: str, ranges: dict[str, object], tables: object) -> tuple[Plan, Lang]:
    """Return the plan of a call, and the language of its workbook.

    Raises InputError, ImpossibleError or MarketDataError with every problem.
    """
    inputs: Inputs = read_inputs(name, ranges, tables)
    entries = entries_of(inputs.grids, name)
    return _plan(inputs.portfolio, entries), inputs.lang


def _plan(portfolio: Portfolio, entries: Sequence[LedgerEntry]) -> Plan:
    day = today()
    if entries:
        from rebalancer.ledgers import with_year_of

        portfolio = with_year_of(portfolio, entries, day)
    portfolio, bands = in_force(portfolio, day, interactive=True)
    quotes, problems = quotes_for(portfolio, {}, interactive=True)
    portfolio, problems = typed(portfolio, quotes), (*problems, *bands)
    before = (*portfolio.notes, *problems)
    for asked, plan in _plans:
        if plan.as_of == day and plan.portfolio == portfolio and asked == quotes:
            return replace(plan, problems=(*before, *plan.problems))
    made = planned(portfolio, quotes, day, problems)
    _plans.appendleft((quotes, replace(made, problems=made.problems[len(before) :])))
    return made


def forget() -> None:
    """Forget the plans made so far."""
    _plans.clear()


def drift_rows(portfolio: Portfolio, positions: Iterable[Position], goals: Iterable[GoalState]) -> Rows:
    """Return the goals, each with its members under it, or the positions where nothing else is wanted.

    `Value` is in the base currency. A member has no target of its own: its value is the part that is in the goal.
    """
    found = {position.symbol: position for position in positions}
    if not uses_goals(portfolio):
        return tuple(_compared(symbol, position.name, position) for symbol, position in found.items())
    rows: list[Row] = []
    for state in goals:
        goal = state.goal
        own = found.get(goal.name) if goal.kind == "instrument" else None
        rows.append(_compared(goal.name, own.name if own else goal.name, state))
        for symbol, part in goal.members.items() if own is None else ():
            member = found[symbol]
            rows.append({
                **dict.fromkeys(("Target", "Drift", "Low", "High", "Status")),
                "Ticker": symbol, "Name": f"{INSIDE}{member.name}", "Section": goal.section,
                "Value": member.value * part, "Weight": member.weight * part,
            })  # fmt: skip
    return tuple(rows)


def _compared(ticker: str, name: str, state: Position | GoalState) -> Row:
    return {
        "Ticker": ticker,
        "Name": name,
        "Section": state.section,
        "Value": state.value,
        "Weight": state.weight,
        "Target": state.target,
        "Drift": state.drift,
        "Low": state.low,
        "High": state.high,
        "Status": state.status,
    }


def gathered(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return the problems, each once, those of a common cause joined in the place of the first.

    Without a network every instrument would have a row of its own.
    """
    rows = dict.fromkeys(problems)
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in rows:
        if problem.code in ALIKE:
            alike.setdefault((problem.severity, problem.code), []).append(problem)
    joined = {key: _joined(found) for key, found in alike.items() if len({one.where for one in found}) >= MANY}
    told: dict[Problem, None] = {}
    for problem in rows:
        told.setdefault(joined.get((problem.severity, problem.code), problem))
    return tuple(told)


def _joined(problems: Sequence[Problem]) -> Problem:
    first = problems[0]
    places = list(dict.fromkeys(problem.where for problem in problems))
    more = len(places) - NAMED
    where = place("several-more" if more > 0 else "several", places=places[:NAMED], more=more)
    return replace(first, where=where, message=phrase("alike", number=len(places), first=first.message))


def _ranges(holdings: object, targets: object, cash: object, settings: object) -> dict[str, object]:
    return {"holdings": holdings, "targets": targets, "cash": cash, "settings": settings}
