"""Workbooks as people leave them: a small portfolio written by hand, to be changed in every way."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from templates.write.pack import zipped

HOLDINGS: list[list[object]] = [
    ["Account", "Ticker", "Quantity", "AverageCost", "ManualPrice"],
    ["키움", "360750", 250, 16200, 21000],
    ["키움", "QQQ", 3.5, 400, 512.3],
    ["미래", "069500", 40, 35000, 38000],
]
TARGETS: list[list[object]] = [
    ["Section", "Ticker", "Target", "Min", "Max", "Enabled"],
    ["core", "360750", 0.5, None, None, True],
    ["core", "069500", 0.2, None, None, True],
    ["satellite", "QQQ", 0.2, 0.1, 0.3, True],
]
CASH: list[list[object]] = [["Account", "Currency", "Amount"], [None, "KRW", 1500000], [None, "USD", 320.5]]
SETTINGS: list[list[object]] = [["Key", "Value"], ["base_currency", "KRW"]]


def write(path: Path, sheets: Mapping[str, Sequence[Any]], change: Callable[[Workbook], None] | None = None) -> Path:
    """Write sheets of rows, and settings, as a workbook, then change it."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in (*sheets.items(), ("Settings", SETTINGS)):
        sheet: Worksheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    if change is not None:
        change(book)
    book.save(path)
    return path


def plain(path: Path, change: Callable[[Workbook], None] | None = None) -> Path:
    """Write the small portfolio, then change it."""
    return write(path, {"Holdings": HOLDINGS, "Targets": TARGETS, "Cash": CASH}, change)


def reparted(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Change the parts inside a workbook file."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    path.write_bytes(zipped(parts))
    return path
