"""Many workbooks at once: rows of a client list, made on every core, each written whole."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from engine.data.fields import Fields, Report, in_rows
from engine.data.files import Refused, read_bytes
from engine.errors import InputError
from engine.money import MINOR_DIGITS
from engine.portfolio import Account
from engine.text import repaired_number
from engine.words import LANGUAGES, Lang
from templates.models import KEYS, load
from templates.read.files import MAX_FILE, decoded
from templates.report import BookReport
from templates.write import build

_COLUMNS = ("Name", "Model", "Lang", *MINOR_DIGITS)
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?", re.IGNORECASE)
_LONGEST_NAME = 100
#: Below this many, starting a second process takes longer than it saves.
_WORTH_A_PROCESS = 8


@dataclass(frozen=True, slots=True)
class Client:
    """A row of a client list: the portfolio's name (and file's), its model, language and cash."""

    name: str
    model: str
    lang: Lang
    cash: tuple[tuple[str, Decimal], ...] = ()


def read_clients(path: Path, lang: Lang) -> tuple[Client, ...]:
    """Return the clients of a CSV file with columns Name, Model, Lang (may be empty) and one per currency.

    Other columns are the person's own. Raises InputError with every problem of every row.
    """
    try:
        text = decoded(read_bytes(path, MAX_FILE), path.name)
    except Refused as refusal:
        raise InputError([refusal.problem(str(path))]) from None
    report = Report(path.name, in_rows(path.name))
    clients: list[Client] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        client = _client(Fields(_known(row), (number,), report, _COLUMNS), lang)
        first = seen.setdefault(client.name.casefold(), number)
        if first != number:
            report.error((number,), "duplicate-name", name=client.name, row=first)
        clients.append(client)
    if not clients:
        report.error((), "no-clients")
    if report.problems:
        raise InputError(report.problems)
    return tuple(clients)


def _known(row: Mapping[str | None, str | None]) -> dict[str, object]:
    """Return what stands in the columns of a client list, in any case; an amount may be written with commas."""
    names = {name.casefold(): name for name in _COLUMNS}
    cells = {names.get((key or "").strip().casefold(), ""): (cell or "").strip() for key, cell in row.items() if key}
    return {
        name: repaired_number(cell) or cell if name in MINOR_DIGITS else cell
        for name, cell in cells.items()
        if name and cell
    }


def _client(row: Fields, lang: Lang) -> Client:
    name = row.text("Name")
    reserved = _UNSAFE.search(name) or _RESERVED.fullmatch(name) or name.endswith(".")
    if not name or reserved or len(name) > _LONGEST_NAME:
        row.error("Name", "bad-name", name=name)
    if not row.given("Model"):
        row.missing("Model", "one-of", choices=KEYS)
    model, language = row.choice("Model", KEYS), row.choice("Lang", LANGUAGES)
    cash = ((currency, row.number(currency)) for currency in MINOR_DIGITS)
    return Client(name, model or "", language or lang, tuple((c, amount) for c, amount in cash if amount is not None))


@dataclass(frozen=True, slots=True)
class Kind:
    """What is written for each client: files of this suffix, from a report in the client's language.

    `make` is a function of a module, so that other processes can call it too.
    """

    suffix: str
    make: Callable[[BookReport, Lang], bytes]


def plain(report: BookReport, lang: Lang) -> bytes:
    """Return a workbook without macros."""
    return build(report, lang).to_bytes()


PLAIN = Kind(".xlsx", plain)


def report_of(client: Client) -> BookReport:
    """Return what a client's workbook shows: the model, under the client's name, with the client's cash."""
    model = load(client.model)
    portfolio = replace(model.ready(), name=client.name)
    if client.cash:
        portfolio = replace(portfolio, accounts=(Account("", cash=dict(client.cash)),))
    return BookReport(portfolio, model=model.facts)


def write_client(client: Client, folder: Path, kind: Kind = PLAIN) -> Path:
    """Write one client's workbook, whole or not at all; returns its path."""
    path = folder / f"{client.name}{kind.suffix}"
    temporary = folder / f".{client.name}.{os.getpid()}.tmp"
    try:
        temporary.write_bytes(kind.make(report_of(client), client.lang))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_all(clients: Sequence[Client], folder: Path, kind: Kind = PLAIN) -> Iterator[Path]:
    """Write every client's workbook, on every core where they are many; yields each path as it is done."""
    workers = min(os.cpu_count() or 1, len(clients) // _WORTH_A_PROCESS + 1)
    if workers < 2:
        for client in clients:
            yield write_client(client, folder, kind)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(write_client, clients, [folder] * len(clients), [kind] * len(clients), chunksize=2)
