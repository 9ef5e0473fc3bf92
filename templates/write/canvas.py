"""How cells look: one named style per role and kind of value, made when first used.

Inputs are blue on pale yellow, formulas black, links to other sheets green, results of the engine on pale grey.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from engine.money import MINOR_DIGITS
from engine.words import Lang
from templates.cells import CellError, letters
from templates.spec.layout import Placement, render
from templates.spec.schema import Column, ColumnType

NAVY, BLUE, PALE_BLUE = "1F3864", "305496", "DDE6F3"
YELLOW, GREY, WHITE = "FFF8E1", "F2F2F2", "FFFFFF"
RED, GREEN, AMBER = "C00000", "1E7B34", "9C5700"
PALE_RED, PALE_GREEN, PALE_AMBER = "FDE2E1", "E3F3E6", "FFEFCF"
SOLD_BLUE = "0B5394"
LINE = "D9D9D9"
FONTS: Mapping[Lang, str] = {"en": "Calibri", "ko": "Malgun Gothic"}

_SYMBOLS = {"KRW": "₩", "USD": "$", "EUR": "€", "JPY": "¥", "GBP": "£"}
_FORMATS: Mapping[ColumnType, str] = {
    "ticker": "@",
    "integer": "#,##0",
    "number": "#,##0.00####",
    "quantity": "#,##0",
    "rate": "#,##0.00####",
    "weight": '[>=9]"–";0.0%',
    "fee": "0.00##%",
    "drift": "+0.0%;-0.0%;0.0%",
    "correlation": "0.00",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm",
    "signal": "@",
}
_CENTRED = frozenset({"choice", "bool", "date", "datetime", "status", "signal"})
_LEFT = frozenset({"text", "ticker", "list"})
_EDGE = Side(style="thin", color=LINE)
_BOX = Border(left=_EDGE, right=_EDGE, top=_EDGE, bottom=_EDGE)


def money_format(currency: str) -> str:
    """Return the number format of an amount: whole won, dollars with cents; negatives red, zero a dash in won."""
    symbol = _SYMBOLS.get(currency)
    mark = symbol or (f'"{currency} "' if currency else "")
    if currency == "KRW":
        return '₩#,##0;[Red]-₩#,##0;"–"'
    digits = "0." + "0" * MINOR_DIGITS.get(currency, 2) if MINOR_DIGITS.get(currency, 2) else "0"
    return f"{mark}#,##{digits};[Red]-{mark}#,##{digits}"


def number_format(column: Column, currency: str) -> str:
    """Return the number format of a column's cells, with amounts in `currency`."""
    if column.type in ("money", "price"):
        return money_format(currency)
    if column.percent:
        return "0.00##%"
    return _FORMATS.get(column.type, "General")


def dress(cell: object, style: Any) -> None:  # noqa: ANN401 - openpyxl's style array has no public type
    """Give a cell a style array; thousands of cells share one, which the public setters would copy each time."""
    cell._style = style  # type: ignore[attr-defined]  # noqa: SLF001 - see above


class Styles:
    """The styles of one workbook, made when first used: `look` by name, `cell` for a column's cells."""

    def __init__(self, workbook: Workbook, lang: Lang) -> None:
        self._workbook = workbook
        self._font = FONTS[lang]
        self._arrays: dict[object, Any] = {}
        # Of the workbook, but on none of its sheets.
        self._probe = Cell(workbook.worksheets[0], row=1, column=1)

    def cell(self, column: Column, currency: str = "") -> Any:  # noqa: ANN401 - openpyxl's style array has no public type
        """Return the style array of a column's cells."""
        role: str = "link" if column.link else column.role
        if column.check:
            role = "check"
        key = (role, column.type, number_format(column, currency), column.wrapped)
        found = self._arrays.get(key)
        if found is None:
            suffix = f".{currency}" if column.type in ("money", "price") and currency else ""
            percent = ".percent" if key[2] == "0.00##%" else ""
            name = f"{role}.{column.type}{suffix}{percent}{'.wrapped' if column.wrapped else ''}"
            style = self._column_style(name, role, column.type, key[2])
            if column.wrapped:
                style.alignment = Alignment(horizontal="left", vertical="center", wrap_text=True)
            found = self._arrays[key] = self._array(style)
        return found

    def figure(self, column: Column, kind: ColumnType, currency: str) -> Any:  # noqa: ANN401 - as above
        """Return the style array of a figure of another kind than its column's."""
        return self.cell(replace(column, type=kind), currency if kind == "money" else "")

    def _column_style(self, name: str, role: str, kind: ColumnType, number: str) -> NamedStyle:
        colour = {"input": "0000FF", "link": GREEN, "check": RED}.get(role, "000000")
        fill = {"input": YELLOW, "result": GREY}.get(role)
        centre = "center" if kind in _CENTRED else "left" if kind in _LEFT else "right"
        style = NamedStyle(name, number_format=number, border=_BOX)
        style.font = Font(name=self._font, size=10, color=colour)
        if fill:
            style.fill = PatternFill("solid", fgColor=fill)
        style.alignment = Alignment(horizontal=centre, vertical="center", indent=1 if centre == "left" else 0)
        return style

    def look(self, name: str) -> Any:  # noqa: ANN401 - openpyxl's style array has no public type
        """Return the style array of a named look, such as title, caption or note."""
        found = self._arrays.get(name)
        if found is None:
            found = self._arrays[name] = self._array(self._look(name))
        return found

    def _look(self, name: str) -> NamedStyle:
        base, _, number = name.partition("|")
        base, _, own_colour = base.partition(".")
        size, bold, colour, fill, align, wrap, border, italic = _LOOKS[base]
        colour = own_colour or colour
        style = NamedStyle(f"{base}.{len(self._arrays)}" if number else name)
        style.font = Font(name=self._font, size=size, bold=bold, color=colour, italic=italic)
        if fill:
            style.fill = PatternFill("solid", fgColor=fill)
        style.alignment = Alignment(horizontal=align, vertical="center", wrap_text=wrap, shrink_to_fit=base in _SHRINK)
        if border:
            style.border = _BOX
        elif base.startswith("kpi"):
            style.border = _GAP
        if number:
            style.number_format = number
        return style

    def _array(self, style: NamedStyle) -> Any:  # noqa: ANN401 - openpyxl's style array has no public type
        if style.name not in self._workbook.named_styles:
            self._workbook.add_named_style(style)
        self._probe.style = style.name
        array = copy(self._probe._style)  # type: ignore[attr-defined]  # noqa: SLF001 - see `dress`
        self._probe.style = "Normal"
        return array

    def quoted(self, array: Any) -> Any:  # noqa: ANN401 - openpyxl's style array has no public type
        """Return the same style, for text that Excel must not take for a formula when the cell is edited."""
        key = ("quoted", tuple(array))
        found = self._arrays.get(key)
        if found is None:
            found = self._arrays[key] = copy(array)
            found.quotePrefix = 1
        return found


#: size, bold, colour, fill, alignment, wrap, border, italic
_LOOKS: Mapping[str, tuple[int, bool, str, str | None, str, bool, bool, bool]] = {
    "title": (16, True, WHITE, NAVY, "left", False, False, False),
    "band": (9, False, "D6E0F0", NAVY, "left", False, False, False),
    "note": (9, False, "7F7F7F", None, "left", False, False, True),
    "text": (10, False, "000000", None, "left", True, False, False),
    "mark": (11, False, "000000", None, "right", False, False, False),
    "text-line": (10, False, "000000", None, "left", False, False, False),
    "alert": (11, True, RED, PALE_RED, "left", False, False, False),
    "strong": (11, True, NAVY, None, "left", False, False, False),
    "block": (12, True, NAVY, None, "left", False, False, False),
    "caption": (10, True, WHITE, BLUE, "center", True, True, False),
    "header": (8, False, "5A6B8C", PALE_BLUE, "center", False, True, False),
    "total-label": (9, False, "7F7F7F", None, "left", False, False, False),
    "total": (11, True, "000000", None, "left", False, False, False),
    "banner": (13, True, GREEN, None, "left", False, False, False),
    "link": (9, False, "0563C1", None, "left", False, False, False),
    "kpi-label": (9, False, "5A6B8C", PALE_BLUE, "center", False, False, False),
    "kpi-value": (15, True, NAVY, PALE_BLUE, "center", False, False, False),
    "kpi-note": (9, False, "5A6B8C", PALE_BLUE, "center", False, False, False),
    "cell-text": (10, False, "000000", None, "left", False, True, False),
    "cell-wrap": (10, False, "000000", None, "left", True, True, False),
    "cell-centre": (10, False, "000000", None, "center", False, True, False),
    "cell-number": (10, False, "000000", None, "right", False, True, False),
    "caption-small": (9, True, WHITE, BLUE, "center", False, True, False),
    "cell-line": (10, False, "000000", None, "left", False, False, False),
    "cell-line-centre": (10, False, "000000", None, "center", False, False, False),
    "cell-line-right": (10, False, "000000", None, "right", False, False, False),
    "cell-line-number": (10, False, "000000", None, "right", False, False, False),
    "cell-line-link": (9, False, "0563C1", None, "left", False, False, False),
    "cell-line-alert": (10, True, RED, None, "left", False, False, False),
    "cell-line-alert-right": (10, True, RED, None, "right", False, False, False),
    "bar-under": (8, False, "5B7FBF", None, "right", False, False, False),
    "bar-over": (8, False, "5B7FBF", None, "left", False, False, False),
    "empty": (10, False, "7F7F7F", None, "left", False, False, True),
    "legend-input": (10, False, "0000FF", YELLOW, "center", False, True, False),
    "legend-formula": (10, False, "000000", WHITE, "center", False, True, False),
    "legend-link": (10, False, GREEN, WHITE, "center", False, True, False),
    "legend-result": (10, False, "000000", GREY, "center", False, True, False),
    "legend-problem": (10, True, RED, PALE_RED, "center", False, True, False),
}
_SHRINK = frozenset(
    {"kpi-value", "kpi-note", "cell-line", "cell-line-right", "cell-line-alert", "cell-line-alert-right"}
)
#: White lines between the cards.
_GAP = Border(left=Side(style="thick", color=WHITE), right=Side(style="thick", color=WHITE))


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
    """A workbook in the making: its sheets, styles, placements and the values of its formulas.

    With `literal`, formulas are written as their values; with `rounded`, weights are rounded to a tenth of a point. A
    `live` workbook's results will be filled by functions, with more rows than now or fewer. `standing` is the room of a
    dashboard that is there already (`templates.write.dashboard.standing`).
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
        standing: Mapping[str, int] | None = None,
    ) -> None:
        self.workbook = workbook
        self.lang: Lang = lang
        self.placements = placements
        self.literal = literal
        self.rounded = rounded
        self.live = live
        self.standing = standing or {}
        self.styles = Styles(workbook, lang)
        self.cached: dict[str, dict[str, object]] = {}
        self.sized: dict[str, set[str]] = {}
        self._letters = [letters(column) for column in range(1, 400)]

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
