"""Target weights over a universe: equal, cap, equal sector, equal sector with cap inside.

equal             every company the same, however many share classes it has (S&P Equal Weight U.S. Indices: equal by
                  company, not by issue)
cap               in proportion to market value
equal-sector      every sector present the same, every company the same inside it
equal-sector-cap  every sector present the same, in proportion to market value inside it

The lines of one company share its weight in proportion to their market values where all are known, else equally.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.analysis.concentration import Concentration, concentration, turnover
from engine.errors import InputError, Problem
from engine.money import ZERO
from engine.weights.caps import both_capped, capped, sector_capped
from engine.weights.sectors import SECTORS
from engine.weights.universe import Entry

METHODS = ("equal", "cap", "equal-sector", "equal-sector-cap")
ONE = Decimal(1)

#: What a move of weight costs: (symbol, change of weight) to a fraction of the whole.
MoveCost = Callable[[str, Decimal], Decimal]


@dataclass(frozen=True, slots=True)
class Weight:
    """Hold one target weight, a fraction of what the universe is to make up."""

    symbol: str
    sector: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Weighting:
    """Hold the weights in the universe's order, the concentration before and after, and what the move takes.

    `before`, `turnover` and `cost` (fractions of the whole) are None where present weights are not known.
    """

    method: str
    weights: tuple[Weight, ...]
    before: Concentration | None
    after: Concentration
    turnover: Decimal | None
    cost: Decimal | None
    problems: tuple[Problem, ...] = ()


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
    present, note = _present(entries)
    moved = cost = before = None
    if present is not None:
        before = _measure(entries, present)
    if note:
        problems.append(note)
    elif present is not None:
        moved = turnover(present, weights)
        if move_cost:
            cost = sum((move_cost(symbol, weights[symbol] - present[symbol]) for symbol in weights), ZERO)
    rows = tuple(Weight(entry.symbol, entry.sector, weights[entry.symbol]) for entry in entries)
    return Weighting(method, rows, before, _measure(entries, weights), moved, cost, tuple(problems))


def _check(method: str, entries: Sequence[Entry], *, sectors_needed: bool) -> None:
    problems = []
    if method not in METHODS:
        known = ", ".join(METHODS)
        ko = f"모르는 방법 {method!r}: {known} 중에서 고르세요"
        problems.append(Problem("error", "method", "method", f"{method!r} is none of {known}", ko))
    if not entries:
        text, ko = "no entries: give at least one symbol", "종목이 없습니다: 하나 이상 적으세요"
        problems.append(Problem("error", "universe-empty", "universe", text, ko))
    for entry in entries:
        if method.endswith("cap") and entry.market_cap is None:
            text = "no market_cap: give one, in the same currency for all"
            ko = "market_cap 없음: 모두 같은 통화로 적으세요"
            problems.append(Problem("error", "market-cap-missing", entry.symbol, text, ko))
        if (method.startswith("equal-sector") or sectors_needed) and not entry.sector:
            text, ko = "no sector: give one of the 11 of GICS", "섹터 없음: GICS 11개 섹터 중 하나를 적으세요"
            problems.append(Problem("error", "sector-missing", entry.symbol, text, ko))
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
        text = "no present weights: the concentration before is that of weights by market value"
        ko = "현재 비중이 없어 시가총액 비중의 집중도와 비교합니다"
        return _by_cap(entries), Problem("info", "before-by-cap", "concentration.before", text, ko)
    text = "no present weights (a column weight), so nothing to compare with"
    ko = "현재 비중(weight 열)이 없어 비교할 수 없습니다"
    return None, Problem("info", "before-unknown", "concentration.before", text, ko)


def _measure(entries: Iterable[Entry], weights: Mapping[str, Decimal]) -> Concentration:
    return concentration((entry.company or entry.symbol, entry.sector, weights[entry.symbol]) for entry in entries)


def _remarks(method: str, entries: Sequence[Entry], *, limited: bool) -> list[Problem]:
    problems = []
    if method.startswith("equal-sector"):
        present = {entry.sector for entry in entries}
        missing = [sector for sector in SECTORS if sector not in present]
        if missing and present <= set(SECTORS):
            text = f"{len(present)} of the 11 GICS sectors: each weighs 1/{len(present)}; none in {', '.join(missing)}"
            ko = f"GICS 11개 섹터 중 {len(present)}개, 섹터마다 1/{len(present)}. 없는 섹터: {', '.join(missing)}"
            problems.append(Problem("info", "sectors-absent", "universe", text, ko))
    companies = [entry.company or entry.symbol for entry in entries]
    for company in sorted({name for name in companies if companies.count(name) > 1}):
        lines = ", ".join(entry.symbol for entry in entries if (entry.company or entry.symbol) == company)
        text, ko = f"{lines} are one company ({company})", f"{lines}: 한 회사입니다 ({company})"
        problems.append(Problem("info", "share-classes", "universe", text, ko))
    if limited:
        text = "caps move weight between instruments and sectors, in proportion"
        ko = "한도를 넘는 비중은 다른 종목·섹터로 비례해서 옮깁니다"
        problems.append(Problem("info", "capped", "weights", text, ko))
    return problems
