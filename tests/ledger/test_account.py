"""What a ledger comes to, computed by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import rebalancer
from engine.ledger.account import booked, differences
from engine.ledger.entries import LedgerEntry


def entry(day: int, kind: Any, symbol: str = "", currency: str = "USD", **more: float) -> LedgerEntry:
    given: dict[str, Any] = {name: Decimal(str(value)) for name, value in more.items()}
    return LedgerEntry(
        f"{day}{kind}{symbol}", "b", dt.date(2026, 1, day), kind, symbol=symbol, currency=currency, **given
    )


def test_gains_by_moving_average_and_first_in_first_out() -> None:
    # 10 at 100, 10 at 200, of these 5 sold at 300 for 1,500 less 5 of commission. Average cost 150: 1,495 - 750 = 745;
    # the oldest cost 100: 1,495 - 500 = 995. At 1,000 won, 1,200 won and 1,300 won a dollar: 1,943,500 less 5 average
    # shares, which cost (10 x 100 x 1,000 + 10 x 200 x 1,200) / 20 x 5 = 850,000, or less 500,000.
    books = booked(
        [
            entry(1, "buy", "QQQ", quantity=10, amount=1000, fx=1000),
            entry(2, "buy", "QQQ", quantity=10, amount=2000, fx=1200),
            entry(3, "sell", "QQQ", quantity=5, amount=1500, cost=5, fx=1300),
        ],
        "KRW",
    )
    (gain,) = books.gains
    assert (gain.average, gain.fifo) == (745, 995)
    assert (gain.average_base, gain.fifo_base) == (1_943_500 - 850_000, 1_943_500 - 500_000)
    assert books.stocks["", "QQQ"].quantity == 15
    assert books.cash["", "USD"] == -1000 - 2000 + 1495


def test_a_split_changes_shares_and_costs_but_no_money() -> None:
    books = booked(
        [
            entry(1, "buy", "QQQ", quantity=10, amount=1000),
            entry(2, "split", "QQQ", quantity=4),
            entry(3, "sell", "QQQ", quantity=40, amount=1200),
        ],
        "USD",
    )
    assert books.gains[0].average == books.gains[0].fifo == 200
    assert books.stocks["", "QQQ"].quantity == 0


def test_an_opening_without_a_cost_has_gains_that_are_not_known() -> None:
    books = booked([entry(1, "opening", "QQQ", quantity=10), entry(2, "sell", "QQQ", quantity=1, amount=100)], "USD")
    assert books.gains[0].average is None
    assert books.gains[0].fifo_base is None


def test_more_sold_than_held_is_told() -> None:
    books = booked([entry(1, "sell", "QQQ", quantity=1, amount=100)], "USD")
    assert [problem.code for problem in books.problems] == ["ledger-oversold"]


def test_every_kind_of_money_moves_the_cash_its_way() -> None:
    books = booked(
        [
            entry(1, "deposit", amount=1000),
            entry(2, "withdrawal", amount=100),
            entry(3, "dividend", "QQQ", amount=50, tax=7.5),
            entry(4, "interest", amount=2),
            entry(5, "fee", amount=1),
            entry(6, "exchange-out", amount=500),
            entry(6, "exchange-in", currency="KRW", amount=650000),
            entry(7, "correction", amount=-3),
        ],
        "USD",
    )
    assert books.cash == {("", "USD"): Decimal(1000) - 100 + Decimal("42.5") + 2 - 1 - 500 - 3, ("", "KRW"): 650000}


def test_what_is_written_as_a_value_is_not_known_to_differ() -> None:
    held = [{"symbol": "QQQ", "value": 5000}, {"symbol": "SPY", "quantity": 3}]
    body = {"base_currency": "USD", "cash": {"USD": 1}, "holdings": held, "targets": [{"ticker": "QQQ", "weight": 1}]}
    books = booked([entry(1, "opening", "QQQ", quantity=10), entry(1, "opening", "SPY", quantity=2)], "USD")
    found = differences(books, rebalancer.load({"portfolio": body}))
    assert [(one.symbol, one.currency) for one in found] == [("SPY", "USD"), ("", "USD")]
