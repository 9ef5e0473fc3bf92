"""The Analysis sheet from history: the engine's numbers in its cells, words where there are none."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from engine.plan import Plan
from engine.portfolio import Portfolio
from engine.rebalance import rebalance
from engine.words import LANGUAGES, Lang
from rebalancer.analysing import Sources, compare, correlate, review
from rebalancer.books import plan_book
from rebalancer.samples import sample_portfolio, sample_quotes, sample_sources
from rebalancer.tabulating import AnalysisTables, analysis_tables, sample_tables, sheet_words
from templates.read.book import read_book
from templates.share import share
from templates.spec.vocabulary import spoken
from templates.write import Book, build
from xl_addin.cli import main

SAMPLES = Path(__file__).resolve().parents[2] / "engine" / "market" / "samples"
HISTORY = SAMPLES / "sample-history.csv"
PORTFOLIO = SAMPLES / "portfolio.yaml"
PRICES = SAMPLES / "prices.csv"
SOURCES = Sources(history=HISTORY, offline=True)
HEADER_ROW, FIRST_ROW = 7, 8


def sample() -> tuple[Portfolio, dict[str, Any], dt.date]:
    portfolio = sample_portfolio()
    assert portfolio is not None
    quotes, day, _ = sample_quotes()
    return portfolio, quotes, day


@cache
def planned() -> Plan:
    portfolio, quotes, day = sample()
    return rebalance(portfolio, quotes, day)


@cache
def built(lang: Lang) -> tuple[AnalysisTables, Book]:
    portfolio, quotes, day = sample()
    found = sample_tables(portfolio, quotes, day, lang)
    return found, build(plan_book(planned(), lang, found=found), lang)


def digits(value: object) -> object:
    """Return a number with the fourteen digits that no way of writing a cell loses."""
    return float(f"{value:.14g}") if isinstance(value, float) else value


@cache
def packed(lang: Lang) -> Workbook:
    return load_workbook(io.BytesIO(built(lang)[1].to_bytes()), data_only=True)


def cells(book: Book, table: str, lang: Lang) -> tuple[dict[str, Any], ...]:
    """Return a table's rows as the packed file has them."""
    place = book.placements[table]
    sheet = packed(lang)[place.title]
    return tuple(
        {column.name: digits(sheet.cell(row, place.left + at).value) for at, column in enumerate(place.columns)}
        for row in range(FIRST_ROW, place.last_row + 1)
    )


def charts_of(book: Book, lang: Lang) -> list[Any]:
    sheet: Any = book.workbook["분석" if lang == "ko" else "Analysis"]
    return list(sheet._charts)


def sources_in(path: Path) -> list[object]:
    """Return what stands under the header Source of the comparison."""
    sheet: Any = load_workbook(path)["Analysis"]
    at = next(cell.column for cell in sheet[FIRST_ROW - 1] if cell.value == "Source")
    return [sheet.cell(row, at).value for row in range(FIRST_ROW, sheet.max_row + 1) if sheet.cell(row, at).value]


def title(book: Book, table: str) -> str:
    place = book.placements[table]
    return str(book.workbook[place.title].cell(5, place.left).value)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_matrix_is_the_engines(lang: Lang) -> None:
    portfolio, _, day = sample()
    result = correlate(portfolio, SOURCES, day)
    rows = cells(built(lang)[1], "Correlation", lang)
    assert tuple(row["Ticker"] for row in rows) == result.symbols
    assert tuple(tuple(row[symbol] for symbol in result.symbols) for row in rows) == tuple(
        tuple(digits(cell) for cell in line) for line in result.matrix
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_alerts_and_hedges_are_the_engines(lang: Lang) -> None:
    portfolio, _, day = sample()
    result = correlate(portfolio, SOURCES, day)
    expected = [(*pair.pair, digits(pair.correlation)) for pair in (*result.alerts, *result.hedges)]
    assert [(r["First"], r["Second"], r["Correlation"]) for r in cells(built(lang)[1], "Alerts", lang)] == expected
    assert len(result.alerts) > 0
    assert len(result.hedges) > 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_review_has_every_quarter_verdict_and_reason_in_the_language(lang: Lang) -> None:
    portfolio, _, day = sample()
    result = review(portfolio, SOURCES, day)
    rows = cells(built(lang)[1], "Review", lang)
    for satellite in result.rows:
        mine = [row for row in rows if row["Ticker"] == satellite.symbol]
        quarters = [(q.quarter, digits(q.value), digits(q.benchmark), digits(q.excess)) for q in satellite.quarters]
        shown = [(r["Quarter"], r["Return"], r["Benchmark"], r["Excess"]) for r in mine if r["Quarter"]]
        reasons = [reason.text.told(lang) for reason in satellite.reasons]
        assert shown == quarters
        assert {row["Verdict"] for row in mine} == {spoken("verdict", satellite.verdict.name, lang)}
        assert [row["Reasons"] for row in mine if row["Reasons"]] == reasons


@pytest.mark.parametrize("lang", LANGUAGES)
def test_funds_are_compared_in_the_base_currency_with_the_engines_numbers(lang: Lang) -> None:
    portfolio, _, day = sample()
    rows = cells(built(lang)[1], "Comparison", lang)
    with sample_sources() as sources:
        result = compare([row["Ticker"] for row in rows], sources, day, currency="KRW")
    for row in rows:
        fund = result.funds[row["Ticker"]]
        for period, figure in fund.returns.items():
            assert row[period] == (sheet_words(lang).short if figure.value is None else digits(figure.value))
        assert row["Volatility"] == digits(fund.volatility.value)
        assert row["MaxDrawdown"] == digits(fund.max_drawdown.value)
        assert row["Fee"] == (sheet_words(lang).unknown if fund.fee.value is None else digits(fund.fee.value))
        assert row["AUMCurrency"] == fund.aum_currency
        assert len(str(row["Top10"]).split(", ")) == max(len(fund.top), 1)
        assert row["Name"] == portfolio.instruments[row["Ticker"]].name


def test_a_fact_has_its_source_beside_it() -> None:
    rows = {row["Ticker"]: row for row in cells(built("en")[1], "Comparison", "en")}
    assert rows["453870"]["Source"] == "fee, size KRW, holdings, yield: SAMPLE 2026-11-20"
    assert rows["QQQ"]["Source"].endswith("top ten: SAMPLE 2026-11-20")


def test_titles_say_the_days_the_currency_and_that_the_sample_is_made_up() -> None:
    book = built("en")[1]
    assert "KRW" in title(book, "Correlation")
    assert "2025-11-04 – 2026-11-20, 252 returns" in title(book, "Correlation")
    for table in ("Correlation", "Review", "Comparison"):
        assert "SAMPLE (made up)" in title(book, table)


def test_the_matrix_is_a_heat_map_with_its_numbers_in_view() -> None:
    book = built("en")[1]
    place = book.placements["Correlation"]
    sheet = book.workbook["Analysis"]
    scales = [
        str(area.sqref) for area in sheet.conditional_formatting for rule in area.rules if rule.type == "colorScale"
    ]
    assert len(scales) == 1
    assert sheet.cell(FIRST_ROW, place.left + 1).number_format == "0.00"


def test_the_funds_returns_are_bars_with_the_same_numbers() -> None:
    book = built("en")[1]
    (chart,) = charts_of(book, "en")
    drawn = [digits(float(point.v)) for point in chart.series[0].val.numRef.numCache.pt]
    assert drawn == [row["1Y"] for row in cells(book, "Comparison", "en")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_symbol_without_history_says_so_in_its_cells(lang: Lang, tmp_path: Path) -> None:
    lines = [line.split(",") for line in HISTORY.read_text(encoding="utf-8").splitlines()]
    at = lines[0].index("SOXX")
    path = tmp_path / "closes.csv"
    path.write_text("\n".join(",".join(line[:at] + line[at + 1 :]) for line in lines), encoding="utf-8")
    portfolio, quotes, day = sample()
    found = analysis_tables(portfolio, quotes, Sources(history=path, offline=True), day, lang)
    matrix = {row["Ticker"]: row for row in found.rows["Correlation"]}
    funds = {row["Ticker"]: row for row in found.rows["Comparison"]}
    reviewed = next(row for row in found.rows["Review"] if row["Ticker"] == "SOXX")
    assert matrix["SOXX"]["VTI"] == matrix["VTI"]["SOXX"] == sheet_words(lang).short
    assert funds["SOXX"]["1Y"] == reviewed["Quarter"] == sheet_words(lang).short
    assert list(funds)[-1] == "SOXX"
    assert any(str(problem.where) == "SOXX" and problem.code == "no-history" for problem in found.problems)
    assert "closes.csv" in found.notes["Correlation"]
    assert str(tmp_path) not in str(found.notes)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_history_too_short_for_anything_says_so_beside_the_titles(lang: Lang, tmp_path: Path) -> None:
    path = tmp_path / "closes.csv"
    path.write_text("Date,VTI,USDKRW\n2026-11-19,340,1400\n2026-11-20,341,1401\n", encoding="utf-8")
    portfolio, quotes, day = sample()
    found = analysis_tables(portfolio, quotes, Sources(history=path, offline=True), day, lang)
    book = build(plan_book(planned(), lang, found=found), lang)
    assert found.rows["Correlation"] == ()
    assert title(book, "Correlation").endswith(str(sheet_words(lang).short))
    assert charts_of(book, lang) == []


def test_without_a_source_the_plan_is_made_and_the_sheet_says_why() -> None:
    portfolio, quotes, day = sample()
    found = analysis_tables(portfolio, quotes, Sources(offline=True), day, "en")
    assert "no history" in found.notes["Correlation"]
    assert {problem.severity for problem in found.problems} == {"warning"}


@pytest.mark.slow
def test_plan_fills_the_sheet_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "plan.xlsx"
    arguments = ["plan", str(PORTFOLIO), "--offline", "--prices", str(PRICES), "--as-of", "2026-11-20"]
    assert main([*arguments, "-o", str(out), "--history", str(HISTORY), "--lang", "en"]) == 0
    capsys.readouterr()
    assert len(read_book(out).results["Correlation"]) == 14
    # And again into that workbook, which keeps its place on the sheet.
    again = tmp_path / "again.xlsx"
    arguments[1] = str(out)
    assert main([*arguments, "-o", str(again), "--history", str(HISTORY)]) == 0
    assert read_book(again).results["Correlation"] == read_book(out).results["Correlation"]
    assert read_book(again).results["Review"] == read_book(out).results["Review"]
    assert sources_in(again) == sources_in(out) != []


@pytest.mark.slow
def test_a_workbook_made_before_takes_the_analyses_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "before.xlsx", tmp_path / "after.xlsx"
    common = ["--offline", "--prices", str(PRICES), "--as-of", "2026-11-20", "--lang", "ko"]
    assert main(["plan", str(PORTFOLIO), *common, "-o", str(before)]) == 0
    assert "Correlation" not in read_book(before).results
    assert main(["plan", str(before), *common, "-o", str(after), "--history", str(HISTORY)]) == 0
    capsys.readouterr()
    sheet: Any = load_workbook(after)["분석"]
    titles = [str(cell.value) for cell in sheet[5] if cell.value]
    assert len(read_book(after).results["Correlation"]) == 14
    assert any("sample-history.csv" in text for text in titles if text.startswith("ETF 비교"))
    assert not any("아직 계산 전" in text for text in titles)
    sources = [row["Source"] for row in read_book(after).results["Comparison"]]
    assert any(str(source).startswith("보수: catalogue") for source in sources)


def test_history_without_a_workbook_to_fill_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(PORTFOLIO), "--offline", "--prices", str(PRICES), "--history", str(HISTORY)]) == 2
    assert "name the workbook with -o" in capsys.readouterr().err


def test_a_plain_plan_brings_in_no_numpy(tmp_path: Path) -> None:
    code = (
        "import sys; from xl_addin.cli import main; "
        f"main(['plan', {str(PORTFOLIO)!r}, '--offline', '--prices', {str(PRICES)!r}, '--as-of', '2026-11-20']); "
        "print('rebalancer.tabulating' in sys.modules, 'rebalancer.analysing' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "False False"


def test_a_copy_of_a_finished_workbook_says_of_which_closes_its_analyses_are(tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    book.write_bytes(built("ko")[1].to_bytes())
    assert main(["share", str(book), "-o", str(tmp_path / "copy.xlsx")]) == 0
    titles = [str(cell.value) for cell in load_workbook(tmp_path / "copy.xlsx")["분석"][5] if cell.value]
    assert sum("SAMPLE (지어낸 예시)" in text for text in titles) == 3
    (comparison,) = [row for row in load_workbook(tmp_path / "copy.xlsx")["분석"].iter_rows(values_only=True)
                     if "Source" in row]  # fmt: skip
    assert comparison


def test_a_weights_only_copy_takes_the_analyses_along_and_no_amounts() -> None:
    report = plan_book(planned(), "en", found=built("en")[0])
    book = share(report, "en", weights_only=True)
    assert "Correlation" in book.placements
    assert "Limit" not in [column.name for column in book.placements["Limits"].columns]


def test_the_sample_history_ends_on_the_sample_prices() -> None:
    _, quotes, day = sample()
    header, *_, last = (line.split(",") for line in HISTORY.read_text(encoding="utf-8").splitlines())
    closes = dict(zip(header, last, strict=True))
    assert closes.pop("Date") == day.isoformat()
    assert {symbol: float(quote.price) for symbol, quote in quotes.items()} == {
        symbol: float(close) for symbol, close in closes.items() if symbol in quotes
    }
