"""What an installation needs, checked one by one, each with its repair: this Python, prices, Excel, a workbook."""

from __future__ import annotations

import datetime as dt
import os
import re
import struct
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path, PurePath, PureWindowsPath
from typing import Literal

from engine.errors import InputError
from engine.phrase import Phrase, phrase
from engine.settings import MarketSettings
from xl_addin.hosts.excel.setup import Setup, read_config, this_setup

Status = Literal["ok", "note", "wrong"]
#: Packages whose exact version a fact depends on.
PINNED = ("yfinance", "pykrx", "exchange_calendars", "xlwings")
#: Variables that lead the network elsewhere; their values may hold a password, so only their names are shown.
ROUTES = ("HTTPS_PROXY", "HTTP_PROXY", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
_OFFICE = r"SOFTWARE\Microsoft\Office"
_CLICK_TO_RUN = (f"HKLM\\{_OFFICE}\\ClickToRun\\Configuration", "Platform")
_EXCEL = (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe", "")
#: Settings of macros: the administrator's beats the person's own. 4 blocks them all without asking.
_MACROS = (
    (r"HKCU\Software\Policies\Microsoft\Office\16.0\Excel\Security", "VBAWarnings"),
    (r"HKCU\Software\Microsoft\Office\16.0\Excel\Security", "VBAWarnings"),
)
_BLOCKED = 4
#: An administrator's rule that files from the internet have no macros, whatever the person clicks.
_INTERNET = (r"HKCU\Software\Policies\Microsoft\Office\16.0\Excel\Security", "blockcontentexecutionfrominternet")
_SIGNED_ONLY = 3
#: Rules of Windows' virus protection that keep Office from what every add-in in another language does.
_PROTECTION = (
    r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules",
    {
        "92e97fa1-2edf-4476-bdd6-9dd0b4dddc7b": "checkup.rule-library",
        "d4f940ab-401b-4efc-aadc-ad5f3c50688a": "checkup.rule-program",
    },
)
_GUARDED = (
    r"HKLM\SOFTWARE\Microsoft\Windows Defender\Windows Defender Exploit Guard\Controlled Folder Access",
    "EnableControlledFolderAccess",
)
#: What synchronised folders are called, besides what Windows says of its own.
_SYNCHRONISED = ("onedrive", "dropbox", "google drive", "googledrive", "icloud drive", "mobile documents", "box sync")
_ONE_DRIVE = ("OneDrive", "OneDriveConsumer", "OneDriveCommercial")
#: Zones of downloads; a file of theirs has its macros blocked.
_FOREIGN_ZONES = re.compile(r"ZoneId=[34]")
_VERSION = re.compile(rb">XLWINGS VERSION<.{0,120}?>([0-9][0-9.]*)<", re.DOTALL)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing that was looked at: `note` is something that works without, `mend` is what a person can do."""

    title: str | Phrase
    status: Status
    message: str | Phrase
    mend: str | Phrase = ""


class Registry:
    """The Windows registry; elsewhere there is none."""

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
    """What Excel's checks look at; the tests put another computer here."""

    setup: Setup = field(default_factory=this_setup)
    registry: Registry = field(default_factory=Registry)
    prefix: Path = field(default_factory=lambda: Path(sys.prefix))
    bits: int = struct.calcsize("P") * 8
    base: Path = field(default_factory=lambda: Path(sys.base_prefix))
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def zone(self, path: Path) -> str:
        """Return the mark that a browser put on a file, "" where there is none."""
        try:
            return Path(f"{path}:Zone.Identifier").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def local_checks() -> Iterator[HealthCheck]:
    """Check what can be checked without a network."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield HealthCheck("python", "ok", f"{version}, {sys.executable}")
    yield _packages()
    try:
        settings = MarketSettings.from_environment(os.environ)
    except InputError as error:
        for problem in error.problems:
            yield HealthCheck(problem.where, "wrong", problem.message, phrase("checkup.mend-variable"))
        settings = MarketSettings()
    yield _store(settings)
    yield _login()
    routes = tuple(name for name in ROUTES if os.environ.get(name))
    title = phrase("checkup.route")
    if routes:
        yield HealthCheck(title, "note", phrase("checkup.route-set", names=routes))
    else:
        yield HealthCheck(title, "ok", phrase("checkup.route-direct"))


def live_checks() -> Iterator[HealthCheck]:
    """Ask every source for one symbol."""
    from engine.market import probe
    from engine.market.chain import default

    market = default()
    now = dt.datetime.now(dt.UTC)
    for one in probe.probes(market, now=now, seconds=market.settings.headless_deadline):
        title = phrase("checkup.source", source=one.source, what=one.what)
        yield HealthCheck(title, one.status, one.message, one.mend or "")


def _packages() -> HealthCheck:
    wanted = {}
    for line in metadata.requires("rebalancer") or ():
        name, _, version = line.partition("==")
        if name in PINNED:
            wanted[name] = version
    found = {name: _version(name) for name in wanted}
    title = phrase("checkup.packages")
    other = [
        phrase("checkup.other-package", name=name, found=found[name], wanted=wanted[name])
        for name in wanted
        if found[name] != wanted[name]
    ]
    if other:
        return HealthCheck(
            title, "wrong", phrase("checkup.other-packages", packages=other), phrase("checkup.mend-sync")
        )
    return HealthCheck(title, "ok", ", ".join(f"{name} {version}" for name, version in found.items()))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def _store(settings: MarketSettings) -> HealthCheck:
    from engine.market import store

    title = phrase("checkup.store")
    file = store.Store(store.folder(settings) / store.FILE)
    counts = file.counts()
    file.close()
    if file.problems:
        problem = file.problems[0]
        said = phrase("checkup.store-problem", where=problem.where, what=problem.message)
        return HealthCheck(title, "wrong", said, phrase("checkup.mend-store"))
    return HealthCheck(title, "ok", phrase("checkup.stored", path=str(file.path), count=counts.get("quotes", 0)))


def _login() -> HealthCheck:
    from rebalancer.quoting import login_needed

    title = phrase("checkup.login")
    if how := login_needed():
        return HealthCheck(title, "note", phrase("checkup.no-login"), how)
    return HealthCheck(title, "ok", phrase("checkup.login-set"))


def excel_checks(workbook: Path | None, computer: Computer | None = None) -> Iterator[HealthCheck]:
    """Check Excel, the configuration, the library that connects both, macros, and the workbook."""
    computer = computer or Computer()
    setup = computer.setup
    if not setup.excel_runs_here:
        said = phrase("checkup.no-excel-for", platform=setup.platform)
        yield HealthCheck("Excel", "note", said, phrase("checkup.mend-no-excel-for"))
    else:
        yield _configuration(setup)
        yield _place(computer)
    if setup.platform == "win32":
        yield from _windows(computer)
    elif setup.platform == "darwin":
        yield _script(setup)
    if workbook is not None:
        yield from _workbook(workbook, computer)


def _configuration(setup: Setup) -> HealthCheck:
    found = read_config(setup)
    wrong = [key for key, value in setup.entries.items() if found.get(key) != value]
    title, place = phrase("checkup.configuration"), str(setup.config)
    if not wrong:
        return HealthCheck(title, "ok", phrase("checkup.names-this", place=place))
    there = found.get(wrong[0])
    if not there:
        said = phrase("checkup.names-none", place=place)
    elif PureWindowsPath(there).drive and os.name != "nt":  # another system's path says nothing here
        said = phrase("checkup.names-other", place=place, other=there)
    else:
        gone = "" if Path(there).exists() else ".gone"
        said = phrase(f"checkup.names-other{gone}", place=place, other=there)
    return HealthCheck(title, "wrong", said, phrase("checkup.mend-install"))


def _place(computer: Computer) -> HealthCheck:
    """Check where this Python stands: neither in an archive, nor in a folder that is synchronised, nor the Store's."""
    title = phrase("checkup.place")
    parts = [part.casefold() for part in _parts(computer.prefix)]
    if any(part.endswith(".zip") for part in parts):
        said, mend = phrase("checkup.in-zip", place=str(computer.prefix)), phrase("checkup.mend-zip")
        return HealthCheck(title, "wrong", said, mend)
    if "windowsapps" in (part.casefold() for part in _parts(computer.base)):
        said, mend = phrase("checkup.store-python", place=str(computer.base)), phrase("checkup.mend-store-python")
        return HealthCheck(title, "wrong", said, mend)
    own = [computer.environ[name].casefold() for name in _ONE_DRIVE if computer.environ.get(name)]
    where = str(computer.prefix).casefold()
    named = any(part.startswith(name) for part in parts for name in _SYNCHRONISED)
    if named or any(where.startswith(folder) for folder in own):
        said, mend = phrase("checkup.synchronised", place=str(computer.prefix)), phrase("checkup.mend-synchronised")
        return HealthCheck(title, "note", said, mend)
    return HealthCheck(title, "ok", str(computer.prefix))


def _parts(path: Path) -> tuple[str, ...]:
    """Return the names in a path of this system or of Windows."""
    text = str(path)
    return PureWindowsPath(text).parts if "\\" in text else PurePath(text).parts


def _protection(computer: Computer) -> Iterator[HealthCheck]:
    """Check what of Windows' own protection keeps Office from starting Python, or Python from writing."""
    title, (key, rules) = phrase("checkup.protection"), _PROTECTION
    for rule, what in rules.items():
        if str(computer.registry.value(key, rule)) == "1":
            yield HealthCheck(title, "wrong", phrase(what), phrase("checkup.mend-rule", rule=rule.upper()))
    if str(computer.registry.value(*_GUARDED)) == "1":
        yield HealthCheck(title, "note", phrase("checkup.guarded"), phrase("checkup.mend-guarded"))


def _windows(computer: Computer) -> Iterator[HealthCheck]:
    platform = computer.registry.value(*_CLICK_TO_RUN)
    if platform is None and computer.registry.value(*_EXCEL) is None:
        yield HealthCheck("Excel", "wrong", phrase("checkup.no-excel"), phrase("checkup.mend-no-excel"))
        return
    excel = {"x64": 64, "x86": 32}.get(str(platform), computer.bits)
    yield HealthCheck("Excel", "ok", phrase("checkup.bits", bits=excel))
    library = phrase("checkup.library")
    name = f"xlwings{excel}-{metadata.version('xlwings')}.dll"
    if (computer.prefix / name).is_file():
        yield HealthCheck(library, "ok", name)
    else:
        said = phrase("checkup.no-library", name=name, folder=str(computer.prefix))
        yield HealthCheck(library, "wrong", said, phrase("checkup.mend-library"))
    yield _macros(computer)
    yield from _protection(computer)


def _macros(computer: Computer) -> HealthCheck:
    title = phrase("checkup.macros")
    company, own = (computer.registry.value(*key) for key in _MACROS)
    setting = own if company is None else company
    if company == _SIGNED_ONLY:
        return HealthCheck(title, "wrong", phrase("checkup.macros-signed"), phrase("checkup.mend-company"))
    if setting == _BLOCKED:
        mend = "checkup.mend-macros" if company is None else "checkup.mend-company"
        return HealthCheck(title, "wrong", phrase("checkup.macros-blocked"), phrase(mend))
    if str(computer.registry.value(*_INTERNET)) == "1":
        return HealthCheck(title, "note", phrase("checkup.macros-internet"), phrase("checkup.mend-internet"))
    return HealthCheck(title, "ok", phrase("checkup.macros-ok"))


def _script(setup: Setup) -> HealthCheck:
    title = phrase("checkup.script")
    if setup.script is not None and setup.script.is_file():
        return HealthCheck(title, "ok", str(setup.script))
    said = phrase("checkup.no-script", path=str(setup.script))
    return HealthCheck(title, "wrong", said, phrase("checkup.mend-install"))


def _workbook(path: Path, computer: Computer) -> Iterator[HealthCheck]:
    title, name = phrase("checkup.workbook"), path.name
    try:
        with zipfile.ZipFile(path) as archive:
            sheets = [archive.read(part) for part in archive.namelist() if part.startswith("xl/worksheets/sheet")]
    except (OSError, zipfile.BadZipFile) as error:
        said = phrase("checkup.unreadable", path=str(path), reason=str(error))
        yield HealthCheck(title, "wrong", said, phrase("checkup.mend-unreadable"))
        return
    match = next((found for data in sheets if (found := _VERSION.search(data))), None)
    installed = metadata.version("xlwings")
    if match is None:
        yield HealthCheck(title, "wrong", phrase("checkup.no-macros", name=name), phrase("checkup.mend-no-macros"))
    elif (version := match[1].decode()) != installed:
        said = phrase("checkup.other-xlwings", name=name, version=version, installed=installed)
        yield HealthCheck(title, "wrong", said, phrase("checkup.mend-other-xlwings"))
    else:
        yield HealthCheck(title, "ok", phrase("checkup.same-xlwings", name=name, version=version))
    if _FOREIGN_ZONES.search(computer.zone(path)):
        said = phrase("checkup.downloaded", name=name)
        yield HealthCheck(phrase("checkup.mark"), "wrong", said, phrase("checkup.mend-downloaded"))
