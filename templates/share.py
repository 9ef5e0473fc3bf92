"""A copy to share: values only, the same looks, nothing that leads back to the person or the original.

It is built afresh from the rows that a report shows, so that nothing else of the original can travel with it: no
formulas, macros, links, names, comments, hidden sheets, author or paths. Weights-only leaves out every column that
reveals an amount, and rounds weights to a tenth of a point: with exact weights and public prices, whole numbers of
shares would give the total away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from engine.words import Lang
from templates.cells import CellError, Row, Rows, Value
from templates.report import BookReport
from templates.spec import NAMES, SHEETS, TABLES, sheet, table
from templates.spec.layout import Placement, arrange
from templates.spec.schema import Column, Sheet, Table
from templates.write import Book, fill, new_workbook
from templates.write.analysis import extra_columns
from templates.write.arithmetic import Number, number
from templates.write.canvas import Canvas
from templates.write.evaluate import Figures, evaluate

_TENTH = Decimal("0.001")


def share(report: BookReport, lang: Lang, *, weights_only: bool = False, only_dashboard: bool = False) -> Book:
    """Build the copy to share; `only_dashboard` hides all but the page of a printed report."""
    figures = evaluate(report, lang)
    if weights_only:
        figures = _rounded(figures)
        report = replace(report, history=figures.tables["History"])
    counts = {name: len(rows) for name, rows in figures.tables.items()}
    extra = extra_columns(figures.tables) | (_indices() if weights_only else {})

    def keep(found: Table, column: Column) -> bool:
        stands = counts.get(found.name) or found.always
        if not (
            stands and column.shared and not column.check and _shared(sheet(found.sheet), weights_only=weights_only)
        ):
            return False
        return not weights_only or not (found.amounts or column.private)

    placements = arrange(counts, lang, extra, keep, spare=False, optional=figures.optional_columns)
    sheets = [spec for spec in SHEETS if _shared(spec, weights_only=weights_only) and _filled(spec, placements)]
    workbook, worksheets = new_workbook(sheets, lang, None)
    canvas = Canvas(workbook, lang, placements, literal=True, rounded=weights_only)
    fill(canvas, worksheets, report, figures)
    if only_dashboard:
        for other in workbook.worksheets[1:]:
            # LibreOffice prints what has an area to print, hidden or not.
            other.sheet_state, other.print_area = "hidden", None
    return Book(workbook, {}, placements, figures)


def _shared(spec: Sheet, *, weights_only: bool) -> bool:
    return spec.shared == "weights" or (spec.shared == "values" and not weights_only)


def _filled(spec: Sheet, placements: Mapping[str, Placement]) -> bool:
    """Tell whether anything stands on a sheet: a page of its own, a table, or a named cell."""
    tables = any(place.table.sheet == spec.key for place in placements.values())
    return bool(spec.width) or tables or any(name.sheet == spec.key for name in NAMES)


def _rounded(figures: Figures) -> Figures:
    """Return the figures without amounts, weights rounded to a tenth of a point."""
    total = figures.total
    return Figures(
        {name: _open_rows(table(name), rows) for name, rows in figures.tables.items()},
        total if isinstance(total, CellError) else Decimal(1 if total > 0 else 0),
        _part(figures.holdings_value, total),
        _part(figures.cash_value, total),
        Decimal(0),
        figures.target_sum,
        figures.cash_target,
    )


def _part(value: Number, total: Number) -> Number:
    if isinstance(value, CellError) or isinstance(total, CellError):
        return total if isinstance(total, CellError) else value
    return (value / total).quantize(_TENTH) if total > 0 else Decimal(0)


def _open_rows(found: Table, rows: Rows) -> Rows:
    """Return what a weights-only copy may compute with of a table."""
    if found.amounts:
        return tuple(row for row in rows if row[found.columns[0].name] in found.open_keys)
    indexed = next((column.name for column in found.columns if column.indexed), "")
    first = next((value for row in rows if (value := number(row.get(indexed)))), None)
    return tuple({**_rounded_row(found, row), **_index(row, indexed, first)} for row in rows)


def _rounded_row(found: Table, row: Row) -> Row:
    """Round weights, and take amounts out of the row altogether, shown or not."""
    kept: dict[str, Value] = {}
    for name, value in row.items():
        column = found.index.get(name)
        if column is not None and column.private and not column.check:
            continue
        exact = number(value)
        rounds = column is not None and column.type in ("weight", "drift") and not column.exact
        kept[name] = exact.quantize(_TENTH) if rounds and exact is not None else value
    return kept


def _index(row: Row, indexed: str, first: Decimal | None) -> Row:
    """Return an amount as an index: 100 in the first row, rounded to a tenth."""
    value = number(row.get(indexed))
    if not indexed:
        return {}
    return {"Index": None if value is None or first is None else (100 * value / first).quantize(Decimal("0.1"))}


def _indices() -> dict[str, tuple[Column, ...]]:
    """Return the column of an index for each table that has one in place of its amounts."""
    with_index = (found for found in TABLES if any(column.indexed for column in found.columns))
    return {found.name: (Column("Index", "number", "result", 10, owner=found.name),) for found in with_index}
