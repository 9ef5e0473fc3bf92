"""Undo: one button after the other, the last first, and never over what a person has typed since."""

from __future__ import annotations

import pytest

from engine.errors import InputError
from tests.commands_fake_book import FakeBook
from xl_addin.buttons import edits, press
from xl_addin.buttons.edits import Edit, HalfWritten, apply


def put(book: FakeBook, value: object, row: int = 90) -> None:
    apply(book, [Edit("Settings", row, 3, ((value,),))], "test")


def shown(book: FakeBook, row: int = 90) -> object:
    return book.sheets["Settings"].values.get((row, 3))


def test_a_button_that_changes_nothing_leaves_no_restore_point(book: FakeBook) -> None:
    apply(book, [], "nothing")
    put(book, shown(book, 8), 8)
    with pytest.raises(InputError, match="nothing to undo"):
        edits.last(book)


def test_a_recording_is_undone_after_a_button_that_changed_nothing(
    book: FakeBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.market import chain
    from engine.market.quoting import QuoteBatch

    monkeypatch.setattr(chain, "quotes", lambda *_, **__: QuoteBatch({}, {}, 0))
    press("propose", book, formulas=True)
    before = book.state()
    press("record", book, formulas=True)
    press("refresh", book, formulas=True)
    press("undo", book, formulas=True)
    assert book.state() == before


def test_buttons_are_undone_one_after_the_other(book: FakeBook) -> None:
    states = []
    for button in ("propose", "record", "propose", "mode_sell_only"):
        states.append(book.state())
        press(button, book, formulas=False)
    assert "=REBAL_" not in str(book.sheets["Trades"].formulas)
    book.alerts.clear()
    while states:
        press("undo", book, formulas=False)
        before = states.pop()
        if states:  # the first brings formulas back, whose results are Excel's to fill in
            assert book.state() == before
    assert book.alerts == []
    assert "=REBAL_" in str(book.sheets["Trades"].formulas[7, 2])


def test_ten_buttons_can_be_undone(book: FakeBook) -> None:
    for n in range(13):
        put(book, f"text {n}")
    for _ in range(10):
        press("undo", book, formulas=True)
    assert book.alerts == []
    assert shown(book) == "text 2"
    press("undo", book, formulas=True)
    assert "nothing to undo" in book.alerts[-1]


def test_a_button_that_changes_nothing_costs_no_older_restore_point(book: FakeBook) -> None:
    for n in range(10):
        put(book, f"text {n}")
    put(book, "text 9")
    assert len(edits.points(book)) == 10


def test_what_a_person_typed_since_is_named_and_stays(book: FakeBook) -> None:
    put(book, "ours")
    book.sheets["Settings"].put(90, 3, "mine")
    press("undo", book, formulas=True)
    assert "Settings!C90" in book.alerts[-1]
    assert shown(book) == "mine"


def test_only_a_few_of_many_changed_cells_are_named(book: FakeBook) -> None:
    apply(book, [Edit("Settings", 90, 3, tuple((n,) for n in range(1, 9)))], "test")
    for row in range(90, 98):
        book.sheets["Settings"].put(row, 3, "mine")
    press("undo", book, formulas=True)
    assert "C94, … (+3)" in book.alerts[-1]


def test_undo_works_again_once_the_cell_is_put_back(book: FakeBook) -> None:
    put(book, "ours")
    for content in ("mine", "ours"):
        book.sheets["Settings"].put(90, 3, content)
        press("undo", book, formulas=True)
    assert shown(book) is None


def test_a_cell_that_a_person_has_put_back_already_is_no_obstacle(book: FakeBook) -> None:
    put(book, "first")
    put(book, "second")
    book.sheets["Settings"].put(90, 3, "first")
    press("undo", book, formulas=True)
    assert book.alerts == []
    assert shown(book) == "first"


def test_what_functions_compute_since_is_not_a_person_s_change(book: FakeBook) -> None:
    formula = book.sheets["Trades"].formulas[7, 2]
    press("propose", book, formulas=False)
    sheet = book.sheets["Trades"]
    sheet.put(7, 2, formula)
    sheet.put(8, 3, "SPILLED")
    press("undo", book, formulas=False)
    assert book.alerts == []
    assert sheet.formulas[7, 2] == formula


def test_points_survive_a_broken_file(book: FakeBook) -> None:
    path = edits.place(book)
    path.parent.mkdir(parents=True)
    path.write_text("{")
    put(book, "ours")
    press("undo", book, formulas=True)
    assert shown(book) is None


@pytest.mark.parametrize("button", ["record", "mode_sell_only"])
def test_where_putting_back_fails_too_the_person_is_told_to_press_undo(book: FakeBook, button: str) -> None:
    writes = 0

    def gone() -> None:
        nonlocal writes
        writes += 1
        if writes > 2:
            raise OSError("Excel is busy")

    press("propose", book, formulas=False)
    before = book.state()
    book.before_write = gone
    press(button, book, formulas=False)
    assert "half written; press Undo" in book.alerts[-1]
    book.before_write = lambda: None
    press("undo", book, formulas=False)
    assert "half written" in book.alerts[-1]
    assert book.state() == before


def test_it_is_said_in_korean_too(book: FakeBook) -> None:
    def gone() -> None:
        raise OSError("Excel is busy")

    book.before_write = gone
    with pytest.raises(HalfWritten) as raised:
        put(book, "ours")
    assert "[되돌리기]" in raised.value.problems[0].said("ko")
