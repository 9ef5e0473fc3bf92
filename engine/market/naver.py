"""Naver's public pages: Korean quotes in one batch, the list of ETFs, facts of one ETF; and its charts.

Unofficial: every field is taken to be optional, and an answer of another shape makes the chain ask the next source.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.errors import MarketDataError, NoData, SchemaChanged, SymbolUnknown, warning
from engine.market import calendars, decode
from engine.market.catalogue import Listing, shape
from engine.market.provider import Answer, Came, Deadline, Turns, all_failed, each, unheard
from engine.phrase import phrase
from engine.quote import FetchedFacts, FetchedHolding, History, Quote, Session

if TYPE_CHECKING:
    from engine.market.wire import Wire

_QUOTES_URL = "https://polling.finance.naver.com/api/realtime/domestic/stock/"
_LIST_URL = "https://finance.naver.com/api/sise/etfItemList.nhn"
_CHART_URL = "https://fchart.stock.naver.com/sise.nhn"
_FACTS_URL = "https://m.stock.naver.com/api/stock/{}/etfAnalysis"
#: Codes of one quote request.
BATCH = 50
#: Charts that are asked for at once; codes whose last close is asked for one by one; days of a year that are traded.
THREADS, FEW, TRADED = 4, 10, 0.72
#: Seconds by which Naver's charts may lag.
DELAY = 1200
#: Days of closes that are asked for where only the last counts: enough to span the longest holidays.
SPAN = dt.timedelta(days=12)
_CANDLE = re.compile(r"""<item\s+data=["']([0-9]{8})\|[^|"']*\|[^|"']*\|[^|"']*\|([0-9.]{1,20})\|""")
#: Naver's codes for a falling price: limit down, down.
FALLING = ("4", "5")
KINDS = {"stock": "stock", "etf": "etf", "etn": "etn"}
_SESSIONS: Mapping[str, Session] = {"preMarket": "pre", "afterMarket": "after"}


class Naver:
    """Naver's public quote pages, asked one batch at a time."""

    name = vendor = "naver"

    def __init__(self) -> None:
        self._turns = Turns(self.name, _start)

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return quotes, one request for fifty codes; a code that the answer lacks is unknown."""
        rows: dict[str, list[Mapping[str, Any]]] = {}

        def ask(wire: Wire) -> tuple[dict[str, Quote], dict[str, MarketDataError]]:
            left = list(listings)
            broken: MarketDataError | None = None
            while left and broken is None:
                codes = [listing.symbol for listing in left[:BATCH]]
                try:
                    rows.update(_rows(_get(wire, _QUOTES_URL + ",".join(codes), deadline), codes))
                    left = left[BATCH:]
                except MarketDataError as error:
                    broken = error
            asked = listings[: len(listings) - len(left)]
            ok, failed = each(asked, lambda one: _quote(rows.get(one.symbol, []), one, now), self.name)
            return ok, {**failed, **(all_failed(left, broken) if broken else {})}

        answer = self._turns.answer(listings, deadline, ask)
        halted = tuple(
            warning("trading-halted", symbol, name=quote.name or symbol)
            for symbol, quote in answer.ok.items()
            if _is_halted(rows[symbol][0])
        )
        return replace(answer, problems=halted)

    def etfs(self, *, deadline: Deadline) -> tuple[Listing, ...]:
        """Return every listed ETF; raises the error tree."""
        with self._turns.session(deadline) as wire:
            document = _get(wire, _LIST_URL, deadline, "cp949")
        rows = decode.objects(decode.part(document, "result").get("etfItemList"))
        named = ((decode.text(row.get("itemcode")), decode.text(row.get("itemname"))) for row in rows)
        found = tuple(Listing(code, "KR", "KRW", name, "KOSPI") for code, name in named if name and shape(code) == "KR")
        if not found:
            raise SchemaChanged(phrase("naver.list-shape"), source=self.name)
        return found

    def facts(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[FetchedFacts]:
        """Return facts of ETFs, one request each; anything else has none here."""

        def ask(wire: Wire) -> tuple[dict[str, FetchedFacts], dict[str, MarketDataError]]:
            def find(one: Listing) -> FetchedFacts:
                return _facts(_get(wire, _FACTS_URL.format(one.symbol), deadline), one, now)

            return each(listings, find, self.name)

        return self._turns.answer(listings, deadline, ask)


class NaverCharts:
    """Naver's daily charts of Korean shares: closes adjusted for splits, without dividends; no login."""

    name, vendor = "naver-charts", "naver"

    def __init__(self) -> None:
        self._turns = Turns(self.name, _start)

    def history(
        self,
        listings: Sequence[Listing],
        start: dt.date,
        end: dt.date,
        *,
        now: dt.datetime,
        deadline: Deadline,
        came: Came = unheard,
    ) -> Answer[History]:
        """Return closes, a request each."""

        def ask(wire: Wire) -> tuple[dict[str, History], dict[str, MarketDataError]]:
            def find(one: Listing) -> History:
                days = int((now.date() - start).days * TRADED) + FEW
                params = {"symbol": one.symbol, "timeframe": "day", "count": str(days), "requestType": "0"}
                found = _closes(_text(wire, _CHART_URL, params, deadline), one, now).between(start, end)
                if not found.dates:
                    raise NoData(phrase("source.no-price", source=self.name, symbol=one.symbol), source=self.name)
                came(found)
                return found

            return each(listings, find, self.name, threads=THREADS)

        return self._turns.answer(listings, deadline, ask)

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return the last closes of a few; the rest is left to others: a request each is not for many."""
        today = calendars.local_date("KR", now)
        few, many = listings[:FEW], listings[FEW:]
        answer = self.history(few, today - SPAN, today, now=now, deadline=deadline)
        ok: dict[str, Quote] = {}
        for symbol, found in answer.ok.items():
            day = calendars.trading_day("KR", found.dates[-1])
            traded = min(day.close if day else now, now).astimezone(dt.UTC)
            ok[symbol] = Quote(symbol, found.closes[-1], "KRW", traded, self.name, "unknown", DELAY, now)
        error = NoData(phrase("naver.few-charts", most=FEW), source=self.name)
        return Answer(ok, {**answer.failed, **all_failed(many, error)}, answer.requests)


def _text(wire: Wire, url: str, params: Mapping[str, str], deadline: Deadline) -> str:
    from engine.market.wire import twice

    response = twice(lambda: wire.get(url, params=params, headers={"Referer": "https://finance.naver.com/"}), deadline)
    return response.content.decode("cp949", "replace") if response.status_code == 200 else ""


def _closes(text: str, listing: Listing, now: dt.datetime) -> History:
    """Return a chart's closes; raises SchemaChanged where it is no chart, SymbolUnknown where it has no days."""
    symbol, source = listing.symbol, NaverCharts.name
    if "<chartdata" not in text:
        raise SchemaChanged(phrase("source.no-data-page", source=source), symbol=symbol, source=source)
    read = ((decode.date(day, "%Y%m%d"), decode.price(close)) for day, close in _CANDLE.findall(text))
    rows = dict(sorted((day, close) for day, close in read if day and close))
    if not rows:
        raise SymbolUnknown(phrase("source.unknown", source=source, symbol=symbol), symbol=symbol, source=source)
    return History(symbol, "KRW", source, now, tuple(rows), tuple(rows.values()))


def _start() -> Wire:
    from engine.market.wire import Wire

    return Wire("naver")


def _get(wire: Wire, url: str, deadline: Deadline, encoding: str = "utf-8") -> Any:  # noqa: ANN401 - a JSON value
    """Ask once, and once more within the deadline where the failure may pass; raises NoData for a missing page."""
    from engine.market.wire import ABSENT

    document = wire.json(url, deadline, encoding, headers={"Referer": "https://finance.naver.com/"})
    if document is ABSENT:
        raise NoData(phrase("naver.no-page"), source="naver")
    return document


def _rows(document: Any, codes: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:  # noqa: ANN401 - a JSON value
    """Return the rows of each code asked for; raises SchemaChanged where it is no list of quotes at all."""
    if not isinstance(document, Mapping) or not isinstance(document.get("datas"), list):
        raise SchemaChanged(phrase("naver.quotes-shape"), source="naver")
    rows = decode.objects(document["datas"])
    if document["datas"] and not rows:
        raise SchemaChanged(phrase("naver.quotes-shape"), source="naver")
    return decode.keyed(rows, "itemCode", codes)


def _quote(rows: Sequence[Mapping[str, Any]], listing: Listing, now: dt.datetime) -> Quote:
    symbol = listing.symbol
    if not rows:
        raise SymbolUnknown(phrase("source.unknown", source="naver", symbol=symbol), symbol=symbol, source="naver")
    row = rows[0]
    prices = {price for one in rows if (price := _price(one)) is not None}
    if len(prices) > 1:
        low, high = min(prices), max(prices)
        said = phrase("source.two-rows", source="naver", symbol=symbol, one=low, other=high)
        raise SchemaChanged(said, symbol=symbol, source="naver")
    price, traded = _price(row), decode.moment(row.get("localTradedAt"))
    if price is None or traded is None or not isinstance(row.get("localTradedAt"), str):
        raise NoData(phrase("source.no-price", source="naver", symbol=symbol), symbol=symbol, source="naver")
    exchange = decode.part(row, "stockExchangeType")
    if exchange.get("zoneId", "Asia/Seoul") != "Asia/Seoul":
        raise SchemaChanged(phrase("naver.other-exchange", symbol=symbol), symbol=symbol, source="naver")
    change = decode.number(row.get("compareToPreviousClosePriceRaw", row.get("compareToPreviousClosePrice")))
    if change is not None and decode.text(decode.part(row, "compareToPreviousPrice").get("code")) in FALLING:
        change = -abs(change)
    return Quote(
        symbol=symbol,
        price=price,
        currency="KRW",
        as_of=traded,
        source="naver",
        session=_session(row),
        delay_seconds=decode.delay(exchange.get("delayTime")),
        fetched_at=now,
        name=decode.text(row.get("stockName"), listing.name),
        previous=None if change is None else decode.price(str(price - change)),
        kind=KINDS.get(decode.text(row.get("stockEndType")), ""),
    )


def _price(row: Mapping[str, Any]) -> Decimal | None:
    return decode.price(row.get("closePriceRaw")) or decode.price(row.get("closePrice"))


def _session(row: Mapping[str, Any]) -> Session:
    """Return the session the price was traded in: after 15:30 it can be the after-market's, and is marked so."""
    kind = _SESSIONS.get(decode.text(row.get("marketSessionType")))
    if kind is not None:
        return kind
    return {"OPEN": "regular", "CLOSE": "closed"}.get(decode.text(row.get("marketStatus")), "unknown")  # type: ignore[return-value]


def _is_halted(row: Mapping[str, Any]) -> bool:
    return decode.text(decode.part(row, "tradeStopType").get("name"), "TRADING") != "TRADING"


def _facts(document: Any, listing: Listing, now: dt.datetime) -> FetchedFacts:  # noqa: ANN401 - a JSON value
    if not isinstance(document, Mapping) or decode.text(document.get("itemCode"), listing.symbol) != listing.symbol:
        raise SchemaChanged(phrase("naver.facts-shape"), symbol=listing.symbol, source="naver")
    top = decode.objects(document.get("etfTop10MajorConstituentAssets"))
    sectors = decode.objects(document.get("sectorPortfolioList"))
    facts = FetchedFacts(
        symbol=listing.symbol,
        source="naver",
        fetched_at=now,
        name=decode.text(document.get("itemName"), listing.name),
        currency="KRW",
        fee=decode.share(document.get("totalFee")),
        aum=decode.number(document.get("marketValueRaw")),
        top=tuple(_holding(row) for row in top),
        sectors={
            decode.text(row.get("detailTypeCode")): weight
            for row in sectors
            if (weight := decode.share(row.get("weight"))) is not None
        },
        dividend_yield=decode.share(decode.part(document, "dividend").get("dividendYieldTtm")),
        as_of=decode.date(document.get("returnPerformanceReferenceDate"), "%Y.%m.%d"),
    )
    if facts.fee is None and facts.aum is None and not facts.top:
        raise NoData(phrase("naver.no-facts", symbol=listing.symbol), symbol=listing.symbol, source="naver")
    return facts


def _holding(row: Mapping[str, Any]) -> FetchedHolding:
    return FetchedHolding(
        decode.text(row.get("itemCode")), decode.text(row.get("itemName")), decode.share(row.get("etfWeight"))
    )
