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

from engine.text import Bilingual
from xl_addin.cli.doctor import Check
from xl_addin.hosts.excel.setup import Setup, read_config, this_setup

_OFFICE = r"SOFTWARE\Microsoft\Office"
_CLICK_TO_RUN = (f"HKLM\\{_OFFICE}\\ClickToRun\\Configuration", "Platform")
_EXCEL = (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe", "")
#: Settings of macros: the administrator's beats the person's own. 4 blocks them all without asking.
_MACROS = (
    (r"HKCU\Software\Policies\Microsoft\Office\16.0\Excel\Security", "VBAWarnings"),
    (r"HKCU\Software\Microsoft\Office\16.0\Excel\Security", "VBAWarnings"),
)
_BLOCKED = 4
_INSTALL = Bilingual("run `rebalancer install`", "`rebalancer install`을 실행하세요")
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
        said = Bilingual(f"there is none for {setup.platform}", f"{setup.platform}용 Excel은 없습니다")
        mend = Bilingual("use LibreOffice or the command line here", "여기서는 LibreOffice나 명령줄을 쓰세요")
        yield Check("Excel", "note", said, mend)
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
    title = Bilingual("xlwings configuration", "xlwings 설정")
    if not wrong:
        message = Bilingual(f"{setup.config} names this Python", f"{setup.config}: 이 Python으로 설정됨")
        return Check(title, "ok", message)
    there = found.get(wrong[0])
    message = Bilingual(f"{setup.config} names no Python", f"{setup.config}: 설정된 Python 없음")
    if there:
        ko = f"{setup.config}: 이 Python이 아닌 {there}"
        message = Bilingual(f"{setup.config} names {there}, not this Python", ko)
    return Check(title, "wrong", message, _INSTALL)


def _windows(computer: Computer) -> Iterator[Check]:
    platform = computer.registry.value(*_CLICK_TO_RUN)
    if platform is None and computer.registry.value(*_EXCEL) is None:
        mend = Bilingual("install Excel, or use the command line", "Excel을 설치하거나 명령줄을 쓰세요")
        yield Check("Excel", "wrong", Bilingual("no Excel is installed", "Excel이 설치되어 있지 않습니다"), mend)
        return
    excel = {"x64": 64, "x86": 32}.get(str(platform), computer.bits)
    yield Check("Excel", "ok", Bilingual(f"{excel} bits", f"{excel}비트"))
    library = Bilingual("xlwings library", "xlwings 라이브러리")
    name = f"xlwings{excel}-{metadata.version('xlwings')}.dll"
    if (computer.prefix / name).is_file():
        yield Check(library, "ok", name)
    else:
        message = Bilingual(f"{name} is not in {computer.prefix}", f"{computer.prefix}에 {name} 없음")
        command = "`python -m uv sync --reinstall-package xlwings`"
        yield Check(library, "wrong", message, Bilingual(f"run {command}", f"{command} 명령을 실행하세요"))
    settings = [value for key in _MACROS if (value := computer.registry.value(*key)) is not None]
    macros = Bilingual("macros", "매크로")
    if settings and settings[0] == _BLOCKED:
        repair = Bilingual(
            "File > Options > Trust Center > Macro Settings: disable with notification; then Enable Content",
            "파일 > 옵션 > 보안 센터 > 매크로 설정에서 알림이 있는 사용 안 함을 고른 뒤 콘텐츠 사용을 누르세요",
        )
        message = Bilingual("Excel blocks every macro without asking", "Excel이 묻지 않고 모든 매크로를 막습니다")
        yield Check(macros, "wrong", message, repair)
    else:
        yield Check(macros, "ok", Bilingual("Excel asks, or allows them", "Excel이 묻거나 허용합니다"))


def _script(setup: Setup) -> Check:
    title = Bilingual("Excel's script", "Excel 스크립트")
    if setup.script is not None and setup.script.is_file():
        return Check(title, "ok", str(setup.script))
    return Check(title, "wrong", Bilingual(f"there is no {setup.script}", f"{setup.script} 없음"), _INSTALL)


def _workbook(path: Path, computer: Computer) -> Iterator[Check]:
    title = Bilingual("workbook", "통합 문서")
    try:
        with zipfile.ZipFile(path) as archive:
            sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    except (OSError, zipfile.BadZipFile) as error:
        message = Bilingual(f"{path} cannot be read ({error})", f"{path}: 읽을 수 없습니다 ({error})")
        yield Check(title, "wrong", message, Bilingual("name a workbook with macros", "매크로 통합 문서를 적으세요"))
        return
    match = next((found for data in sheets if (found := _VERSION.search(data))), None)
    installed = metadata.version("xlwings")
    if match is None:
        repair = Bilingual(
            "start from rebalancer.xlsm, or `rebalancer new --macros`",
            "rebalancer.xlsm이나 `rebalancer new --macros`로 시작하세요",
        )
        message = Bilingual(f"{path.name} has no macros of ours", f"{path.name}: 이 도구의 매크로가 없습니다")
        yield Check(title, "wrong", message, repair)
    elif (version := match[1].decode()) != installed:
        message = Bilingual(
            f"{path.name} is made for xlwings {version}, installed is {installed}",
            f"{path.name}: xlwings {version}용인데 설치된 것은 {installed}입니다",
        )
        repair = Bilingual(
            "run `python -m uv sync`, or take a new rebalancer.xlsm",
            "`python -m uv sync`를 실행하거나 새 rebalancer.xlsm을 쓰세요",
        )
        yield Check(title, "wrong", message, repair)
    else:
        text = f"{path.name} is made for xlwings {version}, which is installed"
        yield Check(title, "ok", Bilingual(text, f"{path.name}: 설치된 xlwings {version}에 맞습니다"))
    if _FOREIGN_ZONES.search(computer.zone(path)):
        repair = Bilingual(
            "right-click the file > Properties > Unblock > OK, then open it again",
            "파일 오른쪽 클릭 > 속성 > 차단 해제 > 확인 뒤 다시 여세요",
        )
        message = Bilingual(
            f"Windows blocks the macros of {path.name}: it was downloaded",
            f"{path.name}: 내려받은 파일이라 Windows가 매크로를 막습니다",
        )
        yield Check(Bilingual("mark of the web", "다운로드 표시"), "wrong", message, repair)
