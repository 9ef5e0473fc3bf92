"""The charts of the Dashboard: two donuts and the drift beside the lists, the history below."""

from __future__ import annotations

import datetime as dt

from openpyxl.chart._chart import ChartBase
from openpyxl.utils import quote_sheetname

from templates import charts
from templates.arithmetic import number
from templates.layout import FIRST_ROW
from templates.report import Value
from templates.sheets.dashboard.pen import POINTS, Pen


def donuts(pen: Pen, row: int, last: int) -> None:
    """Draw the weights, the targets and the drift of the allocation that ends in row `last`."""
    first = row + 2
    for key, column, anchor in (("chart.now", "E", "I"), ("chart.target", "D", "L")):
        chart = charts.donut(pen.say(key), _source(pen, column, first, last, "0.0%"))
        _place(pen, chart, 8.9, 7.6, f"{anchor}{row}")
    _place(pen, charts.bars(pen.say("chart.drift"), _source(pen, "F", first, last, POINTS)), 17.8, 8.4, f"I{row + 16}")


def history(pen: Pen, row: int) -> None:
    """Draw the value over time, where there is more than one day of it."""
    rows = pen.figures.tables["History"]
    placement = pen.canvas.placements.get("History")
    if placement is None or len(rows) < 2:
        return
    name = "Index" if pen.canvas.rounded else "Value"
    end = FIRST_ROW + len(rows) - 1
    title = quote_sheetname(placement.title)
    source = charts.Source(
        f"{title}!${placement.letter('Date')}${FIRST_ROW}:${placement.letter('Date')}${end}",
        [_iso(r["Date"]) for r in rows],
        f"{title}!${placement.letter(name)}${FIRST_ROW}:${placement.letter(name)}${end}",
        [float(number(r.get(name)) or 0) for r in rows],
        "#,##0",
    )
    _place(pen, charts.area(pen.say("chart.history"), source), 35.5, 6.2, f"B{row}")


def _source(pen: Pen, column: str, first: int, last: int, form: str) -> charts.Source:
    title = quote_sheetname(pen.sheet.title)
    names = [_shown(pen, f"B{row}") for row in range(first, last + 1)]
    numbers = [_shown(pen, f"{column}{row}") for row in range(first, last + 1)]
    return charts.Source(
        f"{title}!$B${first}:$B${last}",
        [str(name) for name in names],
        f"{title}!${column}${first}:${column}${last}",
        [float(n) if isinstance(n, int | float) else 0.0 for n in numbers],
        form,
    )


def _shown(pen: Pen, address: str) -> object:
    cached = pen.canvas.cached.get(pen.sheet.title, {})
    return cached[address] if address in cached else pen.sheet[address].value


def _place(pen: Pen, chart: ChartBase, width: float, height: float, anchor: str) -> None:
    """Put a chart at a cell; sizes in centimetres."""
    chart.width = width  # type: ignore[assignment]  # the stubs say int; openpyxl takes centimetres of any size
    chart.height = height
    pen.sheet.add_chart(chart, anchor)


def _iso(value: Value) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, dt.date) else str(value or "")
