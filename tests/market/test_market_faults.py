"""Every way in which a source fails: what the user sees, what the store holds after, how many requests were made."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.errors import (
    AuthFailed,
    AuthRequired,
    Blocked,
    MarketDataError,
    NoData,
    RateLimited,
    SchemaChanged,
    SymbolUnknown,
    Transient,
)
from engine.market.catalogue import Listing
from engine.market.krx import Krx, Login, Run, _child
from engine.market.krx_child import Tape
from engine.market.provider import Deadline, record
from tests.market.replay_server import Replay
from tests.market.replay_vendors import KRX_ID, KRX_PW, NOW, Share, many
from tests.market.replayed import PATIENT, SETTINGS, WRONG_PASSWORD, Replayed

SAMSUNG = Listing("005930", "KR", "KRW", "삼성전자", "KOSPI")
LATER = NOW + dt.timedelta(minutes=2)
#: Faults that end at the deadline alone, and how long they are waited for; the others are waited for until they end.
WAITED_OUT: dict[int | str, float] = {"hang": 0.5, "drip": 0.5}

#: fault of every Yahoo answer but the cookie: what is raised, requests at most, seconds the breaker stays open
YAHOO_DOWN = {
    429: (RateLimited, 2, 900),
    403: (Blocked, 2, 3600),
    404: (MarketDataError, 8, 0),
    401: (AuthFailed, 12, 900),
    502: (Transient, 5, 0),
    "html": (MarketDataError, 12, 0),
    "truncated": (Transient, 5, 0),
    "hang": (Transient, 3, 0),
    "drip": (Transient, 3, 0),
    "reset": (Transient, 5, 0),
}


@pytest.mark.usefixtures("first_alone")
@pytest.mark.parametrize("kind", YAHOO_DOWN)
def test_yahoo_down_shows_the_stored_price_and_says_why(kind: int | str, market: Replayed, replay: Replay) -> None:
    error, most, open_for = YAHOO_DOWN[kind]
    assert market.ask("AAPL").ok["AAPL"].price == Decimal("201.5")
    replay.forget()
    replay.fault("yahoo.crumb", kind)
    replay.fault("yahoo.quote", kind)
    replay.fault("yahoo.chart", kind)
    batch = market.ask("AAPL", "MSFT", now=LATER, deadline=WAITED_OUT.get(kind, PATIENT), refresh=True)
    assert batch.ok["AAPL"].price == Decimal("201.5")
    assert batch.ok["AAPL"].fetched_at == NOW
    assert not batch.ok["AAPL"].stale, "New York has not opened since it was fetched"
    assert [problem.code for problem in batch.problems] == ["stored-price"]
    assert isinstance(batch.failed["MSFT"], error)
    assert batch.failed["MSFT"].symbol == "MSFT"
    assert batch.requests == len(replay.kinds()) <= most
    assert set(market.store.quotes()) == {"AAPL"}
    breaker = next(iter(market.store.breakers().values()), None)
    assert ((breaker.until - LATER).total_seconds() if breaker else 0) == open_for


@pytest.mark.parametrize("kind", [404, 401, "html"])
def test_yahoo_without_its_batch_quote_is_asked_for_charts(kind: int | str, market: Replayed, replay: Replay) -> None:
    replay.fault("yahoo.quote", kind)
    batch = market.ask("AAPL", "USDKRW")
    assert {text: (quote.price, quote.currency) for text, quote in batch.ok.items()} == {
        "AAPL": (Decimal("201.5"), "USD"),
        "USDKRW": (Decimal("1402.5"), "KRW"),
    }
    assert batch.ok["AAPL"].as_of == replay.vendors.traded["America/New_York"]
    assert not batch.problems
    assert replay.kinds().count("yahoo.chart") == 2, "a chart for each"
    assert batch.requests == len(replay.kinds()) <= 12


def test_without_the_batch_quote_every_symbol_is_still_had_and_no_second_opinion(
    market: Replayed, replay: Replay
) -> None:
    us, korean = many()
    replay.fault("yahoo.quote", 404)
    batch = market.ask(*us[:12], *korean, deadline=PATIENT)
    assert not batch.failed
    assert replay.kinds().count("yahoo.chart") == 12, "Korean prices are Naver's: not one chart for them"


def test_a_lost_crumb_is_fetched_anew(market: Replayed, replay: Replay) -> None:
    market.ask("AAPL")
    replay.vendors.crumb = "another"
    replay.forget()
    batch = market.ask("AAPL", now=LATER, refresh=True)
    assert batch.ok["AAPL"].fetched_at == LATER
    assert not batch.problems
    assert replay.kinds() == ["yahoo.quote", "yahoo.crumb", "yahoo.quote"]


@pytest.mark.usefixtures("first_alone")
def test_a_refusal_is_remembered_by_the_next_process_and_waits_longer_each_time(
    new_market: Callable[..., Replayed], replay: Replay
) -> None:
    replay.fault("yahoo.quote", 429)
    first = new_market().ask("AAPL")
    assert isinstance(first.failed["AAPL"], RateLimited)
    assert replay.kinds() == ["yahoo.cookie", "yahoo.crumb", "yahoo.quote"], "one refusal ends every retry"
    replay.forget()
    again = new_market().ask("AAPL", now=NOW + dt.timedelta(minutes=14))
    assert again.requests == len(replay.kinds()) == 0
    assert isinstance(again.failed["AAPL"], RateLimited)
    assert again.failed["AAPL"].retry_after == 60
    waits = []
    for _ in range(3):
        breaker = new_market().store.breakers()["yahoo"]
        new_market().ask("AAPL", now=breaker.until)
        waits.append((new_market().store.breakers()["yahoo"].until - breaker.until).total_seconds() / 60)
    assert waits == [30, 60, 60]
    replay.faults.clear()
    healed = new_market()
    assert healed.ask("AAPL", now=healed.store.breakers()["yahoo"].until).ok
    assert not healed.store.breakers()


def test_a_source_that_says_when_is_not_asked_before(market: Replayed, replay: Replay) -> None:
    replay.fault("yahoo.quote", 429, **{"Retry-After": "7200"})
    market.ask("AAPL")
    assert (market.store.breakers()["yahoo"].until - NOW).total_seconds() == 7200


NAVER_DOWN = {429: 900, 403: 3600, 404: 0, 401: 0, 502: 0, "html": 0, "truncated": 0, "hang": 0, "drip": 0, "reset": 0}


@pytest.mark.parametrize("kind", NAVER_DOWN)
def test_naver_down_leaves_korean_prices_to_the_next_source(kind: int | str, market: Replayed, replay: Replay) -> None:
    replay.fault("naver.*", kind)
    market.yahoo_ready()
    batch = market.ask("005930", deadline=3 * WAITED_OUT.get(kind, PATIENT))
    quote = batch.ok["005930"]
    assert (quote.price, quote.currency) == (Decimal(71000), "KRW")
    assert quote.source == "yahoo"
    assert quote.delay_seconds == 1200
    assert not quote.stale
    assert batch.requests == len(replay.kinds())
    assert replay.kinds().count("naver.quotes") <= 2
    assert market.store.quotes()["005930"][1].source == "yahoo"
    breaker = market.store.breakers().get("naver")
    assert ((breaker.until - NOW).total_seconds() if breaker else 0) == NAVER_DOWN[kind]


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_everything_down_ends_at_the_deadline_with_an_error_for_every_symbol(
    kind: str, market: Replayed, replay: Replay
) -> None:
    for vendor in ("yahoo", "naver", "naver-rates", "naver-world", "ecb", "frankfurter", "cnbc"):
        replay.fault(f"{vendor}.*", kind)
    market.yahoo_ready()
    batch = market.ask("AAPL", "005930", "USDKRW", deadline=0.6)
    assert replay.waited_out == 0  # a drip that is waited for ends in prices
    assert set(batch.failed) == {"AAPL", "005930", "USDKRW"}
    assert all(isinstance(error, Transient) for error in batch.failed.values())
    assert not market.store.quotes()


def test_a_missing_last_close_gives_the_close_before_with_its_own_date(market: Replayed, replay: Replay) -> None:
    replay.fault("yahoo.quote", 404)
    replay.vendors.change("AAPL", last_close_missing=True)
    quote = market.ask("AAPL").ok["AAPL"]
    assert quote.price == Decimal("199.485")
    assert quote.as_of == dt.datetime(2026, 11, 18, 21, 0, tzinfo=dt.UTC)
    assert str(quote.stale_reason) == (
        "last traded 2026-11-18; half-known: the calendar has US open on 2026-11-19, no trade was seen"
    )


@pytest.mark.usefixtures("first_alone")
@pytest.mark.parametrize("path", ["batch quote", "chart"])
def test_a_price_in_another_currency_is_not_used(path: str, market: Replayed, replay: Replay) -> None:
    replay.vendors.change("AAPL", currency="EUR")
    if path == "chart":
        replay.fault("yahoo.quote", 404)
    batch = market.ask("AAPL", "MSFT")
    assert isinstance(batch.failed["AAPL"], SchemaChanged)
    assert str(batch.failed["AAPL"]) == "yahoo gives AAPL in EUR, not in USD: its price is not used"
    assert "MSFT" in batch.ok
    assert set(market.store.quotes()) == {"MSFT"}


def test_a_renamed_symbol_is_not_taken_for_its_successor(market: Replayed, replay: Replay) -> None:
    replay.vendors.change("AAPL", shown_as="APPL2")
    batch = market.ask("AAPL", "MSFT")
    assert isinstance(batch.failed["AAPL"], SymbolUnknown)
    assert "yahoo now calls AAPL APPL2" in str(batch.failed["AAPL"])
    assert "MSFT" in batch.ok
    assert set(market.store.quotes()) == {"MSFT"}


def test_half_the_batch_missing_is_fetched_one_by_one(market: Replayed, replay: Replay) -> None:
    replay.vendors.dropped = {"AAPL", "QQQ", "005930", "005930.KS"}
    batch = market.ask("AAPL", "MSFT", "QQQ", "SPY", "005930", "000660")
    assert set(batch.ok) == {"AAPL", "MSFT", "QQQ", "SPY", "005930", "000660"}
    assert batch.ok["005930"].source == "yahoo"
    assert not batch.failed
    assert batch.requests == len(replay.kinds())
    assert replay.kinds().count("yahoo.chart") == 3
    assert replay.kinds().count("yahoo.quote") == 2, "once more for the Korean one that nobody had"


@pytest.mark.usefixtures("first_alone")
def test_most_of_a_batch_missing_is_not_fetched_one_by_one(market: Replayed, replay: Replay) -> None:
    us, _ = many()
    replay.vendors.dropped = set(us[:20])
    batch = market.ask(*us)
    assert len(batch.ok) == 5 + 8
    assert all(isinstance(error, NoData) for error in batch.failed.values())
    assert replay.kinds().count("yahoo.chart") == 8


def test_an_unknown_symbol_is_asked_for_once_a_day(market: Replayed, replay: Replay) -> None:
    first = market.ask("ZZZZ", "999999", "AAPL")
    assert {text: type(error) for text, error in first.failed.items()} == dict.fromkeys(
        ("ZZZZ", "999999"), SymbolUnknown
    )
    assert first.requests == len(replay.kinds()) <= 8, "a 404 must not cost yfinance's ten further requests"
    replay.forget()
    again = market.ask("ZZZZ", "999999", now=NOW + dt.timedelta(hours=23))
    assert again.requests == len(replay.kinds()) == 0
    assert isinstance(again.failed["ZZZZ"], SymbolUnknown)
    assert market.ask("ZZZZ", now=NOW + dt.timedelta(hours=25)).requests > 0
    assert market.ask("ZZZZ", refresh=True).requests > 0


def test_a_source_ahead_of_our_clock_makes_the_price_stale_and_is_a_problem(market: Replayed, replay: Replay) -> None:
    replay.date_shift = 3 * 3600
    replay.vendors.traded = {zone: at + dt.timedelta(hours=3) for zone, at in replay.vendors.traded.items()}
    batch = market.ask("005930", "USDKRW")
    assert str(batch.ok["005930"].stale_reason) == "its time is 3 h ahead of this computer's clock: check the clock"
    assert batch.ok["USDKRW"].stale
    assert [(p.code, str(p.message)) for p in batch.problems] == [
        ("clock-skew", "this computer's clock is 180 min behind the sources': set it right")
    ]


def test_two_sources_three_percent_apart_are_a_problem_from_the_store_too(market: Replayed, replay: Replay) -> None:
    replay.vendors.naver_prices = {"005930": "74000", "000660": "189000"}
    for _ in range(2):
        batch = market.ask("005930", "000660")
        assert batch.ok["005930"].price == Decimal(74000)
        (problem,) = batch.problems
        assert (problem.severity, problem.code, problem.where) == ("warning", "sources-disagree", "005930")
        assert "naver says 74000 and yahoo 71000 KRW, 4.1% apart" in str(problem.message)
    assert replay.kinds().count("naver.quotes") == 1


def test_a_code_under_another_name_is_a_problem(market: Replayed, replay: Replay) -> None:
    replay.vendors.naver_names = {"360750": "KODEX 인버스"}
    (problem,) = market.ask("360750", "005930").problems
    assert (problem.code, problem.where) == ("name-mismatch", "360750")
    assert "naver calls 360750 KODEX 인버스, not TIGER 미국S&P500" in str(problem.message)


def test_a_halted_share_is_a_problem(market: Replayed, replay: Replay) -> None:
    replay.vendors.halted = {"005930"}
    (problem,) = market.ask("005930").problems
    assert (problem.code, problem.where) == ("trading-halted", "005930")


def test_the_session_of_an_after_market_price_is_kept(market: Replayed, replay: Replay) -> None:
    evening = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
    replay.vendors.naver_session = "afterMarket"
    replay.vendors.traded["Asia/Seoul"] = evening - dt.timedelta(minutes=1)
    first = market.ask("005930", now=evening).ok["005930"]
    assert (first.session, first.stale) == ("after", False)
    assert market.store.quotes()["005930"][1].session == "after"


def test_a_deadline_of_nothing_is_kept(market: Replayed, replay: Replay) -> None:
    batch = market.ask("AAPL", deadline=0.0)
    assert isinstance(batch.failed["AAPL"], Transient)
    assert not replay.kinds()


def left_to_krx(replay: Replay) -> None:
    replay.fault("naver.*", "reset")
    replay.fault("yahoo.*", "reset")


@pytest.mark.slow
def test_krx_that_shuts_us_out_says_so_and_is_left_alone_for_a_day(
    new_market: Callable[..., Replayed], replay: Replay
) -> None:
    left_to_krx(replay)
    replay.fault("krx.data", 403)
    market = new_market(login=Login(KRX_ID, KRX_PW))
    batch = market.ask("005930")
    assert "krx has shut this address out" in str(batch.failed["005930"])
    assert batch.requests == len(replay.kinds())
    assert not market.store.quotes()
    assert (market.store.breakers()["krx"].until - NOW).total_seconds() == 86400


#: what the helper process tells: what becomes of it, the hours for which KRX is left alone
KRX_TELLS = {
    "Transient": (Transient, "krx failed or could not be reached", 0),
    "SchemaChanged": (SchemaChanged, "krx answered with something that is not its data", 0),
    "AuthRequired": (AuthRequired, "krx wants a login: set KRX_ID", 0),
    "AuthFailed": (AuthFailed, "krx refused the login", 24),
    "PasswordChange": (AuthFailed, "krx wants the password changed", 24),
    "RateLimited": (RateLimited, "krx asks for fewer requests", 24),
    "Blocked": (Blocked, "krx has shut this address out", 24),
    "ZeroDivisionError": (SchemaChanged, "krx failed (ZeroDivisionError)", 0),
}


@pytest.mark.parametrize("kind", KRX_TELLS)
def test_each_failure_of_the_helper_process_is_told(kind: str, new_market: Callable[..., Replayed]) -> None:
    error, said, hours = KRX_TELLS[kind]
    market = new_market(login=Login(KRX_ID, KRX_PW), run=lambda _job, _deadline: {"error": kind, "requests": 3})
    (failed,) = (answer := market.market.krx.quotes([SAMSUNG], now=NOW, deadline=Deadline(1))).failed.values()
    assert (type(failed), said in str(failed), answer.requests) == (error, True, 3)
    record(market.store, "krx", failed, NOW)
    breaker = market.store.breakers().get("krx")
    assert ((breaker.until - NOW).total_seconds() / 3600 if breaker else 0) == hours


def test_a_helper_process_that_ends_without_an_answer_is_told() -> None:
    krx = Krx(lambda: Login(KRX_ID, KRX_PW))
    krx.run = lambda job, deadline: _child({**job, "task": None, "seconds": "soon"}, deadline)
    answer = krx.quotes([SAMSUNG], now=NOW, deadline=Deadline(PATIENT))
    assert str(answer.failed["005930"]) == "krx: the helper process ended without an answer"


@dataclasses.dataclass
class Page:
    """An answer as `requests` has it."""

    status_code: int = 200
    text: str = "{}"
    url: str = "https://data.krx.co.kr/comm/bldAttendant/getJsonData.cmd"


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (Page(), ""),
        (Page(429), "RateLimited"),
        (Page(403), "Blocked"),
        (Page(404), "SchemaChanged"),
        (Page(401), "AuthRequired"),
        (Page(502), "Transient"),
        (Page(400, "LOGOUT"), "AuthRequired"),
        (Page(200, "<html>"), "SchemaChanged"),
        (Page(200, "<html>", "https://data.krx.co.kr/"), ""),
    ],
)
def test_the_first_refusal_is_kept_of_what_krx_answers(page: Page, kind: str) -> None:
    tape = Tape(1)
    tape._note(page)
    tape._note(Page(500) if kind else Page())
    assert tape.error == kind


@pytest.mark.slow
def test_a_refused_login_is_posted_once_a_day(new_market: Callable[..., Replayed], replay: Replay) -> None:
    left_to_krx(replay)
    replay.vendors.login_code = "CD010"
    market = new_market(login=Login(KRX_ID, WRONG_PASSWORD))
    first = market.ask("005930", "000660")
    assert isinstance(first.failed["005930"], AuthFailed)
    assert "krx wants the password changed" in str(first.failed["005930"])
    again = market.ask("005930", now=NOW + dt.timedelta(hours=23))
    assert isinstance(again.failed["005930"], AuthFailed)
    assert replay.vendors.logins == [(KRX_ID, WRONG_PASSWORD)]


@pytest.mark.slow
def test_krx_serves_what_the_other_sources_cannot(
    new_market: Callable[..., Replayed], helper: Run, replay: Replay
) -> None:
    replay.fault("naver.*", 502)
    replay.fault("yahoo.*", 502)
    market = new_market(login=Login(KRX_ID, KRX_PW), run=helper)
    batch = market.ask("005930", "069500", "0193W0")
    assert {text: (quote.price, quote.source, quote.stale) for text, quote in batch.ok.items()} == {
        "005930": (Decimal(71000), "krx", False),
        "069500": (Decimal(42965), "krx", False),
        "0193W0": (Decimal(9875), "krx", False),
    }


def test_a_symbol_that_naver_does_not_know_waits_for_yahoo(new_market: Callable[..., Replayed], replay: Replay) -> None:
    market = new_market(settings=dataclasses.replace(SETTINGS, cross_check_wait=0.0))
    replay.latency = 0.02
    replay.vendors.dropped = {"005930"}
    assert market.ask("005930").ok["005930"].source == "yahoo"


#: each batch, what is asked, and which figure of it is written with 5,000 digits
LONG = {
    "yahoo.quote": (("AAPL", "MSFT"), b'"exchangeDataDelayedBy": 0'),
    "naver.quotes": (("005930", "000660"), b'"delayTime": 0'),
}


@pytest.mark.parametrize("kind", LONG)
def test_a_number_of_thousands_of_digits_costs_nobody_a_price(kind: str, market: Replayed, replay: Replay) -> None:
    symbols, figure = LONG[kind]

    def twisted(body: bytes) -> bytes:
        assert figure in body
        return body.replace(figure, figure[:-1] + b"9" * 5000)

    replay.vendors.twisted = {kind: twisted}
    batch = market.ask(*symbols)
    assert (set(batch.ok), dict(batch.failed)) == (set(symbols), {})
    assert {quote.source for quote in batch.ok.values()} == {kind.partition(".")[0]}


def test_a_price_of_thousands_of_digits_costs_its_own_symbol_alone(market: Replayed, replay: Replay) -> None:
    replay.vendors.twisted = {"yahoo.quote": lambda body: body.replace(b"201.5,", b"9" * 5000 + b",")}
    replay.fault("naver-world.*", 404)
    replay.fault("cnbc.*", 404)
    batch = market.ask("AAPL", "MSFT", "USDKRW")
    assert (set(batch.ok), set(batch.failed)) == ({"MSFT", "USDKRW"}, {"AAPL"})


def test_a_korean_question_gets_its_second_opinion_without_yfinance(
    new_market: Callable[..., Replayed], replay: Replay
) -> None:
    market = new_market(settings=dataclasses.replace(SETTINGS, cross_check_wait=PATIENT))
    replay.vendors.naver_prices = {"005930": "74800"}
    batch = market.ask("005930", "247540")
    assert [quote.source for quote in batch.ok.values()] == ["naver", "naver"]
    assert batch.ok["005930"].doubt
    assert sorted(replay.kinds()) == ["naver.quotes", "yahoo.spark"]
    assert not market.market.yahoo._ready, "importing it takes longer than the answer"


def test_a_korean_question_does_not_wait_for_a_second_opinion_that_hangs(
    new_market: Callable[..., Replayed], replay: Replay
) -> None:
    market = new_market(settings=dataclasses.replace(SETTINGS, cross_check_wait=0.2))
    replay.fault("yahoo.*", "hang")
    started = time.monotonic()
    batch = market.ask("005930", deadline=20)
    assert not batch.failed
    assert time.monotonic() - started < PATIENT / 3
    replay.released.set()


#: a symbol, its unit as Yahoo says it, its price there, and ours
UNITS = [("LSEG.L", "GBp", 9842.0, "98.42", "GBP"), ("NOVO-B.CO", "DKK", 312.5, "312.5", "DKK"),
         ("NPN.JO", "ZAc", 412300.0, "4123", "ZAR"), ("TEVA.TA", "ILA", 6105.0, "61.05", "ILS")]  # fmt: skip


@pytest.mark.parametrize(("symbol", "unit", "there", "price", "currency"), UNITS)
def test_prices_in_hundredths_become_prices_in_their_currency(
    symbol: str, unit: str, there: float, price: str, currency: str, market: Replayed, replay: Replay
) -> None:
    replay.vendors.shares[symbol] = Share(symbol, there, unit)
    quote = market.ask(symbol).ok[symbol]
    assert (quote.price, quote.currency) == (Decimal(price), currency)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_where_yahoo_hangs_the_second_sources_have_time_too(kind: str, market: Replayed, replay: Replay) -> None:
    market.yahoo_ready()
    replay.fault("yahoo.*", kind)
    batch = market.ask("AAPL", "USDKRW", deadline=2)
    assert {quote.source for quote in batch.ok.values()} == {"naver-world", "naver-rates"}
    replay.released.set()
