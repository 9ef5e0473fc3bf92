"""The cells of an .xlsx, .xlsm or .ods file, straight from its XML: values, errors, formulas that have no value yet.

Every element is taken by its local name, so that the strict and the transitional form, and other programs' prefixes,
read the same. No entity, no reference to another file is ever followed.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, ParseError
from xml.etree.ElementTree import iterparse as plain_iterparse

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from engine.data.files import Refused, read_bytes
from templates.cells import (
    MAX_COLUMNS,
    MAX_ROWS,
    Cell,
    CellError,
    Grid,
    Uncomputed,
    column_number,
    from_serial,
    to_decimal,
)
from templates.read.files import MAX_FILE, open_archive, part, read_folder

_BUILT_IN_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_NOT_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_RANGE = re.compile(r"([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)")
#: The beginning of XML in UTF-8, which says so or says nothing.
_PLAIN = re.compile(rb"""(?:\xef\xbb\xbf)?\s*<(?!\?xml[^>]*encoding\s*=\s*["'](?!utf-8["']))[\w?:]""", re.IGNORECASE)


def read_grids(path: Path) -> list[Grid]:
    """Return the sheets of a workbook or of a folder of .csv files; raises `Refused`."""
    if path.is_dir():
        return read_folder(path)
    return grids_of(read_bytes(path, MAX_FILE))


def grids_of(data: bytes) -> list[Grid]:
    """Return the sheets of a workbook's file; raises `Refused`. The last one is remembered: a command asks again."""
    return list(_grids_of(data))


@lru_cache(maxsize=1)
def _grids_of(data: bytes) -> list[Grid]:
    with open_archive(data) as archive:
        if "content.xml" in archive.namelist():
            return read_ods(archive)
        return read_xlsx(archive)


def read_xlsx(archive: zipfile.ZipFile) -> list[Grid]:
    """Return every sheet of the workbook, hidden ones too; raises `Refused` for a file that cannot be read."""
    sheets, mac = _sheet_list(archive)
    strings = _shared_strings(archive)
    dates = _date_styles(archive)
    return [
        replace(_read_sheet(part(archive, path), name, strings, dates, mac=mac), part=path) for name, path in sheets
    ]


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def elements(data: bytes, *, end_only: bool = True) -> Iterator[tuple[str, Element]]:
    """Yield a part's elements as they are read; raises `Refused` for XML that is broken or declares entities."""
    # In plain UTF-8 a declaration shows, and without one the parser that looks for none is three times as fast.
    plain = _PLAIN.match(data) is not None and b"<!DOCTYPE" not in data
    parse = plain_iterparse if plain else partial(iterparse, forbid_dtd=True)
    try:
        yield from parse(io.BytesIO(data), events=("end",) if end_only else ("start", "end"))
    except DefusedXmlException as error:
        raise Refused("unsafe-xml", reason=type(error).__name__) from None
    except (ParseError, ValueError, LookupError) as error:
        raise Refused("damaged.xml", reason=str(error)) from None


def _sheet_list(archive: zipfile.ZipFile) -> tuple[list[tuple[str, str]], bool]:
    """Return the sheets' names with their parts, and whether dates count from 1904."""
    book = _main_part(archive)
    folder = PurePosixPath(book).parent
    relations = {}
    for _, element in elements(part(archive, f"{folder}/_rels/{PurePosixPath(book).name}.rels")):
        if local(element) == "Relationship" and element.get("TargetMode") != "External":
            target = element.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else str(folder / target)
            relations[element.get("Id", "")] = (path, element.get("Type", ""))
    sheets, mac = [], False
    for _, element in elements(part(archive, book)):
        if local(element) == "workbookPr":
            mac = element.get("date1904") in ("1", "true")
        if local(element) == "sheet":
            identity = next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == "id"), "")
            path, kind = relations.get(identity, ("", ""))
            if kind.endswith("/worksheet"):
                sheets.append((element.get("name", ""), path))
    if not sheets:
        raise Refused("damaged.no-sheets")
    return sheets, mac


def _main_part(archive: zipfile.ZipFile) -> str:
    for _, element in elements(part(archive, "_rels/.rels")):
        if local(element) == "Relationship" and element.get("Type", "").endswith("/officeDocument"):
            return element.get("Target", "").lstrip("/")
    raise Refused("not-a-workbook.other")


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    name = next((n for n in archive.namelist() if n.lower().endswith("sharedstrings.xml")), None)
    if name is None:
        return []
    found = []
    for _, element in elements(part(archive, name)):
        if local(element) == "si":
            found.append(_text(element))
            element.clear()
    return found


def _text(element: Element) -> str:
    """Return the text of a string, its pieces joined, without the phonetic guide."""
    pieces = []
    for child in element:
        kind = local(child)
        if kind == "t":
            pieces.append(child.text or "")
        elif kind == "r":
            pieces.extend(t.text or "" for t in child if local(t) == "t")
    return "".join(pieces)


def _date_styles(archive: zipfile.ZipFile) -> frozenset[int]:
    """Return the numbers of the cell styles that show a date."""
    name = next((n for n in archive.namelist() if n.lower().endswith("xl/styles.xml")), None)
    if name is None:
        return frozenset()
    formats: dict[str, str] = {}
    styles: list[str] = []
    inside = False
    for event, element in elements(part(archive, name), end_only=False):
        kind = local(element)
        if kind == "cellXfs":
            inside = event == "start"
        elif event == "start":
            continue
        elif kind == "numFmt":
            formats[element.get("numFmtId", "")] = element.get("formatCode", "")
        elif kind == "xf" and inside:
            styles.append(element.get("numFmtId", "0"))
    return frozenset(i for i, code in enumerate(styles) if _shows_date(code, formats))


def _shows_date(code: str, formats: dict[str, str]) -> bool:
    if code in formats:
        plain = _NOT_FORMAT.sub("", formats[code]).lower()
        return "general" not in plain and any(letter in plain for letter in "ydhs")
    return code.isdigit() and int(code) in _BUILT_IN_DATES


def _read_sheet(data: bytes, name: str, strings: list[str], dates: frozenset[int], *, mac: bool) -> Grid:
    rows: dict[int, dict[int, Cell]] = {}
    merged: list[tuple[int, int, int]] = []
    number = 0
    for _, element in elements(data):
        kind = local(element)
        if kind == "row":
            given = element.get("r", "")
            number = int(given) if given.isdigit() else number + 1
            if number > MAX_ROWS:
                break
            cells = _read_row(element, strings, dates, mac=mac)
            if cells:
                rows[number] = cells
            element.clear()
        elif kind == "mergeCell":
            match = _RANGE.fullmatch(element.get("ref", ""))
            if match and match[1] == match[3]:
                merged.append((column_number(match[1]), int(match[2]), min(int(match[4]), MAX_ROWS)))
    return Grid(name, rows, tuple(merged))


def _read_row(row: Element, strings: list[str], dates: frozenset[int], *, mac: bool) -> dict[int, Cell]:
    cells: dict[int, Cell] = {}
    column = 0
    for cell in row:
        address = cell.get("r")
        column = column_number(address) if address else column + 1
        if column > MAX_COLUMNS:
            break
        value = _xlsx_value(cell, strings, dates, mac=mac)
        if value is not None and value != "":
            cells[column] = value
    return cells


def _xlsx_value(cell: Element, strings: list[str], dates: frozenset[int], *, mac: bool) -> Cell:
    kind = cell.get("t", "n")
    text, formula = None, None
    for child in cell:
        part_name = local(child)
        if part_name == "v":
            text = child.text
        elif part_name == "f":
            formula = child.text or ""
        elif part_name == "is":
            return _text(child)
    if text is None:
        return Uncomputed(formula) if formula is not None and kind != "str" else None
    if kind == "s":
        index = int(text) if text.strip().isdigit() else -1
        return strings[index] if 0 <= index < len(strings) else CellError("a text that is missing from the file")
    if kind == "str":
        return text
    if kind == "b":
        return text.strip() in ("1", "true")
    if kind == "e":
        return CellError(text)
    return _number(text, cell.get("s", ""), dates, kind, mac=mac)


def _number(text: str, style: str, dates: frozenset[int], kind: str, *, mac: bool) -> Cell:
    if kind == "d":
        return text[:10]
    try:
        number: Decimal = to_decimal(text.strip())
    except ValueError:
        return text
    if style.isdigit() and int(style) in dates:
        try:
            return from_serial(number, mac=mac)
        except ValueError:
            return number
    return number


_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "Err:")


def read_ods(archive: zipfile.ZipFile) -> list[Grid]:
    """Return every sheet; raises `Refused` for a file that is encrypted, linked or cannot be read."""
    if b"encryption-data" in part(archive, "META-INF/manifest.xml"):
        raise Refused("encrypted.ods")
    grids: list[Grid] = []
    reader: _OdsSheet | None = None
    for event, element in elements(part(archive, "content.xml"), end_only=False):
        kind = local(element)
        if event == "start":
            if kind == "table" and reader is None:
                reader = _OdsSheet(_attribute(element, "name"))
            elif kind == "table-source":
                raise Refused("external-link.sheet")
        elif kind == "table-row" and reader is not None:
            reader.row(element)
            element.clear()
        elif kind == "table" and reader is not None:
            grids.append(Grid(reader.name, reader.rows, tuple(reader.merged)))
            reader = None
    if not grids:
        raise Refused("damaged.no-sheets")
    return grids


def _attribute(element: Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _count(element: Element, name: str) -> int:
    text = _attribute(element, name)
    return max(int(text), 1) if text.isdigit() else 1


class _OdsSheet:
    """The rows of one sheet, each as often as it is repeated."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[int, dict[int, Cell]] = {}
        self.merged: list[tuple[int, int, int]] = []
        self._next = 1

    def row(self, element: Element) -> None:
        first, count = self._next, _count(element, "number-rows-repeated")
        self._next += count
        cells: dict[int, Cell] = {}
        column = 1
        for cell in element:
            if local(cell) not in ("table-cell", "covered-table-cell"):
                continue
            repeated = _count(cell, "number-columns-repeated")
            value = _ods_value(cell)
            span = _count(cell, "number-rows-spanned")
            if span > 1 and _count(cell, "number-columns-spanned") == 1:
                self.merged.append((column, first, min(first + span - 1, MAX_ROWS)))
            if value is not None and value != "":
                for offset in range(min(repeated, MAX_COLUMNS - column + 1)):
                    cells[column + offset] = value
            column += repeated
            if column > MAX_COLUMNS:
                break
        if cells:
            for offset in range(min(count, MAX_ROWS - first + 1)):
                self.rows[first + offset] = cells


def _ods_value(cell: Element) -> Cell:
    formula = _attribute(cell, "formula")
    if "'file:" in formula:
        raise Refused("external-link.formula")
    kind = _attribute(cell, "value-type")
    text = "\n".join("".join(p.itertext()) for p in cell if local(p) == "p")
    if formula and text.startswith(_ERRORS):
        return CellError(text)
    if kind in ("float", "percentage", "currency"):
        try:
            return to_decimal(_attribute(cell, "value"))
        except ValueError:
            return text
    if kind == "boolean":
        return _attribute(cell, "boolean-value") == "true"
    if kind == "date":
        return _ods_date(_attribute(cell, "date-value"))
    if kind == "string":
        return _attribute(cell, "string-value") or text
    # A formula without type or text has come to an empty text: an .ods always holds values.
    return text or None


def _ods_date(text: str) -> Cell:
    try:
        return dt.date.fromisoformat(text) if len(text) <= 10 else dt.datetime.fromisoformat(text)
    except ValueError:
        return text
