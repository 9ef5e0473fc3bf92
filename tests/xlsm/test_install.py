"""Pointing Excel at this Python, and saying what is missing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import xlwings

from engine.errors import InputError
from engine.phrase import Phrase, phrase
from templates.read.book import read_book
from xl_addin.checkup import Computer, HealthCheck, Registry, excel_checks
from xl_addin.cli import main
from xl_addin.hosts.excel import setup as setups
from xl_addin.hosts.excel.setup import Setup, config_text, read_config, remove_config, write_config

PYTHON = r"C:\Users\kim\rebalancer\.venv\Scripts\python.exe"
DLL = f"xlwings64-{xlwings.__version__}.dll"


class FakeRegistry(Registry):
    def __init__(self, **values: object) -> None:
        self.values = values

    def value(self, key: str, name: str) -> object:
        del key
        return self.values.get(name or "Default")


class FakeComputer(Computer):
    def zone(self, path: Path) -> str:
        return "[ZoneTransfer]\nZoneId=3\n" if path.name.startswith("downloaded") else ""


@pytest.fixture
def windows(tmp_path: Path) -> Setup:
    return Setup("win32", tmp_path, PYTHON)


@pytest.fixture
def computer(windows: Setup, tmp_path: Path) -> Computer:
    write_config(windows)
    (tmp_path / DLL).touch()
    return FakeComputer(windows, FakeRegistry(Platform="x64"), tmp_path, 64)


def wrong(found: list[HealthCheck]) -> list[str]:
    return [str(check.title) for check in found if check.status == "wrong"]


def test_the_configuration_names_this_python_in_the_form_that_vba_reads(windows: Setup) -> None:
    assert write_config(windows) == [windows.home / ".xlwings" / "xlwings.conf"]
    assert windows.config.read_text() == f'"INTERPRETER_WIN","{PYTHON}"\n'


def test_other_keys_of_the_person_stay_and_the_file_of_before_is_kept(windows: Setup) -> None:
    windows.config.parent.mkdir()
    before = '"SHOW CONSOLE","True"\n"INTERPRETER_WIN","old.exe"\n'
    windows.config.write_text(before)
    write_config(windows)
    assert read_config(windows) == {"SHOW CONSOLE": "True", "INTERPRETER_WIN": PYTHON}
    assert windows.config.with_suffix(".conf.bak").read_text() == before


def test_writing_twice_gives_the_same_file(windows: Setup) -> None:
    write_config(windows)
    text = config_text(windows)
    write_config(windows)
    assert windows.config.read_text() == text
    assert not windows.config.with_suffix(".conf.bak").exists()


def test_a_mac_gets_its_configuration_and_the_script_that_starts_python(tmp_path: Path) -> None:
    mac = Setup("darwin", tmp_path, "/opt/rebalancer/bin/python")
    config, script = write_config(mac)
    assert config.read_text() == '"INTERPRETER_MAC","/opt/rebalancer/bin/python"\n'
    assert script.parent.name == "com.microsoft.Excel"
    assert "VbaHandler" in script.read_text(errors="replace")
    assert wrong(list(excel_checks(None, Computer(mac)))) == []


def test_a_folder_that_cannot_be_written_is_a_problem(windows: Setup) -> None:
    (windows.home / ".xlwings").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        write_config(windows)


def test_install_writes_nothing_where_there_is_no_excel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("xl_addin.hosts.excel.setup.this_setup", lambda: Setup("linux", tmp_path, "/usr/bin/python"))
    assert main(["install"]) == 0
    assert "nothing is written" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_shows_what_would_be_written(
    monkeypatch: pytest.MonkeyPatch, windows: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("xl_addin.hosts.excel.setup.this_setup", lambda: windows)
    assert main(["install", "--dry-run"]) == 0
    assert PYTHON in capsys.readouterr().out
    assert not windows.config.exists()
    assert main(["install"]) == 0
    assert windows.config.exists()


def test_nothing_is_wrong_on_a_computer_that_is_set_up(computer: Computer, xlsm: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rebalancer.xlsm"
    path.write_bytes(xlsm)
    found = list(excel_checks(path, computer))
    assert wrong(found) == []
    assert [str(check.title) for check in found] == [
        "xlwings configuration",
        "program's folder",
        "Excel",
        "xlwings library",
        "macros",
        "workbook",
    ]


def test_a_configuration_of_another_python_is_found(computer: Computer) -> None:
    computer.setup.config.write_text('"INTERPRETER_WIN","other.exe"\n')
    assert wrong(list(excel_checks(None, computer))) == ["xlwings configuration"]


def test_a_missing_excel_is_found(windows: Setup, tmp_path: Path) -> None:
    write_config(windows)
    assert wrong(list(excel_checks(None, FakeComputer(windows, FakeRegistry(), tmp_path, 64)))) == ["Excel"]


def test_excel_of_other_bits_wants_its_own_library(windows: Setup, tmp_path: Path) -> None:
    write_config(windows)
    (tmp_path / DLL).touch()
    found = list(excel_checks(None, FakeComputer(windows, FakeRegistry(Platform="x86"), tmp_path, 64)))
    assert wrong(found) == ["xlwings library"]


def test_macros_that_excel_blocks_are_found(windows: Setup, tmp_path: Path) -> None:
    write_config(windows)
    (tmp_path / DLL).touch()
    registry = FakeRegistry(Platform="x64", VBAWarnings=4)
    assert wrong(list(excel_checks(None, FakeComputer(windows, registry, tmp_path, 64)))) == ["macros"]


def test_a_downloaded_workbook_is_found_with_its_repair(computer: Computer, xlsm: bytes, tmp_path: Path) -> None:
    path = tmp_path / "downloaded.xlsm"
    path.write_bytes(xlsm)
    (mark,) = [check for check in excel_checks(path, computer) if check.status == "wrong"]
    assert str(mark.title) == "mark of the web"
    assert "Unblock" in str(mark.mend)


def test_a_workbook_of_another_version_of_xlwings_is_found(
    computer: Computer, xlsm: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rebalancer.xlsm"
    path.write_bytes(xlsm)
    monkeypatch.setattr("xl_addin.checkup.metadata.version", lambda _name: "0.99.0")
    assert "workbook" in wrong(list(excel_checks(path, computer)))


@pytest.mark.parametrize("content", [b"", b"no workbook"])
def test_what_is_no_workbook_is_said_to_be_none(computer: Computer, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xlsm"
    path.write_bytes(content)
    assert wrong(list(excel_checks(path, computer))) == ["workbook"]
    assert wrong(list(excel_checks(tmp_path / "none.xlsm", computer))) == ["workbook"]


def test_a_model_is_written_with_macros_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "growth.xlsm"
    assert main(["new", "growth", "--macros", "-o", str(path)]) == 0
    book = read_book(path)
    assert book.portfolio is not None
    assert [check.status for check in excel_checks(path, Computer(Setup("linux", tmp_path, "python")))] == [
        "note",
        "ok",
    ]


def test_a_workbook_with_macros_ends_in_xlsm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "growth", "--macros", "-o", str(tmp_path / "growth.xlsx")]) == 2
    assert ".xlsm" in capsys.readouterr().err


@pytest.mark.slow
def test_libreoffice_gets_its_extension_and_a_workbook_that_uses_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[bool] = []

    def install(*, dry_run: bool) -> Phrase:
        asked.append(dry_run)
        return phrase("libreoffice-done", python="a Python")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("xl_addin.hosts.libreoffice.extension.install", install)
    assert main(["install", "--libreoffice", "--dry-run"]) == 0
    assert list(tmp_path.iterdir()) == []
    assert main(["install", "--libreoffice"]) == 0
    assert asked == [True, False]
    assert read_book(tmp_path / "rebalancer.ods").portfolio is not None
    assert "rebalancer.ods" in capsys.readouterr().out


def test_this_setup_is_of_the_running_python() -> None:
    import sys

    assert setups.this_setup().interpreter == sys.executable


def there(computer: Computer, tmp_path: Path, **changed: object) -> list[HealthCheck]:
    """Return what is found on the computer with something else about it."""
    (tmp_path / DLL).touch()
    return list(excel_checks(None, replace(computer, **changed)))  # type: ignore[arg-type]


def status_of(found: list[HealthCheck], title: str) -> str:
    return next(check.status for check in found if str(check.title) == title)


def test_a_python_that_was_moved_away_is_found(tmp_path: Path) -> None:
    setup = Setup("darwin", tmp_path, str(tmp_path / "new" / "python"))
    write_config(replace(setup, interpreter=str(tmp_path / "old" / "python")))
    found = list(excel_checks(None, Computer(setup)))
    assert any("moved or deleted" in str(check.message) for check in found)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"prefix": Path(r"C:\Users\kim\AppData\Local\Temp\Temp1_rebalancer.zip\.venv")}, "wrong"),
        ({"base": Path(r"C:\Program Files\WindowsApps\PythonSoftwareFoundation.Python.3.12")}, "wrong"),
        ({"prefix": Path(r"C:\Users\kim\OneDrive - Firm\rebalancer\.venv")}, "note"),
        ({"prefix": Path(r"D:\Sync\r\.venv"), "environ": {"OneDriveCommercial": r"D:\Sync"}}, "note"),
        ({"prefix": Path(r"C:\Users\kim\rebalancer\.venv")}, "ok"),
    ],
)
def test_the_programs_folder_is_looked_at(
    computer: Computer, tmp_path: Path, changed: dict[str, object], status: str
) -> None:
    assert status_of(there(computer, tmp_path, **changed), "program's folder") == status


@pytest.mark.parametrize(
    ("values", "title", "status"),
    [
        ({"VBAWarnings": 3}, "macros", "wrong"),
        ({"VBAWarnings": 2}, "macros", "ok"),
        ({"blockcontentexecutionfrominternet": 1}, "macros", "note"),
        ({"92e97fa1-2edf-4476-bdd6-9dd0b4dddc7b": "1"}, "virus protection", "wrong"),
        ({"d4f940ab-401b-4efc-aadc-ad5f3c50688a": 1}, "virus protection", "wrong"),
        ({"EnableControlledFolderAccess": 1}, "virus protection", "note"),
    ],
)
def test_what_a_company_or_windows_forbids_is_found(
    computer: Computer, tmp_path: Path, values: dict[str, object], title: str, status: str
) -> None:
    registry = FakeRegistry(Platform="x64", **values)
    assert status_of(there(computer, tmp_path, registry=registry), title) == status


@pytest.mark.parametrize("before", ["", '"SHOW CONSOLE","True"\n'])
def test_what_install_wrote_is_taken_back(windows: Setup, before: str) -> None:
    windows.config.parent.mkdir()
    if before:
        windows.config.write_text(before)
    write_config(windows)
    assert remove_config(windows) == [windows.config]
    assert (windows.config.read_text() if windows.config.exists() else "") == before


def test_taking_back_what_is_not_there_changes_nothing(windows: Setup) -> None:
    assert remove_config(windows) == []


def test_a_mac_loses_the_script_too(tmp_path: Path) -> None:
    mac = Setup("darwin", tmp_path, "/usr/local/bin/python3")
    write_config(mac)
    assert mac.script in remove_config(mac)


def test_what_else_there_is_to_delete_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--remove", "--dry-run"]) == 0
    assert sys.prefix in capsys.readouterr().out
