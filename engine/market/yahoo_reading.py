"""What Yahoo's answers mean: rows of the batch quote, columns of a download, modules of a quote summary.

Pure: no network and no clock. Shapes as yfinance 1.7.0 reads them; every field is taken to be optional.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from engine.errors import NoData, SchemaChanged, SymbolUnknown
from engine.market.calendars import REGULAR
from engine.market.listing import Listing
from engine.market.records import Constituent, FundFacts, History
from engine.money import MINOR_DIGITS
from engine.quote import Quote, Session

SOURCE = "yahoo"
#: Digits kept of a close: charts carry binary noise behind the fourth.
CHART_DIGITS = 4
#: Status of a chart that was answered with something else than JSON.
NOT_JSON = -1
FACT_MODULES = ("quoteType", "summaryDetail", "price", "assetProfile", "fundProfile", "topHoldings")
_SESSIONS: Mapping[str, Session] = {"REGULAR": "regular"}
_ZONES = {"KR": "Asia/Seoul", "US": "America/New_York", "FX": "Europe/London"}


@dataclass(frozen=True, slots=True)
class Chart:
    """Hold what a chart says besides its closes; `status` is the HTTP status or `NOT_JSON`."""

    status: int
    currency: str = ""
    symbol: str = ""
    traded_at: dt.datetime | None = None
    zone: str = ""


def chart(response: Any) -> Chart:  # noqa: ANN401 - curl_cffi's response
    """Return what a chart's response says; never raises for its shape."""
    if response.status_code != 200:
        return Chart(response.status_code)
    try:
        meta = response.json()["chart"]["result"][0]["meta"]
        texts = str(meta.get("currency") or ""), str(meta.get("symbol") or "")
        return Chart(200, *texts, _moment(meta.get("regularMarketTime")), _zone(meta))
    except (ValueError, LookupError, TypeError, AttributeError):
        return Chart(NOT_JSON)


def rows(document: Any, names: Sequence[str]) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - a JSON value
    """Return the rows of a batch quote by the name asked for; raises SchemaChanged where it is no batch quote.

    Yahoo leaves out what it does not know; a row under a name that nobody asked for is left out too.
    """
    try:
        result = document["quoteResponse"]["result"]
        found = {row["symbol"]: row for row in result}
    except (LookupError, TypeError):
        message, ko = "yahoo's batch quote no longer has the shape it had", "yahoo 시세의 형식이 바뀌었습니다"
        raise SchemaChanged(message, ko=ko, source=SOURCE) from None
    return {name: found[name] for name in names if name in found}


def newest(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the row traded last: a share that changed exchange is still listed, with an old price, under the first."""
    return max(found, key=lambda row: number(row.get("regularMarketTime")) or 0, default=None)


def quote(row: Mapping[str, Any], listing: Listing, now: dt.datetime) -> Quote:
    """Return the quote of a row: the regular session's last price; raises NoData, or SchemaChanged for its currency."""
    price = number(row.get("regularMarketPrice"))
    traded = _moment(row.get("regularMarketTime"))
    if price is None or price <= 0 or traded is None:
        message, ko = f"yahoo has no price of {listing.symbol}", f"yahoo에 {listing.symbol} 시세 없음"
        raise NoData(message, ko=ko, symbol=listing.symbol, source=SOURCE)
    delay = number(row.get("exchangeDataDelayedBy")) or Decimal(0)
    return Quote(
        symbol=listing.symbol,
        price=price,
        currency=agreed_currency(listing, str(row.get("currency") or "")),
        as_of=traded,
        source=SOURCE,
        session=_SESSIONS.get(str(row.get("marketState")), "closed"),
        delay_seconds=int(delay * 60),
        fetched_at=now,
        name=listing.name or str(row.get("longName") or row.get("shortName") or ""),
    )


def agreed_currency(listing: Listing, said: str) -> str:
    """Return the price's currency; raises SchemaChanged where it is not the listing's, or not one we know."""
    if not said and listing.currency:
        return listing.currency
    if said != (listing.currency or said) or said not in MINOR_DIGITS:
        wanted = listing.currency or "a currency this tool knows"
        message = f"yahoo gives {listing.symbol} in {said or 'no currency'}, not in {wanted}: its price is not used"
        wanted_ko = listing.currency or "이 도구가 아는 통화"
        ko = f"yahoo의 {listing.symbol} 시세 통화는 {wanted_ko} 아닌 {said or '통화 없음'}: 이 시세는 쓰지 않습니다"
        raise SchemaChanged(message, ko=ko, symbol=listing.symbol, source=SOURCE)
    return said


def closes(frame: Any, name: str, column: str = "Close") -> list[tuple[dt.date, Decimal]]:  # noqa: ANN401 - DataFrame
    """Return a downloaded column's days with a close, oldest first; each symbol keeps its own last day."""
    if frame is None or (column, name.upper()) not in frame.columns:
        return []
    series = frame[(column, name.upper())].dropna()
    return [(day.date(), _rounded(value)) for day, value in series.items() if value > 0]


def quote_of_close(listing: Listing, last: tuple[dt.date, Decimal], said: Chart | None, now: dt.datetime) -> Quote:
    """Return the last daily close as a quote, traded when the chart says, else at that day's regular close."""
    day, price = last
    said = said or Chart(200)
    if said.symbol and said.symbol not in listing.yahoo:
        message = f"yahoo now calls {listing.symbol} {said.symbol}: check the company, and use its new code"
        ko = f"yahoo에서 {listing.symbol} 코드가 {said.symbol}(으)로 바뀌었습니다: 회사를 확인하고 새 코드를 쓰세요"
        raise SymbolUnknown(message, ko=ko, symbol=listing.symbol, source=SOURCE)
    zone = ZoneInfo(said.zone or _ZONES.get(listing.market, "UTC"))
    traded = said.traded_at
    if traded is None or traded.astimezone(zone).date() != day:
        closing = REGULAR[listing.market].close if listing.market in REGULAR else dt.time(23, 59)
        traded = dt.datetime.combine(day, closing, zone)
    currency = agreed_currency(listing, said.currency)
    return Quote(listing.symbol, price, currency, traded.astimezone(dt.UTC), SOURCE, fetched_at=now, name=listing.name)


def history(frame: Any, name: str, listing: Listing, said: Chart | None, now: dt.datetime) -> History:  # noqa: ANN401
    """Return a downloaded column's closes, with the total-return closes where every day has one."""
    days = closes(frame, name)
    adjusted = dict(closes(frame, name, "Adj Close"))
    total = tuple(float(adjusted[day]) for day, _ in days) if all(day in adjusted for day, _ in days) else None
    return History(
        symbol=listing.symbol,
        currency=agreed_currency(listing, said.currency if said else ""),
        source=SOURCE,
        fetched_at=now,
        dates=tuple(day for day, _ in days),
        closes=tuple(close for _, close in days),
        total_return=total,
    )


def facts(document: Any, listing: Listing, now: dt.datetime) -> FundFacts:  # noqa: ANN401 - a JSON value
    """Return what a quote summary says; raises NoData where it says nothing."""
    try:
        result: Mapping[str, Any] = document["quoteSummary"]["result"][0]
    except (LookupError, TypeError):
        message, ko = f"yahoo has no facts of {listing.symbol}", f"yahoo에 {listing.symbol} 정보 없음"
        raise NoData(message, ko=ko, symbol=listing.symbol, source=SOURCE) from None
    detail, price = _part(result, "summaryDetail"), _part(result, "price")
    fund, holdings = _part(result, "fundProfile"), _part(result, "topHoldings")
    weights, lines = _objects(holdings.get("sectorWeightings")), _objects(holdings.get("holdings"))
    return FundFacts(
        symbol=listing.symbol,
        source=SOURCE,
        fetched_at=now,
        name=listing.name or str(price.get("longName") or price.get("shortName") or ""),
        currency=str(detail.get("currency") or price.get("currency") or listing.currency or ""),
        fee=number(_part(fund, "feesExpensesInvestment").get("annualReportExpenseRatio")),
        aum=number(detail.get("totalAssets")),
        top=tuple(
            Constituent(
                str(item.get("symbol") or ""), str(item.get("holdingName") or ""), number(item.get("holdingPercent"))
            )
            for item in lines
        ),
        sectors={key: weight for item in weights for key, raw in item.items() if (weight := number(raw)) is not None},
        dividend_yield=number(detail.get("yield")) or number(detail.get("dividendYield")),
        sector=str(_part(result, "assetProfile").get("sector") or "") or None,
        market_cap=number(detail.get("marketCap")) or number(price.get("marketCap")),
    )


def number(value: Any) -> Decimal | None:  # noqa: ANN401 - a JSON value
    """Return a JSON number (or Yahoo's {"raw": number}) exactly as it was written; None for anything else and NaN."""
    if isinstance(value, Mapping):
        value = value.get("raw")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return Decimal(repr(value))


def _part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = document.get(key)
    return part if isinstance(part, Mapping) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - a JSON value
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _rounded(value: float) -> Decimal:
    return Decimal(repr(round(float(value), CHART_DIGITS)))


def _moment(value: Any) -> dt.datetime | None:  # noqa: ANN401 - a JSON value
    seconds = number(value)
    if seconds is None or not 0 < seconds < 10**11:
        return None
    return dt.datetime.fromtimestamp(float(seconds), dt.UTC)


def _zone(meta: Mapping[str, Any]) -> str:
    name = str(meta.get("exchangeTimezoneName") or "")
    try:
        ZoneInfo(name)
    except (ValueError, OSError):
        return ""
    return name
