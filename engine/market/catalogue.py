"""The bundled table of instruments: codes, names in Korean and English, market, currency, type, fee, leverage.

Rows are data (`catalogue.csv`): `verified` says whether code and name were checked, `checked_on` when. A cell that
nobody is sure of is empty. `wrong_codes.csv` lists codes that circulate under another fund's name.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from engine.market.symbols import canonical
from engine.portfolio import Instrument
from engine.text import fold

_YES_NO = {"yes": True, "no": False}  # an empty cell is None: not known


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One row of the catalogue: the instrument, and what analyses want to know besides.

    `sector` is a GICS sector (of a stock, or of a fund of one sector), `index` the index followed, `total_return`
    whether the fund keeps its dividends (None: not known).
    """

    instrument: Instrument
    aliases: tuple[str, ...] = ()
    exchange: str = ""
    index: str = ""
    total_return: bool | None = None
    sector: str = ""
    source: str = ""
    verified: bool = False
    checked_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class WrongCode:
    """A code that circulates for a fund it does not belong to; `actual_name` is "" where not known."""

    code: str
    circulates_as: str
    right_code: str
    actual_name: str
    source: str
    checked_on: dt.date


class Catalogue:
    """The instruments that are known, by code, Korean or English name, or alias.

    Case, spaces and character width do not matter.
    """

    def __init__(self, entries: tuple[CatalogueEntry, ...], wrong_codes: tuple[WrongCode, ...] = ()) -> None:
        self._entries = {entry.instrument.symbol: entry for entry in entries}
        self._wrong = {row.code: row for row in wrong_codes}
        self._symbols: dict[str, str] = {}
        for entry in entries:
            for name in (entry.instrument.name, entry.instrument.name_en, *entry.aliases):
                if name:
                    self._add(name, entry.instrument.symbol)

    def _add(self, name: str, symbol: str) -> None:
        if self._symbols.setdefault(fold(name), symbol) != symbol:
            raise ValueError(f"catalogue: {name} names both {self._symbols[fold(name)]} and {symbol}")

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, symbol: str) -> CatalogueEntry | None:
        """Return the entry of exactly this code, or None."""
        return self._entries.get(symbol)

    def entry(self, text: str) -> CatalogueEntry | None:
        """Return the entry whose code, name or alias the text is, or None."""
        found = self._entries.get(text) or self._entries.get(canonical(text))
        if found is None and (symbol := self._symbols.get(fold(text))):
            found = self._entries[symbol]
        return found

    def find(self, text: str) -> Instrument | None:
        """Return the instrument whose code, name or alias the text is, or None."""
        found = self.entry(text)
        return found.instrument if found else None

    def suggest(self, text: str, count: int = 3) -> tuple[str, ...]:
        """Return the entries named most like the text, nearest first, each as `name (code)`."""
        keys = {**{fold(symbol): symbol for symbol in self._entries}, **self._symbols}
        near = difflib.get_close_matches(fold(text), keys, n=4 * count, cutoff=0.55)
        symbols = list(dict.fromkeys(keys[key] for key in near))[:count]
        return tuple(f"{self._entries[symbol].instrument.name} ({symbol})" for symbol in symbols)

    def wrong_code(self, code: str) -> WrongCode | None:
        """Return what is known of a code that circulates under the wrong name, or None."""
        return self._wrong.get(code)


@lru_cache(maxsize=1)
def load() -> Catalogue:
    """Return the bundled catalogue, read once."""
    return Catalogue(
        tuple(_entry(row) for row in _rows("catalogue.csv")),
        tuple(_wrong_code(row) for row in _rows("wrong_codes.csv")),
    )


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("engine.market").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _entry(row: dict[str, str]) -> CatalogueEntry:
    instrument = Instrument(
        symbol=row["symbol"],
        name=row["name"],
        market=row["market"],
        currency=row["currency"],
        asset_type=row["asset_type"],
        name_en=row["name_en"],
        expense_ratio=Decimal(row["expense_ratio"]) if row["expense_ratio"] else None,
        leverage=Decimal(row["leverage"] or "1"),
        asset_class=row["asset_class"] or None,
        futures=row["futures"] == "yes",
        taxed_as_dividend=_YES_NO.get(row["taxed_as_dividend"]),
    )
    return CatalogueEntry(
        instrument=instrument,
        aliases=tuple(alias for alias in row["aliases"].split("|") if alias),
        exchange=row["exchange"],
        index=row["index"],
        total_return=_YES_NO.get(row["total_return"]),
        sector=row["sector"],
        source=row["source"],
        verified=row["verified"] == "yes",
        checked_on=dt.date.fromisoformat(row["checked_on"]) if row["checked_on"] else None,
    )


def _wrong_code(row: dict[str, str]) -> WrongCode:
    return WrongCode(
        code=row["code"],
        circulates_as=row["circulates_as"],
        right_code=row["right_code"],
        actual_name=row["actual_name"],
        source=row["source"],
        checked_on=dt.date.fromisoformat(row["checked_on"]),
    )
