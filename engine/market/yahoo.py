"""Yahoo: quotes in one batch and facts through yfinance's cookie and crumb; charts, which need neither, without it.

The batch quote is a call that yfinance uses itself but does not promise: its version is pinned, and a contract test
replays it. A chart has a symbol's closes, total-return closes and splits in one request; spark has closes alone, of
twenty symbols. What the answers mean is read by pure functions, below; every field is taken to be optional.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote as quoted
from zoneinfo import ZoneInfo

from engine.errors import Blocked, MarketDataError, NoData, RateLimited, SchemaChanged, SymbolUnknown, Transient
from engine.market import decode
from engine.market.calendars import REGULAR
from engine.market.catalogue import Listing, major
from engine.market.doubts import recent
from engine.market.provider import ROUGH, Answer, Came, Deadline, Turns, all_failed, each, unheard
from engine.money import MINOR_DIGITS
from engine.phrase import phrase
from engine.quote import FetchedFacts, FetchedHolding, History, Quote, Session

if TYPE_CHECKING:
    from engine.market.wire import Wire

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
SOURCE = "yahoo"
_QUOTE_URL = "https://query1.finance.yahoo.com/v7/finance/quote"
_CHART_URL = "https://query2.finance.yahoo.com/v8/finance/chart/"
_SPARK_URL = "https://query1.finance.yahoo.com/v7/finance/spark"
_QUERY = "https://query2.finance.yahoo.com"
_SUMMARY_PATH = "/v10/finance/quoteSummary/"
#: Symbols of one quote request; above, Yahoo was seen to refuse.
BATCH = 100
#: Symbols whose charts are asked for after a batch that came without them: a request each.
FALLBACK = 8
#: The same where the batch quote itself no longer works.
FALLBACK_ALL = 60
#: Charts that are asked for at once.
THREADS = 8
#: Symbols of one spark request: more are refused.
SPARK = 20
#: Days that a spark's spans surely reach back.
SPANS = ((25, "1mo"), (85, "3mo"), (175, "6mo"), (360, "1y"), (725, "2y"), (1820, "5y"), (3640, "10y"))
#: Digits kept of a close: charts carry binary noise behind the fourth.
CHART_DIGITS = 4
FACT_MODULES = ("quoteType", "summaryDetail", "price", "assetProfile", "fundProfile", "topHoldings")
#: Distance of two prices for one Korean code (of both exchanges) above which neither is taken, and within how long.
TWO_ROWS, SAME_DAY = Decimal("0.01"), 86400.0
_SESSIONS: Mapping[str, Session] = {"REGULAR": "regular"}
#: Yahoo's types of instruments, as ours.
KINDS = {"EQUITY": "stock", "ETF": "etf", "MUTUALFUND": "fund"}
#: By how many seconds Yahoo's prices lag, where an answer does not say it.
_DELAYS = {"KR": 1200}
_ZONES = {"KR": "Asia/Seoul", "US": "America/New_York", "FX": "Europe/London"}


class Yahoo:
    """Yahoo's servers, asked one batch at a time. `folder` is where yfinance keeps its cookie."""

    name = vendor = SOURCE

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turns = Turns(self.name, _start)
        self._ready = False

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return quotes: one request a batch, then charts for a few that the batch lacks."""
        return self._turns.answer(listings, deadline, lambda wire: self._quotes(wire, listings, now, deadline))

    def _quotes(
        self, wire: Wire, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline
    ) -> tuple[dict[str, Quote], dict[str, MarketDataError]]:
        if not self._ready and all(one.optional for one in listings):
            return self._second_opinions(wire, listings, now, deadline)
        self._prepare()
        names = [name for listing in listings for name in listing.yahoo]
        rows: dict[str, list[Mapping[str, Any]]] = {}
        broken: MarketDataError | None = None
        for start in range(0, len(names), BATCH):
            try:
                rows.update(_batch(wire, names[start : start + BATCH], deadline))
            except MarketDataError as error:
                broken = error
                break
        found = {one.symbol: [row for name in one.yahoo for row in rows.get(name, [])] for one in listings}
        had = [one for one in listings if found[one.symbol]]
        absent = [one for one in listings if not found[one.symbol]]
        ok, failed = each(had, lambda one: quote_of_row(only_row(found[one.symbol], one), one, now), SOURCE)
        # Charts need neither crumb nor batch quote, but the same servers, and patience.
        most = FALLBACK if broken is None else FALLBACK_ALL
        if isinstance(broken, (Transient, RateLimited, Blocked)):
            most = 0
        worth = [listing for listing in absent if not listing.optional][:most]
        missing = broken or NoData(phrase("yahoo.not-in-batch"), source=SOURCE)
        failed |= all_failed([listing for listing in absent if listing not in worth], missing)
        more, lost = _charts(wire, worth, deadline, {"range": "5d"}, lambda one, chart: quote_of_chart(one, chart, now))
        return ok | more, failed | lost

    def _second_opinions(
        self, wire: Wire, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline
    ) -> tuple[dict[str, Quote], dict[str, MarketDataError]]:
        """Return quotes of sparks, which need neither client nor cookie: nobody waits for either."""
        charts: dict[str, Chart] = {}
        for group in _groups(listings):
            charts |= _spark(wire, group, "5d", deadline)

        def find(one: Listing) -> Quote:
            found = [quote_of_chart(one, charts[name], now) for name in one.yahoo if name in charts]
            newest = max(found, key=lambda quote: quote.as_of or now, default=None)
            if newest is None or any(
                other.as_of == newest.as_of and abs(other.price / newest.price - 1) > TWO_ROWS for other in found
            ):
                raise NoData(phrase("yahoo.not-in-batch"), symbol=one.symbol, source=SOURCE)
            return newest

        return each(listings, find, SOURCE)

    def _prepare(self) -> None:
        """Prepare yfinance at the first need of a cookie and a crumb: importing it takes a second."""
        if not self._ready:
            _prepare(self._folder)
            self._ready = True

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
        """Return closes and total-return closes, a chart each."""
        span = {"period1": _epoch(start), "period2": _epoch(end + dt.timedelta(days=1))}

        def read(one: Listing, chart: Chart) -> History:
            found = history_of(one, chart, now)
            came(found)
            return found

        return self._turns.answer(listings, deadline, lambda wire: _charts(wire, listings, deadline, span, read))

    def closes(
        self,
        listings: Sequence[Listing],
        start: dt.date,
        end: dt.date,
        *,
        now: dt.datetime,
        deadline: Deadline,
        came: Came = unheard,
    ) -> Answer[History]:
        """Return closes alone, twenty symbols a request."""
        spans = ((limit, word) for limit, word in SPANS if (now.date() - start).days < limit)
        span = next((word for _, word in spans), "max")

        def ask(wire: Wire) -> tuple[dict[str, History], dict[str, MarketDataError]]:
            return _sparks(wire, listings, (span, start, end), now, deadline, came)

        return self._turns.answer(listings, deadline, ask)

    def facts(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[FetchedFacts]:
        """Return fund facts, or a share's sector, yield and market value: one quote summary each."""

        def ask(wire: Wire) -> tuple[dict[str, FetchedFacts], dict[str, MarketDataError]]:
            self._prepare()
            return each(listings, lambda one: _facts(wire, one, now, deadline), SOURCE)

        return self._turns.answer(listings, deadline, ask)


def _hear(path: str, response: Any) -> None:  # noqa: ANN401 - curl_cffi's response
    """End yfinance's retries where nothing is to be had."""
    if response.status_code != 404:
        return
    if path.startswith(_SUMMARY_PATH) and response.content.lstrip().startswith(b"{"):
        name = path.rpartition("/")[2]
        raise SymbolUnknown(phrase("source.unknown", source=SOURCE, symbol=name), symbol=name, source=SOURCE)
    if path.startswith(("/v7/finance/quote", _SUMMARY_PATH)):
        raise SchemaChanged(phrase("yahoo.call-gone"), source=SOURCE)


def _start() -> Wire:
    from engine.market.wire import Wire

    return Wire(SOURCE, _hear)


def _prepare(folder: Path) -> None:
    """Import and prepare yfinance: our session, our folder, no log of its own (an address it logs holds the crumb).

    Its caches are opened here, on one thread; it does without one that cannot be opened, or whose folder cannot be
    made. A cookie lets others in as us: nobody else may read it.
    """
    import yfinance
    from yfinance import cache

    logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
    yfinance.config.debug.hide_exceptions = False
    yfinance.set_tz_cache_location(str(folder))
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for kept in (cache.get_tz_cache(), cache.get_cookie_cache(), cache.get_isin_cache()):
        try:
            kept.initialise()
        except Exception as error:  # noqa: BLE001 - whatever the file is like, prices come without it
            _LOG.warning("yfinance's %s cannot be opened (%s)", type(kept).__name__, type(error).__name__)
            kept.dummy = True
    with contextlib.suppress(OSError):
        for file in folder.glob("*.db*"):
            file.chmod(0o600)


def _get_json(wire: Wire, url: str, params: dict[str, str], deadline: Deadline) -> Any:  # noqa: ANN401 - a JSON value
    """Ask through yfinance's cookie and crumb; a failure that may pass is tried once more within the deadline."""
    from yfinance.data import YfData

    from engine.market.wire import classify, twice

    def ask() -> Any:  # noqa: ANN401 - a JSON value
        try:
            response = YfData(session=wire).get(url, params=params, timeout=deadline.left)
            response.raise_for_status()
            return wire.read(response)
        except Exception as error:  # noqa: BLE001 - the edge: every foreign exception becomes one of ours
            raise classify(error, SOURCE) from None

    return twice(ask, deadline)


def _batch(wire: Wire, names: Sequence[str], deadline: Deadline) -> dict[str, list[Mapping[str, Any]]]:
    params = {"symbols": ",".join(names), "formatted": "false"}
    return rows_of(_get_json(wire, _QUOTE_URL, params, deadline), names)


def _facts(wire: Wire, listing: Listing, now: dt.datetime, deadline: Deadline) -> FetchedFacts:
    url = _QUERY + _SUMMARY_PATH
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


def _charts(
    wire: Wire,
    listings: Sequence[Listing],
    deadline: Deadline,
    span: Mapping[str, str],
    read: Callable[[Listing, Chart], T],
) -> tuple[dict[str, T], dict[str, MarketDataError]]:
    """Return what `read` makes of each listing's chart; a few are asked for at once, a refusal ends the rest."""
    return each(listings, lambda one: read(one, _chart(wire, one, deadline, span)), SOURCE, threads=THREADS)


def _chart(wire: Wire, listing: Listing, deadline: Deadline, span: Mapping[str, str]) -> Chart:
    """Return the chart under the first of a listing's names that has closes; raises the error tree."""
    from engine.market.wire import ABSENT

    missing: list[str] = []
    empty: Chart | None = None
    for name in listing.yahoo:
        params = {**span, "interval": "1d", "events": "div,splits,capitalGains"}
        document = wire.json(_CHART_URL + quoted(name), deadline, params=params)
        if document is ABSENT:
            missing.append(name)
            continue
        chart = chart_of(document, listing)
        if chart.closes:
            return chart
        empty = chart
    if empty is not None:
        raise NoData(phrase("yahoo.no-price-then", symbol=listing.symbol), symbol=listing.symbol, source=SOURCE)
    first, *others = missing
    said = phrase("source.unknown", source=SOURCE, symbol=first)
    if others:
        said = phrase("yahoo.unknown-both", one=first, other=others[0])
    raise SymbolUnknown(said, symbol=listing.symbol, source=SOURCE)


def _sparks(
    wire: Wire,
    listings: Sequence[Listing],
    span: tuple[str, dt.date, dt.date],
    now: dt.datetime,
    deadline: Deadline,
    came: Came,
) -> tuple[dict[str, History], dict[str, MarketDataError]]:
    """Return closes alone, twenty names a request, a few requests at once; what an answer lacks is unknown."""
    word, start, end = span
    groups = {group[0].symbol: group for group in _groups(listings)}

    def find(first: Listing) -> dict[str, History]:
        names = {name: one for one in groups[first.symbol] for name in one.yahoo}
        best: dict[str, History] = {}
        for name, chart in _spark(wire, groups[first.symbol], word, deadline).items():
            with contextlib.suppress(MarketDataError):
                found = replace(history_of(names[name], chart, now), source=ROUGH).between(start, end)
                if found.dates and (found.symbol not in best or best[found.symbol].dates[-1] < found.dates[-1]):
                    best[found.symbol] = found
        for found in best.values():
            came(found)
        return best

    answered, refused = each([group[0] for group in groups.values()], find, SOURCE, threads=THREADS)
    ok = {symbol: found for answer in answered.values() for symbol, found in answer.items()}
    failed: dict[str, MarketDataError] = {}
    for first, group in groups.items():
        lost = [one for one in group if one.symbol not in ok]
        for one in lost:
            failed[one.symbol] = SymbolUnknown(phrase("source.unknown", source=SOURCE, symbol=one.symbol))
        failed |= all_failed(lost, refused[first]) if first in refused else {}
    return ok, failed


def _spark(wire: Wire, listings: Sequence[Listing], span: str, deadline: Deadline) -> dict[str, Chart]:
    """Return the charts of closes alone of a group, by name; raises the error tree."""
    from engine.market.wire import ABSENT

    names = {name: one for one in listings for name in one.yahoo}
    document = wire.json(_SPARK_URL, deadline, params={"symbols": ",".join(names), "range": span, "interval": "1d"})
    found = {} if document is ABSENT else sparks_of(document, names)
    return {name: chart for name, chart in found.items() if chart.closes}


def _groups(listings: Sequence[Listing]) -> list[list[Listing]]:
    """Return the listings in groups that have no more names than one request may ask for."""
    groups: list[list[Listing]] = []
    room = 0
    for one in listings:
        if len(one.yahoo) > room:
            groups.append([])
            room = SPARK
        groups[-1].append(one)
        room -= len(one.yahoo)
    return groups


def _epoch(day: dt.date) -> str:
    return str(int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()))


# --- what the answers mean: no network and no clock; shapes as yfinance 1.7.0 reads them ------------------------------
@dataclass(frozen=True, slots=True)
class Chart:
    """A symbol's closes by day, oldest first, total-return closes where every day has one, and its splits."""

    currency: str = ""
    symbol: str = ""
    traded_at: dt.datetime | None = None
    zone: str = ""
    closes: Mapping[dt.date, Decimal] = field(default_factory=dict)
    total: Mapping[dt.date, float] = field(default_factory=dict)
    splits: Mapping[dt.date, Decimal] = field(default_factory=dict)
    kind: str = ""


def chart_of(document: Any, listing: Listing) -> Chart:  # noqa: ANN401 - a JSON value
    """Return what a chart says, day by day: a day of no sound close is left out; raises the error tree."""
    results = decode.objects(decode.part(document, "chart").get("result"))
    meta = decode.part(results[0], "meta") if results else {}
    if not meta:
        error = decode.part(document, "chart", "error")
        if decode.text(error.get("code")) == "Not Found":
            said = phrase("source.unknown", source=SOURCE, symbol=listing.symbol)
            raise SymbolUnknown(said, symbol=listing.symbol, source=SOURCE)
        said = phrase("yahoo.no-data-page", symbol=listing.symbol)
        raise SchemaChanged(said, symbol=listing.symbol, source=SOURCE)
    return _series(results[0], meta, listing)


def sparks_of(document: Any, names: Mapping[str, Listing]) -> dict[str, Chart]:  # noqa: ANN401 - a JSON value
    """Return the closes that a spark says, by the name asked for; in the shape of its seventh version or its eighth.

    What it does not know it leaves out; raises SchemaChanged where it is no spark at all.
    """
    if not isinstance(document, Mapping) or not (not document or "spark" in document or document.keys() & names):
        raise SchemaChanged(phrase("yahoo.no-data-page", symbol="spark"), source=SOURCE)
    found: dict[str, Chart] = {}
    for row in decode.objects(decode.part(document, "spark").get("result")):
        name, answers = decode.text(row.get("symbol")), decode.objects(row.get("response"))
        if name in names and answers:
            found[name] = _series(answers[0], decode.part(answers[0], "meta"), names[name])
    for name in names:
        row = decode.part(document, name)
        if row:
            flat = {"timestamp": row.get("timestamp"), "indicators": {"quote": [{"close": row.get("close")}]}}
            found[name] = _series(flat, {"symbol": name}, names[name])
    return found


def _series(result: Mapping[str, Any], meta: Mapping[str, Any], listing: Listing) -> Chart:
    zone = _zone(meta) or _ZONES.get(listing.market, "UTC")
    here = ZoneInfo(zone)
    indicators = decode.part(result, "indicators")
    days = [moment and moment.astimezone(here).date() for moment in map(decode.moment, _list(result.get("timestamp")))]
    closes = _by_day(days, indicators.get("quote"), "close")
    total = _by_day(days, indicators.get("adjclose"), "adjclose")
    splits = {}
    for row in decode.part(result, "events", "splits").values():
        at = decode.moment(decode.part({"row": row}, "row").get("date"))
        new, old = (decode.price(decode.part({"row": row}, "row").get(key)) for key in ("numerator", "denominator"))
        if at and new and old:
            splits[at.astimezone(here).date()] = new / old
    return Chart(
        currency=decode.text(meta.get("currency")),
        symbol=decode.text(meta.get("symbol")),
        traded_at=decode.moment(meta.get("regularMarketTime")),
        zone=zone,
        closes=closes,
        total={day: float(value) for day, value in total.items()} if closes.keys() <= total.keys() else {},
        splits=splits,
        kind=KINDS.get(decode.text(meta.get("instrumentType")), ""),
    )


def _by_day(days: Sequence[dt.date | None], columns: Any, key: str) -> dict[dt.date, Decimal]:  # noqa: ANN401
    """Return the sound values of a column by day, oldest first; of two for one day, the later one."""
    values = _list(decode.objects(columns)[0].get(key)) if decode.objects(columns) else []
    found = {}
    for day, value in zip(days, values, strict=False):
        close = decode.price(value)
        if day is not None and close is not None:
            found[day] = round(close, CHART_DIGITS) if close >= 1 else close
    return dict(sorted(found.items()))


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - a JSON value
    return value if isinstance(value, list) else []


def rows_of(document: Any, names: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:  # noqa: ANN401 - a JSON value
    """Return the rows of a batch quote by the name asked for; raises SchemaChanged where it is no batch quote.

    Yahoo leaves out what it does not know; a row under a name that nobody asked for is left out too.
    """
    result = decode.part(document, "quoteResponse").get("result")
    rows = decode.objects(result)
    if not isinstance(result, list) or (result and not rows):
        raise SchemaChanged(phrase("yahoo.quotes-shape"), source=SOURCE)
    return decode.keyed(rows, "symbol", names)


def only_row(found: Sequence[Mapping[str, Any]], listing: Listing) -> Mapping[str, Any]:
    """Return the row traded last: a share that changed exchange is still listed, with an old price, under the first.

    Raises SchemaChanged where two of one day tell different prices: which is right is not guessed.
    """
    sound = [row for row in found if decode.price(row.get("regularMarketPrice")) is not None] or list(found)
    newest = max(sound, key=_traded)
    for row in sound:
        one, other = decode.price(newest.get("regularMarketPrice")), decode.price(row.get("regularMarketPrice"))
        if one and other and abs(one - other) / one > TWO_ROWS and _traded(newest) - _traded(row) < SAME_DAY:
            said = phrase("source.two-rows", source=SOURCE, symbol=listing.symbol, one=one, other=other)
            raise SchemaChanged(said, symbol=listing.symbol, source=SOURCE)
    return newest


def _traded(row: Mapping[str, Any]) -> float:
    moment = decode.moment(row.get("regularMarketTime"))
    return moment.timestamp() if moment else 0.0


def quote_of_row(row: Mapping[str, Any], listing: Listing, now: dt.datetime) -> Quote:
    """Return the quote of a row: the regular session's last price; raises NoData, or SchemaChanged for its currency."""
    price = decode.price(row.get("regularMarketPrice"))
    traded = decode.moment(row.get("regularMarketTime"))
    if price is None or traded is None:
        said = phrase("source.no-price", source=SOURCE, symbol=listing.symbol)
        raise NoData(said, symbol=listing.symbol, source=SOURCE)
    currency, unit = agreed_currency(listing, decode.text(row.get("currency")))
    previous = decode.price(row.get("regularMarketPreviousClose"))
    listed = decode.number(row.get("firstTradeDateMilliseconds"))
    first = None if listed is None else decode.moment(float(listed) / 1000)
    return Quote(
        symbol=listing.symbol,
        price=price * unit,
        currency=currency,
        as_of=traded,
        source=SOURCE,
        session=_SESSIONS.get(decode.text(row.get("marketState")), "closed"),
        delay_seconds=decode.delay(row.get("exchangeDataDelayedBy")),
        fetched_at=now,
        name=listing.name or decode.text(row.get("longName")) or decode.text(row.get("shortName")),
        previous=previous and previous * unit,
        kind=KINDS.get(decode.text(row.get("quoteType")), ""),
        listed=first and first.astimezone(ZoneInfo(_ZONES.get(listing.market, "UTC"))).date(),
    )


def agreed_currency(listing: Listing, said: str) -> tuple[str, Decimal]:
    """Return the price's currency, and how much of it one unit of the price is (GBp: 0.01 pounds).

    Raises SchemaChanged where it is not the listing's, or not one that is known.
    """
    if not said and listing.currency:
        return listing.currency, Decimal(1)
    currency, unit = major(said)
    if currency != (listing.currency or currency) or currency not in MINOR_DIGITS:
        message = phrase(
            "yahoo.other-currency",
            symbol=listing.symbol,
            said=said or phrase("yahoo.no-currency"),
            wanted=listing.currency or phrase("yahoo.known-currency"),
        )
        raise SchemaChanged(message, symbol=listing.symbol, source=SOURCE)
    return currency, unit


def quote_of_chart(listing: Listing, said: Chart, now: dt.datetime) -> Quote:
    """Return the last daily close as a quote, traded when the chart says, else at that day's regular close."""
    *before, day = said.closes
    if said.symbol and said.symbol not in listing.yahoo:
        renamed = phrase("yahoo.renamed", symbol=listing.symbol, now=said.symbol)
        raise SymbolUnknown(renamed, symbol=listing.symbol, source=SOURCE)
    zone = ZoneInfo(said.zone)
    traded = said.traded_at
    if traded is None or traded.astimezone(zone).date() != day:
        closing = REGULAR[listing.market].close if listing.market in REGULAR else dt.time(23, 59)
        traded = dt.datetime.combine(day, closing, zone)
    currency, unit = agreed_currency(listing, said.currency)
    found = Quote(
        symbol=listing.symbol,
        price=Decimal(f"{(said.closes[day] * unit).normalize():f}"),
        currency=currency,
        as_of=traded.astimezone(dt.UTC),
        source=SOURCE,
        delay_seconds=_DELAYS.get(listing.market, 0),
        fetched_at=now,
        name=listing.name,
        previous=said.closes[before[-1]] * unit if before else None,
        kind=said.kind,
    )
    return replace(found, split=recent(said.splits, found))


def history_of(listing: Listing, said: Chart, now: dt.datetime) -> History:
    """Return a chart's closes, with the total-return closes where every day has one."""
    currency, unit = agreed_currency(listing, said.currency)
    return History(
        symbol=listing.symbol,
        currency=currency,
        source=SOURCE,
        fetched_at=now,
        dates=tuple(said.closes),
        closes=tuple(close * unit for close in said.closes.values()),
        total_return=tuple(said.total[day] for day in said.closes) if said.total else None,
        splits=said.splits,
    )


def facts_of(document: Any, listing: Listing, now: dt.datetime) -> FetchedFacts:  # noqa: ANN401 - a JSON value
    """Return what a quote summary says; raises NoData where it says nothing."""
    results = decode.objects(decode.part(document, "quoteSummary").get("result"))
    if not results:
        raise _no_facts(listing)
    result = results[0]
    detail, price = decode.part(result, "summaryDetail"), decode.part(result, "price")
    fund, holdings = decode.part(result, "fundProfile"), decode.part(result, "topHoldings")
    weights, lines = decode.objects(holdings.get("sectorWeightings")), decode.objects(holdings.get("holdings"))
    number, text = decode.number, decode.text
    return FetchedFacts(
        symbol=listing.symbol,
        source=SOURCE,
        fetched_at=now,
        name=listing.name or text(price.get("longName")) or text(price.get("shortName")),
        currency=text(detail.get("currency")) or text(price.get("currency")) or listing.currency or "",
        fee=number(decode.part(fund, "feesExpensesInvestment").get("annualReportExpenseRatio")),
        aum=number(detail.get("totalAssets")),
        top=tuple(_holding(line) for line in lines),
        sectors={
            text(key): weight for row in weights for key, raw in row.items() if (weight := number(raw)) is not None
        },
        dividend_yield=number(detail.get("yield")) or number(detail.get("dividendYield")),
        sector=text(decode.part(result, "assetProfile").get("sector")) or None,
        market_cap=number(detail.get("marketCap")) or number(price.get("marketCap")),
    )


def _holding(line: Mapping[str, Any]) -> FetchedHolding:
    symbol, name = decode.text(line.get("symbol")), decode.text(line.get("holdingName"))
    return FetchedHolding(symbol, name, decode.number(line.get("holdingPercent")))


def _zone(meta: Mapping[str, Any]) -> str:
    name = decode.text(meta.get("exchangeTimezoneName"))
    try:
        ZoneInfo(name)
    except (ValueError, OSError):
        return ""
    return name
