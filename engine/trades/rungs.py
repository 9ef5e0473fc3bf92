"""Who may trade: the rungs of a plan, from buying with the cash there is to selling everywhere.

1. Buy with the cash there is and sell nothing; where cash falls short of a withdrawal or a buffer: only sell, anywhere.
2. Also sell in the sections that act; every other instrument is only bought, as their counterpart.
3. The counterparts are only sold.

A rung is climbed only while something is outside its band or limit, and taken only if that becomes less by
`WORTHWHILE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from engine.drift import cash_band, limits_of
from engine.money import ZERO
from engine.plan import Position, SectionState
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
    """What a rung lets one instrument do: be bought, be sold, and how much its deviation counts."""

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


def breached(portfolio: Portfolio, positions: Sequence[Position]) -> frozenset[str]:
    """Return the symbols outside a band or limit, or without a target; a group's limit concerns all its members."""
    weights = {p.symbol: p.weight for p in positions}
    found = {p.symbol for p in positions if p.status in ("OVER", "UNDER", "NO_TARGET")}
    kept = (p for p in positions if p.status in ("LOCKED", "DISABLED"))
    found.update(p.symbol for p in kept if not p.low <= p.weight <= p.high)
    for limit in limits_of(portfolio):
        if limit.outside(weights) > 0:
            found.update(member for member in limit.members if member in weights)
    return frozenset(found)


def parts(
    portfolio: Portfolio, positions: Sequence[Position], found: Causes, outside: frozenset[str], kind: Kind
) -> dict[str, Part]:
    """Return what each symbol may do on a rung; `outside` are those of `breached`."""
    settings = portfolio.settings
    buys, sells = settings.mode != "sell-only", settings.mode != "buy-only"
    picky = settings.trade == "breached" or settings.destination != "target"
    given = {}
    for p in positions:
        acts = p.section in found.sections if p.section else (found.untargeted or settings.trigger == "always")
        if kind == "buy":
            part = Part(buys, sell=False, weight=1.0)
        elif kind in ("raise", "none"):
            part = Part(buy=False, sell=sells and kind == "raise", weight=COUNTERPART if kind == "raise" else 1.0)
        elif acts and not (picky and p.symbol not in outside):
            part = Part(buys, sells, 1.0)
        else:
            part = Part(buys and kind == "act", sells and kind == "counterparts", COUNTERPART)
        given[p.symbol] = part
    return given


def money_outside(
    portfolio: Portfolio, positions: Sequence[Position], after: Mapping[str, Decimal], cash: Decimal, total: Decimal
) -> Decimal:
    """Return the money beyond bands and limits, and of cash below its band; locked and disabled positions left out.

    `after` is the value of each symbol after a plan, `cash` all of it, in the base currency.
    """
    amount = max(cash_band(portfolio, total)[0] - cash, ZERO)
    free = {p.symbol for p in positions if p.status not in ("LOCKED", "DISABLED")}
    for p in positions:
        if p.symbol in free:
            worth = after[p.symbol]
            amount += max(worth - p.high * total, p.low * total - worth, ZERO)
    weights = {symbol: worth / total for symbol, worth in after.items()}
    for limit in limits_of(portfolio):
        if free & set(limit.members):
            amount += limit.outside(weights) * total
    return amount
