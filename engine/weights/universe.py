"""What weights are computed over: symbols with a sector, a market value, perhaps a company and a present weight.

As CSV: a header with symbol (or ticker), then any of name, sector, market_cap, currency, company, weight. As YAML: a
list of such entries, alone or under `universe`.

Sectors are the 11 of GICS. Names that mean them, companies that changed sector on a day, and share classes of one
company are dated tables (sectors.csv, reclassified.csv, share_classes.csv), each row with its source.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from engine.errors import Problem, error, warning
from engine.phrase import Phrase, phrase, place
from engine.text import fold, nearest, read_number, repaired_number

FIELDS = ("symbol", "name", "sector", "market_cap", "currency", "company", "weight")
_OTHER_NAMES = {"ticker": "symbol", "marketcap": "market_cap", "market cap": "market_cap"}
#: In the order of their codes, 10 to 60.
SECTORS = (
    "Energy",
    "Materials",
    "Industrials",
    "Consumer Discretionary",
    "Consumer Staples",
    "Health Care",
    "Financials",
    "Information Technology",
    "Communication Services",
    "Utilities",
    "Real Estate",
)


Where = str | Phrase
#: Tells where a field of an entry is.
Locate = Callable[[str], Where]
Read = tuple[tuple["Entry", ...] | None, tuple[Problem, ...]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A candidate: `sector` is a GICS sector or "", `market_cap` in `currency`, `weight` what it weighs now."""

    symbol: str
    sector: str = ""
    market_cap: Decimal | None = None
    company: str = ""
    weight: Decimal | None = None
    currency: str = ""
    name: str = ""


def read_csv(text: str, where: str, as_of: dt.date) -> Read:
    """Read a universe from CSV text; None with every problem where it cannot be used."""
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    except csv.Error as fault:
        return None, (error("universe-csv", where, reason=str(fault)),)
    header = [_field(cell) for cell in rows[0]] if rows else []
    problems = _header_problems(header, place("listed-row", file=where, row=1))
    if problems:
        return None, tuple(problems)
    lines: list[tuple[Locate, Mapping[str, str]]] = []
    for number, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
            lines.append((_in_row(where, number), cells))
    return _entries(lines, where, as_of)


def _in_row(where: str, number: int) -> Locate:
    return lambda field: place("listed-row-column", file=where, row=number, column=field)


def read_list(rows: object, where: Where, as_of: dt.date) -> Read:
    """Read a universe from a loaded list of entries; None with every problem where it cannot be used."""
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return None, (error("universe-shape", where),)
    lines: list[tuple[Locate, Mapping[str, str]]] = []
    problems: list[Problem] = []
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            row = {"symbol": row}
        named = {_field(str(key)): value for key, value in row.items()}
        problems.extend(_header_problems(list(named), place("item", list=where, index=index)))
        cells = {key: "" if value is None else str(value).strip() for key, value in named.items()}
        lines.append((_in_item(where, index), cells))
    entries, found = _entries(lines, where, as_of)
    if problems:
        return None, (*problems, *found)
    return entries, found


def _in_item(where: Where, index: int) -> Locate:
    return lambda field: place("item-field", list=where, index=index, field=field)


def _field(cell: str) -> str:
    name = cell.strip().casefold()
    return _OTHER_NAMES.get(name, name)


def _header_problems(names: list[str], where: Where) -> list[Problem]:
    problems = []
    for name in names:
        if name not in FIELDS:
            guess = nearest(name, FIELDS)
            key = "universe-field.near" if guess else "universe-field.unknown"
            problems.append(error(key, where, given=name, guess=guess or "", known=FIELDS))
        elif names.count(name) > 1:
            problems.append(error("universe-field.twice", where, field=name))
    if "symbol" not in names:
        problems.append(error("universe-field.no-symbol", where))
    return list(dict.fromkeys(problems))


def _entries(lines: Sequence[tuple[Locate, Mapping[str, str]]], where: Where, as_of: dt.date) -> Read:
    problems: list[Problem] = []
    entries: dict[str, Entry] = {}
    for locate, cells in lines:
        entry = _entry(locate, cells, problems)
        if not entry.symbol:
            problems.append(error("universe-symbol.missing", locate("symbol")))
        elif entry.symbol in entries:
            problems.append(error("universe-symbol.twice", locate("symbol"), symbol=entry.symbol))
        else:
            entries[entry.symbol] = classified(entry, as_of, locate("sector"), problems)
    if not lines:
        problems.append(error("universe-empty", where))
    currencies = {entry.currency for entry in entries.values() if entry.market_cap is not None}
    if len(currencies) > 1:
        named = sorted(currencies, key=lambda code: code or "(")
        found = tuple(code or phrase("no-currency") for code in named)
        problems.append(error("universe-currency", where, currencies=found))
    if any(problem.severity == "error" for problem in problems):
        return None, tuple(problems)
    return tuple(entries.values()), tuple(problems)


def _entry(locate: Locate, cells: Mapping[str, str], problems: list[Problem]) -> Entry:
    symbol = cells.get("symbol", "")
    return Entry(
        symbol=symbol,
        sector=cells.get("sector", ""),
        market_cap=_positive(cells.get("market_cap", ""), locate("market_cap"), problems),
        company=cells.get("company", "") or company_of(symbol),
        weight=_positive(cells.get("weight", ""), locate("weight"), problems, zero=True),
        currency=cells.get("currency", "").upper(),
        name=cells.get("name", ""),
    )


def _positive(text: str, where: Where, problems: list[Problem], *, zero: bool = False) -> Decimal | None:
    if not text:
        return None
    number = read_number(text)
    if number is not None and (number > 0 or (zero and number == 0)):
        return number
    repaired = repaired_number(text) if number is None else None
    key = "universe-number.repaired" if repaired else "universe-number"
    problems.append(error(key, where, given=text, repaired=repaired or ""))
    return None


def classified(entry: Entry, as_of: dt.date, where: Where, problems: list[Problem]) -> Entry:
    """Return the entry with its label turned into a GICS sector, naming one that is out of date or means none."""
    if not entry.sector:
        return entry
    moved = reclassified(entry.symbol, entry.sector, as_of)
    if moved:
        sector, left, source = moved
        values = {"symbol": entry.symbol, "old": entry.sector, "day": left, "sector": sector, "source": source}
        problems.append(warning("sector-reclassified", where, **values))
        return replace(entry, sector=sector)
    known = gics_sector(entry.sector)
    if known is None:
        guess = nearest(entry.sector, SECTORS)
        key = "sector-own.near" if guess else "sector-own"
        problems.append(warning(key, where, sector=entry.sector, guess=guess or ""))
        return entry
    return replace(entry, sector=known)


@lru_cache(maxsize=3)
def _rows(name: str) -> tuple[dict[str, str], ...]:
    text = resources.files("engine.weights").joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    return {_key(row["label"]): row["sector"] for row in _rows("sectors.csv")}


def _key(label: str) -> str:
    return fold(label).replace("_", "").replace("-", "")


def gics_sector(label: str) -> str | None:
    """Return the GICS sector that a label (GICS, Yahoo's, a Korean name, a code) means; None where it means none."""
    return _labels().get(_key(label))


def reclassified(symbol: str, sector: str, as_of: dt.date) -> tuple[str, dt.date, str] | None:
    """Return (new sector, last day of the old one, source) where a company has left the sector given; else None."""
    for row in _rows("reclassified.csv"):
        old = row["from_sector"]
        left = dt.date.fromisoformat(row["last_day_before"])
        if row["symbol"] in ("*", symbol) and _key(old) == _key(sector) and as_of > left:
            return row["to_sector"], left, row["source"]
    return None


def company_of(symbol: str) -> str:
    """Return the company whose share class a symbol is, as far as the table knows; else the symbol itself."""
    return next((row["company"] for row in _rows("share_classes.csv") if row["symbol"] == symbol), symbol)
