"""A copy to share: values only, the same looks, nothing that leads back to the person or the original.

It is built afresh from the rows that a report shows, so that nothing else of the original can travel with it: no
formulas, macros, links, names, comments, hidden sheets, author or paths. Weights-only leaves out every column that
reveals an amount, and rounds weights to a tenth of a point: with exact weights and public prices, whole numbers of
shares would give the total away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from openpyxl.workbook import Workbook
from openpyxl.workbook.properties import CalcProperties

from engine.words import Lang
from templates.report import BookReport, CellError, Row, Rows, Value
from templates.spec import sheet, table
from templates.spec.layout import arrange
from templates.spec.schema import Column, Table, Text
from templates.write import Book, fill, shift
from templates.write.analysis import extra_columns
from templates.write.canvas import Canvas
from templates.write.evaluate import Figures, Number, evaluate, number

_SHEETS = ("Dashboard", "Holdings", "Targets", "Trades", "Analysis", "Calendar", "History", "Prices", "Checks")
_WEIGHTS_SHEETS = ("Dashboard", "Holdings", "Targets", "Trades", "Analysis", "Calendar", "History")
_WEIGHTS_NEVER = frozenset({"Cash", "Reconcile", "Conversions", "Summary"})
_UNUSED = frozenset({"ManualPrice", "Locked", "Class", "Market", "Note"})
_TENTH = Decimal("0.001")
_STAMP = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - a constant, in no zone


def share(report: BookReport, lang: Lang, *, weights_only: bool = False, only_dashboard: bool = False) -> Book:
    """Build the copy to share; `only_dashboard` hides all but the page of a printed report."""
    figures = evaluate(report, lang)
    if weights_only:
        figures = _rounded(figures)
        report = replace(report, history=figures.tables["History"])
    keys = _WEIGHTS_SHEETS if weights_only else _SHEETS
    counts = {name: len(rows) for name, rows in figures.tables.items()}
    extra = extra_columns(figures.tables)
    if weights_only:
        extra["History"] = (INDEX,)

    def keep(found: Table, column: Column) -> bool:
        unused = column.name in _UNUSED or (column.name == "Check" and column.type == "text")
        if found.sheet not in keys or unused or not (counts.get(found.name) or found.name in _ALWAYS):
            return False
        return not weights_only or (found.name not in _WEIGHTS_NEVER and not column.private)

    placements = arrange(counts, lang, extra, keep, spare=False)
    shift(placements)
    workbook = Workbook()
    workbook.properties.creator = None
    workbook.properties.created = workbook.properties.modified = _STAMP
    workbook.calculation = CalcProperties(calcId=191029, fullCalcOnLoad=False)
    first = workbook.worksheets[0]
    worksheets = {"Dashboard": first}
    first.title = sheet("Dashboard").title.of(lang)
    for key in keys[1:]:
        if key == "Checks" or any(place.table.sheet == key for place in placements.values()):
            worksheets[key] = workbook.create_sheet(sheet(key).title.of(lang))
    canvas = Canvas(workbook, lang, placements, literal=True, rounded=weights_only)
    fill(canvas, worksheets, report, figures)
    if only_dashboard:
        for other in workbook.worksheets[1:]:
            other.sheet_state = "hidden"
    return Book(workbook, {}, placements, figures)


#: Shown even when empty, because a reader expects them.
_ALWAYS = frozenset({"Holdings", "Targets", "Trades"})


def _rounded(figures: Figures) -> Figures:
    """Return the figures without amounts, weights rounded to a tenth of a point."""
    tables = {name: tuple(_round_row(table(name), row) for row in rows) for name, rows in figures.tables.items()}
    tables["History"] = _indexed(figures.tables["History"])
    tables["Summary"] = tuple(row for row in tables["Summary"] if row["Key"] in _SAFE_FIGURES)
    tables["Problems"] = ()
    tables["Reconcile"] = tables["Conversions"] = ()
    total = figures.total
    unit: Number = total if isinstance(total, CellError) else Decimal(1 if total > 0 else 0)
    return Figures(
        tables,
        unit,
        _part(figures.holdings_value, total),
        _part(figures.cash_value, total),
        Decimal(0),
        figures.target_sum,
        figures.cash_target,
    )


#: The value as an index, in place of the amounts.
INDEX = Column("Index", Text("Index", "지수"), "number", "result", 10)
_SAFE_FIGURES = frozenset({"as_of", "drift", "needs_rebalancing", "next_due", "weighted_ter", "method"})


def _part(value: Number, total: Number) -> Number:
    if isinstance(value, CellError) or isinstance(total, CellError):
        return total if isinstance(total, CellError) else value
    return (value / total).quantize(_TENTH) if total > 0 else Decimal(0)


def _round_row(found: Table, row: Row) -> Row:
    """Round weights, and take amounts out of the row altogether, shown or not."""
    kept: dict[str, Value] = {}
    for name, value in row.items():
        column = found.index.get(name)
        if column is not None and column.private and name != "Check":
            continue
        exact = number(value)
        rounds = column is not None and column.type in ("weight", "drift") and column.name not in ("Target", "Band")
        kept[name] = exact.quantize(_TENTH) if rounds and exact is not None else value
    return kept


def _indexed(history: Rows) -> Rows:
    """Return the history with values as an index: 100 on the first day, rounded to a tenth."""
    first = next((number(row.get("Value")) for row in history if number(row.get("Value"))), None)
    rows = []
    for row in history:
        value = number(row.get("Value"))
        index: Value = None if value is None or not first else (100 * value / first).quantize(Decimal("0.1"))
        weights: Mapping[str, Value] = {
            name: exact.quantize(_TENTH)
            for name in ("CashWeight", "CoreWeight", "SatelliteWeight", "Drift")
            if (exact := number(row.get(name))) is not None
        }
        rows.append({"Date": row["Date"], "Index": index, **weights})
    return tuple(rows)
