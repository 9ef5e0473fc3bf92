"""The house: which room may use which, whose names are whose, and where words may stand."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: From the ground up: a floor may use itself and what is below it.
FLOORS = ("engine", "templates", "rebalancer", "xl_addin")
SOURCES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file names in an import, wherever in it but in what only type checkers read."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{name.name}" for name in node.names}
            modules = {one for one in inside if (ROOT / f"{one.replace('.', '/')}.py").exists()}
            yield from modules
            if inside - modules:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("floor", FLOORS)
def test_imports_go_down_only(floor: str) -> None:
    above = FLOORS[FLOORS.index(floor) + 1 :]
    wrong = [
        f"{name_of(path)}: {module}"
        for path in sorted((ROOT / floor).rglob("*.py"))
        for module in imports(path)
        if module.split(".")[0] in above
    ]
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in SOURCES}
    uses = {name: {m for m in imports(path) if m in modules and m != name} for name, path in modules.items()}
    left = dict(uses)
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    # What is left either stands in a circle or leads into one.
    assert not left


def test_what_computes_never_words_anything() -> None:
    """The engine makes phrases; only `Phrase.told` asks the catalogues, for whoever shows one."""
    wrong = [
        name_of(path)
        for path in (ROOT / "engine").rglob("*.py")
        if "words" not in path.parts and any(module.startswith("engine.words") for module in imports(path))
    ]
    assert not wrong


def test_hosts_neither_fetch_nor_compute() -> None:
    """The top floor parses, calls a use case and shows: no source of market data, no solver, no array of numbers."""
    forbidden = ("engine.market.naver", "engine.market.yahoo", "engine.market.krx", "engine.trades", "engine.rebalance")
    libraries = ("numpy", "pandas", "scipy", "highspy", "yfinance", "pykrx", "curl_cffi")
    wrong = [
        f"{name_of(path)}: {module}"
        for path in (ROOT / "xl_addin").rglob("*.py")
        for module in imports(path)
        if module.startswith(forbidden) or module.split(".")[0] in libraries
    ]
    assert not wrong


def test_each_class_name_means_one_thing() -> None:
    names = Counter(
        node.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert not [name for name, count in names.items() if count > 1]


def test_no_korean_stands_in_the_logic() -> None:
    # The rules of Korean particles are about Korean.
    wrong = [
        name_of(path) for path in SOURCES if path.parent.name != "words" and HANGUL.search(path.read_text("utf-8"))
    ]
    assert not wrong
