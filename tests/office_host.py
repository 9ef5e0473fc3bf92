"""LibreOffice, headless, for a whole run of the tests. A program for its own Python: `office_host.py PROFILE`.

Reads a task per line from stdin and writes its answer as a line, {"answer": …} or {"error": text}:
    {"do": "convert", "files": [path, …], "extension": "ods", "out": folder}: files recalculated and saved anew
    {"do": "shown", "path": …, "sheet": …, "area": …}: texts of cells, with the file's macros allowed
    {"do": "press", "path": …, "button": …, "answers": [text, …], "write": [[sheet, address, number], …], "areas":
     [[sheet, area], …], "undo": true}: what areas show after a button was pressed (and taken back by LibreOffice)
    {"do": "calls", "sheets": {title: rows}, "unasked": formula, "calls": [[formula, argument, …], …],
     "sizes": [[1, 2], …]}: what cells with our functions show, an error as {"error": number}. Ranges stand on sheets of
     their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import uno
import unohelper
from com.sun.star.awt import XCallback
from com.sun.star.beans import PropertyValue
from com.sun.star.util import URL

_FILTERS = {"xlsx": "Calc MS Excel 2007 XML", "ods": "calc8"}
#: UNO's number for running a document's macros without asking.
_ALWAYS = 4


def start(profile: str) -> tuple[subprocess.Popen[bytes], Any, Any]:
    pipe = f"rebalancer{os.getpid()}"
    # LibreOffice's own Python takes the first python3 on the path for its home: a virtual environment's makes it abort.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    office = subprocess.Popen(
        ["soffice", "--headless", "--norestore", "--nologo", f"-env:UserInstallation=file://{profile}",
         f"--accept=pipe,name={pipe};urp;"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env=environment,
    )  # fmt: skip
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(240):
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except Exception:  # UNO raises what the other side raised
            if office.poll() not in (None, 81):  # 81: it starts itself anew with a fresh profile
                raise
            time.sleep(0.25)
        else:
            make = context.ServiceManager.createInstanceWithContext
            names = "com.sun.star.frame.Desktop", "com.sun.star.awt.AsyncCallback"
            desktop, callbacks = (make(name, context) for name in names)
            return office, desktop, callbacks
    raise TimeoutError("LibreOffice did not start")


class Task(unohelper.Base, XCallback):  # type: ignore[misc]
    """A task that LibreOffice's main thread does, as it does what a person asks for.

    A call back from it, made while it waits for the answer, runs in it. On another thread our extension and the main
    thread could wait for each other for ever: PyUNO keeps Python's lock where it lets go of LibreOffice's objects, and
    the main thread asks the extension for the states of its buttons.
    """

    def __init__(self, desktop: Any, task: dict[str, Any]) -> None:
        self._desktop, self._task = desktop, task
        self._done = threading.Event()
        self._found: dict[str, Any] = {}

    def notify(self, _data: Any) -> None:
        try:
            self._found = {"answer": TASKS[self._task["do"]](self._desktop, self._task)}
        except Exception:  # noqa: BLE001 - the test that asked says it
            self._found = {"error": traceback.format_exc()}
        finally:
            self._done.set()

    def found(self, callbacks: Any) -> dict[str, Any]:
        callbacks.addCallback(self, None)
        self._done.wait()
        return self._found


def options(**named: Any) -> tuple[Any, ...]:
    found = []
    for name, value in named.items():
        option = PropertyValue()
        option.Name, option.Value = name, value
        found.append(option)
    return tuple(found)


@contextlib.contextmanager
def opened(desktop: Any, url: str, **named: Any) -> Any:
    document = desktop.loadComponentFromURL(url, "_blank", 0, options(Hidden=True, **named))
    try:
        yield document
    finally:
        document.close(True)


def convert(desktop: Any, task: dict[str, Any]) -> None:
    for file in map(Path, task["files"]):
        with opened(desktop, file.as_uri()) as document:
            made = Path(task["out"]) / f"{file.stem}.{task['extension']}"
            document.storeToURL(made.as_uri(), options(FilterName=_FILTERS[task["extension"]]))


def texts(desktop: Any, task: dict[str, Any]) -> list[list[str]]:
    with opened(desktop, Path(task["path"]).as_uri(), MacroExecutionMode=_ALWAYS) as document:
        document.calculateAll()
        cells = document.Sheets.getByName(task["sheet"]).getCellRangeByName(task["area"])
        across = range(cells.Columns.Count)
        return [[cells.getCellByPosition(x, y).String for x in across] for y in range(cells.Rows.Count)]


def cell(value: Any) -> Any:
    if isinstance(value, dict):
        return ""  # a formula takes its place
    return "" if value is None else float(value) if isinstance(value, bool | int) else value


def write(sheet: Any, rows: list[list[Any]]) -> tuple[int, int]:
    width = max(len(row) for row in rows)
    padded = [[*row, *[None] * (width - len(row))] for row in rows]
    area = sheet.getCellRangeByPosition(0, 0, width - 1, len(rows) - 1)
    area.setDataArray(tuple(tuple(cell(value) for value in row) for row in padded))
    for y, row in enumerate(padded):
        for x, value in enumerate(row):
            if isinstance(value, dict):
                text = "=NA()" if "error" in value else f"=DATE({value['date'].replace('-', ';')})"
                sheet.getCellByPosition(x, y).Formula = text
    return width, len(rows)


def letters(count: int) -> str:
    text = ""
    while count:
        count, rest = divmod(count - 1, 26)
        text = chr(65 + rest) + text
    return text


def written(document: Any, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        title = f"Range{document.Sheets.Count}"
        document.Sheets.insertNewByName(title, document.Sheets.Count)
        width, height = write(document.Sheets.getByName(title), value)
        return f"${title}.$A$1:${letters(width)}${height}"
    if isinstance(value, dict):
        return f"DATE({value['date'].replace('-', ';')})"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def shown(area: Any) -> list[list[Any]]:
    found = []
    for y, row in enumerate(area.getDataArray()):
        cells = []
        for x, value in enumerate(row):
            error = area.getCellByPosition(x, y).getError() if value is None or value == "" else 0
            cells.append({"error": error} if error else value)
        found.append(cells)
    return found


def calls(desktop: Any, task: dict[str, Any]) -> list[Any]:
    answers, top = [], 0
    with opened(desktop, "private:factory/scalc") as document:
        for title, rows in task["sheets"].items():
            document.Sheets.insertNewByName(title, document.Sheets.Count)
            write(document.Sheets.getByName(title), rows)
        output = document.Sheets.getByIndex(0)
        output.getCellRangeByName("Z1").Formula = task["unasked"]
        for (name, *given), (height, width) in zip(task["calls"], task["sizes"], strict=True):
            arguments = [written(document, value) for value in given]
            while arguments and not arguments[-1]:
                arguments.pop()
            area = output.getCellRangeByPosition(0, top, width - 1, top + height - 1)
            area.setArrayFormula(f"={name}({';'.join(arguments)})")
            answers.append(shown(area))
            top += height + 1
    return answers


def press(desktop: Any, task: dict[str, Any]) -> Any:
    with opened(desktop, Path(task["path"]).as_uri()) as document:
        for title, address, number in task["write"]:
            document.Sheets.getByName(title).getCellRangeByName(address).Value = number
        frame = document.CurrentController.Frame
        url = URL()
        url.Protocol, url.Path = "org.rebalancer.command:", task["button"]
        url.Complete = url.Main = url.Protocol + url.Path
        (given,) = options(Answers=tuple(task["answers"]))
        frame.queryDispatch(url, "_self", 0).dispatch(url, (given,))
        if task.get("undo"):
            document.UndoManager.undo()
        found = []
        for title, area in task["areas"]:
            cells = document.Sheets.getByName(title).getCellRangeByName(area)
            across = range(cells.Columns.Count)
            found.append([[cells.getCellByPosition(x, y).String for x in across] for y in range(cells.Rows.Count)])
        return {"shown": found, "actions": list(document.UndoManager.AllUndoActionTitles)}


TASKS = {"convert": convert, "shown": texts, "calls": calls, "press": press}


def end(desktop: Any) -> None:
    """Ask LibreOffice to end, which closes the connection before it answers, or never does."""
    with contextlib.suppress(Exception):
        desktop.terminate()


def main() -> None:
    office, desktop, callbacks = start(sys.argv[1])
    try:
        for line in sys.stdin:
            found = Task(desktop, json.loads(line)).found(callbacks)
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()
    finally:
        threading.Thread(target=end, args=(desktop,), daemon=True).start()
        try:
            office.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(office.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
