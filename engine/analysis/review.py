"""The satellites' quarterly review: keep, look again, or replace, with every reason.

HOLD < REVIEW < REPLACE; the strongest reason decides and all are listed.

REPLACE  the person says the thesis no longer holds; or three consecutive complete quarters, the latest among them, each
         5 points or more behind the benchmark
REVIEW   the last two quarters were that far behind; a fund of the same index costs less; the satellite moves with, or
         holds the same as, another holding beyond a threshold
HOLD     nothing of these. Too little history to judge is a reason listed, never a verdict.

The three quarters, the five points, the thesis and the cheaper fund are the core-satellite rules this tool follows;
that two quarters or an overlap call for a second look is its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

import numpy as np

from engine.analysis.correlation import MIN_RETURNS, correlation_matrix
from engine.analysis.overlap import Overlap
from engine.analysis.quarters import Quarter, complete_quarters, quarter_returns
from engine.analysis.returns import simple_returns
from engine.errors import NoData, Problem
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
    """Give one reason, as a code for programs and a sentence, and the verdict it calls for."""

    code: str
    text: str
    verdict: Verdict


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


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """Hold one satellite's quarters, oldest first, the verdict and the reasons, strongest first."""

    symbol: str
    benchmark: str | None
    currency: str
    quarters: tuple[Quarter, ...]
    verdict: Verdict
    reasons: tuple[Reason, ...]
    problems: tuple[Problem, ...] = ()


def review(
    satellite: Satellite,
    history: HistoryTable,
    as_of: dt.date,
    *,
    others: Sequence[str] = (),
    candidates: Sequence[Candidate] = (),
    overlaps: Sequence[Overlap] = (),
    rules: ReviewRules | None = None,
    currency: str = "",
) -> ReviewRow:
    """Review one satellite as of a day.

    `others` are the symbols that its returns are compared with, `candidates` the funds among which a cheaper one of
    the same index is looked for, `overlaps` the common holdings of pairs. Returns are in `currency`; without one, in
    the satellite's own, into which the benchmark is converted.
    """
    rules = rules or ReviewRules()
    problems: list[Problem] = []
    listed = history.series.get(satellite.symbol)
    currency = currency or (listed.currency if listed else "")
    own = _converted(history, satellite.symbol, currency, problems)
    benchmark = _converted(history, satellite.benchmark, currency, problems) if satellite.benchmark else None
    shown = max(rules.shown, rules.replace_after)
    ends = complete_quarters(as_of, shown)
    quarters = quarter_returns(own, benchmark, ends) if own is not None else ()
    reasons = [
        *_performance(quarters, satellite, rules),
        *_thesis(satellite),
        *_cheaper(satellite.symbol, candidates),
        *(_alike(own, others, history, currency, rules) if own is not None else ()),
        *_shared(satellite.symbol, overlaps, rules),
    ]
    reasons.sort(key=lambda reason: -reason.verdict)
    verdict = max((reason.verdict for reason in reasons), default=Verdict.HOLD)
    return ReviewRow(
        satellite.symbol, satellite.benchmark, currency, quarters, verdict, tuple(reasons), tuple(problems)
    )


def _converted(history: HistoryTable, symbol: str, currency: str, problems: list[Problem]) -> Series | None:
    try:
        return history.in_currency(symbol, currency)
    except NoData as error:
        problems.append(Problem("warning", "no-history", symbol, str(error)))
        return None


def _performance(quarters: Sequence[Quarter], satellite: Satellite, rules: ReviewRules) -> list[Reason]:
    if satellite.benchmark is None:
        return [Reason("no-benchmark", "no benchmark given: its quarters are compared with nothing", Verdict.HOLD)]
    streak = 0
    for quarter in reversed(quarters):
        if quarter.excess is None or quarter.excess > -rules.lag:
            break
        streak += 1
    points = f"{rules.lag * 100:g} points or more behind {satellite.benchmark}"
    if streak >= rules.replace_after:
        return [Reason("lagging", f"{streak} consecutive quarters {points}", Verdict.REPLACE)]
    reasons = []
    if streak >= rules.review_after:
        reasons.append(Reason("lagging", f"the last {streak} quarters {points}", Verdict.REVIEW))
    elif streak:
        reasons.append(Reason("lagging", f"the last quarter {points}", Verdict.HOLD))
    known = sum(quarter.excess is not None for quarter in quarters[-rules.replace_after :])
    if known < rules.replace_after:
        text = f"too little history: {known} of the last {rules.replace_after} quarters can be compared"
        reasons.append(Reason("short-history", text, Verdict.HOLD))
    return reasons


def _thesis(satellite: Satellite) -> list[Reason]:
    if satellite.thesis_valid is False:
        return [Reason("thesis", "its thesis no longer holds (thesis_valid: false)", Verdict.REPLACE)]
    if satellite.thesis_valid is None:
        return [Reason("thesis-unknown", "nobody said whether its thesis holds: set thesis_valid", Verdict.HOLD)]
    return []


def _cheaper(symbol: str, candidates: Sequence[Candidate]) -> list[Reason]:
    own = next((one for one in candidates if one.symbol == symbol), None)
    if own is None or not own.index or own.fee is None:
        return []
    better = [
        one
        for one in candidates
        if one.index == own.index and one.currency == own.currency and one.fee is not None and one.fee < own.fee
    ]
    better.sort(key=lambda one: (one.fee, one.symbol))
    return [
        Reason(
            "cheaper", f"{one.name} ({one.symbol}) follows {own.index} for {one.fee:%}, not {own.fee:%}", Verdict.REVIEW
        )
        for one in better[:1]
    ]


def _alike(
    own: Series, others: Sequence[str], history: HistoryTable, currency: str, rules: ReviewRules
) -> list[Reason]:
    reasons = []
    for other in others:
        try:
            series = history.in_currency(other, currency)
        except NoData:
            continue
        _, closes = aligned([own, series])
        returns = simple_returns(closes[-253:])
        if other == own.symbol or len(returns) < MIN_RETURNS:
            continue
        value = float(correlation_matrix(returns)[0, 1])
        if not np.isnan(value) and value > rules.correlation:
            text = f"moves with {other}: correlation {value:.2f} over {len(returns)} days"
            reasons.append(Reason("correlated", text, Verdict.REVIEW))
    return reasons


def _shared(symbol: str, overlaps: Sequence[Overlap], rules: ReviewRules) -> list[Reason]:
    reasons = []
    for row in overlaps:
        if symbol in row.pair and row.weight is not None and row.weight > rules.overlap:
            other = row.pair[1] if row.pair[0] == symbol else row.pair[0]
            least = "" if row.complete else "at least "
            reasons.append(Reason("overlap", f"holds {least}{row.weight:.0%} the same as {other}", Verdict.REVIEW))
    return reasons
