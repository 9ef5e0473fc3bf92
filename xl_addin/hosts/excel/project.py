"""The workbook's VBA project: our modules, the functions' wrappers, and what of xlwings they need.

xlwings' own generator makes one VBA function per declared Python function. It runs only where xlwings' Windows half is
loaded, so it runs in a process of its own (`python -m xl_addin.hosts.excel.project`), with pywin32 stood in for where
there is none. What is added then: tokens become cell errors, a call without ranges passes the workbook's tables and is
volatile only then, names are the public ones, and neither a traceback nor a Mac's missing DLL reaches a cell.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import types
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources, util
from pathlib import Path
from typing import Any, cast

from xl_addin.functions import all_functions, function
from xl_addin.functions.cells import NA
from xl_addin.functions.declaring import Function
from xl_addin.hosts.excel.ovba import Module, vba_project

#: Our own modules; `ThisWorkbook` is the workbook's.
OWN = ("RebalErrors", "RebalHelp", "RebalRibbon", "RebalSheets")
WORKBOOK = "ThisWorkbook"
#: Of the xlwings package (BSD-3), and within it VBA-Dictionary (MIT).
FOREIGN = ("xlwings.bas", "addin/Dictionary.cls")
#: Any; the same in every build.
PROJECT_ID = "{5D1C7A30-9B42-4E5B-8E0C-2B6A7C1F4D90}"
FUNCTIONS_MODULE = "xl_addin.functions"
#: xlwings looks for its wrappers in a module of this name.
VBA_MODULE = "xlwings_udfs"
#: Python's names for arguments that neither Python nor VBA can call from and to.
RENAMED: Mapping[str, str] = {"from_": "from_day", "to_": "to_day"}
_FUNCTION = re.compile(r"^Function (rebal_\w+)\((.*?)\)\n(.*?)^End Function$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(XLPy\.CallUDF\(.*\))$", re.MULTILINE)


def own_text(name: str) -> str:
    """Return the text of one of our modules."""
    return (resources.files("xl_addin.hosts.excel") / "vba" / f"{name}.bas").read_text(encoding="cp1252")


def foreign_text(name: str) -> str:
    """Return the text of a module of the installed xlwings package."""
    spec = util.find_spec("xlwings")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the xlwings package is not installed")
    return (Path(spec.origin).parent / name).read_bytes().decode("cp1252").replace("\r\n", "\n")


def modules(sheets: Sequence[str]) -> tuple[Module, ...]:
    """Return every module, in the project's order; `sheets` are the code names of the worksheets."""
    return (
        Module(WORKBOOK, "workbook", Module.parse(own_text(WORKBOOK)).code),
        *(Module(name, "sheet") for name in sheets),
        *(Module.parse(own_text(name)) for name in OWN),
        Module.parse(wrappers()),
        *(Module.parse(foreign_text(name)) for name in FOREIGN),
    )


def project(sheets: Sequence[str]) -> bytes:
    """Return vbaProject.bin for a workbook with these worksheets."""
    return vba_project(modules(sheets), PROJECT_ID)


@cache
def wrappers() -> str:
    """Return the text of the VBA module with every function."""
    text = generated()
    done = [match[1].upper() for match in _FUNCTION.finditer(text)]
    missing = sorted({spec.name for spec in all_functions()} - set(done))
    if missing:
        raise ValueError(f"{FUNCTIONS_MODULE} declares no {', '.join(missing)}")
    return _FUNCTION.sub(lambda match: _completed(function(match[1].upper()), match[2], match[3]), text)


def generated() -> str:
    """Return what xlwings' generator writes for `xl_addin.functions`."""
    command = [sys.executable, "-m", "xl_addin.hosts.excel.project"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")  # noqa: S603 - ours
    return done.stdout.replace("\r\n", "\n")


def _completed(spec: Function, parameters: str, body: str) -> str:
    """Return a wrapper under its public name, mapping errors, with the workbook's tables where no range is given."""
    hidden = {f"Optional {name}" for name in spec.hidden}
    shown = [parameter for parameter in parameters.split(", ") if parameter and parameter not in hidden]
    body = body.replace(spec.python, spec.name).replace(f'"{spec.name}"', f'"{spec.python}"')
    body = _CALL.sub(r"RebalResult(\1)", body)
    body = body.replace(f"{spec.name} = Err.Description", f"{spec.name} = RebalFailed(Err.Description)")
    text = f"Function {spec.name}({', '.join(shown)})\n{_opening(spec)}{body}End Function"
    for python, vba in RENAMED.items():
        text = re.sub(rf"\b{python}(?!\w)", vba, text)
    return text


def _opening(spec: Function) -> str:
    """Return what comes before the call: nothing to call on a Mac; the tables where they are to be read."""
    lines = ["#If Mac Then", f'    {spec.name} = RebalResult("{NA}")', "    Exit Function", "#End If"]
    if spec.hidden:
        lines.append("    On Error GoTo failed")
    if spec.sheets:
        missing = " And ".join(f"IsMissing({name})" for name in spec.ranges)
        reading = ["Application.Volatile", f'tables = RebalTables("{",".join(spec.sheets)}")']
        lines += ["    Dim tables As Variant", "    tables = RebalMissing()"]
        if missing:
            reading = [f"If {missing} Then", *(f"    {line}" for line in reading), "End If"]
        lines += [f"    {line}" for line in reading]
    if spec.near:
        lines += ["    Dim near As Variant", "    near = RebalNear()"]
    return "".join(f"{line}\n" for line in lines)


def _write() -> None:
    """Write the generator's text to standard output, in a process of its own."""
    if sys.platform != "win32":
        _stand_in_for_pywin32()
    import xlwings
    from xlwings import udfs, utils

    for name, declaration in (("func", udfs.xlfunc), ("sub", udfs.xlsub), ("arg", udfs.xlarg), ("ret", udfs.xlret)):
        setattr(xlwings, name, declaration)
    from xl_addin import functions

    text = io.StringIO(newline="")
    writer = cast("Any", utils.VBAWriter)(text)
    generate: Any = udfs.generate_vba_wrapper
    writer.writeln(f'Attribute VB_Name = "{VBA_MODULE}"')
    writer.writeln("'Generated by xlwings from Rebalancer's functions: do not edit, run `rebalancer build`")
    writer.writeln('#Const App = "Microsoft Excel" \'Adjust when using outside of Excel')
    generate(FUNCTIONS_MODULE, functions, text, types.SimpleNamespace(Name="rebalancer.xlsm"))
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]  # a text stream of our own
    sys.stdout.write(text.getvalue())


def _stand_in_for_pywin32() -> None:
    """Let xlwings' Windows half be imported: the generator calls none of pywin32."""
    stand_ins = {name: types.ModuleType(name) for name in ("pythoncom", "pywintypes", "win32com", "win32com.client")}
    stand_ins["pythoncom"].__dict__["CoInitialize"] = lambda *_: None
    stand_ins["pywintypes"].__dict__["com_error"] = type("com_error", (Exception,), {})
    stand_ins["win32com.client"].__dict__["Dispatch"] = lambda *_: None
    stand_ins["win32com"].__dict__["client"] = stand_ins["win32com.client"]
    sys.modules.update(stand_ins)


if __name__ == "__main__":
    _write()
