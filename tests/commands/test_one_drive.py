"""A workbook on OneDrive or SharePoint whose folder on this computer xlwings cannot tell."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import xlwings
from xlwings.utils import fullname_url_to_local_path

from tests.commands_fake_book import FakeBook
from xl_addin.buttons import press

LOST = [xlwings.XlwingsError("Couldn't find your local OneDrive file"), UnboundLocalError("root")]


@pytest.mark.slow
@pytest.mark.parametrize("lost", LOST)
def test_buttons_work_and_are_undone(book: FakeBook, lost: Exception) -> None:
    book.lost = lost
    press("propose", book, formulas=False)
    before = book.state()
    press("mode_sell_only", book, formulas=False)
    press("undo", book, formulas=False)
    assert book.state() == before


@pytest.mark.parametrize("button", ["share", "pdf"])
@pytest.mark.parametrize(("system", "setting"), [("win32", "ONEDRIVE_CONSUMER_WIN"), ("darwin", "SHAREPOINT_MAC")])
def test_a_copy_that_has_no_place_says_what_to_do(
    book: FakeBook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, button: str, system: str, setting: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    book.lost = LOST[0]
    before = sorted(tmp_path.iterdir())
    press(button, book, formulas=False)
    assert setting in book.alerts[-1]
    assert "save it in a folder of this computer" in book.alerts[-1]
    assert sorted(tmp_path.iterdir()) == before
    assert book.pdfs == []


@pytest.mark.parametrize("url", ["https://d.docs.live.net/1/a.xlsm", "https://x.sharepoint.com/sites/a/b/c.xlsm"])
def test_xlwings_says_so_in_one_of_the_ways_we_know(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OneDrive", "OneDriveConsumer", "OneDriveCommercial"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(tuple(type(one) for one in LOST)):
        fullname_url_to_local_path(url)
