"""Target weights over a universe, under caps, and how much hangs on a few: equal, cap, equal sector, both.

equal             every company the same, however many share classes it has (S&P Equal Weight U.S. Indices: equal by
                  company, not by issue)
cap               in proportion to market value
equal-sector      every sector present the same, every company the same inside it
equal-sector-cap  every sector present the same, in proportion to market value inside it

The lines of one company share its weight in proportion to their market values where all are known, else equally.

Weights above a cap are set to it and the excess goes to the others in proportion to their weights, again and again, the
way capped indices are built (S&P Dow Jones Indices, Index Mathematics Methodology, "Capped Market Capitalization
Weighted Indices").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.documents import Document, number, problem_list
from engine.errors import ImpossibleError, InputError, Problem, error, note
from engine.money import ZERO
from engine.phrase import place
from engine.weights.universe import SECTORS, Entry

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("equal", "cap", "equal-sector", "equal-sector-cap")
ONE = Decimal(1)
#: Weights this far above a cap still count as at it: the last digits of a division.
SLACK = Decimal("1e-15")
ROUNDS = 500
_UNIVERSE, _BEFORE = place("universe"), place("concentration-before")

#: What a move of weight costs: (symbol, change of weight) to a fraction of the whole.
MoveCost = Callable[[str, Decimal], Decimal]


@dataclass(frozen=True, slots=True)
class Concentration:
    """How concentrated weights are; the sector's fields are None and "" where a sector is not known.

    The Herfindahl–Hirschman index is Σ w², between 1/N and 1 (U.S. Department of Justice, Merger Guidelines, § 2.1,
    there in squared percents). Weights of one company's share classes count as one.
    """

    top5: Decimal
    top_sector: Decimal | None
    hhi: Decimal
    top_sector_name: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    """A target weight, a fraction of what the universe is to make up; `currency` is the universe's own word, or ""."""

    symbol: str
    sector: str
    weight: Decimal
    name: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Weighting:
    """Weights in the universe's order, the concentration before and after, and what the move takes.

    `before`, `turnover` and `cost` (fractions of the whole) are None where present weights are not known.
    """

    method: str
    weights: tuple[Weight, ...]
    before: Concentration | None
    after: Concentration
    turnover: Decimal | None
    cost: Decimal | None
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> Document:
        """Return target weights and the concentration before and after as a JSON document."""
        return {
            "method": self.method,
            "weights": [
                {"symbol": w.symbol, "sector": w.sector or None, "weight": number(w.weight)} for w in self.weights
            ],
            "concentration": {"before": _document(self.before), "after": _document(self.after)},
            "problems": problem_list(self.problems),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row per symbol, which is the index: sector, weight."""
        import pandas as pd

        frame = pd.DataFrame([(w.symbol, w.sector, float(w.weight)) for w in self.weights])
        return frame.set_axis(["symbol", "sector", "weight"], axis="columns").set_index("symbol")


def _document(measure: Concentration | None) -> Document:
    names = ("top5", "top_sector", "hhi")
    return {name: number(getattr(measure, name)) if measure else None for name in names}


def weigh(
    method: str,
    entries: Sequence[Entry],
    *,
    maximum: Decimal | None = None,
    sector_maximum: Decimal | None = None,
    move_cost: MoveCost | None = None,
) -> Weighting:
    """Weigh a universe by a method, under caps where given; the weights add up to 1.

    Raises `InputError` for an unknown method or for entries that lack what the method needs, `ImpossibleError` for caps
    that cannot hold.
    """
    _check(method, entries, sectors_needed=sector_maximum is not None)
    inside = _by_cap if method in ("cap", "equal-sector-cap") else _by_company
    if method in ("equal", "cap"):
        weights = inside(entries)
    else:
        sectors = dict.fromkeys(entry.sector for entry in entries)
        weights = {}
        for sector in sectors:
            part = inside([entry for entry in entries if entry.sector == sector])
            weights.update({symbol: weight / len(sectors) for symbol, weight in part.items()})
    weights = _limited(weights, entries, maximum, sector_maximum)
    problems = _remarks(method, entries, limited=maximum is not None or sector_maximum is not None)
    present, remark = _present(entries)
    moved = cost = before = None
    if present is not None:
        before = _measure(entries, present)
    if remark:
        problems.append(remark)
    elif present is not None:
        moved = turnover(present, weights)
        if move_cost:
            cost = sum((move_cost(symbol, weights[symbol] - present[symbol]) for symbol in weights), ZERO)
    rows = tuple(
        Weight(entry.symbol, entry.sector, weights[entry.symbol], entry.name, entry.currency) for entry in entries
    )
    return Weighting(method, rows, before, _measure(entries, weights), moved, cost, tuple(problems))


def _check(method: str, entries: Sequence[Entry], *, sectors_needed: bool) -> None:
    problems = []
    if method not in METHODS:
        problems.append(error("method", place("method"), given=method, known=METHODS))
    if not entries:
        problems.append(error("universe-empty", _UNIVERSE))
    for entry in entries:
        if method.endswith("cap") and entry.market_cap is None:
            problems.append(error("market-cap-missing", entry.symbol))
        if (method.startswith("equal-sector") or sectors_needed) and not entry.sector:
            problems.append(error("sector-missing", entry.symbol))
    if problems:
        raise InputError(problems)


def _by_cap(entries: Sequence[Entry]) -> dict[str, Decimal]:
    total = sum((entry.market_cap or ZERO for entry in entries), ZERO)
    return {entry.symbol: (entry.market_cap or ZERO) / total for entry in entries}


def _by_company(entries: Sequence[Entry]) -> dict[str, Decimal]:
    lines: dict[str, list[Entry]] = {}
    for entry in entries:
        lines.setdefault(entry.company or entry.symbol, []).append(entry)
    weights = {}
    for classes in lines.values():
        known = all(entry.market_cap is not None for entry in classes)
        shares = _by_cap(classes) if known else {entry.symbol: ONE / len(classes) for entry in classes}
        weights.update({symbol: share / len(lines) for symbol, share in shares.items()})
    return weights


def _limited(
    weights: dict[str, Decimal], entries: Sequence[Entry], maximum: Decimal | None, sector_maximum: Decimal | None
) -> dict[str, Decimal]:
    sector = {entry.symbol: entry.sector for entry in entries}
    if maximum is not None and sector_maximum is not None:
        return both_capped(weights, sector, maximum, sector_maximum)
    if sector_maximum is not None:
        return sector_capped(weights, sector, sector_maximum)
    return weights if maximum is None else capped(weights, maximum)


def _present(entries: Sequence[Entry]) -> tuple[dict[str, Decimal] | None, Problem | None]:
    """Return present weights scaled to 1, or by market value with a remark, or None with one."""
    total = sum((entry.weight or ZERO for entry in entries), ZERO)
    if total > 0 and all(entry.weight is not None for entry in entries):
        return {entry.symbol: (entry.weight or ZERO) / total for entry in entries}, None
    if all(entry.market_cap is not None for entry in entries):
        return _by_cap(entries), note("before-by-cap", _BEFORE)
    return None, note("before-unknown", _BEFORE)


def _measure(entries: Iterable[Entry], weights: Mapping[str, Decimal]) -> Concentration:
    return concentration((entry.company or entry.symbol, entry.sector, weights[entry.symbol]) for entry in entries)


def _remarks(method: str, entries: Sequence[Entry], *, limited: bool) -> list[Problem]:
    problems = []
    if method.startswith("equal-sector"):
        present = {entry.sector for entry in entries}
        missing = [sector for sector in SECTORS if sector not in present]
        if missing and present <= set(SECTORS):
            problems.append(note("sectors-absent", _UNIVERSE, present=len(present), missing=missing))
    companies = [entry.company or entry.symbol for entry in entries]
    for company in sorted({name for name in companies if companies.count(name) > 1}):
        lines = [entry.symbol for entry in entries if (entry.company or entry.symbol) == company]
        problems.append(note("share-classes", _UNIVERSE, symbols=lines, company=company))
    if limited:
        problems.append(note("capped", place("weights")))
    return problems


def capped(weights: Mapping[str, Decimal], maximum: Decimal) -> dict[str, Decimal]:
    """Return the weights with none above `maximum`; raises `ImpossibleError` where they cannot add up to 1."""
    if maximum * len(weights) < ONE:
        raise ImpossibleError([error("cap-impossible.weights", place("max"), weights=len(weights), cap=maximum)])
    result = dict(weights)
    full: set[str] = set()
    while over := {name for name, weight in result.items() if weight > maximum and name not in full}:
        full |= over
        rest = sum((weight for name, weight in result.items() if name not in full), ZERO)
        room = ONE - maximum * len(full)
        result = {
            name: maximum if name in full else (weight * room / rest if rest else room)
            for name, weight in result.items()
        }
    return result


def sector_capped(weights: Mapping[str, Decimal], sector: Mapping[str, str], maximum: Decimal) -> dict[str, Decimal]:
    """Return the weights scaled so that no sector's sum is above `maximum`; proportions inside a sector stay."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for name, weight in weights.items():
        sums[sector[name]] += weight
    aim = capped(sums, maximum)
    return {name: weight * aim[sector[name]] / sums[sector[name]] for name, weight in weights.items()}


def both_capped(
    weights: Mapping[str, Decimal], sector: Mapping[str, str], maximum: Decimal, sector_maximum: Decimal
) -> dict[str, Decimal]:
    """Return weights under both caps, applied in turn until both hold; raises `ImpossibleError` where they cannot."""
    result = dict(weights)
    for _ in range(ROUNDS):
        result = capped(sector_capped(result, sector, sector_maximum), maximum)
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for name, weight in result.items():
            sums[sector[name]] += weight
        if max(sums.values()) <= sector_maximum + SLACK:
            return result
    raise ImpossibleError([error("cap-impossible.both", place("sector-max"), cap=maximum, sector_cap=sector_maximum)])


def concentration(rows: Iterable[tuple[str, str, Decimal]]) -> Concentration:
    """Measure rows of (company, sector, weight)."""
    companies: defaultdict[str, Decimal] = defaultdict(Decimal)
    sectors: defaultdict[str, Decimal] = defaultdict(Decimal)
    for company, sector, weight in rows:
        companies[company] += weight
        sectors[sector] += weight
    top5 = sum(sorted(companies.values(), reverse=True)[:5], ZERO)
    hhi = sum((weight * weight for weight in companies.values()), ZERO)
    if not sectors or "" in sectors:
        return Concentration(top5, None, hhi)
    name = max(sectors, key=lambda sector: sectors[sector])
    return Concentration(top5, sectors[name], hhi, name)


def turnover(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> Decimal:
    """Return the share of the whole that changes hands: Σ|after − before| / 2."""
    return sum((abs(after.get(name, ZERO) - before.get(name, ZERO)) for name in {*before, *after}), ZERO) / 2
