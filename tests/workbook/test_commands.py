"""`models` and `new`: workbooks to start from, one or many, never over a file that is there."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from templates.models import KEYS, load
from templates.read.book import read_book
from xl_addin.cli import main


def test_every_model_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--lang", "en"]) == 0
    told = capsys.readouterr().out
    assert [key for key in KEYS if key not in told] == []


def test_the_list_as_json_has_the_targets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    models = {model["key"]: model for model in json.loads(capsys.readouterr().out)["models"]}
    assert tuple(models) == KEYS
    assert models["growth"]["targets"][0]["symbol"] == "360750"
    assert models["growth"]["targets"][0]["weight"] == 0.35


@pytest.mark.parametrize("key", [key for key in KEYS if key != "blank"])
def test_a_model_adds_up_and_every_target_has_a_role(key: str) -> None:
    model = load(key)
    assert 0.999 <= sum(section.weight for section in model.portfolio.sections) <= 1
    assert [target.symbol for _, target in model.portfolio.targets() if not target.role] == []
    assert model.facts.expected_return is not None
    assert model.facts.drawdown is not None
    assert model.facts.drawdown < 0
    assert model.facts.rules("en")
    assert model.facts.rules("ko")


def test_new_writes_a_workbook_that_plans(tmp_path: Path) -> None:
    path = tmp_path / "mine.xlsx"
    assert main(["new", "growth", "-o", str(path), "--lang", "ko"]) == 0
    assert read_book(path).portfolio == load("growth").ready()
    assert load_workbook(path).sheetnames[0] == "시작"


def test_new_takes_a_portfolio_file_too(tmp_path: Path) -> None:
    source = tmp_path / "mine.yaml"
    source.write_text("portfolio: {name: x, base_currency: KRW, cash: {KRW: 5}, holdings: []}", encoding="utf-8")
    assert main(["new", str(source), "-o", str(tmp_path / "mine.xlsx")]) == 0
    found = read_book(tmp_path / "mine.xlsx").portfolio
    assert found is not None
    assert found.accounts[0].cash == {"KRW": 5}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["new", "growht", "-o", "x.xlsx"], "did you mean growth"),
        (["new", "-o", "x.xlsx"], "which model"),
        (["new", "growth", "-o", "x.pdf"], ".xlsx"),
        (["new", "growth", "-o", "none/x.xlsx"], "no such folder"),
        (["new", "growth", "-o", "x.xlsx", "--macros"], ".xlsm"),
    ],
)
def test_a_wrong_request_is_refused_with_the_repair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_not_replaced_without_force(tmp_path: Path) -> None:
    path = tmp_path / "mine.xlsx"
    path.write_text("mine")
    assert main(["new", "blank", "-o", str(path)]) == 2
    assert path.read_text() == "mine"
    assert main(["new", "blank", "-o", str(path), "--force"]) == 0


def clients(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "clients.csv"
    path.write_text("\n".join(["Name,Model,Lang,KRW", *rows]), encoding="utf-8-sig")
    return path


@pytest.mark.slow
def test_a_batch_writes_one_workbook_for_each_row(tmp_path: Path) -> None:
    rows = [f'고객{i},{KEYS[i % 3]},{"en" if i % 2 else "ko"},"1,000,00{i}"' for i in range(1, 10)]
    out = tmp_path / "out"
    assert main(["new", "--batch", str(clients(tmp_path, *rows)), "-o", str(out)]) == 0
    assert len(list(out.iterdir())) == 9
    found = read_book(out / "고객3.xlsx").portfolio
    assert found is not None
    assert found.name == "고객3"
    assert found.accounts[0].cash == {"KRW": 1000003}


@pytest.mark.slow
def test_a_batch_with_macros_writes_workbooks_with_functions(tmp_path: Path) -> None:
    listed = clients(tmp_path, "고객1,growth,ko,1000000", "client2,growth,en,")
    assert main(["new", "--batch", str(listed), "-o", str(tmp_path), "--macros"]) == 0
    for name in ("고객1", "client2"):
        with zipfile.ZipFile(tmp_path / f"{name}.xlsm") as archive:
            assert "xl/vbaProject.bin" in archive.namelist()
    found = read_book(tmp_path / "고객1.xlsm").portfolio
    assert found is not None
    assert found.accounts[0].cash == {"KRW": 1000000}


def test_a_batch_lists_every_problem_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["a,growth,en,1", "a,growth,en,1", "../b,growth,en,1", "c,none,en,1", "d,growth,fr,1", "e,growth,en,viel"]
    out = tmp_path / "out"
    assert main(["new", "--batch", str(clients(tmp_path, *rows)), "-o", str(out)]) == 2
    told = capsys.readouterr().err
    assert [number for number in (3, 4, 5, 6, 7) if f"row {number}" not in told] == []
    assert not out.exists()


def test_a_batch_does_not_replace_files_without_force(tmp_path: Path) -> None:
    listed = clients(tmp_path, "a,blank,en,1")
    (tmp_path / "a.xlsx").write_text("mine")
    assert main(["new", "--batch", str(listed), "-o", str(tmp_path)]) == 2
    assert (tmp_path / "a.xlsx").read_text() == "mine"
    assert main(["new", "--batch", str(listed), "-o", str(tmp_path), "--force"]) == 0
    assert read_book(tmp_path / "a.xlsx").portfolio is not None
