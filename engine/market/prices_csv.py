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
from engine.money import MINOR_DIGITS
from engine.quote import Quote
from engine.text import (
    DAYS,
    DAYS_KO,
    FIRST_DAY,
    LAST_DAY,
    SIZE,
    SIZE_KO,
    EncodingError,
    decode,
    fits,
    nearest,
    plain_number,
    read_number,
    repaired_date,
    repaired_number,
)

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

    def _add(self, severity: Severity, column: str, code: str, message: str, ko: str) -> None:
        where = f"{self._source} row {self._row}" + (f", column {column}" if column else "")
        self.problems.append(Problem(severity, code, where, message, ko))

    def decode(self, raw: bytes) -> str:
        try:
            return decode(raw)
        except EncodingError as error:
            self._row = error.line
            self._add("error", "", "encoding", str(error), error.ko)
            return ""

    def read(self, text: str) -> None:
        if self.problems:
            return
        if len(text) > MAX_BYTES:
            message = f"the file has {len(text):,} characters; the most is {MAX_BYTES:,}"
            ko = f"파일이 너무 큽니다: {len(text):,}자, 최대 {MAX_BYTES:,}자"
            self._add("error", "", "too-large", message, ko)
            return
        if "\x00" in text:
            message = "the file has zero bytes, as UTF-16 has: save it as CSV UTF-8"
            ko = "UTF-16처럼 0 바이트가 있습니다: CSV UTF-8로 저장하세요"
            self._add("error", "", "encoding", message, ko)
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
            self._add("error", "", "csv-syntax", f"this is not CSV: {error}", f"CSV 형식에 맞지 않습니다: {error}")
        if not self._columns and not self.problems:
            header = ",".join(COLUMNS)
            ko = f"비어 있습니다: 첫 행에 {header}부터 적으세요"
            self._add("error", "", "empty-document", f"there is nothing in it: start with {header}", ko)

    def _read_header(self, cells: Sequence[str]) -> bool:
        """Note where each column is; tell whether the rows can be read."""
        if len(cells) == 1 and any(mark in cells[0] for mark in ";\t"):
            message = f"the columns of {cells[0]!r} are not separated by commas: save as CSV"
            ko = f"{cells[0]!r}: 열이 쉼표로 나뉘어 있지 않습니다. CSV로 저장하세요"
            self._add("error", "", "csv-syntax", message, ko)
            return False
        self._width = len(cells)
        for index, cell in enumerate(cells):
            name = cell.casefold()
            if name not in COLUMNS:
                near = nearest(name, COLUMNS)
                repair = f"did you mean {near}?" if near else f"known are {', '.join(COLUMNS)}"
                repair_ko = f"혹시 {near}인가요?" if near else f"쓸 수 있는 열은 {', '.join(COLUMNS)}입니다"
                message, ko = f"{cell!r} is not a known column; {repair}", f"모르는 열 {cell!r}: {repair_ko}"
                self._add("error", cell or str(index + 1), "unknown-column", message, ko)
            elif name in self._columns:
                message, ko = f"{name} is here twice: keep one", f"{name} 열 중복: 하나만 두세요"
                self._add("error", name, "duplicate-column", message, ko)
            else:
                self._columns[name] = index
        for name in ("symbol", "price"):
            if name not in self._columns:
                message = f"there is no column {name}: the first row has to name it"
                self._add("error", name, "missing", message, f"{name} 열이 없습니다: 첫 행에 열 이름을 적으세요")
        if "as_of" not in self._columns:
            message = "there is no column as_of: nobody can tell how old the prices are"
            self._add("warning", "as_of", "no-date", message, "as_of 열이 없습니다: 시세가 언제 것인지 알 수 없습니다")
        return "symbol" in self._columns and "price" in self._columns

    def _cell(self, cells: Sequence[str], column: str) -> str:
        index = self._columns.get(column)
        return cells[index] if index is not None and index < len(cells) else ""

    def _read_row(self, cells: Sequence[str]) -> None:
        before = len(self.problems)
        if extra := ", ".join(filter(None, cells[self._width :])):
            message = f"{extra} stands beyond the columns: quote a value that has a comma in it"
            ko = f"열 밖에 있는 값 {extra}: 쉼표가 든 값은 따옴표로 묶으세요"
            self._add("error", "", "extra-cell", message, ko)
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
            ko = (
                f"{quote.symbol} 가격이 여기서는 {plain_number(quote.price)} {quote.currency}, "
                f"{self._rows[quote.symbol]}행에서는 {plain_number(other.price)} {other.currency}입니다: 하나만 두세요"
            )
            self._add("error", "price", "conflict", message, ko)
            return
        self.quotes[quote.symbol] = quote
        self._rows[quote.symbol] = self._row

    def _symbol(self, text: str, stated: str) -> tuple[str, str | None, str | None, str] | None:
        """Return symbol, market (None: a pair, or not known), the currency it has to be in, and the name."""
        if not text:
            message = "symbol is missing: write a code such as 069500, QQQ or USDKRW"
            ko = "symbol 없음: 069500, QQQ, USDKRW처럼 코드를 적으세요"
            self._add("error", "symbol", "missing", message, ko)
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
            message = f"{text} has lost its zeros: write {padded} (and keep it as text)"
            ko = f"{text}: 앞의 0이 빠졌습니다. {padded}처럼 텍스트로 적으세요"
            self._add("error", "symbol", "lost-zeros", message, ko)
            return None
        if inner and symbols.shape(symbol) is None:
            message = f"{text} is a vendor's form of a code: write {inner}"
            ko = f"{text}: 시세 제공처식 코드입니다. {inner}처럼 적으세요"
            self._add("error", "symbol", "unknown-ticker", message, ko)
            return None
        return symbol, symbols.shape(symbol), None, ""

    def _price(self, text: str) -> Decimal | None:
        price = read_number(text)
        if price is None:
            repaired = repaired_number(text)
            repair = f"write {repaired}" if repaired else "write digits, with a point for the fraction"
            repair_ko = f"{repaired}처럼 적으세요" if repaired else "숫자만, 소수는 점을 찍어 적으세요"
            message = f"price is {text!r}, not a plain number: {repair}"
            self._add("error", "price", "not-a-number", message, f"가격 {text!r}: 숫자가 아닙니다. {repair_ko}")
        elif price <= 0 or not fits(price):
            message = f"price is {text}: write a number above 0, of {SIZE}"
            ko = f"가격 {text}: 0보다 큰 수를, {SIZE_KO} 적으세요"
            self._add("error", "price", "out-of-range", message, ko)
            return None
        return price

    def _currency(self, text: str, symbol: str, known: str | None) -> str | None:
        code = text.upper()
        if code and code not in MINOR_DIGITS:
            known_codes = ", ".join(MINOR_DIGITS)
            message, ko = (
                f"{text} is not a known currency: {known_codes}",
                f"모르는 통화 {text}: {known_codes} 중에서 적으세요",
            )
            self._add("error", "currency", "unknown-currency", message, ko)
            return None
        if code and known and code != known:
            ko = f"{symbol} 통화는 {code} 아닌 {known}입니다: 고치거나 비워 두세요"
            self._add("error", "currency", "conflict", f"{symbol} is in {known}, not {code}: correct or empty it", ko)
            return None
        found = code or known or symbols.currency_of_market(symbols.shape(symbol))
        if not found:
            message = f"the currency of {symbol} is not known: write it in the column currency"
            self._add("error", "currency", "missing", message, f"{symbol}의 통화를 모릅니다: currency 열에 적으세요")
        return found

    def _as_of(self, text: str, market: str | None) -> dt.datetime | None:
        if not text:
            if "as_of" in self._columns:
                message = "there is no date: nobody can tell how old the price is"
                self._add("warning", "as_of", "no-date", message, "날짜가 없습니다: 시세가 언제 것인지 알 수 없습니다")
            return None
        time, zone = CLOSES.get(market or "", (dt.time(0), None))
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            repaired = repaired_date(text)
            message = f"as_of is {text!r}: write {repaired or 'a date such as 2026-11-20'}"
            ko = f"as_of 값 {text!r}: {repaired or '2026-11-20'}처럼 날짜로 적으세요"
            self._add("error", "as_of", "not-a-date", message, ko)
            return None
        if not FIRST_DAY <= moment.date() <= LAST_DAY:
            message, ko = f"as_of is {text}: write {DAYS}", f"as_of 값 {text}: {DAYS_KO}로 적으세요"
            self._add("error", "as_of", "out-of-range", message, ko)
            return None
        if len(text) <= len("2026-11-20"):
            moment = dt.datetime.combine(moment.date(), time)
        return moment if moment.tzinfo else moment.replace(tzinfo=zoneinfo.ZoneInfo(zone) if zone else dt.UTC)
