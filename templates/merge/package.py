"""A workbook file as its parts, of which single cells, styles and names are changed: every other byte stays.

No library that reads and writes workbooks keeps all that a spreadsheet program has put in one. So nothing is parsed
into objects and written anew: what is to change is found in the XML and replaced there.
"""

from __future__ import annotations

import datetime as dt
import io
import posixpath
import re
import zipfile
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape, unescape

from defusedxml.ElementTree import fromstring
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, to_excel
from openpyxl.workbook import Workbook

from templates.cells import column_number, letters
from templates.write.pack import ERRORS, FONT_ORDER, in_order

_ATTRIBUTE = re.compile(rb"""([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')""")
_QUOTES = {"&quot;": '"', "&apos;": "'"}
_TYPES = "[Content_Types].xml"
_NO_RELATIONS = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
)
#: Of parts that are added; the others keep theirs.
_DATE = (1980, 1, 1, 0, 0, 0)
#: What a style sheet consists of, in this order.
_GROUPS = (
    "numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles", "colors",
    "extLst",
)  # fmt: skip
_APPLIED = ("NumberFormat", "Font", "Fill", "Border", "Alignment")
_REFERENCE = re.compile(r"&#(x?)([0-9A-Fa-f]+);")


def text_of(xml: bytes) -> str:
    """Return the text that an element's or attribute's XML holds."""
    plain = _REFERENCE.sub(lambda found: chr(int(found[2], 16 if found[1] else 10)), xml.decode())
    return unescape(plain, _QUOTES)


def attributes(xml: bytes) -> dict[str, str]:
    """Return the attributes of a tag by their names."""
    return {name.decode(): text_of(value[1:-1]) for name, value in _ATTRIBUTE.findall(xml)}


def with_attribute(tag: bytes, name: str, value: str) -> bytes:
    """Return an opening tag with an attribute set; all its others stay as they are."""
    made = b'%s="%s"' % (name.encode(), escape(value, {'"': "&quot;"}).encode())
    pattern = re.compile(rb"""(?<=\s)%s\s*=\s*("[^"]*"|'[^']*')""" % re.escape(name.encode()))
    if pattern.search(tag):
        return pattern.sub(lambda _found: made, tag, count=1)
    end = -2 if tag.endswith(b"/>") else -1
    return tag[:end].rstrip() + b" " + made + tag[end:]


def _prefix_of(data: bytes, name: bytes) -> bytes:
    """Return the prefix, with its colon, under which a part writes an element's namespace."""
    found = re.search(rb"<([\w.-]+:)?%s[\s>/]" % name, data)
    return found[1] or b"" if found else b""


def _local(element: Any) -> str:  # noqa: ANN401 - an element of the standard library's
    return str(element.tag).rpartition("}")[2]


def plain_utf8(data: bytes) -> bytes:
    """Return a part's XML in UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return re.sub(
            rb"""(<\?xml[^>]*?)\s+encoding=("[^"]*"|'[^']*')""", rb"\1", data.decode("utf-16").encode(), count=1
        )
    return data


@dataclass(frozen=True, slots=True)
class Relation:
    """What a part refers to: by an identifier, as what kind, and another part, or something outside the file."""

    name: str
    kind: str
    target: str
    outside: bool = False


def _relations_of(name: str) -> str:
    folder, _, file = name.rpartition("/")
    return posixpath.join(folder, "_rels", f"{file}.rels")


class Package:
    """A workbook file's parts: those that were changed, and all others as they are."""

    def __init__(self, data: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self._held = frozenset(self._archive.namelist())
        self._changed: dict[str, bytes | None] = {}
        self.main = next(
            (path for kind, path in self.related("") if kind.endswith("/officeDocument")), "xl/workbook.xml"
        )

    def __contains__(self, name: str) -> bool:
        return self._changed[name] is not None if name in self._changed else name in self._held

    def read(self, name: str) -> bytes:
        """Return a part's bytes as they are now."""
        changed = self._changed.get(name)
        return self._archive.read(name) if changed is None else changed

    def write(self, name: str, data: bytes) -> None:
        """Change a part that is there, or one that `add` has made known."""
        self._changed[name] = data

    def related(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield what a part ("" is the whole file) refers to inside the file: the kind of relation, and the part."""
        for relation in self.relations(name):
            if not relation.outside:
                yield relation.kind, relation.target

    def relations(self, name: str) -> Iterator[Relation]:
        """Yield every relation of a part."""
        folder, relations = posixpath.dirname(name), _relations_of(name)
        if relations not in self:
            return
        for tag in re.findall(rb"<(?:[\w.-]+:)?Relationship\s[^>]*>", plain_utf8(self.read(relations))):
            found = attributes(tag)
            target, outside = found.get("Target", ""), found.get("TargetMode") == "External"
            if not outside:
                target = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            yield Relation(found.get("Id", ""), found.get("Type", ""), target, outside)

    def kind_of(self, name: str) -> str:
        """Return a part's content type."""
        types, known = plain_utf8(self.read(_TYPES)), ""
        for tag in re.findall(rb"<(?:[\w.-]+:)?(?:Override|Default)\s[^>]*>", types):
            found = attributes(tag)
            if found.get("PartName") == f"/{name}":
                return found["ContentType"]
            if found.get("Extension", "").lower() == posixpath.splitext(name)[1][1:].lower():
                known = found["ContentType"]
        return known

    def add(self, name: str, data: bytes, kind: str) -> str:
        """Add a part under this name, or the next that is free; returns the name."""
        name = self._free(name)
        types = plain_utf8(self.read(_TYPES))
        end = re.search(rb"</([\w.-]+:)?Types\s*>", types)
        if end is None:
            raise ValueError(_TYPES)
        tag = f'<{(end[1] or b"").decode()}Override PartName="/{name}" ContentType="{kind}"/>'
        self._changed[_TYPES] = types[: end.start()] + tag.encode() + types[end.start() :]
        self._changed[name] = data
        return name

    def _free(self, name: str) -> str:
        stem, suffix = posixpath.splitext(name)
        stem, number = stem.rstrip("0123456789"), 1
        while name in self or name in self._changed:
            name, number = f"{stem}{number}{suffix}", number + 1
        return name

    def relate(self, owner: str, relation: Relation) -> str:
        """Add a relation to a part, under its own identifier or the next that is free; returns the identifier."""
        path = _relations_of(owner)
        data = plain_utf8(self.read(path)) if path in self else _NO_RELATIONS
        taken, name, number = {one.name for one in self.relations(owner)}, relation.name, 1
        while name in taken:
            name, number = f"rId{number}", number + 1
        target = relation.target
        if not relation.outside:
            target = posixpath.relpath(f"/{target}", f"/{posixpath.dirname(owner)}")
        end = re.search(rb"</([\w.-]+:)?Relationships\s*>|<([\w.-]+:)?Relationships[^>]*/>", data)
        if end is None:
            raise ValueError(path)
        prefix = end[1] or end[2] or b""
        mode = ' TargetMode="External"' if relation.outside else ""
        listed = f'Id="{name}" Type="{escape(relation.kind)}" Target="{escape(target, {chr(34): "&quot;"})}"{mode}'
        tag = b"<%sRelationship %s/>" % (prefix, listed.encode())
        if end[0].endswith(b"/>"):
            tag = end[0][:-2] + b">" + tag + b"</%sRelationships>" % prefix
            data = data[: end.start()] + tag + data[end.end() :]
        else:
            data = data[: end.start()] + tag + data[end.start() :]
        self._changed[path] = data
        return name

    def drop(self, name: str, owner: str) -> None:
        """Take a part out, with its relation and its content type."""
        relations = _relations_of(owner)
        base = re.escape(posixpath.basename(name).encode())
        ours = rb"""<(?:[\w.-]+:)?Relationship\s[^>]*Target=["'][^"']*?%s["'][^>]*?(?:/>|>\s*</[^>]*>)""" % base
        kinds = rb"""<(?:[\w.-]+:)?Override\s[^>]*PartName=["']/%s["'][^>]*?(?:/>|>\s*</[^>]*>)""" % re.escape(
            name.encode()
        )
        self.write(relations, re.sub(ours, b"", self.read(relations)))
        self.write("[Content_Types].xml", re.sub(kinds, b"", self.read("[Content_Types].xml")))
        self._changed[name] = None

    def forget_related(self, name: str) -> None:
        """Take out what a part refers to inside the file, and what that refers to, with the relations."""
        for _, part in list(self.related(name)):
            if part in self:
                self.forget_related(part)
                tag = rb"""<(?:[\w.-]+:)?Override\s[^>]*PartName=["']/%s["'][^>]*?(?:/>|>\s*</[^>]*>)"""
                self.write(_TYPES, re.sub(tag % re.escape(part.encode()), b"", self.read(_TYPES)))
                self._changed[part] = None
        self._changed[_relations_of(name)] = None

    def to_bytes(self) -> bytes:
        """Return the file: its parts in their order, with their dates."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for entry in self._archive.infolist():
                if entry.filename in self:
                    info = zipfile.ZipInfo(entry.filename, entry.date_time)
                    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, entry.external_attr
                    archive.writestr(info, self.read(entry.filename))
            for name in self._changed:
                if name in self and name not in self._held:
                    info = zipfile.ZipInfo(name, _DATE)
                    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
                    archive.writestr(info, self.read(name))
        return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Standing:
    """A cell that stands in a sheet: its XML, its style, and its formula (None without one).

    A shared formula's text stands in one cell only; `shares` tells that others take theirs from this one, `array` that
    the formula fills more than its cell.
    """

    attributes: Mapping[str, str]
    body: bytes
    formula: str | None
    formula_xml: bytes
    shares: bool
    array: bool

    @property
    def fills(self) -> bool:
        """Tell whether other cells have their formula from this one."""
        return self.shares or self.array

    @property
    def style(self) -> int:
        """Return the number of the cell's style."""
        return int(self.attributes.get("s", "0"))


@dataclass(frozen=True, slots=True)
class _Edit:
    """What becomes of a cell: its value, its style (None: as it is), its formula ("": none, None: as it is)."""

    value: object
    style: int | None
    formula: str | None
    area: str = ""


class SheetXml:
    """A worksheet's XML, of which single cells are changed: they are only looked at where asked for."""

    def __init__(self, data: bytes, *, mac: bool = False) -> None:
        self._data = plain_utf8(data)
        self._mac = mac
        self._tag = prefix = _prefix_of(self._data, b"sheetData")
        opening = re.search(rb"<%ssheetData(\s[^>]*)?/?>" % prefix, self._data)
        if opening is None:
            raise ValueError("no sheetData")
        self._closed = opening[0].endswith(b"/>")
        self._start, self._first = opening.span()
        self._last = self._first if self._closed else self._data.rindex(b"</%ssheetData" % prefix)
        self._cell = re.compile(rb"<%(p)sc(?=[\s/>])([^>]*?)(?:/>|>(.*?)</%(p)sc\s*>)" % {b"p": prefix}, re.DOTALL)
        self._formula = re.compile(rb"<%(p)sf(?=[\s/>])([^>]*?)(?:/>|>(.*?)</%(p)sf\s*>)" % {b"p": prefix}, re.DOTALL)
        self._numbers, self._starts, self._ends = array("q"), array("q"), array("q")
        self._find_rows()
        self._edits: dict[int, dict[int, _Edit]] = {}
        self._parsed: dict[int, dict[int, Standing]] = {}
        #: What follows the cells: merged areas, colours, drop-downs …
        self.tail = self._data[self._last :]

    def _find_rows(self) -> None:
        number, close = 0, b"</%srow" % self._tag
        opening = re.compile(rb"<%srow(?=[\s/>])([^>]*)>" % self._tag)
        given = re.compile(rb"""(?<=\s)r\s*=\s*["']([0-9]+)["']""")
        at = self._first
        while found := opening.search(self._data, at, self._last):
            named = given.search(found[1])
            number = int(named[1]) if named else number + 1
            at = found.end()
            if not found[1].endswith(b"/"):
                at = self._data.index(b">", self._data.index(close, at)) + 1
            self._numbers.append(number)
            self._starts.append(found.start())
            self._ends.append(at)

    def _row(self, number: int) -> bytes:
        place = bisect_left(self._numbers, number)
        if place < len(self._numbers) and self._numbers[place] == number:
            return self._data[self._starts[place] : self._ends[place]]
        return b""

    def _cells(self, row: bytes) -> Iterator[tuple[int, re.Match[bytes]]]:
        column = 0
        for found in self._cell.finditer(row):
            address = attributes(found[1]).get("r", "")
            column = column_number(address) if address else column + 1
            yield column, found

    def cell(self, row: int, column: int) -> Standing | None:
        """Return a cell as the file holds it, None where there is none."""
        if row not in self._parsed:
            self._parsed[row] = {at: self._standing(found) for at, found in self._cells(self._row(row))}
        return self._parsed[row].get(column)

    def _standing(self, found: re.Match[bytes]) -> Standing:
        body = found[2] or b""
        formula = self._formula.search(body)
        kind = attributes(formula[1]) if formula else {}
        shares = kind.get("t") == "shared" and "ref" in kind
        text = text_of(formula[2] or b"") if formula else None
        xml = formula[0] if formula else b""
        return Standing(attributes(found[1]), body, text, xml, shares, kind.get("t") == "array")

    def put(self, row: int, column: int, value: object, style: int | None = None) -> None:
        """Write a value, in a style of the file (None: that of the cell)."""
        self._edits.setdefault(row, {})[column] = _Edit(value, style, "")

    def put_formula(self, row: int, column: int, formula: str, value: object, style: int | None = None) -> None:
        """Write a formula (without its =) with its value."""
        self._edits.setdefault(row, {})[column] = _Edit(value, style, formula)

    def cache(self, row: int, column: int, value: object, area: str = "") -> None:
        """Write the value of a formula that stays; `area` is what an array formula fills now."""
        self._edits.setdefault(row, {})[column] = _Edit(value, None, None, area)

    def cache_beside(self, row: int, column: int, value: object) -> None:
        """Write the value of a formula, whether it stands in the file or was just put there."""
        edit = self._edits.get(row, {}).get(column)
        if edit is not None and edit.formula:
            self._edits[row][column] = replace(edit, value=value)
        else:
            self.cache(row, column, value)

    def planned(self, row: int, column: int) -> bool:
        """Tell whether a cell is to be changed."""
        return column in self._edits.get(row, {})

    @property
    def unlinked(self) -> bool:
        """Tell whether a formula gives way to a value, so that a list of formulas in the file would be wrong."""
        for row, edits in self._edits.items():
            for column, edit in edits.items():
                standing = self.cell(row, column)
                if edit.formula == "" and standing is not None and standing.formula is not None:
                    return True
        return False

    def to_bytes(self) -> bytes:
        """Return the part with its changes; without any, its bytes as they were."""
        # Views, not copies: a sheet may have a million rows.
        data = memoryview(self._data)
        pieces: list[bytes | memoryview] = []
        at = self._first
        for number in sorted(self._edits):
            place = bisect_left(self._numbers, number)
            there = place < len(self._numbers) and self._numbers[place] == number
            start = self._starts[place] if place < len(self._numbers) else self._last
            pieces += [data[at:start], self._changed_row(number, self._row(number))]
            at = self._ends[place] if there else start
        opening = self._data[self._start : self._first]
        pieces.append(data[at : self._last])
        if self._closed and any(pieces):
            opening = opening[:-2] + b">"
            pieces.append(b"</%ssheetData>" % self._tag)
        return b"".join([self._reaching(self._data[: self._start]), opening, *pieces, self.tail])

    def _reaching(self, head: bytes) -> bytes:
        """Return what comes before the cells, the area of the sheet as far as it reaches now."""
        found = re.search(rb"<%sdimension\s[^>]*>" % self._tag, head)
        area = re.fullmatch(r"([A-Z]+)([0-9]+)(?::([A-Z]+)([0-9]+))?", attributes(found[0])["ref"]) if found else None
        if found is None or area is None or not self._edits:
            return head
        right = max(column_number(area[3] or area[1]), *(max(edits) for edits in self._edits.values()))
        bottom = max(int(area[4] or area[2]), *self._edits)
        ref = f"{area[1]}{area[2]}:{letters(right)}{bottom}"
        if right == column_number(area[3] or area[1]) and bottom == int(area[4] or area[2]):
            return head
        return head[: found.start()] + with_attribute(found[0], "ref", ref) + head[found.end() :]

    def _changed_row(self, number: int, row: bytes) -> bytes:
        edits = dict(self._edits[number])
        opening = re.match(rb"<[^>]*>", row)
        tag = opening[0] if opening else b'<%srow r="%d">' % (self._tag, number)
        if tag.endswith(b"/>"):
            tag = tag[:-2] + b">"
        pieces, at = [], opening.end() if opening else 0
        for column, found in self._cells(row):
            for new in sorted(column_ for column_ in edits if column_ < column):
                pieces += [row[at : found.start()], self._made(number, new, edits.pop(new), None)]
                at = found.start()
            if column in edits:
                pieces += [
                    row[at : found.start()],
                    self._made(number, column, edits.pop(column), self._standing(found)),
                ]
                at = found.end()
        close = b"</%srow>" % self._tag
        rest = row[at:] if row.rstrip().endswith(b">") and not row.endswith(b"/>") else b""
        ending = rest.rfind(b"</%srow" % self._tag)
        before, after = (rest[:ending], rest[ending:]) if ending >= 0 else (b"", close)
        new_cells = [self._made(number, column, edits[column], None) for column in sorted(edits)]
        if any(new_cells):
            # What a row says of its own reach is only a hint, and would be wrong now.
            tag = re.sub(rb"""\sspans\s*=\s*("[^"]*"|'[^']*')""", b"", tag)
        return tag + b"".join(pieces) + before + b"".join(new_cells) + after

    def _made(self, row: int, column: int, edit: _Edit, old: Standing | None) -> bytes:
        """Return the XML of a changed cell, b"" where there was none and nothing is written."""
        if old is None and edit.value is None and not edit.formula:
            return b""
        kept = dict(old.attributes) if old else {}
        formula = old.formula_xml if old else b""
        if edit.formula == "":
            formula = b""
        elif edit.formula:
            formula = b"<%(p)sf>%(f)s</%(p)sf>" % {b"p": self._tag, b"f": escape(edit.formula).encode()}
        elif edit.area:
            tag = re.match(rb"<[^>]*>", formula)
            formula = with_attribute(tag[0], "ref", edit.area) + formula[tag.end() :] if tag else formula
        for name in ("r", "t", *(() if formula else ("cm", "vm"))):
            kept.pop(name, None)
        if edit.style is not None:
            kept["s"] = str(edit.style)
        kind, value = self._value(edit.value, computed=bool(formula))
        listed = "".join(f' {name}="{escape(text, {chr(34): "&quot;"})}"' for name, text in kept.items())
        head = f'<{self._tag.decode()}c r="{letters(column)}{row}"{listed}{kind}'.encode()
        if not formula and not value:
            return head + b"/>"
        return head + b">" + formula + value + b"</%sc>" % self._tag

    def _value(self, value: object, *, computed: bool) -> tuple[str, bytes]:
        """Return the cell's type as an attribute, and the XML of its value."""
        p = self._tag.decode()
        if value is None:
            return "", b""
        if isinstance(value, bool):
            return ' t="b"', f"<{p}v>{int(value)}</{p}v>".encode()
        if isinstance(value, str):
            if value in ERRORS:
                return ' t="e"', f"<{p}v>{value}</{p}v>".encode()
            if computed:
                return ' t="str"', f"<{p}v>{escape(value)}</{p}v>".encode()
            text = f'<{p}is><{p}t xml:space="preserve">{escape(value)}</{p}t></{p}is>'
            return ' t="inlineStr"', text.encode()
        if isinstance(value, dt.date):
            epoch = CALENDAR_MAC_1904 if self._mac else CALENDAR_WINDOWS_1900
            return "", f"<{p}v>{to_excel(value, epoch)!r}</{p}v>".encode()  # type: ignore[no-untyped-call]
        # As openpyxl writes numbers of a fresh workbook, so that both hold the same.
        number = f"{value:.16g}" if isinstance(value, float) and not computed else repr(value)
        return "", f"<{p}v>{number}</{p}v>".encode()


class StyleSheet:
    """The styles of a file, to which those of another workbook's cells are added where they are needed."""

    def __init__(self, data: bytes, source: Workbook | None = None) -> None:
        self._data = plain_utf8(data)
        self._source: Any = source
        self._tag = _prefix_of(self._data, b"styleSheet")
        #: What the file held at first, by group.
        self.listed = listed = {_local(group): list(group) for group in fromstring(self._data)}
        self._formats = {
            int(item.get("numFmtId", "0")): item.get("formatCode", "") for item in listed.get("numFmts", [])
        }
        self._codes = [int(xf.get("numFmtId", "0")) for xf in listed.get("cellXfs", [])]
        self._quoted = [xf.get("quotePrefix", "") in ("1", "true") for xf in listed.get("cellXfs", [])]
        self._sizes = {name: len(listed.get(name, [])) for name in ("fonts", "fills", "borders", "cellXfs", "dxfs")}
        self._based = bool(listed.get("cellStyleXfs"))
        self._added: dict[str, list[bytes]] = {}
        self._grafts: dict[tuple[object, ...], int] = {}
        self._places: dict[str, dict[bytes, int]] = {}

    def shows(self, style: int) -> tuple[str, bool]:
        """Return a style's number format, in small letters, and whether it marks text as typed with an apostrophe."""
        known = style < len(self._codes)
        number = self._codes[style] if known else 0
        code = self._formats.get(number) or str(BUILTIN_FORMATS.get(number, "General"))
        return code.casefold(), known and self._quoted[style]

    def graft(self, array_: Any) -> int:  # noqa: ANN401 - openpyxl's style array has no public type
        """Return the number of a style of the other workbook in this file, added when first used."""
        key = tuple(array_)
        if key not in self._grafts:
            source = self._source  # openpyxl has no public names for the lists that a cell's style points into
            number = self._number(array_.numFmtId)
            ids = {
                "fontId": self._add("fonts", self._xml(source._fonts[array_.fontId].to_tree("font"))),  # noqa: SLF001
                "fillId": self._add("fills", self._xml(source._fills[array_.fillId].to_tree())),  # noqa: SLF001
                "borderId": self._add("borders", self._xml(source._borders[array_.borderId].to_tree("border"))),  # noqa: SLF001
            }
            alignment = source._alignments[array_.alignmentId].to_tree("alignment")  # noqa: SLF001
            listed = "".join(f' {name}="{value}"' for name, value in ids.items())
            base = ' xfId="0"' if self._based else ""
            quoted = ' quotePrefix="1"' if array_.quotePrefix else ""
            applied = "".join(f' apply{what}="1"' for what in _APPLIED)
            tag, inside = self._tag.decode(), self._xml(alignment).decode()
            text = f'<{tag}xf numFmtId="{number}"{listed}{base}{quoted}{applied}>{inside}</{tag}xf>'
            self._grafts[key] = self._style(text, number, quoted=bool(array_.quotePrefix))
        return self._grafts[key]

    def adopt(self, other: StyleSheet, style: int) -> int:
        """Return the number of another file's style in this one, added when first used."""
        styles = other.listed.get("cellXfs", [])
        if style >= len(styles):
            return 0
        key = (id(other), style)
        if key not in self._grafts:
            found = styles[style]
            number = int(found.get("numFmtId", "0"))
            kept = {"numFmtId": self._coded(other._formats[number]) if number in other._formats else number}
            for name, group in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders")):
                there, at = other.listed.get(group, []), int(found.get(name, "0"))
                kept[name] = self._add(group, self._copied(there[at])) if at < len(there) else 0
            kept |= {"xfId": 0} if self._based else {}
            kept |= {"quotePrefix": 1} if found.get("quotePrefix") in ("1", "true") else {}
            kept |= dict.fromkeys((f"apply{what}" for what in _APPLIED), 1)
            listed = "".join(f' {name}="{value}"' for name, value in kept.items())
            inside = b"".join(self._copied(one) for one in found if _local(one) != "extLst").decode()
            tag = self._tag.decode()
            text = f"<{tag}xf{listed}>{inside}</{tag}xf>" if inside else f"<{tag}xf{listed}/>"
            self._grafts[key] = self._style(text, int(kept["numFmtId"]), quoted="quotePrefix" in kept)
        return self._grafts[key]

    def _style(self, text: str, number: int, *, quoted: bool) -> int:
        """Return the place of a cell's style, whose number format is told, added where the file has none like it."""
        place = self._add("cellXfs", text.encode())
        if place == len(self._codes):
            self._codes.append(number)
            self._quoted.append(quoted)
        return place

    def adopt_difference(self, other: StyleSheet, number: int) -> int:
        """Return the number of another file's differential style in this one."""
        there = other.listed.get("dxfs", [])
        return self._add("dxfs", self._copied(there[number])) if number < len(there) else 0

    def _copied(self, element: Any) -> bytes:  # noqa: ANN401 - an element of the standard library's
        """Return an element of another file's styles as this one writes it."""
        tag = self._tag.decode() + _local(element)
        own = {name: value for name, value in element.items() if not name.startswith("{")}
        listed = "".join(f' {name}="{escape(value, {chr(34): "&quot;"})}"' for name, value in own.items())
        children = [child for child in element if _local(child) != "extLst"]
        if _local(element) == "font":  # some programs write another order than the schema's
            children.sort(key=lambda child: FONT_ORDER.index(_local(child)))
        inside = b"".join(self._copied(child) for child in children)
        return f"<{tag}{listed}>".encode() + inside + f"</{tag}>".encode() if inside else f"<{tag}{listed}/>".encode()

    def _number(self, number: int) -> int:
        """Return the number of a number format, added where the file does not know it."""
        if number < BUILTIN_FORMATS_MAX_SIZE:
            return number
        return self._coded(self._source._number_formats[number - BUILTIN_FORMATS_MAX_SIZE])  # noqa: SLF001

    def _coded(self, code: str) -> int:
        known = next((at for at, text in self._formats.items() if text == code), None)
        if known is not None:
            return known
        made = max((BUILTIN_FORMATS_MAX_SIZE - 1, *self._formats)) + 1
        self._formats[made] = code
        text = f'<{self._tag.decode()}numFmt numFmtId="{made}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
        self._added.setdefault("numFmts", []).append(text.encode())
        return made

    def _standing(self, group: str) -> dict[bytes, int]:
        """Return the places of what the file held at first, by its XML: the same is never added a second time."""
        if group not in self._places:
            there = enumerate(self.listed.get(group, []))
            self._places[group] = {self._copied(element): place for place, element in reversed(list(there))}
        return self._places[group]

    def _add(self, group: str, xml: bytes) -> int:
        if (standing := self._standing(group).get(xml)) is not None:
            return standing
        added = self._added.setdefault(group, [])
        if xml not in added:
            added.append(xml)
        return self._sizes[group] + added.index(xml)

    def _xml(self, element: Any) -> bytes:  # noqa: ANN401 - as above
        tag = self._tag.decode() + str(element.tag)
        listed = "".join(f' {name}="{escape(value, {chr(34): "&quot;"})}"' for name, value in element.items())
        inside = b"".join(self._xml(child) for child in in_order(element))
        return f"<{tag}{listed}>".encode() + inside + f"</{tag}>".encode() if inside else f"<{tag}{listed}/>".encode()

    def to_bytes(self) -> bytes:
        """Return the part with what was added."""
        data = self._data
        for group, added in self._added.items():
            name = self._tag + group.encode()
            opening = re.search(rb"<%s(?=[\s/>])[^>]*>" % name, data)
            if opening is None:  # before what comes after it
                after = b"|".join(one.encode() for one in _GROUPS[_GROUPS.index(group) + 1 :])
                following = re.search(rb"<%s(?:%s)(?=[\s/>])|</%sstyleSheet" % (self._tag, after, self._tag), data)
                at = following.start() if following else len(data)
                made = b'<%s count="%d">%s</%s>' % (name, len(added), b"".join(added), name)
                data = data[:at] + made + data[at:]
                continue
            count = int(attributes(opening[0]).get("count", "0")) or self._sizes.get(group, 0)
            tag = with_attribute(opening[0], "count", str(count + len(added)))
            if tag.endswith(b"/>"):
                rest = b"</%s>" % name + data[opening.end() :]
                data = data[: opening.start()] + tag[:-2] + b">" + b"".join(added) + rest
                continue
            end = data.index(b"</%s" % name, opening.end())
            data = data[: opening.start()] + tag + data[opening.end() : end] + b"".join(added) + data[end:]
        return data
