"""Whoever works in a workbook is told of sheets and columns: no command's options, no keys of other files."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import error
from engine.phrase import phrase
from engine.words import LANGUAGES, Lang, messages
from templates.report import problem_rows
from tests.test_words import ROOT, keys, placeholders
from tests.workbook.cases import book_for

AUDIENCE = "@workbook"
#: What plans and prices say of themselves reaches a workbook's cells. Documents and universes are read from files.
SAID_IN_CELLS = ("plan", "rebalance", "valuation", "drift", "schedule", "trades", "costs", "analysis", "quote")
#: An option, or something to be typed as it stands.
TYPED = re.compile(r"--[a-z]|`")
#: How a file's keys look. English workbooks call their settings so, Korean ones never do.
KEY = re.compile(r"\b[a-z]+_[a-z_]+\b")


def bare(text: str) -> str:
    return re.sub(r"\{[^{}]*\}", "", text)


def said_in_cells(lang: Lang) -> dict[str, str]:
    every = messages(lang)
    sources = [path for name in SAID_IN_CELLS for path in (ROOT / "engine" / name).rglob("*.py")]
    sources += [path for name in SAID_IN_CELLS if (path := ROOT / "engine" / f"{name}.py").exists()]
    named = {key for path in sources for _, key in keys(ast.parse(Path(path).read_text(encoding="utf-8")))}
    return {key: every.get(key + AUDIENCE, every.get(key, "")) for key in named}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_that_plans_say_in_cells_is_to_be_typed_elsewhere(lang: Lang) -> None:
    found = said_in_cells(lang)
    assert len(found) > 50
    assert {key: text for key, text in found.items() if TYPED.search(bare(text))} == {}


def test_nothing_that_plans_say_in_korean_cells_names_a_key() -> None:
    assert {key: text for key, text in said_in_cells("ko").items() if KEY.search(bare(text))} == {}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_said_in_workbooks_only_says_no_more_than_elsewhere(lang: Lang) -> None:
    every = messages(lang)
    own = {key.removesuffix(AUDIENCE): text for key, text in every.items() if key.endswith(AUDIENCE)}
    assert own
    # A row's word comes beside its code: cells say the word, elsewhere a person reads the key of the file.
    given = {key: placeholders(every.get(key, "")) | ({"word"} if key == "sync-word" else set()) for key in own}
    assert [key for key, text in own.items() if not placeholders(text) <= given[key]] == []
    assert [key for key, text in own.items() if TYPED.search(bare(text))] == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("model", "filled"), [("growth", True), ("blank", False)])
def test_no_text_of_a_workbook_is_an_option(model: str, lang: Lang, filled: bool) -> None:  # noqa: FBT001
    book = book_for(model, lang, filled).workbook
    texts = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert len(texts) > 100
    assert [text for text in texts if TYPED.search(text)] == []


def test_a_missing_price_names_the_sheet_and_the_column() -> None:
    (row,) = problem_rows([error("price-missing", "360750")], "en")
    assert row["Message"] == "no price: write one in sheet Holdings, column Own price (a quantity of 0 will do)"
    assert str(error("price-missing", "360750").message).endswith("--prices")


def test_a_phrase_within_a_phrase_speaks_to_the_same_person() -> None:
    note = phrase("cost-note.kr-any-commission-2023-01-01")
    said = phrase("cost-unverified.sell_tax", rate=Decimal("0.001"), note=note)
    assert "in sheet Settings" in said.told("en", "workbook")
    assert "in sheet Settings" not in said.told("en")
