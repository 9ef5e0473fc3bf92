"""A plan's results in a workbook that is not made for them: on sheets of their own, after the person's.

They hold values: what they were computed from stands where the person has it. At the next plan they are written anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.phrase import Phrase, phrase
from engine.words import Lang, say
from templates.cells import Grid
from templates.merge.package import Package
from templates.merge.splice import Splice
from templates.report import BookReport
from templates.share import share
from templates.spec import sheet
from templates.spec.layout import FIRST_COLUMN, TITLE_ROW
from templates.write.dashboard import SAID

#: The sheets that hold nothing but results.
SHEETS = ("Dashboard", "Goals", "Trades", "Analysis", "Calendar", "Performance", "Checks")


def add_results(path: Path, grids: Iterable[Grid], report: BookReport, lang: Lang) -> tuple[bytes, Phrase]:
    """Return the person's workbook with the report's sheets in it, and what is to be said of them."""
    book = share(report, lang)
    made = book.workbook
    said = made[sheet("Dashboard").title(lang)][SAID[0]]
    said.value = str(said.value or "").removesuffix(say("label.share-note", lang)).rstrip(" ·")
    target = Package(path.read_bytes())
    splice = Splice(target, Package(book.to_bytes()))
    grids, places = list(grids), {}
    for title in (sheet(key).title(lang) for key in SHEETS):
        if title in made.sheetnames:
            standing = next((grid for grid in grids if _is_ours(grid, title)), None)
            places[title] = standing.name if standing else splice.free_title(title), standing
    splice.rename({title: name for title, (name, _) in places.items() if name != title})
    for title, (name, standing) in places.items():
        if standing is None:
            splice.add(title, name)
        else:
            splice.replace(title, standing.part)
    splice.finish()
    names = tuple(name for name, _ in places.values())
    return target.to_bytes(), phrase("results-added", file=path.name, sheets=names)


def _is_ours(grid: Grid, title: str) -> bool:
    """Tell whether a sheet is one that an earlier plan has added under a title, or under the title and a number."""
    head = str(grid.rows.get(TITLE_ROW, {}).get(FIRST_COLUMN) or "")
    return head.startswith(title) and (grid.name == title or grid.name.startswith(f"{title} ("))
