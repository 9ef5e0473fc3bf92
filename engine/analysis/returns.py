"""Returns, volatility and drawdown of a series of closes, each with what was done to the number.

Returns are simple (close over close, minus 1). Over a year and more they are annualised geometrically, below a year
never (GIPS standards: returns for periods of less than one year must not be annualised). Volatility is the sample
standard deviation of daily returns times the square root of 252 trading days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np

from engine.analysis.figure import Figure
from engine.history import DAY, Floats, Series, as_date
from engine.schedule import add_months

#: Months of each period; a period of 12 months and more is shown per year.
PERIODS: Mapping[str, int] = {"1M": 1, "3M": 3, "6M": 6, "1Y": 12, "3Y": 36, "5Y": 60}
TRADING_DAYS = 252
#: Calendar days that the close before an anchor may be away from it: longer than any holiday week.
MAX_GAP = 10
#: Fewest daily returns that a volatility is stated from.
MIN_RETURNS = 20


def simple_returns(closes: Floats) -> Floats:
    """Return close over previous close minus 1, along the first axis; one row fewer than `closes`."""
    return np.asarray(closes[1:] / closes[:-1] - 1.0)


def close_on(series: Series, anchor: dt.date) -> tuple[dt.date, float] | None:
    """Return the last close on or before a day, and its day; None where it is more than ten days older."""
    index = int(np.searchsorted(series.days, np.datetime64(anchor, "D"), "right")) - 1
    if index < 0 or np.datetime64(anchor, "D") - series.days[index] > MAX_GAP * DAY:
        return None
    return as_date(series.days[index]), float(series.closes[index])


def total_return(series: Series, start: dt.date, end: dt.date) -> float | None:
    """Return the change from the close on or before `start` to the one on or before `end`; None where one lacks."""
    before, after = close_on(series, start), close_on(series, end)
    return None if before is None or after is None else after[1] / before[1] - 1.0


def annualised(total: float, years: float) -> float:
    """Return the yearly rate that compounds to a total return over some years: (1 + total) ** (1 / years) − 1."""
    return float((1.0 + total) ** (1.0 / years) - 1.0)


def period_returns(series: Series, end: dt.date) -> Mapping[str, Figure]:
    """Return the returns over 1, 3 and 6 months and 1, 3 and 5 years up to a day, annualised from one year on."""
    return {period: _period_return(series, end, months) for period, months in PERIODS.items()}


def _period_return(series: Series, end: dt.date, months: int) -> Figure:
    start = add_months(end, -months)
    before, after = close_on(series, start), close_on(series, end)
    if before is None or after is None:
        begin = f"begins {series.first}" if len(series) else "is empty"
        begin_ko = f"과거 시세는 {series.first}부터입니다" if len(series) else "과거 시세가 비어 있습니다"
        note, ko = f"no close near {start}: the history {begin}", f"{start} 무렵 종가 없음: {begin_ko}"
        return Figure(None, series.source, end, note, ko)
    total = after[1] / before[1] - 1.0
    contents, contents_ko = _contents(series)
    what, what_ko = f"{contents} from the close of {before[0]}", f"{before[0]} 종가 기준 {contents_ko}"
    if months < PERIODS["1Y"]:
        return Figure(total, series.source, after[0], f"{what}, not annualised", f"{what_ko}, 연환산하지 않음")
    yearly = annualised(total, months / 12)
    return Figure(yearly, series.source, after[0], f"{what}, per year", f"{what_ko}, 연환산")


def _contents(series: Series) -> tuple[str, str]:
    """Return what the closes of a series hold, in English and Korean."""
    words = {
        "total-return": ("total return", "배당 포함 수익률"),
        "price": ("price return without dividends", "배당 제외 가격 수익률"),
        "unknown": (
            "return of the closes as given (total return only if they include dividends)",
            "주어진 종가의 수익률(종가에 배당이 들어 있을 때만 배당 포함)",
        ),
    }
    english, korean = words[series.kind]
    return (f"{english} in {series.currency}", f"{series.currency} {korean}") if series.currency else (english, korean)


def volatility(series: Series) -> Figure:
    """Return the yearly volatility of daily returns; not stated from fewer than 20 returns."""
    count = len(series) - 1
    if count < MIN_RETURNS:
        note = f"{max(count, 0)} daily returns: at least {MIN_RETURNS} are needed"
        ko = f"일간 수익률 {max(count, 0)}개: {MIN_RETURNS}개 이상 필요합니다"
        return Figure(None, series.source, None, note, ko)
    value = float(np.std(simple_returns(series.closes), ddof=1) * np.sqrt(TRADING_DAYS))
    note = f"standard deviation of {count} daily returns since {series.first}, times √{TRADING_DAYS} for a year"
    ko = f"{series.first}부터 일간 수익률 {count}개의 표준편차 × √{TRADING_DAYS} (연환산)"
    return Figure(value, series.source, series.last, note, ko)


def max_drawdown(series: Series) -> Figure:
    """Return the deepest fall from an earlier high, as a fraction ≤ 0."""
    if len(series) < 2:
        return Figure(None, series.source, None, "fewer than 2 closes", "종가가 2개 미만")
    falls = series.closes / np.maximum.accumulate(series.closes) - 1.0
    bottom = int(np.argmin(falls))
    low = as_date(series.days[bottom])
    note, ko = f"from {series.first} on; the low was on {low}", f"{series.first}부터, 최저점 {low}"
    return Figure(float(falls[bottom]), series.source, series.last, note, ko)
