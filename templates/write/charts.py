"""The charts: donuts of current and target, bars of drift, area of value; each with its numbers cached in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpyxl.chart import AreaChart, BarChart, DoughnutChart
from openpyxl.chart._chart import ChartBase
from openpyxl.chart.axis import ChartLines, DateAxis
from openpyxl.chart.data_source import AxDataSource, NumData, NumDataSource, NumRef, NumVal, StrData, StrRef, StrVal
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.marker import DataPoint
from openpyxl.chart.series import Series
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
    RichTextProperties,
)

PALETTE = (
    "305496", "C55A11", "548235", "7F6000", "7030A0", "2E9CA6", "BF8F00", "A5375A", "5B7FBF", "8FAF6F", "D9925B",
    "9673B9", "7F7F7F", "BFBFBF",
)  # fmt: skip

#: Size of the names at the bars, in hundredths of a point.
_SMALL = 700
#: Size of the figures at an axis of days.
_FIGURES = 800
#: An axis of fewer days names each; one of more names whole years.
_FEW_DAYS, _MANY_DAYS, _YEAR = 93, 730, 365
#: Under what a chart keeps its description until it is packed.
DESCRIPTION = "description"
#: Size of the titles.
_TITLE = 1100


class Source:
    """A chart's series, where it stands and what it holds: categories and numbers, by address and by value."""

    def __init__(
        self, labels_ref: str, labels: Sequence[str], numbers_ref: str, numbers: Sequence[float], number_format: str
    ) -> None:
        self.labels_ref, self.labels = labels_ref, labels
        self.numbers_ref, self.numbers, self.number_format = numbers_ref, numbers, number_format

    def series(self) -> Series:
        """Return the series, with its values beside the addresses."""
        points = [NumVal(idx=i, v=repr(number)) for i, number in enumerate(self.numbers)]
        values = NumData(formatCode=self.number_format, ptCount=len(points), pt=points)
        series = Series(val=NumDataSource(numRef=NumRef(f=self.numbers_ref, numCache=values)))
        texts = StrData(ptCount=len(self.labels), pt=[StrVal(idx=i, v=text) for i, text in enumerate(self.labels)])
        series.cat = AxDataSource(strRef=StrRef(f=self.labels_ref, strCache=texts))
        return series


def colour(place: int, named: int) -> str:
    """Return the colour of a slice: of one of the `named` ones, of the rest after them, or of the cash at the end."""
    return PALETTE[place % (len(PALETTE) - 2)] if place < named else PALETTE[-2 if place == named else -1]


def titled(chart: ChartBase, text: str) -> None:
    """Give a chart a title of the size of the tables' titles."""
    look = CharacterProperties(sz=_TITLE, b=True, solidFill="1F3864")
    run = Paragraph(pPr=ParagraphProperties(defRPr=look), r=[RegularTextRun(rPr=look, t=text)])
    chart.title = Title(tx=Text(rich=RichText(p=[run])), overlay=False)


def describe(chart: ChartBase, text: str) -> None:
    """Give a chart a text for those who cannot see it; openpyxl has no place for it."""
    vars(chart)[DESCRIPTION] = text


def dated(chart: Any, days: Sequence[Any], labels: int) -> None:  # noqa: ANN401 - the stubs know only what all charts have
    """Give a chart an axis of days, with small figures; of years, where there are several, about so many `labels`."""
    span = (days[-1] - days[0]).days if days else 0
    chart.x_axis = axis = DateAxis(crossAx=100)
    axis.number_format, axis.baseTimeUnit = "yyyy-mm-dd" if days and span < _FEW_DAYS else "yyyy-mm", "days"
    if span > _MANY_DAYS:
        axis.majorUnit, axis.majorTimeUnit = 12 * -(-span // (labels * _YEAR)), "months"
    # Upright and small: as many as there is room for.
    look = CharacterProperties(sz=_FIGURES)
    axis.txPr = chart.y_axis.txPr = RichText(
        bodyPr=RichTextProperties(rot=0), p=[Paragraph(pPr=ParagraphProperties(defRPr=look), endParaRPr=look)]
    )
    axis.tickLblPos, chart.y_axis.crossAx = "low", 500
    axis.delete = chart.y_axis.delete = False
    chart.y_axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill="E5E5E5")))


def donut(title: str, source: Source, named: int) -> DoughnutChart:
    """Return a donut, each slice in the colour it has in every donut; `named` are those before the rest and cash."""
    chart = DoughnutChart()
    series = source.series()
    for index in range(len(source.labels)):
        fill = GraphicalProperties(solidFill=colour(index, named), ln=LineProperties(solidFill="FFFFFF", w=9525))
        series.data_points.append(DataPoint(idx=index, spPr=fill))
    series.dLbls = DataLabelList(
        showPercent=False,
        showVal=False,
        showCatName=False,
        showSerName=False,
        showLegendKey=False,
        showLeaderLines=False,
    )
    chart.series.append(series)
    titled(chart, title)
    chart.holeSize = 58
    chart.legend = None  # the table beside it carries the colours
    chart.style = 10
    return chart


def bars(title: str, source: Source) -> BarChart:
    """Return horizontal bars around zero, the first row on top."""
    chart = BarChart()
    chart.type = "bar"
    series = source.series()
    series.graphicalProperties = GraphicalProperties(solidFill="305496")
    series.invertIfNegative = False
    series.dLbls = DataLabelList(
        showVal=True, showCatName=False, showSerName=False, showLegendKey=False, numFmt="+0.0%;-0.0%;0.0%"
    )
    chart.series.append(series)
    titled(chart, title)
    chart.legend = None
    chart.gapWidth = 45
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.tickLblPos = "low"
    # Every name, also where there are many.
    chart.x_axis.tickLblSkip = 1
    small = CharacterProperties(sz=_SMALL)
    chart.x_axis.txPr = RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=small), endParaRPr=small)])
    chart.x_axis.delete = False
    chart.y_axis.delete = True
    chart.y_axis.majorGridlines = None
    return chart


def area(title: str, source: Source) -> AreaChart:
    """Return an area over time."""
    chart = AreaChart()
    series = source.series()
    series.graphicalProperties = GraphicalProperties(solidFill="9DB7E0", ln=LineProperties(solidFill="305496", w=15875))
    chart.series.append(series)
    titled(chart, title)
    chart.legend = None
    chart.x_axis.delete = False
    chart.y_axis.delete = False
    chart.x_axis.number_format = "yyyy-mm"
    chart.y_axis.number_format = source.number_format
    chart.y_axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill="E5E5E5")))
    chart.layout = Layout(ManualLayout(x=0.14, y=0.16, w=0.82, h=0.64))
    return chart
