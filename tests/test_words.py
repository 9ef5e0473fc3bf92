"""The message catalogues: every language says everything with the same figures, and all that is said is in them."""

from __future__ import annotations

import ast
import gettext
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from engine.phrase import phrase
from engine.words import LANGUAGES, known, messages, tell

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path for package in ("engine", "templates", "rebalancer", "xl_addin") for path in (ROOT / package).rglob("*.py")
)
#: What takes a message's key first, by the module it comes from; and what stands before that key.
TAKES_A_KEY = {
    ("engine.phrase", "phrase"): "",
    ("engine.phrase", "place"): "place.",
    ("engine.errors", "error"): "",
    ("engine.errors", "warning"): "",
    ("engine.errors", "note"): "",
    ("engine.words", "say"): "",
}


def placeholders(text: str) -> set[str]:
    return {field.partition(".")[0].partition("[")[0] for _, field, _, _ in Formatter().parse(text) if field}


def keys(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and key of every message that a module names in so many words."""
    imported = {
        alias.asname or alias.name: TAKES_A_KEY[node.module, alias.name]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if (node.module, alias.name) in TAKES_A_KEY
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in imported and node.args:
            key = node.args[0]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield node.lineno, imported[node.func.id] + key.value


@pytest.mark.parametrize("lang", LANGUAGES[1:])
def test_every_language_says_everything_that_english_says(lang: str) -> None:
    assert messages(lang).keys() == messages(LANGUAGES[0]).keys()


@pytest.mark.parametrize("lang", LANGUAGES[1:])
def test_every_language_shows_the_same_figures(lang: str) -> None:
    english, other = messages(LANGUAGES[0]), messages(lang)
    assert [key for key in english if placeholders(english[key]) != placeholders(other[key])] == []


@pytest.mark.parametrize(("days", "told"), [(1, "1 day old"), (2, "2 days old"), (1200, "1,200 days old")])
def test_one_is_one_and_more_are_many(days: int, told: str) -> None:
    assert told in tell(phrase("prices-aged", days=days, day="x"), "en")
    assert f"{days}일" in tell(phrase("prices-aged", days=days, day="x"), "ko")


def test_every_message_that_is_named_is_there() -> None:
    named = [(path, *found) for path in SOURCES for found in keys(ast.parse(path.read_text(encoding="utf-8")))]
    assert len(named) > 100
    assert [f"{path.relative_to(ROOT)}:{line} {key}" for path, line, key in named if not known(key)] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_compiled_catalogue_is_what_its_source_gives(lang: str) -> None:
    folder, compiled = ROOT / "engine" / "words", io.BytesIO()
    with (folder / f"{lang}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=lang, abort_invalid=True))
    compiled.seek(0)
    said = [messages_of(file) for file in (compiled, io.BytesIO((folder / f"{lang}.mo").read_bytes()))]
    assert said[0] == said[1], "CONTRIBUTING.md says how to compile it"


def messages_of(file: io.BytesIO) -> dict[object, str]:
    """Return every message of a compiled catalogue but its head, which says when and by what it was compiled."""
    entries: dict[object, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: text for key, text in entries.items() if key}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_message_stands_twice_in_a_catalogue(lang: str) -> None:
    text = (ROOT / "engine" / "words" / f"{lang}.po").read_text(encoding="utf-8")
    keys = re.findall(r'^msgid "(.+)"$', text, re.MULTILINE)
    assert [key for key, count in Counter(keys).items() if count > 1] == []


#: What one thing was called besides, and what it is called everywhere.
ONE_TERM = {
    "평가액": "평가금액",
    "펀드 비교": "ETF 비교",
    "배당률": "배당수익률",
    "거래 안 함": "매매 제외",
    "때가 됨": "점검일 도래",
    "이탈도": "목표와 어긋난 비중 합계",
    "괴리": "비중 차이",
    "위성": "새틀라이트",
}


@pytest.mark.parametrize("word", ONE_TERM)
def test_one_thing_has_one_korean_term(word: str) -> None:
    assert [key for key, text in messages("ko").items() if word in text] == []
