"""The workbook for LibreOffice (.ods): the finished workbook, saved by LibreOffice itself.

Results stand in it as values, which the extension's buttons compute anew: so it shows the same numbers with the
extension and without, and no cell waits for prices when it is opened.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from engine.errors import InputError, error
from engine.words import Lang, say
from rebalancer.office import converted, office
from templates.report import BookReport
from xl_addin.hosts.excel.package import sample_report, with_room

#: LibreOffice shows a truth of an .xlsx file as 1 where no format says otherwise.
_TRUTH = '"TRUE";"TRUE";"FALSE"'


def sample_ods(lang: Lang) -> bytes:
    """Return the workbook of the bundled sample portfolio, on sample prices that say so."""
    return report_ods(sample_report(lang), lang, sample=True)


def report_ods(report: BookReport, lang: Lang, *, sample: bool = False) -> bytes:
    """Return a report's workbook; raises InputError where LibreOffice is not there, or does not make it."""
    program = office()
    if program is None:
        raise InputError([error("libreoffice.missing", "LibreOffice", reason="")])
    book = with_room(report, lang, sample=sample)
    cells: Any = (cell for sheet in book.workbook.worksheets for row in sheet.iter_rows() for cell in row)
    for cell in cells:
        if isinstance(cell.value, bool):
            cell._style = copy(cell._style)  # noqa: SLF001 - cells of one look share it
            cell.number_format = _TRUTH
    start = book.workbook.worksheets[0]
    for (cell,) in start.iter_rows(min_col=2, max_col=2):
        if cell.value == say("label.start.2", lang):
            cell.value = say("live.propose-menu", lang)
    return converted(program, book.to_bytes(), ".xlsx", "ods", where="LibreOffice")
