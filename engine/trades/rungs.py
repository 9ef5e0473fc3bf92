"""Who may trade: the rungs of a plan, from buying with the cash there is to selling everywhere.

1. Buy with the cash there is and sell nothing; where cash falls short of a withdrawal or a buffer: only sell, anywhere.
2. Also sell in the sections that act; every other instrument is only bought, as their counterpart.
3. The counterparts are only sold.

A rung is climbed only while something is outside its band or limit, and taken only if that becomes less by
`WORTHWHILE`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from engine.drift import cash_band, concerned, frozen_symbols, limits_of
from engine.money import ZERO
from engine.plan import GoalState, SectionState
from engine.portfolio import Portfolio
from engine.trades.problem import COUNTERPART
from engine.valuation import Valuation

#: What a later rung has to bring back inside bands and limits, of the total value.
WORTHWHILE = Decimal("0.001")

Kind = Literal["none", "buy", "raise", "act", "counterparts"]
#: The number that a person is told.
NUMBERS: Mapping[Kind, int] = {"none": 0, "buy": 1, "raise": 1, "act": 2, "counterparts": 3}


@dataclass(frozen=True, slots=True)
class Causes:
    """What calls for trades: sections (by name), holdings without a target, cash outside its band, a cash flow."""

    sections: frozenset[str]
    untargeted: bool
    cash: Literal["", "below", "above"]
    flow: bool
    due: bool

    @property
    def acting(self) -> bool:
        """Tell whether a section acts, or the holdings without a target, which are one of their own."""
        return bool(self.sections) or self.untargeted

    @property
    def any(self) -> bool:
        """Tell whether anything calls for trades."""
        return self.acting or bool(self.cash) or self.flow


@dataclass(frozen=True, slots=True)
class Part:
    """What a rung lets one goal do: be bought, be sold, and how much its deviation counts."""

    buy: bool
    sell: bool
    weight: float


def causes(portfolio: Portfolio, valuation: Valuation, sections: Sequence[SectionState], *, untargeted: bool) -> Causes:
    """Return what calls for trades; `untargeted`: whether a share of what has no target can be sold."""
    low, high = cash_band(portfolio, valuation.total)
    cash = valuation.cash_value
    return Causes(
        sections=frozenset(state.section for state in sections if state.acts),
        untargeted=untargeted,
        cash="below" if cash < low else "above" if cash > high else "",
        flow=portfolio.settings.cash_flow != 0,
        due=any(state.due for state in sections),
    )


def ladder(portfolio: Portfolio, found: Causes, *, short: bool) -> Iterator[Kind]:
    """Yield the rungs to try, in order; `short`: whether cash alone falls short of a withdrawal or a buffer."""
    if portfolio.settings.trigger == "always":
        yield "act"
        yield "counterparts"
        return
    if short:
        yield "raise"
    elif found.any and not found.due:
        yield "buy"
    if found.acting:
        yield "act"
    if found.acting or found.cash == "below":
        yield "counterparts"


def breached(portfolio: Portfolio, states: Sequence[GoalState], weights: Mapping[str, Decimal]) -> frozenset[str]:
    """Return the goals outside a band or limit, or without a target; a group's limit concerns all its members.

    `weights` are those of symbols before trading.
    """
    found = {state.name for state in states if state.status in ("OVER", "UNDER", "NO_TARGET")}
    kept = (state for state in states if state.idle)
    found.update(state.name for state in kept if not state.low <= state.weight <= state.high)
    for limit in limits_of(portfolio):
        if limit.outside(weights) > 0:
            found.update(
                state.name for state in states if state.name in limit.of or limit.of & state.goal.members.keys()
            )
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a rung lets each goal do, and what is to be consolidated: as a holding without a target."""

    goals: Mapping[str, Part]
    spare: Part

    def of(self, mine: Iterable[GoalState]) -> tuple[bool, bool]:
        """Tell whether an instrument of these goals may be bought, and sold: if any of them may."""
        given = [self.goals[state.name] for state in mine]
        return any(part.buy for part in given), any(part.sell for part in given)


def parts(
    portfolio: Portfolio, states: Sequence[GoalState], found: Causes, outside: frozenset[str], kind: Kind
) -> Parts:
    """Return what each goal may do on a rung; `outside` are those of `breached`."""
    settings = portfolio.settings
    picky = settings.trade == "breached" or settings.destination != "target"
    untargeted = found.untargeted or settings.trigger == "always"
    given = {}
    for state in states:
        acts = state.section in found.sections if state.section else untargeted
        given[state.name] = _part(portfolio, kind, acts=acts and not (picky and state.name not in outside))
    return Parts(given, _part(portfolio, kind, acts=untargeted))


def _part(portfolio: Portfolio, kind: Kind, *, acts: bool) -> Part:
    mode = portfolio.settings.mode
    buys, sells = mode != "sell-only", mode != "buy-only"
    if kind == "buy":
        return Part(buys, sell=False, weight=1.0)
    if kind in ("raise", "none"):
        return Part(buy=False, sell=sells and kind == "raise", weight=COUNTERPART if kind == "raise" else 1.0)
    if acts:
        return Part(buys, sells, 1.0)
    return Part(buys and kind == "act", sells and kind == "counterparts", COUNTERPART)


def money_outside(
    portfolio: Portfolio,
    states: Sequence[GoalState],
    after: Mapping[str, Decimal],
    cash: Decimal,
    total: Decimal,
    spare: Decimal = ZERO,
) -> Decimal:
    """Return the money beyond bands and limits, and of cash below its band; locked and disabled goals left out.

    `after` is the value of each symbol after a plan, `cash` all of it, `spare` what is left of what is to be
    consolidated, in the base currency.
    """
    amount = max(cash_band(portfolio, total)[0] - cash, ZERO) + spare
    for state in states:
        if not state.idle:
            worth = state.goal.worth(after)
            amount += max(worth - state.high * total, state.low * total - worth, ZERO)
    weights = {symbol: worth / total for symbol, worth in after.items()}
    limits = tuple(limits_of(portfolio))
    frozen = frozen_symbols(portfolio) if limits else frozenset()
    for limit in limits:
        if any(True for _ in concerned(limit, states, frozen)):
            amount += limit.outside(weights) * total
    return amount
