"""The extension's own module, run by LibreOffice's Python: passes each call to a child process, shows what it answers.

A call is of a function in a cell, or of a button in the menu or toolbar, which changes the document in one step of its
own undo list.

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

import uno
import unohelper
from com.sun.star.beans import PropertyValue
from com.sun.star.frame import XDispatch, XDispatchProvider
from com.sun.star.lang import XInitialization, XServiceInfo
from org.rebalancer import XRebal  # type: ignore[import-not-found]

SETTINGS: Any = json.loads((Path(__file__).parent / "rebalancer.json").read_text(encoding="utf-8"))
#: Seconds for which what stands near is not told again; the largest sheet that is told; UNO's number of formulas.
PAUSE, MOST_CELLS, FORMULAS = 5.0, 100_000, 16
#: What of a sheet a button is told: rows and columns.
MOST_ROWS, MOST_COLUMNS = 20_000, 300
#: UNO's names of a message with one button and of one with two, and its number of the button that agrees.
TELLING, ASKING, AGREED = ("INFOBOX", 1), ("QUERYBOX", 2), 1
#: The same of one with yes, no and cancel, and what its answers are.
CHOOSING, CHOSEN = ("QUERYBOX", 4), {2: "yes", 3: "no"}
TITLE = "Rebalancer"
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


def _told(document: Any) -> Any:  # noqa: ANN401
    """Return what a button may know of a document."""
    sheets = []
    for sheet in document.Sheets:
        area = _used(sheet)
        down, across = min(area.Rows.Count, MOST_ROWS), min(area.Columns.Count, MOST_COLUMNS)
        area = sheet.getCellRangeByPosition(0, 0, across - 1, down - 1)
        values = [[None if value != value else value for value in row] for row in area.getDataArray()]
        sheets.append(
            {"name": sheet.Name, "visible": sheet.IsVisible, "values": values, "formulas": area.getFormulaArray()}
        )
    names = {}
    for name in document.NamedRanges.ElementNames:
        cells = document.NamedRanges.getByName(name).getReferredCells()
        if cells is not None:
            title, _, place = cells.AbsoluteName.lstrip("$").partition(".")
            plain = title[1:-1].replace("''", "'") if title.startswith("'") else title
            quoted = "'" + plain.replace("'", "''") + "'"
            names[name] = "=" + quoted + "!" + place.replace(".", "").replace(quoted, "")
    tables = {}
    for name in document.DatabaseRanges.ElementNames:
        area = document.DatabaseRanges.getByName(name).DataArea
        title = document.Sheets.getByIndex(area.Sheet).Name
        tables[name] = (title, area.StartRow + 1, area.StartColumn + 1, area.EndRow + 1, area.EndColumn + 1)
    return {"url": document.URL, "title": document.Title, "sheets": sheets, "names": names, "tables": tables}


def _change(document: Any, edits: Any, name: str) -> None:  # noqa: ANN401
    """Write cells, as one step for the person to undo."""
    document.UndoManager.enterUndoContext(f"{TITLE}: {name}")
    document.addActionLock()
    try:
        for edit in edits:
            sheet = document.Sheets.getByName(edit["sheet"])
            cell = sheet.getCellByPosition(edit["column"] - 1, edit["row"] - 1)
            if edit["kind"] == "number":
                cell.Value = edit["content"]
            elif edit["kind"] == "formula":
                cell.Formula = edit["content"]
            else:
                cell.String = edit.get("content", "")
    finally:
        document.removeActionLock()
        document.UndoManager.leaveUndoContext()


class Buttons(unohelper.Base, XDispatchProvider, XDispatch, XInitialization, XServiceInfo):  # type: ignore[misc]
    """The buttons: an address `org.rebalancer.command:NAME` presses one.

    A macro that gives "Answers" is asked nothing and told nothing: they are the answers to what would be asked.
    """

    def __init__(self, context: Any) -> None:  # noqa: ANN401
        self._context = context
        self._frame: Any = None

    def initialize(self, arguments: Any) -> None:  # noqa: ANN401
        """Take the window that the buttons belong to."""
        self._frame = arguments[0] if arguments else None

    def queryDispatch(self, url: Any, _target: str, _flags: int) -> Any:  # noqa: ANN401, N802 - UNO's name
        """Answer for the buttons' own addresses."""
        return self if url.Protocol == SETTINGS["protocol"] else None

    def queryDispatches(self, requests: Any) -> Any:  # noqa: ANN401, N802 - UNO's name
        """Answer for several addresses."""
        return tuple(self.queryDispatch(one.FeatureURL, one.FrameName, one.SearchFlags) for one in requests)

    def addStatusListener(self, _listener: Any, _url: Any) -> None:  # noqa: ANN401, N802 - UNO's name
        """Do nothing: a button can always be pressed."""

    def removeStatusListener(self, _listener: Any, _url: Any) -> None:  # noqa: ANN401, N802 - UNO's name
        """Do nothing, as above."""

    def getImplementationName(self) -> str:  # noqa: N802 - UNO's name
        """Return the name under which it is known."""
        return str(SETTINGS["buttons"])

    def getSupportedServiceNames(self) -> Any:  # noqa: ANN401, N802 - UNO's name
        """Return what it is for."""
        return ("com.sun.star.frame.ProtocolHandler",)

    def supportsService(self, name: str) -> bool:  # noqa: N802 - UNO's name
        """Tell whether it is for that."""
        return name in self.getSupportedServiceNames()

    def dispatch(self, url: Any, arguments: Any) -> None:  # noqa: ANN401
        """Press a button; what goes wrong is told, and then nothing was written."""
        given = next((list(one.Value) for one in arguments if one.Name == "Answers"), None)
        document = self._frame.Controller.Model
        request = {"press": url.Path, "document": _told(document), "answers": given or []}
        working = self._frame.createStatusIndicator()
        working.start(f"{TITLE} …", 1)
        try:
            answer = CHILD.ask(request)
            while "ask" in answer:
                if given is not None:
                    return
                request["answers"] = [*request["answers"], [answer["text"], self._asked(answer)]]
                answer = CHILD.ask(request)
        except (OSError, ValueError, KeyError) as fault:
            answer = {"edits": [], "sheet": "", "pdf": "", "store": False, "said": f"{SETTINGS['silent']}\n{fault}"}
        finally:
            working.end()
        if answer["edits"]:
            _change(document, answer["edits"], url.Path)
        if answer["sheet"]:
            self._frame.Controller.ActiveSheet = document.Sheets.getByName(answer["sheet"])
        if answer["store"]:
            document.store()
        if answer["pdf"]:
            printing = PropertyValue()
            printing.Name, printing.Value = "FilterName", "calc_pdf_Export"
            document.storeToURL(uno.systemPathToFileUrl(answer["pdf"]), (printing,))
        if answer["said"] and given is None:
            self._message(TELLING, answer["said"])

    def _asked(self, question: Any) -> str:  # noqa: ANN401
        if question["ask"] == "confirm":
            return "ok" if self._message(ASKING, question["text"]) == AGREED else "cancel"
        if question["ask"] == "choose":
            return CHOSEN.get(self._message(CHOOSING, question["text"]), "cancel")
        manager = self._context.ServiceManager
        if question["ask"] == "folder":
            folder = manager.createInstanceWithContext("com.sun.star.ui.dialogs.FolderPicker", self._context)
            folder.Title = question["text"]
            return str(folder.Directory) if folder.execute() == AGREED else ""
        picker = manager.createInstanceWithContext("com.sun.star.ui.dialogs.FilePicker", self._context)
        picker.Title = question["text"]
        return str(picker.SelectedFiles[0]) if picker.execute() == AGREED else ""

    def _message(self, kind: Any, text: str) -> int:  # noqa: ANN401
        window = self._frame.ContainerWindow
        box = window.Toolkit.createMessageBox(
            window, uno.Enum("com.sun.star.awt.MessageBoxType", kind[0]), kind[1], TITLE, text
        )
        return int(box.execute())


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
g_ImplementationHelper.addImplementation(Buttons, SETTINGS["buttons"], ("com.sun.star.frame.ProtocolHandler",))
