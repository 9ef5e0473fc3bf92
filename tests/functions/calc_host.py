"""Real formulas in LibreOffice Calc, headless, with the extension installed. A program for LibreOffice's own Python.

Reads {"profile", "book": .ods, "sheets": {title: rows}, "unasked": formula, "calls": [[formula, argument, …], …],
"sizes": [[1, 2], …]} from stdin and writes what the cells show, an error as {"error": number}. Ranges stand on sheets
of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import uno
from com.sun.star.beans import PropertyValue


def start(profile: str) -> tuple[subprocess.Popen[bytes], Any]:
    pipe = f"rebalancer{os.getpid()}"
    # LibreOffice's own Python takes the first python3 on the path for its home: a virtual environment's makes it abort.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    office = subprocess.Popen(
        ["soffice", "--headless", "--norestore", "--nologo", f"-env:UserInstallation=file://{profile}",
         f"--accept=pipe,name={pipe};urp;"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=environment,
    )  # fmt: skip
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(240):
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return office, context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        except Exception:  # UNO raises what the other side raised
            if office.poll() not in (None, 81):  # 81: it starts itself anew with a fresh profile
                raise
            time.sleep(0.25)
    raise TimeoutError("LibreOffice did not start")


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


def main() -> None:
    task = json.load(sys.stdin)
    office, desktop = start(task["profile"])
    try:
        hidden = PropertyValue()
        hidden.Name, hidden.Value = "Hidden", True
        document = desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, (hidden,))
        for title, rows in task["sheets"].items():
            document.Sheets.insertNewByName(title, document.Sheets.Count)
            write(document.Sheets.getByName(title), rows)
        output = document.Sheets.getByIndex(0)
        output.getCellRangeByName("Z1").Formula = task["unasked"]
        answers, top = [], 0
        for (name, *given), (height, width) in zip(task["calls"], task["sizes"], strict=True):
            arguments = [written(document, value) for value in given]
            while arguments and not arguments[-1]:
                arguments.pop()
            area = output.getCellRangeByPosition(0, top, width - 1, top + height - 1)
            area.setArrayFormula(f"={name}({';'.join(arguments)})")
            answers.append(shown(area))
            top += height + 1
        shut = desktop.loadComponentFromURL(f"file://{task['book']}", "_blank", 0, (hidden,))
        shut.calculateAll()
        sheets = {}
        for title in shut.Sheets.ElementNames:
            cursor = shut.Sheets.getByName(title).createCursor()
            cursor.gotoEndOfUsedArea(True)
            sheets[title] = shown(cursor)
        json.dump({"answers": answers, "book": sheets}, sys.stdout)
    finally:
        with contextlib.suppress(Exception):  # it closes the connection before it answers
            desktop.terminate()
        try:
            office.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(office.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
