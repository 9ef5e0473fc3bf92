"""Histories of what no market did: left out, repaired or told, never silent; and symbols of other exchanges."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from engine.errors import SymbolUnknown
from engine.market.catalogue import load
from engine.market.meanings import resolve
from engine.quote import Batch, History
from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW, Share, many
from tests.market.replayed import PATIENT, Replayed

START, END = dt.date(2026, 8, 3), dt.date(2026, 11, 19)
DAYS = [START + dt.timedelta(days=i) for i in range(109) if (START + dt.timedelta(days=i)).weekday() < 5]


def answered(market: Replayed, replay: Replay, closes: list[float], **events: object) -> Batch[History]:
    replay.vendors.closes = {"AAPL": (DAYS[-len(closes) :], closes, events)}
    return market.research.history(["AAPL"], START, END, now=NOW, deadline=PATIENT)


def codes(batch: Batch[History]) -> list[str]:
    return [problem.code for problem in batch.problems]


QUIET = [200.0 + i % 7 for i in range(60)]


def test_a_quiet_history_is_left_as_it_is(market: Replayed, replay: Replay) -> None:
    batch = answered(market, replay, QUIET)
    assert [float(close) for close in batch.ok["AAPL"].closes] == QUIET
    assert not batch.problems


@pytest.mark.parametrize(("at", "times", "days"), [(30, 100, 1), (30, 0.01, 1), (30, 10, 3), (59, 100, 1)])
def test_days_that_jump_away_and_come_back_are_left_out_and_named(
    at: int, times: float, days: int, market: Replayed, replay: Replay
) -> None:
    wrong = [close * times if at <= i < at + days else close for i, close in enumerate(QUIET)]
    batch = answered(market, replay, wrong)
    assert max(batch.ok["AAPL"].closes) < 250
    assert len(batch.ok["AAPL"].closes) == 60 - days
    assert codes(batch) == ["history-spike"]
    again = market.research.history(["AAPL"], START, END, now=NOW, deadline=PATIENT)
    assert (again.requests, again.ok, codes(again)) == (0, batch.ok, ["history-spike"]), "from the store too"


def test_a_split_that_the_source_names_and_did_not_apply_is_repaired(market: Replayed, replay: Replay) -> None:
    closes = [close if i >= 30 else close * 10 for i, close in enumerate(QUIET)]
    batch = answered(market, replay, closes, split=(DAYS[-30], 10, 1))
    assert [float(close) for close in batch.ok["AAPL"].closes] == QUIET
    assert codes(batch) == ["history-split"]
    assert "divided by 10" in str(batch.problems[0].message)


def test_what_looks_like_a_split_that_nobody_names_cuts_the_history(market: Replayed, replay: Replay) -> None:
    closes = [close if i >= 30 else close * 10 for i, close in enumerate(QUIET)]
    batch = answered(market, replay, closes)
    assert len(batch.ok["AAPL"].closes) == 30
    assert codes(batch) == ["history-split"]


def test_a_gap_and_a_flat_run_are_told(market: Replayed, replay: Replay) -> None:
    flat = [200.0] * 25 + QUIET[25:]
    assert codes(answered(market, replay, flat)) == ["history-flat"]
    holes: list[float | None] = [None if 20 <= i < 35 else close for i, close in enumerate(QUIET)]
    replay.vendors.closes = {"MSFT": (DAYS[-60:], holes, {})}
    batch = market.research.history(["MSFT"], START, END, now=NOW, deadline=PATIENT)
    assert codes(batch) == ["history-gap"]


def test_odd_days_of_a_chart_cost_themselves_alone(market: Replayed, replay: Replay) -> None:
    odd: list[object] = [*QUIET[:50], None, "x", 1e25, float("nan"), -5, 0, {}, [], True, 203.0]
    replay.vendors.closes = {"AAPL": (DAYS[-60:], odd, {})}
    batch = market.research.history(["AAPL", "MSFT"], START, END, now=NOW, deadline=PATIENT)
    assert set(batch.ok) == {"AAPL", "MSFT"}
    assert len(batch.ok["AAPL"].closes) == 51


def test_fifty_series_are_a_request_each(market: Replayed, replay: Replay) -> None:
    us, korean = many()
    batch = market.research.history([*us, *korean], START, END, now=NOW, deadline=PATIENT)
    assert len(batch.ok) == 50
    assert batch.requests == len(replay.kinds()) == 50


def test_a_refusal_ends_the_charts(market: Replayed, replay: Replay) -> None:
    us, _ = many()
    replay.fault("yahoo.chart", 429)
    batch = market.research.history(us, START, END, now=NOW, deadline=PATIENT)
    assert set(batch.failed) == set(us)
    assert len(replay.kinds()) <= 8, "those that were under way"
    assert "yahoo" in market.store.breakers()


@pytest.mark.parametrize(
    ("text", "symbol", "market"),
    [
        ("LSEG.L", "LSEG.L", "OTHER"),
        ("NOVO-B.CO", "NOVO-B.CO", "OTHER"),
        ("0P00018XAR.L", "0P00018XAR.L", "OTHER"),
        ("7203.T", "7203.T", "OTHER"),
        ("BRK.B", "BRK.B", "US"),
        ("BRK-B", "BRK.B", "US"),
        ("BF.A", "BF.A", "US"),
        ("A005930", "005930", "KR"),
        ("Q530031", "530031", "KR"),
        ("KR7005930003", "005930", "KR"),
        ("KRWUSD", "USDKRW", "FX"),
    ],
)
def test_what_a_symbol_means(text: str, symbol: str, market: str) -> None:
    listing = resolve(text, load())
    assert (listing.symbol, listing.market) == (symbol, market)


def test_an_isin_with_a_wrong_digit_is_none() -> None:
    with pytest.raises(SymbolUnknown):
        resolve("KR7005930004", load())


def test_a_pair_the_other_way_round_is_inverted(market: Replayed, replay: Replay) -> None:
    batch = market.ask("KRWUSD", "USDKRW")
    assert batch.ok["KRWUSD"].price == 1 / Decimal("1402.5")
    assert (batch.ok["KRWUSD"].currency, batch.ok["USDKRW"].price) == ("USD", Decimal("1402.5"))
    assert set(market.store.quotes()) == {"USDKRW"}


@pytest.mark.parametrize("path", ["batch quote", "chart"])
def test_a_price_in_pence_is_one_in_pounds(path: str, market: Replayed, replay: Replay) -> None:
    replay.vendors.shares["LSEG.L"] = Share("LSEG.L", 10250.0, "GBp", zone="Europe/London", name="LSEG")
    if path == "chart":
        replay.fault("yahoo.quote", 404)
    quote = market.ask("LSEG.L").ok["LSEG.L"]
    assert (quote.price, quote.currency) == (Decimal("102.50"), "GBP")
