"""The report workbook of a backtest: what policies came to, their curves, drift with its bands, and what was traded.

It stands alone: values and charts, no formulas, no input. Curves are shown at the end of each week (of each month where
there are many), the deepest fall and the widest drift of the time between.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from engine.backtest.result import Backtest, Row
from engine.backtest.run import bands_of
from engine.history import Floats, as_date
from engine.words import Lang, say, tell
from templates.pages import drawn, filled_page, gridded, landscape, marks_of, put
from templates.write.canvas import Styles, dress, money_format
from templates.write.pack import packed

#: Most policies that a chart can be read with, most trades that are listed.
_CURVES, _DEALS = 8, 5000
#: The column that charts of this width end at.
_LAST = "I"
_PERCENT, _MONEY = "0.00%", "money"
_FIGURES = (
    ("cagr", _PERCENT), ("volatility", _PERCENT), ("max_drawdown", _PERCENT), ("ulcer", _PERCENT),
    ("tracking_error", _PERCENT), ("drift_mean", _PERCENT), ("drift_max", _PERCENT), ("turnover", _PERCENT),
    ("trades", "#,##0"), ("orders", "#,##0"), ("costs", _MONEY), ("taxes", _MONEY), ("tax_due", _MONEY),
    ("money_weighted", _PERCENT), ("paid_in", _MONEY), ("final_value", _MONEY),
)  # fmt: skip


def backtest_book(result: Backtest, verdict: str, lang: Lang) -> bytes:
    """Return the report as an .xlsx file; `verdict` is what is told of the noise."""
    workbook = Workbook()
    pages = [workbook.worksheets[0], *(workbook.create_sheet() for _ in range(3))]
    styles = Styles(workbook, lang)
    for page, name in zip(pages, ("summary", "curves", "drift", "deals"), strict=True):
        page.title = _say(f"sheet-{name}", lang)
        page.sheet_view.showGridLines = False
    _summary(pages[0], result, verdict, styles, lang)
    _curves(pages[1], result, styles, lang)
    _drift(pages[2], result, styles, lang)
    _deals(pages[3], result, styles, lang)
    # Making a style takes the first cell of the first sheet: it is dressed when all are made.
    dress(pages[0].cell(1, 1), styles.look("title"))
    return packed(workbook, {})


def _say(key: str, lang: Lang, **values: object) -> str:
    return say(f"backtest.{key}", lang, **values)


def _summary(page: Worksheet, result: Backtest, verdict: str, styles: Styles, lang: Lang) -> None:
    about = [
        _say(
            f"about-{result.method}", lang, first=result.start, last=result.end, days=result.days,
            money=f"{result.rows[0].run.flows[0]:,.0f} {result.currency}",
        ),
        verdict,
    ]  # fmt: skip
    if result.walk:
        walk = result.walk
        about.append(
            _say(
                "walk", lang, chosen=walk.chosen, baseline=walk.baseline, average=walk.average, name=result.baseline,
                first=min(walk.choices), last=max(walk.choices),
            )
        )  # fmt: skip
    about += [f"{tell(one.where, lang)}: {one.said(lang, 'workbook')}" for one in result.problems]
    width = len(_FIGURES) + 4
    first = filled_page(page, _say("title", lang, name=result.name or _say("portfolio", lang)), about, styles, width)
    heads = [_say("column-policy", lang), *(_say(f"figure-{name}", lang) for name, _ in _FIGURES)]
    heads += [_say(f"figure-{name}", lang) for name in ("excess", "low", "high")]
    for column, head in enumerate(heads, 1):
        put(page, first, column, head, styles.look("caption"))
        page.column_dimensions[get_column_letter(column)].width = 22 if column == 1 else 11.5
    page.row_dimensions[first].height = 44
    money = money_format(result.currency)
    for at, row in enumerate(result.rows, first + 1):
        put(page, at, 1, row.name, styles.look("cell-text"))
        for column, (name, form) in enumerate(_FIGURES, 2):
            style = styles.look(f"cell-number|{money if form == _MONEY else form}")
            put(page, at, column, getattr(row.figures, name), style)
        off = row.difference
        values = (off.excess, off.low, off.high) if off else (None, None, None)
        for column, value in enumerate(values, len(_FIGURES) + 2):
            strong = ".1E7B34" if off and off.beyond_noise else ""
            put(page, at, column, value, styles.look(f"cell-number{strong}|+0.00%;-0.00%;0.00%"))
    last = first + len(result.rows)
    table = Table(displayName="Policies", ref=f"A{first}:{get_column_letter(len(heads))}{last}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    page.add_table(table)
    page.freeze_panes = f"B{first + 1}"
    notes = [_say("legend", lang), *([_say("legend-noise", lang)] if result.noise_known else [])]
    for at, text in enumerate(notes, last + 2):
        page.merge_cells(start_row=at, start_column=1, end_row=at, end_column=width)
        put(page, at, 1, text, styles.look("text"))
        page.row_dimensions[at].height = 15 * (1 + len(text) // (11 * width))
    landscape(page)


def _chosen(result: Backtest) -> list[Row]:
    """Return the policies that charts show: the first ones, the baseline among them."""
    base = [row for row in result.rows if row.difference is None and row.policy == result.baseline][:1]
    return [*base, *islice((row for row in result.rows if row not in base), _CURVES - len(base))]


def _curves(page: Worksheet, result: Backtest, styles: Styles, lang: Lang) -> None:
    rows, days = _chosen(result), result.rows[0].run.days
    marks = marks_of(result.days)
    first = filled_page(page, _say("sheet-curves", lang), [_say("curves-about", lang, shown=len(rows))], styles, 9)
    top = first + 42
    paid = np.cumsum(rows[0].run.flows)
    falls = [_falls(row) for row in rows]
    heads = [_say("date", lang), *(row.name for row in rows), _say("paid-in", lang)]
    values = [*(row.run.value for row in rows), paid]
    gridded(
        page,
        top,
        1,
        heads,
        result.rows[0].run.days,
        marks,
        [(one, "last") for one in values],
        money_format(result.currency),
        styles,
    )
    beside = len(heads) + 2
    gridded(page, top, beside, [_say("date", lang), *(row.name for row in rows)], days, marks,
          [(one, "lowest") for one in falls], "0.0%", styles)  # fmt: skip
    last = top + len(marks)
    page.add_chart(drawn(page, _say("chart-value", lang), top, last, 1, len(heads) - 1, "#,##0"), f"A{first}")
    page.add_chart(drawn(page, _say("chart-fall", lang), top, last, beside, len(rows), "0%"), f"A{first + 21}")
    page.print_area = f"A1:{_LAST}{top - 2}"
    landscape(page, one_page=True)


def _falls(row: Row) -> Floats:
    """Return how far below its last high the policy was each day, money in and out left aside."""
    returns = (row.run.value[1:] - row.run.flows[1:]) / row.run.value[:-1]
    growth = np.concatenate([[1.0], np.cumprod(returns)])
    return np.asarray(growth / np.maximum.accumulate(growth) - 1.0)


def _drift(page: Worksheet, result: Backtest, styles: Styles, lang: Lang) -> None:
    """Write the widest drift of each week, and of the first policy that trades by bands where each weight was."""
    rows, marks, days = _chosen(result), marks_of(result.days), result.rows[0].run.days
    first = filled_page(page, _say("sheet-drift", lang), [_say("drift-about", lang)], styles, 9)
    top = first + 42
    heads = [_say("date", lang), *(row.name for row in rows)]
    gridded(
        page,
        top,
        1,
        heads,
        result.rows[0].run.days,
        marks,
        [(row.run.drift, "highest") for row in rows],
        "0.0%",
        styles,
    )
    last = top + len(marks)
    page.print_area = f"A1:{_LAST}{top - 2}"
    landscape(page, one_page=True)
    page.add_chart(drawn(page, _say("chart-drift", lang), top, last, 1, len(rows), "0%"), f"A{first}")
    detail = next((row for row in rows if any(deal.reason == "band" for deal in row.run.deals)), rows[-1])
    names = [symbol for symbol in result.symbols if symbol in result.targets][:_CURVES]
    columns = list(result.symbols)
    targets = np.array([result.targets[name] for name in names])
    if detail.basket or detail.run.weights.shape[1] != len(columns) + 1:
        return
    off = detail.run.weights[:, [columns.index(name) for name in names]] - targets
    traded = np.full(result.days, np.nan)
    for deal in (one for one in detail.run.deals[1:] if one.reason in ("band", "schedule")):
        traded[deal.row] = float(off[deal.row][np.argmax(np.abs(off[deal.row]))])
    beside = len(heads) + 2
    heads = [_say("date", lang), *names, _say("traded", lang)]
    series = [*((off[:, at], "widest") for at in range(len(names))), (traded, "widest")]
    widths = [bands_of(one, names, targets) for one in detail.run.policy.watches]
    nearest = float(np.min(widths)) if widths else np.inf
    if np.isfinite(nearest):
        heads += [_say("band-high", lang), _say("band-low", lang)]
        series += [(np.full(result.days, nearest), "last"), (np.full(result.days, -nearest), "last")]
    gridded(page, top, beside, heads, days, marks, series, "+0.0%;-0.0%;0.0%", styles)
    chart = drawn(page, _say("chart-weights", lang, policy=detail.name), top, last, beside, len(heads) - 1, "0%")
    mark = chart.series[len(names)]
    for band in chart.series[len(names) + 1 :]:
        band.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill="7F7F7F", prstDash="dash", w=12700))
    mark.graphicalProperties = GraphicalProperties(ln=LineProperties(noFill=True))
    mark.marker.symbol, mark.marker.size = "diamond", 6
    mark.marker.graphicalProperties = GraphicalProperties(solidFill="C00000", ln=LineProperties(solidFill="C00000"))
    page.add_chart(chart, f"A{first + 21}")


def _deals(page: Worksheet, result: Backtest, styles: Styles, lang: Lang) -> None:
    """List what was done, policy by policy."""
    names = ("policy", "date", "reason", "bought", "sold", "orders", "cost", "tax")
    every = [(row, deal) for row in result.rows for deal in row.run.deals]
    about = [] if len(every) <= _DEALS else [_say("deals-cut", lang, shown=_DEALS, every=len(every))]
    first = filled_page(page, _say("sheet-deals", lang), about, styles, len(names))
    for column, name in enumerate(names, 1):
        put(page, first, column, _say(f"deal-{name}", lang), styles.look("caption"))
        page.column_dimensions[get_column_letter(column)].width = 26 if column == 1 else 15
    money = styles.look(f"cell-number|{money_format(result.currency)}")
    for at, (row, deal) in enumerate(every[:_DEALS], first + 1):
        day = as_date(row.run.days[deal.row])
        cells = (
            row.name,
            day,
            _say(f"reason-{deal.reason}", lang),
            deal.bought,
            deal.sold,
            deal.orders,
            deal.cost,
            deal.tax,
        )
        kinds = (styles.look("cell-text"), styles.look("cell-centre|yyyy-mm-dd"), styles.look("cell-centre"),
                 money, money, styles.look("cell-number|#,##0"), money, money)  # fmt: skip
        for column, (value, style) in enumerate(zip(cells, kinds, strict=True), 1):
            put(page, at, column, value, style)
    if every:
        last = first + min(len(every), _DEALS)
        table = Table(displayName="Deals", ref=f"A{first}:{get_column_letter(len(names))}{last}")
        table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
        page.add_table(table)
    page.freeze_panes = f"A{first + 1}"
    landscape(page)
