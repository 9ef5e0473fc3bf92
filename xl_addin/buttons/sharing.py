"""The group Share: a copy for others, a PDF, and help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.text import korean
from rebalancer.files import free_name, write_whole
from templates.spec.schema import Text
from xl_addin.buttons.location import folder_of
from xl_addin.buttons.progress import READING, Progress
from xl_addin.buttons.sheets import tables_of

Book = Any
_ALL_WELL = Text(
    "Nothing is wrong with the installation. What is wrong with the data is on Checks.",
    "설치에는 문제가 없습니다. 데이터의 문제는 점검 시트에 있습니다.",
)


def share_copy(book: Book, progress: Progress, *, formulas: bool) -> Text:  # noqa: ARG001 - as every command
    """Write a copy that holds values only beside the workbook; returns where it is."""
    from rebalancer.books import plan_book
    from templates.share import share
    from xl_addin.functions.plans import planned

    folder = folder_of(book)
    progress.step(READING)
    made = planned("share", {}, tables_of(book))
    progress.step(Text("writing the copy", "사본 쓰는 중"))
    report = plan_book(made.plan, made.lang)
    data = share(report, made.lang).to_bytes()
    path = free_name(folder, f"{Path(book.name).stem}-share", ".xlsx")
    write_whole(path, data)
    return Text(str(path), str(path))


def pdf(book: Book, progress: Progress, *, formulas: bool) -> Text:  # noqa: ARG001
    """Write the workbook as a PDF beside it; returns where it is."""
    path = free_name(folder_of(book), Path(book.name).stem, ".pdf")
    progress.step(Text("writing the PDF", "PDF 쓰는 중"))
    book.to_pdf(str(path))
    return Text(str(path), str(path))


def help_me(_book: Book, progress: Progress, *, formulas: bool) -> Text:  # noqa: ARG001
    """Return what `rebalancer doctor` finds, what is wrong first."""
    from xl_addin.cli.doctor import local_checks

    progress.step(Text("checking", "확인 중"))
    found = [one for one in local_checks() if one.status != "ok"]
    found.sort(key=lambda one: one.status != "wrong")
    lines = [f"{one.check}: {one.message}. {one.mend}".strip() for one in found]
    if not lines:
        return _ALL_WELL
    ko = [f"{korean(one.check)}: {korean(one.message)}. {korean(one.mend)}".strip() for one in found]
    return Text("\n".join(lines), "\n".join(ko))
