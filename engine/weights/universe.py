"""What weights are computed over: symbols with a sector, a market value, perhaps a company and a present weight.

As CSV: a header with symbol (or ticker), then any of name, sector, market_cap, currency, company, weight. As YAML: a
list of such entries, alone or under `universe`.

Sectors are the 11 of GICS. Names that mean them, companies that changed sector on a day, and share classes of one
company are dated tables (sectors.csv, reclassified.csv, share_classes.csv), each row with its source.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from engine.data.fields import Fields, Locate, Path, Report, Where, in_rows
from engine.data.files import csv_table
from engine.errors import Problem, error, warning
from engine.money import ZERO
from engine.phrase import phrase, place
from engine.text import fold, nearest

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


def read_csv(text: str, where: Where, as_of: dt.date) -> Read:
    """Read a universe from CSV text; None with every problem where it cannot be used."""
    report = Report(where, in_rows(where, "listed-row"))
    table = csv_table(text, report, FIELDS, ("symbol",), _OTHER_NAMES)
    return _entries((row for _, row in table.rows), report, as_of)


def read_list(rows: object, where: Where, as_of: dt.date) -> Read:
    """Read a universe from a loaded list of entries; None with every problem where it cannot be used."""
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return None, (error("universe-shape", where),)
    report = Report(where, _in_list(where))
    return _entries((_item(row, index, report) for index, row in enumerate(rows)), report, as_of)


def _in_list(file: Where) -> Locate:
    """Return what tells where (index,) or (index, field) is."""

    def locate(path: Path) -> Where:
        if not path:
            return file
        if len(path) == 1:
            return place("item", list=file, index=path[0])
        return place("item-field", list=file, index=path[0], field=path[1])

    return locate


def _item(row: object, index: int, report: Report) -> Fields:
    """Return an entry, or a symbol alone, by our names of its fields."""
    named: dict[str, object] = {}
    for key, value in row.items() if isinstance(row, Mapping) else (("symbol", row),):
        name = str(key).strip().casefold()
        name = _OTHER_NAMES.get(name, name)
        if name in named:
            report.error((index, name), "duplicate-key", name=name)
        named[name] = value
    return Fields(named, (index,), report, FIELDS)


def _entries(rows: Iterable[Fields], report: Report, as_of: dt.date) -> Read:
    entries: dict[str, Entry] = {}
    for row in rows:
        entry = _entry(row)
        if not entry.symbol:
            row.missing("symbol", "entry")
        elif entry.symbol in entries:
            row.error("symbol", "universe-symbol.twice", symbol=entry.symbol)
        else:
            where = report.where(row.at("sector"))
            entries[entry.symbol] = classified(entry, as_of, where, report.problems)
    if not entries and not report.failed:
        report.error((), "universe-empty")
    currencies = {entry.currency for entry in entries.values() if entry.market_cap is not None}
    if len(currencies) > 1:
        named = sorted(currencies, key=lambda code: code or "(")
        found = tuple(code or phrase("no-currency") for code in named)
        report.error((), "universe-currency", currencies=found)
    return None if report.failed else tuple(entries.values()), tuple(report.problems)


def _entry(row: Fields) -> Entry:
    symbol = row.text("symbol")
    return Entry(
        symbol=symbol,
        sector=row.text("sector"),
        market_cap=row.number("market_cap", ZERO, above=True),
        company=row.text("company") or company_of(symbol),
        weight=row.number("weight", ZERO),
        currency=row.text("currency").upper(),
        name=row.text("name"),
    )


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
