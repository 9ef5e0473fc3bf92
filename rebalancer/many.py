"""Many portfolios planned as one job: prices fetched once for all of them, one failure listed and the rest done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.documents import Document, number, problem_list
from engine.errors import InputError, MarketDataError, Problem, error
from engine.money import ZERO
from engine.phrase import place
from engine.plan import Plan
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.settings import Mode

if TYPE_CHECKING:
    from engine.market.quoting import QuoteBatch

#: What may stand for a portfolio: itself, its file, or a dict of the portfolio file's shape.
AnyPortfolio = Portfolio | str | Path | Mapping[str, Any]
#: Called with how many are done, and of how many (None where nobody knows yet).
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a table says of one plan; money in the base currency.

    `acts` are the sections that trade, `turnover` what is bought and sold, `cost` all that the orders cost at once:
    commissions, taxes, currency spread. `next_review` is the earliest of the sections'.
    """

    as_of: dt.date
    base_currency: str
    total_value: Decimal
    drift: Decimal
    needs_rebalancing: bool
    acts: tuple[str, ...]
    orders: int
    turnover: Decimal
    cost: Decimal
    next_review: dt.date | None

    @classmethod
    def of(cls, plan: Plan) -> PlanSummary:
        """Return the summary of a plan."""
        rate = plan.valuation.fx.rate
        costs = [(trade.cost + trade.tax) * rate(trade.currency) for trade in plan.trades]
        costs += [one.cost * rate(one.sell) for one in plan.conversions]
        return cls(
            as_of=plan.as_of,
            base_currency=plan.base_currency,
            total_value=plan.total_value,
            drift=plan.drift,
            needs_rebalancing=plan.needs_rebalancing,
            acts=tuple(section.section for section in plan.sections if section.acts),
            orders=len(plan.trades),
            turnover=sum((trade.amount * rate(trade.currency) for trade in plan.trades), ZERO),
            cost=sum(costs, ZERO),
            next_review=min((one.next_due for one in plan.sections if one.next_due), default=None),
        )


@dataclass(frozen=True, slots=True)
class PlannedOne:
    """What became of one portfolio of many.

    `id` is its own in the run: the file as it was given, or the client. `summary` is None where there is no plan;
    `problems` then say why, and `status` is what `rebalancer plan` would have left with: 2 bad input, 3 market data,
    1 anything else. `plan` is None where plans are not kept.
    """

    id: str
    client: str
    summary: PlanSummary | None
    problems: tuple[Problem, ...] = ()
    status: int = 0
    plan: Plan | None = field(default=None, compare=False)

    def to_json(self) -> Document:
        """Return the row of `rebalancer plan FILE… --json`."""
        found = self.summary
        status = "failed" if found is None else "rebalance" if found.needs_rebalancing else "ok"
        row: Document = {"id": self.id, "client": self.client, "status": status}
        if found is not None:
            row |= {
                "as_of": found.as_of.isoformat(),
                "base_currency": found.base_currency,
                "total_value": number(found.total_value),
                "drift": number(found.drift),
                "needs_rebalancing": found.needs_rebalancing,
                "acts": list(found.acts),
                "orders": found.orders,
                "turnover": number(found.turnover),
                "cost": number(found.cost),
                "next_review": found.next_review.isoformat() if found.next_review else None,
            }
        return {**row, "problems": problem_list(self.problems)}

    @property
    def need(self) -> tuple[int, Decimal]:
        """Return where it stands in a list sorted by need: what is to be rebalanced, what is not, what failed."""
        if self.summary is None:
            return (2, ZERO)
        return (0 if self.summary.needs_rebalancing else 1, -self.summary.drift)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every portfolio of a run; see `rebalancer.plan`."""

    as_of: dt.date
    mode: Mode | None = None
    cash_flow: Decimal | None = None
    allow_stale: bool = False
    history: Path | None = None
    offline: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    """A portfolio as it was read, or why it could not be."""

    id: str
    client: str
    portfolio: Portfolio | None
    problems: tuple[Problem, ...]
    book: Path | None = None


def plan_many(
    portfolios: Iterable[AnyPortfolio],
    quotes: QuoteBatch | Mapping[str, Quote] | None = None,
    *,
    as_of: dt.date | None = None,
    mode: Mode | None = None,
    cash_flow: Decimal | float | None = None,
    allow_stale: bool = False,
    history: str | Path | None = None,
    prices: str | Path | None = None,
    offline: bool = False,
    accept: Mapping[str, Decimal] | None = None,
    progress: Progress | None = None,
) -> Iterator[PlannedOne]:
    """Yield what becomes of each portfolio, in the order given: its plan, or why there is none.

    Without `quotes`, what all of them need is fetched at once: `prices` is a price file, which beats the sources,
    `offline` takes what is stored, `accept` are doubtful prices by symbol that a person has confirmed. `as_of`, `mode`,
    `cash_flow`, `allow_stale` and `history` are those of `plan`. `progress` is called after each. Raises InputError for
    a price file that cannot be used and an accepted price that is not the price; what is wrong with one portfolio is
    told in its place, and the others are planned.
    """
    from engine.market.quoting import QuoteBatch
    from rebalancer.clock import today
    from rebalancer.quoting import quotes_in, quotes_of_all, wanted_symbols

    flow = None if cash_flow is None else Decimal(str(cash_flow))
    terms = Terms(as_of or today(), mode, flow, allow_stale, Path(history) if history else None, offline)
    read = [_read(number, source) for number, source in enumerate(portfolios, 1)]
    if quotes is None:
        given, told = quotes_in(Path(prices) if prices is not None else None)
        if any(problem.severity == "error" for problem in told):
            raise InputError(told)
        needed = (s for one in read if one.portfolio for s in wanted_symbols(one.portfolio, given))
        batch = quotes_of_all(dict.fromkeys(needed), given, offline=offline, accept=accept)
        batch = replace(batch, problems=(*told, *batch.problems))
    else:
        batch = QuoteBatch(quotes, {}, 0, ()) if isinstance(quotes, Mapping) else quotes
    for done, one in enumerate(read, 1):
        yield _planned(one, batch, terms)
        if progress:
            progress(done, len(read))


def _read(position: int, source: AnyPortfolio) -> _Read:
    from rebalancer.loading import is_workbook, load

    path = None
    name, client = str(position), ""
    try:
        if isinstance(source, Portfolio):
            portfolio = source
        else:
            if not isinstance(source, Mapping):
                path = Path(source)
                name, client = str(source), path.stem
            portfolio = load(source)
    except InputError as fault:
        return _Read(name, client or name, None, fault.problems)
    book = path if path is not None and is_workbook(path) else None
    return _Read(name, portfolio.name or client or name, portfolio, (), book)


def _planned(read: _Read, batch: QuoteBatch, terms: Terms) -> PlannedOne:
    """Return the plan of a portfolio, or why there is none: whatever it is, the others are not stopped by it."""
    from rebalancer.planning import adjusted, in_force, planned
    from rebalancer.quoting import told_of

    if read.portfolio is None:
        return PlannedOne(read.id, read.client, None, read.problems, 2)
    try:
        portfolio, problems = adjusted(read.portfolio, terms.mode, terms.cash_flow)
        quotes, told = told_of(portfolio, batch, read.book if terms.offline else None)
        portfolio, bands = in_force(portfolio, terms.as_of, terms.history, offline=terms.offline)
        plan = planned(portfolio, quotes, terms.as_of, (*problems, *told, *bands), allow_stale=terms.allow_stale)
    except InputError as fault:
        return PlannedOne(read.id, read.client, None, fault.problems, 2)
    except MarketDataError as fault:
        return PlannedOne(read.id, read.client, None, fault.listed(), 3)
    except Exception as fault:  # noqa: BLE001 - an unforeseen one is listed too
        what = f"{type(fault).__name__}: {fault}".splitlines()[0]
        return PlannedOne(read.id, read.client, None, (error("unexpected", place("portfolio"), what=what),), 1)
    return PlannedOne(read.id, read.client, PlanSummary.of(plan), plan.problems, plan=plan)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over the planned portfolios of one base currency: nothing is added up over several."""

    base_currency: str
    portfolios: int
    needs_rebalancing: int
    total_value: Decimal
    orders: int
    turnover: Decimal
    cost: Decimal


def totals(planned: Iterable[PlannedOne]) -> tuple[Totals, ...]:
    """Return the sums of what is planned, by base currency in the order of first use."""
    found: dict[str, list[PlanSummary]] = {}
    for one in planned:
        if one.summary is not None:
            found.setdefault(one.summary.base_currency, []).append(one.summary)
    return tuple(
        Totals(
            currency,
            len(every),
            sum(one.needs_rebalancing for one in every),
            sum((one.total_value for one in every), ZERO),
            sum(one.orders for one in every),
            sum((one.turnover for one in every), ZERO),
            sum((one.cost for one in every), ZERO),
        )
        for currency, every in found.items()
    )
