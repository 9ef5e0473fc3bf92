"""What speaks for or against a satellite: one rule a function, each giving reasons with the verdict they call for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

import numpy as np

from engine.analysis.correlation import DEFAULT_DAYS, MIN_RETURNS, correlation_matrix
from engine.analysis.overlap import Overlap
from engine.analysis.quarters import Quarter
from engine.analysis.returns import simple_returns
from engine.errors import NoData
from engine.history import HistoryTable, Series, aligned


class Verdict(IntEnum):
    """Rank the verdicts: the largest stands."""

    HOLD = 0
    REVIEW = 1
    REPLACE = 2


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """Hold the review's settings: fractions, and numbers of quarters.

    A quarter that is exactly `lag` behind counts; a correlation or an overlap counts above its limit.
    """

    lag: float = 0.05
    replace_after: int = 3
    review_after: int = 2
    shown: int = 4
    correlation: float = 0.9
    overlap: Decimal = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Reason:
    """Give one reason: a code for programs, the verdict it calls for, and a sentence in English and Korean."""

    code: str
    verdict: Verdict
    text: str
    text_ko: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """Name a fund, its index, currency and yearly fee: what a cheaper alternative is looked for among."""

    symbol: str
    name: str
    index: str
    currency: str
    fee: Decimal | None


@dataclass(frozen=True, slots=True)
class Satellite:
    """Name what is reviewed: its benchmark (None: none given) and whether its thesis holds (None: not said)."""

    symbol: str
    benchmark: str | None
    thesis_valid: bool | None


def performance(quarters: Sequence[Quarter], satellite: Satellite, rules: ReviewRules) -> list[Reason]:
    """Count the latest consecutive quarters that lag, and say where too few can be compared."""
    benchmark = satellite.benchmark
    if benchmark is None:
        english = "no benchmark given: its quarters are compared with nothing"
        return [Reason("no-benchmark", Verdict.HOLD, english, "벤치마크가 없어 분기 성과를 비교하지 못함")]
    streak = 0
    for quarter in reversed(quarters):
        if quarter.excess is None or quarter.excess > -rules.lag:
            break
        streak += 1
    points = f"{rules.lag * 100:g}"
    behind, behind_ko = f"{points} points or more behind {benchmark}", f"{benchmark} 대비 {points}%p 이상 뒤처짐"
    if streak >= rules.replace_after:
        english = f"{streak} consecutive quarters {behind}"
        return [Reason("lagging", Verdict.REPLACE, english, f"{streak}분기 연속 {behind_ko}")]
    reasons = []
    if streak >= rules.review_after:
        english = f"the last {streak} quarters {behind}"
        reasons.append(Reason("lagging", Verdict.REVIEW, english, f"최근 {streak}분기 {behind_ko}"))
    elif streak:
        reasons.append(Reason("lagging", Verdict.HOLD, f"the last quarter {behind}", f"최근 1분기 {behind_ko}"))
    known = sum(quarter.excess is not None for quarter in quarters[-rules.replace_after :])
    if known < rules.replace_after:
        english = f"too little history: {known} of the last {rules.replace_after} quarters can be compared"
        korean = f"기록 부족: 최근 {rules.replace_after}분기 중 {known}분기만 비교 가능"
        reasons.append(Reason("short-history", Verdict.HOLD, english, korean))
    return reasons


def thesis(satellite: Satellite) -> list[Reason]:
    """Take the person's word on the thesis."""
    if satellite.thesis_valid is False:
        english = "its thesis no longer holds (thesis_valid: false)"
        return [Reason("thesis", Verdict.REPLACE, english, "투자 논리가 더는 유효하지 않음 (thesis_valid: false)")]
    if satellite.thesis_valid is None:
        english = "nobody said whether its thesis holds: set thesis_valid"
        return [
            Reason("thesis-unknown", Verdict.HOLD, english, "투자 논리의 유효 여부 미입력: thesis_valid를 넣으세요")
        ]
    return []


def cheaper(symbol: str, candidates: Sequence[Candidate]) -> list[Reason]:
    """Name the cheapest fund of the same index and currency, if it costs less."""
    own = next((one for one in candidates if one.symbol == symbol), None)
    if own is None or not own.index or own.fee is None:
        return []
    alike = [one for one in candidates if one.index == own.index and one.currency == own.currency]
    better = [(one.fee, one.symbol, one.name) for one in alike if one.fee is not None and one.fee < own.fee]
    if not better:
        return []
    fee, code, name = min(better)
    english = f"{name} ({code}) follows {own.index} for {fee:%}, not {own.fee:%}"
    korean = f"같은 지수({own.index})를 더 싸게 따르는 상품: {name} ({code}) {fee:%}, 현재 {own.fee:%}"
    return [Reason("cheaper", Verdict.REVIEW, english, korean)]


def alike(own: Series, others: Sequence[str], history: HistoryTable, currency: str, rules: ReviewRules) -> list[Reason]:
    """Name every other holding whose returns over the last year correlate above the limit."""
    reasons = []
    for other in others:
        try:
            series = history.in_currency(other, currency)
        except NoData:
            continue
        _, closes = aligned([own, series])
        returns = simple_returns(closes[-(DEFAULT_DAYS + 1) :])
        if other == own.symbol or len(returns) < MIN_RETURNS:
            continue
        value = float(correlation_matrix(returns)[0, 1])
        if not np.isnan(value) and value > rules.correlation:
            english = f"moves with {other}: correlation {value:.2f} over {len(returns)} days"
            korean = f"{other}와 같이 움직임: {len(returns)}일 상관계수 {value:.2f}"
            reasons.append(Reason("correlated", Verdict.REVIEW, english, korean))
    return reasons


def shared(symbol: str, overlaps: Sequence[Overlap], rules: ReviewRules) -> list[Reason]:
    """Name every other holding that holds the same beyond the limit."""
    reasons = []
    for row in overlaps:
        if symbol in row.pair and row.weight is not None and row.weight > rules.overlap:
            other = row.pair[1] if row.pair[0] == symbol else row.pair[0]
            least, least_ko = ("", "") if row.complete else ("at least ", "최소 ")
            english = f"holds {least}{row.weight:.0%} the same as {other}"
            korean = f"{other}와 보유 종목이 {least_ko}{row.weight:.0%} 겹침"
            reasons.append(Reason("overlap", Verdict.REVIEW, english, korean))
    return reasons
