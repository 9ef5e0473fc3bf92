"""Naver's public quote pages: Korean quotes in one batch, the list of ETFs, and facts of one ETF.

Unofficial: every field is taken to be optional, and an answer of another shape makes the chain ask the next source.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.errors import MarketDataError, NoData, Problem, SchemaChanged, SymbolUnknown
from engine.market.listing import Listing
from engine.market.provider import Answer, Deadline, all_failed, each
from engine.market.records import Constituent, FundFacts
from engine.quote import Quote, Session
from engine.text import read_number

if TYPE_CHECKING:
    from engine.market.wire import Wire

_QUOTES_URL = "https://polling.finance.naver.com/api/realtime/domestic/stock/"
_LIST_URL = "https://finance.naver.com/api/sise/etfItemList.nhn"
_FACTS_URL = "https://m.stock.naver.com/api/stock/{}/etfAnalysis"
#: Codes of one quote request.
BATCH = 50
_SESSIONS: Mapping[str, Session] = {"preMarket": "pre", "afterMarket": "after"}
_PERCENT = Decimal(100)


class Naver:
    """Ask Naver. One batch at a time; a second waits."""

    name = vendor = "naver"
    network = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wire: Wire | None = None

    @contextlib.contextmanager
    def _session(self, deadline: Deadline) -> Iterator[Wire]:
        from engine.market.wire import Wire

        if deadline.left == 0 or not self._lock.acquire(timeout=deadline.left):
            raise deadline.spent(self.name)
        try:
            self._wire = self._wire or Wire("naver")
            self._wire.begin(deadline)
            yield self._wire
        finally:
            self._lock.release()

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return quotes, one request for fifty codes; a code that the answer lacks is unknown."""
        rows: dict[str, Mapping[str, Any]] = {}
        left = list(listings)
        broken: MarketDataError | None = None
        try:
            with self._session(deadline) as wire:
                while left:
                    codes = ",".join(listing.symbol for listing in left[:BATCH])
                    rows.update(_rows(_get(wire, _QUOTES_URL + codes, deadline)))
                    left = left[BATCH:]
        except MarketDataError as error:
            broken = error
        ok: dict[str, Quote] = {}
        failed = all_failed(left, broken) if broken else {}
        for listing in listings[: len(listings) - len(left)]:
            try:
                ok[listing.symbol] = _quote(rows.get(listing.symbol), listing, now)
            except MarketDataError as error:
                failed[listing.symbol] = error
        count, skew = (self._wire.count, self._wire.skew) if self._wire else (0, None)
        halted = tuple(_halted(symbol, rows[symbol]) for symbol in ok if _is_halted(rows[symbol]))
        return Answer(ok, failed, count, halted, skew)

    def etfs(self, *, deadline: Deadline) -> tuple[Listing, ...]:
        """Return every listed ETF; raises the error tree."""
        with self._session(deadline) as wire:
            document = _get(wire, _LIST_URL, deadline, "cp949")
        try:
            items = document["result"]["etfItemList"]
            return tuple(Listing(str(row["itemcode"]), "KR", "KRW", str(row["itemname"]), "KOSPI") for row in items)
        except (LookupError, TypeError):
            message, ko = "naver's list of ETFs no longer has the shape it had", "naver ETF 목록의 형식이 바뀌었습니다"
            raise SchemaChanged(message, ko=ko, source=self.name) from None

    def facts(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[FundFacts]:
        """Return facts of ETFs, one request each; anything else has none here."""
        try:
            with self._session(deadline) as wire:
                ok, failed = each(
                    listings, lambda one: _facts(_get(wire, _FACTS_URL.format(one.symbol), deadline), one, now)
                )
                return Answer(ok, failed, wire.count, skew=wire.skew)
        except MarketDataError as error:
            return Answer({}, all_failed(listings, error), self._wire.count if self._wire else 0)


def _get(wire: Wire, url: str, deadline: Deadline, encoding: str = "utf-8") -> Any:  # noqa: ANN401 - a JSON value
    """Ask once, and once more within the deadline where the failure may pass."""
    from engine.market.wire import classify, twice

    def ask() -> Any:  # noqa: ANN401 - a JSON value
        response = wire.get(url, headers={"Referer": "https://finance.naver.com/"})
        if response.status_code == 404:
            raise NoData("naver has no such page", ko="naver에 없는 페이지", source="naver")
        if response.status_code >= 400:
            status = f"HTTP {response.status_code}"
            raise SchemaChanged(f"naver answered {status}", ko=f"naver 응답 {status}", source="naver")
        try:
            return json.loads(response.content.decode(encoding))
        except ValueError as error:
            raise classify(error, "naver") from None

    return twice(ask, deadline)


def _rows(document: Any) -> dict[str, Mapping[str, Any]]:  # noqa: ANN401 - a JSON value
    try:
        return {str(row["itemCode"]): row for row in document["datas"]}
    except (LookupError, TypeError):
        message, ko = "naver's quotes no longer have the shape they had", "naver 시세의 형식이 바뀌었습니다"
        raise SchemaChanged(message, ko=ko, source="naver") from None


def _quote(row: Mapping[str, Any] | None, listing: Listing, now: dt.datetime) -> Quote:
    symbol = listing.symbol
    if row is None:
        ko = f"naver에 없는 종목 {symbol}"
        raise SymbolUnknown(f"naver does not know {symbol}", ko=ko, symbol=symbol, source="naver")
    price = _number(row.get("closePriceRaw")) or _number(row.get("closePrice"))
    try:
        traded = dt.datetime.fromisoformat(str(row.get("localTradedAt")))
    except ValueError:
        traded = None
    if price is None or price <= 0 or traded is None or traded.tzinfo is None:
        ko = f"naver에 {symbol} 시세 없음"
        raise NoData(f"naver has no price of {symbol}", ko=ko, symbol=symbol, source="naver")
    exchange = row.get("stockExchangeType")
    exchange = exchange if isinstance(exchange, Mapping) else {}
    if exchange.get("zoneId", "Asia/Seoul") != "Asia/Seoul":
        message = f"naver gives {symbol} for another exchange: its price is not used"
        ko = f"naver의 {symbol} 시세는 다른 거래소 것이어서 쓰지 않습니다"
        raise SchemaChanged(message, ko=ko, symbol=symbol, source="naver")
    minutes = _number(exchange.get("delayTime")) or Decimal(0)
    return Quote(
        symbol=symbol,
        price=price,
        currency="KRW",
        as_of=traded.astimezone(dt.UTC),
        source="naver",
        session=_session(row),
        delay_seconds=int(minutes * 60),
        fetched_at=now,
        name=str(row.get("stockName") or listing.name),
    )


def _session(row: Mapping[str, Any]) -> Session:
    """Return the session the price was traded in: after 15:30 it can be the after-market's, and is marked so."""
    kind = _SESSIONS.get(str(row.get("marketSessionType")))
    if kind is not None:
        return kind
    return {"OPEN": "regular", "CLOSE": "closed"}.get(str(row.get("marketStatus")), "unknown")  # type: ignore[return-value]


def _is_halted(row: Mapping[str, Any]) -> bool:
    kind = row.get("tradeStopType")
    return isinstance(kind, Mapping) and str(kind.get("name", "TRADING")) != "TRADING"


def _halted(symbol: str, row: Mapping[str, Any]) -> Problem:
    name = row.get("stockName") or symbol
    message = f"{name} is not being traded now; its price is the last one"
    return Problem("warning", "trading-halted", symbol, message, f"{name}: 거래 정지 중, 마지막 시세입니다")


def _facts(document: Any, listing: Listing, now: dt.datetime) -> FundFacts:  # noqa: ANN401 - a JSON value
    if not isinstance(document, Mapping) or str(document.get("itemCode", listing.symbol)) != listing.symbol:
        message, ko = "naver's fund facts no longer have the shape they had", "naver ETF 정보의 형식이 바뀌었습니다"
        raise SchemaChanged(message, ko=ko, symbol=listing.symbol, source="naver")
    top = _objects(document.get("etfTop10MajorConstituentAssets"))
    sectors = _objects(document.get("sectorPortfolioList"))
    dividend = document.get("dividend")
    facts = FundFacts(
        symbol=listing.symbol,
        source="naver",
        fetched_at=now,
        name=str(document.get("itemName") or listing.name),
        currency="KRW",
        fee=_share(document.get("totalFee")),
        aum=_number(document.get("marketValueRaw")),
        top=tuple(
            Constituent(
                str(row.get("itemCode") or ""), str(row.get("itemName") or "").strip(), _share(row.get("etfWeight"))
            )
            for row in top
        ),
        sectors={
            str(row.get("detailTypeCode")): weight
            for row in sectors
            if (weight := _share(row.get("weight"))) is not None
        },
        dividend_yield=_share(dividend.get("dividendYieldTtm")) if isinstance(dividend, Mapping) else None,
        as_of=_date(document.get("returnPerformanceReferenceDate")),
    )
    if facts.fee is None and facts.aum is None and not facts.top:
        message, ko = f"naver has no fund facts of {listing.symbol}", f"naver에 {listing.symbol} ETF 정보 없음"
        raise NoData(message, ko=ko, symbol=listing.symbol, source="naver")
    return facts


def _objects(value: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - a JSON value
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _number(value: Any) -> Decimal | None:  # noqa: ANN401 - a JSON value
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    return read_number(str(value).replace(",", ""))


def _share(percent: Any) -> Decimal | None:  # noqa: ANN401 - a JSON value
    """Return a percentage (0.15, "16.53%") as a fraction; a dash is None."""
    number = _number(percent.rstrip("% ") if isinstance(percent, str) else percent)
    return None if number is None else number / _PERCENT


def _date(text: Any) -> dt.date | None:  # noqa: ANN401 - a JSON value
    try:
        return dt.datetime.strptime(str(text), "%Y.%m.%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        return None
