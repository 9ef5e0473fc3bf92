"""Which portfolios are meant: one, several files, a folder of them, or a table of many clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from engine.data.clients import PARQUET, ClientRows, ClientTable, document
from engine.errors import InputError, Problem, error, warning
from engine.phrase import place
from engine.portfolio import Portfolio, Rule, Section
from rebalancer.loading import READERS, load, usable
from rebalancer.many import Listed

#: A table of many clients has one of these suffixes.
TABLES = (".csv", PARQUET)
#: What begins so in a folder is no portfolio: hidden files, Office's locks, our own summaries.
_PASSED_OVER = (".", "~$", "_")


def one_portfolio(paths: Sequence[Path]) -> Path | None:
    """Return the one portfolio that is meant; None where there are several, a folder of them, or a table."""
    if len(paths) != 1:
        return None
    (path,) = paths
    if path.suffix.lower() in TABLES and not path.is_dir():
        return None
    return path if not path.is_dir() or is_portfolio(path) else None


def is_portfolio(folder: Path) -> bool:
    """Tell whether a folder is one portfolio: its .csv files are its sheets, none of them a table of many clients.

    So is a folder with nothing in it that could be several: what is wrong with it, its reader says.
    """
    tables = [path for path in _files(folder) if path.suffix.lower() == ".csv"]
    if any(_has_clients(path) for path in tables):
        return False
    if not tables:
        return not _inside(folder)
    if all(path in tables for path in _inside(folder)):
        return True
    from engine.data.files import Refused
    from templates.read.tables import find_tables
    from templates.read.workbooks import read_grids

    try:
        found, _ = find_tables(read_grids(folder))
    except Refused:
        return False
    return "Holdings" in found or "Targets" in found


class Gathering:
    """The portfolios of files, folders and tables, listed as often as it is asked for, none of them read.

    `model` or `targets` (a portfolio file, or a .csv table of targets) are what those clients of tables want who have
    no targets or model of their own. `problems` are what is wrong with the gathering as a whole: the rest can be done.
    """

    def __init__(self, paths: Sequence[Path], *, model: str = "", targets: Path | None = None) -> None:
        """Find out what is meant; raises InputError for a model or targets that cannot be used."""
        self.problems: list[Problem] = []
        self._wanted: dict[str, Wanted | tuple[Problem, ...]] = {}
        self._default = _targets(model, targets)
        self._files: list[Path] = []
        self._tables: list[ClientTable] = []
        for path in paths:
            self._take(path)
        given = {path.resolve() for path in self._files}
        if len(given) < len(self._files):
            self.problems.append(warning("given-twice", place("command-line")))
            self._files = list({path.resolve(): path for path in reversed(self._files)}.values())[::-1]
        for table in self._tables:
            self.problems += table.problems

    def __len__(self) -> int:
        return len(self._files) + sum(map(len, self._tables))

    def __iter__(self) -> Iterator[Listed]:
        several = len(self._tables) > 1
        for path in self._files:
            yield Listed(str(path), path.stem, partial(load, path), path)
        for table in self._tables:
            for rows in table:
                name = f"{table.path.name}: {rows.client}" if several else rows.client
                yield Listed(name, rows.client, self._reader(rows), lang=rows.said("lang").lower())

    @property
    def names(self) -> Iterator[tuple[str, str]]:
        """Yield the id of each, and what a file of its own would be called, before it is made safe and unique."""
        several = len(self._tables) > 1
        for path in self._files:
            yield str(path), path.name if path.is_dir() else path.stem
        for table in self._tables:
            for client in table.counts:
                yield f"{table.path.name}: {client}" if several else client, client

    @property
    def folders(self) -> frozenset[Path]:
        """Return the folders that portfolios are read from: nothing may be written there, or it would be read next."""
        return frozenset(path.resolve().parent for path in self._files)

    def _take(self, path: Path) -> None:
        if path.is_dir() and not is_portfolio(path):
            inside = _inside(path)
            for one in inside:
                self._take(one)
            if not inside:
                self.problems.append(error("folder-of-none", str(path), kinds=(*READERS, *TABLES)))
        elif path.suffix.lower() in TABLES and not path.is_dir():
            self._tables.append(ClientTable(path))
        else:
            self._files.append(path)

    def _reader(self, rows: ClientRows) -> Callable[[], Portfolio]:
        """Return what reads a client, with the targets that are meant: its own come later, they beat any."""
        model = rows.said("model")
        if not model:
            return partial(read_client, rows, self._default)
        if model not in self._wanted:
            beside = Path(rows.source).parent / model
            is_file = bool(beside.suffix) and beside.exists()
            try:
                found = _targets("", beside) if is_file else _targets(model, None)
                self._wanted[model] = found or ()
            except InputError as fault:
                self._wanted[model] = fault.problems
        return partial(read_client, rows, self._wanted[model])


@dataclass(frozen=True, slots=True)
class Wanted:
    """The targets, rules and settings that clients share; `base` is the base currency of those who name none."""

    portfolio: Portfolio
    base: str


def read_client(rows: ClientRows, wanted: Wanted | tuple[Problem, ...] | None) -> Portfolio:
    """Return the portfolio of a client's rows: with its own targets, else with those of another portfolio.

    Raises InputError with every problem; in place of `wanted` may stand why it cannot be used.
    """
    from engine.data.document import portfolio_from_data

    here = place("row", file=rows.source, row=rows.rows[0][0])
    unusable = wanted if isinstance(wanted, tuple) else ()
    unusable = tuple(replace(one, where=here) if one.code == "unknown-model" else one for one in unusable)
    shared = wanted if isinstance(wanted, Wanted) else None
    made = document(rows, shared.base if shared else "")
    portfolio, problems = portfolio_from_data(made.data, rows.source, made.locate)
    own = portfolio is not None and any(section.targets for section in portfolio.sections)
    problems = (*made.problems, *unusable, *(one for one in problems if one.code != "no-targets"))
    if portfolio is not None and not own and not unusable and not made.problems:
        if shared is None:
            problems += (error("client-without-targets", here),)
        else:
            portfolio, told = wanting(portfolio, shared.portfolio)
            problems += told
    return usable(portfolio, problems)


def wanting(held: Portfolio, wanted: Portfolio) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Return what is held with the targets, rules and settings of another portfolio, and what of these cannot be taken.

    Weights mean the same in every base currency; amounts do not: those that are only defaults become the defaults of
    the portfolio's own, given ones cannot be taken over.
    """
    own = held.settings
    settings = wanted.settings
    if own.cash_flow:
        settings = replace(settings, cash_flow=own.cash_flow)
    if own.mode != type(own)().mode:
        settings = replace(settings, mode=own.mode)
    sections, untargeted = wanted.sections, wanted.untargeted_rule
    problems: tuple[Problem, ...] = ()
    if held.base_currency != wanted.base_currency:
        rules = [*(section.rule for section in sections), untargeted]
        if any(rule.min_trade_given and rule.min_trade for rule in rules) or wanted.settings.cash_buffer:
            values = {"base": wanted.base_currency, "given": held.base_currency}
            problems = (error("model-in-another-currency", place("portfolio"), **values),)
        sections = tuple(_in_currency(section, held.base_currency) for section in sections)
        untargeted = replace(untargeted, min_trade=Rule.default("all", held.base_currency).min_trade)
    portfolio = replace(
        held,
        instruments={**wanted.instruments, **held.instruments},
        sections=sections,
        groups=wanted.groups,
        settings=settings,
        fx=wanted.fx,
        untargeted_rule=untargeted,
        expected=wanted.expected,
    )
    return portfolio, problems


def _in_currency(section: Section, base: str) -> Section:
    return replace(section, rule=replace(section.rule, min_trade=Rule.default(section.name, base).min_trade))


def _targets(model: str, targets: Path | None) -> Wanted | None:
    """Return the targets and rules that are meant; None where none are."""
    from rebalancer.importing import targets_of

    # A table of targets names no base currency: weights mean the same in each.
    is_table = targets is not None and targets.suffix.lower() == ".csv"
    found = targets_of(model, targets, "KRW" if is_table else "")
    if found is None:
        return None
    return Wanted(replace(found, holdings=(), notes=()), "" if is_table else found.base_currency)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(_PASSED_OVER))
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise InputError([error("unreadable-file", str(folder), reason=reason)]) from None


def _inside(folder: Path) -> list[Path]:
    """Return what of a folder could be portfolios: files by their suffix, tables of many clients, folders of sheets."""
    found = [path for path in _files(folder) if path.suffix.lower() in READERS]
    found += [path for path in _files(folder) if path.suffix.lower() in TABLES and _has_clients(path)]
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(_PASSED_OVER))
    found += [path for path in folders if any(one.suffix.lower() == ".csv" for one in _files(path))]
    return sorted(found)


def _has_clients(path: Path) -> bool:
    """Tell whether a file is a table of many clients: whether a header of it means so."""
    table = ClientTable(path)
    return "client" in table.columns
