"""The main job: a plan for a portfolio, with everything that was found on the way to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, MarketDataError, Problem, error
from engine.phrase import place
from engine.plan import GoalState, Plan, Position
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.settings import Mode
from rebalancer.clock import today

if TYPE_CHECKING:
    from engine.market.quoting import QuoteBatch
    from engine.trades.highs import Watch


def plan(
    portfolio: Portfolio,
    quotes: QuoteBatch | Mapping[str, Quote] | None = None,
    *,
    as_of: dt.date | None = None,
    mode: Mode | None = None,
    cash_flow: Decimal | float | None = None,
    allow_stale: bool = False,
    accept: Mapping[str, Decimal] | None = None,
    history: str | Path | None = None,
    watch: Watch | None = None,
) -> Plan:
    """Return the plan that brings a portfolio closest to its targets, with proof of how close any plan can come.

    Without `quotes`, what is needed is fetched (`accept` are doubtful prices that a person has confirmed). Where a
    band follows volatility, it is judged by the closes of the CSV file `history`, or without one by fetched ones.
    `as_of` is the day to plan for (today); `mode` and `cash_flow` beat the portfolio's settings. `watch` is called
    now and then with the best plan's objective and the bound; where it returns True, the best plan so far is taken.
    The plan's problems include those of reading the portfolio and of its quotes. Raises NoData, Stale and Doubtful
    where prices are missing, old or doubtful, ImpossibleError where no plan can do what is asked, PlanNotFoundError
    where none was found and none is proven impossible, InputError for what cannot be used.
    """
    if quotes is None:
        from rebalancer.quoting import quotes as fetched

        quotes = fetched(portfolio, accept=accept)
    portfolio, problems = adjusted(portfolio, mode, cash_flow)
    if not isinstance(quotes, Mapping):
        problems, quotes = (*problems, *quotes.problems), quotes.ok
    day = as_of or today()
    portfolio, told = in_force(portfolio, day, Path(history) if history else None)
    return planned(portfolio, quotes, day, (*problems, *told), allow_stale=allow_stale, watch=watch)


def in_force(
    portfolio: Portfolio,
    as_of: dt.date,
    history: Path | None = None,
    *,
    offline: bool = False,
    interactive: bool = False,
) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Return the portfolio with the bands in force on a day, and notes on how volatile its instruments are.

    Closes are asked for only where a band follows volatility: those of the file `history`, else the sources' (stored
    ones where `offline`; `interactive` waits only as long as a cell may). Without closes the normal bands stand. Raises
    InputError for a file that cannot be used.
    """
    if not portfolio.volatility_followers:
        return portfolio, ()
    from engine.analysis.volatility import banded
    from rebalancer.analysing import Sources, volatility

    sources = Sources(history, offline=offline, interactive=interactive)
    return banded(portfolio, *volatility(portfolio, sources, as_of))


def planned(
    portfolio: Portfolio,
    quotes: Mapping[str, Quote],
    as_of: dt.date,
    problems: tuple[Problem, ...] = (),
    *,
    allow_stale: bool = False,
    watch: Watch | None = None,
) -> Plan:
    """Return the plan, and whatever it raises, with the portfolio's notes and `problems` before its own."""
    from engine.rebalance import rebalance
    from engine.valuation import in_quantities, typed

    portfolio = typed(portfolio, quotes)
    before = (*portfolio.notes, *problems)
    check_plannable(portfolio, problems)
    portfolio = in_quantities(portfolio, quotes)
    with _telling(before):
        made = rebalance(portfolio, quotes, as_of, allow_stale=allow_stale, watch=watch)
    return replace(made, problems=(*before, *made.problems))


def assessed(
    portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, problems: tuple[Problem, ...] = ()
) -> tuple[tuple[Position, ...], tuple[GoalState, ...]]:
    """Return every position and every goal with its target and band, without a search for trades.

    Raises what `planned` raises.
    """
    from engine.rebalance import assess
    from engine.valuation import in_quantities, typed

    portfolio = in_quantities(typed(portfolio, quotes), quotes)
    with _telling((*portfolio.notes, *problems)):
        return assess(portfolio, quotes, as_of)


def check_plannable(portfolio: Portfolio, problems: tuple[Problem, ...] = ()) -> None:
    """Raise InputError, with the notes and `problems`, where no plan can be meant.

    That is where there is nothing to invest, or where nothing is wanted of what is held: a plan would sell it all.
    """
    if faults := tuple(_nothing_to_plan(portfolio)):
        raise InputError((*portfolio.notes, *problems, *faults))


def _nothing_to_plan(portfolio: Portfolio) -> Iterator[Problem]:
    """Yield why no plan can be meant: nothing to invest, or nothing wanted of what is held."""
    held = any(holding.quantity or holding.value for holding in portfolio.holdings)
    money = portfolio.settings.cash_flow or any(any(account.cash.values()) for account in portfolio.accounts)
    wanted = any(section.targets for section in portfolio.sections)
    if wanted and not held and not money:
        yield error("nothing-held", place("portfolio"))
    if any((one.quantity or one.value) and not one.locked for one in portfolio.holdings) and not wanted:
        yield error("no-targets.plan", place("portfolio"), symbols=dict.fromkeys(h.symbol for h in portfolio.holdings))


@contextmanager
def _telling(before: tuple[Problem, ...]) -> Iterator[None]:
    """Put these problems before those of an error for lack of market data: they say what the sources said."""
    try:
        yield
    except MarketDataError as error:
        from rebalancer.quoting import joined

        error.problems = joined((*before, *error.problems))
        raise


def adjusted(
    portfolio: Portfolio, mode: Mode | None, cash_flow: Decimal | float | None
) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Return the portfolio with a plan's own mode and cash flow, this in whole units of the base currency."""
    if mode is not None:
        portfolio = replace(portfolio, settings=replace(portfolio.settings, mode=mode))
    if cash_flow is None:
        return portfolio, ()
    from engine.data.fields import Report
    from engine.data.holdings import in_units

    told = Report(place("command-line"))
    flow = in_units(Decimal(str(cash_flow)), portfolio.base_currency, (), told)
    return replace(portfolio, settings=replace(portfolio.settings, cash_flow=flow)), tuple(told.problems)
