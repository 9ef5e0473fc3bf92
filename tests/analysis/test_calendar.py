"""The year's tasks, on days that trade, and the calendar file."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.calendar import MAX_BYTES, Calendar, CalendarItem, calendar, last_settling_day, task_rows
from engine.phrase import phrase
from engine.portfolio import Account, Portfolio, Rule
from engine.schedule import PERIOD_MONTHS, section_due, session_roll
from engine.words import known
from tests.builders import holding, portfolio, section, target

D = Decimal
START = dt.date(2026, 11, 21)


def sample(core: Rule | None = None, satellite: Rule | None = None, **more: object) -> Portfolio:
    given: dict[str, object] = {
        "holdings": (holding("069500", 1), holding("SOXX", 1)),
        "sections": (
            section("core", target("069500", 0.7), rule=core),
            section("satellite", target("SOXX", 0.3), rule=satellite),
        ),
    }
    return portfolio(**(given | more))  # type: ignore[arg-type]


def dates(items: tuple[CalendarItem, ...], code: str) -> list[str]:
    return [item.date.isoformat() for item in items if item.code == code]


def test_the_core_is_due_in_january_and_july() -> None:
    # 2027-01-01 is a holiday and a Friday, so Monday the 4th; 2027-07-01 is a Thursday.
    assert dates(calendar(sample(), START), "core-review") == ["2027-01-04", "2027-07-01"]


def test_the_satellite_is_due_every_quarter() -> None:
    found = dates(calendar(sample(), START), "satellite-review")
    assert found == ["2027-01-04", "2027-04-01", "2027-07-01", "2027-10-01"]


def test_dates_count_from_the_last_rebalancing_where_one_is_given() -> None:
    rule = Rule("quarterly", last_rebalanced=dt.date(2026, 10, 13))
    found = dates(calendar(sample(satellite=rule), START), "satellite-review")
    assert found == ["2027-01-13", "2027-04-13", "2027-07-13", "2027-10-13"]


def test_an_overdue_review_comes_first_and_is_due() -> None:
    rule = Rule("semi-annual", last_rebalanced=dt.date(2026, 3, 2))
    first = calendar(sample(core=rule), START)[0]
    assert (first.code, first.date, first.due) == ("core-review", dt.date(2026, 9, 2), True)


def test_a_task_is_due_on_its_own_day_and_not_before() -> None:
    on = calendar(sample(), dt.date(2027, 7, 1), 1)
    assert {item.due for item in on if item.date == dt.date(2027, 7, 1)} == {True}
    before = calendar(sample(), dt.date(2027, 6, 30), 1)
    assert not any(item.due for item in before)


def test_korea_and_the_us_have_different_holidays() -> None:
    # 2026-02-16 is Presidents' Day and the eve of Seollal (holidays to the 18th); 2026-07-03 is the US holiday only.
    korea, america = session_roll(frozenset({"KR"})), session_roll(frozenset({"US"}))
    both = session_roll(frozenset({"KR", "US"}))
    assert korea(dt.date(2026, 2, 16)) == dt.date(2026, 2, 19)
    assert america(dt.date(2026, 2, 16)) == dt.date(2026, 2, 17)
    assert both(dt.date(2026, 2, 16)) == dt.date(2026, 2, 19)
    assert korea(dt.date(2026, 7, 3)) == dt.date(2026, 7, 3)
    assert both(dt.date(2026, 7, 3)) == dt.date(2026, 7, 6)


@given(
    st.dates(dt.date(2024, 1, 1), dt.date(2032, 12, 31)),
    st.none() | st.integers(0, 800),
    st.sampled_from(sorted(PERIOD_MONTHS)),
)
def test_the_next_review_is_the_day_that_the_plan_names(day: dt.date, ago: int | None, schedule: str) -> None:
    last = None if ago is None else day - dt.timedelta(days=ago)
    one = sample(core=Rule(schedule, last_rebalanced=last))  # type: ignore[arg-type]
    first = next(item for item in calendar(one, day, 14) if item.code == "core-review")
    due, planned = section_due(one, one.sections[0], day)
    assert first.date == planned
    assert first.due or not due


def test_a_year_whose_holidays_are_not_at_hand_takes_no_time() -> None:
    # Computing sessions takes seconds, and cannot be done beyond 2050.
    assert calendar(sample(), dt.date(2060, 1, 1), 24)


def test_retirement_accounts_are_looked_at_in_april_and_october() -> None:
    assert dates(calendar(sample(), START), "isa-irp") == ["2027-04-01", "2027-10-01"]


def test_fixed_months_are_kept_whatever_was_recorded_in_between() -> None:
    rule = Rule("semi-annual", months=(3, 9), last_rebalanced=dt.date(2026, 10, 15))
    assert dates(calendar(sample(core=rule), START), "core-review") == ["2027-03-02", "2027-09-01"]


def test_a_weekly_review_comes_every_week() -> None:
    rule = Rule("weekly", last_rebalanced=dt.date(2026, 11, 20))
    assert dates(calendar(sample(core=rule), START, 1), "core-review") == [
        "2026-11-27", "2026-12-04", "2026-12-11", "2026-12-18",
    ]  # fmt: skip


def test_the_strategy_is_of_the_year_and_looked_at_in_its_middle() -> None:
    found = calendar(sample(), START)
    assert (dates(found, "strategy"), dates(found, "mid-year")) == (["2027-01-04"], ["2027-07-01"])


def test_drift_is_looked_at_every_month_unless_a_section_is_anyway() -> None:
    assert len(dates(calendar(sample(), START), "drift-check")) == 12
    assert not dates(calendar(sample(core=Rule("monthly")), START), "drift-check")


def test_payments_name_the_limits_of_their_year() -> None:
    said = {item.code: str(item.task) for item in calendar(sample(), START)}
    assert "20,000,000" in said["isa-contribution"]
    assert "100,000,000" in said["isa-contribution"]
    assert "6,000,000" in said["pension-contribution"]
    assert "9,000,000" in said["pension-contribution"]


def test_only_the_accounts_that_are_there_are_paid_into() -> None:
    isa = calendar(sample(accounts=(Account("a", "isa"),)), START)
    assert dates(isa, "isa-contribution")
    assert not dates(isa, "pension-contribution")


def test_losses_are_set_off_in_november_and_december_with_what_is_left_of_the_allowance() -> None:
    found = calendar(sample(), dt.date(2026, 10, 20), realised=D(4_000_000))
    assert dates(found, "tax-loss") == ["2026-11-02", "2026-12-01"]
    assert "1,500,000 above" in next(str(item.task) for item in found if item.code == "tax-loss")


def test_an_american_has_american_taxes_and_no_korean_accounts() -> None:
    american = portfolio(holdings=(holding("SOXX", 1),), base_currency="USD")
    codes = {item.code for item in calendar(american, START)}
    assert "us-tax-loss" in codes
    assert not codes & {
        "overseas-filing",
        "overseas-gains",
        "tax-loss",
        "isa-irp",
        "isa-contribution",
        "dividend-dates",
    }


def test_a_korean_calendar_file_has_korean_titles() -> None:
    text = Calendar(calendar(sample(), START)).to_ics(STAMP, "ko")
    titles = [str(event["SUMMARY"]) for event in icalendar.Calendar.from_ical(text).walk("VEVENT")]
    assert "[코어] 코어 점검: 비중 이탈, 밴드, 보수" in titles
    assert not any(title.startswith(("[core]", "[tax]", "[all]")) for title in titles)


def test_a_person_who_declares_only_a_taxable_account_has_no_such_task() -> None:
    taxable = sample(accounts=(Account("a", "taxable"),))
    irp = sample(accounts=(Account("a", "irp"),))
    assert dates(calendar(taxable, START), "isa-irp") == []
    assert dates(calendar(irp, START), "isa-irp")


def test_dividend_dates_are_looked_up_in_february_and_march_by_holders_of_korean_shares() -> None:
    # 1 March is a holiday; in 2027 a Monday, so Tuesday the 2nd.
    assert dates(calendar(sample(), START), "dividend-dates") == ["2027-02-01", "2027-03-02"]
    foreign = portfolio(holdings=(holding("SOXX", 1),))
    assert dates(calendar(foreign, START), "dividend-dates") == []


def test_the_tax_year_ends_with_the_last_sale_that_settles_in_korea() -> None:
    # The last Korean session of 2026 is Wednesday 30 December; sold on the 28th, settled on the 29th, then in Korea.
    assert last_settling_day(2026) == dt.date(2026, 12, 28)
    assert dates(calendar(sample(), START), "overseas-deadline") == ["2026-12-28"]


def test_the_allowance_still_unused_is_named_where_gains_are_given() -> None:
    def said(realised: Decimal | None) -> str:
        items = calendar(sample(), START, realised=realised)
        return next(str(item.task) for item in items if item.code == "overseas-deadline")

    assert "1,500,000 of 2,500,000 won still unused" in said(D(1_000_000))
    assert "0 of 2,500,000 won still unused" in said(D(3_000_000))
    assert "2,500,000 of 2,500,000" in said(D(0))
    assert "2,600,000 won of further gains are untaxed" in said(D(-100_000))
    assert "gains so far not given" in said(None)


def test_gains_of_this_year_say_nothing_of_the_next() -> None:
    items = calendar(sample(), START, 24, realised=D(1_000_000))
    next_year = [i for i in items if i.code == "overseas-deadline" and i.date.year == 2027]
    assert "not given" in str(next_year[0].task)


def test_a_portfolio_of_korean_instruments_has_no_overseas_tax() -> None:
    found = calendar(portfolio(holdings=(holding("069500", 1),)), START)
    assert not [item for item in found if item.section == "tax"]


def test_the_window_ends_before_its_last_day() -> None:
    found = calendar(sample(), dt.date(2026, 12, 1), 1)
    assert all(dt.date(2026, 12, 1) <= item.date < dt.date(2027, 1, 1) for item in found)


def test_a_review_that_a_holiday_moves_past_the_window_is_not_listed() -> None:
    # 2027-01-01 is moved to the 4th; a window of the first three days holds nothing, one that begins on the 2nd does.
    assert dates(calendar(sample(), dt.date(2026, 12, 3), 1), "core-review") == []
    assert dates(calendar(sample(), dt.date(2027, 1, 2), 1), "core-review") == ["2027-01-04"]


def test_a_section_without_a_schedule_keeps_the_years_rhythm() -> None:
    found = calendar(sample(core=Rule("none")), START)
    assert dates(found, "core-review") == ["2027-01-04", "2027-07-01"]


def test_every_task_has_a_message_a_source_and_a_day() -> None:
    assert all(known(f"task.{row.code}") and row.source and row.checked_on.year >= 2026 for row in task_rows())


# The calendar file ----------------------------------------------------------------------------------------------------

STAMP = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_another_reader_finds_every_task_on_its_day(lang: str) -> None:
    items = calendar(sample(), START)
    events = icalendar.Calendar.from_ical(Calendar(items).to_ics(STAMP, lang)).walk("VEVENT")
    assert [(event.decoded("DTSTART"), str(event["SUMMARY"])) for event in events] == [
        (item.date, item.title.told(lang)) for item in items
    ]


def test_lines_are_at_most_75_bytes_and_end_in_crlf() -> None:
    # RFC 5545, 3.1.
    text = Calendar(calendar(sample(), START)).to_ics(STAMP, "ko")
    assert text.endswith("\r\n")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= MAX_BYTES
    assert "\n" not in text.replace("\r\n", "")


def test_commas_semicolons_and_line_breaks_are_escaped() -> None:
    # RFC 5545, 3.3.11.
    item = CalendarItem(START, "a;b", "c", phrase("task.review", section="x, y\nz\\"), due=False)
    (event,) = icalendar.Calendar.from_ical(Calendar((item,)).to_ics(STAMP)).walk("VEVENT")
    assert str(event["SUMMARY"]) == "[a;b] Review x, y\nz\\: drift and bands"


def test_a_task_keeps_its_identity_when_the_file_is_made_again() -> None:
    items = calendar(sample(), START)
    first, later = (Calendar(items).to_ics(STAMP + dt.timedelta(days=days)) for days in (0, 1))
    uids = [[line for line in text.split("\r\n") if line.startswith("UID")] for text in (first, later)]
    assert uids[0] == uids[1]
    assert len(set(uids[0])) == len(items)
