"""The workbook's VBA project: our modules, the functions' wrappers, and what of xlwings they need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources, util
from pathlib import Path

from xl_addin.hosts.excel.ovba import Module, vba_project
from xl_addin.hosts.excel.wrappers import wrappers

#: Our own modules; `ThisWorkbook` is the workbook's.
OWN = ("RebalErrors", "RebalHelp", "RebalRibbon", "RebalSheets")
WORKBOOK = "ThisWorkbook"
#: Of the xlwings package (BSD-3), and within it VBA-Dictionary (MIT).
FOREIGN = ("xlwings.bas", "addin/Dictionary.cls")
#: Any; the same in every build.
PROJECT_ID = "{5D1C7A30-9B42-4E5B-8E0C-2B6A7C1F4D90}"


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
        Module.parse(_wrappers()),
        *(Module.parse(foreign_text(name)) for name in FOREIGN),
    )


def project(sheets: Sequence[str]) -> bytes:
    """Return vbaProject.bin for a workbook with these worksheets."""
    return vba_project(modules(sheets), PROJECT_ID)


@cache
def _wrappers() -> str:
    return wrappers()
