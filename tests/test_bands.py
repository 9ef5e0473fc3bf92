"""Bands that follow volatility, and the limits of `risk` in the plan: what a sensible investor would do."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.risk import RiskInputs, overruns, risk
from engine.analysis.volatility import State, Turbulence, banded, judged
from engine.data.document import parse_portfolio, read_portfolio
from engine.data.write import dump_portfolio
from engine.drift import goal_states, positions, section_states
from engine.history import HistoryTable, Series
from engine.phrase import phrase
from engine.plan import Plan
from engine.portfolio import Portfolio, Rule
from engine.rebalance import rebalance
from rebalancer.analysing import Sources
from rebalancer.analysing import risk as checked
from rebalancer.planning import in_force
from rebalancer.planning import plan as planned
from tests.builders import D, holding, portfolio, section, target, valued

CASES = Path(__file__).parent / "bands_cases"
AS_OF = dt.date(2022, 5, 20)


def case(name: str) -> Portfolio:
    found, problems = read_portfolio(CASES / f"{name}.yaml")
    assert found is not None, problems
    return found


def moving(*stretches: tuple[int, float]) -> list[float]:
    """Return closes whose daily moves have the sizes given, for so many days each."""
    moves = [size * (1 if day % 2 else -1) * (1 + day % 7 / 100) for days, size in stretches for day in range(days)]
    return [round(float(close), 6) for close in np.cumprod([100, *(1 + move for move in moves)])]


ROUGH, CALM = moving((320, 0.01), (20, 0.04)), moving((300, 0.02), (40, 0.005))


def history(tmp_path: Path, **closes: list[float]) -> Path:
    """Write a history file whose last day is the plan's."""
    days = np.busday_offset(np.datetime64(AS_OF), np.arange(-len(next(iter(closes.values()))) + 1, 1), roll="backward")
    rows = [",".join((str(day), *(str(closes[name][at]) for name in closes))) for at, day in enumerate(days)]
    path = tmp_path / "history.csv"
    path.write_text("\n".join((",".join(("Date", *closes)), *rows)) + "\n", encoding="utf-8")
    return path


def everywhere(closes: list[float]) -> dict[str, list[float]]:
    return dict.fromkeys(("QQQ", "SOXX", "XLK", "ARKK"), closes)


def orders(plan: Plan) -> dict[str, Decimal]:
    return {t.symbol: t.quantity if t.side == "buy" else -t.quantity for t in plan.trades}


def state(word: State) -> Turbulence:
    return Turbulence(word, D("0"), "realised", 0.3, 0.9, None, phrase("volatility.no-closes"))


# --- the bands of a plan


def test_within_the_wide_band_nothing_is_traded_while_volatility_is_high(tmp_path: Path) -> None:
    made = planned(case("rotation"), {}, as_of=AS_OF, history=history(tmp_path, **everywhere(ROUGH)))
    assert orders(made) == {}
    assert {p.symbol: (p.low, p.high) for p in made.positions}["SOXX"] == (D("0.16"), D("0.24"))


def test_outside_the_normal_band_the_plan_trades_when_it_is_calm(tmp_path: Path) -> None:
    made = planned(case("rotation"), {}, as_of=AS_OF, history=history(tmp_path, **everywhere(CALM)))
    assert orders(made) == {"SOXX": -36, "XLK": 36}


def test_each_instrument_is_judged_by_its_own_volatility(tmp_path: Path) -> None:
    closes = everywhere(CALM) | {"SOXX": ROUGH}
    made = planned(case("rotation"), {}, as_of=AS_OF, history=history(tmp_path, **closes))
    assert made.sections[0].breaches == ("XLK",)


def test_the_vix_speaks_for_all_where_it_is_given(tmp_path: Path) -> None:
    found = history(tmp_path, SOXX=CALM, VIX=[15.0] * (len(CALM) - 1) + [30.0])
    made = planned(case("rotation"), {}, as_of=AS_OF, history=found)
    assert orders(made) == {}


def test_the_state_is_said_once_with_its_measure_and_since_when(tmp_path: Path) -> None:
    made = planned(case("rotation"), {}, as_of=AS_OF, history=history(tmp_path, **everywhere(ROUGH)))
    (told,) = [problem for problem in made.problems if problem.code == "volatility"]
    assert told.severity == "info"
    assert "SOXX ±20.00% of its target" in str(told.message)
    assert "20-day volatility" in str(told.message)
    assert "since 2022-0" in str(told.message)
    assert "2022-05-20" in str(told.message)


def test_without_closes_the_normal_band_stands_and_that_is_said_once(tmp_path: Path) -> None:
    made = planned(case("rotation"), {}, as_of=AS_OF, history=history(tmp_path, SPY=CALM))
    assert orders(made) == {"SOXX": -36, "XLK": 36}
    (told,) = [problem for problem in made.problems if problem.code == "volatility"]
    assert str(told.message).startswith("not known, so the normal band stands: QQQ ±15.00% of its target")


def test_no_closes_are_asked_for_where_no_band_follows_volatility(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rebalancer.analysing.load_history", lambda *_: pytest.fail("asked"))
    folio = case("leveraged")
    assert in_force(folio, AS_OF) == (folio, ())


def test_risk_judges_by_the_state_and_the_band_of_the_plan(tmp_path: Path) -> None:
    for closes, limit, status in ((ROUGH, "0.20", "OK"), (CALM, "0.15", "BREACH")):
        path = history(tmp_path, **everywhere(closes))
        rows = checked(case("rotation"), {}, Sources(path), AS_OF).rules
        (row,) = [row for row in rows if row.rule == "volatility-band" and row.scope == "SOXX"]
        assert (row.limit, row.actual, row.status) == (D(limit), D("0.18"), status)


def test_a_section_of_its_own_follows_volatility_too() -> None:
    folio = case("rotation-section")
    wide, _ = banded(folio, {"SOXX": state("high")})
    found = {p.symbol: (p.low, p.high) for p in positions(wide, valued(wide))}
    assert folio.volatility_followers == ("QQQ", "SOXX", "XLK", "ARKK")
    assert found["SOXX"] == (D("0.16"), D("0.24"))
    assert found["XLK"] == (D("0.17"), D("0.23"))


def test_a_maximum_that_is_broken_is_mended_within_any_band() -> None:
    made = rebalance(case("tech-rotation"), {}, AS_OF)
    after = {trade.symbol: trade.weight_after for trade in made.trades}
    assert after["ARKK"] <= D("0.10")
    assert made.sections[0].why.code == "limit"


# --- whose band


FOLLOWING = "{absolute_band: null, relative_band: 0.15, relative_band_high_volatility: 0.20}"


def read(targets: str, rule: str = FOLLOWING) -> tuple[Portfolio, list[str]]:
    text = f"""
portfolio:
  base_currency: USD
  cash: {{USD: 0}}
  holdings: [{{symbol: QQQ, quantity: 80, price: 100}}, {{symbol: SOXX, quantity: 20, price: 100}}]
  targets: [{{ticker: QQQ, weight: 0.8}}, {{ticker: SOXX, weight: 0.2{targets}}}]
  rules: {{all: {rule}}}
"""
    found, problems = parse_portfolio(text, "p.yaml")
    assert found is not None, problems
    return found, [problem.code for problem in problems]


def band_of(folio: Portfolio, word: State) -> Decimal:
    wide, _ = banded(folio, {"SOXX": state(word)})
    return next(p.high / p.target - 1 for p in positions(wide, valued(wide)) if p.symbol == "SOXX")


@pytest.mark.parametrize(
    ("targets", "calm", "high"),
    [
        ("", "0.15", "0.20"),
        (", relative_band: 0.10", "0.10", "0.20"),
        (", relative_band_high_volatility: 0.30", "0.15", "0.30"),
        (", relative_band: 0.25, relative_band_high_volatility: 0.40", "0.25", "0.40"),
        (", relative_band: 0.25", "0.25", "0.25"),
    ],
)
def test_a_targets_own_bands_beat_its_sections(targets: str, calm: str, high: str) -> None:
    folio, _ = read(targets)
    assert band_of(folio, "calm") == band_of(folio, "unknown") == D(calm)
    assert band_of(folio, "high") == D(high)


def test_a_band_that_is_not_wider_is_pointed_out() -> None:
    folio, codes = read("", "{absolute_band: null, relative_band: 0.25, relative_band_high_volatility: 0.20}")
    assert codes == ["band-not-wider"]
    assert folio.volatility_followers == ()


def test_a_wider_band_without_a_normal_one_is_pointed_out() -> None:
    folio, codes = read("", "{absolute_band: 0.05, relative_band: null, relative_band_high_volatility: 0.20}")
    assert "band-not-wider" in codes
    assert folio.volatility_followers == ()


def test_a_document_keeps_the_bands_and_not_the_state() -> None:
    folio, _ = read(", relative_band: 0.10, relative_band_high_volatility: 0.30")
    wide, _ = banded(folio, {"SOXX": state("high")})
    again, problems = parse_portfolio(dump_portfolio(wide), "again.yaml")
    assert (again, problems) == (folio, ())


@given(
    st.decimals(D("0.01"), D("0.6"), places=3),
    st.decimals(D("0.01"), D("1"), places=3),
    st.integers(0, 60),
    st.sampled_from([None, D("0.05")]),
)
def test_a_wider_band_makes_no_section_act_that_a_narrower_one_leaves_alone(
    narrow: Decimal, wide: Decimal, held: int, absolute: Decimal | None
) -> None:
    rule = Rule(absolute_band=absolute, relative_band=narrow, relative_band_high_volatility=wide)
    folio = portfolio(
        [holding("069500", held, price=D(1))], [section("all", target("069500", "0.3"), rule=rule)], {"KRW": 60}
    )
    acts = {}
    for word in ("calm", "high"):
        found, _ = banded(folio, {"069500": state(word)})
        (sleeve,) = section_states(found, valued(found), goal_states(found, valued(found)), AS_OF)
        acts[word] = sleeve.acts
    assert acts["calm"] or not acts["high"]


@given(st.lists(st.floats(0.001, 0.06), min_size=300, max_size=420))
def test_plan_and_risk_have_one_state(moves: list[float]) -> None:
    closes = np.cumprod([100.0, *(1 + move * (1 if at % 2 else -1) for at, move in enumerate(moves))])
    days = np.arange(len(closes)).astype("datetime64[D]")
    found = judged(HistoryTable({"SOXX": Series("SOXX", days, np.asarray(closes, np.float64), "USD")}), ["SOXX"])
    folio, _ = read("")
    wide, notes = banded(folio, found)
    (row,) = [r for r in risk(folio, valued(folio), RiskInputs(turbulence=found)) if r.rule == "volatility-band"][1:]
    (position,) = [p for p in positions(wide, valued(wide)) if p.symbol == "SOXX"]
    assert row.limit == position.high / position.target - 1
    assert {note.code for note in notes} == {"volatility"}


# --- the limits of `risk`


def test_limits_that_the_targets_break_are_warned_of_and_nothing_is_traded_for_them() -> None:
    made = rebalance(case("leveraged"), {}, AS_OF)
    broken = [(str(p.where), p.severity) for p in made.problems if p.code == "limit-breached"]
    assert broken == [
        ("leveraged-total portfolio", "warning"),
        ("leveraged-fund TQQQ", "warning"),
        ("gross-exposure portfolio", "warning"),
    ]
    assert all("the targets" in str(p.message) for p in made.problems if p.code == "limit-breached")
    assert made.trades == ()
    assert not made.sections[0].acts


def drifted(tqqq: int = 70, weight: str = "0.04", **more: object) -> Portfolio:
    """Return a portfolio whose leveraged fund is inside its band and above the limit that its target keeps."""
    folio, _ = parse_portfolio(
        f"""
portfolio:
  base_currency: USD
  cash: {{USD: 0}}
  holdings: [{{symbol: QQQ, quantity: {1000 - tqqq}, price: 100}}, {{symbol: TQQQ, quantity: {tqqq}, price: 100}}]
  targets: [{{ticker: QQQ, weight: {1 - D(weight)}}}, {{ticker: TQQQ, weight: {weight}}}]
  rules: {{all: {{absolute_band: 0.05, relative_band: null}}}}
""",
        "p.yaml",
    )
    assert folio is not None
    return replace(folio, settings=replace(folio.settings, **more)) if more else folio  # type: ignore[arg-type]


@pytest.mark.parametrize("trade", ["all", "breached"])
def test_a_limit_that_the_targets_keep_makes_the_section_act_and_is_mended(trade: str) -> None:
    made = rebalance(drifted(trade=trade), {}, AS_OF)
    (state,) = made.sections
    assert (state.acts, state.why.code) == (True, "risk")
    assert str(state.why.phrase) == "its funds break a limit that going to the targets mends: leveraged-fund"
    assert made.needs_rebalancing
    assert {t.symbol: t.weight_after for t in made.trades}["TQQQ"] <= D("0.05")
    (told,) = [p for p in made.problems if p.code == "limit-breached"]
    assert str(told.message).startswith("limit 5.00 %, actual 7.00 % (TQQQ): the targets keep it")


def test_a_mended_limit_asks_for_nothing_more() -> None:
    made = rebalance(drifted(), {}, AS_OF)
    left = 70 + int(orders(made)["TQQQ"])
    again = rebalance(drifted(left), {}, AS_OF)
    assert again.trades == ()
    assert not again.sections[0].acts


def test_what_is_locked_keeps_a_limit_broken_without_a_section_that_acts() -> None:
    folio = drifted()
    folio = replace(folio, holdings=tuple(replace(h, locked=True) for h in folio.holdings))
    found = overruns(folio, valued(folio), frozenset(folio.symbols))
    assert [(one.rule.rule, one.mendable) for one in found] == [("leveraged-fund", False)]
    assert not rebalance(folio, {}, AS_OF).sections[0].acts


def test_the_plan_keeps_its_own_groups() -> None:
    assert rebalance(drifted(), {}, AS_OF).portfolio == drifted()


@given(st.integers(0, 400), st.integers(0, 40))
def test_a_section_never_acts_on_a_limit_that_its_targets_break(tqqq: int, points: int) -> None:
    folio = drifted(tqqq, str(D(points) / 100))
    aimed = drifted(points * 10, str(D(points) / 100))
    broken = {one.rule.rule for one in overruns(aimed, valued(aimed), frozenset())}
    found = overruns(folio, valued(folio), frozenset())
    assert {one.rule.rule for one in found if not one.mendable} == broken & {one.rule.rule for one in found}
