"""The sheets of a folder of .csv files, one table per file."""

from __future__ import annotations

import csv
from pathlib import Path

from templates.reading.grid import MAX_COLUMNS, MAX_ROWS, Cell, Grid
from templates.reading.safety import Refused, read_bytes

_ENCODINGS = ("utf-8-sig", "cp949")
_DELIMITERS = ",;\t"


def read_sheets(folder: Path) -> list[Grid]:
    """Return a sheet per .csv file of the folder; raises `Refused` where there is none, or one cannot be read."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file())
    if not files:
        message = "the folder has no .csv files: put holdings.csv and targets.csv there"
        raise Refused("no-tables", message, "폴더에 .csv 파일이 없습니다: holdings.csv와 targets.csv를 넣으세요")
    return [_read(path) for path in files]


def _read(path: Path) -> Grid:
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
        raise Refused("damaged", message, f"{path.name}: 깨진 .csv 파일입니다({error}). 다시 저장하세요") from None
    return Grid(path.name, rows)


def decoded(data: bytes, name: str) -> str:
    """Return the text of a .csv file: UTF-8, UTF-16 with a mark, or Korean (cp949); raises `Refused` for others."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    message = f"{name} is neither UTF-8 nor Korean (cp949) text: save it as CSV UTF-8"
    ko = f"{name}: UTF-8도 한국어(cp949) 텍스트도 아닙니다. CSV UTF-8로 저장하세요"
    raise Refused("unknown-encoding", message, ko)
