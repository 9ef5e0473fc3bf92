"""`rebalancer init`: five questions, and what comes of the answers; going back, breaking off, going on."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from rebalancer.first import FirstAnswers, TypedHolding, read_line
from rebalancer.loading import load
from templates.models import KEYS
from xl_addin.cli import init, main
from xl_addin.show.terminal import invocation

EXPORTS = Path(__file__).parent / "import_files"
PRICES = "symbol,price,currency,as_of\n" + "".join(
    f"{symbol},{price},KRW,2026-11-20\n"
    for symbol, price in {"360750": 24500, "069500": 52300, "305080": 12800, "005930": 70000}.items()
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")
    return tmp_path


def answer(monkeypatch: pytest.MonkeyPatch, *lines: str, lang: str = "ko", more: tuple[str, ...] = ()) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    given = () if "--prices" in more else ("--prices", "prices.csv")
    return main(["init", "--offline", "--as-of", "2026-11-20", "--lang", lang, *given, *more])


#: The number of one's own targets, which stand below the models; the blank one is no choice.
OWN = str(len(KEYS))
#: Korean, won, an ordinary account, own targets of three funds.
BEGIN = ("지은", "", "", "", OWN, "TIGER 미국S&P500 50", "KODEX 200 30%", "305080 20", "")
TYPED = (*BEGIN, "2", "TIGER 미국S&P500 120 16200", "KODEX 200 40", "", "1,500,000")


def test_answers_become_a_workbook_with_its_plan(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(monkeypatch, *TYPED) == 0
    out, _ = capsys.readouterr()
    portfolio = load(folder / "포트폴리오.xlsx")
    assert (portfolio.name, portfolio.base_currency, portfolio.settings.residence) == ("지은", "KRW", "KR")
    assert [(one.symbol, one.quantity, one.average_cost) for one in portfolio.holdings if one.quantity] == [
        ("360750", 120, 16200), ("069500", 40, None)]  # fmt: skip
    assert portfolio.accounts[0].cash["KRW"] == 1_500_000
    assert [target.weight for _, target in portfolio.targets()] == [Decimal("0.5"), Decimal("0.3"), Decimal("0.2")]
    assert out.strip().startswith("리밸런싱 필요: ")
    assert "다음에 할 일\n1. " in out


def test_a_beginner_meets_no_english_command_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(monkeypatch, *TYPED) == 0
    out, err = capsys.readouterr()
    for word in ("YAML", "yaml", "Holding", "Price", "error", "warning", "Traceback"):
        assert word not in out + err


def test_the_first_trades_are_recorded_with_the_commands_that_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(monkeypatch, *TYPED) == 0
    assert main(["orders", "포트폴리오.xlsx", "-o", "orders.csv"]) == 0
    assert main(["record", "포트폴리오.xlsx"]) == 0
    document = json.loads((folder / "포트폴리오.plan.json").read_text(encoding="utf-8"))
    portfolio = load(folder / "포트폴리오.xlsx")
    assert portfolio.accounts[0].cash["KRW"] == document["cash"]["after"]["KRW"]
    assert main(["plan", "포트폴리오.xlsx", "--prices", "prices.csv", "--as-of", "2026-11-20", "--check"]) == 0


def test_a_brokers_file_is_read_with_its_prices(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "none.csv").write_text("symbol,price,currency\n305080,12800,KRW\n", encoding="utf-8")
    lines = (*BEGIN, "1", str(EXPORTS / "kiwoom.csv"), "", "0", "52300")
    assert answer(monkeypatch, *lines, more=("--prices", "none.csv")) == 0
    assert {one.symbol for one in load(folder / "포트폴리오.xlsx").holdings if one.quantity} == {"360750", "005930"}


def test_prices_of_an_old_export_are_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ("", "", "", "", OWN, "VTI 100", "", "1", str(EXPORTS / "schwab.csv"), "", "0", "345.67")
    assert answer(monkeypatch, *lines, lang="en") == 0
    out, err = capsys.readouterr()
    assert "Price of Vanguard Total Stock Market ETF (VTI) in USD" in err
    assert "$345.67" in out
    assert "--cash-flow 500 " in out


def test_a_file_that_is_none_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (*BEGIN, "1", "none.csv", str(EXPORTS / "binary.csv"), str(EXPORTS / "kiwoom.csv"), "", "0")
    assert answer(monkeypatch, *lines) == 0
    assert "none.csv: 파일이 없습니다" in capsys.readouterr().err


def test_yaml_is_written_where_it_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(monkeypatch, *TYPED, more=("-o", "mine.yaml")) == 0
    assert load(folder / "mine.yaml").name == "지은"
    assert (folder / "mine.plan.json").exists()


def test_accounts_keep_their_kinds_and_their_own_cash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = ("", "", "", "1,2", *BEGIN[4:])
    assert answer(monkeypatch, *begin, "2", "360750 10", "2", "", "1000000", "500000") == 0
    portfolio = load(folder / "포트폴리오.xlsx")
    assert [(one.name, one.type, one.cash.get("KRW")) for one in portfolio.accounts] == [
        ("일반", "taxable", 1_000_000), ("ISA", "isa", 500_000)]  # fmt: skip
    assert [one.account for one in portfolio.holdings if one.quantity] == ["ISA"]


def test_a_model_brings_its_targets_and_rules(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prices = "".join(
        f"{s},10000,KRW,2026-11-20\n" for s in ("379800", "069500", "305080", "273130", "139320", "458730")
    )
    (folder / "prices.csv").write_text("symbol,price,currency,as_of\n" + prices, encoding="utf-8")
    assert answer(monkeypatch, "", "", "", "", "", "3", "10000000") == 0
    portfolio = load(folder / "포트폴리오.xlsx")
    assert [section.name for section in portfolio.sections] == ["core", "satellite"]
    assert portfolio.sections[0].rule.schedule == "semi-annual"


def test_an_american_gets_dollars_and_american_accounts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "prices.csv").write_text("symbol,price,currency,as_of\nVTI,340,USD,2026-11-20\n", encoding="utf-8")
    assert answer(monkeypatch, "", "", "", "2", OWN, "VTI 90", "", "3", "10000", lang="en") == 0
    portfolio = load(folder / "portfolio.xlsx")
    assert (portfolio.base_currency, portfolio.settings.residence) == ("USD", "US")
    assert [(one.name, one.type) for one in portfolio.accounts] == [("IRA", "ira")]
    assert "₩" not in capsys.readouterr().out


def test_with_nothing_to_invest_the_cash_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(monkeypatch, *BEGIN, "3", "0", "", "1000000") == 0
    assert capsys.readouterr().err.count("투자할 것이 없습니다") == 2


def test_back_asks_the_question_before_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = ("지은", "2", "<", "영희", "1", "", "", *BEGIN[4:])
    assert answer(monkeypatch, *begin, "3", "1000000") == 0
    assert load(folder / "포트폴리오.xlsx").name == "영희"


def test_answers_wait_where_one_stops_and_are_gone_on_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(monkeypatch, *BEGIN) == 1
    assert "이어서 하세요" in capsys.readouterr().err
    assert not list(folder.glob("*.xlsx"))
    assert answer(monkeypatch, "y", "3", "1000000") == 0
    assert load(folder / "포트폴리오.xlsx").name == "지은"
    assert not init.DRAFT.exists()


def test_a_file_that_exists_is_not_written_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(monkeypatch, *TYPED) == 0
    assert answer(monkeypatch, *TYPED, more=("-o", "포트폴리오.xlsx")) == 2
    assert answer(monkeypatch, *TYPED) == 0
    assert (folder / "포트폴리오-2.xlsx").exists()


def test_without_prices_the_portfolio_is_written_and_the_next_command_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "none.csv").write_text("symbol,price,currency\n", encoding="utf-8")
    assert answer(monkeypatch, *TYPED, "", more=("--prices", "none.csv")) == 3
    assert "plan 포트폴리오.xlsx" in capsys.readouterr().err
    assert load(folder / "포트폴리오.xlsx").name == "지은"


def test_a_number_that_is_none_of_the_choices_is_asked_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ("0", "7", "x", "1 2")
    assert answer(monkeypatch, *BEGIN, *wrong, "3", "1000000") == 0
    assert capsys.readouterr().err.count("1부터 3까지") == len(wrong)


@pytest.mark.parametrize(
    ("line", "name", "numbers"),
    [
        ("KODEX 200 40", "KODEX 200", [40]),
        ("KODEX 200 40 36000", "KODEX 200", [40, 36000]),
        ("KODEX 200, 40, 36,000", "KODEX 200", [40, 36000]),
        ("VTI 12.5 250.10", "VTI", ["12.5", "250.1"]),
        ("360750\t120", "360750", [120]),
        ("TIGER 미국S&P500; 120; 16,200", "TIGER 미국S&P500", [120, 16200]),
    ],
)
def test_a_line_is_a_name_and_numbers(line: str, name: str, numbers: list[str]) -> None:
    assert read_line(line, 2) == (name, tuple(Decimal(number) for number in numbers))


@pytest.mark.parametrize("line", ["KODEX", "40", "", "VTI twelve"])
def test_a_line_without_a_name_or_a_number_is_none(line: str) -> None:
    assert read_line(line, 2) is None


def test_a_draft_keeps_every_answer() -> None:
    answers = FirstAnswers("a", "KR", "KRW", {"x": "isa"}, "", {"VTI": "60"}, {"f": "x"},
                           (TypedHolding("VTI", "1", "2", "x"),), {"x": "5"})  # fmt: skip
    assert FirstAnswers.from_draft(answers.to_draft()) == answers


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"holdings": 1}', '{"holdings": [], "strange": 1}'])
def test_what_is_no_draft_is_none(text: str) -> None:
    assert FirstAnswers.from_draft(text) is None


def test_the_command_that_is_named_is_one_that_a_shell_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert invocation() == "python -m uv run rebalancer"
    program = tmp_path / "rebalancer"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert invocation() == "rebalancer"
