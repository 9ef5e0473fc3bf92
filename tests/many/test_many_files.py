"""`rebalancer plan FILE…`: who needs what, prices asked for once, one failure listed and the rest done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.market import chain
from engine.market.quoting import QuoteBatch
from xl_addin.cli import main

PRICES = """symbol,price,currency,as_of
360750,20000,KRW,2026-11-20
069500,35000,KRW,2026-11-20
QQQ,500.00,USD,2026-11-20
USDKRW,1400,KRW,2026-11-20
"""
DAY = ("--as-of", "2026-11-20")


def portfolio(name: str, korean: int, american: int, *, base: str = "KRW", cash: str = "{KRW: 100000}") -> str:
    """Return a portfolio file of two instruments, half and half."""
    return f"""portfolio:
  name: {name}
  base_currency: {base}
  holdings:
    - {{symbol: "360750", quantity: {korean}}}
    - {{symbol: QQQ, quantity: {american}}}
  cash: {cash}
  targets:
    - {{ticker: "360750", weight: 0.5}}
    - {{ticker: QQQ, weight: 0.5}}
"""


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of three: one far off, one in order, one in dollars; prices beside it; work beside it."""
    folder = tmp_path / "clients"
    folder.mkdir()
    (folder / "kim.yaml").write_text(portfolio("김", 350, 10), encoding="utf-8")
    (folder / "lee.yaml").write_text(portfolio("이", 350, 1), encoding="utf-8")
    (folder / "park.yaml").write_text(portfolio("Park", 700, 20, base="USD", cash="{USD: 70}"), encoding="utf-8")
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return folder


def planned(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    """Return the JSON document of a run that leaves with a status."""
    assert main(["plan", *arguments, "--prices", "prices.csv", *DAY, "--json"]) == status
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)  # type: ignore[no-any-return]


def files(clients: Path) -> list[str]:
    return [str(path) for path in sorted(clients.iterdir())]


def test_several_files_are_a_table_sorted_by_need(clients: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = planned(capsys, *files(clients))
    assert [(one["client"], one["status"]) for one in found["portfolios"]] == [
        ("이", "rebalance"), ("김", "ok"), ("Park", "ok"),
    ]  # fmt: skip


def test_one_outside_that_no_order_helps_is_not_in_order(clients: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # All it could sell is locked.
    text = portfolio("최", 350, 1).replace("quantity: 350", "quantity: 350, locked: true")
    (clients / "choi.yaml").write_text(text + "settings: {mode: sell-only}\n", encoding="utf-8")
    status = {one["client"]: one["status"] for one in planned(capsys, *files(clients))["portfolios"]}
    assert status == {"이": "rebalance", "최": "stuck", "김": "ok", "Park": "ok"}
    assert main(["plan", *files(clients), "--prices", "prices.csv", *DAY]) == 0
    assert "1 to rebalance, 2 in order. 1 outside, with no order" in capsys.readouterr().out


def test_a_row_has_the_figures_of_the_plan_of_its_file(clients: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = planned(capsys, str(clients / "lee.yaml"))
    row = planned(capsys, *files(clients))["portfolios"][0]
    assert (row["total_value"], row["drift"], row["orders"]) == (
        alone["total_value"], alone["drift"], len(alone["trades"]),
    )  # fmt: skip
    assert row["problems"] == alone["problems"]


def test_nothing_is_added_up_over_several_currencies(clients: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = planned(capsys, *files(clients))
    assert {one["base_currency"]: one["portfolios"] for one in found["totals"]} == {"KRW": 2, "USD": 1}
    assert sum(one["total_value"] for one in found["portfolios"] if one["base_currency"] == "KRW") == next(
        one["total_value"] for one in found["totals"] if one["base_currency"] == "KRW"
    )


def test_one_that_cannot_be_read_is_listed_and_the_rest_is_done(
    clients: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clients / "bad.yaml").write_text("nothing", encoding="utf-8")
    found = planned(capsys, *files(clients), "gone.yaml", status=2)
    assert (found["planned"], found["failed"]) == (3, 2)
    assert [one["code"] for one in found["problems"]] == ["wrong-type", "no-such-file"]


def test_a_missing_price_is_status_3_and_bad_input_comes_before_it(
    clients: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clients / "far.yaml").write_text(portfolio("far", 1, 1).replace("360750", "005930"), encoding="utf-8")
    assert planned(capsys, *files(clients), "--offline", status=3)["failed"] == 1
    planned(capsys, *files(clients), "gone.yaml", "--offline", status=2)


def test_the_prices_of_all_are_asked_for_once(
    clients: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[list[str]] = []

    def none(symbols: list[str], **_: object) -> QuoteBatch:
        asked.append(sorted(symbols))
        return QuoteBatch({}, {}, 1, ())

    monkeypatch.setattr(chain, "quotes", none)
    assert main(["plan", *files(clients), *DAY]) == 3
    capsys.readouterr()
    assert asked == [["360750", "QQQ", "USDKRW"]]


@pytest.mark.parametrize(("lang", "verdict"), [("en", "1 to rebalance, 2 in order"), ("ko", "리밸런싱 필요 1개")])
def test_the_verdict_comes_first(clients: Path, capsys: pytest.CaptureFixture[str], lang: str, verdict: str) -> None:
    assert main(["plan", *files(clients), "--prices", "prices.csv", *DAY, "--lang", lang]) == 0
    assert verdict in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize("width", [80, 160])
def test_the_table_fits_the_terminal(
    clients: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    from xl_addin.show.terminal import display_width

    monkeypatch.setenv("COLUMNS", str(width))
    long = portfolio("the portfolio of somebody whose name is long", 350, 1)
    (clients / "long.yaml").write_text(long, encoding="utf-8")
    assert main(["plan", *files(clients), "--prices", "prices.csv", *DAY, "--lang", "ko"]) == 0
    assert max(map(display_width, capsys.readouterr().out.splitlines())) <= width
