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

from engine.data.report import Path, Report
from engine.text import EncodingError, decode

MAX_BYTES = 2_000_000
MAX_DEPTH = 20
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Opening = MappingStartEvent | SequenceStartEvent


class Refused(Exception):
    """Stop reading at the first thing that makes the rest meaningless; `ko` is the message in Korean."""

    def __init__(self, code: str, message: str, ko: str, line: int | None = None) -> None:
        self.code = code
        self.ko = ko
        self.line = line
        super().__init__(message)


class Tree:
    """Hold the data of one document and the line of every key and item in it."""

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
        message = f"the document has {len(text):,} bytes; the most is {MAX_BYTES:,}"
        ko = f"문서가 너무 큽니다: {len(text):,}바이트, 최대 {MAX_BYTES:,}바이트"
        raise Refused("too-large", message, ko)
    if isinstance(text, bytes):
        try:
            text = decode(text)
        except EncodingError as error:
            raise Refused("encoding", str(error), error.ko, error.line) from None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        character = f"U+{ord(text[error.start]):04X}"
        message = f"character {character} stands for no text: remove it"
        ko = f"글자가 아닌 문자 {character}: 지우세요"
        raise Refused("encoding", message, ko, text.count("\n", 0, error.start) + 1) from None
    try:
        return _Builder(report).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ", ".join(filter(None, (error.context, error.problem)))
        raise _not_yaml(message, mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise _not_yaml(" ".join(str(error).split())) from None


def _not_yaml(reason: str, line: int | None = None) -> Refused:
    return Refused(
        "yaml-syntax",
        f"this is not YAML: {reason}",
        f"YAML 문법에 맞지 않습니다({reason}): 들여쓰기와 괄호, 따옴표를 확인하세요",
        line,
    )


class _Builder:
    """Build a tree out of YAML events, one container on the stack per level of nesting."""

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
                message = f"*{event.anchor} refers to another place: write the value itself"
                ko = f"*{event.anchor}: 다른 곳을 가리킵니다. 값을 직접 적으세요"
                raise Refused("yaml-alias", message, ko, _line(event))
            elif isinstance(event, DocumentStartEvent):
                if self._started:
                    message = "a second document starts here (---): keep one"
                    ko = "여기서 두 번째 문서가 시작됩니다(---): 하나만 두세요"
                    raise Refused("several-documents", message, ko, _line(event))
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
                message = f"{text} is here a second time (first on line {first}): keep one of them"
                ko = f"{text} 중복 (처음 {first}행): 하나만 두세요"
                self._report.error(path, "duplicate-key", message, ko, line=_line(event))
            self._key = text
            self._stack[-1][1].setdefault(text, _line(event))
            return
        self._put(None if text in _NULLS and event.implicit[0] else text, event)

    def _open(self, container: dict[str, object] | list[object], event: _Opening) -> None:
        if event.tag is not None or event.anchor is not None:
            self._refuse(event)
        if self._stack and type(self._stack[-1][0]) is dict and self._key is None:
            message = "a list or mapping stands where a key belongs: write a plain key"
            ko = "키 자리에 목록이나 묶음이 있습니다: 키를 글로 적으세요"
            raise Refused("wrong-type", message, ko, _line(event))
        if len(self._stack) >= MAX_DEPTH:
            message = f"more than {MAX_DEPTH} levels of nesting: a portfolio has at most 6"
            ko = f"들여쓰기 {MAX_DEPTH}단계 초과: 포트폴리오는 많아야 6단계입니다"
            raise Refused("too-deep", message, ko, _line(event))
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
        what = f"&{event.anchor}" if event.anchor is not None else f"tag {event.tag}"
        code = "yaml-alias" if event.anchor is not None else "yaml-tag"
        raise Refused(
            code,
            f"{what} is not allowed: write plain values",
            f"{what.replace('tag', '태그')}: 쓸 수 없습니다. 값을 그대로 적으세요",
            _line(event),
        )


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
