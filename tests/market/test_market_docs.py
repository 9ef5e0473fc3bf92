"""docs/market-data.md says what the code does."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from engine import errors
from engine.market.provider import KRX_WAITS, WAITS
from engine.settings import MarketSettings
from engine.words import say

PAGE = (Path(__file__).parents[2] / "docs" / "market-data.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("option", fields(MarketSettings), ids=lambda option: option.name)
def test_every_setting_stands_with_its_default(option: object) -> None:
    name, default = f"REBALANCER_{option.name.upper()}", option.default  # type: ignore[attr-defined]
    unit, text = say(f"unit.{option.metadata['unit']}", "en"), say(f"setting.{option.name}", "en")  # type: ignore[attr-defined]
    assert f"| `{name}` | {default} | {unit} | {text} |" in PAGE


def test_every_error_stands_with_what_follows() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    for kind in kinds:
        if issubclass(kind, errors.MarketDataError) and kind is not errors.MarketDataError:
            assert f"| `{kind.__name__}` |" in PAGE


def test_the_waits_are_those_of_the_code() -> None:
    assert [seconds / 60 for seconds in WAITS[errors.RateLimited]] == [15, 30, 60]
    assert {seconds for waits in KRX_WAITS.values() for seconds in waits} == {86400}
    assert "15, 30, then 60 minutes (KRX: a day)" in PAGE
