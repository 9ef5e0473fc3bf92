"""A values-only copy of a plan for others, as a workbook and as a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, Problem, error
from engine.words import Lang
from rebalancer.dispatch import Dispatcher
from rebalancer.files import output_problems, write_whole
from rebalancer.many import WORTH_WRITING, Listed, PlannedOne, Progress, plan_many, unforeseen
from rebalancer.office import converted, office

if TYPE_CHECKING:
    from engine.plan import Plan
    from engine.trades.highs import Watch
    from templates.report import BookReport

#: Called with a step that may take long ("prices", "plan", "pdf"); goes around it, and may give a watch of the search.
During = Callable[[str], "AbstractContextManager[Watch | None]"]


#: Called with problems that are to be told besides what is written.
Heard = Callable[[Sequence[Problem]], None]


def _nothing_else(_step: str) -> AbstractContextManager[None]:
    return nullcontext()


def _not_heard(_problems: Sequence[Problem]) -> None:
    return None


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
    during: During = _nothing_else,
    heard: Heard = _not_heard,
) -> list[Path]:
    """Write a copy to share, and a one-page PDF beside it where asked for; return what was written.

    A workbook is copied as it stands; a portfolio file, or a workbook that was never planned, is planned first.
    `weights_only` leaves out amounts and quantities and rounds weights. With `own_sheets` the visible sheets that a
    person has added to a workbook go with it, as they look, values only. `prices` is a price file, which beats the
    sources; `accept` are doubtful prices, by symbol, that a person has confirmed. `during` is what goes around each
    step that may take long; `heard` is told what the plan says where the search for it was stopped. Raises InputError
    with every problem, and what planning raises.
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
        source,
        lang,
        problems,
        prices=prices,
        offline=offline,
        allow_stale=allow_stale,
        accept=accept,
        during=during,
        heard=heard,
    )
    data = rendered(report, lang, weights_only=weights_only).to_bytes()
    if own_sheets and isinstance(source, (str, Path)):
        data = _with_own_sheets(data, Path(source))
    printed = None
    if pdf and program:
        with during("pdf"):
            printed = _pdf(program, report, lang, weights_only=weights_only)
    write_whole(path, data)
    if printed is None:
        return [path]
    write_whole(page, printed)
    return [path, page]


@dataclass(frozen=True, slots=True)
class SharedOne:
    """What became of the copy of one portfolio of many: its files, or why there are none; see `PlannedOne`."""

    id: str
    files: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    status: int = 0


@dataclass(frozen=True, slots=True)
class ShareCopies:
    """Writes the copy of each portfolio into a folder, in whichever process; `names` are the files', by id.

    `lang` is the language of all copies; where it is None a workbook's is its own, another's is the `reader`'s.
    """

    folder: Path
    names: Mapping[str, str] = field(repr=False)
    lang: Lang | None
    reader: Lang
    weights_only: bool = False
    pdf: bool = False
    own_sheets: bool = False
    force: bool = False

    def __call__(self, one: PlannedOne) -> list[Path]:
        """Write the copy of a plan."""
        assert one.plan is not None  # noqa: S101 - it is called with plans
        return self._written(one.id, one.plan, self.lang or one.lang or self.reader)

    def stored(self, listed: Listed) -> SharedOne | None:
        """Write the copy of a workbook as it stands; None where it is none, or was never planned."""
        from rebalancer.loading import is_workbook

        if listed.source is None or not is_workbook(listed.source):
            return None
        from templates.read.book import read_book

        report = read_book(listed.source).report()
        if report is None or not report.rows("Summary"):
            return None
        try:
            return SharedOne(listed.id, tuple(map(str, self._written(listed.id, listed.source, self.lang))))
        except InputError as fault:
            return SharedOne(listed.id, (), fault.problems, 2)

    def _written(self, name: str, source: Plan | Path, lang: Lang | None) -> list[Path]:
        return share(
            source, self.folder / f"{self.names[name]}.xlsx", lang=lang, weights_only=self.weights_only, pdf=self.pdf,
            force=self.force, own_sheets=self.own_sheets,
        )  # fmt: skip


def share_many(
    portfolios: Sequence[Listed],
    copies: ShareCopies,
    *,
    prices: Path | None = None,
    offline: bool = False,
    allow_stale: bool = False,
    accept: Mapping[str, Decimal] | None = None,
    progress: Progress | None = None,
) -> Iterator[SharedOne]:
    """Yield what becomes of each copy: workbooks as they stand, then what has to be planned, on prices fetched once.

    What is wrong with one is told in its place, and the others are done. Raises what `plan_many` raises.
    """
    unplanned: list[Listed] = []
    with Dispatcher(worth=WORTH_WRITING) as dispatcher:
        found = dispatcher.map(partial(_stored_chunk, copies), portfolios, _lost)
        for done, (listed, one) in enumerate(zip(portfolios, found, strict=True), 1):
            if one is None:
                unplanned.append(listed)
                continue
            if progress:
                progress("plan", done, len(portfolios))
            yield one
    made = plan_many(
        unplanned, prices=prices, offline=offline, allow_stale=allow_stale, accept=accept, plans=False, then=copies,
        progress=progress,
    )  # fmt: skip
    for plan_of in made:
        yield SharedOne(plan_of.id, plan_of.files, plan_of.problems, plan_of.status)


def _stored_chunk(copies: ShareCopies, listed: Sequence[Listed]) -> list[SharedOne | None]:
    return [copies.stored(one) for one in listed]


def _lost(listed: Listed, fault: BaseException) -> SharedOne | None:
    return SharedOne(listed.id, (), (unforeseen(fault),), 1)


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
    during: During,
    heard: Heard,
) -> tuple[BookReport, Lang]:
    """Return what the copy shows and its language; raises InputError with the problems so far and those of reading."""
    from rebalancer.books import plan_book
    from rebalancer.clock import today
    from rebalancer.ledgers import with_year
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
    with during("prices"):
        quotes, told = quotes_for(portfolio, given, offline=offline, book=own, accept=accept)
    portfolio, bands = in_force(portfolio, today(), offline=offline)
    known = with_year(portfolio, file, today())
    with during("plan") as watch:
        made = planned(known, quotes, today(), (*told, *bands), allow_stale=allow_stale, watch=watch)
    if stopped := [problem for problem in made.problems if problem.code == "search-stopped"]:
        heard(stopped)
    made = replace(made, portfolio=replace(made.portfolio, settings=portfolio.settings))
    return plan_book(made, lang or "en"), lang or "en"


def _pdf(program: str, report: BookReport, lang: Lang, *, weights_only: bool) -> bytes:
    """Return the report's page as LibreOffice prints it; raises InputError where it does not."""
    from templates.share import share as rendered

    book = rendered(report, lang, weights_only=weights_only, only_dashboard=True).to_bytes()
    return converted(program, book, ".xlsx", "pdf", where="--pdf")
