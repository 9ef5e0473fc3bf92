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

from engine.analysis.overlap import Overlap
from engine.analysis.quarters import Quarter, complete_quarters, quarter_returns
from engine.analysis.reasons import (
    Candidate,
    Reason,
    ReviewRules,
    Satellite,
    Verdict,
    alike,
    cheaper,
    performance,
    shared,
    thesis,
)
from engine.errors import NoData, Problem
from engine.history import HistoryTable, Series


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
    benchmark = None
    if satellite.benchmark:
        other = history.series.get(satellite.benchmark)
        # Beside a satellite without history there is nothing to convert for: only what else is missing is told.
        into = other.currency if own is None and other is not None else currency
        benchmark = _converted(history, satellite.benchmark, into, problems)
    shown = max(rules.shown, rules.replace_after)
    ends = complete_quarters(as_of, shown)
    quarters = quarter_returns(own, benchmark, ends) if own is not None else ()
    reasons = [
        *performance(quarters, satellite, rules),
        *thesis(satellite),
        *cheaper(satellite.symbol, candidates),
        *(alike(own, others, history, currency, rules) if own is not None else ()),
        *shared(satellite.symbol, overlaps, rules),
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
        problems.append(Problem("warning", "no-history", symbol, str(error), error.ko))
        return None
