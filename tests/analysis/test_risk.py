"""Limits: at their boundary, exactly; own limits before the table's; accounts; and what is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.analysis.facts import Figure, Fund, FundLine
from engine.analysis.risk import RiskInputs, RiskRule, default_limits, risk, risk_problems
from engine.analysis.volatility import Turbulence
from engine.phrase import phrase
from engine.portfolio import Account, Group, Portfolio
from engine.settings import Settings
from engine.valuation import Valuation, resolve_fx, resolve_prices, value
from tests.builders import AS_OF, holding, instrument, portfolio, quote, section, target

D = Decimal


def worth(symbol: str, won: int, **more: object) -> tuple[object, object]:
    """Return a holding and its instrument: so many shares of one won each."""
    return holding(symbol, won, **{k: v for k, v in more.items() if k == "account"}), instrument(
        symbol, currency="KRW", market="KR", **{k: v for k, v in more.items() if k != "account"}
    )


def owned(*parts: tuple[object, object], cash: int = 0, **more: object) -> Portfolio:
    holdings = tuple(part[0] for part in parts)
    instruments = tuple(part[1] for part in parts)
    given = {"cash": {"KRW": cash}} | more
    return portfolio(holdings, instruments=instruments, **given)  # type: ignore[arg-type]


def valued(one: Portfolio) -> Valuation:
    quotes = {symbol: quote(symbol, 1, "KRW") for symbol in one.symbols}
    prices, problems = resolve_prices(one, quotes, AS_OF)
    assert not problems
    return value(one, prices, resolve_fx(one, quotes, AS_OF)[0])


def rules(one: Portfolio, inputs: RiskInputs | None = None) -> list[RiskRule]:
    return list(risk(one, valued(one), inputs))


def rule(found: list[RiskRule], name: str, scope: str = "") -> RiskRule:
    (row,) = [row for row in found if row.rule == name and scope in ("", row.scope)]
    return row


def test_leveraged_funds_must_be_below_ten_percent_together() -> None:
    # Sector rotation rule: all leveraged under 10 %. At exactly 10 % it is broken, a won below it is kept.
    at = owned(worth("SOXL", 60, leverage=D(3)), worth("TQQQ", 40, leverage=D(3)), worth("SPY", 900))
    below = owned(worth("SOXL", 59, leverage=D(3)), worth("TQQQ", 40, leverage=D(3)), worth("SPY", 901))
    assert rule(rules(at), "leveraged-total").status == "BREACH"
    assert rule(rules(below), "leveraged-total").status == "OK"


def test_inverse_funds_of_twice_the_index_are_leveraged_and_of_once_are_not() -> None:
    one = owned(worth("252670", 50, leverage=D(-2)), worth("114800", 50, leverage=D(-1)), worth("SPY", 900))
    assert rule(rules(one), "leveraged-total").actual == D("0.05")


@pytest.mark.parametrize(("won", "status"), [(50, "OK"), (51, "BREACH")])
def test_tqqq_may_be_five_percent_and_no_more(won: int, status: str) -> None:
    one = owned(worth("TQQQ", won, leverage=D(3)), worth("SPY", 1000 - won))
    assert rule(rules(one), "leveraged-fund").status == status


def test_ones_own_maximum_for_tqqq_replaces_the_tables() -> None:
    one = owned(
        worth("TQQQ", 60, leverage=D(3)),
        worth("SPY", 940),
        sections=[section("all", target("TQQQ", 0.05, maximum=D("0.06")))],
    )
    found = rules(one)
    assert not [row for row in found if row.rule == "leveraged-fund"]
    assert rule(found, "maximum", "TQQQ").status == "OK"


def test_exposure_counts_leverage_and_inverse_positive() -> None:
    one = owned(worth("TQQQ", 100, leverage=D(3)), worth("114800", 100, leverage=D(-1)), worth("SPY", 800))
    row = rule(rules(one), "gross-exposure")
    assert (row.actual, row.status) == (D("1.2"), "OK")


@pytest.mark.parametrize(("cash", "status"), [(200, "OK"), (-200, "BREACH")])
def test_what_is_sold_for_a_withdrawal_is_no_borrowed_money(cash: int, status: str) -> None:
    # 800 won of shares and 200 of cash, of which 400 leave: all is one's own. With 200 borrowed, 800 of 600 are held.
    one = owned(worth("SPY", 800), cash=cash, settings=Settings(cash_flow=D(-400)))
    row = rule(rules(one), "gross-exposure")
    assert row.status == status


def test_a_weight_exactly_at_its_minimum_and_maximum_is_no_breach_although_floats_differ() -> None:
    assert 0.1 + 0.2 > 0.3
    one = owned(
        worth("A00001", 30),
        worth("SPY", 70),
        sections=[section("all", target("A00001", D("0.3"), minimum=D("0.3"), maximum=D("0.3")))],
    )
    found = rules(one)
    assert rule(found, "minimum").status == rule(found, "maximum").status == "OK"


def test_a_third_against_a_third_is_compared_without_dividing() -> None:
    one = owned(
        worth("A00001", 1),
        worth("SPY", 2),
        sections=[section("all", target("A00001", D("0.3"), maximum=D("0.3333333333333333333333333333")))],
    )
    assert rule(rules(one), "maximum").status == "BREACH"


def test_a_group_is_judged_by_its_joint_weight() -> None:
    groups = (Group("leveraged", ("TQQQ", "SOXL"), maximum=D("0.1"), minimum=D("0.05")),)
    one = owned(worth("TQQQ", 60), worth("SOXL", 41), worth("SPY", 899), groups=groups)
    found = rules(one)
    assert (rule(found, "group-maximum").status, rule(found, "group-maximum").actual) == ("BREACH", D("0.101"))
    assert rule(found, "group-minimum").status == "OK"


@pytest.mark.parametrize(
    ("core", "low", "high"), [(600, "OK", "OK"), (599, "BREACH", "OK"), (800, "OK", "OK"), (801, "OK", "BREACH")]
)
def test_the_core_is_sixty_to_eighty_percent(core: int, low: str, high: str) -> None:
    one = owned(worth("SPY", core), worth("SOXX", 1000 - core), sections=[section("core", target("SPY", 0.7))])
    found = rules(one)
    assert (rule(found, "core-minimum").status, rule(found, "core-maximum").status) == (low, high)


def test_a_portfolio_without_a_core_has_no_core_rule() -> None:
    assert not [row for row in rules(owned(worth("SPY", 1))) if row.rule.startswith("core")]


def test_the_weighted_fee_counts_stocks_and_cash_as_free() -> None:
    one = owned(worth("SPY", 500, expense_ratio=D("0.006")), worth("AAPL", 400, asset_type="stock"), cash=100)
    row = rule(rules(one), "portfolio-fee")
    assert (row.actual, row.status) == (D("0.003"), "OK")


def test_an_unknown_fee_leaves_the_rule_open_and_is_named() -> None:
    row = rule(rules(owned(worth("SPY", 500), worth("QQQ", 500, expense_ratio=D("0.002")))), "portfolio-fee")
    assert row.status == "UNKNOWN"
    assert "SPY" in str(row.note)


# Single names ---------------------------------------------------------------------------------------------------------


def holdings_of(symbol: str, **lines: str) -> Fund:
    return Fund(symbol, holdings=tuple(FundLine(name, name, D(weight)) for name, weight in lines.items()))


def test_a_company_over_ten_percent_through_funds_is_a_breach() -> None:
    one = owned(worth("NVDA", 60, asset_type="stock"), worth("QQQ", 500), worth("069500", 440))
    inputs = RiskInputs(facts={"QQQ": holdings_of("QQQ", NVDA="0.09", AAPL="0.91")})
    found = [row for row in rules(one, inputs) if row.rule == "single-name"]
    assert [(row.scope, row.actual, row.status) for row in found] == [
        ("AAPL", D("0.455"), "BREACH"),
        ("NVDA", D("0.105"), "BREACH"),
    ]
    assert "44.00 % of the total lies in funds" in str(found[0].note)


def test_a_small_name_among_unknown_holdings_is_not_called_safe() -> None:
    one = owned(worth("NVDA", 50, asset_type="stock"), worth("QQQ", 950))
    assert rule(rules(one), "single-name", "NVDA").status == "UNKNOWN"


def test_bond_and_gold_funds_hold_no_companies() -> None:
    one = owned(worth("NVDA", 50, asset_type="stock"), worth("305080", 950, asset_class="bond"))
    assert rule(rules(one), "single-name", "NVDA").status == "OK"


# The core's funds -----------------------------------------------------------------------------------------------------


def test_the_cores_funds_are_screened_each_with_figure_and_source() -> None:
    one = owned(worth("SPY", 70), worth("SOXX", 30), sections=[section("core", target("SPY", 0.7))])
    known = Fund("SPY", Figure(0.0011, "issuer"), Figure(1e8, "issuer"), "USD", total_return=False)
    found = rules(one, RiskInputs({"SPY": known}, krw_per={"USD": D(1400)}))
    screened = {row.rule: (row.actual, row.status) for row in found if row.scope == "SPY"}
    assert screened == {
        "core-fee": (D("0.0011"), "BREACH"),
        "core-aum": (D(140_000_000_000), "OK"),
        "core-tracking-error": (None, "UNKNOWN"),
        "core-total-return": (D(0), "OK"),
    }
    assert tuple(map(str, rule(found, "core-aum").shown)) == ("100,000,000,000 won", "140,000,000,000 won")
    assert "pays out" in str(rule(found, "core-total-return").note)
    assert not [row for row in found if row.scope == "SOXX" and row.rule.startswith("core-")]


# Accounts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("risky", "status"), [(70, "OK"), (71, "BREACH")])
def test_an_irp_may_hold_seventy_percent_of_risk_assets(risky: int, status: str) -> None:
    # Regulation on Supervision of Retirement Pensions: at most 70 % risk assets, checked when buying.
    irp = Account("IRP", "irp", {"KRW": D(10)}, risk_cap=D("0.70"))
    one = owned(
        worth("069500", risky, account="IRP"),
        worth("305080", 90 - risky, account="IRP", asset_class="bond"),
        accounts=(irp,),
    )
    row = rule(rules(one), "risk-asset-cap", "IRP")
    assert row.status == status
    assert "none must be sold" in str(row.note)


def test_an_asset_of_unknown_class_counts_as_risk() -> None:
    irp = Account("IRP", "irp", {}, risk_cap=D("0.70"))
    one = owned(worth("MYFUND", 100, account="IRP", asset_type="fund"), accounts=(irp,))
    assert rule(rules(one), "risk-asset-cap").actual == 1


def test_a_banned_instrument_in_an_account_is_named() -> None:
    irp = Account("IRP", "irp", {}, banned=("leveraged", "inverse"))
    one = owned(
        worth("122630", 10, account="IRP", leverage=D(2)),
        worth("069500", 90, account="IRP"),
        accounts=(irp,),
    )
    row = rule(rules(one), "banned")
    assert (row.actual, row.status, str(row.note)) == (D("0.1"), "BREACH", "122630")


# Volatility bands -----------------------------------------------------------------------------------------------------


def soxx(won: int, section_name: str = "satellite", symbol: str = "SOXX") -> Portfolio:
    return owned(
        worth(symbol, won), worth("SPY", 1000 - won), sections=[section(section_name, target(symbol, D("0.1")))]
    )


CALM = Turbulence("calm", D("0.15"), "realised", 0.2, 0.3, None, phrase("volatility.no-vix"))
HIGH = Turbulence("high", D("0.20"), "realised", 0.6, 0.9, None, phrase("volatility.no-vix"))


@pytest.mark.parametrize(
    ("won", "state", "status"),
    [
        (115, CALM, "OK"),
        (116, CALM, "BREACH"),
        (116, HIGH, "OK"),
        (120, HIGH, "OK"),
        (80, HIGH, "OK"),
        (79, HIGH, "BREACH"),
        (115, None, "OK"),
        (116, None, "UNKNOWN"),
        (121, None, "BREACH"),
    ],
)
def test_the_band_is_fifteen_percent_of_the_target_and_twenty_when_rough(
    won: int, state: Turbulence | None, status: str
) -> None:
    inputs = RiskInputs(turbulence={"SOXX": state} if state else {})
    assert rule(rules(soxx(won), inputs), "volatility-band", "SOXX").status == status


def test_a_section_named_rotation_has_the_band_for_all_its_targets_once() -> None:
    assert rule(rules(soxx(100, "rotation", "ARKK")), "volatility-band").scope == "ARKK"
    assert rule(rules(soxx(100, "rotation")), "volatility-band").scope == "SOXX"


# What is not known ----------------------------------------------------------------------------------------------------


def test_without_prices_every_rule_is_unknown_and_none_is_left_out() -> None:
    one = soxx(100, "core")
    unpriced, priced = risk(one, None), risk(one, valued(one))
    assert {row.status for row in unpriced} == {"UNKNOWN"}
    assert {row.rule for row in unpriced} == {row.rule for row in priced}


def test_an_empty_portfolio_is_unknown_rather_than_fine() -> None:
    assert {row.status for row in rules(owned())} == {"UNKNOWN"}


def test_an_instrument_that_is_not_on_record_is_said_to_count_as_not_leveraged() -> None:
    row = rule(rules(owned(worth("MYFUND", 1)), RiskInputs(catalogued=frozenset())), "leveraged-total")
    assert "taken as not leveraged: MYFUND" in str(row.note)


def test_a_breach_is_a_problem_with_both_figures() -> None:
    one = owned(worth("TQQQ", 51, leverage=D(3)), worth("SPY", 949, expense_ratio=D("0.0009")))
    (problem,) = [p for p in risk_problems(tuple(rules(one))) if str(p.where) == "leveraged-fund TQQQ"]
    assert problem.severity == "warning"
    assert "5.10 % against a limit of 5.00 %" in str(problem.message)


def test_every_row_of_the_table_has_a_source_and_a_day() -> None:
    assert all(limit.source and limit.checked_on.year >= 2026 for limit in default_limits())
