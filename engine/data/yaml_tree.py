"""YAML text into plain data that still knows its lines, without aliases, tags, repeated keys or surprises.

Scalars stay the text that was written (069500 is not octal, ON is not true, 0.15 is not a float); only an unquoted
empty, `~` or `null` becomes None.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from engine.data.fields import Path, Report
from engine.data.files import Refused, decode
from engine.errors import error

MAX_BYTES = 2_000_000
MAX_DEPTH = 20
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Opening = MappingStartEvent | SequenceStartEvent


class Tree:
    """The data of one document, and the line of every key and item in it."""

    __slots__ = ("data", "lines")

    def __init__(self) -> None:
        self.data: object = None
        self.lines: dict[int, dict[str | int, int]] = {}

    def line(self, path: Path) -> int | None:
        """Return the line (from 1) of the path, or of the nearest thing above it that is in the document."""
        found, data = None, self.data
        for part in path:
            here = self.lines.get(id(data), {}).get(part)
            if here is None:
                break
            found = here
            data = data[part]  # type: ignore[index]  # a part with a line is in the data
        return found


def read_tree(text: str | bytes, report: Report) -> Tree:
    """Return the tree of one YAML document; repeated keys are reported, what makes reading senseless raises Refused."""
    if len(text) > MAX_BYTES:
        raise Refused("too-large.document", size=len(text), most=MAX_BYTES)
    if isinstance(text, bytes):
        text = decode(text)
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        line = text.count("\n", 0, fault.start) + 1
        raise Refused("encoding.character", line=line, character=f"U+{ord(text[fault.start]):04X}") from None
    try:
        return _Builder(report).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        if mark and (tab := _tab(text, mark.line)) is not None:
            raise Refused("yaml-syntax.tab", line=tab) from None
        reason = ", ".join(filter(None, (fault.context, fault.problem)))
        raise Refused("yaml-syntax", line=mark.line + 1 if mark else None, reason=reason) from None
    except yaml.YAMLError as fault:
        raise Refused("yaml-syntax", reason=" ".join(str(fault).split())) from None


def _tab(text: str, line: int) -> int | None:
    """Return the line (from 1) whose indentation has a tab: the one that cannot be read or the one before it."""
    lines = text.split("\n")
    for number in (line, line - 1):
        if 0 <= number < len(lines) and "\t" in lines[number][: len(lines[number]) - len(lines[number].lstrip())]:
            return number + 1
    return None


class _Builder:
    """A tree being built out of YAML events, one container on the stack per level of nesting."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._tree = Tree()
        self._stack: list[tuple[dict[str, object] | list[object], dict[str | int, int]]] = []
        self._key: str | None = None
        self._path: list[str | int] = []
        self._started = False

    def build(self, events: Iterator[Event]) -> Tree:
        for event in events:
            if isinstance(event, ScalarEvent):
                self._scalar(event)
            elif isinstance(event, MappingStartEvent):
                self._open({}, event)
            elif isinstance(event, SequenceStartEvent):
                self._open([], event)
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                self._stack.pop()
                if self._path:
                    self._path.pop()
            elif isinstance(event, AliasEvent):
                raise Refused("yaml-alias", line=_line(event), anchor=event.anchor)
            elif isinstance(event, DocumentStartEvent):
                if self._started:
                    raise Refused("several-documents", line=_line(event))
                self._started = True
        return self._tree

    def _scalar(self, event: ScalarEvent) -> None:
        if event.tag is not None or event.anchor is not None:
            self._refuse(event)
        text: str = event.value
        container = self._stack[-1][0] if self._stack else None
        if self._key is None and type(container) is dict:
            if text in container:
                path = (*self._path, text)
                first = self._stack[-1][1][text]
                where = self._report.where(path, _line(event))
                self._report.problems.append(error("duplicate-key.line", where, name=text, first=first))
            self._key = text
            self._stack[-1][1].setdefault(text, _line(event))
            return
        self._put(None if text in _NULLS and event.implicit[0] else text, event)

    def _open(self, container: dict[str, object] | list[object], event: _Opening) -> None:
        if event.tag is not None or event.anchor is not None:
            self._refuse(event)
        if self._stack and type(self._stack[-1][0]) is dict and self._key is None:
            raise Refused("wrong-type.key", line=_line(event))
        if len(self._stack) >= MAX_DEPTH:
            raise Refused("too-deep", line=_line(event), most=MAX_DEPTH)
        if self._stack:
            parent = self._stack[-1][0]
            self._path.append(len(parent) if isinstance(parent, list) else self._key or "")
        self._put(container, event)
        lines: dict[str | int, int] = {}
        self._tree.lines[id(container)] = lines
        self._stack.append((container, lines))

    def _put(self, value: object, event: Event) -> None:
        if not self._stack:
            self._tree.data = value
            return
        container, lines = self._stack[-1]
        if isinstance(container, list):
            lines[len(container)] = _line(event)
            container.append(value)
        elif self._key is not None:
            container[self._key] = value
            self._key = None

    @staticmethod
    def _refuse(event: ScalarEvent | _Opening) -> None:
        if event.anchor is not None:
            raise Refused("yaml-alias.anchor", line=_line(event), anchor=event.anchor)
        raise Refused("yaml-tag", line=_line(event), tag=event.tag)


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
