"""Returns, volatility, drawdown and tracking error of series of closes, each with what was done to the number.

Returns are simple (close over close, minus 1). Over a year and more they are annualised geometrically, below a year
never (GIPS standards: returns for periods of less than one year must not be annualised). Volatility is the sample
standard deviation of daily returns times the square root of 252 trading days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np

from engine.analysis.facts import Figure
from engine.history import DAY, Days, Floats, Series, aligned, as_date
from engine.phrase import Phrase, phrase
from engine.schedule import add_months

#: Months of each period; a period of 12 months and more is shown per year.
PERIODS: Mapping[str, int] = {"1M": 1, "3M": 3, "6M": 6, "1Y": 12, "3Y": 36, "5Y": 60}
TRADING_DAYS = 252
#: Calendar days that the close before an anchor may be away from it: longer than any holiday week.
MAX_GAP = 10
#: Least and highest yearly rate that money is thought to grow at, and how far off the rate found may be.
_SLOWEST, _FASTEST, _RATE_ERROR = -0.999999, 1e6, 1e-14
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


def period_return(series: Series, start: dt.date, end: dt.date) -> Figure:
    """Return the whole return from one day to another, not annualised; not known where a close lacks."""
    before, after = close_on(series, start), close_on(series, end)
    if before is None or after is None:
        if len(series):
            return Figure(None, series.source, end, phrase("figure.no-close", day=start, first=series.first))
        return Figure(None, series.source, end, phrase("figure.no-close-at-all", day=start))
    what = phrase("figure.return", closes=_contents(series), day=before[0])
    return Figure(after[1] / before[1] - 1.0, series.source, after[0], phrase("figure.plain", what=what))


def _period_return(series: Series, end: dt.date, months: int) -> Figure:
    start = add_months(end, -months)
    before, after = close_on(series, start), close_on(series, end)
    if before is None or after is None:
        if len(series):
            return Figure(None, series.source, end, phrase("figure.no-close", day=start, first=series.first))
        return Figure(None, series.source, end, phrase("figure.no-close-at-all", day=start))
    total = after[1] / before[1] - 1.0
    what = phrase("figure.return", closes=_contents(series), day=before[0])
    if months < PERIODS["1Y"]:
        return Figure(total, series.source, after[0], phrase("figure.plain", what=what))
    return Figure(annualised(total, months / 12), series.source, after[0], phrase("figure.yearly", what=what))


def _contents(series: Series) -> Phrase:
    """Return what the closes of a series hold."""
    what = phrase(f"closes.{series.kind}")
    return phrase("closes.in-currency", what=what, currency=series.currency) if series.currency else what


def volatility(series: Series) -> Figure:
    """Return the yearly volatility of daily returns; not stated from fewer than 20 returns."""
    count = len(series) - 1
    if count < MIN_RETURNS:
        return Figure(None, series.source, None, phrase("figure.few-returns", returns=max(count, 0), least=MIN_RETURNS))
    value = float(np.std(simple_returns(series.closes), ddof=1) * np.sqrt(TRADING_DAYS))
    note = phrase("figure.volatility", returns=count, first=series.first, days=TRADING_DAYS)
    return Figure(value, series.source, series.last, note)


def max_drawdown(series: Series) -> Figure:
    """Return the deepest fall from an earlier high, as a fraction ≤ 0."""
    if len(series) < 2:
        return Figure(None, series.source, None, phrase("figure.few-closes"))
    falls = series.closes / np.maximum.accumulate(series.closes) - 1.0
    bottom = int(np.argmin(falls))
    note = phrase("figure.drawdown", first=series.first, low=as_date(series.days[bottom]))
    return Figure(float(falls[bottom]), series.source, series.last, note)


def tracking_error(fund: Series, index: Series) -> Figure:
    """Return the yearly standard deviation of the daily return differences, over all common days."""
    days, closes = aligned([fund, index])
    count = max(len(days) - 1, 0)
    if count < MIN_RETURNS:
        return Figure(None, fund.source, None, phrase("figure.few-common", returns=count, least=MIN_RETURNS))
    returns = simple_returns(closes)
    value = float(np.std(returns[:, 0] - returns[:, 1], ddof=1) * np.sqrt(TRADING_DAYS))
    note = phrase("figure.tracking-error", returns=count, index=index.symbol, days=TRADING_DAYS)
    return Figure(value, fund.source, as_date(days[-1]), note)


def money_weighted(days: Days, flows: Floats, final: float, year: float) -> float | None:
    """Return the yearly rate at which flows (+ paid in, − taken) grow to a final value on the last day.

    That is the rate at which the sum of flow · (1 + rate) ** (years left) is the final value; with a `year` of 365 days
    it is Excel's XIRR. None where there is no such rate, or nothing flowed before the last day.
    """
    rows = np.flatnonzero(flows)
    left = (days[-1] - days[rows]).astype(float) / year
    money = flows[rows]
    if left.max(initial=0.0) <= 0:
        return None

    def short(rate: float) -> float:
        return float(np.sum(money * (1.0 + rate) ** left)) - final

    low, high = _SLOWEST, 1.0
    while short(high) < 0 and high < _FASTEST:
        high *= 4
    if short(low) > 0 or short(high) < 0:
        return None
    while high - low > _RATE_ERROR * max(1.0, abs(low)):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if short(middle) < 0 else (low, middle)
    return (low + high) / 2
