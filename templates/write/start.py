"""The Start sheet: three steps, what the colours and words mean, what to do when Windows warns."""

from __future__ import annotations

from importlib import metadata

from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from engine.words import say
from templates.cells import quoted_sheet
from templates.report import ModelFacts
from templates.spec import SHEETS
from templates.spec.vocabulary import STATUSES, spoken
from templates.write.canvas import Canvas
from templates.write.tables import page, widths, words

_LEGEND = ("input", "formula", "link", "result", "problem")


def version() -> str:
    """Return the version of this package."""
    try:
        return metadata.version("rebalancer")
    except metadata.PackageNotFoundError:
        return "0"


def write_start(canvas: Canvas, sheet: Worksheet, model: ModelFacts | None) -> None:
    """Write the sheet: steps on top, legend and words below them, help at the end."""
    widths(sheet, {2: 18, 3: 34, 4: 3, 5: 18, 6: 60})
    row = _steps(canvas, sheet, 4)
    if model is not None:
        row = _model(canvas, sheet, model, row + 1)
    row = max(_legend(canvas, sheet, row + 1), _sheets(canvas, sheet, row + 1))
    _help(canvas, sheet, row + 1)
    page(sheet, one_page=True)


def _steps(canvas: Canvas, sheet: Worksheet, row: int) -> int:
    look, lang = canvas.styles.look, canvas.lang
    canvas.put(sheet, row, 2, say("label.start.title", lang), look("block"))
    for step in (1, 2, 3):
        canvas.put(sheet, row + step, 2, say(f"label.start.{step}", lang), look("strong"))
        sheet.row_dimensions[row + step].height = 22
    canvas.put(sheet, row + 4, 2, say("label.start.promise", lang), look("note"))
    return row + 5


def _model(canvas: Canvas, sheet: Worksheet, model: ModelFacts, row: int) -> int:
    look, lang = canvas.styles.look, canvas.lang
    canvas.put(sheet, row, 2, f"{say('label.start.model', lang)}: {model.title(lang)}", look("block"))
    canvas.put(sheet, row + 1, 2, model.summary(lang), look("strong"))
    row += 2
    for key, figure in (("model.return", model.expected_return), ("model.drawdown", model.drawdown)):
        if figure is not None:
            canvas.put(sheet, row, 2, say(f"label.{key}", lang), look("cell-text"))
            canvas.put(sheet, row, 3, figure, look("cell-number|0.0%"))
            canvas.put(sheet, row, 5, say("label.model.assumption", lang), look("note"))
            row += 1
    for rule in model.rules(lang):
        canvas.put(sheet, row, 2, f"·  {rule}", look("text-line"))
        row += 1
    return row


def _legend(canvas: Canvas, sheet: Worksheet, row: int) -> int:
    look, lang = canvas.styles.look, canvas.lang
    canvas.put(sheet, row, 2, say("label.start.legend", lang), look("block"))
    for kind in _LEGEND:
        row += 1
        canvas.put(sheet, row, 2, "₩1,234", look(f"legend-{kind}"))
        canvas.put(sheet, row, 3, say(f"label.legend.{kind}", lang), look("cell-text"))
    row += 2
    canvas.put(sheet, row, 2, say("label.start.status", lang), look("block"))
    first = row + 1
    for status in STATUSES:
        row += 1
        canvas.put(sheet, row, 2, spoken("status", status, lang), look("cell-centre"))
        canvas.put(sheet, row, 3, say(f"label.status.{status}", lang), look("cell-text"))
    words(sheet.conditional_formatting, f"B{first}:B{row}", f"B{first}", "status")
    return row + 1


def _sheets(canvas: Canvas, sheet: Worksheet, row: int) -> int:
    look, lang = canvas.styles.look, canvas.lang
    canvas.put(sheet, row, 5, say("label.start.sheets", lang), look("block"))
    for spec in SHEETS[1:]:
        row += 1
        title = spec.title(lang)
        canvas.put(sheet, row, 5, title, look("legend-link"))
        sheet.cell(row, 5).hyperlink = Hyperlink(ref=f"E{row}", location=f"{quoted_sheet(title)}!A1")
        canvas.put(sheet, row, 6, spec.purpose(lang), look("cell-text"))
    return row + 1


def _help(canvas: Canvas, sheet: Worksheet, row: int) -> None:
    look, lang = canvas.styles.look, canvas.lang
    canvas.put(sheet, row, 2, say("label.start.help", lang), look("block"))
    canvas.put(sheet, row + 1, 2, say("label.start.unblock", lang), look("text"))
    sheet.merge_cells(start_row=row + 1, end_row=row + 1, start_column=2, end_column=6)
    sheet.row_dimensions[row + 1].height = 32
    canvas.put(sheet, row + 3, 2, say("label.start.advice", lang), look("note"))
    canvas.put(sheet, row + 4, 2, f"{say('label.start.version', lang)} {version()}", look("note"))
