"""Second sources: asked where the first has nothing, or a price that is doubtful. None of them needs a key.

Their shapes are known from others' reading, and were not tried live from here: what they say confirms a price, or
stands in for a missing one under its own name, but does not stop a plan (`doubts.UNVERIFIED`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from engine.errors import MarketDataError, NoData, SchemaChanged
from engine.market import calendars, decode
from engine.market.catalogue import Listing
from engine.market.provider import Answer, Deadline, Turns, each
from engine.phrase import phrase
from engine.quote import Quote, Session

if TYPE_CHECKING:
    from engine.market.wire import Wire

#: Symbols of one request, of each source.
BATCH = 20


class _Second:
    """A source of quotes of some markets; what it has nothing of is NoData."""

    name = vendor = ""
    markets: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._turns = Turns(self.name, self._start)

    def _start(self) -> Wire:
        from engine.market.wire import Wire

        return Wire(self.vendor)

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return a quote or an error for every listing, a request for each few."""

        def ask(wire: Wire) -> tuple[dict[str, Quote], dict[str, MarketDataError]]:
            found: dict[str, Quote] = {}
            for start in range(0, len(listings), BATCH):
                found |= self.few(wire, listings[start : start + BATCH], now, deadline)

            def one(listing: Listing) -> Quote:
                if listing.symbol not in found:
                    said = phrase("source.no-price", source=self.name, symbol=listing.symbol)
                    raise NoData(said, symbol=listing.symbol, source=self.name)
                return found[listing.symbol]

            return each(listings, one, self.name)

        return self._turns.answer(listings, deadline, ask)

    def few(self, wire: Wire, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> dict[str, Quote]:
        """Return the quotes that a few listings' answer has; raises the error tree."""
        raise NotImplementedError

    def quote(self, symbol: str, price: Decimal, traded: dt.datetime, now: dt.datetime, **more: Any) -> Quote:  # noqa: ANN401
        """Return a quote of this source: of a pair in its second currency, else in dollars; `more` are other fields."""
        currency = symbol[3:] if "FX" in self.markets else "USD"
        return Quote(symbol, price, currency, traded, self.name, fetched_at=now, **more)


class Ecb(_Second):
    """The European Central Bank's reference rates: one a working day, fixed at 14:15 in Frankfurt."""

    name = vendor = "ecb"
    markets = frozenset({"FX"})
    _URL = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"
    _DAY = re.compile(r"""<Cube\s+time=["']([0-9-]{10})["']""")
    _RATE = re.compile(r"""<Cube\s+currency=["']([A-Z]{3})["']\s+rate=["']([0-9.]{1,20})["']""")

    def few(self, wire: Wire, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> dict[str, Quote]:
        """Return each pair as the quotient of two rates of the same day."""
        from zoneinfo import ZoneInfo

        from engine.market.wire import twice

        response = twice(lambda: wire.get(self._URL), deadline)
        text = response.content.decode("utf-8", "replace") if response.status_code == 200 else ""
        match = self._DAY.search(text)
        day = decode.date(match[1]) if match else None
        rates = {currency: rate for currency, raw in self._RATE.findall(text) if (rate := decode.price(raw))}
        if day is None or not rates:
            raise SchemaChanged(phrase("ecb.shape"), source=self.name)
        rates["EUR"] = Decimal(1)
        fixed = dt.datetime.combine(day, dt.time(14, 15), ZoneInfo("Europe/Berlin")).astimezone(dt.UTC)
        pairs = [one.symbol for one in listings if one.symbol[:3] in rates and one.symbol[3:] in rates]
        crossed = {pair: round(rates[pair[3:]] / rates[pair[:3]], 6) for pair in pairs}
        return {pair: self.quote(pair, rate, fixed, now, session="closed") for pair, rate in crossed.items()}


class Frankfurter(_Second):
    """Frankfurter's reference rates: a blend of some hundred central banks', of one day."""

    name = vendor = "frankfurter"
    markets = frozenset({"FX"})
    _URL = "https://api.frankfurter.dev/v2/rates"

    def few(self, wire: Wire, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> dict[str, Quote]:
        """Return the pairs' rates, a request for each first currency."""
        found = {}
        for base in dict.fromkeys(one.symbol[:3] for one in listings):
            wanted = {one.symbol[3:]: one for one in listings if one.symbol[:3] == base}
            params = {"base": base.lower(), "quotes": ",".join(wanted).lower()}
            document = wire.json(self._URL, deadline, params=params)
            if not isinstance(document, list):
                raise SchemaChanged(phrase("frankfurter.shape"), source=self.name)
            for currency, rows in decode.keyed(decode.objects(document), "quote", wanted).items():
                row = rows[0]
                price, day = decode.price(row.get("rate")), decode.date(row.get("date"))
                if len(rows) == 1 and price and day and decode.text(row.get("base"), base) == base:
                    noon = dt.datetime.combine(day, dt.time(12), dt.UTC)
                    symbol = wanted[currency].symbol
                    found[symbol] = self.quote(symbol, price, min(noon, now), now, session="closed")
        return found


class NaverRates(_Second):
    """Naver's won rates, Hana Bank's: one currency a request."""

    name, vendor = "naver-rates", "naver"
    markets = frozenset({"FX"})
    _URL = "https://api.stock.naver.com/marketindex/exchange/FX_{}KRW"
    #: Currencies quoted per hundred.
    _HUNDREDS = frozenset({"JPY", "VND", "IDR"})

    def few(self, wire: Wire, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> dict[str, Quote]:
        """Return the won rates among the listings, in the wrapped shape or the plain one."""
        found = {}
        for one in listings:
            currency = one.symbol[:3]
            if one.symbol[3:] != "KRW":
                continue
            document = wire.json(self._URL.format(currency), deadline, headers=_REFERER)
            row = decode.part(document, "exchangeInfo") or decode.part({"": document}, "")
            price = decode.price(row.get("calcPrice")) or decode.price(row.get("closePrice"))
            traded = decode.moment(row.get("localTradedAt"))
            if price is not None and traded is not None:
                price /= 100 if currency in self._HUNDREDS else 1
                found[one.symbol] = self.quote(one.symbol, price, traded, now)
        return found


class NaverWorld(_Second):
    """Naver's US quotes in one batch; no rule leads from a symbol to its Reuters code, so the likely ones are asked."""

    name, vendor = "naver-world", "naver"
    markets = frozenset({"US"})
    _URL = "https://polling.finance.naver.com/api/realtime/worldstock/stock/"
    _SUFFIXES = (".O", "", ".A", ".K", ".N")

    def few(self, wire: Wire, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> dict[str, Quote]:
        """Return the quotes whose row says it is the symbol's, in New York and in dollars."""
        codes = [f"{_reuters(one.symbol)}{suffix}" for one in listings for suffix in self._SUFFIXES]
        document = wire.json(self._URL + ",".join(codes), deadline, headers=_REFERER)
        if not isinstance(decode.part({"": document}, "").get("datas"), list):
            raise SchemaChanged(phrase("naver.quotes-shape"), source=self.name)
        wanted = {re.sub(r"[.\-]", " ", one.symbol): one for one in listings}
        rows = decode.keyed(decode.objects(document["datas"]), "symbolCode", wanted)
        return {
            wanted[name].symbol: quote
            for name, several in rows.items()
            if (quote := self._quote(wanted[name], several, now))
        }

    def _quote(self, one: Listing, rows: Sequence[Mapping[str, Any]], now: dt.datetime) -> Quote | None:
        read = [
            (price, traded, row)
            for row in rows
            if (price := decode.price(row.get("closePriceRaw")) or decode.price(row.get("closePrice")))
            and (traded := decode.moment(row.get("localTradedAt")))
            and decode.text(decode.part(row, "currencyType").get("code"), "USD") == "USD"
            and decode.text(decode.part(row, "stockExchangeType").get("nationType"), "USA") == "USA"
        ]
        if not read or len({price for price, _, _ in read}) > 1:
            return None
        price, traded, row = read[0]
        delay = decode.delay(decode.part(row, "stockExchangeType").get("delayTime"))
        session: Session = "closed" if row.get("marketStatus") == "CLOSE" else "regular"
        name = decode.text(row.get("stockName"))
        return self.quote(one.symbol, price, traded, now, session=session, delay_seconds=delay, name=name)


class Cnbc(_Second):
    """CNBC's US quotes in one batch."""

    name = vendor = "cnbc"
    markets = frozenset({"US"})
    _URL = "https://quote.cnbc.com/quote-html-webservice/restQuote/symbolType/symbol"
    _OPTIONS: ClassVar = {
        "requestMethod": "itv",
        "noform": "1",
        "partnerId": "2",
        "fund": "1",
        "exthrs": "1",
        "output": "json",
    }

    def few(self, wire: Wire, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline) -> dict[str, Quote]:
        """Return the quotes of an answer; one alone comes as an object, several as a list."""
        params = {"symbols": "|".join(one.symbol for one in listings), **self._OPTIONS}
        document = wire.json(self._URL, deadline, params=params)
        answer = decode.part(document, "FormattedQuoteResult")
        if "FormattedQuote" not in answer:
            raise SchemaChanged(phrase("cnbc.shape"), source=self.name)
        rows = answer["FormattedQuote"]
        wanted = {one.symbol: one for one in listings}
        found = {}
        for symbol, several in decode.keyed(
            decode.objects(rows if isinstance(rows, list) else [rows]), "symbol", wanted
        ).items():
            row = several[0]
            price, traded = decode.price(row.get("last")), _cnbc_moment(row.get("last_time"))
            if len(several) == 1 and price and traded and decode.text(row.get("code"), "0") == "0":
                previous, name = decode.price(row.get("previous_day_closing")), decode.text(row.get("shortName"))
                session: Session = "regular" if row.get("curmktstatus") == "REG_MKT" else "closed"
                if decode.text(row.get("currencyCode"), "USD") == "USD":
                    found[symbol] = self.quote(
                        symbol, price, traded, now, session=session, name=name, previous=previous
                    )
        return found


_REFERER = {"Referer": "https://m.stock.naver.com/"}


def _reuters(symbol: str) -> str:
    """Return the stem of a Reuters code: class B of BRK is BRKb."""
    stem, _, kind = re.sub("-", ".", symbol).partition(".")
    return stem + kind.lower()


def _cnbc_moment(value: Any) -> dt.datetime | None:  # noqa: ANN401 - a JSON value
    """Return a time with its zone, or a bare date as that day's close in New York."""
    day = decode.date(value)
    if day is not None:
        return dt.datetime.combine(day, dt.time(16), calendars.zone("US")).astimezone(dt.UTC)
    return decode.moment(value)
