"""The Dashboard: six figures, a banner that says what is wrong, allocation, sections, trades, and the charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from openpyxl.chart._chart import ChartBase
from openpyxl.utils import quote_sheetname
from openpyxl.worksheet.worksheet import Worksheet

from templates import charts
from templates.arithmetic import number, share
from templates.canvas import Canvas
from templates.evaluate import Figures
from templates.labels import label
from templates.layout import FIRST_ROW
from templates.report import SAMPLE_SOURCE, CellError, Report, Row, Value
from templates.sheets import checks
from templates.sheets.analysis import WEIGHTED_FEE, concentration
from templates.sheets.frame import page, widths
from templates.sheets.tables import coloured, sides, words
from templates.styles import PALE_RED, RED, money_format

COLUMNS = 13
#: As many targets as a donut can show and a person can tell apart; the rest is one slice.
MOST_SLICES = 12
MOST_TRADES = 10
_BANNER_ROW, _ALERT_ROW, _KPI_ROW, _TABLES_ROW = 3, 4, 6, 10
_CARDS = ((2, 2), (3, 4), (5, 7), (9, 10), (11, 12), (13, 14))
_PLANNED = 'INDEX({Summary.Value},MATCH("%s",{Summary.Key},0))'


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one cell to be written: a formula (without its =), and what it comes to."""

    formula: str
    value: Value


def write_dashboard(canvas: Canvas, sheet: Worksheet, report: Report, figures: Figures) -> None:
    """Write the whole sheet, on one page of A4."""
    writer = _Dashboard(canvas, sheet, report, figures)
    widths(sheet, {2: 30, 3: 11, 4: 10, 5: 11, 6: 13, 7: 15, 8: 2, **dict.fromkeys(range(9, 15), 12.5)})
    writer.banner()
    writer.cards()
    last = writer.allocation(_TABLES_ROW)
    writer.donuts(_TABLES_ROW, last)
    end = writer.sections(last + 2)
    if "Trades" in canvas.placements:
        end = writer.trades(end + 2)
    writer.history(max(end + 2, _TABLES_ROW + 32))
    page(sheet, one_page=True)


class _Dashboard:
    def __init__(self, canvas: Canvas, sheet: Worksheet, report: Report, figures: Figures) -> None:
        self.canvas, self.sheet, self.report, self.figures = canvas, sheet, report, figures
        self.lang = canvas.lang
        self.look: Callable[[str], object] = canvas.styles.look
        self.base = report.portfolio.base_currency
        self.summary = {row["Key"]: row["Value"] for row in figures.tables["Summary"]}

    def say(self, key: str) -> str:
        return label(key, self.lang)

    def write(self, row: int, column: int, line: Line, look: str) -> None:
        self.canvas.compute(self.sheet, row, column, line.formula, line.value, self.look(look))

    def put(self, row: int, column: int, value: Value, look: str) -> None:
        self.canvas.put(self.sheet, row, column, value, self.look(look))

    # -- head ---------------------------------------------------------------------------------------------------

    def banner(self) -> None:
        failed = next((c for c in checks.checks(self.figures, self.lang) if c.outcome == "PROBLEM"), None)
        value = self.say("banner.ok")
        if failed is not None:
            value = f"{self.say('banner.fail')}{self.say(f'checks.{failed.key}')} – {failed.text}"
        found = 'MATCH("PROBLEM",Checks_Result,0)'
        text = f'{{!banner.fail}}&INDEX(Checks_Check,{found})&" – "&INDEX(Checks_Detail,{found})'
        self.write(_BANNER_ROW, 2, Line(f"IF(ChecksFailed=0,{{!banner.ok}},{text})", value), "banner")
        self.sheet.row_dimensions[_BANNER_ROW].height = 22
        rule = coloured(f'LEFT($B${_BANNER_ROW},1)="✖"', RED, PALE_RED)
        self.sheet.conditional_formatting.add(f"B{_BANNER_ROW}:N{_BANNER_ROW}", rule)
        self.put(2, 2, self._provenance(), "band")
        alerts = list(self._alerts())
        if alerts:
            for column in range(2, 15):
                self.put(_ALERT_ROW, column, None, "alert")
            self.put(_ALERT_ROW, 2, "   ".join(alerts), "alert")

    def _provenance(self) -> str:
        parts = []
        if self.report.as_of:
            parts.append(f"{self.say('as-of')} {self.report.as_of}")
        sources: dict[str, list[str]] = {}
        for row in self.figures.tables["Prices"]:
            if row.get("Source"):
                dates = sources.setdefault(str(row["Source"]), [])
                moment = row.get("AsOf")
                if isinstance(moment, dt.date):
                    dates.append(f"{moment:%Y-%m-%d}")
        if sources:
            told = (f"{name} {min(dates)}" if dates else name for name, dates in sources.items())
            parts.append(f"{self.say('prices-of')} {', '.join(told)}")
        if self.canvas.literal:
            parts.append(self.say("weights-only-note" if self.canvas.rounded else "share-note"))
        return "  ·  ".join(parts)

    def _alerts(self) -> Iterator[str]:
        prices = self.figures.tables["Prices"]
        if any(row.get("Source") == SAMPLE_SOURCE for row in prices):
            yield self.say("sample-prices")
        stale = [str(row["Ticker"]) for row in prices if row.get("Status") == "stale"]
        if stale:
            yield f"{self.say('stale-prices')}: {', '.join(stale[:8])}{' …' if len(stale) > 8 else ''}"

    # -- figures ------------------------------------------------------------------------------------------------

    def cards(self) -> None:
        amounts = not self.canvas.rounded
        money = money_format(self.base)
        total, cash = Line("TotalValue", self.figures.total), Line("CashValue", self.figures.cash_value)
        weight = Line("IF(TotalValue>0,CashValue/TotalValue,0)", share(self.figures.cash_value, self.figures.total))
        drift, whose = self._largest()
        cards: list[tuple[str, Line, str, Line | None, str]] = [
            ("kpi.total", total if amounts else Line("", "–"), money, Line("BaseCurrency", self.base), "@"),
            (
                "kpi.cash",
                cash if amounts else weight,
                money if amounts else "0.0%",
                weight if amounts else None,
                "0.0%",
            ),
            ("kpi.drift", drift, "+0.0%;-0.0%;0.0%", whose, "@"),
            ("kpi.needed", self._needed(), "@", self._counts(), "@"),
            ("kpi.next", self._next(), "yyyy-mm-dd", None, "@"),
            ("kpi.ter", Line(WEIGHTED_FEE, concentration(self.figures)["ter"]), "0.00%", None, "@"),
        ]
        for (first, last), (key, line, form, note, note_form) in zip(_CARDS, cards, strict=True):
            for row, look in ((0, "kpi-label"), (1, "kpi-value"), (2, "kpi-note")):
                for column in range(first, last + 1):
                    self.put(_KPI_ROW + row, column, None, look)
                if last > first:
                    at = _KPI_ROW + row
                    self.sheet.merge_cells(start_row=at, end_row=at, start_column=first, end_column=last)
            self.put(_KPI_ROW, first, self.say(key), "kpi-label")
            self.write(_KPI_ROW + 1, first, line, f"kpi-value|{form}")
            if note is not None:
                self.write(_KPI_ROW + 2, first, note, f"kpi-note|{note_form}")
        self.sheet.row_dimensions[_KPI_ROW + 1].height = 30

    def _largest(self) -> tuple[Line, Line]:
        rows = self.figures.tables["Targets"]
        drifts = {row["Name"]: row["Drift"] for row in reversed(rows)}
        value: Value = ""
        name = ""
        total = self.figures.total
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

    def _needed(self) -> Line:
        planned = _PLANNED % "needs_rebalancing"
        formula = f"IFERROR(IF({planned},{{!needed.yes}},{{!needed.no}}),{{!needed.unknown}})"
        known = self.summary.get("needs_rebalancing")
        key = "needed.unknown" if known is None else "needed.yes" if known else "needed.no"
        return Line(formula, self.say(key))

    def _counts(self) -> Line | None:
        if "Trades" not in self.canvas.placements:
            return None
        sides = [row["Side"] for row in self.figures.tables["Trades"]]
        buys, sells = sides.count("buy"), sides.count("sell")
        words_ = ("매수", "매도") if self.lang == "ko" else ("buy", "sell")
        formula = f'"{words_[0]} "&COUNTIF({{Trades.Side}},"buy")&" · {words_[1]} "&COUNTIF({{Trades.Side}},"sell")'
        return Line(formula, f"{words_[0]} {buys} · {words_[1]} {sells}")

    def _next(self) -> Line:
        planned = _PLANNED % "next_due"
        formula = f'IFERROR(IF({planned}="",{{!next.none}},{planned}),{{!next.none}})'
        return Line(formula, self.summary.get("next_due") or self.say("next.none"))

    # -- tables -------------------------------------------------------------------------------------------------

    def heads(self, row: int, title: str, captions: list[str]) -> None:
        self.put(row, 2, self.say(title), "block")
        for column, key in enumerate(captions, 2):
            self.put(row + 1, column, self.say(key) if key else "", "caption")

    def allocation(self, row: int) -> int:
        keys = ["column.instrument", "", "column.target", "column.now", "column.drift", "column.status"]
        self.heads(row, "allocation", keys)
        first = row + 2
        rows = self.figures.tables["Targets"][:MOST_SLICES]
        for k, target in enumerate(rows, 1):
            at = first + k - 1
            for column, (name, look) in enumerate(_ALLOCATION, 2):
                formula = f'IF(INDEX({{Targets.Ticker}},{k})="","",INDEX({{Targets.{name}}},{k}))'
                self.write(at, column, Line(formula, target[name]), look)
        other, cash = first + len(rows), first + len(rows) + 1
        self._remainder(other, first, rows)
        self.put(cash, 2, self.say("cash"), "cell-text")
        self.put(cash, 3, None, "cell-centre")
        self.write(cash, 4, Line("CashTarget", self.figures.cash_target), "cell-number|0.0%")
        now = share(self.figures.cash_value, self.figures.total)
        self.write(cash, 5, Line("IF(TotalValue>0,CashValue/TotalValue,0)", now), "cell-number|0.0%")
        drift = now if isinstance(now, CellError) else now - self.figures.cash_target
        self.write(cash, 6, Line(f"E{cash}-D{cash}", drift), f"cell-number|{_POINTS}")
        self.put(cash, 7, None, "cell-centre")
        words(self.sheet.conditional_formatting, f"G{first}:G{cash}", f"G{first}")
        for place, at in enumerate(range(first, cash + 1)):
            self.put(at, 1, "■", f"mark.{charts.PALETTE[place % len(charts.PALETTE)]}")
        return cash

    def _remainder(self, at: int, first: int, rows: tuple[Row, ...]) -> None:
        """Write what the rows above do not show: further targets, and holdings without one."""
        target = self.figures.target_sum - sum((number(r["Target"]) or Decimal(0) for r in rows), Decimal(0))
        held = share(self.figures.holdings_value, self.figures.total)
        now: Value = held
        if isinstance(held, Decimal):
            now = held - sum((number(r["Weight"]) or Decimal(0) for r in rows), Decimal(0))
        self.put(at, 2, self.say("other"), "cell-text")
        self.put(at, 3, None, "cell-centre")
        shown = f"SUM(D{first}:D{at - 1})" if rows else "0"
        self.write(at, 4, Line(f"MAX(0,ROUND(TargetSum-{shown},12))", max(target, Decimal(0))), "cell-number|0.0%")
        shown = f"SUM(E{first}:E{at - 1})" if rows else "0"
        formula = f"MAX(0,ROUND(IF(TotalValue>0,HoldingsValue/TotalValue,0)-{shown},12))"
        now = now if isinstance(now, CellError) else max(round(number(now) or Decimal(0), 12), Decimal(0))
        self.write(at, 5, Line(formula, now), "cell-number|0.0%")
        drift = now if isinstance(now, CellError) else (number(now) or Decimal(0)) - max(target, Decimal(0))
        self.write(at, 6, Line(f"E{at}-D{at}", drift), f"cell-number|{_POINTS}")
        self.put(at, 7, None, "cell-centre")

    def sections(self, row: int) -> int:
        keys = ["column.instrument", "", "column.target", "column.now", "column.drift", "column.status"]
        self.heads(row, "sections", keys)
        rows = [r for r in self.figures.tables["Rules"] if r["Section"] != "all" or r["Target"]]
        places = [i for i, r in enumerate(self.figures.tables["Rules"], 1) if r in rows]
        at = row + 1
        for k, rule in zip(places, rows, strict=True):
            at += 1
            for column, (name, look) in enumerate(_SECTION, 2):
                if name:
                    self.write(at, column, Line(f"INDEX({{Rules.{name}}},{k})", rule[name]), look)
                else:
                    self.put(at, column, None, look)
        if rows:
            words(self.sheet.conditional_formatting, f"G{row + 2}:G{at}", f"G{row + 2}")
        return at

    def trades(self, row: int) -> int:
        placement = self.canvas.placements["Trades"]
        amounts = "Amount" in {column.name for column in placement.columns}
        columns = _TRADE if amounts else _TRADE_WEIGHTS
        self.put(row, 2, self.say("trades-top"), "block")
        for column, (name, _) in enumerate(columns, 2):
            caption = placement.table.index[name].caption.of(self.lang) if name else ""
            self.put(row + 1, column, caption, "caption")
        rows = self.figures.tables["Trades"][:MOST_TRADES]
        for k in range(1, self._slots(rows) + 1):
            trade: Row = rows[k - 1] if k <= len(rows) else {}
            for column, (name, look) in enumerate(columns, 2):
                if not name:
                    self.put(row + 1 + k, column, None, look)
                    continue
                look = (
                    f"cell-number|{money_format(str(trade.get('Currency') or self.base))}" if name == "Amount" else look
                )
                formula = f'IF(INDEX({{Trades.Ticker}},{k})="","",INDEX({{Trades.{name}}},{k}))'
                self.write(row + 1 + k, column, Line(formula, trade.get(name, "")), look)
        last = row + 1 + self._slots(rows)
        sides(self.sheet, f"D{row + 2}:D{last}")
        return last

    def _slots(self, rows: tuple[Row, ...]) -> int:
        """Return how many trades are shown: all in a copy; in a living workbook there is room for the next plan's."""
        return max(len(rows), 1) if self.canvas.literal else MOST_TRADES

    # -- charts -------------------------------------------------------------------------------------------------

    def _source(self, column: str, first: int, last: int, form: str) -> charts.Source:
        title = quote_sheetname(self.sheet.title)
        names = [self._shown(f"B{row}") for row in range(first, last + 1)]
        numbers = [self._shown(f"{column}{row}") for row in range(first, last + 1)]
        return charts.Source(
            f"{title}!$B${first}:$B${last}",
            [str(name) for name in names],
            f"{title}!${column}${first}:${column}${last}",
            [float(n) if isinstance(n, int | float) else 0.0 for n in numbers],
            form,
        )

    def _shown(self, address: str) -> object:
        cached = self.canvas.cached.get(self.sheet.title, {})
        return cached[address] if address in cached else self.sheet[address].value

    def donuts(self, row: int, last: int) -> None:
        first = row + 2
        for key, column, anchor in (("chart.now", "E", "I"), ("chart.target", "D", "L")):
            chart = charts.donut(self.say(key), self._source(column, first, last, "0.0%"))
            self._place(chart, 8.9, 7.6, f"{anchor}{row}")
        self._place(
            charts.bars(self.say("chart.drift"), self._source("F", first, last, _POINTS)), 17.8, 8.4, f"I{row + 16}"
        )

    def _place(self, chart: ChartBase, width: float, height: float, anchor: str) -> None:
        """Put a chart at a cell; sizes in centimetres."""
        chart.width = width  # type: ignore[assignment]  # the stubs say int; openpyxl takes centimetres of any size
        chart.height = height
        self.sheet.add_chart(chart, anchor)

    def history(self, row: int) -> None:
        rows = self.figures.tables["History"]
        placement = self.canvas.placements.get("History")
        if placement is None or len(rows) < 2:
            return
        name = "Index" if self.canvas.rounded else "Value"
        end = FIRST_ROW + len(rows) - 1
        title = quote_sheetname(placement.title)
        source = charts.Source(
            f"{title}!${placement.letter('Date')}${FIRST_ROW}:${placement.letter('Date')}${end}",
            [_iso(r["Date"]) for r in rows],
            f"{title}!${placement.letter(name)}${FIRST_ROW}:${placement.letter(name)}${end}",
            [float(number(r.get(name)) or 0) for r in rows],
            "#,##0",
        )
        self._place(charts.area(self.say("chart.history"), source), 35.5, 6.2, f"B{row}")


def _iso(value: Value) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, dt.date) else str(value or "")


_POINTS = "+0.0%;-0.0%;0.0%"
_ALLOCATION = (
    ("Name", "cell-text"), ("Ticker", "cell-centre"), ("Target", "cell-number|0.0%"), ("Weight", "cell-number|0.0%"),
    ("Drift", f"cell-number|{_POINTS}"), ("Status", "cell-centre"),
)  # fmt: skip
_SECTION = (
    ("Section", "cell-text"), ("", "cell-centre"), ("Target", "cell-number|0.0%"), ("Weight", "cell-number|0.0%"),
    ("Drift", f"cell-number|{_POINTS}"), ("Status", "cell-centre"),
)  # fmt: skip
_TRADE = (
    ("Name", "cell-text"), ("Ticker", "cell-centre"), ("Side", "cell-centre"), ("Quantity", "cell-number|#,##0.####"),
    ("WeightAfter", "cell-number|0.0%"), ("Amount", "cell-number"),
)  # fmt: skip
_TRADE_WEIGHTS = (
    ("Name", "cell-text"), ("Ticker", "cell-centre"), ("Side", "cell-centre"), ("WeightAfter", "cell-number|0.0%"),
    ("", "cell-text"), ("", "cell-text"),
)  # fmt: skip
