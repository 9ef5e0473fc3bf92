"""A plan as a finished workbook: summary with a chart, positions, trades, cash reconciliation, problems.

Every cell holds its value, so that it reads the same without Excel, without Python and on a phone.
"""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from engine.plan import Plan, Position
from engine.summary import cash_weight, reconciliation
from xl_addin.output import cells
from xl_addin.output.cells import Item, money_format, price_format
from xl_addin.output.files import write_whole
from xl_addin.output.language import Lang
from xl_addin.output.sentences import (
    balance_sentence,
    conclusion,
    conversion_sentence,
    price_notices,
    price_sources,
    quality_sentence,
    reason_sentence,
    tax_sentences,
)
from xl_addin.output.texts import known, say

_SUMMARY_WIDTHS = (30, 13, 13, 13, 13, 15, 40)


def write_workbook(plan: Plan, path: Path, lang: Lang = "en") -> None:
    """Write the plan's workbook, whole or not at all. Raises InputError where the place cannot be written to."""
    write_whole(path, lambda temporary: build_workbook(plan, lang).save(temporary))


def build_workbook(plan: Plan, lang: Lang = "en") -> Workbook:
    """Return the workbook of a plan, captions and sentences in the language."""
    book = Workbook()
    summary = book.worksheets[0]
    summary.title = say("summary", lang)
    positions = book.create_sheet(say("positions", lang))
    _positions(positions, plan, lang)
    _trades(book.create_sheet(say("trades", lang)), plan, lang)
    _reconciliation(book.create_sheet(say("reconciliation", lang)), plan, lang)
    _problems(book.create_sheet(say("problems", lang)), plan, lang)
    row = _summary(summary, plan, lang)
    if plan.positions:
        _chart(summary, f"A{row}", positions, len(plan.positions) + 1, lang)
    return book


def _summary(sheet: Worksheet, plan: Plan, lang: Lang) -> int:
    for place, width in enumerate(_SUMMARY_WIDTHS):
        sheet.column_dimensions["ABCDEFG"[place]].width = width
    across = len(_SUMMARY_WIDTHS)
    title = f"{say('plan', lang)}: {plan.name}" if plan.name else say("plan", lang)
    row = cells.put_sentence(sheet, 1, title, across, font=cells.TITLE)
    for notice in price_notices(plan, lang):
        row = cells.put_sentence(sheet, row, notice, across, font=cells.BOLD, loud=True)
    row = cells.put_sentence(sheet, row, conclusion(plan, lang), across, font=cells.HEADING)
    base = money_format(plan.base_currency)
    cash = cash_weight(plan)
    facts = (
        ("as_of", Item(plan.as_of.isoformat())),
        ("total", Item(plan.total_value, base, cells.BOLD)),
        ("cash", Item(cash.value, base)),
        ("drift_total", Item(plan.drift, cells.WEIGHT)),
        ("needs", Item(say("yes" if plan.needs_rebalancing else "no", lang), font=cells.BOLD)),
    )
    for name, item in facts:
        cells.put(sheet, row, 1, Item(say(name, lang)))
        cell = cells.put(sheet, row, 2, item)
        cell.fill = cells.RESULT_FILL
        cell.alignment = Alignment(horizontal="right")
        sheet.merge_cells(start_row=row, end_row=row, start_column=2, end_column=3)
        row += 1
    sentences = [
        f"{say('prices', lang)}: {price_sources(plan, lang)}",
        quality_sentence(plan, lang),
        *tax_sentences(plan.tax, plan.base_currency, lang),
    ]
    for sentence in sentences:
        row = cells.put_sentence(sheet, row, sentence, across)
    if plan.sections:
        row = _sections(sheet, row + 1, plan, lang)
    cells.set_page(sheet)
    sheet.page_setup.fitToHeight = 1
    return row + 1


def _sections(sheet: Worksheet, row: int, plan: Plan, lang: Lang) -> int:
    titles = ("section", "target", "weight", "drift", "status", "next_due", "breaches")
    rows = []
    for section in plan.sections:
        due = section.next_due.isoformat() if section.next_due else say("never", lang)
        rows.append(
            (
                Item(known(section.section, lang)),
                Item(section.target, cells.WEIGHT),
                Item(section.weight, cells.WEIGHT),
                Item(section.drift, cells.DRIFT),
                _status(section.status, lang),
                Item(say("due_now", lang) if section.due else due),
                Item(", ".join(section.breaches)),
            )
        )
    below = cells.put_table(sheet, row, [say(title, lang) for title in titles], rows)
    cells.set_heights(sheet, row)
    return below


def _status(status: str, lang: Lang) -> Item:
    return Item(say(status, lang), font=cells.BAD if status in ("OVER", "UNDER", "NO_TARGET") else cells.PLAIN)


def _positions(sheet: Worksheet, plan: Plan, lang: Lang) -> None:
    titles = (
        "name", "symbol", "section", "accounts", "quantity", "price", "currency", "fx", "value", "weight", "target",
        "drift", "low", "high", "status", "source", "price_as_of",
    )  # fmt: skip
    base = money_format(plan.base_currency)
    rows = [_position(position, base, lang) for position in plan.positions]
    cash = cash_weight(plan)
    held = (Item(cash.weight, cells.WEIGHT), Item(cash.target, cells.WEIGHT), Item(cash.drift, cells.DRIFT))
    rows.append((Item(say("cash", lang)), *[Item(None)] * 7, Item(cash.value, base), *held, *[Item(None)] * 5))
    total = Item(plan.total_value, base, cells.BOLD)
    rows.append((Item(say("total", lang), font=cells.BOLD), *[Item(None)] * 7, total, *[Item(None)] * 8))
    cells.put_table(sheet, 1, [say(title, lang) for title in titles], rows)
    cells.set_widths(sheet, 1)
    cells.set_page(sheet, freeze="B2")


def _position(position: Position, base: str, lang: Lang) -> tuple[Item, ...]:
    moment = position.price_as_of
    as_of = f"{moment:%Y-%m-%d %H:%M %z}".strip() if moment else say("no_date", lang)
    accounts = ", ".join(account for account in position.accounts if account)
    return (
        Item(position.name or position.symbol),
        Item(position.symbol),
        Item(known(position.section, lang) if position.section else ""),
        Item(accounts),
        Item(position.quantity, cells.QUANTITY),
        Item(position.price, price_format(position.price, position.currency)),
        Item(position.currency),
        Item(position.fx, "#,##0.00##"),
        Item(position.value, base),
        Item(position.weight, cells.WEIGHT),
        Item(position.target, cells.WEIGHT),
        Item(position.drift, cells.DRIFT),
        Item(position.low, cells.WEIGHT),
        Item(position.high, cells.WEIGHT),
        _status(position.status, lang),
        Item(position.price_source),
        Item(f"{as_of} {say('stale', lang)}", font=cells.BAD) if position.stale else Item(as_of),
    )


def _trades(sheet: Worksheet, plan: Plan, lang: Lang) -> None:
    titles = (
        "account", "side", "symbol", "name", "quantity", "price", "currency", "amount", "cost", "tax_column",
        "weight_after", "reason",
    )  # fmt: skip
    rows = [
        (
            Item(trade.account),
            Item(say(trade.side, lang), font=cells.BOLD),
            Item(trade.symbol),
            Item(trade.name or trade.symbol),
            Item(trade.quantity, cells.QUANTITY),
            Item(trade.price, price_format(trade.price, trade.currency)),
            Item(trade.currency),
            Item(trade.amount, money_format(trade.currency)),
            Item(trade.cost, money_format(trade.currency)),
            Item(trade.tax, money_format(trade.currency)),
            Item(trade.weight_after, cells.WEIGHT),
            Item(reason_sentence(trade.reason, lang)),
        )
        for trade in plan.trades
    ]
    row = cells.put_table(sheet, 1, [say(title, lang) for title in titles], rows)
    cells.set_widths(sheet, 1, most=64)
    if not plan.trades:
        cells.put_sentence(sheet, row, say("no_trades", lang), len(titles))
    cells.set_page(sheet, freeze="A2")


def _reconciliation(sheet: Worksheet, plan: Plan, lang: Lang) -> None:
    titles = ("account", "currency", "before", "sells", "buys", "costs", "exchanged", "after", "check")
    lines = reconciliation(plan)
    rows = []
    for line in lines:
        amounts = (line.before, line.sells, line.buys, line.costs, line.exchanged, line.after)
        name = say("all_accounts", lang) if line.account is None else line.account
        good = Item(say("balances", lang))
        bad = Item(f"{say('differs', lang)} {line.difference}", font=cells.BAD)
        figures = (Item(amount, money_format(line.currency)) for amount in amounts)
        rows.append((Item(name), Item(line.currency), *figures, bad if line.difference else good))
    row = cells.put_table(sheet, 1, [say(title, lang) for title in titles], rows)
    cells.set_widths(sheet, 1, least=12)
    for sentence in (balance_sentence(lines, lang), *(conversion_sentence(c, lang) for c in plan.conversions)):
        row = cells.put_sentence(sheet, row, sentence, len(titles))
    cells.set_page(sheet, freeze="A2")


def _problems(sheet: Worksheet, plan: Plan, lang: Lang) -> None:
    titles = [say(title, lang) for title in ("severity", "where", "message", "code")]
    rows = [
        (
            Item(say(problem.severity, lang), font=cells.BAD if problem.severity == "error" else cells.PLAIN),
            Item(problem.where),
            Item(problem.message),
            Item(problem.code),
        )
        for problem in plan.problems
    ]
    row = cells.put_table(sheet, 1, titles, rows)
    cells.set_widths(sheet, 1, most=80)
    if not plan.problems:
        cells.put_sentence(sheet, row, say("zero", lang), len(titles))
    cells.set_page(sheet, freeze="A2")


#: Where `_positions` writes weight and target, which the chart reads.
_WEIGHT_COLUMN, _TARGET_COLUMN = 10, 11


def _chart(sheet: Worksheet, anchor: str, data: Worksheet, count: int, lang: Lang) -> None:
    chart = BarChart()
    chart.type, chart.grouping = "bar", "clustered"
    chart.title = say("chart", lang)
    chart.add_data(
        Reference(data, min_col=_WEIGHT_COLUMN, max_col=_TARGET_COLUMN, min_row=1, max_row=count + 1),
        titles_from_data=True,
    )
    chart.set_categories(Reference(data, min_col=1, min_row=2, max_row=count + 1))
    for series, colour in zip(chart.series, ("2F75B5", "BFBFBF"), strict=True):
        series.graphicalProperties.solidFill = colour
    chart.series[0].dLbls = DataLabelList(showVal=True, showSerName=False, showCatName=False, showLegendKey=False)
    # The first position on top, as in the table.
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.number_format = "0%"
    chart.y_axis.scaling.min = 0
    chart.gapWidth = 40
    chart.legend.position = "b"
    chart.width, chart.height = 29, max(7.0, 0.75 * count + 3)
    sheet.add_chart(chart, anchor)
