from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from engine.analysis.calendar import calendar
from engine.costs.contributions import contribution_limits, contribution_notes, limits_passed
from engine.costs.table import read_table
from engine.ledger.entries import LedgerEntry
from engine.money import FxTable
from engine.portfolio import Account, Portfolio
from engine.settings import Residence, Settings
from engine.words import tell
from rebalancer.ledgers import with_year_of
from tests.builders import AS_OF, D, portfolio

KRW = FxTable("KRW")


def of(*accounts: Account, residence: Residence = "KR") -> Portfolio:
    return portfolio(accounts=accounts, settings=Settings(residence=residence))


def passed(**payments: int) -> list[str]:
    return [limit.rule for limit in limits_passed({kind: D(paid) for kind, paid in payments.items()}, AS_OF)]


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
    folio = replace(of(Account("ISA", "isa")), contributed={"isa": D(15_000_000)})
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
    assert with_year_of(folio, entries, AS_OF).contributed == {"isa": 1, "pension": 1000}
    assert with_year_of(folio, [*entries, undo], AS_OF).contributed == {"isa": 1}
    assert with_year_of(of(Account("ISA", "isa"), residence="US"), entries, AS_OF).contributed == {}


def test_the_calendar_says_what_is_left_of_this_year_s_limits() -> None:
    folio = replace(of(Account("IRP", "irp")), contributed={"irp": D(10_000_000)})
    [task] = [one for one in calendar(folio, dt.date(AS_OF.year, 12, 1), 1) if one.code == "pension-contribution"]
    told = task.task.told("en")
    assert "9,000,000 won (10,000,000 won paid in so far, 1,000,000 won above it)" in told
    assert "18,000,000 won (10,000,000 won paid in so far, 8,000,000 won left)" in told
