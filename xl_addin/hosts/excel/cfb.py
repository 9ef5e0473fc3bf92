"""A compound file (MS-CFB version 3) from a tree of streams: the container of a VBA project.

Sectors of 512 bytes; streams under 4096 bytes go into the mini stream, in sectors of 64. The same tree gives the same
bytes: no times, no class identifiers. Written for projects of up to 109 allocation sectors, about 7 MB.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

#: A storage holds streams and storages by name.
Tree = Mapping[str, "bytes | Tree"]

_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
_SECTOR, _MINI_SECTOR, _MINI_CUTOFF = 512, 64, 4096
_PER_SECTOR = _SECTOR // 4
_FAT_IN_HEADER = 109
_END, _FREE, _IS_FAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_RED, _BLACK = 0, 1
_LONGEST_NAME = 31


@dataclass(slots=True)
class _Entry:
    """Be one directory entry; `left`, `right` and `child` are numbers of entries."""

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
    """Collect sectors and the chain of each thing stored in them."""

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
