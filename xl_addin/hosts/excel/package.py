"""rebalancer.xlsm: a portfolio's workbook with functions, macros and ribbon, the same bytes on every build.

The functions stand in their places: each table that the engine fills becomes one spilling formula over the input
tables. The ranges are named areas (AllHoldings, AllTargets, AllCash, AllSettings), so that Excel itself knows when to
compute again, and so that rows added below a table are read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import TableFormula

from engine.portfolio import Portfolio
from engine.words import Lang, say
from templates.cells import Row, Rows
from templates.report import BookReport, goaled
from templates.spec import tables_of
from templates.spec.layout import BESIDE, Placement
from templates.spec.schema import Column
from templates.write import Book, build
from templates.write.analysis import heat
from templates.write.canvas import Canvas, approximate
from templates.write.pack import parts_of, zipped
from xl_addin.functions import all_functions, function
from xl_addin.functions.declaring import CATEGORY
from xl_addin.hosts.excel import ribbon
from xl_addin.hosts.excel.project import WORKBOOK, project

if TYPE_CHECKING:
    from templates.models.clients import Kind

NAME = "rebalancer.xlsm"
FUNCTIONS_SHEET, CONFIG_SHEET = "Functions", "xlwings.conf"
#: Read by xlwings' VBA from A1 down, in capitals. Which Python runs is the user's own configuration, never here.
#: Buttons run in a process of their own: the one that answers the cells stays free to compute what a button changes.
CONFIG: tuple[tuple[str, str | bool], ...] = (
    ("UDF MODULES", "xl_addin.functions"),
    ("ADD_WORKBOOK_TO_PYTHONPATH", False),
    ("SHOW CONSOLE", False),
    # Not xlwings': `rebalancer doctor` compares it with what is installed.
    ("XLWINGS VERSION", version("xlwings")),
)
_DIGITS = 10
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PLAIN = f"{_TYPES}.sheet.main+xml"
_MACROS = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
_METADATA = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<metadata xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray">'
    '<metadataTypes count="1"><metadataType name="XLDAPR" minSupportedVersion="120000" copy="1" pasteAll="1" '
    'pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" clearComments="1" assign="1" '
    'coerce="1" cellMeta="1"/></metadataTypes><futureMetadata name="XLDAPR" count="1"><bk><extLst>'
    '<ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}">'
    '<xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst></bk></futureMetadata>'
    '<cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>'
)
#: Without the version of the library that wrote the cells.
_APPLICATION = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
    "<Application>Microsoft Excel</Application><AppVersion>16.0300</AppVersion></Properties>"
)
#: Rows of the named areas below their headers: room for tables to grow.
ROOM = 300
#: Rows (and columns of the matrix) that are formatted beyond what a function answers at first.
SPARE = 20
#: name: the sheet, and its tables that the area covers from the first to the last (all of them where none is named).
AREAS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "AllHoldings": ("Holdings", ()),
    "AllTargets": ("Targets", ()),
    "AllCash": ("Cash", ("Cash", "FxRates")),
    "AllSettings": ("Settings", ()),
}
#: And what is in the goals, where targets are some.
GOAL_TICKERS = 'IFERROR(CHOOSE({1,2,3},Targets[Ticker],Holdings[Ticker],Goals_Ticker)&"","")'
PLAN = "AllHoldings,AllTargets,AllCash,AllSettings"
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
#: What buttons write in place of functions, and grows too.
BUTTONED = ("Allocation",)
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


def sample_workbook(lang: Lang = "en") -> bytes:
    """Return rebalancer.xlsm: the bundled sample, planned on the bundled sample prices, loudly labelled."""
    report = sample_report(lang)
    # No function keeps it up to date: it is there once trades are proposed.
    results = {name: rows for name, rows in report.results.items() if name not in BUTTONED}
    return report_workbook(replace(report, results=results, notes={}), lang, sample=True)


def sample_report(lang: Lang) -> BookReport:
    """Return the plan of the bundled sample on the bundled sample prices, with every analysis."""
    from rebalancer.books import plan_book
    from rebalancer.samples import sample_plan, sample_quotes, sample_sources
    from xl_addin.functions.plan import drift_rows
    from xl_addin.show.analysis_cells import analysed

    plan = sample_plan()
    plan = replace(plan, quality=replace(plan.quality, seconds=0.0))
    quotes, day, _ = sample_quotes()
    report = plan_book(plan, lang)
    with sample_sources() as sources:
        analyses, _ = analysed(plan.portfolio, quotes, sources, day, lang)
    rounded = {name: _rounded(rows) for name, rows in analyses.items()}
    compared = drift_rows(plan.portfolio, plan.positions, plan.goals)
    return replace(report, results={**report.results, **rounded, "Drift": compared})


def report_workbook(report: BookReport, lang: Lang, *, sample: bool = False) -> bytes:
    """Return the workbook with macros of a report; `sample` tells that its analyses are of made-up closes."""
    prices = _as_asked(report.rows("Prices"), report.portfolio)
    live = make_live(replace(report, results={**report.results, "Prices": prices}), lang, sample=sample)
    return with_macros(live.book, live.spills, lang)


def kind_of(book: Path) -> Kind:
    """Return what is written in place of a workbook: one with macros where it has macros."""
    from templates.models.clients import PLAIN, Kind

    return Kind(".xlsm", report_workbook) if book.suffix.lower() == ".xlsm" else PLAIN


def with_macros(book: Book, spills: Mapping[str, Sequence[str]], lang: Lang) -> bytes:
    """Return a built workbook as .xlsm: with macros, ribbon, configuration, and its spilling formulas marked."""
    workbook = book.workbook
    cached = {title: dict(values) for title, values in book.cached.items()}
    _texts(workbook, lang)
    _hidden(workbook, FUNCTIONS_SHEET, _helps(lang))
    _hidden(workbook, CONFIG_SHEET, CONFIG)
    workbook.code_name = WORKBOOK
    parts = parts_of(workbook, cached)
    for sheet in workbook.worksheets:
        part = sheet.path[1:]
        parts[part] = _marked(parts[part], spills.get(sheet.title, ()))
    codes = [sheet.sheet_properties.codeName or "" for sheet in workbook.worksheets]
    parts["docProps/app.xml"] = _APPLICATION.encode()
    parts["xl/vbaProject.bin"] = project(codes)
    parts["xl/metadata.xml"] = _METADATA.encode()
    parts[ribbon.PART] = ribbon.ribbon(lang).encode()
    _relate(parts, "xl/_rels/workbook.xml.rels", f"{_RELATIONSHIPS}/sheetMetadata", "metadata.xml", "rIdMetadata")
    _typed(parts, "xl/metadata.xml", f"{_TYPES}.sheetMetadata+xml")
    relate_project(parts)
    _relate(parts, "_rels/.rels", ribbon.RELATIONSHIP, ribbon.PART, "rIdRibbon")
    return zipped(parts)


def _rounded(rows: Rows) -> Rows:
    """Return rows with the digits of each float that every processor gets alike: sums of floats differ beyond."""
    return tuple(
        {name: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value for name, value in row.items()}
        for row in rows
    )


def _as_asked(rows: Rows, portfolio: Portfolio) -> Rows:
    """Return the prices in the order in which their formula asks: a target, a holding, the next target and so on."""
    targets = [symbol for _, target in portfolio.targets() for symbol in target.named]
    holdings = [holding.symbol for holding in portfolio.holdings]
    asked = dict.fromkeys(symbol for pair in zip_longest(targets, holdings) for symbol in pair if symbol)
    known = {row["Ticker"]: row for row in rows}
    # Last come members of goals that are not held.
    return tuple(known[symbol] for symbol in (asked | dict.fromkeys(portfolio.symbols)) if symbol in known)


def _helps(lang: Lang) -> list[tuple[str, ...]]:
    """Return the rows from which `RebalRegister` gives Excel's function wizard its texts."""
    rows: list[tuple[str, ...]] = [("Function", "Group", "Help", "Arguments")]
    for one in all_functions():
        arguments = (argument.help(lang) for argument in one.arguments)
        rows.append((one.name, CATEGORY, one.help(lang), *arguments))
    return rows


def _hidden(workbook: Workbook, title: str, rows: Iterable[Sequence[str | bool]]) -> None:
    sheet = workbook.create_sheet(title)
    sheet.sheet_state = "hidden"
    sheet.sheet_properties.codeName = title.replace(".", "_")
    for row in rows:
        sheet.append(row)


def _texts(workbook: Workbook, lang: Lang) -> None:
    """Tell on the Start sheet how the buttons are used, and whose work is inside."""
    from engine.words import say

    start = workbook.worksheets[0]
    canvas = Canvas(workbook, lang, {})
    for (cell,) in start.iter_rows(min_col=2, max_col=2):
        if cell.value == say("label.start.2", lang):
            cell.value = say("live.propose", lang)
    canvas.put(start, start.max_row + 1, 2, say("live.notice", lang), canvas.styles.look("note"))


def _marked(xml: bytes, spills: Iterable[str]) -> bytes:
    """Mark formulas as spilling; without the mark Excel shows them with an @."""
    for address in spills:
        start = f'<c r="{address}"'.encode()
        if xml.count(start) != 1:
            raise ValueError(f"no formula at {address}")
        xml = xml.replace(start, start + b' cm="1"')
    return xml


def _relate(parts: dict[str, bytes], name: str, kind: str, target: str, identifier: str) -> None:
    line = f'<Relationship Id="{identifier}" Type="{kind}" Target="{target}"/></Relationships>'
    parts[name] = parts[name].replace(b"</Relationships>", line.encode())


def relate_project(parts: dict[str, bytes]) -> None:
    """Make a plain workbook's parts those of a workbook with macros, whose project is xl/vbaProject.bin."""
    kind = "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
    _relate(parts, "xl/_rels/workbook.xml.rels", kind, "vbaProject.bin", "rIdVba")
    _typed(parts, "xl/vbaProject.bin", "application/vnd.ms-office.vbaProject")
    types = parts["[Content_Types].xml"]
    parts["[Content_Types].xml"] = types.replace(_PLAIN.encode(), _MACROS.encode())


def _typed(parts: dict[str, bytes], name: str, kind: str) -> None:
    line = f'<Override PartName="/{name}" ContentType="{kind}"/></Types>'
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(b"</Types>", line.encode())


# --- the functions in their places --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class LiveBook:
    """A workbook with its functions in place, and the cells from which they spill, by sheet title."""

    book: Book
    spills: Mapping[str, Sequence[str]]


def with_room(report: BookReport, lang: Lang, *, sample: bool = False) -> Book:
    """Build a report's workbook with room for results to grow into, as buttons and functions fill them.

    `sample` tells that the analyses are of made-up closes.
    """
    growing = (*FORMULAS, *BUTTONED, *(["Goals"] if goaled(report.portfolio) else []))
    book = build(report, lang, room=dict.fromkeys(growing, SPARE))
    canvas = Canvas(book.workbook, lang, book.placements)
    for name in growing:
        _reach(book, book.placements[name])
    for name in FETCHED:
        _title(canvas, book.placements[name], sample=sample)
    _limits(canvas, book.placements["Limits"])
    _matrix(canvas, book.placements["Correlation"])
    return book


def make_live(report: BookReport, lang: Lang, *, sample: bool = False) -> LiveBook:
    """Build a report's workbook and put the functions over its results, which stay as their values.

    `sample` tells that the analyses are of made-up closes. Without an answer yet, a formula shows its headers.
    """
    book = with_room(report, lang, sample=sample)
    canvas = Canvas(book.workbook, lang, book.placements)
    canvas.cached = {title: dict(values) for title, values in book.cached.items()}
    spills: dict[str, list[str]] = {}
    for name, area in _areas(book.placements).items():
        book.workbook.defined_names[name] = DefinedName(name, attr_text=area)
    for name, formula in FORMULAS.items():
        place = book.placements[name]
        if "Goals" in book.placements:
            formula = formula.replace(TICKERS, GOAL_TICKERS)
        anchor = _spill(canvas, place, len(book.figures.tables[name]), formula)
        spills.setdefault(place.title, []).append(anchor)
    _rates(canvas, book.placements["FxRates"], book.figures.tables["FxRates"])
    return LiveBook(replace(book, cached=canvas.cached), spills)


def _areas(placements: Mapping[str, Placement]) -> dict[str, str]:
    found = {}
    for name, (key, names) in AREAS.items():
        places = [placements[n] for n in (names or [t.name for t in tables_of(key)]) if n in placements]
        first = get_column_letter(min(place.left for place in places))
        last = get_column_letter(max(place.right for place in places))
        # Below the last table of a sheet there is room to grow; what stands below it bounds any other.
        end = places[-1].first_row + ROOM if places[-1].table is tables_of(key)[-1] else places[-1].last_row
        found[name] = f"{quote_sheetname(places[0].title)}!${first}${places[0].header}:${last}${end}"
    return found


def _spill(canvas: Canvas, place: Placement, rows: int, formula: str) -> str:
    """Put a formula over a table; returns its first cell, whose value so far becomes the formula's."""
    sheet = canvas.workbook[place.title]
    columns = function(formula[formula.index("REBAL_") :].partition("(")[0]).columns
    width = len(columns or ()) or len(place.columns)
    anchor = f"{get_column_letter(place.left)}{place.header}"
    last = f"{get_column_letter(place.left + width - 1)}{place.header + rows}"
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
            area = f"{quote_sheetname(place.title)}!${letter}${place.first_row}:${letter}${place.first_row + ROOM}"
            book.workbook.defined_names[name] = DefinedName(name, attr_text=area)


def _title(canvas: Canvas, place: Placement, *, sample: bool) -> None:
    """Say beside a table's title of which closes it is; where there is room, how to have them fetched."""
    words = [place.table.caption(canvas.lang)]
    words += [say("live.sample", canvas.lang)] if sample else []
    words += [say("live.analyse", canvas.lang)] if place.table.name == "Comparison" else []
    canvas.workbook[place.title].cell(place.title_row, place.left).value = BESIDE.join(words)


def _limits(canvas: Canvas, place: Placement) -> None:
    """Show limits as a person reads them: the function gives numbers."""
    sheet = canvas.workbook[place.title]
    for name in ("Limit", "Actual"):
        for row in range(place.first_row, place.last_row + 1):
            cell = sheet.cell(row, place.column(name))
            cell.number_format = _LIMIT_FORMAT


def _matrix(canvas: Canvas, place: Placement) -> None:
    """Format a matrix's room to grow: to the right too, for nothing stands there."""
    sheet = canvas.workbook[place.title]
    column = Column("", "correlation", "result")
    wide = replace(place, columns=(*place.columns, *(column,) * SPARE))
    for row in range(place.first_row, place.last_row + 1):
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
            cell = sheet.cell(place.first_row + index, place.column(name))
            value = approximate(row.get(name))
            cell.value = f"={formula}"
            canvas.cached.setdefault(place.title, {})[cell.coordinate] = "" if value is None else value
