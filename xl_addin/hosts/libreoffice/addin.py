"""The extension's own module, run by LibreOffice's Python: passes each call to a child process, shows what it answers.

Needs nothing but the standard library and UNO, of any Python since 3.8. One child serves the whole session.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import unohelper  # type: ignore[import-not-found]
from org.rebalancer import XRebal  # type: ignore[import-not-found]

SETTINGS: Any = json.loads((Path(__file__).parent / "rebalancer.json").read_text(encoding="utf-8"))
#: Seconds for which what stands near is not told again; the largest sheet that is told; UNO's number of formulas.
PAUSE, MOST_CELLS, FORMULAS = 5.0, 100_000, 16
#: What LibreOffice sets for its own Python must not reach ours.
_OWN = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "LD_LIBRARY_PATH", "URE_BOOTSTRAP")


class Child:
    """Keep the process that answers; start it when it is first needed, and again where it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: object) -> Any:  # noqa: ANN401 - JSON
        """Return the answer to a request; raises OSError or ValueError where there is none."""
        line = json.dumps(request).encode() + b"\n"
        with self._lock:
            try:
                return self._exchange(line)
            except (OSError, ValueError):
                self._stop()
            try:
                return self._exchange(line)
            except (OSError, ValueError):
                self._stop()
                raise

    def _exchange(self, line: bytes) -> Any:  # noqa: ANN401
        if self._process is None:
            self._process = _start()
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise OSError("no pipes")
        stdin.write(line)
        stdin.flush()
        return json.loads(stdout.readline())["answer"]

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None


def _start() -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _OWN}
    return subprocess.Popen(  # noqa: S603 - the interpreter that installed the extension
        [SETTINGS["interpreter"], "-m", "xl_addin.hosts.libreoffice.serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


CHILD = Child()


def _shown(value: Any) -> Any:  # noqa: ANN401
    """Return a value as Calc shows it: an error is a NaN with the error's number in it."""
    code = SETTINGS["errors"].get(value) if isinstance(value, str) else None
    return value if code is None else struct.unpack("<d", struct.pack("<II", code, 0x7FF80000))[0]


def _sheets(document: Any, titles: list[str]) -> dict[str, Any]:  # noqa: ANN401
    """Return the sheets that a function reads, from A1 to the end of what is used."""
    found = {}
    for title in titles:
        if document is not None and document.Sheets.hasByName(title):
            found[title] = _used(document.Sheets.getByName(title)).getDataArray()
    return found


def _used(sheet: Any) -> Any:  # noqa: ANN401
    """Return a sheet's cells from A1 to the end of what is used."""
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(False)
    end = cursor.RangeAddress
    return sheet.getCellRangeByPosition(0, 0, end.EndColumn, end.EndRow)


class Near:
    """Tell what the sheets with formulas hold, once for the many cells of one recalculation."""

    def __init__(self) -> None:
        self._told_at = -PAUSE

    def of(self, document: Any) -> Any:  # noqa: ANN401
        """Return the values and, right of them, the formulas of each sheet from A1; None where they were just told."""
        if document is None or time.monotonic() - self._told_at < PAUSE:
            return None
        self._told_at = time.monotonic()
        found = {}
        for sheet in document.Sheets:
            area = _used(sheet)
            if sheet.queryContentCells(FORMULAS).Count and area.Rows.Count * area.Columns.Count <= MOST_CELLS:
                both = zip(area.getDataArray(), area.getFormulaArray())  # noqa: B905 - older Pythons have no `strict`
                found[sheet.Name] = [[*row, *more] for row, more in both]
        return found


NEAR = Near()


def _method(spec: Any) -> Callable[..., Any]:  # noqa: ANN401
    def body(_: object, *given: Any) -> Any:  # noqa: ANN401
        document, arguments = (given[0], given[1:]) if spec["sheets"] or spec["near"] else (None, given)
        request = {"name": spec["name"], "arguments": arguments}
        if spec["near"]:
            request["near"] = NEAR.of(document)
        if spec["sheets"] and all(arguments[at] is None for at in spec["ranges"]):
            request["tables"] = _sheets(document, spec["sheets"])
        try:
            answer = CHILD.ask(request)
        except (OSError, ValueError):
            answer = "#REBAL!VALUE"
        if not spec["table"]:
            return _shown(answer)
        rows = answer if isinstance(answer, list) else [[answer]]
        return tuple(tuple(_shown(value) for value in row) for row in rows)

    return body


def _begin(_: object, context: object) -> None:
    """Take the component's context, which is not needed."""
    del context


Rebal = type(
    "Rebal",
    (unohelper.Base, XRebal),
    {"__init__": _begin, **{name: _method(spec) for name, spec in SETTINGS["functions"].items()}},
)
g_ImplementationHelper = unohelper.ImplementationHelper()  # noqa: N816 - UNO looks for this name
g_ImplementationHelper.addImplementation(Rebal, "Rebal", ("Rebal", "com.sun.star.sheet.AddIn"))
