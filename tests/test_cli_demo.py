"""`rebalancer demo`: offline, loudly labelled, never over a person's file."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
from openpyxl import load_workbook

from engine.words import say
from rebalancer.samples import sample_quotes, sample_text
from xl_addin.cli import main
from xl_addin.show.terminal import display_width


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> NoReturn:
        pytest.fail("the demonstration asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def document(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> dict[str, Any]:
    assert main(["demo", "-o", str(tmp_path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("lang", "label"), [("en", "!! SAMPLE PRICES of 2026-11-20"), ("ko", "!! 2026-11-20 예시 시세")]
)
def test_the_report_says_loudly_that_prices_are_samples(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, lang: str, label: str
) -> None:
    assert main(["demo", "-o", str(tmp_path), "--lang", lang]) == 0
    assert label in capsys.readouterr().out


@pytest.mark.parametrize(("lang", "word"), [("en", "Rebalance: sell"), ("ko", "리밸런싱 필요: 매도")])
def test_the_first_screen_says_what_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, word: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["demo", "-o", str(tmp_path), "--lang", lang]) == 0
    screen = capsys.readouterr().out.splitlines()[:24]
    assert screen[0].startswith(word)
    assert "\n!! " in "\n".join(screen)
    assert say("caption.trades", lang) in screen
    assert [line for line in screen if display_width(line) > 80] == []


def test_the_workbook_says_so_too(tmp_path: Path) -> None:
    assert main(["demo", "-o", str(tmp_path), "--lang", "en"]) == 0
    dashboard = load_workbook(tmp_path / "demo-plan.xlsx")["Dashboard"]
    assert str(dashboard["B4"].value).startswith("SAMPLE PRICES")
    assert "sample 2026-11-20" in str(dashboard["B2"].value)


def test_the_document_says_so_too(document: dict[str, Any]) -> None:
    assert document["problems"][0]["code"] == "sample-prices"
    assert {position["price_source"] for position in document["positions"]} == {"sample"}


def test_the_place_of_the_workbook_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--lang", "en"]) == 0
    assert capsys.readouterr().out.endswith(f"Workbook: {tmp_path / 'demo-plan.xlsx'}\n")
    assert (tmp_path / "demo-plan.xlsx").exists()


def test_an_earlier_workbook_is_never_replaced(tmp_path: Path, document: dict[str, Any]) -> None:
    first = (tmp_path / "demo-plan.xlsx").read_bytes()
    assert document["workbook"] == str(tmp_path / "demo-plan.xlsx")
    assert main(["demo", "-o", str(tmp_path)]) == 0
    assert (tmp_path / "demo-plan-2.xlsx").exists()
    assert (tmp_path / "demo-plan.xlsx").read_bytes() == first


def test_a_folder_that_is_not_there_is_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["demo", "-o", str(tmp_path / "new" / "folder")]) == 0
    assert (tmp_path / "new" / "folder" / "demo-plan.xlsx").exists()
    capsys.readouterr()


def test_a_file_in_place_of_the_folder_is_bad_input(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["demo", "-o", str(tmp_path / "file"), "--lang", "en"]) == 2
    assert "no folder can be made here" in capsys.readouterr().err


def test_the_sample_mixes_markets_currencies_types_and_accounts(document: dict[str, Any]) -> None:
    positions = document["positions"]
    assert len(positions) == 14
    assert {position["market"] for position in positions} == {"KR", "US"}
    assert {position["currency"] for position in positions} == {"KRW", "USD"}
    assert {position["asset_type"] for position in positions} == {"etf", "stock"}
    assert {position["section"] for position in positions} == {"core", "satellite", None}
    assert {account for position in positions for account in position["accounts"]} == {"국내", "해외"}


def test_the_sample_has_drifted_both_ways_and_holds_something_without_a_target(document: dict[str, Any]) -> None:
    assert {position["status"] for position in document["positions"]} >= {"OK", "OVER", "UNDER", "NO_TARGET"}
    assert document["needs_rebalancing"]
    assert {trade["side"] for trade in document["trades"]} == {"buy", "sell"}


def test_every_sample_price_is_of_one_day() -> None:
    quotes, day, _ = sample_quotes()
    assert {quote.as_of.date() for quote in quotes.values() if quote.as_of} == {day}
    assert all(quote.as_of for quote in quotes.values())


def test_the_sample_portfolio_is_labelled_in_its_first_line() -> None:
    assert sample_text("portfolio.yaml").startswith("# SAMPLE:")
