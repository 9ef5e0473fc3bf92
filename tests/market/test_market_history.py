"""Histories of what no market did: left out, repaired or told, never silent; and symbols of other exchanges."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import MarketDataError, SymbolUnknown
from engine.market import mending, naver, yahoo
from engine.market.catalogue import Listing, load
from engine.market.meanings import resolve
from engine.quote import Batch, History
from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW, Answer, Request, Share, many
from tests.market.replayed import PATIENT, Replayed, until

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


@pytest.mark.parametrize(
    ("ratio", "event"), [((7, 1), "7"), ((3, 2), "1.5"), ((1, 20), "0.05"), ((15, 1), "15")], ids=str
)
def test_a_split_of_any_ratio_that_the_source_names_is_repaired(
    ratio: tuple[int, int], event: str, market: Replayed, replay: Replay
) -> None:
    closes = [close if i >= 30 else close * float(event) for i, close in enumerate(QUIET)]
    batch = answered(market, replay, closes, split=(DAYS[-30], *ratio))
    assert [float(close) for close in batch.ok["AAPL"].closes] == pytest.approx(QUIET, rel=1e-4)
    assert codes(batch) == ["history-split"]


def test_a_split_that_was_applied_changes_nothing(market: Replayed, replay: Replay) -> None:
    batch = answered(market, replay, QUIET, split=(DAYS[-30], 3, 2))
    assert [float(close) for close in batch.ok["AAPL"].closes] == QUIET
    assert not batch.problems


@pytest.mark.parametrize("times", [7.0, 0.2, 3.3, 30.0])
def test_a_jump_that_stays_and_that_nobody_names_cuts_the_history(
    times: float, market: Replayed, replay: Replay
) -> None:
    closes = [close if i >= 30 else close * times for i, close in enumerate(QUIET)]
    batch = answered(market, replay, closes)
    assert len(batch.ok["AAPL"].closes) == 30
    assert codes(batch) == ["history-split"]


def test_a_korean_share_does_not_move_beyond_its_exchange_s_limit(market: Replayed, replay: Replay) -> None:
    closes = [close * 355 if i >= 30 else close * 355 * 1.6 for i, close in enumerate(QUIET)]
    replay.vendors.closes = {"005930.KS": (DAYS[-60:], closes, {}), "AAPL": (DAYS[-60:], closes, {})}
    batch = market.research.history(["005930", "AAPL"], START, END, now=NOW, deadline=PATIENT)
    assert (len(batch.ok["005930"].closes), len(batch.ok["AAPL"].closes)) == (30, 60)
    assert [(problem.where, problem.code) for problem in batch.problems] == [("005930", "history-split")]


def test_a_small_spike_of_a_quiet_fund_is_left_out(market: Replayed, replay: Replay) -> None:
    bond = [100 + 0.1 * (i % 5) for i in range(60)]
    batch = answered(market, replay, [112.0 if i == 40 else close for i, close in enumerate(bond)])
    assert max(batch.ok["AAPL"].closes) < 101
    assert codes(batch) == ["history-spike"]


def test_a_market_s_own_worst_weeks_are_left_as_they_are(market: Replayed, replay: Replay) -> None:
    """The S&P 500 of March 2020, to a tenth of a percent: falls of 9 and 12 % a day, and rises of 9 %."""
    moves = [-0.034, 0.046, -0.034, -0.017, -0.076, 0.049, -0.049, -0.095, 0.093, -0.12, 0.06, -0.052, 0.005, -0.043]
    closes = [300.0 + i % 4 for i in range(60 - len(moves))]
    for move in moves:
        closes.append(closes[-1] * (1 + move))
    batch = answered(market, replay, closes)
    assert (len(batch.ok["AAPL"].closes), batch.problems) == (60, ())


def test_a_leveraged_fund_s_own_rebound_is_left_as_it_is(market: Replayed, replay: Replay) -> None:
    closes = [10.0 + i % 3 for i in range(57)] + [7.2, 11.3, 8.1]
    replay.vendors.shares["SOXL"] = Share("SOXL", 8.1, name="SOXL")
    replay.vendors.closes = {"SOXL": (DAYS[-60:], closes, {})}
    batch = market.research.history(["SOXL"], START, END, now=NOW, deadline=PATIENT)
    assert (len(batch.ok["SOXL"].closes), batch.problems) == (60, ())


def test_dividends_that_no_fund_pays_are_left_out(market: Replayed, replay: Replay) -> None:
    usual = replay.vendors.answer

    def odd(request: Request) -> tuple[str, Answer]:
        kind, answer = usual(request)
        if kind == "yahoo.chart":
            document = json.loads(answer.body)
            document["chart"]["result"][0]["indicators"]["adjclose"][0]["adjclose"][30] *= 100
            answer = Answer(json.dumps(document).encode())
        return kind, answer

    replay.vendors.answer = odd  # type: ignore[method-assign]
    batch = answered(market, replay, QUIET)
    assert (batch.ok["AAPL"].total_return, len(batch.ok["AAPL"].closes)) == (None, 60)
    assert codes(batch) == ["history-total"]


def test_a_series_that_ended_is_told(market: Replayed, replay: Replay) -> None:
    replay.vendors.closes = {"AAPL": (DAYS[-60:-20], QUIET[:40], {})}
    batch = market.research.history(["AAPL"], START, END, now=NOW, deadline=PATIENT)
    assert codes(batch) == ["history-ended"]


# --- many at once ---------------------------------------------------------------------------------------------------
def test_many_series_are_closes_of_twenty_a_request_and_then_a_request_each(market: Replayed, replay: Replay) -> None:
    us, korean = many()
    seen: list[tuple[int, int]] = []
    batch = market.research.history(
        [*us, *korean], START, END, now=NOW, deadline=PATIENT, progress=lambda done, of: seen.append((done, of))
    )
    assert len(batch.ok) == 50
    assert all(one.total_return for one in batch.ok.values())
    assert Counter(replay.kinds()) == {"yahoo.spark": 4, "yahoo.chart": 50}, "25 codes may be on either exchange"
    assert batch.requests == 54
    assert max(seen) == (50, 50)
    assert not batch.problems


def test_a_refusal_half_way_leaves_every_close_and_ends_the_rest(market: Replayed, replay: Replay) -> None:
    us, _ = many()
    replay.fault_after(10, "yahoo.chart", 429)
    batch = market.research.history(us, START, END, now=NOW, deadline=PATIENT)
    assert set(batch.ok) == set(us)
    assert sum(one.total_return is not None for one in batch.ok.values()) == 10
    assert codes(batch) == ["history-closes"]
    assert len(replay.kinds()) <= 2 + 10 + 8, "those that were under way"
    assert "yahoo" in market.store.breakers()


@pytest.mark.slow
def test_the_next_look_asks_for_the_rest_alone(
    new_market: Callable[..., Replayed], market: Replayed, replay: Replay
) -> None:
    us, _ = many()
    replay.fault_after(10, "yahoo.chart", "reset")
    market.research.history(us, START, END, now=NOW, deadline=PATIENT)
    replay.faults.clear()
    replay.forget()
    batch = new_market().research.history(us, START, END, now=NOW, deadline=PATIENT)
    assert Counter(replay.kinds()) == {"yahoo.chart": 15}
    assert all(one.total_return for one in batch.ok.values())
    assert not batch.problems


@pytest.mark.slow
def test_closes_alone_do_not_take_the_place_of_yesterday_s_history_with_dividends(
    market: Replayed, replay: Replay
) -> None:
    us, _ = many()
    market.research.history(us, START, END, now=NOW, deadline=PATIENT)
    replay.forget()
    replay.fault("yahoo.chart", "reset")
    later = NOW + dt.timedelta(days=1)
    batch = market.research.history(us, START, END + dt.timedelta(days=1), now=later, deadline=PATIENT)
    assert "yahoo.spark" not in replay.kinds()
    assert all(one.total_return for one in batch.ok.values())
    assert codes(batch) == ["stored-data"], "one sentence, not twenty-five"


@pytest.mark.slow
def test_charts_that_hang_leave_the_closes(market: Replayed, replay: Replay) -> None:
    us, _ = many()
    market.yahoo_ready()
    replay.fault("yahoo.chart", "hang")
    batch = market.research.history(us, START, END, now=NOW, deadline=2.0)
    assert set(batch.ok) == set(us)
    assert codes(batch) == ["history-closes"]
    assert replay.waited_out == 0


def test_a_source_that_hangs_is_told_as_that_and_asked_once(market: Replayed, replay: Replay) -> None:
    us, _ = many()
    replay.fault("yahoo.*", "hang")
    batch = market.research.history(us, START, END, now=NOW, deadline=2.5)
    assert set(batch.failed) == set(us)
    assert {str(error) for error in batch.failed.values()} == {"yahoo: it did not answer in time"}
    assert Counter(replay.kinds()) == {"yahoo.spark": 2}


@pytest.mark.slow
@pytest.mark.parametrize("body", [b"null", b"[]", b"7", b'{"spark": null}', b'{"error": {}}', b"\xff\xfe", b"<html>"])
@pytest.mark.parametrize("kind", ["yahoo.spark", "yahoo.chart"])
def test_an_answer_of_another_shape_costs_that_answer_alone(
    kind: str, body: bytes, market: Replayed, replay: Replay
) -> None:
    us, _ = many()
    usual = replay.vendors.answer

    def other(request: Request) -> tuple[str, Answer]:
        asked, answer = usual(request)
        return asked, Answer(body) if asked == kind else answer

    replay.vendors.answer = other  # type: ignore[method-assign]
    batch = market.research.history(us, START, END, now=NOW, deadline=PATIENT)
    assert set(batch.ok) == set(us)
    assert codes(batch) == ([] if kind == "yahoo.spark" else ["history-closes"])
    assert not market.store.problems


def test_symbols_that_nobody_knows_cost_themselves_alone(market: Replayed, replay: Replay) -> None:
    us, _ = many()
    unknown = ["XAAQ", "XBAQ", "XCAQ"]
    batch = market.research.history([*us, *unknown], START, END, now=NOW, deadline=PATIENT)
    assert (set(batch.ok), set(batch.failed)) == (set(us), set(unknown))
    assert all(isinstance(error, SymbolUnknown) for error in batch.failed.values())
    assert len(replay.kinds()) <= 2 + 28


LOOK = """
import datetime as dt, sys
from engine.market.chain import default
now = dt.datetime.fromisoformat(sys.argv[1])
day = now.date()
default().research.history(sys.argv[2:], day - dt.timedelta(days=90), day, now=now, deadline=60)
"""


def test_a_fetch_that_was_killed_goes_on_from_where_it_was(
    new_market: Callable[..., Replayed], replay: Replay, tmp_path: Path
) -> None:
    us, _ = many()
    replay.latency = 0.05
    command = [sys.executable, "-c", LOOK, NOW.isoformat(), *us]
    environment = {**os.environ, **replay.env, "REBALANCER_CACHE_DIR": str(tmp_path / "cache")}
    with subprocess.Popen(command, env=environment) as process:
        until(lambda: replay.kinds().count("yahoo.chart") >= 12 or process.poll() is not None)
        process.kill()
    replay.latency = 0.0
    asked = replay.kinds().count("yahoo.chart")
    assert asked < 25
    replay.forget()
    market = new_market()
    day = NOW.date()
    offline = market.research.history(us, day - dt.timedelta(days=90), day, now=NOW, offline=True)
    assert set(offline.ok) == set(us), "the closes alone were there first"
    batch = market.research.history(us, day - dt.timedelta(days=90), day, now=NOW, deadline=PATIENT)
    assert all(one.total_return for one in batch.ok.values())
    assert 0 < replay.kinds().count("yahoo.chart") <= 25 - asked + 8, "what was under way is asked for again"
    assert "yahoo.spark" not in replay.kinds()


def test_offline_is_what_is_stored_and_as_sound_as_online(market: Replayed, replay: Replay) -> None:
    wrong = [close * 100 if i == 30 else close for i, close in enumerate(QUIET)]
    answered(market, replay, wrong)
    replay.forget()
    batch = market.research.history(["AAPL", "MSFT"], START, END, now=NOW + dt.timedelta(days=9), offline=True)
    assert (set(batch.ok), set(batch.failed), replay.kinds()) == ({"AAPL"}, {"MSFT"}, [])
    assert codes(batch) == ["history-spike"]
    assert max(batch.ok["AAPL"].closes) < 250
    assert "MSFT" in market.research.history(["MSFT"], START, END, now=NOW, deadline=PATIENT).ok, "asked for online"


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(-(10**30), 10**30),
    st.text(max_size=4),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
US = Listing("AAPL", "US", "USD")


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(stamps=st.lists(ODD, max_size=40), closes=st.lists(ODD, max_size=40), events=ODD, meta=ODD)
def test_no_chart_raises_but_the_error_tree(stamps: list[Any], closes: list[Any], events: Any, meta: Any) -> None:
    row = {
        "meta": meta if isinstance(meta, dict) else {"currency": "USD", "symbol": meta},
        "timestamp": stamps,
        "events": {"splits": events},
        "indicators": {"quote": [{"close": closes}], "adjclose": [{"adjclose": closes}]},
    }
    with contextlib.suppress(MarketDataError):
        found = yahoo.history_of(US, yahoo.chart_of({"chart": {"result": [row]}}, US), NOW)
        mending.mended(found, "US", END)
    for document in (
        {"spark": {"result": [{"symbol": "AAPL", "response": [row]}]}},
        {"AAPL": {**row, "close": closes}},
    ):
        with contextlib.suppress(MarketDataError):
            for chart in yahoo.sparks_of(document, {"AAPL": US}).values():
                yahoo.history_of(US, chart, NOW)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 99999999), st.text(max_size=6), st.integers(-9, 10**12)), max_size=20),
    junk=st.text(max_size=30),
)
def test_no_korean_chart_raises_but_the_error_tree(rows: list[tuple[int, str, int]], junk: str) -> None:
    items = "".join(f'<item data="{day:08d}|1|1|{odd}|{close}|9" />' for day, odd, close in rows)
    with contextlib.suppress(MarketDataError):
        found = naver._closes(f"<chartdata>{items}{junk}", Listing("005930", "KR", "KRW"), NOW)
        mending.mended(found, "KR", END)


@settings(max_examples=100, deadline=None)
@given(
    closes=st.lists(st.floats(0.01, 1e6), min_size=1, max_size=80),
    splits=st.dictionaries(st.integers(0, 79), st.sampled_from(["2", "0.5", "1.5", "10", "1.05"]), max_size=3),
    market=st.sampled_from(["US", "KR", "FX", "OTHER"]),
)
def test_mending_never_invents_a_close_and_says_whatever_it_does(
    closes: list[float], splits: dict[int, str], market: str
) -> None:
    days = tuple(dt.date(2026, 1, 1) + dt.timedelta(days=i) for i in range(len(closes)))
    prices = tuple(Decimal(repr(close)) for close in closes)
    events = {days[at]: Decimal(ratio) for at, ratio in splits.items() if at < len(days)}
    whole = History("AAPL", "USD", "yahoo", NOW, days, prices, tuple(closes), events)
    found, problems = mending.mended(whole, market, days[-1])
    assert found.dates
    assert set(found.dates) <= set(days)
    changed = (found.dates, found.closes, found.total_return) != (whole.dates, whole.closes, whole.total_return)
    assert not changed or problems
    again, _ = mending.mended(found, market, days[-1])
    assert set(again.dates) <= set(found.dates)


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
