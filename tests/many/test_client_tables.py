"""One table with the holdings of many clients: each read exactly, or refused with its row and what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.data.clients import ClientTable
from engine.errors import warning
from engine.phrase import place
from engine.portfolio import Portfolio
from rebalancer import InputError
from rebalancer.gathering import Gathering, is_portfolio, one_portfolio
from tests.many.test_many_files import DAY, PRICES, portfolio
from xl_addin.cli import main

HEAD = "client,symbol,quantity,weight,KRW,base_currency,model"


def table(folder: Path, *rows: str, head: str = HEAD, name: str = "clients.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text("\n".join([head, *rows]) + "\n", encoding=encoding)
    return path


def read(path: Path, **shared: Any) -> dict[str, Portfolio]:
    return {one.id: one.load() for one in Gathering([path], **shared)}


def faults(path: Path, **shared: Any) -> dict[str, list[str]]:
    """Return the places and codes of what keeps each client from being read."""
    found: dict[str, list[str]] = {}
    for one in Gathering([path], **shared):
        try:
            one.load()
        except InputError as fault:
            found[one.id] = [f"{p.where} {p.code}" for p in fault.problems if p.severity == "error"]
    return found


def test_a_client_is_all_rows_of_its_name(tmp_path: Path) -> None:
    rows = ["kim,360750,350,0.5,100000,KRW,", "lee,QQQ,3,1,,USD,", "kim,QQQ,10,50%,,,"]
    found = read(table(tmp_path, *rows))
    assert [(one.symbol, one.quantity) for one in found["kim"].holdings] == [("360750", 350), ("QQQ", 10)]
    assert [target.weight for _, target in found["kim"].targets()] == [Decimal("0.5"), Decimal("0.5")]
    assert (found["kim"].base_currency, found["kim"].accounts[0].cash) == ("KRW", {"KRW": 100000})
    assert (found["lee"].base_currency, found["lee"].name) == ("USD", "lee")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_korean_headers_are_read_in_every_usual_form(tmp_path: Path, encoding: str, mark: str) -> None:
    rows = ("김민수,360750,350,16200,1,키움", "김민수,현금,500000,,,키움")
    head = "고객명,종목코드,보유수량,평균단가,목표비중,계좌"
    path = table(tmp_path, *(row.replace(",", mark) for row in rows), head=head.replace(",", mark), encoding=encoding)
    (found,) = read(path, model="growth").values()
    assert found.holdings[0].average_cost == 16200
    assert found.accounts[0].cash == {"KRW": 500000}


def test_accounts_have_their_own_cash_and_type(tmp_path: Path) -> None:
    head = "client,account,account_type,symbol,quantity,weight,base_currency"
    rows = ["kim,A,taxable,360750,3,1,KRW", "kim,A,,KRW,1000,,", "kim,ISA,isa,KRW,2000,,"]
    found = read(table(tmp_path, *rows, head=head))["kim"]
    assert [(one.name, one.type, one.cash) for one in found.accounts] == [
        ("A", "taxable", {"KRW": 1000}), ("ISA", "isa", {"KRW": 2000}),
    ]  # fmt: skip


def test_a_client_takes_a_model_a_targets_file_or_the_one_of_all(tmp_path: Path) -> None:
    (tmp_path / "house.csv").write_text("ticker,weight\nSCHD,1\n")
    (tmp_path / "all.csv").write_text("ticker,weight\nQQQ,1\n")
    rows = ["a,QQQ,1,,,USD,sixty-forty", "b,QQQ,1,,,USD,house.csv", "c,QQQ,1,,,USD,", "d,QQQ,1,1,,USD,"]
    found = read(table(tmp_path, *rows), targets=tmp_path / "all.csv")
    assert [[target.symbol for _, target in found[name].targets()] for name in "bcd"] == [["SCHD"], ["QQQ"], ["QQQ"]]
    assert len(list(found["a"].targets())) > 1


def test_a_list_of_clients_with_models_and_cash_is_such_a_table(tmp_path: Path) -> None:
    path = table(tmp_path, 'Kim,growth,ko,"1,000,000"', "Lee,sixty-forty,en,5", head="Name,Model,Lang,KRW")
    gathering = Gathering([path])
    assert [one.lang for one in gathering] == ["ko", "en"]
    assert [one.load().accounts[0].cash for one in gathering] == [{"KRW": 1000000}, {"KRW": 5}]


def test_each_bad_row_is_told_and_costs_its_own_client_alone(tmp_path: Path) -> None:
    rows = [
        "good,QQQ,1,1,,USD,", "number,QQQ,many,1,,USD,", "extra,QQQ,1,1,,USD,,more", "two,QQQ,1,1,5,USD,",
        "two,QQQ,1,,6,USD,", "none,QQQ,1,,,USD,", "model,QQQ,1,,,USD,grwoth", "symbol,,1,1,,USD,",
        "cash,QQQ,1,1,5,USD,", "cash,KRW,5,,,,", ",QQQ,1,1,,USD,",
    ]  # fmt: skip
    path = table(tmp_path, *rows)
    told = {name: [one.replace(str(path), "t") for one in each] for name, each in faults(path).items()}
    assert told == {
        "number": ["t row 3, column quantity not-a-number"],
        "extra": ["t row 4 extra-cell"],
        "two": ["t row 6, column KRW client-contradicts"],
        "none": ["t row 7 client-without-targets"],
        "model": ["t row 8 unknown-model"],
        "symbol": ["t row 9, column symbol missing"],
        "cash": ["t row 10, column KRW client-cash-twice"],
    }
    assert [one.code for one in ClientTable(path).problems] == ["client-missing"]


def test_a_second_client_of_one_name_in_a_list_is_told(tmp_path: Path) -> None:
    path = table(tmp_path, "Kim,growth,5", "Kim,blank,6", head="Name,Model,KRW")
    assert [one.code for one in ClientTable(path).problems] == ["duplicate-name"]
    assert [one.load().accounts[0].cash["KRW"] for one in Gathering([path])] == [5]


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("symbol,quantity,weight", "no-client-column"),
        ("client,symbol,quantiti", "unknown-column"),
        ("client,symbol,ticker", "two-columns"),
        ("client,symbol,broker note", "columns-not-read"),
    ],
)
def test_what_a_header_means_is_never_guessed(tmp_path: Path, head: str, code: str) -> None:
    assert code in [one.code for one in ClientTable(table(tmp_path, "a,QQQ,1", head=head)).problems]


def test_amounts_of_shared_targets_in_another_currency_are_refused(tmp_path: Path) -> None:
    shared = portfolio("house", 1, 1) + "  rules: {all: {min_trade: 50000}}\n"
    (tmp_path / "house.yaml").write_text(shared)
    path = table(tmp_path, "a,QQQ,1,,,USD,", "b,QQQ,1,,,KRW,")
    assert [one[0].split()[-1] for one in faults(path, targets=tmp_path / "house.yaml").values()] == [
        "model-in-another-currency"
    ]


def test_default_amounts_of_a_model_are_those_of_the_clients_currency(tmp_path: Path) -> None:
    (tmp_path / "house.csv").write_text("ticker,weight,section\nQQQ,1,core\n")
    found = read(table(tmp_path, "a,QQQ,1,,,USD,", "b,QQQ,1,,,KRW,"), targets=tmp_path / "house.csv")
    assert [one.sections[0].rule.min_trade for one in found.values()] == [150, 200000]


def test_a_folder_of_sheets_stays_one_portfolio(tmp_path: Path) -> None:
    (tmp_path / "holdings.csv").write_text("Ticker,Quantity\nQQQ,1\n")
    (tmp_path / "targets.csv").write_text("Ticker,Weight\nQQQ,1\n")
    assert one_portfolio([tmp_path]) == tmp_path
    (tmp_path / "plan.xlsx").write_bytes(b"an output of before")
    assert is_portfolio(tmp_path)


def test_a_folder_holds_files_tables_and_folders_of_sheets(tmp_path: Path) -> None:
    (tmp_path / "kim").mkdir()
    (tmp_path / "kim" / "holdings.csv").write_text("Ticker,Quantity\nQQQ,1\n")
    (tmp_path / "lee.yaml").write_text(portfolio("Lee", 1, 1))
    (tmp_path / "_summary.xlsx").touch()
    table(tmp_path, "a,QQQ,1,1,,USD,")
    (tmp_path / "prices.csv").write_text(PRICES)
    gathering = Gathering([tmp_path])
    assert one_portfolio([tmp_path]) is None
    assert [Path(one.id).name for one in gathering] == ["kim", "lee.yaml", "a"]


def test_rows_of_a_client_may_stand_apart_and_are_let_go_when_complete(tmp_path: Path) -> None:
    path = table(tmp_path, *(f"c{n % 3},QQQ,{n},,,USD," for n in range(9)))
    assert [(rows.client, [number for number, _ in rows.rows]) for rows in ClientTable(path)] == [
        ("c0", [2, 5, 8]), ("c1", [3, 6, 9]), ("c2", [4, 7, 10]),
    ]  # fmt: skip


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "prices.csv").write_text(PRICES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return main(["plan", *arguments, "--prices", "prices.csv", *DAY, "--lang", "en"])


def test_a_workbook_each_and_the_table_of_all(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from openpyxl import load_workbook

    table(work, "a/b,QQQ,1,1,,USD,", "A:B,360750,1,1,,KRW,", "bad,QQQ,x,1,,USD,")
    assert run("clients.csv", "-o", "out") == 2
    assert sorted(path.name for path in (work / "out").iterdir()) == ["A_B-2.xlsx", "_summary.xlsx", "a_b.xlsx"]
    sheet = load_workbook(work / "out" / "_summary.xlsx").worksheets[0]
    written = {str(row[0]): row[-1] for row in sheet.iter_rows(values_only=True)}
    assert (written["a/b"], written["A:B"], written["bad"]) == ("a_b.xlsx", "A_B-2.xlsx", None)
    capsys.readouterr()
    assert run("clients.csv", "-o", "out") == 2
    assert "[output-exists]" in capsys.readouterr().err


def test_the_table_of_all_as_csv_is_no_formula(work: Path) -> None:
    table(work, "=1+1,QQQ,1,1,,USD,", "김,360750,1,1,,KRW,")
    assert run("clients.csv", "-o", "all.csv") == 0
    text = (work / "all.csv").read_bytes().decode("utf-8-sig")
    assert "'=1+1" in text
    assert "김" in text


def test_a_workbook_is_not_written_among_the_portfolios(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        (work / f"{name}.yaml").write_text(portfolio(name, 1, 1))
    assert run("a.yaml", "b.yaml", "-o", ".") == 2
    assert "[output-among-input]" in capsys.readouterr().err


def test_two_of_one_name_are_told_apart(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        (work / f"{name}.yaml").write_text(portfolio("Kim", 1, 1))
    assert run("a.yaml", "b.yaml", "-o", "out") == 0
    assert "Kim (a.yaml)" in capsys.readouterr().out


def test_ctrl_c_says_what_is_done_and_resume_goes_on(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rebalancer import planning

    table(work, *(f"c{n},QQQ,{n},1,,USD," for n in range(1, 6)))
    real = planning.planned
    made: list[str] = []

    def impatient(given: Portfolio, *rest: Any, **more: Any) -> Any:
        made.append(given.name)
        if made == ["c1", "c2", "c3"]:
            raise KeyboardInterrupt
        return real(given, *rest, **more)

    monkeypatch.setattr(planning, "planned", impatient)
    assert run("clients.csv") == 1
    assert "2 of 5 portfolios" in capsys.readouterr().err
    assert run("clients.csv", "--resume", "--json") == 0
    assert [one["client"] for one in json.loads(capsys.readouterr().out)["portfolios"]] == [
        f"c{n}" for n in range(1, 6)
    ]
    assert made[3:] == ["c3", "c4", "c5"]


def test_a_search_that_ctrl_c_stopped_ends_the_run_shows_its_plan_and_is_made_again(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rebalancer import planning

    table(work, *(f"c{n},QQQ,{n},1,,USD," for n in range(1, 4)))
    real, made = planning.planned, []

    def pressed(given: Portfolio, *rest: Any, **more: Any) -> Any:
        made.append(given.name)
        plan = real(given, *rest, **more)
        if made != ["c1", "c2"]:
            return plan
        return replace(plan, problems=(*plan.problems, warning("search-stopped.rungs", place("portfolio"))))

    monkeypatch.setattr(planning, "planned", pressed)
    assert run("clients.csv") == 1
    told = capsys.readouterr()
    assert ("c2" in told.out, "c3" in told.out, "1 of 3 portfolios" in told.err) == (True, False, True)
    assert run("clients.csv", "--resume") == 0
    assert made == ["c1", "c2", "c2", "c3"]


def test_an_option_for_several_portfolios_is_refused_for_one(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (work / "a.yaml").write_text(portfolio("a", 1, 1))
    assert run("a.yaml", "--resume", "--model", "growth") == 2
    assert capsys.readouterr().err.count("[bad-argument]") == 2


def test_a_parquet_table_needs_its_extra_or_is_read(tmp_path: Path) -> None:
    path = tmp_path / "clients.parquet"
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        path.write_bytes(b"PAR1")
        assert [one.code for one in ClientTable(path).problems] == ["needs-pyarrow"]
        return
    columns = {"client": ["a", "b"], "symbol": ["QQQ", "QQQ"], "quantity": [1.5, 2.0], "weight": [1.0, 1.0]}
    parquet.write_table(pa.table({**columns, "base_currency": ["USD", "USD"]}), path)
    assert [one.holdings[0].quantity for one in read(path).values()] == [Decimal("1.5"), 2]
    path.write_bytes(b"nothing")
    assert [one.code for one in ClientTable(path).problems] == ["not-parquet"]


def test_a_state_folder_that_cannot_be_written_stops_nothing(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "state").write_text("a file in the way")
    monkeypatch.setenv("REBALANCER_STATE_DIR", str(work / "state"))
    assert run(str(table(work, "a,QQQ,1,1,,USD,"))) == 0
    assert "[journal-not-kept]" in capsys.readouterr().err
