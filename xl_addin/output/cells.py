"""Cells, formats and page set-up of the result workbook; text stays text, whatever it begins with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from xl_addin.output.width import display_width

WEIGHT = "0.0%"
DRIFT = "+0.0%;-0.0%;0.0%"
DATE = "yyyy-mm-dd"
QUANTITY = "#,##0.######"
_MONEY = {"KRW": '₩#,##0;[Red]-₩#,##0;"–"', "USD": "$#,##0.00;[Red]-$#,##0.00"}

# Excel shows Korean in its own font beside this one; a font without a name falls back to a serif.
_FACE = "Calibri"
PLAIN = Font(name=_FACE, size=11)
TITLE = Font(name=_FACE, bold=True, size=16)
HEADING = Font(name=_FACE, bold=True, size=12, color="1F3864")
BOLD = Font(name=_FACE, bold=True, size=11)
BAD = Font(name=_FACE, bold=True, size=11, color="C00000")
LOUD_FILL = PatternFill("solid", fgColor="FFC000")
RESULT_FILL = PatternFill("solid", fgColor="F2F2F2")
_HEADER_FONT = Font(name=_FACE, bold=True, size=11, color="FFFFFF")
_HEADER_FILL = PatternFill("solid", fgColor="1F3864")
_LINE = Border(bottom=Side(style="hair", color="A6A6A6"))
#: What makes a spreadsheet take text for a formula, here or after a round trip through CSV.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Value = Decimal | int | str | None


@dataclass(frozen=True, slots=True)
class Item:
    """Hold a value with its number format and font."""

    value: Value
    format: str = "General"
    font: Font = PLAIN


def money_format(currency: str) -> str:
    """Return the number format of an amount: won without decimals, dollars with cents, others with their code."""
    return _MONEY.get(currency, f'#,##0.00 "{currency}"')


def price_format(price: Decimal, currency: str) -> str:
    """Return the number format of a price, with decimals for a won price that has some."""
    return "₩#,##0.00" if currency == "KRW" and price != int(price) else money_format(currency)


def put(sheet: Worksheet, row: int, column: int, item: Item) -> Cell:
    """Write an item into a cell and return the cell; text that looks like a formula is kept as text."""
    cell = cast("Cell", sheet.cell(row, column))
    value = item.value
    if isinstance(value, str):
        text = ILLEGAL_CHARACTERS_RE.sub(" ", value)[:32_000]
        cell.value = text
        cell.data_type = "s"
        cell.quotePrefix = text.startswith(_FORMULA_STARTS)
    else:
        cell.value = float(value) if isinstance(value, Decimal) else value
        cell.number_format = item.format
    cell.font = item.font
    return cell


def put_table(sheet: Worksheet, top: int, titles: Sequence[str], rows: Iterable[Sequence[Item]]) -> int:
    """Write a header and rows from row `top`, column A; returns the first free row below."""
    for column, title in enumerate(titles, start=1):
        cell = put(sheet, top, column, Item(title, font=_HEADER_FONT))
        cell.fill = _HEADER_FILL
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    place = top
    for place, row in enumerate(rows, start=top + 1):
        for column, item in enumerate(row, start=1):
            cell = put(sheet, place, column, item)
            cell.fill, cell.border = RESULT_FILL, _LINE
            is_text = isinstance(item.value, str)
            cell.alignment = Alignment(
                horizontal="left" if is_text else None,
                vertical="center",
                indent=int(is_text),
                wrap_text=is_text and len(str(item.value)) > 40,
            )
    return place + 1


def put_sentence(sheet: Worksheet, row: int, text: str, columns: int, *, font: Font = PLAIN, loud: bool = False) -> int:
    """Write a sentence over so many columns of one row, as high as it needs; returns the next row."""
    cell = put(sheet, row, 1, Item(text, font=font))
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=columns)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    if loud:
        cell.fill = LOUD_FILL
    room = sum(sheet.column_dimensions[get_column_letter(column)].width for column in range(1, columns + 1))
    size = (font.size or 11) / 11
    lines = -(-int(display_width(text) * 1.1 * size) // int(room))
    sheet.row_dimensions[row].height = 16 * size * max(lines, 1)
    return row + 1


def set_widths(sheet: Worksheet, first_row: int, *, least: int = 9, most: int = 46) -> None:
    """Make columns as wide as their widest cells from `first_row` on, Korean counted twice, and rows to suit."""
    for column in sheet.iter_cols(min_row=first_row):
        widest = max((_shown_width(cell) for cell in column if cell.value is not None), default=0)
        letter = get_column_letter(column[0].column or 1)
        sheet.column_dimensions[letter].width = min(max(widest + 3, least), most)
    set_heights(sheet, first_row)


def set_heights(sheet: Worksheet, first_row: int) -> None:
    """Make each row from `first_row` on as high as its wrapped texts need."""
    for row in sheet.iter_rows(min_row=first_row):
        lines = 1
        for cell in row:
            if isinstance(cell.value, str) and cell.alignment.wrap_text:
                room = sheet.column_dimensions[get_column_letter(cell.column or 1)].width - 3
                lines = max(lines, -(-int(display_width(cell.value) * 1.1) // int(room)))
        sheet.row_dimensions[row[0].row or 1].height = 18 if lines == 1 else 15 * lines + 3


def set_page(sheet: Worksheet, *, freeze: str | None = None) -> None:
    """Print on A4 landscape, one page wide; keep the header in view and repeat it on each page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.5
    if sheet.oddFooter:
        sheet.oddFooter.right.text = "&P / &N"
    sheet.sheet_view.showGridLines = False
    if freeze:
        sheet.freeze_panes = freeze
        sheet.print_title_rows = "1:1"


def _shown_width(cell: Cell) -> int:
    if isinstance(cell.value, str):
        return display_width(cell.value)
    # A number shows with separators, a sign and its format's decimals.
    return len(f"{cell.value:,.2f}") + 1 if cell.value is not None else 0
