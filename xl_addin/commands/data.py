"""The group Data, and the mode: prices and what may be traded."""

from __future__ import annotations

from typing import Any

from engine.errors import InputError, Problem
from templates.spec import sheet as sheet_spec
from xl_addin.commands.edits import Edit, apply
from xl_addin.commands.progress import Progress
from xl_addin.commands.sheets import found_in, place_of, rows_in, tables_of

Book = Any


def refresh(book: Book, progress: Progress, *, formulas: bool) -> str:
    """Fetch every price and rate anew in one batch, then compute again."""
    from engine.market import chain
    from xl_addin.bodies.inputs import read_inputs
    from xl_addin.commands.trading import write_results
    from xl_addin.prices import wanted_symbols

    progress.step("reading the workbook")
    tables = tables_of(book)
    inputs = read_inputs("refresh", {}, tables)
    progress.step("fetching prices")
    batch = chain.quotes(wanted_symbols(inputs.portfolio), refresh=True)
    progress.step("computing")
    if formulas:
        book.app.api.CalculateFull()
    else:
        write_results(book, tables, "refresh", everything=True)
    return "\n".join(f"{symbol}: {error}" for symbol, error in batch.failed.items())


def sources(book: Book, _progress: Progress, *, formulas: bool) -> str:  # noqa: ARG001 - as every command
    """Show the sheet that says where every price comes from, and how old it is."""
    titles = set(sheet_spec("Prices").title)
    for sheet in book.sheets:
        if sheet.name in titles:
            sheet.activate()
            return ""
    raise InputError([Problem("error", "no-sheet", "Prices", "the workbook has no sheet of prices")])


def mode_full(book: Book, progress: Progress, *, formulas: bool) -> str:
    """Let everything be bought and sold."""
    return _mode(book, progress, "full", formulas=formulas)


def mode_buy_only(book: Book, progress: Progress, *, formulas: bool) -> str:
    """Let nothing be sold."""
    return _mode(book, progress, "buy-only", formulas=formulas)


def mode_sell_only(book: Book, progress: Progress, *, formulas: bool) -> str:
    """Let nothing be bought."""
    return _mode(book, progress, "sell-only", formulas=formulas)


def _mode(book: Book, progress: Progress, mode: str, *, formulas: bool) -> str:  # noqa: ARG001
    progress.step(mode)
    place = place_of(found_in(tables_of(book)), "Settings")
    for row, values in rows_in(place):
        if values.get("Key") == "mode":
            apply(book, [Edit(place.grid.name, row, place.columns["Value"], ((mode,),))], f"mode {mode}")
            return ""
    raise InputError([Problem("error", "no-setting", "Settings", "there is no row for mode: add one, key mode")])
