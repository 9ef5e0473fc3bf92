"""The group Share: a copy for others, a PDF, and help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import InputError, Problem
from xl_addin.commands.progress import Progress
from xl_addin.commands.sheets import tables_of
from xl_addin.output.files import free_name, write_whole

Book = Any


def share_copy(book: Book, progress: Progress, *, formulas: bool) -> str:  # noqa: ARG001 - as every command
    """Write a copy that holds values only beside the workbook; returns where it is."""
    from templates.share import share
    from xl_addin.bodies.plans import planned
    from xl_addin.output.plan_book import book_report

    folder = _folder(book)
    progress.step("reading the workbook")
    made = planned("share", {}, tables_of(book))
    progress.step("writing the copy")
    report = book_report(made.portfolio, made.plan, made.quotes, made.lang)
    data = share(report, made.lang).to_bytes()
    path = free_name(folder, f"{Path(book.name).stem}-share", ".xlsx")
    write_whole(path, lambda temporary: _fill(temporary, data))
    return f"{path}"


def pdf(book: Book, progress: Progress, *, formulas: bool) -> str:  # noqa: ARG001
    """Write the workbook as a PDF beside it; returns where it is."""
    path = free_name(_folder(book), Path(book.name).stem, ".pdf")
    progress.step("writing the PDF")
    book.to_pdf(str(path))
    return f"{path}"


def help_me(_book: Book, progress: Progress, *, formulas: bool) -> str:  # noqa: ARG001
    """Return what `rebalancer doctor` finds, what is wrong first."""
    from xl_addin.verbs.doctor import local_checks

    progress.step("checking")
    found = [one for one in local_checks() if one.status != "ok"]
    found.sort(key=lambda one: one.status != "wrong")
    lines = [f"{one.check}: {one.message}. {one.mend}".strip() for one in found]
    return "\n".join(lines or ["Nothing is wrong with the installation. What is wrong with the data is on Checks."])


def _folder(book: Book) -> Path:
    folder = Path(book.fullname).parent
    if not folder.is_dir() or str(folder) == ".":
        raise InputError([Problem("error", "not-saved", book.name, "save the workbook in a folder first")])
    return folder


def _fill(path: Path, data: bytes) -> None:
    path.write_bytes(data)
