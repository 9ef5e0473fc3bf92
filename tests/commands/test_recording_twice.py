"""Trades are booked once: the cash they start from is what the workbook has, and a recorded plan is gone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from engine.data.document import parse_portfolio
from engine.errors import InputError
from engine.portfolio import Portfolio
from engine.rebalance import rebalance
from rebalancer.recording import check_start
from templates.report import cash_rows
from tests.commands_fake_book import FakeBook
from xl_addin.buttons import press

ACCOUNTS = """
portfolio:
  name: accounts
  base_currency: KRW
  holdings:
    - {symbol: AAA, quantity: 100, price: 10000, currency: KRW, account: first}
    - {symbol: AAA, quantity: 100, price: 10000, currency: KRW, account: second}
  accounts:
    - {name: first, type: taxable, cash: {KRW: 300000}}
    - {name: second, type: taxable, cash: {KRW: 500000}}
    - {name: isa, type: isa, cash: {KRW: 100000}, markets: [KR]}
  targets:
    - {ticker: AAA, weight: 0.5}
settings: {cash_flow: %s}
"""


def cell(book: FakeBook, sheet: str, table: str, header: str, row: int = 1) -> tuple[int, int]:
    """Return where a cell of an Excel table stands: of the column with this header, in the table's row."""
    place = book.sheets[sheet].tables[table].range
    values = book.sheets[sheet].values
    columns = range(place.column, place.last_cell.column + 1)
    return place.row + row, next(at for at in columns if values.get((place.row, at)) == header)


def setting(book: FakeBook, key: str) -> tuple[int, int]:
    values = book.sheets["Settings"].values
    return next((row, column + 1) for (row, column), value in values.items() if value == key)


def holdings(book: FakeBook) -> dict[Any, Any]:
    return {at: value for at, value in book.sheets["Holdings"].values.items() if at[0] > 7}


@pytest.mark.parametrize("formulas", [True, False])
def test_trades_that_are_recorded_are_not_recorded_again(book: FakeBook, *, formulas: bool) -> None:
    press("propose", book, formulas=formulas)
    press("record", book, formulas=formulas)
    once = holdings(book)
    press("record", book, formulas=formulas)
    assert holdings(book) == once
    assert "propose trades" in book.alerts[-1].lower()


def test_purchases_from_a_deposit_are_not_recorded_again(book: FakeBook) -> None:
    book.sheets["Settings"].put(*setting(book, "cash_flow"), 20_000_000)
    book.sheets["Settings"].put(*setting(book, "mode"), "buy-only")
    press("propose", book, formulas=False)
    before = holdings(book)
    press("record", book, formulas=False)
    once = holdings(book)
    assert once != before
    press("record", book, formulas=False)
    assert holdings(book) == once


def test_trades_stay_undone_where_the_cash_has_changed_since_they_were_proposed(book: FakeBook) -> None:
    press("propose", book, formulas=True)
    at = cell(book, "Cash", "Cash", "Amount")
    book.sheets["Cash"].put(*at, 1)
    book.written.clear()
    press("record", book, formulas=True)
    assert book.written == []
    assert "the cash has changed since the trades were proposed (KRW)" in book.alerts[-1]


def test_trades_stay_undone_where_the_deposit_has_changed_since_they_were_proposed(book: FakeBook) -> None:
    press("propose", book, formulas=True)
    book.sheets["Settings"].put(*setting(book, "cash_flow"), 5_000_000)
    book.written.clear()
    press("record", book, formulas=True)
    assert book.written == []
    assert "the cash has changed" in book.alerts[-1]


def test_a_recorded_plan_is_gone_where_cells_are_not_computed_and_undo_brings_it_back(book: FakeBook) -> None:
    press("propose", book, formulas=False)
    before = book.state()
    press("record", book, formulas=False)
    trades = book.sheets["Trades"].values
    assert trades[7, 2] == "Account"
    assert not [at for at in trades if at[0] > 7 and at[1] <= 12]
    press("undo", book, formulas=False)
    assert book.state() == before


def portfolio(cash_flow: int) -> Portfolio:
    read, problems = parse_portfolio(ACCOUNTS % cash_flow, "test")
    assert read is not None, problems
    return read


def start(of: Portfolio) -> dict[tuple[str, str], Decimal]:
    """Return what the reconciliation of a portfolio's plan starts from."""
    lines = cash_rows(rebalance(of, {}, dt.date(2026, 11, 20)))
    return {(str(line["Account"] or ""), str(line["Currency"])): Decimal(str(line["Before"])) for line in lines}


@pytest.mark.parametrize("cash_flow", [0, 700_000, -200_000, -1_800_000])
def test_the_cash_that_a_plan_starts_from_is_the_accounts_cash(cash_flow: int) -> None:
    mine = portfolio(cash_flow)
    check_start(mine, start(mine))


@pytest.mark.parametrize("cash_flow", [0, 700_000, -200_000, -1_800_000])
@pytest.mark.parametrize("account", ["first", "second", "isa"])
def test_cash_that_has_gone_from_one_account_to_another_is_noticed(cash_flow: int, account: str) -> None:
    mine = portfolio(cash_flow)
    moved = start(mine)
    moved[account, "KRW"] += 1_800_001
    with pytest.raises(InputError, match=f"{account} KRW"):
        check_start(mine, moved)


@pytest.mark.parametrize("cash_flow", [700_000, -200_000])
def test_a_cash_flow_that_is_used_is_noticed(cash_flow: int) -> None:
    with pytest.raises(InputError, match="cash has changed"):
        check_start(portfolio(0), start(portfolio(cash_flow)))
