"""Fund facts, the core's screen, overlap, look-through and concentration."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_prices import series, weekdays

from engine.analysis.concentration import concentration, turnover
from engine.analysis.facts import Constituent, FundFacts, from_market, parse_facts
from engine.analysis.figure import Figure
from engine.analysis.overlap import look_through, overlap
from engine.analysis.screen import passes, portfolio_fee, screen, tracking_error
from engine.history import HistoryTable
from engine.market import records
from engine.market.catalogue import CatalogueEntry
from engine.portfolio import Instrument

D = Decimal


def fund(symbol: str = "F", fee: float | None = 0.001, aum: float | None = 1e11, **more: object) -> FundFacts:
    given = {"tracking_error": Figure(0.01), "total_return": True, "aum_currency": "KRW"} | more
    return FundFacts(symbol, Figure(fee, "issuer", dt.date(2026, 11, 1)), Figure(aum, "issuer"), **given)  # type: ignore[arg-type]


def outcomes(facts: FundFacts, krw_per: dict[str, D] | None = None) -> dict[str, str]:
    return {check.criterion: check.outcome for check in screen(facts, krw_per or {})}


def test_a_fund_exactly_at_every_limit_passes() -> None:
    assert outcomes(fund()) == {"fee": "PASS", "aum": "PASS", "tracking-error": "PASS", "total-return": "PREFERRED"}
    assert passes(screen(fund(), {})) is True


@pytest.mark.parametrize(
    ("facts", "criterion"),
    [
        (fund(fee=0.00101), "fee"),
        (fund(aum=99_999_999_999), "aum"),
        (fund(tracking_error=Figure(0.0101)), "tracking-error"),
    ],
)
def test_a_fund_just_beyond_a_limit_fails_it(facts: FundFacts, criterion: str) -> None:
    assert outcomes(facts)[criterion] == "FAIL"
    assert passes(screen(facts, {})) is False


def test_a_missing_figure_is_unknown_and_never_a_pass() -> None:
    assert outcomes(fund(fee=None))["fee"] == "UNKNOWN"
    assert passes(screen(fund(fee=None), {})) is None


def test_a_fund_that_pays_its_dividends_out_is_not_preferred_but_passes() -> None:
    facts = fund(total_return=False)
    assert outcomes(facts)["total-return"] == "NOT_PREFERRED"
    assert passes(screen(facts, {})) is True


def test_dollars_are_converted_into_won_and_the_rate_is_said() -> None:
    facts = fund(aum=8e7, aum_currency="USD")
    (check,) = [c for c in screen(facts, {"USD": D(1400)}) if c.criterion == "aum"]
    assert check.figure.value == pytest.approx(1.12e11)
    assert "1400 KRW per USD" in check.figure.note
    assert outcomes(facts)["aum"] == "UNKNOWN"


def test_the_tracking_error_is_the_yearly_spread_of_the_daily_differences(factors: HistoryTable) -> None:
    own, index = factors.series["QUAL"], factors.series["SIZE"]
    frame = pd.DataFrame({"own": own.closes, "index": index.closes}).pct_change()
    theirs = (frame["own"] - frame["index"]).std() * 252**0.5
    assert tracking_error(own, index).value == pytest.approx(theirs, abs=1e-12)


def test_a_tracking_error_is_not_stated_from_19_returns() -> None:
    one = series("A", weekdays(20), np.arange(1.0, 21.0).tolist())
    assert tracking_error(one, one).value is None


def test_the_portfolios_fee_is_weighted_and_passes_at_the_limit() -> None:
    found = portfolio_fee({"A": D("0.5"), "B": D("0.25")}, {"A": D("0.004"), "B": D("0.004")})
    assert found.fee == D("0.003")
    assert found.outcome == "PASS"
    assert portfolio_fee({"A": D("0.75001")}, {"A": D("0.004")}).outcome == "FAIL"


def test_a_missing_fee_leaves_the_outcome_open_unless_the_rest_is_too_much_already() -> None:
    open_case = portfolio_fee({"A": D("0.5"), "B": D("0.5")}, {"A": D("0.001"), "B": None})
    assert (open_case.outcome, open_case.missing) == ("UNKNOWN", ("B",))
    assert portfolio_fee({"A": D("0.5"), "B": D("0.5")}, {"A": D("0.007"), "B": None}).outcome == "FAIL"


# Overlap and look-through ---------------------------------------------------------------------------------------------


def holding(*lines: tuple[str, str], symbol: str = "F") -> FundFacts:
    return fund(symbol, holdings=tuple(Constituent(name, name, D(weight)) for name, weight in lines))


def test_the_overlap_is_the_sum_of_the_smaller_weights() -> None:
    one = holding(("X", "0.6"), ("Y", "0.4"), symbol="A")
    other = holding(("X", "0.3"), ("Z", "0.7"), symbol="B")
    found = overlap(one, other)
    assert (found.weight, found.complete, found.note) == (D("0.3"), True, "")


def test_a_fund_overlaps_wholly_with_itself() -> None:
    one = holding(("X", "0.6"), ("Y", "0.4"))
    assert overlap(one, one).weight == 1


def test_the_overlap_of_top_tens_is_a_lower_bound_and_says_so() -> None:
    found = overlap(holding(("X", "0.1"), symbol="A"), holding(("X", "0.2"), symbol="B"))
    assert (found.weight, found.complete) == (D("0.1"), False)
    assert "known are 10% of A, 20% of B" in found.note


def test_an_overlap_with_unknown_holdings_is_not_known() -> None:
    found = overlap(holding(("X", "1")), fund("G"))
    assert found.weight is None
    assert "holdings of G not known" in found.note


def test_a_company_is_seen_directly_and_through_funds() -> None:
    facts = {"QQQ": holding(("NVDA", "0.1"), ("AAPL", "0.2"), symbol="QQQ")}
    weights = {"NVDA": D("0.05"), "QQQ": D("0.5"), "SPY": D("0.3")}
    found = look_through(weights, {"NVDA": "NVIDIA"}, frozenset({"NVDA"}), facts)
    assert [(row.symbol, row.weight, row.direct) for row in found.exposures] == [
        ("AAPL", D("0.10"), D(0)),
        ("NVDA", D("0.10"), D("0.05")),
    ]
    assert found.unseen == D("0.5") * D("0.7") + D("0.3")


# Concentration --------------------------------------------------------------------------------------------------------


def test_four_equal_companies_have_an_hhi_of_a_quarter() -> None:
    # U.S. Department of Justice, Merger Guidelines: four firms of 30, 30, 20, 20 percent have 2,600; equal ones 2,500.
    assert concentration([(c, "S", D("0.25")) for c in "ABCD"]).hhi == D("0.25")
    example = zip("ABCD", ("0.3", "0.3", "0.2", "0.2"), strict=True)
    assert concentration([(c, "S", D(w)) for c, w in example]).hhi == D("0.26")


def test_share_classes_count_once() -> None:
    assert concentration([("Alphabet", "S", D("0.5")), ("Alphabet", "S", D("0.5"))]).hhi == 1


def test_the_top_five_are_the_five_largest_of_more() -> None:
    assert concentration([(str(i), "S", D("0.125")) for i in range(8)]).top5 == D("0.625")


def test_a_missing_sector_leaves_the_top_sector_unknown() -> None:
    assert concentration([("A", "S", D("0.5")), ("B", "", D("0.5"))]).top_sector is None


def test_turnover_counts_a_swap_once() -> None:
    assert turnover({"A": D(1)}, {"B": D(1)}) == 1
    assert turnover({"A": D(1)}, {"A": D(1)}) == 0


# Facts ----------------------------------------------------------------------------------------------------------------


def test_facts_are_read_with_source_and_day() -> None:
    row = {
        "fee": 0.0009,
        "source": "issuer",
        "as_of": dt.date(2026, 11, 1),
        "holdings": [{"symbol": "A", "weight": 0.1}],
    }
    facts, problems = parse_facts({"SPY": row})
    assert not problems
    assert facts["SPY"].fee == Figure(0.0009, "issuer", dt.date(2026, 11, 1))
    assert facts["SPY"].aum.note == "not given"
    assert facts["SPY"].holdings == (Constituent("A", "A", D("0.1")),)


def test_a_zero_fee_is_a_fee() -> None:
    facts, _ = parse_facts({"X": {"fee": 0}})
    assert facts["X"].fee.value == 0


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ({"fee": -1}, "facts, X.fee"),
        ({"fee": "cheap"}, "facts, X.fee"),
        ({"fees": 1}, "facts, X.fees"),
        ({"as_of": "soon"}, "facts, X.as_of"),
        ({"holdings": [{"symbol": "A"}]}, "facts, X.holdings, line 1"),
        ({"holdings": [{"symbol": "A", "weight": 1}, {"symbol": "B", "weight": 1}]}, "facts, X.holdings"),
        ("cheap", "facts, X"),
    ],
)
def test_a_bad_fact_is_named_with_its_path_and_the_fund_left_out(row: object, where: str) -> None:
    facts, problems = parse_facts({"X": row})
    assert facts == {}
    assert problems[0].where == where


def test_what_a_source_says_beats_the_catalogue_and_an_unchecked_fee_says_so() -> None:
    entry = CatalogueEntry(Instrument("SPY", "SPY", "US", "USD", expense_ratio=D("0.0009")), index="S&P 500")
    alone = from_market("SPY", None, entry)
    assert alone.fee.value == 0.0009
    assert "not verified" in alone.fee.note
    now = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    rows = (records.FetchedHolding("005930.KS", "삼성전자", D("0.2")), records.FetchedHolding("X", "X", None))
    fetched = records.FetchedFacts("SPY", "yahoo", now, fee=D("0.0008"), aum=D(7), currency="USD", top=rows)
    joined = from_market("SPY", fetched, entry)
    assert joined.fee == Figure(0.0008, "yahoo", dt.date(2026, 11, 20))
    assert [line.symbol for line in joined.holdings] == ["005930"]


def test_a_figure_that_is_missing_is_a_warning_and_a_known_one_a_note() -> None:
    missing, known = Figure(None, note="no close").remark("x"), Figure(1.0, "yahoo", dt.date(2026, 1, 2)).remark("x")
    assert missing is not None
    assert missing.severity == "warning"
    assert known is not None
    assert (known.severity, known.message) == ("info", "yahoo, 2026-01-02")
    assert Figure(1.0).remark("x") is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["fee", "aum", "holdings_count", "yield", "holdings", "as_of", "source", "total_return", "index"]


@settings(max_examples=200, deadline=None)
@given(ANYTHING, st.sampled_from(FIELDS))
def test_any_document_gives_facts_or_problems_and_never_an_exception(document: object, field: str) -> None:
    for row in (document, {field: document}, {"holdings": [{"symbol": document, "weight": document}]}):
        facts, problems = parse_facts({"X": row})
        assert bool(facts) != any(problem.severity == "error" for problem in problems)
        assert all(screen(fund, {}) for fund in facts.values())
