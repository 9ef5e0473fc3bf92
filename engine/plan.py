"""What comes out: positions, sections, trades, conversions, cash, quality, tax: frozen records in exact money.

Money is Decimal in the currency named, weights are Decimal fractions of the total value before trading, cash and cash
flow included. `engine.rebalance.rebalance` makes a plan; hosts only convert and format it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING, Literal

from engine.allocation import allocation
from engine.documents import Document, number, problem_list
from engine.errors import Problem
from engine.goals import Goal, uses_goals
from engine.market.catalogue import asset_classes
from engine.phrase import Phrase, phrase
from engine.portfolio import Portfolio
from engine.valuation import FxRate, Valuation

if TYPE_CHECKING:
    import pandas as pd
from collections import defaultdict
from collections.abc import Iterable

from engine.money import ZERO

Status = Literal["OK", "OVER", "UNDER", "NO_TARGET", "LOCKED", "DISABLED"]
Side = Literal["buy", "sell"]


@dataclass(frozen=True, slots=True)
class Position:
    """Value one symbol over all accounts and compare it with its target and band.

    `value` is in the base currency, unrounded; `fx` is base currency per unit of `currency`; `drift` is signed. A
    member of equivalents or of classes has no target or band of its own (0, and 0 to 1): `goals` are its parts in each.
    """

    symbol: str
    name: str
    section: str | None
    market: str
    asset_type: str
    quantity: Decimal
    accounts: Mapping[str, Decimal]
    price: Decimal
    currency: str
    fx: Decimal
    price_source: str
    price_as_of: dt.datetime | None
    stale: bool
    value: Decimal
    weight: Decimal
    target: Decimal
    drift: Decimal
    low: Decimal
    high: Decimal
    status: Status
    goals: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GoalState:
    """Value a goal over its members and accounts and compare it with its target and band.

    `value` is in the base currency, unrounded; `drift` is signed. `spare` is what of it is to be consolidated, by
    symbol and account.
    """

    goal: Goal
    value: Decimal
    weight: Decimal
    target: Decimal
    drift: Decimal
    low: Decimal
    high: Decimal
    status: Status
    spare: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the goal's key."""
        return self.goal.name

    @property
    def section(self) -> str | None:
        """Return the goal's section, None of a holding without a target."""
        return self.goal.section

    @property
    def leaf(self) -> bool:
        """Tell whether the goal is an aim of its own."""
        return self.goal.leaf

    @property
    def idle(self) -> bool:
        """Tell whether it is shown where it is and calls for no trade."""
        return self.status in ("LOCKED", "DISABLED")

    @property
    def settled(self) -> Decimal:
        """Return the value without what is to be consolidated."""
        spare = (worth * self.goal.members[symbol] for (symbol, _), worth in self.spare.items())
        return self.value - sum(spare, ZERO)


def goal_label(name: str) -> Phrase | str:
    """Return what a goal is called in a sentence: a class of the catalogue in the reader's language."""
    known = asset_classes().get(name)
    return phrase(f"asset-class.{known.path}") if known else name


def spare_of(states: Iterable[GoalState]) -> dict[tuple[str, str], Decimal]:
    """Return what is to be consolidated, by symbol and account, in the base currency: each once."""
    return {place: worth for state in states for place, worth in state.spare.items()}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a section acts, or that nothing makes it: a code with its values; hosts turn it into a sentence.

    Codes: always (the setting), due (the review of `since`), limit and band (what is outside: symbols and names of
    groups in `symbols`), risk (limits of `risk` that going to the targets mends: their names in `rules`), inside
    (nothing calls for trades).
    """

    code: Literal["always", "due", "limit", "band", "risk", "inside"] = "inside"
    symbols: tuple[str, ...] = ()
    since: dt.date | None = None
    rules: tuple[Phrase, ...] = ()

    @property
    def phrase(self) -> Phrase:
        """Return the sentence."""
        return phrase(
            f"why.{self.code}", symbols=tuple(map(goal_label, self.symbols)), since=self.since, rules=self.rules
        )


@dataclass(frozen=True, slots=True)
class SectionState:
    """A section's sleeve beside its target, whether it is due, and whether and why it acts.

    `status` is OK, OVER or UNDER.
    """

    section: str
    target: Decimal
    weight: Decimal
    drift: Decimal
    due: bool
    next_due: dt.date | None
    status: Status
    breaches: tuple[str, ...]
    acts: bool = False
    why: Cause = Cause()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a trade is proposed: a code with its figures.

    Codes: over, under (outside the band), above, below (inside the band, towards the target), untargeted (a holding
    without a target), zero-target, raise-cash (a withdrawal, a buffer or a negative balance), pay-purchase (the money
    is for a purchase of the same plan), cash-target (cash is below its target), limit (a maximum, a group's or an
    account's risk cap), relocate (the same instrument moves between accounts), consolidate (a better liked member of
    the same goal takes its place), replace (it takes that place), together (goals that share funds come nearer to their
    targets together). The figures are those of `goal`, where it is one of several members.
    """

    code: str
    weight: Decimal
    target: Decimal
    low: Decimal
    high: Decimal
    goal: str = ""

    @property
    def phrase(self) -> Phrase:
        """Return the sentence, whose weights have as many decimals as it takes to tell them apart."""
        return phrase("reason-of-goal", goal=goal_label(self.goal), reason=self._plain) if self.goal else self._plain

    @property
    def _plain(self) -> Phrase:
        figures = (self.weight, self.target, self.low, self.high)
        return phrase(
            f"reason.{self.code}",
            weight=self.weight,
            target=self.target,
            low=self.low * 100,
            high=self.high,
            digits=_telling_digits(figures),
        )


@dataclass(frozen=True, slots=True)
class Trade:
    """Propose one order: a positive quantity of one symbol in one account.

    `amount`, `cost` and `tax` are in `currency`, in its smallest unit. A sale brings amount − cost − tax, a purchase
    takes amount + cost + tax. `tax` is all that is taken at the sale, `withheld` the part of it that is taken of its
    gain. `weight_after` is the symbol's over all accounts once every trade is done.
    """

    account: str
    symbol: str
    name: str
    side: Side
    quantity: Decimal
    price: Decimal
    currency: str
    amount: Decimal
    cost: Decimal
    tax: Decimal
    reason: Reason
    weight_after: Decimal
    withheld: Decimal = Decimal(0)
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """Propose one conversion: `amount` of the currency `sell` leaves the account; `bought` of `buy` arrives.

    `rate` is units of `buy` per unit of `sell`, before the spread; `cost` is the spread, in `sell`, included in
    `amount`.
    """

    account: str
    sell: str
    buy: str
    amount: Decimal
    rate: Decimal
    cost: Decimal
    bought: Decimal


@dataclass(frozen=True, slots=True)
class CashState:
    """Hold cash by currency before (cash flow included) and after the plan, in all and by declared account."""

    before: Mapping[str, Decimal]
    after: Mapping[str, Decimal]
    target_weight: Decimal
    accounts_before: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    accounts_after: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the plan is, as parts of the total value.

    `objective` is the measure of `docs/trades.md`; no plan of the same rung that keeps the constraints can be below
    `bound`, which is −inf where nothing is proven; `gap` is (objective − bound) / objective, 0 where the objective is
    0. `misplaced` is Σ|value − target| / 2 after the plan, cash included. `rung` says who had to trade: 1 only buying
    (or, to raise money, only selling), 2 the sections that act, 3 the others selling too; 0 where nothing calls for
    trades.
    """

    objective: float
    bound: float
    gap: float
    method: str
    seconds: float
    misplaced: float = 0.0
    rung: int = 0


@dataclass(frozen=True, slots=True)
class TaxEstimate:
    """The tax that the plan's sales bring, in the base currency unless said otherwise.

    Korean residents' overseas gains: `overseas_gain` of this plan's sales in KRW, the allowance, and the tax; None
    where average costs are missing, with the symbols named in `missing`.
    """

    transaction_tax: Decimal
    overseas_gain: Decimal | None
    overseas_allowance: Decimal
    overseas_tax: Decimal | None
    dividend_income: Decimal | None
    dividend_tax: Decimal | None
    missing: tuple[str, ...] = ()
    notes: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a person needs to act on: drift, trades, what they cost, what is left, how good the plan is.

    `portfolio`, `valuation` and `rates` are what it was made from, so that nobody values twice.
    """

    portfolio: Portfolio
    valuation: Valuation
    rates: Mapping[str, FxRate]
    name: str
    as_of: dt.date
    base_currency: str
    total_value: Decimal
    needs_rebalancing: bool
    drift: Decimal
    positions: tuple[Position, ...]
    sections: tuple[SectionState, ...]
    trades: tuple[Trade, ...]
    conversions: tuple[Conversion, ...]
    cash: CashState
    quality: Quality
    tax: TaxEstimate
    problems: tuple[Problem, ...]
    goals: tuple[GoalState, ...] = ()

    def to_json(self) -> Document:
        """Return the plan as the documented JSON object, in plain dicts, lists, numbers and strings."""
        return {
            "as_of": self.as_of.isoformat(),
            "base_currency": self.base_currency,
            "total_value": number(self.total_value),
            "needs_rebalancing": self.needs_rebalancing,
            "drift": number(self.drift),
            "positions": [_position(position) for position in self.positions],
            "sections": [_section(section) for section in self.sections],
            "trades": [_trade(trade) for trade in self.trades],
            "conversions": [_conversion(conversion) for conversion in self.conversions],
            "cash": _cash(self.cash),
            "quality": {
                "objective": number(self.quality.objective),
                "bound": number(self.quality.bound),
                "gap": number(self.quality.gap),
                "method": self.quality.method,
                "seconds": number(self.quality.seconds),
                "misplaced": number(self.quality.misplaced),
                "rung": self.quality.rung,
            },
            "tax": _tax(self.tax),
            "allocation": allocation(self).to_json(),
            **self._goals(),
            "problems": problem_list(self.problems),
        }

    @property
    def unknown(self) -> Decimal:
        """Return what of the members of goals is in none of them, in the base currency."""
        values = {position.symbol: position.value for position in self.positions}
        held = {symbol for state in self.goals for symbol in state.goal.members}
        known = sum((state.value for state in self.goals if state.leaf), ZERO)
        return sum((values[symbol] for symbol in held), ZERO) - known

    def _goals(self) -> Document:
        """Return the goals as JSON, where there are any but instruments, or places are preferred."""
        if not uses_goals(self.portfolio):
            return {}
        unknown = self.unknown
        return {
            "goals": [_goal(state) for state in self.goals if state.goal.target is not None],
            "unknown": {
                "value": number(unknown),
                "weight": number(unknown / self.total_value if self.total_value else ZERO),
            },
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the trades as a table with a row an order; quantities, prices and amounts are floats."""
        import pandas as pd

        columns = [name for name in _trade_columns() if name not in ("reason", "goal")]
        rows = [{name: _cell(getattr(trade, name)) for name in columns} for trade in self.trades]
        reasons = [str(trade.reason.phrase) for trade in self.trades]
        numbers = ("quantity", "price", "amount", "cost", "tax", "withheld", "weight_after")
        kinds = dict.fromkeys(numbers, "float64")
        return pd.DataFrame(rows, columns=columns).astype(kinds).assign(reason=pd.Series(reasons, dtype="object"))

    def positions_frame(self) -> pd.DataFrame:
        """Return the positions as a table with a row a symbol; quantities, prices, values and weights are floats."""
        import pandas as pd

        columns = [field.name for field in fields(Position) if field.name not in ("accounts", "price_as_of", "goals")]
        rows = [{name: _cell(getattr(position, name)) for name in columns} for position in self.positions]
        numbers = ("quantity", "price", "fx", "value", "weight", "target", "drift", "low", "high")
        frame = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(numbers, "float64"))
        moments = [position.price_as_of for position in self.positions]
        return frame.assign(price_as_of=pd.to_datetime(pd.Series(moments, dtype="object"), utc=True)).set_index(
            "symbol"
        )


def _trade_columns() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Trade))


def _cell(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def _telling_digits(fractions: tuple[Decimal, ...]) -> int:
    """Return the fewest decimals, of 1 to 6, at which no two different fractions look the same in per cent.

    7.46 % is below a band that starts at 7.5 %: the sentence must show that.
    """
    different = len(set(fractions))
    with localcontext(rounding=ROUND_HALF_UP):
        return next((n for n in range(1, 6) if len({f"{one:.{n}%}" for one in fractions}) == different), 6)


def _amounts(amounts: Mapping[str, Decimal]) -> Document:
    return {name: number(amount) for name, amount in amounts.items()}


def _moment(moment: dt.datetime | dt.date | None) -> str | None:
    return moment.isoformat() if moment else None


def _goal(state: GoalState) -> Document:
    return {
        "goal": state.name,
        "kind": state.goal.kind,
        "section": state.section,
        "parent": state.goal.parent,
        "target": number(state.target),
        "weight": number(state.weight),
        "drift": number(state.drift),
        "band": [number(state.low), number(state.high)],
        "status": state.status,
        "value": number(state.value),
        "members": list(state.goal.members),
        "exposures": _amounts(state.goal.members),
    }


def _position(position: Position) -> Document:
    """Return a position as JSON; a member of goals has theirs in place of a target and band."""
    own = not position.goals
    return {
        "symbol": position.symbol,
        "name": position.name,
        "section": position.section,
        "market": position.market,
        "asset_type": position.asset_type,
        "quantity": number(position.quantity),
        "accounts": _amounts(position.accounts),
        "price": number(position.price),
        "currency": position.currency,
        "fx": number(position.fx),
        "price_source": position.price_source,
        "price_as_of": _moment(position.price_as_of),
        "stale": position.stale,
        "value": number(position.value),
        "weight": number(position.weight),
        "target": number(position.target) if own else None,
        "drift": number(position.drift) if own else None,
        "band": [number(position.low), number(position.high)] if own else None,
        "status": position.status,
        **({} if own else {"goals": _amounts(position.goals)}),
    }


def _section(section: SectionState) -> Document:
    return {
        "section": section.section,
        "target": number(section.target),
        "weight": number(section.weight),
        "drift": number(section.drift),
        "due": section.due,
        "next_due": _moment(section.next_due),
        "status": section.status,
        "breaches": list(section.breaches),
        "acts": section.acts,
        "why": str(section.why.phrase),
    }


def _trade(trade: Trade) -> Document:
    return {
        "account": trade.account,
        "symbol": trade.symbol,
        "side": trade.side,
        "quantity": number(trade.quantity),
        "price": number(trade.price),
        "currency": trade.currency,
        "amount": number(trade.amount),
        "cost": number(trade.cost),
        "tax": number(trade.tax),
        "reason": str(trade.reason.phrase),
        "weight_after": number(trade.weight_after),
        **({"goal": trade.goal} if trade.goal else {}),
    }


def _conversion(conversion: Conversion) -> Document:
    return {
        "sell": conversion.sell,
        "buy": conversion.buy,
        "amount": number(conversion.amount),
        "rate": number(conversion.rate),
        "cost": number(conversion.cost),
        # Beyond the documented five: without these a reader could not reconcile the cash.
        "account": conversion.account,
        "bought": number(conversion.bought),
    }


def _cash(cash: CashState) -> Document:
    names = dict.fromkeys([*cash.accounts_before, *cash.accounts_after])
    return {
        "before": _amounts(cash.before),
        "after": _amounts(cash.after),
        "target_weight": number(cash.target_weight),
        "accounts": {
            name: {
                "before": _amounts(cash.accounts_before.get(name, {})),
                "after": _amounts(cash.accounts_after.get(name, {})),
            }
            for name in names
        },
    }


def _tax(tax: TaxEstimate) -> Document:
    values = {field.name: getattr(tax, field.name) for field in fields(tax)}
    return {
        name: number(value) if isinstance(value, Decimal) else [*map(str, value)] if isinstance(value, tuple) else value
        for name, value in values.items()
    }


@dataclass(frozen=True, slots=True)
class CashWeight:
    """Cash before trading, in all currencies together, beside the weight that the targets leave over.

    `value` is in the base currency; `drift` is signed.
    """

    value: Decimal
    weight: Decimal
    target: Decimal
    drift: Decimal


@dataclass(frozen=True, slots=True)
class CashLine:
    """The cash of one currency, reconciled: before + sells − buys − costs + exchanged = after.

    `account` is None for the line over all accounts. `costs` are commissions and taxes on both sides, `exchanged` is
    what conversions bring (+) or take (−). Everything is in `currency`.
    """

    account: str | None
    currency: str
    before: Decimal
    sells: Decimal
    buys: Decimal
    costs: Decimal
    exchanged: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        """Return what is unaccounted for: 0 in every sound plan."""
        return self.before + self.sells - self.buys - self.costs + self.exchanged - self.after


@dataclass(frozen=True, slots=True)
class Traded:
    """The sum of the trades of one side in one currency; `costs` are commissions and taxes."""

    side: Side
    currency: str
    count: int
    amount: Decimal
    costs: Decimal


def cash_weight(plan: Plan) -> CashWeight:
    """Return the value and weight of all cash before trading: what the positions leave of the total."""
    value = plan.total_value - sum((position.value for position in plan.positions), ZERO)
    weight = value / plan.total_value if plan.total_value else ZERO
    target = plan.cash.target_weight
    return CashWeight(value, weight, target, weight - target)


def reconciliation(plan: Plan) -> tuple[CashLine, ...]:
    """Return a line per declared account and currency, then a line per currency over all accounts."""
    cash = plan.cash
    accounts = dict.fromkeys([*cash.accounts_before, *cash.accounts_after])
    lines: list[CashLine] = []
    for account in accounts:
        trades = [trade for trade in plan.trades if trade.account == account]
        conversions = [conversion for conversion in plan.conversions if conversion.account == account]
        before, after = cash.accounts_before.get(account, {}), cash.accounts_after.get(account, {})
        lines.extend(_lines(account, before, after, trades, conversions))
    lines.extend(_lines(None, cash.before, cash.after, plan.trades, plan.conversions))
    return tuple(lines)


def traded(plan: Plan) -> tuple[Traded, ...]:
    """Return count, amount and costs of the trades by side and currency: sells first, the base currency first."""
    found: dict[tuple[Side, str], list[Trade]] = defaultdict(list)
    for trade in plan.trades:
        found[trade.side, trade.currency].append(trade)

    def order(key: tuple[Side, str]) -> tuple[bool, bool, str]:
        side, currency = key
        return side != "sell", currency != plan.base_currency, currency

    return tuple(
        Traded(
            side,
            currency,
            len(found[side, currency]),
            sum((trade.amount for trade in found[side, currency]), ZERO),
            sum((trade.cost + trade.tax for trade in found[side, currency]), ZERO),
        )
        for side, currency in sorted(found, key=order)
    )


def _lines(
    account: str | None,
    before: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
    trades: Iterable[Trade],
    conversions: Iterable[Conversion],
) -> list[CashLine]:
    sells, buys, costs, exchanged = (defaultdict[str, Decimal](Decimal) for _ in range(4))
    for trade in trades:
        (sells if trade.side == "sell" else buys)[trade.currency] += trade.amount
        costs[trade.currency] += trade.cost + trade.tax
    for conversion in conversions:
        exchanged[conversion.sell] -= conversion.amount
        exchanged[conversion.buy] += conversion.bought
    currencies = dict.fromkeys([*before, *after, *sells, *buys, *exchanged])
    return [
        CashLine(
            account,
            currency,
            before.get(currency, ZERO),
            sells[currency],
            buys[currency],
            costs[currency],
            exchanged[currency],
            after.get(currency, ZERO),
        )
        for currency in currencies
    ]
