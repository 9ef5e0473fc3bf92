"""The Analysis sheet: cost and concentration, computed by the workbook itself, and what makes the analyses visible."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from openpyxl.formatting.rule import ColorScaleRule, DataBarRule, Rule
from openpyxl.worksheet.worksheet import Worksheet

from engine.words import say
from templates.cells import CellError, Rows, Value, letters, quoted_sheet
from templates.spec.layout import BLOCK_ROW, CAPTION_ROW, FIRST_ROW, HEADER_ROW, Placement
from templates.spec.schema import Column
from templates.write import charts
from templates.write.arithmetic import Number, add, number, product, share
from templates.write.canvas import RED, Canvas
from templates.write.evaluate import Figures
from templates.write.tables import coloured, widths

_BY_TICKER = "SUMIF({Holdings.Ticker},{Holdings.Ticker},{Holdings.Weight})"
_COVERED = 'SUMPRODUCT(--({Targets.TER}<>""),{+Targets.Weight})'
#: The weighted fee of the targets held whose fee is known; empty where none is.
WEIGHTED_FEE = f'IF({_COVERED}>0,SUMPRODUCT({{Targets.TER}},{{+Targets.Weight}})/{_COVERED},"")'
_IN_SECTION = 'SUMPRODUCT(--({Targets.SectionCode}="core"),{+Targets.Weight})'
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
        "core": core or add(r["Weight"] for r in targets if r["Section"] == "core" and r.get("Leaf", 1)),
        "cash": share(figures.cash_value, figures.total),
    }


def write_concentration(canvas: Canvas, sheet: Worksheet, figures: Figures) -> None:
    """Write the figures at the left of the sheet."""
    look, lang = canvas.styles.look, canvas.lang
    values = concentration(figures)
    if canvas.rounded and isinstance(values["hhi"], Decimal):
        values["hhi"] = round(values["hhi"], 3)  # as the weights that it is of
    canvas.put(sheet, BLOCK_ROW, 2, say("label.concentration", lang), look("block"))
    for column, key, header in ((2, "column.figure", "Figure"), (3, "column.value", "Value")):
        canvas.put(sheet, CAPTION_ROW, column, say(f"label.{key}", lang), look("caption"))
        canvas.put(sheet, HEADER_ROW, column, header, look("header"))
    for row, (key, formula, form) in enumerate(_FORMULAS, FIRST_ROW):
        canvas.put(sheet, row, 2, say(f"label.concentration.{key}", lang), look("cell-text"))
        canvas.compute(sheet, row, 3, formula, values[key], look(f"cell-number|{form}"))
    widths(sheet, {2: 36, 3: 14, 4: 3})


_PERIODS = ("1Y", "6M", "3M", "1M")
_SHADES = {"Fee": "C9D7EE", "Concentration": "C9D7EE", "Volatility": "F3C9A5", "Yield": "CFE5C5"}
_CHART_TOP, _LINE, _CHART_WIDTH, _ROOM = 2, 0.53, 26.0, 0.12
#: The colours of −1, 0 and 1.
HEAT = ("6F9BD8", "FFFFFF", "E8746A")


def extra_columns(tables: Mapping[str, Rows]) -> dict[str, tuple[Column, ...]]:
    """Return the columns beyond the declared ones: one per symbol of the matrix."""
    matrix = tables["Correlation"]
    names = [name for name in (matrix[0] if matrix else {}) if name != "Ticker"]
    return {"Correlation": tuple(Column(name, "correlation", "result", 9) for name in names)}


def illustrate(canvas: Canvas, sheet: Worksheet, figures: Figures) -> None:
    """Colour the matrix as a heat map, draw the funds' bars, and mark verdicts and what is below 0."""
    for name, draw in (("Correlation", heat), ("Comparison", shade), ("Review", judge)):
        place = canvas.placements.get(name)
        if place is not None and (figures.tables[name] or canvas.live):
            draw(sheet, place)
    place, rows = canvas.placements.get("Comparison"), figures.tables["Comparison"]
    if place is not None and chart_rows(rows) and not canvas.live:
        _bars(canvas, sheet, place, rows)


def heat(sheet: Worksheet, place: Placement) -> None:
    """Colour a matrix of correlations from −1 over 0 to 1; the numbers stay in view."""
    if place.right == place.left:
        return
    first, last = letters(place.left + 1), letters(place.right)
    low, middle, high = HEAT
    scale = ColorScaleRule("num", -1, low, "num", 0, middle, "num", 1, high)  # type: ignore[no-untyped-call]
    sheet.conditional_formatting.add(f"{first}{place.first_row}:{last}{place.last_row}", scale)


def shade(sheet: Worksheet, place: Placement) -> None:
    """Draw bars from 0 in the columns that are never below it; red where a return is."""
    for column in place.columns:
        cells = _cells(place, column.name)
        if column.name in _SHADES:
            bar = DataBarRule("num", 0, "max", None, _SHADES[column.name], showValue=True)  # type: ignore[no-untyped-call]
            sheet.conditional_formatting.add(cells, bar)
        elif column.type == "drift":
            sheet.conditional_formatting.add(cells, _below_zero(cells))
    _fit(sheet, place, "Source", 36, 60)
    _fit(sheet, place, "Top10", 12, 120)


def judge(sheet: Worksheet, place: Placement) -> None:
    """Colour what is behind its benchmark."""
    excess = _cells(place, "Excess")
    sheet.conditional_formatting.add(excess, _below_zero(excess))
    _fit(sheet, place, "Reasons", 46, 90)


def _fit(sheet: Worksheet, place: Placement, name: str, least: float, most: float) -> None:
    """Make a column of texts as wide as the longest of them."""
    letter = place.letter(name)
    texts = (str(sheet[f"{letter}{row}"].value or "") for row in range(place.first_row, place.last_row + 1))
    sheet.column_dimensions[letter].width = min(max(least, *(_wide(text) for text in texts)), most)


def _cells(place: Placement, name: str) -> str:
    letter = place.letter(name)
    return f"{letter}{place.first_row}:{letter}{place.last_row}"


def _below_zero(cells: str) -> Rule:
    first = cells.partition(":")[0]
    return coloured(f"AND(ISNUMBER({first}),{first}<0)", RED)


def _wide(text: str) -> float:
    """Return about how many columns of a sheet a text takes: Hangul is wider than Latin."""
    return sum(1.7 if letter > "\u1100" else 1 for letter in text) + 2


def _charted(rows: Rows) -> tuple[str, int]:
    """Return the longest period, a year at most, for which every fund with returns has one, and how many those are."""
    count = sum(any(number(row.get(period)) is not None for period in _PERIODS) for row in rows)
    known = (p for p in _PERIODS if all(number(row.get(p)) is not None for row in rows[:count]))
    return (next(known, ""), count) if count else ("", 0)


def chart_rows(rows: Rows) -> int:
    """Return how many rows of the sheet the chart under the comparison takes; 0 where there is none."""
    period, count = _charted(rows)
    return count + 6 + _CHART_TOP if period else 0


def _bars(canvas: Canvas, sheet: Worksheet, place: Placement, rows: Rows) -> None:
    """Draw the funds' returns under their table, with the numbers at the bars."""
    period, count = _charted(rows)
    last = place.first_row + count - 1
    title = quoted_sheet(place.title)
    names, numbers = place.letter("Name"), place.letter(period)
    source = charts.Source(
        f"{title}!${names}${place.first_row}:${names}${last}",
        [str(row.get("Name") or row["Ticker"]) for row in rows[:count]],
        f"{title}!${numbers}${place.first_row}:${numbers}${last}",
        [float(number(row[period]) or 0) for row in rows[:count]],
        "0.0%",
    )
    chart = charts.bars(f"{period} {say('label.returns', canvas.lang)}", source)
    low, high = min(0.0, *source.numbers), max(0.0, *source.numbers)
    # Room for the numbers at the ends of the bars.
    room = (high - low) * _ROOM or 1.0
    chart.y_axis.scaling.min, chart.y_axis.scaling.max = (low - room if low else 0.0), high + room
    chart.width, chart.height = _CHART_WIDTH, (count + 6) * _LINE  # type: ignore[assignment]  # centimetres
    sheet.add_chart(chart, f"{letters(place.left)}{place.last_row + _CHART_TOP}")
