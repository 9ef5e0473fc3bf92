"""Prices from a person's CSV file: symbol, price, currency, as_of; pairs such as USDKRW are exchange rates.

Nothing is guessed: a currency comes from the file, the catalogue or the shape of the code, or its lack is a problem.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zoneinfo
from collections.abc import Sequence
from decimal import Decimal

from engine.errors import Problem, Severity
from engine.market import catalogue, symbols
from engine.market.quote import Quote
from engine.money import MINOR_DIGITS
from engine.text import EncodingError, decode, fits, nearest, plain_number, read_number, repaired_date, repaired_number

COLUMNS = ("symbol", "price", "currency", "as_of")
MAX_BYTES = 20_000_000
#: When a market's regular session ends, by its own clock: a date without a time means this moment.
CLOSES = {
    "KR": (dt.time(15, 30), "Asia/Seoul"),
    "US": (dt.time(16, 0), "America/New_York"),
}


def parse_prices(text: str | bytes, source: str) -> tuple[dict[str, Quote], tuple[Problem, ...]]:
    """Return the quote of each symbol (and pair), and every problem with its row and column.

    Rows count from 1, the header included, as a spreadsheet shows them. A row with an error gives no quote.
    """
    reader = _Reader(source)
    if isinstance(text, bytes):
        text = reader.decode(text)
    reader.read(text.removeprefix("\ufeff"))
    return reader.quotes, tuple(reader.problems)


class _Reader:
    """Read one file, remembering where each symbol was."""

    def __init__(self, source: str) -> None:
        self.quotes: dict[str, Quote] = {}
        self.problems: list[Problem] = []
        self._source = source
        self._rows: dict[str, int] = {}
        self._columns: dict[str, int] = {}
        self._width = 0
        self._row = 1

    def _add(self, severity: Severity, column: str, code: str, message: str) -> None:
        where = f"{self._source} row {self._row}" + (f", column {column}" if column else "")
        self.problems.append(Problem(severity, code, where, message))

    def decode(self, raw: bytes) -> str:
        try:
            return decode(raw)
        except EncodingError as error:
            self._row = error.line
            self._add("error", "", "encoding", str(error))
            return ""

    def read(self, text: str) -> None:
        if self.problems:
            return
        if len(text) > MAX_BYTES:
            self._add("error", "", "too-large", f"the file has {len(text):,} characters; the most is {MAX_BYTES:,}")
            return
        if "\x00" in text:
            self._add("error", "", "encoding", "the file has zero bytes, as UTF-16 has: save it as CSV UTF-8")
            return
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            for cells in rows:
                self._row = rows.line_num
                cells = [cell.strip() for cell in cells]
                if not any(cells):
                    continue
                if self._columns:
                    self._read_row(cells)
                elif not self._read_header(cells):
                    return
        except csv.Error as error:
            self._row = rows.line_num
            self._add("error", "", "csv-syntax", f"this is not CSV: {error}")
        if not self._columns and not self.problems:
            self._add("error", "", "empty-document", f"there is nothing in it: start with {','.join(COLUMNS)}")

    def _read_header(self, cells: Sequence[str]) -> bool:
        """Note where each column is; tell whether the rows can be read."""
        if len(cells) == 1 and any(mark in cells[0] for mark in ";\t"):
            self._add(
                "error", "", "csv-syntax", f"the columns of {cells[0]!r} are not separated by commas: save as CSV"
            )
            return False
        self._width = len(cells)
        for index, cell in enumerate(cells):
            name = cell.casefold()
            if name not in COLUMNS:
                near = nearest(name, COLUMNS)
                repair = f"did you mean {near}?" if near else f"known are {', '.join(COLUMNS)}"
                self._add(
                    "error", cell or str(index + 1), "unknown-column", f"{cell!r} is not a known column; {repair}"
                )
            elif name in self._columns:
                self._add("error", name, "duplicate-column", f"{name} is here twice: keep one")
            else:
                self._columns[name] = index
        for name in ("symbol", "price"):
            if name not in self._columns:
                self._add("error", name, "missing", f"there is no column {name}: the first row has to name it")
        if "as_of" not in self._columns:
            self._add("warning", "as_of", "no-date", "there is no column as_of: nobody can tell how old the prices are")
        return "symbol" in self._columns and "price" in self._columns

    def _cell(self, cells: Sequence[str], column: str) -> str:
        index = self._columns.get(column)
        return cells[index] if index is not None and index < len(cells) else ""

    def _read_row(self, cells: Sequence[str]) -> None:
        before = len(self.problems)
        if extra := ", ".join(filter(None, cells[self._width :])):
            message = f"{extra} stands beyond the columns: quote a value that has a comma in it"
            self._add("error", "", "extra-cell", message)
        named = self._symbol(self._cell(cells, "symbol"), self._cell(cells, "currency").upper())
        price = self._price(self._cell(cells, "price"))
        if named is None:
            return
        symbol, market, known_currency, name = named
        currency = self._currency(self._cell(cells, "currency"), symbol, known_currency)
        as_of = self._as_of(self._cell(cells, "as_of"), market)
        if price is None or currency is None or any(p.severity == "error" for p in self.problems[before:]):
            return
        self._keep(Quote(symbol, price, currency, as_of, "csv", name=name))

    def _keep(self, quote: Quote) -> None:
        other = self.quotes.get(quote.symbol)
        if other is not None and (other.price, other.currency) != (quote.price, quote.currency):
            message = (
                f"{quote.symbol} is {plain_number(quote.price)} {quote.currency} here and {plain_number(other.price)} "
                f"{other.currency} in row {self._rows[quote.symbol]}: keep one"
            )
            self._add("error", "price", "conflict", message)
            return
        self.quotes[quote.symbol] = quote
        self._rows[quote.symbol] = self._row

    def _symbol(self, text: str, stated: str) -> tuple[str, str | None, str | None, str] | None:
        """Return symbol, market (None: a pair, or not known), the currency it has to be in, and the name."""
        if not text:
            self._add("error", "symbol", "missing", "symbol is missing: write a code such as 069500, QQQ or USDKRW")
            return None
        found = catalogue.load().find(text)
        if found:
            return found.symbol, found.market, found.currency, found.name
        pair = symbols.pair(text.upper())
        if pair:
            return text.upper(), None, pair[1], ""
        padded, inner = symbols.lost_zeros(text), symbols.undecorated(text)
        symbol = symbols.canonical(text)
        if padded and stated in {"", "KRW"}:
            self._add(
                "error", "symbol", "lost-zeros", f"{text} has lost its zeros: write {padded} (and keep it as text)"
            )
            return None
        if inner and symbols.shape(symbol) is None:
            self._add("error", "symbol", "unknown-ticker", f"{text} is a vendor's form of a code: write {inner}")
            return None
        return symbol, symbols.shape(symbol), None, ""

    def _price(self, text: str) -> Decimal | None:
        price = read_number(text)
        if price is None:
            repaired = repaired_number(text)
            repair = f"write {repaired}" if repaired else "write digits, with a point for the fraction"
            self._add("error", "price", "not-a-number", f"price is {text!r}, not a plain number: {repair}")
        elif price <= 0 or not fits(price):
            message = f"price is {text}: write a number above 0, of at most 18 digits before and 10 after the point"
            self._add("error", "price", "out-of-range", message)
            return None
        return price

    def _currency(self, text: str, symbol: str, known: str | None) -> str | None:
        code = text.upper()
        if code and code not in MINOR_DIGITS:
            message = f"{text} is not a known currency: {', '.join(MINOR_DIGITS)}"
            self._add("error", "currency", "unknown-currency", message)
            return None
        if code and known and code != known:
            self._add("error", "currency", "conflict", f"{symbol} is in {known}, not {code}: correct or empty it")
            return None
        found = code or known or symbols.currency_of_market(symbols.shape(symbol))
        if not found:
            message = f"the currency of {symbol} is not known: write it in the column currency"
            self._add("error", "currency", "missing", message)
        return found

    def _as_of(self, text: str, market: str | None) -> dt.datetime | None:
        if not text:
            if "as_of" in self._columns:
                self._add("warning", "as_of", "no-date", "there is no date: nobody can tell how old the price is")
            return None
        time, zone = CLOSES.get(market or "", (dt.time(0), None))
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            repair = repaired_date(text) or "a date such as 2026-11-20"
            self._add("error", "as_of", "not-a-date", f"as_of is {text!r}: write {repair}")
            return None
        if len(text) <= len("2026-11-20"):
            moment = dt.datetime.combine(moment.date(), time)
        return moment if moment.tzinfo else moment.replace(tzinfo=zoneinfo.ZoneInfo(zone) if zone else dt.UTC)
