"""How far the portfolio is from its targets: bands, sleeves, limits, and whether anything has to be done.

A weight exactly at its band is no breach. Comparisons are exact: a value against band × total, never a rounded quotient
against a band; sums of weights are compared to 20 digits, far below the smallest unit of any portfolio.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from engine.errors import Problem, warning
from engine.goals import Goal, buyable, consolidated, disabled_symbols, goals_of, main_goal
from engine.money import ZERO
from engine.phrase import Phrase, place
from engine.plan import Cause, GoalState, Position, SectionState, Status, goal_label
from engine.portfolio import Portfolio, Rule, Section, Target
from engine.schedule import section_due
from engine.valuation import Valuation

#: Digits that hold a product of a band and a total without rounding.
_EXACT = Context(prec=100)
_DIGITS = Decimal("1e-20")
ONE = Decimal(1)
#: Statuses of what is shown where it is and calls for no trade.
IDLE: tuple[Status, ...] = ("LOCKED", "DISABLED")
#: The band of cash: of the total, of its own target, and its least width upwards, of the total.
CASH_ABSOLUTE, CASH_RELATIVE, CASH_LEAST = Decimal("0.05"), Decimal("0.25"), Decimal("0.01")


def band(target: Decimal, rule: Rule) -> tuple[Decimal, Decimal]:
    """Return the weights between which a target is left alone: the nearer of the absolute and the relative band.

    `relative_band` is a fraction of the target, so for a target of 0 it is 0 wide. The low end is never below 0. A rule
    with neither band never breaches: [0, 1]. Source: the 5/25 rule, min(5 points, 25 % of the target).
    """
    widths = [] if rule.absolute_band is None else [rule.absolute_band]
    if rule.relative_band is not None:
        widths.append(rule.relative_band * target)
    if not widths:
        return ZERO, ONE
    return max(target - min(widths), ZERO), target + min(widths)


def goal_states(portfolio: Portfolio, valuation: Valuation) -> tuple[GoalState, ...]:
    """Compare every goal with its target and band: targets in document order, then the holdings without one.

    LOCKED (all that is held of its members is) goes before DISABLED, and both before OVER and UNDER: such a goal is
    shown where it is, but calls for no trade. With a total of 0 or below, weights are 0 and nothing is outside its
    band.
    """
    goals = goals_of(portfolio)
    locked = locked_symbols(portfolio)
    spare: dict[str, dict[tuple[str, str], Decimal]] = {}
    if any(goal.target is not None and goal.target.consolidate for goal in goals):
        spare = _spare(portfolio, valuation, goals)
    return tuple(_goal_state(portfolio, valuation, goal, locked, spare.get(goal.name, {})) for goal in goals)


def _spare(
    portfolio: Portfolio, valuation: Valuation, goals: Sequence[Goal]
) -> dict[str, dict[tuple[str, str], Decimal]]:
    """Return what is to be consolidated of each goal, in money by symbol and account: rows that are not locked."""
    one = "" if portfolio.accounts_declared else portfolio.accounts[0].name
    found: dict[str, dict[tuple[str, str], Decimal]] = {}
    away, off = consolidated(goals, buyable(portfolio, goals)), disabled_symbols(portfolio)
    for goal in goals:
        # What one goal lets go is let go of by every goal that it has a part in.
        if goal.target is None or not goal.leaf:
            continue
        mine = found.setdefault(goal.name, {})
        for row in portfolio.holdings:
            place = row.symbol, row.account if portfolio.accounts_declared else one
            if (
                row.symbol in goal.members
                and place in away
                and row.symbol not in off
                and row.quantity
                and not row.locked
            ):
                quote = valuation.prices[row.symbol]
                mine[place] = mine.get(place, ZERO) + row.quantity * quote.price * valuation.fx.rate(quote.currency)
    return found


def _goal_state(
    portfolio: Portfolio,
    valuation: Valuation,
    goal: Goal,
    locked: frozenset[str],
    spare: Mapping[tuple[str, str], Decimal],
) -> GoalState:
    section = next((one for one in portfolio.sections if one.name == goal.section), None)
    target = goal.target or Target(goal.name, ZERO)
    low, high = band(target.weight, section.rule.of(target)) if section else (ZERO, ZERO)
    worth, total = goal.worth(valuation.values), valuation.total
    weight = worth / total if total > 0 else ZERO
    held = [symbol for symbol in goal.members if any(valuation.quantities[symbol].values())]
    status = _status(worth, total, low, high)
    if goal.target is None and held:
        status = "NO_TARGET"
    if not target.enabled:
        status = "DISABLED"
    members = goal.members if goal.kind == "instrument" else held
    if members and locked.issuperset(members):
        status = "LOCKED"
    return GoalState(goal, worth, weight, target.weight, weight - target.weight, low, high, status, spare)


def positions(
    portfolio: Portfolio, valuation: Valuation, states: Sequence[GoalState] | None = None
) -> tuple[Position, ...]:
    """Compare every symbol with its target and band: targets in document order, then the holdings without one.

    What is a goal of its own has its figures and status; a member of others has no target, and the status of its goal
    where it is in one. A symbol that needs no price and has none shows price 0 of source "none".
    """
    states = goal_states(portfolio, valuation) if states is None else states
    of: dict[str, list[GoalState]] = {}
    for state in states:
        for symbol in state.goal.members:
            of.setdefault(symbol, []).append(state)
    locked = locked_symbols(portfolio)
    return tuple(
        _position(portfolio, valuation, symbol, of[symbol], locked=symbol in locked) for symbol in portfolio.symbols
    )


def locked_symbols(portfolio: Portfolio) -> frozenset[str]:
    """Return the symbols of which every row that holds any is locked (where none holds any, one that is locked)."""
    held = {h.symbol for h in portfolio.holdings if h.quantity}
    free = {h.symbol for h in portfolio.holdings if h.quantity and not h.locked}
    return frozenset(h.symbol for h in portfolio.holdings if h.locked and (h.quantity or h.symbol not in held)) - free


def _position(
    portfolio: Portfolio, valuation: Valuation, symbol: str, mine: Sequence[GoalState], *, locked: bool
) -> Position:
    instrument = portfolio.instruments[symbol]
    accounts = _places(valuation.quantities[symbol], declared=portfolio.accounts_declared)
    worth, total = valuation.values[symbol], valuation.total
    weight = worth / total if total > 0 else ZERO
    quote = valuation.prices.get(symbol)
    only = mine[0]
    target, low, high, status = only.target, only.low, only.high, only.status
    main = main_goal(symbol, [state.goal for state in mine])
    parts: dict[str, Decimal] = {}
    if only.goal.kind != "instrument":
        aims = [state for state in mine if state.leaf] or mine
        parts = {state.name: state.goal.members[symbol] for state in aims}
        target, low, high = ZERO, ZERO, ONE
        status = aims[0].status if len(aims) == 1 and aims[0].status != "LOCKED" else "OK"
        status = "DISABLED" if any(state.goal.target and not state.goal.target.enabled for state in mine) else status
        status = "LOCKED" if locked else status
    return Position(
        symbol=symbol,
        name=instrument.name,
        section=main.section,
        market=instrument.market,
        asset_type=instrument.asset_type,
        quantity=sum(accounts.values(), ZERO),
        accounts=accounts,
        price=quote.price if quote else ZERO,
        currency=instrument.currency,
        fx=ONE if instrument.currency == valuation.fx.base else valuation.fx.rates.get(instrument.currency, ZERO),
        price_source=quote.source if quote else "none",
        price_as_of=quote.as_of if quote else None,
        stale=quote.stale if quote else False,
        value=worth,
        weight=weight,
        target=target,
        drift=ZERO if parts else weight - target,
        low=low,
        high=high,
        status=status,
        goals=parts,
    )


def _places(held: Mapping[str, Decimal], *, declared: bool) -> dict[str, Decimal]:
    """Return the accounts that hold any; where none does, the labels that a person named for what is to be bought."""
    holding = {name: shares for name, shares in held.items() if shares}
    return holding or {name: shares for name, shares in held.items() if name and not declared}


def _status(worth: Decimal, total: Decimal, low: Decimal, high: Decimal) -> Status:
    if total <= 0:
        return "OK"
    if worth > _EXACT.multiply(high, total):
        return "OVER"
    return "UNDER" if worth < _EXACT.multiply(low, total) else "OK"


def section_states(
    portfolio: Portfolio, valuation: Valuation, found: Sequence[GoalState], as_of: dt.date
) -> tuple[SectionState, ...]:
    """Compare each section's sleeve with the sum of its targets, and say whether and why it acts.

    The sleeve (locked and disabled goals included) is OVER or UNDER beyond the section's absolute band; where a rule
    has only a relative one, beyond that fraction of the sleeve's target. `breaches` names the goals outside their own
    bands. A section acts if its review is due, or a limit or band of a target of its own is broken; locked and disabled
    goals are no reason.
    """
    weights = valuation.weights
    broken = [limit for limit in limits_of(portfolio) if limit.outside(weights) > 0]
    frozen = frozen_symbols(portfolio)
    why = {
        section.name: tuple(
            limit.name for limit in broken if any(s.section == section.name for s in concerned(limit, found, frozen))
        )
        for section in portfolio.sections
    }
    return tuple(
        _section(portfolio, section, [p for p in found if p.section == section.name], why[section.name], as_of)
        for section in portfolio.sections
    )


def _section(
    portfolio: Portfolio,
    section: Section,
    members: Sequence[GoalState],
    broken: tuple[str, ...],
    as_of: dt.date,
) -> SectionState:
    rule = section.rule
    weight = sum((state.weight for state in members if state.leaf), ZERO)
    drift = weight - section.weight
    if rule.absolute_band is not None:
        width = rule.absolute_band
    else:
        width = ONE if rule.relative_band is None else rule.relative_band * section.weight
    status: Status = "OK"
    if _exceeds(abs(drift), width):
        status = "OVER" if drift > 0 else "UNDER"
    due, next_day = section_due(portfolio, section, as_of)
    breaches = tuple(state.name for state in members if state.status in ("OVER", "UNDER"))
    if portfolio.settings.trigger == "always":
        why = Cause("always")
    elif due:
        why = Cause("due", since=next_day)
    elif broken:
        why = Cause("limit", broken)
    elif breaches:
        why = Cause("band", breaches)
    else:
        why = Cause()
    acts = why.code != "inside"
    return SectionState(
        section.name, section.weight, weight, drift, due, next_day, status, breaches, acts=acts, why=why
    )


def frozen_symbols(portfolio: Portfolio) -> frozenset[str]:
    """Return the symbols that may not be traded at all: locked throughout, or in a goal that is disabled."""
    return locked_symbols(portfolio) | disabled_symbols(portfolio)


def concerned(limit: WeightLimit, states: Iterable[GoalState], frozen: frozenset[str]) -> Iterator[GoalState]:
    """Yield the goals that may be traded and that a limit is of: those named, and those of symbols that are named.

    A symbol that is `frozen` is no reason.
    """
    for state in states:
        named = state.name in limit.of or any(one in limit.of and one not in frozen for one in state.goal.members)
        if named and not state.idle:
            yield state


def cash_band(portfolio: Portfolio, total: Decimal) -> tuple[Decimal, Decimal]:
    """Return the cash (base currency) between which it is let be: 5 % of the total or 25 % of its target, the nearer.

    Upwards it is at least 1 % of the total; the low end is never below 0.
    """
    target = portfolio.cash_target * total
    width = min(CASH_ABSOLUTE * total, CASH_RELATIVE * target)
    return max(target - width, ZERO), target + max(width, CASH_LEAST * total)


def _exceeds(weight: Decimal, bound: Decimal) -> bool:
    """Compare a sum of rounded weights with a bound, free of the last digits' noise."""
    return (weight - bound).quantize(_DIGITS) > 0


def portfolio_drift(portfolio: Portfolio, valuation: Valuation) -> Decimal:
    """Return Σ|weight − target| / 2 over all goals and cash: the share of the total that is in the wrong place.

    Holdings without a target count as target 0; wider classes not beside the narrower ones within them. Source:
    Betterment's portfolio drift.
    """
    total = valuation.total
    if total <= 0:
        return ZERO
    leaves = (goal for goal in goals_of(portfolio) if goal.leaf)
    off = sum((abs(goal.worth(valuation.values) - goal.weight * total) for goal in leaves), ZERO)
    off += abs(valuation.cash_value - portfolio.cash_target * total)
    return off / (2 * total)


@dataclass(frozen=True, slots=True)
class WeightLimit:
    """A bound on the joint weight of some instruments: a target's own minimum and maximum, or a group's.

    `name` is the goal's or the group's, `members` the part of each symbol that counts, `of` the symbols and goals that
    it names.
    """

    name: str
    members: Mapping[str, Decimal]
    minimum: Decimal | None
    maximum: Decimal | None
    group: bool
    of: frozenset[str]

    def weight(self, weights: Mapping[str, Decimal]) -> Decimal:
        """Return the members' joint weight."""
        known = ((weights.get(member, ZERO), part) for member, part in self.members.items())
        return sum((weight if part == 1 else weight * part for weight, part in known), ZERO)

    def above(self, weights: Mapping[str, Decimal]) -> bool:
        """Tell whether the maximum is broken."""
        return self.maximum is not None and _exceeds(self.weight(weights), self.maximum)

    def below(self, weights: Mapping[str, Decimal]) -> bool:
        """Tell whether the minimum is broken."""
        return self.minimum is not None and _exceeds(self.minimum, self.weight(weights))

    def outside(self, weights: Mapping[str, Decimal]) -> Decimal:
        """Return the weight beyond the bound that is broken; 0 where both hold."""
        if self.maximum is not None and self.above(weights):
            return self.weight(weights) - self.maximum
        if self.minimum is not None and self.below(weights):
            return self.minimum - self.weight(weights)
        return ZERO


def limits_of(portfolio: Portfolio) -> Iterator[WeightLimit]:
    """Yield the limits of every target and every group, in document order; a group may name symbols and goals."""
    targets = [target for _, target in portfolio.targets()]
    goals: dict[str, Mapping[str, Decimal]] = {}
    if any(target.kind != "instrument" for target in targets):
        goals = {goal.name: goal.members for goal in goals_of(portfolio) if goal.kind != "instrument"}
    for target in targets:
        if target.minimum is not None or target.maximum is not None:
            members = goals.get(target.symbol, {target.symbol: ONE})
            of = frozenset((target.symbol,))
            yield WeightLimit(target.symbol, members, target.minimum, target.maximum, group=False, of=of)
    for group in portfolio.groups:
        parts: dict[str, Decimal] = {}
        for named in group.members:
            for symbol, part in goals.get(named, {named: ONE}).items():
                parts[symbol] = parts.get(symbol, ZERO) + part
        yield WeightLimit(group.name, parts, group.minimum, group.maximum, group=True, of=frozenset(group.members))


def limit_problems(portfolio: Portfolio, found: Sequence[Position]) -> tuple[Problem, ...]:
    """Warn of every minimum or maximum, of a target or of a group, that today's weights break.

    Limits bound what trades may lead to; a disabled target is not traded, so it is not warned of.
    """
    weights = {position.symbol: position.weight for position in found}
    sections = {target.symbol: section.name for section, target in portfolio.targets()}
    problems: list[Problem] = []
    idle = {target.symbol for _, target in portfolio.targets() if not target.enabled}
    for limit in limits_of(portfolio):
        if not limit.group and limit.name in idle:
            continue
        if limit.group:
            where = place("groups", group=limit.name)
        else:
            where = place("target", section=sections[limit.name], symbol=goal_label(limit.name))
        problems.extend(_broken(where, limit.weight(weights), limit.minimum, limit.maximum))
    return tuple(problems)


def _broken(where: Phrase, weight: Decimal, minimum: Decimal | None, maximum: Decimal | None) -> Iterator[Problem]:
    if maximum is not None and _exceeds(weight, maximum):
        yield warning("limit-breached.above", where, weight=weight, limit=maximum)
    if minimum is not None and _exceeds(minimum, weight):
        yield warning("limit-breached.below", where, weight=weight, limit=minimum)


def review_problems(portfolio: Portfolio, as_of: dt.date) -> tuple[Problem, ...]:
    """Warn of every section whose last rebalance is after the plan's day: its next review is then too far off."""
    found = []
    for section in portfolio.sections:
        last = section.rule.last_rebalanced
        if last is not None and last > as_of:
            found.append(warning("rebalanced-later", place("rules", section=section.name), last=last, day=as_of))
    return tuple(found)
