"""LibreOffice's workbook and its buttons: what the sample shows without anything else, and what a press changes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.merging import changes
from engine.words import LANGUAGES, Lang, say
from rebalancer.loading import load
from rebalancer.samples import sample_portfolio
from rebalancer.saving import save
from rebalancer.syncing import sync
from templates.cells import CellError
from templates.read.book import read_book
from templates.read.workbooks import read_grids
from templates.report import BookReport
from templates.spec import SHEETS, sheet
from templates.spec.vocabulary import spoken
from tests.office import Office
from tests.workbook.cases import filled_portfolio
from xl_addin.hosts.libreoffice.book import report_ods, sample_ods

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory, office: Office) -> dict[Lang, Path]:
    """Return the sample's workbook in each language."""
    folder = tmp_path_factory.mktemp("ods")
    found: dict[Lang, Path] = {lang: folder / f"{lang}.ods" for lang in LANGUAGES}
    for lang, path in found.items():
        path.write_bytes(sample_ods(lang))
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_is_the_finished_workbook(samples: dict[Lang, Path], lang: Lang) -> None:
    assert [grid.name for grid in read_grids(samples[lang])] == [
        spec.title(lang) for spec in SHEETS if not spec.optional
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_holds_the_sample_portfolio(samples: dict[Lang, Path], lang: Lang) -> None:
    portfolio, sample = read_book(samples[lang]).portfolio, sample_portfolio()
    assert portfolio is not None, list(map(str, read_book(samples[lang]).problems))
    assert portfolio.holdings == sample.holdings
    assert [section.targets for section in portfolio.sections] == [section.targets for section in sample.sections]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_its_prices_say_that_they_are_made_up(samples: dict[Lang, Path], lang: Lang) -> None:
    cells = {str(v) for grid in read_grids(samples[lang]) for row in grid.rows.values() for v in row.values()}
    assert any(say("label.sample-prices", lang) in text for text in cells)


def test_no_cell_needs_the_extension(samples: dict[Lang, Path]) -> None:
    grids = read_grids(samples["en"])
    wrong = [v for grid in grids for row in grid.rows.values() for v in row.values() if isinstance(v, CellError)]
    assert set(wrong) <= {"#N/A"}  # what no source knows of a fund
    assert not any(
        isinstance(v, CellError)
        for grid in grids
        if grid.name != sheet("Analysis").title("en")
        for row in grid.rows.values()
        for v in row.values()
    )


def pressed(office: Office, book: Path, folder: Path, button: str, **given: Any) -> Any:
    path = folder / book.name
    shutil.copy(book, path)
    return office.ask("press", path=str(path), button=button, **{"answers": [], "write": [], "areas": [], **given})


def test_a_truth_reads_as_one(office: Office, samples: dict[Lang, Path], tmp_path: Path) -> None:
    enabled = [sheet("Targets").title("en"), "I8"]
    assert pressed(office, samples["en"], tmp_path, "sources", areas=[enabled])["shown"] == [[["TRUE"]]]


def test_a_mode_is_set_in_the_settings(office: Office, samples: dict[Lang, Path], tmp_path: Path) -> None:
    (row,) = [n for n, cells in settings(samples["en"]).items() if "mode" in cells.values()]
    (column,) = [at for at, text in settings(samples["en"])[row].items() if text == "full"]
    place = [sheet("Settings").title("en"), f"{chr(64 + column)}{row}"]
    done = pressed(office, samples["en"], tmp_path, "mode_buy_only", areas=[place])
    assert done["shown"] == [[["buy-only"]]]


def settings(path: Path) -> Any:
    return next(grid.rows for grid in read_grids(path) if grid.name == sheet("Settings").title("en"))


def test_a_press_is_one_step_of_the_documents_own_undo(
    office: Office, samples: dict[Lang, Path], tmp_path: Path
) -> None:
    done = pressed(office, samples["en"], tmp_path, "mode_buy_only")
    assert done["actions"][0] == "Rebalancer: mode_buy_only"


def test_trades_that_were_done_are_booked(office: Office, samples: dict[Lang, Path], tmp_path: Path) -> None:
    trades = [sheet("Trades").title("en"), "B8:F8"]
    (before,) = pressed(office, samples["en"], tmp_path, "sources", areas=[trades])["shown"]
    (after,) = pressed(office, samples["en"], tmp_path, "record", areas=[trades])["shown"]
    assert any(before[0])
    assert not any(after[0])


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory, office: Office) -> Path:
    """Return a workbook that was never planned, whose holdings have prices of the person's own."""
    portfolio = filled_portfolio("growth")
    holdings = tuple(replace(one, price=Decimal(10_000)) for one in portfolio.holdings)
    portfolio = replace(portfolio, holdings=holdings, fx={"USDKRW": Decimal(1400)})
    path = tmp_path_factory.mktemp("priced") / "mine.ods"
    path.write_bytes(report_ods(BookReport(portfolio), "ko"))
    return path


def test_trades_are_proposed(office: Office, priced: Path, tmp_path: Path) -> None:
    trades = [sheet("Trades").title("ko"), "B8:F8"]
    (after,) = pressed(office, priced, tmp_path, "propose", areas=[trades])["shown"]
    assert all(after[0][1:])


def test_the_dashboard_says_of_which_day_its_numbers_are(office: Office, priced: Path, tmp_path: Path) -> None:
    (after,) = pressed(office, priced, tmp_path, "propose", areas=[[sheet("Dashboard").title("ko"), "B2"]])["shown"]
    assert say("label.as-of", "ko") in after[0][0]


def test_libreoffices_own_undo_takes_back_a_whole_press(office: Office, priced: Path, tmp_path: Path) -> None:
    trades = [sheet("Trades").title("ko"), "B8:F8"]
    (after,) = pressed(office, priced, tmp_path, "propose", areas=[trades], undo=True)["shown"]
    assert not any(after[0])


def test_a_share_copy_is_written_beside_it(office: Office, priced: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    pressed(office, priced, tmp_path, "share")
    assert read_book(tmp_path / "mine-share.xlsx").portfolio is not None


def test_it_is_synchronised_with_another_computer(office: Office, samples: dict[Lang, Path], tmp_path: Path) -> None:
    cloud, here, there = tmp_path / "cloud", tmp_path / "here", tmp_path / "there"
    for folder in (cloud, here, there):
        folder.mkdir()
    pressed(office, samples["ko"], here, "sync", answers=[str(cloud)])
    sync(there / "ko.yaml", str(cloud))
    mine = load(there / "ko.yaml")
    save(
        replace(mine, settings=replace(mine.settings, mode="sell-only", cash_buffer=Decimal(12345))), there / "ko.yaml"
    )
    sync(there / "ko.yaml")
    pressed(office, samples["ko"], here, "sync", answers=["ok"])
    assert changes(load(here / "ko.ods"), load(there / "ko.yaml")) == ()
    assert not sync(there / "ko.yaml").taken


@pytest.mark.parametrize(("lang", "answer", "buffer"), [("en", "no", 20), ("ko", "yes", 10), ("en", "cancel", 10)])
def test_the_person_chooses_where_both_changed_a_row(
    office: Office, samples: dict[Lang, Path], tmp_path: Path, lang: Lang, answer: str, buffer: int
) -> None:
    cloud, here, there = tmp_path / "cloud", tmp_path / "here", tmp_path / "there"
    for folder in (cloud, here, there):
        folder.mkdir()
    pressed(office, samples[lang], here, "sync", answers=[str(cloud)])
    other = there / f"{lang}.yaml"
    sync(other, str(cloud))
    mine = load(other)
    save(replace(mine, settings=replace(mine.settings, cash_buffer=Decimal(20))), other)
    sync(other)
    title = sheet("Settings").title(lang)
    rows = next(grid.rows for grid in read_grids(samples[lang]) if grid.name == title)
    name = spoken("setting", "cash_buffer", lang)
    row = next(n for n, cells in rows.items() if name in cells.values())
    column = min(at for at in rows[row] if rows[row][at] == 0)
    place = [title, f"{chr(64 + column)}{row}"]
    done = pressed(
        office, samples[lang], here, "sync", answers=[answer, "ok"], write=[[*place, 10]], areas=[place]
    )  # fmt: skip
    assert done["shown"] == [[[str(buffer)]]]
    assert bool(list(here.glob("*.theirs.*"))) is (answer == "cancel")
    sync(other)
    assert load(other).settings.cash_buffer == (10 if answer == "yes" else 20)
