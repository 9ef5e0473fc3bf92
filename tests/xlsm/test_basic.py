"""Our own VBA modules in LibreOffice Basic: they compile, and do what they say."""

from __future__ import annotations

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from templates.write.pack import parts_of, zipped
from tests.office import Office
from xl_addin.hosts.excel import package, project
from xl_addin.hosts.excel.ovba import Module, vba_project

_PROBE = """Option Explicit
Private Pressed As String

Public Function REBAL_PROBE(ByVal what As String) As Variant
    Dim block(1 To 2, 1 To 2) As Variant
    Dim flat(0 To 1) As Variant
    Dim result As Variant
    On Error GoTo bad
    Select Case what
        Case "scalar"
            REBAL_PROBE = RebalResult("#REBAL!VALUE")
        Case "text"
            REBAL_PROBE = RebalResult("plain")
        Case "flat"
            flat(1) = "#REBAL!NUM"
            result = RebalResult(flat)
            REBAL_PROBE = result(1)
        Case "block"
            block(1, 1) = "Ticker"
            block(2, 2) = "#REBAL!NUM"
            REBAL_PROBE = RebalResult(block)
        Case "failed"
            REBAL_PROBE = RebalFailed("why")
        Case "cause"
            result = RebalFailed("why")
            REBAL_PROBE = RebalLastFailure
        Case "tables"
            result = RebalTables("Start,Data")
            REBAL_PROBE = UBound(result, 1) & " x " & UBound(result, 2) & ": " & result(1, 1) & " " & result(1, 4)
        Case "cells"
            result = RebalTables("Data")
            REBAL_PROBE = result(2, 1) & " " & result(4, 3)
        Case "near"
            result = RebalCells(ThisWorkbook.Worksheets("Two"))
            REBAL_PROBE = UBound(result, 1) & " x " & UBound(result, 2) & ": " & result(3, 3) & " " & result(3, 6)
        Case "help"
            REBAL_PROBE = RebalRegister(ThisWorkbook.Worksheets("Two"))
        Case "ribbon"
            RebalRun "refresh"
            REBAL_PROBE = Pressed
    End Select
    Exit Function
bad:
    REBAL_PROBE = "error " & Err.Number & " " & Err.Description
End Function

Public Sub RunPython(ByVal command As String)
    Pressed = command
End Sub
"""
_CASES = ("scalar", "text", "flat", "failed", "cause", "tables", "cells", "near", "help", "ribbon")


def _workbook() -> bytes:
    """Return a workbook with our modules, without xlwings', and a cell for each case."""
    book = Workbook()
    book.code_name = "ThisWorkbook"
    one, two = book.worksheets[0], book.create_sheet("Two")
    one.title, one.sheet_properties.codeName, two.sheet_properties.codeName = "One", "Start", "Data"
    two["A1"], two["A2"], two["C3"] = "hello", "x", "=2+3"
    for row, case in enumerate(_CASES, 1):
        one.cell(row, 1).value = case
        one.cell(row, 2).value = f"=REBAL_PROBE(A{row})"
    one["B20"] = ArrayFormula("B20:C21", '=REBAL_PROBE("block")')
    parts = parts_of(book, {})
    modules = [
        Module("ThisWorkbook", "workbook", Module.parse(project.own_text("ThisWorkbook")).code),
        Module("Start", "sheet"),
        Module("Data", "sheet"),
        *(Module.parse(project.own_text(name)) for name in project.OWN),
        Module("Probe", "module", _PROBE),
    ]
    parts["xl/vbaProject.bin"] = vba_project(modules, project.PROJECT_ID)
    package.relate_project(parts)
    return zipped(parts)


@pytest.fixture(scope="module")
def shown(office: Office, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("basic") / "own.xlsm"
    path.write_bytes(_workbook())
    rows = office.ask("shown", path=str(path), sheet="One", area="A1:C21")
    block = "|".join(",".join(row[1:]) for row in rows[19:])
    return {**{row[0]: row[1] for row in rows[: len(_CASES)]}, "block": block}


@pytest.mark.parametrize(
    ("case", "cell"),
    [
        ("scalar", "Error 2015"),
        ("text", "plain"),
        ("flat", "Error 2036"),
        ("block", "Ticker,|,Error 2036"),
        ("failed", "Error 2042"),
        ("cause", "why"),
        ("tables", "22 x 6: One Two"),
        ("cells", "hello 5"),
        ("near", "3 x 6: 5 =2+3"),
        ("help", "1"),
        ("ribbon", "import xl_addin.commands; xl_addin.commands.press('refresh')"),
    ],
)
def test_own_modules_compile_and_answer_in_basic(shown: dict[str, str], case: str, cell: str) -> None:
    assert shown[case] == cell
