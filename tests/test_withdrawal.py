"""A withdrawal larger than the portfolio is impossible, and the most that can be withdrawn is told, and can be."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from engine.errors import ImpossibleError, InputError, Problem
from engine.portfolio import Account, Group, Portfolio
from engine.rebalance import rebalance
from engine.settings import Settings
from tests.builders import AS_OF, holding, portfolio, quote, section, target
from xl_addin.functions import function
from xl_addin.functions.cells import NUM

QUOTES = {
    "069500": quote("069500", 50_000),
    "SPY": quote("SPY", 600),
    "USDKRW": quote("USDKRW", 1400, "KRW"),
}


def wanting(amount: int, **more: object) -> Portfolio:
    held = [holding("069500", 30), holding("SPY", "2.5")]
    aims = [section("all", target("069500", "0.5"), target("SPY", "0.5"))]
    given: dict[str, object] = {"cash": {"KRW": 1000, "USD": 20}, **more}
    return portfolio(held, aims, settings=Settings(cash_flow=Decimal(-amount)), **given)  # type: ignore[arg-type]


def refusal(folio: Portfolio) -> Problem:
    with pytest.raises(ImpossibleError) as caught:
        rebalance(folio, QUOTES, AS_OF)
    (problem,) = [problem for problem in caught.value.problems if problem.severity == "error"]
    return problem


def test_a_withdrawal_of_more_than_everything_names_the_most_and_that_can_be_withdrawn() -> None:
    problem = refusal(wanting(10**9))
    assert (problem.code, problem.where) == ("impossible", "settings.cash_flow")
    found = re.search(r"at most ([\d,]+) KRW", str(problem.message))
    assert found
    most = int(found[1].replace(",", ""))
    assert 3_500_000 < most < 3_629_000
    whole_shares = most - 600 * 1400
    assert rebalance(wanting(whole_shares), QUOTES, AS_OF).cash.after["KRW"] >= 0


def test_all_the_cash_but_one_won_can_be_withdrawn() -> None:
    problem = refusal(portfolio(cash={"KRW": 1000}, settings=Settings(cash_flow=Decimal(-1000))))
    assert "at most 999 KRW" in str(problem.message)
    less = portfolio(cash={"KRW": 1000}, settings=Settings(cash_flow=Decimal(-999)))
    assert rebalance(less, {}, AS_OF).cash.after == {"KRW": 1}


def test_what_lies_in_a_pension_cannot_be_withdrawn() -> None:
    accounts = (
        Account("own", cash={"KRW": Decimal(5000)}),
        Account("later", type="pension", cash={"KRW": Decimal(70_000)}),
    )
    problem = refusal(portfolio(accounts=accounts, settings=Settings(cash_flow=Decimal(-80_000))))
    assert "at most 5,000 KRW" in str(problem.message)


def limited(turnover: str) -> Portfolio:
    """Return what must raise a buffer of 5 % with few trades, and would sell far more to mend two groups."""
    return portfolio(
        [holding("069500", 80), holding("229200", 20)],
        [section("all", target("069500", "0.5"), target("229200", "0.5"))],
        settings=Settings(cash_buffer=Decimal(250_000), max_turnover=Decimal(turnover)),
        groups=(
            Group("g", ("069500",), maximum=Decimal("0.4"), minimum=Decimal("0.1")),
            Group("h", ("229200",), minimum=Decimal("0.3")),
        ),
    )


def test_a_turnover_limit_that_is_too_low_is_told_the_least_that_would_do() -> None:
    quotes = {symbol: quote(symbol, 50_000) for symbol in ("069500", "229200")}
    with pytest.raises(ImpossibleError) as caught:
        rebalance(limited("0.04"), quotes, AS_OF)
    (problem,) = [problem for problem in caught.value.problems if problem.severity == "error"]
    found = re.search(r"trades of ([\d.]+) of the total would do", str(problem.message))
    assert found
    assert Decimal("0.05") <= Decimal(found[1]) <= Decimal("0.06")
    assert rebalance(limited(found[1]), quotes, AS_OF).cash.after["KRW"] >= 250_000


def test_a_portfolio_worth_nothing_is_still_bad_input() -> None:
    with pytest.raises(InputError) as caught:
        rebalance(portfolio(cash={"KRW": 0}, settings=Settings(cash_flow=Decimal(-5))), {}, AS_OF)
    assert not isinstance(caught.value, ImpossibleError)


def test_a_cell_shows_that_it_is_impossible() -> None:
    holdings = [["Ticker", "Quantity", "ManualPrice", "Currency"], ["AAA", 1, 1000, "KRW"]]
    targets = [["Ticker", "Target"], ["AAA", 1]]
    settings = [["Key", "Value"], ["base_currency", "KRW"], ["cash_flow", -5000]]
    assert function("REBAL_TRADES").answer((holdings, targets, 100, settings, None)) == NUM
