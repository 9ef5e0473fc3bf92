"""The lists of the Dashboard: allocation, sections, trades."""

from __future__ import annotations

from decimal import Decimal

from templates import charts
from templates.arithmetic import number, share
from templates.report import CellError, Row, Value
from templates.sheets.dashboard.pen import POINTS, Line, Pen
from templates.sheets.tables import sides, words
from templates.styles import money_format

#: As many targets as a donut can show and a person can tell apart; the rest is one slice.
MOST_SLICES = 12
MOST_TRADES = 10
_CAPTIONS = ("", "column.target", "column.now", "column.drift", "column.status")
_ALLOCATION = (
    ("Name", "cell-text"), ("Ticker", "cell-centre"), ("Target", "cell-number|0.0%"), ("Weight", "cell-number|0.0%"),
    ("Drift", f"cell-number|{POINTS}"), ("Status", "cell-centre"),
)  # fmt: skip
_SECTION = (
    ("Section", "cell-text"), ("", "cell-centre"), ("Target", "cell-number|0.0%"), ("Weight", "cell-number|0.0%"),
    ("Drift", f"cell-number|{POINTS}"), ("Status", "cell-centre"),
)  # fmt: skip
_TRADE = (
    ("Name", "cell-text"), ("Ticker", "cell-centre"), ("Side", "cell-centre"), ("Quantity", "cell-number|#,##0.####"),
    ("WeightAfter", "cell-number|0.0%"), ("Amount", "cell-number"),
)  # fmt: skip
_TRADE_WEIGHTS = (
    ("Name", "cell-text"), ("Ticker", "cell-centre"), ("Side", "cell-centre"), ("WeightAfter", "cell-number|0.0%"),
    ("", "cell-text"), ("", "cell-text"),
)  # fmt: skip


def allocation(pen: Pen, row: int) -> int:
    """Write every target, what is left and cash; returns the last row."""
    _heads(pen, row, "allocation")
    first = row + 2
    rows = pen.figures.tables["Targets"][:MOST_SLICES]
    for k, target in enumerate(rows, 1):
        at = first + k - 1
        for column, (name, look) in enumerate(_ALLOCATION, 2):
            formula = f'IF(INDEX({{Targets.Ticker}},{k})="","",INDEX({{Targets.{name}}},{k}))'
            pen.write(at, column, Line(formula, target[name]), look)
    other, cash = first + len(rows), first + len(rows) + 1
    _remainder(pen, other, first, rows)
    pen.put(cash, 2, pen.say("cash"), "cell-text")
    pen.put(cash, 3, None, "cell-centre")
    pen.write(cash, 4, Line("CashTarget", pen.figures.cash_target), "cell-number|0.0%")
    now = share(pen.figures.cash_value, pen.figures.total)
    pen.write(cash, 5, Line("IF(TotalValue>0,CashValue/TotalValue,0)", now), "cell-number|0.0%")
    drift = now if isinstance(now, CellError) else now - pen.figures.cash_target
    pen.write(cash, 6, Line(f"E{cash}-D{cash}", drift), f"cell-number|{POINTS}")
    pen.put(cash, 7, None, "cell-centre")
    words(pen.sheet.conditional_formatting, f"G{first}:G{cash}", f"G{first}")
    for place, at in enumerate(range(first, cash + 1)):
        pen.put(at, 1, "■", f"mark.{charts.PALETTE[place % len(charts.PALETTE)]}")
    return cash


def _remainder(pen: Pen, at: int, first: int, rows: tuple[Row, ...]) -> None:
    """Write what the rows above do not show: further targets, and holdings without one."""
    target = pen.figures.target_sum - sum((number(r["Target"]) or Decimal(0) for r in rows), Decimal(0))
    held = share(pen.figures.holdings_value, pen.figures.total)
    now: Value = held
    if isinstance(held, Decimal):
        now = held - sum((number(r["Weight"]) or Decimal(0) for r in rows), Decimal(0))
    pen.put(at, 2, pen.say("other"), "cell-text")
    pen.put(at, 3, None, "cell-centre")
    shown = f"SUM(D{first}:D{at - 1})" if rows else "0"
    pen.write(at, 4, Line(f"MAX(0,ROUND(TargetSum-{shown},12))", max(target, Decimal(0))), "cell-number|0.0%")
    shown = f"SUM(E{first}:E{at - 1})" if rows else "0"
    formula = f"MAX(0,ROUND(IF(TotalValue>0,HoldingsValue/TotalValue,0)-{shown},12))"
    now = now if isinstance(now, CellError) else max(round(number(now) or Decimal(0), 12), Decimal(0))
    pen.write(at, 5, Line(formula, now), "cell-number|0.0%")
    drift = now if isinstance(now, CellError) else (number(now) or Decimal(0)) - max(target, Decimal(0))
    pen.write(at, 6, Line(f"E{at}-D{at}", drift), f"cell-number|{POINTS}")
    pen.put(at, 7, None, "cell-centre")


def sections(pen: Pen, row: int) -> int:
    """Write how each section stands; returns the last row."""
    _heads(pen, row, "sections", "column.section")
    rows = [r for r in pen.figures.tables["Rules"] if r["Section"] != "all" or r["Target"]]
    places = [i for i, r in enumerate(pen.figures.tables["Rules"], 1) if r in rows]
    at = row + 1
    for k, rule in zip(places, rows, strict=True):
        at += 1
        for column, (name, look) in enumerate(_SECTION, 2):
            if name:
                pen.write(at, column, Line(f"INDEX({{Rules.{name}}},{k})", rule[name]), look)
            else:
                pen.put(at, column, None, look)
    if rows:
        words(pen.sheet.conditional_formatting, f"G{row + 2}:G{at}", f"G{row + 2}")
    return at


def trades(pen: Pen, row: int) -> int:
    """Write the first trades; returns the last row."""
    placement = pen.canvas.placements["Trades"]
    amounts = "Amount" in {column.name for column in placement.columns}
    columns = _TRADE if amounts else _TRADE_WEIGHTS
    pen.put(row, 2, pen.say("trades-top"), "block")
    for column, (name, _) in enumerate(columns, 2):
        caption = placement.table.index[name].caption.of(pen.lang) if name else ""
        pen.put(row + 1, column, caption, "caption")
    rows = pen.figures.tables["Trades"][:MOST_TRADES]
    for k in range(1, _slots(pen, rows) + 1):
        trade: Row = rows[k - 1] if k <= len(rows) else {}
        for column, (name, look) in enumerate(columns, 2):
            if not name:
                pen.put(row + 1 + k, column, None, look)
                continue
            look = f"cell-number|{money_format(str(trade.get('Currency') or pen.base))}" if name == "Amount" else look
            formula = f'IF(INDEX({{Trades.Ticker}},{k})="","",INDEX({{Trades.{name}}},{k}))'
            pen.write(row + 1 + k, column, Line(formula, trade.get(name, "")), look)
    last = row + 1 + _slots(pen, rows)
    sides(pen.sheet, f"D{row + 2}:D{last}")
    return last


def _slots(pen: Pen, rows: tuple[Row, ...]) -> int:
    """Return how many trades are shown: all in a copy; in a living workbook there is room for the next plan's."""
    return max(len(rows), 1) if pen.canvas.literal else MOST_TRADES


def _heads(pen: Pen, row: int, title: str, of: str = "column.instrument") -> None:
    pen.put(row, 2, pen.say(title), "block")
    for column, key in enumerate((of, *_CAPTIONS), 2):
        pen.put(row + 1, column, pen.say(key) if key else "", "caption")
