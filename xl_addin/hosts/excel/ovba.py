"""vbaProject.bin from source text (MS-OVBA), on any system.

The project holds source only, no compiled code: the version 0xFFFF of `_VBA_PROJECT` (2.3.4.1) says that there is no
cache, and Excel compiles when it loads. The same modules give the same bytes.

Its container is a compound file (MS-CFB version 3): sectors of 512 bytes; streams under 4096 bytes go into the mini
stream, in sectors of 64; no times, no class identifiers. Written for projects of up to 109 allocation sectors, about
7 MB.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["module", "class", "workbook", "sheet"]
#: A storage of a compound file holds streams and storages by name.
Tree = Mapping[str, "bytes | Tree"]

#: Windows Latin 1: the text of a module may hold no other characters.
_CODE_PAGE = 1252
_ENCODING = f"cp{_CODE_PAGE}"
_CHUNK = 4096
_SHORTEST_COPY = 3
_CLASS_BASE = "0{FCFB3D2A-A0FA-1068-A738-08002B3371B5}"
_WORKBOOK_BASE = "0{00020819-0000-0000-C000-000000000046}"
_SHEET_BASE = "0{00020820-0000-0000-C000-000000000046}"
_BASES = {"class": _CLASS_BASE, "workbook": _WORKBOOK_BASE, "sheet": _SHEET_BASE}
#: Type libraries by their registered identifiers; the paths are Windows' own, a hint that Excel corrects.
_OFFICE = (
    r"*\G{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}#2.0#0#C:\Program Files\Common Files\Microsoft Shared"
    r"\OFFICE16\MSO.DLL#Microsoft Office 16.0 Object Library"
)
_REFERENCES = (
    ("stdole", r"*\G{00020430-0000-0000-C000-000000000046}#2.0#0#C:\Windows\System32\stdole2.tlb#OLE Automation"),
    # Ribbon callbacks take an IRibbonControl, which is Office's.
    ("Office", _OFFICE),
)

_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
_SECTOR, _MINI_SECTOR, _MINI_CUTOFF = 512, 64, 4096
_PER_SECTOR = _SECTOR // 4
_FAT_IN_HEADER = 109
_END, _FREE, _IS_FAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_RED, _BLACK = 0, 1
_LONGEST_NAME = 31


@dataclass(frozen=True, slots=True)
class Module:
    """A module; `code` is its text without the attributes of its head."""

    name: str
    kind: Kind
    code: str = ""

    @classmethod
    def parse(cls, text: str) -> Module:
        """Return the module of an exported .bas or .cls file; raises ValueError where it does not say its name."""
        lines = text.lstrip("\ufeff").splitlines()
        is_class = lines[:1] == ["VERSION 1.0 CLASS"]
        body = 0
        name = ""
        for number, line in enumerate(lines):
            if line.startswith("Attribute VB_Name = "):
                name = line.split('"')[1]
            if line.startswith("Attribute VB_"):
                body = number + 1
            elif name:
                break
        if not name:
            raise ValueError("a module's text begins with Attribute VB_Name")
        return cls(name, "class" if is_class else "module", "\n".join(lines[body:]))

    @property
    def source(self) -> bytes:
        """Return the module's stream before it is compressed; raises UnicodeEncodeError for text beyond Latin 1."""
        lines = [f'Attribute VB_Name = "{self.name}"']
        if self.kind != "module":
            is_document = self.kind in ("workbook", "sheet")
            lines += [
                f'Attribute VB_Base = "{_BASES[self.kind]}"',
                "Attribute VB_GlobalNameSpace = False",
                "Attribute VB_Creatable = False",
                f"Attribute VB_PredeclaredId = {is_document}",
                f"Attribute VB_Exposed = {is_document}",
                "Attribute VB_TemplateDerived = False",
                f"Attribute VB_Customizable = {is_document}",
            ]
        return "".join(f"{line}\r\n" for line in (*lines, *self.code.splitlines())).encode(_ENCODING)


def vba_project(modules: Sequence[Module], project_id: str, name: str = "VBAProject") -> bytes:
    """Return vbaProject.bin; `project_id` is a GUID in braces."""
    vba = {
        "_VBA_PROJECT": struct.pack("<HHBH", 0x61CC, 0xFFFF, 0, 0),
        "dir": compress(_directory(modules, name)),
        **{module.name: compress(module.source) for module in modules},
    }
    names = b"".join(_narrow(m.name) + b"\0" + m.name.encode("utf-16-le") + b"\0\0" for m in modules) + b"\0\0"
    return compound_file({"VBA": vba, "PROJECT": _project(modules, project_id, name), "PROJECTwm": names})


def _narrow(text: str) -> bytes:
    return text.encode(_ENCODING)


def _directory(modules: Sequence[Module], name: str) -> bytes:
    """Return the dir stream (2.3.4.2): the project, its references, its modules."""
    stream = bytearray()

    def record(number: int, data: bytes = b"") -> None:
        stream.extend(struct.pack("<HI", number, len(data)) + data)

    def both(narrow: int, wide: int, text: str) -> None:
        record(narrow, _narrow(text))
        record(wide, text.encode("utf-16-le"))

    english = struct.pack("<I", 0x409)
    record(0x01, struct.pack("<I", 3))  # 64-bit Windows; Excel takes it on any
    record(0x02, english)
    record(0x14, english)
    record(0x03, struct.pack("<H", _CODE_PAGE))
    record(0x04, _narrow(name))
    both(0x05, 0x40, "")
    record(0x06)
    record(0x3D)
    record(0x07, bytes(4))
    record(0x08, bytes(4))
    stream.extend(struct.pack("<HIIH", 0x09, 4, 1, 1))
    both(0x0C, 0x3C, "")
    for library, where in _REFERENCES:
        both(0x16, 0x3E, library)
        registered = _narrow(where)
        record(0x0D, struct.pack("<I", len(registered)) + registered + bytes(6))
    record(0x0F, struct.pack("<H", len(modules)))
    record(0x13, b"\xff\xff")
    for module in modules:
        both(0x19, 0x47, module.name)
        both(0x1A, 0x32, module.name)
        both(0x1C, 0x48, "")
        record(0x31, bytes(4))  # the source begins at once: nothing compiled before it
        record(0x1E, bytes(4))
        record(0x2C, b"\xff\xff")
        record(0x21 if module.kind == "module" else 0x22)
        record(0x2B)
    record(0x10)
    return bytes(stream)


def _project(modules: Sequence[Module], project_id: str, name: str) -> bytes:
    """Return the PROJECT stream (2.3.1): visible, without a password."""
    kinds = {"module": "Module={}", "class": "Class={}"}
    lines = [
        f'ID="{project_id}"',
        *(kinds.get(module.kind, "Document={}/&H00000000").format(module.name) for module in modules),
        f'Name="{name}"',
        'HelpContextID="0"',
        'VersionCompatible32="393222000"',
        f'CMG="{_obfuscated(bytes(4), project_id, 0xA7)}"',
        f'DPB="{_obfuscated(bytes(1), project_id, 0xA2)}"',
        f'GC="{_obfuscated(bytes([0xFF]), project_id, 0x9D)}"',
        "",
        "[Host Extender Info]",
        "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000",
        "",
        "[Workspace]",
        *(f"{module.name}=0, 0, 0, 0, C" for module in modules),
    ]
    return _narrow("\r\n".join(lines) + "\r\n")


def _obfuscated(data: bytes, project_id: str, seed: int) -> str:
    """Return data in the form of 2.4.3; it hides nothing, the format asks for it."""
    key = sum(project_id.encode("ascii")) & 0xFF
    out = [seed, seed ^ 2, seed ^ key]
    last, before, plain = out[2], out[1], key
    for byte in b"\x07" * ((seed & 6) // 2) + struct.pack("<I", len(data)) + data:
        out.append(byte ^ ((before + plain) & 0xFF))
        before, last, plain = last, out[-1], byte
    return bytes(out).hex().upper()


def compress(data: bytes) -> bytes:
    """Return the data as a compressed container (2.4.1)."""
    out = bytearray(b"\x01")
    for start in range(0, len(data), _CHUNK):
        chunk = data[start : start + _CHUNK]
        body = _compressed(chunk)
        if len(body) < _CHUNK:
            out += struct.pack("<H", 0xB000 | (len(body) - 1)) + body
        else:
            out += struct.pack("<H", 0x3000 | (_CHUNK - 1)) + chunk.ljust(_CHUNK, b"\0")
    return bytes(out)


def _compressed(chunk: bytes) -> bytes:
    """Return a chunk as groups of eight tokens, each a byte or a copy of what came before."""
    out = bytearray()
    seen: dict[bytes, list[int]] = {}
    at, known = 0, 0
    while at < len(chunk):
        flags, flags_at = 0, len(out)
        out.append(0)
        for bit in range(8):
            if at >= len(chunk):
                break
            for position in range(known, at):
                seen.setdefault(chunk[position : position + _SHORTEST_COPY], []).append(position)
            known = at
            bits = max(4, (at - 1).bit_length()) if at else 4
            longest = min((0xFFFF >> bits) + _SHORTEST_COPY, len(chunk) - at)
            length, offset = _best_copy(chunk, at, longest, seen)
            if length:
                flags |= 1 << bit
                out += struct.pack("<H", ((offset - 1) << (16 - bits)) | (length - _SHORTEST_COPY))
                at += length
            else:
                out.append(chunk[at])
                at += 1
        out[flags_at] = flags
    return bytes(out)


def _best_copy(chunk: bytes, at: int, longest: int, seen: dict[bytes, list[int]]) -> tuple[int, int]:
    """Return the length and distance of the longest copy, the nearest of several; length 0 where there is none."""
    best = offset = 0
    if longest < _SHORTEST_COPY:
        return 0, 0
    for position in reversed(seen.get(chunk[at : at + _SHORTEST_COPY], ())):
        length = _SHORTEST_COPY
        while length < longest and chunk[position + length] == chunk[at + length]:
            length += 1
        if length > best:
            best, offset = length, at - position
            if length == longest:
                break
    return best, offset


# --- the compound file --------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Entry:
    """A directory entry; `left`, `right` and `child` are numbers of entries."""

    name: str
    kind: int
    data: bytes = b""
    size: int = 0
    start: int = 0
    colour: int = _BLACK
    left: int = _NONE
    right: int = _NONE
    child: int = _NONE

    def packed(self) -> bytes:
        name = self.name.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<HBBIII", len(name), self.kind, self.colour, self.left, self.right, self.child)
        return name.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", self.start, self.size)


_UNUSED = bytes(68) + struct.pack("<III", _NONE, _NONE, _NONE) + bytes(48)


class _Sectors:
    """Sectors, and the chain of each thing stored in them."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.chain: list[int] = []

    def store(self, data: bytes) -> int:
        """Append the data; returns its first sector."""
        if not data:
            return _END
        first = len(self.chain)
        self.body += _filled(data, _SECTOR)
        last = len(self.body) // _SECTOR
        self.chain.extend(range(first + 1, last))
        self.chain.append(_END)
        return first

    def close(self) -> tuple[int, int]:
        """Append the allocation table, which lists itself too; returns its first sector and its length in sectors."""
        used = len(self.chain)
        count = 1
        while used + count > count * _PER_SECTOR:
            count += 1
        if count > _FAT_IN_HEADER:
            raise ValueError(f"{len(self.body)} bytes are too many for one header")
        self.chain.extend([_IS_FAT] * count)
        self.body += _numbers(self.chain)
        return used, count


def compound_file(tree: Tree) -> bytes:
    """Return the compound file of the tree; raises ValueError for a name over 31 characters or too much data."""
    entries = [_Entry("Root Entry", _ROOT)]
    entries[0].child = _add(entries, tree)
    sectors, mini, mini_chain = _Sectors(), bytearray(), list[int]()
    for entry in entries:
        if entry.kind != _STREAM:
            continue
        if not entry.data:
            entry.start = _END
        elif entry.size >= _MINI_CUTOFF:
            entry.start = sectors.store(entry.data)
        else:
            entry.start = len(mini_chain)
            mini += _filled(entry.data, _MINI_SECTOR)
            mini_chain.extend(range(entry.start + 1, len(mini) // _MINI_SECTOR))
            mini_chain.append(_END)
    entries[0].start, entries[0].size = sectors.store(bytes(mini)), len(mini)
    mini_table = _numbers(mini_chain)
    mini_start = sectors.store(mini_table)
    directory = b"".join(entry.packed() for entry in entries) + _UNUSED * (-len(entries) % 4)
    directory_start = sectors.store(directory)
    fat_start, fat_count = sectors.close()
    header = _SIGNATURE + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, fat_count, directory_start, 0, _MINI_CUTOFF, mini_start,
                          len(mini_table) // _SECTOR, _END, 0)  # fmt: skip
    at = [*range(fat_start, fat_start + fat_count), *[_FREE] * (_FAT_IN_HEADER - fat_count)]
    return header + struct.pack(f"<{_FAT_IN_HEADER}I", *at) + bytes(sectors.body)


def _add(entries: list[_Entry], storage: Tree) -> int:
    """Append the entries of a storage as a balanced search tree; returns its root."""
    added = []
    for name, content in storage.items():
        if len(name) > _LONGEST_NAME:
            raise ValueError(f"{name!r} is longer than {_LONGEST_NAME} characters")
        number = len(entries)
        added.append(number)
        if isinstance(content, bytes):
            entries.append(_Entry(name, _STREAM, content, len(content)))
        else:
            entries.append(_Entry(name, _STORAGE))
            entries[number].child = _add(entries, content)
    added.sort(key=lambda number: (len(entries[number].name), entries[number].name.upper()))
    complete = (len(added) + 1).bit_length() - 1

    def balanced(low: int, high: int, depth: int) -> int:
        if low >= high:
            return _NONE
        middle = (low + high) // 2
        entry = entries[added[middle]]
        # Only the incomplete last level is red: every path then has as many black entries.
        entry.colour = _BLACK if depth < complete else _RED
        entry.left, entry.right = balanced(low, middle, depth + 1), balanced(middle + 1, high, depth + 1)
        return added[middle]

    return balanced(0, len(added), 0)


def _numbers(values: list[int]) -> bytes:
    """Return a table of sector numbers in whole sectors."""
    free = -len(values) % _PER_SECTOR
    return struct.pack(f"<{len(values) + free}I", *values, *[_FREE] * free)


def _filled(data: bytes, size: int) -> bytes:
    return data + bytes(-len(data) % size)
