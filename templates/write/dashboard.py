"""The Dashboard: what is to be done and what it costs, the figures, allocation, sections, trades, limits, charts.

Its rows follow what the plan holds: each finds its target, holding, trade or limit by its rank, so that what is added
later is there too. Where there is more than there are rows, the last one says how many, and what they come to.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from openpyxl.chart._chart import ChartBase
from openpyxl.worksheet.worksheet import Worksheet

from engine.allocation import KINDS
from engine.quote import SAMPLE_SOURCE
from engine.words import Lang, say
from templates.cells import CellError, Grid, Row, Value, quoted_sheet
from templates.report import BookReport
from templates.spec import SHEETS
from templates.spec import sheet as spec_sheet
from templates.spec.layout import quoted
from templates.spec.vocabulary import spoken
from templates.write import charts, checks
from templates.write.analysis import WEIGHTED_FEE, concentration
from templates.write.arithmetic import Number, add, number, share
from templates.write.canvas import AMBER, GREEN, NAVY, PALE_RED, RED, Canvas, money_format
from templates.write.evaluate import Figures
from templates.write.goals import MOST as MOST_INSIDE
from templates.write.tables import coloured, go_to, page, sides, underlined, widths, words

#: How a difference of weights is shown.
POINTS = "+0.0%;-0.0%;0.0%"
_HEAD_ROW, _ALERT_ROW, _LINKS_ROW, _KPI_ROW, _TABLES_ROW = 3, 4, 5, 7, 11
#: The columns: allocation from B, trades from K; the last ones are hidden and hold ranks.
_LEFT, _RIGHT, _LAST, _RANK, _REST = 2, 11, 16, 18, 19
#: As many rows as fit one page; and fewest, so that the next plan has room.
MOST_ROWS, FEWEST_ROWS, ROOM = 24, 10, 4
MOST_LIMITS = 4
#: As many blocks as the longest bar has.
_BLOCKS = 8


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

    def word(self, kind: str, code: Value) -> Value:
        """Return the word of a code in the language of the workbook."""
        return spoken(kind, code, self.lang)  # type: ignore[return-value]  # what is no code stays

    def write(self, row: int, column: int, line: Line, look: str) -> None:
        """Write a formula with what it comes to."""
        self.canvas.compute(self.sheet, row, column, line.formula, line.value, self.look(look))

    def put(self, row: int, column: int, value: Value, look: str) -> None:
        """Write a value."""
        self.canvas.put(self.sheet, row, column, value, self.look(look))

    def helper(self, row: int, column: int, line: Line) -> None:
        """Write what only formulas need, where there are formulas."""
        if not self.canvas.literal:
            self.write(row, column, line, "note")

    def columns(self, table: str) -> frozenset[str]:
        """Return the names of a table's columns that this workbook shows."""
        place = self.canvas.placements.get(table)
        return frozenset(column.name for column in place.columns) if place else frozenset()

    def link(self, row: int, column: int, sheet: str) -> None:
        """Let a cell that is never empty lead to a sheet, where it is there."""
        title = spec_sheet(sheet).title(self.lang)
        if not self.canvas.literal and title in self.canvas.workbook.sheetnames:
            self.sheet.cell(row, column).hyperlink = go_to(self.sheet.cell(row, column).coordinate, title)

    def leading(self, sheet: str, text: str) -> str:
        """Return the formula of a text that leads to a sheet."""
        return f"HYPERLINK({quoted(f'#{quoted_sheet(spec_sheet(sheet).title(self.lang))}!A1')},{text})"


def write_dashboard(canvas: Canvas, sheet: Worksheet, report: BookReport, figures: Figures) -> None:
    """Write the whole sheet, on one page of A4."""
    pen = Pen(canvas, sheet, report, figures)
    sizes = (30, 10, 9, 9, 9, 9, 9, 12, 2, 12, 28, 8, 11, 17, 10)
    widths(sheet, {**dict(enumerate(sizes, _LEFT)), _LAST + 1: 3})
    banner(pen)
    cards(pen)
    first, last = allocation(pen, _TABLES_ROW)
    left = sections(pen, last + 2)
    if "Allocation" in canvas.placements:
        left = cuts(pen, left + 2)
    right = _TABLES_ROW - 2
    if "Trades" in canvas.placements:
        right = trades(pen, _TABLES_ROW)
    if "Limits" in canvas.placements:
        right = limits(pen, right + 2)
    if "Goals" in canvas.placements:
        right = inside(pen, right + 2)
    end = max(left, right) + 2
    donuts(pen, end, first, last)
    history(pen, end)
    page(sheet, one_page=True)
    sheet.print_area = f"A1:P{end + _CHART_ROWS}"
    if not canvas.literal:
        for column in (_RANK, _REST):
            sheet.column_dimensions[chr(64 + column)].hidden = True


#: The lines of text that say of which day and prices the sheet is: no formula keeps them up to date.
SAID = ("B2", f"B{_ALERT_ROW}")


#: Where the links to all sheets stand, with goals and without.
_LINKS_AT = (2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 15, 16)
_FEWER = (2, 3, 5, 7, 8, 9, 11, 12, 13, 14, 15, 16)


# --- what is to be done ---------------------------------------------------------------------------------------------
def banner(pen: Pen) -> None:
    """Write the lines above the figures: what is to be done, what to know before, and where everything is."""
    pen.write(_HEAD_ROW, 2, _headline(pen), "banner")
    pen.sheet.row_dimensions[_HEAD_ROW].height = 24
    for test, colour, fill in (("✖", RED, PALE_RED), ("●", RED, ""), ("○", AMBER, "")):
        rule = coloured(f'LEFT($B${_HEAD_ROW},1)="{test}"', colour, fill)
        pen.sheet.conditional_formatting.add(f"B{_HEAD_ROW}:P{_HEAD_ROW}", rule)
    pen.put(2, 2, _provenance(pen), "band")
    links = [one for one in SHEETS if one.key not in ("Start", "Dashboard") and not pen.canvas.literal]
    links = [one for one in links if one.title(pen.lang) in pen.canvas.workbook.sheetnames]
    for column, one in zip(_LINKS_AT if len(links) > len(_FEWER) else _FEWER, links, strict=False):
        title = one.title(pen.lang)
        if title in pen.canvas.workbook.sheetnames:
            pen.put(_LINKS_ROW, column, f"→ {title}", "link")
            pen.link(_LINKS_ROW, column, one.key)
    alerts = list(_alerts(pen))
    if alerts:
        for column in range(_LEFT, _LAST + 1):
            pen.put(_ALERT_ROW, column, None, "alert")
        pen.put(_ALERT_ROW, 2, "   ".join(alerts), "alert")


def _headline(pen: Pen) -> Line:
    """Return whether there is something to do, what, and what it costs; or what has to be mended first."""
    figures, total = pen.figures, pen.figures.total
    failed = next((c for c in checks.checks(figures, pen.lang) if c.outcome == "PROBLEM"), None)
    needed = pen.summary.get("needs_rebalancing")
    if failed is not None:
        value = f"{pen.say('banner.fail')}{pen.say(f'checks.{failed.key}')} – {failed.text}"
    elif not isinstance(total, CellError) and total == 0:
        value = pen.say("head.empty")
    elif needed is None:
        value = pen.say("head.unplanned")
    elif needed:
        value = f"{pen.say('head.do')}{_what(pen).value}"
    else:
        outside = any(row["Status"] in ("OVER", "UNDER") for row in pen.figures.tables["Targets"])
        value = pen.say("head.stuck" if outside else "head.nothing")
    found = "MATCH({@check.PROBLEM},Checks_Result,0)"
    fail = f'{{!banner.fail}}&INDEX(Checks_Check,{found})&" – "&INDEX(Checks_Detail,{found})'
    planned = _PLANNED % "needs_rebalancing"
    count = "COUNTIF({Targets.Status},{@status.OVER})+COUNTIF({Targets.Status},{@status.UNDER})>0"
    idle = f"IF({count},{{!head.stuck}},{{!head.nothing}})"
    done = f"IFERROR(IF({planned},{{!head.do}}&{_what(pen).formula},{idle}),{{!head.unplanned}})"
    return Line(f"IF(ChecksFailed>0,{fail},IF(TotalValue=0,{{!head.empty}},{done}))", value)


def _what(pen: Pen) -> Line:
    """Return what is sold and bought, and what it costs, in a line."""
    if "Trades" not in pen.canvas.placements:
        return Line('""', "")
    amounts, shown, formulas = not pen.canvas.rounded, [], []
    for side in ("sell", "buy"):
        word = pen.say(f"side.{side}")
        rows = [row for row in pen.figures.tables["Trades"] if row["SideCode"] == side]
        count = f'SUMPRODUCT(--({{Trades.SideCode}}="{side}"))'
        text, formula = f"{word} {len(rows)}{pen.say('head.orders')}", f'"{word} "&{count}&{{!head.orders}}'
        if amounts:
            text += f" ({_money(add(row['BaseAmount'] for row in rows), pen.base)})"
            amount = f'SUMPRODUCT(--({{Trades.SideCode}}="{side}"),{{Trades.BaseAmount}})'
            formula += f'&" ("&{_money_text(amount)}&")"'
        shown.append(text)
        formulas.append(formula)
    if amounts:
        costs = add(row["BaseCost"] for row in pen.figures.tables["Trades"])
        shown.append(f"{pen.say('head.costs')} {_money(costs, pen.base)}")
        formulas.append(f'{{!head.costs}}&" "&{_money_text("SUM({Trades.BaseCost})")}')
    return Line('&" · "&'.join(formulas), " · ".join(shown))


def _money(value: Number, currency: str) -> str:
    """Return an amount as the formula of `_money_text` writes it."""
    if isinstance(value, CellError):
        return value
    places, mark = (Decimal(1), "₩") if currency == "KRW" else (Decimal("0.01"), "$")
    mark = mark if currency in ("KRW", "USD") else f"{currency} "
    return f"{mark}{value.quantize(places, ROUND_HALF_UP):,}"


def _money_text(amount: str, currency: str = "BaseCurrency") -> str:
    """Return the formula of an amount with its currency: the currency of a row may change with the next plan."""
    cents = f'TEXT({amount},"#,##0.00")'
    return f'IF({currency}="KRW","₩"&TEXT({amount},"#,##0"),IF({currency}="USD","$",{currency}&" ")&{cents})'


def _provenance(pen: Pen) -> str:
    parts = []
    if pen.report.as_of:
        parts.append(f"{pen.say('as-of')} {pen.report.as_of}")
    sources: dict[str, list[str]] = {}
    for row in pen.figures.tables["Prices"]:
        if row.get("Source"):
            dates = sources.setdefault(str(pen.word("source", row["Source"])), [])
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


# --- the figures ----------------------------------------------------------------------------------------------------
_CARDS = ((2, 2), (3, 5), (6, 8), (9, 11), (12, 12), (13, 14), (15, 16))
_PLANNED = "INDEX({Summary.Value},{#summary.%s@Summary.Key})"


def cards(pen: Pen) -> None:
    """Write the figures, each in a card of its own."""
    amounts = not pen.canvas.rounded
    money = money_format(pen.base)
    total, cash = Line("TotalValue", pen.figures.total), Line("CashValue", pen.figures.cash_value)
    weight = Line("IF(TotalValue>0,CashValue/TotalValue,0)", share(pen.figures.cash_value, pen.figures.total))
    drift, whose = _largest(pen)
    flow = Line("CashFlow", pen.figures.cash_flow if amounts else "–")
    figures: list[tuple[str, Line, str, Line | None, str]] = [
        ("kpi.total", total if amounts else Line("", "–"), money, Line("BaseCurrency", pen.base), "@"),
        ("kpi.cash", cash if amounts else weight, money if amounts else "0.0%", weight if amounts else None, "0.0%"),
        ("kpi.drift", drift, POINTS, whose, "@"),
        ("kpi.needed", _needed(pen), "@", _counts(pen), "@"),
        ("kpi.next", _next(pen), "yyyy-mm-dd", None, "@"),
        ("kpi.ter", Line(WEIGHTED_FEE, concentration(pen.figures)["ter"]), "0.00%", None, "@"),
        ("kpi.add", flow, money, Line("{!kpi.add-where}", pen.say("kpi.add-where")), "@"),
    ]
    if pen.canvas.literal:
        figures.pop()
    for (first, last), (key, line, form, note, note_form) in zip(_CARDS, figures, strict=False):
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
    if not pen.canvas.literal:
        pen.link(_KPI_ROW + 2, _CARDS[-1][0], "Settings")


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
    codes = [row["SideCode"] for row in pen.figures.tables["Trades"]]
    told, formulas = [], []
    for side in ("buy", "sell"):
        word = pen.say(f"side.{side}")
        told.append(f"{word} {codes.count(side)}")
        formulas.append(f'"{word} "&COUNTIF({{Trades.SideCode}},"{side}")')
    return Line('&" · "&'.join(formulas), " · ".join(told))


def _next(pen: Pen) -> Line:
    planned = _PLANNED % "next_due"
    formula = f'IFERROR(IF({planned}="",{{!next.none}},{planned}),{{!next.none}})'
    return Line(formula, pen.summary.get("next_due") or pen.say("next.none"))


# --- allocation and sections ----------------------------------------------------------------------------------------
_WANTED = 'SUMPRODUCT(--({Targets.Ticker}<>""))'
#: Rows of holdings that no target is about, each ticker once.
_UNWANTED = (
    '({Holdings.Ticker}<>"")*ISNA(MATCH({Holdings.Ticker}&"",{Targets.Ticker}&"",0))'
    '*(MATCH({Holdings.Ticker}&"",{Holdings.Ticker}&"",0)=ROW({Holdings.Ticker})-MIN(ROW({Holdings.Ticker}))+1)'
)
#: How many instruments there are.
_COUNT = f"({_WANTED}+SUMPRODUCT({_UNWANTED}))"
_LOOKS = ("cell-line", "cell-line-centre", "cell-line-number|0.0%", "cell-line-number|0.0%",
          f"cell-line-number|{POINTS}", "bar-under", "bar-over", "cell-line-centre")  # fmt: skip


#: The same where targets are goals: the narrowest ones, and holdings in none of them; and what nobody knows.
_LEAVES = "SUMPRODUCT(--({Targets.Leaf}=1))"
_NOWHERE = f'{_UNWANTED}*(COUNTIFS({{Goals.Ticker}},{{Holdings.Ticker}},{{Goals.Goal}},"?*")=0)'
_UNKNOWN = 'SUMPRODUCT(--({Goals.Kind}="unknown"))'


def _goaled(pen: Pen) -> bool:
    return "Goals" in pen.canvas.placements


def _count(pen: Pen) -> str:
    """Return the formula of how many rows the allocation has besides the cash."""
    return f"({_LEAVES}+SUMPRODUCT({_NOWHERE})+{_UNKNOWN})" if _goaled(pen) else _COUNT


def _nth(test: str, column: str, rank: str) -> str:
    """Return the formula of the place in a column of the n-th row for which a test holds, 0 where there is none."""
    first = f"SUMPRODUCT(MIN(ROW({column})))"
    place = f"SUMPRODUCT(SMALL(ROW({column})+1000000*(1-({test})),{rank}))-{first}+1"
    return f"IFERROR(IF({rank}>SUMPRODUCT(1*({test})),0,{place}),0)"


def _either(target: str, holding: str, cash: str = '""') -> str:
    """Return the formula of a row's cell: of its target, else of its holding, else of the cash, else nothing."""
    return f'IF($R{{row}}>0,{target},IF($S{{row}}>0,{holding},IF($S{{row}}<0,{cash},"")))'


def _shown_rows(pen: Pen) -> list[Row]:
    """Return what the allocation shows: every target, then every holding without one."""
    tables = pen.figures.tables
    wanted = {row["Ticker"] for row in (*tables["Targets"], *(row for row in tables["Goals"] if row["Goal"]))}
    rows: list[Row] = [row for row in tables["Targets"] if row.get("Leaf", 1)]
    # The formula adds over the whole column: an error anywhere is one everywhere.
    broken = next((row["Weight"] for row in tables["Holdings"] if isinstance(row["Weight"], CellError)), None)
    lots: dict[Value, list[Row]] = {}
    for held in tables["Holdings"]:
        if held["Ticker"] not in wanted:
            lots.setdefault(held["Ticker"], []).append(held)
    for symbol, mine in lots.items():
        held = mine[0]
        weight = broken or add(row["Weight"] for row in mine)
        locked = any(row["Locked"] is True for row in mine)
        held_now = isinstance(weight, CellError) or weight > 0
        status: Value = weight if isinstance(weight, CellError) else "NO_TARGET" if held_now else ""
        rows.append(
            {"Name": held["Name"], "Ticker": symbol, "Target": Decimal(0), "Weight": weight, "Drift": weight,
             "Status": "LOCKED" if locked else status}
        )  # fmt: skip
    unknown = (row for row in tables["Goals"] if row["Kind"] == "unknown")
    rows = [{**row, "Target": row.get("Wanted", row["Target"])} for row in rows]
    return [*rows, *({**row, "Ticker": "", "Status": ""} for row in unknown)]


def allocation(pen: Pen, row: int) -> tuple[int, int]:
    """Write every target and holding, what there is no room for, and cash; returns the first row and the last."""
    heads = ("instrument", "ticker", "target", "now", "drift", "under", "over", "status")
    _heads(pen, row, _LEFT, "allocation", [pen.say(f"column.{key}") for key in heads])
    rows = list(_shown_rows(pen))
    # The cash has a row too: after the last instrument that is shown.
    first, slots = row + 2, _slots(pen, "allocation", len(rows) + 1)
    rows.insert(min(len(rows), slots - 1), _cash(pen))
    more = first + slots
    _weights(pen, rows, first, slots)
    _remainder(pen, more, first, slots, rows)
    for at in range(first, more):
        _bars(pen, at, first, more - 1)
    rules = pen.sheet.conditional_formatting
    words(rules, f"I{first}:I{more}", f"I{first}", "status", line=True)
    rules.add(f"I{first}:I{more}", underlined(f'$B{first}<>""'))
    breached = ",".join(f'$I{first}="{pen.word("status", code)}"' for code in ("OVER", "UNDER", "NO_TARGET"))
    for letter in "GH":
        rules.add(f"{letter}{first}:{letter}{more}", coloured(f"OR({breached})", RED, line=True))
        rules.add(f"{letter}{first}:{letter}{more}", underlined(f'$B{first}<>""'))
    rules.add(f"B{first}:F{more}", underlined(f'$B{first}<>""'))
    for place, at in enumerate(range(first, more + 1)):
        colour = charts.colour(place, slots)
        if pen.canvas.literal:
            pen.put(at, 1, "■" if pen.sheet.cell(at, 2).value else None, f"mark.{colour}")
        else:
            filled = pen.sheet.cell(at, 2)
            value = "■" if _shown(pen, filled.coordinate) else ""
            pen.write(at, 1, Line(f'IF($B{at}="","","■")', value), f"mark.{colour}")
    return first, more


def standing(grid: Grid, lang: Lang) -> dict[str, int]:
    """Return for how many rows there is room on a dashboard that stands already, by what they are of."""
    below = {"allocation": (_LEFT, say("label.sections", lang)), "trades": (_RIGHT, say("label.limits-top", lang))}
    rows = {name: _row_of(grid, *where) for name, where in below.items()}
    # A dashboard of 0.2.0 names its sections too, but no broken limits.
    known = all(row > _TABLES_ROW + 4 for row in rows.values())
    return {name: row - _TABLES_ROW - 4 for name, row in rows.items()} if known else {}


def _row_of(grid: Grid, column: int, text: str) -> int:
    return next((number for number, cells in grid.rows.items() if cells.get(column) == text), 0)


def _slots(pen: Pen, name: str, count: int) -> int:
    """Return for how many rows there is room: for all in a copy; in a living workbook also for the next plan's."""
    if name in pen.canvas.standing:
        return pen.canvas.standing[name]
    if pen.canvas.literal:
        return min(count, MOST_ROWS)
    return min(max(count + ROOM, FEWEST_ROWS), MOST_ROWS)


def _weights(pen: Pen, rows: Sequence[Row], first: int, slots: int) -> None:
    goaled, count = _goaled(pen), _count(pen)
    wanted = sum(1 for row in pen.figures.tables["Targets"] if row.get("Leaf", 1))
    test, many, nowhere = (
        ("{Targets.Leaf}=1", _LEAVES, _NOWHERE) if goaled else ('{Targets.Ticker}<>""', _WANTED, _UNWANTED)
    )
    ticker = 'INDEX({=Targets.Ticker},$R{row})&""' if goaled else "INDEX({Targets.Ticker},$R{row})"
    cash, weight = "{!cash}", "IF(TotalValue>0,CashValue/TotalValue,0)"
    target = "CashTarget"
    if goaled:
        cash, target = "IF($S{row}=-2,{!goals.unknown},{!cash})", "IF($S{row}=-2,0,CashTarget)"
        weight = f'IF($S{{row}}=-2,INDEX({{Goals.Weight}},MATCH("unknown",{{Goals.Kind}},0)),{weight})'
    now = "SUMPRODUCT(--({Holdings.Ticker}=INDEX({Holdings.Ticker},$S{row})),{Holdings.Weight})"
    locked = "SUMPRODUCT(({Holdings.Ticker}=INDEX({Holdings.Ticker},$S{row}))*({Holdings.Locked}=TRUE))>0"
    texts = (
        _either("INDEX({Targets.Name},$R{row})", "INDEX({Holdings.Name},$S{row})", cash),
        _either(ticker, "INDEX({Holdings.Ticker},$S{row})"),
        _either("N(INDEX({Targets.Target},$R{row}))", "0", target),
        _either("INDEX({Targets.Weight},$R{row})", now, weight),
        'IF($B{row}="","",E{row}-D{row})',
        "",
        "",
        _either("INDEX({Targets.Status},$R{row})",
                f'IF({locked},{{@status.LOCKED}},IF(E{{row}}>0,{{@status.NO_TARGET}},""))'),
    )  # fmt: skip
    for slot in range(slots):
        at, rank = first + slot, slot + 1
        shown: Row = rows[slot] if slot < len(rows) else {}
        of_target = _nth(test, "{Targets.Ticker}", str(rank))
        position = _target_place(pen, shown) if "Key" in shown else 0
        rest = f"{rank}-{many}"
        held = _nth(nowhere, "{Holdings.Ticker}", f"({rest})")
        if goaled:
            held = f"IF(AND({_UNKNOWN}=1,{rank}={count}),-2,{held})"
        of_cash = f"{rank}=MIN({count},{slots - 1})+1"
        is_cash = bool(shown) and "Key" not in shown and shown.get("Ticker") is None
        own = -1 if is_cash else _position(pen, shown) if slot >= wanted and shown else 0
        if is_cash:
            position = 0
        pen.helper(at, _RANK, Line(f"IF({of_cash},0,{of_target})", position))
        pen.helper(at, _REST, Line(f"IF({of_cash},-1,IF({rest}<1,0,{held}))", own))
        values = (
            shown.get("Name", ""), shown.get("Ticker") or "", _zero(shown.get("Target")) if shown else "",
            shown.get("Weight", ""), shown.get("Drift", ""), "", "", pen.word("status", shown.get("Status", "")),
        )  # fmt: skip
        for column, (text, value, look) in enumerate(zip(texts, values, _LOOKS, strict=True), _LEFT):
            if text:
                pen.write(at, column, Line(text.replace("{row}", str(at)), value), look)


def _zero(value: Value) -> Value:
    return Decimal(0) if value is None else value


def _target_place(pen: Pen, shown: Row) -> int:
    """Return the place of a target's row among the targets."""
    return next(i for i, row in enumerate(pen.figures.tables["Targets"], 1) if row["Key"] == shown["Key"])


def _position(pen: Pen, shown: Row) -> int:
    """Return the place of a holding's first row among the holdings; -2 for what nobody knows."""
    if shown.get("Kind") == "unknown":
        return -2
    return next(i for i, row in enumerate(pen.figures.tables["Holdings"], 1) if row["Ticker"] == shown["Ticker"])


def _remainder(pen: Pen, at: int, first: int, slots: int, rows: Sequence[Row]) -> None:
    """Write how much the rows above do not show: how many instruments, and what they come to."""
    rest = rows[slots:]
    count = f"({_count(pen)}-{slots - 1})"
    name = f"{pen.say('more.before')}{len(rest)}{pen.say('more.after')}" if rest else ""
    formula = pen.leading("Targets", f"{{!more.before}}&{count}&{{!more.after}}")
    pen.write(at, 2, Line(f'IF({count}>0,{formula},"")', name), "cell-line-link")
    target: Value = ""
    now: Value = ""
    drift: Value = ""
    if rest:
        target, now = add(row["Target"] for row in rest), add(row["Weight"] for row in rest)
        drift = now if isinstance(now, CellError) else now - (number(target) or Decimal(0))
    last = at - 1
    pen.write(at, 4, Line(f'IF($B{at}="","",1-SUM(D{first}:D{last}))', target), _LOOKS[2])
    pen.write(at, 5, Line(f'IF($B{at}="","",IF(TotalValue>0,1,0)-SUM(E{first}:E{last}))', now), _LOOKS[3])
    pen.write(at, 6, Line(f'IF($B{at}="","",E{at}-D{at})', drift), _LOOKS[4])


def _cash(pen: Pen) -> Row:
    now = share(pen.figures.cash_value, pen.figures.total)
    target = pen.figures.cash_target
    drift = now if isinstance(now, CellError) else now - target
    return {"Name": pen.say("cash"), "Target": target, "Weight": now, "Drift": drift}


def _bars(pen: Pen, at: int, first: int, last: int) -> None:
    """Draw a row's difference as a bar of blocks, to the left where there is too little, else to the right."""
    area = f"$F${first}:$F${last}"
    longest = f"MAX(MAX({area}),-MIN({area}),0.0001)"
    drifts = [_number_at(pen, f"F{row}") for row in range(first, last + 1)]
    broken = any(isinstance(d, CellError) for d in drifts)
    most = max((abs(d) for d in drifts if isinstance(d, float)), default=0.0)
    most, mine = max(most, 0.0001), drifts[at - first]
    for column, sign in ((7, -1), (8, 1)):
        text = ""
        if not broken and isinstance(mine, float) and mine * sign > 0:
            text = "█" * _half_up(abs(mine) / most * _BLOCKS)
        cell = f"{'' if sign > 0 else '-'}$F{at}"
        formula = f'IFERROR(IF({cell}>0,REPT("█",ROUND({cell}/{longest}*{_BLOCKS},0)),""),"")'
        formula = f'IF(ISNUMBER($F{at}),{formula},"")'
        pen.write(at, column, Line(formula, text), _LOOKS[5 if sign < 0 else 6])


def _half_up(value: float) -> int:
    return int(Decimal(repr(round(value, 9))).quantize(Decimal(1), ROUND_HALF_UP))


def _number_at(pen: Pen, address: str) -> object:
    value = _shown(pen, address)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def sections(pen: Pen, row: int) -> int:
    """Write how each section with targets stands; returns the last row."""
    heads = ("section", "", "target", "now", "drift", "", "", "status")
    _heads(pen, row, _LEFT, "sections", [pen.say(f"column.{key}") if key else "" for key in heads])
    rules = list(pen.figures.tables["Rules"])
    rows = [r for r in rules if r["Target"]]
    slots = len(rows) if pen.canvas.literal else 3
    first = row + 2
    for slot in range(slots):
        at = first + slot
        rule: Row = rows[slot] if slot < len(rows) else {}
        test = "ISNUMBER({Rules.Target})*({Rules.Target}>0)"
        pen.helper(at, _RANK, Line(_nth(test, "{Rules.Target}", str(slot + 1)), rules.index(rule) + 1 if rule else 0))
        for column, name, look in (
            (2, "Section", "cell-line"), (4, "Target", _LOOKS[2]), (5, "Weight", _LOOKS[3]), (6, "Drift", _LOOKS[4]),
            (9, "Status", "cell-line-centre"),
        ):  # fmt: skip
            formula = f'IF($R{at}>0,INDEX({{Rules.{name}}},$R{at}),"")'
            value = pen.word({"Section": "section", "Status": "status"}.get(name, ""), rule.get(name, ""))
            pen.write(at, column, Line(formula, value), look)
    last = first + slots - 1
    if slots:
        words(pen.sheet.conditional_formatting, f"I{first}:I{last}", f"I{first}", "status", line=True)
        pen.sheet.conditional_formatting.add(f"B{first}:H{last}", underlined(f'$B{first}<>""'))
    return last


_MARKED = '{Allocation.Mark}<>""'


def cuts(pen: Pen, row: int) -> int:
    """Write what is furthest off by sector, by class and by currency; returns the last row."""
    heads = ("", "", "target", "now", "drift")
    _heads(pen, row, _LEFT, "cuts-top", [pen.say(f"column.{key}") if key else "" for key in heads])
    rows = pen.figures.tables["Allocation"]
    marked = [place for place, one in enumerate(rows, 1) if one["Mark"]]
    first, slots = row + 2, max(len(marked), 1) if pen.canvas.literal else len(KINDS)
    for slot in range(slots):
        at = first + slot
        place = marked[slot] if slot < len(marked) else 0
        found: Row = rows[place - 1] if place else {}
        pen.helper(at, _RANK, Line(_nth(_MARKED, "{Allocation.Mark}", str(slot + 1)), place))
        name, other = f"{found['By']} · {found['Group']}" if found else "", '""'
        if slot == 0:
            other = 'IF(SUMPRODUCT(--({Allocation.By}<>""))>0,{!cuts-none},{!cuts-unknown})'
            name = name or pen.say("cuts-none" if rows else "cuts-unknown")
        told = f'INDEX({{Allocation.By}},$R{at})&" · "&INDEX({{Allocation.Group}},$R{at})'
        pen.write(at, _LEFT, Line(f"IF($R{at}>0,{told},{other})", name), "cell-line")
        for column, key, look in ((4, "Target", _LOOKS[2]), (5, "Weight", _LOOKS[3]), (6, "Drift", _LOOKS[4])):
            formula = f'IF($R{at}>0,INDEX({{Allocation.{key}}},$R{at}),"")'
            pen.write(at, column, Line(formula, found.get(key, "")), look)
    last = first + slots - 1
    pen.sheet.conditional_formatting.add(f"B{first}:F{last}", underlined(f'$B{first}<>""'))
    return last


# --- trades and limits ----------------------------------------------------------------------------------------------
def trades(pen: Pen, row: int) -> int:
    """Write the trades, what there is no room for, and a word where there are none; returns the last row."""
    place, shown = pen.canvas.placements["Trades"], pen.columns("Trades")
    names = [n for n in ("Account", "Name", "Side", "Quantity", "Amount", "WeightAfter") if n in shown]
    columns = {"Account": 11, "Name": 12, "Side": 13, "Quantity": 14, "Amount": 15, "WeightAfter": 16}
    index = place.table.index
    heads = {columns[name]: index[name].caption(pen.lang) for name in names}
    _heads(pen, row, _RIGHT, "trades-top", [heads.get(at, "") for at in range(_RIGHT, _LAST + 1)])
    rows = pen.figures.tables["Trades"]
    first, slots = row + 2, _slots(pen, "trades", len(rows))
    looks = {
        "Account": "cell-line", "Name": "cell-line", "Side": "cell-line-centre", "Amount": "cell-line-right",
        "Quantity": "cell-line-number|#,##0.####", "WeightAfter": "cell-line-number|0.0%",
    }  # fmt: skip
    for slot in range(slots):
        at = first + slot
        trade: Row = rows[slot] if slot < len(rows) else {}
        for name in names:
            formula, value = f"INDEX({{Trades.{name}}},{slot + 1})", trade.get(name, "")
            if name == "Amount":
                value = _money(_exact(value), str(trade["Currency"])) if trade else ""
                formula = _money_text(formula, f"INDEX({{Trades.Currency}},{slot + 1})")
            elif name == "Account":
                formula, value = f'{formula}&""', value or ""
            elif name == "Side":
                value = pen.word("side", value)
            formula = f'IFERROR(IF(INDEX({{Trades.Ticker}},{slot + 1})="","",{formula}),"")'
            pen.write(at, columns[name], Line(formula, value), looks[name])
    last = first + slots
    _more_trades(pen, last, slots)
    sides(pen.sheet, f"M{first}:M{last}", pen.lang, line=True)
    for cells in (f"K{first}:L{last}", f"N{first}:P{last}"):
        pen.sheet.conditional_formatting.add(cells, underlined(f'$L{first}<>""'))
    return last


def _exact(value: Value) -> Number:
    return value if isinstance(value, CellError) else number(value) or Decimal(0)


def _more_trades(pen: Pen, at: int, slots: int) -> None:
    """Write how many trades have no row, and what they come to; or that there are none."""
    rows = pen.figures.tables["Trades"]
    rest = rows[slots:]
    count = f'(SUMPRODUCT(--({{Trades.Ticker}}<>""))-{slots})'
    text, formula = "", f"{{!more.before}}&{count}&{{!more.after}}"
    if rest:
        text = f"{pen.say('more.before')}{len(rest)}{pen.say('more.after')}"
    if not pen.canvas.rounded:
        for side in ("sell", "buy"):
            word = pen.say(f"side.{side}")
            if rest:
                text += f" · {word} {_money(add(r['BaseAmount'] for r in rest if r['SideCode'] == side), pen.base)}"
            beyond = f"(ROW({{Trades.SideCode}})-MIN(ROW({{Trades.SideCode}}))>={slots})"
            amount = f'SUMPRODUCT({beyond}*({{Trades.SideCode}}="{side}"),{{Trades.BaseAmount}})'
            formula += f'&" · {word} "&{_money_text(amount)}'
    formula = pen.leading("Trades", formula)
    pen.write(at, 12, Line(f'IFERROR(IF({count}>0,{formula},""),"")', text), "cell-line-link")


def limits(pen: Pen, row: int) -> int:
    """Write the limits that are broken, in red; returns the last row."""
    shown = pen.columns("Limits")
    captions = {name: pen.canvas.placements["Limits"].table.index[name].caption(pen.lang) for name in shown}
    heads = [captions.get(n, "") for n in ("Scope", "Rule", "", "Limit", "Actual", "Status")]
    _heads(pen, row, _RIGHT, "limits-top", heads)
    rows = pen.figures.tables["Limits"]
    broken = [i for i, r in enumerate(rows) if r["Status"] == "BREACH"]
    first = row + 2
    slots = max(min(len(broken), MOST_LIMITS), 1) if pen.canvas.literal else MOST_LIMITS
    # Where none is broken the first row says so, and not in red.
    pen.sheet.conditional_formatting.add(f"L{first}", coloured(f'$K{first}=""', GREEN))
    breach = "ISNUMBER(MATCH({Limits.Status},{*limit.BREACH},0))"
    for slot in range(slots):
        at = first + slot
        place = broken[slot] + 1 if slot < len(broken) else 0
        found: Row = rows[place - 1] if place else {}
        pen.helper(at, _REST, Line(_nth(breach, "{Limits.Status}", str(slot + 1)), place))
        for column, name, kind in (
            (11, "Scope", "scope"), (12, "Rule", "rule"), (14, "Limit", ""), (15, "Actual", ""),
            (16, "Status", "limit"),
        ):  # fmt: skip
            if name in shown:
                cell = f"INDEX({{Limits.{name}}},$S{at})"
                whole = f'IF(ABS({cell})<100,TEXT({cell},"0.0%"),TEXT({cell},"#,##0"))'
                text = f'IF(ISNUMBER({cell}),{whole},{cell}&"")' if name in ("Limit", "Actual") else cell
                value = pen.word(kind, found.get(name, "")) if kind else _as_text(found.get(name, ""))
                other = '""'
                if name == "Rule" and slot == 0:
                    known = 'SUMPRODUCT(--({Limits.Rule}<>""))>0'
                    other = f"IF({known},{{!limits-kept}},{{!limits-unknown}})"
                    value = value or pen.say("limits-kept" if rows else "limits-unknown")
                pen.write(at, column, Line(f"IF($S{at}>0,{text},{other})", value), f"cell-line-alert{_side(name)}")
    last = first + slots
    count = f"SUMPRODUCT(1*{breach})"
    more = f"{pen.say('more.before')}{len(broken) - slots}{pen.say('more.after')}" if len(broken) > slots else ""
    formula = f'IF({count}>{slots},{{!more.before}}&({count}-{slots})&{{!more.after}},"")'
    pen.write(last, 12, Line(formula, more), "cell-line-link")
    return last


def inside(pen: Pen, row: int) -> int:
    """Write what is in each goal, a line per member under it; returns the last row."""
    shown = pen.columns("Goals")
    index = pen.canvas.placements["Goals"].table.index
    heads = ("Ticker", "Name", "Part", "Weight", "Value", "Drift")
    captions = [index[name].caption(pen.lang) if name in shown else "" for name in heads]
    _heads(pen, row, _RIGHT, "inside-top", captions)
    rows = pen.figures.tables["Goals"]
    front = [place for place, one in enumerate(rows, 1) if one["Front"]]
    first, slots = row + 2, max(len(front), 1) if pen.canvas.literal else MOST_INSIDE
    money = f"cell-line-number|{money_format(pen.base)}"
    parts = (
        (11, "Ticker", "cell-line"), (12, "Name", "cell-line"), (13, "Part", "cell-line-number|0%"),
        (14, "Weight", _LOOKS[2]), (15, "Value", money), (16, "Drift", _LOOKS[4]),
    )  # fmt: skip
    for slot in range(slots):
        at = first + slot
        place = front[slot] if slot < len(front) else 0
        found: Row = rows[place - 1] if place else {}
        pen.helper(at, _REST, Line(_nth("{Goals.Front}=1", "{Goals.Front}", str(slot + 1)), place))
        for column, name, look in parts:
            if name not in shown:
                continue
            cell = f"INDEX({{Goals.{name}}},$S{at})"
            formula, value = f'IF($S{at}>0,IF({cell}="","",{cell}),"")', found.get(name)
            pen.write(at, column, Line(formula, "" if value is None else value), look)
    last = first + slots - 1
    rules = pen.sheet.conditional_formatting
    goal = f'AND($L{first}<>"",LEFT($L{first},1)<>"└")'
    rules.add(f"K{first}:P{last}", coloured(goal, NAVY, line=True))
    rules.add(f"K{first}:P{last}", underlined(f'$L{first}<>""'))
    return last


def _side(name: str) -> str:
    return "-right" if name in ("Limit", "Actual", "Status") else ""


def _as_text(value: Value) -> Value:
    exact = number(value)
    if exact is None:
        return value if value is not None else ""
    return f"{exact:.1%}" if abs(exact) < 100 else f"{exact:,.0f}"


def _heads(pen: Pen, row: int, left: int, title: str, captions: Sequence[str]) -> None:
    pen.put(row, left, pen.say(title), "block")
    for column, caption in enumerate(captions, left):
        pen.put(row + 1, column, caption, "caption-small")


# --- charts ---------------------------------------------------------------------------------------------------------
#: Rows that the charts at the foot take.
_CHART_ROWS = 15
_CHART_HEIGHT = 7.4


def donuts(pen: Pen, row: int, first: int, last: int) -> None:
    """Draw the weights and the targets of the allocation, which stands in the rows `first` to `last`."""
    for key, column, anchor in (("chart.now", "E", "B"), ("chart.target", "D", "E")):
        chart = charts.donut(pen.say(key), _source(pen, column, first, last, "0.0%"), last - first - 1)
        _place(pen, chart, 8.6 if anchor == "B" else 9.4, f"{anchor}{row}", pen.say(f"{key}.alt"))


def history(pen: Pen, row: int) -> None:
    """Draw the value over time, where there is more than one day of it."""
    rows = pen.figures.tables["History"]
    placement = pen.canvas.placements.get("History")
    if placement is None or len(rows) < 2:
        return
    name = "Index" if pen.canvas.rounded else "Value"
    end = placement.first_row + len(rows) - 1
    title = quoted_sheet(placement.title)
    source = charts.Source(
        f"{title}!${placement.letter('Date')}${placement.first_row}:${placement.letter('Date')}${end}",
        [_iso(r["Date"]) for r in rows],
        f"{title}!${placement.letter(name)}${placement.first_row}:${placement.letter(name)}${end}",
        [float(number(r.get(name)) or 0) for r in rows],
        "#,##0",
    )
    _place(pen, charts.area(pen.say("chart.history"), source), 17.5, f"K{row}", pen.say("chart.history.alt"))


def _source(pen: Pen, column: str, first: int, last: int, form: str) -> charts.Source:
    title = quoted_sheet(pen.sheet.title)
    names = [_shown(pen, f"B{row}") for row in range(first, last + 1)]
    numbers = [_shown(pen, f"{column}{row}") for row in range(first, last + 1)]
    return charts.Source(
        f"{title}!$B${first}:$B${last}",
        [str(name or "") for name in names],
        f"{title}!${column}${first}:${column}${last}",
        [float(n) if isinstance(n, int | float) else 0.0 for n in numbers],
        form,
    )


def _shown(pen: Pen, address: str) -> object:
    cached: Mapping[str, object] = pen.canvas.cached.get(pen.sheet.title, {})
    return cached[address] if address in cached else pen.sheet[address].value


def _place(pen: Pen, chart: ChartBase, width: float, anchor: str, alternative: str) -> None:
    """Put a chart at a cell, with a text for those who cannot see it; sizes in centimetres."""
    chart.width = width  # type: ignore[assignment]  # the stubs say int; openpyxl takes centimetres of any size
    chart.height = _CHART_HEIGHT
    charts.describe(chart, alternative)
    pen.sheet.add_chart(chart, anchor)


def _iso(value: Value) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, dt.date) else str(value or "")
