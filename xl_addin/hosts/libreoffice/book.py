"""A workbook for LibreOffice (.ods): a portfolio's input tables, and the functions over them with their last values."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape, quoteattr

from engine.plan import Plan
from engine.portfolio import Portfolio
from rebalancer.books import plan_book
from rebalancer.samples import sample_plan, sample_portfolio, sample_quotes, sample_sources
from templates.cells import Row, Rows, Value, letters
from templates.report import (
    BookReport,
    account_rows,
    cash_inputs,
    cost_rows,
    group_rows,
    instrument_rows,
    rate_inputs,
    setting_rows,
)
from templates.spec import table
from templates.spec.schema import Column
from xl_addin.functions import function
from xl_addin.functions.cells import Shown, shown
from xl_addin.functions.plan import position_rows
from xl_addin.hosts.libreoffice.extension import in_file
from xl_addin.show.analysis_cells import analysed

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_STAMP = (2020, 1, 1, 0, 0, 0)
#: Columns of answers that hold shares of a total, or changes.
_SHARES = frozenset(
    column.name
    for name in ("Drift", "Trades", "Review")
    for column in table(name).columns
    if column.type in ("weight", "drift")
)
#: Rows of each input sheet that the functions read, and empty rows below each answer for a longer one.
READ, SPARE = 80, 12
_MIME = "application/vnd.oasis.opendocument.spreadsheet"
_NAMES = {
    "office": "office:1.0",
    "table": "table:1.0",
    "text": "text:1.0",
    "style": "style:1.0",
    "fo": "xsl-fo-compatible:1.0",
    "number": "datastyle:1.0",
    "of": "of:1.2",
}
_SPACES = " ".join(f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}"' for prefix, name in _NAMES.items())
_STYLES = """<office:automatic-styles>
<number:date-style style:name="day"><number:year number:style="long"/><number:text>-</number:text>
<number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/></number:date-style>
<style:style style:name="head" style:family="table-cell"><style:table-cell-properties fo:background-color="#305496"/>
<style:text-properties fo:color="#ffffff" fo:font-weight="bold"/></style:style>
<style:style style:name="input" style:family="table-cell"><style:table-cell-properties fo:background-color="#fff2cc"/>
<style:text-properties fo:color="#0000ff"/></style:style>
<style:style style:name="date" style:family="table-cell" style:data-style-name="day"/>
<number:percentage-style style:name="share"><number:number number:decimal-places="1" number:min-integer-digits="1"/>
<number:text>%</number:text></number:percentage-style>
<style:style style:name="percent" style:family="table-cell" style:data-style-name="share"/>
<number:number-style style:name="hundredths"><number:number number:decimal-places="2" number:min-integer-digits="1"/>
</number:number-style>
<style:style style:name="number" style:family="table-cell" style:data-style-name="hundredths"/>
<style:style style:name="width" style:family="table-column"><style:table-column-properties
 style:column-width="3.2cm"/></style:style>
</office:automatic-styles>"""


@dataclass(frozen=True, slots=True)
class Formula:
    """A function in its place: its call, and the rows that it answered when the file was made."""

    call: str
    rows: Sequence[Sequence[Shown]]

    def style(self, column: int) -> str:
        """Return the style of a column's cells, from what its header says is in it."""
        name = str(self.rows[0][column])
        if name in _SHARES:
            return "percent"
        return "number" if "CORREL" in self.call else ""


def sample_ods() -> bytes:
    """Return the workbook of the bundled sample portfolio; its first values are of sample prices, and labelled so."""
    plan, notes = sample_plan(), sample_portfolio().notes
    # These are of lines of a file that the workbook's reader does not have.
    plan = replace(plan, problems=tuple(problem for problem in plan.problems if problem not in notes))
    quotes, day, _ = sample_quotes()
    with sample_sources() as sources:
        analyses, _ = analysed(plan.portfolio, quotes, sources, day, "en")
    return build_ods(plan, analyses)


def build_ods(plan: Plan, analyses: Mapping[str, Rows] | None = None) -> bytes:
    """Return a plan's workbook, the same bytes for equal arguments; `analyses` are the rows of tables with some."""
    inputs = _inputs(plan.portfolio)
    pages = [_page(title, tables) for title, tables in inputs.items()]
    formulas = {**_formulas(plan, inputs), **_studies(inputs, analyses or {})}
    pages += [_answer(title, formula) for title, formula in formulas.items()]
    content = (
        f'{_HEAD}<office:document-content {_SPACES} office:version="1.3">\n{_STYLES}\n'
        f"<office:body><office:spreadsheet>\n{''.join(pages)}</office:spreadsheet></office:body>\n"
        "</office:document-content>\n"
    )
    parts = {"mimetype": _MIME, "META-INF/manifest.xml": _manifest(), "content.xml": content}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            info = zipfile.ZipInfo(name, _STAMP)
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(info, text.encode())
    return buffer.getvalue()


def _inputs(portfolio: Portfolio) -> dict[str, dict[str, Rows]]:
    """Return the input tables by sheet, as a person could have typed them."""
    holdings: list[Row] = [
        {"Account": h.account or None, "Ticker": h.symbol, "Quantity": h.quantity, "AverageCost": h.average_cost,
         "ManualPrice": h.price, "Locked": h.locked or None}
        for h in portfolio.holdings
    ]  # fmt: skip
    targets: list[Row] = [
        {"Section": section.name, "Ticker": t.symbol, "Role": t.role or None, "Target": t.weight, "Min": t.minimum,
         "Max": t.maximum, "Enabled": t.enabled, "Benchmark": t.benchmark, "ThesisValid": t.thesis_valid,
         "RelativeBand": t.relative_band, "RelativeBandHigh": t.relative_band_high_volatility}
        for section, t in portfolio.targets()
    ]  # fmt: skip
    rules: list[Row] = [
        {"Section": s.name, "Schedule": s.rule.schedule, "AbsoluteBand": s.rule.absolute_band,
         "RelativeBand": s.rule.relative_band, "RelativeBandHigh": s.rule.relative_band_high_volatility,
         "MinTrade": s.rule.min_trade, "LastRebalanced": s.rule.last_rebalanced}
        for s in portfolio.sections
    ]  # fmt: skip
    return {
        "Holdings": {"Holdings": tuple(holdings), "Cash": cash_inputs(portfolio)},
        "Targets": {"Targets": tuple(targets), "Groups": group_rows(portfolio)},
        "Prices": {"FxRates": rate_inputs(BookReport(portfolio)), "Instruments": instrument_rows(portfolio)},
        "Settings": {
            "Settings": setting_rows(portfolio, "en"),
            "Rules": tuple(rules),
            "Accounts": account_rows(portfolio),
            "Costs": cost_rows(portfolio),
        },
    }


def _formulas(plan: Plan, inputs: Mapping[str, Mapping[str, Rows]]) -> dict[str, Formula]:
    ranges = []
    for title, tables in inputs.items():
        width = sum(len(_columns(name, rows)) + 1 for name, rows in tables.items()) - 1
        ranges.append(f"[${title}.$A$1:.${letters(width)}${READ}]")
    call, report = ";".join(ranges), plan_book(plan, "en")
    shown_rows = {
        "Drift": ("REBAL_DRIFT", call, position_rows(plan.positions)),
        "Trades": ("REBAL_TRADES", call, report.rows("Trades")),
        "Summary": ("REBAL_SUMMARY", "", report.rows("Summary")),
        "Calendar": ("REBAL_CALENDAR", "", report.rows("Calendar")),
        "Checks": ("REBAL_CHECKS", call, report.rows("Problems")),
    }
    return {
        title: Formula(f"{name}({given})", function(name).table(rows))
        for title, (name, given, rows) in shown_rows.items()
    }


def _studies(inputs: Mapping[str, Mapping[str, Rows]], analyses: Mapping[str, Rows]) -> dict[str, Formula]:
    """Return the analyses that have rows; a comparison has a column per fund."""
    columns = [column.name for column in _columns("Targets", inputs["Targets"]["Targets"])]
    letter = letters(columns.index("Ticker") + 1)
    tickers = f"[$Targets.${letter}$2:.${letter}${READ}]"
    width = sum(len(_columns(name, rows)) + 1 for name, rows in inputs["Targets"].items()) - 1
    targets = f"[$Targets.$A$1:.${letters(width)}${READ}]"
    calls = {
        "Limits": "REBAL_RISK()",
        "Comparison": f"REBAL_COMPARE({tickers})",
        "Review": f"REBAL_REVIEW({targets})",
        "Alerts": f"REBAL_CORREL_ALERTS({tickers})",
        "Correlation": f"REBAL_CORREL({tickers})",
    }
    found = {}
    for name, rows in analyses.items():
        header = list(rows[0]) if name in ("Comparison", "Correlation") else [c.name for c in table(name).columns]
        block: list[list[Shown]] = [[*header], *([shown(row.get(column)) for column in header] for row in rows)]
        if name == "Comparison":
            block = [list(line) for line in zip(*block, strict=True)]
            block[0][0] = "Metric"
        found[name] = Formula(calls[name], block)
    return found


def _columns(name: str, rows: Rows) -> tuple[Column, ...]:
    """Return the columns of an input table: of those that not every workbook needs, the ones with a value."""
    return tuple(
        column
        for column in table(name).inputs
        if not column.optional or any(row.get(column.name) is not None for row in rows)
    )


def _page(title: str, tables: Mapping[str, Rows]) -> str:
    """Return a sheet of input tables side by side, an empty column between them."""
    height = max(len(rows) for rows in tables.values())
    lines = []
    for at in range(-1, height):
        blocks = []
        for name, rows in tables.items():
            columns = _columns(name, rows)
            if at < 0:
                cells = "".join(_cell(column.name, "head") for column in columns)
            else:
                row = rows[at] if at < len(rows) else {}
                cells = "".join(_cell(row.get(column.name), "input") for column in columns)
            blocks.append(cells)
        lines.append(f"<table:table-row>{'<table:table-cell/>'.join(blocks)}</table:table-row>\n")
    return _sheet(title, lines)


def _answer(title: str, formula: Formula) -> str:
    """Return a sheet with one array formula and its values."""
    width, height = len(formula.rows[0]), len(formula.rows) + SPARE
    span = (
        f" table:formula={quoteattr(f'of:={in_file(formula.call)}')}"
        f' table:number-matrix-columns-spanned="{width}" table:number-matrix-rows-spanned="{height}"'
    )
    lines = []
    for number, row in enumerate(formula.rows):
        cells = [
            _cell(value, formula.style(at) if number else "head", span if not number and not at else "")
            for at, value in enumerate(row)
        ]
        lines.append(f"<table:table-row>{''.join(cells)}</table:table-row>\n")
    return _sheet(title, lines)


def _sheet(title: str, lines: Sequence[str]) -> str:
    columns = '<table:table-column table:style-name="width" table:number-columns-repeated="40"/>'
    return f"<table:table table:name={quoteattr(title)}>{columns}\n{''.join(lines)}</table:table>\n"


def _cell(value: Value, style: str, more: str = "") -> str:
    if isinstance(value, dt.date) and style != "head":
        style = "date"
    elif isinstance(value, str) and style != "head":
        style = "input" if style == "input" else ""
    named = f' table:style-name="{style}"' if style else ""
    if value is None:
        return f"<table:table-cell{named}{more}/>"
    if isinstance(value, bool):
        kind = f'office:value-type="boolean" office:boolean-value="{str(value).lower()}"'
    elif isinstance(value, dt.date):
        kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
    elif isinstance(value, str):
        text = f"<text:p>{escape(value)}</text:p>"
        return f'<table:table-cell{named}{more} office:value-type="string">{text}</table:table-cell>'
    else:
        kind = f'office:value-type="float" office:value="{value}"'
    return f"<table:table-cell{named}{more} {kind}/>"


def _manifest() -> str:
    space = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>\n'
        for path, kind in (("/", _MIME), ("content.xml", "text/xml"))
    )
    return f'{_HEAD}<manifest:manifest {space} manifest:version="1.3">\n{entries}</manifest:manifest>\n'
