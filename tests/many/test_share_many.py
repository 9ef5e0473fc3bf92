"""`rebalancer share FILE… -o DIR`: a values-only copy of each, on prices that are asked for once."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.market import chain
from engine.market.quoting import QuoteBatch
from engine.quote import Quote
from tests.many.test_many_files import DAY, PRICES, portfolio
from xl_addin.cli import main


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "prices.csv").write_text(PRICES)
    for name in ("kim", "lee"):
        (tmp_path / f"{name}.yaml").write_text(portfolio(name, 350, 1))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def share(*arguments: str) -> int:
    return main(["share", *arguments, "-o", "copies", "--lang", "en", "--allow-stale"])


def test_copies_of_several_go_into_a_folder(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert share("kim.yaml", "lee.yaml", "gone.yaml", "--prices", "prices.csv") == 2
    assert sorted(path.name for path in (work / "copies").iterdir()) == ["kim.xlsx", "lee.xlsx"]
    out, err = capsys.readouterr()
    assert "2 workbooks" in out
    assert "[no-such-file]" in err


@pytest.mark.slow
def test_a_planned_workbook_is_copied_as_it_stands(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["plan", "kim.yaml", "lee.yaml", "-o", "plans", "--prices", "prices.csv", *DAY]) == 0
    monkeypatch.setattr("rebalancer.planning.planned", lambda *_: pytest.fail("it is planned already"))
    assert share("plans") == 0
    assert sorted(path.name for path in (work / "copies").iterdir()) == ["kim.xlsx", "lee.xlsx"]


def test_prices_are_asked_for_once(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.data.prices import parse_prices

    asked: list[list[str]] = []
    given, _ = parse_prices(PRICES, "prices")

    def told(symbols: list[str], **_: object) -> QuoteBatch:
        asked.append(sorted(symbols))
        found: dict[str, Quote] = {symbol: given[symbol] for symbol in symbols}
        return QuoteBatch(found, {}, 1, ())

    monkeypatch.setattr(chain, "quotes", told)
    assert share("kim.yaml", "lee.yaml") == 0
    assert asked == [["360750", "QQQ", "USDKRW"]]


def test_a_copy_is_not_written_among_the_portfolios(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["share", "kim.yaml", "lee.yaml", "-o", "."]) == 2
    assert "[output-among-input]" in capsys.readouterr().err
