"""A workbook to start from: of a model portfolio or a portfolio file, or one for each row of a client list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, error
from engine.words import Lang
from rebalancer.files import output_problems, write_whole

if TYPE_CHECKING:
    from templates.models.clients import Kind
    from templates.report import BookReport


def start(name: str, path: Path, lang: Lang, kind: Kind, *, force: bool = False) -> None:
    """Write the workbook of a model, or of the portfolio file of this name, whole or not at all.

    Raises InputError with every problem of the place and of the portfolio.
    """
    problems = output_problems(path, kind.suffix, force=force)
    try:
        report = _report(name)
    except InputError as fault:
        raise InputError((*problems, *fault.problems)) from None
    if problems:
        raise InputError(problems)
    write_whole(path, kind.make(report, lang))


def start_many(
    clients: Path, folder: Path, lang: Lang, kind: Kind, *, force: bool = False
) -> tuple[int, Iterator[Path]]:
    """Return how many clients a list has, and what writes a workbook for each into the folder, yielding its path.

    `lang` is the language of clients that name none. Raises InputError with every problem of the list and the folder;
    so does the writing.
    """
    from templates.models.clients import read_clients, write_all

    listed = read_clients(clients, lang)
    problems = []
    if folder.exists() and not folder.is_dir():
        problems.append(error("output-folder.batch", str(folder)))
    elif not force:
        paths = (folder / f"{client.name}{kind.suffix}" for client in listed)
        problems += [error("output-exists.batch", str(path)) for path in paths if path.exists()]
    if problems:
        raise InputError(problems)

    def written() -> Iterator[Path]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            yield from write_all(listed, folder, kind)
        except OSError as fault:
            reason = fault.strerror or str(fault)
            raise InputError([error("output-not-written.folder", str(folder), reason=reason)]) from fault

    return len(listed), written()


def _report(name: str) -> BookReport:
    """Return what the workbook shows: a file where there is one of this name, else a model."""
    from templates.report import BookReport

    file = Path(name)
    if file.suffix and file.exists():
        from rebalancer.loading import load_portfolio

        portfolio, problems = load_portfolio(file)
        if portfolio is None:
            raise InputError(problems)
        unpriced = [one.symbol for one in portfolio.holdings if one.value and not one.quantity]
        if unpriced:
            raise InputError([error("value-unpriced", str(file), symbols=unpriced)])
        return BookReport(portfolio)
    from templates.models import load as load_model

    model = load_model(name)
    return BookReport(model.ready(), model=model.facts)
