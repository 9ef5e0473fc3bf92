"""The reference page says what the functions say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from xl_addin.functions import all_functions
from xl_addin.functions.declaring import Function

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "docs" / "functions.py"))


def test_page_is_of_today() -> None:
    assert (ROOT / SCRIPT["PAGE"]).read_text(encoding="utf-8") == SCRIPT["page"](), "run python docs/functions.py"


@pytest.mark.parametrize("name", SCRIPT["READMES"])
def test_readme_has_the_functions_of_today(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text == SCRIPT["with_functions"](text, name), "run python docs/functions.py"


@pytest.mark.parametrize("spec", all_functions(), ids=lambda spec: spec.name)
def test_every_example_calls_its_function(spec: Function) -> None:
    assert spec.example.startswith(f"={spec.name}(")
