"""What no market did, in a history of closes: found, named, and left out or repaired; never silent.

A source's own split event says how a series is repaired that had not applied it. Days that jump away and come back are
left out. Any other jump that no session can make cuts the history: which side of it is right is not guessed, and the
newer one is what is held. Gaps, flat runs and series that ended are told, and stay.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from engine.errors import Problem, warning
from engine.market.catalogue import load
from engine.market.doubts import LIMIT
from engine.quote import History

#: A close this many times from the one before is a jump; it came back where a later one is within `BACK` of that.
SPIKE, BACK, SPIKE_DAYS = 1.5, 0.15, 3
#: In a quiet series less is a jump: this many times its usual move, at least `LEAST`, and back to within `NEARLY` ones.
USUAL, LEAST, NEARLY, ENOUGH = 20, 0.10, 3, 20
#: A last day this many times away is no jump that anybody has seen twice: it is left out.
FAR = 3.0
#: Ratios that splits leave; how near one counts as it; below the last a dividend in shares is no split.
SPLITS, NEAR, SMALLEST = (2, 3, 4, 5, 10, 20, 50, 100, 1000), 0.06, 1.2
#: Largest share of a price that is paid out at once, and how far what is paid can seem to come back.
PAID, UNPAID = 1.5, 0.98
#: What a limit rounded to a tick may go beyond it; the leverage of what is in no catalogue: it may be a 2X fund.
ROUNDING, UNKNOWN = 0.02, 2.0
#: Calendar days without a close, and equal closes in a row, that no open market leaves; and how many of them are named.
GAP, FLAT, NAMED = dt.timedelta(days=11), 20, 5


def mended(found: History, market: str, end: dt.date) -> tuple[History, tuple[Problem, ...]]:
    """Return a history without what no market did, and a warning for each thing left out, repaired or odd.

    `end` is the last day that was asked for.
    """
    entry = load().get(found.symbol)
    times = abs(float(entry.instrument.leverage)) if entry else None
    most = None if market != "KR" else float(LIMIT) * (times or UNKNOWN) + ROUNDING
    found, problems = _with_splits(found)
    found, spikes = _without_spikes(found, times or 1.0)
    if spikes:
        days, closes = tuple(day for day, _ in spikes[:NAMED]), tuple(close for _, close in spikes[:NAMED])
        problems.append(warning("history-spike", found.symbol, number=len(spikes), days=days, closes=closes))
    found, cut = _since_the_last_jump(found, most)
    problems += cut
    if found.total_return is not None and (day := _odd_dividend(found)) is not None:
        problems.append(warning("history-total", found.symbol, day=day))
        found = replace(found, total_return=None)
    gaps = [(one, other) for one, other in pairwise(found.dates) if other - one > GAP]
    for first, last in gaps[:NAMED]:
        problems.append(warning("history-gap", found.symbol, first=first, last=last))
    if found.dates and end - found.dates[-1] > GAP:
        problems.append(warning("history-ended", found.symbol, last=found.dates[-1], end=end))
    for first, last, days_ in _flat_runs(found):
        problems.append(warning("history-flat", found.symbol, first=first, last=last, number=days_))
    return found, tuple(problems)


def _with_splits(found: History) -> tuple[History, list[Problem]]:
    """Apply the source's own splits that the closes jump by."""
    problems = []
    for day, event in sorted(found.splits.items(), reverse=True):
        if 1 / SMALLEST < event < SMALLEST:
            continue
        for at in range(len(found.dates) - 1, 0, -1):
            if abs((found.dates[at] - day).days) > 1:
                continue
            if abs(found.closes[at] / found.closes[at - 1] * event - 1) > NEAR:
                continue
            closes = tuple(close / event if i < at else close for i, close in enumerate(found.closes))
            total = found.total_return
            if total is not None and abs(total[at] / total[at - 1] * float(event) - 1) <= NEAR:
                total = tuple(close / float(event) if i < at else close for i, close in enumerate(total))
            problems.append(warning("history-split.repaired", found.symbol, day=found.dates[at], ratio=event))
            found = replace(found, closes=closes, total_return=total)
            break
    return found, problems


def _without_spikes(found: History, times: float) -> tuple[History, list[tuple[dt.date, Decimal]]]:
    """Leave out days that are far from the one before, where a day soon after is near it again; the last one too.

    Far is further for a leveraged fund, by its `times`.
    """
    jump = 1 + (SPIKE - 1) * times
    closes = [float(close) for close in found.closes]
    moves = [abs(other / one - 1) for one, other in pairwise(closes)]
    usual = statistics.median(moves) if len(moves) >= ENOUGH else None
    keep: list[int] = []
    for at, close in enumerate(closes):
        if keep and _is_spike(closes[keep[-1]], close, closes[at + 1 : at + 1 + SPIKE_DAYS], jump, usual):
            continue
        keep.append(at)
    if len(keep) == len(closes):
        return found, []
    left_out = sorted(set(range(len(closes))) - set(keep))
    return found.only(keep), [(found.dates[at], found.closes[at]) for at in left_out]


def _is_spike(before: float, close: float, after: Sequence[float], jump: float, usual: float | None) -> bool:
    ratio = close / before
    if not 1 / jump < ratio < jump:
        if not after:
            return not 1 / FAR < ratio < FAR
        return any(abs(later / before - 1) <= BACK for later in after)
    if usual is None or abs(ratio - 1) <= max(USUAL * usual, LEAST):
        return False
    return any(abs(later / before - 1) <= max(NEARLY * usual, LEAST / 10) for later in after)


def _since_the_last_jump(found: History, most: float | None) -> tuple[History, list[Problem]]:
    """Leave out what lies before the last jump that looks like a split, or that its exchange lets no session make.

    A move over a gap is none: shares that were halted come back at another price.
    """
    for at in range(len(found.closes) - 1, 0, -1):
        ratio = float(found.closes[at] / found.closes[at - 1])
        times = max(ratio, 1 / ratio)
        looks = times >= SPIKE and any(abs(times / split - 1) <= NEAR for split in SPLITS)
        halted = found.dates[at] - found.dates[at - 1] > GAP
        barred = most is not None and not halted and not 1 - most <= ratio <= 1 + most
        if looks or barred or times >= FAR:
            values = {"day": found.dates[at], "before": found.closes[at - 1], "after": found.closes[at]}
            key = "history-split.cut" if looks else "history-split.jump"
            return found.only(range(at, len(found.closes))), [warning(key, found.symbol, **values)]
    return found, []


def _odd_dividend(found: History) -> dt.date | None:
    """Return the first day on which the closes with dividends part from those without as no dividend can make them."""
    total = found.total_return or ()
    shares = [one / float(close) for one, close in zip(total, found.closes, strict=True)]
    for at, (one, other) in enumerate(pairwise(shares), 1):
        if not UNPAID <= other / one <= PAID:
            return found.dates[at]
    return None


def _flat_runs(found: History) -> Iterator[tuple[dt.date, dt.date, int]]:
    """Yield the first and last day of each run of equal closes that is too long for a market, and its length."""
    start = 0
    for at in range(1, len(found.closes) + 1):
        if at == len(found.closes) or found.closes[at] != found.closes[start]:
            if at - start >= FLAT:
                yield found.dates[start], found.dates[at - 1], at - start
            start = at
