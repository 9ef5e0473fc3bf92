"""Many price cells cause one batch: the first says what the others ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.market import chain
from engine.market.catalogue import Listing
from engine.market.provider import Deadline, Said
from engine.market.quoting import Lanes
from engine.market.store import FILE, Store
from engine.quote import Quote
from xl_addin import functions
from xl_addin.functions.prices import tickers_near

TICKERS = ["GLD", "TLT", "IEF", "091160", "KODEX 200", "EURKRW"]
FORMULAS = ['=REBAL_PRICE(A1,"status")', "=REBAL_PRICE($A$2)", "=1+rebal_price( A3 )", "=REBAL_PRICE(A4)",
            "=REBAL_PRICE(A5)", "=REBAL_FX(A6)"]  # fmt: skip


def sheet(values: Sequence[Sequence[Any]], formulas: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return a sheet as a host passes it: values, then formulas."""
    return [[*row, *more] for row, more in zip(values, formulas, strict=True)]


NEAR = sheet([[text, None] for text in TICKERS], [[text, cell] for text, cell in zip(TICKERS, FORMULAS, strict=True)])


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[list[str]]]:
    """Let a source answer every question at once, in an empty store; returns what each batch asked for."""
    asked: list[list[str]] = []

    def fetch(lanes: Lanes, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> Said:
        asked.append([one.symbol for one in listings])
        quotes = {
            one.symbol: Quote(one.symbol, Decimal(7), one.currency or "", now, "test", "regular", 0, now)
            for one in listings
        }
        return Said(quotes)

    monkeypatch.setattr(Lanes, "fetch", fetch)
    monkeypatch.setenv("REBALANCER_CACHE_DIR", str(tmp_path))
    chain.default.cache_clear()
    yield asked
    chain.default.cache_clear()


def test_one_batch_serves_every_cell_of_the_sheet(batches: list[list[str]]) -> None:
    shown = [functions.rebal_price(TICKERS[0], None, NEAR), *map(functions.rebal_price, TICKERS[1:5])]
    assert [*shown, functions.rebal_fx("EURKRW")] == [7.0] * 6
    assert [sorted(batch) for batch in batches] == [["069500", "091160", "EURKRW", "GLD", "IEF", "TLT"]]


def test_without_knowing_the_others_each_cell_would_ask_for_itself(batches: list[list[str]]) -> None:
    for ticker in TICKERS[:3]:
        functions.rebal_price(ticker)
    assert len(batches) == 3


def test_a_cell_of_a_fresh_price_tells_of_the_others_all_the_same(batches: list[list[str]]) -> None:
    functions.rebal_price(TICKERS[0])
    functions.rebal_price(TICKERS[0], None, NEAR)
    functions.rebal_price(TICKERS[1])
    assert len(batches[1]) == len(TICKERS) - 1


def test_a_text_that_means_nothing_hinders_no_other(batches: list[list[str]]) -> None:
    near = sheet([["nonsense!"], ["GLD"]], [["=REBAL_PRICE(A1)"], ["=REBAL_PRICE(A2)"]])
    assert functions.rebal_price("TLT", None, near) == 7.0
    assert sorted(batches[0]) == ["GLD", "TLT"]


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ('=REBAL_PRICE("QQQ")', "QQQ"),
        ('=ROUND(REBAL_PRICE( "QQQ" ,"price"),2)', "QQQ"),
        ("=REBAL_PRICE(A3)", "in A3"),
        ("=rebal_price($a$3)", "in A3"),
        ('=REBAL.PRICE(A3;"status")', "in A3"),
        ("=REBAL_PRICE(Watch[[#This Row],[Ticker]])", "in B3"),
        ("=REBAL_PRICE([@Ticker])", "in B3"),
        ("=REBAL_PRICE([@[My ticker]])", "in A3"),
        ("=REBAL_FX(B3)", "in B3"),
    ],
)
def test_what_a_formula_asks_for_is_read(formula: str, found: str) -> None:
    values: list[list[object]] = [["Ticker", None, None], ["My ticker", "Ticker", None], ["in A3", "in B3", 5.0]]
    assert tickers_near(sheet(values, [[None] * 3, [None] * 3, [None, None, formula]])) == (found,)


@pytest.mark.parametrize(
    "formula",
    ["=REBAL_PRICE(Other!A1)", "=REBAL_PRICE(A99)", "=REBAL_PRICE([@Nothing])", "=REBAL_PRICE(B1&B2)",
     "=REBAL_PRICE(C1)", "REBAL_PRICE(A1)", "=SUM(A1)", "=REBAL_PRICES(A1)", 5.0, None],
)  # fmt: skip
def test_what_cannot_be_told_is_left_out(formula: object) -> None:
    assert tickers_near(sheet([["GLD", "x", 3.0]], [[None, None, formula]])) == ()


def test_sheets_by_title_are_all_read() -> None:
    one, other = sheet([["GLD"]], [["=REBAL_PRICE(A1)"]]), sheet([["TLT"]], [["=REBAL_PRICE(A1)"]])
    assert tickers_near({"One": one, "Two": other}) == ("GLD", "TLT")


def test_calc_tells_what_its_sheets_ask_for(calc: dict[str, Any], market: dict[str, str]) -> None:
    store = Store(Path(market["REBALANCER_CACHE_DIR"]) / FILE)
    watched = store.watched(dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
    store.close()
    assert "SCHD" in watched
