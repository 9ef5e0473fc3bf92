"""What a portfolio document says, computed from the contract alone: value, targets, bands, who acts and why, rungs.

Nothing here imports the engine. Money is in the base currency as floats, but for prices and charges, which stay
Decimal so that a bill can be rounded as it is paid. Quantities are in lots (fractional instruments: in shares).
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

from tests.oracle.goals import (
    UNTARGETED,
    Named,
    first_choices,
    goals_of,
    is_company,
    is_risk,
    joined,
    main_goal,
    number,
    rank_of,
    simple_goals,
    tree_of,
)

#: Upper ends of the brackets of r, and what each part counts per unit of money.
EDGES = (0.01, 0.05, 0.10, 0.25, 0.50, 1.00, math.inf)
SLOPES = (0.02, 0.06, 0.15, 0.35, 0.75, 1.5, 2.0)
#: The most that a bracket of idle cash counts.
IDLE = 0.15
#: Slope of what has target 0.
STUB = 2.0
COUNTERPART = 0.05
BROKEN = 10.0
#: The smallest scale of a deviation, as a share of the total value.
SMALLEST_SCALE = 0.01
WITHHELD = Decimal("0.154")
OVERSEAS = Decimal("0.22")
ALLOWANCE = Decimal(2_500_000)
#: A later rung has to leave this share of the total value less outside.
WORTH_CLIMBING = 0.001
#: What counts as equal, as a share of the total value (money) or of a share (quantities).
EPS = 1e-9
#: Of what a sale or conversion brings, the part that a withdrawal counts on where it is split over accounts.
REACH = 0.99
#: Limits of `risk` on what is held directly, of the total: leveraged funds together, exposure, one company.
LEVERAGED, EXPOSED, ONE_COMPANY = 0.10, 1.20, 0.10
DIGITS = {"KRW": 0, "USD": 2}
DEFAULT_RULES: Mapping[str, Mapping[str, Any]] = {
    "core": {"schedule": "semi-annual", "absolute_band": 0.05, "relative_band": None},
    "satellite": {"schedule": "quarterly", "absolute_band": 0.07, "relative_band": None},
    "all": {"schedule": "none", "absolute_band": 0.05, "relative_band": 0.25},
}
DEFAULT_MIN_TRADE = {
    ("core", "KRW"): 200_000,
    ("core", "USD"): 150,
    ("satellite", "KRW"): 100_000,
    ("satellite", "USD"): 75,
}
MONTHS = {"monthly": 1, "quarterly": 3, "semi-annual": 6, "annual": 12}
#: What a unit of money bought in a less preferred place counts, for each place before it.
PREFERENCE = 0.001


def to_unit(amount: Decimal, currency: str) -> Decimal:
    """Round an amount half up to its currency's smallest unit."""
    return amount.quantize(Decimal(1).scaleb(-DIGITS[currency]), rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Asset:
    """A symbol: what is held of it in all accounts, and what trading it costs."""

    symbol: str
    value: float
    enabled: bool  # no goal of it is disabled
    all_locked: bool
    price: Decimal  # per lot, in its currency
    currency: str
    fx: Decimal
    lot: Decimal  # shares; 1 where fractional
    whole: bool
    market: str
    traits: frozenset[str]
    risk: bool
    min_trade: float
    min_is_default: bool
    commission: Decimal
    fee: Decimal
    sell_tax: Decimal
    taxed: str  # dividend, overseas or nothing
    leverage: float  # times its index, above 0
    company: bool  # a share of one company
    #: The leaves it is joined with, where it is split over several or joined with one that is.
    joined: frozenset[int]

    @property
    def step(self) -> float:
        """Return the value of a lot in the base currency."""
        return float(self.price * self.fx)

    @property
    def frozen(self) -> bool:
        return self.all_locked or not self.enabled


@dataclass(frozen=True)
class Goal:
    """What a target names: its band and limits in money, and what is held of it in all accounts."""

    name: str
    kind: str
    section: str
    weight: float
    target: float
    value: float
    spare: float  # of its value, what is to be consolidated
    low: float
    high: float
    minimum: float | None
    maximum: float | None
    enabled: bool
    all_locked: bool
    leaf: bool
    simple: bool  # no member has a part in another leaf
    exposures: Mapping[int, float]  # by asset

    @property
    def frozen(self) -> bool:
        """Tell whether it is left out of every reason: locked throughout, or disabled."""
        return self.all_locked or not self.enabled

    @property
    def outside_band(self) -> float:
        return max(self.value - self.high, self.low - self.value, 0.0)

    @property
    def settled(self) -> float:
        """Return its value without what is to be consolidated."""
        return self.value - self.spare


@dataclass(frozen=True)
class Slot:
    """One symbol in one account: what may be sold there, and whether it may be bought there."""

    account: int
    asset: int
    sellable: float  # lots
    may_buy: bool
    average: Decimal | None  # base currency per lot
    spare: float  # money of what is to be consolidated, else 0
    rank: int  # how far down the list of preferred places the account is


@dataclass(frozen=True)
class Purse:
    """An account: its cash by currency (cash flow included), what must stay, and its cap on risk assets."""

    name: str
    taxable: bool
    cash: Mapping[str, Decimal]
    floor: Mapping[str, Decimal]
    risk_cap: float | None  # the largest share of risk assets after a purchase
    value: float  # before trading
    risk: float  # money of risk assets it holds


@dataclass(frozen=True)
class WeightLimit:
    """A side of a limit: `sign` 1 keeps the sum of exposures at or below `bound`, −1 at or above it."""

    exposures: Mapping[int, float]  # by asset
    sign: int
    bound: float
    broken: bool
    goals: frozenset[int]  # that it is of: those named, and those of the symbols named
    reasons: frozenset[str]  # the sections of what is not frozen of it

    @property
    def frozen(self) -> bool:
        return not self.reasons

    def excess(self, values: Sequence[float]) -> float:
        """Return the money that assets' values are outside; below 0 inside."""
        return self.sign * (math.fsum(share * values[m] for m, share in self.exposures.items()) - self.bound)


@dataclass(frozen=True)
class Term:
    """A part of the objective: coefficient times the bracketed distance of a value from [low, high]."""

    coefficient: float
    low: float
    high: float
    scale: float


@dataclass(frozen=True)
class Reach:
    """How far orders may move a goal: the furthest, in money, of what is sold (or bought), by asset.

    0: the asset is not sold (or bought) either, over all accounts.
    """

    down: Mapping[int, float]
    up: Mapping[int, float]


@dataclass(frozen=True)
class Rung:
    """The rules of one rung: who may trade, how far, and what each deviation counts."""

    number: int
    raising: bool
    idle_cap: float
    omega: tuple[float, ...]  # by goal
    sells: tuple[bool, ...]  # by slot
    buys: tuple[bool, ...]  # by slot
    min_buy: tuple[float, ...]  # by asset
    min_sell: tuple[float, ...]  # by asset
    reaches: tuple[Reach | None, ...]  # by goal; None: the rule on orders is not applied
    terms: tuple[tuple[Term, ...], ...]  # by goal
    stubs: tuple[float, ...]  # by goal: slope per unit of money held, for target 0
    spare: float  # slope per unit of money that is to be consolidated


@dataclass(frozen=True)
class Case:
    """A portfolio as section 4 of the contract sees it."""

    base: str
    total: float
    cash_target: float
    assets: tuple[Asset, ...]
    goals: tuple[Goal, ...]
    slots: tuple[Slot, ...]
    purses: tuple[Purse, ...]
    limits: tuple[WeightLimit, ...]
    #: Limits of `risk` that are broken: acting causes; what is beyond what members may weigh then is outside, and its
    #: goals are breached; no part of the objective.
    yardsticks: tuple[WeightLimit, ...]
    sections: Mapping[str, bool]  # by name: due
    rates: Mapping[str, Decimal]
    convert: bool
    spread: float
    turnover: float | None
    effort: float
    mode: str
    trigger: str
    trade: str
    destination: str
    flow: float
    taxes: str  # count, show or none
    allowance: float
    notes: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def cash(self) -> float:
        """Return the cash before trading, of all accounts and currencies, cash flow included."""
        return float(sum(self.rates[c] * n for purse in self.purses for c, n in purse.cash.items()))

    @property
    def cash_scale(self) -> float:
        return max(self.cash_target, SMALLEST_SCALE * self.total)

    @property
    def cash_low(self) -> float:
        """Return the lower edge of the cash band."""
        return self.cash_target - min(0.05 * self.total, 0.25 * self.cash_target)

    @property
    def cash_high(self) -> float:
        """Return the upper edge of the cash band."""
        return self.cash_target + max(min(0.05 * self.total, 0.25 * self.cash_target), 0.01 * self.total)

    @cached_property
    def short(self) -> bool:
        """Tell whether some account cannot keep its floors with conversions alone."""
        return any(conversion(self, purse, {}) is None for purse in self.purses)

    @cached_property
    def acting(self) -> Mapping[str, list[str]]:
        """Return the sections that act, each with its reasons."""
        if self.trigger == "always":
            return {name: ["always"] for name in (*self.sections, UNTARGETED)}
        found: dict[str, list[str]] = {}
        for name, due in self.sections.items():
            why = ["due"] if due else []
            mine = (goal for goal in self.goals if goal.section == name and not goal.frozen)
            why += [f"band {goal.name}" for goal in mine if goal.outside_band > EPS * self.total]
            why += ["limit" for limit in self.limits if limit.broken and name in limit.reasons]
            why += ["risk" for limit in self.yardsticks if name in limit.reasons]
            if why:
                found[name] = why
        stubs = [s for s in self.slots if s.sellable > EPS and (s.spare or self._untargeted(s.asset))]
        if stubs and self.mode != "buy-only":
            found[UNTARGETED] = ["untargeted"]
        return found

    @cached_property
    def _broken(self) -> tuple[WeightLimit, ...]:
        return tuple(limit for limit in (*self.limits, *self.yardsticks) if limit.broken)

    def _untargeted(self, asset: int) -> bool:
        return any(goal.section == UNTARGETED and asset in goal.exposures for goal in self.goals)

    def breached(self, g: int) -> bool:
        """Tell whether a goal is outside its band or a limit."""
        limited = any(g in limit.goals for limit in self._broken)
        return limited or self.goals[g].outside_band > EPS * self.total

    def moved(self, g: int, orders: Mapping[int, float]) -> float:
        """Return what orders change a goal's value by, but for what is consolidated."""
        shares = self.goals[g].exposures
        return math.fsum(
            shares[self.slots[s].asset] * lots * self.assets[self.slots[s].asset].step
            for s, lots in orders.items()
            if self.slots[s].asset in shares and not self.slots[s].spare
        )

    @property
    def due(self) -> bool:
        return any(self.sections.values())

    @property
    def cash_acts(self) -> str:
        """Return below or above where cash is outside its band."""
        if self.cash < self.cash_low - EPS * self.total:
            return "below"
        return "above" if self.cash > self.cash_high + EPS * self.total else ""

    @cached_property
    def ladder(self) -> tuple[int, ...]:
        """Return the rungs to climb, in order; none where there is nothing to do."""
        if self.trigger == "always":
            return (2, 3)
        if self.acting:
            return (1, 2, 3) if self.short or not self.due else (2, 3)
        if self.cash_acts:
            return (1, 3) if self.cash_acts == "below" else (1,)
        return (1,) if self.flow or self.short else ()

    def spendable(self, account: int) -> float:
        """Return the most money an account could buy with: its cash and all that it may sell, without charges."""
        held = sum(s.sellable * self.assets[s.asset].step for s in self.slots if s.account == account)
        cash = self.purses[account].cash
        return held + sum(float(self.rates[c] * max(n, Decimal(0))) for c, n in cash.items())

    def rung(self, which: int) -> Rung:
        """Return the rules of a rung."""
        return _rung(self, which)

    def outside(self, values: Sequence[float], spare: float, cash: float) -> float:
        """Return the share of the total value outside bands and limits, and of cash below its band.

        `values` are the assets', `spare` is what is left of what is to be consolidated.
        """
        money = max(self.cash_low - cash, 0.0) + spare
        for goal in self.goals:
            if not goal.frozen:
                value = worth(goal, values)
                money += max(value - goal.high, goal.low - value, 0.0)
        for limit in (*self.limits, *self.yardsticks):
            if not limit.frozen:
                money += max(limit.excess(values), 0.0)
        return money / self.total


def worth(goal: Goal, values: Sequence[float]) -> float:
    """Return a goal's value where its members are worth this much."""
    return math.fsum(share * values[m] for m, share in goal.exposures.items())


def conversion(case: Case, purse: Purse, change: Mapping[str, float], slack: float = 0.0) -> float | None:
    """Return the money to convert (base currency, before the spread) so that every currency keeps its floor.

    `change` is what trades bring by currency; `slack` is forgiven in each currency, in its smallest units. None: no
    conversion does. At most two currencies.
    """
    over = {}
    for currency in case.rates:
        forgiven = slack * 10.0 ** -DIGITS[currency]
        left = float(purse.cash.get(currency, 0)) + change.get(currency, 0.0) - float(purse.floor[currency]) + forgiven
        over[currency] = left * float(case.rates[currency])
    short = -sum(min(v, 0.0) for v in over.values())
    tiny = EPS * 1e-3 * case.total
    if short <= tiny:
        return 0.0
    if not case.convert:
        return None
    needed = short / (1 - case.spread)
    return needed if needed <= sum(max(v, 0.0) for v in over.values()) + tiny else None


def brackets(distance: float, scale: float, cap: float = math.inf) -> float:
    """Return D: the distance weighed in brackets of its ratio to the scale, no bracket above `cap`."""
    total, start = 0.0, 0.0
    for edge, slope in zip(EDGES, SLOPES, strict=True):
        part = min(distance, edge * scale) - start
        if part <= 0:
            break
        total += part * min(slope, cap)
        start = edge * scale
    return total


# ---------------------------------------------------------------------------------------------------------- rungs


def _counterpart(case: Case, g: int, which: int) -> bool:
    if which == 1:
        return False
    if case.goals[g].section not in case.acting:
        return True
    breached_only = case.trade == "breached" or case.destination != "target"
    return breached_only and not case.breached(g)


def edges(goal: Goal, destination: str) -> tuple[float, float]:
    """Return the nearest values that the destination asks for: the target itself, or edges of the (half) band."""
    if destination == "target":
        return goal.target, goal.target
    if destination == "edge":
        return goal.low, goal.high
    return (goal.target + goal.low) / 2, (goal.target + goal.high) / 2


def _rung(case: Case, which: int) -> Rung:
    raising = which == 1 and case.short
    min_buy = tuple(0.0 if which == 1 and a.min_is_default else a.min_trade for a in case.assets)
    counterparts = [_counterpart(case, g, which) for g in range(len(case.goals))]
    omega = tuple(COUNTERPART if counterpart or raising else 1.0 for counterpart in counterparts)
    # What is to be consolidated is as a holding without a target.
    idle = which != 1 and UNTARGETED not in case.acting
    sells, buys = [], []
    for slot in case.slots:
        mine = [counterparts[g] for g, goal in enumerate(case.goals) if slot.asset in goal.exposures]
        mine = [False] * len(mine) if which == 1 else mine
        still = not raising and _at_rest(case, slot.asset)
        sold = raising or (which != 1 and (which == 3 or not all(mine)))
        sold &= not still
        sold |= bool(slot.spare) and (raising or (which != 1 and (which == 3 or not idle)))
        bought = not raising and not still and (which != 3 or not all(mine))
        sells.append(sold and case.mode != "buy-only" and case.assets[slot.asset].enabled)
        buys.append(bought and slot.may_buy and case.mode != "sell-only" and case.assets[slot.asset].enabled)
    return Rung(
        which,
        raising,
        math.inf if case.mode == "sell-only" else IDLE,
        omega,
        tuple(sells),
        tuple(buys),
        min_buy,
        tuple(asset.min_trade for asset in case.assets),
        tuple(_reach(case, g, min_buy, which, raising=raising) for g in range(len(case.goals))),
        tuple(_terms(case, goal, omega[g], which) for g, goal in enumerate(case.goals)),
        tuple(STUB * omega[g] if goal.leaf and goal.weight == 0 else 0.0 for g, goal in enumerate(case.goals)),
        STUB * (COUNTERPART if raising or idle else 1.0),
    )


def _at_rest(case: Case, asset: int) -> bool:
    """Tell whether an instrument of joined goals is left alone: each of them is on its target, no limit is broken."""
    mine = [case.goals[g] for g in case.assets[asset].joined]
    on = all(abs(goal.value - goal.target) <= EPS * case.total for goal in mine)
    return bool(mine) and on and not any(limit.broken for limit in case.limits)


def _terms(case: Case, goal: Goal, omega: float, which: int) -> tuple[Term, ...]:
    if not goal.leaf or goal.weight == 0:
        return ()
    scale = max(goal.target, SMALLEST_SCALE * case.total)
    term = Term(omega, goal.target, goal.target, scale)
    if case.destination == "target" or which == 1:
        return (term,)
    return Term(omega, *edges(goal, case.destination), scale), replace(term, coefficient=omega * COUNTERPART)


def _reach(case: Case, g: int, min_buy: Sequence[float], which: int, *, raising: bool) -> Reach | None:
    """Return how far orders may move a goal, by the rule on orders; None where it is not applied."""
    goal = case.goals[g]
    if not goal.simple:
        return None
    gap = goal.target - goal.settled
    towards = gap if abs(gap) > EPS * case.total else 0.0
    low = {m: _towards(case, goal, m, -towards, case.assets[m].min_trade) for m in goal.exposures}
    high = {m: _towards(case, goal, m, towards, min_buy[m]) for m in goal.exposures}
    bounded = case.destination != "target" and which != 1
    bounded &= goal.outside_band > EPS * case.total and goal.section in case.acting and not goal.frozen
    if bounded and goal.section != UNTARGETED and goal.weight > 0:
        lower, upper = edges(goal, case.destination)
        beyond = max(goal.settled - upper, lower - goal.settled)
        over = goal.settled > upper
        if beyond > 0 and (surplus(case) >= -EPS * case.total) == over:
            side = low if over else high
            side |= {m: min(side[m], _crossing(case, goal, m, beyond, 0.0)) for m in side}
    for limit in case.limits:
        if not limit.broken:
            continue
        excess = limit.excess([asset.value for asset in case.assets])
        for m, share in goal.exposures.items():
            part = limit.exposures.get(m)
            if limit.sign > 0 and part:
                low[m] = max(low[m], _crossing(case, goal, m, excess * share / part, case.assets[m].min_trade))
            elif limit.sign < 0 and not part:
                low[m] = max(low[m], _crossing(case, goal, m, excess * share, case.assets[m].min_trade))
            elif limit.sign < 0 and part:
                high[m] = max(high[m], _crossing(case, goal, m, excess * share / part, min_buy[m]))
    return Reach(dict.fromkeys(low, math.inf) if raising else low, high)


def _crossing(case: Case, goal: Goal, m: int, way: float, smallest: float) -> float:
    """Return the furthest that orders in a member move a goal that is `way` off: the lot that crosses included."""
    asset, share = case.assets[m], goal.exposures[m]
    money = max(way, share * smallest)
    return money + share * asset.step - EPS * case.total if asset.whole else money


def _towards(case: Case, goal: Goal, m: int, way: float, smallest: float) -> float:
    """Return the furthest towards a target that is `way` off, never further off than before; 0 the other way."""
    if way <= 0:
        return 0.0
    return min(_crossing(case, goal, m, way, smallest), 2 * way + 1e-3 * EPS * case.total)


def surplus(case: Case) -> float:
    """Return E: what the breached have beyond their edges, holdings without target, and cash above its target."""
    found = case.cash - case.cash_target + sum(slot.spare for slot in case.slots)
    for goal in case.goals:
        if goal.frozen or not goal.leaf:
            continue
        if goal.section == UNTARGETED:
            found += goal.value
        elif goal.outside_band > EPS * case.total:
            low, high = edges(goal, case.destination)
            found += max(goal.settled - high, 0.0) - max(low - goal.settled, 0.0)
    return found


# -------------------------------------------------------------------------------------------------------- reading


def read(document: Mapping[str, Any], as_of: dt.date, shares: Mapping[str, Decimal] | None = None) -> Case:
    """Return the case that a document (contract section 3) describes on a day.

    `shares` are what a withdrawal changes each account's base cash by, where they are not reading 18's.
    """
    folio = document["portfolio"]
    settings = dict(document.get("settings") or {})
    holdings = list(folio.get("holdings") or [])
    base = folio.get("base_currency") or holdings[0]["currency"]
    rates = {base: Decimal(1)}
    for pair, rate in (document.get("fx") or {}).items():
        if pair[3:] == base:
            rates[pair[:3]] = number(rate)
        elif pair[:3] == base:
            rates[pair[3:]] = 1 / number(rate)
    sections = {key: folio[key] for key in ("core", "satellite") if folio.get(key)}
    if folio.get("targets"):
        sections["all"] = folio["targets"]
    sections |= folio.get("sections") or {}
    rules = {name: _rule(folio, name, base) for name in (*sections, "all")}
    accounts = list(folio.get("accounts") or [{"name": "", "cash": folio.get("cash") or {}}])
    declared = bool(folio.get("accounts"))
    said: dict[str, dict[str, Any]] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in holdings:
        symbol = str(row["symbol"])
        said.setdefault(symbol, {}).update(row)
        rows.setdefault(symbol, []).append(
            row | {"account": row.get("account", accounts[0]["name"]) if declared else ""}
        )
    for target in (t for targets in sections.values() for t in targets if "ticker" in t):
        own = {k: v for k, v in target.items() if k not in ("min", "max")}
        said.setdefault(str(target["ticker"]), {}).update(own)
    tree = tree_of(folio.get("classes"))
    goals = goals_of(sections, said, tree)
    disabled = {symbol for goal in goals if not goal.enabled for symbol in goal.exposures}
    symbols = list(dict.fromkeys([*(symbol for goal in goals for symbol in goal.exposures), *rows]))

    worth = {}
    for symbol in symbols:
        info = said[symbol]
        one = number(info["price"]) * rates[info["currency"]]
        worth[symbol] = float(one * sum((number(r["quantity"]) for r in rows.get(symbol, [])), Decimal(0)))
    cash = {a["name"]: {c: number(n) for c, n in (a.get("cash") or {}).items()} for a in accounts}
    flow = number(settings.get("cash_flow", 0))
    parts = _flows(accounts, cash, rows, said, disabled, settings, rates, base, flow) if shares is None else shares
    for name, part in parts.items():
        cash[name][base] = cash[name].get(base, Decimal(0)) + part
    total = sum(worth.values()) + float(sum(rates[c] * n for purse in cash.values() for c, n in purse.items()))

    assets = tuple(
        _asset(symbol, said[symbol], rows.get(symbol, []), goals, rules, settings, rates, worth, tree)
        for symbol in symbols
    )
    prefer = folio.get("prefer") or {} if declared else {}
    slots = tuple(
        slot
        for at, account in enumerate(accounts)
        for slot in _slots(at, account, assets, goals, rows, said, prefer, tree)
    )
    places = {symbol: index for index, symbol in enumerate(symbols)}
    simple = simple_goals(goals)
    states = tuple(
        _goal(goal, simple[g], places, assets, slots, rules[goal.section or "all"], total)
        for g, goal in enumerate(goals)
    )
    buffer = number(settings.get("cash_buffer", 0))
    purses = tuple(_purse(account, cash, rates, base, buffer, rows, assets) for account in accounts)
    residence = settings.get("residence") or {"KRW": "KR", "USD": "US"}.get(base, "none")
    realised = number((settings.get("realised") or {}).get("overseas", 0))
    cash_target = max(1 - sum(goal.weight for goal in goals if goal.leaf), 0.0) * total
    return Case(
        base=base,
        total=total,
        cash_target=cash_target,
        assets=assets,
        goals=states,
        slots=slots,
        purses=purses,
        limits=_limits(folio, assets, states, total),
        yardsticks=_yardsticks(assets, states, total, float(flow)),
        sections={name: _due(rules[name], as_of) for name in sections},
        rates=rates,
        convert=bool(settings.get("convert_currency", True)),
        spread=float(settings.get("fx_spread", 0.001)),
        turnover=None if settings.get("max_turnover") is None else float(settings["max_turnover"]) * total,
        effort=float(settings.get("effort", 0.00005)) * total,
        mode=settings.get("mode", "full"),
        trigger=settings.get("trigger", "due"),
        trade=settings.get("trade", "all"),
        destination=settings.get("destination", "target"),
        flow=float(flow),
        taxes=settings.get("taxes", "count") if residence == "KR" else "none",
        allowance=float(max(ALLOWANCE - realised, Decimal(0))),
    )


def _rule(folio: Mapping[str, Any], name: str, base: str) -> dict[str, Any]:
    default = DEFAULT_RULES.get(name, DEFAULT_RULES["all"])
    rules = folio.get("rules") or {}
    given = dict(rules.get(name) or ({} if name in ("core", "satellite") else rules.get("all")) or {})
    kind = name if name in DEFAULT_RULES else "all"
    smallest = {"min_trade": DEFAULT_MIN_TRADE.get((kind, base), 0), "min_is_default": "min_trade" not in given}
    return {**default, **smallest, **given}


def _due(rule: Mapping[str, Any], as_of: dt.date) -> bool:
    last = rule.get("last_rebalanced")
    schedule = rule["schedule"] or "none"
    if schedule == "none" or last is None:
        return False
    last = last if isinstance(last, dt.date) else dt.date.fromisoformat(str(last))
    if schedule == "weekly":
        return as_of >= last + dt.timedelta(days=7)
    year, month = divmod(last.year * 12 + last.month - 1 + MONTHS[schedule], 12)
    day = min(last.day, calendar.monthrange(year, month + 1)[1])
    return as_of >= dt.date(year, month + 1, day)


def _flows(
    accounts: list[dict[str, Any]],
    cash: Mapping[str, Mapping[str, Decimal]],
    rows: Mapping[str, list[dict[str, Any]]],
    said: Mapping[str, Mapping[str, Any]],
    disabled: set[str],
    settings: Mapping[str, Any],
    rates: Mapping[str, Decimal],
    base: str,
    flow: Decimal,
) -> dict[str, Decimal]:
    """Return the cash flow by account: a deposit to the first that pays, a withdrawal as far as each one reaches."""
    paying = [a for a in accounts if a.get("type", "taxable") == "taxable"] or accounts[:1]
    if flow >= 0:
        return {paying[0]["name"]: flow}
    left, parts = -flow, {a["name"]: Decimal(0) for a in paying}
    for account in paying:
        reach = float(cash[account["name"]].get(base, 0)) - float(
            account.get("cash_buffer", settings.get("cash_buffer", 0))
        )
        convert = settings.get("convert_currency", True)
        if convert:
            foreign = (float(rates[c] * n) for c, n in cash[account["name"]].items() if c != base)
            reach += REACH * sum(foreign)
        for symbol, held in rows.items():
            info = said[symbol]
            if symbol in disabled or settings.get("mode") == "buy-only" or not (convert or info["currency"] == base):
                continue
            shares = sum(number(r["quantity"]) for r in held if r["account"] == account["name"] and not r.get("locked"))
            reach += REACH * float(shares * number(info["price"]) * rates[info["currency"]])
        unit = 10 ** DIGITS[base]
        given = min(left, max(Decimal(math.floor(reach * unit)) / unit, Decimal(0)))
        parts[account["name"]] -= given
        left -= given
    parts[paying[0]["name"]] -= left
    return parts


def _asset(
    symbol: str,
    info: Mapping[str, Any],
    held: list[dict[str, Any]],
    goals: Sequence[Named],
    rules: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    rates: Mapping[str, Decimal],
    worth: Mapping[str, float],
    tree: Mapping[str, str],
) -> Asset:
    rule = rules[goals[main_goal(goals, symbol)].section or "all"]
    bound = joined(goals, symbol)
    bound = bound if any(not simple for g, simple in enumerate(simple_goals(goals)) if g in bound) else set()
    market = info.get("market") or {"KRW": "KR", "USD": "US"}.get(info["currency"], "OTHER")
    kind = info.get("asset_type", "stock")
    costs = {"commission": Decimal(0), "minimum": Decimal(0), "sell_tax": Decimal(0)}
    for key in ("*", market, kind, f"{market}/{kind}"):
        costs |= {name: number(value) for name, value in ((settings.get("costs") or {}).get(key) or {}).items()}
    whole = market not in (settings.get("fractional") or [])
    lot = number(info.get("lot", 1)) if whole else Decimal(1)
    overseas = market == "US" or (market == "OTHER" and info["currency"] != "KRW")
    dividend = not overseas and kind in ("etf", "etn", "fund") and info.get("taxed_as_dividend") is True
    leverage = float(info.get("leverage", 1))
    traits = {"leveraged"} if abs(leverage) > 1 else set()
    traits |= {"inverse"} if leverage < 0 else set()
    traits |= {"futures"} if info.get("futures") else set()
    return Asset(
        symbol=symbol,
        value=worth[symbol],
        enabled=all(goal.enabled for goal in goals if symbol in goal.exposures),
        all_locked=_all_locked(held),
        price=number(info["price"]) * lot,
        currency=info["currency"],
        fx=rates[info["currency"]],
        lot=lot,
        whole=whole,
        market=market,
        traits=frozenset(traits),
        risk=is_risk(info, tree),
        min_trade=float(rule["min_trade"] or 0),
        min_is_default=bool(rule["min_is_default"]),
        commission=costs["commission"],
        fee=costs["minimum"],
        sell_tax=costs["sell_tax"],
        taxed="overseas" if overseas else "dividend" if dividend else "",
        leverage=abs(leverage),
        company=is_company(info, tree),
        joined=frozenset(bound),
    )


def _all_locked(held: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether something is held, and all of it locked."""
    some = [bool(row.get("locked")) for row in held if number(row["quantity"])]
    return bool(some) and all(some)


def _goal(
    named: Named,
    simple: bool,  # noqa: FBT001 - a fact among others
    places: Mapping[str, int],
    assets: Sequence[Asset],
    slots: Sequence[Slot],
    rule: Mapping[str, Any],
    total: float,
) -> Goal:
    weight = named.weight
    widths = [float(rule["absolute_band"])] if rule["absolute_band"] is not None else []
    widths += [float(rule["relative_band"]) * weight] if rule["relative_band"] is not None else []
    untargeted = named.section == UNTARGETED
    band = 0.0 if untargeted else min(widths, default=math.inf)
    minimum, maximum = (
        None if named.row.get(side) is None else float(named.row[side]) * total for side in ("min", "max")
    )
    exposures = {places[symbol]: share for symbol, share in named.exposures.items()}
    held = [assets[m] for m in exposures if assets[m].value]
    return Goal(
        name=named.key,
        kind=named.kind,
        section=named.section,
        weight=weight,
        target=weight * total,
        value=math.fsum(share * assets[m].value for m, share in exposures.items()),
        spare=math.fsum(exposures[slot.asset] * slot.spare for slot in slots if slot.asset in exposures),
        low=max(weight - band, 0.0) * total,
        high=(weight + band if widths or untargeted else 1.0) * total,
        minimum=minimum,
        maximum=maximum,
        enabled=named.enabled,
        all_locked=bool(held) and all(asset.all_locked for asset in held),
        leaf=named.leaf,
        simple=simple,
        exposures=exposures,
    )


def _slots(
    at: int,
    account: Mapping[str, Any],
    assets: Sequence[Asset],
    goals: Sequence[Named],
    rows: Mapping[str, list[dict[str, Any]]],
    said: Mapping[str, Mapping[str, Any]],
    prefer: Mapping[str, Sequence[str]],
    tree: Mapping[str, str],
) -> list[Slot]:
    """Return what may be sold and bought in an account."""
    markets, banned = account.get("markets"), frozenset(account.get("banned") or ())
    here = {
        symbol: [r for r in rows.get(symbol, []) if r["account"] == account["name"] and number(r["quantity"])]
        for symbol in dict.fromkeys([*said, *rows])
    }
    kinds = {asset.symbol: asset for asset in assets}
    may = {
        symbol: (markets is None or kinds[symbol].market in markets)
        and not kinds[symbol].traits & banned
        and not any(row.get("locked") for row in held)
        for symbol, held in here.items()
    }
    chosen = first_choices(goals, may, {symbol: bool(held) for symbol, held in here.items()})
    spare = {
        symbol
        for goal in goals
        if goal.row.get("consolidate") and goal.enabled and chosen & goal.exposures.keys()
        for symbol in goal.exposures.keys() - chosen
    }
    found = []
    for index, asset in enumerate(assets):
        held = here[asset.symbol]
        free = [row for row in held if not row.get("locked")]
        shares = sum((number(row["quantity"]) for row in free), Decimal(0))
        lots = shares / asset.lot
        sellable = float(math.floor(lots)) if asset.whole else float(lots)
        may_buy = asset.symbol in chosen
        if not asset.enabled or (sellable <= 0 and not may_buy and not (asset.symbol in spare and shares)):
            continue
        average = None
        if held and all(row.get("average_cost") is not None for row in held):
            costs = [
                (number(r["quantity"]), number(r["average_cost"]), number(r.get("cost_fx") or asset.fx)) for r in held
            ]
            paid = sum((q * cost * fx for q, cost, fx in costs), Decimal(0))
            average = paid / sum((q for q, _, _ in costs), Decimal(0)) * asset.lot
        goal = goals[main_goal(goals, asset.symbol)]
        found.append(
            Slot(
                account=at,
                asset=index,
                sellable=sellable,
                may_buy=may_buy,
                average=average if account.get("type", "taxable") == "taxable" else None,
                spare=float(lots) * asset.step if asset.symbol in spare else 0.0,
                rank=rank_of(asset.symbol, said[asset.symbol], goal, account, prefer, tree) if may_buy else 0,
            )
        )
    return found


def _purse(
    account: Mapping[str, Any],
    cash: Mapping[str, Mapping[str, Decimal]],
    rates: Mapping[str, Decimal],
    base: str,
    buffer: Decimal,
    rows: Mapping[str, list[dict[str, Any]]],
    assets: Sequence[Asset],
) -> Purse:
    name = account["name"]
    own = account.get("cash_buffer")
    floor = dict.fromkeys(rates, Decimal(0)) | {base: buffer if own is None else number(own)}
    risk = value = 0.0
    for asset in assets:
        shares = sum(number(r["quantity"]) for r in rows.get(asset.symbol, []) if r["account"] == name)
        here = float(shares * asset.price / asset.lot * asset.fx)
        value += here
        risk += here if asset.risk else 0.0
    value += float(sum(rates[c] * n for c, n in cash[name].items()))
    cap = account.get("risk_cap")
    taxable = account.get("type", "taxable") == "taxable"
    return Purse(name, taxable, cash[name], floor, None if cap is None else float(cap), value, risk)


def _limits(
    folio: Mapping[str, Any], assets: Sequence[Asset], goals: Sequence[Goal], total: float
) -> tuple[WeightLimit, ...]:
    symbols = {asset.symbol: m for m, asset in enumerate(assets)}
    names = {goal.name.casefold(): g for g, goal in enumerate(goals)}
    wanted: list[tuple[Mapping[int, float], int, float, set[int], set[str]]] = []
    for g, goal in enumerate(goals):
        reasons = set() if goal.frozen else {goal.section}
        wanted += [(goal.exposures, 1, goal.maximum, {g}, reasons)] if goal.maximum is not None else []
        wanted += [(goal.exposures, -1, goal.minimum, {g}, reasons)] if goal.minimum is not None else []
    for group in folio.get("groups") or []:
        shares: dict[int, float] = {}
        of, reasons = set(), set()
        for member in map(str, group["members"]):
            if member in symbols:
                m = symbols[member]
                mine = {g for g, goal in enumerate(goals) if m in goal.exposures}
                part: Mapping[int, float] = {m: 1.0}
                frozen = assets[m].frozen
            elif member.casefold() in names:
                mine = {names[member.casefold()]}
                part, frozen = goals[min(mine)].exposures, goals[min(mine)].frozen
            else:
                continue
            of |= mine
            reasons |= set() if frozen else {goals[g].section for g in mine}
            for m, share in part.items():
                shares[m] = shares.get(m, 0.0) + share
        for key, sign in (("max", 1), ("min", -1)):
            if group.get(key) is not None and of:
                wanted.append((shares, sign, float(group[key]) * total, of, reasons))
    values = [asset.value for asset in assets]
    limits = (
        WeightLimit(part, sign, bound, False, frozenset(of), frozenset(why)) for part, sign, bound, of, why in wanted
    )
    return tuple(replace(limit, broken=limit.excess(values) > EPS * total) for limit in limits)


def _yardsticks(assets: Sequence[Asset], goals: Sequence[Goal], total: float, flow: float) -> tuple[WeightLimit, ...]:
    """Return the limits of `risk` that are broken, that targets mend, and that a section breaks beyond its targets."""
    aimed = _aimed(assets, goals)
    held = [m for m, asset in enumerate(assets) if asset.value]
    leveraged = [m for m in held if assets[m].leverage > 1] or held
    found: list[tuple[list[int], float]] = []

    def look(members: Sequence[int], shares: Sequence[float], most: float, bound: float, own: float = 0.0) -> None:
        now = math.fsum(assets[m].value * share for m, share in enumerate(shares))
        then = math.fsum(worth * share for worth, share in zip(aimed, shares, strict=True))
        if now > most * (total + own) and then <= most * total:
            found.append((list(members), max(bound * total, math.fsum(aimed[m] for m in members))))

    multiples = [asset.leverage for asset in assets]
    look(leveraged, [float(times > 1) for times in multiples], LEVERAGED, LEVERAGED)
    beyond = max((multiples[m] for m in leveraged), default=1.0) - 1
    leaving = min(max(math.fsum(asset.value for asset in assets) - total, 0.0), max(-flow, 0.0))
    room = (EXPOSED - math.fsum(aimed) / total) / beyond if beyond > 0 else EXPOSED
    look(leveraged, multiples, EXPOSED, room, leaving)
    for m in held:
        if assets[m].company:
            look([m], [float(other == m) for other in range(len(assets))], ONE_COMPANY, ONE_COMPANY)

    limits = []
    ahead = {m: g.section for g in goals if g.leaf and not g.frozen and g.value > g.target for m in g.exposures}
    for members, bound in found:
        of = frozenset(g for g, goal in enumerate(goals) if goal.exposures.keys() & set(members))
        reasons = frozenset(ahead[m] for m in members if m in ahead) - {UNTARGETED}
        if reasons:
            limit = WeightLimit(dict.fromkeys(members, 1.0), 1, bound, False, of, reasons)
            excess = limit.excess([asset.value for asset in assets])
            limits.append(replace(limit, broken=excess > EPS * total))
    return tuple(limits)


def _aimed(assets: Sequence[Asset], goals: Sequence[Goal]) -> list[float]:
    """Return what assets are worth where goals are on their targets: members keep proportions, what is frozen stays."""
    aimed = [0.0] * len(assets)
    for goal in goals:
        if goal.leaf and goal.section != UNTARGETED:
            now = worth(goal, [asset.value for asset in assets])
            for m, share in goal.exposures.items() if now > 0 else ():
                aimed[m] += share * assets[m].value * goal.target / now
            if now <= 0:
                aimed[next(iter(goal.exposures))] += goal.target
    return [asset.value if asset.frozen else worth for asset, worth in zip(assets, aimed, strict=True)]


def with_settings(case: Case, **changed: Any) -> Case:
    """Return the case with some of its fields replaced."""
    return replace(case, **changed)
