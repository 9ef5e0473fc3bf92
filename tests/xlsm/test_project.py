"""The VBA project, as independent readers see it."""

from __future__ import annotations

import io
import re

import olefile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.words import LANGUAGES, say
from tests.project_readers import decompress, read_modules
from xl_addin.functions import all_functions
from xl_addin.hosts.excel import project
from xl_addin.hosts.excel.ovba import Module, compound_file, compress, vba_project
from xl_addin.hosts.excel.project import wrappers as make_wrappers
from xl_addin.hosts.excel.ribbon import GROUPS, buttons, ribbon

_LINES = st.lists(st.text(st.characters(codec="cp1252", exclude_characters="\r\n"), max_size=90), max_size=150)
#: Words that VBA does not take as the name of an argument.
_RESERVED = frozenset(
    word
    for line in (
        "and as boolean byref byval call case const date declare dim do double each else end enum error exit for",
        "function get global goto if implements in integer is let like long loop me mod new next not nothing null",
        "object on option optional or paramarray preserve print private public redim resume return select set single",
        "static step stop string sub then to true type until variant wend while with xor",
    )
    for word in line.split()
)


@pytest.fixture(scope="module")
def wrappers() -> str:
    return make_wrappers()


@given(_LINES)
def test_any_text_comes_back_from_its_compression(lines: list[str]) -> None:
    data = "\r\n".join(lines).encode("cp1252")
    assert decompress(compress(data)) == data


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 511, 512, 4095, 4096, 4097, 70_000])
def test_a_stream_of_any_size_comes_back_from_a_compound_file(size: int) -> None:
    content = bytes(n % 251 for n in range(size))
    data = compound_file({"A": content, "folder": {"B": content, "a longer name": b"x"}})
    with olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_UNSURE) as read:
        assert read.openstream("A").read() == content
        assert read.openstream(["folder", "B"]).read() == content
        assert read.openstream(["folder", "a longer name"]).read() == b"x"


def test_hundreds_of_streams_are_found() -> None:
    tree = {f"stream {number}": str(number).encode() for number in range(300)}
    with olefile.OleFileIO(io.BytesIO(compound_file(tree)), raise_defects=olefile.DEFECT_UNSURE) as read:
        assert {name: read.openstream(name).read() for name in tree} == tree


def test_a_name_of_a_stream_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="31"):
        compound_file({"x" * 32: b""})


def test_a_module_must_say_its_name() -> None:
    with pytest.raises(ValueError, match="VB_Name"):
        Module.parse("Option Explicit\n")


def test_a_module_holds_no_character_that_vba_has_not() -> None:
    with pytest.raises(UnicodeEncodeError):
        vba_project([Module("A", "module", 'x = "한글"')], project.PROJECT_ID)


def test_olefile_finds_nothing_wrong_in_the_project(parts: dict[str, bytes]) -> None:
    with olefile.OleFileIO(io.BytesIO(parts["xl/vbaProject.bin"]), raise_defects=olefile.DEFECT_UNSURE) as read:
        assert read.parsing_issues == []
        assert ["VBA", "dir"] in read.listdir()


def test_olevba_reads_every_module_as_it_was_written(parts: dict[str, bytes]) -> None:
    read = read_modules(parts["xl/vbaProject.bin"])
    codes = re.findall(rb'<sheetPr[^>]* codeName="(\w+)"', b"".join(parts[name] for name in sorted(parts)))
    modules = project.modules([code.decode() for code in codes])
    extension = {"module": "bas"}
    for module in modules:
        code = read[f"{module.name}.{extension.get(module.kind, 'cls')}"]
        assert code.splitlines() == module.source.decode("cp1252").splitlines(), module.name
    assert len(read) == len(modules)


def test_xlwings_modules_are_the_installed_ones(parts: dict[str, bytes]) -> None:
    read = read_modules(parts["xl/vbaProject.bin"])
    installed = project.foreign_text("xlwings.bas")
    assert read["xlwings.bas"].replace("\r\n", "\n").split("\n", 1)[1].strip() == installed.split("\n", 1)[1].strip()
    assert "Zoomer Analytics" in read["xlwings.bas"]
    assert "Tim Hall" in read["Dictionary.cls"]


def test_every_function_of_the_registry_has_a_wrapper_of_its_public_name(wrappers: str) -> None:
    found = re.findall(r"^Function (\w+)\(", wrappers, re.MULTILINE)
    assert sorted(found) == sorted(spec.name for spec in all_functions())


def test_a_wrapper_calls_its_python_function_and_turns_tokens_into_errors(wrappers: str) -> None:
    for spec in all_functions():
        body = re.search(rf"^Function {spec.name}\(.*?^End Function$", wrappers, re.MULTILINE | re.DOTALL)
        assert body is not None
        calls = [line for line in body[0].splitlines() if "CallUDF" in line]
        assert calls
        for line in calls:
            assert f'{spec.name} = RebalResult(XLPy.CallUDF("xl_addin.functions", "{spec.python}"' in line
        assert f"{spec.name} = RebalFailed(Err.Description)" in body[0]


def test_only_a_call_without_ranges_reads_the_workbook_and_is_volatile(wrappers: str) -> None:
    for spec in all_functions():
        body = re.search(rf"^Function {spec.name}\(.*?^End Function$", wrappers, re.MULTILINE | re.DOTALL)
        assert body is not None
        assert ("Application.Volatile" in body[0]) == bool(spec.sheets)
        assert ("RebalTables" in body[0]) == bool(spec.sheets)
        for name in spec.ranges:
            assert f"IsMissing({name})" in body[0].split("Application.Volatile")[0]
        if spec.sheets:
            assert f'RebalTables("{",".join(spec.sheets)}")' in body[0]


def test_an_error_on_the_way_to_the_workbooks_tables_has_its_cause_kept(wrappers: str) -> None:
    for spec in all_functions():
        body = re.search(rf"^Function {spec.name}\(.*?^End Function$", wrappers, re.MULTILINE | re.DOTALL)
        assert body is not None
        for reading in ("RebalTables(", "RebalNear("):
            if reading in body[0]:
                assert "On Error GoTo failed" in body[0].partition(reading)[0]


def test_a_price_tells_what_stands_near_it(wrappers: str) -> None:
    for spec in all_functions():
        body = re.search(rf"^Function {spec.name}\(.*?^End Function$", wrappers, re.MULTILINE | re.DOTALL)
        assert body is not None
        assert ("near = RebalNear()" in body[0]) == spec.near
        for line in body[0].splitlines():
            if "CallUDF" in line:
                assert bool(re.search(r"\bnear\b", line)) == spec.near


def test_no_argument_has_a_name_that_vba_refuses_and_none_is_the_hosts_own(wrappers: str) -> None:
    for parameters in re.findall(r"^Function \w+\((.*)\)", wrappers, re.MULTILINE):
        names = [parameter.removeprefix("Optional ") for parameter in parameters.split(", ") if parameter]
        assert not _RESERVED & {name.lower() for name in names}
        assert not {"tables", "near"} & set(names)


def test_every_callback_of_the_ribbon_is_a_sub_of_our_modules() -> None:
    text = "".join(project.own_text(name) for name in project.OWN)
    subs = set(re.findall(r"^Public Sub (\w+)\(control As IRibbonControl\)", text, re.MULTILINE))
    for lang in ("en", "ko"):
        assert set(re.findall(r'onAction="(\w+)"', ribbon(lang))) <= subs


def test_the_ribbon_has_its_texts_in_both_languages_and_keys_that_differ() -> None:
    for button in buttons():
        assert all(say(f"ribbon.{button.command}{what}", lang) for what in ("", ".tip") for lang in LANGUAGES)
    top = [item.key for group in GROUPS for item in group.items]
    assert len(set(top)) == len(top)
    assert any("가" <= letter <= "힣" for letter in ribbon("ko"))
    assert not any("가" <= letter <= "힣" for letter in ribbon("en"))
