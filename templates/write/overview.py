"""A workbook over many portfolios: one sheet of who needs what, one of what is to be looked at."""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from urllib.parse import quote

from openpyxl.workbook import Workbook
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from engine.words import Lang, say
from templates.cells import letters
from templates.write.canvas import AMBER as DARK_AMBER
from templates.write.canvas import (
    GREEN,
    PALE_AMBER,
    PALE_GREEN,
    PALE_RED,
    RED,
    Canvas,
    approximate,
    money_format,
)
from templates.write.pack import packed
from templates.write.tables import coloured, page

#: A row's value by column; `base_currency` says what its amounts are in.
OverviewRow = Mapping[str, object]
#: Each column of the sheet of clients: its key, its kind, its width.
_CLIENTS = (
    ("client", "text", 26),
    ("status", "status", 14),
    ("total_value", "money", 19),
    ("drift", "weight", 12),
    ("acts", "text", 20),
    ("orders", "count", 9),
    ("turnover", "money", 18),
    ("cost", "money", 14),
    ("next_review", "date", 13),
    ("notes", "count", 8),
    ("file", "text", 30),
)
#: The same of the sums: each above the column that it is the sum of.
_TOTALS = (
    ("base_currency", "text"),
    ("portfolios", "count"),
    ("total_value", "money"),
    ("needs_rebalancing", "count"),
    ("", "text"),
    ("orders", "count"),
    ("turnover", "money"),
    ("cost", "money"),
)
_PROBLEMS = (("client", 26), ("severity", 10), ("where", 40), ("message", 90), ("code", 22))
_LOOKS = {"text": "cell-text", "status": "cell-centre", "date": "cell-centre"}
_FORMATS = {"weight": "0.0%", "count": '#,##0;-#,##0;"–"', "date": "yyyy-mm-dd"}


def overview(
    title: str,
    verdict: str,
    clients: Sequence[OverviewRow],
    totals: Sequence[OverviewRow],
    problems: Sequence[OverviewRow],
    lang: Lang,
) -> bytes:
    """Return the workbook (.xlsx): the same rows give the same bytes.

    `clients` have the columns of the first sheet; `status` is a word of the reader's language, `need` 0 for one that is
    to be rebalanced, 1 for one in order, 2 for one without a plan; `file` is a workbook beside this one. `totals` have
    a row a base currency.
    """
    workbook = Workbook()
    workbook.properties.creator, workbook.properties.title = "Rebalancer", title
    workbook.properties.created = workbook.properties.modified = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - a constant
    first = workbook.worksheets[0]
    first.title = say("sheet.overview.clients", lang)
    canvas = Canvas(workbook, lang, {})
    row = _put_totals(canvas, first, totals, 5)
    _put_clients(canvas, first, clients, row + 1)
    if problems:
        second = workbook.create_sheet(say("sheet.overview.problems", lang))
        _put_problems(canvas, second, problems)
        _head(canvas, second, say("sheet.overview.problems", lang), title, len(_PROBLEMS))
    # Last: the first cell is where a workbook's styles are made.
    _head(canvas, first, title, verdict, len(_CLIENTS))
    return packed(workbook, {})


def _head(canvas: Canvas, sheet: Worksheet, title: str, line: str, columns: int) -> None:
    for at in range(1, columns + 1):
        canvas.put(sheet, 1, at, title if at == 1 else None, canvas.styles.look("title"))
        canvas.put(sheet, 2, at, None, canvas.styles.look("band"))
    canvas.put(sheet, 3, 1, line, canvas.styles.look("strong"))
    sheet.row_dimensions[1].height = 28
    sheet.sheet_view.showGridLines = False
    page(sheet)


def _put_totals(canvas: Canvas, sheet: Worksheet, totals: Sequence[OverviewRow], head: int) -> int:
    """Write the sums by base currency; return the row below them."""
    for at, (key, _) in enumerate(_TOTALS, 1):
        title = say(f"caption.overview.{key}", canvas.lang) if key else None
        canvas.put(sheet, head, at, title, canvas.styles.look("caption"))
    sheet.row_dimensions[head].height = 28
    for row, one in enumerate(totals, head + 1):
        for at, (key, kind) in enumerate(_TOTALS, 1):
            _put(canvas, sheet, row, at, one.get(key), kind, str(one["base_currency"]))
    return head + len(totals) + 1


def _put_clients(canvas: Canvas, sheet: Worksheet, clients: Sequence[OverviewRow], head: int) -> None:
    for at, (key, _, width) in enumerate(_CLIENTS, 1):
        canvas.put(sheet, head, at, say(f"caption.overview.{key}", canvas.lang), canvas.styles.look("caption"))
        sheet.column_dimensions[letters(at)].width = width
    for row, one in enumerate(clients, head + 1):
        for at, (key, kind, _) in enumerate(_CLIENTS, 1):
            _put(canvas, sheet, row, at, one.get(key), kind, str(one.get("base_currency") or ""))
        if one.get("file"):
            sheet.cell(row, len(_CLIENTS)).hyperlink = quote(str(one["file"]))
    last = head + max(len(clients), 1)
    table = ExcelTable(displayName="Clients", ref=f"A{head}:{letters(len(_CLIENTS))}{last}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    sheet.add_table(table)
    sheet.freeze_panes = f"B{head + 1}"
    sheet.print_title_rows = f"{head}:{head}"
    cells, cell = f"B{head + 1}:B{last}", f"B{head + 1}"
    shades = (
        (0, DARK_AMBER, PALE_AMBER), (1, DARK_AMBER, PALE_AMBER), (2, GREEN, PALE_GREEN), (3, RED, PALE_RED),
    )  # fmt: skip
    words = {int(str(one["need"])): str(one["status"]) for one in clients}
    for need, colour, fill in shades:
        if need in words:
            word = words[need].replace('"', '""')
            sheet.conditional_formatting.add(cells, coloured(f'{cell}="{word}"', colour, fill))


def _put_problems(canvas: Canvas, sheet: Worksheet, problems: Sequence[OverviewRow]) -> None:
    head = 5
    for at, (key, width) in enumerate(_PROBLEMS, 1):
        canvas.put(sheet, head, at, say(f"caption.overview.{key}", canvas.lang), canvas.styles.look("caption"))
        sheet.column_dimensions[letters(at)].width = width
    for row, one in enumerate(problems, head + 1):
        for at, (key, _) in enumerate(_PROBLEMS, 1):
            look = "cell-wrap" if key in ("where", "message") else "cell-text"
            canvas.put(sheet, row, at, one.get(key), canvas.styles.look(look))
        wide = [math.ceil(_columns(str(one.get(key, ""))) * 1.15 / width) for key, width in _PROBLEMS]
        sheet.row_dimensions[row].height = 14 * max(1, *wide)
    table = ExcelTable(displayName="Problems", ref=f"A{head}:{letters(len(_PROBLEMS))}{head + len(problems)}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    sheet.add_table(table)
    sheet.freeze_panes = f"B{head + 1}"


def _columns(text: str) -> int:
    """Return about how many columns a text takes: Korean ones are two wide."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _put(canvas: Canvas, sheet: Worksheet, row: int, at: int, value: object, kind: str, currency: str) -> None:
    look = _LOOKS.get(kind, "cell-number")
    number = money_format(currency) if kind == "money" else _FORMATS.get(kind, "")
    style = canvas.styles.look(f"{look}|{number}" if number else look)
    canvas.put(sheet, row, at, approximate(value) if isinstance(value, Decimal) else value, style)
