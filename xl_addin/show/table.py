"""Columns of text that line up on a terminal, Korean or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from xl_addin.show.colour import Paint
from xl_addin.show.width import Align, clean, clip, display_width, pad

GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """Head a column; text wider than `limit` columns is cut."""

    title: str
    align: Align = ">"
    limit: int = 40


@dataclass(frozen=True, slots=True)
class Row:
    """Hold a row of texts, the style of all of them, and a remark to print below, indented."""

    cells: tuple[str, ...]
    style: str = ""
    remark: str = ""


def table_lines(columns: Sequence[Column], rows: Iterable[Row], paint: Paint) -> list[str]:
    """Return the table line by line: title, rule, rows; each as wide as its widest cell needs."""
    rows = [Row(_clipped(row.cells, columns), row.style, row.remark) for row in rows]
    titles = tuple(column.title for column in columns)
    widths = [
        max(display_width(text) for text in texts) for texts in zip(titles, *(row.cells for row in rows), strict=True)
    ]
    lines = [paint(_line(titles, columns, widths), "bold"), paint(GAP.join("-" * width for width in widths), "dim")]
    for row in rows:
        lines.append(paint(_line(row.cells, columns, widths), row.style))
        if row.remark:
            lines.append(paint("    " + clean(row.remark), "dim"))
    return lines


def _clipped(cells: tuple[str, ...], columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(clip(clean(text), column.limit) for text, column in zip(cells, columns, strict=True))


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    padded = (pad(text, width, column.align) for text, column, width in zip(cells, columns, widths, strict=True))
    return GAP.join(padded).rstrip()
