"""What every part of the Dashboard writes with: the canvas, the report, its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from openpyxl.worksheet.worksheet import Worksheet

from templates.canvas import Canvas
from templates.evaluate import Figures
from templates.labels import label
from templates.report import Report, Value

#: How a difference of weights is shown.
POINTS = "+0.0%;-0.0%;0.0%"


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one cell to be written: a formula (without its =), and what it comes to."""

    formula: str
    value: Value


class Pen:
    """Hold what the parts of the sheet are written with and from."""

    def __init__(self, canvas: Canvas, sheet: Worksheet, report: Report, figures: Figures) -> None:
        self.canvas, self.sheet, self.report, self.figures = canvas, sheet, report, figures
        self.lang = canvas.lang
        self.look: Callable[[str], object] = canvas.styles.look
        self.base = report.portfolio.base_currency
        self.summary = {row["Key"]: row["Value"] for row in figures.tables["Summary"]}

    def say(self, key: str) -> str:
        """Return a text in the language of the workbook."""
        return label(key, self.lang)

    def write(self, row: int, column: int, line: Line, look: str) -> None:
        """Write a formula with what it comes to."""
        self.canvas.compute(self.sheet, row, column, line.formula, line.value, self.look(look))

    def put(self, row: int, column: int, value: Value, look: str) -> None:
        """Write a value."""
        self.canvas.put(self.sheet, row, column, value, self.look(look))
