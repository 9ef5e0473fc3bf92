"""What funds hold in common, and what a portfolio holds of each company through its funds.

The overlap of two funds is Σ min(weight in one, weight in the other). From incomplete holdings (a top ten) both figures
are lower bounds, and say so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from engine.analysis.facts import FundFacts
from engine.money import ZERO


@dataclass(frozen=True, slots=True)
class Overlap:
    """Hold the common weight of two funds; `complete` is false where it is only a lower bound.

    `note_ko` is the note in Korean.
    """

    pair: tuple[str, str]
    weight: Decimal | None
    complete: bool
    note: str = ""
    note_ko: str = ""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Hold the weight of one company in the portfolio: `direct` as a holding of its own, the rest through funds."""

    symbol: str
    name: str
    weight: Decimal
    direct: Decimal


@dataclass(frozen=True, slots=True)
class LookThrough:
    """Hold a portfolio's companies, largest first, and the weight that could not be looked into."""

    exposures: tuple[Exposure, ...]
    unseen: Decimal


def overlap(one: FundFacts, other: FundFacts) -> Overlap:
    """Return the common weight of two funds; None where the holdings of one are not known."""
    pair = (one.symbol, other.symbol)
    missing = [fund.symbol for fund in (one, other) if not fund.holdings]
    if missing:
        note, ko = f"holdings of {' and '.join(missing)} not known", f"구성 종목을 모르는 ETF: {', '.join(missing)}"
        return Overlap(pair, None, complete=False, note=note, note_ko=ko)
    theirs = {line.symbol: line.weight for line in other.holdings}
    common = sum((min(line.weight, theirs.get(line.symbol, ZERO)) for line in one.holdings), ZERO)
    if one.complete and other.complete:
        return Overlap(pair, common, complete=True)
    note = f"at least: known are {one.known_weight:.0%} of {one.symbol}, {other.known_weight:.0%} of {other.symbol}"
    ko = f"최소값: 구성을 아는 비중이 {one.symbol} {one.known_weight:.0%}, {other.symbol} {other.known_weight:.0%}"
    return Overlap(pair, common, complete=False, note=note, note_ko=ko)


def overlaps(funds: Mapping[str, FundFacts]) -> tuple[Overlap, ...]:
    """Return the overlap of every pair, in the order of the funds."""
    return tuple(overlap(one, other) for one, other in combinations(funds.values(), 2))


def look_through(
    weights: Mapping[str, Decimal], names: Mapping[str, str], single: frozenset[str], facts: Mapping[str, FundFacts]
) -> LookThrough:
    """Return what a portfolio holds of each company: its own shares and its part of the funds' holdings.

    `weights` are fractions of the whole, `single` the symbols that are companies themselves. Whatever is neither a
    company nor covered by known holdings is unseen.
    """
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    label: dict[str, str] = {}
    unseen = ZERO
    for symbol, weight in weights.items():
        if symbol in single:
            total[symbol] += weight
            label.setdefault(symbol, names.get(symbol, symbol))
            continue
        fund = facts.get(symbol, FundFacts(symbol))
        unseen += weight * max(1 - fund.known_weight, ZERO)
        for line in fund.holdings:
            total[line.symbol] += weight * line.weight
            label.setdefault(line.symbol, line.name)
    rows = [
        Exposure(symbol, label[symbol], weight, weights[symbol] if symbol in single else ZERO)
        for symbol, weight in total.items()
    ]
    return LookThrough(tuple(sorted(rows, key=lambda row: (-row.weight, row.symbol))), unseen)
