"""Drift, trades, summary and checks: one plan for equal inputs, whichever function asks first."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from engine.errors import InputError, MarketDataError, Problem
from engine.plan import Plan, Position
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.rebalance import assess, rebalance
from engine.words import Lang
from rebalancer.quoting import quotes_for
from templates.cells import Rows
from templates.report import problem_rows, summary_rows, trade_rows
from xl_addin.functions import journal
from xl_addin.functions.answers import Answer, table
from xl_addin.functions.cells import grid, rows_of, sheets
from xl_addin.functions.gathering import gathered
from xl_addin.functions.inputs import Inputs, language, read_inputs
from xl_addin.show.problems import problems_of


@dataclass(frozen=True, slots=True)
class Planned:
    """Hold a plan with what it was made from."""

    portfolio: Portfolio
    quotes: Mapping[str, Quote]
    plan: Plan
    lang: Lang


#: Equal questions of one recalculation share a plan.
_plans: deque[Planned] = deque(maxlen=4)


def today() -> dt.date:
    """Return this computer's date."""
    return dt.datetime.now().astimezone().date()


def forget() -> None:
    """Forget the plans made so far."""
    _plans.clear()


def planned(name: str, ranges: dict[str, object], tables: object) -> Planned:
    """Return the plan of a call; raises InputError, ImpossibleError or MarketDataError with every problem."""
    inputs = read_inputs(name, ranges, tables)
    return _plan(inputs, today())


def drift(holdings: object, targets: object, cash: object, settings: object, tables: object) -> Answer:
    """Return every position with its target and band, which takes no search for trades."""
    inputs = read_inputs("REBAL_DRIFT", _ranges(holdings, targets, cash, settings), tables)
    quotes, problems = _quoted(inputs)
    with _telling(problems):
        return table("REBAL_DRIFT", position_rows(assess(inputs.portfolio, quotes, today())))


def trades(holdings: object, targets: object, cash: object, settings: object, tables: object) -> Answer:
    """Return the trades."""
    found = planned("REBAL_TRADES", _ranges(holdings, targets, cash, settings), tables)
    return table("REBAL_TRADES", trade_rows(found.plan, found.lang))


def summary(tables: object) -> Answer:
    """Return the plan in figures."""
    found = planned("REBAL_SUMMARY", {}, tables)
    return table("REBAL_SUMMARY", summary_rows(found.plan, found.lang))


def checks(holdings: object, targets: object, cash: object, settings: object, tables: object) -> Answer:
    """Return the problems of the plan, or why there is none, then why other functions failed lately."""
    try:
        found = planned("REBAL_CHECKS", _ranges(holdings, targets, cash, settings), tables).plan.problems
    except InputError as error:
        found = error.problems
    except MarketDataError as error:
        found = problems_of(error)
    told = [grid("settings", rows)] if (rows := rows_of(settings)) is not None else []
    problems = gathered((*found, *journal.recent()))
    return table("REBAL_CHECKS", problem_rows(problems, language([*told, *sheets(tables)])))


def drift_rows(plan: Plan) -> Rows:
    """Return a plan's positions; `Value` is in the base currency."""
    return position_rows(plan.positions)


def position_rows(positions: Iterable[Position]) -> Rows:
    """Return the positions; `Value` is in the base currency."""
    return tuple(
        {
            "Ticker": p.symbol,
            "Name": p.name,
            "Section": p.section,
            "Value": p.value,
            "Weight": p.weight,
            "Target": p.target,
            "Drift": p.drift,
            "Low": p.low,
            "High": p.high,
            "Status": p.status,
        }
        for p in positions
    )


def _ranges(holdings: object, targets: object, cash: object, settings: object) -> dict[str, object]:
    return {"holdings": holdings, "targets": targets, "cash": cash, "settings": settings}


def _quoted(inputs: Inputs) -> tuple[Mapping[str, Quote], tuple[Problem, ...]]:
    """Return the quotes of a call, and every problem on the way to them."""
    quotes, found = quotes_for(inputs.portfolio, {}, interactive=True)
    return quotes, (*inputs.problems, *found)


@contextmanager
def _telling(problems: tuple[Problem, ...]) -> Iterator[None]:
    """Put the problems before those of an error for lack of market data: they say what the sources said."""
    try:
        yield
    except MarketDataError as error:
        error.problems = (*problems, *error.problems)
        raise


def _plan(inputs: Inputs, day: dt.date) -> Planned:
    portfolio = inputs.portfolio
    quotes, problems = _quoted(inputs)
    known = next((p for p in _plans if p.plan.as_of == day and p.portfolio == portfolio and p.quotes == quotes), None)
    if known is None:
        with _telling(problems):
            plan = rebalance(portfolio, quotes, day)
        known = Planned(portfolio, quotes, plan, inputs.lang)
        _plans.appendleft(known)
    plan = known.plan
    return replace(known, plan=replace(plan, problems=(*problems, *plan.problems)), lang=inputs.lang)
