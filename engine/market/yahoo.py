"""Yahoo through yfinance: one batch of quotes, its `download` for what the batch lacks, history, and facts.

The batch quote is a call that yfinance uses itself but does not promise: its version is pinned, and a contract test
replays it. yfinance's own caches live in our cache folder.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from engine.errors import (
    Blocked,
    MarketDataError,
    NoData,
    RateLimited,
    SchemaChanged,
    SymbolUnknown,
    Transient,
)
from engine.market import yahoo_reading as reading
from engine.market.listing import Listing
from engine.market.provider import Answer, Deadline, all_failed, each
from engine.market.records import FundFacts, History
from engine.quote import Quote

if TYPE_CHECKING:
    from engine.market.wire import Wire

_QUOTE_URL = "https://query1.finance.yahoo.com/v7/finance/quote"
_CHART_PATH = "/v8/finance/chart/"
_SUMMARY_PATH = "/v10/finance/quoteSummary/"
#: Symbols of one quote request; far below what the address line holds.
BATCH = 100
#: Symbols that `download` is asked for after a batch that came without them: it costs two requests each.
FALLBACK = 8
#: The same where the batch quote itself no longer works.
FALLBACK_ALL = 60


class Yahoo:
    """Ask Yahoo. One batch at a time; a second waits. `folder` is where yfinance keeps cookies and time zones."""

    name = vendor = "yahoo"
    network = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._charts: dict[str, reading.Chart] = {}

    @contextlib.contextmanager
    def _session(self, deadline: Deadline) -> Iterator[Wire]:
        if deadline.left == 0 or not self._lock.acquire(timeout=deadline.left):
            raise deadline.spent(self.name)
        try:
            if self._wire is None:
                self._wire = _start(self._folder, self._hear)
            self._wire.begin(deadline)
            yield self._wire
        finally:
            self._lock.release()

    def _hear(self, path: str, response: Any) -> None:  # noqa: ANN401 - curl_cffi's response
        """Keep what a chart says besides its closes, and end yfinance's retries where nothing is to be had."""
        name = unquote(path.rpartition("/")[2])
        if path.startswith(_CHART_PATH):
            self._charts[name] = reading.chart(response)
        if response.status_code == 404:
            if path.startswith((_CHART_PATH, _SUMMARY_PATH)):
                message, ko = f"yahoo does not know {name}", f"yahoo에 없는 종목 {name}"
                raise SymbolUnknown(message, ko=ko, symbol=name, source=self.name)
            message, ko = (
                "yahoo no longer answers this call (HTTP 404)",
                "yahoo가 더는 이 요청에 응답하지 않습니다 (HTTP 404)",
            )
            raise SchemaChanged(message, ko=ko, source=self.name)

    def quotes(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[Quote]:
        """Return quotes: one request a hundred symbols, then `download` for a few that the batch lacks."""
        try:
            with self._session(deadline) as wire:
                ok, failed = self._quotes(wire, listings, now, deadline)
                return Answer(ok, failed, wire.count, skew=wire.skew)
        except MarketDataError as error:
            return Answer({}, all_failed(listings, error), self._wire.count if self._wire else 0)

    def _quotes(
        self, wire: Wire, listings: Sequence[Listing], now: dt.datetime, deadline: Deadline
    ) -> tuple[dict[str, Quote], dict[str, MarketDataError]]:
        names = [name for listing in listings for name in listing.yahoo]
        rows: dict[str, dict[str, Any]] = {}
        broken: MarketDataError | None = None
        for start in range(0, len(names), BATCH):
            try:
                rows.update(self._batch(wire, names[start : start + BATCH], deadline))
            except MarketDataError as error:
                broken = error
                break
        ok: dict[str, Quote] = {}
        failed: dict[str, MarketDataError] = {}
        absent: list[Listing] = []
        for listing in listings:
            row = reading.newest([rows[name] for name in listing.yahoo if name in rows])
            if row is None:
                absent.append(listing)
                continue
            try:
                ok[listing.symbol] = reading.quote(row, listing, now)
            except MarketDataError as error:
                failed[listing.symbol] = error
        # The charts that `download` reads need neither crumb nor batch quote, but the same servers, and patience.
        most = FALLBACK if broken is None else FALLBACK_ALL
        if isinstance(broken, (Transient, RateLimited, Blocked)):
            most = 0
        worth = [listing for listing in absent if not listing.optional][:most]
        missing = broken or NoData("yahoo's batch came without it", ko="yahoo 응답에 없음", source=self.name)
        failed.update(all_failed([listing for listing in absent if listing not in worth], missing))
        absent = worth
        if absent:
            more, lost = self._download(wire, absent, broken, now, deadline)
            ok.update(more)
            failed.update(lost)
        return ok, failed

    def _batch(self, wire: Wire, names: Sequence[str], deadline: Deadline) -> dict[str, dict[str, Any]]:
        params = {"symbols": ",".join(names), "formatted": "false"}
        return reading.rows(_get_json(wire, _QUOTE_URL, params, deadline), names)

    def _download(
        self,
        wire: Wire,
        listings: Sequence[Listing],
        broken: MarketDataError | None,
        now: dt.datetime,
        deadline: Deadline,
    ) -> tuple[dict[str, Quote], dict[str, MarketDataError]]:
        frame = _download(wire, [name for one in listings for name in one.yahoo], deadline, period="5d")
        ok: dict[str, Quote] = {}
        failed: dict[str, MarketDataError] = {}
        for listing in listings:
            series = [(name, reading.closes(frame, name)) for name in listing.yahoo]
            name, closes = next(((n, c) for n, c in series if c), (listing.yahoo[0], []))
            try:
                if not closes:
                    raise self._why_empty(wire, listing, deadline, broken)
                ok[listing.symbol] = reading.quote_of_close(listing, closes[-1], self._charts.get(name), now)
            except MarketDataError as error:
                failed[listing.symbol] = error
        return ok, failed

    def _why_empty(
        self, wire: Wire, listing: Listing, deadline: Deadline, broken: MarketDataError | None = None
    ) -> MarketDataError:
        statuses = [chart.status for name in listing.yahoo if (chart := self._charts.get(name))]
        symbol, source = listing.symbol, self.name
        if statuses == [404] * len(listing.yahoo):
            message, ko = (
                f"yahoo does not know {' or '.join(listing.yahoo)}",
                f"yahoo에 없는 종목 {', '.join(listing.yahoo)}",
            )
            return SymbolUnknown(message, ko=ko, symbol=symbol, source=source)
        if wire.refusal is not None and not isinstance(wire.refusal, SymbolUnknown):
            return wire.refusal
        if reading.NOT_JSON in statuses:
            message = f"yahoo answered for {symbol} with a page that is not data"
            return SchemaChanged(message, ko=f"yahoo의 {symbol} 응답이 데이터가 아닙니다", symbol=symbol, source=source)
        if 200 in statuses:
            message = f"yahoo has no price of {symbol} in those days"
            return NoData(message, ko=f"yahoo에 그 기간의 {symbol} 시세 없음", symbol=symbol, source=source)
        if deadline.left == 0:
            return deadline.spent(self.name)
        message, ko = f"yahoo: nothing came for {symbol}", f"yahoo: {symbol} 응답 없음"
        return broken or Transient(message, ko=ko, symbol=symbol, source=source)

    def history(
        self, listings: Sequence[Listing], start: dt.date, end: dt.date, *, now: dt.datetime, deadline: Deadline
    ) -> Answer[History]:
        """Return closes and total-return closes through `yfinance.download`."""
        ok: dict[str, History] = {}
        failed: dict[str, MarketDataError] = {}
        try:
            with self._session(deadline) as wire:
                names = [name for listing in listings for name in listing.yahoo]
                after = end + dt.timedelta(days=1)  # download's end is exclusive
                frame = _download(wire, names, deadline, start=start.isoformat(), end=after.isoformat())
                for listing in listings:
                    name = next((name for name in listing.yahoo if reading.closes(frame, name)), None)
                    try:
                        if name is None:
                            raise self._why_empty(wire, listing, deadline)
                        ok[listing.symbol] = reading.history(frame, name, listing, self._charts.get(name), now)
                    except MarketDataError as error:
                        failed[listing.symbol] = error
                return Answer(ok, failed, wire.count, skew=wire.skew)
        except MarketDataError as error:
            return Answer({}, all_failed(listings, error), self._wire.count if self._wire else 0)

    def facts(self, listings: Sequence[Listing], *, now: dt.datetime, deadline: Deadline) -> Answer[FundFacts]:
        """Return fund facts, or a share's sector, yield and market value: one quote summary each."""
        try:
            with self._session(deadline) as wire:
                ok, failed = each(listings, lambda one: self._facts(wire, one, now, deadline))
                return Answer(ok, failed, wire.count, skew=wire.skew)
        except MarketDataError as error:
            return Answer({}, all_failed(listings, error), self._wire.count if self._wire else 0)

    def _facts(self, wire: Wire, listing: Listing, now: dt.datetime, deadline: Deadline) -> FundFacts:
        url = "https://query2.finance.yahoo.com" + _SUMMARY_PATH
        unknown: MarketDataError | None = None
        for name in listing.yahoo:
            params = {"modules": ",".join(reading.FACT_MODULES), "formatted": "false"}
            try:
                return reading.facts(_get_json(wire, url + name, params, deadline), listing, now)
            except SymbolUnknown as error:
                unknown = error
        message, ko = f"yahoo has no facts of {listing.symbol}", f"yahoo에 {listing.symbol} 정보 없음"
        raise unknown or NoData(message, ko=ko, symbol=listing.symbol, source=self.name)


def _start(folder: Path, hear: Callable[[str, Any], None]) -> Wire:
    """Import and prepare yfinance: our session, our folder, no log of its own (an address it logs holds the crumb)."""
    import yfinance

    from engine.market.wire import Wire

    logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
    yfinance.config.debug.hide_exceptions = False
    folder.mkdir(parents=True, exist_ok=True)
    yfinance.set_tz_cache_location(str(folder))
    return Wire("yahoo", hear)


def _get_json(wire: Wire, url: str, params: dict[str, str], deadline: Deadline) -> Any:  # noqa: ANN401 - a JSON value
    """Ask through yfinance's cookie and crumb; a failure that may pass is tried once more within the deadline."""
    from yfinance.data import YfData

    from engine.market.wire import classify, twice

    def ask() -> Any:  # noqa: ANN401 - a JSON value
        try:
            return YfData(session=wire).get_raw_json(url, params=params, timeout=deadline.left)
        except Exception as error:  # noqa: BLE001 - the edge: every foreign exception becomes one of ours
            raise classify(error, "yahoo") from None

    return twice(ask, deadline)


def _download(wire: Wire, names: Sequence[str], deadline: Deadline, **span: str) -> Any:  # noqa: ANN401 - a DataFrame
    import yfinance

    from engine.market.wire import classify

    try:
        return yfinance.download(
            list(names),
            interval="1d",
            auto_adjust=False,
            progress=False,
            threads=min(len(names), 8),
            session=wire,
            timeout=deadline.left,
            **span,
        )
    except Exception as error:  # noqa: BLE001 - the edge: every foreign exception becomes one of ours
        raise classify(error, "yahoo") from None
