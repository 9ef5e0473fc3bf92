"""A plan's weights by sector, by asset class and by trading currency, beside what its targets come to.

Sectors and classes are the catalogue's and the document's own. A fund of many sectors is `broad`; what is no equity
(bonds, commodities, cash) is `other` among the sectors; what nobody says is `unknown`. The currency is the one that an
instrument trades in: a fund listed in Korea counts as won, whatever it holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from engine.documents import Document, number
from engine.goals import exposure_of, tree_of, uses_goals
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

    `value` is in the base currency, weights are fractions of the total value before trading. `target` is None where
    goals leave it open: their members are in several groups.
    """

    group: str
    value: Decimal
    weight: Decimal
    target: Decimal | None

    @property
    def drift(self) -> Decimal | None:
        """Return how far the weight is from the target, signed; None where that is open."""
        return None if self.target is None else self.weight - self.target


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
    share, whole = plan.cash.target_weight, Decimal(1)
    return Allocation(
        _cut(plan, lambda one: {sector_of(one): whole}, {OTHER: whole}, cash, share),
        _cut(plan, _classes_of(plan), {CASH: whole}, cash, share, classes=True),
        _cut(plan, lambda one: {one.currency: whole}, parts or {plan.base_currency: whole}, cash, share),
    )


def _classes_of(plan: Plan) -> Callable[[Instrument], Mapping[str, Decimal]]:
    """Return what tells an instrument's asset classes: where goals are wanted, of what is inside it."""
    portfolio = plan.portfolio
    tree = tree_of(portfolio)
    inside = uses_goals(portfolio)

    def parts(instrument: Instrument) -> Mapping[str, Decimal]:
        own = instrument.asset_class or UNKNOWN
        if not inside or instrument.symbol not in portfolio.instruments:
            return {own: Decimal(1)}
        found: dict[str, Decimal] = {}
        for name, part in exposure_of(portfolio, instrument.symbol, tree).items():
            group = tree.coarse(name) or own
            found[group] = found.get(group, ZERO) + part
        rest = 1 - sum(found.values(), ZERO)
        return {**found, **({own: found.get(own, ZERO) + rest} if rest > 0 else {})}

    return parts


def sector_of(instrument: Instrument) -> str:
    """Return an instrument's GICS sector as the catalogue has it, else what stands for none."""
    entry = catalogue.load().get(instrument.symbol)
    if entry and entry.sector:
        return entry.sector
    if instrument.asset_class not in _EQUITY:
        return OTHER
    return BROAD if instrument.asset_type in _FUNDS else UNKNOWN


def _cut(
    plan: Plan,
    groups_of: Callable[[Instrument], Mapping[str, Decimal]],
    cash: dict[str, Decimal],
    value: Decimal,
    target: Decimal,
    *,
    classes: bool = False,
) -> tuple[Slice, ...]:
    """Return the slices of one cut; `cash` says which groups cash belongs to, in which parts.

    A goal whose members are in several groups leaves the targets of all of them open; of `classes`, a class of assets
    says itself which group it is.
    """
    groups: dict[str, Mapping[str, Decimal]] = {}
    values: defaultdict[str, Decimal] = defaultdict(Decimal)
    targets: defaultdict[str, Decimal] = defaultdict(Decimal)
    for position in plan.positions:
        plain = Instrument(position.symbol, position.name, position.market, position.currency, position.asset_type)
        groups[position.symbol] = groups_of(plan.portfolio.instruments.get(position.symbol, plain))
        for group, part in groups[position.symbol].items():
            values[group] += position.value * part
            targets[group] += position.target * part
    tree, unsure = tree_of(plan.portfolio), set[str]()
    for state in plan.goals:
        if state.goal.kind == "instrument" or not state.leaf or not state.target:
            continue
        named = state.goal.target.asset_class if classes and state.goal.target else None
        known = tree.coarse(named) if named else None
        mine = {known} if known else {group for symbol in state.goal.members for group in groups[symbol]}
        if len(mine) == 1:
            targets[mine.pop()] += state.target
        else:
            unsure |= mine
    for group, part in cash.items():
        values[group] += value * part
        targets[group] += target * part
    for group in targets:
        values.setdefault(group, ZERO)
    return tuple(sorted(_slices(values, targets, unsure, plan.total_value), key=lambda one: (-one.weight, one.group)))


def _slices(
    values: Mapping[str, Decimal], targets: Mapping[str, Decimal], unsure: set[str], total: Decimal
) -> Iterable[Slice]:
    for group, value in values.items():
        wanted = targets.get(group, ZERO)
        if value or wanted or group in unsure:
            yield Slice(group, value, value / total if total else ZERO, None if group in unsure else wanted)
