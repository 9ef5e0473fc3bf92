"""The button Synchronise, against another computer that has the portfolio as a YAML file."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

import rebalancer
from engine.merging import alike, changes
from rebalancer.saving import save
from rebalancer.syncing import remembered_url, sync
from tests.commands_fake_book import FakeBook
from xl_addin.buttons import press
from xl_addin.buttons.book import found_in, tables_of
from xl_addin.functions.inputs import read_inputs

pytestmark = pytest.mark.slow


@pytest.fixture
def cloud(tmp_path: Path, book: FakeBook, data: bytes) -> Path:
    """Return a folder that the workbook and `there/mine.yaml` are synchronised with."""
    folder = tmp_path / "cloud"
    folder.mkdir()
    Path(book.fullname).write_bytes(data)
    book.folder = str(folder)
    press("sync", book, formulas=False)
    (tmp_path / "there").mkdir()
    sync(there(tmp_path), str(folder))
    book.written.clear()
    return folder


def there(tmp_path: Path) -> Path:
    return tmp_path / "there" / "mine.yaml"


def change(path: Path, *, quantity: int = 0, cash_buffer: int = 0, weight: str = "") -> None:
    mine = rebalancer.load(path)
    if quantity:
        mine = replace(mine, holdings=(replace(mine.holdings[0], quantity=Decimal(quantity)), *mine.holdings[1:]))
    if cash_buffer:
        mine = replace(mine, settings=replace(mine.settings, cash_buffer=Decimal(cash_buffer)))
    if weight:
        first, *rest = mine.sections
        target = replace(first.targets[0], weight=Decimal(weight))
        mine = replace(mine, sections=(replace(first, targets=(target, *first.targets[1:])), *rest))
    save(mine, path)


def shown(book: FakeBook) -> rebalancer.Portfolio:
    return read_inputs("test", {}, tables_of(book)).portfolio


def quantity_cell(book: FakeBook) -> tuple[str, int, int]:
    """Return where the first holding's quantity stands."""
    place = found_in(book, tables_of(book))["Holdings"]
    return place.grid.name, place.header + 1, place.columns["Quantity"]


def test_the_first_time_asks_for_a_folder_and_sends(book: FakeBook, cloud: Path) -> None:
    assert str(cloud) in book.alerts[-1]
    assert remembered_url(Path(book.fullname)) == str(cloud)
    assert (cloud / "mine.sync" / "00000001.json").exists()


def test_without_a_folder_nothing_is_done(book: FakeBook, data: bytes) -> None:
    Path(book.fullname).write_bytes(data)
    press("sync", book, formulas=False)
    assert "s3://" in book.alerts[-1]
    assert book.written == []


def test_what_the_other_side_changed_is_shown_and_comes_over(book: FakeBook, cloud: Path, tmp_path: Path) -> None:
    change(there(tmp_path), quantity=77, cash_buffer=12345, weight="0.05")
    sync(there(tmp_path))
    press("sync", book, formulas=False)
    asked, told = book.alerts[-2:]
    assert "77" in asked
    assert "12345" in asked
    assert "2" in told
    assert changes(shown(book), rebalancer.load(there(tmp_path))) == ()
    assert alike(rebalancer.load(Path(book.fullname)), shown(book))
    press("sync", book, formulas=False)
    assert not sync(there(tmp_path)).taken


def test_what_is_not_agreed_to_is_not_written(book: FakeBook, cloud: Path, tmp_path: Path) -> None:
    change(there(tmp_path), quantity=77)
    sync(there(tmp_path))
    book.agrees = False
    press("sync", book, formulas=False)
    assert book.written == []


@pytest.mark.parametrize(("answer", "quantity"), [("no", 77), ("cancel", 55)])
def test_where_both_changed_a_row_the_person_chooses(
    book: FakeBook, cloud: Path, tmp_path: Path, answer: str, quantity: int
) -> None:
    change(there(tmp_path), quantity=77)
    sync(there(tmp_path))
    title, row, column = quantity_cell(book)
    book.sheets[title].put(row, column, 55)
    book.answers = [answer]
    press("sync", book, formulas=False)
    question = next(text for text in book.alerts if "55" in text)
    assert "77" in question
    assert int(shown(book).holdings[0].quantity) == quantity
    assert (tmp_path / "mine.theirs.yaml").exists() is (answer == "cancel")
    if answer != "cancel":
        sync(there(tmp_path))
        assert int(rebalancer.load(there(tmp_path)).holdings[0].quantity) == quantity


def test_a_place_that_is_gone_is_told_and_nothing_is_lost(book: FakeBook, cloud: Path) -> None:
    cloud.rename(cloud.with_name("elsewhere"))
    book.agrees = False
    press("sync", book, formulas=False)
    assert str(cloud) in book.alerts[-1]
    assert book.written == []


def test_a_folder_that_moved_is_chosen_anew_and_goes_on(book: FakeBook, cloud: Path, tmp_path: Path) -> None:
    moved = cloud.rename(cloud.with_name("elsewhere"))
    change(there(tmp_path), quantity=77)
    sync(there(tmp_path), str(moved))
    book.folder = str(moved)
    press("sync", book, formulas=False)
    assert remembered_url(Path(book.fullname)) == str(moved)
    assert int(shown(book).holdings[0].quantity) == 77
