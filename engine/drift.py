"""How far the portfolio is from its targets: bands, sleeves, limits, and whether anything has to be done.

A weight exactly at its band is no breach. Comparisons are exact: a value against band × total, never a rounded quotient
against a band; sums of weights are compared to 20 digits, far below the smallest unit of any portfolio.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Context, Decimal

from engine.errors import Problem
from engine.money import ZERO
from engine.plan import Position, SectionState, Status
from engine.portfolio import Portfolio, Rule, Section, Target
from engine.schedule import section_due
from engine.valuation import Valuation

#: Digits that hold a product of a band and a total without rounding.
_EXACT = Context(prec=100)
_DIGITS = Decimal("1e-20")
ONE = Decimal(1)


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


def positions(portfolio: Portfolio, valuation: Valuation) -> tuple[Position, ...]:
    """Compare every symbol with its target and band: targets in document order, then the holdings without one.

    LOCKED (any holding of the symbol is) goes before DISABLED, and both before OVER and UNDER: such a position is shown
    where it is, but no trade could follow. A symbol that needs no price and has none shows price 0 of source "none".
    With a total of 0 or below, weights are 0 and nothing is outside its band.
    """
    aims = {target.symbol: (section, target) for section, target in portfolio.targets()}
    locked = {holding.symbol for holding in portfolio.holdings if holding.locked}
    return tuple(
        _position(portfolio, valuation, symbol, aims.get(symbol), locked=symbol in locked)
        for symbol in portfolio.symbols
    )


def _position(
    portfolio: Portfolio, valuation: Valuation, symbol: str, aim: tuple[Section, Target] | None, *, locked: bool
) -> Position:
    instrument = portfolio.instruments[symbol]
    section, target = aim or (None, Target(symbol, ZERO))
    low, high = band(target.weight, section.rule if section else portfolio.untargeted_rule)
    accounts = _places(valuation.quantities[symbol], declared=portfolio.accounts_declared)
    worth, total = valuation.values[symbol], valuation.total
    weight = worth / total if total > 0 else ZERO
    quote = valuation.prices.get(symbol)
    status = _status(worth, total, low, high)
    if aim is None and any(accounts.values()):
        status = "NO_TARGET"
    if not target.enabled:
        status = "DISABLED"
    if locked:
        status = "LOCKED"
    return Position(
        symbol=symbol,
        name=instrument.name,
        section=section.name if section else None,
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
        target=target.weight,
        drift=weight - target.weight,
        low=low,
        high=high,
        status=status,
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


def section_states(portfolio: Portfolio, found: Sequence[Position], as_of: dt.date) -> tuple[SectionState, ...]:
    """Compare each section's sleeve with the sum of its targets, and say whether its review is due.

    The sleeve (locked and disabled positions included) is OVER or UNDER beyond the section's absolute band; where a
    rule has only a relative one, beyond that fraction of the sleeve's target. `breaches` names the positions outside
    their own bands.
    """
    return tuple(
        _section(portfolio, section, [p for p in found if p.section == section.name], as_of)
        for section in portfolio.sections
    )


def _section(portfolio: Portfolio, section: Section, members: Sequence[Position], as_of: dt.date) -> SectionState:
    rule = section.rule
    weight = sum((position.weight for position in members), ZERO)
    drift = weight - section.weight
    if rule.absolute_band is not None:
        width = rule.absolute_band
    else:
        width = ONE if rule.relative_band is None else rule.relative_band * section.weight
    status: Status = "OK"
    if _exceeds(abs(drift), width):
        status = "OVER" if drift > 0 else "UNDER"
    due, next_day = section_due(portfolio, section, as_of)
    breaches = tuple(position.symbol for position in members if position.status in ("OVER", "UNDER"))
    return SectionState(section.name, section.weight, weight, drift, due, next_day, status, breaches)


def _exceeds(weight: Decimal, bound: Decimal) -> bool:
    """Compare a sum of rounded weights with a bound, free of the last digits' noise."""
    return (weight - bound).quantize(_DIGITS) > 0


def portfolio_drift(portfolio: Portfolio, valuation: Valuation) -> Decimal:
    """Return Σ|weight − target| / 2 over all positions and cash: the share of the total that is in the wrong place.

    Holdings without a target count as target 0. Source: Betterment's portfolio drift.
    """
    total = valuation.total
    if total <= 0:
        return ZERO
    aims = {target.symbol: target.weight for _, target in portfolio.targets()}
    off = sum((abs(worth - aims.get(symbol, ZERO) * total) for symbol, worth in valuation.values.items()), ZERO)
    off += abs(valuation.cash_value - portfolio.cash_target * total)
    return off / (2 * total)


def limit_problems(portfolio: Portfolio, found: Sequence[Position]) -> tuple[Problem, ...]:
    """Warn of every minimum or maximum, of a target or of a group, that today's weights break.

    Limits bound what trades may lead to; a disabled target is not traded, so it is not warned of.
    """
    weights = {position.symbol: position.weight for position in found}
    problems: list[Problem] = []
    for section, target in portfolio.targets():
        if target.enabled:
            where = f"{section.name} {target.symbol}"
            problems.extend(_broken(where, weights[target.symbol], target.minimum, target.maximum))
    for group in portfolio.groups:
        joint = sum((weights.get(member, ZERO) for member in group.members), ZERO)
        problems.extend(_broken(f"groups {group.name}", joint, group.minimum, group.maximum))
    return tuple(problems)


def _broken(where: str, weight: Decimal, minimum: Decimal | None, maximum: Decimal | None) -> Iterator[Problem]:
    if maximum is not None and _exceeds(weight, maximum):
        repair = "trades bring it down where they may; else raise the maximum"
        message = f"{weight:.2%} of the total is above the maximum of {maximum:.2%}: {repair}"
        ko = f"비중 {weight:.2%}, 최대 {maximum:.2%} 초과: 가능한 매매로 낮춥니다. 안 되면 최대를 올리세요"
        yield Problem("warning", "limit-breached", where, message, ko)
    if minimum is not None and _exceeds(minimum, weight):
        repair = "trades bring it up where they may; else lower the minimum"
        message = f"{weight:.2%} of the total is below the minimum of {minimum:.2%}: {repair}"
        ko = f"비중 {weight:.2%}, 최소 {minimum:.2%} 미만: 가능한 매매로 높입니다. 안 되면 최소를 낮추세요"
        yield Problem("warning", "limit-breached", where, message, ko)


def review_problems(portfolio: Portfolio, as_of: dt.date) -> tuple[Problem, ...]:
    """Warn of every section whose last rebalance is after the plan's day: its next review is then too far off."""
    found = []
    for section in portfolio.sections:
        last = section.rule.last_rebalanced
        if last is not None and last > as_of:
            message = f"last_rebalanced is {last}, after the plan's day, {as_of}: correct it, or --as-of"
            ko = f"last_rebalanced 값 {last}: 계획 기준일 {as_of}보다 나중입니다. 이 값이나 --as-of를 고치세요"
            found.append(Problem("warning", "rebalanced-later", f"rules {section.name}", message, ko))
    return tuple(found)


def needs_rebalancing(
    found: Iterable[Position], sections: Iterable[SectionState], limits: Sequence[Problem] = ()
) -> bool:
    """Tell whether anything calls for trades: a band or a limit breached, or a review due.

    A band is breached by a position, by a section's sleeve, or by a holding without a target beyond the band of its
    rule around 0 (with a relative band: any such holding). `limits` are `limit_problems`.
    """
    if limits or any(section.due or section.status != "OK" for section in sections):
        return True
    return any(p.status in ("OVER", "UNDER") or (p.status == "NO_TARGET" and p.weight > p.high) for p in found)
