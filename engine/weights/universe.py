"""What weights are computed over: symbols with a sector, a market value, perhaps a company and a present weight.

As CSV: a header with symbol (or ticker), then any of name, sector, market_cap, currency, company, weight. As YAML: a
list of such entries, alone or under `universe`.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from engine.errors import Problem
from engine.text import nearest, read_number, repaired_number
from engine.weights.sectors import SECTORS, company_of, gics_sector, reclassified

FIELDS = ("symbol", "name", "sector", "market_cap", "currency", "company", "weight")
_OTHER_NAMES = {"ticker": "symbol", "marketcap": "market_cap", "market cap": "market_cap"}


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one candidate: `sector` is a GICS sector or "", `market_cap` in `currency`, `weight` what it weighs now."""

    symbol: str
    sector: str = ""
    market_cap: Decimal | None = None
    company: str = ""
    weight: Decimal | None = None
    currency: str = ""
    name: str = ""


def read_csv(text: str, where: str, as_of: dt.date) -> tuple[tuple[Entry, ...] | None, tuple[Problem, ...]]:
    """Read a universe from CSV text; None with every problem where it cannot be used."""
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    except csv.Error as error:
        ko = f"CSV가 아닙니다({error}): CSV UTF-8로 저장하세요"
        return None, (Problem("error", "universe-csv", where, f"no CSV: {error}; save it as CSV UTF-8", ko),)
    header = [_field(cell) for cell in rows[0]] if rows else []
    problems = _header_problems(header, f"{where}, row 1")
    if problems:
        return None, tuple(problems)
    lines = []
    for number, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
            lines.append((f"{where}, row {number}, column ", cells))
    return _entries(lines, where, as_of)


def read_list(rows: object, where: str, as_of: dt.date) -> tuple[tuple[Entry, ...] | None, tuple[Problem, ...]]:
    """Read a universe from a loaded list of entries; None with every problem where it cannot be used."""
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        example = "- {symbol: AAPL, sector: Information Technology, market_cap: 3500000000000}"
        text, ko = f"give a list of entries: {example}", f"종목 목록으로 적으세요: {example}"
        return None, (Problem("error", "universe-shape", where, text, ko),)
    lines, problems = [], []
    for index, row in enumerate(rows):
        place = f"{where}[{index}]"
        if not isinstance(row, Mapping):
            row = {"symbol": row}
        named = {_field(str(key)): value for key, value in row.items()}
        problems.extend(_header_problems(list(named), place))
        lines.append((f"{place}.", {key: "" if value is None else str(value).strip() for key, value in named.items()}))
    entries, found = _entries(lines, where, as_of)
    if problems:
        return None, (*problems, *found)
    return entries, found


def _field(cell: str) -> str:
    name = cell.strip().casefold()
    return _OTHER_NAMES.get(name, name)


def _header_problems(names: list[str], where: str) -> list[Problem]:
    problems = []
    for name in names:
        if name not in FIELDS:
            guess = nearest(name, FIELDS)
            hint = f"did you mean {guess}? " if guess else ""
            text = f"unknown field {name!r}: {hint}known are {', '.join(FIELDS)}"
            hint_ko = f"혹시 {guess}인가요? " if guess else ""
            ko = f"모르는 항목 {name!r}: {hint_ko}쓸 수 있는 항목은 {', '.join(FIELDS)}입니다"
            problems.append(Problem("error", "universe-field", where, text, ko))
        elif names.count(name) > 1:
            text, ko = f"{name} stands twice: keep one", f"{name} 중복: 하나만 두세요"
            problems.append(Problem("error", "universe-field", where, text, ko))
    if "symbol" not in names:
        text, ko = "no symbol: name each entry's symbol", "symbol 없음: 종목마다 코드를 적으세요"
        problems.append(Problem("error", "universe-field", where, text, ko))
    return list(dict.fromkeys(problems))


def _entries(
    lines: Sequence[tuple[str, Mapping[str, Any]]], where: str, as_of: dt.date
) -> tuple[tuple[Entry, ...] | None, tuple[Problem, ...]]:
    problems: list[Problem] = []
    entries: dict[str, Entry] = {}
    for place, cells in lines:
        entry = _entry(place, cells, problems)
        if not entry.symbol:
            text, ko = "no symbol: name it or remove the row", "종목코드 없음: 적거나 행을 지우세요"
            problems.append(Problem("error", "universe-symbol", f"{place}symbol", text, ko))
        elif entry.symbol in entries:
            text, ko = f"{entry.symbol} stands twice", f"{entry.symbol} 중복: 하나만 두세요"
            problems.append(Problem("error", "universe-symbol", f"{place}symbol", text, ko))
        else:
            entries[entry.symbol] = classified(entry, as_of, f"{place}sector", problems)
    if not lines:
        text, ko = "no entries: give at least one symbol", "종목이 없습니다: 하나 이상 적으세요"
        problems.append(Problem("error", "universe-empty", where, text, ko))
    currencies = {entry.currency for entry in entries.values() if entry.market_cap is not None}
    if len(currencies) > 1:
        english, korean = (", ".join(sorted(code or none for code in currencies)) for none in ("(none)", "없음"))
        text = f"market_cap in {english}: put all into one currency"
        ko = f"market_cap 통화가 섞여 있습니다({korean}): 하나로 맞추세요"
        problems.append(Problem("error", "universe-currency", where, text, ko))
    if any(problem.severity == "error" for problem in problems):
        return None, tuple(problems)
    return tuple(entries.values()), tuple(problems)


def _entry(place: str, cells: Mapping[str, str], problems: list[Problem]) -> Entry:
    symbol = cells.get("symbol", "")
    return Entry(
        symbol=symbol,
        sector=cells.get("sector", ""),
        market_cap=_positive(cells.get("market_cap", ""), f"{place}market_cap", problems),
        company=cells.get("company", "") or company_of(symbol),
        weight=_positive(cells.get("weight", ""), f"{place}weight", problems, zero=True),
        currency=cells.get("currency", "").upper(),
        name=cells.get("name", ""),
    )


def _positive(text: str, where: str, problems: list[Problem], *, zero: bool = False) -> Decimal | None:
    if not text:
        return None
    number = read_number(text)
    if number is not None and (number > 0 or (zero and number == 0)):
        return number
    repaired = repaired_number(text)
    repair = f"write {repaired}" if repaired and number is None else "give a number above 0, or leave it empty"
    ko = f"{repaired}처럼 적으세요" if repaired and number is None else "0보다 큰 수를 적거나 비워 두세요"
    problems.append(Problem("error", "universe-number", where, f"{text!r}: {repair}", f"{text!r}: {ko}"))
    return None


def classified(entry: Entry, as_of: dt.date, where: str, problems: list[Problem]) -> Entry:
    """Return the entry with its label turned into a GICS sector, naming one that is out of date or means none."""
    if not entry.sector:
        return entry
    moved = reclassified(entry.symbol, entry.sector, as_of)
    if moved:
        sector, left, source = moved
        text = f"{entry.symbol} left {entry.sector} after {left}: {sector} is used ({source})"
        ko = f"{entry.symbol}: {left} 뒤로 {entry.sector} 섹터가 아닙니다. {sector} 섹터로 봅니다 ({source})"
        problems.append(Problem("warning", "sector-reclassified", where, text, ko))
        return replace(entry, sector=sector)
    known = gics_sector(entry.sector)
    if known is None:
        guess = nearest(entry.sector, SECTORS)
        hint = f" (did you mean {guess}?)" if guess else ""
        text = f"{entry.sector!r} is none of the 11 GICS sectors{hint}: it is taken as a sector of your own"
        hint_ko = f" (혹시 {guess}인가요?)" if guess else ""
        ko = f"GICS 11개 섹터가 아닌 {entry.sector!r}{hint_ko}: 직접 정한 섹터로 봅니다"
        problems.append(Problem("warning", "sector-own", where, text, ko))
        return entry
    return replace(entry, sector=known)
