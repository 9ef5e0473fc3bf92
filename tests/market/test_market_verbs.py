"""`rebalancer quotes`, `rebalancer doctor` and `rebalancer plan` on live prices, as a user runs them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.market import chain, krx
from engine.market.calendars import last_opened
from tests.market.replay_server import Replay
from tests.market.replay_vendors import KRX_ID, Share
from tests.market.replayed import SAID, WRONG_PASSWORD, forget_yahoo
from xl_addin.cli import main

#: Every request of every source.
SOURCES = ("yahoo.*", "naver.*", "naver-world.*", "naver-rates.*", "ecb.*", "frankfurter.*", "cnbc.*")


@pytest.fixture
def run(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run a command in a fresh cache; the vendors trade up to this moment, by the real calendar."""
    monkeypatch.setenv("REBALANCER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("REBALANCER_HEADLESS_DEADLINE", "30")
    monkeypatch.setenv("NO_COLOR", "1")
    forget_yahoo()
    now = dt.datetime.now(dt.UTC)
    zones = {"Asia/Seoul": "KR", "America/New_York": "US"}
    for zone, market in zones.items():
        replay.vendors.traded[zone] = min(last_opened(market, now).close.astimezone(dt.UTC), now)
    replay.vendors.traded["Europe/London"] = now

    def command(*arguments: str) -> tuple[int, str, str]:
        status = main([*arguments, "--lang", "en"])
        out, err = capfd.readouterr()
        SAID.append(out + err)
        return status, out, err

    chain.default.cache_clear()
    yield command
    chain.default().store.close()
    chain.default.cache_clear()


def document(text: str) -> Any:
    return json.loads(text)


def test_quotes_tell_price_source_and_time(run: Callable[..., tuple[int, str, str]], replay: Replay) -> None:
    status, out, err = run("quotes", "AAPL", "TIGER 미국S&P500", "USDKRW")
    assert status == 0, out + err
    rows = [line.split() for line in out.splitlines()]
    assert rows[2][0:3] == ["AAPL", "Apple", "$201.50"]
    assert rows[3][0] == "360750"
    assert "₩21,035" in rows[3]
    assert [row[-1] for row in rows[2:]] == ["fresh"] * 3


def test_quotes_as_json_is_the_documented_object(run: Callable[..., tuple[int, str, str]], replay: Replay) -> None:
    status, out, err = run("quotes", "005930", "ZZZZ", "--json")
    told = document(out)
    assert (status, err) == (3, "")
    assert set(told) == {"quotes", "failed", "requests", "problems"}
    (quote,) = told["quotes"]
    assert list(quote) == [
        "symbol",
        "name",
        "price",
        "currency",
        "as_of",
        "session",
        "source",
        "delay_seconds",
        "fetched_at",
        "stale",
        "stale_reason",
    ]
    assert (quote["symbol"], quote["price"], quote["currency"], quote["stale"]) == ("005930", 71000, "KRW", False)
    assert [(one["symbol"], one["error"]) for one in told["failed"]] == [("ZZZZ", "SymbolUnknown")]
    assert told["requests"] == len(replay.kinds())


def test_stale_quotes_are_status_three_with_the_reason(
    run: Callable[..., tuple[int, str, str]], replay: Replay
) -> None:
    replay.vendors.traded["Asia/Seoul"] -= dt.timedelta(days=10)
    status, out, _ = run("quotes", "005930")
    assert status == 3
    assert "STALE" in out
    assert "last traded" in out


def test_the_store_can_be_seen_and_cleared(run: Callable[..., tuple[int, str, str]], replay: Replay) -> None:
    run("quotes", "AAPL")
    status, out, _ = run("quotes", "--store")
    assert status == 0
    assert "market.sqlite3" in out
    assert "quotes 1" in out
    assert "AAPL" in out
    assert run("quotes", "--clear")[0] == 0
    told = document(run("quotes", "--store", "--json")[1])
    assert set(told["counts"].values()) == {0}
    assert run("quotes", "AAPL", "--offline")[0] == 3


def test_quotes_of_nothing_is_bad_input(run: Callable[..., tuple[int, str, str]], replay: Replay) -> None:
    status, _, err = run("quotes")
    assert status == 2
    assert "name at least one symbol" in err


def test_doctor_tries_every_source(run: Callable[..., tuple[int, str, str]], replay: Replay) -> None:
    status, out, _ = run("doctor", "--live", "--json")
    checks = {one["check"]: one for one in document(out)["checks"]}
    assert status == 0, out
    assert {
        name: checks[name]["status"]
        for name in checks
        if name.startswith(("yahoo", "naver", "krx", "ecb", "frankfurter", "cnbc"))
    } == {
        "yahoo: US price (AAPL)": "ok",
        "yahoo: exchange rate (USDKRW)": "ok",
        "yahoo: history (AAPL)": "ok",
        "yahoo: closes of many (AAPL)": "ok",
        "naver-charts: Korean history (005930)": "ok",
        "naver: Korean price (005930)": "ok",
        "naver: ETF facts (069500)": "ok",
        "krx: login and Korean price (005930)": "note",
        "naver-rates: exchange rate (USDKRW)": "ok",
        "ecb: exchange rate (USDKRW)": "ok",
        "frankfurter: exchange rate (USDKRW)": "ok",
        "naver-world: US price (AAPL)": "ok",
        "cnbc: US price (AAPL)": "ok",
    }
    assert "KRX_ID" in checks["krx: login and Korean price (005930)"]["mend"]
    assert {"python", "packages", "price store", "KRX login", "network route"} <= set(checks)


def test_doctor_says_what_fails_and_how_to_mend_it(
    run: Callable[..., tuple[int, str, str]], replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(krx, "_child", lambda _job, _deadline: {"error": "AuthFailed", "requests": 2})
    monkeypatch.setenv("KRX_ID", KRX_ID)
    monkeypatch.setenv("KRX_PW", WRONG_PASSWORD)
    replay.fault("yahoo.quote", 429)
    status, out, _ = run("doctor", "--live")
    assert status == 3
    assert "wrong yahoo: US price (AAPL): yahoo asks for fewer requests (HTTP 429)\n      -> wait" in out
    assert "wrong krx: login and Korean price (005930): krx refused the login" in out
    assert "ok    naver: Korean price (005930)" in out
    assert set(chain.default().store.breakers()) == {"yahoo", "krx"}
    replay.faults.clear()
    monkeypatch.delenv("KRX_PW")
    chain.default().store.close()
    chain.default.cache_clear()
    assert run("doctor", "--live")[0] == 0
    assert set(chain.default().store.breakers()) == {"krx"}, "a source that answers again is asked again"


def test_doctor_without_live_asks_nobody(run: Callable[..., tuple[int, str, str]], replay: Replay) -> None:
    assert run("doctor")[0] == 0
    assert not replay.kinds()


def test_a_setting_that_is_no_number_is_told(
    run: Callable[..., tuple[int, str, str]], replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REBALANCER_FRESH_OPEN", "soon")
    status, out, _ = run("doctor")
    monkeypatch.delenv("REBALANCER_FRESH_OPEN")
    assert status == 1
    assert "'soon' is not a number of seconds" in out


PORTFOLIO = """
portfolio:
  name: live
  base_currency: KRW
  holdings:
    - {symbol: "360750", quantity: 100}
    - {symbol: AAPL, quantity: 10}
    - {symbol: MYFUND, quantity: 10, price: 12000, currency: KRW, asset_type: fund}
  cash: {KRW: 1000000}
  targets:
    - {ticker: "360750", weight: 0.5}
    - {ticker: AAPL, weight: 0.4}
"""


@pytest.fixture
def portfolio(tmp_path: Path) -> str:
    file = tmp_path / "portfolio.yaml"
    file.write_text(PORTFOLIO, encoding="utf-8")
    return str(file)


def test_plan_shows_source_and_time_of_every_live_price(
    run: Callable[..., tuple[int, str, str]], replay: Replay, portfolio: str
) -> None:
    status, out, err = run("plan", portfolio, "--json")
    assert status == 0, out + err
    positions = {one["symbol"]: one for one in document(out)["positions"]}
    assert {symbol: (one["price"], one["price_source"]) for symbol, one in positions.items()} == {
        "360750": (21035, "naver"),
        "AAPL": (201.5, "yahoo"),
        "MYFUND": (12000, "manual"),
    }
    assert positions["AAPL"]["fx"] == 1402.5
    assert positions["AAPL"]["price_as_of"] is not None
    assert "MYFUND" not in str(replay.log), "a manual price beats every source"


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London"])
def test_plan_refuses_a_stale_price_or_rate_unless_told_otherwise(
    zone: str, run: Callable[..., tuple[int, str, str]], replay: Replay, portfolio: str
) -> None:
    replay.vendors.traded[zone] -= dt.timedelta(days=12)
    status, _, err = run("plan", portfolio)
    assert status == 3
    assert "stale" in err
    status, out, err = run("plan", portfolio, "--allow-stale")
    assert status == 0
    assert "stale" in (out + err).lower()


def test_plan_without_a_source_says_why_there_is_no_price(
    run: Callable[..., tuple[int, str, str]], replay: Replay, portfolio: str
) -> None:
    replay.fault("yahoo.*", 429)
    replay.fault("naver.*", 403)
    status, _, err = run("plan", portfolio)
    assert status == 3
    assert "yahoo asks for fewer requests" in err
    assert "naver has shut this address out" in err


def test_plan_stops_at_a_doubtful_price_until_it_is_accepted(
    run: Callable[..., tuple[int, str, str]], replay: Replay, portfolio: str
) -> None:
    for source in ("naver-world.*", "cnbc.*"):
        replay.fault(source, 404)
    assert run("plan", portfolio)[0] == 0
    replay.vendors.change("AAPL", price=20.15)
    run("quotes", "AAPL", "--refresh")
    status, _, err = run("plan", portfolio)
    err = " ".join(err.split())
    assert status == 3
    assert "yahoo says 20.15 USD, but yahoo said on" in err
    assert "201.5: 10 times apart" in err
    assert "--accept AAPL=20.15" in err
    status, out, err = run("quotes", "AAPL")
    assert (status, "doubtful" in out.splitlines()[2]) == (3, True)
    assert "--accept AAPL=20.15" in " ".join(err.split())
    status, out, err = run("plan", portfolio, "--accept", "AAPL=201.5")
    assert status == 2
    assert "AAPL is at 20.15 USD (yahoo), not at 201.5" in " ".join(err.split())
    status, out, err = run("plan", portfolio, "--accept", "AAPL=20.15", "--json")
    assert status == 0, err
    assert [one["code"] for one in document(out)["problems"]].count("price-accepted") == 1


def test_a_price_by_hand_that_is_far_from_the_market_is_warned_of(
    run: Callable[..., tuple[int, str, str]], replay: Replay, portfolio: str
) -> None:
    run("quotes", "AAPL")
    text = Path(portfolio).read_text(encoding="utf-8").replace("{symbol: AAPL,", "{symbol: AAPL, price: 20.15,")
    Path(portfolio).write_text(text, encoding="utf-8")
    status, out, _ = run("plan", portfolio, "--json")
    assert status == 0
    (problem,) = (one for one in document(out)["problems"] if one["code"] == "manual-price-far")
    assert "20.15 USD, is far from the market's last one, 201.5 (yahoo)" in problem["message"]


def test_a_price_of_a_file_that_is_far_from_the_market_is_warned_of_too(
    run: Callable[..., tuple[int, str, str]], replay: Replay, portfolio: str, tmp_path: Path
) -> None:
    run("quotes", "AAPL", "USDKRW", "360750")
    file = tmp_path / "prices.csv"
    file.write_text("symbol,price,currency\nAAPL,2015,USD\nUSDKRW,1402.5,KRW\n360750,21000,KRW\n", encoding="utf-8")
    status, out, _ = run("plan", portfolio, "--prices", str(file), "--json")
    assert status == 0
    far = [one["message"] for one in document(out)["problems"] if one["code"] == "manual-price-far"]
    assert len(far) == 1
    assert "2,015 USD, is far from the market's last one, 201.5 (yahoo)" in far[0]


def test_no_network_is_one_sentence_with_the_count(run: Callable[..., tuple[int, str, str]], replay: Replay) -> None:
    for source in SOURCES:
        replay.fault(source, "reset")
    status, _, err = run("quotes", "AAPL", "MSFT", "USDKRW")
    assert status == 3
    assert err.count("\n") <= 2, err
    assert "none of 3 prices and rates could be had: is there a network?" in " ".join(err.split())


def test_a_source_says_what_the_catalogue_does_not(
    run: Callable[..., tuple[int, str, str]], replay: Replay, portfolio: str
) -> None:
    replay.vendors.shares["ZZTF"] = Share("ZZTF", 50.0, kind="ETF")
    file = Path(portfolio)
    file.write_text(file.read_text(encoding="utf-8").replace("AAPL", "ZZTF"), encoding="utf-8")
    told = document(run("plan", portfolio, "--json")[1])
    assert {one["symbol"]: one["asset_type"] for one in told["positions"]}["ZZTF"] == "etf"
    said = [
        one["message"] for one in told["problems"] if one["code"] == "not-in-catalogue" and "ZZTF" in one["message"]
    ]
    assert said == ["ZZTF is not in the catalogue: taken in USD, as etf, says yahoo"]


def test_no_network_is_one_sentence_of_a_plan_too(
    run: Callable[..., tuple[int, str, str]], replay: Replay, portfolio: str
) -> None:
    for source in SOURCES:
        replay.fault(source, "reset")
    status, _, err = run("plan", portfolio)
    assert status == 3
    assert err.count("[price-missing]") == 1, err
    assert "none of 3 prices and rates could be had" in " ".join(err.split())


def test_what_fails_for_one_reason_is_told_once(
    run: Callable[..., tuple[int, str, str]], replay: Replay, portfolio: str
) -> None:
    for source in SOURCES:
        if not source.startswith("naver."):
            replay.fault(source, "reset")
    _, _, err = run("plan", portfolio)
    assert err.count("[price-missing]") == 1
    assert "2 prices and rates could not be had (AAPL, USDKRW): yahoo:" in " ".join(err.split())


@pytest.mark.parametrize("verb", ["share", "risk"])
def test_what_uses_prices_stops_at_a_doubtful_one_until_it_is_accepted(
    verb: str, run: Callable[..., tuple[int, str, str]], replay: Replay, portfolio: str, tmp_path: Path
) -> None:
    for source in ("naver-world.*", "cnbc.*"):
        replay.fault(source, 404)
    run("quotes", "AAPL", "USDKRW", "360750")
    replay.vendors.change("AAPL", price=2015.0)
    run("quotes", "AAPL", "--refresh")
    arguments = [verb, portfolio, *(["-o", str(tmp_path / "copy.xlsx")] if verb == "share" else [])]
    status, out, err = run(*arguments)
    assert status == 3
    said = " ".join((out + err).split())
    assert "--accept AAPL=2015.0" in said
    assert "sheet Holdings, column Own price" in said
    status, out, err = run(*arguments, "--accept", "AAPL=2,015")
    assert status == 0, out + err
    status, out, err = run("quotes", "AAPL")
    assert (status, "fresh" in out) == (0, True), "what was accepted once is not asked again"


def test_cells_keep_what_speaks_against_a_price_or_rate(
    run: Callable[..., tuple[int, str, str]], replay: Replay
) -> None:
    from xl_addin.functions import journal, prices

    journal.clear()
    for source in SOURCES:
        if not source.startswith("yahoo"):
            replay.fault(source, 404)
    replay.vendors.change("KRW=X", price=140.25)
    run("quotes", "USDKRW")
    assert prices.rate.answer(["USDKRW"]) == 140.25
    assert prices.price.answer(["USDKRW", "status"]) == "doubtful"
    (told,) = journal.recent()
    assert "it is usually about 1,400" in str(told)
    assert "sheet Prices, column Own rate" in str(told)
    journal.clear()


def test_dividends_are_paid_out_as_they_were(
    run: Callable[..., tuple[int, str, str]], replay: Replay, tmp_path: Path
) -> None:
    # 100 shares at 100 dollars are paid 10 dollars each, which buy more at 100 in the month after.
    today = dt.datetime.now(dt.UTC).date()
    days = [day for n in range(200, 0, -1) if (day := today - dt.timedelta(n)).weekday() < 5]
    replay.vendors.closes = {"AAPL": (days, [100.0] * len(days), {"dividend": (days[70], 10.0)})}
    path = tmp_path / "p.yaml"
    path.write_text("portfolio: {base_currency: USD, cash: {USD: 1}, targets: [{ticker: AAPL, weight: 1}]}", "utf-8")
    more = ("--capital", "10000", "--no-costs", "--dividends", "paid", "--from", str(days[5]), "--json")
    status, out, err = run("backtest", str(path), "--policies", "never", *more)
    assert status == 0, err
    assert document(out)["policies"][0]["final_value"] == pytest.approx(11_000)


def test_performance_values_a_ledger_at_fetched_closes(
    run: Callable[..., tuple[int, str, str]], replay: Replay, tmp_path: Path
) -> None:
    # 10 shares bought at 400 before a split of 4 for 1; the source gives closes per share of today.
    today = dt.datetime.now(dt.UTC).date()
    days = [day for n in range(60, 0, -1) if (day := today - dt.timedelta(n)).weekday() < 5]
    replay.vendors.closes = {"AAPL": (days, [100.0 + n for n in range(len(days))], {"split": (days[20], 4, 1)})}
    path = tmp_path / "p.yaml"
    path.write_text("portfolio: {base_currency: USD, holdings: [{symbol: AAPL, quantity: 40}]}", "utf-8")
    lines = ["id,date,kind,symbol,quantity,currency,amount", f"a,{days[0]},deposit,,,USD,4000",
             f"b,{days[0]},buy,AAPL,10,USD,4000", f"c,{days[20]},split,AAPL,4,,"]  # fmt: skip
    (tmp_path / "p.ledger.csv").write_text("\n".join(lines) + "\n", "utf-8")
    status, out, err = run("performance", str(path), "--json")
    assert status == 0, err
    told = document(out)
    assert told["series"][1]["value"] == pytest.approx(4040)
    assert told["returns"]["time_weighted"] == pytest.approx((len(days) - 1) / 100)
