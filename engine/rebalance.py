"""The main job: a portfolio and quotes in, a plan out. Every host calls this."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal, localcontext
from functools import cached_property

import numpy as np

from engine import drift
from engine.analysis.risk import Overrun, overruns
from engine.costs.contributions import contribution_notes
from engine.costs.table import cost_problems
from engine.costs.tax import estimate
from engine.errors import Doubtful, ImpossibleError, InputError, NoData, PlanNotFoundError, Stale, error, warning
from engine.errors import Problem as Fault
from engine.money import PRECISION, to_unit
from engine.phrase import phrase, place
from engine.plan import Cause, GoalState, Plan, Position, SectionState
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.trades.build import Builder, Task, unwanted_goes
from engine.trades.highs import Allowance, Watch
from engine.trades.idle import idle_money
from engine.trades.impossible import explain
from engine.trades.orders import Settlement, excess_of, settle_orders, undersized
from engine.trades.outcome import Result, cash_state, describe_trades, left_outside, measure, quality, rate_notes
from engine.trades.problem import Solution, TradeProblem
from engine.trades.rungs import NUMBERS, WORTHWHILE, Causes, Kind, breached, causes, ladder, parts
from engine.trades.solve import solve
from engine.trades.withdrawal import split_anew
from engine.valuation import (
    FxRate,
    Valuation,
    assign_cash_flow,
    doubtful,
    fx_table,
    magnitude_problems,
    resolve_prices,
    resolve_rates,
    value,
    value_problems,
    withdrawal_problem,
)

_TRIES = 12


def rebalance(
    portfolio: Portfolio,
    quotes: Mapping[str, Quote],
    as_of: dt.date,
    *,
    allow_stale: bool = False,
    watch: Watch | None = None,
) -> Plan:
    """Return the plan a sensible investor would make, with a bound on how good any plan of its rung can be.

    `watch` is called now and then while a proof takes long, with the best plan's objective and the bound; where it
    returns True (or Ctrl-C is pressed), the best plan so far is returned, which says so, and no further rung is tried.
    Ctrl-C while there is no plan yet raises KeyboardInterrupt; a watch has to wait for one.

    Raises `NoData` where a price or rate is missing, `Stale` where one is too old (unless `allow_stale`), `Doubtful`
    where what is known speaks against one, `ImpossibleError` where no plan can satisfy the request, `PlanNotFoundError`
    where none was found and none is proven impossible, `InputError` for
    prices that cannot be used. Quantities and money are computed with `PRECISION` digits, whatever the caller's decimal
    context.
    """
    with localcontext(prec=PRECISION):
        return _rebalance(portfolio, quotes, as_of, allow_stale=allow_stale, watch=watch)


def assess(
    portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, *, allow_stale: bool = False
) -> tuple[tuple[Position, ...], tuple[GoalState, ...]]:
    """Return every position, and every goal, with its target, band and status: the plan's, without a search for trades.

    Raises what `rebalance` raises for missing, stale or unusable prices.
    """
    with localcontext(prec=PRECISION):
        valuation, rates, _ = _value(portfolio, quotes, as_of, allow_stale=allow_stale)
        positions = _marked(drift.positions(portfolio, valuation), rates)
        return positions, drift.goal_states(portfolio, valuation)


def _marked(positions: tuple[Position, ...], rates: Mapping[str, FxRate]) -> tuple[Position, ...]:
    """Return the positions, stale also where the rate is that their value rests on."""
    old = {currency for currency, rate in rates.items() if rate.stale_reason}
    return tuple(replace(one, stale=True) if one.currency in old else one for one in positions)


def _rebalance(
    portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, *, allow_stale: bool, watch: Watch | None
) -> Plan:
    started = time.perf_counter()
    valuation, rates, problems = _value(portfolio, quotes, as_of, allow_stale=allow_stale)
    states = drift.goal_states(portfolio, valuation)
    positions = _marked(drift.positions(portfolio, valuation, states), rates)
    over = overruns(portfolio, valuation, frozenset(p.symbol for p in positions if p.status in drift.IDLE))
    broken = _broken_by(over, states)
    sections = _mending(drift.section_states(portfolio, valuation, states, as_of), broken)
    # What makes a section act is outside like a group's limit, though it has no part in the measure; also where the
    # section acts for something else: it would be asked for the day after.
    counted = {one.group.name: one.group for section in sections for one in broken.get(section.section, ())}
    bound = replace(portfolio, groups=(*portfolio.groups, *counted.values()))
    found = causes(portfolio, valuation, sections, untargeted=unwanted_goes(portfolio, states, positions))
    climb = _Climb(portfolio, bound, valuation, states, positions, found, as_of, watch)
    step = climb.best()
    if step is None:
        split, is_proven = split_anew(portfolio, valuation, climb.raising), not climb.is_unproven
        if split.valuation is not None:
            valuation = split.valuation
            climb = _Climb(portfolio, bound, valuation, states, positions, found, as_of, watch)
            step = climb.best()
        if step is None and not (is_proven and split.proven):
            raise PlanNotFoundError([error("plan-not-found", place("portfolio"))])
    if step is None:
        raise ImpossibleError(explain(portfolio, climb.tried[-1]))
    trades = describe_trades(bound, valuation, states, positions, step.settlement)
    problems += drift.limit_problems(portfolio, positions) + tuple(one.problem for one in over)
    problems += drift.review_problems(portfolio, as_of)
    problems += cost_problems(
        (portfolio.instruments[t.symbol] for t in trades), as_of, portfolio.settings.costs, portfolio.residence
    )
    problems += (*rate_notes(rates.values()), *left_outside(portfolio, states, step.result.after, valuation.total))
    rung = NUMBERS[step.task.kind]
    if climb.is_stopped:
        problems += tuple(climb.stopped(step))
    problems += tuple(idle_money(portfolio, valuation, states, positions, step.settlement, step.result.after, rung))
    flows = assign_cash_flow(portfolio, valuation.prices, valuation.fx)
    problems += tuple(contribution_notes(portfolio, flows, valuation.fx, as_of))
    return Plan(
        portfolio=portfolio,
        valuation=valuation,
        rates=rates,
        name=portfolio.name,
        as_of=as_of,
        base_currency=portfolio.base_currency,
        total_value=valuation.total,
        needs_rebalancing=bool(trades) and (found.any or climb.short),
        drift=drift.portfolio_drift(portfolio, valuation),
        positions=positions,
        sections=sections,
        trades=trades,
        conversions=step.settlement.conversions,
        cash=cash_state(portfolio, step.settlement),
        quality=quality(step.task, step.solution, step.result, time.perf_counter() - started),
        tax=estimate(trades, portfolio, valuation.fx, as_of),
        problems=problems,
        goals=states,
    )


def _broken_by(over: Sequence[Overrun], goals: Sequence[GoalState]) -> Mapping[str | None, tuple[Overrun, ...]]:
    """Return the limits of `risk` that targets mend, by the section that holds more of what breaks them."""
    above = (state for state in goals if state.leaf and not state.idle and state.weight > state.target)
    ahead = {symbol: state.section for state in above for symbol in state.goal.members}
    found: dict[str | None, tuple[Overrun, ...]] = {}
    for one in over:
        if one.mendable:
            for section in {ahead[symbol]: None for symbol in one.symbols if symbol in ahead}:
                found[section] = (*found.get(section, ()), one)
    return found


def _mending(
    sections: Sequence[SectionState], broken: Mapping[str | None, tuple[Overrun, ...]]
) -> tuple[SectionState, ...]:
    """Let a section act that breaks a limit of `risk` by what it holds beyond its targets."""
    states = []
    for state in sections:
        mine = broken.get(state.section, ())
        if mine and not state.acts:
            symbols = dict.fromkeys(s for one in mine for s in one.symbols)
            why = Cause("risk", tuple(symbols), rules=tuple(one.rule.name for one in mine))
            state = replace(state, acts=True, why=why)
        states.append(state)
    return tuple(states)


def _value(
    portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, *, allow_stale: bool
) -> tuple[Valuation, Mapping[str, FxRate], tuple[Fault, ...]]:
    prices, found = resolve_prices(portfolio, quotes, as_of)
    rates, more = resolve_rates(portfolio, quotes, as_of)
    problems = found + more
    missing = [p for p in problems if p.code in ("price-missing", "fx-missing")]
    faults = [p for p in problems if p.severity == "error" and p not in missing]
    if faults:
        raise InputError(problems)
    if missing:
        raise NoData(phrase("data-missing"), problems=problems)
    old = [(q.symbol, q.stale_reason) for q in prices.values() if q.stale_reason is not None]
    old += [("/".join(rate.path), rate.stale_reason) for rate in rates.values() if rate.stale_reason]
    aged = tuple(
        warning("stale.used", place("price", symbol=symbol), reason=reason)
        if allow_stale
        else error("stale.refused", place("price", symbol=symbol), reason=reason)
        for symbol, reason in old
    )
    if doubted := doubtful(prices, rates):
        raise Doubtful(phrase("prices-doubtful"), problems=problems + aged + doubted)
    if aged and not allow_stale:
        raise Stale(phrase("data-stale"), problems=problems + aged)
    valuation = value(portfolio, prices, fx_table(portfolio, rates))
    excess = withdrawal_problem(portfolio, prices, valuation.fx, valuation.total)
    if excess:
        raise ImpossibleError((*problems, excess))
    worthless = value_problems(valuation) or magnitude_problems(portfolio, valuation)
    if worthless:
        raise InputError(problems + worthless)
    return valuation, rates, problems + aged


@dataclass(frozen=True, slots=True)
class _Step:
    """A plan of one rung, settled and measured."""

    task: Task
    solution: Solution
    settlement: Settlement
    result: Result


class _Climb:
    """Rung after rung, as far as something is outside and a rung brings enough of it back.

    `bound` is the portfolio with the limits besides its own that count as outside.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        bound: Portfolio,
        valuation: Valuation,
        goals: Sequence[GoalState],
        positions: Sequence[Position],
        found: Causes,
        as_of: dt.date,
        watch: Watch | None,
    ) -> None:
        self._portfolio, self._valuation, self._positions, self._found = portfolio, valuation, positions, found
        self._goals = goals
        self._builder = Builder(portfolio, valuation, goals, positions, as_of)
        self._bound = bound
        self._outside = breached(bound, goals, valuation.weights)
        self._watch = watch
        self._allowance = Allowance()
        #: Whether the search was ended before its time, and whether a rung was left out for that.
        self.is_stopped = self._is_cut_short = False
        #: Whether a rung was given up without a proof that it has no plan.
        self.is_unproven = False
        #: The tasks of the rungs that were tried.
        self.tried: list[Task] = []
        nothing = self._task("none")
        zeros = np.zeros(0, dtype=np.int64)
        self.short = bool(settle_orders(portfolio, valuation, positions, nothing, zeros).lacking)

    def best(self) -> _Step | None:
        """Return the plan of the rung that is taken, None where no rung has one."""
        kinds = list(ladder(self._portfolio, self._found, short=self.short)) or ["none"]
        best: _Step | None = None
        self.tried.clear()
        for number, kind in enumerate(kinds):
            if best is not None and best.result.outside == 0:
                break
            task = self._task(kind)
            if best is not None and self.is_stopped:
                self._is_cut_short = True
                break
            if any(
                np.array_equal(task.problem.net_low, other.problem.net_low) and _same(task, other)
                for other in self.tried
            ):
                continue
            self.tried.append(task)
            step = self._solve(task, len(kinds) - number)
            if step is not None and (best is None or self._is_worthwhile(step, best)):
                best = step
        if best is None and "raise" not in kinds and self.short:
            self.tried.append(self.raising)
            best = self._solve(self.raising)
        return best

    @cached_property
    def raising(self) -> Task:
        """The task that raises money by sales, from anything that may be sold."""
        return self._task("raise")

    def stopped(self, step: _Step) -> Iterator[Fault]:
        """Say that the search was stopped, how much better than its plan one may be, and what was not tried."""
        base, total = self._portfolio.base_currency, self._valuation.total
        told = quality(step.task, step.solution, step.result, 0.0)
        better = to_unit(Decimal(told.objective - told.bound) * total, base, ROUND_CEILING)
        if better:
            yield warning("search-stopped.plan", place("portfolio"), better=better, currency=base)
        if self._is_cut_short or not better:
            yield warning("search-stopped.rungs", place("portfolio"))

    def _is_worthwhile(self, step: _Step, best: _Step) -> bool:
        return best.result.outside - step.result.outside >= WORTHWHILE * self._valuation.total

    def _task(self, kind: Kind) -> Task:
        given = parts(self._portfolio, self._goals, self._found, self._outside, kind)
        return self._builder.build(kind, given)

    def _solve(self, task: Task, rungs: int = 1) -> _Step | None:
        """Solve, write the orders in exact money, and solve again a little tighter where rounding broke a rule.

        That may take what is left of the plan's allowance, shared with the rungs yet to be tried; `rungs` counts this.
        """
        allowance = self._allowance.share(rungs)
        try:
            return self._solved(task, allowance)
        finally:
            self._allowance.spent += allowance.spent

    def _solved(self, task: Task, allowance: Allowance) -> _Step | None:
        problem, bound, method, units = task.problem, -np.inf, "", None
        for attempt in range(_TRIES):
            watch = _stop if self.is_stopped else self._watch
            found = solve(problem, watch, floor=bound, allowance=allowance, near=units)
            self.is_stopped = self.is_stopped or found.stopped
            if found.solution is None:
                # That a rule has no plan once it is tighter proves nothing of the rule.
                self.is_unproven |= attempt > 0 or not found.impossible
                return None
            if attempt == 0:
                bound, method = found.solution.bound, found.solution.method
            solution = Solution(found.solution.units, bound, method)
            settlement = settle_orders(self._portfolio, self._valuation, self._positions, task, solution.units)
            tighter = self._tightened(task, problem, solution, settlement, 2**attempt)
            if tighter is None:
                result = measure(self._portfolio, self._valuation, self._positions, task, settlement, bound=self._bound)
                return _Step(task, solution, settlement, result)
            problem, units = tighter, solution.units
        self.is_unproven = True
        return None

    def _tightened(
        self, task: Task, problem: TradeProblem, solution: Solution, settlement: Settlement, times: int
    ) -> TradeProblem | None:
        """Return the problem without what the orders break as they are billed; None where they keep every rule.

        That is taken off so many times: a fraction less may be billed the same.
        """
        portfolio, valuation, total = self._portfolio, self._valuation, problem.total
        small = undersized(portfolio, self._positions, task, solution.units)
        excess = excess_of(portfolio, valuation, self._positions, settlement)
        if not settlement.lacking and not small and not excess.any:
            return None
        hair = 1e-9 * total
        margin = problem.reserve.copy()
        for pool, short in settlement.lacking.items():
            margin[task.pools.index(pool)] += times * float(short * valuation.fx.rate(pool[1])) + hair
        low, full = problem.slots.low.copy(), problem.slots.full.copy()
        for slot, most in small:
            low[slot], full[slot] = -most, False
        rows, turnover = problem.rows, problem.turnover
        if excess.groups:
            beyond = times * float(excess.groups) + hair
            kept = np.array(sorted(task.kept), dtype=np.int64)
            low_rows, high_rows = rows.low.copy(), rows.high.copy()
            low_rows[kept] += beyond
            high_rows[kept] -= beyond
            rows = replace(rows, low=low_rows, high=high_rows)
        if turnover is not None and excess.turnover:
            turnover -= times * float(excess.turnover) + hair
        caps = tuple(
            replace(cap, held=cap.held + times * float(excess.caps[cap.account]) + hair)
            if excess.caps[cap.account]
            else cap
            for cap in problem.risk_caps
        )
        slots = replace(problem.slots, low=low, full=full)
        return replace(problem, reserve=margin, slots=slots, rows=rows, turnover=turnover, risk_caps=caps)


def _stop(_best: float, _bound: float) -> bool:
    """Watch a search that was stopped before: the first plan is enough."""
    return True


def _same(task: Task, other: Task) -> bool:
    """Tell whether two rungs let the same be traded at the same weights."""
    mine, theirs = task.problem, other.problem
    return (
        task.slots == other.slots
        and np.array_equal(mine.slots.low, theirs.slots.low)
        and np.array_equal(mine.slots.high, theirs.slots.high)
        and np.array_equal(mine.net_high, theirs.net_high)
        and np.array_equal(mine.rows.hinges.weight, theirs.rows.hinges.weight)
    )
