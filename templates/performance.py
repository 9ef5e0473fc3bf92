"""A performance as rows of a workbook's Performance sheet, and as a report workbook of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from openpyxl.chart import AreaChart, BarChart, Reference
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.series import Series
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from engine.history import Floats, as_date
from engine.ledger.performance import OverTime, Performance, PeriodTotals, Returns
from engine.words import Lang, say, tell
from templates.cells import Row, Rows, Value
from templates.pages import drawn, filled_page, gridded, landscape, marks_of, portrait, put
from templates.spec.results import PARTS_SHOWN, ROOM
from templates.spec.vocabulary import spoken
from templates.write.canvas import Styles, dress, money_format
from templates.write.charts import PALETTE, dated
from templates.write.pack import packed

#: Most instruments that the allocation names; the rest are one.
_NAMED = 9
#: What stands for a figure that is not known, or would mislead.
_UNKNOWN = "–"


def _say(key: str, lang: Lang, **values: object) -> str:
    return say(f"performance.{key}", lang, **values)


@dataclass(frozen=True, slots=True)
class PerformanceTables:
    """The rows of the Performance sheet's tables, and what its parts over time are called."""

    rows: Mapping[str, Rows]
    shares: tuple[str, ...]
    note: str


def performance_tables(result: Performance, lang: Lang, names: Mapping[str, str]) -> PerformanceTables:
    """Return a performance as rows; `names` are what instruments are called, by symbol."""
    shares = _ranked(result.allocation)
    shown = shares[:PARTS_SHOWN]
    rows = {
        "Performance": _measures(result, lang),
        "Periods": _periods(result, lang),
        "Course": _course(result, shares),
    }
    note = _say("head", lang, name=result.currency, first=as_date(result.whole.days[0]), last=_last(result.whole))
    return PerformanceTables(rows, tuple(names.get(symbol, symbol) for symbol in shown), note)


def _measures(result: Performance, lang: Lang) -> Rows:
    whole, totals, returns = result.whole, result.totals, result.whole.returns()
    paid = _paid(whole)
    figures: dict[str, Value] = {
        "from": as_date(whole.days[0]),
        "to": _last(whole),
        "value": float(whole.value[-1]),
        "paid_in": paid,
        "gain": float(whole.value[-1]) - paid,
        "time_weighted": returns.time_weighted,
        "time_weighted_yearly": returns.yearly,
        "money_weighted": returns.money_weighted,
        "benchmark": result.benchmark.time_weighted if result.benchmark else None,
        "benchmark_yearly": result.benchmark.yearly if result.benchmark else None,
        "dividends": totals.dividends + totals.interest,
        "costs": totals.costs,
        "taxes": totals.taxes,
        "realised_average": totals.realised_average,
        "realised_fifo": totals.realised_fifo,
        "turnover": result.turnover,
        "drift": float(result.drift[-1]),
        "days_outside": result.outside,
    }
    return tuple(
        {"Measure": say(f"word.measure.{name}", lang), "Result": _or_dash(value)} for name, value in figures.items()
    )


def _or_dash(value: Value) -> Value:
    return _UNKNOWN if value is None else value


def _periods(result: Performance, lang: Lang) -> Rows:
    """Return the whole, each year, each account and each section; sums of what happened for those in time."""
    whole = result.whole
    every = _period(say("label.performance.all", lang), whole, whole.returns(), result.totals, _paid(whole))
    years = []
    for year, (returns, totals) in result.by_year.items():
        in_year = (whole.days >= np.datetime64(f"{year}-01-01")) & (whole.days <= np.datetime64(f"{year}-12-31"))
        # What there was before is carried in, not paid.
        paid = float((whole.came - whole.taken)[in_year].sum())
        part = whole.within(dt.date(year, 1, 1), dt.date(year, 12, 31))
        years.append(_period(str(year), part, returns, totals, paid))
    parts = [
        _period(f"{_say(kind, lang)}: {called(kind, one, lang)}", one, one.returns(), None, _paid(one))
        for kind, several in (("account", result.accounts), ("section", result.sections))
        for one in several
    ]
    return (every, *reversed(years), *parts)


def called(kind: str, part: OverTime, lang: Lang) -> str:
    """Return what an account or a section is called: sections in the reader's language."""
    return str(spoken("section", part.name, lang) if kind == "section" else part.name) or _say("none", lang)


def _paid(part: OverTime) -> float:
    return float((part.came - part.taken).sum())


def _period(name: str, part: OverTime, returns: Returns, totals: PeriodTotals | None, paid: float) -> Row:
    row: dict[str, Value] = {
        "Period": name,
        "TimeWeighted": returns.time_weighted,
        "MoneyWeighted": _or_dash(returns.money_weighted),
        "EndValue": float(part.value[-1]) if len(part.value) else None,
        "NetPaid": paid,
    }
    if totals is None:
        return row
    return row | {
        "Dividends": totals.dividends + totals.interest,
        "Costs": totals.costs,
        "Taxes": totals.taxes,
        "RealisedAverage": _or_dash(totals.realised_average),
        "RealisedFifo": _or_dash(totals.realised_fifo),
    }


def _course(result: Performance, shares: Sequence[str]) -> Rows:
    """Return evenly spaced days, the first and the last among them, with value, paid in, drift and weights."""
    whole = result.whole
    paid, count = np.cumsum(whole.came - whole.taken), len(whole.days)
    rest = [result.allocation[symbol] for symbol in shares[PARTS_SHOWN:]]
    others, cash = np.sum(rest, axis=0) if rest else None, result.allocation.get("")
    rows = []
    for at in np.unique(np.linspace(0, count - 1, min(count, ROOM)).round().astype(int)):
        row: dict[str, Value] = {"On": as_date(whole.days[at]), "Worth": float(whole.value[at]),
                                 "PaidIn": float(paid[at]), "OffTarget": float(result.drift[at])}  # fmt: skip
        for number, symbol in enumerate(shares[:PARTS_SHOWN], 1):
            row[f"Part{number}"] = float(result.allocation[symbol][at])
        row["Others"] = None if others is None else float(others[at])
        row["CashShare"] = None if cash is None else float(cash[at])
        rows.append(row)
    return tuple(rows)


def _last(part: OverTime) -> dt.date:
    return as_date(part.days[-1])


def _ranked(allocation: Mapping[str, Floats]) -> list[str]:
    """Return the symbols, the largest over time first, without cash."""
    return sorted((symbol for symbol in allocation if symbol), key=lambda one: -float(allocation[one].mean()))


def performance_book(result: Performance, name: str, lang: Lang, names: Mapping[str, str]) -> bytes:
    """Return the report as an .xlsx file; `names` are what instruments are called, by symbol."""
    workbook = Workbook()
    pages = [workbook.worksheets[0], workbook.create_sheet(), workbook.create_sheet()]
    styles = Styles(workbook, lang)
    for page, title in zip(pages, ("sheet-summary", "sheet-curves", "sheet-gains"), strict=True):
        page.title = _say(title, lang)
        page.sheet_view.showGridLines = False
    _summary(pages[0], result, name, styles, lang)
    _curves(pages[1], result, styles, lang, names)
    _gains(pages[2], result, styles, lang)
    dress(pages[0].cell(1, 1), styles.look("title"))
    return packed(workbook, {})


def _summary(page: Worksheet, result: Performance, name: str, styles: Styles, lang: Lang) -> None:
    whole, totals = result.whole, result.totals
    about = [
        _say("legend", lang),
        *(f"{tell(one.where, lang)}: {one.said(lang, 'workbook')}" for one in result.problems),
    ]
    head = _say("head", lang, name=name, first=as_date(whole.days[0]), last=as_date(whole.days[-1]))
    row = filled_page(page, head, about, styles, 6)
    money, rate = f"cell-number|{money_format(result.currency)}", "cell-number|+0.00%;-0.00%;0.00%"
    share = "cell-number|0.00%"
    returns, paid = whole.returns(), float((whole.came - whole.taken).sum())
    lines = [
        ("value", float(whole.value[-1]), money), ("paid", paid, money),
        ("gain", float(whole.value[-1]) - paid, money), ("time-weighted", returns.time_weighted, rate),
        ("yearly", returns.yearly, rate), ("money-weighted", returns.money_weighted, rate),
        ("benchmark", result.benchmark.time_weighted if result.benchmark else None, rate),
        ("dividends", totals.dividends + totals.interest, money), ("costs", totals.costs, money),
        ("taxes", totals.taxes, money), ("realised-average", totals.realised_average, money),
        ("realised-fifo", totals.realised_fifo, money), ("turnover", result.turnover, share),
        ("drift", float(result.drift[-1]), share), ("outside", result.outside, "cell-number|#,##0"),
    ]  # fmt: skip
    for at, (key, value, look) in enumerate(lines, row):
        put(page, at, 1, _say(key, lang), styles.look("cell-text"))
        _figure(page, at, 2, value, styles.look(look))
    page.column_dimensions["A"].width, page.column_dimensions["B"].width = 46, 20
    row += len(lines) + 1
    years = [(str(year), one.time_weighted, one.money_weighted, sums.realised_average, sums.realised_fifo)
             for year, (one, sums) in result.by_year.items()]  # fmt: skip
    heads = ("year", "time-weighted-short", "money-weighted-short", "realised-average", "realised-fifo")
    row = _table(page, row, heads, years, (rate, rate, money, money), styles, lang)
    for kind, parts in (("account", result.accounts), ("section", result.sections)):
        if parts:
            rows = [_figures(kind, one, lang) for one in parts]
            captions = (kind, "value-short", "time-weighted-short", "money-weighted-short")
            row = _table(page, row, captions, rows, (money, rate, rate), styles, lang)
    for column in "CDEF":
        page.column_dimensions[column].width = 20
    landscape(page, one_page=True)


def _figure(page: Worksheet, row: int, column: int, value: object, look: object) -> None:
    """Write a figure, or what stands for one that is not known."""
    put(page, row, column, _UNKNOWN if value is None else float(value), look)  # type: ignore[arg-type]


def _figures(kind: str, part: OverTime, lang: Lang) -> tuple[object, ...]:
    returns = part.returns()
    return called(kind, part, lang), float(part.value[-1]), returns.time_weighted, returns.money_weighted


def _table(
    page: Worksheet,
    row: int,
    heads: Sequence[str],
    rows: Sequence[tuple[object, ...]],
    looks: Sequence[str],
    styles: Styles,
    lang: Lang,
) -> int:
    """Write a small table, and return the row below it and a free one."""
    for column, head in enumerate(heads, 1):
        put(page, row, column, _say(head, lang), styles.look("caption"))
    for at, cells in enumerate(rows, row + 1):
        put(page, at, 1, cells[0], styles.look("cell-text"))
        for column, (value, look) in enumerate(zip(cells[1:], looks, strict=True), 2):
            _figure(page, at, column, value, styles.look(look))
    return row + len(rows) + 2


def _curves(page: Worksheet, result: Performance, styles: Styles, lang: Lang, names: Mapping[str, str]) -> None:
    days, marks = result.whole.days, marks_of(len(result.whole.days))
    first = filled_page(page, _say("sheet-curves", lang), [_say("curves-about", lang)], styles, 9)
    top = first + 63
    paid = np.cumsum(result.whole.came - result.whole.taken)
    heads = [say("backtest.date", lang), _say("value", lang), _say("paid", lang)]
    gridded(page, top, 1, heads, days, marks, [(result.whole.value, "last"), (paid, "last")],
            money_format(result.currency), styles)  # fmt: skip
    last = top + len(marks)
    page.add_chart(drawn(page, _say("chart-value", lang), top, last, 1, 2, "#,##0"), f"A{first}")
    shares = _largest(result.allocation, lang, names)
    gridded(page, top, 5, [heads[0], *shares], days, marks, [(one, "last") for one in shares.values()], "0.0%", styles)
    page.add_chart(_areas(page, _say("chart-allocation", lang), top, last, 5, len(shares)), f"A{first + 21}")
    beside = 7 + len(shares)
    gridded(
        page, top, beside, [heads[0], _say("drift", lang)], days, marks, [(result.drift, "highest")], "0.0%", styles
    )
    page.add_chart(drawn(page, _say("chart-drift", lang), top, last, beside, 1, "0%"), f"A{first + 42}")
    page.print_area = f"A1:I{top - 2}"
    portrait(page)


def _largest(allocation: Mapping[str, Floats], lang: Lang, names: Mapping[str, str]) -> dict[str, Floats]:
    """Return the weights of the largest instruments over time, the rest as one, and cash last."""
    found, order = dict(allocation), _ranked(allocation)
    cash = found.pop("", None)
    shown: dict[str, Floats] = {}
    for symbol in order[:_NAMED]:
        name = names.get(symbol, symbol)
        shown[name if name not in shown else symbol] = found[symbol]
    if order[_NAMED:]:
        shown[_say("others", lang)] = np.sum([found[symbol] for symbol in order[_NAMED:]], axis=0)
    if cash is not None:
        shown[_say("cash", lang)] = cash
    return shown


def _areas(page: Worksheet, title: str, top: int, last: int, left: int, count: int) -> AreaChart | BarChart:
    """Return the weights over time, one upon the other; of a single day, which makes no area, a column."""
    alone = last == top + 1
    chart: AreaChart | BarChart = BarChart() if alone else AreaChart()
    if alone:
        chart.overlap = 100  # type: ignore[union-attr]
    chart.title, chart.grouping = title, "percentStacked"
    chart.width, chart.height = 26, 10
    chart.add_data(
        Reference(page, min_col=left + 1, max_col=left + count, min_row=top, max_row=last), titles_from_data=True
    )
    chart.set_categories(Reference(page, min_col=left, min_row=top + 1, max_row=last))
    series: Series
    for at, series in enumerate(chart.series):
        series.graphicalProperties.solidFill = PALETTE[at % len(PALETTE)]
    dated(chart, [page.cell(row, left).value for row in range(top + 1, last + 1)], 12)
    chart.y_axis.number_format = "0%"
    assert chart.legend is not None  # noqa: S101 - openpyxl makes one
    chart.legend.position = "b"
    chart.layout = Layout(ManualLayout(x=0.07, y=0.13, w=0.9, h=0.6))
    return chart


def _gains(page: Worksheet, result: Performance, styles: Styles, lang: Lang) -> None:
    """List what every sale gained."""
    names = ("date", "account", "symbol", "currency", "average", "fifo", "average-base", "fifo-base")
    first = filled_page(page, _say("sheet-gains", lang), [_say("gains-about", lang)], styles, len(names))
    for column, name in enumerate(names, 1):
        put(page, first, column, _say(f"gain-{name}", lang), styles.look("caption"))
        page.column_dimensions[get_column_letter(column)].width = 17
    number = styles.look("cell-number|#,##0.00;[Red]-#,##0.00")
    base = styles.look(f"cell-number|{money_format(result.currency)}")
    for at, one in enumerate(result.gains, first + 1):
        texts = (one.date, one.account, one.symbol, one.currency)
        looks = (styles.look("cell-centre|yyyy-mm-dd"), *[styles.look("cell-text")] * 3)
        for column, (value, look) in enumerate(zip(texts, looks, strict=True), 1):
            put(page, at, column, value, look)
        figures = ((one.average, number), (one.fifo, number), (one.average_base, base), (one.fifo_base, base))
        for column, (amount, look) in enumerate(figures, len(texts) + 1):
            put(page, at, column, None if amount is None else float(amount), look)
    page.freeze_panes = f"A{first + 1}"
    landscape(page)
