"""The charts of a person's own Performance sheet, brought up to date.

A chart that shows the same columns keeps the looks it was given: only the rows it reaches over change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from openpyxl.xml.functions import tostring

from engine.words import Lang
from templates.cells import letters, quoted_sheet
from templates.merge.package import Package
from templates.read.tables import Found
from templates.report import BookReport
from templates.write.over_time import Drawn, charts

_FORMULA = re.compile(rb"(<(?:[\w.-]+:)?f>)([^<]*)(</)")
#: A chart of so few days was looked at by nobody: it is drawn anew, with the axis that fits.
_FEW = 8
_SERIES = re.compile(rb"<(?:[\w.-]+:)?ser>")


def redraw(package: Package, place: Found, report: BookReport, lang: Lang) -> None:
    """Let the charts over the Course table show all of a report's rows and parts."""
    at = {name: letters(column) for name, column in place.columns.items()}
    if not place.table.index.keys() <= at.keys():
        return
    drawn, count = Drawn(place.grid.name, place.header, at), len(report.rows("Course"))
    for made in charts(drawn, report, lang, count):
        _redraw(package, place, drawn, made, count)


def _redraw(package: Package, place: Found, drawn: Drawn, made: Any, count: int) -> None:  # noqa: ANN401 - see openpyxl
    """Bring the chart up to date that shows the first column of one that was made, or one of its like."""
    columns = {series.val.numRef.f.partition("!")[2].partition(":")[0] for series in made.series}
    for part in _charts_of(package, place):
        data = package.read(part)
        shown = {text.partition("!")[2].partition(":")[0] for text in _ranges(data, drawn)}
        dates = f"${drawn.letters['On']}${drawn.header + 1}"
        if not shown - {dates} & columns:
            continue
        # One that had next to nothing to show, or shows other parts now, is drawn anew.
        short = all(int(text.rpartition("$")[2]) <= drawn.header + _FEW for text in _ranges(data, drawn))
        if short or len(_SERIES.findall(data)) != len(made.series):
            package.write(part, tostring(made._write()))  # noqa: SLF001 - as openpyxl's own writer does
            return
        package.write(part, _reaching(data, drawn, drawn.header + count))
        return


def _charts_of(package: Package, place: Found) -> Iterable[str]:
    for kind, drawing in package.related(place.grid.part):
        if kind.endswith("/drawing"):
            yield from (part for name, part in package.related(drawing) if name.endswith("/chart"))


def _ranges(data: bytes, drawn: Drawn) -> list[str]:
    """Return the addresses of several cells of the table's sheet that a chart shows."""
    own = (f"{quoted_sheet(drawn.title)}!", f"{drawn.title}!")
    texts = (found[2].decode().replace("&apos;", "'").replace("&amp;", "&") for found in _FORMULA.finditer(data))
    return [text for text in texts if text.startswith(own) and ":" in text]


def _reaching(data: bytes, drawn: Drawn, last: int) -> bytes:
    begins = f"${drawn.header + 1}:"

    def longer(found: re.Match[bytes]) -> bytes:
        text = found[2].decode()
        if begins not in text:
            return found[0]
        return found[1] + re.sub(r"\d+$", str(last), text).encode() + found[3]

    return _FORMULA.sub(longer, data)
