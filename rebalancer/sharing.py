"""A values-only copy of a plan for others, as a workbook and as a page."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, Problem, error
from engine.words import Lang
from rebalancer.files import output_problems, write_whole
from rebalancer.office import converted, office

if TYPE_CHECKING:
    from engine.plan import Plan
    from templates.report import BookReport


def share(
    source: Plan | str | Path,
    path: str | Path,
    *,
    lang: Lang | None = None,
    weights_only: bool = False,
    pdf: bool = False,
    force: bool = False,
    prices: str | Path | None = None,
    offline: bool = False,
    allow_stale: bool = False,
    accept: Mapping[str, Decimal] | None = None,
    own_sheets: bool = False,
) -> list[Path]:
    """Write a copy to share, and a one-page PDF beside it where asked for; return what was written.

    A workbook is copied as it stands; a portfolio file, or a workbook that was never planned, is planned first.
    `weights_only` leaves out amounts and quantities and rounds weights. With `own_sheets` the visible sheets that a
    person has added to a workbook go with it, as they look, values only. `prices` is a price file, which beats the
    sources; `accept` are doubtful prices, by symbol, that a person has confirmed. Raises InputError with every problem,
    and what planning raises.
    """
    from templates.share import share as rendered

    path = Path(path)
    page = path.with_suffix(".pdf")
    problems = [*output_problems(path, ".xlsx", force=force), *_overwritten(source, path)]
    program = office()
    if pdf:
        problems += output_problems(page, ".pdf", force=force)
        if program is None:
            problems.append(error("no-libreoffice", "--pdf"))
    if own_sheets:
        problems += _why_no_sheets(source, weights_only=weights_only)
    report, lang = _report(
        source, lang, problems, prices=prices, offline=offline, allow_stale=allow_stale, accept=accept
    )
    data = rendered(report, lang, weights_only=weights_only).to_bytes()
    if own_sheets and isinstance(source, (str, Path)):
        data = _with_own_sheets(data, Path(source))
    printed = _pdf(program, report, lang, weights_only=weights_only) if pdf and program else None
    write_whole(path, data)
    if printed is None:
        return [path]
    write_whole(page, printed)
    return [path, page]


def _overwritten(source: Plan | str | Path, path: Path) -> tuple[Problem, ...]:
    """Return why a copy cannot take the place of what it is a copy of."""
    if isinstance(source, (str, Path)) and path.exists() and Path(source).exists() and path.samefile(source):
        return (error("output-is-input", str(path)),)
    return ()


def _why_no_sheets(source: Plan | str | Path, *, weights_only: bool) -> list[Problem]:
    """Return why a copy can have no sheets of a person's own."""
    from templates.merge import KINDS

    if weights_only:  # nobody knows which of their numbers are amounts
        return [error("own-sheets.weights", "--own-sheets")]
    if not isinstance(source, (str, Path)) or Path(source).suffix.lower() not in KINDS:
        return [error("own-sheets.kind", "--own-sheets", kinds=KINDS)]
    return []


def _with_own_sheets(data: bytes, book: Path) -> bytes:
    """Return a copy with the person's own visible sheets, values only."""
    from templates.merge.package import Package
    from templates.merge.splice import Splice
    from templates.read.book import own_sheets
    from templates.read.workbooks import read_grids

    target = Package(data)
    splice = Splice(target, Package(book.read_bytes()))
    for title in own_sheets(read_grids(book)):
        if not splice.hidden(title):
            splice.add(title, splice.free_title(title), values=True)
    splice.finish()
    return target.to_bytes()


def _report(
    source: Plan | str | Path,
    lang: Lang | None,
    problems: list[Problem],
    *,
    prices: str | Path | None,
    offline: bool,
    allow_stale: bool,
    accept: Mapping[str, Decimal] | None,
) -> tuple[BookReport, Lang]:
    """Return what the copy shows and its language; raises InputError with the problems so far and those of reading."""
    from rebalancer.books import plan_book
    from rebalancer.clock import today
    from rebalancer.loading import is_workbook, load_portfolio, usable
    from rebalancer.planning import in_force, planned
    from rebalancer.quoting import quotes_for, quotes_in

    if not isinstance(source, (str, Path)):
        if problems:
            raise InputError(problems)
        return plan_book(source, lang or "en"), lang or "en"
    file = Path(source)
    if is_workbook(file):
        from templates.read.book import read_book

        book = read_book(file)
        report, lang = book.report(), lang or book.lang
        if report is None or problems:
            raise InputError((*problems, *book.problems))
        if report.rows("Summary"):
            return report, lang
    given, found = quotes_in(Path(prices) if prices else None)
    problems += [problem for problem in found if problem.severity == "error"]
    portfolio, found = load_portfolio(file)
    if problems:
        raise InputError((*problems, *found))
    portfolio = usable(portfolio, found)
    own = file if is_workbook(file) else None
    quotes, told = quotes_for(portfolio, given, offline=offline, book=own, accept=accept)
    portfolio, bands = in_force(portfolio, today(), offline=offline)
    made = planned(portfolio, quotes, today(), (*told, *bands), allow_stale=allow_stale)
    return plan_book(made, lang or "en"), lang or "en"


def _pdf(program: str, report: BookReport, lang: Lang, *, weights_only: bool) -> bytes:
    """Return the report's page as LibreOffice prints it; raises InputError where it does not."""
    from templates.share import share as rendered

    book = rendered(report, lang, weights_only=weights_only, only_dashboard=True).to_bytes()
    return converted(program, book, ".xlsx", "pdf", where="--pdf")
