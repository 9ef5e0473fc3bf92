"""The buttons that compute: prices and analyses fetched, the mode set, trades proposed, the last button undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import InputError, RebalancerError, error
from engine.phrase import phrase
from engine.plan import Plan
from engine.words import Lang
from rebalancer.analysing import Sources
from templates.cells import Rows
from templates.read.tables import Found
from templates.spec import sheet as sheet_spec
from templates.spec import table
from templates.spec.layout import BLOCK_ROW, HEADER_ROW
from templates.spec.vocabulary import HIGH, spoken
from xl_addin.buttons import Lines, Progress, problem_lines
from xl_addin.buttons.book import (
    ALLOCATION,
    WRITTEN,
    Book,
    Tables,
    allocated,
    content,
    emptied,
    found_in,
    place_of,
    rows_in,
    tables_of,
    written,
)
from xl_addin.buttons.edits import Edit, apply, drop, last, write
from xl_addin.functions.inputs import Inputs, language_of_titles

if TYPE_CHECKING:
    from templates.write import Book as WrittenBook

#: Where closes and facts come from.
SOURCES = Sources()
#: What functions over closes fill, besides the matrix.
TABLES = ("Comparison", "Review", "Alerts", "Limits")
#: Results of functions: written where Excel does not compute them itself.
COMPUTED = ("Trades", "Drift", "Summary", "Limits", "Calendar", "Problems", "Prices")
_SAMPLE = "SAMPLE"
_NOTHING = phrase("button.nothing-to-trade")


# --- prices, analyses, mode ---------------------------------------------------------------------------------------
def refresh(book: Book, progress: Progress, *, formulas: bool) -> Lines:
    """Fetch every price and rate anew in one batch, then compute again."""
    from rebalancer.quoting import failures, quotes, wanted_symbols
    from xl_addin.functions.inputs import read_inputs

    progress.step("reading")
    tables = tables_of(book)
    inputs = read_inputs("refresh", {}, tables)
    progress.step("prices")
    batch = quotes(wanted_symbols(inputs.portfolio), refresh=True)
    progress.step("computing")
    if formulas:
        # What no function computes is of the prices before.
        places = found_in(book, tables)
        apply(book, [*unlabelled(places, inputs.lang), *allocated(places)], "refresh")
        book.app.api.CalculateFull()
    else:
        edits, _ = proposed(book, tables, "refresh", everything=True)
        apply(book, edits, "refresh")
    told = [problem for problem in batch.problems if problem.code in ("doubtful", "split-recent")]
    return problem_lines([*failures(batch.ok, batch.failed), *told], progress.lang)


def sources(book: Book, _progress: Progress, *, formulas: bool) -> Lines:  # noqa: ARG001 - as every command
    """Show the sheet that says where every price comes from, and how old it is."""
    titles = set(sheet_spec("Prices").titles)
    for sheet in book.sheets:
        if sheet.name in titles:
            sheet.activate()
            return ()
    raise InputError([error("no-sheet", "Prices")])


def analyse(book: Book, progress: Progress, *, formulas: bool) -> Lines:
    """Fetch closes and facts, then compute the analyses; says what could not be had."""
    from rebalancer.clock import today
    from xl_addin.functions.inputs import read_inputs, with_ledger
    from xl_addin.show.analysis_cells import analysed

    progress.step("reading")
    tables = tables_of(book)
    inputs = read_inputs("analyse", {}, tables)
    progress.step("closes")
    rows, problems = analysed(with_ledger(inputs, "analyse", today()), {}, SOURCES, today(), inputs.lang)
    progress.step("computing")
    places = with_matrix(found_in(book, tables))
    over_time = _over_time(places, inputs)
    if formulas:
        apply(book, [*unlabelled(places, inputs.lang), *over_time], "analyse")
        book.app.api.CalculateFull()
    else:
        # What could not be computed keeps its made-up numbers, and therefore its label.
        computed = {name: place for name, place in places.items() if name in rows}
        apply(book, [*unlabelled(computed, inputs.lang), *results(places, rows), *over_time], "analyse")
    return problem_lines(problems, progress.lang)


def _over_time(places: Mapping[str, Found], inputs: Inputs) -> list[Edit]:
    """Return the edits that fill the Performance sheet with what the workbook's ledger came to; none without one."""
    from pathlib import Path

    from rebalancer.clock import today
    from rebalancer.ledgers import Ledger
    from rebalancer.performing import add_performance, performance_of
    from rebalancer.tabulating import AnalysisTables
    from xl_addin.functions.inputs import entries_of

    ledger = Ledger(Path("Ledger"), entries_of(inputs.grids, "analyse"))
    result = performance_of(inputs.portfolio, ledger, SOURCES, today())
    if result is None or "Course" not in places:
        return []
    found = AnalysisTables()
    add_performance(found, result, inputs.portfolio, inputs.lang)
    edits = [edit for name, rows in found.rows.items() if name in places for edit in written(places[name], rows)]
    course = places["Course"]
    for number, name in enumerate(found.shares, 1):
        if at := course.columns.get(f"Part{number}"):
            edits.append(Edit(course.grid.name, course.header - 1, at, ((content(name),),)))
    return edits


def mode_full(book: Book, progress: Progress, *, formulas: bool) -> Lines:
    """Let everything be bought and sold."""
    return _mode(book, progress, "full", formulas=formulas)


def mode_buy_only(book: Book, progress: Progress, *, formulas: bool) -> Lines:
    """Let nothing be sold."""
    return _mode(book, progress, "buy-only", formulas=formulas)


def mode_sell_only(book: Book, progress: Progress, *, formulas: bool) -> Lines:
    """Let nothing be bought."""
    return _mode(book, progress, "sell-only", formulas=formulas)


def _mode(book: Book, progress: Progress, mode: str, *, formulas: bool) -> Lines:
    """Set the mode, and propose the trades that fit it: the plan of another mode must not stand.

    Where there can be none, the old plan goes all the same, and the reason is raised.
    """
    progress.step("reading")
    tables = tables_of(book)
    places = found_in(book, tables)
    edit = _mode_edit(place_of(places, "Settings"), mode)
    tables[edit.sheet][edit.row - 1][edit.column - 1] = mode
    progress.step("trades")
    try:
        edits, count = proposed(book, tables, f"mode {mode}", everything=not formulas)
    except RebalancerError:
        apply(book, [edit, *emptied(places, formulas=formulas)], f"mode {mode}")
        raise
    apply(book, [edit, *edits], f"mode {mode}")
    if formulas:
        book.app.api.CalculateFull()
    return () if count else (_NOTHING,)


def _mode_edit(place: Found, mode: str) -> Edit:
    for row, values in rows_in(place):
        if values.get("Key") == "mode":
            word = spoken("setting.mode", mode, language_of_titles((place.grid.name,)))
            return Edit(place.grid.name, row, place.columns["Value"], ((word,),))
    raise InputError([error("no-setting", "Settings", name="mode")])


# --- trades -------------------------------------------------------------------------------------------------------
def propose(book: Book, progress: Progress, *, formulas: bool) -> Lines:
    """Compute the trades, the cash reconciliation and the checks."""
    progress.step("reading")
    tables = tables_of(book)
    progress.step("trades")
    edits, count = proposed(book, tables, "propose", everything=not formulas)
    apply(book, edits, "propose")
    if formulas:
        book.app.api.CalculateFull()
    return () if count else (_NOTHING,)


def proposed(book: Book, tables: Tables, what: str, *, everything: bool) -> tuple[list[Edit], int]:
    """Return the edits that write the plan's results, and how many trades it has.

    With `everything`, also what functions would fill.
    """
    from rebalancer.books import plan_book
    from templates.write import build
    from xl_addin.functions.plan import drift_rows, plan_of

    plan, lang = plan_of(what, {}, tables)
    report = plan_book(plan, lang)
    compared = drift_rows(plan.portfolio, plan.positions, plan.goals)
    report = replace(report, results={**report.results, "Drift": compared})
    places = found_in(book, tables)
    edits = [edit for name in WRITTEN for edit in written(place_of(places, name), report.rows(name))]
    edits += allocated(places, report.rows(ALLOCATION), report.notes.get(ALLOCATION, ""))
    edits += _volatility(places, plan)
    made = build(report, lang)
    edits += _said(tables, made, lang)
    edits += _in_goals(places, made.figures.tables)
    if not everything:
        edits += unlabelled(places, lang)
    if everything:
        for name in COMPUTED:
            if name in places:
                edits += written(places[name], report.rows(name), headers=True)
        rates = {row["Currency"]: row for row in report.rows("FxRates")}
        place = place_of(places, "FxRates")
        for number, row in rows_in(place):
            for name in ("MarketRate", "AsOf", "Source", "Status"):
                if row.get("Currency") in rates:
                    value = content(rates[row["Currency"]].get(name))
                    edits.append(Edit(place.grid.name, number, place.columns[name], ((value,),)))
    return edits, len(plan.trades)


def _in_goals(places: Mapping[str, Found], rows: Mapping[str, Rows]) -> list[Edit]:
    """Return the edits that say what is in each goal, and which goal is within which, where the workbook has goals."""
    if "Goals" not in places or "Targets" not in places:
        return []
    place, wider = places["Targets"], {row.get("Key"): row.get("Within") for row in rows["Targets"]}
    edits = written(places["Goals"], rows["Goals"])
    for number, row in rows_in(place) if "Within" in place.columns else ():
        key = next((row[name] for name in ("Ticker", "Goal", "Class", "Members") if row.get(name)), None)
        edits.append(Edit(place.grid.name, number, place.columns["Within"], ((wider.get(key),),)))
    return edits


def _said(tables: Tables, book: WrittenBook, lang: Lang) -> list[Edit]:
    """Return the edits of what the dashboard says of its day and prices: no formula does."""
    from templates.write.dashboard import SAID

    made = book.workbook[sheet_spec("Dashboard").title(lang)]
    cells = [made[address] for address in SAID]
    shown = tables.get(made.title, [])
    return [
        Edit(made.title, cell.row, cell.column, ((content(cell.value),),))
        for cell in cells
        if cell.row <= len(shown) and (shown[cell.row - 1][cell.column - 1] or "") != (cell.value or "")
    ]


def _volatility(places: Mapping[str, Found], plan: Plan) -> list[Edit]:
    """Return the edits that say whose band high volatility widens, where the workbook has a column for it."""
    place = places.get("Targets")
    if place is None or "Volatility" not in place.columns:
        return []
    rough = {target.symbol for _, target in plan.portfolio.targets() if target.high_volatility}
    return [
        Edit(place.grid.name, number, place.columns["Volatility"], ((HIGH if row.get("Ticker") in rough else None,),))
        for number, row in rows_in(place)
    ]


def undo(book: Book, progress: Progress, *, formulas: bool) -> Lines:  # noqa: ARG001
    """Put the sheets back as they were before the last button that changed them and is not undone yet.

    Raises InputError where a person has changed those cells since.
    """
    point = last(book)
    progress.step("undoing", what=point.what)
    ledger = found_in(book, tables_of(book)).get("Ledger") if point.what == "record" else None
    edits: list[Edit] = []
    if ledger is not None:
        from rebalancer.clock import today
        from xl_addin.buttons.ledger import taken_back

        # Rows of the ledger stay: that they are taken back is a row of its own.
        point = replace(point, kept=tuple(one for one in point.kept if one.sheet != ledger.grid.name))
        edits = taken_back(book, ledger, today())
    point.check(book)
    write(book, edits, point.put_back)
    drop(book)
    return ()


# --- where the analyses stand -------------------------------------------------------------------------------------
def with_matrix(places: Mapping[str, Found]) -> dict[str, Found]:
    """Add the matrix of correlations where no name tells its place: it stands at the right of the alerts."""
    if "Correlation" in places:
        return dict(places)
    alerts = places.get("Alerts")
    header = alerts.grid.rows.get(alerts.header, {}) if alerts else {}
    right = max(alerts.columns.values()) if alerts else 0
    left = next((at for at in sorted(header) if at > right and header[at] == "Ticker"), None)
    if alerts is None or left is None:
        return dict(places)
    return {**places, "Correlation": replace(alerts, table=table("Correlation"), columns={"Ticker": left})}


def results(places: Mapping[str, Found], rows: Mapping[str, Rows]) -> list[Edit]:
    """Return the edits that put the analyses in their places, over the formulas."""
    shown = [name for name in TABLES if name in places and name in rows]
    edits = [edit for name in shown for edit in written(places[name], rows[name], headers=True)]
    if "Correlation" in places and "Correlation" in rows:
        edits += _matrix(places["Correlation"], rows["Correlation"])
    return edits


def _matrix(place: Found, rows: Rows) -> list[Edit]:
    """Return the edit of the matrix; what of the one before is larger is emptied."""
    left, cells = place.columns["Ticker"], place.grid.rows
    names = list(rows[0]) if rows else ["Ticker"]
    block = [names, *([content(row[name]) for name in names] for row in rows)]
    right = left
    while cells.get(place.header, {}).get(right + 1) is not None:
        right += 1
    last = place.header
    while cells.get(last + 1, {}).get(left) is not None:
        last += 1
    width = max(len(names), right - left + 1)
    height = max(len(block), last - place.header + 1)
    filled = [[*row, *[None] * (width - len(row))] for row in block]
    filled += [[None] * width for _ in range(height - len(block))]
    return [Edit(place.grid.name, place.header, left, tuple(map(tuple, filled)))]


def unlabelled(places: Mapping[str, Found], lang: Lang) -> list[Edit]:
    """Return the edits that take the label of made-up closes off the titles."""
    edits = []
    for name, place in with_matrix(places).items():
        row, left = place.header - HEADER_ROW + BLOCK_ROW, min(place.columns.values())
        if name in (*TABLES, "Correlation") and _SAMPLE in str(place.grid.rows.get(row, {}).get(left, "")):
            edits.append(Edit(place.grid.name, row, left, ((place.table.caption(lang),),)))
    return edits
