"""A workbook from a report: every sheet of the spec, alive with formulas, each with its value cached beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.properties import CalcProperties
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from engine.words import Lang
from templates.cells import Value, letters, quoted_sheet
from templates.report import BookReport
from templates.spec import NAMES, SHEETS, sheet, table, tables_of
from templates.spec.layout import (
    FIRST_COLUMN,
    FIRST_ROW,
    HEADER_ROW,
    LINKS_ROW,
    PURPOSE_ROW,
    TITLE_ROW,
    TOTALS_ROW,
    Placement,
    arrange,
    render,
)
from templates.spec.schema import Sheet
from templates.write import analysis, checks, dashboard, over_time, start
from templates.write.canvas import Canvas, money_format
from templates.write.evaluate import Figures, evaluate
from templates.write.pack import packed
from templates.write.tables import frame, page, sides, write_table

#: Of every workbook: its looks are the same whenever it is made.
_STAMP = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - a constant, in no zone
#: As many rows as can be read on a page.
_ROWS = 60
#: As wide a printed area, in characters, as can be read on a page.
_PAGE = 262


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
    figures = over_time.with_measures(evaluate(report, lang), lang)
    counts = {name: len(rows) for name, rows in figures.tables.items()}
    for name, rows in (room or {}).items():
        counts[name] += max(rows - table(name).spare, 0)
    extra = analysis.extra_columns(figures.tables)
    placements = arrange(counts, lang, extra, lambda _table, _column: True, optional=figures.optional_columns)
    standing_sheets = {place.table.sheet for place in placements.values()}
    sheets = [spec for spec in SHEETS if not spec.optional or spec.key in standing_sheets]
    workbook, worksheets = new_workbook(sheets, lang, "Rebalancer")
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
        width = spec.width or max((_shown_right(place) - 1 for place in places[key]), default=6)
        frame(canvas, worksheet, spec, report.portfolio.name, width)
        for place in places[key]:
            name = place.table.name
            note, planned = report.notes.get(name, ""), report.as_of is not None
            write_table(canvas, worksheet, place, figures.tables[name], base, note, planned=planned)
        if places[key]:
            _window(canvas, worksheet, spec, places[key], figures)
    if "Start" in worksheets:
        start.write_start(canvas, worksheets["Start"], report.model)
    if "Checks" in worksheets:
        checks.write_checks(canvas, worksheets["Checks"], figures)
    if "Analysis" in worksheets:
        analysis.write_concentration(canvas, worksheets["Analysis"], figures)
        analysis.illustrate(canvas, worksheets["Analysis"], figures)
    if "Performance" in worksheets:
        over_time.write_performance(canvas, worksheets["Performance"], report, figures)
    _totals(canvas, worksheets, figures, base)
    for place in (place for key in worksheets for place in places[key]):
        for column in (column for column in place.columns if column.sides):
            letter = place.letter(column.name)
            sides(worksheets[place.table.sheet], f"{letter}{place.first_row}:{letter}{place.last_row}", canvas.lang)
    dashboard.write_dashboard(canvas, worksheets["Dashboard"], report, figures)


def _window(canvas: Canvas, worksheet: Worksheet, spec: Sheet, places: list[Placement], figures: Figures) -> None:
    """Freeze the heads, ticker and name; say what is printed; let a line of links lead to every table."""
    first = places[0]
    frozen = [name for name in ("Ticker", "Name", "Task") if name in {column.name for column in first.columns}]
    column = letters(first.column(frozen[-1]) + 1) if frozen and not spec.block and not spec.stacked else "A"
    worksheet.freeze_panes = f"{column}{LINKS_ROW + 1 if spec.stacked else FIRST_ROW}"
    if not canvas.literal:
        _links(canvas, worksheet, places)
    worksheet.print_title_rows = f"1:{PURPOSE_ROW if spec.stacked else HEADER_ROW}"
    if spec.stacked:
        page(worksheet, one_page=_end(places[-1], figures) <= _ROWS + _ROWS // 2)
        right = max(_shown_right(place) for place in places)
        worksheet.print_area = f"A1:{letters(right)}{_end(places[-1], figures)}"
        return
    # What stands beside the sheet's own block is printed with it, as far as a page reaches.
    areas: list[tuple[int, int, int]] = [(1, 1 + spec.block, FIRST_ROW + spec.tall)] if spec.block else []
    for place in places:
        if not (figures.tables[place.table.name] or spec.whole or (place is places[0] and not spec.block)):
            continue
        left, right, last = place.left, _shown_right(place), _end(place, figures)
        if not areas:
            areas.append((1, right, last))
        elif _width(worksheet, areas[-1][0], right) <= _PAGE and not place.table.charted:
            areas[-1] = (areas[-1][0], right, max(areas[-1][2], last))
        else:
            areas.append((left, right, last))
    for left, _, _ in areas[1:]:
        title = next(place.table.caption(canvas.lang) for place in places if place.left == left)
        canvas.put(worksheet, TITLE_ROW, left, title, canvas.styles.look("title"))
    # A longer table of one sheet goes on over more pages, with its heads.
    page(worksheet, one_page=len(areas) == 1 and areas[0][2] <= _ROWS)
    worksheet.print_area = [f"{letters(left)}1:{letters(right)}{last}" for left, right, last in areas]


def _shown_right(place: Placement) -> int:
    """Return the last column of a table that is printed."""
    if place.table.printed:
        return place.column(place.table.printed)
    return max(place.column(column.name) for column in place.columns if not column.hidden)


def _end(place: Placement, figures: Figures) -> int:
    """Return the last row that is printed: free rows too of what a person fills in, results as far as they go."""
    rows = figures.tables[place.table.name]
    last = place.header + max(len(rows), 1) if place.table.ranges else place.last_row
    return last + (analysis.chart_rows(rows) if place.table.charted else 0)


def _width(worksheet: Worksheet, left: int, right: int) -> float:
    return sum(worksheet.column_dimensions[letters(column)].width for column in range(left, right + 1))


def _links(canvas: Canvas, worksheet: Worksheet, places: list[Placement]) -> None:
    """Write a line of links: to the dashboard, and to every table of the sheet where it has several."""
    look = canvas.styles.look("link")
    dashboard = sheet("Dashboard").title(canvas.lang)
    targets = [(f"⌂ {dashboard}", dashboard, "A1")]
    if len(places) > 1:
        targets += [
            (f"↓ {place.table.caption(canvas.lang)}", place.title, f"{letters(place.left)}{place.title_row}")
            for place in places
        ]
    column = FIRST_COLUMN
    for text, title, address in targets:
        canvas.put(worksheet, LINKS_ROW, column, text, look)
        cell = worksheet.cell(LINKS_ROW, column)
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{quoted_sheet(title)}!{address}")
        # The text runs on over empty cells: the next link stands where it ends.
        room = 0.0
        while room < len(text) * 1.6 + 2:
            room += worksheet.column_dimensions[letters(column)].width
            column += 1


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
