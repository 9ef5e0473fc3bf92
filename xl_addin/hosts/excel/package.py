"""rebalancer.xlsm: the sample portfolio's workbook with functions, macros and ribbon, the same bytes on every build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import zip_longest

from openpyxl.workbook import Workbook

from engine.portfolio import Portfolio
from engine.words import Lang
from templates.cells import Rows
from templates.report import BookReport
from templates.spec.schema import Text
from templates.write import Book
from templates.write.canvas import Canvas
from templates.write.pack import parts_of, zipped
from xl_addin.functions.registry import CATEGORY, FUNCTIONS
from xl_addin.hosts.excel import ribbon
from xl_addin.hosts.excel.live import make_live
from xl_addin.hosts.excel.project import WORKBOOK, project

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
_PROPOSE = Text(
    "2  Press Propose trades on the Rebalancer tab (set up once: rebalancer install); formulas follow what you type.",
    "2  Rebalancer 탭의 [매매 제안]을 누릅니다 (처음 한 번: rebalancer install). 수식은 입력에 따라 다시 계산됩니다.",
)
_NOTICE = Text(
    "Contains xlwings, © Zoomer Analytics GmbH, BSD 3-Clause licence, and VBA-Dictionary, © Tim Hall, MIT licence; "
    "their texts stand in the modules and in docs/excel.md.",
    "xlwings(© Zoomer Analytics GmbH, BSD 3-Clause)와 VBA-Dictionary(© Tim Hall, MIT)를 포함합니다. "
    "라이선스 전문은 모듈과 docs/excel.md에 있습니다.",
)


def sample_workbook(lang: Lang = "en") -> bytes:
    """Return rebalancer.xlsm: the bundled sample, planned on the bundled sample prices, loudly labelled."""
    from rebalancer.books import plan_book
    from rebalancer.samples import sample_plan, sample_quotes, sample_sources
    from xl_addin.functions.plans import drift_rows
    from xl_addin.show.analysis_cells import analysed

    plan = sample_plan()
    plan = replace(plan, quality=replace(plan.quality, seconds=0.0))
    quotes, day, _ = sample_quotes()
    report = plan_book(plan, lang)
    with sample_sources() as sources:
        analyses, _ = analysed(plan.portfolio, quotes, sources, day, lang)
    rounded = {name: _rounded(rows) for name, rows in analyses.items()}
    results = {**report.results, **rounded, "Drift": drift_rows(plan)}
    return report_workbook(replace(report, results=results), lang, sample=True)


def report_workbook(report: BookReport, lang: Lang, *, sample: bool = False) -> bytes:
    """Return the workbook with macros of a report; `sample` tells that its analyses are of made-up closes."""
    prices = _as_asked(report.rows("Prices"), report.portfolio)
    live = make_live(replace(report, results={**report.results, "Prices": prices}), lang, sample=sample)
    return with_macros(live.book, live.spills, lang)


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
    targets = [target.symbol for _, target in portfolio.targets()]
    holdings = [holding.symbol for holding in portfolio.holdings]
    asked = dict.fromkeys(symbol for pair in zip_longest(targets, holdings) for symbol in pair if symbol)
    known = {row["Ticker"]: row for row in rows}
    return tuple(known[symbol] for symbol in asked if symbol in known)


def _helps(lang: Lang) -> list[tuple[str, ...]]:
    """Return the rows from which `RebalRegister` gives Excel's function wizard its texts."""
    rows: list[tuple[str, ...]] = [("Function", "Group", "Help", "Arguments")]
    for function in FUNCTIONS:
        arguments = (argument.help.of(lang) for argument in function.arguments)
        rows.append((function.name, CATEGORY, function.help.of(lang), *arguments))
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
            cell.value = _PROPOSE.of(lang)
    canvas.put(start, start.max_row + 1, 2, _NOTICE.of(lang), canvas.styles.look("note"))


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
