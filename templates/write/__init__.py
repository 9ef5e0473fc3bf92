"""A workbook from a report: every sheet of the spec, alive with formulas, each with its value cached beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.properties import CalcProperties
from openpyxl.worksheet.worksheet import Worksheet

from engine.words import Lang
from templates.cells import Value, letters, quoted_sheet
from templates.report import BookReport
from templates.spec import NAMES, SHEETS, sheet, table, tables_of
from templates.spec.layout import FIRST_ROW, HEADER_ROW, TOTALS_ROW, Placement, arrange, render
from templates.spec.schema import Sheet
from templates.write import analysis, checks, dashboard, start
from templates.write.canvas import Canvas, money_format
from templates.write.evaluate import Figures, evaluate
from templates.write.pack import packed
from templates.write.tables import frame, sides, write_table

#: Of every workbook: its looks are the same whenever it is made.
_STAMP = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - a constant, in no zone
#: The rows of a sheet's own block that are printed.
_BLOCK_ROWS = 11


@dataclass(frozen=True, slots=True)
class Book:
    """A finished workbook before it is packed, with the values of its formulas and where its tables stand."""

    workbook: Workbook
    cached: Mapping[str, Mapping[str, object]]
    placements: Mapping[str, Placement]
    figures: Figures

    def to_bytes(self) -> bytes:
        """Return the .xlsx file: the same report gives the same bytes."""
        return packed(self.workbook, self.cached)


def build(
    report: BookReport, lang: Lang, room: Mapping[str, int] | None = None, standing: Mapping[str, int] | None = None
) -> Book:
    """Build the workbook of a report in one language.

    `room` are the free rows below each table that functions will fill: such a book is live. `standing` is the room of
    the dashboard that it will be written back into.
    """
    figures = evaluate(report, lang)
    counts = {name: len(rows) for name, rows in figures.tables.items()}
    for name, rows in (room or {}).items():
        counts[name] += max(rows - table(name).spare, 0)
    extra = analysis.extra_columns(figures.tables)
    placements = arrange(counts, lang, extra, lambda _table, _column: True, optional=figures.optional_columns)
    workbook, worksheets = new_workbook(SHEETS, lang, "Rebalancer")
    workbook.properties.title = report.portfolio.name
    canvas = Canvas(workbook, lang, placements, live=bool(room), standing=standing)
    fill(canvas, worksheets, report, figures)
    workbook.active = 1 if report.as_of else 0
    return Book(workbook, canvas.cached, placements, figures)


def new_workbook(sheets: Iterable[Sheet], lang: Lang, creator: str | None) -> tuple[Workbook, dict[str, Worksheet]]:
    """Return an empty workbook with these sheets, and the sheets by their keys."""
    workbook = Workbook()
    workbook.properties.creator = creator
    workbook.properties.created = workbook.properties.modified = _STAMP
    workbook.calculation = CalcProperties(calcId=191029, fullCalcOnLoad=False)
    worksheets: dict[str, Worksheet] = {}
    for spec in sheets:
        worksheets[spec.key] = workbook.create_sheet() if worksheets else workbook.worksheets[0]
        worksheets[spec.key].title = spec.title(lang)
    return workbook, worksheets


def fill(canvas: Canvas, worksheets: Mapping[str, Worksheet], report: BookReport, figures: Figures) -> None:
    """Write every sheet that is there."""
    base = report.portfolio.base_currency
    places = {
        key: [canvas.placements[found.name] for found in tables_of(key) if found.name in canvas.placements]
        for key in worksheets
    }
    for key, worksheet in worksheets.items():
        spec = sheet(key)
        width = spec.width or max((place.right - 1 for place in places[key]), default=6)
        frame(canvas, worksheet, spec, report.portfolio.name, width)
        for place in places[key]:
            name = place.table.name
            write_table(canvas, worksheet, place, figures.tables[name], base, report.notes.get(name, ""))
        if places[key]:
            _window(canvas, worksheet, spec, places[key], figures)
    if "Start" in worksheets:
        start.write_start(canvas, worksheets["Start"], report.model)
    if "Checks" in worksheets:
        checks.write_checks(canvas, worksheets["Checks"], figures)
    if "Analysis" in worksheets:
        analysis.write_concentration(canvas, worksheets["Analysis"], figures)
        analysis.illustrate(canvas, worksheets["Analysis"], figures)
    _totals(canvas, worksheets, figures, base)
    for place in (place for key in worksheets for place in places[key]):
        for column in (column for column in place.columns if column.sides):
            letter = place.letter(column.name)
            sides(worksheets[place.table.sheet], f"{letter}{FIRST_ROW}:{letter}{place.last_row}", canvas.lang)
    dashboard.write_dashboard(canvas, worksheets["Dashboard"], report, figures)


def _window(canvas: Canvas, worksheet: Worksheet, spec: Sheet, places: list[Placement], figures: Figures) -> None:
    worksheet.freeze_panes = f"A{FIRST_ROW}"
    if canvas.literal:
        return
    worksheet.print_title_rows = f"1:{HEADER_ROW}"
    areas = [f"B1:{letters(1 + spec.block)}{FIRST_ROW + _BLOCK_ROWS}"] if spec.block else []
    for place in places:
        found, rows = place.table, figures.tables[place.table.name]
        if rows or (place is places[0] and not spec.block):
            # What a person fills in is printed with its free rows; results as far as they go.
            last = HEADER_ROW + max(len(rows), 1) if found.ranges else place.last_row
            if found.charted:
                last += analysis.chart_rows(rows)
            right = place.letter(found.printed) if found.printed else letters(place.right)
            areas.append(f"{letters(place.left)}1:{right}{last}")
    worksheet.print_area = areas


def _totals(canvas: Canvas, worksheets: Mapping[str, Worksheet], figures: Figures, base: str) -> None:
    """Write the named cells above the tables: label and value in pairs."""
    values: dict[str, Value] = {
        "TotalValue": figures.total,
        "HoldingsValue": figures.holdings_value,
        "CashValue": figures.cash_value,
        "TargetSum": figures.target_sum,
        "CashTarget": figures.cash_target,
        "BaseCurrency": base,
        "CashFlow": figures.cash_flow,
        "ChecksFailed": checks.failed(figures, canvas.lang),
    }
    formats = {"money": "0.0%" if canvas.rounded else money_format(base), "weight": "0.0%", "text": "@", "count": "0"}
    last = FIRST_ROW + len(checks.checks(figures, canvas.lang)) - 1
    used: dict[str, int] = {}
    for name in NAMES:
        worksheet = worksheets.get(name.sheet)
        if worksheet is None or (canvas.rounded and name.private):
            continue
        column = used.get(name.sheet, sheet(name.sheet).totals)
        used[name.sheet] = column + 4
        canvas.put(worksheet, TOTALS_ROW, column, name.caption(canvas.lang), canvas.styles.look("total-label"))
        text = name.formula.replace("{first}", str(FIRST_ROW)).replace("{last}", str(last))
        text = text if canvas.literal else render(text, canvas.placements, canvas.lang)
        style = canvas.styles.look(f"total|{formats[name.kind]}")
        canvas.formula(worksheet, TOTALS_ROW, column + 1, text, values[name.name], style)
        worksheet.merge_cells(start_row=TOTALS_ROW, end_row=TOTALS_ROW, start_column=column + 1, end_column=column + 2)
        if not canvas.literal:
            target = f"{quoted_sheet(worksheet.title)}!${letters(column + 1)}${TOTALS_ROW}"
            canvas.workbook.defined_names[name.name] = DefinedName(name.name, attr_text=target)
