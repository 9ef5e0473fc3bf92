"""`rebalancer share FILE -o OUT.xlsx`: a values-only copy for others, and a one-page report as PDF."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, Problem
from rebalancer.files import output_problems, write_whole
from rebalancer.language import LANGUAGES, Lang, default_language

if TYPE_CHECKING:
    from templates.report import BookReport

_OFFICE_SECONDS = 120


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a workbook (of plan -o), or any portfolio file")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.xlsx", help="the copy to write")
    parser.add_argument("--weights-only", action="store_true", help="leave out amounts and quantities, round weights")
    parser.add_argument("--pdf", action="store_true", help="also write a one-page A4 report beside it (LibreOffice)")
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the copy (default: the workbook's own)")
    parser.add_argument("--force", action="store_true", help="let -o replace a file that exists")


def run(args: argparse.Namespace) -> int:
    """Write the copy, and the PDF where asked for, and say where."""
    pdf = args.output.with_suffix(".pdf")
    problems = output_problems(args.output, ".xlsx", force=args.force)
    office = None
    if args.pdf:
        problems += output_problems(pdf, ".pdf", force=args.force)
        office = shutil.which("soffice") or shutil.which("libreoffice")
        if office is None:
            message = "the PDF is made by LibreOffice, which is not installed: install it, or leave --pdf out"
            ko = "PDF는 LibreOffice가 만드는데 설치되어 있지 않습니다: 설치하거나 --pdf를 빼세요"
            problems += (Problem("error", "no-libreoffice", "--pdf", message, ko),)
    report, lang, found = _report(args)
    if report is None or problems:
        raise InputError((*problems, *found))

    from templates.share import share

    data = share(report, lang, weights_only=args.weights_only).to_bytes()
    page = _pdf(office, report, lang, weights_only=args.weights_only) if office else None
    write_whole(args.output, lambda temporary: _fill(temporary, data))
    written = [args.output]
    if page is not None:
        finished = page
        write_whole(pdf, lambda temporary: _fill(temporary, finished))
        written.append(pdf)
    word = "작성" if lang == "ko" else "Written"
    sys.stdout.write("".join(f"{word}: {path}\n" for path in written))
    return 0


def _report(args: argparse.Namespace) -> tuple[BookReport | None, Lang, tuple[Problem, ...]]:
    if args.file.suffix.lower() in (".yaml", ".yml"):
        from rebalancer.loading import load_portfolio
        from templates.report import BookReport as Made

        portfolio, problems = load_portfolio(args.file)
        report = None if portfolio is None else Made(portfolio)
        return report, args.lang or default_language(), problems
    from templates.read.book import read_book

    book = read_book(args.file)
    return book.report(), args.lang or book.lang, book.problems


def _pdf(office: str, report: BookReport, lang: Lang, *, weights_only: bool) -> bytes:
    """Return the report's page as LibreOffice prints it; raises InputError where it does not."""
    from templates.share import share

    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "report.xlsx"
        book.write_bytes(share(report, lang, weights_only=weights_only, only_dashboard=True).to_bytes())
        profile = (Path(folder) / "profile").as_uri()
        command = [office, f"-env:UserInstallation={profile}", "--headless", "--norestore", "--convert-to", "pdf"]
        try:
            subprocess.run(  # noqa: S603 - a program found on the path, with our own arguments
                [*command, "--outdir", folder, str(book)], capture_output=True, timeout=_OFFICE_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError([_not_made(str(error), str(error))]) from error
        made = Path(folder) / "report.pdf"
        if not made.exists():
            raise InputError([_not_made("it gave no file", "파일이 만들어지지 않음")])
        return made.read_bytes()


def _not_made(reason: str, reason_ko: str) -> Problem:
    message = f"LibreOffice did not make the PDF ({reason}): open the copy and print it, or leave --pdf out"
    ko = f"LibreOffice가 PDF를 만들지 못했습니다({reason_ko}): 사본을 열어 인쇄하거나 --pdf를 빼세요"
    return Problem("error", "pdf-not-made", "--pdf", message, ko)


def _fill(path: Path, data: bytes) -> None:
    path.write_bytes(data)
