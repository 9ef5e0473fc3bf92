"""How alike instruments move: correlations, pairs to be warned of, hedges, and the effective number of bets.

Pearson correlation of simple returns between consecutive common days. The effective number of bets is the exponential
of the entropy of the correlation matrix's eigenvalue shares (Roy & Vetterli, "The effective rank", EUSIPCO 2007): N for
N uncorrelated series, 1 for series in lockstep.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.returns import simple_returns
from engine.errors import NoData, Problem
from engine.history import Floats, HistoryTable, Series, aligned, as_date

DEFAULT_DAYS = 252
DEFAULT_THRESHOLD = 0.8
#: Below this many returns a correlation says little, and a series is left out rather than shorten the others' window.
MIN_RETURNS = 30
#: Fewest returns that a correlation is computed from at all: two always lie on a line.
FEWEST_RETURNS = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """Hold two symbols and the correlation of their returns."""

    pair: tuple[str, str]
    correlation: float


@dataclass(frozen=True, slots=True)
class Correlations:
    """Hold the correlations of some symbols over common days.

    `matrix` has a row and a column per symbol, in their order; None where there is no correlation (no history, too
    short, constant). `days` is the number of returns, `currency` "local" where returns are in each one's own currency.
    `alerts` are pairs above the threshold, `hedges` pairs below 0, strongest first.
    """

    start: dt.date | None
    end: dt.date | None
    days: int
    currency: str
    symbols: tuple[str, ...]
    matrix: tuple[tuple[float | None, ...], ...]
    alerts: tuple[Pair, ...]
    hedges: tuple[Pair, ...]
    effective_bets: float | None
    problems: tuple[Problem, ...] = ()


def correlation_matrix(returns: Floats) -> Floats:
    """Return Pearson correlations of the columns; nan in the rows and columns of a constant one.

    `returns` has one row per day. A column is constant where its spread is below rounding of its mean.
    """
    mean = returns.mean(axis=0)
    centred = returns - mean
    products: Floats = centred.T @ centred
    length = np.sqrt(np.diagonal(products))
    rounding = np.abs(mean) * len(returns) * np.finfo(np.float64).eps
    length[length <= rounding] = np.nan
    inverse = 1.0 / length
    products *= np.outer(inverse, inverse)
    np.clip(products, -1.0, 1.0, out=products)
    products[np.diag_indices_from(products)] = np.where(np.isnan(length), np.nan, 1.0)
    return products


def effective_bets(matrix: Floats) -> float:
    """Return the exponential of the entropy of a correlation matrix's eigenvalue shares; between 1 and its size."""
    shares = np.clip(np.linalg.eigvalsh(matrix), 0.0, None) / len(matrix)
    shares = shares[shares > 0]
    return float(np.exp(-np.sum(shares * np.log(shares))))


def correlate(
    history: HistoryTable,
    symbols: Sequence[str],
    currency: str,
    days: int = DEFAULT_DAYS,
    threshold: float = DEFAULT_THRESHOLD,
) -> Correlations:
    """Correlate the symbols over the last `days` returns of their common days, in one currency where rates are known.

    A symbol without history, with too short a one, or constant over the window stays in the matrix as None and is
    named in `problems`; so is a window shorter than asked for. Nothing is filled: a day that one market lacks is no
    day for any.
    """
    symbols = tuple(dict.fromkeys(symbols))
    problems: list[Problem] = []
    found, used = _series(history, symbols, currency, problems)
    found = _long_enough(found, days, problems)
    common, closes = aligned(found.values())
    common, closes = common[-(days + 1) :], closes[-(days + 1) :]
    count = max(len(common) - 1, 0)
    if len(found) < 2 or count < FEWEST_RETURNS:
        text = f"{count} returns on common days: at least {FEWEST_RETURNS} are needed"
        ko = f"공통 거래일의 수익률 {count}개: {FEWEST_RETURNS}개 이상 필요합니다"
        if len(found) < 2:
            text = f"{len(found)} instruments with enough history: at least 2 are needed"
            ko = f"과거 시세가 충분한 종목 {len(found)}개: 2개 이상 필요합니다"
        problems.append(Problem("error", "short-history", "correlate", text, ko))
        empty = tuple((None,) * len(symbols) for _ in symbols)
        return Correlations(None, None, count, used, symbols, empty, (), (), None, tuple(problems))
    if count < days:
        shortest = min(found.values(), key=len)
        text = f"{count} returns instead of {days}: {shortest.symbol} has {len(shortest)} closes from {shortest.first}"
        ko = f"수익률 {count}개(요청 {days}개): {shortest.symbol} 종가가 {shortest.first}부터 {len(shortest)}개뿐입니다"
        problems.append(Problem("warning", "short-window", "correlate", text, ko))
    if count < MIN_RETURNS:
        chance = f"±{min(2 / count**0.5, 1):.2f}"
        text = f"{count} returns: chance alone gives correlations up to {chance}"
        ko = f"수익률 {count}개: 우연만으로도 {chance}까지 나올 수 있습니다"
        problems.append(Problem("warning", "few-returns", "correlate", text, ko))
    matrix = correlation_matrix(simple_returns(closes))
    rows, alive = _spread(matrix, tuple(found), symbols, problems)
    kept = matrix[np.ix_(alive, alive)]
    alerts, hedges = _pairs(kept, [tuple(found)[i] for i in alive], threshold)
    bets = effective_bets(kept) if len(alive) > 0 else None
    start, end = as_date(common[0]), as_date(common[-1])
    return Correlations(start, end, count, used, symbols, rows, alerts, hedges, bets, tuple(problems))


def _series(
    history: HistoryTable, symbols: Sequence[str], currency: str, problems: list[Problem]
) -> tuple[dict[str, Series], str]:
    """Return the series that exist, all in `currency`, or all as they are where a rate is missing."""
    present = {}
    for symbol in symbols:
        if symbol in history.series:
            present[symbol] = history.series[symbol]
        else:
            text = f"no history in {history.source or 'any source'}: left out of the correlations"
            ko = f"{history.source or '어느 제공처'}에도 과거 시세가 없습니다: 상관계수에서 뺐습니다"
            problems.append(Problem("warning", "no-history", symbol, text, ko))
    try:
        return {symbol: history.in_currency(symbol, currency) for symbol in present}, currency
    except NoData as error:
        currencies = {series.currency for series in present.values()}
        if len(currencies) == 1 and "" not in currencies:
            return present, currencies.pop()
        text = f"returns are in each instrument's own currency, not in {currency}: {error}"
        ko = f"수익률이 {currency} 아닌 종목마다 자기 통화 기준입니다: {error.ko}"
        problems.append(Problem("warning", "local-currency", "correlate", text, ko))
        return present, "local"


def _long_enough(found: Mapping[str, Series], days: int, problems: list[Problem]) -> dict[str, Series]:
    """Return the series that do not shorten the window of longer ones below what says anything."""
    longest = max((len(series) - 1 for series in found.values()), default=0)
    needed = max(min(MIN_RETURNS, days, longest), FEWEST_RETURNS)
    kept = {}
    for symbol, series in found.items():
        if len(series) > needed:
            kept[symbol] = series
            continue
        text = f"{len(series)} closes: at least {needed + 1} are needed, so it is left out of the correlations"
        ko = f"종가 {len(series)}개: {needed + 1}개 이상 필요하므로 상관계수에서 뺐습니다"
        problems.append(Problem("warning", "short-history", symbol, text, ko))
    return kept


def _spread(
    matrix: Floats, found: tuple[str, ...], symbols: tuple[str, ...], problems: list[Problem]
) -> tuple[tuple[tuple[float | None, ...], ...], list[int]]:
    """Return the matrix over all symbols, None where there is no correlation, and which of `found` have one."""
    alive = [i for i in range(len(found)) if not np.isnan(matrix[i, i])]
    for index in sorted(set(range(len(found))) - set(alive)):
        text = "the returns are constant over the window, so they correlate with nothing"
        ko = "기간 내내 수익률이 같아서 상관계수가 없습니다"
        problems.append(Problem("warning", "constant-series", found[index], text, ko))
    position = {found[i]: i for i in alive}
    numbers = matrix.tolist()
    rows: list[tuple[float | None, ...]] = []
    for row in symbols:
        at = position.get(row)
        if at is None:
            rows.append((None,) * len(symbols))
        else:
            rows.append(tuple(numbers[at][position[column]] if column in position else None for column in symbols))
    return tuple(rows), alive


def _pairs(matrix: Floats, names: Sequence[str], threshold: float) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    above, below = np.triu(matrix > threshold, 1), np.triu(matrix < 0, 1)

    def listed(mask: NDArray[np.bool_]) -> list[Pair]:
        return [Pair((names[i], names[j]), float(matrix[i, j])) for i, j in np.argwhere(mask)]

    alerts = sorted(listed(above), key=lambda pair: -pair.correlation)
    hedges = sorted(listed(below), key=lambda pair: pair.correlation)
    return tuple(alerts), tuple(hedges)
