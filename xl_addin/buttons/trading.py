"""The group Rebalance: propose trades, and take a button's changes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from templates.spec.schema import Text
from xl_addin.buttons import restore
from xl_addin.buttons.analysing import unlabelled
from xl_addin.buttons.edits import Edit, apply
from xl_addin.buttons.places import found_in, place_of
from xl_addin.buttons.progress import READING, Progress
from xl_addin.buttons.sheets import WRITTEN, Tables, content, rows_in, tables_of, written

Book = Any
#: Results of functions: written where Excel does not compute them itself.
COMPUTED = ("Trades", "Drift", "Summary", "Limits", "Calendar", "Problems", "Prices")
NOTHING = Text("Nothing is to be traded.", "매매할 것이 없습니다.")


def propose(book: Book, progress: Progress, *, formulas: bool) -> Text | None:
    """Compute the trades, the cash reconciliation and the checks."""
    progress.step(READING)
    tables = tables_of(book)
    progress.step(Text("computing trades", "매매 계산 중"))
    edits, count = proposed(book, tables, "propose", everything=not formulas)
    apply(book, edits, "propose")
    if formulas:
        book.app.api.CalculateFull()
    return None if count else NOTHING


def proposed(book: Book, tables: Tables, what: str, *, everything: bool) -> tuple[list[Edit], int]:
    """Return the edits that write the plan's results, and how many trades it has.

    With `everything`, also what functions would fill.
    """
    from rebalancer.books import plan_book
    from xl_addin.functions.plans import drift_rows, planned

    made = planned(what, {}, tables)
    report = plan_book(made.plan, made.lang)
    report = replace(report, results={**report.results, "Drift": drift_rows(made.plan)})
    places = found_in(book, tables)
    edits = [edit for name in WRITTEN for edit in written(place_of(places, name), report.rows(name))]
    if not everything:
        edits += unlabelled(places, made.lang)
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
    return edits, len(made.plan.trades)


def undo(book: Book, progress: Progress, *, formulas: bool) -> Text | None:  # noqa: ARG001
    """Put the sheets back as they were before the last button that changed them and is not undone yet.

    Raises InputError where a person has changed those cells since.
    """
    point = restore.last(book)
    progress.step(Text(f"undoing {point.what}", f"되돌리는 중: {point.what}"))
    point.check(book)
    point.put_back(book)
    restore.drop(book)
    return None
