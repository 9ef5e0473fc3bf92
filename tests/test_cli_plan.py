"""`rebalancer plan`: a file in, a plan out, by every way a person may ask for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.data.prices import parse_prices
from engine.market import chain
from engine.market.quoting import QuoteBatch
from xl_addin.cli import main

PORTFOLIO = """
portfolio:
  name: 작은 포트폴리오
  base_currency: KRW
  holdings:
    - {symbol: "360750", quantity: 450, price: 20000, average_cost: 16200, account: 키움}
    - {symbol: "069500", quantity: 100, account: 키움}
    - {symbol: QQQ, quantity: 3, account: 해외}
  cash: {KRW: 3000000, USD: 320.50}
  core:
    - {ticker: TIGER 미국S&P500, weight: 0.35}
    - {ticker: "069500", weight: 0.25}
  satellite:
    - {ticker: QQQ, weight: 0.3}
"""
PRICES = """symbol,price,currency,as_of
360750,1,KRW,2026-11-20
069500,35000,KRW,2026-11-20
QQQ,500.00,USD,2026-11-20
USDKRW,1400,KRW,2026-11-20
"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "mine.yaml").write_text(PORTFOLIO, encoding="utf-8")
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")
    return [str(tmp_path / "mine.yaml"), "--prices", str(tmp_path / "prices.csv"), "--as-of", "2026-11-20"]


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["plan", *arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)  # type: ignore[no-any-return]


def test_a_plan_is_printed_as_a_report(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    assert main(["plan", *files, "--lang", "en"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Rebalance: sell")
    assert "Portfolio  작은 포트폴리오, 2026-11-20" in out
    assert "TIGER US S&P500" in out
    assert err == ""


def test_the_report_speaks_korean(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    assert main(["plan", *files, "--lang", "ko"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("리밸런싱 필요: 매도")
    assert "포트폴리오  작은 포트폴리오, 2026-11-20" in out
    assert "TIGER 미국S&P500" in out


def test_a_brief_plan_is_verdict_and_orders(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    assert main(["plan", *files, "--lang", "en", "--brief"]) == 0
    out = capsys.readouterr().out
    assert "Orders\n" in out
    assert "Positions\n" not in out


@pytest.mark.parametrize("more", [[], ["--brief"], ["--json"]])
def test_a_check_ends_with_4_where_rebalancing_is_needed(files: list[str], more: list[str]) -> None:
    assert main(["plan", *files, "--check", *more]) == 4


def test_a_check_ends_with_0_where_nothing_is_to_be_done(files: list[str], tmp_path: Path) -> None:
    kept = PORTFOLIO.replace("450", "604").replace("y: 100,", "y: 246,").replace("y: 3,", "y: 15,")
    (tmp_path / "mine.yaml").write_text(kept, encoding="utf-8")
    assert main(["plan", *files, "--check"]) == 0


def test_bad_input_and_missing_prices_come_before_a_need_to_rebalance(files: list[str], tmp_path: Path) -> None:
    assert main(["plan", files[0], "--as-of", "2026-11-20", "--offline", "--check"]) == 3
    (tmp_path / "mine.yaml").write_text(PORTFOLIO.replace("0.35", "3.5"), encoding="utf-8")
    assert main(["plan", *files, "--check"]) == 2


def test_notes_stand_behind_errors_and_only_on_request(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    plain = [files[0], "--as-of", "2026-11-20", "--offline", "--lang", "en"]
    assert main(["plan", *plain]) == 3
    err = capsys.readouterr().err
    assert "cash target" not in err
    assert err.splitlines()[-1] == "1 more note: --verbose shows it"
    assert main(["plan", *plain, "-v"]) == 3
    assert "the targets add up to 90 %" in " ".join(capsys.readouterr().err.split())


def test_a_manual_price_beats_the_price_file(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    positions = {p["symbol"]: p for p in document(capsys, *files)["positions"]}
    assert (positions["360750"]["price"], positions["360750"]["price_source"]) == (20000, "manual")
    assert positions["QQQ"]["price"] == 500


def test_the_same_input_gives_the_same_plan(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    first, second = document(capsys, *files), document(capsys, *files)
    assert first["trades"]
    for plan in (first, second):
        del plan["quality"]["seconds"]
    assert first == second


def test_mode_overrules_the_file(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    assert {trade["side"] for trade in document(capsys, *files)["trades"]} == {"buy", "sell"}
    assert {trade["side"] for trade in document(capsys, *files, "--mode", "buy-only")["trades"]} == {"buy"}


def test_cash_flow_overrules_the_file(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    without = document(capsys, *files)
    deposit = document(capsys, *files, "--cash-flow", "1,000,000")
    assert deposit["total_value"] == without["total_value"] + 1_000_000
    assert deposit["cash"]["before"]["KRW"] == without["cash"]["before"]["KRW"] + 1_000_000


def test_a_withdrawal_above_everything_is_bad_input(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    assert main(["plan", *files, "--cash-flow", "-900000000"]) == 2
    assert capsys.readouterr().err.startswith("error")


def test_the_day_is_today_unless_said(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    import datetime as dt

    before = dt.datetime.now().astimezone().date()
    plan = document(capsys, *files[:-2], "--allow-stale")
    assert before.isoformat() <= plan["as_of"] <= dt.datetime.now().astimezone().date().isoformat()


def test_prices_of_a_file_that_are_too_old_stop_the_plan(
    capsys: pytest.CaptureFixture[str], files: list[str], tmp_path: Path
) -> None:
    (tmp_path / "prices.csv").write_text(PRICES.replace("2026-11-20", "2020-01-02"), encoding="utf-8")
    assert main(["plan", *files, "--offline", "--json"]) == 3
    told = [p for p in json.loads(capsys.readouterr().out)["problems"] if p["code"] == "stale"]
    assert [problem["where"] for problem in told] == ["price of 069500", "price of QQQ", "price of USDKRW"]
    assert all("2020-01-02, 2,514 days" in problem["message"] for problem in told)


def test_stale_prices_that_are_let_through_are_marked(
    capsys: pytest.CaptureFixture[str], files: list[str], tmp_path: Path
) -> None:
    (tmp_path / "prices.csv").write_text(PRICES.replace("2026-11-20", "2020-01-02"), encoding="utf-8")
    plan = document(capsys, *files, "--offline", "--allow-stale")
    assert {p["symbol"]: p["stale"] for p in plan["positions"]} == {"360750": False, "069500": True, "QQQ": True}
    assert {p["severity"] for p in plan["problems"] if p["code"] == "stale"} == {"warning"}


def test_a_stored_price_of_a_month_before_the_plans_day_stops_it(
    capsys: pytest.CaptureFixture[str], files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = parse_prices(PRICES, "stored")[0]  # fresh, as the clock sees it
    monkeypatch.setattr(chain, "quotes", lambda *_, **__: QuoteBatch(stored, {}, 0))
    assert main(["plan", files[0], "--as-of", "2026-12-20", "--json"]) == 3
    assert main(["plan", files[0], "--as-of", "2026-11-30", "--json"]) == 0


def test_a_review_on_a_holiday_is_due_on_the_next_session(
    capsys: pytest.CaptureFixture[str], files: list[str], tmp_path: Path
) -> None:
    rules = "  rules: {core: {last_rebalanced: 2026-07-01}}\nsettings: {trigger: due}\n"
    text = (
        PORTFOLIO.replace("450", "300")
        .replace("quantity: 100", "quantity: 120")
        .replace("quantity: 3,", "quantity: 6,")
    )
    (tmp_path / "mine.yaml").write_text(text + rules, encoding="utf-8")
    closed = document(capsys, *files[:-1], "2027-01-01", "--allow-stale")
    opened = document(capsys, *files[:-1], "2027-01-04", "--allow-stale")
    dues = [(plan["sections"][0]["due"], plan["sections"][0]["next_due"]) for plan in (closed, opened)]
    assert dues == [(False, "2027-01-04"), (True, "2027-01-04")]
    assert [plan["sections"][0]["acts"] for plan in (closed, opened)] == [False, True]


def test_a_missing_price_is_never_filled_from_the_samples(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    assert main(["plan", files[0], "--as-of", "2026-11-20", "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert [problem["code"] for problem in document["problems"] if problem["severity"] == "error"] == ["price-missing"]
    assert "trades" not in document


def test_problems_of_the_files_that_do_not_stop_a_plan_are_in_it(
    capsys: pytest.CaptureFixture[str], files: list[str]
) -> None:
    assert "cash-target" in [problem["code"] for problem in document(capsys, *files)["problems"]]


def test_problems_of_both_files_are_listed_together(
    capsys: pytest.CaptureFixture[str], files: list[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text(PORTFOLIO.replace("0.35", "3.5"), encoding="utf-8")
    (tmp_path / "prices.csv").write_text(PRICES.replace("35000", "many"), encoding="utf-8")
    assert main(["plan", *files]) == 2
    err = capsys.readouterr().err
    assert "mine.yaml" in err
    assert "prices.csv row 3" in err


def test_the_workbook_is_written_and_its_place_told(
    capsys: pytest.CaptureFixture[str], files: list[str], tmp_path: Path
) -> None:
    result = tmp_path / "plan.xlsx"
    assert main(["plan", *files, "-o", str(result), "--lang", "en"]) == 0
    assert capsys.readouterr().out.endswith(f"Workbook: {result}\n")
    assert load_workbook(result)["Trades"].max_row > 1


def test_an_existing_workbook_is_replaced_only_by_force(
    capsys: pytest.CaptureFixture[str], files: list[str], tmp_path: Path
) -> None:
    result = tmp_path / "plan.xlsx"
    result.write_text("mine")
    assert main(["plan", *files, "-o", str(result)]) == 2
    assert "--force" in capsys.readouterr().err
    assert result.read_text() == "mine"
    assert main(["plan", *files, "-o", str(result), "--force"]) == 0
    assert load_workbook(result).sheetnames


def test_a_plan_imports_only_what_it_needs(files: list[str]) -> None:
    script = (
        "import sys; from xl_addin.cli import main; status = main(sys.argv[1:]); "
        "heavy = {'openpyxl', 'pandas', 'yfinance', 'pykrx', 'xlwings', 'curl_cffi', 'matplotlib'}; "
        "sys.exit(','.join(heavy & set(sys.modules)) or status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "plan", *files], capture_output=True, check=False, encoding="utf-8"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_weights_of_this_program_can_be_targets(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    universe = tmp_path / "universe.csv"
    rows = ("AAA,Tech", "BBB,Tech", "CCC,Tech", "DDD,Bank", "EEE,Oil")
    universe.write_text("symbol,sector\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert main(["weights", "equal-sector", str(universe), "--json"]) == 0
    found = {row["symbol"]: row["weight"] for row in json.loads(capsys.readouterr().out)["weights"]}
    assert found["AAA"] == 1 / 9
    held = [{"symbol": symbol, "quantity": 0, "price": 1000, "currency": "KRW"} for symbol in found]
    targets = [{"ticker": symbol, "weight": weight} for symbol, weight in found.items()]
    path = tmp_path / "p.yaml"
    body = {"base_currency": "KRW", "holdings": held, "cash": {"KRW": 9_100_000}, "targets": targets}
    path.write_text(json.dumps({"portfolio": body}), encoding="utf-8")
    plan = document(capsys, str(path))
    assert {trade["symbol"]: trade["quantity"] for trade in plan["trades"]}.keys() == found.keys()


def test_a_cash_flow_from_the_command_line_is_in_whole_smallest_units(
    capsys: pytest.CaptureFixture[str], files: list[str]
) -> None:
    plan = document(capsys, *files, "--cash-flow", "100.5")
    assert plan["cash"]["before"]["KRW"] == 3_000_100
    assert ("command line", "below-smallest-unit") in {(p["where"], p["code"]) for p in plan["problems"]}


def test_a_cash_flow_of_forty_digits_is_no_amount(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    assert main(["plan", *files, "--cash-flow", "1" * 40]) == 2
    assert "at most 18 digits" in " ".join(capsys.readouterr().err.split())


def test_a_label_of_what_is_not_held_yet_is_where_it_is_bought(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    held = "{symbol: '360750', quantity: 100, price: 20000, account: 토스}"
    new = "{symbol: '069500', quantity: 0, price: 50000, account: 키움}"
    targets = "[{ticker: '360750', weight: 0.5}, {ticker: '069500', weight: 0.5}]"
    body = f"{{base_currency: KRW, holdings: [{held}, {new}], cash: {{KRW: 2000000}}, targets: {targets}}}"
    (tmp_path / "p.yaml").write_text(f"portfolio: {body}\n", encoding="utf-8")
    plan = document(capsys, str(tmp_path / "p.yaml"))
    assert [position["accounts"] for position in plan["positions"]] == [{"토스": 100}, {"키움": 0}]
    assert {trade["symbol"]: trade["account"] for trade in plan["trades"]} == {"069500": "키움"}


@pytest.mark.parametrize(("day", "told"), [("2026-11-20", []), ("2026-11-21", ["rules core"])])
def test_a_rebalance_after_the_plans_day_is_pointed_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, day: str, told: list[str]
) -> None:
    rules = f"{{core: {{last_rebalanced: {day}}}}}"
    body = f"{{base_currency: KRW, cash: {{KRW: 9}}, core: [{{ticker: '069500', weight: 0.5}}], rules: {rules}}}"
    prices = tmp_path / "prices.csv"
    prices.write_text("symbol,price,currency,as_of\n069500,5,KRW,2026-11-20\n", encoding="utf-8")
    (tmp_path / "p.yaml").write_text(f"portfolio: {body}\n", encoding="utf-8")
    plan = document(capsys, str(tmp_path / "p.yaml"), "--prices", str(prices), "--as-of", "2026-11-20")
    found = [p for p in plan["problems"] if p["code"] == "rebalanced-later"]
    assert [problem["where"] for problem in found] == told
