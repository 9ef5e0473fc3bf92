from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.portfolio import Rule
from engine.schedule import PERIOD_MONTHS, add_months, next_due, next_weekday

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2090, 12, 31))
SCHEDULES = st.sampled_from(sorted(PERIOD_MONTHS))


def test_a_rule_without_a_schedule_is_never_due() -> None:
    assert next_due(Rule("none", last_rebalanced=dt.date(2000, 1, 1)), dt.date(2026, 1, 1)) == (False, None)


@pytest.mark.parametrize(
    ("schedule", "due_on"),
    [
        ("monthly", dt.date(2026, 8, 3)),  # 1 August 2026 is a Saturday
        ("quarterly", dt.date(2026, 10, 1)),
        ("semi-annual", dt.date(2027, 1, 1)),
        ("annual", dt.date(2027, 7, 1)),
    ],
)
def test_the_next_review_is_a_period_after_the_last_one_on_a_weekday(schedule: str, due_on: dt.date) -> None:
    assert next_due(Rule(schedule, last_rebalanced=dt.date(2026, 7, 1)), dt.date(2026, 7, 2)) == (False, due_on)


def test_a_review_is_due_on_its_day_and_after_but_not_the_day_before() -> None:
    rule = Rule("quarterly", last_rebalanced=dt.date(2026, 7, 1))
    due_on = dt.date(2026, 10, 1)
    assert next_due(rule, due_on - dt.timedelta(days=1)) == (False, due_on)
    assert next_due(rule, due_on) == (True, due_on)
    assert next_due(rule, dt.date(2027, 3, 1)) == (True, due_on)


@pytest.mark.parametrize(
    ("schedule", "as_of", "shown"),
    [
        ("monthly", dt.date(2026, 11, 20), dt.date(2026, 12, 1)),
        ("quarterly", dt.date(2026, 11, 20), dt.date(2027, 1, 1)),
        ("semi-annual", dt.date(2026, 3, 3), dt.date(2026, 7, 1)),
        ("annual", dt.date(2026, 1, 2), dt.date(2027, 1, 1)),
        ("monthly", dt.date(2026, 8, 1), dt.date(2026, 8, 3)),  # a Saturday: the first weekday is still to come
        ("monthly", dt.date(2026, 8, 3), dt.date(2026, 8, 3)),
        ("monthly", dt.date(2026, 8, 4), dt.date(2026, 9, 1)),
    ],
)
def test_without_a_last_review_the_next_calendar_review_is_shown_and_nothing_is_due(
    schedule: str, as_of: dt.date, shown: dt.date
) -> None:
    assert next_due(Rule(schedule), as_of) == (False, shown)


def test_the_last_day_of_a_longer_month_becomes_the_last_day_of_a_shorter_one() -> None:
    assert add_months(dt.date(2027, 11, 30), 3) == dt.date(2028, 2, 29)


def test_another_calendar_can_say_which_days_count() -> None:
    def after_new_year(day: dt.date) -> dt.date:
        return next_weekday(day + dt.timedelta(days=1)) if (day.month, day.day) == (1, 1) else day

    rule = Rule("semi-annual", last_rebalanced=dt.date(2026, 7, 1))
    assert next_due(rule, dt.date(2027, 1, 1), after_new_year) == (False, dt.date(2027, 1, 4))


@given(DAYS, SCHEDULES)
def test_a_calendar_review_is_a_weekday_on_or_after_the_day_within_a_period(day: dt.date, schedule: str) -> None:
    _, shown = next_due(Rule(schedule), day)
    assert shown is not None
    assert shown.weekday() < 5
    assert day <= shown <= next_weekday(add_months(day, PERIOD_MONTHS[schedule]))


@given(DAYS, DAYS, SCHEDULES)
def test_due_means_the_due_date_has_come(last: dt.date, day: dt.date, schedule: str) -> None:
    due, due_on = next_due(Rule(schedule, last_rebalanced=last), day)
    assert due_on is not None
    assert due == (due_on <= day)
