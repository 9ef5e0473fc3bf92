"""The Dashboard: six figures, a banner that says what is wrong, allocation, sections, trades, and the charts."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from templates.canvas import Canvas
from templates.evaluate import Figures
from templates.report import Report
from templates.sheets.dashboard.cards import cards
from templates.sheets.dashboard.drawings import donuts, history
from templates.sheets.dashboard.head import banner
from templates.sheets.dashboard.lists import allocation, sections, trades
from templates.sheets.dashboard.pen import Pen
from templates.sheets.frame import page, widths

COLUMNS = 13
_TABLES_ROW = 10


def write_dashboard(canvas: Canvas, sheet: Worksheet, report: Report, figures: Figures) -> None:
    """Write the whole sheet, on one page of A4."""
    pen = Pen(canvas, sheet, report, figures)
    widths(sheet, {2: 30, 3: 11, 4: 10, 5: 11, 6: 13, 7: 15, 8: 2, **dict.fromkeys(range(9, 15), 12.5)})
    banner(pen)
    cards(pen)
    last = allocation(pen, _TABLES_ROW)
    donuts(pen, _TABLES_ROW, last)
    end = sections(pen, last + 2)
    if "Trades" in canvas.placements:
        end = trades(pen, end + 2)
    history(pen, max(end + 2, _TABLES_ROW + 32))
    page(sheet, one_page=True)
