"""What a workbook from a stranger must not be: a bomb, a locked box, or a window to another file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from engine.errors import Problem

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


class Refused(Exception):
    """Say why a file is not read: `code` for programs, the text for the person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def problem(self, where: str) -> Problem:
        """Return the refusal as a problem."""
        return Problem("error", self.code, where, str(self))


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; raises `Refused` where it is missing, unreadable or too large."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise Refused("too-large", f"the file has {size:,} bytes; the most is {MAX_FILE:,}")
        return path.read_bytes()
    except FileNotFoundError:
        raise Refused("no-such-file", "there is no such file: check the name and the folder") from None
    except IsADirectoryError:
        raise Refused("unreadable-file", "this is a folder, not a workbook") from None
    except OSError as error:
        raise Refused("unreadable-file", f"the file cannot be read: {error.strerror or error}") from None


def open_archive(data: bytes) -> zipfile.ZipFile:
    """Return the zip inside a workbook; raises `Refused` with the reason for anything that must not be opened."""
    if data.startswith(_OLE):
        if _ENCRYPTED_STREAM in data:
            message = "the workbook is encrypted: open it with its password, remove the password, save it again"
            raise Refused("encrypted", message)
        raise Refused("old-format", "this is an old .xls workbook: open it and save it as .xlsx")
    if not data:
        raise Refused("not-a-workbook", "the file is empty: save the workbook again")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        message = f"this is no workbook, or a damaged one ({error}): open it in a spreadsheet and save it again"
        raise Refused("not-a-workbook", message) from None
    _inspect(archive)
    return archive


def _inspect(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_PARTS:
        raise Refused("too-many-parts", f"the file has {len(entries):,} parts; the most is {MAX_PARTS:,}")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED:
        message = f"the file would unpack to {unpacked:,} bytes; the most is {MAX_UNPACKED:,}: this may be a zip bomb"
        raise Refused("zip-bomb", message)
    names = set()
    for entry in entries:
        if entry.flag_bits & 1:
            raise Refused("encrypted", "the file is encrypted: save it without a password")
        if entry.file_size > _SMALL and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            message = f"{entry.filename} unpacks to {entry.file_size // max(entry.compress_size, 1):,} times its size"
            raise Refused("zip-bomb", f"{message}: this may be a zip bomb")
        if entry.filename in names:
            raise Refused("damaged", f"the file has two parts named {entry.filename}: save it again")
        names.add(entry.filename)
        if entry.filename.startswith(_LINKS):
            message = "the workbook links to another file: break the links (Data → Edit Links → Break), save it again"
            raise Refused("external-link", message)


def part(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return one part's bytes; raises `Refused` where it is missing or damaged."""
    try:
        return archive.read(name)
    except KeyError:
        raise Refused("damaged", f"the file has no part {name}: open it in a spreadsheet and save it again") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError, zlib_error()) as error:
        message = f"{name} is damaged ({error}): open the file in a spreadsheet and save it again"
        raise Refused("damaged", message) from None


def zlib_error() -> type[Exception]:
    """Return the error that a damaged compressed part raises."""
    import zlib

    return zlib.error
