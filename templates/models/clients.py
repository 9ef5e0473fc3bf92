"""Many workbooks at once: rows of a client list, made on every core, each written whole."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from engine.errors import InputError, Problem
from engine.money import MINOR_DIGITS
from engine.portfolio import Account
from engine.text import read_number, repaired_number
from engine.words import LANGUAGES, Lang
from templates.models import KEYS, load
from templates.report import BookReport
from templates.write import build

_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?", re.IGNORECASE)
#: Below this many, starting a second process takes longer than it saves.
_WORTH_A_PROCESS = 8


@dataclass(frozen=True, slots=True)
class Client:
    """Hold one row of a client list: the portfolio's name (and file's), its model, language and cash."""

    name: str
    model: str
    lang: Lang
    cash: tuple[tuple[str, Decimal], ...] = ()


def read_clients(path: Path, lang: Lang) -> tuple[Client, ...]:
    """Return the clients of a CSV file with columns Name, Model, Lang (may be empty) and one per currency.

    Raises InputError with every problem of every row.
    """
    from templates.read.files import FileRefused, decoded, read_bytes

    try:
        text = decoded(read_bytes(path), path.name)
    except FileRefused as refusal:
        raise InputError([refusal.problem(str(path))]) from None
    problems: list[Problem] = []
    clients: list[Client] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        where = f"{path.name} row {number}"
        values = {(key or "").strip().casefold(): (value or "").strip() for key, value in row.items() if key}
        client, found = _client(values, where, lang)
        name = client.name.casefold()
        if name in seen:
            message = f"{client.name} stands in row {seen[name]} too: give each its own name"
            ko = f"{client.name}: {seen[name]}행에도 있습니다. 서로 다른 이름을 적으세요"
            found.append(Problem("error", "duplicate-name", where, message, ko))
        seen[name] = number
        problems.extend(found)
        clients.append(client)
    if not clients:
        message = "no rows: write columns Name and Model, a row each"
        ko = "행이 없습니다: Name과 Model 열에 고객마다 한 행씩 적으세요"
        problems.append(Problem("error", "no-clients", path.name, message, ko))
    if problems:
        raise InputError(problems)
    return tuple(clients)


def _client(values: dict[str, str], where: str, lang: Lang) -> tuple[Client, list[Problem]]:
    problems = []
    name, model = values.get("name", ""), values.get("model", "")
    if not name or _UNSAFE.search(name) or _RESERVED.fullmatch(name) or name.endswith(".") or len(name) > 100:
        message = f'{name!r} cannot name a file: write a name without \\ / : * ? " < > |'
        ko = f'{name!r}: 파일 이름으로 쓸 수 없습니다. \\ / : * ? " < > | 없이 적으세요'
        problems.append(Problem("error", "bad-name", f"{where} column Name", message, ko))
    if model not in KEYS:
        message = f"no model {model!r}: write one of {', '.join(KEYS)}"
        ko = f"모르는 모델 {model!r}: {', '.join(KEYS)} 중에서 적으세요"
        problems.append(Problem("error", "unknown-model", f"{where} column Model", message, ko))
    language = values.get("lang") or lang
    if language not in LANGUAGES:
        message = f"{language!r} is no language of the workbooks: write en or ko"
        ko = f"모르는 언어 {language!r}: en이나 ko로 적으세요"
        problems.append(Problem("error", "unknown-language", f"{where} column Lang", message, ko))
    cash = []
    for key, text in values.items():
        if key.upper() not in MINOR_DIGITS or not text:
            continue
        amount = read_number(repaired_number(text) or "")
        if amount is None:
            message, ko = f"{text!r} is no amount", f"{text!r}: 금액이 아닙니다"
            problems.append(Problem("error", "not-a-number", f"{where} column {key.upper()}", message, ko))
        else:
            cash.append((key.upper(), amount))
    return Client(name, model, "ko" if language == "ko" else "en", tuple(cash)), problems


@dataclass(frozen=True, slots=True)
class Kind:
    """Say what is written for each client: files of this suffix, from a report in the client's language.

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
