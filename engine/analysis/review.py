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
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.compare import Overlap
from engine.analysis.correlation import DEFAULT_DAYS, MIN_RETURNS, correlation_matrix
from engine.analysis.returns import simple_returns, total_return
from engine.documents import Document, number, problem_list
from engine.errors import NoData, Problem
from engine.history import HistoryTable, Series, aligned
from engine.phrase import Phrase, phrase
from engine.schedule import add_months, next_weekday

if TYPE_CHECKING:
    import pandas as pd

#: Digits of an excess. 0.10 − 0.15 is above −0.05 in binary: rounding puts a lag of exactly five points on its limit.
DIGITS = 12


class Verdict(IntEnum):
    """Verdicts in their rank: the largest stands."""

    HOLD = 0
    REVIEW = 1
    REPLACE = 2


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """The review's settings: fractions, and numbers of quarters.

    A quarter that is exactly `lag` behind counts; a correlation or an overlap counts above its limit.
    """

    lag: float = 0.05
    replace_after: int = 3
    review_after: int = 2
    shown: int = 4
    correlation: float = 0.9
    overlap: Decimal = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class ReviewReason:
    """A reason with the verdict it calls for; `code` is for programs, `text` says it."""

    code: str
    verdict: Verdict
    text: Phrase


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fund with its index, currency and yearly fee: among these a cheaper alternative is looked for."""

    symbol: str
    name: str
    index: str
    currency: str
    fee: Decimal | None


@dataclass(frozen=True, slots=True)
class Satellite:
    """What is reviewed: its benchmark (None: none given) and whether its thesis holds (None: not said)."""

    symbol: str
    benchmark: str | None
    thesis_valid: bool | None


@dataclass(frozen=True, slots=True)
class Quarter:
    """A complete calendar quarter, not annualised, beside the benchmark's; None where a close is missing."""

    quarter: str
    value: float | None
    benchmark: float | None
    excess: float | None


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A satellite's quarters, oldest first, the verdict and the reasons, strongest first."""

    symbol: str
    benchmark: str | None
    currency: str
    quarters: tuple[Quarter, ...]
    verdict: Verdict
    reasons: tuple[ReviewReason, ...]
    problems: tuple[Problem, ...] = ()

    def to_json(self, lang: str = "en") -> Document:
        """Return quarters, verdict and reasons as a JSON document, the reasons in one language."""
        return {
            "symbol": self.symbol,
            "quarters": [
                {
                    "quarter": quarter.quarter,
                    "return": number(quarter.value),
                    "benchmark": number(quarter.benchmark),
                    "excess": number(quarter.excess),
                }
                for quarter in self.quarters
            ],
            "verdict": self.verdict.name,
            "reasons": [reason.text.told(lang) for reason in self.reasons],
        }


@dataclass(frozen=True, slots=True)
class Review:
    """The review of a portfolio's satellites; `benchmark` is the one that all share, else None."""

    benchmark: str | None
    rows: tuple[ReviewRow, ...]
    problems: tuple[Problem, ...]

    @property
    def known(self) -> bool:
        """Tell whether any quarter of any satellite has a return."""
        return any(quarter.value is not None for row in self.rows for quarter in row.quarters)

    def to_json(self, lang: str = "en") -> Document:
        """Return the satellites' quarters, verdicts and reasons as a JSON document, the reasons in one language."""
        return {
            "benchmark": self.benchmark,
            "rows": [row.to_json(lang) for row in self.rows],
            "problems": problem_list((*self.problems, *(problem for row in self.rows for problem in row.problems))),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row per satellite and quarter: symbol, quarter, return, benchmark, excess, verdict."""
        import pandas as pd

        lines = [
            (row.symbol, one.quarter, one.value, one.benchmark, one.excess, row.verdict.name)
            for row in self.rows
            for one in row.quarters
        ]
        frame = pd.DataFrame(lines, columns=["symbol", "quarter", "return", "benchmark", "excess", "verdict"])
        return frame.astype(dict.fromkeys(("return", "benchmark", "excess"), "float64"))


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
    except NoData as fault:
        problems.append(Problem("warning", "no-history", symbol, fault.message))
        return None


def performance(quarters: Sequence[Quarter], satellite: Satellite, rules: ReviewRules) -> list[ReviewReason]:
    """Count the latest consecutive quarters that lag, and say where too few can be compared."""
    if satellite.benchmark is None:
        return [_reason("no-benchmark", Verdict.HOLD)]
    streak = 0
    for quarter in reversed(quarters):
        if quarter.excess is None or quarter.excess > -rules.lag:
            break
        streak += 1
    behind = phrase("review.behind", points=rules.lag * 100, benchmark=satellite.benchmark)
    if streak >= rules.replace_after:
        return [_reason("lagging.long", Verdict.REPLACE, quarters=streak, behind=behind)]
    reasons = []
    if streak >= rules.review_after:
        reasons.append(_reason("lagging.some", Verdict.REVIEW, quarters=streak, behind=behind))
    elif streak:
        reasons.append(_reason("lagging.once", Verdict.HOLD, behind=behind))
    known = sum(quarter.excess is not None for quarter in quarters[-rules.replace_after :])
    if known < rules.replace_after:
        reasons.append(_reason("short-history", Verdict.HOLD, known=known, quarters=rules.replace_after))
    return reasons


def thesis(satellite: Satellite) -> list[ReviewReason]:
    """Take the person's word on the thesis."""
    if satellite.thesis_valid is False:
        return [_reason("thesis", Verdict.REPLACE)]
    return [_reason("thesis-unknown", Verdict.HOLD)] if satellite.thesis_valid is None else []


def cheaper(symbol: str, candidates: Sequence[Candidate]) -> list[ReviewReason]:
    """Name the cheapest fund of the same index and currency, if it costs less."""
    own = next((one for one in candidates if one.symbol == symbol), None)
    if own is None or not own.index or own.fee is None:
        return []
    alike = [one for one in candidates if one.index == own.index and one.currency == own.currency]
    better = [(one.fee, one.symbol, one.name) for one in alike if one.fee is not None and one.fee < own.fee]
    if not better:
        return []
    fee, code, name = min(better)
    return [_reason("cheaper", Verdict.REVIEW, name=name, symbol=code, index=own.index, fee=fee, own=own.fee)]


def alike(
    own: Series, others: Sequence[str], history: HistoryTable, currency: str, rules: ReviewRules
) -> list[ReviewReason]:
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
            reasons.append(_reason("correlated", Verdict.REVIEW, other=other, correlation=value, days=len(returns)))
    return reasons


def shared(symbol: str, overlaps: Sequence[Overlap], rules: ReviewRules) -> list[ReviewReason]:
    """Name every other holding that holds the same beyond the limit."""
    reasons = []
    for row in overlaps:
        if symbol in row.pair and row.weight is not None and row.weight > rules.overlap:
            other = row.pair[1] if row.pair[0] == symbol else row.pair[0]
            key = "overlap" if row.complete else "overlap.least"
            reasons.append(_reason(key, Verdict.REVIEW, weight=row.weight, other=other))
    return reasons


def _reason(key: str, verdict: Verdict, **values: object) -> ReviewReason:
    return ReviewReason(key.partition(".")[0], verdict, phrase(f"review.{key}", **values))


def complete_quarters(as_of: dt.date, count: int) -> tuple[dt.date, ...]:
    """Return the last calendar days of the latest complete quarters, oldest first.

    A quarter is complete once its last weekday has come.
    """
    first = dt.date(as_of.year, as_of.month - (as_of.month - 1) % 3, 1)
    end = add_months(first, 3) - dt.timedelta(days=1)
    if as_of < _last_weekday(end):
        end = first - dt.timedelta(days=1)
    next_first = end + dt.timedelta(days=1)
    return tuple(add_months(next_first, -3 * back) - dt.timedelta(days=1) for back in range(count - 1, -1, -1))


def _last_weekday(day: dt.date) -> dt.date:
    return day if next_weekday(day) == day else day - dt.timedelta(days=day.weekday() - 4)


def quarter_returns(own: Series, benchmark: Series | None, ends: Sequence[dt.date]) -> tuple[Quarter, ...]:
    """Return the return of each quarter, the benchmark's, and the difference, rounded.

    Both run from the last close of the quarter before to the last close of the quarter, in the series' currency.
    """
    rows = []
    for end in ends:
        start = add_months(end + dt.timedelta(days=1), -3) - dt.timedelta(days=1)
        value = total_return(own, start, end)
        other = total_return(benchmark, start, end) if benchmark is not None else None
        excess = round(value - other, DIGITS) if value is not None and other is not None else None
        rows.append(Quarter(f"{end.year}Q{(end.month + 2) // 3}", value, other, excess))
    return tuple(rows)
