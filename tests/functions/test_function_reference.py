"""The reference page says what the registry says."""

from __future__ import annotations

from pathlib import Path

import pytest

from xl_addin.functions.reference import PAGE, README, page, with_functions
from xl_addin.functions.registry import FUNCTIONS, Function

ROOT = Path(__file__).parents[2]


def test_page_is_of_today() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(), "run python -m xl_addin.functions.reference"


def test_readme_has_the_functions_of_today() -> None:
    text = (ROOT / README).read_text(encoding="utf-8")
    assert text == with_functions(text), "run python -m xl_addin.functions.reference"


@pytest.mark.parametrize("spec", FUNCTIONS, ids=[spec.name for spec in FUNCTIONS])
def test_every_example_calls_its_function(spec: Function) -> None:
    assert spec.example.startswith(f"={spec.name}(")
