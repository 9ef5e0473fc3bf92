"""The spec's formulas in Excel's words: `{Column}` of this row, `{Table.Column}` a whole column, `{!label}` a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from templates.labels import label
from templates.layout import Placement
from templates.schema import Lang

_PLACE = re.compile(r"\{(!?)([A-Za-z0-9_.-]+)\}")


def quoted(text: str) -> str:
    """Return text as a formula holds it, its own quotation marks doubled."""
    return '"' + text.replace('"', '""') + '"'


def column_ref(placement: Placement, name: str) -> str:
    """Return a whole column in a formula: of an Excel table, or the name of the range."""
    if placement.table.ranges:
        return f"{placement.table.name}_{name}"
    return f"{placement.table.name}[{name}]"


def render(template: str, placements: Mapping[str, Placement], lang: Lang, own: Placement | None = None) -> str:
    """Return a formula; this row's cells are structured references, or `{row}` addresses in a range."""

    def replace(match: re.Match[str]) -> str:
        is_label, name = match.group(1), match.group(2)
        if is_label:
            return quoted(label(name, lang))
        table, _, column = name.rpartition(".")
        if table:
            return column_ref(placements[table], column)
        if own is None:
            raise KeyError(name)
        if own.table.ranges:
            return f"${own.letter(column)}{{row}}"
        own.column(column)
        return f"{own.table.name}[[#This Row],[{column}]]"

    return _PLACE.sub(replace, template)


def by_row(template: str, placements: Mapping[str, Placement], lang: Lang, own: Placement) -> Callable[[int], str]:
    """Return a function that gives the formula of each row."""
    text = render(template, placements, lang, own)
    if not own.table.ranges:
        return lambda _row: text
    parts = text.split("{row}")
    return lambda row: str(row).join(parts)
