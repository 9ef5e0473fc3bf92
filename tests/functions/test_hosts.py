"""Each function answers the same in every host: its body, Excel's call through xlwings, a cell of LibreOffice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.function_calls import CALLS, ERRORS

NAMES = list(CALLS)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ERRORS])
def test_body_answers(bodies: dict[str, Any], name: str) -> None:
    assert bodies[name] != [["#N/A"]]
    assert bodies[name] != [["#VALUE!"]]
    assert bodies[name] != [["#NUM!"]]


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_answered_is_a_real_error(bodies: dict[str, Any], name: str) -> None:
    assert bodies[name] == [[ERRORS[name]]]


@pytest.mark.parametrize("name", NAMES)
def test_excel_shows_what_the_body_answers(bodies: dict[str, Any], excel: dict[str, Any], name: str) -> None:
    assert excel[name] == bodies[name]


@pytest.mark.parametrize("name", NAMES)
def test_calc_shows_what_the_body_answers(bodies: dict[str, Any], calc: dict[str, Any], name: str) -> None:
    expected = bodies[name]
    if len(expected) == len(expected[0]) == 1:  # one value fills the whole array
        assert {cell for row in calc[name] for cell in row} == {expected[0][0]}
        return
    height, width = len(expected), len(expected[0])
    assert [row[:width] for row in calc[name][:height]] == expected
    if height == 1:  # so does one row
        assert calc[name][1][:width] == expected[0]
        return
    beyond = [cell for row in calc[name][height:] for cell in row] + [
        cell for row in calc[name] for cell in row[width:]
    ]
    assert set(beyond) == {"#N/A"}
