"""Returns from ledgers beside examples that others published, and beside those of bt."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.history import HistoryTable, Series
from engine.ledger.entries import LedgerEntry
from engine.ledger.performance import Returns, performance

FIRST = dt.date(2023, 1, 1)
SMALLEST = {"KRW": Decimal(1), "USD": Decimal("0.01")}


def day(after: int) -> dt.date:
    return FIRST + dt.timedelta(days=after)


@dataclass
class Diary:
    """A ledger in the making, days counted from its first."""

    entries: list[LedgerEntry] = field(default_factory=list)

    def note(self, date: dt.date, kind: Any, symbol: str = "", currency: str = "USD", **more: float | Decimal) -> None:
        numbers: dict[str, Any] = {name: Decimal(str(value)) for name, value in more.items()}
        name = str(len(self.entries))
        self.entries.append(LedgerEntry(name, name, date, kind, "", symbol, currency=currency, **numbers))


def closes(symbol: str, points: dict[dt.date, float], currency: str = "USD") -> Series:
    days = np.array(list(points), dtype="datetime64[D]")
    return Series(symbol, days, np.array(list(points.values()), dtype=float), currency)


def returns_of(diary: Diary, *series: Series, rates: tuple[Series, ...] = (), base: str = "USD") -> Returns:
    table = HistoryTable({one.symbol: one for one in series}, {one.symbol: one for one in rates})
    found = performance(diary.entries, base, {}, table)
    assert found is not None
    return found.whole.returns()


# Published examples. Their years are of 365 days here; what they call the value before a flow is that of the evening
# before, since money comes in the morning.


def test_a_share_and_one_more_as_in_the_manual_of_fincal() -> None:
    # twrr(ev=c(120,260), bv=c(100,240), cfr=c(2,4)) is 0.1584472 in the manual of the R package FinCal: 100 become 120
    # and a dividend of 2; a second share at 120 makes 240, which become 260 and 4.
    diary = Diary()
    diary.note(day(0), "deposit", amount=100)
    diary.note(day(0), "buy", "A", quantity=1, amount=100)
    diary.note(day(364), "dividend", "A", amount=2)
    diary.note(day(364), "withdrawal", amount=2)
    diary.note(day(365), "deposit", amount=120)
    diary.note(day(365), "buy", "A", quantity=1, amount=120)
    diary.note(day(730), "dividend", "A", amount=4)
    returns = returns_of(diary, closes("A", {day(0): 100, day(364): 120, day(730): 130}))
    assert returns.yearly == pytest.approx(0.1584472, abs=5e-8)


def test_four_shares_two_of_which_are_sold_as_in_a_question_for_analysts() -> None:
    # A practice question of CFA level I: four shares at 50, two sold at 50 after a year, 5 of dividend a share and a
    # price of 80 after another: money-weighted 20.52 %, time-weighted 30.38 % a year.
    diary = Diary()
    diary.note(day(0), "deposit", amount=200)
    diary.note(day(0), "buy", "A", quantity=4, amount=200)
    diary.note(day(365), "sell", "A", quantity=2, amount=100)
    diary.note(day(365), "withdrawal", amount=100)
    diary.note(day(730), "dividend", "A", amount=10)
    diary.note(day(730), "sell", "A", quantity=2, amount=160)
    returns = returns_of(diary, closes("A", {day(0): 50, day(365): 50, day(730): 80}))
    assert returns.yearly == pytest.approx(0.3038, abs=5e-5)
    assert returns.money_weighted == pytest.approx(0.2052, abs=5e-5)


def test_a_thousand_shares_and_a_thousand_more_as_in_a_question_for_analysts() -> None:
    # Another one: 1,000 shares at 42, 1,000 more at 55 a year later, 54 after two: 7.73 % and 13.39 % a year.
    diary = Diary()
    diary.note(day(0), "deposit", amount=42_000)
    diary.note(day(0), "buy", "A", quantity=1000, amount=42_000)
    diary.note(day(365), "deposit", amount=55_000)
    diary.note(day(365), "buy", "A", quantity=1000, amount=55_000)
    returns = returns_of(diary, closes("A", {day(0): 42, day(364): 55, day(365): 55, day(730): 54}))
    assert returns.money_weighted == pytest.approx(0.0773, abs=5e-5)
    assert returns.yearly == pytest.approx(0.1339, abs=5e-5)


def test_the_flows_of_excels_manual() -> None:
    # XIRR's page in Excel's help: -10,000, 2,750, 4,250, 3,250 and 2,750 on these days are 0.373362535 (37.34 %).
    diary = Diary()
    diary.note(dt.date(2008, 1, 1), "deposit", amount=10_000)
    for date, amount in (
        (dt.date(2008, 3, 1), 2750), (dt.date(2008, 10, 30), 4250), (dt.date(2009, 2, 15), 3250),
    ):  # fmt: skip
        diary.note(date, "withdrawal", amount=amount)
    diary.note(dt.date(2009, 4, 1), "interest", amount=3000)  # what is left is what was paid out last: 2,750
    returns = returns_of(diary)
    assert returns.money_weighted == pytest.approx(0.373362535, abs=5e-9)


@dataclass(frozen=True)
class Day:
    """What happens on a day, in this order; `spend`, `sell` and `take` are parts of what there is."""

    dollars: float  # a share of AAA
    won: float  # a share of BBB
    rate: float
    paid_in: int = 0
    paid_in_dollars: int = 0
    spend: float = 0.0
    symbol: str = "AAA"
    sell: float = 0.0
    fee: float = 0.0
    dividend: int = 0
    take: float = 0.0


class ByBt:
    """The same life as bt keeps it: a strategy in won whose children are shares and dollars.

    Its flows are there from the start of a row. What leaves in the evening is a row of its own, at the same prices.
    """

    def __init__(self, life: list[Day]) -> None:
        import bt
        import pandas as pd

        rows = {
            stamp: {"AAA": one.dollars * one.rate, "BBB": one.won, "USD": one.rate}
            for at, one in enumerate(life)
            for stamp in (pd.Timestamp(day(at)) + pd.Timedelta(hours=9), pd.Timestamp(day(at)) + pd.Timedelta(hours=18))
        }
        data = pd.DataFrame.from_dict(rows, orient="index")
        self.rows = iter(data.index)
        self.strategy = bt.Strategy("life", children=list(data.columns))
        self.strategy.use_integer_positions(False)
        self.strategy.setup(data)

    def next(self) -> None:
        self.valued()
        self.strategy.update(next(self.rows))

    def valued(self) -> None:
        if self.strategy.now:
            self.strategy.update(self.strategy.now)

    def flow(self, won: Decimal) -> None:
        self.strategy.adjust(float(won), flow=True)

    def result(self, won: Decimal) -> None:
        self.strategy.adjust(float(won), flow=False)

    def trade(self, symbol: str, quantity: Decimal, *, whole: bool = False) -> None:
        held = self.strategy.children[symbol].position if symbol in self.strategy.children else 0.0
        self.strategy.transact(-held if whole else float(quantity), symbol)

    @property
    def grown(self) -> float:
        return float(self.strategy.price) / 100


class Both:
    """A life written into a ledger and into bt at once."""

    def __init__(self, life: list[Day]) -> None:
        self.life, self.diary, self.theirs = life, Diary(), ByBt(life)
        self.cash = {"KRW": Decimal(0), "USD": Decimal(0)}
        self.shares = {"AAA": Decimal(0), "BBB": Decimal(0)}
        for at, one in enumerate(life):
            self.theirs.next()
            self.rates = {"KRW": Decimal(1), "USD": Decimal(str(one.rate))}
            self.pay_in(day(at), "KRW", one.paid_in)
            self.pay_in(day(at), "USD", one.paid_in_dollars)
            self.trade(day(at), one)
            self.theirs.next()
            self.take(day(at), one.take)
        self.theirs.valued()

    def money(self, currency: str, amount: Decimal) -> None:
        self.cash[currency] += amount
        if currency == "USD":
            self.theirs.trade("USD", amount)

    def pay_in(self, date: dt.date, currency: str, amount: int) -> None:
        if amount:
            self.diary.note(date, "deposit", currency=currency, amount=amount)
            self.theirs.flow(amount * self.rates[currency])
            self.money(currency, Decimal(amount))

    def trade(self, date: dt.date, one: Day) -> None:
        currency, price = ("USD", one.dollars) if one.symbol == "AAA" else ("KRW", one.won)
        within = self.cash[currency] * Decimal(str(one.spend)) / Decimal("1.01") / Decimal(str(price))
        self.deal(date, one, within.quantize(Decimal("0.0001"), ROUND_DOWN), currency, Decimal(str(price)))
        gone = (self.shares[one.symbol] * Decimal(str(one.sell))).quantize(Decimal("0.0001"), ROUND_DOWN)
        self.deal(date, one, -gone, currency, Decimal(str(price)))
        if one.dividend and self.shares[one.symbol]:
            self.diary.note(date, "dividend", one.symbol, currency, amount=one.dividend)
            self.theirs.result(one.dividend * self.rates[currency])
            self.money(currency, Decimal(one.dividend))

    def deal(self, date: dt.date, one: Day, quantity: Decimal, currency: str, price: Decimal) -> None:
        if not quantity:
            return
        amount, kind = abs(quantity) * price, "buy" if quantity > 0 else "sell"
        cost = (amount * Decimal(str(one.fee))).quantize(SMALLEST[currency], ROUND_DOWN)
        self.diary.note(date, kind, one.symbol, currency, quantity=abs(quantity), amount=amount, cost=cost)
        self.theirs.trade(one.symbol, quantity, whole=quantity < 0 and one.sell == 1)
        self.theirs.result(-cost * self.rates[currency])
        self.money(currency, -quantity * price - cost)
        self.shares[one.symbol] += quantity

    def take(self, date: dt.date, share: float) -> None:
        for currency, held in self.cash.items():
            gone = held if share == 1 else (held * Decimal(str(share))).quantize(SMALLEST[currency], ROUND_DOWN)
            if gone:
                self.diary.note(date, "withdrawal", currency=currency, amount=gone)
                self.cash[currency] -= gone
                if currency == "USD":
                    self.theirs.trade("USD", -gone, whole=share == 1)
                self.theirs.flow(-gone * self.rates[currency])
        if share == 1 and not any(self.shares.values()):  # no dust of binary fractions stays
            self.theirs.flow(Decimal(-self.theirs.strategy.capital))

    @property
    def ours(self) -> float:
        days = {day(at): one for at, one in enumerate(self.life)}
        found = returns_of(
            self.diary,
            closes("AAA", {at: one.dollars for at, one in days.items()}),
            closes("BBB", {at: one.won for at, one in days.items()}, "KRW"),
            rates=(closes("USDKRW", {at: one.rate for at, one in days.items()}, "KRW"),),
            base="KRW",
        )
        return 1 + found.time_weighted


part = st.sampled_from([0.0, 0.0, 0.4, 1.0])
ONE_DAY = st.builds(
    Day,
    dollars=st.integers(500, 50_000).map(lambda cents: cents / 100),
    won=st.integers(1_000, 90_000).map(float),
    rate=st.integers(800, 1600).map(float),
    paid_in=st.sampled_from([0, 0, 1_000_000, 30_000]),
    paid_in_dollars=st.sampled_from([0, 0, 700]),
    spend=part,
    symbol=st.sampled_from(["AAA", "BBB"]),
    sell=part,
    fee=st.sampled_from([0.0, 0.0025]),
    dividend=st.sampled_from([0, 0, 3]),
    take=st.sampled_from([0.0, 0.0, 0.0, 0.3, 1.0]),
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@example(  # in and out on the first day and the last
    [
        Day(100, 10_000, 1000, paid_in=1_000_000, paid_in_dollars=700, spend=1.0, fee=0.0025, take=0.3),
        Day(120, 9_000, 1100, spend=0.4, symbol="BBB", dividend=3),
        Day(90, 12_000, 1300, paid_in=30_000, paid_in_dollars=700, sell=0.4, fee=0.0025, take=0.3),
    ]
)
@example(  # nothing left in between, begun anew, and all taken on the last day
    [
        Day(100, 10_000, 1000, paid_in_dollars=700, spend=1.0, fee=0.0025),
        Day(150, 10_000, 1200, sell=1.0, take=1.0),
        Day(10, 10_000, 900),
        Day(20, 10_000, 1000, paid_in=1_000_000, spend=1.0, symbol="BBB"),
        Day(20, 15_000, 1000, symbol="BBB", sell=1.0, fee=0.0025, take=1.0),
    ]
)
@given(st.lists(ONE_DAY, min_size=2, max_size=10).filter(lambda life: life[0].paid_in + life[0].paid_in_dollars > 0))
def test_the_time_weighted_return_is_that_of_a_strategy_of_bt(life: list[Day]) -> None:
    both = Both(life)
    assert both.ours == pytest.approx(both.theirs.grown, rel=1e-10)
