"""Computed weights into a portfolio's targets: what changes is shown first, and all that is the person's stays."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import click
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font

from engine.errors import InputError
from engine.weights.methods import weigh
from engine.weights.universe import Entry
from rebalancer.analysing import weights
from rebalancer.loading import load
from rebalancer.samples import sample_portfolio, sample_text
from rebalancer.targeting import retargeted
from xl_addin.cli import main

D = Decimal
UNIVERSE = "symbol,weight\nNVDA,0.5\nMSFT,0.2\n005930,0.2\nXOM,0.1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(sample_text("portfolio.yaml"), encoding="utf-8")
    (tmp_path / "u.csv").write_text(UNIVERSE, encoding="utf-8")
    return tmp_path


def weigh_into(folder: Path, *more: str, book: str = "p.yaml") -> int:
    return main(["weights", "equal-sector", str(folder / "u.csv"), "--into", str(folder / book), *more])


def test_a_script_writes_into_the_portfolio_and_keeps_a_copy(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "p.yaml").read_bytes()
    assert weigh_into(folder, "--section", "satellite", "--lang", "ko") == 0
    out = capsys.readouterr().out
    assert "신규" in out
    assert "없어짐" in out
    assert (folder / "p.before.yaml").read_bytes() == before
    assert "XOM" in {target.symbol for _, target in load(folder / "p.yaml").targets()}


def test_a_person_is_asked_and_no_leaves_the_file_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / "p.yaml").read_bytes()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    asked = []
    monkeypatch.setattr(click, "confirm", lambda text, **_: asked.append(text))
    assert weigh_into(folder, "--section", "satellite") == 0
    assert len(asked) == 1
    assert (folder / "p.yaml").read_bytes() == before


def test_with_a_place_of_its_own_the_portfolio_stays(folder: Path) -> None:
    before = (folder / "p.yaml").read_bytes()
    assert weigh_into(folder, "--section", "satellite", "-o", str(folder / "q.yaml")) == 0
    assert (folder / "p.yaml").read_bytes() == before
    assert (folder / "q.yaml").exists()


def test_a_section_keeps_its_weight_and_its_targets_what_they_had(folder: Path) -> None:
    assert weigh_into(folder, "--section", "satellite", "-o", str(folder / "p.yaml")) == 0
    after = load(folder / "p.yaml")
    (core, satellite) = after.sections
    assert core == sample_portfolio().sections[0]
    assert satellite.weight == D("0.31")
    assert {one.symbol: one.weight for one in satellite.targets}["XOM"] == D("0.155")
    assert next(one for one in satellite.targets if one.symbol == "NVDA").benchmark == "QQQ"
    text = (folder / "p.yaml").read_text(encoding="utf-8")
    assert "# a name does as well as a code" in text
    assert "# no target: shown, and sold" in text


def test_what_is_held_and_no_longer_wanted_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert weigh_into(folder, "--section", "satellite", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in document["changes"]].count("gone") == 4
    assert "target-dropped" in {one["code"] for one in document["problems"]}


def test_several_sections_ask_which_one_is_meant(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert weigh_into(folder, "--lang", "en") == 2
    assert "--section" in capsys.readouterr().err


def test_a_portfolio_weighed_by_its_own_targets_keeps_them_where_they_are() -> None:
    portfolio = sample_portfolio()
    wanted = [Entry(target.symbol) for _, target in portfolio.targets()]
    after = retargeted(portfolio, weigh("equal", wanted)).portfolio
    assert [(s.name, t.symbol) for s, t in after.targets()] == [(s.name, t.symbol) for s, t in portfolio.targets()]
    assert sum(t.weight for _, t in after.targets()) == D("0.96")


def test_weights_that_break_a_maximum_are_refused_with_its_name() -> None:
    portfolio = sample_portfolio()
    with pytest.raises(InputError) as refused:
        retargeted(portfolio, weigh("equal", [Entry("SOXX"), Entry("QQQ")]), "satellite")
    assert [(one.code, one.where) for one in refused.value.problems] == [("outside-limits", "SOXX")]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.decimals(D("0.01"), 100, places=2), min_size=1, max_size=40))
def test_rounded_weights_add_up_to_what_they_share(values: list[Decimal]) -> None:
    portfolio = sample_portfolio()
    entries = [Entry(f"A{chr(65 + n // 26)}{chr(65 + n % 26)}", market_cap=value) for n, value in enumerate(values)]
    (_, satellite) = retargeted(portfolio, weigh("cap", entries), "satellite").portfolio.sections
    assert satellite.weight == D("0.31")


@pytest.mark.slow
def test_a_workbook_takes_the_targets_and_keeps_what_is_its_own(folder: Path) -> None:
    prices = folder / "prices.csv"
    prices.write_text(sample_text("prices.csv"), encoding="utf-8")
    plan = ["plan", str(folder / "p.yaml"), "--prices", str(prices), "--offline", "--as-of", "2026-11-20"]
    assert main([*plan, "-o", str(folder / "b.xlsx")]) == 0
    book = openpyxl.load_workbook(folder / "b.xlsx")
    book.create_sheet("Mine")["A1"] = "my own note"
    book["Targets"]["B3"].font = Font(bold=True, color="FF112233")
    book.save(folder / "b.xlsx")
    into = weigh_into(folder, "--section", "satellite", "-o", str(folder / "c.xlsx"), book="b.xlsx")
    assert into == 0
    after = openpyxl.load_workbook(folder / "c.xlsx")
    assert after["Mine"]["A1"].value == "my own note"
    assert after["Targets"]["B3"].font.color.rgb == "FF112233"
    assert {t.symbol for _, t in load(folder / "c.xlsx").targets()} >= {"XOM", "NVDA", "360750"}
    assert load(folder / "c.xlsx").holdings == load(folder / "b.xlsx").holdings


def test_the_catalogue_has_the_sectors_that_a_universe_leaves_out(folder: Path) -> None:
    result = weights("equal-sector", folder / "u.csv")
    assert {row.symbol: row.sector for row in result.weights}["XOM"] == "Energy"
    assert "sector-listed" in {one.code for one in result.problems}


def test_the_english_report_has_english_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert weigh_into(folder, "--section", "satellite", "--lang", "en") == 0
    assert "Samsung Electronics" in capsys.readouterr().out


def test_an_instrument_of_ones_own_needs_its_currency_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "u.csv").write_text("symbol,sector\nMYFUND1,Energy\nNVDA,\n", encoding="utf-8")
    assert weigh_into(folder, "--section", "satellite", "--lang", "en") == 2
    assert "MYFUND1" in capsys.readouterr().err
    (folder / "u.csv").write_text("symbol,sector,currency\nMYFUND1,Energy,KRW\nNVDA,,\n", encoding="utf-8")
    assert weigh_into(folder, "--section", "satellite") == 0
    assert load(folder / "p.yaml").instruments["MYFUND1"].currency == "KRW"
