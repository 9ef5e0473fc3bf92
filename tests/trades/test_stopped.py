"""A search that is stopped hands over the best plan so far, and the plan says so."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.plan import Plan
from engine.portfolio import Account, Portfolio
from engine.rebalance import rebalance
from engine.settings import Settings
from engine.trades import highs
from engine.trades.highs import Effort, HighsAnswer, Watch
from engine.words import Lang
from rebalancer.planning import planned
from tests.builders import AS_OF, holding, portfolio, quote, section, target
from xl_addin.show.text import report

SYMBOLS = [f"{n:06d}" for n in range(100, 108)]
PRICES = dict(zip(SYMBOLS, (51_300, 127_100, 9_870, 33_950, 78_200, 240_500, 15_730, 61_900), strict=True))
QUOTES = {symbol: quote(symbol, price) for symbol, price in PRICES.items()}
ACCOUNTS = tuple(
    Account(name, cash={"KRW": Decimal(cash)}) for name, cash in (("A", 1_900_000), ("B", 650_000), ("C", 850_000))
)
HELD = [
    holding(symbol, 3 + 9 * (n * k % 5), account=account)
    for n, symbol in enumerate(SYMBOLS)
    for k, account in enumerate("ABC", 1)
]
AIMS = [section("all", *(target(symbol, "0.12") for symbol in SYMBOLS))]
#: Twenty-four slots over three accounts: buying takes a search and mends too little, so that rung 2 is climbed.
HARD = portfolio(HELD, AIMS, accounts=ACCOUNTS)


def at_once(_best: float, _bound: float) -> bool:
    return True


def stops(plan: Plan) -> list[str]:
    return [str(one.message) for one in plan.problems if one.code == "search-stopped"]


@pytest.mark.slow
def test_a_search_that_is_not_stopped_climbs_and_says_nothing() -> None:
    plan = rebalance(HARD, QUOTES, AS_OF)
    assert plan.quality.rung == 2
    assert not stops(plan)


def test_after_a_stop_no_further_rung_is_tried_and_the_plan_says_so() -> None:
    plan = planned(HARD, QUOTES, AS_OF, watch=at_once)
    assert plan.quality.rung == 1
    assert plan.trades
    assert any("selling more" in told for told in stops(plan))


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_stopped_plan_tells_how_much_better_one_may_be(lang: Lang) -> None:
    plan = rebalance(replace(HARD, settings=Settings(trigger="always")), QUOTES, AS_OF, watch=at_once)
    better = (plan.quality.objective - plan.quality.bound) * float(plan.total_value)
    assert better > 1
    assert any(f"{better:,.0f}"[:-2] in told for told in stops(plan))
    shown = report(plan, lang, brief=True)
    assert ("stopped" if lang == "en" else "중단") in shown


def test_ctrl_c_is_told_like_a_watch_that_stops() -> None:
    def pressed(_best: float, _bound: float) -> bool:
        raise KeyboardInterrupt

    plan = rebalance(HARD, QUOTES, AS_OF, watch=pressed)
    assert (plan.quality.rung, bool(stops(plan))) == (1, True)


def withdrawing(amount: int) -> Portfolio:
    return replace(HARD, settings=Settings(cash_flow=Decimal(-amount)))


def test_a_watch_that_stops_before_there_is_a_plan_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    without_easy_plans(monkeypatch)
    plan = rebalance(withdrawing(5_000_000), QUOTES, AS_OF, watch=at_once)
    assert any(trade.side == "sell" for trade in plan.trades)


def test_ctrl_c_before_there_is_a_plan_ends_it_all_and_calls_nothing_impossible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_easy_plans(monkeypatch)

    def pressed(_best: float, _bound: float) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebalance(withdrawing(5_000_000), QUOTES, AS_OF, watch=pressed)


def without_easy_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the search only HiGHS to find a first plan, and have it ask the watch before it has one."""
    monkeypatch.setattr("engine.trades.solve.greedy", lambda problem: np.zeros(problem.size, dtype=np.int64))
    monkeypatch.setattr("engine.trades.solve.Hulls.maximise", lambda *_: None)
    run = highs.Model._run

    def asking(model: highs.Model, effort: Effort, start: Any, gap: float, watch: Watch, **more: bool) -> HighsAnswer:
        watch(float("inf"), float("-inf"))
        return run(model, effort, start, gap, watch, **more)

    monkeypatch.setattr(highs.Model, "_run", asking)
