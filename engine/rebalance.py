"""The main job: a portfolio and quotes in, a plan out. Every host calls this."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import localcontext

import numpy as np

from engine import drift
from engine.cash_flow import withdrawal_problem
from engine.costs.table import cost_problems
from engine.costs.tax import estimate
from engine.errors import Doubtful, ImpossibleError, InputError, NoData, Problem, Severity, Stale, error
from engine.magnitude import magnitude_problems
from engine.money import PRECISION, ZERO
from engine.phrase import Phrase, phrase, place
from engine.plan import Plan, Position
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.settings import Mode
from engine.text import korean
from engine.trades.build import Task, build_task
from engine.trades.impossible import explain
from engine.trades.orders import Settlement, settle_orders, undersized
from engine.trades.outcome import cash_state, describe_trades, left_outside, measure_quality, rate_notes
from engine.trades.problem import Solution
from engine.trades.solve import solve
from engine.valuation import FxRate, Valuation, fx_table, resolve_prices, resolve_rates, value, value_problems

_TRIES = 8


def rebalance(portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, *, allow_stale: bool = False) -> Plan:
    """Return the plan that brings the portfolio closest to its targets, with a bound on how close any plan can come.

    Raises `NoData` where a price or rate is missing, `Stale` where one is too old (unless `allow_stale`), `Doubtful`
    where what is known speaks against one, `ImpossibleError` where no plan can satisfy the request, `InputError` for
    prices that cannot be used. Quantities and money are computed with `PRECISION` digits, whatever the caller's decimal
    context.
    """
    with localcontext(prec=PRECISION):
        return _rebalance(portfolio, quotes, as_of, allow_stale=allow_stale)


def assess(
    portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, *, allow_stale: bool = False
) -> tuple[Position, ...]:
    """Return every position with its target, band and status: the plan's, without looking for trades.

    Raises what `rebalance` raises for missing, stale or unusable prices.
    """
    with localcontext(prec=PRECISION):
        valuation, rates, _ = _value(portfolio, quotes, as_of, allow_stale=allow_stale)
        return _marked(drift.positions(portfolio, valuation), rates)


def _marked(positions: tuple[Position, ...], rates: Mapping[str, FxRate]) -> tuple[Position, ...]:
    """Return the positions, stale also where the rate is that their value rests on."""
    old = {currency for currency, rate in rates.items() if rate.stale_reason}
    return tuple(replace(one, stale=True) if one.currency in old else one for one in positions)


def _rebalance(portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, *, allow_stale: bool) -> Plan:
    started = time.perf_counter()
    valuation, rates, problems = _value(portfolio, quotes, as_of, allow_stale=allow_stale)
    positions = _marked(drift.positions(portfolio, valuation), rates)
    sections = drift.section_states(portfolio, positions, as_of)
    limits = drift.limit_problems(portfolio, positions)
    needed = drift.needs_rebalancing(positions, sections, limits)
    breached = _breached(portfolio, positions, limits)
    acting = _acting(portfolio, needed=needed)
    task, solution, settlement = _solve(acting, valuation, positions, breached, as_of, idle=acting is not portfolio)
    trades = describe_trades(portfolio, valuation, positions, settlement)
    problems += limits + drift.review_problems(portfolio, as_of)
    problems += cost_problems((portfolio.instruments[t.symbol] for t in trades), as_of, portfolio.settings.costs)
    problems += (*rate_notes(rates.values()), *left_outside(portfolio, positions, trades))
    return Plan(
        portfolio=portfolio,
        valuation=valuation,
        rates=rates,
        name=portfolio.name,
        as_of=as_of,
        base_currency=portfolio.base_currency,
        total_value=valuation.total,
        needs_rebalancing=needed,
        drift=drift.portfolio_drift(portfolio, valuation),
        positions=positions,
        sections=sections,
        trades=trades,
        conversions=settlement.conversions,
        cash=cash_state(portfolio, settlement),
        quality=measure_quality(
            portfolio, valuation, positions, task, solution, settlement, time.perf_counter() - started
        ),
        tax=estimate(trades, portfolio, valuation.fx, as_of),
        problems=problems,
    )


def _value(
    portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, *, allow_stale: bool
) -> tuple[Valuation, Mapping[str, FxRate], tuple[Problem, ...]]:
    prices, found = resolve_prices(portfolio, quotes, as_of)
    rates, more = resolve_rates(portfolio, quotes, as_of)
    problems = found + more
    missing = [p for p in problems if p.code in ("price-missing", "fx-missing")]
    faults = [p for p in problems if p.severity == "error" and p not in missing]
    if faults:
        raise InputError(problems)
    if missing:
        raise NoData("prices or rates are missing", ko="시세나 환율이 없습니다", problems=problems)
    old: list[tuple[str, str | Phrase]] = [
        (q.symbol, q.stale_reason) for q in prices.values() if q.stale_reason is not None
    ]
    old += [("/".join(rate.path), rate.stale_reason) for rate in rates.values() if rate.stale_reason]
    severity: Severity = "warning" if allow_stale else "error"
    repair = "used as asked" if allow_stale else "refresh it, give one by hand, or allow stale ones (--allow-stale)"
    repair_ko = "요청대로 씁니다" if allow_stale else "새로 고치거나, 직접 적거나, --allow-stale로 허용하세요"
    aged = tuple(
        Problem(severity, "stale", f"price of {symbol}", f"{reason}: {repair}", f"{korean(reason)}: {repair_ko}")
        for symbol, reason in old
    )
    doubted = [q.doubt for q in prices.values() if q.doubt] + [rate.doubt for rate in rates.values() if rate.doubt]
    doubtful = tuple(
        error("doubtful", place("price", symbol=doubt.values["symbol"]), doubt=doubt)
        for doubt in dict.fromkeys(doubted)
    )
    if doubtful:
        raise Doubtful(phrase("prices-doubtful"), problems=problems + aged + doubtful)
    if aged and not allow_stale:
        ko = "시세나 환율이 너무 오래되어 쓸 수 없습니다"
        raise Stale("prices or rates are too old to act on", ko=ko, problems=problems + aged)
    valuation = value(portfolio, prices, fx_table(portfolio, rates))
    excess = withdrawal_problem(portfolio, prices, valuation.fx, valuation.total)
    if excess:
        raise ImpossibleError((*problems, excess))
    worthless = value_problems(valuation) or magnitude_problems(portfolio, valuation)
    if worthless:
        raise InputError(problems + worthless)
    return valuation, rates, problems + aged


def _breached(portfolio: Portfolio, positions: Sequence[Position], limits: Sequence[Problem]) -> frozenset[str]:
    """Return the symbols outside their band or limit; a group's limit concerns all its members."""
    found = {
        p.symbol for p in positions if p.status in ("OVER", "UNDER") or (p.status == "NO_TARGET" and p.weight > p.high)
    }
    weights = {p.symbol: p.weight for p in positions}
    for _, target in portfolio.targets():
        weight = weights.get(target.symbol, ZERO)
        if (target.maximum is not None and weight > target.maximum) or (
            target.minimum is not None and weight < target.minimum
        ):
            found.add(target.symbol)
    if limits:
        for group in portfolio.groups:
            joint = sum((weights.get(member, ZERO) for member in group.members), ZERO)
            if group.maximum is not None and joint > group.maximum:
                found.update(member for member in group.members if member in weights)
    return frozenset(found)


def _acting(portfolio: Portfolio, *, needed: bool) -> Portfolio:
    """Where trades wait for a cause and there is none, only sell, and only what cash must be raised for."""
    if portfolio.settings.trigger == "always" or needed:
        return portfolio
    mode: Mode = "buy-only" if portfolio.settings.mode == "buy-only" else "sell-only"
    return replace(portfolio, settings=replace(portfolio.settings, mode=mode, trade="all"))


def _solve(
    portfolio: Portfolio,
    valuation: Valuation,
    positions: Sequence[Position],
    breached: frozenset[str],
    as_of: dt.date,
    *,
    idle: bool,
) -> tuple[Task, Solution, Settlement]:
    """Solve, write the orders in exact money, and solve again a little tighter where rounding left a pool short."""
    task = build_task(portfolio, valuation, positions, breached, as_of)
    if idle:
        nothing = np.zeros(len(task.slots), dtype=np.int64)
        settlement = settle_orders(portfolio, valuation, positions, task, nothing)
        if not settlement.lacking:
            return task, Solution(nothing, 0.0, "not due"), settlement
    problem, bound = task.problem, -np.inf
    for _ in range(_TRIES):
        solution = solve(problem)
        if solution is None:
            break
        bound = solution.bound if not np.isfinite(bound) else bound
        settlement = settle_orders(portfolio, valuation, positions, task, solution.units)
        small = undersized(portfolio, positions, task, solution.units)
        if not settlement.lacking and not small:
            return task, Solution(solution.units, bound, solution.method), settlement
        margin = problem.reserve.copy()
        for pool, short in settlement.lacking.items():
            margin[task.pools.index(pool)] += float(short * valuation.fx.rate(pool[1])) + 1e-6 * problem.total * 1e-3
        low, full = problem.low.copy(), problem.full.copy()
        for slot, most in small:
            low[slot], full[slot] = -most, False
        problem = replace(problem, reserve=margin, low=low, full=full)
    raise ImpossibleError(explain(portfolio, task))
