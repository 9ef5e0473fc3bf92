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
from openpyxl.worksheet.worksheet import Worksheet

from templates.build import Book
from templates.canvas import Canvas, approximate
from templates.layout import BLOCK_ROW, CAPTION_ROW, FIRST_ROW, HEADER_ROW, Placement
from templates.report import Row, Rows
from templates.schema import Lang, Text
from templates.spec import table, tables_of
from xl_addin.registry import function

#: Rows of the named areas below their headers: room for tables to grow.
ROOM = 300
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
    "Summary": "REBAL_SUMMARY()",
    # Its two ranges could not say what accounts and own rates there are: it reads the workbook.
    "Limits": "REBAL_RISK()",
    "Calendar": "REBAL_CALENDAR()",
    "Problems": f"REBAL_CHECKS({PLAN})",
}
#: What needs closes of many days is computed where a person asks for it: the formula to write in a free cell.
ON_DEMAND: Mapping[str, str] = {
    "Comparison": "REBAL_COMPARE(Targets[Ticker])",
    "Review": "REBAL_REVIEW(Targets[#All])",
    "Alerts": "REBAL_CORREL_ALERTS(Targets[Ticker])",
    "Correlation": "REBAL_CORREL(Targets[Ticker])",
}
#: Those whose answer stands as the table does; a comparison has a column per fund instead of a row.
SPILLING = ("Review", "Alerts", "Correlation")
DRIFT = f"REBAL_DRIFT({PLAN})"
_PAIR = "FxRates[[#This Row],[Currency]]&BaseCurrency"
#: Columns of FxRates that a function fills, row by row.
RATES: Mapping[str, str] = {
    "MarketRate": f"REBAL_FX({_PAIR})",
    "AsOf": f'REBAL_PRICE({_PAIR},"asof")',
    "Source": f'REBAL_PRICE({_PAIR},"source")',
    "Status": f'REBAL_PRICE({_PAIR},"status")',
}
_WRITE = Text("in a free cell, write", "빈 셀에 쓰세요")
_DRIFT_TITLE = Text("Drift and bands", "차이와 밴드")
_DRIFT_CAPTIONS: Mapping[str, Text] = {
    "Low": Text("Low", "하단"),
    "High": Text("High", "상단"),
}


@dataclass(frozen=True, slots=True)
class LiveBook:
    """Hold a workbook with its functions in place, and the cells from which they spill, by sheet title."""

    book: Book
    spills: Mapping[str, Sequence[str]]


def make_live(book: Book, drift: Rows, base: str, lang: Lang) -> LiveBook:
    """Put the functions over the results of a built workbook; what stands there stays, as their values.

    `drift` are the rows of REBAL_DRIFT, in the base currency.
    """
    canvas = Canvas(book.workbook, lang, book.placements)
    canvas.cached = {title: dict(values) for title, values in book.cached.items()}
    spills: dict[str, list[str]] = {}
    for name, area in _areas(book.placements).items():
        book.workbook.defined_names[name] = DefinedName(name, attr_text=area)
    for name, formula in FORMULAS.items():
        place = book.placements[name]
        width = len(function(formula.partition("(")[0]).columns)
        rows = book.figures.tables[name]
        spills.setdefault(place.title, []).append(_spill(canvas, place.title, place.left, width, len(rows), formula))
    for name, formula in ON_DEMAND.items():
        place, rows = book.placements[name], book.figures.tables[name]
        if rows and name in SPILLING:
            width = len(table(name).columns) if name != "Correlation" else len(place.columns)
            anchor = _spill(canvas, place.title, place.left, width, len(rows), formula)
            spills.setdefault(place.title, []).append(anchor)
        if rows:
            continue
        title = f"{table(name).caption.of(lang)}  —  {_WRITE.of(lang)}: ={formula}"
        book.workbook[place.title].cell(BLOCK_ROW, place.left).value = title
    _rates(canvas, book.placements["FxRates"], book.figures.tables["FxRates"])
    summary = book.placements["Summary"]
    spills[summary.title].append(_drift(canvas, summary, drift, base, lang))
    return LiveBook(replace(book, cached=canvas.cached), spills)


def _areas(placements: Mapping[str, Placement]) -> dict[str, str]:
    found = {}
    for name, (key, names) in AREAS.items():
        places = [placements[n] for n in (names or [t.name for t in tables_of(key)])]
        first = get_column_letter(min(place.left for place in places))
        last = get_column_letter(max(place.right for place in places))
        found[name] = f"{quote_sheetname(places[0].title)}!${first}${HEADER_ROW}:${last}${FIRST_ROW + ROOM}"
    return found


def _spill(canvas: Canvas, title: str, left: int, width: int, rows: int, formula: str) -> str:
    """Put a formula over a block of cells; returns its first cell, whose value so far becomes the formula's."""
    sheet = canvas.workbook[title]
    anchor = f"{get_column_letter(left)}{HEADER_ROW}"
    last = f"{get_column_letter(left + width - 1)}{HEADER_ROW + rows}"
    canvas.cached.setdefault(title, {})[anchor] = sheet[anchor].value
    sheet[anchor] = ArrayFormula(f"{anchor}:{last}", f"={formula}")
    return anchor


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


def _drift(canvas: Canvas, after: Placement, rows: Rows, base: str, lang: Lang) -> str:
    """Write drift and bands at the right of a table; returns the cell from which they spill."""
    sheet: Worksheet = canvas.workbook[after.title]
    names = function("REBAL_DRIFT").columns
    spec = table("Targets").index
    left = after.right + 2
    look = canvas.styles.look
    canvas.put(sheet, BLOCK_ROW, left, _DRIFT_TITLE.of(lang), look("block"))
    for offset, name in enumerate(names):
        column = replace(spec[name], role="result")
        at = left + offset
        caption = _DRIFT_CAPTIONS.get(name, column.caption).of(lang)
        canvas.put(sheet, CAPTION_ROW, at, caption, look("caption"))
        canvas.put(sheet, HEADER_ROW, at, name, look("header"))
        sheet.column_dimensions[get_column_letter(at)].width = column.width + 1
        style = canvas.styles.cell(column, base if name == "Value" else "")
        for number, row in enumerate(rows, FIRST_ROW):
            canvas.put(sheet, number, at, approximate(row.get(name)), style)
    return _spill(canvas, after.title, left, len(names), len(rows), DRIFT)
