from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market import calendars
from engine.market.calendars import FIRST_YEAR, LAST_YEAR, trading_day
from engine.portfolio import Portfolio, Rule
from engine.schedule import PERIOD_MONTHS, add_months, next_due, next_weekday, section_due, session_roll
from engine.settings import Schedule
from tests.builders import holding, portfolio, section, target

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2090, 12, 31))
SCHEDULES = st.sampled_from(sorted(PERIOD_MONTHS))


def test_a_rule_without_a_schedule_is_never_due() -> None:
    assert next_due(Rule("none", last_rebalanced=dt.date(2000, 1, 1)), dt.date(2026, 1, 1), next_weekday) == (
        False,
        None,
    )


@pytest.mark.parametrize(
    ("schedule", "due_on"),
    [
        ("monthly", dt.date(2026, 8, 3)),  # 1 August 2026 is a Saturday
        ("quarterly", dt.date(2026, 10, 1)),
        ("semi-annual", dt.date(2027, 1, 1)),
        ("annual", dt.date(2027, 7, 1)),
    ],
)
def test_the_next_review_is_a_period_after_the_last_one_on_a_weekday(schedule: Schedule, due_on: dt.date) -> None:
    assert next_due(Rule(schedule, last_rebalanced=dt.date(2026, 7, 1)), dt.date(2026, 7, 2), next_weekday) == (
        False,
        due_on,
    )


def test_a_review_is_due_on_its_day_and_after_but_not_the_day_before() -> None:
    rule = Rule("quarterly", last_rebalanced=dt.date(2026, 7, 1))
    due_on = dt.date(2026, 10, 1)
    assert next_due(rule, due_on - dt.timedelta(days=1), next_weekday) == (False, due_on)
    assert next_due(rule, due_on, next_weekday) == (True, due_on)
    assert next_due(rule, dt.date(2027, 3, 1), next_weekday) == (True, due_on)


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
    schedule: Schedule, as_of: dt.date, shown: dt.date
) -> None:
    assert next_due(Rule(schedule), as_of, next_weekday) == (False, shown)


def test_the_last_day_of_a_longer_month_becomes_the_last_day_of_a_shorter_one() -> None:
    assert add_months(dt.date(2027, 11, 30), 3) == dt.date(2028, 2, 29)


def test_another_calendar_can_say_which_days_count() -> None:
    def after_new_year(day: dt.date) -> dt.date:
        return next_weekday(day + dt.timedelta(days=1)) if (day.month, day.day) == (1, 1) else day

    rule = Rule("semi-annual", last_rebalanced=dt.date(2026, 7, 1))
    assert next_due(rule, dt.date(2027, 1, 1), after_new_year) == (False, dt.date(2027, 1, 4))


@given(DAYS, SCHEDULES)
def test_a_calendar_review_is_a_weekday_on_or_after_the_day_within_a_period(day: dt.date, schedule: Schedule) -> None:
    _, shown = next_due(Rule(schedule), day, next_weekday)
    assert shown is not None
    assert shown.weekday() < 5
    assert day <= shown <= next_weekday(add_months(day, PERIOD_MONTHS[schedule]))


@given(DAYS, DAYS, SCHEDULES)
def test_due_means_the_due_date_has_come(last: dt.date, day: dt.date, schedule: Schedule) -> None:
    due, due_on = next_due(Rule(schedule, last_rebalanced=last), day, next_weekday)
    assert due_on is not None
    assert due == (due_on <= day)


# --- on days on which the section's markets trade


def scheduled(*symbols: str, last: str = "2026-07-01", schedule: Schedule = "semi-annual") -> Portfolio:
    rule = Rule(schedule, last_rebalanced=dt.date.fromisoformat(last))
    aims = section("core", *(target(symbol, "0.1") for symbol in symbols), rule=rule)
    return portfolio([holding("AAPL", 1), holding("005930", 1)], [aims])


def due(one: Portfolio, day: str) -> tuple[bool, str]:
    is_due, on = section_due(one, one.sections[0], dt.date.fromisoformat(day))
    return is_due, str(on)


def test_a_review_on_a_holiday_waits_for_the_next_session() -> None:
    # 2027-01-01 is a Friday on which both exchanges are closed.
    one = scheduled("069500", "QQQ")
    assert due(one, "2027-01-01") == (False, "2027-01-04")
    assert due(one, "2027-01-04") == (True, "2027-01-04")


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [(["069500"], "2026-02-19"), (["QQQ"], "2026-02-17"), (["069500", "QQQ"], "2026-02-19")],
)
def test_the_markets_that_count_are_those_of_the_sections_targets(symbols: list[str], expected: str) -> None:
    # Seollal closes Korea on 16 to 18 February 2026, Presidents' Day the US on the 16th.
    assert due(scheduled(*symbols, last="2025-08-16"), "2026-02-01") == (False, expected)


def test_a_market_without_a_calendar_trades_on_weekdays() -> None:
    assert session_roll(frozenset({"OTHER"}))(dt.date(2027, 1, 1)) == dt.date(2027, 1, 1)
    assert session_roll(frozenset())(dt.date(2027, 1, 2)) == dt.date(2027, 1, 4)


@given(st.dates(dt.date(FIRST_YEAR, 1, 1), dt.date(LAST_YEAR, 12, 15)), st.sampled_from(["KR", "US"]))
def test_a_rolled_day_is_the_first_session(day: dt.date, market: str) -> None:
    rolled = session_roll(frozenset({market}))(day)
    assert trading_day(market, rolled)
    assert not any(trading_day(market, day + dt.timedelta(days=n)) for n in range((rolled - day).days))


@pytest.mark.parametrize(
    ("last", "expected"),
    [("1900-01-01", "1900-07-02"), ("2098-07-01", "2099-01-02"), ("2026-07-01", "2027-01-04")],
)
def test_no_session_is_computed_for_a_due_date(last: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(calendars, "_exchange", never)
    assert due(scheduled("069500", "QQQ", last=last), "2026-11-20")[1] == expected


def fixed(last: dt.date | None, as_of: dt.date) -> tuple[bool, dt.date | None]:
    return next_due(Rule(schedule="semi-annual", months=(1, 7), last_rebalanced=last), as_of, next_weekday)


def test_fixed_months_stay_whatever_was_recorded_in_between() -> None:
    between = dt.date(2026, 9, 15)
    assert fixed(between, dt.date(2026, 12, 31)) == (False, dt.date(2027, 1, 1))
    assert fixed(between, dt.date(2027, 1, 1)) == (True, dt.date(2027, 1, 1))


def test_a_fixed_month_that_was_missed_stays_due() -> None:
    assert fixed(dt.date(2026, 6, 20), dt.date(2026, 11, 20)) == (True, dt.date(2026, 7, 1))


def test_what_was_done_on_the_day_itself_counts() -> None:
    assert fixed(dt.date(2026, 7, 1), dt.date(2026, 7, 2)) == (False, dt.date(2027, 1, 1))


def test_fixed_months_without_a_record_are_never_due() -> None:
    assert fixed(None, dt.date(2026, 11, 20)) == (False, dt.date(2027, 1, 1))


def test_what_was_done_in_a_fixed_month_before_its_first_session_counts() -> None:
    saturday = dt.date(2027, 5, 1)
    rule = Rule(schedule="semi-annual", months=(5, 11), last_rebalanced=saturday)
    assert next_due(rule, dt.date(2027, 5, 3), next_weekday) == (False, dt.date(2027, 11, 1))
