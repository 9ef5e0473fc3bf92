"""The button Synchronise: this workbook and those of other computers, through a folder or a store.

The open workbook counts, saved or not. What comes over is shown before anything is written; where both sides changed a
row, the person chooses. In the end the workbook is saved: what it took over and what is remembered of it belong
together.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, error
from engine.merging import Change, Conflict, Row, changes, row_place
from engine.phrase import Phrase, phrase
from engine.words import Lang, say
from templates.cells import Row as TableRow
from templates.merge.inputs import EVERY_TABLE, known_again
from templates.read.tables import Found
from templates.report import BookReport
from templates.spec.vocabulary import spoken
from xl_addin.buttons import Cancelled, Lines, Progress, edits
from xl_addin.buttons.book import (
    Book,
    Tables,
    content,
    emptied,
    found_in,
    free_rows,
    rows_in,
    tables_of,
)
from xl_addin.buttons.edits import Edit, apply, full_name
from xl_addin.functions.inputs import read_inputs

if TYPE_CHECKING:
    from engine.portfolio import Portfolio
    from rebalancer.copies import MetCopy
    from rebalancer.shelf import Shelf
    from rebalancer.syncing import Meeting, Own

#: Conflicts that are asked about one by one; more are asked about together. Lines that a question holds.
_ONE_BY_ONE, _SHOWN = 5, 15
_TITLE = "Rebalancer"


@dataclass
class _Chosen:
    """What the person chose: a side for rows by row, and for the beginning of the ledger ("" so far)."""

    rows: dict[Row, str] = field(default_factory=dict)
    ledger: str = ""


def synchronise(book: Book, progress: Progress, *, formulas: bool) -> Lines:
    """Bring the workbook and what is at its URL to the same state; the first time, ask for a folder."""
    from rebalancer.ledgers import read_ledger, recording
    from rebalancer.shelf import Shelf, passphrase_of
    from rebalancer.syncing import Own, done_in_open_book, remembered_url

    path = _place(book)
    url = remembered_url(path)
    if "://" not in url and not (url and Path(url).is_dir()):
        gone = say("button.sync-gone", progress.lang, url=url)
        if url and book.app.alert(gone, _TITLE, buttons="ok_cancel") != "ok":
            raise Cancelled("not there")
        url = chosen_folder(book, say("button.sync-folder", progress.lang))
    if not url:
        return [phrase("button.sync-none", file=path.name)]
    progress.step("reading")
    tables = tables_of(book)
    places = found_in(book, tables)
    mine = _read(tables)
    chosen = _Chosen()
    with recording(path):
        copies = _copies(book, path, mine, chosen, progress.lang)
        both = copies[-1].portfolio if copies else mine
        progress.step("syncing", url=url)
        shelf = Shelf(url, path.stem, passphrase_of(url))
        entries = (*read_ledger(path).entries, *(one for copy in copies for one in copy.new))
        own = replace(Own.of(path, both), entries=tuple(dict.fromkeys(entries)))
        met = _met(book, own, url, shelf, chosen, progress.lang)
        if isinstance(met, Path):
            return [phrase("button.sync-kept", file=met.name)]
        meeting = met
        changed = changes(mine, meeting.portfolio)
        if changed and not _agreed(book, changed, url, progress.lang):
            raise Cancelled("not agreed")
        wanted = _edits(book, places, meeting.portfolio, progress.lang) if changed else []

        def write() -> bool:
            apply(book, [*wanted, *emptied(places, formulas=formulas)], "sync")
            _check(book, meeting.portfolio)
            return _save(book)

        if not changed:
            _save(book)
        data, suffix = _file_of(path, meeting.portfolio, progress.lang)
        new = [one for copy in copies for one in copy.new]
        meeting = replace(meeting, own=replace(own, entries=read_ledger(path).entries)) if new else meeting
        done = done_in_open_book(meeting, write, data, suffix, taken=bool(changed))
        for copy in copies:
            copy.put_away()
    if done is None:
        return [phrase("button.sync-again")]
    kind = "both" if done.sent and done.taken else "sent" if done.sent else "taken" if done.taken else "same"
    told = [problem.said(progress.lang, "workbook") for problem in done.problems]
    return [phrase(f"button.synced-{kind}", url=url, number=done.number), *told]


def _place(book: Book) -> Path:
    path = full_name(book)
    if path is None or not Path(path).is_file():
        raise InputError([error("not-saved", book.name)])
    return Path(path)


def _read(tables: Tables) -> Portfolio:
    return read_inputs("sync", {}, tables).portfolio


def _copies(book: Book, path: Path, mine: Portfolio, chosen: _Chosen, lang: Lang) -> list[MetCopy]:
    """Return what merging the copies that a cloud put beside the workbook comes to, as far as that is agreed to."""
    from rebalancer.copies import copies_of, meet_copy
    from rebalancer.ledgers import read_ledger

    found: list[MetCopy] = []
    for copy in copies_of(path):
        text = say("said.sync-copy-ask", lang, file=copy.name, path=path.name)
        if book.app.alert(text, _TITLE, buttons="ok_cancel") != "ok":
            continue
        entries = [*read_ledger(path).entries, *(one for met in found for one in met.new)]
        met = meet_copy(path, copy, mine, entries)
        while met.conflicts:
            _choose(book, met.conflicts, chosen, lang)
            met = meet_copy(path, copy, mine, entries, choices=chosen.rows)
        chosen.rows.clear()
        found.append(met)
        mine = met.portfolio
    return found


def _met(book: Book, own: Own, url: str, shelf: Shelf, chosen: _Chosen, lang: Lang) -> Meeting | Path:
    """Return what both sides come to, after the person chose where both changed a row.

    Where they chose neither, that is the other side's file, beside the workbook.
    """
    from rebalancer.syncing import meet

    while True:
        meeting = meet(own, url, shelf, choices=chosen.rows, take_ledger=chosen.ledger)
        unclear = next((one for one in meeting.problems if one.code == "sync-two-ledgers"), None)
        try:
            if meeting.conflicts:
                _choose(book, meeting.conflicts, chosen, lang)
            elif unclear:
                text = say("button.sync-ledger", lang, why=unclear.message.told(lang, "workbook"))
                chosen.ledger = _side(book, text)
            else:
                return meeting
        except Cancelled:
            return meeting.keep_theirs() or own.source


def _choose(book: Book, conflicts: Sequence[Conflict], chosen: _Chosen, lang: Lang) -> None:
    """Ask which side counts where both changed a row. Raises Cancelled where the person takes neither."""
    if len(conflicts) <= _ONE_BY_ONE:
        for one in conflicts:
            chosen.rows[one.row] = _side(book, _line("button.sync-choose", one).told(lang, "workbook"))
        return
    lines = [_line("button.sync-line", one).told(lang, "workbook") for one in conflicts[:_SHOWN]]
    if len(conflicts) > _SHOWN:
        lines.append(say("more-lines", lang, number=len(conflicts) - _SHOWN))
    side = _side(book, say("button.sync-choose-all", lang, number=len(conflicts), lines="\n".join(lines)))
    chosen.rows |= {one.row: side for one in conflicts}


def _line(key: str, conflict: Conflict) -> Phrase:
    mine, theirs = conflict.shown
    return phrase(key, row=row_place(conflict.row), mine=mine, theirs=theirs)


def _side(book: Book, text: str) -> str:
    answer = book.app.alert(text, _TITLE, buttons="yes_no_cancel")
    if answer not in ("yes", "no"):
        raise Cancelled("neither side")
    return "mine" if answer == "yes" else "theirs"


def _agreed(book: Book, changed: Sequence[Change], url: str, lang: Lang) -> bool:
    lines = [one.told.told(lang, "workbook") for one in changed[:_SHOWN]]
    if len(changed) > _SHOWN:
        lines.append(say("more-lines", lang, number=len(changed) - _SHOWN))
    text = "\n".join([say("button.sync-agree", lang, url=url), "", *lines])
    return bool(book.app.alert(text, _TITLE, buttons="ok_cancel") == "ok")


def _edits(book: Book, places: Mapping[str, Found], portfolio: Portfolio, lang: Lang) -> list[Edit]:
    """Return the edits that let the tables of inputs say what a portfolio is."""
    from templates.write.evaluate import evaluate

    rows = evaluate(BookReport(portfolio), lang).tables
    found = []
    for name, keys in {**EVERY_TABLE, "Settings": ("Key",)}.items():
        if name in places:
            found += _table(book, places[name], keys, rows[name], lang)
    return found


def _table(book: Book, place: Found, keys: Sequence[str], wanted: Iterable[TableRow], lang: Lang) -> list[Edit]:
    """Return the edits of one table; a row that is known again keeps its place and the rest."""
    given = place.table.name == "Settings"
    columns = [one.name for one in place.table.inputs if one.name in place.columns]
    keys = [key for key in keys if key in place.columns]
    standing: dict[tuple[str, ...], list[tuple[int, TableRow]]] = {}
    for number, row in rows_in(place):
        if row.get(keys[0]):
            standing.setdefault(_key(row, keys), []).append((number, row))
    found, new = [], []
    for row in wanted:
        same = standing.get(_key(row, keys))
        if same:
            number, before = same.pop(0)
            now = {name: row.get(name) for name in columns}
            differing = {name: value for name, value in now.items() if not _alike(name, value, before.get(name))}
            found += _row(place, number, differing, row, lang)
        elif not given:
            new.append(row)
    for number, row in (one for gone in standing.values() for one in gone):
        if not given:
            found += _row(place, number, {name: None for name in columns if row.get(name) is not None}, row, lang)
    for number, row in zip(free_rows(book, place, keys[0], len(new)), new, strict=True):
        values = {name: row.get(name) for name in columns if row.get(name) not in (None, "")}
        found += _row(place, number, values, row, lang)
    return found


def _alike(column: str, value: object, other: object) -> bool:
    return known_again(column, value) == known_again(column, other)


def _key(row: TableRow, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(known_again(key, row.get(key)) for key in keys)


def _row(place: Found, number: int, values: Mapping[str, object], row: TableRow, lang: Lang) -> list[Edit]:
    found = []
    for name, value in values.items():
        said = spoken(place.table.index[name].vocabulary(row), value, lang)
        found.append(Edit(place.grid.name, number, place.columns[name], ((content(said),),)))
    return found


def _check(book: Book, portfolio: Portfolio) -> None:
    """Take back what was written where the workbook does not say it. Raises InputError with the rows it cannot hold."""
    left = changes(_read(tables_of(book)), portfolio)
    if not left:
        return
    edits.last(book).put_back(book)
    edits.drop(book)
    rows = tuple(phrase("sync-row-left", row=row_place(one.row)) for one in left)
    raise InputError([error("sync-not-kept", book.name, rows=rows)])


def _file_of(path: Path, portfolio: Portfolio, lang: Lang) -> tuple[bytes, str]:
    """Return the file that the other side gets: this workbook with the portfolio in it, else a YAML file of it."""
    from engine.data.write import dump_portfolio
    from rebalancer.saving import SUFFIXES
    from rebalancer.syncing import KINDS, written

    if path.suffix.lower() in KINDS:
        try:
            return written(path, portfolio, lang), path.suffix.lower()
        except InputError:
            pass
    return dump_portfolio(portfolio).encode(), SUFFIXES[0]


def _save(book: Book) -> bool:
    """Save the workbook, and return whether it is on disk already: LibreOffice does it after the button."""
    return book.save() is not False


def chosen_folder(book: Book, title: str) -> str:
    """Return the folder that a person chooses, "" for none, in the dialog of the program that the book is open in."""
    if hasattr(book.app, "folder"):  # LibreOffice
        return str(book.app.folder(title))
    if sys.platform == "darwin":
        quoted = title.replace("\\", "").replace('"', "")
        command = ["/usr/bin/osascript", "-e", f'POSIX path of (choose folder with prompt "{quoted}")']
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the system's own
        return done.stdout.strip()
    picker = book.app.api.FileDialog(4)  # the folder picker
    picker.Title = title
    return str(picker.SelectedItems(1)) if picker.Show() == -1 else ""
