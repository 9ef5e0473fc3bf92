"""Writing cells: exact values, text that stays text, and each formula with the value it comes to."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from templates.formulas import render
from templates.layout import Placement
from templates.report import CellError
from templates.schema import Lang
from templates.styles import Styles, dress

#: Text that a spreadsheet would take for a formula or a command when it is typed or imported.
_DANGEROUS = frozenset("=+-@\t\r")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONGEST = 32_767


def plain(value: object) -> Any:  # noqa: ANN401 - what openpyxl takes
    """Return a value as a cell holds it: a number where it is exact, else its digits as text."""
    if isinstance(value, Decimal):
        if value == value.to_integral_value() and abs(value) < 10**15:
            return int(value)
        number = float(value)
        return number if Decimal(repr(number)) == value else f"{value:f}"
    return value


def approximate(value: object) -> Any:  # noqa: ANN401 - what openpyxl takes
    """Return a computed value as a spreadsheet would: a float of 15 or so digits."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 10**15 else float(value)
    return value


class Canvas:
    """Hold one workbook in the making: its sheets, styles, placements and the values of its formulas.

    With `literal`, formulas are written as their values; with `rounded`, weights are rounded to a tenth of a point. A
    `live` workbook's results will be filled by functions, with more rows than now or fewer.
    """

    def __init__(
        self,
        workbook: Workbook,
        lang: Lang,
        placements: Mapping[str, Placement],
        *,
        literal: bool = False,
        rounded: bool = False,
        live: bool = False,
    ) -> None:
        self.workbook = workbook
        self.lang: Lang = lang
        self.placements = placements
        self.literal = literal
        self.rounded = rounded
        self.live = live
        self.styles = Styles(workbook, lang)
        self.cached: dict[str, dict[str, object]] = {}
        self._letters = [get_column_letter(column) for column in range(1, 400)]

    def put(self, sheet: Worksheet, row: int, column: int, value: object, style: Any) -> None:  # noqa: ANN401
        """Write a value; text from outside never becomes a formula."""
        cell = sheet.cell(row, column)
        if isinstance(value, str):
            text = _CONTROL.sub("", value)[:_LONGEST]
            if text:
                cell.value = text
                if text[0] in _DANGEROUS or (text[0] == "#" and not isinstance(value, CellError)):
                    cell.data_type = "s"
                if text[0] in _DANGEROUS:
                    style = self.styles.quoted(style)
        elif value is not None:
            cell.value = value.replace(tzinfo=None) if isinstance(value, dt.datetime) else plain(value)
        dress(cell, style)

    def formula(
        self,
        sheet: Worksheet,
        row: int,
        column: int,
        text: str,
        value: object,
        style: Any,  # noqa: ANN401
    ) -> None:
        """Write a formula with its value (or only the value, in a literal workbook)."""
        value = approximate(value)
        if self.literal:
            self.put(sheet, row, column, value, style)
            return
        cell = sheet.cell(row, column)
        cell.value = text
        dress(cell, style)
        self.cached.setdefault(sheet.title, {})[f"{self._letters[column - 1]}{row}"] = "" if value is None else value

    def compute(
        self,
        sheet: Worksheet,
        row: int,
        column: int,
        template: str,
        value: object,
        style: Any,  # noqa: ANN401
    ) -> None:
        """Write a formula of the spec's form (without its =) with its value, or only the value if literal."""
        text = "" if self.literal else "=" + render(template, self.placements, self.lang)
        self.formula(sheet, row, column, text, value, style)
