"""What is known of a fund besides its closes: fee, size, holdings, yield, each with its source and day."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.analysis.figure import UNKNOWN, Figure
from engine.errors import Problem
from engine.market import records
from engine.market.catalogue import CatalogueEntry
from engine.market.symbols import canonical, undecorated

#: A fund's listed weights count as all of it from this sum on; below it, look-through figures are lower bounds.
COMPLETE = Decimal("0.99")
_NUMBERS = ("fee", "aum", "holdings_count", "yield", "tracking_error")
_FIELDS = {*_NUMBERS, "aum_currency", "source", "as_of", "holdings", "index", "total_return"}


@dataclass(frozen=True, slots=True)
class Constituent:
    """Hold one line of a fund's holdings; `weight` is a fraction of the fund."""

    symbol: str
    name: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class FundFacts:
    """Hold a fund's facts; what is not known is `Figure(None)`. Fee, yield and tracking error are yearly fractions.

    `holdings` are the known lines, largest first, often only the top ten. `total_return` tells whether the fund keeps
    its dividends.
    """

    symbol: str
    fee: Figure = UNKNOWN
    aum: Figure = UNKNOWN
    aum_currency: str = ""
    holdings_count: Figure = UNKNOWN
    dividend_yield: Figure = UNKNOWN
    tracking_error: Figure = UNKNOWN
    holdings: tuple[Constituent, ...] = ()
    holdings_source: str = ""
    holdings_as_of: dt.date | None = None
    index: str = ""
    total_return: bool | None = None

    @property
    def known_weight(self) -> Decimal:
        """Return how much of the fund the known holdings are."""
        return sum((line.weight for line in self.holdings), Decimal(0))

    @property
    def complete(self) -> bool:
        """Tell whether the known holdings are practically the whole fund."""
        return self.known_weight >= COMPLETE


def from_market(symbol: str, fetched: records.FetchedFacts | None, entry: CatalogueEntry | None) -> FundFacts:
    """Join what a source says with the bundled catalogue; the source wins, and an unchecked catalogue fee says so."""
    found = fetched or records.FetchedFacts(symbol, "", dt.datetime.min)  # noqa: DTZ901 - stands for "never fetched"
    day = found.as_of or (fetched.fetched_at.date() if fetched else None)

    def figure(value: Decimal | float | None) -> Figure:
        return UNKNOWN if value is None else Figure(float(value), found.source, day)

    fee = figure(found.fee)
    index, reinvests = "", None
    if entry:
        index, reinvests = entry.index, entry.total_return
        if fee.value is None and entry.instrument.expense_ratio is not None:
            notes = ("", "") if entry.verified else ("the catalogue's fee, not verified", "종목 목록의 보수, 미확인")
            fee = Figure(float(entry.instrument.expense_ratio), "catalogue", entry.checked_on, *notes)
    lines = [Constituent(_code(row.symbol), row.name, row.weight) for row in found.top if row.weight is not None]
    return FundFacts(
        symbol=symbol,
        fee=fee,
        aum=figure(found.aum),
        aum_currency=found.currency,
        holdings_count=figure(found.holdings_count),
        dividend_yield=figure(found.dividend_yield),
        holdings=tuple(sorted(lines, key=lambda line: -line.weight)),
        holdings_source=found.source if lines else "",
        holdings_as_of=day if lines else None,
        index=index,
        total_return=reinvests,
    )


def parse_facts(document: object, where: str = "facts") -> tuple[dict[str, FundFacts], tuple[Problem, ...]]:
    """Read facts by symbol from a loaded document: fee, aum, aum_currency, holdings_count, yield, holdings and more.

    Each fund may name its `source` and `as_of`, and `holdings` as a list of symbol, name, weight. Funds with a problem
    are left out.
    """
    if not isinstance(document, Mapping):
        text = "give one entry per fund: its symbol, then its facts"
        return {}, (Problem("error", "facts-shape", where, text, "ETF마다 종목코드와 그 아래 정보를 적으세요"),)
    facts: dict[str, FundFacts] = {}
    problems: list[Problem] = []
    for symbol, row in document.items():
        fund, found = _fund(str(symbol), row, f"{where}, {symbol}")
        problems.extend(found)
        if fund:
            facts[fund.symbol] = fund
    return facts, tuple(problems)


def _fund(symbol: str, row: Any, where: str) -> tuple[FundFacts | None, list[Problem]]:  # noqa: ANN401 - a loaded document
    if not isinstance(row, Mapping):
        text = f"{row!r} is no table of facts: write fee: 0.0009"
        return None, [Problem("error", "facts-shape", where, text, f"{row!r}: fee: 0.0009처럼 정보를 적으세요")]
    known = ", ".join(sorted(_FIELDS))
    problems = [
        Problem(
            "error", "facts-field", f"{where}.{name}", f"unknown fact; known are {known}", f"쓸 수 있는 정보: {known}"
        )
        for name in row
        if name not in _FIELDS
    ]
    source, as_of = str(row.get("source", where)), row.get("as_of")
    if as_of is not None and not isinstance(as_of, dt.date):
        text, ko = f"{as_of!r} is no date: write yyyy-mm-dd", f"{as_of!r}: 날짜를 yyyy-mm-dd로 적으세요"
        problems.append(Problem("error", "facts-date", f"{where}.as_of", text, ko))
        as_of = None
    if not isinstance(row.get("total_return"), bool | None):
        text = f"{row['total_return']!r}: write true or false"
        ko = f"{row['total_return']!r}: true 또는 false로 적으세요"
        problems.append(Problem("error", "facts-flag", f"{where}.total_return", text, ko))
    figures = {}
    for name in _NUMBERS:
        value = row.get(name)
        note, note_ko = ("", "") if value is not None else ("not given", "적혀 있지 않음")
        figures[name] = Figure(None if value is None else _number(value), source, as_of, note, note_ko)
        if value is not None and figures[name].value is None:
            text, ko = f"{value!r}: give a number of 0 or more", f"{value!r}: 0 이상의 수를 적으세요"
            problems.append(Problem("error", "facts-number", f"{where}.{name}", text, ko))
    holdings = _holdings(row.get("holdings", []), f"{where}.holdings", problems)
    fund = FundFacts(
        symbol=symbol,
        fee=figures["fee"],
        aum=figures["aum"],
        aum_currency=str(row.get("aum_currency", "")),
        holdings_count=figures["holdings_count"],
        dividend_yield=figures["yield"],
        tracking_error=figures["tracking_error"],
        holdings=holdings,
        holdings_source=source if holdings else "",
        holdings_as_of=as_of,
        index=str(row.get("index", "")),
        total_return=row.get("total_return"),
    )
    return (None if problems else fund), problems


def _code(symbol: str) -> str:
    """Return one spelling of a company's code, so that funds of different sources can be compared."""
    return undecorated(symbol) or canonical(symbol)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if value >= 0 and math.isfinite(value) else None


def _holdings(rows: Any, where: str, problems: list[Problem]) -> tuple[Constituent, ...]:  # noqa: ANN401 - a loaded document
    lines = []
    for number, row in enumerate(rows if isinstance(rows, list) else [rows], start=1):
        try:
            weight = Decimal(str(row["weight"]))
            line = Constituent(_code(str(row["symbol"])), str(row.get("name", row["symbol"])), weight)
        except (KeyError, TypeError, AttributeError, InvalidOperation):
            weight, line = Decimal(-1), None
        if line is None or not weight.is_finite() or not 0 <= weight <= 1:
            text = f"{row!r}: give symbol, name and a weight from 0 to 1"
            ko = f"{row!r}: symbol, name과 0부터 1까지의 weight를 적으세요"
            problems.append(Problem("error", "facts-holding", f"{where}, line {number}", text, ko))
        else:
            lines.append(line)
    if sum(line.weight for line in lines) > Decimal("1.01"):
        text = "the weights add up to more than 1"
        problems.append(Problem("error", "facts-holding", where, text, "비중의 합이 1을 넘습니다"))
    return tuple(sorted(lines, key=lambda line: -line.weight))
