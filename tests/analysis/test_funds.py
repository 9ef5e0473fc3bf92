"""Fund facts, the core's screen, overlap and look-through."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import quote as records
from engine.analysis.compare import look_through, overlap
from engine.analysis.facts import Figure, Fund, FundLine, from_market, parse_facts
from engine.analysis.returns import tracking_error
from engine.analysis.risk import RiskRule, screen, weighted_fee
from engine.history import HistoryTable
from engine.market.catalogue import CatalogueEntry
from engine.phrase import phrase
from engine.portfolio import Instrument
from tests.analysis.real_prices import series, weekdays

D = Decimal


def fund(symbol: str = "F", fee: float | None = 0.001, aum: float | None = 1e11, **more: object) -> Fund:
    given = {"tracking_error": Figure(0.01), "total_return": True, "aum_currency": "KRW"} | more
    return Fund(symbol, Figure(fee, "issuer", dt.date(2026, 11, 1)), Figure(aum, "issuer"), **given)  # type: ignore[arg-type]


def screened(facts: Fund, krw_per: dict[str, D] | None = None) -> dict[str, RiskRule]:
    return {row.rule: row for row in screen(facts, krw_per or {})}


def test_a_fund_exactly_at_every_limit_passes() -> None:
    assert {row.status for row in screened(fund()).values()} == {"OK"}
    assert str(screened(fund())["core-total-return"].note) == "preferred"


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        (fund(fee=0.00101), "core-fee"),
        (fund(aum=99_999_999_999), "core-aum"),
        (fund(tracking_error=Figure(0.0101)), "core-tracking-error"),
    ],
)
def test_a_fund_just_beyond_a_limit_fails_it(facts: Fund, rule: str) -> None:
    assert [name for name, row in screened(facts).items() if row.status == "BREACH"] == [rule]


def test_a_missing_figure_is_unknown_and_never_a_pass() -> None:
    assert screened(fund(fee=None))["core-fee"].status == "UNKNOWN"
    assert screened(fund(total_return=None))["core-total-return"].status == "UNKNOWN"


def test_a_fund_that_pays_its_dividends_out_is_not_preferred_but_passes() -> None:
    row = screened(fund(total_return=False))["core-total-return"]
    assert (row.status, row.actual) == ("OK", 0)
    assert "reinvesting is preferred" in str(row.note)


def test_dollars_are_converted_into_won_and_the_rate_is_said() -> None:
    facts = fund(aum=8e7, aum_currency="USD")
    row = screened(facts, {"USD": D(1400)})["core-aum"]
    assert row.actual == pytest.approx(D("1.12e11"))
    assert "1400 KRW per USD" in str(row.note)
    assert screened(facts)["core-aum"].status == "UNKNOWN"


def test_the_tracking_error_is_the_yearly_spread_of_the_daily_differences(factors: HistoryTable) -> None:
    own, index = factors.series["QUAL"], factors.series["SIZE"]
    frame = pd.DataFrame({"own": own.closes, "index": index.closes}).pct_change()
    theirs = (frame["own"] - frame["index"]).std() * 252**0.5
    assert tracking_error(own, index).value == pytest.approx(theirs, abs=1e-12)


def test_a_tracking_error_is_not_stated_from_19_returns() -> None:
    one = series("A", weekdays(20), np.arange(1.0, 21.0).tolist())
    assert tracking_error(one, one).value is None


def test_the_portfolios_fee_is_weighted() -> None:
    assert weighted_fee({"A": D("0.5"), "B": D("0.25")}, {"A": D("0.004"), "B": D("0.004")}) == (D("0.003"), ())


def test_a_missing_fee_is_named_and_leaves_a_lower_bound() -> None:
    assert weighted_fee({"A": D("0.5"), "B": D("0.5")}, {"A": D("0.001"), "B": None}) == (D("0.0005"), ("B",))


# Overlap and look-through ---------------------------------------------------------------------------------------------


def holding(*lines: tuple[str, str], symbol: str = "F") -> Fund:
    return fund(symbol, holdings=tuple(FundLine(name, name, D(weight)) for name, weight in lines))


def test_the_overlap_is_the_sum_of_the_smaller_weights() -> None:
    one = holding(("X", "0.6"), ("Y", "0.4"), symbol="A")
    other = holding(("X", "0.3"), ("Z", "0.7"), symbol="B")
    found = overlap(one, other)
    assert (found.weight, found.complete, found.note) == (D("0.3"), True, None)


def test_a_fund_overlaps_wholly_with_itself() -> None:
    one = holding(("X", "0.6"), ("Y", "0.4"))
    assert overlap(one, one).weight == 1


def test_the_overlap_of_top_tens_is_a_lower_bound_and_says_so() -> None:
    found = overlap(holding(("X", "0.1"), symbol="A"), holding(("X", "0.2"), symbol="B"))
    assert (found.weight, found.complete) == (D("0.1"), False)
    assert "known are 10% of A, 20% of B" in str(found.note)


def test_an_overlap_with_unknown_holdings_is_not_known() -> None:
    found = overlap(holding(("X", "1")), fund("G"))
    assert found.weight is None
    assert "holdings of G not known" in str(found.note)


def test_a_company_is_seen_directly_and_through_funds() -> None:
    facts = {"QQQ": holding(("NVDA", "0.1"), ("AAPL", "0.2"), symbol="QQQ")}
    weights = {"NVDA": D("0.05"), "QQQ": D("0.5"), "SPY": D("0.3")}
    found = look_through(weights, {"NVDA": "NVIDIA"}, frozenset({"NVDA"}), facts)
    assert [(row.symbol, row.weight, row.direct) for row in found.exposures] == [
        ("AAPL", D("0.10"), D(0)),
        ("NVDA", D("0.10"), D("0.05")),
    ]
    assert found.unseen == D("0.5") * D("0.7") + D("0.3")


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
    assert facts["SPY"].aum.note == phrase("figure.not-given")
    assert facts["SPY"].holdings == (FundLine("A", "A", D("0.1")),)


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
    assert str(problems[0].where) == where


def test_what_a_source_says_beats_the_catalogue_and_an_unchecked_fee_says_so() -> None:
    entry = CatalogueEntry(Instrument("SPY", "SPY", "US", "USD", expense_ratio=D("0.0009")), index="S&P 500")
    alone = from_market("SPY", None, entry)
    assert alone.fee.value == 0.0009
    assert "not verified" in str(alone.fee.note)
    now = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    rows = (records.FetchedHolding("005930.KS", "삼성전자", D("0.2")), records.FetchedHolding("X", "X", None))
    fetched = records.FetchedFacts("SPY", "yahoo", now, fee=D("0.0008"), aum=D(7), currency="USD", top=rows)
    joined = from_market("SPY", fetched, entry)
    assert joined.fee == Figure(0.0008, "yahoo", dt.date(2026, 11, 20))
    assert [line.symbol for line in joined.holdings] == ["005930"]


def test_a_figure_that_is_missing_is_a_warning_and_a_known_one_a_note() -> None:
    missing, known = (
        Figure(None, note=phrase("figure.few-closes")).remark("x"),
        Figure(1.0, "yahoo", dt.date(2026, 1, 2)).remark("x"),
    )
    assert missing is not None
    assert missing.severity == "warning"
    assert known is not None
    assert (known.severity, str(known.message)) == ("info", "yahoo, 2026-01-02")
    assert Figure(1.0).remark("x") is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["fee", "aum", "holdings_count", "yield", "holdings", "as_of", "source", "total_return", "index"]


@given(ANYTHING, st.sampled_from(FIELDS))
def test_any_document_gives_facts_or_problems_and_never_an_exception(document: object, field: str) -> None:
    for row in (document, {field: document}, {"holdings": [{"symbol": document, "weight": document}]}):
        facts, problems = parse_facts({"X": row})
        assert bool(facts) != any(problem.severity == "error" for problem in problems)
        assert all(screen(fund, {}) for fund in facts.values())
