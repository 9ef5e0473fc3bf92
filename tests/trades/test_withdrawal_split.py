"""A withdrawal over several taxable accounts is only called impossible where no split of it has a plan."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ImpossibleError
from engine.plan import Plan
from engine.portfolio import Account, Portfolio
from engine.rebalance import rebalance
from engine.settings import CostOverride, Settings
from tests.builders import AS_OF, holding, instrument, portfolio, quote, section, target

D = Decimal
SYMBOLS = ("000101", "000102", "000103", "000104")
PRICES = dict(zip(SYMBOLS, (51_300, 12_710, 240_500, 9_870), strict=True))
QUOTES = {symbol: quote(symbol, price) for symbol, price in PRICES.items()}
#: Funds whose gains are withheld, at 15.4 %.
FUNDS = [instrument(symbol, taxed_as_dividend=True) for symbol in SYMBOLS]
COMMISSION, WITHHELD = D("0.001"), D("0.154")

#: Cash, and (symbol, quantity, average cost).
Purse = tuple[int, Sequence[tuple[str, int, int]]]


def saver(purses: Sequence[Purse], amount: int, **more: object) -> Portfolio:
    names = "ABC"[: len(purses)]
    given: dict[str, object] = {"costs": {"*": CostOverride(COMMISSION, D(0), D(0))}, **more}
    return portfolio(
        [
            holding(symbol, quantity, account=name, average_cost=D(paid))
            for name, (_, rows) in zip(names, purses, strict=True)
            for symbol, quantity, paid in rows
        ],
        [section("all", *(target(symbol, "0.25") for symbol in SYMBOLS))],
        accounts=[Account(name, cash={"KRW": D(cash)}) for name, (cash, _) in zip(names, purses, strict=True)],
        instruments=FUNDS,
        settings=Settings(cash_flow=D(-amount), **given),  # type: ignore[arg-type]
    )


def won(amount: D) -> int:
    return int(amount.quantize(D(1), ROUND_HALF_UP))


def reach(purse: Purse) -> int:
    """Return what an account comes to if all of it is sold, commission and withheld tax paid."""
    cash, rows = purse
    for symbol, quantity, paid in rows:
        amount = D(PRICES[symbol] * quantity)
        commission = won(COMMISSION * amount)
        cash += won(amount) - commission - won(WITHHELD * max(amount - commission - D(paid) * quantity, D(0)))
    return cash


def check(plan: Plan, amount: int, purses: Sequence[Purse]) -> None:
    """Check that every account is left with money of its own, and that just the amount has left them."""
    before, after = plan.cash.accounts_before, plan.cash.accounts_after
    assert all(purse["KRW"] >= 0 for purse in after.values())
    assert sum(purse["KRW"] for purse in before.values()) == sum(cash for cash, _ in purses) - amount


GAINS: list[Purse] = [
    (0, [("000101", 200, 10_000), ("000102", 500, 2_000)]),
    (100_000, [("000103", 40, 30_000), ("000104", 900, 9_000)]),
    (0, [("000101", 100, 5_000), ("000104", 300, 500)]),
]


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("share", ["0.9", "0.97", "0.99", "0.999", "0.9999"])
def test_nearly_all_that_taxed_gains_leave_can_be_withdrawn(number: int, share: str) -> None:
    purses = GAINS[:number]
    amount = int(sum(map(reach, purses)) * D(share))
    check(rebalance(saver(purses, amount), QUOTES, AS_OF), amount, purses)


@pytest.mark.parametrize("number", [2, 3])
def test_more_than_all_sales_leave_is_impossible(number: int) -> None:
    purses = GAINS[:number]
    with pytest.raises(ImpossibleError):
        rebalance(saver(purses, sum(map(reach, purses)) + 10), QUOTES, AS_OF)


def test_what_turnover_keeps_the_first_account_from_selling_the_second_gives() -> None:
    purses: list[Purse] = [(0, [("000101", 2000, 51_300)]), (100_000_000, [])]
    plan = rebalance(saver(purses, 100_000_000, max_turnover=D("0.1")), QUOTES, AS_OF)
    check(plan, 100_000_000, purses)
    assert 9_000_000 < sum(trade.amount for trade in plan.trades) <= D("0.1") * plan.total_value


def test_the_first_account_still_gives_as_far_as_it_reaches() -> None:
    purses = GAINS[:2]
    plan = rebalance(saver(purses, int(sum(map(reach, purses)) * D("0.97"))), QUOTES, AS_OF)
    assert 0 <= plan.cash.accounts_after["A"]["KRW"] < 10
    assert {trade.symbol for trade in plan.trades if trade.account == "A"} == {"000101", "000102"}


rows = st.lists(
    st.tuples(st.sampled_from(SYMBOLS), st.integers(1, 400), st.integers(1, 300_000)),
    max_size=3, unique_by=lambda row: row[0],
)  # fmt: skip


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 5_000_000), rows), min_size=2, max_size=3), st.integers(5000, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_withdrawal_is_possible_just_where_selling_everything_raises_it(purses: list[Purse], share: int) -> None:
    most = sum(map(reach, purses))
    # A few won may be kept beside for rounding.
    amount = most * share // 10_000 - 30
    if amount > 0:
        check(rebalance(saver(purses, amount), QUOTES, AS_OF), amount, purses)
