"""The cells of an .ods file, straight from its content.xml, in the same form as those of an .xlsx."""

from __future__ import annotations

import datetime as dt
import zipfile
from xml.etree.ElementTree import Element

from templates.reading.grid import MAX_COLUMNS, MAX_ROWS, Cell, ErrorValue, Grid, to_decimal
from templates.reading.safety import Refused, part
from templates.reading.xlsx import elements, local

_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "Err:")


def read_sheets(archive: zipfile.ZipFile) -> list[Grid]:
    """Return every sheet; raises `Refused` for a file that is encrypted, linked or cannot be read."""
    if b"encryption-data" in part(archive, "META-INF/manifest.xml"):
        message, ko = (
            "the workbook is encrypted: save it without a password",
            "암호가 걸린 통합 문서입니다: 암호 없이 저장하세요",
        )
        raise Refused("encrypted", message, ko)
    grids: list[Grid] = []
    reader: _Sheet | None = None
    for event, element in elements(part(archive, "content.xml"), end_only=False):
        kind = local(element)
        if event == "start":
            if kind == "table" and reader is None:
                reader = _Sheet(_attribute(element, "name"))
            elif kind == "table-source":
                message = "a sheet is linked to another file: break the link (Edit → Links), save it again"
                ko = "다른 파일에 연결된 시트가 있습니다: 연결을 끊고(편집 → 연결) 다시 저장하세요"
                raise Refused("external-link", message, ko)
        elif kind == "table-row" and reader is not None:
            reader.row(element)
            element.clear()
        elif kind == "table" and reader is not None:
            grids.append(Grid(reader.name, reader.rows, tuple(reader.merged)))
            reader = None
    if not grids:
        raise Refused("damaged", "the workbook has no sheets: save it again", "시트가 없습니다: 다시 저장하세요")
    return grids


def _attribute(element: Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _count(element: Element, name: str) -> int:
    text = _attribute(element, name)
    return max(int(text), 1) if text.isdigit() else 1


class _Sheet:
    """Gather the rows of one sheet, each as often as it is repeated."""

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
            value = _value(cell)
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


def _value(cell: Element) -> Cell:
    formula = _attribute(cell, "formula")
    if "'file:" in formula:
        message = "a formula refers to another file: replace it by its value, save it again"
        raise Refused("external-link", message, "다른 파일을 가리키는 수식이 있습니다: 값으로 바꾸고 다시 저장하세요")
    kind = _attribute(cell, "value-type")
    text = "\n".join("".join(p.itertext()) for p in cell if local(p) == "p")
    if formula and text.startswith(_ERRORS):
        return ErrorValue(text)
    if kind in ("float", "percentage", "currency"):
        try:
            return to_decimal(_attribute(cell, "value"))
        except ValueError:
            return text
    if kind == "boolean":
        return _attribute(cell, "boolean-value") == "true"
    if kind == "date":
        return _date(_attribute(cell, "date-value"))
    if kind == "string":
        return _attribute(cell, "string-value") or text
    # A formula without type or text has come to an empty text: an .ods always holds values.
    return text or None


def _date(text: str) -> Cell:
    try:
        return dt.date.fromisoformat(text) if len(text) <= 10 else dt.datetime.fromisoformat(text)
    except ValueError:
        return text
