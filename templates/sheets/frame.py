"""What every sheet has: its title, its purpose, its code name and tab, its page set-up."""

from __future__ import annotations

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.header_footer import _HeaderFooterPart as HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from templates.canvas import Canvas
from templates.layout import FIRST_COLUMN, PURPOSE_ROW, TITLE_ROW
from templates.schema import Sheet
from templates.styles import dress

_MARGIN_COLUMN = 2.5


def frame(canvas: Canvas, sheet: Worksheet, spec: Sheet, name: str, width: int) -> None:
    """Write a sheet's head over `width` columns, and set its window and its page: A4 landscape, one page wide."""
    styles = canvas.styles
    for column in range(1, FIRST_COLUMN + width):
        dress(sheet.cell(TITLE_ROW, column), styles.look("title"))
        dress(sheet.cell(PURPOSE_ROW, column), styles.look("band"))
    title = spec.title.of(canvas.lang)
    canvas.put(sheet, TITLE_ROW, FIRST_COLUMN, f"{title}  ·  {name}" if name else title, styles.look("title"))
    canvas.put(sheet, PURPOSE_ROW, FIRST_COLUMN, spec.purpose.of(canvas.lang), styles.look("band"))
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
        sheet.column_dimensions[get_column_letter(column)].width = size
