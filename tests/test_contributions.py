from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.analysis.calendar import calendar
from engine.analysis.risk import RiskInputs, RiskRule, risk
from engine.costs.contributions import contribution_limits, contribution_notes, rooms
from engine.costs.table import read_table
from engine.ledger.entries import LedgerEntry
from engine.money import FxTable
from engine.portfolio import Account, Contributed, Portfolio, YearSoFar
from engine.settings import Residence, Settings
from engine.words import tell
from rebalancer.ledgers import with_year_of
from tests.builders import AS_OF, D, portfolio

KRW = FxTable("KRW")


def of(*accounts: Account, residence: Residence = "KR") -> Portfolio:
    return portfolio(accounts=accounts, settings=Settings(residence=residence))


def passed(**payments: int) -> list[str]:
    folio = of(*(Account(kind, kind) for kind in payments))
    found = contribution_notes(folio, {kind: D(paid) for kind, paid in payments.items()}, KRW, AS_OF)
    return [one.message.key.removeprefix("contribution.") for one in found]


def knowing(*accounts: Account, **contributed: Contributed) -> Portfolio:
    return replace(of(*accounts), so_far=YearSoFar(D(0), contributed))


def paid_in(year: int, before: int = 0, since: int = AS_OF.year, unsure: dt.date | None = None) -> Contributed:
    return Contributed(D(year), D(before), dt.date(since, 3, 2), unsure)


def test_every_row_of_the_table_is_a_limit_with_its_source() -> None:
    limits = contribution_limits(AS_OF)
    assert [limit.rule for limit in limits] == [row["rule"] for row in read_table("contributions.csv")]
    assert all(limit.source and limit.amount > 0 and limit.currency == "KRW" for limit in limits)
    assert {limit.per for limit in limits} == {"year", "life"}


def test_nothing_is_known_of_days_before_the_table() -> None:
    assert contribution_limits(dt.date(2000, 1, 1)) == ()


@pytest.mark.parametrize(
    ("payments", "rules"),
    [
        ({"isa": 20_000_000}, []),
        ({"isa": 20_000_001}, ["isa-year"]),
        ({"pension": 6_000_000, "irp": 3_000_000}, []),
        ({"pension": 6_000_001}, ["pension-credit"]),
        ({"irp": 9_000_001}, ["retirement-credit"]),
        ({"pension": 9_000_000, "irp": 9_000_001}, ["pension-year", "pension-credit", "retirement-credit"]),
        ({"taxable": 900_000_000}, []),
        ({"isa": 100_000_001}, ["isa-year", "isa-total"]),
    ],
)
def test_payments_of_a_year_go_beyond_a_limit(payments: dict[str, int], rules: list[str]) -> None:
    assert passed(**payments) == rules


def test_a_deposit_beyond_an_isas_year_is_noted_at_its_account() -> None:
    folio = of(Account("my ISA", "isa"))
    [found] = contribution_notes(folio, {"my ISA": D(30_000_000)}, KRW, AS_OF)
    assert (found.severity, found.code, str(found.where)) == ("info", "contribution", "account my ISA")
    assert "30,000,000" in str(found.message)
    assert "20,000,000" in str(found.message)
    assert "20,000,000원" in tell(found.message, "ko")


def test_a_deposit_in_another_base_currency_is_compared_in_won() -> None:
    folio = portfolio(accounts=[Account("p", "pension")], base_currency="USD", settings=Settings(residence="KR"))
    dollars = FxTable("USD", {"KRW": D(1) / D(1500)})
    assert [one.code for one in contribution_notes(folio, {"p": D(4_001)}, dollars, AS_OF)] == ["contribution"]
    assert list(contribution_notes(folio, {"p": D(3_999)}, dollars, AS_OF)) == []
    assert list(contribution_notes(folio, {"p": D(4_001)}, FxTable("USD"), AS_OF)) == []


def test_a_withdrawal_or_a_resident_of_another_country_hears_nothing_of_it() -> None:
    account = Account("ISA", "isa")
    assert list(contribution_notes(of(account), {"ISA": D(-30_000_000)}, KRW, AS_OF)) == []
    assert list(contribution_notes(of(account, residence="US"), {"ISA": D(30_000_000)}, KRW, AS_OF)) == []


def test_what_the_ledger_says_was_paid_in_counts_with_a_plan_s_deposit() -> None:
    folio = knowing(Account("ISA", "isa"), isa=paid_in(15_000_000))
    [over] = contribution_notes(folio, {"ISA": D(6_000_000)}, KRW, AS_OF)
    assert (over.message.key, over.message.values["paid"]) == ("contribution.isa-year-so-far", 21_000_000)
    [left] = contribution_notes(folio, {}, KRW, AS_OF)
    assert (left.message.key, left.message.values["left"]) == ("contribution.isa-year-left", 5_000_000)


def test_a_year_s_deposits_are_counted_by_the_kind_of_their_account() -> None:
    folio = of(Account("ISA", "isa"), Account("P", "pension"), Account("T", "taxable"))

    def deposit(number: int, day: dt.date, account: str, amount: int) -> LedgerEntry:
        return LedgerEntry(str(number), str(number), day, "deposit", account, currency="KRW", amount=D(amount))

    days = AS_OF, AS_OF - dt.timedelta(400), AS_OF + dt.timedelta(1)
    entries = [deposit(n, day, name, 10**n) for n, (day, name) in enumerate((d, a) for a in ("ISA", "P") for d in days)]
    undo = LedgerEntry("u", "u", AS_OF, "undo", undoes="3")

    def so_far(*more: LedgerEntry) -> dict[str, tuple[Decimal, Decimal]]:
        found = with_year_of(folio, [*entries, *more], AS_OF).so_far.contributed
        return {kind: (one.year, one.before) for kind, one in found.items()}

    assert so_far() == {"isa": (1, 10), "pension": (1000, 10_000)}
    assert so_far(undo) == {"isa": (1, 10), "pension": (0, 10_000)}
    assert with_year_of(of(Account("ISA", "isa"), residence="US"), entries, AS_OF).so_far == YearSoFar()


def test_the_calendar_says_what_is_left_of_this_year_s_limits() -> None:
    folio = knowing(Account("IRP", "irp"), irp=paid_in(10_000_000))
    [task] = [one for one in calendar(folio, dt.date(AS_OF.year, 12, 1), 1) if one.code == "pension-contribution"]
    told = task.task.told("en")
    assert "9,000,000 won (10,000,000 won paid in so far, 1,000,000 won above it)" in told
    assert "18,000,000 won (10,000,000 won paid in so far, 8,000,000 won left)" in told


# What earlier years left of an ISA's limit: 20 million a year since it was opened, 100 million in all.


def room(contributed: Contributed, rule: str = "isa-year", day: dt.date = AS_OF) -> tuple[int, int, bool]:
    [found] = [one for one in rooms({"isa": contributed}, day) if one.limit.rule == rule]
    return int(found.amount), int(found.left), found.carried


def test_what_earlier_years_left_unused_may_be_paid_into_an_isa() -> None:
    # Opened two years ago, 12 million paid in before this year: 3 × 20 − 12 = 48, of which 5 are paid in.
    assert room(paid_in(5_000_000, 12_000_000, AS_OF.year - 2)) == (48_000_000, 43_000_000, True)


def test_an_isa_takes_no_more_than_its_limit_in_all_however_long_it_was_left_empty() -> None:
    assert room(paid_in(0, 30_000_000, AS_OF.year - 9)) == (70_000_000, 70_000_000, True)
    assert room(paid_in(1_000_000, 99_000_000, AS_OF.year - 9), "isa-total") == (100_000_000, 0, False)


def test_an_isa_of_this_year_has_the_year_s_limit() -> None:
    assert room(paid_in(5_000_000)) == (20_000_000, 15_000_000, False)


def test_what_an_isa_held_when_the_ledger_began_may_have_been_paid_in_too() -> None:
    began = paid_in(5_000_000, 12_000_000, AS_OF.year - 2, dt.date(AS_OF.year - 2, 3, 2))
    assert room(began) == (20_000_000, 15_000_000, False)  # the year itself is known, what earlier ones left is not
    by_rule = {one.limit.rule: one for one in rooms({"isa": began}, AS_OF)}
    assert by_rule["isa-year"].since is None
    assert by_rule["isa-total"].since == began.since


def test_a_plan_s_deposit_is_measured_with_what_carries_over() -> None:
    folio = knowing(Account("ISA", "isa"), isa=paid_in(1_000_000, 12_000_000, AS_OF.year - 1))
    [left] = contribution_notes(folio, {"ISA": D(25_000_000)}, KRW, AS_OF)
    assert (left.message.key, left.message.values["left"]) == ("contribution.isa-year-carried-left", 2_000_000)
    [over] = contribution_notes(folio, {"ISA": D(28_000_000)}, KRW, AS_OF)
    assert (over.message.key, over.message.values["room"]) == ("contribution.isa-year-carried", 28_000_000)
    for lang in ("en", "ko"):
        assert "{" not in tell(over.message, lang) + tell(left.message, lang)


def ledger(*rows: tuple[dt.date, Any, str, int]) -> list[LedgerEntry]:
    return [
        LedgerEntry(str(n), str(n), day, kind, account, currency="KRW", amount=D(amount))
        for n, (day, kind, account, amount) in enumerate(rows)
    ]


def test_a_ledger_that_began_with_an_opening_or_was_corrected_does_not_know_all_that_was_paid_in() -> None:
    folio, early, late = of(Account("ISA", "isa")), dt.date(AS_OF.year - 3, 5, 4), dt.date(AS_OF.year, 1, 5)

    def known(*rows: tuple[dt.date, Any, str, int]) -> Contributed:
        return with_year_of(folio, ledger(*rows), AS_OF).so_far.contributed["isa"]

    deposits = (early, "deposit", "ISA", 7), (late, "deposit", "ISA", 5)
    assert known(*deposits) == Contributed(D(5), D(7), early)
    assert known((early, "opening", "ISA", 100), *deposits) == Contributed(D(5), D(7), early, early)
    assert known(*deposits, (late, "correction", "ISA", 3)) == Contributed(D(5), D(7), early, late)
    assert known(*deposits, (late, "correction", "ISA", -3)) == Contributed(D(5), D(7), early)


def test_next_year_s_calendar_knows_what_this_year_left_of_an_isa() -> None:
    folio = knowing(Account("ISA", "isa"), isa=paid_in(5_000_000))
    items = calendar(folio, dt.date(AS_OF.year, 12, 1), 3)
    [task] = [one for one in items if one.code == "isa-contribution"]
    assert task.date.year == AS_OF.year + 1
    told = task.task.told("en")
    assert "35,000,000 won with what earlier years left unused, at 20,000,000 won" in told
    assert "(5,000,000 won paid in so far, 95,000,000 won left)" in told


# What the year came to stands beside the limits of the risk table.


def listed(folio: Portfolio, as_of: dt.date | None = AS_OF) -> dict[str, RiskRule]:
    return {one.rule: one for one in risk(folio, None, RiskInputs(as_of=as_of)) if one.unit == "won"}


def test_the_risk_table_shows_what_was_paid_in_and_what_is_left() -> None:
    accounts = Account("내 ISA", "isa"), Account("IRP", "irp"), Account("연금", "pension")
    folio = knowing(*accounts, isa=paid_in(21_000_000), irp=paid_in(3_000_000))
    found = listed(folio)
    assert {name: (one.scope, one.limit, one.actual, one.status) for name, one in found.items()} == {
        "isa-year": ("내 ISA", 20_000_000, 21_000_000, "UNKNOWN"),  # it may have been opened, empty, years ago
        "isa-total": ("내 ISA", 100_000_000, 21_000_000, "OK"),
        "pension-year": ("IRP, 연금", 18_000_000, 3_000_000, "OK"),
    }
    assert "15,000,000원" in tell(found["pension-year"].note or "", "ko")
    assert listed(folio, None) == {}
    assert listed(replace(folio, settings=Settings(residence="US"))) == {}


def test_payments_above_a_limit_that_nothing_carries_over_to_break_it() -> None:
    folio = knowing(Account("ISA", "isa"), Account("IRP", "irp"), isa=paid_in(0, 100_000_001), irp=paid_in(18_000_001))
    found = listed(folio)
    assert (found["isa-total"].status, found["pension-year"].status) == ("BREACH", "BREACH")


def test_more_than_a_year_s_limit_is_no_breach_where_earlier_years_may_have_left_some() -> None:
    began = paid_in(25_000_000, 0, AS_OF.year - 2, dt.date(AS_OF.year - 2, 3, 2))
    found = listed(knowing(Account("ISA", "isa"), isa=began))
    assert (found["isa-year"].status, found["isa-total"].status) == ("UNKNOWN", "UNKNOWN")


@pytest.mark.parametrize(
    ("gained", "said"),
    [
        (1_000_000, "1,500,000 of 2,500,000 won still unused"),
        (3_500_000, "gains so far are 1,000,000 above it; 22% of that is due in May 2027: 220,000 won"),
        (-400_000, "2,900,000 won of further gains are untaxed"),
    ],
)
def test_the_risk_table_shows_the_year_s_overseas_gains_beside_the_allowance(gained: int, said: str) -> None:
    folio = replace(of(Account("", "taxable")), so_far=YearSoFar(D(gained)))
    row = listed(folio)["overseas-allowance"]
    assert (row.limit, row.actual, row.status) == (2_500_000, gained, "OK")
    assert said in tell(row.note or "", "en")


def test_nothing_is_said_of_gains_that_no_ledger_knows() -> None:
    assert listed(of(Account("", "taxable"))) == {}
