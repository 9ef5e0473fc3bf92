"""A wrong price is not traded on: what makes one doubtful, who settles it, and what a person sees."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.market import doubts
from engine.market.catalogue import Listing
from engine.quote import Quote
from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW
from tests.market.replayed import SETTINGS, Replayed

LATER = NOW + dt.timedelta(minutes=2)
SECONDS = ("naver-world.*", "naver-rates.*", "ecb.*", "frankfurter.*", "cnbc.*")


def alone(replay: Replay) -> None:
    """Take the second sources away."""
    for source in SECONDS:
        replay.fault(source, 404)


def doubt(market: Replayed, symbol: str, now: dt.datetime = LATER) -> str:
    """Return what is said against a symbol's price, with the problem that is shown."""
    batch = market.ask(symbol, now=now, refresh=True)
    quote = batch.ok[symbol]
    told = [str(problem.message) for problem in batch.problems if problem.code == "doubtful"]
    assert told == ([str(quote.doubt)] if quote.doubt else [])
    return "".join(told)


#: by how much Yahoo's price is suddenly another, and what is said to be the likely cause
WRONG = {
    10: "10 times apart: a split (10:1), a slipped decimal point",
    0.1: "10 times apart: a split (10:1), a slipped decimal point",
    100: "100 times apart",
    0.05: "20 times apart: a split",
    0.7: "a move of -30.0%, more than its market makes",
    1.35: "a move of +35.0%",
}


@pytest.mark.parametrize("times", WRONG)
def test_a_us_price_that_nobody_confirms_is_doubtful(times: float, market: Replayed, replay: Replay) -> None:
    alone(replay)
    assert not market.ask("AAPL").ok["AAPL"].doubt
    replay.vendors.change("AAPL", price=round(201.5 * times, 4))
    said = doubt(market, "AAPL")
    assert "yahoo said on 2026-11-19 201.5" in said
    assert WRONG[times] in said
    assert f"--accept AAPL={round(201.5 * times, 4)}" in said
    assert doubt(market, "AAPL", LATER + dt.timedelta(minutes=2)) == said, (
        "the wrong price is not the measure of itself"
    )
    replay.vendors.change("AAPL", price=203.0)
    assert not doubt(market, "AAPL", LATER + dt.timedelta(minutes=4))


@pytest.mark.parametrize("times", [10, 0.1, 0.7, 1.35])
def test_what_a_second_source_confirms_is_not_doubtful(times: float, market: Replayed, replay: Replay) -> None:
    market.ask("AAPL")
    replay.forget()
    replay.vendors.change("AAPL", price=201.5 * times)
    assert not doubt(market, "AAPL")
    assert replay.kinds() == ["yahoo.quote", "naver-world.quotes"]


def test_a_second_source_that_knows_nothing_leaves_it_to_the_next(market: Replayed, replay: Replay) -> None:
    market.ask("BRK.B")
    replay.vendors.dropped_second = {"BRK-B"}
    replay.vendors.change("BRK-B", price=48.81)
    assert not doubt(market, "BRK.B")
    assert market.store.quotes("check")["BRK.B"][1].source == "cnbc"


def test_a_source_that_was_never_tried_live_does_not_stop_a_price_within_its_limits(
    market: Replayed, replay: Replay
) -> None:
    market.ask("AAPL")
    replay.vendors.second = {"AAPL": 20.15}
    replay.vendors.change("AAPL", price=205.0)
    assert not doubt(market, "AAPL")


@pytest.mark.parametrize("times", [10, 0.1, 100, 0.01])
def test_a_rate_is_held_against_the_last_one(times: float, market: Replayed, replay: Replay) -> None:
    alone(replay)
    market.ask("USDKRW")
    replay.vendors.change("KRW=X", price=1402.5 * times)
    assert "times apart: a slipped decimal point" in doubt(market, "USDKRW")


def test_a_rate_without_any_history_is_held_against_its_order_of_magnitude(market: Replayed, replay: Replay) -> None:
    replay.vendors.change("KRW=X", price=140.25)
    replay.vendors.second = {"FX_USDKRW": 1402.5}
    said = doubt(market, "USDKRW", NOW)
    assert "it is usually about 1,400" in said
    assert set(replay.kinds()) >= {"naver-rates.quotes", "ecb.quotes"}


@pytest.mark.parametrize("gone", [(), ("naver-rates.*",)])
def test_a_rate_that_a_central_bank_or_naver_confirms_is_not_doubtful(
    gone: tuple[str, ...], market: Replayed, replay: Replay
) -> None:
    market.ask("USDKRW")
    for source in gone:
        replay.fault(source, 404)
    replay.vendors.change("KRW=X", price=1640.0)
    replay.vendors.second = {"FX_USDKRW": 1640.0}
    replay.vendors.per_euro["KRW"] = 1640.0 * 1.084
    assert not doubt(market, "USDKRW")


def test_korean_sources_far_apart_about_one_session_are_doubtful(market: Replayed, replay: Replay) -> None:
    replay.vendors.naver_prices = {"005930": "74800", "000660": "194000"}
    batch = market.ask("005930", "000660")
    assert "naver says 74,800 KRW, but yahoo says 71,000: the sources disagree" in str(batch.ok["005930"].doubt)
    assert not batch.ok["000660"].doubt, "3.7 % is worth a word, not a stop"


def test_a_korean_price_that_yahoo_confirms_is_not_doubtful(market: Replayed, replay: Replay) -> None:
    market.ask("005930")
    replay.vendors.change("005930.KS", price=7100)
    assert not doubt(market, "005930")


def yahoo_silent(replay: Replay, *codes: str) -> None:
    replay.vendors.dropped |= {f"{code}{suffix}" for code in codes for suffix in (".KS", ".KQ")}


#: a Korean code, by how much its price moves in a session, whether that is doubtful
KOREAN = [
    ("005930", 1.29, False),
    ("005930", 0.71, False),
    ("005930", 1.31, True),
    ("005930", 0.69, True),
    ("0193W0", 1.55, False),
    ("0193W0", 1.65, True),
    ("0193W0", 0.45, False),
    ("0193W0", 0.35, True),
]


@pytest.mark.parametrize(("code", "times", "wrong"), KOREAN)
def test_the_limit_of_the_day_is_the_exchange_s(
    code: str, times: float, *, wrong: bool, market: Replayed, replay: Replay
) -> None:
    yahoo_silent(replay, code)
    market.ask(code)
    replay.vendors.naver_prices = {code: f"{float(market.store.quotes()[code][1].price) * times:.0f}"}
    assert bool(doubt(market, code)) is wrong


def test_a_doubtful_price_is_kept_as_such_by_the_store_and_the_next_process(
    new_market: Callable[..., Replayed], replay: Replay
) -> None:
    alone(replay)
    new_market().ask("AAPL")
    replay.vendors.change("AAPL", price=2015.0)
    said = doubt(new_market(), "AAPL")
    replay.forget()
    stored = new_market().ask("AAPL", now=LATER)
    assert (str(stored.ok["AAPL"].doubt), replay.kinds()) == (said, [])


def test_sources_that_are_missing_are_stood_in_for(market: Replayed, replay: Replay) -> None:
    replay.fault("yahoo.*", 502)
    batch = market.ask("AAPL", "SPY", "USDKRW", "EURKRW")
    assert {text: (quote.price, quote.source) for text, quote in batch.ok.items()} == {
        "AAPL": (Decimal("201.50"), "naver-world"),
        "SPY": (Decimal("601.00"), "naver-world"),
        "USDKRW": (Decimal("1402.5"), "naver-rates"),
        "EURKRW": (Decimal("1520.25"), "naver-rates"),
    }
    assert batch.requests == len(replay.kinds())


def test_a_month_later_a_price_may_have_moved() -> None:
    before = Quote("AAPL", Decimal(100), "USD", NOW - dt.timedelta(days=30), "yahoo")
    one = Listing("AAPL", "US", "USD")
    for price, wrong in ((180, False), (55, False), (310, True), (30, True)):
        now = dataclasses.replace(before, price=Decimal(price), as_of=NOW)
        assert bool(doubts.judged(one, now, before, None, SETTINGS).doubt) is wrong


def test_a_price_seen_for_the_first_time_is_held_against_the_close_before(market: Replayed, replay: Replay) -> None:
    alone(replay)
    replay.vendors.previous = {"AAPL": 60.0}
    assert "the close before was 60" in doubt(market, "AAPL", NOW)


def test_what_yahoo_says_split_is_the_cause_that_is_told(market: Replayed, replay: Replay) -> None:
    alone(replay)
    market.ask("AAPL")
    replay.vendors.change("AAPL", price=20.15)
    day = dt.date(2026, 11, 19)
    replay.vendors.closes["AAPL"] = ([dt.date(2026, 11, 18), day], [20.1, 20.15], {"split": (day, 10, 1)})
    said = doubt(market, "AAPL")
    assert "10 new shares for 1 old ones since 2026-11-19, says a source: the quantity changes too" in said
    told = market.ask("AAPL", now=LATER)
    assert [problem.code for problem in told.problems] == ["doubtful", "split-recent"]


def test_a_split_that_a_second_source_confirms_is_told_for_two_weeks(market: Replayed, replay: Replay) -> None:
    market.ask("AAPL")
    replay.vendors.change("AAPL", price=20.15)
    told = market.ask("AAPL", now=LATER, refresh=True)
    (problem,) = told.problems
    assert (problem.code, str(problem.where)) == ("split-recent", "AAPL")
    assert "looks like a split on 2026-11-19 (10 new shares for 1 old ones)" in str(problem.message)
    for days, codes in ((10, ["split-recent"]), (20, [])):
        moment = NOW + dt.timedelta(days=days)
        replay.vendors.traded["America/New_York"] = moment
        assert [one.code for one in market.ask("AAPL", now=moment, refresh=True).problems] == codes


def test_a_split_in_a_stored_history_is_told_with_the_price(market: Replayed, replay: Replay) -> None:
    day = dt.date(2026, 11, 17)
    days = [day - dt.timedelta(days=1), day, dt.date(2026, 11, 18), dt.date(2026, 11, 19)]
    replay.vendors.closes["AAPL"] = (days, [200.0, 201.0, 201.2, 201.5], {"split": (day, 3, 2)})
    market.research.history(["AAPL"], days[0], days[-1], now=NOW)
    (problem,) = market.ask("AAPL").problems
    assert str(problem.message).startswith("3 new shares for 2 old ones since 2026-11-17")


#: a Korean code, what part of its offer it is worth on its first day, whether that is doubtful
FIRST_DAYS = [("005930", 3.9, False), ("005930", 4.2, True), ("005930", 0.55, True), ("069500", 1.5, True)]


@pytest.mark.parametrize(("code", "times", "wrong"), FIRST_DAYS)
def test_on_its_first_day_a_korean_share_has_limits_of_its_own(
    code: str, times: float, *, wrong: bool, market: Replayed, replay: Replay
) -> None:
    replay.vendors.listed_on = {f"{code}.KS": NOW}
    share = replay.vendors.shares[f"{code}.KS"]
    replay.vendors.previous = {share.symbol: share.price / times}
    replay.fault("naver.*", 404)
    market.ask("AAPL")  # with the batch quote, which names the first day
    assert bool(doubt(market, code, NOW)) is wrong


def test_on_its_first_day_a_share_is_held_against_nothing(market: Replayed, replay: Replay) -> None:
    replay.vendors.listed_on = {"AAPL": replay.vendors.traded["America/New_York"]}
    replay.vendors.previous = {"AAPL": 60.0}
    assert not doubt(market, "AAPL", NOW)
    assert "naver-world.quotes" not in replay.kinds()


def test_a_pair_the_other_way_round_is_told_as_one(market: Replayed, replay: Replay) -> None:
    alone(replay)
    replay.vendors.change("KRW=X", price=0.00072)
    assert "it is usually about 1,400: the pair the other way round" in doubt(market, "USDKRW", NOW)
