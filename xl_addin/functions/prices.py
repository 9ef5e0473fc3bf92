"""Prices and rates: from the quote store, where one miss makes one batch of everything in use.

A cell knows its own ticker alone, and one batch is to serve them all: a host passes the calling sheet from its cell
A1, the values of its cells and, right of them, in as many columns, their formulas. Tickers are read where a formula
names them as text, by one cell of the same sheet, or by a column of its own table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from engine.errors import InputError, Problem, warning
from engine.market.catalogue import pair
from engine.phrase import place
from engine.quote import Quote
from rebalancer.quoting import listed, name_of, quoted, quotes, watch
from templates.cells import Cell, Grid
from templates.spec.results import price_status
from xl_addin.functions import journal
from xl_addin.functions.cells import (
    NA,
    Answer,
    Rows,
    Shown,
    bad_argument,
    grid,
    rows_of,
    sheets,
    shown,
    text_of,
    ticker_of,
    tickers_of,
)
from xl_addin.functions.declaring import Argument, declared

FIELDS = ("price", "currency", "asof", "source", "status", "name")
TICKER = Argument("ticker", "cell", '"069500"', optional=False)
#: The first argument of a price function: a text, a column of the same row of a table, or a cell. LibreOffice may write
#: REBAL.PRICE.
_CALL = re.compile(
    r"""REBAL[_.](?:PRICE|FX)\(\s*
        (?:"(?P<text>[^"]*)"
          |\w*\[\[\#This\ Row\],\s*\[(?P<column>[^\]]+)\]\]
          |\w*\[@\[?(?P<short>[^\]]+)\]?\]
          |\$?(?P<letters>[A-Z]{1,3})\$?(?P<row>\d{1,7}))
        \s*[,;)]""",
    re.IGNORECASE | re.VERBOSE,
)


@declared("REBAL_PRICE", TICKER, Argument("field", "cell", '"status"'), example='=REBAL_PRICE("069500")', near=True)
def price(ticker: object, field: object, near: object = None) -> Answer:
    """Return a field of one instrument's quote; `near` is its sheet, for one batch to serve all its cells."""
    name = text_of("field", field).lower() or "price"
    if name not in FIELDS:
        raise bad_argument("choice", "field", value=name, choices=FIELDS)
    _watch(near)
    symbol = ticker_of("ticker", ticker)
    if name == "name" and (known := listed(symbol).name):
        return known  # which needs no price
    quote = quoted(symbol, interactive=True)
    _tell(price.name, quote)
    return _fields(quote)[name]


@declared(
    "REBAL_PRICES",
    Argument("tickers", "list", "Holdings[Ticker]"),
    columns=("Ticker", "Name", "Price", "Currency", "AsOf", "Source", "Status"),
    sheets=("Holdings", "Targets"),
    example="=REBAL_PRICES(Holdings[Ticker])",
)
def prices(tickers: object, tables: object) -> Answer:
    """Return a row per ticker; one without a price shows #N/A, and its cause is in the journal."""
    wanted = _wanted(tickers, tables)
    batch = quotes(wanted, interactive=True)
    for symbol, error in batch.failed.items():
        journal.failed(prices.name, symbol, error.listed())
    rows: list[Mapping[str, object]] = []
    for symbol in wanted:
        quote = batch.ok.get(symbol)
        if quote is None:
            rows.append({"Ticker": symbol, "Name": name_of(symbol), "Price": NA, "Status": "missing"})
            continue
        _tell(prices.name, quote)
        found = _fields(quote)
        rows.append({"Ticker": quote.symbol, "Name": found["name"], "Price": found["price"],
                     "Currency": found["currency"], "AsOf": found["asof"], "Source": found["source"],
                     "Status": found["status"]})  # fmt: skip
    return prices.table(rows)


@declared("REBAL_FX", Argument("pair", "cell", '"USDKRW"', optional=False), example='=REBAL_FX("USDKRW")', near=True)
def rate(given: object, near: object = None) -> Answer:
    """Return units of the second currency per unit of the first; `near` as for a price."""
    text = text_of("pair", given).upper().replace("/", "").replace(" ", "")
    if pair(text) is None:
        raise bad_argument("pair", "pair", value=text)
    _watch(near)
    quote = quoted(text, interactive=True)
    _tell(rate.name, quote)
    return shown(quote.price)


def _tell(function: str, quote: Quote) -> None:
    """Keep for the Checks sheet what speaks against a price, and of a rate, whose cell has no status, its age too."""
    if quote.doubt is not None:
        told = [warning("doubtful", place("price", symbol=quote.symbol), doubt=quote.doubt)]
    elif quote.stale_reason is not None and pair(quote.symbol):
        told = [Problem("warning", "stale", place("price", symbol=quote.symbol), quote.stale_reason)]
    else:
        journal.answered(function, quote.symbol)
        return
    journal.failed(function, quote.symbol, told)


def _fields(quote: Quote) -> dict[str, Shown]:
    return {
        "price": shown(quote.price),
        "currency": quote.currency,
        "asof": shown(quote.as_of),
        "source": quote.source,
        "status": "doubtful" if quote.doubt else price_status(quote.source, stale=quote.stale),
        "name": quote.name or name_of(quote.symbol),
    }


def _wanted(tickers: object, tables: object) -> tuple[str, ...]:
    """Return the tickers of a range, of the tables in it, or of the workbook's holdings and targets."""
    rows = rows_of(tickers)
    if rows is None and rows_of(tables) is None and not isinstance(tables, dict):
        raise bad_argument("no-tickers", "tickers")
    named = of_tables([grid("tickers", rows)] if rows is not None else sheets(tables))
    if named or rows is None:
        return named
    return tickers_of("tickers", tickers)


def of_tables(grids: Sequence[Grid]) -> tuple[str, ...]:
    """Return what the tables of holdings and targets in these sheets name; raises InputError for a bad row."""
    from templates.read.document import DocumentData  # the tables' own knowledge, which one price does without
    from templates.read.tables import find_tables

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


def _watch(near: object) -> None:
    """Let the next batch bring what the cells nearby ask for too."""
    if rows_of(near) is not None:
        watch(tickers_near(near))


def tickers_near(near: object) -> tuple[str, ...]:
    """Return the tickers and pairs that the price functions of the sheet, or sheets by title, ask for."""
    given = near.values() if isinstance(near, Mapping) else (near,)
    passed = (rows for one in given if (rows := rows_of(one)) is not None)
    return tuple(dict.fromkeys(text for rows in passed for text in _asked(rows)))


def _asked(rows: Rows) -> Iterator[str]:
    width = max(map(len, rows), default=0) // 2
    values = [row[:width] for row in rows]
    for number, row in enumerate(rows):
        for formula in row[width:]:
            for call in _CALL.finditer(formula) if isinstance(formula, str) and formula.startswith("=") else ():
                value = _named(values, number, call)
                if isinstance(value, str) and value.strip():
                    yield value.strip()


def _named(values: Sequence[Sequence[Cell]], number: int, call: re.Match[str]) -> Cell:
    """Return what a call's argument holds, None where that cannot be told."""
    if call["text"] is not None:
        return call["text"]
    header = call["column"] or call["short"]
    if header is not None:
        return _beside(values, number, header)
    return _at(values, int(call["row"]) - 1, _column(call["letters"]))


def _beside(values: Sequence[Sequence[Cell]], number: int, header: str) -> Cell:
    """Return the value of the same row in the column that the nearest header above it names."""
    for row in reversed(values[:number]):
        if header in row:
            return _at(values, number, row.index(header))
    return None


def _at(values: Sequence[Sequence[Cell]], row: int, column: int) -> Cell:
    return values[row][column] if row < len(values) and column < len(values[row]) else None


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
