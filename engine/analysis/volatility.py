"""Bands that widen when markets are rough, such as ±15 % of the target and ±20 % while volatility is high.

High is judged by realised volatility of the last 20 days ranked in its own last year, or by the VIX where its closes
are given. Entering takes a higher mark than leaving, so that the band does not flap (a Schmitt trigger). How wide the
bands are, the portfolio says; the widths here are the sector rotation rule for SOXX, the marks this tool's own choice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.analysis.returns import TRADING_DAYS, simple_returns
from engine.errors import Problem, note
from engine.history import Floats, HistoryTable, Series, as_date
from engine.phrase import Phrase, phrase, place
from engine.portfolio import Portfolio

State = Literal["calm", "high", "unknown"]
NORMAL_BAND = Decimal("0.15")
WIDE_BAND = Decimal("0.20")
WINDOW = 20
#: Share of the last year's values: high from the first on, calm again at the second or below.
RANK_MARKS = (0.80, 0.60)
#: Points of the VIX: high from the first on, calm again at the second or below.
VIX_MARKS = (25.0, 20.0)


@dataclass(frozen=True, slots=True)
class Turbulence:
    """Whether volatility is high, by which measure, since when, and how wide the band therefore is.

    `level` is the measure's last value (a yearly volatility, or VIX points), of `day` where the note does not say it;
    `rank` its share of the last year; `note` says it. `band` is the sector rotation rule's.
    """

    state: State
    band: Decimal
    measure: Literal["realised", "VIX"]
    level: float | None
    rank: float | None
    since: dt.date | None
    note: Phrase
    day: dt.date | None = None

    @property
    def told(self) -> Phrase:
        """Return the measure's value with its day, and since when the state is what it is, where that is known."""
        dated = phrase("volatility.dated", note=self.note, day=self.day) if self.day else self.note
        return phrase("volatility.since", since=self.since, note=dated) if self.since else dated


def realised_volatility(closes: Floats, window: int = WINDOW) -> Floats:
    """Return the yearly volatility of each stretch of `window` returns; `window` fewer values than closes."""
    returns = simple_returns(closes)
    if len(returns) < window:
        return np.empty(0)
    return np.asarray(sliding_window_view(returns, window).std(axis=1, ddof=1) * np.sqrt(TRADING_DAYS))


def trailing_rank(values: Floats, length: int = TRADING_DAYS) -> Floats:
    """Return the share of the last `length` values that are at or below each value; `length` − 1 fewer than values."""
    if len(values) < length:
        return np.empty(0)
    windows = sliding_window_view(values, length)
    return np.asarray((windows <= windows[:, -1:]).mean(axis=1))


def hysteresis(values: Floats, marks: tuple[float, float]) -> tuple[bool, int | None]:
    """Follow values through a switch: on from the first mark on, off at the second or below; it starts off.

    Returns whether it is on at the end, and at which position it last changed (None: never).
    """
    enter, leave = marks
    on, changed = False, None
    for position, value in enumerate(values):
        if on != (value > leave if on else value >= enter):
            on, changed = not on, position
    return on, changed


def turbulence(series: Series) -> Turbulence:
    """Judge an instrument's volatility by its own last year; unknown (and the normal band) with too little history."""
    levels = realised_volatility(series.closes)
    ranks = trailing_rank(levels)
    if not len(ranks):
        note = phrase("volatility.few-closes", closes=len(series), least=WINDOW + TRADING_DAYS)
        level = float(levels[-1]) if len(levels) else None
        return Turbulence("unknown", NORMAL_BAND, "realised", level, None, None, note)
    high, changed = hysteresis(ranks, RANK_MARKS)
    days = series.days[-len(ranks) :]
    since = as_date(days[changed]) if changed is not None else None
    level, rank = float(levels[-1]), float(ranks[-1])
    note = phrase("volatility.realised", level=level, days=TRADING_DAYS, rank=rank)
    return replace(_judged(high, "realised", level, rank, since, note), day=series.last)


def turbulence_of_vix(vix: Series) -> Turbulence:
    """Judge by the VIX: high from 25 on, calm again at 20 or below; unknown where it has no closes."""
    if not len(vix):
        return Turbulence("unknown", NORMAL_BAND, "VIX", None, None, None, phrase("volatility.no-vix"))
    high, changed = hysteresis(vix.closes, VIX_MARKS)
    since = as_date(vix.days[changed]) if changed is not None else None
    level = float(vix.closes[-1])
    note = phrase("volatility.vix", level=level, day=vix.last)
    return _judged(high, "VIX", level, None, since, note)


def _judged(
    high: bool,  # noqa: FBT001 - the switch's own state
    measure: Literal["realised", "VIX"],
    level: float,
    rank: float | None,
    since: dt.date | None,
    note: Phrase,
) -> Turbulence:
    state: State = "high" if high else "calm"
    return Turbulence(state, WIDE_BAND if high else NORMAL_BAND, measure, level, rank, since, note)


#: What the VIX is called among closes.
VIX = ("^VIX", "VIX")


def judged(history: HistoryTable, symbols: Iterable[str]) -> dict[str, Turbulence]:
    """Return the state of each symbol: the VIX's where it has closes, else its own; none without closes."""
    vix = next((history.series[name] for name in VIX if name in history.series), None)
    if vix is not None:
        return dict.fromkeys(symbols, turbulence_of_vix(vix))
    return {symbol: turbulence(history.series[symbol]) for symbol in symbols if symbol in history.series}


def banded(
    portfolio: Portfolio, states: Mapping[str, Turbulence], lacks: Mapping[str, Phrase | str] | None = None
) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Return the portfolio with the bands in force, and what is to be said of them: at most one note per state.

    `states` are by symbol; where there is none, or it is unknown, the normal band stands. `lacks` says of symbols why
    there are no closes.
    """
    names = portfolio.volatility_followers
    rough = frozenset(name for name in names if name in states and states[name].state == "high")
    sections = tuple(
        replace(
            section,
            targets=tuple(
                replace(one, high_volatility=bool(rough.intersection(one.named[:1]))) for one in section.targets
            ),
        )
        for section in portfolio.sections
    )
    return replace(portfolio, sections=sections), tuple(_notes(portfolio, names, states, lacks or {}))


def _notes(
    portfolio: Portfolio, names: tuple[str, ...], states: Mapping[str, Turbulence], lacks: Mapping[str, Phrase | str]
) -> Iterator[Problem]:
    rules = {target.named[0]: section.rule.of(target) for section, target in portfolio.targets() if target.named}
    groups: dict[State, dict[Phrase | str, list[Phrase]]] = {"high": {}, "calm": {}, "unknown": {}}
    for name in names:
        found, rule = states.get(name), rules[name]
        state: State = found.state if found else "unknown"
        why = found.told if found else lacks.get(name, phrase("volatility.no-closes"))
        band = rule.relative_band_high_volatility if state == "high" else rule.relative_band
        groups[state].setdefault(why, []).append(phrase("volatility.band", symbol=name, band=band))
    for told, reasons in groups.items():
        if reasons:
            bands = [phrase("volatility.because", bands=bands, reason=why) for why, bands in reasons.items()]
            yield note(f"volatility.{told}", place("volatility"), bands=bands)
