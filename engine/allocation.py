"""A plan's weights by sector, by asset class and by trading currency, beside what its targets come to.

Sectors and classes are the catalogue's and the document's own. A fund of many sectors is `broad`; what is no equity
(bonds, commodities, cash) is `other` among the sectors; what nobody says is `unknown`. The currency is the one that an
instrument trades in: a fund listed in Korea counts as won, whatever it holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from engine.documents import Document, number
from engine.goals import aims_of
from engine.market import catalogue
from engine.money import ZERO
from engine.portfolio import Instrument

if TYPE_CHECKING:  # a plan's document has its allocation
    from engine.plan import Plan

Kind = Literal["sector", "asset_class", "currency"]
KINDS: tuple[Kind, ...] = ("sector", "asset_class", "currency")
BROAD, OTHER, UNKNOWN, CASH = "broad", "other", "unknown", "cash"
_EQUITY = ("equity", "mixed", None)
_FUNDS = ("etf", "etn", "fund")


@dataclass(frozen=True, slots=True)
class Slice:
    """What a plan holds of one sector, asset class or currency, cash included; `drift` is weight − target.

    `value` is in the base currency, weights are fractions of the total value before trading.
    """

    group: str
    value: Decimal
    weight: Decimal
    target: Decimal

    @property
    def drift(self) -> Decimal:
        """Return how far the weight is from the target, signed."""
        return self.weight - self.target


@dataclass(frozen=True, slots=True)
class Allocation:
    """A plan's weights and targets cut three ways, each largest first; every cut adds up to the whole."""

    sector: tuple[Slice, ...]
    asset_class: tuple[Slice, ...]
    currency: tuple[Slice, ...]

    def cut(self, kind: Kind) -> tuple[Slice, ...]:
        """Return one of the three."""
        return {"sector": self.sector, "asset_class": self.asset_class, "currency": self.currency}[kind]

    def to_json(self) -> Document:
        """Return the three lists as plain data: group, value, weight, target, drift."""
        return {
            kind: [
                {
                    "group": one.group,
                    "value": number(one.value),
                    "weight": number(one.weight),
                    "target": number(one.target),
                    "drift": number(one.drift),
                }
                for one in self.cut(kind)
            ]
            for kind in KINDS
        }


def allocation(plan: Plan) -> Allocation:
    """Return a plan's weights by sector, asset class and currency.

    The cash target is taken to be in the currencies that cash is held in now, in their proportions; where none is
    held, in the base currency.
    """
    rates = {code: rate.rate for code, rate in plan.rates.items()} | {plan.base_currency: Decimal(1)}
    purse = {code: amount * rates[code] for code, amount in plan.cash.before.items() if amount and code in rates}
    cash = plan.total_value - sum((position.value for position in plan.positions), ZERO)
    held = sum(purse.values(), ZERO)
    parts = {code: value / held for code, value in purse.items()} if held > 0 else {}
    return Allocation(
        _cut(plan, sector_of, {OTHER: Decimal(1)}, cash, plan.cash.target_weight),
        _cut(plan, lambda one: one.asset_class or UNKNOWN, {CASH: Decimal(1)}, cash, plan.cash.target_weight),
        _cut(plan, lambda one: one.currency, parts or {plan.base_currency: Decimal(1)}, cash, plan.cash.target_weight),
    )


def sector_of(instrument: Instrument) -> str:
    """Return an instrument's GICS sector as the catalogue has it, else what stands for none."""
    entry = catalogue.load().get(instrument.symbol)
    if entry and entry.sector:
        return entry.sector
    if instrument.asset_class not in _EQUITY:
        return OTHER
    return BROAD if instrument.asset_type in _FUNDS else UNKNOWN


def _cut(
    plan: Plan, group_of: Callable[[Instrument], str], cash: dict[str, Decimal], value: Decimal, target: Decimal
) -> tuple[Slice, ...]:
    """Return the slices of one cut; `cash` says which groups cash belongs to, in which parts."""
    values: defaultdict[str, Decimal] = defaultdict(Decimal)
    targets: defaultdict[str, Decimal] = defaultdict(Decimal)
    aims = _aims(plan)
    for position in plan.positions:
        plain = Instrument(position.symbol, position.name, position.market, position.currency, position.asset_type)
        group = group_of(plan.portfolio.instruments.get(position.symbol, plain))
        values[group] += position.value
        targets[group] += aims.get(position.symbol, position.target)
    for group, part in cash.items():
        values[group] += value * part
        targets[group] += target * part
    return tuple(sorted(_slices(values, targets, plan.total_value), key=lambda one: (-one.weight, one.group)))


def _aims(plan: Plan) -> dict[str, Decimal]:
    """Return the weights that members of goals would have where every goal is on its target; others have their own."""
    if not any(position.goals for position in plan.positions) or plan.total_value <= 0:
        return {}
    values = {position.symbol: position.value for position in plan.positions}
    goals = (state.goal for state in plan.goals)
    return {symbol: aim / plan.total_value for symbol, aim in aims_of(goals, values, plan.total_value).items()}


def _slices(values: dict[str, Decimal], targets: dict[str, Decimal], total: Decimal) -> Iterable[Slice]:
    for group, value in values.items():
        if value or targets[group]:
            yield Slice(group, value, value / total if total else ZERO, targets[group])
