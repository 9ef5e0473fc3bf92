"""rebalancer.xlsm: what is in the package, and that the committed one is what its source gives."""

from __future__ import annotations

import datetime as dt
import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import olefile
import pytest
from openpyxl import load_workbook

from engine.market import chain
from rebalancer.samples import sample_portfolio, sample_quotes, sample_sources
from templates.read.book import read_book
from templates.spec.layout import BLOCK_ROW, FIRST_ROW, HEADER_ROW
from tests.project_readers import decompress
from xl_addin.cli import main
from xl_addin.functions import all_functions, function, plan, studies
from xl_addin.functions.cells import SHOWN
from xl_addin.functions.declaring import Function
from xl_addin.hosts.excel.package import FETCHED, FORMULAS, PLAN, sample_workbook
from xl_addin.hosts.excel.project import modules

COMMITTED = Path(__file__).resolve().parents[2] / "rebalancer.xlsm"
FOREIGN = ("xlwings", "Dictionary")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"


def called(formula: str) -> Function:
    """Return the function of ours that a formula calls."""
    (name,) = re.findall(r"REBAL_\w+", formula)
    return function(name)


def sheets(parts: dict[str, bytes]) -> dict[str, ET.Element]:
    return {name: ET.fromstring(data) for name, data in parts.items() if name.startswith("xl/worksheets/sheet")}


def test_the_committed_workbook_is_what_its_source_gives(xlsm: bytes) -> None:
    assert COMMITTED.read_bytes() == xlsm, "run `rebalancer build` and commit rebalancer.xlsm"


def test_a_second_build_gives_the_same_bytes(xlsm: bytes) -> None:
    assert sample_workbook() == xlsm


def test_check_passes_on_the_built_file_and_fails_on_any_other_byte(
    xlsm: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rebalancer.xlsm"
    path.write_bytes(xlsm)
    assert main(["build", "--check", "-o", str(path)]) == 0
    path.write_bytes(xlsm + b"\0")
    assert main(["build", "--check", "-o", str(path)]) == 1
    assert "rebalancer build" in capsys.readouterr().err
    path.unlink()
    assert main(["build", "--check", "-o", str(path)]) == 2


def test_every_spilling_formula_carries_its_dynamic_mark(parts: dict[str, bytes]) -> None:
    arrays, marked = set(), set()
    for name, root in sheets(parts).items():
        for cell in root.iter(f"{_MAIN}c"):
            formula = cell.find(f"{_MAIN}f")
            if formula is not None and formula.get("t") == "array":
                arrays.add((name, cell.get("r")))
            if cell.get("cm") == "1":
                marked.add((name, cell.get("r")))
    assert arrays == marked
    assert len(arrays) == len(FORMULAS)
    assert b'fDynamic="1"' in parts["xl/metadata.xml"]


def test_every_formula_has_a_cached_value(parts: dict[str, bytes]) -> None:
    for name, root in sheets(parts).items():
        for cell in root.iter(f"{_MAIN}c"):
            if cell.find(f"{_MAIN}f") is not None:
                value = cell.find(f"{_MAIN}v")
                assert value is not None, (name, cell.get("r"))
                assert value.text or cell.get("t") == "str", (name, cell.get("r"))
                assert cell.get("t") != "e", (name, cell.get("r"), value.text)


def test_a_spill_covers_the_headers_and_rows_of_its_function(xlsm: bytes) -> None:
    book = load_workbook(io.BytesIO(xlsm), data_only=True)
    formulas = load_workbook(io.BytesIO(xlsm))
    seen = []
    for sheet in formulas.worksheets:
        for anchor, area in sheet.array_formulae.items():
            text = sheet[anchor].value.text.removeprefix("=")
            spec = called(text)
            block = [[cell.value for cell in row] for row in book[sheet.title][area]]
            assert spec.columns is not None
            assert block[0][: len(spec.columns)] == list(spec.columns), text
            assert len(block) > 1, text
            assert all(block[0]), text
            assert all(any(value is not None for value in row) for row in block), text
            row, left = sheet[anchor].row, sheet[anchor].column
            assert row == HEADER_ROW
            after = [book[sheet.title].cell(FIRST_ROW + len(block) - 1, left + n).value for n in range(len(block[0]))]
            assert not any(after), text  # what stands below would stop the spill
            seen.append(text)
    assert sorted(seen) == sorted(FORMULAS.values())


@pytest.mark.parametrize(("name", "formula"), [("Trades", FORMULAS["Trades"]), ("Drift", FORMULAS["Drift"])])
def test_a_function_over_the_named_areas_gives_what_is_stored_in_its_cells(
    xlsm: bytes, monkeypatch: pytest.MonkeyPatch, name: str, formula: str
) -> None:
    quotes, day, _ = sample_quotes()
    monkeypatch.setattr(plan, "quotes_for", lambda *_, **__: (quotes, ()))
    monkeypatch.setattr(plan, "today", lambda: day)
    plan.forget()
    book, formulas = load_workbook(io.BytesIO(xlsm), data_only=True), load_workbook(io.BytesIO(xlsm))

    def area(text: str) -> list[list[object]]:
        title, cells = book.defined_names[text].attr_text.rsplit("!", 1)
        return [[cell.value for cell in row] for row in book[title.strip("'")][cells]]

    answer = called(formula).answer((*(area(text) for text in PLAN.split(",")), None))
    (cells,) = [
        where
        for anchor, where in formulas["Trades"].array_formulae.items()
        if formulas["Trades"][anchor].value.text == f"={formula}"
    ]
    stored = [[cell.value for cell in row] for row in book["Trades"][cells]]
    assert isinstance(answer, list), name
    for told, kept in zip(answer, stored, strict=True):
        for one, other in zip(told, kept, strict=True):
            assert one == (pytest.approx(other) if isinstance(other, float) else other)


@pytest.fixture
def sample_market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dt.date]:
    """Let every source say the sample's closes and facts, on the sample's day; returns that day."""
    _, day, _ = sample_quotes()
    with sample_sources() as sources:
        monkeypatch.setattr(studies, "_LIVE", sources)
        monkeypatch.setattr(studies, "today", lambda: day)
        monkeypatch.setenv("REBALANCER_CACHE_DIR", str(tmp_path))
        chain.default.cache_clear()
        yield day
    chain.default.cache_clear()


@pytest.mark.parametrize("name", ["Comparison", "Review", "Alerts", "Correlation"])
def test_analyses_shown_at_first_are_what_their_functions_answer_on_those_closes(
    xlsm: bytes, sample_market: dt.date, name: str
) -> None:
    book, formulas = load_workbook(io.BytesIO(xlsm), data_only=True), load_workbook(io.BytesIO(xlsm))
    sheet, shown = formulas["Analysis"], book["Analysis"]
    (area,) = [area for at, area in sheet.array_formulae.items() if sheet[at].value.text == f"={FORMULAS[name]}"]
    stored = [[cell.value for cell in row] for row in shown[area]]
    targets = [[cell.value for cell in row] for row in book["Targets"][book["Targets"].tables["Targets"].ref]]
    given = targets if "#All" in FORMULAS[name] else [[row[targets[0].index("Ticker")]] for row in targets[1:]]
    spec = called(FORMULAS[name])
    answer = spec.answer([given, *[None] * (len(spec.arguments) - 1), *[None] * len(spec.hidden)])
    assert isinstance(answer, list)
    rows = [[SHOWN.get(value, value) or None if isinstance(value, str) else value for value in row] for row in answer]
    rows = [list(row) for row in zip(*rows, strict=True)] if FORMULAS[name].startswith("TRANSPOSE") else rows
    for told, kept in zip(rows, stored, strict=True):
        for one, other in zip(told, kept, strict=True):
            assert one == (pytest.approx(other, rel=1e-9) if isinstance(other, float) else other)


def test_titles_of_analyses_of_made_up_closes_say_so(xlsm: bytes) -> None:
    sheet = load_workbook(io.BytesIO(xlsm))["Analysis"]
    titles = [str(cell.value) for cell in sheet[BLOCK_ROW] if cell.value]
    assert sum("SAMPLE (made up)" in title for title in titles) == len(FETCHED)


def test_a_new_workbook_with_macros_has_every_formula_and_no_sample(tmp_path: Path) -> None:
    path = tmp_path / "mine.xlsm"
    assert main(["new", "growth", "--macros", "-o", str(path)]) == 0
    book = load_workbook(path, keep_vba=True)
    texts = [sheet[at].value.text for sheet in book.worksheets for at in sheet.array_formulae]
    assert sorted(texts) == sorted(f"={formula}" for formula in FORMULAS.values())
    assert not [cell.value for cell in book["Analysis"][BLOCK_ROW] if "SAMPLE" in str(cell.value)]


def test_names_of_the_formulas_are_functions_or_areas_of_the_workbook(xlsm: bytes) -> None:
    book = load_workbook(io.BytesIO(xlsm))
    for text in FORMULAS.values():
        for name in re.findall(r"\bAll\w+", text):
            assert name in book.defined_names
        assert called(text) in all_functions()


def test_what_functions_fill_is_named_as_far_as_the_inputs_may_grow(xlsm: bytes) -> None:
    names = load_workbook(io.BytesIO(xlsm)).defined_names
    reach = {
        name: int(names[name].attr_text.rpartition("$")[2])
        for name in names
        if "_" in name and ":" in str(names[name].attr_text)
    }
    inputs = int(names["AllHoldings"].attr_text.rpartition("$")[2])
    for table in FORMULAS:
        found = [row for name, row in reach.items() if name.partition("_")[0] == table]
        assert found, table
        assert min(found) >= inputs, table


def test_nothing_computes_again_on_opening(parts: dict[str, bytes]) -> None:
    assert re.findall(rb"<calcPr[^>]*>", parts["xl/workbook.xml"]) == [b'<calcPr calcId="191029" fullCalcOnLoad="0"/>']


def test_code_names_are_the_document_modules(parts: dict[str, bytes]) -> None:
    codes = [root.find(f"{_MAIN}sheetPr") for root in sheets(parts).values()]
    names = {code.get("codeName") for code in codes if code is not None}
    assert len(names) == len(codes)
    assert b'<workbookPr codeName="ThisWorkbook"/>' in parts["xl/workbook.xml"]
    with olefile.OleFileIO(io.BytesIO(parts["xl/vbaProject.bin"])) as read:
        text = read.openstream("PROJECT").read().decode("cp1252")
    assert set(re.findall(r"^Document=(\w+)/", text, re.MULTILINE)) == names | {"ThisWorkbook"}


def test_every_relationship_leads_to_a_part_and_every_part_has_a_type(parts: dict[str, bytes]) -> None:
    for name, data in parts.items():
        if not name.endswith(".rels"):
            continue
        folder = posixpath.dirname(posixpath.dirname(name))
        identifiers = set()
        for relation in ET.fromstring(data):
            assert relation.tag == f"{_RELATIONS}Relationship"
            identifiers.add(relation.get("Id"))
            if relation.get("TargetMode") != "External":
                target = relation.get("Target", "")
                path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
                assert path in parts, (name, target)
        assert len(identifiers) == len(ET.fromstring(data))
    types = ET.fromstring(parts["[Content_Types].xml"])
    overrides = {part.get("PartName") for part in types.iter(f"{_TYPES}Override")}
    defaults = {part.get("Extension") for part in types.iter(f"{_TYPES}Default")}
    for name in parts.keys() - {"[Content_Types].xml"}:
        assert f"/{name}" in overrides or name.rpartition(".")[2] in defaults, name
    assert {part.removeprefix("/") for part in overrides if part} <= parts.keys()
    assert b"sheet.macroEnabled.main+xml" in parts["[Content_Types].xml"]


def test_no_path_user_name_or_licence_key_is_inside(parts: dict[str, bytes]) -> None:
    texts = {name: data.decode() for name, data in parts.items() if name != "xl/vbaProject.bin"}
    # Of xlwings' own modules, another test tells that they are the installed ones.
    texts |= {module.name: module.source.decode("cp1252") for module in modules([]) if module.name not in FOREIGN}
    user = Path.home().name
    for name, text in texts.items():
        assert not re.search(r"/(home|root|Users|work|tmp|usr)/|[A-Za-z]:\\", text), name
        assert user == "root" or not re.search(rf"\b{re.escape(user)}\b", text), name
    (configuration,) = (text.upper() for text in texts.values() if "UDF MODULES" in text)
    for key in ("LICENSE", "INTERPRETER", "CONDA"):
        assert key not in configuration


def test_the_only_paths_in_the_project_are_those_of_windows_own_libraries(parts: dict[str, bytes]) -> None:
    with olefile.OleFileIO(io.BytesIO(parts["xl/vbaProject.bin"])) as read:
        directory = decompress(read.openstream("VBA/dir").read()).decode("cp1252")
    paths = re.findall(r"[A-Z]:\\[^#]*", directory)
    assert all(path.endswith(("stdole2.tlb", "MSO.DLL")) for path in paths)
    assert len(paths) == 2


def test_the_workbook_reads_back_as_the_sample_portfolio(xlsm: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rebalancer.xlsm"
    path.write_bytes(xlsm)
    sample = sample_portfolio()
    book = read_book(path)
    assert sample is not None
    assert book.portfolio is not None
    assert [p for p in book.problems if p.severity != "info"] == []
    assert book.portfolio.holdings == sample.holdings
    assert book.portfolio.sections == sample.sections
    assert {row["Status"] for row in book.results["Prices"]} == {"sample"}
    assert isinstance(book.results["Prices"][0]["AsOf"], dt.datetime)


def test_the_notices_of_what_is_embedded_stand_on_the_start_sheet(xlsm: bytes) -> None:
    book = load_workbook(io.BytesIO(xlsm))
    texts = " ".join(str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row if cell.value)
    assert "BSD 3-Clause" in texts
    assert "MIT" in texts


def test_the_function_wizard_gets_every_help_within_its_limit(xlsm: bytes) -> None:
    rows = list(load_workbook(io.BytesIO(xlsm))["Functions"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in rows] == [spec.name for spec in all_functions()]
    for cells, spec in zip(rows, all_functions(), strict=True):
        row = [str(text or "") for text in cells]
        assert [text for text in row[3:] if text] == [argument.help("en") for argument in spec.arguments]
        assert all(len(text) <= 255 for text in row if text)


@pytest.mark.slow
def test_the_korean_workbook_has_korean_sheets_ribbon_and_help() -> None:
    data = sample_workbook("ko")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "시세 새로고침" in archive.read("customUI/customUI.xml").decode()
    book = load_workbook(io.BytesIO(data))
    assert book.sheetnames[5] == "매매"
    assert book["Functions"]["C2"].value == all_functions()[0].help("ko")
