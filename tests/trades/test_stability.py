"""Plan, carry it out, plan again: a plan is not asked for twice, and never leads away from a target."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest

from engine.drift import limits_of
from engine.errors import ImpossibleError
from engine.plan import Plan
from engine.portfolio import Portfolio
from engine.rebalance import rebalance
from tests.trades.savers import AS_OF, carried_out, saver

#: Portfolios that every run looks at, and those of the long one.
SAMPLE, SOAK = 16, 300
#: Taxes of the total above which a second step may be asked for: they have shrunk it.
HEAVY_TAX = Decimal("0.01")


def asked_again(seeds: Iterable[int]) -> dict[int, list[str]]:
    """Return the portfolios that trade again the day after for no reason that is allowed, with the orders."""
    found = {}
    for seed in seeds:
        portfolio, quotes = saver(seed)
        try:
            first = rebalance(portfolio, quotes, AS_OF)
        except ImpossibleError:
            continue
        second = rebalance(carried_out(portfolio, first), quotes, AS_OF)
        taxes = sum((t.tax for t in first.trades if t.currency == "KRW"), Decimal(0))
        heavy = taxes > HEAVY_TAX * first.total_value
        allowed = portfolio.settings.destination != "target" or heavy or _is_rest(portfolio, second)
        if second.trades and not allowed:
            found[seed] = [f"{t.side} {t.quantity} {t.symbol}" for t in second.trades]
    return found


def _is_rest(portfolio: Portfolio, plan: Plan) -> bool:
    """Tell whether a plan only buys, and less than the default minimum trade, which held before and not on rung 1."""
    sections = {p.symbol: p.section for p in plan.positions}
    fx = {p.symbol: p.fx for p in plan.positions}
    return plan.quality.rung == 1 and all(
        t.side == "buy" and t.amount * fx[t.symbol] < _minimum(portfolio, sections[t.symbol]) for t in plan.trades
    )


def led_away(seeds: Iterable[int]) -> dict[int, list[str]]:
    """Return the portfolios with a symbol that ends further off, or past its target by more than a share."""
    found: dict[int, list[str]] = {}
    for seed in seeds:
        portfolio, quotes = saver(seed)
        try:
            plan = rebalance(portfolio, quotes, AS_OF)
        except ImpossibleError:
            continue
        after = {trade.symbol: trade.weight_after for trade in plan.trades}
        for p in plan.positions:
            if p.symbol in after and not _may(portfolio, plan):
                share = max(p.price * p.fx, _minimum(portfolio, p.section)) / plan.total_value
                off, was = after[p.symbol] - p.target, p.weight - p.target
                crossed = off * was < 0 and abs(off) > share
                if abs(off) > abs(was) or crossed:
                    found.setdefault(seed, []).append(
                        f"{p.symbol} {p.weight:.4f} to {after[p.symbol]:.4f} of {p.target}"
                    )
    return found


def _may(portfolio: Portfolio, plan: Plan) -> bool:
    """Tell whether orders may lead away from a target: to mend a limit, or to raise money."""
    raised = plan.quality.rung == 1 and any(trade.side == "sell" for trade in plan.trades)
    weights = {p.symbol: p.weight for p in plan.positions}
    return raised or any(limit.outside(weights) > 0 for limit in limits_of(portfolio))


def _minimum(portfolio: Portfolio, section: str | None) -> Decimal:
    rules = {one.name: one.rule for one in portfolio.sections}
    return rules[section].min_trade if section else portfolio.untargeted_rule.min_trade


def test_a_plan_that_is_carried_out_is_not_asked_for_again() -> None:
    assert asked_again(range(SAMPLE)) == {}


def test_what_breaks_a_limit_of_risk_is_sold_at_once_where_its_section_acts_for_something_else() -> None:
    assert asked_again([255]) == {}


def test_no_order_leads_away_from_a_target_or_past_it_by_more_than_a_share() -> None:
    assert led_away(range(SAMPLE)) == {}


@pytest.mark.soak
def test_hundreds_of_plans_are_not_asked_for_again() -> None:
    assert asked_again(range(SAMPLE, SOAK)) == {}


@pytest.mark.soak
def test_hundreds_of_plans_lead_no_order_away() -> None:
    assert led_away(range(SAMPLE, SOAK)) == {}
