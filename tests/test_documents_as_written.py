"""Documents as people have them: nothing of them is lost in silence, and what is only unusual is read."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from engine.data.document import parse_portfolio, portfolio_from_data
from engine.data.write import dump_portfolio
from engine.errors import InputError
from engine.quote import Quote
from rebalancer.loading import load, load_portfolio
from rebalancer.planning import plan
from rebalancer.recording import record
from templates.read.book import read_portfolio_book

SCENARIOS = sorted((Path(__file__).parent / "import_files" / "scenarios").glob("*.yaml"))
DAY = dt.date(2026, 11, 20)
TARGETS = "ticker,weight\nVTI,0.60\nVXUS,25%\nBND,0.15\n"
HOLDINGS = "symbol,quantity,price,currency\nVTI,210,341.20,USD\nVXUS,400,72.10,USD\nBND,290,74.50,USD\n"


def quotes(*symbols: str) -> dict[str, Quote]:
    when = dt.datetime(2026, 11, 20, 6, 30, tzinfo=dt.UTC)
    return {symbol: Quote(symbol, Decimal(10000), "KRW", when, "csv") for symbol in symbols}


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def codes(path: Path) -> set[str]:
    return {problem.code for problem in load_portfolio(path)[1] if problem.severity == "error"}


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_document_of_targets_alone_loads_as_it_stands(path: Path) -> None:
    portfolio = load(path)
    assert portfolio.base_currency == "KRW"
    assert sum(target.weight for _, target in portfolio.targets()) == 1
    assert portfolio.expected["max_drawdown"].startswith("-")


def test_there_are_six_documents_of_targets_alone() -> None:
    assert len(SCENARIOS) == 6


def test_a_document_of_targets_alone_says_what_is_missing() -> None:
    portfolio = load(SCENARIOS[0])
    with pytest.raises(InputError, match="no holdings and no cash") as fault:
        plan(portfolio, quotes(*portfolio.symbols), as_of=DAY)
    assert fault.value.problems[-1].code == "nothing-held"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_cash_flow_plans_the_first_purchase(path: Path) -> None:
    portfolio = load(path)
    made = plan(portfolio, quotes(*portfolio.symbols), as_of=DAY, cash_flow=10_000_000)
    assert {trade.symbol for trade in made.trades} == set(portfolio.symbols)


def test_english_and_korean_names_mean_the_same_targets() -> None:
    for korean, english in zip(SCENARIOS[:3], SCENARIOS[3:], strict=True):
        weights = [{(t.symbol, t.weight) for _, t in load(path).targets()} for path in (korean, english)]
        assert weights[0] == weights[1]


def test_what_is_expected_survives_writing() -> None:
    portfolio = load(SCENARIOS[0])
    again, _ = parse_portfolio(dump_portfolio(portfolio), "again")
    assert again == portfolio


def test_a_value_is_a_quantity_once_there_is_a_price() -> None:
    row = {"symbol": "069500", "value": 1_000_000, "average_cost": 9000}
    portfolio = load({"portfolio": {"holdings": [row], "targets": [{"ticker": "069500", "weight": 1}]}})
    made = plan(portfolio, quotes("069500"), as_of=DAY)
    assert made.positions[0].quantity == 100
    assert made.total_value == 1_000_000


def test_a_value_beside_a_price_is_a_quantity_at_once() -> None:
    row = {"symbol": "069500", "value": 1_000_000, "price": 20_000}
    assert load({"portfolio": {"holdings": [row]}}).holdings[0].quantity == 50


def test_a_plan_of_values_can_be_booked() -> None:
    row = {"symbol": "069500", "value": 1_000_000}
    body = {"holdings": [row], "cash": {"KRW": 500_000}, "targets": [{"ticker": "069500", "weight": 1}]}
    portfolio = load({"portfolio": body})
    made = plan(portfolio, quotes("069500"), as_of=DAY)
    after = record(portfolio, made)
    assert after.holdings[0].quantity == 100 + made.trades[0].quantity
    assert after.holdings[0].value is None


def test_a_quantity_and_a_value_are_one_too_many() -> None:
    row = {"symbol": "069500", "value": 1_000_000, "quantity": 3}
    _, problems = portfolio_from_data({"portfolio": {"holdings": [row]}}, "own")
    assert "quantity-and-value" in {problem.code for problem in problems}


def test_a_code_beside_a_name_is_the_instrument() -> None:
    row = {"ticker": "TIGER 미국S&P500", "code": "360750", "weight": 1}
    portfolio = load({"portfolio": {"targets": [row], "cash": {"KRW": 1}}})
    assert portfolio.symbols == ("360750",)


def test_a_code_beside_the_name_of_another_is_an_error() -> None:
    row = {"ticker": "TIGER 미국S&P500", "code": "069500", "weight": 1}
    _, problems = portfolio_from_data({"portfolio": {"targets": [row]}}, "own")
    assert "name-code-mismatch" in {problem.code for problem in problems}


@pytest.mark.parametrize(("written", "meant"), [("A360750", "360750"), ("360750.KS", "360750"), ("BRK-B", "BRK.B")])
def test_a_broker_s_form_of_a_code_is_understood(written: str, meant: str) -> None:
    row = {"symbol": written, "quantity": 1}
    assert load({"portfolio": {"holdings": [row]}}).symbols == (meant,)


def test_currencies_that_differ_leave_the_base_open() -> None:
    rows = [{"symbol": "069500", "quantity": 1}, {"symbol": "QQQ", "quantity": 1}]
    _, problems = portfolio_from_data({"portfolio": {"holdings": rows}}, "own")
    assert [problem.code for problem in problems if problem.severity == "error"] == ["missing"]


def test_a_percentage_with_its_sign_is_a_fraction() -> None:
    portfolio, _ = parse_portfolio("portfolio: {targets: [{ticker: QQQ, weight: 12.5%}]}", "own")
    assert portfolio is not None
    assert portfolio.sections[0].weight == Decimal("0.125")


def test_a_tab_says_so() -> None:
    _, (problem,) = parse_portfolio("portfolio:\n  cash:\n\t  KRW: 1\n", "own")
    assert str(problem) == (
        "error: own line 3: a tab indents this line, which YAML does not allow: write spaces in place of the tab "
        "[yaml-syntax]"
    )


def test_a_folder_takes_the_names_of_the_portfolio_file(tmp_path: Path) -> None:
    portfolio = load(folder(tmp_path, holdings=HOLDINGS, targets=TARGETS))
    assert [target.weight for _, target in portfolio.targets()] == [Decimal(n) for n in ("0.6", "0.25", "0.15")]
    assert [holding.price for holding in portfolio.holdings] == [Decimal(n) for n in ("341.2", "72.1", "74.5")]


def test_a_price_that_a_sheet_computed_is_no_manual_one(tmp_path: Path) -> None:
    saved = "Ticker,Currency,Quantity,ManualPrice,Price\nVTI,USD,3,,341.20\n"
    assert load(folder(tmp_path, holdings=saved, targets=TARGETS)).holdings[0].price is None


def test_a_weight_that_a_sheet_computed_is_no_target(tmp_path: Path) -> None:
    saved = "Ticker,Target,Weight\nVTI,0.5,0.6\n"
    portfolio = load(folder(tmp_path, holdings=HOLDINGS, targets=saved))
    assert portfolio.sections[0].weight == Decimal("0.5")


@pytest.mark.parametrize("header", ["fund,share", "Name,Allocation (%)", "종목,배분"])
def test_targets_under_unknown_headers_are_an_error(tmp_path: Path, header: str) -> None:
    folder(tmp_path, holdings=HOLDINGS, targets=f"{header}\nVTI,0.6\n")
    assert codes(tmp_path) == {"not-read"}


def test_a_file_that_is_not_read_tells_what_was_seen_and_what_is_wanted(tmp_path: Path) -> None:
    folder(tmp_path, holdings=HOLDINGS, targets="fund,share\nVTI,0.6\n")
    (problem,) = (one for one in load_portfolio(tmp_path)[1] if one.code == "not-read")
    assert str(problem.where) == "targets.csv"
    assert "its headers are fund, share; wanted: Targets with Ticker, Target" in str(problem.message)


def test_a_sheet_of_results_saved_as_csv_is_passed_over(tmp_path: Path) -> None:
    folder(tmp_path, holdings=HOLDINGS, targets=TARGETS, Dashboard="Where,Now\nhere,1\n")
    assert codes(tmp_path) == set()


@pytest.mark.parametrize("targets", [None, "ticker,weight\n"])
def test_holdings_without_targets_are_never_planned_away(tmp_path: Path, targets: str | None) -> None:
    files = {"holdings": HOLDINGS} if targets is None else {"holdings": HOLDINGS, "targets": targets}
    with pytest.raises(InputError, match="would sell everything"):
        plan(load(folder(tmp_path, **files)), {}, as_of=DAY)


def test_a_target_of_nothing_sells_on_purpose(tmp_path: Path) -> None:
    made = plan(load(folder(tmp_path, holdings=HOLDINGS, targets="ticker,weight\nVTI,0\n")), {}, as_of=DAY)
    assert {trade.side for trade in made.trades} == {"sell"}


def test_a_sheet_like_a_table_that_is_not_read_is_an_error(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    held, own = book.create_sheet("Holdings"), book.create_sheet("My targets")
    for cells in (["Ticker", "Quantity", "Currency"], ["VTI", 3, "USD"]):
        held.append(cells)
    for cells in (["Symbol", "Role", "Share of mine"], ["VTI", "all", 1]):
        own.append(cells)
    book.save(tmp_path / "own.xlsx")
    _, problems = read_portfolio_book(tmp_path / "own.xlsx")
    told = [str(problem) for problem in problems if problem.severity == "error"]
    assert len(told) == 1
    assert "sheet 'My targets': this sheet looks like a table and was not read" in told[0]


def test_the_base_is_that_of_targets_in_sections_of_one_s_own_naming() -> None:
    body = {"sections": {"rotation": [{"ticker": "QQQ", "weight": 1}]}, "cash": {"USD": 1}}
    assert load({"portfolio": body}).base_currency == "USD"
