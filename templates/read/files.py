"""Files as bytes and text, and what one from a stranger must not be: a bomb, a locked box, a window to another file."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from engine.errors import Problem
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


class FileRefused(Exception):
    """Say why a file is not read: `code` for programs, the text (`ko`: in Korean) for the person."""

    def __init__(self, code: str, message: str, ko: str) -> None:
        super().__init__(message)
        self.code = code
        self.ko = ko

    def problem(self, where: str) -> Problem:
        """Return the refusal as a problem."""
        return Problem("error", self.code, where, str(self), self.ko)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; raises `FileRefused` where it is missing, unreadable or too large."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            ko = f"파일이 너무 큽니다: {size:,}바이트, 최대 {MAX_FILE:,}바이트"
            raise FileRefused("too-large", f"the file has {size:,} bytes; the most is {MAX_FILE:,}", ko)
        return path.read_bytes()
    except FileNotFoundError:
        message, ko = (
            "there is no such file: check the name and the folder",
            "파일이 없습니다: 이름과 폴더를 확인하세요",
        )
        raise FileRefused("no-such-file", message, ko) from None
    except IsADirectoryError:
        raise FileRefused(
            "unreadable-file", "this is a folder, not a workbook", "통합 문서가 아니라 폴더입니다"
        ) from None
    except OSError as error:
        reason = error.strerror or error
        message, ko = f"the file cannot be read: {reason}", f"파일을 읽을 수 없습니다: {reason}"
        raise FileRefused("unreadable-file", message, ko) from None


def open_archive(data: bytes) -> zipfile.ZipFile:
    """Return the zip inside a workbook; raises `FileRefused` with the reason for anything that must not be opened."""
    if data.startswith(_OLE):
        if _ENCRYPTED_STREAM in data:
            message = "the workbook is encrypted: open it with its password, remove the password, save it again"
            raise FileRefused("encrypted", message, "암호가 걸린 통합 문서입니다: 열어서 암호를 없애고 다시 저장하세요")
        message, ko = (
            "this is an old .xls workbook: open it and save it as .xlsx",
            "옛 .xls 파일입니다: 열어서 .xlsx로 저장하세요",
        )
        raise FileRefused("old-format", message, ko)
    if not data:
        message, ko = "the file is empty: save the workbook again", "빈 파일입니다: 통합 문서를 다시 저장하세요"
        raise FileRefused("not-a-workbook", message, ko)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        message = f"this is no workbook, or a damaged one ({error}): open it in a spreadsheet and save it again"
        ko = f"통합 문서가 아니거나 깨졌습니다({error}): 스프레드시트에서 열어 다시 저장하세요"
        raise FileRefused("not-a-workbook", message, ko) from None
    _inspect(archive)
    return archive


def _inspect(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_PARTS:
        message = f"the file has {len(entries):,} parts; the most is {MAX_PARTS:,}"
        ko = f"파일 안의 부분이 너무 많습니다: {len(entries):,}개, 최대 {MAX_PARTS:,}개"
        raise FileRefused("too-many-parts", message, ko)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED:
        message = f"the file would unpack to {unpacked:,} bytes; the most is {MAX_UNPACKED:,}: this may be a zip bomb"
        ko = f"압축을 풀면 {unpacked:,}바이트입니다(최대 {MAX_UNPACKED:,}): 압축 폭탄일 수 있습니다"
        raise FileRefused("zip-bomb", message, ko)
    names = set()
    for entry in entries:
        if entry.flag_bits & 1:
            message, ko = (
                "the file is encrypted: save it without a password",
                "암호가 걸린 파일입니다: 암호 없이 저장하세요",
            )
            raise FileRefused("encrypted", message, ko)
        if entry.file_size > _SMALL and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            times = f"{entry.file_size // max(entry.compress_size, 1):,}"
            message = f"{entry.filename} unpacks to {times} times its size: this may be a zip bomb"
            ko = f"{entry.filename}: 압축을 풀면 {times}배가 됩니다. 압축 폭탄일 수 있습니다"
            raise FileRefused("zip-bomb", message, ko)
        if entry.filename in names:
            message = f"the file has two parts named {entry.filename}: save it again"
            raise FileRefused("damaged", message, f"파일 안에 {entry.filename} 부분이 둘입니다: 다시 저장하세요")
        names.add(entry.filename)
        if entry.filename.startswith(_LINKS):
            message = "the workbook links to another file: break the links (Data → Edit Links → Break), save it again"
            ko = "다른 파일에 연결된 통합 문서입니다: 연결을 끊고(데이터 → 연결 편집 → 연결 끊기) 다시 저장하세요"
            raise FileRefused("external-link", message, ko)


def part(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return one part's bytes; raises `FileRefused` where it is missing or damaged."""
    try:
        return archive.read(name)
    except KeyError:
        message = f"the file has no part {name}: open it in a spreadsheet and save it again"
        ko = f"파일에 {name} 부분이 없습니다: 스프레드시트에서 열어 다시 저장하세요"
        raise FileRefused("damaged", message, ko) from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError, zlib_error()) as error:
        message = f"{name} is damaged ({error}): open the file in a spreadsheet and save it again"
        ko = f"{name} 부분이 깨졌습니다({error}): 스프레드시트에서 열어 다시 저장하세요"
        raise FileRefused("damaged", message, ko) from None


def zlib_error() -> type[Exception]:
    """Return the error that a damaged compressed part raises."""
    import zlib

    return zlib.error


_ENCODINGS = ("utf-8-sig", "cp949")
_DELIMITERS = ",;\t"


def read_folder(folder: Path) -> list[Grid]:
    """Return a sheet per .csv file of the folder; raises `FileRefused` where there is none, or one cannot be read."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file())
    if not files:
        message = "the folder has no .csv files: put holdings.csv and targets.csv there"
        raise FileRefused("no-tables", message, "폴더에 .csv 파일이 없습니다: holdings.csv와 targets.csv를 넣으세요")
    return [_csv_sheet(path) for path in files]


def _csv_sheet(path: Path) -> Grid:
    text = decoded(read_bytes(path), path.name)
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
    except csv.Error as error:
        message = f"{path.name} is no sound .csv file ({error}): save it again"
        raise FileRefused("damaged", message, f"{path.name}: 깨진 .csv 파일입니다({error}). 다시 저장하세요") from None
    return Grid(path.name, rows)


def decoded(data: bytes, name: str) -> str:
    """Return the text of a .csv file: UTF-8, UTF-16 with a mark, or Korean (cp949); raises `FileRefused` for others."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    message = f"{name} is neither UTF-8 nor Korean (cp949) text: save it as CSV UTF-8"
    ko = f"{name}: UTF-8도 한국어(cp949) 텍스트도 아닙니다. CSV UTF-8로 저장하세요"
    raise FileRefused("unknown-encoding", message, ko)
