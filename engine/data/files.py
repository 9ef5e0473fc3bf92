"""A person's file: its bytes, its text, its rows; and what keeps one from being read, said in one way."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from engine.data.fields import Fields, Report, Where
from engine.errors import InputError, Problem, error
from engine.phrase import phrase, place
from engine.text import nearest

#: Far above any file of a portfolio's; more is a slip of the hand.
MOST_BYTES = 20_000_000


class Refused(Exception):
    """A file or text that is not read: the key of the message that says why, its values, and the line (from 1)."""

    def __init__(self, key: str, *, line: int | None = None, **values: object) -> None:
        self.key = key
        self.line = line
        self.values = values
        super().__init__(phrase(key, **values))

    def problem(self, where: Where) -> Problem:
        """Return why `where`, the name of the file, is not read."""
        there = where if self.line is None else place("line", file=where, row=self.line)
        return error(self.key, there, **self.values)


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a portfolio file; raises Refused where there are none to be had, or more than `most`."""
    try:
        size = path.stat().st_size
        if size <= most:
            return path.read_bytes()
    except FileNotFoundError:
        raise Refused("no-such-file") from None
    except OSError as fault:
        raise Refused("unreadable-file", reason=fault.strerror or type(fault).__name__) from None
    raise Refused("too-large", size=size, most=most)


def read_beside(path: Path) -> bytes:
    """Return the bytes of a file that stands beside the portfolio: prices, history, facts. Raises InputError."""
    try:
        return path.read_bytes()
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise InputError([error("file-unreadable", str(path), reason=reason)]) from None


def read_text(path: Path) -> str:
    """Return the text of a file that stands beside the portfolio; raises InputError where it is no UTF-8."""
    try:
        return decode(read_beside(path))
    except Refused as refused:
        raise InputError([refused.problem(str(path))]) from None


def decode(raw: bytes) -> str:
    """Return the text of UTF-8 bytes, with or without a byte order mark.

    Raises Refused, which names the likely encoding; nothing is decoded on a guess.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused("encoding.utf-16", line=1)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        key = "encoding.cp949" if _is_cp949(raw) else "encoding.bytes"
        raise Refused(key, line=line, byte=f"0x{raw[fault.start]:02x}") from None


def _is_cp949(raw: bytes) -> bool:
    try:
        raw.decode("cp949")
    except UnicodeDecodeError:
        return False
    return True


def csv_rows(raw: str | bytes, report: Report) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of CSV text, numbered from 1 as a spreadsheet shows them, cells without surrounding space.

    What keeps the text, or the rest of it, from being read is reported at path (row,).
    """
    number = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(_csv_text(raw), newline=""), strict=True), 1):
            yield number, [cell.strip() for cell in row]
    except Refused as refused:
        report.error((refused.line or 1,), refused.key, **refused.values)
    except csv.Error as fault:
        report.error((number + 1,), "csv-syntax", reason=str(fault))


def _csv_text(raw: str | bytes) -> str:
    text = decode(raw) if isinstance(raw, bytes) else raw.removeprefix("\ufeff")
    if len(text) > MOST_BYTES:
        raise Refused("too-large.text", size=len(text), most=MOST_BYTES)
    if "\x00" in text:
        raise Refused("encoding.zeros")
    return text


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table of a CSV file: the columns that its header has, and each row with its number, read as it is asked for."""

    columns: frozenset[str]
    rows: Iterator[tuple[int, Fields]]


def csv_table(
    raw: str | bytes,
    report: Report,
    columns: tuple[str, ...],
    required: tuple[str, ...],
    others: Mapping[str, str] = MappingProxyType({}),
) -> CsvTable:
    """Return a CSV table of `columns`, in any order and case; those `required` have to be there, and are in every row.

    `others` are other names of columns. A row has what stands in it by column. What is wrong is reported at path
    (row, column); a row with more cells than the header has is not read.
    """
    rows, number = csv_rows(raw, report), 1
    for number, cells in rows:
        if any(cells):
            found = _header(number, cells, report, columns, required, others)
            sound = set(required) <= found.keys()
            read = _rows(rows, len(cells), found, report, columns, required) if sound else iter(())
            return CsvTable(frozenset(found), read)
    if not report.failed:
        report.error((number,), "empty-document.table", columns=",".join(columns))
    return CsvTable(frozenset(), iter(()))


def _rows(
    rows: Iterator[tuple[int, list[str]]],
    width: int,
    found: Mapping[str, int],
    report: Report,
    columns: tuple[str, ...],
    required: tuple[str, ...],
) -> Iterator[tuple[int, Fields]]:
    for number, cells in rows:
        if extra := [cell for cell in cells[width:] if cell]:
            report.error((number,), "extra-cell", extra=extra)
        elif any(cells):
            cells += [""] * (width - len(cells))
            values = {name: cells[at] for name, at in found.items() if cells[at] or name in required}
            yield number, Fields(values, (number,), report, columns)


def _header(
    number: int,
    cells: list[str],
    report: Report,
    columns: tuple[str, ...],
    required: Iterable[str],
    others: Mapping[str, str],
) -> dict[str, int]:
    """Return where each column is."""
    if len(cells) == 1 and any(mark in cells[0] for mark in ";\t"):
        report.error((number,), "csv-syntax.separator", header=cells[0])
        return {}
    found: dict[str, int] = {}
    for index, cell in enumerate(cells):
        name = others.get(cell.casefold(), cell.casefold())
        if name not in columns:
            near = nearest(name, columns)
            repair = phrase("repair.near", word=near) if near else phrase("repair.columns", known=columns)
            report.error((number, cell or str(index + 1)), "unknown-column", name=cell, repair=repair)
        elif name in found:
            report.error((number, name), "duplicate-column", name=name)
        else:
            found[name] = index
    for name in required:
        if name not in found:
            report.error((number, name), "missing.column", name=name)
    return found
