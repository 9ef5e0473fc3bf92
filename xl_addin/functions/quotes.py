"""Prices, rates and closes: from the quote store, where one miss makes one batch of everything in use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from engine.errors import InputError, NoData
from engine.market import chain
from engine.market.catalogue import load
from engine.market.quoting import QuoteBatch
from engine.market.symbols import pair, usual_pair
from engine.quote import Quote
from templates.cells import Grid
from templates.read.document import DocumentData
from templates.read.tables import find_tables
from templates.spec.results import price_status
from xl_addin.functions import journal
from xl_addin.functions.answers import Answer, Shown, shown, table
from xl_addin.functions.cells import bad_argument, day_of, grid, rows_of, sheets, text_of, ticker_of, tickers_of
from xl_addin.functions.near import tickers_near
from xl_addin.functions.plans import today
from xl_addin.functions.registry import NA
from xl_addin.show.problems import problems_of

FIELDS = ("price", "currency", "asof", "source", "status", "name")


def price(ticker: object, field: object, near: object = None) -> Answer:
    """Return a field of one instrument's quote; `near` is its sheet, for one batch to serve all its cells."""
    name = text_of("field", field).lower() or "price"
    if name not in FIELDS:
        message = f"{name!r:.40} is none of {', '.join(FIELDS)}: write one of them"
        raise bad_argument("field", message, f"값 {name!r:.40}: {', '.join(FIELDS)} 중에서 적으세요")
    _watch(near)
    symbol = ticker_of("ticker", ticker)
    if name == "name" and (known := chain.default().chain.listing(symbol).name):
        return known  # which needs no price
    return _fields(_one(symbol))[name]


def prices(tickers: object, tables: object) -> Answer:
    """Return a row per ticker; one without a price shows #N/A, and its cause is in the journal."""
    wanted = _wanted(tickers, tables)
    batch = _batch(wanted)
    for symbol, error in batch.failed.items():
        journal.failed("REBAL_PRICES", symbol, problems_of(error))
    rows: list[Mapping[str, object]] = []
    for symbol in wanted:
        quote = batch.ok.get(symbol)
        if quote is None:
            entry = load().entry(symbol)
            rows.append({"Ticker": symbol, "Name": entry.instrument.name if entry else None, "Price": NA,
                         "Status": "missing"})  # fmt: skip
            continue
        journal.answered("REBAL_PRICES", symbol)
        found = _fields(quote)
        rows.append({"Ticker": quote.symbol, "Name": found["name"], "Price": found["price"],
                     "Currency": found["currency"], "AsOf": found["asof"], "Source": found["source"],
                     "Status": found["status"]})  # fmt: skip
    return table("REBAL_PRICES", rows)


def rate(given: object, near: object = None) -> Answer:
    """Return units of the second currency per unit of the first; `near` as for a price."""
    text = text_of("pair", given).upper().replace("/", "").replace(" ", "")
    currencies = pair(text)
    if currencies is None:
        message = f"{text!r:.40} is not a pair of two currencies: write one, such as USDKRW"
        raise bad_argument("pair", message, f"값 {text!r:.40}: 두 통화를 USDKRW처럼 적으세요")
    _watch(near)
    usual = usual_pair(*currencies)
    found = _one(usual).price
    return shown(found if usual == text else 1 / found)


def history(ticker: object, start: object, end: object) -> Answer:
    """Return daily closes from one day to another, both included."""
    from engine.text import FIRST_CLOSE

    symbol = ticker_of("ticker", ticker)
    first, last = day_of("from", start, FIRST_CLOSE), day_of("to", end, FIRST_CLOSE) or today()
    if first is None:
        message = "no first day: write one, such as 2026-07-01"
        raise bad_argument("from", message, "첫날 없음: 2026-07-01처럼 적으세요")
    if first > last:
        message = f"{first} is after {last}: write an earlier day"
        raise bad_argument("from", message, f"{first}: {last}보다 뒤입니다. 더 이른 날을 적으세요")
    batch = chain.history([symbol], first, last, wait=chain.default().settings.interactive_deadline)
    if symbol in batch.failed:
        raise batch.failed[symbol]
    found = batch.ok[symbol]
    if not found.dates:
        message, ko = f"{symbol} has no close from {first} to {last}", f"{first}부터 {last}까지 {symbol} 종가 없음"
        raise NoData(message, ko=ko, symbol=symbol, source=found.source)
    rows = zip(found.dates, found.closes, strict=True)
    return table("REBAL_HISTORY", ({"Date": day, "Close": close} for day, close in rows))


def _watch(near: object) -> None:
    """Let the next batch bring what the cells nearby ask for too."""
    if rows_of(near) is not None:
        chain.default().chain.watch(tickers_near(near), dt.datetime.now(dt.UTC))


def _batch(symbols: Sequence[str]) -> QuoteBatch:
    market = chain.default()
    return market.chain.quotes(symbols, deadline=market.settings.interactive_deadline)


def _one(symbol: str) -> Quote:
    batch = _batch([symbol])
    if symbol in batch.failed:
        raise batch.failed[symbol]
    return batch.ok[symbol]


def _fields(quote: Quote) -> dict[str, Shown]:
    entry = load().get(quote.symbol)
    return {
        "price": shown(quote.price),
        "currency": quote.currency,
        "asof": shown(quote.as_of),
        "source": quote.source,
        "status": price_status(quote.source, stale=quote.stale),
        "name": quote.name or (entry.instrument.name if entry else None),
    }


def _wanted(tickers: object, tables: object) -> tuple[str, ...]:
    """Return the tickers of a range, of the tables in it, or of the workbook's holdings and targets."""
    rows = rows_of(tickers)
    if rows is None and rows_of(tables) is None and not isinstance(tables, dict):
        message = "no tickers: name cells that hold some"
        raise bad_argument("tickers", message, "종목코드 없음: 종목코드가 있는 셀을 지정하세요")
    named = of_tables([grid("tickers", rows)] if rows is not None else sheets(tables))
    if named or rows is None:
        return named
    return tickers_of("tickers", tickers)


def of_tables(grids: Sequence[Grid]) -> tuple[str, ...]:
    """Return what the tables of holdings and targets in these sheets name; raises InputError for a bad row."""
    found, problems = find_tables(grids)
    document = DocumentData(
        {name: place for name, place in found.items() if name in ("Holdings", "Targets")}, "tickers"
    )
    problems.extend(problem for problem in document.problems if "Ticker" in str(problem.where))
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    rows = [*document.rows("Targets"), *document.rows("Holdings")]
    texts = (str(row.values["Ticker"]) for row in rows if row.values.get("Ticker"))
    return tuple(dict.fromkeys(ticker_of("tickers", text) for text in texts))
