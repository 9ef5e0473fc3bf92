"""How alike instruments move: correlations, pairs to be warned of, hedges, effective number of bets, and a lockstep.

Pearson correlation of simple returns between consecutive common days. The effective number of bets is the exponential
of the entropy of the correlation matrix's eigenvalue shares (Roy & Vetterli, "The effective rank", EUSIPCO 2007): N for
N uncorrelated series, 1 for series in lockstep.

A lockstep is when everything moves together: the average of all pairwise correlations over the last 60 returns is
ranked among the same measure over earlier windows that do not overlap the last one. Kritzman, Li, Page & Rigobon
("Principal components as a measure of systemic risk", 2011) use such a rise as a sign of fragility; window, step and
threshold are this tool's own choice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.analysis.returns import simple_returns
from engine.documents import Document, number, problem_list
from engine.errors import NoData, Problem, error, note, warning
from engine.history import Floats, HistoryTable, Series, aligned, as_date
from engine.phrase import phrase, place

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_DAYS = 252
DEFAULT_THRESHOLD = 0.8
#: Below this many returns a correlation says little, and a series is left out rather than shorten the others' window.
MIN_RETURNS = 30
#: Fewest returns that a correlation is computed from at all: two always lie on a line.
FEWEST_RETURNS = 3
#: Returns of each window that a lockstep is told from, and how far apart the earlier windows are.
WINDOW, STEP = 60, 20
#: Fewest earlier windows that count as a history.
MIN_WINDOWS = 12
#: Share of the earlier windows that the last one must exceed for an alert.
ALERT_ABOVE = 0.9
HERE = place("correlate")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two symbols and the correlation of their returns."""

    pair: tuple[str, str]
    correlation: float


@dataclass(frozen=True, slots=True)
class Correlations:
    """The correlations of some symbols over common days.

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

    def to_json(self) -> Document:
        """Return the matrix, alerts, hedges and the effective number of bets as a JSON document."""
        return {
            "from": self.start.isoformat() if self.start else None,
            "to": self.end.isoformat() if self.end else None,
            "days": self.days,
            "currency": self.currency,
            "symbols": list(self.symbols),
            "matrix": [[number(cell) for cell in row] for row in self.matrix],
            "alerts": _listed(self.alerts),
            "hedges": _listed(self.hedges),
            "effective_bets": number(self.effective_bets),
            "problems": problem_list(self.problems),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the matrix with the symbols as index and columns; NaN where there is no correlation."""
        import pandas as pd

        return pd.DataFrame(self.matrix, index=list(self.symbols), columns=list(self.symbols), dtype="float64")


def _listed(pairs: Iterable[Pair]) -> list[Document]:
    return [{"pair": list(pair.pair), "correlation": number(pair.correlation)} for pair in pairs]


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
        if len(found) < 2:
            problems.append(error("short-history.instruments", HERE, instruments=len(found)))
        else:
            problems.append(error("short-history.returns", HERE, returns=count, least=FEWEST_RETURNS))
        empty = tuple((None,) * len(symbols) for _ in symbols)
        return Correlations(None, None, count, used, symbols, empty, (), (), None, tuple(problems))
    if count < days:
        shortest = min(found.values(), key=len)
        problems.append(
            warning(
                "short-window", HERE, returns=count, days=days, symbol=shortest.symbol, closes=len(shortest),
                first=shortest.first,
            )
        )  # fmt: skip
    if count < MIN_RETURNS:
        problems.append(warning("few-returns", HERE, returns=count, chance=min(2 / count**0.5, 1)))
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
            source = history.source or phrase("any-source")
            problems.append(warning("no-history.correlated", symbol, source=source))
    try:
        return {symbol: history.in_currency(symbol, currency) for symbol in present}, currency
    except NoData as fault:
        currencies = {series.currency for series in present.values()}
        if len(currencies) == 1 and "" not in currencies:
            return present, currencies.pop()
        problems.append(warning("local-currency.correlated", HERE, currency=currency, reason=fault.message))
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
        problems.append(warning("short-history", symbol, closes=len(series), least=needed + 1))
    return kept


def _spread(
    matrix: Floats, found: tuple[str, ...], symbols: tuple[str, ...], problems: list[Problem]
) -> tuple[tuple[tuple[float | None, ...], ...], list[int]]:
    """Return the matrix over all symbols, None where there is no correlation, and which of `found` have one."""
    alive = [i for i in range(len(found)) if not np.isnan(matrix[i, i])]
    dead = sorted(set(range(len(found))) - set(alive))
    problems.extend(warning("constant-series", found[index]) for index in dead)
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


@dataclass(frozen=True, slots=True)
class Lockstep:
    """The average correlation of the last window, the share of earlier windows below it, and whether to warn.

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
            return note("lockstep-unknown", HERE, windows=self.windows, days=WINDOW, least=MIN_WINDOWS)
        told = warning if self.alert else note
        return told(
            "lockstep", HERE, days=WINDOW, now=self.now, rank=self.rank, windows=self.windows, average=self.average
        )


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
