"""The six figures of the Dashboard: value, cash, largest drift, whether to rebalance, next review, fee."""

from __future__ import annotations

from decimal import Decimal

from templates.arithmetic import number, share
from templates.report import CellError, Value
from templates.sheets.analysis import WEIGHTED_FEE, concentration
from templates.sheets.dashboard.pen import POINTS, Line, Pen
from templates.styles import money_format

_KPI_ROW = 6
_CARDS = ((2, 2), (3, 4), (5, 7), (9, 10), (11, 12), (13, 14))
_PLANNED = 'INDEX({Summary.Value},MATCH("%s",{Summary.Key},0))'


def cards(pen: Pen) -> None:
    """Write the figures, each in a card of its own."""
    amounts = not pen.canvas.rounded
    money = money_format(pen.base)
    total, cash = Line("TotalValue", pen.figures.total), Line("CashValue", pen.figures.cash_value)
    weight = Line("IF(TotalValue>0,CashValue/TotalValue,0)", share(pen.figures.cash_value, pen.figures.total))
    drift, whose = _largest(pen)
    figures: list[tuple[str, Line, str, Line | None, str]] = [
        ("kpi.total", total if amounts else Line("", "–"), money, Line("BaseCurrency", pen.base), "@"),
        (
            "kpi.cash",
            cash if amounts else weight,
            money if amounts else "0.0%",
            weight if amounts else None,
            "0.0%",
        ),
        ("kpi.drift", drift, POINTS, whose, "@"),
        ("kpi.needed", _needed(pen), "@", _counts(pen), "@"),
        ("kpi.next", _next(pen), "yyyy-mm-dd", None, "@"),
        ("kpi.ter", Line(WEIGHTED_FEE, concentration(pen.figures)["ter"]), "0.00%", None, "@"),
    ]
    for (first, last), (key, line, form, note, note_form) in zip(_CARDS, figures, strict=True):
        for row, look in ((0, "kpi-label"), (1, "kpi-value"), (2, "kpi-note")):
            for column in range(first, last + 1):
                pen.put(_KPI_ROW + row, column, None, look)
            if last > first:
                at = _KPI_ROW + row
                pen.sheet.merge_cells(start_row=at, end_row=at, start_column=first, end_column=last)
        pen.put(_KPI_ROW, first, pen.say(key), "kpi-label")
        pen.write(_KPI_ROW + 1, first, line, f"kpi-value|{form}")
        if note is not None:
            pen.write(_KPI_ROW + 2, first, note, f"kpi-note|{note_form}")
    pen.sheet.row_dimensions[_KPI_ROW + 1].height = 30


def _largest(pen: Pen) -> tuple[Line, Line]:
    rows = pen.figures.tables["Targets"]
    drifts = {row["Name"]: row["Drift"] for row in reversed(rows)}
    value: Value = ""
    name = ""
    total = pen.figures.total
    if isinstance(total, CellError):
        value = total
    elif total > 0:
        known = [number(d) or Decimal(0) for d in drifts.values()] or [Decimal(0)]
        value = max(known) if max(known) >= -min(known) else min(known)
        name = next((str(row["Name"]) for row in rows if row["Drift"] == value), "")
    column = "{Targets.Drift}"
    largest = f"IF(MAX({column})>=-MIN({column}),MAX({column}),MIN({column}))"
    named = f'IFERROR(IF(TotalValue>0,INDEX({{Targets.Name}},MATCH({largest},{column},0)),""),"")'
    return Line(f'IF(TotalValue>0,{largest},"")', value), Line(named, name)


def _needed(pen: Pen) -> Line:
    planned = _PLANNED % "needs_rebalancing"
    formula = f"IFERROR(IF({planned},{{!needed.yes}},{{!needed.no}}),{{!needed.unknown}})"
    known = pen.summary.get("needs_rebalancing")
    key = "needed.unknown" if known is None else "needed.yes" if known else "needed.no"
    return Line(formula, pen.say(key))


def _counts(pen: Pen) -> Line | None:
    if "Trades" not in pen.canvas.placements:
        return None
    sides = [row["Side"] for row in pen.figures.tables["Trades"]]
    buys, sells = sides.count("buy"), sides.count("sell")
    words_ = ("매수", "매도") if pen.lang == "ko" else ("buy", "sell")
    formula = f'"{words_[0]} "&COUNTIF({{Trades.Side}},"buy")&" · {words_[1]} "&COUNTIF({{Trades.Side}},"sell")'
    return Line(formula, f"{words_[0]} {buys} · {words_[1]} {sells}")


def _next(pen: Pen) -> Line:
    planned = _PLANNED % "next_due"
    formula = f'IFERROR(IF({planned}="",{{!next.none}},{planned}),{{!next.none}})'
    return Line(formula, pen.summary.get("next_due") or pen.say("next.none"))
