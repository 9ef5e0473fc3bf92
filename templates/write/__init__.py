"""A workbook from a report: every sheet of the spec, alive with formulas, each with its value cached beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.properties import CalcProperties
from openpyxl.worksheet.worksheet import Worksheet

from engine.words import Lang
from templates.labels import label
from templates.report import BookReport, Row, Value
from templates.spec import SHEETS, table, tables_of
from templates.spec.layout import FIRST_ROW, HEADER_ROW, TOTALS_ROW, Placement, arrange, render
from templates.spec.schema import Sheet, Table
from templates.write import analysis, checks, dashboard, start
from templates.write.canvas import Canvas
from templates.write.evaluate import Figures, evaluate
from templates.write.pack import packed
from templates.write.tables import frame, sides, write_table

#: Of every workbook: its looks are the same whenever it is made.
_STAMP = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - a constant, in no zone


@dataclass(frozen=True, slots=True)
class Book:
    """Hold a finished workbook before it is packed, with the values of its formulas and where its tables stand."""

    workbook: Workbook
    cached: Mapping[str, Mapping[str, object]]
    placements: Mapping[str, Placement]
    figures: Figures

    def to_bytes(self) -> bytes:
        """Return the .xlsx file: the same report gives the same bytes."""
        return packed(self.workbook, self.cached)


def build(report: BookReport, lang: Lang, room: Mapping[str, int] | None = None) -> Book:
    """Build the workbook of a report in one language.

    `room` are the free rows below each table that functions will fill: such a book is live.
    """
    figures = evaluate(report, lang)
    counts = {name: len(rows) for name, rows in figures.tables.items()}
    for name, rows in (room or {}).items():
        counts[name] += max(rows - table(name).spare, 0)
    extra = analysis.extra_columns(figures.tables)
    placements = arrange(counts, lang, extra, lambda _table, _column: True)
    shift(placements)
    workbook = Workbook()
    workbook.properties.creator = "Rebalancer"
    workbook.properties.title = report.portfolio.name
    workbook.properties.created = workbook.properties.modified = _STAMP
    workbook.calculation = CalcProperties(calcId=191029, fullCalcOnLoad=False)
    worksheets = {"Start": workbook.worksheets[0]}
    worksheets["Start"].title = SHEETS[0].title.of(lang)
    for spec in SHEETS[1:]:
        worksheets[spec.key] = workbook.create_sheet(spec.title.of(lang))
    canvas = Canvas(workbook, lang, placements, live=bool(room))
    fill(canvas, worksheets, report, figures)
    workbook.active = 1 if report.as_of else 0
    return Book(workbook, canvas.cached, placements, figures)


def shift(placements: dict[str, Placement]) -> None:
    """Move the tables of the Checks and Analysis sheets to the right of what is written there first."""
    for sheet, width in _BLOCKS.items():
        for found in tables_of(sheet):
            if found.name in placements:
                place = placements[found.name]
                placements[found.name] = Placement(
                    place.table, place.title, place.columns, place.left + width + 1, place.rows
                )


#: Sheets that begin with a block of their own, and how many columns it has.
_BLOCKS = {"Checks": checks.COLUMNS, "Analysis": analysis.COLUMNS}


def fill(canvas: Canvas, worksheets: Mapping[str, Worksheet], report: BookReport, figures: Figures) -> None:
    """Write every sheet that is there."""
    base = report.portfolio.base_currency
    for spec in SHEETS:
        sheet = worksheets.get(spec.key)
        if sheet is None:
            continue
        places = [canvas.placements[t.name] for t in tables_of(spec.key) if t.name in canvas.placements]
        frame(canvas, sheet, spec, report.portfolio.name, _width(spec, places))
        for place in places:
            write_table(
                canvas, sheet, place, _rows_of(place.table, figures), base, report.notes.get(place.table.name, "")
            )
        if places:
            _window(canvas, sheet, places, figures)
    if "Start" in worksheets:
        start.write_start(canvas, worksheets["Start"], report.model)
    if "Checks" in worksheets:
        checks.write_checks(canvas, worksheets["Checks"], figures)
    if "Analysis" in worksheets:
        analysis.write_concentration(canvas, worksheets["Analysis"], figures)
        analysis.illustrate(canvas, worksheets["Analysis"], figures)
    totals(canvas, worksheets, figures, base)
    if "Trades" in canvas.placements:
        place = canvas.placements["Trades"]
        letter = place.letter("Side")
        sides(worksheets["Trades"], f"{letter}{FIRST_ROW}:{letter}{place.last_row}")
    dashboard.write_dashboard(canvas, worksheets["Dashboard"], report, figures)


def _rows_of(found: Table, figures: Figures) -> tuple[Row, ...]:
    return figures.tables[found.name]


def _width(spec: Sheet, places: list[Placement]) -> int:
    if spec.key == "Start":
        return 5
    if spec.key == "Dashboard":
        return dashboard.COLUMNS
    return max((place.right - 1 for place in places), default=6)


def _window(canvas: Canvas, sheet: Worksheet, places: list[Placement], figures: Figures) -> None:
    sheet.freeze_panes = f"A{FIRST_ROW}"
    if canvas.literal:
        return
    sheet.print_title_rows = f"1:{HEADER_ROW}"
    areas = []
    block = _BLOCKS.get(places[0].table.sheet)
    if block is not None:
        areas.append(f"B1:{get_column_letter(1 + block)}{FIRST_ROW + 11}")
    for place in places:
        rows = len(figures.tables[place.table.name])
        if rows or (place is places[0] and block is None):
            # What a person fills in is printed with its free rows; results as far as they go.
            last = HEADER_ROW + max(rows, 1) if place.table.ranges else place.last_row
            if place.table.name == "Comparison":
                last += analysis.chart_rows(figures.tables["Comparison"])
            right = place.letter(_PRINTED_UP_TO[place.table.name]) if place.table.name in _PRINTED_UP_TO else ""
            areas.append(f"{get_column_letter(place.left)}1:{right or get_column_letter(place.right)}{last}")
    sheet.print_area = areas


#: Wide columns of texts at a table's right stay off the paper.
_PRINTED_UP_TO = {"Comparison": "Source"}
#: Named cells above the tables: name, sheet, label, formula, kind of number.
_TOTALS = (
    ("TotalValue", "Holdings", "total", "=SUM({Holdings.Value})+SUM({Cash.Value})+CashFlow", "money"),
    ("HoldingsValue", "Holdings", "holdings-value", "=SUM({Holdings.Value})", "money"),
    ("CashValue", "Holdings", "cash-value", "=SUM({Cash.Value})+CashFlow", "money"),
    ("TargetSum", "Targets", "target-sum", "=SUM({Targets.Target})", "weight"),
    ("CashTarget", "Targets", "cash-target", "=MAX(0,1-SUM({Targets.Target}))", "weight"),
    ("BaseCurrency", "Settings", "base-currency",
     '=INDEX({Settings.Value},MATCH("base_currency",{Settings.Key},0))', "text"),
    ("CashFlow", "Settings", "cash-flow", '=N(INDEX({Settings.Value},MATCH("cash_flow",{Settings.Key},0)))', "money"),
    ("ChecksFailed", "Checks", "checks-failed", '=COUNTIF($D${first}:$D${last},"PROBLEM")', "count"),
)  # fmt: skip


def totals(canvas: Canvas, worksheets: Mapping[str, Worksheet], figures: Figures, base: str) -> None:
    """Write the named cells above the tables: label and value in pairs."""
    from templates.write.canvas import money_format

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
    for name, key, caption, formula, kind in _TOTALS:
        sheet = worksheets.get(key)
        if sheet is None or (canvas.rounded and name == "TotalValue"):
            continue
        column = used.get(key, 3 if key == "Checks" else 2)
        used[key] = column + 4
        canvas.put(sheet, TOTALS_ROW, column, label(caption, canvas.lang), canvas.styles.look("total-label"))
        text = formula.replace("{first}", str(FIRST_ROW)).replace("{last}", str(last))
        text = text if canvas.literal else render(text, canvas.placements, canvas.lang)
        style = canvas.styles.look(f"total|{formats[kind]}")
        canvas.formula(sheet, TOTALS_ROW, column + 1, text, values[name], style)
        sheet.merge_cells(start_row=TOTALS_ROW, end_row=TOTALS_ROW, start_column=column + 1, end_column=column + 2)
        if not canvas.literal:
            target = f"{quote_sheetname(sheet.title)}!${get_column_letter(column + 1)}${TOTALS_ROW}"
            canvas.workbook.defined_names[name] = DefinedName(name, attr_text=target)


def is_known(name: str) -> bool:
    """Tell whether the spec has a table of this name."""
    try:
        table(name)
    except KeyError:
        return False
    return True
