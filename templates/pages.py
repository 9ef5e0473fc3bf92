"""Report pages that stand alone: a banner, a grid of numbers by day, and lines over it. No formulas, no input.

Curves are shown at the end of each week (of each month where there are many), with the deepest fall and the widest
drift of the time between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from openpyxl.chart import LineChart, Reference
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.legend import Legend
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from engine.history import Days, Floats, as_date
from templates.write.canvas import NAVY, Styles, dress
from templates.write.charts import PALETTE, dated

#: Most points of a curve.
_POINTS = 520
#: About as many years are named below a curve.
_LABELS = 12
#: Centimetres.
_WIDTH, _HEIGHT = 26, 10


def put(page: Worksheet, row: int, column: int, value: object, style: object) -> None:
    """Write a value and its style; text is never taken for a formula."""
    cell = page.cell(row, column)
    cell.value = value  # type: ignore[assignment]
    if isinstance(value, str):
        cell.data_type = "s"
    dress(cell, style)


def filled_page(page: Worksheet, text: str, about: Sequence[str], styles: Styles, width: int) -> int:
    """Write the banner and the lines below it, and return the first free row."""
    for column in range(1, width + 1):
        dress(page.cell(1, column), styles.look("title"))
    put(page, 1, 1, text, styles.look("title"))
    page.row_dimensions[1].height = 28
    for row, line in enumerate(about, 3):
        page.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
        put(page, row, 1, line, styles.look("text"))
        page.row_dimensions[row].height = 15 * (1 + len(line) // (11 * width))
    return 4 + len(about)


def landscape(page: Worksheet, *, one_page: bool = False) -> None:
    """Print a page on A4 across, as wide as the paper, or all of it on `one_page`."""
    _fitted(page, "landscape", one_page=one_page)


def portrait(page: Worksheet) -> None:
    """Print all of a page on one of A4 upright."""
    _fitted(page, "portrait", one_page=True)


def _fitted(page: Worksheet, orientation: Literal["landscape", "portrait"], *, one_page: bool) -> None:
    page.page_setup.orientation = orientation
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, int(one_page)
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def marks_of(days: int) -> list[int]:
    """Return the rows that curves are shown at: evenly, the last one always."""
    step = max(-(-days // _POINTS), 1)
    return list(range((days - 1) % step, days, step))


def gridded(
    page: Worksheet,
    top: int,
    left: int,
    heads: Sequence[str],
    days: Days,
    marks: Sequence[int],
    series: Sequence[tuple[Floats, str]],
    form: str,
    styles: Styles,
) -> None:
    """Write a date for each mark, and the last, lowest, highest or widest of each series since the one before."""
    for column, head in enumerate(heads, left):
        put(page, top, column, head, styles.look("caption"))
        page.column_dimensions[get_column_letter(column)].width = 14
    number, date = styles.look(f"cell-number|{form}"), styles.look("cell-centre|yyyy-mm-dd")
    for at, mark in enumerate(marks):
        put(page, top + 1 + at, left, as_date(days[mark]), date)
        since = marks[at - 1] + 1 if at else 0
        for column, (one, how) in enumerate(series, left + 1):
            value = _of(one[since : mark + 1], how)
            if value is not None:
                put(page, top + 1 + at, column, value, number)


def _of(part: Floats, how: str) -> float | None:
    there = part[np.isfinite(part)]
    if not len(there):
        return None
    if how == "last":
        return float(there[-1])
    if how == "widest":
        return float(there[np.argmax(np.abs(there))])
    return float(there.min() if how == "lowest" else there.max())


def drawn(page: Worksheet, title: str, top: int, last: int, left: int, count: int, form: str) -> LineChart:
    """Return lines over time from a grid."""
    chart = LineChart()
    chart.title, chart.width, chart.height = title, _WIDTH, _HEIGHT
    chart.add_data(
        Reference(page, min_col=left + 1, max_col=left + count, min_row=top, max_row=last), titles_from_data=True
    )
    chart.set_categories(Reference(page, min_col=left, min_row=top + 1, max_row=last))
    days = [page.cell(row, left).value for row in range(top + 1, last + 1)]
    for at, series in enumerate(chart.series):
        colour = NAVY if at == 0 else PALETTE[at % len(PALETTE)]
        series.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=colour, w=15875))
        series.smooth = False
        series.marker.symbol = "none" if len(days) > 1 else "circle"
    dated(chart, days, _LABELS)
    chart.y_axis.number_format = form
    chart.legend = Legend()
    chart.legend.position = "b"
    chart.layout = Layout(ManualLayout(x=0.07, y=0.13, w=0.9, h=0.66))
    return chart
