"""History and fund facts: from the right source, once, and from the store when the sources fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import Future
from decimal import Decimal

import pytest

from engine.errors import MarketDataError, SymbolUnknown, Transient
from engine.market import research
from engine.market.catalogue import Listing, usual_pair
from engine.market.krx import Login, Run
from engine.quote import Batch, FetchedFacts, History
from tests.market.replay_server import Replay
from tests.market.replay_vendors import KRX_ID, KRX_PW, NOW, many
from tests.market.replayed import PATIENT, Replayed

START, END = dt.date(2026, 11, 16), dt.date(2026, 11, 20)


def history(market: Replayed, *symbols: str, seconds: float = PATIENT) -> Batch[History]:
    return market.research.history(symbols, START, END, now=NOW, deadline=seconds)


def facts(market: Replayed, *symbols: str, now: dt.datetime = NOW) -> Batch[FetchedFacts]:
    return market.research.facts(symbols, now=now, deadline=20)


def test_each_symbol_keeps_its_own_days_and_the_running_day_has_no_close(market: Replayed, replay: Replay) -> None:
    batch = history(market, "AAPL", "005930", "USDKRW")
    assert not batch.failed
    us, korean, rate = batch.ok["AAPL"], batch.ok["005930"], batch.ok["USDKRW"]
    assert us.dates[-1] == dt.date(2026, 11, 19)
    assert us.closes[-1] == Decimal("201.5")
    assert korean.dates[-1] == dt.date(2026, 11, 19), "Seoul is still trading on the 20th"
    assert (us.currency, korean.currency, rate.currency) == ("USD", "KRW", "KRW")
    assert us.total_return is not None
    assert us.total_return[-1] == pytest.approx(199.485)
    assert len(us.dates) == len(us.closes) == len(us.total_return)


def test_history_is_fetched_once_in_twelve_hours(market: Replayed, replay: Replay) -> None:
    history(market, "AAPL")
    replay.forget()
    again = history(market, "AAPL")
    assert (again.requests, replay.kinds()) == (0, [])
    assert again.ok["AAPL"].dates[0] >= START


def test_korean_history_comes_from_naver_where_yahoo_fails_without_a_login_or_a_process(
    market: Replayed, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    replay.fault("yahoo.*", "reset")
    batch = history(market, "005930", "069500")
    found = batch.ok["005930"]
    assert (found.source, found.closes[-1], found.total_return) == ("naver-charts", Decimal(71000), None)
    assert found.dates[-1] == dt.date(2026, 11, 19)
    assert found.dates[0] >= START
    assert batch.requests == len(replay.kinds())
    assert replay.kinds().count("naver.chart") == 2


def test_stored_history_is_used_with_a_problem_where_the_sources_fail(market: Replayed, replay: Replay) -> None:
    history(market, "AAPL")
    replay.fault("yahoo.*", "reset")
    later = NOW + dt.timedelta(days=2)
    batch = market.research.history(["AAPL", "ZZZZ"], START, END, now=later, deadline=5)
    assert batch.ok["AAPL"].closes[-1] == Decimal("201.5")
    assert [problem.code for problem in batch.problems] == ["stored-data"]
    assert isinstance(batch.failed["ZZZZ"], MarketDataError)


@pytest.mark.parametrize("ask", [history, facts])
def test_what_could_not_be_had_is_not_asked_for_at_every_recalculation(
    ask: Callable[..., Batch[object]], market: Replayed, replay: Replay
) -> None:
    first = ask(market, "ZZZZ").failed["ZZZZ"]
    replay.forget()
    again = ask(market, "ZZZZ", "AAPL")
    assert (type(again.failed["ZZZZ"]), str(again.failed["ZZZZ"])) == (type(first), str(first))
    assert "AAPL" in again.ok
    assert not any("ZZZZ" in seen.path or "ZZZZ" in str(seen.query) for seen in replay.log)


def test_after_five_minutes_or_on_demand_it_is_asked_for_again(market: Replayed, replay: Replay) -> None:
    def asked(later: float, *, refresh: bool = False) -> int:
        now = NOW + dt.timedelta(seconds=later)
        return market.research.facts(["ZZZZ"], now=now, deadline=20, refresh=refresh).requests

    assert asked(0)
    assert not asked(299)
    assert asked(10, refresh=True)
    assert asked(311)


def test_whoever_cannot_wait_finds_it_fetched_the_next_time(market: Replayed, replay: Replay) -> None:
    replay.hold()
    hasty = market.research.history(["AAPL"], START, END, now=NOW, deadline=PATIENT, wait=0.1)
    replay.release()
    assert isinstance(hasty.failed["AAPL"], Transient)
    assert "it goes on" in str(hasty.failed["AAPL"])
    assert "AAPL" in history(market, "AAPL").ok
    replay.forget()
    later = market.research.history(["AAPL"], START, END, now=NOW, deadline=PATIENT, wait=PATIENT)
    assert ("AAPL" in later.ok, replay.kinds()) == (True, [])


def test_the_cells_of_one_recalculation_wait_once(
    market: Replayed, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    class Hasty(Future[object]):
        def result(self, timeout: float | None = None) -> object:
            waits.append(timeout or 0.0)
            raise TimeoutError

    monkeypatch.setattr(research, "Future", Hasty)
    replay.hold()
    for symbol in ("AAPL", "SPY", "VTI", "QQQ"):
        market.research.history([symbol], START, END, now=NOW, deadline=0.5, wait=60)
    assert waits == [60, 0.1, 0.1, 0.1]


def test_whoever_cannot_wait_gets_what_is_stored(market: Replayed, replay: Replay) -> None:
    history(market, "AAPL")
    replay.hold()
    tomorrow = NOW + dt.timedelta(days=1)
    hasty = market.research.history(["AAPL"], START, END, now=tomorrow, deadline=20, wait=0.1)
    assert hasty.ok["AAPL"].closes[-1] == Decimal("201.5")
    assert [problem.code for problem in hasty.problems] == ["stored-data"]


def test_facts_that_came_before_a_refusal_are_kept_and_the_rest_is_not_asked_for(
    market: Replayed, replay: Replay
) -> None:
    us, _ = many()
    replay.fault_after(14, "yahoo.summary", 429)
    batch = facts(market, *us)
    assert (len(batch.ok), len(batch.failed)) == (14, 11)
    assert replay.kinds().count("yahoo.summary") == 15
    assert all(market.store.facts(symbol) for symbol in batch.ok)


def test_facts_of_a_us_fund_and_a_share(market: Replayed, replay: Replay) -> None:
    batch = facts(market, "SPY", "AAPL", "ZZZZ")
    fund, share = batch.ok["SPY"], batch.ok["AAPL"]
    assert (fund.fee, fund.aum, fund.dividend_yield) == (
        Decimal("0.000945"),
        Decimal("650000000000.0"),
        Decimal("0.0117"),
    )
    assert [(one.symbol, one.weight) for one in fund.top] == [("NVDA", Decimal("0.08"))]
    assert fund.sectors == {"technology": Decimal("0.35"), "healthcare": Decimal("0.1")}
    assert (share.sector, share.market_cap) == ("Technology", Decimal("3100000000000.0"))
    assert isinstance(batch.failed["ZZZZ"], SymbolUnknown)
    replay.forget()
    assert facts(market, "SPY", now=NOW + dt.timedelta(days=6)).requests == 0
    assert facts(market, "SPY", now=NOW + dt.timedelta(days=8)).requests > 0


def test_facts_of_a_korean_etf_need_no_login(market: Replayed, replay: Replay) -> None:
    found = facts(market, "069500").ok["069500"]
    assert (found.source, found.fee, found.aum) == ("naver", Decimal("0.0015"), Decimal(6123400000000))
    assert [(one.name, one.weight) for one in found.top] == [("삼성전자", Decimal("0.3276")), ("NVIDIA CORP", None)]
    assert (found.sectors, found.as_of) == ({"IT": Decimal("0.412")}, dt.date(2026, 11, 19))


def test_with_a_login_krx_adds_what_the_fund_holds(
    new_market: Callable[..., Replayed], helper: Run, replay: Replay
) -> None:
    found = facts(new_market(login=Login(KRX_ID, KRX_PW), run=helper), "069500").ok["069500"]
    assert (found.source, found.fee, found.holdings_count) == ("naver, krx", Decimal("0.0015"), 3)
    assert [(one.symbol, one.weight) for one in found.top[:2]] == [
        ("005930", Decimal("0.1653")),
        ("000660", Decimal("0.093")),
    ]


def test_a_name_outside_the_catalogue_is_found_in_the_list_of_etfs(market: Replayed, replay: Replay) -> None:
    name = "KODEX 삼성전자단일종목레버리지"
    assert market.chain.catalogue.find(name) is None
    batch = market.ask(name)
    assert batch.ok[name].symbol == "0193W0"
    assert replay.kinds().count("naver.list") == 1
    assert market.ask("없는 이름").failed
    assert replay.kinds().count("naver.list") == 1, "once a day"


def test_the_list_of_etfs_comes_from_krx_where_naver_fails(
    new_market: Callable[..., Replayed], helper: Run, replay: Replay
) -> None:
    replay.fault("naver.list", 403)
    batch = new_market(login=Login(KRX_ID, KRX_PW), run=helper).ask("KODEX 삼성전자단일종목레버리지")
    assert [quote.symbol for quote in batch.ok.values()] == ["0193W0"]


@pytest.mark.parametrize(
    ("one", "other", "pair"), [("KRW", "USD", "USDKRW"), ("USD", "EUR", "EURUSD"), ("JPY", "KRW", "JPYKRW")]
)
def test_a_rate_is_asked_for_the_way_markets_quote_it(one: str, other: str, pair: str) -> None:
    assert usual_pair(one, other) == usual_pair(other, one) == pair


@pytest.mark.parametrize(
    ("text", "symbol", "market_name", "yahoo"),
    [
        ("AAPL", "AAPL", "US", ("AAPL",)),
        ("brk.b", "BRK.B", "US", ("BRK-B",)),
        ("BRK-B", "BRK.B", "US", ("BRK-B",)),
        ("BRK/B", "BRK.B", "US", ("BRK-B",)),
        ("005930", "005930", "KR", ("005930.KS",)),
        ("A005930", "005930", "KR", ("005930.KS",)),
        ("247540.KQ", "247540", "KR", ("247540.KQ",)),
        ("0193w0", "0193W0", "KR", ("0193W0.KS", "0193W0.KQ")),
        ("삼성전자", "005930", "KR", ("005930.KS",)),
        ("TIGER US S&P500", "360750", "KR", ("360750.KS",)),
        ("USDKRW", "USDKRW", "FX", ("KRW=X",)),
        ("USD/KRW", "USDKRW", "FX", ("KRW=X",)),
        ("KRW=X", "USDKRW", "FX", ("KRW=X",)),
        ("EURKRW", "EURKRW", "FX", ("EURKRW=X",)),
        ("KRWUSD", "USDKRW", "FX", ("KRW=X",)),
        ("^GSPC", "^GSPC", "OTHER", ("^GSPC",)),
        ("7203.T", "7203.T", "OTHER", ("7203.T",)),
    ],
)
def test_a_text_means_one_listing(
    text: str, symbol: str, market_name: str, yahoo: tuple[str, ...], market: Replayed
) -> None:
    listing: Listing = market.chain.listing(text)
    assert (listing.symbol, listing.market, listing.yahoo) == (symbol, market_name, yahoo)


@pytest.mark.parametrize(
    ("text", "hint"), [("5930", "005930"), ("TIGER 미국S&P", "TIGER 미국S&P500 (360750)"), ("", "")]
)
def test_a_text_without_a_meaning_is_unknown_with_a_hint(text: str, hint: str, market: Replayed) -> None:
    with pytest.raises(SymbolUnknown, match="neither a code nor a name") as caught:
        market.chain.listing(text)
    assert hint in str(caught.value)
