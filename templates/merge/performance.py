"""A performance written on the Performance sheet of a person's own workbook, all else of which stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.data.files import Refused
from engine.phrase import Phrase, phrase
from engine.words import Lang
from templates.cells import Grid
from templates.merge import KINDS, OwnBook, not_kept
from templates.merge.package import Package
from templates.merge.splice import Splice
from templates.read.tables import find_tables
from templates.read.workbooks import grids_of
from templates.report import BookReport
from templates.share import share
from templates.spec import sheet

#: The tables of the sheet.
TABLES = ("Performance", "Periods", "Course")


def with_performance(path: Path, report: BookReport, lang: Lang) -> tuple[bytes | None, Phrase | None]:
    """Return a person's workbook with a report's Performance sheet, or None and why it cannot be done.

    A workbook of before the sheet gets it, after those that it has.
    """
    if path.suffix.lower() not in KINDS:
        return not_kept(path, phrase("not-kept.kind"))
    data = path.read_bytes()
    try:
        grids = grids_of(data)
    except Refused as refusal:
        return not_kept(path, refusal.problem(str(path)).message)
    found, _ = find_tables(grids)
    if not set(TABLES) <= found.keys():
        return _with_sheet(data, grids, report, lang), None
    own = OwnBook(Package(data), found, {grid.part: grid for grid in grids}, report, lang)
    if blocked := own.write_only(TABLES):
        return not_kept(path, phrase("not-kept.in-the-way", cell=blocked))
    return own.to_bytes(), None


def _with_sheet(data: bytes, grids: Sequence[Grid], report: BookReport, lang: Lang) -> bytes:
    """Return a workbook with the Performance sheet added to it, as values; one of an earlier time gives way."""
    made = share(report, lang)
    title = sheet("Performance").title(lang)
    target = Package(data)
    splice = Splice(target, Package(made.to_bytes()))
    standing = next((one for one in grids if one.name.startswith(title)), None)
    if standing is None:
        splice.add(title, splice.free_title(title))
    else:
        splice.replace(title, standing.part)
    splice.finish()
    return target.to_bytes()
