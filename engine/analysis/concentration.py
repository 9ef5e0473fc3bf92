"""How much hangs on a few: the top five, the largest sector, and the Herfindahl–Hirschman index of the weights.

HHI = Σ w², between 1/N and 1 (U.S. Department of Justice, Merger Guidelines, § 2.1, there in squared percents). Weights
of one company's share classes count as one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.money import ZERO


@dataclass(frozen=True, slots=True)
class Concentration:
    """Hold how concentrated weights are. The sector's fields are None and "" where a sector is not known."""

    top5: Decimal
    top_sector: Decimal | None
    hhi: Decimal
    top_sector_name: str = ""


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
