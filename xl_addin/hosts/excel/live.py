"""The functions in their places: each table that the engine fills becomes one spilling formula over the input tables.

The ranges are named areas (AllHoldings, AllTargets, AllRates, AllSettings), so that Excel itself knows when to compute
again, and so that rows added below a table are read too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import TableFormula

from engine.words import Lang
from templates.cells import Row, Rows
from templates.report import BookReport
from templates.spec import tables_of
from templates.spec.layout import BESIDE, BLOCK_ROW, FIRST_ROW, HEADER_ROW, Placement
from templates.spec.schema import Column, Text
from templates.write import Book, build
from templates.write.analysis import heat
from templates.write.canvas import Canvas, approximate
from xl_addin.functions.registry import function

#: Rows of the named areas below their headers: room for tables to grow.
ROOM = 300
#: Rows (and columns of the matrix) that are formatted beyond what a function answers at first.
SPARE = 20
#: name: the sheet, and its tables that the area covers from the first to the last (all of them where none is named).
AREAS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "AllHoldings": ("Holdings", ()),
    "AllTargets": ("Targets", ()),
    # Own rates and own instruments stand beside the prices; `cash` takes them, for Holdings has the cash beside it.
    "AllRates": ("Prices", ("FxRates", "Instruments")),
    "AllSettings": ("Settings", ()),
}
PLAN = "AllHoldings,AllTargets,AllRates,AllSettings"
#: Everything wanted or held, as one array of texts.
TICKERS = 'IFERROR(CHOOSE({1,2},Targets[Ticker],Holdings[Ticker])&"","")'
#: table: its formula, without =. It spills from the row of headers.
FORMULAS: Mapping[str, str] = {
    "Prices": f"REBAL_PRICES({TICKERS})",
    "Trades": f"REBAL_TRADES({PLAN})",
    "Drift": f"REBAL_DRIFT({PLAN})",
    "Summary": "REBAL_SUMMARY()",
    # Its two ranges could not say what accounts and own rates there are: it reads the workbook.
    "Limits": "REBAL_RISK()",
    # A row per fund, as the table has it, can grow downwards like the others.
    "Comparison": "TRANSPOSE(REBAL_COMPARE(Targets[Ticker]))",
    "Review": "REBAL_REVIEW(Targets[#All])",
    "Alerts": "REBAL_CORREL_ALERTS(Targets[Ticker])",
    "Correlation": "REBAL_CORREL(Targets[Ticker])",
    "Calendar": "REBAL_CALENDAR()",
    "Problems": f"REBAL_CHECKS({PLAN})",
}
#: These need closes of years and facts of funds, fetched at most twice a day.
FETCHED = ("Comparison", "Review", "Alerts", "Correlation")
_PAIR = "FxRates[[#This Row],[Currency]]&BaseCurrency"
#: Columns of FxRates that a function fills, row by row.
RATES: Mapping[str, str] = {
    "MarketRate": f"REBAL_FX({_PAIR})",
    "AsOf": f'REBAL_PRICE({_PAIR},"asof")',
    "Source": f'REBAL_PRICE({_PAIR},"source")',
    "Status": f'REBAL_PRICE({_PAIR},"status")',
}
#: Shares as percentages, amounts as whole numbers: what a limit is of shows in its size.
_LIMIT_FORMAT = "[>=1000]#,##0;0.0##%"
_ANALYSE = Text("Analyse on the Rebalancer tab fetches the closes", "Rebalancer 탭의 [분석]이 종가를 받아 옵니다")
_SAMPLE = Text("SAMPLE (made up)", "SAMPLE (지어낸 예시)")


@dataclass(frozen=True, slots=True)
class LiveBook:
    """Hold a workbook with its functions in place, and the cells from which they spill, by sheet title."""

    book: Book
    spills: Mapping[str, Sequence[str]]


def make_live(report: BookReport, lang: Lang, *, sample: bool = False) -> LiveBook:
    """Build a report's workbook and put the functions over its results, which stay as their values.

    `sample` tells that the analyses are of made-up closes. Without an answer yet, a formula shows its headers.
    """
    book = build(report, lang, room=dict.fromkeys(FORMULAS, SPARE))
    canvas = Canvas(book.workbook, lang, book.placements)
    canvas.cached = {title: dict(values) for title, values in book.cached.items()}
    spills: dict[str, list[str]] = {}
    for name, area in _areas(book.placements).items():
        book.workbook.defined_names[name] = DefinedName(name, attr_text=area)
    for name, formula in FORMULAS.items():
        place = book.placements[name]
        anchor = _spill(canvas, place, len(book.figures.tables[name]), formula)
        spills.setdefault(place.title, []).append(anchor)
        _reach(book, place)
    for name in FETCHED:
        _title(canvas, book.placements[name], sample=sample)
    _limits(canvas, book.placements["Limits"])
    _matrix(canvas, book.placements["Correlation"])
    _rates(canvas, book.placements["FxRates"], book.figures.tables["FxRates"])
    return LiveBook(replace(book, cached=canvas.cached), spills)


def _areas(placements: Mapping[str, Placement]) -> dict[str, str]:
    found = {}
    for name, (key, names) in AREAS.items():
        places = [placements[n] for n in (names or [t.name for t in tables_of(key)])]
        first = get_column_letter(min(place.left for place in places))
        last = get_column_letter(max(place.right for place in places))
        found[name] = f"{quote_sheetname(places[0].title)}!${first}${HEADER_ROW}:${last}${FIRST_ROW + ROOM}"
    return found


def _spill(canvas: Canvas, place: Placement, rows: int, formula: str) -> str:
    """Put a formula over a table; returns its first cell, whose value so far becomes the formula's."""
    sheet = canvas.workbook[place.title]
    columns = function(formula[formula.index("REBAL_") :].partition("(")[0]).columns
    width = len(columns) or len(place.columns)
    anchor = f"{get_column_letter(place.left)}{HEADER_ROW}"
    last = f"{get_column_letter(place.left + width - 1)}{HEADER_ROW + rows}"
    shown = "Metric" if formula.startswith("TRANSPOSE") else sheet[anchor].value
    canvas.cached.setdefault(place.title, {})[anchor] = shown
    sheet[anchor] = ArrayFormula(f"{anchor}:{last}", f"={formula}")
    return anchor


def _reach(book: Book, place: Placement) -> None:
    """Let the names of a table's columns reach as far as the inputs may grow: sums and look-ups are over them."""
    for column in place.columns:
        name = f"{place.table.name}_{column.name}"
        if name in book.workbook.defined_names:
            letter = place.letter(column.name)
            area = f"{quote_sheetname(place.title)}!${letter}${FIRST_ROW}:${letter}${FIRST_ROW + ROOM}"
            book.workbook.defined_names[name] = DefinedName(name, attr_text=area)


def _title(canvas: Canvas, place: Placement, *, sample: bool) -> None:
    """Say beside a table's title of which closes it is; where there is room, how to have them fetched."""
    words = [place.table.caption(canvas.lang)]
    words += [_SAMPLE.of(canvas.lang)] if sample else []
    words += [_ANALYSE.of(canvas.lang)] if place.table.name == "Comparison" else []
    canvas.workbook[place.title].cell(BLOCK_ROW, place.left).value = BESIDE.join(words)


def _limits(canvas: Canvas, place: Placement) -> None:
    """Show limits as a person reads them: the function gives numbers."""
    sheet = canvas.workbook[place.title]
    for name in ("Limit", "Actual"):
        for row in range(FIRST_ROW, place.last_row + 1):
            cell = sheet.cell(row, place.column(name))
            cell.number_format = _LIMIT_FORMAT


def _matrix(canvas: Canvas, place: Placement) -> None:
    """Format a matrix's room to grow: to the right too, for nothing stands there."""
    sheet = canvas.workbook[place.title]
    column = Column("", "correlation", "result")
    wide = replace(place, columns=(*place.columns, *(column,) * SPARE))
    for row in range(FIRST_ROW, place.last_row + 1):
        for at in range(place.left + 1, wide.right + 1):
            sheet.cell(row, at).number_format = "0.00"
    heat(sheet, wide)


def _rates(canvas: Canvas, place: Placement, rows: Rows) -> None:
    """Let the market's rates, with time, source and status, come from the functions."""
    sheet = canvas.workbook[place.title]
    columns = {made.name: made for made in sheet.tables["FxRates"].tableColumns}
    for name, call in RATES.items():
        formula = f'IF(FxRates[[#This Row],[Currency]]="","",{call})'
        columns[name].calculatedColumnFormula = TableFormula(attr_text=formula)
        for index in range(place.rows):
            row: Row = rows[index] if index < len(rows) else {}
            cell = sheet.cell(FIRST_ROW + index, place.column(name))
            value = approximate(row.get(name))
            cell.value = f"={formula}"
            canvas.cached.setdefault(place.title, {})[cell.coordinate] = "" if value is None else value
