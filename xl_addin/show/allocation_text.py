"""What a plan holds by sector, asset class and currency, as text beside its targets."""

from __future__ import annotations

from engine.allocation import KINDS, Slice, allocation
from engine.plan import Plan
from engine.words import Lang, known, say
from templates.report import group_name
from xl_addin.show.terminal import Paint, TextColumn, TextRow, percent, points, table_lines


def allocation_lines(plan: Plan, lang: Lang, paint: Paint) -> list[str]:
    """Return the three cuts as one table: what differs most in each comes with what it is; none for an empty plan."""
    found = allocation(plan)
    columns = [TextColumn(say("caption.allocation.by", lang), "<", 14), TextColumn("", "<", 28)]
    columns += [TextColumn(say(f"caption.{name}", lang)) for name in ("weight", "target", "drift-points")]
    rows = []
    for kind in KINDS:
        for index, one in enumerate(found.cut(kind)):
            title = say(f"caption.allocation.{kind}", lang) if not index else ""
            rows.append(_row(title, group_name(kind, one.group, lang), one))
    return table_lines(columns, rows, paint) if rows else []


def _row(title: str, name: str, one: Slice) -> TextRow:
    if one.target is None or one.drift is None:
        return TextRow((title, name, percent(one.weight), "–", "–"))
    return TextRow((title, name, percent(one.weight), percent(one.target), points(one.drift)))


def section_name(section: str, lang: Lang) -> str:
    """Return what a section is called: core, satellite or all in the reader's language, another one as it is named."""
    key = f"section.{section}"
    return say(key, lang) if known(key) else section
