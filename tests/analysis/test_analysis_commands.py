"""The commands on the sample portfolio with replayed closes: documents, exit statuses, reports in both languages."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import NoData
from engine.history import aligned
from engine.market import chain
from engine.market.quoting import QuoteBatch
from engine.market.research import Progress, unseen
from engine.quote import Batch, FetchedFacts, FetchedHolding, History
from rebalancer.samples import sample_text
from tests.analysis.real_prices import factor_table, stock_table
from tests.builders import told
from xl_addin.cli import main

#: Real closes of other instruments under the sample's symbols: the numbers are real, the names are not.
REPLAYED = {
    "360750": "MTUM",
    "069500": "QUAL",
    "305080": "SIZE",
    "273130": "USMV",
    "VTI": "VLUE",
    "SCHD": "KO",
    "QQQ": "AAPL",
    "SOXX": "AMD",
    "091230": "GE",
    "453870": "XOM",
    "005930": "HD",
    "NVDA": "RRC",
    "MSFT": "MSFT",
    "035720": "PFE",
    "SPY": "JPM",
}
Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with the sample portfolio, replayed closes with won rates, and prices."""
    every = {**stock_table().series, **factor_table().series}
    days, closes = aligned([every[name] for name in REPLAYED.values()])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["Date", *REPLAYED, "USDKRW"])
    for index, (day, row) in enumerate(zip(days, closes, strict=True)):
        writer.writerow([str(day), *row.tolist(), 1200 + index % 7])
    (tmp_path / "history.csv").write_text(text.getvalue(), encoding="utf-8")
    (tmp_path / "p.yaml").write_text(sample_text("portfolio.yaml"), encoding="utf-8")
    (tmp_path / "prices.csv").write_text(sample_text("prices.csv"), encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(files)
    # Whatever this machine has stored is none of a test's business.
    monkeypatch.setattr(
        chain, "quotes", lambda symbols, **_: QuoteBatch({}, dict.fromkeys(symbols, NoData(told("x"))), 0)
    )

    def call(*arguments: str) -> tuple[int, Any]:
        status = main([*arguments, "--json"])
        out, err = capsys.readouterr()
        assert err == ""
        return status, json.loads(out)

    return call


HISTORY = ("--history", "history.csv")


def test_correlate_prints_exactly_the_documented_keys(run: Run) -> None:
    status, document = run("correlate", "p.yaml", *HISTORY)
    assert status == 0
    assert list(document) == [
        "from", "to", "days", "currency", "symbols", "matrix", "alerts", "hedges", "effective_bets", "problems",
    ]  # fmt: skip
    assert (document["to"], document["days"], document["currency"]) == ("2022-12-28", 252, "KRW")
    assert len(document["matrix"]) == len(document["symbols"]) == 14
    assert all(pair["correlation"] > 0.8 for pair in document["alerts"])
    assert 1 < document["effective_bets"] < 14


def test_correlate_takes_days_and_a_threshold(run: Run) -> None:
    _, document = run("correlate", "p.yaml", *HISTORY, "--days", "60", "--threshold", "0.95")
    assert document["days"] == 60
    assert all(pair["correlation"] > 0.95 for pair in document["alerts"])


def test_correlate_as_of_an_earlier_day_sees_nothing_later(run: Run) -> None:
    _, document = run("correlate", "p.yaml", *HISTORY, "--as-of", "2020-06-30")
    assert document["to"] == "2020-06-30"


def test_correlate_without_closes_of_any_instrument_ends_in_3(run: Run, files: Path) -> None:
    (files / "other.csv").write_text("Date,ZZZ\n2026-01-02,1\n", encoding="utf-8")
    status, document = run("correlate", "p.yaml", "--history", "other.csv")
    assert status == 3
    assert document["effective_bets"] is None
    assert {p["code"] for p in document["problems"]} >= {"no-history"}


def test_review_prints_exactly_the_documented_keys(run: Run) -> None:
    status, document = run("review", "p.yaml", *HISTORY, "--lang", "en")
    assert status == 0
    assert list(document) == ["benchmark", "rows", "problems"]
    rows = {row["symbol"]: row for row in document["rows"]}
    assert list(rows) == ["QQQ", "SOXX", "091230", "453870", "005930", "NVDA", "MSFT"]
    assert list(rows["SOXX"]) == ["symbol", "quarters", "verdict", "reasons"]
    assert [q["quarter"] for q in rows["SOXX"]["quarters"]] == ["2021Q4", "2022Q1", "2022Q2", "2022Q3"]
    _, korean = run("review", "p.yaml", *HISTORY, "--lang", "ko")
    assert korean["rows"][1]["reasons"][0] == "3분기 연속 QQQ 대비 5%p 이상 뒤처짐"
    # AMD fell behind AAPL by 22, 9 and 18 points in the first three quarters of 2022.
    assert rows["SOXX"]["verdict"] == "REPLACE"
    assert rows["SOXX"]["reasons"][0].startswith("3 consecutive quarters")


def test_a_benchmark_on_the_command_line_beats_the_files(run: Run) -> None:
    _, document = run("review", "p.yaml", *HISTORY, "--benchmark", "SPY")
    assert document["benchmark"] == "SPY"
    assert all(quarter["excess"] is not None for row in document["rows"] for quarter in row["quarters"])


def test_a_fund_without_history_is_compared_as_far_as_it_goes_and_ends_in_3(run: Run) -> None:
    status, document = run("compare", "QQQ", "NOSUCHX", *HISTORY)
    assert status == 3
    assert document["funds"]["QQQ"]["volatility"] is not None
    assert document["funds"]["NOSUCHX"]["volatility"] is None


def test_review_offline_without_history_ends_in_3(run: Run) -> None:
    status, document = run("review", "p.yaml", "--offline")
    assert status == 3
    assert [p["code"] for p in document["problems"]] == ["no-history"]


def test_risk_prints_exactly_the_documented_keys(run: Run) -> None:
    status, document = run("risk", "p.yaml", *HISTORY, "--prices", "prices.csv")
    assert status == 0
    assert list(document) == ["rules", "problems"]
    assert {tuple(row) for row in document["rules"]} == {("rule", "scope", "limit", "actual", "status")}
    statuses = {row["rule"]: row["status"] for row in document["rules"]}
    assert statuses["leveraged-total"] == statuses["core-minimum"] == statuses["core-maximum"] == "OK"
    assert set(statuses.values()) <= {"OK", "BREACH", "UNKNOWN"}


def test_risk_without_prices_takes_the_last_closes_and_says_so(run: Run) -> None:
    status, document = run("risk", "p.yaml", *HISTORY)
    assert status == 0
    assert "price-from-history" in {p["code"] for p in document["problems"]}


def test_risk_warns_of_prices_and_rates_that_are_too_old_and_ends_in_3(run: Run, files: Path) -> None:
    (files / "prices.csv").write_text(sample_text("prices.csv").replace("2026-11-", "2020-11-"), encoding="utf-8")
    status, document = run("risk", "p.yaml", "--prices", "prices.csv", "--as-of", "2026-11-20", "--offline")
    assert status == 3
    told = [p for p in document["problems"] if p["code"] == "price-stale"]
    assert [p["severity"] for p in told] == ["warning"]
    assert "QQQ (of 2020-11-" in told[0]["message"]
    assert "USDKRW (of 2020-11-" in told[0]["message"]


def test_risk_without_any_price_names_every_rule_as_unknown_and_ends_in_3(run: Run) -> None:
    status, document = run("risk", "p.yaml", "--offline")
    assert status == 3
    weighed = [row for row in document["rules"] if row["scope"] in ("portfolio", "core", "company")]
    assert {row["status"] for row in weighed} == {"UNKNOWN"}
    assert "price-missing" in {p["code"] for p in document["problems"]}


FACTS = """
QQQ:
  {source: issuer, as_of: 2022-12-28, fee: 0.002, aum: 1.5e+11, aum_currency: USD, holdings_count: 101,
   holdings: [{symbol: AAPL, name: Apple, weight: 0.13}, {symbol: NVDA, weight: 0.04}]}
SOXX: {source: issuer, as_of: 2022-12-28, fee: 0.0035, holdings: [{symbol: NVDA, weight: 0.09}]}
"""


def test_compare_prints_exactly_the_documented_keys(run: Run, files: Path) -> None:
    (files / "facts.yaml").write_text(FACTS, encoding="utf-8")
    status, document = run("compare", "QQQ", "SOXX", *HISTORY, "--facts", "facts.yaml")
    assert status == 0
    assert list(document) == ["as_of", "currency", "funds", "overlap", "problems"]
    assert (document["as_of"], document["currency"]) == ("2022-12-28", "USD")
    fund = document["funds"]["QQQ"]
    assert list(fund) == [
        "fee", "aum", "holdings_count", "top10", "returns", "volatility", "max_drawdown", "yield",
        "issuer", "listed", "price", "price_currency", "aum_krw",
    ]  # fmt: skip
    assert list(fund["returns"]) == ["1M", "3M", "6M", "1Y", "3Y", "5Y"]
    assert (fund["fee"], fund["holdings_count"], fund["top10"][0]["name"]) == (0.002, 101, "Apple")
    assert document["overlap"] == [{"pair": ["QQQ", "SOXX"], "weight": 0.04}]


def test_compare_in_won_converts(run: Run) -> None:
    _, dollars = run("compare", "QQQ", "SOXX", *HISTORY)
    _, won = run("compare", "QQQ", "SOXX", *HISTORY, "--currency", "KRW")
    assert won["currency"] == "KRW"
    assert won["funds"]["QQQ"]["volatility"] != dollars["funds"]["QQQ"]["volatility"]
    assert "converted" in {p["code"] for p in won["problems"]}


def test_compare_knows_a_fund_by_its_name(run: Run) -> None:
    _, document = run("compare", "TIGER 미국S&P500", "SPY", *HISTORY)
    assert list(document["funds"]) == ["360750", "SPY"]


def test_compare_wants_two_different_funds(run: Run) -> None:
    status, document = run("compare", "QQQ", "QQQ", *HISTORY)
    assert status == 2
    assert document["problems"][0]["code"] == "bad-argument"


def test_compare_knows_price_issuer_and_the_size_in_won(run: Run, files: Path) -> None:
    (files / "facts.yaml").write_text(FACTS, encoding="utf-8")
    _, document = run("compare", "QQQ", "SOXX", *HISTORY, "--facts", "facts.yaml")
    fund = document["funds"]["QQQ"]
    assert fund["issuer"] == "Invesco"
    assert fund["price_currency"] == "USD"
    assert fund["price"] > 0
    assert fund["aum_krw"] == pytest.approx(fund["aum"] * 1200, rel=0.01)


def test_compare_over_days_of_ones_own(run: Run) -> None:
    days = ("--from", "2022-01-03", "--to", "2022-06-30")
    status, document = run("compare", "QQQ", "SOXX", *HISTORY, *days)
    assert status == 0
    assert (document["from"], document["as_of"]) == ("2022-01-03", "2022-06-30")
    assert document["funds"]["QQQ"]["period"] < 0
    assert run("compare", "QQQ", "SOXX", *HISTORY, "--from", "2022-07-01", "--to", "2022-06-30")[0] == 2


def test_compare_offline_shows_what_is_known(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "VOO", "360750", "--offline", "--lang", "ko"]) == 3
    out = capsys.readouterr().out
    assert "0.0300%" in out
    assert "미래에셋자산운용" in out


def test_compare_offline_without_history_ends_in_3(run: Run) -> None:
    status, document = run("compare", "QQQ", "SPY", "--offline")
    assert status == 3
    assert document["funds"]["QQQ"]["returns"]["1Y"] is None


UNIVERSE = "symbol,sector,market_cap\nAAPL,Information Technology,3\nMSFT,Information Technology,1\nXOM,Energy,2\n"


@pytest.mark.parametrize(
    ("method", "weights"),
    [
        ("equal", [1 / 3, 1 / 3, 1 / 3]),
        ("cap", [1 / 2, 1 / 6, 1 / 3]),
        ("equal-sector", [1 / 4, 1 / 4, 1 / 2]),
        ("equal-sector-cap", [3 / 8, 1 / 8, 1 / 2]),
    ],
)
def test_weights_of_a_csv_universe(run: Run, files: Path, method: str, weights: list[float]) -> None:
    (files / "u.csv").write_text(UNIVERSE, encoding="utf-8")
    status, document = run("weights", method, "u.csv")
    assert status == 0
    assert list(document) == ["method", "weights", "concentration", "problems"]
    assert [row["weight"] for row in document["weights"]] == pytest.approx(weights, abs=1e-15)
    assert list(document["weights"][0]) == ["symbol", "sector", "weight"]
    assert list(document["concentration"]) == ["before", "after"]
    assert list(document["concentration"]["after"]) == ["top5", "top_sector", "hhi"]


def test_weights_of_a_yaml_universe(run: Run, files: Path) -> None:
    (files / "u.yaml").write_text("universe:\n  - {symbol: A, sector: Energy}\n  - {symbol: B}\n", encoding="utf-8")
    _, document = run("weights", "equal", "u.yaml")
    assert [row["weight"] for row in document["weights"]] == [0.5, 0.5]


def test_weights_of_a_portfolio_file(run: Run) -> None:
    status, document = run("weights", "equal", "p.yaml")
    assert status == 0
    assert len(document["weights"]) == 14
    assert "before-by-target" in {p["code"] for p in document["problems"]}


def test_weights_under_caps(run: Run, files: Path) -> None:
    (files / "u.csv").write_text(UNIVERSE, encoding="utf-8")
    _, document = run("weights", "cap", "u.csv", "--max", "0.4")
    assert [row["weight"] for row in document["weights"]] == pytest.approx([0.4, 0.2, 0.4])


def test_caps_that_cannot_hold_end_in_2(run: Run, files: Path) -> None:
    (files / "u.csv").write_text(UNIVERSE, encoding="utf-8")
    status, document = run("weights", "cap", "u.csv", "--max", "0.3")
    assert status == 2
    assert document["problems"][0]["code"] == "cap-impossible"


def test_weights_names_everything_that_the_method_lacks(run: Run, files: Path) -> None:
    (files / "u.csv").write_text("symbol\nA\nB\n", encoding="utf-8")
    status, document = run("weights", "equal-sector-cap", "u.csv")
    assert status == 2
    assert len(document["problems"]) == 4


def test_calendar_prints_exactly_the_documented_keys(run: Run) -> None:
    status, document = run("calendar", "p.yaml", "--from", "2026-11-21", "--months", "3")
    assert status == 0
    assert list(document) == ["items", "problems"]
    assert {tuple(item) for item in document["items"]} == {("date", "section", "task", "due")}
    days = [item["date"] for item in document["items"]]
    assert days == sorted(days)
    assert {"2026-12-01", "2026-12-28", "2027-01-04", "2027-02-01"} == set(days)


def test_calendar_writes_a_calendar_file_and_never_over_another(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = files / "tasks.ics"
    assert main(["calendar", str(files / "p.yaml"), "--ics", str(out)]) == 0
    assert out.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    capsys.readouterr()
    assert main(["calendar", str(files / "p.yaml"), "--ics", str(out)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["calendar", str(files / "p.yaml"), "--ics", str(out), "--force"]) == 0


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("correlate", "p.yaml", *HISTORY), ("Effective number of bets", "유효 베팅 수")),
        (("review", "p.yaml", *HISTORY), ("Satellite review", "새틀라이트 점검")),
        (("risk", "p.yaml", *HISTORY), ("Limits", "한도 점검")),
        (("compare", "QQQ", "SOXX", *HISTORY), ("Volatility, per year (√252)", "변동성, 연환산(√252)")),
        (("weights", "equal", "p.yaml"), ("Target weights", "목표 비중")),
        (("calendar", "p.yaml", "--from", "2026-11-21"), ("Review the core", "코어 점검")),
    ],
)
def test_reports_speak_both_languages(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: tuple[str, str],
    lang: str,
) -> None:
    monkeypatch.chdir(files)
    assert main([*arguments, "--lang", lang]) == 0
    assert said[lang == "ko"] in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["correlate", "review", "risk"])
def test_a_history_with_bad_cells_ends_in_2_with_each_of_them(run: Run, files: Path, verb: str) -> None:
    (files / "bad.csv").write_text("Date,QQQ\n2026-01-02,x\n2026-01-05,-1\n", encoding="utf-8")
    status, document = run(verb, "p.yaml", "--history", "bad.csv")
    assert status == 2
    assert [p["where"] for p in document["problems"]] == ["bad.csv, row 2, column QQQ", "bad.csv, row 3, column QQQ"]


@pytest.mark.parametrize("verb", ["correlate", "review", "risk"])
def test_a_history_that_is_not_there_ends_in_2(run: Run, verb: str) -> None:
    status, document = run(verb, "p.yaml", "--history", "gone.csv")
    assert status == 2
    assert document["problems"][0]["code"] == "file-unreadable"


def test_the_same_input_gives_the_same_document(run: Run) -> None:
    first, second = (run("review", "p.yaml", *HISTORY) for _ in range(2))
    assert first == second


# What the sources say -------------------------------------------------------------------------------------------------

NOW = dt.datetime(2022, 12, 29, tzinfo=dt.UTC)


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources that know the replayed closes as total returns, and facts of two funds and a share."""
    every = {**stock_table().series, **factor_table().series}

    def history(
        symbols: Iterable[str],
        start: dt.date,
        end: dt.date,
        *,
        wait: float | None = None,
        offline: bool = False,
        progress: Progress = unseen,
    ) -> Batch[History]:
        assert not offline
        ok = {}
        for symbol in symbols:
            if symbol in REPLAYED:
                one = every[REPLAYED[symbol]].between(start, end)
                days = tuple(day.astype(dt.date) for day in one.days)
                closes = tuple(one.closes.tolist())
                currency = "KRW" if symbol[0].isdigit() else "USD"
                ok[symbol] = History(
                    symbol, currency, "replay", NOW, days, tuple(map(Decimal, map(str, closes))), closes
                )
        failed = {
            symbol: NoData(told(f"no history of {symbol}"), symbol=symbol) for symbol in symbols if symbol not in ok
        }
        return Batch(ok, failed, 0)

    def fund_facts(symbols: Iterable[str], *, wait: float | None = None) -> Batch[FetchedFacts]:
        top = (FetchedHolding("AAPL", "Apple", Decimal("0.1")),)
        known = {
            "QQQ": FetchedFacts("QQQ", "replay", NOW, currency="USD", fee=Decimal("0.002"), top=top),
            "SOXX": FetchedFacts("SOXX", "replay", NOW, currency="USD", fee=Decimal("0.0035"), top=top),
            "XOM": FetchedFacts("XOM", "replay", NOW, currency="USD", sector="Energy", market_cap=Decimal(500)),
        }
        names = list(symbols)
        failed = {symbol: NoData(told("none"), symbol=symbol) for symbol in names if symbol not in known}
        return Batch({symbol: known[symbol] for symbol in names if symbol in known}, failed, 0)

    monkeypatch.setattr(chain, "history", history)
    monkeypatch.setattr(chain, "fund_facts", fund_facts)


@pytest.mark.usefixtures("sources")
def test_compare_uses_fetched_total_returns_and_facts(run: Run) -> None:
    status, document = run("compare", "QQQ", "SOXX", "--as-of", "2022-12-28")
    assert status == 0
    assert document["funds"]["QQQ"]["fee"] == 0.002
    assert document["overlap"] == [{"pair": ["QQQ", "SOXX"], "weight": 0.1}]
    notes = {p["where"]: p["message"] for p in document["problems"]}
    assert notes["QQQ.returns.3Y"].startswith("total return in USD")
    assert notes["QQQ.fee"] == "replay, 2022-12-29"


@pytest.mark.usefixtures("sources")
def test_correlate_names_what_no_source_has(run: Run, files: Path) -> None:
    text = (
        (files / "p.yaml")
        .read_text(encoding="utf-8")
        .replace("symbol: QQQ", "symbol: SPYG")
        .replace("ticker: QQQ", "ticker: SPYG")
    )
    (files / "p.yaml").write_text(text, encoding="utf-8")
    status, document = run("correlate", "p.yaml", "--as-of", "2022-12-28")
    assert status == 0
    assert {p["where"] for p in document["problems"] if p["code"] == "no-history"} == {"SPYG", "USDKRW"}


@pytest.mark.usefixtures("sources")
def test_review_of_fetched_closes_is_that_of_the_same_closes_from_a_file(run: Run) -> None:
    _, fetched = run("review", "p.yaml", "--as-of", "2022-12-28")
    _, replayed = run("review", "p.yaml", *HISTORY)
    assert [row["quarters"] for row in fetched["rows"]] == [row["quarters"] for row in replayed["rows"]]


@pytest.mark.usefixtures("sources")
def test_risk_does_not_take_total_return_closes_for_prices(run: Run) -> None:
    status, document = run("risk", "p.yaml", "--as-of", "2022-12-28")
    assert status == 3
    assert "price-missing" in {p["code"] for p in document["problems"]}


@pytest.mark.usefixtures("sources")
def test_weights_looks_up_what_a_universe_lacks_only_when_asked(run: Run, files: Path) -> None:
    (files / "u.csv").write_text("symbol,sector,market_cap,currency\nXOM\nAAPL,Technology,1500,USD\n", encoding="utf-8")
    assert run("weights", "equal-sector-cap", "u.csv")[0] == 2
    status, document = run("weights", "cap", "u.csv", "--fetch")
    assert status == 0
    assert [row["weight"] for row in document["weights"]] == [0.25, 0.75]
    (note,) = [p for p in document["problems"] if p["code"] == "fetched"]
    assert note["message"] == "sector Energy, market value 500 USD from replay, 2022-12-29"
