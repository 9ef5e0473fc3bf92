"""Cap weights and hand the excess to the rest in proportion, until every cap holds.

Weights above the cap are set to it and the excess goes to the others in proportion to their weights, again and again:
the way capped indices are built (S&P Dow Jones Indices, Index Mathematics Methodology, "Capped Market Capitalization
Weighted Indices").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from engine.errors import ImpossibleError, Problem
from engine.money import ZERO

ONE = Decimal(1)
#: Weights this far above a cap still count as at it: the last digits of a division.
SLACK = Decimal("1e-15")
ROUNDS = 500


def capped(weights: Mapping[str, Decimal], maximum: Decimal) -> dict[str, Decimal]:
    """Return the weights with none above `maximum`; raises `ImpossibleError` where they cannot add up to 1."""
    if maximum * len(weights) < ONE:
        text = f"{len(weights)} weights of at most {maximum} add up to less than 1: raise the cap or add instruments"
        ko = f"{maximum} 이하인 비중 {len(weights)}개로는 1이 되지 않습니다: 한도를 올리거나 종목을 더하세요"
        raise ImpossibleError([Problem("error", "cap-impossible", "max", text, ko)])
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
    text = f"no weights are at most {maximum} each and {sector_maximum} a sector: raise one of the caps"
    ko = f"종목마다 {maximum}, 섹터마다 {sector_maximum} 이하인 비중이 없습니다: 한쪽 한도를 올리세요"
    raise ImpossibleError([Problem("error", "cap-impossible", "sector-max", text, ko)])
