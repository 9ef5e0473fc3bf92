"""The group Share: a copy for others, a PDF, and help."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import InputError, error
from engine.phrase import phrase
from engine.words import tell
from rebalancer.files import free_name
from xl_addin.buttons import Lines, Progress
from xl_addin.buttons.book import Book, tables_of
from xl_addin.buttons.edits import full_name

#: What xlwings' configuration names the synchronised folders, before the system.
_SYNCHRONISED = ("ONEDRIVE_CONSUMER", "ONEDRIVE_COMMERCIAL", "SHAREPOINT")


def share_copy(book: Book, progress: Progress, *, formulas: bool) -> Lines:  # noqa: ARG001 - as every command
    """Write a copy that holds values only beside the workbook; returns where it is."""
    from rebalancer.sharing import share
    from xl_addin.functions.plan import plan_of

    folder = folder_of(book)
    progress.step("reading")
    plan, lang = plan_of("share", {}, tables_of(book))
    progress.step("copy")
    path = free_name(folder, f"{Path(book.name).stem}-share", ".xlsx")
    return [str(written) for written in share(plan, path, lang=lang)]


def pdf(book: Book, progress: Progress, *, formulas: bool) -> Lines:  # noqa: ARG001
    """Write the workbook as a PDF beside it; returns where it is."""
    path = free_name(folder_of(book), Path(book.name).stem, ".pdf")
    progress.step("pdf")
    book.to_pdf(str(path))
    return [str(path)]


def help_me(_book: Book, progress: Progress, *, formulas: bool) -> Lines:  # noqa: ARG001
    """Return what `rebalancer doctor` finds, what is wrong first."""
    from xl_addin.checkup import local_checks

    progress.step("checking")
    found = [one for one in local_checks() if one.status != "ok"]
    found.sort(key=lambda one: one.status != "wrong")
    said = [[tell(part, progress.lang, "workbook") for part in (one.title, one.message, one.mend)] for one in found]
    lines = [f"{title}: {message}. {mend}".strip() for title, message, mend in said]
    return lines or [phrase("button.all-well")]


def folder_of(book: Book) -> Path:
    """Return the folder of a workbook; raises InputError where it is not saved, or not found on this computer."""
    full = full_name(book)
    if full is None:
        system = "WIN" if sys.platform == "win32" else "MAC"
        raise InputError([error("not-local", book.name, names=[f"{one}_{system}" for one in _SYNCHRONISED])])
    folder = Path(full).parent
    if not folder.is_dir() or str(folder) == ".":
        raise InputError([error("not-saved", book.name)])
    return folder
