"""A Korean workbook is Korean in its cells too, and both languages are read back."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from engine.words import LANGUAGES, Lang, known
from templates.read.book import read_book
from templates.spec import TABLES
from templates.spec.vocabulary import KINDS, choices, every_word, meant, spoken
from templates.write import Book, build
from tests.workbook.cases import book_for, report_for


def rows(book: Book, table: str) -> list[dict[str, object]]:
    place = book.placements[table]
    worksheet, cached = book.workbook[place.title], book.cached.get(place.title, {})
    found = []
    for row in range(place.first_row, place.first_row + len(book.figures.tables[table])):
        cells = {c.name: f"{place.letter(c.name)}{row}" for c in place.columns}
        found.append({name: cached.get(at, worksheet[at].value) for name, at in cells.items()})
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_every_language_means_its_code(kind: str) -> None:
    assert all(meant(kind, word) == code for code in KINDS[kind] for word in every_word(kind, code))


def test_every_code_of_a_korean_cell_has_its_word() -> None:
    plain = {f"{kind}.{code}" for kind in KINDS for code in KINDS[kind] if spoken(kind, code, "ko") == code}
    assert plain == set()


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("Trades", "Side", "side"), ("Targets", "Status", "status"), ("Targets", "Section", "section"),
        ("Rules", "Schedule", "schedule"), ("Settings", "Key", "setting"), ("Summary", "Key", "summary"),
    ],
)  # fmt: skip
def test_codes_are_words_in_a_korean_workbook_and_codes_in_an_english_one(table: str, column: str, kind: str) -> None:
    english = [row[column] for row in rows(book_for("growth", "en", True), table)]
    korean = [row[column] for row in rows(book_for("growth", "ko", True), table)]
    assert english != korean
    assert [meant(kind, str(word)) for word in korean] == english


@pytest.mark.parametrize("other", LANGUAGES)
def test_a_workbook_of_either_language_holds_the_same_portfolio(tmp_path: Path, other: Lang) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(book_for("growth", other, True).to_bytes())
    book = read_book(path)
    assert book.portfolio == report_for("growth", other, True).portfolio
    assert {row["Side"] for row in book.results["Trades"]} <= {"buy", "sell"}


def test_words_of_both_languages_may_stand_in_one_workbook(tmp_path: Path) -> None:
    path = tmp_path / "mixed.xlsx"
    book = load_workbook(io.BytesIO(book_for("growth", "en", True).to_bytes()))
    settings = book["Settings"]
    mode = next(cell for cell in settings["B"] if cell.value == "mode")
    mode.value, mode.offset(0, 1).value = "거래 방식", "매수만"
    path.write_bytes(b"")
    book.save(path)
    found = read_book(path).portfolio
    portfolio = report_for("growth", "en", True).portfolio
    assert found is not None
    assert found.settings == replace(portfolio.settings, mode="buy-only")


def test_formulas_compare_hidden_codes() -> None:
    hidden = {f"{table.name}.{column.name}" for table in TABLES for column in table.columns if column.hidden}
    assert {"Trades.SideCode", "Targets.SectionCode", "Rules.SectionCode"} <= hidden
    book = book_for("growth", "ko", True)
    place = book.placements["Trades"]
    assert book.workbook[place.title].column_dimensions[place.letter("SideCode")].hidden


@pytest.mark.parametrize(("lang", "bought"), [("en", "0B5394"), ("ko", "C00000")])
def test_what_is_bought_is_red_in_korea(lang: Lang, bought: str) -> None:
    book = book_for("growth", lang, True)
    place = book.placements["Trades"]
    rules = book.workbook[place.title].conditional_formatting
    coloured = {rule.formula[0]: rule.dxf.font.color.rgb[2:] for area in rules for rule in area.rules if rule.dxf.font}
    assert next(colour for formula, colour in coloured.items() if '"buy"' in formula) == bought


def test_drop_downs_offer_the_words_of_the_language() -> None:
    sheet = book_for("growth", "ko", True).workbook["목표"]
    offered = {validation.formula1 for validation in sheet.data_validations.dataValidation}
    assert f'"{",".join(choices("section", ("core", "satellite", "all"), "ko"))}"' in offered


def test_no_kind_of_word_is_without_a_message() -> None:
    assert known("word.setting.mode")
    assert build(report_for("blank", "ko", False), "ko").workbook.sheetnames[2:4] == ["보유", "현금"]
