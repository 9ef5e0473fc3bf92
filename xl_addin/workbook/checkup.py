"""What Excel needs, checked one by one, each with its repair in a sentence."""

from __future__ import annotations

import re
import struct
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from xl_addin.verbs.doctor import Check
from xl_addin.workbook.setup import Setup, read_config, this_setup

_OFFICE = r"SOFTWARE\Microsoft\Office"
_CLICK_TO_RUN = (f"HKLM\\{_OFFICE}\\ClickToRun\\Configuration", "Platform")
_EXCEL = (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe", "")
#: Settings of macros: the administrator's beats the person's own. 4 blocks them all without asking.
_MACROS = (
    (r"HKCU\Software\Policies\Microsoft\Office\16.0\Excel\Security", "VBAWarnings"),
    (r"HKCU\Software\Microsoft\Office\16.0\Excel\Security", "VBAWarnings"),
)
_BLOCKED = 4
#: Zones of downloads; a file of theirs has its macros blocked.
_FOREIGN_ZONES = re.compile(r"ZoneId=[34]")
_VERSION = re.compile(rb">XLWINGS VERSION<.{0,120}?>([0-9][0-9.]*)<", re.DOTALL)


class Registry:
    """Read the Windows registry; elsewhere there is none."""

    def value(self, key: str, name: str) -> object:
        """Return a value, or None where it is not there."""
        try:
            import winreg
        except ImportError:
            return None
        hives = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER"}
        hive, _, path = key.partition("\\")
        try:
            with vars(winreg)["OpenKey"](vars(winreg)[hives[hive]], path) as opened:
                return vars(winreg)["QueryValueEx"](opened, name)[0]
        except OSError:
            return None


@dataclass(frozen=True, slots=True)
class Computer:
    """Hold what the checks look at; the tests put another computer here."""

    setup: Setup = field(default_factory=this_setup)
    registry: Registry = field(default_factory=Registry)
    prefix: Path = field(default_factory=lambda: Path(sys.prefix))
    bits: int = struct.calcsize("P") * 8

    def zone(self, path: Path) -> str:
        """Return the mark that a browser put on a file, "" where there is none."""
        try:
            return Path(f"{path}:Zone.Identifier").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def excel_checks(workbook: Path | None, computer: Computer | None = None) -> Iterator[Check]:
    """Check Excel, the configuration, the library that connects both, macros, and the workbook."""
    computer = computer or Computer()
    setup = computer.setup
    if not setup.excel_runs_here:
        yield Check("Excel", "note", f"there is none for {setup.platform}", "use LibreOffice or the command line here")
    else:
        yield _configuration(setup)
    if setup.platform == "win32":
        yield from _windows(computer)
    elif setup.platform == "darwin":
        yield _script(setup)
    if workbook is not None:
        yield from _workbook(workbook, computer)


def _configuration(setup: Setup) -> Check:
    found = read_config(setup)
    wrong = [key for key, value in setup.entries.items() if found.get(key) != value]
    if not wrong:
        return Check("xlwings configuration", "ok", f"{setup.config} names this Python")
    there = found.get(wrong[0])
    message = f"{setup.config} names {there}, not this Python" if there else f"{setup.config} names no Python"
    return Check("xlwings configuration", "wrong", message, "run `rebalancer install`")


def _windows(computer: Computer) -> Iterator[Check]:
    platform = computer.registry.value(*_CLICK_TO_RUN)
    if platform is None and computer.registry.value(*_EXCEL) is None:
        yield Check("Excel", "wrong", "no Excel is installed", "install Excel, or use the command line")
        return
    excel = {"x64": 64, "x86": 32}.get(str(platform), computer.bits)
    yield Check("Excel", "ok", f"{excel} bits")
    name = f"xlwings{excel}-{metadata.version('xlwings')}.dll"
    if (computer.prefix / name).is_file():
        yield Check("xlwings library", "ok", name)
    else:
        message = f"{name} is not in {computer.prefix}"
        yield Check("xlwings library", "wrong", message, "run `python -m uv sync --reinstall-package xlwings`")
    settings = [value for key in _MACROS if (value := computer.registry.value(*key)) is not None]
    if settings and settings[0] == _BLOCKED:
        repair = "File > Options > Trust Center > Macro Settings: disable with notification; then Enable Content"
        yield Check("macros", "wrong", "Excel blocks every macro without asking", repair)
    else:
        yield Check("macros", "ok", "Excel asks, or allows them")


def _script(setup: Setup) -> Check:
    if setup.script is not None and setup.script.is_file():
        return Check("Excel's script", "ok", str(setup.script))
    return Check("Excel's script", "wrong", f"there is no {setup.script}", "run `rebalancer install`")


def _workbook(path: Path, computer: Computer) -> Iterator[Check]:
    try:
        with zipfile.ZipFile(path) as archive:
            sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    except (OSError, zipfile.BadZipFile) as error:
        yield Check("workbook", "wrong", f"{path} cannot be read ({error})", "name a workbook with macros")
        return
    match = next((found for data in sheets if (found := _VERSION.search(data))), None)
    installed = metadata.version("xlwings")
    if match is None:
        repair = "start from rebalancer.xlsm, or `rebalancer new --macros`"
        yield Check("workbook", "wrong", f"{path.name} has no macros of ours", repair)
    elif (version := match[1].decode()) != installed:
        message = f"{path.name} is made for xlwings {version}, installed is {installed}"
        yield Check("workbook", "wrong", message, "run `python -m uv sync`, or take a new rebalancer.xlsm")
    else:
        yield Check("workbook", "ok", f"{path.name} is made for xlwings {version}, which is installed")
    if _FOREIGN_ZONES.search(computer.zone(path)):
        repair = "right-click the file > Properties > Unblock > OK, then open it again"
        yield Check("mark of the web", "wrong", f"Windows blocks the macros of {path.name}: it was downloaded", repair)
