"""Warn when everything moves together: the average correlation now against its own history.

The average of all pairwise correlations over the last 60 returns is ranked among the same measure over earlier windows
that do not overlap the last one. Kritzman, Li, Page & Rigobon ("Principal components as a measure of systemic risk",
2011) use such a rise as a sign of fragility; window, step and threshold are this tool's own choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.analysis.returns import simple_returns
from engine.errors import Problem
from engine.history import Floats, Series, aligned

WINDOW = 60
STEP = 20
#: Fewest earlier windows that count as a history.
MIN_WINDOWS = 12
#: Share of the earlier windows that the last one must exceed for an alert.
ALERT_ABOVE = 0.9


@dataclass(frozen=True, slots=True)
class Lockstep:
    """Hold the average correlation of the last window, the share of earlier windows below it, and whether to warn.

    `now` and `rank` are None where there is too little history; `windows` is how many earlier ones there are.
    """

    now: float | None
    average: float | None
    rank: float | None
    windows: int
    alert: bool

    def remark(self) -> Problem:
        """Return the finding as a problem: a warning where everything moves together, else info."""
        if self.now is None or self.rank is None or self.average is None:
            text = f"{self.windows} earlier windows of {WINDOW} days: {MIN_WINDOWS} are needed to tell a lockstep"
            ko = f"비교할 과거 {WINDOW}일 구간 {self.windows}개: 동조화를 판단하려면 {MIN_WINDOWS}개가 필요합니다"
            return Problem("info", "lockstep-unknown", "correlate", text, ko)
        text = (
            f"average correlation of the last {WINDOW} days {self.now:.2f}, above {self.rank:.0%} of {self.windows} "
            f"earlier windows (their mean {self.average:.2f})"
        )
        ko = (
            f"최근 {WINDOW}일 평균 상관계수 {self.now:.2f}, 과거 구간 {self.windows}개 중 {self.rank:.0%}보다 높음 "
            f"(과거 평균 {self.average:.2f})"
        )
        return Problem("warning" if self.alert else "info", "lockstep", "correlate", text, ko)


def average_correlation(returns: Floats) -> float:
    """Return the mean of all pairwise correlations of the columns; nan where fewer than two columns vary."""
    centred = returns - returns.mean(axis=0)
    length = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    varied = length > np.abs(returns.mean(axis=0)) * len(returns) * np.finfo(np.float64).eps
    count = int(varied.sum())
    if count < 2:
        return float("nan")
    together = (centred[:, varied] / length[varied]).sum(axis=1)
    return float((together @ together - count) / (count * (count - 1)))


def lockstep(series: Sequence[Series]) -> Lockstep:
    """Rank the last window's average correlation among earlier windows, every 20 days back."""
    _, closes = aligned(series)
    if len(series) < 2 or len(closes) < WINDOW + 1:
        return Lockstep(None, None, None, 0, alert=False)
    returns = simple_returns(closes)
    now = average_correlation(returns[-WINDOW:])
    ends = range(len(returns) - WINDOW, WINDOW - 1, -STEP)
    earlier = np.array([average_correlation(returns[end - WINDOW : end]) for end in ends])
    earlier = earlier[~np.isnan(earlier)]
    if len(earlier) < MIN_WINDOWS or np.isnan(now):
        return Lockstep(None, None, None, len(earlier), alert=False)
    rank = float((earlier < now).mean())
    return Lockstep(now, float(earlier.mean()), rank, len(earlier), alert=rank > ALERT_ABOVE)
