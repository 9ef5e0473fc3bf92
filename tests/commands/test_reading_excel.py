"""Reading an open workbook: as Excel for Windows and Excel for Mac give it."""

from __future__ import annotations

import atexit
import importlib
import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from tests.commands_fake_book import FakeBook
from xl_addin.buttons.book import tables_of

STUBBED = ("appscript", "appscript.reference", "appscript.genericreference", "psutil", "aem", "osax")
VALUES: list[list[object]] = [["Ticker", "Quantity"], ["VTI", 3.0], [None, 4.0]]


@pytest.fixture
def xlmac(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return xlwings' own module for Mac, on an Excel that is not there."""
    for name in STUBBED:
        monkeypatch.setitem(sys.modules, name, mock.MagicMock(name=name))
    monkeypatch.setattr(atexit, "register", lambda function: function)
    monkeypatch.delitem(sys.modules, "xlwings._xlmac", raising=False)
    module = importlib.import_module("xlwings._xlmac")
    yield module
    sys.modules.pop("xlwings._xlmac", None)


@pytest.fixture
def area(xlmac: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an area that xlwings reads as it does on a Mac."""
    import xlwings

    values = SimpleNamespace(get=lambda: [list(row) for row in VALUES])
    native = SimpleNamespace(value=values, string_value=values)

    class Area(xlmac.Range):  # type: ignore[misc]
        xl = api = native
        coords = (1, 1, len(VALUES), len(VALUES[0]))

        def __init__(self) -> None:
            self.sheet = mock.MagicMock()
            self.options: dict[str, Any] = {}

    app = SimpleNamespace(engine=SimpleNamespace(impl=xlmac.engine))
    monkeypatch.setattr(xlwings.Range, "sheet", SimpleNamespace(book=SimpleNamespace(app=app)))
    return xlwings.Range(impl=Area())


def test_xlwings_for_mac_reads_a_sheet_for_us(area: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    last = SimpleNamespace(row=len(VALUES), column=len(VALUES[0]))
    used = SimpleNamespace(last_cell=last)
    sheet = SimpleNamespace(name="Trades", visible=True, used_range=used, range=lambda *_: area)
    assert tables_of(SimpleNamespace(sheets=[sheet])) == {"Trades": VALUES}


@pytest.mark.parametrize(("system", "read"), [("win32", "#N/A"), ("darwin", None)])
def test_an_error_is_text_on_windows_and_nothing_on_a_mac(
    book: FakeBook, monkeypatch: pytest.MonkeyPatch, system: str, read: object
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    book.sheets["Trades"].values[7, 2] = "#N/A"
    assert tables_of(book)["Trades"][6][1] == read
