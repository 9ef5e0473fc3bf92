"""Target weights: published counts, hand-computed shares, caps, sectors, and what a universe may say."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ImpossibleError, InputError
from engine.weights.methods import METHODS, both_capped, capped, concentration, sector_capped, turnover, weigh
from engine.weights.universe import SECTORS, Entry, company_of, gics_sector, read_csv, read_list, reclassified

D = Decimal
TODAY = dt.date(2026, 11, 20)
FIVE = (
    Entry("AAPL", "Information Technology", D(4), "AAPL"),
    Entry("MSFT", "Information Technology", D(3), "MSFT"),
    Entry("NVDA", "Information Technology", D(1), "NVDA"),
    Entry("XOM", "Energy", D(1), "XOM"),
    Entry("CVX", "Energy", D(1), "CVX"),
)


def weights_of(method: str, entries: tuple[Entry, ...] = FIVE, **more: Any) -> dict[str, Decimal]:
    return {row.symbol: row.weight for row in weigh(method, entries, **more).weights}


def test_equal_gives_each_company_the_same() -> None:
    assert set(weights_of("equal").values()) == {D("0.2")}


def test_equal_weight_is_by_company_not_by_issue_as_published() -> None:
    # S&P Dow Jones Indices, "S&P 500 Sectors: Equal-Weight and Cap-Weight Indices": at the end of 2015 consumer
    # discretionary had 87 issues of 84 companies, so a company weighed 1/84 = 1.19 %; financials 87 of 87, 1.15 %.
    discretionary = tuple(
        Entry(f"S{i}", "Consumer Discretionary", None, f"C{i - 1 if i in (1, 3, 5) else i}") for i in range(87)
    )
    by_company: dict[str, D] = {}
    found = weights_of("equal", discretionary)
    for entry in discretionary:
        by_company[entry.company] = by_company.get(entry.company, D(0)) + found[entry.symbol]
    assert len(by_company) == 84
    assert {round(weight, 4) for weight in by_company.values()} == {D("0.0119")}
    financials = tuple(Entry(f"F{i}", "Financials", None, f"F{i}") for i in range(87))
    assert {round(weight, 4) for weight in weights_of("equal", financials).values()} == {D("0.0115")}


def test_five_hundred_companies_weigh_a_fifth_of_a_percent_each() -> None:
    # S&P 500 Equal Weight Index: 0.2 % each at each quarterly rebalance.
    entries = tuple(Entry(f"S{i}", "Energy", None, f"S{i}") for i in range(500))
    assert set(weights_of("equal", entries).values()) == {D("0.002")}


def test_share_classes_share_their_companys_weight_by_market_value() -> None:
    entries = (Entry("GOOGL", "", D(3), "Alphabet"), Entry("GOOG", "", D(1), "Alphabet"), Entry("X", "", D(9), "X"))
    assert weights_of("equal", entries) == {"GOOGL": D("0.375"), "GOOG": D("0.125"), "X": D("0.5")}


def test_share_classes_without_market_values_share_equally() -> None:
    entries = (Entry("GOOGL", "", None, "Alphabet"), Entry("GOOG", "", D(1), "Alphabet"), Entry("X", "", D(9), "X"))
    assert weights_of("equal", entries)["GOOGL"] == D("0.25")


def test_cap_is_in_proportion_to_market_value() -> None:
    assert weights_of("cap") == {"AAPL": D("0.4"), "MSFT": D("0.3"), "NVDA": D("0.1"), "XOM": D("0.1"), "CVX": D("0.1")}


def test_equal_sector_gives_each_sector_the_same_and_each_company_inside_it() -> None:
    found = weights_of("equal-sector")
    assert found["XOM"] == found["CVX"] == D("0.25")
    assert found["AAPL"] == found["NVDA"] == pytest.approx(D(1) / 6)


def test_equal_sector_cap_weighs_by_market_value_inside() -> None:
    found = weights_of("equal-sector-cap")
    assert found == {
        "AAPL": D("0.25"),
        "MSFT": D("0.1875"),
        "NVDA": D("0.0625"),
        "XOM": D("0.25"),
        "CVX": D("0.25"),
    }


def test_all_eleven_sectors_weigh_an_eleventh_each() -> None:
    entries = tuple(Entry(sector, sector, D(1), sector) for sector in SECTORS)
    assert set(weights_of("equal-sector-cap", entries).values()) == {D(1) / 11}
    assert not [p for p in weigh("equal-sector", entries).problems if p.code == "sectors-absent"]


def test_absent_sectors_are_named() -> None:
    (problem,) = [p for p in weigh("equal-sector", FIVE).problems if p.code == "sectors-absent"]
    assert "2 of the 11" in str(problem.message)
    assert "Utilities" in str(problem.message)


@given(
    st.sampled_from(METHODS),
    st.lists(st.tuples(st.sampled_from(SECTORS), st.integers(1, 10**13)), min_size=1, max_size=40),
)
def test_weights_of_any_universe_are_positive_and_add_up_to_one(method: str, rows: list[tuple[str, int]]) -> None:
    entries = tuple(Entry(f"S{i}", sector, D(cap), f"C{i // 2}") for i, (sector, cap) in enumerate(rows))
    found = weights_of(method, entries)
    assert all(weight > 0 for weight in found.values())
    assert abs(sum(found.values(), D(0)) - 1) < D("1e-24")


def test_every_entry_without_what_the_method_needs_is_named_at_once() -> None:
    with pytest.raises(InputError) as raised:
        weigh("equal-sector-cap", (Entry("A"), Entry("B", "Energy")))
    assert [(p.code, str(p.where)) for p in raised.value.problems] == [
        ("market-cap-missing", "A"),
        ("sector-missing", "A"),
        ("market-cap-missing", "B"),
    ]


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="equal-sector-cap"):
        weigh("best", FIVE)


# Concentration, turnover and cost -------------------------------------------------------------------------------------


def test_concentration_is_measured_before_and_after() -> None:
    entries = tuple(
        Entry(e.symbol, e.sector, e.market_cap, e.company, weight)
        for e, weight in zip(FIVE, (D(40), D(30), D(10), D(10), D(10)), strict=True)
    )
    found = weigh("equal", entries)
    assert found.before is not None
    assert (found.before.top5, found.before.top_sector, found.before.hhi) == (D(1), D("0.8"), D("0.28"))
    assert (found.after.top_sector, found.after.top_sector_name, found.after.hhi) == (
        D("0.6"),
        "Information Technology",
        D("0.2"),
    )
    # Σ|after − before| / 2 = (20 + 10 + 10 + 10 + 10) / 2 points.
    assert found.turnover == D("0.3")


def test_the_cost_of_the_move_is_the_callers_rate_on_each_change() -> None:
    entries = (Entry("A", "", D(1), "A", D(1)), Entry("B", "", D(1), "B", D(0)))
    found = weigh(
        "equal", entries, move_cost=lambda _, change: abs(change) * (D("0.001") if change > 0 else D("0.003"))
    )
    assert found.cost == D("0.002")


def test_without_present_weights_the_market_values_stand_for_them_and_this_is_said() -> None:
    found = weigh("equal", FIVE)
    assert found.before is not None
    assert found.before.hhi == D("0.28")
    assert found.turnover is None
    assert "before-by-cap" in {p.code for p in found.problems}


def test_with_neither_there_is_nothing_before() -> None:
    found = weigh("equal", (Entry("A"), Entry("B")))
    assert found.before is None
    assert found.turnover is None


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


# Caps -----------------------------------------------------------------------------------------------------------------


def test_excess_over_a_cap_goes_to_the_rest_in_proportion_until_all_hold() -> None:
    # By hand: 0.5 → 0.3, its 0.2 to 0.3 : 0.15 : 0.05; then 0.42 → 0.3 and its 0.12 to 0.21 : 0.07; 0.30 holds exactly.
    found = capped({"A": D("0.5"), "B": D("0.3"), "C": D("0.15"), "D": D("0.05")}, D("0.3"))
    assert found == {"A": D("0.3"), "B": D("0.3"), "C": D("0.3"), "D": D("0.1")}


def test_a_weight_exactly_at_the_cap_stays() -> None:
    given_weights = {"A": D("0.5"), "B": D("0.5")}
    assert capped(given_weights, D("0.5")) == given_weights


def test_a_cap_that_cannot_hold_says_why() -> None:
    with pytest.raises(ImpossibleError, match=r"3 weights of at most 0\.3"):
        capped({"A": D("0.4"), "B": D("0.3"), "C": D("0.3")}, D("0.3"))


def test_a_sector_cap_keeps_proportions_inside_the_sector() -> None:
    sector = {"A": "T", "B": "T", "C": "E"}
    found = sector_capped({"A": D("0.6"), "B": D("0.2"), "C": D("0.2")}, sector, D("0.6"))
    assert found == {"A": D("0.45"), "B": D("0.15"), "C": D("0.4")}


def test_both_caps_hold_together() -> None:
    sector = {"A": "T", "B": "T", "C": "E", "D": "E", "E": "U"}
    weights = {"A": D("0.6"), "B": D("0.1"), "C": D("0.1"), "D": D("0.1"), "E": D("0.1")}
    found = both_capped(weights, sector, D("0.3"), D("0.4"))
    assert max(found.values()) <= D("0.3")
    assert found["A"] + found["B"] <= D("0.4") + D("1e-15")
    assert sum(found.values()) == pytest.approx(D(1), abs=D("1e-20"))


def test_caps_that_contradict_each_other_are_impossible() -> None:
    with pytest.raises(ImpossibleError):
        both_capped({"A": D("0.5"), "B": D("0.5")}, {"A": "T", "B": "E"}, D("0.5"), D("0.4"))


# Sectors and companies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "sector"),
    [
        ("Technology", "Information Technology"),
        ("Financial Services", "Financials"),
        ("consumer_cyclical", "Consumer Discretionary"),
        ("Consumer Defensive", "Consumer Staples"),
        ("Healthcare", "Health Care"),
        ("realestate", "Real Estate"),
        ("Basic Materials", "Materials"),
        ("정보 기술", "Information Technology"),
        ("필수소비재", "Consumer Staples"),
        ("45", "Information Technology"),
    ],
)
def test_a_label_of_another_scheme_means_a_gics_sector(label: str, sector: str) -> None:
    assert gics_sector(label) == sector


def test_every_gics_sector_means_itself_and_there_are_eleven() -> None:
    assert [gics_sector(sector) for sector in SECTORS] == list(SECTORS)
    assert len(SECTORS) == 11


def test_visa_left_information_technology_after_the_17th_of_march_2023() -> None:
    # State Street, "2023 GICS Changes": effective after the close of 2023-03-17.
    assert reclassified("V", "Information Technology", dt.date(2023, 3, 17)) is None
    moved = reclassified("V", "Technology", dt.date(2023, 3, 18))
    assert moved is None, "another scheme's name is not a GICS sector of the past"
    moved = reclassified("V", "Information Technology", dt.date(2023, 3, 18))
    assert moved is not None
    assert moved[0] == "Financials"


def test_telecommunication_services_became_communication_services_for_all() -> None:
    moved = reclassified("T", "Telecommunication Services", TODAY)
    assert moved is not None
    assert moved[0] == "Communication Services"


def test_the_share_classes_of_a_company_are_known() -> None:
    assert company_of("GOOG") == company_of("GOOGL") == "Alphabet"
    assert company_of("005935") == company_of("005930")
    assert company_of("AAPL") == "AAPL"


# The universe file ----------------------------------------------------------------------------------------------------


def test_a_csv_universe_is_read_with_sector_and_market_value() -> None:
    entries, problems = read_csv(
        "Ticker,Sector,Market_Cap\nGOOG,Communication Services,1000\nX,에너지,5e2\n", "u.csv", TODAY
    )
    assert not problems
    assert entries is not None
    assert entries[0] == Entry("GOOG", "Communication Services", D(1000), "Alphabet")
    assert entries[1].sector == "Energy"


def test_an_outdated_sector_is_replaced_and_said() -> None:
    entries, (problem,) = read_csv("symbol,sector\nV,Information Technology\n", "u.csv", TODAY)
    assert entries is not None
    assert entries[0].sector == "Financials"
    assert problem.code == "sector-reclassified"
    assert str(problem.where) == "u.csv, row 2, column sector"


def test_a_sector_of_ones_own_is_kept_and_pointed_out() -> None:
    entries, (problem,) = read_list([{"symbol": "X", "sector": "Materialz"}], "u", TODAY)
    assert entries is not None
    assert entries[0].sector == "Materialz"
    assert "did you mean Materials?" in str(problem.message)


def test_every_problem_of_a_universe_is_listed_at_once() -> None:
    entries, problems = read_csv('symbol,market_cap\nA,-5\n,3\nA,"1,000"\n', "u.csv", TODAY)
    assert entries is None
    assert [str(p.where) for p in problems] == [
        "u.csv, row 2, column market_cap",
        "u.csv, row 3, column symbol",
        "u.csv, row 4, column market_cap",
        "u.csv, row 4, column symbol",
    ]
    assert "write 1000" in str(problems[2].message)


def test_market_values_of_two_currencies_do_not_mix() -> None:
    entries, problems = read_csv("symbol,market_cap,currency\nA,1,USD\nB,1,KRW\n", "u.csv", TODAY)
    assert entries is None
    assert problems[0].code == "universe-currency"


def test_an_unknown_column_names_the_nearest_known_one() -> None:
    entries, problems = read_csv("symbol,sectr\nA,Energy\n", "u.csv", TODAY)
    assert entries is None
    assert "did you mean sector?" in str(problems[0].message)


@pytest.mark.parametrize("text", ["", "symbol\n", "name,sector\nA,Energy\n"])
def test_a_universe_without_symbols_is_refused(text: str) -> None:
    entries, problems = read_csv(text, "u.csv", TODAY)
    assert entries is None
    assert problems


def test_a_plain_list_of_symbols_is_a_universe() -> None:
    entries, _ = read_list(["A", "B"], "u", TODAY)
    assert entries is not None
    assert [entry.symbol for entry in entries] == ["A", "B"]


@given(st.one_of(st.text(), st.text(alphabet='symbolector,AB\n\r"0123456789-._ ', max_size=80)))
def test_any_text_gives_a_universe_or_problems_and_never_an_exception(text: str) -> None:
    for document in (text, f"symbol,sector,market_cap\n{text}", f"symbol\n{text}"):
        entries, problems = read_csv(document, "u.csv", TODAY)
        assert entries is not None or problems


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(ANYTHING, st.sampled_from(["symbol", "sector", "market_cap", "weight", "currency"]))
def test_any_document_gives_a_universe_or_problems(document: object, field: str) -> None:
    for rows in (document, [document], [{"symbol": "A", field: document}]):
        entries, problems = read_list(rows, "u", TODAY)
        assert entries is not None or problems
