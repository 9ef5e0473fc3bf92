"""Every malformed document gives exactly the problems marked in it, each with its place, and no portfolio.

A file of `bad_documents` marks the line of an error with `# <- code path: words of the message`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.data.document import parse_portfolio, portfolio_from_data, read_portfolio
from engine.errors import Problem

FOLDER = Path(__file__).parent / "bad_documents"
MARK = re.compile(r"# <- (\S+) (\S+): (.+?)(?=\s+# <-|$)")

#: Files that cannot be read as far as a path: code, place after the file's name, words of the message.
WHOLE = {
    "alias": ("yaml-alias", " line 1", "other"),
    "alias-bomb": ("yaml-alias", " line 1", "&a"),
    "a-text": ("wrong-type", "", "'just words'"),
    "comments-only": ("empty-document", "", "base_currency"),
    "empty": ("empty-document", "", "base_currency"),
    "encoding-binary": ("encoding", " line 2", "UTF-8"),
    "encoding-cp949": ("encoding", " line 3", "CP949"),
    "encoding-utf16": ("encoding", " line 1", "UTF-16"),
    "portfolio-missing": ("missing", ": portfolio", "base_currency"),
    "syntax-tab": ("yaml-syntax", " line 2", "write spaces"),
    "syntax-unclosed": ("yaml-syntax", " line 4", "not YAML"),
    "tag": ("yaml-tag", " line 1", "python/object"),
    "two-documents": ("several-documents", " line 4", "---"),
}
MARKED = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem not in WHOLE)


def errors(problems: tuple[Problem, ...]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def test_there_are_more_than_forty_malformed_files() -> None:
    assert len(MARKED) + len(WHOLE) > 40


@pytest.mark.parametrize("name", MARKED)
def test_marked_errors_are_found_where_they_are_and_no_others(name: str) -> None:
    path = FOLDER / f"{name}.yaml"
    portfolio, problems = read_portfolio(path)
    expected = {
        (code, f"{path} line {number}: {place}"): words
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for code, place, words in MARK.findall(line)
    }
    found = {(problem.code, str(problem.where)): str(problem.message) for problem in errors(problems)}
    assert expected
    assert portfolio is None
    assert found.keys() == expected.keys()
    for key, words in expected.items():
        assert words in found[key]


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_unreadable_file_is_one_problem(name: str) -> None:
    code, place, words = WHOLE[name]
    path = FOLDER / f"{name}.yaml"
    portfolio, problems = read_portfolio(path)
    assert portfolio is None
    (problem,) = problems
    assert (problem.severity, problem.code, str(problem.where)) == ("error", code, f"{path}{place}")
    assert words in str(problem.message)


def test_ten_megabyte_bomb_is_refused_unread(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.yaml"
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 9))
    bomb.write_text("l0: &l0 [" + "x, " * 3_400_000 + "x]\n" + levels, encoding="utf-8")
    assert bomb.stat().st_size > 10_000_000
    portfolio, problems = read_portfolio(bomb)
    assert portfolio is None
    assert [(problem.code, str(problem.where)) for problem in problems] == [("too-large", str(bomb))]


def test_text_above_the_size_limit_is_refused() -> None:
    _, problems = parse_portfolio("#" * 2_000_001, "text")
    assert [problem.code for problem in problems] == ["too-large"]


def test_deep_nesting_is_refused_at_its_line() -> None:
    _, problems = parse_portfolio("portfolio:\n  " + "[" * 500 + "]" * 500, "deep")
    assert [(problem.code, str(problem.where)) for problem in problems] == [("too-deep", "deep line 2")]


def test_endless_nesting_is_refused() -> None:
    portfolio, problems = parse_portfolio("portfolio:\n" + "[" * 100_000, "deep")
    assert portfolio is None
    assert [str(problem.where) for problem in problems] == ["deep line 2"]


def test_lone_surrogate_is_refused_at_its_line() -> None:
    _, problems = parse_portfolio("portfolio:\n  name: \ud800", "odd")
    assert [(problem.code, str(problem.where)) for problem in problems] == [("encoding", "odd line 2")]


def test_control_character_is_not_yaml() -> None:
    _, problems = parse_portfolio("portfolio: {name: a\x07}", "odd")
    assert [problem.code for problem in problems] == ["yaml-syntax"]


def test_escaped_control_character_in_a_name_is_an_error() -> None:
    _, problems = parse_portfolio('portfolio: {base_currency: KRW, name: "a\\x07b"}', "odd")
    assert [problem.code for problem in errors(problems)] == ["control-character"]


def test_list_as_a_key_is_refused() -> None:
    _, problems = parse_portfolio("? [a, b]\n: 1\n", "odd")
    assert [(problem.code, str(problem.where)) for problem in problems] == [("wrong-type", "odd line 1")]


def test_missing_file_is_a_problem(tmp_path: Path) -> None:
    portfolio, problems = read_portfolio(tmp_path / "none.yaml")
    assert portfolio is None
    assert [problem.code for problem in problems] == ["no-such-file"]


def test_folder_in_place_of_a_file_is_a_problem(tmp_path: Path) -> None:
    _, problems = read_portfolio(tmp_path)
    assert [problem.code for problem in problems] == ["unreadable-file"]


@pytest.mark.parametrize(
    ("data", "code", "where"),
    [
        (None, "empty-document", "book"),
        ({}, "empty-document", "book"),
        ([], "wrong-type", "book"),
        ({"portfolio": None}, "missing", "book: portfolio"),
        ({"portfolio": {}}, "empty-document", "book: portfolio"),
        ({"portfolio": {"base_currency": True}}, "unknown-currency", "book: portfolio.base_currency"),
        (
            {"portfolio": {"base_currency": "KRW", "cash": {"KRW": float("nan")}}},
            "not-a-number",
            "book: portfolio.cash.KRW",
        ),
        ({"portfolio": {"base_currency": "KRW", "cash": {"KRW": True}}}, "not-a-number", "book: portfolio.cash.KRW"),
        ({"portfolio": {"base_currency": "KRW", 7: 1}}, "unknown-key", "book: portfolio.7"),
        (
            {"portfolio": {"base_currency": "KRW", "holdings": [{"symbol": 69500.0, "quantity": 1}]}},
            "lost-zeros",
            "book: portfolio.holdings[0].symbol",
        ),
        (
            {"portfolio": {"base_currency": "KRW", "holdings": [{"symbol": True, "quantity": 1}]}},
            "wrong-type",
            "book: portfolio.holdings[0].symbol",
        ),
    ],
)
def test_plain_data_gives_problems_at_paths(data: object, code: str, where: str) -> None:
    portfolio, problems = portfolio_from_data(data, "book")
    assert portfolio is None
    assert [(problem.code, str(problem.where)) for problem in errors(problems)] == [(code, where)]


def test_locate_words_the_place() -> None:
    data = {"portfolio": {"base_currency": "KRW", "holdings": [{"symbol": "QQQ", "quantity": -1}]}}
    _, problems = portfolio_from_data(data, "book", lambda path: f"cell of {path[-1]}")
    assert [str(problem.where) for problem in errors(problems)] == ["cell of quantity"]
