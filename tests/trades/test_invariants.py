"""What no plan may ever break, over random portfolios."""

from __future__ import annotations

import os
from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, reject
from hypothesis import settings as tries

from engine.errors import ImpossibleError, InputError
from engine.money import unit
from engine.plan import Plan
from engine.portfolio import FRACTION, Portfolio
from engine.quote import Quote
from engine.rebalance import rebalance
from engine.trades.build import reserve
from tests.trades.random_portfolios import AS_OF, USDKRW, portfolios

Drawn = tuple[Portfolio, dict[str, Quote]]
# The same examples everywhere, so that a failure is the change's; REBALANCER_FUZZ=2000 tries that many new ones.
FUZZ = int(os.environ.get("REBALANCER_FUZZ", "0"))
often = tries(
    max_examples=FUZZ or 60,
    derandomize=not FUZZ,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking whole portfolios takes longer than reading them
    suppress_health_check=list(HealthCheck),
)
FX = {"KRW": Decimal(1), "USD": USDKRW}


def planned(drawn: Drawn) -> Plan:
    """Plan, or set the example aside where no plan exists, once it is said why."""
    try:
        return rebalance(*drawn, AS_OF)
    except InputError as error:
        problems = error.problems
    codes = {problem.code for problem in problems if problem.severity == "error"}
    assert codes
    assert codes <= {"impossible", "plan-not-found", "total-value", "price-zero"}
    assert all(problem.message for problem in problems)
    return reject()


@given(portfolios(most=12))
@often
def test_every_invariant_of_a_plan_holds(drawn: Drawn) -> None:
    """All invariants on each plan: the plans are what takes the time, so they are made once."""
    keeps_every_invariant(drawn)


@pytest.mark.soak
@given(portfolios(most=60))
@often
def test_every_invariant_holds_in_large_portfolios(drawn: Drawn) -> None:
    keeps_every_invariant(drawn)


def keeps_every_invariant(drawn: Drawn) -> None:
    portfolio, _ = drawn
    plan = planned(drawn)
    trades_are_whole_unless_fractional(portfolio, plan)
    nothing_is_sold_that_is_not_held(portfolio, plan)
    nothing_locked_or_disabled_is_traded(portfolio, plan)
    cash_ends_at_or_above_its_reserve(portfolio, plan)
    every_trade_is_worth_its_minimum_or_sells_out(portfolio, plan)
    money_reconciles_to_the_smallest_unit(portfolio, plan)
    the_bound_is_never_above_the_objective(plan)
    accounts_buy_only_what_they_may_hold(portfolio, plan)
    limits_are_met_or_not_made_worse(portfolio, plan)
    the_mode_is_kept(portfolio, plan)
    positions_are_one_per_symbol(portfolio, plan)


def trades_are_whole_unless_fractional(portfolio: Portfolio, plan: Plan) -> None:
    for trade in plan.trades:
        instrument = portfolio.instruments[trade.symbol]
        step = FRACTION if instrument.market in portfolio.settings.fractional else instrument.lot
        assert trade.quantity > 0
        assert trade.quantity % step == 0


def nothing_is_sold_that_is_not_held(portfolio: Portfolio, plan: Plan) -> None:
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for holding in portfolio.holdings:
        if not holding.locked:
            held[holding.symbol, holding.account] += holding.quantity
    for trade in plan.trades:
        if trade.side == "sell":
            held[trade.symbol, trade.account] -= trade.quantity
    assert all(quantity >= 0 for quantity in held.values())


def nothing_locked_or_disabled_is_traded(portfolio: Portfolio, plan: Plan) -> None:
    disabled = {t.symbol for _, t in portfolio.targets() if not t.enabled}
    assert not disabled & {trade.symbol for trade in plan.trades}
    locked = {(h.symbol, h.account) for h in portfolio.holdings if h.locked}
    bought = {(t.symbol, t.account) for t in plan.trades if t.side == "buy"}
    assert not locked & bought


def cash_ends_at_or_above_its_reserve(portfolio: Portfolio, plan: Plan) -> None:
    ledgers = plan.cash.accounts_after if portfolio.accounts_declared else {"": plan.cash.after}
    for name, purse in ledgers.items():
        for currency, amount in purse.items():
            assert amount >= reserve(portfolio, name, currency)


def every_trade_is_worth_its_minimum_or_sells_out(portfolio: Portfolio, plan: Plan) -> None:
    rules = {t.symbol: s.rule for s, t in portfolio.targets()}
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for holding in portfolio.holdings:
        held[holding.symbol, holding.account] += holding.quantity
    for trade in plan.trades:
        least = rules.get(trade.symbol, portfolio.untargeted_rule).min_trade
        sold_out = trade.side == "sell" and trade.quantity == held[trade.symbol, trade.account]
        assert sold_out or trade.amount * FX[trade.currency] >= least


def money_reconciles_to_the_smallest_unit(portfolio: Portfolio, plan: Plan) -> None:
    books = dict(plan.cash.before)
    accounts = {name: dict(purse) for name, purse in plan.cash.accounts_before.items()}
    for trade in plan.trades:
        assert trade.amount == trade.amount.quantize(unit(trade.currency))
        sign = 1 if trade.side == "sell" else -1
        for purse in (books, accounts.get(trade.account, {trade.currency: Decimal(0)})):
            purse[trade.currency] += sign * trade.amount - trade.cost - trade.tax
    for conversion in plan.conversions:
        assert portfolio.settings.convert_currency
        for purse in (books, accounts.get(conversion.account, dict.fromkeys(FX, Decimal(0)))):
            purse[conversion.sell] -= conversion.amount
            purse[conversion.buy] += conversion.bought
        assert (conversion.amount - conversion.cost) * conversion.rate >= conversion.bought
    assert books == dict(plan.cash.after)
    assert accounts == {name: dict(purse) for name, purse in plan.cash.accounts_after.items()}


def the_bound_is_never_above_the_objective(plan: Plan) -> None:
    assert 0 <= plan.quality.bound <= plan.quality.objective
    assert 0 <= plan.quality.gap <= 1


def accounts_buy_only_what_they_may_hold(portfolio: Portfolio, plan: Plan) -> None:
    if not portfolio.accounts_declared:
        return
    for account in portfolio.accounts:
        bought = [t for t in plan.trades if t.account == account.name and t.side == "buy"]
        assert all(account.may_buy(portfolio.instruments[t.symbol]) for t in bought)
        if account.risk_cap is None or not any(portfolio.instruments[t.symbol].is_risk_asset for t in bought):
            continue
        worth = sum(n * FX[c] for c, n in plan.cash.accounts_after[account.name].items())
        risky = Decimal(0)
        for position in plan.positions:
            quantity = position.accounts.get(account.name, Decimal(0))
            for trade in plan.trades:
                if (trade.symbol, trade.account) == (position.symbol, account.name):
                    quantity += trade.quantity if trade.side == "buy" else -trade.quantity
            worth += quantity * position.price * position.fx
            if portfolio.instruments[position.symbol].is_risk_asset:
                risky += quantity * position.price * position.fx
        assert risky <= account.risk_cap * worth


def limits_are_met_or_not_made_worse(portfolio: Portfolio, plan: Plan) -> None:
    """Check every limit; to raise money on rung 1, what is below its minimum already may be sold."""
    raised = plan.quality.rung == 1
    before = {p.symbol: p.weight for p in plan.positions}
    after = before | {t.symbol: t.weight_after for t in plan.trades}
    for _, target in portfolio.targets():
        if target.maximum is not None and after[target.symbol] > before[target.symbol]:
            assert after[target.symbol] <= target.maximum + Decimal("1e-9")
        broken = target.minimum is not None and before[target.symbol] < target.minimum
        if target.minimum is not None and after[target.symbol] < before[target.symbol] and not (raised and broken):
            assert after[target.symbol] >= target.minimum - Decimal("1e-9")
    for group in portfolio.groups:
        joint = sum(after.get(member, Decimal(0)) for member in group.members)
        was = sum(before.get(member, Decimal(0)) for member in group.members)
        assert group.maximum is not None
        assert joint <= max(group.maximum, was) + Decimal("1e-8")
    if portfolio.settings.max_turnover is not None:
        moved = sum(trade.amount * FX[trade.currency] for trade in plan.trades)
        assert moved <= portfolio.settings.max_turnover * plan.total_value


def the_mode_is_kept(portfolio: Portfolio, plan: Plan) -> None:
    sides = {trade.side for trade in plan.trades}
    forbidden = {"buy-only": {"sell"}, "sell-only": {"buy"}, "full": set()}[portfolio.settings.mode]
    assert not sides & forbidden


def positions_are_one_per_symbol(portfolio: Portfolio, plan: Plan) -> None:
    assert tuple(position.symbol for position in plan.positions) == portfolio.symbols


@given(portfolios(most=12))
@tries(often, max_examples=20)
def test_the_same_input_gives_the_same_plan(drawn: Drawn) -> None:
    first, second = planned(drawn), planned(drawn)
    assert (first.trades, first.conversions, first.cash) == (second.trades, second.conversions, second.cash)


def test_a_withdrawal_above_what_can_be_sold_says_by_how_much() -> None:
    from engine.settings import Settings
    from tests.builders import holding, portfolio, quote, section, target

    folio = portfolio(
        [holding("069500", 10)],
        [section("core", target("069500", "0.5"))],
        cash={"KRW": 1000},
        accounts=(),
        settings=Settings(cash_flow=Decimal(-400_000), mode="buy-only"),
    )
    with pytest.raises(ImpossibleError) as caught:
        rebalance(folio, {"069500": quote("069500", 50_000)}, AS_OF)
    assert "399,000 KRW are lacking" in str(caught.value.problems[0].message)
    assert "buy-only sells nothing" in str(caught.value.problems[0].message)
