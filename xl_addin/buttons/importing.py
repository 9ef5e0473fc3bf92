"""The buttons Import, a broker's export into Holdings and Cash once its changes are agreed to, and Update."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, error
from engine.market import catalogue
from engine.phrase import Phrase, phrase
from engine.text import plain_number
from engine.words import Lang, say
from templates.cells import Row
from templates.merge.inputs import known_again
from templates.read.tables import Found
from templates.report import cash_inputs
from xl_addin.buttons import Lines, Progress
from xl_addin.buttons.book import Book, emptied, found_in, free_rows, place_of, row_edits, rows_in, tables_of
from xl_addin.buttons.edits import Edit, apply, full_name
from xl_addin.functions.inputs import read_inputs

if TYPE_CHECKING:
    from engine.portfolio import Portfolio
    from rebalancer.importing import CashChange, HoldingChange, Imported

#: By which columns a row is known again, and what of it is written.
_KEYS: Mapping[str, tuple[str, ...]] = {"Holdings": ("Ticker", "Account"), "Cash": ("Currency", "Account")}
_WRITTEN: Mapping[str, tuple[str, ...]] = {"Holdings": ("Quantity", "AverageCost", "ManualPrice"), "Cash": ("Amount",)}
#: Lines of changes that a question holds.
_ASKED_AT_MOST = 20
_PLACES = 4


def import_file(book: Book, progress: Progress, *, formulas: bool) -> Lines:
    """Ask for a broker's export, show what it changes, and write it into Holdings and Cash where that is agreed to."""
    chosen = chosen_file(book, say("button.import-which", progress.lang))
    if not chosen:
        return ()
    progress.step("reading")
    tables = tables_of(book)
    places = found_in(book, tables)
    portfolio = read_inputs("import", {}, tables).portfolio
    imported = _imported(book, Path(chosen), portfolio, progress.lang)
    if imported is None:
        return ()
    lines = list(change_lines(imported.changes, imported.cash_changes))
    if not lines:
        return [phrase("said.import-nothing"), *problems_of(imported, progress.lang)]
    if not agreed(book, [*lines, *problems_of(imported, progress.lang)], progress.lang):
        return ()
    progress.step("recording")
    edits = [edit for name, rows in _wanted(imported).items() for edit in _edits(book, place_of(places, name), rows)]
    apply(book, [*edits, *emptied(places, formulas=formulas)], "import")
    return [phrase("button.imported", number=len(lines))]


def _imported(book: Book, path: Path, portfolio: Portfolio, lang: Lang) -> Imported | None:
    """Return what a file changes; of which account it is, is asked where neither the file nor its name says so.

    None where it is of none.
    """
    from rebalancer.importing import import_files

    try:
        return import_files([path], into=portfolio)
    except InputError as fault:
        unclear = next((one for one in fault.problems if one.code == "account-unclear"), None)
        if unclear is None:
            raise
        accounts = [str(name) for name in unclear.message.values["accounts"]]  # type: ignore[attr-defined]
    named = [name for name in accounts if name and name in path.stem]
    for name in named if len(named) == 1 else accounts:
        text = say("button.import-account", lang, file=path.name, account=name)
        if len(named) == 1 or book.app.alert(text, "Rebalancer", buttons="ok_cancel") == "ok":
            return import_files([path], into=portfolio, broker=name)
    return None


def problems_of(imported: Imported, lang: Lang) -> list[str]:
    """Return what reading the export found."""
    return [f"{problem.placed(lang)}: {problem.said(lang, 'workbook')}" for problem in imported.problems]


def change_lines(holdings: Iterable[HoldingChange], cash: Iterable[CashChange]) -> Iterable[Phrase]:
    """Yield what changes, a holding or a balance a line."""
    for one in holdings:
        before, after = (_figure(number) for number in (one.before, one.after))
        costs = (one.cost_before, one.cost_after)
        key = "button.import-change" if costs[0] == costs[1] else "button.import-cost"
        yield phrase(
            key, kind=phrase(f"change.{one.kind}"), account=one.account, symbol=one.symbol, name=one.name,
            before=before, after=after, cost_before=_figure(costs[0]), cost_after=_figure(costs[1]),
        )  # fmt: skip
    for balance in cash:
        before, after = _figure(balance.before), _figure(balance.after)
        yield phrase(
            "button.import-cash", account=balance.account, currency=balance.currency, before=before, after=after
        )


def _figure(number: Decimal | None) -> str:
    return "–" if number is None else plain_number(round(number, _PLACES))


def agreed(book: Book, lines: Sequence[Phrase | str], lang: Lang) -> bool:
    """Ask whether changes are to be written."""
    shown = [line if isinstance(line, str) else line.told(lang, "workbook") for line in lines]
    left = len(shown) - _ASKED_AT_MOST
    shown = [*shown[:_ASKED_AT_MOST], *([say("more-lines", lang, number=left)] if left > 0 else [])]
    text = "\n".join([say("button.import-agree", lang), "", *shown])
    return bool(book.app.alert(text, "Rebalancer", buttons="ok_cancel") == "ok")


def chosen_file(book: Book, title: str) -> str:
    """Return the file that a person chooses, "" for none, in the dialog of the program that the book is open in."""
    if hasattr(book.app, "file"):  # LibreOffice
        return str(book.app.file(title))
    if sys.platform == "darwin":
        quoted = title.replace("\\", "").replace('"', "")
        command = ["/usr/bin/osascript", "-e", f'POSIX path of (choose file with prompt "{quoted}")']
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the system's own
        return done.stdout.strip()
    found = book.app.api.GetOpenFilename(Title=title)
    return found if isinstance(found, str) else ""


def _wanted(imported: Imported) -> dict[str, list[Row]]:
    """Return the rows that Holdings and Cash are to have; only what no source knows takes its price from the export."""
    known = catalogue.load()
    holdings: list[Row] = [
        {"Account": one.account, "Ticker": one.symbol, "Quantity": one.quantity, "AverageCost": one.average_cost,
         **({} if known.entry(one.symbol) else {"ManualPrice": one.price})}
        for one in imported.portfolio.holdings
    ]  # fmt: skip
    return {"Holdings": holdings, "Cash": list(cash_inputs(imported.portfolio))}


def _edits(book: Book, place: Found, wanted: Sequence[Row]) -> list[Edit]:
    """Return the edits that let a table say what is wanted; a row that is known again keeps its place and the rest."""
    name = place.table.name
    keys = [key for key in _KEYS[name] if key in place.columns]
    standing: dict[tuple[str, ...], list[tuple[int, Row]]] = {}
    for number, row in rows_in(place):
        if row.get(keys[0]):
            standing.setdefault(_key(row, keys), []).append((number, row))
    edits, new = [], []
    for row in wanted:
        same = standing.get(_key(row, keys))
        if not same:
            new.append(row)
            continue
        number, before = same.pop(0)
        written = [column for column in _WRITTEN[name] if column in row and row[column] != before.get(column)]
        edits += row_edits(place, number, {column: row[column] for column in written})
    for number, row in (one for gone in standing.values() for one in gone):
        inputs = (column.name for column in place.table.inputs)
        edits += row_edits(place, number, dict.fromkeys(column for column in inputs if row.get(column) is not None))
    for number, row in zip(free_rows(book, place, keys[0], len(new)), new, strict=True):
        edits += row_edits(place, number, {column: value for column, value in row.items() if value not in (None, "")})
    return edits


def _key(row: Row, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(known_again(key, row.get(key)) for key in keys)


def update_book(book: Book, progress: Progress, *, formulas: bool) -> Lines:  # noqa: ARG001 - as every command
    """Carry the workbook, as it was last saved, into a new one of this version beside it; tells what was carried."""
    from rebalancer.updating import update
    from xl_addin.hosts.excel.package import kind_of

    path = full_name(book)
    if path is None or not Path(path).is_file():
        raise InputError([error("not-saved", book.name)])
    progress.step("updating")
    return update(Path(path), None, kind_of(Path(path))).lines()
