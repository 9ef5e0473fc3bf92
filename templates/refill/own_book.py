"""A person's own workbook while results are written into it."""

from __future__ import annotations

from collections.abc import Mapping

from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from templates.build import Book, build
from templates.canvas import Canvas
from templates.reading.find import Found
from templates.report import Report
from templates.schema import Lang


class OwnBook:
    """Hold the workbook, where its tables were found, and a fresh one of the same report to write from."""

    def __init__(self, workbook: Workbook, found: Mapping[str, Found], report: Report, lang: Lang) -> None:
        self.workbook, self.found, self.report, self.lang = workbook, found, report, lang
        self.fresh: Book = build(report, lang)
        self.canvas = Canvas(workbook, lang, {})
        self.cached: dict[str, dict[str, object]] = {}

    def sheet(self, place: Found) -> Worksheet:
        """Return the sheet that a table stands on."""
        return self.workbook[place.grid.name]
