"""Sheets of one workbook file put into another: their cells, looks, drawings, tables and names; no other part changes.

Styles get new numbers, shared texts become the cells' own, and parts new names where theirs are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from xml.sax.saxutils import escape, unescape

from templates.cells import quoted_sheet
from templates.merge.package import Package, Relation, StyleSheet, attributes, plain_utf8, text_of, with_attribute

#: What a sheet may bring with it. Other kinds (pivot tables, slicers, controls) need parts of the workbook's own.
_CARRIED = frozenset({"drawing", "vmlDrawing", "comments", "hyperlink", "printerSettings", "table", "image", "chart"})
_CELL = re.compile(rb"<((?:[\w.-]+:)?)c(?=[\s/>])([^>]*?)(?:/>|>(.*?)</\1c\s*>)", re.DOTALL)
_FORMULA = re.compile(rb"<((?:[\w.-]+:)?)f(?=[\s/>])[^>]*?(?:/>|>.*?</\1f\s*>)", re.DOTALL)
_VALUE = re.compile(rb"<((?:[\w.-]+:)?)v\s*>(.*?)</\1v\s*>", re.DOTALL)
_TEXT = re.compile(rb"<(?:[\w.-]+:)?si(?=[\s/>])[^>]*?(?:/>|>(.*?)</(?:[\w.-]+:)?si\s*>)", re.DOTALL)
#: What may stand before a workbook's names.
_NO_NAMES = re.compile(rb"<((?:[\w.-]+:)?)definedNames\s*/>")
_BEFORE_NAMES = re.compile(rb"</([\w.-]+:)?(?:sheets|functionGroups|externalReferences)\s*>")
_NUMBER = rb"""(?<=\s)%s\s*=\s*["']([0-9]+)["']"""
_PART = b"""<(?:[\\w.-]+:)?%s(?=[\\s/>])[^>]*?(?:/>|>.*?</(?:[\\w.-]+:)?%s\\s*>)"""
#: Elements that may speak of parts that stay behind, and what only serves to print or tell what somebody has typed.
_SPEAKING = ("extLst", "controls", "oleObjects", "AlternateContent", "customProperties")
_PLAIN = (*_SPEAKING, "hyperlinks", "drawing", "legacyDrawing", "legacyDrawingHF", "picture", "tableParts",
          "dataValidations", "conditionalFormatting", "pageSetup", "sheetProtection", "autoFilter")  # fmt: skip
_WORKSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
#: So much of a title leaves room for a number.
_LONGEST = 26
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


class Splice:
    """Puts sheets of a file into another; `finish` writes what both have in common."""

    def __init__(self, target: Package, source: Package) -> None:
        self.target, self.source = target, source
        self.workbook = plain_utf8(target.read(target.main))
        self._from = plain_utf8(source.read(source.main))
        self._styles_part = _styles_of(target)
        self._styles = StyleSheet(target.read(self._styles_part)) if self._styles_part else None
        other = _styles_of(source)
        self._other = StyleSheet(source.read(other)) if other else None
        self._texts = self._shared_texts()
        self._copies: dict[str, str] = {}
        self._renamed: dict[str, str] = {}
        self._places: dict[int, int] = {}
        self._pages: dict[str, bytes] = {}

    def rename(self, titles: Mapping[str, str]) -> None:
        """Let formulas that speak of these sheets by their titles speak of others."""
        self._renamed |= titles

    def hidden(self, title: str) -> bool:
        """Tell whether a sheet of the source is not shown."""
        tags = (attributes(tag) for tag in re.findall(rb"<(?:[\w.-]+:)?sheet\s[^>]*>", self._from))
        return any(tag.get("name") == title and tag.get("state", "visible") != "visible" for tag in tags)

    def free_title(self, title: str) -> str:
        """Return a title that no sheet of the target has."""
        tags = re.findall(rb"<(?:[\w.-]+:)?sheet\s[^>]*>", self.workbook)
        taken, number, made = {attributes(tag).get("name", "").casefold() for tag in tags}, 2, title
        while made.casefold() in taken:
            made, number = f"{title[:_LONGEST]} ({number})", number + 1
        return made

    def add(self, title: str, new_title: str, *, values: bool = False) -> None:
        """Add a sheet, after the sheets that are there; with `values` without formulas and all that is not shown.

        Raises KeyError where the source has no such sheet.
        """
        at, state, part = self._find(title)
        data, carried = self._taken(part, values=values)
        name = self.target.add("xl/worksheets/sheet1.xml", data, _WORKSHEET)
        self._copies[part] = name
        for relation in carried:
            self._carry(name, relation)
        self._list(new_title, name, "" if values else state)
        if not values:
            self._places[at] = len(re.findall(rb"<(?:[\w.-]+:)?sheet\s", self.workbook)) - 1
            self._pages[new_title] = data

    def replace(self, title: str, part: str) -> None:
        """Put a sheet in the place of the target's sheet `part`, which keeps its title; raises KeyError, as `add`."""
        _, _, source = self._find(title)
        data, carried = self._taken(source, values=False)
        self.target.forget_related(part)
        self.target.write(part, data)
        self._copies[source] = part
        for relation in carried:
            self._carry(part, relation)
        # A list of formulas in the file would be wrong now.
        for kind, chain in list(self.target.related(self.target.main)):
            if kind.endswith("/calcChain"):
                self.target.drop(chain, self.target.main)

    def _find(self, title: str) -> tuple[int, str, str]:
        """Return where a sheet of the source stands, its state, and its part."""
        for at, tag in enumerate(re.findall(rb"<(?:[\w.-]+:)?sheet\s[^>]*>", self._from)):
            found = attributes(tag)
            if found.get("name") == title:
                identity = next(value for name, value in found.items() if name.endswith(":id"))
                relations = self.source.relations(self.source.main)
                return at, found.get("state", ""), next(one.target for one in relations if one.name == identity)
        raise KeyError(title)

    def _taken(self, part: str, *, values: bool) -> tuple[bytes, list[Relation]]:
        """Return a sheet as it will stand, and what of what it refers to comes with it."""
        data = self._sheet(plain_utf8(self.source.read(part)), values=values)
        carried = [] if values else [one for one in self.source.relations(part) if _kind(one) in _CARRIED]
        if not values and len(carried) < sum(1 for _ in self.source.relations(part)):
            data = _without(data, _SPEAKING)
        return data, carried

    def speaking(self, titles: Iterable[str]) -> Iterator[str]:
        """Yield the added sheets with formulas that point at single cells of sheets with these titles."""
        spelt = b"|".join(re.escape(escape(quoted_sheet(title)).encode()) for title in titles)
        for title, data in self._pages.items():
            if any(re.search(b"(?:%s)!" % spelt, found[0]) for found in _FORMULA.finditer(data)):
                yield title

    def finish(self, names: Iterable[str] = ()) -> None:
        """Write styles, names and the list of sheets; `names` are those of the source that stay behind."""
        self._names({name.casefold() for name in names})
        if self._styles is not None:
            self.target.write(self._styles_part, self._styles.to_bytes())
        self.target.write(self.target.main, self.workbook)

    # --- one sheet ------------------------------------------------------------------------------------------------
    def _sheet(self, data: bytes, *, values: bool) -> bytes:
        data = re.sub(rb"""\s(?:codeName|tabSelected)\s*=\s*("[^"]*"|'[^']*')""", b"", data)
        if values:
            data = _without(data, _PLAIN)
        data = _CELL.sub(lambda found: self._cell(found, values=values), data)
        for element, name in ((b"row", b"s"), (b"col", b"style")):
            pattern = re.compile(rb"<(?:[\w.-]+:)?%s\s[^>]*>" % element)
            data = pattern.sub(lambda found, name=name: self._styled(found[0], name), data)  # type: ignore[misc]
        return re.sub(rb"<(?:[\w.-]+:)?cfRule\s[^>]*>", self._coloured, data)

    def _cell(self, found: re.Match[bytes], *, values: bool) -> bytes:
        prefix, listed, body = found[1], self._styled(b"<c" + found[2] + b">", b"s")[2:-1], found[3] or b""
        # What these point to is not carried: a formula that spills becomes one over its area.
        listed = re.sub(rb"""\s(?:cm|vm)\s*=\s*("[^"]*"|'[^']*')""", b"", listed)
        formula = _FORMULA.search(body)
        if formula:
            kept = b"" if values else self._speaking(formula[0])
            body = body[: formula.start()] + kept + body[formula.end() :]
        value = _VALUE.search(body)
        if re.search(rb"""(?<=\s)t\s*=\s*["']s["']""", listed) and value:
            number = int(value[2])
            text = self._texts[number] if number < len(self._texts) else b""
            listed = re.sub(rb"""(?<=\s)t\s*=\s*["']s["']""", b't="inlineStr"', listed)
            body = b"<%sis>" % prefix + text.replace(b"<:", b"<" + prefix).replace(b"</:", b"</" + prefix)
            body += b"</%sis>" % prefix
        if not body:
            return b"<%sc%s/>" % (prefix, listed.rstrip())
        return b"<%sc%s>%s</%sc>" % (prefix, listed, body, prefix)

    def _styled(self, tag: bytes, name: bytes) -> bytes:
        given = re.search(_NUMBER % name, tag)
        if given is None:
            return tag
        known = self._styles is not None and self._other is not None
        number = self._styles.adopt(self._other, int(given[1])) if known else 0  # type: ignore[union-attr, arg-type]
        return with_attribute(tag, name.decode(), str(number))

    def _coloured(self, found: re.Match[bytes]) -> bytes:
        given = re.search(_NUMBER % b"dxfId", found[0])
        if given is None or self._styles is None or self._other is None:
            return found[0]
        return with_attribute(found[0], "dxfId", str(self._styles.adopt_difference(self._other, int(given[1]))))

    def _speaking(self, xml: bytes) -> bytes:
        """Return XML whose formulas speak of the sheets by the titles they have now."""
        for old, new in self._renamed.items():
            quoted = escape(quoted_sheet(new)).encode() + b"!"
            xml = xml.replace(escape(quoted_sheet(old)).encode() + b"!", quoted)
            xml = re.sub(rb"(?<![\w.'\x80-\xff])%s!" % re.escape(escape(old).encode()), lambda _, new=quoted: new, xml)  # type: ignore[misc]
        return xml

    def _shared_texts(self) -> list[bytes]:
        """Return the shared texts, each as what it consists of, with ":" for the prefix of its elements."""
        parts = [part for kind, part in self.source.related(self.source.main) if kind.endswith("/sharedStrings")]
        if not parts or parts[0] not in self.source:
            return []
        data = plain_utf8(self.source.read(parts[0]))
        return [re.sub(rb"<(/?)(?:[\w.-]+:)?(?=\w)", rb"<\1:", found[1] or b"") for found in _TEXT.finditer(data)]

    # --- what a sheet refers to -----------------------------------------------------------------------------------
    def _carry(self, owner: str, relation: Relation) -> None:
        """Copy what a part refers to, and what that refers to; the identifier stays, the part's XML speaks of it."""
        if relation.outside:
            self.target.relate(owner, relation)
            return
        part = relation.target
        if part not in self.source:
            return
        if part not in self._copies:
            data = self._speaking(self.source.read(part)) if part.endswith(".xml") else self.source.read(part)
            if _kind(relation) == "table":
                data = self._table(plain_utf8(data))
            self._copies[part] = self.target.add(part, data, self.source.kind_of(part))
            for one in self.source.relations(part):
                self._carry(self._copies[part], one)
        self.target.relate(owner, replace(relation, target=self._copies[part]))

    def _table(self, data: bytes) -> bytes:
        """Return an Excel table under a number and a name that no other of the file has."""
        numbers, names = {0}, {name.casefold() for name in _names_of(self.workbook)}
        parts = [part for _, sheet in self.target.related(self.target.main) for _, part in self.target.related(sheet)]
        for xml in (self.target.read(part) for part in parts if "/tables/" in part):
            opening = re.search(rb"<(?:[\w.-]+:)?table\s[^>]*>", xml)
            found = attributes(opening[0]) if opening else {}
            numbers.add(int(found.get("id", "0")))
            names.add(found.get("displayName", "").casefold())
        opening = re.search(rb"<(?:[\w.-]+:)?table\s[^>]*>", data)
        if opening is None:
            return data
        name = base = attributes(opening[0]).get("displayName", "Table")
        number = 2
        while name.casefold() in names:
            name, number = f"{base}_{number}", number + 1
        tag = opening[0]
        for key, value in (("id", str(max(numbers) + 1)), ("name", name), ("displayName", name)):
            tag = with_attribute(tag, key, value)
        return data[: opening.start()] + tag + data[opening.end() :]

    # --- the workbook ---------------------------------------------------------------------------------------------
    def _list(self, title: str, part: str, state: str) -> None:
        identity = self.target.relate(self.target.main, Relation("rId1", f"{_DOCUMENT}/worksheet", part))
        listed = re.findall(rb"<(?:[\w.-]+:)?sheet\s[^>]*>", self.workbook)
        number = max((int(attributes(tag).get("sheetId", "0")) for tag in listed), default=0) + 1
        space = re.search(rb"""xmlns:[\w.-]+=["']([^"']*/officeDocument/[^"']*relationships)["']""", self.workbook)
        end = re.search(rb"</([\w.-]+:)?sheets\s*>", self.workbook)
        if end is None:
            raise ValueError(self.target.main)
        prefix, shown = (end[1] or b"").decode(), f' state="{state}"' if state else ""
        link = f'xmlns:r="{space[1].decode() if space else _DOCUMENT}" r:id="{identity}"'
        name = escape(title, {'"': "&quot;"})
        tag = f'<{prefix}sheet name="{name}" sheetId="{number}"{shown} {link}/>'.encode()
        self.workbook = self.workbook[: end.start()] + tag + self.workbook[end.start() :]

    def _names(self, left: set[str]) -> None:
        """Carry the names of the sheets' own, and those that the sheets' formulas use."""
        have = {name.casefold() for name in _names_of(self.workbook)} | left
        pages, made = b"".join(self._pages.values()), []
        for found in re.finditer(rb"<(?:[\w.-]+:)?definedName\s[^>]*>([^<]*)<", self._from):
            told = attributes(found[0])
            name, local = told.get("name", ""), told.get("localSheetId")
            used = re.search(rb"(?<![\w.])%s(?![\w.])" % re.escape(name.encode()), pages) is not None
            if local is not None and int(local) in self._places:
                place = f' localSheetId="{self._places[int(local)]}"'
            elif local is None and used and name.casefold() not in have:
                place = ""
            else:
                continue
            hidden = ' hidden="1"' if told.get("hidden") in ("1", "true") else ""
            text = escape(unescape(text_of(self._speaking(found[1]))))
            made.append((f' name="{escape(name)}"{place}{hidden}', text))
        if not made:
            return
        # openpyxl writes an element without names where there are none.
        self.workbook = _NO_NAMES.sub(rb"<\1definedNames></\1definedNames>", self.workbook)
        end = re.search(rb"</([\w.-]+:)?definedNames\s*>", self.workbook)
        before = next(reversed(list(_BEFORE_NAMES.finditer(self.workbook))), None)
        place_at = end or before
        if place_at is None:
            return
        p = (place_at[1] or b"").decode()
        tags = "".join(f"<{p}definedName{listed}>{text}</{p}definedName>" for listed, text in made)
        if not end:
            tags = f"<{p}definedNames>{tags}</{p}definedNames>"
        at = end.start() if end else place_at.end()
        self.workbook = self.workbook[:at] + tags.encode() + self.workbook[at:]


def _kind(relation: Relation) -> str:
    return relation.kind.rpartition("/")[2]


def _styles_of(package: Package) -> str:
    found = (part for kind, part in package.related(package.main) if kind.endswith("/styles"))
    return next((part for part in found if part in package), "")


def _names_of(workbook: bytes) -> list[str]:
    return [attributes(tag).get("name", "") for tag in re.findall(rb"<(?:[\w.-]+:)?definedName\s[^>]*>", workbook)]


def _without(data: bytes, elements: Iterable[str]) -> bytes:
    """Return a sheet without some of the elements that follow its cells."""
    end = data.rfind(b"sheetData")
    head, tail = data[:end], data[end:]
    for name in elements:
        tail = re.sub(_PART % (name.encode(), name.encode()), b"", tail, flags=re.DOTALL)
    return head + tail
