"""Cost and concentration, computed by the workbook itself, at the left of the Analysis sheet."""

from __future__ import annotations

from decimal import Decimal

from openpyxl.worksheet.worksheet import Worksheet

from templates.canvas import Canvas
from templates.evaluate import Figures, Number, add, product, share
from templates.labels import label
from templates.layout import BLOCK_ROW, CAPTION_ROW, FIRST_ROW, HEADER_ROW
from templates.report import CellError, Value
from templates.sheets.frame import widths

COLUMNS = 2
_BY_TICKER = "SUMIF({Holdings.Ticker},{Holdings.Ticker},{Holdings.Weight})"
_COVERED = 'SUMPRODUCT(--({Targets.TER}<>""),{Targets.Weight})'
#: The weighted fee of the targets held whose fee is known; empty where none is.
WEIGHTED_FEE = f'IF({_COVERED}>0,SUMPRODUCT({{Targets.TER}},{{Targets.Weight}})/{_COVERED},"")'
_IN_SECTION = 'SUMPRODUCT(--({Targets.Section}="core"),{Targets.Weight})'
_FORMULAS = (
    ("ter", WEIGHTED_FEE, "0.00%"),
    ("covered", _COVERED, "0.0%"),
    ("top1", f"SUMPRODUCT(MAX({_BY_TICKER}))", "0.0%"),
    ("hhi", f"SUMPRODUCT({{Holdings.Weight}},{_BY_TICKER})", "0.000"),
    ("core", _IN_SECTION, "0.0%"),
    ("cash", "IF(TotalValue>0,CashValue/TotalValue,0)", "0.0%"),
)


def concentration(figures: Figures) -> dict[str, Value]:
    """Return what the formulas come to, by key."""
    weights: dict[str, Number] = {}
    for row in figures.tables["Holdings"]:
        symbol = str(row["Ticker"])
        weights[symbol] = add((weights.get(symbol, Decimal(0)), row["Weight"]))
    targets = figures.tables["Targets"]
    feed = [row for row in targets if row["TER"] is not None]
    # An error in any row reaches every sum over the column.
    covered = add([*(r["Weight"] for r in feed), *(r["Weight"] for r in targets if isinstance(r["Weight"], CellError))])
    fee: Value = covered if isinstance(covered, CellError) else ""
    if isinstance(covered, Decimal) and covered > 0:
        fees = add(product(r["TER"], r["Weight"]) for r in feed)
        fee = fees if isinstance(fees, CellError) else fees / covered
    held = next((w for w in weights.values() if isinstance(w, CellError)), None)
    known = [w for w in weights.values() if isinstance(w, Decimal)]
    core = next((w for w in (r["Weight"] for r in targets) if isinstance(w, CellError)), None)
    return {
        "ter": fee,
        "covered": covered,
        "top1": held or max(known, default=Decimal(0)),
        "hhi": held or sum((w * w for w in known), Decimal(0)),
        "core": core or add(r["Weight"] for r in targets if r["Section"] == "core"),
        "cash": share(figures.cash_value, figures.total),
    }


def write_concentration(canvas: Canvas, sheet: Worksheet, figures: Figures) -> None:
    """Write the figures at the left of the sheet."""
    look, lang = canvas.styles.look, canvas.lang
    values = concentration(figures)
    canvas.put(sheet, BLOCK_ROW, 2, label("concentration", lang), look("block"))
    for column, key, header in ((2, "column.figure", "Figure"), (3, "column.value", "Value")):
        canvas.put(sheet, CAPTION_ROW, column, label(key, lang), look("caption"))
        canvas.put(sheet, HEADER_ROW, column, header, look("header"))
    for row, (key, formula, form) in enumerate(_FORMULAS, FIRST_ROW):
        canvas.put(sheet, row, 2, label(f"concentration.{key}", lang), look("cell-text"))
        canvas.compute(sheet, row, 3, formula, values[key], look(f"cell-number|{form}"))
    widths(sheet, {2: 36, 3: 14, 4: 3})
