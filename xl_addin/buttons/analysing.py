"""The button Analyse: closes and facts are fetched, for as long as it takes, and the analyses computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.errors import Problem
from engine.places import place as say_place
from engine.words import Lang
from rebalancer.histories import Sources
from templates.cells import Rows
from templates.read.tables import Found
from templates.spec import table
from templates.spec.layout import BLOCK_ROW, HEADER_ROW
from templates.spec.schema import Text
from xl_addin.buttons.edits import Edit, apply
from xl_addin.buttons.places import found_in
from xl_addin.buttons.progress import READING, Progress
from xl_addin.buttons.sheets import content, tables_of, written

Book = Any
#: Where closes and facts come from.
SOURCES = Sources()
#: What functions over closes fill, besides the matrix.
TABLES = ("Comparison", "Review", "Alerts", "Limits")
_SAMPLE = "SAMPLE"
#: Problems that are shown at most.
_TOLD = 12


def analyse(book: Book, progress: Progress, *, formulas: bool) -> Text | None:
    """Fetch closes and facts, then compute the analyses; says what could not be had."""
    from xl_addin.functions.inputs import read_inputs
    from xl_addin.functions.plans import today
    from xl_addin.show.analysis_cells import analysed

    progress.step(READING)
    tables = tables_of(book)
    inputs = read_inputs("analyse", {}, tables)
    progress.step(Text("fetching closes and facts of funds", "종가와 ETF 정보 받는 중"))
    rows, problems = analysed(inputs.portfolio, {}, SOURCES, today(), inputs.lang)
    progress.step(Text("computing", "계산 중"))
    places = with_matrix(found_in(book, tables))
    if formulas:
        apply(book, unlabelled(places, inputs.lang), "analyse")
        book.app.api.CalculateFull()
    else:
        # What could not be computed keeps its made-up numbers, and therefore its label.
        computed = {name: place for name, place in places.items() if name in rows}
        apply(book, [*unlabelled(computed, inputs.lang), *results(places, rows)], "analyse")
    return _told(problems) if problems else None


def _told(problems: Sequence[Problem]) -> Text:
    """Return what could not be had, as far as a message box holds it."""
    lines = [
        Text(f"{say_place(p.where, 'en')}: {p.said('en')}", f"{say_place(p.where, 'ko')}: {p.said('ko')}")
        for p in problems[:_TOLD]
    ]
    left = len(problems) - _TOLD
    lines += [Text(f"… {left} more", f"… 외 {left}건")] if left > 0 else []
    return Text("\n".join(line.en for line in lines), "\n".join(line.ko for line in lines))


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
    edits = [edit for name in TABLES if name in places and name in rows for edit in _table(places[name], rows[name])]
    if "Correlation" in places and "Correlation" in rows:
        edits += _matrix(places["Correlation"], rows["Correlation"])
    return edits


def _table(place: Found, rows: Rows) -> list[Edit]:
    return written(place, rows, headers=True)


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
