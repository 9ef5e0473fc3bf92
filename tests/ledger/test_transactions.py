"""Brokers' lists of transactions into the ledger: each thing once, everything unreadable told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import rebalancer
from engine.data.brokers import parse_transactions
from engine.ledger.account import differences
from rebalancer.ledgers import ledger_file, read_ledger
from xl_addin.cli import main

FILES = Path(__file__).parents[1] / "import_files" / "transactions"
#: The same nine months, as every broker writes them.
STORY = [
    "2026-01-05 deposit 10000",
    "2026-01-06 buy VTI 10 for 3000 cost 1",
    "2026-01-06 buy VTI 10 for 3000 cost 1",
    "2026-02-10 dividend VTI 12 tax 1.8",
    "2026-03-03 buy SCHD 30 for 2400",
    "2026-04-01 split SCHD 3",
    "2026-05-04 sell VTI 5 for 1600 cost 1.05",
    "2026-06-15 buy SCHD 0.5 for 14",
    "2026-06-15 dividend SCHD 14",
    "2026-07-01 interest 3.25",
    "2026-08-03 fee 5",
    "2026-09-01 withdrawal 500",
]
#: Portfolio Performance and this form of Interactive Brokers' restate what was bought before a split.
RESTATED = [
    line.replace("SCHD 30 for", "SCHD 90 for") for line in STORY if not line.startswith("2026-04-01 split")
]  # fmt: skip
UNSPLIT = ("pp.csv", "pp-german.csv", "ib-history.csv")
FEES_APART = ("robinhood.csv",)
KOREAN = {
    "kiwoom.csv": [
        "2026-01-05 deposit 10000000",
        "2026-01-06 buy 005930 10 for 800000 cost 120",
        "2026-02-02 exchange-out 1400000",
        "2026-02-02 exchange-in 1000",
        "2026-03-04 buy QLD 2 for 100 cost 0.1",
        "2026-04-01 split QLD 2",
        "2026-05-04 dividend QLD 12 tax 1.8",
        "2026-06-01 interest 3000 tax 462",
        "2026-07-01 sell 005930 4 for 340000 cost 51 tax 680",
    ],
    "mirae.csv": [
        "2026-01-05 deposit 10000000",
        "2026-01-06 buy 005930 10 for 800000 cost 120",
        "2026-03-04 buy QLD 2 for 100 cost 0.1",
        "2026-05-04 dividend 005930 3000 tax 462",
        "2026-06-01 interest 3000",
        "2026-07-01 sell 005930 4 for 340000 cost 51",
    ],
    "korean.csv": [
        "2026-01-05 deposit 10000000",
        "2026-01-06 buy 005930 10 for 800000 cost 120",
        "2026-05-04 dividend 005930 3000 tax 462",
        "2026-07-01 sell 005930 4 for 340000 cost 51 tax 680",
        "2026-09-01 withdrawal 500000",
    ],
}


def told(path: Path) -> list[str]:
    """Return the ledger's entries as the stories above are written."""
    lines = []
    for one in read_ledger(path).standing:
        size = [one.symbol] if one.symbol else []
        if one.quantity:
            size += [f"{one.quantity.normalize():f}", *(["for"] if one.amount else [])]
        if one.amount:
            size.append(f"{one.amount.normalize():f}")
        size += [part for name in ("cost", "tax") if (n := getattr(one, name)) for part in (name, f"{n.normalize():f}")]
        lines.append(" ".join((one.date.isoformat(), one.kind, *size)))
    return sorted(lines)


def begin(tmp_path: Path, name: str, *more: str) -> Path:
    path = tmp_path / "my.yaml"
    assert main(["import", str(FILES / name), "--ledger", "-o", str(path), *more]) == 0
    return path


def agrees(path: Path) -> bool:
    portfolio = rebalancer.load(path)
    return differences(read_ledger(path).books(portfolio.base_currency), portfolio) == ()


@pytest.mark.parametrize("name", sorted(one.name for one in FILES.iterdir() if one.name not in KOREAN))
def test_every_broker_s_file_tells_the_same_story(tmp_path: Path, name: str) -> None:
    path = begin(tmp_path, name)
    story = RESTATED if name in UNSPLIT else STORY
    if name in FEES_APART:  # the amount holds what the form has no column for
        story = [line.replace("3000 cost 1", "3001").replace("1600 cost 1.05", "1598.95") for line in story]
    assert told(path) == sorted(story)
    held = {one.symbol: one.quantity for one in rebalancer.load(path).holdings}
    assert held == {"VTI": 15, "SCHD": Decimal("90.5")}
    assert rebalancer.load(path).accounts[0].cash["USD"] == Decimal("2705.4")
    assert agrees(path)


@pytest.mark.parametrize("name", sorted(KOREAN))
def test_korean_brokers_files(tmp_path: Path, name: str) -> None:
    path = begin(tmp_path, name, "--currency", "KRW")
    assert told(path) == sorted(KOREAN[name])
    assert agrees(path)


@pytest.mark.parametrize("name", ["schwab.csv", "flex.xml", "story.ofx", "kiwoom.csv"])
def test_the_same_export_again_adds_nothing(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = begin(tmp_path, name, "--currency", "KRW" if name in KOREAN else "USD")
    before, ledger = path.read_bytes(), ledger_file(path).read_bytes()
    assert main(["import", str(FILES / name), "--into", str(path), "--ledger", "-o", str(path)]) == 0
    assert (path.read_bytes(), ledger_file(path).read_bytes()) == (before, ledger)
    capsys.readouterr()


def part(tmp_path: Path, name: str, rows: slice) -> Path:
    """Return a Schwab export of some of its rows, newest first as it has them."""
    lines = (FILES / "schwab.csv").read_text(encoding="utf-8").splitlines()
    path = tmp_path / name
    path.write_text("\n".join([*lines[:2], *lines[2:-1][rows], lines[-1]]) + "\n", encoding="utf-8")
    return path


def test_overlapping_exports_add_what_is_new_and_two_equal_trades_of_a_day_both_stay(tmp_path: Path) -> None:
    first, second = part(tmp_path, "first.csv", slice(6, None)), part(tmp_path, "second.csv", slice(0, 12))
    path = tmp_path / "my.yaml"
    assert main(["import", str(first), "--ledger", "-o", str(path)]) == 0
    assert main(["import", str(second), "--into", str(path), "--ledger", "-o", str(path)]) == 0
    assert told(path) == sorted(STORY)
    assert agrees(path)


def test_what_was_taken_back_can_come_again(tmp_path: Path) -> None:
    first = part(tmp_path, "first.csv", slice(6, None))
    path = tmp_path / "my.yaml"
    assert main(["import", str(first), "--ledger", "-o", str(path)]) == 0
    whole = ["import", str(FILES / "schwab.csv"), "--into", str(path), "--ledger", "-o", str(path)]
    before = path.read_bytes()
    assert main(whole) == 0
    after = path.read_bytes()
    assert main(["record", str(path), "--undo"]) == 0
    assert path.read_bytes() == before
    assert agrees(path)
    assert main(whole) == 0
    assert path.read_bytes() == after
    assert told(path) == sorted(STORY)


def test_without_a_place_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.yaml"
    assert main(["import", str(part(tmp_path, "first.csv", slice(6, None))), "--ledger", "-o", str(path)]) == 0
    files = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    capsys.readouterr()
    assert main(["import", str(FILES / "schwab.csv"), "--into", str(path), "--ledger", "--lang", "en"]) == 0
    out = capsys.readouterr().out
    assert "New entries: 6" in out
    assert "In the ledger already: 6" in out
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == files


def test_every_row_that_cannot_be_read_is_told_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (FILES / "schwab.csv").read_text(encoding="utf-8")
    text = (
        text.replace("05/04/2026", "05/44/2026")
        .replace('"Service Fee"', '"Strange Thing"')
        .replace('"$80.00"', '"8O.00"')
    )
    broken = tmp_path / "broken.csv"
    broken.write_text(text.replace('"0.5","$28.00"', '"5","$28.00"'), encoding="utf-8")
    path = tmp_path / "my.yaml"
    assert main(["import", str(broken), "--ledger", "-o", str(path), "--lang", "en"]) == 2
    err = " ".join(capsys.readouterr().err.split())
    for expected in (
        "broken.csv row 8, column Date: '05/44/2026' is no day",
        "row 4, column Action: 'Strange Thing' is no kind of transaction",
        "row 10, column Price: '8O.00'",
        "row 6, column Price: 5 at 28 are not 14",
    ):
        assert expected in err, err
    assert not path.exists()
    assert not ledger_file(path).exists()


def test_a_word_that_is_not_known_can_be_said(tmp_path: Path) -> None:
    text = (FILES / "schwab.csv").read_text(encoding="utf-8").replace('"Service Fee"', '"Strange Thing"')
    strange = tmp_path / "strange.csv"
    strange.write_text(text, encoding="utf-8")
    path = tmp_path / "my.yaml"
    assert main(["import", str(strange), "--ledger", "-o", str(path), "--map", "Strange Thing=fee"]) == 0
    assert told(path) == sorted(STORY)


HELD = """portfolio:
  base_currency: USD
  holdings:
    - {symbol: VTI, quantity: 115, average_cost: 200}
    - {symbol: SCHD, quantity: 90.5}
  cash: {USD: 2705.40}
  targets:
    - {ticker: VTI, weight: 0.7}   # mine
"""


def test_a_portfolio_that_was_there_before_is_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(HELD, encoding="utf-8")
    command = ["import", str(FILES / "schwab.csv"), "--into", str(path), "--ledger", "--lang", "en"]
    assert main(command) == 2
    assert "--correct" in capsys.readouterr().err
    assert main([*command, "-o", str(path)]) == 2
    assert path.read_text(encoding="utf-8") == HELD
    assert not ledger_file(path).exists()
    assert main([*command, "-o", str(path), "--correct"]) == 0  # the file is what is held after them
    assert path.read_text(encoding="utf-8") == HELD
    assert agrees(path)
    assert "2026-01-04 opening VTI 100" in told(path)


def test_holdings_are_rebuilt_from_transactions(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(HELD, encoding="utf-8")
    command = ["import", str(FILES / "schwab.csv"), "--into", str(path), "--ledger", "-o", str(path), "--rebuild"]
    assert main(command) == 0
    assert {one.symbol: one.quantity for one in rebalancer.load(path).holdings} == {"VTI": 15, "SCHD": Decimal("90.5")}
    assert "# mine" in path.read_text(encoding="utf-8")
    assert agrees(path)


def test_a_file_changed_by_hand_is_rebuilt_from_its_ledger(tmp_path: Path) -> None:
    path = begin(tmp_path, "schwab.csv")
    right = rebalancer.load(path)
    path.write_text(path.read_text(encoding="utf-8").replace("quantity: 15", "quantity: 99"), encoding="utf-8")
    assert not agrees(path)
    assert main(["record", str(path), "--rebuild"]) == 0
    assert rebalancer.load(path).holdings == right.holdings
    assert main(["record", str(path), "--undo"]) == 0  # the file alone: the ledger did not change
    assert "quantity: 99" in path.read_text(encoding="utf-8")
    assert told(path) == sorted(STORY)


def test_what_a_plan_booked_the_day_before_is_not_booked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("portfolio: {base_currency: USD, cash: {USD: 9000}, targets: [{ticker: VTI, weight: 1}]}\n")
    fills = tmp_path / "fills.csv"
    fills.write_text("symbol,side,quantity,price\nVTI,buy,10,299.5\n", encoding="utf-8")
    assert main(["record", str(path), "--fills", str(fills), "--date", "2026-01-05"]) == 0
    export = tmp_path / "schwab.csv"
    head = (FILES / "schwab.csv").read_text(encoding="utf-8").splitlines()[:2]
    row = '"01/06/2026","Buy","VTI","VANGUARD","10","$299.48","$0.00","-$2,994.80"'
    export.write_text("\n".join([*head, row]) + "\n", encoding="utf-8")
    before = path.read_bytes()
    assert main(["import", str(export), "--into", str(path), "--ledger", "-o", str(path), "--lang", "en"]) == 0
    assert "looks like the one booked on 2026-01-05" in " ".join(capsys.readouterr().err.split())
    assert path.read_bytes() == before


def test_an_instrument_in_another_currency_is_paid_by_an_exchange() -> None:
    text = (
        "Date,Type,Value,Transaction Currency,Gross Amount,Currency Gross Amount,Exchange Rate,Fees,Taxes,Shares,"
        "ISIN,WKN,Ticker Symbol,Security Name,Note\n"
        '2026-01-06T09:30,Buy,-905.00,EUR,"1,000.00",USD,0.9,5.00,,10,US9229087690,,VTI,Vanguard,\n'
        "2026-02-10T00:00,Dividend,9.00,EUR,12.00,USD,0.9,,1.80,,US9229087690,,VTI,Vanguard,\n"
    )
    found = parse_transactions(text.encode(), "pp.csv")
    assert [p for p in found.problems if p.severity == "error"] == []
    lines = [(one.kind, one.currency, one.amount.quantize(Decimal("0.01"))) for one in found.transactions]
    assert lines == [
        ("exchange-out", "EUR", Decimal("905.00")),
        ("exchange-in", "USD", Decimal("1005.56")),
        ("buy", "USD", Decimal("1000.00")),
        ("dividend", "USD", Decimal("12.00")),
        ("exchange-out", "USD", Decimal("10.00")),
        ("exchange-in", "EUR", Decimal("9.00")),
    ]


@pytest.mark.parametrize(("bought", "sold"), [("3000", "1600"), ("3001", "1598.95")], ids=["without", "with"])
def test_an_amount_of_an_own_list_is_with_or_without_costs_as_its_price_says(
    bought: str, sold: str, tmp_path: Path
) -> None:
    (tmp_path / "own.csv").write_text(
        "Date,Type,Symbol,Quantity,Price,Amount,Currency,Fees\n"
        "2026-01-05,Deposit,,,,10000,USD,\n"
        f"2026-01-06,Buy,VTI,10,300,{bought},USD,1\n"
        f"2026-05-04,Sell,VTI,5,320,{sold},USD,1.05\n",
        encoding="utf-8",
    )
    assert main(["import", str(tmp_path / "own.csv"), "--ledger", "-o", str(tmp_path / "mine.yaml")]) == 0
    lines = [
        "2026-01-05 deposit 10000",
        "2026-01-06 buy VTI 10 for 3000 cost 1",
        "2026-05-04 sell VTI 5 for 1600 cost 1.05",
    ]
    assert told(tmp_path / "mine.yaml") == lines
    assert rebalancer.load(tmp_path / "mine.yaml").accounts[0].cash["USD"] == Decimal("8597.95")
