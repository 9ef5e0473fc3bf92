"""Funds side by side: fee, size, holdings, returns, volatility, drawdown, yield, and what they hold in common.

All returns end on the last day that every fund has a close for; volatility and drawdown are over the days that all of
them have, five years at most, so that no fund is measured over an easier time than another.

The overlap of two funds is Σ min(weight in one, weight in the other). From incomplete holdings (a top ten) overlaps,
and what a portfolio holds of each company through its funds, are lower bounds, and say so.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.facts import Figure, Fund, FundLine, origin
from engine.analysis.returns import PERIODS, max_drawdown, period_return, period_returns, volatility
from engine.documents import Document, number, problem_list
from engine.errors import NoData, Problem, note, warning
from engine.history import Days, HistoryTable, Series, aligned
from engine.money import ZERO
from engine.phrase import Phrase, phrase, place
from engine.schedule import add_months

if TYPE_CHECKING:
    import pandas as pd

TOP = 10
#: The note of figures of a fund without closes, which is a problem of its own.
NO_HISTORY = phrase("figure.no-history")
LONGEST = 60
HERE = place("compare")


@dataclass(frozen=True, slots=True)
class FundRow:
    """A fund's figures; each says its source, its day and what was done to it. `top` is its ten largest.

    `listed` is the day it was listed, where that is known; it was not after `first_close`. `price` is what a share
    costs in `price_currency`, `aum_krw` its size in won, `over_period` its return over the days asked for.
    """

    symbol: str
    fee: Figure
    aum: Figure
    aum_currency: str
    holdings_count: Figure
    top: tuple[FundLine, ...]
    returns: Mapping[str, Figure]
    volatility: Figure
    max_drawdown: Figure
    dividend_yield: Figure
    holdings_source: str = ""
    holdings_as_of: dt.date | None = None
    issuer: str = ""
    listed: dt.date | None = None
    first_close: dt.date | None = None
    price: Decimal | None = None
    price_currency: str = ""
    aum_krw: Decimal | None = None
    over_period: Figure | None = None

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
            **({"period": self.over_period} if self.over_period else {}),
            "volatility": self.volatility,
            "max_drawdown": self.max_drawdown,
            "yield": self.dividend_yield,
        }

    def to_json(self) -> Document:
        """Return the figures as a JSON document."""
        return {
            "fee": number(self.fee.value),
            "aum": number(self.aum.value),
            "holdings_count": number(self.holdings_count.value),
            "top10": [{"symbol": line.symbol, "name": line.name, "weight": number(line.weight)} for line in self.top],
            "returns": {period: number(figure.value) for period, figure in self.returns.items()},
            "volatility": number(self.volatility.value),
            "max_drawdown": number(self.max_drawdown.value),
            "yield": number(self.dividend_yield.value),
            **({"period": number(self.over_period.value)} if self.over_period else {}),
            "issuer": self.issuer or None,
            "listed": self.listed.isoformat() if self.listed else None,
            "price": number(self.price),
            "price_currency": self.price_currency or None,
            "aum_krw": number(self.aum_krw),
        }


@dataclass(frozen=True, slots=True)
class Overlap:
    """The common weight of two funds; `complete` is false where it is only a lower bound, which `note` says."""

    pair: tuple[str, str]
    weight: Decimal | None
    complete: bool
    note: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Funds in the order asked for. `currency` is "local" where each is in its own; `as_of` None: no history."""

    as_of: dt.date | None
    currency: str
    funds: Mapping[str, FundRow]
    overlap: tuple[Overlap, ...]
    problems: tuple[Problem, ...] = field(default=())
    start: dt.date | None = None

    @property
    def known(self) -> bool:
        """Tell whether there is a figure of any fund."""
        return any(figure.known for row in self.funds.values() for figure in row.figures().values())

    def to_json(self) -> Document:
        """Return the funds and their overlaps as a JSON document."""
        return {
            **({"from": self.start.isoformat()} if self.start else {}),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "currency": self.currency,
            "funds": {symbol: row.to_json() for symbol, row in self.funds.items()},
            "overlap": [{"pair": list(row.pair), "weight": number(row.weight)} for row in self.overlap],
            "problems": problem_list(self.problems),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row per fund and a column per figure (returns.1Y and so on); NaN where one is not known."""
        import pandas as pd

        figures = {
            symbol: {path: figure.value for path, figure in row.figures().items()} for symbol, row in self.funds.items()
        }
        return pd.DataFrame.from_dict(figures, orient="index", dtype="float64")


def compare(
    symbols: Sequence[str],
    history: HistoryTable,
    facts: Mapping[str, Fund],
    currency: str | None = None,
    begin: dt.date | None = None,
) -> Comparison:
    """Compare funds, their returns in `currency` where one is named, else each in its own.

    With `begin`, the return from that day on is added, and volatility and drawdown are over these days.

    Nothing is left out silently: a fund without history or facts has `None` figures whose notes say why, and every note
    is among the problems, under the path of its figure.
    """
    symbols = tuple(dict.fromkeys(symbols))
    found, used, problems = _series(symbols, history, currency)
    days, _ = aligned(found.values())
    end = days[-1].astype(dt.date) if len(days) else None
    if found and end is None:
        problems.append(warning("no-common-day", HERE))
    start = begin or (add_months(end, -LONGEST) if end else None)
    common = {symbol: _on(series, days).between(start, end) for symbol, series in found.items()}
    table = {symbol: facts.get(symbol, Fund(symbol)) for symbol in symbols}
    rows = {}
    for symbol in symbols:
        series = found.get(symbol)
        row = _row(table[symbol], series, common.get(symbol), end, history.source)
        if begin and end:
            total = period_return(series, begin, end) if series else Figure(None, history.source, None, NO_HISTORY)
            row = replace(row, over_period=total)
        rows[symbol] = row
        told = {path: figure for path, figure in row.figures().items() if figure.note != NO_HISTORY}
        problems.extend(said for path, figure in told.items() if (said := figure.remark(f"{symbol}.{path}")))
        problems.append(_top_remark(row))
    shared = overlaps(table)
    problems.extend(
        Problem("info" if row.weight is not None else "warning", "overlap", "-".join(row.pair), row.note)
        for row in shared
        if row.note
    )
    return Comparison(end, used, rows, shared, tuple(problems), begin)


def _series(
    symbols: Sequence[str], history: HistoryTable, currency: str | None
) -> tuple[dict[str, Series], str, list[Problem]]:
    found: dict[str, Series] = {}
    problems: list[Problem] = []
    for symbol in symbols:
        try:
            series = history.in_currency(symbol, currency) if currency else history.series[symbol]
        except KeyError:
            problems.append(warning("no-history.compared", symbol, source=history.source or phrase("any-source")))
            continue
        except NoData as fault:
            problems.append(Problem("warning", "no-history", symbol, fault.message))
            continue
        found[symbol] = series
        if currency and history.series[symbol].currency != currency:
            was = history.series[symbol].currency
            problems.append(note("converted", f"{symbol}.returns", currency=was))
    currencies = {series.currency for series in found.values()}
    if currency or (len(currencies) == 1 and "" not in currencies):
        return found, currency or currencies.pop(), problems
    if found:
        problems.append(warning("local-currency.compared", HERE))
    return found, "local", problems


def _on(series: Series, days: Days) -> Series:
    """Return the series on some of its own days."""
    keep = np.isin(series.days, days)
    return replace(series, days=series.days[keep], closes=series.closes[keep])


def _row(facts: Fund, series: Series | None, common: Series | None, end: dt.date | None, source: str) -> FundRow:
    none = Figure(None, source, None, NO_HISTORY)
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
        issuer=facts.issuer,
        listed=facts.listed,
        first_close=series.first if series is not None and len(series) else None,
    )


def _top_remark(row: FundRow) -> Problem:
    where = f"{row.symbol}.top10"
    if not row.top:
        return warning("not-known.holdings", where)
    came = origin(row.holdings_source, row.holdings_as_of)
    if row.top_share is None:
        return note("figure.known", where, origin=came)
    return note("figure.top-share", where, share=row.top_share, origin=came)


@dataclass(frozen=True, slots=True)
class Exposure:
    """The weight of one company in the portfolio: `direct` as a holding of its own, the rest through funds."""

    symbol: str
    name: str
    weight: Decimal
    direct: Decimal


@dataclass(frozen=True, slots=True)
class LookThrough:
    """A portfolio's companies, largest first, and the weight that could not be looked into."""

    exposures: tuple[Exposure, ...]
    unseen: Decimal


def overlap(one: Fund, other: Fund) -> Overlap:
    """Return the common weight of two funds; None where the holdings of one are not known."""
    pair = (one.symbol, other.symbol)
    missing = [fund.symbol for fund in (one, other) if not fund.holdings]
    if missing:
        key = "overlap.one-unknown" if len(missing) == 1 else "overlap.both-unknown"
        return Overlap(pair, None, complete=False, note=phrase(key, one=missing[0], other=missing[-1]))
    theirs = {line.symbol: line.weight for line in other.holdings}
    common = sum((min(line.weight, theirs.get(line.symbol, ZERO)) for line in one.holdings), ZERO)
    if one.complete and other.complete:
        return Overlap(pair, common, complete=True)
    least = phrase(
        "overlap.least", one=one.symbol, seen=one.known_weight, other=other.symbol, seen_other=other.known_weight
    )
    return Overlap(pair, common, complete=False, note=least)


def overlaps(funds: Mapping[str, Fund]) -> tuple[Overlap, ...]:
    """Return the overlap of every pair, in the order of the funds."""
    return tuple(overlap(one, other) for one, other in combinations(funds.values(), 2))


def look_through(
    weights: Mapping[str, Decimal], names: Mapping[str, str], single: frozenset[str], facts: Mapping[str, Fund]
) -> LookThrough:
    """Return what a portfolio holds of each company: its own shares and its part of the funds' holdings.

    `weights` are fractions of the whole, `single` the symbols that are companies themselves. Whatever is neither a
    company nor covered by known holdings is unseen.
    """
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    label: dict[str, str] = {}
    unseen = ZERO
    for symbol, weight in weights.items():
        if symbol in single:
            total[symbol] += weight
            label.setdefault(symbol, names.get(symbol, symbol))
            continue
        fund = facts.get(symbol, Fund(symbol))
        unseen += weight * max(1 - fund.known_weight, ZERO)
        for line in fund.holdings:
            total[line.symbol] += weight * line.weight
            label.setdefault(line.symbol, line.name)
    rows = [
        Exposure(symbol, label[symbol], weight, weights[symbol] if symbol in single else ZERO)
        for symbol, weight in total.items()
    ]
    return LookThrough(tuple(sorted(rows, key=lambda row: (-row.weight, row.symbol))), unseen)
