"""Backtests as a person runs them: the command, the library, the function, the report workbook."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import openpyxl
import pytest

import rebalancer
from engine.errors import InputError, NoData
from rebalancer.analysing import Sources
from rebalancer.backtesting import Trial, backtest, write_backtest
from tests.backtest.trial_runs import FREE, portfolio_of, real_market, tried, written
from xl_addin.cli import main

SYMBOLS = ("AAPL", "JPM", "XOM")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    market = real_market(1300, 3)
    days = [market.date(row) for row in range(len(market))]
    random = np.random.default_rng(1)
    closes = {name: list(market.closes[:, at]) for at, name in enumerate(SYMBOLS)}
    rates = list(np.round(1150 * np.exp(np.cumsum(random.normal(0, 0.004, len(days)))), 2))
    return written(tmp_path / "closes.csv", days, {**closes, "USDKRW": rates})


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(
        "portfolio:\n  name: Mine\n  base_currency: KRW\n  cash: {KRW: 30000000}\n  targets:\n"
        "    - {ticker: AAPL, weight: 0.5}\n    - {ticker: JPM, weight: 0.3}\n    - {ticker: XOM, weight: 0.2}\n",
        encoding="utf-8",
    )
    return path


def test_the_command_prints_a_row_per_policy(
    document: Path, history: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    given = ["backtest", str(document), "--history", str(history), "--policies", "never,annual,5/25", "--lang", "en"]
    assert main(given) == 0
    out = capsys.readouterr().out
    assert [name for name in ("never", "annual", "5/25") if f"\n{name} " in out] == ["never", "annual", "5/25"]
    assert max(map(len, out.splitlines())) <= 80


def test_the_json_has_the_figures_of_the_library(
    document: Path, history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [
        "backtest",
        str(document),
        "--history",
        str(history),
        "--policies",
        "annual",
        "--json",
        "--monthly",
        "500000",
    ]
    assert main(given) == 0
    told = json.loads(capsys.readouterr().out)["policies"][0]
    trial = Trial(monthly=500_000)
    result = rebalancer.backtest(rebalancer.load(document), "annual", Sources(history), trial)
    assert told["final_value"] == result.rows[0].figures.final_value
    assert result.to_frame().loc["annual", "cagr"] == told["cagr"]


def test_every_wrong_argument_is_told(document: Path, history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["backtest", str(document), "--history", str(history), "--policies", "annual,sometimes"]
    assert main([*given, "--lang", "en"]) == 2
    assert "'sometimes' is no policy" in capsys.readouterr().err
    assert main([*given, "--capital", "-5", "--from", "2026-01-01", "--to", "2025-01-01", "--lang", "en"]) == 2
    told = capsys.readouterr().err
    assert all(code in told for code in ("bad-capital", "bad-period", "'sometimes' is no policy"))


def test_a_baseline_that_is_not_tried_is_told(history: Path) -> None:
    with pytest.raises(InputError, match="not among the policies"):
        tried(portfolio_of({"AAPL": 1.0}), history, "annual", baseline="zzz")


def test_the_money_to_begin_with_is_all_that_is_held(tmp_path: Path) -> None:
    days = [dt.date(2024, 1, 1 + n) for n in range(5)]
    history = written(tmp_path / "h.csv", days, {"AAPL": [10] * 5, "KO": [20] * 5, "MSFT": [7] * 5})
    held = [
        {"symbol": "AAPL", "value": 300},
        {"symbol": "MSFT", "quantity": 10},
        {"symbol": "MYFUND", "quantity": 3, "price": 4, "currency": "USD", "asset_type": "fund"},
        {"symbol": "T", "quantity": 10},
    ]
    body = {"base_currency": "USD", "cash": {"USD": 5}, "holdings": held, "targets": [{"ticker": "KO", "weight": 1}]}
    result = tried(rebalancer.load({"portfolio": body}), history, "never", costs=False)
    assert result.rows[0].figures.paid_in == 300 + 70 + 12 + 5
    assert [
        one.message.told("en") for one in result.problems if one.code == "backtest" and "T:" in one.message.told("en")
    ]


@pytest.mark.parametrize("exact", [False, True])
def test_what_is_taken_ends_with_what_there_is(tmp_path: Path, *, exact: bool) -> None:
    days = [dt.date(2024, 1, 1) + dt.timedelta(n) for n in range(150)]
    history = written(tmp_path / "h.csv", days, {"AAPL": [10.0] * 150, "KO": [20.0] * 150})
    portfolio = portfolio_of({"AAPL": 0.5, "KO": 0.5})
    result = tried(portfolio, history, "annual", capital=2500.0, monthly=-1000.0, exact=exact, costs=False)
    row = result.rows[0]
    assert row.run.used_up is not None
    assert days[row.run.used_up] == dt.date(2024, 4, 1)
    assert (row.figures.paid_in, row.figures.final_value, row.figures.cagr) == (0, 0, 0)
    assert row.run.flows[row.run.used_up] == -500


def test_a_missing_history_names_every_symbol(history: Path) -> None:
    portfolio = portfolio_of({"AAPL": 0.5, "MSFT": 0.3, "KO": 0.2})
    with pytest.raises(NoData) as caught:
        tried(portfolio, history, "never")
    assert [str(problem.where) for problem in caught.value.problems] == ["MSFT", "KO"]


def test_too_short_a_history_says_what_each_symbol_has(tmp_path: Path) -> None:
    days = [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]
    history = written(tmp_path / "h.csv", days, {"AAPL": [1, 2]})
    with pytest.raises(InputError) as caught:
        tried(portfolio_of({"AAPL": 1.0}), history, "never")
    assert [problem.code for problem in caught.value.problems] == ["history-short", "history-short"]


def test_an_instrument_that_starts_later_moves_the_start_and_says_so(tmp_path: Path) -> None:
    days = [dt.date(2026, 1, 5) + dt.timedelta(days=at) for at in range(60)]
    path = tmp_path / "h.csv"
    rows = [f"{day},{100 + at},{'' if at < 30 else 50 + at}" for at, day in enumerate(days)]
    path.write_text("\n".join(["Date,AAPL,JPM", *rows]) + "\n", encoding="utf-8")
    result = tried(portfolio_of({"AAPL": 0.5, "JPM": 0.5}), path, "never", start=days[0])
    assert result.start == days[30]
    assert "history-begins" in [problem.code for problem in result.problems]


def test_processes_give_what_one_process_gives(history: Path) -> None:
    portfolio = portfolio_of({"AAPL": 0.6, "JPM": 0.4})
    alone = tried(portfolio, history, "never,annual,band:0.05")
    with ProcessPoolExecutor(2) as executor:
        shared = backtest(
            portfolio, "never,annual,band:0.05", Sources(history), Trial(start=dt.date(1990, 1, 1)), executor=executor
        )
    assert shared.to_json() == alone.to_json()


def test_a_basket_stands_beside_the_portfolio(history: Path) -> None:
    portfolio = portfolio_of({"AAPL": 0.6, "JPM": 0.4})
    result = backtest(
        portfolio, "annual", Sources(history), Trial(start=dt.date(1990, 1, 1)), baskets={"Pair": ["JPM", "XOM"]}
    )
    alone = tried(portfolio_of({"JPM": 0.5, "XOM": 0.5}), history, "annual", capital=result.rows[0].run.flows[0])
    assert [row.name for row in result.rows] == ["annual", "Pair · annual"]
    assert result.rows[1].figures.final_value == pytest.approx(alone.rows[0].figures.final_value)


def test_dividends_paid_out_buy_more_with_the_next_month() -> None:
    from engine.backtest.market import Closes
    from engine.backtest.policy import policy_of
    from engine.backtest.run import Fractions, simulate

    days = np.array(["2026-01-05", "2026-01-15", "2026-02-02"], dtype="datetime64[D]")
    paid = np.array([[0.0], [2.0], [0.0]])
    market = Closes("USD", ("KO",), days, np.array([[100.0], [98.0], [100.0]]), ("USD",), dividends=paid)
    policy = policy_of("never", portfolio_of({"KO": 1.0}))
    assert policy is not None
    flows = np.array([1000.0, 0.0, 0.0])
    run = simulate(market, np.array([1.0]), policy, flows, Fractions(market, np.array([1.0]), policy, None))
    assert run.value == pytest.approx([1000, 1000, 1020])
    assert run.weights[-1] == pytest.approx([1000 / 1020, 20 / 1020])


def test_whole_shares_and_fractions_tell_the_same_story(history: Path) -> None:
    # Fractions of shares, no least trade: the engine's plans end where the sketch does, within half a point a year.
    portfolio = portfolio_of(
        {"AAPL": 0.5, "JPM": 0.3, "XOM": 0.2}, settings={"fractional": ["US"], "costs": FREE, "taxes": "none"}
    )
    rows = [
        tried(portfolio, history, "never,annual,5/25", capital=1e7, exact=exact, start=dt.date(2020, 6, 1)).rows
        for exact in (False, True)
    ]
    for sketch, real in zip(*rows, strict=True):
        assert real.figures.cagr == pytest.approx(sketch.figures.cagr, abs=0.005)
    assert rows[1][0].figures.cagr == pytest.approx(rows[0][0].figures.cagr, abs=1e-4)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_report_has_every_policy_and_every_trade(history: Path, tmp_path: Path, lang: str) -> None:
    result = tried(portfolio_of({"AAPL": 0.6, "JPM": 0.4}), history, "never,annual,band:0.05", monthly=1000)
    path = tmp_path / f"report-{lang}.xlsx"
    write_backtest(result, path, lang=lang)
    book = openpyxl.load_workbook(path)
    policies = book.worksheets[0].tables["Policies"]
    names = [row[0].value for row in book.worksheets[0][policies.ref][1:]]
    assert names == ["never", "annual", "band:0.05"]
    deals = book.worksheets[3].tables["Deals"]
    assert len(book.worksheets[3][deals.ref]) - 1 == sum(len(row.run.deals) for row in result.rows)
    with pytest.raises(InputError):
        write_backtest(result, path)


def test_the_functions_rows_are_the_policies(history: Path) -> None:
    from rebalancer.tabulating import backtest_rows

    rows = backtest_rows(tried(portfolio_of({"AAPL": 0.6, "JPM": 0.4}), history, "never,annual"))
    assert [row["Policy"] for row in rows] == ["never", "annual"]
    assert rows[0]["BeyondNoise"] is None
    assert rows[1]["BeyondNoise"] is False
