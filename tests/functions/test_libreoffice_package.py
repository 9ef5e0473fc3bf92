"""The extension for LibreOffice: the same bytes each time, every function described, no path but its Python's."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from engine.errors import InputError
from engine.words import LANGUAGES, say
from rebalancer.office import environment
from xl_addin.functions import all_functions
from xl_addin.hosts.excel import ribbon
from xl_addin.hosts.libreoffice import extension
from xl_addin.hosts.libreoffice.document import Application, Ask
from xl_addin.hosts.libreoffice.extension import PROTOCOL, TOOLBAR, build_oxt, in_file, install, method, parameter

OOR = "{http://openoffice.org/2001/registry}"


def parts() -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(build_oxt("the-python"))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_two_builds_are_the_same_bytes() -> None:
    assert build_oxt("a-python") == build_oxt("a-python")


def test_every_function_and_argument_is_described_in_both_languages() -> None:
    tree = ET.fromstring(parts()["CalcAddIn.xcu"])
    nodes = {node.get(f"{OOR}name"): node for node in tree.iter("node")}
    for spec in all_functions():
        node = nodes[method(spec)]
        texts = {value.text for value in node.iter("value")}
        assert {spec.name, spec.help("en"), spec.help("ko")} <= texts
        inside = {one.get(f"{OOR}name") for one in node.iter("node")}
        assert {parameter(argument) for argument in spec.arguments} <= inside


def test_every_declared_part_is_there() -> None:
    found = parts()
    for line in found["META-INF/manifest.xml"].splitlines():
        if "full-path=" in line:
            assert line.split('full-path="')[1].split('"')[0] in found


def test_only_the_settings_name_an_interpreter() -> None:
    assert [name for name, text in parts().items() if "the-python" in text] == ["rebalancer.json"]


def test_settings_know_which_functions_read_the_document() -> None:
    settings = json.loads(parts()["rebalancer.json"])["functions"]
    assert settings["trades"]["ranges"] == [0, 1, 2, 3]
    assert "보유" in settings["trades"]["sheets"]
    assert settings["price"]["sheets"] == []


def test_add_in_needs_no_newer_python_than_libreoffice_has() -> None:
    assert "match " not in parts()["rebalancer_addin.py"]
    compile(parts()["rebalancer_addin.py"], "addin", "exec", dont_inherit=True)


def test_names_in_a_file_are_the_services() -> None:
    assert in_file('=REBAL_CORREL_ALERTS(A1:A3;5)&REBAL_FX("USDKRW")&OTHER(1)') == (
        '=REBAL.CORRELALERTS(A1:A3;5)&REBAL.FX("USDKRW")&OTHER(1)'
    )


def test_methods_are_all_different() -> None:
    assert len({method(spec) for spec in all_functions()}) == len(all_functions())


def test_child_answers_a_call_per_line() -> None:
    calls = [
        {"name": "REBAL_WEIGHTS", "arguments": ["equal", [["Ticker"], ["QQQ"], ["VTI"]]]},
        {"name": "REBAL_PRICE", "arguments": [69500.0, None]},
    ]
    lines = "".join(json.dumps(one) + "\n" for one in calls)
    command = [sys.executable, "-m", "xl_addin.hosts.libreoffice.serve"]
    done = subprocess.run(command, input=lines.encode(), capture_output=True, check=True)
    answers = [json.loads(line)["answer"] for line in done.stdout.splitlines()]
    assert answers == [[["Ticker", "Sector", "Weight"], ["QQQ", "", 0.5], ["VTI", "", 0.5]], "#REBAL!VALUE"]


def test_dry_run_says_what_would_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "unopkg_command", lambda: "unopkg")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("something was run"))
    assert sys.executable in str(install(dry_run=True))


def test_without_libreoffice_the_repair_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "unopkg_command", lambda: None)
    with pytest.raises(InputError, match="install it and try again"):
        install()


def test_refusal_of_the_package_tool_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "unopkg"
    tool.write_text("#!/bin/sh\necho it is open >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setattr(extension, "unopkg_command", lambda: str(tool))
    with pytest.raises(InputError, match=r"it is open.*close LibreOffice"):
        install(prefix=("env",))


def test_trades_return_rows_and_a_price_one_value() -> None:
    settings = json.loads(parts()["rebalancer.json"])["functions"]
    assert settings["trades"]["table"]
    assert settings["correl"]["table"]
    assert not settings["price"]["table"]


def test_every_button_is_in_the_menu_in_both_languages() -> None:
    tree = ET.fromstring(parts()["Addons.xcu"])
    addresses = [value.text for prop in tree.iter("prop") if prop.get(f"{OOR}name") == "URL" for value in prop]
    texts = {value.text for value in tree.iter("value")}
    for button in ribbon.buttons():
        assert f"{PROTOCOL}{button.command}" in addresses
        assert {say(f"ribbon.{button.command}", lang) for lang in LANGUAGES} <= texts


def test_the_toolbar_has_the_buttons_of_every_day() -> None:
    tree = ET.fromstring(parts()["Addons.xcu"])
    (bar,) = [node for node in tree.iter("node") if node.get(f"{OOR}name") == "OfficeToolBar"]
    addresses = [value.text for prop in bar.iter("prop") if prop.get(f"{OOR}name") == "URL" for value in prop]
    assert addresses == [f"{PROTOCOL}{command}" for command in TOOLBAR]


def test_libreoffice_is_run_where_it_finds_the_python_of_the_system() -> None:
    given = {"PATH": "/home/me/.venv/bin:/usr/bin:/bin", "VIRTUAL_ENV": "/home/me/.venv", "HOME": "/home/me"}
    assert environment(given) == {"PATH": "/usr/bin:/bin:/home/me/.venv/bin", "HOME": "/home/me"}


def test_the_package_tool_runs_in_a_folder_that_whoever_runs_it_may_enter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool, told = tmp_path / "unopkg", tmp_path / "told"
    lines = ("#!/bin/sh", "pwd -P", "for last; do :; done", 'dirname "$last"', "stat -c %a .")
    tool.write_text("\n".join((lines[0], f"exec > {told}", *lines[1:], "")))
    tool.chmod(0o755)
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    monkeypatch.chdir(own)
    monkeypatch.setattr(extension, "unopkg_command", lambda: str(tool))
    install(prefix=("env",))
    folder, of_extension, rights = told.read_text().split()
    assert folder == str(Path(of_extension).resolve()) != str(own)
    assert rights == "755"


def test_an_answer_counts_for_its_own_question_alone() -> None:
    given = [["Keep A?", "yes"]]
    assert Application(given).alert("Keep A?", buttons="yes_no_cancel") == "yes"
    with pytest.raises(Ask, match="Keep B"):
        Application(given).alert("Keep B?", buttons="yes_no_cancel")
    assert Application(["no", "yes"]).alert("Keep B?", buttons="yes_no_cancel") == "no"
