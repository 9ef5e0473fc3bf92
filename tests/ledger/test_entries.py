"""The ledger's CSV: read as it was written, and every row that cannot be used told."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ledger.entries import COLUMNS, LedgerEntry, dump_entries, parse_entries, standing
from engine.ledger.kinds import EntryKind

DAY = dt.date(2026, 11, 20)
HEADER = ",".join(COLUMNS) + "\n"
money = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10) ** 12, places=2)
names = st.text("abcdefgh 가나다,\"'", max_size=8).map(lambda text: " ".join(text.split()))


@st.composite
def entries(draw: st.DrawFn) -> LedgerEntry:
    kinds: list[EntryKind] = ["buy", "sell", "deposit", "split", "snapshot"]
    kind = draw(st.sampled_from(kinds))
    symbol = "" if kind == "deposit" else draw(st.sampled_from(["QQQ", "360750"]))
    return LedgerEntry(
        draw(st.uuids()).hex, draw(st.uuids()).hex, draw(st.dates(dt.date(2000, 1, 1))), kind, draw(names), symbol,
        draw(money), draw(st.none() | money), "USD", draw(money), draw(money), Decimal(0), draw(st.none() | money),
        note=draw(names),
    )  # fmt: skip


@given(st.lists(entries(), max_size=5))
def test_what_is_written_is_read_again(given_ones: list[LedgerEntry]) -> None:
    assert parse_entries(dump_entries(given_ones, header=True)) == (tuple(given_ones), ())


def test_an_unfinished_last_line_is_left_out_and_told() -> None:
    whole = dump_entries([LedgerEntry("a", "a", DAY, "deposit", currency="KRW", amount=Decimal(5))], header=True)
    found, problems = parse_entries(whole + "1,b,b,2026-11-2")
    assert [entry.id for entry in found] == ["a"]
    assert [problem.code for problem in problems] == ["ledger-torn"]


def test_an_entry_that_stands_twice_counts_once() -> None:
    line = dump_entries([LedgerEntry("a", "a", DAY, "deposit", currency="KRW", amount=Decimal(5))], header=False)
    assert len(parse_entries(HEADER + line + line)[0]) == 1


def test_columns_may_stand_in_any_order_and_others_are_let_be() -> None:
    found, problems = parse_entries("kind,mine,date,id,amount,currency\ndeposit,x,2026-11-20,a,5,KRW\n")
    assert problems == ()
    assert (found[0].amount, found[0].batch) == (Decimal(5), "a")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("2,a,a,2026-11-20,deposit,,,,,KRW,5,,,,,", "format-newer"),
        ("one,a,a,2026-11-20,deposit,,,,,KRW,5,,,,,", "ledger-format"),
        ("1,a,a,2026-11-20,gift,,,,,KRW,5,,,,,", "ledger-kind"),
        ("1,,a,2026-11-20,deposit,,,,,KRW,5,,,,,", "ledger-id"),
        ("1,a,a,20.11.2026,deposit,,,,,KRW,5,,,,,", "ledger-date"),
        ("1,a,a,2026-11-20,deposit,,,,,KRW,five,,,,,", "ledger-number"),
        ("1,a,a,2026-11-20,deposit,,,,,KRW,1e30,,,,,", "ledger-number"),
        ("1,a,a,2026-11-20,deposit,,,,,XXX,5,,,,,", "ledger-currency"),
        ("1,a,a,2026-11-20,deposit,,,,,,5,,,,,", "ledger-lacks"),
        ("1,a,a,2026-11-20,deposit,,,,,KRW,-5,,,,,", "ledger-positive"),
        ("1,a,a,2026-11-20,buy,,,5,,KRW,5,,,,,", "ledger-lacks"),
        ("1,a,a,2026-11-20,sell,,QQQ,0,,USD,5,,,,,", "ledger-positive"),
        ("1,a,a,2026-11-20,undo,,,,,,,,,,,", "ledger-lacks"),
    ],
)
def test_a_row_that_cannot_be_used_says_where_and_why(row: str, code: str) -> None:
    found, problems = parse_entries(HEADER + row + "\n", "my.ledger.csv")
    assert found == ()
    assert [problem.code for problem in problems] == [code]
    assert "2" in str(problems[0].where)


def test_every_bad_row_is_told_at_once() -> None:
    rows = "1,a,a,2026-11-20,gift,,,,,KRW,5,,,,,\n1,b,b,never,deposit,,,,,KRW,5,,,,,\n"
    assert [problem.code for problem in parse_entries(HEADER + rows)[1]] == ["ledger-kind", "ledger-date"]


def test_what_was_taken_back_may_be_taken_back_again() -> None:
    first = LedgerEntry("a", "A", DAY, "deposit", currency="KRW", amount=Decimal(5))
    undo = LedgerEntry("b", "B", DAY, "undo", undoes="A")
    assert list(standing([first, undo])) == []
    assert list(standing([first, undo, LedgerEntry("c", "C", DAY, "undo", undoes="B")])) == [first]


def test_a_code_that_a_spreadsheet_saved_as_a_number_has_its_zeros_again() -> None:
    text = "id,date,kind,symbol,quantity,currency,amount\r\na,2026-01-02,buy,5930,1,KRW,70000\r\n"
    found, problems = parse_entries(text)
    assert [one.symbol for one in found] == ["005930"]
    assert not problems


def test_what_stands_does_not_hang_on_the_order_of_the_rows() -> None:
    deposit = LedgerEntry("a", "a", DAY, "deposit", currency="USD", amount=Decimal(1))
    undo = LedgerEntry("b", "b", DAY, "undo", undoes="a")
    again = LedgerEntry("c", "c", DAY, "undo", undoes="b")
    assert list(standing([deposit, undo])) == list(standing([undo, deposit])) == []
    assert list(standing([deposit, undo, again])) == list(standing([again, undo, deposit])) == [deposit]
    assert list(standing([deposit, LedgerEntry("b", "b", DAY, "undo", undoes="b")])) == [deposit]
