"""A person's workbook of an older version carried into a new one of this version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.files import Refused
from engine.errors import InputError, error
from engine.ledger.entries import dump_entries
from engine.phrase import Phrase, phrase
from engine.words import Lang
from rebalancer.files import free_name, output_problems, write_whole
from rebalancer.ledgers import ledger_file, read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.ledger.entries import LedgerEntry
    from engine.portfolio import Portfolio
    from templates.cells import Grid
    from templates.models.clients import Kind
    from templates.read.book import ReadBook
    from templates.read.tables import Found
    from templates.report import BookReport

#: What is computed anew is not carried: of what stands there, prices are facts.
_FACTS = ("Prices", "FxRates")
#: Names of cells or sheets that a sentence lists.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Updated:
    """The new workbook: where it is, how many rows of each table were carried, what else was, and what was not.

    `sheets` are the person's own, `left` those that could not be carried, `cells` what stands on our sheets outside
    of their tables: it stays in the old file. `to_look_at` are own sheets with formulas that point at cells of ours.
    `is_ledger_new` tells that the old one had no Ledger sheet.
    """

    path: Path
    rows: Mapping[str, int]
    sheets: tuple[str, ...]
    left: tuple[str, ...]
    cells: tuple[str, ...]
    to_look_at: tuple[str, ...]
    is_ledger_new: bool = False

    def lines(self) -> list[Phrase]:
        """Return what was carried and what was not, a sentence each."""
        rows = tuple(
            phrase("said.update-rows", name=phrase(f"table.{name}"), number=number)
            for name, number in self.rows.items()
            if number
        )
        told = [phrase("said.written", path=str(self.path)), phrase("said.update-carried", rows=rows)]
        for key, names in (
            ("said.update-sheets", self.sheets),
            ("said.update-look", self.to_look_at),
            ("said.update-left", self.left),
            ("said.update-cells", self.cells),
        ):
            if names:
                more = (f"+{len(names) - _SHOWN}",) if len(names) > _SHOWN else ()
                told.append(phrase(key, names=(*names[:_SHOWN], *more)))
        if self.is_ledger_new:
            told.append(phrase("said.update-ledger"))
        return [*told, phrase("said.update-next")]


def update(book: Path, output: Path | None, kind: Kind, *, lang: Lang | None = None, force: bool = False) -> Updated:
    """Write a workbook of this version with all that a person put into one of an older version.

    Without `output` it stands beside the old one, under a name with this version. The old file is never changed.
    Raises InputError where the book cannot be read whole, or the new one would not say the same.
    """
    from templates.ledger import ledger_rows, monthly
    from templates.merge import KINDS
    from templates.read.book import own_sheets, read_book
    from templates.read.workbooks import read_grids

    if book.is_dir() or book.suffix.lower() not in (*KINDS, ".ods"):
        raise InputError([error("file-kind", str(book), kinds=(*KINDS, ".ods"), suffix=book.suffix or "nothing")])
    read = read_book(book)
    report = read.report()
    output = output or free_name(book.parent, f"{book.stem}-{_version()}", kind.suffix)
    problems = list(output_problems(output, kind.suffix, force=force))
    if ledger_file(output).exists() and not force:
        problems.append(error("output-exists", str(ledger_file(output))))
    if output.exists() and book.exists() and output.samefile(book):
        problems.append(error("output-is-input", str(output)))
    if report is None or problems:
        raise InputError((*problems, *read.problems))
    try:
        grids = read_grids(book)
    except Refused as refusal:
        raise InputError([refusal.problem(str(book))]) from None
    lang = lang or read.lang
    entries = _entries(book, read)
    on_sheet = monthly(entries)
    carried = replace(report, as_of=None, notes={}, results={n: r for n, r in report.results.items() if n in _FACTS})
    carried = replace(carried, ledger=ledger_rows(on_sheet), shares=())
    found, own = _found(grids), own_sheets(grids)
    data, left = kind.make(carried, lang), tuple(own)
    to_look_at: tuple[str, ...] = ()
    if own and book.suffix.lower() in KINDS:
        data, to_look_at = _with_sheets(data, book, own, _titles(grids, found, lang))
        left = ()
    _check(data, output, read.portfolio, carried)
    kept = {one.id for one in on_sheet}
    beside = [one for one in entries if one.id not in kept]
    if beside:
        write_whole(ledger_file(output), dump_entries(beside, header=True).encode())
    write_whole(output, data)
    return Updated(
        output,
        _counts(carried),
        tuple(t for t in own if t not in left),
        left,
        tuple(_beside(grids, found)),
        to_look_at,
        not read.ledger.there,
    )


def _entries(book: Path, read: ReadBook) -> tuple[LedgerEntry, ...]:
    """Return the ledger beside a workbook and on its sheet; raises InputError with every row that cannot be used."""
    if any(problem.severity == "error" for problem in read.ledger.problems):
        raise InputError(read.ledger.problems)
    beside = read_ledger(book).entries
    return tuple({one.id: one for one in (*beside, *read.ledger.entries)}.values())


def _version() -> str:
    from importlib.metadata import version

    return version("rebalancer")


def _found(grids: Sequence[Grid]) -> Mapping[str, Found]:
    from templates.read.tables import find_tables

    return find_tables(grids)[0]


def _titles(grids: Iterable[Grid], found: Mapping[str, Found], lang: Lang) -> dict[str, str]:
    """Return what the old book's sheets of ours are called in the new one: by what stands there, or by their name."""
    from templates.spec import SHEETS, sheet

    known = {title: spec for spec in SHEETS for title in (spec.key, *spec.titles)}
    by_table = {held.grid.name: sheet(held.table.sheet) for held in reversed(list(found.values()))}
    specs = {grid.name: by_table.get(grid.name) or known.get(grid.name) for grid in grids}
    return {name: spec.title(lang) for name, spec in specs.items() if spec is not None}


def _with_sheets(
    data: bytes, book: Path, own: Sequence[str], titles: Mapping[str, str]
) -> tuple[bytes, tuple[str, ...]]:
    """Return the new workbook with the person's own sheets, and those whose formulas point at cells of ours."""
    from templates.merge.package import Package
    from templates.merge.splice import Splice

    target = Package(data)
    splice = Splice(target, Package(book.read_bytes()))
    splice.rename(titles)
    for title in own:
        splice.add(title, title)
    splice.finish()
    return target.to_bytes(), tuple(splice.speaking(titles.values()))


def _check(data: bytes, output: Path, before: Portfolio | None, carried: BookReport) -> None:
    """Raise InputError unless the new workbook says what the old one did."""
    import tempfile

    from templates.read.book import read_book

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / output.name
        path.write_bytes(data)
        again = read_book(path)
    lost = len(again.history) != len(carried.history) or len(again.ledger.entries) != len(carried.ledger)
    if again.portfolio != before or lost:
        raise InputError([*again.problems, error("not-carried", str(output))])


def _counts(report: BookReport) -> dict[str, int]:
    portfolio = report.portfolio
    return {
        "Holdings": len(portfolio.holdings),
        "Cash": sum(len(account.cash) for account in portfolio.accounts),
        "Targets": sum(len(section.targets) for section in portfolio.sections),
        "Rules": len(portfolio.sections),
        "Groups": len(portfolio.groups),
        "History": len(report.history),
        "Ledger": len(report.ledger),
    }


def _beside(grids: Iterable[Grid], found: Mapping[str, Found]) -> Iterable[str]:
    """Yield the cells under the headers of our sheets of inputs that are in none of their tables."""
    from templates.cells import letters

    for grid in grids:
        here = [held for held in found.values() if held.grid.name == grid.name]
        if not here or not all(held.table.inputs for held in here):
            continue
        # A matrix and the engine's own columns stand on sheets of results only.
        taken = {column for held in here for column in held.columns.values()}
        top = min(held.header for held in here)
        for row in sorted(number for number in grid.rows if number >= top):
            for column in sorted(grid.rows[row].keys() - taken):
                yield f"{grid.name}!{letters(column)}{row}"
