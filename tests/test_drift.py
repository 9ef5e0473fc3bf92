from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.drift import (
    band,
    cash_band,
    goal_states,
    limit_problems,
    portfolio_drift,
    positions,
    section_states,
)
from engine.money import FxTable
from engine.plan import Cause, Position, SectionState
from engine.portfolio import Group, Holding, Portfolio, Rule
from engine.valuation import value
from tests.builders import AS_OF, D, holding, portfolio, section, target, valued

WIDE = Rule(absolute_band=D("0.05"))


def worth(symbol: str, won: object, **more: Any) -> Holding:
    """Hold one share at a manual price."""
    return holding(symbol, 1, price=D(str(won)), **more)


def states(folio: Portfolio) -> tuple[dict[str, Position], dict[str, SectionState]]:
    valuation = valued(folio)
    goals = goal_states(folio, valuation)
    sections = section_states(folio, valuation, goals, AS_OF)
    return {p.symbol: p for p in positions(folio, valuation, goals)}, {s.section: s for s in sections}


def one(weight: str, won: object, cash: object, rule: Rule = WIDE, **more: Any) -> Position:
    """Return the position of a portfolio of one instrument and cash."""
    folio = portfolio(
        [worth("069500", won)], [section("all", target("069500", weight, **more), rule=rule)], {"KRW": cash}
    )
    return states(folio)[0]["069500"]


def acting(folio: Portfolio) -> dict[str, Cause]:
    """Return the sections that act, each with its cause."""
    return {name: state.why for name, state in states(folio)[1].items() if state.acts}


# --- the example of the domain


def core_satellite() -> Portfolio:
    core = section("core", target("360750", "0.35"), target("069500", "0.15"), target("305080", "0.15"))
    satellite = section("satellite", target("091230", "0.12"), target("305720", "0.08"), target("453810", "0.07"))
    held = {"360750": 45, "069500": 15, "305080": 12, "091230": 18, "305720": 6, "453810": 4}
    return portfolio([worth(symbol, f"{n}00000") for symbol, n in held.items()], [core, satellite])


def test_the_core_satellite_portfolio_drifts_as_its_owner_reckoned() -> None:
    found, _ = states(core_satellite())
    assert [p.drift for p in found.values()] == [D(x) for x in ("0.10", "0", "-0.03", "0.06", "-0.02", "-0.03")]


def test_the_core_is_breached_by_one_fund_and_the_satellite_by_none() -> None:
    found, sections = states(core_satellite())
    assert (sections["core"].breaches, sections["satellite"].breaches) == (("360750",), ())
    assert found["360750"].status == "OVER"


def test_the_core_sleeve_is_over_at_72_against_65_percent_and_the_satellite_is_not() -> None:
    _, sections = states(core_satellite())
    core, satellite = sections["core"], sections["satellite"]
    assert (core.weight, core.target, core.drift, core.status) == (D("0.72"), D("0.65"), D("0.07"), "OVER")
    assert (satellite.weight, satellite.target, satellite.status) == (D("0.28"), D("0.27"), "OK")


def test_the_8_percent_left_over_is_the_cash_target_and_a_part_of_the_drift() -> None:
    folio = core_satellite()
    assert folio.cash_target == D("0.08")
    assert portfolio_drift(folio, valued(folio)) == D("0.16")  # (10+0+3+6+2+3 + 8) / 2 points
    assert list(acting(folio)) == ["core"]


# --- bands


@pytest.mark.parametrize(
    ("weight", "absolute", "relative", "expected"),
    [
        ("0.35", "0.05", None, ("0.30", "0.40")),
        ("0.35", "0.05", "0.25", ("0.30", "0.40")),  # 5 points is nearer than 8.75
        ("0.08", "0.05", "0.25", ("0.06", "0.10")),  # 25 % of 8 is nearer than 5 points
        ("0.20", "0.05", "0.25", ("0.15", "0.25")),  # where the two meet
        ("0.07", "0.07", None, ("0", "0.14")),
        ("0.04", "0.07", None, ("0", "0.11")),
        ("0", "0.05", "0.25", ("0", "0")),
        ("0", "0.05", None, ("0", "0.05")),
        ("0.5", None, "0.2", ("0.4", "0.6")),
        ("0.5", None, None, ("0", "1")),
    ],
)
def test_the_nearer_band_counts_and_its_low_end_is_never_below_0(
    weight: str, absolute: str | None, relative: str | None, expected: tuple[str, str]
) -> None:
    rule = Rule(absolute_band=D(absolute) if absolute else None, relative_band=D(relative) if relative else None)
    assert band(D(weight), rule) == tuple(map(D, expected))


def test_a_weight_exactly_at_its_band_is_no_breach() -> None:
    assert 0.20 - 0.15 > 0.05  # what floats would say
    assert one("0.15", 200, 800).status == "OK"
    assert one("0.20", 150, 850).status == "OK"


def test_one_won_beyond_the_band_is_a_breach() -> None:
    total = 10**12
    assert one("0.15", total // 5 + 1, total * 4 // 5 - 1).status == "OVER"
    assert one("0.20", total * 15 // 100 - 1, total * 85 // 100 + 1).status == "UNDER"


def test_a_weight_that_no_decimal_can_hold_is_compared_exactly() -> None:
    third = Rule(absolute_band=D("0.1"))
    assert one("0.2", 1, 2, third).status == "OVER"
    assert one("0.4", 1, 2, third).status == "OK"


def test_a_rule_without_bands_is_never_breached() -> None:
    assert one("0.9", 1, 10**9, Rule()).status == "OK"


def test_a_7_point_band_on_a_7_percent_target_never_breaches_downward() -> None:
    assert one("0.07", 1, 10**12, Rule(absolute_band=D("0.07"))).status == "OK"


# --- statuses


def test_a_holding_without_a_target_has_target_0_and_is_shown_last() -> None:
    folio = portfolio([worth("102110", 10), worth("069500", 10)], [section("core", target("069500", "0.5"))])
    found, _ = states(folio)
    assert list(found) == ["069500", "102110"]
    stray = found["102110"]
    assert (stray.status, stray.section, stray.target, stray.drift) == ("NO_TARGET", None, 0, D("0.5"))


def test_a_row_of_quantity_0_without_a_target_is_no_holding() -> None:
    folio = portfolio([holding("069500", 0, price=D(10))], cash={"KRW": 5})
    assert states(folio)[0]["069500"].status == "OK"


def test_a_zero_target_that_is_held_is_over_under_a_relative_band() -> None:
    assert one("0", 1, 99, Rule(absolute_band=D("0.05"), relative_band=D("0.25"))).status == "OVER"
    assert one("0", 5, 95, WIDE).status == "OK"


def test_a_target_that_is_not_held_is_under() -> None:
    folio = portfolio([holding("069500", 0, price=D(100))], [section("core", target("069500", "0.4"))], {"KRW": 1000})
    found = states(folio)[0]["069500"]
    assert (found.status, found.weight, found.drift, found.accounts) == ("UNDER", 0, D("-0.4"), {})


def test_a_locked_holding_is_locked_whatever_its_weight_or_target() -> None:
    folio = portfolio(
        [worth("069500", 90, locked=True), worth("102110", 10, locked=True)],
        [section("core", target("069500", "0.1"))],
    )
    found, sections = states(folio)
    assert {p.status for p in found.values()} == {"LOCKED"}
    assert sections["core"].breaches == ()
    assert sections["core"].status == "OVER"


def test_a_lock_holds_the_row_it_stands_on() -> None:
    rows = [worth("069500", 5, account="a"), worth("069500", 5, account="b", locked=True)]
    assert states(portfolio(rows))[0]["069500"].status == "NO_TARGET"
    assert states(portfolio(rows[1:]))[0]["069500"].status == "LOCKED"


def test_a_disabled_target_is_disabled_and_breaches_nothing() -> None:
    assert one("0.9", 10, 90, enabled=False).status == "DISABLED"


def test_a_disabled_target_without_a_price_is_shown_at_0_from_no_source() -> None:
    folio = portfolio(sections=[section("all", target("QQQ", "0.5", enabled=False))], cash={"KRW": 5})
    found = states(folio)[0]["QQQ"]
    assert (found.price, found.price_source, found.fx, found.status) == (0, "none", 0, "DISABLED")


def test_a_position_adds_up_its_accounts_and_names_its_rate() -> None:
    folio = portfolio(
        [holding("QQQ", 1, account="a", price=D(10)), holding("QQQ", 2, account="b"), holding("QQQ", 0, account="c")],
        fx={"USDKRW": D(1400)},
    )
    found = states(folio)[0]["QQQ"]
    assert (found.quantity, found.accounts, found.fx, found.value) == (3, {"a": 1, "b": 2}, 1400, 42000)


# --- sections


def test_a_sleeve_exactly_at_its_band_is_no_breach_even_in_sevenths() -> None:
    parts = [worth(symbol, n) for symbol, n in {"069500": 1, "102110": 10, "153130": 24}.items()]
    aims = [target("069500", "0.15"), target("102110", "0.15"), target("153130", "0.15")]
    folio = portfolio(parts, [section("core", *aims)], {"KRW": 35})
    assert states(folio)[1]["core"].status == "OK"  # 35/70 against 45 % ± 5
    over = replace(folio, holdings=(*parts[:2], worth("153130", "24.001")))
    assert states(over)[1]["core"].status == "OVER"


def test_a_sleeve_over_its_band_is_shown_and_calls_for_no_trade_while_each_position_is_within_its_own() -> None:
    aims = [target("069500", "0.3"), target("102110", "0.3")]
    folio = portfolio([worth("069500", 33), worth("102110", 33)], [section("core", *aims)], {"KRW": 34})
    found, sections = states(folio)
    assert {p.status for p in found.values()} == {"OK"}
    assert sections["core"].status == "OVER"
    assert not sections["core"].acts


def test_a_sleeve_with_only_a_relative_band_is_held_to_it() -> None:
    rule = Rule(relative_band=D("0.1"))
    aims = [section("core", target("069500", "0.5"), rule=rule)]
    assert states(portfolio([worth("069500", 44)], aims, {"KRW": 56}))[1]["core"].status == "UNDER"
    assert states(portfolio([worth("069500", 45)], aims, {"KRW": 55}))[1]["core"].status == "OK"


def test_a_due_section_calls_for_rebalancing_without_any_drift() -> None:
    rule = replace(WIDE, schedule="quarterly", last_rebalanced=dt.date(2026, 7, 1))
    folio = portfolio([worth("069500", 50)], [section("core", target("069500", "0.5"), rule=rule)], {"KRW": 50})
    due = states(folio)[1]["core"]
    assert (due.due, due.next_due) == (True, dt.date(2026, 10, 1))
    assert acting(folio) == {"core": Cause("due", since=dt.date(2026, 10, 1))}
    fresh = replace(rule, last_rebalanced=dt.date(2026, 10, 1))
    assert acting(replace(folio, sections=(replace(folio.sections[0], rule=fresh),))) == {}


def test_a_section_acts_where_a_band_of_its_own_is_broken_and_another_does_not() -> None:
    aims = [
        section("core", target("069500", "0.5")),
        section("satellite", target("102110", "0.5"), rule=Rule(absolute_band=D("0.2"))),
    ]
    folio = portfolio([worth("069500", 40), worth("102110", 60)], aims)
    assert acting(folio) == {"core": Cause("band", ("069500",))}


def test_a_locked_or_disabled_position_makes_no_section_act() -> None:
    aims = [section("core", target("069500", "0.1", maximum=D("0.2")), target("102110", "0.9", enabled=False))]
    assert acting(portfolio([worth("069500", 90, locked=True), worth("102110", 10)], aims)) == {}


def test_every_section_acts_where_trades_are_always_made() -> None:
    folio = portfolio([worth("069500", 50)], [section("core", target("069500", "0.5"))], {"KRW": 50})
    always = replace(folio, settings=replace(folio.settings, trigger="always"))
    assert acting(always) == {"core": Cause("always")}


def test_cash_is_left_alone_within_a_quarter_of_its_target_or_5_percent_of_the_whole() -> None:
    aims = [section("core", target("069500", "0.9"))]
    assert cash_band(portfolio(sections=aims), D(1000)) == (D(75), D(125))
    assert cash_band(portfolio(sections=[section("core", target("069500", "0.5"))]), D(1000)) == (D(450), D(550))


def test_cash_without_a_target_may_be_1_percent_of_the_whole() -> None:
    assert cash_band(portfolio(sections=[section("core", target("069500", "1"))]), D(1000)) == (D(0), D(10))


# --- limits


def limits(folio: Portfolio) -> list[tuple[str, str]]:
    return [(p.severity, str(p.where)) for p in limit_problems(folio, positions(folio, valued(folio)))]


def test_a_weight_beyond_its_minimum_or_maximum_is_a_warning_with_figures() -> None:
    aims = section("core", target("069500", "0.3", maximum=D("0.4")), target("102110", "0.3", minimum=D("0.2")))
    folio = portfolio([worth("069500", 50), worth("102110", 10)], [aims], {"KRW": 40})
    found = limit_problems(folio, positions(folio, valued(folio)))
    assert [(p.severity, p.code, str(p.where)) for p in found] == [
        ("warning", "limit-breached", "core 069500"),
        ("warning", "limit-breached", "core 102110"),
    ]
    assert "50.00%" in str(found[0].message)
    assert "40.00%" in str(found[0].message)


def test_a_weight_exactly_at_its_limit_is_no_breach() -> None:
    aims = section("core", target("069500", "0.3", maximum=D("0.4")), target("102110", "0.3", minimum=D("0.2")))
    assert limits(portfolio([worth("069500", 40), worth("102110", 20)], [aims], {"KRW": 40})) == []


def test_a_groups_joint_weight_is_held_to_its_cap_and_floor() -> None:
    folio = portfolio([worth("TQQQ", 6), worth("SOXL", 5)], cash={"USD": 89}, fx={"USDKRW": D(1400)})
    capped = Group("leveraged", ("TQQQ", "SOXL"), maximum=D("0.10"))
    assert limits(replace(folio, groups=(capped,))) == [("warning", "groups leveraged")]
    assert limits(replace(folio, groups=(replace(capped, maximum=D("0.11")),))) == []
    assert limits(replace(folio, groups=(Group("floor", ("TQQQ", "SOXL"), minimum=D("0.12")),))) == [
        ("warning", "groups floor")
    ]


def test_a_disabled_target_is_not_warned_of() -> None:
    aims = section("core", target("069500", "0.3", minimum=D("0.4"), enabled=False))
    assert limits(portfolio([worth("069500", 10)], [aims], {"KRW": 90})) == []


def test_a_broken_limit_makes_its_section_act_within_all_bands() -> None:
    aims = section("all", target("069500", "0.3", maximum=D("0.3")), rule=WIDE)
    assert acting(portfolio([worth("069500", 31)], [aims], {"KRW": 69})) == {"all": Cause("limit", ("069500",))}
    assert acting(portfolio([worth("069500", 30)], [aims], {"KRW": 70})) == {}


# --- portfolio drift


def test_a_portfolio_on_target_has_no_drift() -> None:
    aims = [section("all", target("069500", "0.4"))]
    folio = portfolio([worth("069500", 40)], aims, {"KRW": 60})
    assert portfolio_drift(folio, valued(folio)) == 0


def test_a_portfolio_of_nothing_has_no_weights_no_breach_and_no_drift() -> None:
    folio = portfolio(sections=[section("all", target("069500", "0.4", enabled=False), target("102110", "0.4"))])
    nothing = value(folio, {}, FxTable("KRW"))
    found = positions(folio, nothing)
    assert [p.status for p in found] == ["DISABLED", "OK"]
    assert portfolio_drift(folio, nothing) == 0


@st.composite
def long_only(draw: st.DrawFn) -> Portfolio:
    symbols = [f"{n:06d}" for n in range(draw(st.integers(1, 12)))]
    parts = draw(st.lists(st.integers(0, 100), min_size=len(symbols) + 1, max_size=len(symbols) + 1).filter(any))
    weights = [(D(n) / sum(parts)).quantize(D("1e-6"), ROUND_DOWN) for n in parts[:-1]]
    prices = st.decimals(0, 10**7, places=2, allow_nan=False)
    rows = [
        holding(symbol, draw(st.decimals(0, 1000, places=3)), price=draw(prices), locked=draw(st.booleans()))
        for symbol in symbols
    ]
    cut = draw(st.integers(0, len(symbols)))
    aims = [
        target(symbol, weight, enabled=draw(st.booleans()))
        for symbol, weight in zip(symbols[:cut], weights, strict=False)
    ]
    middle = draw(st.integers(0, cut))
    sections = [section("core", *aims[:middle]), section("satellite", *aims[middle:])]
    return portfolio(rows, sections, {"KRW": draw(st.integers(1, 10**9))})


def safe(folio: Portfolio) -> tuple[Portfolio, Any, tuple[Position, ...]]:
    """Value without refusing prices of 0."""
    from engine.valuation import resolve_prices

    quotes = resolve_prices(replace(folio, sections=()), {}, AS_OF)[0]
    found = value(folio, quotes, FxTable("KRW"))
    return folio, found, positions(folio, found)


def close(left: Decimal, right: Decimal) -> bool:
    return abs(left - right) < D("1e-20")


@given(long_only())
def test_drifts_of_positions_and_cash_add_up_to_0(folio: Portfolio) -> None:
    _, worths, found = safe(folio)
    cash = worths.cash_value / worths.total
    assert close(sum((p.weight for p in found), cash), D(1))
    assert close(sum((p.drift for p in found), cash - folio.cash_target), D(0))


@given(long_only())
def test_portfolio_drift_is_between_0_and_1_for_long_only_portfolios(folio: Portfolio) -> None:
    _, worths, _ = safe(folio)
    assert 0 <= portfolio_drift(folio, worths) <= 1


@given(long_only())
def test_portfolio_drift_is_half_the_sum_of_all_deviations(folio: Portfolio) -> None:
    _, worths, found = safe(folio)
    off = sum(abs(p.drift) for p in found) + abs(worths.cash_value / worths.total - folio.cash_target)
    assert close(portfolio_drift(folio, worths), off / 2)


@given(long_only())
def test_statuses_say_on_which_side_of_the_band_a_weight_is(folio: Portfolio) -> None:
    for p in safe(folio)[2]:
        assert 0 <= p.low <= p.target <= p.high
        if p.status == "OVER":
            assert p.weight >= p.high
        elif p.status == "UNDER":
            assert p.weight <= p.low
        elif p.status == "OK":
            assert p.low <= p.weight <= p.high


@given(long_only())
def test_every_symbol_is_one_position_and_sleeves_add_them_up(folio: Portfolio) -> None:
    _, valuation, found = safe(folio)
    assert tuple(p.symbol for p in found) == folio.symbols
    sleeves = section_states(folio, valuation, goal_states(folio, valuation), AS_OF)
    strays = sum((p.weight for p in found if p.section is None), D(0))
    assert close(sum((s.weight for s in sleeves), strays), sum((p.weight for p in found), D(0)))
