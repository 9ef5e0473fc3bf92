"""The Performance sheet: three charts over the Course table, and what its parts are called above their columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from openpyxl.chart import AreaChart, BarChart, LineChart
from openpyxl.chart._chart import ChartBase
from openpyxl.chart.data_source import (
    AxDataSource,
    NumData,
    NumDataSource,
    NumRef,
    NumVal,
    StrData,
    StrRef,
    StrVal,
)
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.legend import Legend
from openpyxl.chart.marker import Marker
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.worksheet.worksheet import Worksheet

from engine.words import Lang, say
from templates.cells import Value, quoted_sheet
from templates.report import BookReport
from templates.spec import table
from templates.spec.layout import BLOCK_ROW, CAPTION_ROW, FIRST_COLUMN, FIRST_ROW, Placement
from templates.spec.results import PARTS_SHOWN, ROOM
from templates.spec.vocabulary import MEASURES
from templates.write.canvas import NAVY, Canvas, money_format
from templates.write.charts import PALETTE, dated, describe, titled
from templates.write.evaluate import Figures
from templates.write.tables import widths

#: Columns of the block, and the rows of a chart.
_COLUMNS, _ROWS = 11, 16
#: Where each chart stands: its first column and the one after its last, and how many charts down.
_PLACES = ((0, 11, 0), (0, 7, 1), (7, 11, 1))
#: What stands for a chart where it is not seen.
_ALTERNATIVES = {
    "value": "label.performance.alt-value",
    "allocation": "label.performance.alt-allocation",
    "drift": "label.performance.alt-drift",
}
#: Day 0 of a spreadsheet's calendar.
_FIRST_DAY = dt.date(1899, 12, 30)
_GREYS = ("A6A6A6", "D9D9D9")
_PARTS = (*(f"Part{number}" for number in range(1, PARTS_SHOWN + 1)), "Others", "CashShare")


@dataclass(frozen=True, slots=True)
class Drawn:
    """Where the Course table stands: the title of its sheet, the row of its headers, the letter of each column."""

    title: str
    header: int
    letters: Mapping[str, str]

    def cells(self, name: str, last: int) -> str:
        """Return the address of a column's cells down to a row."""
        letter = self.letters[name]
        return f"{quoted_sheet(self.title)}!${letter}${self.header + 1}:${letter}${last}"


def _drawn(place: Placement) -> Drawn:
    return Drawn(place.title, place.header, {column.name: place.letter(column.name) for column in place.columns})


def with_measures(figures: Figures, lang: Lang) -> Figures:
    """Return the figures with every measure of the Performance table named, where none is known yet."""
    if figures.tables["Performance"]:
        return figures
    rows = tuple({"Measure": say(f"word.measure.{key}", lang), "Result": "–"} for key in MEASURES)
    return replace(figures, tables={**figures.tables, "Performance": rows})


def write_performance(canvas: Canvas, sheet: Worksheet, report: BookReport, figures: Figures) -> None:
    """Write the charts at the left of the sheet, and the names of the parts over their columns."""
    place, rows = canvas.placements.get("Course"), figures.tables["Course"]
    lang, look = canvas.lang, canvas.styles.look
    canvas.put(sheet, BLOCK_ROW, FIRST_COLUMN, say("label.performance.block", lang), look("block"))
    told = say("label.performance.basis" if rows else "label.performance.empty", lang)
    canvas.put(sheet, CAPTION_ROW, FIRST_COLUMN, told, look("note"))
    widths(sheet, {**dict.fromkeys(range(FIRST_COLUMN, FIRST_COLUMN + _COLUMNS), 10.6), FIRST_COLUMN + _COLUMNS: 3})
    if place is None:
        return
    for name, column in zip(report.shares, _PARTS[:PARTS_SHOWN], strict=False):
        canvas.put(sheet, CAPTION_ROW, place.column(column), name, look("caption"))
    if canvas.literal and not rows:
        return
    room = ROOM if canvas.live else len(rows)
    drawn = charts(_drawn(place), report, lang, room, every=canvas.live)
    for chart, (left, right, down) in zip(drawn, _PLACES, strict=True):
        top = FIRST_ROW - 1 + down * (_ROWS + 1)
        # From cell to cell: columns are as wide as a spreadsheet's own font makes them.
        first = AnchorMarker(col=FIRST_COLUMN - 1 + left, row=top)
        last = AnchorMarker(col=FIRST_COLUMN - 1 + right, row=top + _ROWS)
        chart.anchor = TwoCellAnchor(_from=first, to=last)  # type: ignore[assignment]  # it takes both
        sheet.add_chart(chart)


def charts(place: Drawn, report: BookReport, lang: Lang, count: int, *, every: bool = False) -> list[ChartBase]:
    """Return the charts over `count` rows: value against what was paid in, allocation, drift.

    The allocation has the parts that there are, or `every` one that there may be.
    """
    base = report.portfolio.base_currency
    last = place.header + max(count, 1)
    parts = [name for name in _PARTS if every or _used(name, report)]
    column = {name: _series(place, last, name, report, lang) for name in ("Worth", "PaidIn", "OffTarget", *parts)}
    days = [row["On"] for row in report.rows("Course")]
    alone = len(days) == 1
    value = _lines([column["Worth"], column["PaidIn"]], (NAVY, "C55A11"), alone=alone)
    shares = _areas({name: column[name] for name in parts}, alone=alone)
    drift = _lines([column["OffTarget"]], (NAVY,), alone=alone)
    money = money_format(base).partition(";")[0]
    for chart, form, labels in ((value, money, 12), (shares, "0%", 7), (drift, "0%", 4)):
        _framed(chart, form, days, labels)
    for chart, key in ((value, "value"), (shares, "allocation"), (drift, "drift")):
        titled(chart, say(f"performance.chart-{key}", lang))
        describe(chart, say(_ALTERNATIVES[key], lang))
        if not count:
            _bare(chart)
    drift.legend = None
    return [value, shares, drift]


def _bare(chart: Any) -> None:  # noqa: ANN401 - the stubs know only what all charts have
    """Leave a chart that has nothing to show its title only."""
    chart.x_axis.delete = chart.y_axis.delete = True
    chart.y_axis.majorGridlines = chart.legend = None


def _used(name: str, report: BookReport) -> bool:
    if name == "CashShare":
        return True
    if name == "Others":
        return any(row.get(name) is not None for row in report.rows("Course"))
    return int(name.removeprefix("Part")) <= len(report.shares)


def _series(place: Drawn, last: int, name: str, report: BookReport, lang: Lang) -> Series:
    """Return a column as a series, with its numbers beside the addresses for whoever computes nothing."""
    rows = report.rows("Course")[: last - place.header]
    numbers = _cached([row.get(name) for row in rows], "0.00")
    days = _cached([row.get("On") for row in rows], "yyyy-mm-dd")
    series = Series(val=NumDataSource(numRef=NumRef(f=place.cells(name, last), numCache=numbers)))
    caption = f"{quoted_sheet(place.title)}!${place.letters[name]}${place.header - 1}"
    text = part_names(report, lang).get(name, "")
    series.tx = SeriesLabel(strRef=StrRef(f=caption, strCache=StrData(ptCount=1, pt=[StrVal(idx=0, v=text)])))
    series.cat = AxDataSource(numRef=NumRef(f=place.cells("On", last), numCache=days))
    return series


def _cached(values: Sequence[Value], form: str) -> NumData:
    points = []
    for at, value in enumerate(values):
        if isinstance(value, dt.date):
            points.append(NumVal(idx=at, v=str((value - _FIRST_DAY).days)))
        elif isinstance(value, int | float | Decimal):
            points.append(NumVal(idx=at, v=repr(float(value))))
    return NumData(formatCode=form, ptCount=len(values), pt=points)


def part_names(report: BookReport, lang: Lang) -> dict[str, str]:
    """Return what stands over each column of the Course table that a chart shows."""
    named = {column.name: column.caption(lang) for column in table("Course").columns}
    return named | dict(zip(_PARTS, report.shares, strict=False))


def _lines(series: Sequence[Any], colours: Sequence[str], *, alone: bool) -> ChartBase:
    """Return lines; of a single day, which makes none, its points."""
    chart: Any = LineChart()
    for one, colour in zip(series, colours, strict=True):
        line = GraphicalProperties(ln=LineProperties(solidFill=colour, w=19050))
        one.graphicalProperties, one.smooth = line, False
        one.marker = Marker(symbol="circle", spPr=GraphicalProperties(solidFill=colour)) if alone else Marker("none")
        chart.series.append(one)
    drawn: ChartBase = chart
    return drawn


def _areas(series: Mapping[str, Series], *, alone: bool) -> ChartBase:
    """Return areas, one upon the other; of a single day, which makes none, a column."""
    chart: Any = BarChart() if alone else AreaChart()
    chart.grouping = "stacked"
    if alone:
        chart.overlap = 100
    for at, (name, one) in enumerate(series.items()):
        colour = PALETTE[at] if name.startswith("Part") else _GREYS[name == "CashShare"]
        one.graphicalProperties = GraphicalProperties(solidFill=colour, ln=LineProperties(noFill=True))
        chart.series.append(one)
    chart.y_axis.scaling.max, chart.y_axis.scaling.min = 1, 0
    drawn: ChartBase = chart
    return drawn


def _framed(chart: Any, form: str, days: Sequence[Any], labels: int) -> None:  # noqa: ANN401 - as above
    """Give a chart an axis of days, light lines, and its legend below."""
    dated(chart, days, labels)
    chart.y_axis.number_format = form
    chart.legend = Legend()
    chart.legend.position = "b"
    chart.layout = Layout(ManualLayout(x=0.1, y=0.14, w=0.86, h=0.6))
