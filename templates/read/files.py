"""Files as bytes and text, and what one from a stranger must not be: a bomb, a locked box, a window to another file."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from pathlib import Path

from engine.data.files import Refused, read_bytes
from templates.cells import MAX_COLUMNS, MAX_ROWS, Cell, Grid

#: Largest file and largest unpacked content read, in bytes; far above any portfolio's.
MAX_FILE = 50_000_000
MAX_UNPACKED = 200_000_000
MAX_PARTS = 2_000
#: A part may unpack to this many times its size; XML of a sheet reaches about 40.
MAX_RATIO = 250
_SMALL = 2_000_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_LINKS = "xl/externalLinks/"
_ENCODINGS = ("utf-8-sig", "cp949")
_DELIMITERS = ",;\t"
#: What zipfile raises where a file is not what it says.
_BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError, OSError)


def open_archive(data: bytes) -> zipfile.ZipFile:
    """Return the zip inside a workbook; raises `Refused` with the reason for anything that must not be opened."""
    if data.startswith(_OLE):
        raise Refused("encrypted.workbook" if _ENCRYPTED_STREAM in data else "old-format")
    if not data:
        raise Refused("not-a-workbook.empty")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN as fault:
        raise Refused("not-a-workbook.damaged", reason=str(fault)) from None
    _inspect(archive)
    return archive


def _inspect(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_PARTS:
        raise Refused("too-many-parts", parts=len(entries), most=MAX_PARTS)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED:
        raise Refused("zip-bomb.size", size=unpacked, most=MAX_UNPACKED)
    names = set()
    for entry in entries:
        if entry.flag_bits & 1:
            raise Refused("encrypted.part")
        times = entry.file_size // max(entry.compress_size, 1)
        if entry.file_size > _SMALL and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise Refused("zip-bomb.ratio", part=entry.filename, times=times)
        if entry.filename in names:
            raise Refused("damaged.twice", part=entry.filename)
        names.add(entry.filename)
        if entry.filename.startswith(_LINKS):
            raise Refused("external-link.links")


def part(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return one part's bytes; raises `Refused` where it is missing or damaged."""
    try:
        return archive.read(name)
    except KeyError:
        raise Refused("damaged.no-part", part=name) from None
    except _BROKEN as fault:
        raise Refused("damaged.part", part=name, reason=str(fault)) from None


def decoded(data: bytes, name: str) -> str:
    """Return the text of a .csv file: UTF-8, UTF-16 with a mark, or Korean (cp949); raises `Refused` for others."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused("unknown-encoding", file=name)


def read_folder(folder: Path) -> list[Grid]:
    """Return a sheet per .csv file of the folder; raises `Refused` where there is none, or one cannot be read."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file())
    if not files:
        raise Refused("no-tables.folder")
    return [_csv_sheet(path) for path in files]


def _csv_sheet(path: Path) -> Grid:
    text = decoded(read_bytes(path, MAX_FILE), path.name)
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    rows: dict[int, dict[int, Cell]] = {}
    try:
        reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
        for number, row in enumerate(reader, 1):
            if number > MAX_ROWS:
                break
            cells: dict[int, Cell] = {i: cell.strip() for i, cell in enumerate(row[:MAX_COLUMNS], 1) if cell.strip()}
            if cells:
                rows[number] = cells
    except csv.Error as fault:
        raise Refused("damaged.csv", file=path.name, reason=str(fault)) from None
    return Grid(path.name, rows)
