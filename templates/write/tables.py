"""A sheet's frame, and the tables on it: captions, rows, formulas, validations, colours."""

from __future__ import annotations

from collections.abc import Iterable

from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.formatting.rule import FormatObject, IconSet, Rule
from openpyxl.styles import Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.header_footer import _HeaderFooterPart as HeaderFooterPart
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableFormula, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from engine.words import Lang, say
from templates.cells import Row, Rows, Value, letters, quoted_sheet
from templates.spec.inputs import CURRENCIES
from templates.spec.layout import (
    BESIDE,
    FIRST_COLUMN,
    PURPOSE_ROW,
    TITLE_ROW,
    Placement,
    by_row,
)
from templates.spec.schema import Column, Sheet, Table
from templates.spec.vocabulary import KINDS, choices, every_word, spoken
from templates.write.canvas import (
    AMBER,
    GREEN,
    LINE,
    PALE_AMBER,
    PALE_GREEN,
    PALE_RED,
    RED,
    SOLD_BLUE,
    Canvas,
    approximate,
    dress,
)

_MARGIN_COLUMN = 2.5


def frame(canvas: Canvas, sheet: Worksheet, spec: Sheet, name: str, width: int) -> None:
    """Write a sheet's head over `width` columns, and set its window and its page: A4 landscape, one page wide."""
    styles = canvas.styles
    for column in range(1, FIRST_COLUMN + width):
        dress(sheet.cell(TITLE_ROW, column), styles.look("title"))
        dress(sheet.cell(PURPOSE_ROW, column), styles.look("band"))
    title = spec.title(canvas.lang)
    canvas.put(sheet, TITLE_ROW, FIRST_COLUMN, f"{title}  ·  {name}" if name else title, styles.look("title"))
    canvas.put(sheet, PURPOSE_ROW, FIRST_COLUMN, spec.purpose(canvas.lang), styles.look("band"))
    sheet.row_dimensions[TITLE_ROW].height = 28
    sheet.row_dimensions[PURPOSE_ROW].height = 16
    sheet.column_dimensions["A"].width = _MARGIN_COLUMN
    sheet.sheet_view.showGridLines = False
    sheet.sheet_view.zoomScale = 100
    sheet.sheet_properties.tabColor = spec.tab
    sheet.sheet_properties.codeName = spec.key
    page(sheet)


def page(sheet: Worksheet, *, one_page: bool = False) -> None:
    """Set the page up: A4 landscape, one page wide, the sheet's name and page number at the foot."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 1 if one_page else 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    margins = sheet.page_margins
    margins.left = margins.right = 0.4
    margins.top = margins.bottom = 0.5
    margins.header = margins.footer = 0.25
    sheet.HeaderFooter.oddFooter = HeaderFooterItem(left=HeaderFooterPart("&A"), right=HeaderFooterPart("&P / &N"))
    sheet.print_options.horizontalCentered = True


def widths(sheet: Worksheet, sizes: dict[int, float]) -> None:
    """Set column widths by column number, in characters."""
    for column, size in sizes.items():
        sheet.column_dimensions[letters(column)].width = size


_BAD = (
    "OVER",
    "UNDER",
    "NO_TARGET",
    "DIFFERS",
    "NEGATIVE",
    "PROBLEM",
    "BREACH",
    "REPLACE",
    "error",
    "missing",
    "doubtful",
)
_DOUBTFUL = ("LOCKED", "DISABLED", "CHECK", "stale", "sample", "warning", "due", "UNKNOWN", "REVIEW")
_GOOD = ("OK", "HOLD", "fresh", "manual")


def write_table(
    canvas: Canvas,
    sheet: Worksheet,
    placement: Placement,
    rows: Rows,
    base: str,
    note: str = "",
    *,
    planned: bool = False,
) -> None:
    """Write a table at its place: title, captions, identifiers, rows, spare rows; then what makes it usable.

    `note` stands beside the title: what the rows are of, or why there are none. Of a `planned` workbook every table
    has been computed, but those that are fetched.
    """
    table = placement.table
    _heads(canvas, sheet, placement, title_of(table, canvas, note, empty=not rows and (table.fetched or not planned)))
    for offset, column in enumerate(placement.columns):
        _column(canvas, sheet, placement, column, placement.left + offset, rows, base)
        goals = any(one.name in _WHERE_USED for one in placement.columns)
        if goals and column.name in (*_WHERE_USED, *_RARE) and not any(_uses(row, column) for row in rows):
            sheet.column_dimensions[letters(placement.left + offset)].hidden = True
    if not canvas.literal:
        if table.ranges:
            _name_ranges(canvas, placement)
        else:
            _excel_table(canvas, sheet, placement)
        _validations(canvas, sheet, placement)
        if table.name == "Settings":
            settings_choices(canvas, sheet, placement, rows)
    _colours(sheet, placement)


#: Columns of goals that are hidden until one uses them; what a share comes to is seen where there are shares.
_WHERE_USED = {"Goal": "Goal", "Members": "Members", "Share": "Share", "Wanted": "Share", "Consolidate": "Consolidate"}
#: And there, what only satellites have.
_RARE = ("Benchmark", "ThesisValid")


def _uses(row: Row, column: Column) -> bool:
    return row.get(_WHERE_USED.get(column.name, column.name)) is not None


def _heads(canvas: Canvas, sheet: Worksheet, placement: Placement, title: str) -> None:
    styles, lang = canvas.styles, canvas.lang
    canvas.put(sheet, placement.title_row, placement.left, title, styles.look("block"))
    for offset, column in enumerate(placement.columns):
        at = placement.left + offset
        canvas.put(sheet, placement.header - 1, at, column.caption(lang), styles.look("caption"))
        canvas.put(sheet, placement.header, at, column.name, styles.look("header"))
        dimension = sheet.column_dimensions[letters(at)]
        # Tables below each other share their columns: the widest decides.
        made = letters(at) in canvas.sized.setdefault(sheet.title, set())
        dimension.width = max(column.width + 1, dimension.width if made else 0)
        dimension.hidden = column.hidden
        canvas.sized[sheet.title].add(letters(at))
    gap = letters(placement.right + 1)
    if gap not in canvas.sized[sheet.title]:
        sheet.column_dimensions[gap].width = 3
    sheet.row_dimensions[placement.header - 1].height = 30


def title_of(table: Table, canvas: Canvas, note: str, *, empty: bool) -> str:
    """Return a table's title with what stands beside it: its note, what it is for, or how to have it computed."""
    lang = canvas.lang
    title, usual = table.caption(lang), table.note(lang)
    if note:
        return f"{title}{BESIDE}{note}"
    if not table.ranges:
        return f"{title}{BESIDE}{usual}" if usual and not canvas.literal else title
    if not empty or canvas.literal or canvas.live:
        return title
    return f"{title}{BESIDE}{say('label.not-computed.fetched' if table.fetched else 'label.not-computed', lang)}"


def _column(
    canvas: Canvas, sheet: Worksheet, placement: Placement, column: Column, at: int, rows: Rows, base: str
) -> None:
    last = placement.last_row
    style = canvas.styles.cell(column, _currency(column, {}, base))
    if column.role != "formula":
        for row_number, row in enumerate(rows, placement.first_row):
            style_of = canvas.styles.cell(column, _currency(column, row, base)) if column.unit else style
            value = said(canvas, column, row)
            if column.kind_of is not None:
                style_of = canvas.styles.figure(column, column.kind_of(row), base)
            canvas.put(sheet, row_number, at, value if column.role == "input" else approximate(value), style_of)
        for row_number in range(placement.first_row + len(rows), last + 1):
            canvas.put(sheet, row_number, at, None, style)
        return
    formula = None if canvas.literal else by_row(column.formula, canvas.placements, canvas.lang, placement)
    for index in range(placement.rows):
        row_number = placement.first_row + index
        row = rows[index] if index < len(rows) else {}
        style_of = canvas.styles.cell(column, _currency(column, row, base)) if column.unit else style
        value = said(canvas, column, row)
        if formula is None:
            canvas.put(sheet, row_number, at, value, style_of)
        else:
            canvas.formula(sheet, row_number, at, formula(row_number), "" if value is None else value, style_of)


def said(canvas: Canvas, column: Column, row: Row) -> Value:
    """Return what a row's cell holds: words of the workbook's language in place of codes."""
    value = row.get(column.name)
    if not column.words:
        return value
    return spoken(column.vocabulary(row), value, canvas.lang)  # type: ignore[return-value]  # what is no code stays


def _currency(column: Column, row: Row, base: str) -> str:
    """Return the currency of an amount: the row's own where the column has one, else the base currency."""
    if column.type not in ("money", "price"):
        return ""
    if not column.unit:
        return base
    return str(row.get("@currency") or row.get(column.unit) or base)


def _excel_table(canvas: Canvas, sheet: Worksheet, placement: Placement) -> None:
    table = ExcelTable(displayName=placement.table.name, ref=placement.ref)
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    table._initialise_columns()  # type: ignore[attr-defined]  # noqa: SLF001 - the only way to columns with formulas
    for made, column in zip(table.tableColumns, placement.columns, strict=True):
        made.name = column.name
        if column.role == "formula":
            text = by_row(column.formula, canvas.placements, canvas.lang, placement)(placement.first_row)
            made.calculatedColumnFormula = TableFormula(attr_text=text[1:])
    sheet.add_table(table)


def _name_ranges(canvas: Canvas, placement: Placement) -> None:
    from openpyxl.workbook.defined_name import DefinedName

    # Only declared columns: a column named by a symbol such as BRK-B would make no name.
    for column in (column for column in placement.columns if column.name in placement.table.index):
        name = f"{placement.table.name}_{column.name}"
        canvas.workbook.defined_names[name] = DefinedName(name, attr_text=placement.area(column.name))


_RANGES = {"weight": (0, 1), "quantity": (0, 10**15), "price": (0, 10**15)}


def _validations(canvas: Canvas, sheet: Worksheet, placement: Placement) -> None:
    for column in placement.columns:
        validation = _validation(column, canvas.lang) if column.role == "input" else None
        if validation is None:
            continue
        validation.error = say(f"label.entry.{column.type}", canvas.lang)
        validation.errorTitle = column.caption(canvas.lang)
        validation.showErrorMessage = True
        # A warning lets an exception through, such as 194 with its unit: the reader understands it, and what is wrong
        # is also said by the row's own check.
        validation.errorStyle = "warning"
        hint = column.help(canvas.lang)
        if hint:
            validation.prompt, validation.promptTitle = hint, column.caption(canvas.lang)
            validation.showInputMessage = True
        letter = placement.letter(column.name)
        validation.add(f"{letter}{placement.first_row}:{letter}{placement.last_row}")
        sheet.add_data_validation(validation)


def settings_choices(canvas: Canvas, sheet: Worksheet, placement: Placement, rows: Rows) -> None:
    """Offer the choices of every setting that has some, in its own row."""
    value = placement.table.index["Value"]
    for number, row in enumerate(rows, placement.first_row):
        key, kind = str(row.get("Key")), value.vocabulary(row)
        offered = choices(kind, KINDS[kind], canvas.lang) if kind else _OFFERED.get(key, ())
        if offered:
            validation = listed(offered)
            validation.error, validation.errorStyle = say("label.entry.choice", canvas.lang), "warning"
            validation.showErrorMessage = True
            validation.add(f"{placement.letter('Value')}{number}")
            sheet.add_data_validation(validation)


_OFFERED = {"base_currency": CURRENCIES, "convert_currency": ("TRUE", "FALSE")}


def _validation(column: Column, lang: Lang) -> DataValidation | None:
    if column.type == "choice":
        return listed(choices(column.vocabulary({}), column.choices, lang))
    if column.type == "bool":
        return DataValidation("list", formula1='"TRUE,FALSE"', allow_blank=True)
    if column.type == "date":
        return DataValidation("date", operator="greaterThan", formula1="25569", allow_blank=True)
    bounds = _RANGES.get(column.type)
    if bounds is None or not column.bounded:
        return None
    return DataValidation(
        "decimal", operator="between", formula1=str(bounds[0]), formula2=str(bounds[1]), allow_blank=True
    )


def listed(offered: Iterable[str]) -> DataValidation:
    """Return the drop-down that offers some words."""
    return DataValidation("list", formula1=f'"{",".join(offered)}"', allow_blank=True)


def _colours(sheet: Worksheet, placement: Placement) -> None:
    for column in placement.columns:
        letter = placement.letter(column.name)
        cells = f"{letter}{placement.first_row}:{letter}{placement.last_row}"
        rules = sheet.conditional_formatting
        if column.type == "status":
            words(rules, cells, f"{letter}{placement.first_row}", column.vocabulary({}))
        elif column.type == "quantity":
            rules.add(cells, fractions(f"{letter}{placement.first_row}"))
        elif column.type == "signal":
            signals(rules, cells, f"{letter}{placement.first_row}")
        elif column.check:
            rules.add(cells, coloured(f"LEN({letter}{placement.first_row})>0", RED, PALE_RED))
        elif column.role == "formula" and column.type in ("money", "price", "rate", "weight"):
            formula = f"ISERROR({letter}{placement.first_row})"
            rules.add(cells, coloured(formula, RED, PALE_RED))


def words(rules: ConditionalFormattingList, cells: str, first: str, kind: str, *, line: bool = False) -> None:
    """Colour a kind of words: red, amber or green (with a `line` below); the word itself always stands there too."""
    for found, fill, colour in ((_BAD, PALE_RED, RED), (_DOUBTFUL, PALE_AMBER, AMBER), (_GOOD, PALE_GREEN, GREEN)):
        codes = [code for code in KINDS[kind] if code in found]
        tests = ",".join(f'{first}="{word}"' for code in codes for word in every_word(kind, code))
        if tests:
            rules.add(cells, coloured(f"OR({tests})", colour, fill, line=line))


def signals(rules: ConditionalFormattingList, cells: str, first: str) -> None:
    """Colour the arrows beside a status as the status is coloured."""
    rules.add(cells, coloured(f'OR({first}="▲",{first}="▼")', RED))
    rules.add(cells, coloured(f'{first}="●"', GREEN))
    rules.add(cells, coloured(f'{first}="–"', AMBER))


def fractions(first: str) -> Rule:
    """Return the rule that shows the decimals of a fraction of a share, and none of whole shares."""
    style = DifferentialStyle(numFmt=NumberFormat(numFmtId=190, formatCode="#,##0.0#####"))
    return Rule("expression", dxf=style, formula=[f"AND(ISNUMBER({first}),{first}<>INT({first}))"])


def symbols() -> Rule:
    """Return the rule that shows 1, 0 and −1 as a tick, an exclamation mark and a cross."""
    return Rule(
        "iconSet",
        iconSet=IconSet(
            iconSet="3Symbols", cfvo=[FormatObject("num", val=step) for step in (-1, 0, 1)], showValue=False
        ),
    )


def sides(sheet: Worksheet, cells: str, lang: Lang, *, line: bool = False) -> None:
    """Colour buys and sells: in Korea what is bought is red and what is sold blue, elsewhere the other way round."""
    first = cells.partition(":")[0]
    for code, colour in zip(("buy", "sell"), (RED, SOLD_BLUE) if lang == "ko" else (SOLD_BLUE, RED), strict=True):
        tests = ",".join(f'{first}="{word}"' for word in every_word("side", code))
        sheet.conditional_formatting.add(cells, coloured(f"OR({tests})", colour, line=line))


def underlined(formula: str) -> Rule:
    """Return the rule that draws a thin line under a row that holds something."""
    return Rule("expression", dxf=DifferentialStyle(border=_LINE_BELOW), formula=[formula])


def go_to(address: str, title: str) -> Hyperlink:
    """Return the link of a cell to the top of a sheet."""
    return Hyperlink(ref=address, location=f"{quoted_sheet(title)}!A1")


#: Where rules of several areas overlap, LibreOffice applies one only: each has the line that it needs.
_LINE_BELOW = Border(bottom=Side(style="thin", color=LINE))


def coloured(formula: str, colour: str, fill: str = "", *, line: bool = False) -> Rule:
    """Return the rule that colours a cell for which the formula (of the area's first cell) holds."""
    pattern = PatternFill(bgColor=fill, fill_type="solid") if fill else None
    style = DifferentialStyle(font=Font(color=colour, bold=True), fill=pattern, border=_LINE_BELOW if line else None)
    return Rule("expression", dxf=style, formula=[formula])
