"""The group Data, and the mode: prices and what may be traded."""

from __future__ import annotations

from typing import Any

from engine.errors import InputError, Problem, RebalancerError
from templates.read.tables import Found
from templates.spec import sheet as sheet_spec
from templates.spec.schema import Text
from xl_addin.buttons.edits import Edit, apply
from xl_addin.buttons.places import found_in, place_of
from xl_addin.buttons.progress import READING, Progress
from xl_addin.buttons.sheets import emptied, rows_in, tables_of

Book = Any


def refresh(book: Book, progress: Progress, *, formulas: bool) -> Text | None:
    """Fetch every price and rate anew in one batch, then compute again."""
    from engine.market import chain
    from rebalancer.quoting import wanted_symbols
    from xl_addin.buttons.analysing import unlabelled
    from xl_addin.buttons.trading import proposed
    from xl_addin.functions.inputs import read_inputs

    progress.step(READING)
    tables = tables_of(book)
    inputs = read_inputs("refresh", {}, tables)
    progress.step(Text("fetching prices", "시세 받는 중"))
    batch = chain.quotes(wanted_symbols(inputs.portfolio), refresh=True)
    progress.step(Text("computing", "계산 중"))
    if formulas:
        apply(book, unlabelled(found_in(book, tables), inputs.lang), "refresh")
        book.app.api.CalculateFull()
    else:
        edits, _ = proposed(book, tables, "refresh", everything=True)
        apply(book, edits, "refresh")
    failed = batch.failed.items()
    if not failed:
        return None
    return Text(
        "\n".join(f"{symbol}: {error}" for symbol, error in failed),
        "\n".join(f"{symbol}: {error.ko or error}" for symbol, error in failed),
    )


def sources(book: Book, _progress: Progress, *, formulas: bool) -> Text | None:  # noqa: ARG001 - as every command
    """Show the sheet that says where every price comes from, and how old it is."""
    titles = set(sheet_spec("Prices").titles)
    for sheet in book.sheets:
        if sheet.name in titles:
            sheet.activate()
            return None
    raise InputError(
        [Problem("error", "no-sheet", "Prices", "the workbook has no sheet of prices", "시세 시트가 없습니다")]
    )


def mode_full(book: Book, progress: Progress, *, formulas: bool) -> Text | None:
    """Let everything be bought and sold."""
    return _mode(book, progress, "full", formulas=formulas)


def mode_buy_only(book: Book, progress: Progress, *, formulas: bool) -> Text | None:
    """Let nothing be sold."""
    return _mode(book, progress, "buy-only", formulas=formulas)


def mode_sell_only(book: Book, progress: Progress, *, formulas: bool) -> Text | None:
    """Let nothing be bought."""
    return _mode(book, progress, "sell-only", formulas=formulas)


def _mode(book: Book, progress: Progress, mode: str, *, formulas: bool) -> Text | None:
    """Set the mode, and propose the trades that fit it: the plan of another mode must not stand.

    Where there can be none, the old plan goes all the same, and the reason is raised.
    """
    from xl_addin.buttons.trading import NOTHING, proposed

    progress.step(READING)
    tables = tables_of(book)
    places = found_in(book, tables)
    edit = _mode_edit(place_of(places, "Settings"), mode)
    tables[edit.sheet][edit.row - 1][edit.column - 1] = mode
    progress.step(Text("computing trades", "매매 계산 중"))
    try:
        edits, count = proposed(book, tables, f"mode {mode}", everything=not formulas)
    except RebalancerError:
        apply(book, [edit, *emptied(places, formulas=formulas)], f"mode {mode}")
        raise
    apply(book, [edit, *edits], f"mode {mode}")
    if formulas:
        book.app.api.CalculateFull()
    return None if count else NOTHING


def _mode_edit(place: Found, mode: str) -> Edit:
    for row, values in rows_in(place):
        if values.get("Key") == "mode":
            return Edit(place.grid.name, row, place.columns["Value"], ((mode,),))
    text = "there is no row for mode: add one, key mode"
    raise InputError(
        [Problem("error", "no-setting", "Settings", text, "mode 행이 없습니다: 항목이 mode인 행을 추가하세요")]
    )
