"""Naver's public quote pages: Korean quotes in one batch, the list of ETFs, and facts of one ETF.

Unofficial: every field is taken to be optional, and an answer of another shape makes the chain ask the next source.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.errors import MarketDataError, NoData, SchemaChanged, SymbolUnknown, warning
from engine.market.provider import Answer, Deadline, Turns, all_failed, each
from engine.market.records import FetchedFacts, FetchedHolding
from engine.market.symbols import Listing
from engine.phrase import phrase
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
    """Naver's public quote pages, asked one batch at a time."""

    name = vendor = "naver"

    def __init__(self) -> None:
        self._turns = Turns(self.name, _start)

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return quotes, one request for fifty codes; a code that the answer lacks is unknown."""
        rows: dict[str, Mapping[str, Any]] = {}

        def ask(wire: Wire) -> tuple[dict[str, Quote], dict[str, MarketDataError]]:
            left = list(listings)
            broken: MarketDataError | None = None
            while left and broken is None:
                codes = ",".join(listing.symbol for listing in left[:BATCH])
                try:
                    rows.update(_rows(_get(wire, _QUOTES_URL + codes, deadline)))
                    left = left[BATCH:]
                except MarketDataError as error:
                    broken = error
            ok, failed = each(listings[: len(listings) - len(left)], lambda one: _quote(rows.get(one.symbol), one, now))
            return ok, {**failed, **(all_failed(left, broken) if broken else {})}

        answer = self._turns.answer(listings, deadline, ask)
        halted = tuple(
            warning("trading-halted", symbol, name=str(rows[symbol].get("stockName") or symbol))
            for symbol in answer.ok
            if _is_halted(rows[symbol])
        )
        return replace(answer, problems=halted)

    def etfs(self, *, deadline: Deadline) -> tuple[Listing, ...]:
        """Return every listed ETF; raises the error tree."""
        with self._turns.session(deadline) as wire:
            document = _get(wire, _LIST_URL, deadline, "cp949")
        try:
            items = document["result"]["etfItemList"]
            return tuple(Listing(str(row["itemcode"]), "KR", "KRW", str(row["itemname"]), "KOSPI") for row in items)
        except (LookupError, TypeError):
            raise SchemaChanged(phrase("naver.list-shape"), source=self.name) from None

    def facts(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[FetchedFacts]:
        """Return facts of ETFs, one request each; anything else has none here."""

        def ask(wire: Wire) -> tuple[dict[str, FetchedFacts], dict[str, MarketDataError]]:
            return each(listings, lambda one: _facts(_get(wire, _FACTS_URL.format(one.symbol), deadline), one, now))

        return self._turns.answer(listings, deadline, ask)


def _start() -> Wire:
    from engine.market.wire import Wire

    return Wire("naver")


def _get(wire: Wire, url: str, deadline: Deadline, encoding: str = "utf-8") -> Any:  # noqa: ANN401 - a JSON value
    """Ask once, and once more within the deadline where the failure may pass."""
    from engine.market.wire import classify, twice

    def ask() -> Any:  # noqa: ANN401 - a JSON value
        response = wire.get(url, headers={"Referer": "https://finance.naver.com/"})
        if response.status_code == 404:
            raise NoData(phrase("naver.no-page"), source="naver")
        if response.status_code >= 400:
            said = phrase("source.status", source="naver", status=response.status_code)
            raise SchemaChanged(said, source="naver")
        try:
            return json.loads(response.content.decode(encoding))
        except ValueError as error:
            raise classify(error, "naver") from None

    return twice(ask, deadline)


def _rows(document: Any) -> dict[str, Mapping[str, Any]]:  # noqa: ANN401 - a JSON value
    try:
        return {str(row["itemCode"]): row for row in document["datas"]}
    except (LookupError, TypeError):
        raise SchemaChanged(phrase("naver.quotes-shape"), source="naver") from None


def _quote(row: Mapping[str, Any] | None, listing: Listing, now: dt.datetime) -> Quote:
    symbol = listing.symbol
    if row is None:
        raise SymbolUnknown(phrase("source.unknown", source="naver", symbol=symbol), symbol=symbol, source="naver")
    price = _number(row.get("closePriceRaw")) or _number(row.get("closePrice"))
    try:
        traded = dt.datetime.fromisoformat(str(row.get("localTradedAt")))
    except ValueError:
        traded = None
    if price is None or price <= 0 or traded is None or traded.tzinfo is None:
        raise NoData(phrase("source.no-price", source="naver", symbol=symbol), symbol=symbol, source="naver")
    exchange = row.get("stockExchangeType")
    exchange = exchange if isinstance(exchange, Mapping) else {}
    if exchange.get("zoneId", "Asia/Seoul") != "Asia/Seoul":
        raise SchemaChanged(phrase("naver.other-exchange", symbol=symbol), symbol=symbol, source="naver")
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


def _facts(document: Any, listing: Listing, now: dt.datetime) -> FetchedFacts:  # noqa: ANN401 - a JSON value
    if not isinstance(document, Mapping) or str(document.get("itemCode", listing.symbol)) != listing.symbol:
        raise SchemaChanged(phrase("naver.facts-shape"), symbol=listing.symbol, source="naver")
    top = _objects(document.get("etfTop10MajorConstituentAssets"))
    sectors = _objects(document.get("sectorPortfolioList"))
    dividend = document.get("dividend")
    facts = FetchedFacts(
        symbol=listing.symbol,
        source="naver",
        fetched_at=now,
        name=str(document.get("itemName") or listing.name),
        currency="KRW",
        fee=_share(document.get("totalFee")),
        aum=_number(document.get("marketValueRaw")),
        top=tuple(_holding(row) for row in top),
        sectors={
            str(row.get("detailTypeCode")): weight
            for row in sectors
            if (weight := _share(row.get("weight"))) is not None
        },
        dividend_yield=_share(dividend.get("dividendYieldTtm")) if isinstance(dividend, Mapping) else None,
        as_of=_date(document.get("returnPerformanceReferenceDate")),
    )
    if facts.fee is None and facts.aum is None and not facts.top:
        raise NoData(phrase("naver.no-facts", symbol=listing.symbol), symbol=listing.symbol, source="naver")
    return facts


def _holding(row: Mapping[str, Any]) -> FetchedHolding:
    code, name = str(row.get("itemCode") or ""), str(row.get("itemName") or "").strip()
    return FetchedHolding(code, name, _share(row.get("etfWeight")))


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
