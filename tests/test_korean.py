"""Every message in Korean beside the English: in the sources, in what bad input brings, and in what a person sees."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from engine.analysis.facts import parse_facts
from engine.costs.table import note_of, read_table
from engine.data.history import parse_history
from engine.data.prices import parse_prices
from engine.errors import InputError, NoData, Problem, RateLimited, error
from engine.phrase import phrase, place
from engine.settings import MarketSettings
from engine.weights.universe import read_csv, read_list
from rebalancer.loading import load_portfolio
from rebalancer.samples import sample_text
from templates.report import problem_rows
from xl_addin.cli import main
from xl_addin.functions import function
from xl_addin.functions.journal import recent

ROOT = Path(__file__).parents[1]
BAD_DOCUMENTS = sorted((ROOT / "tests" / "bad_documents").glob("*.yaml"))
HANGUL = re.compile("[가-힣]")


def untold(problems: tuple[Problem, ...] | list[Problem]) -> list[Problem]:
    return [problem for problem in problems if not HANGUL.search(problem.said("ko"))]


@pytest.mark.parametrize("path", BAD_DOCUMENTS, ids=lambda path: path.stem)
def test_every_problem_of_a_malformed_document_is_told_in_korean(path: Path) -> None:
    _, problems = load_portfolio(path)
    assert problems
    assert untold(problems) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "symbol;price\nQQQ;1\n",
        "symbol,price,colour,price\nQQQ,1,red,1\n",
        "price,as_of\n1,2026-11-20\n",
        "symbol,price,currency,as_of\n,1,USD,2026-11-20\nQQQ,,USD,2026-11-20\nQQQ,-1,USD,2026-11-20\n",
        "symbol,price,currency,as_of\nQQQ,1,KRW,2026-11-20\nQQQ,1,WON,2026-11-20\nQQQ,1,USD,yesterday\n",
        "symbol,price,currency,as_of\nQQQ,1,USD,\nQQQ,2,USD,\nQQQ,1,USD,,more\n",
        "symbol,price\n69500,1\n005930.KS,1\nMYFUND,1\n",
        b"symbol,price\nQQQ,\xff\n",
        "\x00",
    ],
)
def test_every_problem_of_a_price_file_is_told_in_korean(text: str | bytes) -> None:
    _, problems = parse_prices(text, "prices.csv")
    assert problems
    assert untold(problems) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Day,QQQ\n",
        "Date\n",
        "Date,QQQ,,69500,QQQ\n",
        "Date,QQQ\n2026/1/2,1\n2026-01-02,x\n2026-01-02,0\n2026-01-05,1,2\n",
        "Date,QQQ\n",
    ],
)
def test_every_problem_of_a_history_is_told_in_korean(text: str) -> None:
    _, problems = parse_history(text)
    assert problems
    assert untold(problems) == []


def test_every_problem_of_a_universe_is_told_in_korean() -> None:
    day = dt.date(2026, 11, 20)
    texts = (
        "",
        "name\nx\n",
        "symbol,colour,sector,sector\n",
        "symbol,market_cap\nA,x\nA,1\n,1\n",
        "symbol,sector\nA,Zz\n",
    )
    found = [problem for text in texts for problem in read_csv(text, "u.csv", day)[1]]
    found += read_list("A", "u.yaml", day)[1]
    found += read_csv("symbol,market_cap,currency\nA,1,USD\nB,1,KRW\n", "u.csv", day)[1]
    assert len({problem.code for problem in found}) >= 6
    assert untold(found) == []


def test_every_problem_of_fund_facts_is_told_in_korean() -> None:
    rows = {"A": "x", "B": {"fee": -1, "colour": 1, "as_of": "x", "total_return": "x", "holdings": [{"symbol": "A"}]}}
    found = [*parse_facts([])[1], *parse_facts(rows)[1]]
    assert len({problem.code for problem in found}) >= 6
    assert untold(found) == []


def test_a_setting_of_the_environment_is_told_in_korean() -> None:
    with pytest.raises(InputError) as told:
        MarketSettings.from_environment({"REBALANCER_STALE_FX": "soon"})
    assert untold(told.value.problems) == []


def test_every_rate_that_is_not_verified_says_why_in_korean() -> None:
    unsure = [f"cost-note.{note_of(row)}" for row in read_table("rates.csv") if row["verified"] != "yes"]
    assert unsure
    assert all(HANGUL.search(phrase(key).told("ko")) for key in unsure)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("REBAL_PRICE", ("QQQ", "colour", None)),
        ("REBAL_PRICE", (None, None, None)),
        ("REBAL_PRICE", (12.5, None, None)),
        ("REBAL_FX", ("won", None)),
        ("REBAL_HISTORY", ("QQQ", None, None)),
        ("REBAL_HISTORY", ("QQQ", "2026-07-02", "2026-07-01")),
        ("REBAL_HISTORY", ("QQQ", "soon", None)),
        ("REBAL_WEIGHTS", ("best", None)),
        ("REBAL_WEIGHTS", ("equal", None)),
        ("REBAL_CORREL", (("QQQ", "#N/A"), None)),
        ("REBAL_CORREL", (("QQQ", "SPY"), "x")),
        ("REBAL_RISK", (((1, 2),), None, None)),
    ],
)
def test_every_bad_argument_of_a_function_is_told_in_korean(name: str, given: tuple[object, ...]) -> None:
    function(name).answer(given)
    (problem, *_) = recent()
    assert untold([problem]) == []


def test_a_workbooks_problems_are_told_in_korean(tmp_path: Path) -> None:
    (tmp_path / "holdings.csv").write_text("Ticker,Quantity\nQQQ,#REF!\n,3\nSPY,three\n", encoding="utf-8")
    (tmp_path / "targets.csv").write_text("Ticker,Target,Section\nQQQ,0.5,heart\nSPY,2,\n", encoding="utf-8")
    (tmp_path / "cash.csv").write_text("Currency,Amount\n,5\nKRW,1\nKRW,2\n", encoding="utf-8")
    _, problems = load_portfolio(tmp_path)
    assert len({problem.code for problem in problems}) >= 5
    assert untold(problems) == []


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write the sample files with something to warn of, and return the arguments that plan them."""
    document = sample_text("portfolio.yaml")
    (tmp_path / "p.yaml").write_text(document, encoding="utf-8")
    (tmp_path / "prices.csv").write_text(sample_text("prices.csv"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return ["plan", "p.yaml", "--prices", "prices.csv", "--offline", "--as-of", "2026-11-19", "--mode", "sell-only"]


def test_a_korean_report_tells_its_problems_and_tax_notes_in_korean(
    sample: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*sample, "--lang", "ko", "--verbose"]) == 0
    report = capsys.readouterr().out
    entries = [re.sub(r"\s+", " ", entry) for entry in re.split(r"\n(?=\S)", report)]
    told = [entry for entry in entries if entry.startswith(("오류: ", "주의: ", "참고: "))]
    assert len(told) >= 8
    assert [entry for entry in told if not HANGUL.search(entry.partition(": ")[2])] == []
    assert " is not verified" not in report
    assert "realised earlier" not in report


def test_json_says_the_same_in_every_language(sample: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    documents = []
    for lang in ("en", "ko"):
        assert main([*sample, "--json", "--lang", lang]) == 0
        document = json.loads(capsys.readouterr().out)
        document["quality"].pop("seconds")
        documents.append(document)
    english, korean_one = documents
    assert english == korean_one
    assert {tuple(problem) for problem in english["problems"]} == {("severity", "code", "where", "message")}
    assert not any(HANGUL.search(note) for note in english["tax"]["notes"])
    assert any("is not verified" in problem["message"] for problem in english["problems"])


def test_bad_input_is_told_in_the_language_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("portfolio: {base_currency: KRW, holdings: [{symbol: QQQ}]}", encoding="utf-8")
    assert main(["plan", str(path), "--lang", "ko"]) == 2
    assert "오류: " in (said := capsys.readouterr().err)
    assert "quantity 없음: 보유 수량을" in re.sub(r"\s+", " ", said)
    assert main(["plan", str(path), "--lang", "en"]) == 2
    assert "quantity is missing" in re.sub(r"\s+", " ", capsys.readouterr().err)


def test_the_rows_of_a_korean_checks_sheet_are_korean() -> None:
    found = (error("holdings-changed", place("portfolio")),)
    (row,) = problem_rows(found, "ko")
    assert (row["Where"], row["Message"]) == (found[0].placed("ko"), found[0].said("ko"))
    assert row["Where"] == "포트폴리오"
    (row,) = problem_rows(found, "en")
    assert row["Where"] == "portfolio"


@pytest.mark.parametrize(
    ("titles", "said"), [(("보유", "목표"), "숫자가 아닙니다"), (("Holdings", "Targets"), "not a plain")]
)
def test_the_checks_of_a_workbook_are_in_its_language(
    titles: tuple[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    tables = {titles[0]: [["Ticker", "Quantity"], ["QQQ", "three"]], titles[1]: [["Ticker", "Target"], ["QQQ", 0.5]]}
    answer = function("REBAL_CHECKS").answer((None, None, None, None, tables))
    assert isinstance(answer, list)
    assert any(said in str(row) for row in answer)


def test_an_error_of_a_source_is_told_in_korean() -> None:
    (problem,) = NoData(phrase("no-fund-history"), symbol="QQQ", source="yahoo").listed()
    assert problem.said("ko") == "과거 시세가 있는 종목이 없습니다"
    (late,) = RateLimited(phrase("no-fund-history"), retry_after=30).listed()
    assert late.said("ko") == "과거 시세가 있는 종목이 없습니다. 30초 뒤에 다시 해 보세요"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan"], "빠진 인자: FILE…."),
        (["plan", "p.yaml", "--frob"], "없는 옵션 --frob"),
        (["correlate", "p.yaml", "--days"], "--days: 값을 하나 적으세요"),
        (["correlate", "p.yaml", "--days", "x"], "--days: 'x': 3부터 10000까지의 일수를 적으세요"),
        (["plan", "p.yaml", "--mode", "x"], "--mode: 'x': full, buy-only, sell-only 중에서 고르세요"),
        (["risk", "p.yaml", "more"], "남는 인자: more"),
        (["pln"], "혹시 plan인가요?"),
    ],
)
def test_what_is_wrong_with_an_argument_is_told_in_korean(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert main(arguments) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert told.startswith("오류: 명령줄: ")
    assert said in told
