"""What weights are computed over: symbols with a sector, a market value, perhaps a company and a present weight.

As CSV: a header with symbol (or ticker), then any of name, sector, market_cap, currency, company, weight. As YAML: a
list of such entries, alone or under `universe`.

Sectors are the 11 of GICS. Names that mean them, companies that changed sector on a day, and share classes of one
company are dated tables (sectors.csv, reclassified.csv, share_classes.csv), each row with its source.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from engine.data.fields import Path, Report, Where, in_rows
from engine.data.files import csv_rows
from engine.errors import Problem, error, warning
from engine.phrase import phrase, place
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
    rows = csv_rows(text, report)
    number, header = next(rows, (1, []))
    names = [_field(cell) for cell in header]
    if not report.failed:
        _check_names(names, (number,), report)
    sound = not report.failed
    lines = [((number,), dict(zip(names, row, strict=False))) for number, row in rows if sound and any(row)]
    return _entries(lines, report, as_of) if not report.failed else (None, tuple(report.problems))


def read_list(rows: object, where: Where, as_of: dt.date) -> Read:
    """Read a universe from a loaded list of entries; None with every problem where it cannot be used."""
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return None, (error("universe-shape", where),)

    def locate(path: Path) -> Where:
        if not path:
            return where
        item = place("item", list=where, index=path[0])
        return item if len(path) == 1 else place("item-field", item=item, field=path[1])

    report = Report(where, locate)
    lines: list[tuple[Path, Mapping[str, str]]] = []
    for index, row in enumerate(rows):
        given = row if isinstance(row, Mapping) else {"symbol": row}
        named = {_field(str(key)): value for key, value in given.items()}
        _check_names(list(named), (index,), report)
        lines.append(((index,), {key: "" if value is None else str(value).strip() for key, value in named.items()}))
    return _entries(lines, report, as_of)


def _field(cell: str) -> str:
    name = cell.strip().casefold()
    return _OTHER_NAMES.get(name, name)


def _check_names(names: list[str], path: Path, report: Report) -> None:
    for name in dict.fromkeys(names):
        if name not in FIELDS:
            guess = nearest(name, FIELDS)
            key = "universe-field.near" if guess else "universe-field.unknown"
            report.error(path, key, given=name, guess=guess or "", known=FIELDS)
        elif names.count(name) > 1:
            report.error(path, "universe-field.twice", field=name)
    if "symbol" not in names:
        report.error(path, "universe-field.no-symbol")


def _entries(lines: Sequence[tuple[Path, Mapping[str, str]]], report: Report, as_of: dt.date) -> Read:
    entries: dict[str, Entry] = {}
    for path, cells in lines:
        entry = _entry(path, cells, report)
        if not entry.symbol:
            report.error((*path, "symbol"), "universe-symbol.missing")
        elif entry.symbol in entries:
            report.error((*path, "symbol"), "universe-symbol.twice", symbol=entry.symbol)
        else:
            where = report.where((*path, "sector"))
            entries[entry.symbol] = classified(entry, as_of, where, report.problems)
    if not lines:
        report.error((), "universe-empty")
    currencies = {entry.currency for entry in entries.values() if entry.market_cap is not None}
    if len(currencies) > 1:
        named = sorted(currencies, key=lambda code: code or "(")
        report.error((), "universe-currency", currencies=[code or phrase("no-currency") for code in named])
    return None if report.failed else tuple(entries.values()), tuple(report.problems)


def _entry(path: Path, cells: Mapping[str, str], report: Report) -> Entry:
    symbol = cells.get("symbol", "")
    return Entry(
        symbol=symbol,
        sector=cells.get("sector", ""),
        market_cap=_positive(cells.get("market_cap", ""), (*path, "market_cap"), report),
        company=cells.get("company", "") or company_of(symbol),
        weight=_positive(cells.get("weight", ""), (*path, "weight"), report, zero=True),
        currency=cells.get("currency", "").upper(),
        name=cells.get("name", ""),
    )


def _positive(text: str, path: Path, report: Report, *, zero: bool = False) -> Decimal | None:
    if not text:
        return None
    number = read_number(text)
    if number is not None and (number > 0 or (zero and number == 0)):
        return number
    repaired = repaired_number(text) if number is None else None
    report.error(
        path, "universe-number.repaired" if repaired else "universe-number", given=text, repaired=repaired or ""
    )
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
