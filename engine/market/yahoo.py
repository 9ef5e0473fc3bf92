"""Yahoo through yfinance: one batch of quotes, its `download` for what the batch lacks, history, and facts.

The batch quote is a call that yfinance uses itself but does not promise: its version is pinned, and a contract test
replays it. What the answers mean is read by pure functions, below; every field is taken to be optional.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from engine.errors import Blocked, MarketDataError, NoData, RateLimited, SchemaChanged, SymbolUnknown, Transient
from engine.market.calendars import REGULAR
from engine.market.provider import Answer, Deadline, Turns, all_failed, each
from engine.market.records import FetchedFacts, FetchedHolding, History
from engine.market.symbols import Listing
from engine.money import MINOR_DIGITS
from engine.phrase import phrase
from engine.quote import Quote, Session

if TYPE_CHECKING:
    from engine.market.wire import Wire

_LOG = logging.getLogger(__name__)
SOURCE = "yahoo"
_QUOTE_URL = "https://query1.finance.yahoo.com/v7/finance/quote"
_CHART_PATH = "/v8/finance/chart/"
_SUMMARY_PATH = "/v10/finance/quoteSummary/"
#: Symbols of one quote request; far below what the address line holds.
BATCH = 100
#: Symbols that `download` is asked for after a batch that came without them: it costs two requests each.
FALLBACK = 8
#: The same where the batch quote itself no longer works.
FALLBACK_ALL = 60
#: Charts that yfinance asks for at once.
THREADS = 8
#: Digits kept of a close: charts carry binary noise behind the fourth.
CHART_DIGITS = 4
#: Status of a chart that was answered with something else than JSON.
NOT_JSON = -1
FACT_MODULES = ("quoteType", "summaryDetail", "price", "assetProfile", "fundProfile", "topHoldings")
_SESSIONS: Mapping[str, Session] = {"REGULAR": "regular"}
_ZONES = {"KR": "Asia/Seoul", "US": "America/New_York", "FX": "Europe/London"}


class Yahoo:
    """Yahoo's servers, asked one batch at a time. `folder` is where yfinance keeps cookies and time zones."""

    name = vendor = SOURCE

    def __init__(self, folder: Path) -> None:
        self._turns = Turns(self.name, lambda: _start(folder, self._hear))
        self._charts: dict[str, Chart] = {}

    def _hear(self, path: str, response: Any) -> None:  # noqa: ANN401 - curl_cffi's response
        """Keep what a chart says besides its closes, and end yfinance's retries where nothing is to be had."""
        name = unquote(path.rpartition("/")[2])
        if path.startswith(_CHART_PATH):
            self._charts[name] = chart_of(response)
        if response.status_code == 404:
            if path.startswith((_CHART_PATH, _SUMMARY_PATH)):
                said = phrase("source.unknown", source=SOURCE, symbol=name)
                raise SymbolUnknown(said, symbol=name, source=SOURCE)
            raise SchemaChanged(phrase("yahoo.call-gone"), source=SOURCE)

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return quotes: one request a hundred symbols, then `download` for a few that the batch lacks."""
        return self._turns.answer(listings, deadline, lambda wire: self._quotes(wire, listings, now, deadline))

    def _quotes(
        self, wire: Wire, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline
    ) -> tuple[dict[str, Quote], dict[str, MarketDataError]]:
        names = [name for listing in listings for name in listing.yahoo]
        rows: dict[str, dict[str, Any]] = {}
        broken: MarketDataError | None = None
        for start in range(0, len(names), BATCH):
            try:
                rows.update(_batch(wire, names[start : start + BATCH], deadline))
            except MarketDataError as error:
                broken = error
                break
        newest = {one.symbol: newest_row([rows[name] for name in one.yahoo if name in rows]) for one in listings}
        had = [one for one in listings if newest[one.symbol] is not None]
        absent = [one for one in listings if newest[one.symbol] is None]
        ok, failed = each(had, lambda one: quote_of_row(newest[one.symbol] or {}, one, now))
        # The charts that `download` reads need neither crumb nor batch quote, but the same servers, and patience.
        most = FALLBACK if broken is None else FALLBACK_ALL
        if isinstance(broken, (Transient, RateLimited, Blocked)):
            most = 0
        worth = [listing for listing in absent if not listing.optional][:most]
        missing = broken or NoData(phrase("yahoo.not-in-batch"), source=SOURCE)
        failed |= all_failed([listing for listing in absent if listing not in worth], missing)
        if worth:
            more, lost = self._last_closes(wire, worth, broken, now, deadline)
            ok |= more
            failed |= lost
        return ok, failed

    def _last_closes(
        self,
        wire: Wire,
        listings: Sequence[Listing],
        broken: MarketDataError | None,
        now: dt.datetime,
        deadline: Deadline,
    ) -> tuple[dict[str, Quote], dict[str, MarketDataError]]:
        frame = _download(wire, [name for one in listings for name in one.yahoo], deadline, period="5d")

        def last(listing: Listing) -> Quote:
            name = next((name for name in listing.yahoo if closes(frame, name)), None)
            if name is None:
                raise self._why_empty(wire, listing, deadline, broken)
            return quote_of_close(listing, closes(frame, name)[-1], self._charts.get(name), now)

        return each(listings, last)

    def _why_empty(
        self, wire: Wire, listing: Listing, deadline: Deadline, broken: MarketDataError | None = None
    ) -> MarketDataError:
        statuses = [chart.status for name in listing.yahoo if (chart := self._charts.get(name))]
        symbol = listing.symbol
        if statuses == [404] * len(listing.yahoo):
            first, *others = listing.yahoo
            said = phrase("source.unknown", source=SOURCE, symbol=first)
            if others:
                said = phrase("yahoo.unknown-both", one=first, other=others[0])
            return SymbolUnknown(said, symbol=symbol, source=SOURCE)
        if wire.refusal is not None and not isinstance(wire.refusal, SymbolUnknown):
            return wire.refusal
        if NOT_JSON in statuses:
            return SchemaChanged(phrase("yahoo.no-data-page", symbol=symbol), symbol=symbol, source=SOURCE)
        if 200 in statuses:
            return NoData(phrase("yahoo.no-price-then", symbol=symbol), symbol=symbol, source=SOURCE)
        if deadline.left == 0:
            return deadline.spent(SOURCE)
        return broken or Transient(phrase("yahoo.nothing", symbol=symbol), symbol=symbol, source=SOURCE)

    def history(
        self, listings: Sequence[Listing], start: dt.date, end: dt.date, *, now: dt.datetime, deadline: Deadline
    ) -> Answer[History]:
        """Return closes and total-return closes through `yfinance.download`."""

        def ask(wire: Wire) -> tuple[dict[str, History], dict[str, MarketDataError]]:
            names = [name for listing in listings for name in listing.yahoo]
            after = end + dt.timedelta(days=1)  # download's end is exclusive
            frame = _download(wire, names, deadline, start=start.isoformat(), end=after.isoformat())

            def find(listing: Listing) -> History:
                name = next((name for name in listing.yahoo if closes(frame, name)), None)
                if name is None:
                    raise self._why_empty(wire, listing, deadline)
                return history_of(frame, name, listing, self._charts.get(name), now)

            return each(listings, find)

        return self._turns.answer(listings, deadline, ask)

    def facts(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[FetchedFacts]:
        """Return fund facts, or a share's sector, yield and market value: one quote summary each."""

        def ask(wire: Wire) -> tuple[dict[str, FetchedFacts], dict[str, MarketDataError]]:
            return each(listings, lambda one: _facts(wire, one, now, deadline))

        return self._turns.answer(listings, deadline, ask)


def _start(folder: Path, hear: Callable[[str, Any], None]) -> Wire:
    """Import and prepare yfinance: our session, our folder, no log of its own (an address it logs holds the crumb)."""
    import yfinance

    from engine.market.wire import Wire

    logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
    yfinance.config.debug.hide_exceptions = False
    yfinance.set_tz_cache_location(str(folder))
    _initialise_caches()
    return Wire(SOURCE, hear)


def _initialise_caches() -> None:
    """Open yfinance's caches, on one thread; it does without one that cannot be opened.

    Each opens its file, sets it to write-ahead mode and makes its table at the first look, without a lock that holds
    until it is done: of the threads of a download, the second finds the file locked, and its symbol is lost.
    """
    from yfinance import cache

    for kept in (cache.get_tz_cache(), cache.get_cookie_cache(), cache.get_isin_cache()):
        try:
            kept.initialise()
        except Exception as error:  # noqa: BLE001 - whatever the file is like, prices come without it
            _LOG.warning("yfinance's %s cannot be opened (%s)", type(kept).__name__, type(error).__name__)
            kept.dummy = True


def _get_json(wire: Wire, url: str, params: dict[str, str], deadline: Deadline) -> Any:  # noqa: ANN401 - a JSON value
    """Ask through yfinance's cookie and crumb; a failure that may pass is tried once more within the deadline."""
    from yfinance.data import YfData

    from engine.market.wire import classify, twice

    def ask() -> Any:  # noqa: ANN401 - a JSON value
        try:
            return YfData(session=wire).get_raw_json(url, params=params, timeout=deadline.left)
        except Exception as error:  # noqa: BLE001 - the edge: every foreign exception becomes one of ours
            raise classify(error, SOURCE) from None

    return twice(ask, deadline)


def _batch(wire: Wire, names: Sequence[str], deadline: Deadline) -> dict[str, dict[str, Any]]:
    params = {"symbols": ",".join(names), "formatted": "false"}
    return rows_of(_get_json(wire, _QUOTE_URL, params, deadline), names)


def _facts(wire: Wire, listing: Listing, now: dt.datetime, deadline: Deadline) -> FetchedFacts:
    url = "https://query2.finance.yahoo.com" + _SUMMARY_PATH
    params = {"modules": ",".join(FACT_MODULES), "formatted": "false"}
    unknown: MarketDataError | None = None
    for name in listing.yahoo:
        try:
            return facts_of(_get_json(wire, url + name, params, deadline), listing, now)
        except SymbolUnknown as error:
            unknown = error
    raise unknown or _no_facts(listing)


def _no_facts(listing: Listing) -> NoData:
    return NoData(phrase("yahoo.no-facts", symbol=listing.symbol), symbol=listing.symbol, source=SOURCE)


def _download(wire: Wire, names: Sequence[str], deadline: Deadline, **span: str) -> Any:  # noqa: ANN401 - a DataFrame
    import yfinance

    from engine.market.wire import classify

    try:
        return yfinance.download(
            list(names),
            interval="1d",
            auto_adjust=False,
            progress=False,
            threads=min(len(names), THREADS),
            session=wire,
            timeout=deadline.left,
            **span,
        )
    except Exception as error:  # noqa: BLE001 - the edge: every foreign exception becomes one of ours
        raise classify(error, SOURCE) from None


# --- what the answers mean: no network and no clock; shapes as yfinance 1.7.0 reads them ------------------------------
@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart says besides its closes; `status` is the HTTP status or `NOT_JSON`."""

    status: int
    currency: str = ""
    symbol: str = ""
    traded_at: dt.datetime | None = None
    zone: str = ""


def chart_of(response: Any) -> Chart:  # noqa: ANN401 - curl_cffi's response
    """Return what a chart's response says; never raises for its shape."""
    if response.status_code != 200:
        return Chart(response.status_code)
    try:
        meta = response.json()["chart"]["result"][0]["meta"]
        texts = str(meta.get("currency") or ""), str(meta.get("symbol") or "")
        return Chart(200, *texts, _moment(meta.get("regularMarketTime")), _zone(meta))
    except (ValueError, LookupError, TypeError, AttributeError):
        return Chart(NOT_JSON)


def rows_of(document: Any, names: Sequence[str]) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - a JSON value
    """Return the rows of a batch quote by the name asked for; raises SchemaChanged where it is no batch quote.

    Yahoo leaves out what it does not know; a row under a name that nobody asked for is left out too.
    """
    try:
        found = {row["symbol"]: row for row in document["quoteResponse"]["result"]}
    except (LookupError, TypeError):
        raise SchemaChanged(phrase("yahoo.quotes-shape"), source=SOURCE) from None
    return {name: found[name] for name in names if name in found}


def newest_row(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the row traded last: a share that changed exchange is still listed, with an old price, under the first."""
    return max(found, key=lambda row: number(row.get("regularMarketTime")) or 0, default=None)


def quote_of_row(row: Mapping[str, Any], listing: Listing, now: dt.datetime) -> Quote:
    """Return the quote of a row: the regular session's last price; raises NoData, or SchemaChanged for its currency."""
    price = number(row.get("regularMarketPrice"))
    traded = _moment(row.get("regularMarketTime"))
    if price is None or price <= 0 or traded is None:
        said = phrase("source.no-price", source=SOURCE, symbol=listing.symbol)
        raise NoData(said, symbol=listing.symbol, source=SOURCE)
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
        message = phrase(
            "yahoo.other-currency",
            symbol=listing.symbol,
            said=said or phrase("yahoo.no-currency"),
            wanted=listing.currency or phrase("yahoo.known-currency"),
        )
        raise SchemaChanged(message, symbol=listing.symbol, source=SOURCE)
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
        renamed = phrase("yahoo.renamed", symbol=listing.symbol, now=said.symbol)
        raise SymbolUnknown(renamed, symbol=listing.symbol, source=SOURCE)
    zone = ZoneInfo(said.zone or _ZONES.get(listing.market, "UTC"))
    traded = said.traded_at
    if traded is None or traded.astimezone(zone).date() != day:
        closing = REGULAR[listing.market].close if listing.market in REGULAR else dt.time(23, 59)
        traded = dt.datetime.combine(day, closing, zone)
    currency = agreed_currency(listing, said.currency)
    return Quote(listing.symbol, price, currency, traded.astimezone(dt.UTC), SOURCE, fetched_at=now, name=listing.name)


def history_of(frame: Any, name: str, listing: Listing, said: Chart | None, now: dt.datetime) -> History:  # noqa: ANN401
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


def facts_of(document: Any, listing: Listing, now: dt.datetime) -> FetchedFacts:  # noqa: ANN401 - a JSON value
    """Return what a quote summary says; raises NoData where it says nothing."""
    try:
        result: Mapping[str, Any] = document["quoteSummary"]["result"][0]
    except (LookupError, TypeError):
        raise _no_facts(listing) from None
    detail, price = _part(result, "summaryDetail"), _part(result, "price")
    fund, holdings = _part(result, "fundProfile"), _part(result, "topHoldings")
    weights, lines = _objects(holdings.get("sectorWeightings")), _objects(holdings.get("holdings"))
    return FetchedFacts(
        symbol=listing.symbol,
        source=SOURCE,
        fetched_at=now,
        name=listing.name or str(price.get("longName") or price.get("shortName") or ""),
        currency=str(detail.get("currency") or price.get("currency") or listing.currency or ""),
        fee=number(_part(fund, "feesExpensesInvestment").get("annualReportExpenseRatio")),
        aum=number(detail.get("totalAssets")),
        top=tuple(_holding(line) for line in lines),
        sectors={key: weight for item in weights for key, raw in item.items() if (weight := number(raw)) is not None},
        dividend_yield=number(detail.get("yield")) or number(detail.get("dividendYield")),
        sector=str(_part(result, "assetProfile").get("sector") or "") or None,
        market_cap=number(detail.get("marketCap")) or number(price.get("marketCap")),
    )


def _holding(line: Mapping[str, Any]) -> FetchedHolding:
    symbol, name = str(line.get("symbol") or ""), str(line.get("holdingName") or "")
    return FetchedHolding(symbol, name, number(line.get("holdingPercent")))


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
