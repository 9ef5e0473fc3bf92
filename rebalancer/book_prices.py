"""Prices and rates that stand in a workbook from the plan before: for when no source is to be asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import Problem
from engine.market.symbols import usual_pair
from engine.quote import Quote
from engine.text import Bilingual

if TYPE_CHECKING:
    from templates.report import Row

#: Statuses of prices that a market gave: made-up ones are not planned on, own ones stand in the inputs.
_OF_A_MARKET = ("fresh", "stale")
_WAS_STALE = Bilingual("was stale when it was written into the workbook", "통합 문서에 쓸 때 이미 오래됨")


def prices_in(path: Path) -> dict[str, Quote]:
    """Return the market's prices and rates in a workbook, by symbol and pair; none where it is no workbook of ours."""
    from templates.reading import read_book

    book = read_book(path)
    if book.portfolio is None:
        return {}
    base = book.portfolio.base_currency
    rates = (_rate(row, base) for row in book.results.get("FxRates", ()))
    return {quote.symbol: quote for row in (*book.results.get("Prices", ()), *rates) for quote in _quotes(row)}


def _rate(row: Row, base: str) -> Row:
    """Return a rate as a row of prices, the way markets quote it; the table has it into the base currency."""
    currency, rate = str(row.get("Currency") or ""), row.get("MarketRate")
    pair = usual_pair(currency, base)
    if pair != f"{currency}{base}" and isinstance(rate, Decimal) and rate:
        rate = 1 / rate
    return {**row, "Ticker": pair, "Price": rate, "Currency": pair[3:]}


def said(used: Mapping[str, Quote], path: Path) -> tuple[Problem, ...]:
    """Return the warning that prices came from the workbook, with their days."""
    if not used:
        return ()
    days = sorted({quote.as_of.date().isoformat() for quote in used.values() if quote.as_of})
    span = " – ".join(dict.fromkeys((days[0], days[-1]))) if days else "?"
    text = f"prices of {span} from the workbook itself stand for {', '.join(used)}: nothing newer is stored"
    ko = f"{', '.join(used)}: 저장된 시세가 없어 통합 문서에 적힌 {span} 시세를 씁니다"
    return (Problem("warning", "price-from-workbook", path.name, text, ko),)


def _quotes(row: Row) -> Iterator[Quote]:
    price, as_of, status = row.get("Price"), row.get("AsOf"), row.get("Status")
    if not isinstance(price, Decimal) or price <= 0 or status not in _OF_A_MARKET:
        return
    moment = as_of.replace(tzinfo=dt.UTC) if isinstance(as_of, dt.datetime) else None
    reason = _WAS_STALE if status == "stale" else None
    yield Quote(
        str(row["Ticker"]), price, str(row.get("Currency") or ""), moment, str(row.get("Source") or ""),
        stale_reason=reason,
    )  # fmt: skip
