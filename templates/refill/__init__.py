"""Results written back into a person's own workbook, which keeps its cells, notes, formats, sheets and charts.

openpyxl reads and writes most of a workbook, not all of it. Where a file has a part that would be lost (a picture, a
shape, a slicer, a threaded comment, a macro), nothing is written into it: a fresh workbook is made, and the person is
told.
"""

from __future__ import annotations

import io
from pathlib import Path

from openpyxl import load_workbook

from templates.pack import packed
from templates.reading.book import read_grids
from templates.reading.find import find_tables
from templates.reading.safety import Refused
from templates.refill.analyses import ANALYSES, matrix, sources
from templates.refill.losses import what_would_be_lost
from templates.refill.own_book import OwnBook
from templates.refill.results import add_to_history, dashboard_head, retitle, write_results
from templates.refill.values import forget_charts, value_cells, value_rows
from templates.report import Report
from templates.schema import Lang, Text
from templates.spec import TABLES

_WRITTEN = (*(t.name for t in TABLES if t.ranges and t.name not in ANALYSES), "FxRates")


def refill(path: Path, report: Report, lang: Lang) -> tuple[bytes | None, str]:
    """Return the person's workbook with the report's results in it, or None and why it cannot be done."""
    if path.suffix.lower() != ".xlsx":
        return None, _notice(path, Text("only .xlsx files can be kept", ".xlsx 파일만 유지할 수 있습니다"), lang)
    try:
        grids = read_grids(path)
    except Refused as refusal:
        return None, _notice(path, Text(str(refusal), refusal.ko), lang)
    data = path.read_bytes()
    lost = what_would_be_lost(data)
    if lost is not None:
        reason = Text(f"it has {lost.en}, which would be lost", f"{lost.ko}이(가) 사라지게 됩니다")
        return None, _notice(path, reason, lang)
    found, _ = find_tables(grids)
    missing = [name for name in ("Trades", "Prices", "Reconcile", "Summary", "Holdings") if name not in found]
    if missing:
        reason = Text(f"it has no table {', '.join(missing)}", f"{', '.join(missing)} 표가 없습니다")
        return None, _notice(path, reason, lang)
    try:
        workbook = load_workbook(io.BytesIO(data))
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever it stumbles on; the file stays as it is
        reason = Text(f"it cannot be opened for writing ({error})", f"쓰기용으로 열 수 없습니다 ({error})")
        return None, _notice(path, reason, lang)
    return _refilled(OwnBook(workbook, found, report, lang), path)


def _refilled(own: OwnBook, path: Path) -> tuple[bytes | None, str]:
    for name in (*_WRITTEN, *sorted(ANALYSES & own.report.results.keys())):
        place = own.found.get(name)
        if place is None:
            continue
        blocked = write_results(own, place, own.fresh.figures.tables[name])
        if blocked:
            reason = Text(f"{blocked} stands where results belong", f"결과가 들어갈 자리에 {blocked}이(가) 있습니다")
            return None, _notice(path, reason, own.lang)
        retitle(own, place)
    sources(own)
    matrix(own)
    add_to_history(own)
    dashboard_head(own)
    for place in own.found.values():
        value_rows(own, place)
    value_cells(own)
    forget_charts(own)
    # The person's own formulas have no value until a spreadsheet computes them: ask for that on opening.
    own.workbook.calculation.fullCalcOnLoad = True
    return packed(own.workbook, own.cached), ""


def _notice(path: Path, reason: Text, lang: Lang) -> str:
    if lang == "ko":
        return f"{path.name}에 쓰지 않고 새 파일을 만들었습니다: {reason.ko}"
    return f"a new workbook was made instead of keeping {path.name}: {reason.en}"
