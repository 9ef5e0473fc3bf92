"""The last step to a file: openpyxl's parts with the values of the formulas put in, the same bytes every time.

openpyxl writes no cached value beside a formula, stamps the time of day, and leaves charts without their numbers'
cache. The parts are taken from its writer before they are compressed, completed, sorted, and zipped with a fixed date.
"""

from __future__ import annotations

import datetime as dt
import io
import posixpath
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from openpyxl.utils.datetime import to_excel
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from templates.write.charts import DESCRIPTION

#: Values of formula cells, by sheet title and address.
Cached = Mapping[str, Mapping[str, object]]
_FORMULA_CELL = re.compile(
    rb'<c r="([A-Z]+[0-9]+)"((?: s="[0-9]+")?)(?: t="[a-z]+")?>(<f[ >].*?</f>|<f [^>]*/>)<v ?/?>(?:</v>)?</c>',
    re.DOTALL,
)
#: What a cell that holds an error shows.
ERRORS = frozenset(("#N/A", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#DIV/0!", "#NULL!"))
#: The order of what a font consists of; openpyxl writes another.
FONT_ORDER = (
    "b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign", "sz", "color", "name", "family",
    "charset", "scheme",
)  # fmt: skip
_FONT = re.compile(rb"<font>(.*?)</font>", re.DOTALL)
#: Elements of a drawing without the prefix that some readers know them by.
_UNPREFIXED = re.compile(rb"<(/?)(?![\w]+:)(\w)")
_CHILD = re.compile(rb"<(\w+)[^>]*/>")
_DATE = (1980, 1, 1, 0, 0, 0)
_FIRST = ("[Content_Types].xml", "_rels/.rels")


class _Parts:
    """The parts that openpyxl's writer would have zipped, in place of the archive."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}

    def writestr(self, name: object, data: str | bytes) -> None:
        key = name if isinstance(name, str) else name.filename  # type: ignore[attr-defined]  # a ZipInfo
        self.parts[key] = data.encode() if isinstance(data, str) else data

    def write(self, filename: str, arcname: str) -> None:
        self.parts[arcname] = Path(filename).read_bytes()

    def namelist(self) -> list[str]:
        return list(self.parts)

    def close(self) -> None:
        """Do nothing: there is no file."""


def parts_of(workbook: Workbook, cached: Cached) -> dict[str, bytes]:
    """Return the workbook's parts by name, each formula cell with its value from `cached`."""
    collected = _Parts()
    ExcelWriter(workbook, collected).save()  # type: ignore[arg-type]  # it only calls what _Parts has
    parts = collected.parts
    parts["xl/styles.xml"] = _FONT.sub(_ordered, parts["xl/styles.xml"])
    for name in parts:
        if name.startswith("xl/drawings/drawing"):
            parts[name] = _UNPREFIXED.sub(rb"<\1xdr:\2", parts[name]).replace(b" xmlns=", b" xmlns:xdr=")
        elif name.endswith(".rels"):
            parts[name] = _relative(name, parts[name])
    drawn = [sheet for sheet in workbook.worksheets if charts_of(sheet)]
    for place, sheet in enumerate(drawn, 1):
        name = f"xl/drawings/drawing{place}.xml"
        parts[name] = _described(parts[name], [vars(chart).get(DESCRIPTION, "") for chart in charts_of(sheet)])
    for sheet in workbook.worksheets:
        values = cached.get(sheet.title)
        if values:
            name = sheet.path[1:]
            parts[name] = _filled(parts[name], values)
    return parts


def charts_of(sheet: Worksheet) -> list[Any]:
    """Return the charts of a sheet in the order in which they are numbered."""
    found: list[Any] = sheet._charts  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public name
    return found


def _described(xml: bytes, texts: Sequence[str]) -> bytes:
    """Return a drawing whose charts tell what they show to those who cannot see them."""
    for number, text in enumerate(texts, 1):
        name = b'name="Chart %d"' % number
        xml = xml.replace(name, name + b" descr=" + quoteattr(text).encode()) if text else xml
    return xml


def _relative(name: str, xml: bytes) -> bytes:
    """Return relations whose targets are relative to the part they are of: some readers understand no others."""
    folder = posixpath.dirname(posixpath.dirname(name))

    def shorter(match: re.Match[bytes]) -> bytes:
        return b'Target="%s"' % posixpath.relpath(match[1].decode(), f"/{folder}").encode()

    return re.sub(rb'Target="(/[^"]*)"', shorter, xml)


def in_order(element: Any) -> list[Any]:  # noqa: ANN401 - an element of whichever library openpyxl uses
    """Return the children of a style's element as its schema orders them."""
    if element.tag != "font":
        return list(element)
    return sorted(element, key=lambda child: FONT_ORDER.index(child.tag))


def _ordered(font: re.Match[bytes]) -> bytes:
    """Return a font's XML with its children as the schema orders them."""
    children = sorted(_CHILD.finditer(font[1]), key=lambda child: FONT_ORDER.index(child[1].decode()))
    return b"<font>" + b"".join(child[0] for child in children) + b"</font>"


def zipped(parts: Mapping[str, bytes]) -> bytes:
    """Return the parts as a zip file with fixed dates and order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(parts, key=lambda part: (part not in _FIRST, part)):
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            info.create_system = 0
            archive.writestr(info, parts[name])
    return buffer.getvalue()


def packed(workbook: Workbook, cached: Cached) -> bytes:
    """Return the workbook as the bytes of an .xlsx file: the same input gives the same bytes."""
    return zipped(parts_of(workbook, cached))


def _filled(xml: bytes, values: Mapping[str, object]) -> bytes:
    def fill(match: re.Match[bytes]) -> bytes:
        address, style, formula = match.groups()
        value = values.get(address.decode())
        if value is None:
            return match.group()
        kind, text = _typed(value)
        return b'<c r="%b"%b%b>%b<v>%b</v></c>' % (address, style, kind, formula, text)

    return _FORMULA_CELL.sub(fill, xml)


def _typed(value: object) -> tuple[bytes, bytes]:
    """Return the cell type and the text of a cached value."""
    if isinstance(value, bool):
        return b' t="b"', b"1" if value else b"0"
    if isinstance(value, str):
        return (b' t="e"' if value in ERRORS else b' t="str"'), escape(value).encode()
    if isinstance(value, dt.date | dt.datetime):
        return b"", repr(to_excel(value)).encode()  # type: ignore[no-untyped-call]
    return b"", repr(value).encode()
