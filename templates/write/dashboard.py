"""The Dashboard: six figures, a banner that says what is wrong, allocation, sections, trades, and the charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from openpyxl.chart._chart import ChartBase
from openpyxl.worksheet.worksheet import Worksheet

from engine.quote import SAMPLE_SOURCE
from engine.words import say
from templates.cells import CellError, Row, Value, quoted_sheet
from templates.report import BookReport
from templates.spec.layout import FIRST_ROW
from templates.write import charts, checks
from templates.write.analysis import WEIGHTED_FEE, concentration
from templates.write.canvas import PALE_RED, RED, Canvas, money_format
from templates.write.evaluate import Figures, number, share
from templates.write.tables import coloured, page, sides, widths, words

#: How a difference of weights is shown.
POINTS = "+0.0%;-0.0%;0.0%"


@dataclass(frozen=True, slots=True)
class Line:
    """One cell to be written: a formula (without its =), and what it comes to."""

    formula: str
    value: Value


class Pen:
    """What the parts of the sheet are written with and from."""

    def __init__(self, canvas: Canvas, sheet: Worksheet, report: BookReport, figures: Figures) -> None:
        self.canvas, self.sheet, self.report, self.figures = canvas, sheet, report, figures
        self.lang = canvas.lang
        self.look: Callable[[str], object] = canvas.styles.look
        self.base = report.portfolio.base_currency
        self.summary = {row["Key"]: row["Value"] for row in figures.tables["Summary"]}

    def say(self, key: str) -> str:
        """Return a text in the language of the workbook."""
        return say(f"label.{key}", self.lang)

    def write(self, row: int, column: int, line: Line, look: str) -> None:
        """Write a formula with what it comes to."""
        self.canvas.compute(self.sheet, row, column, line.formula, line.value, self.look(look))

    def put(self, row: int, column: int, value: Value, look: str) -> None:
        """Write a value."""
        self.canvas.put(self.sheet, row, column, value, self.look(look))


_TABLES_ROW = 10


def write_dashboard(canvas: Canvas, sheet: Worksheet, report: BookReport, figures: Figures) -> None:
    """Write the whole sheet, on one page of A4."""
    pen = Pen(canvas, sheet, report, figures)
    widths(sheet, {2: 30, 3: 11, 4: 10, 5: 11, 6: 13, 7: 15, 8: 2, **dict.fromkeys(range(9, 15), 12.5)})
    banner(pen)
    cards(pen)
    last = allocation(pen, _TABLES_ROW)
    donuts(pen, _TABLES_ROW, last)
    end = sections(pen, last + 2)
    if "Trades" in canvas.placements:
        end = trades(pen, end + 2)
    history(pen, max(end + 2, _TABLES_ROW + 32))
    page(sheet, one_page=True)


_BANNER_ROW, _ALERT_ROW = 3, 4
#: The lines of text that say of which day and prices the sheet is: no formula keeps them up to date.
SAID = ("B2", f"B{_ALERT_ROW}")


def banner(pen: Pen) -> None:
    """Write the lines above the figures."""
    failed = next((c for c in checks.checks(pen.figures, pen.lang) if c.outcome == "PROBLEM"), None)
    value = pen.say("banner.ok")
    if failed is not None:
        value = f"{pen.say('banner.fail')}{pen.say(f'checks.{failed.key}')} – {failed.text}"
    found = 'MATCH("PROBLEM",Checks_Result,0)'
    text = f'{{!banner.fail}}&INDEX(Checks_Check,{found})&" – "&INDEX(Checks_Detail,{found})'
    pen.write(_BANNER_ROW, 2, Line(f"IF(ChecksFailed=0,{{!banner.ok}},{text})", value), "banner")
    pen.sheet.row_dimensions[_BANNER_ROW].height = 22
    rule = coloured(f'LEFT($B${_BANNER_ROW},1)="✖"', RED, PALE_RED)
    pen.sheet.conditional_formatting.add(f"B{_BANNER_ROW}:N{_BANNER_ROW}", rule)
    pen.put(2, 2, _provenance(pen), "band")
    alerts = list(_alerts(pen))
    if alerts:
        for column in range(2, 15):
            pen.put(_ALERT_ROW, column, None, "alert")
        pen.put(_ALERT_ROW, 2, "   ".join(alerts), "alert")


def _provenance(pen: Pen) -> str:
    parts = []
    if pen.report.as_of:
        parts.append(f"{pen.say('as-of')} {pen.report.as_of}")
    sources: dict[str, list[str]] = {}
    for row in pen.figures.tables["Prices"]:
        if row.get("Source"):
            dates = sources.setdefault(str(row["Source"]), [])
            moment = row.get("AsOf")
            if isinstance(moment, dt.date):
                dates.append(f"{moment:%Y-%m-%d}")
    if sources:
        told = (f"{name} {min(dates)}" if dates else name for name, dates in sources.items())
        parts.append(f"{pen.say('prices-of')} {', '.join(told)}")
    if pen.canvas.literal:
        parts.append(pen.say("weights-only-note" if pen.canvas.rounded else "share-note"))
    return "  ·  ".join(parts)


def _alerts(pen: Pen) -> Iterator[str]:
    prices = pen.figures.tables["Prices"]
    if any(row.get("Source") == SAMPLE_SOURCE for row in prices):
        yield pen.say("sample-prices")
    stale = [str(row["Ticker"]) for row in prices if row.get("Status") == "stale"]
    if stale:
        yield f"{pen.say('stale-prices')}: {', '.join(stale[:8])}{' …' if len(stale) > 8 else ''}"
    rates = [row for row in pen.figures.tables["FxRates"] if row.get("Status") == "stale"]
    if rates:
        listed = (f"{row['Currency']} {_day(row.get('AsOf'))}" for row in rates)
        yield f"{pen.say('stale-rates')}: {', '.join(listed)}"


def _day(moment: Value) -> str:
    return f"{moment:%Y-%m-%d}" if isinstance(moment, dt.date) else "?"


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
    buy, sell = pen.say("side.buy"), pen.say("side.sell")
    formula = f'"{buy} "&COUNTIF({{Trades.Side}},"buy")&" · {sell} "&COUNTIF({{Trades.Side}},"sell")'
    return Line(formula, f"{buy} {buys} · {sell} {sells}")


def _next(pen: Pen) -> Line:
    planned = _PLANNED % "next_due"
    formula = f'IFERROR(IF({planned}="",{{!next.none}},{planned}),{{!next.none}})'
    return Line(formula, pen.summary.get("next_due") or pen.say("next.none"))


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
        caption = placement.table.index[name].caption(pen.lang) if name else ""
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


def donuts(pen: Pen, row: int, last: int) -> None:
    """Draw the weights, the targets and the drift of the allocation that ends in row `last`."""
    first = row + 2
    for key, column, anchor in (("chart.now", "E", "I"), ("chart.target", "D", "L")):
        chart = charts.donut(pen.say(key), _source(pen, column, first, last, "0.0%"))
        _place(pen, chart, 8.9, 7.6, f"{anchor}{row}")
    _place(pen, charts.bars(pen.say("chart.drift"), _source(pen, "F", first, last, POINTS)), 17.8, 8.4, f"I{row + 16}")


def history(pen: Pen, row: int) -> None:
    """Draw the value over time, where there is more than one day of it."""
    rows = pen.figures.tables["History"]
    placement = pen.canvas.placements.get("History")
    if placement is None or len(rows) < 2:
        return
    name = "Index" if pen.canvas.rounded else "Value"
    end = FIRST_ROW + len(rows) - 1
    title = quoted_sheet(placement.title)
    source = charts.Source(
        f"{title}!${placement.letter('Date')}${FIRST_ROW}:${placement.letter('Date')}${end}",
        [_iso(r["Date"]) for r in rows],
        f"{title}!${placement.letter(name)}${FIRST_ROW}:${placement.letter(name)}${end}",
        [float(number(r.get(name)) or 0) for r in rows],
        "#,##0",
    )
    _place(pen, charts.area(pen.say("chart.history"), source), 35.5, 6.2, f"B{row}")


def _source(pen: Pen, column: str, first: int, last: int, form: str) -> charts.Source:
    title = quoted_sheet(pen.sheet.title)
    names = [_shown(pen, f"B{row}") for row in range(first, last + 1)]
    numbers = [_shown(pen, f"{column}{row}") for row in range(first, last + 1)]
    return charts.Source(
        f"{title}!$B${first}:$B${last}",
        [str(name) for name in names],
        f"{title}!${column}${first}:${column}${last}",
        [float(n) if isinstance(n, int | float) else 0.0 for n in numbers],
        form,
    )


def _shown(pen: Pen, address: str) -> object:
    cached = pen.canvas.cached.get(pen.sheet.title, {})
    return cached[address] if address in cached else pen.sheet[address].value


def _place(pen: Pen, chart: ChartBase, width: float, height: float, anchor: str) -> None:
    """Put a chart at a cell; sizes in centimetres."""
    chart.width = width  # type: ignore[assignment]  # the stubs say int; openpyxl takes centimetres of any size
    chart.height = height
    pen.sheet.add_chart(chart, anchor)


def _iso(value: Value) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, dt.date) else str(value or "")
