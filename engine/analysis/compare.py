"""Funds side by side: fee, size, holdings, returns, volatility, drawdown, yield, and what they hold in common.

All returns end on the last day that every fund has a close for; volatility and drawdown are over the days that all of
them have, five years at most, so that no fund is measured over an easier time than another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from engine.analysis.facts import Constituent, FundFacts
from engine.analysis.figure import Figure
from engine.analysis.overlap import Overlap, overlaps
from engine.analysis.returns import PERIODS, max_drawdown, period_returns, volatility
from engine.errors import NoData, Problem
from engine.history import HistoryTable, Series, aligned
from engine.money import ZERO
from engine.schedule import add_months

TOP = 10
#: The note of figures of a fund without closes, which is a problem of its own.
NO_HISTORY = "no history"
LONGEST = 60


@dataclass(frozen=True, slots=True)
class FundRow:
    """Hold one fund's figures; each says its source, its day and what was done to it. `top` is its ten largest."""

    symbol: str
    fee: Figure
    aum: Figure
    aum_currency: str
    holdings_count: Figure
    top: tuple[Constituent, ...]
    returns: Mapping[str, Figure]
    volatility: Figure
    max_drawdown: Figure
    dividend_yield: Figure
    holdings_source: str = ""
    holdings_as_of: dt.date | None = None

    @property
    def top_share(self) -> Decimal | None:
        """Return the joint weight of the ten largest; None where fewer than ten of more are known."""
        count = self.holdings_count.value
        if not self.top or (len(self.top) < TOP and (count is None or len(self.top) < count)):
            return None
        return sum((line.weight for line in self.top), ZERO)

    def figures(self) -> Mapping[str, Figure]:
        """Return every figure by its path in a document: fee, aum, returns.1Y and so on."""
        return {
            "fee": self.fee,
            "aum": self.aum,
            "holdings_count": self.holdings_count,
            **{f"returns.{period}": figure for period, figure in self.returns.items()},
            "volatility": self.volatility,
            "max_drawdown": self.max_drawdown,
            "yield": self.dividend_yield,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold the funds in order. `currency` is "local" where each is in its own; `as_of` None: no history."""

    as_of: dt.date | None
    currency: str
    funds: Mapping[str, FundRow]
    overlap: tuple[Overlap, ...]
    problems: tuple[Problem, ...] = field(default=())


def compare(
    symbols: Sequence[str],
    history: HistoryTable,
    facts: Mapping[str, FundFacts],
    currency: str | None = None,
) -> Comparison:
    """Compare funds, their returns in `currency` where one is named, else each in its own.

    Nothing is left out silently: a fund without history or facts has `None` figures whose notes say why, and every note
    is among the problems, under the path of its figure.
    """
    symbols = tuple(dict.fromkeys(symbols))
    found, used, problems = _series(symbols, history, currency)
    days, _ = aligned(found.values())
    end = days[-1].astype(dt.date) if len(days) else None
    if found and end is None:
        text, ko = "the funds have no day in common", "모든 종목에 시세가 있는 날이 없습니다"
        problems.append(Problem("warning", "no-common-day", "compare", text, ko))
    start = add_months(end, -LONGEST) if end else None
    common = {symbol: _on(series, days).between(start, end) for symbol, series in found.items()}
    table = {symbol: facts.get(symbol, FundFacts(symbol)) for symbol in symbols}
    rows = {}
    for symbol in symbols:
        row = _row(table[symbol], found.get(symbol), common.get(symbol), end, history.source)
        rows[symbol] = row
        told = {path: figure for path, figure in row.figures().items() if figure.note != NO_HISTORY}
        problems.extend(said for path, figure in told.items() if (said := figure.remark(f"{symbol}.{path}")))
        problems.extend(_top_remark(row))
    shared = overlaps(table)
    problems.extend(
        Problem("info" if row.weight is not None else "warning", "overlap", "-".join(row.pair), row.note, row.note_ko)
        for row in shared
        if row.note
    )
    return Comparison(end, used, rows, shared, tuple(problems))


def _series(
    symbols: Sequence[str], history: HistoryTable, currency: str | None
) -> tuple[dict[str, Series], str, list[Problem]]:
    found: dict[str, Series] = {}
    problems: list[Problem] = []
    for symbol in symbols:
        try:
            series = history.in_currency(symbol, currency) if currency else history.series[symbol]
        except KeyError:
            text = f"no history in {history.source or 'any source'}"
            ko = f"{history.source or '어느 제공처'}에도 과거 시세가 없습니다"
            problems.append(Problem("warning", "no-history", symbol, text, ko))
            continue
        except NoData as error:
            problems.append(Problem("warning", "no-history", symbol, str(error), error.ko))
            continue
        found[symbol] = series
        if currency and history.series[symbol].currency != currency:
            text = f"closes converted from {history.series[symbol].currency} at each day's rate"
            ko = f"종가를 {history.series[symbol].currency}에서 그날 환율로 환산했습니다"
            problems.append(Problem("info", "converted", f"{symbol}.returns", text, ko))
    currencies = {series.currency for series in found.values()}
    if currency or (len(currencies) == 1 and "" not in currencies):
        return found, currency or currencies.pop(), problems
    if found:
        text = "returns are in each fund's own currency: name one with --currency to compare them in it"
        ko = "수익률이 종목마다 자기 통화 기준입니다: 한 통화로 비교하려면 --currency로 정하세요"
        problems.append(Problem("warning", "local-currency", "compare", text, ko))
    return found, "local", problems


def _on(series: Series, days: object) -> Series:
    """Return the series on some of its own days."""
    import numpy as np

    keep = np.isin(series.days, np.asarray(days))
    return replace(series, days=series.days[keep], closes=series.closes[keep])


def _row(facts: FundFacts, series: Series | None, common: Series | None, end: dt.date | None, source: str) -> FundRow:
    none = Figure(None, source, None, NO_HISTORY, "과거 시세 없음")
    known = series is not None and common is not None and end is not None
    return FundRow(
        symbol=facts.symbol,
        fee=facts.fee,
        aum=facts.aum,
        aum_currency=facts.aum_currency,
        holdings_count=facts.holdings_count,
        top=facts.holdings[:TOP],
        returns=period_returns(series, end) if known else dict.fromkeys(PERIODS, none),  # type: ignore[arg-type]
        volatility=volatility(common) if known else none,  # type: ignore[arg-type]
        max_drawdown=max_drawdown(common) if known else none,  # type: ignore[arg-type]
        dividend_yield=facts.dividend_yield,
        holdings_source=facts.holdings_source,
        holdings_as_of=facts.holdings_as_of,
    )


def _top_remark(row: FundRow) -> list[Problem]:
    where = f"{row.symbol}.top10"
    if not row.top:
        return [Problem("warning", "not-known", where, "holdings not known", "구성 종목을 알 수 없습니다")]
    dated = f", {row.holdings_as_of}" if row.holdings_as_of else ""
    share = "" if row.top_share is None else f"together {row.top_share:.1%}; "
    share_ko = "" if row.top_share is None else f"합계 {row.top_share:.1%}; "
    origin = f"{row.holdings_source}{dated}"
    return [Problem("info", "figure", where, f"{share}{origin}", f"{share_ko}출처 {origin}")]
